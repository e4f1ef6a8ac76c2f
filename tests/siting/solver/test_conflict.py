"""What stands in the way of any plan, (85), and the least that has to change, (86) and (87)."""

from __future__ import annotations

import numpy as np
import pytest
from exact import exact_optimum
from loosened import stated
from tiny_problems import random_problem, with_coverage, with_lane_rules, with_minimums, with_random_rules

from siting.solver import Change, FacilityProblem, Rules, conflict, explain, has_plan, limits_of, solve
from siting.solver.limits import COUNTED, Limit

NOTCH = 1e-5  # relative; what counts as less where an amount is any number


def some_problem(seed: int) -> FacilityProblem:
    """A problem with rules of some kinds; about half of them have no plan."""
    p = random_problem(seed)
    rng = np.random.default_rng([seed, 77])
    for more, likely in ((with_random_rules, 0.5), (with_minimums, 0.4), (with_lane_rules, 0.4), (with_coverage, 0.4)):
        if rng.random() < likely:
            p = more(p, seed)
    return p


def fits(problem: FacilityProblem | None) -> bool:
    return problem is not None and solve(problem, gap=0.5).status != "infeasible"


def every_part(limits: list[Limit]) -> conflict.Parts:
    return {k: np.ones(limit.n_parts, dtype=bool) for k, limit in enumerate(limits)}


def less(limit: Limit, change: Change) -> list[Change]:
    """The same change, a notch smaller."""
    if limit.kind in COUNTED:
        return [Change(change.limit, 0.0, np.setdiff1d(change.let_go, [member])) for member in change.let_go]
    notch = limit.step or NOTCH * max(limit.unit, change.amount)
    return [Change(change.limit, max(change.amount - notch, 0.0), change.let_go)]


def check_explanation(p: FacilityProblem, seed: int) -> bool:
    """Hold all that is told of a problem against the solver; whether it has no plan."""
    bare, limits = limits_of(p)
    found = explain(bare, limits)
    assert (found.outcome == "plan") == fits(p), seed
    if found.outcome == "plan":
        return False
    assert found.minimal and not fits(stated(bare, limits, found.conflict)), seed
    for k, mask in found.conflict.items():
        for part in np.flatnonzero(mask):
            fewer = {r: parts.copy() for r, parts in found.conflict.items()}
            fewer[k][part] = False
            assert fits(stated(bare, limits, fewer)), (seed, limits[k].name, part)
    every = every_part(limits)
    repairs = [*found.repairs, *([found.joint] if found.joint is not None else [])]
    assert [repair.cost for repair in found.repairs] == sorted(repair.cost for repair in found.repairs)
    assert found.joint is None or (not found.repairs and len(found.joint.changes) > 1), seed
    for repair in repairs:
        changes = {change.limit: change for change in repair.changes}
        assert repair.proven and fits(stated(bare, limits, every, changes)), (seed, changes)
        for k, change in changes.items():
            for short in less(limits[k], change):
                assert not fits(stated(bare, limits, every, {**changes, k: short})), (seed, limits[k].name, change)
    return True


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_conflicts_and_repairs_of_tiny_problems_are_what_they_claim(first: int) -> None:
    """(85): together they have no plan, without any one part they have; (86), (87): enough, and a notch less is not."""
    without = sum(check_explanation(some_problem(seed), seed) for seed in range(first, first + 20))
    assert without > 5


def test_the_condensed_ways_and_the_first_looks_without_lanes_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conflict, "FEW_LANES", 0)
    assert sum(check_explanation(some_problem(seed), seed) for seed in range(60, 80)) > 5


@pytest.mark.slow
def test_conflicts_and_repairs_of_many_tiny_problems() -> None:
    assert sum(check_explanation(some_problem(seed), seed) for seed in range(100, 1600)) > 500


def test_whether_there_is_a_plan_agrees_with_rational_arithmetic() -> None:
    told = []
    for seed in range(200, 240):
        p = some_problem(seed)
        told.append(has_plan(*limits_of(p)))
        assert told[-1] == ("none" if exact_optimum(p) is None else "plan"), seed
    assert {"none", "plan"} == set(told)


def two_of_three() -> FacilityProblem:
    """Three sites of 7, 13 and 21: no sum of some lies between 8 and 12."""
    return FacilityProblem.from_costs(
        [[1.0, 2.0, 3.0]],
        capex=[7.0, 13.0, 21.0],
        budget=30.0,
        rules=Rules([[7.0, 13.0, 21.0]], 8.0, 12.0, ["capital"]),
    )


def test_what_only_whole_options_make_impossible_is_explained_and_mended_to_the_least() -> None:
    bare, limits = limits_of(two_of_three())
    found = explain(bare, limits)
    assert [(limits[k].name, limits[k].at_most) for k in found.conflict] == [("capital", False), ("capital", True)]
    least = {limits[c.limit].at_most: c.amount for repair in found.repairs for c in repair.changes}
    assert least == pytest.approx({False: 1.0, True: 1.0})


def test_where_no_limit_alone_can_give_way_the_cheapest_change_of_several_is_told() -> None:
    """Both sites must open for 20 of capital where 10 is allowed twice over: both ceilings have to rise."""
    p = FacilityProblem.from_costs(
        [[1.0, 1.0]],
        capex=[10.0, 10.0],
        budget=10.0,
        rules=Rules([[1.0, 1.0], [1.0, 1.0]], [2.0, -np.inf], [np.inf, 1.0]),
    )
    bare, limits = limits_of(p)
    found = explain(bare, [Limit(**{**vars(limit), "may_loosen": k != 1}) for k, limit in enumerate(limits)])
    assert not found.repairs and found.joint is not None
    assert {limits[c.limit].name: c.amount for c in found.joint.changes} == pytest.approx(
        {"budget": 10.0, "rule 1": 1.0}
    )


def test_an_amount_is_told_in_steps_and_never_rounded_to_less_than_is_needed() -> None:
    row = Rules([[1.0]]).coefficients
    ceiling = Limit("budget", "options", 60.0, row, bound=np.array([60.0]), at_most=True, step=0.1)
    floor = Limit("share", "options", 0.8, row, bound=np.array([0.8]), step=0.0001)
    assert ceiling.rounded(12.34) == pytest.approx(12.4) and ceiling.rounded(0.1 + 0.2) == pytest.approx(0.3)
    assert floor.rounded(0.09123) == pytest.approx(0.0913) and floor.rounded(0.0) == 0.0


def test_time_that_is_over_is_told_and_nothing_is_claimed() -> None:
    found = explain(*limits_of(two_of_three()), time_limit=1e-9)
    assert (found.outcome, found.conflict, found.repairs, found.minimal) == ("unknown", {}, (), False)
    assert has_plan(*limits_of(two_of_three()), time_limit=1e-9) == "unknown"

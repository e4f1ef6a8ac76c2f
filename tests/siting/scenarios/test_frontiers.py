"""Along budgets a plan of less money and a bound for more prove what lies between."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from siting.scenarios.batch import batch_of, grid_of
from siting.scenarios.frontiers import PIECE, Point, consistent, frontiers, implied, pieces_of, solve_frontier
from siting.solver import FacilityProblem, Solution, solve
from siting.study import Study


def problem(seed: int) -> FacilityProblem:
    """Twelve clients and seven sites that cost capital."""
    random = np.random.default_rng(seed)
    costs = random.integers(1, 60, (12, 7)).astype(float)
    whole = FacilityProblem.from_costs(costs, fixed_cost=random.integers(1, 9, 7).astype(float))
    return whole.with_changes(unserved_cost=np.full(12, 50.0), capex=random.integers(1, 9, 7).astype(float))


BUDGETS = np.linspace(0, 50, 21)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("gap", [0.0, 0.05, 0.3])
def test_a_frontier_is_what_every_budget_alone_gives(seed: int, gap: float) -> None:
    whole, asked = problem(seed), []

    def ask(k: int) -> Solution:
        asked.append(k)
        return solve(whole.with_changes(budget=BUDGETS[k]), gap=gap)

    points = [Point(budget, gap) for budget in BUDGETS]
    found = solve_frontier(points, ask, lambda answer: float(whole.capex[answer.open].sum()))
    best = [solve(whole.with_changes(budget=budget), gap=0.0).objective for budget in BUDGETS]
    for budget, answer, least in zip(BUDGETS, found, best, strict=True):
        assert answer is not None and answer.status == "optimal"
        assert whole.capex[answer.open].sum() <= budget
        assert answer.bound <= least + 1e-9 and least <= answer.objective + 1e-9
        assert answer.gap <= gap + 1e-8
    assert (np.diff([answer.objective for answer in found]) <= 0).all()
    assert (np.diff([answer.bound for answer in found]) <= 0).all()
    assert len(asked) == len(set(asked)) < len(BUDGETS), "nothing was told without being solved"


def test_what_no_larger_budget_allows_no_smaller_one_does() -> None:
    whole = problem(1).with_changes(unserved_cost=np.full(12, np.inf), capex=np.full(7, 9.0))
    asked = []

    def ask(k: int) -> Solution:
        asked.append(k)
        return solve(whole.with_changes(budget=float(k)))

    found = solve_frontier([Point(float(k), 0.0) for k in range(5)], ask, lambda answer: 0.0)
    assert [answer.status for answer in found if answer] == ["infeasible"] * 5
    assert asked == [4]


def test_a_point_that_fails_takes_no_other_along() -> None:
    whole, asked = problem(2), []

    def ask(k: int) -> Solution | None:
        asked.append(k)
        return None if len(asked) == 3 else solve(whole.with_changes(budget=BUDGETS[k]), gap=0.0)

    points = [Point(budget, 0.0) for budget in BUDGETS]
    found = solve_frontier(points, ask, lambda answer: float(whole.capex[answer.open].sum()))
    assert [k for k, answer in enumerate(found) if answer is None] == [asked[2]]


def test_a_smaller_plan_stands_where_the_larger_budget_gave_less() -> None:
    whole = problem(3)
    small, large = (solve(whole.with_changes(budget=budget), gap=0.0) for budget in (10.0, 20.0))
    worse = replace(small, objective=small.objective + 5.0, bound=small.bound - 5.0, status="feasible", gap=1.0)
    first, second = consistent([Point(10.0, 0.0), Point(20.0, 0.1)], [small, replace(worse, bound=large.bound)])
    assert first is small
    assert (second.objective, second.bound) == (small.objective, large.bound)
    (raised, _) = consistent([Point(10.0, 0.0), Point(20.0, 0.0)], [replace(small, bound=0.0), large])
    assert raised.bound == large.bound and raised.status == "feasible"


def test_nothing_is_implied_beyond_the_gap() -> None:
    whole = problem(3)
    below, above = (solve(whole.with_changes(budget=budget), gap=0.0) for budget in (5.0, 50.0))
    apart = (below.objective - above.bound) / below.objective
    assert implied(Point(6.0, apart / 2), below, above, lambda answer: 50.0) is None
    told = implied(Point(6.0, apart * 1.01), below, above, lambda answer: 50.0)
    assert told is not None and told.gap == pytest.approx(apart)
    assert implied(Point(6.0, 1.0), None, above, lambda answer: 50.0) is None
    assert implied(Point(6.0, 1.0), below, None, lambda answer: 50.0) is None


def test_scenarios_that_differ_in_their_budget_alone_are_one_frontier_in_pieces_of_a_fixed_length() -> None:
    axes = {"budget_inr_crore": [30, 10, 20, *range(40, 50)], "parameters.discount_rate": [0.06, 0.1]}
    scenarios = batch_of(Study(), grid_of(axes, "test")[0], "test").scenarios
    groups = frontiers(scenarios)
    assert len(groups) == 2
    for group in groups:
        assert len({scenarios[k].study.parameters["discount_rate"] for k in group}) == 1
        budgets = [scenarios[k].study.budget_inr_crore for k in group]
        assert budgets == sorted(axes["budget_inr_crore"])
    pieces = pieces_of(scenarios)
    assert [len(piece.numbers) for piece in pieces] == [PIECE, 13 - PIECE] * 2
    assert sorted(k for piece in pieces for k in piece.numbers) == list(range(26))

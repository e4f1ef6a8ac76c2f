"""The re-check refuses one bad answer for each equation, and says which equation it breaks."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from siting.solver import Coverage, FacilityProblem, Rules, Solution, WrongAnswerError, solve
from siting.solver.check import check_solution

PROBLEM = FacilityProblem(
    lane_client=np.array([0, 0, 1, 1, 2]),
    lane_options=np.array([[0, -1], [1, -1], [0, 1], [2, -1], [-1, -1]]),
    lane_cost=np.array([10.0, 14.0, 6.0, 30.0, 3.0]),
    n_clients=3,
    n_options=4,
    unserved_cost=np.array([np.inf, 50.0, 4.0]),
    demand=np.array([2.0, 3.0, 1.0]),
    fixed_cost=np.array([1.0, 2.0, 4.0, 5.0]),
    capex=np.array([1.0, 1.0, 1.0, 1.0]),
)
"""The best plan opens 0 and 1: client 0 through 0, client 1 through both, client 2 by the lane that needs none."""
GOOD = solve(PROBLEM, gap=0.0)
CARBON = Rules([[7.5, 1.0, 9.0, 1.0, 0.0]], upper=16.0, names=["carbon"])


def test_the_good_answer_passes() -> None:
    assert GOOD.open.tolist() == [0, 1]
    assert GOOD.lane_share.tolist() == [1.0, 0.0, 1.0, 0.0, 1.0]
    assert (GOOD.objective, GOOD.status) == (22.0, "optimal")
    check_solution(PROBLEM, GOOD)


def shares(*values: float) -> dict[str, Any]:
    return {"lane_share": np.array(values)}


BAD: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    # what is said; what the problem asks besides; what the answer says instead
    (r"\(1\) costs do not sum", {}, {"objective": 21.9, "bound": 21.9}),
    (r"\(1\) costs do not sum", {"fixed_cost": [1.0, 2.1, 4.0, 5.0]}, {}),
    (r"\(1\) costs do not sum", {"unserved_cost": [np.inf, 50.0, 400.0]}, {"unserved_share": np.array([0, 0, 1.0])}),
    (r"\(2\) shares of a client do not sum to 1", {}, shares(1.0, 0.0, 0.9, 0.0, 1.0)),
    (r"\(2\) shares of a client do not sum to 1", {}, {"unserved_share": np.array([0.0, 0.1, 0.0])}),
    (
        r"\(2\) a client that must be served is not",
        {},
        {**shares(0.0, 0.0, 1.0, 0.0, 1.0), "unserved_share": np.array([1.0, 0.0, 0.0])},
    ),
    (r"\(3\) a lane uses a closed option", {}, {"open": np.array([1])}),
    (r"\(3\) a lane uses a closed option", {}, {"open": np.array([0])}),  # the second option of a lane
    (r"\(4\) capacity exceeded at \[0\]", {"capacity": [4.9, 9.0, 9.0, 9.0]}, {}),
    (r"\(4\) capacity exceeded at \[1\]", {"capacity": [9.0, 2.9, 9.0, 9.0]}, {}),  # by the second option of a lane
    (r"\(4\) capacity exceeded at \[1\]", {"capacity": [9.0, 0.0, 9.0, 9.0]}, {}),
    (r"\(17\) less than the minimum goes through \[0\]", {"min_throughput": [5.1, 0.0, 0.0, 0.0]}, {}),
    (r"\(17\) less than the minimum goes through \[1\]", {"min_throughput": [0.0, 3.1, 9.0, 9.0]}, {}),
    (r"\(18\) carbon: at most 16, and comes to 16.5", {"lane_rules": CARBON}, {}),
    (r"\(19\) coverage covers only 3", {"coverage": (Coverage(np.eye(4), [1.0, 2.0, 4.0, 8.0], 3.1),)}, {}),
    (r"budget: at most 1, and comes to 2", {"budget": 1.0}, {}),
    (r"group 7: at most 1, and comes to 2", {"group": [7, 7, -1, -1]}, {}),
    (r"number open: exactly 3, and comes to 2", {"n_open": 3}, {}),
    (r"number open: exactly 1, and comes to 2", {"n_open": 1}, {}),
    (r"\(8\) a forced option is closed", {"forced_open": [3]}, {}),
    (r"\(8\) a forbidden option is open", {"forbidden": [1]}, {}),
    (r"\(9\) a share is negative", {}, shares(1.0, 0.0, 1.5, -0.5, 1.0)),
    (r"\(9\) a share is negative", {}, {"unserved_share": np.array([0.0, 0.0, -0.1])}),
    (r"\(9\) a client of a single-source problem is split", {"single_source": True}, shares(0.5, 0.5, 1.0, 0.0, 1.0)),
    (
        r"\(9\) a client of a single-source problem is split",
        {"single_source": True},
        {**shares(1.0, 0.0, 0.5, 0.0, 1.0), "unserved_share": np.array([0.0, 0.5, 0.0])},
    ),
    (
        r"\(9\) a client of a single-source problem is split",
        {"single_source": True},
        {"unserved_share": np.array([0.0, 0.5, 0.0])},
    ),
    (r"the bound is above the objective", {}, {"bound": 22.1}),
    (r"open is not sorted and unique", {}, {"open": np.array([1, 0])}),
    (r"open is not sorted and unique", {}, {"open": np.array([0, 0, 1])}),
    (r"shapes of the shares", {}, shares(1.0, 0.0, 1.0, 0.0)),
    (r"shapes of the shares", {}, {"unserved_share": np.zeros(2)}),
]


@pytest.mark.parametrize(("said", "asked", "answered"), BAD)
def test_a_bad_answer_is_refused_for_what_is_wrong(said: str, asked: dict[str, Any], answered: dict[str, Any]) -> None:
    with pytest.raises(WrongAnswerError, match=said):
        check_solution(PROBLEM.with_changes(**asked), replace(GOOD, **answered))


def test_an_answer_without_a_plan_claims_nothing() -> None:
    for status in ("infeasible", "unknown"):
        check_solution(PROBLEM, replace(GOOD, status=status, open=np.array([3])))


def test_every_answer_is_checked_before_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def dearer(*arguments: Any, **named: Any) -> Solution:
        return replace(GOOD, objective=GOOD.objective - 1.0)

    monkeypatch.setattr(sys.modules[solve.__module__], "plan_found", dearer)
    with pytest.raises(WrongAnswerError, match=r"\(1\)"):
        solve(PROBLEM)


BALANCED = FacilityProblem(
    lane_client=np.array([0, 1]),
    lane_options=np.array([[0, -1], [1, -1]]),
    lane_cost=np.array([-5e6, 1e7]),
    n_clients=2,
    n_options=2,
    unserved_cost=np.array([np.inf, 3e6]),
    demand=np.array([2.0, 8.0]),
    fixed_cost=np.array([1e6, 9e6]),
    capacity=np.array([0.5, np.inf]),
)
"""One lane gains 5 million, the rest costs 4: what is added up comes to 9 million, the objective to -1."""
SIZE, ROUNDING = 9e6, 1e-8
SHARES = np.array([1.0, 0.0])


def balanced(**changes: Any) -> Solution:
    answer: dict[str, Any] = {
        "open": np.array([0]),
        "lane_share": SHARES,
        "unserved_share": np.array([0.0, 1.0]),
        "objective": -1e6,
        "bound": -1e6,
    }
    return replace(GOOD, **{**answer, **changes})


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize(("part", "said"), [(0.95, None), (1.05, r"\(1\) costs do not sum")])
def test_costs_may_be_off_by_rounding_in_all_that_is_added_up(sign: float, part: float, said: str | None) -> None:
    problem = BALANCED.with_changes(capacity=None)
    objective = -1e6 + sign * part * ROUNDING * SIZE
    accepted_or_refused(problem, balanced(objective=objective, bound=min(objective, -1e6)), said)


@pytest.mark.parametrize(("part", "said"), [(0.95, None), (1.05, "the bound is above the objective")])
def test_the_bound_may_be_above_by_as_much(part: float, said: str | None) -> None:
    bound = -1e6 + part * ROUNDING * SIZE
    accepted_or_refused(BALANCED.with_changes(capacity=None), balanced(bound=bound), said)


@pytest.mark.parametrize(
    ("load", "capacity", "said"),
    [
        # a hundred-millionth of 0.5, and of the largest demand 8: 8.5e-8 in all
        (0.5 + 8.4e-8, 0.5, None),
        (0.5 + 8.6e-8, 0.5, r"\(4\) capacity exceeded at \[0\]"),
        (1.5 + 9.4e-8, 1.5, None),
        (1.5 + 9.6e-8, 1.5, r"\(4\) capacity exceeded at \[0\]"),
        (1e-9, 0.0, r"\(4\) capacity exceeded at \[0\]"),  # without capacity nothing is rounding
    ],
)
def test_a_load_may_exceed_a_capacity_by_rounding(load: float, capacity: float, said: str | None) -> None:
    served = load / 2.0
    shares = {"lane_share": np.array([served, 0.0]), "unserved_share": np.array([1.0 - served, 1.0])}
    problem = BALANCED.with_changes(capacity=[capacity, np.inf], unserved_cost=[0.0, 3e6])
    objective = -5e6 * served + 4e6
    accepted_or_refused(problem, balanced(**shares, objective=objective, bound=objective), said)


def test_what_is_rounding_shrinks_with_the_demand() -> None:
    """0.5 + 8.6e-8 of 0.5 is too much; so is a thousandth of it of a thousandth."""
    scale = 1e-3
    load = (0.5 + 8.6e-8) * scale
    shares = {"lane_share": np.array([load / (2.0 * scale), 0.0]), "unserved_share": np.array([1 - 0.250000043, 1.0])}
    problem = BALANCED.with_changes(
        demand=BALANCED.demand * scale, capacity=[0.5 * scale, np.inf], unserved_cost=[0.0, 3e6]
    )
    objective = -5e6 * load / (2.0 * scale) + 4e6
    accepted_or_refused(problem, balanced(**shares, objective=objective, bound=objective), r"\(4\) capacity exceeded")


@pytest.mark.parametrize(
    ("off", "said"), [(0.9e-8, None), (-0.9e-8, None), (1.1e-8, r"\(2\) shares"), (-1.1e-8, r"\(2\) shares")]
)
def test_shares_may_miss_one_by_rounding(off: float, said: str | None) -> None:
    problem = BALANCED.with_changes(capacity=None)
    accepted_or_refused(problem, balanced(lane_share=np.array([1.0 + off, 0.0])), said)


@pytest.mark.parametrize(("share", "said"), [(0.9e-8, None), (1.1e-8, r"\(2\) a client that must be served is not")])
def test_a_client_that_must_be_served_may_miss_a_millionth(share: float, said: str | None) -> None:
    shares = {"lane_share": np.array([1.0 - share, 0.0]), "unserved_share": np.array([share, 1.0])}
    accepted_or_refused(BALANCED.with_changes(capacity=None), balanced(**shares), said)


def test_nothing_at_all_may_go_through_a_closed_option() -> None:
    shares = np.array([1.0, 1e-9])
    accepted_or_refused(
        BALANCED.with_changes(capacity=None), balanced(lane_share=shares), r"\(3\) a lane uses a closed"
    )


@pytest.mark.parametrize("scale", [1.0, 1e-3])
@pytest.mark.parametrize(
    ("over", "said"), [(0.99e-7, None), (1.01e-7, r"\(17\) less than the minimum goes through \[0\]")]
)
def test_a_load_may_miss_a_minimum_by_rounding(scale: float, over: float, said: str | None) -> None:
    """A hundred-millionth of the minimum 2, and of the largest demand 8."""
    problem = BALANCED.with_changes(
        capacity=None, demand=BALANCED.demand * scale, min_throughput=[(2.0 + over) * scale, 0.0]
    )
    accepted_or_refused(problem, balanced(), said)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize("side", ["lower", "upper"])
@pytest.mark.parametrize(("off", "broken"), [(2.9e-8, False), (3.1e-8, True)])
def test_lanes_may_break_a_rule_by_rounding(sign: float, side: str, off: float, broken: bool) -> None:
    at = 3.0 * sign
    limits = {"lower": (at + off, np.inf), "upper": (-np.inf, at - off)}[side]
    problem = BALANCED.with_changes(capacity=None, lane_rules=Rules([[at, 50.0]], *limits, names=["carbon"]))
    accepted_or_refused(problem, balanced(), r"\(18\) carbon" if broken else None)


@pytest.mark.parametrize(("part", "said"), [(0.9e-8, None), (1.1e-8, r"\(19\) coverage covers only 3")])
def test_coverage_may_miss_its_share_by_rounding(part: float, said: str | None) -> None:
    coverage = Coverage(np.array([[1.0, 0.0], [0.0, 1.0]]), [3.0, 4.0], 3.0 / (1.0 - part))
    accepted_or_refused(BALANCED.with_changes(capacity=None, coverage=(coverage,)), balanced(), said)


def accepted_or_refused(problem: FacilityProblem, answer: Solution, said: str | None) -> None:
    if said is None:
        check_solution(problem, answer)
        return
    with pytest.raises(WrongAnswerError) as refused:
        check_solution(problem, answer)
    assert re.search(said, str(refused.value)) and ";" not in str(refused.value), "this is wrong and nothing else"

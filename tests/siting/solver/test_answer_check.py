"""The re-check refuses one bad answer for each equation (1) to (9), and says which equation it breaks."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from siting.solver import FacilityProblem, Solution, WrongAnswerError, solve
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

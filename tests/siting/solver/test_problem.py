"""What a FacilityProblem accepts, and how it says what it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from siting.solver import FacilityProblem, InputError


def two_by_three(**changes: Any) -> FacilityProblem:
    return FacilityProblem.from_costs([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], **changes)


def test_pairs_that_are_not_allowed_get_no_lane() -> None:
    problem = FacilityProblem.from_costs([[1.0, np.nan], [np.inf, 4.0]])
    assert problem.lane_client.tolist() == [0, 1]
    assert problem.lane_options.tolist() == [[0, -1], [1, -1]]
    assert problem.lane_cost.tolist() == [1.0, 4.0]


def test_a_data_frame_gives_names_and_options_go_by_them() -> None:
    cost = pd.DataFrame([[1.0, 2.0]], index=["Pune"], columns=["Nagpur", "Surat"])
    problem = FacilityProblem.from_costs(cost, forced_open=["Surat"], forbidden=[0])
    assert problem.forced_open.tolist() == [1]
    assert problem.forbidden.tolist() == [0]
    assert problem.client_name(0) == "Pune"


def test_one_number_stands_for_all_and_groups_take_any_label() -> None:
    problem = two_by_three(unserved_cost=9.0, capex=2.0, group=["a", None, "a"])
    assert problem.unserved_cost.tolist() == [9.0, 9.0]
    assert problem.capex.tolist() == [2.0, 2.0, 2.0]
    assert problem.group.tolist() == [0, -1, 0]


def test_arrays_are_private_and_cannot_be_written() -> None:
    demand = np.array([1.0, 2.0])
    problem = two_by_three(demand=demand)
    demand[0] = 7.0
    assert problem.demand[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        problem.demand[0] = 3.0


def test_changes_keep_the_rest() -> None:
    problem = two_by_three(capex=[1.0, 2.0, 3.0], budget=3.0).with_changes(budget=1.0, forbidden=[2])
    assert problem.budget == 1.0
    assert problem.capex.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"demand": [1.0, -1.0]}, "demand is negative"),
        ({"demand": [1.0, np.nan]}, "demand is negative or not finite at 1"),
        ({"demand": [1.0]}, r"demand has shape \(1,\); expected \(2,\)"),
        ({"capacity": [1.0, np.nan, 1.0]}, "capacity is negative or not a number at 1"),
        ({"capex": ["x", 1, 2]}, "capex is not numeric"),
        ({"fixed_cost": [np.inf, 0, 0]}, "fixed_cost is not finite at 0"),
        ({"unserved_cost": [np.nan, 0]}, "unserved_cost is not a cost at 0"),
        ({"budget": -1.0}, "budget is -1.0"),
        ({"budget": float("nan")}, "budget is nan"),
        ({"n_open": 4}, "n_open is 4"),
        ({"forced_open": [0], "forbidden": [0]}, "both name option 0"),
        ({"forced_open": [7]}, "names 7, which is no option"),
        ({"forced_open": [0, 1], "group": [3, 3, -1]}, "of one group"),
        ({"forced_open": [0], "capex": [5.0, 0, 0], "budget": 4.0}, "over the budget"),
        ({"forced_open": [0, 1], "n_open": 1}, "forced_open names 2 options"),
        ({"option_names": ["a"]}, "option_names has 1 names for 3"),
    ],
)
def test_a_fault_is_named(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        two_by_three(**changes)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        two_by_three(demand=[-1.0, 1.0], budget=-2.0, capex=[0.0, np.nan, 0.0])
    assert len(caught.value.problems) == 3


def test_lanes_must_name_clients_and_options_that_exist() -> None:
    with pytest.raises(InputError) as caught:
        FacilityProblem(
            lane_client=np.array([0, 5]),
            lane_options=np.array([[0, 0], [1, 9]]),
            lane_cost=np.array([1.0, np.nan]),
            n_clients=2,
            n_options=2,
        )
    assert [line.split(" at ")[0] for line in caught.value.problems] == [
        "lane_client out of range",
        "lane_options out of range",
        "lane_options names one option twice",
        "lane_cost is not finite",
    ]

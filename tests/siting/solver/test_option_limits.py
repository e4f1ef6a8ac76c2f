"""Limits on the options of a region: which leave no plan, and which halves they are parted into."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from siting.solver import FacilityProblem
from siting.solver.option_limits import Bound, Limits, OptionRows

PROBLEM = FacilityProblem.from_costs(
    [[1.0, 2.0, 3.0, 4.0]],
    demand=[6.0],
    capacity=[4.0] * 4,
    capex=[1.0, 1.0, 2.0, 5.0],
    budget=6.0,
    group=[0, 0, -1, -1],
)
"""Two options hold the demand; the first two are rivals; the budget takes the last with one of them."""


def rows() -> OptionRows:
    return OptionRows(PROBLEM, np.array([True]), np.full(4, 6.0))


def mask(*options: int) -> np.ndarray:
    return np.isin(np.arange(4), options)


def limits(**changes: Any) -> Limits:
    return replace(Limits(mask(), mask(0, 1, 2, 3), 2.0, np.inf, None, PROBLEM.group), **changes)


@pytest.mark.parametrize(
    ("changes", "possible"),
    [
        ({}, True),
        ({"low": mask(0), "high": mask(1, 2, 3)}, False),  # open and closed
        ({"most": 2.0}, True),
        ({"most": 1.0}, False),  # fewer than hold the demand
        ({"low": mask(0, 1)}, False),  # rivals
        ({"low": mask(0, 2)}, True),
        ({"low": mask(0, 2), "fewest": 1.0, "most": 1.0}, False),  # more than so many
        ({"high": mask(0, 2), "fewest": 3.0}, False),  # less than so many
        ({"high": mask(0, 2), "one_of": mask(0, 3)}, True),
        ({"high": mask(0, 2), "one_of": mask(1, 3)}, False),  # none of those one of which must open
        ({"low": mask(0, 3)}, True),  # the budget to the last bit
        ({"low": mask(2, 3)}, False),  # over the budget
        ({"high": mask(0)}, False),  # room for 4 of 6
    ],
)
def test_limits_that_leave_no_plan_are_seen(changes: dict[str, Any], possible: bool) -> None:
    assert rows().possible(limits(**changes)) is possible


def test_single_options_are_closed_by_orders_rivals_and_rows() -> None:
    assert rows().limits().high.tolist() == [True] * 4
    for changes, low, high in (
        ({"forced_open": [0]}, [0], [0, 2, 3]),
        ({"forbidden": [2]}, [], [0, 1, 3]),
        ({"forced_open": [2]}, [2], [0, 1, 2]),  # the last is over the budget beside it
        ({"budget": 4.0}, [], [0, 1, 2]),
    ):
        found = OptionRows(PROBLEM.with_changes(**changes), np.array([True]), np.full(4, 6.0)).limits()
        assert (found.low.tolist(), found.high.tolist()) == (mask(*low).tolist(), mask(*high).tolist()), changes
        assert (found.fewest, found.most) == (2.0, np.inf)


def test_options_that_cost_enough_are_settled_and_their_rivals_with_them() -> None:
    here = limits()
    here.settle(Bound(10.0, np.array([0.0, 1.0, 4.0, 3.9]), np.array([4.0, 0.0, 0.0, 3.9])), 14.0)
    assert (here.low.tolist(), here.high.tolist()) == (mask(0).tolist(), mask(0, 3).tolist())


def test_a_region_is_parted_by_how_many_of_some_options_open() -> None:
    everything = mask(0, 1, 2, 3)
    below, above = limits().parted(mask(0), 0, everything)
    assert (below.high.tolist(), above.low.tolist()) == (mask(1, 2, 3).tolist(), mask(0).tolist())
    assert above.high.tolist() == mask(0, 2, 3).tolist(), "its rival closes"
    below, above = limits().parted(mask(2, 3), 0, everything)
    assert below.high.tolist() == mask(0, 1).tolist() and above.one_of is not None
    assert above.one_of.tolist() == mask(2, 3).tolist() and not above.low.any()
    below, above = limits().parted(everything, 2, everything)
    assert (below.fewest, below.most, above.fewest, above.most) == (2.0, 2.0, 3.0, np.inf)
    below, above = limits().parted(mask(0, 1), 1, everything)
    assert (below.most, above.fewest) == (np.inf, 2.0), "others may open too: nothing is said of the number at most"
    assert limits(high=mask(0, 1), fewest=1.0).parted(mask(0, 1), 1, everything)[0].most == 1

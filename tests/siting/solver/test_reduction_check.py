"""A core stands for its problem only where nothing of use was left out; whatever stands is no dearer than the truth."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from exact import exact_optimum
from tiny_problems import random_problem, with_minimums, with_random_rules

from siting.solver import FacilityProblem, Rules
from siting.solver.reduce import reduce_problem
from siting.solver.reduction_check import _certain, _missed, is_relaxed
from siting.solver.restated import Restated


def stands(problem: FacilityProblem, reduced: FacilityProblem) -> bool:
    core = reduce_problem(reduced)
    return is_relaxed(Restated(problem, core, np.full(problem.n_clients, np.inf)), core)


def without_lanes(problem: FacilityProblem, kept: np.ndarray) -> FacilityProblem:
    return problem.with_changes(
        lane_client=problem.lane_client[kept],
        lane_options=problem.lane_options[kept],
        lane_cost=problem.lane_cost[kept],
    )


def test_a_core_of_less_stands_only_where_the_best_plan_costs_no_more() -> None:
    """One lane, or all lanes of one option, are left out; optima are those of enumeration in rational numbers."""
    lost, kept = 0, 0
    for seed in range(361_000, 361_080):
        problem = random_problem(seed)
        problem = with_minimums(problem, seed) if seed % 3 == 0 else problem
        problem = with_random_rules(problem, seed) if seed % 4 == 0 else problem
        truth = exact_optimum(problem)
        if truth is None:
            continue
        lanes = np.arange(problem.n_lanes)
        for less in (lanes != seed % len(lanes), (problem.lane_options != seed % problem.n_options).all(axis=1)):
            smaller = without_lanes(problem, less)
            if smaller.n_lanes == 0 or np.isinf(reduce_problem(smaller).base) or not stands(problem, smaller):
                lost += 1
                continue
            kept += 1
            found = exact_optimum(smaller)
            assert found is not None and found <= truth, f"seed {seed}"
    assert lost > 8 and kept > 8


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_units_a_reduction_stands(seed: int) -> None:
    for each in range(362_000 + 20 * seed, 362_020 + 20 * seed):
        problem = random_problem(each)
        problem = with_minimums(problem, each) if each % 3 == 0 else problem
        grams = problem.with_changes(
            demand=problem.demand / 64, capacity=problem.capacity / 64, min_throughput=problem.min_throughput / 64
        )
        if np.isfinite(reduce_problem(grams).base):
            assert stands(grams, grams), f"seed {each}"


Row = tuple[list[float], float, float]
MISSED: list[tuple[str, Row | None, dict[str, Any], bool]] = [
    ("a floor that it alone would keep", ([1.0, 0.0, 1.0], 1.0, np.inf), {}, True),
    ("a floor kept anyway", ([1.0, 0.0, 1.0], 1.0, np.inf), {"forced_open": [0]}, False),
    ("a floor others work against", ([-1.0, 0.0, 1.0], 0.0, np.inf), {}, True),
    ("a floor that it works against", ([1.0, 0.0, -1.0], -1.0, np.inf), {}, False),
    ("a ceiling that it makes room under", ([1.0, 0.0, -1.0], -np.inf, 0.0), {}, True),
    ("a ceiling with room enough", ([1.0, 0.0, -1.0], -np.inf, 1.0), {}, False),
    ("a ceiling for which all others must open", ([-1.0, 0.0, -1.0], -np.inf, -1.0), {}, True),
    ("a ceiling kept anyway", ([-1.0, 0.0, -1.0], -np.inf, -1.0), {"forced_open": [0]}, False),
    ("a ceiling it only fills", ([1.0, 0.0, 1.0], -np.inf, 0.5), {}, False),
    ("nothing", None, {}, False),
    ("a gain", None, {"fixed_cost": [1.0, 1.0, -0.5]}, True),
    ("an order", None, {"forced_open": [2]}, True),
    ("a gain that is forbidden", None, {"fixed_cost": [1.0, 1.0, -0.5], "forbidden": [2]}, False),
]


@pytest.mark.parametrize(("row", "changes", "missed"), [each[1:] for each in MISSED], ids=[each[0] for each in MISSED])
def test_an_option_left_out_is_missed_where_it_pays_or_might_keep_a_rule(
    row: Row | None, changes: dict[str, Any], missed: bool
) -> None:
    """Options 0 and 1 are in the core, 2 is not."""
    settings: dict[str, Any] = {"fixed_cost": [1.0, 1.0, 1.0], "unserved_cost": 9.0, **changes}
    if row is not None:
        settings["rules"] = Rules([row[0]], [row[1]], [row[2]])
    problem = FacilityProblem.from_costs([[1.0, 2.0, np.nan]], **settings)
    at = Restated(problem, reduce_problem(problem), np.full(1, np.inf))
    limits = at.rows.limits()
    limits.high[2] = 2 not in settings.get("forbidden", [])
    found = _missed(at, SimpleNamespace(option_of=np.array([0, 1])), limits)  # type: ignore[arg-type]
    assert found.tolist() == [False, False, missed]


@pytest.mark.parametrize(
    ("changes", "certain"),
    [
        ({}, 9.0),
        ({"forced_open": [0]}, 4.0),
        ({"forced_open": [0], "capacity": [0.75, 9.0]}, 4.0),  # what all clients bring that have a lane there
        ({"forced_open": [0], "capacity": [0.5, 9.0]}, 9.0),
        ({"forced_open": [0], "demand": [0.0, 0.0], "capacity": [0.0, 9.0]}, 9.0),
        ({"forced_open": [1]}, 6.0),
        ({"forced_open": [0, 1]}, 4.0),
    ],
)
def test_a_client_pays_no_more_than_by_what_is_open_in_any_case_with_room_for_all(
    changes: dict[str, Any], certain: float
) -> None:
    """4 by option 0, 6 by option 1, 9 without any; a second client may come to option 0."""
    problem = FacilityProblem.from_costs(
        [[4.0, 6.0], [5.0, np.nan]], **{"unserved_cost": 9.0, "demand": [0.25, 0.5], **changes}
    )
    at = Restated(problem, reduce_problem(problem), np.full(2, np.inf))
    lanes = np.arange(len(at.cost))
    assert _certain(at, at.rows.limits(), lanes)[0] == certain
    assert _certain(at, at.rows.limits(), lanes[:0])[0] == 9.0, "by lanes that the core has"

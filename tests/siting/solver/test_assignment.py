"""Whole clients within capacities: tabu search, the bound of split clients, and the model of the rest."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from siting.solver.assignment import Assignment
from siting.solver.assignment_kernels import assign
from siting.solver.problem import FacilityProblem
from siting.solver.reduce import reduce_problem
from siting.solver.service import cheapest_service, service_of
from siting.solver.solve import solve


def tight(options: int, clients: int, seed: int, room: float = 1.3) -> FacilityProblem:
    """Points in a square; all options together hold `room` times the demand."""
    rng = np.random.default_rng(seed)
    sites, places = rng.random((options, 2)), rng.random((clients, 2))
    demand = rng.integers(10, 50, clients).astype(float)
    capacity = rng.integers(100, 500, options).astype(float)
    capacity = np.maximum(np.floor(capacity * room * demand.sum() / capacity.sum()), 50.0)
    fixed = np.round(rng.integers(300, 700, options) + 2 * np.sqrt(capacity) * rng.integers(1, 10, options))
    cost = np.round(np.linalg.norm(places[:, None] - sites[None], axis=2) * 2 * demand[:, None])
    return FacilityProblem.from_costs(cost, demand=demand, fixed_cost=fixed, capacity=capacity, single_source=True)


def searched(cost, demand, room, fixed, first, iterations=300):
    return assign(
        np.array(cost, dtype=float), np.array(demand, dtype=float), np.array(room, dtype=float),
        np.array(fixed, dtype=float), np.array(first), 1.0, iterations, np.random.default_rng(1), 1.0, 1e-9,
    )  # fmt: skip


def cheapest_assignment(cost, demand, room, fixed) -> float:
    """Every assignment there is."""
    least = np.inf
    for at in product(range(cost.shape[1]), repeat=cost.shape[0]):
        load = np.bincount(at, weights=demand, minlength=cost.shape[1])
        if (load <= room + 1e-9).all():
            least = min(least, cost[np.arange(len(at)), list(at)].sum() + fixed[list(set(at))].sum())
    return float(least)


def test_two_clients_change_places_where_neither_can_move_alone() -> None:
    cost, at = searched([[9.0, 1.0, 50.0], [1.0, 9.0, 50.0]], [4, 4], [4, 4, np.inf], [0, 0, 0], [0, 1])
    assert (cost, at.tolist()) == (2.0, [1, 0])


def test_a_place_is_opened_where_that_pays_and_closed_where_its_last_client_leaves() -> None:
    cost, at = searched([[5.0, 1.0, 99.0]], [1], [1, 1, np.inf], [10, 3, 0], [0])
    assert (cost, at.tolist()) == (4.0, [1])


def test_an_overload_is_worked_off_and_clients_stay_unserved_where_nothing_else_is_left() -> None:
    cost, at = searched([[1.0, 20.0], [2.0, 20.0], [3.0, 5.0]], [1, 1, 1], [2, np.inf], [0, 0], [0, 0, 0])
    assert (cost, at.tolist()) == (8.0, [0, 0, 1])


@pytest.mark.parametrize("seed", range(11))
def test_the_search_comes_to_the_cheapest_of_all_assignments(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cost = np.column_stack([rng.integers(1, 30, (6, 3)), np.full(6, 60.0)])
    demand, fixed = rng.integers(1, 6, 6).astype(float), np.append(rng.integers(0, 20, 3), 0.0)
    room = np.append(rng.integers(4, 10, 3), np.inf).astype(float)
    first = np.where(demand <= room[0], 0, 3)
    found, at = searched(cost, demand, room, fixed, first)
    assert (np.bincount(at, weights=demand, minlength=4) <= room).all()
    assert found == pytest.approx(cost[np.arange(6), at].sum() + fixed[np.unique(at)].sum())
    assert found == pytest.approx(cheapest_assignment(cost, demand, room, fixed))


def test_where_nothing_but_an_overload_is_met_no_plan_is_told() -> None:
    problem = FacilityProblem.from_costs(
        np.array([[1.0], [1.0]]), demand=2.0, capacity=[3.0], fixed_cost=0.0, single_source=True
    )
    core = reduce_problem(problem, lambda: None)
    opened = np.ones(core.n_options, dtype=bool)
    assert Assignment(core).search(opened, np.ones(core.n_lanes), 0) is None


def test_rules_over_options_keep_the_search_among_those_that_are_open() -> None:
    problem = tight(8, 30, 3).with_changes(n_open=6)
    core = reduce_problem(problem, lambda: None)
    opened = np.zeros(core.n_options, dtype=bool)
    opened[np.argsort(-core.capacity)[:6]] = True
    split = cheapest_service(reduce_problem(problem.with_changes(single_source=False), lambda: None), opened)
    assert split is not None
    found = Assignment(core).search(opened, split.lane_share, 0)
    assert found is not None
    assert not (found[0] & ~opened).any()
    service = service_of(core, *found)
    assert service is not None
    assert service.cost >= split.cost


@pytest.mark.parametrize(("room", "gap"), [(1.3, 0.04), (2.0, 0.02)])
def test_tight_problems_have_a_plan_and_a_proof_before_the_model_of_whole_clients(room: float, gap: float) -> None:
    solution = solve(tight(20, 90, 5, room), gap=gap)
    assert solution.status == "optimal"
    assert "model" not in solution.stages
    assert set(np.unique(solution.lane_share)) == {0.0, 1.0}


def test_plans_of_whole_clients_cost_no_less_than_those_that_may_split_them() -> None:
    problem = tight(8, 30, 2, 1.5)
    whole, split = solve(problem, gap=0.0), solve(problem.with_changes(single_source=False), gap=0.0)
    assert whole.status == split.status == "optimal"
    assert whole.objective == round(whole.objective)
    assert whole.objective >= split.objective - 1e-6


def test_the_best_plan_is_where_the_next_search_begins() -> None:
    problem = tight(12, 60, 4, 1.5)
    first = solve(problem, gap=0.03)
    again = solve(problem, gap=0.03, start=first)
    assert again.objective <= first.objective

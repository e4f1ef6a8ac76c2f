"""What every answer of solve() must satisfy."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from exact import exact_optimum
from tiny_problems import random_problem

from siting.solver import Coverage, Rules
from siting.solver.check import check_solution
from siting.solver.errors import WrongAnswerError
from siting.solver.problem import FacilityProblem
from siting.solver.solve import solve


def budgeted(seed: int, clients: int = 30, options: int = 15) -> FacilityProblem:
    """Sites on a plane, a status quo for everybody, capex and a budget."""
    rng = np.random.default_rng(seed)
    people, sites = rng.random((clients, 2)), rng.random((options, 2))
    distance = np.linalg.norm(people[:, None] - sites[None], axis=2)
    demand = rng.integers(1, 20, clients).astype(float)
    return FacilityProblem.from_costs(
        distance * demand[:, None],
        demand=demand,
        unserved_cost=0.6 * demand,
        fixed_cost=rng.random(options),
        capex=rng.integers(1, 9, options),
        budget=12.0,
    )


def test_savings_never_fall_when_the_budget_grows_and_a_zero_budget_opens_nothing() -> None:
    problem = budgeted(1)
    costs = [solve(problem.with_changes(budget=float(b)), gap=0.0).objective for b in range(0, 40, 4)]
    assert costs[0] == pytest.approx(problem.unserved_cost.sum())
    assert len(solve(problem.with_changes(budget=0.0)).open) == 0
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(costs))
    assert costs[-1] < costs[0]


@pytest.mark.parametrize("seed", range(5))
def test_the_plan_does_not_depend_on_the_order_of_clients_and_options(seed: int) -> None:
    problem = budgeted(seed)
    rng = np.random.default_rng(100 + seed)
    client, option = rng.permutation(problem.n_clients), rng.permutation(problem.n_options)
    cost = problem.lane_cost.reshape(problem.n_clients, problem.n_options)
    shuffled = FacilityProblem.from_costs(
        cost[client][:, option],
        demand=problem.demand[client],
        unserved_cost=problem.unserved_cost[client],
        fixed_cost=problem.fixed_cost[option],
        capex=problem.capex[option],
        budget=problem.budget,
    )
    first, second = solve(problem), solve(shuffled)
    assert sorted(option[second.open]) == first.open.tolist()
    assert second.objective == pytest.approx(first.objective, rel=1e-12)


@pytest.mark.parametrize("factor", [1e-6, 1e9])
def test_the_plan_does_not_depend_on_the_unit_of_cost(factor: float) -> None:
    problem = budgeted(3)
    scaled = problem.with_changes(
        lane_cost=problem.lane_cost * factor,
        fixed_cost=problem.fixed_cost * factor,
        unserved_cost=problem.unserved_cost * factor,
    )
    plan, same = solve(problem, gap=0.0), solve(scaled, gap=0.0)
    assert same.open.tolist() == plan.open.tolist()
    assert same.objective == pytest.approx(plan.objective * factor, rel=1e-9)


def test_the_same_problem_gives_the_same_plan_ties_included() -> None:
    problem = FacilityProblem.from_costs(np.ones((6, 5)), n_open=2)
    assert solve(problem).open.tolist() == solve(problem).open.tolist()


def test_clients_use_lanes_that_need_no_option_when_these_are_cheapest() -> None:
    problem = FacilityProblem(
        lane_client=np.array([0, 0]),
        lane_options=np.array([[-1, -1], [0, -1]]),
        lane_cost=np.array([3.0, 5.0]),
        n_clients=1,
        n_options=1,
        unserved_cost=np.array([4.0]),
    )
    plan = solve(problem)
    assert (plan.objective, plan.open.tolist(), plan.lane.tolist()) == (3.0, [], [0])


def test_a_lane_with_two_options_needs_both() -> None:
    problem = FacilityProblem(
        lane_client=np.array([0, 0, 1]),
        lane_options=np.array([[0, -1], [0, 1], [0, 1]]),
        lane_cost=np.array([6.0, 2.0, 1.0]),
        n_clients=2,
        n_options=2,
        unserved_cost=np.array([10.0, 10.0]),
        fixed_cost=np.array([1.0, 1.0]),
    )
    plan = solve(problem, gap=0.0)
    assert plan.objective == 5.0
    assert plan.flow.toarray().tolist() == [[1.0, 1.0], [1.0, 1.0]]
    alone = solve(problem.with_changes(forbidden=[1]), gap=0.0)
    assert (alone.objective, alone.assignment.tolist()) == (17.0, [0, -1])


def test_clients_are_split_between_options_unless_single_source() -> None:
    problem = FacilityProblem.from_costs(
        [[1.0, 3.0], [1.0, 3.0]], demand=[2.0, 2.0], capacity=[3.0, 3.0], unserved_cost=100.0
    )
    assert solve(problem, gap=0.0).objective == pytest.approx(1 + 0.5 + 1.5)
    whole = solve(problem.with_changes(single_source=True), gap=0.0)
    assert whole.objective == pytest.approx(4.0)
    assert sorted(whole.assignment.tolist()) == [0, 1]


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (FacilityProblem.from_costs([[np.nan]], client_names=["Leh"]), "Leh must be served and has no lane"),
        (FacilityProblem.from_costs([[1.0]], demand=[5.0], capacity=[4.0]), "demand 5 .* exceeds .* 4"),
        (
            FacilityProblem.from_costs([[1.0]], min_throughput=2.0, forced_open=[0]),
            "needs 2 .* clients .* have 1",
        ),
        (
            FacilityProblem.from_costs([[1.0]], min_throughput=1.0, capacity=0.5, forced_open=[0]),
            "needs 1 .* holds 0.5",
        ),
        (
            FacilityProblem.from_costs([[1.0, 1.0]], min_throughput=0.7, forced_open=[0, 1]),
            "must open need 1.4 .* in all; their clients have 1",
        ),
        (
            FacilityProblem.from_costs([[1.0, 1.0]]).with_changes(
                lane_rules=Rules([[2.0, 3.0]], upper=1, names=["CO2"])
            ),
            "CO2: at most 1: lanes come to 2 to 3",
        ),
        (
            FacilityProblem.from_costs([[1.0]]).with_changes(coverage=(Coverage([[1], [0]], [3.0, 4.0], 5.0, "near"),)),
            "near: asks for 5; all options that are not forbidden reach 3",
        ),
        (FacilityProblem.from_costs([[1.0]], capex=[2.0], budget=1.0), "no lane within the limits"),
        (FacilityProblem.from_costs([[1.0]], n_open=1, forbidden=[0], unserved_cost=[1.0]), "number open: exactly 1"),
    ],
)
def test_infeasible_problems_say_why(problem: FacilityProblem, reason: str) -> None:
    solution = solve(problem)
    assert solution.status == "infeasible"
    assert re.search(reason, solution.message)


@pytest.mark.parametrize("clients", [0, 1])
@pytest.mark.parametrize("options", [0, 1])
def test_empty_and_single_problems_have_answers(clients: int, options: int) -> None:
    problem = FacilityProblem.from_costs(np.zeros((clients, options)), unserved_cost=np.full(clients, 2.0))
    assert solve(problem).objective == (2.0 if clients and not options else 0.0)


def test_the_check_refuses_answers_that_break_the_problem() -> None:
    problem = budgeted(2)
    good = solve(problem)
    check_solution(problem, good)
    for bad in (
        replace(good, open=good.open[1:]),
        replace(good, objective=good.objective * 0.9, bound=0.0),
        replace(good, bound=good.objective * 1.1),
        replace(good, unserved_share=good.unserved_share * 0.5 + 0.3),
        replace(good, open=np.arange(problem.n_options)),
        replace(good, lane_share=-good.lane_share),
    ):
        with pytest.raises(WrongAnswerError):
            check_solution(problem, bad)


def test_arguments_out_of_range_are_refused() -> None:
    problem = budgeted(2)
    for wrong in ({"gap": -1.0}, {"time_limit": 0.0}, {"threads": 0}, {"gap": float("nan")}):
        with pytest.raises(ValueError, match="give gap >= 0"):
            solve(problem, **wrong)  # type: ignore[arg-type]


def test_a_tier_without_lanes_is_no_twin_of_one_whose_lane_costs_nothing() -> None:
    problem = FacilityProblem.from_costs(
        [[0.0, 0.0]], demand=[3.0], capacity=[np.inf, 0.0], group=[1, 1], n_open=1, unserved_cost=[10.0]
    )
    assert solve(problem, gap=0.0).open.tolist() == [0]


@pytest.mark.parametrize("seed", range(0, 120, 6))
def test_links_added_as_needed_prove_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("siting.solver.prover.MANY_LANES", 0)
    problem = random_problem(seed)
    truth, found = exact_optimum(problem), solve(problem, gap=0.0)
    expected = np.inf if truth is None else float(truth)
    assert found.objective == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert found.bound == pytest.approx(expected, rel=1e-6, abs=1e-6)

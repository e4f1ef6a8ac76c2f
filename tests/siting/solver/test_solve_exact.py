"""solve() against the exact optimum: every set of options in rational arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from exact import exact_optimum
from tiny_problems import (
    brimful,
    random_problem,
    tiny_study,
    wide_problem,
    with_coverage,
    with_lane_rules,
    with_minimums,
    with_random_rules,
)

from siting.solver.certificate import cheapest_lanes
from siting.solver.problem import FacilityProblem
from siting.solver.rules import Rules
from siting.solver.solve import solve

TOLERANCE = 1e-6
"""Relative; what sums of floats and the feasibility of a linear program leave."""
DIGITS = 1e-12
"""What a sum of floats leaves of its largest term."""


def assert_true(problem: FacilityProblem, name: str) -> bool:
    """No plan is dearer than called, no bound above the truth, no infeasibility invented; whether it is proven."""
    found, truth = solve(problem, gap=0.0), exact_optimum(problem)
    if truth is None:
        assert found.status in ("infeasible", "unknown"), name
        return found.status == "infeasible"
    assert found.status in ("optimal", "feasible"), name
    exact = float(truth)
    may = np.isfinite(problem.unserved_cost)
    terms = float(np.abs(problem.lane_cost) @ found.lane_share + np.abs(problem.fixed_cost[found.open]).sum())
    terms += float(np.abs(problem.unserved_cost[may]) @ found.unserved_share[may])
    slack = TOLERANCE * abs(exact) + DIGITS * terms
    assert found.objective >= exact - slack, f"{name}: a plan below the truth"
    assert found.bound <= exact + slack, f"{name}: a bound above the truth"
    if found.status == "optimal":
        assert found.objective <= exact + slack, f"{name}: called optimal"
    return found.status == "optimal"


def test_a_forced_option_without_capacity_serves_nobody() -> None:
    problem = FacilityProblem(
        lane_client=np.array([0, 0]),
        lane_options=np.array([[0, 1], [1, -1]]),
        lane_cost=np.array([0.0, 77.0]),
        n_clients=2,
        n_options=2,
        unserved_cost=np.array([113.0, 0.0]),
        capacity=np.array([0.0, 1.0]),
        forced_open=np.array([0, 1]),
    )
    plan = solve(problem, gap=0.0)
    assert (plan.objective, plan.bound, plan.lane.tolist()) == (77.0, 77.0, [1, -1])
    assert exact_optimum(problem) == 77


def test_a_plan_that_costs_nothing_is_proven_by_the_signs_of_costs() -> None:
    """HiGHS proves it but for its tolerance, and a part of zero is zero."""
    problem = FacilityProblem(
        lane_client=np.array([0, 1, 0, 1]),
        lane_options=np.array([[0, 1], [0, 1], [2, -1], [2, -1]]),
        lane_cost=np.array([0.0, 0.0, 7.0, 5.0]),
        n_clients=2,
        n_options=3,
        demand=np.ones(2),
        capacity=np.array([2.0, 2.0, 1.0]),
        single_source=True,
    )
    plan = solve(problem, gap=0.0)
    assert (plan.status, plan.objective, plan.bound, plan.gap) == ("optimal", 0.0, 0.0, 0.0)
    assert cheapest_lanes(problem) == 0.0
    dearer = problem.with_changes(lane_cost=problem.lane_cost + 0.1, fixed_cost=np.array([-0.3, 0.1, 0.0]))
    assert 0.2 - 0.3 - 1e-14 < cheapest_lanes(dearer) < 0.2 - 0.3, "with a margin for rounding"


def test_what_fills_an_option_but_for_rounding_fits_or_does_not_in_all_steps_alike() -> None:
    for seed in range(80):
        found = solve(brimful(seed), gap=0.0)
        assert found.status == "infeasible" or found.gap < 1e-6, f"seed {seed}"


def test_a_plan_between_a_minimum_and_a_capacity_as_large_is_found() -> None:
    """Two whole clients of 3 fill an option of 6 that opens from 6 on: HiGHS lost them in its own tolerance."""
    assert_true(tiny_study(1364), "seed 1364")


@pytest.mark.parametrize("seed", [9_001_254, 9_001_365])
def test_a_plan_within_rounding_of_a_limit_is_not_lost(seed: int) -> None:
    """A budget and a capacity 1e-11 and 1e-10 below what the best plan needs: rounding, and near HiGHS's tolerance."""
    assert assert_true(brimful(seed), f"seed {seed}")


def test_forced_options_stay_where_prices_of_rules_settle_all_options() -> None:
    for made, seed in ((with_coverage, 11_000_625), (with_lane_rules, 11_000_981), (with_lane_rules, 11_001_189)):
        assert_true(made(random_problem(seed), seed), f"seed {seed}")


@pytest.mark.parametrize("seed", [1698, 1968])
def test_what_the_search_leaves_open_by_a_rounding_is_decided_by_the_whole_model(seed: int) -> None:
    """A budget broken by 1e-7 in a linear program, and costs that are whole only where lanes were dropped."""
    assert assert_true(brimful(seed), f"seed {seed}")


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_what_fills_an_option_but_for_rounding_is_decided_in_a_thousand_problems(block: int) -> None:
    for seed in range(1000 + 100 * block, 1100 + 100 * block):
        found = solve(brimful(seed), gap=0.0)
        assert found.status == "infeasible" or found.gap < 1e-6, f"seed {seed}"


@pytest.mark.parametrize("block", range(5))
def test_every_kind_of_problem_comes_out_as_rational_arithmetic_says(block: int) -> None:
    seeds = range(100_000 + 30 * block, 100_030 + 30 * block)
    assert sum(assert_true(random_problem(seed), f"seed {seed}") for seed in seeds) >= 0.96 * len(seeds)


@pytest.mark.parametrize("links", [False, True])
@pytest.mark.parametrize("block", range(3))
def test_rules_of_any_sign_and_side_hold(block: int, links: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if links:
        monkeypatch.setattr("siting.solver.prover.MANY_LANES", 0)
    for seed in range(300_000 + 30 * block, 300_030 + 30 * block):
        assert_true(with_random_rules(random_problem(seed), seed), f"seed {seed}")


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_rules_hold_in_two_thousand_problems(block: int) -> None:
    for seed in range(400_000 + 100 * block, 400_100 + 100 * block):
        assert_true(with_random_rules(random_problem(seed), seed), f"seed {seed}")


def minimums_are_met(seed: int) -> bool:
    problem = with_minimums(random_problem(seed), seed)
    return assert_true(with_random_rules(problem, seed) if seed % 4 == 0 else problem, f"seed {seed}")


@pytest.mark.parametrize("links", [False, True])
@pytest.mark.parametrize("block", range(3))
def test_an_open_option_comes_to_its_minimum(block: int, links: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if links:
        monkeypatch.setattr("siting.solver.prover.MANY_LANES", 0)
    seeds = range(500_000 + 30 * block, 500_030 + 30 * block)
    assert sum(minimums_are_met(seed) for seed in seeds) >= 0.96 * len(seeds)


@pytest.mark.parametrize("links", [False, True])
def test_shippers_with_tastes_fill_sites_that_charge_by_the_year_and_the_tonne(
    links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if links:
        monkeypatch.setattr("siting.solver.prover.MANY_LANES", 0)
    assert all(assert_true(tiny_study(seed), f"seed {seed}") for seed in range(700_000, 700_030))


def with_idle_clients(problem: FacilityProblem, seed: int) -> FacilityProblem:
    """Some clients cost nothing by any lane or by none: they fill options and are no reason to open them."""
    idle = np.random.default_rng([seed, 5]).random(problem.n_clients) < 0.5
    unserved = np.where(idle, 0.0, problem.unserved_cost)
    return problem.with_changes(
        lane_cost=np.where(idle[problem.lane_client], 0.0, problem.lane_cost), unserved_cost=unserved
    )


@pytest.mark.parametrize("block", range(2))
def test_clients_that_cost_nothing_fill_options_to_their_minimum(block: int) -> None:
    """As cargo of leaders that does not count; in some of the problems a plan is cheaper for it."""
    proven, cheaper = 0, 0
    seeds = range(870_000 + 40 * block, 870_040 + 40 * block)
    for seed in seeds:
        problem = with_idle_clients(with_minimums(random_problem(seed), seed), seed)
        proven += assert_true(problem, f"seed {seed}")
        idle = problem.with_changes(demand=np.where(problem.unserved_cost == 0.0, 0.0, problem.demand))
        with_it, without = exact_optimum(problem), exact_optimum(idle)
        cheaper += with_it is not None and (without is None or with_it < without)
    assert proven >= 0.96 * len(seeds) and cheaper > 0


def beyond_option_rows(seed: int) -> FacilityProblem:
    """A problem with rules over lanes, with coverage or with both, and now and then with all else."""
    problem = random_problem(seed)
    problem = with_minimums(problem, seed) if seed % 3 == 0 else problem
    problem = with_random_rules(problem, seed) if seed % 5 == 0 else problem
    problem = with_lane_rules(problem, seed) if problem.n_lanes and seed % 4 != 0 else problem
    return with_coverage(problem, seed) if seed % 4 in (0, 1) else problem


@pytest.mark.parametrize("block", range(4))
def test_rules_over_lanes_and_coverage_hold(block: int) -> None:
    for seed in range(800_000 + 15 * block, 800_015 + 15 * block):
        assert_true(beyond_option_rows(seed), f"seed {seed}")


def test_what_prices_settle_leaves_a_model_that_closes_the_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """With too many lanes for the whole model, prices first close options that no better plan opens (18), (19)."""
    monkeypatch.setattr("siting.solver.lane_rules.MANY_LANES", 8)
    proven = [assert_true(beyond_option_rows(seed), f"seed {seed}") for seed in range(820_000, 820_020)]
    assert sum(proven) >= 10


def test_a_rule_that_no_plan_keeps_is_looked_at_alone_and_told_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clients save 3 each by an option of their own, and the budget opens one: 6 in all is out of reach (18)."""
    monkeypatch.setattr("siting.solver.lane_rules.MANY_LANES", 0)
    apart = [[1.0, np.nan], [np.nan, 1.0]]
    problem = FacilityProblem.from_costs(apart, capex=[1, 1], budget=1, unserved_cost=[4, 4], option_names=["a", "b"])
    problem = problem.with_changes(lane_rules=Rules([[3.0, 3.0]], lower=6.0, names=["saving"]))
    answer = solve(problem)
    assert answer.status == "infeasible"
    assert answer.message == "saving: at least 6: no plan within the other limits comes beyond 3"


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_rules_over_lanes_and_coverage_hold_in_a_thousand_problems(block: int) -> None:
    seeds = range(810_000 + 50 * block, 810_050 + 50 * block)
    assert sum(assert_true(beyond_option_rows(seed), f"seed {seed}") for seed in seeds) >= 0.95 * len(seeds)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_minimums_are_met_in_two_thousand_problems(block: int) -> None:
    seeds = range(600_000 + 50 * block, 600_050 + 50 * block)
    assert sum(minimums_are_met(seed) for seed in seeds) >= 0.96 * len(seeds)
    assert all(assert_true(tiny_study(seed), f"study seed {seed}") for seed in seeds)


@pytest.mark.parametrize("block", range(4))
def test_costs_of_24_orders_of_magnitude_are_right_or_called_unproven(block: int) -> None:
    for seed in range(110_000 + 25 * block, 110_025 + 25 * block):
        assert_true(wide_problem(seed), f"seed {seed}")


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_two_thousand_problems_come_out_as_rational_arithmetic_says(block: int) -> None:
    seeds = range(200_000 + 100 * block, 200_100 + 100 * block)
    assert sum(assert_true(random_problem(seed), f"seed {seed}") for seed in seeds) >= 0.98 * len(seeds)
    for seed in seeds[::2]:
        assert_true(wide_problem(seed), f"wide seed {seed}")

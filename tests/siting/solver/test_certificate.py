"""What an answer rests on is recomputed: bounds hold whatever the multipliers, and nothing wrong is believed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from exact import exact_optimum
from tiny_problems import clustered, random_problem

from siting.solver.certificate import certify, cheapest_lanes
from siting.solver.core import Core
from siting.solver.option_limits import Bound, Limits
from siting.solver.problem import FacilityProblem
from siting.solver.proof import Prices, Region, Solved
from siting.solver.prover import prove
from siting.solver.reduce import reduce_problem
from siting.solver.reduction_check import is_relaxed
from siting.solver.restated import Restated
from siting.solver.rules import Rules
from siting.solver.search import Search
from siting.solver.solve import solve
from siting.solver.stopwatch import Stopwatch

SMALLEST = 1e-9


def restated(problem: FacilityProblem) -> tuple[Core, Restated]:
    core = reduce_problem(problem)
    return core, Restated(problem, core, np.full(problem.n_clients, np.inf))


def any_prices(core: Core, rng: np.random.Generator) -> Prices:
    """Multipliers without any sense, some of them beyond what a client may cost."""
    top = float(core.cost.max(initial=1.0))
    lanes = np.flatnonzero(core.places[:, 1] >= 0)
    return Prices(
        rng.random(core.n_clients) * top * rng.choice([0.3, 1.0, 2.0]),
        rng.normal(0, top / 10, len(core.rules)),
        rng.normal(0, top / 10, 2),
        0.0,
        lanes,
        rng.normal(0, top, len(lanes)),
    )


@pytest.mark.parametrize("block", range(4))
def test_no_multipliers_bound_the_plans_too_high(block: int) -> None:
    for seed in range(300_000 + 40 * block, 300_040 + 40 * block):
        problem = random_problem(seed)
        truth = exact_optimum(problem)
        if truth is None:
            continue
        core, bounds = restated(problem)
        rng = np.random.default_rng(seed)
        for _ in range(5):
            found = bounds.bound(any_prices(core, rng), bounds.rows.limits())
            assert found.value <= float(truth) + SMALLEST * abs(float(truth)), f"seed {seed}"


@pytest.mark.parametrize("block", range(4))
def test_no_option_costs_less_to_open_or_to_leave_closed_than_said(block: int) -> None:
    for seed in range(301_000 + 10 * block, 301_010 + 10 * block):
        problem = random_problem(seed)
        if exact_optimum(problem) is None:
            continue
        core, bounds = restated(problem)
        found = bounds.bound(any_prices(core, np.random.default_rng(seed)), bounds.rows.limits())
        for j in np.setdiff1d(np.arange(problem.n_options), np.concatenate([problem.forced_open, problem.forbidden])):
            without = exact_optimum(problem.with_changes(forbidden=[*problem.forbidden, j]))
            if without is not None:
                assert found.value + found.leave[j] <= float(without) + SMALLEST * abs(float(without)), f"seed {seed}"
            try:
                with_it = exact_optimum(problem.with_changes(forced_open=[*problem.forced_open, j]))
            except ValueError:  # opening it breaks a limit
                continue
            if with_it is not None:
                assert found.value + found.enter[j] <= float(with_it) + SMALLEST * abs(float(with_it)), f"seed {seed}"


def searched(problem: FacilityProblem) -> tuple[Core, Search]:
    core = reduce_problem(problem)
    search = Search(core, 0.0, 1, Stopwatch(None, None))
    prove(search)
    return core, search


@pytest.mark.parametrize("seed", range(6))
def test_a_claim_above_the_truth_is_not_confirmed(seed: int) -> None:
    problem = clustered(seed, clients=20, sites=8)
    core, search = searched(problem)
    for factor in (1.0, 1.001, 1.5):
        found = certify(problem, core, search.proof, search.incumbent.cost * factor + core.base)
        assert found.bound <= (search.incumbent.cost + core.base) * (1 + SMALLEST)


def test_a_search_that_left_out_an_option_proves_no_more_than_the_truth() -> None:
    higher = 0
    for seed in range(303_000, 303_040):
        problem = random_problem(seed)
        truth = exact_optimum(problem)
        for j in np.setdiff1d(np.arange(problem.n_options), np.append(problem.forced_open, problem.forbidden)):
            less = problem.with_changes(forbidden=[*problem.forbidden, j])
            if truth is None or exact_optimum(less) is None:
                continue
            core, search = searched(less)
            cost = search.incumbent.cost + core.base
            higher += cost > float(truth) + SMALLEST
            assert certify(problem, core, search.proof, cost).bound <= float(truth) + SMALLEST * abs(float(truth)), seed
    assert higher > 10


def test_options_that_cannot_pay_bear_the_lanes_they_share_with_others() -> None:
    """Two clients: 9 + 9 by way of option 2, which costs 20, and of 0 or 1; half of that would open 0 and 1."""
    problem = FacilityProblem(
        lane_client=np.array([0, 0, 1, 1]),
        lane_options=np.array([[0, 2], [0, -1], [2, 1], [1, -1]]),
        lane_cost=np.array([1.0, 5.0, 1.0, 5.0]),
        n_clients=2,
        n_options=3,
        unserved_cost=np.array([10.0, 10.0]),
        fixed_cost=np.array([5.5, 5.5, 20.0]),
    )
    core, bounds = restated(problem)
    assert (core.n_clients, bounds.idle.tolist()) == (0, [True, True, True])
    answer = solve(problem, gap=0.0)
    assert (answer.objective, answer.bound) == (20.0, pytest.approx(20.0))
    cheap = problem.with_changes(fixed_cost=np.array([4.5, 5.5, 20.0]))
    core, bounds = restated(cheap)
    assert (core.option_of.tolist(), bounds.idle.tolist()) == ([0], [False, True, True])
    prices = Prices(np.array([9.5]), np.zeros(0))
    assert bounds.bound(prices, bounds.rows.limits()).value == pytest.approx(19.5)


def scattered(seed: int, clients: int = 40, n_open: int = 6) -> FacilityProblem:
    """A p-median problem with costs without any geography: multipliers alone never prove its optimum."""
    cost = np.random.default_rng(seed).integers(1, 100, (clients, clients)).astype(float)
    return FacilityProblem.from_costs(cost, n_open=n_open)


@pytest.mark.parametrize("seed", range(4))
def test_no_more_is_shown_than_was_claimed(seed: int) -> None:
    """Options that cost as much as the claim are settled on the way, and with them perhaps the best plan.

    Where costs are whole, options that cost more than a unit less than the claim are, and so no higher whole is shown.
    """
    cost = np.random.default_rng(seed).integers(1, 100, (16, 14)).astype(float)
    problem = FacilityProblem.from_costs(cost, fixed_cost=np.arange(30.0, 58.0, 2.0), forced_open=[13])
    for scale in (1.0, 0.1):
        scaled = problem.with_changes(lane_cost=problem.lane_cost * scale, fixed_cost=problem.fixed_cost * scale)
        core, search = searched(scaled)
        best = search.incumbent.cost + core.base
        for part in (0.97, 0.98, 0.99, 1.0):
            found = certify(scaled, core, search.proof, part * best)
            assert found.bound <= best * (1 + SMALLEST)
            assert found.bound <= (np.ceil(part * best - 1.0 + 5e-4) if scale == 1.0 else part * best * (1 + SMALLEST))


def test_every_kind_of_proof_is_told_apart() -> None:
    small = FacilityProblem.from_costs([[1.0, 4.0], [4.0, 1.0]], fixed_cost=[1.0, 1.0])
    assert solve(small).certificate.kind == "dual"
    assert solve(scattered(1), gap=0.0).certificate.kind == "tree"
    assert solve(clustered(1), gap=0.0).certificate.kind == "solver"
    nowhere = solve(FacilityProblem.from_costs([[np.nan]]))
    assert (nowhere.status, nowhere.certificate.kind) == ("infeasible", "arithmetic")
    assert "HiGHS" in solve(clustered(1), gap=0.0).certificate.phrase


def test_the_cheapest_lanes_bound_with_what_rounding_may_have_added_taken_off() -> None:
    """Against the sums in rational numbers, of costs that all but cancel; no more than is needed is taken off."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        cost = rng.normal(0, 1, (30, 3)) * 10.0 ** rng.integers(-3, 9, (30, 1))
        problem = FacilityProblem.from_costs(cost, fixed_cost=[5.0, -3.0, -1e7 / 3], unserved_cost=np.full(30, 1e6 / 3))
        least = [min(Fraction(1e6 / 3), *map(Fraction, row)) for row in cost.tolist()]
        exact = sum(least) + Fraction(-3.0) + Fraction(-1e7 / 3)
        size = sum(map(abs, least)) + 3 + Fraction(1e7 / 3)
        found = Fraction(cheapest_lanes(problem))
        assert exact - size / 10**13 < found < exact, f"seed {seed}"
    assert cheapest_lanes(FacilityProblem.from_costs([[np.nan]])) == np.inf, "somebody must be served and has no lane"


def test_the_regions_bounded_are_counted() -> None:
    small = FacilityProblem.from_costs([[1.0, 4.0], [4.0, 1.0]], fixed_cost=[1.0, 1.0])
    assert solve(small).certificate.regions == 1
    problem = scattered(2)
    core, search = searched(problem)
    found = certify(problem, core, search.proof, search.incumbent.cost + core.base)
    assert 2 < found.regions <= len(regions(search.proof))


def test_a_tree_with_a_branch_missing_proves_nothing_there() -> None:
    problem = scattered(2)
    core, search = searched(problem)
    cost = search.incumbent.cost + core.base
    assert certify(problem, core, search.proof, cost).bound == cost
    leaves = [region for region in regions(search.proof) if region.parts is None]
    for leaf in leaves:
        kept, leaf.prices = leaf.prices, []
        assert certify(problem, core, search.proof, cost).bound <= cost
        leaf.prices = kept
    for leaf in leaves:
        leaf.prices = []
    assert certify(problem, core, search.proof, cost).bound < cost


def regions(proof: Region) -> list[Region]:
    found, stack = [], [proof]
    while stack:
        found.append(stack.pop())
        stack += found[-1].parts or ()
    return found


def test_a_model_without_an_option_a_plan_may_use_is_not_believed() -> None:
    problem = clustered(1, clients=20, sites=8)
    core, search = searched(problem)
    solved = search.proof.solved
    assert solved is not None
    cost = search.incumbent.cost + core.base
    assert certify(problem, core, search.proof, cost).kind == "solver"
    for bad in (
        Solved(solved.bound, np.zeros(core.n_options, dtype=bool), solved.opened, solved.largest),
        Solved(solved.bound, solved.options, np.ones(core.n_options, dtype=bool), solved.largest),
    ):
        search.proof.solved = bad
        assert certify(problem, core, search.proof, cost).kind == "dual"


FAULTS: dict[str, Any] = {
    "a lane is missing": lambda core: without_lane(core),
    "a lane is dearer": lambda core: replace(core, cost=core.cost + 1.0),
    "an option is dearer": lambda core: replace(core, fixed_cost=core.fixed_cost + 1.0),
    "an option holds less": lambda core: replace(core, capacity=core.capacity / 2),
    "a client needs more": lambda core: replace(core, demand=core.demand * 2),
    "staying unserved is dearer": lambda core: replace(core, unserved=core.unserved + 1.0),
    "an option is forced": lambda core: replace(core, forced=np.ones(core.n_options, dtype=bool)),
    "a budget is less": lambda core: replace(core, rules=half(core.rules)),
    "options exclude one another": lambda core: replace(core, group=np.zeros(core.n_options, dtype=np.int64)),
    "clients left out cost more": lambda core: replace(core, base=core.base + 1.0),
    "clients must be whole": lambda core: replace(core, single_source=True),
}


def limited() -> FacilityProblem:
    """A problem with floors and ceilings, minimums and a forced option."""
    rules = Rules([np.ones(16), np.arange(16.0)], [1.0, -np.inf], [12.0, 90.0])
    problem = clustered(1, clients=20, sites=8)
    least = np.where(np.arange(16) % 3 == 0, 9.0, 0.0)
    return problem.with_changes(rules=rules, min_throughput=least, forced_open=[3])


LIMITED_FAULTS: dict[str, Any] = {
    **FAULTS,
    "an option asks for more": lambda core: replace(core, minimum=core.minimum + (core.minimum > 0)),
    "a floor is more": lambda core: replace(core, rules=moved(core.rules, 1.0, 0.0)),
    "a ceiling is less": lambda core: replace(core, rules=moved(core.rules, 0.0, -1.0)),
    "a coefficient is another": lambda core: replace(
        core, rules=Rules(core.rules.coefficients * 1.01, core.rules.lower, core.rules.upper)
    ),
    "one option is forced": lambda core: replace(core, forced=core.forced | (np.arange(core.n_options) == 5)),
}
EASED: dict[str, Any] = {
    "nothing": lambda core: core,
    "lanes are cheaper": lambda core: replace(core, cost=core.cost - 1.0),
    "options are cheaper": lambda core: replace(core, fixed_cost=core.fixed_cost - 1.0),
    "options hold more": lambda core: replace(core, capacity=core.capacity * 2),
    "staying is cheaper": lambda core: replace(core, unserved=core.unserved - 1.0),
    "none is forced": lambda core: replace(core, forced=np.zeros(core.n_options, dtype=bool)),
    "limits are wider": lambda core: replace(core, rules=moved(core.rules, -1.0, 1.0)),
    "groups are apart": lambda core: replace(core, group=np.full(core.n_options, -1)),
    "clients left out cost less": lambda core: replace(core, base=core.base - 1.0),
    "options ask for less": lambda core: replace(core, minimum=core.minimum / 2),
}


def moved(rules: Rules, lower: float, upper: float) -> Rules:
    return Rules(rules.coefficients, rules.lower + lower, rules.upper + upper)


def half(rules: Rules) -> Rules:
    """The same rows with half their upper limits."""
    return Rules(rules.coefficients, rules.lower, rules.upper / 2)


def without_lane(core: Core) -> Core:
    """The core without the first lane of its first client."""
    kept = np.arange(core.n_lanes) > 0
    return replace(
        core,
        client=core.client[kept],
        places=core.places[kept],
        cost=core.cost[kept],
        first_lane=np.maximum(core.first_lane - 1, 0),
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_a_reduction_that_leaves_out_plans_is_seen(fault: str) -> None:
    core, bounds = restated(clustered(1, clients=20, sites=8))
    assert is_relaxed(bounds, core)
    assert not is_relaxed(bounds, FAULTS[fault](core))


@pytest.mark.parametrize("fault", LIMITED_FAULTS)
def test_a_reduction_under_more_limits_that_leaves_out_plans_is_seen(fault: str) -> None:
    core, bounds = restated(limited())
    assert core.has_minimum and core.forced.any()
    assert not is_relaxed(bounds, LIMITED_FAULTS[fault](core))


@pytest.mark.parametrize("ease", EASED)
def test_a_reduction_that_allows_more_bounds_all_the_same(ease: str) -> None:
    for problem in (limited(), clustered(1, clients=20, sites=8)):
        core, bounds = restated(problem)
        assert is_relaxed(bounds, EASED[ease](core))


def test_reductions_of_every_kind_of_problem_stand_the_check() -> None:
    for seed in range(302_000, 302_150):
        core, bounds = restated(random_problem(seed))
        assert np.isinf(core.base) or is_relaxed(bounds, core), f"seed {seed}"


def test_limits_settle_what_would_cost_enough_and_no_more() -> None:
    limits = Limits(np.zeros(4, dtype=bool), np.ones(4, dtype=bool), 0.0, np.inf, None, np.full(4, -1))
    limits.settle(Bound(10.0, np.array([3.0, 1.5, 0.0, 0.0]), np.array([0.0, 0.0, 3.0, 1.5])), 12.0)
    assert limits.high.tolist() == [False, True, True, True]
    assert limits.low.tolist() == [False, False, True, False]


def test_a_plan_only_within_the_tolerance_of_a_solver_is_none_and_ends_without_a_limit() -> None:
    for short in (1e-7, 1e-8, 4e-9):
        problem = FacilityProblem(
            lane_client=np.array([0, 0, 1, 1]),
            lane_options=np.array([[0, -1], [1, -1], [0, -1], [1, -1]]),
            lane_cost=np.array([1.0, 2.0, 2.0, 1.0]),
            n_clients=2,
            n_options=3,
            demand=np.array([3.0, 4.0]),
            capacity=np.array([3.0 * (1 - short), 4.0 * (1 - short), 9.0]),
        )
        assert solve(problem, gap=0.0).status == "infeasible"


def test_neither_part_of_the_plans_goes_unproven() -> None:
    problem = scattered(2)
    core, search = searched(problem)
    cost = search.incumbent.cost + core.base
    assert search.proof.parts is not None
    for part in search.proof.parts:
        kept = [(region, region.prices) for region in regions(part)]
        for region, _ in kept:
            region.prices = []
        assert certify(problem, core, search.proof, cost).bound < cost
        for region, prices in kept:
            region.prices = prices
    assert certify(problem, core, search.proof, cost).bound == cost


def test_a_part_in_which_somebody_is_left_without_a_lane_has_no_plan() -> None:
    """Two clients: by both options 3 + 3 + 2 = 8; closing both needs no multipliers to be ruled out."""
    problem = FacilityProblem.from_costs([[3.0, 5.0], [5.0, 3.0]], fixed_cost=[1.0, 1.0])
    core, proof = reduce_problem(problem), Region()
    _, above = proof.part(np.ones(2, dtype=bool), 0)
    above.prices.append(Prices(np.full(2, 4.0), np.zeros(0)))
    found = certify(problem, core, proof, 8.0)
    assert (found.bound, found.kind) == (8.0, "tree")
    above.prices.clear()
    assert certify(problem, core, proof, 8.0).bound < 8.0


@pytest.mark.parametrize("largest", [1e3, 1e6])
def test_what_highs_may_be_off_is_a_part_of_the_largest_cost(largest: float) -> None:
    problem = clustered(1, clients=20, sites=8)
    core, search = searched(problem)
    solved = search.proof.solved
    assert solved is not None
    proof = Region(solved=replace(solved, bound=0.9 * solved.bound, largest=largest))
    found = certify(problem, core, proof, search.incumbent.cost + core.base)
    assert found.kind == "solver"
    assert found.bound == pytest.approx(0.9 * solved.bound + core.base - 1e-9 * largest, rel=1e-12)

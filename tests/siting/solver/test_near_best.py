"""How much plans near the best can differ from it, against every set of options in rational arithmetic."""

import numpy as np
import pytest
from exact import exact_optimum
from tiny_problems import random_problem, with_coverage, with_lane_rules, with_minimums, with_random_rules

from siting.solver import FacilityProblem, InputError, most_different, never_within, solve

MOST_OPTIONS = 6
SEEDS = [seed for seed in range(2000) if random_problem(seed).n_options <= MOST_OPTIONS]


def problem_of(seed: int) -> FacilityProblem:
    rng = np.random.default_rng([seed, 9])
    problem = random_problem(seed)
    for change, share in (
        (with_random_rules, 0.3),
        (with_minimums, 0.4),
        (with_coverage, 0.15),
        (with_lane_rules, 0.1),
    ):
        if rng.random() < share and problem.n_lanes:
            problem = change(problem, seed)
    return problem


def cost_of_every_set(problem: FacilityProblem) -> dict[tuple[int, ...], float]:
    costs = {}
    for bits in range(2**problem.n_options):
        opened = tuple(j for j in range(problem.n_options) if bits >> j & 1)
        closed = sorted(set(range(problem.n_options)) - set(opened))
        if set(problem.forced_open) - set(opened) or set(problem.forbidden) & set(opened):
            continue
        try:
            cost = exact_optimum(problem.with_changes(forced_open=opened, forbidden=closed))
        except InputError:
            continue
        if cost is not None:
            costs[opened] = float(cost)
    return costs


def hold_against_every_set(seed: int) -> bool:
    """False where the problem has no plan, and nothing to hold."""
    problem, rng = problem_of(seed), np.random.default_rng([seed, 10])
    best = solve(problem, gap=0.0)
    if best.status == "infeasible":
        return False
    costs = cost_of_every_set(problem)
    ceiling = best.objective + float(rng.uniform(0.01, 0.4)) * (max(costs.values()) - best.objective + 0.01)
    mine = np.isin(np.arange(problem.n_options), best.open)
    reward = np.where(mine, -1.0, 1.0 if rng.random() < 0.6 else 0.0)
    found = most_different(problem, best, ceiling, reward)
    within = {opened: cost for opened, cost in costs.items() if cost <= ceiling}
    most = max(reward[list(opened)].sum() for opened in within)
    assert (found.most, found.at_most) == (most, most)
    assert reward[found.open].sum() == most
    for opened, cost in found.plans:
        assert cost == pytest.approx(costs[tuple(opened.tolist())], rel=1e-6, abs=1e-6)
        assert cost <= ceiling * (1 + 1e-8) + 1e-8
    used = {j for opened, cost in within.items() if cost < ceiling for j in opened}
    assert not used & set(np.flatnonzero(never_within(problem, best, ceiling)).tolist())
    return True


def held(seeds: list[int]) -> int:
    return sum(hold_against_every_set(seed) for seed in seeds)


@pytest.mark.parametrize("block", range(4))
def test_the_most_that_can_change_within_a_ceiling_is_that_of_every_set(block):
    """(84) and (99)"""
    assert held(SEEDS[block * 20 : (block + 1) * 20]) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("block", range(32))
def test_more_of_the_most_that_can_change(block):
    """With those above more than 500 problems that have a plan."""
    assert held(SEEDS[80 + block * 30 : 80 + (block + 1) * 30]) >= 5


def test_rewards_are_whole_numbers():
    problem = FacilityProblem.from_costs([[1.0, 2.0]])
    with pytest.raises(ValueError, match="whole number"):
        most_different(problem, solve(problem), 3.0, np.array([0.5, 1.0]))

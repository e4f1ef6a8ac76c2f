"""One choice of options for several futures, against every set of options in rational arithmetic."""

import numpy as np
import pytest
from exact import exact_optimum
from tiny_problems import random_problem, with_coverage, with_lane_rules, with_minimums, with_random_rules

from siting.solver import FacilityProblem, InputError, solve_futures
from siting.solver.extensive import service_alone

MOST_OPTIONS = 5
TOLERANCE = 1e-6
SEEDS = [seed for seed in range(1200) if random_problem(seed).n_options <= MOST_OPTIONS][:500]


def futures_of(seed: int) -> tuple[FacilityProblem, list[FacilityProblem], np.ndarray]:
    """A planning problem and two or three futures of it, whose lanes, costs, capacities and minimums differ."""
    rng = np.random.default_rng([seed, 7])
    planning = random_problem(seed)
    if rng.random() < 0.3:
        planning = with_random_rules(planning, seed)
    if rng.random() < 0.15:
        planning = with_coverage(planning, seed)
    futures = []
    for k in range(int(rng.integers(2, 4))):
        p = planning.with_changes(rules=None, coverage=())
        kept = rng.random(p.n_lanes) < 0.9
        p = p.with_changes(
            lane_client=p.lane_client[kept],
            lane_options=p.lane_options[kept],
            lane_cost=np.round(p.lane_cost[kept] * rng.uniform(0.5, 1.5, int(kept.sum())), 2),
            fixed_cost=np.round(p.fixed_cost * rng.uniform(0.5, 1.5), 2),
            demand=np.round(p.demand * rng.choice([0.5, 1.0, 1.0])),
            unserved_cost=np.where(rng.random(p.n_clients) < 0.7, p.lane_cost.max(initial=1.0), p.unserved_cost),
        )
        if rng.random() < 0.4:
            p = with_minimums(p, seed + k)
        if rng.random() < 0.1 and p.n_lanes:
            p = with_lane_rules(p, seed + k)
        futures.append(p)
    return planning, futures, rng.integers(1, 4, len(futures)).astype(float)


def cost_of_every_plan(planning: FacilityProblem, futures: list[FacilityProblem]) -> dict[tuple[int, ...], np.ndarray]:
    """(80) of every set of options that keeps the limits of planning; inf where a future cannot be served."""
    n = planning.n_options
    every = [frozenset(j for j in range(n) if bits >> j & 1) for bits in range(2**n)]
    nobody = planning.with_changes(
        n_clients=0, lane_client=[], lane_options=[], lane_cost=[], demand=[], unserved_cost=[], fixed_cost=None
    )
    served = [
        {
            ran: exact_optimum(
                service_alone(p).with_changes(
                    forced_open=sorted(ran), forbidden=sorted(set(range(n)) - ran), fixed_cost=None
                )
            )
            for ran in every
        }
        for p in futures
    ]
    costs = {}
    for chosen in every:
        open_, closed = sorted(chosen), sorted(set(range(n)) - chosen)
        if set(planning.forced_open) - chosen or set(planning.forbidden) & chosen or _refused(nobody, open_, closed):
            continue
        costs[tuple(open_)] = np.array([
            float(min((s for ran, s in of.items() if ran <= chosen and s is not None), default=np.inf))
            + p.fixed_cost[open_].sum()
            for p, of in zip(futures, served, strict=True)
        ])  # fmt: skip
    return costs


def _refused(nobody: FacilityProblem, opened: list[int], closed: list[int]) -> bool:
    try:
        return exact_optimum(nobody.with_changes(forced_open=opened, forbidden=closed)) is None
    except InputError:
        return True


def hold_against_every_plan(seed: int) -> None:
    planning, futures, weight = futures_of(seed)
    costs = cost_of_every_plan(planning, futures)
    found = solve_futures(planning, futures, weight, gap=1e-6)
    share = weight / weight.sum()
    all_costs = np.array(list(costs.values())).reshape(len(costs), len(futures))
    optimum = all_costs.min(axis=0, initial=np.inf)
    size = TOLERANCE * max(1.0, float(np.abs(all_costs[np.isfinite(all_costs)]).max(initial=0.0)))
    for best, true in zip(found.optimum, optimum, strict=True):
        assert best.value == pytest.approx(true, abs=size)
        assert true == np.inf or best.bound == pytest.approx(true, abs=size)
    served = all_costs[np.isfinite(all_costs).all(axis=1)]
    if not len(served):
        assert found.expected.open is None and found.regret.open is None
        return
    expected, regret = float((served @ share).min()), float((served - optimum).max(axis=1).min())
    for best, true in ((found.expected, expected), (found.regret, regret)):
        assert (best.value, best.bound) == pytest.approx((true, true), abs=size)
    for opened, cost in zip(found.plans, found.cost, strict=True):
        assert cost == pytest.approx(costs[tuple(opened.tolist())], abs=size)
    low, high = found.perfect_information  # (83)
    assert 0.0 <= low <= expected - share @ optimum + size
    assert high >= expected - share @ optimum - size
    table = found.regrets.max(axis=1)
    assert found.regret.value == table.min()
    assert (found.regrets >= 0).all()


@pytest.mark.parametrize("block", range(4))
def test_the_best_on_average_and_of_least_regret_are_those_of_every_plan(block):
    """(80), (81) and (82)"""
    for seed in SEEDS[block * 15 : (block + 1) * 15]:
        hold_against_every_plan(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(44))
def test_more_of_the_best_on_average_and_of_least_regret(block):
    for seed in SEEDS[60 + block * 10 : 60 + (block + 1) * 10]:
        hold_against_every_plan(seed)

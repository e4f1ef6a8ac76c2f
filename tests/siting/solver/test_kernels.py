"""The compiled loops against their definitions in plain NumPy."""

from __future__ import annotations

import itertools

import numba.core.caching
import numpy as np
import plain
import pytest
from tiny_problems import clustered, random_problem, with_minimums, with_random_rules

from siting.solver import kernels
from siting.solver.core import Core
from siting.solver.local_search import SwapSearch
from siting.solver.reduce import reduce_problem
from siting.solver.relaxation import Multipliers, Relaxation
from siting.solver.rounding import Rounding


def simple_core(seed: int, ruled: bool = False) -> Core:
    """A core whose lanes need one place and where no capacity binds."""
    problem = clustered(seed, clients=12, sites=6)
    single = problem.lane_options[:, 1] < 0
    problem = problem.with_changes(
        lane_client=problem.lane_client[single],
        lane_options=problem.lane_options[single],
        lane_cost=problem.lane_cost[single],
        capacity=None,
    )
    return reduce_problem(with_random_rules(problem, seed) if ruled else problem)


@pytest.mark.parametrize("seed", range(4))
def test_sums_over_gainful_lanes(seed: int) -> None:
    core, rng = simple_core(seed), np.random.default_rng(seed)
    first, place = core.first_lane, np.ascontiguousarray(core.places[:, 0])
    lam = np.minimum(rng.random(core.n_clients) * core.cost.max(), core.unserved)
    opened = rng.random(core.n_places)
    worth = kernels.gains(first, place, core.cost, lam, core.n_places)
    np.testing.assert_allclose(worth, plain.gains(core, lam), atol=1e-12)
    slope = kernels.slopes(first, place, core.cost, lam, opened)
    np.testing.assert_allclose(slope, plain.slopes(core, lam, opened), atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_nearest_and_second_nearest_open_places(seed: int) -> None:
    core, rng = simple_core(seed), np.random.default_rng(seed)
    first, place = core.first_lane, np.ascontiguousarray(core.places[:, 0])
    for share in (0.0, 0.3, 0.8):
        is_open = rng.random(core.n_places) < share
        found = kernels.two_nearest(first, place, core.cost, is_open, core.unserved)
        for mine, told in zip(found, plain.two_nearest(core, is_open, core.unserved), strict=True):
            np.testing.assert_array_equal(mine, told)


@pytest.mark.parametrize("seed", range(4))
def test_service_by_places_open_in_part(seed: int) -> None:
    core, rng = simple_core(seed), np.random.default_rng(seed)
    first, place = core.first_lane, np.ascontiguousarray(core.places[:, 0])
    for opened in (rng.random(core.n_places), np.ones(core.n_places), np.zeros(core.n_places)):
        level, total = kernels.fill_cheapest(first, place, core.cost, opened, core.unserved, core.unserved)
        levels, totals = plain.fill_cheapest(core, opened, core.unserved)
        np.testing.assert_allclose(level, levels, atol=1e-12)
        np.testing.assert_allclose(total, totals, atol=1e-12)


@pytest.mark.parametrize("ruled", [False, True])
@pytest.mark.parametrize("seed", [0, 2, 5, 7])
def test_local_search_ends_where_no_allowed_move_lowers_the_cost(seed: int, ruled: bool) -> None:
    core = simple_core(seed, ruled)
    start = Rounding(core).plan(np.random.default_rng(seed).random(core.n_options))
    assert start is not None
    cost, opened = SwapSearch(core).improve(start, 1000)
    assert cost == pytest.approx(plain.cost_of(core, opened))
    assert core.rules.kept(opened)
    places = range(core.n_options)
    moves = [[j] for j in places] + [[j, k] for j, k in itertools.combinations(places, 2) if opened[j] != opened[k]]
    for move in moves:
        other = opened.copy()
        other[move] = ~other[move]
        groups = core.group[other & (core.group >= 0)]
        if core.rules.kept(other) and len(np.unique(groups)) == len(groups):
            assert plain.cost_of(core, other) >= cost - 1e-6


@pytest.mark.parametrize("minimums", [False, True])
@pytest.mark.parametrize("seed", range(30))
def test_the_relaxation_prices_knapsacks_and_halved_lanes(seed: int, minimums: bool) -> None:
    problem = clustered(seed, clients=12, sites=6) if seed < 10 else random_problem(seed)
    problem = with_minimums(problem, seed) if minimums else problem
    core, rng = reduce_problem(problem), np.random.default_rng(seed)
    if not core.n_lanes:
        return
    relaxation = Relaxation(core)
    dearest = np.where(np.isfinite(core.unserved), core.unserved, core.cost.max())
    split = rng.normal(0, 0.1 * core.cost.max(), len(relaxation.paired))
    at = Multipliers(rng.random(core.n_clients) * dearest, split)
    found = relaxation.evaluate(at)
    bound, slope, split_slope = plain.relaxed(core, at)
    assert found.bound == pytest.approx(bound, rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(found.slope.lam, slope, atol=1e-9)
    np.testing.assert_allclose(found.slope.split, split_slope, atol=1e-9)


def test_where_no_cache_can_be_written_loops_are_compiled_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.core.caching.CompileResultCacheImpl, "_locator_classes", [])
    assert kernels.compiled(lambda a: a + 1)(1) == 2

"""Random tiny problems of every kind, and larger ones like studies."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from siting.solver import Coverage, FacilityProblem, Rules


def random_problem(seed: int) -> FacilityProblem:
    """A problem of up to 6 clients and 7 options whose kind, limits and ties depend on the seed."""
    rng = np.random.default_rng(seed)
    clients, options = int(rng.integers(1, 7)), int(rng.integers(1, 8))
    lanes = int(rng.integers(1, clients * options + 3))
    two_option = rng.random() < 0.5
    first = rng.integers(0, options, lanes)
    second = np.full(lanes, -1)
    if two_option and options > 1:
        pair = rng.random(lanes) < 0.5
        second[pair] = (first[pair] + rng.integers(1, options, int(pair.sum()))) % options
    if rng.random() < 0.2:
        first[rng.random(lanes) < 0.15] = -1
    flip = rng.random(lanes) < 0.3
    first[flip], second[flip] = second[flip], first[flip]
    top = int(rng.choice([4, 20, 1000]))
    cost = rng.integers(0, top, lanes).astype(float)
    if rng.random() < 0.5:
        cost += rng.random(lanes)
    demand = rng.integers(0, 6, clients).astype(float)
    must = rng.random(clients) < rng.choice([0.0, 0.3, 1.0])
    settings: dict[str, Any] = {}
    if rng.random() < 0.6:
        capacity = rng.integers(0, 10, options).astype(float)
        capacity[rng.random(options) < 0.3] = np.inf
        settings["capacity"] = capacity
    if rng.random() < 0.5:
        settings["group"] = rng.integers(-1, 3, options)
    if rng.random() < 0.6:
        settings["capex"] = rng.integers(0, 10, options).astype(float)
        settings["budget"] = float(rng.integers(0, 25))
    if rng.random() < 0.3:
        settings["n_open"] = int(rng.integers(0, options + 1))
    if rng.random() < 0.7:
        settings["fixed_cost"] = rng.integers(-1, top, options).astype(float)
    client = rng.integers(0, clients, lanes)
    ends = np.column_stack([first, second])
    if options > 2 and rng.random() < 0.4:
        client, ends, cost = _with_tier(client, ends, cost, options - 1)
        group = settings.setdefault("group", np.full(options, -1))
        group[[0, options - 1]] = 9
    if rng.random() < 0.2:
        settings["forbidden"] = [int(rng.integers(0, options))]
    settings["single_source"] = bool(rng.random() < 0.3)
    unserved = np.where(must, np.inf, rng.integers(0, top, clients))
    _edges(rng, settings, options, top)
    return FacilityProblem(
        lane_client=client,
        lane_options=ends,
        lane_cost=cost,
        n_clients=clients,
        n_options=options,
        demand=demand,
        unserved_cost=unserved,
        **settings,
    )


def _with_tier(
    client: np.ndarray, ends: np.ndarray, cost: np.ndarray, last: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lanes where the last option is a size tier of option 0: it has the lanes of that one, in place of its own."""
    keep = (ends != last).all(axis=1)
    client, ends, cost = client[keep], ends[keep], cost[keep]
    copied = (ends == 0).any(axis=1)
    twins = np.where(ends == 0, last, ends)[copied]
    return np.append(client, client[copied]), np.concatenate([ends, twins]), np.append(cost, cost[copied])


def _edges(rng: np.random.Generator, settings: dict[str, Any], options: int, top: int) -> None:
    """Forced options, no capacity, gainful options, budgets spent to the last bit."""
    if rng.random() < 0.2:
        settings["fixed_cost"] = rng.integers(-top, top, options).astype(float)
    if rng.random() < 0.2:
        capacity = settings.setdefault("capacity", np.full(options, np.inf))
        capacity[rng.random(options) < 0.4] = 0.0
    if rng.random() < 0.3:
        capex = settings["capex"] = rng.integers(0, 100, options) / 10  # tenths: sums of floats are not exact
        settings["budget"] = float(capex[rng.random(options) < 0.5].sum())
    if rng.random() < 0.35:
        forced = set(np.flatnonzero(rng.random(options) < 0.4).tolist()) - set(settings.get("forbidden", ()))
        group = settings.get("group", np.full(options, -1))
        of_group = {int(group[j]): j for j in forced if group[j] >= 0}
        forced = {j for j in forced if group[j] < 0 or of_group[int(group[j])] == j}
        needed = sum(float(settings["capex"][j]) for j in forced) if "capex" in settings else 0.0
        if "budget" in settings:
            settings["budget"] = max(settings["budget"], needed)
        if "n_open" in settings:
            settings["n_open"] = max(settings["n_open"], len(forced))
        settings["forced_open"] = sorted(forced)


def with_random_rules(problem: FacilityProblem, seed: int) -> FacilityProblem:
    """The problem under one to four more rows over options, of any signs and sides; some cannot be kept."""
    rng = np.random.default_rng([seed, 1])
    n, rows = problem.n_options, int(rng.integers(1, 5))
    coefficients = rng.integers(-4, 7, (rows, n)) * (rng.random((rows, n)) < rng.choice([0.4, 1.0]))
    coefficients = np.where(rng.random((rows, 1)) < 0.4, coefficients != 0, coefficients)  # some count options
    coefficients = np.where(rng.random((rows, 1)) < 0.3, np.abs(coefficients), coefficients).astype(float)
    at = coefficients @ (rng.random(n) < 0.5)  # what some choice comes to
    side = rng.integers(0, 4, rows)  # lower, upper, both, equality
    width = np.where(side == 3, 0, rng.integers(0, 4, rows))
    unit = float(rng.choice([1.0, 1.0, 1e-3, 0.1, 1e6]))
    rules = Rules(
        coefficients * unit,
        np.where(side == 1, -np.inf, (at - width) * unit),
        np.where(side == 0, np.inf, (at + width) * unit),
    )
    return problem.with_changes(rules=rules)


def with_minimums(problem: FacilityProblem, seed: int) -> FacilityProblem:
    """The problem with minimums at some options, low and high ones; some of these are out of reach."""
    rng = np.random.default_rng([seed, 2])
    n = problem.n_options
    least = rng.integers(1, rng.choice([4, 8, 16]), n) * (rng.random(n) < rng.choice([0.3, 0.7, 1.0]))
    if rng.random() < 0.8:
        least[problem.forced_open] = 0
    stay = np.where(np.isinf(problem.unserved_cost), problem.lane_cost.max(initial=0.0), problem.unserved_cost)
    unit = rng.choice([1.0, 1.0, 0.1])  # tenths: sums of floats are not exact
    return problem.with_changes(
        min_throughput=least * unit,
        demand=problem.demand * unit,
        capacity=problem.capacity * unit,
        unserved_cost=stay if rng.random() < 0.7 else problem.unserved_cost,
    )


def with_lane_rules(problem: FacilityProblem, seed: int) -> FacilityProblem:
    """The problem under one or two rules over lanes, of any signs and sides, near what some plan comes to."""
    rng = np.random.default_rng([seed, 4])
    rows, lanes = int(rng.integers(1, 3)), problem.n_lanes
    coefficients = rng.integers(-3, 8, (rows, lanes)) * (rng.random((rows, lanes)) < rng.choice([0.5, 1.0]))
    coefficients = np.where(rng.random((rows, 1)) < 0.5, np.abs(coefficients), coefficients).astype(float)
    some = np.where(rng.random(lanes) < 0.5, 1.0 / np.bincount(problem.lane_client)[problem.lane_client], 0.0)
    at, side = coefficients @ some, rng.integers(0, 3, rows)
    rules = Rules(coefficients, np.where(side == 1, -np.inf, at - 0.5), np.where(side == 0, np.inf, at + 0.5))
    stay = np.where(np.isinf(problem.unserved_cost), problem.lane_cost.max(initial=0.0), problem.unserved_cost)
    return problem.with_changes(lane_rules=rules, unserved_cost=stay if rng.random() < 0.7 else problem.unserved_cost)


def with_coverage(problem: FacilityProblem, seed: int) -> FacilityProblem:
    """The problem with one or two shares of weighted points that must be in reach of an open option."""
    rng = np.random.default_rng([seed, 5])
    coverage = []
    for _ in range(int(rng.integers(1, 3))):
        points = int(rng.integers(1, 7))
        reach = rng.random((points, problem.n_options)) < rng.choice([0.2, 0.5])
        weight = rng.integers(0, 6, points).astype(float)
        coverage.append(Coverage(reach, weight, float(rng.choice([0.3, 0.6, 0.9]) * weight.sum())))
    return problem.with_changes(coverage=tuple(coverage))


def tiny_study(seed: int) -> FacilityProblem:
    """Districts of several shippers with tastes of their own, sites of two tiers that charge by the year and the tonne.

    A tier needs a minimum throughput. Some shippers may change at a second site, and all have a status quo.
    """
    rng = np.random.default_rng([seed, 3])
    districts, shippers, sites, tiers = int(rng.integers(1, 3)), int(rng.integers(1, 4)), int(rng.integers(1, 4)), 2
    tonnes = np.repeat(rng.integers(1, 9, districts), shippers) / shippers
    way = rng.integers(2, 30, (districts, sites)).astype(float)
    charge = np.sort(rng.integers(0, 6, (sites, tiers)), axis=1)[:, ::-1]  # the larger tier charges less by the tonne
    client, ends, cost = [], [], []
    for i in range(districts * shippers):
        taste = rng.normal(0.0, 3.0, sites)
        for s in range(sites):
            by_tonne = way[i // shippers, s] + taste[s]
            for t in range(tiers):
                client.append(i)
                ends.append((tiers * s + t, -1))
                cost.append((by_tonne + charge[s, t]) * tonnes[i])
            other = (s + 1) % sites
            if other != s and rng.random() < 0.5:
                for t, u in itertools.product(range(tiers), repeat=2):
                    client.append(i)
                    ends.append((tiers * s + t, tiers * other + u))
                    cost.append((0.6 * by_tonne + charge[s, t] + charge[other, u]) * tonnes[i])
    least = np.tile([rng.integers(0, 8), rng.integers(0, 16)], sites).astype(float)
    return FacilityProblem(
        lane_client=np.array(client),
        lane_options=np.array(ends),
        lane_cost=np.array(cost),
        n_clients=districts * shippers,
        n_options=tiers * sites,
        demand=tonnes,
        unserved_cost=rng.integers(5, 30, districts * shippers) * tonnes,
        fixed_cost=np.tile([2.0, 5.0], sites) * rng.integers(0, 8),
        capex=np.tile([2.0, 3.0], sites),
        capacity=np.tile([6.0, 14.0], sites) if rng.random() < 0.7 else None,
        min_throughput=least,
        group=np.repeat(np.arange(sites), tiers),
        budget=float(rng.integers(2, 12)),
        single_source=bool(rng.random() < 0.15),
    )


def wide_problem(seed: int) -> FacilityProblem:
    """A random problem whose costs are spread over 24 orders of magnitude."""
    rng = np.random.default_rng([seed, 1])
    problem = random_problem(seed)

    def spread(cost: np.ndarray) -> np.ndarray:
        return cost * 10.0 ** rng.integers(-9, 15, len(cost)) if rng.random() < 0.8 else cost

    return problem.with_changes(
        lane_cost=spread(problem.lane_cost),
        unserved_cost=spread(problem.unserved_cost),
        fixed_cost=spread(problem.fixed_cost),
    )


def clustered(seed: int, clients: int = 60, sites: int = 25) -> FacilityProblem:
    """Sites in two size tiers with a budget, some lanes over two sites, and a status quo for everybody."""
    rng = np.random.default_rng(seed)
    people, places = rng.random((clients, 2)), rng.random((sites, 2))
    distance = np.linalg.norm(people[:, None] - places[None], axis=2)
    demand = rng.integers(1, 30, clients).astype(float)
    client, ends, cost = [], [], []
    for i in range(clients):
        for s in np.argsort(distance[i])[:8]:
            for tier in range(2):
                client.append(i)
                ends.append((2 * s + tier, -1))
                cost.append((distance[i, s] + 0.2) * demand[i])
        near, far = np.argsort(distance[i])[[0, 5]]
        for tiers in itertools.product(range(2), repeat=2):
            client.append(i)
            ends.append((2 * near + tiers[0], 2 * far + tiers[1]))
            cost.append((0.7 * distance[i, near] + 0.1) * demand[i])
    return FacilityProblem(
        lane_client=np.array(client),
        lane_options=np.array(ends),
        lane_cost=np.array(cost),
        n_clients=clients,
        n_options=2 * sites,
        demand=demand,
        unserved_cost=0.6 * demand,
        fixed_cost=np.tile([1.0, 2.0], sites),
        capex=np.tile([2.0, 3.0], sites) + rng.random(2 * sites),
        capacity=np.tile([40.0, 120.0], sites),
        group=np.repeat(np.arange(sites), 2),
        budget=20.0,
    )


def brimful(seed: int) -> FacilityProblem:
    """A random problem whose capacities are what some clients need and whose budget is what some options cost, almost.

    They are off by 1e-12 to 1e-3 of it: rounding, what a solver takes for rounding, and what no one should.
    """
    rng = np.random.default_rng([seed, 2])
    problem = random_problem(seed)
    hair = 10.0 ** rng.integers(-12, -3)
    n = problem.n_options
    needs = np.array([problem.demand[rng.random(problem.n_clients) < 0.5].sum() for _ in range(n)])
    capex = rng.integers(1, 20, n) / 10
    return problem.with_changes(
        capacity=np.where(rng.random(n) < 0.8, needs * (1 + hair * rng.choice([-1, 1], n)), np.inf),
        capex=capex,
        budget=float(capex[rng.random(n) < 0.5].sum()) * (1 + hair * rng.choice([-1, 1])),
        forced_open=[],
        single_source=bool(rng.random() < 0.6),
        unserved_cost=np.where(rng.random(problem.n_clients) < 0.8, np.inf, problem.unserved_cost),
    )

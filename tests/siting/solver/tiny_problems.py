"""Random tiny problems of every kind, and an answer to them by trying every set of options."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from scipy.optimize import LinearConstraint, linprog, milp

from siting.solver.problem import FacilityProblem


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
        last = options - 1  # becomes a size tier of option 0: same group, same lanes
        keep = (ends != last).all(axis=1)
        client, ends, cost = client[keep], ends[keep], cost[keep]
        copied = (ends == 0).any(axis=1)
        twins = np.where(ends == 0, last, ends)[copied]
        client, cost = np.concatenate([client, client[copied]]), np.concatenate([cost, cost[copied]])
        ends = np.concatenate([ends, twins])
        group = settings.setdefault("group", np.full(options, -1))
        group[[0, last]] = 9
    if rng.random() < 0.2:
        settings["forbidden"] = [int(rng.integers(0, options))]
    settings["single_source"] = bool(rng.random() < 0.3)
    return FacilityProblem(
        lane_client=client,
        lane_options=ends,
        lane_cost=cost,
        n_clients=clients,
        n_options=options,
        demand=demand,
        unserved_cost=np.where(must, np.inf, rng.integers(0, top, clients)),
        **settings,
    )


def brute_force(p: FacilityProblem) -> float:
    """Least cost over every set of options, service by SciPy; inf where there is no plan."""
    best = np.inf
    for bits in itertools.product([False, True], repeat=p.n_options):
        opened = np.array(bits)
        chosen = np.flatnonzero(opened)
        groups = p.group[chosen][p.group[chosen] >= 0]
        if (
            (p.budget is not None and p.capex[chosen].sum() > p.budget)
            or (p.n_open is not None and len(chosen) != p.n_open)
            or len(set(groups.tolist())) < len(groups)
            or not set(p.forced_open.tolist()) <= set(chosen.tolist())
            or set(p.forbidden.tolist()) & set(chosen.tolist())
        ):
            continue
        best = min(best, p.fixed_cost[chosen].sum() + _service_cost(p, opened))
    return float(best)


def _service_cost(p: FacilityProblem, opened: np.ndarray) -> float:
    is_open = np.append(opened, True)
    lanes = np.flatnonzero(is_open[p.lane_options[:, 0]] & is_open[p.lane_options[:, 1]])
    may = np.flatnonzero(np.isfinite(p.unserved_cost))
    n = len(lanes) + len(may)
    cost = np.concatenate([p.lane_cost[lanes], p.unserved_cost[may]])
    serve = np.zeros((p.n_clients, n))
    serve[p.lane_client[lanes], np.arange(len(lanes))] = 1
    serve[may, len(lanes) + np.arange(len(may))] = 1
    limited = np.flatnonzero(np.isfinite(p.capacity))
    load = np.zeros((len(limited), n))
    for r, j in enumerate(limited):
        uses = np.flatnonzero((p.lane_options[lanes] == j).any(axis=1))
        load[r, uses] = p.demand[p.lane_client[lanes[uses]]]
    if n == 0:
        return np.inf
    if p.single_source:
        rules = [LinearConstraint(serve, 1, 1)]
        if len(limited):
            rules.append(LinearConstraint(load, -np.inf, p.capacity[limited]))
        answer = milp(cost, integrality=np.ones(n), bounds=(0, 1), constraints=rules)
    else:
        answer = linprog(
            cost,
            A_eq=serve,
            b_eq=np.ones(p.n_clients),
            A_ub=load if len(limited) else None,
            b_ub=p.capacity[limited] if len(limited) else None,
        )
    return float(answer.fun) if answer.status == 0 else np.inf


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

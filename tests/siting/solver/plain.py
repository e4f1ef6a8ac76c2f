"""The compiled loops of the solver as their definitions say them, over all lanes: slow, short, and independent."""

from __future__ import annotations

import numpy as np

from siting.solver.choice import OptionChoice
from siting.solver.core import Core
from siting.solver.relaxation import Multipliers

Array = np.ndarray


def gains(core: Core, lam: Array) -> Array:
    """(n_places,) sum of min(0, c_l - lambda_i) over the lanes of each place."""
    return np.bincount(core.places[:, 0], np.minimum(core.cost - lam[core.client], 0.0), core.n_places)


def slopes(core: Core, lam: Array, opened: Array) -> Array:
    """(n_clients,) 1 - sum of opened over the places of each client's gainful lanes."""
    use = np.where(core.cost < lam[core.client], opened[core.places[:, 0]], 0.0)
    return 1.0 - np.bincount(core.client, use, core.n_clients)


def two_nearest(core: Core, is_open: Array, stay: Array) -> tuple[Array, Array, Array]:
    """Nearest open place of each client, the cost through it and through the second, none above `stay`."""
    at, d1, d2 = np.full(core.n_clients, -1), stay.copy(), stay.copy()
    for i in range(core.n_clients):
        lanes = [k for k in np.flatnonzero(core.client == i) if is_open[core.places[k, 0]] and core.cost[k] < stay[i]]
        if lanes:
            at[i], d1[i] = core.places[lanes[0], 0], core.cost[lanes[0]]
        if len(lanes) > 1:
            d2[i] = core.cost[lanes[1]]
    return at, d1, d2


def fill_cheapest(core: Core, opened: Array, top: Array) -> tuple[Array, Array]:
    """Cost of the lane at which the open places of a client, cheapest first, add up to one, and of its service."""
    level, total = top.copy(), np.zeros(core.n_clients)
    for i in range(core.n_clients):
        left = 1.0
        for k in np.flatnonzero((core.client == i) & (core.cost < core.unserved[i])):
            part = min(opened[core.places[k, 0]], left)
            total[i] += part * core.cost[k]
            left -= part
            if left <= 1e-9:
                level[i] = min(core.cost[k], top[i])
                break
        if left > 1e-9:
            total[i] += left * top[i]
    return level, total


def cost_of(core: Core, opened: Array) -> float:
    """Cost of a set of options where neither capacities nor two-place lanes matter; inf where it serves not all."""
    is_open = np.zeros(core.n_places, dtype=bool)
    is_open[core.place[opened]] = True
    _, nearest, _ = two_nearest(core, is_open, core.unserved)
    return float(nearest.sum() + core.fixed_cost[opened].sum())


def relaxed(core: Core, at: Multipliers) -> tuple[float, Array, Array]:
    """(10) and (11): L(lambda, t) with its slopes in lambda and t."""
    paired = np.flatnonzero(core.places[:, 1] >= 0).tolist()
    cheapest: list[dict[int, tuple[float, int, float]]] = [{} for _ in range(core.n_places)]
    for lane in range(core.n_lanes):
        i = int(core.client[lane])
        for end, sign in enumerate((1.0, -1.0)):
            place = int(core.places[lane, end])
            if place < 0:
                continue
            value = core.cost[lane] - at.lam[i]
            if lane in paired:
                value = 0.5 * value + sign * at.split[paired.index(lane)]
            if value < cheapest[place].get(i, (np.inf,))[0]:
                cheapest[place][i] = (value, lane, sign)
    v = core.fixed_cost.copy()
    carried: list[list[tuple[int, float, int, float]]] = []  # of each option: client, part, lane, end
    for j in range(core.n_options):
        wanted = sorted(
            (value / core.demand[i] if core.demand[i] > 0 else -np.inf, i, value, lane, sign)
            for i, (value, lane, sign) in cheapest[core.place[j]].items()
            if value < 0
        )
        left, taken = core.capacity[j], []
        for _, i, value, lane, sign in wanted:
            part = 1.0 if core.demand[i] <= left else left / core.demand[i]
            left -= part * core.demand[i]
            v[j] += part * value
            taken.append((i, part, lane, sign))
        missing = core.minimum[j] - sum(core.demand[i] * part for i, part, _, _ in taken)
        if v[j] < 0 or core.forced[j]:
            others = sorted(
                (value / core.demand[i], i, value, lane, sign)
                for i, (value, lane, sign) in cheapest[core.place[j]].items()
                if value >= 0 and core.demand[i] > 0
            )
            for _, i, value, lane, sign in others:
                part = min(1.0, max(missing, 0.0) / core.demand[i])
                missing -= part * core.demand[i]
                v[j] += part * value
                taken.append((i, part, lane, sign))
        carried.append(taken)
    choice = OptionChoice(core).choose(v)
    slope, split_slope = np.ones(core.n_clients), np.zeros(len(paired))
    for degree, taken in zip(choice.y, carried, strict=True):
        for i, part, lane, sign in taken:
            slope[i] -= degree * part
            if lane in paired:
                split_slope[paired.index(lane)] += sign * degree * part
    return float(at.lam.sum()) + choice.value, slope, split_slope

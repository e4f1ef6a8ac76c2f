"""Cheapest service of every client through a given set of open options."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from scipy.sparse import coo_array

from siting.solver.core import Core
from siting.solver.highs import LOOSE, Columns, Rows, new_highs, pass_model
from siting.solver.problem import BoolArray, FloatArray, IntArray

QUICK_GAP = 1e-3
"""Relative gap that will do for an assignment whose nodes are limited."""
CAPACITY_TOLERANCE = 1e-9
"""Relative overload that counts as rounding."""


@dataclass(frozen=True, eq=False)
class Service:
    """How the clients are served.

    Attributes:
        lane_share: (n_lanes,) share of its client that each lane carries.
        unserved_share: (n_clients,) what is left.
        cost: lanes plus unserved, without the fixed costs of options.
        bound: no service costs less; below cost only where a node limit stopped a single-source assignment.
    """

    lane_share: FloatArray
    unserved_share: FloatArray
    cost: float
    bound: float


def usable_lanes(core: Core, opened: BoolArray) -> BoolArray:
    """Lanes whose places are all open, stand-ins apart."""
    is_open = np.zeros(core.n_places + 1, dtype=bool)
    is_open[core.place[opened]] = True
    is_open[-1] = True  # answers for NO_OPTION
    return np.asarray(is_open[core.places[:, 0]] & is_open[core.places[:, 1]] & ~core.stand_in)


def nearest_lanes(core: Core, opened: BoolArray) -> tuple[IntArray, FloatArray]:
    """Each client's cheapest lane (-1: unserved) and its cost, capacities apart.

    Lanes are sorted by cost within a client, so the first usable one is the cheapest.
    """
    usable = np.flatnonzero(usable_lanes(core, opened))
    client = core.client[usable]
    lane = np.full(core.n_clients, -1)
    lane[client[::-1]] = usable[::-1]
    cost = np.where(lane >= 0, np.append(core.cost, np.inf)[lane], np.inf)
    unserved = core.unserved <= cost
    return np.where(unserved, -1, lane), np.where(unserved, core.unserved, cost)


def loads(core: Core, lane_share: FloatArray) -> FloatArray:
    """(n_places,) demand through each place."""
    used = np.flatnonzero(lane_share)
    carried = lane_share[used] * core.demand[core.client[used]]
    total = np.zeros(core.n_places + 1)
    np.add.at(total, core.places[used, 0], carried)
    np.add.at(total, core.places[used, 1], carried)
    return total[:-1]


def cheapest_service(
    core: Core, opened: BoolArray, nodes: int | None = None, time_limit_s: float | None = None
) -> Service | None:
    """Cheapest service through the open options; None where there is none, or none was found in time.

    There is none where a client that must be served cannot be, or an option cannot come to its minimum (17).

    Args:
        nodes: most branch-and-bound nodes for a single-source assignment; None = until proven.
        time_limit_s: seconds after which the best service found is returned.
    """
    lane, cost = nearest_lanes(core, opened)
    if np.isinf(cost).any():
        return None
    share = np.zeros(core.n_lanes)
    share[lane[lane >= 0]] = 1.0
    if not _over_limits(core, opened, share):
        total = float(cost.sum())
        return Service(share, (lane < 0).astype(float), total, total)
    return _service_within_capacity(core, opened, nodes, time_limit_s)


def service_of(core: Core, opened: BoolArray, lane_share: FloatArray) -> Service | None:
    """What lane shares come to; None where they need what is closed, break a limit or leave out who must be served."""
    left = np.clip(1.0 - np.bincount(core.client, weights=lane_share, minlength=core.n_clients), 0.0, 1.0)
    stays = left > 0
    unusable = (lane_share[~usable_lanes(core, opened)] > 0).any()
    if unusable or np.isinf(core.unserved[stays]).any() or _over_limits(core, opened, lane_share):
        return None
    cost = float(lane_share @ core.cost + left[stays] @ core.unserved[stays])
    return Service(lane_share, left, cost, cost)


def _over_limits(core: Core, opened: BoolArray, lane_share: FloatArray) -> bool:
    """Whether some place carries more than it holds, or less than its minimum."""
    load = loads(core, lane_share)
    too_much = load > core.place_capacity(opened) * (1 + CAPACITY_TOLERANCE)
    return bool((too_much | (load < core.place_minimum(opened) * (1 - CAPACITY_TOLERANCE))).any())


def _service_within_capacity(
    core: Core, opened: BoolArray, nodes: int | None, time_limit_s: float | None
) -> Service | None:
    """Equations (2), (4) and (17) for fixed y: a transportation problem, or an assignment when single-source."""
    lanes = np.flatnonzero(usable_lanes(core, opened))
    must = np.isinf(core.unserved)
    saving = core.cost[lanes] - np.where(must, 0.0, core.unserved)[core.client[lanes]]
    scale = float(np.abs(saving).max(initial=0.0)) / 1000.0 or 1.0
    n = len(lanes)
    whole = np.ones(n, dtype=bool) if core.single_source else None
    highs = new_highs()
    highs.setOptionValue("primal_feasibility_tolerance", 1e-9)
    highs.setOptionValue("mip_feasibility_tolerance", 1e-9)
    highs.setOptionValue("mip_rel_gap", 1e-9 if nodes is None else QUICK_GAP)
    if nodes is not None:
        highs.setOptionValue("mip_max_nodes", nodes)
    if time_limit_s is not None:
        highs.setOptionValue("time_limit", time_limit_s)
    pass_model(highs, Columns(saving / scale, np.zeros(n), np.ones(n), whole), _transport_rows(core, opened, lanes))
    highs.run()
    info = highs.getInfo()
    if info.primal_solution_status != highspy.kSolutionStatusFeasible:
        return None
    share, left = _exact_shares(core, lanes, np.clip(np.array(highs.getSolution().col_value), 0.0, 1.0))
    if core.single_source and _over_limits(core, opened, share):  # within what the rows were loosened by
        return None
    cost = float(share @ core.cost + left[~must] @ core.unserved[~must])
    bound = cost
    if core.single_source:
        bound = min(cost, float(info.mip_dual_bound) * scale + float(core.unserved[~must].sum()))
    return Service(share, left, cost, bound)


def _transport_rows(core: Core, opened: BoolArray, lanes: IntArray) -> Rows:
    """(2), (4) and (17) over some lanes, the last two as one row of a place: its load, as part of its larger limit."""
    client, places = core.client[lanes], core.places[lanes]
    room, least = core.place_capacity(opened), core.place_minimum(opened)
    limited = np.flatnonzero(np.isfinite(room) | (least > 0))
    row = np.full(core.n_places + 1, -1)
    row[limited] = core.n_clients + np.arange(len(limited))
    unit = np.where(np.isfinite(room), room, least)[limited]
    column = np.arange(len(lanes))
    rows, columns, values = [client.astype(np.int64)], [column], [np.ones(len(lanes))]
    for end in places.T:
        bound = row[end] >= 0
        rows.append(row[end][bound])
        columns.append(column[bound])
        values.append(core.demand[client[bound]] / unit[row[end][bound] - core.n_clients])
    n_rows = core.n_clients + len(limited)
    matrix = coo_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(n_rows, len(lanes))
    ).tocsc()
    must = np.where(np.isinf(core.unserved), 1.0, -np.inf)
    loose = LOOSE if core.single_source else 0.0
    lower = np.concatenate([must, np.where(least[limited] > 0, least[limited] / unit * (1 - loose), -np.inf)])
    upper = np.concatenate([np.ones(core.n_clients), np.where(np.isfinite(room[limited]), 1.0 + loose, np.inf)])
    return Rows(matrix, lower, upper)


def _exact_shares(core: Core, lanes: IntArray, found: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Shares of all lanes and unserved shares that sum to one up to the last bit: a solver's are near it."""
    client = core.client[lanes]
    found = np.round(found) if core.single_source else np.where(found < 1e-9, 0.0, found)
    served = np.bincount(client, weights=found, minlength=core.n_clients)
    over = (served > 1.0) | np.isinf(core.unserved)
    found /= np.where(over, np.where(served > 0, served, 1.0), 1.0)[client]
    share = np.zeros(core.n_lanes)
    share[lanes] = found
    left = np.clip(1.0 - np.bincount(client, weights=found, minlength=core.n_clients), 0.0, 1.0)
    left[left < 1e-12] = 0.0
    return share, left

"""The inner loops that price the lanes of today, compiled by numba; see :mod:`siting.model.gateway_costs`."""

from __future__ import annotations

from typing import Any

import numpy as np

from geodata.compilation import compiled
from siting.model.lanes import AT_DEPOT, AT_PORT, BY_RAIL, NONE
from siting.model.leg_kernels import box, client, gather, rail


@compiled
def _filled(onward: Any, one: Any, by_road: Any, hubs: Any, way: int, inr_per_t: Any, hub: Any) -> None:
    """Fill in the cost to each gateway of a box filled at the cheapest of some hubs, then by road; and that hub."""
    for p in hubs:
        filled = by_road[p] + one.fill
        for g in range(len(onward.gateways)):
            road = onward.road_inr[p, g] * one.reefer + onward.road_km[p, g] * one.road_km
            cost = filled + road + one.hour * onward.dwell_h[g]
            if cost < inr_per_t[g, way]:
                inr_per_t[g, way], hub[g, way] = cost, p


@compiled
def _brought(onward: Any, to_depots: Any, one: Any, by_rail: Any, loaded: Any, loaded_at: Any) -> None:
    """Fill in the cost of a box filled at the cheapest hub and brought to each depot's train; and that hub."""
    loaded[:], loaded_at[:] = np.inf, NONE
    for s in range(len(to_depots.starts)):
        p = to_depots.starts[s]
        filled = by_rail[p]
        for d in range(len(to_depots.ends)):
            wait = one.hour * onward.filling_h[p] if p == to_depots.ends[d] else one.fill
            cost = filled + (box(to_depots, s, d, one.reefer, one.dray_km) + wait)
            if cost < loaded[d]:
                loaded[d], loaded_at[d] = cost, p


@compiled
def _full_loads(onward: Any, depots: Any, first: Any, one: Any, inr_per_t: Any, loaded: Any, loaded_at: Any) -> None:
    """Fill in the cost of a full box by road to each gateway, and to each depot's train."""
    inr, km = first.box_inr[one.row], first.km[one.row]
    for g in range(len(onward.gateways)):
        p = onward.gateways[g]
        cost = inr[p] * one.reefer * one.weak + km[p] * one.road_km + one.hour * onward.dwell_h[g]
        if cost < np.inf:  # not where there is no way
            inr_per_t[g, AT_PORT] = cost
    for d in range(len(depots)):
        p = depots[d]
        loaded[d], loaded_at[d] = inr[p] * one.reefer * one.weak + km[p] * one.dray_km, NONE


@compiled
def price_today(
    onward: Any, rates: Any, to_depots: Any, first: Any, cargo: Any, rows: Any, inr_per_t: Any, hub: Any, terminal: Any
) -> None:
    """Fill in `GatewayCosts` of some clients.

    Args:
        to_depots: from gateways and depots that fill boxes, in this order, to depots with trains.
        rows: (n,) where each client stands in the tables of costs.
    """
    depots, gateways = to_depots.ends, onward.gateways
    filling = to_depots.starts[len(gateways) :]
    by_road, by_rail = np.empty(len(onward.stuffing)), np.empty(len(onward.stuffing))
    loaded, loaded_at = np.empty(len(depots)), np.empty(len(depots), np.int64)
    for i in range(len(rows)):
        one, at = client(cargo, rates, i), rows[i]
        if cargo.part[i]:
            gather(onward, rates, first, one, by_road, by_rail)
            _filled(onward, one, by_road, gateways, AT_PORT, inr_per_t[at], hub[at])
            _filled(onward, one, by_road, filling, AT_DEPOT, inr_per_t[at], hub[at])
            _brought(onward, to_depots, one, by_rail, loaded, loaded_at)
        else:
            _full_loads(onward, depots, first, one, inr_per_t[at], loaded, loaded_at)
        for d in range(len(depots)):
            for g in range(len(gateways)):
                cost = loaded[d] + rail(onward, one, depots[d], g)
                if cost < inr_per_t[at, g, BY_RAIL]:
                    inr_per_t[at, g, BY_RAIL], terminal[at, g] = cost, depots[d]
                    hub[at, g, BY_RAIL] = loaded_at[d]

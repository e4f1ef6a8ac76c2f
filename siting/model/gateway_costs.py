"""What it costs each client today to leave through each gateway, by road and by rail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siting.model.costs import Array
from siting.model.lanes import LanePricer

ROAD, RAIL = 0, 1
"""Second axis of tables by mode."""


@dataclass(frozen=True)
class GatewayCosts:
    """Cheapest lanes of today by gateway and mode.

    Attributes:
        inr_per_t: (n_clients, n_gateways, 2) by road and by rail; inf where there is no way.
        by_depot: (n_clients, n_gateways) whether the lane by road has its box filled, and so cleared by customs, at
            an inland depot. Every lane by rail starts at one.
    """

    inr_per_t: Array
    by_depot: NDArray[np.bool_]


def gateway_costs(pricer: LanePricer) -> GatewayCosts:
    """Price, for every client, the cheapest lane of what exists through each gateway.

    The least over gateways and modes is the client's status quo.
    """
    places = pricer.places
    gateways, depots = places.gateways, places.depots
    n, n_gateways = len(pricer.clients), len(gateways)
    cost = np.full((n, n_gateways, 2), np.inf)
    by_depot = np.zeros((n, n_gateways), dtype=bool)
    rail_km, rail_h = places.rail_km[depots], places.rail_h[depots]
    road_km = _reached(places.road_km[:, gateways])
    hubs = np.concatenate([depots, gateways])
    to_depot_km = _reached(places.road_km[np.ix_(hubs, depots)])
    for i in range(n):
        first_km = _reached(places.first_mile_km[pricer.origin[i]])
        wait = pricer.time_value[i] * pricer.conditions.gateway_dwell_h
        by_rail = _reached(pricer.rail_table(i, rail_km, rail_h))
        if pricer.is_part[i]:
            shed = pricer.first_mile_cost(i) + first_km * pricer.road_h_cost(i, rail=False)
            shed = _reached(shed) + pricer.extra_wait(i, False)
            onward = road_km * pricer.box_km_cost(i, rail=False) + wait
            at_port = (shed[gateways][:, None] + onward[gateways]).min(axis=0)
            at_depot = (shed[depots][:, None] + onward[depots]).min(axis=0, initial=np.inf)
            by_depot[i] = at_depot < at_port
            cost[i, :, ROAD] = np.minimum(at_port, at_depot)
            gathered = _reached(pricer.first_mile_cost(i) + first_km * pricer.road_h_cost(i, rail=True))[hubs]
            pause = pricer.extra_wait(i, hubs[:, None] == depots)
            drayage = to_depot_km * pricer.box_km_cost(i, rail=True) + pause
            loaded = (gathered[:, None] + drayage).min(axis=0)
        else:
            box = pricer.box_km_cost(i, rail=False) + pricer.lever(i)
            cost[i, :, ROAD] = first_km[gateways] * box + wait
            loaded = first_km[depots] * (pricer.box_km_cost(i, rail=True) + pricer.lever(i))
        cost[i, :, RAIL] = (loaded[:, None] + by_rail).min(axis=0, initial=np.inf)
    return GatewayCosts(cost, by_depot)


def _reached(km: Array) -> Array:
    """Distances with inf in place of NaN."""
    return np.where(np.isnan(km), np.inf, km)

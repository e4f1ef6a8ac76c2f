"""What it costs each client today to leave through each gateway, by road and by rail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siting.model.client_blocks import Block, BlockPricer
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
    costs, places = BlockPricer(pricer), pricer.places
    n_gateways = len(places.gateways)
    inr_per_t = np.full((len(pricer.clients), n_gateways, 2), np.inf)
    by_depot = np.zeros((len(pricer.clients), n_gateways), dtype=bool)
    for part in (False, True):
        for block in costs.blocks(np.flatnonzero(pricer.is_part == part)):
            if part:
                by_road, by_depot[block.client], loaded = _part_loads(block, costs)
            else:
                by_road, loaded = _full_loads(block, costs)
            hour, reefer = block.hour[:, :, None], pricer.reefer[block.client, None, None]
            rail_km, rail_h = places.rail_km[places.depots], places.rail_h[places.depots]
            by_rail = loaded[:, :, None] + _reached(costs.rail_cost(hour, reefer, rail_km, rail_h))
            inr_per_t[block.client, :, ROAD] = by_road
            inr_per_t[block.client, :, RAIL] = by_rail.min(axis=1, initial=np.inf)
    return GatewayCosts(inr_per_t, by_depot)


def _full_loads(block: Block, costs: BlockPricer) -> tuple[Array, Array]:
    """Cost to each gateway by road, (n_block, n_gateways), and to each depot to go on by rail, (n_block, n_depots)."""
    km, places = _reached(block.km), costs.places
    by_road = km[:, places.gateways] * (block.box_road_km + block.lever) + block.hour * costs.dwell_h
    return by_road, km[:, places.depots] * (block.box_dray_km + block.lever)


def _part_loads(block: Block, costs: BlockPricer) -> tuple[Array, NDArray[np.bool_], Array]:
    """As `_full_loads`, for boxes filled at a gateway or depot; between the two whether the road's is at a depot."""
    places = costs.places
    gateways, depots = places.gateways, places.depots
    shed = _reached(block.first + block.km * block.road_km) + block.fill
    onward = _reached(places.road_km[:, gateways]) * block.box_road_km[:, :, None]
    onward += (block.hour * costs.dwell_h)[:, None]
    at_port = (shed[:, gateways, None] + onward[:, gateways]).min(axis=1)
    at_depot = (shed[:, depots, None] + onward[:, depots]).min(axis=1, initial=np.inf)
    hubs = np.concatenate([depots, gateways])
    gathered = _reached(block.first + block.km * block.dray_km)[:, hubs, None]
    wait = np.where(hubs[:, None] == depots, block.fill_at_terminal[:, :, None], block.fill[:, :, None])
    drayage = _reached(places.road_km[np.ix_(hubs, depots)]) * block.box_dray_km[:, :, None] + wait
    return np.minimum(at_port, at_depot), at_depot < at_port, (gathered + drayage).min(axis=1)


def _reached(values: Array) -> Array:
    """Values with inf in place of NaN."""
    return np.where(np.isnan(values), np.inf, values)

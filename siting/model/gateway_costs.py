"""What it costs each client today to leave through each gateway, by road and by rail, and the lanes that do so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siting.model.client_blocks import Block, BlockPricer, reached
from siting.model.costs import Array
from siting.model.lanes import NONE, RAIL, ROAD, Index, LanePricer, Lanes

AT_PORT, AT_DEPOT, BY_RAIL = 0, 1, 2
"""Ways: by road, the box filled at a gateway (a full one at home); by road, the box filled at a depot; by rail."""
MODE_OF_WAY = np.array([ROAD, ROAD, RAIL])


@dataclass(frozen=True)
class GatewayCosts:
    """Cheapest lanes of today by gateway and way, taste apart; arrays of (n_clients, n_gateways, 3).

    Attributes:
        inr_per_t: cost; inf where there is no way.
        hub: place where the box is filled, -1 for full loads.
        terminal: (n_clients, n_gateways) place where the box changes to rail, of lanes by rail.
    """

    inr_per_t: Array
    hub: Index
    terminal: Index

    def by_mode(self) -> Array:
        """(n_clients, n_gateways, 2) cost by road and by rail."""
        by_road = self.inr_per_t[:, :, [AT_PORT, AT_DEPOT]].min(axis=2)
        return np.stack([by_road, self.inr_per_t[:, :, BY_RAIL]], axis=2)

    def by_depot(self) -> NDArray[np.bool_]:
        """(n_clients, n_gateways) whether the box of the lane by road is filled, and so cleared, at an inland depot.

        A box that goes by rail always is: full ones are cleared at the terminal.
        """
        return np.asarray(self.inr_per_t[:, :, AT_DEPOT] < self.inr_per_t[:, :, AT_PORT])


def gateway_costs(pricer: LanePricer, clients: Index | None = None) -> GatewayCosts:
    """Price the cheapest lane of what exists through each gateway, for all clients or for these."""
    which = np.arange(len(pricer.clients)) if clients is None else clients
    costs, places = BlockPricer(pricer), pricer.places
    shape = (len(which), len(places.gateways), len(MODE_OF_WAY))
    inr_per_t, hub, terminal = np.full(shape, np.inf), np.full(shape, NONE), np.full(shape[:2], NONE)
    row = np.full(len(pricer.clients), NONE)
    row[which] = np.arange(len(which))
    for part in (False, True):
        for block in costs.blocks(which[pricer.is_part[which] == part], onward=False):
            at = row[block.client]
            if part:
                for way, hubs in ((AT_PORT, places.gateways), (AT_DEPOT, places.depots)):
                    inr_per_t[at, :, way], hub[at, :, way] = _filled_at(hubs, block, costs)
                loaded, loaded_at = _part_loads_to_depots(block, costs)
            else:
                inr_per_t[at, :, AT_PORT], loaded = _full_loads(block, costs)
                loaded_at = np.full(loaded.shape, NONE)
            if not len(places.depots):
                continue
            hour, reefer = block.hour[:, :, None], pricer.reefer[block.client, None, None]
            by_rail = loaded[:, :, None] + reached(costs.rail_cost(hour, reefer, places.depots))
            best = by_rail.argmin(axis=1)
            inr_per_t[at, :, BY_RAIL] = np.take_along_axis(by_rail, best[:, None], axis=1)[:, 0]
            terminal[at] = places.depots[best]
            hub[at, :, BY_RAIL] = np.take_along_axis(loaded_at, best, axis=1)
    return GatewayCosts(inr_per_t, hub, terminal)


def lanes_of_today(
    pricer: LanePricer, costs: GatewayCosts, clients: Index, row: Index, k: int = 1, each_way: bool = False
) -> Lanes:
    """The k lanes of today that clients like best, with their taste in the cost; of each way if asked.

    Args:
        costs: of some clients that differ from these in taste alone.
        clients: (n,) positions in the pricer.
        row: (n,) row of each client in ``costs``.

    Returns:
        Lanes in order of client; one without a way to any gateway has none.
    """
    perceived = costs.inr_per_t[row] + pricer.taste[clients][:, :, MODE_OF_WAY]
    ways = np.arange(len(MODE_OF_WAY))
    found = []
    for group in ways[:, None] if each_way else ways[None]:
        table = perceived[:, :, group].reshape(len(clients), -1)
        order = np.argsort(table, axis=1, kind="stable")[:, :k]
        i, rank = np.nonzero(np.isfinite(np.take_along_axis(table, order, axis=1)))
        gateway, at = np.divmod(order[i, rank], len(group))
        way = group[at]
        terminal = np.where(way == BY_RAIL, costs.terminal[row[i], gateway], NONE)
        hub = costs.hub[row[i], gateway, way]
        cost = perceived[i, gateway, way]
        found.append(Lanes(clients[i], hub, terminal, pricer.places.gateways[gateway], cost))
    return Lanes.joined(found).by_client()


def _full_loads(block: Block, costs: BlockPricer) -> tuple[Array, Array]:
    """Cost by road to each gateway, (n_block, n_gateways), and to each depot to go on by rail, (n_block, n_depots)."""
    places = costs.places

    def leg(ends: Index, per_km: Array) -> Array:
        freight = costs.full_load_inr_per_t[block.origin, ends] * (block.reefer + block.lever)
        return reached(freight + block.km[:, ends] * per_km)

    by_road = leg(places.gateways, block.box_road_km) + block.hour * costs.dwell_h
    return by_road, leg(places.depots, block.box_dray_km)


def _filled_at(hubs: Index, block: Block, costs: BlockPricer) -> tuple[Array, Index]:
    """(n_block, n_gateways) cost of a box filled at the cheapest of some hubs and sent on by road; and that hub."""
    places = costs.places
    shape = (len(block.client), len(places.gateways))
    if not len(hubs):
        return np.full(shape, np.inf), np.full(shape, NONE)
    shed = reached(block.first + block.km * block.road_km)[:, hubs, None] + block.fill[:, :, None]
    road = _boxes(np.ix_(hubs, places.gateways), block, costs, block.box_road_km)
    return _least(shed + road + (block.hour * costs.dwell_h)[:, None], hubs)


def _part_loads_to_depots(block: Block, costs: BlockPricer) -> tuple[Array, Index]:
    """(n_block, n_depots) cost of a box filled at the cheapest hub and brought to a depot's train; and that hub."""
    places = costs.places
    hubs = np.concatenate([places.gateways, places.depots])
    gathered = reached(block.first + block.km * block.dray_km)[:, hubs, None]
    wait = np.where(hubs[:, None] == places.depots, block.fill_at_terminal[:, :, None], block.fill[:, :, None])
    drayage = _boxes(np.ix_(hubs, places.depots), block, costs, block.box_dray_km)
    return _least(gathered + drayage + wait, hubs)


def _boxes(legs: tuple[Index, ...], block: Block, costs: BlockPricer, per_km: Array) -> Array:
    """(n_block, n_starts, n_ends) cost of a box by road between places that are nobody's own district."""
    freight, km = costs.box_inr_per_t[legs], costs.places.road_km[legs]
    return reached(freight * block.reefer[:, :, None] + km * per_km[:, :, None])


def _least(cost: Array, hubs: Index) -> tuple[Array, Index]:
    """Least over the middle axis, and the hub that gives it."""
    best = cost.argmin(axis=1)
    return np.take_along_axis(cost, best[:, None], axis=1)[:, 0], hubs[best]

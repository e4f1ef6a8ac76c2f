"""What it costs each client today to leave through each gateway, by road and by rail, and the lanes that do so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siting.model.costs import Array
from siting.model.lanes import AT_DEPOT, AT_PORT, BY_RAIL, NONE, RAIL, ROAD, Index, LanePricer, Lanes
from siting.model.legs import Legs, railheads
from siting.model.today_kernels import price_today

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

    def unit(self) -> Array:
        """(n_clients,) r_i of (20): the cheapest way by road, or by rail where there is no other; 0 without a way.

        Not the cheapest of all: what is minded of trains (100) is measured in it too.
        """
        by_road, by_rail = self.by_mode().min(axis=1).T
        least = np.where(np.isfinite(by_road), by_road, by_rail)
        return np.where(np.isfinite(least), least, 0.0)

    def by_depot(self) -> NDArray[np.bool_]:
        """(n_clients, n_gateways) whether the box of the lane by road is filled, and so cleared, at an inland depot.

        A box that goes by rail always is: full ones are cleared at the terminal.
        """
        return np.asarray(self.inr_per_t[:, :, AT_DEPOT] < self.inr_per_t[:, :, AT_PORT])


def gateway_costs(pricer: LanePricer, clients: Index | None = None) -> GatewayCosts:
    """Price the cheapest lane of what exists through each gateway, for all clients or for these."""
    which = np.arange(len(pricer.clients)) if clients is None else clients
    legs, places = Legs(pricer), pricer.places
    shape = (len(which), len(places.gateways), len(MODE_OF_WAY))
    costs = GatewayCosts(np.full(shape, np.inf), np.full(shape, NONE), np.full(shape[:2], NONE))
    onward = legs.onward()
    to_depots = legs.ends(np.concatenate([places.gateways, places.filling_depots]), railheads(places))
    for rows, first_mile, cargo in legs.blocks(which, np.union1d(places.gateways, places.depots)):
        price_today(onward, legs.rates, to_depots, first_mile, cargo, rows, costs.inr_per_t, costs.hub, costs.terminal)
    return costs


def lanes_of_today(
    pricer: LanePricer, costs: GatewayCosts, clients: Index, row: Index, k: int, each_way: bool
) -> Lanes:
    """The k lanes of today that clients like best, with their taste in the cost; of each way if asked.

    Args:
        costs: of some clients that differ from these in taste alone.
        clients: (n,) positions in the pricer.
        row: (n,) row of each client in ``costs``.

    Returns:
        Lanes in order of client; one without a way to any gateway has none.
    """
    perceived, taste = costs.inr_per_t[row], pricer.taste[clients]
    for way, mode in enumerate(MODE_OF_WAY):
        perceived[:, :, way] += taste[:, :, mode]
    ways = np.arange(len(MODE_OF_WAY))
    found = []
    for group in ways[:, None] if each_way else ways[None]:
        table = (perceived[:, :, group] if each_way else perceived).reshape(len(clients), -1)
        first = table.argmin(axis=1)[:, None] if k == 1 else np.argsort(table, axis=1, kind="stable")[:, :k]
        i, rank = np.nonzero(np.isfinite(np.take_along_axis(table, first, axis=1)))
        gateway, at = np.divmod(first[i, rank], len(group))
        way = group[at]
        terminal = np.where(way == BY_RAIL, costs.terminal[row[i], gateway], NONE)
        hub = costs.hub[row[i], gateway, way]
        cost = perceived[i, gateway, way]
        found.append(Lanes(clients[i], hub, terminal, pricer.places.gateways[gateway], cost))
    return Lanes.joined(found).by_client()

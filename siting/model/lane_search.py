"""The search for lanes worth considering: the best that exist, and those through new sites that beat them."""

from __future__ import annotations

import numpy as np

from siting.model.gateway_costs import GatewayCosts, gateway_costs, lanes_of_today
from siting.model.lane_kernels import Found, Shippers, Sites, improving
from siting.model.lanes import Index, LanePricer, Lanes
from siting.model.legs import Legs, railheads

NOWHERE: Index = np.zeros(0, np.int64)
FIRST_ROOM = 1 << 14  # lanes of a block of origins; it grows where they are more


class LaneSearch:
    """Finds lanes for the clients of a pricer, by the costs of :mod:`siting.model.legs`.

    Args:
        today: costs of the pricer's clients, by `LanePricer.client`, where they are known.
    """

    def __init__(self, pricer: LanePricer, today: GatewayCosts | None = None) -> None:
        self.pricer, self.today = pricer, today

    def existing(self, k: int = 1, clients: Index | None = None, each_way: bool = True) -> Lanes:
        """Return lanes of today: of every client those through the ``k`` gateways liked best, by each way.

        A client that no road links to a gateway has none. ``clients``: these only.
        """
        which = np.arange(len(self.pricer.clients)) if clients is None else clients
        if self.today is not None:
            return lanes_of_today(self.pricer, self.today, which, self.pricer.client[which], k, each_way)
        _, first, row = np.unique(self.pricer.client[which], return_index=True, return_inverse=True)
        return lanes_of_today(self.pricer, gateway_costs(self.pricer, which[first]), which, row.ravel(), k, each_way)

    def status_quo(self, clients: Index | None = None) -> Lanes:
        """Return the lane of today that every client (or these) that has one likes best."""
        return self.existing(1, clients, each_way=False)

    def improving(self, existing: Lanes, stores: Index, parks: Index, terminals: Index = NOWHERE) -> Lanes:
        """Return the lanes through new sites that beat the client's status quo, before any charge of use.

        Args:
            existing: the status quo lanes.
            stores: places where a warehouse or cold store may be built.
            parks: places where a logistics park may be built: it fills boxes and puts them on trains.
            terminals: places where a cargo terminal may be built, which puts boxes on trains.

        Exact: a lane is left out only when one through a subset of its facilities costs no more.
        """
        pricer, legs = self.pricer, Legs(self.pricer)
        order = np.argsort(pricer.client[existing.client], kind="stable")
        shipper, quo = existing.client[order], existing.cost_inr_per_t[order]
        _, first, count = np.unique(pricer.client[shipper], return_index=True, return_counts=True)
        onward, places = legs.onward(), self._sites(legs, stores, parks, terminals)
        room, found = FIRST_ROOM, []
        ends = np.unique(np.concatenate([places.hubs, places.sheds.starts, places.near.starts, places.near.ends]))
        for block, first_mile, cargo in legs.blocks(shipper[first], ends):
            begins = np.concatenate([[0], np.cumsum(count[block])])
            rows = np.repeat(first[block] - begins[:-1], count[block]) + np.arange(begins[-1])
            taste = pricer.taste[shipper[rows]]
            who = Shippers(shipper[rows], quo[rows], taste, np.minimum.reduce(taste.transpose(1, 0, 2).copy()))
            here = Found.room(room)
            improving(onward, legs.rates, places, first_mile, cargo, who, begins, here)
            if (n := int(here.counted[0])) > room:
                room, here = 2 * n, Found.room(2 * n)
                improving(onward, legs.rates, places, first_mile, cargo, who, begins, here)
            number, hub, terminal, gateway = here.way[:n].T.astype(np.int64)
            found.append(Lanes(number, hub, terminal, gateway, here.cost[:n].copy()))
        return Lanes.joined(found).by_client()

    def _sites(self, legs: Legs, stores: Index, parks: Index, terminals: Index) -> Sites:
        """Ways among new sites, and between them and what exists."""
        places = self.pricer.places
        hubs = np.union1d(stores, parks)
        heads = legs.ends(hubs, railheads(places))
        low = [np.fmin.reduce(table, axis=1, initial=np.inf) for table in (heads.inr, heads.km)]
        trains = np.union1d(parks, terminals)
        fills = np.isin(trains, parks) | np.isin(trains, stores)
        sheds = legs.ends(np.concatenate([places.filling_depots, places.gateways]), trains)
        near = legs.ends(stores, trains)
        return Sites(hubs, heads, sheds, near, fills, np.isin(trains, terminals), np.stack(low, axis=1))

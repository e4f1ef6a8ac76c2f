"""The search for lanes worth considering: the best that exist, and those through new sites that beat them."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from siting.model.client_blocks import Block, BlockPricer, nanmin
from siting.model.costs import Array
from siting.model.gateway_costs import gateway_costs, lanes_of_today
from siting.model.lanes import NONE, Index, LanePricer, Lanes


class LaneSearch:
    """Finds lanes for the clients of a pricer, by the costs of :mod:`siting.model.client_blocks`."""

    def __init__(self, pricer: LanePricer) -> None:
        self.pricer = pricer
        self.places = pricer.places
        self.costs = BlockPricer(pricer)
        depots = self.places.depots
        self.railheads = depots[np.isfinite(self.places.rail_km[depots]).any(axis=1)]

    def existing(self, k: int = 1, clients: Index | None = None, each_way: bool = True) -> Lanes:
        """Return lanes of today: of every client those through the ``k`` gateways liked best, by each way.

        A client that no road links to a gateway has none. ``clients``: these only.
        """
        which = np.arange(len(self.pricer.clients)) if clients is None else clients
        _, first, row = np.unique(self.pricer.client[which], return_index=True, return_inverse=True)
        return lanes_of_today(self.pricer, gateway_costs(self.pricer, which[first]), which, row.ravel(), k, each_way)

    def status_quo(self, clients: Index | None = None) -> Lanes:
        """Return the lane of today that every client (or these) that has one likes best."""
        return self.existing(1, clients, each_way=False)

    def improving(self, existing: Lanes, sites: Index, parks: Index) -> Lanes:
        """Return the lanes through new sites that beat the client's status quo.

        Args:
            existing: the status quo lanes.
            sites: places where a warehouse or cold store may be built.
            parks: places where a logistics park may be built.

        Exact: a lane through two sites is left out only when one through a subset of its sites costs no more.
        """
        quo = np.full(len(self.pricer.clients), np.nan)
        quo[existing.client] = existing.cost_inr_per_t
        part = self.pricer.is_part[existing.client]
        found = [self._improving_full(block, quo, parks) for block in self.costs.blocks(existing.client[~part])]
        for block in self.costs.blocks(existing.client[part]):
            found += self._improving_part(block, quo, sites, parks)
        return Lanes.joined(found).by_client()

    @cached_property
    def _to_railheads(self) -> tuple[Array, Array]:
        """(n_places, n_railheads) by road: km, and freight of a dry box."""
        km, freight = self.places.road_km[:, self.railheads], self.costs.box_inr_per_t[:, self.railheads]
        return np.ascontiguousarray(km), np.ascontiguousarray(freight)

    def _hub_then_road(self, block: Block, row: Index, hub: Index) -> Array:
        """(n,) cost of consolidating at a hub and going on by road; ``row`` of the block and ``hub`` (n,)."""
        collected = block.first[row, hub] + block.km[row, hub] * block.road_km[row, 0]
        cost: Array = collected + block.fill[row, 0] + block.road[row, hub]
        return cost

    def _hub_then_rail(self, block: Block, row: Index, hub: Index) -> tuple[Array, Index]:
        """(n,) cost of consolidating at a hub and going on by an existing terminal; and that terminal."""
        heads = self.railheads
        if not len(heads):
            return np.full(len(hub), np.inf), np.full(len(hub), NONE)
        km, freight = self._to_railheads
        factor = block.reefer[row] + block.lever[row] * (hub[:, None] == block.origin[row])
        drayage = freight[hub] * factor + km[hub] * block.box_dray_km[row]
        wait = np.where(hub[:, None] == heads, block.fill_at_terminal[row], block.fill[row])
        onward, best = nanmin(drayage + wait + block.rail[:, heads][row])
        cost: Array = block.first[row, hub] + block.km[row, hub] * block.dray_km[row, 0] + onward
        return cost, heads[best]

    def _improving_full(self, block: Block, quo: Array, parks: Index) -> Lanes:
        freight = self.costs.full_load_inr_per_t[block.origin, parks] * (block.reefer + block.lever)
        cost = freight + block.km[:, parks] * block.box_dray_km + block.rail[:, parks]
        b, at = np.nonzero(cost < quo[block.client, None])
        terminal = parks[at]
        return Lanes(block.client[b], np.full(len(b), NONE), terminal, block.rail_gateway[b, terminal], cost[b, at])

    def _improving_part(self, block: Block, quo: Array, sites: Index, parks: Index) -> list[Lanes]:
        """Lanes of part loads through one site, then through two; ``best_alone`` is the least cost with one site."""
        limit = quo[block.client, None]
        hubs = np.union1d(sites, parks)
        row, at = np.nonzero((block.first < limit)[:, hubs])
        found, best_alone = self._through_one(block, limit, row, hubs[at])
        # A park as hub and terminal at once.
        collected = block.first + block.km * block.dray_km
        own_rail = collected[:, parks] + block.fill_at_terminal + block.rail[:, parks]
        b, at = np.nonzero(own_rail < best_alone[:, parks])
        park = parks[at]
        found.append(Lanes(block.client[b], park, park, block.rail_gateway[b, park], own_rail[b, at]))
        best_alone[:, parks] = np.fmin(best_alone[:, parks], own_rail)
        if len(parks):
            gathered = collected + block.fill
            for k in range(len(block.client)):
                found += self._through_park(block, k, gathered[k], best_alone[k], sites, parks)
        return found

    def _through_one(self, block: Block, limit: Array, row: Index, hub: Index) -> tuple[list[Lanes], Array]:
        """Lanes consolidated at a new site that go on by road or by existing rail; the least cost at each place."""
        cost = self._hub_then_road(block, row, hub)
        gateway, terminal = block.road_gateway[row, hub], np.full(len(row), NONE)
        least_rail = np.fmin.reduce(block.rail[:, self.railheads], axis=1, initial=np.inf)
        # Looked at by rail only where it could cost less with drayage for nothing.
        floor = block.first[row, hub] + block.km[row, hub] * block.dray_km[row, 0] + least_rail[row]
        try_rail = np.flatnonzero(floor < np.minimum(cost, limit[row, 0]))
        by_rail, head = self._hub_then_rail(block, row[try_rail], hub[try_rail])
        cheaper = by_rail < cost[try_rail]
        use, head = try_rail[cheaper], head[cheaper]
        cost[use], terminal[use], gateway[use] = by_rail[cheaper], head, block.rail_gateway[row[use], head]
        better = cost < limit[row, 0]
        best_alone = np.repeat(limit, len(self.places), axis=1)
        best_alone[row[better], hub[better]] = cost[better]
        return [Lanes(block.client[row], hub, terminal, gateway, cost).take(better)], best_alone

    def _through_park(
        self, block: Block, k: int, gathered: Array, best_alone: Array, sites: Index, parks: Index
    ) -> list[Lanes]:
        """Part loads of one client of a block that are boxed elsewhere and change to rail at a new park.

        Args:
            gathered: (n_places,) cost of bringing a part load to each place and boxing it there.
            best_alone: (n_places,) least cost with a new site at each place alone; updated.
        """
        client, rail, gateway = block.client[k], block.rail[k], block.rail_gateway[k]

        def then_park(near: Index, ends: Index) -> Array:
            """(n_near, n_ends) cost of boxing at a place and taking the box to a park's rail."""
            legs = np.ix_(near, ends)
            factor = block.reefer[k, 0] + block.lever[k, 0] * (near == block.origin[k, 0])
            freight = self.costs.box_inr_per_t[legs] * factor[:, None]
            drayage = freight + self.places.road_km[legs] * block.box_dray_km[k, 0]
            cost: Array = gathered[near][:, None] + drayage + rail[ends]
            return cost

        found = []
        # Of sheds and parks only those are looked at that would do with drayage for nothing: few, of thousands.
        # An existing depot, then a park's rail.
        shed = np.concatenate([self.places.depots, self.places.gateways])
        ends = parks[_least(gathered[shed]) + rail[parks] < best_alone[parks]]
        shed = shed[gathered[shed] + _least(rail[ends]) < best_alone[ends].max(initial=0.0)]
        if len(ends) and len(shed):
            by_shed, best = nanmin(then_park(shed, ends).T)
            keep = np.flatnonzero(by_shed < best_alone[ends])
            park = ends[keep]
            found.append(Lanes(np.full(len(keep), client), shed[best[keep]], park, gateway[park], by_shed[keep]))
            best_alone[park] = by_shed[keep]
        # A warehouse or cold store, then a park's rail.
        near = sites[gathered[sites] + _least(rail[parks]) < best_alone[sites]]
        ends = parks[_least(gathered[near]) + rail[parks] < best_alone[parks]]
        if len(near) and len(ends):
            two = then_park(near, ends)
            limit = np.minimum(best_alone[near][:, None], best_alone[ends][None, :])
            i, j = np.nonzero((two < limit) & (near[:, None] != ends[None, :]))
            found.append(Lanes(np.full(len(i), client), near[i], ends[j], gateway[ends[j]], two[i, j]))
        return found


def _least(values: Array) -> float:
    """The smallest value that is not NaN; inf if there is none."""
    return float(np.fmin.reduce(values, initial=np.inf))

"""What moving costs blocks of clients, as tables over places: what searches over lanes add up.

The price of a lane is stated in :meth:`siting.model.lanes.LanePricer.parts`, part by part. These tables state it a
second time, in sums: of some 10^7 conceivable lanes of a country 10^4 are worth keeping, and only those can be listed.
Both take their rates from one `Tariff`. Three things hold the two together: the tests compare every search with all
conceivable lanes priced by their parts, on random maps and under every lever; ``siting.plan`` compares both prices of
every lane of every plan; and what is reported is always the sum of the parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from siting.model.costs import Array
from siting.model.lanes import RAIL, ROAD, Index, LanePricer

BLOCK = 32  # clients looked at together; their tables fit a processor's cache


@dataclass(frozen=True)
class Block:
    """Some clients and what they pay; arrays of (n_block, 1) unless said otherwise, costs in INR/t.

    Args:
        client: (n_block,) positions.
        origin: district.
        km: (n_block, n_places) first mile.
        hour: of an hour of transit.
        road_km: transit time of a road km, for boxes that stay on the road.
        dray_km: the same for boxes that change to rail.
        box_road_km: time and carbon of a trailer km, for boxes that stay on the road.
        box_dray_km: the same for boxes that change to rail.
        reefer: what its boxes cost over dry ones, in freight.
        lever: what freight from the client's own district costs beyond that where the first mile is dear.
        first: (n_block, n_places) of bringing a part load to each place and stuffing it there, without its hours.
        rail: (n_block, n_places) from each place by rail to its best gateway, with handling and dwell.
        rail_gateway: (n_block, n_places) that gateway.
        road: (n_block, n_places) of a box by road from each place to its best gateway, with dwell; from the client's
            own district with the lever.
        road_gateway: (n_block, n_places) that gateway.
        fill: of waiting for a box to fill.
        fill_at_terminal: of what that wait adds where the box fills while it waits for the train.
    """

    client: Index
    origin: Index
    km: Array
    hour: Array
    road_km: Array
    dray_km: Array
    box_road_km: Array
    box_dray_km: Array
    reefer: Array
    lever: Array
    first: Array
    rail: Array
    rail_gateway: Index
    road: Array
    road_gateway: Index
    fill: Array
    fill_at_terminal: Array


class BlockPricer:
    """Prices blocks of clients of a pricer.

    Clients of a block whose hour is worth the same and who need the same boxes share what a box costs from each place
    on; each adds its own taste.
    """

    def __init__(self, pricer: LanePricer) -> None:
        self.pricer = pricer
        self.places = pricer.places
        self.tariff = pricer.tariff
        self.dwell_h = pricer.conditions.gateway_dwell_h

    def blocks(self, clients: Index, onward: bool = True) -> Iterator[Block]:
        """Yield the clients in their order, `BLOCK` at a time; without ``onward`` their rail and road stay empty."""
        for start in range(0, len(clients), BLOCK):
            yield self._block(clients[start : start + BLOCK], onward)

    def _block(self, client: Index, onward: bool) -> Block:
        tariff, pricer = self.tariff, self.pricer
        km = self.places.first_mile_km[pricer.origin[client]]
        hour, reefer = pricer.time_value[client, None], pricer.reefer[client, None]
        weak = pricer.first_mile[client, None]
        dray_km = tariff.road_h_per_km * hour
        freight, carbon = (table[pricer.origin[client]] for table in self._collection)
        empty = np.zeros((len(client), 0)), np.zeros((len(client), 0), np.int64)
        rail, rail_gateway, road, road_gateway = self._onward(client) if onward else (*empty, *empty)
        if onward:
            self._mark_up_own_district(client, road, road_gateway)
        fill_h = tariff.consolidation_dwell_h
        return Block(
            origin=pricer.origin[client, None],
            client=client,
            km=km,
            hour=hour,
            road_km=self._road_h_per_km * hour,
            dray_km=dray_km,
            box_road_km=self._box_carbon_km + self._road_h_per_km * hour,
            box_dray_km=self._box_carbon_km + dray_km,
            reefer=reefer,
            lever=reefer * (weak - 1),
            first=freight * reefer * weak + carbon + self._stuffing(client),
            rail=rail,
            rail_gateway=rail_gateway,
            road=road,
            road_gateway=road_gateway,
            fill=hour * fill_h,
            fill_at_terminal=hour * (max(tariff.terminal_dwell_h, fill_h) - tariff.terminal_dwell_h),
        )

    @cached_property
    def box_inr_per_t(self) -> Array:
        """(n_places, n_places) freight of a full dry box by road."""
        return self.tariff.full_load_inr_per_t(self.places.road_km)

    @cached_property
    def full_load_inr_per_t(self) -> Array:
        """(n_places, n_places) freight of a full dry load by road, from the exporters of a district."""
        return self.tariff.full_load_inr_per_t(self.places.first_mile_km)

    @cached_property
    def _rail_money(self) -> Array:
        """(2, n_places, n_gateways) freight of a full dry box by rail, and the cost of its carbon."""
        km, tariff = self.places.rail_km, self.tariff
        return np.stack([tariff.rail_inr_per_t(km), km * tariff.rail_kg_per_t_km * tariff.carbon_inr_per_kg])

    @cached_property
    def _collection(self) -> tuple[Array, Array]:
        """(n_places, n_places) freight of a dry part load by road, and the cost of its carbon."""
        km, tariff = self.places.first_mile_km, self.tariff
        return tariff.part_load_inr_per_t(km), tariff.part_load_kg_per_t(km) * tariff.carbon_inr_per_kg

    def _stuffing(self, client: Index) -> Array:
        """(n_clients, n_places) cost of stuffing a box, in a cold room where the cargo perishes."""
        is_site = self.places.is_site
        shortage = np.where(is_site, 1.0, 1.0 + self.pricer.conditions.shortage_markup)
        cold_room = np.where(is_site, 0.0, self.pricer.cold_room[client, None])
        return np.asarray(self.tariff.stuffing_inr_per_t * shortage + cold_room)

    @property
    def _road_h_per_km(self) -> float:
        """Hours of a km of a lane that goes by road only."""
        return self.tariff.road_h_per_km * (1.0 + self.pricer.conditions.road_only_delay)

    @property
    def _box_carbon_km(self) -> float:
        """Carbon cost of a trailer km."""
        return self.tariff.trailer_kg_per_t_km * self.tariff.carbon_inr_per_kg

    def _onward(self, client: Index) -> tuple[Array, Index, Array, Index]:
        """(n_block, n_places) cost of a box from each place by rail to the best gateway, and that; the same by road."""
        pricer = self.pricer
        boxes = np.column_stack([pricer.time_value[client], pricer.reefer[client]])
        different, which = np.unique(boxes, axis=0, return_inverse=True)
        hour, reefer = different.T[:, :, None, None]
        rail = self.rail_cost(hour, reefer, np.arange(len(self.places)))
        road = self._by_road(hour, reefer)
        best = (
            self._to_best_gateway(table, which.ravel(), pricer.taste[client, :, mode])
            for table, mode in ((rail, RAIL), (road, ROAD))
        )
        (by_rail, rail_gateway), (by_road, road_gateway) = best
        return by_rail, rail_gateway, by_road, road_gateway

    def rail_cost(self, hour: Array, reefer: Array, terminals: Index) -> Array:
        """(n, n_terminals, n_gateways) cost of a box by rail, with handling and dwell.

        Args:
            hour, reefer: (n, 1, 1) cost of an hour and freight factor.
            terminals: (n_terminals,) places.
        """
        tariff = self.tariff
        freight, carbon = self._rail_money[:, terminals]
        fixed = tariff.terminal_inr_per_t + hour * (2 * tariff.rake_handling_h + tariff.terminal_dwell_h)
        total: Array = freight * reefer + carbon + hour * (self.places.rail_h[terminals] + self.dwell_h) + fixed
        return total

    def _by_road(self, hour: Array, reefer: Array) -> Array:
        """(n, n_places, n_gateways) cost of a box by road, with dwell."""
        gateways = self.places.gateways
        km, freight = self.places.road_km[:, gateways], self.box_inr_per_t[:, gateways]
        per_km = self._box_carbon_km + self._road_h_per_km * hour
        cost: Array = freight * reefer + km * per_km + hour * self.dwell_h
        return cost

    def _mark_up_own_district(self, client: Index, road: Array, road_gateway: Index) -> None:
        """Put into the tables of `_onward` what boxes pay by road from districts whose first mile is dear."""
        pricer, row = self.pricer, np.flatnonzero(self.pricer.first_mile[client] != 1.0)
        dear = client[row]
        origin, hour, reefer = pricer.origin[dear], pricer.time_value[dear, None], pricer.reefer[dear, None]
        own = np.ix_(origin, self.places.gateways)
        freight = self.box_inr_per_t[own] * reefer * pricer.first_mile[dear, None]
        per_km = self._box_carbon_km + self._road_h_per_km * hour
        cost = reached(freight + self.places.road_km[own] * per_km + hour * self.dwell_h + pricer.taste[dear, :, ROAD])
        best = cost.argmin(axis=1)
        road[row, origin] = cost[np.arange(len(row)), best]
        road_gateway[row, origin] = self.places.gateways[best]

    def _to_best_gateway(self, table: Array, which: Index, taste: Array) -> tuple[Array, Index]:
        """(n_block, n_places) cost to the gateway liked best (inf: none), and that gateway's place.

        Args:
            table: (n, n_places, n_gateways) cost; NaN where there is no way.
            which: (n_block,) row of the table that a client pays.
            taste: (n_block, n_gateways).
        """
        least = np.full((len(which), table.shape[1]), np.inf)
        column = np.zeros(least.shape, np.int64)
        for gateway, cost in enumerate(np.moveaxis(table, 2, 0).copy()):  # 17 sweeps are faster than a search of 17
            perceived = cost[which] + taste[:, gateway, None]
            nearer = perceived < least
            least[nearer] = perceived[nearer]
            column[nearer] = gateway
        return least, self.places.gateways[column]


def reached(values: Array) -> Array:
    """Values with inf in place of NaN."""
    return np.where(np.isnan(values), np.inf, values)


def nanmin(values: Array) -> tuple[Array, Index]:
    """Minimum along the last axis that ignores NaN, and its position; inf where there is none."""
    if values.shape[-1] == 0:
        return np.full(values.shape[:-1], np.inf), np.zeros(values.shape[:-1], np.int64)
    filled = np.where(np.isnan(values), np.inf, values)
    position = filled.argmin(axis=-1)
    return np.take_along_axis(filled, position[..., None], axis=-1)[..., 0], position

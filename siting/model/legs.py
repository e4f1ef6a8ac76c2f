"""Costs of the legs of lanes as tables, which searches over lanes add up.

The price of a lane is stated in :meth:`siting.model.lanes.LanePricer.parts`, part by part. These tables state it a
second time, in sums: of some 10^7 conceivable lanes of a country 10^4 are worth keeping, and only those can be listed.
Both take their rates from one `Tariff`. Three things hold the two together: the tests compare every search with all
conceivable lanes priced by their parts, on random maps and under every lever; ``siting.plan`` compares both prices of
every lane of every plan; and what is reported is always the sum of the parts.

Freight is that of dry cargo whose first mile is easy; a client multiplies it. NaN where there is no way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siting.model.costs import Array
from siting.model.lanes import Index, LanePricer
from siting.model.places import Places

BLOCK_ROWS = 64  # rows of places that are priced together; they fit a processor's cache


class Rates(NamedTuple):
    """What is the same for all legs; hours are charged by each client."""

    road_h_per_km: float
    """of lanes that go by road only"""
    dray_h_per_km: float
    """of lanes that change to rail"""
    box_carbon_inr_per_km: float
    fill_h: float
    """until a box is full"""
    train_inr: float
    """handling at the terminal"""
    train_h: float
    """at both ends of the train"""


class Onward(NamedTuple):
    """A box from each place to the gateways, by road and by rail; (n_places, n_gateways) unless said otherwise.

    Args:
        gateways: (n_gateways,) places.
        dwell_h: (n_gateways,) hours a box waits there.
        stuffing: (n_places,) INR/t of stuffing a box of dry cargo.
        cold: (n_places,) whether cargo that perishes pays for a cold room there.
        filling_h: (n_places,) hours beyond the wait for a train until a box that fills there is full.
        halvings: (n_places,) as of `LanePricer`.
        road_inr, road_km, rail_inr, rail_carbon, rail_h: freight, km, cost of carbon, hours of waiting and running.
        low_road, low_rail: (n_places, 3) least freight, km or carbon, and hours to any gateway; NaN without a way.
    """

    gateways: Index
    dwell_h: Array
    stuffing: Array
    cold: NDArray[np.bool_]
    filling_h: Array
    halvings: Array
    road_inr: Array
    road_km: Array
    rail_inr: Array
    rail_carbon: Array
    rail_h: Array
    low_road: Array
    low_rail: Array


class Ends(NamedTuple):
    """A box by road from some places to some others: freight and km, (n_starts, n_ends)."""

    starts: Index
    ends: Index
    inr: Array
    km: Array


class FirstMile(NamedTuple):
    """Cargo of some origins to places, (n_origins, n_places): km, freight and carbon of part loads, of a box.

    Args:
        ends: the places that are asked about; NaN for others.
    """

    ends: Index
    km: Array
    part_inr: Array
    part_carbon: Array
    box_inr: Array


class Cargo(NamedTuple):
    """Some clients; all (n,): row of their first mile, origin, INR/t an hour, freight factors, cold room, what they
    mind rarer trains, load.
    """

    row: Index
    origin: Index
    hour: Array
    reefer: Array
    weak: Array
    cold_room: Array
    rarity: Array
    part: NDArray[np.bool_]


class Legs:
    """Tables of the legs of a pricer's lanes."""

    def __init__(self, pricer: LanePricer) -> None:
        self.pricer, self.places = pricer, pricer.places
        tariff, levers = pricer.tariff, pricer.conditions
        self.tariff = tariff
        self.rates = Rates(
            tariff.road_h_per_km * (1.0 + levers.road_only_delay),
            tariff.road_h_per_km,
            tariff.trailer_kg_per_t_km * tariff.carbon_inr_per_kg,
            tariff.consolidation_dwell_h,
            tariff.terminal_inr_per_t,
            2 * tariff.rake_handling_h + tariff.rake_wait_h,
        )

    def onward(self) -> Onward:
        """From every place to the gateways."""
        places, tariff = self.places, self.tariff
        dwell_h = self.pricer.conditions.gateway_dwell_h
        shortage = np.where(places.is_site, 1.0, 1.0 + self.pricer.conditions.shortage_markup)
        road_km = places.road_km[:, places.gateways]
        road_inr, rail_inr = tariff.full_load_inr_per_t(road_km), tariff.rail_inr_per_t(places.rail_km)
        rail_carbon = tariff.rail_kg_per_t_km * tariff.carbon_inr_per_kg * places.rail_km
        wait_h = tariff.terminal_dwell_h(self.pricer.trains_per_week)
        rail_h = places.rail_h + wait_h[:, None]
        return Onward(
            gateways=places.gateways,
            dwell_h=dwell_h,
            stuffing=tariff.stuffing_inr_per_t * shortage,
            cold=~places.is_site,
            filling_h=np.maximum(tariff.consolidation_dwell_h - wait_h, 0.0),
            halvings=self.pricer.halvings,
            road_inr=np.ascontiguousarray(road_inr),
            road_km=np.ascontiguousarray(road_km),
            rail_inr=np.ascontiguousarray(rail_inr),
            rail_carbon=np.ascontiguousarray(rail_carbon),
            rail_h=np.ascontiguousarray(rail_h),
            low_road=_least(road_inr, road_km, np.broadcast_to(dwell_h, road_km.shape)),
            low_rail=_least(rail_inr, rail_carbon, rail_h + dwell_h),
        )

    def ends(self, starts: Index, ends: Index) -> Ends:
        """Boxes by road between places."""
        shape = len(starts), len(ends)
        inr, km = np.empty(shape), np.empty(shape)
        for at in range(0, len(starts), BLOCK_ROWS):
            rows = slice(at, at + BLOCK_ROWS)
            km[rows] = self.places.road_km[np.ix_(starts[rows], ends)]
            inr[rows] = self.tariff.full_load_inr_per_t(km[rows])
        return Ends(starts, ends, inr, km)

    def blocks(self, clients: Index, ends: Index) -> Iterator[tuple[Index, FirstMile, Cargo]]:
        """Yield clients by origin: positions in ``clients``, and what their cargo pays first, to ``ends``.

        The tables stand until the next are asked for.
        """
        pricer, tariff = self.pricer, self.tariff
        order = np.argsort(pricer.origin[clients], kind="stable")
        origins, first = np.unique(pricer.origin[clients][order], return_index=True)
        begins = np.append(first, len(order))
        room = np.full((4, BLOCK_ROWS, len(self.places.table)), np.nan)
        for at in range(0, len(origins), BLOCK_ROWS):
            here = origins[at : at + BLOCK_ROWS]
            which = order[begins[at] : begins[at + len(here)]]
            client = clients[which]
            km = self.places.first_mile_km[np.ix_(here, ends)]
            freight, kg = tariff.part_load_per_t(km)
            origin = pricer.origin[client]
            tables = [table[: len(here)] for table in room]
            for table, filled in zip(
                tables, (km, freight, kg * tariff.carbon_inr_per_kg, tariff.full_load_inr_per_t(km)), strict=True
            ):
                table[:, ends] = filled
            yield (
                which,
                FirstMile(ends, *tables),
                Cargo(
                    np.searchsorted(here, origin), origin, pricer.time_value[client], pricer.reefer[client],
                    pricer.first_mile[client], pricer.cold_room[client], pricer.rarity[client],
                    pricer.is_part[client],
                ),
            )  # fmt: skip


def railheads(places: Places) -> Index:
    """Depots with a way by rail."""
    depots = places.depots
    return depots[np.isfinite(places.rail_km[depots]).any(axis=1)]


def _least(*tables: Array) -> Array:
    """(n, n_tables) least of each row of tables; NaN where a row has none."""
    return np.stack([np.fmin.reduce(table, axis=1) for table in tables], axis=1)

"""Lanes: every way worth considering for a district's cargo to reach a gateway.

A lane is described by four columns, the same for all kinds:

==============  ==========================================================================================
``client``      (district, cargo class, load)
``hub``         place where part loads are consolidated into boxes; -1 for full loads
``terminal``    place where the box changes to rail; -1 when it stays on the road
``gateway``     place where it leaves India
==============  ==========================================================================================

Hub and terminal may be one place. Places that exist are free; a place of kind ``district`` or ``planned`` is a
site, and the lane then needs an open option there. A part load that goes straight to a port is consolidated
there (hub = gateway).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.costs import Array, Tariff
from siting.places import Places

Index = NDArray[np.int64]
NONE = -1
CARGO_CLASSES = ("general", "perishable")
LOADS = ("full", "part")


@dataclass(frozen=True)
class Conditions:
    """Study-wide settings of lanes besides rates (the levers of the parameter table)."""

    gateway_dwell_h: Array
    """(n_gateways,) hours a box waits at each gateway"""
    road_only_delay: float
    shortage_markup: float


@dataclass(frozen=True)
class Lanes:
    """Priced lanes as parallel arrays of length n_lanes; cost is generalised (money, time and carbon)."""

    client: Index
    hub: Index
    terminal: Index
    gateway: Index
    cost_inr_per_t: Array

    def __len__(self) -> int:
        return len(self.client)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Lanes:
        """Return the given lanes."""
        return Lanes(
            self.client[rows], self.hub[rows], self.terminal[rows], self.gateway[rows], self.cost_inr_per_t[rows]
        )  # fmt: skip


class LanePricer:
    """Prices lanes of one study: one formula for the search, the report and the check.

    Args:
        places: points and the matrices among them.
        tariff: rates.
        conditions: dwell and levers.
        clients: one row per client with columns ``place``, ``cargo_class``, ``load``,
            ``time_inr_per_t_h`` (value of an hour) and ``first_mile_factor`` (weak-access lever).
    """

    def __init__(self, places: Places, tariff: Tariff, conditions: Conditions, clients: pd.DataFrame) -> None:
        self.places = places
        self.tariff = tariff
        self.conditions = conditions
        self.clients = clients
        self.origin = clients["place"].to_numpy(np.int64)
        self.is_part = (clients["load"] == "part").to_numpy()
        self.time_value = clients["time_inr_per_t_h"].to_numpy(np.float64)
        self.first_mile = clients["first_mile_factor"].to_numpy(np.float64)
        self.reefer = np.where(clients["cargo_class"] == "perishable", tariff.reefer_factor, 1.0)
        self.gateway_of_place = np.full(len(places), NONE)
        self.gateway_of_place[places.gateways] = np.arange(len(places.gateways))

    def parts(self, lanes: Lanes) -> pd.DataFrame:
        """Break lanes into parts, in order of travel.

        Returns:
            One row per lane and part: ``lane`` (position), ``mode`` (road, rail, handling, dwell), ``from`` and
            ``to`` (places), ``km``, ``hours``, ``freight_inr_per_t`` (money), ``co2e_kg_per_t`` and
            ``cost_inr_per_t`` (money, time and carbon). Parts of zero cost are left out.
        """
        tariff, places, client = self.tariff, self.places, lanes.client
        origin, hub, terminal, gateway = self.origin[client], lanes.hub, lanes.terminal, lanes.gateway
        reefer = self.reefer[client]
        consolidated, by_rail = hub != NONE, terminal != NONE
        delay = np.where(by_rail, 1.0, 1.0 + self.conditions.road_only_delay)
        dwell_g = self.conditions.gateway_dwell_h[self.gateway_of_place[gateway]]
        box_at = np.where(consolidated, hub, origin)  # where the sealed box starts
        road_to = np.where(by_rail, terminal, gateway)
        zero = np.zeros(len(lanes))
        rows = []

        def add(mask: NDArray[np.bool_], mode: str, start: Index, end: Index, km: Array, hours: Array,
                money: Array, kg: Array) -> None:  # fmt: skip
            lane = np.flatnonzero(mask)
            rows.append(
                pd.DataFrame({
                    "lane": lane, "part": len(rows), "mode": mode, "from": start[lane], "to": end[lane],
                    "km": km[lane], "hours": hours[lane], "freight_inr_per_t": money[lane],
                    "co2e_kg_per_t": kg[lane],
                })
            )  # fmt: skip

        km = places.first_mile_km[origin, np.where(consolidated, hub, origin)]
        factor = reefer * self.first_mile[client]
        add(consolidated, "road", origin, hub, km, km * tariff.road_h_per_km * delay,
            tariff.part_load_inr_per_t(km) * factor, tariff.part_load_kg_per_t(km))  # fmt: skip
        stuffing = tariff.stuffing_inr_per_t * np.where(
            places.is_site[hub], 1.0, 1.0 + self.conditions.shortage_markup
        )
        add(consolidated, "handling", hub, hub, zero, zero, stuffing, zero)
        fill_h = np.where(by_rail & (hub == terminal), 0.0, tariff.consolidation_dwell_h)
        add(consolidated & (fill_h > 0), "dwell", hub, hub, zero, fill_h, zero, zero)
        km = np.where(consolidated, places.road_km[box_at, road_to], places.first_mile_km[origin, road_to])
        factor = reefer * np.where(consolidated, 1.0, self.first_mile[client])
        add(~consolidated | (box_at != road_to), "road", box_at, road_to, km, km * tariff.road_h_per_km * delay,
            tariff.full_load_inr_per_t(km) * factor, tariff.full_load_kg_per_t(km))  # fmt: skip
        add(by_rail, "handling", terminal, terminal, zero, zero + tariff.rake_handling_h,
            zero + tariff.terminal_inr_per_t, zero)  # fmt: skip
        wait_h = np.where(
            consolidated & (hub == terminal),
            max(tariff.terminal_dwell_h, tariff.consolidation_dwell_h),
            tariff.terminal_dwell_h,
        )
        add(by_rail, "dwell", terminal, terminal, zero, wait_h, zero, zero)
        column = self.gateway_of_place[gateway]
        km, hours = places.rail_km[terminal, column], places.rail_h[terminal, column]
        add(by_rail, "rail", terminal, gateway, km, hours + tariff.rake_handling_h,
            tariff.rail_inr_per_t_km * km * reefer, tariff.rail_kg_per_t_km * km)  # fmt: skip
        add(np.ones(len(lanes), bool), "dwell", gateway, gateway, zero, dwell_g, zero, zero)
        parts = pd.concat(rows, ignore_index=True).sort_values(["lane", "part"], kind="stable", ignore_index=True)
        parts["part"] = parts.groupby("lane").cumcount() + 1
        parts["cost_inr_per_t"] = (
            parts["freight_inr_per_t"]
            + parts["hours"] * self.time_value[client[parts["lane"].to_numpy()]]
            + parts["co2e_kg_per_t"] * tariff.carbon_inr_per_kg
        )
        return parts

    def existing(self) -> Lanes:
        """Return the status quo: the cheapest lane of every client that uses only what exists.

        A client that no road links to a gateway has no lane.
        """
        found = [self._status_quo(i) for i in range(len(self.clients))]
        return _collect([lane for lane in found if lane is not None])

    def improving(self, existing: Lanes, sites: Index, parks: Index) -> Lanes:
        """Return the lanes through new sites that beat the client's status quo.

        Args:
            existing: the status quo lanes.
            sites: places where a warehouse or cold store may be built.
            parks: places where a logistics park may be built.

        Exact: a lane through two sites is left out only when one through a subset of its sites costs no more.
        """
        quo = np.full(len(self.clients), np.nan)
        quo[existing.client] = existing.cost_inr_per_t
        found = []
        for i in existing.client:
            found.extend(
                self._part_lanes(int(i), quo[i], sites, parks)
                if self.is_part[i]
                else self._full_lanes(int(i), quo[i], parks)
            )
        return _collect(found)

    # -- one client at a time -------------------------------------------------------------------------------

    def _first_mile(self, i: int) -> Array:
        """(n_places,) cost of bringing a part load to each place and stuffing it there, without waiting."""
        km = self.places.first_mile_km[self.origin[i]]
        stuffing = self.tariff.stuffing_inr_per_t * np.where(
            self.places.is_site, 1.0, 1.0 + self.conditions.shortage_markup
        )
        return (
            self.tariff.part_load_inr_per_t(km) * self.reefer[i] * self.first_mile[i]
            + self.tariff.part_load_kg_per_t(km) * self.tariff.carbon_inr_per_kg
            + stuffing
        )

    def _road_h_cost(self, i: int, rail: bool) -> float:
        """Return the time cost of one road km for client i."""
        delay = 1.0 if rail else 1.0 + self.conditions.road_only_delay
        return float(self.tariff.road_h_per_km * delay * self.time_value[i])

    def _box_km_cost(self, i: int, rail: bool) -> float:
        """Return the cost of one trailer km (money, time, carbon) for client i, first-mile lever aside."""
        carbon = self.tariff.trailer_kg_per_t_km * self.tariff.carbon_inr_per_kg
        return self.tariff.trailer_inr_per_t_km * float(self.reefer[i]) + carbon + self._road_h_cost(i, rail)

    def _rail(self, i: int) -> tuple[Array, Index]:
        """(n_places,) cost from each place by rail to its best gateway, with handling and dwell; and the gateway."""
        tariff, value = self.tariff, self.time_value[i]
        per_km = (
            tariff.rail_inr_per_t_km * self.reefer[i] + tariff.rail_kg_per_t_km * tariff.carbon_inr_per_kg
        )
        fixed = tariff.terminal_inr_per_t + value * (2 * tariff.rake_handling_h + tariff.terminal_dwell_h)
        total = (
            self.places.rail_km * per_km
            + value * (self.places.rail_h + self.conditions.gateway_dwell_h)
            + fixed
        )
        return self._to_best_gateway(total)

    def _road(self, i: int, from_origin: bool) -> tuple[Array, Index]:
        """(n_places or 1,) cost of a box by road to its best gateway, and that gateway."""
        gateways = self.places.gateways
        km = self.places.first_mile_km[[self.origin[i]]] if from_origin else self.places.road_km
        km = km[:, gateways]
        lever = self.reefer[i] * self.tariff.trailer_inr_per_t_km * (self.first_mile[i] - 1) * from_origin
        cost = km * (self._box_km_cost(i, rail=False) + lever)
        return self._to_best_gateway(cost + self.time_value[i] * self.conditions.gateway_dwell_h)

    def _to_best_gateway(self, cost: Array) -> tuple[Array, Index]:
        """Cheapest gateway of each row of an (n, n_gateways) table: its cost and its place."""
        cheapest, column = _nanmin(cost)
        return cheapest, self.places.gateways[column]

    def _extra_wait(self, i: int, hub_is_terminal: NDArray[np.bool_] | bool) -> Array:
        """Cost of waiting for a box to fill; at a terminal it fills while it waits for the train."""
        fill = self.tariff.consolidation_dwell_h
        shared = max(self.tariff.terminal_dwell_h, fill) - self.tariff.terminal_dwell_h
        return self.time_value[i] * np.where(hub_is_terminal, shared, fill)

    def _status_quo(self, i: int) -> Lanes | None:
        places = self.places
        rail, rail_gateway = self._rail(i)
        depots = places.depots
        if not self.is_part[i]:
            road, road_gateway = self._road(i, from_origin=True)
            lever = self.reefer[i] * self.tariff.trailer_inr_per_t_km * (self.first_mile[i] - 1)
            drayage = places.first_mile_km[self.origin[i], depots] * (self._box_km_cost(i, rail=True) + lever)
            by_rail = drayage + rail[depots]
            best = _argmin(by_rail)
            if best is not None and not by_rail[best] >= road[0]:
                return _lane(i, NONE, depots[best], rail_gateway[depots[best]], by_rail[best])
            return _lane(i, NONE, NONE, road_gateway[0], road[0]) if np.isfinite(road[0]) else None
        candidates = [self._via(i, h) for h in (places.gateways, depots)]
        lanes = [lane for lane in candidates if lane is not None]
        return min(lanes, key=lambda lane: float(lane.cost_inr_per_t[0]), default=None)

    def _via(self, i: int, hubs: Index) -> Lanes | None:
        """Cheapest lane of part-load client i through one of the given existing places."""
        cost, terminal, gateway = self._through_hubs(i, hubs)
        best = _argmin(cost)
        return None if best is None else _lane(i, hubs[best], terminal[best], gateway[best], cost[best])

    def _through_hubs(self, i: int, hubs: Index) -> tuple[Array, Index, Index]:
        """Cost, terminal and gateway of part-load client i through each hub, onward over what exists."""
        places = self.places
        km = places.first_mile_km[self.origin[i], hubs]
        first = self._first_mile(i)[hubs]
        road, road_gateway = self._road(i, from_origin=False)
        by_road = first + km * self._road_h_cost(i, rail=False) + self._extra_wait(i, False) + road[hubs]
        rail, rail_gateway = self._rail(i)
        depots = places.depots
        drayage = places.road_km[np.ix_(hubs, depots)] * self._box_km_cost(i, rail=True)
        wait = self._extra_wait(i, hubs[:, None] == depots[None, :])
        onward = drayage + wait + rail[depots]
        cost_rail, best = _nanmin(onward)
        by_rail = first + km * self._road_h_cost(i, rail=True) + cost_rail
        use_rail = ~(by_rail >= by_road) & np.isfinite(by_rail)
        terminal = np.where(use_rail, depots[best] if len(depots) else NONE, NONE)
        gateway = np.where(use_rail, rail_gateway[terminal], road_gateway[hubs])
        return np.where(use_rail, by_rail, by_road), terminal, gateway

    def _full_lanes(self, i: int, quo: float, parks: Index) -> list[Lanes]:
        rail, gateway = self._rail(i)
        lever = self.reefer[i] * self.tariff.trailer_inr_per_t_km * (self.first_mile[i] - 1)
        km = self.places.first_mile_km[self.origin[i], parks]
        cost = km * (self._box_km_cost(i, rail=True) + lever) + rail[parks]
        better = np.flatnonzero(cost < quo)
        return [_lanes(i, np.full(len(better), NONE), parks[better], gateway[parks[better]], cost[better])]

    def _part_lanes(self, i: int, quo: float, sites: Index, parks: Index) -> list[Lanes]:
        places = self.places
        affordable = self._first_mile(i) < quo
        sites = sites[affordable[sites]]
        hubs = np.union1d(sites, parks[affordable[parks]])
        cost, terminal, gateway = self._through_hubs(i, hubs)
        better = np.flatnonzero(cost < quo)
        found = [_lanes(i, hubs[better], terminal[better], gateway[better], cost[better])]
        best_alone = np.full(len(places), quo)
        best_alone[hubs] = np.fmin(cost, quo)
        # A park as hub and terminal at once.
        rail, rail_gateway = self._rail(i)
        km = places.first_mile_km[self.origin[i]]
        first = self._first_mile(i) + km * self._road_h_cost(i, rail=True)
        own_rail = first[parks] + self._extra_wait(i, True) + rail[parks]
        keep = np.flatnonzero(own_rail < best_alone[parks])
        found.append(_lanes(i, parks[keep], parks[keep], rail_gateway[parks[keep]], own_rail[keep]))
        best_alone[parks] = np.fmin(best_alone[parks], own_rail)
        if not len(parks):
            return found

        def then_park(near: Index) -> Array:
            """(n_near, n_parks) cost of consolidating at a place and taking the box to a park's rail."""
            drayage = places.road_km[np.ix_(near, parks)] * self._box_km_cost(i, rail=True)
            return (first[near] + self._extra_wait(i, False))[:, None] + drayage + rail[parks]

        # An existing depot, then a park's rail.
        shed = np.concatenate([places.depots, places.gateways])
        by_shed, best = _nanmin(then_park(shed).T)
        keep = np.flatnonzero(by_shed < best_alone[parks])
        found.append(_lanes(i, shed[best[keep]], parks[keep], rail_gateway[parks[keep]], by_shed[keep]))
        best_alone[parks] = np.fmin(best_alone[parks], by_shed)
        # A warehouse or cold store, then a park's rail.
        near = sites[first[sites] < quo]
        if len(near):
            two = then_park(near)
            limit = np.minimum(best_alone[near][:, None], best_alone[parks][None, :])
            a, b = np.nonzero((two < limit) & (near[:, None] != parks[None, :]))
            found.append(_lanes(i, near[a], parks[b], rail_gateway[parks[b]], two[a, b]))
        return found


def _nanmin(values: Array) -> tuple[Array, Index]:
    """Row minimum that ignores NaN, and its column; inf where a row has none."""
    filled = np.where(np.isnan(values), np.inf, values)
    if filled.shape[1] == 0:
        return np.full(len(filled), np.inf), np.zeros(len(filled), np.int64)
    column = filled.argmin(axis=1)
    return filled[np.arange(len(filled)), column], column


def _argmin(values: Array) -> int | None:
    """Position of the smallest finite value, or None."""
    if not np.isfinite(values).any():
        return None
    return int(np.nanargmin(values))


def _lanes(i: int, hub: Index, terminal: Index, gateway: Index, cost: Array) -> Lanes:
    return Lanes(np.full(len(cost), i), hub, terminal, gateway, cost)


def _lane(i: int, hub: int, terminal: int, gateway: int, cost: float) -> Lanes:
    return _lanes(i, np.array([hub]), np.array([terminal]), np.array([gateway]), np.array([cost]))


def _collect(lanes: list[Lanes]) -> Lanes:
    if not lanes:
        empty = np.zeros(0, np.int64)
        return Lanes(empty, empty, empty, empty, np.zeros(0))
    return Lanes(*(np.concatenate([getattr(lane, f) for lane in lanes]) for f in Lanes.__dataclass_fields__))

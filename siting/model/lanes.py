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

from siting.model.costs import Array, Tariff
from siting.model.places import Places

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


@dataclass(frozen=True)
class _Leg:
    """One part of many lanes; all arrays (n_lanes,), meaningful where ``applies``."""

    applies: NDArray[np.bool_]
    mode: str
    start: Index
    end: Index
    km: Array
    hours: Array
    money: Array
    kg: Array


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
        self.origin: Index = clients["place"].to_numpy(np.int64)
        self.is_part: NDArray[np.bool_] = (clients["load"] == "part").to_numpy()
        self.time_value: Array = clients["time_inr_per_t_h"].to_numpy(np.float64)
        self.first_mile: Array = clients["first_mile_factor"].to_numpy(np.float64)
        self.reefer: Array = np.where(clients["cargo_class"] == "perishable", tariff.reefer_factor, 1.0)
        self._onward_of: dict[tuple[float, float], tuple[Array, Index, Array, Index]] = {}
        self.gateway_of_place = np.full(len(places), NONE)
        self.gateway_of_place[places.gateways] = np.arange(len(places.gateways))

    def parts(self, lanes: Lanes) -> pd.DataFrame:
        """Break lanes into parts, in order of travel.

        Returns:
            One row per lane and part: ``lane`` (position), ``part`` (from 1), ``mode`` (road, rail, handling,
            dwell), ``from`` and ``to`` (places), ``km``, ``hours``, ``freight_inr_per_t`` (money),
            ``co2e_kg_per_t`` and ``cost_inr_per_t`` (money, time and carbon). Parts a lane lacks are left out.
        """
        blocks: list[pd.DataFrame] = []
        for leg in self._legs(lanes):
            lane = np.flatnonzero(leg.applies)
            blocks.append(
                pd.DataFrame({
                    "lane": lane, "part": len(blocks), "mode": leg.mode, "from": leg.start[lane],
                    "to": leg.end[lane], "km": leg.km[lane], "hours": leg.hours[lane],
                    "freight_inr_per_t": leg.money[lane], "co2e_kg_per_t": leg.kg[lane],
                    "cost_inr_per_t": self._cost(leg, lanes.client)[lane],
                })
            )  # fmt: skip
        parts = pd.concat(blocks, ignore_index=True).sort_values(["lane", "part"], kind="stable", ignore_index=True)
        parts["part"] = parts.groupby("lane").cumcount() + 1
        return parts

    def price(self, lanes: Lanes) -> Array:
        """(n_lanes,) cost per tonne: the sum of the parts."""
        total = np.zeros(len(lanes))
        for leg in self._legs(lanes):
            total += np.where(leg.applies, self._cost(leg, lanes.client), 0.0)
        return total

    def _cost(self, leg: _Leg, client: Index) -> Array:
        return leg.money + leg.hours * self.time_value[client] + leg.kg * self.tariff.carbon_inr_per_kg

    def _legs(self, lanes: Lanes) -> list[_Leg]:
        """Say what each lane consists of; the one place where a lane's cost is defined."""
        tariff, places, client = self.tariff, self.places, lanes.client
        origin, hub, terminal, gateway = self.origin[client], lanes.hub, lanes.terminal, lanes.gateway
        reefer, weak = self.reefer[client], self.first_mile[client]
        consolidated, by_rail = hub != NONE, terminal != NONE
        at_terminal = consolidated & (hub == terminal)
        h_per_km = tariff.road_h_per_km * np.where(by_rail, 1.0, 1.0 + self.conditions.road_only_delay)
        column = self.gateway_of_place[gateway]
        box_at = np.where(consolidated, hub, origin)  # where the sealed box starts
        road_to = np.where(by_rail, terminal, gateway)
        zero = np.zeros(len(lanes))
        legs = []

        km = places.first_mile_km[origin, np.where(consolidated, hub, origin)]
        money = tariff.part_load_inr_per_t(km) * reefer * weak
        legs.append(_Leg(consolidated, "road", origin, hub, km, km * h_per_km, money, tariff.part_load_kg_per_t(km)))
        shortage = np.where(places.is_site[hub], 1.0, 1.0 + self.conditions.shortage_markup)
        legs.append(_Leg(consolidated, "handling", hub, hub, zero, zero, tariff.stuffing_inr_per_t * shortage, zero))
        fill_h = zero + tariff.consolidation_dwell_h
        legs.append(_Leg(consolidated & ~at_terminal, "dwell", hub, hub, zero, fill_h, zero, zero))
        km = np.where(consolidated, places.road_km[box_at, road_to], places.first_mile_km[origin, road_to])
        money = tariff.full_load_inr_per_t(km) * reefer * np.where(consolidated, 1.0, weak)
        legs.append(
            _Leg(~consolidated | (box_at != road_to), "road", box_at, road_to, km, km * h_per_km, money,
                 tariff.full_load_kg_per_t(km))
        )  # fmt: skip
        rake_h = zero + tariff.rake_handling_h
        money = zero + tariff.terminal_inr_per_t
        legs.append(_Leg(by_rail, "handling", terminal, terminal, zero, rake_h, money, zero))
        filling = max(tariff.terminal_dwell_h, tariff.consolidation_dwell_h)  # fills while it waits for the train
        wait_h = np.where(at_terminal, filling, tariff.terminal_dwell_h)
        legs.append(_Leg(by_rail, "dwell", terminal, terminal, zero, wait_h, zero, zero))
        km = places.rail_km[terminal, column]
        money = tariff.rail_inr_per_t_km * km * reefer
        hours = places.rail_h[terminal, column] + rake_h
        legs.append(_Leg(by_rail, "rail", terminal, gateway, km, hours, money, tariff.rail_kg_per_t_km * km))
        everyone = np.ones(len(lanes), bool)
        dwell_h = self.conditions.gateway_dwell_h[column]
        legs.append(_Leg(everyone, "dwell", gateway, gateway, zero, dwell_h, zero, zero))
        return legs

    def existing(self, k: int = 1, clients: Index | None = None) -> Lanes:
        """Return lanes that use only what exists: of every client the ``k`` cheapest by road and by rail each.

        A client that no road links to a gateway has none. ``clients``: these only.
        """
        which = range(len(self.clients)) if clients is None else clients.tolist()
        return _collect([self._existing(i, k) for i in which])

    def status_quo(self, clients: Index | None = None) -> Lanes:
        """Return the cheapest existing lane of every client (or of these) that has one."""
        lanes = self.existing(clients=clients)
        order = np.lexsort((lanes.cost_inr_per_t, lanes.client))
        _, first = np.unique(lanes.client[order], return_index=True)
        return lanes.take(order[first])

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

    def first_mile_cost(self, i: int) -> Array:
        """(n_places,) cost of bringing a part load to each place and stuffing it there, without waiting."""
        km = self.places.first_mile_km[self.origin[i]]
        stuffing = self.tariff.stuffing_inr_per_t * np.where(
            self.places.is_site, 1.0, 1.0 + self.conditions.shortage_markup
        )
        freight = self.tariff.part_load_inr_per_t(km) * self.reefer[i] * self.first_mile[i]
        cost: Array = freight + self.tariff.part_load_kg_per_t(km) * self.tariff.carbon_inr_per_kg + stuffing
        return cost

    def road_h_cost(self, i: int, rail: bool) -> float:
        """Return the time cost of one road km for client i."""
        delay = 1.0 if rail else 1.0 + self.conditions.road_only_delay
        return float(self.tariff.road_h_per_km * delay * self.time_value[i])

    def box_km_cost(self, i: int, rail: bool) -> float:
        """Return the cost of one trailer km (money, time, carbon) for client i, first-mile lever aside."""
        carbon = self.tariff.trailer_kg_per_t_km * self.tariff.carbon_inr_per_kg
        return self.tariff.trailer_inr_per_t_km * float(self.reefer[i]) + carbon + self.road_h_cost(i, rail)

    def _onward(self, i: int) -> tuple[Array, Index, Array, Index]:
        """Cost of a box from each place to its best gateway, and that gateway: by rail, then by road.

        Clients whose hour is worth the same and who need the same boxes share the result.
        """
        key = (float(self.time_value[i]), float(self.reefer[i]))
        if key not in self._onward_of:
            self._onward_of[key] = (*self._rail(i), *self._road(i))
        return self._onward_of[key]

    def rail_table(self, i: int, rail_km: Array, rail_h: Array) -> Array:
        """(n_terminals, n_gateways) cost of a box by rail, with handling and dwell, for km and hours of that shape."""
        tariff, value = self.tariff, self.time_value[i]
        per_km = tariff.rail_inr_per_t_km * self.reefer[i] + tariff.rail_kg_per_t_km * tariff.carbon_inr_per_kg
        fixed = tariff.terminal_inr_per_t + value * (2 * tariff.rake_handling_h + tariff.terminal_dwell_h)
        total: Array = rail_km * per_km + value * (rail_h + self.conditions.gateway_dwell_h) + fixed
        return total

    def _rail(self, i: int) -> tuple[Array, Index]:
        """(n_places,) cost from each place by rail to its best gateway, with handling and dwell; and the gateway."""
        return self._to_best_gateway(self.rail_table(i, self.places.rail_km, self.places.rail_h))

    def _road(self, i: int) -> tuple[Array, Index]:
        """(n_places,) cost of a box by road from each place to its best gateway, and that gateway."""
        km = self.places.road_km[:, self.places.gateways]
        cost = km * self.box_km_cost(i, rail=False)
        return self._to_best_gateway(cost + self.time_value[i] * self.conditions.gateway_dwell_h)

    def lever(self, i: int) -> float:
        """Extra cost of one trailer km where the first mile is dear."""
        return float(self.reefer[i] * self.tariff.trailer_inr_per_t_km * (self.first_mile[i] - 1))

    def _to_best_gateway(self, cost: Array) -> tuple[Array, Index]:
        """Cheapest gateway of each row of an (n, n_gateways) table: its cost and its place."""
        cheapest, column = _nanmin(cost)
        return cheapest, self.places.gateways[column]

    def extra_wait(self, i: int, hub_is_terminal: NDArray[np.bool_] | bool) -> Array:
        """Cost of waiting for a box to fill; at a terminal it fills while it waits for the train."""
        fill = self.tariff.consolidation_dwell_h
        shared = max(self.tariff.terminal_dwell_h, fill) - self.tariff.terminal_dwell_h
        cost: Array = self.time_value[i] * np.where(hub_is_terminal, shared, fill)
        return cost

    def _existing(self, i: int, k: int) -> Lanes:
        places = self.places
        depots = places.depots
        if self.is_part[i]:
            hubs = np.concatenate([places.gateways, depots])
            by_road, road_gateway, by_rail, terminal, rail_gateway = self._through_hubs(i, hubs)
            a, b = _cheapest(by_road, k), _cheapest(by_rail, k)
            return _collect([
                _lanes(i, hubs[a], np.full(len(a), NONE), road_gateway[a], by_road[a]),
                _lanes(i, hubs[b], terminal[b], rail_gateway[b], by_rail[b]),
            ])  # fmt: skip
        km = places.first_mile_km[self.origin[i]]
        by_road = km[places.gateways] * (self.box_km_cost(i, rail=False) + self.lever(i))
        by_road = by_road + self.time_value[i] * self.conditions.gateway_dwell_h
        rail, rail_gateway, _, _ = self._onward(i)
        by_rail = km[depots] * (self.box_km_cost(i, rail=True) + self.lever(i)) + rail[depots]
        a, b = _cheapest(by_road, k), depots[_cheapest(by_rail, k)]
        none = np.full(max(len(a), len(b)), NONE)
        return _collect([
            _lanes(i, none[: len(a)], none[: len(a)], places.gateways[a], by_road[a]),
            _lanes(i, none[: len(b)], b, rail_gateway[b], by_rail[_cheapest(by_rail, k)]),
        ])  # fmt: skip

    def _through_hubs(self, i: int, hubs: Index) -> tuple[Array, Index, Array, Index, Index]:
        """Part-load client i through each hub: cost, gateway by road; cost, terminal, gateway by existing rail."""
        places = self.places
        km = places.first_mile_km[self.origin[i], hubs]
        first = self.first_mile_cost(i)[hubs]
        rail, rail_gateway, road, road_gateway = self._onward(i)
        by_road = first + km * self.road_h_cost(i, rail=False) + self.extra_wait(i, False) + road[hubs]
        depots = places.depots
        drayage = places.road_km[np.ix_(hubs, depots)] * self.box_km_cost(i, rail=True)
        wait = self.extra_wait(i, hubs[:, None] == depots[None, :])
        onward, best = _nanmin(drayage + wait + rail[depots])
        by_rail = first + km * self.road_h_cost(i, rail=True) + onward
        terminal = depots[best] if len(depots) else np.full(len(hubs), NONE)
        return by_road, road_gateway[hubs], by_rail, terminal, rail_gateway[terminal]

    def _full_lanes(self, i: int, quo: float, parks: Index) -> list[Lanes]:
        rail, gateway, _, _ = self._onward(i)
        km = self.places.first_mile_km[self.origin[i], parks]
        cost = km * (self.box_km_cost(i, rail=True) + self.lever(i)) + rail[parks]
        better = np.flatnonzero(cost < quo)
        return [_lanes(i, np.full(len(better), NONE), parks[better], gateway[parks[better]], cost[better])]

    def _part_lanes(self, i: int, quo: float, sites: Index, parks: Index) -> list[Lanes]:
        places = self.places
        affordable = self.first_mile_cost(i) < quo
        sites = sites[affordable[sites]]
        hubs = np.union1d(sites, parks[affordable[parks]])
        by_road, road_gateway, by_rail, terminal, rail_gateway = self._through_hubs(i, hubs)
        use_rail = by_rail < by_road
        cost = np.where(use_rail, by_rail, by_road)
        terminal = np.where(use_rail, terminal, NONE)
        gateway = np.where(use_rail, rail_gateway, road_gateway)
        better = np.flatnonzero(cost < quo)
        found = [_lanes(i, hubs[better], terminal[better], gateway[better], cost[better])]
        best_alone = np.full(len(places), quo)
        best_alone[hubs] = np.fmin(cost, quo)
        # A park as hub and terminal at once.
        rail, rail_gateway, _, _ = self._onward(i)
        km = places.first_mile_km[self.origin[i]]
        first = self.first_mile_cost(i) + km * self.road_h_cost(i, rail=True)
        own_rail = first[parks] + self.extra_wait(i, True) + rail[parks]
        keep = np.flatnonzero(own_rail < best_alone[parks])
        found.append(_lanes(i, parks[keep], parks[keep], rail_gateway[parks[keep]], own_rail[keep]))
        best_alone[parks] = np.fmin(best_alone[parks], own_rail)
        if not len(parks):
            return found

        gathered = first + self.extra_wait(i, False)

        def then_park(near: Index, ends: Index) -> Array:
            """(n_near, n_ends) cost of consolidating at a place and taking the box to a park's rail."""
            drayage = places.road_km[np.ix_(near, ends)] * self.box_km_cost(i, rail=True)
            cost: Array = gathered[near][:, None] + drayage + rail[ends]
            return cost

        # Of the parks only those are looked at that would do with drayage for nothing: few, of thousands.
        # An existing depot, then a park's rail.
        shed = np.concatenate([places.depots, places.gateways])
        ends = parks[_least(gathered[shed]) + rail[parks] < best_alone[parks]]
        by_shed, best = _nanmin(then_park(shed, ends).T)
        keep = np.flatnonzero(by_shed < best_alone[ends])
        found.append(_lanes(i, shed[best[keep]], ends[keep], rail_gateway[ends[keep]], by_shed[keep]))
        best_alone[ends] = np.fmin(best_alone[ends], by_shed)
        # A warehouse or cold store, then a park's rail.
        near = sites[gathered[sites] + _least(rail[parks]) < best_alone[sites]]
        ends = parks[_least(gathered[near]) + rail[parks] < best_alone[parks]]
        if len(near) and len(ends):
            two = then_park(near, ends)
            limit = np.minimum(best_alone[near][:, None], best_alone[ends][None, :])
            a, b = np.nonzero((two < limit) & (near[:, None] != ends[None, :]))
            found.append(_lanes(i, near[a], ends[b], rail_gateway[ends[b]], two[a, b]))
        return found


def _least(values: Array) -> float:
    """The smallest value that is not NaN; inf if there is none."""
    return float(np.fmin.reduce(values, initial=np.inf))


def _nanmin(values: Array) -> tuple[Array, Index]:
    """Row minimum that ignores NaN, and its column; inf where a row has none."""
    filled = np.where(np.isnan(values), np.inf, values)
    if filled.shape[1] == 0:
        return np.full(len(filled), np.inf), np.zeros(len(filled), np.int64)
    column = filled.argmin(axis=1)
    return filled[np.arange(len(filled)), column], column


def _cheapest(values: Array, k: int) -> Index:
    """Positions of the k smallest finite values, in order."""
    order = np.argsort(values, kind="stable")[:k]
    return order[np.isfinite(values[order])]


def _lanes(i: int, hub: Index, terminal: Index, gateway: Index, cost: Array) -> Lanes:
    return Lanes(np.full(len(cost), i), hub, terminal, gateway, cost)


def _collect(lanes: list[Lanes]) -> Lanes:
    if not lanes:
        empty = np.zeros(0, np.int64)
        return Lanes(empty, empty, empty, empty, np.zeros(0))
    return Lanes(*(np.concatenate([getattr(lane, f) for lane in lanes]) for f in Lanes.__dataclass_fields__))

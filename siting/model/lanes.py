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

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.model.costs import DAYS_PER_WEEK, Array, Tariff
from siting.model.places import Places

Index = NDArray[np.int64]
NONE = -1
ROAD, RAIL = 0, 1
"""Modes, as the last axis of tables by mode."""
AT_PORT, AT_DEPOT, BY_RAIL = 0, 1, 2
"""Ways of today: by road, the box filled at a gateway (a full one at home); by road, filled at a depot; by rail."""
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
    """Priced lanes as parallel arrays of length n_lanes; cost is perceived: money, time, carbon and taste."""

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

    def by_client(self) -> Lanes:
        """Return the lanes in order of client; those of one client keep theirs."""
        return self.take(np.argsort(self.client, kind="stable"))

    @classmethod
    def joined(cls, lanes: Sequence[Lanes]) -> Lanes:
        """Return all lanes of several sets, one set after the other."""
        none = np.zeros(0, np.int64)
        sets = [cls(none, none, none, none, np.zeros(0)), *lanes]
        return cls(*(np.concatenate([getattr(some, f) for some in sets]) for f in cls.__dataclass_fields__))


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
    """Prices given lanes of one study, part by part: for the report, the check of every plan and its sensitivity.

    Args:
        places: points and the matrices among them.
        tariff: rates.
        conditions: dwell and levers.
        clients: one row per client with columns ``place``, ``cargo_class``, ``load``,
            ``time_inr_per_t_h`` (value of an hour) and ``first_mile_factor`` (weak-access lever); rows with the same
            ``client``, where there is such a column, are shippers that differ in taste alone.
        taste: (n_clients, n_gateways, 2) INR/t that a client minds a gateway, by road and by rail, on top of what it
            pays; None: it minds none.
        rarity: (n_clients,) INR/t that a client minds trains for each time they are half as many; None: as of (100).

    Shippers mind a terminal from which trains leave rarely more than the wait (48) costs them: there is less to choose
    from [the size of an alternative: Ben-Akiva and Lerman 1985, chapter 9]. On top of what it pays client i minds

        s f_i max(log2(7 / n_t), 0)                                                                            (100)

    at a terminal t with n_t trains a week, with f_i the least freight of its box by road to a gateway and s
    ``rare_trains_of_freight``. More than a train a day is liked no better: were each doubling liked as much, boxes of
    Punjab would pass the depots of Ludhiana for those of Dadri, and records show that they do not.
    """

    def __init__(
        self,
        places: Places,
        tariff: Tariff,
        conditions: Conditions,
        clients: pd.DataFrame,
        taste: Array | None = None,
        rarity: Array | None = None,
    ) -> None:
        self.places = places
        self.tariff = tariff
        self.conditions = conditions
        self.clients = clients
        self.origin: Index = clients["place"].to_numpy(np.int64)
        self.is_part: NDArray[np.bool_] = (clients["load"] == "part").to_numpy()
        self.time_value: Array = clients["time_inr_per_t_h"].to_numpy(np.float64)
        self.first_mile: Array = clients["first_mile_factor"].to_numpy(np.float64)
        perishable = (clients["cargo_class"] == "perishable").to_numpy()
        self.reefer: Array = np.where(perishable, tariff.reefer_factor, 1.0)
        self.cold_room: Array = np.where(perishable, tariff.depot_cold_room_inr_per_t, 0.0)
        self.taste: Array = np.zeros((len(clients), len(places.gateways), 2)) if taste is None else taste
        whole = np.arange(len(clients))
        self.client: Index = clients["client"].to_numpy(np.int64) if "client" in clients else whole
        self.gateway_of_place = np.full(len(places), NONE)
        self.gateway_of_place[places.gateways] = np.arange(len(places.gateways))
        known = places.trains_per_week
        self.trains_per_week: Array = np.where(np.isnan(known), tariff.trains_per_week, known)
        """(n_places,) that leave, or would, from a place"""
        self.halvings: Array = np.maximum(np.log2(DAYS_PER_WEEK / self.trains_per_week), 0.0)
        """(n_places,) max(log2(7 / n_t), 0) of (100)"""
        self.rarity: Array = self._rarity() if rarity is None else rarity

    def _rarity(self) -> Array:
        """(n_clients,) s f_i of (100); 0 without a way by road."""
        km = self.places.first_mile_km[:, self.places.gateways]
        freight = np.fmin.reduce(self.tariff.full_load_inr_per_t(km), axis=1, initial=np.inf)[self.origin]
        box_inr_per_t = np.where(np.isfinite(freight), freight, 0.0) * self.reefer
        return np.asarray(self.tariff.rare_trains_of_freight * box_inr_per_t)

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

    def taste_of(self, lanes: Lanes) -> Array:
        """(n_lanes,) what each client minds about its lane, INR/t."""
        mode = np.where(lanes.terminal == NONE, ROAD, RAIL)
        minded: Array = self.taste[lanes.client, self.gateway_of_place[lanes.gateway], mode]
        rare = self.rarity[lanes.client] * self.halvings[lanes.terminal]
        return minded + np.where(lanes.terminal == NONE, 0.0, rare)

    def price(self, lanes: Lanes) -> Array:
        """(n_lanes,) perceived cost per tonne: the sum of the parts, and taste."""
        total = self.taste_of(lanes)
        for leg in self._legs(lanes):
            total += np.where(leg.applies, self._cost(leg, lanes.client), 0.0)
        return total

    def co2e_kg_per_t(self, lanes: Lanes) -> Array:
        """(n_lanes,) kg CO2e per tonne: the sum of the parts."""
        total = np.zeros(len(lanes))
        for leg in self._legs(lanes):
            total += np.where(leg.applies, leg.kg, 0.0)
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
        money = tariff.stuffing_inr_per_t * shortage + np.where(places.is_site[hub], 0.0, self.cold_room[client])
        legs.append(_Leg(consolidated, "handling", hub, hub, zero, zero, money, zero))
        fill_h = zero + tariff.consolidation_dwell_h
        legs.append(_Leg(consolidated & ~at_terminal, "dwell", hub, hub, zero, fill_h, zero, zero))
        km = np.where(consolidated, places.road_km[box_at, road_to], places.first_mile_km[origin, road_to])
        # A box filled in its own district leaves by the same weak roads.
        money = tariff.full_load_inr_per_t(km) * reefer * np.where(box_at == origin, weak, 1.0)
        legs.append(
            _Leg(~consolidated | (box_at != road_to), "road", box_at, road_to, km, km * h_per_km, money,
                 tariff.full_load_kg_per_t(km))
        )  # fmt: skip
        rake_h = zero + tariff.rake_handling_h
        money = zero + tariff.terminal_inr_per_t
        legs.append(_Leg(by_rail, "handling", terminal, terminal, zero, rake_h, money, zero))
        wait_h = tariff.terminal_dwell_h(self.trains_per_week[terminal])
        filling_h = np.maximum(wait_h, tariff.consolidation_dwell_h)  # fills while it waits for the train
        wait_h = np.where(at_terminal, filling_h, wait_h)
        legs.append(_Leg(by_rail, "dwell", terminal, terminal, zero, wait_h, zero, zero))
        km = places.rail_km[terminal, column]
        money = tariff.rail_inr_per_t(km) * reefer
        hours = places.rail_h[terminal, column] + tariff.rake_wait_h + rake_h
        legs.append(_Leg(by_rail, "rail", terminal, gateway, km, hours, money, tariff.rail_kg_per_t_km * km))
        everyone = np.ones(len(lanes), bool)
        dwell_h = self.conditions.gateway_dwell_h[column]
        legs.append(_Leg(everyone, "dwell", gateway, gateway, zero, dwell_h, zero, zero))
        return legs

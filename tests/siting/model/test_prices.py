"""Lanes priced by hand, part by part: every mode, facility and lever.

The map (km by road; rail km and hours to the port in brackets)::

    district 0 --100-- district 1 (400 km, 16 h) --500-- port 3
         \\------200------ depot 2 (420 km, 17 h) --450----/
    district 0 --600-- port 3; 20 km inside a district; 120 km from district 1 to depot 2

Rates at the base values of parameters.csv. Freight (45) in INR/t, with half of the boxes brought empty at 0.53 of the
freight, x 1.265 (46); (47) goes by light truck up to some 260 km:

    trailer      2.869 x (0.02 x 480 + 0.98 x (km to 480 + 0.9 x km beyond)) x 1.265;  2.869 = 1.51 x 38 / 20
    rail         1.96 x (km to 600 + 0.9 x km beyond) x 1.265
    light truck  11.03 x (0.3 x 50 + 0.7 x km)
    line haul    3.78 / 0.585 x (0.15 x 480 + 0.85 x (km to 480 + 0.9 x km beyond)), after 50 km by light truck

Stuffing 181 INR/t; terminal 396 + 80,000 / (90 x 14) = 459.4921; reefer x 1.4. Hours: 24 / 425 a road km; box filling
48; terminal 90.8 with a daily train, 99.8 with four a week; each handling of a train 8, its wait 9.8; the port 100.
Grams of CO2e a t-km: trailer 64, light truck 412, line haul 162, rail 28. An hour costs the client 2 INR/t.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from siting.model.costs import Tariff
from siting.model.gateway_costs import gateway_costs
from siting.model.lane_search import LaneSearch
from siting.model.lanes import AT_DEPOT, NONE, Conditions, LanePricer, Lanes
from siting.model.places import Places
from siting.parameters import load_parameters

HOME, SITE, DEPOT, PORT = range(4)
TERMINAL_INR_PER_T = 396 + 80_000 / (90 * 14)
KM_PER_H = 425 / 24
BOX = {km: 2.869 * (0.02 * 480 + 0.98 * km) * 1.265 for km in (100, 120, 200, 450)}
BOX |= {km: 2.869 * (0.02 * 480 + 0.98 * (480 + 0.9 * (km - 480))) * 1.265 for km in (500, 600)}
TRAIN = {km: 1.96 * km * 1.265 for km in (400, 420)}
LIGHT = {km: 11.03 * (0.3 * 50 + 0.7 * km) for km in (20, 50, 100, 200)}
TO_PORT_IN_PARTS = LIGHT[50] + 3.78 / 0.585 * (0.15 * 480 + 0.85 * (480 + 0.9 * (550 - 480)))


def places() -> Places:
    table = pd.DataFrame({"place_id": list("abdg"), "kind": ["district", "district", "depot", "gateway"]})
    road = np.array([[0, 100, 200, 600], [100, 0, 120, 500], [200, 120, 0, 450], [600, 500, 450, 0]], float)
    inside = np.array([20.0, 20.0, 0.0, 0.0])
    rail_km, rail_h = (np.array([[np.nan], [at_site], [at_depot], [np.nan]])
                       for at_site, at_depot in ((400, 420), (16, 17)))  # fmt: skip
    return Places(table, road, np.maximum(road, inside[:, None]), rail_km, rail_h)


def pricer(cargo_class: str, load: str, first_mile_factor: float = 1.0, **overrides: float) -> LanePricer:
    """With four trains a week, minded for the wait alone unless said otherwise."""
    parameters = load_parameters().with_overrides({"rail_trains_per_week": 4, "rare_trains_of_freight": 0, **overrides})
    clients = pd.DataFrame({
        "place": [HOME], "cargo_class": [cargo_class], "load": [load], "time_inr_per_t_h": [2.0],
        "first_mile_factor": [first_mile_factor],
    })  # fmt: skip
    levers = Conditions(
        np.array([100.0]), parameters["road_only_delay"], parameters["warehouse_shortage_markup"]
    )  # fmt: skip
    return LanePricer(places(), Tariff.from_parameters(parameters), levers, clients)


def lane(hub: int = NONE, terminal: int = NONE) -> Lanes:
    return Lanes(*(np.array([x]) for x in (0, hub, terminal, PORT)), np.zeros(1))


# mode, from, to, km, hours, INR/t, kg CO2e/t
AT_PORT = ("dwell", PORT, PORT, 0, 100, 0, 0)
TO_SITE = ("road", HOME, SITE, 100, 100 / KM_PER_H, LIGHT[100], 100 * 0.412)
STUFFED = ("handling", SITE, SITE, 0, 0, 181, 0)
FILLED = ("dwell", SITE, SITE, 0, 48, 0, 0)
ON_TRAIN = ("handling", SITE, SITE, 0, 8, TERMINAL_INR_PER_T, 0)
BY_RAIL = ("rail", SITE, PORT, 400, 16 + 9.8 + 8, TRAIN[400], 400 * 0.028)
DEPOT_TRAIN = [
    ("handling", DEPOT, DEPOT, 0, 8, TERMINAL_INR_PER_T, 0),
    ("dwell", DEPOT, DEPOT, 0, 99.8, 0, 0),
    ("rail", DEPOT, PORT, 420, 17 + 9.8 + 8, TRAIN[420], 420 * 0.028),
]

LANES = {
    "full load by road": (
        ("general", "full"), lane(),
        [("road", HOME, PORT, 600, 600 / KM_PER_H, BOX[600], 600 * 0.064), AT_PORT],
    ),
    "part load boxed at the port": (
        ("general", "part"), lane(PORT),
        [("road", HOME, PORT, 600, 600 / KM_PER_H, TO_PORT_IN_PARTS, 50 * 0.412 + 550 * 0.162),
         ("handling", PORT, PORT, 0, 0, 181, 0), ("dwell", PORT, PORT, 0, 48, 0, 0), AT_PORT],
    ),
    "part load through a warehouse": (
        ("general", "part"), lane(SITE),
        [TO_SITE, STUFFED, FILLED, ("road", SITE, PORT, 500, 500 / KM_PER_H, BOX[500], 500 * 0.064), AT_PORT],
    ),
    "part load through a warehouse of its own district: 20 km inside it, all by light truck": (
        ("general", "part"), lane(HOME),
        [("road", HOME, HOME, 20, 20 / KM_PER_H, LIGHT[20], 20 * 0.412),
         ("handling", HOME, HOME, 0, 0, 181, 0), ("dwell", HOME, HOME, 0, 48, 0, 0),
         ("road", HOME, PORT, 600, 600 / KM_PER_H, BOX[600], 600 * 0.064), AT_PORT],
    ),
    "part load through a cold store": (
        ("perishable", "part"), lane(SITE),
        [("road", HOME, SITE, 100, 100 / KM_PER_H, 1.4 * LIGHT[100], 100 * 0.412),
         STUFFED, FILLED, ("road", SITE, PORT, 500, 500 / KM_PER_H, 1.4 * BOX[500], 500 * 0.064), AT_PORT],
    ),
    "full load by an existing terminal": (
        ("general", "full"), lane(terminal=DEPOT),
        [("road", HOME, DEPOT, 200, 200 / KM_PER_H, BOX[200], 200 * 0.064), *DEPOT_TRAIN, AT_PORT],
    ),
    "full load by a park": (
        ("general", "full"), lane(terminal=SITE),
        [("road", HOME, SITE, 100, 100 / KM_PER_H, BOX[100], 100 * 0.064), ON_TRAIN,
         ("dwell", SITE, SITE, 0, 99.8, 0, 0), BY_RAIL, AT_PORT],
    ),
    "full reefer by a park": (
        ("perishable", "full"), lane(terminal=SITE),
        [("road", HOME, SITE, 100, 100 / KM_PER_H, 1.4 * BOX[100], 100 * 0.064), ON_TRAIN,
         ("dwell", SITE, SITE, 0, 99.8, 0, 0), ("rail", SITE, PORT, 400, 16 + 9.8 + 8, 1.4 * TRAIN[400], 400 * 0.028),
         AT_PORT],
    ),
    "part load through a park: the box fills while it waits for the train": (
        ("general", "part"), lane(SITE, SITE),
        [TO_SITE, STUFFED, ON_TRAIN, ("dwell", SITE, SITE, 0, 99.8, 0, 0), BY_RAIL, AT_PORT],
    ),
    "part load through a warehouse, then an existing terminal": (
        ("general", "part"), lane(SITE, DEPOT),
        [TO_SITE, STUFFED, FILLED, ("road", SITE, DEPOT, 120, 120 / KM_PER_H, BOX[120], 120 * 0.064),
         *DEPOT_TRAIN, AT_PORT],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LANES)
def test_parts_of_a_lane_by_hand(name: str) -> None:
    client, lanes, by_hand = LANES[name]
    p = pricer(*client)
    parts = p.parts(lanes)
    assert list(zip(parts["mode"], parts["from"], parts["to"], strict=True)) == [part[:3] for part in by_hand]
    expected = np.array([part[3:] for part in by_hand], float)
    columns = ["km", "hours", "freight_inr_per_t", "co2e_kg_per_t"]
    np.testing.assert_allclose(parts[columns].to_numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(parts["cost_inr_per_t"], expected[:, 2] + 2 * expected[:, 1], rtol=1e-12)
    np.testing.assert_allclose(p.price(lanes), (expected[:, 2] + 2 * expected[:, 1]).sum(), rtol=1e-12)


@pytest.mark.parametrize(("hub", "dearer"), [(DEPOT, 330), (PORT, 330), (SITE, 0)])
def test_perishable_part_loads_pay_for_a_cold_room_where_none_is_built(hub: int, dearer: float) -> None:
    """A new cold store's own cost is that of the site. The search prices it alike."""
    warm, cold = (pricer("perishable", "part", depot_cold_room_inr_per_t=inr) for inr in (0, 330))
    np.testing.assert_allclose(cold.price(lane(hub)) - warm.price(lane(hub)), dearer, atol=1e-9)
    if hub == SITE:
        dear, free = (LaneSearch(p).improving(LaneSearch(p).status_quo(), np.array([SITE]), np.array([], int))
                      for p in (cold, warm))  # fmt: skip
        np.testing.assert_allclose(dear.cost_inr_per_t, free.cost_inr_per_t)
        assert dear.hub.tolist() == [SITE]
    else:
        way = AT_DEPOT if hub == DEPOT else 1 - AT_DEPOT
        today = [gateway_costs(p).inr_per_t[0, 0, way] for p in (cold, warm)]
        np.testing.assert_allclose(today[0] - today[1], dearer, atol=1e-9)


def test_carbon_counts_by_the_kilogram() -> None:
    """At 3,000 INR/t: 3 INR for each kg. 41.2 kg to the warehouse, 32 kg on the trailer."""
    dear, free = (pricer("general", "part", carbon_price_inr_per_t_co2e=price).price(lane(SITE)) for price in (3000, 0))
    np.testing.assert_allclose(dear - free, 3 * (41.2 + 32.0), rtol=1e-9)


LEVERS = {
    # load, first-mile factor, overrides, lane, what the lever adds in INR/t
    "a shortage of warehouses makes stuffing at a depot dearer": (
        "part", 1.0, {"warehouse_shortage_markup": 0.15}, lane(DEPOT), 0.15 * 181),
    "and at a port": ("part", 1.0, {"warehouse_shortage_markup": 0.15}, lane(PORT), 0.15 * 181),
    "but not at a new site": ("part", 1.0, {"warehouse_shortage_markup": 0.15}, lane(SITE), 0.0),
    "general cargo needs no cold room": ("part", 1.0, {"depot_cold_room_inr_per_t": 700}, lane(DEPOT), 0.0),
    "weak access makes the collection of part loads dearer": ("part", 1.15, {}, lane(SITE), 0.15 * LIGHT[100]),
    "and, where the box is filled in its own district, the box's way from there": (
        "part", 1.15, {}, lane(HOME), 0.15 * (LIGHT[20] + BOX[600])),
    "to a terminal too": ("part", 1.15, {}, lane(HOME, DEPOT), 0.15 * (LIGHT[20] + BOX[200])),
    "and a full load's way to the port": ("full", 1.15, {}, lane(), 0.15 * BOX[600]),
    "and its way to a terminal, not the train": ("full", 1.15, {}, lane(terminal=DEPOT), 0.15 * BOX[200]),
    "lanes by road only take longer": ("full", 1.0, {"road_only_delay": 0.12}, lane(), 2 * 0.12 * 600 / KM_PER_H),
    "on both legs": ("part", 1.0, {"road_only_delay": 0.12}, lane(SITE), 2 * 0.12 * 600 / KM_PER_H),
    "but none that goes by rail": ("part", 1.0, {"road_only_delay": 0.12}, lane(SITE, DEPOT), 0.0),
    "a box that fills for longer than the train takes to come": (
        "part", 1.0, {"consolidation_dwell_h": 110.0}, lane(SITE, SITE), 2 * (110 - 99.8)),
    "a station with trains every day": ("full", 1.0, {"rail_trains_per_week": 7}, lane(terminal=DEPOT), -2 * 9),
}  # fmt: skip


@pytest.mark.parametrize("name", LEVERS)
def test_levers_by_hand(name: str) -> None:
    load, first_mile_factor, overrides, lanes, adds = LEVERS[name]
    with_lever = pricer("general", load, first_mile_factor, **overrides).price(lanes)
    np.testing.assert_allclose(with_lever - pricer("general", load).price(lanes), adds, rtol=1e-9, atol=1e-9)


RARE = {
    "a train a day is the measure": (7, 0.0),
    "two trains a week": (2, 0.15 * BOX[600] * np.log2(3.5)),
    "twice a day is liked no better": (14, 0.0),
}


@pytest.mark.parametrize("name", RARE)
def test_rare_trains_are_minded_in_units_of_the_freight_by_road(name: str) -> None:
    """(100): 0.15 of what the box would pay by road to the port for each halving; by road nothing is minded."""
    trains, minded = RARE[name]
    p = pricer("general", "full", rail_trains_per_week=trains, rare_trains_of_freight=0.15)
    np.testing.assert_allclose(p.taste_of(lane(terminal=DEPOT)), minded, atol=1e-9)
    np.testing.assert_allclose(p.price(lane(terminal=SITE)), _money_and_time(p, lane(terminal=SITE)) + minded)
    assert p.taste_of(lane()) == 0.0


def _money_and_time(p: LanePricer, lanes: Lanes) -> float:
    return float(p.parts(lanes)["cost_inr_per_t"].sum())


def test_a_terminal_has_the_trains_that_are_known_of_it() -> None:
    """14 a week from the depot, two from the site that has none of its own on record."""
    own = places()
    own = replace(own, table=own.table.assign(trains_per_week=[np.nan, np.nan, 14.0, np.nan]))
    p = pricer("general", "full", rail_trains_per_week=2, rare_trains_of_freight=0.15)
    p = LanePricer(own, p.tariff, p.conditions, p.clients)
    waits = [p.parts(lane(terminal=at)).query("mode == 'dwell'")["hours"].iloc[0] for at in (DEPOT, SITE)]
    assert waits == pytest.approx([84.8, 120.8])
    np.testing.assert_allclose(p.taste_of(lane(terminal=SITE)), 0.15 * BOX[600] * np.log2(3.5))
    assert p.taste_of(lane(terminal=DEPOT)) == 0.0


def test_the_search_takes_the_cheapest_and_prices_it_as_its_parts() -> None:
    """Part load today with a daily train, with money and time (2 INR an hour) added up by hand:

    boxed at the port 4,441.2 + 181 + 2 x (33.882 + 48 + 100) = 4,985.95;
    boxed at the depot and on by road: 200 km 1,709.65 + 181 + 1,635.35 + 2 x (650 / KM_PER_H + 148) = 3,895.41;
    boxed at the depot and on by train: 1,709.65 + 181 + 459.49 + 1,041.35 + 2 x (11.294 + 233.6) = 3,881.28.
    """
    p = pricer("general", "part", rail_trains_per_week=7)
    boxed_at_depot = LIGHT[200] + 181
    assert LaneSearch(p).existing().cost_inr_per_t == pytest.approx([
        TO_PORT_IN_PARTS + 181 + 2 * (600 / KM_PER_H + 148),
        boxed_at_depot + BOX[450] + 2 * (650 / KM_PER_H + 148),
        boxed_at_depot + TERMINAL_INR_PER_T + TRAIN[420] + 2 * (200 / KM_PER_H + 8 + 90.8 + 34.8 + 100),
    ])  # fmt: skip
    quo = LaneSearch(p).status_quo()
    assert (quo.hub.tolist(), quo.terminal.tolist()) == ([DEPOT], [DEPOT])
    better = LaneSearch(p).improving(quo, np.array([HOME, SITE]), np.array([SITE]))
    np.testing.assert_allclose(better.cost_inr_per_t, p.price(better), rtol=1e-12)
    assert (better.cost_inr_per_t < quo.cost_inr_per_t).all() and len(better) > 1

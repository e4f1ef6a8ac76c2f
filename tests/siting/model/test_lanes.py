"""Lanes against brute force: every conceivable lane priced by its parts, on small random maps."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest

from siting.model import lane_kernels, lane_search, leg_kernels, legs
from siting.model.costs import Tariff
from siting.model.gateway_costs import gateway_costs
from siting.model.lane_search import LaneSearch
from siting.model.lanes import AT_DEPOT, AT_PORT, BY_RAIL, NONE, Conditions, LanePricer, Lanes
from siting.model.options import options_of_lanes
from siting.model.places import Places
from siting.model.tastes import divided
from siting.parameters import load_parameters

KINDS = ["district"] * 5 + ["planned"] * 1 + ["depot"] * 3 + ["cargo_terminal"] + ["gateway"] * 2


def random_places(rng: np.random.Generator) -> Places:
    """Twelve places on a plane 1,500 km wide; the second depot and one district are without rail, two are one point.

    No road leads from one district to a depot, from the planned park to a gateway, and from a depot to the other.
    """
    xy = rng.uniform(0, 1500, (len(KINDS), 2))
    xy[6] = xy[0]
    km = 1.3 * np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    gateways = [i for i, kind in enumerate(KINDS) if kind == "gateway"]
    rail = km[:, gateways] * 0.9
    km[[4, 6, 5, 10, 8, 11], [6, 4, 10, 5, 11, 8]] = np.nan
    rail[[1, 7]] = np.nan
    inside = np.where(np.arange(len(KINDS)) < 5, 25.0, 0.0)
    table = pd.DataFrame({"place_id": [f"p{i}" for i in range(len(KINDS))], "kind": KINDS})
    stands = table["kind"].isin(["depot", "cargo_terminal"])
    table["trains_per_week"] = np.where(stands, rng.choice([0.3, 3, 30], len(table)), np.nan)
    return Places(table, km, np.maximum(km, inside[:, None]), rail, rail / 25.0)


def pricer(places: Places, rng: np.random.Generator, overrides: dict[str, float], shippers: int = 1) -> LanePricer:
    """Twenty clients; where they have shippers, these have tastes of a few hundred INR/t."""
    parameters = load_parameters().with_overrides(overrides)
    clients = pd.DataFrame(
        list(product(range(5), ["general", "perishable"], ["full", "part"])),
        columns=["place", "cargo_class", "load"],
    )
    clients["tonnes_per_year"] = 100.0
    clients["time_inr_per_t_h"] = rng.uniform(0, 30, len(clients))
    clients["first_mile_factor"] = rng.choice([1.0, 1.15], len(clients))
    conditions = Conditions(
        rng.uniform(50, 150, 2), parameters["road_only_delay"], parameters["warehouse_shortage_markup"]
    )
    tariff = Tariff.from_parameters(parameters)
    if shippers == 1:
        return LanePricer(places, tariff, conditions, clients)
    client = np.repeat(np.arange(len(clients)), shippers)
    taste = rng.uniform(-100, 600, (len(client), 2, 2))
    return LanePricer(places, tariff, conditions, divided(clients, client, np.full(len(client), 1 / shippers)), taste)


def every_lane(p: LanePricer, between_gateways: bool = False) -> pd.DataFrame:
    """All lanes of all clients with the price of their parts, and the sites they use; if asked, from port to port."""
    places, n = p.places, len(p.places)
    rows = []
    for client, part in enumerate(p.is_part):
        hubs = np.flatnonzero(places.table["kind"] != "cargo_terminal").tolist() if part else [NONE]
        for hub, terminal, gateway in product(hubs, [NONE, *range(n)], places.gateways):
            elsewhere = hub in places.gateways and hub != gateway and terminal == NONE
            if terminal in places.gateways or (elsewhere and not between_gateways):
                continue
            column = p.gateway_of_place[gateway]
            if terminal != NONE and np.isnan(places.rail_km[terminal, column]):
                continue
            rows.append((client, hub, terminal, gateway))
    arrays = np.array(rows).T
    lanes = Lanes(*arrays, np.zeros(len(rows)))
    parts = p.parts(lanes)
    table = pd.DataFrame(rows, columns=["client", "hub", "terminal", "gateway"])
    table["cost"] = np.bincount(parts["lane"], parts["cost_inr_per_t"], minlength=len(rows)) + p.taste_of(lanes)
    site = np.append(places.is_site, False)
    table["sites"] = [
        frozenset(int(x) for x in (hub, terminal) if site[x])
        for hub, terminal in zip(table["hub"], table["terminal"], strict=True)
    ]
    return table


LEVERS = {"road_only_delay": 0.12, "warehouse_shortage_markup": 0.15, "carbon_price_inr_per_t_co2e": 3000}

CHEAP_TRAINS = {"rail_inr_per_t_km": 0.5, "rail_terminal_handling_inr_per_t": 20, "rail_terminal_dwell_h": 10}


@pytest.mark.parametrize("seed", range(6))
def test_status_quo_is_the_cheapest_lane_without_sites(seed):
    rng = np.random.default_rng(seed)
    p = pricer(random_places(rng), rng, LEVERS if seed % 2 else {}, shippers=1 + 2 * (seed > 2))
    table = every_lane(p)
    free = table[table["sites"].map(len) == 0]
    found = LaneSearch(p).status_quo()
    assert found.client.tolist() == list(range(len(p.clients)))
    np.testing.assert_allclose(found.cost_inr_per_t, free.groupby("client")["cost"].min())


@pytest.mark.parametrize("seed", range(4))
def test_costs_of_today_are_the_least_of_each_way_to_each_gateway(seed):
    """By road, the box filled at home or at the gateway; by road, filled at a depot; by rail. Taste is apart."""
    rng = np.random.default_rng(seed)
    places = random_places(rng)
    p = pricer(places, rng, LEVERS if seed % 2 else {})
    table = every_lane(p, between_gateways=True)
    table = table[(table["sites"].map(len) == 0) & table["cost"].notna()]
    at_depot = (table["hub"] != NONE) & ~table["hub"].isin(places.gateways)
    table["way"] = np.where(table["terminal"] != NONE, BY_RAIL, np.where(at_depot, AT_DEPOT, AT_PORT))
    table["gateway"] = p.gateway_of_place[table["gateway"]]
    least = np.full((len(p.clients), 2, 3), np.inf)
    np.minimum.at(least, (table["client"], table["gateway"], table["way"]), table["cost"])
    costs = gateway_costs(p)
    np.testing.assert_allclose(costs.inr_per_t, least)
    assert np.isinf(least).any()

    client, gateway, way = np.nonzero(np.isfinite(least))
    terminal = np.where(way == BY_RAIL, costs.terminal[client, gateway], NONE)
    named = Lanes(client, costs.hub[client, gateway, way], terminal, places.gateways[gateway], np.zeros(len(client)))
    np.testing.assert_allclose(p.price(named), least[client, gateway, way])
    for k in (1, 2):
        found = LaneSearch(p).existing(k)
        of_way = np.where(
            found.terminal != NONE, BY_RAIL, np.where(np.isin(found.hub, places.gateways), AT_PORT, AT_DEPOT)
        )
        of_way[~p.is_part[found.client] & (found.terminal == NONE)] = AT_PORT
        for i, w in product(range(len(p.clients)), range(3)):
            best = sorted(cost for cost in least[i, :, w] if cost < np.inf)[:k]
            mine = sorted(found.cost_inr_per_t[(found.client == i) & (of_way == w)])
            np.testing.assert_allclose(mine, best)


def test_more_lanes_than_there_was_room_for_are_all_found(monkeypatch):
    """Room for one: the first block makes more, which the later ones have from the beginning."""
    rng = np.random.default_rng(3)
    p = pricer(random_places(rng), rng, {}, shippers=3)
    search, quo = LaneSearch(p), LaneSearch(p).status_quo()
    whole = search.improving(quo, np.arange(5), np.array([0, 2]))
    monkeypatch.setattr(lane_search, "FIRST_ROOM", 1)
    monkeypatch.setattr(legs, "BLOCK_ROWS", 2)
    little = search.improving(quo, np.arange(5), np.array([0, 2]))
    assert len(whole) > 4
    for column in ("client", "hub", "terminal", "gateway", "cost_inr_per_t"):
        assert getattr(little, column).tolist() == getattr(whole, column).tolist()


@pytest.mark.parametrize("gateways", [1, 2])
def test_the_least_that_a_box_may_cost_is_what_it_costs_where_there_is_one_gateway(gateways):
    """Or where the wait is alike at both and no road leads to one; else no more. Without a way nothing is known."""
    rng = np.random.default_rng(5)
    places = random_places(rng)
    if gateways == 1:
        places.road_km[:, 11] = places.rail_km[:, 1] = places.rail_h[:, 1] = np.nan
    p = pricer(places, rng, LEVERS)
    if gateways == 1:
        p.conditions = replace(p.conditions, gateway_dwell_h=np.full(2, 90.0))
    tables = legs.Legs(p)
    onward, no_taste = tables.onward(), np.zeros((2, 2))
    equal = 0
    for _, _, cargo in tables.blocks(np.arange(20), np.arange(len(places))):
        for i, place in product(range(len(cargo.row)), range(len(places))):
            one = leg_kernels.client(cargo, tables.rates, i)
            for low, (cost, _) in (
                (lane_kernels._low_rail(onward, one, place), leg_kernels.best_rail(onward, one, place, no_taste)),
                (lane_kernels._low_road(onward, one, place), lane_kernels._best_road(onward, one, place, no_taste)),
            ):
                assert np.isnan(low) == np.isinf(cost)
                assert np.isnan(low) or low <= cost + 1e-9  # either may be less than nothing where trains are many
                equal += low == pytest.approx(cost)
    there = np.isfinite(places.road_km[:, 10]).sum() + np.isfinite(places.rail_km[:, 0]).sum()
    assert equal == 20 * there if gateways == 1 else 0 < equal < 20 * there


STORE, PARK, TERMINAL = "store", "park", "terminal"
Facility = tuple[str, int]


def ways(hub: int, terminal: int, site: np.ndarray) -> list[frozenset[Facility]]:
    """Sets of new facilities that provide a lane: a hall to fill boxes in, and a train where it changes to rail."""
    at_hub, by_rail = bool(site[hub]), bool(site[terminal])
    if by_rail and not at_hub:
        return [frozenset({(PARK, terminal)}), frozenset({(TERMINAL, terminal)})]
    if at_hub and not by_rail:
        return [frozenset({(STORE, hub)}), frozenset({(PARK, hub)})]
    if at_hub and hub == terminal:
        return [frozenset({(PARK, hub)}), frozenset({(STORE, hub), (TERMINAL, hub)})]
    if at_hub:
        return [frozenset({(STORE, hub), (rail, terminal)}) for rail in (PARK, TERMINAL)]
    return [frozenset()]


@pytest.mark.parametrize("kinds", [(STORE, PARK), (STORE, TERMINAL), (STORE, PARK, TERMINAL), (TERMINAL,)])
@pytest.mark.parametrize("seed", range(6))
def test_improving_lanes_reach_the_cheapest_cost_for_every_set_of_open_facilities(seed, kinds):
    """For any set of open facilities, the lanes kept give the same cost as all lanes do."""
    rng = np.random.default_rng(seed)
    places = random_places(rng)
    if seed > 3:  # no train but the new ones, which are cheap: boxes filled at depots change to them
        places.rail_km[6:10] = places.rail_h[6:10] = np.nan
    levers = CHEAP_TRAINS if seed > 3 else LEVERS if seed % 2 else {}
    p = pricer(places, rng, levers, shippers=1 + 2 * (seed > 2))
    by_rail = np.flatnonzero(places.is_site & np.isfinite(places.rail_km).any(axis=1))
    districts, nowhere = np.flatnonzero(places.table["kind"] == "district"), np.zeros(0, np.int64)
    stores = districts if STORE in kinds else nowhere
    parks = by_rail if PARK in kinds else nowhere
    terminals = np.intersect1d(by_rail, districts) if TERMINAL in kinds else nowhere
    existing = LaneSearch(p).status_quo()
    found = LaneSearch(p).improving(existing, stores, parks, terminals)
    parts = p.parts(found)
    np.testing.assert_allclose(
        np.bincount(parts["lane"], parts["cost_inr_per_t"], minlength=len(found)) + p.taste_of(found),
        found.cost_inr_per_t,
    )
    assert (found.cost_inr_per_t < existing.cost_inr_per_t[found.client]).all()

    n, site = len(places), np.append(places.is_site, False)
    by_way = [np.full((len(p.clients), n + 1, n + 1), np.inf) for _ in range(2)]  # the last place stands for none
    table = every_lane(p).dropna(subset="cost")
    np.minimum.at(by_way[0], (table["client"], table["hub"], table["terminal"]), table["cost"])
    for kept in (existing, found):
        np.minimum.at(by_way[1], (kept.client, kept.hub, kept.terminal), kept.cost_inr_per_t)
    possible = [
        (kind, int(x)) for kind, where in ((STORE, stores), (PARK, parks), (TERMINAL, terminals)) for x in where
    ]
    every_way = [[ways(hub, terminal, site) for terminal in range(n + 1)] for hub in range(n + 1)]
    several = [rng.choice(len(possible), rng.integers(0, min(6, len(possible))), replace=False) for _ in range(20)]
    for chosen in [*several, *combinations(range(len(possible)), 2)]:
        opened = {possible[k] for k in chosen}
        allowed = np.array([[any(way <= opened for way in some) for some in of_hub] for of_hub in every_way])
        best = [costs[:, allowed].min(axis=1) for costs in by_way]
        np.testing.assert_allclose(best[0], best[1])


def test_a_lane_is_provided_by_every_choice_of_options_for_the_facilities_it_needs():
    """Cold stores for perishable cargo, warehouses for other; two sizes of each type; all ways of `ways`, no others."""
    places = random_places(np.random.default_rng(0))
    site = np.append(places.is_site, False)
    types = ["warehouse", "cold_store", "mmlp", "cargo_terminal"]
    options = pd.DataFrame(
        list(product(types, range(6), ["small", "large"])), columns=["facility_type", "place", "tier"]
    )
    options = options[(options["place"] < 5) | (options["facility_type"] == "mmlp")].reset_index(drop=True)
    hubs, terminals = [NONE, 0, 1, 5, 6], [NONE, 0, 2, 5, 7]
    way = np.array(list(product(range(2), hubs, terminals)))
    lanes = Lanes(way[:, 0], way[:, 1], way[:, 2], np.full(len(way), 11), np.zeros(len(way)))
    lane, needs = options_of_lanes(lanes, np.array(["general", "perishable"], object), options, places)
    found = {(int(k), frozenset(pair) - {NONE}) for k, pair in zip(lane, needs.tolist(), strict=True)}
    assert len(found) == len(lane)

    def sizes(facility, store):
        kind, place = facility
        name = {STORE: store, PARK: "mmlp", TERMINAL: "cargo_terminal"}[kind]
        return np.flatnonzero((options["facility_type"] == name) & (options["place"] == place)).tolist()

    expected = set()
    for k, (client, hub, terminal) in enumerate(way.tolist()):
        store = ("warehouse", "cold_store")[client]
        for some in ways(hub, terminal, site):
            if some:
                expected |= {(k, frozenset(choice)) for choice in product(*(sizes(each, store) for each in some))}
    assert found == expected


def test_a_place_is_on_the_road_where_one_gateway_is_in_reach():
    places = random_places(np.random.default_rng(0))
    assert places.on_road.all() and np.isnan(places.road_km[5, places.gateways]).any()
    places = random_places(np.random.default_rng(0))
    places.road_km[5, places.gateways] = np.nan
    assert np.flatnonzero(~places.on_road).tolist() == [5]


def test_a_client_without_road_has_no_lane():
    rng = np.random.default_rng(0)
    places = random_places(rng)
    places.road_km[0, 1:] = places.road_km[1:, 0] = np.nan
    places.first_mile_km[0, 1:] = places.first_mile_km[1:, 0] = np.nan
    p = pricer(places, rng, {})
    existing = LaneSearch(p).status_quo()
    assert set(p.clients["place"].iloc[existing.client]) == {1, 2, 3, 4}
    assert not np.isnan(LaneSearch(p).improving(existing, np.arange(5), np.arange(6)).cost_inr_per_t).any()


def test_price_of_one_lane_by_hand():
    """100 km part load to a warehouse, stuffed, then 400 km by trailer, half of the boxes brought empty at 0.53."""
    table = pd.DataFrame({"place_id": ["a", "b", "g"], "kind": ["district", "district", "gateway"]})
    km = np.array([[0, 100, 450], [100, 0, 400], [450, 400, 0]], float)
    nothing = np.full((3, 1), np.nan)
    clients = pd.DataFrame({
        "place": [0], "cargo_class": ["general"], "load": ["part"], "time_inr_per_t_h": [2.0],
        "first_mile_factor": [1.0],
    })  # fmt: skip
    p = LanePricer(
        Places(table, km, km, nothing, nothing), Tariff.from_parameters(load_parameters()),
        Conditions(np.array([120.0]), 0.0, 0.0), clients,
    )  # fmt: skip
    lane = Lanes(*(np.array([x]) for x in (0, 1, NONE, 2)), np.zeros(1))
    parts = p.parts(lane)
    assert parts["mode"].tolist() == ["road", "handling", "dwell", "road", "dwell"]
    assert parts["freight_inr_per_t"].sum() == pytest.approx(
        11.03 * (0.3 * 50 + 0.7 * 100) + 181 + 2.869 * (0.02 * 480 + 0.98 * 400) * (1 + 0.5 * 0.53)
    )
    assert parts["hours"].sum() == pytest.approx(500 * 24 / 425 + 48 + 120)
    assert parts["cost_inr_per_t"].sum() == pytest.approx(parts["freight_inr_per_t"].sum() + 2 * parts["hours"].sum())

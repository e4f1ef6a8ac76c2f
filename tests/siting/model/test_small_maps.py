"""Lanes of small maps against all conceivable ones: for any facilities that open, those kept cost no more.

A lane needs two facilities at the most, so what holds of every pair of them holds of all sets.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest

from siting.model.costs import Tariff
from siting.model.lane_search import LaneSearch
from siting.model.lanes import NONE, Conditions, LanePricer, Lanes
from siting.model.places import Places
from siting.model.tastes import divided
from siting.parameters import load_parameters

KINDS = ["district", "district", "planned", "depot", "depot", "cargo_terminal", "gateway", "gateway"]
N = len(KINDS)
RATES = (
    {},
    {"road_only_delay": 0.12, "warehouse_shortage_markup": 0.15, "carbon_price_inr_per_t_co2e": 3000},
    {"rail_inr_per_t_km": 0.5, "rail_terminal_handling_inr_per_t": 20, "rail_terminal_dwell_h": 10,
     "rail_trains_per_week": 14},
    {"rail_inr_per_t_km": 0.9, "rail_terminal_handling_inr_per_t": 50, "consolidation_dwell_h": 4,
     "rake_handling_h": 1, "depot_cold_room_inr_per_t": 900},
)  # fmt: skip
Facility = tuple[str, int]


def random_places(rng: np.random.Generator) -> Places:
    """Eight places on a plane 1,500 km wide, of which some pairs have no road and some no rail."""
    xy = rng.uniform(0, 1500, (N, 2))
    km = 1.3 * np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    rail = km[:, -2:] * rng.uniform(0.7, 1.1)
    a, b = np.triu_indices(N, 1)
    cut = rng.random(len(a)) < 0.08
    km[a[cut], b[cut]] = km[b[cut], a[cut]] = np.nan
    rail[rng.random((N, 2)) < 0.15] = np.nan
    if rng.random() < 0.4:
        rail[3:6] = np.nan  # no train but the new ones
    table = pd.DataFrame({"place_id": [f"p{i}" for i in range(N)], "kind": KINDS})
    stands = table["kind"].isin(["depot", "cargo_terminal"])
    table["trains_per_week"] = np.where(stands, rng.choice([0.5, 3, 30], N), np.nan)
    inside = np.where(table["kind"] == "district", 25.0, 0.0)[:, None]
    return Places(table, km, np.maximum(km, inside), rail, rail / 25.0)


def random_pricer(seed: int) -> LanePricer:
    """Clients of all classes and loads, each of two shippers, some of which like a way more than it costs."""
    rng = np.random.default_rng(seed)
    parameters = load_parameters().with_overrides(RATES[seed % len(RATES)])
    ways = list(product(range(2), ["general", "perishable"], ["full", "part"]))
    clients = pd.DataFrame(ways, columns=["place", "cargo_class", "load"])
    clients["tonnes_per_year"] = 100.0
    clients["time_inr_per_t_h"] = rng.uniform(0, 30, len(clients))
    clients["first_mile_factor"] = rng.choice([1.0, 1.3], len(clients))
    client = np.repeat(np.arange(len(clients)), 2)
    taste = rng.uniform(-200, 600, (len(client), 2, 2)) * rng.choice([0.0, 0.2, 1.0, 20.0])
    parts = divided(clients, client, np.full(len(client), 0.5))
    conditions = Conditions(
        rng.uniform(50, 150, 2), parameters["road_only_delay"], parameters["warehouse_shortage_markup"]
    )
    return LanePricer(random_places(rng), Tariff.from_parameters(parameters), conditions, parts, taste)


def every_lane(p: LanePricer) -> Lanes:
    """All conceivable lanes: full loads have no hub, and part loads none that is but a terminal."""
    rows = [
        (client, hub, terminal, gateway)
        for client, part in enumerate(p.is_part)
        for hub in ([k for k in range(N) if KINDS[k] != "cargo_terminal"] if part else [NONE])
        for terminal in range(NONE, N - 2)
        for gateway in (N - 2, N - 1)
    ]
    lanes = Lanes(*np.array(rows).T, np.zeros(len(rows)))
    cost = p.price(lanes)
    there = np.isfinite(cost)
    return Lanes(lanes.client, lanes.hub, lanes.terminal, lanes.gateway, cost).take(there)


def facilities_of(p: LanePricer) -> list[Facility]:
    """What may be built: stores in districts; parks, and in districts cargo terminals, where rail is."""
    by_rail = np.flatnonzero(p.places.is_site & np.isfinite(p.places.rail_km).any(axis=1)).tolist()
    terminals = [("terminal", k) for k in by_rail if KINDS[k] == "district"]
    return [("store", 0), ("store", 1), *(("park", k) for k in by_rail), *terminals]


def serves(hub: int, terminal: int, opened: frozenset[Facility]) -> bool:
    """Whether a lane has all it needs: a hall at a new hub, a train at a new terminal; a park has both."""
    new = [k for k in (hub, terminal) if k >= 0 and KINDS[k] in ("district", "planned")]
    hall = hub not in new or bool({("store", hub), ("park", hub)} & opened)
    train = terminal not in new or bool({("terminal", terminal), ("park", terminal)} & opened)
    if hub in new and terminal in new and hub != terminal:
        return ("store", hub) in opened and train  # no lane is boxed at a park for the train of another place
    return hall and train


def alone(hub: int, terminal: int, possible: list[Facility]) -> list[Facility]:
    """Of a lane's two facilities each, which do less by themselves than both; none where one does all."""
    new = [k >= 0 and KINDS[k] in ("district", "planned") for k in (hub, terminal)]
    if not all(new) or hub == terminal:
        return []
    train = ("terminal", terminal) if ("terminal", terminal) in possible else ("park", terminal)
    return [("store", hub), train]


def least(lanes: Lanes, opened: frozenset[Facility], n_clients: int) -> np.ndarray:
    """(n_clients,) cost of the cheapest lane that these facilities serve."""
    open_way = np.array(
        [[serves(hub, terminal, opened) for terminal in [*range(N), NONE]] for hub in [*range(N), NONE]]
    )
    cost = np.full(n_clients, np.inf)
    may = open_way[lanes.hub, lanes.terminal]
    np.minimum.at(cost, lanes.client[may], lanes.cost_inr_per_t[may])
    return cost


@pytest.mark.parametrize("seed", range(0, 60, 4))
def test_for_any_facilities_the_lanes_kept_are_as_cheap_as_all_lanes(seed: int) -> None:
    for p in map(random_pricer, range(seed, seed + 4)):
        every, n = every_lane(p), len(p.clients)
        quo = LaneSearch(p).status_quo()
        possible = facilities_of(p)
        at = {
            kind: np.array([k for own, k in possible if own == kind], np.int64)
            for kind in ("store", "park", "terminal")
        }
        found = LaneSearch(p).improving(quo, *at.values())
        np.testing.assert_allclose(p.price(found), found.cost_inr_per_t)
        today = np.full(n, np.inf)
        today[quo.client] = quo.cost_inr_per_t
        np.testing.assert_allclose(today, least(every, frozenset(), n))
        assert (found.cost_inr_per_t < today[found.client]).all()
        kept = Lanes.joined([quo, found])
        for hub, terminal in {*zip(found.hub.tolist(), found.terminal.tolist(), strict=True)}:
            mine = (found.hub == hub) & (found.terminal == terminal)
            for fewer in alone(hub, terminal, possible):
                assert (found.cost_inr_per_t[mine] < least(kept, frozenset({fewer}), n)[found.client[mine]]).all()
        with_way = np.isfinite(today)
        for opened in map(frozenset, [*combinations(possible, 1), *combinations(possible, 2)]):
            mine, best = least(kept, opened, n), least(every, opened, n)
            np.testing.assert_allclose(mine[with_way], best[with_way], err_msg=str(opened))


@pytest.mark.parametrize("seed", range(0, 12, 4))
def test_of_today_the_best_ways_through_each_gateway_are_named(seed: int) -> None:
    """The k cheapest by road to a gateway, by road through a depot, and by rail; one of each where nothing is said."""
    for p in map(random_pricer, range(seed, seed + 4)):
        every = every_lane(p)
        new = np.append(p.places.is_site, False)
        every = every.take(~new[every.hub] & ~new[every.terminal])
        at_depot = (every.hub != NONE) & (every.hub < N - 2)
        way = np.where(every.terminal != NONE, 2, np.where(at_depot, 1, 0))
        for k, found in ((1, LaneSearch(p).existing()), (2, LaneSearch(p).existing(2))):
            np.testing.assert_allclose(p.price(found), found.cost_inr_per_t)
            best = []
            for client, kind in product(range(len(p.clients)), range(3)):
                mine = (every.client == client) & (way == kind)
                of_gateway = [
                    every.cost_inr_per_t[mine & (every.gateway == g)].min(initial=np.inf) for g in (N - 2, N - 1)
                ]
                best += [(client, cost) for cost in sorted(of_gateway)[:k] if np.isfinite(cost)]
            told = zip(found.client.tolist(), found.cost_inr_per_t.tolist(), strict=True)
            np.testing.assert_allclose(sorted(told), sorted(best))


def test_no_cargo_terminal_is_built_where_none_is_named() -> None:
    p = random_pricer(2)
    quo, stores, parks = LaneSearch(p).status_quo(), np.array([0, 1]), np.array([2])
    named, usual = (LaneSearch(p).improving(quo, stores, parks, *some) for some in ((np.zeros(0, np.int64),), ()))
    also = LaneSearch(p).improving(quo, stores, parks, np.array([0]))
    assert usual.terminal.tolist() == named.terminal.tolist() != also.terminal.tolist()


def test_rare_trains_are_minded_by_what_the_box_costs_by_road_and_not_without_a_road() -> None:
    """(100): the least freight from the district's exporters to a gateway, of cargo that perishes in a cold box."""
    p = random_pricer(1)
    first_mile = p.places.first_mile_km.copy()
    first_mile[1, -2:] = np.nan
    first_mile[0, -2:] = [700.0, 300.0]
    without = replace(p.places, first_mile_km=first_mile)
    cut = LanePricer(without, p.tariff, p.conditions, p.clients)
    freight = p.tariff.rare_trains_of_freight * p.tariff.full_load_inr_per_t(np.array(300.0))
    cold = np.where(p.clients["cargo_class"] == "perishable", p.tariff.reefer_factor, 1.0)
    np.testing.assert_allclose(cut.rarity, np.where(p.clients["place"] == 0, freight * cold, 0.0))
    assert p.tariff.rare_trains_of_freight > 0 and p.tariff.reefer_factor > 1

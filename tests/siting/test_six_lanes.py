"""Six lanes of the bundled pack, worked out by hand: from the rows of parameters.csv and kilometres alone.

Kilometres are the pack's, held to what is published or read off a road atlas; everything else is arithmetic that
shares nothing with the model. Cargo is worth one lakh rupees a tonne throughout.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from pyproj import Geod

import siting
from geodata.pack import open_pack
from siting.model.costs import Tariff
from siting.model.lanes import NONE, LanePricer, Lanes
from siting.model.model import conditions
from siting.model.places import Places, build_places
from siting.parameters import load_parameters

VALUE_INR_PER_T = 100_000.0
TABLE = Path(siting.__file__).with_name("parameters.csv").read_text(encoding="utf-8")
P = {row["key"]: float(row["value"]) for row in csv.DictReader(TABLE.splitlines())}
DWELL_H = {"INNSA": 74.0, "INMUN": 107.0}  # Logistics Data Bank; 120 at the others
WITH_EMPTIES = 1 + P["empty_box_share"] * P["empty_box_freight_ratio"]


class Told(NamedTuple):
    """What a lane takes: rupees for freight and handling, hours, kg CO2e; all of a tonne."""

    money: float
    hours: float
    kg: float


@pytest.fixture(scope="module")
def places() -> Places:
    return build_places(open_pack(), load_parameters())


def at(places: Places, place_id: str) -> int:
    return NONE if not place_id else places.table.index[places.table["place_id"] == place_id][0]


def modelled(
    places: Places, origin: str, cargo_class: str, hub: str, terminal: str, gateway: str
) -> tuple[Told, float]:
    """The model's own sums for a lane, and its cost without what is minded of it."""
    p = load_parameters()
    per_day = p[f"time_cost_{cargo_class}_per_day"]
    clients = pd.DataFrame({
        "place": [at(places, origin)], "cargo_class": [cargo_class], "load": ["part" if hub else "full"],
        "time_inr_per_t_h": [VALUE_INR_PER_T * per_day / 24], "first_mile_factor": [1.0],
    })  # fmt: skip
    pricer = LanePricer(places, Tariff.from_parameters(p), conditions(open_pack(), places, p), clients)
    lane = Lanes(*(np.array([n]) for n in (0, at(places, hub), at(places, terminal), at(places, gateway))), np.zeros(1))
    sums = pricer.parts(lane)[["freight_inr_per_t", "hours", "co2e_kg_per_t"]].sum()
    return Told(*sums), float((pricer.price(lane) - pricer.taste_of(lane))[0])


def agrees(told: tuple[Told, float], by_hand: Told, cargo_class: str) -> None:
    """Money, hours and CO2e, and the cost that they add up to; areas of two libraries differ by less than 1e-4."""
    a_day = P[f"time_cost_{cargo_class}_per_day"] * VALUE_INR_PER_T
    assert told[0] == pytest.approx(by_hand, rel=1e-4)
    assert told[1] == pytest.approx(by_hand.money + by_hand.hours / 24 * a_day, rel=1e-4)


def road_km(places: Places, a: str, b: str, about: float) -> float:
    """By road, and within a tenth of what an atlas says."""
    km = float(places.road_km[at(places, a), at(places, b)])
    assert km == pytest.approx(about, rel=0.1), (a, b)
    return km


def rail(places: Places, a: str, gateway: str, about: float) -> tuple[float, float]:
    """Km and running hours by rail, at the speed of freight trains and faster where there is a corridor."""
    column = places.table["place_id"].iloc[places.gateways].tolist().index(gateway)
    km, hours = (float(table[at(places, a), column]) for table in (places.rail_km, places.rail_h))
    assert km == pytest.approx(about, rel=0.1), (a, gateway)
    assert km / P["rail_speed_dfc_km_h"] <= hours <= km / P["rail_speed_main_km_h"] * (1 + 1e-9)
    return km, hours


def inside_km(district: str) -> float:
    """From the exporters of a district to its centre: two thirds of the radius of its disc, by roads that wind."""
    polygons = open_pack().districts.set_index("district_id").geometry
    m2 = abs(Geod(ellps="WGS84").geometry_area_perimeter(polygons[district])[0])
    return float(2 / 3 * np.sqrt(m2 / 1e6 / np.pi) * P["intra_district_detour"])


def tapered(km: float, mean_km: str, fixed: float, taper: float) -> float:
    """Km that are charged: a share of the mean haul whatever the distance, and less for each beyond it."""
    mean = P[mean_km]
    return fixed * mean + (1 - fixed) * (min(km, mean) + (1 - taper) * max(km - mean, 0))


def trailer(km: float) -> float:
    """What a trailer of 38 t costs, over the 20 t of a box; and the empty one that is brought."""
    per_km = P["heavy_trailer_inr_per_t_km"] * P["heavy_trailer_payload_t"] / P["container_payload_t"]
    return per_km * tapered(km, "road_mean_haul_km", P["trailer_fixed_share"], P["road_taper"]) * WITH_EMPTIES


def train(km: float) -> float:
    return P["rail_inr_per_t_km"] * tapered(km, "rail_mean_haul_km", 0, P["rail_taper"]) * WITH_EMPTIES


def part_load(km: float) -> tuple[float, float]:
    """INR and kg: a light truck all the way, or for a day's round with a line haul beyond it, if that is cheaper."""
    rate, day, fixed = (
        P[key] for key in ("light_truck_inr_per_t_km", "part_load_collection_km", "light_truck_fixed_share")
    )
    light, light_kg = rate * (fixed * day + (1 - fixed) * km), P["emission_light_truck_g_per_t_km"] / 1000
    over = km - day
    charged = tapered(over, "road_mean_haul_km", P["truck_fixed_share"], P["road_taper"])
    line = rate * day + P["truck_inr_per_t_km"] / P["part_load_fill"] * charged
    if over <= 0 or light <= line:
        return light, light_kg * km
    return line, light_kg * day + P["emission_part_load_g_per_t_km"] / 1000 * over


TRAILER_KG, RAIL_KG = (P[f"emission_{mode}_g_per_t_km"] / 1000 for mode in ("trailer", "rail"))
H_PER_KM = 24 / P["road_km_per_day"]
STUFFING, FILLING_H = P["stuffing_inr_per_t"], P["consolidation_dwell_h"]
PASSAGE = P["rail_terminal_handling_inr_per_t"] + P["rail_terminal_access_inr_per_train"] / (
    P["teu_per_train"] * P["payload_t_per_teu"]
)


def train_h(trains_per_week: float) -> float:
    """At both ends of the train: waiting for it, loading, a path and a line in the yard, unloading.

    Measured where a box waits 12 h for its daily train, half of the time between two.
    """
    wait_h = P["rail_terminal_dwell_h"] - 12 + 84 / trains_per_week
    return wait_h + 2 * P["rake_handling_h"] + P["rake_wait_h"]


def port_h(gateway: str) -> float:
    """Until the ship leaves: what lies in the port, and its release beyond."""
    return DWELL_H.get(gateway, 120.0) + P["gateway_release_beyond_dwell_h"]


def test_brassware_of_moradabad_in_part_loads_by_rail_to_mundra(places: Places) -> None:
    """Stuffed at Moradabad's own depot, where it fills while it waits for the train."""
    told = modelled(places, "uttar-pradesh/moradabad", "general", "moradabad", "moradabad", "INMUN")
    first_km = inside_km("uttar-pradesh/moradabad")
    assert first_km > places.road_km[at(places, "uttar-pradesh/moradabad"), at(places, "moradabad")]
    km, running_h = rail(places, "moradabad", "INMUN", 1_290)
    inr, kg = part_load(first_km)
    hours = first_km * H_PER_KM + train_h(2.92) + running_h + port_h("INMUN")
    by_hand = Told(inr + STUFFING + PASSAGE + train(km), hours, kg + RAIL_KG * km)
    agrees(told, by_hand, "general")


def test_a_full_box_of_kishanganj_by_road_to_kolkata(places: Places) -> None:
    """One trailer all the way: no depot of the district, no handling before the port."""
    km = road_km(places, "bihar/kishanganj", "INCCU", 520)
    by_hand = Told(trailer(km), km * H_PER_KM + port_h("INCCU"), TRAILER_KG * km)
    agrees(modelled(places, "bihar/kishanganj", "general", "", "", "INCCU"), by_hand, "general")


def test_tea_of_dibrugarh_in_full_boxes_by_road_to_guwahati_and_by_rail_to_kolkata(places: Places) -> None:
    road, (km, running_h) = road_km(places, "assam/dibrugarh", "amingaon", 455), rail(places, "amingaon", "INCCU", 985)
    hours = road * H_PER_KM + train_h(1.43) + running_h + port_h("INCCU")
    by_hand = Told(trailer(road) + PASSAGE + train(km), hours, TRAILER_KG * road + RAIL_KG * km)
    agrees(modelled(places, "assam/dibrugarh", "general", "", "amingaon", "INCCU"), by_hand, "general")


def test_grapes_of_nashik_in_part_loads_to_a_cold_room_at_nhava_sheva(places: Places) -> None:
    """Cold trucks cost more, the cold room at the port's sheds is paid, and a day costs far more of the value."""
    km = road_km(places, "maharashtra/nashik", "INNSA", 200)
    inr, kg = part_load(km)
    money = P["reefer_freight_factor"] * inr + STUFFING + P["depot_cold_room_inr_per_t"]
    by_hand = Told(money, km * H_PER_KM + FILLING_H + port_h("INNSA"), kg)
    agrees(modelled(places, "maharashtra/nashik", "perishable", "INNSA", "", "INNSA"), by_hand, "perishable")


def test_knitwear_of_tiruppur_in_part_loads_to_its_depot_and_by_road_to_tuticorin(places: Places) -> None:
    first_km, km = inside_km("tamil-nadu/tiruppur"), road_km(places, "tiruppur", "INTUT", 330)
    inr, kg = part_load(first_km)
    hours = (first_km + km) * H_PER_KM + FILLING_H + port_h("INTUT")
    by_hand = Told(inr + STUFFING + trailer(km), hours, kg + TRAILER_KG * km)
    agrees(modelled(places, "tamil-nadu/tiruppur", "general", "tiruppur", "", "INTUT"), by_hand, "general")


def test_a_full_box_of_surat_by_road_to_hazira(places: Places) -> None:
    """The port next door."""
    km = road_km(places, "gujarat/surat", "INHZA", 32)
    by_hand = Told(trailer(km), km * H_PER_KM + port_h("INHZA"), TRAILER_KG * km)
    agrees(modelled(places, "gujarat/surat", "general", "", "", "INHZA"), by_hand, "general")

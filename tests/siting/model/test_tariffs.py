"""Freight by distance: equations (45) to (47) by hand, and against published tariffs.

Prices of other years are brought to 2023-24 by the wholesale price index, all commodities (base 2011-12, Office of the
Economic Adviser, mean of the financial year): 114.9 in 2017-18, 119.8 in 2018-19, 121.8 in 2019-20, 151.4 in 2023-24.
Distances in published_tariffs.csv are those of the bundled networks.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from siting.model.costs import Haul, Tariff
from siting.parameters import load_parameters

TO_2024 = {2017: 151.4 / 114.9, 2018: 151.4 / 119.8, 2019: 151.4 / 121.8}
PUBLISHED = pd.read_csv(Path(__file__).with_name("published_tariffs.csv")).to_dict("records")
BOX_T = 14  # in a 20-ft box; the tariff is for 10 to 20 t
TRUCK_T = 9


def tariff(**overrides: float) -> Tariff:
    return Tariff.from_parameters(load_parameters().with_overrides(overrides))


def inr_per_vehicle(mode: str, km: float) -> float:
    """What the model asks for a loaded box by rail, its terminal passage included, or for a 9-t truck."""
    rates = tariff(part_load_fill=1.0)  # a truck that one shipper fills
    if mode == "rail":
        return float(rates.rail.inr_per_t(np.array(km)) + rates.terminal_inr_per_t) * BOX_T
    return float(rates.line_haul.inr_per_t(np.array(km))) * TRUCK_T


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row['from']} to {row['to']}")
def test_freight_is_within_a_quarter_of_published_tariffs(row):
    published = row["inr"] * TO_2024[row["year"]]
    assert inr_per_vehicle(row["mode"], row["km"]) == pytest.approx(published, rel=0.25)


def test_road_and_rail_break_even_at_the_published_600_km():
    """DPIIT/NCAER 2025: 500 km of rail with 50 km of road at each end."""
    assert tariff().rail_break_even_km() == pytest.approx(600, abs=60)


def test_where_freight_is_linear_the_break_even_is_a_quotient():
    linear = {"trailer_fixed_share": 0.0, "road_taper": 0.0, "rail_taper": 0.0, "empty_box_share": 0.0}
    rates = tariff(**linear)
    assert rates.rail_break_even_km(50) == pytest.approx(100 + rates.terminal_inr_per_t / (2.869 - 1.96), abs=0.1)
    for dear in (2.869, 20.0):
        assert tariff(**linear, rail_inr_per_t_km=dear).rail_break_even_km() == float("inf"), "rail never pays"


def test_a_haul_by_hand():
    """(45) at 2 INR/t-km, 100 km on the mean, a fifth fixed, a quarter off beyond: 40 INR fixed, 1.6 a km, then 1.2."""
    haul = Haul(2.0, 100.0, 0.2, 0.25)
    km = np.array([[0.0, 50.0, 100.0], [200.0, 1000.0, np.nan]])
    np.testing.assert_allclose(haul.inr_per_t(km), [[0, 120, 200], [320, 1280, np.nan]])


def test_freight_grows_with_distance_and_a_km_costs_ever_less():
    km = np.arange(1.0, 3000.0)
    rates = tariff()
    for freight in (rates.full_load_inr_per_t, rates.rail_inr_per_t, rates.part_load_inr_per_t):
        step = np.diff(freight(km))
        assert (step > 0).all() and (np.diff(step) < 1e-9).all()
        assert freight(np.zeros(1)) == 0 and np.isnan(freight(np.array([np.nan])))


def test_half_of_the_boxes_come_empty_at_53_percent():
    """(46): 16,000 / 30,200 of the freight for one box in two."""
    km = np.array([80.0, 700.0])
    with_empties, without = tariff(), tariff(empty_box_share=0.0)
    for freight in (Tariff.full_load_inr_per_t, Tariff.rail_inr_per_t):
        np.testing.assert_allclose(freight(with_empties, km) / freight(without, km), 1 + 0.5 * 0.53)
    np.testing.assert_array_equal(with_empties.part_load_inr_per_t(km), without.part_load_inr_per_t(km))


@pytest.mark.parametrize(("trains", "hours"), [(7, 90.8), (14, 84.8), (4, 99.8), (1, 162.8)])
def test_a_box_waits_half_of_the_time_between_two_trains(trains, hours):
    """(48): 90.8 h with a daily train, half of the 24 h between two of them included; 72 h more with a weekly one."""
    assert tariff().terminal_dwell_h(np.array(trains)) == pytest.approx(hours)


def test_part_loads_change_trucks_where_that_is_cheaper():
    """(47): at 300 km a line haul after 50 km by light truck costs 2,390 INR/t, the light truck alone 2,482."""
    rates = tariff()
    line = 11.03 * 50 + 3.78 / 0.585 * (0.15 * 480 + 0.85 * 250)
    assert rates.part_load_inr_per_t(np.array([200.0, 300.0])) == pytest.approx([11.03 * (15 + 140), line])
    assert rates.part_load_kg_per_t(np.array([200.0, 300.0])) == pytest.approx([200 * 0.412, 50 * 0.412 + 250 * 0.162])

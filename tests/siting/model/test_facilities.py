"""What sites cost and hold, worked by hand from parameters.csv."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from siting.model.costs import annuity_factor, appraisal_factor
from siting.model.options import build_options, facility_tiers, option_costs
from siting.model.places import Places
from siting.parameters import load_parameters

# Land 2.5 crore an acre, 1,900 m2 built on it: 2.5e7 / 1,900 = 13,157.89 INR/m2 beside 22,000 for the building.
WAREHOUSE_INR_PER_M2 = 22_000 + 2.5e7 / 1_900

BY_HAND = {
    # (type, tier): INR crore, t a year
    ("warehouse", "small"): (2_000 * WAREHOUSE_INR_PER_M2 / 1e7, 2_000 * 30),
    ("warehouse", "medium"): (6_000 * WAREHOUSE_INR_PER_M2 / 1e7, 6_000 * 30),
    ("warehouse", "large"): (15_000 * WAREHOUSE_INR_PER_M2 / 1e7, 15_000 * 30),
    # 5,000 t at 16,000 INR are 8 crore, 2 acres at 2.5 crore are 5; turned 24 times a year.
    ("cold_store", "standard"): (8.0 + 5.0, 5_000 * 24),
    ("mmlp", "small"): (100 * 4.35, 100 * 20_000),
    ("mmlp", "large"): (250 * 4.35, 250 * 20_000),
}

# INR crore a year beside upkeep: customs staff 0.36 everywhere; staff 0.18 and 300 INR/m2 for a warehouse; staff 0.18
# and 800 INR for each of 5,000 t in a cold store; 0.0435 an acre in a park.
RUNNING = {
    ("warehouse", "small"): 0.36 + 0.18 + 0.06,
    ("warehouse", "medium"): 0.36 + 0.18 + 0.18,
    ("warehouse", "large"): 0.36 + 0.18 + 0.45,
    ("cold_store", "standard"): 0.36 + 0.18 + 0.40,
    ("mmlp", "small"): 0.36 + 4.35,
    ("mmlp", "large"): 0.36 + 10.875,
}


def places(rail_access_km: list[float]) -> Places:
    """Districts a road apart from a port, with rail at some km."""
    n = len(rail_access_km)
    table = pd.DataFrame({
        "place_id": [*(f"d{i}" for i in range(n)), "port"], "kind": ["district"] * n + ["gateway"],
        "rail_access_km": [*rail_access_km, 0.0],
    })  # fmt: skip
    km = np.full((n + 1, n + 1), 100.0)
    rail = np.where(np.isfinite(table["rail_access_km"]), 300.0, np.nan)[:, None]
    return Places(table, km, km, rail, rail / 25)


def test_capital_and_capacity_of_every_type_and_tier() -> None:
    tiers = facility_tiers(load_parameters()).set_index(["facility_type", "tier"])
    assert set(tiers.index) == set(BY_HAND)
    for key, (capex, capacity) in BY_HAND.items():
        assert tiers.loc[key, "capex_inr_crore"] == pytest.approx(capex), key
        assert tiers.loc[key, "capacity_t_per_year"] == pytest.approx(capacity), key
    assert tiers.loc[("warehouse", "small"), "capex_inr_crore"] == pytest.approx(7.0315789)


def test_a_park_pays_for_its_siding_and_nothing_else_does() -> None:
    """7 km of siding at 20.7 crore are 144.9 crore; repairs and insurance take 2 % of all capital a year."""
    options = pd.DataFrame([(0, *key) for key in BY_HAND], columns=["place", "facility_type", "tier"])
    costs = option_costs(options, places([7.0]), load_parameters())
    for row, (key, (capex, capacity)) in zip(costs.itertuples(), BY_HAND.items(), strict=True):
        expected = capex + (144.9 if key[0] == "mmlp" else 0.0)
        assert row.capex_inr_crore == pytest.approx(expected), key
        assert row.fixed_cost_inr_per_year == pytest.approx((0.02 * expected + RUNNING[key]) * 1e7), key
        assert row.capacity_t_per_year == pytest.approx(capacity), key


def test_capital_and_upkeep_of_a_warehouse_are_its_rent() -> None:
    """2,000 m2 are 21,528 sq ft: at 30 INR a month 77.5 lakh a year. So rent is not paid on top of capital."""
    p = load_parameters()
    (small,) = facility_tiers(p).query("facility_type == 'warehouse' and tier == 'small'").itertuples()
    a_year = small.capex_inr_crore * (1 / appraisal_factor(p) + p["om_fraction_per_year"])
    assert pytest.approx(0.775, abs=0.001) == 21_528 * 30 * 12 / 1e7
    assert a_year == pytest.approx(0.775, rel=0.05)


def test_a_cold_room_at_a_depot_costs_what_a_new_cold_store_half_used_does() -> None:
    p = load_parameters()
    (store,) = facility_tiers(p).query("facility_type == 'cold_store'").itertuples()
    a_year = store.capex_inr_crore * (1 / appraisal_factor(p) + p["om_fraction_per_year"])
    a_year += store.running_inr_crore_per_year - p["customs_staff_inr_crore_per_year"]  # a depot has its own
    assert a_year * 1e7 / (0.5 * store.capacity_t_per_year) == pytest.approx(p["depot_cold_room_inr_per_t"], rel=0.02)


def test_parks_stand_where_rail_is_and_stores_everywhere() -> None:
    here = places([7.0, np.nan])
    options = build_options(here, load_parameters(), ("warehouse", "cold_store", "mmlp"))
    assert sorted(options["option_id"]) == sorted(
        f"{kind}-{tier}@d{i}" for kind, tier in BY_HAND for i in (0, 1) if kind != "mmlp" or i == 0
    )
    assert options["capex_inr_crore"].notna().all(), "a district without rail has no siding to pay"


def test_a_rupee_a_year_is_worth_what_discounting_each_year_adds_up_to() -> None:
    p = load_parameters()
    assert appraisal_factor(p) == pytest.approx(sum(1.08**-year for year in range(1, 31)))
    assert appraisal_factor(p.with_overrides({"credit_subsidy": 0.03})) == appraisal_factor(p), "a transfer"
    assert annuity_factor(0.0, 30) == 30

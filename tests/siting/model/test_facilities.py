"""What sites cost and hold and what their capital costs its users, by hand from parameters.csv: (50) to (52)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from siting.model.costs import annuity_factor, appraisal_factor
from siting.model.options import build_options, facility_tiers, option_costs
from siting.model.places import Places
from siting.parameters import load_parameters
from siting.study import FACILITY_TYPES

# Land 2.5 crore an acre, 1,900 m2 built on it: 2.5e7 / 1,900 = 13,157.89 INR/m2 beside 22,000 for the building.
WAREHOUSE_INR_PER_M2 = 22_000 + 2.5e7 / 1_900

BY_HAND = {
    # (type, tier): INR crore, t a year; 1.2 t/m2 of floor turned 24 times a year, as a cold store's stock is
    ("warehouse", "small"): (2_000 * WAREHOUSE_INR_PER_M2 / 1e7, 2_000 * 1.2 * 24),
    ("warehouse", "medium"): (6_000 * WAREHOUSE_INR_PER_M2 / 1e7, 6_000 * 1.2 * 24),
    ("warehouse", "large"): (15_000 * WAREHOUSE_INR_PER_M2 / 1e7, 15_000 * 1.2 * 24),
    # 5,000 t at 16,000 INR are 8 crore, 2 acres at 2.5 crore are 5.
    ("cold_store", "standard"): (8.0 + 5.0, 5_000 * 24),
    ("cargo_terminal", "standard"): (73.0, 1_600_000),
    ("mmlp", "small"): (100 * 4.4, 100 * 50_000),
    ("mmlp", "large"): (250 * 4.4, 250 * 50_000),
}

# INR crore a year beside upkeep: customs staff 0.36 everywhere; staff 0.18 and 300 INR/m2 for a warehouse; staff 0.18
# and 800 INR for each of 5,000 t in a cold store. The staff of parks and cargo terminals is in their tariff.
RUNNING = {
    ("warehouse", "small"): 0.36 + 0.18 + 0.06,
    ("warehouse", "medium"): 0.36 + 0.18 + 0.18,
    ("warehouse", "large"): 0.36 + 0.18 + 0.45,
    ("cold_store", "standard"): 0.36 + 0.18 + 0.40,
    ("cargo_terminal", "standard"): 0.36,
    ("mmlp", "small"): 0.36,
    ("mmlp", "large"): 0.36,
}

PUBLIC = {"warehouse": 1.0, "cold_store": 1.0, "cargo_terminal": 0.2, "mmlp": 0.5}  # g
DUE = {"warehouse": 1.0, "cold_store": 1.0, "cargo_terminal": 0.5, "mmlp": 0.5}  # phi
ANNUITY = sum(1.08**-year for year in range(1, 31))  # 11.2578

PLANNED = pd.DataFrame(
    {"site_id": ["own", "unknown", "none"], "project_cost_inr_crore": [1000.0, 700.0, np.nan],
     "private_inr_crore": [600.0, np.nan, np.nan], "throughput_million_t_per_year": [10.0, 13.0, np.nan]}
)  # fmt: skip
"""Three planned parks: all is published; all but who pays; nothing."""


def places(rail_access_km: list[float], planned: tuple[str, ...] = ()) -> Places:
    """Districts and planned sites a road apart from a port, with rail at some km."""
    n = len(rail_access_km)
    table = pd.DataFrame({
        "place_id": [*(f"d{i}" for i in range(n)), *planned, "port"],
        "kind": ["district"] * n + ["planned"] * len(planned) + ["gateway"],
        "rail_access_km": [*rail_access_km, *(2.0 for _ in planned), 0.0],
    })  # fmt: skip
    km = np.full((len(table), len(table)), 100.0)
    rail = np.where(np.isfinite(table["rail_access_km"]), 300.0, np.nan)[:, None]
    return Places(table, km, km, rail, rail / 25)


def test_capital_and_capacity_of_every_type_and_tier() -> None:
    tiers = facility_tiers(load_parameters()).set_index(["facility_type", "tier"])
    assert set(tiers.index) == set(BY_HAND)
    for key, (capex, capacity) in BY_HAND.items():
        assert tiers.loc[key, "project_cost_inr_crore"] == pytest.approx(capex), key
        assert tiers.loc[key, "capacity_t_per_year"] == pytest.approx(capacity), key
    assert tiers.loc[("warehouse", "small"), "project_cost_inr_crore"] == pytest.approx(7.0315789)


def test_the_public_part_counts_in_the_budget_and_a_part_of_it_is_due_whether_used_or_not() -> None:
    """(50) and (51): 7 km of siding at 20.7 crore are 144.9 crore; upkeep takes 2 % of what is due a year."""
    options = pd.DataFrame([(0, *key) for key in BY_HAND], columns=["place", "facility_type", "tier"])
    costs = option_costs(options, places([7.0]), load_parameters(), PLANNED)
    for row, (key, (capex, capacity)) in zip(costs.itertuples(), BY_HAND.items(), strict=True):
        whole = capex + (144.9 if key[0] in ("mmlp", "cargo_terminal") else 0.0)
        public, due = PUBLIC[key[0]] * whole, DUE[key[0]] * PUBLIC[key[0]] * whole
        assert row.project_cost_inr_crore == pytest.approx(whole), key
        assert row.capex_inr_crore == pytest.approx(public), key
        assert row.due_capital_inr_crore == pytest.approx(due), key
        assert row.fixed_cost_inr_per_year == pytest.approx((0.02 * due + RUNNING[key]) * 1e7), key
        assert row.capital_charge_inr_per_year == pytest.approx(due / ANNUITY * 1e7), key
        assert row.capacity_t_per_year == pytest.approx(capacity), key


def test_customs_ask_for_as_many_boxes_as_their_policy_says() -> None:
    """(53): 1,200 TEU a year of a freight station, 7,200 of an inland depot, of 14 t each; half of a size no less."""
    options = pd.DataFrame([(0, *key) for key in BY_HAND], columns=["place", "facility_type", "tier"])
    least = option_costs(options, places([0.0]), load_parameters(), PLANNED)["min_throughput_t_per_year"]
    for needed, (kind, _) in zip(least, BY_HAND, strict=True):
        assert needed == (100_800 if kind in ("mmlp", "cargo_terminal") else 16_800), kind
    spared = load_parameters().with_overrides({"freight_station_min_teu_per_year": 600})
    assert option_costs(options, places([0.0]), spared, PLANNED)["min_throughput_t_per_year"].min() == 8_400


def test_the_rest_of_the_public_part_is_paid_by_the_tonne() -> None:
    """(52). A cargo terminal at the line: 73 crore, public 14.6, half of it by use: 7.3 crore at 1/11.26 + 2 % a year,
    over half of 1.6 Mt. A warehouse is all due: nothing by the tonne."""
    options = pd.DataFrame([(0, *key) for key in BY_HAND], columns=["place", "facility_type", "tier"])
    p = load_parameters()
    costs = option_costs(options, places([0.0]), p, PLANNED).set_index(pd.MultiIndex.from_tuples(BY_HAND))
    terminal = costs.loc[("cargo_terminal", "standard")]
    assert terminal["use_capital_inr_per_t"] == pytest.approx(7.3e7 / ANNUITY / 8e5)
    assert terminal["use_charge_inr_per_t"] == pytest.approx(7.3e7 * (1 / ANNUITY + 0.02) / 8e5)
    assert terminal["use_charge_inr_per_t"] == pytest.approx(9.93, abs=0.01)
    assert costs.loc[("mmlp", "small"), "use_charge_inr_per_t"] == pytest.approx(
        0.5 * 220e7 * (1 / ANNUITY + 0.02) / (0.5 * 5e6)
    )
    assert (costs.loc[["warehouse", "cold_store"], "use_charge_inr_per_t"] == 0).all()
    due_only = option_costs(options, places([0.0]), p.with_overrides({"take_or_pay_share": 1.0}), PLANNED)
    assert (due_only["use_charge_inr_per_t"] == 0).all()


def test_at_the_utilisation_assumed_both_parts_pay_for_the_public_capital_once() -> None:
    p = load_parameters()
    options = pd.DataFrame([(0, *key) for key in BY_HAND], columns=["place", "facility_type", "tier"])
    for phi in (0.25, 0.5, 0.9):
        p = p.with_overrides({"take_or_pay_share": phi})
        costs = option_costs(options, places([3.0]), p, PLANNED)
        shared = costs["use_charge_inr_per_t"] > 0
        by_use = costs["use_capital_inr_per_t"] * 0.5 * costs["capacity_t_per_year"]
        a_year = costs["capital_charge_inr_per_year"] + by_use
        assert shared.sum() == 3
        assert a_year.to_numpy() == pytest.approx(costs["capex_inr_crore"].to_numpy() * 1e7 / ANNUITY)


def test_without_a_charge_for_capital_what_is_due_costs_upkeep_alone() -> None:
    options = pd.DataFrame([(0, *key) for key in BY_HAND], columns=["place", "facility_type", "tier"])
    charged, free = (
        option_costs(options, places([3.0]), load_parameters(), PLANNED, with_it) for with_it in (True, False)
    )
    assert (free["capital_charge_inr_per_year"] == 0).all() and (charged["capital_charge_inr_per_year"] > 0).all()
    same = [column for column in charged if column != "capital_charge_inr_per_year"]
    pd.testing.assert_frame_equal(charged[same], free[same])


def test_a_planned_park_with_a_published_project_is_offered_as_announced() -> None:
    """1,000 crore, 600 of them private, 10 Mt: its siding is in that. Where it is not known who pays, g says so."""
    here = places([7.0], ("own", "unknown", "none"))
    options = build_options(here, load_parameters(), ("mmlp", "cargo_terminal"), PLANNED).set_index("option_id")
    assert set(options.index) == {
        "cargo_terminal-standard@d0", "mmlp-small@d0", "mmlp-large@d0", "mmlp-announced@own", "mmlp-announced@unknown",
        "mmlp-small@none", "mmlp-large@none",
    }  # fmt: skip
    own, unknown = options.loc["mmlp-announced@own"], options.loc["mmlp-announced@unknown"]
    assert (own["project_cost_inr_crore"], own["capex_inr_crore"], own["capacity_t_per_year"]) == (1000, 400, 10e6)
    assert own["due_capital_inr_crore"] == pytest.approx(200)
    assert (unknown["capex_inr_crore"], unknown["capacity_t_per_year"]) == (350, 13e6)
    assert own["status"] == "planned" and own["use_charge_inr_per_t"] > 0


def test_what_is_published_of_a_park_may_be_built_in_stages() -> None:
    """The first stage is a fifth of its capital, its public part and its capacity, so that a tonne pays the same."""
    p = load_parameters()
    here = places([7.0], ("own", "unknown", "none"))
    whole = build_options(here, p, ("mmlp",), PLANNED).set_index("option_id")
    staged = build_options(here, p, ("mmlp",), PLANNED, staged=True).set_index("option_id")
    assert set(staged.index) - set(whole.index) == {"mmlp-first_stage@own", "mmlp-first_stage@unknown"}
    for place in ("own", "unknown"):
        first, all_of_it = staged.loc[f"mmlp-first_stage@{place}"], staged.loc[f"mmlp-announced@{place}"]
        for column in ("project_cost_inr_crore", "capex_inr_crore", "due_capital_inr_crore", "capacity_t_per_year"):
            assert first[column] == pytest.approx(p["mmlp_first_stage_share"] * all_of_it[column])
        assert first["use_charge_inr_per_t"] == pytest.approx(all_of_it["use_charge_inr_per_t"])
        assert first["site_id"] == all_of_it["site_id"]


def test_capital_and_upkeep_of_a_warehouse_are_its_rent() -> None:
    """2,000 m2 are 21,528 sq ft: at 30 INR a month 77.5 lakh a year. So rent is not paid on top of capital."""
    p = load_parameters()
    (small,) = facility_tiers(p).query("facility_type == 'warehouse' and tier == 'small'").itertuples()
    a_year = small.project_cost_inr_crore * (1 / appraisal_factor(p) + p["om_fraction_per_year"])
    assert pytest.approx(0.775, abs=0.001) == 21_528 * 30 * 12 / 1e7
    assert a_year == pytest.approx(0.775, rel=0.05)


def test_a_cold_room_at_a_depot_costs_what_a_new_cold_store_half_used_does() -> None:
    p = load_parameters()
    (store,) = facility_tiers(p).query("facility_type == 'cold_store'").itertuples()
    a_year = store.project_cost_inr_crore * (1 / appraisal_factor(p) + p["om_fraction_per_year"])
    a_year += store.running_inr_crore_per_year - p["customs_staff_inr_crore_per_year"]  # a depot has its own
    assert a_year * 1e7 / (0.5 * store.capacity_t_per_year) == pytest.approx(p["depot_cold_room_inr_per_t"], rel=0.02)


def test_stock_turns_as_cargo_lay_in_freight_stations() -> None:
    """219:06 h in Mundra's (Logistics Data Bank, April 2018) are 40 turns a year of a full floor, 24 at 60 % of it.

    The hours a box takes to fill, which the shipper loses, are part of that stay, so floor and dwell go together.
    """
    p = load_parameters()
    stay_h = 219.1
    assert p["stock_turns_per_year"] == pytest.approx(0.6 * 8760 / stay_h, rel=0.01)
    assert p["consolidation_dwell_h"] < stay_h


def test_parks_and_cargo_terminals_stand_where_rail_is_and_stores_everywhere() -> None:
    here = places([7.0, np.nan])
    options = build_options(here, load_parameters(), FACILITY_TYPES, PLANNED)
    by_rail = ("mmlp", "cargo_terminal")
    assert sorted(options["option_id"]) == sorted(
        f"{kind}-{tier}@d{i}" for kind, tier in BY_HAND for i in (0, 1) if kind not in by_rail or i == 0
    )
    assert options["capex_inr_crore"].notna().all(), "a district without rail has no siding to pay"


def test_a_rupee_a_year_is_worth_what_discounting_each_year_adds_up_to() -> None:
    p = load_parameters()
    assert appraisal_factor(p) == pytest.approx(sum(1.08**-year for year in range(1, 31)))
    assert appraisal_factor(p.with_overrides({"credit_subsidy": 0.03})) == appraisal_factor(p), "a transfer"
    assert annuity_factor(0.0, 30) == 30

"""The national answer as it is published: added up once more from its tables alone, and the same in every page.

Nothing here is taken from the plan but the files of the result: pandas, `parameters.csv` and arithmetic.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pandas as pd
import pytest

import siting
from geodata.pack import INDIA
from siting.run import Log, run_study
from siting.study import load_study

ROOT = Path(__file__).parents[2]
ANSWER, LEVERS, README = (ROOT / name for name in ("docs/answer.md", "docs/levers.md", "README.md"))
TABLE = Path(siting.__file__).with_name("parameters.csv").read_text(encoding="utf-8")
P = {row["key"]: float(row["value"]) for row in csv.DictReader(TABLE.splitlines())}
CRORE, RUPEE = 1e7, 1.0
ANNUITY = P["discount_rate"] / (1 - (1 + P["discount_rate"]) ** -P["appraisal_years"])

Result = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("national") / "out"
    study = load_study(ROOT / "studies" / "national.toml")
    run_study(study, out, Log(True, 8))
    return out


@pytest.fixture(scope="module")
def plan(folder: Path) -> dict:
    return json.loads((folder / "plan.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tables(folder: Path) -> Result:
    return {name: pd.read_csv(folder / f"{name}.csv") for name in ("lanes", "sites", "districts", "flows")}


@pytest.mark.slow
def test_the_saving_is_what_districts_save_less_what_sites_cost_to_run(plan: dict, tables: Result) -> None:
    districts, sites = tables["districts"].query("under_utilised"), tables["sites"]
    gross = districts["saving_inr_per_year"].sum()
    assert sites["saving_inr_per_year"].sum() == pytest.approx(gross, abs=RUPEE)
    assert gross - sites["fixed_cost_inr_per_year"].sum() == pytest.approx(plan["saving_inr_per_year"], abs=RUPEE)


@pytest.mark.slow
def test_the_objective_is_all_lanes_tastes_sites_and_capital(plan: dict, tables: Result) -> None:
    """And the money of today is that of the districts, lane by lane what they pay with the plan."""
    lanes, sites = tables["lanes"].query("under_utilised"), tables["sites"]
    districts = tables["districts"].query("under_utilised").dropna(subset="cost_before_inr_per_t")
    after = (lanes["cost_inr_per_t"] * lanes["tonnes_per_year"]).sum()
    before = (districts["cost_before_inr_per_t"] * districts["tonnes_per_year"]).sum()
    # Ten digits of a table, of 130 billion rupees.
    assert after == pytest.approx(plan["after"]["cost_inr_per_year"], rel=1e-9)
    assert before == pytest.approx(plan["before"]["cost_inr_per_year"], rel=1e-9)
    own = sites["fixed_cost_inr_per_year"].sum() + sites["capital_charge_inr_per_year"].sum()
    assert after + plan["taste_inr_per_year"] + own == pytest.approx(plan["objective_inr"], rel=1e-9)
    taste = plan["before"]["taste_inr_per_year"] - plan["after"]["taste_inr_per_year"]
    saved = before - after + taste - sites["fixed_cost_inr_per_year"].sum()
    assert saved == pytest.approx(plan["saving_inr_per_year"], abs=200 * RUPEE)


@pytest.mark.slow
def test_sites_cost_what_their_parameters_say_by_hand(tables: Result) -> None:
    sites, of = tables["sites"], tables["sites"]["facility_type"]
    shared, capex = of == "cargo_terminal", tables["sites"]["capex_inr_crore"] * CRORE
    assert set(of) <= {"cargo_terminal", "warehouse", "cold_store"} and set(sites["tier"]) <= {"small", "standard"}
    due = capex.where(~shared, P["take_or_pay_share"] * capex)
    running = P["customs_staff_inr_crore_per_year"] * CRORE + 0 * capex
    running += P["site_staff_inr_crore_per_year"] * CRORE * ~shared
    running += P["warehouse_small_m2"] * P["warehouse_running_inr_per_m2_year"] * (of == "warehouse")
    running += P["cold_store_capacity_t"] * P["cold_store_power_inr_per_t_year"] * (of == "cold_store")
    fixed = running + P["om_fraction_per_year"] * due
    used_t = P["terminal_utilisation"] * P["cargo_terminal_t_per_year"]
    by_use = ((capex - due) / used_t * (ANNUITY + P["om_fraction_per_year"])).where(shared, 0.0)
    for column, expected in (
        ("fixed_cost_inr_per_year", fixed), ("capital_charge_inr_per_year", due * ANNUITY),
        ("use_charge_inr_per_t", by_use),
    ):  # fmt: skip
        pd.testing.assert_series_equal(sites[column], expected, check_names=False, rtol=1e-8)


@pytest.mark.slow
def test_trains_and_waits_of_the_lanes_cost_what_their_parameters_say_by_hand(tables: Result) -> None:
    """Rail: the published rate to its mean haul, less beyond it, with boxes that come empty; reefers dearer."""
    lanes = tables["lanes"]
    rail = lanes.query("mode == 'rail'")
    near = rail["km"].clip(upper=P["rail_mean_haul_km"])
    tapered_km = near + (1 - P["rail_taper"]) * (rail["km"] - near)
    reefer = 1 + (P["reefer_freight_factor"] - 1) * (rail["cargo_class"] == "perishable")
    empties = 1 + P["empty_box_share"] * P["empty_box_freight_ratio"]
    expected = P["rail_inr_per_t_km"] * tapered_km * reefer * empties
    assert len(rail) > 100
    pd.testing.assert_series_equal(rail["freight_inr_per_t"], expected, check_names=False, rtol=1e-8)
    assert (lanes.query("mode == 'dwell'")["freight_inr_per_t"] == 0).all()


@pytest.mark.slow
def test_no_tonne_is_lost_between_today_and_the_plan(plan: dict, tables: Result) -> None:
    flows, lanes, sites = tables["flows"], tables["lanes"], tables["sites"]
    for unit in ("tonnes", "usd"):
        assert flows[f"{unit}_before"].sum() == pytest.approx(flows[f"{unit}_after"].sum(), rel=1e-9)
    through = lanes.dropna(subset="option_id").drop_duplicates(["lane", "option_id"])
    through = through.groupby("option_id")["tonnes_per_year"].sum()
    told = sites.set_index("option_id")["throughput_t_per_year"]
    pd.testing.assert_series_equal(through.sort_index(), told.sort_index(), check_names=False, rtol=1e-8)
    assert (told >= sites.set_index("option_id")["min_throughput_t_per_year"] * (1 - 1e-8)).all()


def published(page: Path, row: str) -> list[str]:
    """Cells after the first of the row of a table of a page."""
    found = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {row} |")]
    assert len(found) == 1, (page.name, row)
    return [cell.strip() for cell in found[0].strip("| ").split("|")[1:]]


def figures(plan: dict, sites: pd.DataFrame) -> dict[str, str]:
    money, taste = (plan["before"][part] - plan["after"][part] for part in ("cost_inr_per_year", "taste_inr_per_year"))
    kinds = sites["facility_type"].value_counts()
    return {
        "sites": f"{len(sites)}",
        "cargo terminals": f"{kinds['cargo_terminal']}",
        "cold stores": f"{kinds['cold_store']}",
        "warehouses": f"{kinds['warehouse']}",
        "capital, ₹ crore": f"{plan['capex_inr_crore']:.0f}",
        "net saving, ₹ crore a year": f"{plan['saving_inr_per_year'] / CRORE:.0f}",
        "of it freight, handling, time and carbon": f"{money / CRORE:.0f}",
        "of it ports and trains that suit shippers better": f"{taste / CRORE:.0f}",
        "less running the sites": f"{plan['fixed_cost_inr_per_year'] / CRORE:.0f}",
        "benefit-cost ratio": f"{plan['benefit_cost_ratio']:.2f}",
        "net present value, ₹ crore": f"{plan['net_present_value_inr_crore']:.0f}",
        "fingerprint": plan["fingerprint"][:16],
    }


@pytest.mark.slow
def test_what_is_published_is_what_comes_out(plan: dict, tables: Result) -> None:
    told = figures(plan, tables["sites"])
    assert {row: published(ANSWER, row)[0] for row in told} == told
    assert published(LEVERS, "The plan of this study")[-2] == f"{plan['saving_inr_per_year'] / CRORE:.1f}"
    (fingerprint,) = re.findall(r"study with fingerprint\s`(\w+)`", LEVERS.read_text(encoding="utf-8"))
    assert fingerprint == told["fingerprint"]
    (sentence,) = re.findall(
        r"(\d+) sites for ₹([\d,]+) crore, which save ₹([\d,]+) crore a year", README.read_text(encoding="utf-8")
    )
    assert sentence == (told["sites"], told["capital, ₹ crore"], told["net saving, ₹ crore a year"])


def test_what_is_published_of_delhi_is_in_the_tables_of_the_pack() -> None:
    text = " ".join(ANSWER.read_text(encoding="utf-8").split())
    exports = pd.read_csv(INDIA / "exports.csv").query("state == 'Delhi'")
    farm = ("frozen_meat_fish", "tea_coffee_spices", "agri_other", "food_fresh", "food_grains")
    goods = exports[[f"{name}_usd_million" for name in farm]].sum()
    assert f"farm goods of US$ {goods.sum():.0f} million a year (grain alone {goods.iloc[-1]:.0f})" in text
    people = pd.read_csv(INDIA / "population.csv")
    farmers = people["workers"] - people["workers_outside_farming"]
    share = farmers[people["district_id"].str.startswith("delhi/")].sum() / farmers.sum()
    assert f"a city with {100 * share:.2f} % of India's farm workers" in text
    records = pd.read_csv(INDIA / "observed_flows.csv").query("state == 'Delhi'")
    by_way = records.groupby("leaves_by")["usd_million"].sum()
    both = by_way["icd"] + by_way["sea"]
    assert f"{100 * goods.sum() / both:.0f} % of the US$ {both:,.0f} million" in text
    for part, words in ((1.0, "depots would clear {:.0f} % of the rest"), (0.5, "half of it gives {:.0f} %")):
        assert words.format(100 * by_way["icd"] / (both - part * goods.sum())) in text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("Delhi", "{:.0f} % of what Delhi clears at ports"),
        ("Uttar Pradesh", "what Uttar Pradesh does ({:.0f} %)"),
        ("Punjab", "what Punjab does ({:.0f} %)"),
    ],
)
def test_the_ports_that_no_way_from_the_north_leads_to_are_those_told(state: str, words: str) -> None:
    sea = pd.read_csv(INDIA / "observed_flows.csv").query(f"state == '{state}' and leaves_by == 'sea'")
    nearest = sea["gateway_id"].isin(["INNSA", "INMUN", "INPAV", "INHZA"]) | sea["gateway_id"].isna()
    share = 100 * sea.loc[~nearest, "usd_million"].sum() / sea["usd_million"].sum()
    assert words.format(share) in " ".join(ANSWER.read_text(encoding="utf-8").split())

"""Every file of a result holds what ``schema.csv`` says, no more and no less."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest

from siting.plan import make_plan
from siting.results.cells import write_csv
from siting.results.geometry import flow_lines
from siting.results.geopackage import write_geopackage
from siting.results.read import PlanFolder, read_table
from siting.results.scenarios import plan_row, scenario_table
from siting.results.schema import FILES, LAYERS, columns, keys_of, page
from siting.results.tables import sites_table, summary, write_summary, write_tables
from siting.rule_prices import with_rule_prices
from siting.scenarios.draws import evaluate_draws, uncertain
from siting.scenarios.lever_list import levers_of
from siting.scenarios.levers import lever_table
from siting.scenarios.structure import structure_table

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tiny_plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("result")
    ruled = make_plan(tiny_plan.model, rules=({"rule": "sites", "at_most": 1},))
    one_phase = tiny_plan.model.study.with_changes(phases=({"years": 5, "budget_inr_crore": 60.0},))
    phased = make_plan(replace(ruled.model, study=replace(one_phase, rules=ruled.model.study.rules))).phased
    tiny_plan = replace(with_rule_prices(ruled), certainty=evaluate_draws(tiny_plan, 1), phased=phased)
    write_tables(tiny_plan, folder)
    write_geopackage(tiny_plan, folder, flow_lines(tiny_plan))
    write_summary(tiny_plan, folder)
    write_csv(structure_table(tiny_plan), folder / "structure.csv")
    write_csv(lever_table(tiny_plan, levers_of(tiny_plan.model)[:1]), folder / "levers.csv")
    about = {"scenario": "Tiny", "folder": "tiny", "status": "optimal", "budget_inr_crore": 60.0}
    row = {**about, **plan_row(summary(tiny_plan), tiny_plan.opened)}
    failed = {**about, "status": "infeasible", "message": "no"}
    write_csv(scenario_table([row, failed], [[0]]), folder / "scenarios.csv")
    return folder


@pytest.mark.parametrize(
    "table", ["sites", "districts", "lanes", "flows", "enabled", "rules", "phases", "structure", "levers", "scenarios"]
)
def test_a_table_has_the_columns_of_the_schema_in_their_order_and_types(folder, table):
    assert list(pd.read_csv(folder / f"{table}.csv")) == list(columns(table))
    read_table(folder / f"{table}.csv")  # raises at a cell of another type, or an empty one that may not be


def test_the_table_of_draws_goes_on_with_the_drawn_parameters(folder, tiny_plan):
    named = list(columns("draws"))
    assert list(pd.read_csv(folder / "draws.csv")) == [*named, *uncertain(tiny_plan.model.parameters)]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_of_the_map_has_the_columns_of_the_schema(folder, layer):
    found = gpd.read_file(folder / "study.gpkg", layer=layer)
    assert set(found) == {*columns(LAYERS[layer]), "geometry"}
    assert found.crs.to_epsg() == 4326


def test_the_map_has_no_other_layers(folder):
    assert set(pyogrio.list_layers(folder / "study.gpkg")[:, 0]) == set(LAYERS)


def test_plan_json_has_the_keys_of_the_schema(folder):
    written = [key for key, _ in keys_of(json.loads((folder / "plan.json").read_text()))]
    assert list(dict.fromkeys(written)) == list(columns("plan.json"))


def test_every_table_of_the_schema_is_described_and_every_column_explained():
    beside = {"rules", "phases", "scenarios", "draws", "structure", "levers", "tornado"}
    robust = {"robust.json", "regret", "robust_plans", "robust_sites"}
    near = {"alternatives.json", "near_plans", "alternatives"}
    audits = {"history", "audit_districts", "audit_states", "audit_sites"}
    told = {*beside, *robust, *near, *audits}
    assert set(FILES) == {"plan.json", *LAYERS.values(), "lanes", "flows", "enabled", *told}
    for table in FILES:
        for column in columns(table).values():
            assert column.meaning, column
            assert column.unit or column.dtype != "number", column


def test_the_page_of_results_is_made_of_the_schema():
    assert (ROOT / "docs" / "results.md").read_text(encoding="utf-8") == page()


def test_ids_link_the_tables(folder, tiny_plan):
    plan = PlanFolder("tiny", folder, 0)
    lanes, sites, districts = plan.lanes, plan.sites, plan.districts
    places = {*districts["district_id"], *sites["place_id"], *plan.gateways["gateway_id"], *plan.depots["depot_id"]}
    assert {*lanes["from_id"], *lanes["to_id"]} <= places
    assert set(lanes["option_id"].dropna()) == set(sites.loc[sites["throughput_t_per_year"] > 0, "option_id"])
    assert lanes.loc[lanes["mode"].isin(["road", "rail"]), "option_id"].isna().all()
    assert set(lanes["district_id"]) <= set(districts["district_id"])
    assert {*districts["hub_1_id"].dropna()} <= set(sites["place_id"])
    assert {*districts["gateway_after_id"].dropna(), *districts["gateway_before_id"].dropna()} == {"INPRT"}
    flows = plan.flows
    assert {*flows["from_id"], *flows["to_id"]} <= places
    assert (lanes.groupby("lane")["part"].min() == 1).all()
    assert lanes.groupby("lane")["client_id"].nunique().eq(1).all()


def test_an_option_carries_in_the_lanes_what_its_row_says(folder):
    plan = PlanFolder("tiny", folder, 0)
    through = plan.lanes.drop_duplicates(["lane", "option_id"]).groupby("option_id")["tonnes_per_year"].sum()
    for option, throughput in zip(plan.sites["option_id"], plan.sites["throughput_t_per_year"], strict=True):
        assert through.get(option, 0.0) == pytest.approx(throughput)


def test_a_planned_site_tells_the_district_it_stands_in(tiny_model):
    plan = make_plan(tiny_model, budget_inr_crore=1e4, forced=("mmlp-small@mmlp-east",))
    row = sites_table(plan).set_index("option_id").loc["mmlp-small@mmlp-east"]
    assert (row["place_id"], row["district_id"]) == ("mmlp-east", "madhya-pradesh/d5")

"""The map of a plan as the solver writes it: what a click shows agrees with the plan's own tables."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pandas as pd
import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException

from geodata.pack import INDIA, open_pack
from siting.results.geometry import flow_lines
from siting.results.geopackage import write_geopackage
from siting.results.tables import write_answer, write_summary, write_tables
from web.api.runs import RunBook
from web.app import create_app

PLAN = "/api/v1/plans/plan"


@pytest.fixture(scope="module")
def folder(tiny_plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("solved") / "plan"
    folder.mkdir()
    write_tables(tiny_plan, folder)
    write_geopackage(tiny_plan, folder, flow_lines(tiny_plan))
    write_summary(tiny_plan, folder)
    return folder


@pytest.fixture(scope="module")
def client(folder, tiny_layers):
    return create_app(folder, open_pack(INDIA, tiny_layers)).test_client()


def test_a_sites_lanes_carry_its_throughput_from_the_districts_it_serves(client, folder):
    sites = pd.read_csv(folder / "sites.csv")
    assert len(sites)
    for site in sites.itertuples():
        lanes = client.get(f"{PLAN}/lanes?site={site.site_id}").get_json()["lanes"]
        assert len({(lane["state"], lane["district"]) for lane in lanes}) == site.districts_served
        assert sum(lane["tonnes_per_year"] for lane in lanes) == pytest.approx(site.throughput_t_per_year, abs=1)


def test_a_districts_lanes_cost_what_its_row_says(client, folder):
    ids = client.get(f"{PLAN}/districts").get_json()["district_id"]
    districts = pd.read_csv(folder / "districts.csv")
    checked = 0
    for key, row in zip(ids, districts.itertuples(), strict=True):
        lanes = client.get(f"{PLAN}/lanes?district={key}").get_json()["lanes"]
        tonnes = sum(lane["tonnes_per_year"] for lane in lanes)
        if tonnes:
            cost = sum(lane["tonnes_per_year"] * lane["cost_inr_per_t"] for lane in lanes) / tonnes
            assert cost == pytest.approx(row.cost_after_inr_per_t, rel=1e-4)
            checked += 1
    assert checked > 5


def test_a_districts_lines_lead_from_it_to_a_port_without_a_break(client, folder):
    port = [75.5, 19.5]
    districts = client.get(f"{PLAN}/districts").get_json()
    for key in districts["district_id"]:
        answer = client.get(f"{PLAN}/lanes?district={key}").get_json()
        lines = [feature["geometry"]["coordinates"] for feature in answer["movements"]["features"]]
        if not answer["lanes"]:
            continue
        starts = [line[0] for line in lines]
        for line in lines:
            assert line[-1] == port or line[-1] in starts


def test_an_answer_of_an_older_version_asks_to_be_started_again(tiny_plan, tiny_layers, tmp_path):
    write_answer(tiny_plan, tmp_path)
    pool = SimpleNamespace(
        runs={"r": SimpleNamespace(state="finished", kind="what-if", values={"data": {}}, message=None)},
        store=SimpleNamespace(folder=lambda run: tmp_path),
    )
    book = RunBook(pool, open_pack(INDIA, tiny_layers))
    assert len(book.tables("r").sites) == len(tiny_plan.opened)
    summary = json.loads((tmp_path / "plan.json").read_text())
    del summary["area"]
    (tmp_path / "plan.json").write_text(json.dumps(summary))
    with Flask("test").test_request_context(), pytest.raises(HTTPException) as refused:
        book.tables("r")
    assert refused.value.get_response().status_code == 410

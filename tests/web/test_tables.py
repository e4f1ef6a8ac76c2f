"""Tables of a plan to take away: filtered as on the page, the same in every format."""

from __future__ import annotations

import json
import re
import zipfile

import geopandas as gpd
import pandas as pd
import pytest
from tiny_result import HOSTILE, tiny_pack, write_result

from web.app import create_app

PLAN = "/api/v1/plans/tiny"


def get(client, url):
    response = client.get(url)
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.get_json()


def table(client, address):
    return get(client, f"{PLAN}/tables/{address}")["columns"]


def test_tables_are_filtered_as_on_the_page(client):
    assert table(client, "districts.json?q=AALAND")["district"] == ["Aaland"]
    assert table(client, "districts.json?q=आलैंड")["district"] == ["Aaland"]
    assert table(client, "sites.json?q=nowhere")["name"] == []
    assert table(client, "districts.json?state=Beta")["district"] == []
    assert table(client, "districts.json?under_utilised=false")["district"] == [HOSTILE]
    assert table(client, "districts.json?served=true")["district"] == ["Aaland", "Beeland"]
    assert table(client, "districts.json?sort=-export_usd&limit=1&columns=district") == {"district": [HOSTILE]}
    assert table(client, "sites.json?type=mmlp")["site_id"] == []
    assert table(client, "lanes.json?district=alpha/aaland")["part"] == [1, 2, 3, 4]
    assert set(table(client, "lanes.json?site=warehouse@alpha/beeland")["district"]) == {"Aaland", "Beeland"}
    assert table(client, "states.json")["sites"] == [1]
    assert table(client, "rail.json")["km"] == [100.0, 100.0, 100.0]


@pytest.mark.parametrize(
    "query", ["sort=nothing", "columns=a", "limit=-1", "limit=x", "type=castle", "served=2", "site=x", "bogus=1"]
)
def test_filters_that_do_not_exist_are_refused_with_what_does(client, query):
    response = client.get(f"{PLAN}/tables/districts.csv?{query}")
    assert response.status_code == 400
    assert response.get_json()["detail"]


@pytest.mark.parametrize("layer", ["districts", "sites", "lanes", "gateways", "depots", "states", "roads", "rail"])
def test_a_table_is_the_same_in_every_format(client, layer, tmp_path):
    rows = get(client, f"{PLAN}/tables/{layer}.json")["rows"]
    got = {}
    for suffix in ("csv", "xlsx", "geojson", "gpkg"):
        response = client.get(f"{PLAN}/tables/{layer}.{suffix}")
        assert response.status_code == 200
        assert response.headers["Content-Disposition"] == f"attachment; filename=tiny-{layer}.{suffix}"
        (tmp_path / f"t.{suffix}").write_bytes(response.data)
    got["csv"] = pd.read_csv(tmp_path / "t.csv")
    got["xlsx"] = pd.read_excel(tmp_path / "t.xlsx")
    got["geojson"] = json.loads((tmp_path / "t.geojson").read_text())["features"]
    got["gpkg"] = gpd.read_file(tmp_path / "t.gpkg")
    assert {name: len(found) for name, found in got.items()} == dict.fromkeys(got, rows)
    assert rows > 0
    name = next(column for column in ("district", "name", "edge_class", "state") if column in got["csv"])
    for found in ([f["properties"][name] for f in got["geojson"]], got["gpkg"][name], got["xlsx"][name]):
        assert list(found) == list(got["csv"][name])


def test_no_cell_is_a_formula_to_a_spreadsheet(tmp_path):
    folder = write_result(tmp_path / "plan")
    attack = '=HYPERLINK("http://x")'
    for file in ("districts.csv", "lanes.csv", "sites.csv"):
        path = folder / file
        frame = pd.read_csv(path)
        frame.replace("Beeland", attack).to_csv(path, index=False)
    client = create_app(tmp_path, tiny_pack(), tmp_path / "studies").test_client()
    text = client.get("/api/v1/plans/plan/tables/districts.csv").get_data(as_text=True)
    assert "'=HYPERLINK" in text
    assert not re.search(r'(^|,)"?=HYPERLINK', text, re.MULTILINE)
    (tmp_path / "t.xlsx").write_bytes(client.get("/api/v1/plans/plan/tables/districts.xlsx").data)
    with zipfile.ZipFile(tmp_path / "t.xlsx") as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")

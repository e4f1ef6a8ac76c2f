"""The first view of the national plan: small, from this host alone, and usable before the rest loads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser import needs_chromium
from tiny_result import write_result

from geodata.pack import open_pack
from siting.model.model import build_model
from siting.plan import make_plan
from siting.run import write_result as write_plan
from siting.study import load_study
from web.app import create_app

pytestmark = needs_chromium
MAX_FIRST_VIEW_BYTES = 650_000
MAX_WARM_BYTES = 5_000
MAX_FIRST_VIEW_REQUESTS = 36


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """The page of a plan whose districts are those of the bundled pack, with a value made up."""
    import geopandas as gpd
    import pandas as pd
    from tiny_result import districts_table

    root = tmp_path_factory.mktemp("national")
    folder = write_result(root / "results" / "national")
    known = open_pack().districts
    first = (
        districts_table()
        .drop(columns=["district_id", "state", "district"])
        .iloc[[0] * len(known)]
        .reset_index(drop=True)
    )
    table = pd.concat([known[["district_id", "state", "district"]].reset_index(drop=True), first], axis=1)
    table["saving_inr_per_year"] = range(len(table))
    table.to_csv(folder / "districts.csv", index=False)
    shapes = gpd.GeoDataFrame(table, geometry=known.geometry.to_numpy(), crs=4326)
    shapes.to_file(folder / "study.gpkg", layer="districts", driver="GPKG", engine="pyogrio")
    summary = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    (folder / "plan.json").write_text(json.dumps(summary | {"study": "National study"}), encoding="utf-8")
    return create_app(root / "results", studies=root / "studies")


@pytest.fixture(scope="module")
def national(tmp_path_factory):
    """The page of the national study, solved."""
    root = tmp_path_factory.mktemp("solved")
    (root / "results" / "national").mkdir(parents=True)
    study = load_study(Path(__file__).parents[2] / "studies" / "national.toml")
    write_plan(make_plan(build_model(study)), root / "results" / "national", lambda stage: None)
    return create_app(root / "results", studies=root / "studies")


@pytest.mark.parametrize("of", ["made_up", pytest.param("national", marks=pytest.mark.slow)])
def test_the_first_view_is_small_and_asks_no_other_host(chromium, request, of):
    with chromium.visiting(request.getfixturevalue(of)) as visit:
        page = visit.open("/")
        page.wait_for_load_state("networkidle")
        assert "National study" in page.title()
        assert 200_000 < visit.received_bytes < MAX_FIRST_VIEW_BYTES
        assert len(visit.requests) <= MAX_FIRST_VIEW_REQUESTS, visit.requests
        assert not any("/map/roads" in request for request in visit.requests)
        cold = visit.received_bytes
        page.reload()
        page.wait_for_selector("html[data-ready=yes]")
        page.wait_for_load_state("networkidle")
        assert visit.received_bytes - cold < MAX_WARM_BYTES
        visit.assert_quiet()

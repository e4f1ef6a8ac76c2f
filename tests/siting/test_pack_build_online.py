"""`siting pack build` with the two sources that need a network, each asked of a server on this machine."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import geopandas as gpd
import osmnx
import pytest
import shapely

from geodata.ingest.geoboundaries import geoboundaries
from geodata.pack import open_pack
from siting.cli import build_parser, run_command
from siting.commands.arguments import BAD_INPUT
from tests.geodata.ingest.geoboundaries_api import geoboundaries_server
from tests.geodata.ingest.osm_files import overpass_answer, overpass_server, write_osm


@pytest.fixture
def build(tmp_path: Path, tiny_pack: Path):
    """Build an area around the tiny pack's first district and its port; returns the exit code."""

    def run(text: str) -> int:
        head = f'[area]\nname = "Corner"\nbounds = [75.0, 19.0, 77.1, 21.1]\npack = "{tiny_pack}"\n'
        (tmp_path / "area.toml").write_text(head + text)
        command = ["pack", "build", str(tmp_path / "area.toml"), "--out", str(tmp_path / "pack"), "--quiet"]
        return run_command(build_parser()[0], command)

    return run


@pytest.fixture
def geoboundaries_at(monkeypatch: pytest.MonkeyPatch):
    """Let the build ask another address than that of the public API."""

    def at(url: str) -> None:
        monkeypatch.setattr("geodata.ingest.districts.geoboundaries", partial(geoboundaries, api_url=url))

    return at


HALVES = gpd.GeoDataFrame(
    {"shapeName": ["West", "East"]},
    geometry=[shapely.box(76, 20, 76.4, 21), shapely.box(76.4, 20, 77, 21)],
    crs=4326,
)
EXPORTS = '[exports]\nsource = "file"\nfile = "exports.csv"\nunit = "usd_million"\nstate = "Goa"\n'


def test_boundaries_come_from_geoboundaries_with_their_checksum(build, geoboundaries_at, tmp_path, capsys):
    (tmp_path / "exports.csv").write_text("district,textiles,fruit\nWest,50,1\nEast,60,2\n")
    text = EXPORTS + '[boundaries]\nsource = "geoboundaries"\ncountry = "IND"\n'
    with geoboundaries_server(tmp_path / "served", HALVES) as url:
        geoboundaries_at(url)
        assert build(text) == 0
        checksum = hashlib.sha256((tmp_path / "served" / "ADM2.geojson").read_bytes()).hexdigest()
        pack = open_pack(tmp_path / "pack")
        assert sorted(pack.districts["district_id"]) == ["goa/east", "goa/west"]
        entry = json.loads((tmp_path / "pack" / "manifest.json").read_text())["files"]["districts.parquet"]
        assert entry["sha256_of_source"] == checksum and entry["licence"] == "CC BY"
        assert entry["source"].startswith("geoBoundaries IND ADM2 (2021)")

        before = (tmp_path / "pack" / "manifest.json").read_bytes()
        assert build(text + f'sha256 = "{"0" * 64}"\n') == BAD_INPUT
        assert "the boundaries have changed" in capsys.readouterr().err
        assert (tmp_path / "pack" / "manifest.json").read_bytes() == before, "a refused build touched the pack"


def test_without_internet_the_way_to_pass_the_file_is_told(build, geoboundaries_at, tmp_path, capsys):
    geoboundaries_at("http://127.0.0.1:9")
    assert build('[boundaries]\nsource = "geoboundaries"\ncountry = "IND"\n') == BAD_INPUT
    told = capsys.readouterr().err
    assert "no connection to http://127.0.0.1:9/IND/ADM2/" in told and "source = 'file'" in told
    assert "Traceback" not in told and not (tmp_path / "pack").exists()


@pytest.fixture
def overpass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    """A server with a road from the district's town to the port and a one-way street beside it."""
    monkeypatch.setattr(osmnx.settings, "overpass_rate_limit", False)
    monkeypatch.setattr(osmnx.settings, "doh_url_template", None)
    monkeypatch.setattr(osmnx.settings, "max_query_area_size", 1e12)  # one query, not one per 2,500 km²
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)  # OSMnx replaces it
    nodes = {1: (75.5, 19.5), 2: (76.0, 20.0), 3: (76.5, 20.5), 4: (76.51, 20.5)}
    ways = [([1, 2, 3], {"highway": "trunk"}), ([3, 4], {"highway": "primary", "oneway": "yes"})]
    with overpass_server(overpass_answer(write_osm(tmp_path / "corner.osm.pbf", nodes, ways))) as served:
        yield served


def test_roads_come_from_an_overpass_server_of_ones_own(build, overpass, tmp_path):
    url, queries = overpass
    text = f'[roads]\nsource = "overpass"\noverpass_url = "{url}"\ncache_folder = "osm-cache"\n'
    assert build(text) == 0
    road = open_pack(tmp_path / "pack").road
    assert road.directed and set(road.edge_class) == {"trunk", "primary"}
    assert queries and all("trunk" in query or "ferry" in query for query in queries)
    entry = json.loads((tmp_path / "pack" / "manifest.json").read_text())["files"]["road.parquet"]
    assert url in entry["source"] and "OpenStreetMap contributors" in entry["licence"]
    asked = len(queries)
    assert build(text) == 0
    assert len(queries) == asked, "the second build is answered by the cache"

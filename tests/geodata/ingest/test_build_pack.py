"""A pack is built from named sources, falls back on another pack for the rest, and appears whole or not at all."""

import hashlib
import json

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import pytest
import shapely

from geodata.errors import InputError
from geodata.folders import MANIFEST
from geodata.ingest.area import load_area
from geodata.ingest.build import build_pack
from geodata.pack import LAYERS, open_pack


@pytest.fixture
def build(tmp_path, tiny_pack):
    """Build an area file on the tiny pack; returns the folder of the new pack, whose quality report is at hand."""

    def run(text: str = "", tell=lambda text, share: None, west: int = 70, east: int = 90):
        head = f'[area]\nname = "Little"\nbounds = [{west}, 15, {east}, 25]\npack = "{tiny_pack}"\n'
        (tmp_path / "area.toml").write_text(head + text)
        build.quality = build_pack(load_area(tmp_path / "area.toml"), tmp_path / "out", tell)
        return tmp_path / "out"

    build = run
    build.folder = tmp_path
    return build


def problems_of(build, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        build(text)
    assert not (build.folder / "out").exists()
    assert not list(build.folder.glob(".out*")), "something half-written was left"
    return caught.value.problems


def titles(build) -> dict[str, dict]:
    return {finding["title"]: finding for finding in build.quality["findings"]}


def test_an_area_that_names_nothing_is_the_fallback_pack(build, tiny_pack):
    out, tiny = build(), tiny_pack
    ours, theirs = open_pack(out), open_pack(tiny)
    assert {path.name for path in out.iterdir()} == {
        *LAYERS, "exports_unplaced.csv", "quality.json", "quality.html", MANIFEST,
    }  # fmt: skip
    pd.testing.assert_frame_equal(ours.districts, theirs.districts)
    merged = ours.exports.set_index("district_id").sort_index()
    pd.testing.assert_frame_equal(merged, theirs.exports.set_index("district_id").sort_index(), check_like=True)
    for network in ("road.parquet", "rail.parquet"):
        assert (out / network).read_bytes() == (tiny / network).read_bytes()
    for layer in ("gateways", "depots", "planned_sites", "rail_connectors", "land_customs"):
        pd.testing.assert_frame_equal(getattr(ours, layer), getattr(theirs, layer))


def test_the_manifest_tells_source_licence_and_checksum_of_every_file(build):
    out = build()
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["bounds"] == [70, 15, 90, 25] and manifest["built"]
    written = {path.name for path in out.iterdir()} - {"manifest.json", "quality.json", "quality.html", MANIFEST}
    assert set(manifest["files"]) == written
    for name, entry in manifest["files"].items():
        assert entry["sha256"] == hashlib.sha256((out / name).read_bytes()).hexdigest()
        assert entry["source"].startswith("pack Tiny: ") or name == "exports_unplaced.csv"
        assert entry["licence"] and entry["date"]


def test_own_boundaries_take_town_and_people_from_the_fallback(build):
    """A western half and an eastern half of the tiny area: each has the people of six squares of 100,000 x (k + 1)."""
    halves = gpd.GeoDataFrame(
        {"NAME": ["West", "East"], "ST": "Madhya Pradesh"},
        geometry=[shapely.box(76, 20, 79, 22), shapely.box(79, 20, 82, 22)], crs=4326,
    )  # fmt: skip
    halves.to_crs(3857).to_file(build.folder / "halves.gpkg")
    pd.DataFrame({"District": ["West", "East"], "Textiles": ["1,200", "83"], "Fruit": ["8.3", ""]}).to_csv(
        build.folder / "exports.csv", index=False
    )
    pack = open_pack(build("""
        [boundaries]
        source = "file"
        file = "halves.gpkg"
        columns = { district = "NAME", state = "ST" }
        [exports]
        source = "file"
        file = "exports.csv"
        unit = "inr_crore"
        inr_per_usd = 83
        state = "Madhya Pradesh"
        columns = { district = "District" }
    """))  # fmt: skip
    people = pack.districts.set_index("district")["population_weight"]
    assert people["West"] == pytest.approx(1e5 * (1 + 2 + 3 + 7 + 8 + 9), rel=1e-3)
    assert people.sum() == pytest.approx(1e5 * 78, rel=1e-3)
    east = pack.districts.set_index("district").loc["East"]
    assert (east["lon"], east["lat"]) == (81.5, 21.5), "the most populous town inside: D11"
    exports = pack.exports.set_index("district")
    # A crore is 10 million rupees: 1,200 crore at 83 is US$ 144.578 million.
    assert exports.loc["West", "textiles_usd_million"] == pytest.approx(1200 * 10 / 83)
    assert exports.loc["East", "textiles_usd_million"] == pytest.approx(10)
    assert exports.loc["West", "fruit_usd_million"] == pytest.approx(1)
    assert build.quality["crs_found"] == "WGS 84 / Pseudo-Mercator"
    assert "Districts whose population is estimated" in titles(build)


def test_names_that_match_nothing_are_listed_with_suggestions_and_never_guessed(build):
    """The list, filled in, is the alias table of the next build; one name of two rows is listed once."""
    (build.folder / "exports.csv").write_text(
        "state,district,sector,value\nMadhya Pradesh,D1,textiles,100\nMadhya Pradesh,D33,textiles,6\n"
        "Madhya Pradesh,D33,fruit,1\nMadhya Pradesh,Elsewhere,fruit,2\n"
    )
    text = '[exports]\nsource = "file"\nfile = "exports.csv"\nunit = "usd_million"\nsectors = "down"\n'
    out = build(text)
    finding = titles(build)["Names that are no district of the area"]
    assert finding["weight"] == "fault" and finding["cases"] == 2
    assert finding["rows"][0]["name_in_source"] == "D33" and "D3" in finding["rows"][0]["suggestions"]
    assert open_pack(out).exports["district"].tolist() == ["D1"]
    unplaced = pd.read_csv(out / "exports_unplaced.csv")
    assert unplaced["export_usd_million"].tolist() == [7, 2] and unplaced["district"].isna().all()

    unplaced.assign(district=["D3", ""]).to_csv(build.folder / "aliases.csv", index=False)
    exports = open_pack(build(text + 'aliases = "aliases.csv"\n')).exports
    assert exports["district"].tolist() == ["D1", "D3"] and exports["textiles_usd_million"].tolist() == [100, 6]
    finding = titles(build)["Names that are no district of the area"]
    assert [row["name_in_source"] for row in finding["rows"]] == ["Elsewhere"]
    with pytest.raises(InputError, match=r"aliases = .* lies in --out, which is replaced; copy it elsewhere"):
        build(text + 'aliases = "out/exports_unplaced.csv"\n')


def test_points_outside_the_bounds_are_left_out_with_their_connectors(build):
    out = build("[depots]\nsource = 'none'\n")
    assert open_pack(out).depots.empty
    west = open_pack(build(east=80))
    assert west.planned_sites.empty and len(west.gateways) == 1 and len(west.districts) == 8
    assert set(west.exports["district_id"]) <= set(west.districts["district_id"])


def test_an_area_without_a_port_says_what_to_do(build):
    with pytest.raises(InputError, match=r"no gateway .* inside the bounds .* name ports with \[gateways\]"):
        build(west=77)


def test_faults_of_all_layers_are_told_at_once_and_nothing_is_written(build):
    (build.folder / "ports.csv").write_text("gateway_id,name\nX,Port\n")
    (build.folder / "depots.csv").write_text("name,state,lon,lat,rail_served\nA,MP,20.5,78.5,yes\n")
    problems = problems_of(build, """
        [gateways]
        source = "file"
        file = "ports.csv"
        [depots]
        source = "file"
        file = "depots.csv"
    """)  # fmt: skip
    assert any("ports.csv: no column 'lon'" in problem for problem in problems)
    assert any("depots.csv: row 2: lon 20.5, lat 78.5 look swapped" in problem for problem in problems)


def test_a_connector_of_an_unknown_terminal_is_refused(build):
    (build.folder / "links.csv").write_text("terminal_id,lon,lat,km,source\nINPRX,76,20,3,x\n")
    problem = problems_of(build, '[rail_connectors]\nsource = "file"\nfile = "links.csv"\n')[0]
    assert "links.csv: row 2: terminal_id 'INPRX' is not in this area; perhaps INPRT" in problem


def test_an_unknown_state_is_named_with_a_suggestion(build):
    problem = problems_of(build, '[boundaries]\nsource = "pack"\nstates = ["Madya Pradesh"]\n')[0]
    assert "no state 'Madya Pradesh'; perhaps Madhya Pradesh" in problem


def test_an_interrupted_build_leaves_nothing(build):
    def stop(text: str, share: float) -> None:
        if text == "roads":  # the layers before it are written by then
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tell=stop)
    assert not (build.folder / "out").exists() and not list(build.folder.glob(".out*"))


def test_progress_only_grows_and_ends_at_one(build):
    told = []
    build(tell=lambda text, share: told.append(share))
    assert told == sorted(told) and told[0] == 0 and told[-1] == 1


def write_pbf(path) -> None:
    """A primary road through the southern row and a one-way road back, as an OSM extract of 2 x 400 nodes."""
    with osmium.SimpleWriter(str(path)) as out:
        for way in range(2):
            for k in range(400):
                lon, lat = 75.5 + 6.0 * k / 399, 20.5 - 0.01 * way * (0 < k < 399)
                out.add_node(osmium.osm.mutable.Node(id=1 + way * 400 + k, location=(lon, lat), version=1))
        out.add_way(osmium.osm.mutable.Way(
            id=1, nodes=list(range(1, 401)), tags={"highway": "primary"}, version=1
        ))  # fmt: skip
        out.add_way(osmium.osm.mutable.Way(
            id=2, nodes=[400, *range(799, 401, -1), 1], tags={"highway": "secondary", "oneway": "yes"}, version=1,
        ))  # fmt: skip


def test_roads_from_an_extract_bring_directions_hours_and_speeds(build):
    write_pbf(build.folder / "roads.osm.pbf")
    out = build('[roads]\nsource = "pbf"\nfile = "roads.osm.pbf"\n')
    road = open_pack(out).road
    assert road.directed and road.edge_hours is not None
    assert np.isfinite(road.edge_hours).all()
    speeds = titles(build)["Speeds assumed"]["rows"]
    assert {row["class"] for row in speeds} >= {"primary", "secondary"}
    entry = json.loads((out / "manifest.json").read_text())["files"]["road.parquet"]
    assert "OpenStreetMap contributors" in entry["licence"]
    assert entry["sha256_of_source"] == hashlib.sha256((build.folder / "roads.osm.pbf").read_bytes()).hexdigest()


def test_a_truncated_extract_is_named_with_its_remedy(build):
    write_pbf(build.folder / "roads.osm.pbf")
    whole = (build.folder / "roads.osm.pbf").read_bytes()
    (build.folder / "roads.osm.pbf").write_bytes(whole[: len(whole) * 2 // 3])
    problems = problems_of(build, '[roads]\nsource = "pbf"\nfile = "roads.osm.pbf"\n')
    assert len(problems) == 1
    assert "roads.osm.pbf" in problems[0] and "cut short" in problems[0] and "fetch" in problems[0]


def test_roads_elsewhere_are_refused(build):
    lines = gpd.GeoDataFrame({"kind": ["primary"]}, geometry=[shapely.LineString([(10, 50), (11, 50)])], crs=4326)
    lines.to_file(build.folder / "lines.gpkg")
    text = '[roads]\nsource = "lines"\nfile = "lines.gpkg"\nclass_column = "kind"\n'
    assert "none of the 2 nodes lies inside the bounds" in problems_of(build, text)[0]


def test_a_public_overpass_server_is_not_asked_for_a_whole_state(build):
    """Twelve squares of a degree are about 138,000 km²; no server is asked."""
    problem = problems_of(build, '[roads]\nsource = "overpass"\n')[0]
    assert "too much for a public Overpass server" in problem and "source = 'pbf'" in problem


def test_one_fault_of_a_port_table_does_not_make_its_connectors_faulty(build):
    (build.folder / "ports.csv").write_text("gateway_id,name\nINPRT,Port\n")
    (build.folder / "links.csv").write_text("terminal_id,lon,lat,km,source\nINPRT,76,20,3,x\n")
    problems = problems_of(build, """
        [gateways]
        source = "file"
        file = "ports.csv"
        [rail_connectors]
        source = "file"
        file = "links.csv"
    """)  # fmt: skip
    assert problems and all("ports.csv" in problem for problem in problems)

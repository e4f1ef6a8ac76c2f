"""The quality report names every flaw put into a pack, says what it means and how to mend it, and stays quiet else."""

import json
import shutil

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geodata.ingest.area import load_area
from geodata.ingest.build import build_pack
from geodata.ingest.quality import pack_findings
from geodata.network import great_circle_km
from geodata.pack import open_pack


@pytest.fixture
def folder(tmp_path, tiny_pack):
    """A copy of the tiny pack."""
    return shutil.copytree(tiny_pack, tmp_path / "tiny")


def found(folder) -> dict:
    return {finding.title: finding for finding in pack_findings(open_pack(folder))}


def with_title(findings: dict, start: str):
    return next(finding for title, finding in findings.items() if title.startswith(start))


def squares(*boxes) -> gpd.GeoDataFrame:
    names = [f"S{k}" for k in range(len(boxes))]
    shapes = [box if isinstance(box, shapely.Polygon) else shapely.box(*box) for box in boxes]
    return gpd.GeoDataFrame({"district": names, "state": "Madhya Pradesh"}, geometry=shapes, crs=4326)


def report(folder, boundaries: gpd.GeoDataFrame):
    """Build an area on own boundaries and return its folder and findings by title."""
    boundaries.to_file(folder.parent / "own.gpkg")
    names = boundaries["district"]
    table = pd.DataFrame({"state": "Madhya Pradesh", "district": names, "textiles": 5.0, "fruit": 1.0})
    table.to_csv(folder.parent / "exports.csv", index=False)
    (folder.parent / "area.toml").write_text(
        '[area]\nname = "A & B"\nbounds = [70, 15, 90, 25]\npack = "tiny"\n'
        '[boundaries]\nsource = "file"\nfile = "own.gpkg"\n'
        '[exports]\nsource = "file"\nfile = "exports.csv"\nunit = "usd_million"\n'
    )
    result = build_pack(load_area(folder.parent / "area.toml"), folder.parent / "out")
    return folder.parent / "out", {finding["title"]: finding for finding in result["findings"]}


def test_a_district_without_a_road_and_its_distance_are_named(folder):
    """D11 lies 155 km from the nearest end of a road, D10 at 81 E 21.5 N: one degree of longitude away."""
    findings = found(folder)
    far = with_title(findings, "Districts whose main town")
    assert far.weight == "fault" and far.rows["name"].tolist() == ["madhya-pradesh/d11"]
    expected = min(great_circle_km(81.5, 21.5, lon, lat) for lon, lat in [(81.5, 20.5), (80.5, 21.5)])
    assert far.rows["snap_km"].iloc[0] == pytest.approx(float(expected))
    alone = with_title(findings, "Districts that no road joins")
    assert alone.rows["district"].tolist() == ["D11"]


def test_straight_edges_over_50_km_are_listed(folder):
    pack = open_pack(folder)
    straight = {f.layer: f.rows for f in pack_findings(pack) if f.title.startswith("Straight edges")}
    assert len(straight["roads"]) == pack.road.n_edges, "every edge of the tiny road is over 100 km"
    assert len(straight["rail"]) == pack.rail.n_edges


def test_detours_are_network_km_over_great_circle(folder):
    """Edges are 1.1 times the straight line. Neighbours in the northern row meet only by way of the southern one:
    down, along and up again, 3.47 times the straight way; all others have a detour below 3."""
    findings = found(folder)
    table = findings["Detour factors"].rows.set_index("share_of_pairs_below")["detour_factor"]
    assert table[0.01] == pytest.approx(1.1)
    odd = with_title(findings, "Pairs with a detour").rows
    assert len(odd) == 2 * 4, "D6 to D10, there and back"
    down, along = float(great_circle_km(76.5, 20.5, 76.5, 21.5)), float(great_circle_km(76.5, 20.5, 77.5, 20.5))
    straight = float(great_circle_km(76.5, 21.5, 77.5, 21.5))
    assert odd["road_km"].to_numpy() == pytest.approx(1.1 * (2 * down + along))
    assert odd["detour_factor"].to_numpy() == pytest.approx(1.1 * (2 * down + along) / straight)


def with_islet(folder, lon: float) -> int:
    """Add a road of its own, repaired, to the tiny roads; returns how many nodes these have."""
    roads = gpd.read_parquet(folder / "road.parquet")
    top = int(roads[["from_node", "to_node"]].to_numpy().max())
    islet = gpd.GeoDataFrame(
        {"from_node": [top + 1], "to_node": [top + 2], "km": [2.0], "edge_class": "road", "repair": ["gap"]},
        geometry=[shapely.LineString([(lon, 21.2), (lon + 0.01, 21.2)])], crs=4326,
    )  # fmt: skip
    pd.concat([roads, islet], ignore_index=True).to_parquet(folder / "road.parquet")
    return top + 1


def test_components_and_repairs_are_counted(folder):
    nodes = with_islet(folder, 80)
    findings = pack_findings(open_pack(folder))
    parts = next(f for f in findings if f.title == "Parts that do not hang together")
    assert parts.layer == "roads" and parts.rows["nodes"].tolist() == [nodes, 2]
    assert parts.rows.loc[1, ["lon", "lat"]].tolist() == [80, 21.2]
    assert "2 of " in parts.meaning
    repairs = next(f for f in findings if f.title == "Gaps that were closed").rows
    assert repairs[["from_lon", "to_lon", "km", "reason"]].to_numpy().tolist() == [[80, 80.01, 2.0, "gap"]]


def test_flaws_of_a_network_that_no_way_of_the_area_touches_are_not_told(folder):
    with_islet(folder, 85)
    titles = {finding.title for finding in pack_findings(open_pack(folder))}
    assert not titles & {"Parts that do not hang together", "Gaps that were closed"}


def test_flaws_on_the_way_to_a_port_far_from_the_districts_are_told(folder):
    """Only the eastern districts stay: the way to the port leads through the west, the western branches do not."""
    districts = gpd.read_parquet(folder / "districts.parquet")
    districts = districts[districts["lon"] > 80]
    districts.to_parquet(folder / "districts.parquet")
    for name in ("exports.csv", "land_customs.csv"):
        table = pd.read_csv(folder / name)
        table[table["district_id"].isin(districts["district_id"])].to_csv(folder / name, index=False)
    straight = next(f.rows for f in pack_findings(open_pack(folder)) if f.title.startswith("Straight edges"))
    assert straight["from_lon"].min() == 75.5, "the road ends at the port"
    north = straight[straight["to_lat"] == 21.5]
    assert north["to_lon"].tolist() == [80.5], "of the branches to the north, that of a district"


def test_a_terminal_that_claims_rail_far_from_any_is_named(folder):
    depots = pd.read_csv(folder / "depots.csv")
    depots.assign(lat=21.5).to_csv(folder / "depots.csv", index=False)
    rows = with_title(found(folder), "Terminals served by rail").rows
    assert rows["name"].tolist() == ["Mid depot"] and rows["snap_km"].iloc[0] == pytest.approx(111.2, abs=0.1)


def test_missing_values_are_counted_by_column(folder):
    rows = found(folder)["Missing values"].rows.set_index(["table", "column"])
    assert rows.loc[("gateways", "container_capacity_million_teu"), "missing"] == 1
    assert rows.loc[("districts", "district_hi"), "missing"] == 12


def test_overlaps_and_gaps_of_boundaries_are_measured(folder):
    """Two squares that share a strip of 0.1 degree, and a frame of four around a hole of half a degree."""
    own = squares((76, 20, 77.1, 21), (77, 20, 78, 21), (78, 20, 79, 21.5), (76, 21, 76.5, 22), (76, 21.5, 79, 22))
    _, findings = report(folder, own)
    overlaps = {(row["district_a"][-2:], row["district_b"][-2:]): row["km2"] for row in
                findings["Districts that overlapped"]["rows"]}  # fmt: skip
    strip = gpd.GeoSeries([shapely.box(77, 20, 77.1, 21)], crs=4326).to_crs("ESRI:54034").area.iloc[0] / 1e6
    assert overlaps[("s0", "s1")] == pytest.approx(strip, rel=1e-3)
    gap = findings["Gaps between districts"]["rows"][0]
    assert 76.5 < gap["lon"] < 78 and 21 < gap["lat"] < 21.5


def test_self_crossing_polygons_are_mended_and_listed(folder):
    bow_tie = shapely.Polygon([(78, 20), (79, 21), (79, 20), (78, 21)])
    out, findings = report(folder, squares((76, 20, 77, 21), bow_tie))
    mended = findings["Polygons that crossed themselves"]["rows"]
    assert [row["district"] for row in mended] == ["madhya-pradesh/s1"]
    assert "Self-intersection" in mended[0]["fault"]
    assert open_pack(out).districts.geometry.is_valid.all()


def test_the_page_and_the_json_tell_the_same_and_every_finding_has_a_remedy(folder):
    out, findings = report(folder, squares((76, 20, 77, 21), (77, 20, 78, 21)))
    page = (out / "quality.html").read_text()
    quality = json.loads((out / "quality.json").read_text())
    assert {finding["title"] for finding in quality["findings"]} == set(findings)
    for finding in quality["findings"]:
        assert finding["title"] in page and finding["meaning"] and finding["remedy"]
        assert finding["cases"] == len(finding["rows"])
    assert sum(quality["counts"].values()) == len(quality["findings"])
    order = ["fault", "look", "mended", "note"]
    weights = [order.index(finding["weight"]) for finding in quality["findings"]]
    assert weights == sorted(weights), "the weightiest come first"
    assert "A &amp; B" in page and "nan" not in page.lower().split() and ">None<" not in page
    assert "http" not in page, "nothing is loaded from elsewhere"

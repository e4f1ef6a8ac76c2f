"""Lines from OSM extracts, from Overpass and from line layers: the same roads whatever the source."""

from __future__ import annotations

import socket
import zipfile
from pathlib import Path

import geopandas as gpd
import osmnx
import pytest
import shapely

from geodata.errors import InputError
from geodata.ingest.archives import SMALL_BYTES
from geodata.ingest.osm import Ways, read_lines, read_overpass, read_pbf
from tests.geodata.ingest.osm_files import overpass_answer, overpass_server, write_osm

NODES = {n: (70 + 0.01 * n, 10.0) for n in range(1, 9)}
LINES = [
    ([1, 2, 3], {"highway": "primary", "name": "High Road", "oneway": "-1", "surface": "asphalt"}),
    ([3, 4], {"highway": "residential"}),
    ([4, 5], {"highway": "construction", "construction": "trunk"}),
    ([3, 6], {"route": "ferry", "motor_vehicle": "yes"}),
    ([6, 7], {"railway": "rail", "usage": "main", "gauge": "1676"}),
    ([7, 8], {"railway": "disused"}),
    ([1, 2, 3, 1], {"building": "yes"}),
]
AREA = shapely.box(69.9, 9.9, 70.2, 10.1)


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    return write_osm(tmp_path / "small.osm.pbf", NODES, LINES)


@pytest.fixture(autouse=True)
def _osmnx_is_polite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OSMnx asks the server for no free slot, keeps its cache to the test and asks no name service."""
    monkeypatch.setattr(osmnx.settings, "overpass_rate_limit", False)
    monkeypatch.setattr(osmnx.settings, "cache_folder", str(tmp_path / "osmnx"))
    monkeypatch.setattr(osmnx.settings, "doh_url_template", None)
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)  # OSMnx replaces it


def tag(ways: Ways, name: str) -> list[str | None]:
    return [None if value != value else value for value in ways.tags[name]]


def test_roads_ferries_and_unbuilt_roads_are_read_with_their_nodes_and_tags(extract: Path) -> None:
    ways = read_pbf(extract, "road")
    assert ways.way_id.tolist() == [1, 3, 4]
    assert tag(ways, "highway") == ["primary", "construction", None]
    assert tag(ways, "oneway") == ["-1", None, None]
    assert tag(ways, "motor_vehicle") == [None, None, "yes"]
    assert ways.point_node is not None and ways.point_node.tolist() == [1, 2, 3, 4, 5, 3, 6]
    assert list(ways.lines[0].coords) == [pytest.approx(NODES[n]) for n in (1, 2, 3)]
    assert "name" not in ways.tags


def test_other_classes_are_read_where_asked_for(extract: Path) -> None:
    assert 2 in read_pbf(extract, "road", classes=("primary", "residential")).way_id


def test_railways_in_use_are_read(extract: Path) -> None:
    ways = read_pbf(extract, "rail")
    assert ways.way_id.tolist() == [5]
    assert (tag(ways, "usage"), tag(ways, "gauge"), tag(ways, "service")) == (["main"], ["1676"], [None])


def test_a_way_that_the_extract_cuts_keeps_its_parts_inside(tmp_path: Path) -> None:
    nodes = {n: place for n, place in NODES.items() if n not in (3, 6, 8)}
    ways = read_pbf(write_osm(tmp_path / "cut.osm.pbf", nodes, [(range(1, 9), {"highway": "trunk"})]), "road")
    assert ways.point_node is not None and ways.point_node.tolist() == [1, 2, 4, 5]
    assert ways.way_id.tolist() == [1, 1]
    assert shapely.get_num_points(ways.lines).tolist() == [2, 2]


def test_node_positions_of_a_large_file_are_kept_on_disk_and_cleared_away(
    extract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_memory = read_pbf(extract, "road")
    monkeypatch.setattr("geodata.ingest.osm.IN_MEMORY_PBF_BYTES", 1)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    on_disk = read_pbf(extract, "road")
    assert shapely.equals(on_disk.lines, in_memory.lines).all()
    assert [path.name for path in tmp_path.iterdir()] == [extract.name]


def test_progress_runs_from_the_file_name_to_the_whole(extract: Path) -> None:
    told: list[tuple[str, float]] = []
    read_pbf(extract, "road", progress=lambda text, share: told.append((text, share)))
    shares = [share for _, share in told]
    assert told[-1] == ("reading small.osm.pbf", 1.0)
    assert shares == sorted(shares)


def test_ctrl_c_while_reading_stops_it(extract: Path) -> None:
    def interrupt(text: str, share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_pbf(extract, "road", progress=interrupt)


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.9])
def test_a_truncated_extract_is_refused_with_the_remedy(extract: Path, keep: float) -> None:
    content = extract.read_bytes()
    extract.write_bytes(content[: int(keep if keep >= 1 else keep * len(content))])
    with pytest.raises(InputError, match=r"small\.osm\.pbf.*(again|extracted)"):
        read_pbf(extract, "road")


def test_a_file_of_another_kind_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_pbf(tmp_path / "none.osm.pbf", "road")
    for name in ("page.osm.pbf", "page.html"):
        (tmp_path / name).write_text("<html>Not found</html>" * 100)
        with pytest.raises(InputError, match=rf"{name}.*again"):
            read_pbf(tmp_path / name, "road")


def test_an_extract_without_roads_is_refused(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "empty.osm.pbf", NODES, LINES[-1:])
    with pytest.raises(InputError, match="no road in it"):
        read_pbf(path, "road")


def test_overpass_gives_the_same_roads_one_line_per_segment(extract: Path) -> None:
    before = osmnx.settings.overpass_url, list(osmnx.settings.useful_tags_way), osmnx.settings.all_oneway
    with overpass_server(overpass_answer(extract)) as (url, queries):
        ways = read_overpass(AREA, "road", overpass_url=url)
    assert (osmnx.settings.overpass_url, osmnx.settings.useful_tags_way, osmnx.settings.all_oneway) == before
    assert any("primary" in query for query in queries) and any("ferry" in query for query in queries)
    by_way = {way: row for row, way in enumerate(ways.way_id.tolist())}
    assert {1, 3, 4} <= by_way.keys()
    assert ways.point_node is not None
    # OSMnx turns the nodes of a way that is one-way against its direction; its tag must then not say so again.
    segments = {tuple(ends) for ends in ways.point_node.reshape(-1, 2).tolist()}
    assert {(3, 2), (2, 1)} <= segments
    assert tag(ways, "oneway")[by_way[1]] == "yes"
    assert tag(ways, "surface")[by_way[1]] == "asphalt"
    assert tag(ways, "motor_vehicle")[by_way[4]] == "yes"


def test_overpass_answers_come_from_the_cache_the_second_time(extract: Path, tmp_path: Path) -> None:
    with overpass_server(overpass_answer(extract)) as (url, queries):
        read_overpass(AREA, "rail", overpass_url=url, cache_folder=tmp_path / "cache")
        asked = len(queries)
        read_overpass(AREA, "rail", overpass_url=url, cache_folder=tmp_path / "cache")
    assert asked > 0 and len(queries) == asked
    assert any((tmp_path / "cache").iterdir())


def test_a_machine_without_internet_is_told_to_use_an_extract() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/api"
    with pytest.raises(InputError, match=r"cannot be reached.*\.osm\.pbf"):
        read_overpass(AREA, "road", overpass_url=url)


def test_an_area_without_roads_is_said_to_have_none() -> None:
    with overpass_server({"elements": []}) as (url, _), pytest.raises(InputError, match="no road for this area"):
        read_overpass(AREA, "road", overpass_url=url)


@pytest.fixture
def layer() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"KIND": ["SH", "NH", "footpath"], "ONE": [True, False, False], "KPH": [40.0, None, None]},
        geometry=[
            shapely.LineString([(70, 10), (70.1, 10)]),
            shapely.MultiLineString([[(70.1, 10), (70.2, 10)], [(70.2, 10), (70.3, 10)]]),
            shapely.LineString([(70, 10), (70, 11)]),
        ],
        crs="EPSG:4326",
    )


@pytest.mark.parametrize("name", ["roads.gpkg", "roads.geojson", "roads.parquet", "roads.shp"])
def test_a_line_layer_of_any_format_is_read_with_its_own_words(
    layer: gpd.GeoDataFrame, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    layer = layer.to_crs("EPSG:4326" if name.endswith("geojson") else "EPSG:32643")
    if name.endswith("parquet"):
        layer.to_parquet(path)
    else:
        layer.assign(ONE=["yes", "no", "no"]).to_file(path)
    ways = read_lines(
        path, "KIND", classes={"NH": "trunk", "SH": "primary"}, columns={"oneway": "ONE", "maxspeed": "KPH"}
    )
    assert tag(ways, "highway") == ["primary", "trunk", "trunk", None]
    assert tag(ways, "oneway") == ["yes", "no", "no", "no"]
    assert tag(ways, "maxspeed") == ["40", None, None, None]
    assert ways.way_id.tolist() == [0, 1, 1, 2]
    assert list(ways.lines[0].coords) == [pytest.approx((70, 10)), pytest.approx((70.1, 10))]
    assert ways.point_node is None


def test_faults_of_a_line_layer_are_named(layer: gpd.GeoDataFrame, tmp_path: Path) -> None:
    path = tmp_path / "roads.parquet"
    layer.to_parquet(path)
    with pytest.raises(InputError) as caught:
        read_lines(path, "CLASS", columns={"speed": "KPH"})
    assert [word in str(caught.value) for word in ("'CLASS'", "'speed'", "maxspeed")] == [True] * 3
    layer.set_crs(None, allow_override=True).to_parquet(path)
    with pytest.raises(InputError, match="no coordinate system"):
        read_lines(path, "KIND")
    layer.to_crs(3857).set_crs(4326, allow_override=True).to_parquet(path)
    with pytest.raises(InputError, match="Web Mercator"):
        read_lines(path, "KIND")
    layer.iloc[:0].to_parquet(path)
    with pytest.raises(InputError, match="no lines"):
        read_lines(path, "KIND")
    path.write_text("no layer")
    with pytest.raises(InputError, match="cannot be read"):
        read_lines(path, "KIND")
    layer.to_file(tmp_path / "roads.gpkg", layer="nh")
    with pytest.raises(InputError, match="no layer 'sh', only nh"):
        read_lines(tmp_path / "roads.gpkg", "KIND", layer="sh")


def test_a_zipped_line_layer_is_unpacked_with_the_same_care_as_boundaries(
    layer: gpd.GeoDataFrame, tmp_path: Path
) -> None:
    layer.to_file(tmp_path / "roads.gpkg")
    with zipfile.ZipFile(tmp_path / "roads.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "roads.gpkg", "roads.gpkg")
    assert len(read_lines(tmp_path / "roads.zip", "KIND").lines) == 4
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("roads.geojson", b"0" * (SMALL_BYTES + 1))
    with pytest.raises(InputError, match="would unpack"):
        read_lines(tmp_path / "bomb.zip", "KIND")

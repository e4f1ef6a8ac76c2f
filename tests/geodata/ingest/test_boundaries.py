"""District boundaries from any file: what is right is read, what can be mended is, all else is told in one message."""

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.errors import InputError
from geodata.ingest.archives import MAX_EXPANSION, SMALL_BYTES
from geodata.ingest.boundaries import read_boundaries
from geodata.ingest.geoboundaries import geoboundaries
from tests.geodata.ingest.geoboundaries_api import geoboundaries_server

BOUNDS = (73.0, 14.0, 76.0, 17.0)
NAMES = {"state": "STATE", "district": "DIST"}


def two_squares(**columns: list[object]) -> gpd.GeoDataFrame:
    """NORTH and SOUTH of GOA, side by side."""
    table = {"STATE": ["GOA", "GOA"], "DIST": ["NORTH GOA", "SOUTH GOA"], "LGD": ["551", "552"], **columns}
    return gpd.GeoDataFrame(
        table, geometry=[shapely.box(74, 15, 74.5, 15.5), shapely.box(74, 14.5, 74.5, 15)], crs=4326
    )


def one_message(path: Path, columns: dict[str, str] = NAMES, **options: object) -> str:
    with pytest.raises(InputError) as error:
        read_boundaries(path, columns, BOUNDS, **options)  # type: ignore[arg-type]
    assert len(error.value.problems) == 1
    return error.value.problems[0]


@pytest.mark.parametrize("name", ["d.shp", "d.geojson", "d.gpkg", "d.parquet", "d.fgb"])
def test_any_format_gives_the_same_districts(tmp_path, name):
    path = tmp_path / name
    table = two_squares()
    table.to_parquet(path) if path.suffix == ".parquet" else table.to_file(path)
    found = read_boundaries(path, {**NAMES, "lgd_code": "LGD"}, BOUNDS)
    assert sorted(found.districts["district_id"]) == ["goa/north-goa", "goa/south-goa"]
    assert set(found.districts["state"]) == {"Goa"} and set(found.districts["lgd_code"]) == {551, 552}
    assert found.overlaps.empty and found.gaps.empty and found.mended.empty


def test_a_zipped_shapefile_in_a_projection_comes_back_in_degrees(tmp_path):
    folder = tmp_path / "shape"
    folder.mkdir()
    two_squares().to_crs(7755).to_file(folder / "d.shp")
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        for part in folder.iterdir():
            archive.write(part, f"inside/{part.name}")
    found = read_boundaries(tmp_path / "d.zip", NAMES, BOUNDS)
    assert found.crs == "WGS 84 / India NSF LCC"
    assert np.allclose(found.districts.total_bounds, [74, 14.5, 74.5, 15.5], atol=1e-3)


def test_of_several_layers_one_must_be_named(tmp_path):
    path = tmp_path / "d.gpkg"
    two_squares().to_file(path, layer="districts")
    two_squares().dissolve().to_file(path, layer="state")
    assert "has the layers districts, state; say which" in one_message(path)
    assert "has no layer 'blocks'" in one_message(path, layer="blocks")
    assert len(read_boundaries(path, NAMES, BOUNDS, layer="districts").districts) == 2


# -- the cost of a wrong input ------------------------------------------------------------------------------------


def test_swapped_axes_are_told_and_a_word_mends_them(tmp_path):
    path = tmp_path / "d.gpkg"
    table = two_squares()
    table = table.set_geometry(shapely.transform(table.geometry.array, lambda xy: xy[:, ::-1]), crs=4326)
    table.to_file(path)
    assert "2 of 2 shapes have latitude and longitude swapped" in (message := one_message(path))
    assert "add swap_axes = true" in message
    found = read_boundaries(path, NAMES, BOUNDS, swap_axes=True)
    assert found.districts.total_bounds.tolist() == [74, 14.5, 74.5, 15.5]


def test_web_mercator_that_claims_degrees_is_told_and_a_code_mends_it(tmp_path):
    path = tmp_path / "d.gpkg"
    two_squares().to_crs(3857).set_crs(4326, allow_override=True).to_file(path)
    message = one_message(path)
    assert "claims degrees" in message and "crs = 'EPSG:3857'" in message and "74.2 E, 15.0 N" in message
    found = read_boundaries(path, NAMES, BOUNDS, crs="EPSG:3857")
    assert np.allclose(found.districts.total_bounds, [74, 14.5, 74.5, 15.5])


def test_a_file_without_a_reference_system_is_told(tmp_path):
    path = tmp_path / "d.shp"
    two_squares().to_file(path)
    (tmp_path / "d.prj").unlink()
    assert "no coordinate reference system" in (message := one_message(path)) and "crs = 'EPSG:4326'" in message
    assert len(read_boundaries(path, NAMES, BOUNDS, crs="EPSG:4326").districts) == 2
    assert "crs = 'EPSG:0' is unknown" in one_message(path, crs="EPSG:0")


def test_a_self_intersecting_polygon_is_mended_and_listed(tmp_path):
    bow = shapely.Polygon([(74, 15), (74.5, 15.5), (74.5, 15), (74, 15.5)])
    path = tmp_path / "d.gpkg"
    two_squares().set_geometry([bow, shapely.box(74, 14.5, 74.5, 15)], crs=4326).to_file(path)
    found = read_boundaries(path, NAMES, BOUNDS)
    assert found.districts.geometry.is_valid.all()
    assert found.districts.geometry[0].area == pytest.approx(0.125)  # the two triangles
    assert found.mended["district"].tolist() == ["goa/north-goa"]
    assert "Self-intersection" in found.mended["fault"][0]


def test_an_empty_layer_is_told(tmp_path):
    path = tmp_path / "d.geojson"
    path.write_text('{"type": "FeatureCollection", "features": []}')
    assert "empty" in one_message(path)


def test_two_districts_with_one_name_are_a_fault_in_one_state_only(tmp_path):
    path = tmp_path / "d.gpkg"
    two_squares(DIST=["Bilaspur", "BILASPUR"]).to_file(path)
    message = one_message(path)
    assert "rows 1 and 2 are both district" in message and "rename one, or add merge_parts = true" in message
    two_squares(DIST=["Bilaspur", "BILASPUR"], STATE=["Chhattisgarh", "Himachal Pradesh"]).to_file(path)
    assert len(read_boundaries(path, NAMES, BOUNDS).districts) == 2


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "d.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("d.geojson", "w") as file:
        for _ in range(SMALL_BYTES // 2**20 + 1):
            file.write(bytes(2**20))
    assert path.stat().st_size * MAX_EXPANSION < SMALL_BYTES
    assert "which no map or table does" in one_message(path)


def test_a_zip_that_declares_less_than_it_holds_is_told(tmp_path):
    path = tmp_path / "d.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("d.geojson", b"x" * 100_000)
    content = path.read_bytes()
    path.write_bytes(content.replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    assert "cannot be unpacked" in one_message(path)


@pytest.mark.parametrize("name", ["../../evil.geojson", "/tmp/evil.geojson", "..\\evil.geojson", "C:evil.geojson"])
def test_a_zip_with_a_path_out_of_its_folder_is_not_unpacked(tmp_path, name):
    path = tmp_path / "in" / "d.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "{}")
    assert "leaves the folder" in one_message(path)
    assert not (tmp_path / "evil.geojson").exists()


def test_a_truncated_zip_and_a_file_that_is_no_map_are_told(tmp_path):
    path = tmp_path / "d.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("d.geojson", "{}" * 1000)
    path.write_bytes(path.read_bytes()[:500])
    assert "not a readable zip file" in one_message(path)
    for name in ("d.geojson", "d.gpkg", "d.parquet", "d.shp"):
        (tmp_path / name).write_bytes(b"no map at all")
        assert "cannot be read as a map" in one_message(tmp_path / name)


def test_columns_that_are_not_there_are_told_with_the_likely_ones(tmp_path):
    path = tmp_path / "d.gpkg"
    two_squares().rename(columns={"DIST": "DISTRICT_N"}).to_file(path)
    with pytest.raises(InputError) as error:
        read_boundaries(path, {"district": "DISTRICTN"}, BOUNDS)
    state, district = error.value.problems
    assert "no column 'state' for the state" in state and "or state = 'name'" in state
    assert "perhaps 'DISTRICT_N'" in district and "columns = { district = '...' }" in district


def test_shapes_elsewhere_missing_shapes_and_lines_are_told(tmp_path):
    path = tmp_path / "d.gpkg"
    two_squares().set_geometry([shapely.box(24, 60, 25, 61), shapely.box(74, 14.5, 74.5, 15)], crs=4326).to_file(path)
    assert "1 of 2 shapes lie outside the area (first: row 1" in (message := one_message(path))
    assert "set bounds in [area]" in message
    two_squares().set_geometry([None, shapely.LineString([(74, 15), (74.1, 15)])], crs=4326).to_file(path)
    with pytest.raises(InputError) as error:
        read_boundaries(path, NAMES, BOUNDS)
    assert [p.split(": ", 1)[1] for p in error.value.problems] == [
        "row 1: North Goa has no shape; draw it or drop the row",
        "row 2: South Goa is a LineString; give the layer with the polygons",
    ]


def test_of_a_national_file_only_the_states_asked_for_count(tmp_path):
    """A shape that is missing elsewhere is no fault of theirs; rows keep the numbers of the file."""
    path = tmp_path / "d.gpkg"
    table = two_squares(STATE=["Kerala", "GOA"])
    table.set_geometry([None, table.geometry.iloc[1]], crs=4326).to_file(path)
    assert read_boundaries(path, NAMES, BOUNDS, states=["goa"]).districts["district_id"].tolist() == ["goa/south-goa"]
    table.set_geometry([table.geometry.iloc[0], None], crs=4326).to_file(path)
    assert "row 2: South Goa has no shape" in one_message(path, states=["Goa"])
    assert "there is no state 'Gao'; perhaps Goa" in one_message(path, states=["Gao"])


def test_overlaps_and_gaps_are_measured(tmp_path):
    ring = shapely.box(74, 15, 75, 16) - shapely.box(74.4, 15.4, 74.6, 15.6)
    shapes = [ring, shapely.box(74.4, 15.4, 74.6, 15.5), shapely.box(74.9, 15, 75.5, 16)]
    table = gpd.GeoDataFrame({"STATE": "Goa", "DIST": ["Ring", "Half", "East"]}, geometry=shapes, crs=4326)
    path = tmp_path / "d.gpkg"
    table.to_file(path)
    found = read_boundaries(path, NAMES, BOUNDS)
    degree_km2 = 111.19**2 * np.cos(np.radians(15.5))
    assert found.overlaps[["district_a", "district_b"]].to_numpy().tolist() == [["goa/ring", "goa/east"]]
    assert found.overlaps["km2"].iloc[0] == pytest.approx(0.1 * degree_km2, rel=0.01)
    assert found.gaps["km2"].to_numpy() == pytest.approx([0.02 * degree_km2], rel=0.01)
    assert 15.5 < found.gaps["lat"].iloc[0] < 15.6


def test_land_that_two_districts_claim_goes_to_one_and_is_told_in_square_km(tmp_path):
    """East overlaps Ring by 0.1 degrees; what one loses is all that the other keeps."""
    shapes = [shapely.box(74, 15, 75, 16), shapely.box(74.9, 15, 75.5, 16)]
    path = tmp_path / "d.gpkg"
    two_squares().set_geometry(shapes, crs=4326).to_file(path)
    found = read_boundaries(path, NAMES, BOUNDS)
    shapes = found.districts.geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes) and shapely.union_all(shapes).equals(shapely.box(74, 15, 75.5, 16))
    claimed = 0.1 * 111.19**2 * np.cos(np.radians(15.5))
    assert found.settled["km2"].tolist() == pytest.approx([-claimed], rel=0.01)


def test_a_district_drawn_over_another_keeps_its_land(tmp_path):
    """A city on top of the district around it shares all of its border with that; it must not be swallowed."""
    path = tmp_path / "d.gpkg"
    shapes = [shapely.box(74, 15, 75, 16), shapely.box(74.4, 15.4, 74.6, 15.6)]
    two_squares().set_geometry(shapes, crs=4326).to_file(path)
    around, city = read_boundaries(path, NAMES, BOUNDS).districts.geometry
    assert city.equals(shapes[1]) and around.equals(shapes[0] - shapes[1])
    two_squares().set_geometry([shapes[0], shapes[0]], crs=4326).to_file(path)
    assert "lies wholly under another; draw one of the two anew" in one_message(path)


def test_a_crack_is_closed_a_lake_stays(tmp_path):
    """North encloses a lake of 0.2 by 0.2 degrees; between North and South a crack of 0.0004 by 0.4 is open."""
    path = tmp_path / "d.gpkg"
    north = shapely.box(74, 15, 75, 16) - shapely.box(74.4, 15.4, 74.6, 15.6)
    south = shapely.box(74, 14, 75, 15) - shapely.box(74.3, 14.9996, 74.7, 15)
    two_squares().set_geometry([north, south], crs=4326).to_file(path)
    found = read_boundaries(path, NAMES, BOUNDS)
    shapes = found.districts.geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert found.gaps["km2"].tolist() == pytest.approx([0.04 * 111.19**2 * np.cos(np.radians(15.5))], rel=0.01)
    assert shapely.area(shapes).sum() == pytest.approx(2 - 0.04, abs=1e-6), "no crack"


def test_names_are_freed_of_what_spreadsheets_leave_in_them(tmp_path):
    path = tmp_path / "d.gpkg"
    hindi = ["उदलगुड़ी_x000D_", "क्\u200dष"]
    names = ["UDALGURI_x000D_\n", " Mat\u200dhura\u00a0 "]
    two_squares(DIST=names, STATE=["JAMMU & KASHMIR", "Orissa"], hi=hindi).to_file(path)
    found = read_boundaries(path, {**NAMES, "district_hi": "hi"}, BOUNDS).districts
    assert found[["state", "district"]].to_numpy().tolist() == [
        ["Jammu and Kashmir", "Udalguri"], ["Odisha", "Mathura"],
    ]  # fmt: skip
    assert found["district_hi"].tolist() == ["उदलगुड़ी", "क्\u200dष"], "joiners shape Hindi"


def test_slivers_without_a_name_are_left_out_and_listed_but_no_large_area(tmp_path):
    path = tmp_path / "d.gpkg"
    names = {"STATE": ["GOA", "GOA", None], "DIST": ["North", "South", None], "LGD": ["1", "NOT AVAILABLE", None]}
    shapes = [shapely.box(74, 15, 75, 16), shapely.box(74, 14, 75, 15), shapely.box(75, 15, 75.01, 15.5)]
    names["REMARKS"] = [None, None, "DISPUTED (GOA & ELSEWHERE)"]
    table = gpd.GeoDataFrame(names, geometry=shapes, crs=4326)
    table.to_file(path)
    found = read_boundaries(path, {**NAMES, "lgd_code": "LGD"}, BOUNDS)
    assert found.districts["district"].tolist() == ["North", "South"]
    assert found.districts["lgd_code"].isna().tolist() == [False, True], "a name without a code is a district"
    (row,) = found.unnamed.to_dict("records")
    assert (row["row"], row["remarks"]) == (3, "DISPUTED (GOA & ELSEWHERE)")
    assert row["km2"] == pytest.approx(0.005 * 111.19**2 * np.cos(np.radians(15.25)), rel=0.01)

    table.assign(DIST=["North", None, None]).to_file(path)
    message = one_message(path)
    assert "2 rows without the name" in message and "(rows 2, 3) make 11,986 km2" in message
    assert "drop_unnamed = true" in message
    assert read_boundaries(path, NAMES, BOUNDS, drop_unnamed=True).districts["district"].tolist() == ["North"]


def test_rows_of_other_states_are_left_out_before_anything_is_checked(tmp_path):
    """Elsewhere a district is there twice, has no shape, has no name, and lies outside the area."""
    path = tmp_path / "d.gpkg"
    table = gpd.GeoDataFrame(
        {"STATE": ["Goa", "Kerala", "Kerala", "Kerala", "Kerala"], "DIST": ["North", "A", "A", None, "B"]},
        geometry=[shapely.box(74, 15, 75, 16), *[shapely.box(0, 0, 1, 1)] * 3, None], crs=4326,
    )  # fmt: skip
    table.to_file(path)
    assert read_boundaries(path, NAMES, BOUNDS, states=["GOA"]).districts["district_id"].tolist() == ["goa/north"]


def test_rows_of_one_name_and_code_are_one_district_others_only_if_the_user_says_so(tmp_path):
    path = tmp_path / "d.gpkg"
    two_squares(DIST=["Islands", "ISLANDS"], LGD=["7", "7"]).to_file(path)
    found = read_boundaries(path, {**NAMES, "lgd_code": "LGD"}, BOUNDS)
    assert found.parts.to_dict("records") == [{"district": "goa/islands", "rows": "1, 2"}]
    assert found.districts.geometry[0].equals(shapely.box(74, 14.5, 74.5, 15.5))
    two_squares(DIST=["Islands", "ISLANDS"], LGD=["7", "8"]).to_file(path)
    assert "rows 1 and 2 are both district 'Islands' of 'Goa'" in one_message(path, {**NAMES, "lgd_code": "LGD"})
    assert len(read_boundaries(path, NAMES, BOUNDS, merge_parts=True).districts) == 1


def test_heights_collections_and_many_islands_are_polygons_like_any(tmp_path):
    high = shapely.force_3d(shapely.box(74, 15, 74.5, 15.5), 120.0)
    mixed = shapely.GeometryCollection([shapely.box(74, 14.5, 74.5, 15), shapely.LineString([(74, 15), (74.5, 15)])])
    path = tmp_path / "d.geojson"
    two_squares().set_geometry([high, mixed], crs=4326).to_file(path)
    found = read_boundaries(path, NAMES, BOUNDS).districts
    assert not found.has_z.any() and found.geom_type.tolist() == ["Polygon", "Polygon"]
    islands = shapely.union_all([shapely.box(74 + x / 10, 15, 74.05 + x / 10, 15.05) for x in range(9)])
    two_squares().set_geometry([islands, shapely.box(74, 14, 74.5, 14.5)], crs=4326).to_file(path)
    assert len(read_boundaries(path, NAMES, BOUNDS).districts.geometry[0].geoms) == 9


def test_a_corner_or_a_place_that_is_no_number_is_told_by_its_row(tmp_path):
    path = tmp_path / "d.gpkg"
    broken = shapely.Polygon([(74, 15), (74.5, 15), (float("inf"), 15.5), (74, 15)])
    two_squares().set_geometry([shapely.box(74, 14.5, 74.5, 15), broken], crs=4326).to_file(path)
    assert "row 2: South Goa has a corner whose place is no number" in one_message(path)
    two_squares(lon=["74.2", "inf"], lat=["15.2", "14.7"]).to_file(path)
    assert "row 2: lon is 'inf'; write a number from 73 to 76, or leave it blank" in one_message(path)
    two_squares(lon=["\u096d\u096a.2", None], lat=["15.2", None]).to_file(path)
    assert read_boundaries(path, NAMES, BOUNDS).districts["lon"][0] == 74.2


@pytest.mark.parametrize("declared", [None, "ISO-8859-1", "UTF-8"])
def test_a_shapefile_in_latin_letters_of_old_is_read(tmp_path, declared):
    """Old files hold Latin-1 whatever their .cpg says."""
    path = tmp_path / "d.shp"
    two_squares(DIST=["Perném", "Sul"]).to_file(path, encoding="ISO-8859-1")
    (tmp_path / "d.cpg").unlink(missing_ok=True)
    if declared:
        (tmp_path / "d.cpg").write_text(declared)
    assert read_boundaries(path, NAMES, BOUNDS).districts["district"].tolist() == ["Perném", "Sul"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("d.vrt", "<OGRVRTDataSource/>", "files ending in '.vrt' are not read as maps"),
        ("d.csv", "STATE,DIST,WKT\n", "files ending in '.csv' are not read as maps"),
        ("d.kml", "<OGRVRTDataSource><OGRVRTLayer name='kml'/></OGRVRTDataSource>", "not what the ending .kml says"),
        ("d.json", '{"type": "gdal_streamed_alg", "command_line": "read x.gpkg"}', "refers to other files"),
        ("d.geojson", "/vsicurl/http://127.0.0.1/d.geojson", "not what the ending .geojson says"),
    ],
)  # fmt: skip
def test_a_file_that_would_make_the_reader_open_another_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    assert message in one_message(tmp_path / name)


# -- geoBoundaries --------------------------------------------------------------------------------------------------


@pytest.fixture
def api(tmp_path) -> Iterator[str]:
    with geoboundaries_server(tmp_path / "served", two_squares().rename(columns={"DIST": "shapeName"})) as url:
        yield url


def test_geoboundaries_districts_take_their_state_from_the_level_above(api, tmp_path):
    found = geoboundaries("ind", "ADM2", BOUNDS, tmp_path, api_url=api)
    assert sorted(found.districts["district_id"]) == ["goa/north-goa", "goa/south-goa"]
    checksum = hashlib.sha256((tmp_path / "served" / "ADM2.geojson").read_bytes()).hexdigest()
    assert found.provenance["sha256_of_source"] == checksum
    assert found.provenance["licence"] == "CC BY" and "Census" in found.provenance["source"]
    geoboundaries("IND", "ADM2", BOUNDS, tmp_path, api_url=api, sha256=checksum)
    with pytest.raises(InputError, match="the boundaries have changed"):
        geoboundaries("IND", "ADM2", BOUNDS, tmp_path, api_url=api, sha256="0" * 64)


def test_geoboundaries_says_what_is_wrong_with_a_code_and_what_to_do_offline(api, tmp_path):
    with pytest.raises(InputError, match="geoBoundaries XXX ADM2: the server answers 404"):
        geoboundaries("XXX", "ADM2", BOUNDS, tmp_path, api_url=api)
    with pytest.raises(InputError, match=r"no connection to http://127.0.0.1:9/IND/ADM2/ .* source = 'file'"):
        geoboundaries("IND", "ADM2", BOUNDS, tmp_path, api_url="http://127.0.0.1:9")

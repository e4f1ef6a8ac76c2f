"""The tables of ports, depots, parks and rail links: what the bundled ones hold, and how faults are named."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.errors import InputError
from geodata.gateways import load_depots, load_gateways, load_planned_sites, load_rail_connectors
from geodata.network import Network, great_circle_km, load_network, snap
from geodata.pack import open_pack
from geodata.tables import Column, read_table

INDIA = Path(__file__).parents[2] / "geodata" / "india"
INDIA_EQUAL_AREA = "+proj=laea +lat_0=23 +lon_0=82 +datum=WGS84 +units=km"

GATEWAYS = load_gateways(INDIA / "gateways.csv")
DEPOTS = load_depots(INDIA / "depots.csv")
PLANNED = load_planned_sites(INDIA / "planned_sites.csv")
CONNECTORS = load_rail_connectors(INDIA / "rail_connectors.csv")

GOOD_DEPOTS = """depot_id,name,state,lon,lat,rail_served,source,note
dadri,Dadri,Uttar Pradesh,77.55,28.55,true,test,
baddi,Baddi,Himachal Pradesh,76.79,30.95,no,test,"by road, to Dadri"
"""


@pytest.fixture
def depots_file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "depots.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def distance_to_state_km(points: pd.DataFrame) -> np.ndarray:
    """Km from each point to the state that its row names; 0 inside."""
    states = gpd.read_parquet(INDIA / "states.parquet").set_index("state").to_crs(INDIA_EQUAL_AREA)
    at = gpd.GeoSeries(gpd.points_from_xy(points["lon"], points["lat"]), crs="EPSG:4326").to_crs(INDIA_EQUAL_AREA)
    return shapely.distance(states.geometry.loc[points["state"]].to_numpy(), at.to_numpy())


def terminals() -> pd.DataFrame:
    """Gateways and depots: id, lon, lat, rail_served."""
    columns = ["id", "lon", "lat", "rail_served"]
    tables = [GATEWAYS.rename(columns={"gateway_id": "id"}), DEPOTS.rename(columns={"depot_id": "id"})]
    return pd.concat([table[columns] for table in tables]).set_index("id")


@cache
def rail_network() -> Network:
    return load_network(INDIA / "rail.parquet")


def far_from_rail(points: pd.DataFrame, names: pd.Series | pd.Index, limit_km: float) -> list[tuple[str, float]]:
    """Name and km of points farther from the tracks than the limit, or from any node cargo can enter by.

    Nodes of the network stand up to 5 km apart along a track, so a point beside it may be 2.5 km from one.
    """
    rail = rail_network()
    _, to_node_km = snap(rail, points["lon"].to_numpy(), points["lat"].to_numpy())
    tracks = gpd.GeoSeries(rail.geometry, crs="EPSG:4326").to_crs(INDIA_EQUAL_AREA)
    at = gpd.GeoSeries(gpd.points_from_xy(points["lon"], points["lat"]), crs="EPSG:4326").to_crs(INDIA_EQUAL_AREA)
    _, to_track_km = tracks.sindex.nearest(at, return_all=False, return_distance=True)
    far = (to_track_km > limit_km) | (to_node_km > limit_km + 2.5)
    return [(str(name), round(float(km), 1)) for name, km in zip(names[far], to_track_km[far], strict=True)]


# The bundled tables


def test_pack_has_20_ports_35_parks_of_which_one_is_open_and_at_least_80_depots() -> None:
    assert len(GATEWAYS) == 20
    assert len(PLANNED) == 34 and "nagpur-sindi" in set(DEPOTS["depot_id"])
    assert len(DEPOTS) >= 80


def test_identifiers_are_unique_across_tables() -> None:
    ids = pd.concat([GATEWAYS["gateway_id"], DEPOTS["depot_id"], PLANNED["site_id"]])
    assert ids.is_unique


def test_gateway_ids_are_indian_un_locodes() -> None:
    assert GATEWAYS["gateway_id"].str.fullmatch("IN[A-Z2-9]{3}").all()


def test_depots_and_parks_lie_in_their_states() -> None:
    for table in (DEPOTS, PLANNED):
        outside = distance_to_state_km(table) > 0
        assert table.loc[outside, ["name", "state"]].to_numpy().tolist() == []


def test_ports_lie_at_the_coast_of_their_states() -> None:
    # Jetties and tidal flats reach beyond a state outline that ends at the high-water line: 6.7 km at Kandla.
    far = distance_to_state_km(GATEWAYS) > 8
    assert GATEWAYS.loc[far, ["name", "state"]].to_numpy().tolist() == []


def test_ports_without_gateway_containers_are_the_bulk_and_transhipment_ones() -> None:
    without = set(GATEWAYS.loc[~GATEWAYS["container_service"], "gateway_id"])
    assert without == {"INVZJ", "INKRI", "INGGV", "INPRT", "INDMA"}


def test_ports_without_a_railway() -> None:
    assert set(GATEWAYS.loc[~GATEWAYS["rail_served"], "gateway_id"]) == {"INHZA", "INVZJ", "INKAT"}


def test_no_two_depots_are_the_same_place() -> None:
    lon, lat = DEPOTS["lon"].to_numpy(), DEPOTS["lat"].to_numpy()
    km = great_circle_km(lon[:, None], lat[:, None], lon[None, :], lat[None, :])
    close = np.argwhere(np.triu(km < 2, k=1))
    assert [(DEPOTS["name"][i], DEPOTS["name"][j]) for i, j in close] == []


def test_rail_links_belong_to_terminals_served_by_rail() -> None:
    assert terminals()["rail_served"].reindex(CONNECTORS["terminal_id"]).eq(True).all()


def test_rail_links_are_no_shorter_than_the_crow_flies() -> None:
    at = terminals().loc[CONNECTORS["terminal_id"]]
    crow_km = great_circle_km(at["lon"], at["lat"], CONNECTORS["lon"], CONNECTORS["lat"])
    short = CONNECTORS["km"].to_numpy() < crow_km
    assert CONNECTORS.loc[short, "terminal_id"].tolist() == []


def test_rail_links_end_on_the_rail_network() -> None:
    assert far_from_rail(CONNECTORS, CONNECTORS["terminal_id"], limit_km=0.5) == []


def test_terminals_served_by_rail_are_near_the_network_or_have_a_link() -> None:
    unlinked = terminals().query("rail_served").drop(CONNECTORS["terminal_id"])
    assert far_from_rail(unlinked, unlinked.index, limit_km=2.0) == []


# Faults of a user's own table


def test_good_table_reads_with_types(depots_file: Callable[[str], Path]) -> None:
    table = load_depots(depots_file(GOOD_DEPOTS))
    assert table["depot_id"].tolist() == ["dadri", "baddi"]
    assert table["rail_served"].tolist() == [True, False]
    assert table["lon"].tolist() == [77.55, 76.79]
    assert table["note"].tolist() == ["", "by road, to Dadri"]
    assert table["confidence"].tolist() == ["", ""]  # optional and absent


def test_table_saved_by_a_spreadsheet_reads(tmp_path: Path) -> None:
    path = tmp_path / "depots.csv"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD_DEPOTS.replace("\n", "\r\n").encode() + b",,,,,,,\r\n")
    assert len(load_depots(path)) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("77.55,", "nan,", "row 2: lon is 'nan'; fill in a number"),
        ("77.55,", ",", "row 2: lon is ''; fill in a number"),
        ("77.55,", "inf,", "row 2: lon is 'inf'; write a number"),
        ("77.55,", "77°33',", 'row 2: lon is "77°33\'"; write a number'),
        ("77.55,28.55", "28.55,77.55", "row 2: lon 28.55, lat 77.55 look swapped; put longitude in lon"),
        ("77.55,28.55", "-0.12,51.5", "row 2: lon -0.12, lat 51.5 lies outside the study area"),
        ("77.55,28.55", "77.55,128.55", "row 2: lat is '128.55'; it must be at most 90"),
        ("baddi,Baddi", "dadri,Baddi", "row 3: depot_id 'dadri' is already in row 2; give each row its own"),
        ("true", "maybe", "row 2: rail_served is 'maybe'; write true or false"),
        ("dadri,Dadri", "dadri, ", "row 2: name is ''; fill it in"),
        ('"by road, to Dadri"', "by road, to Dadri", "row 3: 9 cells, the header has 8; put text"),
        ("lat,", "latitude,", "row 1: no column 'lat'"),
        ("rail_served", "rail_servd", "row 1: no column 'rail_served'; rename 'rail_servd' to it"),
        ("note", "remarks", "row 1: unknown column 'remarks'; remove it"),
        ("note", "name", "row 1: column 'name' is there more than once; keep one"),
    ],
)
def test_fault_is_named_with_file_row_value_and_remedy(
    depots_file: Callable[[str], Path], old: str, new: str, message: str
) -> None:
    path = depots_file(GOOD_DEPOTS.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        load_depots(path)
    assert any(problem.startswith(f"{path}: {message}") for problem in error.value.problems), str(error.value)
    assert all(fault.file == path and fault.row and fault.remedy for fault in error.value.faults)


def test_all_faults_are_named_at_once(depots_file: Callable[[str], Path]) -> None:
    text = GOOD_DEPOTS.replace("77.55,28.55,true", "28.55,77.55,maybe").replace("76.79", "nan")
    with pytest.raises(InputError) as error:
        load_depots(depots_file(text))
    assert len(error.value.problems) == 3


def test_row_numbers_are_the_lines_of_an_editor(depots_file: Callable[[str], Path]) -> None:
    text = GOOD_DEPOTS.replace("test,\n", 'test,"two\nlines"\n\n').replace("76.79", "x")
    with pytest.raises(InputError, match="row 5: lon is 'x'"):
        load_depots(depots_file(text))


def test_negative_dwell_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gateways.csv"
    path.write_text(
        "gateway_id,name,state,lon,lat,container_service,rail_served,export_dwell_h,source\n"
        "INXXX,Somewhere,Gujarat,70,22,yes,yes,-5,test\n"
    )
    with pytest.raises(InputError, match="row 2: export_dwell_h is '-5'; it must be at least 0"):
        load_gateways(path)


def test_missing_empty_and_binary_files_are_named(tmp_path: Path, depots_file: Callable[[str], Path]) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv: no such file"):
        load_depots(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="cannot be read"):
        load_depots(tmp_path)
    with pytest.raises(InputError, match="row 1: it is empty"):
        load_depots(depots_file(""))
    assert load_depots(depots_file(GOOD_DEPOTS.splitlines()[0])).empty  # an area may have no depots, but not no port
    with pytest.raises(InputError, match="the table has no rows"):
        load_gateways(depots_file((INDIA / "gateways.csv").read_text(encoding="utf-8").splitlines()[0]))
    binary = tmp_path / "depots.xlsx"
    binary.write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(InputError, match="not a UTF-8 CSV file"):
        load_depots(binary)


def test_optional_number_may_be_blank_but_not_wrong(tmp_path: Path) -> None:
    columns = (Column("key", unique=True), Column("value", "number", required=False, maximum=10))
    path = tmp_path / "values.csv"
    path.write_text("key,value\na,\nb,3\n")
    assert np.array_equal(read_table(path, columns)["value"], [np.nan, 3.0], equal_nan=True)
    path.write_text("key\na\n")
    assert read_table(path, columns)["value"].isna().all()
    path.write_text("key,value\na,1'000\nb,11\n")
    with pytest.raises(InputError) as error:
        read_table(path, columns)
    assert len(error.value.problems) == 2


def test_land_customs_stations_stand_in_districts_of_the_pack():
    pack = open_pack()
    known = set(pack.districts["district_id"])
    assert len(pack.land_customs) > 30
    assert set(pack.land_customs["district_id"]) <= known

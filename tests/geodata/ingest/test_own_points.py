"""Tables of ports, depots, sites and sectors as offices keep them become the pack's; a wrong one is told."""

from pathlib import Path

import pytest

from geodata.errors import InputError
from geodata.exports import SECTOR_COLUMNS
from geodata.gateways import DEPOT_COLUMNS, GATEWAY_COLUMNS
from geodata.ingest.points import read_points

BOUNDS = (73.0, 14.0, 76.0, 19.0)


def csv(tmp_path: Path, text: str, name: str = "points.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


PORTS = "Port,Long,Lat,Boxes,Rail,Dwell\nMormugao (Goa),73.80,15.41,yes,yes,48\nKarwar,74.13,14.81,no,no,60\n"
PORT_COLUMNS = {"name": "Port", "lon": "Long", "lat": "Lat", "container_service": "Boxes", "rail_served": "Rail",
                "export_dwell_h": "Dwell"}  # fmt: skip


def test_own_ports_come_out_in_the_schema_of_the_pack(tmp_path):
    path = csv(tmp_path, PORTS, "ports.csv")
    ports, notes = read_points(path, GATEWAY_COLUMNS, BOUNDS, columns=PORT_COLUMNS, constants={"state": "GOA"})
    assert ports.columns.tolist() == [column.name for column in GATEWAY_COLUMNS]
    assert ports["gateway_id"].tolist() == ["mormugao-goa", "karwar"]
    assert ports["container_service"].tolist() == [True, False]
    assert ports["export_dwell_h"].tolist() == [48, 60]
    assert ports["source"].tolist() == ["own table ports.csv"] * 2 and notes == []


def port_faults(tmp_path: Path, text: str, **options: object) -> list[str]:
    path = csv(tmp_path, text, "ports.csv")
    with pytest.raises(InputError) as error:
        read_points(path, GATEWAY_COLUMNS, BOUNDS, columns=PORT_COLUMNS, constants={"state": "Goa"}, **options)  # type: ignore[arg-type]
    return error.value.problems


def test_a_point_table_with_swapped_axes_is_told_once(tmp_path):
    text = PORTS.replace("73.80,15.41", "15.41,73.80").replace("74.13,14.81", "14.81,74.13")
    (fault,) = port_faults(tmp_path, text)
    assert "lon and lat are swapped in 2 of 2 rows" in fault and "exchange the two in columns" in fault


def test_one_swapped_point_is_told_by_its_row(tmp_path):
    (fault,) = port_faults(tmp_path, PORTS.replace("74.13,14.81", "14.81,74.13"))
    assert "row 3: lon 14.81, lat 74.13 look swapped" in fault


def test_a_point_table_in_metres_is_told_and_a_code_mends_it(tmp_path):
    text = PORTS.replace("73.80,15.41", "8215378,1734990").replace("74.13,14.81", "8252114,1665745")
    (fault,) = port_faults(tmp_path, text)
    assert "are metres, not degrees; add crs = 'EPSG:3857'" in fault
    path = csv(tmp_path, text, "ports.csv")
    ports, _ = read_points(
        path, GATEWAY_COLUMNS, BOUNDS, columns=PORT_COLUMNS, constants={"state": "Goa"}, crs="EPSG:3857"
    )
    assert ports["lon"].tolist() == pytest.approx([73.80, 74.13], abs=0.01)
    assert ports["lat"].tolist() == pytest.approx([15.40, 14.80], abs=0.02)


def test_wrong_cells_of_a_point_table_are_told_by_the_rows_of_the_file(tmp_path):
    text = "Ports of the area,,,,,\n" + PORTS.replace("48", "two days").replace("no,no", "no,maybe")
    assert [fault.split(": ", 1)[1] for fault in port_faults(tmp_path, text)] == [
        "row 4: rail_served is 'maybe'; write true or false",
        "row 3: export_dwell_h is 'two days'; write a number, with a point and without separators or units",
    ]


def test_a_misspelt_optional_column_is_pointed_at(tmp_path):
    text = "name,state,lon,lat,rail_served,confidenc\nVerna,Goa,73.9,15.35,true,high\n"
    _, notes = read_points(csv(tmp_path, text), DEPOT_COLUMNS, BOUNDS)
    assert notes == ["columns not read: confidenc ('confidenc' may be confidence: name it in columns if so)"]


def test_own_sectors_are_read_the_same_way(tmp_path):
    text = "Sector,USD per tonne,Class,Air\nfurs,50 000,general,0.5\n"
    columns = {
        "sector": "Sector",
        "value_usd_per_t": "USD per tonne",
        "cargo_class": "Class",
        "air_share_of_value": "Air",
    }
    sectors, _ = read_points(csv(tmp_path, text), SECTOR_COLUMNS, BOUNDS, columns=columns)
    assert sectors[[*columns, "source"]].to_dict("records") == [
        {"sector": "furs", "value_usd_per_t": 50_000.0, "cargo_class": "general", "air_share_of_value": 0.5,
         "source": "own table points.csv"}
    ]  # fmt: skip


def test_degrees_with_a_decimal_comma_are_refused_or_read(tmp_path):
    path = csv(tmp_path, 'name,state,lon,lat,rail_served\nVerna,Goa,"73,912","15,351",true\n')
    with pytest.raises(InputError, match=r"row 2: lon is '73,912', which may mean 73.912 .* add decimal = ','"):
        read_points(path, DEPOT_COLUMNS, BOUNDS)
    depots, _ = read_points(path, DEPOT_COLUMNS, BOUNDS, decimal=",")
    assert depots[["lon", "lat"]].to_numpy().tolist() == [[73.912, 15.351]]


@pytest.mark.parametrize("place", ["nan", "inf", "-inf", "Infinity", "NaN", "1e999"])
def test_a_place_that_is_no_number_is_told_by_its_row(tmp_path, place):
    path = csv(tmp_path, f"name,state,lon,lat,rail_served\nVerna,Goa,73.9,15.35,true\nPonda,Goa,{place},15.4,true\n")
    with pytest.raises(InputError, match=f"row 3: lon is '{place}'"):
        read_points(path, DEPOT_COLUMNS, BOUNDS)

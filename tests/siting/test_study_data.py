"""A study reads its layers from tables as offices keep them, in the words of an area file, or from files of a pack."""

import csv
import tomllib
from pathlib import Path

import openpyxl
import pytest

from geodata.errors import InputError
from siting.check import check_study
from siting.study import load_study, study_text
from web.runs.questions import plain_values, study_from


@pytest.fixture
def write(tmp_path, tiny_pack):
    """Write a study on the tiny pack with a table ``[data]``; returns its path."""

    def study(data: str) -> Path:
        path = tmp_path / "study.toml"
        path.write_text(f'[study]\nname = "Own"\nbudget_inr_crore = 60\n[data]\npack = "{tiny_pack}"\n{data}')
        return path

    study.folder = tmp_path
    return study


def table(path: Path, rows: list[list[object]]) -> None:
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)


EXPORTS = [
    ["Exports by district, Rs crore"], [], ["State", "District", "Textiles", "Fruit"],
    ["MADHYA PRADESH", "D1", "1,660", "83"], [None, "D2", 830, None], ["Madhya Pradesh", "Total", 2490, 83],
]  # fmt: skip
OWN_EXPORTS = """[data.exports]
file = "exports.xlsx"
columns = { state = "State", district = "District" }
unit = "inr_crore"
inr_per_usd = 83
"""


def test_exports_come_from_a_workbook_in_rupees(write):
    table(write.folder / "exports.xlsx", EXPORTS)
    pack = load_study(write(OWN_EXPORTS)).pack()
    # 1,660 crore rupees at 83 are US$ 200 million.
    assert pack.exports[["district", "textiles_usd_million", "fruit_usd_million"]].to_numpy().tolist() == [
        ["D1", pytest.approx(200), pytest.approx(10)], ["D2", pytest.approx(100), 0],
    ]  # fmt: skip


def test_a_name_that_is_no_district_is_refused_with_its_value_until_the_user_says_what_it_is(write):
    rows = [["state", "district", "textiles"], ["Madhya Pradesh", "D1", 900], ["Madhya Pradesh", "D33", 6],
            ["Madhya Pradesh", "UNSPECIFIED", 1]]  # fmt: skip
    table(write.folder / "exports.csv", rows)
    own = '[data.exports]\nfile = "exports.csv"\nunit = "usd_million"\n'
    (fault,) = check_study(write(own))
    assert (fault.file, fault.row, fault.value) == (write.folder / "exports.csv", 3, "D33")
    assert "US$ 6.0 million" in str(fault) and "perhaps D3" in str(fault) and "aliases = '...'" in str(fault)
    table(write.folder / "aliases.csv", [["state", "name_in_source", "district"], ["Madhya Pradesh", "D33", "D3"]])
    study = load_study(write(own + 'aliases = "aliases.csv"\n'))
    assert study.pack().exports["district"].tolist() == ["D1", "D3"]
    before = study.fingerprint(study.pack())
    table(write.folder / "aliases.csv", [["state", "name_in_source", "district"], ["Madhya Pradesh", "D33", "D4"]])
    assert study.fingerprint(study.pack()) != before, "what aliases say is part of the question"


def test_points_come_with_other_names_of_columns_decimal_commas_and_values_for_all_rows(write):
    table(write.folder / "depots.csv", [["Name", "Long", "Breadth", "MTEU"], ["Dry port", "78,5", "20,5", "0,12"]])
    pack = load_study(write("""[data.depots]
        file = "depots.csv"
        decimal = ","
        columns = { name = "Name", lon = "Long", lat = "Breadth", container_capacity_million_teu = "MTEU" }
        constants = { state = "Madhya Pradesh", rail_served = true }
    """)).pack()  # fmt: skip
    (depot,) = pack.depots.to_dict("records")
    assert (depot["depot_id"], depot["lon"], depot["lat"]) == ("dry-port", 78.5, 20.5)
    assert depot["rail_served"] and depot["container_capacity_million_teu"] == 0.12


def test_customs_stations_may_name_their_district(write):
    table(
        write.folder / "stations.xlsx", [["St", "Dist", "station", "neighbour"], ["MADHYA PRADESH", "d4", "Gate", "X"]]
    )
    own = '[data.land_customs]\nfile = "stations.xlsx"\ncolumns = { state = "St", district = "Dist" }\n'
    assert load_study(write(own)).pack().land_customs["district_id"].tolist() == ["madhya-pradesh/d4"]
    table(
        write.folder / "stations.xlsx", [["St", "Dist", "station", "neighbour"], ["MADHYA PRADESH", "q", "Gate", "X"]]
    )
    with pytest.raises(InputError, match=r"stations.xlsx: row 2: 'q': Madhya Pradesh has no district of this name"):
        _ = load_study(write(own)).pack().land_customs


def test_a_workbook_needs_no_more_than_its_name_where_its_columns_are_ours(write):
    rows = [
        ["site_id", "name", "state", "lon", "lat", "coordinate_basis"],
        ["p", "Park", "Madhya Pradesh", 78, 21, "map"],
    ]
    table(write.folder / "sites.xlsx", rows)
    assert load_study(write('planned_sites = "sites.xlsx"\n')).pack().planned_sites["site_id"].tolist() == ["p"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('[data.exports]\nfile = "x.csv"\n', "[data.exports] has no unit; add it"),
        ('[data.exports]\nfile = "d.csv"\nunit = "usd"\ncolums = {}\n', "[data.exports] unknown key 'colums'"),
        ('[data.depots]\nfile = "none.csv"\n', "[data.depots] file = 'none.csv' is no file"),
        ('[data.districts]\nfile = "d.csv"\n', "is read from a file of the pack's own schema only"),
        ('[data.exports]\nfile = "d.csv"\nunit = "inr_crore"\n', "unit is rupees; give inr_per_usd"),
    ],
)
def test_a_table_that_is_not_told_right_is_refused(write, data, message):
    table(write.folder / "d.csv", [["a"]])
    with pytest.raises(InputError) as error:
        load_study(write(data))
    assert any(message in problem for problem in error.value.problems)


def test_a_study_with_own_tables_can_be_kept_and_asked_again(write, tmp_path):
    """As a study file and as plain values; what it says of a table is part of its fingerprint."""
    table(write.folder / "exports.xlsx", EXPORTS)
    study = load_study(write(OWN_EXPORTS))
    again = tmp_path / "again.toml"
    again.write_text(study_text(study, tmp_path))
    assert tomllib.loads(again.read_text())["data"]["exports"]["unit"] == "inr_crore"
    print_of = study.fingerprint(study.pack())
    assert load_study(again).fingerprint(load_study(again).pack()) == print_of
    assert study_from(plain_values(study)).fingerprint(study.pack()) == print_of
    other = load_study(write(OWN_EXPORTS.replace("83", "84")))
    assert other.fingerprint(other.pack()) != print_of

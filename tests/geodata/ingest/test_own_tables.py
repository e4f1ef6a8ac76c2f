"""Tables as offices keep them become the pack's tables; a wrong one is told in one message with its remedy."""

import tracemalloc
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from geodata.errors import InputError
from geodata.ingest.exports import read_exports
from geodata.ingest.names import district_names, load_own_aliases
from geodata.ingest.placing import OwnExports
from geodata.ingest.sheets import parse_numbers, read_sheet

BOUNDS = (73.0, 14.0, 76.0, 19.0)
SECTORS = ["chemicals", "textiles_garments", "food_fresh"]
DISTRICTS = pd.DataFrame(
    [
        ("goa/north-goa", "Goa", "North Goa"),
        ("goa/south-goa", "Goa", "South Goa"),
        ("maharashtra/pune", "Maharashtra", "Pune"),
        ("maharashtra/sindhudurg", "Maharashtra", "Sindhudurg"),
    ],
    columns=["district_id", "state", "district"],
)


def csv(tmp_path: Path, text: str, name: str = "exports.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, unit: str = "usd_million", **options: object) -> OwnExports:
    names = district_names(DISTRICTS, options.pop("own_aliases", None), options.pop("pack_aliases", None))  # type: ignore[arg-type]
    return read_exports(path, names, SECTORS, unit=unit, **options)  # type: ignore[arg-type]


def values(found: OwnExports) -> dict[str, list[float]]:
    table = found.table.set_index("district_id").drop(columns=["state", "district"])
    return {key: row.tolist() for key, row in table.iterrows()}


def faults(path: Path, unit: str = "usd_million", **options: object) -> list[str]:
    with pytest.raises(InputError) as error:
        read(path, unit, **options)
    return error.value.problems


ACROSS = "State,District,Chemicals,Textiles & Garments,Food fresh\nGoa,North Goa,10,20,0.5\nMaharashtra,PUNE,30,40,\n"
RIGHT = {"goa/north-goa": [10, 20, 0.5], "maharashtra/pune": [30, 40, 0]}
COLUMNS = {"state": "State", "district": "District"}


# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,23,456.7", 123456.7), ("1,234,567", 1234567), ("12345", 12345), ("₹ 1,00,000", 1e5), ("Rs. 5", 5),
        ("(12.5)", -12.5), ("−3", -3), ("1.5e3", 1500), (" 42 ", 42), ("US$ 9", 9), ("12 345", 12345), (".5", 0.5),
        ("7*", 7), ("१,२३,४५६.७", 123456.7), ("１２．５", 12.5), ("+4", 4), ("1,234", 1234),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(text, number):
    parsed, wrong = parse_numbers(pd.Series([text]))
    assert parsed[0] == pytest.approx(number) and not wrong[0]


@pytest.mark.parametrize("text", ["", "-", "–", "n.a.", "nil", "NA"])
def test_signs_for_no_figure_are_missing_not_wrong(text):
    parsed, wrong = parse_numbers(pd.Series([text]))
    assert parsed.isna()[0] and not wrong[0]


@pytest.mark.parametrize("text", ["1,5", "12,34", "0,123", "about 5", "1.2.3", "1,2345"])
def test_what_may_mean_two_things_is_no_number(text):
    assert parse_numbers(pd.Series([text]))[1][0]


@pytest.mark.parametrize(
    ("text", "number"), [("0,123", 0.123), ("1.23.456,7", 123456.7), ("1.234", 1234), ("1,234", 1.234), ("-5", -5)]
)
def test_where_commas_are_said_to_be_decimal_points_group(text, number):
    parsed, wrong = parse_numbers(pd.Series([text]), decimal=",")
    assert parsed[0] == pytest.approx(number) and not wrong[0]


@pytest.mark.parametrize(
    ("table", "meaning"),
    [
        ('Goa,North Goa,"1,234"\nGoa,South Goa,"0,123"\n', "'1,234', which may mean 1.234 or 1234; "),
        ("Goa;North Goa;1,234\nGoa;South Goa;2,345\n", "'1,234', which may mean 1.234 or 1234; "),
        ('Goa,North Goa,"12,5"\n', "'12,5', which may mean 12.5; "),
    ],
)
def test_a_comma_that_may_be_decimal_is_refused_until_the_user_says_what_it_is(tmp_path, table, meaning):
    header = "state;district;chemicals\n" if ";" in table else "state,district,chemicals\n"
    path = csv(tmp_path, header + table)
    (fault,) = faults(path)
    assert f"row 2: chemicals is {meaning}" in fault and "add decimal = ','" in fault
    first = values(read(path, decimal=","))["goa/north-goa"][0]
    assert first == float(meaning.split("'")[1].replace(",", "."))


def test_a_workbook_keeps_its_own_numbers_where_commas_are_decimal(tmp_path):
    """A number typed as one is a number; only texts are read by the mark that the user names."""
    book = openpyxl.Workbook()
    for row in (["state", "district", "chemicals"], ["Goa", "North Goa", 1.234], ["Goa", "South Goa", "1,234"]):
        book.active.append(row)
    book.save(tmp_path / "x.xlsx")
    assert [row[0] for row in values(read(tmp_path / "x.xlsx", decimal=",")).values()] == [1.234, 1.234]


# -- sheets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_is_the_same_in_any_encoding(tmp_path, encoding):
    path = tmp_path / "x.csv"
    path.write_bytes("State,District\nGoa,Perném\n".encode(encoding))
    sheet = read_sheet(path, ["State", "District"])
    assert sheet.cells.loc[2].tolist() == ["Goa", "Perném"]
    assert bool(sheet.notes) == (encoding == "cp1252")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_is_the_one_that_shows_the_columns(tmp_path, delimiter):
    text = ACROSS.replace(",", delimiter).replace("10", '"1,23,456"')
    assert values(read(csv(tmp_path, text), columns=COLUMNS))["goa/north-goa"][0] == 123456


def test_titles_notes_and_totals_are_left_out_and_listed(tmp_path):
    text = (
        "District-wise exports 2024-25,,,,\n(US$ million),,,,\n,,,,\n"
        + ACROSS.replace("North Goa", "North Goa*")
        + "TOTAL,,40,60,0.5\n* provisional,,,,\nSource: own,,,,\n"
    )
    found = read(csv(tmp_path, text), columns=COLUMNS)
    assert values(found) == RIGHT
    notes = "\n".join(found.notes)
    assert "row 8 is a note, not data: '* provisional'" in notes and "Source: own" in notes
    assert "1 rows of totals" in notes and "1 blank values count as 0" in notes


@pytest.mark.parametrize(
    ("rows", "row"),
    [
        ('Goa,"North Goa,1\nGoa,South Goa,2\n', 2),  # to the end of the file
        ('Goa,South Goa,2\nGoa,"North Goa,1', 3),  # in the last row
        ('Goa,"North Goa,1\nGoa,"South Goa",2\n', 2),  # to the next quote
        ('Goa,South Goa,2\nGoa,"North Goa,1\nMaharashtra,Pune",3\nGoa,North Goa,4\n', 3),  # a row that looks whole
    ],
)
def test_a_quote_that_swallows_rows_is_told_by_its_line(tmp_path, rows, row):
    (fault,) = faults(csv(tmp_path, "state,district,chemicals\n" + rows))
    assert f"row {row}: a double quote" in fault and "close it" in fault


def test_a_cell_of_several_lines_in_quotes_is_one_cell(tmp_path):
    text = 'state,district,"chemicals\n(US$ million)",remarks\nGoa,North Goa,1,"a, b\nand c"\n\nGoa,South Goa,x,\n'
    (fault,) = faults(csv(tmp_path, text), sector_names={"chemicals (US$ million)": "chemicals"})
    assert "row 6: chemicals" in fault, "rows are counted as an editor shows lines"


def test_rows_of_a_workbook_are_counted_as_the_workbook_shows_them(tmp_path):
    book = openpyxl.Workbook()
    for row in ([], ["state", "district", "chemicals"], [], ["Goa", "North\nGoa", 1], ["Goa", "South Goa", "x"]):
        book.active.append(row)
    book.save(tmp_path / "x.xlsx")
    assert "row 5: chemicals is 'x'" in faults(tmp_path / "x.xlsx")[0]
    pd.DataFrame({"state": ["Goa"], "district": ["Margao"], "chemicals": ["x"]}).to_parquet(tmp_path / "x.parquet")
    assert "row 1: chemicals is 'x'" in faults(tmp_path / "x.parquet")[0], "a Parquet table has no row of names"


def test_a_stray_cell_in_the_last_corner_of_a_workbook_costs_nothing(tmp_path):
    """Reading every place up to it would mean 17,179,869,184 cells."""
    book = openpyxl.Workbook()
    for row in (["state", "district", "chemicals"], ["Goa", "North Goa", 1]):
        book.active.append(row)
    book.active["XFD1048576"] = "x"
    book.save(tmp_path / "x.xlsx")
    tracemalloc.start()
    found = read(tmp_path / "x.xlsx")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert values(found) == {"goa/north-goa": [1, 0, 0]} and peak < 50e6


@pytest.mark.parametrize("name", ["Total", "TOTAL:", "Goa Total", "State total", "कुल", "कुल योग"])
def test_a_total_beside_a_filled_state_is_no_district(tmp_path, name):
    text = f"state,district,chemicals\nGoa,North Goa,10\nGoa,South Goa,20\nGoa,{name},30\nMaharashtra,Pune,1\n"
    found = read(csv(tmp_path, text))
    assert found.table["chemicals_usd_million"].sum() == 31 and found.unplaced.empty


def test_a_total_of_a_state_that_is_not_the_sum_of_its_rows_is_told(tmp_path):
    text = "state,district,chemicals\nGoa,North Goa,10\nGoa,South Goa,20\nGoa,Total,33\nMaharashtra,Pune,1\n"
    (fault,) = faults(csv(tmp_path, text))
    assert "row 4: the total of Goa is 33, its rows add up to 30; correct the table" in fault
    assert read(csv(tmp_path, text.replace("33", "31"))).unplaced.empty, "the state of a sum of all was filled down"


def workbook(tmp_path: Path) -> Path:
    """A title, a header of two rows with merged cells, states written once over their districts."""
    book = openpyxl.Workbook()
    page = book.active
    page.append(["Exports 2024-25"])
    page.append(["Sl. No.", "State", "District", "US$ million", None, None])
    page.append([None, None, None, "Chemicals", "Textiles & Garments", "Food fresh"])
    page.append([1, "Goa", "North Goa", 10, 20, 0.5])
    page.append([2, None, "South Goa", "1,000.5", None, "-"])
    page.append([3, "Maharashtra", "Pune", 30, 40, None])
    for cells in ("A1:F1", "A2:A3", "B2:B3", "C2:C3", "D2:F2", "B4:B5"):
        page.merge_cells(cells)
    path = tmp_path / "exports.xlsx"
    book.save(path)
    return path


def test_an_excel_sheet_with_merged_headers_is_read(tmp_path):
    found = read(workbook(tmp_path), columns=COLUMNS)
    assert values(found) == RIGHT | {"goa/south-goa": [1000.5, 0, 0]}


def test_two_header_rows_of_a_csv_are_one(tmp_path):
    text = "State,District,US$ million,,\n,,Chemicals,Textiles & Garments,Food fresh\nGoa,North Goa,10,20,0.5\n"
    assert values(read(csv(tmp_path, text), columns=COLUMNS)) == {"goa/north-goa": [10, 20, 0.5]}


def test_of_several_sheets_one_must_be_named(tmp_path):
    path = workbook(tmp_path)
    book = openpyxl.load_workbook(path)
    second = book.create_sheet("Notes")
    second.append(["a"])
    second.append(["b"])
    book.save(path)
    assert faults(path, columns=COLUMNS) == [f"{path}: has the sheets Sheet, Notes; say which with sheet = '...'"]
    assert values(read(path, columns=COLUMNS, sheet="Sheet"))["goa/north-goa"] == RIGHT["goa/north-goa"]


def test_parquet_is_read_as_any_table(tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"state": ["Goa"], "district": ["North Goa"], "chemicals": [12.0]}).to_parquet(path)
    assert values(read(path)) == {"goa/north-goa": [12, 0, 0]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.xls", b"old", "save it as .xlsx"),
        ("x.xlsx", b"<html>Please log in</html>", "not a readable Excel file"),
        ("x.parquet", b"no", "not a readable Parquet file"),
        ("x.csv", b"\x00\x01\x02", "not a CSV file"),
        ("x.csv", b"", "the table is empty"),
        ("x.csv", b"State,District,Chemicals\n", "no rows below the header"),
    ],
)
def test_what_is_no_table_is_told(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    assert [message in fault for fault in faults(path, columns=COLUMNS)] == [True]


# -- exports ----------------------------------------------------------------------------------------------------------


def test_sectors_across_and_down_give_the_same(tmp_path):
    down = (
        "State,District,Commodity,Value\nGoa,North Goa,Chemicals,10\n,North Goa,Textiles & Garments,20\n"
        ",North Goa,Food fresh,0.5\nMaharashtra,Pune,Chemicals,30\nMaharashtra,Pune,Textiles & Garments,40\n"
    )
    columns = COLUMNS | {"sector": "Commodity", "value": "Value"}
    found = read(csv(tmp_path, down), layout="down", columns=columns)
    assert values(found) == values(read(csv(tmp_path, ACROSS, "a.csv"), columns=COLUMNS)) == RIGHT
    assert any("state of 2 rows was blank" in note for note in found.notes)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("usd", 1e6), ("usd_thousand", 1e3), ("usd_million", 1), ("inr_crore", 8.0), ("inr_lakh", 800.0), ("inr", 8e7)],
)
def test_units_come_out_in_us_dollars(tmp_path, unit, factor):
    text = f"state,district,chemicals\nGoa,North Goa,{5 * factor}\n"  # at 80 rupees a dollar, 1 million is 8 crore
    assert values(read(csv(tmp_path, text), unit, inr_per_usd=80))["goa/north-goa"][0] == pytest.approx(5)


def test_names_are_placed_by_own_alias_then_as_they_stand_then_by_the_packs_alias_never_by_likeness(tmp_path):
    text = (
        "state,district,chemicals\nGoa,Panjim,1\nGoa,South  GOA,2\nMaharashtra,Poona,4\nMaharashtra,Sindhudurgh,8\n"
        "Maharashtra,Unspecified,16\nKerala,Kochi,32\nMaharastra,Pune,64\n"
    )
    own = load_own_aliases(
        csv(tmp_path, "state,name_in_source,district\nGoa,PANJIM,North Goa\nMaharashtra,Unspecified,\n", "alias.csv")
    )
    pack = pd.DataFrame({"state": ["Maharashtra"], "name_in_source": ["POONA"], "district": ["Pune"]})
    found = read(csv(tmp_path, text), own_aliases=own, pack_aliases=pack)
    assert {key: row[0] for key, row in values(found).items()} == {
        "goa/north-goa": 1, "goa/south-goa": 2, "maharashtra/pune": 4,
    }  # fmt: skip
    assert found.outside_usd_million == 32  # Kerala is elsewhere, no fault
    unplaced = found.unplaced.set_index("name_in_source")
    assert unplaced["export_usd_million"].to_dict() == {"Pune": 64, "Unspecified": 16, "Sindhudurgh": 8}
    assert unplaced["suggestions"].to_dict() == {"Pune": "Maharashtra", "Unspecified": "", "Sindhudurgh": "Sindhudurg"}
    assert unplaced["row"].to_dict() == {"Pune": 8, "Unspecified": 6, "Sindhudurgh": 5}
    assert "your alias table places it nowhere" in unplaced["reason"]["Unspecified"]


def test_districts_that_were_split_or_merged_add_up_and_are_listed(tmp_path):
    text = "state,district,chemicals\nGoa,Tiswadi,1\nGoa,North Goa,2\n"
    own = load_own_aliases(csv(tmp_path, "state,name_in_source,district\nGoa,Tiswadi,North Goa\n", "alias.csv"))
    found = read(csv(tmp_path, text), own_aliases=own)
    assert values(found)["goa/north-goa"][0] == 3
    assert found.merged.to_dict("records") == [{"district_id": "goa/north-goa", "names": "North Goa, Tiswadi"}]


def test_an_alias_that_leads_nowhere_or_is_there_twice_is_told(tmp_path):
    own = load_own_aliases(csv(tmp_path, "state,name_in_source,district\nGoa,Tiswadi,North  Gao\n", "alias.csv"))
    assert faults(csv(tmp_path, "state,district,chemicals\nGoa,Tiswadi,1\n"), own_aliases=own) == [
        "aliases: 'goa/north-gao' is no district of the area; correct the name"
    ]
    twice = csv(tmp_path, "state,name_in_source,district\nGoa,A,North Goa\nGOA,a,South Goa\n", "twice.csv")
    with pytest.raises(InputError, match="'a' of GOA is listed twice"):
        load_own_aliases(twice)


# -- the cost of a wrong table -----------------------------------------------------------------------------------------


def reference() -> pd.DataFrame:
    """What the pack says the same districts export: US$ 150 million."""
    table = DISTRICTS.head(2).copy()
    return table.assign(chemicals_usd_million=[100.0, 50.0])


def test_a_table_off_by_a_thousand_is_told_from_its_own_total(tmp_path):
    path = csv(tmp_path, ACROSS + "Grand Total,,0.04,0.06,0.0005\n")
    (fault,) = faults(path, columns=COLUMNS)
    assert "row 4: the rows add up to 100.5, the total says 0.1005, 1,000 times too much" in fault


def test_a_table_off_by_a_thousand_is_told_from_the_stated_total(tmp_path):
    (fault,) = faults(csv(tmp_path, ACROSS), columns=COLUMNS, total=0.1005)
    assert "100.5 usd_million, but total = 0.1005, 1,000 times too much: is the unit right?" in fault
    assert "correct unit, total or table" in fault
    assert values(read(csv(tmp_path, ACROSS), columns=COLUMNS, total=100.4)) == RIGHT  # rounded totals pass


def test_a_table_off_by_a_thousand_is_told_from_the_packs_exports(tmp_path):
    text = "state,district,chemicals\nGoa,North Goa,100000\nGoa,South Goa,50000\n"  # thousands given as millions
    (fault,) = faults(csv(tmp_path, text), reference=reference())
    assert "US$ 1.5e+05 million by this table and US$ 150 million by the pack, 1,000 times too much" in fault
    assert read(csv(tmp_path, text), "usd_thousand", reference=reference()).table["chemicals_usd_million"].sum() == 150
    # Stating the total confirms that exports have changed that much.
    assert read(csv(tmp_path, text), reference=reference(), total=150_000).table["chemicals_usd_million"].sum() == 150e3


def test_a_table_that_nothing_compares_with_must_still_be_plausible(tmp_path):
    (fault,) = faults(csv(tmp_path, "state,district,chemicals\nGoa,North Goa,123456789\n"))
    assert "hard to believe" in fault and "state the sum with total" in fault


def test_a_column_of_totals_that_disagrees_is_told(tmp_path):
    text = "state,district,chemicals,food_fresh,Total\nGoa,North Goa,1,2,3\nGoa,South Goa,1,2,30\n"
    (fault,) = faults(csv(tmp_path, text))
    assert "row 3: the sectors add up to 3, the column of totals says 30" in fault


def test_unknown_sectors_are_told_with_likely_ones_and_can_be_named(tmp_path):
    text = "state,district,Chemical products,Textile Garments\nGoa,North Goa,1,2\n"
    found = faults(csv(tmp_path, text))
    assert "sector 'Chemical products' is unknown (perhaps chemicals" in found[0]
    assert "sector 'Textile Garments' is unknown (perhaps textiles_garments" in found[1]
    named = read(csv(tmp_path, text), sector_names={"chemical products": "chemicals", "Textile Garments": ""})
    assert values(named) == {"goa/north-goa": [1, 0, 0]}
    assert "'drugs' is no sector" in faults(csv(tmp_path, text), sector_names={"Chemical products": "drugs"})[0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("Goa,North Goa,-5", "row 2: North Goa: chemicals is -5; exports cannot be negative"),
        ("Goa,North Goa,12 tons", "row 2: chemicals is '12 tons'; write a number"),
        ("Goa,North Goa,1\nGoa,NORTH GOA,2", "row 3: rows 2 and 3 are both 'NORTH GOA' of Goa; merge them"),
        ("Goa,,5\nGoa,North Goa,1", "row 2: values but no district"),
        ("Goa,North Goa,1,23,456.7", "row 2: more cells than the header's 3; put numbers"),
        ("Kerala,Kochi,5", "not one row names a district of the area"),
    ],
)
def test_a_wrong_row_is_told(tmp_path, rows, message):
    (fault,) = faults(csv(tmp_path, f"state,district,chemicals\n{rows}\n"))
    assert message in fault


def test_missing_and_doubled_columns_are_told(tmp_path):
    (fault,) = faults(csv(tmp_path, "STATE NAME,Districts,chemicals\nGoa,North Goa,1\n"), state="Goa")
    assert "no column 'district'; perhaps 'Districts'" in fault
    (fault,) = faults(csv(tmp_path, "state,district,chemicals,Chemicals\nGoa,North Goa,1,2\n"))
    assert "column 'chemicals' is there more than once" in fault

"""The workbook says what the files of a result say, as numbers where these are numbers, and holds no formula."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from geodata.folders import MANIFEST, changed_files
from siting.model.model import Model
from siting.plan import make_plan
from siting.report.workbook import write_scenario_workbook, write_workbook
from siting.results.read import PlanFolder, open_result
from siting.results.scenarios import scenario_table
from siting.rule_prices import with_rule_prices
from siting.run import Asked, Log, run_study, write_result
from siting.study import Study

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
HOSTILE = '=HYPERLINK("http://example.org","x")'


@pytest.fixture(scope="module")
def result(tiny_model: Model, tmp_path_factory: pytest.TempPathFactory) -> PlanFolder:
    """Of a study with a rule, whose name is a formula."""
    folder = tmp_path_factory.mktemp("workbook") / "result"
    folder.mkdir()
    rules = ({"rule": "sites", "name": HOSTILE, "at_most": 3},)
    plan = with_rule_prices(make_plan(tiny_model, name=HOSTILE, rules=rules))
    assert write_result(plan, folder, lambda stage: None, report=False, xlsx=True) == []
    return open_result(folder)


@pytest.fixture(scope="module")
def book(result: PlanFolder) -> Any:
    return openpyxl.load_workbook(result.path / "report.xlsx")


def rows(sheet: Any) -> list[dict[str, Any]]:
    """Rows of a sheet by their headings."""
    head, *body = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in body]


def test_sheets_hold_what_the_files_hold(result: PlanFolder, book: Any) -> None:
    assert book.sheetnames == ["Summary", "Sites", "Districts", "Assumptions", "Rules"]
    told = {row["What"]: row["Value"] for row in rows(book["Summary"])}
    assert told["Net saving"] == pytest.approx(result.summary["saving_inr_per_year"] / 1e7)
    assert told["Budget"] == 60.0 and told["Fingerprint"] == result.summary["fingerprint"]
    sites = rows(book["Sites"])
    assert [row["Option"] for row in sites] == result.sites["option_id"].tolist() and sites
    assert [row["Capital, ₹ crore"] for row in sites] == pytest.approx(result.sites["capex_inr_crore"].tolist())
    districts = rows(book["Districts"])
    assert len(districts) == len(result.districts)
    saved = [row["Saving, ₹ crore a year"] for row in districts]
    assert saved == sorted(saved, reverse=True)
    assert sum(saved) == pytest.approx(result.districts["saving_inr_per_year"].sum() / 1e7)
    (rule,) = rows(book["Rules"])
    assert rule["At most"] == 3 and rule["The plan comes to"] <= 3


def test_every_assumption_has_value_range_and_source(result: PlanFolder, book: Any) -> None:
    assumptions = {row["Key"]: row for row in rows(book["Assumptions"])}
    assert {key: row["Value"] for key, row in assumptions.items()} == result.summary["resolved_study"]["parameters"]
    assert all(row["Source"] and row["Low"] <= row["High"] for row in assumptions.values())
    replaced = {key for key, row in assumptions.items() if row["Replaced by the study"] == "yes"}
    assert replaced == {"freight_station_min_teu_per_year", "inland_depot_min_teu_per_year"}


def test_numbers_are_numbers_and_no_text_is_a_formula_or_a_link(book: Any) -> None:
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s", "n"}
    assert all(cell.hyperlink is None for cell in cells)
    hostile = [cell for cell in cells if cell.value == HOSTILE]
    assert len(hostile) == 2 and all(cell.quotePrefix for cell in hostile)
    money = next(cell for cell in book["Sites"][2] if cell.column_letter == "F")
    assert money.number_format.startswith("[>=10000000]##\\,##\\,##\\,##0.00;[>=100000]##\\,##\\,##0.00")


def test_headings_stay_in_sight_and_columns_are_wide_enough(book: Any) -> None:
    for sheet in book:
        assert sheet.freeze_panes == "B2" and sheet.auto_filter.ref is not None
        assert sheet.print_title_rows == "$1:$1" and sheet.page_setup.orientation == "landscape"
        for k, cell in enumerate(sheet[1]):
            width = sheet.column_dimensions[openpyxl.utils.get_column_letter(k + 1)].width
            assert width >= max(map(len, str(cell.value).split())), (sheet.title, cell.value)


def test_the_same_result_is_the_same_workbook(result: PlanFolder, tmp_path: Path) -> None:
    write_workbook(result, tmp_path / "again.xlsx")
    assert (tmp_path / "again.xlsx").read_bytes() == (result.path / "report.xlsx").read_bytes()


def test_a_run_that_asks_for_it_knows_it_by_checksum(tiny_study: Study, tmp_path: Path) -> None:
    run_study(tiny_study, tmp_path / "out", Log(True, 5), asked=Asked(xlsx=True))
    assert '"report.xlsx"' in (tmp_path / "out" / MANIFEST).read_text(encoding="utf-8")
    (tmp_path / "out" / "report.xlsx").write_bytes(b"other")
    assert "report.xlsx" in changed_files(tmp_path / "out")


def test_scenarios_are_a_workbook_with_what_each_asks_and_why_some_have_no_plan(
    tiny_study: Study, tmp_path: Path
) -> None:
    told = [
        {"scenario": "one", "folder": "one", "status": "optimal", "budget_inr_crore": 60.0, "saving_inr_per_year": 5e7,
         "fingerprint": "f", "warehouses": 2},
        {"scenario": "two", "folder": "two", "status": "infeasible", "message": "no plan fits"},
    ]  # fmt: skip
    study = replace(tiny_study, parameters={}).resolved()
    write_scenario_workbook(scenario_table(told, []), ["", "Budget ₹1 crore"], study, tmp_path / "s.xlsx")
    book = openpyxl.load_workbook(tmp_path / "s.xlsx")
    one, two = rows(book["Scenarios"])
    assert one["Saving, ₹ crore a year"] == 5.0 and one["Warehouses"] == 2 and one["Why"] is None
    assert two["Why"] == "no plan fits" and two["What differs from the study"] == "Budget ₹1 crore"
    assert two["Saving, ₹ crore a year"] is None
    assert len(rows(book["Assumptions"])) == len(study["parameters"])


@pytest.mark.skipif(OFFICE is None, reason="no LibreOffice on this machine")
def test_libreoffice_opens_it(result: PlanFolder, tmp_path: Path) -> None:
    command = [str(OFFICE), "--headless", "--convert-to", "csv", "--outdir", str(tmp_path)]
    subprocess.run([*command, str(result.path / "report.xlsx")], check=True, capture_output=True, timeout=120)
    assert "Net saving" in (tmp_path / "report.csv").read_text(encoding="utf-8")

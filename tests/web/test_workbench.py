"""The workbench: every question is a dot on the frontier and a row that one sorts, compares and takes away."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Visit, needs_chromium

pytestmark = needs_chromium
PROVEN = "#work:has(#cancel[hidden]) #proof.proven"
SAVING = "td:nth-child(6)"


@pytest.fixture(scope="module")
def visit(chromium, asked) -> Iterator[Visit]:
    with chromium.visiting(asked, webgl=False) as visit:
        yield visit
        visit.assert_quiet()


def ask_budget(page, crore: int) -> None:
    page.fill("#budget-exact", str(crore))
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#scenarios tr:has-text('₹{crore}.0 crore'), #scenarios tr:has-text('₹{crore}.0 करोड़')",
                           timeout=60_000)  # fmt: skip


@pytest.fixture(scope="module")
def bench(visit):
    page = visit.open("/what-if?lang=en#plan=tiny&tab=bench")
    for budget in (10, 20, 30):
        ask_budget(page, budget)
    return page


def test_each_question_is_a_dot_and_a_row_with_its_figures(bench):
    assert bench.locator("#scenarios tbody tr").count() == 4  # the base too
    assert bench.locator("#frontier .point").count() == 4
    assert bench.locator("#frontier .point.chosen text").all_text_contents() == ["A", "B"]
    heads = bench.locator("#scenarios thead th").all_inner_texts()
    assert {"Budget", "Rules", "New sites", "Spent", "Saving a year", "Benefit–cost ratio", "Mean time"} <= set(heads)
    axes = bench.locator("#frontier .tick").all_text_contents()
    assert "Capital spent, ₹ crore" in axes and "Saving a year, ₹ crore" in axes and "0" in axes
    bench.focus("#frontier [aria-label*='each of its last crores']")
    assert "each of its last crores saves ₹" in bench.inner_text("#frontier .note")


def test_rows_are_sorted_by_any_figure(bench):
    bench.click("#scenarios thead button:has-text('Budget')")
    rising = bench.locator("#scenarios tbody tr td:nth-child(2)").all_inner_texts()
    bench.click("#scenarios thead button:has-text('Budget')")
    assert bench.locator("#scenarios tbody tr td:nth-child(2)").all_inner_texts() == rising[::-1]
    bench.click("#scenarios thead button:has-text('Budget')")


def test_the_table_is_exported_with_plain_numbers(bench):
    with bench.expect_download() as loading:
        bench.click("#export")
    text = Path(loading.value.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {float(row["budget_inr_crore"]) for row in rows} >= {10.0, 20.0, 30.0}
    by_budget = sorted(rows, key=lambda row: float(row["budget_inr_crore"]))
    savings = [float(row["saving_inr_per_year"]) for row in by_budget]
    assert savings == sorted(savings)  # more money never saves less


def test_a_row_is_compared_with_the_base_in_one_click(visit, bench):
    bench.locator("#scenarios tr:has-text('₹10.0 crore') a:has-text('Compare')").click()
    bench.wait_for_selector("html[data-ready=yes] #name-b strong")
    assert "/compare#" in bench.url and "b=run" in bench.url
    visit.open("/what-if?lang=en#plan=tiny&tab=bench")


def test_a_row_asks_its_question_again_and_stays_in_the_workbench(visit, bench):
    page = visit.open("/what-if?lang=en#plan=tiny&tab=bench")
    page.click("#scenarios tr:has-text('₹20.0 crore') th button")
    page.wait_for_selector("html[data-ready=yes] #budget-shown:has-text('₹20.0 crore')")
    assert "tab=bench" in page.url and page.is_visible("#tab-bench")
    page.wait_for_selector("#frontier .point.chosen >> nth=1")


def test_a_rule_is_told_and_stands_off_the_line(visit):
    page = visit.open("/what-if?lang=en#plan=tiny&tab=bench&forbid=warehouse%40madhya-pradesh%2Fd2")
    page.wait_for_selector("#scenarios tr:has-text('1 forbidden')", timeout=60_000)
    assert page.locator("#frontier .point.rules").count() == 1


def test_a_row_is_taken_off_for_good(visit, bench):
    page = visit.open("/what-if?lang=en#plan=tiny&tab=bench")
    page.wait_for_selector("#scenarios tr:has-text('₹30.0 crore')")
    page.click("#scenarios [aria-label='Take off: ₹30.0 crore']")
    assert page.locator("#scenarios tr:has-text('₹30.0 crore')").count() == 0
    page = visit.open("/what-if?lang=en#plan=tiny&tab=bench")
    page.wait_for_selector("#scenarios tr:has-text('₹20.0 crore')")
    assert page.locator("#scenarios tr:has-text('₹30.0 crore')").count() == 0


def test_the_workbench_speaks_hindi(visit, bench):
    page = visit.open("/what-if?lang=hi#plan=tiny&tab=bench")
    page.wait_for_selector("#scenarios tr:has-text('₹20.0 करोड़')")
    assert "परिदृश्य" in page.inner_text("#scenarios thead")
    assert "₹ करोड़" in page.locator("#frontier .tick").last.text_content()


def test_one_browser_does_not_see_the_questions_of_another(chromium, asked, bench):
    with chromium.visiting(asked, webgl=False) as other:
        page = other.open("/what-if?lang=en#plan=tiny&tab=bench")
        page.wait_for_selector("#scenarios tbody tr")
        assert page.locator("#scenarios tbody tr").count() == 1

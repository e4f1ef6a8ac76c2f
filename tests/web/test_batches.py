"""Scenario batches of the command line are rows of the workbench."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest
from browser import needs_chromium

from siting.results.cells import csv_text
from siting.results.scenarios import plan_row, scenario_table
from web.app import create_app


@pytest.fixture
def root(solved: Path, tmp_path: Path) -> Path:
    """The solved study, and a batch of a scenario with a plan and one without."""
    import json

    import pandas as pd

    copytree(solved, tmp_path, dirs_exist_ok=True)
    batch = tmp_path / "results" / "trials"
    copytree(solved / "results" / "tiny", batch / "as-it-is")
    summary = json.loads((batch / "as-it-is" / "plan.json").read_text())
    told = {"scenario": "=as it is", "folder": "as-it-is", "status": "optimal", "budget_inr_crore": 60.0}
    rows = [
        told | plan_row(summary, pd.read_csv(batch / "as-it-is" / "sites.csv")),
        {"scenario": "too strict", "folder": "too-strict", "status": "infeasible", "message": "no plan",
         "budget_inr_crore": 60.0},
    ]  # fmt: skip
    (batch / "scenarios.csv").write_text(csv_text(scenario_table(rows, [])), encoding="utf-8")
    return tmp_path


def listed(root: Path) -> list[dict]:
    return create_app(root / "results", studies=root / "studies").test_client().get("/api/v1/batches").json["batches"]


def test_a_batch_tells_its_scenarios_with_those_that_have_no_plan(root):
    (batch,) = listed(root)
    rows = batch["rows"]
    assert batch["id"] == "trials"
    assert rows["scenario"] == ["=as it is", "too strict"]  # without the sign that keeps spreadsheets from running it
    assert rows["plan"] == ["trials~as-it-is", None]
    assert rows["sites"] == [1.0, None]
    assert rows["mean_hours"][0] > 0 and rows["mean_hours"][1] is None


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"scenario\n" * 3, b"scenario,folder\nx\n", b"a" * 10_000])
def test_a_broken_batch_is_named_without_its_path(root, content):
    (root / "results" / "trials" / "scenarios.csv").write_bytes(content)
    (batch,) = listed(root)
    assert batch["id"] == "trials" and "rows" not in batch
    assert batch["problems"] and str(root) not in str(batch["problems"])


@needs_chromium
@pytest.mark.parametrize("lang", ["en", "hi"])
def test_a_batch_is_opened_in_the_workbench(chromium, root, lang):
    app = create_app(root / "results", studies=root / "studies")
    try:
        with chromium.visiting(app, webgl=False) as visit:
            page = visit.open(f"/what-if?lang={lang}#plan=tiny&tab=bench")
            page.wait_for_selector("#scenarios tbody tr")
            assert page.locator("#scenarios tbody tr").count() == 1
            page.select_option("#batch", "trials")
            page.wait_for_selector("#scenarios tbody tr:has-text('too strict')")
            assert page.locator("#scenarios tbody tr").count() == 3
            assert page.locator("#frontier .point.batch").count() == 1  # one has no plan
            assert "batch=trials" in page.url
            page.click("#scenarios tr:has-text('as it is') td a")
            page.wait_for_selector("html[data-ready=yes] #name-b strong")
            assert "b=trials" in page.url
            page = visit.open(f"/what-if?lang={lang}#plan=tiny&tab=bench&batch=trials")
            page.click("#scenarios tr:has-text('as it is') th button")
            page.wait_for_selector("#brief .sentence")
            assert "plan=trials" in page.url
            visit.assert_quiet()
    finally:
        app.extensions["pool"].close()

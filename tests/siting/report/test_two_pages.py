"""The brief: two A4 pages in either language, whatever the plan, that say what the files of the result say."""

from __future__ import annotations

import copy
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.pack import Pack
from siting.cli import build_parser, run_command
from siting.districts.words import Words
from siting.model.model import Model
from siting.plan import make_plan
from siting.report.brief import Brief
from siting.results.read import AnswerFolder, PlanTables, open_result
from siting.results.tables import write_answer
from siting.scenarios.draws import evaluate_draws
from siting.study import Study, study_text

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DAY = date(2026, 1, 31)
BOTH = pytest.mark.parametrize("language", ["en", "hi"])


@pytest.fixture(scope="module")
def plan(free_model: Model, tmp_path_factory: pytest.TempPathFactory) -> PlanTables:
    """With draws, of a study whose sites do not all repay."""
    folder = tmp_path_factory.mktemp("brief")
    made = make_plan(free_model)
    write_answer(replace(made, certainty=evaluate_draws(made, 4)), folder)
    return AnswerFolder("brief", folder, 0, free_model.pack)


@pytest.fixture(scope="module")
def pack(free_model: Model) -> Pack:
    return free_model.pack


def html(plan: PlanTables, pack: Pack, language: str) -> str:
    return Brief(plan, pack, Words(language), DAY).html()


def words_of(page: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL).split())


def crowded(plan: PlanTables) -> PlanTables:
    """The same with as much to tell as there can be: long names, all parameters replaced, rules, dozens of sites."""
    full = copy.copy(plan)
    name = "The study of a very long name that somebody gave it on a long afternoon " * 5
    sites = pd.concat([plan.sites] * 40, ignore_index=True).assign(
        name="Thiruvananthapuram (Neyyattinkara East)", place_id="nowhere", state="Dadra and Nagar Haveli and Daman",
        recovers_capital=False, facility_type="mmlp", tier="announced", repays_share=0.123, chosen_share=0.95,
        capex_inr_crore=np.arange(40 * len(plan.sites)) + 12_345.6, saving_inr_per_year=1.234e11,
    )  # fmt: skip
    study = plan.summary["resolved_study"]
    rule = {"name": name, "unit": "t", "reached": 123456789.0, "price_inr_per_year": 1e11}
    draws = plan.summary["draws"]
    vars(full).update(
        sites=sites,
        districts=plan.districts.assign(
            state=[f"Dadra and Nagar Haveli and Daman {k}" for k in range(len(plan.districts))],
            saving_inr_per_year=np.linspace(1e11, 2e11, len(plan.districts)), under_utilised=True,
        ),
        summary={
            **plan.summary, "study": name, "rules": [rule] * 9, "saving_inr_per_year": 1.234e12,
            "draws": {**draws, "saving": draws["own_saving"]},
            "resolved_study": {**study, "parameters": {k: 1.5 * v + 1 for k, v in study["parameters"].items()}},
        },
    )  # fmt: skip
    return full


@BOTH
def test_it_says_what_the_files_say(plan: PlanTables, pack: Pack, language: str) -> None:
    text, s, words = words_of(html(plan, pack, language)), plan.summary, Words(language)
    for value in (s["saving_inr_per_year"], 1e7 * s["capex_inr_crore"], s["draws"]["own_saving"]["low_inr_per_year"]):
        assert words.crore(value) in text
    losing = s["not_recovering_capital"]
    assert losing["sites"] > 0 and words.crore(1e7 * losing["capex_inr_crore"]) in text
    assert s["fingerprint"] in text and "31-01-2026" in text
    assert plan.sites["name"].iloc[0] in text
    slack = s["gap_of_saving"] * s["saving_inr_per_year"]
    assert words.crore(slack) in text
    assert ("कितना पक्का" in text) == (language == "hi") and ("How sure" in text) == (language == "en")


def test_assumptions_that_the_study_replaces_come_first(plan: PlanTables, pack: Pack) -> None:
    told = Brief(plan, pack, Words("en"), DAY).assumptions
    assert [row["changed"] for row in told[:3]] == [True, True, False]
    assert all(row["source"] for row in told)


@BOTH
def test_it_asks_nothing_of_anyone_and_escapes_names(plan: PlanTables, pack: Pack, language: str) -> None:
    bad = copy.copy(plan)
    vars(bad).update(summary={**plan.summary, "study": "<script>alert(1)</script>"}, sites=plan.sites,
                     districts=plan.districts)  # fmt: skip
    page = html(bad, pack, language)
    assert "<script" not in page and "&lt;script&gt;" in page
    assert not re.search(r'(?:src|href)="', page)


def test_nothing_built_is_told_as_that(tiny_model: Model, tmp_path: Path) -> None:
    write_answer(make_plan(tiny_model, budget_inr_crore=0.0), tmp_path)
    page = html(AnswerFolder("none", tmp_path, 0, tiny_model.pack), tiny_model.pack, "en")
    assert "nothing is built and nothing is saved" in words_of(page)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@BOTH
def test_it_prints_on_exactly_two_pages_that_cut_nothing_off(plan: PlanTables, pack: Pack, language: str) -> None:
    pytest.importorskip("playwright.sync_api")
    pages = [html(told, pack, language) for told in (plan, crowded(plan))]
    with ThreadPoolExecutor(1) as other:  # a thread that drives a browser already, of other tests, drives no second one
        printed = other.submit(_printed, pages).result()
    for room, pdf in printed:
        assert len(room) == 2 and all(left >= 0 for sheet in room for left in sheet), room
        assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 2
        assert re.search(rb"/MediaBox\s*\[\s*0 0 59[45](?:\.\d+)? 84[12]", pdf), "A4"


def _printed(pages: list[str]) -> list[tuple[list[list[float]], bytes]]:
    """The room left on the sheets of each page, and its PDF."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.emulate_media(media="print")
        printed = []
        for told in pages:
            page.set_content(told)
            printed.append((page.evaluate(_ROOM), page.pdf(prefer_css_page_size=True)))
        browser.close()
    return printed


_ROOM = """() => [...document.querySelectorAll(".sheet")].map((sheet) => {
  const footer = sheet.querySelector("footer").getBoundingClientRect(), box = sheet.getBoundingClientRect();
  const inner = [...sheet.querySelectorAll(":scope > :not(footer) *")].filter((e) => !e.closest("svg"));
  const wide = Math.max(...inner.map((e) => e.getBoundingClientRect().right));
  const last = Math.max(...inner.map((e) => e.getBoundingClientRect().bottom));
  return [footer.top - last, box.bottom - footer.bottom, box.right - wide].map((left) => left + 0.5);
})"""
"""Pixels between what a page holds and where its footer or its edge begins."""


def test_the_command_writes_it_beside_the_result(
    free_study: Study, free_model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from siting.run import write_result

    (tmp_path / "study.toml").write_text(study_text(free_study, tmp_path), encoding="utf-8")
    (tmp_path / "out").mkdir()
    assert write_result(make_plan(free_model), tmp_path / "out", lambda stage: None) == []
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for name in ("brief.html", "brief.hi.html"):
        assert f'href="{name}"' in report and (tmp_path / "out" / name).is_file()
    parser, _ = build_parser()
    asked = ["brief", str(tmp_path / "out"), "--study", str(tmp_path / "study.toml")]
    assert run_command(parser, [*asked, "--language", "hi"]) == 0
    assert "out-brief.hi.html" in capsys.readouterr().out
    assert "कितना पक्का" in (tmp_path / "out-brief.hi.html").read_text(encoding="utf-8")
    assert open_result(tmp_path / "out").summary["study"] == free_study.name

"""Rules of a study are switches of What if, each with its price."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest
from browser import needs_chromium

from geodata.errors import InputError
from siting.model.model import Model
from siting.model.names import gateways_of, names_of
from siting.plan import make_plan
from siting.rule_prices import with_rule_prices
from siting.run import write_result
from siting.study import Study, study_text
from web.app import create_app
from web.runs.questions import ask

RULES = [{"rule": "sites", "at_least": 3, "name": "Three sites"}, {"rule": "sites", "at_most": 5}]


@pytest.fixture(scope="module")
def ruled(tiny_study: Study) -> Study:
    return tiny_study.with_changes(rules=RULES)


def question(study: Study, model: Model, off):
    names = names_of(model.options, gateways_of(model.pack))
    return ask({"study": "tiny"}, study, {"rules_off": off}, 1e-4, names)


def test_a_question_leaves_out_the_rules_it_names(ruled, tiny_model):
    assert [rule["rule"] for rule in question(ruled, tiny_model, []).values["rules"]] == ["sites", "sites"]
    kept = question(ruled, tiny_model, ["Three sites"])
    assert kept.values["rules"] == [{"rule": "sites", "at_most": 5}]
    assert kept.changes == {"rules_off": ["Three sites"]}
    assert kept.study.rules == ({"rule": "sites", "at_most": 5},)
    assert question(ruled, tiny_model, ["Sites"]).values["rules"] == [
        RULES[0]
    ]  # by the name it is given where it has none


@pytest.mark.parametrize("off", [["Four sites"], "Three sites", [1], 7])
def test_what_is_no_rule_of_the_study_is_refused(ruled, tiny_model, off):
    with pytest.raises(InputError, match="rules_off"):
        question(ruled, tiny_model, off)


@needs_chromium
@pytest.mark.parametrize("lang", ["en", "hi"])
def test_a_rule_is_switched_off_and_on_with_its_price_beside_it(chromium, solved, ruled, tiny_model, tmp_path, lang):
    copytree(solved, tmp_path, dirs_exist_ok=True)
    (tmp_path / "studies" / "ruled.toml").write_text(study_text(ruled, tmp_path / "studies"), encoding="utf-8")
    folder = Path(tmp_path / "results" / "ruled")
    folder.mkdir()
    write_result(with_rule_prices(make_plan(tiny_model, rules=ruled.rules), None), folder, lambda stage: None)
    app = create_app(tmp_path / "results", studies=tmp_path / "studies")
    try:
        with chromium.visiting(app, webgl=False) as visit:
            page = visit.open(f"/what-if?lang={lang}#plan=ruled")
            rule = page.locator("#rules li:has-text('Three sites')")
            assert "₹" in rule.locator(".amount").inner_text()
            rule.locator("input").uncheck()
            page.wait_for_selector("#changes li:has-text('Three sites')")
            page.wait_for_selector("#work:has(#cancel[hidden]) #proof.proven", timeout=60_000)
            page.wait_for_selector("#age", state="hidden")
            sites = page.locator("#figures dd strong").nth(2)
            assert int(sites.inner_text()) < 3  # what does not pay is not built any more
            rule.locator("input").check()
            page.wait_for_function("() => !location.hash.includes('run=')")
            assert sites.inner_text() == "3"
            visit.assert_quiet()
    finally:
        app.extensions["pool"].close()

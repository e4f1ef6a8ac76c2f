"""Levers of a study are switches of What if, each with what it does to the plan."""

from __future__ import annotations

from shutil import copytree

import pytest
from browser import needs_chromium

from geodata.errors import InputError
from siting.model.model import Model
from siting.model.names import gateways_of, names_of
from siting.plan import Plan
from siting.scenarios.lever_list import levers_of
from siting.scenarios.levers import lever_table
from siting.study import Study
from web.app import create_app
from web.runs.levers import plain_levers, with_levers
from web.runs.questions import ask, plain_values


@pytest.fixture(scope="module")
def levers(tiny_model: Model):
    return {lever["key"]: lever for lever in plain_levers(tiny_model)}


def question(study: Study, model: Model, known, **changes):
    names = names_of(model.options, gateways_of(model.pack))
    return ask({"study": "tiny"}, study, changes, 1e-4, names, known)


def test_a_question_asks_the_study_that_the_lever_makes(tiny_study, tiny_model, levers):
    asked = question(tiny_study, tiny_model, list(levers.values()), levers=["digital_customs"])
    wanted = next(one for one in levers_of(tiny_model) if one.key == "digital_customs").variant.of(tiny_study)
    assert asked.study.parameter_values() == wanted.parameter_values()
    assert asked.changes == {"levers": ["digital_customs"]}
    assert asked.model_key != question(tiny_study, tiny_model, list(levers.values())).model_key


def test_a_question_without_levers_is_the_study_as_it_was(tiny_study, tiny_model, levers):
    asked = question(tiny_study, tiny_model, list(levers.values()), levers=[], budget_inr_crore=5.0)
    assert asked.values == {**plain_values(tiny_study), "budget_inr_crore": 5.0, "gap": 1e-4}


def test_of_two_levers_lists_are_united_and_parameters_are_both_set(tiny_study, levers):
    own = plain_values(tiny_study)
    both = with_levers(own, own, [levers["only_warehouses"], levers["only_cold_stores"], levers["export_credit"]])
    assert both["facility_types"] == ["warehouse", "cold_store"]
    assert "export_credit_subvention" in both["parameters"]
    assert own["parameters"] == plain_values(tiny_study)["parameters"]


def test_what_is_asked_beside_a_lever_stands(tiny_study):
    own = plain_values(tiny_study) | {"rules": [{"rule": "sites", "at_most": 5}]}
    cap = {"rule": "carbon", "at_most_share": 0.95}
    lever = {"changes": {"budget_inr_crore": 900.0, "rules": [cap], "closed_gateways": ["INX"]}, "parameters": {}}
    assert with_levers(own, own, [lever])["budget_inr_crore"] == 900.0
    asked = with_levers(own, {**own, "budget_inr_crore": 7.0, "closed_gateways": ["INY"]}, [lever])
    assert asked["budget_inr_crore"] == 7.0
    assert asked["rules"] == [{"rule": "sites", "at_most": 5}, cap]
    assert asked["closed_gateways"] == ["INY", "INX"]


@pytest.mark.parametrize("pulled", [["wishing"], "digital_customs", [1], 7])
def test_what_is_no_lever_of_the_study_is_refused(tiny_study, tiny_model, levers, pulled):
    with pytest.raises(InputError, match="levers"):
        question(tiny_study, tiny_model, list(levers.values()), levers=pulled)


def test_a_lever_asked_before_the_model_is_known_is_told_to_wait(tiny_study, tiny_model):
    with pytest.raises(InputError, match="being built"):
        question(tiny_study, tiny_model, [], levers=["digital_customs"])


@needs_chromium
@pytest.mark.parametrize(
    ("lang", "name"), [("en", "Customs digitised"), pytest.param("hi", "सीमा शुल्क डिजिटल", marks=pytest.mark.slow)]
)
def test_a_lever_is_pulled_and_let_go_with_its_effect_beside_it(
    chromium, solved, tiny_plan: Plan, tmp_path, lang, name
):
    copytree(solved, tmp_path, dirs_exist_ok=True)
    asked = [lever for lever in levers_of(tiny_plan.model) if lever.key in ("digital_customs", "only_warehouses")]
    lever_table(tiny_plan, asked).to_csv(tmp_path / "results" / "tiny" / "levers.csv", index=False)
    app = create_app(tmp_path / "results", studies=tmp_path / "studies")
    try:
        with chromium.visiting(app, webgl=False) as visit:
            page = visit.open(f"/what-if?lang={lang}#plan=tiny")
            page.wait_for_selector("#lever-section:not([hidden])", timeout=60_000)
            page.click("#lever-section summary")
            lever = page.locator(f"#levers li:has-text('{name}')")
            assert lever.locator(".amount").inner_text().count("₹") == 2  # to the plan, and to all together
            assert page.locator("#levers li").count() > page.locator("#levers .amount").count() >= 2
            lever.locator("input").check()
            page.wait_for_selector(f"#changes li:has-text('{name}')")
            page.wait_for_selector("#work:has(#cancel[hidden]) #proof.proven", timeout=60_000)
            page.wait_for_selector("#age", state="hidden")
            lever.locator("input").uncheck()
            page.wait_for_function("() => !location.hash.includes('run=')")
            visit.assert_quiet()
    finally:
        app.extensions["pool"].close()

"""What the answer is with each choice of structure switched back."""

import pandas as pd
import pytest

from siting.model.model import build_model
from siting.parameters import load_parameters
from siting.plan import make_plan
from siting.report.structure import structure_rows
from siting.run import Asked, Log, run_study
from siting.scenarios.structure import AS_IT_IS, CHOICES, choices_of, structure_table
from siting.scenarios.variants import Variant, answer_variants, outline


@pytest.fixture(scope="module")
def table(tiny_plan):
    return structure_table(tiny_plan)


def test_the_first_row_is_the_plan_and_the_others_are_its_study_with_one_choice_switched_back(table, tiny_plan):
    asked = choices_of(tiny_plan.model.study)
    assert table["variant"].tolist() == [AS_IT_IS, *(choice.name for choice in asked)]
    assert table["saving_inr_per_year"].iloc[0] == tiny_plan.net_saving_inr_per_year
    for choice, saving in zip(asked, table["saving_inr_per_year"].iloc[1:], strict=True):
        alone = make_plan(build_model(choice.of(tiny_plan.model.study)))
        assert saving == pytest.approx(alone.net_saving_inr_per_year, rel=1e-9), choice.name


def test_what_a_study_has_switched_back_already_is_not_asked_again(tiny_study):
    without = tiny_study.with_changes(capital_charge=False, parameters={"customs_staff_inr_crore_per_year": 0.0})
    gone = {choice.name for choice in CHOICES} - {choice.name for choice in choices_of(without)}
    assert gone == {"Capital costs nothing within the budget", "New sites need no customs staff"}
    small = [choice.name for choice in CHOICES if choice not in choices_of(tiny_study)]
    assert small == ["Customs serve a site however few its boxes"]


def test_trains_of_new_terminals_are_told_at_both_ends_of_their_range():
    row = load_parameters().rows["rail_trains_per_week"]
    asked = [choice.parameters.get("rail_trains_per_week") for choice in CHOICES]
    assert [trains for trains in asked if trains is not None] == [row.low, row.high]


def test_capital_is_told_by_the_year_even_where_it_is_not_charged(table):
    free = table.set_index("variant").loc[CHOICES[0].name]
    assert free["capex_inr_crore"] > 0
    assert free["capital_inr_per_year"] == pytest.approx(free["capex_inr_crore"] * 1e7 / 11.2578, rel=1e-4)


def test_a_variant_that_cannot_be_answered_says_why_and_stops_nothing(tiny_plan):
    asked = [Variant("shut", {"closed_gateways": ("INPRT",)}), Variant("as it is")]
    rows = answer_variants(tiny_plan, asked, outline)
    assert rows["status"].tolist() == ["failed", "optimal"]
    assert "all gateways are closed" in rows["message"].iloc[0]


def test_other_processes_answer_alike(table, tiny_plan):
    pd.testing.assert_frame_equal(structure_table(tiny_plan, workers=2), table)


def test_a_run_asked_for_it_writes_the_table_and_tells_it_in_the_report(tiny_study, tmp_path):
    run_study(tiny_study, tmp_path / "out", Log(True, 8), asked=Asked(structure=True))
    written = pd.read_csv(tmp_path / "out" / "structure.csv")
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert all(name in report for name in written["variant"])
    assert 'id="structure"' in report


def test_the_report_tells_times_of_the_plans_saving(table):
    rows = structure_rows(table)
    assert rows[0]["times"] == 1.0
    assert rows[1]["times"] == pytest.approx(
        table["saving_inr_per_year"].iloc[1] / table["saving_inr_per_year"].iloc[0]
    )

"""The two parts of a park's and a cargo terminal's capital through a whole plan: (50) to (52)."""

from __future__ import annotations

import numpy as np
import pytest

from siting.model.costs import appraisal_factor
from siting.model.model import Model, build_model
from siting.plan import Plan, make_plan
from siting.results.tables import lanes_table, sites_table
from siting.study import Study
from tests.conftest import NO_MINIMUM

CHARGED = ("cargo_terminal-standard@madhya-pradesh/d4", "mmlp-small@mmlp-east")


CHEAP_RAIL = {"rail_inr_per_t_km": 0.1, "rail_terminal_handling_inr_per_t": 10, "rail_terminal_dwell_h": 24}


@pytest.fixture(scope="module")
def plan(tiny_study: Study) -> Plan:
    """A cargo terminal with a warehouse beside it, and a park: all of them used, since trains cost next to nothing."""
    model = build_model(tiny_study.with_changes(parameters={**NO_MINIMUM, **CHEAP_RAIL}))
    return make_plan(model, budget_inr_crore=1e4, forced=(*CHARGED, "warehouse-small@madhya-pradesh/d4"))


def test_cargo_pays_at_the_first_handling_of_a_site_and_once(plan: Plan) -> None:
    lanes = lanes_table(plan)
    charge = sites_table(plan).set_index("option_id")["use_charge_inr_per_t"]
    paid = lanes[lanes["use_charge_inr_per_t"] > 0]
    assert set(paid["option_id"]) == set(CHARGED)
    assert (paid["mode"] == "handling").all()
    assert not paid.duplicated(["lane", "option_id"]).any()
    np.testing.assert_allclose(paid["use_charge_inr_per_t"], charge[paid["option_id"]])
    through = lanes[lanes["option_id"].isin(CHARGED)].drop_duplicates(["lane", "option_id"])
    assert len(through) == len(paid), "whoever uses a charged site pays"


def test_a_box_is_filled_in_the_warehouse_beside_a_cargo_terminal_and_pays_there_for_filling_alone(plan: Plan) -> None:
    lanes = lanes_table(plan)
    store, terminal = "warehouse-small@madhya-pradesh/d4", CHARGED[0]
    both = [lane for _, lane in lanes.groupby("lane") if {store, terminal} <= set(lane["option_id"])]
    assert both
    for lane in both:
        handled = lane[(lane["mode"] == "handling") & lane["option_id"].notna()]
        assert handled["option_id"].tolist() == [store, terminal]


def test_the_charges_of_all_lanes_are_those_of_the_sites(plan: Plan) -> None:
    lanes, opened = lanes_table(plan), plan.opened.set_index("option_id")
    counted = lanes[lanes["under_utilised"]]
    by_site = (counted["use_charge_inr_per_t"] * counted["tonnes_per_year"]).groupby(counted["option_id"]).sum()
    expected = opened["use_charge_inr_per_t"] * opened["counted_t_per_year"]
    np.testing.assert_allclose(by_site[list(CHARGED)], expected[list(CHARGED)], rtol=1e-6)


def test_capital_paid_by_the_tonne_counts_on_both_sides_of_the_appraisal_and_once(plan: Plan) -> None:
    factor = appraisal_factor(plan.model.parameters)
    due = plan.opened["due_capital_inr_crore"].sum()
    by_use = (plan.opened["use_capital_inr_per_t"] * plan.opened["counted_t_per_year"]).sum()
    assert by_use > 0
    assert plan.borne_capital_inr_crore == pytest.approx(due + by_use * factor / 1e7)
    assert plan.appraisal.net_present_value_inr == pytest.approx(plan.net_saving_inr_per_year * factor - due * 1e7)
    gain = (plan.net_saving_inr_per_year + by_use) * factor
    assert plan.appraisal.benefit_cost_ratio == pytest.approx(gain / (plan.borne_capital_inr_crore * 1e7))


def test_the_budget_counts_the_public_part(tiny_model: Model) -> None:
    options = tiny_model.options.set_index("option_id")
    terminal = options.loc[CHARGED[0]]
    assert terminal["capex_inr_crore"] == pytest.approx(0.2 * terminal["project_cost_inr_crore"])
    built = make_plan(tiny_model, budget_inr_crore=terminal["capex_inr_crore"] * 1.001, forced=CHARGED[:1])
    assert built.opened["option_id"].tolist() == [CHARGED[0]]

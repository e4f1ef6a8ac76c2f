"""The one-at-a-time table tells how the plan's own sites fare when one number changes."""

from dataclasses import replace

import pytest

from siting.model.model import build_model
from siting.parameters import Parameters
from siting.plan import make_plan
from siting.scenarios.sensitivity import _Operation, sensitivity


@pytest.fixture(scope="module")
def table(tiny_plan):
    return sensitivity(tiny_plan).set_index("key")


def test_every_parameter_has_a_row_sorted_by_swing(table, tiny_plan):
    assert set(table.index) == set(tiny_plan.model.parameters)
    assert table["swing"].is_monotonic_decreasing


def test_an_end_at_the_base_value_gives_the_plans_own_saving(table, tiny_plan):
    row = table.loc["carbon_price_inr_per_t_co2e"]
    assert row["low"] == row["value"]
    assert row["saving_low"] == pytest.approx(tiny_plan.net_saving_inr_per_year)
    assert row["ratio_low"] == pytest.approx(tiny_plan.appraisal.benefit_cost_ratio)


def test_dearer_part_loads_make_hubs_worth_more_and_dearer_sites_less(table):
    row = table.loc["truck_inr_per_t_km"]
    assert row["saving_low"] < row["saving_high"]
    row = table.loc["om_fraction_per_year"]
    assert row["saving_low"] > row["saving_high"]
    assert table.loc["discount_rate", "ratio_low"] > table.loc["discount_rate", "ratio_high"]
    assert table.loc["discount_rate", "swing"] == pytest.approx(0, abs=1)


@pytest.mark.parametrize("key", ["light_truck_inr_per_t_km", "rail_inr_per_t_km", "intra_district_detour"])
def test_it_agrees_with_solving_anew_with_the_same_sites(table, tiny_plan, key):
    study = tiny_plan.model.study
    changed = study.with_changes(parameters={key: table.loc[key, "high"]}, forced=tuple(tiny_plan.opened["option_id"]))
    again = make_plan(build_model(changed))
    if set(again.opened["option_id"]) == set(tiny_plan.opened["option_id"]):
        assert table.loc[key, "saving_high"] == pytest.approx(again.net_saving_inr_per_year, rel=0.01)
    else:  # the same sites and more: at least as good
        assert table.loc[key, "saving_high"] <= again.net_saving_inr_per_year * 1.0001


def test_a_site_that_grows_too_small_saves_by_its_room(free_model):
    """One warehouse not quite full: where stock turns too slowly it has room for three quarters of its cargo.

    Its 24 turns a year are given a low end that leaves 0.75 of what goes through it; the yearly cost stays.
    """
    plan = make_plan(free_model, budget_inr_crore=10.0)
    (site,) = plan.opened.itertuples()
    rows = {**free_model.parameters.rows}
    key = "stock_turns_per_year"
    rows[key] = replace(rows[key], low=24 * 0.75 * site.utilisation)
    narrow = replace(plan, model=replace(plan.model, parameters=Parameters(rows)))
    table = sensitivity(narrow).set_index("key")
    assert table.loc[key, "saving_low"] == pytest.approx(
        0.75 * site.saving_inr_per_year - site.fixed_cost_inr_per_year
    )  # fmt: skip
    assert table.loc[key, "saving_high"] == pytest.approx(plan.net_saving_inr_per_year)


def test_a_leader_counts_here_by_its_weight_too(tiny_study):
    """With room for all of its cargo, which a leader takes in full however little it counts."""
    roomy = {"stock_turns_per_year": 44.0}
    plan = make_plan(build_model(tiny_study.with_changes(leader_weight=0.5, budget_inr_crore=20.0, parameters=roomy)))
    assert (plan.opened["utilisation"] < 0.99).all()
    row = sensitivity(plan).set_index("key").loc["carbon_price_inr_per_t_co2e"]
    assert row["saving_low"] == pytest.approx(plan.net_saving_inr_per_year)


def test_a_leader_that_counts_half_takes_its_room_in_full(tiny_study):
    """Where a site is too small, sharing its room alike saves no more than the plan, which shares it best."""
    cheap = dict.fromkeys(("warehouse_running_inr_per_m2_year", "customs_staff_inr_crore_per_year"), 0.0)
    cheap["stock_turns_per_year"] = 16.0
    plan = make_plan(build_model(tiny_study.with_changes(leader_weight=0.5, budget_inr_crore=20.0, parameters=cheap)))
    assert plan.opened["utilisation"].max() == pytest.approx(1.0)
    row = sensitivity(plan).set_index("key").loc["carbon_price_inr_per_t_co2e"]
    assert row["saving_low"] <= plan.net_saving_inr_per_year * (1 + 1e-9)


def test_what_a_parameter_does_not_reach_is_not_made_anew(tiny_plan, monkeypatch):
    """Land makes sites dearer and leaves prices of lanes as they are; a rate of rail leaves demand and sites alone."""
    operation = _Operation(tiny_plan)
    made = []
    for step, build in operation.steps.items():
        monkeypatch.setitem(
            operation.steps, step, lambda p, before, step=step, build=build: made.append(step) or build(p, before)
        )
    operation.evaluate("industrial_land_inr_crore_per_acre", 4.0)
    assert made == ["options", "choice", "operation", "result"]
    made.clear()
    operation.evaluate("rail_inr_per_t_km", 2.3)
    assert made == ["tariff", "prices", "choice", "operation", "result"]
    made.clear()
    operation.evaluate("discount_rate", 0.06)
    assert made == ["options", "choice", "operation", "result"], "charges of use hold a part of the capital"
    made.clear()
    operation.evaluate("discount_rate", tiny_plan.model.parameters["discount_rate"])
    assert made == []


@pytest.mark.parametrize("key", ["mmlp_max_rail_km", "weak_access_rail_km", "rail_speed_main_km_h", "fx_inr_per_usd"])
def test_a_changed_parameter_gives_what_a_plan_made_at_its_value_gives(tiny_study, tiny_plan, key):
    """The evaluation at an end equals the base evaluation of the same sites in a model built at that end."""
    end = tiny_plan.model.parameters.rows[key].high
    there = build_model(tiny_study.with_changes(parameters={key: end}))
    plan = make_plan(there, forced=tuple(tiny_plan.opened["option_id"]), budget_inr_crore=tiny_plan.capex_inr_crore)
    assert set(plan.opened["option_id"]) == set(tiny_plan.opened["option_id"])
    assert _Operation(tiny_plan).evaluate(key, end) == pytest.approx(_Operation(plan).evaluate())

"""The one-at-a-time table tells how the plan's own sites fare when one number changes."""

import pytest

from siting.model.model import build_model
from siting.plan import make_plan
from siting.scenarios.sensitivity import sensitivity


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
    assert row["ratio_low"] == pytest.approx(tiny_plan.benefit_cost_ratio)


def test_dearer_part_loads_make_hubs_worth_more_and_dearer_sites_less(table):
    row = table.loc["part_load_line_haul_inr_per_t_km"]
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

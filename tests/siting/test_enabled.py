"""Exports that cheaper ways could enable: (95) and (96) by hand, beside the plan."""

import numpy as np
import pandas as pd
import pytest

from siting.enabled import enabled_exports
from siting.plan import Plan, make_plan
from siting.results.tables import summary

FX, ELASTICITY = 84.61, 4
INR_PER_T = {"textiles": 8500 * FX, "fruit": 900 * FX}
CLASS = {"textiles": "general", "fruit": "perishable"}


def saving(plan: Plan, district: int, cargo_class: str) -> float:
    """INR a tonne on the mean of full and part loads, lane by lane."""
    table = plan.client_table
    rows = table[(table["district"] == district) & (table["cargo_class"] == cargo_class)]
    before, after = ((rows[f"cost_inr_per_t_{when}"] * rows["tonnes_per_year"]).sum() for when in ("before", "after"))
    return float((before - after) / rows["tonnes_per_year"].sum())


@pytest.mark.parametrize("sector", ["textiles", "fruit"])
def test_a_sector_grows_by_what_its_value_becomes_cheaper(free_plan: Plan, sector: str) -> None:
    table = enabled_exports(free_plan)
    exports = free_plan.model.pack.exports.set_index("district_id")[f"{sector}_usd_million"] * 1e6
    rows = table[(table["sector"] == sector) & (table["district"] != "D9")]  # half of D9 leaves by land
    assert len(rows)
    for row in rows.itertuples():
        number = int(row.district.removeprefix("D"))
        cut = saving(free_plan, number, CLASS[sector]) / INR_PER_T[sector]
        assert row.export_usd == pytest.approx(exports[row.district_id])
        assert row.cost_cut == pytest.approx(cut)
        assert row.enabled_usd == pytest.approx(ELASTICITY * cut * exports[row.district_id])
        assert row.welfare_inr == pytest.approx(cut * row.enabled_usd * FX / 2)


def test_what_leaves_by_land_gains_nothing(tiny_plan: Plan) -> None:
    rows = enabled_exports(tiny_plan).query("district == 'D9' and sector == 'textiles'")
    usd = tiny_plan.model.pack.exports.set_index("district_id")["textiles_usd_million"]["madhya-pradesh/d9"] * 1e6
    assert rows.empty or rows["export_usd"].item() == pytest.approx(usd / 2)


def test_leaders_and_districts_without_a_road_gain_nothing(tiny_plan: Plan) -> None:
    gaining = set(enabled_exports(tiny_plan)["district"])
    assert gaining and not {"D0", "D11"} & gaining


def test_a_plan_that_builds_nothing_enables_nothing(tiny_model) -> None:
    nothing = make_plan(tiny_model, budget_inr_crore=0.0)
    assert enabled_exports(nothing).empty
    assert summary(nothing)["enabled"] == {"exports_usd_per_year": 0.0, "welfare_inr_per_year": 0.0}


def test_it_is_beside_the_plan_and_in_none_of_its_figures(tiny_plan: Plan) -> None:
    told, table = summary(tiny_plan), enabled_exports(tiny_plan)
    assert told["enabled"]["exports_usd_per_year"] == pytest.approx(table["enabled_usd"].sum())
    parts = ("taste_inr_per_year", "fixed_cost_inr_per_year", "capital_charge_inr_per_year")
    assert told["objective_inr"] == pytest.approx(told["after"]["cost_inr_per_year"] + sum(told[p] for p in parts))
    assert isinstance(table, pd.DataFrame) and np.isfinite(table["welfare_inr"]).all()

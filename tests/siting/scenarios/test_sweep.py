"""A sweep never loses what a smaller budget already gave."""

from __future__ import annotations

from typing import Any

import pytest

from siting.model.model import Model
from siting.plan import Plan, make_plan
from siting.results.compare import frontier
from siting.results.tables import summary
from siting.scenarios import sweep as module
from siting.scenarios.sweep import sweep


def test_the_plan_of_a_smaller_budget_stands_where_the_larger_one_gives_less(
    tiny_model: Model, tiny_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The solver is made to come back with an empty plan for the second budget, unless its sites are given to it."""

    def lazy(model: Model, *args: Any, **changes: Any) -> Plan:
        if changes["budget_inr_crore"] == 61 and "forced" not in changes:
            nothing = make_plan(model, budget_inr_crore=0.0).solution
            return make_plan(model, solution=nothing, budget_inr_crore=61.0)
        return make_plan(model, *args, **changes)

    monkeypatch.setattr(module, "make_plan", lazy)
    first, second = sweep(tiny_model, [61.0, 60.0])
    assert first.model.study.budget_inr_crore == 60 and second.model.study.budget_inr_crore == 61
    assert second.solution.objective <= first.solution.objective
    assert set(second.opened["option_id"]) >= set(first.opened["option_id"])
    assert second.net_saving_inr_per_year >= first.net_saving_inr_per_year > 0


def test_the_table_of_a_sweep_tells_what_the_last_rupee_saves(free_model: Model) -> None:
    plans = list(sweep(free_model, [0.0, 20.0, 40.0, 20.0]))
    table = frontier((summary(plan), plan.opened) for plan in plans)
    assert table["budget_inr_crore"].tolist() == [0, 20, 40]
    assert table["saving_inr_per_year"].is_monotonic_increasing
    assert table["capex_inr_crore"].iloc[0] == 0 and table["capex_inr_crore"].is_monotonic_increasing
    assert table.loc[0, "marginal_saving_per_year_per_rupee"] != table.loc[0, "marginal_saving_per_year_per_rupee"]
    for k in (1, 2):
        less, more = plans[k - 1 : k + 1]
        extra = (more.capex_inr_crore - less.capex_inr_crore) * 1e7
        assert table.loc[k, "marginal_saving_per_year_per_rupee"] == pytest.approx(
            (more.net_saving_inr_per_year - less.net_saving_inr_per_year) / extra
        )
        assert table.loc[k, "saving_fraction"] == pytest.approx(
            more.net_saving_inr_per_year / more.totals("before")["cost_inr_per_year"]
        )
        types = more.opened["facility_type"].tolist()
        counts = table.loc[k, ["warehouses", "cold_stores", "mmlps"]].tolist()
        assert counts == [types.count("warehouse"), types.count("cold_store"), types.count("mmlp")]

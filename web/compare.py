"""Two plans beside each other, and the plans of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from siting.money import INR_PER_CRORE
from web.map.plan import PlanData, columns
from web.results import PlanTables

TOTALS = ("budget_inr_crore", "capex_inr_crore", "fixed_cost_inr_per_year", "saving_inr_per_year",
          "benefit_cost_ratio", "payback_years", "gap")  # fmt: skip
SAME_INR_PER_T = 0.005  # a difference of cost that shows in no figure


def compare(a: PlanData, b: PlanData) -> dict[str, Any]:
    """Return what differs between two plans; districts of ``a`` in their order, b minus a."""
    first, second = a.plan.summary, b.plan.summary
    totals = {name: {"a": first.get(name), "b": second.get(name)} for name in TOTALS}
    for name in ("cost_inr_per_year", "mean_hours", "co2e_t_per_year"):
        totals[name] = {"a": first["after"].get(name), "b": second["after"].get(name)}
    options = [data.site_table["option_id"] for data in (a, b)]
    return {
        "a": _about(a.plan), "b": _about(b.plan), "totals": totals,
        "sites": {
            "only_a": columns(a.site_table[~options[0].isin(options[1])]),
            "only_b": columns(b.site_table[~options[1].isin(options[0])]),
            "both": int(options[0].isin(options[1]).sum()),
        },
        "districts": columns(_districts(a.district_table, b.district_table)),
    }  # fmt: skip


def _about(plan: PlanTables) -> dict[str, Any]:
    names = ("budget_inr_crore", "saving_inr_per_year", "fingerprint")
    return {"id": plan.key, "name": plan.summary["study"], **{name: plan.summary.get(name) for name in names}}


def _districts(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    other = b.set_index("district_id").reindex(a["district_id"]).reset_index()
    a = a.reset_index(drop=True)
    change = other["cost_after_inr_per_t"] - a["cost_after_inr_per_t"]
    table = a[["district_id", "state", "district", "state_hi", "district_hi"]].assign(
        change_inr_per_t=change,
        saving_change_inr_per_year=other["saving_inr_per_year"] - a["saving_inr_per_year"],
        hours_change=other["hours_after"] - a["hours_after"],
    )
    for name, column in (("hub", "hub_1"), ("gateway", "gateway_after")):
        table[f"{name}_a"], table[f"{name}_b"] = a[column], other[column]
    moved = [_differ(table[f"{name}_a"], table[f"{name}_b"]) for name in ("hub", "gateway")]
    return table.assign(changed=moved[0] | moved[1] | (change.abs() > SAME_INR_PER_T))


def _differ(a: pd.Series, b: pd.Series) -> pd.Series:
    return a.astype(object).fillna("") != b.astype(object).fillna("")


def sweep_points(members: Sequence[PlanTables]) -> list[dict[str, Any]]:
    """Return one point of the budget frontier per plan, by budget."""
    points: list[dict[str, Any]] = []
    for plan in sorted(members, key=lambda plan: float(plan.summary["budget_inr_crore"])):
        s: Mapping[str, Any] = plan.summary
        names = ("budget_inr_crore", "capex_inr_crore", "saving_inr_per_year", "benefit_cost_ratio", "payback_years",
                 "gap", "status")  # fmt: skip
        kinds = plan.sites["facility_type"].value_counts()
        cost = s["before"]["cost_inr_per_year"]
        before = points[-1] if points else {"capex_inr_crore": 0.0, "saving_inr_per_year": 0.0}
        extra_inr = (s["capex_inr_crore"] - before["capex_inr_crore"]) * INR_PER_CRORE
        extra_saving = s["saving_inr_per_year"] - before["saving_inr_per_year"]
        points.append({
            "plan": plan.key,
            **{name: s.get(name) for name in names},
            "saving_fraction": s["saving_inr_per_year"] / cost if cost else None,
            "marginal_saving_per_year_per_rupee": extra_saving / extra_inr if extra_inr > 0 else None,
            **{f"{kind}s": int(kinds.get(kind, 0)) for kind in ("warehouse", "cold_store", "mmlp")},
        })  # fmt: skip
    return points

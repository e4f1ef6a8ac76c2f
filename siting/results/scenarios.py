"""``scenarios.csv``: one row per scenario, what became of it and what its plan amounts to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from siting.money import INR_PER_CRORE
from siting.results.schema import columns
from siting.study import FACILITY_TYPES


def plan_row(summary: Mapping[str, Any], sites: pd.DataFrame) -> dict[str, Any]:
    """What a plan amounts to, in columns of ``scenarios.csv``.

    Args:
        summary: content of ``plan.json``.
        sites: ``sites.csv``.
    """
    before, saving, draws = summary["before"]["cost_inr_per_year"], summary["saving_inr_per_year"], summary["draws"]
    built, slack = sites["facility_type"].value_counts(), summary["objective_inr"] - summary["bound_inr"]
    named = (
        "capex_inr_crore",
        "saving_inr_per_year",
        "benefit_inr_per_year",
        "benefit_cost_ratio",
        "payback_years",
        "gap",
        "fingerprint",
    )
    return {
        **{name: summary[name] for name in named},
        **{f"{kind}s": int(built.get(kind, 0)) for kind in FACILITY_TYPES},
        "saving_low_inr_per_year": None if draws is None else draws["own_saving"]["low_inr_per_year"],
        "saving_high_inr_per_year": None if draws is None else draws["own_saving"]["high_inr_per_year"],
        "benefit_at_most_inr_per_year": summary["benefit_inr_per_year"] + max(slack, 0.0),
        "saving_fraction": saving / before if before else None,
        "cost_before_inr_per_year": before,
        "co2e_after_t_per_year": summary["after"]["co2e_t_per_year"],
        "districts_served": summary["counts"]["served_by_hub"],
    }


def scenario_table(rows: Sequence[Mapping[str, Any]], frontiers: Sequence[Sequence[int]]) -> pd.DataFrame:
    """Return ``scenarios.csv``.

    Args:
        rows: of each scenario ``scenario``, ``folder``, ``status``, ``message``, ``budget_inr_crore`` and, where it has
            a plan, those of :func:`plan_row`.
        frontiers: numbers of the rows that differ in their budget alone, from the smallest up.
    """
    known = columns("scenarios")
    table = pd.DataFrame(rows, columns=list(known))
    for name, column in known.items():
        if column.dtype == "number":
            table[name] = table[name].astype(float)
        elif column.dtype == "whole":
            table[name] = table[name].astype("Int64")
    for numbers in frontiers:
        with_plan = table.loc[list(numbers)].dropna(subset=["capex_inr_crore"])
        spent_inr = with_plan["capex_inr_crore"].to_numpy() * INR_PER_CRORE
        extra_inr, extra_benefit = (
            np.diff(values, prepend=0.0) for values in (spent_inr, with_plan["benefit_inr_per_year"].to_numpy())
        )
        more = extra_inr > 0
        table.loc[with_plan.index, "marginal_benefit_per_year_per_rupee"] = np.divide(
            extra_benefit, extra_inr, out=np.full(len(more), np.nan), where=more
        )
    return table

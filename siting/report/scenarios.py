"""A batch of scenarios as one figure and one self-contained page that sorts and compares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from siting.report.charts import saving_chart, sweep_chart
from siting.report.formats import environment
from siting.report.overrides import differing
from siting.results.schema import columns
from siting.scenarios.batch import Batch
from siting.scenarios.frontiers import frontiers

SHOWN: dict[str, tuple[str, float, int]] = {
    "budget_inr_crore": ("Budget, ₹ crore", 1.0, 0),
    "capex_inr_crore": ("Capital, ₹ crore", 1.0, 0),
    "saving_inr_per_year": ("Net saving, ₹ crore a year", 1e7, 1),
    "saving_low_inr_per_year": ("Low", 1e7, 1),
    "saving_high_inr_per_year": ("High", 1e7, 1),
    "benefit_inr_per_year": ("Benefit: saving less charged capital, ₹ crore a year", 1e7, 1),
    "benefit_at_most_inr_per_year": ("No plan has more benefit than", 1e7, 1),
    "marginal_benefit_per_year_per_rupee": ("Benefit of the last rupee a year", 1.0, 3),
    "benefit_cost_ratio": ("Benefit-cost ratio", 1.0, 2),
    "payback_years": ("Payback, years", 1.0, 1),
    "warehouses": ("Warehouses", 1.0, 0),
    "cold_stores": ("Cold stores", 1.0, 0),
    "cargo_terminals": ("Cargo terminals", 1.0, 0),
    "mmlps": ("Logistics parks", 1.0, 0),
    "districts_served": ("Districts served", 1.0, 0),
    "cost_before_inr_per_year": ("Cost before, ₹ crore a year", 1e7, 0),
    "co2e_after_t_per_year": ("CO2e after, t a year", 1.0, 0),
    "gap": ("Gap, %", 0.01, 3),
}
"""Columns of the page: heading, what they are divided by, decimals."""


def write_scenario_chart(table: pd.DataFrame, batch: Batch, path: Path) -> None:
    """Write ``scenarios.svg``."""
    path.write_text(scenario_chart(table, batch) + "\n", encoding="utf-8")


def scenario_chart(table: pd.DataFrame, batch: Batch) -> Markup:
    """The frontier where all scenarios lie on one, else the saving of each.

    Args:
        table: ``scenarios.csv``.
    """
    solved = table[table["fingerprint"].notna()]
    if len(frontiers(batch.scenarios)) == 1 and solved["budget_inr_crore"].is_unique:
        return sweep_chart(solved.sort_values("budget_inr_crore", kind="stable"))
    return saving_chart(solved)


def write_scenario_page(table: pd.DataFrame, batch: Batch, path: Path) -> None:
    """Write ``scenarios.html``: the table, which sorts by any column and tells differences from any row.

    Args:
        table: ``scenarios.csv``.
    """
    changes = changes_of(batch)
    shown = {name: about for name, about in SHOWN.items() if table[name].notna().any()}
    page = environment().get_template("scenarios.html").render(
        base=batch.base.name,
        chart=scenario_chart(table, batch),
        headings=[(heading, columns("scenarios")[name].meaning, decimals)
                  for name, (heading, _, decimals) in shown.items()],
        rows=_rows(table, changes, shown),
        failed=int(table["fingerprint"].isna().sum()),
    )  # fmt: skip
    path.write_text(page, encoding="utf-8")


def changes_of(batch: Batch) -> list[str]:
    """Of each scenario what it asks otherwise than the study, in words."""
    base = batch.base.resolved()
    return ["; ".join(differing(base, scenario.study.resolved())) for scenario in batch.scenarios]


def _rows(
    table: pd.DataFrame, changes: Sequence[str], shown: dict[str, tuple[str, float, int]]
) -> list[dict[str, Any]]:
    rows = []
    for row, changed in zip(table.to_dict("records"), changes, strict=True):
        values = [None if pd.isna(row[name]) else float(row[name]) / unit for name, (_, unit, _) in shown.items()]
        plan = None if pd.isna(row["fingerprint"]) else row["folder"]
        rows.append({"name": row["scenario"], "status": row["status"], "message": row["message"], "folder": plan,
                     "changes": changed, "values": values})  # fmt: skip
    return rows

"""The rules of a plan as ``plan.json`` and ``rules.csv`` tell them: limit, value reached, price."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from siting.kept_rules import KeptRow, kept_rows
from siting.plan import Plan


def rules_table(plan: Plan) -> pd.DataFrame:
    """Return ``rules.csv``: one row per limit; the price is that of the whole rule."""
    prices = _prices(plan)
    rows = [{**_told(kept), "price_inr_per_year": prices[kept.row.rule.name]["price_inr_per_year"]}
            for kept in kept_rows(plan)]  # fmt: skip
    columns = ["name", "rule", "state", "unit", "at_least", "at_most", "reached", "price_inr_per_year"]
    return pd.DataFrame(rows, columns=columns)


def rules_summary(plan: Plan) -> dict[str, Any]:
    """Keys of ``plan.json``: ``rules``, each by the limit that the plan is nearest to, and what all cost together."""
    prices, nearest = _prices(plan), dict[str, KeptRow]()
    for kept in kept_rows(plan):
        name = kept.row.rule.name
        if name not in nearest or kept.nearness < nearest[name].nearness:
            nearest[name] = kept
    together = None if plan.rule_prices is None else plan.rule_prices.together.inr_per_year
    rules = [{**_told(kept), **prices[name]} for name, kept in nearest.items()]
    return {"rules": rules, "rules_price_inr_per_year": together}


def _told(kept: KeptRow) -> dict[str, Any]:
    row = kept.row
    limits = {"at_least": row.at_least, "at_most": row.at_most}
    return {
        "name": row.rule.name,
        "rule": row.rule.kind,
        "state": row.state or None,
        "unit": row.unit,
        **{side: limit if np.isfinite(limit) else None for side, limit in limits.items()},
        "reached": kept.reached,
    }


def _prices(plan: Plan) -> dict[str, dict[str, float | None]]:
    """Price of each rule and its proven range by name; None where they were not worked out."""
    found = plan.rule_prices
    names = {row.rule.name for row in plan.model.rule_rows}
    keys = ("inr_per_year", "low_inr_per_year", "high_inr_per_year")
    return {
        name: {f"price_{key}": None if found is None else getattr(found.by_name[name], key) for key in keys}
        for name in names
    }

"""Exports that a plan could enable, as the report tells them."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from siting.enabled import enabled_exports
from siting.plan import Plan

SHOWN = 12


def enabled_facts(plan: Plan) -> dict[str, Any]:
    """Totals, the range of the elasticity, and the districts and sectors that could add most, side by side."""
    table, parameter = enabled_exports(plan), plan.model.parameters.rows["export_elasticity"]
    table["where"] = table["district"] + ", " + table["state"]
    usd = table["enabled_usd"] / 1e6
    districts, sectors = (usd.groupby(table[key]).sum().nlargest(SHOWN) for key in ("where", "sector"))
    pairs = zip_longest(districts.items(), sectors.items(), fillvalue=("", float("nan")))
    return {
        "usd_million": float(usd.sum()),
        "welfare_inr": float(table["welfare_inr"].sum()),
        "elasticity": plan.model.parameters["export_elasticity"],
        "low": parameter.low,
        "high": parameter.high,
        "sectors": len(sectors),
        "rows": [
            {"district": d[0], "district_usd": d[1], "sector": str(s[0]).replace("_", " "), "sector_usd": s[1]}
            for d, s in pairs
        ],
    }

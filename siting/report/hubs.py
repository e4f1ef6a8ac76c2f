"""Districts as export hubs in the report: how they are connected, how far below their like, and the paper tested."""

from __future__ import annotations

from typing import Any

import numpy as np

from siting.districts.actions import MEASURES
from siting.districts.paper import figure_words
from siting.districts.words import sector_name
from siting.intelligence import Intelligence
from siting.report.formats import records

SHOWN = 10


def hub_facts(told: Intelligence | None) -> dict[str, Any] | None:
    """What the section on districts shows; None where nothing was worked out."""
    if told is None:
        return None
    table = told.table
    below = table[table["connectivity_index"] < 100]
    lifted = below.dropna(subset=["lift_inr_crore"])
    lifted = lifted.assign(words=lifted["lift_measure"].map(MEASURES))
    under = table[table["under_utilised"]]
    gaps = under.assign(gap_usd=np.maximum(under["benchmark_usd"] - under["export_usd"], 0.0)).dropna(
        subset=["gap_usd"]
    )
    sectors = gaps["nearest_sectors"].map(_sectors, na_action="ignore")
    far = gaps.assign(near=sectors.fillna("–")).nlargest(SHOWN, "gap_usd")
    return {
        **told.figures,
        "below_by_km": list(told.below_by_km.items()),
        "below": len(below),
        "lifted": len(lifted),
        "lifts": records(lifted.sort_values("lift_inr_crore", kind="stable").head(SHOWN)),
        "far": records(far),
        "gap_usd": float(gaps["gap_usd"].sum()),
        "paper": None if told.paper is None else [_claim(row) for row in records(told.paper)],
    }


def _sectors(keys: str) -> str:
    return ", ".join(map(sector_name, keys.split(";")))


def _claim(row: dict[str, Any]) -> dict[str, Any]:
    words = figure_words(str(row["unit"]))
    here = words(row["here"]) if np.isfinite(row["here"]) else "–"
    return {**row, "paper": words(row["paper"]), "here": here, "data": row["data"] or "none public"}

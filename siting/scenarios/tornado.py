"""What the saving depends on, with sites chosen anew: the study at the low and the high value of what moves it most."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from siting.plan import Plan
from siting.scenarios.sensitivity import sensitivity
from siting.scenarios.variants import Variant, answer_variants

MOVERS = 14
"""Parameters that are told: those that move the saving of the plan's own sites most."""
ENDS = ("low", "high")


def movers_of(plan: Plan) -> list[Variant]:
    """The study with one parameter at its low or its high value, of those that move the plan's saving most."""
    if not len(plan.opened):
        return []
    rows = sensitivity(plan).head(MOVERS)
    return [
        Variant(f"{row['key']} {end}", parameters={str(row["key"]): float(row[end])})
        for row in rows.to_dict("records")
        for end in ENDS
    ]


def tornado_table(
    plan: Plan,
    movers: list[Variant],
    *,
    workers: int = 1,
    scheduler: str | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> pd.DataFrame:
    """Each mover solved anew.

    Returns:
        ``tornado.csv``: a row for each parameter and end: ``key``, ``end`` (low or high), ``value``, ``status``,
        ``message``, ``saving_inr_per_year``, ``capex_inr_crore``, ``sites``.
    """
    rows = answer_variants(plan, movers, _told, workers=workers, scheduler=scheduler, progress=progress)
    key, value = zip(*(item for mover in movers for item in mover.parameters.items()), strict=True)
    end = [mover.name.rpartition(" ")[2] for mover in movers]
    columns = ["key", "end", "value", "status", "message", "saving_inr_per_year", "capex_inr_crore", "sites"]
    return rows.assign(key=key, end=end, value=value).reindex(columns=columns)


def _told(plan: Plan) -> dict[str, Any]:
    return {
        "saving_inr_per_year": plan.net_saving_inr_per_year,
        "capex_inr_crore": plan.capex_inr_crore,
        "sites": len(plan.opened),
    }

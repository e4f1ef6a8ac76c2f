"""The plan beside what else could be done, as the report tells it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from siting.report.formats import records

GROUPS = {
    "build": "Build",
    "run": "Run better",
    "pay": "Pay, or let pay",
    "rule": "Ask more of the plan",
    "loss": "What may get worse",
    "growth": "More exports",
}
"""Headings of the kinds of levers, in their order."""


def lever_groups(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Groups of the report's table, each with ``heading`` and ``rows``; none where levers were not asked for.

    Args:
        table: of :func:`siting.scenarios.levers.lever_table`.
    """
    if table is None:
        return []
    kinds = [(heading, table[table["kind"] == kind]) for kind, heading in GROUPS.items()]
    return [{"heading": heading, "rows": records(rows)} for heading, rows in kinds if len(rows)]

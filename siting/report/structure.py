"""The study with each choice of structure switched back, as the report tells it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from siting.report.formats import records
from siting.report.lines import SITE_WORDS
from siting.study import FACILITY_TYPES


def structure_rows(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Rows of the report's table, with the change of the saving against the plan itself; none where it was not asked.

    Args:
        table: of :func:`siting.scenarios.structure.structure_table`.
    """
    if table is None:
        return []
    saving = table["saving_inr_per_year"]
    rows = records(table.assign(times=saving / saving.iloc[0] if saving.iloc[0] > 0 else float("nan")))
    for row in rows:
        row["built"] = built_words(row)
    return rows


def built_words(row: dict[str, Any]) -> str:
    """Sites by type, as people say them.

    >>> built_words({"warehouses": 2.0, "cold_stores": 1.0, "mmlps": 0.0})
    '2 warehouses, 1 cold store'
    """
    told = []
    for kind in FACILITY_TYPES:
        if (n := row.get(f"{kind}s", 0)) > 0:
            word = SITE_WORDS[kind]
            told.append(f"{n:.0f} {word if n == 1 else plural(word)}")
    return ", ".join(told) or "nothing"


def plural(word: str) -> str:
    """A noun as more than one; what is in brackets after it stays.

    >>> plural("logistics park (MMLP)")
    'logistics parks (MMLP)'
    """
    noun, bracket, rest = word.partition(" (")
    return f"{noun}s{bracket}{rest}"

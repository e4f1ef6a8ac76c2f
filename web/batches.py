"""Scenario batches of the command line, as rows of the workbench."""

from __future__ import annotations

from typing import Any

import pandas as pd

from geodata.errors import InputError
from siting.results.read import read_table
from siting.study import FACILITY_TYPES
from web.map.plan import columns
from web.results import SEPARATOR, Results, is_text, without

FIGURES = ("scenario", "status", "budget_inr_crore", "capex_inr_crore", "saving_inr_per_year",
           "saving_low_inr_per_year", "saving_high_inr_per_year", "benefit_cost_ratio")  # fmt: skip


def batches(results: Results) -> list[dict[str, Any]]:
    """Return ``id`` and ``rows`` of each batch in the folder of results, by id; a broken one with ``problems``.

    Rows are columns: those of FIGURES, ``sites`` and ``plan``, the id of the plan where there is one, with its
    ``mean_hours``.
    """
    plans = results.plans()
    found: list[dict[str, Any]] = []
    for file in sorted(results.root.glob("*/scenarios.csv")):
        key = file.parent.name
        if key.startswith(".") or not is_text(key):
            continue
        try:
            table = read_table(file)
        except InputError as error:
            found.append({"id": key, "problems": [without(results.root, text) for text in error.problems]})
            continue
        names = [f"{key}{SEPARATOR}{folder}" for folder in table["folder"]]
        known = [name if name in plans else None for name in names]
        rows = table[list(FIGURES)].assign(
            sites=table[[f"{kind}s" for kind in FACILITY_TYPES]].astype(float).sum(axis=1, min_count=1),
            plan=pd.Series(known, table.index, dtype=object),
            mean_hours=pd.Series([plans[name].summary["after"]["mean_hours"] if name else None for name in known],
                                 table.index, dtype=float),
        )  # fmt: skip
        found.append({"id": key, "rows": columns(rows, decimals=None)})
    return found

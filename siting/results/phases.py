"""The phases of a plan as ``plan.json`` and ``phases.csv`` tell them."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from siting.phased import COLUMNS
from siting.plan import Plan


def phases_table(plan: Plan) -> pd.DataFrame:
    """Return ``phases.csv``: one row per phase."""
    return pd.DataFrame(columns=list(COLUMNS)) if plan.phased is None else plan.phased.table


def phases_summary(plan: Plan) -> dict[str, Any]:
    """Keys of ``plan.json``: ``phases``, empty without any, and what they save in the mean year."""
    return {
        "phases": json.loads(phases_table(plan).to_json(orient="records", double_precision=15)),
        "phases_saving_inr_per_year": None if plan.phased is None else plan.phased.saving_inr_per_year,
    }

"""What the paper that this work builds on says of India in 2023: Yadav, *The Role of Districts as Export Hubs*.

Every figure stands in ``paper.csv`` and nowhere else.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from geodata.tables import Column, read_table

AREA = "India"
"""Name of the pack that its figures are of; elsewhere nothing is said of them."""
CLAIMS = Path(str(files("siting.districts") / "paper.csv"))
COLUMNS = (
    Column("key", unique=True),
    Column("claim"),
    Column("paper", "number"),
    Column("unit"),
    Column("data", required=False),  # exports, history, lanes or result; blank: not testable with public data
    Column("remark", required=False),
)


@cache
def _claims() -> pd.DataFrame:
    return read_table(CLAIMS, COLUMNS)


def paper_claims() -> pd.DataFrame:
    """All figures, with the columns of ``COLUMNS``."""
    return _claims().copy()


def claimed(key: str) -> float:
    """One figure."""
    table = _claims()
    return {str(name): float(value) for name, value in zip(table["key"], table["paper"], strict=True)}[key]

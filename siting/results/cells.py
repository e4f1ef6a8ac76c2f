"""CSV files for people: spreadsheets open them, and no cell is a formula to a spreadsheet."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
DIGITS = "%.10g"


def guarded(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run; :func:`unguarded` takes it off.

    A text that begins with an apostrophe and such a sign gets one more, so that every text comes back as it was.

    >>> guarded("=1+1"), guarded("Agra")
    ("'=1+1", 'Agra')
    """
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_SIGNS) else text


def unguarded(text: str) -> str:
    """Return the text that :func:`guarded` was given.

    >>> unguarded("'=1+1"), unguarded("'s-Hertogenbosch")
    ('=1+1', "'s-Hertogenbosch")
    """
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA_SIGNS) else text


def csv_text(table: pd.DataFrame, line_end: str = "\n") -> str:
    """Return a table as CSV with all texts guarded, those of the header too."""
    safe = table.rename(columns=lambda name: guarded(str(name)))
    for name in safe.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in safe.dtypes]]:
        safe[name] = safe[name].map(lambda cell: guarded(cell) if isinstance(cell, str) else cell)
    text: str = safe.to_csv(index=False, float_format=DIGITS, lineterminator=line_end)
    return text


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as UTF-8 CSV with all texts guarded."""
    path.write_bytes(csv_text(table).encode("utf-8"))

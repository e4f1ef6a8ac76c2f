"""CSV files for people: spreadsheets open them, and no cell is a formula to a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
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
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow([guarded(str(name)) for name in table.columns])
    writer.writerows(zip(*(_cells(table.iloc[:, k]) for k in range(table.shape[1])), strict=True))
    return text.getvalue()


def _cells(column: pd.Series[Any]) -> list[Any]:
    """A column as what its cells say; missing values say nothing. A text that occurs often is guarded once."""
    if pd.api.types.is_float_dtype(column.dtype):
        numbers = column.to_numpy(np.float64)
        cells = (f"{DIGITS}\n" * len(numbers) % tuple(numbers.tolist())).splitlines()
        for k in np.flatnonzero(np.isnan(numbers)):
            cells[k] = ""
        return cells
    if pd.api.types.is_numeric_dtype(column.dtype) and not column.hasnans:
        return column.tolist()
    if pd.api.types.infer_dtype(column, skipna=True) == "string":
        position, texts = pd.factorize(column)
        said = [*map(guarded, texts), ""]  # position -1 is "missing"
        return [said[k] for k in position]
    return [_cell(value) for value in column]


def _cell(value: Any) -> str:
    """One cell of a column of mixed kinds."""
    if isinstance(value, str):
        return guarded(value)
    return "" if pd.isna(value) else DIGITS % value if isinstance(value, float) else str(value)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as UTF-8 CSV with all texts guarded."""
    path.write_bytes(csv_text(table).encode("utf-8"))

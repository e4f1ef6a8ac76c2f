"""A text that a spreadsheet would run is written so that it does not, and read back as it was."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest

from siting.results.cells import csv_text, guarded, unguarded, write_csv

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1", "''@x"]


@pytest.mark.parametrize("text", [*FORMULAS, "Agra", "", "'s-Hertogenbosch", "a=b", "’=1"])
def test_a_text_comes_back_as_it_was_and_is_no_formula_on_the_way(text):
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(guarded(text)) == text


def test_numbers_are_written_as_numbers_and_texts_guarded_in_header_too(tmp_path):
    write_csv(pd.DataFrame({"name": FORMULAS[:2], "=x": [None, "-y"], "n": [-1.5, 2.0]}), tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["name", "'=x", "n"], ["'=1+1", "", "-1.5"], ["'+1", "'-y", "2"]]


def test_cells_of_all_kinds_are_written_as_pandas_writes_them():
    table = pd.DataFrame({
        "text": ["a, b", 'say "so"', "two\nlines", None, ""],
        "number": [1 / 3, np.nan, -0.0, 1e300, np.inf],
        "whole": [1, 2, 3, 4, -5],
        "yes": [True, False, True, True, False],
        "mixed": ["x", 2.5, None, 7, np.nan],
        "missing": [None] * 5,
        "maybe": pd.array([1, None, 3, 4, 5], dtype="Int64"),
    })  # fmt: skip
    for line_end in ("\n", "\r\n"):
        assert csv_text(table, line_end) == table.to_csv(index=False, float_format="%.10g", lineterminator=line_end)
    nothing = table.iloc[:0]
    assert csv_text(nothing) == nothing.to_csv(index=False)

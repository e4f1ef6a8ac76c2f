"""Growth, volatility, breaks, ranks, entry and exit, worked by hand."""

import numpy as np
import pandas as pd
import pytest

from geodata.pack import open_pack
from siting.cli import build_parser, run_command
from siting.districts.trends import district_panel, trends


def row(*values: float, start: int = 2020) -> pd.Series:
    panel = pd.DataFrame([values], columns=range(start, start + len(values)), dtype=float)
    return trends(panel).iloc[0]


def test_growth_and_volatility_by_hand():
    """(74): 100 to 121 in two years; ln(120/100) and ln(121/120)."""
    found = row(100, 120, 121)
    assert found["growth"] == pytest.approx(0.1)
    assert found["volatility"] == pytest.approx(np.std([np.log(1.2), np.log(121 / 120)], ddof=1))


def test_years_without_exports_or_not_told_divide_by_nothing():
    found = row(0, 50, np.nan, 200, 0)
    assert (found["first_year"], found["last_year"]) == (2021, 2023)
    assert found["growth"] == pytest.approx(1.0)  # fourfold in two years
    assert np.isnan(found["volatility"])
    nothing = row(0, 0, 0)
    assert nothing["first_year"] == 0 and np.isnan(nothing["growth"])
    assert not nothing["entered"] and not nothing["left"]
    assert np.isnan(row(np.nan, 5)["growth"])


def test_who_enters_and_who_leaves():
    panel = pd.DataFrame({2020: [0.0, 4.0, 4.0, np.nan], 2021: [3.0, 0.0, 5.0, 2.0]})
    found = trends(panel)
    assert found["entered"].tolist() == [True, False, False, False]
    assert found["left"].tolist() == [False, True, False, False]


def test_a_break_is_the_year_that_stands_out():
    assert row(100, 110, 120, 133, 60, 66, 72)["break_year"] == 2024
    assert row(100, 110, 121, 133, 146, 161, 177)["break_year"] == 0
    assert row(100, 110, 30)["break_year"] == 0  # too few years to know what is usual


def test_ranks_and_who_climbs():
    found = trends(pd.DataFrame({2020: [9.0, 5.0, 1.0], 2025: [9.0, 4.0, 20.0]}, index=list("abc")))
    assert found["rank_first"].tolist() == [1, 2, 3]
    assert found["rank_last"].tolist() == [2, 3, 1]
    assert found["climbed"].to_dict() == {"a": -1, "b": -1, "c": 2}


def test_a_district_without_a_row_exported_nothing_that_year():
    panel = district_panel({2024: pd.Series({"a": 1.0}), 2023: pd.Series({"b": 2.0})})
    assert panel.columns.tolist() == [2023, 2024]
    assert panel.loc["a"].tolist() == [0.0, 1.0]


def test_own_tables_of_other_years_come_by_the_command_line(tmp_path, capsys):
    """Half of everything a year before: growth of 100 % everywhere, nobody climbs."""
    exports = pd.read_csv(open_pack().files["exports"])
    figures = [name for name in exports if name.endswith("_usd_million")]
    exports[figures] /= 2
    exports.to_csv(tmp_path / "before.csv", index=False)
    parser, _ = build_parser()
    assert run_command(parser, ["profile", "--exports", f"2024={tmp_path / 'before.csv'}"]) == 0
    text = capsys.readouterr().out
    assert "median growth +100.0 % a year; 0 have entered, 0 left" in text
    assert run_command(parser, ["profile", "--exports", str(tmp_path / "before.csv")]) == 2
    assert "write YEAR=CSV" in capsys.readouterr().err

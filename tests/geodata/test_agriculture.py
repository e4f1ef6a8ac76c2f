"""Farm goods that the source keeps as one, split into frozen goods, tea and spices, and the rest."""

import pandas as pd
import pytest

from geodata.make_india.agriculture import (
    MEAT_USD_MILLION,
    PARTS,
    SEAFOOD_USD_PER_T,
    WHOLE,
    load_agriculture,
    split_agriculture,
)
from geodata.pack import INDIA


def test_every_district_takes_the_shares_of_its_state():
    """100 of 400 million in a state whose seafood is worth 100: a quarter frozen, 43 % of what is left spices."""
    exports = pd.DataFrame({"state": ["S", "S", "T"], "before": 1.0, WHOLE: [100.0, 300.0, 50.0], "after": 2.0})
    states = pd.DataFrame({"seafood_t": [100e6 / SEAFOOD_USD_PER_T], "meat_share": [0.0]}, index=["S"])
    split = split_agriculture(exports, states)
    assert split.columns.tolist() == ["state", "before", *PARTS, "after"]
    assert split.loc[0, list(PARTS)].tolist() == pytest.approx([25.0, 75 * 0.43, 75 * 0.57])
    assert split.loc[2, list(PARTS)].tolist() == pytest.approx([0.0, 50 * 0.43, 50 * 0.57]), "a state without either"


def test_no_state_is_told_to_freeze_more_than_nine_tenths():
    exports = pd.DataFrame({"state": ["S"], WHOLE: [10.0]})
    states = pd.DataFrame({"seafood_t": [1e9], "meat_share": [0.0]}, index=["S"])
    assert split_agriculture(exports, states)[PARTS[0]].tolist() == [9.0]


def test_the_bundled_parts_are_the_published_totals():
    """Seafood 7.38 and buffalo meat 3.7 bn US$ a year; districts the source does not name keep 3 % of both."""
    exports = pd.read_csv(INDIA / "exports.csv")
    known = load_agriculture()
    assert known["meat_share"].sum() == pytest.approx(1.0)
    assert known["seafood_t"].sum() == pytest.approx(1_819_635, rel=0.001)
    assert exports[PARTS[0]].sum() == pytest.approx(7_380 + MEAT_USD_MILLION, rel=0.05)
    assert exports[PARTS[1]].sum() == pytest.approx(5_800, rel=0.1)
    assert WHOLE not in exports

"""Parts of a sector that the export table keeps as one: farm goods other than fresh food and grain, by state.

The table's column holds HS 01-06, 09, 12-15 and 23 together. Its parts travel in different boxes: frozen meat and fish
in reefers, tea, coffee and spices in dry boxes and small lots, oil meals and seeds in full loads. No table tells them
apart by district, so a state's figures do:

* frozen: the state's seafood (tonnes of 2023-24, MPEDA, as told to parliament) at the national value per tonne, and its
  share of the country's meat; up to `MOST_FROZEN` of what its districts export of the column;
* tea, coffee and spices: `SPICES_OF_DRY` of all else, in every state.

Every district of a state takes its state's shares. A port's fish and an upland's spices are therefore mixed within
Gujarat or Kerala: of a single district the parts are uncertain by half and more, of a state by about a quarter.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from geodata.exports import VALUE_SUFFIX

WHOLE = f"agri_livestock_other{VALUE_SUFFIX}"
PARTS = tuple(f"{name}{VALUE_SUFFIX}" for name in ("frozen_meat_fish", "tea_coffee_spices", "agri_other"))
SEAFOOD_USD_PER_T = 7_380e6 / 1_781_602
"""All seafood of 2023-24 (MPEDA); shrimp states such as Andhra Pradesh get more, fish states such as Gujarat less."""
MEAT_USD_MILLION = 3_700.0
"""Buffalo meat a year, about (APEDA; 3,930 in 2016-17; with dairy and poultry 3,300 in nine months of 2023-24)."""
MOST_FROZEN = 0.9
SPICES_OF_DRY = 0.43
"""Of the column without frozen goods, 13.5 bn US$: spices 4.46 bn less mint and extracts of other headings (about a
quarter), tea 0.8 and coffee 1.6 bn. Range 0.35 to 0.55, from what of the Spices Board's figure is HS 09."""


def split_agriculture(exports: pd.DataFrame, states: pd.DataFrame) -> pd.DataFrame:
    """The export table with the column ``WHOLE`` split into ``PARTS``; their sum stays what it was, row by row.

    Args:
        exports: columns state and ``WHOLE``.
        states: table of `load_agriculture`.
    """
    whole = exports[WHOLE]
    by_state = whole.groupby(exports["state"]).sum()
    known = states.reindex(by_state.index).fillna(0.0)
    frozen_usd = known["seafood_t"] * SEAFOOD_USD_PER_T / 1e6 + known["meat_share"] * MEAT_USD_MILLION
    share = (frozen_usd / by_state.where(by_state > 0)).fillna(0.0).clip(upper=MOST_FROZEN)
    frozen = whole * exports["state"].map(share)
    spices = (whole - frozen) * SPICES_OF_DRY
    parts = (frozen.round(4), spices.round(4), (whole - frozen.round(4) - spices.round(4)).round(4))
    at = exports.columns.tolist().index(WHOLE)
    split = exports.drop(columns=WHOLE)
    for name, values in zip(reversed(PARTS), reversed(parts), strict=True):
        split.insert(at, name, values)
    return split


def load_agriculture() -> pd.DataFrame:
    """Seafood (tonnes) and share of the country's meat by state, from ``agriculture_by_state.csv``."""
    columns = ["state", "seafood_t", "meat_share"]
    return pd.read_csv(Path(__file__).with_name("agriculture_by_state.csv"), index_col="state", usecols=columns)

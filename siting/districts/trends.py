"""How exports change over years: growth, volatility, breaks, ranks, who enters and who leaves.

With x_t the exports of year t and g_t = ln(x_t / x_(t-1)) where both are above zero,

    growth = (x_T / x_0)^(1/(T - 0)) - 1,   volatility = sd(g)                                            (74)

between the first and the last year with exports. A year breaks with the others where g_t lies more than `BREAK` robust
deviations (1.4826 times the median absolute deviation), and `LEAST_BREAK`, from their median, with at least
`YEARS_FOR_BREAK` of them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.facts import DistrictFacts

Array = NDArray[np.float64]

BREAK = 3.0
LEAST_BREAK = 0.1
"""Of a logarithm: where all years are nearly alike, their rounding is no break."""
ROBUST = 1.4826  # of the median absolute deviation, for the standard deviation of a normal distribution
YEARS_FOR_BREAK = 4


def trends(panel: pd.DataFrame) -> pd.DataFrame:
    """Tell how each row of a panel has changed.

    Args:
        panel: exports by unit (rows) and year (columns, whole numbers); NaN where a year is not told.

    Returns:
        Indexed as ``panel``: ``first_year``, ``last_year`` (with exports; 0 where there are none), ``growth`` and
        ``volatility`` by (74) (NaN where they cannot be told), ``break_year`` (0: none), ``rank_first``, ``rank_last``
        (in the first and the last year of the panel, 1 the largest; NaN where not told), ``climbed`` (ranks won),
        ``entered`` (nothing in the first year told, something in the last), ``left`` (the other way round).
    """
    years = sorted(int(year) for year in panel.columns)
    values = panel[years].to_numpy(np.float64)
    rows = [_row(values[i], np.array(years)) for i in range(len(panel))]
    table = pd.DataFrame(rows, index=panel.index, columns=_COLUMNS)
    for name, which in (("rank_first", 0), ("rank_last", -1)):
        table[name] = panel[years[which]].rank(ascending=False, method="min") if years else np.nan
    table["climbed"] = table["rank_first"] - table["rank_last"]
    return table


_COLUMNS = ("first_year", "last_year", "growth", "volatility", "break_year", "entered", "left")


def _row(x: Array, years: NDArray[np.int64]) -> tuple[int, int, float, float, int, bool, bool]:
    some, told = np.flatnonzero(x > 0), np.flatnonzero(np.isfinite(x))
    entered = bool(len(told) and x[told[0]] == 0 and x[told[-1]] > 0)
    left = bool(len(told) and x[told[0]] > 0 and x[told[-1]] == 0)
    if not len(some):
        return 0, 0, np.nan, np.nan, 0, entered, left
    first, last = some[0], some[-1]
    span = int(years[last] - years[first])
    growth = float((x[last] / x[first]) ** (1.0 / span) - 1.0) if span else np.nan
    following = [(int(a), int(b)) for a, b in zip(some, some[1:], strict=False) if years[b] - years[a] == 1]
    steps = np.array([np.log(x[b] / x[a]) for a, b in following])
    volatility = float(steps.std(ddof=1)) if len(steps) > 1 else np.nan
    return int(years[first]), int(years[last]), growth, volatility, _break(steps, following, years), entered, left


def _break(steps: Array, following: list[tuple[int, int]], years: NDArray[np.int64]) -> int:
    if len(steps) < YEARS_FOR_BREAK:
        return 0
    away = np.abs(steps - np.median(steps))
    spread = ROBUST * float(np.median(away))
    worst = int(away.argmax())
    return int(years[following[worst][1]]) if away[worst] > max(BREAK * spread, LEAST_BREAK) else 0


def state_panel(history: pd.DataFrame, facts: DistrictFacts, fiscal_year: int | None) -> pd.DataFrame:
    """US$ a year by state and fiscal year, of whole years told in US$, and of the export table itself.

    Args:
        history: as from ``Pack.export_history``.
        fiscal_year: that of the export table; None: it is not known, and the table is left out.
    """
    whole = history[(history["district_id"] == "") & (history["months"] == 12) & (history["unit"] == "usd_million")]
    panel = whole.pivot_table("value", "state", "fiscal_year", aggfunc="last") * 1e6
    if fiscal_year is not None:
        now = facts.usd.groupby(facts.table["state"]).sum().add(facts.unplaced_usd, fill_value=0.0)
        panel = panel.reindex(panel.index.union(now.index))
        panel[fiscal_year] = now.reindex(panel.index)
    return panel


def district_panel(tables: dict[int, pd.Series]) -> pd.DataFrame:
    """US$ a year by district and year, from one list of exports per year; a district without a row exports nothing."""
    return pd.DataFrame(tables).fillna(0.0).sort_index(axis=1)

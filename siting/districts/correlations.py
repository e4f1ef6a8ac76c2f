"""What goes together with exports, and whether neighbours are alike. None of it says what causes what.

Rank correlations (Spearman) come with percentile intervals of a bootstrap over districts. Spatial autocorrelation takes
the nearest districts of each as its neighbours, weighted alike: w_ij = 1/k. With z the deviations from the mean,

    I = sum_i z_i sum_j w_ij z_j / sum_i z_i^2                                                            (72)
    I_i = z_i sum_j w_ij z_j / (sum_j z_j^2 / (n - 1))                                                    (73)

[Moran 1950; Anselin 1995], with pseudo p-values by permutation: of all values for I, of all but its own for I_i.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]

RESAMPLES = 500
PERMUTATIONS = 999
SEED = 1
LEVEL = 0.95
ALPHA = 0.05
QUADRANTS = ("high among high", "low among high", "low among low", "high among low")
"""Of a district and its neighbours, against the mean."""


def rank_correlations(table: pd.DataFrame, outcomes: list[str]) -> pd.DataFrame:
    """Spearman's correlation of each outcome with each other column, over districts where both are known.

    Returns:
        A row per pair: ``outcome``, ``with``, ``n``, ``correlation``, ``low`` and ``high`` (95 % by bootstrap); NaN
        where one side is the same for all.
    """
    rows = []
    for outcome in outcomes:
        for other in [name for name in map(str, table.columns) if name not in outcomes]:
            both = table[[outcome, other]].dropna().to_numpy(np.float64)
            rows.append({"outcome": outcome, "with": other, "n": len(both), **_spearman(both)})
    return pd.DataFrame(rows)


def spearman(x: Array, y: Array) -> float:
    """Spearman's rank correlation, ties at their mean rank; NaN where one side is the same for all."""
    return float(_pearson(_ranks(x[None]), _ranks(y[None]))[0])


def _ranks(values: Array) -> Array:
    """Ranks within each row."""
    return np.asarray(pd.DataFrame(values.T).rank().to_numpy(np.float64).T)


def _spearman(both: Array) -> dict[str, float]:
    n = len(both)
    if n < 3 or np.ptp(both[:, 0]) == 0 or np.ptp(both[:, 1]) == 0:
        return {"correlation": np.nan, "low": np.nan, "high": np.nan}
    drawn = np.random.default_rng(SEED).integers(0, n, (RESAMPLES, n))
    again = _pearson(*(_ranks(both[drawn, side]) for side in (0, 1)))
    low, high = np.nanquantile(again, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    own = spearman(both[:, 0], both[:, 1])
    return {"correlation": own, "low": float(low), "high": float(high)}


def _pearson(x: Array, y: Array) -> Array:
    """(n_rows,) correlation of the rows of two tables; NaN where a row is the same throughout."""
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    size = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    found: Array = np.divide((x * y).sum(axis=1), size, out=np.full(len(x), np.nan), where=size > 0)
    return found


@dataclass(frozen=True)
class Moran:
    """Spatial autocorrelation of a value.

    Args:
        i: by (72); 0 where the value is the same for all.
        expected: of a value without any pattern, -1 / (n - 1).
        p: share of permutations with an I as large.
    """

    i: float
    expected: float
    p: float


def moran(values: Array, neighbours: Index) -> Moran:
    """Moran's I by (72).

    Args:
        values: (n,).
        neighbours: (n, k) positions.
    """
    n, z = len(values), values - values.mean() if len(values) else values
    square = float((z**2).sum())
    expected = -1.0 / (n - 1) if n > 1 else 0.0
    if square == 0 or neighbours.shape[1] == 0:
        return Moran(0.0, expected, 1.0)
    found = float((z * z[neighbours].mean(axis=1)).sum() / square)
    random, larger = np.random.default_rng(SEED), 0
    for _ in range(PERMUTATIONS):
        shuffled = random.permutation(z)
        larger += float((shuffled * shuffled[neighbours].mean(axis=1)).sum() / square) >= found
    return Moran(found, expected, (larger + 1) / (PERMUTATIONS + 1))


def local_moran(values: Array, neighbours: Index) -> pd.DataFrame:
    """Local indicators by (73).

    Returns:
        (n,) rows: ``i``, ``p``, ``quadrant`` (of `QUADRANTS`), ``clear`` (p under `ALPHA`, not corrected for how many
        districts are looked at).
    """
    n, k = neighbours.shape
    z = values - values.mean() if n else values
    mean_square = float((z**2).sum()) / max(n - 1, 1)
    if mean_square == 0 or k == 0:
        return pd.DataFrame({"i": np.zeros(n), "p": np.ones(n), "quadrant": QUADRANTS[2], "clear": False})
    lag = z[neighbours].mean(axis=1)
    own = z * lag / mean_square
    random = np.random.default_rng(SEED)
    others = np.stack([random.permutation(n - 1)[:k] for _ in range(PERMUTATIONS)])
    larger = np.zeros(n, np.int64)
    for i in range(n):
        drawn = z[others + (others >= i)].mean(axis=1)
        larger[i] = int((z[i] * drawn / mean_square >= own[i]).sum())
    p = (np.minimum(larger, PERMUTATIONS - larger) + 1) / (PERMUTATIONS + 1)
    which = np.select([(z > 0) & (lag > 0), (z <= 0) & (lag > 0), (z <= 0) & (lag <= 0)], [0, 1, 2], 3)
    return pd.DataFrame({"i": own, "p": p, "quadrant": np.array(QUADRANTS, object)[which], "clear": p < ALPHA})

"""How evenly the cost of a tonne is spread over the under-utilised districts, today and with a plan.

Districts in order of what a tonne costs them, T_k the share of the first k in all tonnes and L_k that in all cost:
the points (T_k, L_k) are the Lorenz curve, and with T_0 = L_0 = 0

    G = 1 - sum_k (T_k - T_{k-1}) (L_k + L_{k-1})                                                     (76)

its Gini coefficient, 0 where a tonne costs the same everywhere [Lorenz 1905; Gini 1912].
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEPS = 20
"""Parts of all tonnes at which the curve is told."""


def lorenz(cost_per_t: Array, tonnes: Array) -> tuple[Array, Array]:
    """The Lorenz curve of cost, each district weighing as its tonnes: shares of tonnes and of cost, from 0 to 1."""
    order = np.argsort(cost_per_t, kind="stable")
    weight, cost = tonnes[order], (cost_per_t * tonnes)[order]
    shares = [np.concatenate([[0.0], np.cumsum(values)]) for values in (weight, cost)]
    return shares[0] / max(shares[0][-1], 1e-300), shares[1] / max(shares[1][-1], 1e-300)


def gini_of(cost_per_t: Array, tonnes: Array) -> float:
    """Gini coefficient by (76)."""
    if not len(tonnes) or not tonnes.sum() > 0:
        return 0.0
    of_tonnes, of_cost = lorenz(cost_per_t, tonnes)
    return float(1.0 - (np.diff(of_tonnes) * (of_cost[1:] + of_cost[:-1])).sum())


def equity_of(districts: pd.DataFrame) -> dict[str, Any]:
    """Gini coefficient and Lorenz curve before and after, of the under-utilised districts that have cargo and a way.

    Args:
        districts: columns ``under_utilised``, ``tonnes_per_year``, ``cost_before_inr_per_t``, ``cost_after_inr_per_t``.

    Returns:
        ``gini_before``, ``gini_after``; ``tonnes_share`` and the share in all cost of those tonnes, the cheapest first:
        ``cost_share_before``, ``cost_share_after``.
    """
    counted = districts["under_utilised"] & (districts["tonnes_per_year"] > 0)
    counted &= districts[["cost_before_inr_per_t", "cost_after_inr_per_t"]].notna().all(axis=1)
    table = districts[counted]
    tonnes = table["tonnes_per_year"].to_numpy(np.float64)
    at = np.linspace(0.0, 1.0, STEPS + 1)
    told: dict[str, Any] = {"tonnes_share": at.round(6).tolist()}
    for when in ("before", "after"):
        cost = table[f"cost_{when}_inr_per_t"].to_numpy(np.float64)
        told[f"gini_{when}"] = gini_of(cost, tonnes)
        curve = np.interp(at, *lorenz(cost, tonnes)) if len(table) else at
        told[f"cost_share_{when}"] = curve.tolist()
    return told

"""The inner loops of the Lagrangian relaxation without capacities: compiled by numba where it is installed.

Lanes are sorted by cost within a client, so each loop touches only lanes below the multiplier. Without numba
the same sums are taken over all lanes by NumPy: the same numbers, more slowly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

try:
    import numba
except ImportError:
    numba = None

COMPILED = numba is not None


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile with numba and keep the result on disk; without numba, the function itself."""
    return numba.njit(cache=True)(function) if numba is not None else function


@compiled
def add_gains(first: Any, place: Any, cost: Any, lam: Any, worth: Any) -> None:
    """Add min(0, c_l - lambda_i) of every lane to its place's worth."""
    for i in range(len(lam)):
        for k in range(first[i], first[i + 1]):
            gain = cost[k] - lam[i]
            if gain >= 0.0:
                break
            worth[place[k]] += gain


@compiled
def subtract_use(first: Any, place: Any, cost: Any, lam: Any, opened: Any, slope: Any) -> None:
    """Take from every client's slope how far the places of its gainful lanes are open."""
    for i in range(len(lam)):
        for k in range(first[i], first[i + 1]):
            if cost[k] >= lam[i]:
                break
            slope[i] -= opened[place[k]]


def gains(first: Any, client: Any, place: Any, cost: Any, lam: Any, n_places: int) -> Any:
    """(n_places,) sum of min(0, c_l - lambda_i) over the lanes of each place."""
    if COMPILED:
        worth = np.zeros(n_places)
        add_gains(first, place, cost, lam, worth)
        return worth
    return np.bincount(place, weights=np.minimum(cost - lam[client], 0.0), minlength=n_places)


def slopes(first: Any, client: Any, place: Any, cost: Any, lam: Any, opened: Any) -> Any:
    """(n_clients,) 1 - sum of opened over the places of each client's gainful lanes."""
    slope = np.ones(len(lam))
    if COMPILED:
        subtract_use(first, place, cost, lam, opened, slope)
        return slope
    use = np.where(cost < lam[client], opened[place], 0.0)
    return slope - np.bincount(client, weights=use, minlength=len(lam))

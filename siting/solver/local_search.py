"""Swap, add and drop on sets of open options where neither capacities nor two-place lanes matter.

All moves are priced at once from each client's nearest and second-nearest open place (Whitaker 1983; Resende
and Werneck 2007): opening j gains sum_i (d1_i - c_ij)+, closing k loses sum_{i at k} (d2_i - d1_i), and doing
both costs less than the sum by what clients of k save by moving to j rather than to their second.
"""

from __future__ import annotations

import numpy as np

from siting.solver.core import Core
from siting.solver.kernels import best_swap, gains, two_nearest
from siting.solver.problem import BoolArray, FloatArray, IntArray


class SwapSearch:
    """Local search on one core; `improve` may be called from many starts."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.place = np.ascontiguousarray(core.places[:, 0])
        finite = core.unserved[np.isfinite(core.unserved)]
        largest = max(float(np.abs(values).max(initial=1e-300)) for values in (core.cost, finite, core.fixed_cost))
        self.far = 4.0 * largest  # stands for "cannot be served", so that moves repair it
        self.use = core.rules.coefficients.T.toarray()  # (n_options, n_rules)
        self.stay = np.where(np.isfinite(core.unserved), core.unserved, self.far)

    def improve(self, opened: BoolArray, moves: int, worth: float = np.inf) -> tuple[float, BoolArray]:
        """Best move after best move from a set that keeps the limits; (cost without base, options).

        Args:
            worth: a set that costs more than this is left as it is.
        """
        core = self.core
        opened = opened.copy()
        tolerance = 1e-9 * max(1e-300, float(np.abs(self.stay).sum()))
        first, d1, d2 = self._nearest(opened)
        if float(d1.sum() + core.fixed_cost[opened].sum()) > worth:
            moves = 0
        for _ in range(moves):
            enter, leave, change = self._best_move(opened, first, d1, d2)
            if change >= -tolerance:
                break
            if leave >= 0:
                opened[leave] = False
            if enter >= 0:
                opened[enter] = True
            first, d1, d2 = self._nearest(opened)
        total = float(d1.sum() + core.fixed_cost[opened].sum())
        return (total if (d1 < self.far).all() else np.inf), opened

    def nearest_two(self, opened: BoolArray) -> tuple[FloatArray, FloatArray]:
        """(n_clients,) cost through the nearest and the second-nearest open place, or of staying unserved."""
        return self._nearest(opened)[1:]

    def _nearest(self, opened: BoolArray) -> tuple[IntArray, FloatArray, FloatArray]:
        """(n_clients,) nearest open place (-1: unserved), the cost through it, and through the second-nearest."""
        core = self.core
        is_open = np.zeros(core.n_places, dtype=bool)
        is_open[core.place[opened]] = True
        at, d1, d2 = two_nearest(core.first_lane, self.place, core.cost, is_open, self.stay)
        return at, d1, d2

    def _best_move(self, opened: BoolArray, first: IntArray, d1: FloatArray, d2: FloatArray) -> tuple[int, int, float]:
        """(option to open or -1, option to close or -1, change of cost) of the best allowed move."""
        core = self.core
        inside, outside = np.flatnonzero(opened), np.flatnonzero(~opened)
        slot = np.full(core.n_places + 1, -1)
        slot[core.place[inside]] = np.arange(len(inside))  # -1, unserved, stays -1
        at = slot[first]
        loss = np.bincount(at[at >= 0], weights=(d2 - d1)[at >= 0], minlength=len(inside))
        worth = -gains(core.first_lane, self.place, core.cost, d1, core.n_places)
        best = (-1, -1, 0.0)
        add = core.fixed_cost[outside] - worth[core.place[outside]]
        drop = np.where(core.forced[inside], np.inf, loss - core.fixed_cost[inside])
        down, up = core.rules.room(opened)
        closing, opening = self.use[inside], self.use[outside]
        taken = np.full(core.group.max(initial=-1) + 2, -1)
        taken[core.group[inside]] = inside
        taken[-1] = -1
        rival = taken[core.group[outside]]
        dropped = np.where(((-closing >= down) & (-closing <= up)).all(axis=1), drop, np.inf)
        if dropped.min(initial=0.0) < best[2]:
            k = int(dropped.argmin())
            best = (-1, int(inside[k]), float(dropped[k]))
        added = np.where(((opening >= down) & (opening <= up)).all(axis=1) & (rival < 0), add, np.inf)
        if added.min(initial=0.0) < best[2]:
            k = int(added.argmin())
            best = (int(outside[k]), -1, float(added[k]))
        j, k, change = best_swap(
            core.first_lane, self.place, core.cost, d1, d2, at, drop, closing,
            core.place[outside], add, opening, np.where(rival >= 0, slot[core.place[rival]], -1), down, up,
            core.n_places,
        )  # fmt: skip
        if change < best[2]:
            best = (int(outside[j]), int(inside[k]), float(change))
        return best

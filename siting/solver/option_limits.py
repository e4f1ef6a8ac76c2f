"""Bounds on the options of a region's plans, and the rows over options that they must keep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack

from siting.solver.problem import BoolArray, FacilityProblem, FloatArray, IntArray

ROUNDING = 1e-12
"""Relative; what counts as rounding in a limit on options."""
FIT = 1e-9
"""Relative; what is this much larger than its room still fits."""


@dataclass(frozen=True, eq=False)
class Bound:
    """What some prices prove of the plans within some limits.

    Attributes:
        value: no such plan costs less; what rounding may have added is taken off.
        enter, leave: (n_options,) by how much the value rises at least if the option opens, or stays closed.
    """

    value: float
    enter: FloatArray
    leave: FloatArray


@dataclass(eq=False)
class Limits:
    """Bounds on the options of the plans of a region.

    Attributes:
        low, high: (n_options,) masks: open in all of them; open in any.
        fewest, most: how many are open.
        one_of: (n_options,) one of these is open; None = nothing said.
        group: (n_options,) groups of the problem.
    """

    low: BoolArray
    high: BoolArray
    fewest: float
    most: float
    one_of: BoolArray | None
    group: IntArray

    def settle(self, found: Bound, enough: float) -> None:
        """Close what would cost enough to open, and open what would cost enough to leave closed."""
        self.high &= ~(found.value + found.enter >= enough)
        self.low |= found.value + found.leave >= enough
        self.close_rivals()

    def close_rivals(self) -> None:
        """Close the others of a group with an open option (6)."""
        taken = self.group[self.low & (self.group >= 0)]
        if len(taken):
            self.high &= ~np.isin(self.group, taken) | self.low

    def parted(self, options: BoolArray, most: int, counted: BoolArray) -> tuple[Limits, Limits]:
        """The limits where at most so many of some options are open, and where more are.

        Args:
            counted: (n_options,) options that `fewest` and `most` count.
        """
        below = Limits(self.low.copy(), self.high.copy(), self.fewest, self.most, self.one_of, self.group)
        above = Limits(self.low.copy(), self.high.copy(), self.fewest, self.most, self.one_of, self.group)
        if most == 0:
            below.high &= ~options
            if options.sum() == 1:
                above.low |= options
                above.close_rivals()
            else:
                above.one_of = options
            return below, above
        if not (self.high & counted & ~options).any():
            below.most = min(self.most, most)
        if not (self.high & options & ~counted).any():
            above.fewest = max(self.fewest, most + 1)
        return below, above


class OptionRows:
    """The rows over options: the problem's own, then (12) and (13) where everybody must be served.

    Attributes:
        rows: (n_rows, n_options); lower, upper: (n_rows,) with what counts as rounding.
        fewest: the m of (13); 0 = nothing said.
        counted: (n_options,) the options that (13) counts.
        room: (n_options,) the most that can go through each.
    """

    def __init__(self, problem: FacilityProblem, must: BoolArray, reach: FloatArray) -> None:
        p = self.problem = problem
        self.grouped = bool((p.group >= 0).any())
        limits = p.limits
        total = float(p.demand[must].sum())
        room = self.room = np.minimum(p.capacity, reach)
        self.fewest = 0
        held = np.zeros((2, p.n_options))
        lower = [-np.inf, 0.0]
        if total > 0 and np.isfinite(room).all():
            held[0], lower[0] = room / total, 1.0
            held_at_most = np.cumsum(np.sort(room)[::-1])
            self.fewest = int(np.searchsorted(held_at_most, total * (1 - FIT))) + 1
        self.counted = room > 0 if self.fewest else np.ones(p.n_options, dtype=bool)
        held[1] = self.counted
        self.rows = vstack([limits.coefficients, csr_array(held)], format="csr")
        self.size = abs(self.rows)
        self.positive, self.negative = self.rows.maximum(0.0), self.rows.minimum(0.0)
        self.lower = np.concatenate([limits.lower, lower])
        self.upper = np.concatenate([limits.upper, [np.inf, np.inf]])
        self.lower -= ROUNDING * np.where(np.isfinite(self.lower), np.abs(self.lower), 0.0)
        self.upper += ROUNDING * np.where(np.isfinite(self.upper), np.abs(self.upper), 0.0)

    def limits(self) -> Limits:
        """What the problem says of single options: (8), and what a row over options rules out on its own."""
        p = self.problem
        low, high = np.zeros(p.n_options, dtype=bool), np.ones(p.n_options, dtype=bool)
        low[p.forced_open], high[p.forbidden] = True, False
        high &= p.min_throughput <= self.room * (1 + FIT)  # (17)
        limits = Limits(low, high, float(self.fewest), np.inf, None, p.group)
        limits.close_rivals()
        row = np.repeat(np.arange(self.rows.shape[0]), np.diff(self.rows.indptr))
        option, value = self.rows.indices, self.rows.data
        while True:
            least, most = self.activity(limits)
            free = limits.high[option] & ~limits.low[option]
            slack = ROUNDING * np.abs(value)
            too_much = (value > 0) & (least[row] + value > self.upper[row] + slack)
            too_little = (value < 0) & (most[row] + value < self.lower[row] - slack)
            shut = option[free & (too_much | too_little)]
            if not len(shut):
                return limits
            limits.high[shut] = False

    def activity(self, limits: Limits) -> tuple[FloatArray, FloatArray]:
        """(n_rows,) the least and the most that each row can come to, group by group apart."""
        certain = self.rows @ limits.low.astype(float)
        free = (limits.high & ~limits.low).astype(float)
        return certain + self.negative @ free, certain + self.positive @ free

    def possible(self, limits: Limits) -> bool:
        """Whether the limits leave any plan, by the rows over options alone."""
        p = self.problem
        if (limits.low & ~limits.high).any() or limits.fewest > limits.most:
            return False
        if self.grouped:
            taken = p.group[limits.low & (p.group >= 0)]
            if len(np.unique(taken)) < len(taken):
                return False
        if (limits.high & self.counted).sum() < limits.fewest or (limits.low & self.counted).sum() > limits.most:
            return False
        if limits.one_of is not None and not (limits.one_of & limits.high).any():
            return False
        least, most = self.activity(limits)
        size = self.size @ limits.high.astype(float)
        return not ((least > self.upper + ROUNDING * size) | (most < self.lower - ROUNDING * size)).any()

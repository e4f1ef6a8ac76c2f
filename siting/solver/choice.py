"""Which options to open when each has a value of its own: the master of the Lagrangian relaxation.

    min  sum_j v_j y_j   s.t.  (5) budget, (6) groups, (7) number open, (16) rules, (8) forced, 0 <= y <= 1,
                               sum_j u_j y_j >= sum_i q_i  when everybody must be served,             (12)
                               sum_j y_j >= m              the fewest options that can hold it        (13)

Every row but the groups gets a price; at fixed prices every group picks its best option or none.
The dual in one price is concave and piecewise linear, and two supporting lines at a time find its top exactly;
with several prices, one is improved after the other. Any prices give a valid bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from siting.solver.core import Core
from siting.solver.problem import BoolArray, FloatArray, IntArray
from siting.solver.rules import Rules

ROUNDS = 3
"""Times each price is improved per call when there are several."""
STEPS = 60
"""Supporting lines per price; a handful is usual."""
WIDER = 4
"""By how much a step widens that has not come to the other side of the top."""


@dataclass(frozen=True, eq=False)
class Choice:
    """Options chosen at the best prices found.

    Attributes:
        value: lower bound on sum_j v_j y_j.
        y: (n_options,) in [0, 1]; fractional in a group or two where the budget ends.
        enter: (n_options,) by how much the bound rises if the option must open; 0 where it is chosen.
        leave: (n_options,) by how much it rises if the option must stay closed; 0 where it is not chosen.
        prices: (n_sets, n_rows) prices of the rows of `OptionChoice`; each set gives the value.
    """

    value: float
    y: FloatArray
    enter: FloatArray
    leave: FloatArray
    prices: FloatArray


def fewest_open(core: Core) -> int:
    """The m of (13): how many of the largest options hold all demand; 0 where (12) does not apply.

    One more than there are options where not even all of them do.
    """
    total = float(core.demand.sum())
    if not (np.isinf(core.unserved).all() and np.isfinite(core.capacity).all() and total > 0):
        return 0
    held = np.cumsum(np.sort(core.capacity)[::-1])
    return int(np.searchsorted(held, total * (1 - 1e-9))) + 1


def holding_rules(core: Core) -> Rules:
    """(12) and (13), or nothing where they do not apply: implied by the capacities, but they help the bound."""
    fewest = fewest_open(core)
    if fewest == 0:
        return Rules.none(core.n_options)
    rows = np.stack([core.capacity / float(core.demand.sum()), np.ones(core.n_options)])
    return Rules(rows, lower=np.array([1.0, float(fewest)]), names=["capacity in all", "fewest open"])


@dataclass(frozen=True, eq=False)
class _Row:
    """A limit sum_j use_j y_j <= right, or = right: row `rule` of the rules, its lower limit with sign 1.

    `use` is that of `options`; of all others it is 0.
    """

    options: IntArray
    use: FloatArray
    right: float
    equality: bool
    rule: int
    sign: float = -1.0


@dataclass(frozen=True, eq=False)
class _Point:
    """The dual at some prices."""

    value: float
    chosen: BoolArray
    w: FloatArray


class OptionChoice:
    """Solves (12) for one core and many v; remembers its prices from call to call."""

    def __init__(self, core: Core) -> None:
        self.forced = core.forced
        n = core.n_options
        self.n_open = core.n_open
        holding = holding_rules(core)
        if len(holding):  # where capacities are alike (13) says more than (12); where the number is given, nothing
            useful = np.array([np.ptp(core.capacity) > 0, core.n_open is None])
        self.n_rules = len(core.rules)
        self.rows = _sides(core.rules)
        self.rows += [row for row in _sides(holding, self.n_rules) if useful[row.rule - self.n_rules]]
        self.prices = np.zeros(len(self.rows))
        self.uses = csr_array(
            (
                np.concatenate([row.use for row in self.rows] or [np.zeros(0)]),
                np.concatenate([row.options for row in self.rows] or [np.zeros(0, dtype=np.int64)]),
                np.cumsum([0, *(len(row.use) for row in self.rows)]),
            ),
            shape=(len(self.rows), n),
        )
        self.right = np.array([row.right for row in self.rows])
        self.equality = np.array([row.equality for row in self.rows], dtype=bool)
        label = np.where(core.group < 0, ~np.arange(n), core.group)  # below 0: on its own
        _, self.number, count = np.unique(label, return_inverse=True, return_counts=True)
        self.order = np.argsort(self.number, kind="stable")
        self.start = np.cumsum(count) - count
        self.grouped = len(count) < n

    def choose(self, v: FloatArray) -> Choice:
        """Bound, choice and reduced costs for these values."""
        if len(v) == 0:
            return Choice(0.0, v, v, v, self.prices[None, :])
        if self.n_open is not None and len(self.rows) == 1 and not self.grouped and not self.forced.any():
            return _choose_number(v, self.n_open)
        point = self._at(v)
        y = point.chosen.astype(float)
        for _ in range(ROUNDS if len(self.rows) > 1 else 1):
            before, k = point.value, -1
            while True:
                after = np.arange(len(self.rows)) > k
                waiting = np.flatnonzero(after & ~self._kept_without_price(point))
                if not len(waiting):
                    break
                k = int(waiting[0])
                point, y = self._improve(v, k)
            if k < len(self.rows) - 1:
                y = point.chosen.astype(float)  # the last row is kept without a price
            if point.value <= before + 1e-9 * abs(before):
                break
        return Choice(point.value, y, *self._changes(point), self.prices[None, :].copy())

    def _kept_without_price(self, point: _Point) -> BoolArray:
        """(n_rows,) mask of the rows that have no price and need none at a point."""
        return np.asarray((self.prices == 0) & ~self.equality & (self.uses @ point.chosen <= self.right))

    def row_prices(self, prices: FloatArray) -> FloatArray:
        """(n_rules + 2,) prices of the core's rules, then of (12) and (13): above 0 at their lower limits."""
        found = np.zeros(self.n_rules + 2)
        for row, price in zip(self.rows, prices.tolist(), strict=True):
            found[row.rule] += row.sign * price
        return found

    def offset(self) -> FloatArray:
        """(n_options,) what the prices of the last call add to each value; -inf at options that open in any case."""
        total = np.where(self.forced, -np.inf, 0.0)
        for row, price in zip(self.rows, self.prices.tolist(), strict=True):
            if price:
                total[row.options] += price * row.use
        return total

    def _at(self, v: FloatArray) -> _Point:
        w = v.copy()
        value = 0.0
        for k in np.flatnonzero(self.prices):
            row, price = self.rows[k], self.prices[k]
            w[row.options] += price * row.use
            value -= price * row.right
        if self.grouped:
            best = np.minimum.reduceat(w[self.order], self.start)
            least = np.flatnonzero((w == best[self.number]) & (w < 0))
            _, first = np.unique(self.number[least], return_index=True)  # of equals in a group
            chosen = np.zeros(len(w), dtype=bool)
            chosen[least[first]] = True
        else:
            chosen = w < 0
        chosen |= self.forced
        return _Point(value + float(w[chosen].sum()), chosen, w)

    def _improve(self, v: FloatArray, k: int) -> tuple[_Point, FloatArray]:
        """The best price for one row, the others fixed, and the y at which its limit is met."""
        row = self.rows[k]
        unit = (float(np.abs(v).max()) or 1.0) / float(np.abs(row.use).max())
        lowest = -np.inf if row.equality else 0.0

        def look(price: float) -> tuple[_Point, float]:
            self.prices[k] = price
            point = self._at(v)
            return point, float(row.use[point.chosen[row.options]].sum()) - row.right  # the slope of the dual

        price = max(self.prices[k], lowest)
        point, slope = look(price)
        step = 0.05 * unit
        low = high = None
        for _ in range(STEPS):  # bracket the top, then cut the bracket where its two lines meet
            if slope > 0:
                low = (price, point, slope)
            else:
                high = (price, point, slope)
            if slope == 0 or (slope < 0 and price <= lowest):
                return point, point.chosen.astype(float)
            if high is None or low is None:
                price = price + step if high is None else max(price - step, lowest)
                step *= WIDER
            else:
                rise = low[2] - high[2]
                meet = (high[1].value - low[1].value + low[2] * low[0] - high[2] * high[0]) / rise
                top = low[1].value + low[2] * (meet - low[0])
                best = max(low[1].value, high[1].value)
                if top <= best + 1e-10 * abs(top) or not low[0] < meet < high[0]:
                    break
                price = meet
            if abs(price) > 1e9 * unit:
                break
            point, slope = look(price)
        if low is None or high is None:  # no price suffices: the limit cannot be met by any choice
            return point, point.chosen.astype(float)
        share = -high[2] / (low[2] - high[2])
        y = share * low[1].chosen + (1.0 - share) * high[1].chosen
        self.prices[k], point, _ = max(low, high, key=lambda side: side[1].value)
        return point, y

    def _changes(self, point: _Point) -> tuple[FloatArray, FloatArray]:
        """Rise of the bound when an option is forced in or out, at these prices."""
        w = point.w
        if not self.grouped:
            return np.maximum(w, 0.0), np.where(self.forced, 0.0, np.maximum(-w, 0.0))
        ordered = w[self.order].copy()
        best = np.minimum(np.minimum.reduceat(ordered, self.start), 0.0)
        ordered[point.chosen[self.order]] = np.inf
        second = np.minimum(np.minimum.reduceat(ordered, self.start), 0.0)
        enter = np.where(point.chosen, 0.0, w - best[self.number])
        leave = np.where(point.chosen & ~self.forced, second[self.number] - w, 0.0)
        return enter, leave


def _sides(rules: Rules, first: int = 0) -> list[_Row]:
    """Rows as limits from above, equalities apart, without those that no choice can break or mend."""
    found = []
    a = rules.coefficients
    for r, (start, end) in enumerate(zip(a.indptr[:-1], a.indptr[1:], strict=True), first):
        options, use = a.indices[start:end].astype(np.int64), a.data[start:end]
        lower, upper = float(rules.lower[r - first]), float(rules.upper[r - first])
        if not use.any():  # no price mends a row that nothing can change
            continue
        if lower == upper:
            found.append(_Row(options, use, upper, True, r))
            continue
        if use[use > 0].sum() > upper:
            found.append(_Row(options, use, upper, False, r))
        if use[use < 0].sum() < lower:
            found.append(_Row(options, -use, -lower, False, r, 1.0))
    return found


def _choose_number(v: FloatArray, p: int) -> Choice:
    """Exactly p of the options, nothing else asked: the p least."""
    n = len(v)
    order = np.argsort(v, kind="stable")
    y = np.zeros(n)
    y[order[:p]] = 1.0
    last = v[order[p - 1]] if p > 0 else -np.inf
    following = v[order[p]] if p < n else np.inf
    enter = np.where(y > 0, 0.0, v - last)
    leave = np.where(y > 0, following - v, 0.0)
    prices = np.array([[-price] for price in (last, following) if np.isfinite(price)])  # the second values leaving
    return Choice(float(v[order[:p]].sum()), y, enter, leave, prices)

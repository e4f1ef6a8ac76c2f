"""What rules can still come to once some options are forced open and some closed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from siting.solver.rules import BoolArray, FloatArray, Rules, rounding


@dataclass(frozen=True, eq=False)
class _End:
    """One end of what rows can come to, and the size of the terms there; (n_rules,) each."""

    value: FloatArray
    size: FloatArray


def out_of_reach(rules: Rules, forced: BoolArray, closed: BoolArray) -> BoolArray:
    """(n_rules,) mask of the rows that no plan with some options forced open and some closed can keep."""
    least, most = _range(rules, forced, closed)
    over = least.value > rules.upper + rounding(rules.upper, least.size)
    return np.asarray(over | (most.value < rules.lower - rounding(rules.lower, most.size)))


def shut_out(rules: Rules, forced: BoolArray, closed: BoolArray) -> BoolArray:
    """(n_options,) mask of further options that no plan with some forced open and some closed can open.

    Opening one of them takes a row out of its limits, whatever else is open.
    """
    row, option, value = rules.row_of, rules.coefficients.indices, rules.coefficients.data
    lower, upper = rules.lower[row], rules.upper[row]
    shut = closed.copy()
    while True:
        least, most = _range(rules, forced, shut)
        free = ~forced & ~shut
        over = least.value[row] + value > upper + rounding(upper, least.size[row] + value)
        under = most.value[row] + value < lower - rounding(lower, most.size[row] - value)
        breaks = np.where(value > 0, over, under)
        new = np.zeros(rules.n_options, dtype=bool)
        new[option[breaks]] = True
        new &= free
        if not new.any():
            return shut & ~closed
        shut |= new


def wanted(rules: Rules, forced: BoolArray, closed: BoolArray) -> BoolArray:
    """(n_options,) mask of the options that opening may help to keep a row: those are no use to drop."""
    least, most = _range(rules, forced, closed)
    row = rules.row_of
    value = rules.coefficients.data
    helps = ((value > 0) & (least.value < rules.lower)[row]) | ((value < 0) & (most.value > rules.upper)[row])
    mask = np.zeros(rules.n_options, dtype=bool)
    mask[rules.coefficients.indices[helps]] = True
    return mask


def _range(rules: Rules, forced: BoolArray, closed: BoolArray) -> tuple[_End, _End]:
    """The least and the most that A y can come to."""
    a = rules.coefficients
    sums = [
        rules.sums(terms)
        for values, mask in ((a.data, forced), (a.data, ~forced & ~closed))
        for terms in (np.minimum(values, 0.0) * mask[a.indices], np.maximum(values, 0.0) * mask[a.indices])
    ]
    (taken, given), (below, above) = sums[:2], sums[2:]
    return _End(given + taken + below, given - taken - below), _End(given + taken + above, given - taken + above)

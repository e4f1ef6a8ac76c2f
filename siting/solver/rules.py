"""Rules: rows over options that every plan keeps, as one sparse object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, issparse, vstack

from siting.solver.errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

TOLERANCE = 1e-9
"""Part of a row's size (its limit, or the coefficients of what is open) by which it may be exceeded: rounding."""


class Rules:
    """Rows lower <= A y <= upper over options open (y = 1) or closed (y = 0), as scipy.optimize.LinearConstraint.

    Args:
        coefficients: (n_rules, n_options) A, dense or sparse; any signs.
        lower, upper: (n_rules,) limits, or one for all; -inf and inf = none; the same number twice = equality.
        names: (n_rules,) what messages call the rows; by default "rule 0", "rule 1", ...

    Attributes:
        coefficients: as a sparse array by rows, without zeros.
        lower, upper, names: one for each row.

    Raises:
        InputError: naming every fault found. Rows that no plan can keep are no error: `solve` says "infeasible".
    """

    def __init__(
        self,
        coefficients: npt.ArrayLike | csr_array,
        lower: npt.ArrayLike = -np.inf,
        upper: npt.ArrayLike = np.inf,
        names: Sequence[str] | None = None,
    ) -> None:
        matrix = coefficients if issparse(coefficients) else np.atleast_2d(np.asarray(coefficients, dtype=np.float64))
        self.coefficients = csr_array(matrix).astype(np.float64)
        self.coefficients.sum_duplicates()
        self.coefficients.eliminate_zeros()
        n = self.coefficients.shape[0]
        self.names = tuple(names) if names is not None else tuple(f"rule {r}" for r in range(n))
        faults = [
            f"{label} has shape {np.shape(side)}; expected ({n},) or one number"
            for label, side in (("lower", lower), ("upper", upper))
            if np.shape(side) not in ((), (n,))
        ]
        if len(self.names) != n:
            faults.append(f"names has {len(self.names)} names for {n} rules; give one each")
        if not np.isfinite(self.coefficients.data).all():
            faults.append("coefficients hold a number that is not finite; leave options out with 0")
        if faults:
            raise InputError(faults)
        self.lower, self.upper = np.full(n, lower, dtype=np.float64), np.full(n, upper, dtype=np.float64)
        wrong = ~(self.lower <= self.upper) | np.isposinf(self.lower) | np.isneginf(self.upper)
        if wrong.any():
            raise InputError(
                [
                    f"{self.names[r]} asks for {self.lower[r]:g} to {self.upper[r]:g}; give a finite lower limit up to "
                    "the upper one, or -inf and inf for none"
                    for r in np.flatnonzero(wrong)
                ]
            )
        for array in (self.lower, self.upper, self.coefficients.data):
            array.flags.writeable = False

    @classmethod
    def none(cls, n_options: int) -> Rules:
        """No rows over so many options."""
        return cls._made(csr_array((0, n_options)), np.zeros(0), np.zeros(0), ())

    @classmethod
    def stacked(cls, parts: Iterable[Rules]) -> Rules:
        """All rows of some rules over the same options, in their order."""
        each = list(parts)
        several = [rules for rules in each if len(rules)] or each[:1]
        if len(several) == 1:
            return several[0]
        return cls._made(
            vstack([rules.coefficients for rules in several], format="csr"),
            np.concatenate([rules.lower for rules in several]),
            np.concatenate([rules.upper for rules in several]),
            tuple(name for rules in several for name in rules.names),
        )

    @classmethod
    def _made(cls, coefficients: csr_array, lower: FloatArray, upper: FloatArray, names: tuple[str, ...]) -> Rules:
        """Rules of what is known to be right, without another look at it."""
        rules = cls.__new__(cls)
        rules.coefficients, rules.lower, rules.upper, rules.names = coefficients, lower, upper, names
        return rules

    @classmethod
    def at_most_one(cls, group: IntArray) -> Rules:
        """One row for every group of two or more options: at most one of them opens.

        Args:
            group: (n_options,) group of each option, below 0 = none.
        """
        member = np.flatnonzero(group >= 0)
        labels, row, size = np.unique(group[member], return_inverse=True, return_counts=True)
        several = size > 1
        number = np.cumsum(several) - 1
        kept = several[row]
        matrix = csr_array(
            (np.ones(int(kept.sum())), (number[row[kept]], member[kept])), shape=(int(several.sum()), len(group))
        )
        n = matrix.shape[0]
        return cls._made(matrix, np.full(n, -np.inf), np.ones(n), tuple(f"group {label}" for label in labels[several]))

    def __len__(self) -> int:
        return len(self.lower)

    @property
    def n_options(self) -> int:
        return int(self.coefficients.shape[1])

    @cached_property
    def row_of(self) -> IntArray:
        """The row of each coefficient."""
        return np.repeat(np.arange(len(self)), np.diff(self.coefficients.indptr))

    def sums(self, terms: FloatArray) -> FloatArray:
        """(n_rules,) sums by row of one number for each coefficient."""
        return np.bincount(self.row_of, weights=terms, minlength=len(self)).astype(np.float64, copy=False)

    def described(self, row: int | np.integer[Any]) -> str:
        """A row's name and what it asks for: "budget: at most 12"."""
        lower, upper = self.lower[row], self.upper[row]
        if lower == upper:
            asks = f"exactly {upper:g}"
        else:
            sides = [f"at least {lower:g}"] * bool(np.isfinite(lower)) + [f"at most {upper:g}"] * bool(
                np.isfinite(upper)
            )
            asks = " and ".join(sides) or "any"
        return f"{self.names[row]}: {asks}"

    def of(self, options: IntArray) -> Rules:
        """The rows over some options, renumbered in the order given; the others stay closed."""
        return Rules._made(self.coefficients[:, options], self.lower, self.upper, self.names)

    def rows(self, which: IntArray | BoolArray) -> Rules:
        """Some of the rows."""
        positions = np.arange(len(self))[which]
        return Rules._made(
            self.coefficients[positions],
            self.lower[positions],
            self.upper[positions],
            tuple(self.names[r] for r in positions),
        )

    def room(self, opened: npt.NDArray[Any]) -> tuple[FloatArray, FloatArray]:
        """(n_rules,) each: how far A y may move down from a plan (-room, at most 0 where kept) and up."""
        terms = self.coefficients.data * opened[self.coefficients.indices]
        activity, size = self.sums(terms), self.sums(np.abs(terms))
        return (
            self.lower - activity - rounding(self.lower, size),
            self.upper - activity + rounding(self.upper, size),
        )

    def broken(self, opened: npt.NDArray[Any]) -> BoolArray:
        """(n_rules,) mask of the rows that a plan breaks beyond rounding."""
        down, up = self.room(opened)
        return np.asarray((down > 0) | (up < 0))

    def kept(self, opened: npt.NDArray[Any]) -> bool:
        """Whether a plan keeps every row."""
        return not len(self) or not self.broken(opened).any()

    @property
    def _counts(self) -> BoolArray:
        """(n_rows,) rows that count options."""
        others = np.abs(self.coefficients.data) != 1.0
        return np.asarray(np.bincount(self.row_of, weights=others, minlength=len(self)) == 0)

    def scaled(self) -> Rules:
        """The same rows divided by their largest limit (or coefficient), for solvers whose tolerances are absolute.

        Rows that count options stay as they are.
        """
        limit = np.maximum(*(np.where(np.isfinite(side), np.abs(side), 0.0) for side in (self.lower, self.upper)))
        largest = abs(self.coefficients).max(axis=1).toarray().ravel() if self.coefficients.nnz else np.zeros(len(self))
        row = self.row_of
        unit = np.where(self._counts, 1.0, np.where(limit > 0, limit, np.where(largest > 0, largest, 1.0)))
        a = self.coefficients
        matrix = csr_array((a.data / unit[row], a.indices, a.indptr), shape=a.shape)
        return Rules._made(matrix, self.lower / unit, self.upper / unit, self.names)

    def loosened(self, part: float) -> Rules:
        """The same rows with so much more room, as part of their limits; those that count options stay as they are."""
        more = [np.where(self._counts | np.isinf(side), 0.0, part * np.abs(side)) for side in (self.lower, self.upper)]
        return Rules._made(self.coefficients, self.lower - more[0], self.upper + more[1], self.names)


def rounding(limit: FloatArray, size: FloatArray) -> FloatArray:
    """What counts as rounding at a limit, for rows whose terms come to some size."""
    return np.asarray(TOLERANCE * np.maximum(size, np.where(np.isfinite(limit), np.abs(limit), 0.0)))

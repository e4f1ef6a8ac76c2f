"""Plans out of fractional ones: options in order of how far they are open, as the rules allow."""

from __future__ import annotations

import numpy as np

from siting.solver.core import Core
from siting.solver.problem import BoolArray, FloatArray
from siting.solver.rules import TOLERANCE, Rules

FLIPS = 50
"""Most options opened, closed or exchanged to mend a set that breaks a rule."""


class Rounding:
    """Rounds for one core."""

    def __init__(self, core: Core) -> None:
        self.core = core
        # With capacities, enough should be open for the clients that must be served.
        needed = float(core.demand[np.isinf(core.unserved)].sum()) if core.capacitated else 0.0
        enough = Rules(np.minimum(core.capacity, needed)[None, :], lower=needed)
        wished = Rules.stacked([core.rules, enough]) if needed > 0 else core.rules
        self._matrix = wished.coefficients
        by_option = wished.coefficients.tocsc()
        self._start, self._row, self._value = by_option.indptr, by_option.indices, by_option.data
        self._known_terms: dict[int, list[tuple[int, float]]] = {}
        self._group = core.group.tolist()
        self._lower = wished.lower.tolist()
        self._upper = (wished.upper + TOLERANCE * np.where(np.isfinite(wished.upper), abs(wished.upper), 0.0)).tolist()
        least = np.zeros(len(wished))
        np.minimum.at(least, by_option.indices, by_option.data)
        self._packing = (least >= 0).tolist()  # opening more never mends what is over the limit here
        positive = np.where(by_option.data > 0, by_option.data, 0.0)
        positive = positive / np.maximum(np.abs(wished.upper), 1e-300)[by_option.indices]
        self._use = np.zeros(core.n_options)  # part of the upper limits taken: the smaller of two equals goes first
        np.add.at(self._use, np.repeat(np.arange(core.n_options), np.diff(by_option.indptr)), positive)

    def plan(self, y: FloatArray, least: float = 0.5) -> BoolArray | None:
        """Options in order of y down to `least`, and further as far as rules ask; None where no plan comes of it."""
        core = self.core
        opened = core.forced.copy()
        activity = (self._matrix @ opened.astype(float)).tolist()
        groups = set(core.group[opened & (core.group >= 0)].tolist())
        unmet = {r for r, value in enumerate(activity) if not self._lower[r] <= value <= self._upper[r]}
        for j in np.lexsort((self._use, -y)).tolist():
            if y[j] < least and not unmet:
                break
            if opened[j] or self._group[j] in groups:
                continue
            terms, fits, helps = self._terms(j), True, y[j] >= least
            for r, a in terms:
                if a > 0 and self._packing[r] and activity[r] + a > self._upper[r]:
                    fits = False
                    break
                helps = helps or (r in unmet and (a > 0) == (activity[r] < self._lower[r]))
            if not (fits and helps):
                continue
            opened[j] = True
            if self._group[j] >= 0:
                groups.add(self._group[j])
            for r, a in terms:
                activity[r] += a
                if self._lower[r] <= activity[r] <= self._upper[r]:
                    unmet.discard(r)
                else:
                    unmet.add(r)
        return opened if core.rules.kept(opened) else self._mended(opened)

    def _terms(self, j: int) -> list[tuple[int, float]]:
        """(row, coefficient) of an option."""
        if j not in self._known_terms:
            part = slice(self._start[j], self._start[j + 1])
            self._known_terms[j] = list(zip(self._row[part].tolist(), self._value[part].tolist(), strict=True))
        return self._known_terms[j]

    def _mended(self, opened: BoolArray) -> BoolArray | None:
        """Open, close or exchange within a group, one at a time, what takes most off the rows that are broken."""
        core, rules = self.core, self.core.rules
        if not core.n_options:
            return None
        scaled = rules.scaled()
        use = scaled.coefficients.toarray()
        inside_group = np.full(core.group.max(initial=-1) + 2, -1)
        for _ in range(FLIPS):
            down, up = scaled.room(opened)
            inside_group[:] = -1
            inside_group[core.group[opened]] = np.flatnonzero(opened)
            inside_group[-1] = -1
            rival = np.where(opened, -1, inside_group[core.group])
            change = np.where(opened, -use, use)
            change[:, rival >= 0] -= use[:, rival[rival >= 0]]
            excess = np.maximum(down[:, None] - change, 0.0) + np.maximum(change - up[:, None], 0.0)
            total = excess.sum(axis=0)
            total[core.forced] = np.inf
            total[(rival >= 0) & core.forced[rival]] = np.inf
            j = int(total.argmin())
            if total[j] >= float((np.maximum(down, 0.0) + np.maximum(-up, 0.0)).sum()):
                return None
            opened[j] = not opened[j]
            if rival[j] >= 0:
                opened[rival[j]] = False
            if rules.kept(opened):
                return opened
        return None

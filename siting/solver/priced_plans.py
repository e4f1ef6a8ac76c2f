"""Plans that are priced in every future: the best of them in some sense, what weights they like least, what is near."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from siting.solver.futures import EXACT, cost_in
from siting.solver.problem import NO_OPTION, BoolArray, FacilityProblem, FloatArray, IntArray

LEAST_WEIGHT = 1e-3
"""No future weighs less than this part of an equal share: its cargo is still served."""


@dataclass(frozen=True, eq=False)
class Best:
    """A plan that is best in some sense, as far as is proven.

    Attributes:
        open: sorted open options; None where no plan keeps all limits.
        value: what it comes to; inf without a plan.
        bound: no plan comes to less.
    """

    open: IntArray | None
    value: float
    bound: float


class PricedPlans:
    """Plans that keep the limits of planning, with their cost in every future.

    Attributes:
        cost: (n_futures,) by (80) of each plan, a tuple of its sorted options.
    """

    def __init__(self, planning: FacilityProblem, futures: Sequence[FacilityProblem], threads: int) -> None:
        self.planning, self.futures, self.threads = planning, futures, threads
        self.cost: dict[tuple[int, ...], FloatArray] = {}

    def price(self, opened: IntArray) -> FloatArray | None:
        """(n_futures,) cost of a plan; None where it breaks a limit of all plans."""
        key = tuple(np.sort(opened).tolist())
        if key not in self.cost:
            mask = np.zeros(self.planning.n_options, dtype=bool)
            mask[list(key)] = True
            if not self._allowed(mask):
                return None
            self.cost[key] = np.array([cost_in(p, np.array(key, int), threads=self.threads) for p in self.futures])
        return self.cost[key]

    def _allowed(self, opened: BoolArray) -> bool:
        p = self.planning
        covered = all(each.covered(opened) >= each.least * (1 - EXACT) for each in p.coverage)
        return bool(covered and p.rows.kept(opened) and opened[p.forced_open].all() and not opened[p.forbidden].any())

    def best(self, value: Callable[[FloatArray], float], bound: float) -> Best:
        """The best of the plans met."""
        worth = {key: value(cost) for key, cost in self.cost.items() if np.isfinite(cost).all()}
        if not worth:
            return Best(None, np.inf, bound)
        key = min(worth, key=lambda each: (worth[each], len(each), each))
        return Best(np.array(key, dtype=np.int64), worth[key], min(bound, worth[key]))

    def top(self) -> FloatArray:
        """(n_futures,) cost of the best known plan of each."""
        return np.min(list(self.cost.values()), axis=0) if self.cost else np.full(len(self.futures), np.inf)

    def most_regret(self, cost: FloatArray) -> float:
        return float((cost - self.top()).max())

    def hardest_weights(self) -> FloatArray | None:
        """(n_futures,) weights at which the best of the plans met has the most regret; None without plans."""
        rows = np.array([cost for cost in self.cost.values() if np.isfinite(cost).all()])
        if not len(rows):
            return None
        regret = rows - self.top()
        unit = float(np.abs(regret).max()) or 1.0
        n = regret.shape[1]
        found = linprog(
            np.append(np.zeros(n), -1.0),
            A_ub=np.column_stack([-regret / unit, np.ones(len(rows))]), b_ub=np.zeros(len(rows)),
            A_eq=np.append(np.ones(n), 0.0)[None, :], b_eq=[1.0], bounds=[(0, None)] * n + [(None, None)],
        )  # fmt: skip
        assert found.x is not None, found.message
        weights = np.maximum(found.x[:n], LEAST_WEIGHT / n)
        return np.asarray(weights / weights.sum())

    def neighbours(self, opened: IntArray, value: Callable[[FloatArray], float]) -> list[IntArray]:
        """Plans one option away, those first that more of the good plans agree on."""
        scored = sorted((value(cost), key) for key, cost in self.cost.items() if np.isfinite(cost).all())
        votes = np.zeros(self.planning.n_options)
        for rank, (_, key) in enumerate(scored):
            votes[list(key)] += 1.0 / (1 + rank)
        votes /= sum(1.0 / (1 + rank) for rank in range(len(scored)))
        mine = np.zeros(self.planning.n_options, dtype=bool)
        mine[opened] = True
        against = np.where(mine, 1 - votes, votes)
        group = self.planning.group
        found = []
        for j in np.argsort(-against, kind="stable"):
            if against[j] <= 0:
                break
            changed = mine.copy()
            if not mine[j] and group[j] != NO_OPTION:
                changed[group == group[j]] = False
            changed[j] = not mine[j]
            found.append(np.flatnonzero(changed))
        return [each for each in found if tuple(each.tolist()) not in self.cost]

"""Best on average and least regret over several futures: the search for the plans and for what bounds them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from siting.solver.errors import InputError
from siting.solver.extensive import Aim, solve_extensive
from siting.solver.futures import EXACT, in_future, joined
from siting.solver.priced_plans import Best, PricedPlans
from siting.solver.problem import FacilityProblem, FloatArray, IntArray
from siting.solver.solution import Solution
from siting.solver.solve import solve

FEW_LANES = 3_000
"""Lanes of all futures up to which HiGHS closes what the bounds leave open."""
CUTS, FLIPS = 40, 12
"""Most weights tried for least regret, and most changes tried of the best plan."""

Told = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Robust:
    """What is known of the plans of several futures.

    Attributes:
        optimum: of each future, the best plan for it alone.
        plans: the different plans met, each sorted open options.
        cost: (n_plans, n_futures) by (80); inf where a plan cannot serve who must be served.
        expected: (81). regret: (82).
        weight: (n_futures,) of the futures in (81).
    """

    optimum: list[Best]
    plans: list[IntArray]
    cost: FloatArray
    expected: Best
    regret: Best
    weight: FloatArray

    @property
    def regrets(self) -> FloatArray:
        """(n_plans, n_futures) what each plan costs more than the best known one of a future."""
        return np.asarray(self.cost - [best.value for best in self.optimum])

    @property
    def perfect_information(self) -> tuple[float, float]:
        """(83): from and to where it is proven to lie."""
        low = self.expected.bound - float(self.weight @ [best.value for best in self.optimum])
        high = self.expected.value - float(self.weight @ [best.bound for best in self.optimum])
        return max(low, 0.0), max(high, 0.0)


def solve_futures(
    planning: FacilityProblem,
    futures: Sequence[FacilityProblem],
    weight: FloatArray | None = None,
    *,
    plans: Iterable[IntArray] = (),
    gap: float = 1e-4,
    time_limit: float | None = None,
    progress: Told = lambda what: None,
    threads: int = 2,
) -> Robust:
    """The best plan of each future, of all on average, and that of least regret.

    Args:
        planning: what it asks of options, every plan keeps; its lanes have no part.
        futures: problems over the same options: lanes, clients, costs, capacities, minimums and rules over lanes.
        weight: (n_futures,) of each future, None: equal; they are made to sum to one.
        plans: plans to price beside those found.
        gap: relative gap at which each search stops.
        time_limit: seconds after which a search tells what it has; one for each future, one for (81), one for (82).
        progress: told what is looked for.

    Raises:
        InputError: no futures, other options, or weights that are none.
        KeyboardInterrupt: on Ctrl-C before a search has a plan.
    """
    n = len(futures)
    share = np.full(n, 1.0) if weight is None else np.asarray(weight, dtype=np.float64)
    if not n or any(p.n_options != planning.n_options for p in futures):
        raise InputError("give at least one future, each with the options of the planning problem")
    if share.shape != (n,) or not (share > 0).all() or not np.isfinite(share).all():
        raise InputError(f"weight has shape {share.shape}; give {n} positive numbers")
    search = _Search(planning, list(futures), share / share.sum(), gap, time_limit, threads, progress)
    return search.run(plans)


class _Search:
    """Plans, what they cost in every future, and what is proven."""

    def __init__(
        self,
        planning: FacilityProblem,
        futures: list[FacilityProblem],
        weight: FloatArray,
        gap: float,
        time_limit: float | None,
        threads: int,
        progress: Told,
    ) -> None:
        self.planning, self.futures, self.weight, self.gap = planning, futures, weight, gap
        self.time_limit, self.threads, self.progress = time_limit, threads, progress
        self.few = sum(p.n_lanes for p in futures) <= FEW_LANES
        self.plans = PricedPlans(planning, futures, threads)
        self.known: list[Solution] = []
        self.low = np.full(len(futures), -np.inf)  # proven of each optimum
        self.deadline = np.inf

    def run(self, plans: Iterable[IntArray]) -> Robust:
        found = [self._alone(k) for k in range(len(self.futures))]
        for opened in [*plans, *(each for each in found if each is not None)]:
            self.plans.price(opened)
        self._close_optima()
        expected = self._expected()
        regret = self._least_regret(expected.bound)
        optimum = [self._optimum(k) for k in range(len(self.futures))]
        # A plan met later may be better on average than the one that was best then.
        expected = self.plans.best(lambda cost: float(self.weight @ cost), expected.bound)
        kept = list(self.plans.cost)
        cost = np.array([self.plans.cost[key] for key in kept]).reshape(len(kept), len(self.futures))
        return Robust(optimum, [np.array(key, dtype=np.int64) for key in kept], cost, expected, regret, self.weight)

    # -- each future alone -----------------------------------------------------------------------------------

    def _alone(self, k: int) -> IntArray | None:
        self.progress(f"the best plan of future {k + 1}")
        found = solve(
            in_future(self.planning, self.futures[k]), gap=self.gap, time_limit=self.time_limit, threads=self.threads
        )
        self.known.append(found)
        self.low[k] = found.bound
        return found.open if found.status in ("optimal", "feasible") else None

    def _optimum(self, k: int) -> Best:
        of_future = {key: float(cost[k]) for key, cost in self.plans.cost.items()}
        key = min(of_future, key=lambda each: (of_future[each], len(each), each), default=None)
        if key is None or np.isinf(of_future[key]):
            return Best(None, np.inf, float(self.low[k]))
        return Best(np.array(key, dtype=np.int64), of_future[key], float(min(self.low[k], of_future[key])))

    def _close_optima(self) -> None:
        """Where minimums were left out of a future's own problem, its plan may not be the best."""
        self._begin()
        for k in range(len(self.futures)):
            best = self._optimum(k)
            if self.few and not self._closed(best.value, best.bound):
                self.low[k] = max(self.low[k], self._exact(Aim(np.ones(1)), self.futures[k : k + 1]))

    # -- all futures together --------------------------------------------------------------------------------

    def _expected(self) -> Best:
        """(81)"""
        self._begin()
        self.progress("the best plan on average")

        def value(cost: FloatArray) -> float:
            return float(self.weight @ cost)

        bound = max(float(self.weight @ self.low), self._weighted(self.weight))
        best = self.plans.best(value, bound)
        if not (self.few or self._closed(best.value, best.bound, self.gap)):
            self._improve(value)
        if self.few and not self._closed(best.value, best.bound):
            bound = max(bound, self._exact(Aim(self.weight), self.futures))
        return self.plans.best(value, bound)

    def _least_regret(self, on_average: float) -> Best:
        """(82): weights p by cutting planes, each tried by the problem of (81) with them.

        Args:
            on_average: bound of (81), which is that problem at the weights of the futures.
        """
        self._begin()
        top = self.plans.top()
        bound, tried = 0.0, 0
        if np.isfinite(top).all():
            bound = max(bound, on_average - float(self.weight @ top))
        while tried < CUTS and not self.over:
            best = self.plans.best(self.plans.most_regret, bound)
            weights = self.plans.hardest_weights()
            if weights is None or self._closed(best.value, best.bound, self.gap):
                break
            before, tried = len(self.plans.cost), tried + 1
            self.progress(f"the plan of least regret, weights {tried}")
            bound = max(bound, self._weighted(weights) - float(weights @ self.plans.top()))
            if len(self.plans.cost) == before:
                break
        best = self.plans.best(self.plans.most_regret, bound)
        if not (self.few or self._closed(best.value, best.bound, self.gap)):
            self._improve(self.plans.most_regret)
        if self.few and not self._closed(best.value, best.bound):
            ceiling = self.plans.top()
            bound = max(bound, self._exact(Aim(np.zeros(len(ceiling)), ceiling=ceiling, beyond=True), self.futures))
        return self.plans.best(self.plans.most_regret, bound)

    def _weighted(self, weights: FloatArray) -> float:
        """The bound of (81) at some weights; its plan is priced."""
        together = joined(self.planning, self.futures, weights)
        found = solve(together, gap=self.gap, time_limit=self._left(), start=self._start(weights), threads=self.threads)
        if found.status in ("optimal", "feasible"):
            self.plans.price(found.open)
        return found.bound

    def _start(self, weights: FloatArray) -> Solution | None:
        """Where the search at some weights begins: the multipliers of each future alone, at their weights."""
        if any(len(found.multipliers) != p.n_clients for found, p in zip(self.known, self.futures, strict=True)):
            return None
        scored = {key: float(weights @ cost) for key, cost in self.plans.cost.items() if np.isfinite(cost).all()}
        opened = np.array(min(scored, key=lambda key: scored[key]), int) if scored else self.known[0].open
        lam = np.concatenate([w * found.multipliers for w, found in zip(weights, self.known, strict=True)])
        return replace(self.known[0], open=opened, multipliers=lam)

    def _improve(self, value: Callable[[FloatArray], float]) -> None:
        """Change the best plan by one option at a time that other good plans have otherwise, while that helps."""
        tried = 0
        while tried < FLIPS and not self.over:
            best = self.plans.best(value, -np.inf)
            if best.open is None:
                return
            score = best.value
            for opened in self.plans.neighbours(best.open, value):
                tried += 1
                cost = self.plans.price(opened)
                if cost is not None and value(cost) < score:
                    break
                if tried >= FLIPS or self.over:
                    return
            else:
                return

    # -- proofs ----------------------------------------------------------------------------------------------

    def _exact(self, aim: Aim, futures: Sequence[FacilityProblem]) -> float:
        """What HiGHS proves of some futures at once; its plan is priced."""
        found = solve_extensive(self.planning, futures, aim, idle=True, deadline=self.deadline, threads=self.threads)
        if found.open is not None:
            self.plans.price(np.flatnonzero(found.open))
        return found.bound

    def _closed(self, value: float, bound: float, part: float = EXACT) -> bool:
        """Whether no more than a part of what a future costs is left to prove: regrets are differences of these."""
        if not np.isfinite(value):
            return False
        size = float(np.abs(self.plans.top()[np.isfinite(self.plans.top())]).max(initial=0.0))
        return value - bound <= max(part, EXACT) * max(size, abs(value))

    def _begin(self) -> None:
        self.deadline = np.inf if self.time_limit is None else time.perf_counter() + self.time_limit

    def _left(self) -> float | None:
        return None if np.isinf(self.deadline) else max(self.deadline - time.perf_counter(), 0.05)

    @property
    def over(self) -> bool:
        return time.perf_counter() >= self.deadline

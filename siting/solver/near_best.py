r"""Plans that cost little more than the best: how much they can differ from it, proven.

With P the options of the best plan and r_j what it counts if option j opens (less than 0: if it stays closed):

.. code-block:: text

    max { sum_j r_j y_j : cost of y <= C, (2) to (9), (16) to (19) }                                             (84)
    sum_j r_j y_j <= (C - min_y { cost of y - t sum_j r_j y_j }) / t              any price t > 0                (99)

(99) is a problem like any other at each price, and its proven bound serves; the price is found where the lines of two
plans meet, one that costs too much and one that does not [Everett 1963]. Where lanes are few HiGHS closes the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from siting.solver.extensive import Aim, solve_extensive
from siting.solver.problem import BoolArray, FacilityProblem, FloatArray, IntArray
from siting.solver.solution import Solution
from siting.solver.solve import solve, solve_and_settle

EXACT = 1e-9
"""Relative gap of what a plan costs, and part of the ceiling that is rounding."""
FEW_LANES = 3_000
"""Lanes up to which HiGHS closes what the prices leave open."""
PRICES, GROWTH = 14, 4.0
"""Most prices tried, and by how much a price grows until its plan costs too much."""
FINE, FINEST = 0.25, 1e-7
"""What the gap of a search may leave of one change, and the least relative gap asked for."""


@dataclass(frozen=True, eq=False)
class NearBest:
    """Plans that cost no more than a ceiling, by how much they differ.

    Attributes:
        most: the most of (84) that a plan was found for; -inf without a plan.
        at_most: proven: no plan has more.
        open: sorted options of that plan, None where none was found.
        plans: all plans met that keep to the ceiling, each with its cost.
    """

    most: float
    at_most: float
    open: IntArray | None
    plans: list[tuple[IntArray, float]] = field(default_factory=list)


def most_different(
    problem: FacilityProblem,
    best: Solution,
    ceiling: float,
    reward: FloatArray,
    *,
    gap: float = 1e-4,
    time_limit: float | None = None,
    progress: Callable[[str], None] = lambda what: None,
    threads: int = 2,
) -> NearBest:
    """(84): the most that plans within a ceiling come to.

    Args:
        best: an answer to the problem; its plan keeps to the ceiling.
        ceiling: C, in the problem's costs.
        reward: (n_options,) r_j, whole numbers.
        gap: largest relative gap of the searches.
        time_limit: seconds after which what is known is told.
        progress: told what is tried.

    Raises:
        ValueError: rewards that are not whole.
        KeyboardInterrupt: on Ctrl-C before a search has a plan.
    """
    if reward.shape != (problem.n_options,) or not np.array_equal(reward, np.round(reward)):
        raise ValueError("reward: give a whole number for each option")
    search = _Prices(problem, ceiling, reward, gap, time_limit, threads)
    search.start(best)
    for _ in range(PRICES):
        price = search.next_price()
        if price is None or search.over:
            break
        progress(f"price {price:.4g} of a change")
        search.at(price)
    if search.open_left and problem.n_lanes <= FEW_LANES and not search.over:
        search.close_whole()
    return search.told()


def never_within(
    problem: FacilityProblem, best: Solution, ceiling: float, gap: float = 1e-4, time_limit: float | None = None
) -> BoolArray:
    """(n_options,) options that provably no plan opens which costs less than a ceiling.

    None is known to be under rules over lanes and coverage.
    """
    never = solve_and_settle(problem, gap, time_limit, best)(ceiling)
    return np.zeros(problem.n_options, dtype=bool) if never is None else never


class _Prices:
    """The search for the price at which (99) says most."""

    def __init__(
        self,
        problem: FacilityProblem,
        ceiling: float,
        reward: FloatArray,
        gap: float,
        time_limit: float | None,
        threads: int,
    ) -> None:
        self.problem, self.reward, self.gap, self.threads = problem, reward, gap, threads
        self.ceiling = ceiling + EXACT * abs(ceiling)
        self.deadline = np.inf if time_limit is None else time.perf_counter() + time_limit
        self.at_most = float(np.maximum(reward, 0.0).sum())
        self.plans: dict[tuple[int, ...], float] = {}
        self.low = self.high = (-np.inf, -np.inf)  # cost and worth of the last plan within the ceiling, and beyond it
        self.price = 0.0
        self.last: Solution | None = None
        self.ended = False

    def start(self, best: Solution) -> None:
        self.last = best
        self._take(best.open, best.objective)
        self.price = max(self.ceiling - best.bound, EXACT * abs(self.ceiling), 1e-12) / GROWTH

    def _worth(self, opened: IntArray) -> float:
        return float(self.reward[opened].sum())

    def _take(self, opened: IntArray, cost: float) -> None:
        """Note a plan; the best within the ceiling and the cheapest beyond it bracket the price."""
        worth = self._worth(opened)
        if cost <= self.ceiling:
            self.plans[tuple(opened.tolist())] = cost
            if worth > self.low[1] or (worth == self.low[1] and cost < self.low[0]):
                self.low = (cost, worth)
        elif self.high[0] == -np.inf or cost < self.high[0]:
            self.high = (cost, worth)

    @property
    def over(self) -> bool:
        return time.perf_counter() >= self.deadline

    @property
    def open_left(self) -> bool:
        """Whether more may be possible than was found."""
        return bool(np.floor(self.at_most + 1e-6) > self.low[1])

    def next_price(self) -> float | None:
        """Where the lines of the two plans meet; further on until one costs too much; None where all is said."""
        if not self.open_left or self.ended:
            return None
        if self.high[0] == -np.inf:
            return self.price * GROWTH
        gained = self.high[1] - self.low[1]
        return (self.high[0] - self.low[0]) / gained if gained > 0 else None

    def at(self, price: float) -> None:
        """Solve the problem with the reward at a price."""
        p, before = self.problem, (self.low, self.high)
        size = max(abs(self.ceiling), 1e-300)
        fine = min(max(FINE * price / size, FINEST), self.gap)
        left = None if np.isinf(self.deadline) else max(self.deadline - time.perf_counter(), 0.05)
        found = solve(
            p.with_changes(fixed_cost=p.fixed_cost - price * self.reward),
            gap=fine, time_limit=left, start=self.last, threads=self.threads,
        )  # fmt: skip
        self.at_most = min(self.at_most, (self.ceiling - found.bound) / price)
        self.price = price
        if found.status in ("optimal", "feasible"):
            self.last = found
            self._take(found.open, found.objective + price * self._worth(found.open))
        self.ended = (self.low, self.high) == before and self.high[0] != -np.inf

    def close_whole(self) -> None:
        """HiGHS on the problem as it is stated."""
        aim = Aim(np.zeros(1), reward=-self.reward, ceiling=np.array([self.ceiling]))
        found = solve_extensive(
            self.problem, [self.problem], aim, idle=False, deadline=self.deadline, threads=self.threads
        )
        self.at_most = min(self.at_most, -found.bound)
        if found.open is None:
            return
        opened = np.flatnonzero(found.open)
        others = np.setdiff1d(np.arange(self.problem.n_options), opened)
        own = self.problem.with_changes(forced_open=opened, forbidden=others)
        served = solve(own, gap=EXACT, threads=self.threads)
        if served.status in ("optimal", "feasible"):
            self._take(opened, served.objective)

    def told(self) -> NearBest:
        plans = [(np.array(key, dtype=np.int64), cost) for key, cost in self.plans.items()]
        if not plans:
            return NearBest(-np.inf, self.at_most, None)
        most = max(plans, key=lambda plan: (self._worth(plan[0]), -plan[1]))[0]
        worth = self._worth(most)
        return NearBest(worth, max(float(np.floor(self.at_most + 1e-6)), worth), most, plans)

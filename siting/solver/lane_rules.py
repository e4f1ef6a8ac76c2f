"""Rules over lanes, such as a cap on carbon: sum_l g_rl x_l between limits (18).

Priced, they leave a problem like any other: for prices pi, above 0 at lower limits and below 0 at upper ones,

    min sum_l (c_l - sum_r pi_r g_rl) x_l + ...  s.t. all but (18),   plus   sum_r pi_r limit_r

bounds every plan from below [Everett 1963; Geoffrion 1974]; its own bound is recomputed as that of any problem.
Several rules are first priced all at once, each between a price at which it was broken and one at which it was kept:
rules of different states hardly touch one another. Then prices go up the dual one by one. The sets of options met on
the way are served at least cost under the rules; what gap is left where lanes are few, HiGHS closes on the whole
problem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from siting.solver.certificate import UNPROVEN, Certificate
from siting.solver.problem import BoolArray, FacilityProblem, FloatArray
from siting.solver.rules import TOLERANCE
from siting.solver.solution import Solution
from siting.solver.stopwatch import Stopwatch
from siting.solver.whole import WholeAnswer, open_lanes, solve_whole

MANY_LANES = 30_000
"""Above it the whole problem is not stated."""
MANY_RULES, MANY_RULED_LANES = 100, 200_000
"""From so many rules on the whole problem comes first, up to so many lanes: each rule would need a price."""
EVALUATIONS, ROUNDS, TOGETHER = 16, 3, 16
"""Most problems priced for one rule, times each rule is looked at, and problems priced for all rules at once."""
LOOK, REACH_GAP = 3, 1e-3
"""Prices tried before a rule that none has kept is looked at alone, and the relative gap of that."""
OVERSHOOT, LEAST_STEP = 1.5, 0.1
"""How far beyond where a rule would be kept the next price goes, and at least by what part of itself it grows."""
NEAR_LOW, NEAR_HIGH = 0.2, 0.8
"""The next price between two lies in this part of the way from the one to the other."""
SURPLUS = 1e-3
"""Part of a limit by which a rule may be more than kept before its price falls."""
FIRST, GROWTH, BRACKET_STEPS = 0.1, 4.0, 8
"""Where a price begins, in costs of a lane; by how much it grows until a rule is kept, and how often."""
EPSILON = float(np.finfo(float).eps)
SETS_OFF = 20
"""Most sets that HiGHS takes for plans within its tolerance and that are none."""

ROUGH, FINE = 3.0, 0.5
"""Of the gap asked for, that of a priced problem: before there is any plan, when only the way of the prices counts, and
after."""

NeverOpen = Callable[[float], BoolArray | None]
"""(n_options,) options that no plan opens which costs less than so much; None where nothing is known."""
PlainSolve = Callable[[FacilityProblem, float, Solution | None], tuple[Solution, NeverOpen]]
"""Solves a problem without rules over lanes to some gap, starting from a solution."""


def nothing_settled(enough: float) -> None:
    """What is known of options where there is no proof."""


@dataclass(frozen=True, eq=False)
class Ruled:
    """The answer: the best plan found, None where there is none, what is proven, and why there is none."""

    plan: WholeAnswer | None
    certificate: Certificate
    multipliers: FloatArray
    message: str = ""


@dataclass(frozen=True, eq=False)
class _Priced:
    """The dual at some prices: what is proven, what rules come to in its plan (None: it has none), and its cost."""

    prices: FloatArray
    bound: float
    activity: FloatArray | None
    value: float = -np.inf


class _Dual:
    """The search for prices of one problem."""

    def __init__(self, problem: FacilityProblem, gap: float, watch: Stopwatch, threads: int, plain: PlainSolve) -> None:
        self.problem, self.gap, self.watch, self.threads, self.plain = problem, gap, watch, threads, plain
        self.rules = problem.over_lanes
        self.prices = np.zeros(len(self.rules))
        self.last: Solution | None = None
        self.best: WholeAnswer | None = None
        self.certificate = UNPROVEN
        self.infeasible: Certificate | None = None
        self._seen: set[bytes] = set()
        self._never: NeverOpen = nothing_settled
        self._worth = 0.0
        self._looked_at: set[int] = set()
        self.message = ""
        self.here = _Priced(self.prices, -np.inf, None)

    @property
    def closed(self) -> bool:
        """Whether the best plan is proven, no plan exists, or the time is over."""
        if self.infeasible is not None or self.watch.over:
            return True
        return self.certificate.bound >= self.cutoff

    def at(self, prices: FloatArray) -> _Priced:
        """Solve the problem at some prices, and serve the sets it finds under the rules."""
        p, g = self.problem, self.rules.coefficients
        limit = np.where(prices > 0, self.rules.lower, np.where(prices < 0, self.rules.upper, 0.0))
        shift = g.T @ prices
        gap = self.gap * (ROUGH if self.best is None else FINE)
        found, never = self.plain(p.with_changes(lane_rules=None, lane_cost=p.lane_cost - shift), gap, self.last)
        size = np.zeros(p.n_clients)
        np.maximum.at(size, p.lane_client, np.abs(p.lane_cost) + abs(g).T @ np.abs(prices))
        margin = 4 * EPSILON * float(size.sum() + np.abs(prices) @ np.abs(limit))
        worth = float(prices @ limit) - margin
        bound = found.bound + worth
        if bound > self.certificate.bound:
            self.certificate = replace(found.certificate, bound=bound)
            self._never, self._worth = never, worth
        if found.status == "infeasible":
            self.infeasible = found.certificate
            return _Priced(prices.copy(), bound, None)
        if found.status == "unknown":
            return _Priced(prices.copy(), bound, None)
        self.last = found
        opened = np.zeros(p.n_options, dtype=bool)
        opened[found.open] = True
        self.offer(opened)
        return _Priced(prices.copy(), bound, g @ found.lane_share, found.objective + worth)

    def left(self) -> FacilityProblem:
        """The problem with the options closed that no plan opens which is better by the gap than the best."""
        if self.best is None:
            return self.problem
        closed = self._never(self.cutoff - self._worth)
        if closed is None:
            return self.problem
        closed[self.problem.forced_open] = False  # where no plan is better, these are among them
        return self.problem.with_changes(forbidden=np.union1d(self.problem.forbidden, np.flatnonzero(closed)))

    @property
    def cutoff(self) -> float:
        """A plan that costs as much is not better by the gap than the best; inf where there is none."""
        return np.inf if self.best is None else self.best.cost - self.gap * abs(self.best.cost)

    def offer(self, opened: BoolArray) -> None:
        """Serve the clients through a set of options under all rules; keep it if it is best."""
        key = np.packbits(opened).tobytes()
        if key in self._seen or self.watch.over:
            return
        self._seen.add(key)
        found = solve_whole(self.problem, 1e-9, self.watch.deadline, self.threads, opened)
        if found.open is not None and (self.best is None or found.cost < self.best.cost):
            self.best = found

    def price_together(self) -> None:
        """Raise the prices of all rules that are broken, lower those of rules more than kept, and again."""
        n = len(self.rules)
        unit = np.array([_unit(self.problem, r) for r in range(n)])
        low, high = np.zeros(n), np.full(n, np.inf)
        short, over = np.ones(n), np.ones(n)  # by how much a rule was broken at low and more than kept at high
        best = self.here
        for k in range(TOGETHER):
            if self.closed or self.here.activity is None:
                break
            price, missing = np.abs(self.prices), self._missing(self.here.activity)
            broken, loose = missing > 0, (missing < 0) & (price > 0)
            low[broken], short[broken] = price[broken], missing[broken]
            high[broken & (high <= price)] = np.inf
            high[loose], over[loose] = price[loose], -missing[loose]
            low[loose & (low >= price)] = 0.0
            if not (broken | (loose & (missing < -SURPLUS * self._size()))).any():
                break
            if k + 1 == LOOK:
                for r in np.flatnonzero(broken & np.isinf(high)):
                    self.reach(int(r))
                if self.closed:
                    break
            part = np.clip(short / np.maximum(short + over, 1e-300), NEAR_LOW, NEAR_HIGH)
            between = low + part * (np.where(np.isfinite(high), high, low) - low)
            raised = np.where(np.isfinite(high), between, np.maximum(price * GROWTH, unit))
            self.prices = self._sides() * np.where(broken, raised, np.where(loose, between, price))
            self.here = self.at(self.prices)
            best = max(best, self.here, key=lambda point: point.bound)
        self.prices, self.here = best.prices, best

    def reach(self, r: int) -> None:
        """Whether a rule that no price has kept can be kept at all: the most it can come to, whatever the cost, is a
        problem of its own.
        """
        if r in self._looked_at or self.watch.over:
            return
        self._looked_at.add(r)
        p, side = self.problem, float(self._sides()[r])
        row = self.rules.coefficients[[r]].toarray().ravel()
        free = np.where(np.isinf(p.unserved_cost), np.inf, 0.0)
        alone = p.with_changes(
            lane_rules=None, lane_cost=-side * row, unserved_cost=free, fixed_cost=np.zeros(p.n_options)
        )
        found, _ = self.plain(alone, REACH_GAP, None)
        limit = side * float(self.rules.lower[r] if side > 0 else self.rules.upper[r])
        most = -found.bound
        if most < limit - TOLERANCE * (abs(limit) + float(np.abs(row).sum())):
            self.infeasible = found.certificate
            self.message = f"{self.rules.described(r)}: no plan within the other limits comes beyond {side * most:g}"

    def _missing(self, activity: FloatArray) -> FloatArray:
        """(n_rules,) by how much each rule is broken; below 0 what it is kept by."""
        return np.asarray(np.maximum(self.rules.lower - activity, activity - self.rules.upper))

    def _sides(self) -> FloatArray:
        """(n_rules,) 1 where a price is that of the lower limit, -1 of the upper one."""
        if self.here.activity is None:
            return np.sign(self.prices)
        below = self.rules.lower - self.here.activity >= self.here.activity - self.rules.upper
        return np.where(below, 1.0, -1.0)

    def _size(self) -> FloatArray:
        """(n_rules,) what a limit is measured by."""
        limits = [np.where(np.isfinite(side), np.abs(side), 0.0) for side in (self.rules.lower, self.rules.upper)]
        return np.asarray(np.maximum(*limits))

    def raise_price(self, r: int) -> None:
        """Find the best price of one rule, the others as they are: bracket it, then cut where two lines meet."""
        here = self.here
        side = self._broken_side(r, here)
        if side == 0 or self.closed:
            return
        limit = float(self.rules.lower[r] if side > 0 else self.rules.upper[r])
        low, high = (abs(float(self.prices[r])), here), None
        step, reach = _unit(self.problem, r), np.inf  # reach: where the rule would be kept if it went on as it did
        for evaluations in range(EVALUATIONS):
            low_slope = self._slope(low[1], side, limit, r)
            if high is None:
                price, step = low[0] + min(step, max(OVERSHOOT * reach, LEAST_STEP * low[0])), step * GROWTH
                if evaluations >= BRACKET_STEPS:
                    break
            else:
                high_slope = self._slope(high[1], side, limit, r)
                if low_slope - high_slope <= 0:
                    break
                price = (high[1].value - low[1].value + low_slope * low[0] - high_slope * high[0]) / (
                    low_slope - high_slope
                )
                if not low[0] < price < high[0]:
                    break
            self.prices[r] = side * price
            found = self.at(self.prices)
            self.here = found
            if self.closed or found.activity is None:
                break
            if (slope := self._slope(found, side, limit, r)) > 0:
                if evaluations + 1 == LOOK:
                    self.reach(r)
                    if self.closed:
                        break
                gained = low_slope - slope
                reach = (price - low[0]) * slope / gained if gained > 0 else np.inf
                low = (price, found)
            else:
                high = (price, found)
        best = low if high is None or low[1].bound >= high[1].bound else high
        self.prices[r], self.here = side * best[0], best[1]

    def _broken_side(self, r: int, found: _Priced) -> int:
        """1 where a rule is under its lower limit, -1 where it is over its upper one or has a price there, else 0."""
        if found.activity is None:
            return 0
        if found.activity[r] < self.rules.lower[r]:
            return 1
        return -1 if found.activity[r] > self.rules.upper[r] else 0

    @staticmethod
    def _slope(found: _Priced, side: int, limit: float, r: int) -> float:
        assert found.activity is not None
        return side * (limit - float(found.activity[r]))


def _unit(p: FacilityProblem, r: int) -> float:
    """A price at which the rule weighs like the cost of a lane."""
    row = p.over_lanes.coefficients[[r]]
    if not row.nnz:
        return 1.0
    stay = np.where(np.isinf(p.unserved_cost), 0.0, p.unserved_cost)[p.lane_client[row.indices]]
    saved = np.abs(p.lane_cost[row.indices] - stay)
    if not saved.any():  # lanes that only say what is in reach: their options cost something
        saved = p.fixed_cost[np.unique(p.lane_options[row.indices, 0])]
    return float(FIRST * np.median(saved) / np.median(np.abs(row.data))) or 1.0


def solve_under_lane_rules(
    problem: FacilityProblem, gap: float, watch: Stopwatch, threads: int, plain: PlainSolve, start: Solution | None
) -> Ruled:
    """Best plan under rules over lanes, and what is proven.

    Raises:
        KeyboardInterrupt: on Ctrl-C before there is any plan.
    """
    dual = _Dual(problem, gap, watch, threads, plain)
    dual.last = start
    if len(dual.rules) >= MANY_RULES:
        _close_by_model(dual, problem, MANY_RULED_LANES)
        if dual.best is not None or dual.closed:
            return _answer(dual)
    dual.here = dual.at(dual.prices)
    if len(dual.rules) > 1:
        dual.price_together()
    for _ in range(ROUNDS if len(dual.rules) > 1 else 1):
        before = dual.certificate.bound
        for r in range(len(dual.rules)):
            if not dual.closed:
                dual.raise_price(r)
        if dual.certificate.bound <= before + 1e-9 * abs(before):
            break
    if not dual.closed and dual.best is not None:
        dual.at(dual.prices)  # to the finer gap, where the first looks were rough
    if not dual.closed:
        _close_by_model(dual, dual.left())
    return _answer(dual)


def _answer(dual: _Dual) -> Ruled:
    """What was found and proven."""
    multipliers = dual.last.multipliers if dual.last is not None else np.zeros(0)
    if dual.infeasible is not None:
        return Ruled(None, replace(dual.infeasible, bound=np.inf), multipliers, dual.message)
    return Ruled(dual.best, dual.certificate, multipliers)


def _close_by_model(dual: _Dual, left: FacilityProblem, many_lanes: int = MANY_LANES) -> None:
    """HiGHS on what is left of the problem, where lanes are few: the plan, and a higher bound.

    A plan that opens what is closed in what is left is not better than the best by the gap.
    """
    if len(open_lanes(left)) > many_lanes:
        return
    without: list[BoolArray] = []
    outside = dual.cutoff if len(left.forbidden) > len(dual.problem.forbidden) else np.inf
    for _ in range(SETS_OFF):
        found = solve_whole(left, dual.gap, dual.watch.deadline, dual.threads, None, without)
        bound = min(found.bound, outside)
        if bound > dual.certificate.bound:
            dual.certificate = Certificate("solver", bound, 1)
        if found.open is None:
            if bound == np.inf and dual.best is None and not without:
                dual.infeasible = Certificate("solver", np.inf, 1)
            return
        if dual.problem.rows.kept(found.open):
            if dual.best is None or found.cost < dual.best.cost:
                dual.best = found
            return
        without.append(found.open)

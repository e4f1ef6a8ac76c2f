"""Equations (10) and (11) over the problem as the caller stated it, in plain NumPy and with a margin for rounding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from siting.solver.core import Core
from siting.solver.lane_index import LaneIndex
from siting.solver.option_limits import FIT, ROUNDING, Bound, Limits, OptionRows
from siting.solver.problem import NO_OPTION, BoolArray, FacilityProblem, FloatArray, IntArray
from siting.solver.proof import Prices

EPSILON = float(np.finfo(float).eps)
ROUNDED = 64
"""Roundings of a sum beside those of its terms one by one: more than adding any number of them in pairs comes to."""
LARGEST_WHOLE = 2.0**40
"""Costs above it are not counted on in whole numbers: sums of them may round."""


class Restated:
    """The problem, indexed for many evaluations.

    Attributes:
        stay: (n_clients,) cost without any option.
        client, cost, options: of the lanes that need an option and cost less than that, and than `most`, or may fill an
            option to its minimum.
        fills: (n_lanes, 2) of these, whether each of their options has a minimum.
        idle, idle_worth: (n_options,) options the search left out whose lanes are left out here too, since they bear
            these whole and their (10) is then above zero whatever the multipliers; and what it is at least. Of a lane
            with an option that has a minimum they bear what it saves; the rest of it, at the client's cost without any
            option, is a lane of the other.
        reach: (n_options,) demand of the clients with a lane through each option; inf where nothing limits any.
        rows: the rows over options.

    Args:
        most: (n_clients,) lanes that cost as much or more are left out: no lambda gets there.
    """

    def __init__(self, problem: FacilityProblem, core: Core, most: FloatArray) -> None:
        p = self.problem = problem
        self.core = core
        first, second = p.lane_options.T
        free = np.flatnonzero((first < 0) & (second < 0))
        self.stay = p.unserved_cost.copy()
        np.minimum.at(self.stay, p.lane_client[free], p.lane_cost[free])
        has_minimum = np.append(p.min_throughput > 0, False)  # the last entry answers for NO_OPTION
        filling, useful = has_minimum[p.lane_options].any(axis=1), self._useful()
        self.reach = self._reach(useful & ((p.lane_cost < self.stay[p.lane_client]) | filling))
        self.rows = OptionRows(p, np.isinf(self.stay), self.reach)
        top = np.minimum(self.stay, most)
        lanes = useful & ((p.lane_cost < top[p.lane_client]) | filling)
        lanes &= np.append(self.rows.limits().high, True)[p.lane_options].all(axis=1)
        self.idle, self.idle_worth = _idle(p, core, lanes, top, self.stay)
        through = np.append(self.idle, False)[p.lane_options]
        lent = through.any(axis=1) & (has_minimum[p.lane_options] & ~through).any(axis=1)
        lane = np.flatnonzero(lanes & (lent | ~through.any(axis=1)))
        self.client = p.lane_client[lane].astype(np.int64)
        self.cost = np.where(lent[lane], self.stay[self.client], p.lane_cost[lane])
        ends = np.where(through[lane], NO_OPTION, p.lane_options[lane]).astype(np.int64)
        self.options = np.where(ends[:, :1] < 0, ends[:, ::-1], ends)
        self.paired = np.flatnonzero(self.options[:, 1] >= 0)
        self.fills = has_minimum[self.options]
        index = LaneIndex(p, core, np.flatnonzero(core.places[:, 1] >= 0))
        pairs = self.options[self.paired]
        self.core_lane = index.find(self.client[self.paired], pairs)
        first_place = np.append(core.places[:, 0], index.place_of[NO_OPTION])[self.core_lane]
        self.turned = index.place_of[pairs[:, 0]] != first_place
        self._known: tuple[Prices, BoolArray, BoolArray, _Values] | None = None

    def _useful(self) -> BoolArray:
        """(n_lanes,) mask of the lanes that need an option and whose options can hold their client, or part of it."""
        p = self.problem
        first, second = p.lane_options.T
        needs = (first >= 0) | (second >= 0)
        if not np.isfinite(p.capacity).any():
            return np.asarray(needs)
        capacity, need = np.append(p.capacity, np.inf), p.demand[p.lane_client]
        room = np.minimum(capacity[first], capacity[second])
        fits = need <= room * (1 + FIT) if p.single_source else (need == 0) | (room > 0)
        return np.asarray(needs & fits)

    def _reach(self, lanes: BoolArray) -> FloatArray:
        p = self.problem
        if not (np.isfinite(p.capacity).any() or p.min_throughput.any()):
            return np.full(p.n_options, np.inf)
        there = p.pairs.any(lanes)
        client, option = p.pairs.client[there], p.pairs.option[there]
        return np.asarray(np.bincount(option, weights=p.demand[client], minlength=p.n_options), dtype=np.float64)

    def costs_whole(self) -> bool:
        """Whether every plan that is worth a look costs a whole number: all costs are whole and no client is split."""
        p = self.problem
        finite = p.unserved_cost[np.isfinite(p.unserved_cost)]
        limited = ((p.capacity > 0) & (p.capacity < self.reach)) | (self.rows.limits().high & (p.min_throughput > 0))
        split = not p.single_source and limited.any()
        return not split and all(
            bool(np.all(values == np.round(values)) and np.all(np.abs(values) < LARGEST_WHOLE))
            for values in (p.lane_cost, finite, p.fixed_cost)
        )

    def narrow(self, limits: Limits) -> None:
        """Leave out the lanes through options that are closed in all regions still to come."""
        kept = np.flatnonzero(self.usable(limits))
        paired = self.options[kept, 1] >= 0
        mine = np.isin(self.paired, kept)
        self.core_lane, self.turned = self.core_lane[mine], self.turned[mine]
        self.client, self.cost, self.options = self.client[kept], self.cost[kept], self.options[kept]
        self.fills = self.fills[kept]
        self.paired = np.flatnonzero(paired)
        self._known = None

    def usable(self, limits: Limits) -> BoolArray:
        """(n_lanes,) mask of the lanes whose options may all be open."""
        is_open = np.append(limits.high, True)  # the last entry answers for NO_OPTION
        return np.asarray(is_open[self.options[:, 0]] & is_open[self.options[:, 1]])

    def served(self, limits: Limits) -> bool:
        """Whether the limits leave every client that must be served a lane."""
        p = self.problem
        is_open = np.append(limits.high, True)
        reached = np.zeros(p.n_clients, dtype=bool)
        reached[p.lane_client[is_open[p.lane_options[:, 0]] & is_open[p.lane_options[:, 1]]]] = True
        return not (np.isinf(p.unserved_cost) & ~reached).any()

    def bound(self, prices: Prices, limits: Limits) -> Bound:
        """(11) at some prices: the least cost of a plan within the limits, relaxed."""
        p = self.problem
        values = self._values(prices, limits)
        value, total = values.constant, values.total
        price = np.concatenate([prices.rules, prices.held])
        lower, upper = self.rows.lower.copy(), self.rows.upper.copy()
        lower[-1], upper[-1] = limits.fewest, limits.most
        limit = np.where(price > 0, lower, upper)
        price = np.where(np.isfinite(limit), price, 0.0)
        limit = np.where(np.isfinite(limit), limit, 0.0)
        w, size = values.v - price @ self.rows.rows, values.size + np.abs(price) @ self.rows.size
        value += float(price @ limit)
        total += float(np.abs(price) @ np.abs(limit))
        if limits.one_of is not None and prices.one_of > 0:
            w -= prices.one_of * limits.one_of
            size += prices.one_of * limits.one_of
            value += prices.one_of
            total += prices.one_of
        low, high = limits.low, limits.high
        if np.isinf(w[low]).any():  # what must open cannot come to its minimum (17)
            return Bound(np.inf, np.zeros(len(w)), np.zeros(len(w)))
        least = w - EPSILON * (ROUNDED + values.count + len(price)) * size
        free = high & ~low
        floor = np.where(free, least, np.inf)  # the least each free option may be worth
        of_group, best, second = _best_of_group(p.group, floor)
        for terms in (least[low], of_group):
            value += float(terms.sum())
            total += float(np.abs(terms).sum())
        enter = np.where(free, floor - best, np.where(high, 0.0, np.inf))
        leave = np.where(free, np.maximum(second - floor, 0.0), np.where(low, np.inf, 0.0))
        return Bound(value - EPSILON * ROUNDED * total, enter, leave)

    def _values(self, prices: Prices, limits: Limits) -> _Values:
        """(10) for every option, and the sum of the multipliers; kept while the multipliers are the same."""
        if self._known is not None:
            before, high, low, values = self._known
            same = before.lam is prices.lam and before.first is prices.first
            if same and np.array_equal(high, limits.high) and np.array_equal(low, limits.low):
                return values
        values = self._priced(prices, limits)
        self._known = (prices, limits.high.copy(), limits.low.copy(), values)
        return values

    def _priced(self, prices: Prices, limits: Limits) -> _Values:
        p = self.problem
        lam = self.stay.copy()
        lam[self.core.client_of] = np.minimum(prices.lam, lam[self.core.client_of])
        usable = self.usable(limits)
        always = np.append(limits.low & (p.capacity >= self.reach) & (p.capacity > 0), True)
        certain = np.flatnonzero(usable & always[self.options[:, 0]] & always[self.options[:, 1]])
        ceiling = lam.copy()
        np.minimum.at(ceiling, self.client[certain], self.cost[certain])
        fills = self.fills.any(axis=1)
        fallen = np.zeros(p.n_clients)
        if not fills.any():
            np.subtract(lam, ceiling, out=fallen, where=np.isfinite(lam))
            lam = ceiling
        lam[~np.isfinite(lam)] = 0.0
        gains = (self.cost < lam[self.client]) & (self.cost <= ceiling[self.client])
        gain = np.flatnonzero(usable & (gains | fills))
        first_always = always[self.options[gain, 0]]
        relief = fallen[self.client[gain], None] * np.column_stack([first_always, ~first_always])
        option, client, reduced = _entries(self, prices, lam, gain, relief)
        magnitude = np.abs(reduced) + 2 * np.abs(lam[client])
        n = p.n_options
        gainful = np.minimum(reduced, 0.0)
        worth = np.asarray(np.bincount(option, weights=gainful, minlength=n), dtype=np.float64)
        load = np.bincount(option, weights=np.where(reduced < 0, p.demand[client], 0.0), minlength=n)
        full, short = load > p.capacity, load < p.min_throughput
        if full.any():
            mine = np.flatnonzero(full[option])
            worth[full] = _knapsacks(p, option[mine], client[mine], gainful[mine])[full]
        if short.any():
            mine = np.flatnonzero(short[option] & (reduced >= 0))
            missing = p.min_throughput * (1 - FIT) - load
            worth[short] += _fills(p, option[mine], client[mine], reduced[mine], missing)[short]
            most = np.minimum(np.bincount(option, weights=p.demand[client], minlength=n), p.capacity)
            worth[most < p.min_throughput * (1 - FIT)] = np.inf
        count = np.bincount(option, minlength=n)
        size: FloatArray = np.abs(p.fixed_cost) + np.bincount(option, weights=magnitude, minlength=n)
        v = np.where(self.idle, self.idle_worth, p.fixed_cost + worth)
        return _Values(v, size, count, float(lam.sum()), float(np.abs(lam).sum()))


@dataclass(frozen=True, eq=False)
class _Values:
    """(10) for every option, and the sum of the multipliers.

    Attributes:
        size, count: (n_options,) sum of the absolute values in (10), and how many there are; what rounding may have
            added is as much of it as there are terms, and a few.
        total: sum of the absolute values of the multipliers.
    """

    v: FloatArray
    size: FloatArray
    count: IntArray
    constant: float
    total: float


def _best_of_group(group: IntArray, floor: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Worth of the best of each group, 0 where none gains; the same by option; and what is best without the option."""
    label = np.where(group < 0, ~np.arange(len(group)), group)  # below 0: a group of its own
    _, number, count = np.unique(label, return_inverse=True, return_counts=True)
    order, start = np.lexsort((floor, number)), np.cumsum(count) - count
    worth, following = np.minimum(floor[order], 0.0), np.zeros(len(start))
    several = count > 1
    following[several] = worth[start[several] + 1]
    without = np.full(len(floor), -np.inf)  # not the best: leaving it changes nothing
    without[order[start]] = following
    return worth[start], worth[start][number], without


def _knapsacks(p: FacilityProblem, option: IntArray, client: IntArray, reduced: FloatArray) -> FloatArray:
    """(n_options,) the minimum in (10) where not all gainful clients fit: the best per unit of demand first."""
    demand = p.demand[client]
    per_unit = np.divide(reduced, demand, out=np.zeros(len(reduced)), where=demand > 0)
    order = np.lexsort((per_unit, option))
    option, reduced, demand = option[order], reduced[order], demand[order]
    before, in_all = _before(option, demand)
    left = p.capacity[option] - before + ROUNDING * in_all  # a little more room can only lower the bound
    share = np.ones(len(option))
    np.divide(left, demand, out=share, where=demand > 0)
    worth = np.bincount(option, weights=reduced * np.clip(share, 0.0, 1.0), minlength=p.n_options)
    return np.asarray(worth, dtype=np.float64)


def _before(option: IntArray, demand: FloatArray) -> tuple[FloatArray, float]:
    """(n,) demand at the same option before each, in order of options, and all demand."""
    load = np.cumsum(demand)
    before = load - demand
    start = _starts(option)
    return before - np.repeat(before[start], np.diff(start, append=len(option))), float(demand.sum())


def _starts(number: IntArray) -> IntArray:
    """Where each of some numbers in order comes first."""
    return np.unique(number, return_index=True)[1]


def _fills(
    p: FacilityProblem, option: IntArray, client: IntArray, reduced: FloatArray, missing: FloatArray
) -> FloatArray:
    """(n_options,) the least that lanes of no gain cost where they make up what is missing of a minimum (17)."""
    demand = p.demand[client]
    moves = np.flatnonzero(demand > 0)
    option, reduced, demand = option[moves], reduced[moves], demand[moves]
    order = np.lexsort((reduced / demand, option))
    option, reduced, demand = option[order], reduced[order], demand[order]
    before, in_all = _before(option, demand)
    left = missing[option] - before - ROUNDING * in_all  # a little less to make up can only lower the bound
    cost = np.bincount(option, weights=reduced * np.clip(left / demand, 0.0, 1.0), minlength=p.n_options)
    return np.asarray(cost, dtype=np.float64)


def _idle(
    p: FacilityProblem, core: Core, lanes: BoolArray, top: FloatArray, stay: FloatArray
) -> tuple[BoolArray, FloatArray]:
    """(n_options,) options outside a core that bear all of their lanes and still cost no less than nothing, and (10).

    Args:
        lanes: (n_lanes,) mask of the lanes that count.
        top: (n_clients,) the highest multipliers; of lanes that may fill an option to its minimum, `stay`.
    """
    idle, worth = np.zeros(p.n_options + 1, dtype=bool), np.zeros(p.n_options)
    outside = np.ones(p.n_options, dtype=bool)
    outside[core.option_of] = False
    fills = np.append(p.min_throughput > 0, False)[p.lane_options].any(axis=1)
    most = np.where(fills, stay[p.lane_client], top[p.lane_client])
    gain = np.where(lanes, most - p.lane_cost, 0.0)
    pairs = p.pairs.kept(gain > 0)
    while True:
        gained, size = pairs.most(gain), 2 * np.abs(stay[pairs.client])
        total, sizes, count = (np.bincount(pairs.option, part, p.n_options) for part in (gained, gained + size, None))
        floor = p.fixed_cost - total - EPSILON * (ROUNDED + count) * (np.abs(p.fixed_cost) + sizes)
        new = outside & ~idle[:-1] & (floor >= 0)
        if not new.any():
            return idle[:-1], worth
        idle[:-1] |= new
        worth[new] = floor[new]
        pairs = pairs.kept(np.asarray(~idle[p.lane_options].any(axis=1)))


def _entries(
    at: Restated, prices: Prices, lam: FloatArray, gain: IntArray, relief: FloatArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """(option, client, reduced cost): the best of some lanes of each client at each option.

    Args:
        relief: (n_gainful, 2) what the lanes gain less than by the prices, taken off an option that opens in any case.
    """
    reduced = at.cost[gain] - lam[at.client[gain]]
    option, client = at.options[gain, 0], at.client[gain]
    second = np.flatnonzero(at.options[gain, 1] >= 0)
    if len(second):
        first_part = _first_parts(at, prices, gain, second, reduced, relief)
        other = reduced[second] - first_part
        reduced = reduced.copy()
        reduced[second] = first_part
        option = np.concatenate([option, at.options[gain[second], 1]])
        client = np.concatenate([client, client[second]])
        reduced = np.concatenate([reduced, other])
    key = _numbers(at.problem, option, client)
    order = np.argsort(key, kind="stable")
    start = _starts(key[order])
    if len(start) < len(order):
        reduced = np.minimum.reduceat(reduced[order], start)
        order = order[start]
    else:
        reduced = reduced[order]
    return option[order], client[order], reduced


def _numbers(p: FacilityProblem, option: IntArray, client: IntArray) -> IntArray:
    """One number for an option and a client."""
    return np.asarray(np.ravel_multi_index((option, client), (p.n_options, p.n_clients), mode="wrap"))


def _first_parts(
    at: Restated, prices: Prices, gain: IntArray, second: IntArray, reduced: FloatArray, relief: FloatArray
) -> FloatArray:
    """What the first option bears of gainful two-option lanes: as the search said, else where it costs nothing."""
    said = np.full(at.core.n_lanes, np.nan)
    said[prices.lane] = prices.first
    pair = np.searchsorted(at.paired, gain[second])
    core_lane, turned = at.core_lane[pair], at.turned[pair]
    first = np.append(said, np.nan)[core_lane]  # the last entry answers for lanes dropped there
    whole = reduced[second]
    less = relief[second]
    first = np.where(turned, whole - less.sum(axis=1) - first, first) + less[:, 0]
    first = np.where(np.isnan(first) & (core_lane < at.core.n_lanes), whole / 2, first)
    fills = at.fills[gain[second]]  # elsewhere a part above zero would only be given away
    first = np.where(fills[:, 0], first, np.minimum(first, 0.0))
    first = np.where(fills[:, 1], first, np.maximum(first, whole))
    unknown = np.flatnonzero(np.isnan(first))
    fills = fills[unknown]
    one_fills = np.where(fills[:, 1], 0.0, whole[unknown])
    first[unknown] = np.where(fills.all(axis=1), whole[unknown] / 2, one_fills)
    unknown = unknown[(whole[unknown] < 0) & ~fills.any(axis=1)]
    if len(unknown):
        key_of = _numbers(at.problem, at.options[gain].T, at.client[gain]).T
        first[unknown] = _free_parts(key_of, reduced, second, first, unknown)
    return np.asarray(first)


def _free_parts(
    key_of: IntArray, reduced: FloatArray, second: IntArray, first: FloatArray, unknown: IntArray
) -> FloatArray:
    """Of lanes the search dropped: as much to one option as another lane of the client gains there anyway.

    Args:
        key_of: (n_gainful, 2) a number for the client and each option of the gainful lanes.
        second: those with two options, of which `first` has what the first option bears, where that is not `unknown`.
    """
    known, single = np.ones(len(second), dtype=bool), np.ones(len(reduced), dtype=bool)
    known[unknown], single[second] = False, False
    key = np.concatenate([key_of[single, 0], key_of[second[known], 0], key_of[second[known], 1]])
    have = np.concatenate([reduced[single], first[known], reduced[second[known]] - first[known]])
    order = np.lexsort((have, key))
    key, have = key[order], have[order]

    def gained(wanted: IntArray) -> FloatArray:
        at, after = (np.searchsorted(key, wanted, side) for side in ("left", "right"))
        found, gain = at < after, np.zeros(len(wanted))
        gain[found] = have[at[found]]
        return gain

    whole = reduced[second[unknown]]
    at_first, at_second = (gained(key_of[second[unknown], end]) for end in range(2))
    rest = np.where(at_second <= whole, 0.0, np.clip(at_first, whole, 0.0))
    return np.where(at_first <= whole, whole, rest)

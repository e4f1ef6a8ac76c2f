"""Equations (10) and (11) over the problem as the caller stated it, in plain NumPy and with a margin for rounding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from siting.solver.core import Core
from siting.solver.option_limits import FIT, ROUNDING, Bound, Limits, OptionRows
from siting.solver.problem import NO_OPTION, BoolArray, FacilityProblem, FloatArray, IntArray
from siting.solver.proof import Prices

EPSILON = float(np.finfo(float).eps)
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
        filling, useful = self._filling(), self._useful()
        self.reach = self._reach(useful & ((p.lane_cost < self.stay[p.lane_client]) | filling))
        self.rows = OptionRows(p, np.isinf(self.stay), self.reach)
        top = np.minimum(self.stay, most)
        lanes = useful & ((p.lane_cost < top[p.lane_client]) | filling)
        lanes &= np.append(self.rows.limits().high, True)[p.lane_options].all(axis=1)
        self.idle, self.idle_worth = _idle(p, core, lanes, top, self.stay)
        through = np.append(self.idle, False)[p.lane_options]
        lent = through.any(axis=1) & (np.append(p.min_throughput > 0, False)[p.lane_options] & ~through).any(axis=1)
        lane = np.flatnonzero(lanes & (lent | ~through.any(axis=1)))
        self.client = p.lane_client[lane].astype(np.int64)
        self.cost = np.where(lent[lane], self.stay[self.client], p.lane_cost[lane])
        ends = np.where(through[lane], NO_OPTION, p.lane_options[lane]).astype(np.int64)
        self.options = np.where(ends[:, :1] < 0, ends[:, ::-1], ends)
        self.paired = np.flatnonzero(self.options[:, 1] >= 0)
        self.fills = np.append(p.min_throughput > 0, False)[self.options]
        self.core_lane, self.turned = _match_pairs(p, core, self.client[self.paired], self.options[self.paired])
        self._known: tuple[Prices, BoolArray, BoolArray, _Values] | None = None

    def _filling(self) -> BoolArray:
        """(n_lanes,) mask of the lanes of the problem through an option with a minimum."""
        p = self.problem
        if not p.min_throughput.any():
            return np.zeros(p.n_lanes, dtype=bool)
        return np.asarray(np.append(p.min_throughput > 0, False)[p.lane_options].any(axis=1))

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
        return np.bincount(option, weights=p.demand[client], minlength=p.n_options).astype(np.float64, copy=False)

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
        w, error = values.v.copy(), values.error.copy()
        value, size = values.constant, values.size
        price = np.concatenate([prices.rules, prices.held])
        lower, upper = self.rows.lower.copy(), self.rows.upper.copy()
        lower[-1], upper[-1] = limits.fewest, limits.most
        limit = np.where(price > 0, lower, upper)
        price = np.where(np.isfinite(limit), price, 0.0)
        limit = np.where(np.isfinite(limit), limit, 0.0)
        w -= price @ self.rows.rows
        error += 4 * EPSILON * (np.abs(price) @ self.rows.size)
        if limits.one_of is not None and prices.one_of > 0:
            w -= prices.one_of * limits.one_of
            error += EPSILON * prices.one_of * limits.one_of
            value += prices.one_of
            size += prices.one_of
        value += float(price @ limit)
        size += float(np.abs(price) @ np.abs(limit))
        low, high = limits.low, limits.high
        if np.isinf(w[low]).any():  # what must open cannot come to its minimum (17)
            return Bound(np.inf, np.zeros(len(w)), np.zeros(len(w)))
        floor = np.where(high & ~low, w - error, np.inf)  # the least each free option may be worth
        best, second = _best_of_group(p.group, floor)
        fixed = w[low] - error[low]
        alone = high & ~low & (p.group < 0)
        value += float(fixed.sum()) + float(np.minimum(floor[alone], 0.0).sum()) + best.total
        size += float(np.abs(fixed).sum()) + float(np.abs(np.minimum(floor[alone], 0.0)).sum()) + abs(best.total)
        enter = np.where(high & ~low, floor - best.of_option, np.where(high, 0.0, np.inf))
        leave = np.where(high & ~low, np.maximum(second - floor, 0.0), np.where(low, np.inf, 0.0))
        return Bound(value - EPSILON * (64 + 2 * np.log2(1 + p.n_clients + p.n_options)) * size, enter, leave)

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
        worth = np.bincount(option, weights=gainful, minlength=n).astype(np.float64, copy=False)
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
        error = EPSILON * (count + 8) * (np.abs(p.fixed_cost) + np.bincount(option, weights=magnitude, minlength=n))
        v = np.where(self.idle, self.idle_worth, p.fixed_cost + worth)
        return _Values(v, error, float(lam.sum()), float(np.abs(lam).sum()))


@dataclass(frozen=True, eq=False)
class _Values:
    """(10) for every option with what rounding may have added, the sum of the multipliers and of their sizes."""

    v: FloatArray
    error: FloatArray
    constant: float
    size: float


@dataclass(frozen=True, eq=False)
class _Best:
    """(n_options,) worth of the best of each option's group, and the sum over groups."""

    of_option: FloatArray
    total: float


def _best_of_group(group: IntArray, floor: FloatArray) -> tuple[_Best, FloatArray]:
    """The best of each option's group (or itself), and what is next best without the option; 0 where none gains."""
    own = np.minimum(floor, 0.0)
    second = np.zeros(len(floor))
    member = np.flatnonzero(group >= 0)
    if not len(member):
        return _Best(own, 0.0), second
    order = member[np.lexsort((floor[member], group[member]))]
    start = _starts(group[order])
    number = np.repeat(np.arange(len(start)), np.diff(start, append=len(order)))
    best = np.minimum(floor[order[start]], 0.0)
    following = np.zeros(len(start))
    has_two = np.diff(start, append=len(order)) > 1
    following[has_two] = np.minimum(floor[order[start[has_two] + 1]], 0.0)
    own[order] = best[number]
    second[order[start]] = following
    second[np.setdiff1d(member, order[start])] = -np.inf  # not the best: leaving it changes nothing
    return _Best(own, float(best.sum())), second


def _knapsacks(p: FacilityProblem, option: IntArray, client: IntArray, reduced: FloatArray) -> FloatArray:
    """(n_options,) the minimum in (10) where not all gainful clients fit: the best per unit of demand first."""
    demand = p.demand[client]
    per_unit = np.full(len(reduced), -np.inf)
    np.divide(reduced, demand, out=per_unit, where=demand > 0)
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
    """Where each number, of 0 or more and in order, comes first."""
    return np.flatnonzero(np.diff(number, prepend=-1))


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
    return cost.astype(np.float64, copy=False)


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
        floor = p.fixed_cost - total - EPSILON * (count + 8) * (np.abs(p.fixed_cost) + sizes)
        new = outside & ~idle[:-1] & (floor >= 0)
        if not new.any():
            return idle[:-1], worth
        idle[:-1] |= new
        worth[new] = floor[new]
        pairs = pairs.kept(np.asarray(~idle[p.lane_options].any(axis=1)))


def _match_pairs(
    problem: FacilityProblem, core: Core, client: IntArray, options: IntArray
) -> tuple[IntArray, BoolArray]:
    """Where each two-option lane is in the core (-1: dropped there), and whether its ends are turned."""
    core_lane, turned = np.full(len(client), -1), np.zeros(len(client), dtype=bool)
    theirs = np.flatnonzero(core.places[:, 1] >= 0)
    if not len(client) or not len(theirs):
        return core_lane, turned
    place_of = np.full(problem.n_options, -1)
    place_of[core.option_of] = core.place
    client_of = np.full(problem.n_clients, -1)
    client_of[core.client_of] = np.arange(core.n_clients)
    mine = place_of[options]
    owner = client_of[client]
    n = core.n_places + 1

    def key(owner: IntArray, places: IntArray) -> IntArray:
        low, high = np.sort(places, axis=1).T
        return np.asarray((owner * n + low) * n + high)

    have = key(core.client[theirs].astype(np.int64), core.places[theirs].astype(np.int64))
    order = np.argsort(have, kind="stable")
    wanted = key(owner, mine)
    at = np.minimum(np.searchsorted(have[order], wanted), len(order) - 1)
    found = (have[order][at] == wanted) & (owner >= 0) & (mine >= 0).all(axis=1)
    core_lane[found] = theirs[order[at[found]]]
    turned[found] = mine[found, 0] != core.places[core_lane[found], 0]
    return core_lane, turned


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
    key = option * at.problem.n_clients + client
    order = np.argsort(key, kind="stable")
    start = _starts(key[order])
    if len(start) < len(order):
        reduced = np.minimum.reduceat(reduced[order], start)
        order = order[start]
    else:
        reduced = reduced[order]
    return option[order], client[order], reduced


def _first_parts(
    at: Restated, prices: Prices, gain: IntArray, second: IntArray, reduced: FloatArray, relief: FloatArray
) -> FloatArray:
    """What the first option bears of gainful two-option lanes: as the search said, else where it costs nothing."""
    lanes = at.core.n_lanes
    said = np.full(lanes + 1, np.nan)
    said[prices.lane] = prices.first
    pair = np.searchsorted(at.paired, gain[second])
    core_lane, turned = at.core_lane[pair], at.turned[pair]
    first = said[core_lane]  # the last entry answers for lanes dropped there
    whole = reduced[second]
    less = relief[second]
    first = np.where(turned, whole - less.sum(axis=1) - first, first) + less[:, 0]
    first = np.where(np.isnan(first) & (core_lane >= 0), whole / 2, first)
    fills = at.fills[gain[second]]  # elsewhere a part above zero would only be given away
    first = np.where(fills[:, 0], first, np.minimum(first, 0.0))
    first = np.where(fills[:, 1], first, np.maximum(first, whole))
    unknown = np.flatnonzero(np.isnan(first))
    fills = fills[unknown]
    one_fills = np.where(fills[:, 1], 0.0, whole[unknown])
    first[unknown] = np.where(fills.all(axis=1), whole[unknown] / 2, one_fills)
    unknown = unknown[(whole[unknown] < 0) & ~fills.any(axis=1)]
    if len(unknown):
        key_of = at.options[gain] * at.problem.n_clients + at.client[gain, None]
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
        at = np.searchsorted(key, wanted)
        there = np.append(key, -1)[at] == wanted
        return np.where(there, np.append(have, 0.0)[at], 0.0)

    whole = reduced[second[unknown]]
    at_first, at_second = (gained(key_of[second[unknown], end]) for end in range(2))
    rest = np.where(at_second <= whole, 0.0, np.clip(at_first, whole, 0.0))
    return np.where(at_first <= whole, whole, rest)

"""Exact reduction of a FacilityProblem to its Core: the lanes and options an optimal plan can use.

Nothing here is a heuristic: an optimal solution of the core is an optimal solution of the problem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from siting.solver.problem import NO_OPTION, BoolArray, FacilityProblem, FloatArray, IntArray, LaneArray
from siting.solver.reach import shut_out, wanted
from siting.solver.rules import Rules

HashArray = npt.NDArray[np.uint64]

MANY_LANES = 200_000
TICK = 200
"""Clients sorted between two looks at progress."""


@dataclass(frozen=True, eq=False)
class Core:
    """The reduced problem, its lanes sorted by client and then by cost, in an order of its own.

    Options of one group with the same lanes (size tiers of one facility) share a *place*: lanes lead through
    places, and a place is open with the capacity of its open option. This states the problem with fewer
    lanes and a stronger link than one lane per tier would.

    Clients and options are numbered by what they are (their costs, demands, lanes), not by where they stood,
    so the plan does not depend on the order in which the caller listed them.

    Attributes:
        client, cost: (n_lanes,).
        places: (n_lanes, 2) places each lane needs; places[:, 0] is never empty, places[:, 1] may be NO_OPTION.
        first_lane: (n_clients + 1,) lanes of client i are first_lane[i]:first_lane[i + 1].
        unserved: (n_clients,) cost without any option: s_i, or a lane that needs none if that is cheaper.
        place: (n_options,) place of each option.
        demand, fixed_cost, capacity, group, forced: as in FacilityProblem, forced as a mask; capacity
            is inf at every option of a place that no option limits, and finite at every option elsewhere.
        rules: the rows of the problem over these options, all but those of the groups.
        option_of, client_of: where each one stood in the problem.
        base: cost of the clients that have no lane left.
    """

    client: LaneArray
    places: LaneArray
    cost: FloatArray
    first_lane: IntArray
    unserved: FloatArray
    demand: FloatArray
    place: IntArray
    fixed_cost: FloatArray
    capacity: FloatArray
    group: IntArray
    forced: BoolArray
    rules: Rules
    single_source: bool
    option_of: IntArray
    client_of: IntArray
    base: float

    @property
    def n_clients(self) -> int:
        return len(self.demand)

    @property
    def n_options(self) -> int:
        return len(self.fixed_cost)

    @property
    def n_lanes(self) -> int:
        return len(self.cost)

    @cached_property
    def n_places(self) -> int:
        return int(self.place.max(initial=-1)) + 1

    @cached_property
    def capacitated(self) -> bool:
        """Whether any capacity can bind."""
        return bool(np.isfinite(self.capacity).any())

    @cached_property
    def paired(self) -> bool:
        """Whether any lane needs two places."""
        return bool((self.places[:, 1] >= 0).any())

    @cached_property
    def n_open(self) -> int | None:
        """The number of open options where a rule asks for exactly one number of them, else None."""
        rules = self.rules
        for r in np.flatnonzero(rules.lower == rules.upper):
            row = rules.coefficients[[r]]
            if row.nnz == self.n_options and (row.data == 1.0).all() and rules.lower[r] == round(rules.lower[r]):
                return int(rules.lower[r])
        return None

    @cached_property
    def rows(self) -> Rules:
        """All rules as a linear program takes them: scaled, and one row for every group of two or more."""
        return Rules.stacked([self.rules, Rules.at_most_one(self.group)]).scaled()

    def place_capacity(self, opened: BoolArray) -> FloatArray:
        """(n_places,) capacity of each place with these options open; NaN where it is closed."""
        room = np.full(self.n_places, np.nan)
        room[self.place[opened]] = self.capacity[opened]
        return room


def reduce_problem(problem: FacilityProblem, tick: Callable[[], None] = lambda: None) -> Core:
    """Drop what no optimal plan needs and renumber the rest.

    - lanes through forbidden options, and through those that no plan can open without breaking a rule: they are
      over the budget, rivals of a forced one;
    - lanes that do not beat the client's cost without options (unserved, or a lane that needs no option);
    - lanes dominated by a lane of the same client that is no dearer and needs a subset of its options;
    - lanes through an option without capacity or, for single-source problems, too small for the client;
    - lanes dearer than a lane whose options are all forced open and have no capacity limit;
    - options that no lane uses, unless forced, of use to keep a rule, or gainful to open.

    Args:
        tick: called now and then.
    """
    p = problem
    tick()
    closed = np.zeros(p.n_options, dtype=bool)
    closed[p.forbidden] = True
    forced = np.zeros(p.n_options, dtype=bool)
    forced[p.forced_open] = True
    closed |= shut_out(p.rows, forced, closed)
    reachable = _reachable_demand(p)
    limited = np.isfinite(p.capacity) & (p.capacity < reachable) & (p.capacity > 0)

    first, second = p.lane_options[:, 0], p.lane_options[:, 1]
    keep = np.ones(p.n_lanes, dtype=bool)
    if closed.any():
        shut = np.append(closed, False)  # the last entry answers for NO_OPTION
        keep &= ~(shut[first] | shut[second])
    free = np.flatnonzero((first < 0) & (second < 0))
    keep[free] = False
    unserved = p.unserved_cost.copy()
    np.minimum.at(unserved, p.lane_client[free], p.lane_cost[free])
    if np.isfinite(unserved).any():
        keep &= p.lane_cost < unserved[p.lane_client]
    if forced.any():
        always = np.append(forced & ~limited & (p.capacity > 0), True)  # without capacity it serves nobody
        certain = keep & always[first] & always[second]
        ceiling = unserved.copy()
        np.minimum.at(ceiling, p.lane_client[certain], p.lane_cost[certain])
        keep &= p.lane_cost <= ceiling[p.lane_client]
    if np.isfinite(p.capacity).any():
        capacity = np.append(p.capacity, np.inf)
        room = np.minimum(capacity[first], capacity[second])
        need = p.demand[p.lane_client]
        keep &= (need <= room * (1 + 1e-12)) if p.single_source else (need == 0) | (room > 0)

    lane = np.flatnonzero(keep)
    options = p.lane_options if len(lane) == p.n_lanes else p.lane_options[lane]
    turned = np.flatnonzero(options[:, 0] < 0)
    if len(turned):
        options = options.copy()
        options[turned] = options[turned, ::-1]
    lane, options = _undominated(p, lane, options)

    tick()
    used = np.zeros(p.n_options + 1, dtype=bool)
    used[options.ravel()] = True
    used = used[:-1] | forced
    used |= wanted(p.limits, forced, closed)
    used |= p.fixed_cost < 0
    used &= ~closed
    served = np.zeros(p.n_clients, dtype=bool)
    served[p.lane_client[lane]] = True
    base = float(unserved[~served].sum())

    client_key, option_key = _content_keys(p, lane, options, unserved, forced)
    client_of = _ranked(np.flatnonzero(served), client_key)
    option_of = _ranked(np.flatnonzero(used), option_key)
    place = _numbered(_twins(p, lane, options)[option_of])
    new_place = np.full(p.n_options + 1, NO_OPTION, dtype=np.int32)
    new_place[option_of] = place
    capacity = np.where(limited, p.capacity, np.inf)[option_of]
    tight = np.zeros(len(option_of), dtype=bool)
    tight[place[np.isfinite(capacity)]] = True
    capacity = np.where(tight[place], np.minimum(capacity, reachable[option_of]), np.inf)
    places, cost = new_place.take(options), p.lane_cost[lane]
    order, first_lane = _by_client_and_cost(p.lane_client[lane], places, cost, client_of, tick)
    return Core(
        client=np.repeat(np.arange(len(client_of), dtype=np.int32), np.diff(first_lane)),
        places=places.take(order, axis=0),
        cost=cost[order],
        first_lane=first_lane,
        unserved=unserved[client_of],
        demand=p.demand[client_of],
        place=place,
        fixed_cost=p.fixed_cost[option_of],
        capacity=capacity,
        group=_numbered(p.group[option_of]),
        forced=forced[option_of],
        rules=p.limits.of(option_of),
        single_source=p.single_source,
        option_of=option_of,
        client_of=client_of,
        base=base,
    )


def _reachable_demand(p: FacilityProblem) -> FloatArray:
    """(n_options,) demand of all clients with a lane through each option: a capacity above never binds."""
    total = np.zeros(p.n_options)
    if not np.isfinite(p.capacity).any():
        return total
    pair: list[IntArray] = []
    for column in p.lane_options.T:
        has = column >= 0
        pair.append(p.lane_client[has].astype(np.int64) * p.n_options + column[has])
    pairs = np.unique(np.concatenate(pair))
    if len(pairs):
        np.add.at(total, pairs % p.n_options, p.demand[pairs // p.n_options])
    return total


def _undominated(p: FacilityProblem, lane: IntArray, options: LaneArray) -> tuple[IntArray, LaneArray]:
    """Lanes no other lane of the same client beats with the same options or fewer."""
    low = np.minimum(options[:, 0], options[:, 1]).astype(np.int64)
    high = np.maximum(options[:, 0], options[:, 1]).astype(np.int64)
    client = p.lane_client[lane].astype(np.int64)
    n = p.n_options + 1
    key = (client * n + (low + 1)) * n + high  # low + 1 = 0 where the lane needs one option only
    if (np.diff(key) <= 0).any():  # strictly increasing keys, as from a full matrix, are all different
        order = np.lexsort((p.lane_cost[lane], key))
        first = np.ones(len(order), dtype=bool)
        first[1:] = key[order][1:] != key[order][:-1]
        keep = np.sort(order[first])
        lane, options, low, high, client = lane[keep], options[keep], low[keep], high[keep], client[keep]
    single = low == NO_OPTION
    if single.all() or not len(lane):
        return lane, options
    single_key = client[single] * n + high[single]
    by_key = np.argsort(single_key)
    sorted_key, cost = single_key[by_key], p.lane_cost[lane[single]][by_key]
    alive = np.ones(len(lane), dtype=bool)
    if len(sorted_key):
        for option in (low, high):
            wanted = client * n + option
            at = np.minimum(np.searchsorted(sorted_key, wanted), len(sorted_key) - 1)
            alive &= single | (sorted_key[at] != wanted) | (p.lane_cost[lane] < cost[at])
    return lane[alive], options[alive]


def _twins(p: FacilityProblem, lane: IntArray, options: LaneArray) -> IntArray:
    """(n_options,) the first option of the same group with the same lanes: the option itself where none is."""
    itself = np.arange(p.n_options)
    grouped = np.flatnonzero(p.group >= 0)
    if not len(grouped):
        return itself
    first, second = options.T
    content = _scramble(_bits(p.lane_cost[lane])) + p.lane_client[lane].astype(np.uint64)
    other = np.append(_scramble(itself.astype(np.uint64)), np.uint64(0))
    paired = np.flatnonzero(second >= 0)
    key = _sum_by(first, content + other[second], p.n_options)
    key += _sum_by(second[paired], content[paired] + other[first[paired]], p.n_options)
    table = np.column_stack([p.group[grouped].astype(np.uint64), key[grouped]])
    _, leader, member = np.unique(table, axis=0, return_index=True, return_inverse=True)
    itself[grouped] = grouped[leader][member.ravel()]
    return itself


def _by_client_and_cost(
    client: LaneArray, places: LaneArray, cost: FloatArray, client_of: IntArray, tick: Callable[[], None]
) -> tuple[IntArray, IntArray]:
    """Order of lanes by client (in the order of `client_of`), cost, and (among ties) the numbers of their places.

    Lanes of a tier set are one lane: the same client, places and cost. Also returned: (n_clients + 1,) where each
    client's lanes begin.
    """
    low, high = np.minimum(places[:, 0], places[:, 1]), np.maximum(places[:, 0], places[:, 1]).astype(np.int64)
    way = high * (low.max(initial=0) + 2) + low + 1  # a number for the places of a lane
    by_client = np.arange(len(client))
    if (np.diff(client) < 0).any():
        by_client = np.argsort(client, kind="stable")
    start = np.searchsorted(client[by_client], np.arange(client.max(initial=-1) + 2))
    key = _cost_and_way(cost, way)
    order = np.empty(len(client), dtype=np.int64)
    first_lane = np.zeros(len(client_of) + 1, dtype=np.int64)
    end = 0
    for position, old in enumerate(client_of.tolist()):
        if position % TICK == 0:
            tick()
        lanes = by_client[start[old] : start[old + 1]]
        keys = key[lanes]
        by_key = np.argsort(keys)
        keys = keys[by_key]
        if (keys[1:] == keys[:-1]).any():
            lanes = lanes[np.lexsort((way[lanes], cost[lanes]))]
            same = (way[lanes[1:]] == way[lanes[:-1]]) & (cost[lanes[1:]] == cost[lanes[:-1]])
            lanes = lanes[np.append(True, ~same)]
        else:
            lanes = lanes[by_key]
        order[end : end + len(lanes)] = lanes
        end += len(lanes)
        first_lane[position + 1] = end
    return order[:end], first_lane


def _cost_and_way(cost: FloatArray, way: IntArray) -> IntArray | FloatArray:
    """Costs and ways in one whole number that sorts by both, where the last bits of all costs are free; else costs."""
    bits = _bits(cost)
    free = int(np.bitwise_or.reduce(bits, initial=0))
    room = (free & -free).bit_length() - 1 if free else 63
    if int(way.max(initial=0)).bit_length() > room or (cost < 0).any():
        return cost
    return np.asarray(bits.view(np.int64) | way)


def _content_keys(
    p: FacilityProblem, lane: IntArray, options: LaneArray, unserved: FloatArray, forced: BoolArray
) -> tuple[HashArray, HashArray]:
    """Hashes of clients and options by content: equal under any reordering of the problem.

    Two rounds of colour refinement on the graph of lanes (one where there are so many that it tells all apart);
    clients and options that still share a hash are interchangeable for every practical purpose.
    """
    first, second = options.T
    paired = np.flatnonzero(second >= 0)
    client = p.lane_client[lane]
    bits = _bits(p.lane_cost[lane])
    client_key = _scramble(_bits(p.demand) + _scramble(_bits(unserved)))
    option_key = _scramble(_bits(p.fixed_cost) + _scramble(_bits(p.capex) + _scramble(_bits(p.capacity))))
    option_key = _scramble(option_key + forced.astype(np.uint64))
    rules = p.rules if p.rules is not None else Rules.none(p.n_options)
    rule = np.repeat(np.arange(len(rules)), np.diff(rules.coefficients.indptr))
    ruled, share = rules.coefficients.indices, _bits(rules.coefficients.data)
    rule_key = _scramble(_bits(rules.lower) + _scramble(_bits(rules.upper)))
    for _ in range(2 if len(lane) < MANY_LANES else 1):
        ends = bits + option_key[first]
        ends[paired] += option_key[second[paired]]
        client_key = _gather(client_key, client, ends)
        starts = bits + client_key[client]
        total = _sum_by(first, starts, p.n_options)
        total += _sum_by(second[paired], starts[paired], p.n_options)
        option_key = _scramble(option_key + total)
        grouped = np.flatnonzero(p.group >= 0)
        if len(grouped):
            number = np.unique(p.group[grouped], return_inverse=True)[1]
            group_key = _sum_by(number, option_key[grouped], int(number.max()) + 1)
            option_key[grouped] = _scramble(option_key[grouped] + group_key[number])
        if len(rules):
            rule_key = _gather(rule_key, rule, share + option_key[ruled])
            option_key = _gather(option_key, ruled, share + rule_key[rule])
    return client_key, option_key


def _bits(values: FloatArray) -> HashArray:
    """The bit pattern of each number, with one zero."""
    return (values + 0.0).view(np.uint64)


def _scramble(key: HashArray) -> HashArray:
    """One round of the SplitMix64 finaliser [Steele, Lea and Flood 2014]."""
    key = key + np.uint64(0x9E3779B97F4A7C15)  # so that nothing at all does not look like a zero
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


def _sum_by(index: npt.NDArray[np.integer], values: HashArray, n: int) -> HashArray:
    """Sum of scrambled values by index, modulo 2**64: exact, so free of order."""
    total = np.zeros(n, dtype=np.uint64)
    np.add.at(total, index, _scramble(values))
    return total


def _gather(key: HashArray, index: npt.NDArray[np.integer], values: HashArray) -> HashArray:
    return _scramble(key + _sum_by(index, values, len(key)))


def _ranked(members: IntArray, key: HashArray) -> IntArray:
    """Members in order of their keys."""
    return members[np.argsort(key[members], kind="stable")]


def _numbered(group: IntArray) -> IntArray:
    """Group labels renumbered by first appearance."""
    labels, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    first[labels == NO_OPTION] = -1
    rank = np.argsort(np.argsort(first))
    return rank[inverse] - int(NO_OPTION in labels)


def restrict(core: Core, options: BoolArray, lanes: BoolArray, forced: BoolArray) -> Core:
    """The core with fewer options and lanes, for a search among plans proven to use no others.

    A client's cost beyond the lanes kept is relaxed to that of its cheapest lane dropped, so the result bounds
    the core from below; it is exact for every plan that uses only what is kept. Clients keep their numbers.

    Args:
        options: (n_options,) mask to keep.
        lanes: (n_lanes,) mask to keep; lanes through closed places are dropped at no cost.
        forced: (n_options,) mask that must open.
    """
    place_kept = np.zeros(core.n_places + 1, dtype=bool)
    place_kept[core.place[options]] = True
    place_kept[-1] = True
    possible = place_kept[core.places[:, 0]] & place_kept[core.places[:, 1]]
    keep = np.flatnonzero(possible & lanes)
    gone = np.flatnonzero(possible & ~lanes)
    unserved = core.unserved.copy()
    np.minimum.at(unserved, core.client[gone], core.cost[gone])
    number = np.full(core.n_places + 1, NO_OPTION)
    kept_places = np.flatnonzero(place_kept[:-1])
    number[kept_places] = np.arange(len(kept_places))
    group = np.unique(core.group[options], return_inverse=True)[1]
    return replace(
        core,
        client=core.client[keep],
        places=number[core.places[keep]].astype(np.int32),
        cost=core.cost[keep],
        first_lane=np.searchsorted(core.client[keep], np.arange(core.n_clients + 1)),
        unserved=unserved,
        place=number[core.place[options]],
        fixed_cost=core.fixed_cost[options],
        capacity=core.capacity[options],
        group=np.where(core.group[options] < 0, NO_OPTION, group - int((core.group[options] < 0).any())),
        forced=forced[options],
        rules=core.rules.of(np.flatnonzero(options)),
        option_of=core.option_of[options],
    )

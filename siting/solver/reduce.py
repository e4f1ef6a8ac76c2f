"""Exact reduction of a FacilityProblem to its Core: the lanes and options an optimal plan can use.

Nothing here is a heuristic: an optimal solution of the core is an optimal solution of the problem.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from siting.solver.canonical import (
    StatedLanes,
    bits_of,
    by_client_and_cost,
    content_keys,
    numbered,
    ranked,
    scramble,
    sum_by,
)
from siting.solver.core import Core
from siting.solver.paying import paying, stand_ins
from siting.solver.problem import FIT, NO_OPTION, BoolArray, FacilityProblem, FloatArray, IntArray, LaneArray
from siting.solver.reach import shut_out, wanted


def reduce_problem(problem: FacilityProblem, tick: Callable[[], None] = lambda: None, lending: bool = True) -> Core:
    """Drop what no optimal plan needs and renumber the rest.

    - lanes through forbidden options, and through those that no plan can open without breaking a rule: they are
      over the budget, rivals of a forced one, or cannot come to their minimum (17);
    - lanes that do not beat the client's cost without options (unserved, or a lane that needs no option);
    - lanes dominated by a lane of the same client that is no dearer and needs a subset of its options;
    - lanes through an option without capacity or, for single-source problems, too small for the client;
    - lanes dearer than a lane whose options are all forced open and have no capacity limit;
    - options that cost more than all their clients can gain, and their lanes (31);
    - options that no lane uses, unless forced, of use to keep a rule, or gainful to open.

    Lanes that may fill an option to its minimum (17) are not needless for being dear: of those only the dearer of
    two with the same options are dropped.

    Args:
        tick: called now and then.
        lending: whether (31) is applied where options have minimums (17), with stand-ins.
    """
    p = problem
    tick()
    forced, closed = _decided(p)
    reachable = p.reachable if np.isfinite(p.capacity).any() else np.zeros(p.n_options)
    limited = np.isfinite(p.capacity) & (p.capacity < reachable) & (p.capacity > 0)
    lanes = _usable_lanes(p, closed, forced, limited, lending)

    tick()
    used = _useful_options(p, lanes, closed, forced)
    served = lanes.served
    client_key, option_key = content_keys(p, lanes, forced)
    client_of = ranked(np.flatnonzero(served), client_key)
    option_of = ranked(np.flatnonzero(used), option_key)
    place = numbered(_twins(p, lanes)[option_of])
    new_place = np.full(p.n_options + 1, NO_OPTION, dtype=np.int32)
    new_place[option_of] = place
    capacity = _tightened(_room(p, limited)[option_of], reachable[option_of], place)
    places = new_place.take(lanes.options)
    order, first_lane = by_client_and_cost(lanes.client, places, lanes.cost, client_of, tick)
    return Core(
        client=np.repeat(np.arange(len(client_of), dtype=np.int32), np.diff(first_lane)),
        places=places.take(order, axis=0),
        cost=lanes.cost[order],
        stand_in=lanes.stand_in[order],
        first_lane=first_lane,
        unserved=lanes.unserved[client_of],
        demand=p.demand[client_of],
        place=place,
        fixed_cost=p.fixed_cost[option_of],
        capacity=capacity,
        minimum=p.min_throughput[option_of],
        group=numbered(p.group[option_of]),
        forced=forced[option_of],
        rules=p.limits.of(option_of),
        single_source=p.single_source,
        option_of=option_of,
        client_of=client_of,
        base=float(lanes.unserved[~served].sum()),
    )


def _decided(p: FacilityProblem) -> tuple[BoolArray, BoolArray]:
    """(n_options,) masks: forced open, and closed in every plan."""
    forced, closed = np.zeros(p.n_options, dtype=bool), p.too_small.copy()
    forced[p.forced_open], closed[p.forbidden] = True, True
    return forced, closed | shut_out(p.rows, forced, closed)


def _usable_lanes(
    p: FacilityProblem, closed: BoolArray, forced: BoolArray, limited: BoolArray, lending: bool
) -> StatedLanes:
    """Lanes an optimal plan can use, and stand-ins."""
    first, second = p.lane_options[:, 0], p.lane_options[:, 1]
    keep = np.ones(p.n_lanes, dtype=bool)
    if closed.any():
        shut = np.append(closed, False)  # the last entry answers for NO_OPTION
        keep &= ~(shut[first] | shut[second])
    free = np.flatnonzero((first < 0) & (second < 0))
    unserved = p.unserved_cost.copy()
    np.minimum.at(unserved, p.lane_client[free], p.lane_cost[free])
    if np.isfinite(unserved).any():
        keep &= (p.lane_cost < unserved[p.lane_client]) | p.filling
    if np.isfinite(p.capacity).any():
        capacity = np.append(p.capacity, np.inf)
        room = np.minimum(capacity[first], capacity[second])
        need = p.demand[p.lane_client]
        keep &= (need <= room * (1 + FIT)) if p.single_source else (need == 0) | (room > 0)

    may_pay = np.ones(p.n_options, dtype=bool)
    if lending or not p.filled.any():
        may_pay = _may_pay(p, keep, unserved, forced, closed)
    lent, lent_to = stand_ins(p, keep, unserved, may_pay)
    keep &= np.append(may_pay, True)[p.lane_options].all(axis=1)
    if forced.any():
        always = np.append(forced & ~limited & (p.capacity > 0), True)  # without capacity it serves nobody
        certain = keep & always[first] & always[second]
        ceiling = unserved.copy()
        np.minimum.at(ceiling, p.lane_client[certain], p.lane_cost[certain])
        keep &= (p.lane_cost <= ceiling[p.lane_client]) | p.filling
    lane = np.flatnonzero(keep)
    options = p.lane_options if len(lane) == p.n_lanes else p.lane_options[lane]
    turned = np.flatnonzero(options[:, 0] < 0)
    if len(turned):
        options = options.copy()
        options[turned] = options[turned, ::-1]
    lane, options = _undominated(p, lane, options)
    return StatedLanes(
        client=np.append(p.lane_client[lane], p.lane_client[lent]),
        options=np.concatenate([options, np.column_stack([lent_to, np.full(len(lent), NO_OPTION)]).astype(np.int32)]),
        cost=np.append(p.lane_cost[lane], unserved[p.lane_client[lent]]),
        stand_in=np.arange(len(lane) + len(lent)) >= len(lane),
        unserved=unserved,
        may_pay=may_pay,
    )


def _may_pay(p: FacilityProblem, lanes: BoolArray, stay: FloatArray, forced: BoolArray, closed: BoolArray) -> BoolArray:
    """(n_options,) mask of the options that (31) leaves, and of those that help to keep a row which these could break.

    All others closed at once break no row: one that a closed option would help is kept by whatever is left.
    """
    spared = forced
    while True:
        may_pay = paying(p, lanes, stay, spared)
        needed = wanted(p.limits, forced, closed | ~may_pay) & ~may_pay & ~closed
        if not needed.any():
            return may_pay
        spared = spared | needed


def _undominated(p: FacilityProblem, lane: IntArray, options: LaneArray) -> tuple[IntArray, LaneArray]:
    """Lanes no other lane of the same client beats with the same options or fewer."""
    low = np.minimum(options[:, 0], options[:, 1]).astype(np.int64)
    high = np.maximum(options[:, 0], options[:, 1]).astype(np.int64)
    client = p.lane_client[lane].astype(np.int64)
    n = p.n_options + 1
    key = (client * n + low) * n + high  # low = -1, one option only: less than any key of the client with two
    if (np.diff(key) <= 0).any():  # strictly increasing keys, as from a full matrix, are all different
        order = np.lexsort((p.lane_cost[lane], key))
        first = np.ones(len(order), dtype=bool)
        first[1:] = key[order][1:] != key[order][:-1]
        keep = np.sort(order[first])
        lane, options, low, high, client = lane[keep], options[keep], low[keep], high[keep], client[keep]
    single = low == NO_OPTION
    if single.all():
        return lane, options
    single_key = client[single] * n + high[single]
    by_key = np.argsort(single_key)
    sorted_key, cost = single_key[by_key], p.lane_cost[lane[single]][by_key]
    alive = np.ones(len(lane), dtype=bool)
    if len(sorted_key):
        for option, other in ((low, high), (high, low)):
            wanted = client * n + option
            at = np.minimum(np.searchsorted(sorted_key, wanted), len(sorted_key) - 1)
            alive &= single | (sorted_key[at] != wanted) | (p.lane_cost[lane] < cost[at]) | p.filled[other]
    return lane[alive], options[alive]


def _useful_options(p: FacilityProblem, lanes: StatedLanes, closed: BoolArray, forced: BoolArray) -> BoolArray:
    """(n_options,) mask of options that lanes use, that must or gain to open, or that a rule may want."""
    used = np.zeros(p.n_options + 1, dtype=bool)
    used[lanes.options.ravel()] = True
    used = used[:-1] | forced
    used |= wanted(p.limits, forced, closed | ~lanes.may_pay)
    used |= p.fixed_cost < 0
    return np.asarray(used & ~closed)


def _room(p: FacilityProblem, limited: BoolArray) -> FloatArray:
    """(n_options,) capacities of some options, inf elsewhere.

    Whole clients that fill an option to the last bit, or beyond it by rounding, are no case for a solver's tolerance.
    """
    return np.where(limited, p.capacity * (1 + FIT) if p.single_source else p.capacity, np.inf)


def _tightened(capacity: FloatArray, reachable: FloatArray, place: IntArray) -> FloatArray:
    """Capacities up to the demand in reach; none at places that no option limits."""
    tight = np.zeros(len(capacity), dtype=bool)
    tight[place[np.isfinite(capacity)]] = True
    return np.where(tight[place], np.minimum(capacity, reachable), np.inf)


def _twins(p: FacilityProblem, lanes: StatedLanes) -> IntArray:
    """(n_options,) the first option of the same group with the same lanes: the option itself where none is."""
    itself = np.arange(p.n_options)
    grouped = np.flatnonzero(p.group >= 0)
    if not len(grouped):
        return itself
    first, second = lanes.options.T
    content = scramble(bits_of(lanes.cost)) + lanes.client.astype(np.uint64)
    other = np.append(scramble(itself.astype(np.uint64)), np.uint64(0))
    paired = np.flatnonzero(second >= 0)
    key = sum_by(first, content + other[second], p.n_options)
    key += sum_by(second[paired], content[paired] + other[first[paired]], p.n_options)
    table = np.column_stack([p.group[grouped].astype(np.uint64), key[grouped]])
    _, leader, member = np.unique(table, axis=0, return_index=True, return_inverse=True)
    itself[grouped] = grouped[leader][member.ravel()]
    return itself

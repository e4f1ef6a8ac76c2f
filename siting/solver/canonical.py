"""An order of clients, options and lanes by what they are, not by where the caller listed them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from siting.solver.problem import NO_OPTION, BoolArray, FacilityProblem, FloatArray, IntArray, LaneArray
from siting.solver.rules import Rules

HashArray = npt.NDArray[np.uint64]

MANY_LANES = 200_000
TICK = 200
"""Clients sorted between two looks at progress."""


@dataclass(frozen=True, eq=False)
class StatedLanes:
    """Lanes of a core in the numbering of its problem.

    Attributes:
        client, cost: (n_lanes,).
        options: (n_lanes, 2), the first never empty.
        stand_in: (n_lanes,) mask of those that are no lanes of the problem, see `paying`.
        unserved: (n_clients,) cost of each client without any option.
        may_pay: (n_options,) mask of the options that (31) leaves.
    """

    client: LaneArray
    options: LaneArray
    cost: FloatArray
    stand_in: BoolArray
    unserved: FloatArray
    may_pay: BoolArray

    @property
    def served(self) -> BoolArray:
        """(n_clients,) mask of the clients with a lane."""
        mask = np.zeros(len(self.unserved), dtype=bool)
        mask[self.client] = True
        return mask


def content_keys(p: FacilityProblem, lanes: StatedLanes, forced: BoolArray) -> tuple[HashArray, HashArray]:
    """Hashes of clients and options by content: equal under any reordering of the problem.

    Two rounds of colour refinement on the graph of lanes (one where there are so many that it tells all apart);
    clients and options that still share a hash are interchangeable for every practical purpose.
    """
    first, second = lanes.options.T
    paired = np.flatnonzero(second >= 0)
    client = lanes.client
    bits = bits_of(lanes.cost)
    client_key = scramble(bits_of(p.demand) + scramble(bits_of(lanes.unserved)))
    option_key = scramble(bits_of(p.fixed_cost) + scramble(bits_of(p.capex) + scramble(bits_of(p.capacity))))
    option_key = scramble(option_key + forced.astype(np.uint64))
    if p.filled.any():
        option_key = scramble(option_key + bits_of(p.min_throughput))
    rules = p.rules if p.rules is not None else Rules.none(p.n_options)
    rule = np.repeat(np.arange(len(rules)), np.diff(rules.coefficients.indptr))
    ruled, share = rules.coefficients.indices, bits_of(rules.coefficients.data)
    rule_key = scramble(bits_of(rules.lower) + scramble(bits_of(rules.upper)))
    for _ in range(2 if len(client) < MANY_LANES else 1):
        ends = bits + option_key[first]
        ends[paired] += option_key[second[paired]]
        client_key = _gather(client_key, client, ends)
        starts = bits + client_key[client]
        total = sum_by(first, starts, p.n_options)
        total += sum_by(second[paired], starts[paired], p.n_options)
        option_key = scramble(option_key + total)
        grouped = np.flatnonzero(p.group >= 0)
        if len(grouped):
            number = np.unique(p.group[grouped], return_inverse=True)[1]
            group_key = sum_by(number, option_key[grouped], int(number.max()) + 1)
            option_key[grouped] = scramble(option_key[grouped] + group_key[number])
        if len(rules):
            rule_key = _gather(rule_key, rule, share + option_key[ruled])
            option_key = _gather(option_key, ruled, share + rule_key[rule])
    return client_key, option_key


def bits_of(values: FloatArray) -> HashArray:
    """The bit pattern of each number, with one zero."""
    return (values + 0.0).view(np.uint64)


def scramble(key: HashArray) -> HashArray:
    """One round of the SplitMix64 finaliser [Steele, Lea and Flood 2014]."""
    key = key + np.uint64(0x9E3779B97F4A7C15)  # so that nothing at all does not look like a zero
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


def sum_by(index: npt.NDArray[np.integer], values: HashArray, n: int) -> HashArray:
    """Sum of scrambled values by index, modulo 2**64: exact, so free of order."""
    total = np.zeros(n, dtype=np.uint64)
    np.add.at(total, index, scramble(values))
    return total


def _gather(key: HashArray, index: npt.NDArray[np.integer], values: HashArray) -> HashArray:
    return scramble(key + sum_by(index, values, len(key)))


def ranked(members: IntArray, key: HashArray) -> IntArray:
    """Members in order of their keys."""
    return members[np.argsort(key[members], kind="stable")]


def numbered(group: IntArray) -> IntArray:
    """Group labels renumbered by first appearance."""
    labels, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    first[labels == NO_OPTION] = -1
    rank = np.argsort(np.argsort(first))
    return rank[inverse] - int(NO_OPTION in labels)


def by_client_and_cost(
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
    bits = bits_of(cost)
    free = int(np.bitwise_or.reduce(bits, initial=0))
    room = (free & -free).bit_length() - 1 if free else 63
    if int(way.max(initial=0)).bit_length() > room or (cost < 0).any():
        return cost
    return np.asarray(bits.view(np.int64) | way)

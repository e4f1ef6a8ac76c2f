"""Options that cost more than all their clients can gain: some optimal plan opens none of them, (31).

Where such an option shares lanes with one that must come to a minimum (17), a plan may yet open it to fill the other.
In its place the other gets stand-ins: lanes of its own at what their clients cost without any option, which bounds may
count on and plans may not use. What is proven with them holds for all plans.
"""

from __future__ import annotations

import numpy as np

from siting.solver.problem import BoolArray, FacilityProblem, FloatArray, IntArray

CLEARLY = 1e-9
"""Relative; by how much a cost must be above the gain, so that rounding settles nothing."""


def paying(p: FacilityProblem, usable: BoolArray, stay: FloatArray, spared: BoolArray) -> BoolArray:
    """(n_options,) mask of the options that may pay: all but those closed by (31), in rounds until none follows.

    A plan that opens j and none of the closed options C may as well do without it where

        f_j >= sum_i max { s_i - c_l : l of i, j in J(l), J(l) and C disjoint, or 0 }                   (31)

    since its clients may stay unserved. What is closed takes its lanes of two options along, so others follow.

    Args:
        usable: (n_lanes,) mask of the lanes that a plan may use.
        stay: (n_clients,) s_i, what each client costs without any option.
        spared: (n_options,) mask of those that stay whatever they gain.
    """
    spared = spared | (p.fixed_cost <= 0)
    may_pay = np.ones(p.n_options + 1, dtype=np.bool_)  # the last answers for NO_OPTION
    if spared.all():
        return may_pay[:-1]
    gain = stay[p.lane_client] - p.lane_cost
    pairs = p.pairs.kept(usable & (gain > 0))
    while True:
        total = np.bincount(pairs.option, weights=pairs.most(gain), minlength=p.n_options)
        idle = may_pay[:-1] & ~spared & (total * (1 + CLEARLY) <= p.fixed_cost)
        if not idle.any():
            return may_pay[:-1]
        may_pay[:-1][idle] = False
        pairs = pairs.kept(np.asarray(may_pay[p.lane_options].all(axis=1)))


def stand_ins(p: FacilityProblem, usable: BoolArray, stay: FloatArray, may_pay: BoolArray) -> tuple[IntArray, IntArray]:
    """Lanes through options that do not pay, and the one option each still helps to fill to its minimum (17).

    One for each client and option, and none where a lane of that option alone costs no more than staying unserved.

    Args:
        usable, stay: as in `paying`.
        may_pay: (n_options,) what came of it.
    """
    if not p.filled.any() or may_pay.all():
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    pays, fills = np.append(may_pay, True), np.append(may_pay & p.filled, False)  # the last answer for NO_OPTION
    shared: list[tuple[IntArray, IntArray]] = []
    own: list[IntArray] = []

    def key(lane: IntArray, option: IntArray) -> IntArray:
        return np.asarray(p.lane_client[lane] * np.int64(p.n_options) + option)

    for mine, other in (p.lane_options.T, p.lane_options.T[::-1]):
        filling = usable & fills[mine]
        lost = np.flatnonzero(filling & ~pays[other])
        alone = np.flatnonzero(filling & (other < 0) & (p.lane_cost <= stay[p.lane_client]))
        shared.append((lost, mine[lost].astype(np.int64)))
        own.append(key(alone, mine[alone]))
    lane, option = (np.concatenate(parts) for parts in zip(*shared, strict=True))
    pair, first = np.unique(key(lane, option), return_index=True)
    first = first[~np.isin(pair, np.concatenate(own))]
    return lane[first], option[first]

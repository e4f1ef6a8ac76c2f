"""Options that cost more than all their clients can gain: some optimal plan opens none of them, (31)."""

from __future__ import annotations

import numpy as np

from siting.solver.problem import BoolArray, FacilityProblem, FloatArray

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
    spared = spared | (p.fixed_cost <= 0) | fillers(p, p.filled)
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
        pairs = pairs.kept(may_pay[p.lane_options].all(axis=1))


def fillers(p: FacilityProblem, filled: BoolArray) -> BoolArray:
    """(n_options,) mask of the options with a lane that may fill another one, of some, to its minimum (17)."""
    mask = np.zeros(p.n_options + 1, dtype=np.bool_)
    if filled.any():
        to_fill = np.append(filled, False)[p.lane_options]
        mask[p.lane_options[to_fill[:, ::-1]]] = True
    return mask[:-1]

"""By how much a plan oversteps limits, worked out from the data in NumPy: what a solver says of it is not believed."""

from __future__ import annotations

import numpy as np

from siting.solver.limits import COUNTED, Limit
from siting.solver.problem import BoolArray, FacilityProblem, FloatArray
from siting.solver.rules import rounding
from siting.solver.ways import Ways

SLACK = 2e-8
"""Relative; by how much a limit over lanes may seem broken by shares that HiGHS gives, before it counts as loosened."""
ROUNDING = 1e-9
NEGLIGIBLE = 1e-9
"""A share of a client so small is none."""


class Overstep:
    """By how much a plan oversteps limits.

    Args:
        ways: how options are filled; None where that is left out.
        filled: shares of the ways, then what goes through each option as a part of all that can, as a solver says.
    """

    def __init__(self, p: FacilityProblem, opened: BoolArray, ways: Ways | None, filled: FloatArray) -> None:
        self.p, self.opened = p, opened
        if ways is None:
            return
        x, f = np.split(filled, [len(ways.client)])
        share = np.where(x < NEGLIGIBLE, 0.0, np.minimum(x, 1.0))
        self.served = np.bincount(ways.client, share, len(ways.demand))
        self.share = share / np.where(self.served > 1.0, self.served, 1.0)[ways.client]
        through = ways.through(self.share)
        said = np.where(opened, np.maximum(f, 0.0), 0.0)
        whole = np.bincount(ways.place, said, ways.n_places)
        self.load = said * (through / np.where(whole > 0, whole, 1.0))[ways.place]

    def over(self, limit: Limit, parts: BoolArray) -> float:
        """The largest amount by which some parts of a limit are overstepped; 0 within rounding."""
        if limit.kind in COUNTED:
            return float((self.unheeded(limit) & parts).sum())
        if limit.kind == "group":
            groups = self.p.group[self.opened]
            return float(max((np.sum(groups == label) - 1 for label in limit.members[parts]), default=0))
        if limit.kind == "whole":
            return float(np.abs(self.share - np.round(self.share)).max(initial=0.0) > SLACK)
        if limit.kind in ("minimum", "capacity"):
            return self._throughput(limit, parts)
        excess, allowed = self._excess(limit)
        over = np.where(excess > allowed, excess, 0.0)[parts] / limit.per_amount[parts]
        most = float(np.maximum(over, 0.0).max(initial=0.0))
        return most * (1.0 + SLACK) if limit.kind == "lanes" else most  # enough, whatever shares are rounded to

    def unheeded(self, limit: Limit) -> BoolArray:
        """(n_members,) members of a limit that the plan leaves closed, open or unserved against it."""
        if limit.kind == "served":
            return np.asarray(self.served[limit.members] < 1.0 - SLACK)
        is_open = self.opened[limit.members]
        return np.asarray(~is_open if limit.kind == "forced" else is_open)

    def _excess(self, limit: Limit) -> tuple[FloatArray, FloatArray]:
        """(n_parts,) by how much rows exceed their bounds, and what of it is rounding."""
        if limit.kind == "coverage":
            least = np.array([each.least for each in limit.coverage])
            return least - [each.covered(self.opened) for each in limit.coverage], ROUNDING * np.abs(least)
        assert limit.rows is not None
        at = self.opened.astype(np.float64) if limit.kind == "options" else self.share
        activity, size = limit.rows @ at, abs(limit.rows) @ at
        excess = activity - limit.bound if limit.at_most else limit.bound - activity
        allowed = rounding(limit.bound, size)
        return excess, allowed if limit.kind == "options" else allowed * (SLACK / ROUNDING)

    def _throughput(self, limit: Limit, parts: BoolArray) -> float:
        j = limit.members[parts]
        if limit.kind == "minimum":
            j = j[self.opened[j]]
            over = 1.0 - self.load[j] / self.p.min_throughput[j]
        else:
            room = self.p.capacity[j]
            some = np.where(self.load[j] > SLACK * self.p.demand.max(initial=0.0), np.inf, 0.0)
            over = np.where(room > 0, self.load[j] / np.where(room > 0, room, 1.0) - 1.0, some)
        most = float(over.max(initial=0.0))
        return most * limit.value if most > SLACK else 0.0

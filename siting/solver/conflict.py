"""Why limits cannot all be kept, and the least that has to change.

    C conflicts, and no part of C may be missing: no plan keeps all of C, but for every r in C one keeps the rest   (85)
    s_r = min { s >= 0 : some plan keeps every limit, r loosened by s }                                             (86)

Every claim is an answer of its own about plans, whole numbers and all: irreducible sets of rows, as solvers offer
them, are those of the linear relaxation, which may well have a solution where there is no plan. (85) is found by
dividing the limits in two again and again (QuickXplain; Junker 2004), first the limits whole, then the rows and members
of those that are left; (86) and, where no limit can do it alone, the cheapest change of several (87) by the program of
`elastic`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from siting.solver.elastic import PROVEN, Elastic, Found, Outcome
from siting.solver.limits import COUNTED, OF_LANES, OF_LOADS, Limit
from siting.solver.problem import BoolArray, FacilityProblem, IntArray
from siting.solver.ways import Ways, condensed_ways, lane_ways

FEW_LANES = 2_000
"""With more lanes it is tried first what comes of leaving them out."""
SHARE_OF_TIME = 0.5
"""Part of the time left that the conflict may take."""

T = TypeVar("T")
Parts = dict[int, BoolArray]
"""Of limits by their position, (n_parts,) which parts of them."""


@dataclass(frozen=True, eq=False)
class Change:
    """One limit loosened.

    Attributes:
        limit: its position.
        amount: by how much, in its unit.
        let_go: of members those that are exempt.
    """

    limit: int
    amount: float
    let_go: IntArray


@dataclass(frozen=True, eq=False)
class Repair:
    """Changes that together leave room for a plan, none of which may be missing.

    Attributes:
        cost: (87).
        proven: whether no smaller change of the same limit, or no cheaper one of all, would do.
    """

    changes: tuple[Change, ...]
    cost: float
    proven: bool


@dataclass(frozen=True, eq=False)
class Explanation:
    """What stands in the way of any plan.

    Attributes:
        outcome: "none" = proven that there is no plan; "plan" = there is one; "unknown" = the time was over.
        conflict: (85) where there is none; empty = the bare problem itself has none, or nothing was proven.
        minimal: whether it is proven that no part of the conflict may be missing.
        repairs: each by one limit alone, the cheapest first.
        hopeless: limits of the conflict of which none loosened alone leaves room for a plan, proven.
        undecided: of which the time was over before that was known.
        joint: the cheapest change of several; only where there is none of one limit.
    """

    outcome: Outcome
    conflict: Parts
    minimal: bool
    repairs: tuple[Repair, ...]
    hopeless: tuple[int, ...]
    undecided: tuple[int, ...]
    joint: Repair | None


def explain(
    p: FacilityProblem, limits: Sequence[Limit], time_limit: float | None = None, threads: int = 2
) -> Explanation:
    """Which limits conflict, and how little has to change.

    Args:
        p: a bare problem.
        limits: all that is asked of it, those first that people would rather hear of.
        time_limit: seconds after which what has been proven so far is told.
        threads: for HiGHS.

    Raises:
        KeyboardInterrupt: on Ctrl-C.
    """
    began = time.perf_counter()
    ask = _Asked(p, limits, threads)
    ask.deadline = began + time_limit if time_limit is not None else np.inf
    every = _whole(limits, range(len(limits)))
    outcome = ask(every).outcome
    if outcome != "none":
        return Explanation(outcome, {}, False, (), (), (), None)
    last = ask.deadline
    if np.isfinite(last):
        ask.deadline = time.perf_counter() + SHARE_OF_TIME * (last - time.perf_counter())
    conflict, minimal = _conflict(ask, limits)
    ask.deadline = last
    repairs: list[Repair] = []
    others: dict[Outcome, list[int]] = {"none": [], "unknown": []}
    for r in conflict:
        if not limits[r].loosens:
            continue
        found = ask({k: parts for k, parts in every.items() if k != r}, {r: np.inf})
        if found.outcome == "plan":
            repairs.append(_single(ask, every, r, found))
        else:
            others[found.outcome].append(r)
    repairs.sort(key=lambda repair: repair.cost)
    joint = None if repairs else _joint(ask, limits, every)
    return Explanation(
        outcome, conflict, minimal, tuple(repairs), tuple(others["none"]), tuple(others["unknown"]), joint
    )


def has_plan(p: FacilityProblem, limits: Sequence[Limit], time_limit: float | None = None, threads: int = 2) -> Outcome:
    """Whether any plan keeps all limits: "plan", "none", or "unknown" where the time was over."""
    ask = _Asked(p, limits, threads)
    ask.deadline = np.inf if time_limit is None else time.perf_counter() + time_limit
    return ask(_whole(limits, range(len(limits)))).outcome


_WaysOf = Callable[[FacilityProblem], Ways | None]


class _Asked:
    """Answers about plans, each by the smallest program that can ask the question."""

    def __init__(self, p: FacilityProblem, limits: Sequence[Limit], threads: int) -> None:
        self.p, self.limits, self._threads = p, limits, threads
        self.deadline = np.inf
        self._programs: dict[_WaysOf, Elastic] = {}

    def _program(self, ways: _WaysOf) -> Elastic:
        if ways not in self._programs:
            self._programs[ways] = Elastic(self.p, self.limits, ways(self.p), self._threads)
        return self._programs[ways]

    def __call__(self, kept: Parts, loose: Mapping[int, float] | None = None) -> Found:
        """What comes of keeping some parts and loosening some limits, each up to so much."""
        loose = loose or {}
        kinds = {self.limits[k].kind for k in (*kept, *loose)} & set(OF_LANES)
        programs: list[_WaysOf] = [_no_ways]
        programs += [condensed_ways] if kinds & set(OF_LOADS) else []
        programs += [lane_ways] if kinds - set(OF_LOADS) else []
        if self.p.n_lanes <= FEW_LANES:
            programs = programs[-1:]
        found = self._program(programs[0]).run(kept, loose, self.deadline)
        for ways in programs[1:]:  # each asks more than the one before
            if found.outcome != "plan":
                return found
            served = self._program(ways).run(kept, loose, self.deadline, found.opened)
            if not (served.outcome == "plan" and served.cost <= found.bound + PROVEN * max(served.cost, 1.0)):
                served = self._program(ways).run(kept, loose, self.deadline)
            found = served
        return found


def _no_ways(p: FacilityProblem) -> None:
    """Nobody is served."""


def _whole(limits: Sequence[Limit], which: Sequence[int] | range) -> Parts:
    return {k: np.ones(limits[k].n_parts, dtype=bool) for k in which}


def _conflict(ask: _Asked, limits: Sequence[Limit]) -> tuple[Parts, bool]:
    """(85), and whether it is proven that no part of it may be missing."""
    certain = [True]

    def conflicting(parts: Parts) -> bool:
        outcome = ask(parts).outcome
        certain[0] &= outcome != "unknown"
        return outcome == "none"

    known = _least(list(range(len(limits))), lambda some: conflicting(_whole(limits, some)))
    undivided = [k for k in known if not limits[k].divides]
    atoms = [(k, part) for k in known if limits[k].divides for part in range(limits[k].n_parts)]

    def parts_of(some: Sequence[tuple[int, int]]) -> Parts:
        masks = {k: np.zeros(limits[k].n_parts, dtype=bool) for k in dict.fromkeys(k for k, _ in some)}
        for k, part in some:
            masks[k][part] = True
        return masks | _whole(limits, undivided)

    if len(atoms) + len(undivided) > len(known):
        atoms = _least(atoms, lambda some: conflicting(parts_of(some)))
    found = parts_of(atoms)
    return {k: found[k] for k in sorted(found)}, certain[0]


def _least(items: list[T], conflicting: Callable[[list[T]], bool]) -> list[T]:
    """Of conflicting items some that conflict, none of which may be missing; those that come first are preferred."""

    def among(behind: list[T], grown: bool, items: list[T]) -> list[T]:
        if grown and conflicting(behind):
            return []
        if len(items) == 1:
            return items
        half = (len(items) + 1) // 2
        later = among(behind + items[:half], True, items[half:])
        return among(behind + later, bool(later), items[:half]) + later

    return among([], True, items) if items else []


def _change(ask: _Asked, r: int, found: Found) -> Change:
    limit = ask.limits[r]
    amount = float(len(found.let_go[r])) if limit.kind in COUNTED else limit.rounded(float(found.amount[r]))
    return Change(r, amount, found.let_go.get(r, np.zeros(0, dtype=np.int64)))


def _single(ask: _Asked, every: Parts, r: int, found: Found) -> Repair:
    """(86), in steps of the limit."""
    limit, change = ask.limits[r], _change(ask, r, found)
    less = change.amount - limit.step
    proven = found.proven
    if limit.step and limit.kind not in COUNTED and less > 0 and found.amount[r] - less < 1e-4 * limit.step:
        again = ask({k: parts for k, parts in every.items() if k != r}, {r: less})  # a hair over a step: or not at all?
        if again.outcome == "plan":
            change = Change(r, less, change.let_go)
        proven &= again.outcome != "unknown"
    return Repair((change,), change.amount / limit.unit, proven)


def _joint(ask: _Asked, limits: Sequence[Limit], every: Parts) -> Repair | None:
    """(87), in steps of the limits; None where nothing that may be loosened helps, or no time is left to find it."""
    loose = {k: np.inf for k in range(len(limits)) if limits[k].loosens}
    found = ask({k: parts for k, parts in every.items() if k not in loose}, loose)
    if found.outcome != "plan":
        return None
    proven = found.proven
    changes = {k: _change(ask, k, found) for k in loose if found.amount[k] > 0}
    for k in list(changes):  # rounded up, the others may do without it
        others = {r: change.amount for r, change in changes.items() if r != k}
        again = ask({r: parts for r, parts in every.items() if r not in others}, others)
        if again.outcome == "plan":
            changes = {r: _change(ask, r, again) for r in others if again.amount[r] > 0}
        proven &= again.outcome != "unknown"
    cost = sum(change.amount / limits[k].unit for k, change in changes.items())
    return Repair(tuple(changes.values()), cost, proven)

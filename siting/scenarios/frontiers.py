"""Scenarios that differ in their budget alone: some are solved, and what they prove of the others is not solved again.

Whatever fits a budget fits a larger one, so that along budgets the cost of the best plan never rises. A plan of less
money and a bound for more money therefore prove each other in between:

    bound(more) <= best(budget) <= objective(less)        for less <= budget <= more                        (93)

and a plan of more money that spends no more than the budget is as well proven there as where it was found.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from siting.scenarios.batch import Scenario
from siting.solver import Solution, relative_gap

PIECE = 8
"""Scenarios that one process works through; the same whoever works, so that plans hang on no number of workers."""
MONEY = {"name": "", "budget_inr_crore": 0.0, "gap": 0.0, "time_limit_s": 1.0}
"""Keys in which scenarios of one frontier may differ."""
ROUNDING = 1e-8  # of a gap
Status = Literal["optimal", "feasible"]


@dataclass(frozen=True)
class Piece:
    """Neighbours on one frontier, from the smallest budget up, by their numbers in the batch."""

    numbers: tuple[int, ...]
    scenarios: tuple[Scenario, ...]


def frontiers(scenarios: Sequence[Scenario]) -> list[list[int]]:
    """Numbers of the scenarios that share all but `MONEY`, from the smallest budget up."""
    groups: dict[str, list[int]] = {}
    for k, scenario in enumerate(scenarios):
        key = json.dumps(scenario.study.with_changes(**MONEY).resolved(), sort_keys=True)
        groups.setdefault(key, []).append(k)
    return [sorted(group, key=lambda k: scenarios[k].study.budget_inr_crore) for group in groups.values()]


def pieces_of(scenarios: Sequence[Scenario]) -> list[Piece]:
    """Frontiers in pieces of at most `PIECE`."""
    return [
        Piece(numbers, tuple(scenarios[k] for k in numbers))
        for group in frontiers(scenarios)
        for numbers in (tuple(group[first : first + PIECE]) for first in range(0, len(group), PIECE))
    ]


@dataclass(frozen=True)
class Point:
    """A budget on a frontier, in INR crore, and the gap that counts as proven there."""

    budget_inr_crore: float
    gap: float


def solve_frontier(
    points: Sequence[Point], ask: Callable[[int], Solution | None], capex: Callable[[Solution], float]
) -> list[Solution | None]:
    """An answer for each point: the largest and the smallest budget first, then halfway, unless (93) tells it.

    Args:
        points: by budget.
        ask: solves a point; None where that failed.
        capex: what a plan spends, in INR crore.
    """
    found: dict[int, Solution | None] = {}

    def answer(k: int) -> None:
        below = next((found[j] for j in range(k - 1, -1, -1) if found.get(j) is not None), None)
        above = next((found[j] for j in range(k + 1, len(points)) if found.get(j) is not None), None)
        told = implied(points[k], below, above, capex)
        found[k] = ask(k) if told is None else told

    spans = [(-1, len(points))]
    for k in sorted({0, len(points) - 1} if points else (), reverse=True):
        answer(k)
    while spans:
        low, high = spans.pop()
        middle = (low + high) // 2
        if high - low > 1:
            if middle not in found:
                answer(middle)
            spans += [(middle, high), (low, middle)]
    known = [k for k in range(len(points)) if found[k] is not None]
    settled = dict(zip(known, consistent([points[k] for k in known], [found[k] for k in known]), strict=True))
    return [settled.get(k) for k in range(len(points))]


def implied(
    point: Point, below: Solution | None, above: Solution | None, capex: Callable[[Solution], float]
) -> Solution | None:
    """The answer that those for less and for more money give, by (93); None where they leave it open."""
    if above is not None and above.status == "infeasible":
        return above
    if above is not None and above.status == "optimal" and capex(above) <= point.budget_inr_crore:
        return _proven(above, above, point.gap)
    if above is None or below is None or relative_gap(below.objective, above.bound) > point.gap:
        return None
    return _proven(below, above, point.gap)


def consistent(points: Sequence[Point], found: Sequence[Any]) -> list[Solution]:
    """Each answer with the best plan of no more money, and the best bound of no less, where these are better."""
    best: list[Solution] = []
    for own in found:
        best.append(best[-1] if best and best[-1].objective < own.objective else own)
    proofs: list[Solution] = []
    for own in reversed(found):
        proofs.append(proofs[-1] if proofs and proofs[-1].bound > own.bound else own)
    return [
        own if plan is own and proof is own else _proven(plan, proof, point.gap)
        for point, own, plan, proof in zip(points, found, best, reversed(proofs), strict=True)
    ]


def _proven(plan: Solution, proof: Solution, gap: float) -> Solution:
    """One answer's plan with another's bound."""
    if plan.objective == float("inf"):
        return proof if proof.status == "infeasible" else plan
    bound = min(plan.objective, proof.bound)
    reached = relative_gap(plan.objective, bound)
    status: Status = "optimal" if reached <= gap + ROUNDING else "feasible"
    return replace(plan, bound=bound, gap=reached, status=status, certificate=proof.certificate)

"""Phases of a study: periods with a budget and a demand of their own, as a study file states them in ``[[phases]]``.

Sites open at the beginning of a phase, once, and stay. Money that a phase does not spend carries over to the next.
All money is in prices of one year. :mod:`siting.model.phased` says what phases are in the mathematical problem.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.errors import Fault
from geodata.hints import hint
from siting.value_checks import Check, number, text

MOST_PHASES = 30

_CHECKS: dict[str, Check] = {
    "name": text,
    "years": number(0.1, 100),
    "budget_inr_crore": number(0, 1e7),
    "demand_growth": number(-0.99, 10.0),
}
_NEEDED = ("years", "budget_inr_crore")


@dataclass(frozen=True)
class Phase:
    """One period.

    Args:
        name: what people call it.
        years: how long it lasts; the last one as long as the programme is looked at.
        budget_inr_crore: capital that comes in for it.
        demand_growth: by what fraction exports of this phase are above those of today's data.
    """

    name: str
    years: float
    budget_inr_crore: float
    demand_growth: float = 0.0


def phases_of(values: Sequence[Mapping[str, Any]], budget_inr_crore: float) -> tuple[Phase, ...]:
    """The phases of checked plain values.

    Args:
        budget_inr_crore: of all phases together; theirs are scaled to it.

    >>> [phase.budget_inr_crore for phase in phases_of([{"years": 5, "budget_inr_crore": 300}], 150)]
    [150.0]
    """
    total = total_inr_crore(values)
    scale = budget_inr_crore / total if total > 0 else 0.0
    return tuple(
        Phase(
            str(value.get("name", f"Phase {t}")),
            float(value["years"]),
            float(value["budget_inr_crore"]) * scale,
            float(value.get("demand_growth", 0.0)),
        )
        for t, value in enumerate(values, 1)
    )


def total_inr_crore(values: Sequence[Mapping[str, Any]]) -> float:
    """Budget of all phases together."""
    return float(sum(value["budget_inr_crore"] for value in values))


def starts_in_year(phases: Sequence[Phase]) -> NDArray[np.float64]:
    """(n_phases,) years that have passed when each phase begins."""
    return np.cumsum([0.0, *(phase.years for phase in phases)])[:-1]


def phase_faults(values: Any, source: str) -> list[Fault]:
    """List what is wrong with the plain values of a study's phases.

    Args:
        values: a list of tables.
        source: where they come from.
    """
    if not isinstance(values, list | tuple) or not all(isinstance(value, Mapping) for value in values):
        remedy = "write [[phases]] above each"
        return [Fault(f"phases = {str(values)[:50]!r} are no list of tables", remedy, source, column="phases")]
    if len(values) > MOST_PHASES:
        remedy = f"give up to {MOST_PHASES}"
        return [Fault(f"{len(values)} phases are too many", remedy, source, column="phases")]
    faults = [
        Fault(f"phase {t} {what}", remedy, source, column="phases", value=dict(value))
        for t, value in enumerate(values, 1)
        for what, remedy in _faults_of(value)
    ]
    if faults or not values:
        return faults
    if total_inr_crore(values) <= 0:
        return [Fault("no phase has a budget", "give one of them budget_inr_crore above 0", source, column="phases")]
    names = [str(value.get("name", f"Phase {t}")) for t, value in enumerate(values, 1)]
    twice = sorted({a for a, b in pairwise(sorted(names)) if a == b})
    return [
        Fault(f"two phases have the name {name!r}", "give each its own", source, column="phases", value=name)
        for name in twice
    ]


def _faults_of(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with one phase, and the remedy of each."""
    for key, given in value.items():
        if key not in _CHECKS:
            yield f"has an unknown key '{key}'", hint(key, list(_CHECKS))
        elif (found := _CHECKS[key](given)) is not None:
            yield f"has {key} = {str(given)[:80]!r}, which {found[0]}", found[1]
    for key in _NEEDED:
        if key not in value:
            yield f"has no {key}", f"write {key} = a number"

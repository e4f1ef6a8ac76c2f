"""Max-min saving: the largest share of its cost that every state can save at once, and the cheapest plan that gives it.

Rule (28) asks that every state saves at least a share a of what its cargo costs today. Plans that keep it at a keep it
at less, so that the largest share lies between the smallest that a plan reaches and any at which none is proven to be:

    min_s saving_s / C_s of a plan   <=   max a   <   every a at which (28) is proven infeasible                 (101)

Halving between the two closes in on it, from what each state could save with all sites to itself. Where neither a plan
nor a proof is found at a share, plans are looked for below it and the range that is told stays open above.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geodata import interruption
from geodata.errors import Fault, InputError
from siting.model.model import InfeasibleError, Model
from siting.model.rule_limits import most_of
from siting.model.rules import RuleRow
from siting.plan import Plan, make_plan, stated
from siting.solver import Solution, solve

NAME = "Every state saves as much as all can"
PRECISION = 0.02
"""Relative; how near the two sides of (101) come where each step ends with a plan or a proof."""
LEAST = 1e-4
"""A state that cannot save this share, with all sites to itself, is left out."""
ROUGH = 0.02
"""Relative gap at which a plan is plan enough to show that there is one."""
DIGITS = 1e6
STEPS = 30


@dataclass(frozen=True)
class Fairest:
    """The plan of least cost that gives every state the share.

    Args:
        share: that every state saves at least.
        share_at_most: no plan gives every state more.
        left_out: states that could save nothing anyway.
    """

    plan: Plan
    share: float
    share_at_most: float
    left_out: tuple[str, ...]


def fairest_plan(model: Model, progress: Callable[[str], None] = lambda what: None) -> Fairest:
    """Find the largest share that every state can save, and the plan of least cost that gives it.

    Args:
        progress: told the range of (101) as it narrows.

    Raises:
        InputError: no state can save anything; the study itself fits no plan, or has phases.
        TimeoutError: the time limit passed before a plan was found.
        KeyboardInterrupt: a stop was asked for.
    """
    model.study.refuse_phases("siting fairest")
    rules = model.study.rules
    rows = _rows_of(stated(model, rules=(*rules, _rule(0.0))))
    most = {row.state: most_of(row, model) for row in rows}
    kept = [state for state, share in most.items() if share >= LEAST]
    if not kept:
        remedy = "build other facility types, or under other rates"
        raise InputError(Fault("no state can save anything", remedy, model.study.name))
    plan = make_plan(stated(model, rules=(*rules, _rule(0.0, kept))), gap=max(ROUGH, model.study.gap))
    best, low = plan.solution, _smallest(_rows_of(plan.model), plan.solution)
    top = high = min(most[state] for state in kept)  # a plan is looked for below the one, none is above the other
    for _ in range(STEPS):
        if top - low <= PRECISION * top:
            break
        progress(f"between {100 * low:.3f} and {100 * high:.3f} %")
        middle = 0.5 * (low + top)
        found = _plan_at(model, (*rules, _rule(middle, kept)), best)
        interruption.check()
        if found is None:
            top = high = middle
        elif np.isfinite(found.objective):
            best, low = found, max(middle, _smallest(_rows_of(stated(model, rules=(*rules, _rule(0.0, kept)))), found))
        else:
            top = middle  # neither a plan nor a proof was found
    share = math.floor(low * DIGITS) / DIGITS
    final = make_plan(model, start=best, rules=(*rules, _rule(share, kept)))
    return Fairest(final, share, max(high, share), tuple(state for state in most if state not in kept))


def _rule(share: float, states: Sequence[str] = ()) -> dict[str, Any]:
    of = {"states": sorted(states)} if states else {}
    return {"rule": "state_saving", "name": NAME, "at_least_share": share, **of}


def _rows_of(model: Model) -> list[RuleRow]:
    return [row for row in model.rule_rows if row.rule.name == NAME]


def _plan_at(model: Model, rules: tuple[Mapping[str, Any], ...], start: Solution) -> Solution | None:
    """Some plan under rules, rough in its cost; None where there is proven to be none."""
    study = model.study
    try:
        problem = stated(model, rules=rules).problem
    except InfeasibleError:
        return None
    found = solve(problem, gap=max(ROUGH, study.gap), time_limit=study.time_limit_s, start=start)
    return None if found.status == "infeasible" else found


def _smallest(rows: Sequence[RuleRow], solution: Solution) -> float:
    """The smallest share that a plan gives any of the states."""
    return min(float(row.coefficients @ solution.lane_share) / row.scale for row in rows)

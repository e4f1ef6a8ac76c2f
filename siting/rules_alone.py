"""What rules over lanes come to one at a time: where the search for what stands in the way of what is too slow.

Everything else that a study asks is kept, the other rules over lanes left out, and the best that one row can come to is
a problem of its own, with a plan and a proven bound. A bound that does not come up to the row proves that nothing fits;
a plan that keeps all other rules tells how far loosened the rule is kept.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from siting.model.costs import Array
from siting.model.limits import StudyLimit
from siting.model.model import InfeasibleError, Model, chosen_options, refused_as_input
from siting.model.rules import with_rules
from siting.solver import FacilityProblem, solve
from siting.study import Study

GAP = 1e-3
"""Relative, of what a row comes to."""
NOTHING = 1e-7
"""By so little of a rule's value none is broken."""


@dataclass(frozen=True, eq=False)
class Alone:
    """What is known of one rule over lanes.

    Attributes:
        limit: its position among the limits of the study.
        least: how far it has to be loosened at least, in its unit, proven; 0 or less: nothing is proven.
        short: (n_parts,) which of its rows are proven not to be kept.
        reached: how far loosened the best plan found keeps it that keeps all other limits; inf: there is none.
    """

    limit: int
    least: float
    short: NDArray[np.bool_]
    reached: float


def rules_alone(study: Study, model: Model, limits: Sequence[StudyLimit], seconds: float) -> list[Alone]:
    """Look at each rule over lanes alone, as far as the time goes.

    Args:
        model: of the study, whatever its limits.
        limits: of :func:`siting.model.limits.limits_of_study`.

    Returns:
        Those looked at; none where the limits of options contradict one another.
    """
    deadline = time.perf_counter() + seconds
    over_lanes = [k for k, each in enumerate(limits) if each.limit.kind == "lanes"]
    try:
        problem = _without_rules_over_lanes(study, model)
    except InfeasibleError:
        return []
    least = {k: np.full(limits[k].limit.n_parts, -np.inf) for k in over_lanes}
    reached = dict.fromkeys(over_lanes, np.inf)
    for k in over_lanes:
        for part in range(limits[k].limit.n_parts):
            if (left := deadline - time.perf_counter()) <= 0:
                break
            best, share = _most_of(problem, limits[k], part, left)
            least[k][part] = _missing(limits[k], best, part)
            if share is None:
                continue
            needed = {r: float(_missing_of(limits[r], share).max()) for r in over_lanes}
            if all(needed[r] <= NOTHING for r in over_lanes if r != k):
                reached[k] = min(reached[k], needed[k])
    return [Alone(k, float(least[k].max()), least[k] > NOTHING, reached[k]) for k in over_lanes]


def _without_rules_over_lanes(study: Study, model: Model) -> FacilityProblem:
    ruled = with_rules(replace(model, study=study))
    with refused_as_input():
        return ruled.problem.with_changes(
            lane_rules=None, budget=study.budget_inr_crore, **chosen_options(model.options, study)
        )


def _most_of(p: FacilityProblem, of: StudyLimit, part: int, seconds: float) -> tuple[float, Array | None]:
    """The best that a row can come to, proven, and (n_lanes,) shares of a plan that comes near it; None: no plan."""
    assert of.limit.rows is not None
    row, side = of.limit.rows[[part]].toarray().ravel(), -1.0 if of.limit.at_most else 1.0
    alone = p.with_changes(lane_cost=-side * row, unserved_cost=np.zeros(p.n_clients), fixed_cost=np.zeros(p.n_options))
    found = solve(alone, gap=GAP, time_limit=seconds)
    return -side * found.bound, found.lane_share if np.isfinite(found.objective) else None


def _missing(of: StudyLimit, comes_to: float, part: int) -> float:
    """How far a row has to be loosened, in the unit of its value, to be kept at what it comes to."""
    side = -1.0 if of.limit.at_most else 1.0
    return float(side * (of.limit.bound[part] - comes_to) / of.limit.scale[part])


def _missing_of(of: StudyLimit, share: Array) -> Array:
    """(n_parts,) the same of all rows in a plan."""
    assert of.limit.rows is not None
    return np.array([_missing(of, float(value), part) for part, value in enumerate(of.limit.rows @ share)])

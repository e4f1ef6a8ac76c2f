"""What a study asks of a plan as limits that may stand in one another's way, and the study with some loosened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siting.model.charges import SHARED
from siting.model.options import select_options
from siting.model.rules import RuleRow, with_rules
from siting.rules import limit_key, rules_of
from siting.solver import Change, Coverage, FacilityProblem, Limit, bare
from siting.study import Study

if TYPE_CHECKING:
    from siting.model.model import Model

STEPS = {"crore": 0.1, "sites": 1.0, "share": 1e-4, "t": 1.0, "TEU": 1.0}
"""Limits are told, and loosened, in multiples of these."""
DIVIDED = 50
"""So many forbidden options at most are told apart."""
MINIMUMS = ("freight_station_min_teu_per_year", "inland_depot_min_teu_per_year")
"""Parameters of (17): of stores, and of parks and cargo terminals."""


@dataclass(frozen=True, eq=False)
class StudyLimit:
    """One limit of a study.

    Attributes:
        limit: what it is in the problem.
        key: of the study: ``budget_inr_crore``, ``rules``, ``forced``, ``forbidden``, a parameter; of what is given by
            the data ``capacity`` and ``sizes``.
        unit: of its value: ``crore``, ``sites``, ``share``, ``t``, ``TEU``.
        rule: position of its rule among the study's.
        rule_key: key of the rule that holds the value.
        states: of each part of it, "" where it is of no single state.
    """

    limit: Limit
    key: str
    unit: str
    rule: int | None = None
    rule_key: str = ""
    states: tuple[str, ...] = ()


def without_limits(study: Study) -> Study:
    """The study that asks nothing of a plan; its model is that of the study."""
    return study.with_changes(forced=(), forbidden=(), rules=())


def limits_of_study(study: Study, model: Model) -> tuple[FacilityProblem, list[StudyLimit]]:
    """The bare problem of a study, and its limits; those first that people would rather hear of.

    Args:
        model: of :func:`without_limits`, or of the study.

    Raises:
        InputError: rules that name what the data do not know.
    """
    problem = bare(model.problem)
    ruled = with_rules(replace(model, study=without_limits(study).with_changes(rules=study.rules), problem=problem))
    row = csr_array(problem.capex[None, :])
    budget = Limit("budget", "options", study.budget_inr_crore, row, bound=np.array([study.budget_inr_crore]),
                   at_most=True, step=STEPS["crore"])  # fmt: skip
    limits = [StudyLimit(budget, "budget_inr_crore", "crore"), *_of_rules(study, ruled.rule_rows)]
    for key, members in (("forced", study.forced), ("forbidden", study.forbidden)):
        which = select_options(model.options, members, key)
        if len(which):
            divides = key == "forced" or len(which) <= DIVIDED
            kind: Any = key
            limits.append(StudyLimit(Limit(key, kind, float(len(which)), members=which, divides=divides), key, "sites"))
    return problem, [*limits, *_given(model, problem)]


def _of_rules(study: Study, rows: Sequence[RuleRow]) -> Iterator[StudyLimit]:
    """The two sides of every rule, each with all its rows."""
    for k, rule in enumerate(rules_of(study.rules)):
        mine = [row for row in rows if row.rule == rule]
        for at_most, value in ((False, rule.at_least), (True, rule.at_most)):
            side = [row for row in mine if row.reach is None or row.limits[0] > 0]
            if value is None or not side:
                continue
            unit = "share" if rule.of_today else side[0].unit
            kind: Any = "coverage" if side[0].reach is not None else "lanes" if side[0].by_lane else "options"
            bound = np.array([row.limits[at_most] for row in side])
            limit = Limit(
                rule.name, kind, value, at_most=at_most, step=STEPS[unit],
                rows=None if kind == "coverage" else csr_array(np.vstack([row.coefficients for row in side])),
                coverage=tuple(
                    Coverage(row.reach, row.coefficients, row.limits[0], row.name)
                    for row in side if row.reach is not None
                ),
                bound=bound if kind != "coverage" else np.zeros(0),
                scale=np.array([row.offset if rule.of_today else row.scale for row in side]),
            )  # fmt: skip
            states = tuple(row.state for row in side)
            yield StudyLimit(limit, "rules", unit, k, limit_key(study.rules[k], at_most), states)


def _given(model: Model, problem: FacilityProblem) -> Iterator[StudyLimit]:
    """What holds of sites whatever is asked: minimums of customs, capacities, one size for each site."""
    shared = model.options["facility_type"].isin(list(SHARED)).to_numpy()
    for key, mine in zip(MINIMUMS, (~shared, shared), strict=True):
        members = np.flatnonzero(mine & (problem.min_throughput > 0))
        if len(members):
            least = Limit(key, "minimum", model.parameters[key], members=members, step=STEPS["TEU"], divides=False)
            yield StudyLimit(least, key, "TEU")
    bounded = np.flatnonzero(np.isfinite(problem.capacity))
    sizes, count = np.unique(problem.group, return_counts=True)
    if len(bounded):
        room = Limit("capacity", "capacity", members=bounded, may_loosen=False, divides=False)
        yield StudyLimit(room, "capacity", "share")
    if (count > 1).any():
        one = Limit("sizes", "group", members=sizes[count > 1], may_loosen=False, divides=False)
        yield StudyLimit(one, "sizes", "sites")


def loosened(study: Study, model: Model, changes: Sequence[tuple[StudyLimit, Change]]) -> dict[str, Any]:
    """Fields of the study that differ once some of its limits are loosened, as `Study.with_changes` takes them."""
    changed: dict[str, Any] = {}
    for of, change in changes:
        if of.key == "budget_inr_crore":
            changed[of.key] = loosened_value(of, change)
        elif of.rule is not None:
            rules = [dict(rule) for rule in changed.get("rules", study.rules)]
            rules[of.rule][of.rule_key] = loosened_value(of, change)
            changed["rules"] = tuple(rules)
        elif of.key == "forced":
            free = set(model.options["option_id"].iloc[change.let_go])
            changed["forced"] = tuple(name for name in study.forced if name not in free)
        elif of.key == "forbidden":
            changed["forbidden"] = _still_forbidden(study, model, change.let_go)
        else:
            parameters: Mapping[str, float] = changed.get("parameters", study.parameters)
            changed["parameters"] = {**parameters, of.key: loosened_value(of, change)}
    return changed


def loosened_value(of: StudyLimit, change: Change) -> float:
    """The new value of a limit."""
    value = of.limit.value + (change.amount if of.limit.at_most else -change.amount)
    return round(max(value, 0.0), 6) if of.unit != "sites" else round(value)


def _still_forbidden(study: Study, model: Model, let_go: NDArray[np.int64]) -> tuple[str, ...]:
    """The names of a study's ``forbidden`` without some options; a name of several gives way to those it stands for."""
    ids = model.options["option_id"].to_numpy(object)
    kept: list[str] = []
    for name in study.forbidden:
        named = select_options(model.options, [name], "forbidden")
        if np.isin(named, let_go).any():
            kept += ids[np.setdiff1d(named, let_go)].tolist()
        else:
            kept.append(name)
    return tuple(dict.fromkeys(kept))

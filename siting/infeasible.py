"""Why nothing fits: which of what a study asks cannot all be kept, and what is the least to loosen.

Told in a planner's words and units, cheapest first: "₹312.4 crore more", "2 forced sites fewer", "at least 71 % instead
of 80 %". How cheap a change is goes by its part of the limit that it changes (87); each is the least that will do, in
steps of what is told (₹0.1 crore, a site, 0.01 %, a tonne, a box of 20 feet).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.errors import Fault
from siting.model.limits import StudyLimit, limits_of_study, loosened, loosened_value, without_limits
from siting.model.model import InfeasibleError, Model, build_model
from siting.model.rules import told
from siting.money import counted, indian
from siting.rules_alone import Alone, rules_alone
from siting.solver import Change, Explanation, Repair, explain, has_plan
from siting.study import Study

SHOWN = 4
"""Names that one text lists."""
MANY_LANES = 30_000
"""With more, rules over lanes are looked at one at a time first: whether any is kept at all."""
SHARE_ALONE = 0.7
"""Part of the time limit that this may take."""
QUICK_S = 10.0
"""Seconds that a check gives to finding out whether anything fits."""


@dataclass(frozen=True)
class Cause:
    """One of the things that cannot all be kept.

    Attributes:
        key: of the study, or ``capacity`` and ``sizes``, which the data give.
        rule: name of the rule, or "".
        names: sites or states that matter.
        text: what people read.
    """

    key: str
    rule: str
    names: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Loosening:
    """One limit loosened.

    Attributes:
        key, rule: as of a cause.
        unit: of ``now`` and ``then``: ``crore``, ``sites``, ``share``, ``t``, ``TEU``.
        now, then: the limit as it is and as it has to be.
        names: sites that need no longer be forced, or forbidden.
        text: what people read.
    """

    key: str
    rule: str
    unit: str
    now: float
    then: float
    names: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class WayOut:
    """Changes after which a plan fits; each is needed.

    Attributes:
        least: whether it is proven that less will not do.
        changes: fields of the study as they have to be.
    """

    steps: tuple[Loosening, ...]
    least: bool
    changes: dict[str, Any]

    @property
    def text(self) -> str:
        """What people read."""
        return " and ".join(step.text for step in self.steps) + ("" if self.least else ", perhaps less")


@dataclass(frozen=True)
class WhyNothingFits:
    """Why no plan fits a study.

    Attributes:
        fits: True: a plan does after all; None: the time was over before it was known.
        causes: what cannot all be kept; without any one of them something fits, if ``minimal``.
        ways: changes of one thing alone, the cheapest first; or the cheapest of several where none is enough.
        hopeless: what loosened alone is not enough, however far, proven.
        undecided: of what it was not found out in time whether it alone is enough.
        known: where it is not known whether a plan fits, what is.
    """

    study: str
    fits: bool | None
    causes: tuple[Cause, ...] = ()
    minimal: bool = False
    ways: tuple[WayOut, ...] = ()
    hopeless: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    def as_fault(self) -> Fault:
        """In one line."""
        if not self.causes:
            what = "; ".join(["no reason was found in time", *self.known])
            return Fault(what, "allow more with time_limit_s", self.study)
        whole = "; ".join(cause.text for cause in self.causes)
        what = f"cannot all be kept: {whole}" if len(self.causes) > 1 else f"cannot be kept: {whole}"
        if not self.ways:
            return Fault(what, "loosening none of them was found to be enough", self.study)
        enough = "enough would be " + "; or ".join(way.text for way in self.ways)
        return Fault(what, enough, self.study)

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        ways = [{**asdict(way), "text": way.text} for way in self.ways]
        return {**asdict(self), "ways": ways}


def why_nothing_fits(study: Study, model: Model | None = None) -> WhyNothingFits:
    """Explain a study that no plan fits, within its time limit.

    Args:
        model: of the study, whatever its limits, where it is there; else it is made.

    Raises:
        InputError: a fault of study or data.
        KeyboardInterrupt: on Ctrl-C.
    """
    model = model or build_model(without_limits(study))
    problem, limits = limits_of_study(study, model)
    end, alone = time.perf_counter() + study.time_limit_s, []
    if problem.n_lanes > MANY_LANES and any(each.limit.kind == "lanes" for each in limits):
        alone = rules_alone(study, model, limits, SHARE_ALONE * study.time_limit_s)
        if any(each.short.any() for each in alone):
            return _told_alone(study, model, limits, alone)
        if any(each.reached <= 0 for each in alone):
            return WhyNothingFits(study.name, True)
    found = explain(problem, [each.limit for each in limits], max(end - time.perf_counter(), 1.0))
    if found.outcome != "none":
        fits = True if found.outcome == "plan" else None
        return WhyNothingFits(study.name, fits, known=() if fits else _known(limits, alone))
    return _told(study, model, limits, found)


def surely_infeasible(study: Study, model: Model) -> bool:
    """Whether it is proven in a few seconds that no plan fits a study."""
    if study.phases or not (study.rules or study.forced):
        return False  # building nothing fits; of phases the run tells
    problem, limits = limits_of_study(study, model)
    return has_plan(problem, [each.limit for each in limits], QUICK_S) == "none"


def explained(error: InfeasibleError, study: Study, model: Model | None = None) -> InfeasibleError:
    """The same error, which also tells what is in the way of what, and the least to loosen; not of phases."""
    if study.phases:
        return error
    why = why_nothing_fits(study, model)
    if why.fits:
        return error
    return InfeasibleError([*error.faults, why.as_fault()], why.as_plain())


def _told(study: Study, model: Model, limits: Sequence[StudyLimit], found: Explanation) -> WhyNothingFits:
    causes = tuple(_cause(model, limits[k], parts) for k, parts in found.conflict.items())
    repairs = found.repairs or ((found.joint,) if found.joint is not None else ())
    ways = tuple(_way(study, model, limits, repair) for repair in repairs)
    hopeless, undecided = (tuple(_named(limits[k]) for k in some) for some in (found.hopeless, found.undecided))
    return WhyNothingFits(study.name, False, causes, found.minimal, ways, hopeless, undecided)


def _told_alone(study: Study, model: Model, limits: Sequence[StudyLimit], alone: Sequence[Alone]) -> WhyNothingFits:
    """What rules that are not kept even alone tell: which, how far off they are, and what a plan comes to."""
    short = [each for each in alone if each.short.any()]
    causes, ways = [], []
    for each in short:
        of = limits[each.limit]
        cause = _cause(model, of, each.short)
        causes.append(replace(cause, text=f"{cause.text}; no plan that keeps all else {_beyond(of, each.least)}"))
        if np.isfinite(each.reached):
            step = of.limit.step
            amount = of.limit.rounded(each.reached)
            change = Change(each.limit, amount, np.zeros(0, dtype=np.int64))
            ways.append(_way(study, model, limits, Repair((change,), amount, amount - each.least <= step)))
    minimal = len(short) == 1 and bool(ways)
    return WhyNothingFits(study.name, False, tuple(causes), minimal, tuple(ways) if len(short) == 1 else ())


def _known(limits: Sequence[StudyLimit], alone: Sequence[Alone]) -> tuple[str, ...]:
    """What plans that keep all else come to of rules that may be kept."""
    return tuple(
        f"{_named(of)}: a plan that keeps all else has {_value(_moved(of, each.reached), of)}, "
        f"and it is not proven that none has {_value(of.limit.value, of)}"
        for each in alone
        if np.isfinite(each.reached) and (of := limits[each.limit])
    )  # fmt: skip


def _beyond(of: StudyLimit, by: float) -> str:
    return f"comes {'below' if of.limit.at_most else 'above'} {_value(_moved(of, by), of)}"


def _moved(of: StudyLimit, by: float) -> float:
    return of.limit.value + (by if of.limit.at_most else -by)


def _way(study: Study, model: Model, limits: Sequence[StudyLimit], repair: Repair) -> WayOut:
    changes = [(limits[change.limit], change) for change in repair.changes]
    steps = tuple(_step(model, of, change) for of, change in changes)
    return WayOut(steps, repair.proven, loosened(study, model, changes))


def _cause(model: Model, of: StudyLimit, parts: NDArray[np.bool_]) -> Cause:
    states = tuple(dict.fromkeys(state for state, needed in zip(of.states, parts, strict=False) if needed and state))
    if of.key in ("forced", "forbidden"):
        names = _sites(model, of.limit.members[parts]) if of.limit.divides else ()
        text = f"{of.key} {_listed(names)}" if names else f"{counted(of.limit.n_parts, 'site')} {of.key}"
        return Cause(of.key, "", names, text)
    text = {
        "budget_inr_crore": f"the budget of {told(of.limit.value, 'crore')}",
        "capacity": "what sites can hold",
        "sizes": "one size for each site",
    }.get(of.key) or f"{_named(of)}{_limit_text(of, of.limit.value)}"
    return Cause(of.key, of.limit.name if of.rule is not None else "", states, text + _in_states(states))


def _named(of: StudyLimit) -> str:
    """What a limit is called, without its value."""
    if of.rule is not None:
        return f"rule '{of.limit.name}'"
    return {
        "budget_inr_crore": "the budget", "forced": "the forced sites", "forbidden": "the forbidden sites",
        "freight_station_min_teu_per_year": "the minimum of customs at a store",
        "inland_depot_min_teu_per_year": "the minimum of customs at a park or cargo terminal",
    }[of.key]  # fmt: skip


def _limit_text(of: StudyLimit, value: float) -> str:
    if of.unit == "TEU":
        return f" of {_value(value, of)}"
    return f": at {'most' if of.limit.at_most else 'least'} {_value(value, of)}"


def _value(value: float, of: StudyLimit) -> str:
    if of.unit == "TEU":
        return f"{indian(value)} TEU a year"
    return told(value, of.unit) + (" of today's" if of.rule_key == "at_most_share" else "")


def _step(model: Model, of: StudyLimit, change: Change) -> Loosening:
    names = _sites(model, change.let_go)
    now, then = of.limit.value, loosened_value(of, change)
    if of.key == "budget_inr_crore":
        text = f"{told(change.amount, 'crore')} more, a budget of {told(then, 'crore')}"
    elif of.key == "forced":
        text = f"{_fewer(len(names), 'forced')}: without {_listed(names)}"
    elif of.key == "forbidden":
        text = f"{_fewer(len(names), 'forbidden')}: allow {_listed(names)}"
    elif not then and not of.limit.at_most:
        text = f"leave out {_named(of)}"
    else:
        before = indian(now) if of.unit in ("sites", "TEU") else told(now, of.unit)
        text = f"{_named(of)}{_limit_text(of, then)} instead of {before}"
    return Loosening(of.key, of.limit.name if of.rule is not None else "", of.unit, now, float(then), names, text)


def _fewer(n: int, which: str) -> str:
    return f"{n} {which} site{'s' * (n != 1)} fewer"


def _sites(model: Model, options: NDArray[np.int64]) -> tuple[str, ...]:
    """Options in words: "small warehouse at Patna, Bihar"."""
    table, places = model.options.iloc[options], model.places.table
    at = places.iloc[table["place"]]
    rows = zip(table["tier"], table["facility_type"], at["name"], at["state"], strict=True)
    return tuple(f"{tier} {kind.replace('_', ' ')} at {name}, {state}" for tier, kind, name, state in rows)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return " and ".join([*names[:SHOWN], *([f"{more} more"] if more > 0 else [])])


def _in_states(states: Sequence[str]) -> str:
    return f" in {_listed(states)}" if states else ""

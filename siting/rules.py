"""Rules of a study: what every plan must keep besides the budget, as a study file states it in ``[[rules]]``.

==================  ========================================================================================
``rule``            what it asks
==================  ========================================================================================
``state_budget``    capital spent in some states: a floor, a ceiling, or both
``sites``           how many sites of some types open, everywhere or in some states: at least, at most
``access``          share of the under-utilised districts, or of what they export, that have an export facility,
                    existing or opened, within some hours by road
``state_saving``    every state saves at least this share of what its under-utilised districts' cargo costs today
``carbon``          CO2e of the under-utilised districts' cargo: a ceiling
==================  ========================================================================================

:mod:`siting.model.rules` says what they are in the mathematical problem.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geodata.errors import Fault
from geodata.hints import hint
from siting.value_checks import Check, number, one_of, text, texts, whole, yes_or_no

COUNTED = ("districts", "exports")
"""What a rule of access counts."""
NO_SHARE = "is out of range", "a share is 0 to 1: write 0.8 for 80 %"

_SIDES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "state_budget": (("at_least_inr_crore",), ("at_most_inr_crore",)),
    "sites": (("at_least",), ("at_most",)),
    "access": (("at_least_share",), ()),
    "state_saving": (("at_least_share",), ()),
    "carbon": ((), ("at_most_t_per_year", "at_most_share")),
}
"""Keys of the lower and the upper limit of each rule, of which one at most each."""

_OTHERS: dict[str, tuple[str, ...]] = {
    "state_budget": ("states", "each_state"),
    "sites": ("facility_types", "states", "each_state"),
    "access": ("hours", "of", "facility_types", "states", "each_state"),
    "state_saving": ("states", "except_states"),
    "carbon": (),
}
_NEEDED: dict[str, tuple[str, ...]] = {"access": ("hours",)}
KINDS = tuple(_SIDES)


def _share(value: Any) -> tuple[str, str] | None:
    fault = number(-1e300, 1e300)(value)
    return fault or (None if 0 <= value <= 1 else NO_SHARE)


_CHECKS: dict[str, Check] = {
    "name": text,
    "at_least_inr_crore": number(0, 1e7),
    "at_most_inr_crore": number(0, 1e7),
    "at_least": whole(0, 100_000),
    "at_most": whole(0, 100_000),
    "at_least_share": _share,
    "at_most_share": _share,
    "at_most_t_per_year": number(0, 1e12),
    "hours": number(0, 1000),
    "of": one_of(*COUNTED),
    "states": texts(least=1),
    "except_states": texts(least=1),
    "each_state": yes_or_no,
}


@dataclass(frozen=True)
class Rule:
    """One rule of a study, its values checked.

    Args:
        kind: of ``KINDS``.
        name: what people call it.
        at_least, at_most: limits as the study gives them, in the unit of their key; None: no limit.
        states: these only; empty: all.
        each_state: whether the limits hold for every state by itself.
        facility_types: sites of these types; empty: all.
        except_states: every state but these.
        hours: how far an export facility may be.
        of: of ``COUNTED``.
        of_today: whether the limit is a share of what there is today.
    """

    kind: str
    name: str
    at_least: float | None = None
    at_most: float | None = None
    states: tuple[str, ...] = ()
    each_state: bool = False
    facility_types: tuple[str, ...] = ()
    except_states: tuple[str, ...] = ()
    hours: float = 0.0
    of: str = COUNTED[0]
    of_today: bool = False


def limit_key(value: Mapping[str, Any], at_most: bool) -> str:
    """The key of a rule's plain values that holds its upper, or its lower, limit.

    >>> limit_key({"rule": "carbon", "at_most_share": 0.9}, at_most=True)
    'at_most_share'
    """
    return next(key for key in _SIDES[value["rule"]][at_most] if key in value)


def rules_of(values: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """The rules of checked plain values, each with a name of its own."""
    taken: Counter[str] = Counter(str(value["name"]) for value in values if "name" in value)
    return tuple(_rule(value, taken) for value in values)


def _rule(value: Mapping[str, Any], taken: Counter[str]) -> Rule:
    kind = str(value["rule"])
    low, high = (
        next((float(value[key]) for key in keys if key in value), None)  # at most one is there
        for keys in _SIDES[kind]
    )
    rule = Rule(
        kind,
        str(value.get("name", "")),
        low,
        high,
        states=tuple(value.get("states", ())),
        each_state=bool(value.get("each_state", kind == "state_saving")),
        facility_types=tuple(value.get("facility_types", ())),
        except_states=tuple(value.get("except_states", ())),
        hours=float(value.get("hours", 0.0)),
        of=str(value.get("of", COUNTED[0])),
        of_today="at_most_share" in value,
    )
    if rule.name:
        return rule
    plain = _plain_name(rule)
    taken[plain] += 1
    return Rule(**{**vars(rule), "name": plain if taken[plain] == 1 else f"{plain} ({taken[plain]})"})


def _plain_name(rule: Rule) -> str:
    """What a rule is called that its study does not name: "Sites in Bihar"."""
    kinds = " and ".join(kind.replace("_", " ") for kind in rule.facility_types)
    subject = {
        "state_budget": "Capital",
        "sites": f"Sites ({kinds})" if kinds else "Sites",
        "access": f"{rule.of.capitalize()} within {rule.hours:g} h of an export facility",
        "state_saving": "Saving",
        "carbon": "CO2e",
    }[rule.kind]
    if rule.each_state:
        named = f" ({', '.join(rule.states)})" if rule.states else ""
        return f"{subject} of each state{named}"
    return f"{subject} in {', '.join(rule.states)}" if rule.states else subject


def rule_faults(values: Any, source: str, facility_types: Sequence[str]) -> list[Fault]:
    """List what is wrong with the plain values of a study's rules, without a look at its data.

    Args:
        values: a list of tables.
        source: where they come from.
        facility_types: those there are.
    """
    if not isinstance(values, list | tuple) or not all(isinstance(value, Mapping) for value in values):
        remedy = 'write [[rules]] above each, or rules = [{ rule = "carbon", at_most_share = 0.95 }]'
        return [Fault(f"rules = {str(values)[:50]!r} are no list of tables", remedy, source, column="rules")]
    checks = {**_CHECKS, "facility_types": texts(tuple(facility_types))}
    faults = [
        Fault(f"rule {k} {what}", remedy, source, column="rules", value=dict(value))
        for k, value in enumerate(values, 1)
        for what, remedy in _faults_of(value, checks)
    ]
    names = Counter(value["name"] for value in values if isinstance(value.get("name"), str))
    twice = [name for name, n in names.items() if n > 1]
    return faults + [
        Fault(f"two rules have the name {name!r}", "give each its own", source, column="rules", value=name)
        for name in twice
    ]


def _faults_of(value: Mapping[str, Any], checks: Mapping[str, Check]) -> Iterator[tuple[str, str]]:
    """What is wrong with one rule, and the remedy of each."""
    kind = value.get("rule")
    if "rule" not in value:
        yield "does not say what it is", f"write rule = one of {', '.join(map(repr, KINDS))}"
        return
    if kind not in KINDS:
        yield f"is an unknown {str(kind)[:50]!r}", hint(str(kind)[:50], KINDS)
        return
    lower, upper = _SIDES[kind]
    allowed = ("rule", "name", *lower, *upper, *_OTHERS[kind])
    called = f"({kind})"
    wrong = False
    for key, given in value.items():
        if key not in allowed:
            yield f"{called} has an unknown key '{key}'", hint(key, allowed)
        elif key != "rule" and (found := checks[key](given)) is not None:
            wrong = True
            yield f"{called}: {key} = {str(given)[:80]!r} {found[0]}", found[1]
    for key in _NEEDED.get(kind, ()):
        if key not in value:
            yield f"{called} has no {key}", f"write {key} = a number"
    if wrong:
        return
    yield from _contradictions(value, kind)


def _contradictions(value: Mapping[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    """How the checked values of a rule contradict one another, or ask nothing."""
    called = f"({kind})"
    given = [[key for key in keys if key in value] for keys in _SIDES[kind]]
    for keys in given:
        if len(keys) > 1:
            yield f"{called} has both {' and '.join(keys)}", "keep one of the two"
    if not any(given):
        yield f"{called} has no limit", f"give {' or '.join(key for keys in _SIDES[kind] for key in keys)}"
    if all(given) and value[given[0][0]] > value[given[1][0]]:
        low, high = (f"{keys[0]} = {value[keys[0]]:g}" for keys in given)
        yield f"{called} contradicts itself: {low}, {high}", "the first may be at most the second"
    if "states" in value and "except_states" in value:
        yield f"{called} has both states and except_states", "keep one of the two"
    if kind == "state_budget" and "states" not in value and not value.get("each_state", False):
        yield f"{called} names no state", 'write states = ["Bihar"], or each_state = true'

"""What one study asks otherwise than another, in words and units of people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from siting.money import indian
from siting.parameters import load_parameters
from siting.report.parameters import plain_name
from siting.study import LISTS


def differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """What b asks otherwise than a, each in a few words: "Discount rate 10 % → 6 % a year".

    Args:
        a, b: ``resolved_study`` of ``plan.json``.
    """
    lines = [
        f"{plain_name(key.removesuffix('_inr_crore'))} {_told(key, a.get(key))} → {_told(key, b.get(key))}"
        for key in dict.fromkeys([*a, *b])
        if key not in ("name", "parameters") and a.get(key) != b.get(key) and key not in (*LISTS, "rules")
    ]
    for key in (*LISTS, "rules"):
        before, after = ([_said(name) for name in study.get(key) or []] for study in (a, b))
        changes = [f"with {name}" for name in after if name not in before]
        changes += [f"without {name}" for name in before if name not in after]
        lines += [f"{plain_name(key)}: {', '.join(changes)}"] if changes else []
    rates_a, rates_b = a.get("parameters", {}), b.get("parameters", {})
    return lines + [
        f"{plain_name(key)} {in_unit(key, rates_a.get(key))} → {in_unit(key, rates_b.get(key))}"
        for key in dict.fromkeys([*rates_a, *rates_b])
        if rates_a.get(key) != rates_b.get(key)
    ]


def _said(entry: Any) -> str:
    """A name in a list, or a rule by what it says."""
    if not isinstance(entry, Mapping):
        return str(entry)
    return str(entry.get("name") or " ".join(f"{key} {_told(key, value)}" for key, value in entry.items()))


def in_unit(key: str, value: float | None) -> str:
    """Value of a parameter with its unit as people say it.

    >>> in_unit("discount_rate", 0.06)
    '6 % a year'
    """
    rows = load_parameters().rows
    if value is None:
        return "not there"
    unit = rows[key].unit if key in rows else ""
    name, _, per = unit.partition("/")
    if name.startswith("fraction"):
        text, name = f"{100 * value:.6g} %", name.removeprefix("fraction").strip()
    elif name.startswith("INR"):
        name = name.removeprefix("INR").strip()
        text = f"₹{indian(value, 0 if abs(value) >= 1000 else 2).removesuffix('.00')}"
    else:
        text = f"{value:.6g}"
    ratio = unit in ("ratio", "")
    return " ".join([text, *([] if ratio or not name else [name]), *([f"a {per}"] if per else [])])


def _told(key: str, value: Any) -> str:
    if key.endswith("_inr_crore") and isinstance(value, int | float):
        return f"₹{indian(value)} crore"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_told(name, inner)}" for name, inner in value.items()) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)

"""Values of a query string, checked: unknown names and values end the request with the remedy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from flask import request

from web.security import refuse


def only(*names: str) -> None:
    """Refuse query parameters of other names."""
    unknown = sorted(set(request.args) - set(names))
    if unknown:
        known = f"known: {', '.join(names)}" if names else "this address takes none"
        refuse(400, f"unknown query parameter {unknown[0]!r}; {known}")


def choice(name: str, allowed: Sequence[str], default: str) -> str:
    """Return one of the allowed values."""
    value = request.args.get(name, default)
    if value not in allowed:
        refuse(400, f"{name}={value!r} is unknown; choose from {', '.join(allowed)}")
    return value


def choices(name: str, allowed: Sequence[str]) -> list[str]:
    """Return all values of a repeatable parameter."""
    values = request.args.getlist(name)
    for value in values:
        if value not in allowed:
            refuse(400, f"{name}={value!r} is unknown; choose from {', '.join(allowed)}")
    return values


def flag(name: str) -> bool | None:
    """Return true or false, None where it is not given."""
    return {"true": True, "false": False, "": None}[choice(name, ("true", "false", ""), "")]


def number(name: str, low: float, high: float, default: float) -> float:
    """Return a number within limits."""
    text = request.args.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        refuse(400, f"{name}={text!r}: give a number from {low:g} to {high:g}")
    return value


def body(*names: str) -> dict[str, Any]:
    """Return the JSON object of the request, which has no keys but these."""
    try:
        content = request.get_json(silent=True)
    except RecursionError:  # brackets in brackets in brackets
        content = None
    if not isinstance(content, dict):
        refuse(400, "the body is not a JSON object; send {} when there is nothing to say")
    unknown = sorted(set(content) - set(names))
    if unknown:
        refuse(400, f"unknown key {unknown[0]!r} in the body; known: {', '.join(names) or 'none'}")
    return content

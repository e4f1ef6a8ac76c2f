"""Checks of single values of a study: what is wrong with one, and the remedy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], tuple[str, str] | None]
"""What is wrong with a value and the remedy; None where nothing is."""


def number(low: float, high: float) -> Check:
    """A finite number within limits."""

    def check(value: Any) -> tuple[str, str] | None:
        no_number = isinstance(value, bool) or not isinstance(value, int | float)
        if no_number or (isinstance(value, float) and not math.isfinite(value)):
            return "is not a number", "give one without quotes"
        return None if low <= value <= high else ("is out of range", f"give {low:g} to {high:g}")

    return check


def yes_or_no(value: Any) -> tuple[str, str] | None:
    """True or false."""
    return None if isinstance(value, bool) else ("is neither true nor false", "write true or false, without quotes")


def text(value: Any) -> tuple[str, str] | None:
    """A text that is not blank."""
    return None if isinstance(value, str) and value.strip() else ("is not a text", "put it in quotes")


def whole(low: int, high: int) -> Check:
    """A whole number within limits."""

    def check(value: Any) -> tuple[str, str] | None:
        fault = number(low, high)(value)
        return fault or (None if float(value).is_integer() else ("is not whole", "leave its decimals out"))

    return check


def one_of(*allowed: str) -> Check:
    """One of some words."""
    return lambda value: None if value in allowed else ("is unknown", f"choose from {', '.join(allowed)}")


def texts(allowed: tuple[str, ...] | None = None, least: int = 0) -> Check:
    """A list of texts, of those allowed where these are given, at least one then."""

    def check(value: Any) -> tuple[str, str] | None:
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            return "is not a list of texts", 'write ["one", "two"]'
        wrong = [v for v in value if allowed is not None and v not in allowed]
        if wrong and allowed is not None:
            return f"names unknown {', '.join(map(repr, wrong))}", f"choose from {', '.join(allowed)}"
        empty = not value and (allowed is not None or least > 0)
        return ("is empty", "name at least one") if empty else None

    return check


def fractions(low: float, high: float) -> Check:
    """A table of numbers within limits."""

    def check(value: Any) -> tuple[str, str] | None:
        if not isinstance(value, Mapping):
            return "is no table", 'write { "Bihar" = 0.5 }'
        wrong = [f"{name} = {each!r}" for name, each in value.items() if number(low, high)(each)]
        return (f"holds {', '.join(wrong)}", f"give {low:g} to {high:g}") if wrong else None

    return check

"""Classes of values on maps: round limits between them, and one hue from light to dark."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

# From light to dark, one hue for each kind of measure: the more, the darker, in grey print too.
HUES = {
    "green": ("#c9ebc3", "#94d08f", "#55ad62", "#23803f", "#004d22"),
    "purple": ("#dcd9ec", "#b8b2d9", "#9186bf", "#6a539f", "#401d72"),
    "orange": ("#fbd7ae", "#f5ac68", "#e27f33", "#b4540f", "#743102"),
    "blue": ("#cbdff0", "#98c2e0", "#5c9cca", "#2a71ab", "#0a437a"),
    "brown": ("#ead9c3", "#d0b08a", "#ad8354", "#805a2c", "#4e330f"),
}
METHODS = ("quantile", "equal")
CLASSES = 5
# Mantissas of the limits between classes, each tried where the ones before leave too few classes.
ROUNDINGS = ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8), tuple(np.arange(10, 100) / 10), tuple(np.arange(100, 1000) / 100))


def class_limits(above: np.ndarray, method: str) -> list[float]:
    """Return round limits between the classes of rising values above zero.

    Args:
        method: quantile for about equal numbers of districts, equal for equal steps.
    """
    if len(above) == 0 or above[0] == above[-1]:
        return []
    low, high = float(above[0]), float(above[-1])
    if method == "equal":
        step = _rounded((high - low) / CLASSES, (1, 2, 2.5, 5), up=True)
        limits = [k * step for k in range(math.floor(low / step) + 1, math.ceil(high / step))]
        return limits or [step * round((low + high) / 2 / step)]
    ideal = [float(above[k * len(above) // CLASSES]) for k in range(1, CLASSES)]
    wanted = min(CLASSES - 2, len({value for value in ideal if value > low}))
    for mantissas in ROUNDINGS:
        found = sorted({limit for limit in (_rounded(value, mantissas) for value in ideal) if low < limit <= high})
        if len(found) >= wanted:
            return found
    return sorted({value for value in ideal if value > low})  # too close to each other to be rounded


def _rounded(value: float, mantissas: Iterable[float], up: bool = False) -> float:
    """The nearest number, or the next one above, with one of these mantissas."""
    power = 10.0 ** math.floor(math.log10(value))
    steps = [m * power for m in (*mantissas, 10)]
    if up:
        return next(step for step in steps if step >= value * (1 - 1e-9))
    return float(f"{min(steps, key=lambda step: abs(math.log(step / value))):.6g}")


def shades(hue: str, n: int) -> list[str]:
    """``n`` colours of a hue from light to dark."""
    colours = HUES[hue]
    if n == 1:
        return [colours[len(colours) // 2]]
    return [colours[min(len(colours) - 1, round(k * (len(colours) - 1) / (n - 1)))] for k in range(n)]

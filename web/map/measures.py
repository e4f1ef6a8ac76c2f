"""What the map can colour districts by, and the classes of a value: for the drawings here and for the scripts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from flask_babel import gettext

from siting.money import indian
from siting.results.classes import METHODS, class_limits, shades
from web.i18n import marked

Translate = Callable[[str], str]

APART = ("zero", "below", "leader", "missing")
HATCH = "hatch"  # no colour: where there is no value, what is below is hatched
APART_COLOURS = ("#eae7e1", "#c2578c", "#d0d6db", HATCH)  # of APART
PLAIN, HIDDEN = "#f6f5f1", "#f1f3f5"  # a district about which nothing is said; one that a filter leaves out
# Purple and green with white between: told apart by the colour-blind. Blue would be sea, red an alarm.
WORSE, BETTER = ("#e7d4e8", "#c2a5cf", "#762a83"), ("#d9f0d3", "#7fbf7b", "#1b7837")
DIFFERENCE_INR = (1e6, 1e7)  # limits between the steps of a difference, the same for every pair of plans
UNITS = {
    "inr": ((1e7, marked("₹{n} crore")), (1e5, marked("₹{n} lakh")), (1.0, "₹{n}")),
    "inr_per_t": ((1.0, marked("₹{n} per tonne")),),
    "h": ((1.0, marked("{n} h")),),
    "usd": ((1e6, marked("US$ {n} million")),),
    "t": ((1.0, marked("{n} t")),),
}


@dataclass(frozen=True)
class Measure:
    """A value of every district.

    Args:
        label: its name, in English as all texts here.
        column: of `web.map.plan.PlanData.map_table`.
        unit: key of UNITS.
        hue: key of HUES.
        note: what it is.
        scale: columns that its classes are made of, where a colour is to say the same on several maps.
        leaders_apart: districts that make most of the exports are in none of its values.
        zero: what it means where it is zero.
        below: what it means where it is below.
    """

    label: str
    column: str
    unit: str
    hue: str
    note: str
    scale: tuple[str, ...] = ()
    leaders_apart: bool = False
    zero: str = marked("zero")
    below: str = marked("below zero")

    @property
    def columns(self) -> tuple[str, ...]:
        return self.scale or (self.column,)


COST = ("cost_before_inr_per_t", "cost_after_inr_per_t")
HOURS = ("hours_before", "hours_after")
CO2E = ("co2e_before_t_per_year", "co2e_after_t_per_year")
MEASURES = {
    "saving": Measure(
        marked("Saving a year"), "saving_inr_per_year", "inr", "green",
        marked("Cost of reaching a port today less cost with the plan, before the sites' running costs."),
        leaders_apart=True, zero=marked("no saving"), below=marked("dearer than today"),
    ),
    "saving_per_t": Measure(
        marked("Saving a tonne"), "saving_inr_per_t", "inr_per_t", "green",
        marked("What a tonne costs today less what it costs with the plan."),
        zero=marked("no saving"), below=marked("dearer than today"),
    ),
    "cost_before": Measure(
        marked("Cost before"), COST[0], "inr_per_t", "purple",
        marked("Freight, handling, time and carbon to a port, with what exists today."), COST,
    ),
    "cost_after": Measure(
        marked("Cost after"), COST[1], "inr_per_t", "purple",
        marked("The same cost with the sites of the plan, in the same classes."), COST,
    ),
    "hours_before": Measure(
        marked("Hours before"), HOURS[0], "h", "orange",
        marked("Hours until the ship with what exists today, waiting at the port included."), HOURS,
    ),
    "hours_after": Measure(
        marked("Hours after"), HOURS[1], "h", "orange",
        marked("The same hours with the sites of the plan, in the same classes."), HOURS,
    ),
    "hours_to_port": Measure(
        marked("Hours to port"), "hours_to_gateway_after", "h", "orange",
        marked("Hours until the port's gate with the plan, waiting and handling on the way included."),
    ),
    "exports": Measure(
        marked("Exports a year"), "export_usd", "usd", "blue",
        marked("Merchandise exports April 2024 to March 2025 as declared by the exporters."),
        zero=marked("no exports"),
    ),
    "tonnes": Measure(
        marked("Tonnes a year"), "tonnes_per_year", "t", "blue",
        marked("Exports by value per tonne of each sector; bulk and air cargo are left out."),
        zero=marked("no tonnes"),
    ),
    "co2e_before": Measure(
        marked("CO2e before, a year"), CO2E[0], "t", "brown",
        marked("Emissions on the way to a port with what exists today."), CO2E, zero=marked("no cargo"),
    ),
    "co2e_after": Measure(
        marked("CO2e after, a year"), CO2E[1], "t", "brown",
        marked("The same emissions with the sites of the plan, in the same classes."), CO2E, zero=marked("no cargo"),
    ),
    "co2e_saved": Measure(
        marked("CO2e avoided a year"), "co2e_saved_t_per_year", "t", "brown",
        marked("Emissions on the way to a port today less those with the plan."),
        zero=marked("no change"), below=marked("more than today"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Classes:
    """Rising limits between the classes of the values above zero, and what each class is called."""

    limits: list[float]
    labels: list[str]


@dataclass(frozen=True)
class Classed:
    """Colour and class of every district, and the legend as (colour, text, number of districts).

    The class is its number from "0", lowest first, or one of APART.
    """

    colours: list[str]
    keys: list[str]
    legend: list[tuple[str, str, int]]


def classes_of(name: str, tables: Iterable[pd.DataFrame], method: str, translate: Translate = gettext) -> Classes:
    """Return the classes of a measure over the districts of one plan or several."""
    measure = MEASURES[name]
    values = np.concatenate([table[column].to_numpy(float) for table in tables for column in measure.columns])
    above = np.sort(values[values > 0])
    limits = class_limits(above, method)
    return Classes(limits, _labels(limits, above, measure.unit, translate))


def _labels(limits: list[float], above: np.ndarray, unit: str, translate: Translate) -> list[str]:
    """Names of the classes, all in one unit: under ₹1 lakh, ₹1–10 lakh, ₹10 lakh and more."""
    if len(above) == 0:
        return []
    smallest = limits[0] if limits else float(above[-1])
    size, pattern = next((step for step in UNITS[unit] if smallest >= 0.1 * step[0]), UNITS[unit][-1])

    def amount(*values: float) -> str:
        return translate(pattern).format(n="–".join(_short(value / size) for value in values))

    if not limits:
        return [amount(smallest)]
    between = [amount(low, high) for low, high in zip(limits, limits[1:], strict=False)]
    first, last = translate(marked("under {amount}")), translate(marked("{amount} and more"))
    return [first.format(amount=amount(limits[0])), *between, last.format(amount=amount(limits[-1]))]


def _short(value: float) -> str:
    """As many decimals as a round limit needs, Indian grouping."""
    decimals = next((d for d in range(4) if math.isclose(round(value, d), value, rel_tol=1e-6)), 3)
    return indian(value, decimals)


def classify(name: str, table: pd.DataFrame, method: str) -> Classed:
    """Colour the districts of a plan: the more, the darker; zero, below zero, leaders and missing stand apart."""
    measure = MEASURES[name]
    classes = classes_of(name, [table], method)
    colours = shades(measure.hue, len(classes.labels)) if classes.labels else []
    value = table[measure.column].to_numpy(float)
    step = np.searchsorted(classes.limits, value, side="right")
    apart = ~table["under_utilised"].to_numpy(bool) if measure.leaders_apart else np.zeros(len(value), bool)
    keys = [
        "leader" if aside else "missing" if np.isnan(v) else "below" if v < 0 else "zero" if v == 0 else str(k)
        for v, k, aside in zip(value, step, apart, strict=True)
    ]
    apart_colours = dict(zip(APART, APART_COLOURS, strict=True))
    told = [apart_colours.get(key) or colours[int(key)] for key in keys]
    entries = [*zip(reversed(colours), reversed(classes.labels), strict=True), *_apart(measure, gettext)]
    return Classed(told, keys, [(colour, text, told.count(colour)) for colour, text in entries if colour in told])


def _apart(measure: Measure, translate: Translate) -> list[tuple[str, str]]:
    """What stands apart from the classes, in the order of the legend."""
    texts = (measure.zero, measure.below, marked("leaders, not counted"), marked("no cargo or no road"))
    return [(colour, translate(text)) for colour, text in zip(APART_COLOURS, texts, strict=True)]


def measures_told(translate: Translate) -> dict[str, Any]:
    """Return all of this that the scripts of the pages need, in one language."""
    small, large = translate(marked("₹{n} lakh")).format(n=10), translate(marked("₹{n} crore")).format(n=1)

    def steps(sign: str, colours: Iterable[str]) -> list[dict[str, str]]:
        first, last = translate(marked("up to {amount}")), translate(marked("over {amount}"))
        labels = (
            first.format(amount=sign + small),
            f"{sign}{small} – {sign}{large}",
            last.format(amount=sign + large),
        )
        return [
            {"key": f"{sign}{k}", "colour": colour, "label": label}
            for k, (colour, label) in enumerate(zip(colours, labels, strict=True))
        ]

    return {
        "measures": {
            name: {
                "label": translate(measure.label), "column": measure.column, "unit": measure.unit,
                "note": translate(measure.note), "shades": {n: shades(measure.hue, n) for n in range(1, 9)},
                "leaders_apart": measure.leaders_apart,
                "apart": {
                    key: {"key": key, "colour": colour, "label": text}
                    for key, (colour, text) in zip(APART, _apart(measure, translate), strict=True)
                },
            }
            for name, measure in MEASURES.items()
        },
        "difference": {
            "limits": DIFFERENCE_INR,
            "better": steps("+", BETTER),
            "worse": steps("−", WORSE),
            "same": {"key": "same", "colour": PLAIN, "label": translate(marked("no change"))},
            "missing": {"key": "missing", "colour": HATCH, "label": translate(marked("no cargo or no road"))},
        },
        "plain": PLAIN, "hidden": HIDDEN,
    }  # fmt: skip


def classes_told(tables: list[pd.DataFrame], translate: Translate = gettext) -> dict[str, Any]:
    """Return the classes of every measure over the districts of one plan or several."""
    told: dict[str, Any] = {}
    for name in MEASURES:
        found = {method: classes_of(name, tables, method, translate) for method in METHODS}
        told[name] = {method: {"limits": one.limits, "labels": one.labels} for method, one in found.items()}
    return told

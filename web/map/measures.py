"""What districts can be coloured by on the drawn map, and the classes of a measure, as on the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from flask_babel import lazy_gettext as _

from siting.money import indian

PALETTES = {
    "cividis": ("#fee838", "#cebc63", "#9e9676", "#737475", "#4a536c", "#00306f"),
    "viridis": ("#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154"),
}
CLASSES = ("quantile", "equal")
ZERO, BELOW, LEADER, MISSING = "#e9e5dc", "#d9853b", "#d5dade", "#ffffff"


@dataclass(frozen=True)
class Measure:
    """A value of every district.

    Args:
        label: name with its unit.
        values: from the table of districts, in that unit; NaN where there is none.
        scale: measures that share its classes, so that a colour says the same on their maps.
        leaders_apart: districts that make most of the exports are in none of its values.
    """

    label: str
    values: Callable[[pd.DataFrame], pd.Series]
    scale: tuple[str, ...] = ()
    leaders_apart: bool = False


def _column(name: str, per: float = 1.0) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda table: table[name] / per


def _saving(table: pd.DataFrame) -> pd.Series:
    return table["saving_inr_per_year"].where(table["cost_before_inr_per_t"].notna())


COST, HOURS, CO2E = (tuple(f"{name}_{when}" for when in ("before", "after")) for name in ("cost", "hours", "co2e"))
MEASURES = {
    "saving": Measure(_("Saving, ₹ crore a year"), lambda t: _saving(t) / 1e7, leaders_apart=True),
    "saving_per_t": Measure(
        _("Saving, ₹ per tonne"), lambda t: t["cost_before_inr_per_t"] - t["cost_after_inr_per_t"]
    ),
    "cost_before": Measure(_("Cost before, ₹ per tonne"), _column("cost_before_inr_per_t"), COST),
    "cost_after": Measure(_("Cost after, ₹ per tonne"), _column("cost_after_inr_per_t"), COST),
    "hours_before": Measure(_("Hours before"), _column("hours_before"), HOURS),
    "hours_after": Measure(_("Hours after"), _column("hours_after"), HOURS),
    "hours_to_port": Measure(_("Hours to port"), _column("hours_to_gateway_after")),
    "exports": Measure(_("Exports, US$ million a year"), _column("export_usd", 1e6)),
    "tonnes": Measure(_("Thousand tonnes a year"), _column("tonnes_per_year", 1e3)),
    "co2e_before": Measure(_("CO2e before, t a year"), _column("co2e_before_t_per_year"), CO2E),
    "co2e_after": Measure(_("CO2e after, t a year"), _column("co2e_after_t_per_year"), CO2E),
    "co2e_saved": Measure(
        _("CO2e avoided, t a year"), lambda t: t["co2e_before_t_per_year"] - t["co2e_after_t_per_year"]
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Classed:
    """Colour of every district, and the legend as (colour, text, number of districts)."""

    colours: list[str]
    legend: list[tuple[str, str, int]]


def breaks(above: np.ndarray, method: str, classes: int) -> list[float]:
    """Limits between the classes of rising values above zero: equal numbers of districts or equal steps."""
    found: list[float] = []
    for k in range(1, classes):
        if method == "equal":
            value = above[0] + k * (above[-1] - above[0]) / classes
        else:
            value = above[k * len(above) // classes]
        if value > (found[-1] if found else above[0]):
            found.append(float(value))
    return found


def scale_of(name: str, table: pd.DataFrame) -> pd.Series:
    """All values that a measure's classes are made of."""
    values: pd.Series = pd.concat([MEASURES[other].values(table) for other in MEASURES[name].scale or (name,)])
    return values


def classify(
    values: pd.Series, method: str, palette: str, scale: pd.Series | None = None, leader: pd.Series | None = None
) -> Classed:
    """Colour values: the more, the darker; zero, below zero and missing stand apart.

    Args:
        scale: what the classes are made of, where that is more than the values.
        leader: which districts stand apart as leaders.
    """
    colours = PALETTES[palette]
    value = values.to_numpy(dtype=float)
    above = (values if scale is None else scale).to_numpy(dtype=float)
    above = np.sort(above[above > 0])
    limits = breaks(above, method, len(colours)) if len(above) else []
    n = len(limits) + 1
    shades = [colours[3]] if n == 1 else [colours[round(k * (len(colours) - 1) / (n - 1))] for k in range(n)]
    edges = [above[0], *limits, above[-1]] if len(above) else []
    entries = [(shades[k], f"{_short(edges[k])} – {_short(edges[k + 1])}") for k in reversed(range(n)) if edges]
    entries += [(ZERO, str(_("none"))), (BELOW, str(_("below zero")))]
    entries += [(LEADER, str(_("leaders, not counted"))), (MISSING, str(_("no cargo or no road")))]
    apart = np.zeros(len(value), bool) if leader is None else leader.to_numpy(bool)
    step = np.searchsorted(limits, value, side="right")
    told = [
        LEADER if aside else MISSING if np.isnan(v) else BELOW if v < 0 else ZERO if v == 0 else shades[k]
        for v, k, aside in zip(value, step, apart, strict=True)
    ]
    legend = [(colour, text, told.count(colour)) for colour, text in entries if colour in told]
    return Classed(told, legend)


def _short(value: float) -> str:
    """Three digits at least, Indian grouping."""
    return indian(value, 0 if value >= 100 else 1 if value >= 10 else 2)

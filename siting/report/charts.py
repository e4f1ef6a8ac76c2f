"""Charts as SVG text: bars of cost before and after, a tornado, a budget frontier, and savings of scenarios."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from siting.money import INR_PER_CRORE, indian

INK = "#1b2530"
MUTED = "#5a6672"
RULE = "#d5dade"
QUIET = "#a9b2ba"
ACCENT = "#a8321a"
FONT = "'Segoe UI','Noto Sans','Liberation Sans',Arial,sans-serif"
WIDTH = 760


def tag(name: str, *content: str, **attributes: object) -> Markup:
    """Return one escaped element; ``_`` in attribute names stands for ``-``, a trailing one is dropped."""
    text = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    inner = Markup("").join(content)
    return Markup(f"<{name}{text}>{inner}</{name}>")


def label(x: float, y: float, text: object, **attributes: object) -> Markup:
    """Text at a point; dark ink at 13 px unless told."""
    return tag("text", str(text), **{"x": round(x, 1), "y": round(y, 1), "fill": INK, "font_size": 13, **attributes})


def rect(x: float, y: float, width: float, height: float, fill: str) -> Markup:
    """A filled rectangle of an SVG; a negative width counts as none."""
    return tag("rect", x=round(x, 1), y=round(y, 1), width=round(max(width, 0), 1), height=height, fill=fill)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> Markup:
    """A line of an SVG, in the colour of rules unless ``attributes`` say otherwise."""
    ends = {"x1": round(x1, 1), "y1": round(y1, 1), "x2": round(x2, 1), "y2": round(y2, 1)}
    return tag("line", **{**ends, "stroke": RULE, **attributes})


def svg(title: str, description: str, height: float, *content: str, name: str) -> Markup:
    """Return a drawing of ``WIDTH`` x ``height`` that screen readers announce by title and description."""
    return tag(
        "svg",
        tag("title", title, id=f"{name}-title"),
        tag("desc", description, id=f"{name}-desc"),
        *content,
        xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {round(height)}", role="img",
        aria_labelledby=f"{name}-title {name}-desc", font_family=FONT,
    )  # fmt: skip


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) that cover ``low`` to ``high``."""
    if not high > low:
        high = low + max(abs(low), 1.0)
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 10) for k in range(first, last + 1)]


def _short(value: float) -> str:
    """Number with Indian grouping and no more decimals than an axis needs."""
    return indian(value, 0 if abs(value) >= 10 or value == round(value) else 1 if abs(value) >= 1 else 2)


def component_chart(components: pd.DataFrame) -> Markup:
    """Bars of yearly cost by component, before above after.

    Args:
        components: index = name of the component, columns ``before`` and ``after`` in INR a year.
    """
    crore = components / INR_PER_CRORE
    left, right, row = 232.0, 100.0, 46
    scale = (WIDTH - left - right) / max(crore.to_numpy().max(), 1e-9)
    marks: list[Markup] = []
    for k, (name, values) in enumerate(crore.iterrows()):
        y = 4 + k * row
        marks += [
            label(left - 12, y + 22, name, text_anchor="end"),
            rect(left, y + 2, values["before"] * scale, 14, QUIET),
            rect(left, y + 19, values["after"] * scale, 14, ACCENT),
            label(
                left + values["before"] * scale + 6,
                y + 13.5,
                _short(values["before"]),
                fill=MUTED,
                font_size=12,
            ),
            label(left + values["after"] * scale + 6, y + 30.5, _short(values["after"]), font_size=12),
        ]
    height = 4 + row * len(crore)
    marks.append(line(left, 2, left, height - 8, stroke=INK))
    text = "; ".join(
        f"{name}: {_short(v['before'])} before, {_short(v['after'])} after" for name, v in crore.iterrows()
    )
    return svg("Yearly cost by component before and after, ₹ crore", text, height, *marks, name="components")


def tornado_chart(rows: pd.DataFrame, base_inr: float, break_even_inr: float, labels: Sequence[str]) -> Markup:
    """Net saving when one parameter at a time takes its low and its high value.

    Args:
        rows: columns ``low``, ``high``, ``unit``, ``saving_low``, ``saving_high``, and of sites chosen anew
            ``anew_low``, ``anew_high``, NaN where none were (INR a year).
        base_inr: net saving at the base values.
        break_even_inr: net saving at which the plan just pays for its capital.
        labels: one name per row.
    """
    left, right, row, top = 300.0, 30.0, 40, 62
    savings = rows[["saving_low", "saving_high"]].to_numpy() / INR_PER_CRORE
    anew = rows[["anew_low", "anew_high"]].to_numpy(np.float64) / INR_PER_CRORE
    base, even = base_inr / INR_PER_CRORE, break_even_inr / INR_PER_CRORE
    told = np.concatenate([savings.ravel(), anew[np.isfinite(anew)]])
    axis = ticks(min(told.min(), base, even, 0.0), max(told.max(), base, even))
    scale = (WIDTH - left - right) / (axis[-1] - axis[0])

    def x(value: float) -> float:
        return left + (value - axis[0]) * scale

    bottom = top + row * len(rows)
    marks: list[Markup] = []
    for tick in axis:
        marks.append(line(x(tick), top - 6, x(tick), bottom))
        marks.append(label(x(tick), bottom + 18, _short(tick), text_anchor="middle", fill=MUTED, font_size=12))
    spans = zip(rows["low"], rows["high"], rows["unit"], strict=True)
    ranges = [f"{low:g} to {high:g} {unit}" for low, high, unit in spans]
    for k, (name, span) in enumerate(zip(labels, ranges, strict=True)):
        y = top + k * row
        marks.append(label(left - 12, y + 15, name, text_anchor="end"))
        marks.append(label(left - 12, y + 30, span, text_anchor="end", fill=MUTED, font_size=11))
        for value, fill in zip(savings[k], (QUIET, ACCENT), strict=True):
            start, end = sorted((x(base), x(value)))
            marks.append(rect(start, y + 6, end - start, 20, fill))
        for value, fill in zip(anew[k], (QUIET, ACCENT), strict=True):
            if np.isfinite(value):
                tip = tag("title", f"{name}: {_short(value)} with sites chosen anew")
                at = {"cx": round(x(value), 1), "cy": y + 16, "r": 5}
                marks.append(tag("circle", tip, fill=fill, stroke=INK, stroke_width=1.5, **at))
    for value, words, dash, y in (
        (base, "base values", "none", 14),
        (even, "just pays for its capital", "4 3", 32),
    ):
        marks.append(line(x(value), y + 5, x(value), bottom, stroke=INK, stroke_dasharray=dash))
        anchor, shift = ("end", -5) if value < max(base, even) else ("start", 5)
        marks.append(label(x(value) + shift, y + 8, f"{words}: {_short(value)}", text_anchor=anchor, font_size=12))
    described = f"At the base values the plan saves ₹{_short(base)} crore a year net. Largest effect: {labels[0]}."
    title = "Net saving at the low and high value of each parameter, ₹ crore a year"
    return svg(title, described, bottom + 26, *marks, name="tornado")


SAVED = [("saving_inr_per_year", "saving", MUTED), ("benefit_inr_per_year", "benefit", ACCENT)]
"""Lines of the first panel of :func:`sweep_chart`: what a plan saves, and of it what is left after the charge for
capital, which it makes largest and which never falls with the budget."""
RATIO = 2
"""Panel of :func:`sweep_chart` with a line where a plan just pays for its capital."""


def _free(at: float, taken: list[float], height: float = 15.0) -> float:
    """The nearest place at or above ``at`` where a line of text covers none that is there."""
    while any(abs(at - other) < height for other in taken):
        at -= height
    return at


def sweep_chart(table: pd.DataFrame) -> Markup:
    """Saving and benefit, that of the last crore, ratio to cost and number of sites against the budget, a panel each.

    Args:
        table: a row for each budget, with columns of ``scenarios.csv``.
    """
    left, right, panel, gap, top = 64.0, 150.0, 170, 58, 40
    budget = table["budget_inr_crore"].to_numpy(np.float64)
    across = ticks(0.0, float(budget.max(initial=0.0)))

    def x(value: float) -> float:
        return left + (value - across[0]) / (across[-1] - across[0]) * (WIDTH - left - right)

    panels: list[tuple[str, list[tuple[str, str, str]], float]] = [
        ("Net saving, and benefit after the charge for capital, ₹ crore a year", SAVED, INR_PER_CRORE),
        ("Benefit of the last crore spent, ₹ crore a year", [("marginal_benefit_per_year_per_rupee", "", ACCENT)], 1.0),
        ("Benefit-cost ratio (1 = just pays for its capital)", [("benefit_cost_ratio", "", ACCENT)], 1.0),
        ("Sites", [("warehouses", "warehouses", ACCENT), ("cold_stores", "cold stores", MUTED),
                   ("cargo_terminals", "cargo terminals", QUIET), ("mmlps", "logistics parks", INK)], 1.0),
    ]  # fmt: skip
    marks: list[Markup] = []
    for k, (heading, series, unit) in enumerate(panels):
        y0 = top + k * (panel + gap)
        values = table[[key for key, *_ in series]].astype(float).to_numpy() / unit
        finite = values[np.isfinite(values)]
        axis = ticks(min(finite.min(initial=0.0), 0.0), max(finite.max(initial=0.0), 1.0 if k == RATIO else 0.0), 4)

        def y(value: float, y0: float = y0, axis: list[float] = axis) -> float:
            return y0 + panel * (1 - (value - axis[0]) / (axis[-1] - axis[0]))

        marks.append(label(left, y0 - 14, heading, font_size=14, font_weight=600))
        for tick in axis:
            marks.append(line(left, y(tick), WIDTH - right, y(tick), stroke=INK if tick == 0 else RULE))
            marks.append(label(left - 8, y(tick) + 4, _short(tick), text_anchor="end", fill=MUTED, font_size=12))
        if k == RATIO:
            marks.append(line(left, y(1), WIDTH - right, y(1), stroke=INK, stroke_dasharray="4 3"))
        ends: list[float] = []
        for column, (_, words, colour) in zip(values.T, series, strict=True):
            known = np.flatnonzero(np.isfinite(column))
            points = " ".join(f"{x(budget[i]):.1f},{y(column[i]):.1f}" for i in known)
            marks.append(tag("polyline", points=points, fill="none", stroke=colour, stroke_width=2))
            for i in known:
                shown = f"{words or heading}: {_short(column[i])} at ₹{indian(budget[i])} crore"
                at_x, at_y = f"{x(budget[i]):.1f}", f"{y(column[i]):.1f}"
                marks.append(tag("circle", tag("title", shown), cx=at_x, cy=at_y, r=3.5, fill=colour))
            if len(known):
                last = known[-1]
                ends.append(_free(y(column[last]) + 4, ends))
                text = f"{_short(column[last])} {words}".strip()
                marks.append(label(x(budget[last]) + 10, ends[-1], text, fill=colour, font_weight=600))
    bottom = top + len(panels) * panel + (len(panels) - 1) * gap
    for tick in across:
        marks.append(label(x(tick), bottom + 20, _short(tick), text_anchor="middle", fill=MUTED, font_size=12))
    marks.append(label((left + WIDTH - right) / 2, bottom + 42, "Budget, ₹ crore", text_anchor="middle"))
    saved = table["saving_inr_per_year"].to_numpy(np.float64) / INR_PER_CRORE
    described = "; ".join(
        f"₹{indian(spent)} crore saves ₹{indian(gain)} crore a year" for spent, gain in zip(budget, saved, strict=True)
    )
    return svg("What a larger budget buys", described, bottom + 54, rect(0, 0, WIDTH, bottom + 54, "#ffffff"),
               *marks, name="sweep")  # fmt: skip


def saving_chart(table: pd.DataFrame) -> Markup:
    """Bars of net saving by scenario, with a line from low to high where draws were made.

    Args:
        table: rows of ``scenarios.csv`` that have a plan.
    """
    left, right, row, top = 250.0, 90.0, 26, 34
    names = ("saving_inr_per_year", "saving_low_inr_per_year", "saving_high_inr_per_year")
    saving, low, high = (table[name].to_numpy(np.float64) / INR_PER_CRORE for name in names)
    known = np.concatenate([saving, low[np.isfinite(low)], high[np.isfinite(high)], [0.0]])
    axis = ticks(float(known.min()), float(known.max()))
    scale = (WIDTH - left - right) / (axis[-1] - axis[0])

    def x(value: float) -> float:
        return left + (value - axis[0]) * scale

    bottom = top + row * len(table)
    marks = [label(left, top - 16, "Net saving, ₹ crore a year", font_size=14, font_weight=600)]
    for tick in axis:
        marks.append(line(x(tick), top - 4, x(tick), bottom, stroke=INK if tick == 0 else RULE))
        marks.append(label(x(tick), bottom + 18, _short(tick), text_anchor="middle", fill=MUTED, font_size=12))
    for k, name in enumerate(table["scenario"]):
        y, end = top + k * row, saving[k]
        marks.append(label(left - 10, y + 15, name if len(name) <= 36 else f"{name[:35]}…", text_anchor="end"))
        marks.append(rect(min(x(0.0), x(end)), y + 4, abs(x(end) - x(0.0)), 14, ACCENT))
        if np.isfinite(low[k]) and np.isfinite(high[k]):
            marks.append(line(x(low[k]), y + 11, x(high[k]), y + 11, stroke=INK, stroke_width=2))
            end = max(end, high[k])
        marks.append(label(x(max(end, 0.0)) + 6, y + 15.5, _short(saving[k]), font_size=12))
    told = "; ".join(f"{name}: {_short(value)}" for name, value in zip(table["scenario"], saving, strict=True))
    title = "Net saving of each scenario, ₹ crore a year"
    background = rect(0, 0, WIDTH, bottom + 30, "#ffffff")
    return svg(title, told, bottom + 30, background, *marks, name="savings")

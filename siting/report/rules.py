"""Rules of a study and what they cost, and how even the cost of a tonne is, as the report tells them."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from siting.model.rules import told
from siting.plan import Plan
from siting.report.charts import ACCENT, MUTED, QUIET, label, line, svg, tag
from siting.results.rules import rules_summary

SIDE, LEFT, TOP = 260, 60, 14
"""Pixels of the square of the Lorenz curve, and where it stands."""


def rule_rows(plan: Plan) -> list[dict[str, Any]]:
    """Rows of the report's table of rules, in people's units."""
    rows = []
    for rule in rules_summary(plan)["rules"]:
        sides = [(side, rule[key]) for side, key in (("at least", "at_least"), ("at most", "at_most"))]
        rows.append({
            "name": rule["name"],
            "state": rule["state"],
            "limit": " and ".join(f"{side} {told(limit, rule['unit'])}" for side, limit in sides if limit is not None),
            "reached": told(rule["reached"], rule["unit"]),
            **{key: rule[key] for key in ("price_inr_per_year", "price_low_inr_per_year", "price_high_inr_per_year")},
        })  # fmt: skip
    return rows


def lorenz_chart(equity: dict[str, Any]) -> Markup:
    """The Lorenz curves of the cost of a tonne before and after, under the line on which all pay alike.

    Args:
        equity: of :func:`siting.equity.equity_of`.
    """

    def points(shares: list[float]) -> str:
        pairs = zip(equity["tonnes_share"], shares, strict=True)
        return " ".join(f"{LEFT + SIDE * x:.1f},{TOP + SIDE * (1 - y):.1f}" for x, y in pairs)

    def curve(shares: list[float], colour: str, width: float) -> Markup:
        return tag("polyline", points=points(shares), fill="none", stroke=colour, stroke_width=width)

    bottom, right = TOP + SIDE, LEFT + SIDE
    marks = [
        label(at, bottom + 18, f"{share} %", text_anchor="middle", fill=MUTED)
        for share, at in ((0, LEFT), (50, LEFT + SIDE / 2), (100, right))
    ] + [
        label(LEFT - 8, bottom - SIDE * share / 100 + 4, f"{share} %", text_anchor="end", fill=MUTED)
        for share in (50, 100)
    ]
    words = [
        label(right + 24, TOP + 40, "all pay alike", fill=MUTED),
        label(right + 24, TOP + 62, f"today, Gini {equity['gini_before']:.3f}", fill=MUTED),
        label(right + 24, TOP + 84, f"with the plan, Gini {equity['gini_after']:.3f}", fill=ACCENT),
        label(LEFT + SIDE / 2, bottom + 38, "share of tonnes, those that pay least first", text_anchor="middle"),
    ]
    return svg(
        "Lorenz curves of the cost of a tonne, today and with the plan",
        f"Gini coefficient {equity['gini_before']:.3f} today, {equity['gini_after']:.3f} with the plan",
        bottom + 48,
        line(LEFT, bottom, right, TOP, stroke=MUTED, stroke_dasharray="4 4"),
        line(LEFT, bottom, right, bottom), line(LEFT, bottom, LEFT, TOP),
        curve(equity["cost_share_before"], QUIET, 4),
        curve(equity["cost_share_after"], ACCENT, 1.5),
        *marks, *words,
        name="lorenz",
    )  # fmt: skip

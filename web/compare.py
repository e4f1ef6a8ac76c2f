"""Two plans beside each other, and the plans of a sweep, as the map takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from siting.results.compare import compare, frontier
from siting.results.read import PlanTables
from web.map.plan import PlanData, columns


def comparison(a: PlanData, b: PlanData) -> dict[str, Any]:
    """Return what differs between two plans; districts of ``a`` in their order, b minus a."""
    found = compare(a.plan, b.plan)
    totals = columns(found.totals.reset_index(names="name"), decimals=None)
    return {
        "a": _about(a.plan), "b": _about(b.plan),
        "totals": {name: {"a": first, "b": second} for name, first, second in zip(*totals.values(), strict=True)},
        "sites": {
            "only_a": columns(a.in_hindi(found.only_a)), "only_b": columns(b.in_hindi(found.only_b)),
            "both": found.both,
        },
        "districts": columns(a.in_hindi(found.districts)),
    }  # fmt: skip


def _about(plan: PlanTables) -> dict[str, Any]:
    names = ("budget_inr_crore", "saving_inr_per_year", "fingerprint")
    return {"id": plan.key, "name": plan.summary["study"], **{name: plan.summary[name] for name in names}}


def sweep_points(members: Sequence[PlanTables]) -> list[dict[str, Any]]:
    """Return one point of the budget frontier per plan, by budget."""
    plans = sorted(members, key=lambda plan: float(plan.summary["budget_inr_crore"]))
    table = frontier((plan.summary, plan.sites) for plan in plans)
    points = columns(table, decimals=None)
    return [{"plan": plan.key, **dict(zip(points, row, strict=True))}
            for plan, row in zip(plans, zip(*points.values(), strict=True), strict=True)]  # fmt: skip

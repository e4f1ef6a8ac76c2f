"""What `siting robust` says, in lines that fit a screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from siting.money import INR_PER_CRORE, counted, indian
from siting.report.lines import text_table

LISTED = 8
PLANS = 12


def robust_lines(summary: Mapping[str, Any], plans: pd.DataFrame, sites: pd.DataFrame) -> list[str]:
    """The plans that are best on average and of least regret, what is proven of them, and which sites are core.

    Args:
        summary: ``robust.json``.
        plans: ``robust_plans.csv``.
        sites: ``robust_sites.csv``.
    """
    return [
        f"{counted(summary['plans'], 'plan')} held against {counted(len(summary['futures']), 'future')}; benefit: what "
        "cargo costs today less what it costs with the plan, its sites and their capital, ₹ crore a year",
        _average(summary["best_on_average"]),
        _regret(summary["least_regret"]),
        _information(summary["perfect_information"]),
        "",
        text_table(_shown(plans)),
        "",
        *(_sites(sites, verdict) for verdict in ("core, in all", "core", "conditional", "never")),
    ]


def _average(best: Mapping[str, Any]) -> str:
    if best["plan"] is None:
        return "No plan keeps its limits in all futures"
    return (
        f"Best on average: plan {best['plan']}, {_crore(best['benefit_inr_per_year'])} a year; no plan has more than "
        f"{_crore(best['benefit_at_most_inr_per_year'])}"
    )


def _regret(best: Mapping[str, Any]) -> str:
    if best["plan"] is None:
        return "None has a greatest regret"
    return (
        f"Least regret: plan {best['plan']} is never more than {_crore(best['regret_inr_per_year'])} a year from the "
        f"best of a future; no plan is always nearer than {_crore(best['regret_at_least_inr_per_year'])}"
    )


def _information(worth: Mapping[str, Any]) -> str:
    if worth["high_inr_per_year"] is None:
        return f"To know which future comes is worth at least {_crore(worth['low_inr_per_year'])} a year"
    return (
        f"To know which future comes is worth {_crore(worth['low_inr_per_year'])} to "
        f"{_crore(worth['high_inr_per_year'])} a year on average"
    )


def _shown(plans: pd.DataFrame) -> pd.DataFrame:
    """The plans with a part of their own, and the next of least regret."""
    named = plans[plans["role"] != "found on the way"].head(PLANS)
    return pd.DataFrame({
        "plan": named["plan"],
        "sites": named["sites"],
        "capital": [indian(value) for value in named["capex_inr_crore"]],
        "mean benefit": [_plain(value) for value in named["mean_benefit_inr_per_year"]],
        "most regret": [_plain(value) for value in named["most_regret_inr_per_year"]],
        "in": named["worst_future"],
        "what it is": named["role"],
    })  # fmt: skip


def _sites(sites: pd.DataFrame, verdict: str) -> str:
    names = sites.loc[sites["verdict"] == verdict, "site_id"].tolist()
    word = {
        "core, in all": "in the best plan of every future", "core": "of nine in ten",
        "conditional": "of some", "never": "of none, though in a plan",
    }[verdict]  # fmt: skip
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    listed = f": {', '.join(names[:LISTED])}{more}" if names else ""
    return f"{counted(len(names), 'site')} {word}{listed}"


def _crore(inr: float) -> str:
    return f"₹{indian(inr / INR_PER_CRORE, 1)} crore"


def _plain(inr: float) -> str:
    return "–" if pd.isna(inr) else indian(inr / INR_PER_CRORE, 1)

"""What `siting alternatives` says, in lines that fit a screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from siting.money import INR_PER_CRORE, counted, indian
from siting.report.lines import text_table

PLANS, SITES, OTHERS = 4, 14, 6
NAMES = 3
NEAR = {"yes": "yes", "no": "no", "open": "not settled"}


def alternatives_lines(summary: Mapping[str, Any], plans: pd.DataFrame, sites: pd.DataFrame) -> list[str]:
    """How far plans near the best differ from it, those that differ most, and what each site is worth.

    Args:
        summary: ``alternatives.json``.
        plans: ``near_plans.csv``.
        sites: ``alternatives.csv``.
    """
    own, other = sites[sites["in_plan"]], sites[~sites["in_plan"]]
    needed = int((own["within"] == "no").sum())
    return [
        f"Plans that cost at most {_crore(summary['margin_inr_per_year'])} a year more than the best, which saves "
        f"{_crore(summary['saving_inr_per_year'])} with {counted(summary['sites'], 'site')}:",
        f"  they do without {_proven(summary['given_up'])} of its sites;",
        f"  {_proven(summary['changed'])} sites close or open in them;",
        f"  {needed} of its sites are in all of them; {counted(summary['unsettled_sites'], 'site')} beside its own may "
        "be in one, all others provably in none",
        "",
        text_table(_plans(plans.head(PLANS))),
        "",
        "What the best plan without a site costs more, ₹ crore a year (those easiest to do without first):",
        text_table(_sites(own.head(SITES))) if len(own) else "  no site is built",
        *([f"  and {counted(len(own) - SITES, 'site')} that cost more"] if len(own) > SITES else []),
        *(["", "What the best plan with another site costs more:", text_table(_sites(other.head(OTHERS)))]
          if len(other) else []),
    ]  # fmt: skip


def _proven(count: Mapping[str, Any]) -> str:
    if count["found"] == count["at_most"]:
        return f"up to {count['found']} (proven)"
    return f"{count['found']}, provably at most {count['at_most']},"


def _plans(plans: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({
        "plan": plans["plan"],
        "changed": plans["changed"],
        "given up": plans["given_up"],
        "costs more": [indian(value / INR_PER_CRORE, 2) for value in plans["more_inr_per_year"]],
        "opens": [_names(value) for value in plans["opens"]],
    })  # fmt: skip


def _sites(sites: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({
        "site": sites["site_id"],
        "at least": [_plain(value) for value in sites["more_low_inr_per_year"]],
        "at most": [_plain(value) for value in sites["more_high_inr_per_year"]],
        "so near": [NEAR[value] for value in sites["within"]],
        "opens": [_names(value) for value in sites["opens"]],
    })  # fmt: skip


def _names(joined: str) -> str:
    names = [name for name in joined.split(";") if name]
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return ", ".join(names[:NAMES]) + more if names else "–"


def _crore(inr: float) -> str:
    return f"₹{indian(inr / INR_PER_CRORE, 1)} crore"


def _plain(inr: float) -> str:
    return "no such plan" if pd.isna(inr) else indian(inr / INR_PER_CRORE, 2)

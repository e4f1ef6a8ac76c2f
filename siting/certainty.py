"""How sure a plan is: what it and its rivals come to over joint draws of the uncertain parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

CORE = 0.9
"""Share of draws from which on a site is core."""
DOUBTFUL = 0.1
"""Share of draws below which a site is doubtful."""
RANGE = (0.05, 0.5, 0.95)
"""Quantiles of the saving that are told as low, median and high."""
SEPARATOR = ";"


@dataclass(frozen=True)
class Certainty:
    """Draws of the uncertain parameters, each with the plan that would be best in it and with the plan as it is.

    Args:
        table: one row per draw, as ``draws.csv``: ``draw``, ``saving_inr_per_year`` and ``capex_inr_crore`` of the plan
            chosen anew, ``own_saving_inr_per_year`` and ``own_benefit_cost_ratio`` of the plan's own sites (NaN where
            it has none), ``sites`` (option ids, joined by semicolons) and a column for every drawn parameter.
    """

    table: pd.DataFrame

    def chosen_share(self, site_id: pd.Series) -> pd.Series:
        """Share of draws in which each site ``type@place`` is chosen, in whatever size."""
        chosen = pd.Series(0, index=site_id.unique(), dtype=np.int64)
        for names in self.table["sites"]:
            sites = {site_of(option) for option in names.split(SEPARATOR) if option}
            chosen[chosen.index.isin(sites)] += 1
        return site_id.map(chosen) / len(self.table)

    @property
    def repaying_share(self) -> float | None:
        """Share of draws in which the plan's own sites are worth their capital; None where nothing is built."""
        ratio = self.table["own_benefit_cost_ratio"]
        return None if ratio.isna().all() else float((ratio >= 1.0).mean())

    def summary(self) -> dict[str, Any]:
        """Entry ``draws`` of ``plan.json``."""
        spread = self.table["own_saving_inr_per_year"].quantile(RANGE)
        anew = self.table["saving_inr_per_year"].quantile(RANGE)
        names = ("low_inr_per_year", "median_inr_per_year", "high_inr_per_year")
        return {
            "n": len(self.table),
            "own_saving": dict(zip(names, spread.tolist(), strict=True)),
            "saving": dict(zip(names, anew.tolist(), strict=True)),
            "repaying_share": self.repaying_share,
        }


def site_of(option_id: str) -> str:
    """``type@place`` of an option ``type-tier@place``.

    >>> site_of("warehouse-small@assam/jorhat")
    'warehouse@assam/jorhat'
    """
    kind, _, place = option_id.partition("@")
    return f"{kind.rpartition('-')[0]}@{place}"


def word_of(share: float) -> str:
    """What a share of draws makes a site: core, doubtful, or neither."""
    return "core" if share >= CORE else "doubtful" if share < DOUBTFUL else ""

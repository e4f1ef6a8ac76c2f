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
    """Draws of the uncertain parameters, each with the plan as it is and, where asked, with the best plan in it.

    Args:
        table: one row per draw, as ``draws.csv``: ``draw``, ``own_saving_inr_per_year`` and ``own_benefit_cost_ratio``
            of the plan's own sites (NaN where it has none), ``repaying`` (option ids of those that recover their own
            capital, joined by semicolons); where sites were chosen anew in each draw, else empty,
            ``saving_inr_per_year``, ``capex_inr_crore`` and ``sites`` (option ids) of the best plan; and a column for
            every drawn parameter.
    """

    table: pd.DataFrame

    @property
    def chosen_anew(self) -> bool:
        """Whether sites were chosen anew in each draw."""
        return bool(self.table["sites"].notna().all())

    def repays_share(self, option_id: pd.Series) -> pd.Series:
        """Share of draws in which each option of the plan recovers its own capital."""
        repaying = [set(names.split(SEPARATOR)) for names in self.table["repaying"]]
        return option_id.map(lambda name: sum(name in names for names in repaying) / len(repaying)).astype(float)

    def chosen_share(self, site_id: pd.Series) -> pd.Series:
        """Share of draws in which each site ``type@place`` is chosen, in whatever size; NaN where none are chosen."""
        if not self.chosen_anew:
            return pd.Series(np.nan, index=site_id.index)
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
        return {
            "n": len(self.table),
            "own_saving": _spread(self.table["own_saving_inr_per_year"]),
            "saving": _spread(self.table["saving_inr_per_year"]) if self.chosen_anew else None,
            "repaying_share": self.repaying_share,
        }


def _spread(saving: pd.Series) -> dict[str, float]:
    names = ("low_inr_per_year", "median_inr_per_year", "high_inr_per_year")
    return dict(zip(names, saving.quantile(RANGE).tolist(), strict=True))


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

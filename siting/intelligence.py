"""What is told of districts as export hubs beside a plan; :mod:`siting.districts.intelligence` works it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

COLUMNS = (
    "connectivity_index", "lift_measure", "lift_inr_crore", "benchmark_low_usd", "benchmark_usd", "benchmark_high_usd",
    "nearest_sectors",
)  # fmt: skip
"""What ``districts.csv`` tells of it."""


@dataclass(frozen=True)
class Intelligence:
    """Districts of a plan as export hubs.

    Args:
        table: in the order of the pack, indexed by district_id: ``state``, ``district``, ``under_utilised``,
            ``export_usd`` (NaN where counted with another) and `COLUMNS`.
        figures: by name: ``gini``, ``hhi``, ``theil``, ``theil_within``; ``reference_inr_per_t``, ``adequate_km``,
            ``share_below``.
        below_by_km: share of districts below the index of 100 if the adequate place stood at other distances, km.
        paper: result of :func:`siting.districts.paper.paper_tested`; None where the paper is of another area.
    """

    table: pd.DataFrame
    figures: Mapping[str, float]
    below_by_km: Mapping[float, float]
    paper: pd.DataFrame | None

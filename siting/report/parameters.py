"""Parameters in the report: their values and sources, and what the saving owes to each."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

import pandas as pd

from siting.plan import Plan
from siting.report.charts import tornado_chart
from siting.report.formats import records

TORNADO_BARS = 14


def depends_on(
    table: pd.DataFrame | None, break_even_inr_per_year: float, anew: pd.DataFrame | None = None
) -> dict[str, Any] | None:
    """Tornado chart and rows of the one-at-a-time table, with the sentences that sum it up; None without a table.

    Args:
        anew: of :func:`siting.scenarios.tornado.tornado_table`, where it was asked for.
    """
    if table is None or table.empty:
        return None
    # The discount rate does not enter the saving, so its row holds the saving at the base values as worked out there.
    base = float(table.loc[table["key"] == "discount_rate", "saving_low"].iloc[0])
    even = break_even_inr_per_year
    table = _with_chosen_anew(table, anew)
    shown = table.head(TORNADO_BARS)
    savings, ratios = (
        table[["saving_low", "saving_high"]].to_numpy(),
        table[["ratio_low", "ratio_high"]].to_numpy(),
    )
    matters = (table["swing"] > 1e-6 * abs(base)) | (ratios[:, 0] != ratios[:, 1])
    rows = records(table.assign(name=table["key"].map(plain_name)))
    part_load = next(k for k, row in enumerate(rows) if row["key"].startswith("part_load"))
    return {
        "chart": tornado_chart(shown, base, even, [plain_name(key) for key in shown["key"]]),
        "rows": [row for row, counts in zip(rows, matters, strict=True) if counts],
        "base": base,
        "savings": (float(savings.min()), float(savings.max())),
        "ratios": (float(ratios.min()), float(ratios.max())),
        "below_one": [row["name"] for row in rows if min(row["ratio_low"], row["ratio_high"]) < 1],
        "anew": bool(table["anew_low"].notna().any() or table["anew_high"].notna().any()),
        "part_load_rank": part_load + 1,
        "part_load": rows[part_load],
    }


def _with_chosen_anew(table: pd.DataFrame, anew: pd.DataFrame | None) -> pd.DataFrame:
    """The table with ``anew_low`` and ``anew_high``, the saving of sites chosen anew; NaN where none were."""
    for end in ("low", "high"):
        at = None if anew is None else anew[anew["end"] == end].set_index("key")["saving_inr_per_year"]
        table = table.assign(**{f"anew_{end}": float("nan") if at is None else table["key"].map(at)})
    return table


_UNIT_WORDS = (
    (r" capex inr .*$", " capital cost"), (r" inr crore per .*$", " cost"), (r" inr per t km$", " rate"),
    (r" inr per .*$", " cost"), (r" half t per day$", " half-share tonnage"), (r" g per t km$", ""),
    (r" km h$", ""), (r" km per day$", " distance a day"), (r" t per .*$", " tonnage"), (r" t$", ""),
    (r" h$", " hours"), (r" per day$", ""), (r" km$", " distance"), (r" m2 per .*$", " floor per acre"),
    (r" m2$", " size"),
    (r" acre$", " size"), (r" fraction per year$", ""), (r" per year$", ""), (r" usd$", ""),
)  # fmt: skip
_SPELLING = {
    "mmlp": "MMLP",
    "dfc": "dedicated freight corridor",
    "om": "upkeep",
    "fx": "exchange rate",
    "teu": "TEU",
}


def plain_name(key: str) -> str:
    """Parameter key as words, unit left off: ``light_truck_inr_per_t_km`` -> ``Light truck``."""
    words = key.replace("_", " ")
    for pattern, replacement in _UNIT_WORDS:
        shorter = re.sub(pattern, replacement, words)
        if shorter != words:
            words = shorter
            break
    words = " ".join(_SPELLING.get(word, word) for word in words.split())
    return words[:1].upper() + words[1:]


def parameter_rows(plan: Plan) -> list[dict[str, Any]]:
    """Parameters of a plan with their ranges and sources."""
    parameters = plan.model.parameters
    return [
        {
            **asdict(row),
            "bundled": row.value,
            "value": parameters[key],
            "changed": key in parameters.overrides,
        }
        for key, row in parameters.rows.items()
    ]

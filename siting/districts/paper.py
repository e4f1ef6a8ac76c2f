"""Every figure of the paper beside what data say of it: a table that is reckoned, not written.

Yadav, *The Role of Districts as Export Hubs*. What it claims stands in ``paper.csv``; what data say is found here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from geodata.exports import concentration
from geodata.facts import DistrictFacts
from siting.districts.claims import paper_claims
from siting.districts.concentration import top_share
from siting.districts.connectivity import Connectivity, cost_by_gateway
from siting.districts.ground import Ground
from siting.districts.lifts import Measure

NEAR = 0.1  # relative difference within which figures are said to agree
PLACES = {  # what the paper calls a district is one or two of the official ones
    "surat": ("gujarat/surat",),
    "mumbai": ("maharashtra/mumbai-city", "maharashtra/mumbai-suburban"),
    "moradabad": ("uttar-pradesh/moradabad",),
    "tiruppur": ("tamil-nadu/tiruppur",),
    "rajkot": ("gujarat/rajkot",),
}
STATES = ("Maharashtra", "Gujarat", "Tamil Nadu", "Karnataka")


def paper_tested(
    facts: DistrictFacts,
    leaders: int,
    history: pd.DataFrame,
    inr_per_usd: float,
    fiscal_year: int,
    logistics: dict[str, float],
) -> pd.DataFrame:
    """Put what data say beside each claim of the paper.

    Args:
        facts: districts of the area the paper is of.
        leaders: districts that make the first part of exports.
        history: exports of earlier periods, as from ``Pack.export_history``.
        inr_per_usd: rate of exchange of the export table's year.
        fiscal_year: that year, by the one it ends in.
        logistics: result of `of_logistics`.

    Returns:
        A row for each claim: ``key``, ``claim``, ``paper``, ``unit``, ``here`` (NaN where nothing tests it), ``data``,
        ``verdict`` (agrees, higher, lower, not testable), ``remark``.
    """
    table = paper_claims()
    found: dict[str, float | None] = {
        **_of_exports(facts, leaders),
        **_growth(facts, history, inr_per_usd, fiscal_year),
        **logistics,
    }
    here = [found.get(key) if data else None for key, data in zip(table["key"], table["data"], strict=True)]
    table.insert(4, "here", np.array([np.nan if value is None else value for value in here], float))
    table["verdict"] = [_verdict(*row) for row in zip(table["paper"], table["here"], strict=True)]
    return table


def with_plan(table: pd.DataFrame, hub_cost_cut: float | None) -> pd.DataFrame:
    """The table with the claim that a plan tests: ``served_cost_cut`` of the plan."""
    table, row = table.copy(), table["key"] == "hub_cost_cut"
    table.loc[row, "here"] = np.nan if hub_cost_cut is None else hub_cost_cut
    table["verdict"] = [_verdict(*row) for row in zip(table["paper"], table["here"], strict=True)]
    return table


def _verdict(paper: float, here: float) -> str:
    if not np.isfinite(here):
        return "not testable"
    if abs(here - paper) <= NEAR * abs(paper):
        return "agrees"
    return "higher" if here > paper else "lower"


def _of_exports(facts: DistrictFacts, leaders: int) -> dict[str, float]:
    usd, total = facts.usd, float(facts.usd.sum())
    shares = {key: float(usd.reindex(ids).sum()) / total if total else np.nan for key, ids in PLACES.items()}
    by_state = (usd.groupby(facts.table["state"]).sum()).add(facts.unplaced_usd, fill_value=0.0)
    return {
        "districts_for_50": float(concentration(usd, 0.5)),
        "districts_for_75": float(concentration(usd, 0.75)),
        "under_utilised": float(len(usd) - leaders),
        "top_2_percent": top_share(usd, int(0.02 * len(usd))),
        "top_10": top_share(usd, 10),
        "top_100": top_share(usd, 100),
        **{f"share_{key}": value for key, value in shares.items()},
        "top_states": float(by_state.nlargest(len(STATES)).index.isin(STATES).sum()),
    }


def _growth(facts: DistrictFacts, history: pd.DataFrame, inr_per_usd: float, fiscal_year: int) -> dict[str, float]:
    """Growth a year from the earliest part of a year that is known, taken as the whole, to the export table."""
    found = {}
    for key, ids in PLACES.items():
        own = history[history["district_id"].isin(ids) & history["unit"].isin(("usd_million", "inr_crore"))]
        own = own[own["fiscal_year"] < fiscal_year]
        if own.empty or own["district_id"].nunique() < len(ids):
            continue
        first = own[(own["fiscal_year"] == own["fiscal_year"].min())].drop_duplicates("district_id")
        usd = float(facts.usd.reindex(ids).sum())
        then = float((first["value"] * 12.0 / first["months"]).sum())
        now = usd / 1e6 if (first["unit"] == "usd_million").all() else usd * inr_per_usd / 1e7
        years = fiscal_year - int(first["fiscal_year"].iloc[0])
        if then > 0 and now > 0:
            found[f"growth_{key}"] = (now / then) ** (1.0 / years) - 1.0
    return found


def of_logistics(ground: Ground, found: Connectivity, measures: list[Measure]) -> dict[str, float]:
    """What the lanes of the reference tonne say of the paper's claims on cost and delay, means over districts."""
    table = found.table
    pricer, costs = ground.reference_pricer, ground.reference_costs
    full = cost_by_gateway(costs, 0.0).min(axis=(1, 2))
    with_warehouse = next(m for m in measures if m.key == "warehouse").inr_per_t
    reached = np.isfinite(full) & np.isfinite(with_warehouse) & (found.part_share > 0)
    full_part = (1.0 - found.part_share) * np.where(reached, full, 0.0)
    today, then = (np.where(reached, cost, 1.0) - full_part for cost in (table["inr_per_t"].to_numpy(), with_warehouse))
    by_rail = (table["mode"] == "rail").to_numpy()
    road, rail = table["road_inr_per_t"].to_numpy(), table["rail_inr_per_t"].to_numpy()
    dwell = dict(zip(ground.pack.gateways["name"], ground.pack.gateways["export_dwell_h"], strict=True))
    wait = table["road_gateway"].map(dwell).to_numpy(np.float64)
    hours = table["road_hours"].to_numpy()
    least = float(np.min(pricer.conditions.gateway_dwell_h))
    return {
        "no_port_access": found.share_below,
        "warehouse_shortage": _mean(today / then - 1.0, reached),
        "weak_connectivity": _mean(road / rail - 1.0, by_rail & np.isfinite(road)),
        "port_congestion": _mean((wait - least) / (hours - (wait - least)), np.isfinite(hours)),
        "no_multimodal": _mean(hours / np.fmin(hours, table["rail_hours"].to_numpy()) - 1.0, np.isfinite(hours)),
    }


def _mean(values: np.ndarray, where: np.ndarray) -> float:
    return float(values[where].mean()) if where.any() else np.nan


Words = Callable[[float], str]


def paper_text(table: pd.DataFrame) -> list[str]:
    """The table as lines of a screen."""
    lines = [f"{'':<66}{'paper':>9}{'here':>9}"]
    for row in table.to_dict("records"):
        words = figure_words(str(row["unit"]))
        here = words(row["here"]) if np.isfinite(row["here"]) else "–"
        lines.append(f"{row['claim']:<66}{words(row['paper']):>9}{here:>9}  {row['verdict']}")
    return lines


def figure_words(unit: str) -> Words:
    """How a figure of this unit is written."""
    per_cent = unit.startswith("share")
    return (lambda x: f"{100 * x:.1f}".removesuffix(".0") + " %") if per_cent else (lambda x: f"{x:.0f}")

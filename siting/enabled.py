"""Exports that cheaper ways could enable: beside the plan, never in its objective.

What a plan saves per tonne is a cut of the price at which a district's goods reach the port. Were supply to follow,
exports of sector s of district d would grow by

    dX_ds = e t_ds X_ds,   t_ds = saving_dc / V_s,                                                          (95)

with e the elasticity of exports to costs in proportion to value, V_s what a tonne of the sector is worth, saving_dc
what a tonne of the district's cargo of the sector's class c saves on the mean of its full and part loads (money, time
and taste), and X_ds what leaves by sea. New exports gain on the mean half of what old ones do, so that their worth is

    W_ds = t_ds dX_ds / 2                                                                                   (96)

(rule of a half). This is what could be, at most: no factory is built by a warehouse.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.exports import HUB_CLASSES, VALUE_SUFFIX
from siting.plan import Plan


def enabled_exports(plan: Plan) -> pd.DataFrame:
    """Exports that a plan could enable.

    Returns:
        A row for each district and sector that saves anything, the largest first: ``district_id``, ``state``,
        ``district``, ``sector``, ``export_usd`` (by sea, in cargo that hubs serve), ``cost_cut`` (of its value),
        ``enabled_usd`` (95) and ``welfare_inr`` (96), both a year.
    """
    model, demand = plan.model, plan.model.demand
    fx, elasticity = model.parameters["fx_inr_per_usd"], model.parameters["export_elasticity"]
    exports = model.pack.exports.set_index("district_id").reindex(demand["district_id"])
    named = demand[["district_id", "state", "district"]]
    found = []
    for cargo_class in HUB_CLASSES:
        saving = _saving_inr_per_t(plan, cargo_class)
        sectors = model.pack.sectors[model.pack.sectors["cargo_class"] == cargo_class]
        surface = 1.0 - sectors["air_share_of_value"].to_numpy(np.float64)
        usd = exports[[f"{sector}{VALUE_SUFFIX}" for sector in sectors.index]].to_numpy(np.float64) * 1e6 * surface
        usd = np.nan_to_num(usd)
        whole, by_sea = usd.sum(axis=1), demand[f"{cargo_class}_usd"].to_numpy(np.float64)
        usd *= np.divide(by_sea, whole, out=np.zeros_like(whole), where=whole > 0)[:, None]
        cut = saving[:, None] / (sectors["value_usd_per_t"].to_numpy(np.float64) * fx)
        row, column = np.nonzero((cut > 0) & (usd > 0))
        found.append(
            named.iloc[row].assign(
                sector=sectors.index.to_numpy()[column], export_usd=usd[row, column], cost_cut=cut[row, column]
            )
        )
    table = pd.concat(found, ignore_index=True)
    table["enabled_usd"] = elasticity * table["cost_cut"] * table["export_usd"]  # (95)
    table["welfare_inr"] = 0.5 * table["cost_cut"] * table["enabled_usd"] * fx  # (96)
    order = ["enabled_usd", "district_id", "sector"]
    return table.sort_values(order, ascending=[False, True, True], ignore_index=True)


def enabled_totals(plan: Plan) -> dict[str, float]:
    """Entry ``enabled`` of ``plan.json``."""
    table = enabled_exports(plan)
    return {
        "exports_usd_per_year": float(table["enabled_usd"].sum()),
        "welfare_inr_per_year": float(table["welfare_inr"].sum()),
    }


def _saving_inr_per_t(plan: Plan, cargo_class: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(n_districts,) what a tonne of the class saves, on the mean of all that can reach a gateway."""
    table = plan.client_table
    saved = table["cost_inr_per_t_before"] - table["cost_inr_per_t_after"]
    saved = saved + table["taste_inr_per_t_before"] - table["taste_inr_per_t_after"]
    rows = ((table["cargo_class"] == cargo_class) & saved.notna()).to_numpy()
    district, tonnes = table["district"].to_numpy()[rows], table["tonnes_per_year"].to_numpy(np.float64)[rows]
    n = len(plan.model.demand)
    total, carried = np.bincount(district, tonnes * saved.to_numpy()[rows], n), np.bincount(district, tonnes, n)
    return np.divide(total, carried, out=np.zeros(n), where=carried > 0)

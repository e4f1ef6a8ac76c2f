"""What a reader of the report should know of road and rail before believing the distances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from geodata.network import network_report
from siting.plan import Plan
from siting.report.formats import records

FAR_SNAP_KM = 10.0


def _repairs(repairs: pd.DataFrame) -> list[dict[str, Any]]:
    """Repairs by kind; links made by hand, which each have a name, as one kind."""
    kind = repairs["repair"].where(~repairs["repair"].str.startswith("link:"), "link made by hand")
    return records(repairs.groupby(kind)[["edges", "km"]].sum().reset_index())


def running(plan: Plan) -> dict[str, float] | None:
    """Median hours on the road from a district to its nearest port, priced and running; None without truck speeds."""
    places = plan.model.places
    if places.road_run_h is None:
        return None
    priced_h = places.road_km[np.ix_(places.districts, places.gateways)] * 24 / plan.model.parameters["road_km_per_day"]
    run_h = places.road_run_h[places.districts]
    reached = np.isfinite(priced_h).any(axis=1) & np.isfinite(run_h).any(axis=1)
    if not reached.any():
        return None
    return {
        "priced_h": float(np.median(np.nanmin(priced_h[reached], axis=1))),
        "run_h": float(np.median(np.nanmin(run_h[reached], axis=1))),
    }


def networks(plan: Plan) -> list[dict[str, Any]]:
    """What a reader should know of road and rail before believing the distances."""
    table = plan.model.places.table
    terminals = table[table["kind"].isin(["depot", "gateway"]) & table["rail_access_km"].notna()]
    reports = []
    for name, network, points in (
        ("Road", plan.model.pack.road, table),
        ("Rail", plan.model.pack.rail, terminals),
    ):
        report = network_report(network, points["name"].tolist(), points["lon"], points["lat"], FAR_SNAP_KM)
        far = report.far_snaps
        reports.append({
            "name": name,
            "nodes": report.n_nodes,
            "edges": report.n_edges,
            "km": report.length_km,
            "by_class": sorted(report.length_km_by_class.items(), key=lambda item: -item[1]),
            "components": len(report.component_nodes),
            "outside_km": report.outside_main_km,
            "repairs": _repairs(report.repairs),
            "straight": len(report.long_straight_edges),
            "straight_km": float(report.long_straight_edges["km"].sum()),
            "points": len(points),
            "far_limit": FAR_SNAP_KM,
            "far": len(far),
            "farthest": records(far.head(8)),
        })  # fmt: skip
    return reports

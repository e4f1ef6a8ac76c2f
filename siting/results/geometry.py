"""Movements of a plan, and their lines on the networks."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.matrix import path_geometry, shortest_paths
from geodata.network import Network, snap
from siting.model.model import Model
from siting.plan import Plan

CRS = "EPSG:4326"
SEARCH_SLACK_KM = 1.0  # a movement's km cover its way on the network and the access to it


def flow_table(plan: Plan) -> pd.DataFrame:
    """Movements of the lanes through new sites, bundled by mode and by the pair of places."""
    parts, lane = plan.after.parts, plan.after.lane_of_part
    moving = parts["mode"].isin(["road", "rail"]).to_numpy() & plan.after.uses_site[lane]
    moving &= (parts["from"] != parts["to"]).to_numpy()
    flows = parts.assign(tonnes_per_year=plan.after.tonnes[lane])[moving]
    flows = flows.groupby(["mode", "from", "to"], as_index=False).agg(
        km=("km", "first"), tonnes_per_year=("tonnes_per_year", "sum")
    )
    places = plan.model.places.table
    for end in ("from", "to"):
        flows[f"{end}_name"], flows[f"{end}_id"] = (flows[end].map(places[name]) for name in ("name", "place_id"))
    return flows


def flow_ends(plan: Plan) -> pd.DataFrame:
    """Movements as of :func:`flow_table` with the points they join."""
    flows, places = flow_table(plan), plan.model.places.table
    for end in ("from", "to"):
        at = places.iloc[flows[end]]
        flows[f"{end}_lon"], flows[f"{end}_lat"] = at["lon"].to_numpy(), at["lat"].to_numpy()
    return flows


def flow_lines(plan: Plan) -> gpd.GeoDataFrame:
    """Movements as of :func:`flow_table`, drawn on the networks."""
    flows = flow_table(plan)
    lines = pd.Series(index=flows.index, dtype=object)
    for mode, rows in flows.groupby("mode").groups.items():
        movement = flows.loc[rows]
        lines[rows] = movement_lines(plan.model, str(mode), movement["from"], movement["to"], movement["km"])
    return gpd.GeoDataFrame(flows, geometry=lines.tolist(), crs=CRS)


def movement_lines(
    model: Model, mode: str, start: pd.Series[int], end: pd.Series[int], km: pd.Series[float]
) -> list[shapely.LineString]:
    """Lines of movements between places along their network; straight where the network gives no path."""
    table = model.places.table
    network = model.pack.road if mode == "road" else model.pack.rail
    lonlat = table[["lon", "lat"]].to_numpy(np.float64)
    node = table["rail_node"].to_numpy() if mode == "rail" else snap(network, *lonlat.T)[0]
    ways = _ways(network, node[start], node[end], np.asarray(km, np.float64) + SEARCH_SLACK_KM)
    return [
        shapely.LineString(np.vstack([lonlat[a], way, lonlat[b]])) for a, b, way in zip(start, end, ways, strict=True)
    ]


_known_ways: WeakKeyDictionary[Network, dict[tuple[int, int], NDArray[np.float64]]] = WeakKeyDictionary()
"""Points of the shortest paths between nodes that were found: plans of one pack share most of their movements."""


def _ways(
    network: Network, start: NDArray[np.int64], end: NDArray[np.int64], at_most_km: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """(n_points, 2) degrees of the shortest path of each pair of nodes; no points where there is none."""
    known = _known_ways.setdefault(network, {})
    pairs = list(zip(start.tolist(), end.tolist(), strict=True))
    new = [k for k, pair in enumerate(pairs) if pair not in known]
    for k, route in zip(new, shortest_paths(network, start[new], end[new], at_most=at_most_km[new]), strict=True):
        line = None if route is None else path_geometry(network, route)
        if line is not None:
            known[pairs[k]] = shapely.get_coordinates(line)
    return [known.get(pair, np.zeros((0, 2))) for pair in pairs]

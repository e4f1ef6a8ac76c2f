"""Build road.parquet, rail.parquet and network_repairs.csv of the India pack from OSM-derived packages.

Road: scgraph-data ``world_highways`` (nodes to 0.001 degree, edges with km; no class, geometry or one-way).
Rail: @railroute-ts/india ``network.json`` (lines with km, gauge, electrification) and ``stations.json``.
Outline that cargo may not leave: india-basemap ``india-states.geojson``.
All ODbL, (c) OpenStreetMap contributors.

Steps: read, clip to India, cut long lines so that points can snap to them, calibrate lengths, close small gaps,
apply the hand-made table network_links.csv, contract, write. What differs from the source is listed in
network_repairs.csv.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.errors import Fault, InputError
from geodata.make_india.districts import find_file
from geodata.make_india.edges import (
    COORDINATE_DECIMALS,
    Coordinate,
    Edge,
    Repair,
    apply_links,
    close_gaps,
    contract,
    dead_ends,
    split_line,
)
from geodata.matrix import shortest_path
from geodata.network import (
    LONG_STRAIGHT_EDGE_KM,
    FloatArray,
    components,
    great_circle_km,
    load_network,
    snap,
)

EQUAL_AREA_INDIA = "+proj=laea +lat_0=23 +lon_0=82 +datum=WGS84 +units=m"
NEAR_INDIA = (67.0, 5.0, 99.0, 39.0)  # west, south, east, north in degrees; what is read before the exact clip
BORDER_TOLERANCE_KM = 3.0  # the outline and the roads are both simplified; without it coast roads are cut

# Simplified source geometry loses curves: a little in the plain, most of them in the hills, where long straight
# lines stand for winding roads. Chosen on a grid for the least mean error over the "fit" half of the published city
# distances in tests/geodata/city_distances.csv and checked on the other half; the plain factor alone fits best at
# 1.055 there and at 1.045 on the other half. The form of the hill rule was settled looking at both halves, so for
# hill roads the check is weaker.
ROAD_FACTOR = 1.05  # times the source's length
HILL_ROAD_FACTOR = 1.3
HILL_CHORD_KM = 10.0
HILL_CHORD_CIRCUITY = 1.6  # least length over great circle of a hill road drawn as a longer straight line
# Rail lengths need no factor: the median of route over published length is 1.00 as it comes.

HILL_STATES = (
    "Jammu and Kashmir",
    "Ladakh",
    "Himachal Pradesh",
    "Uttarakhand",
    "Sikkim",
    "Arunachal Pradesh",
    "Nagaland",
    "Manipur",
    "Mizoram",
    "Meghalaya",
    "Tripura",
)
# Where the western Himalaya rises from the plain (about 500 m above the sea), from Jammu to Tanakpur: hill states
# reach into the plain west and south of it. Degrees.
HIMALAYAN_FOOT = (
    (73.9, 33.2), (74.9, 32.75), (75.6, 32.35), (76.0, 31.9), (76.5, 31.3), (76.9, 30.88), (77.6, 30.45),
    (78.0, 30.30), (78.35, 29.95), (79.1, 29.42), (79.55, 29.25), (80.2, 29.08),
)  # fmt: skip

ROAD_LONGEST_KM = 8.0
RAIL_LONGEST_KM = 5.0
RAIL_WORKING_KM = 0.3  # finer while gaps are closed, so that a line can be met between its ends

# Stations along the dedicated freight corridors as far as they were open at the end of 2025 (Dedicated
# Freight Corridor Corporation of India): Vaitarna-JNPT is not. The source does not tell freight tracks apart, so the
# shortest way along these stations is marked, which is the freight track or the main line beside it.
DFC_STATIONS = {
    "western": "RE RGS FL MDJN BER MJ FA ABR PNU MSH SAU BRC BH UDN BL GVD VTN",
    "eastern": "SNL UMB SRE MTC KRJ ALJN TDL ETW BPU FTP PRYJ MZP DDU SSM SEB",
}


def build_networks(scgraph: Path, railroute: Path, basemap: Path, out: Path) -> dict[str, Any]:
    """Write road.parquet, rail.parquet and network_repairs.csv into `out` and return figures about them.

    `scgraph`, `railroute` and `basemap` are the unpacked packages; `out` already holds network_links.csv.
    """
    states = gpd.read_file(find_file(basemap, "india-states.geojson"))
    states["geometry"] = states.geometry.make_valid()
    india = _buffered(states.geometry.union_all(), BORDER_TOLERANCE_KM)
    links = pd.read_csv(out / "network_links.csv")
    repairs: list[Repair] = []
    figures = {
        "road": build_road(scgraph, states, india, links[links["network"] == "road"], out, repairs),
        "rail": build_rail(railroute, india, links[links["network"] == "rail"], out, repairs),
    }
    table = pd.DataFrame([asdict(repair) for repair in repairs])
    table = table.round({"from_lon": 5, "from_lat": 5, "to_lon": 5, "to_lat": 5, "km": 3})
    table.to_csv(out / "network_repairs.csv", index=False, lineterminator="\n")
    for name, group in table.groupby("network"):
        kinds = group.groupby("kind")["km"].agg(["size", "sum"])
        figures[str(name)]["repairs"] = {
            kind: {"count": int(row["size"]), "km": round(float(row["sum"]), 1)} for kind, row in kinds.iterrows()
        }
    return figures


def build_road(
    scgraph: Path,
    states: gpd.GeoDataFrame,
    india: shapely.Geometry,
    links: pd.DataFrame,
    out: Path,
    repairs: list[Repair],
) -> dict[str, Any]:
    """Road network; returns its figures and appends to `repairs`."""
    lines, km = read_roads(find_file(scgraph, "world_highways.py"))
    shapely.prepare(india)
    ends_inside = shapely.contains_xy(india, lines[:, :, 0], lines[:, :, 1]).all(axis=1)
    lines, km = lines[ends_inside], km[ends_inside]
    crosses = ~shapely.covers(india, shapely.linestrings(lines))
    for line, length in zip(lines[crosses], km[crosses], strict=True):
        repairs.append(Repair.of("road", line, length, "dropped", "leaves India between its ends"))
    lines, km = lines[~crosses], km[~crosses]
    raw_km = float(km.sum())

    chord_km = great_circle_km(lines[:, 0, 0], lines[:, 0, 1], lines[:, 1, 0], lines[:, 1, 1])
    hills = hill_area(states)
    edges: list[Edge] = []
    for line, length, chord in zip(lines, km, chord_km, strict=True):
        if length > LONG_STRAIGHT_EDGE_KM:
            repairs.append(Repair.of("road", line, length, "split", "long straight line in the source"))
        pieces = split_line(line, length * ROAD_FACTOR, ROAD_LONGEST_KM)
        hill_km = length * HILL_ROAD_FACTOR
        if chord > HILL_CHORD_KM:
            hill_km = max(hill_km, chord * HILL_CHORD_CIRCUITY)
        for piece, part in pieces:
            if shapely.contains_xy(hills, *piece.mean(axis=0)):
                edges.append(Edge(piece, hill_km / len(pieces), "hill", None))
            else:
                edges.append(Edge(piece, part, "plain", None))

    edges += close_gaps(edges, "road", repairs, radius_km=0.3, detour_km=5.0, detour_ratio=5.0)
    # A dead end 2-5 km short of the next road is closed only where the way round is very long.
    for radius_km, detour_km in ((2.0, 8.0), (5.0, 45.0)):
        edges += close_gaps(
            edges,
            "road",
            repairs,
            radius_km=radius_km,
            detour_km=detour_km,
            detour_ratio=8.0,
            candidates=dead_ends(edges),
        )
    edges = apply_links(edges, links, "road", repairs)
    figures = write_network(edges, out / "road.parquet")
    calibration = {
        "plain_factor": ROAD_FACTOR,
        "hill_factor": HILL_ROAD_FACTOR,
        "hill_straight_line_circuity": HILL_CHORD_CIRCUITY,
    }
    return {"raw_km": round(raw_km), "calibration": calibration, **figures}


def build_rail(
    railroute: Path, india: shapely.Geometry, links: pd.DataFrame, out: Path, repairs: list[Repair]
) -> dict[str, Any]:
    """Rail network (broad gauge); returns its figures and appends to `repairs`."""
    source = json.loads(find_file(railroute, "network.json").read_text(encoding="utf-8"))
    shapely.prepare(india)
    edges: list[Edge] = []
    source_ends: set[Coordinate] = set()
    other_gauge_km = raw_km = 0.0
    for feature in source["features"]:
        km = float(feature["properties"]["km"])
        # Metre and narrow gauge lines carry no port traffic and broad gauge wagons cannot run on them.
        if feature["properties"].get("gauge") not in (None, "1676"):
            other_gauge_km += km
            continue
        line = np.array(feature["geometry"]["coordinates"], dtype=float).round(COORDINATE_DECIMALS)
        pieces = [Edge(piece, part, "main", None) for piece, part in split_line(line, km, RAIL_WORKING_KM)]
        inside = np.asarray(shapely.covers(india, shapely.linestrings([piece.line[[0, -1]] for piece in pieces])))
        edges += [piece for piece, keep in zip(pieces, inside, strict=True) if keep]
        raw_km += sum(piece.km for piece, keep in zip(pieces, inside, strict=True) if keep)
        source_ends |= {pieces[0].ends[0], pieces[-1].ends[1]}
    edges += close_gaps(edges, "rail", repairs, radius_km=0.2, detour_km=10.0, detour_ratio=10.0)
    edges += close_gaps(edges, "rail", repairs, radius_km=2.0, detour_km=5.0, detour_ratio=10.0, candidates=source_ends)
    edges = apply_links(edges, links, "rail", repairs)
    edges = contract(edges, RAIL_LONGEST_KM)
    path = out / "rail.parquet"
    write_network(edges, path)
    stations = json.loads(find_file(railroute, "stations.json").read_text(encoding="utf-8"))
    edges = mark_freight_corridors(edges, path, {s["code"]: s["coord"] for s in stations})
    figures = write_network(edges, path)
    return {"raw_km": round(raw_km), "other_gauge_km_left_out": round(other_gauge_km), **figures}


def read_roads(path: Path) -> tuple[FloatArray, FloatArray]:
    """Straight lines (n, 2, 2) lon, lat and lengths in km (n,) of every edge near India, each once.

    The file is Python source with two literals, turned into JSON here: importing it needs an old scgraph, and
    Python's own parser takes gigabytes for it.
    """
    text = path.read_text(encoding="utf-8")
    graph_text = text[text.index("graph=") + len("graph=") : text.index("\nnodes=")]
    nodes_text = text[text.index("\nnodes=") + len("\nnodes=") : text.rindex("\nworld_highways_geograph")]
    nodes = np.array(json.loads(nodes_text), dtype=float)[:, ::-1]
    graph = json.loads(re.sub(r"(\d+):", r'"\1":', graph_text))
    west, south, east, north = NEAR_INDIA
    lon, lat = nodes.T
    near = (lon > west) & (lon < east) & (lat > south) & (lat < north)
    arcs = np.array(
        [(i, int(j), km) for i in np.flatnonzero(near) for j, km in graph[i].items() if i < int(j) and near[int(j)]]
    )
    i, j = arcs[:, 0].astype(int), arcs[:, 1].astype(int)
    lines = np.stack([nodes[i], nodes[j]], axis=1)
    apart = (lines[:, 0] != lines[:, 1]).any(axis=1)  # nodes are rounded: some edges have become points
    return lines[apart], arcs[apart, 2]


def hill_area(states: gpd.GeoDataFrame) -> shapely.Geometry:
    """Where roads wind: the Himalayan and north-eastern hill states without their part of the plain."""
    area = states.loc[states["State_Name"].isin(HILL_STATES), "geometry"].union_all()
    plain = shapely.Polygon([*HIMALAYAN_FOOT, (80.2, 28.0), (73.0, 28.0), (73.0, 33.2)])
    hills: shapely.Geometry = area.difference(plain)
    shapely.prepare(hills)
    return hills


def mark_freight_corridors(edges: list[Edge], path: Path, station: dict[str, list[float]]) -> list[Edge]:
    """Give class "dfc" to the shortest way along the stations of each dedicated freight corridor.

    `path` holds the same edges in the same order.
    """
    network = load_network(path)
    missing = sorted({code for codes in DFC_STATIONS.values() for code in codes.split()} - station.keys())
    if missing:
        raise InputError(Fault(f"no station {', '.join(missing)}", "mend DFC_STATIONS", "stations.json"))
    on_corridor: set[int] = set()
    for codes in DFC_STATIONS.values():
        nodes, _ = snap(network, *np.array([station[code] for code in codes.split()]).T)
        for a, b in pairwise(nodes.tolist()):
            route = shortest_path(network, a, b)
            on_corridor.update(() if route is None else route.edges.tolist())
    return [edge._replace(edge_class="dfc") if k in on_corridor else edge for k, edge in enumerate(edges)]


def write_network(edges: list[Edge], path: Path) -> dict[str, Any]:
    """Number the nodes, write GeoParquet and return figures.

    Lengths become whole metres, never below the great circle of the ends.
    """
    ends = np.array([end for edge in edges for end in edge.ends])
    nodes, number = np.unique(ends, axis=0, return_inverse=True)
    number = number.reshape(-1, 2)
    a, b = nodes[number[:, 0]], nodes[number[:, 1]]
    straight = great_circle_km(a[:, 0], a[:, 1], b[:, 0], b[:, 1])
    km = np.ceil(np.maximum([edge.km for edge in edges], straight) * 1000) / 1000
    table = gpd.GeoDataFrame(
        {
            "from_node": number[:, 0].astype(np.int32),
            "to_node": number[:, 1].astype(np.int32),
            "km": km,
            "edge_class": [edge.edge_class for edge in edges],
            "repair": pd.array([edge.repair for edge in edges], dtype="string"),
        },
        geometry=shapely.from_wkb(
            shapely.to_wkb([shapely.LineString(edge.line) for edge in edges], output_dimension=2)
        ),
        crs="EPSG:4326",
    )
    table.to_parquet(path, compression="zstd", index=False)
    network = load_network(path)
    label = components(network)
    return {
        "km": round(float(km.sum())),
        "km_by_class": {
            str(key): round(float(value)) for key, value in table.groupby("edge_class")["km"].sum().items()
        },
        "nodes": network.n_nodes,
        "edges": network.n_edges,
        "components": int(label.max()) + 1,
        "km_outside_main_component": round(float(km[label[network.edge_from] != 0].sum())),
    }


def _buffered(area: shapely.Geometry, km: float) -> shapely.Geometry:
    metres = gpd.GeoSeries([area], crs="EPSG:4326").to_crs(EQUAL_AREA_INDIA).buffer(1000 * km)
    buffered: shapely.Geometry = metres.to_crs("EPSG:4326").iloc[0]
    return buffered

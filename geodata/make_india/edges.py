"""Edges of a network under construction: cut, joined where ends nearly meet, linked by hand, contracted."""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import KDTree

from geodata.errors import Fault, InputError
from geodata.network import EARTH_RADIUS_KM, FloatArray, great_circle_km, unit_xyz

COORDINATE_DECIMALS = 5  # about 1 m
DRAWING_TOLERANCE_DEG = 0.0003  # about 30 m; lengths are taken before
Coordinate = tuple[float, float]


class Edge(NamedTuple):
    """One edge under construction; its nodes are the ends of its line, known by their coordinates."""

    line: FloatArray  # (n, 2) lon, lat
    km: float
    edge_class: str
    repair: str | None

    @property
    def ends(self) -> tuple[Coordinate, Coordinate]:
        return (float(self.line[0, 0]), float(self.line[0, 1])), (
            float(self.line[-1, 0]),
            float(self.line[-1, 1]),
        )


@dataclass(frozen=True)
class Repair:
    """One row of network_repairs.csv: what was changed against the source."""

    network: str
    from_lon: float
    from_lat: float
    to_lon: float
    to_lat: float
    km: float
    kind: str
    reason: str

    @classmethod
    def of(cls, network: str, line: FloatArray, km: float, kind: str, reason: str) -> Self:
        """What was done between the ends of a line."""
        (from_lon, from_lat), (to_lon, to_lat) = line[0], line[-1]
        return cls(network, float(from_lon), float(from_lat), float(to_lon), float(to_lat), float(km), kind, reason)


def split_line(line: FloatArray, km: float, longest_km: float) -> list[tuple[FloatArray, float]]:
    """Cut a line of (n, 2) degrees into equal pieces of at most `longest_km`, each with its share of `km`."""
    steps = great_circle_km(line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1])
    pieces = int(np.ceil(max(km, float(steps.sum())) / longest_km))
    if pieces <= 1:
        return [(line, km)]
    along = np.concatenate([[0.0], np.cumsum(steps)])
    cuts = np.linspace(0.0, along[-1], pieces + 1)
    cut_points = np.column_stack([np.interp(cuts, along, line[:, k]) for k in (0, 1)]).round(COORDINATE_DECIMALS)
    result = []
    for i in range(pieces):
        inner = line[(along > cuts[i] + 1e-3) & (along < cuts[i + 1] - 1e-3)]
        result.append((np.concatenate([cut_points[i : i + 1], inner, cut_points[i + 1 : i + 2]]), km / pieces))
    return result


def close_gaps(
    edges: list[Edge],
    network: str,
    repairs: list[Repair],
    *,
    radius_km: float,
    detour_km: float,
    detour_ratio: float,
    candidates: set[Coordinate] | None = None,
) -> list[Edge]:
    """New edges between nodes that lie within `radius_km` but are far apart, or cut off, over the network.

    Shortest gaps first, and a gap is closed only if the way round is longer than both `detour_km` and
    `detour_ratio` times the gap, as in a greedy spanner (Althoefer et al. 1993). At least one end must be among
    `candidates`.
    """
    number: dict[Coordinate, int] = {}
    neighbours: dict[int, dict[int, float]] = defaultdict(dict)
    for edge in edges:
        i, j = (number.setdefault(end, len(number)) for end in edge.ends)
        neighbours[i][j] = neighbours[j][i] = min(edge.km, neighbours[i].get(j, np.inf))
    points = np.array(list(number))
    pairs = KDTree(unit_xyz(points[:, 0], points[:, 1])).query_pairs(
        2 * np.sin(radius_km / EARTH_RADIUS_KM / 2), output_type="ndarray"
    )
    if candidates is not None:
        chosen = np.array([point in candidates for point in number])
        pairs = pairs[chosen[pairs].any(axis=1)]
    a, b = points[pairs[:, 0]], points[pairs[:, 1]]
    gap = great_circle_km(a[:, 0], a[:, 1], b[:, 0], b[:, 1])
    class_at = _class_at(edges)
    reason = f"gap closed: ends within {radius_km:g} km"
    added = []
    for k in np.lexsort((pairs[:, 1], pairs[:, 0], gap)):
        i, j = int(pairs[k, 0]), int(pairs[k, 1])
        if _within(neighbours, i, j, max(detour_km, detour_ratio * gap[k])):
            continue
        neighbours[i][j] = neighbours[j][i] = float(gap[k])
        line = points[[i, j]]
        added.append(Edge(line, float(gap[k]), class_at[tuple(line[0].tolist())], reason))
        repairs.append(Repair.of(network, line, gap[k], "gap", reason))
    return added


def _within(neighbours: dict[int, dict[int, float]], source: int, target: int, limit: float) -> bool:
    """Whether a path of at most `limit` leads from source to target (Dijkstra that gives up at the limit)."""
    best = {source: 0.0}
    queue = [(0.0, source)]
    while queue:
        distance, node = heapq.heappop(queue)
        if node == target:
            return True
        if distance > best[node]:
            continue
        for neighbour, km in neighbours[node].items():
            further = distance + km
            if further <= limit and further < best.get(neighbour, np.inf):
                best[neighbour] = further
                heapq.heappush(queue, (further, neighbour))
    return False


def _class_at(edges: list[Edge]) -> dict[Coordinate, str]:
    """Class of an edge at each node, which new edges there inherit."""
    return {end: edge.edge_class for edge in edges for end in edge.ends}


def dead_ends(edges: list[Edge]) -> set[Coordinate]:
    """Nodes with one edge."""
    degree: dict[Coordinate, int] = defaultdict(int)
    for edge in edges:
        for end in edge.ends:
            degree[end] += 1
    return {end for end, count in degree.items() if count == 1}


def apply_links(edges: list[Edge], links: pd.DataFrame, network: str, repairs: list[Repair]) -> list[Edge]:
    """Add the hand-made links between the nodes nearest to their ends.

    Raises InputError if no node is within 3 km of an end.
    """
    class_at = _class_at(edges)
    nodes = np.array(sorted(class_at))
    problems = []
    result = list(edges)
    for row in links.to_dict("records"):
        line = []
        for lon, lat in ((row["from_lon"], row["from_lat"]), (row["to_lon"], row["to_lat"])):
            distance = great_circle_km(lon, lat, nodes[:, 0], nodes[:, 1])
            line.append(nodes[distance.argmin()])
            if distance.min() > 3.0:
                problems.append(
                    Fault(
                        f"{row['name']}: no {network} node within 3 km of {lon}, {lat}",
                        "move the end",
                        "network_links.csv",
                    )
                )
        ends = np.array(line)
        result.append(Edge(ends, float(row["km"]), class_at[tuple(ends[0].tolist())], f"link: {row['name']}"))
        repairs.append(Repair.of(network, ends, row["km"], "link", f"{row['name']}: {row['reason']}"))
    if problems:
        raise InputError(problems)
    return result


def contract(edges: list[Edge], longest_km: float) -> list[Edge]:
    """Merge edges that meet at a node of two edges of the same kind, up to `longest_km`."""
    alive = dict(enumerate(edges))
    at_node: dict[Coordinate, set[int]] = defaultdict(set)
    for k, edge in alive.items():
        for end in edge.ends:
            at_node[end].add(k)
    for node, ids in list(at_node.items()):
        if len(ids) != 2:
            continue
        (i, a), (j, b) = ((k, alive[k]) for k in sorted(ids))
        if (a.edge_class, a.repair) != (b.edge_class, b.repair) or a.km + b.km > longest_km:
            continue
        first = a.line if a.ends[1] == node else a.line[::-1]
        second = b.line if b.ends[0] == node else b.line[::-1]
        if (first[0] == second[-1]).all():  # would become a loop
            continue
        merged = Edge(np.concatenate([first, second[1:]]), a.km + b.km, a.edge_class, a.repair)
        alive[i] = merged
        del alive[j], at_node[node]
        for end in merged.ends:
            at_node[end] -= {j}
            at_node[end].add(i)
    return [edge._replace(line=_simplified(edge.line)) for edge in alive.values()]


def _simplified(line: FloatArray) -> FloatArray:
    simple = shapely.simplify(shapely.LineString(line), DRAWING_TOLERANCE_DEG)
    points: FloatArray = shapely.get_coordinates(simple)
    return points

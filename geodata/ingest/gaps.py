"""Closing small gaps of a network under construction, each of them listed."""

from __future__ import annotations

import heapq

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.ingest.contraction import KM_PER_DEGREE, BoolArray, Pieces, attach, nearby
from geodata.network import FloatArray, IntArray

DETOUR_KM, DETOUR_RATIO = 5.0, 10.0
HEADING_KM = 0.1  # the direction of a track is that of so much of it
BESIDE_KM = 0.03  # a switch or a slip of drawing moves a track sideways by less
RUNS_ON_COSINE = np.cos(np.radians(45))  # no train takes a sharper turn
PLATFORM_KM = 1.0  # a track beside another that ends so soon is one of a terminus
REPAIR_COLUMNS = ["from_lon", "from_lat", "to_lon", "to_lat", "km", "reason"]


def gap_reason(limit_km: float) -> str:
    """What a closed gap is called in the network and in the list of repairs."""
    return f"gap closed: dead end within {limit_km * 1000:g} m of a line"


def close_gaps(pieces: Pieces, limit_km: float, run_on: bool = False) -> tuple[Pieces, pd.DataFrame]:
    """Join every dead end to the nearest line within the limit, if the way round is long or there is none.

    With ``run_on`` only where a train could go on over the gap and along the line without turning back: the tracks
    of a terminus end beside each other or before a line that crosses, and are no way through.

    Long: more than both DETOUR_KM and DETOUR_RATIO times the gap, as in a greedy spanner (Althoefer et al. 1993),
    regardless of one-ways. Whether a line passes over a bridge is not looked at, so keep the limit small. Returns
    the pieces and a table of repairs with the columns REPAIR_COLUMNS.
    """
    dead_ends = np.flatnonzero(pieces.degree() == 1)
    node, target, gap_km, share = nearby(pieces, dead_ends, np.arange(pieces.n), limit_km)
    if run_on:
        possible = _runs_on(pieces, node, target, share)
        node, target, gap_km, share = node[possible], target[possible], gap_km[possible], share[possible]
    neighbours = _Neighbours(pieces)
    chosen: dict[int, int] = {}
    for k in np.lexsort((target, node, gap_km)).tolist():  # shortest first
        end, piece, gap = int(node[k]), int(target[k]), float(gap_km[k])
        if end in chosen:
            continue
        foot = {
            int(pieces.start[piece]): float(share[k] * pieces.km[piece]),
            int(pieces.end[piece]): float((1 - share[k]) * pieces.km[piece]),
        }
        reach_km = max(DETOUR_KM, DETOUR_RATIO * gap)
        near = neighbours.within(end, reach_km)
        if min(near.get(side, np.inf) + km for side, km in foot.items()) > reach_km:
            chosen[end] = piece
            for side, km in foot.items():
                neighbours.join(end, side, gap + km)
    nodes = np.array(sorted(chosen), dtype=np.int64)
    targets = np.array([chosen[end] for end in nodes.tolist()], dtype=np.int64)
    mended = attach(pieces, nodes, targets, repaired=True)
    new = np.flatnonzero(mended.repaired & (mended.first >= len(pieces.points)))
    table = pd.DataFrame(
        {
            "from_lon": mended.node_lon[mended.start[new]],
            "from_lat": mended.node_lat[mended.start[new]],
            "to_lon": mended.node_lon[mended.end[new]],
            "to_lat": mended.node_lat[mended.end[new]],
            "km": mended.km[new],
            "reason": gap_reason(limit_km),
        }
    )
    return mended, table


def _runs_on(pieces: Pieces, node: IntArray, target: IntArray, share: FloatArray) -> BoolArray:
    """Pairs (n,) of a dead end and a piece where a train can run straight on from one along the other.

    The place where it meets the piece must lie ahead, at most as far to the side as ahead or BESIDE_KM, and the piece
    must lead on from there in about the same direction: if they meet within it, for more than a platform.
    """
    if not len(node):
        return np.zeros(0, dtype=bool)
    piece_at = np.empty(len(pieces.node_lon), dtype=np.int64)
    piece_at[pieces.start] = piece_at[pieces.end] = np.arange(pieces.n)  # a dead end has one
    track, line = pieces.lines(piece_at[node]), pieces.lines(target)
    north = KM_PER_DEGREE
    east = north * np.cos(np.radians(pieces.node_lat[node]))

    def km(points: shapely.Geometry | NDArray[np.object_]) -> FloatArray:
        """Points on a plane in km."""
        return np.column_stack([shapely.get_x(points) * east, shapely.get_y(points) * north])

    step = HEADING_KM / KM_PER_DEGREE
    opens = pieces.start[piece_at[node]] == node
    behind = km(shapely.line_interpolate_point(track, np.where(opens, step, -step)))
    end = np.column_stack([pieces.node_lon[node] * east, pieces.node_lat[node] * north])
    heading = _unit(end - behind)
    at = share * shapely.length(line)
    foot = km(shapely.line_interpolate_point(line, at))
    ahead = ((foot - end) * heading).sum(axis=1)
    beside = np.abs((foot - end)[:, 0] * heading[:, 1] - (foot - end)[:, 1] * heading[:, 0])
    within = (share > 0) & (share < 1)
    dead_end = pieces.degree() == 1
    onward = np.zeros(len(node), dtype=bool)
    for further, to, left in (
        (np.maximum(at - step, 0.0), pieces.start[target], share),
        (np.minimum(at + step, shapely.length(line)), pieces.end[target], 1 - share),
    ):
        direction = _unit(km(shapely.line_interpolate_point(line, further)) - foot)
        terminus = within & dead_end[to] & (left * pieces.km[target] < PLATFORM_KM)
        onward |= ((direction * heading).sum(axis=1) >= RUNS_ON_COSINE) & ~terminus
    possible: BoolArray = onward & (ahead >= -BESIDE_KM) & (beside <= np.maximum(ahead, BESIDE_KM))
    return possible


def _unit(vectors: FloatArray) -> FloatArray:
    """Vectors (n, 2) of length 1; those of no length stay."""
    unit: FloatArray = vectors / np.maximum(np.hypot(vectors[:, 0], vectors[:, 1]), 1e-9)[:, None]
    return unit


class _Neighbours:
    """The nodes beside each node and how far they are, for short searches from a few nodes."""

    def __init__(self, pieces: Pieces) -> None:
        near = np.concatenate([pieces.start, pieces.end])
        order = np.argsort(near, kind="stable")
        self.far: IntArray = np.concatenate([pieces.end, pieces.start])[order]
        self.km: FloatArray = np.concatenate([pieces.km, pieces.km])[order]
        self.first: IntArray = np.searchsorted(near[order], np.arange(len(pieces.node_lon) + 1))
        self.joined: dict[int, list[tuple[int, float]]] = {}

    def join(self, a: int, b: int, km: float) -> None:
        """Let later searches pass between two nodes."""
        self.joined.setdefault(a, []).append((b, km))
        self.joined.setdefault(b, []).append((a, km))

    def within(self, source: int, limit_km: float) -> dict[int, float]:
        """Nodes within the limit of the source and their distance (Dijkstra that gives up at the limit)."""
        best = {source: 0.0}
        queue = [(0.0, source)]
        while queue:
            distance, node = heapq.heappop(queue)
            if distance > best[node]:
                continue
            beside = slice(self.first[node], self.first[node + 1])
            beside_km = zip(self.far[beside].tolist(), self.km[beside].tolist(), strict=True)
            for neighbour, km in (*beside_km, *self.joined.get(node, ())):
                further = distance + km
                if further <= limit_km and further < best.get(neighbour, np.inf):
                    best[neighbour] = further
                    heapq.heappush(queue, (further, neighbour))
        return best

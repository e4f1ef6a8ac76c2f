"""Closing small gaps of a network under construction, each of them listed."""

from __future__ import annotations

import heapq

import numpy as np
import pandas as pd

from geodata.contraction import Pieces, attach, nearby
from geodata.network import FloatArray, IntArray

DETOUR_KM, DETOUR_RATIO = 5.0, 10.0
REPAIR_COLUMNS = ["from_lon", "from_lat", "to_lon", "to_lat", "km", "reason"]


def gap_reason(limit_km: float) -> str:
    """What a closed gap is called in the network and in the list of repairs."""
    return f"gap closed: dead end within {limit_km * 1000:g} m of a line"


def close_gaps(pieces: Pieces, limit_km: float) -> tuple[Pieces, pd.DataFrame]:
    """Join every dead end to the nearest line within the limit, if the way round is long or there is none.

    Long: more than both DETOUR_KM and DETOUR_RATIO times the gap, as in a greedy spanner (Althoefer et al. 1993),
    regardless of one-ways. Whether a line passes over a bridge is not looked at, so keep the limit small. Returns
    the pieces and a table of repairs with the columns REPAIR_COLUMNS.
    """
    dead_ends = np.flatnonzero(pieces.degree() == 1)
    node, target, gap_km, share = nearby(pieces, dead_ends, np.arange(pieces.n), limit_km)
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

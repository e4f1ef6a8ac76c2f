"""Pieces of line between nodes, the working form of a network: cutting, joining, attaching, and becoming a Network.

Lengths are great-circle lengths along the points of a line (`geodata.network.great_circle_km`), so that no edge is
shorter than the great circle of its ends; they are taken before lines are simplified for drawing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from geodata.compilation import compiled
from geodata.network import FloatArray, IntArray, Network, as_arcs, great_circle_km

DRAWING_TOLERANCE_DEG = 0.0001  # about 10 m
KM_PER_DEGREE = 111.195
END_SLACK_DEG = 1e-7  # nearer to the end of a line than this is the end

PIECE_COLUMNS = ("first", "last", "start", "end", "km", "hours", "class_code", "oneway", "repaired")

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Lines between nodes. Shapes: ``node_*`` (n_nodes,), ``points`` (n_points, 2), all else (n_pieces,).

    A piece runs over points ``first`` to ``last`` (both included) from node ``start`` to node ``end``;
    ``class_code`` is a place in ``class_names``.
    """

    node_lon: FloatArray
    node_lat: FloatArray
    points: FloatArray
    first: IntArray
    last: IntArray
    start: IntArray
    end: IntArray
    km: FloatArray
    hours: FloatArray
    class_code: IntArray
    oneway: BoolArray
    repaired: BoolArray
    class_names: tuple[str, ...]

    @property
    def n(self) -> int:
        return len(self.start)

    def lines(self, chosen: IntArray | None = None) -> NDArray[np.object_]:
        """The pieces, or the chosen ones, as LineStrings."""
        chosen = np.arange(self.n) if chosen is None else chosen
        count = self.last[chosen] - self.first[chosen] + 1
        if not len(count):
            return np.empty(0, dtype=object)
        row = np.repeat(np.arange(len(chosen)), count)
        within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        lines: NDArray[np.object_] = shapely.linestrings(
            self.points[np.repeat(self.first[chosen], count) + within], indices=row
        )
        return lines

    def degree(self) -> IntArray:
        """Ends of pieces at each node (n_nodes,)."""
        return np.bincount(np.concatenate([self.start, self.end]), minlength=len(self.node_lon))

    def take(self, chosen: IntArray | BoolArray) -> Pieces:
        """Only the chosen pieces; nodes and points stay."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in PIECE_COLUMNS})


def cut_lines(
    points: FloatArray, line: IntArray, node: IntArray, longest_km: float
) -> tuple[IntArray, IntArray, FloatArray]:
    """First point, last point (both included) and km of the pieces of some lines.

    ``points`` (n, 2) with their line (n,) and node (n,), in order. Lines are cut at their ends, at nodes that occur
    more than once, and at the last point before a multiple of ``longest_km``.
    """
    step = great_circle_km(points[:-1, 0], points[:-1, 1], points[1:, 0], points[1:, 1])
    same_line = line[:-1] == line[1:]
    along = np.concatenate([[0.0], np.cumsum(np.where(same_line, step, 0.0))])
    _, opening, of_line = np.unique(line, return_index=True, return_inverse=True)
    part = np.floor((along - along[opening][of_line]) / longest_km)
    cut = np.bincount(node)[node] > 1
    cut[opening] = True
    cut[:-1] |= ~same_line | (part[:-1] != part[1:])
    cut[-1] = True
    at = np.flatnonzero(cut)
    whole = line[at[:-1]] == line[at[1:]]
    first, last = at[:-1][whole], at[1:][whole]
    return first, last, along[last] - along[first]


def contract(pieces: Pieces, longest_km: float) -> Pieces:
    """Join pieces that meet at a node where nothing else ends, up to `longest_km`; km and hours are added up.

    Only like is joined to like: class, one-way or not and in which direction, repaired or not. A loop that comes back
    to its own node leads nowhere and is dropped. Nodes keep their numbers.
    """
    n = pieces.n
    if n == 0:
        return pieces
    ends = np.concatenate([pieces.start, pieces.end])
    order = np.argsort(ends, kind="stable")
    opening = np.searchsorted(ends[order], np.flatnonzero(pieces.degree() == 2))
    one, other = order[opening], order[opening + 1]
    a, b = one % n, other % n
    like = a != b
    for column in (pieces.class_code, pieces.oneway, pieces.repaired):
        like &= column[a] == column[b]
    like &= ~pieces.oneway[a] | ((one < n) != (other < n))
    mate = np.full(2 * n, -1)
    mate[one[like]], mate[other[like]] = other[like], one[like]

    piece, turned, chain = _chains(mate, pieces.km, longest_km)
    opens = np.append(True, chain[1:] != chain[:-1])
    closes = np.append(opens[1:], True)
    sign = np.where(turned, -1, 1)
    skip = np.where(opens, 0, 1)  # the point it shares with the piece before
    count = pieces.last[piece] - pieces.first[piece] + 1 - skip
    begin = np.where(turned, pieces.last[piece], pieces.first[piece]) + sign * skip
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    points = pieces.points[np.repeat(begin, count) + np.repeat(sign, count) * within]
    size = np.bincount(chain, weights=count).astype(np.int64)
    last = np.cumsum(size) - 1
    head, tail = piece[opens], piece[closes]
    joined = replace(
        pieces,
        points=points,
        first=last - size + 1,
        last=last,
        start=np.where(turned[opens], pieces.end[head], pieces.start[head]),
        end=np.where(turned[closes], pieces.start[tail], pieces.end[tail]),
        km=np.add.reduceat(pieces.km[piece], np.flatnonzero(opens)),
        hours=np.add.reduceat(pieces.hours[piece], np.flatnonzero(opens)),
        class_code=pieces.class_code[head],
        oneway=pieces.oneway[head],
        repaired=pieces.repaired[head],
    )
    return joined.take(joined.start != joined.end)


@compiled
def _chains(mate: IntArray, km: FloatArray, longest_km: float) -> tuple[IntArray, BoolArray, IntArray]:
    """Pieces in order of walking along chains, whether each is walked backwards, and its chain.

    ``mate`` (2n,): the end of a piece joined to each start (0..n-1) and end (n..2n-1) of a piece, -1 = none.
    """
    n = len(km)
    piece = np.empty(n, dtype=np.int64)
    turned = np.empty(n, dtype=np.bool_)
    chain = np.empty(n, dtype=np.int64)
    seen = np.zeros(n, dtype=np.bool_)
    filled, chains = 0, 0
    # One-way chains have one piece with a free start; what is left after two rounds are rings.
    for walk in range(3):
        for seed in range(n):
            if seen[seed] or (walk == 0 and mate[seed] >= 0) or (walk == 1 and mate[seed + n] >= 0):
                continue
            at, back, run_km = seed, walk == 1, 0.0
            chains += 1
            while True:
                seen[at] = True
                if run_km > 0.0 and run_km + km[at] > longest_km:
                    chains += 1
                    run_km = 0.0
                run_km += km[at]
                piece[filled], turned[filled], chain[filled] = at, back, chains - 1
                filled += 1
                following = mate[at if back else at + n]
                if following < 0 or seen[following % n]:
                    break
                at, back = following % n, following >= n
    return piece, turned, chain


def without_spare_nodes(pieces: Pieces) -> Pieces:
    """The same with nodes that no piece uses left out."""
    used, number = np.unique(np.concatenate([pieces.start, pieces.end]), return_inverse=True)
    return replace(
        pieces,
        node_lon=pieces.node_lon[used],
        node_lat=pieces.node_lat[used],
        start=number[: pieces.n],
        end=number[pieces.n :],
    )


def nearby(
    pieces: Pieces, nodes: IntArray, targets: IntArray, limit_km: float
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Pairs of a node and a target piece that does not end in it and passes within the limit.

    Node, target, km between them, and where on the target from 0 (its start) to 1; all (n_pairs,).
    """
    lines = pieces.lines(targets)
    points = np.asarray(shapely.points(pieces.node_lon[nodes], pieces.node_lat[nodes]))
    widest = limit_km / KM_PER_DEGREE / np.maximum(np.cos(np.radians(pieces.node_lat[nodes])), 0.01)
    i, j = shapely.STRtree(lines).query(points, predicate="dwithin", distance=widest)
    node, target = nodes[i], targets[j]
    share = np.asarray(shapely.line_locate_point(lines[j], points[i], normalized=True))
    foot = shapely.line_interpolate_point(lines[j], share, normalized=True)
    km = great_circle_km(pieces.node_lon[node], pieces.node_lat[node], shapely.get_x(foot), shapely.get_y(foot))
    good = (km <= limit_km) & (pieces.start[target] != node) & (pieces.end[target] != node)
    return node[good], target[good], km[good], share[good]


def _feet(
    pieces: Pieces, nodes: IntArray, targets: IntArray, lines: dict[int, Any], lon: list[float], lat: list[float]
) -> tuple[dict[int, dict[float, int]], dict[tuple[int, int], int]]:
    """Where each target is cut with the node there, and its links: (node, foot) -> target; new nodes are appended."""
    cuts: dict[int, dict[float, int]] = {target: {} for target in lines}
    links: dict[tuple[int, int], int] = {}
    for node, target in zip(nodes.tolist(), targets.tolist(), strict=True):
        line = lines[target]
        at = line.project(shapely.Point(lon[node], lat[node]))
        if at < END_SLACK_DEG:
            foot = int(pieces.start[target])
        elif at > line.length - END_SLACK_DEG:
            foot = int(pieces.end[target])
        else:
            foot = cuts[target].setdefault(at, len(lon))
            if foot == len(lon):
                point = line.interpolate(at)
                lon.append(point.x)
                lat.append(point.y)
        if foot != node:
            links.setdefault((min(node, foot), max(node, foot)), target)
    return cuts, links


def attach(pieces: Pieces, nodes: IntArray, targets: IntArray, repaired: bool) -> Pieces:
    """Join each node by a straight two-way piece to the nearest point of its target piece, which is cut there.

    The new piece has the class and speed of its target. Shapes (k,).
    """
    lines = dict(zip(np.unique(targets).tolist(), pieces.lines(np.unique(targets)), strict=True))
    lon, lat = pieces.node_lon.tolist(), pieces.node_lat.tolist()
    cuts, links = _feet(pieces, nodes, targets, lines, lon, lat)
    coordinates = [pieces.points]
    rows: list[tuple[int, int, int, int, float, float, int, bool, bool]] = []
    n_points = len(pieces.points)

    def add(points: FloatArray, start: int, end: int, like: int, km: float, oneway: bool, mended: bool) -> None:
        nonlocal n_points
        hours_per_km = pieces.hours[like] / max(pieces.km[like], 1e-12)
        coordinates.append(points)
        last, class_code = n_points + len(points) - 1, int(pieces.class_code[like])
        rows.append((n_points, last, start, end, km, km * hours_per_km, class_code, oneway, mended))
        n_points += len(points)

    replaced = [target for target, at in cuts.items() if at]
    for target in replaced:
        places = sorted(cuts[target].items())
        at = [0.0, *(place for place, _ in places), lines[target].length]
        through = [int(pieces.start[target]), *(node for _, node in places), int(pieces.end[target])]
        parts = [shapely.get_coordinates(substring(lines[target], a, b)) for a, b in zip(at, at[1:], strict=False)]
        for part, a, b in zip(parts, through, through[1:], strict=False):
            part[[0, -1]] = [(lon[a], lat[a]), (lon[b], lat[b])]
        km = np.array([great_circle_km(*part[:-1].T, *part[1:].T).sum() for part in parts])
        for part, a, b, length in zip(parts, through, through[1:], km, strict=False):
            add(part, a, b, target, float(length), bool(pieces.oneway[target]), bool(pieces.repaired[target]))
    for (a, b), target in sorted(links.items()):
        ends = np.array([(lon[a], lat[a]), (lon[b], lat[b])])
        add(ends, a, b, target, float(great_circle_km(*ends[0], *ends[1])), False, repaired)

    kept = np.ones(pieces.n, dtype=bool)
    kept[replaced] = False
    rest = pieces.take(kept)
    added = zip(*rows, strict=True) if rows else ([] for _ in PIECE_COLUMNS)
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(rest, name), np.array(values, dtype=getattr(rest, name).dtype)])
        for name, values in zip(PIECE_COLUMNS, added, strict=True)
    }
    return replace(rest, node_lon=np.array(lon), node_lat=np.array(lat), points=np.concatenate(coordinates), **columns)


def to_network(pieces: Pieces, directed: bool, repair_reason: str) -> Network:
    """The pieces as a Network with hours; lines are simplified for drawing."""
    repair = np.array([None, repair_reason], dtype=object)
    network = Network(
        node_lon=pieces.node_lon,
        node_lat=pieces.node_lat,
        edge_from=pieces.start,
        edge_to=pieces.end,
        edge_km=pieces.km,
        edge_class=np.array(pieces.class_names, dtype=object)[pieces.class_code],
        edge_repair=repair[pieces.repaired.astype(np.int64)],
        geometry=shapely.simplify(pieces.lines(), DRAWING_TOLERANCE_DEG, preserve_topology=False),
        edge_hours=pieces.hours,
    )
    return as_arcs(network, pieces.oneway) if directed else network

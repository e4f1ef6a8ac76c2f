"""Railway tracks: parallel ones become one line, and yards and sidings become ways of access."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from geodata.ingest.contraction import (
    KM_PER_DEGREE,
    PIECE_COLUMNS,
    BoolArray,
    Pieces,
    attach,
    contract,
    cut_lines,
    nearby,
)
from geodata.network import FloatArray, IntArray

WORKING_KM = 0.3  # tracks are compared in pieces of this length
SAMPLES = (0.0, 0.25, 0.5, 0.75, 1.0)
PARALLEL_COSINE = np.cos(np.radians(25))


def merge_parallel(pieces: Pieces, running: BoolArray, within_km: float) -> tuple[Pieces, float]:
    """Leave one track of those that run side by side; also returns the km of track left out.

    Running tracks are joined to chains between switches and compared in pieces of WORKING_KM. A piece is left out
    where all of it lies within ``within_km`` of tracks of about the same direction that belong to longer chains
    (then the one that comes first): the longest track always stays, with its own length. What else was joined to a
    piece left out is joined to the track that stays by a straight piece of a few metres.
    ``running`` (n_pieces,) are the tracks to compare; the others stay as they are.
    """
    chains = contract(pieces.take(running), np.inf)
    if chains.n < 2:
        return pieces, 0.0
    work, chain = _cut(chains)
    n_work = work.n
    work = _put_together(work, pieces.take(~running))
    rank = np.empty(chains.n, dtype=np.int64)
    rank[np.argsort(-chains.km, kind="stable")] = np.arange(chains.n)

    lines = work.lines(np.arange(n_work))
    samples = np.concatenate([shapely.line_interpolate_point(lines, share, normalized=True) for share in SAMPLES])
    widest = within_km / KM_PER_DEGREE / np.maximum(np.cos(np.radians(shapely.get_y(samples))), 0.01)
    sample, by = shapely.STRtree(lines).query(samples, predicate="dwithin", distance=widest)
    piece = sample % n_work
    direction = _directions(lines)
    covers = (rank[chain[by]] < rank[chain[piece]]) & (
        np.abs((direction[piece] * direction[by]).sum(axis=1)) > PARALLEL_COSINE
    )
    sample, by, piece = sample[covers], by[covers], piece[covers]
    foot = shapely.line_interpolate_point(lines[by], shapely.line_locate_point(lines[by], samples[sample]))
    near = _km(samples[sample], foot) <= within_km
    sample, by, piece = sample[near], by[near], piece[near]
    covered = np.bincount(np.unique(sample) % n_work, minlength=n_work) == len(SAMPLES)

    dropped = np.zeros(work.n, dtype=bool)
    dropped[:n_work] = covered
    loose, target = _loose_nodes(work, dropped, n_work, chain, rank, piece, by, within_km)
    # Where the track that stays is too far from a node that is in use, the chain there stays after all.
    lost = target < 0
    at_lost = np.isin(work.start[:n_work], loose[lost]) | np.isin(work.end[:n_work], loose[lost])
    dropped[:n_work] &= ~np.isin(chain, chain[at_lost])
    kept_number = np.cumsum(~dropped) - 1
    joined = attach(work.take(~dropped), loose[~lost], kept_number[target[~lost]], repaired=False)
    left_out = work.take(dropped)
    bridges = _bridges(joined, left_out)
    return _put_together(joined, left_out.take(bridges)), float(left_out.km[~bridges].sum())


def _cut(chains: Pieces) -> tuple[Pieces, IntArray]:
    """Chains in pieces of at most WORKING_KM, where their points allow, and the chain of each."""
    count = chains.last - chains.first + 1
    line = np.repeat(np.arange(chains.n), count)
    within = np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count)
    points = chains.points[np.repeat(chains.first, count) + within]
    # Points between the ends of a chain are nodes of their own.
    inner = (within > 0) & (within < np.repeat(count - 1, count))
    node = np.where(within == 0, np.repeat(chains.start, count), np.repeat(chains.end, count))
    node[inner] = len(chains.node_lon) + np.arange(inner.sum())
    first, last, km = cut_lines(points, line, node, WORKING_KM)
    chain = line[first]
    share = np.divide(km, chains.km[chain], out=np.zeros_like(km), where=chains.km[chain] > 0)
    return replace(
        chains.take(chain),
        node_lon=np.concatenate([chains.node_lon, points[inner, 0]]),
        node_lat=np.concatenate([chains.node_lat, points[inner, 1]]),
        points=points,
        first=first,
        last=last,
        start=node[first],
        end=node[last],
        km=km,
        hours=chains.hours[chain] * share,
    ), chain


def _put_together(work: Pieces, others: Pieces) -> Pieces:
    """One set of pieces out of two, in this order; the nodes of `work` are those of `others` and some more."""
    moved = replace(others, first=others.first + len(work.points), last=others.last + len(work.points))
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(work, name), getattr(moved, name)]) for name in PIECE_COLUMNS
    }
    return replace(work, points=np.concatenate([work.points, others.points]), **columns)


def _directions(lines: NDArray[np.object_]) -> FloatArray:
    """Unit vectors from the first to the last point of lines, (n, 2), on a plane that touches each."""
    a, b = shapely.get_point(lines, 0), shapely.get_point(lines, -1)
    east = (shapely.get_x(b) - shapely.get_x(a)) * np.cos(np.radians(shapely.get_y(a)))
    step = np.column_stack([east, shapely.get_y(b) - shapely.get_y(a)])
    length = np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-12)
    unit: FloatArray = step / length[:, None]
    return unit


def _km(a: NDArray[np.object_], b: NDArray[np.object_]) -> FloatArray:
    """Short distances between points, on a plane that touches the first."""
    east = (shapely.get_x(b) - shapely.get_x(a)) * np.cos(np.radians(shapely.get_y(a)))
    km: FloatArray = KM_PER_DEGREE * np.hypot(east, shapely.get_y(b) - shapely.get_y(a))
    return km


def _loose_nodes(
    work: Pieces,
    dropped: BoolArray,
    n_work: int,
    chain: IntArray,
    rank: IntArray,
    piece: IntArray,
    by: IntArray,
    within_km: float,
) -> tuple[IntArray, IntArray]:
    """Nodes between pieces dropped and pieces kept that do not touch the track that stays, and their piece of it.

    -1 where that is farther than a few tracks away. ``piece`` is covered by ``by``, pair by pair.
    """
    kept = np.flatnonzero(~dropped)
    in_use = np.zeros(len(work.node_lon), dtype=bool)
    in_use[work.start[kept]] = in_use[work.end[kept]] = True
    ends = np.concatenate([work.start[dropped], work.end[dropped]])
    loose = np.unique(ends[in_use[ends]])
    n_chains = int(chain.max()) + 1
    at = np.concatenate([work.start[piece], work.end[piece]]) * n_chains + np.tile(chain[by], 2)
    at = at[np.tile(dropped[piece], 2)]
    running = kept[kept < n_work]
    touching = np.concatenate([work.start[running], work.end[running]]) * n_chains + np.tile(chain[running], 2)
    loose = np.setdiff1d(loose, np.intersect1d(at, touching) // n_chains)
    best = np.full(len(work.node_lon), len(rank))
    np.minimum.at(best, ends, np.tile(rank[chain[np.flatnonzero(dropped)]], 2))
    node, target, km, _ = nearby(work, loose, running, 4 * within_km)
    # Joined to a longer chain than it was dropped from, every track hangs together with the longest one in the end.
    longer = rank[chain[target]] < best[node]
    node, target, km = node[longer], target[longer], km[longer]
    order = np.lexsort((km, node))
    found, nearest = np.unique(node[order], return_index=True)
    targets = np.full(len(loose), -1)
    targets[np.searchsorted(loose, found)] = target[order][nearest]
    return loose, targets


def _bridges(kept: Pieces, left_out: Pieces) -> BoolArray:
    """Pieces left out (n,) that are needed after all, for without them what was one line would be several.

    It happens where a track is beside first one and then another of the tracks that stay, and these do not meet. The
    pieces are those of a minimum spanning forest, with each connected stretch that stays taken for one node, which
    lie between two such stretches.
    """
    n_nodes = len(kept.node_lon)
    graph = coo_array((np.ones(kept.n), (kept.start, kept.end)), shape=(n_nodes, n_nodes))
    _, stretch = connected_components(graph, directed=False)
    stays = np.zeros(n_nodes, dtype=bool)
    stays[stretch[kept.start]] = True
    chosen = spanning_pieces(left_out, stretch)
    ends = np.column_stack([stretch[left_out.start], stretch[left_out.end]])
    at: dict[int, set[int]] = {}
    for piece in np.flatnonzero(chosen).tolist():
        for node in ends[piece].tolist():
            at.setdefault(node, set()).add(piece)
    # Branches of the forest that end at no stretch are taken off from their tips.
    tips = [node for node, pieces in at.items() if len(pieces) == 1 and not stays[node]]
    while tips:
        node = tips.pop()
        if len(at[node]) != 1:
            continue
        piece = at[node].pop()
        chosen[piece] = False
        other = int(ends[piece].sum()) - node
        at[other].discard(piece)
        if len(at[other]) == 1 and not stays[other]:
            tips.append(other)
    return chosen


def spanning_pieces(pieces: Pieces, group: NDArray[np.integer[Any]]) -> BoolArray:
    """Which pieces (n,) make a minimum spanning forest by km between groups of nodes; ``group`` (n_nodes,)."""
    n_groups = len(group)
    a, b = group[pieces.start], group[pieces.end]
    low, high = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((pieces.km, high, low))
    new_pair = np.append(True, (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0))[: len(order)]
    lightest = order[new_pair]
    lightest = lightest[low[lightest] != high[lightest]]
    # Weights are above 0, for SciPy takes 0 for no edge.
    weights = coo_array((pieces.km[lightest] + 1e-9, (low[lightest], high[lightest])), shape=(n_groups, n_groups))
    forest = minimum_spanning_tree(weights.tocsr()).tocoo()
    taken = np.isin(low[lightest] * n_groups + high[lightest], forest.row * np.int64(n_groups) + forest.col)
    chosen = np.zeros(pieces.n, dtype=bool)
    chosen[lightest[taken]] = True
    return chosen


def access_forest(pieces: Pieces, access: BoolArray) -> BoolArray:
    """Which pieces to keep (n_pieces,), so that tracks of access lead to running lines but are no way through.

    Of the tracks of access a minimum spanning forest stays, with every connected stretch of running line taken for
    one node: each yard and siding has one way to the line, lines that nothing else joins stay joined, and no train
    can take a short cut through a yard. Tracks of access that lead to no line are left out.
    """
    n_nodes = len(pieces.node_lon)
    line = np.flatnonzero(~access)
    graph = coo_array((np.ones(len(line)), (pieces.start[line], pieces.end[line])), shape=(n_nodes, n_nodes))
    _, stretch = connected_components(graph, directed=False)
    tracks = pieces.take(access)
    ends = stretch[tracks.start], stretch[tracks.end]
    _, group = connected_components(coo_array((np.ones(tracks.n), ends), shape=(n_nodes, n_nodes)), directed=False)
    with_line = np.zeros(n_nodes, dtype=bool)
    with_line[group[stretch[pieces.start[line]]]] = True
    keep = ~access
    keep[access] = spanning_pieces(tracks, stretch) & with_line[group[ends[0]]]
    return keep

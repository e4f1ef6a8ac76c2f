"""Many-to-many distances and paths on a Network, by RoutingKit or by SciPy, with a cache on disk.

RoutingKit's customisable contraction hierarchies (Dibbelt, Strasser, Wagner 2016) are reached through
pyroutingkit, and only in this module; where it is not installed SciPy's Dijkstra does the same work more slowly.

RoutingKit adds whole numbers below 2**31. Weights are therefore scaled by the largest power of ten at which the
longest possible path still fits: 10**5 for a country-wide network in km, that is centimetres. The pack's lengths
are whole metres, so its distances come out exact; other weights are rounded once per edge, by at most half a unit.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geodata.errors import InputError
from geodata.network import FloatArray, IntArray, Network, adjacency, components, great_circle_km, snap

try:
    import pyroutingkit
except ImportError:  # no wheel for this platform
    pyroutingkit = None

Engine = Literal["auto", "routingkit", "scipy"]
Weight = Literal["km"] | FloatArray

MAX_ROUTINGKIT_WEIGHT = 2**31 - 2  # 2**31 - 1 means "no path"
SCIPY_BLOCK_ORIGINS = 128  # bounds memory: one row of all nodes per origin
CACHE_VERSION = "1"  # part of every cache key; raise it when results change for the same input


@dataclass(frozen=True)
class Route:
    """One shortest path: its nodes (n,), its edges (n - 1,) in order of travel, and its weight."""

    nodes: IntArray
    edges: IntArray
    weight: float


@dataclass(frozen=True)
class PointMatrix:
    """Travel between points, ``km`` (n_origins, n_destinations), NaN = unreachable, and the snaps of the points."""

    km: FloatArray
    origin_node: IntArray
    origin_snap_km: FloatArray
    destination_node: IntArray
    destination_snap_km: FloatArray


def many_to_many(
    network: Network,
    origins: ArrayLike,
    destinations: ArrayLike,
    weight: Weight = "km",
    engine: Engine = "auto",
) -> FloatArray:
    """Least weight between nodes, (n_origins, n_destinations); NaN where there is no path.

    ``weight`` is "km" or one number >= 0 per edge (hours, say). Engine "auto" takes RoutingKit where installed.
    Raises InputError for a node that does not exist or a weight that is not a number.
    """
    origins, destinations = _node_indices(network, origins), _node_indices(network, destinations)
    edge_weight = _edge_weight(network, weight)
    if len(origins) == 0 or len(destinations) == 0:
        return np.empty((len(origins), len(destinations)))
    solve = _scipy_matrix if engine == "scipy" or (engine == "auto" and pyroutingkit is None) else _routingkit_matrix
    # Each node once: snapped points often share one.
    origin, origin_row = np.unique(origins, return_inverse=True)
    destination, destination_column = np.unique(destinations, return_inverse=True)
    return solve(network, origin, destination, edge_weight)[origin_row][:, destination_column]


def shortest_path(network: Network, origin: int, destination: int, weight: Weight = "km") -> Route | None:
    """Shortest path between two nodes, or None where there is none. Raises InputError as `many_to_many`."""
    return shortest_paths(network, [origin], [destination], weight)[0]


def shortest_paths(
    network: Network,
    origins: ArrayLike,
    destinations: ArrayLike,
    weight: Weight = "km",
    at_most: ArrayLike = np.inf,
) -> list[Route | None]:
    """Shortest path of each pair of nodes (n_pairs,), None where there is none.

    One search per distinct destination. `at_most` bounds the weight of each path (n_pairs,) where it is known, which
    keeps searches short; a path above its bound may come out as None. Raises InputError as `many_to_many`.
    """
    origin, destination = _node_indices(network, origins), _node_indices(network, destinations)
    limit = np.broadcast_to(np.asarray(at_most, np.float64), origin.shape)
    graph, edge_of_entry = _scipy_graph(network, _edge_weight(network, weight))
    # Searching against the direction of travel, the predecessor of a node is the next one on its way.
    backwards = graph.T.tocsr() if network.directed else graph
    routes: list[Route | None] = [None] * len(origin)
    for target in np.unique(destination):
        pairs = np.flatnonzero(destination == target)
        distance, following = dijkstra(backwards, indices=target, return_predecessors=True, limit=limit[pairs].max())
        for pair in pairs:
            nodes = [int(origin[pair])]
            if not np.isfinite(distance[nodes[0]]):
                continue
            while nodes[-1] != target:
                nodes.append(int(following[nodes[-1]]))
            edges = []
            for a, b in pairwise(nodes):
                entries = slice(graph.indptr[a], graph.indptr[a + 1])
                edges.append(edge_of_entry[entries][graph.indices[entries] == b][0])
            routes[pair] = Route(np.array(nodes), np.array(edges, dtype=np.int64), float(distance[nodes[0]]))
    return routes


def path_geometry(network: Network, route: Route) -> shapely.LineString | None:
    """The route as one line for drawing, in the direction of travel; None for a route without edges."""
    if len(route.edges) == 0:
        return None
    pieces = []
    for node, edge in zip(route.nodes, route.edges, strict=False):
        line = shapely.get_coordinates(network.geometry[edge])
        pieces.append(line if network.edge_from[edge] == node else line[::-1])
    points = np.concatenate(pieces)
    keep = np.append(True, (np.diff(points, axis=0) != 0).any(axis=1))
    return shapely.LineString(points[keep])


def point_matrix(
    network: Network,
    origin_lon: ArrayLike,
    origin_lat: ArrayLike,
    destination_lon: ArrayLike,
    destination_lat: ArrayLike,
    *,
    max_snap_km: float,
    engine: Engine = "auto",
) -> PointMatrix:
    """Kilometres between points over the network; the straight way from a point to its node counts as travel.

    - A point farther than ``max_snap_km`` from the network is cut off (NaN): no snap bridges a strait.
    - Two points nearer to each other than one of them is to its node go straight: the detour over the network
      is an artefact of a thin network there.
    - No entry is below the great circle of its two points.
    """
    origin_node, origin_snap = snap(network, origin_lon, origin_lat)
    destination_node, destination_snap = snap(network, destination_lon, destination_lat)
    over_network = many_to_many(network, origin_node, destination_node, engine=engine)
    km = origin_snap[:, None] + over_network + destination_snap[None, :]
    straight = great_circle_km(
        np.atleast_1d(origin_lon)[:, None],
        np.atleast_1d(origin_lat)[:, None],
        np.atleast_1d(destination_lon)[None, :],
        np.atleast_1d(destination_lat)[None, :],
    )
    beside = straight <= np.maximum(origin_snap[:, None], destination_snap[None, :])
    km = np.where(beside, straight, np.maximum(km, straight))
    km[origin_snap > max_snap_km, :] = np.nan
    km[:, destination_snap > max_snap_km] = np.nan
    return PointMatrix(km, origin_node, origin_snap, destination_node, destination_snap)


def cached_matrix(compute: Callable[[], FloatArray], *inputs: ArrayLike, cache_dir: Path | None = None) -> FloatArray:
    """The matrix from the cache, or computed and kept there.

    The key is the SHA-256 of the inputs (arrays, text, numbers), which must be everything that the result depends
    on. Default folder: deh-siting in $XDG_CACHE_HOME or ~/.cache. A cache that cannot be read or written, or a
    damaged file in it, costs time only.
    """
    folder = cache_dir or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deh-siting"
    file = folder / f"{_checksum(CACHE_VERSION, *inputs)}.matrix"
    try:
        stored = file.read_bytes()
    except OSError:
        stored = b""
    digest, content = stored[:32], stored[32:]
    if content and hashlib.sha256(content).digest() == digest:
        matrix: FloatArray = np.load(io.BytesIO(content), allow_pickle=False)
        return matrix
    matrix = compute()
    _store(file, matrix)
    return matrix


def network_inputs(network: Network) -> tuple[ArrayLike, ...]:
    """The arrays of a network that decide its distances, as inputs for `cached_matrix`."""
    return (
        network.node_lon,
        network.node_lat,
        network.edge_from,
        network.edge_to,
        network.edge_km,
        network.edge_class.astype(str),
        network.directed,
    )


def _checksum(*inputs: ArrayLike) -> str:
    """SHA-256 of values with their types and shapes, in hexadecimal."""
    total = hashlib.sha256()
    for value in inputs:
        array = np.ascontiguousarray(value)
        total.update(f"{array.dtype.str}{array.shape};".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def _store(file: Path, matrix: FloatArray) -> None:
    """Write checksum and matrix in one step, so that no reader sees half a file."""
    content = io.BytesIO()
    np.save(content, matrix, allow_pickle=False)
    temporary = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
            temporary.write(hashlib.sha256(content.getvalue()).digest() + content.getvalue())
        os.replace(temporary.name, file)
    except OSError:  # a cache is a convenience: full or read-only disks must not stop a study
        if temporary is not None:
            Path(temporary.name).unlink(missing_ok=True)


def _node_indices(network: Network, nodes: ArrayLike) -> IntArray:
    index = np.atleast_1d(np.asarray(nodes))
    if index.size == 0:
        return np.empty(0, dtype=np.int64)
    if not np.issubdtype(index.dtype, np.integer):
        raise InputError(f"node indices are {index.dtype}; give whole numbers, as `snap` returns")
    bad = index[(index < 0) | (index >= network.n_nodes)]
    if len(bad):
        raise InputError(f"node {bad[0]} does not exist; the network has nodes 0 to {network.n_nodes - 1}")
    return index.astype(np.int64)


def _edge_weight(network: Network, weight: Weight) -> FloatArray:
    if isinstance(weight, str):
        return network.edge_km
    edge_weight = np.asarray(weight, dtype=np.float64)
    if edge_weight.shape != (network.n_edges,):
        raise InputError(f"weight has shape {edge_weight.shape}; give one number per edge, ({network.n_edges},)")
    bad = np.flatnonzero(~(np.isfinite(edge_weight) & (edge_weight >= 0)))
    if len(bad):
        raise InputError([f"weight of edge {edge} is {edge_weight[edge]}; give a number >= 0" for edge in bad[:10]])
    return edge_weight


def _scipy_graph(network: Network, edge_weight: FloatArray) -> tuple[csr_array, IntArray]:
    """Directed graph with the lightest of parallel edges, and the network edge behind each of its entries."""
    arcs = adjacency(network, edge_weight)
    # SciPy would add parallel edges up, so only the lightest may go in.
    order = np.lexsort((arcs.data, arcs.col, arcs.row))
    row, column = arcs.row[order], arcs.col[order]
    first = np.append(True, (np.diff(row) != 0) | (np.diff(column) != 0))
    kept = order[first]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(arcs.row[kept], minlength=network.n_nodes))])
    graph = csr_array((arcs.data[kept], arcs.col[kept], indptr), shape=arcs.shape)
    return graph, kept % network.n_edges


def _scipy_matrix(network: Network, origins: IntArray, destinations: IntArray, edge_weight: FloatArray) -> FloatArray:
    graph, _ = _scipy_graph(network, edge_weight)
    blocks = [
        dijkstra(graph, indices=origins[start : start + SCIPY_BLOCK_ORIGINS])[:, destinations]
        for start in range(0, len(origins), SCIPY_BLOCK_ORIGINS)
    ]
    weight = np.concatenate(blocks)
    weight[np.isinf(weight)] = np.nan
    return weight


def _longest_path_bound(network: Network, edge_weight: FloatArray) -> float:
    """An upper bound of every shortest path's weight."""
    if network.directed:
        return float(edge_weight.sum())
    # Any two nodes of a component meet at its first node, so twice the farthest from there is enough.
    _, first_of_component = np.unique(components(network), return_index=True)
    graph, _ = _scipy_graph(network, edge_weight)
    return 2.0 * float(dijkstra(graph, indices=first_of_component, min_only=True).max())


@lru_cache(maxsize=4)
def _routingkit_topology(network: Network) -> Any:
    """Contraction order of the network's arcs; slow, and the same for all weights."""
    arcs = adjacency(network, network.edge_km)
    topology = pyroutingkit.CCHTopology()
    topology.build(
        arcs.row.astype(np.uint32),
        arcs.col.astype(np.uint32),
        network.node_lat.astype(np.float32),
        network.node_lon.astype(np.float32),
        network.n_nodes,
    )
    return topology


def _routingkit_matrix(
    network: Network, origins: IntArray, destinations: IntArray, edge_weight: FloatArray
) -> FloatArray:
    bound = max(_longest_path_bound(network, edge_weight), 1e-9)
    scale = 10.0 ** np.floor(np.log10(MAX_ROUTINGKIT_WEIGHT / bound))
    # An edge heavier than every shortest path is on none of them.
    arcs = adjacency(network, np.minimum(np.rint(edge_weight * scale), pyroutingkit.INF_WEIGHT))
    metric = pyroutingkit.CCHMetric(_routingkit_topology(network))
    metric.customize(arcs.data.astype(np.uint32))
    units = metric.distances_many_to_many(origins.astype(np.uint32), destinations.astype(np.uint32))
    return np.where(units == pyroutingkit.INF_WEIGHT, np.nan, units / scale)

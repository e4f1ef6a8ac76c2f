"""Many-to-many distances and paths on a Network, by RoutingKit or by SciPy (see `geodata.routing`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike
from scipy.sparse.csgraph import dijkstra

from geodata.errors import Fault, InputError
from geodata.network import FloatArray, IntArray, Network, great_circle_km, snap
from geodata.routing import Engine, Router, lightest_arcs, make_router

Weight = Literal["km", "hours"] | FloatArray

BLOCK_ORIGINS = 128
"""Origins per block: enough to keep a thread busy; a block of 16,000 destinations takes 16 MB."""


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

    ``weight`` is "km", "hours" where the network has them, or one number >= 0 per edge. Engine "auto" takes RoutingKit
    where installed.
    Raises InputError for a node that does not exist or a weight that is not a number.

    Examples:
        Delhi to Mumbai on the bundled roads:

        >>> from geodata.network import snap
        >>> from geodata.pack import open_pack
        >>> road = open_pack().road
        >>> node, _ = snap(road, [77.2, 72.9], [28.6, 19.1])
        >>> many_to_many(road, node[:1], node[1:]).round(-2)
        array([[1300.]])
    """
    blocks = matrix_blocks(network, origins, destinations, weight, engine)
    matrix = np.empty(blocks.shape)

    def fill(rows: IntArray) -> None:
        matrix[rows] = blocks.compute(rows)

    for _ in in_threads(fill, blocks.rows()):
        pass
    return matrix


@dataclass(frozen=True, eq=False)
class MatrixBlocks:
    """A matrix that is computed some origins at a time, here or, pickled, on another machine."""

    router: Router
    origins: IntArray
    destinations: IntArray

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.origins), len(self.destinations)

    def rows(self) -> list[IntArray]:
        """The rows of each block; together every row once. Origins at one node stand together."""
        if 0 in self.shape:
            return []
        order = np.argsort(self.origins, kind="stable")
        return np.array_split(order, -(-len(order) // BLOCK_ORIGINS))

    def compute(self, rows: IntArray) -> FloatArray:
        """Some rows of the matrix, (n_rows, n_destinations)."""
        # Each node once: snapped points often share one.
        origin, row = np.unique(self.origins[rows], return_inverse=True)
        destination, column = np.unique(self.destinations, return_inverse=True)
        return self.router.weights(origin, destination)[row].take(column, axis=1)


def matrix_blocks(
    network: Network, origins: ArrayLike, destinations: ArrayLike, weight: Weight = "km", engine: Engine = "auto"
) -> MatrixBlocks:
    """The matrix of `many_to_many`, ready to be computed in blocks. Raises InputError as `many_to_many`."""
    origin, destination = _node_indices(network, origins), _node_indices(network, destinations)
    return MatrixBlocks(make_router(network, _edge_weight(network, weight), engine), origin, destination)


def in_threads(function: Callable[[IntArray], None], blocks: Sequence[IntArray]) -> Iterator[int]:
    """Run a function on every block, one thread per core, and yield how many are done after each."""
    threads = min(_cores(), len(blocks))
    if threads < 2:
        for done, block in enumerate(blocks, 1):
            function(block)
            yield done
        return
    with ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(function, blocks), 1):
            yield done


def _cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
    graph, edge_of_entry = lightest_arcs(network, _edge_weight(network, weight))
    # Searching against the direction of travel, the predecessor of a node is the next one on its way.
    backwards = graph.T.tocsr() if network.directed else graph
    starts = np.repeat(np.arange(network.n_nodes), np.diff(graph.indptr))
    ends = starts * network.n_nodes + graph.indices  # of each entry, in their order
    routes: list[Route | None] = [None] * len(origin)
    for target in np.unique(destination):
        pairs = np.flatnonzero(destination == target)
        distance, following = dijkstra(backwards, indices=target, return_predecessors=True, limit=limit[pairs].max())
        onward = following.item
        for pair in pairs:
            nodes = [int(origin[pair])]
            if not np.isfinite(distance[nodes[0]]):
                continue
            while nodes[-1] != target:
                nodes.append(onward(nodes[-1]))
            way = np.array(nodes)
            entry = np.searchsorted(ends, way[:-1] * network.n_nodes + way[1:])
            routes[pair] = Route(way, edge_of_entry[entry].astype(np.int64), float(distance[nodes[0]]))
    return routes


def path_geometry(network: Network, route: Route) -> shapely.LineString | None:
    """The route as one line for drawing, in the direction of travel; None for a route without edges."""
    if len(route.edges) == 0:
        return None
    points, piece = shapely.get_coordinates(network.geometry[route.edges], return_index=True)
    forward = network.edge_from[route.edges] == route.nodes[:-1]
    last = np.cumsum(np.bincount(piece, minlength=len(forward)))
    first = np.append(0, last[:-1])
    place = np.arange(len(points))
    points = points[np.where(forward[piece], place, (first + last - 1)[piece] - place)]
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


def _node_indices(network: Network, nodes: ArrayLike) -> IntArray:
    index = np.atleast_1d(np.asarray(nodes))
    if index.size == 0:
        return np.empty(0, dtype=np.int64)
    if not np.issubdtype(index.dtype, np.integer):
        raise InputError(Fault(f"node indices are {index.dtype}", "give whole numbers, as `snap` returns"))
    bad = index[(index < 0) | (index >= network.n_nodes)]
    if len(bad):
        raise InputError(Fault(f"node {bad[0]} does not exist", f"the network has nodes 0 to {network.n_nodes - 1}"))
    return index.astype(np.int64)


def _edge_weight(network: Network, weight: Weight) -> FloatArray:
    if isinstance(weight, str) and weight == "km":
        return network.edge_km
    if isinstance(weight, str):
        if network.edge_hours is None:
            raise InputError(
                Fault("this network has no hours", 'take weight "km", or give hours per edge (`network.hours`)')
            )
        return network.edge_hours
    edge_weight = np.asarray(weight, dtype=np.float64)
    if edge_weight.shape != (network.n_edges,):
        raise InputError(
            Fault(f"weight has shape {edge_weight.shape}", f"give one number per edge, ({network.n_edges},)")
        )
    bad = np.flatnonzero(~(np.isfinite(edge_weight) & (edge_weight >= 0)))
    if len(bad):
        raise InputError(
            [Fault(f"weight of edge {edge} is {edge_weight[edge]}", "give a number >= 0") for edge in bad[:10]]
        )
    return edge_weight

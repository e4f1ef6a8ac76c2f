"""The engines behind the matrices: RoutingKit, or SciPy where it is not installed.

RoutingKit's customisable contraction hierarchies (Dibbelt, Strasser, Wagner 2016) are reached through
pyroutingkit, and only in this module; SciPy's Dijkstra does the same work more slowly.

RoutingKit adds whole numbers below 2**31. Weights are therefore scaled by the largest power of ten at which the
longest possible path still fits: 10**5 for a country-wide network in km, that is centimetres. The pack's lengths
are whole metres, so its distances come out exact; other weights are rounded once per edge, by at most half a unit.

The contraction order takes most of the time (about 40 s for a million nodes) and is the same for all weights: it is
kept on disk by the checksum of the network.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from geodata.cache import cached_array
from geodata.errors import Fault, InputError
from geodata.network import FloatArray, IntArray, Network, adjacency

try:
    import pyroutingkit
except ImportError:  # no wheel for this platform
    pyroutingkit = None

Engine = Literal["auto", "routingkit", "scipy"]

MAX_ROUTINGKIT_WEIGHT = 2**31 - 2  # 2**31 - 1 means "no path"
SCIPY_BLOCK_ORIGINS = 128  # bounds memory: one row of all nodes per origin
MIN_CACHED_NODES = 2000  # a smaller network is contracted in less than 0.1 s, and needs no file
ORDER_VERSION = "pyroutingkit 0.2"  # part of the key of a stored order: another version may store it otherwise


class Router(Protocol):
    """Least weights on one network at one weight; made once, asked many times, by several threads at once.

    It can be pickled, to be sent to other machines.
    """

    def weights(self, origins: IntArray, destinations: IntArray) -> FloatArray:
        """(n_origins, n_destinations) least weight between nodes; NaN where there is no path."""
        ...


def make_router(network: Network, edge_weight: FloatArray, engine: Engine = "auto") -> Router:
    """The engine made ready for a weight per edge (n_edges,), finite and >= 0. "auto" is RoutingKit if installed.

    Raises InputError where "routingkit" is asked for and not installed.
    """
    if engine == "scipy" or (engine == "auto" and pyroutingkit is None):
        return _ScipyRouter(network, edge_weight)
    if pyroutingkit is None:
        raise InputError(
            Fault('engine "routingkit" needs the package pyroutingkit', 'install it or take engine "auto"')
        )
    return _RoutingKitRouter(network, edge_weight)


def lightest_arcs(network: Network, edge_weight: FloatArray) -> tuple[csr_array, IntArray]:
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


class _ScipyRouter:
    def __init__(self, network: Network, edge_weight: FloatArray) -> None:
        self.graph, _ = lightest_arcs(network, edge_weight)

    def weights(self, origins: IntArray, destinations: IntArray) -> FloatArray:
        blocks = [
            dijkstra(self.graph, indices=origins[start : start + SCIPY_BLOCK_ORIGINS])[:, destinations]
            for start in range(0, len(origins), SCIPY_BLOCK_ORIGINS)
        ]
        weight = np.concatenate(blocks)
        weight[np.isinf(weight)] = np.nan
        return weight


class _RoutingKitRouter:
    def __init__(self, network: Network, edge_weight: FloatArray) -> None:
        bound = _kept(network, lambda: np.array([_longest_path_bound(network, edge_weight)]), "bound", edge_weight)[0]
        most_units = MAX_ROUTINGKIT_WEIGHT - network.n_nodes  # a path rounds by half a unit per edge
        self.scale = 10.0 ** np.floor(np.log10(most_units / max(float(bound), 1e-9)))
        # An edge heavier than every shortest path is on none of them.
        arcs = adjacency(network, np.minimum(np.rint(edge_weight * self.scale), pyroutingkit.INF_WEIGHT))
        self.arc_weight = arcs.data.astype(np.uint32)
        self.order = _contraction_order(network)
        # A metric answers one thread at a time, so each thread takes an idle one or makes its own.
        self.idle: list[Any] = []

    def weights(self, origins: IntArray, destinations: IntArray) -> FloatArray:
        try:
            metric = self.idle.pop()
        except IndexError:
            metric = pyroutingkit.CCHMetric(self.order.topology())
            metric.customize(self.arc_weight)
        units = metric.distances_many_to_many(origins.astype(np.uint32), destinations.astype(np.uint32))
        self.idle.append(metric)
        weight: FloatArray = units / self.scale
        weight[units == pyroutingkit.INF_WEIGHT] = np.nan
        return weight

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "idle": []}


def _kept(network: Network, compute: Callable[[], NDArray[Any]], kind: str, *inputs: ArrayLike) -> NDArray[Any]:
    """What was computed from the network's edges and some inputs, from the disk if it is there."""
    if network.n_nodes < MIN_CACHED_NODES:
        return compute()
    edges = (network.edge_from, network.edge_to, network.n_nodes, network.directed)
    return cached_array(compute, *edges, *inputs, suffix=kind)


class _ContractionOrder:
    """RoutingKit's topology of a network, and the same as bytes to be stored or sent."""

    def __init__(self, stored: NDArray[np.uint8], topology: Any = None) -> None:
        self._stored, self._topology, self._lock = stored, topology, Lock()

    def topology(self) -> Any:
        with self._lock:  # the first thread to ask on another machine unpacks it for all
            if self._topology is None:
                self._topology = _unpack(self._stored)
            return self._topology

    def __reduce__(self) -> tuple[Any, ...]:
        return _ContractionOrder, (self._stored,)


@lru_cache(maxsize=4)
def _contraction_order(network: Network) -> _ContractionOrder:
    built: list[Any] = []

    def build() -> NDArray[np.uint8]:
        built.append(_build(network))
        return _pack(built[0])

    stored = _kept(network, build, "order", network.node_lon, network.node_lat, ORDER_VERSION)
    if not built:
        try:
            built.append(_unpack(stored))
        except (OSError, RuntimeError):  # no room for temporary files: that must not stop a study
            built.append(_build(network))
    return _ContractionOrder(stored, built[0])


def _build(network: Network) -> Any:
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


def _pack(topology: Any) -> NDArray[np.uint8]:
    """The files that RoutingKit saves, as one array; empty where there is no room for them."""
    content = io.BytesIO()
    try:
        with tempfile.TemporaryDirectory() as folder:
            topology.save(folder)
            files: dict[str, Any] = {file.name: np.fromfile(file, np.uint8) for file in Path(folder).iterdir()}
            np.savez(content, **files)
    except (OSError, RuntimeError):
        return np.empty(0, np.uint8)
    return np.frombuffer(content.getvalue(), np.uint8)


def _unpack(stored: NDArray[np.uint8]) -> Any:
    topology = pyroutingkit.CCHTopology()
    with tempfile.TemporaryDirectory() as folder, np.load(io.BytesIO(stored.tobytes())) as files:
        for name in files.files:
            files[name].tofile(Path(folder) / name)
        topology.load(folder)
    return topology


def _longest_path_bound(network: Network, edge_weight: FloatArray) -> float:
    """An upper bound of every shortest path's weight.

    Between two nodes of a strong component the way over its first node is long enough; a path enters each
    component at most once and takes each edge between components at most once.
    """
    graph, _ = lightest_arcs(network, edge_weight)
    arcs = graph.tocoo()
    _, strong = connected_components(graph, connection="strong")
    _, weak = connected_components(graph, directed=False)
    _, first = np.unique(strong, return_index=True)
    inside = strong[arcs.row] == strong[arcs.col]
    within = csr_array((arcs.data[inside], (arcs.row[inside], arcs.col[inside])), shape=graph.shape)
    longest = np.zeros(weak.max() + 1)
    np.add.at(longest, weak[arcs.row[~inside]], arcs.data[~inside])
    out = dijkstra(within, indices=first, min_only=True)
    back = dijkstra(within.T.tocsr(), indices=first, min_only=True) if network.directed else out
    for distance in (out, back):
        farthest = np.zeros(len(first))
        np.maximum.at(farthest, strong, distance)
        np.add.at(longest, weak[first], farthest)
    return float(longest.max())

"""What others offer in Python for many-to-many distances, each as a function of a road network.

Each runs in a process of its own and writes what its user would write: build the tool's graph, then ask it. A
function returns (seconds to build, seconds to answer, kilometres (n_origins, n_destinations)) for the origins given.

    python -m benchmarks.routers "NetworkX" network.npz 40 matrix.npy

prints seconds, and the peak memory of the process, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Answer = tuple[float, float, Any]
Arcs = tuple[Any, Any, Any, int]
"""Tail, head and km of every arc, and the number of nodes."""


def deh_siting(file: Path, origins: Any, destinations: Any) -> Answer:
    """This project: nothing is built beforehand, so all of its time is the answer's."""
    from benchmarks.road_networks import read_network
    from geodata.matrix import many_to_many

    network = read_network(file)
    began = time.perf_counter()
    km = many_to_many(network, origins, destinations)
    return 0.0, time.perf_counter() - began, km


def deh_siting_to_file(file: Path, origins: Any, destinations: Any) -> Answer:
    """This project, with the matrix streamed to a file."""
    from benchmarks.road_networks import read_network
    from geodata.blocks import write_matrix

    network = read_network(file)
    began = time.perf_counter()
    km = write_matrix(file.with_name("streamed.npy"), network, origins, destinations)
    return 0.0, time.perf_counter() - began, km


def scipy_dijkstra(file: Path, origins: Any, destinations: Any) -> Answer:
    """scipy.sparse.csgraph.dijkstra, some origins at a time: all at once would not fit memory."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    tail, head, km, n_nodes = arcs(file)
    began = time.perf_counter()
    graph = csr_array((km, (tail, head)), shape=(n_nodes, n_nodes))
    built = time.perf_counter()
    step = 100
    rows = [dijkstra(graph, indices=origins[k : k + step])[:, destinations] for k in range(0, len(origins), step)]
    return built - began, time.perf_counter() - built, np.concatenate(rows)


def networkx_dijkstra(file: Path, origins: Any, destinations: Any) -> Answer:
    """networkx.single_source_dijkstra_path_length, as a user of OSMnx writes it."""
    import networkx as nx

    tail, head, km, _ = arcs(file)
    began = time.perf_counter()
    graph = nx.DiGraph()
    graph.add_weighted_edges_from(zip(tail.tolist(), head.tolist(), km.tolist(), strict=True), weight="length")
    built = time.perf_counter()
    rows = []
    for origin in origins.tolist():
        reached = nx.single_source_dijkstra_path_length(graph, origin, weight="length")
        rows.append([reached.get(node, np.inf) for node in destinations.tolist()])
    return built - began, time.perf_counter() - built, np.array(rows)


def igraph_distances(file: Path, origins: Any, destinations: Any) -> Answer:
    """igraph.Graph.distances."""
    import igraph

    tail, head, km, n_nodes = arcs(file)
    began = time.perf_counter()
    graph = igraph.Graph(n_nodes, np.column_stack([tail, head]), directed=True, edge_attrs={"km": km})
    built = time.perf_counter()
    # Each node may be named once only.
    target, column = np.unique(destinations, return_inverse=True)
    rows = graph.distances(origins.tolist(), target.tolist(), weights="km")
    return built - began, time.perf_counter() - built, np.array(rows)[:, column]


def rustworkx_dijkstra(file: Path, origins: Any, destinations: Any) -> Answer:
    """rustworkx.dijkstra_shortest_path_lengths of every origin."""
    import rustworkx

    tail, head, km, n_nodes = arcs(file)
    began = time.perf_counter()
    graph = rustworkx.PyDiGraph()
    graph.add_nodes_from(range(n_nodes))
    graph.add_edges_from(list(zip(tail.tolist(), head.tolist(), km.tolist(), strict=True)))
    built = time.perf_counter()
    rows = []
    for origin in origins.tolist():
        reached = {**rustworkx.dijkstra_shortest_path_lengths(graph, origin, float), origin: 0.0}
        rows.append([reached.get(node, np.inf) for node in destinations.tolist()])
    return built - began, time.perf_counter() - built, np.array(rows)


def arcs(file: Path) -> Arcs:
    """The arcs of a network file, the lightest of parallel ones."""
    stored = np.load(file)
    tail, head, km = stored["edge_from"], stored["edge_to"], stored["edge_km"]
    if not stored["directed"]:
        tail, head, km = np.concatenate([tail, head]), np.concatenate([head, tail]), np.concatenate([km, km])
    order = np.lexsort((km, head, tail))
    tail, head, km = tail[order], head[order], km[order]
    first = np.append(True, (np.diff(tail) != 0) | (np.diff(head) != 0))
    return tail[first], head[first], km[first], len(stored["node_lon"])


ROUTERS: dict[str, Callable[[Path, Any, Any], Answer]] = {
    "deh-siting": deh_siting,
    "deh-siting, to a file": deh_siting_to_file,
    "SciPy": scipy_dijkstra,
    "igraph": igraph_distances,
    "rustworkx": rustworkx_dijkstra,
    "NetworkX": networkx_dijkstra,
}


def peak_mb() -> float:
    """The most memory that this process has held."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def main() -> None:
    """Run what the arguments name; {} where the tool is not installed."""
    router, file, n_origins, out = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    stored = np.load(file)
    origins, destinations = stored["origins"][:n_origins], stored["destinations"]
    try:
        build_s, answer_s, km = ROUTERS[router](file, origins, destinations)
    except ImportError:
        print("{}")
        return
    print(json.dumps({"build_s": build_s, "answer_s": answer_s, "peak_mb": peak_mb()}))
    np.save(out, np.where(np.isinf(km[:40]), np.nan, km[:40]))


if __name__ == "__main__":
    main()

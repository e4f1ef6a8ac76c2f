"""The networks that routing is measured on, as files of arrays: the bundled roads, and a generated million of nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from geodata.network import Network, components, load_network

ROAD = Path(__file__).parents[1] / "geodata" / "india" / "road.parquet"
ARRAYS = ("node_lon", "node_lat", "edge_from", "edge_to", "edge_km")


def bundled() -> Network:
    """The roads of the pack."""
    return load_network(ROAD)


def road_like(nodes: int = 1_000_000, edges: int = 2_500_000, seed: int = 0) -> Network:
    """A directed network as roads are: planar, connected, of few roads per crossing, dense in towns.

    Half of the crossings are spread over 27 x 27 degrees, half lie around towns (one per 2,500 crossings, 0.1 degree
    of standard deviation). Roads are edges of their Delaunay triangulation: its shortest spanning tree both ways, so
    that every crossing reaches every other, and more of them, mostly short, until there are as many edges (one per
    direction of travel) as asked for; every fifth of these is one-way. A road is 1 to 1.4 times as long as its line,
    in whole metres.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree
    from scipy.spatial import Delaunay

    rng = np.random.default_rng(seed)
    towns = rng.random((nodes // 2500 + 1, 2)) * 27
    around = towns[rng.integers(0, len(towns), nodes // 2)] + rng.normal(0, 0.1, (nodes // 2, 2))
    place = np.concatenate([rng.random((nodes - nodes // 2, 2)) * 27, around])
    corners = Delaunay(place).simplices.astype(np.int64)
    sides = np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]]), axis=1)
    key = np.unique(sides[:, 0] * nodes + sides[:, 1])
    a, b = np.divmod(key, nodes)
    line_km = np.hypot(*(place[a] - place[b]).T) * 111.2
    tree = minimum_spanning_tree(coo_array((line_km, (a, b)), shape=(nodes, nodes))).tocoo()
    in_tree = np.isin(key, np.minimum(tree.row, tree.col).astype(np.int64) * nodes + np.maximum(tree.row, tree.col))
    others = np.flatnonzero(~in_tree)
    others = others[np.argsort(rng.exponential(size=len(others)) * line_km[others])]
    left = edges - 2 * int(in_tree.sum())
    more = (left - left // 9) // 2
    one_way = others[more : left - more]
    two_way = np.concatenate([np.flatnonzero(in_tree), others[:more]])
    km = np.maximum(np.rint(1000 * line_km * rng.uniform(1, 1.4, len(key))), 1) / 1000
    return _network(
        place[:, 0] + 70,
        place[:, 1] + 8,
        np.concatenate([a[one_way], a[two_way], b[two_way]]),
        np.concatenate([b[one_way], b[two_way], a[two_way]]),
        km[np.concatenate([one_way, two_way, two_way])],
        directed=True,
    )


def write_network(file: Path, network: Network, n_origins: int, n_destinations: int, seed: int = 1) -> None:
    """Keep the arrays that routing needs, with random origins and destinations of the main component."""
    main = np.flatnonzero(components(network) == 0)
    rng = np.random.default_rng(seed)
    np.savez(
        file,
        **{name: getattr(network, name) for name in ARRAYS},
        directed=network.directed,
        origins=rng.choice(main, n_origins),
        destinations=rng.choice(main, n_destinations),
    )


def read_network(file: Path) -> Network:
    """The network of a file that `write_network` wrote; without lines to draw."""
    stored = np.load(file)
    lon, lat, edge_from, edge_to, km = (stored[name] for name in ARRAYS)
    return _network(lon, lat, edge_from, edge_to, km, directed=bool(stored["directed"]))


def _network(lon: Any, lat: Any, edge_from: Any, edge_to: Any, km: Any, directed: bool) -> Network:
    nothing = np.full(len(km), None, dtype=object)
    return Network(lon, lat, edge_from, edge_to, km, nothing, nothing, nothing, directed=directed)

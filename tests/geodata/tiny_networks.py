"""Small networks, written as lists of edges."""

import numpy as np
import shapely

from geodata.network import Network


def network(n_nodes: int, edges: list[tuple[int, int, float]], directed: bool = False) -> Network:
    """A network with its nodes one hundredth of a degree apart on the equator."""
    lon, lat = 70 + 0.01 * np.arange(n_nodes), np.zeros(n_nodes)
    ends = np.array([edge[:2] for edge in edges], dtype=np.int64).reshape(-1, 2)
    return Network(
        node_lon=lon,
        node_lat=lat,
        edge_from=ends[:, 0],
        edge_to=ends[:, 1],
        edge_km=np.array([edge[2] for edge in edges], dtype=float),
        edge_class=np.array(["plain"] * len(edges), dtype=object),
        edge_repair=np.array([None] * len(edges), dtype=object),
        geometry=np.array([shapely.LineString([(lon[a], 0), (lon[b], 0)]) for a, b, _ in edges], dtype=object),
        directed=directed,
    )

"""Road corridors by the towns on them, and the edges of a network that they run along."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from geodata.districts import INDIA_BOUNDS
from geodata.errors import Fault, InputError
from geodata.matrix import shortest_paths
from geodata.network import IntArray, Network, snap
from geodata.tables import Bounds, Column, read_table

CORRIDOR_COLUMNS = (
    Column("corridor_id"),
    Column("name"),
    Column("stop", "number", minimum=1),  # its place in the order along the corridor
    Column("place"),
    Column("lon", "number", minimum=-180, maximum=180),
    Column("lat", "number", minimum=-90, maximum=90),
    Column("source"),
)


def load_corridors(path: Path | str, bounds: Bounds = INDIA_BOUNDS) -> pd.DataFrame:
    """Towns along corridors, one row each in order of travel, with ``CORRIDOR_COLUMNS``.

    Raises:
        InputError: naming every fault; a corridor of one town among them.
    """
    table = read_table(path, CORRIDOR_COLUMNS, bounds, may_be_empty=True)
    towns = table["corridor_id"].value_counts()
    if (short := towns.index[towns < 2]).size:
        remedy = "give the towns at both of its ends at least"
        raise InputError([Fault(f"corridor {name!r} has one town", remedy, path, value=name) for name in short])
    return table.sort_values(["corridor_id", "stop"], kind="stable", ignore_index=True)


def corridor_edges(network: Network, lon: pd.Series, lat: pd.Series) -> IntArray:
    """Edges of the shortest way through points, from each to the next; none between points that no way joins."""
    node, _ = snap(network, lon, lat)
    routes = shortest_paths(network, node[:-1], node[1:])
    edges = [route.edges for route in routes if route is not None]
    return np.unique(np.concatenate(edges)) if edges else np.zeros(0, np.int64)

"""A transport network as arrays: loading, snapping points to it, its components and its faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from geodata.errors import Fault, InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EARTH_RADIUS_KM = 6371.0088  # mean radius of GRS 80, IUGG (Moritz 2000)
LONG_STRAIGHT_EDGE_KM = 50.0
KM_SLACK = 1e-6  # rounding of stored lengths and coordinates
COORDINATE_SLACK_DEG = 1e-6  # ends of lines that meet at a node must agree to this


@dataclass(frozen=True, eq=False)
class Network:
    """Nodes and edges of one transport network.

    Shapes: ``node_*`` are (n_nodes,), ``edge_*`` and ``geometry`` (n_edges,). Coordinates are degrees, WGS 84.
    Edges run both ways unless ``directed``; then each is one arc, and a two-way road is two of them. ``edge_repair``
    says why an edge was added to the source data (None = it came with the source). ``geometry`` holds the lines for
    drawing, from ``edge_from`` to ``edge_to``. ``edge_hours`` is the running time of a truck or train without stops,
    None where the source has no classes to tell it from.
    Two networks are equal only if they are the same object, so a network can be a cache key.
    """

    node_lon: FloatArray
    node_lat: FloatArray
    edge_from: IntArray
    edge_to: IntArray
    edge_km: FloatArray
    edge_class: NDArray[np.object_]
    edge_repair: NDArray[np.object_]
    geometry: NDArray[np.object_]
    directed: bool = False
    edge_hours: FloatArray | None = None

    @property
    def n_nodes(self) -> int:
        return len(self.node_lon)

    @property
    def n_edges(self) -> int:
        return len(self.edge_from)

    @cached_property
    def classes(self) -> tuple[IntArray, list[str]]:
        """Position of each edge's class (n_edges,) among the names of all, and these."""
        of_edge, names = pd.factorize(self.edge_class)
        return of_edge, list(names)


@dataclass(frozen=True)
class NetworkReport:
    """What a reader should know about a network before believing distances on it."""

    n_nodes: int
    n_edges: int
    length_km: float
    length_km_by_class: dict[str, float]
    component_nodes: list[int]
    """Nodes per component, largest first."""
    outside_main_km: float
    """Edge length that no snapped point can both reach and leave."""
    repairs: pd.DataFrame
    """Columns repair, edges, km."""
    long_straight_edges: pd.DataFrame
    """Edges drawn as one straight line of more than LONG_STRAIGHT_EDGE_KM.

    Columns edge, from_lon, from_lat, to_lon, to_lat, km.
    """
    far_snaps: pd.DataFrame
    """Points farther from the network than the limit: name, lon, lat, snap_km; farthest first."""


def great_circle_km(lon_a: ArrayLike, lat_a: ArrayLike, lon_b: ArrayLike, lat_b: ArrayLike) -> FloatArray:
    """Great-circle distance in km between points in degrees; arguments broadcast.

    Haversine formula on a sphere of mean radius (Sinnott 1984); within 0.6 % of the ellipsoid.
    """
    lon_a, lat_a, lon_b, lat_b = (np.radians(np.asarray(x, dtype=np.float64)) for x in (lon_a, lat_a, lon_b, lat_b))
    h = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    km: FloatArray = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0)))
    return km


def _read_table(path: Path) -> gpd.GeoDataFrame:
    if not path.is_file():
        raise InputError(Fault("no such file", "rebuild the pack or give the path of a network file", path))
    try:
        table = gpd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise InputError(Fault(f"not a GeoParquet file ({error})", "save it as GeoParquet", path)) from error
    required = ["from_node", "to_node", "km", "edge_class", "repair"]
    missing = [name for name in required if name not in table.columns]
    if missing:
        raise InputError(
            Fault(f"column {', '.join(missing)} missing", f"a network needs {', '.join(required)}, geometry", path)
        )
    return table


def load_network(path: str | Path) -> Network:
    """Network from a GeoParquet file of LineStrings (EPSG:4326).

    Columns: from_node, to_node (integers 0..n-1), km, edge_class, repair (text or null), geometry; optional hours
    (running time) and oneway (true or false). A row that is not one-way runs both ways. With any one-way row the
    network is directed and has two arcs for every other row; without, a row is an edge. Raises InputError.
    """
    path = Path(path)
    table = _read_table(path)
    problems = _table_problems(table, path.name)
    if problems:
        raise InputError(problems)

    edge_from = table["from_node"].to_numpy(dtype=np.int64)
    edge_to = table["to_node"].to_numpy(dtype=np.int64)
    geometry = np.asarray(table.geometry.array, dtype=object)
    ends = np.concatenate([edge_from, edge_to])
    points, line = shapely.get_coordinates(geometry, return_index=True)
    each = np.arange(len(table))
    lon, lat = points[np.concatenate([np.searchsorted(line, each), np.searchsorted(line, each, side="right") - 1])].T
    node_lon, node_lat = np.full((2, ends.max() + 1), np.nan)
    node_lon[ends], node_lat[ends] = lon, lat
    km = table["km"].to_numpy(dtype=np.float64)

    apart = np.hypot(node_lon[ends] - lon, node_lat[ends] - lat) > COORDINATE_SLACK_DEG
    for row in np.flatnonzero(apart)[:10] % len(table):
        problems.append(
            Fault(
                "its line does not end where the other lines of its nodes end",
                "draw its ends on its nodes",
                path.name,
                int(row) + 1,
                "geometry",
            )
        )
    for node in np.flatnonzero(np.isnan(node_lon))[:10]:
        problems.append(Fault(f"node {node} has no edge", "number the nodes 0..n-1 without gaps", path.name))
    if problems:
        raise InputError(problems)
    straight = great_circle_km(node_lon[edge_from], node_lat[edge_from], node_lon[edge_to], node_lat[edge_to])
    _check_lengths(path, km, straight)
    network = Network(
        node_lon=node_lon,
        node_lat=node_lat,
        edge_from=edge_from,
        edge_to=edge_to,
        edge_km=km,
        edge_class=table["edge_class"].to_numpy(dtype=object),
        edge_repair=table["repair"].astype(object).where(table["repair"].notna(), None).to_numpy(dtype=object),
        geometry=geometry,
        edge_hours=table["hours"].to_numpy(dtype=np.float64) if "hours" in table.columns else None,
    )
    if "oneway" not in table.columns or not table["oneway"].any():
        return network
    return as_arcs(network, table["oneway"].to_numpy(dtype=bool))


def as_arcs(network: Network, oneway: NDArray[np.bool_]) -> Network:
    """A directed network in which every edge that is not one-way (n_edges,) has become two arcs, there and back."""
    both = np.flatnonzero(~oneway)
    there_and_back = np.concatenate([np.arange(network.n_edges), both])
    edge_hours = network.edge_hours
    return replace(
        network,
        edge_from=np.concatenate([network.edge_from, network.edge_to[both]]),
        edge_to=np.concatenate([network.edge_to, network.edge_from[both]]),
        edge_km=network.edge_km[there_and_back],
        edge_class=network.edge_class[there_and_back],
        edge_repair=network.edge_repair[there_and_back],
        geometry=np.concatenate([network.geometry, shapely.reverse(network.geometry[both])]),
        directed=True,
        edge_hours=None if edge_hours is None else edge_hours[there_and_back],
    )


def write_network(network: Network, path: str | Path) -> None:
    """Write the GeoParquet file that `load_network` reads; of two arcs there and back, one row."""
    edges = _rows(network)
    columns: dict[str, ArrayLike] = {}
    if network.directed:
        columns["oneway"] = _arc_back(network)[edges] < 0
    if network.edge_hours is not None:
        columns["hours"] = network.edge_hours[edges]
    gpd.GeoDataFrame(
        {
            "from_node": network.edge_from[edges].astype(np.int32),
            "to_node": network.edge_to[edges].astype(np.int32),
            "km": network.edge_km[edges],
            "edge_class": network.edge_class[edges],
            "repair": pd.array(network.edge_repair[edges], dtype="string"),
            **columns,
        },
        geometry=network.geometry[edges],
        crs="EPSG:4326",
    ).to_parquet(path, compression="zstd", index=False)


def _rows(network: Network) -> IntArray:
    """Edges, but of two arcs there and back only the first."""
    edges = np.arange(network.n_edges)
    if not network.directed:
        return edges
    back = _arc_back(network)
    return edges[(back < 0) | (edges < back)]


@lru_cache(maxsize=8)
def _arc_back(network: Network) -> IntArray:
    """For each arc the arc that runs the same way back, (n_edges,); -1 = there is none."""
    start, end = network.edge_from, network.edge_to
    arcs = pd.DataFrame(
        {
            "low": np.minimum(start, end),
            "high": np.maximum(start, end),
            "km": network.edge_km,
            "hours": 0.0 if network.edge_hours is None else network.edge_hours,
            "edge_class": network.edge_class,
            "repair": network.edge_repair,
            "up": start < end,
        }
    )
    same = [name for name in arcs.columns if name != "up"]
    # Like arcs between the same nodes are paired in the order they come in.
    arcs["turn"] = arcs.groupby([*same, "up"], dropna=False, observed=True).cumcount()
    arcs["arc"] = arcs.index
    pairs = arcs[arcs["up"]].merge(arcs[~arcs["up"]], on=[*same, "turn"], suffixes=("_up", "_down"))
    up, down = pairs["arc_up"].to_numpy(), pairs["arc_down"].to_numpy()
    alike = shapely.equals_exact(network.geometry[up], shapely.reverse(network.geometry[down]), tolerance=0.0)
    back = np.full(network.n_edges, -1)
    back[up[alike]], back[down[alike]] = down[alike], up[alike]
    return back


def _check_lengths(path: Path, km: FloatArray, straight: FloatArray) -> None:
    """Raise InputError for edges that are shorter than the great circle of their ends."""
    if (km < straight - KM_SLACK).any():
        raise InputError(
            [
                Fault(
                    f"km {km[row]:.3f} is less than the great circle {straight[row]:.3f} of its ends",
                    "correct the length or the line",
                    path.name,
                    int(row) + 1,
                    "km",
                    float(km[row]),
                )
                for row in np.flatnonzero(km < straight - KM_SLACK)[:10]
            ]
        )


def _table_problems(table: gpd.GeoDataFrame, name: str) -> list[Fault]:
    """Faults that can be seen row by row, at most ten of each kind; the first row is 1."""
    if table.empty:
        return [Fault("no edges", "write the network again", name)]
    problems = []
    if table.crs is not None and table.crs.to_epsg() != 4326:
        problems.append(Fault(f"coordinates are in {table.crs.name}", "reproject to EPSG:4326", name))
    km = pd.to_numeric(table["km"], errors="coerce")
    bounds = table.geometry.bounds
    checks = {
        "geometry is not a LineString": table.geometry.geom_type != "LineString",
        "geometry reaches beyond a longitude of -180 to 180": ~bounds["minx"].ge(-180) | ~bounds["maxx"].le(180),
        "geometry reaches beyond a latitude of -90 to 90 (longitude comes first)": (
            ~bounds["miny"].ge(-90) | ~bounds["maxy"].le(90)
        ),
        "km is not a number of at least 0": ~(km >= 0) | np.isinf(km),
        "from_node is not a whole number of at least 0": ~_is_node(table["from_node"]),
        "to_node is not a whole number of at least 0": ~_is_node(table["to_node"]),
        "edge_class is empty": table["edge_class"].isna(),
    }
    if "hours" in table.columns:
        hours_run = pd.to_numeric(table["hours"], errors="coerce")
        checks["hours is not a number of at least 0"] = ~(hours_run >= 0) | np.isinf(hours_run)
    if "oneway" in table.columns:
        checks["oneway is not true or false"] = ~table["oneway"].isin([True, False])
    for fault, bad in checks.items():
        column = fault.split()[0]
        problems += [
            Fault(fault, "correct it", name, int(row) + 1, column, table[column].iloc[row])
            for row in np.flatnonzero(bad.to_numpy())[:10]
        ]
    return problems


def _is_node(values: pd.Series) -> pd.Series:
    number = pd.to_numeric(values, errors="coerce")
    return (number >= 0) & (number % 1 == 0)


def adjacency(network: Network, edge_weight: FloatArray) -> coo_array:
    """Sparse (n_nodes, n_nodes) matrix of edge weights; parallel edges are still apart."""
    rows, columns, weights = network.edge_from, network.edge_to, edge_weight
    if not network.directed:
        rows, columns = np.concatenate([rows, columns]), np.concatenate([columns, rows])
        weights = np.concatenate([weights, weights])
    return coo_array((weights, (rows, columns)), shape=(network.n_nodes, network.n_nodes))


@lru_cache(maxsize=8)
def components(network: Network) -> IntArray:
    """Component of each node (n_nodes,), numbered from the largest (0) down; directed: weakly connected."""
    return _components(network, "weak")


@lru_cache(maxsize=8)
def strong_components(network: Network) -> IntArray:
    """As `components`, but within one every node can be reached from every other; the same if undirected."""
    return _components(network, "strong")


def _components(network: Network, connection: Literal["weak", "strong"]) -> IntArray:
    _, label = connected_components(adjacency(network, np.ones(network.n_edges)), connection=connection)
    size = np.bincount(label)
    rank = np.empty(len(size), dtype=np.int64)
    rank[np.argsort(-size, kind="stable")] = np.arange(len(size))
    ranked: IntArray = rank[label]
    ranked.flags.writeable = False
    return ranked


def unit_xyz(lon: FloatArray, lat: FloatArray) -> FloatArray:
    """Points (n,) in degrees as unit vectors (n, 3): chords between them stand for distances on the sphere."""
    lon, lat = np.radians(lon), np.radians(lat)
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


@lru_cache(maxsize=8)
def _main_nodes(network: Network) -> tuple[KDTree, IntArray]:
    nodes = np.flatnonzero(strong_components(network) == 0)
    return KDTree(unit_xyz(network.node_lon[nodes], network.node_lat[nodes])), nodes


def snap(network: Network, lon: ArrayLike, lat: ArrayLike) -> tuple[IntArray, FloatArray]:
    """Nearest node of the main component, and the great-circle km to it, for each point; both (n_points,).

    Only the main component counts (directed: strongly connected), or a point beside an islet of the network or at a
    one-way end of it would be cut off.
    Raises InputError if a coordinate is not a number in range.
    """
    lon, lat = np.atleast_1d(np.asarray(lon, np.float64)), np.atleast_1d(np.asarray(lat, np.float64))
    bad = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    if bad.any():
        raise InputError(
            [
                Fault(f"point {i}: lon {lon[i]}, lat {lat[i]} is not on the globe", "give degrees")
                for i in np.flatnonzero(bad)[:10]
            ]
        )
    tree, nodes = _main_nodes(network)
    # The chord grows with the arc, so the nearest node through the globe is the nearest along it.
    node: IntArray = nodes[tree.query(unit_xyz(lon, lat))[1]]
    return node, great_circle_km(lon, lat, network.node_lon[node], network.node_lat[node])


def hours(network: Network, speed_km_h: Mapping[str, float]) -> FloatArray:
    """Hours to run along each edge (n_edges,) at the speed of its class.

    Raises InputError for a class without a speed above 0.
    """
    of_edge, names = network.classes
    speed = np.array([speed_km_h.get(name, np.nan) for name in names])
    if not (speed > 0).all():
        wrong = sorted(name for name, km_h in zip(names, speed, strict=True) if not km_h > 0)
        raise InputError([Fault(f"speed_km_h: edge class {name!r} has no speed above 0", "add one") for name in wrong])
    edge_hours: FloatArray = network.edge_km / speed[of_edge]
    return edge_hours


def network_report(
    network: Network,
    name: Sequence[str] = (),
    lon: ArrayLike = (),
    lat: ArrayLike = (),
    snap_limit_km: float = 10.0,
) -> NetworkReport:
    """Components, repairs, long straight edges, and the named points farther than the limit from the network.

    Of two arcs there and back, one counts.
    """
    label, strong, rows = components(network), strong_components(network), _rows(network)
    outside = (strong[network.edge_from[rows]] != 0) | (strong[network.edge_to[rows]] != 0)
    edges = pd.DataFrame(
        {
            "edge": np.arange(network.n_edges),
            "from_lon": network.node_lon[network.edge_from],
            "from_lat": network.node_lat[network.edge_from],
            "to_lon": network.node_lon[network.edge_to],
            "to_lat": network.node_lat[network.edge_to],
            "km": network.edge_km,
            "edge_class": network.edge_class,
            "repair": network.edge_repair,
        }
    ).iloc[rows]
    straight = (edges["km"] > LONG_STRAIGHT_EDGE_KM) & (shapely.get_num_points(network.geometry[rows]) == 2)
    points = pd.DataFrame({"name": list(name), "lon": np.asarray(lon, float), "lat": np.asarray(lat, float)})
    points["snap_km"] = snap(network, points["lon"], points["lat"])[1] if len(points) else np.empty(0)
    repairs = edges.dropna(subset="repair").groupby("repair")["km"].agg(["size", "sum"]).reset_index()
    return NetworkReport(
        n_nodes=network.n_nodes,
        n_edges=len(rows),
        length_km=float(network.edge_km[rows].sum()),
        length_km_by_class={str(key): float(km) for key, km in edges.groupby("edge_class")["km"].sum().items()},
        component_nodes=np.bincount(label).tolist(),
        outside_main_km=float(network.edge_km[rows][outside].sum()),
        repairs=repairs.set_axis(["repair", "edges", "km"], axis=1),
        long_straight_edges=edges.loc[straight, ["edge", "from_lon", "from_lat", "to_lon", "to_lat", "km"]],
        far_snaps=points[points["snap_km"] > snap_limit_km].sort_values("snap_km", ascending=False, ignore_index=True),
    )

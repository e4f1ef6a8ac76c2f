"""What a Network promises, on small networks and on the bundled ones."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from tiny_networks import network as tiny

from geodata.errors import InputError
from geodata.network import (
    Network,
    components,
    great_circle_km,
    hours,
    load_network,
    network_report,
    snap,
    strong_components,
    write_network,
)

PACK = Path(__file__).parents[2] / "geodata" / "india"


def table(rows: list[tuple[int, int, list[tuple[float, float]], float]]) -> gpd.GeoDataFrame:
    """Edges (from node, to node, line, km) in the pack's form."""
    return gpd.GeoDataFrame(
        {
            "from_node": [row[0] for row in rows],
            "to_node": [row[1] for row in rows],
            "km": [row[3] for row in rows],
            "edge_class": ["plain"] * len(rows),
            "repair": pd.array([None] * len(rows), dtype="string"),
        },
        geometry=[shapely.LineString(row[2]) for row in rows],
        crs="EPSG:4326",
    )


# A chain of three nodes along the equator, about 111 km apart, and an islet of two nodes north of it.
CHAIN = [
    (0, 1, [(70.0, 0.0), (70.5, 0.1), (71.0, 0.0)], 120.0),
    (1, 2, [(71.0, 0.0), (72.0, 0.0)], 112.0),
    (3, 4, [(70.0, 5.0), (70.0, 5.2)], 23.0),
]


@pytest.fixture
def chain(tmp_path: Path) -> Network:
    table(CHAIN).to_parquet(tmp_path / "chain.parquet")
    return load_network(tmp_path / "chain.parquet")


@pytest.fixture(scope="module", params=["road", "rail"])
def bundled(request: pytest.FixtureRequest) -> Network:
    return load_network(PACK / f"{request.param}.parquet")


def test_great_circle_of_a_quarter_of_the_earth() -> None:
    assert great_circle_km(0, 0, 90, 0) == pytest.approx(10007.557, abs=0.001)
    assert great_circle_km(77.21, 28.61, 72.88, 19.08) == pytest.approx(1148, abs=3)  # Delhi - Mumbai
    assert great_circle_km(80, 13, 80, 13) == 0


def test_loading_keeps_nodes_lengths_and_lines(chain: Network) -> None:
    assert (chain.n_nodes, chain.n_edges) == (5, 3)
    assert chain.node_lon.tolist() == [70, 71, 72, 70, 70]
    assert chain.edge_km.tolist() == [120, 112, 23]
    assert chain.edge_repair.tolist() == [None, None, None]
    assert len(chain.geometry[0].coords) == 3


def test_a_table_with_a_one_way_row_becomes_a_directed_network(tmp_path: Path) -> None:
    rows = table(CHAIN).assign(oneway=[True, False, False], hours=[3.0, 2.0, 1.0])
    rows.to_parquet(tmp_path / "oneway.parquet")
    network = load_network(tmp_path / "oneway.parquet")
    assert network.directed
    assert list(zip(network.edge_from, network.edge_to, strict=True)) == [(0, 1), (1, 2), (3, 4), (2, 1), (4, 3)]
    assert network.edge_hours is not None and network.edge_hours.tolist() == [3, 2, 1, 2, 1]
    assert network.geometry[3].equals_exact(network.geometry[1].reverse())


def test_a_table_of_two_way_rows_stays_undirected(tmp_path: Path) -> None:
    table(CHAIN).assign(oneway=False).to_parquet(tmp_path / "twoway.parquet")
    network = load_network(tmp_path / "twoway.parquet")
    assert not network.directed and network.n_edges == 3 and network.edge_hours is None


@pytest.mark.parametrize("oneway", [[False, False, False], [True, False, False], [True, True, True]])
def test_a_network_that_is_written_and_read_is_the_same(tmp_path: Path, oneway: list[bool]) -> None:
    table(CHAIN).assign(oneway=oneway, hours=[3.0, 2.0, 1.0]).to_parquet(tmp_path / "first.parquet")
    first = load_network(tmp_path / "first.parquet")
    write_network(first, tmp_path / "second.parquet")
    second = load_network(tmp_path / "second.parquet")
    assert len(gpd.read_parquet(tmp_path / "second.parquet")) == len(CHAIN)
    for name in ("node_lon", "edge_from", "edge_to", "edge_km", "edge_hours", "edge_class", "edge_repair", "geometry"):
        assert getattr(second, name).tolist() == getattr(first, name).tolist(), name
    assert second.directed == first.directed


def test_parallel_edges_keep_their_ways_in_a_file(tmp_path: Path) -> None:
    """Two tracks there and one back, all alike: one pair runs both ways, one edge is one-way."""
    there = (0, 1, [(70.0, 0.0), (71.0, 0.0)], 112.0)
    back = (1, 0, [(71.0, 0.0), (70.0, 0.0)], 112.0)
    table([there, there, back]).assign(oneway=True).to_parquet(tmp_path / "three.parquet")
    write_network(load_network(tmp_path / "three.parquet"), tmp_path / "written.parquet")
    assert gpd.read_parquet(tmp_path / "written.parquet")["oneway"].tolist() == [False, True]
    network = load_network(tmp_path / "written.parquet")
    assert sorted(zip(network.edge_from.tolist(), network.edge_to.tolist(), strict=True)) == [(0, 1), (0, 1), (1, 0)]


def test_on_one_ways_a_point_snaps_where_it_can_both_arrive_and_leave() -> None:
    """Nodes 0 and 1 make a two-way street; one can drive from there to the nearer node 2, but not back."""
    network = tiny(3, [(0, 1, 1.2), (1, 0, 1.2), (1, 2, 1.2)], directed=True)
    assert components(network).tolist() == [0, 0, 0]
    assert strong_components(network).tolist() == [0, 0, 1]
    assert snap(network, 70.02, 0.0)[0].tolist() == [1]
    report = network_report(network)
    assert (report.n_edges, report.length_km, report.outside_main_km) == (2, 2.4, 1.2)


def test_the_largest_component_is_number_zero(chain: Network) -> None:
    assert components(chain).tolist() == [0, 0, 0, 1, 1]


def test_a_point_snaps_to_the_main_component_even_where_an_islet_is_nearer(chain: Network) -> None:
    node, km = snap(chain, [70.1, 70.0], [0.0, 5.1])
    assert node.tolist() == [0, 0]
    assert km == pytest.approx(great_circle_km([70.1, 70.0], [0.0, 5.1], 70.0, 0.0))


def test_the_nearest_node_is_the_one_that_brute_force_finds(bundled: Network) -> None:
    rng = np.random.default_rng(7)
    lon, lat = rng.uniform(69, 96, 50), rng.uniform(9, 34, 50)
    main = np.flatnonzero(components(bundled) == 0)
    all_km = great_circle_km(lon[:, None], lat[:, None], bundled.node_lon[main], bundled.node_lat[main])
    node, km = snap(bundled, lon, lat)
    assert km == pytest.approx(all_km.min(axis=1))
    assert set(node) <= set(main)


@pytest.mark.parametrize(("lon", "lat"), [(np.nan, 20.0), (75.0, np.inf), (20.0, 95.0)])
def test_a_point_off_the_globe_is_refused(chain: Network, lon: float, lat: float) -> None:
    with pytest.raises(InputError, match="point 0"):
        snap(chain, [lon], [lat])


def test_hours_are_kilometres_over_the_speed_of_the_class(chain: Network) -> None:
    assert hours(chain, {"plain": 40.0}) == pytest.approx([3.0, 2.8, 0.575])
    with pytest.raises(InputError, match="plain"):
        hours(chain, {"dfc": 50.0})


def test_the_report_names_components_straight_edges_and_far_points(chain: Network) -> None:
    report = network_report(chain, ["near", "far"], [70.0, 75.0], [0.01, 0.0], snap_limit_km=50)
    assert report.component_nodes == [3, 2]
    assert report.outside_main_km == 23.0
    assert report.long_straight_edges["edge"].tolist() == [1]
    assert report.far_snaps["name"].tolist() == ["far"]


FAULTS = {
    "hours is not a number": (lambda t: t.assign(hours=[1.0, -1.0, np.nan]), 2),
    "km is not a number": (lambda t: t.assign(km=[np.nan, 112.0, -1.0]), 2),
    "less than the great circle": (lambda t: t.assign(km=[100.0, 112.0, 23.0]), 1),
    "column km missing": (lambda t: t.drop(columns="km"), 1),
    "from_node is not a whole number": (lambda t: t.assign(from_node=[0.5, 1, 3]), 1),
    "does not end where": (lambda t: t.assign(to_node=[1, 2, 2]), 1),
    "beyond a latitude of": (lambda t: t.set_geometry(t.geometry.affine_transform([0, 1, 1, 0, 0, 50])), 2),
    "no edges": (lambda t: t.iloc[:0], 1),
    "reproject": (lambda t: t.to_crs(3857), 1),
}


@pytest.mark.parametrize("message", FAULTS)
def test_a_faulty_file_is_refused_with_its_rows(tmp_path: Path, message: str) -> None:
    damage, least = FAULTS[message]
    damage(table(CHAIN)).to_parquet(tmp_path / "faulty.parquet")
    with pytest.raises(InputError, match=message) as caught:
        load_network(tmp_path / "faulty.parquet")
    assert len([problem for problem in caught.value.problems if message in problem]) >= least
    assert all("faulty.parquet" in problem for problem in caught.value.problems)
    assert {fault.row for fault in caught.value.faults} <= {None, 1, 2, 3}, "the first row of a Parquet file is 1"


def test_a_missing_file_or_one_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_network(tmp_path / "nothing.parquet")
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(InputError, match="not a GeoParquet file"):
        load_network(tmp_path / "text.parquet")


def test_bundled_networks_are_whole(bundled: Network) -> None:
    report = network_report(bundled)
    assert report.outside_main_km < 0.01 * report.length_km
    long_straight = report.long_straight_edges["edge"]
    assert all(str(text).startswith("link: ") for text in bundled.edge_repair[long_straight])
    assert bundled.n_nodes > 20_000


def test_bundled_networks_stay_in_india(bundled: Network) -> None:
    """Middles of edges lie within 5 km of the states' outline; Dhaka, Kathmandu and Lahore are far from any node."""
    states = gpd.read_parquet(PACK / "states.parquet")
    india = states.to_crs("+proj=laea +lat_0=23 +lon_0=82").geometry.buffer(5000).union_all()
    shapely.prepare(india)
    middle = gpd.GeoSeries(shapely.line_interpolate_point(bundled.geometry, 0.5, normalized=True), crs=4326)
    points = middle.to_crs("+proj=laea +lat_0=23 +lon_0=82")
    outside = ~shapely.contains_xy(india, points.x, points.y)
    # Links over a border corner or a bay are straight lines only in the drawing.
    assert {text for text in bundled.edge_repair[outside] if not str(text).startswith("link: ")} == set()
    _, km = snap(bundled, [90.40, 85.32, 74.34], [23.80, 27.71, 31.55])
    assert (km > 20).all()


def test_every_edge_that_the_source_lacks_is_listed_as_a_repair(bundled: Network) -> None:
    repairs = pd.read_csv(PACK / "network_repairs.csv")
    name = "rail" if "main" in bundled.edge_class else "road"
    listed = repairs[(repairs["network"] == name) & repairs["kind"].isin(["gap", "link"])]
    added = np.array([text is not None for text in bundled.edge_repair])
    assert bundled.edge_km[added].sum() == pytest.approx(listed["km"].sum(), rel=0.02, abs=1)

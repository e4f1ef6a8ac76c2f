"""Every rule that turns OSM ways into a road network for freight, as one small map each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely

from geodata.errors import InputError
from geodata.ingest.freight import FreightRules, freight_network, load_truck_speeds, maxspeed_km_h, maxweight_t
from geodata.ingest.osm import ROAD_CLASSES, read_lines, read_pbf
from geodata.matrix import many_to_many
from geodata.network import Network, great_circle_km, load_network, strong_components, write_network
from tests.geodata.ingest.freight_maps import RULES, STEP, STEP_KM, km_between, made, place
from tests.geodata.ingest.osm_files import Line, Place, write_osm


def arcs(network: Network) -> set[tuple[int, int]]:
    """Arcs by the numbers of their nodes."""
    node = (np.rint(network.node_lon / STEP) + 100 * np.rint(network.node_lat / STEP)).astype(int)
    return set(zip(node[network.edge_from].tolist(), node[network.edge_to].tolist(), strict=True))


HALVES: Sequence[int] = (1, 2)
BOTH = {(1, 2), (2, 1)}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, BOTH),
        ({"oneway": "no"}, BOTH),
        ({"oneway": "yes"}, {(1, 2)}),
        ({"oneway": "1"}, {(1, 2)}),
        ({"oneway": "-1"}, {(2, 1)}),
        ({"oneway": "reverse"}, {(2, 1)}),
        ({"oneway": "reversible"}, BOTH),
        ({"highway": "motorway"}, {(1, 2)}),
        ({"highway": "motorway", "oneway": "no"}, BOTH),
        ({"highway": "motorway_link"}, BOTH),
        ({"junction": "roundabout"}, {(1, 2)}),
        ({"junction": "circular"}, {(1, 2)}),
        ({"junction": "roundabout", "oneway": "no"}, BOTH),
    ],
)
def test_direction(tmp_path: Path, tags: dict[str, str], expected: set[tuple[int, int]]) -> None:
    network = made(tmp_path, (HALVES, {"highway": "primary"} | tags)).network
    assert network.directed
    assert arcs(network) == expected


def test_a_roundabout_is_driven_round_one_way(tmp_path: Path) -> None:
    ring = ([2, 3, 103, 102, 2], {"highway": "primary", "junction": "roundabout"})
    arms = [([1, 2], {"highway": "primary"}), ([103, 104], {"highway": "primary"})]
    there = made(tmp_path, ring, *arms)
    assert km_between(there, place(1), place(104)) == pytest.approx(4 * STEP_KM, rel=1e-6)
    assert km_between(there, place(104), place(1)) == pytest.approx(4 * STEP_KM, rel=1e-6)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"access": "no"}, "access"),
        ({"access": "private"}, "access"),
        ({"motor_vehicle": "no"}, "access"),
        ({"goods": "no"}, "access"),
        ({"hgv": "no"}, "access"),
        ({"access": "no", "hgv": "yes"}, None),
        ({"access": "yes", "hgv": "no"}, "access"),
        ({"access": "destination"}, None),
        ({"hgv": "delivery"}, None),
        ({"hgv": "no;delivery"}, None),
        ({"maxweight": "7.5"}, "maxweight"),
        ({"maxweight": "12000 kg"}, "maxweight"),
        ({"maxweight": "40"}, None),
        ({"maxweight": "none"}, None),
        ({"highway": "construction"}, "not built"),
        ({"highway": "proposed"}, "not built"),
        ({"highway": "residential"}, "class"),
        ({"highway": "", "route": "ferry"}, "ferry without vehicles"),
        ({"highway": "", "route": "ferry", "motor_vehicle": "yes"}, None),
        ({"highway": "", "route": "ferry", "motor_vehicle": "yes", "hgv": "no"}, "access"),
    ],
)
def test_what_is_left_out_and_why(tmp_path: Path, tags: dict[str, str], reason: str | None) -> None:
    asked = {key: value for key, value in ({"highway": "primary"} | tags).items() if value}
    nodes = {n: place(n) for n in (1, 2, 3, 4)}
    path = write_osm(tmp_path / "a.osm.pbf", nodes, [([1, 2], asked), ([3, 4], {"highway": "trunk"})])
    found = freight_network(read_pbf(path, "road", classes=RULES.classes), "road", FreightRules())
    assert found.figures["ways_read"] == 2
    if reason is None:
        assert found.figures["left_out"] == {} and (1, 2) in arcs(found.network)
    else:
        assert list(found.figures["left_out"]) == [reason] and (1, 2) not in arcs(found.network)
        assert found.figures["left_out"][reason] == {"ways": 1, "km": pytest.approx(STEP_KM)}


def test_if_nothing_is_left_the_reasons_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"left out: access \(1 ways\)"):
        made(tmp_path, ([1, 2], {"highway": "trunk", "hgv": "no"}))
    with pytest.raises(InputError, match="leads anywhere"):
        made(tmp_path, ([1, 2, 102, 1], {"highway": "trunk"}))


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, 40),  # the table's row for primary, paved
        ({"surface": "gravel"}, 25),
        ({"surface": "asphalt"}, 40),
        ({"surface": "concrete:plates"}, 40),
        ({"maxspeed": "30"}, 30),
        ({"maxspeed": "100"}, 40),  # a cap, never a speed
        ({"maxspeed": "20 mph"}, 32.18688),
        ({"maxspeed": "IN:urban"}, 40),
        ({"maxspeed": "none"}, 40),
        ({"maxspeed": "10", "surface": "gravel"}, 10),
        ({"highway": "ferry"}, 8),
    ],
)
def test_truck_speed(tmp_path: Path, tags: dict[str, str], expected: float) -> None:
    asked = {"highway": "primary"} | tags
    if asked["highway"] == "ferry":
        asked = {"route": "ferry", "motor_vehicle": "yes"}
    network = made(tmp_path, ([1, 2], asked)).network
    assert network.edge_hours is not None
    assert network.edge_hours == pytest.approx(STEP_KM / expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, np.inf), ("50", 50), ("50 km/h", 50), ("30 mph", 48.28032), ("none", np.inf), ("signals", np.inf),
        ("IN:urban", 50), ("IN:rural", np.inf), ("DE:zone:30", 30), ("DE:zone30", 30), ("walk", 5), ("60;40", 40),
        ("RO:living_street", 10), ("0", np.inf), ("5 knots", 9.26),
    ],
)  # fmt: skip
def test_maxspeed_texts(text: str | None, expected: float) -> None:
    assert maxspeed_km_h(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, np.inf), ("7.5", 7.5), ("7,5", 7.5), ("7.5 t", 7.5), ("3500 kg", 3.5), ("10 st", 9.0718474),
        ("20000 lbs", 9.0718474), ("unsigned", np.inf),
    ],
)  # fmt: skip
def test_maxweight_texts(text: str | None, expected: float) -> None:
    assert maxweight_t(text) == pytest.approx(expected)


def test_the_table_of_truck_speeds_covers_every_class_keeps_the_law_and_names_its_sources() -> None:
    speeds = load_truck_speeds()
    assert {*ROAD_CLASSES, "ferry"} <= set(speeds.index)
    assert (speeds["unpaved"] <= speeds["paved"]).all()
    # Goods vehicles: 80 km/h on expressways, 60 on other roads without a median (S.O. 1522(E), 6 April 2018).
    assert speeds["paved"].max() <= 80 and speeds.drop("motorway")["paved"].max() <= 60


def test_faults_of_a_table_of_truck_speeds_are_named(tmp_path: Path) -> None:
    path = tmp_path / "speeds.csv"
    path.write_text("highway,surface,speed_km_h\ntrunk,paved,0\ntrunk,unpaved,fast\nprimary,paved,4\nprimary,paved,5\n")
    with pytest.raises(InputError) as caught:
        load_truck_speeds(path)
    assert [f"row {row}" in str(caught.value) for row in (2, 3, 4, 5)] == [True, True, False, True]
    path.write_text("highway,surface,speed_km_h\ntrunk,paved,50\n")
    with pytest.raises(InputError, match=r"no speed for .*primary.*ferry"):
        made(tmp_path, ([1, 2], {"highway": "trunk"}), rules=replace(RULES, truck_speeds=path))


def test_speeds_assumed_are_told_by_class(tmp_path: Path) -> None:
    found = made(
        tmp_path,
        ([1, 2], {"highway": "primary"}),
        ([2, 3], {"highway": "primary", "maxspeed": "20"}),
        ([3, 4], {"highway": "primary", "surface": "dirt"}),
    )
    assert found.figures["speeds"] == {
        "primary": {
            "km": pytest.approx(3 * STEP_KM),
            "mean_speed_km_h": pytest.approx(3 / (1 / 40 + 1 / 20 + 1 / 25)),
            "unpaved_km": pytest.approx(STEP_KM),
            "capped_km": pytest.approx(STEP_KM),
        }
    }


def test_nodes_of_two_like_pieces_are_contracted_and_weights_add_up(tmp_path: Path) -> None:
    """Four ways in a row; the speed changes at 3, which is no reason to keep a node."""
    found = made(
        tmp_path,
        ([1, 2, 3], {"highway": "primary"}),
        ([4, 3], {"highway": "primary", "maxspeed": "20"}),
        ([4, 104], {"highway": "primary"}),
    )
    assert arcs(found.network) == {(1, 104), (104, 1)}
    assert found.network.edge_km == pytest.approx([4 * STEP_KM] * 2)
    assert found.network.edge_hours == pytest.approx([3 * STEP_KM / 40 + STEP_KM / 20] * 2)
    there, back = found.network.geometry
    assert list(there.coords) == [pytest.approx(place(n)) for n in (1, 4, 104)]  # drawn without needless points
    assert there.equals_exact(back.reverse())
    assert (found.figures["nodes_before"], found.figures["nodes_after"]) == (5, 2)


@pytest.mark.parametrize(
    "second",
    [
        ([2, 3], {"highway": "secondary"}),  # another class
        ([2, 3], {"highway": "primary", "oneway": "yes"}),  # two-way into one-way
        ([3, 2], {"highway": "primary", "oneway": "yes"}),
    ],
)
def test_contraction_stops_where_class_or_direction_changes(tmp_path: Path, second: Line) -> None:
    network = made(tmp_path, ([1, 2], {"highway": "primary"}), second).network
    assert 2 in {node for arc in arcs(network) for node in arc}


def test_one_ways_that_face_each_other_are_not_joined(tmp_path: Path) -> None:
    oneway = {"highway": "primary", "oneway": "yes"}
    assert arcs(made(tmp_path, ([1, 2], oneway), ([3, 2], oneway)).network) == {(1, 2), (3, 2)}
    assert arcs(made(tmp_path, ([1, 2], oneway), ([2, 3], oneway)).network) == {(1, 3)}
    assert arcs(made(tmp_path, ([2, 3], oneway), ([2, 1], oneway | {"oneway": "-1"})).network) == {(1, 3)}


def test_long_roads_keep_a_node_every_few_km_to_snap_to(tmp_path: Path) -> None:
    found = made(tmp_path, (range(1, 41), {"highway": "trunk"}), (range(40, 61), {"highway": "trunk"}))
    assert found.network.edge_km.max() <= RULES.road_longest_km
    assert found.network.edge_km.sum() / 2 == pytest.approx(59 * STEP_KM)
    assert found.network.n_nodes < 15


def test_roads_that_cross_without_a_shared_node_do_not_meet(tmp_path: Path) -> None:
    """A bridge: two OSM nodes at one place stay two nodes."""
    places = {1: (0.0, 0.0), 2: (0.01, 0.0), 3: (0.02, 0.0), 4: (0.01, -0.01), 5: (0.01, 0.0), 6: (0.01, 0.01)}
    lines = [([1, 2, 3], {"highway": "trunk"}), ([4, 5, 6], {"highway": "trunk"})]
    found = made(tmp_path, *lines, places=places)
    assert np.isnan(km_between(found, places[1], places[6]))
    assert found.figures["components_after"] == 2


def test_lines_of_a_layer_meet_where_they_share_a_vertex(tmp_path: Path) -> None:
    lines = [shapely.LineString([(0, 0), (0.01, 0), (0.02, 0)]), shapely.LineString([(0.01, 1e-9), (0.01, 0.01)])]
    gpd.GeoDataFrame({"kind": ["trunk", "trunk"]}, geometry=lines, crs=4326).to_parquet(tmp_path / "lines.parquet")
    found = freight_network(read_lines(tmp_path / "lines.parquet", "kind"), "road")
    assert km_between(found, (0, 0), (0.01, 0.01)) == pytest.approx(2 * STEP_KM, rel=1e-6)


def test_a_small_gap_is_closed_and_listed(tmp_path: Path) -> None:
    """Road 3-4 ends 20 m short of the middle of road 1-2."""
    places = {1: (0.0, 0.0), 2: (0.02, 0.0), 3: (0.01, 0.00018), 4: (0.01, 0.01)}
    lines = [([1, 2], {"highway": "trunk"}), ([3, 4], {"highway": "tertiary"})]
    found = made(tmp_path, *lines, places=places)
    assert km_between(found, places[1], places[4]) == pytest.approx(2 * STEP_KM, rel=1e-5)
    gap = found.repairs.iloc[0]
    assert len(found.repairs) == 1 and gap["km"] == pytest.approx(0.02, rel=0.01)
    assert (gap["from_lon"], gap["from_lat"]) == pytest.approx(places[3])
    assert (gap["to_lon"], gap["to_lat"]) == pytest.approx((0.01, 0.0))
    assert sum(text is not None for text in found.network.edge_repair) == 2  # an arc each way
    assert (found.figures["components_before"], found.figures["components_after"]) == (2, 1)
    found = made(tmp_path, *lines, places=places, rules=replace(RULES, road_gap_km=0.01))
    assert found.repairs.empty and np.isnan(km_between(found, places[1], places[4]))


def test_two_dead_ends_that_face_each_other_are_joined_once(tmp_path: Path) -> None:
    places = {1: (0.0, 0.0), 2: (0.01, 0.0), 3: (0.0102, 0.0), 4: (0.02, 0.0)}
    found = made(tmp_path, ([1, 2], {"highway": "trunk"}), ([3, 4], {"highway": "trunk"}), places=places)
    assert len(found.repairs) == 1
    assert km_between(found, places[1], places[4]) == pytest.approx(2 * STEP_KM, rel=1e-6)


def test_a_line_cut_off_beside_two_dead_ends_is_joined_by_one_of_them(tmp_path: Path) -> None:
    """Once the shorter gap is closed, the way round to the other is short."""
    places = {
        1: (0.0, 0.0),
        2: (0.0, -0.002),
        3: (0.001, -0.002),
        4: (0.001, 0.0),
        5: (0.0, 0.0001),
        6: (0.001, 0.0002),
    }
    found = made(tmp_path, ([1, 2, 3, 4], {"highway": "trunk"}), ([5, 6], {"highway": "trunk"}), places=places)
    assert found.repairs[["from_lon", "to_lon"]].to_numpy().tolist() == [[0.0, 0.0]]


def test_a_dead_end_with_a_short_way_round_stays_open(tmp_path: Path) -> None:
    places = {1: (0.0, 0.0), 2: (0.01, 0.0), 3: (0.01, 0.005), 4: (0.005, 0.005), 5: (0.005, 0.00018)}
    found = made(tmp_path, ([1, 2, 3, 4, 5], {"highway": "trunk"}), ([1, 201], {"highway": "trunk"}), places=places)
    assert found.repairs.empty


def test_strong_components_are_counted(tmp_path: Path) -> None:
    found = made(tmp_path, ([1, 2], {"highway": "trunk"}), ([2, 3], {"highway": "trunk", "oneway": "yes"}))
    assert (found.figures["components_after"], found.figures["strong_components_after"]) == (1, 2)
    assert np.bincount(strong_components(found.network)).tolist() == [2, 1]


def random_roads(seed: int) -> tuple[dict[int, Place], list[Line]]:
    """Ways of random length, class and direction on a grid of jittered nodes."""
    rng = np.random.default_rng(seed)
    size = 12
    places = {
        1 + r * size + c: (round(0.01 * c + rng.uniform(0, 0.004), 6), round(0.01 * r + rng.uniform(0, 0.004), 6))
        for r in range(size)
        for c in range(size)
    }
    lines: list[Line] = []
    for _ in range(90):
        r, c, length = rng.integers(size), rng.integers(size - 1), rng.integers(2, 7)
        nodes = [1 + r * size + k for k in range(c, min(c + length, size))]
        if rng.random() < 0.5:
            nodes = [1 + k * size + r for k in range(c, min(c + length, size))]
        tags = {"highway": str(rng.choice(["trunk", "primary", "secondary"]))}
        tags |= {} if rng.random() < 0.6 else {"oneway": str(rng.choice(["yes", "-1", "no"]))}
        tags |= {} if rng.random() < 0.8 else {"maxspeed": str(rng.choice(["20", "30 mph"]))}
        lines.append((nodes, tags))
    return places, lines


@pytest.mark.parametrize("seed", range(5))
def test_contraction_keeps_every_distance_between_the_nodes_it_keeps(tmp_path: Path, seed: int) -> None:
    """Against NetworkX on the graph of all nodes, built from the same ways in the plainest way."""
    places, lines = random_roads(seed)
    found = made(tmp_path, *lines, places=places, rules=replace(RULES, road_gap_km=1e-6))
    graph = nx.MultiDiGraph()
    speeds = load_truck_speeds()["paved"]
    for nodes, tags in lines:
        pairs = list(zip(nodes, nodes[1:], strict=False))
        oneway = tags.get("oneway", "no")
        pairs = [(b, a) for a, b in pairs] if oneway == "-1" else pairs
        pairs += [(b, a) for a, b in pairs] if oneway == "no" else []
        speed = min(speeds[tags["highway"]], {"20": 20.0, "30 mph": 48.28032}.get(tags.get("maxspeed", ""), np.inf))
        for a, b in pairs:
            km = float(great_circle_km(*places[a], *places[b]))
            graph.add_edge(a, b, km=km, hours=km / speed)
    number = {(round(lon, 6), round(lat, 6)): n for n, (lon, lat) in places.items()}
    network = found.network
    kept = [number[(round(x, 6), round(y, 6))] for x, y in zip(network.node_lon, network.node_lat, strict=True)]
    everything = np.arange(network.n_nodes)
    for weight, values in (("km", network.edge_km), ("hours", network.edge_hours)):
        expected = np.full((len(kept), len(kept)), np.nan)
        for i, lengths in enumerate(nx.single_source_dijkstra_path_length(graph, n, weight=weight) for n in kept):
            expected[i] = [lengths.get(n, np.nan) for n in kept]
        found_matrix = many_to_many(network, everything, everything, values, engine="scipy")
        assert found_matrix == pytest.approx(expected, abs=1e-5, nan_ok=True)
    assert network.n_nodes < len(graph)


def test_a_road_network_comes_back_from_its_file(tmp_path: Path) -> None:
    places, lines = random_roads(7)
    found = made(tmp_path, *lines, places=places).network
    write_network(found, tmp_path / "n.parquet")
    back = load_network(tmp_path / "n.parquet")
    assert back.directed
    assert sorted(back.edge_km) == pytest.approx(sorted(found.edge_km))
    every = np.arange(found.n_nodes)
    for weights in ((found.edge_km, back.edge_km), (found.edge_hours, back.edge_hours)):
        first, second = (
            many_to_many(net, every, every, weight, engine="scipy")
            for net, weight in zip((found, back), weights, strict=True)
        )
        assert second == pytest.approx(first, nan_ok=True)

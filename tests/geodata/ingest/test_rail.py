"""Every rule that turns OSM tracks into a railway for freight, as one small map each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from geodata.errors import InputError
from geodata.ingest.freight import FreightNetwork, FreightRules
from geodata.matrix import many_to_many
from geodata.network import great_circle_km, load_network, write_network
from tests.geodata.ingest.freight_maps import STEP_KM, km_between, made, place
from tests.geodata.ingest.osm_files import Line, Place

RAIL = {"railway": "rail", "usage": "main", "gauge": "1676"}


def rail(tmp_path: Path, *lines: Line, places: Mapping[int, Place] | None = None) -> FreightNetwork:
    return made(tmp_path, *lines, kind="rail", places=places, rules=FreightRules())


def test_railways_of_one_gauge_run_both_ways(tmp_path: Path) -> None:
    found = rail(
        tmp_path,
        ([1, 2], RAIL),
        ([2, 3], RAIL | {"usage": "branch"}),
        ([3, 4], {"railway": "rail"}),
        ([2, 102], RAIL | {"gauge": "1000"}),
        ([3, 103], RAIL | {"usage": "tourism"}),
        ([4, 5], {"railway": "construction"}),
        ([3, 104], RAIL | {"gauge": "1676;1000", "usage": "branch"}),
    )
    assert not found.network.directed
    assert set(found.network.edge_class) == {"main"}
    assert found.network.edge_hours is None  # how fast trains are is a parameter of a study
    assert found.network.edge_km.sum() == pytest.approx(3 * STEP_KM + float(great_circle_km(*place(3), *place(104))))
    assert set(found.figures["left_out"]) == {"gauge", "usage", "not built"}


def test_yards_and_sidings_reach_the_line_but_are_no_short_cut(tmp_path: Path) -> None:
    """The line goes round three sides of a square; a siding closes the fourth, a yard track leaves it."""
    siding = RAIL | {"service": "siding"}
    found = rail(tmp_path, ([1, 301, 304, 4], RAIL), ([1, 2, 4], siding), ([2, 102], RAIL | {"service": "yard"}))
    round_km = km_between(found, place(1), place(301)) + km_between(found, place(301), place(304))
    assert km_between(found, place(1), place(4)) == pytest.approx(round_km + 3 * STEP_KM, rel=1e-5)
    assert km_between(found, place(1), place(102)) == pytest.approx(2 * STEP_KM, rel=1e-5)
    access = found.network.edge_class == "access"
    assert found.network.edge_km[access].sum() == pytest.approx(2 * STEP_KM, rel=1e-5)


def test_a_yard_without_a_line_is_left_out_and_a_siding_between_two_lines_stays(tmp_path: Path) -> None:
    found = rail(
        tmp_path,
        ([1, 2], RAIL),
        ([5, 6], RAIL),
        ([2, 5], RAIL | {"service": "siding"}),
        ([501, 502], RAIL | {"service": "yard"}),
    )
    assert km_between(found, place(1), place(6)) == pytest.approx(5 * STEP_KM, rel=1e-6)
    assert found.network.edge_km.sum() == pytest.approx(5 * STEP_KM, rel=1e-6)


def double_track(n: int, apart_deg: float, seed: int = 0) -> tuple[dict[int, Place], list[Line]]:
    """A winding double line of n points; tracks 1.. and 1001.., the second from half the spacing on, no crossover."""
    rng = np.random.default_rng(seed)
    along = np.arange(n) * 0.002
    sway = 0.002 * np.sin(along * 40)
    first = {1 + k: (along[k], sway[k]) for k in range(n)}
    second = {
        1001 + k: (along[k] + 0.0005, np.interp(along[k] + 0.0005, along, sway) + apart_deg * rng.uniform(0.9, 1.1))
        for k in range(n - 1)
    }
    tracks = [(list(first), RAIL), (list(second), RAIL)]
    return {**first, **second}, tracks


def test_parallel_tracks_become_one_line_of_the_same_length(tmp_path: Path) -> None:
    places, tracks = double_track(60, 5e-5)  # 5.5 m apart
    both = rail(tmp_path, *tracks, places=places)
    single = rail(tmp_path, tracks[0], places=places)
    assert both.network.edge_km.sum() == pytest.approx(single.network.edge_km.sum(), rel=1e-9)
    assert both.figures["parallel_km_merged"] == pytest.approx(single.network.edge_km.sum(), rel=0.02)
    assert km_between(both, places[1], places[60]) == pytest.approx(km_between(single, places[1], places[60]))


def test_what_hangs_on_the_track_left_out_is_joined_to_the_one_that_stays(tmp_path: Path) -> None:
    """A branch leaves the shorter track; no crossover joins the tracks, and yet the branch reaches the line's ends."""
    places, tracks = double_track(60, 5e-5)
    places[2000] = (places[1030][0], 0.05)
    found = rail(tmp_path, *tracks, ([1030, 2000], RAIL | {"usage": "branch"}), places=places)
    single = rail(tmp_path, tracks[0], places=places)
    branch_km = float(great_circle_km(*places[1030], *places[2000]))
    assert found.figures["components_after"] == 1
    assert found.repairs.empty  # merging is not mending
    whole = km_between(found, places[1], places[2000]) + km_between(found, places[2000], places[60])
    expected = km_between(single, places[1], places[60]) + 2 * branch_km
    assert whole == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("seed", range(6))
def test_merging_tracks_never_takes_a_line_apart(tmp_path: Path, seed: int) -> None:
    """Four tracks that come and go beside each other, joined by a few links of running line."""
    rng = np.random.default_rng(seed)
    places: dict[int, Place] = {}
    lines: list[Line] = []
    along = np.arange(0, 120) * 3e-4
    for track in range(4):
        start, end = sorted(rng.choice(120, 2, replace=False))
        offset = 5e-5 * track + 2e-4 * track * (np.sin(along * 300 + rng.uniform(0, 6)) > 0.6)
        nodes = [1000 * track + k for k in range(start if track else 0, (end if track else 119) + 1)]
        places |= {n: (round(along[n % 1000] + 5e-5 * track, 7), round(offset[n % 1000], 7)) for n in nodes}
        lines.append((nodes, RAIL))
        if track and len(nodes) > 1:
            other = [n for n in places if n // 1000 == track - 1]
            for n in rng.choice(nodes, 2):
                lines.append(([int(n), min(other, key=lambda m, at=n: abs(places[m][0] - places[int(at)][0]))], RAIL))
    lines = [line for line in lines if len(line[0]) > 1]
    rules = FreightRules(rail_gap_km=1e-6)
    found = made(tmp_path, *lines, kind="rail", places=places, rules=rules)
    assert found.figures["parallel_km_merged"] > 0
    assert found.figures["components_before"] == found.figures["components_after"] == 1


def test_lines_that_are_not_parallel_or_not_near_stay(tmp_path: Path) -> None:
    places, tracks = double_track(60, 5e-4)  # 55 m apart
    assert rail(tmp_path, *tracks, places=places).figures["parallel_km_merged"] == 0
    crossing = rail(tmp_path, ([1, 2, 3], RAIL), ([102, 2], RAIL))
    assert crossing.figures["parallel_km_merged"] == 0
    assert crossing.network.edge_km.sum() == pytest.approx(3 * STEP_KM)


def test_if_no_track_has_the_gauge_those_that_there_are_are_named(tmp_path: Path) -> None:
    """And the tracks without a tag do not become a network of their own."""
    lines: list[Line] = [([1, 2], RAIL | {"gauge": "1524"}), ([2, 4], RAIL | {"gauge": "1000;750"})]
    lines.append(([4, 5], {"railway": "rail"}))
    with pytest.raises(InputError, match=r"no track of gauge 1676 mm, but of 1000 mm \(2 km\), .*gauge_mm = 1000"):
        rail(tmp_path, *lines)
    found = made(tmp_path, *lines, kind="rail", rules=FreightRules(gauge_mm=1524))
    assert found.network.edge_km.sum() == pytest.approx(2 * STEP_KM)


def test_if_no_track_may_be_used_the_reasons_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"left out: usage \(1 ways\)"):
        rail(tmp_path, ([1, 2], RAIL | {"usage": "military"}))


TRACK = {1: (-0.05, -0.03), 2: (-0.01, 0.0), 3: (0.01, 0.0)}  # in the end towards the east; its dead end is node 3


@pytest.mark.parametrize(
    ("line", "joined"),
    [
        ([(0.0115, 0.0), (0.03, 0.0)], True),  # goes on 170 m ahead
        ([(0.0115, 0.0001), (0.03, 0.003)], True),  # a little to the side, in a curve
        ([(0.005, 0.0002), (0.03, 0.0002)], True),  # a line beside it, 22 m away: the switch is missing
        ([(0.005, 0.001), (0.03, 0.001)], False),  # a line 110 m to the side
        ([(-0.03, 0.0002), (0.01, 0.0002)], False),  # platforms of a terminus, ends abreast
        ([(-0.03, 0.001), (0.01, 0.001)], False),  # the same, 110 m apart
        ([(0.0115, -0.02), (0.0115, 0.02)], False),  # a line that crosses ahead
        ([(-0.03, 0.0002), (0.0085, 0.0002)], False),  # the same, one platform shorter
        ([(-0.03, 0.0002), (0.0115, 0.0002)], False),  # or longer
        ([(0.0125, 0.0), (0.03, 0.0)], False),  # 280 m ahead, beyond the limit
    ],
)
def test_a_gap_is_closed_only_where_a_train_could_run_on(tmp_path: Path, line: list[Place], joined: bool) -> None:
    places = TRACK | {4 + k: point for k, point in enumerate(line)}
    found = rail(tmp_path, ([1, 2, 3], RAIL), ([4, 5], RAIL), places=places)
    assert (len(found.repairs) == 1) == joined
    assert found.figures["components_after"] == 2 - joined


def test_a_railway_comes_back_from_its_file(tmp_path: Path) -> None:
    places, lines = double_track(60, 5e-5)
    lines.append(([5, 500], RAIL | {"service": "spur"}))
    places[500] = (0.0, 0.02)
    found = rail(tmp_path, *lines, places=places).network
    write_network(found, tmp_path / "n.parquet")
    back = load_network(tmp_path / "n.parquet")
    assert not back.directed and back.edge_hours is None
    every = np.arange(found.n_nodes)
    first, second = (many_to_many(net, every, every, engine="scipy") for net in (found, back))
    assert second == pytest.approx(first)

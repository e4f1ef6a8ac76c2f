"""Places are named by their ids alone, so no two may share one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geodata.errors import InputError
from geodata.network import great_circle_km
from geodata.pack import INDIA, open_pack
from siting.model.places import _road_run_h, survey_pack
from siting.parameters import load_parameters


def test_places_of_different_layers_may_not_share_an_id(tiny_layers, tmp_path):
    depots = tmp_path / "depots.csv"
    depots.write_text(tiny_layers["depots"].read_text().replace("mid,Mid depot", "INPRT,Mid depot"))
    with pytest.raises(InputError) as refused:
        survey_pack(open_pack(INDIA, {**tiny_layers, "depots": depots}))
    assert refused.value.problems == [
        "'INPRT' is the id of a depot and a gateway; "
        "give every district, planned site, depot and gateway an id of its own"
    ]


@pytest.mark.parametrize(("trains", "by_rail", "known"), [("0", False, np.nan), ("2.5", True, 2.5), ("", True, np.nan)])
def test_a_depot_without_trains_has_no_rail(tiny_layers, tmp_path, trains, by_rail, known):
    """Of its trains a week none are known where there are none, nor where nothing is said."""
    depots = pd.read_csv(tiny_layers["depots"])
    depots.assign(trains_per_week=trains).to_csv(tmp_path / "depots.csv", index=False)
    survey = survey_pack(open_pack(INDIA, {**tiny_layers, "depots": tmp_path / "depots.csv"}))
    places = survey.places(load_parameters())
    depot = places.depots[0]
    assert np.isfinite(places.rail_km[depot]).any() == by_rail
    np.testing.assert_equal(places.trains_per_week[depot], known)


def test_lorries_run_the_fastest_way_where_roads_carry_speeds(tiny_model):
    """At 50 km/h everywhere the hours are the km over 50; a place that stands where another does has its hours."""
    road, table, km = tiny_model.pack.road, tiny_model.places.table, tiny_model.places.road_km
    ends = tiny_model.places.gateways
    there = [*range(11), 3, int(ends[0])]  # the last district has no road
    lon, lat = (table[name].to_numpy()[there] for name in ("lon", "lat"))
    position = np.array([12])
    assert _road_run_h(road, lon, lat, position) is None
    fast = replace(road, edge_hours=road.edge_km / 50.0)
    np.testing.assert_allclose(_road_run_h(fast, lon, lat, position), km[np.ix_(there, ends)] / 50.0, rtol=1e-6)


@pytest.mark.parametrize(("km", "reached"), [(49.5, True), (50.5, False)])
def test_a_place_more_than_50_km_from_a_road_has_none(tiny_layers, tmp_path, km, reached):
    """A depot south of the port, where the road ends; a degree of latitude is 111.2 km."""
    depots = tmp_path / "depots.csv"
    depots.write_text(tiny_layers["depots"].read_text().replace("79.5,20.5", f"75.5,{19.5 - km / 111.195}"))
    survey = survey_pack(open_pack(INDIA, {**tiny_layers, "depots": depots}))
    depot, port = (int(np.flatnonzero(survey.table["kind"] == kind)[0]) for kind in ("depot", "gateway"))
    assert np.isfinite(survey.road_km[depot, port]) == reached


def test_the_rails_of_the_tiny_area_by_hand(tiny_model):
    """Lines are a tenth longer than straight; the port's connector is 2 km; the east park stands at the line's end."""
    stops = [(75.5, 19.5), (76.5, 20.0), *((lon, 20.5) for lon in (77.5, 78.5, 79.5, 80.5, 81.4))]
    leg_km = [1.1 * float(great_circle_km(*a, *b)) for a, b in zip(stops, stops[1:], strict=False)]
    places = tiny_model.places
    km = dict(zip(places.table["place_id"], places.rail_km[:, 0], strict=True))
    hours = dict(zip(places.table["place_id"], places.rail_h[:, 0], strict=True))
    for name, n_legs in (("mid", 4), ("mmlp-east", 6), ("madhya-pradesh/d1", 2), ("madhya-pradesh/d3", 4)):
        assert km[name] == pytest.approx(sum(leg_km[:n_legs]) + 2, rel=1e-6), name
        assert hours[name] == pytest.approx(km[name] / tiny_model.parameters["rail_speed_main_km_h"])
    assert km["INPRT"] == pytest.approx(4.0), "to the line and back"
    assert np.isnan(km["madhya-pradesh/d0"]) and np.isnan(km["madhya-pradesh/d8"]), "55 and 111 km from the line"
    line_km = dict(zip(places.table["place_id"], places.table["rail_line_km"], strict=True))
    assert line_km["madhya-pradesh/d0"] == pytest.approx(float(great_circle_km(76.5, 20.5, 76.5, 20.0)))
    assert line_km["INPRT"] == 2.0


@pytest.mark.parametrize(("north_km", "terminal"), [(0.0, True), (24.5, True), (25.5, False)])
def test_a_depot_more_than_25_km_from_the_line_has_no_train(tiny_layers, tmp_path, north_km, terminal):
    depots = tmp_path / "depots.csv"
    depots.write_text(tiny_layers["depots"].read_text().replace("79.5,20.5", f"79.5,{20.5 + north_km / 111.195}"))
    places = survey_pack(open_pack(INDIA, {**tiny_layers, "depots": depots})).places(load_parameters())
    assert np.isfinite(places.rail_km[places.depots]).all() == terminal
    assert places.table["rail_access_km"][places.depots].notna().all() == terminal


def test_trains_run_faster_on_dedicated_lines(tiny_model):
    """The same km at the other speed; the way to the line at that of the main lines; hours once reckoned are kept."""
    survey = tiny_model.survey
    dedicated = replace(survey, rail=replace(survey.rail, edge_class=np.where(np.arange(survey.rail.n_edges) < 2, "dfc",
                                                                              "main")), rail_hours={})  # fmt: skip
    p = tiny_model.parameters
    places = dedicated.places(p)
    (end,) = places.gateways
    east = int(np.flatnonzero(places.table["place_id"] == "mmlp-east")[0])
    fast_km = float(survey.rail.edge_km[:2].sum())
    slow_km = places.rail_km[east, 0] - fast_km
    by_hand = fast_km / p["rail_speed_dfc_km_h"] + slow_km / p["rail_speed_main_km_h"]
    assert places.rail_h[east, 0] == pytest.approx(by_hand)
    assert dedicated.rail_hours and places.rail_h[end, 0] == pytest.approx(4.0 / p["rail_speed_main_km_h"])
    ((speeds, kept),) = dedicated.rail_hours.items()
    assert speeds == (p["rail_speed_main_km_h"], p["rail_speed_dfc_km_h"])
    dedicated.rail_hours[speeds] = kept + 1.0
    assert dedicated.places(p).rail_h[east, 0] == pytest.approx(by_hand + 1.0)


def test_a_place_is_at_itself_and_no_upgrade_makes_a_road_shorter_than_nothing(tiny_model):
    assert np.diag(tiny_model.places.road_km).tolist() == [0.0] * len(tiny_model.places)
    upgraded = survey_pack(tiny_model.pack, ("Madhya Pradesh",), 0.5)
    assert np.diag(upgraded.road_km).tolist() == [0.0] * len(tiny_model.places)
    apart = np.isfinite(tiny_model.places.road_km)
    assert (np.isfinite(upgraded.road_km) == apart).all()
    shorter = tiny_model.places.road_km[apart] - upgraded.road_km[apart]
    assert (shorter >= 0).all() and (shorter > 0).any()

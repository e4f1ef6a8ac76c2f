"""Places are named by their ids alone, so no two may share one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geodata.errors import InputError
from geodata.pack import INDIA, open_pack
from siting.model.places import _road_run_h, survey_pack


def test_places_of_different_layers_may_not_share_an_id(tiny_layers, tmp_path):
    depots = tmp_path / "depots.csv"
    depots.write_text(tiny_layers["depots"].read_text().replace("mid,Mid depot", "INPRT,Mid depot"))
    with pytest.raises(InputError) as refused:
        survey_pack(open_pack(INDIA, {**tiny_layers, "depots": depots}))
    assert refused.value.problems == [
        "'INPRT' is the id of a depot and a gateway; "
        "give every district, planned site, depot and gateway an id of its own"
    ]


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

"""Shapes on the wire: what was sent is what comes out, and each border is sent once."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from arcs import decode_ring

from geodata.pack import open_pack
from web.map.plan import DistrictShapes
from web.map.topology import encode_topology

WEST, EAST = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)
BOTH = shapely.union(WEST, EAST)
ISLAND = shapely.box(5, 5, 6, 6)


def group(*shapes):
    return np.array(shapes, dtype=object)


def decoded(told, name):
    """Shapes of a group as MultiPolygons."""
    rings = [[[decode_ring(ring, told["arcs"]) for ring in part] for part in shape] for shape in told[name]]
    return [shapely.MultiPolygon([(part[0], part[1:]) for part in shape]) for shape in rings]


@pytest.mark.parametrize(
    "shape",
    [
        WEST,
        shapely.MultiPolygon([WEST, ISLAND]),
        shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2)),  # with a lake
        shapely.Polygon([(0, 0), (2, 0), (2, 2), (1, 1), (0, 2)]),
    ],
)
def test_a_shape_comes_out_as_it_went_in(shape):
    (out,) = decoded(encode_topology({"districts": group(shape)}), "districts")
    assert out.equals(shape)


def test_a_border_of_two_is_sent_once_and_their_union_sends_nothing_more():
    told = encode_topology({"districts": group(WEST, EAST), "states": group(BOTH)})
    assert len(told["arcs"]) == 3  # the border, and what is left of either
    assert [out.equals(shape) for out, shape in zip(decoded(told, "districts"), (WEST, EAST), strict=True)] == [
        True
    ] * 2
    assert decoded(told, "states")[0].equals(BOTH)


def test_an_island_is_one_arc_wherever_and_whichever_way_its_rings_begin():
    turned = shapely.Polygon([(6, 6), (6, 5), (5, 5), (5, 6)])
    told = encode_topology({"districts": group(ISLAND), "states": group(turned)})
    assert len(told["arcs"]) == 1
    assert decoded(told, "states")[0].equals(ISLAND)


def test_what_has_no_area_on_the_grid_is_left_out_and_shapes_keep_their_places():
    speck = shapely.box(0, 0, 1e-5, 1e-5)
    told = encode_topology({"districts": group(speck, shapely.Polygon(), WEST), "land": group()})
    assert [len(shape) for shape in told["districts"]] == [0, 0, 1]
    assert told["land"] == []


def test_nothing_at_all_is_told_as_nothing():
    assert encode_topology({"districts": group(shapely.Polygon())}) == {"grid": 1000, "arcs": [], "districts": [[]]}


def test_the_districts_of_the_bundled_pack_come_out_as_they_went_in():
    pack = open_pack()
    shapes = DistrictShapes(pack.districts.geometry, pack.districts["state"].tolist(), pack.land)
    told = shapes.encoded()
    assert len(told["districts"]) == len(pack.districts)
    for out, simple in zip(decoded(told, "districts"), shapes.simple, strict=True):
        assert out.area == pytest.approx(simple.area, abs=2e-3 * simple.length)  # half a step of the grid
    steps = sum(len(arc) for arc in told["arcs"])
    assert steps < 0.7 * sum(2 * shapely.get_num_coordinates(shape) for shape in shapes.simple)  # once, not twice

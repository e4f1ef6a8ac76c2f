"""Geometry small enough for a browser: simplified, on a grid, as differences.

Every line is one list of whole numbers ``[x0, y0, dx, dy, dx, dy, ...]`` in units of 1 / GRID degree.
Neighbours are simplified together, so that they still meet; `web.map.topology` sends each border once.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.network import Network
from web.map.topology import GRID

DISTRICT_TOLERANCE_DEG = 0.01
NETWORK_TOLERANCE_DEG = 0.01
LANE_TOLERANCE_DEG = 0.002
SLIVER_KM2 = 25.0  # a hole in a dissolved state below this is a leftover of the simplification

Line = list[int]


def encode_lines(lines: NDArray[np.object_]) -> list[Line]:
    """Return LineStrings as steps from point to point.

    Points that fall together are one; a line that shrinks to a point is an empty list.
    """
    if len(lines) == 0:
        return []
    points, line = shapely.get_coordinates(lines, return_index=True)
    steps = np.rint(points * GRID).astype(np.int64)
    begins = np.append(True, line[1:] != line[:-1])[: len(line)]
    moves = np.where(begins[:, None], steps, steps - np.roll(steps, 1, axis=0))
    kept = begins | (moves != 0).any(axis=1)
    moves, line = moves[kept], line[kept]
    split = np.split(moves, np.searchsorted(line, np.arange(1, len(lines))))
    return [piece.ravel().tolist() if len(piece) > 1 else [] for piece in split]


def simplify_coverage(polygons: gpd.GeoSeries) -> NDArray[np.object_]:
    """Return polygons that share borders with simpler borders, still shared."""
    simple: NDArray[np.object_] = shapely.coverage_simplify(
        np.asarray(polygons.array, dtype=object), DISTRICT_TOLERANCE_DEG
    )
    return simple


def network_lines(network: Network) -> list[Line]:
    """Return the edges of a network, joined where no others branch off, simplified."""
    joined = shapely.get_parts(shapely.line_merge(shapely.MultiLineString(list(network.geometry))))
    lines = encode_lines(shapely.simplify(joined, NETWORK_TOLERANCE_DEG, preserve_topology=False))
    return [line for line in lines if line]


def dissolve(polygons: NDArray[np.object_], names: NDArray[np.object_]) -> gpd.GeoDataFrame:
    """Return one polygon per name, the union of its members, without slivers; columns name, geometry."""
    frame = gpd.GeoDataFrame({"name": names}, geometry=polygons, crs="EPSG:4326")
    merged = frame.dissolve("name", method="unary", grid_size=1 / GRID, as_index=False)
    merged.geometry = [_without_slivers(shape) for shape in merged.geometry]
    return merged


def _without_slivers(shape: shapely.Geometry) -> shapely.Geometry:
    km2_per_deg2 = 111.2**2 * np.cos(np.radians(22.0))
    parts = []
    for polygon in shapely.get_parts(shape):
        holes = [ring for ring in polygon.interiors if shapely.Polygon(ring).area * km2_per_deg2 > SLIVER_KM2]
        parts.append(shapely.Polygon(polygon.exterior, holes))
    return shapely.MultiPolygon(parts)


def line_feature(line: shapely.LineString, properties: dict[str, Any]) -> dict[str, Any]:
    """Return a GeoJSON feature of a line, simplified for drawing."""
    points = shapely.get_coordinates(shapely.simplify(line, LANE_TOLERANCE_DEG)).round(3).tolist()
    geometry = {"type": "LineString", "coordinates": points}
    return {"type": "Feature", "properties": properties, "geometry": geometry}

"""Polygons as offices draw them, made polygons that can be reckoned with; whatever is changed is listed."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.coverage import EQUAL_AREA_WORLD, clean_coverage
from geodata.errors import Fault, InputError

SMALL_KM2 = 1.0  # overlaps and gaps below it are slips of drawing
CHANGED_KM2 = 0.01  # change of a district's area from which it is listed
GAP_DEGREES = 0.001  # about 100 m: gaps narrower than this are slips of drawing, no lakes
ENCLAVE = 0.5  # share of a polygon from which another that covers it is taken to have been drawn over it

Shapes = NDArray[np.object_]


def areal(shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """The polygons of each shape, flat: heights and the points and lines of collections are left out."""
    flat = shapely.force_2d(np.asarray(shapes.array, dtype=object))
    mixed = shapely.get_type_id(flat) == shapely.GeometryType.GEOMETRYCOLLECTION
    for i in np.flatnonzero(mixed):
        parts = [part for part in shapely.get_parts(flat[i]) if part.geom_type in ("Polygon", "MultiPolygon")]
        flat[i] = shapely.union_all(parts) if parts else flat[i]
    return gpd.GeoSeries(flat, index=shapes.index, crs=shapes.crs)


def not_finite(shapes: gpd.GeoSeries) -> NDArray[np.bool_]:
    """(n,): whether a corner of a shape is no pair of numbers."""
    corners, owner = shapely.get_coordinates(np.asarray(shapes.array, dtype=object), return_index=True)
    return np.isin(np.arange(len(shapes)), owner[~np.isfinite(corners).all(axis=1)])


def mend(districts: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Make invalid polygons valid without moving a corner; each is listed."""
    broken = np.flatnonzero(~districts.geometry.is_valid.to_numpy())
    if len(broken) == 0:
        return districts, pd.DataFrame(columns=["district", "fault", "area_change_percent"])
    shapes = np.asarray(districts.geometry.array, dtype=object).copy()
    rows = []
    for row in broken:
        before = shapes[row]
        valid = shapely.make_valid(before, method="structure", keep_collapsed=False)
        shapes[row] = valid
        change = 100 * (valid.area / before.area - 1) if before.area else np.nan
        key = districts["district_id"].iloc[row]
        rows.append({"district": key, "fault": shapely.is_valid_reason(before), "area_change_percent": change})
    return districts.set_geometry(shapes, crs=districts.crs), pd.DataFrame(rows)


def settle(districts: gpd.GeoDataFrame, overlaps: pd.DataFrame) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Give land that two districts claim, and narrow gaps, to one of them.

    A district drawn over another that surrounds it keeps its land; any other piece goes to the district it shares the
    longest border with.

    Args:
        districts: valid polygons in degrees.
        overlaps: of them, as from `coverage_faults`.

    Returns:
        The districts as a clean coverage, and how much each grew, in km2, where that is more than CHANGED_KM2.

    Raises:
        InputError: a district that lies wholly under another.
    """
    before = np.asarray(districts.geometry.array, dtype=object)
    if shapely.coverage_is_valid(before):
        return districts, pd.DataFrame(columns=["district", "km2"])
    shapes = before.copy()
    position = {key: i for i, key in enumerate(districts["district_id"])}
    for a, b in zip(overlaps["district_a"], overlaps["district_b"], strict=True):
        small, large = sorted((position[a], position[b]), key=lambda i: float(shapely.area(before[i])))
        if shapely.area(shapely.intersection(before[small], before[large])) > ENCLAVE * shapely.area(before[small]):
            shapes[large] = shapely.difference(shapes[large], before[small])
    cut = districts.set_geometry(shapes, crs=districts.crs)
    gone = [*np.flatnonzero(shapely.is_empty(shapes))]
    if not gone:
        clean = clean_coverage(cut.geometry, GAP_DEGREES)
        gone = [*np.flatnonzero(clean.shapes.is_empty)]
    if gone:
        raise InputError([
            Fault(f"district {key!r} lies wholly under another", "draw one of the two anew")
            for key in districts["district_id"].iloc[gone]
        ])  # fmt: skip
    areas = [gpd.GeoSeries(s, crs=districts.crs).to_crs(EQUAL_AREA_WORLD).area for s in (before, clean.shapes.array)]
    change = (areas[1] - areas[0]) / 1e6
    listed = pd.DataFrame({"district": districts["district_id"].to_numpy(), "km2": change.to_numpy()})
    listed = listed[listed["km2"].abs() > CHANGED_KM2].sort_values("km2", key=abs, ascending=False, ignore_index=True)
    return cut.set_geometry(clean.shapes.array, crs=districts.crs), listed


def coverage_faults(districts: gpd.GeoDataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Overlaps of pairs of districts, and gaps enclosed by districts, of more than SMALL_KM2; largest first."""
    shapes = np.asarray(districts.geometry.to_crs(EQUAL_AREA_WORLD).array, dtype=object)
    keys = districts["district_id"].to_numpy()
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    a, b = a[a < b], b[a < b]
    both = shapely.area(shapely.intersection(shapes[a], shapes[b])) / 1e6
    overlaps = pd.DataFrame({"district_a": keys[a], "district_b": keys[b], "km2": both})
    overlaps = overlaps[overlaps["km2"] > SMALL_KM2].sort_values("km2", ascending=False, ignore_index=True)
    rings = [ring for part in shapely.get_parts(shapely.union_all(shapes)) for ring in part.interiors]
    holes = gpd.GeoSeries([shapely.Polygon(ring) for ring in rings], crs=EQUAL_AREA_WORLD)
    holes = holes[holes.area > SMALL_KM2 * 1e6]
    middle = holes.representative_point().to_crs(4326)
    gaps = pd.DataFrame({"lon": middle.x, "lat": middle.y, "km2": holes.area / 1e6})
    return overlaps, gaps.sort_values("km2", ascending=False, ignore_index=True)

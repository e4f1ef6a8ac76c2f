"""Polygons that share borders, made a clean coverage: nothing claimed twice, no slivers left out, edges that meet."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

EQUAL_AREA_WORLD = "ESRI:54034"


@dataclass(frozen=True)
class Cleaned:
    """A clean coverage and what it took.

    Args:
        shapes: the polygons in the order given.
        overlap_km2: land that more than one polygon claimed; each piece went to one of them.
        gap_km2: enclosed land that none claimed and that was narrow enough to be given to a neighbour.
        change_km2: (n,) by how much each polygon grew (or shrank, below 0).
    """

    shapes: gpd.GeoSeries
    overlap_km2: float
    gap_km2: float
    change_km2: NDArray[np.float64]


def clean_coverage(shapes: gpd.GeoSeries, gap_width: float = 0.0) -> Cleaned:
    """Settle overlaps and narrow gaps: each piece goes to the polygon it shares the longest border with.

    Args:
        shapes: valid polygons with a reference system; a third dimension is dropped.
        gap_width: gaps narrower than this are closed, in the units of the shapes; 0 closes none.

    Raises:
        ValueError: if the polygons still overlap afterwards or do not meet edge to edge.
    """
    raw = shapely.force_2d(np.asarray(shapes.array, dtype=object))
    before_km2 = _area_km2(raw, shapes)
    covered_km2 = float(_area_km2(np.array([shapely.union_all(raw)]), shapes).sum())
    clean = shapely.coverage_clean(raw, gap_width=gap_width)  # type: ignore[attr-defined]  # the stubs are of 2.1
    if not shapely.coverage_is_valid(clean):
        raise ValueError("the polygons are no coverage even after cleaning")
    after_km2 = _area_km2(clean, shapes)
    return Cleaned(
        gpd.GeoSeries(clean, index=shapes.index, crs=shapes.crs),
        overlap_km2=max(0.0, float(before_km2.sum()) - covered_km2),
        gap_km2=max(0.0, float(after_km2.sum()) - covered_km2),
        change_km2=after_km2 - before_km2,
    )


def _area_km2(shapes: NDArray[np.object_], like: gpd.GeoSeries) -> NDArray[np.float64]:
    flat = gpd.GeoSeries(shapes, crs=like.crs).to_crs(EQUAL_AREA_WORLD)
    return np.asarray(flat.area.to_numpy() / 1e6, dtype=np.float64)

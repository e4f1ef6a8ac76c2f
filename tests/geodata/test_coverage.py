"""Cleaning a coverage: overlaps and narrow gaps are settled and told in square kilometres; wide gaps stay."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.coverage import clean_coverage


def squares(*boxes: tuple[float, float, float, float]) -> gpd.GeoSeries:
    """Boxes in kilometres on the equal-area plane."""
    return gpd.GeoSeries([shapely.box(*(1000 * edge for edge in box)) for box in boxes], crs="ESRI:54034")


def test_an_overlap_goes_to_one_of_the_two_and_is_told():
    cleaned = clean_coverage(squares((0, 0, 10, 10), (9, 0, 20, 10)))
    assert shapely.coverage_is_valid(cleaned.shapes.to_numpy())
    assert cleaned.shapes.area.sum() / 1e6 == pytest.approx(200)
    assert cleaned.overlap_km2 == pytest.approx(10)
    assert cleaned.gap_km2 == pytest.approx(0)
    assert np.sort(cleaned.change_km2) == pytest.approx([-10, 0])


def test_a_narrow_gap_is_closed_and_a_lake_stays():
    around = squares((0, 0, 10, 4), (0, 6, 10, 10), (0, 4, 4, 6), (6, 4, 10, 6))  # a lake of 2 x 2 km
    narrow = squares((0, 0, 10, 4), (0, 6, 10, 10), (0, 4, 4, 6), (4.1, 4, 10, 6))  # a gap of 0.1 x 2 km
    assert clean_coverage(around, gap_width=500).gap_km2 == pytest.approx(0)
    cleaned = clean_coverage(narrow, gap_width=500)
    assert cleaned.gap_km2 == pytest.approx(0.2)
    assert cleaned.shapes.area.sum() / 1e6 == pytest.approx(100)


def test_a_third_dimension_and_the_index_do_not_matter():
    flat = squares((0, 0, 1, 1), (1, 0, 2, 1))
    tall = gpd.GeoSeries(shapely.force_3d(flat.array), index=["west", "east"], crs=flat.crs)
    cleaned = clean_coverage(tall)
    assert not cleaned.shapes.has_z.any()
    assert cleaned.shapes.index.tolist() == ["west", "east"]

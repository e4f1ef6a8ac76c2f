"""The official districts: read from the package adarvmaps, faults mended and counted.

The layer carries the fields of the Survey of India's administrative database; the package does not name its source.
Faults of the layer and what is done about them:

- polygons without a name, remarked "disputed" (between states), and Nazul of Delhi, which has no code: given to the
  named neighbour they share the longest border with, so that no land is lost;
- Mirpur and Muzaffarabad (Jammu and Kashmir), which have no code: part of the outline, no district with data;
- ``_x000D_`` (a carriage return, as spreadsheets write it) in names;
- overlaps and gaps between neighbours, leftovers of a simplification: settled by the longest border;
- names that are older or spelt otherwise than in the pack: ``district_aliases.csv``, source table ``boundaries``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.coverage import clean_coverage
from geodata.districts import METRIC_CRS, canonical_state, resolve_names
from geodata.errors import Fault, InputError

GAP_WIDTH_DEG = 0.02  # about 2 km; leaves the one true hole, Dahagram-Angarpota, which belongs to Bangladesh
SIMPLIFY_TOLERANCE_M = 250.0
CARRIAGE_RETURN = "_x000D_"
WITHOUT_CODE_AND_DATA = ("MIRPUR", "MUZAFFARABAD")


def read_districts(path: Path, aliases: pd.DataFrame) -> tuple[gpd.GeoDataFrame, gpd.GeoSeries, dict[str, Any]]:
    """Districts with a code, and the outlines of the states, as one clean coverage in EPSG:4326.

    Args:
        path: ``district_boundary_lite.fgb``: STATE_UT, DISTRICT, DIST_LGD, REMARKS and polygons.
        aliases: table of ``geodata.districts.load_aliases``.

    Returns:
        (districts, states, counts): columns state, district, lgd_code, geometry, sorted by state and district;
        outlines indexed by state, which also hold the land without a code; what was found and mended.

    Raises:
        InputError: for a code or a name that is there twice.
    """
    raw = gpd.read_file(path)
    table, counts = _tidy(raw, aliases)
    cleaned = clean_coverage(table.geometry, GAP_WIDTH_DEG)
    counts |= {"overlap_km2": round(cleaned.overlap_km2), "gap_km2": round(cleaned.gap_km2)}
    table = _merge_nameless(table.set_geometry(cleaned.shapes))
    table = table.set_geometry(_simplify(table.geometry)).sort_values(["state", "district"], ignore_index=True)
    states = table[["state", "geometry"]].dissolve("state", method="coverage").geometry
    districts = table[table["lgd_code"].notna()].reset_index(drop=True)
    problems = [
        Fault(f"{column} {value!r} is there twice", "mend the source", path.name, column=column, value=value)
        for column in ("lgd_code", "district_key")
        for value in districts.loc[districts[column].duplicated(), column]
    ]
    if problems:
        raise InputError(problems)
    return districts.drop(columns="district_key"), states, counts


def _tidy(raw: gpd.GeoDataFrame, aliases: pd.DataFrame) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Names in the pack's spelling, whole-number codes; land to be merged has the name None."""
    written = raw["DISTRICT"].astype("string")
    name = written.str.replace(CARRIAGE_RETURN, "", regex=False).str.strip()
    code = pd.to_numeric(raw["DIST_LGD"], errors="coerce").astype("Int64")
    known = name.notna() & (code.notna() | name.isin(WITHOUT_CODE_AND_DATA))
    state = raw["STATE_UT"].where(known, "").map(canonical_state)
    district = resolve_names(state, name.where(known, "").astype(str), aliases, "boundaries").where(known, None)
    table = gpd.GeoDataFrame(
        {"state": state, "district": district, "district_key": state + "/" + district.fillna(""), "lgd_code": code},
        geometry=raw.geometry,
        crs=raw.crs,
    )
    return table, {
        "polygons": len(raw),
        "polygons_with_code": int(code.notna().sum()),
        "nameless_polygons_merged": int(name.isna().sum()),
        "polygons_without_code_merged": sorted(name[name.notna() & ~known]),
        "polygons_without_code_drawn": sorted(name[known & code.isna()]),
        "names_with_carriage_return": int(written.str.contains(CARRIAGE_RETURN, regex=False).sum()),
        "names_respelt": int((district[known].str.casefold() != name[known].str.casefold()).sum()),
    }


def _merge_nameless(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give each polygon without a name to the named one it shares the longest border with."""
    nameless = table["district"].isna().to_numpy()
    shapes = np.asarray(table.geometry.array, dtype=object).copy()
    named = np.flatnonzero(~nameless)
    waiting = list(np.flatnonzero(nameless & ~shapely.is_empty(shapes)))
    while waiting:  # some touch only each other; those with a named neighbour go first
        border = [shapely.length(shapely.intersection(shapes[named], shapes[row])) for row in waiting]
        chosen = int(np.argmax([lengths.max() for lengths in border]))
        into = named[int(border[chosen].argmax())]
        shapes[into] = shapely.coverage_union(shapes[into], shapes[waiting.pop(chosen)])
    return gpd.GeoDataFrame(table.drop(columns="geometry"), geometry=shapes, crs=table.crs)[~nameless]


def _simplify(shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """Simplify neighbours together, and round to 1e-5 degree (about a metre), which compresses well."""
    flat = shapely.coverage_simplify(shapes.to_crs(METRIC_CRS).to_numpy(), SIMPLIFY_TOLERANCE_M)
    degrees = gpd.GeoSeries(flat, index=shapes.index, crs=METRIC_CRS).to_crs(4326)
    rounded = shapely.transform(degrees.to_numpy(), lambda xy: np.round(xy, 5))
    if not shapely.coverage_is_valid(rounded):
        raise RuntimeError("district polygons overlap or leave slivers after simplification")
    return gpd.GeoSeries(rounded, index=shapes.index, crs=4326)

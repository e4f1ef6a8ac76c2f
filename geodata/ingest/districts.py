"""The districts of an area: from its own boundaries or from the fallback pack, with what a pack says about each."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.districts import DISTRICT_COLUMNS
from geodata.errors import InputError
from geodata.ingest.area import Area, Source
from geodata.ingest.boundaries import (
    EQUAL_AREA_WORLD,
    Boundaries,
    coverage_faults,
    geoboundaries,
    of_states,
    read_boundaries,
)
from geodata.ingest.quality import Finding
from geodata.pack import Pack


@dataclass
class AreaDistricts:
    """Districts with ``DISTRICT_COLUMNS``, and what was found on the way."""

    districts: gpd.GeoDataFrame
    crs: str
    findings: list[Finding]
    provenance: dict[str, str] = field(default_factory=dict)


def area_districts(source: Source, area: Area, fallback: Pack) -> AreaDistricts:
    """Read the districts that an area file names.

    Raises:
        InputError: as `read_boundaries` and `geoboundaries`; a state that is not in the fallback pack, or no district
            of it inside the bounds.
    """
    values = source.values
    if source.kind == "pack":
        districts = _of_pack(source, area, fallback)
        overlaps, gaps = coverage_faults(districts)
        return AreaDistricts(districts, str(districts.crs.name), _coverage_findings(overlaps, gaps))
    if source.kind == "file":
        found = read_boundaries(
            source.file, values.get("columns", {}), area.bounds, layer=values.get("layer"), state=values.get("state"),
            states=values.get("states", []), crs=values.get("crs"), swap_axes=values.get("swap_axes", False),
        )  # fmt: skip
    else:
        with tempfile.TemporaryDirectory(prefix="deh-siting-") as folder:
            found = geoboundaries(
                values["country"], values.get("level", "ADM2"), area.bounds, Path(folder),
                states=values.get("states", []), sha256=values.get("sha256"),
            )  # fmt: skip
    districts, findings = _complete(found, fallback)
    return AreaDistricts(districts, found.crs, [*_boundary_findings(found), *findings], found.provenance)


def outline_states(districts: gpd.GeoDataFrame, fallback: Pack) -> gpd.GeoDataFrame:
    """State outlines: those of the fallback pack where it has all districts of the state, else joined districts."""
    whole = fallback.districts.groupby("state")["district_id"].agg(set)
    ours = districts.groupby("state")["district_id"].agg(set)
    known = fallback.states.set_index("state")
    rows = []
    for state, keys in ours.items():
        hindi = known["state_hi"].get(state)
        if state in known.index and whole.get(state) == keys:
            outline = known.geometry[state]
        else:
            outline = shapely.make_valid(districts.geometry[districts["state"] == state].union_all())
            # Corners that do not quite meet leave lines behind; an outline is an area.
            parts = [part for part in shapely.get_parts(outline) if part.geom_type in ("Polygon", "MultiPolygon")]
            outline = shapely.union_all(parts)
        rows.append({"state": state, "state_hi": hindi, "geometry": outline})
    return gpd.GeoDataFrame(rows, crs=districts.crs).astype({"state_hi": "object"})


def _of_pack(source: Source, area: Area, fallback: Pack) -> gpd.GeoDataFrame:
    """Districts of the fallback pack whose point lies inside the bounds, of some states if the area says so."""
    districts = of_states(fallback.districts, source.values.get("states", []), "the fallback pack")
    west, south, east, north = area.bounds
    districts = districts[districts["lon"].between(west, east) & districts["lat"].between(south, north)]
    if districts.empty:
        raise InputError(
            f"{area.path.name}: no district of the fallback pack lies inside the bounds; widen them, or name your own "
            "boundaries with [boundaries] source = 'file'"
        )
    return districts.reset_index(drop=True)


def _complete(found: Boundaries, fallback: Pack) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Give own districts the columns of a pack: main town, inhabitants, Hindi name; each estimate is listed."""
    districts = found.districts.copy()
    shapes = np.asarray(districts.geometry.array, dtype=object)
    towns = gpd.points_from_xy(fallback.districts["lon"], fallback.districts["lat"])
    district, town = shapely.STRtree(towns).query(shapes, predicate="contains")
    people = fallback.districts["population_weight"].to_numpy(float)
    order = np.lexsort((-people[town], district))
    first = np.unique(district[order], return_index=True)[1]
    town_of = np.full(len(districts), -1)
    town_of[district[order][first]] = town[order][first]
    middle = shapely.point_on_surface(shapes)
    basis = np.where(town_of >= 0, "main town of the fallback pack", "a point inside the polygon")
    for column, get, of_pack in (("lon", shapely.get_x, "lon"), ("lat", shapely.get_y, "lat")):
        known = fallback.districts[of_pack].to_numpy(float)[town_of]
        estimate = np.where(town_of >= 0, known, get(middle))
        given = pd.to_numeric(districts[column], errors="coerce") if column in districts else pd.Series(np.nan)
        given = given.reindex(districts.index)
        basis = np.where(given.notna(), "the file", basis)
        districts[column] = given.fillna(pd.Series(estimate, districts.index))

    given = pd.to_numeric(districts["population"], errors="coerce") if "population" in districts else pd.Series(np.nan)
    given = given.reindex(districts.index)
    districts["population_weight"] = given.fillna(_people_by_area(districts, fallback.districts))
    districts["post_offices"] = 0
    old = fallback.districts.set_index("district_id")
    for column in ("district_hi", "lgd_code"):
        own = districts[column] if column in districts else pd.Series(pd.NA, districts.index, dtype="object")
        districts[column] = own.astype("object").where(own.notna(), districts["district_id"].map(old[column]))
    districts["lgd_code"] = pd.to_numeric(districts["lgd_code"], errors="coerce").round().astype("Int64")
    districts["district_hi"] = districts["district_hi"].where(districts["district_hi"].notna(), None)

    findings = []
    unsaid = basis != "the file"
    if unsaid.any():
        table = districts.loc[unsaid, ["state", "district", "lon", "lat"]].assign(taken_from=basis[unsaid])
        findings.append(Finding(
            "districts", "look", "Districts whose main place is taken, not given",
            "All cargo of a district starts at one point. The file gives none for these, so the main town of the "
            "fallback pack inside the polygon was taken, else a point inside it.",
            "Give columns lon and lat with the place where most cargo starts.", table,
        ))  # fmt: skip
    if given.isna().any():
        table = districts.loc[given.isna(), ["state", "district", "population_weight"]]
        findings.append(Finding(
            "districts", "look", "Districts whose population is estimated",
            "The file gives no population, so that of the fallback pack's districts was shared out by area; 0 where "
            "it has none. Population is used only for potential exports.",
            "Map a column to population, or keep tonnage_basis = 'current'.", table,
        ))  # fmt: skip
    own_points = gpd.points_from_xy(districts["lon"], districts["lat"])
    away = ~shapely.intersects(shapes, np.asarray(own_points, dtype=object))
    if away.any():
        findings.append(Finding(
            "districts", "fault", "Districts whose main place lies outside their polygon",
            "The point and the polygon of these do not belong together.",
            "Correct lon and lat, or the polygon.", districts.loc[away, ["state", "district", "lon", "lat"]],
        ))  # fmt: skip
    return districts[list(DISTRICT_COLUMNS)], findings


def _people_by_area(districts: gpd.GeoDataFrame, known: gpd.GeoDataFrame) -> pd.Series:
    """Population of known districts shared out by area (n_districts,); 0 where none overlaps."""
    ours = np.asarray(districts.geometry.to_crs(EQUAL_AREA_WORLD).make_valid().array, dtype=object)
    theirs = np.asarray(known.geometry.to_crs(EQUAL_AREA_WORLD).make_valid().array, dtype=object)
    own, other = shapely.STRtree(theirs).query(ours, predicate="intersects")
    share = shapely.area(shapely.intersection(ours[own], theirs[other])) / shapely.area(theirs[other])
    people = share * known["population_weight"].to_numpy(float)[other]
    return pd.Series(np.bincount(own, people, minlength=len(ours)).round(), districts.index)


def _boundary_findings(found: Boundaries) -> list[Finding]:
    findings = []
    if len(found.mended):
        findings.append(Finding(
            "districts", "mended", "Polygons that crossed themselves",
            "They were made valid without moving a corner. A change of area of more than a percent means that the "
            "drawing was wrong, not just untidy.",
            "Look at those whose area changed, and mend them in the source.", found.mended,
        ))  # fmt: skip
    return findings + _coverage_findings(found.overlaps, found.gaps)


def _coverage_findings(overlaps: pd.DataFrame, gaps: pd.DataFrame) -> list[Finding]:
    findings = []
    if len(overlaps):
        findings.append(Finding(
            "districts", "look", "Districts that overlap",
            "Land that two districts claim; it counts in the area of both. Distances are not touched.",
            "Take boundaries of one date and one source, or edit the shared line.", overlaps,
        ))  # fmt: skip
    if len(gaps):
        findings.append(Finding(
            "districts", "look", "Gaps between districts",
            "Land that no district claims, enclosed by districts: a lake, a district that is missing, or untidy lines.",
            "Look at the largest on a map; add the district if one is missing.", gaps,
        ))  # fmt: skip
    return findings

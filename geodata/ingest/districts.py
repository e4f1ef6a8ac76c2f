"""The districts of an area: from its own boundaries or from the fallback pack, with what a pack says about each."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.coverage import EQUAL_AREA_WORLD
from geodata.districts import DISTRICT_COLUMNS
from geodata.errors import Fault, InputError
from geodata.ingest.area import Area, Source
from geodata.ingest.boundaries import Boundaries, Reading, of_states, read_boundaries
from geodata.ingest.geoboundaries import geoboundaries
from geodata.ingest.names import same_codes
from geodata.ingest.quality import Finding
from geodata.ingest.shapes import coverage_faults
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
        return AreaDistricts(districts, str(districts.crs.name), [*_overlap_finding(overlaps), *_gap_finding(gaps)])
    if source.kind == "file":
        reading = cast(Reading, {key: values[key] for key in Reading.__annotations__ if key in values})
        found = read_boundaries(source.file, values.get("columns", {}), area.bounds, **reading)
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
            Fault(
                "no district of the fallback pack lies inside the bounds",
                "widen them, or name your own boundaries with [boundaries] source = 'file'",
                area.path.name,
            )
        )
    return districts.reset_index(drop=True)


def _complete(found: Boundaries, fallback: Pack) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Give own districts the columns of a pack: main town, inhabitants, Hindi name; each estimate is listed."""
    districts = found.districts.copy()
    coded = "lgd_code" in districts
    basis = _set_main_places(districts, fallback)
    given = _numbers_of(districts, "population")
    districts["population_weight"] = given.fillna(_people_by_area(districts, fallback.districts))
    districts["post_offices"] = 0
    _set_names_and_codes(districts, fallback)
    findings = _code_findings(districts, fallback.districts.set_index("district_id")) if coded else []
    findings += _estimate_findings(districts, basis, given.isna())
    return districts[list(DISTRICT_COLUMNS)], findings


def _numbers_of(districts: gpd.GeoDataFrame, column: str) -> pd.Series[float]:
    """(n_districts,) numbers of a column that need not be there; NaN where there is none."""
    given = districts[column] if column in districts else pd.Series(np.nan, districts.index)
    return pd.to_numeric(given, errors="coerce").astype(float)


def _set_main_places(districts: gpd.GeoDataFrame, fallback: Pack) -> NDArray[Any]:
    """Fill in lon and lat; return what each rests on (n_districts,)."""
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
    for column, get in (("lon", shapely.get_x), ("lat", shapely.get_y)):
        known = fallback.districts[column].to_numpy(float)[town_of]
        estimate = pd.Series(np.where(town_of >= 0, known, get(middle)), districts.index)
        given = _numbers_of(districts, column)
        basis = np.where(given.notna(), "the file", basis)
        districts[column] = given.fillna(estimate)
    return basis


def _set_names_and_codes(districts: gpd.GeoDataFrame, fallback: Pack) -> None:
    """Fill in district_hi and lgd_code from the district of the fallback pack that has the same code or name."""
    old = fallback.districts.set_index("district_id")
    in_pack = {ours: theirs for theirs, ours in same_codes(districts, fallback.districts).items()}
    theirs = districts["district_id"].map(lambda key: in_pack.get(key, key))
    for column in ("district_hi", "lgd_code"):
        own = districts[column] if column in districts else pd.Series(pd.NA, districts.index, dtype="object")
        districts[column] = own.astype("object").where(own.notna(), theirs.map(old[column]))
    districts["lgd_code"] = pd.to_numeric(districts["lgd_code"], errors="coerce").round().astype("Int64")
    districts["district_hi"] = districts["district_hi"].where(districts["district_hi"].notna(), None)


def _estimate_findings(districts: gpd.GeoDataFrame, basis: NDArray[Any], estimated: pd.Series[bool]) -> list[Finding]:
    """Main places and populations that the file does not give, and points outside their polygons."""
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
    if estimated.any():
        table = districts.loc[estimated, ["state", "district", "population_weight"]]
        findings.append(Finding(
            "districts", "look", "Districts whose population is estimated",
            "The file gives no population, so that of the fallback pack's districts was shared out by area; 0 where "
            "it has none. Population is used only for potential exports.",
            "Map a column to population, or keep tonnage_basis = 'current'.", table,
        ))  # fmt: skip
    points = np.asarray(gpd.points_from_xy(districts["lon"], districts["lat"]), dtype=object)
    away = ~shapely.intersects(np.asarray(districts.geometry.array, dtype=object), points)
    if away.any():
        findings.append(Finding(
            "districts", "fault", "Districts whose main place lies outside their polygon",
            "The point and the polygon of these do not belong together.",
            "Correct lon and lat, or the polygon.", districts.loc[away, ["state", "district", "lon", "lat"]],
        ))  # fmt: skip
    return findings


def _people_by_area(districts: gpd.GeoDataFrame, known: gpd.GeoDataFrame) -> pd.Series:
    """Population of known districts shared out by area (n_districts,); 0 where none overlaps."""
    ours = np.asarray(districts.geometry.to_crs(EQUAL_AREA_WORLD).make_valid().array, dtype=object)
    theirs = np.asarray(known.geometry.to_crs(EQUAL_AREA_WORLD).make_valid().array, dtype=object)
    own, other = shapely.STRtree(theirs).query(ours, predicate="intersects")
    share = shapely.area(shapely.intersection(ours[own], theirs[other])) / shapely.area(theirs[other])
    people = share * known["population_weight"].to_numpy(float)[other]
    return pd.Series(np.bincount(own, people, minlength=len(ours)).round(), districts.index)


def _code_findings(districts: gpd.GeoDataFrame, of_pack: pd.DataFrame) -> list[Finding]:
    """What the codes of a file tell: rows without one, codes given twice, and codes of another list."""
    findings = []
    columns = ["state", "district", "lgd_code"]
    without = districts[districts["lgd_code"].isna()]
    if len(without):
        findings.append(Finding(
            "districts", "look", "Districts without a code",
            "They are drawn and take part by their name; tables that give codes only do not reach them.",
            "Fill in the code of the Local Government Directory where there is one.", without[["state", "district"]],
        ))  # fmt: skip
    twice = districts[districts["lgd_code"].duplicated(keep=False) & districts["lgd_code"].notna()]
    if len(twice):
        findings.append(Finding(
            "districts", "fault", "Codes that two districts bear", "Neither is found by its code, both by their names.",
            "Correct the code of one of them.", twice[columns].sort_values("lgd_code"),
        ))  # fmt: skip
    known = districts["district_id"].map(of_pack["lgd_code"]).astype("Int64")
    differ = districts[(known != districts["lgd_code"]).fillna(False)].assign(code_of_pack=known)
    if len(differ):
        findings.append(Finding(
            "districts", "look", "Codes that differ from those of the fallback pack",
            "Districts of one name with two codes. Where that is so for more than a tenth of the districts, codes of "
            "the file are of another list, for example that of a census, and are not matched with those of the pack.",
            "Map the column with codes of the Local Government Directory.", differ[[*columns, "code_of_pack"]],
        ))  # fmt: skip
    return findings


def _boundary_findings(found: Boundaries) -> list[Finding]:
    findings = []
    if len(found.unnamed):
        findings.append(Finding(
            "districts", "look", "Rows without a name that were left out",
            f"{found.unnamed['km2'].sum():,.1f} km2 that name no state or district, such as slivers that two states "
            "claim. They belong to no district here.",
            "Name those that are districts; rows that must not be left out need a state and a district.", found.unnamed,
        ))  # fmt: skip
    if len(found.parts):
        findings.append(Finding(
            "districts", "mended", "Districts put together from several rows",
            "Rows of one name and code, or of one name where the area file says merge_parts, are one district.",
            "Rename one of them where they are two districts.", found.parts,
        ))  # fmt: skip
    if len(found.mended):
        findings.append(Finding(
            "districts", "mended", "Polygons that crossed themselves",
            "They were made valid without moving a corner. A change of area of more than a percent means that the "
            "drawing was wrong, not just untidy.",
            "Look at those whose area changed, and mend them in the source.", found.mended,
        ))  # fmt: skip
    findings += _overlap_finding(found.overlaps, settled=True)
    if len(found.settled):
        grown = found.settled["km2"].clip(lower=0).sum()
        findings.append(Finding(
            "districts", "mended", "Districts whose borders were made to meet",
            "Land that two claimed, and gaps of less than about 100 m, went to the neighbour with the longer common "
            f"border. Districts grew by {grown:,.1f} km2 and shrank by {grown - found.settled['km2'].sum():,.1f} km2 "
            "in all.",
            "Look at the largest on a map; edit the shared line in the source where it went to the wrong one.",
            found.settled,
        ))  # fmt: skip
    return findings + _gap_finding(found.gaps)


def _overlap_finding(overlaps: pd.DataFrame, settled: bool = False) -> list[Finding]:
    if overlaps.empty:
        return []
    total = f"{overlaps['km2'].sum():,.1f} km2 that two districts claim."
    if settled:
        return [Finding(
            "districts", "mended", "Districts that overlapped", f"{total} Each piece went to one of the two.",
            "Take boundaries of one date and one source, or edit the shared line.", overlaps,
        )]  # fmt: skip
    return [Finding(
        "districts", "look", "Districts that overlap",
        f"{total} It counts in the area of both. Distances are not touched.",
        "Take boundaries of one date and one source, or edit the shared line.", overlaps,
    )]  # fmt: skip


def _gap_finding(gaps: pd.DataFrame) -> list[Finding]:
    if gaps.empty:
        return []
    return [Finding(
        "districts", "look", "Gaps between districts",
        "Land that no district claims, enclosed by districts: a lake, a district that is missing, or untidy lines.",
        "Look at the largest on a map; add the district if one is missing.", gaps,
    )]  # fmt: skip

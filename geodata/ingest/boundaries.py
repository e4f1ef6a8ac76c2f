"""District boundaries from any map file, or from geoBoundaries: read, checked, mended where that is safe."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from rapidfuzz import process

from geodata.districts import canonical_state, district_id, title_case
from geodata.errors import InputError
from geodata.ingest.exports import suggestions
from geodata.ingest.map_files import read_map
from geodata.tables import Bounds

EQUAL_AREA_WORLD = "ESRI:54034"
SMALL_KM2 = 1.0  # overlaps and gaps below it are slips of drawing
SHOWN = 10  # faults of one kind that are named
GEOBOUNDARIES_API = "https://www.geoboundaries.org/api/current/gbOpen"
MAX_DOWNLOAD_BYTES = 2**30
TIMEOUT_S = 60.0

OWN_COLUMNS = ("state", "district", "district_hi", "lgd_code", "lon", "lat", "population")


@dataclass
class Boundaries:
    """Districts and what was found on the way to them.

    Args:
        districts: EPSG:4326; ``state``, ``district``, ``district_id``, geometry, and those of ``district_hi``,
            ``lgd_code``, ``lon``, ``lat``, ``population`` that the file has.
        crs: name of the reference system found.
        mended: one row per polygon mended: ``district``, ``fault``, ``area_change_percent``.
        overlaps: pairs of districts that overlap: ``district_a``, ``district_b``, ``km2``.
        gaps: holes between districts: ``lon``, ``lat``, ``km2``.
        provenance: source, licence and checksum for the manifest.
    """

    districts: gpd.GeoDataFrame
    crs: str
    mended: pd.DataFrame
    overlaps: pd.DataFrame
    gaps: pd.DataFrame
    provenance: dict[str, str] = field(default_factory=dict)


def read_boundaries(
    path: Path,
    columns: Mapping[str, str],
    bounds: Bounds,
    *,
    layer: str | None = None,
    state: str | None = None,
    states: Sequence[str] = (),
    crs: str | None = None,
    swap_axes: bool = False,
) -> Boundaries:
    """Districts from a Shapefile, GeoJSON, GeoPackage, GeoParquet or another file GDAL reads, zipped or not.

    Args:
        path: the file.
        columns: our name -> theirs, for ``OWN_COLUMNS``; a column of our own name needs no entry.
        bounds: box that must hold every district.
        layer: which layer of a file with several.
        state: the state of all districts, where the file has no column for it.
        states: of the districts only those of these states; all if empty.
        crs: reference system that the file should have named, for example ``EPSG:4326``; it wins over the file's.
        swap_axes: the file holds latitude first.

    Raises:
        InputError: an unreadable or empty file, no reference system, columns or names that are missing, two districts
            of one name in a state, coordinates that are swapped, in metres, or outside the bounds.
    """
    table = read_map(path, layer)
    if table.empty:
        raise InputError(f"{path}: the layer is empty; export it again with its features")
    table, crs_name = _in_degrees(path, table, crs, swap_axes)
    names = _column_map(path, table, columns, state)
    _check_position(path, table, bounds)
    districts = gpd.GeoDataFrame(
        {ours: table[theirs] for ours, theirs in names.items()}, geometry=table.geometry.array, crs=4326
    )
    if state is not None and "state" not in districts:
        districts["state"] = state
    districts = districts.reset_index(drop=True)
    problems = _clean_names(path, districts)
    if not problems:
        districts = of_states(districts, states, str(path))
    problems += _shape_problems(path, districts)
    if problems:
        raise InputError(problems)
    return _finish(districts.reset_index(drop=True), crs_name)


def of_states(districts: gpd.GeoDataFrame, states: Sequence[str], source: str) -> gpd.GeoDataFrame:
    """The districts of some states, with the index they had; all if none is named.

    Raises:
        InputError: for a state that the source, so called in messages, does not have.
    """
    known = {name: name for name in districts["state"].unique()}
    wanted = [canonical_state(name) for name in states]
    problems = []
    for name in wanted:
        if name not in known:
            near = suggestions(name, known)
            hint = f"perhaps {' or '.join(near)}" if near else f"choose from {', '.join(known)}"
            problems.append(f"{source}: states: there is no state {name!r}; {hint}")
    if problems:
        raise InputError(problems)
    return districts[districts["state"].isin(wanted)] if wanted else districts


def geoboundaries(
    country: str,
    level: str,
    bounds: Bounds,
    folder: Path,
    *,
    states: Sequence[str] = (),
    sha256: str | None = None,
    api_url: str = GEOBOUNDARIES_API,
) -> Boundaries:
    """Districts of a country from geoBoundaries (www.geoboundaries.org), by its documented API.

    Args:
        country: ISO 3166-1 alpha-3 code, for example ``IND``.
        level: ``ADM2``, whose states come from ADM1, or ``ADM1``, whose state is the country.
        bounds: box that must hold every district.
        folder: where the downloads are put.
        states: of the districts only those of these states; all if empty.
        sha256: checksum that the boundary file of this level must have.

    Raises:
        InputError: without a connection, for an unknown code or level, a wrong checksum, or a faulty layer.
    """
    path, facts = _download_level(country, level, folder, api_url)
    if sha256 and facts["sha256"] != sha256.lower():
        raise InputError(
            f"geoBoundaries {country} {level}: its SHA-256 is {facts['sha256']}, not {sha256}; "
            "the boundaries have changed: look at them, then put the new checksum into the area file"
        )
    if level == "ADM1":
        result = read_boundaries(path, {"district": "shapeName"}, bounds, state=facts["country"])
    else:
        upper, _ = _download_level(country, "ADM1", folder, api_url)
        outlines = read_boundaries(upper, {"district": "shapeName"}, bounds, state=facts["country"]).districts
        lower = read_map(path, None).to_crs(4326)
        lower["state"] = _containing(lower, outlines)
        with_state = folder / f"{country}-{level}-with-state.gpkg"
        lower[["shapeName", "state", "geometry"]].to_file(with_state)
        result = read_boundaries(with_state, {"district": "shapeName"}, bounds, states=states)
    result.provenance = {
        "source": f"geoBoundaries {country} {level} ({facts['year']}), built {facts['built']}; {facts['origin']}",
        "licence": facts["licence"],
        "sha256_of_source": facts["sha256"],
    }
    return result


# -- reference systems and columns --------------------------------------------------------------------------------


def _in_degrees(path: Path, table: gpd.GeoDataFrame, crs: str | None, swap_axes: bool) -> tuple[gpd.GeoDataFrame, str]:
    """The table in EPSG:4326, and the name of the system it came in."""
    if crs is None and table.crs is None:
        raise InputError(
            f"{path}: no coordinate reference system (a Shapefile keeps it in its .prj); "
            "if it is in degrees add crs = 'EPSG:4326', else the code of its map projection"
        )
    try:
        table = table.set_crs(crs, allow_override=True) if crs else table
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{path}: crs = {crs!r} is unknown ({error}); write it like 'EPSG:4326'") from None
    assert table.crs is not None
    if swap_axes:
        table = table.set_geometry(shapely.transform(table.geometry.array, lambda xy: xy[:, ::-1]), crs=table.crs)
    west, south, east, north = table.total_bounds
    if table.crs.is_geographic and max(-west, east, -south, north) > 180:
        raise InputError(
            f"{path}: claims degrees ({table.crs.name}) but reaches from {west:,.0f}, {south:,.0f} to {east:,.0f}, "
            f"{north:,.0f}: these are metres; {metres_remedy((west + east) / 2, (south + north) / 2)}"
        )
    return table.to_crs(4326), str(table.crs.name)


def metres_remedy(x: float, y: float) -> str:
    """What to do about coordinates in metres, from a point in the middle of them."""
    middle = gpd.GeoSeries.from_xy([x], [y], crs="EPSG:3857").to_crs(4326).iloc[0]
    return (
        f"add crs = 'EPSG:3857' if it is Web Mercator (its middle would be {middle.x:.1f} E, {middle.y:.1f} N), "
        "else the code of its projection"
    )


def _column_map(path: Path, table: gpd.GeoDataFrame, columns: Mapping[str, str], state: str | None) -> dict[str, str]:
    """Our names -> theirs, for the columns there are."""
    theirs = [str(c) for c in table.columns if c != table.geometry.name]
    problems = [
        f"{path}: columns: {ours!r} is unknown; known: {', '.join(OWN_COLUMNS)}"
        for ours in columns
        if ours not in OWN_COLUMNS
    ]
    names = {}
    for ours in OWN_COLUMNS:
        wanted = columns.get(ours, ours)
        if theirs.count(wanted) == 1:
            names[ours] = wanted
        elif theirs.count(wanted) > 1:
            problems.append(f"{path}: column {wanted!r} is there more than once; rename one")
        elif ours in columns or ours == "district" or (ours == "state" and state is None):
            near = process.extractOne(wanted, theirs, score_cutoff=60)
            guess = f"; perhaps {near[0]!r}" if near else ""
            constant = ", or state = 'name' if all districts are in one" if ours == "state" else ""
            problems.append(
                f"{path}: has no column {wanted!r} for the {ours}{guess}; it has {', '.join(theirs) or 'none'}; "
                f"add columns = {{ {ours} = '...' }}{constant}"
            )
    if problems:
        raise InputError(problems)
    return names


def _check_position(path: Path, table: gpd.GeoDataFrame, bounds: Bounds) -> None:
    """Raise InputError when shapes are swapped or lie outside the bounds."""
    west, south, east, north = bounds
    box = table.geometry.bounds

    def inside(x0: str, y0: str, x1: str, y1: str) -> pd.Series:
        within: pd.Series = box[x0].ge(west) & box[y0].ge(south) & box[x1].le(east) & box[y1].le(north)
        return within

    there = inside("minx", "miny", "maxx", "maxy")
    outside = np.flatnonzero(~there & box["minx"].notna())
    if len(outside) == 0:
        return
    swapped = np.flatnonzero(~there & inside("miny", "minx", "maxy", "maxx"))
    if len(swapped):
        raise InputError(
            f"{path}: {len(swapped)} of {len(table)} shapes have latitude and longitude swapped "
            f"(first: row {swapped[0] + 1}); "
            + ("add swap_axes = true" if len(swapped) == len(table) else "exchange the two in these rows")
        )
    x0, y0, x1, y1 = (float(v) for v in table.total_bounds)
    raise InputError(
        f"{path}: {len(outside)} of {len(table)} shapes lie outside the area (first: row {outside[0] + 1}; the file "
        f"reaches from {x0:.2f} E {y0:.2f} N to {x1:.2f} E {y1:.2f} N, the area from {west:g} E {south:g} N to "
        f"{east:g} E {north:g} N); correct the file, or set bounds in [area]"
    )


# -- checking and mending ------------------------------------------------------------------------------------------


def _clean_names(path: Path, districts: gpd.GeoDataFrame) -> list[str]:
    """Put names in the pack's spelling, in place, and return what is wrong with them."""
    problems = []
    for column in ("state", "district"):
        text = districts[column].astype("string").fillna("").str.strip()
        blank = np.flatnonzero((text == "").to_numpy())
        problems += [f"{path}: row {row + 1}: the {column} has no name; fill it in" for row in blank[:SHOWN]]
        districts[column] = text.astype(object)
    districts["state"] = districts["state"].map(canonical_state)
    districts["district"] = [
        title_case(name) if name.isupper() or name.islower() else " ".join(name.split())
        for name in districts["district"]
    ]
    districts["district_id"] = [
        district_id(*pair) for pair in zip(districts["state"], districts["district"], strict=True)
    ]
    keys = districts["district_id"]
    for row in np.flatnonzero(~keys.str.fullmatch(r"[^/]+/[^/]+").to_numpy())[:SHOWN]:
        pair = f"{districts['district'][row]!r} of {districts['state'][row]!r}"
        if districts["district"][row] and districts["state"][row]:
            problems.append(f"{path}: row {row + 1}: {pair} has no Latin letters; map a column with Latin names")
    named = districts["district"].ne("") & districts["state"].ne("")
    for row in np.flatnonzero((keys.duplicated() & named).to_numpy())[:SHOWN]:
        first = int(np.flatnonzero((keys == keys[row]).to_numpy())[0])
        problems.append(
            f"{path}: rows {first + 1} and {row + 1} are both district {districts['district'][row]!r} of "
            f"{districts['state'][row]!r}; rename one, or merge them if they are parts of one district"
        )
    return problems


def _shape_problems(path: Path, districts: gpd.GeoDataFrame) -> list[str]:
    problems = []
    shapes = districts.geometry
    for row in districts.index[shapes.isna() | shapes.is_empty][:SHOWN]:
        problems.append(f"{path}: row {row + 1} ({districts['district'][row]}): has no shape; draw it or drop the row")
    wrong = ~shapes.geom_type.isin(["Polygon", "MultiPolygon"]) & shapes.notna() & ~shapes.is_empty
    for row in districts.index[wrong][:SHOWN]:
        problems.append(
            f"{path}: row {row + 1} ({districts['district'][row]}): is a {shapes[row].geom_type}; "
            "give the layer with the polygons"
        )
    return problems


def _finish(districts: gpd.GeoDataFrame, crs_name: str) -> Boundaries:
    districts, mended = _mend(districts)
    overlaps, gaps = coverage_faults(districts)
    return Boundaries(districts, crs_name, mended, overlaps, gaps)


def _mend(districts: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
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


# -- geoBoundaries -------------------------------------------------------------------------------------------------


def _download_level(country: str, level: str, folder: Path, api_url: str) -> tuple[Path, dict[str, str]]:
    """Fetch one level of a country: the file and the facts that the API gives about it."""
    where = f"{api_url}/{country.upper()}/{level}/"
    what = f"geoBoundaries {country.upper()} {level}"
    try:
        facts: dict[str, Any] = json.loads(_get(where))
        url = facts["gjDownloadURL"]
        content = _get(url)
    except urllib.error.HTTPError as error:
        raise InputError(f"{what}: the server answers {error.code} at {error.url}; check country and level") from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise InputError(
            f"{what}: no connection to {where} ({reason}); on a machine with internet open that address, save the file "
            "behind gjDownloadURL, bring it here and write [boundaries] source = 'file', file = '...', "
            "columns = { district = 'shapeName' }, state = '...'"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{what}: the answer at {where} is not the documented one; pass the file by hand") from None
    path = folder / f"{country.upper()}-{level}.geojson"
    path.write_bytes(content)
    return path, {
        "sha256": hashlib.sha256(content).hexdigest(),
        "country": str(facts.get("boundaryName", country)),
        "year": str(facts.get("boundaryYearRepresented", "year unknown")),
        "built": str(facts.get("buildDate", "unknown")),
        "origin": str(facts.get("boundarySource", "source unknown")),
        "licence": str(facts.get("boundaryLicense", "see geoboundaries.org")),
    }


def _get(url: str) -> bytes:
    if not url.startswith(("https://", "http://")):
        raise ValueError(url)
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
        content: bytes = answer.read(MAX_DOWNLOAD_BYTES + 1)
    if len(content) > MAX_DOWNLOAD_BYTES:
        raise ValueError("too long")
    return content


def _containing(districts: gpd.GeoDataFrame, states: gpd.GeoDataFrame) -> list[str]:
    """Name of the state that holds a point of each district, else of the nearest."""
    points = districts.geometry.make_valid().representative_point().to_crs(EQUAL_AREA_WORLD)
    nearest = states.to_crs(EQUAL_AREA_WORLD).geometry.sindex.nearest(points.array, return_all=False)[1]
    return [str(name) for name in states["district"].to_numpy()[nearest]]

"""District boundaries from any map file: read, checked, mended where that is safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict, Unpack

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from rapidfuzz import process

from geodata.coverage import EQUAL_AREA_WORLD
from geodata.districts import canonical_state, district_id, plain_name, title_case
from geodata.errors import Fault, InputError
from geodata.ingest.map_files import read_map
from geodata.ingest.names import suggestions
from geodata.ingest.shapes import areal, coverage_faults, mend, not_finite, settle
from geodata.ingest.sheets import parse_numbers
from geodata.tables import Bounds

SHOWN = 10  # faults of one kind that are named
UNNAMED_SHARE = 0.01  # of the area: rows without a name that make more than this are no slivers

OWN_COLUMNS = ("state", "district", "district_hi", "lgd_code", "lon", "lat", "population")


class Reading(TypedDict, total=False):
    """How a boundary file is to be read.

    Args:
        layer: which layer of a file with several.
        state: the state of all districts, where the file has no column for it.
        states: of the districts only those of these states; all if empty.
        crs: reference system that the file should have named, for example ``EPSG:4326``; it wins over the file's.
        swap_axes: the file holds latitude first.
        drop_unnamed: rows without a name are left out however large.
        merge_parts: rows of one name in one state are parts of one district.
    """

    layer: str | None
    state: str | None
    states: Sequence[str]
    crs: str | None
    swap_axes: bool
    drop_unnamed: bool
    merge_parts: bool


@dataclass
class Boundaries:
    """Districts and what was found on the way to them.

    Args:
        districts: EPSG:4326, a clean coverage; ``state``, ``district``, ``district_id``, geometry, and those of
            ``district_hi``, ``lgd_code``, ``lon``, ``lat``, ``population`` that the file has.
        crs: name of the reference system found.
        mended: one row per polygon mended: ``district``, ``fault``, ``area_change_percent``.
        overlaps: pairs of districts that overlapped: ``district_a``, ``district_b``, ``km2``.
        gaps: holes between districts: ``lon``, ``lat``, ``km2``.
        settled: districts that overlaps and narrow gaps made larger or smaller: ``district``, ``km2``.
        unnamed: rows left out because they name no district: ``row``, ``state``, ``remarks``, ``km2``.
        parts: districts put together from several rows: ``district``, ``rows``.
        provenance: source, licence and checksum for the manifest.
    """

    districts: gpd.GeoDataFrame
    crs: str
    mended: pd.DataFrame
    overlaps: pd.DataFrame
    gaps: pd.DataFrame
    settled: pd.DataFrame
    unnamed: pd.DataFrame
    parts: pd.DataFrame
    provenance: dict[str, str] = field(default_factory=dict)


def read_boundaries(path: Path, columns: Mapping[str, str], bounds: Bounds, **reading: Unpack[Reading]) -> Boundaries:
    """Districts from a Shapefile, GeoJSON, GeoPackage, GeoParquet or FlatGeobuf file, zipped or not.

    Rows of other states than those asked for are left out before anything is checked. Messages count rows as a map
    program does: the first is 1.

    Args:
        path: the file.
        columns: our name -> theirs, for ``OWN_COLUMNS``; a column of our own name needs no entry.
        bounds: box that must hold every district.
        reading: as in `Reading`.

    Raises:
        InputError: an unreadable or empty file, no reference system, columns or names that are missing, two districts
            of one name in a state, coordinates that are swapped, in metres, or outside the bounds.
    """
    table = read_map(path, reading.get("layer"))
    if table.empty:
        raise InputError(Fault("the layer is empty", "export it again with its features", path))
    table.index = pd.RangeIndex(1, len(table) + 1)
    districts = _own_columns(path, table, columns, reading.get("state"))
    _tidy_names(districts)
    districts = of_states(districts, reading.get("states", ()), str(path))
    unknown = (districts["state"] == "") | (districts["district"] == "")
    nameless, districts = districts[unknown], districts[~unknown]
    faults = [*_name_faults(path, districts), *_shape_faults(path, districts)]
    if faults:
        raise InputError(faults)
    districts, crs_name = _in_degrees(path, districts, reading.get("crs"), reading.get("swap_axes", False))
    _check_position(path, districts, bounds)
    unnamed = _unnamed(path, nameless, districts, table.drop(columns=table.geometry.name), reading)
    faults = _number_faults(path, districts, bounds)
    districts, mended = mend(districts)
    districts, parts, doubled = _parts_together(path, districts, reading.get("merge_parts", False))
    if faults or doubled:
        raise InputError([*faults, *doubled])
    overlaps, _ = coverage_faults(districts)
    districts, settled = settle(districts, overlaps)
    _, gaps = coverage_faults(districts)
    return Boundaries(districts.reset_index(drop=True), crs_name, mended, overlaps, gaps, settled, unnamed, parts)


def of_states(districts: gpd.GeoDataFrame, states: Sequence[str], source: str) -> gpd.GeoDataFrame:
    """The districts of some states, with the index they had; all if none is named.

    Raises:
        InputError: for a state that the source, so called in messages, does not have.
    """
    known = {name: name for name in districts["state"].unique() if name}
    wanted = [canonical_state(name) for name in states]
    problems = []
    for name in wanted:
        if name not in known:
            near = suggestions(name, known)
            hint = f"perhaps {' or '.join(near)}" if near else f"choose from {', '.join(known)}"
            problems.append(Fault(f"states: there is no state {name!r}", hint, source))
    if problems:
        raise InputError(problems)
    return districts[districts["state"].isin(wanted)] if wanted else districts


# -- reference systems and columns --------------------------------------------------------------------------------


def _in_degrees(path: Path, table: gpd.GeoDataFrame, crs: str | None, swap_axes: bool) -> tuple[gpd.GeoDataFrame, str]:
    """The table in EPSG:4326, and the name of the system it came in."""
    if crs is None and table.crs is None:
        raise InputError(
            Fault(
                "no coordinate reference system (a Shapefile keeps it in its .prj)",
                "if it is in degrees add crs = 'EPSG:4326', else the code of its map projection",
                path,
            )
        )
    try:
        table = table.set_crs(crs, allow_override=True) if crs else table
    except (ValueError, RuntimeError) as error:
        raise InputError(Fault(f"crs = {crs!r} is unknown ({error})", "write it like 'EPSG:4326'", path)) from None
    assert table.crs is not None
    if swap_axes:
        table = table.set_geometry(shapely.transform(table.geometry.array, lambda xy: xy[:, ::-1]), crs=table.crs)
    west, south, east, north = table.total_bounds
    if table.crs.is_geographic and max(-west, east, -south, north) > 180:
        raise InputError(
            Fault(
                f"claims degrees ({table.crs.name}) but reaches from {west:,.0f}, {south:,.0f} to {east:,.0f}, "
                f"{north:,.0f}: these are metres",
                metres_remedy((west + east) / 2, (south + north) / 2),
                path,
            )
        )
    return table.to_crs(4326), str(table.crs.name)


def metres_remedy(x: float, y: float) -> str:
    """What to do about coordinates in metres, from a point in the middle of them."""
    middle = gpd.GeoSeries.from_xy([x], [y], crs="EPSG:3857").to_crs(4326).iloc[0]
    return (
        f"add crs = 'EPSG:3857' if it is Web Mercator (its middle would be {middle.x:.1f} E, {middle.y:.1f} N), "
        "else the code of its projection"
    )


def _own_columns(
    path: Path, table: gpd.GeoDataFrame, columns: Mapping[str, str], state: str | None
) -> gpd.GeoDataFrame:
    """The columns that a pack knows, by our names, with flat shapes and the rows of the file as index."""
    names = _column_map(path, table, columns, state)
    own = gpd.GeoDataFrame(
        {ours: table[theirs] for ours, theirs in names.items()}, geometry=areal(table.geometry), crs=table.crs
    )
    if state is not None and "state" not in own:
        own["state"] = state
    return own


def _column_map(path: Path, table: gpd.GeoDataFrame, columns: Mapping[str, str], state: str | None) -> dict[str, str]:
    """Our names -> theirs, for the columns there are."""
    theirs = [str(c) for c in table.columns if c != table.geometry.name]
    problems = [
        Fault(f"columns: {ours!r} is unknown", f"known: {', '.join(OWN_COLUMNS)}", path)
        for ours in columns
        if ours not in OWN_COLUMNS
    ]
    names = {}
    for ours in OWN_COLUMNS:
        wanted = columns.get(ours, ours)
        if theirs.count(wanted) == 1:
            names[ours] = wanted
        elif theirs.count(wanted) > 1:
            problems.append(Fault(f"column {wanted!r} is there more than once", "rename one", path))
        elif ours in columns or ours == "district" or (ours == "state" and state is None):
            near = process.extractOne(wanted, theirs, score_cutoff=60)
            guess = f"; perhaps {near[0]!r}" if near else ""
            constant = ", or state = 'name' if all districts are in one" if ours == "state" else ""
            problems.append(
                Fault(
                    f"has no column {wanted!r} for the {ours}{guess}; it has {', '.join(theirs) or 'none'}",
                    f"add columns = {{ {ours} = '...' }}{constant}",
                    path,
                )
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
        first = table.index[swapped[0]]
        what = f"{len(swapped)} of {len(table)} shapes have latitude and longitude swapped (first: row {first})"
        remedy = "add swap_axes = true" if len(swapped) == len(table) else "exchange the two in these rows"
        raise InputError(Fault(what, remedy, path))
    x0, y0, x1, y1 = (float(v) for v in table.total_bounds)
    raise InputError(
        Fault(
            f"{len(outside)} of {len(table)} shapes lie outside the area (first: row {table.index[outside[0]]}; the "
            f"file reaches from {x0:.2f} E {y0:.2f} N to {x1:.2f} E {y1:.2f} N, the area from {west:g} E {south:g} N "
            f"to {east:g} E {north:g} N)",
            "correct the file, or set bounds in [area]",
            path,
        )
    )


# -- checking and mending ------------------------------------------------------------------------------------------


def _tidy_names(districts: gpd.GeoDataFrame) -> None:
    """Put names in the pack's spelling, in place; a blank one is ""."""
    for column in ("state", "district"):
        districts[column] = districts[column].astype("string").fillna("").map(plain_name).astype(object)
    districts["state"] = districts["state"].map(canonical_state)
    districts["district"] = [
        title_case(name) if name.isupper() or name.islower() else name for name in districts["district"]
    ]
    districts["district_id"] = [
        district_id(*pair) for pair in zip(districts["state"], districts["district"], strict=True)
    ]
    if "lgd_code" in districts:
        codes, _ = parse_numbers(districts["lgd_code"].astype("string").fillna(""))
        districts["lgd_code"] = codes.where(codes > 0).round().astype("Int64")
    if "district_hi" in districts:
        hindi = districts["district_hi"].astype("string").fillna("").map(plain_name)
        districts["district_hi"] = hindi.where(hindi != "", None).astype(object)


def _name_faults(path: Path, districts: gpd.GeoDataFrame) -> list[Fault]:
    no_latin = districts.index[~districts["district_id"].str.fullmatch(r"[^/]+/[^/]+")]
    return [
        Fault(
            f"{districts['district'][row]!r} of {districts['state'][row]!r} has no Latin letters",
            "map a column with Latin names", path, int(row), "district", districts["district"][row],
        )
        for row in no_latin[:SHOWN]
    ]  # fmt: skip


def _shape_faults(path: Path, districts: gpd.GeoDataFrame) -> list[Fault]:
    shapes, name = districts.geometry, districts["district"]
    empty = shapes.isna() | shapes.is_empty
    wrong = ~shapes.geom_type.isin(["Polygon", "MultiPolygon"]) & ~empty
    broken = not_finite(shapes)
    kinds = (
        (empty, pd.Series("has no shape", districts.index), "draw it or drop the row"),
        (wrong, "is a " + shapes.geom_type, "give the layer with the polygons"),
        (broken, pd.Series("has a corner whose place is no number", districts.index), "draw it anew"),
    )
    return [
        Fault(f"{name[row]} {what[row]}", remedy, path, int(row), "geometry")
        for mask, what, remedy in kinds
        for row in districts.index[mask][:SHOWN]
    ]


def _number_faults(path: Path, districts: gpd.GeoDataFrame, bounds: Bounds) -> list[Fault]:
    """Read lon, lat and population, in place, and say which are no numbers or out of range."""
    west, south, east, north = bounds
    limits = {"lon": (west, east), "lat": (south, north), "population": (0.0, np.inf)}
    faults = []
    for column, (low, high) in limits.items():
        if column not in districts:
            continue
        cells = districts[column].astype("string").fillna("")
        numbers, wrong = parse_numbers(cells)
        districts[column] = numbers
        remedy = f"write a number from {low:g} to {high:g}, or leave it blank"
        for row in districts.index[wrong | (numbers < low) | (numbers > high)][:SHOWN]:
            faults.append(Fault("", remedy, path, int(row), column, cells[row]))
    return faults


def _unnamed(
    path: Path, nameless: gpd.GeoDataFrame, districts: gpd.GeoDataFrame, table: pd.DataFrame, reading: Reading
) -> pd.DataFrame:
    """List the rows that name no district; InputError where they are too large to be slivers."""
    shapes = nameless.geometry.set_crs(reading.get("crs") or nameless.crs, allow_override=True)
    km2 = shapes.to_crs(EQUAL_AREA_WORLD).area / 1e6
    own = table.loc[nameless.index].select_dtypes(include=["object", "string"])
    remarks = [
        "; ".join(str(cell) for cell in row if isinstance(cell, str) and cell.strip())[:120]
        for row in own.itertuples(index=False)
    ]
    listed = pd.DataFrame(
        {"row": nameless.index, "state": nameless["state"], "remarks": remarks, "km2": km2.fillna(0.0)}
    ).reset_index(drop=True)
    whole = float(districts.to_crs(EQUAL_AREA_WORLD).area.sum()) / 1e6
    if listed["km2"].sum() > UNNAMED_SHARE * whole and not reading.get("drop_unnamed", False):
        rows = ", ".join(map(str, listed["row"][:SHOWN]))
        raise InputError(Fault(
            f"{len(listed)} rows without the name of a state or a district (rows {rows}) make "
            f"{listed['km2'].sum():,.0f} km2, beside {whole:,.0f} km2 of named ones",
            "name them, map another column, or leave them out with drop_unnamed = true", path,
            int(listed["row"].iloc[0]), "district", "",
        ))  # fmt: skip
    return listed


def _parts_together(
    path: Path, districts: gpd.GeoDataFrame, merge: bool
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, list[Fault]]:
    """Join rows of one name where they have one code or the user says so; all other doubled names are faults."""
    keys = districts["district_id"]
    several = districts[keys.duplicated(keep=False)]
    parts, faults = [], []
    for key, group in several.groupby("district_id"):
        rows = [int(row) for row in group.index]
        codes = group["lgd_code"] if "lgd_code" in group else pd.Series(pd.NA, group.index)
        if merge or (codes.notna().all() and codes.nunique() == 1):
            parts.append({"district": key, "rows": ", ".join(map(str, rows))})
        else:
            name = f"{group['district'].iloc[0]!r} of {group['state'].iloc[0]!r}"
            faults.append(Fault(
                f"rows {' and '.join(map(str, rows))} are both district {name}",
                "rename one, or add merge_parts = true if they are parts of one district", path, rows[1], "district",
                group["district"].iloc[0],
            ))  # fmt: skip
    if parts and not faults:
        whole = districts.geometry.groupby(keys, sort=False).agg(
            lambda shapes: shapely.union_all(np.asarray(shapes.array, dtype=object))
        )
        districts = districts[~keys.duplicated()]
        shapes = np.asarray(whole.reindex(districts["district_id"]), dtype=object)
        districts = districts.set_geometry(shapes, crs=districts.crs)
    return districts, pd.DataFrame(parts, columns=["district", "rows"]), faults

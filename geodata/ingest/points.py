"""A user's own ports, depots, sites, connectors or sectors -> the pack's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from rapidfuzz import process

from geodata.districts import canonical_state, slug
from geodata.errors import Fault, InputError
from geodata.ingest.boundaries import metres_remedy
from geodata.ingest.sheets import Sheet, read_sheet, tidy, total_rows
from geodata.tables import Bounds, Column, parse_cells


def read_points(
    path: Path,
    schema: Sequence[Column],
    bounds: Bounds,
    *,
    columns: Mapping[str, str] | None = None,
    constants: Mapping[str, Any] | None = None,
    crs: str | None = None,
    sheet: str | None = None,
    header_row: int | None = None,
    decimal: str = "",
) -> tuple[pd.DataFrame, list[str]]:
    """A table in the schema of the pack, whose index holds the rows of the file, and notes on how it was read.

    An identifier that the file lacks is made from the name; a missing ``source`` is the file's name.

    Args:
        path: CSV, XLSX or Parquet.
        schema: columns of the pack's table; the first is the identifier.
        bounds: box that must hold every point, where the schema has points.
        columns: our name -> theirs; a column of our own name needs no entry.
        constants: our name -> value of all rows.
        crs: reference system of lon and lat, if not degrees.
        sheet, header_row, decimal: as in `geodata.ingest.sheets.read_sheet`.

    Raises:
        InputError: naming every fault with the file's own rows.
    """
    columns, constants = dict(columns or {}), dict(constants or {})
    ours = [column.name for column in schema]
    wanted = _wanted(path, schema, columns, constants)
    own = read_sheet(path, wanted, sheet=sheet, header_row=header_row, decimal=decimal)
    if "name" in ours and "name" not in constants:
        own.cells = own.cells[~total_rows(own.column(columns.get("name", "name")).to_frame())[0]]
    text = _texts(own, schema, columns, constants)
    used = {tidy(columns.get(name, name)) for name in ours}
    unread = [name for name in own.cells.columns if name and tidy(name) not in used]
    if unread:
        own.notes.append(f"columns not read: {', '.join(dict.fromkeys(unread))}{_misspelt(unread, ours, text)}")
    hints = _plain_numbers(own, text, schema)
    if hints:
        raise InputError(hints)
    if "lon" in text:
        _to_degrees(own, text, bounds, crs)
    table, problems = parse_cells(path, text, schema, bounds if "lon" in text else None)
    if problems:
        raise InputError(problems)
    return table[ours], own.notes


def _wanted(
    path: Path, schema: Sequence[Column], columns: Mapping[str, str], constants: Mapping[str, Any]
) -> list[str]:
    """Columns that the file must have, by its names; InputError for a name of ours that the schema does not know."""
    ours = [column.name for column in schema]
    problems = [
        Fault(f"{key}: {name!r} is unknown", f"known: {', '.join(ours)}", path, column=name)
        for key, names in (("columns", columns), ("constants", constants))
        for name in names
        if name not in ours
    ]
    if problems:
        raise InputError(problems)
    made = {"source", *([schema[0].name] if "name" in ours else [])}
    must = [c.name for c in schema if (c.required or c.dtype == "boolean") and c.name not in made | set(constants)]
    return list(dict.fromkeys([columns.get(name, name) for name in must] + list(columns.values())))


def _texts(
    own: Sheet, schema: Sequence[Column], columns: Mapping[str, str], constants: Mapping[str, Any]
) -> pd.DataFrame:
    """Cells by our names, with constants, an identifier made from the name, and the source."""
    text = pd.DataFrame(index=own.cells.index)
    for column in schema:
        theirs = columns.get(column.name, column.name)
        if own.has(theirs):
            text[column.name] = own.column(theirs)
        elif column.name in constants:
            value = constants[column.name]
            text[column.name] = str(value).lower() if isinstance(value, bool) else str(value)
    if schema[0].name not in text and "name" in text:
        text[schema[0].name] = text["name"].map(slug)
    if any(column.name == "source" for column in schema) and "source" not in text:
        text["source"] = f"own table {own.path.name}"
    if "state" in text:
        text["state"] = text["state"].map(canonical_state)
    return text


def _misspelt(unread: Sequence[str], ours: Sequence[str], text: pd.DataFrame) -> str:
    """Point at columns that look like an optional one of ours."""
    open_names = [name for name in ours if name not in text]
    near = [(name, process.extractOne(name, open_names, score_cutoff=80)) for name in unread]
    hints = [f"{name!r} may be {match[0]}" for name, match in near if match]
    return f" ({'; '.join(hints)}: name it in columns if so)" if hints else ""


def _plain_numbers(own: Sheet, text: pd.DataFrame, schema: Sequence[Column]) -> list[Fault]:
    """Write numbers without grouping, in place; what is no number stays for the check to name.

    Returns the columns whose commas may be decimal.
    """
    hints = []
    for column in schema:
        if column.dtype == "number" and column.name in text:
            cells, degrees = text[column.name], column.name in ("lon", "lat")
            if degrees:
                cells = cells.str.replace(r"\s*°?\s*[ENen]?$", "", regex=True)
            values, wrong = own.numbers(cells)
            if degrees and not own.decimal:  # one comma in a degree does not group
                wrong |= cells.str.fullmatch(r"\s*-?\d{1,3},\d+\s*")
            hints += own.decimal_hint(column.name, cells, wrong)
            # A sign for "no figure" stays where one is needed, for the check to show it.
            kept = wrong | values.isna() if column.required else wrong
            text[column.name] = text[column.name].where(kept, values.map(lambda v: "" if pd.isna(v) else repr(v)))
    return hints


def _to_degrees(own: Sheet, text: pd.DataFrame, bounds: Bounds, crs: str | None) -> None:
    """Reproject in place if asked to; raise InputError for a table in metres or with its axes swapped."""
    lon, lat = pd.to_numeric(text["lon"], errors="coerce"), pd.to_numeric(text["lat"], errors="coerce")
    if crs is not None:
        try:
            points = gpd.GeoSeries.from_xy(lon, lat, crs=crs, index=text.index).to_crs(4326)
        except (ValueError, RuntimeError) as error:
            raise InputError(
                Fault(f"crs = {crs!r} is unknown ({error})", "write it like 'EPSG:3857'", own.path)
            ) from None
        lon, lat = points.x, points.y
        text["lon"], text["lat"] = lon.map(repr), lat.map(repr)
    metres = (lon.abs() > 180) | (lat.abs() > 180)
    if metres.sum() * 2 > len(text):
        row = metres.index[int(metres.argmax())]
        what = f"lon {lon[row]:,.0f}, lat {lat[row]:,.0f} are metres, not degrees"
        remedy = metres_remedy(float(lon.median()), float(lat.median()))
        raise InputError(Fault(what, remedy, own.path, row, "lon", float(lon[row])))
    west, south, east, north = bounds
    right = lon.between(west, east) & lat.between(south, north)
    swapped = ~right & lat.between(west, east) & lon.between(south, north)
    if swapped.sum() > 1 and swapped.sum() * 2 > len(text):
        raise InputError(
            Fault(
                f"lon and lat are swapped in {int(swapped.sum())} of {len(text)} rows (first: row {swapped.idxmax()})",
                "exchange the two in columns = { lon = '...', lat = '...' }",
                own.path,
            )
        )

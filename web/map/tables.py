"""Tables of a plan to take away: filtered as on the page, as CSV, GeoJSON, GeoPackage, XLSX or JSON."""

from __future__ import annotations

import io
import json
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
import xlsxwriter
from flask import request

from siting.results.cells import csv_text
from siting.results.classes import METHODS
from siting.study import FACILITY_TYPES
from web.map.measures import MEASURES, classify
from web.map.plan import PlanData, columns
from web.queries import choice, choices, flag, number, only
from web.security import refuse
from web.transfer import Body, json_body

LAYERS = ("districts", "sites", "lanes", "gateways", "depots", "states", "roads", "rail")
MIMETYPES = {
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
TEXT_COLUMNS = ("district", "district_hi", "name", "name_hi", "state", "state_hi", "hub_1", "gateway_after",
                "from", "to")  # fmt: skip
FILTERS = ("state", "q", "under_utilised", "served", "type", "district", "site", "measure", "classes", "class",
           "columns", "sort", "limit")  # fmt: skip
MAX_ROWS = 1_000_000


def table_of(data: PlanData, layer: str) -> pd.DataFrame:
    """All rows of a layer."""
    return {
        "districts": lambda: data.district_table, "sites": lambda: data.site_table, "lanes": lambda: data.plan.lanes,
        "gateways": lambda: data.gateway_table, "depots": lambda: data.depot_table, "states": lambda: data.state_table,
        "roads": lambda: data.road_table, "rail": lambda: data.rail_table,
    }[layer]()  # fmt: skip


def filtered(data: PlanData, layer: str) -> pd.DataFrame:
    """Rows of a layer that the query of the request asks for.

    ``state``, ``q``, ``under_utilised``, ``served``, ``type``, ``district``, ``site`` and a ``class`` of a
    ``measure`` choose rows, ``sort`` orders them.
    """
    only(*FILTERS)
    table = table_of(data, layer)
    if states := request.args.getlist("state"):
        table = table[_column(table, "state", layer).isin(states)]
    if (text := request.args.get("q")) is not None:
        wanted = plain(text)
        found = [table[name].map(plain, na_action="ignore").astype("string").str.contains(wanted, regex=False, na=False)
                 for name in TEXT_COLUMNS if name in table]  # fmt: skip
        table = table[pd.concat(found, axis=1).any(axis=1)] if found else table.iloc[:0]
    if (under := flag("under_utilised")) is not None:
        table = table[_column(table, "under_utilised", layer).astype(bool) == under]
    if (served := flag("served")) is not None:
        table = table[_column(table, "hub_1", layer).notna() == served]
    if types := choices("type", FACILITY_TYPES):
        table = table[_column(table, "facility_type", layer).isin(types)]
    if (district := request.args.get("district")) is not None:
        table = table[_column(table, "district_id", layer) == district]
    if (site := request.args.get("site")) is not None:
        if layer == "lanes":
            table = table[table["lane"].isin(data.lane_book.numbers_of_site(data.row_of("site", site)))]
        else:
            table = table[_column(table, "site_id", layer) == site]
    if (asked := request.args.get("class")) is not None:
        _column(table, "under_utilised", layer)
        keys = pd.Series(classify(choice("measure", tuple(MEASURES), "saving"), data.map_table,
                                  choice("classes", METHODS, METHODS[0])).keys)  # fmt: skip
        table = table[keys.reindex(table.index) == asked]
    if sort := request.args.get("sort"):
        name = sort.removeprefix("-")
        _column(table, name, layer)
        table = table.sort_values(name, ascending=not sort.startswith("-"), kind="stable", na_position="last")
    return table


def shown(table: pd.DataFrame, layer: str) -> pd.DataFrame:
    """Of filtered rows what ``limit`` and ``columns`` of the query leave."""
    table = table.head(int(number("limit", 0, MAX_ROWS, MAX_ROWS)))
    if names := request.args.get("columns"):
        for name in names.split(","):
            _column(table, name, layer)
        table = table[list(dict.fromkeys(names.split(",")))]
    return table


def _column(table: pd.DataFrame, name: str, layer: str) -> pd.Series:
    if name not in table:
        refuse(400, f"the table of {layer} has no column {name!r}; it has {', '.join(map(str, table.columns))}")
    return table[name]


def plain(text: str) -> str:
    """Lower case without accents: what a search compares."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in parts if unicodedata.category(c) != "Mn" or not "\u0300" <= c <= "\u036f")


def encode(data: PlanData, layer: str, kind: str) -> Body:
    """Return the filtered table of a layer in one of the kinds of MIMETYPES."""
    found = filtered(data, layer)
    table = shown(found, layer)
    if kind == "json":
        return json_body({"rows": len(table), "matches": len(found), "columns": columns(table)})
    writers: dict[str, Callable[[], bytes]] = {
        "csv": lambda: _csv(table),
        "xlsx": lambda: _xlsx(table, layer),
        "geojson": lambda: _geojson(_located(data, layer, table)),
        "gpkg": lambda: _geopackage(_located(data, layer, table), layer),
    }
    return Body(writers[kind](), MIMETYPES[kind])


def _csv(table: pd.DataFrame) -> bytes:
    """CSV with a byte order mark, without which spreadsheets misread Hindi."""
    return csv_text(table, "\r\n").encode("utf-8-sig")


def _xlsx(table: pd.DataFrame, layer: str) -> bytes:
    """A workbook of one sheet, written row by row: a network has a hundred thousand."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {**options, "constant_memory": True}) as book:
        sheet, bold = book.add_worksheet(layer), book.add_format({"bold": True})
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, len(table), max(len(table.columns) - 1, 0))
        sheet.write_row(0, 0, map(str, table.columns), bold)
        cells = table.astype(object).where(table.notna(), None)
        for number, row in enumerate(cells.itertuples(index=False), start=1):
            sheet.write_row(number, 0, row)
    return content.getvalue()


def _geojson(table: gpd.GeoDataFrame) -> bytes:
    values = columns(pd.DataFrame(table.drop(columns="geometry")))
    features = [
        {"type": "Feature", "properties": dict(zip(values, row, strict=True)),
         "geometry": None if shape is None else shapely.geometry.mapping(shape)}
        for row, shape in zip(
            zip(*values.values(), strict=True) if values else ((),) * len(table), table.geometry, strict=True
        )
    ]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False).encode()


def _geopackage(table: gpd.GeoDataFrame, layer: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{layer}.gpkg"
        names = {"from": "from_place", "to": "to_place"}  # words of SQL
        table.rename(columns=names).to_file(path, layer=layer, driver="GPKG", engine="pyogrio")
        return path.read_bytes()


def _located(data: PlanData, layer: str, table: pd.DataFrame) -> gpd.GeoDataFrame:
    """The rows with their geometry: polygons, points, or lines from end to end."""
    rows = table.index.to_numpy()
    full = table_of(data, layer)
    if layer == "districts":
        shapes: Any = data.plan.shapes.geometry.to_numpy()[rows]
    elif layer == "states":
        known = data.shapes.dissolved.set_index("name").geometry
        shapes = known.reindex(full["state"].iloc[rows]).to_numpy()
    elif layer == "lanes":
        shapes = data.lane_book.lines_of_rows(full.iloc[rows])
    elif layer in ("roads", "rail"):
        network = data.pack.road if layer == "roads" else data.pack.rail
        shapes = network.geometry[rows]
    else:
        shapes = shapely.points(full[["lon", "lat"]].to_numpy(dtype=float)[rows])
    # GeoPackage holds no column without a type.
    text = [name for name in table.columns if pd.api.types.is_object_dtype(table[name])]
    return gpd.GeoDataFrame(table.astype(dict.fromkeys(text, "string")), geometry=list(shapes), crs="EPSG:4326")

"""Read the folder of a result, and say in one line which file of it is damaged, and how."""

from __future__ import annotations

import csv
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from geodata.errors import Fault, InputError
from geodata.pack import Pack
from siting.results.cells import unguarded
from siting.results.schema import LAYERS, Column, columns, keys_of

TABLES = ("plan.json", "districts.csv", "sites.csv", "lanes.csv", "study.gpkg")
CRS = "EPSG:4326"
MAP_LAYERS = ("districts", "gateways", "depots")  # a plan without sites has no others
KEYS = {"districts": "district_id", "sites": "option_id"}
AGAIN = "run `siting run` again"
LARGEST_SUMMARY_BYTES = 20_000_000
DEEPEST = 20
OLDER = f"written by an older version; {AGAIN}"


class PlanTables(ABC):
    """Tables of one plan, each read when first asked for; the same for results on disk and answered questions."""

    key: str
    """Name that the plan goes by where several are listed."""
    path: Path
    stamp: int
    """Time of writing (ns): a plan that is written again is another one."""

    @property
    def identity(self) -> tuple[str, int]:
        """What answers made from these tables are kept by."""
        return str(self.path), self.stamp

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Content of ``plan.json``."""
        return read_summary(self.path / "plan.json")

    @property
    def closed_gateways(self) -> list[str]:
        return list(self.summary["resolved_study"].get("closed_gateways", []))

    @property
    def own_districts(self) -> str | None:
        """File or pack that the study's own districts are from, where they are not those of the bundled pack."""
        data = self.summary["resolved_study"].get("data", {})
        own: str | None = data.get("districts") or data.get("pack")
        return own

    @property
    @abstractmethod
    def districts(self) -> pd.DataFrame:
        """``districts.csv``, in the order of the shapes."""

    @property
    @abstractmethod
    def sites(self) -> pd.DataFrame:
        """``sites.csv``."""

    @property
    @abstractmethod
    def lanes(self) -> pd.DataFrame:
        """``lanes.csv``."""

    @property
    @abstractmethod
    def flows(self) -> gpd.GeoDataFrame:
        """Movements of lanes through new sites."""

    flows_are_drawn: bool
    """whether the lines of the flows follow the networks; else they only join their ends"""

    @property
    @abstractmethod
    def gateways(self) -> pd.DataFrame:
        """Gateways of the study."""

    @property
    @abstractmethod
    def depots(self) -> pd.DataFrame:
        """Inland depots of the study."""

    @property
    @abstractmethod
    def shapes(self) -> gpd.GeoDataFrame:
        """District polygons in the order of ``districts``."""


@dataclass(frozen=True)
class PlanFolder(PlanTables):
    """A finished result in a folder, as ``siting run`` writes it; every table is checked as it is read.

    Reading a table raises InputError with one line that names file, row, column and value.
    """

    key: str
    path: Path
    stamp: int
    flows_are_drawn = True

    @cached_property
    def districts(self) -> pd.DataFrame:
        return read_table(self.path / "districts.csv")

    @cached_property
    def sites(self) -> pd.DataFrame:
        return read_table(self.path / "sites.csv")

    @cached_property
    def lanes(self) -> pd.DataFrame:
        return read_table(self.path / "lanes.csv")

    @cached_property
    def flows(self) -> gpd.GeoDataFrame:
        return self._layer("lanes")

    @cached_property
    def gateways(self) -> gpd.GeoDataFrame:
        return self._layer("gateways")

    @cached_property
    def depots(self) -> gpd.GeoDataFrame:
        return self._layer("depots")

    @cached_property
    def shapes(self) -> gpd.GeoDataFrame:
        layer = self._layer("districts")
        order = pd.Index(layer["district_id"]).get_indexer(self.districts["district_id"])
        if (order < 0).any():
            absent = self.districts["district_id"].iloc[int(np.argmax(order < 0))]
            raise InputError(Fault(f"no polygon for the district {absent}", AGAIN, self.path / "study.gpkg"))
        return layer.iloc[order].reset_index(drop=True)

    def _layer(self, name: str) -> gpd.GeoDataFrame:
        path = self.path / "study.gpkg"
        fault = _told(path, _map_fault)
        if fault:
            raise InputError(fault)
        if name not in pyogrio.list_layers(path)[:, 0]:
            return gpd.GeoDataFrame(
                {column: [] for column in columns(LAYERS[name])}, geometry=gpd.GeoSeries([], crs=CRS)
            )
        layer = gpd.read_file(path, layer=name, engine="pyogrio")
        missing = _missing(LAYERS[name], layer.columns)
        if missing:
            raise InputError(Fault(f"layer {name} has no column {missing}", OLDER, path))
        return layer


@dataclass(frozen=True)
class AnswerFolder(PlanTables):
    """The answer to a what-if question, as :func:`siting.results.tables.write_answer` leaves it."""

    key: str
    path: Path
    stamp: int
    pack: Pack = field(compare=False)
    """where its geography comes from"""
    flows_are_drawn = False

    @cached_property
    def districts(self) -> pd.DataFrame:
        return self._stored("districts")

    @cached_property
    def sites(self) -> pd.DataFrame:
        return self._stored("sites")

    @cached_property
    def lanes(self) -> pd.DataFrame:
        return self._stored("lanes")

    @cached_property
    def flows(self) -> gpd.GeoDataFrame:
        table = self._stored("movements")
        ends = table[["from_lon", "from_lat", "to_lon", "to_lat"]].to_numpy().reshape(-1, 2, 2)
        lines = [shapely.LineString(both) for both in ends]
        return gpd.GeoDataFrame(table, geometry=lines, crs=CRS)

    def _stored(self, name: str) -> pd.DataFrame:
        path = self.path / f"{name}.parquet"
        table = pd.read_parquet(path)
        missing = _missing(name, table.columns)
        if missing:
            raise InputError(
                Fault(f"has no column {missing}", "written by an older version: ask the question again", path)
            )
        return table

    @property
    def gateways(self) -> pd.DataFrame:
        return self.pack.gateways

    @property
    def depots(self) -> pd.DataFrame:
        return self.pack.depots

    @property
    def shapes(self) -> gpd.GeoDataFrame:
        return self.pack.districts


def open_result(folder: Path) -> PlanFolder:
    """Return the result in a folder.

    Raises:
        InputError: when it holds no ``plan.json``, or one that cannot be read.
    """
    file = folder / "plan.json"
    if not file.is_file():
        raise InputError(Fault("no plan.json", "name a folder written by `siting run`", folder))
    plan = PlanFolder(folder.name, folder, file.stat().st_mtime_ns)
    _ = plan.summary
    return plan


def result_fault(folder: Path) -> str | None:
    """Return what keeps the result in a folder from being opened, with the remedy; None where nothing does.

    Looks at ``plan.json``, the headers of the tables and the layers of the map; cells are checked as they are read.
    """
    checks: Mapping[str, Callable[[Path], Fault | None]] = {
        "plan.json": _summary_fault, "districts.csv": _header_fault, "sites.csv": _header_fault,
        "lanes.csv": _header_fault, "study.gpkg": _map_fault,
    }  # fmt: skip
    return next((str(fault) for name, check in checks.items() if (fault := _told(folder / name, check))), None)


def read_summary(path: Path) -> dict[str, Any]:
    """Return the content of ``plan.json``.

    Raises:
        InputError: when it cannot be read, lacks a key, or holds a value of another type.
    """
    fault = _told(path, _summary_fault)
    if fault:
        raise InputError(fault)
    content: dict[str, Any] = _parsed(path)
    return content


def read_table(path: Path) -> pd.DataFrame:
    """Return a table of a result, named as its file is, with the types that the schema gives.

    Raises:
        InputError: when it cannot be read, or at the first column that is missing or cell of another type.
    """
    fault = _told(path, _header_fault)
    if fault:
        raise InputError(fault)
    known = columns(path.stem)
    try:
        text = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8", na_filter=False)
    except ValueError as error:  # not text, or rows of different lengths
        raise InputError(Fault(f"cannot be read ({_one_line(error)})", AGAIN, path)) from None
    table = pd.DataFrame({
        name: _values(path, text[name], known[name]) if name in known else text[name].map(unguarded)
        for name in map(str, text.columns)
    })  # fmt: skip
    key = KEYS.get(path.stem)
    if key and (again := table[key].duplicated()).any():
        row = int(np.argmax(again.to_numpy()))
        raise InputError(
            Fault(f"{key} {table[key].iloc[row]!r} is there twice", AGAIN, path, row + 2, key, table[key].iloc[row])
        )
    return table


def _values(path: Path, cells: pd.Series[str], column: Column) -> pd.Series[Any]:
    """Cells of a column as values of its type; an empty one is None or NaN."""
    empty = cells == ""
    if column.dtype == "text":
        values = cells.map(unguarded).astype(object).mask(empty, None)
        wrong = empty
    elif column.dtype == "yes/no":
        values = cells == "True"
        wrong = ~cells.isin(["True", "False"])
    else:
        number = pd.to_numeric(cells.mask(empty), errors="coerce").astype(float)
        wrong = ~pd.Series(np.isfinite(number), cells.index)
        if column.dtype == "whole":
            wrong |= number != np.floor(number)
        values = number
        if column.dtype == "whole" and not empty.any() and not wrong.any():
            values = number.astype("int64")
    if column.may_be_empty:
        wrong = wrong & ~empty
    if wrong.any():
        row = int(np.argmax(wrong.to_numpy()))
        raise InputError(
            Fault(
                f"{column.name} is {cells.iloc[row][:50]!r}, which is no {column.dtype}",
                AGAIN,
                path,
                row + 2,
                column.name,
                cells.iloc[row],
            )
        )
    return values


def _told(path: Path, check: Callable[[Path], Fault | None]) -> Fault | None:
    """What a check finds at a file; one that cannot be read is told the same way."""
    try:
        path.stat()  # a file that is not there is told as such
        # What is no file, a pipe say, would be waited for.
        return check(path) if path.is_file() else Fault("cannot be read, it is no file", f"remove it and {AGAIN}", path)
    except FileNotFoundError:
        return Fault("is missing", AGAIN, path)
    except (OSError, ValueError, RecursionError, csv.Error, pyogrio.errors.DataSourceError) as error:
        return Fault(f"cannot be read ({type(error).__name__}: {_one_line(error)})", AGAIN, path)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _parsed(path: Path) -> Any:
    """Content of a JSON file that can be written again as JSON in UTF-8, whatever is around it."""
    if path.stat().st_size > LARGEST_SUMMARY_BYTES:
        raise ValueError(f"is larger than {LARGEST_SUMMARY_BYTES:,} bytes")
    content = json.loads(
        path.read_text(encoding="utf-8"), parse_constant=_number, parse_float=_number, parse_int=_whole
    )
    if _depth(content) > DEEPEST:
        raise ValueError(f"has lists and objects more than {DEEPEST} deep")
    json.dumps(content, ensure_ascii=False).encode()  # half a surrogate pair is no text
    return content


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:50]} is no number")
    return number


def _whole(text: str) -> int:
    _number(text)  # one that others cannot hold either
    return int(text)


def _depth(content: Any) -> int:
    """How many lists and objects are within each other."""
    depth, level = 0, [content]
    while level := [part for part in level if isinstance(part, dict | list)]:
        depth += 1
        level = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]
    return depth


def _summary_fault(path: Path) -> Fault | None:
    content = _parsed(path)
    if not isinstance(content, dict):
        return Fault("is not an object", AGAIN, path)
    found = dict(keys_of(content))
    for name, column in columns("plan.json").items():
        if name not in found:
            if column.needed:
                return Fault(f"has no {name}", OLDER, path)
        elif not (found[name] is None and column.may_be_empty) and not _is_of(found[name], column):
            return Fault(f"has {name} = {str(found[name])[:50]!r}, which is no {column.dtype}", AGAIN, path)
    study = content["resolved_study"]
    if not all(isinstance(study.get(key, {}), dict) for key in ("data", "parameters")):
        return Fault("has a resolved_study whose data or parameters are no object", AGAIN, path)
    if not all(isinstance(name, str) for name in _list(study.get("closed_gateways", []))):
        return Fault("has a resolved_study whose closed_gateways are no list of names", AGAIN, path)
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [None]


def _is_of(value: Any, column: Column) -> bool:
    if isinstance(value, bool):
        return column.dtype == "yes/no"
    kinds: dict[str, type | tuple[type, ...]] = {
        "text": str, "number": (int, float), "whole": int, "list": list, "object": dict,
    }  # fmt: skip
    return isinstance(value, kinds[column.dtype])


def _header_fault(path: Path) -> Fault | None:
    with path.open(encoding="utf-8", newline="") as lines:
        header = next(csv.reader(lines), None)
    if header is None:
        return Fault("is empty", AGAIN, path)
    missing = _missing(path.stem, header)
    return Fault(f"has no column {missing}", OLDER, path) if missing else None


def _missing(table: str, names: Iterable[str]) -> str | None:
    """The first column that is needed and not there."""
    there = set(names)
    return next((column.name for column in columns(table).values() if column.needed and column.name not in there), None)


def _map_fault(path: Path) -> Fault | None:
    with path.open("rb") as file:
        head = file.read(100)
    if not head.startswith(b"SQLite format 3\0") or head[68:72] != b"GPKG":
        # GDAL goes by content alone and would open what other formats refer to.
        return Fault("cannot be read as a GeoPackage", AGAIN, path)
    layers = pyogrio.list_layers(path)[:, 0]
    missing = [name for name in MAP_LAYERS if name not in layers]
    return Fault(f"has no layer {missing[0]}", AGAIN, path) if missing else None

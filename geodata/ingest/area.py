"""An area file (TOML): where each layer of a pack comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from geodata.districts import INDIA_BOUNDS
from geodata.errors import Fault, InputError
from geodata.hints import hint
from geodata.pack import INDIA
from geodata.tables import Bounds
from geodata.toml_tables import read_tables

MONEY_UNITS = ("usd", "usd_thousand", "usd_million", "usd_billion", "inr", "inr_lakh", "inr_million", "inr_crore")


@dataclass(frozen=True)
class Source:
    """Where one layer comes from.

    ``kind`` is the ``source`` of its table in the area file; ``values`` are the other keys, files as absolute paths.
    A layer that the file does not name has ``named`` False and comes from the fallback pack.
    """

    layer: str
    kind: str
    values: Mapping[str, Any]
    named: bool = True

    @property
    def file(self) -> Path:
        """The file it is read from; KeyError for a source without one."""
        return Path(self.values["file"])


@dataclass(frozen=True)
class Area:
    """A study area: name, bounds (degrees), the pack that fills what it does not name, and a source per layer."""

    path: Path
    name: str
    bounds: Bounds
    fallback: Path
    sources: Mapping[str, Source]


@dataclass(frozen=True)
class _Key:
    """One key of a table: what it holds, and whether it must be there."""

    holds: Literal["text", "texts", "number", "count", "flag", "file", "folder", "names", "values"]
    required: bool = False
    choices: tuple[str, ...] = ()


_NOTE = {"origin": _Key("text"), "licence": _Key("text")}
_FILE = {"file": _Key("file", required=True), **_NOTE}
_SHEET = {**_FILE, "sheet": _Key("text"), "header_row": _Key("count"), "columns": _Key("names"),
          "decimal": _Key("text", choices=(".", ","))}  # fmt: skip
_POINTS = {**_SHEET, "constants": _Key("values"), "crs": _Key("text")}
_ROAD_RULES = {"gap_limit_m": _Key("number"), "classes": _Key("texts"), "truck_speeds": _Key("file")}
_RAIL_RULES = {"gap_limit_m": _Key("number"), "gauge_mm": _Key("count")}


def _network_sources(rules: Mapping[str, _Key]) -> dict[str, dict[str, _Key]]:
    return {
        "pack": {},
        "pbf": {**_FILE, **rules},
        "overpass": {**_NOTE, **rules, "overpass_url": _Key("text"), "cache_folder": _Key("folder")},
        "lines": {
            **_FILE, **rules, "layer": _Key("text"), "class_column": _Key("text", required=True),
            "class_names": _Key("names"), "columns": _Key("names"),
        },
    }  # fmt: skip


_TABLE: dict[str, dict[str, _Key]] = {"pack": {}, "file": _POINTS, "none": {}}

LAYERS: dict[str, dict[str, dict[str, _Key]]] = {
    "boundaries": {
        "pack": {"states": _Key("texts")},
        "file": {
            **_FILE, "layer": _Key("text"), "columns": _Key("names"), "state": _Key("text"), "states": _Key("texts"),
            "crs": _Key("text"), "swap_axes": _Key("flag"), "drop_unnamed": _Key("flag"), "merge_parts": _Key("flag"),
        },
        "geoboundaries": {
            **_NOTE, "country": _Key("text", required=True), "level": _Key("text", choices=("ADM1", "ADM2")),
            "states": _Key("texts"), "sha256": _Key("text"),
        },
    },
    "roads": _network_sources(_ROAD_RULES),
    "rail": _network_sources(_RAIL_RULES),
    "exports": {
        "pack": {"aliases": _Key("file")},
        "file": {
            **_SHEET, "sectors": _Key("text", choices=("across", "down")), "sector_names": _Key("names"),
            "unit": _Key("text", required=True, choices=MONEY_UNITS), "inr_per_usd": _Key("number"),
            "total": _Key("number"), "state": _Key("text"), "aliases": _Key("file"),
        },
    },
    "sectors": {"pack": {}, "file": _SHEET},
    "gateways": {"pack": {}, "file": _POINTS},
    "depots": _TABLE,
    "planned_sites": _TABLE,
    "rail_connectors": _TABLE,
    "land_customs": _TABLE,
}  # fmt: skip
"""Layer -> source -> keys that go with it."""


def load_area(path: Path | str) -> Area:
    """Read and check an area file; paths in it are relative to it.

    Raises:
        InputError: every fault of the file at once: unknown tables, sources and keys, missing keys and files,
            values of the wrong kind.
    """
    path = Path(path)
    content = read_tables(path, ("area", *LAYERS), "area", "areas/")
    own = content.get("area", {})
    keys = {"name": _Key("text", required=True), "bounds": _Key("values"), "pack": _Key("folder")}
    problems = _key_problems(path, "area", {k: v for k, v in own.items() if k != "bounds"}, keys)
    bounds = own.get("bounds", list(INDIA_BOUNDS))
    problems += _bounds_problems(path, bounds)
    sources = {}
    for layer, kinds in LAYERS.items():
        table = content.get(layer)
        if table is None:
            sources[layer] = Source(layer, "pack", {}, named=False)
            continue
        kind = table.get("source")
        if kind not in kinds:
            given = "has no source" if kind is None else f"source = {kind!r} is unknown"
            problems.append(Fault(f"[{layer}] {given}", f"choose from {', '.join(kinds)}", path.name))
            continue
        values = {key: value for key, value in table.items() if key != "source"}
        if kind == "file":
            values, found = layer_table(path, layer, values, layer)
        else:
            values, found = _absolute(path, values, kinds[kind]), _key_problems(path, layer, values, kinds[kind])
        problems += found
        sources[layer] = Source(layer, kind, values)
    if problems:
        raise InputError(problems)
    west, south, east, north = map(float, bounds)
    fallback = path.parent / own["pack"] if "pack" in own else INDIA
    return Area(path, own["name"], (west, south, east, north), fallback, sources)


def layer_table(path: Path, layer: str, table: Mapping[str, Any], where: str) -> tuple[dict[str, Any], list[Fault]]:
    """A table that names a layer's file, with paths seen from the file at ``path``, and what is wrong with it.

    Args:
        where: what messages call the table.
    """
    keys = LAYERS[layer]["file"]
    problems = _key_problems(path, where, table, keys)
    if str(table.get("unit", "")).startswith("inr") and "inr_per_usd" not in table:
        problems.append(Fault(f"[{where}] unit is rupees", "give inr_per_usd, the mean rate of the year", path.name))
    return _absolute(path, table, keys), problems


def _key_problems(path: Path, table: str, values: Mapping[str, Any], keys: Mapping[str, _Key]) -> list[Fault]:
    problems = [
        Fault(f"[{table}] unknown key {name!r}", hint(name, ("source", *keys)), path.name, column=name)
        for name in values
        if name not in keys
    ]
    for name, key in keys.items():
        if name not in values:
            problems += [Fault(f"[{table}] has no {name}", "add it", path.name, column=name)] if key.required else []
            continue
        wrong = _wrong(path, value := values[name], key)
        if wrong:
            what, remedy = wrong
            problems.append(Fault(f"[{table}] {name} = {value!r} {what}", remedy, path.name, column=name, value=value))
    return problems


def _wrong(path: Path, value: Any, key: _Key) -> tuple[str, str] | None:
    """What is wrong with a value, if anything, and the remedy."""
    if key.holds in ("text", "file", "folder"):
        if not isinstance(value, str) or not value.strip():
            return "is not a text", "put it in quotes"
        if key.choices and value not in key.choices:
            return "is unknown", f"choose from {', '.join(key.choices)}"
        if key.holds == "file" and not (path.parent / value).is_file():
            return "is no file", "paths are relative to the area file"
        return None
    if key.holds in ("number", "count"):
        wrong = isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf
        if key.holds == "count" and not wrong and value != int(value):
            wrong = True
        return ("is not a number above 0", "give one without quotes") if wrong else None
    if key.holds == "flag":
        return None if isinstance(value, bool) else ("is neither true nor false", "write one of them without quotes")
    if key.holds == "texts":
        right = isinstance(value, list) and value and all(isinstance(item, str) and item for item in value)
        return None if right else ("is not a list of texts", 'write ["one", "two"]')
    if not isinstance(value, dict):
        return "is not a table", "write { ours = 'theirs' }"
    if key.holds == "names" and not all(isinstance(item, str) for item in value.values()):
        return "does not give a text for each name", "write { ours = 'theirs' }"
    return None


def _absolute(path: Path, values: Mapping[str, Any], keys: Mapping[str, _Key]) -> dict[str, Any]:
    """The values with files and folders seen from the area file."""
    return {
        name: (path.parent / value).absolute()
        if name in keys and keys[name].holds in ("file", "folder") and isinstance(value, str)
        else value
        for name, value in values.items()
    }


def _bounds_problems(path: Path, bounds: Any) -> list[Fault]:
    remedy = "give [west, south, east, north] in degrees"
    numbers = (
        isinstance(bounds, list)
        and len(bounds) == 4
        and all(isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x) for x in bounds)
    )
    if not numbers:
        return [
            Fault(f"[area] bounds = {bounds!r} is not four numbers", remedy, path.name, column="bounds", value=bounds)
        ]
    west, south, east, north = bounds
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        return [
            Fault(
                f"[area] bounds = {bounds!r} is no box on the globe", remedy, path.name, column="bounds", value=bounds
            )
        ]
    return []

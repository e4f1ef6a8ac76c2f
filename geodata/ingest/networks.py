"""The road or rail network of an area: from an extract, Overpass, a line layer or the fallback pack."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.coverage import EQUAL_AREA_WORLD
from geodata.errors import Fault, InputError
from geodata.ingest.area import Source
from geodata.ingest.freight import FreightRules, freight_network
from geodata.ingest.osm import ROAD_CLASSES, Ways, read_lines, read_overpass, read_pbf
from geodata.ingest.quality import Finding
from geodata.network import load_network, write_network
from geodata.pack import Pack
from geodata.tables import Bounds

OVERPASS_LIMIT_KM2 = 50_000  # a few districts; more is a burden on a public server, and slower than an extract
OVERPASS_MARGIN_DEG = 0.1  # roads just outside the area, which the way between two of its places may take


@dataclass
class AreaNetwork:
    """A network file that was written: its name, the figures of its making, findings, and its source in words."""

    file: str
    figures: dict[str, Any]
    findings: list[Finding]
    source: str = ""


def build_network(
    source: Source,
    districts: gpd.GeoDataFrame,
    bounds: Bounds,
    fallback: Pack,
    folder: Path,
    tell: Callable[[str, float], None],
) -> AreaNetwork:
    """Write ``road.parquet`` or ``rail.parquet`` of a pack.

    Raises:
        InputError: as the readers of `geodata.ingest.osm` and `freight_network`; a network that misses the area.
    """
    kind: Literal["road", "rail"] = "road" if source.layer == "roads" else "rail"
    target = folder / f"{kind}.parquet"
    if source.kind == "pack":
        shutil.copyfile(fallback.files[kind], target)
        figures = fallback.manifest.get("figures", {}).get("networks", {}).get(kind, {})
        result = AreaNetwork(target.name, figures, [])
    else:
        rules = _rules(source, kind)
        made = freight_network(_read(source, kind, rules, districts, tell), kind, rules)
        write_network(made.network, target)
        findings = _findings(source.layer, made.repairs, made.figures)
        figures = {key: value for key, value in made.figures.items() if key != "left_out"}
        result = AreaNetwork(target.name, figures, findings, str(made.figures.get("source", source.kind)))
    network = load_network(target)
    west, south, east, north = bounds
    inside = (
        (network.node_lon >= west) & (network.node_lon <= east) & (network.node_lat >= south)
        & (network.node_lat <= north)
    )  # fmt: skip
    if inside.any():
        return result
    if kind == "road":
        raise InputError(
            Fault(
                f"none of the {network.n_nodes:,} nodes lies inside the bounds of the area",
                "name its roads with [roads] source = 'pbf', 'overpass' or 'lines', and check that longitude comes "
                "first",
                "[roads]",
            )
        )
    result.findings.append(Finding(
        "rail", "look", "No railway in the area",
        "No node of the rail network lies inside the bounds: nothing can go by rail in this study.",
        "Name railways with [rail] if the area has any.", pd.DataFrame(),
    ))  # fmt: skip
    return result


def _rules(source: Source, kind: Literal["road", "rail"]) -> FreightRules:
    values = source.values
    chosen: dict[str, Any] = {}
    if "gap_limit_m" in values:
        chosen[f"{kind}_gap_km"] = values["gap_limit_m"] / 1000
    if "classes" in values:
        chosen["classes"] = tuple(values["classes"])
    if "truck_speeds" in values:
        chosen["truck_speeds"] = values["truck_speeds"]
    if "gauge_mm" in values:
        chosen["gauge_mm"] = int(values["gauge_mm"])
    return FreightRules(**chosen)


def _read(
    source: Source,
    kind: Literal["road", "rail"],
    rules: FreightRules,
    districts: gpd.GeoDataFrame,
    tell: Callable[[str, float], None],
) -> Ways:
    values = source.values
    classes = rules.classes or ROAD_CLASSES
    if source.kind == "pbf":
        return read_pbf(source.file, kind, tell, classes=classes)
    if source.kind == "lines":
        return read_lines(
            source.file, values["class_column"], kind, classes=values.get("class_names"),
            columns=values.get("columns"), layer=values.get("layer"),
        )  # fmt: skip
    size_km2 = float(districts.to_crs(EQUAL_AREA_WORLD).area.sum()) / 1e6
    if size_km2 > OVERPASS_LIMIT_KM2 and "overpass_url" not in values:
        raise InputError(
            Fault(
                f"the area has {size_km2:,.0f} km², too much for a public Overpass server (limit "
                f"{OVERPASS_LIMIT_KM2:,})",
                "download an .osm.pbf extract and write source = 'pbf', or name a server of your own with overpass_url",
                f"[{source.layer}]",
            )
        )
    area = shapely.union_all(np.asarray(districts.geometry.array, dtype=object)).convex_hull
    return read_overpass(
        area.buffer(OVERPASS_MARGIN_DEG), kind, overpass_url=values.get("overpass_url"),
        cache_folder=values.get("cache_folder"), classes=classes,
    )  # fmt: skip


def _findings(layer: str, repairs: pd.DataFrame, figures: dict[str, Any]) -> list[Finding]:
    findings = []
    if len(repairs):
        findings.append(Finding(
            layer, "mended", "Gaps that were closed",
            "Lines that end within the limit of each other but do not meet were joined, as mapped lines often fail to.",
            "Look at the longest on a map; where there is no way set gap_limit_m lower, and mend the source.",
            repairs.sort_values("km", ascending=False, ignore_index=True),
        ))  # fmt: skip
    speeds = figures.get("speeds") or {}
    if speeds:
        table = pd.DataFrame.from_dict(speeds, orient="index").rename_axis("class").reset_index()
        findings.append(Finding(
            layer, "note", "Speeds assumed",
            "Mean running speed by class, from the table of speeds by class and surface; maxspeed only lowers it.",
            "Give your own table with truck_speeds = '...' in [roads] if trucks are faster or slower here.", table,
        ))  # fmt: skip
    left_out = figures.get("left_out") or {}
    if left_out:
        rows = [{"reason": reason, **_plain(value)} for reason, value in left_out.items()]
        findings.append(Finding(
            layer, "note", "Ways left out",
            "Ways of the source that trucks or goods trains cannot use, or whose class was not asked for.",
            "If a class is left out that trucks do use, add it to classes.", pd.DataFrame(rows),
        ))  # fmt: skip
    return findings


def _plain(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {"ways": value}

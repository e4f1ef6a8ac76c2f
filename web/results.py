"""Results on disk: which there are, and their tables as one object per result."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from geodata.districts import district_id
from geodata.errors import InputError

TABLES = ("plan.json", "districts.csv", "sites.csv", "lanes.csv", "study.gpkg")
DOWNLOADS = (*TABLES, "report.html")
SEPARATOR = "~"  # between the folders of a plan's key: unreserved in URLs, so a key is one part of a path


@dataclass(frozen=True)
class PlanFolder:
    """One finished result; a table is read when first asked for."""

    key: str
    path: Path
    stamp: int
    """Time of writing (ns): a result that is written again is another PlanFolder."""

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Content of ``plan.json``."""
        content: dict[str, Any] = json.loads((self.path / "plan.json").read_text(encoding="utf-8"))
        return content

    @cached_property
    def districts(self) -> pd.DataFrame:
        """``districts.csv`` with ``district_id``, in the order of the shapes."""
        table = pd.read_csv(self.path / "districts.csv", dtype={"state": str, "district": str})
        ids = pd.Series([district_id(s, d) for s, d in zip(table["state"], table["district"], strict=True)])
        repeat = ids.groupby(ids).cumcount()  # names that differ only in signs an id leaves out
        table.insert(0, "district_id", ids + repeat.map(lambda k: f"-{k + 1}" if k else ""))
        return table

    @cached_property
    def sites(self) -> pd.DataFrame:
        """``sites.csv``."""
        return pd.read_csv(self.path / "sites.csv", dtype={"site_id": str, "name": str, "state": str})

    @cached_property
    def lanes(self) -> pd.DataFrame:
        """``lanes.csv`` with ``lane``, the number of the lane that a row is a part of."""
        names = ("state", "district", "from", "to")
        table = pd.read_csv(self.path / "lanes.csv", dtype=dict.fromkeys(names, str))
        return table.assign(lane=(table["part"] == 1).cumsum())

    @cached_property
    def flows(self) -> gpd.GeoDataFrame:
        """Movements of lanes through new sites, as drawn in ``study.gpkg``."""
        return self._layer("lanes")

    @cached_property
    def gateways(self) -> gpd.GeoDataFrame:
        """Ports of the study."""
        return self._layer("gateways")

    @cached_property
    def depots(self) -> gpd.GeoDataFrame:
        """Inland depots of the study."""
        return self._layer("depots")

    @cached_property
    def shapes(self) -> gpd.GeoDataFrame:
        """District polygons in the order of ``districts``."""
        layer = self._layer("districts")
        order = pd.MultiIndex.from_frame(layer[["state", "district"]]).get_indexer(
            pd.MultiIndex.from_frame(self.districts[["state", "district"]])
        )
        if (order < 0).any():
            row = int(np.argmax(order < 0))
            raise InputError(
                f"{self.path / 'study.gpkg'}: no polygon for row {row} of districts.csv "
                f"({self.districts['district'].iloc[row]}); write the result again"
            )
        return layer.iloc[order].reset_index(drop=True)

    def _layer(self, name: str) -> gpd.GeoDataFrame:
        path = self.path / "study.gpkg"
        if name not in pyogrio.list_layers(path)[:, 0]:  # a plan without sites has no flows to write
            return gpd.GeoDataFrame(geometry=gpd.GeoSeries([], crs="EPSG:4326"))
        return gpd.read_file(path, layer=name, engine="pyogrio")


class Results:
    """The finished results in a folder: the folder itself, its folders and those of sweeps in it.

    A plan is only ever found by looking its key up in this list; a key is never turned into a path.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._open: dict[str, PlanFolder] = {}

    def plans(self) -> Mapping[str, PlanFolder]:
        """Return all finished results by key, those of sweeps last; new ones are noticed."""
        found = {}
        for pattern in ("plan.json", "*/plan.json", "*/*/plan.json"):
            for file in self.root.glob(pattern):
                folder = file.parent
                hidden = any(part.startswith(".") for part in folder.relative_to(self.root).parts)
                if hidden or not all((folder / name).is_file() for name in TABLES):
                    continue  # being written, or not a result
                key = SEPARATOR.join(folder.relative_to(self.root).parts) or self.root.name
                found[key] = PlanFolder(key, folder, file.stat().st_mtime_ns)
        # Keep what is already read unless it was written again.
        kept = {key: self._open[key] if self._open.get(key) == plan else plan for key, plan in found.items()}
        self._open = {key: kept[key] for key in sorted(kept, key=_place_in_list)}
        return self._open

    def check(self) -> None:
        """Raise InputError when there is nothing to show."""
        if not self.root.is_dir():
            raise InputError(f"{self.root}: no such folder; run `make study` first, or name another folder")
        if not self.plans():
            raise InputError(f"{self.root}: holds no finished result ({', '.join(TABLES)}); run `make study` first")


def _place_in_list(key: str) -> tuple[int, list[str | int]]:
    """Sort key: a sweep's budgets after the single plans, 2500 before 10000."""
    pieces: list[str | int] = [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", key)]
    return key.count(SEPARATOR), pieces

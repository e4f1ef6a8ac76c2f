"""Results on disk: which there are, and their tables as one object per result."""

from __future__ import annotations

import json
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from geodata.districts import district_id
from geodata.errors import InputError
from geodata.pack import Pack
from siting.plan import Plan
from siting.results.tables import districts_table, flow_table, lanes_table, sites_table, write_summary
from web.plan_faults import plan_fault

TABLES = ("plan.json", "districts.csv", "sites.csv", "lanes.csv", "study.gpkg")
DOWNLOADS = (*TABLES, "report.html")
log = logging.getLogger("web.results")

SEPARATOR = "~"  # between the folders of a plan's key: unreserved in URLs, so a key is one part of a path


class PlanTables(ABC):
    """Tables of one plan, each read when first asked for; the same for results on disk and answered questions."""

    key: str
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
        content: dict[str, Any] = json.loads((self.path / "plan.json").read_text(encoding="utf-8"))
        return content

    @property
    def closed_gateways(self) -> list[str]:
        return list(self.summary.get("resolved_study", {}).get("closed_gateways", []))

    @property
    def own_districts(self) -> str | None:
        """File or pack that the study's own districts are from, where they are not those of the bundled pack."""
        data = self.summary.get("resolved_study", {}).get("data", {})
        own: str | None = data.get("districts") or data.get("pack")
        return own

    @property
    @abstractmethod
    def districts(self) -> pd.DataFrame:
        """``districts.csv`` with ``district_id``, in the order of the shapes"""

    @property
    @abstractmethod
    def sites(self) -> pd.DataFrame:
        """``sites.csv``"""

    @property
    @abstractmethod
    def lanes(self) -> pd.DataFrame:
        """``lanes.csv`` with ``lane``, the number of the lane that a row is a part of"""

    @property
    @abstractmethod
    def flows(self) -> gpd.GeoDataFrame:
        """movements of lanes through new sites: ``mode``, ``from_name``, ``to_name``, ``km``, a line"""

    flows_are_drawn: bool
    """whether the lines of the flows follow the networks; else they only join their ends"""

    @property
    @abstractmethod
    def gateways(self) -> pd.DataFrame:
        """ports of the study"""

    @property
    @abstractmethod
    def depots(self) -> pd.DataFrame:
        """inland depots of the study"""

    @property
    @abstractmethod
    def shapes(self) -> gpd.GeoDataFrame:
        """district polygons in the order of ``districts``"""


def _with_ids(table: pd.DataFrame) -> pd.DataFrame:
    ids = pd.Series(
        [district_id(s, d) for s, d in zip(table["state"], table["district"], strict=True)], table.index, dtype=object
    )
    repeat = ids.groupby(ids).cumcount()  # names that differ only in signs an id leaves out
    table.insert(0, "district_id", ids + repeat.map(lambda k: f"-{k + 1}" if k else ""))
    return table


@dataclass(frozen=True)
class PlanFolder(PlanTables):
    """A finished result in a folder, as ``siting run`` writes it."""

    key: str
    path: Path
    stamp: int
    flows_are_drawn = True

    @cached_property
    def districts(self) -> pd.DataFrame:
        return _with_ids(pd.read_csv(self.path / "districts.csv", dtype={"state": str, "district": str}))

    @cached_property
    def sites(self) -> pd.DataFrame:
        return pd.read_csv(self.path / "sites.csv", dtype={"site_id": str, "name": str, "state": str})

    @cached_property
    def lanes(self) -> pd.DataFrame:
        names = ("state", "district", "from", "to")
        table = pd.read_csv(self.path / "lanes.csv", dtype=dict.fromkeys(names, str))
        return table.assign(lane=(table["part"] == 1).cumsum())

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


@dataclass(frozen=True)
class RunTables(PlanTables):
    """The answer to a what-if question, as :func:`write_run_tables` leaves it; geography comes from the pack."""

    key: str
    path: Path
    stamp: int
    pack: Pack = field(compare=False)
    flows_are_drawn = False

    @cached_property
    def districts(self) -> pd.DataFrame:
        return _with_ids(pd.read_parquet(self.path / "districts.parquet"))

    @cached_property
    def sites(self) -> pd.DataFrame:
        return pd.read_parquet(self.path / "sites.parquet")

    @cached_property
    def lanes(self) -> pd.DataFrame:
        table = pd.read_parquet(self.path / "lanes.parquet")
        return table.assign(lane=(table["part"] == 1).cumsum())

    @cached_property
    def flows(self) -> gpd.GeoDataFrame:
        table = pd.read_parquet(self.path / "flows.parquet")
        ends = table[["from_lon", "from_lat", "to_lon", "to_lat"]].to_numpy().reshape(-1, 2, 2)
        return gpd.GeoDataFrame(table, geometry=np.asarray(shapely.linestrings(ends)), crs="EPSG:4326")

    @property
    def gateways(self) -> pd.DataFrame:
        return self.pack.gateways

    @property
    def depots(self) -> pd.DataFrame:
        return self.pack.depots

    @property
    def shapes(self) -> gpd.GeoDataFrame:
        return self.pack.districts


def write_run_tables(plan: Plan, folder: Path) -> None:
    """Write what :class:`RunTables` reads; ``plan.json`` last."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"districts": districts_table(plan), "sites": sites_table(plan), "lanes": lanes_table(plan),
              "flows": _flow_ends(plan)}  # fmt: skip
    for name, table in tables.items():
        table.reset_index(drop=True).to_parquet(folder / f"{name}.parquet")
    write_summary(plan, folder)


def _flow_ends(plan: Plan) -> pd.DataFrame:
    """Movements of lanes through new sites with the points they join."""
    flows, places = flow_table(plan), plan.model.places.table
    for end in ("from", "to"):
        at = places.iloc[flows[end]]
        flows[f"{end}_lon"], flows[f"{end}_lat"] = at["lon"].to_numpy(), at["lat"].to_numpy()
    return flows


class Results:
    """The finished results in a folder: the folder itself, its folders and those of sweeps in it.

    A plan is only ever found by looking its key up in this list; a key is never turned into a path.

    Args:
        root: the folder, which need not be there yet.
        leading: title of the study whose plans come first.

    Raises:
        InputError: when ``root`` is no folder.
    """

    def __init__(self, root: Path, leading: str | None = None) -> None:
        self.root = root.absolute()
        self.leading = leading
        self.broken: Mapping[str, str] = {}
        """what is wrong with the results that are not shown, by key, as of the last look"""
        self._open: dict[str, PlanFolder] = {}
        self._seen: dict[Path, tuple[tuple[int, ...], str | None]] = {}
        if self.root.exists() and not self.root.is_dir():
            raise InputError(f"{root}: is no folder; name the folder that holds results")

    def plans(self) -> Mapping[str, PlanFolder]:
        """Return all whole results by key; new, changed and removed ones are noticed.

        First those of the leading study, then others, the newest first; last those of sweeps by budget.
        """
        found, broken = {}, {}
        for pattern in ("plan.json", "*/plan.json", "*/*/plan.json"):
            for file in self.root.glob(pattern):
                folder = file.parent
                if any(part.startswith(".") for part in folder.relative_to(self.root).parts):
                    continue  # being written
                key = SEPARATOR.join(folder.relative_to(self.root).parts) or self.root.name
                stamps, fault = self._look(folder)
                if fault is None:
                    found[key] = PlanFolder(key, folder, stamps[0])
                else:
                    broken[key] = fault
        # Keep what is already read unless it was written again.
        kept = {key: self._open[key] if self._open.get(key) == plan else plan for key, plan in found.items()}
        self._open = {key: kept[key] for key in sorted(kept, key=lambda key: self._place_in_list(kept[key]))}
        self.broken = broken
        return self._open

    def _look(self, folder: Path) -> tuple[tuple[int, ...], str | None]:
        """Times of writing of a result's files and what is wrong with it, looked at anew where one has changed."""
        stamps = tuple(_stamp(folder / name) for name in TABLES)
        known = self._seen.get(folder)
        if known is None or known[0] != stamps:
            known = self._seen[folder] = stamps, plan_fault(folder)
            if known[1] is not None:
                log.warning(json.dumps({"broken_result": known[1]}, ensure_ascii=False))
        return known

    def _place_in_list(self, plan: PlanFolder) -> tuple[bool, bool, int, list[str | int]]:
        """Sort key; a sweep's budgets by number, 2500 before 10000."""
        pieces: list[str | int] = [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", plan.key)]
        if SEPARATOR in plan.key:
            return True, False, 0, pieces
        return False, plan.summary["study"] != self.leading, -plan.stamp, pieces


def _stamp(path: Path) -> int:
    """Time of writing (ns); 0 where there is no such file."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0

"""A study area's data as one folder with a manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.corridors import load_corridors
from geodata.districts import load_districts, load_population
from geodata.errors import Fault, InputError
from geodata.exports import load_export_history, load_exports, load_sectors, load_unplaced
from geodata.flows import load_gateway_tastes, load_observed_flows
from geodata.gateways import load_depots, load_gateways, load_land_customs, load_planned_sites, load_rail_connectors
from geodata.network import Network, load_network
from geodata.tables import Bounds

INDIA = Path(str(files("geodata") / "india"))
LAYERS = (
    "districts.parquet", "states.parquet", "road.parquet", "rail.parquet", "exports.csv", "sectors.csv",
    "gateways.csv", "depots.csv", "land_customs.csv", "planned_sites.csv", "rail_connectors.csv", "manifest.json",
)  # fmt: skip
OPTIONAL = ("observed_flows.csv", "gateway_tastes.csv", "population.csv", "corridors.csv")
"""Layers that a pack may lack: flows that customs records show, the tastes calibrated on them, people at work,
road corridors that may be upgraded."""
CONTEXT = ("exports_unplaced.csv", "export_history.csv")
"""What is told of exports beside the table of their districts; no plan depends on it."""

REPLACEABLE = {Path(layer).stem: layer for layer in (*LAYERS, *OPTIONAL) if layer != "manifest.json"}
LAND_DEG2 = 1e-3  # about 10 km2: smaller leftovers between outlines and districts are slips of drawing


@dataclass(frozen=True)
class Pack:
    """All layers of one study area; each is read and checked when first asked for.

    ``files`` gives the file of each layer, by its stem (``districts``, ``exports``, ...); ``readers`` how those tables
    are read that do not follow the schema of a pack.
    """

    files: Mapping[str, Path]
    readers: Mapping[str, Callable[[Pack], pd.DataFrame]] = field(default_factory=dict)

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north in degrees, which hold every point of the area."""
        west, south, east, north = self.manifest["bounds"]
        return west, south, east, north

    @cached_property
    def districts(self) -> gpd.GeoDataFrame:
        return load_districts(self.files["districts"], self.bounds)

    @cached_property
    def states(self) -> gpd.GeoDataFrame:
        try:
            return gpd.read_parquet(self.files["states"])
        except (OSError, ValueError) as error:
            remedy = "save it as GeoParquet"
            raise InputError(Fault(f"cannot be read as a map layer ({error})", remedy, self.files["states"])) from None

    @cached_property
    def land(self) -> gpd.GeoDataFrame:
        """Land of the states that lies in none of the districts: drawn on maps, never counted.

        Returns:
            Columns state, geometry; a clean coverage together with the districts. Slivers are left out. Empty where
            districts and states are not of one pack.
        """
        one_pack = self.files["districts"].parent == self.files["states"].parent
        by_state = self.districts.groupby("state").groups
        rows = []
        for state, outline in zip(self.states["state"], self.states.geometry, strict=True):
            own = np.asarray(self.districts.geometry.loc[by_state.get(state, [])].array, dtype=object)
            if one_pack and outline.area - shapely.area(own).sum() > LAND_DEG2:
                rest = shapely.difference(outline, shapely.union_all(own))
                parts = [part for part in shapely.get_parts(rest) if part.area > LAND_DEG2]
                rows += [(state, shapely.MultiPolygon(parts))] if parts else []
        return gpd.GeoDataFrame(rows, columns=["state", "geometry"], geometry="geometry", crs=4326)

    @cached_property
    def sectors(self) -> pd.DataFrame:
        return self._read("sectors", lambda: load_sectors(self.files["sectors"]))

    @cached_property
    def exports(self) -> pd.DataFrame:
        return self._read("exports", lambda: load_exports(self.files["exports"], self.districts, self.sectors))

    @cached_property
    def gateways(self) -> pd.DataFrame:
        return self._read("gateways", lambda: load_gateways(self.files["gateways"], self.bounds))

    @cached_property
    def depots(self) -> pd.DataFrame:
        return self._read("depots", lambda: load_depots(self.files["depots"], self.bounds))

    @cached_property
    def land_customs(self) -> pd.DataFrame:
        return self._read("land_customs", lambda: load_land_customs(self.files["land_customs"]))

    @cached_property
    def planned_sites(self) -> pd.DataFrame:
        return self._read("planned_sites", lambda: load_planned_sites(self.files["planned_sites"], self.bounds))

    @cached_property
    def rail_connectors(self) -> pd.DataFrame:
        return self._read("rail_connectors", lambda: load_rail_connectors(self.files["rail_connectors"], self.bounds))

    def _read(self, layer: str, load: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        return self.readers[layer](self) if layer in self.readers else load()

    @cached_property
    def observed_flows(self) -> pd.DataFrame | None:
        """Exports by state and customs location; None where none are known."""
        file = self.files.get("observed_flows")
        return load_observed_flows(file) if file else None

    @cached_property
    def population(self) -> pd.DataFrame | None:
        """People, workers and households by district; None where the pack has only weights of people."""
        file = self.files.get("population")
        return load_population(file) if file else None

    @cached_property
    def exports_unplaced(self) -> pd.DataFrame:
        """Exports that name no district of the pack; empty where the pack does not tell."""
        return load_unplaced(self.files.get("exports_unplaced"))

    @cached_property
    def export_history(self) -> pd.DataFrame:
        """Exports of earlier periods by state and district; empty where the pack tells of none."""
        return load_export_history(self.files.get("export_history"))

    @cached_property
    def gateway_tastes(self) -> pd.DataFrame | None:
        """Calibrated constants; without its own, those of the bundled pack for the gateways both have, or None."""
        own = self.files.get("gateway_tastes")
        table = load_gateway_tastes(own or INDIA / "gateway_tastes.csv")
        shared = table["gateway_id"].isin(self.gateways["gateway_id"])
        return table[shared | (table["term"] != "gateway")].reset_index(drop=True) if shared.any() else None

    @cached_property
    def corridors(self) -> pd.DataFrame | None:
        """Road corridors that a study may upgrade, by the towns on them; None where none are named."""
        file = self.files.get("corridors")
        return load_corridors(file, self.bounds) if file else None

    @cached_property
    def road(self) -> Network:
        return load_network(self.files["road"])

    @cached_property
    def rail(self) -> Network:
        return load_network(self.files["rail"])

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Sources, licences, dates and figures of the pack."""
        manifest: dict[str, Any] = json.loads((self.files["manifest"]).read_text(encoding="utf-8"))
        return manifest

    @cached_property
    def checksums(self) -> dict[str, str]:
        """SHA-256 of every layer that a plan depends on, in order."""
        stems = [Path(layer).stem for layer in (*LAYERS, *OPTIONAL)]
        return {stem: hashlib.sha256(self.files[stem].read_bytes()).hexdigest() for stem in stems if stem in self.files}

    @cached_property
    def checksum(self) -> str:
        """SHA-256 over the contents of all layers, in order."""
        return combined(self.checksums)


def combined(checksums: Mapping[str, str]) -> str:
    """One checksum of several, in their order."""
    return hashlib.sha256(b"".join(map(bytes.fromhex, checksums.values()))).hexdigest()


def open_pack(
    folder: Path = INDIA,
    replaced: Mapping[str, Path] | None = None,
    readers: Mapping[str, Callable[[Pack], pd.DataFrame]] | None = None,
) -> Pack:
    """Return the pack in a folder, with some layers replaced by other files, and some of these read by ``readers``.

    Raises:
        InputError: for a folder that is not there, or naming every layer that is missing.
    """
    if not folder.is_dir():
        raise InputError(Fault("no such folder", "give that of a pack, made with `siting pack build`", folder))
    layers = {Path(layer).stem: folder / layer for layer in LAYERS}
    if "districts" not in (replaced or {}):  # flows are observed by state: other districts are another area
        layers |= {Path(layer).stem: folder / layer for layer in OPTIONAL if (folder / layer).is_file()}
    if not {"districts", "exports"} & set(replaced or {}):  # they go with the pack's own exports
        layers |= {Path(layer).stem: folder / layer for layer in CONTEXT if (folder / layer).is_file()}
    layers |= dict(replaced or {})
    missing = [path for path in layers.values() if not path.is_file()]
    if missing:
        raise InputError([Fault("no such file", "copy it there or run `make data`", path) for path in missing])
    return Pack(layers, dict(readers or {}))

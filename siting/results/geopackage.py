"""The GeoPackage of a plan: ``study.gpkg``, whose layers ``schema.csv`` lists."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from siting.plan import Plan
from siting.results.geometry import CRS
from siting.results.tables import districts_table, sites_table


def write_geopackage(plan: Plan, folder: Path, flows: gpd.GeoDataFrame) -> None:
    """Write ``study.gpkg`` with its layers: districts, sites, lanes, gateways, depots.

    Args:
        flows: result of :func:`siting.results.geometry.flow_lines`.

    Raises:
        RuntimeError: the file cannot be written; GDAL tells no reason that could be told apart.
    """
    pack = plan.model.pack
    layers = {
        "districts": gpd.GeoDataFrame(districts_table(plan), geometry=pack.districts.geometry.to_numpy(), crs=CRS),
        "lanes": flows.rename(columns={"from": "from_place", "to": "to_place"}),
    }
    for name, table in (("sites", sites_table(plan)), ("gateways", pack.gateways), ("depots", pack.depots)):
        layers[name] = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=CRS)
    for name in ("districts", "sites", "lanes", "gateways", "depots"):
        layers[name].to_file(folder / "study.gpkg", layer=name, driver="GPKG", engine="pyogrio")

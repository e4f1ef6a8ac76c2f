"""Map files of any kind, zipped or not, read without harm."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import geopandas as gpd
import pyogrio

from geodata.errors import InputError
from geodata.ingest.archives import unpack

MAP_SUFFIXES = (".shp", ".gpkg", ".geojson", ".json", ".parquet", ".geoparquet", ".fgb", ".kml", ".gml")


def read_map(path: Path, layer: str | None = None) -> gpd.GeoDataFrame:
    """The features of a Shapefile, GeoJSON, GeoPackage, GeoParquet or another file GDAL reads, zipped or not.

    Raises:
        InputError: a file that is not there, cannot be read, has no shapes or several layers without a choice; a zip
            file that is unsafe or does not hold one map.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; check the path")
    if path.suffix.lower() != ".zip":
        return _read_layer(path, path, layer)
    with tempfile.TemporaryDirectory() as scratch:
        unpack(path, Path(scratch))
        inside = sorted(p for p in Path(scratch).rglob("*") if p.suffix.lower() in MAP_SUFFIXES)
        if len(inside) > 1 and layer is not None:
            inside = [p for p in inside if p.stem == layer]
            layer = None
        if len(inside) != 1:
            found = ", ".join(p.name for p in inside) or "none"
            raise InputError(
                f"{path}: must hold one map file ({', '.join(MAP_SUFFIXES)}), but holds {found}; "
                "pack one alone, or name it with layer = 'its name without ending'"
            )
        return _read_layer(inside[0], path, layer)


def _read_layer(path: Path, named: Path, layer: str | None) -> gpd.GeoDataFrame:
    """Read one file; messages call it ``named``."""
    try:
        with warnings.catch_warnings():
            # Odd field types and the like are of no concern; what matters is checked below.
            warnings.simplefilter("ignore")
            if path.suffix.lower() in (".parquet", ".geoparquet"):
                return gpd.read_parquet(path)
            layers = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
            if layer is None and len(layers) > 1:
                raise InputError(f"{named}: has the layers {', '.join(layers)}; say which with layer = '...'")
            if layer is not None and layer not in layers:
                raise InputError(f"{named}: has no layer {layer!r}, only {', '.join(layers)}; correct the name")
            table = pyogrio.read_dataframe(path, layer=layer)
    except InputError:
        raise
    except (ValueError, OSError, RuntimeError) as error:
        hint = "; a Shapefile needs its .shx, .dbf and .prj beside it" if path.suffix.lower() == ".shp" else ""
        reason = str(error).replace(str(path), path.name)
        raise InputError(f"{named}: cannot be read as a map ({reason}){hint}; export it again") from None
    if not isinstance(table, gpd.GeoDataFrame):
        raise InputError(f"{named}: holds a table without shapes; give the file with the shapes")
    return table

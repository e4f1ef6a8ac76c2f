"""Map files of any kind, zipped or not, read without harm."""

from __future__ import annotations

import re
import tempfile
import warnings
from pathlib import Path

import geopandas as gpd
import pyogrio

from geodata.errors import Fault, InputError
from geodata.ingest.archives import unpack

# How a file of each ending begins. GDAL goes by content alone, and some contents make it open other files or addresses.
_BEGINNINGS = {
    ".shp": rb"\x00\x00\x27\x0a",
    ".gpkg": rb"SQLite format 3\x00",
    ".geojson": rb"(?:\xef\xbb\xbf)?\s*\{",
    ".json": rb"(?:\xef\xbb\xbf)?\s*\{",
    ".parquet": rb"PAR1",
    ".geoparquet": rb"PAR1",
    ".fgb": rb"fgb\x03",
    ".kml": rb"(?s)(?:\xef\xbb\xbf)?\s*<.*?<(?:\w+:)?kml\b|(?:\xef\xbb\xbf)?\s*<kml\b",
    ".gml": rb"(?s)(?:\xef\xbb\xbf)?\s*<.*?opengis\.net/gml",
}
MAP_SUFFIXES = tuple(_BEGINNINGS)
_REFERS = re.compile(rb"<OGRVRT|<VRTDataset|gdal_streamed_alg|/vsi[a-z]", re.IGNORECASE)
HEAD_BYTES = 65_536

pyogrio.set_gdal_config_options({"GML_DOWNLOAD_SCHEMA": "NO"})


def read_map(path: Path, layer: str | None = None) -> gpd.GeoDataFrame:
    """The features of a Shapefile, GeoJSON, GeoPackage, GeoParquet, FlatGeobuf, KML or GML file, zipped or not.

    Raises:
        InputError: a file that is not there, is not what its ending says, cannot be read, has no shapes or several
            layers without a choice; a zip file that is unsafe or does not hold one map.
    """
    if not path.is_file():
        raise InputError(Fault("no such file", "check the path", path))
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
            raise InputError(Fault(
                f"must hold one map file ({', '.join(MAP_SUFFIXES)}), but holds {found}",
                "pack one alone, or name it with layer = 'its name without ending'", path,
            ))  # fmt: skip
        return _read_layer(inside[0], path, layer)


def _read_layer(path: Path, named: Path, layer: str | None) -> gpd.GeoDataFrame:
    """Read one file; messages call it ``named``."""
    _check_kind(path, named)
    try:
        with warnings.catch_warnings():
            # Odd field types and the like are of no concern; what matters is checked below.
            warnings.simplefilter("ignore")
            if path.suffix.lower() in (".parquet", ".geoparquet"):
                return gpd.read_parquet(path)
            layers = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
            if layer is None and len(layers) > 1:
                raise InputError(Fault(f"has the layers {', '.join(layers)}", "say which with layer = '...'", named))
            if layer is not None and layer not in layers:
                raise InputError(Fault(f"has no layer {layer!r}, only {', '.join(layers)}", "correct the name", named))
            try:
                table = pyogrio.read_dataframe(path, layer=layer)
            except UnicodeDecodeError:  # old Shapefiles hold Latin letters whatever their .cpg says
                table = pyogrio.read_dataframe(path, layer=layer, encoding="cp1252")
    except InputError:
        raise
    except (ValueError, OSError, RuntimeError) as error:
        hint = "; a Shapefile needs its .shx, .dbf and .prj beside it" if path.suffix.lower() == ".shp" else ""
        reason = str(error).replace(str(path), path.name)
        raise InputError(Fault(f"cannot be read as a map ({reason}){hint}", "export it again", named)) from None
    if not isinstance(table, gpd.GeoDataFrame):
        raise InputError(Fault("holds a table without shapes", "give the file with the shapes", named))
    return table


def _check_kind(path: Path, named: Path) -> None:
    """Raise InputError unless the file is what its ending says, and does not make GDAL open anything else."""
    beginning = _BEGINNINGS.get(path.suffix.lower())
    if beginning is None:
        raise InputError(Fault(
            f"files ending in {path.suffix or 'nothing'!r} are not read as maps",
            f"export it as one of {', '.join(MAP_SUFFIXES)}", named,
        ))  # fmt: skip
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    text = not head.startswith((b"SQLite", b"PAR1", b"fgb", b"\x00\x00"))
    if not re.match(beginning, head):
        what = f"cannot be read as a map (its content is not what the ending {path.suffix} says)"
        raise InputError(Fault(what, "export it again", named))
    if text and _REFERS.search(head):
        raise InputError(
            Fault("refers to other files instead of holding shapes", "export the shapes themselves", named)
        )

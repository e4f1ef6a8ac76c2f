"""Lines of roads and rails with their OSM tags: from a .osm.pbf extract, from Overpass or from any line layer.

What comes out is raw: which lines carry freight, which way and how fast is decided by `geodata.ingest.freight`, by the
same rules for every source. OpenStreetMap data: (c) OpenStreetMap contributors, ODbL.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import osmium
import osmnx
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.errors import Fault, InputError
from geodata.ingest.map_files import read_map
from geodata.network import IntArray

Kind = Literal["road", "rail"]
Tell = Callable[[str, float], None]

ROAD_CLASSES = (
    "motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary", "secondary_link",
    "tertiary", "tertiary_link",
)  # fmt: skip
UNBUILT = ("construction", "proposed")
"""Values of highway and railway that are read only to be counted among what is left out."""
TAGS: dict[Kind, tuple[str, ...]] = {
    "road": (
        "highway", "route", "oneway", "junction", "access", "vehicle", "motor_vehicle", "goods", "hgv", "maxweight",
        "surface", "maxspeed",
    ),
    "rail": ("railway", "usage", "service", "gauge"),
}  # fmt: skip
"""Tags that are kept. The first names the class of a line."""

IN_MEMORY_PBF_BYTES = 2_500_000_000
"""Up to here node positions are kept in memory: 16 bytes each, and a node takes about 8 bytes of a PBF file, so at
most 5 GB (India: 1.5 GB, 3 GB). For larger files they go to a temporary file of twice the size of the extract."""
NEWEST_NODE_ID, NEWEST_WAY_ID = 13.5e9, 1.5e9
"""About the highest numbers of OSM in 2026; extracts are sorted by them, which makes them a measure of progress."""
NODES_SHARE_OF_TIME = 0.7


@dataclass(frozen=True, eq=False)
class Ways:
    """Lines of one source.

    ``lines`` (n_ways,) are LineStrings in degrees, WGS 84. ``tags`` has a row per line and the columns `TAGS` of the
    kind, missing values where a tag is not set. ``way_id`` (n_ways,) is the OSM way, or the row of the layer, that a
    line belongs to. ``point_node`` (n_points,) is the OSM node of every point of every line in order; without it lines
    meet where their coordinates agree to 1e-7 degree.
    """

    lines: NDArray[np.object_]
    tags: pd.DataFrame
    way_id: IntArray
    source: str
    point_node: IntArray | None = None


def read_pbf(
    path: str | Path,
    kind: Kind,
    progress: Tell | None = None,
    classes: tuple[str, ...] = ROAD_CLASSES,
) -> Ways:
    """Roads of some classes and ferries, or railways, from a .osm.pbf file in one pass.

    Ways are chosen in compiled code before Python sees them. Node positions are the one thing that grows with the
    whole file (see `IN_MEMORY_PBF_BYTES`). Where an extract cuts a way, its parts inside are kept. ``progress`` is
    called with a text and a share from 0 to 1, judged by the numbers of the objects and so only roughly even.
    Raises InputError if the file is missing, damaged, not OSM data, or holds no such way.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(Fault("no such file", "give the path of an .osm.pbf extract", path))
    large = path.stat().st_size > IN_MEMORY_PBF_BYTES
    with tempfile.TemporaryDirectory(prefix="deh-siting-") if large else nullcontext() as folder:
        index = f"sparse_file_array,{folder}/nodes" if folder else "sparse_mmap_array"
        try:
            ways = _read(path, kind, classes, index, progress)
        except RuntimeError as error:
            raise InputError(
                Fault(
                    f"cannot be read as an OSM extract, it is damaged, cut short or of another kind ({error})",
                    "fetch the .osm.pbf again and compare its size or checksum with the source's",
                    path,
                )
            ) from error
    if len(ways.lines) == 0:
        raise InputError(
            Fault(f"no {kind} in it", f"was it extracted for this area with its {TAGS[kind][0]} ways?", path)
        )
    return ways


def _share_read(item: Any) -> float:
    """How much of an extract is read when this node or way is reached: both come in the order of their ids."""
    number = int(item.id)
    if item.is_node():
        return NODES_SHARE_OF_TIME * min(number / NEWEST_NODE_ID, 1.0)
    return NODES_SHARE_OF_TIME + (1 - NODES_SHARE_OF_TIME) * min(number / NEWEST_WAY_ID, 1.0)


def _read(path: Path, kind: Kind, classes: tuple[str, ...], index: str, progress: Tell | None) -> Ways:
    entity = osmium.osm.osm_entity_bits
    if kind == "road":
        wanted = osmium.filter.TagFilter(*(("highway", name) for name in (*classes, *UNBUILT)), ("route", "ferry"))
    else:
        wanted = osmium.filter.TagFilter(*(("railway", name) for name in ("rail", *UNBUILT)))
    wanted.enable_for(entity.WAY)
    # A few nodes come through, so that Python can report progress and see Ctrl-C while nodes are read.
    milestones = osmium.filter.KeyFilter("highway", "railway", "place")
    milestones.enable_for(entity.NODE)
    positions = osmium.index.create_map(index)
    locate = osmium.NodeLocationsForWays(positions)
    locate.ignore_errors()

    tag_names = TAGS[kind]
    codes: dict[tuple[str | None, ...], int] = {}  # tags repeat: each combination once
    way_code, way_id, way_size, node_id = array("i"), array("q"), array("i"), array("q")
    coordinates = bytearray()
    wkb, every_node = osmium.geom.WKBFactory(), osmium.geom.ALL
    told = -1.0
    with osmium.io.Reader(str(path), entity.NODE | entity.WAY) as reader:
        # Filters before `locate`: only the ways that are wanted are looked up.
        objects: Iterator[Any] = iter(osmium.OsmFileIterator(reader, wanted, locate, milestones))
        for item in objects:
            if progress is not None:
                share = _share_read(item)
                if share >= told + 0.01:
                    progress(f"reading {path.name}", share)
                    told = share
            if item.is_node():
                continue
            nodes = [node.ref for node in item.nodes]
            if len(nodes) < 2:
                continue
            code = codes.setdefault(tuple(map(item.tags.get, tag_names)), len(codes))
            try:
                pieces = [(nodes, bytes.fromhex(wkb.create_linestring(item, every_node)[2 * WKB_HEADER :]))]
            except osmium.InvalidLocationError:  # the extract ends within the way
                pieces = list(_located_parts(item))
            for part, points in pieces:
                way_code.append(code)
                way_id.append(item.id)
                way_size.append(len(part))
                node_id.extend(part)
                coordinates += points
    if progress is not None:
        progress(f"reading {path.name}", 1.0)
    way = np.repeat(np.arange(len(way_size)), np.frombuffer(way_size, np.intc))
    combinations = pd.DataFrame(list(codes), columns=list(tag_names)).astype("category")
    return Ways(
        lines=np.asarray(shapely.linestrings(np.frombuffer(coordinates, "<f8").reshape(-1, 2), indices=way))
        if len(way)
        else np.empty(0, dtype=object),
        tags=combinations.take(np.frombuffer(way_code, np.intc)).reset_index(drop=True),
        way_id=np.array(way_id, dtype=np.int64),
        source=path.name,
        point_node=np.array(node_id, dtype=np.int64),
    )


WKB_HEADER = 9  # bytes before the coordinates of a LineString: byte order, type, number of points


def _located_parts(way: Any) -> Iterator[tuple[list[int], bytes]]:
    """Node numbers and coordinates of each stretch of a way whose nodes are all in the file."""
    nodes: list[int] = []
    points: list[float] = []
    for node in [*way.nodes, None]:
        if node is not None and node.location.valid():
            nodes.append(node.ref)
            points += (node.lon, node.lat)
            continue
        if len(nodes) > 1:
            yield nodes, np.array(points, dtype="<f8").tobytes()
        nodes, points = [], []


def read_overpass(
    area: shapely.Polygon | shapely.MultiPolygon,
    kind: Kind,
    overpass_url: str | None = None,
    cache_folder: str | Path | None = None,
    classes: tuple[str, ...] = ROAD_CLASSES,
) -> Ways:
    """The same as `read_pbf` for the part of an area, from an Overpass server through OSMnx; one line per segment.

    For areas up to a few districts; take an extract for more. ``overpass_url`` (of a server of your own, say) and
    ``cache_folder`` stand in for those of ``osmnx.settings``, whose other settings (rate limit, timeout, cache) hold.
    Raises InputError if the server cannot be reached or knows no such way in the area.
    """
    built = "|".join((*classes, *UNBUILT))
    chosen = [f'["highway"~"^({built})$"]', '["route"="ferry"]'] if kind == "road" else ['["railway"="rail"]']
    url = overpass_url or osmnx.settings.overpass_url
    remedy = "download an .osm.pbf extract of the area elsewhere and give its path instead"
    try:
        with _osmnx_settings(url, cache_folder, TAGS[kind]):
            graph = osmnx.graph_from_polygon(
                area, simplify=False, retain_all=True, truncate_by_edge=True, custom_filter=chosen
            )
    except ValueError as error:  # OSMnx's own errors are: an answer without ways, a status it cannot handle
        raise InputError(
            Fault(f"no {kind} for this area ({error})", f"check the area, or {remedy}", f"Overpass at {url}")
        ) from error
    except OSError as error:  # what requests raises
        raise InputError(
            Fault("cannot be reached, is this machine offline?", f"else {remedy}", f"Overpass at {url}")
        ) from error

    edges = pd.DataFrame([(u, v, data) for u, v, data in graph.edges(data=True)], columns=["from", "to", "data"])
    tags = pd.DataFrame({name: [data.get(name) for data in edges["data"]] for name in TAGS[kind]}, dtype=object)
    if kind == "road":  # OSMnx has turned the nodes of these round and left the tag as it was
        tags["oneway"] = tags["oneway"].replace({"-1": "yes", "reverse": "yes", "T": "yes"})
    ends = edges[["from", "to"]].to_numpy(dtype=np.int64)
    position = pd.DataFrame.from_dict(dict(graph.nodes(data=True)), orient="index")[["x", "y"]]
    points = position.loc[ends.ravel()].to_numpy(dtype=np.float64)
    return Ways(
        lines=np.asarray(shapely.linestrings(points.reshape(-1, 2, 2))),
        tags=tags.astype("category"),
        way_id=np.array([data["osmid"] for data in edges["data"]], dtype=np.int64),
        source=f"Overpass at {url}",
        point_node=ends.ravel(),
    )


@contextmanager
def _osmnx_settings(url: str, cache_folder: str | Path | None, tags: tuple[str, ...]) -> Iterator[None]:
    """OSMnx told to keep every way once, in the direction and with the tags it is mapped with."""
    settings = osmnx.settings
    ours = {"overpass_url": url, "useful_tags_way": list(tags), "all_oneway": True}
    if cache_folder is not None:
        ours["cache_folder"] = str(cache_folder)
    before = {name: getattr(settings, name) for name in ours}
    try:
        for name, value in ours.items():
            setattr(settings, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)


def read_lines(
    path: str | Path,
    class_column: str,
    kind: Kind = "road",
    classes: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    layer: str | None = None,
) -> Ways:
    """Lines from any file that `read_map` reads.

    ``class_column`` holds values of highway (road) or usage (rail); ``classes`` translates the file's own words into
    those. ``columns`` names the column of other tags: {"oneway": "ONE_WAY", "maxspeed": "KPH"}. Lines meet where they
    share a vertex. Raises InputError for a file that cannot be read, a column that is missing, a coordinate system
    that is missing or wrong, or a layer without lines.
    """
    path = Path(path)
    table = read_map(path, layer)
    key = TAGS[kind][0] if kind == "road" else "usage"
    source_columns = {key: class_column, **(columns or {})}
    problems = [
        Fault(f"no column {column!r} (for {tag})", f"it has {', '.join(map(str, table.columns))}", path.name)
        for tag, column in source_columns.items()
        if column not in table.columns
    ]
    problems += [
        Fault(f"columns names the tag {tag!r}", f"known are {', '.join(TAGS[kind])}", path.name)
        for tag in source_columns
        if tag not in TAGS[kind]
    ]
    if table.crs is None:
        problems.append(Fault("no coordinate system stated", "assign one, EPSG:4326 for degrees", path.name))
    if problems:
        raise InputError(problems)
    table = table[table.geometry.notna() & ~table.geometry.is_empty].to_crs("EPSG:4326").explode()
    table = table[table.geometry.geom_type == "LineString"]
    if table.empty:
        raise InputError(Fault("no lines in it", "name a layer of lines", path.name))
    west, south, east, north = table.total_bounds
    if max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90:
        raise InputError(
            Fault(
                f"coordinates reach from {west:g}, {south:g} to {east:g}, {north:g}, which are no degrees of longitude "
                "and latitude",
                "state the coordinate system they are in (EPSG:3857 for Web Mercator metres), or put longitude first",
                path.name,
            )
        )
    tags = pd.DataFrame(index=table.index, columns=list(TAGS[kind]), dtype=object)
    for tag, column in source_columns.items():
        tags[tag] = _as_text(table[column])
    if classes is not None:
        tags[key] = tags[key].map(dict(classes))
    if kind == "rail":
        tags["railway"] = "rail"
    return Ways(
        lines=np.asarray(shapely.force_2d(table.geometry.array), dtype=object),
        tags=tags.reset_index(drop=True).astype("category"),
        way_id=table.index.to_numpy(dtype=np.int64),
        source=path.name,
    )


def _as_text(values: pd.Series) -> pd.Series:
    """Values as tags: numbers without a needless fraction, truth as yes and no, missing as None."""

    def text(value: Any) -> str | None:
        if pd.isna(value):
            return None
        if isinstance(value, bool | np.bool_):
            return "yes" if value else "no"
        return f"{value:g}" if isinstance(value, int | float | np.number) else str(value).strip()

    return values.map(text, na_action=None).astype(object)

"""Districts and states: names, keys, boundaries, representative points.

A district is known by its state *and* its name: AURANGABAD, BILASPUR, BALRAMPUR, HAMIRPUR and PRATAPGARH each
name two districts. ``district_id`` ("uttar-pradesh/prayagraj") is that pair in a form fit for files and URLs.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.errors import Fault, InputError
from geodata.tables import Bounds, Column, read_table

# Longitude and latitude that hold all of India as the Survey of India depicts it, islands included.
INDIA_BOUNDS: Bounds = (67.0, 6.0, 98.0, 38.0)
# Equal-area projection for area tests and shares; conformal one for distances and nearest-neighbour work.
EQUAL_AREA_CRS = "+proj=aea +lat_1=12 +lat_2=32 +lat_0=22 +lon_0=82 +datum=WGS84 +units=m"
METRIC_CRS = "EPSG:7755"

DISTRICT_COLUMNS = (
    "district_id",
    "state",
    "district",
    "district_hi",
    "lgd_code",
    "lon",
    "lat",
    "post_offices",
    "population_weight",
    "geometry",
)

# Spellings of states in the source tables, and older names, that are not just a matter of capitals or "&".
_STATE_SPELLINGS = {
    "andaman and nicobar": "Andaman and Nicobar Islands",
    "chattisgarh": "Chhattisgarh",
    "chhattishgarh": "Chhattisgarh",
    "dadra and nagar haveli": "Dadra and Nagar Haveli and Daman and Diu",
    "dadra,nh,daman,diu": "Dadra and Nagar Haveli and Daman and Diu",
    "daman and diu": "Dadra and Nagar Haveli and Daman and Diu",
    "daman and diu and dadra and nagar haveli": "Dadra and Nagar Haveli and Daman and Diu",
    "national capital territory of delhi": "Delhi",
    "nct of delhi": "Delhi",
    "orissa": "Odisha",
    "pondicherry": "Puducherry",
    "puduchery": "Puducherry",
    "tamilnadu": "Tamil Nadu",
    "telengana": "Telangana",
    "the dadra and nagar haveli and daman and diu": "Dadra and Nagar Haveli and Daman and Diu",
    "uttaranchal": "Uttarakhand",
}
# What spreadsheets write for a control character (_x000D_ is a carriage return), marks without width, and blanks.
_NO_LETTERS = re.compile(r"(?:_x[0-9A-Fa-f]{4}_|[\s\x00-\x1f\u00a0\u200b\u2060\ufeff])+")
_JOINED = {0x200C: None, 0x200D: None}  # they shape letters of Indian scripts and mean nothing in Latin ones


def metric_crs(bounds: Bounds) -> str:
    """A conformal projection in metres for an area: ``METRIC_CRS`` inside India, else a cone fitted to the area.

    The standard parallels lie a sixth of the height inside its edges (Deetz and Adams 1934).
    """
    west, south, east, north = bounds
    if INDIA_BOUNDS[0] <= west and INDIA_BOUNDS[1] <= south and east <= INDIA_BOUNDS[2] and north <= INDIA_BOUNDS[3]:
        return METRIC_CRS
    inset = (north - south) / 6
    middle = f"+lat_0={(south + north) / 2:.6f} +lon_0={(west + east) / 2:.6f}"
    return f"+proj=lcc +lat_1={south + inset:.6f} +lat_2={north - inset:.6f} {middle} +datum=WGS84 +units=m"


def plain_name(name: str) -> str:
    """A name without line breaks, doubled blanks and the leftovers of spreadsheets.

    >>> plain_name("UDALGURI_x000D_ ")
    'UDALGURI'
    """
    name = _NO_LETTERS.sub(" ", name).strip()
    latin = name.translate(_JOINED)
    return latin if latin.isascii() else name


def title_case(name: str) -> str:
    """``"JAMMU & KASHMIR"`` -> ``"Jammu & Kashmir"``."""
    words = re.split(r"(\s+|-|\()", plain_name(name).lower())
    return "".join(word if word in {"and", "of"} else word[:1].upper() + word[1:] for word in words)


def canonical_state(name: str) -> str:
    """The one spelling of a state or union territory used in the pack.

    >>> canonical_state("DADRA & NAGAR HAVELI")
    'Dadra and Nagar Haveli and Daman and Diu'
    """
    words = " ".join(plain_name(name).replace("&", " and ").split())
    return _STATE_SPELLINGS.get(words.lower(), title_case(words))


def slug(text: str) -> str:
    """A name in ASCII lower case, words joined by hyphens; "&" counts as "and"."""
    text = plain_name(text).replace("&", " and ")
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", ascii_text.lower()))


def district_id(state: str, district: str) -> str:
    """``"state-slug/district-slug"``."""
    return f"{slug(state)}/{slug(district)}"


def load_districts(path: Path | str, bounds: Bounds = INDIA_BOUNDS) -> gpd.GeoDataFrame:
    """Read and check a district table.

    Args:
        path: GeoParquet, GeoPackage or GeoJSON with the columns of ``DISTRICT_COLUMNS``.
        bounds: (west, south, east, north) in degrees; every representative point must lie inside.

    Returns:
        GeoDataFrame in EPSG:4326, one row per district, in file order.

    Raises:
        InputError: naming every fault found: missing columns, missing or doubled districts, coordinates that
            are not numbers, swapped or far away, weights that are negative, polygons that are empty or not
            valid. The first row of the layer is row 1.
    """
    path = Path(path)
    districts = _read_geo(path)
    missing = [column for column in DISTRICT_COLUMNS if column not in districts.columns]
    if missing:
        raise InputError(
            [
                Fault(f"column {column!r} is missing", f"add it (the table has {', '.join(districts.columns)})", path)
                for column in missing
            ]
        )
    problems = (
        _name_problems(path, districts)
        + _point_problems(path, districts, bounds)
        + _number_problems(path, districts)
        + _geometry_problems(path, districts)
    )
    if problems:
        raise InputError(problems)
    return districts[list(DISTRICT_COLUMNS)].to_crs(4326)


def load_population(path: Path | str) -> pd.DataFrame:
    """Read people, workers and households by district, indexed by district_id.

    Returns:
        Columns ``population``, ``workers``, ``workers_outside_farming``, ``households``, ``urban_households``.

    Raises:
        InputError: naming every missing column, doubled district and number below 0.
    """
    counts = ["population", "workers", "workers_outside_farming", "households", "urban_households"]
    columns = [Column("district_id", unique=True), *(Column(name, "number", minimum=0) for name in counts)]
    told = [Column(name, required=False) for name in ("lgd_code", "census_2011_districts", "source")]
    return read_table(path, [*columns, *told]).set_index("district_id")[counts]


def load_states(path: Path | str) -> gpd.GeoDataFrame:
    """Read the state outlines: columns state, state_hi, geometry; EPSG:4326.

    Raises:
        InputError: if a column is missing, a state is named twice, or an outline is empty or not valid.
    """
    path = Path(path)
    states = _read_geo(path)
    missing = [column for column in ("state", "state_hi", "geometry") if column not in states.columns]
    if missing:
        raise InputError([Fault(f"column {column!r} is missing", "add it", path) for column in missing])
    problems = [
        Fault(
            f"state {states['state'].iloc[row]!r} appears twice",
            "keep one row",
            path,
            int(row) + 1,
            "state",
            states["state"].iloc[row],
        )
        for row in np.flatnonzero(states["state"].duplicated())
    ]
    problems += _geometry_problems(path, states)
    if problems:
        raise InputError(problems)
    return states[["state", "state_hi", "geometry"]].to_crs(4326)


def load_aliases(path: Path | str) -> pd.DataFrame:
    """Read the alias table: state, name_in_source, district, source_table, note (all text).

    Raises:
        InputError: naming every missing column, blank field (note may be blank) and name listed twice.
    """
    columns = [Column("state"), Column("name_in_source"), Column("district"), Column("source_table")]
    aliases = read_table(path, [*columns, Column("note", required=False)], numbered=True)
    key = aliases[["state", "name_in_source", "source_table"]].apply(lambda column: column.str.casefold())
    twice = aliases[key.duplicated()]
    problems = [
        Fault(
            f"{row.name_in_source!r} in {row.state} is listed twice for {row.source_table}",
            "keep one row",
            path,
            int(row.Index),
            "name_in_source",
            row.name_in_source,
        )
        for row in twice.itertuples()
    ]
    if problems:
        raise InputError(problems)
    return aliases.reset_index(drop=True)


def resolve_names(states: pd.Series, names: pd.Series, aliases: pd.DataFrame, source_table: str) -> pd.Series:
    """Names as written in a source table -> names of the pack, by (state, name) and never by name alone.

    Names without an alias are only put in title case; whether such a district exists is for the caller to
    check.

    Args:
        states: canonical state per row.
        names: district name per row, as in the source.
        aliases: table of ``load_aliases``.
        source_table: which rows of the alias table apply.
    """
    rows = aliases[aliases["source_table"] == source_table]
    lookup = {
        (state, name.casefold()): district
        for state, name, district in zip(rows["state"], rows["name_in_source"], rows["district"], strict=True)
    }
    resolved = [
        lookup.get((state, name.strip().casefold()), title_case(name))
        for state, name in zip(states, names, strict=True)
    ]
    return pd.Series(resolved, index=names.index, name="district")


def _read_geo(path: Path) -> gpd.GeoDataFrame:
    if not path.is_file():
        raise InputError(Fault("no such file", "give the path of a GeoParquet, GeoPackage or GeoJSON file", path))
    try:
        table = gpd.read_parquet(path) if path.suffix == ".parquet" else gpd.read_file(path)
    except (ValueError, OSError, RuntimeError) as error:
        raise InputError(Fault(f"cannot be read as a map layer ({error})", "save it as GeoParquet", path)) from error
    if table.crs is None:
        raise InputError(Fault("no coordinate reference system", "save it as EPSG:4326", path))
    return table


def _name_problems(path: Path, districts: gpd.GeoDataFrame) -> list[Fault]:
    problems: list[Fault] = []
    for column in ("district_id", "state", "district"):
        blank = districts[column].isna() | (districts[column].astype(str).str.strip() == "")
        problems += [
            Fault(f"{column} is blank", "fill it in", path, int(row) + 1, column, "") for row in np.flatnonzero(blank)
        ]
    for row in np.flatnonzero(districts.duplicated(["state", "district"])):
        state, district = districts[["state", "district"]].iloc[row]
        problems.append(
            Fault(
                f"district {district!r} of {state!r} appears twice",
                "keep one row",
                path,
                int(row) + 1,
                "district",
                district,
            )
        )
    for row in np.flatnonzero(districts["district_id"].duplicated()):
        key = districts["district_id"].iloc[row]
        problems.append(
            Fault(f"district_id {key!r} appears twice", "keep one row", path, int(row) + 1, "district_id", key)
        )
    return problems


def _point_problems(path: Path, districts: gpd.GeoDataFrame, bounds: Bounds) -> list[Fault]:
    west, south, east, north = bounds
    problems = []
    lon = pd.to_numeric(districts["lon"], errors="coerce").to_numpy(dtype=float)
    lat = pd.to_numeric(districts["lat"], errors="coerce").to_numpy(dtype=float)

    def inside(x: float, y: float) -> bool:
        return west <= x <= east and south <= y <= north

    for row, (x, y) in enumerate(zip(lon, lat, strict=True)):
        name = districts["district_id"].iloc[row]
        if not (np.isfinite(x) and np.isfinite(y)):
            given = f"lon {districts['lon'].iloc[row]}, lat {districts['lat'].iloc[row]}"
            what, remedy = f"{given} is not a position", "give degrees"
        elif not inside(x, y) and inside(y, x):
            what, remedy = f"lon {x}, lat {y} are swapped", "exchange longitude and latitude"
        elif not inside(x, y):
            what, remedy = f"lon {x}, lat {y} is outside {west}-{east} E, {south}-{north} N", "correct it"
        else:
            continue
        problems.append(Fault(f"{name}: {what}", remedy, path, row + 1, "lon", (x, y)))
    return problems


def _number_problems(path: Path, districts: gpd.GeoDataFrame) -> list[Fault]:
    problems: list[Fault] = []
    for column in ("post_offices", "population_weight"):
        values = pd.to_numeric(districts[column], errors="coerce").to_numpy(dtype=float)
        problems += [
            Fault(
                f"{districts['district_id'].iloc[row]}: {column} is {districts[column].iloc[row]}",
                "give a number of 0 or more",
                path,
                int(row) + 1,
                column,
                districts[column].iloc[row],
            )
            for row in np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
        ]
    return problems


def _geometry_problems(path: Path, table: gpd.GeoDataFrame) -> list[Fault]:
    problems = []
    for row, geometry in enumerate(table.geometry):
        if geometry is None or geometry.is_empty:
            what, remedy = "geometry is empty", "give a polygon"
        elif geometry.geom_type not in ("Polygon", "MultiPolygon"):
            what, remedy = f"geometry is a {geometry.geom_type}", "give a Polygon or MultiPolygon"
        elif not geometry.is_valid:
            what = f"polygon is not valid ({shapely.is_valid_reason(geometry)})"
            remedy = "mend it, for example with shapely.make_valid"
        else:
            continue
        problems.append(Fault(f"{table.iloc[row, 0]}: {what}", remedy, path, row + 1, "geometry"))
    return problems

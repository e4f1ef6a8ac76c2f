"""The report's map as SVG: districts by saving, chosen sites, cargo through them, ports."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from markupsafe import Markup
from numpy.typing import NDArray

from geodata.cache import cached_array
from geodata.districts import metric_crs
from geodata.pack import Pack
from siting.money import INR_PER_CRORE, INR_PER_LAKH, counted, indian
from siting.plan import Plan
from siting.report.charts import ACCENT, INK, MUTED, WIDTH, label, line, rect, svg, tag
from siting.results.classes import METHODS, class_limits, shades

Array = NDArray[np.float64]

SCALE_M = 1500.0  # shapes smaller than this cannot be seen on a page
FLOW_SCALE_M = 2500.0
BRIEF_SCALE_M = 4000.0
FILL_OPACITY = 0.8  # so that roads and sites stand out on dark districts
NO_SAVING = "#f3f3ef"
LEADER = "#dfe3e6"
NO_DATA = "#f3f3ef"  # land that is no district
SITE_WORDS = {
    "warehouse": "Warehouse", "cold_store": "Cold store", "cargo_terminal": "Cargo terminal",
    "mmlp": "Logistics park (MMLP)",
}  # fmt: skip
TIER_SIZE = {"small": 3.4, "medium": 4.6, "standard": 4.2, "large": 6.0, "announced": 5.2, "first_stage": 4.2}
WEST_COAST_LON = 77.6  # of Cape Comorin: ports west of it have the sea on their left
NUMBERED = 10  # best sites that carry their rank
FLOW_BREAKS_T = (1e5, 5e5, 2e6)  # tonnes a year where a line gets wider
FLOW_WIDTHS = (0.6, 1.2, 2.2, 3.6)
TENTH = 10.0  # shapes are drawn in tenths of a pixel: whole numbers keep the page small


@dataclass(frozen=True)
class Frame:
    """Where a metre of the projected map (``crs``) falls on the drawing."""

    crs: str
    left_m: float
    top_m: float
    px_per_m: float
    height_px: float

    @classmethod
    def around(cls, shapes: gpd.GeoSeries) -> Frame:
        left, bottom, right, top = shapes.total_bounds
        px_per_m = (WIDTH - 16) / (right - left)
        margin_m = 8 / px_per_m
        return cls(shapes.crs.srs, left - margin_m, top + margin_m, px_per_m, (top - bottom + 2 * margin_m) * px_per_m)

    def px(self, xy: Array) -> Array:
        """(n, 2) metres to pixels."""
        return (xy - [self.left_m, self.top_m]) * [self.px_per_m, -self.px_per_m]

    def of(self, lon: Iterable[float], lat: Iterable[float]) -> Array:
        """(n, 2) degrees to pixels."""
        points = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs="EPSG:4326").to_crs(self.crs)
        return self.px(np.column_stack([points.x, points.y]))


def _paths(shapes: Collection[shapely.Geometry], frame: Frame) -> list[str]:
    """SVG path of each shape, all lines or all polygons, in whole tenths of a pixel; steps of nothing are left out."""
    rings, of = shapely.get_parts(np.array([*shapes], dtype=object), return_index=True)
    close = "z" if (shapely.get_type_id(rings) == shapely.GeometryType.POLYGON).any() else ""
    if close:
        rings, polygon = shapely.get_rings(rings, return_index=True)
        of = of[polygon]
    points, ring = shapely.get_coordinates(rings, return_index=True)
    xy = np.rint(frame.px(points) * TENTH).astype(int)
    step = np.diff(xy, axis=0)
    moves = (step != 0).any(axis=1) & (ring[1:] == ring[:-1])
    words = ("%d%+d\n" * int(moves.sum()) % tuple(step[moves].ravel().tolist())).splitlines()
    ends = np.searchsorted(ring[1:][moves], np.arange(len(rings) + 1))
    first = xy[np.searchsorted(ring, np.arange(len(rings)))]
    drawn: list[list[str]] = [[] for _ in shapes]
    for k, (start, end) in enumerate(pairwise(ends.tolist())):
        if start < end:
            steps = " ".join(words[start : end - bool(close)])
            drawn[of[k]].append(f"M{first[k, 0]} {first[k, 1]}l{steps}{close}")
    return ["".join(commands) for commands in drawn]


@dataclass(frozen=True)
class SavingClasses:
    """Classes of what under-utilised districts save, as on the map.

    Args:
        limits_inr: round limits between them, a year.
        fills: of each, light to dark; none where nobody saves.
    """

    limits_inr: list[float]
    fills: list[str]

    @classmethod
    def of(cls, districts: pd.DataFrame) -> SavingClasses:
        """The classes of a table of districts."""
        saving = districts.loc[districts["under_utilised"], "saving_inr_per_year"].to_numpy()
        above = np.sort(saving[saving > 0])
        limits = class_limits(above, METHODS[0])
        return cls(limits, shades("green", len(limits) + 1) if len(above) else [])

    def fill(self, saving_inr: float) -> str:
        """The fill of a saving above zero."""
        return self.fills[int(np.searchsorted(self.limits_inr, saving_inr, side="right"))]

    def key(self) -> list[tuple[str, str]]:
        """Fill and bounds in ₹ lakh of each class."""
        bounds = [f"{limit / INR_PER_LAKH:g}" for limit in self.limits_inr]
        between = [f"{low}–{high}" for low, high in pairwise(bounds)]
        words = [f"< {bounds[0]}", *between, f"≥ {bounds[-1]}"] if bounds else ["> 0"]
        unbroken = [text.replace(" ", "\N{NO-BREAK SPACE}") for text in words]
        return list(zip(self.fills, unbroken, strict=False))


def plan_map(plan: Plan, districts: pd.DataFrame, sites: pd.DataFrame, flows: gpd.GeoDataFrame) -> Markup:
    """Draw a plan.

    Args:
        districts: result of :func:`siting.results.tables.districts_table`, in the order of the pack.
        sites: result of :func:`siting.results.tables.sites_table`; the first ten are numbered.
        flows: result of :func:`siting.results.geometry.flow_lines`.
    """
    classes = SavingClasses.of(districts)
    frame, geography = _geography(plan.model.pack, districts, classes, SCALE_M, flows)
    marks = [
        geography,
        *_site_marks(sites, frame),
        *_port_marks(plan, frame),
        *_legend(classes, sites, flows),
        *_scale_bar(frame),
    ]
    served = int((districts["saving_inr_per_year"] > 0).sum())
    description = (
        f"{plan.model.pack.manifest['name']} by district. {counted(len(sites), 'site')} chosen; "
        f"{counted(served, 'district')} {'saves' if served == 1 else 'save'}. "
        "The tables below hold the same figures in words and numbers."
    )
    return svg("Where the plan builds, and who saves", description, frame.height_px, *marks, name="map")


def brief_map(pack: Pack, districts: pd.DataFrame, sites: pd.DataFrame, title: str) -> Markup:
    """Draw the tables of a result small, without movements and key.

    Args:
        districts: ``districts.csv``, in the order of the pack.
        sites: ``sites.csv``; the first ten are numbered.
    """
    frame, geography = _geography(pack, districts, SavingClasses.of(districts), BRIEF_SCALE_M)
    return svg(title, title, frame.height_px, geography, *_site_marks(sites, frame), name="map")


@dataclass(frozen=True)
class _Outlines:
    """The areas of a pack as SVG paths, and the frame they are drawn in.

    Args:
        districts: in the order of the pack.
    """

    frame: Frame
    districts: list[str]
    land: str
    states: str

    @classmethod
    def drawn(cls, pack: Pack, scale_m: float) -> _Outlines:
        """Simplify and draw the areas; what is smaller than ``scale_m`` is left out."""
        shapes = pd.concat([pack.districts.geometry, pack.land.geometry], ignore_index=True)
        shapes = shapes.to_crs(metric_crs(tuple(shapes.total_bounds)))
        simple = pd.Series(shapely.coverage_simplify(shapes.to_numpy(), scale_m))
        states = pd.concat([pack.districts["state"], pack.land["state"]], ignore_index=True)
        frame = Frame.around(shapes)
        outlines = [shapely.coverage_union_all(simple[states == state].to_numpy()) for state in sorted(states.unique())]
        paths, n = _paths(simple, frame), len(pack.districts)
        return cls(frame, paths[:n], "".join(paths[n:]), "".join(_paths(outlines, frame)))

    @classmethod
    def of(cls, pack: Pack, scale_m: float) -> _Outlines:
        """As `drawn`, kept on disk by what it is drawn from."""
        layers = ("districts", "states")
        one_pack = pack.files["districts"].parent == pack.files["states"].parent
        kept = cached_array(
            lambda: np.frombuffer(json.dumps(asdict(cls.drawn(pack, scale_m))).encode(), np.uint8),
            *(pack.checksums[layer] for layer in layers), one_pack, scale_m, WIDTH, TENTH,
            shapely.geos_version_string, suffix="outlines",
        )  # fmt: skip
        told = json.loads(kept.tobytes())
        return cls(Frame(**told.pop("frame")), **told)


def _geography(
    pack: Pack, districts: pd.DataFrame, classes: SavingClasses, scale_m: float, flows: gpd.GeoDataFrame | None = None
) -> tuple[Frame, Markup]:
    """Land, districts by what they save, states and movements, and the frame they are drawn in.

    Args:
        districts: in the order of the pack.
        scale_m: what is smaller is left out.
    """
    drawn = _Outlines.of(pack, scale_m)
    return drawn.frame, tag(
        "g",
        tag("path", d=drawn.land, fill=NO_DATA),
        *_district_paths(districts, drawn.districts, classes),
        tag("path", d=drawn.states, fill="none", stroke=MUTED, stroke_width=6),
        *(() if flows is None else _flow_paths(flows, drawn.frame)),
        transform=f"scale({1 / TENTH:g})", stroke_linejoin="round",
    )  # fmt: skip


def _district_paths(districts: pd.DataFrame, paths: Sequence[str], classes: SavingClasses) -> list[Markup]:
    saving_inr = districts["saving_inr_per_year"].to_numpy()
    groups: dict[str, list[Markup]] = {}
    names = districts["district"] + ", " + districts["state"]
    under, reached = districts["under_utilised"], districts["cost_after_inr_per_t"].notna()
    for k, (name, is_counted, has_lane) in enumerate(zip(names, under, reached, strict=True)):
        if not is_counted:
            fill, words = LEADER, "leader, not counted"
        elif saving_inr[k] > 0:
            fill, words = classes.fill(saving_inr[k]), f"saves ₹{indian(saving_inr[k] / INR_PER_CRORE, 2)} crore a year"
        else:
            fill, words = NO_SAVING, "no saving" if has_lane else "no cargo or no road"
        shape = tag("path", tag("title", f"{name}: {words}"), d=paths[k])
        groups.setdefault(fill, []).append(shape)
    return [
        tag("g", *shapes, fill=fill, fill_opacity=FILL_OPACITY, stroke="#ffffff", stroke_width=3)
        for fill, shapes in groups.items()
    ]


def bundle(flows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Add up movements that share a stretch of road or rail: one row per mode and width class.

    Returns:
        Columns ``mode``, ``tonnes_per_year`` (largest of the class), ``width_class`` (0 thinnest), geometry.
    """
    rows = []
    for mode, group in flows.groupby("mode"):
        xy, owner = shapely.get_coordinates(group.geometry.to_numpy(), return_index=True)
        tonnes = group["tonnes_per_year"].to_numpy()
        start = np.flatnonzero(owner[1:] == owner[:-1])
        ends = np.hstack([xy[start], xy[start + 1]])
        swap = (ends[:, 0] > ends[:, 2]) | ((ends[:, 0] == ends[:, 2]) & (ends[:, 1] > ends[:, 3]))
        ends[swap] = ends[swap][:, [2, 3, 0, 1]]
        stretch, which = np.unique(ends.round(6), axis=0, return_inverse=True)
        total = np.bincount(which.ravel(), tonnes[owner[start]])
        width = np.searchsorted(FLOW_BREAKS_T, total, side="right")
        for k in np.unique(width):
            lines = shapely.linestrings(stretch[width == k].reshape(-1, 2, 2))
            merged = shapely.line_merge(shapely.multilinestrings(lines))
            rows.append((mode, float(total[width == k].max()), int(k), merged))
    table = pd.DataFrame(rows, columns=["mode", "tonnes_per_year", "width_class", "geometry"])
    return gpd.GeoDataFrame(table, geometry="geometry", crs=flows.crs)


def _flow_paths(flows: gpd.GeoDataFrame, frame: Frame) -> list[Markup]:
    if flows.empty:
        return []
    bundled = bundle(flows)
    shapes = bundled.geometry.to_crs(frame.crs).simplify(FLOW_SCALE_M)
    order = np.argsort(bundled["width_class"], kind="stable")
    drawn = _paths(shapes, frame)
    paths = [(bundled["mode"].iloc[k], FLOW_WIDTHS[bundled["width_class"].iloc[k]], drawn[k]) for k in order]
    halo = [
        tag("path", d=d, fill="none", stroke="#ffffff", stroke_opacity=0.75, stroke_width=(w + 1.4) * TENTH)
        for _, w, d in paths
    ]
    lines = [tag("path", d=d, fill="none", stroke=INK, **_flow_style(mode, w, TENTH)) for mode, w, d in paths]
    return [*halo, *lines]


def _flow_style(mode: str, width: float, unit: float) -> dict[str, object]:
    dash = {"stroke_dasharray": f"{5 * unit:g} {3 * unit:g}"} if mode == "rail" else {}
    return {"stroke_width": round(width * unit, 1), **dash}


def _port_marks(plan: Plan, frame: Frame) -> list[Markup]:
    """Ports that serve containers; names stand out to sea, and one that would cover another is left off."""
    ports = plan.model.pack.gateways
    ports = ports[ports["container_service"]]
    used = set(plan.model.places.table["place_id"].iloc[np.unique(plan.after.lanes.gateway)])
    ports = ports.assign(used=ports["gateway_id"].isin(used)).sort_values("used", ascending=False, kind="stable")
    xy = frame.of(ports["lon"], ports["lat"])
    marks: list[Markup] = []
    taken: list[tuple[float, float]] = []
    for (x, y), port, lon, takes in zip(xy, ports["name"], ports["lon"], ports["used"], strict=True):
        fill = INK if takes else "#ffffff"
        style = {"r": 3.6, "fill": fill, "stroke": INK, "stroke_width": 1.4}
        marks.append(tag("circle", tag("title", f"Port: {port}"), cx=f"{x:.1f}", cy=f"{y:.1f}", **style))
        if any(abs(x - tx) < 90 and abs(y - ty) < 12 for tx, ty in taken):
            continue
        taken.append((x, y))
        shift, anchor = (-8, "end") if lon < WEST_COAST_LON else (8, "start")
        marks.append(_haloed(x + shift, y + 4, port.split(" (")[0], text_anchor=anchor, font_size=11))
    return marks


def _haloed(x: float, y: float, text: object, **attributes: object) -> Markup:
    return label(x, y, text, stroke="#ffffff", stroke_width=3, paint_order="stroke", stroke_linejoin="round",
                 **attributes)  # fmt: skip


def _site_marks(sites: pd.DataFrame, frame: Frame) -> list[Markup]:
    """Big ones first, so that none is hidden; several at one place stand side by side."""
    if sites.empty:
        return []
    table = sites.reset_index(drop=True)
    table[["x", "y"]] = frame.of(table["lon"], table["lat"])
    table["x"] += 9 * table.groupby(["lon", "lat"]).cumcount()
    order = table.sort_values("capex_inr_crore", ascending=False, kind="stable")
    columns = (order[name] for name in ("facility_type", "tier", "x", "y", "name", "state"))
    marks = [
        _site_mark(kind, tier, x, y, f"{SITE_WORDS[kind]}, {tier}: {name}, {state}")
        for kind, tier, x, y, name, state in zip(*columns, strict=True)
    ]
    top = table.head(NUMBERED)
    edge = top["x"] + top["tier"].map(TIER_SIZE) + 1.5
    numbers = [_haloed(x, y, rank, fill=ACCENT, font_size=11, font_weight=700)
               for rank, (x, y) in enumerate(zip(edge, top["y"] - 4, strict=True), start=1)]  # fmt: skip
    return [*marks, *numbers]


def _site_mark(facility_type: str, tier: str, x: float, y: float, title: str) -> Markup:
    """Square: warehouse. Triangle: cold store. Bar: cargo terminal. Diamond, half as large again: logistics park."""
    s = TIER_SIZE[tier]
    if facility_type == "mmlp":
        s *= 1.5
        corners = [(0, -s), (s, 0), (0, s), (-s, 0)]
    elif facility_type == "cold_store":
        corners = [(0, -s), (s, 0.8 * s), (-s, 0.8 * s)]
    elif facility_type == "cargo_terminal":
        corners = [(-1.4 * s, -0.55 * s), (1.4 * s, -0.55 * s), (1.4 * s, 0.55 * s), (-1.4 * s, 0.55 * s)]
    else:
        s *= 0.85
        corners = [(-s, -s), (s, -s), (s, s), (-s, s)]
    d = "M" + "L".join(f"{x + dx:.1f} {y + dy:.1f}" for dx, dy in corners) + "z"
    return tag("path", tag("title", title), d=d, fill=ACCENT, stroke="#ffffff", stroke_width=1.1)


def _legend(classes: SavingClasses, sites: pd.DataFrame, flows: gpd.GeoDataFrame) -> list[Markup]:
    """Key in the empty north-east corner of the sheet."""
    x, y = WIDTH * 0.50, 22.0
    second = x + 200
    marks = [label(x, y, "District saving, ₹ lakh a year", font_weight=600)]
    entries = [*reversed(classes.key()), (NO_SAVING, "none"), (LEADER, "leader, not counted")]
    for k, (fill, text) in enumerate(entries):
        top = y + 10 + 19 * k
        marks.append(tag("rect", x=x, y=top, width=22, height=13, fill=fill, fill_opacity=FILL_OPACITY,
                         stroke=MUTED, stroke_width=0.6))  # fmt: skip
        marks.append(label(x + 30, top + 11, text, font_size=12))

    marks.append(label(second, y, "Sites to build", font_weight=600))
    at = y + 17
    built = [key for key in SITE_WORDS if (sites["facility_type"] == key).any()]
    text_x = second + 24 + 17 * max((sites.groupby("facility_type")["tier"].nunique().max() if built else 1) - 1, 0)
    for key in built:
        tiers = [t for t in TIER_SIZE if ((sites["facility_type"] == key) & (sites["tier"] == t)).any()]
        for k, tier in enumerate(tiers):
            marks.append(_site_mark(key, tier, second + 8 + 17 * k, at, tier))
        marks.append(label(text_x, at + 4, SITE_WORDS[key], font_size=12))
        at += 19
    if not built:
        marks.append(label(second, at + 4, "none", font_size=12))
        at += 19
    at += 12
    if len(flows):
        marks.append(label(second, at, "Cargo through them", font_weight=600))
        at += 14
        for mode in ("road", "rail"):
            style = {"stroke": INK, **_flow_style(mode, 1.8, 1)}
            marks.append(line(second, at, second + 28, at, **style))
            marks.append(label(second + 36, at + 4, f"by {mode}", font_size=12))
            at += 19
        breaks = ", ".join(f"{tonnes / 1e5:g}" for tonnes in FLOW_BREAKS_T)
        marks.append(label(second, at + 2, f"wider: over {breaks} lakh t a year", font_size=11, fill=MUTED))
        at += 20
    for k, (fill, text) in enumerate(((INK, "port that takes cargo"), ("#ffffff", "other container port"))):
        marks.append(tag("circle", cx=second + 8, cy=at + 19 * k, r=3.6, fill=fill, stroke=INK, stroke_width=1.4))
        marks.append(label(second + 22, at + 4 + 19 * k, text, font_size=12))
    return marks


def _scale_bar(frame: Frame) -> list[Markup]:
    length = 500_000 * frame.px_per_m
    x, y = WIDTH * 0.62, frame.height_px - 34
    half = round(length / 2, 1)
    numbers = [
        label(x + half * k, y - 6, text, text_anchor="middle", font_size=11)
        for k, text in enumerate(("0", "250", "500 km"))
    ]
    empty = tag("rect", x=x + half, y=y + 0.5, width=half, height=4, fill="#ffffff", stroke=INK)
    return [rect(x, y, half, 5, INK), empty, *numbers]

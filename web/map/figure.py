"""The map of a plan as one SVG drawing with its legend: for print, and where a browser has no WebGL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from flask_babel import gettext as _
from markupsafe import Markup

from geodata.districts import metric_crs
from geodata.network import Network
from siting.report.charts import INK, MUTED, tag
from siting.report.map import Frame
from web.map.measures import HATCH, MEASURES, Classed, classify
from web.map.plan import PlanData
from web.pages import boundary_note, osm_credit

WIDTH, HEIGHT = 1108, 600  # 277 x 150 mm: A4 landscape within its margins, four units to the millimetre
MAP_WIDTH = 600
NO_DATA = "#e9ecef"  # land that is no district
ACCENT = "#d6186b"  # of sites, as on the page
LAYERS = ("sites", "ports", "rail", "roads", "depots", "states")
USUAL_LAYERS = ("sites", "ports", "states")
FONT = "'Noto Sans','Noto Sans Devanagari','Segoe UI','Liberation Sans',Arial,sans-serif"
TENTH = 10.0
THIN = {"fill": "none", "stroke_linejoin": "round"}
NETWORK_TOLERANCE_M = 4000.0
LABELLED_DEG2 = 4.0  # states smaller than this carry no name
SITE_SIZES = (3.0, 7.5)  # of one that saves nothing, and of the one that saves most
SITE_NAMES = {"warehouse": "Warehouse", "cold_store": "Cold store", "cargo_terminal": "Cargo terminal",
              "mmlp": "Logistics park"}  # fmt: skip


class Figure:
    """Drawings of one plan; what does not depend on the measure is drawn once."""

    def __init__(self, data: PlanData, state: str | None = None) -> None:
        self.data, self.state = data, state

    @cached_property
    def within(self) -> Any:
        """(n_districts,) whether a district is one of those that the drawing is of."""
        return (
            np.full(len(self._districts), True)
            if self.state is None
            else self.data.district_table["state"].to_numpy() == self.state
        )

    @cached_property
    def _districts(self) -> gpd.GeoSeries:
        shapes = gpd.GeoSeries(list(self.data.shapes.simple), crs="EPSG:4326")
        return shapes.to_crs(metric_crs(tuple(shapes.total_bounds)))

    @cached_property
    def frame(self) -> Frame:
        left, bottom, right, top = self._districts[self.within].total_bounds
        px_per_m = min((MAP_WIDTH - 20) / (right - left), (HEIGHT - 20) / (top - bottom))
        return Frame(self._districts.crs.srs, left - 10 / px_per_m, top + 10 / px_per_m, px_per_m, HEIGHT)

    @cached_property
    def _district_paths(self) -> list[str]:
        return [self._path(shape) for shape in self._districts]

    @cached_property
    def _states_path(self) -> str:
        return "".join(self._path(shape) for shape in self.data.shapes.dissolved.geometry.to_crs(self.frame.crs))

    def _network_path(self, network: Network) -> str:
        lines = gpd.GeoSeries(shapely.get_parts(shapely.line_merge(shapely.MultiLineString(list(network.geometry)))),
                              crs="EPSG:4326").to_crs(self.frame.crs)  # fmt: skip
        return "".join(self._path(line) for line in lines.simplify(NETWORK_TOLERANCE_M, preserve_topology=False))

    @cached_property
    def _roads_path(self) -> str:
        return self._network_path(self.data.pack.road)

    @cached_property
    def _rail_path(self) -> str:
        return self._network_path(self.data.pack.rail)

    def _path(self, shape: shapely.Geometry) -> str:
        """SVG path in whole tenths of a unit; steps of nothing are left out."""
        commands = []
        for part in shapely.get_parts(shape):
            is_area = part.geom_type == "Polygon"
            for ring in [part.exterior, *part.interiors] if is_area else [part]:
                xy = np.rint(self.frame.px(shapely.get_coordinates(ring)) * TENTH).astype(int)
                step = np.diff(xy, axis=0)
                step = step[(step != 0).any(axis=1)]
                if len(step):
                    steps = " ".join(f"{dx}{dy:+d}" for dx, dy in (step[:-1] if is_area else step))
                    commands.append(f"M{xy[0, 0]} {xy[0, 1]}l{steps}{'z' if is_area else ''}")
        return "".join(commands)

    def _points(self, lon: Iterable[float], lat: Iterable[float]) -> Any:
        return self.frame.of(lon, lat)

    def draw(
        self,
        measure: str,
        classes: str,
        language: str,
        layers: Iterable[str] = USUAL_LAYERS,
        chosen: tuple[str, str] | None = None,
    ) -> Markup:
        """Return the drawing.

        Args:
            measure: key of MEASURES.
            classes: quantile or equal.
            language: of the names; the words follow the request.
            layers: of LAYERS.
            chosen: ``district`` or ``site`` and its id, whose lanes are drawn.
        """
        data = self.data
        table = data.map_table
        label = _(MEASURES[measure].label)
        classed = classify(measure, table, classes)
        names, states = (
            table[f"{name}_hi"].fillna(table[name]) if language == "hi" else table[name]
            for name in ("district", "state")
        )
        shown = np.where(self.within, classed.colours, NO_DATA)
        areas = [
            tag("path", tag("title", f"{name}, {state}"), d=d, fill=_fill(colour, TENTH))
            for name, state, d, colour in zip(names, states, self._district_paths, shown, strict=True)
        ]
        inner = [tag("path", d=_land_path(self), fill=NO_DATA), tag("g", *areas, stroke="#ffffff", stroke_width=3)]
        if "states" in layers:
            inner.append(tag("path", d=self._states_path, stroke=MUTED, stroke_width=7, **THIN))
        if "roads" in layers:
            inner.append(tag("path", d=self._roads_path, stroke="#8a5a2b", stroke_width=4, **THIN))
        if "rail" in layers:
            inner.append(tag("path", d=self._rail_path, stroke=INK, stroke_width=5, stroke_dasharray="24 14", **THIN))
        marks = [tag("g", *inner, transform=f"scale({1 / TENTH:g})")]
        if chosen is not None:
            marks += self._lanes(*chosen)
        if "depots" in layers:
            marks += _depots(self)
        if "ports" in layers:
            marks += self._ports()
        if "sites" in layers:
            marks += _site_marks(self)
        if "states" in layers:
            marks += _state_names(self, dict(zip(table["state"], states, strict=True)))
        return tag(
            "svg",
            tag("title", f"{data.plan.summary['study']}: {label}"),
            _hatching(),
            tag("rect", width=WIDTH, height=HEIGHT, fill="#ffffff"),
            tag("svg", *marks, width=MAP_WIDTH, height=HEIGHT, overflow="hidden"),
            *self._legend(label, _counted(classed, self.within), set(layers), chosen is not None),
            xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", font_family=FONT,
        )  # fmt: skip

    def _lanes(self, kind: str, key: str) -> list[Markup]:
        marks = []
        for feature in self.data.lanes_of(kind, key)["movements"]["features"]:
            xy = self._points(*zip(*feature["geometry"]["coordinates"], strict=True))
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in xy)
            line = {"points": points, "fill": "none"}
            marks.append(tag("polyline", stroke="#ffffff", stroke_width=4, **line))
            marks.append(tag("polyline", stroke=INK, stroke_width=2, **line, **_dash(feature["properties"]["mode"])))
        return marks

    def _ports(self) -> list[Markup]:
        table = self.data.gateway_table
        table = table[table["container_service"].astype(bool)]
        marks = []
        for (x, y), name, closed in zip(self._points(table["lon"], table["lat"]), table["name"], table["closed"],
                                        strict=True):  # fmt: skip
            about = tag("title", f"{name} ({_('closed')})" if closed else name)
            marks.append(tag("circle", about, cx=f"{x:.1f}", cy=f"{y:.1f}", r=3.6, stroke=INK, stroke_width=1.4,
                             fill="#ffffff" if closed else INK))  # fmt: skip
            if closed:
                marks.append(_cross(x, y, 6))
        return marks

    def _legend(
        self, title: str, entries: list[tuple[str, str, int]], layers: set[str], with_lanes: bool
    ) -> list[Markup]:
        x, y = MAP_WIDTH + 60.0, 28.0
        name = self.data.plan.summary["study"]
        marks = [_text(x, y, f"{name}: {self.state}" if self.state else name, 13, fill=MUTED)]
        y += 24
        marks.append(_text(x, y, title, 18, font_weight=600))
        y += 12
        for colour, text, count in entries:
            y += 24
            box = {"x": x, "y": y - 13, "width": 30, "height": 16, "stroke": MUTED, "stroke_width": 0.6}
            marks.append(tag("rect", fill=_fill(colour), **box))
            marks.append(_text(x + 42, y, text, 15))
            marks.append(_text(x + 300, y, _("%(n)s districts", n=count), 13, fill=MUTED, text_anchor="end"))
        y += 40
        if "sites" in layers:
            counts = self.data.site_table["facility_type"].value_counts()
            for kind in SITE_NAMES:
                if kind in counts:
                    marks.append(_site(kind, 5.2, x + 15, y - 5, _site_name(kind)))
                    marks.append(_text(x + 42, y, f"{_site_name(kind)} ({counts[kind]})", 15))
                    y += 24
            if not self.data.site_table.get("recovers_capital", pd.Series(dtype=bool)).astype(bool).all():
                text = _("Hollow: does not recover its capital")
                marks.append(_site("warehouse", 5.2, x + 15, y - 5, text, False))
                marks.append(_text(x + 42, y, text, 15))
                y += 24
            marks.append(_text(x + 42, y, _("Larger symbol: saves more a year"), 13, fill=MUTED))
            y += 24
        if "ports" in layers:
            marks.append(tag("circle", cx=x + 15, cy=y - 5, r=4.5, fill=INK))
            marks.append(_text(x + 42, y, _("Port"), 15))
            y += 24
            if self.data.plan.closed_gateways:
                marks.append(_cross(x + 15, y - 5, 6))
                marks.append(_text(x + 42, y, _("Closed port"), 15))
                y += 24
        if "depots" in layers:
            marks.append(tag("circle", cx=x + 15, cy=y - 5, r=3.5, fill="#ffffff", stroke=MUTED, stroke_width=1.4))
            marks.append(_text(x + 42, y, _("Inland depot"), 15))
            y += 24
        networks = (("roads", "road", _("Road")), ("rail", "rail", _("Railway")))
        lines = [(mode, words) for layer, mode, words in networks if layer in layers]
        lines += [("road", _("Cargo by road")), ("rail", _("Cargo by rail"))] if with_lanes else []
        for mode, words in lines:
            marks.append(tag("line", x1=x, y1=y - 5, x2=x + 30, y2=y - 5, stroke=INK, stroke_width=2, **_dash(mode)))
            marks.append(_text(x + 42, y, words, 15))
            y += 24
        marks += [
            _text(x, HEIGHT - 48 + 16 * k, note, 10, fill=MUTED) for k, note in enumerate(_notes(self.data)) if note
        ]
        return marks


def _notes(data: PlanData) -> tuple[str | None, ...]:
    """Whose boundaries and networks these are, when the plan was made, and what tells it from every other."""
    plan = data.plan
    day = datetime.fromtimestamp(plan.stamp / 1e9, UTC).strftime("%Y-%m-%d")
    mark = str(_("Plan of %(day)s, fingerprint %(mark)s", day=day, mark=plan.summary["fingerprint"][:16]))
    return boundary_note(data.pack, plan.own_districts), osm_credit(data.pack), mark


def _hatching() -> Markup:
    """Definitions of what fills districts without a value, on the map and in the legend."""
    patterns = []
    for scale in (1.0, TENTH):
        lines = tag("path", d="M0 0V6", stroke="#9aa7b2", stroke_width=2)
        turn = f"rotate(45) scale({scale:g})"
        patterns.append(tag("pattern", tag("rect", width=6, height=6, fill="#ffffff"), lines, id=f"hatch-{scale:g}",
                            width=6, height=6, patternUnits="userSpaceOnUse", patternTransform=turn))  # fmt: skip
    return tag("defs", *patterns)


def _fill(colour: str, scale: float = 1.0) -> str:
    return f"url(#hatch-{scale:g})" if colour == HATCH else colour


def _counted(classed: Classed, within: Any) -> list[tuple[str, str, int]]:
    """The legend with what is within the drawing."""
    colours = np.asarray(classed.colours)[within]
    counts = [(colour, text, int((colours == colour).sum())) for colour, text, _n in classed.legend]
    return [entry for entry in counts if entry[2]]


def _site_marks(figure: Figure) -> list[Markup]:
    table = figure.data.site_table.sort_values("saving_inr_per_year", ascending=False, kind="stable")
    most = max(float(table["saving_inr_per_year"].max()), 1.0) if len(table) else 1.0
    shift = 9 * table.groupby(["lon", "lat"]).cumcount().to_numpy()
    marks = []
    for (x, y), right, site in zip(
        figure._points(table["lon"], table["lat"]), shift, table.to_dict("records"), strict=True
    ):
        about = f"{_site_name(site['facility_type'])}, {site['name']}, {site['state']}"
        size = SITE_SIZES[0] + (SITE_SIZES[1] - SITE_SIZES[0]) * np.sqrt(max(site["saving_inr_per_year"], 0) / most)
        marks.append(_site(site["facility_type"], size, x + right, y, about, site.get("recovers_capital", True)))
    return marks


def _state_names(figure: Figure, names: Mapping[str, str]) -> list[Markup]:
    states = figure.data.shapes.dissolved
    labels = np.array(figure.data.shapes.labels).reshape(-1, 2)
    large = shapely.area(states.geometry.array) > LABELLED_DEG2
    return [
        tag("text", names[name], x=f"{x:.0f}", y=f"{y:.0f}", font_size=9, fill=INK, text_anchor="middle",
            stroke="#ffffff", stroke_width=2.5, paint_order="stroke", stroke_linejoin="round")
        for (x, y), name in zip(figure._points(*labels[large].T), states["name"][large], strict=True)
    ]  # fmt: skip


def _depots(figure: Figure) -> list[Markup]:
    table = figure.data.depot_table
    return [
        tag("circle", tag("title", name), cx=f"{x:.1f}", cy=f"{y:.1f}", r=2.4, fill="#ffffff", stroke=MUTED,
            stroke_width=1.2)
        for (x, y), name in zip(figure._points(table["lon"], table["lat"]), table["name"], strict=True)
    ]  # fmt: skip


def _land_path(figure: Figure) -> str:
    land = gpd.GeoSeries(list(figure.data.shapes.simple_land), crs="EPSG:4326")
    return "".join(figure._path(shape) for shape in land.to_crs(figure.frame.crs))


def _text(x: float, y: float, text: object, size: int, **attributes: object) -> Markup:
    return tag("text", str(text), **{"x": f"{x:.1f}", "y": f"{y:.1f}", "font_size": size, "fill": INK, **attributes})


def _dash(mode: str) -> Mapping[str, object]:
    return {"stroke_dasharray": "7 4"} if mode == "rail" else {}


def _site_name(kind: str) -> str:
    names = {"warehouse": _("Warehouse"), "cold_store": _("Cold store"), "cargo_terminal": _("Cargo terminal"),
             "mmlp": _("Logistics park")}  # fmt: skip
    return str(names[kind])


def _cross(x: float, y: float, s: float) -> Markup:
    return tag("path", d=f"M{x - s:.1f} {y - s:.1f}l{2 * s} {2 * s}m0 {-2 * s}l{-2 * s} {2 * s}", stroke=ACCENT,
               stroke_width=2, fill="none")  # fmt: skip


def _site(kind: str, size: float, x: float, y: float, title: str, filled: bool = True) -> Markup:
    """Square: warehouse. Circle: cold store. Bar: cargo terminal. Diamond: logistics park. As on the page."""
    s = float(size)
    solid, hollow = {"fill": ACCENT, "stroke": "#ffffff"}, {"fill": "#ffffff", "stroke": ACCENT}
    style = {**(solid if filled else hollow), "stroke_width": 1.1}
    if kind == "cold_store":
        return tag("circle", tag("title", title), cx=f"{x:.1f}", cy=f"{y:.1f}", r=f"{s:.1f}", **style)
    if kind == "cargo_terminal":
        d = f"M{x - 1.4 * s:.1f} {y - 0.55 * s:.1f}h{2.8 * s:.1f}v{1.1 * s:.1f}h{-2.8 * s:.1f}z"
    elif kind == "mmlp":
        s *= 1.4
        d = f"M{x:.1f} {y - s:.1f}l{s:.1f} {s:.1f} {-s:.1f} {s:.1f} {-s:.1f} {-s:.1f}z"
    else:
        d = f"M{x - s:.1f} {y - s:.1f}h{2 * s:.1f}v{2 * s:.1f}h{-2 * s:.1f}z"
    return tag("path", tag("title", title), d=d, **style)

"""Drawings of scorecards as SVG: a state with its districts, and what a tonne costs by component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from markupsafe import Markup

from geodata.districts import metric_crs
from geodata.pack import Pack
from siting.report.charts import tag

SCALE_M = 2000.0
M_PER_UNIT = 500.0  # coordinates of the drawings
MARGIN = 6.0
LAND, LINE, HERE, SITE = "#e6e9ec", "#ffffff", "#a8321a", "#1b2530"
COMPONENTS = ("freight", "handling", "time", "dwell", "carbon")
COMPONENT_FILLS = ("#274060", "#5a7ca0", "#9db4c9", "#c9a24a", "#7a8b6f")


@dataclass(frozen=True)
class StateMaps:
    """Districts of a pack drawn small; each shape is simplified once."""

    pack: Pack

    @cached_property
    def _paths(self) -> pd.DataFrame:
        """Of each district: ``state``, ``path`` (SVG), and its bounds in the units of the drawing."""
        shapes = self.pack.districts.geometry.to_crs(self._crs)
        simple = shapely.coverage_simplify(shapes.to_numpy(), SCALE_M)
        table = pd.DataFrame(
            shapely.bounds(simple) / M_PER_UNIT * [1, -1, 1, -1], columns=["left", "bottom", "right", "top"]
        )
        table["path"] = [_path(shape) for shape in simple]
        table["state"] = self.pack.districts["state"].to_numpy()
        return table.set_index(self.pack.districts["district_id"])

    @cached_property
    def _crs(self) -> str:
        west, south, east, north = self.pack.districts.total_bounds
        return metric_crs((west, south, east, north))

    @cached_property
    def _backgrounds(self) -> dict[str, tuple[str, str]]:
        """Of each state the box and the path of all its districts."""
        found = {}
        for state, rows in self._paths.groupby("state"):
            left, top = rows["left"].min() - MARGIN, rows["top"].min() - MARGIN
            width, height = rows["right"].max() + MARGIN - left, rows["bottom"].max() + MARGIN - top
            found[str(state)] = f"{left:.0f} {top:.0f} {width:.0f} {height:.0f}", "".join(rows["path"])
        return found

    def district(self, district_id: str, title: str) -> Markup:
        """A district within its state."""
        own = self._paths.loc[district_id]
        box, land = self._backgrounds[str(own["state"])]
        width = _stroke(box)
        return _svg(box, title, _land(land, width), tag("path", d=own["path"], fill=HERE))

    def state(self, state: str, title: str, dark: Sequence[str], sites: pd.DataFrame) -> Markup:
        """A state with some of its districts dark, and sites (columns ``lon``, ``lat``, ``name``) as marks."""
        box, land = self._backgrounds[state]
        width = _stroke(box)
        shaded = "".join(self._paths["path"].reindex(list(dark)))
        marks = []
        if len(sites):
            points = gpd.GeoSeries(gpd.points_from_xy(sites["lon"], sites["lat"]), crs=4326).to_crs(self._crs)
            xy = np.column_stack([points.x, -points.y]) / M_PER_UNIT
            for (x, y), name in zip(xy, sites["name"], strict=True):
                mark = tag("title", name)
                marks.append(tag("circle", mark, cx=round(x), cy=round(y), r=round(4 * width, 1), fill=SITE,
                                 stroke="#ffffff", stroke_width=round(width, 1)))  # fmt: skip
        own = tag("path", d=shaded, fill=HERE, fill_opacity=0.45, stroke=LINE, stroke_width=round(width, 1))
        return _svg(box, title, _land(land, width), own, *marks)


def _land(path: str, width: float) -> Markup:
    return tag("path", d=path, fill=LAND, stroke=LINE, stroke_width=round(width, 1))


def _svg(box: str, title: str, *content: Markup) -> Markup:
    return tag("svg", tag("title", title), *content, viewBox=box, role="img", class_="map")


def _stroke(box: str) -> float:
    return max(float(size) for size in box.split()[2:]) / 300


def _path(shape: shapely.Geometry) -> str:
    """SVG path of a polygon's outlines, in whole units; points that fall together are one."""
    drawn = []
    for ring in shapely.get_rings(shapely.get_parts(shape)):
        xy = np.rint(shapely.get_coordinates(ring) / M_PER_UNIT * [1, -1]).astype(int)
        xy = xy[np.append(True, (np.diff(xy, axis=0) != 0).any(axis=1))]
        if len(xy) > 2:
            step = np.diff(xy, axis=0)[:-1].tolist()
            drawn.append(f"M{xy[0, 0]} {xy[0, 1]}l" + " ".join(f"{dx}{dy:+d}" for dx, dy in step) + "z")
    return "".join(drawn)


def component_bar(inr_per_t: Sequence[float], most: float) -> Markup:
    """A bar of what a tonne costs by component, as long as its share of ``most``."""
    scale, x, bars = 300.0 / most if most > 0 else 0.0, 0.0, []
    for value, fill in zip(inr_per_t, COMPONENT_FILLS, strict=True):
        width = value * scale
        bars.append(tag("rect", x=round(x, 1), y=0, width=round(width, 1), height=14, fill=fill))
        x += width
    return tag("svg", *bars, viewBox="0 0 300 14", preserveAspectRatio="none", class_="bar",
               aria_hidden="true")  # fmt: skip

"""Lanes of one district or site: their parts as told, and their movements as lines on the map."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd
import shapely

from geodata.errors import Fault, InputError
from geodata.matrix import path_geometry, shortest_path
from geodata.network import snap
from geodata.pack import Pack
from siting.results.read import PlanTables
from web.map.shapes import line_feature

MOVING = ("road", "rail")
PART_COLUMNS = ("mode", "from", "to", "km", "hours", "cost_inr_per_t", "freight_inr_per_t", "co2e_kg_per_t")
LANE_COLUMNS = ("district_id", "state", "district", "cargo_class", "load", "tonnes_per_year")
LISTED_LANES = 200  # of a site's lanes, largest first; the map draws all

Point = tuple[float, float]
Movement = tuple[str, str, str]  # mode, and ids of the places where it starts and ends


@dataclass(frozen=True)
class LaneBook:
    """Lanes of one result.

    ``study.gpkg`` draws what goes through new sites; other lanes are routed on the pack's networks.
    """

    plan: PlanTables
    pack: Pack
    _routed: dict[Movement, shapely.LineString] = field(default_factory=dict)

    def of_district(self, row: int) -> dict[str, Any]:
        """Return the lanes of the district in a row of ``plan.districts``."""
        district, lanes = self.plan.districts["district_id"].iloc[row], self.plan.lanes
        return self._told(lanes[lanes["district_id"] == district])

    def of_site(self, row: int) -> dict[str, Any]:
        """Return the lanes that the option in a row of ``plan.sites`` serves."""
        lanes = self.plan.lanes
        return self._told(lanes[lanes["lane"].isin(self.numbers_of_site(row))])

    def numbers_of_site(self, row: int) -> list[int]:
        """Return the numbers of the lanes of a site."""
        option, lanes = self.plan.sites["option_id"].iloc[row], self.plan.lanes
        numbers: list[int] = lanes.loc[lanes["option_id"] == option, "lane"].unique().tolist()
        return numbers

    def lines_of_rows(self, parts: pd.DataFrame) -> list[shapely.LineString | None]:
        """Return a line of two points per row that moves, None for one that handles or waits."""
        return [
            shapely.LineString([self._point(start), self._point(end)]) if mode in MOVING else None
            for mode, start, end in zip(parts["mode"], parts["from_id"], parts["to_id"], strict=True)
        ]

    def _told(self, parts: pd.DataFrame) -> dict[str, Any]:
        lanes = parts.groupby("lane", sort=False)
        sums = lanes[["cost_inr_per_t", "hours"]].sum().round(2).to_dict("records")
        listed = [
            {
                **{column: _plain(rows[column].iloc[0]) for column in LANE_COLUMNS}, **total,
                "parts": [dict(zip(PART_COLUMNS, map(_plain, row), strict=True))
                          for row in rows[list(PART_COLUMNS)].itertuples(index=False)],
            }
            for (_, rows), total in zip(lanes, sums, strict=True)
        ]  # fmt: skip
        moving = parts[parts["mode"].isin(MOVING) & (parts["from_id"] != parts["to_id"])]
        flows = moving.groupby(["mode", "from_id", "to_id"], sort=False).agg({
            "from": "first", "to": "first", "km": "first", "tonnes_per_year": "sum",
        })  # fmt: skip
        features = [
            line_feature(self._line(key), {"mode": key[0], "from": start, "to": end, "km": round(km, 1),
                                           "tonnes_per_year": round(tonnes, 1)})
            for key, (start, end, km, tonnes) in zip(flows.index, flows.itertuples(index=False), strict=True)
        ]  # fmt: skip
        sites = self.plan.sites
        return {
            "lanes": sorted(listed, key=lambda lane: -lane["tonnes_per_year"])[:LISTED_LANES],
            "lane_count": len(listed),
            "sites": sites.loc[sites["option_id"].isin(parts["option_id"]), "site_id"].tolist(),
            "movements": {"type": "FeatureCollection", "features": features},
        }

    # -- where things are -------------------------------------------------------------------------------------

    def _point(self, place_id: str) -> Point:
        if place_id not in self._points:
            raise InputError(
                Fault(
                    f"{place_id!r} is no district, site, depot or gateway of the result",
                    "run `siting run` again",
                    self.plan.path / "lanes.csv",
                )
            )
        return self._points[place_id]

    @cached_property
    def _points(self) -> dict[str, Point]:
        """Longitude and latitude of every place by its id."""
        plan = self.plan
        tables = ((plan.gateways, "gateway_id"), (plan.depots, "depot_id"), (plan.sites, "place_id"),
                  (plan.districts, "district_id"))  # fmt: skip
        return {
            key: (float(lon), float(lat))
            for table, column in tables
            for key, lon, lat in zip(table[column], table["lon"], table["lat"], strict=True)
        }

    @cached_property
    def _drawn(self) -> dict[Movement, shapely.LineString]:
        """Lines of the result's own flows."""
        if not self.plan.flows_are_drawn:
            return {}
        flows = self.plan.flows
        return dict(zip(zip(flows["mode"], flows["from_id"], flows["to_id"], strict=True), flows.geometry, strict=True))

    def _line(self, movement: Movement) -> shapely.LineString:
        """Return a movement as the result draws it, else the shortest way along its network; straight if none."""
        if movement in self._drawn:
            return self._drawn[movement]
        if movement not in self._routed:
            mode, *places = movement
            network = self.pack.road if mode == "road" else self.pack.rail
            start, end = (self._point(place) for place in places)
            ends = [self._rail_ends.get(place, self._point(place)) if mode == "rail" else self._point(place)
                    for place in places]  # fmt: skip
            (a, b), _ = snap(network, [p[0] for p in ends], [p[1] for p in ends])
            route = shortest_path(network, int(a), int(b))
            line = path_geometry(network, route) if route is not None else None
            self._routed[movement] = shapely.LineString([start, *(line.coords if line is not None else ()), end])
        return self._routed[movement]

    @cached_property
    def _rail_ends(self) -> dict[str, Point]:
        """Where the rail network reaches the terminals that are not beside it."""
        table = self.pack.rail_connectors
        return dict(zip(table["terminal_id"], zip(table["lon"], table["lat"], strict=True), strict=True))


def _plain(value: Any) -> Any:
    """Return a table cell as JSON can hold it."""
    if isinstance(value, str):
        return value
    return None if pd.isna(value) else round(float(value), 3)

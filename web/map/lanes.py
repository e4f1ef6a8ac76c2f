"""Lanes of one district or site: their parts as told, and their movements as lines on the map."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import shapely

from geodata.errors import InputError
from geodata.matrix import path_geometry, shortest_path
from geodata.network import snap
from geodata.pack import Pack
from siting.model.lanes import CARGO_CLASSES
from web.map.shapes import line_feature
from web.results import PlanTables

MOVING = ("road", "rail")
PART_COLUMNS = ("mode", "from", "to", "km", "hours", "cost_inr_per_t", "freight_inr_per_t", "co2e_kg_per_t")
LANE_COLUMNS = ("state", "district", "cargo_class", "load", "tonnes_per_year")
LISTED_LANES = 200  # of a site's lanes, largest first; the map draws all
SAME_KM = 0.01  # a part and a drawn flow of the same names and this near in length are one

Point = tuple[float, float]


class Movement(NamedTuple):
    """One moving part of a lane, with the points that its names stand for."""

    mode: str
    start: Point
    end: Point
    names: tuple[str, str]
    km: float


@dataclass(frozen=True)
class LaneBook:
    """Lanes of one result.

    ``study.gpkg`` draws what goes through new sites; other lanes are routed on the pack's networks.
    """

    plan: PlanTables
    pack: Pack
    _lines: dict[tuple[str, Point, Point], shapely.LineString] = field(default_factory=dict)

    def of_district(self, row: int) -> dict[str, Any]:
        """Return the lanes of the district in a row of ``plan.districts``."""
        district, lanes = self.plan.districts.iloc[row], self.plan.lanes
        own = (lanes["state"] == district["state"]) & (lanes["district"] == district["district"])
        return self._told(lanes[own])

    def of_site(self, row: int) -> dict[str, Any]:
        """Return the lanes through the place of the site in a row of ``plan.sites``.

        A result names the places of a lane, not the facilities: a cold store gets the perishable lanes of its
        place, a warehouse the general ones, a logistics park all.
        """
        lanes = self.plan.lanes
        return self._told(lanes[lanes["lane"].isin(self.numbers_of_site(row))])

    def numbers_of_site(self, row: int) -> list[int]:
        """Return the numbers of the lanes of a site."""
        site, lanes = self.plan.sites.iloc[row], self.plan.lanes
        here = _grid((site["lon"], site["lat"]))
        carried = set(lanes.loc[lanes["cargo_class"].isin(_carried(site["facility_type"])), "lane"])
        return [number for number in self._movements if number in carried and here in self._stops(number)]

    def lines_of_rows(self, parts: pd.DataFrame) -> list[shapely.LineString | None]:
        """Return a line of two points per row that moves, None for one that handles or waits."""
        moves = {number: iter(moves) for number, moves in self._movements.items()}
        all_parts = self.plan.lanes
        line: dict[tuple[int, int], shapely.LineString] = {}
        moving = all_parts[all_parts["mode"].isin(MOVING)]
        for number, part in zip(moving["lane"], moving["part"], strict=True):
            move = next(moves[number])
            line[number, part] = shapely.LineString([move.start, move.end])
        return [line.get(key) for key in zip(parts["lane"], parts["part"], strict=True)]

    def _told(self, parts: pd.DataFrame) -> dict[str, Any]:
        tonnes: defaultdict[tuple[str, Point, Point], float] = defaultdict(float)
        about: dict[tuple[str, Point, Point], Movement] = {}
        listed = []
        for number, lane in _by_lane(parts):
            carried = float(lane["tonnes_per_year"].iloc[0])
            for move in self._movements.get(number, []):
                if move.start != move.end:
                    tonnes[move[:3]] += carried
                    about[move[:3]] = move
            listed.append({
                **{column: _plain(lane[column].iloc[0]) for column in LANE_COLUMNS},
                "cost_inr_per_t": round(float(lane["cost_inr_per_t"].sum()), 2),
                "hours": round(float(lane["hours"].sum()), 2),
                "parts": [dict(zip(PART_COLUMNS, map(_plain, row), strict=True))
                          for row in lane[list(PART_COLUMNS)].itertuples(index=False)],
            })  # fmt: skip
        features = [
            line_feature(
                self._line(*key),
                {
                    "mode": about[key].mode, "from": about[key].names[0], "to": about[key].names[1],
                    "km": round(about[key].km, 1), "tonnes_per_year": round(total, 1),
                },
            )
            for key, total in tonnes.items()
        ]  # fmt: skip
        stops = {
            (cargo_class, stop)
            for number, cargo_class in parts.drop_duplicates("lane")[["lane", "cargo_class"]].to_numpy()
            for stop in self._stops(number)
        }
        sites = self.plan.sites
        used = [
            any((cargo, _grid((lon, lat))) in stops for cargo in _carried(facility_type))
            for lon, lat, facility_type in zip(sites["lon"], sites["lat"], sites["facility_type"], strict=True)
        ]
        return {
            "lanes": sorted(listed, key=lambda lane: -lane["tonnes_per_year"])[:LISTED_LANES],
            "lane_count": len(listed),
            "sites": sites.loc[used, "site_id"].tolist(),
            "movements": {"type": "FeatureCollection", "features": features},
        }

    def _stops(self, number: int) -> set[tuple[int, int]]:
        """Places between the district and the port of a lane."""
        return {_grid(move.end) for move in self._movements.get(number, [])[:-1]}

    # -- where the named ends of a part are ------------------------------------------------------------------

    @cached_property
    def _movements(self) -> dict[int, list[Movement]]:
        """Movements of every lane in order of travel.

        Names repeat: districts across states, and a port may be called as its district is. The last movement
        ends at a port; another one that ends where it starts stays in the district; of flows of the same
        names the one of the same length is meant.
        """
        lanes = self.plan.lanes
        moving = lanes[lanes["mode"].isin(MOVING)]
        last = set(moving.drop_duplicates("lane", keep="last").index)
        found: defaultdict[int, list[Movement]] = defaultdict(list)
        columns = [moving[name] for name in ("lane", "state", "district", "mode", "from", "to", "km")]
        for row, number, state, district, mode, start, end, km in zip(moving.index, *columns, strict=True):
            moves = found[number]
            at = moves[-1].end if moves else self._origins[state, district]
            existing = self._ports if row in last else self._depots
            flow, off_km = self._nearest_flow(mode, start, end, km)
            if flow is not None and (off_km <= SAME_KM or end not in existing):
                at, to = _ends(flow)
                if self.plan.flows_are_drawn:
                    self._lines.setdefault((mode, at, to), flow)
            elif row not in last and start == end and (_grid(at) in self._site_points or end not in existing):
                to = at
            elif end in existing:
                to = existing[end]
            else:
                raise InputError(
                    f"{self.plan.path / 'lanes.csv'}, row {row} ({district}): {end!r} is no port, depot or drawn "
                    "place of study.gpkg; write the result again"
                )
            moves.append(Movement(mode, at, to, (start, end), km))
        return dict(found)

    @cached_property
    def _site_points(self) -> set[tuple[int, int]]:
        return {_grid(point) for point in zip(self.plan.sites["lon"], self.plan.sites["lat"], strict=True)}

    def _nearest_flow(self, mode: str, start: str, end: str, km: float) -> tuple[shapely.LineString | None, float]:
        """Of the drawn flows of these names the one nearest in length, and how far off it is."""
        near = [(abs(flow_km - km), row) for flow_km, row in self._flow_rows.get((mode, start, end), [])]
        off_km, row = min(near, default=(float("inf"), -1))
        return (self._flow_lines[row] if near else None), off_km

    @cached_property
    def _flow_lines(self) -> list[shapely.LineString]:
        return list(self.plan.flows.geometry)

    @cached_property
    def _flow_rows(self) -> dict[tuple[str, str, str], list[tuple[float, int]]]:
        rows: defaultdict[tuple[str, str, str], list[tuple[float, int]]] = defaultdict(list)
        for row, flow in enumerate(self.plan.flows.itertuples()):
            rows[flow.mode, flow.from_name, flow.to_name].append((flow.km, row))
        return dict(rows)

    @cached_property
    def _origins(self) -> dict[tuple[str, str], Point]:
        """Where a district's cargo starts: its own site, else its point in the pack, else a point inside it."""
        known, sites = self.pack.districts, self.plan.sites
        places = sites["site_id"].str.replace("^[^@]*@", "", regex=True)
        points = dict(zip(known["district_id"], zip(known["lon"], known["lat"], strict=True), strict=True))
        points |= dict(zip(places, zip(sites["lon"], sites["lat"], strict=True), strict=True))
        table = self.plan.districts
        inside = self.plan.shapes.geometry.representative_point()
        return {
            (state, name): points.get(key, (x, y))
            for state, name, key, x, y in zip(
                table["state"], table["district"], table["district_id"], inside.x, inside.y, strict=True
            )
        }

    @cached_property
    def _ports(self) -> dict[str, Point]:
        return _points(self.plan.gateways)

    @cached_property
    def _depots(self) -> dict[str, Point]:
        """Existing places of consolidation by name: depots, and ports, which consolidate too."""
        return {**self._ports, **_points(self.plan.depots)}

    @cached_property
    def _rail_ends(self) -> dict[Point, Point]:
        """Where the rail network reaches the terminals that are not beside it."""
        connectors = self.pack.rail_connectors.set_index("terminal_id")
        ends = {}
        for table, key in ((self.plan.gateways, "gateway_id"), (self.plan.depots, "depot_id")):
            for row in table[table[key].isin(connectors.index)].to_dict("records"):
                connector = connectors.loc[row[key]]
                ends[float(row["lon"]), float(row["lat"])] = (float(connector["lon"]), float(connector["lat"]))
        return ends

    def _line(self, mode: str, start: Point, end: Point) -> shapely.LineString:
        """Return the shortest way along the network of a mode; straight where there is none."""
        key = (mode, start, end)
        if key not in self._lines:
            network = self.pack.road if mode == "road" else self.pack.rail
            ends = [self._rail_ends.get(p, p) for p in (start, end)] if mode == "rail" else [start, end]
            (a, b), _ = snap(network, [p[0] for p in ends], [p[1] for p in ends])
            route = shortest_path(network, int(a), int(b))
            line = path_geometry(network, route) if route is not None else None
            self._lines[key] = shapely.LineString([start, *(line.coords if line is not None else ()), end])
        return self._lines[key]


def _carried(facility_type: str) -> tuple[str, ...]:
    """Cargo classes that a facility serves."""
    return {"cold_store": ("perishable",), "warehouse": ("general",)}.get(facility_type, CARGO_CLASSES)


def _by_lane(parts: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    """Parts of each lane; the parts of one follow each other."""
    bounds = np.flatnonzero(np.diff(parts["lane"], prepend=0, append=0))  # lanes are numbered from 1
    for start, stop in pairwise(bounds):
        yield int(parts["lane"].iloc[start]), parts.iloc[start:stop]


def _points(table: pd.DataFrame) -> dict[str, Point]:
    return {
        str(name): (float(lon), float(lat))
        for name, lon, lat in zip(table["name"], table["lon"], table["lat"], strict=True)
    }


def _ends(line: shapely.LineString) -> tuple[Point, Point]:
    first, last = line.coords[0], line.coords[-1]
    return (first[0], first[1]), (last[0], last[1])


def _grid(point: Point) -> tuple[int, int]:
    """A point as a key: micro-degrees, coarser than the rounding of the tables."""
    return round(point[0] * 1e6), round(point[1] * 1e6)


def _plain(value: Any) -> Any:
    """Return a table cell as JSON can hold it."""
    if isinstance(value, str):
        return value
    return None if pd.isna(value) else round(float(value), 3)

"""One plan as the map shows it: plain data, small enough to send."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.network import Network
from geodata.pack import Pack
from siting.results.read import PlanTables
from web.map.lanes import LaneBook
from web.map.shapes import dissolve, simplify_coverage
from web.map.topology import encode_topology
from web.places import places_in_hindi
from web.security import refuse

DECIMALS = 3
ENCODING = "arcs"  # another word for another form of the shapes
GATEWAY_COLUMNS = ["gateway_id", "name", "state", "lon", "lat", "container_service"]
DEPOT_COLUMNS = ["depot_id", "name", "state", "lon", "lat", "rail_served"]


class DistrictShapes:
    """Polygons of districts and states, simplified once for all plans on the same districts."""

    def __init__(self, shapes: gpd.GeoSeries, states: list[str], land: gpd.GeoDataFrame) -> None:
        self.shapes, self.states, self.land = shapes, states, land

    @cached_property
    def hash(self) -> str:
        """What tells one set of districts from another, and how they are sent: browsers keep them for good."""
        digest = hashlib.sha256("\n".join([ENCODING, *self.states]).encode())
        digest.update(shapely.get_coordinates(np.asarray(self.shapes.array, dtype=object)).tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def _all_simple(self) -> Any:
        return simplify_coverage(pd.concat([self.shapes, self.land.geometry]))

    @property
    def simple(self) -> Any:
        return self._all_simple[: len(self.shapes)]

    @property
    def simple_land(self) -> Any:
        """Land that is no district: drawn, without values."""
        return self._all_simple[len(self.shapes) :]

    @cached_property
    def dissolved(self) -> gpd.GeoDataFrame:
        """States, their land without districts included: ``name``, geometry."""
        return dissolve(self._all_simple, np.array([*self.states, *self.land["state"]], dtype=object))

    @cached_property
    def labels(self) -> list[list[float]]:
        """A point inside the largest part of each state."""
        largest = self.dissolved.geometry.map(lambda shape: max(shape.geoms, key=shapely.area))
        return [[round(p.x, 2), round(p.y, 2)] for p in largest.representative_point()]

    def encoded(self) -> dict[str, Any]:
        """Polygons of the districts in the order of their values, land without districts, and the lines of states."""
        states = self.dissolved
        areas = np.asarray(states.geometry.array, dtype=object)
        told = encode_topology({"districts": self.simple, "land": self.simple_land, "states": areas})
        lines = {
            "names": states["name"].tolist(),
            "labels": self.labels,
            "area_deg2": shapely.area(areas).round(2).tolist(),
            "shapes": told["states"],
        }
        return {**told, "states": lines}


class PlanData:
    """What the map shows of one plan.

    Args:
        base: address of the plan in the API.
        shapes: shapes by their hash; those of this plan are added where they are new.
    """

    def __init__(self, plan: PlanTables, pack: Pack, base: str, shapes: dict[str, DistrictShapes]) -> None:
        self.plan = plan
        self.pack = pack
        self.base = base
        of_pack = set(plan.districts["district_id"]) == set(pack.districts["district_id"])
        land = pack.land if of_pack else pack.land.iloc[:0]
        own = DistrictShapes(plan.shapes.geometry, plan.districts["state"].tolist(), land)
        self.shapes = shapes.setdefault(own.hash, own)
        self.lane_book = LaneBook(plan, pack)

    @property
    def links(self) -> dict[str, str]:
        """Addresses of everything that there is of the plan."""
        names = ("districts", "sites", "places", "lanes", "tables", "options")
        page = self.base.removeprefix("/api/v1")
        return {
            "self": self.base,
            **{name: f"{self.base}/{name}" for name in names},
            "shapes": f"/api/v1/map/districts?v={self.shapes.hash}",
            "map": f"{self.base}/map.svg",
            "print": f"/print{page}",
        }

    @cached_property
    def district_table(self) -> pd.DataFrame:
        """``districts.csv`` with names in Hindi where the pack knows them."""
        return self.in_hindi(self.plan.districts)

    @cached_property
    def map_table(self) -> pd.DataFrame:
        """What the map colours districts by; no saving where there is no cargo or no road."""
        table = self.district_table
        return table.assign(
            saving_inr_per_year=table["saving_inr_per_year"].where(table["cost_before_inr_per_t"].notna()),
            saving_inr_per_t=table["cost_before_inr_per_t"] - table["cost_after_inr_per_t"],
            co2e_saved_t_per_year=table["co2e_before_t_per_year"] - table["co2e_after_t_per_year"],
        )

    @cached_property
    def site_table(self) -> pd.DataFrame:
        """``sites.csv`` with names in Hindi."""
        return self.in_hindi(self.plan.sites)

    def in_hindi(self, table: pd.DataFrame) -> pd.DataFrame:
        """A table of districts or sites with their names in Hindi beside those it has."""
        place, name = ("place_id", "name") if "place_id" in table else ("district_id", "district")
        table = table.copy()
        for column, key, names in (("state", "state", self._states_hi), (name, place, self._districts_hi)):
            table.insert(table.columns.tolist().index(column) + 1, f"{column}_hi", table[key].map(names))
        return table

    @cached_property
    def _districts_hi(self) -> dict[str, str]:
        return _hindi(self.pack.districts, "district_id", "district_hi")

    @cached_property
    def _states_hi(self) -> dict[str, str]:
        return _hindi(self.pack.states, "state", "state_hi")

    @cached_property
    def gateway_table(self) -> pd.DataFrame:
        table = _with_hindi(pd.DataFrame(self.plan.gateways.reindex(columns=GATEWAY_COLUMNS)))
        return table.assign(closed=table["gateway_id"].isin(self.plan.closed_gateways))

    @cached_property
    def depot_table(self) -> pd.DataFrame:
        return _with_hindi(pd.DataFrame(self.plan.depots.reindex(columns=DEPOT_COLUMNS)))

    @cached_property
    def state_table(self) -> pd.DataFrame:
        """Sums by state."""
        sums = ["export_usd", "tonnes_per_year", "saving_inr_per_year"]
        groups = self.district_table.groupby("state")
        table = groups[sums].sum().join(groups.size().rename("districts"))
        sites = self.site_table.groupby("state").agg(
            sites=("site_id", "size"), capex_inr_crore=("capex_inr_crore", "sum")
        )
        return table.join(sites).fillna({"sites": 0, "capex_inr_crore": 0.0}).astype({"sites": int}).reset_index()

    @cached_property
    def road_table(self) -> pd.DataFrame:
        return self._edge_table(self.pack.road)

    @cached_property
    def rail_table(self) -> pd.DataFrame:
        return self._edge_table(self.pack.rail)

    def _edge_table(self, network: Network) -> pd.DataFrame:
        """Edges of a network with their ends and the state in which their middle is."""
        a, b, lon, lat = network.edge_from, network.edge_to, network.node_lon, network.node_lat
        middle = np.asarray(shapely.points((lon[a] + lon[b]) / 2, (lat[a] + lat[b]) / 2))
        edge, district = shapely.STRtree(self.shapes.simple).query(middle, predicate="intersects")
        state = np.empty(len(middle), dtype=object)
        state[edge] = np.asarray(self.shapes.states, dtype=object)[district]
        return pd.DataFrame({
            "edge_class": network.edge_class, "state": state, "km": network.edge_km,
            "from_lon": lon[a], "from_lat": lat[a], "to_lon": lon[b], "to_lat": lat[b],
        })  # fmt: skip

    def districts(self) -> dict[str, Any]:
        """Values of the districts, as columns."""
        box = self.plan.shapes.bounds.round(2)
        return columns(
            self.map_table.assign(bounds=box[["minx", "miny", "maxx", "maxy"]].to_numpy().tolist())
        )  # fmt: skip

    def sites(self) -> dict[str, Any]:
        """Open sites, as columns; a site's net saving is what is left when its running is paid."""
        table = self.site_table
        running = table.get("fixed_cost_inr_per_year", 0.0)
        return columns(table.assign(net_saving_inr_per_year=table["saving_inr_per_year"] - running))

    def places(self) -> dict[str, Any]:
        """Ports and depots."""
        return {"gateways": columns(self.gateway_table), "depots": columns(self.depot_table)}

    def row_of(self, kind: str, key: str) -> int:
        """Row of a ``district`` or ``site``; 404 where there is none of that key."""
        keys = self.plan.districts["district_id"] if kind == "district" else self.plan.sites["site_id"]
        rows = np.flatnonzero(keys == key)
        if len(rows) == 0:
            refuse(404, f"no {kind} '{key}' in this plan; its table of {kind}s lists them")
        return int(rows[0])

    def lanes_of(self, kind: str, key: str) -> dict[str, Any]:
        """Lanes of a ``district`` or ``site``."""
        told = self.lane_book.of_district if kind == "district" else self.lane_book.of_site
        return told(self.row_of(kind, key))


def _hindi(table: pd.DataFrame, key: str, name: str) -> dict[str, str]:
    known = table.dropna(subset=[name]).drop_duplicates(key)
    return dict(zip(known[key], known[name], strict=True))


def _with_hindi(table: pd.DataFrame) -> pd.DataFrame:
    """A table of ports or depots with their names in Hindi, where they are known, beside those it has."""
    names = table["name"].map(places_in_hindi()).astype(object)
    table.insert(table.columns.tolist().index("name") + 1, "name_hi", names.where(names.notna(), None))
    return table


def columns(table: pd.DataFrame, decimals: int | None = DECIMALS) -> dict[str, list[Any]]:
    """Return a table as one list per column, rounded where it says to how many decimals; what is missing is None."""
    result = {}
    for name in table.columns:
        values = table[name]
        if pd.api.types.is_float_dtype(values):
            values = values.replace([np.inf, -np.inf], np.nan)
            values = values if decimals is None else values.round(decimals)
        result[str(name)] = values.astype(object).where(values.notna(), None).tolist()
    return result

"""JSON API of finished plans under ``/api/v1``; reads only."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from flask import Blueprint, Response, abort, request

from geodata.pack import Pack
from web.lane_lines import LaneBook
from web.results import DOWNLOADS, PlanFolder, Results
from web.shapes import dissolve, encode_polygons, network_lines, simplify_coverage
from web.transfer import Shelf, json_body

SHELF_SIZE = 256
DECIMALS = 3
GATEWAY_COLUMNS = ["gateway_id", "name", "state", "lon", "lat", "container_service"]
DEPOT_COLUMNS = ["depot_id", "name", "state", "lon", "lat", "rail_served"]


class MapData:
    """What the map shows of one plan, as plain data."""

    def __init__(self, plan: PlanFolder, pack: Pack) -> None:
        self.plan = plan
        self.pack = pack
        self.lanes = LaneBook(plan, pack)

    @cached_property
    def _simple(self) -> Any:
        return simplify_coverage(self.plan.shapes.geometry)

    def districts(self) -> dict[str, Any]:
        """Values of the districts, as columns; ``district_hi`` where the pack knows it."""
        table = self.plan.districts
        hindi = self.pack.districts.set_index("district_id")["district_hi"]
        box = self.plan.shapes.bounds.round(2)
        return columns(
            table.assign(
                district_hi=table["district_id"].map(hindi),
                bounds=box[["minx", "miny", "maxx", "maxy"]].to_numpy().tolist(),
            )
        )

    def shapes(self) -> dict[str, Any]:
        """Polygons of the districts in the order of their values, and the lines between states."""
        states = dissolve(self._simple, self.plan.districts["state"].to_numpy(object))
        largest = states.geometry.map(lambda shape: max(shape.geoms, key=shapely.area))
        label = largest.representative_point()
        return {
            "districts": encode_polygons(self._simple),
            "states": {
                "names": states["name"].tolist(),
                "labels": [[round(p.x, 2), round(p.y, 2)] for p in label],
                "area_deg2": shapely.area(states.geometry.array).round(2).tolist(),
                "shapes": encode_polygons(np.asarray(states.geometry.array, dtype=object)),
            },
        }

    def sites(self) -> dict[str, Any]:
        """Open sites, as columns."""
        return columns(self.plan.sites)

    def places(self) -> dict[str, Any]:
        """Ports and depots."""
        return {
            "gateways": columns(_plain_table(self.plan.gateways, GATEWAY_COLUMNS)),
            "depots": columns(_plain_table(self.plan.depots, DEPOT_COLUMNS)),
        }

    def lanes_of(self, kind: str, key: str) -> dict[str, Any]:
        """Lanes of a ``district`` or ``site``; 404 where there is none of that key."""
        keys = self.plan.districts["district_id"] if kind == "district" else self.plan.sites["site_id"]
        rows = np.flatnonzero(keys == key)
        if len(rows) == 0:
            abort(404, f"no {kind} '{key}' in this plan")
        told = self.lanes.of_district if kind == "district" else self.lanes.of_site
        return told(int(rows[0]))


def columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Return a table as one list per column; what is missing is None."""
    result = {}
    for name in table.columns:
        values = table[name]
        if pd.api.types.is_float_dtype(values):
            values = values.round(DECIMALS)
        result[str(name)] = values.astype(object).where(values.notna(), None).tolist()
    return result


def _plain_table(layer: gpd.GeoDataFrame, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(layer.reindex(columns=names))


def create_api(results: Results, pack: Pack) -> Blueprint:
    """Return the blueprint that answers from these results, with networks from this pack."""
    api = Blueprint("api", __name__, url_prefix="/api/v1")
    shelf = Shelf(SHELF_SIZE)
    opened: dict[str, MapData] = {}

    def data_of(key: str) -> MapData:
        plan = results.plans().get(key)
        if plan is None:
            abort(404, f"no plan '{key}'; GET /api/v1/plans lists them")
        if key not in opened or opened[key].plan != plan:
            opened[key] = MapData(plan, pack)
        return opened[key]

    @api.get("/plans")
    def plans() -> Response:
        listed = [
            {
                "key": key,
                **{name: plan.summary.get(name) for name in ("study", "status", "gap", "budget_inr_crore")},
                "saving_inr_per_year": plan.summary.get("saving_inr_per_year"),
                "files": [name for name in DOWNLOADS if (plan.path / name).is_file()],
            }
            for key, plan in results.plans().items()
        ]
        return json_body({"plans": listed}).response()

    @api.get("/plans/<key>")
    def plan(key: str) -> Response:
        return json_body(data_of(key).plan.summary).response()

    def layer(name: str, make: Callable[[MapData], Any]) -> None:
        def view(key: str) -> Response:
            data = data_of(key)
            return shelf.get((data.plan, name), lambda: make(data)).response()

        api.add_url_rule(f"/plans/<key>/{name}", name, view)

    layer("districts", MapData.districts)
    layer("shapes", MapData.shapes)
    layer("sites", MapData.sites)
    layer("places", MapData.places)

    @api.get("/plans/<key>/lanes")
    def lanes(key: str) -> Response:
        data = data_of(key)
        asked = {kind: request.args[kind] for kind in ("district", "site") if kind in request.args}
        if len(asked) != 1:
            abort(400, "name one district or one site: ?district=STATE/DISTRICT or ?site=SITE_ID")
        ((kind, name),) = asked.items()
        return shelf.get((data.plan, kind, name), lambda: data.lanes_of(kind, name)).response()

    @api.get("/networks/<name>")
    def network(name: str) -> Response:
        if name not in ("road", "rail"):
            abort(404, f"no network '{name}'; there are road and rail")
        return shelf.get(("network", name), lambda: {"lines": network_lines(getattr(pack, name))}).response()

    return api

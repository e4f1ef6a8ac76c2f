"""The files of a plan: tables, GeoPackage and plan.json, written all or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.exports import concentration
from geodata.matrix import path_geometry, shortest_paths
from geodata.network import snap
from siting.model.model import Model
from siting.plan import Plan

CRS = "EPSG:4326"
SEARCH_SLACK_KM = 1.0  # a movement's km cover its way on the network and the access to it


def summary(plan: Plan) -> dict[str, Any]:
    """Return the content of ``plan.json``: see the README for the meaning of each key."""
    model, solution = plan.model, plan.solution
    table = plan.client_table
    served = np.unique(table.loc[plan.chosen.client[plan.uses_site], "district"])
    under = model.demand["under_utilised"]
    unreachable = unreachable_districts(plan)
    return {
        "study": model.study.name,
        "fingerprint": model.study.fingerprint(model.pack),
        "status": solution.status,
        "objective_inr": solution.objective,
        "bound_inr": solution.bound,
        "gap": solution.gap,
        "solver": solution.solver,
        "wall_s": plan.stages,
        "budget_inr_crore": model.study.budget_inr_crore,
        "capex_inr_crore": plan.capex_inr_crore,
        "fixed_cost_inr_per_year": plan.fixed_cost_inr_per_year,
        "capital_charge_inr_per_year": plan.capital_charge_inr_per_year,
        "before": plan.totals("before"),
        "after": plan.totals("after"),
        "saving_inr_per_year": plan.net_saving_inr_per_year,
        "benefit_cost_ratio": plan.benefit_cost_ratio,
        "payback_years": plan.payback_years,
        "served_cost_cut": plan.served_cost_cut,
        "counts": {
            "districts": len(model.demand),
            "under_utilised": int(under.sum()),
            "served_by_hub": int(under.iloc[served].sum()),
            "unreachable": len(unreachable),
        },
        "unreachable": unreachable,
        "concentration": {
            "districts_of_first_half": concentration(model.demand["export_usd"], 0.5),
            "districts_of_first_three_quarters": concentration(model.demand["export_usd"], 0.75),
        },
        "part_load_cost_before_inr_per_year": plan.part_load_cost_inr_per_year,
        "not_recovering_capital": {
            "sites": len(plan.losing),
            "capex_inr_crore": float(plan.losing["capex_inr_crore"].sum()),
        },
        "resolved_study": model.study.resolved(),
    }


def unreachable_districts(plan: Plan) -> list[dict[str, Any]]:
    """Districts that no road links to a gateway, with the tonnes a year that wait there."""
    places, demand = plan.model.places, plan.model.demand
    cut_off = ~places.on_road[: len(demand)]
    tonnes = demand["general_t"] + demand["perishable_t"]
    return [
        {
            "state": state,
            "district": district,
            "tonnes_per_year": round(float(tonnes_per_year), 1),
            "reason": "no road to a gateway",
        }
        for state, district, tonnes_per_year in zip(
            demand["state"][cut_off], demand["district"][cut_off], tonnes[cut_off], strict=True
        )
    ]


def sites_table(plan: Plan) -> pd.DataFrame:
    """Return ``sites.csv``: one row per open option, by saving."""
    places = plan.model.places.table
    at = places.iloc[plan.opened["place"]]
    table = plan.opened.assign(
        name=at["name"].to_numpy(),
        state=at["state"].to_numpy(),
        lon=at["lon"].to_numpy(),
        lat=at["lat"].to_numpy(),
    )
    columns = [
        "site_id", "name", "state", "lon", "lat", "facility_type", "tier", "status", "capex_inr_crore",
        "capacity_t_per_year", "throughput_t_per_year", "utilisation", "districts_served", "saving_inr_per_year",
    ]  # fmt: skip
    return table.sort_values(["saving_inr_per_year", "site_id"], ascending=[False, True])[columns]


def districts_table(plan: Plan) -> pd.DataFrame:
    """Return ``districts.csv``: one row per district; a mean over clients is weighted by tonnes."""
    model = plan.model
    places = model.places.table
    table = model.demand[["state", "district", "lgd_code", "under_utilised", "export_usd"]].copy()
    clients = plan.client_table.dropna(subset=["cost_inr_per_t_before", "cost_inr_per_t_after"])
    tonnes = clients["tonnes_per_year"]
    total = tonnes.groupby(clients["district"]).sum()
    everything = plan.client_table.groupby("district")["tonnes_per_year"].sum()
    table["tonnes_per_year"] = everything.reindex(table.index, fill_value=0.0)

    def mean(column: str) -> pd.Series:
        return ((clients[column] * tonnes).groupby(clients["district"]).sum() / total).reindex(table.index)

    for when in ("before", "after"):
        table[f"cost_{when}_inr_per_t"] = mean(f"cost_inr_per_t_{when}")
        table[f"hours_{when}"] = mean(f"hours_{when}")
        table[f"co2e_{when}_t_per_year"] = mean(f"co2e_kg_per_t_{when}") * total / 1000.0
    for when, lanes, share in (
        ("before", model.existing, np.ones(len(model.existing))),
        ("after", plan.chosen, plan.share),
    ):
        flow = _flows(plan, lanes, share)
        gateway = _largest(flow, "gateway", places)
        table[f"gateway_{when}"] = gateway.reindex(table.index)
    flow = _flows(plan, plan.chosen, plan.share)
    flow = flow[plan.uses_site]
    through = pd.concat(
        [flow.assign(site=flow["hub"]), flow[flow["terminal"] != flow["hub"]].assign(site=flow["terminal"])]
    )
    at_site = np.append(model.places.is_site, False)  # position -1 is "none"
    through = through[at_site[through["site"].to_numpy(np.int64)]]
    rank = through.groupby(["district", "site"])["tonnes"].sum().reset_index()
    rank = rank.sort_values(["district", "tonnes", "site"], ascending=[True, False, True])
    rank["rank"] = rank.groupby("district").cumcount() + 1
    for k in (1, 2):
        hub = rank[rank["rank"] == k].set_index("district")["site"].map(places["name"])
        table[f"hub_{k}"] = hub.reindex(table.index)
    table["saving_inr_per_year"] = (
        (table["cost_before_inr_per_t"] - table["cost_after_inr_per_t"]) * total
    ).reindex(table.index).fillna(0.0)  # fmt: skip
    table["hours_to_gateway_after"] = mean("transit_hours_after")
    return table.join(_cost_components(plan, total.reindex(table.index).to_numpy()))


def _cost_components(plan: Plan, tonnes_per_year: Any) -> pd.DataFrame:
    """Of each district the parts of ``cost_before_inr_per_t`` and ``cost_after_inr_per_t``, which they add up to.

    Freight of movements, handling, time in movement and handling, dwell (time spent waiting), carbon.
    """
    model = plan.model
    client_tonnes = model.clients["tonnes_per_year"].to_numpy()
    columns = {}
    for when, lanes, share, parts in (
        ("before", model.existing, np.ones(len(model.existing)), plan.parts_before),
        ("after", plan.chosen, plan.share, plan.parts),
    ):
        lane = parts["lane"].to_numpy()
        client = lanes.client[lane]
        district = model.clients["district"].to_numpy()[client]
        tonnes = client_tonnes[client] * share[lane]
        mode = parts["mode"].to_numpy(object)
        money = parts["freight_inr_per_t"].to_numpy()
        carbon = parts["co2e_kg_per_t"].to_numpy() * model.pricer.tariff.carbon_inr_per_kg
        time = parts["cost_inr_per_t"].to_numpy() - money - carbon
        handling, waiting = mode == "handling", mode == "dwell"
        values = {
            "freight": np.where(handling, 0.0, money), "handling": np.where(handling, money, 0.0),
            "time": np.where(waiting, 0.0, time), "dwell": np.where(waiting, time, 0.0), "carbon": carbon,
        }  # fmt: skip
        for name, value in values.items():
            total = np.bincount(district, value * tonnes, minlength=len(model.demand))
            columns[f"{name}_{when}_inr_per_t"] = total / tonnes_per_year
    return pd.DataFrame(columns, index=model.demand.index)


def _flows(plan: Plan, lanes: Any, share: Any) -> pd.DataFrame:
    clients = plan.model.clients
    return pd.DataFrame({
        "district": clients["district"].to_numpy()[lanes.client],
        "hub": lanes.hub,
        "terminal": lanes.terminal,
        "gateway": lanes.gateway,
        "tonnes": clients["tonnes_per_year"].to_numpy()[lanes.client] * share,
    })  # fmt: skip


def _largest(flow: pd.DataFrame, column: str, places: pd.DataFrame) -> pd.Series:
    """Name of the place that takes most of each district's tonnes."""
    total = flow.groupby(["district", column])["tonnes"].sum().reset_index()
    total = total.sort_values(["district", "tonnes", column], ascending=[True, False, True])
    return total.drop_duplicates("district").set_index("district")[column].map(places["name"])


def lanes_table(plan: Plan) -> pd.DataFrame:
    """Return ``lanes.csv``: the chosen lane of every client, one row per part in order of travel."""
    model, parts = plan.model, plan.parts
    lane = parts["lane"].to_numpy()
    client = model.clients.iloc[plan.chosen.client[lane]]
    demand = model.demand.iloc[client["district"]]
    names = model.places.table["name"].to_numpy()
    return pd.DataFrame({
        "state": demand["state"].to_numpy(),
        "district": demand["district"].to_numpy(),
        "under_utilised": client["under_utilised"].to_numpy(),
        "cargo_class": client["cargo_class"].to_numpy(),
        "load": client["load"].to_numpy(),
        "part": parts["part"].to_numpy(),
        "mode": parts["mode"].to_numpy(),
        "from": names[parts["from"]],
        "to": names[parts["to"]],
        "km": parts["km"].to_numpy(),
        "hours": parts["hours"].to_numpy(),
        "cost_inr_per_t": parts["cost_inr_per_t"].to_numpy(),
        "freight_inr_per_t": parts["freight_inr_per_t"].to_numpy(),
        "co2e_kg_per_t": parts["co2e_kg_per_t"].to_numpy(),
        "tonnes_per_year": client["tonnes_per_year"].to_numpy() * plan.share[lane],
    })  # fmt: skip


def flow_table(plan: Plan) -> pd.DataFrame:
    """Movements of the lanes through new sites, bundled by mode and by the pair of places."""
    parts = plan.parts
    lane = parts["lane"].to_numpy()
    moving = parts["mode"].isin(["road", "rail"]).to_numpy() & plan.uses_site[lane]
    moving &= (parts["from"] != parts["to"]).to_numpy()
    tonnes = plan.model.clients["tonnes_per_year"].to_numpy()[plan.chosen.client[lane]] * plan.share[lane]
    flows: pd.DataFrame = (
        parts.assign(tonnes_per_year=tonnes)[moving]
        .groupby(["mode", "from", "to"], as_index=False)
        .agg(km=("km", "first"), tonnes_per_year=("tonnes_per_year", "sum"))
    )
    names = plan.model.places.table["name"]
    flows["from_name"], flows["to_name"] = flows["from"].map(names), flows["to"].map(names)
    return flows


def flow_lines(plan: Plan) -> gpd.GeoDataFrame:
    """Movements as of :func:`flow_table`, drawn on the networks."""
    flows = flow_table(plan)
    lines = pd.Series(index=flows.index, dtype=object)
    for mode, rows in flows.groupby("mode").groups.items():
        movement = flows.loc[rows]
        lines[rows] = movement_lines(plan.model, str(mode), movement["from"], movement["to"], movement["km"])
    return gpd.GeoDataFrame(flows, geometry=lines.tolist(), crs=CRS)


def movement_lines(
    model: Model, mode: str, start: pd.Series[int], end: pd.Series[int], km: pd.Series[float]
) -> list[shapely.LineString]:
    """Lines of movements between places along their network; straight where the network gives no path."""
    table = model.places.table
    network = model.pack.road if mode == "road" else model.pack.rail
    lonlat = table[["lon", "lat"]].to_numpy(np.float64)
    node = table["rail_node"].to_numpy() if mode == "rail" else snap(network, *lonlat.T)[0]
    routes = shortest_paths(network, node[start], node[end], at_most=km.to_numpy() + SEARCH_SLACK_KM)
    lines = []
    for a, b, route in zip(start, end, routes, strict=True):
        line = path_geometry(network, route) if route is not None else None
        inner = shapely.get_coordinates(line) if line is not None else np.zeros((0, 2))
        lines.append(shapely.LineString(np.vstack([lonlat[a], inner, lonlat[b]])))
    return lines


def write_geopackage(plan: Plan, path: Path, flows: gpd.GeoDataFrame) -> None:
    """Write the plan as layers: districts, sites, lanes, gateways, depots."""
    model = plan.model
    districts = gpd.GeoDataFrame(districts_table(plan), geometry=model.pack.districts.geometry.to_numpy(), crs=CRS)
    sites = sites_table(plan)
    layers = {
        "districts": districts,
        "sites": gpd.GeoDataFrame(sites, geometry=gpd.points_from_xy(sites["lon"], sites["lat"]), crs=CRS),
        "lanes": flows.rename(columns={"from": "from_place", "to": "to_place"}),
    }
    for name in ("gateways", "depots"):
        table = getattr(model.pack, name)
        layers[name] = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=CRS)
    for name, layer in layers.items():
        layer.to_file(path, layer=name, driver="GPKG", engine="pyogrio")


def write_tables(plan: Plan, folder: Path, flows: gpd.GeoDataFrame) -> None:
    """Write ``sites.csv``, ``districts.csv``, ``lanes.csv`` and ``study.gpkg``; ``flows`` as from ``flow_lines``."""
    tables = {"sites": sites_table(plan), "districts": districts_table(plan), "lanes": lanes_table(plan)}
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, float_format="%.10g")
    write_geopackage(plan, folder / "study.gpkg", flows)


def write_summary(plan: Plan, folder: Path) -> None:
    """Write ``plan.json``, last of all: it tells how long the rest took."""
    text = json.dumps(summary(plan), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "plan.json").write_text(text + "\n", encoding="utf-8")

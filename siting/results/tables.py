"""Tables of a plan: ``plan.json`` and the CSVs of sites, districts, lanes and flows, as ``schema.csv`` lists them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.exports import concentration
from siting.enabled import enabled_exports, enabled_totals
from siting.equity import equity_of
from siting.intelligence import COLUMNS
from siting.model.calibration import cargo_usd
from siting.model.port_bulk import port_bulk
from siting.model.routing import Routing
from siting.money import INR_PER_CRORE
from siting.plan import Plan
from siting.results.cells import write_csv
from siting.results.geometry import flow_ends
from siting.results.phases import phases_summary, phases_table
from siting.results.rules import rules_summary, rules_table
from siting.transfers import Transfers


def _once(make: Callable[[Plan], pd.DataFrame]) -> Callable[[Plan], pd.DataFrame]:
    """Make a table of a plan once: files, GeoPackage and report ask for the same. Whoever asks gets a copy."""
    made: WeakKeyDictionary[Plan, pd.DataFrame] = WeakKeyDictionary()

    @wraps(make)
    def table(plan: Plan) -> pd.DataFrame:
        if plan not in made:
            made[plan] = make(plan)
        return made[plan].copy(deep=False)

    return table


def summary(plan: Plan) -> dict[str, Any]:
    """Return the content of ``plan.json``: ``schema.csv`` gives the meaning of each key."""
    model, solution, appraisal = plan.model, plan.proof, plan.appraisal
    served, under = np.unique(plan.after.district[plan.after.uses_site]), model.demand["under_utilised"]
    unreachable = unreachable_districts(plan)
    return {
        "study": model.study.name,
        "area": model.pack.manifest.get("name", "unnamed"),
        "fingerprint": model.study.fingerprint(model.pack),
        "status": solution.status,
        "objective_inr": solution.objective,
        "bound_inr": solution.bound,
        "gap": solution.gap,
        "certificate": solution.certificate.kind,
        "proof": solution.certificate.phrase,
        **_made_with(plan),
        "budget_inr_crore": model.study.budget_inr_crore,
        "capex_inr_crore": plan.capex_inr_crore,
        "borne_capital_inr_crore": plan.borne_capital_inr_crore,
        "fixed_cost_inr_per_year": plan.fixed_cost_inr_per_year,
        "capital_charge_inr_per_year": plan.capital_charge_inr_per_year,
        "taste_inr_per_year": plan.totals("after")["taste_inr_per_year"],
        "before": plan.totals("before"),
        "after": plan.totals("after"),
        **_saved(plan),
        "gap_of_saving": plan.gap_of_saving,
        "net_present_value_inr_crore": appraisal.net_present_value_inr / INR_PER_CRORE,
        "benefit_cost_ratio": appraisal.benefit_cost_ratio,
        "internal_rate_of_return": appraisal.internal_rate_of_return,
        "payback_years": appraisal.payback_years,
        "economic_budget_inr_crore": plan.economic_budget_inr_crore,
        "transfers": {
            "interest_subvention_inr_per_year": appraisal.interest_subvention_inr_per_year,
            **Transfers.of(plan.after).as_dict(),
        },
        "enabled": enabled_totals(plan),
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
        "equity": equity_of(districts_table(plan)),
        **rules_summary(plan),
        **phases_summary(plan),
        "draws": None if plan.certainty is None else plan.certainty.summary(),
        "resolved_study": model.study.resolved(),
    }


def _saved(plan: Plan) -> dict[str, Any]:
    """What the plan saves a year, and what besides."""
    return {
        "saving_inr_per_year": plan.net_saving_inr_per_year,
        "leaders_saving_inr_per_year": plan.leaders_saving_inr_per_year,
        "benefit_inr_per_year": plan.benefit_inr_per_year,
    }


def _made_with(plan: Plan) -> dict[str, Any]:
    """Programs and data that a plan was made with."""
    return {
        "solver": plan.solution.solver,
        "version": version("deh-siting"),
        "inputs": plan.model.pack.checksums,
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


@_once
def sites_table(plan: Plan) -> pd.DataFrame:
    """Return ``sites.csv``: one row per open option, by saving."""
    at = plan.model.places.table.iloc[plan.opened["place"]]
    own = at["place_id"].where(at["kind"] == "district", _district_around(plan, at))
    table = plan.opened.assign(
        district_id=own.to_numpy(object),
        recovers_capital=~plan.opened.index.isin(plan.losing.index),
        chosen_share=np.nan if plan.certainty is None else plan.certainty.chosen_share(plan.opened["site_id"]),
        repays_share=np.nan if plan.certainty is None else plan.certainty.repays_share(plan.opened["option_id"]),
        **{name: at[name].to_numpy() for name in ("place_id", "name", "state", "lon", "lat")},
    )
    columns = [
        "option_id", "site_id", "place_id", "district_id", "name", "state", "lon", "lat", "facility_type", "tier",
        "status", "capex_inr_crore", "project_cost_inr_crore", "fixed_cost_inr_per_year",
        "capital_charge_inr_per_year", "use_charge_inr_per_t", "capacity_t_per_year", "min_throughput_t_per_year",
        "throughput_t_per_year", "leaders_t_per_year", "utilisation", "districts_served", "saving_inr_per_year",
        "recovers_capital", "repays_share", "chosen_share",
    ]  # fmt: skip
    if plan.phased is not None:
        when = plan.phased.opens_in(plan.model.options, plan.opened.index.to_numpy())
        table = table.assign(**when)
        columns += when
    return table.sort_values(["saving_inr_per_year", "site_id"], ascending=[False, True])[columns]


def _district_around(plan: Plan, places: pd.DataFrame) -> pd.Series:
    """Id of the district that holds the point of each place; None outside all."""
    districts = plan.model.pack.districts
    found = pd.Series(None, index=places.index, dtype=object)
    row, district = districts.sindex.query(gpd.points_from_xy(places["lon"], places["lat"]), predicate="intersects")
    found.iloc[row] = districts["district_id"].to_numpy()[district]
    return found


@_once
def districts_table(plan: Plan) -> pd.DataFrame:
    """Return ``districts.csv``: one row per district; a mean over clients is weighted by tonnes."""
    model = plan.model
    places = model.places.table
    table = model.demand[["district_id", "state", "district", "lgd_code", "counted_with"]].copy()
    table[["lon", "lat"]] = places[["lon", "lat"]].to_numpy()[: len(table)]  # the first places are the districts
    table[["under_utilised", "export_usd"]] = model.demand[["under_utilised", "export_usd"]]
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
    most_used = {f"gateway_{when}": _ranked(_tonnes_by(routing, "gateway"), 1)
                 for when, routing in (("before", plan.before), ("after", plan.after))}  # fmt: skip
    through = _tonnes_by_site(plan.after)
    most_used |= {f"hub_{k}": _ranked(through, k) for k in (1, 2)}
    for column, place in most_used.items():
        table[column] = place.map(places["name"]).reindex(table.index)
        table[f"{column}_id"] = place.map(places["place_id"]).reindex(table.index)
    money = table["cost_before_inr_per_t"] - table["cost_after_inr_per_t"]
    taste = mean("taste_inr_per_t_before") - mean("taste_inr_per_t_after")
    table["saving_inr_per_year"] = ((money + taste) * total).reindex(table.index).fillna(0.0)
    table["hours_to_gateway_after"] = mean("transit_hours_after")
    table = table.join(_cost_components(plan, total.reindex(table.index).to_numpy()))
    told = None if plan.intelligence is None else plan.intelligence.table
    return table.assign(**{name: np.nan if told is None else told[name].to_numpy() for name in COLUMNS})


def _cost_components(plan: Plan, tonnes_per_year: Any) -> pd.DataFrame:
    """Of each district the parts of ``cost_before_inr_per_t`` and ``cost_after_inr_per_t``, which they add up to."""
    columns = {}
    for when, routing in (("before", plan.before), ("after", plan.after)):
        district, tonnes = (of_lane[routing.lane_of_part] for of_lane in (routing.district, routing.tonnes))
        for name, inr_per_t in routing.cost_components.items():
            total = np.bincount(district, inr_per_t * tonnes, minlength=len(plan.model.demand))
            columns[f"{name}_{when}_inr_per_t"] = total / tonnes_per_year
    return pd.DataFrame(columns, index=plan.model.demand.index)


def _tonnes_by(routing: Routing, end: str) -> pd.DataFrame:
    """Cargo of every lane by the place of one of its columns: ``district``, ``place``, ``tonnes``."""
    place = getattr(routing.lanes, end)
    return pd.DataFrame({"district": routing.district, "place": place, "tonnes": routing.tonnes})


def _tonnes_by_site(routing: Routing) -> pd.DataFrame:
    """As :func:`_tonnes_by` at the hubs and terminals that are new sites; one that is both counts once."""
    terminals = _tonnes_by(routing, "terminal")[routing.lanes.terminal != routing.lanes.hub]
    through = pd.concat([_tonnes_by(routing, "hub"), terminals])
    at_site = np.append(routing.model.places.is_site, False)  # position -1 is "none"
    kept: pd.DataFrame = through[at_site[through["place"].to_numpy(np.int64)]]
    return kept


def _ranked(tonnes: pd.DataFrame, rank: int) -> pd.Series:
    """Of each district the place that takes most of its tonnes (rank 1), or second most."""
    total = tonnes.groupby(["district", "place"])["tonnes"].sum().reset_index()
    total = total.sort_values(["district", "tonnes", "place"], ascending=[True, False, True])
    nth = total.groupby("district").cumcount() + 1
    return total[nth == rank].set_index("district")["place"]


def lanes_table(plan: Plan) -> pd.DataFrame:
    """Return ``lanes.csv``: the lanes of every client, one row per part in order of travel."""
    model, routing = plan.model, plan.after
    first, tonnes = routing.together
    shown = np.isin(routing.lane_of_part, first)
    parts, lane = routing.parts[shown], routing.lane_of_part[shown]
    number = np.searchsorted(first, lane)
    client = model.clients.iloc[routing.lanes.client[lane]]
    demand = model.demand.iloc[client["district"]]
    names, ids = (model.places.table[column].to_numpy() for column in ("name", "place_id"))
    options = np.array([*model.options["option_id"], None], dtype=object)  # position -1 is "none"
    client_id = demand["district_id"].to_numpy() + ":" + client["cargo_class"] + ":" + client["load"]
    return pd.DataFrame({
        "lane": number + 1,
        "district_id": demand["district_id"].to_numpy(),
        "client_id": client_id.to_numpy(),
        "state": demand["state"].to_numpy(),
        "district": demand["district"].to_numpy(),
        "under_utilised": client["under_utilised"].to_numpy(),
        "cargo_class": client["cargo_class"].to_numpy(),
        "load": client["load"].to_numpy(),
        "part": parts["part"].to_numpy(),
        "mode": parts["mode"].to_numpy(),
        "from": names[parts["from"]],
        "from_id": ids[parts["from"]],
        "to": names[parts["to"]],
        "to_id": ids[parts["to"]],
        "option_id": options[routing.option_of_part[shown]],
        "km": parts["km"].to_numpy(),
        "hours": parts["hours"].to_numpy(),
        "cost_inr_per_t": parts["cost_inr_per_t"].to_numpy(),
        "freight_inr_per_t": parts["freight_inr_per_t"].to_numpy(),
        "use_charge_inr_per_t": parts["use_charge_inr_per_t"].to_numpy(),
        "co2e_kg_per_t": parts["co2e_kg_per_t"].to_numpy(),
        "tonnes_per_year": tonnes[number],
    })  # fmt: skip


@_once
def flows_table(plan: Plan) -> pd.DataFrame:
    """Return ``flows.csv``: cargo by state and gateway, today and with the plan, beside what records show.

    Records hold bulk too, so that what a port's own district ships there is on both sides.
    """
    model = plan.model
    usd = cargo_usd(model)
    table: pd.DataFrame | None = None
    for when, routing in (("before", plan.before), ("after", plan.after)):
        flow = pd.DataFrame({
            "state": model.demand["state"].to_numpy()[routing.district],
            "gateway_id": model.places.table["place_id"].to_numpy()[routing.lanes.gateway],
            f"tonnes_{when}": routing.tonnes,
            f"usd_{when}": usd[routing.lanes.client] * routing.share,
        })  # fmt: skip
        flow = flow.groupby(["state", "gateway_id"]).sum()
        table = flow if table is None else table.join(flow, how="outer").fillna(0.0)
    assert table is not None
    bulk = port_bulk(model.pack, model.places).set_index(["state", "gateway_id"])
    for when in ("before", "after"):
        own = bulk.set_axis([f"tonnes_{when}", f"usd_{when}"], axis=1)
        table = table.reindex(table.index.union(own.index)).fillna(0.0).add(own, fill_value=0.0)
    table = table[["tonnes_before", "usd_before", "tonnes_after", "usd_after"]]
    if model.pack.observed_flows is not None:
        sea = model.pack.observed_flows
        sea = sea[(sea["leaves_by"] == "sea") & (sea["gateway_id"] != "")]
        table = table.join(sea.set_index(["state", "gateway_id"])["usd_million"] * 1e6, how="outer")
        columns = ["tonnes_before", "usd_before", "tonnes_after", "usd_after"]
        table[columns] = table[columns].fillna(0.0)
    else:
        table["usd_million"] = np.nan
    return table.rename(columns={"usd_million": "observed_usd"}).reset_index()


def write_tables(plan: Plan, folder: Path) -> None:
    """Write the CSVs of a plan, and ``rules.csv``, ``phases.csv`` and ``draws.csv`` where there are any."""
    for name, table in (("sites", sites_table), ("districts", districts_table),
                        ("lanes", lanes_table), ("flows", flows_table)):  # fmt: skip
        write_csv(table(plan), folder / f"{name}.csv")
    write_csv(enabled_exports(plan), folder / "enabled.csv")
    if plan.model.rule_rows:
        write_csv(rules_table(plan), folder / "rules.csv")
    if plan.phased is not None:
        write_csv(phases_table(plan), folder / "phases.csv")
    if plan.certainty is not None:
        write_csv(plan.certainty.table, folder / "draws.csv")


def write_summary(plan: Plan, folder: Path) -> None:
    """Write ``plan.json``."""
    text = json.dumps(summary(plan), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "plan.json").write_text(text + "\n", encoding="utf-8")


def write_answer(plan: Plan, folder: Path) -> None:
    """Write what :class:`siting.results.read.AnswerFolder` reads, without drawing anything; ``plan.json`` last."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"districts": districts_table(plan), "sites": sites_table(plan), "lanes": lanes_table(plan),
              "movements": flow_ends(plan)}  # fmt: skip
    for name, table in tables.items():
        table.reset_index(drop=True).to_parquet(folder / f"{name}.parquet")
    write_summary(plan, folder)

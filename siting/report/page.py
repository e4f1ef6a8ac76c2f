"""The report of a plan: one self-contained HTML page that explains and prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.exports import concentration
from siting.certainty import CORE, word_of
from siting.districts.claims import AREA
from siting.model.costs import appraisal_factor
from siting.model.lanes import NONE
from siting.money import INR_PER_CRORE
from siting.plan import Plan
from siting.report.charts import component_chart
from siting.report.enabled import enabled_facts
from siting.report.flows import flow_facts
from siting.report.formats import environment, records
from siting.report.hubs import hub_facts
from siting.report.levers import lever_groups
from siting.report.map import SITE_WORDS, plan_map
from siting.report.networks import networks, running
from siting.report.parameters import depends_on, parameter_rows
from siting.report.rules import lorenz_chart, rule_rows
from siting.report.structure import structure_rows
from siting.results.tables import districts_table, sites_table, summary
from siting.scenarios.sensitivity import sensitivity
from siting.scenarios.variants import Beside
from siting.study import file_of

SITES_SHOWN = 25
DISTRICTS_SHOWN = 25
OSM_CREDIT = "© OpenStreetMap contributors"


def write_report(plan: Plan, folder: Path, flows: gpd.GeoDataFrame, beside: Beside | None = None) -> None:
    """Write ``report.html`` of a plan into a folder, with its sensitivity table worked out on the way.

    Args:
        flows: result of :func:`siting.results.geometry.flow_lines`.
        beside: what is told beside the plan.
    """
    depends = sensitivity(plan) if len(plan.opened) else None
    (folder / "report.html").write_text(render_report(plan, flows, depends, beside), encoding="utf-8")


def render_report(
    plan: Plan, flows: gpd.GeoDataFrame, depends: pd.DataFrame | None, beside: Beside | None = None
) -> str:
    """Return the report as HTML text.

    Args:
        flows: result of :func:`siting.results.geometry.flow_lines`.
        depends: result of :func:`siting.scenarios.sensitivity.sensitivity`; None where nothing is built.
        beside: what is told beside the plan.
    """
    beside = beside or Beside()
    districts, sites = districts_table(plan), sites_table(plan)
    components = cost_components(plan)
    s = summary(plan)
    return environment().get_template("report.html").render(
        s=s,
        study=plan.model.study,
        wall_s=plan.stages,
        map=plan_map(plan, districts, sites, flows),
        sites=_site_rows(sites),
        sites_shown=SITES_SHOWN,
        site_counts=_site_counts(sites),
        leaders_t=sites["leaders_t_per_year"].sum(),
        unused=int((sites["throughput_t_per_year"] == 0).sum()),
        gains=_gains(districts),
        n_gaining=int((districts["saving_inr_per_year"] > 0).sum()),
        components=components,
        component_chart=component_chart(components),
        money=_money(plan),
        tonnes=_tonnes(plan),
        concentration=_concentration(plan),
        hubs=hub_facts(plan.intelligence),
        depends=depends_on(depends, float(_money(plan)["break_even"]), beside.tornado),
        enabled=enabled_facts(plan),
        structure=structure_rows(beside.structure),
        levers=lever_groups(beside.levers),
        rules=rule_rows(plan),
        lorenz=lorenz_chart(s["equity"]),
        sureness=_sureness(sites),
        parameters=parameter_rows(plan),
        land_customs=plan.model.pack.land_customs,
        land_customs_saving=_land_customs_saving(plan, districts),
        flows=flow_facts(plan),
        networks=networks(plan),
        of_paper=plan.model.pack.manifest.get("name") == AREA,
        official=_official(plan),
        n_counted_with=int((plan.model.demand["counted_with"] != "").sum()),
        own_districts=_own_data(plan).get("districts"),
        own_data=_own_data(plan),
        osm=any(OSM_CREDIT in file["licence"] for file in plan.model.pack.manifest.get("files", {}).values()),
        manifest=plan.model.pack.manifest,
        running=running(plan),
        figures={"districts": {}, **plan.model.pack.manifest.get("figures", {})},
        infinity=float("inf"),
    )  # fmt: skip


def _own_data(plan: Plan) -> dict[str, str]:
    """Files that the study replaces layers of its pack with, by layer."""
    return {layer: file_of(source).name for layer, source in plan.model.study.data.items()}


def _official(plan: Plan) -> dict[str, Any] | None:
    """What was mended in the official district map of the bundled pack; None for other boundaries."""
    figures: dict[str, Any] = plan.model.pack.manifest.get("figures", {}).get("districts", {})
    return None if "polygons_with_code" not in figures or "districts" in _own_data(plan) else figures


def cost_components(plan: Plan) -> pd.DataFrame:
    """Yearly cost by component, as it counts: the leaders' by ``leader_weight``.

    Returns:
        Index = component in plain words; columns ``before`` and ``after`` in INR a year. They add up to
        ``before.cost_inr_per_year`` and ``after.cost_inr_per_year`` of ``plan.json``, and to the latter plus
        ``fixed_cost_inr_per_year`` with the last row.
    """
    weight = plan.model.clients["weight"].to_numpy()
    columns = {}
    for when, routing in (("before", plan.before), ("after", plan.after)):
        lanes, lane, parts = routing.lanes, routing.lane_of_part, routing.parts
        tonnes = (routing.tonnes * weight[lanes.client])[lane]
        inr = {name: inr_per_t * tonnes for name, inr_per_t in routing.cost_components.items()}
        mode = parts["mode"].to_numpy(object)
        first_mile = (mode == "road") & (parts["part"].to_numpy() == 1) & (lanes.hub[lane] != NONE)
        columns[when] = {
            "First mile of part loads": inr["freight"][first_mile].sum(),
            "Full boxes by road": inr["freight"][(mode == "road") & ~first_mile].sum(),
            "Rail": inr["freight"][mode == "rail"].sum(),
            "Handling": inr["handling"].sum(),
            "Time, waiting included": inr["time"].sum() + inr["dwell"].sum(),
            "Carbon": inr["carbon"].sum(),
            "Running the new sites": plan.fixed_cost_inr_per_year if when == "after" else 0.0,
        }
    return pd.DataFrame(columns)


def _site_rows(sites: pd.DataFrame) -> list[dict[str, Any]]:
    table = sites.assign(
        kind=sites["facility_type"].map(SITE_WORDS),
        saving_per_rupee=sites["saving_inr_per_year"] / (sites["capex_inr_crore"] * INR_PER_CRORE),
    )
    return records(table)


def _site_counts(sites: pd.DataFrame) -> list[dict[str, Any]]:
    """Open options by type and tier."""
    groups = sites.groupby(["facility_type", "tier"], sort=True)
    return [
        {
            "kind": SITE_WORDS[str(kind)],
            "tier": tier,
            "n": len(rows),
            "capex": float(rows["capex_inr_crore"].sum()),
            "throughput": float(rows["throughput_t_per_year"].sum()),
            "capacity": float(rows["capacity_t_per_year"].sum()),
            "saving": float(rows["saving_inr_per_year"].sum()),
        }
        for (kind, tier), rows in groups
    ]


def _sureness(sites: pd.DataFrame) -> dict[str, int]:
    """How many sites are core, how many doubtful, and how many recover their own capital in 90 % of draws."""
    words = sites["chosen_share"].map(word_of)
    told = {word: int((words == word).sum()) for word in ("core", "doubtful")}
    return {**told, "repaying": int((sites["repays_share"] >= CORE).sum())}


def _gains(districts: pd.DataFrame) -> list[dict[str, Any]]:
    gaining = districts[districts["saving_inr_per_year"] > 0].sort_values(
        ["saving_inr_per_year", "state", "district"], ascending=[False, True, True]
    )
    rows = gaining.head(DISTRICTS_SHOWN)
    hubs = rows[["hub_1", "hub_2"]].apply(lambda names: " and ".join(names.dropna()) or "no new site", axis=1)
    cut = 1 - rows["cost_after_inr_per_t"] / rows["cost_before_inr_per_t"]
    return records(rows.assign(hubs=hubs, cut=cut))


def _money(plan: Plan) -> dict[str, Any]:
    """Sums that plan.json does not hold."""
    p, part_cost = plan.model.parameters, plan.part_load_cost_inr_per_year
    before = plan.totals("before")["cost_inr_per_year"]
    saving, capex_inr = plan.net_saving_inr_per_year, plan.capex_inr_crore * INR_PER_CRORE
    factor = appraisal_factor(p)
    t_of_load = plan.model.clients.groupby("load")["tonnes_per_year"].sum()
    return {
        "part_cost": part_cost,
        "part_of_t": float(t_of_load.get("part", 0.0) / t_of_load.sum()),
        "of_all": saving / before if before else None,
        "of_part": saving / part_cost if part_cost else None,
        "gross": saving + plan.fixed_cost_inr_per_year,
        "not_paying": len(plan.losing),
        "not_paying_crore": float(plan.losing["capex_inr_crore"].sum()),
        "unspent_crore": plan.model.study.budget_inr_crore - plan.capex_inr_crore,
        "slack": plan.slack_inr_per_year,
        "rate": p["discount_rate"],
        "years": p["appraisal_years"],
        "factor": factor,
        "break_even": capex_inr / factor,
    }


def _tonnes(plan: Plan) -> dict[str, float]:
    table = plan.client_table[plan.client_table["under_utilised"]]
    tonnes = table["tonnes_per_year"]
    at_site = np.unique(plan.after.lanes.client[plan.after.uses_site])
    return {
        "all": float(tonnes.sum()),
        "part": float(tonnes[table["load"] == "part"].sum()),
        "served": float(tonnes[table.index.isin(at_site)].sum()),
    }


def _concentration(plan: Plan) -> dict[str, Any]:
    """How few districts make most of the exports."""
    demand = plan.model.demand
    usd, total = demand["export_usd"], demand["export_usd"].sum()
    return {
        "half": concentration(usd, 0.5),
        "three_quarters": concentration(usd, 0.75),
        "exporting": int((usd > 0).sum()),
        "usd_billion": float(total) / 1e9,
    }


def _land_customs_saving(plan: Plan, districts: pd.DataFrame) -> float:
    """Yearly saving of the under-utilised districts with a land customs station, in rupees."""
    by_land = plan.model.demand["district_id"].isin(plan.model.pack.land_customs["district_id"])
    return float(districts.loc[by_land & districts["under_utilised"], "saving_inr_per_year"].sum())

"""The levers that a study is tried with, as far as its data know the places they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from siting.model.costs import appraisal_factor
from siting.model.model import Model
from siting.model.options import ANNOUNCED
from siting.model.policies import growth_of, upgraded_km
from siting.model.routing import Routing
from siting.money import INR_PER_CRORE, counted, indian
from siting.scenarios.variants import Variant
from siting.study import FACILITY_TYPES
from siting.transfers import refunds_by_state

BUILD, RUN, PAY, RULE, LOSS, GROWTH = "build", "run", "pay", "rule", "loss", "growth"
"""Kinds of levers: sites; roads and customs; transfers; what the plan must keep; what may get worse; more cargo."""

LIFT_STATES = (
    "Arunachal Pradesh", "Assam", "Bihar", "Himachal Pradesh", "Jammu and Kashmir", "Ladakh", "Manipur", "Meghalaya",
    "Mizoram", "Nagaland", "Sikkim", "Tripura", "Uttarakhand",
)  # fmt: skip
"""States all of whose districts are notified for the freight refund (trade notice 29/2025-26, annexure V)."""
ZONES = 10
"""States that get a special economic zone."""
DIGITAL_GROWTH, STATE_GROWTH = 0.23, 0.5
CARBON_SHARE = 0.95
"""Of today's CO2e, a cap that a plan can keep by moving more boxes to rail."""
PATIENCE_S = 600.0
"""Time for a cap, under which the search takes longer."""

MINIMUMS = ("freight_station_min_teu_per_year", "inland_depot_min_teu_per_year")
"""Parameters of what customs ask of a site, which a park may get from cargo that is in no figure here."""

SHORTAGE = "Warehouse shortage adds 15 % to logistics cost"
PROGRAMMES = {
    "warehouse": ("Warehouses alone", SHORTAGE),
    "cold_store": ("Cold stores alone", "Shortage of cold storage affects perishable exports"),
    "cargo_terminal": ("Cargo terminals alone", "Weak road and rail add 15 % to supply-chain cost"),
    "mmlp": ("Logistics parks (MMLP) alone", "Multimodal hubs cut shipping cost by 11 %"),
}
"""Name and claim of the paper of each facility type."""


@dataclass(frozen=True)
class Lever:
    """Something that may be done, or may happen, instead of the plan or with it.

    Args:
        key: its name in tables.
        kind: what it is: one of the kinds above.
        variant: the study with it, under its name for people.
        setting: how far it is pulled.
        paper: what the paper says of it; blank: nothing.
        public_inr_per_year: what it costs a year in resources, transfers apart; NaN where nobody knows.
        note: what to mind.
    """

    key: str
    kind: str
    variant: Variant
    setting: str
    paper: str = ""
    public_inr_per_year: float = 0.0
    note: str = ""


def _lever(
    key: str, kind: str, name: str, setting: str, *, changes: Mapping[str, Any] | None = None,
    parameters: Mapping[str, float] | None = None, **told: Any,
) -> Lever:  # fmt: skip
    return Lever(key, kind, Variant(name, changes or {}, parameters or {}, keep_tastes=True), setting, **told)


def levers_of(model: Model) -> list[Lever]:
    """The levers of a study; those that name places which its data do not know are left out."""
    return [*_programmes(model), *_run_better(model), *_paid(model), *_rules(model), *_losses(model), *_growth(model)]


def _programmes(model: Model) -> Iterator[Lever]:
    for kind in FACILITY_TYPES:
        name, paper = PROGRAMMES[kind]
        changes = {"facility_types": (kind,), "forced": ()}
        setting = f"within ₹{indian(model.study.budget_inr_crore)} crore, as many as pay"
        yield _lever(f"only_{kind}s", BUILD, name, setting, changes=changes, paper=paper)
    options = model.options
    parks = options[(options["facility_type"] == "mmlp") & (options["status"] == "planned")]
    parks = parks[parks["tier"].isin([ANNOUNCED, "small"])]
    if len(parks):
        budget = max(model.study.budget_inr_crore, float(np.ceil(parks["capex_inr_crore"].sum())))
        yield _lever(
            "planned_parks", BUILD, "All planned parks", f"{len(parks)} parks, whatever comes to them",
            parameters=dict.fromkeys(MINIMUMS, 0.0),
            changes={"facility_types": ("mmlp",), "forced": tuple(parks["option_id"]), "budget_inr_crore": budget},
            paper=PROGRAMMES["mmlp"][1],
            note="domestic cargo, which parks are built for, is in no figure",
        )  # fmt: skip


def _run_better(model: Model) -> Iterator[Lever]:
    p, pack = model.parameters, model.pack
    yield _lever(
        "digital_customs", RUN, "Customs digitised", "24 h less at every port",
        parameters={"customs_time_saved_h": p["customs_time_saved_h"] + 24.0},
        public_inr_per_year=p["customs_digitisation_inr_crore_per_year"] * INR_PER_CRORE,
        paper="Digitised procedures reduce processing times",
        note="cost as of a network for all indirect taxes, which serves imports and leaders too",
    )  # fmt: skip
    corridors = (
        {} if pack.corridors is None else dict(pack.corridors.groupby("corridor_id", sort=False)["name"].first())
    )
    for key, name in corridors.items():
        roads = (*model.study.upgraded_roads, key)
        km = upgraded_km(pack, roads) - upgraded_km(pack, model.study.upgraded_roads)
        capital_inr = km * p["road_upgrade_inr_crore_per_km"] * INR_PER_CRORE
        yield _lever(
            f"corridor_{key}", RUN, name, f"{indian(km)} km count {100 * p['road_upgrade_cut']:g} % less",
            changes={"upgraded_roads": roads}, public_inr_per_year=capital_inr / appraisal_factor(p),
            paper="Upgraded trade corridors reduce shipping delays",
            note="all of the road's cost beside one of its users: other traffic would have to bring the rest",
        )  # fmt: skip


def _paid(model: Model) -> Iterator[Lever]:
    rows = model.parameters.rows
    credit, refund, carbon = (
        rows[key].high for key in ("export_credit_subvention", "freight_refund", "carbon_price_inr_per_t_co2e")
    )
    yield _lever(
        "export_credit", PAY, "Cheaper export credit", f"{100 * credit:g} % a year for small firms",
        parameters={"export_credit_subvention": credit}, paper="60 % of small exporters lack affordable credit",
        note="only what it takes off the capital tied up on the way",
    )  # fmt: skip
    known = set(model.demand["state"])
    states = tuple(state for state in LIFT_STATES if state in known)
    if states:
        variant = Variant("Freight refunded (LIFT)", {"refund_states": states}, {"freight_refund": refund}, True)
        got = refunded(model, variant)
        districts = counted(int(got["districts"].sum()), "district")
        first = f", most of it in {got['state'].iloc[0]}" if len(got) else ""
        yield Lever(
            "freight_refund", PAY, variant,
            f"{100 * refund:g} % to small firms in {districts} of {counted(len(states), 'state')}{first}",
            note="an upper bound: ceiling by firm and list of goods are not modelled",
        )  # fmt: skip
    yield _lever(
        "carbon_price", PAY, "Carbon priced", f"₹{indian(carbon)} a tonne of CO2e",
        parameters={"carbon_price_inr_per_t_co2e": carbon}, paper="Carbon tracking reduces emissions in supply chains",
        note="the exchequer gets what exporters pay; the worth of the CO2e saved is not counted",
    )  # fmt: skip


def refunded(model: Model, variant: Variant) -> pd.DataFrame:
    """Who gets a refund on today's lanes: as :func:`siting.transfers.refunds_by_state`."""
    parameters = model.parameters.with_overrides(variant.parameters)
    asked = replace(model, study=variant.of(model.study), parameters=parameters)
    return refunds_by_state(Routing.today(asked))


def _rules(model: Model) -> Iterator[Lever]:
    study, cap = model.study, {"rule": "carbon", "at_most_share": CARBON_SHARE}
    yield _lever(
        "carbon_cap", RULE, "CO2e capped", f"{100 * CARBON_SHARE:g} % of today’s at most, by what is built",
        changes={"rules": (*study.rules, cap), "time_limit_s": max(study.time_limit_s, PATIENCE_S)},
        paper="Carbon tracking reduces emissions in supply chains", note="its price is what the plan then saves less",
    )  # fmt: skip


def _losses(model: Model) -> Iterator[Lever]:
    for percent in (12, 18):
        yield _lever(
            f"congestion_{percent}", LOSS, "Ports more congested", f"cargo waits {percent} % longer",
            parameters={"port_congestion_delay": percent / 100}, paper="Congestion adds 12-18 % to export delays",
        )  # fmt: skip
    for key, parameter, name, setting, percent, paper in (
        ("weak_access", "weak_access_markup", "Weak road and rail", "first mile 15 % dearer far from rail", 15,
         "Weak road and rail add 15 % to supply-chain cost"),
        ("warehouse_shortage", "warehouse_shortage_markup", "Warehouses short", "stuffing 15 % dearer at what stands",
         15, SHORTAGE),
        ("road_only", "road_only_delay", "Few multimodal options", "12 % longer on the way by road alone", 12,
         "Limited multimodal options add 12 % to delays"),
    ):  # fmt: skip
        yield _lever(key, LOSS, name, setting, parameters={parameter: percent / 100}, paper=paper)
    busiest, name = busiest_gateway(model)
    if len(model.places.gateways) - len(model.study.closed_gateways) > 1:
        closed = (*model.study.closed_gateways, busiest)
        yield _lever(
            "port_closed", LOSS, "The busiest port closed", f"{name}, all year", changes={"closed_gateways": closed}
        )


def busiest_gateway(model: Model) -> tuple[str, str]:
    """``gateway_id`` and name of the gateway through which most of the tonnes that count leave today."""
    today, places = Routing.today(model), model.places.table
    weight = model.clients["weight"].to_numpy()[today.lanes.client]
    place = int(np.bincount(today.lanes.gateway, today.tonnes * weight).argmax())
    return str(places["place_id"].iloc[place]), str(places["name"].iloc[place])


def _growth(model: Model) -> Iterator[Lever]:
    districts = model.demand[model.demand["under_utilised"]]
    states = districts.groupby("state")["export_usd"].sum().sort_values(ascending=False, kind="stable")
    everywhere = dict.fromkeys(sorted(set(model.demand["state"])), DIGITAL_GROWTH)
    yield _lever(
        "growth_digital", GROWTH, "Digital trade", f"all exports {100 * DIGITAL_GROWTH:g} % up",
        changes={"export_growth": _grown(model, everywhere)}, paper="Digital tools add 23 % to trade volumes",
        public_inr_per_year=np.nan,
    )  # fmt: skip
    if not states.sum() > 0:
        return
    first = str(states.index[0])
    yield _lever(
        "growth_state", GROWTH, f"{first} exports more", f"{100 * STATE_GROWTH:g} % up",
        changes={"export_growth": _grown(model, {first: STATE_GROWTH})}, public_inr_per_year=np.nan,
        note="of all states its under-utilised districts export most",
    )  # fmt: skip
    zones = districts[districts["state"].isin(states.index[:ZONES])]
    zones = zones.sort_values("export_usd", ascending=False, kind="stable").drop_duplicates("state")
    usd = model.parameters["zone_exports_usd_million"] * 1e6
    growth = {row["district_id"]: round(usd / row["export_usd"], 4) for row in zones.to_dict("records")}
    yield _lever(
        "zones", GROWTH, "Special economic zones", f"{len(growth)}, each with US$ {usd / 1e6:g} million of own exports",
        changes={"export_growth": _grown(model, growth)}, paper="Zones give incentives to clusters in districts",
        public_inr_per_year=np.nan,
        note="one in the under-utilised district of each state that exports most; their capital is private",
    )  # fmt: skip


def _grown(model: Model, growth: Mapping[str, float]) -> dict[str, float]:
    """``export_growth`` of the model's study with more growth, by district or state, on top of its own."""
    own = model.study.export_growth
    if not own:
        return dict(growth)
    factor = growth_of(model.demand, own) * growth_of(model.demand, growth)
    return dict(zip(model.demand["district_id"], (factor - 1.0).tolist(), strict=True))

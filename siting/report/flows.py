"""Where exports leave: modelled flows beside what customs records show, and ports that get more than they can take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from geodata.exports import tonnes_by_class
from siting.model.calibration import LEAST_USD_MILLION, cargo_usd
from siting.model.costs import DAYS_PER_WEEK, DAYS_PER_YEAR
from siting.model.lanes import NONE
from siting.model.port_bulk import port_bulk
from siting.plan import Plan
from siting.report.charts import ACCENT, MUTED, QUIET, WIDTH, label, rect, svg
from siting.results.tables import flows_table

EXPORTS_OF_CAPACITY = 0.5
"""Part of a port's boxes that are exports; the others bring imports."""
TIMES_ON_RECORD = 2.0
"""Trains of exports at a depot that are more than so many times those on record, and by a train a day, are named."""
FAR_OFF, LARGE_USD = 0.15, 2e9
"""A share told worse than by so much is named, of states with so much at ports and depots."""


def flow_facts(plan: Plan) -> dict[str, Any]:
    """What the report says of flows: ``chart``, ``states`` and ``distance`` where flows are observed, and ``over``."""
    over = over_capacity(plan)
    observed, busy = plan.model.pack.observed_flows, busier_than_on_record(plan)
    if observed is None:
        return {"over": over, "busy": busy, "states": []}
    by_port = _by_port(plan)
    states = _by_state(plan, by_port, observed)
    weight = states["observed_usd"]
    return {
        "over": over,
        "busy": busy,
        "chart": _chart(by_port.loc[states["state"]].groupby(level="gateway").sum()),
        "states": states.sort_values("observed_usd", ascending=False).to_dict("records"),
        "distance": float(np.average(states["distance"], weights=weight)) if weight.sum() else None,
        "depots_off": _depots_off(states),
        "top_right": float(weight[states["top_right"]].sum() / weight.sum()) if weight.sum() else None,
    }


def over_capacity(plan: Plan) -> list[dict[str, Any]]:
    """Gateways and depots whose modelled exports of today exceed the part of their capacity that exports may fill."""
    pack, teu = plan.model.pack, _teu_today(plan)
    rows = []
    for table, key in ((pack.gateways, "gateway_id"), (pack.depots, "depot_id")):
        if "container_capacity_million_teu" not in table:
            continue
        through = teu.reindex(table[key]).fillna(0.0).to_numpy()
        room = table["container_capacity_million_teu"].to_numpy(np.float64) * 1e6 * EXPORTS_OF_CAPACITY
        for at in np.flatnonzero(through > room):  # false where the capacity is not known
            rows.append({"name": table["name"].iloc[at], "teu": float(through[at]), "room": float(room[at])})
    return rows


def busier_than_on_record(plan: Plan) -> list[dict[Any, Any]]:
    """Depots whose modelled exports of today fill many more trains a week than are on record, the busiest first.

    Shippers choose among depots near by as if the nearest with a train a day were all there is; what a depot has room
    for is in no table, so that the excess is told instead.
    """
    depots, parameters = plan.model.pack.depots, plan.model.parameters
    if "trains_per_week" not in depots:
        return []
    t_per_week = parameters["payload_t_per_teu"] * parameters["teu_per_train"] * DAYS_PER_YEAR / DAYS_PER_WEEK
    routing, places = plan.before, plan.model.places.table["place_id"]
    by_rail = routing.lanes.terminal != NONE
    tonnes = pd.Series(routing.tonnes[by_rail]).groupby(places.to_numpy()[routing.lanes.terminal[by_rail]]).sum()
    table = depots.set_index("depot_id")[["name", "trains_per_week"]]
    table["trains"] = tonnes.reindex(table.index).fillna(0.0) / t_per_week
    known = table[table["trains_per_week"] > 0]
    more = known["trains"] - known["trains_per_week"] >= DAYS_PER_WEEK
    named = known[more & (known["trains"] > TIMES_ON_RECORD * known["trains_per_week"])]
    return named.sort_values("trains", ascending=False).to_dict("records")


def _teu_today(plan: Plan) -> pd.Series:
    """TEU of exports a year through each place today: at its gateway, and at the depot that fills or forwards a box."""
    routing, lanes = plan.before, plan.before.lanes
    inland = np.where(lanes.terminal != NONE, lanes.terminal, np.where(lanes.hub != lanes.gateway, lanes.hub, NONE))
    place = np.concatenate([lanes.gateway, inland])
    tonnes = np.concatenate([routing.tonnes, routing.tonnes])[place != NONE]
    ids = plan.model.places.table["place_id"].to_numpy()[place[place != NONE]]
    return pd.Series(tonnes / plan.model.parameters["payload_t_per_teu"]).groupby(ids).sum()


def _by_port(plan: Plan) -> pd.DataFrame:
    """US$ a year by state and harbour: ``modelled`` today and ``observed``, of gateways that take boxes."""
    gateways = plan.model.pack.gateways.set_index("gateway_id")
    table = flows_table(plan)
    table = table[table["gateway_id"].isin(plan.model.places.table["place_id"].iloc[plan.model.places.gateways])]
    harbour = table["gateway_id"].map(gateways["harbour"]).replace("", np.nan).fillna(table["gateway_id"])
    table = table.assign(gateway=harbour.map(gateways["name"]))
    sums = table.groupby(["state", "gateway"])[["usd_before", "observed_usd"]].sum()
    return sums.set_axis(["modelled", "observed"], axis=1)


def _by_state(plan: Plan, by_port: pd.DataFrame, observed: pd.DataFrame) -> pd.DataFrame:
    """Of each state with records: how far its shares of ports differ; its shares by depot and by air, and observed."""
    total = by_port.groupby(level="state").transform("sum")
    share = (by_port / total.where(total > 0)).fillna(0.0)
    sums = by_port.groupby(level="state").sum()
    table = pd.DataFrame({
        "observed_usd": sums["observed"],
        "distance": 0.5 * (share["modelled"] - share["observed"]).abs().groupby(level="state").sum(),
    })  # fmt: skip
    top = share.groupby(level="state").idxmax()
    table["top_right"] = top["modelled"] == top["observed"]
    ways = observed.pivot_table(index="state", columns="leaves_by", values="usd_million", aggfunc="sum").fillna(0.0)
    ways = ways.reindex(columns=["sea", "icd", "air", "land"], fill_value=0.0) * 1e6
    bulk = port_bulk(plan.model.pack, plan.model.places).groupby("state")["usd"].sum()
    at_sea = sums["observed"].sub(bulk, fill_value=0.0).clip(lower=0.0)
    boxes = ways["icd"] + at_sea.reindex(ways.index).fillna(0.0)
    everything = observed.groupby("state")["usd_million"].sum() * 1e6
    table["depot_observed"] = ways["icd"] / boxes
    table["depot_modelled"] = _depot_share(plan)
    table["air_observed"] = ways["air"] / everything
    table["air_assumed"] = _air_share(plan)
    told = (sums["observed"] >= LEAST_USD_MILLION * 1e6) & (sums["modelled"] > 0)
    return table[told].reset_index()


def _depots_off(states: pd.DataFrame) -> list[dict[Any, Any]]:
    """Large states whose share cleared at depots is told badly, the worst first."""
    off = (states["depot_modelled"] - states["depot_observed"]).abs()
    boxes_usd = states["observed_usd"] / (1.0 - states["depot_observed"])
    wrong = states[(off > FAR_OFF) & (boxes_usd > LARGE_USD)]
    return wrong.loc[off[wrong.index].sort_values(ascending=False).index].to_dict("records")


def _depot_share(plan: Plan) -> pd.Series:
    """Share of each state's cargo, by value, that an inland depot fills or puts on a train today."""
    routing, model = plan.before, plan.model
    usd = cargo_usd(model)[routing.lanes.client] * routing.share
    state = model.demand["state"].to_numpy()[routing.district]
    inland = (routing.lanes.terminal != NONE) | np.isin(routing.lanes.hub, model.places.depots)
    sums = pd.DataFrame({"usd": usd, "inland": usd * inland}).groupby(state).sum()
    return sums["inland"] / sums["usd"]


def _air_share(plan: Plan) -> pd.Series:
    """Share of each state's exports, by value, that the table of sectors sends by air."""
    pack = plan.model.pack
    usd = tonnes_by_class(pack.exports, pack.sectors)
    state = pack.districts.set_index("district_id")["state"].reindex(usd.index)
    sums = usd[[name for name in map(str, usd) if name.startswith("value_usd_")]].groupby(state.to_numpy()).sum()
    return sums["value_usd_air_only"] / sums.sum(axis=1)


def _chart(by_port: pd.DataFrame) -> Markup:
    """Two bars a port: what records show, and what is modelled, as shares of all."""
    share = (by_port / by_port.sum()).sort_values("observed", ascending=False)
    left, right, row = 260.0, 70.0, 40
    scale = (WIDTH - left - right) / max(float(share.to_numpy().max()), 1e-9)
    marks: list[Markup] = []
    for k, (name, value) in enumerate(share.iterrows()):
        y = 4 + row * k
        marks.append(label(left - 12, y + 20, name, text_anchor="end"))
        for shift, column, fill in ((2, "observed", QUIET), (17, "modelled", ACCENT)):
            marks.append(rect(left, y + shift, value[column] * scale, 13, fill))
            x = left + value[column] * scale + 6
            marks.append(label(x, y + shift + 11, f"{100 * value[column]:.1f} %", fill=MUTED, font_size=11))
    text = "; ".join(f"{n}: {100 * v['observed']:.0f} % observed, {100 * v['modelled']:.0f} % modelled"
                     for n, v in share.iterrows())  # fmt: skip
    title = "Share of the value of boxes by port, observed above modelled"
    return svg(title, text, 8 + row * len(share), *marks, name="flows")

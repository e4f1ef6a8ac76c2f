"""Levers beside the plan: what they save (90), who pays whom (91) and what is left of it for all together (92)."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from siting.model.model import build_model
from siting.model.policies import upgraded_km
from siting.plan import make_plan
from siting.report.levers import GROUPS, lever_groups
from siting.results.cells import write_csv
from siting.results.read import read_table
from siting.run import Asked, Log, run_study
from siting.scenarios.batch import read_batch
from siting.scenarios.lever_list import LIFT_STATES, busiest_gateway, levers_of
from siting.scenarios.levers import compared, lever_table

STATE = "Madhya Pradesh"
CORRIDOR = (
    "corridor_id,name,stop,place,lon,lat,source\n"
    "south,South road,1,Port,75.5,19.5,test\nsouth,South road,2,D2,78.5,20.5,test\n"
)
SECOND_PORT = (
    "gateway_id,name,state,lon,lat,container_service,rail_served,export_dwell_h,source\n"
    "INPRT,Port,Madhya Pradesh,75.5,19.5,true,false,100,test\n"
    "INSEC,Second,Madhya Pradesh,75.5,19.5,true,false,300,test\n"
)


@pytest.fixture(scope="module")
def study(tiny_study, tmp_path_factory):
    """The tiny study with a corridor, and two ports at one place of which the second makes cargo wait 200 h longer.

    No rail goes to them, boxes go by road: no lever but a dearer port moves cargo to another way.
    """
    folder = tmp_path_factory.mktemp("levers")
    (folder / "corridors.csv").write_text(CORRIDOR)
    (folder / "gateways.csv").write_text(SECOND_PORT)
    data = {**tiny_study.data, **{name: folder / f"{name}.csv" for name in ("corridors", "gateways")}}
    return tiny_study.with_changes(data=data)


@pytest.fixture(scope="module")
def plan(study):
    return make_plan(build_model(study))


@pytest.fixture(scope="module")
def levers(plan):
    return {lever.key: lever for lever in levers_of(plan.model)}


@pytest.fixture(scope="module")
def table(plan, levers):
    return lever_table(plan, list(levers.values())).set_index("lever")


@pytest.fixture(scope="module")
def today(plan):
    """Lanes of today with what an hour of each costs a year, its tonnes, weight and parts."""
    routing, clients = plan.before, plan.model.clients
    rows = clients.iloc[routing.lanes.client].reset_index(drop=True)
    parts = routing.parts
    counted = rows["tonnes_per_year"] * rows["weight"]
    return pd.DataFrame({
        "counted_t": counted,
        "inr_per_h": rows["time_inr_per_t_h"] * counted,
        "value_inr": rows["value_inr_per_t"] * counted,
        "hours": np.bincount(parts["lane"], parts["hours"]),
        "freight_inr": np.bincount(parts["lane"], parts["freight_inr_per_t"] * (parts["mode"] == "road")) * counted,
        "co2e_t": np.bincount(parts["lane"], parts["co2e_kg_per_t"]) * counted / 1000,
        "part": rows["load"] == "part",
        "first_hub": parts.drop_duplicates("lane")["to"].to_numpy(),
    })  # fmt: skip


def test_what_is_built_is_worth_what_the_choice_of_sites_gains(table, plan):
    """The objective holds what all cargo pays, running cost and capital: it falls by the worth of the plan."""
    row = table.loc["plan"]
    gained = plan.model.problem.unserved_cost.sum() - plan.solution.objective
    assert row["worth_inr_per_year"] == pytest.approx(gained)
    assert gained > 0
    assert row["cost_per_rupee"] == pytest.approx(row["public_cost_inr_per_year"] / row["today_saving_inr_per_year"])
    assert row["plan_change_inr_per_year"] == 0.0
    assert row["sites"] == len(plan.opened)


def test_a_programme_builds_its_own_kind_alone(table, plan, study):
    alone = make_plan(build_model(study.with_changes(facility_types=("warehouse",))))
    row = table.loc["only_warehouses"]
    assert row["plan_saving_inr_per_year"] == pytest.approx(alone.net_saving_inr_per_year)
    lost = plan.net_saving_inr_per_year - alone.net_saving_inr_per_year
    assert row["plan_change_inr_per_year"] == pytest.approx(-lost)
    assert lost > 0


def test_a_programme_of_what_can_be_built_nowhere_builds_nothing(table):
    """No rail, no terminals and no parks."""
    for key in ("only_cargo_terminals", "only_mmlps"):
        assert (table.loc[key, ["sites", "today_saving_inr_per_year", "public_cost_inr_per_year"]] == 0).all()


def test_planned_parks_are_all_built_whether_they_pay_or_not(tiny_plan):
    levers = [lever for lever in levers_of(tiny_plan.model) if lever.key == "planned_parks"]
    row = lever_table(tiny_plan, levers).iloc[1]
    built = make_plan(build_model(levers[0].variant.of(tiny_plan.model.study)))
    gained = built.model.problem.unserved_cost.sum() - built.solution.objective  # some of it pays for capital by use
    assert built.use_capital_inr_per_year > 0
    assert row["worth_inr_per_year"] == pytest.approx(gained)
    before, after = (built.totals(when) for when in ("before", "after"))
    assert row["hours_change"] == pytest.approx(after["mean_hours"] - before["mean_hours"])
    assert row["co2e_change_t_per_year"] == pytest.approx(after["co2e_t_per_year"] - before["co2e_t_per_year"])
    parks = tiny_plan.model.options.set_index("option_id").loc[["mmlp-small@mmlp-east"]]
    due_inr = (parks["due_capital_inr_crore"] * 1e7).sum() / 11.2578  # 30 years at 8 %
    assert row["public_cost_inr_per_year"] >= due_inr * (1 - 1e-4) + parks["fixed_cost_inr_per_year"].sum()
    assert gained < 0


def test_digital_customs_save_a_day_of_all_that_counts(table, plan, today):
    row = table.loc["digital_customs"]
    assert row["today_saving_inr_per_year"] == pytest.approx(24.0 * today["inr_per_h"].sum())
    assert row["hours_change"] == pytest.approx(-24.0)
    assert row["public_cost_inr_per_year"] == 322e7
    assert row["worth_inr_per_year"] == pytest.approx(row["today_saving_inr_per_year"] - 322e7)
    clients = plan.model.clients.iloc[plan.before.lanes.client]
    leaders = (clients["time_inr_per_t_h"] * clients["tonnes_per_year"])[clients["weight"] == 0].sum()
    assert row["others_saving_inr_per_year"] == pytest.approx(24.0 * leaders)


def test_a_corridor_costs_its_length_and_saves_what_lorries_are_spared(table, plan, study):
    row, p = table.loc["corridor_south"], plan.model.parameters
    km = upgraded_km(plan.model.pack, ("south",))
    assert row["public_cost_inr_per_year"] == pytest.approx(km * 32.2e7 / 11.2578, rel=1e-5)
    assert p["road_upgrade_cut"] == 0.15
    shorter = make_plan(build_model(study.with_changes(upgraded_roads=("south",))))
    saved = plan.totals("before")["cost_inr_per_year"] - shorter.totals("before")["cost_inr_per_year"]
    assert row["today_saving_inr_per_year"] == pytest.approx(saved)
    assert saved > 0


def test_export_credit_only_moves_money(table, today):
    """2.75 % a year of the value that is on its way, for 45 % of the cargo."""
    row = table.loc["export_credit"]
    by_hand = (today["value_inr"] * today["hours"]).sum() * 0.0275 * 0.45 / 365 / 24
    assert row["transfer_inr_per_year"] == pytest.approx(by_hand)
    assert row["today_saving_inr_per_year"] == pytest.approx(by_hand)
    assert row["worth_inr_per_year"] == pytest.approx(0.0, abs=1e-3)
    assert row["cost_per_rupee"] == pytest.approx(1.0)


def test_a_refund_only_moves_money_and_changes_no_plan(plan, levers, today):
    lever = levers["export_credit"]
    variant = replace(lever.variant, changes={"refund_states": (STATE,)}, parameters={"freight_refund": 0.3})
    row = lever_table(plan, [replace(lever, variant=variant)]).iloc[1]
    by_hand = 0.3 * 0.45 * np.minimum(today["freight_inr"], 0.2 * today["value_inr"]).sum()
    assert row["transfer_inr_per_year"] == pytest.approx(by_hand)
    assert row["today_saving_inr_per_year"] == pytest.approx(by_hand)
    assert row["worth_inr_per_year"] == pytest.approx(0.0, abs=1e-3)
    assert row["plan_change_inr_per_year"] == 0.0


def test_a_carbon_price_brings_the_exchequer_what_exporters_pay(table, today):
    row = table.loc["carbon_price"]
    by_hand = 5000.0 * today["co2e_t"].sum()
    assert row["today_saving_inr_per_year"] == pytest.approx(-by_hand)
    assert row["transfer_inr_per_year"] == pytest.approx(-by_hand)
    assert np.isnan(row["cost_per_rupee"])


@pytest.mark.parametrize("percent", [12, 18])
def test_congestion_makes_cargo_wait_longer_at_port(table, today, percent):
    row = table.loc[f"congestion_{percent}"]
    assert row["today_saving_inr_per_year"] == pytest.approx(-percent / 100 * 100.0 * today["inr_per_h"].sum())
    assert row["hours_change"] == pytest.approx(percent)


def test_with_the_busiest_port_closed_cargo_waits_at_the_other(table, plan, today):
    assert busiest_gateway(plan.model) == ("INPRT", "Port")
    row = table.loc["port_closed"]
    assert row["today_saving_inr_per_year"] == pytest.approx(-200.0 * today["inr_per_h"].sum())
    assert row["hours_change"] == pytest.approx(200.0)
    assert row["today_taste_inr_per_year"] == 0.0


def test_what_is_taste_of_a_saving_is_no_money():
    now = dict.fromkeys(("refund_inr", "transfer_inr", "others_inr", "hours", "co2e_t", "saving_inr", "own_inr"), 0.0)
    now |= {"sites": 0, "cost_inr": 1000.0, "taste_inr": 50.0}
    found = compared(now, {**now, "cost_inr": 990.0, "taste_inr": 90.0}, "loss", 0.0)
    assert (found["today_saving_inr_per_year"], found["today_taste_inr_per_year"]) == (-30.0, -40.0)
    assert found["money_saving_share"] == pytest.approx(0.01)


def test_short_warehouses_make_stuffing_dearer(table, today):
    row = table.loc["warehouse_shortage"]
    stuffed_t = today.loc[today["part"], "counted_t"].sum()
    assert row["today_saving_inr_per_year"] == pytest.approx(-0.15 * 181.0 * stuffed_t)


def test_more_exports_cost_as_much_a_tonne_as_today(plan, levers, table):
    for key, factor in (("growth_digital", 1.23), ("growth_state", 1.5)):
        assert levers[key].variant.changes["export_growth"] == {STATE: pytest.approx(factor - 1)}
    grown = build_model(levers["growth_state"].variant.of(plan.model.study)).clients
    clients, cost = plan.model.clients, plan.model.existing
    more_t = (grown["tonnes_per_year"] - clients["tonnes_per_year"]) * clients["weight"]
    by_hand = (cost.cost_inr_per_t * more_t.to_numpy()[cost.client]).sum()
    row = table.loc["growth_state"]
    assert row["today_saving_inr_per_year"] == pytest.approx(-by_hand, rel=0.05)  # goods of part loads are another mix
    assert np.isnan(row["worth_inr_per_year"])


def test_a_zone_stands_where_most_is_exported_and_brings_its_own(plan, levers):
    growth = levers["zones"].variant.changes["export_growth"]
    (district,) = growth
    usd = plan.model.demand.set_index("district_id")["export_usd"]
    under = plan.model.demand[plan.model.demand["under_utilised"]]["district_id"]
    assert district == usd.loc[under].idxmax()
    assert growth[district] * usd[district] == pytest.approx(60e6, rel=1e-3)


def test_growth_comes_on_top_of_that_of_the_study(plan):
    model = replace(plan.model, study=plan.model.study.with_changes(export_growth={STATE: 1.0}))
    growth = {lever.key: lever.variant.changes["export_growth"] for lever in levers_of(model) if lever.kind == "growth"}
    assert set(np.round(list(growth["growth_state"].values()), 9)) == {2.0}


def test_levers_name_only_places_that_the_data_know(levers, tiny_plan):
    assert "freight_refund" not in levers and STATE not in LIFT_STATES
    keys = {lever.key for lever in levers_of(tiny_plan.model)}
    assert levers.keys() - keys == {"corridor_south", "port_closed"}  # one port is left open
    assert keys - levers.keys() == {"planned_parks"}


def test_a_cap_on_carbon_changes_nothing_but_the_plan(tiny_plan):
    """Seen from the plan without it: less CO2e, and no more saved than without."""
    (lever,) = (lever for lever in levers_of(tiny_plan.model) if lever.key == "carbon_cap")
    assert lever.variant.changes["rules"] == ({"rule": "carbon", "at_most_share": 0.95},)
    row = lever_table(tiny_plan, [lever]).iloc[1]
    assert row["status"] == "optimal"
    before, after = (tiny_plan.totals(when)["co2e_t_per_year"] for when in ("before", "after"))
    assert after + row["co2e_change_t_per_year"] <= 0.95 * before * (1 + 1e-6) < after
    assert row["plan_change_inr_per_year"] - row["plan_cost_inr_per_year"] < 0
    assert row["today_saving_inr_per_year"] == 0.0 and np.isnan(row["worth_inr_per_year"])


def test_the_refund_tells_who_gets_it(plan):
    here = plan.model.demand.assign(state="Bihar")
    (lever,) = (v for v in levers_of(replace(plan.model, demand=here)) if v.key == "freight_refund")
    assert lever.setting == "30 % to small firms in 11 districts of 1 state, most of it in Bihar"  # one has no road
    assert lever.variant.changes["refund_states"] == ("Bihar",)


def test_a_lever_of_no_strength_changes_nothing(plan, levers):
    base = plan.model.parameters
    slack = []
    for lever in levers.values():
        variant, changes = lever.variant, dict(lever.variant.changes)
        parameters = {key: base[key] for key in variant.parameters}
        if lever.kind == "build":
            changes |= {"budget_inr_crore": 0.0, "forced": ()}
        if "rules" in changes:
            changes["rules"] = ({"rule": "carbon", "at_most_share": 1.0},)
        if "upgraded_roads" in changes:
            parameters["road_upgrade_cut"] = 0.0
        if "export_growth" in changes:
            changes |= {"export_growth": dict.fromkeys(changes["export_growth"], 0.0)}
        changes.pop("closed_gateways", None)
        slack.append(replace(lever, variant=replace(variant, changes=changes, parameters=parameters)))
    table = lever_table(plan, slack).iloc[1:].set_index("lever")
    for column in ("today_saving_inr_per_year", "others_saving_inr_per_year", "transfer_inr_per_year", "hours_change"):
        assert table[column].to_numpy(float) == pytest.approx(0.0, abs=1e-6), column
    decided = table[table["kind"] != "build"]
    assert decided["plan_change_inr_per_year"].to_numpy(float) == pytest.approx(0.0, abs=1e-6)
    assert (table.loc[table["kind"] == "build", "plan_saving_inr_per_year"] == 0.0).all()


def test_the_scenario_file_of_levers_has_no_faults():
    batch = read_batch(Path(__file__).parents[3] / "studies" / "levers.toml")
    assert {"digital_customs", "planned_parks", "carbon_cap"} < {scenario.name for scenario in batch.scenarios}


def test_a_lever_that_cannot_be_answered_says_why(plan, levers, tmp_path):
    shut = replace(levers["port_closed"].variant, changes={"closed_gateways": ("INPRT", "INSEC")})
    table = lever_table(plan, [replace(levers["port_closed"], variant=shut)])
    assert table["status"].tolist() == ["optimal", "failed"]
    assert "all gateways are closed" in table["message"].iloc[1]
    write_csv(table, tmp_path / "levers.csv")
    assert np.isnan(read_table(tmp_path / "levers.csv")["sites"].iloc[1])
    (group, losses) = lever_groups(table)
    assert (group["heading"], losses["heading"]) == (GROUPS["build"], GROUPS["loss"])


def test_a_run_asked_for_it_writes_the_table_and_tells_it_in_the_report(study, tmp_path):
    run_study(study, tmp_path / "out", Log(True, 8), asked=Asked(levers=True))
    written = read_table(tmp_path / "out" / "levers.csv")
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert 'id="levers"' in report
    assert all(name in report for name in written["name"])
    assert all(heading in report for heading in GROUPS.values())

"""A plan is what its lanes add up to, and behaves as a budget should."""

import io
import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geodata.errors import InputError
from geodata.folders import atomic_folder
from siting.model.model import build_model, state_problem
from siting.money import indian
from siting.plan import make_plan, with_economic_budget
from siting.report.page import cost_components
from siting.results.geometry import flow_lines
from siting.results.geopackage import write_geopackage
from siting.results.tables import (
    districts_table,
    lanes_table,
    sites_table,
    summary,
    write_summary,
    write_tables,
)
from tests.conftest import NO_MINIMUM


def test_the_plan_builds_saves_and_is_proven(tiny_plan):
    s = summary(tiny_plan)
    assert s["status"] == "optimal"
    assert s["bound_inr"] <= s["objective_inr"] * (1 + 1e-9)
    assert s["gap"] <= 1e-3
    assert 0 < s["capex_inr_crore"] <= 60
    assert s["saving_inr_per_year"] > 0
    assert s["counts"]["served_by_hub"] > 0


def test_totals_equal_the_sum_of_the_lanes_file(tiny_plan):
    """Over under-utilised rows, cost_inr_per_t x tonnes_per_year adds up to after.cost_inr_per_year."""
    lanes = pd.read_csv(io.StringIO(lanes_table(tiny_plan).to_csv(index=False)))
    rows = lanes[lanes["under_utilised"]]
    s = summary(tiny_plan)
    assert (rows["cost_inr_per_t"] * rows["tonnes_per_year"]).sum() == pytest.approx(s["after"]["cost_inr_per_year"])
    first = rows[rows["part"] == 1]
    on_lanes = tiny_plan.client_table
    reachable = on_lanes["under_utilised"] & on_lanes["cost_inr_per_t_after"].notna()
    assert first["tonnes_per_year"].sum() == pytest.approx(on_lanes.loc[reachable, "tonnes_per_year"].sum())


@pytest.mark.parametrize("name", ["tiny_plan", "free_plan"])
def test_the_objective_is_the_sum_of_its_parts(name, request):
    """Cost after, taste, running cost and capital charge, each as plan.json tells it."""
    s = summary(request.getfixturevalue(name))
    parts = ("taste_inr_per_year", "fixed_cost_inr_per_year", "capital_charge_inr_per_year")
    assert s["objective_inr"] == pytest.approx(s["after"]["cost_inr_per_year"] + sum(s[part] for part in parts))
    assert (s["capital_charge_inr_per_year"] > 0) == (name == "tiny_plan")
    nothing = s["before"]["cost_inr_per_year"] + s["before"]["taste_inr_per_year"]
    assert s["benefit_inr_per_year"] == pytest.approx(nothing - s["objective_inr"])


def test_savings_of_sites_and_of_districts_add_up_to_the_gross_saving(tiny_plan):
    s = summary(tiny_plan)
    gross = s["before"]["cost_inr_per_year"] - s["after"]["cost_inr_per_year"]
    districts = districts_table(tiny_plan)
    assert sites_table(tiny_plan)["saving_inr_per_year"].sum() == pytest.approx(gross)
    assert districts.loc[districts["under_utilised"], "saving_inr_per_year"].sum() == pytest.approx(gross)


def test_a_district_without_road_is_reported_not_served(tiny_plan):
    s = summary(tiny_plan)
    assert [d["district"] for d in s["unreachable"]] == ["D11"]
    row = districts_table(tiny_plan).iloc[11]
    assert np.isnan(row["cost_before_inr_per_t"]) and pd.isna(row["gateway_after"])
    assert row["tonnes_per_year"] > 0
    assert "D11" not in lanes_table(tiny_plan)["district"].tolist()


def test_the_leader_keeps_its_status_quo(tiny_plan):
    row = districts_table(tiny_plan).iloc[0]
    assert not row["under_utilised"]
    assert row["cost_before_inr_per_t"] == pytest.approx(row["cost_after_inr_per_t"])


def test_zero_budget_opens_nothing_and_saves_nothing(tiny_model):
    s = summary(make_plan(tiny_model, budget_inr_crore=0.0))
    assert s["capex_inr_crore"] == 0
    assert s["saving_inr_per_year"] == pytest.approx(0, abs=1)
    assert s["benefit_cost_ratio"] is None and s["payback_years"] is None
    assert s["before"] == s["after"]


def test_capacity_is_kept(tiny_plan):
    assert (tiny_plan.opened["utilisation"] <= 1 + 1e-9).all()


def test_an_open_site_comes_to_its_minimum_or_is_not_built(tiny_study, tiny_model, tiny_plan):
    used = tiny_plan.opened.set_index("option_id")["throughput_t_per_year"]
    options = tiny_model.options.assign(min_throughput_t_per_year=1.01 * used.max())
    weighted = tiny_model.existing.take(tiny_model.clients["weight"].to_numpy()[tiny_model.existing.client] > 0)
    stated = (tiny_study, tiny_model.clients, options, tiny_model.places, weighted, tiny_model.improving)
    model = replace(tiny_model, options=options, problem=state_problem(*stated)[0])
    plan = make_plan(model)
    assert (plan.opened["throughput_t_per_year"] >= 1.01 * used.max() * (1 - 1e-6)).all()
    assert plan.solution.objective > tiny_plan.solution.objective
    least_used = used.idxmin()
    never = model.problem.with_changes(min_throughput=np.full(len(options), 1e9))
    with pytest.raises(InputError, match=rf"{least_used} must open and needs 1e\+09 through it"):
        make_plan(replace(model, problem=never), forced=(least_used,))


def test_customs_keep_no_staff_for_a_few_boxes(tiny_study):
    """(53): 1,200 boxes of 14 t at a store and 7,200 at a park, which the tiny world cannot fill, forced or not."""
    model = build_model(tiny_study.with_changes(parameters={}, capital_charge=False))
    least = model.options.set_index("option_id")["min_throughput_t_per_year"]
    plan = make_plan(model, budget_inr_crore=1e4)
    store = plan.opened["facility_type"].isin(["warehouse", "cold_store"])
    assert store.any() and store.all()
    assert (plan.opened["throughput_t_per_year"] >= 1200 * 14).all()
    assert least["mmlp-small@mmlp-east"] == 7200 * 14
    with pytest.raises(InputError, match=r"mmlp-small@mmlp-east must open and needs 100800 through it"):
        make_plan(model, budget_inr_crore=1e4, forced=("mmlp-small@mmlp-east",))


def test_forced_sites_open_and_forbidden_ones_stay_closed(tiny_model):
    forced = make_plan(tiny_model, forced=("warehouse-medium@madhya-pradesh/d10",))
    assert "warehouse-medium@madhya-pradesh/d10" in forced.opened["option_id"].tolist()
    free = make_plan(tiny_model)
    assert free.opened["option_id"].tolist() != forced.opened["option_id"].tolist()
    best = free.opened.sort_values("saving_inr_per_year")["site_id"].iloc[-1]
    without = make_plan(tiny_model, forbidden=(best,))
    assert best not in without.opened["site_id"].tolist()
    assert without.solution.objective >= free.solution.objective - 1


def test_a_park_pays_where_rail_beats_road_by_far(tiny_study):
    """Dear trailers, cheap parks and a train a day make the planned park at the rail head worth building."""
    study = tiny_study.with_changes(
        budget_inr_crore=2000.0,
        parameters={
            "container_payload_t": 5,
            "rail_trains_per_week": 7,
            "mmlp_capex_inr_crore_per_acre": 0.1,
            "om_fraction_per_year": 0.001,
            **NO_MINIMUM,
        },
    )
    plan = make_plan(build_model(study))
    assert "mmlp" in plan.opened["facility_type"].tolist()
    assert "rail" in lanes_table(plan)["mode"].tolist()


def present_value(inr_per_year: float) -> float:
    """Of thirty yearly amounts at 8 %, year by year."""
    return sum(inr_per_year * 1.08**-year for year in range(1, 31))


def test_a_site_that_does_not_pay_is_not_built_by_default(tiny_plan, free_plan):
    """Of the sites that the budget allows, those that do not recover their own capital are left out."""
    assert 0 < tiny_plan.capex_inr_crore < free_plan.capex_inr_crore
    assert tiny_plan.losing.empty and not free_plan.losing.empty
    own = tiny_plan.opened["saving_inr_per_year"] - tiny_plan.opened["fixed_cost_inr_per_year"]
    assert (own >= tiny_plan.opened["capital_charge_inr_per_year"]).all()
    assert tiny_plan.appraisal.net_present_value_inr > free_plan.appraisal.net_present_value_inr
    assert tiny_plan.net_saving_inr_per_year < free_plan.net_saving_inr_per_year


def test_the_capital_charge_repays_the_capital_with_interest(tiny_plan):
    """Thirty charges, discounted at 8 % year by year, are worth the capital: 0.0888 of it a year."""
    capital_inr = tiny_plan.capex_inr_crore * 1e7
    assert present_value(tiny_plan.capital_charge_inr_per_year) == pytest.approx(capital_inr)
    assert tiny_plan.capital_charge_inr_per_year / capital_inr == pytest.approx(0.0888274, rel=1e-5)


def test_a_site_loses_that_does_not_earn_its_own_capital_back(free_plan):
    """Saving less running cost of each site, discounted year by year, against its capital: some do, some do not."""
    loses = {
        site.option_id: present_value(site.saving_inr_per_year - site.fixed_cost_inr_per_year)
        < site.capex_inr_crore * 1e7
        for site in free_plan.opened.itertuples()
    }
    assert set(loses.values()) == {True, False}
    assert free_plan.losing["option_id"].tolist() == [name for name, bad in loses.items() if bad]
    assert summary(free_plan)["not_recovering_capital"] == {
        "sites": len(free_plan.losing), "capex_inr_crore": pytest.approx(free_plan.losing["capex_inr_crore"].sum()),
    }  # fmt: skip


def test_the_figures_of_worth_are_those_of_capital_and_saving(free_plan):
    capital_inr, net = free_plan.capex_inr_crore * 1e7, free_plan.net_saving_inr_per_year
    s = summary(free_plan)
    assert s["benefit_cost_ratio"] == pytest.approx(present_value(net) / capital_inr)
    assert s["net_present_value_inr_crore"] == pytest.approx((present_value(net) - capital_inr) / 1e7)
    assert s["payback_years"] == pytest.approx(capital_inr / net)
    assert s["gap_of_saving"] == pytest.approx((s["objective_inr"] - s["bound_inr"]) / net, abs=1e-12)


def test_credit_changes_who_pays_and_nothing_else(tiny_study, tiny_plan):
    """2 % interest subvention: a fiftieth of the capital a year from the exchequer; sites and worth stay."""
    cheap = make_plan(build_model(tiny_study.with_changes(parameters={"credit_subsidy": 0.02})))
    told, plain = summary(cheap), summary(tiny_plan)
    assert set(plain["transfers"].values()) == {0.0}
    assert told["transfers"]["interest_subvention_inr_per_year"] == pytest.approx(0.02e7 * cheap.capex_inr_crore)
    same = ("objective_inr", "capex_inr_crore", "saving_inr_per_year", "benefit_cost_ratio", "internal_rate_of_return")
    assert {key: told[key] for key in same} == {key: plain[key] for key in same}


def test_beyond_the_economic_budget_nothing_more_is_built(tiny_model, tiny_plan, free_plan):
    """A budget that binds is told how much would pay; that much, given, is spent, and so it is of any more."""
    unlimited = make_plan(tiny_model, budget_inr_crore=1e6)
    poor = with_economic_budget(make_plan(tiny_model, budget_inr_crore=unlimited.capex_inr_crore / 2))
    assert poor.capex_inr_crore < poor.economic_budget_inr_crore
    assert poor.economic_budget_inr_crore == pytest.approx(unlimited.capex_inr_crore)
    rich = with_economic_budget(make_plan(tiny_model, budget_inr_crore=poor.economic_budget_inr_crore))
    assert rich.economic_budget_inr_crore == pytest.approx(rich.capex_inr_crore)
    assert with_economic_budget(unlimited).economic_budget_inr_crore == unlimited.capex_inr_crore
    assert with_economic_budget(free_plan).economic_budget_inr_crore is None


def test_use_of_sites_adds_up_to_the_cargo_that_goes_through_them(tiny_plan):
    table, opened = tiny_plan.client_table, tiny_plan.opened
    through = np.unique(tiny_plan.after.lanes.client[tiny_plan.after.uses_site])
    moved = table.loc[through]
    assert opened["throughput_t_per_year"].sum() == pytest.approx(moved["tonnes_per_year"].sum())  # one site a lane
    np.testing.assert_allclose(opened["utilisation"], opened["throughput_t_per_year"] / opened["capacity_t_per_year"])
    before, after = ((moved[f"cost_inr_per_t_{when}"] * moved["tonnes_per_year"]).sum() for when in ("before", "after"))
    assert tiny_plan.served_cost_cut == pytest.approx(1 - after / before)
    part = table[table["under_utilised"] & (table["load"] == "part") & table["cost_inr_per_t_before"].notna()]
    assert tiny_plan.part_load_cost_inr_per_year == pytest.approx(
        sum(part["cost_inr_per_t_before"] * part["tonnes_per_year"])
    )


def test_hours_and_carbon_of_a_plan_are_those_of_its_lanes(tiny_plan):
    """Mean hours by tonnes; hours to the gate leave out the wait at the port, and 48 h where boxes are filled there."""
    lanes = lanes_table(tiny_plan)
    lanes = lanes[lanes["under_utilised"]]
    tonnes = lanes.loc[lanes["part"] == 1, "tonnes_per_year"].sum()
    assert tiny_plan.totals("after")["mean_hours"] == pytest.approx(
        (lanes["hours"] * lanes["tonnes_per_year"]).sum() / tonnes
    )
    table = tiny_plan.client_table
    known = table["hours_after"].notna()
    ports, chosen = tiny_plan.model.places.gateways, tiny_plan.after.lanes
    boxed_at_port = np.isin(table.index[known], chosen.client[np.isin(chosen.hub, ports)])
    at_port_h = table.loc[known, "hours_after"] - table.loc[known, "transit_hours_after"]
    np.testing.assert_allclose(at_port_h, np.where(boxed_at_port, 188.0, 140.0))
    co2e_t = (table["co2e_kg_per_t_after"] * table["tonnes_per_year"])[table["under_utilised"]].sum() / 1000
    assert tiny_plan.totals("after")["co2e_t_per_year"] == pytest.approx(co2e_t)


def test_a_leader_counts_on_both_sides_by_its_weight(tiny_study):
    """Its cost and saving are in the objective, in the totals and in those of the sites, and half of them each time."""
    plan = make_plan(build_model(tiny_study.with_changes(leader_weight=0.5)))
    table = plan.client_table[plan.client_table["cost_inr_per_t_after"].notna()]
    cost = table["cost_inr_per_t_after"] * table["tonnes_per_year"]
    leader = ~table["under_utilised"]
    assert cost[leader].sum() > 0
    assert plan.solution.objective == pytest.approx(
        cost[~leader].sum() + 0.5 * cost[leader].sum() + plan.fixed_cost_inr_per_year + plan.capital_charge_inr_per_year
    )
    s = summary(plan)
    assert s["before"]["cost_inr_per_year"] == pytest.approx(
        (table["cost_inr_per_t_before"] * table["tonnes_per_year"] * np.where(leader, 0.5, 1.0)).sum()
    )
    parts = ("taste_inr_per_year", "fixed_cost_inr_per_year", "capital_charge_inr_per_year")
    assert s["objective_inr"] == pytest.approx(s["after"]["cost_inr_per_year"] + sum(s[part] for part in parts))
    saved = (table["cost_inr_per_t_before"] - table["cost_inr_per_t_after"]) * table["tonnes_per_year"]
    assert saved[leader].sum() > 0
    assert plan.opened["saving_inr_per_year"].sum() == pytest.approx(saved[~leader].sum() + 0.5 * saved[leader].sum())
    assert cost_components(plan)["after"].sum() == pytest.approx(
        s["after"]["cost_inr_per_year"] + plan.fixed_cost_inr_per_year
    )
    small = table[(table["load"] == "part")]
    assert s["part_load_cost_before_inr_per_year"] == pytest.approx(
        (small["cost_inr_per_t_before"] * small["tonnes_per_year"] * small["weight"]).sum()
    )


@pytest.mark.parametrize("wrong", [1.001, 0.999, np.nan])
def test_an_answer_whose_cost_is_not_that_of_its_lanes_is_not_told(tiny_model, tiny_plan, wrong):
    answer = replace(tiny_plan.solution, objective=tiny_plan.solution.objective * wrong)
    with pytest.raises(RuntimeError, match=r"failed its re-check: objective .* differs from the lanes' sum"):
        make_plan(tiny_model, solution=answer)


@pytest.mark.parametrize("wrong", [1 + 1e-6, 1 - 1e-6, np.nan])
@pytest.mark.parametrize(("lanes", "words"), [("existing", "status quo"), ("improving", "plan")])
def test_a_lane_whose_parts_do_not_add_up_to_its_price_is_not_told(tiny_model, tiny_plan, lanes, words, wrong):
    """The search's price of each lane is compared with the sum of its parts."""
    right = getattr(tiny_model, lanes)
    model = replace(tiny_model, **{lanes: replace(right, cost_inr_per_t=right.cost_inr_per_t * wrong)})
    with pytest.raises(RuntimeError, match=f"failed its re-check: .*{words}: a lane's parts differ from its price"):
        make_plan(model, solution=tiny_plan.solution)


def test_files_read_back_as_the_plan(tiny_plan, tmp_path):
    write_tables(tiny_plan, tmp_path)
    write_geopackage(tiny_plan, tmp_path, flow_lines(tiny_plan))
    write_summary(tiny_plan, tmp_path)
    s = json.loads((tmp_path / "plan.json").read_text())
    assert s["fingerprint"] == tiny_plan.model.study.fingerprint(tiny_plan.model.pack)
    sites = gpd.read_file(tmp_path / "study.gpkg", layer="sites")
    assert len(sites) == len(pd.read_csv(tmp_path / "sites.csv")) == len(tiny_plan.opened)
    assert sites["capex_inr_crore"].sum() == pytest.approx(s["capex_inr_crore"])
    lanes = gpd.read_file(tmp_path / "study.gpkg", layer="lanes")
    assert lanes.geometry.is_valid.all() and (lanes["tonnes_per_year"] > 0).all()
    assert len(gpd.read_file(tmp_path / "study.gpkg", layer="districts")) == 12


def test_same_study_same_plan(tiny_study, tiny_plan):
    again = make_plan(build_model(tiny_study))
    assert again.opened["option_id"].tolist() == tiny_plan.opened["option_id"].tolist()
    assert again.solution.objective == tiny_plan.solution.objective


def test_fingerprint_follows_study_and_data(tiny_study, tiny_model):
    pack = tiny_model.pack
    base = tiny_study.fingerprint(pack)
    assert base == tiny_study.fingerprint(pack)
    assert base != tiny_study.with_changes(budget_inr_crore=61.0).fingerprint(pack)
    assert base != tiny_study.with_changes(parameters={"discount_rate": 0.07}).fingerprint(pack)


def test_an_interrupted_run_leaves_the_old_result(tmp_path):
    out = tmp_path / "result"
    with atomic_folder(out) as folder:
        (folder / "plan.json").write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_folder(out) as folder:
        (folder / "plan.json").write_text("half")
        raise KeyboardInterrupt
    assert (out / "plan.json").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["result"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1000, "1,000"), (12345678, "1,23,45,678"), (-100000, "−1,00,000"), (-0.2, "0")],
)
def test_indian_grouping(number, text):
    assert indian(number) == text


def test_cargo_that_leaves_by_land_needs_no_port(tiny_study, tiny_plan):
    """D9 has a land customs station; with all its cargo at sea it has twice the tonnes of the base."""
    at_sea = build_model(tiny_study.with_changes(parameters={"land_border_share": 0.0})).demand
    assert at_sea.loc[9, "general_t"] == pytest.approx(2 * tiny_plan.model.demand.loc[9, "general_t"])
    assert at_sea.loc[8, "general_t"] == pytest.approx(tiny_plan.model.demand.loc[8, "general_t"])

"""Rules of a study, (25) to (29), hold exactly, in whatever way it is asked, and each is told with its price."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from geodata.errors import InputError
from siting.check import check_study
from siting.kept_rules import kept_rows
from siting.model.model import build_model, close_gateways
from siting.plan import make_plan
from siting.results.tables import summary
from siting.rule_prices import with_rule_prices
from siting.session import Session
from siting.study import study_text

STATE = "Madhya Pradesh"
RULES = {  # (26), (26), (25), (25), (27), (27), (28), (29)
    "floor of sites": {"rule": "sites", "facility_types": ["cold_store"], "at_least": 2},
    "ceiling of sites": {"rule": "sites", "states": [STATE], "at_most": 1},
    "ceiling of capital": {"rule": "state_budget", "states": [STATE], "at_most_inr_crore": 15.0},
    "floor of capital": {"rule": "state_budget", "each_state": True, "at_least_inr_crore": 40.0},
    "districts in reach": {"rule": "access", "hours": 5, "at_least_share": 0.8},
    "exports in reach": {"rule": "access", "hours": 5, "of": "exports", "at_least_share": 0.8},
    "saving": {"rule": "state_saving", "at_least_share": 0.085},
    "carbon": {"rule": "carbon", "at_most_share": 0.81},
}
OPEN = ("warehouse@madhya-pradesh/d1", "warehouse@madhya-pradesh/d5", "warehouse@madhya-pradesh/d4",
        "cold_store@madhya-pradesh/d1", "cold_store@madhya-pradesh/d3")  # fmt: skip
"""Sites that brute force looks at."""


@pytest.fixture(scope="module")
def model(free_study):
    """Small warehouses and cold stores at few places: few enough options to try all sets of them."""
    whole = build_model(free_study)
    kept = whole.options["site_id"].isin(OPEN) & ~whole.options["tier"].isin(["medium", "large"])
    forbidden = tuple(whole.options["option_id"][~kept])
    return build_model(free_study.with_changes(forbidden=forbidden, budget_inr_crore=60.0, gap=0.0))


def brute_force(model, rule):
    """Least objective over every set of options that may open, by a linear program of its own for each."""
    problem, options = model.problem, model.options
    usable = np.setdiff1d(np.arange(len(options)), problem.forbidden)
    best = np.inf
    for size in range(len(usable) + 1):
        for chosen in itertools.combinations(usable, size):
            opened = np.array(chosen, dtype=np.int64)
            if problem.capex[opened].sum() > model.study.budget_inr_crore or not allowed(model, rule, opened):
                continue
            cost = problem.fixed_cost[opened].sum() + service(model, rule, opened)
            best = min(best, float(cost))
    return best


def allowed(model, rule, opened):
    """Whether a set keeps a rule over options, from the tables."""
    table = model.options.iloc[opened]
    if rule["rule"] == "sites":
        mine = table["facility_type"].isin(rule.get("facility_types", table["facility_type"]))
        return rule.get("at_least", 0) <= mine.sum() <= rule.get("at_most", np.inf)
    if rule["rule"] == "state_budget":
        capital = table["capex_inr_crore"].sum()
        return rule.get("at_least_inr_crore", 0) <= capital <= rule.get("at_most_inr_crore", np.inf)
    return rule["rule"] != "access" or in_reach(model, rule, opened) >= rule["at_least_share"] - 1e-12


def in_reach(model, rule, opened):
    """Share of the under-utilised districts near an export facility, district by district."""
    places, demand, found = model.places, model.demand, []
    ends = {*places.gateways, *places.depots, *model.options["place"].iloc[opened]}
    by_land = set(model.pack.land_customs["district_id"])
    for d in np.flatnonzero(demand["under_utilised"]):
        hours = [places.first_mile_km[d, end] * 24 / model.parameters["road_km_per_day"] for end in ends]
        near = any(h <= rule["hours"] for h in hours) or demand["district_id"].iloc[d] in by_land
        found.append((near, demand["export_usd"].iloc[d] if rule.get("of") == "exports" else 1.0))
    return sum(weight for near, weight in found if near) / sum(weight for _, weight in found)


def service(model, rule, opened):
    """Least cost of serving all through a set, with rules over lanes priced from the parts of the lanes."""
    problem, clients = model.problem, model.clients.iloc[model.active]
    rows = np.flatnonzero(np.isin(problem.lane_options, [*opened, -1]).all(axis=1))
    owner, n = problem.lane_client[rows], problem.n_clients
    stay = problem.unserved_cost.sum()
    saved = problem.unserved_cost[owner] - problem.lane_cost[rows]
    above, limits = [np.zeros((n, len(rows)))], [np.ones(n)]
    above[0][owner, np.arange(len(rows))] = 1.0
    for j in opened:
        above.append((problem.demand[owner] * (problem.lane_options[rows] == j).any(axis=1))[None, :])
        limits.append(np.array([problem.capacity[j]]))
    if rule["rule"] == "state_saving":
        above.append(-np.where(clients["under_utilised"].to_numpy()[owner], saved, 0.0)[None, :])
        limits.append(np.array([-rule["at_least_share"] * today_inr(model)]))
    if rule["rule"] == "carbon":
        before, lanes = kg_of(model, model.existing), kg_of(model, model.improving)[model.lane_of_row[rows]]
        of_client = dict(zip(model.existing.client, before, strict=True))
        less = lanes - np.array([of_client[model.active[i]] for i in owner])
        mine = clients["under_utilised"].to_numpy() * clients["tonnes_per_year"].to_numpy()
        above.append((less * mine[owner])[None, :])
        under = model.clients["under_utilised"] * model.clients["tonnes_per_year"]
        today = sum(kg * under.iloc[client] for client, kg in of_client.items())
        limits.append(np.array([(rule["at_most_share"] - 1.0) * today]))
    if not len(rows):
        return stay if all((limit >= 0).all() for limit in limits) else np.inf
    found = linprog(-saved, A_ub=np.vstack(above), b_ub=np.concatenate(limits))
    return stay + found.fun if found.status == 0 else np.inf


def today_inr(model):
    """What the cargo of under-utilised districts costs today: there are no tastes here."""
    under = model.clients["under_utilised"] * model.clients["tonnes_per_year"]
    return float(model.existing.cost_inr_per_t @ under.iloc[model.existing.client])


def kg_of(model, lanes):
    parts = model.pricer.parts(lanes)
    return np.bincount(parts["lane"], parts["co2e_kg_per_t"], minlength=len(lanes))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_is_exact_its_price_is_the_saving_forgone_and_it_binds(model, rule):
    free, ruled = make_plan(model), with_rule_prices(make_plan(model, rules=(rule,)))
    least = brute_force(model, rule)
    assert ruled.solution.objective == pytest.approx(least, rel=1e-9)
    assert ruled.solution.status == "optimal"
    price = ruled.rule_prices.together.inr_per_year
    assert price == pytest.approx(least - free.solution.objective, rel=1e-6, abs=1.0)
    assert price > 1000.0
    assert all(kept.kept for kept in kept_rows(ruled))


def test_removing_a_rule_never_lowers_the_saving(model):
    rules = (RULES["floor of sites"], RULES["districts in reach"], RULES["carbon"])
    plan = with_rule_prices(make_plan(model, rules=rules))
    for k, price in enumerate(plan.rule_prices.by_name.values()):
        fewer = make_plan(model, rules=rules[:k] + rules[k + 1 :])
        assert fewer.solution.objective <= plan.solution.objective * (1 + 1e-12)
        assert price.inr_per_year == pytest.approx(plan.solution.objective - fewer.solution.objective, rel=1e-6, abs=1)
        assert 0 <= price.low_inr_per_year <= price.inr_per_year + 1 <= price.high_inr_per_year + 2
    together = plan.rule_prices.together.inr_per_year
    assert together >= max(price.inr_per_year for price in plan.rule_prices.by_name.values())


def test_a_better_plan_found_without_a_rule_that_keeps_it_takes_the_place_of_the_plan(model):
    rules = ({"rule": "sites", "at_most": 3}, {"rule": "carbon", "at_most_share": 1.0})
    best = make_plan(model, rules=rules)
    worse = make_plan(model, rules=rules, forced=("cold_store-standard@madhya-pradesh/d3",))
    assert worse.solution.objective > best.solution.objective
    poor = replace(worse.solution, bound=best.solution.bound, status="feasible")
    plan = with_rule_prices(make_plan(model, rules=rules, solution=poor))
    assert plan.solution.objective == pytest.approx(best.solution.objective, rel=1e-9)
    assert plan.solution.status == "optimal"
    assert [price.inr_per_year for price in plan.rule_prices.by_name.values()] == pytest.approx([0.0, 0.0], abs=1.0)


def test_what_a_plan_comes_to_is_worked_out_anew_and_a_broken_rule_is_never_told_as_kept(model):
    plan = make_plan(model, rules=(RULES["carbon"],))
    (kept,) = kept_rows(plan)
    assert kept.reached == pytest.approx(plan.totals("after")["co2e_t_per_year"])
    assert kept.reached <= 0.81 * plan.totals("before")["co2e_t_per_year"] * (1 + 1e-9)
    free = make_plan(model)
    with pytest.raises(RuntimeError, match="rule 'CO2e' is broken"):
        make_plan(model, rules=(RULES["carbon"],), solution=free.solution)


def test_rules_go_along_when_lanes_change(free_study):
    study = free_study.with_changes(rules=(RULES["carbon"], RULES["floor of sites"]))
    model = build_model(study)
    again = close_gateways(model, ())
    assert len(model.rule_rows) == len(again.rule_rows) == 2
    assert len(model.problem.over_lanes) == 1 and len(model.problem.rules) == 1
    assert make_plan(model).opened["facility_type"].eq("cold_store").sum() >= 2


def test_a_session_honours_the_rules_of_its_study_and_those_of_a_question(free_study):
    session = Session(free_study.with_changes(rules=(RULES["ceiling of sites"],)))
    assert len(session.solve(budget_inr_crore=100.0).opened) <= 1
    assert len(session.solve(rules=()).opened) > 1
    cold = session.solve(rules=(RULES["floor of sites"],)).opened["facility_type"]
    assert cold.eq("cold_store").sum() >= 2
    assert len(session.solve().opened) <= 1


IMPOSSIBLE = {
    "more sites than places": ({"rule": "sites", "facility_types": ["cold_store"], "at_least": 40},
                               "asks for at least 40 sites; everything that may be built comes to 11 sites"),
    "more sites than money": ({"rule": "sites", "facility_types": ["mmlp"], "at_least": 2},
                              "of which the cheapest cost ₹440.0 crore; the budget is ₹60.0 crore"),
    "more capital than the budget": ({"rule": "state_budget", "states": [STATE], "at_least_inr_crore": 90.0},
                                     "asks for at least ₹90.0 crore, the budget is ₹60.0 crore"),
    "out of reach": ({"rule": "access", "hours": 1, "at_least_share": 0.9}, "everything that may be built comes to"),
    "no such saving": ({"rule": "state_saving", "at_least_share": 0.9}, f" % in {STATE}"),
    "no such carbon": ({"rule": "carbon", "at_most_share": 0.1}, "no plan comes below"),
    "an unknown state": ({"rule": "sites", "states": ["Madhya Prades"], "at_most": 1}, f"did you mean '{STATE}'?"),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "message"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_rule_that_no_plan_keeps_is_told_with_its_numbers_by_check_and_by_run(free_study, tmp_path, rule, message):
    study = free_study.with_changes(rules=(rule,))
    path = tmp_path / "study.toml"
    path.write_text(study_text(study, tmp_path))
    told, *why = check_study(path)
    assert message in str(told)
    assert all("kept: " in str(fault) and "enough would be" in str(fault) for fault in why)
    assert len(why) == ("unknown state" not in told.message)
    with pytest.raises(InputError) as refused:
        make_plan(build_model(study))
    assert [fault.message for fault in refused.value.faults] == [told.message]


def test_forced_sites_over_a_ceiling_are_told(free_study):
    forced = ("warehouse-small@madhya-pradesh/d1", "warehouse-small@madhya-pradesh/d5")
    study = free_study.with_changes(forced=forced, rules=(RULES["ceiling of sites"],))
    with pytest.raises(InputError, match="allows at most 1 site; no plan comes below 2 sites"):
        make_plan(build_model(study))


def test_rules_that_stand_against_one_another_make_no_plan(model):
    with pytest.raises(InputError, match="loosen a rule"):
        make_plan(model, rules=(RULES["ceiling of sites"], RULES["floor of capital"]))


def test_plan_json_tells_limit_value_and_price(model, tmp_path):
    rules = (RULES["floor of capital"], RULES["saving"])
    told = summary(with_rule_prices(make_plan(model, rules=rules)))["rules"]
    assert [rule["name"] for rule in told] == ["Capital of each state", "Saving of each state"]
    assert told[0]["at_least"] == 40.0 <= told[0]["reached"] and told[0]["at_most"] is None
    assert all(rule["state"] == STATE and rule["price_inr_per_year"] >= 0 for rule in told)
    assert summary(make_plan(model, rules=rules))["rules"][0]["price_inr_per_year"] is None
    assert json.dumps(told)

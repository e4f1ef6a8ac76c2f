"""Why a site is built, why a place is not, and what it would take: against every set of options, one by one."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from geodata.errors import InputError
from siting.money import INR_PER_CRORE
from siting.plan import make_plan
from siting.report.why import district_lines, option_lines, site_lines
from siting.scenarios.why import Why, with_more_cargo
from siting.solver import solve

EXACT_INR = 1.0
CLOSED = "cold_store@madhya-pradesh/d0"
"""A site that the tiny plan does not open and would, were it cheaper."""


@pytest.fixture(scope="module")
def plan(tiny_model):
    """The tiny study solved to the rupee, with few enough options left to try every set of them."""
    kept = set(make_plan(tiny_model).opened["site_id"]) | {"warehouse@madhya-pradesh/d7", CLOSED}
    others = tuple(sorted(set(tiny_model.options["site_id"]) - kept))
    return make_plan(replace(tiny_model, study=tiny_model.study.with_changes(gap=1e-9, forbidden=others)))


@pytest.fixture(scope="module")
def why(plan):
    return Why(plan)


@pytest.fixture(scope="module")
def cost_of_every_set(plan):
    """Cost of a year of every set of options that keeps the limits, by enumeration."""
    problem = plan.model.problem
    free = np.setdiff1d(np.arange(problem.n_options), problem.forbidden)
    assert len(free) <= 12
    costs = {}
    for size in range(len(free) + 1):
        for chosen in combinations(free.tolist(), size):
            if len(set(problem.group[list(chosen)])) < size or problem.capex[list(chosen)].sum() > problem.budget:
                continue
            closed = np.setdiff1d(np.arange(problem.n_options), chosen)
            found = solve(problem.with_changes(forced_open=np.array(chosen, int), forbidden=closed), gap=0.0)
            if found.status == "optimal":
                costs[frozenset(chosen)] = found.objective
    return costs


def test_a_site_is_worth_what_the_best_plan_without_it_costs_more(why, plan, cost_of_every_set):
    """(97), by enumeration."""
    best = min(cost_of_every_set.values())
    ids = plan.model.options["option_id"].tolist()
    assert len(plan.opened) > 0
    for site in plan.opened["site_id"]:
        (reason,) = why.site(site)
        same = {k for k, name in enumerate(plan.model.options["site_id"]) if name == site}
        without = {chosen: cost for chosen, cost in cost_of_every_set.items() if not chosen & same}
        assert reason.worth_inr_per_year.high == pytest.approx(min(without.values()) - best, abs=EXACT_INR)
        assert reason.worth_inr_per_year.low == pytest.approx(reason.worth_inr_per_year.high, abs=2 * EXACT_INR)
        instead = {ids.index(name) for name in reason.instead}
        assert instead == min(without, key=without.get) - set(plan.solution.open.tolist())


def test_an_option_is_short_of_what_the_best_plan_with_it_costs_more_and_is_built_at_the_capital_told(
    plan, why, cost_of_every_set
):
    """(98), by enumeration; at a little less than the capital told it is built, at a little more it is not."""
    best = min(cost_of_every_set.values())
    ids = plan.model.options["option_id"].tolist()
    (reason,) = why.place(CLOSED)
    j = ids.index(reason.option_id)
    short = min(cost for chosen, cost in cost_of_every_set.items() if j in chosen) - best
    assert short > 0
    assert reason.short_inr_per_year.high == pytest.approx(short, abs=EXACT_INR)
    assert reason.enough_inr_crore is not None
    charge = plan.model.options["capital_charge_inr_per_year"].to_numpy()[j] / reason.capex_inr_crore
    for crore, built in ((reason.enough_inr_crore - 0.01, True), (reason.enough_inr_crore + 0.01, False)):
        cost = plan.model.problem.fixed_cost.copy()
        cost[j] -= charge * (reason.capex_inr_crore - crore)
        assert (j in solve(plan.model.problem.with_changes(fixed_cost=cost), gap=0.0).open) == built


def test_no_question_is_solved_twice(plan, monkeypatch):
    asked = []

    def counted(problem, **how):
        asked.append((tuple(problem.forced_open), tuple(problem.forbidden), problem.demand.sum()))
        return solve(problem, **how)

    monkeypatch.setattr("siting.scenarios.why.solve", counted)
    Why(plan).place(CLOSED, tonnage=True)
    assert len(asked) > 10 and len(asked) == len(set(asked))


def test_the_tonnage_told_is_where_the_place_begins_to_pay(plan, why):
    (reason,) = why.place(CLOSED, tonnage=True)
    j = plan.model.options["option_id"].tolist().index(reason.option_id)
    served = plan.model.demand["district"].isin(reason.districts).to_numpy()
    assert reason.tonnage_factor.high / reason.tonnage_factor.low < 1.03
    for times, built in ((reason.tonnage_factor.low, False), (reason.tonnage_factor.high, True)):
        assert (j in solve(with_more_cargo(plan.model, served, times), gap=0.0).open) == built


def test_what_a_site_saves_by_component_adds_up_to_its_saving(plan, why):
    """Every lane of the tiny plan uses one site, so that the parts less the site's own costs are its net saving."""
    for row in plan.opened.to_dict("records"):
        (reason,) = why.site(row["option_id"])
        gross = sum(value for name, value in reason.parts_inr_per_year.items() if name not in ("running", "capital"))
        assert gross == pytest.approx(row["saving_inr_per_year"], rel=1e-6)
        assert reason.districts["saving_inr_per_year"].sum() == pytest.approx(row["saving_inr_per_year"], rel=1e-6)
        assert reason.parts_inr_per_year["running"] == -row["fixed_cost_inr_per_year"]


def test_a_district_is_told_its_ways_the_next_best_and_what_could_serve_it(plan, why):
    row = int(plan.after.district[plan.after.uses_site][0])
    served = plan.model.demand["district_id"].iat[row]
    ways = why.district(served).ways
    assert ways["tonnes_per_year"].sum() == pytest.approx(plan.after.tonnes[plan.after.district == row].sum())
    by_site = ways[ways["via"] != ""]
    assert len(by_site)
    assert (by_site["after_inr_per_t"] < by_site["before_inr_per_t"]).all()


def test_a_name_is_a_site_a_place_or_a_district_or_is_told_what_it_may_have_meant(plan, why):
    assert why.kinds_of(plan.opened["option_id"].iat[0]) == ["site"]
    assert why.kinds_of("madhya-pradesh/d7") == ["place", "district"]
    with pytest.raises(InputError, match="did you mean 'madhya-pradesh/d7'"):
        why.kinds_of("madhya-pradesh/d77")


def test_the_answers_fit_a_screen(plan, why):
    (site,) = why.site(plan.opened["option_id"].iat[0])
    assert f"is worth ₹{site.worth_inr_per_year.high / INR_PER_CRORE:.2f} crore a year" in site_lines(site)[0]
    (option,) = why.place(CLOSED)
    assert any(f"instead of ₹{option.capex_inr_crore:.1f} crore" in line for line in option_lines(option))
    assert len(district_lines(why.district("madhya-pradesh/d7"))) < 40

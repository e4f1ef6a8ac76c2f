"""Studies in phases, (77) to (79): budgets that carry over, sites that stay, demand that grows, later years less."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geodata.errors import InputError
from siting.model.model import build_model
from siting.model.phased import discount_weights, last_growth, of_last, phased_problem, present_values
from siting.phases import Phase
from siting.plan import make_plan
from siting.results.tables import sites_table, summary, write_tables
from siting.solver import FacilityProblem, Rules, solve
from siting.study import Study, load_study, make_study, study_faults, study_text

THREE = (
    {"name": "first", "years": 5, "budget_inr_crore": 20.0},
    {"name": "second", "years": 5, "budget_inr_crore": 15.0, "demand_growth": 0.3},
    {"name": "third", "years": 10, "budget_inr_crore": 40.0, "demand_growth": 0.8},
)


@pytest.fixture(scope="module")
def phased_plan(free_study):
    study = free_study.with_changes(phases=THREE, budget_inr_crore=75.0)
    return make_plan(build_model(study), gap=0.0)


class Stated:
    """What `phased_problem` asks of a model: a problem and the discount rate."""

    def __init__(self, problem, rate):
        self.problem, self.parameters = problem, {"discount_rate": rate}


def test_a_year_counts_by_what_it_is_worth_today():
    """(77): two phases of one and two years at 10 %: 1/1.1, and 1/1.21 + 1/1.331."""
    phases = [Phase("a", 1, 1.0), Phase("b", 2, 1.0)]
    worth = [1 / 1.1, 1 / 1.21 + 1 / 1.331]
    assert present_values(phases, 0.1) == pytest.approx(worth)
    assert discount_weights(phases, 0.1) == pytest.approx(np.array(worth) / sum(worth))


def test_the_last_of_three_phases_ends_after_its_own_years():
    """(77) at 10 %: years 1, 2 to 3 and 4 to 6, each at its end; without discount the years alone."""
    phases = [Phase("a", 1, 1.0), Phase("b", 2, 1.0), Phase("c", 3, 1.0)]
    years = ([1], [2, 3], [4, 5, 6])
    assert present_values(phases, 0.1) == pytest.approx([sum(1.1**-n for n in some) for some in years])
    assert present_values(phases, 0.0).tolist() == [1, 2, 3]
    assert present_values(phases[:1], 0.0).tolist() == [1]


def test_demand_of_a_phase_is_a_part_of_that_of_the_last():
    phases = [Phase("a", 1, 1.0, -0.5), Phase("b", 1, 1.0), Phase("c", 1, 1.0, 0.25)]
    assert of_last(phases) == pytest.approx([0.4, 0.8, 1.0])
    assert last_growth([{"demand_growth": 0.1}, {"demand_growth": 0.4}, {"demand_growth": 0.3}]) == 0.3
    assert last_growth([{"demand_growth": 0.1}, {}]) == last_growth([]) == 0.0


def test_each_part_of_the_problem_of_three_phases_by_hand():
    """(77) to (79): two clients, three options, of which the first two are sizes of one site; all the rest in order."""
    problem = FacilityProblem.from_costs(
        [[5.0, 6.0, 7.0], [8.0, np.inf, 9.0]], demand=[2.0, 4.0], fixed_cost=[1.0, 2.0, 3.0], capex=[10.0, 20.0, 5.0],
        capacity=[4.0, 8.0, np.inf], min_throughput=[1.0, 0.0, 0.0], group=[0, 0, None], unserved_cost=[90.0, 80.0],
        rules=Rules([[1.0, 1.0, 1.0]], lower=1.0, upper=2.0, names=["some"]), forced_open=[2], forbidden=[1],
    )  # fmt: skip
    phases = (Phase("a", 1, 6.0, -0.5), Phase("b", 1, 7.0), Phase("c", 2, 8.0, 1.0))
    whole, part, w = phased_problem(Stated(problem, 0.0), phases), (0.25, 0.5, 1.0), (0.25, 0.25, 0.5)
    n, m, lanes = 2, 3, problem.n_lanes
    assert (whole.n_clients, whole.n_options, whole.n_lanes) == (3 * n, 3 * m, 3 * lanes)
    for t in range(3):
        own, sites, clients = (slice(t * k, (t + 1) * k) for k in (lanes, m, n))
        assert (whole.lane_client[own] == problem.lane_client + t * n).all()
        shifted = np.where(problem.lane_options < 0, -1, problem.lane_options + t * m)
        assert (whole.lane_options[own] == shifted).all() and (shifted == -1).any()
        assert whole.lane_cost[own] == pytest.approx(w[t] * part[t] * problem.lane_cost)
        assert whole.unserved_cost[clients] == pytest.approx(w[t] * part[t] * problem.unserved_cost)
        assert whole.demand[clients] == pytest.approx(part[t] * problem.demand)
        assert whole.fixed_cost[sites] == pytest.approx(w[t] * problem.fixed_cost)
        for same in ("capex", "capacity", "min_throughput"):
            assert (getattr(whole, same)[sites] == getattr(problem, same)).all()
        one, other, alone = whole.group[sites]
        assert one == other and (alone == -1 or (whole.group == alone).sum() == 1)
        assert (whole.group == one).sum() == 2, "of each phase one size is open"
    assert whole.forced_open.tolist() == [8] and sorted(whole.forbidden.tolist()) == [1, 4, 7]
    rows = {
        "budget up to a": ([10, 20, 5, 0, 0, 0, 0, 0, 0], -np.inf, 6), "some": ([0] * 6 + [1] * 3, 1, 2),
        "budget up to b": ([0, 0, 0, 10, 20, 5, 0, 0, 0], -np.inf, 13),
        "budget up to c": ([0, 0, 0, 0, 0, 0, 10, 20, 5], -np.inf, 21),
    }  # fmt: skip
    for coefficients, low, high, name in zip(
        whole.rules.coefficients.toarray().tolist(),
        whole.rules.lower,
        whole.rules.upper,
        whole.rules.names,
        strict=True,
    ):
        if name in rows:
            assert (coefficients, low, high) == rows.pop(name)
        else:
            assert name.endswith(" stays") and (low, high) == (-np.inf, 0)
    assert not rows
    stays = whole.rules.coefficients.toarray()[[name.endswith(" stays") for name in whole.rules.names]]
    no_less = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])
    nothing = np.zeros((3, 3))
    assert stays.tolist() == np.block([[no_less, -no_less, nothing], [nothing, no_less, -no_less]]).tolist()


def test_an_example_of_two_periods_priced_by_hand():
    """(77) to (79): one client at 100 a year unserved; A costs 10 of capital and serves at 60, B 15 and at 20.

    Demand doubles in the second of two phases of a year, at no discount. 10 of budget come in each: the first phase
    can pay for A alone. Either A from the first phase on: (60 + 1) / 2 + (120 + 1) / 2 = 91, the 10 that are left
    not enough for B; or nothing first, and B with the 20 carried over: 100 / 2 + (40 + 1) / 2 = 70.5.
    """
    problem = FacilityProblem.from_costs([[120.0, 40.0]], fixed_cost=1.0, capex=[10.0, 15.0], unserved_cost=[200.0])
    phases = (Phase("one", 1, 10.0), Phase("two", 1, 10.0, demand_growth=1.0))
    solution = solve(phased_problem(Stated(problem, 0.0), phases), gap=0.0)
    assert solution.objective == pytest.approx(70.5)
    assert solution.open.tolist() == [3]  # B in the second phase
    alone = solve(phased_problem(Stated(problem, 0.0), phases).with_changes(forbidden=[1, 3]), gap=0.0)
    assert alone.objective == pytest.approx(91.0)
    assert alone.open.tolist() == [0, 2]  # A in both: it stays


def test_a_park_is_built_in_two_stages_for_what_the_second_takes_more():
    """(79): 4 crore build a stage that holds 1 of 3 tonnes, 10 crore all; 5 crore come in each phase.

    A tonne costs 20 less through the park. Stage first: 2 x 1 x 20 / 2 saved in the first of two years, all three in
    the second. Without the stage nothing stands in the first year, and alone it never grows.
    """
    problem = FacilityProblem.from_costs(
        np.full((3, 2), 10.0), demand=np.ones(3), capacity=[1.0, 3.0], capex=[4.0, 10.0], group=[0, 0],
        unserved_cost=np.full(3, 30.0),
    )  # fmt: skip
    phases = (Phase("one", 1, 5.0), Phase("two", 1, 5.0))
    whole = phased_problem(Stated(problem, 0.0), phases)
    solution = solve(whole, gap=0.0)
    assert solution.open.tolist() == [0, 3]
    assert 90.0 - solution.objective == pytest.approx((20 + 60) / 2)
    without = solve(whole.with_changes(forbidden=[0, 2]), gap=0.0)
    assert 90.0 - without.objective == pytest.approx((0 + 60) / 2)
    smaller = whole.with_changes(forced_open=[1])  # no way back, nor to what the first budget cannot pay
    assert solve(smaller, gap=0.0).status == "infeasible"


def test_a_site_never_shrinks():
    """(79): the larger size costs more to run and is needed in the first year alone, when demand is high."""
    problem = FacilityProblem.from_costs(
        np.zeros((2, 2)), demand=np.ones(2), capacity=[1.0, 2.0], capex=[1.0, 2.0], fixed_cost=[0.0, 5.0], group=[0, 0],
        unserved_cost=np.full(2, 30.0),
    )  # fmt: skip
    phases = (Phase("one", 1, 2.0, demand_growth=1.0), Phase("two", 1, 0.0))
    solution = solve(phased_problem(Stated(problem.with_changes(demand=np.ones(2)), 0.0), phases), gap=0.0)
    assert solution.open.tolist() in ([0, 2], [1, 3])  # as it was built


def test_one_phase_is_the_study_without_phases(tiny_study, tiny_plan):
    for years in (1, 12):
        study = tiny_study.with_changes(phases=({"years": years, "budget_inr_crore": 60.0},))
        plan = make_plan(build_model(study))
        assert plan.solution.open.tolist() == tiny_plan.solution.open.tolist()
        assert plan.proof.objective == pytest.approx(tiny_plan.solution.objective, rel=1e-12)
        assert plan.phased.saving_inr_per_year == pytest.approx(tiny_plan.net_saving_inr_per_year)
        own, plain = summary(plan), summary(tiny_plan)
        for key in ("before", "after", "saving_inr_per_year", "capex_inr_crore", "counts", "objective_inr"):
            assert own[key] == pytest.approx(plain[key])


def random_problem(random):
    """A few clients and options with everything that may bind, and what ties its phases together."""
    n, m = 3, 3
    problem = FacilityProblem.from_costs(
        random.integers(1, 60, (n, m)).astype(float),
        demand=random.integers(1, 5, n).astype(float),
        fixed_cost=random.integers(0, 25, m).astype(float),
        capex=random.integers(1, 10, m).astype(float),
        capacity=np.where(random.random(m) < 0.5, random.integers(3, 12, m), np.inf),
        min_throughput=np.where(random.random(m) < 0.3, 2.0, 0.0),
        group=[0, 0, None] if random.random() < 0.5 else None,
        unserved_cost=random.integers(30, 90, n).astype(float),
        rules=Rules([[1.0] * m], lower=1.0) if random.random() < 0.2 else None,
    )
    phases = tuple(
        Phase(str(t), float(random.integers(1, 6)), float(random.integers(0, 9)), float(random.integers(-1, 4)) / 4)
        for t in range(3)
    )
    return problem, phases, float(random.choice([0.0, 0.08]))


def by_enumeration(problem, phases, rate):
    """The least cost of all that may stand phase by phase, sites staying and growing; the one-period solver serves."""
    w = discount_weights(phases, rate)
    at_last = 1.0 + phases[-1].demand_growth
    known = {}

    def year(opened, t):
        part = (1.0 + phases[t].demand_growth) / at_last
        if (opened, part) not in known:
            closed = [j for j in range(problem.n_options) if j not in opened]
            of_year = replace(
                problem,
                lane_cost=problem.lane_cost * part, unserved_cost=problem.unserved_cost * part,
                demand=problem.demand * part, rules=None, forced_open=list(opened), forbidden=closed,
            )  # fmt: skip
            found = solve(of_year, gap=0.0)
            known[opened, part] = np.inf if found.status == "infeasible" else found.objective
        return known[opened, part]

    best, n, m = np.inf, len(phases), problem.n_options
    site = np.where(problem.group >= 0, problem.group, 1 + np.arange(m))
    money = np.cumsum([phase.budget_inr_crore for phase in phases])
    ways = [way for k in range(m + 1) for way in itertools.combinations(range(m), k)
            if len({*site[[*way]]}) == len(way)]  # fmt: skip
    size = {way: np.bincount(site[[*way]], problem.capex[[*way]], minlength=m + 1) for way in ways}
    for stands in itertools.product(ways, repeat=n):
        if any(size[sites].sum() > money[t] for t, sites in enumerate(stands)):
            continue
        if any((size[before] > size[after]).any() for before, after in itertools.pairwise(stands)):
            continue
        if problem.rules is not None and not stands[-1]:
            continue
        best = min(best, sum(w[t] * year(stands[t], t) for t in range(n)))
    return best


@pytest.mark.parametrize("seed", [*range(12), *(pytest.param(s, marks=pytest.mark.slow) for s in range(12, 200))])
def test_all_phases_at_once_are_as_good_as_the_best_of_all_ways(seed):
    """(77) to (79) against all that may stand in three phases, under capacities, minimums and a rule."""
    problem, phases, rate = random_problem(np.random.default_rng(seed))
    found = solve(phased_problem(Stated(problem, rate), phases), gap=0.0)
    best = by_enumeration(problem, phases, rate)
    if found.status == "infeasible":
        assert best == np.inf
    else:
        assert found.objective == pytest.approx(best)
        assert found.bound == pytest.approx(best)


def test_what_a_phase_does_not_spend_carries_over_and_sites_stay(phased_plan):
    """(78), (79): the table of phases, worked out from what stands in each."""
    phased, table = phased_plan.phased, phased_plan.phased.table
    capex = phased_plan.model.problem.capex
    assert (np.diff(phased.opened.astype(int), axis=0) >= 0).all()
    assert table["carried_over_inr_crore"].ge(-1e-9).all()
    assert table["carried_in_inr_crore"].tolist() == [0.0, *table["carried_over_inr_crore"][:-1]]
    assert table["capex_inr_crore"].sum() == pytest.approx(capex[phased.opened[-1]].sum())
    left = table["carried_in_inr_crore"] + table["budget_inr_crore"] - table["capex_inr_crore"]
    assert table["carried_over_inr_crore"].to_numpy() == pytest.approx(left.to_numpy())
    assert table["sites_opened"].sum() == len(phased_plan.opened) == table["sites_open"].iloc[-1] > 1
    assert table["sites_opened"].gt(0).sum() > 1  # else this test says little


def test_the_saving_of_all_phases_is_what_the_objective_leaves(phased_plan):
    """(77): the mean saving less the charge of capital is what is cheaper than without any site."""
    model, phased = phased_plan.model, phased_plan.phased
    growth = np.array([1.0 + phase["demand_growth"] if "demand_growth" in phase else 1.0 for phase in THREE]) / 1.8
    without = float((phased.weights * growth).sum() * model.problem.unserved_cost.sum())
    charge = phased.weights @ (phased.opened @ model.options["capital_charge_inr_per_year"].to_numpy())
    assert without - phased.solution.objective == pytest.approx(phased.saving_inr_per_year - charge)
    assert phased_plan.benefit_inr_per_year == pytest.approx(without - phased.solution.objective)
    assert phased_plan.net_saving_inr_per_year == pytest.approx(phased.table["saving_inr_per_year"].iloc[-1])
    assert not np.isfinite(phased_plan.solution.bound)  # what is proven is of all phases


def test_the_last_phase_has_its_own_demand(phased_plan, free_model):
    before = free_model.clients["tonnes_per_year"]
    assert phased_plan.model.clients["tonnes_per_year"].to_numpy() == pytest.approx(1.8 * before.to_numpy())


def test_a_budget_asked_otherwise_scales_those_of_the_phases(phased_plan):
    plan = make_plan(phased_plan.model, budget_inr_crore=30.0)
    assert plan.phased.table["budget_inr_crore"].tolist() == pytest.approx([8.0, 6.0, 16.0])
    assert plan.phased.saving_inr_per_year < phased_plan.phased.saving_inr_per_year


def test_forced_sites_stand_in_the_last_phase_and_rules_are_asked_of_it(phased_plan):
    closed = ~phased_plan.phased.opened[-1]
    stores = phased_plan.model.options[closed & (phased_plan.model.options["facility_type"] == "cold_store")]
    name = stores["option_id"].iloc[0]
    plan = make_plan(phased_plan.model, forced=(name,), rules=({"rule": "sites", "at_least": 3},))
    assert name in set(plan.opened["option_id"])
    assert len(plan.opened) >= 3
    assert plan.phased.table["capex_inr_crore"].iloc[0] <= 20.0 + 1e-9


def test_files_tell_what_opens_when(phased_plan, tiny_plan, tmp_path):
    write_tables(phased_plan, tmp_path)
    table = pd.read_csv(tmp_path / "phases.csv")
    assert table["name"].tolist() == ["first", "second", "third"]
    told = summary(phased_plan)
    assert [phase["capex_inr_crore"] for phase in told["phases"]] == pytest.approx(table["capex_inr_crore"].tolist())
    assert told["objective_inr"] - told["bound_inr"] == pytest.approx(phased_plan.slack_inr_per_year, abs=1e-3)
    sites = sites_table(phased_plan)
    opened = sites["opens_in_phase"].value_counts()
    assert [opened.get(name, 0) for name in table["name"]] == table["sites_opened"].tolist()
    assert "opens_in_phase" not in sites_table(tiny_plan)
    grown = sites.loc[sites["stages"] != "", "stages"].tolist()
    before_last = phased_plan.model.options[phased_plan.phased.opened[:-1].any(axis=0)]
    assert len(grown) == (~before_last["option_id"].isin(sites["option_id"])).sum()
    assert summary(tiny_plan)["phases"] == []
    json.dumps(told, allow_nan=False)


def test_a_study_file_with_phases_is_read_written_and_read_again(tmp_path):
    text = '[study]\nname = "P"\n' + "".join(
        "\n[[phases]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in phase.items()) for phase in THREE
    )
    (tmp_path / "p.toml").write_text(text)
    study = load_study(tmp_path / "p.toml")
    assert study.budget_inr_crore == 75.0
    assert [phase.budget_inr_crore for phase in study.periods()] == pytest.approx([20.0, 15.0, 40.0])
    (tmp_path / "q.toml").write_text(study_text(study, tmp_path))
    assert load_study(tmp_path / "q.toml").resolved() == study.resolved()
    again = {key: value for key, value in study.resolved().items() if key not in ("data", "parameters")}
    assert make_study(again).periods() == study.periods()
    assert Study().periods() == ()


@pytest.mark.parametrize(
    ("phases", "message"),
    [
        ("soon", "are no list of tables"),
        ([{"years": 5}], "phase 1 has no budget_inr_crore"),
        ([{"years": 0, "budget_inr_crore": 5}], "years = '0', which is out of range"),
        ([{"years": 5, "budget_inr_crore": 5, "growth": 1}], "unknown key 'growth'"),
        ([{"years": 5, "budget_inr_crore": 0}], "no phase has a budget"),
        ([{"years": 5, "budget_inr_crore": 5, "name": "a"}] * 2, "two phases have the name 'a'"),
        ([{"years": 1, "budget_inr_crore": 5}] * 31, "31 phases are too many"),
    ],
)
def test_faults_of_phases_are_told(phases, message):
    faults = study_faults({"phases": phases}, "p.toml")
    assert len(faults) == 1
    with pytest.raises(InputError, match=message):
        raise InputError(faults)

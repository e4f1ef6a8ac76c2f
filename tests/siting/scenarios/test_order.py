"""What to build first: the order of a plan's sites under yearly budgets, against every order there is."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from geodata.errors import InputError
from siting.model.phased import discount_weights
from siting.phases import Phase
from siting.scenarios.order import building_order
from siting.solver import FacilityProblem, solve


def made(model, seed):
    """A model of three options whose lanes, capital and running are drawn."""
    random = np.random.default_rng(seed)
    problem = FacilityProblem.from_costs(
        random.integers(1, 60, (5, 3)).astype(float), fixed_cost=random.integers(0, 20, 3).astype(float),
        capex=random.integers(1, 6, 3).astype(float), unserved_cost=random.integers(30, 90, 5).astype(float),
    )  # fmt: skip
    options = model.options.iloc[:3].assign(capital_charge_inr_per_year=0.0)
    study = model.study.with_changes(gap=0.0)
    return replace(model, study=study, problem=problem, options=options, rule_rows=())


def year_costs(problem, stands):
    closed = [j for j in range(problem.n_options) if j not in stands]
    return solve(problem.with_changes(forced_open=list(stands), forbidden=closed), gap=0.0).objective


def best_of_all_orders(model, budget, years):
    """Mean cost a year and years of opening of the best of all ways to open every option in some year."""
    p, horizon = model.problem, model.parameters["appraisal_years"]
    lengths = [1.0] * (years - 1) + [horizon - years + 1]
    weights = discount_weights([Phase("", n, 1.0) for n in lengths], model.parameters["discount_rate"])
    costs = {}
    for opens in itertools.product(range(years), repeat=p.n_options):
        stands = [tuple(j for j, s in enumerate(opens) if s <= t) for t in range(years)]
        if all(p.capex[list(sites)].sum() <= budget * (t + 1) + 1e-9 for t, sites in enumerate(stands)):
            costs[opens] = float(sum(w * year_costs(p, sites) for w, sites in zip(weights, stands, strict=True)))
    best = min(costs, key=costs.get)
    return costs[best], weights


@pytest.mark.parametrize("seed", range(8))
def test_no_order_saves_more_and_looking_no_year_ahead_loses_what_is_told(tiny_model, seed):
    model = made(tiny_model, seed)
    p, capital = model.problem, float(model.problem.capex.sum())
    order = building_order(model, np.arange(3), capital / 3)
    least, weights = best_of_all_orders(model, capital / 3, 3)
    nothing = float(p.unserved_cost.sum())
    assert order.saving_inr_per_year == pytest.approx(nothing - least, abs=1.1e-6 * least)
    assert 0.0 <= order.slack_inr_per_year <= 1.1e-6 * least
    year = order.table.set_index("option_id")["year_by_year"][model.options["option_id"]].to_numpy()
    stands = [tuple(np.flatnonzero(year <= t)) for t in (1, 2, 3)]
    myopic = sum(w * year_costs(p, sites) for w, sites in zip(weights, stands, strict=True))
    assert order.lost_inr_per_year == pytest.approx(float(myopic) - least, abs=1.1e-6 * least)
    assert order.lost_inr_per_year >= 0.0
    for column in ("year", "year_by_year"):
        spent = order.table.groupby(column)["capex_inr_crore"].sum().reindex([1, 2, 3], fill_value=0.0).cumsum()
        assert (spent.to_numpy() <= np.arange(1, 4) * capital / 3 + 1e-9).all()


def test_a_plan_without_sites_and_years_without_end_are_refused(tiny_model):
    model = made(tiny_model, 0)
    with pytest.raises(InputError, match="the plan has no sites"):
        building_order(model, np.zeros(0, dtype=np.int64))
    with pytest.raises(InputError, match="take more than 30 years"):
        building_order(model, np.arange(3), 0.01)

"""In what order to build the sites of a plan under yearly budgets, and what it costs to look no year ahead.

With foresight the order of all years is chosen at once, by (77) to (79), every site open in the end. Year by year,
each year adds to what stands what makes that year cheapest within the money that has come in so far.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.errors import Fault, InputError
from siting.model.costs import Array
from siting.model.model import Model
from siting.model.phased import discount_weights, phased_problem
from siting.phases import MOST_PHASES, Phase
from siting.solver import FacilityProblem, Solution, solve

GAP = 1e-6
"""Relative gap: orders of the same sites differ by little of all cost, and few options are quickly proven."""
ROUNDING = 1e-8
"""Relative; what sums of floats leave open of a gap."""
YEARS = 5
"""Years that a programme takes where nobody says how much there is a year."""


@dataclass(frozen=True, eq=False)
class Order:
    """When each site of a plan opens.

    Attributes:
        table: one row per site, first those that open first with foresight: ``option_id``, ``capex_inr_crore``,
            ``year`` (with foresight) and ``year_by_year``, both from 1.
        budget_inr_crore: that comes in each year.
        saving_inr_per_year: net saving of the mean year with foresight, later years counting less.
        lost_inr_per_year: of it, what is lost year by year.
        slack_inr_per_year: by how much another order could save more, at most.
        status: of the answer with foresight.
    """

    table: pd.DataFrame
    budget_inr_crore: float
    saving_inr_per_year: float
    lost_inr_per_year: float
    slack_inr_per_year: float
    status: str


def building_order(model: Model, opened: NDArray[np.int64], budget_inr_crore: float | None = None) -> Order:
    """Order of building some options of a model, which open together in the end.

    Args:
        opened: rows of ``model.options``.
        budget_inr_crore: that comes in each year, unspent money carrying over; None: a fifth of all capital.

    Raises:
        InputError: no sites, or years without end.
    """
    study = model.study
    if not len(opened):
        raise InputError(Fault("the plan has no sites", "ask a plan that builds some", study.name))
    capital = float(model.problem.capex[opened].sum())
    budget = capital / YEARS if budget_inr_crore is None else budget_inr_crore
    if not budget * MOST_PHASES >= capital:
        what = f"₹{budget:g} crore a year take more than {MOST_PHASES} years to build sites of ₹{capital:.0f} crore"
        raise InputError(Fault(what, f"give at least {capital / MOST_PHASES:.1f}", study.name))
    model = replace(model, problem=_only(model.problem, opened), options=model.options.iloc[opened])
    phases = _years(budget, capital, model.parameters["appraisal_years"])
    n = len(opened)
    problem = phased_problem(model, phases).with_changes(forced_open=np.arange((len(phases) - 1) * n, len(phases) * n))
    found = solve(problem, gap=GAP, time_limit=study.time_limit_s)
    if not np.isfinite(found.objective):
        raise TimeoutError(f"{study.name}: {found.message} (time_limit_s)")
    stands = np.zeros((len(phases), n), dtype=bool)
    stands.flat[found.open] = True
    myopic, cost = _year_by_year(model, phases)
    weights = discount_weights(phases, model.parameters["discount_rate"])
    by_year = float(weights @ cost)
    if by_year < found.objective:  # the search ended within its gap: the order found year by year is as good
        stands = myopic
    least = min(by_year, found.objective)
    charge = weights @ (stands @ model.options["capital_charge_inr_per_year"].to_numpy())
    nothing = float(model.problem.unserved_cost.sum())
    table = pd.DataFrame({
        "option_id": model.options["option_id"].to_numpy(),
        "capex_inr_crore": model.problem.capex,
        "year": stands.argmax(axis=0) + 1,
        "year_by_year": myopic.argmax(axis=0) + 1,
    }).sort_values(["year", "year_by_year", "option_id"], ignore_index=True)  # fmt: skip
    slack = max(least - found.bound, 0.0)
    status = "optimal" if slack <= (GAP + ROUNDING) * abs(least) else "feasible"
    return Order(table, budget, nothing - least + float(charge), by_year - least, slack, status)


def _years(budget: float, capital: float, horizon: float) -> tuple[Phase, ...]:
    """Years of building, the last of which goes on to the end of the appraisal period."""
    n = max(int(np.ceil(capital / budget - 1e-9)), 1)
    years = [1.0] * (n - 1) + [max(horizon - (n - 1), 1.0)]
    return tuple(Phase(f"year {t}", length, budget) for t, length in enumerate(years, 1))


def _only(p: FacilityProblem, opened: NDArray[np.int64]) -> FacilityProblem:
    """The problem of some options alone, without rules."""
    number = np.full(p.n_options + 1, -2)
    number[opened], number[-1] = np.arange(len(opened)), -1
    options = number[p.lane_options]
    lane = np.flatnonzero((options > -2).all(axis=1))
    return FacilityProblem(
        lane_client=p.lane_client[lane], lane_options=options[lane].astype(np.int32), lane_cost=p.lane_cost[lane],
        n_clients=p.n_clients, n_options=len(opened), unserved_cost=p.unserved_cost, demand=p.demand,
        fixed_cost=p.fixed_cost[opened], capex=p.capex[opened], capacity=p.capacity[opened],
        min_throughput=p.min_throughput[opened], group=p.group[opened],
        option_names=[p.option_name(int(j)) for j in opened],
    )  # fmt: skip


def _year_by_year(model: Model, phases: tuple[Phase, ...]) -> tuple[NDArray[np.bool_], Array]:
    """(n_phases, n_options) what stands in each year, chosen without a look ahead; (n_phases,) what each year costs."""
    p, study = model.problem, model.study
    stands, cost = np.zeros((len(phases), p.n_options), dtype=bool), np.zeros(len(phases))
    money, last = np.cumsum([phase.budget_inr_crore for phase in phases]), len(phases) - 1
    opened, found = np.zeros(0, dtype=np.int64), None
    for t in range(len(phases)):
        forced = np.arange(p.n_options) if t == last else opened
        room = max(float(money[t]), float(p.capex[forced].sum()))
        asked = p.with_changes(budget=room, forced_open=forced)
        answer: Solution = solve(asked, gap=GAP, time_limit=study.time_limit_s, start=found)
        if np.isfinite(answer.objective):
            opened, found = answer.open, answer
        stands[t, opened], cost[t] = True, answer.objective
    return stands, cost

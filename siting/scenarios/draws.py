"""How sure: a plan and its rivals over joint draws of all uncertain parameters.

Parameters are drawn independently by a Latin hypercube [McKay, Beckman and Conover 1979]: along each one, every n-th
part of its probability holds one of n draws. Half of the probability lies between ``low`` and ``value``, half between
``value`` and ``high``, uniform on either side, so that the value is the median and nothing more is claimed of a range:

    x(u) = low + 2 u (value - low)               for u < 1/2,
    x(u) = value + (2 u - 1) (high - value)      else                                                    (30)

Held at their value are levers and design choices, which somebody decides (their ``note`` begins with that word), and
what the study sets itself. Tastes and their draws stay as calibrated.

Holding the plan's own sites against a draw takes a tenth of a second; choosing sites anew takes some seconds, and is
done where it is asked for.

Where capital is charged, the plan chosen anew is the best with its capital, not by its saving alone: in a draw where
sites are dear it may save less than the plan's own sites, for less capital.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.appraisal import Appraisal
from siting.certainty import SEPARATOR, Certainty
from siting.model.costs import appraisal_factor
from siting.model.model import Model, repriced
from siting.money import INR_PER_CRORE
from siting.parameters import Parameters
from siting.plan import Plan, make_plan
from siting.scenarios.operation import operate
from siting.scenarios.pool import side_by_side
from siting.solver import Solution

HELD = ("lever", "design choice")
"""Beginnings of the notes of parameters that are decided, not uncertain."""

GAP = 2e-4
"""Relative gap of the plan chosen anew, unless the study's is wider. Sites save some thousandths of all cost: at a gap
of one thousandth the plan itself would pass for the best in most draws."""

Draw = dict[str, float]


def uncertain(parameters: Parameters) -> list[str]:
    """Keys of the parameters that are drawn: neither decided by somebody nor set by the study."""
    return [
        key for key, row in parameters.rows.items() if key not in parameters.overrides and not row.note.startswith(HELD)
    ]


def draw_parameters(parameters: Parameters, n: int, seed: int) -> pd.DataFrame:
    """Draw the uncertain parameters by (30).

    Returns:
        (n, number of uncertain parameters) values, a column for each; equal seeds give equal draws.
    """
    random = np.random.default_rng(seed)
    drawn = {}
    for key in uncertain(parameters):
        row, u = parameters.rows[key], (random.permutation(n) + random.random(n)) / n
        below = row.low + 2.0 * u * (row.value - row.low)
        above = row.value + (2.0 * u - 1.0) * (row.high - row.value)
        drawn[key] = np.where(u < 0.5, below, above)
    return pd.DataFrame(drawn, index=range(n))


@dataclass(frozen=True)
class _Question:
    """What every draw asks, in a form that travels to other processes."""

    model: Model
    solution: Solution
    anew: bool = True


def evaluate_draws(
    plan: Plan,
    n: int,
    *,
    anew: bool = True,
    workers: int = 1,
    scheduler: str | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Certainty:
    """Ask in each of n draws what the plan's own sites come to, and with ``anew`` which sites would be chosen.

    The study's budget and its forced and forbidden sites hold in every draw; forced sites that have become dearer than
    the budget may be built all the same. Equal plans and n give equal draws, whoever works them out.

    Args:
        workers: processes here that share the work.
        scheduler: address of a dask scheduler whose workers do it instead.
        progress: told how many draws are done.

    Raises:
        InputError: the scheduler cannot be reached, or no plan fits in a draw.
        KeyboardInterrupt: a stop was asked for.
        TimeoutError: a draw found no plan within the study's time limit.
    """
    model = plan.model
    table = draw_parameters(model.parameters, n, model.study.seed)
    draws = [{str(key): float(value) for key, value in row.items()} for row in table.to_dict("records")]
    question = _Question(replace(model, stages={}), plan.solution, anew)
    rows: dict[int, dict[str, Any]] = {}
    for k, row in side_by_side(_answer, question, draws, workers=workers, scheduler=scheduler):
        rows[k] = row
        progress(len(rows))
    found = pd.DataFrame([{"draw": k + 1, **rows[k]} for k in range(n)])
    return Certainty(pd.concat([found, table], axis=1))


def _answer(question: _Question, draw: Draw) -> dict[str, Any]:
    """What the plan's own sites come to in a draw, and the plan chosen anew."""
    opened = question.solution.open
    model = repriced(question.model, draw, None if question.anew else opened)
    own = _worth_of_sites(model, opened if question.anew else np.arange(len(opened)))
    if not question.anew:
        return {"saving_inr_per_year": np.nan, "capex_inr_crore": np.nan, **own, "sites": None}
    budget = max(model.study.budget_inr_crore, float(model.problem.capex[model.problem.forced_open].sum()))
    gap, start = max(model.study.gap, GAP), _carried_over(question, model)
    anew = make_plan(model, start=start, budget_inr_crore=budget, gap=gap)
    return {
        "saving_inr_per_year": anew.net_saving_inr_per_year,
        "capex_inr_crore": anew.capex_inr_crore,
        **own,
        "sites": SEPARATOR.join(anew.opened["option_id"]),
    }


def _carried_over(question: _Question, model: Model) -> Solution:
    """The plan's answer, where the search in a draw begins: its multipliers move with what its clients pay today.

    A shipper whom the draw gives a client more begins with the mean of that client's.
    """
    before, now = question.model.problem.unserved_cost, model.problem.unserved_cost
    per_inr = np.divide(question.solution.multipliers, before, out=np.ones_like(before), where=before > 0)
    known = pd.Series(per_inr, _shippers(question.model))
    asked = _shippers(model)
    of_client = known.groupby(level="number").mean().reindex(asked.get_level_values("number"))
    worth = known.reindex(asked).fillna(pd.Series(of_client.to_numpy(), asked)).fillna(1.0).to_numpy()
    return replace(question.solution, multipliers=worth * now)


def _shippers(model: Model) -> pd.MultiIndex:
    """Who takes part in the choice: number of the client, and which of its shippers."""
    number = model.clients["number"].iloc[model.active]
    return pd.MultiIndex.from_arrays([number, number.groupby(number).cumcount()], names=["number", "shipper"])


def _worth_of_sites(model: Model, opened: NDArray[np.int64]) -> dict[str, Any]:
    """Net saving (INR a year) and benefit-cost ratio of exactly these options, whatever they cost or move, and which of
    them recover their own capital.

    The saving is what all clients cost today, taste included, less what they cost and the sites cost to run.
    """
    operation, sites = operate(model, opened), model.options.iloc[opened]
    saving, capex_inr_crore = operation.net_inr_per_year, float(sites["capex_inr_crore"].sum())
    ratio = Appraisal.of(capex_inr_crore, saving, model.parameters).benefit_cost_ratio
    own_inr = operation.of_option_inr_per_year[opened] - sites["fixed_cost_inr_per_year"].to_numpy()
    due_inr = sites["due_capital_inr_crore"].to_numpy() * INR_PER_CRORE
    recovers = own_inr * appraisal_factor(model.parameters) >= due_inr
    return {
        "own_saving_inr_per_year": saving,
        "own_benefit_cost_ratio": np.nan if ratio is None else ratio,
        "repaying": SEPARATOR.join(sites["option_id"][recovers]),
    }

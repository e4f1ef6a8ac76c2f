"""The answer of a study with phases: what opens when, what each phase spends and saves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.certainty import SEPARATOR
from siting.model.costs import Array
from siting.model.model import Model
from siting.model.phased import discount_weights, of_last, phased_problem, present_values
from siting.money import INR_PER_CRORE
from siting.phases import Phase, starts_in_year
from siting.solver import Progress, Solution, solve

COLUMNS = (
    "phase", "name", "starts_in_year", "years", "demand_growth", "budget_inr_crore", "carried_in_inr_crore",
    "capex_inr_crore", "carried_over_inr_crore", "sites_opened", "sites_open", "saving_inr_per_year",
    "present_value_inr_crore",
)  # fmt: skip
ROUNDING = 1e-6
"""Crore; what sums of floats may leave over of a budget."""


@dataclass(frozen=True, eq=False)
class Phased:
    """What opens when.

    Attributes:
        phases: of the study.
        solution: the proven answer to all phases, of :func:`siting.model.phased.phased_problem`.
        opened: (n_phases, n_options) what stands in each phase.
        weights: (n_phases,) what a year of each phase counts, w_t of (77).
        capital_charge_inr_per_year: of the mean year, by these weights.
        table: one row per phase, as ``phases.csv``.
    """

    phases: tuple[Phase, ...]
    solution: Solution
    opened: NDArray[np.bool_]
    weights: Array
    capital_charge_inr_per_year: float
    table: pd.DataFrame

    @classmethod
    def of(cls, model: Model, solution: Solution) -> Phased:
        """Read an answer to all phases of a model, and check it against budgets and what stood before.

        Raises:
            RuntimeError: the answer does not stand up to that.
        """
        phases = model.study.periods()
        opened = np.zeros((len(phases), model.problem.n_options), dtype=bool)
        opened.flat[solution.open] = True
        weights = discount_weights(phases, model.parameters["discount_rate"])
        charge = float(weights @ (opened @ model.options["capital_charge_inr_per_year"].to_numpy()))
        phased = cls(phases, solution, opened, weights, charge, _table(model, phases, solution, opened))
        site = pd.factorize(model.options["site_id"])[0]
        capital = np.array([np.bincount(site, stands * model.problem.capex) for stands in opened])
        if (np.diff(capital, axis=0) < -ROUNDING).any() or (phased.table["carried_over_inr_crore"] < -ROUNDING).any():
            raise RuntimeError("the answer failed its re-check: a site closes or shrinks again, or a phase overspends")
        return phased

    @property
    def saving_inr_per_year(self) -> float:
        """Net saving of the mean year, by the weights of (77)."""
        return float(self.table["saving_inr_per_year"] @ self.weights)

    def opens_in(self, options: pd.DataFrame, opened: NDArray[np.int64]) -> dict[str, list[str]]:
        """When the sites of some options that stand in the last phase open, in whatever size, and how they grow.

        Args:
            options: of the model.
            opened: (n,) rows of it.

        Returns:
            Columns ``opens_in_phase`` and ``stages`` (each size with its phase; empty where a site opens in its last).
        """
        site, tier = options["site_id"].to_numpy(object), options["tier"].to_numpy(object)
        told: dict[str, list[str]] = {"opens_in_phase": [], "stages": []}
        for j in opened:
            sizes = np.flatnonzero(site == site[j])
            begins = {int(i): int(self.opened[:, i].argmax()) for i in sizes if self.opened[:, i].any()}
            order = sorted(begins, key=lambda i: begins[i])
            stages = SEPARATOR.join(f"{tier[i]} in {self.phases[begins[i]].name}" for i in order)
            told["opens_in_phase"].append(self.phases[begins[order[0]]].name)
            told["stages"].append(stages if len(order) > 1 else "")
        return told

    def last(self, model: Model) -> Solution:
        """The last phase as an answer to the problem of the model, which is stated at its demand; without a bound."""
        problem, found = model.problem, self.solution
        share = found.lane_share[-problem.n_lanes :] if problem.n_lanes else np.zeros(0)
        lanes, opened = np.flatnonzero(share > 0), np.flatnonzero(self.opened[-1])
        unserved = np.ones(problem.n_clients)
        np.subtract.at(unserved, problem.lane_client[lanes], share[lanes])
        cost = problem.lane_cost @ share + problem.unserved_cost @ np.maximum(unserved, 0.0)
        return Solution.restored(
            problem, opened, lanes, share[lanes], found.certificate,
            status=found.status, objective=float(cost + problem.fixed_cost[opened].sum()), bound=-np.inf,
            gap=found.gap, wall_s=found.wall_s, stages=found.stages, solver=found.solver, message=found.message,
        )  # fmt: skip


def solve_phases(model: Model, watch: Callable[[Progress], None] | None = None) -> Solution:
    """Solve all phases of a model's study at once: full foresight."""
    study = model.study
    problem = phased_problem(model, study.periods())
    return solve(problem, gap=study.gap, time_limit=study.time_limit_s, progress=watch)


def savings_inr_per_year(
    model: Model, phases: tuple[Phase, ...], solution: Solution, opened: NDArray[np.bool_]
) -> Array:
    """(n_phases,) net saving in a year of each phase, taste included, the running of its sites taken off."""
    p = model.problem
    share = solution.lane_share.reshape(len(phases), p.n_lanes)
    gain = p.unserved_cost[p.lane_client] - p.lane_cost
    running = model.options["fixed_cost_inr_per_year"].to_numpy()
    saving: Array = of_last(phases) * (share @ gain) - opened @ running
    return saving


def _table(model: Model, phases: tuple[Phase, ...], solution: Solution, opened: NDArray[np.bool_]) -> pd.DataFrame:
    budget = np.array([phase.budget_inr_crore for phase in phases])
    stands = opened @ model.problem.capex
    spent, left = np.diff(stands, prepend=0.0), np.cumsum(budget) - stands
    saving = savings_inr_per_year(model, phases, solution, opened)
    worth = present_values(phases, model.parameters["discount_rate"])
    return pd.DataFrame({
        "phase": np.arange(1, len(phases) + 1),
        "name": [phase.name for phase in phases],
        "starts_in_year": starts_in_year(phases),
        "years": [phase.years for phase in phases],
        "demand_growth": [phase.demand_growth for phase in phases],
        "budget_inr_crore": budget,
        "carried_in_inr_crore": np.append(0.0, left[:-1]),
        "capex_inr_crore": spent,
        "carried_over_inr_crore": left,
        "sites_opened": np.diff(opened.sum(axis=1), prepend=0),
        "sites_open": opened.sum(axis=1),
        "saving_inr_per_year": saving,
        "present_value_inr_crore": worth * saving / INR_PER_CRORE,
    })[list(COLUMNS)]  # fmt: skip

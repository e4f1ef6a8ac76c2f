"""Budget sweeps and the comparison of plans."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from geodata.distributed import run_on_cluster
from geodata.errors import InputError
from siting.model.model import Announce, Model
from siting.money import INR_PER_CRORE
from siting.plan import Plan, make_plan
from siting.solver import FacilityProblem, Solution, solve


def sweep(
    model: Model,
    budgets_inr_crore: Sequence[float],
    progress: Announce = lambda stage: None,
    scheduler: str | None = None,
) -> Iterator[Plan]:
    """Solve one model for each budget, from the smallest up.

    Each is solved from nothing, so that it is the plan a single run of that budget gives. The plan of a smaller budget
    is feasible for a larger one; should the solver return less than it (both within the gap), the smaller plan stands,
    so that the saving never falls along the sweep.

    Args:
        scheduler: address of a dask scheduler ("tcp://host:8786") whose workers solve the budgets side by side; None:
            this process, one after another.

    Raises:
        InputError: the scheduler cannot be reached.
    """
    budgets = sorted(set(budgets_inr_crore))
    solved: dict[int, Solution] = {}
    if scheduler is not None:
        progress(f"solve {len(budgets)} budgets at {scheduler}")
        question = (model.problem, model.study.gap, model.study.time_limit_s)
        solved = dict(run_on_cluster(scheduler, _solve_for_budget, question, budgets))
    best: Plan | None = None
    for k, budget in enumerate(budgets):
        plan = make_plan(model, progress, solution=solved.get(k), budget_inr_crore=budget)
        if best is not None and plan.solution.objective > best.solution.objective:
            forced = tuple(model.options["option_id"].iloc[best.solution.open])
            kept = make_plan(model, budget_inr_crore=budget, forced=forced)
            if kept.solution.objective < plan.solution.objective:
                plan = kept
        best = plan
        yield plan


def _solve_for_budget(question: tuple[FacilityProblem, float, float | None], budget_inr_crore: float) -> Solution:
    problem, gap, time_limit_s = question
    return solve(problem.with_changes(budget=budget_inr_crore), gap=gap, time_limit=time_limit_s)


def sweep_table(plans: Sequence[Plan]) -> pd.DataFrame:
    """One row per plan: budget, capital, saving, ratios, sites by type, and the return on the last rupee."""
    rows = []
    for plan in plans:
        sites = plan.opened["facility_type"].value_counts()
        rows.append({
            "budget_inr_crore": plan.model.study.budget_inr_crore,
            "status": plan.solution.status,
            "gap": plan.solution.gap,
            "capex_inr_crore": plan.capex_inr_crore,
            "saving_inr_per_year": plan.net_saving_inr_per_year,
            "saving_fraction": plan.net_saving_inr_per_year / plan.totals("before")["cost_inr_per_year"],
            "benefit_cost_ratio": plan.benefit_cost_ratio,
            "payback_years": plan.payback_years,
            "warehouses": int(sites.get("warehouse", 0)),
            "cold_stores": int(sites.get("cold_store", 0)),
            "mmlps": int(sites.get("mmlp", 0)),
        })  # fmt: skip
    table = pd.DataFrame(rows)
    extra_capex = table["capex_inr_crore"].diff().fillna(table["capex_inr_crore"]) * INR_PER_CRORE
    extra_saving = table["saving_inr_per_year"].diff().fillna(table["saving_inr_per_year"])
    ratio = np.divide(extra_saving, extra_capex, out=np.full(len(table), np.nan), where=extra_capex.to_numpy() > 0)
    table["marginal_saving_per_year_per_rupee"] = ratio
    return table


@dataclass(frozen=True)
class Comparison:
    """What differs between two results: sites only in one, districts whose hub or cost differs, totals."""

    only_a: pd.DataFrame
    only_b: pd.DataFrame
    districts: pd.DataFrame
    totals: pd.DataFrame


def compare(a: Path, b: Path) -> Comparison:
    """Compare two result folders.

    Raises:
        InputError: for each folder that holds no result.
    """
    problems = [f"{folder}: no plan.json; name a folder written by `siting run`" for folder in (a, b)
                if not (folder / "plan.json").is_file()]  # fmt: skip
    if problems:
        raise InputError(problems)
    plans = [json.loads((folder / "plan.json").read_text(encoding="utf-8")) for folder in (a, b)]
    sites = [pd.read_csv(folder / "sites.csv") for folder in (a, b)]
    for table in sites:
        table["option"] = table["facility_type"] + " " + table["tier"] + ", " + table["name"] + ", " + table["state"]
    only = [mine[~mine["option"].isin(other["option"])] for mine, other in (sites, sites[::-1])]
    key = ["state", "district"]
    columns = [*key, "hub_1", "hub_2", "cost_after_inr_per_t"]
    left, right = (pd.read_csv(folder / "districts.csv")[columns] for folder in (a, b))
    both = left.merge(right, on=key, how="outer", suffixes=("_a", "_b"))
    hubs = both[["hub_1_a", "hub_2_a", "hub_1_b", "hub_2_b"]].astype(object).where(lambda t: t.notna(), "")
    moved = (hubs["hub_1_a"] != hubs["hub_1_b"]) | (hubs["hub_2_a"] != hubs["hub_2_b"])
    change = both["cost_after_inr_per_t_b"] - both["cost_after_inr_per_t_a"]
    both["change_inr_per_t"] = change
    keys = [
        "budget_inr_crore",
        "capex_inr_crore",
        "saving_inr_per_year",
        "benefit_cost_ratio",
        "payback_years",
        "gap",
    ]
    totals = pd.DataFrame({"a": [plans[0][k] for k in keys], "b": [plans[1][k] for k in keys]}, index=keys)
    return Comparison(only[0], only[1], both[moved | (change.abs() > 0.5)], totals)

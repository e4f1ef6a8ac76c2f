"""Budget sweeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from geodata.distributed import run_on_cluster
from siting.model.model import Model
from siting.plan import Plan, make_plan
from siting.solver import FacilityProblem, Solution, solve
from siting.stages import Announce, Stage


def sweep(
    model: Model,
    budgets_inr_crore: Sequence[float],
    progress: Announce = lambda stage: None,
    scheduler: str | None = None,
) -> Iterator[Plan]:
    """Solve one model for each budget, from the smallest up.

    Each is solved from nothing, so that it is the plan a single run of that budget gives. The plan of a smaller budget
    is feasible for a larger one; should the solver return less than it (both within the gap), the smaller plan stands,
    so that the objective never rises along the sweep.

    Args:
        scheduler: address of a dask scheduler ("tcp://host:8786") whose workers solve the budgets side by side; None:
            this process, one after another.

    Raises:
        InputError: the scheduler cannot be reached.
    """
    budgets = sorted(set(budgets_inr_crore))
    solved: dict[int, Solution] = {}
    if scheduler is not None:
        progress(Stage.SOLVE)
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

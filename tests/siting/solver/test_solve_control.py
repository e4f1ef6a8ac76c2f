"""Progress, stopping, time limits, warm starts, and solving in several threads."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from tiny_problems import clustered

from siting.solver import mip
from siting.solver.mip import solve_core
from siting.solver.problem import FacilityProblem
from siting.solver.reduce import reduce_problem
from siting.solver.solution import Solution
from siting.solver.solve import solve
from siting.solver.stopwatch import OutOfTime, Progress


def test_progress_reports_bounds_that_rise_and_plans_that_improve() -> None:
    seen: list[Progress] = []
    plan = solve(clustered(1), gap=0.0, progress=seen.append)
    bounds, costs = [state.bound for state in seen], [state.objective for state in seen]
    assert bounds == sorted(bounds)
    assert costs == sorted(costs, reverse=True)
    assert all(bound <= plan.objective * (1 + 1e-9) for bound in bounds)
    assert costs[-1] >= plan.objective * (1 - 1e-9)


def test_ctrl_c_returns_the_best_plan_so_far_with_a_valid_bound() -> None:
    problem = clustered(2)
    best = solve(problem, gap=0.0)

    def interrupt(state: Progress) -> None:
        if np.isfinite(state.objective):
            raise KeyboardInterrupt

    stopped = solve(problem, gap=0.0, progress=interrupt)
    assert stopped.bound <= best.objective * (1 + 1e-9) <= stopped.objective * (1 + 2e-9)


def test_a_time_limit_keeps_the_plan_and_says_how_far_the_proof_is() -> None:
    problem = clustered(3, clients=300, sites=200)
    stopped = solve(problem, gap=0.0, time_limit=0.05)
    assert stopped.status in ("unknown", "feasible", "optimal")  # as fast as the machine is
    assert stopped.bound <= stopped.objective


@pytest.mark.parametrize("single_source", [False, True])
def test_a_limit_without_a_plan_says_so_with_a_bound(single_source: bool) -> None:
    problem = clustered(4).with_changes(single_source=single_source)
    best = solve(problem, gap=0.05)
    stopped = solve(problem, time_limit=1e-6)
    assert (stopped.status, len(stopped.open), stopped.objective) == ("unknown", 0, np.inf)
    assert stopped.gap == np.inf
    assert 0 < stopped.bound <= best.objective
    assert "no plan yet after" in stopped.message
    assert "allow more time" in stopped.message


@pytest.mark.parametrize("seed", range(2))
def test_a_warm_start_proves_the_same_after_any_change(seed: int) -> None:
    problem = clustered(seed, clients=25, sites=10)
    before = solve(problem, gap=0.0)
    changes = [
        {"budget": problem.budget * 0.6},
        {"forbidden": before.open[:1]},
        {"forced_open": np.setdiff1d(np.arange(problem.n_options), before.open)[:1]},
        {"lane_cost": problem.lane_cost * np.where(problem.lane_client % 3 == 0, 1.1, 1.0)},
    ]
    for change in changes:
        changed = problem.with_changes(**change)
        assert solve(changed, gap=0.0, start=before).objective == pytest.approx(
            solve(changed, gap=0.0).objective, rel=1e-7
        )


def test_a_warm_plan_is_never_worse_than_the_one_it_starts_from_when_the_budget_grows() -> None:
    problem = clustered(5)
    plan = solve(problem.with_changes(budget=0.0), gap=0.05)
    for budget in (5.0, 10.0, 20.0, 40.0):
        better = solve(problem.with_changes(budget=budget), gap=0.05, start=plan)
        assert better.objective <= plan.objective * (1 + 1e-9)
        plan = better


def test_solves_in_two_threads_do_not_disturb_each_other() -> None:
    problems: list[FacilityProblem] = [clustered(6), clustered(7)]
    alone = [solve(problem, gap=0.0).objective for problem in problems]
    found: dict[int, Solution] = {}

    def run(k: int) -> None:
        found[k] = solve(problems[k], gap=0.0, threads=1 + k)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[k].objective for k in range(2)] == pytest.approx(alone, rel=1e-7)


def test_the_hand_over_of_a_model_counts_against_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """PuLP's rows go to HiGHS one by one, which may take as long as its search."""
    core = reduce_problem(clustered(3))
    told: list[float] = []
    monkeypatch.setattr("siting.solver.mip.limit_time", lambda highs, deadline: told.append(deadline))
    began = time.perf_counter()
    solve_core(core, 0.0, 1000.0, 1, nodes=1)
    assert 1000.0 <= told[0] - began <= 1000.0 + time.perf_counter() - began, "from the start, not from the run"
    solver = mip._InProcessHighs(mip.build_model(core), 0.0, 0.0, began, 1, None, None, None)
    with pytest.raises(OutOfTime):
        mip.build_model(core).problem.solve(solver)

"""What others offer in Python for the same problems, each as a function of an instance.

Every function builds a model and solves it: (seconds to build, seconds to solve, objective, bound). A peer that
does not state a kind of problem, or is not installed, raises `NotOffered`. Models are the textbook ones a user
of that tool would write.

OR-tools and highspy each bring a HiGHS of their own and cannot be loaded into one process: every function loads
what it needs and no more.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.instances import Instance

Outcome = tuple[float, float, float, float]


class NotOffered(Exception):  # noqa: N818 (an answer, not an error)
    """This peer does not solve this kind of problem, or is not installed."""


def deh_siting(instance: Instance, limit: float, gap: float) -> Outcome:
    """This project; compiled code is loaded before the clock starts."""
    from siting.solver import FacilityProblem, solve

    points = np.random.default_rng(0).random((40, 2))
    small = np.rint(1000 * np.linalg.norm(points[:, None] - points[None], axis=2))
    solve(FacilityProblem.from_costs(small, n_open=3), gap=0.0)
    solve(FacilityProblem.from_costs(small, demand=1.0, capacity=4.0, fixed_cost=1.0), gap=0.0)
    began = time.perf_counter()
    problem = instance.problem
    built = time.perf_counter()
    answer = solve(problem, gap=gap, time_limit=limit)
    return built - began, time.perf_counter() - built, answer.objective, answer.bound


def spopt_highs(instance: Instance, limit: float, gap: float) -> Outcome:
    """spopt.locate.PMedian with PuLP's HiGHS."""
    return _spopt(instance, _highs(limit, gap))


def spopt_cbc(instance: Instance, limit: float, gap: float) -> Outcome:
    """spopt.locate.PMedian with PuLP's CBC."""
    return _spopt(instance, _cbc(limit, gap))


def pulp_highs(instance: Instance, limit: float, gap: float) -> Outcome:
    """The textbook model in PuLP, solved by HiGHS."""
    return _pulp(instance, _highs(limit, gap))


def pulp_cbc(instance: Instance, limit: float, gap: float) -> Outcome:
    """The textbook model in PuLP, solved by CBC."""
    return _pulp(instance, _cbc(limit, gap))


def ortools_scip(instance: Instance, limit: float, gap: float) -> Outcome:
    """The textbook model in OR-tools' linear solver, solved by SCIP."""
    try:
        from ortools.linear_solver import pywraplp
    except ImportError as error:
        raise NotOffered from error
    began = time.perf_counter()
    problem, cost = instance.problem, instance.cost
    solver = pywraplp.Solver.CreateSolver("SCIP")
    clients, sites = cost.shape
    y = [solver.BoolVar("") for _ in range(sites)]
    whole = problem.single_source
    x = [[solver.BoolVar("") if whole else solver.NumVar(0, 1, "") for _ in range(sites)] for _ in range(clients)]
    for i in range(clients):
        solver.Add(solver.Sum(x[i]) == 1)
        for j in range(sites):
            solver.Add(x[i][j] <= y[j])
    for j in np.flatnonzero(np.isfinite(problem.capacity)):
        load = solver.Sum([float(problem.demand[i]) * x[i][j] for i in range(clients)])
        solver.Add(load <= float(problem.capacity[j]) * y[j])
    if problem.n_open is not None:
        solver.Add(solver.Sum(y) == problem.n_open)
    solver.Minimize(
        solver.Sum([float(cost[i, j]) * x[i][j] for i in range(clients) for j in range(sites)])
        + solver.Sum([float(problem.fixed_cost[j]) * y[j] for j in range(sites)])
    )
    built = time.perf_counter()
    solver.SetTimeLimit(int(limit * 1000))
    parameters = pywraplp.MPSolverParameters()
    parameters.SetDoubleParam(parameters.RELATIVE_MIP_GAP, gap)
    status = solver.Solve(parameters)
    found = status in (pywraplp.Solver.OPTIMAL, pywraplp.Solver.FEASIBLE)
    objective = solver.Objective().Value() if found else np.inf
    return built - began, time.perf_counter() - built, objective, solver.Objective().BestBound() if found else -np.inf


def _highs(limit: float, gap: float) -> Any:
    import pulp

    return pulp.HiGHS(msg=False, timeLimit=limit, gapRel=gap)


def _cbc(limit: float, gap: float) -> Any:
    import pulp
    from pulp.apis.coin_api import pulp_cbc_path

    return pulp.COIN_CMD(path=pulp_cbc_path, msg=False, timeLimit=limit, gapRel=gap)


def _spopt(instance: Instance, solver: Any) -> Outcome:
    if instance.problem.n_open is None:
        raise NotOffered
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from spopt.locate import PMedian
    except ImportError as error:
        raise NotOffered from error
    began = time.perf_counter()
    weights = np.ones(len(instance.cost))
    model = PMedian.from_cost_matrix(instance.cost, weights, p_facilities=instance.problem.n_open)
    built = time.perf_counter()
    model.problem.solve(solver)
    return built - began, time.perf_counter() - built, *_pulp_result(model.problem)


def _pulp(instance: Instance, solver: Any) -> Outcome:
    import pulp

    began = time.perf_counter()
    problem, cost = instance.problem, instance.cost
    clients, sites = cost.shape
    model = pulp.LpProblem("facilities", pulp.LpMinimize)
    y = [model.add_variable(f"y{j}", cat="Binary") for j in range(sites)]
    kind = "Binary" if problem.single_source else "Continuous"
    x = [[model.add_variable(f"x{i}_{j}", 0, 1, kind) for j in range(sites)] for i in range(clients)]
    model += pulp.lpSum(cost[i, j] * x[i][j] for i in range(clients) for j in range(sites)) + pulp.lpSum(
        problem.fixed_cost[j] * y[j] for j in range(sites)
    )
    for i in range(clients):
        model += pulp.lpSum(x[i]) == 1
        for j in range(sites):
            model += x[i][j] <= y[j]
    for j in np.flatnonzero(np.isfinite(problem.capacity)):
        load = pulp.lpSum(problem.demand[i] * x[i][j] for i in range(clients))
        model += load <= problem.capacity[j] * y[j]
    if problem.n_open is not None:
        model += pulp.lpSum(y) == problem.n_open
    built = time.perf_counter()
    model.solve(solver)
    return built - began, time.perf_counter() - built, *_pulp_result(model)


def _pulp_result(model: Any) -> tuple[float, float]:
    """Objective and bound; PuLP calls a run at its time limit optimal, so HiGHS itself is asked."""
    import pulp

    highs = getattr(model, "solverModel", None)
    if highs is not None and hasattr(highs, "getInfo"):
        info = highs.getInfo()
        found = info.primal_solution_status == 2
        return float(info.objective_function_value) if found else np.inf, float(info.mip_dual_bound)
    if model.sol_status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        return np.inf, -np.inf
    value = float(pulp.value(model.objective))
    return value, value if model.sol_status == pulp.LpSolutionOptimal else -np.inf


PEERS: dict[str, Callable[[Instance, float, float], Outcome]] = {
    "deh-siting": deh_siting,
    "spopt + HiGHS": spopt_highs,
    "spopt + CBC": spopt_cbc,
    "PuLP + HiGHS": pulp_highs,
    "PuLP + CBC": pulp_cbc,
    "OR-tools SCIP": ortools_scip,
}

"""solve() against CBC through PuLP on many problems, and on public instances."""

from __future__ import annotations

import numpy as np
import pulp
import pytest
from pulp.apis.coin_api import pulp_cbc_path
from tiny_problems import clustered, tiny_study

from benchmarks.instances import instances_folder, read_cap, read_holmberg, read_pmed
from siting.solver import FacilityProblem
from siting.solver.mip import build_model
from siting.solver.reduce import reduce_problem
from siting.solver.solve import solve


def cbc_optimum(problem: FacilityProblem) -> float:
    """The PuLP model of the core, solved by the CBC that comes with PuLP; inf where it finds it infeasible."""
    core = reduce_problem(problem, lending=False)
    everybody_unserved = core.base + core.unserved[np.isfinite(core.unserved)].sum()  # the model's costs start there
    if not core.n_options:
        return float(everybody_unserved)
    model = build_model(core)
    model.problem.solve(pulp.COIN_CMD(path=pulp_cbc_path, msg=False, gapRel=0.0))
    if model.problem.status == pulp.LpStatusInfeasible:
        return float("inf")
    assert model.problem.sol_status == pulp.LpSolutionOptimal
    return float(pulp.value(model.problem.objective) * model.scale + everybody_unserved)


def compare_with_cbc(seed: int) -> None:
    problem = clustered(seed, clients=15 + seed % 10, sites=6 + seed % 4)
    if seed % 3 == 0:
        problem = problem.with_changes(capacity=np.full(problem.n_options, np.inf), group=None)
    if seed % 4 == 0:
        problem = problem.with_changes(budget=None)
    found = solve(problem, gap=1e-7)
    assert found.objective == pytest.approx(cbc_optimum(problem), rel=1e-5), f"seed {seed}"


@pytest.mark.parametrize("seed", range(6))
def test_cbc_agrees_on_some_problems(seed: int) -> None:
    compare_with_cbc(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 206))
def test_cbc_agrees_on_two_hundred_problems(seed: int) -> None:
    compare_with_cbc(seed)


@pytest.mark.parametrize("seed", range(6))
def test_cbc_agrees_on_minimums_of_shippers_sites(seed: int) -> None:
    compare_study_with_cbc(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_cbc_agrees_on_minimums_in_two_thousand_studies(block: int) -> None:
    for seed in range(1000 + 100 * block, 1100 + 100 * block):
        compare_study_with_cbc(seed)


def compare_study_with_cbc(seed: int) -> None:
    problem = tiny_study(seed)
    assert solve(problem, gap=0.0).objective == pytest.approx(cbc_optimum(problem), rel=1e-6, abs=1e-6), f"seed {seed}"


@pytest.mark.skipif(instances_folder() is None, reason="no public instances here (SITING_INSTANCES)")
def test_public_optima_come_out() -> None:
    folder = instances_folder()
    assert folder is not None
    small = [i for i in [*read_pmed(folder), *read_cap(folder)] if i.cost.size <= 40_000]
    for instance in [*small, *[*read_holmberg(folder)][::5]]:
        found = solve(instance.problem, gap=1e-6)
        assert found.status == "optimal", instance.name
        assert found.objective == pytest.approx(instance.optimum, rel=1e-6), instance.name

"""solve() against brute force and against CBC through PuLP, on many problems; and on public instances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_problems import brute_force, clustered, random_problem

from benchmarks.instances import instances_folder, read_cap, read_holmberg, read_pmed
from siting.solver.mip import solve_core_with_cbc
from siting.solver.reduce import reduce_problem
from siting.solver.solve import solve


@pytest.mark.slow
@settings(max_examples=2000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(min_value=10_000, max_value=10_000_000))
def test_brute_force_agrees_on_two_thousand_tiny_problems(seed: int) -> None:
    problem = random_problem(seed)
    expected, found = brute_force(problem), solve(problem, gap=0.0)
    if np.isinf(expected):
        assert found.status == "infeasible"
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(expected, rel=1e-6, abs=1e-6)


def compare_with_cbc(seed: int) -> None:
    problem = clustered(seed, clients=15 + seed % 10, sites=6 + seed % 4)
    if seed % 3 == 0:
        problem = problem.with_changes(capacity=np.full(problem.n_options, np.inf), group=None)
    if seed % 4 == 0:
        problem = problem.with_changes(budget=None)
    reference = solve_core_with_cbc(reduce_problem(problem), gap=1e-9)
    found = solve(problem, gap=1e-7)
    assert found.objective == pytest.approx(reference.bound, rel=1e-5), f"seed {seed}"


@pytest.mark.parametrize("seed", range(6))
def test_cbc_agrees_on_some_problems(seed: int) -> None:
    compare_with_cbc(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 206))
def test_cbc_agrees_on_two_hundred_problems(seed: int) -> None:
    compare_with_cbc(seed)


@pytest.mark.skipif(instances_folder() is None, reason="no public instances here (SITING_INSTANCES)")
def test_public_optima_come_out() -> None:
    folder = instances_folder()
    assert folder is not None
    small = [i for i in [*read_pmed(folder), *read_cap(folder)] if i.cost.size <= 40_000]
    for instance in [*small, *[*read_holmberg(folder)][::5]]:
        found = solve(instance.problem, gap=1e-6)
        assert found.status == "optimal", instance.name
        assert found.objective == pytest.approx(instance.optimum, rel=1e-6), instance.name

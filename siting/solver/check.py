"""Independent re-check of an answer against the problem it answers, in plain NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from siting.solver.errors import WrongAnswerError
from siting.solver.problem import FacilityProblem
from siting.solver.rules import Rules

if TYPE_CHECKING:
    from siting.solver.solution import Solution

TOLERANCE = 1e-8
"""Relative error that a plan may leave. The solver keeps capacities to 1e-9, gives whole clients as much more room, and
moves shares by as much again until a client's sum to one; sums of floats leave far less."""


def check_solution(problem: FacilityProblem, solution: Solution) -> None:
    """Recompute equations (1) to (9) and (16) to (19) of FacilityProblem from the caller's data.

    Raises:
        WrongAnswerError: naming every equation violated. An answer without a plan claims none and passes.
    """
    if solution.status in ("infeasible", "unknown"):
        return
    p, s = problem, solution
    faults: list[str] = []

    def expect(holds: bool, what: str) -> None:
        if not holds:
            faults.append(what)

    y = np.zeros(p.n_options + 1)
    y[s.open] = 1.0
    y[-1] = 1.0  # answers for NO_OPTION
    x, z = s.lane_share, s.unserved_share
    expect(x.shape == (p.n_lanes,) and z.shape == (p.n_clients,), "shapes of the shares")
    if faults:
        raise WrongAnswerError("; ".join(faults))
    expect(bool(np.all(np.diff(s.open) > 0)), "open is not sorted and unique")
    served = np.bincount(p.lane_client, weights=x, minlength=p.n_clients)
    expect(bool(np.all(np.abs(served + z - 1.0) <= TOLERANCE)), "(2) shares of a client do not sum to 1")
    expect(bool(np.all(x >= 0) and np.all(z >= 0)), "(9) a share is negative")
    expect(not np.any(z[np.isinf(p.unserved_cost)] > TOLERANCE), "(2) a client that must be served is not")
    used = x > 0
    expect(bool(np.all(y[p.lane_options[used]] == 1.0)), "(3) a lane uses a closed option")
    carried = x * p.demand[p.lane_client]
    load = np.zeros(p.n_options + 1)
    for end in p.lane_options.T:
        np.add.at(load, end, carried)  # NO_OPTION adds to the last entry
    over = load[:-1] > p.capacity * (1 + TOLERANCE) + TOLERANCE * p.demand.max(initial=0.0) * (p.capacity > 0)
    expect(not over.any(), f"(4) capacity exceeded at {np.flatnonzero(over)[:5].tolist()}")
    rounding = TOLERANCE * (p.min_throughput + p.demand.max(initial=0.0))
    under = (y[:-1] > 0) & (load[:-1] < p.min_throughput - rounding)
    expect(not under.any(), f"(17) less than the minimum goes through {np.flatnonzero(under)[:5].tolist()}")
    for r in np.flatnonzero(p.rows.broken(y[:-1])):
        activity = float((p.rows.coefficients[[r]] @ y[:-1])[0])
        faults.append(f"(5) to (7), (16) {p.rows.described(r)}, and comes to {activity:g}")
    faults += _beyond_options(p, x, y[:-1] > 0)
    expect(bool(np.isin(p.forced_open, s.open).all()), "(8) a forced option is closed")
    expect(not np.isin(p.forbidden, s.open).any(), "(8) a forbidden option is open")
    if p.single_source:
        whole = np.isin(x, (0.0, 1.0)).all() and np.isin(z, (0.0, 1.0)).all()
        expect(bool(whole), "(9) a client of a single-source problem is split")
    finite = np.isfinite(p.unserved_cost)
    cost = float(p.lane_cost @ x + p.unserved_cost[finite] @ z[finite] + p.fixed_cost[s.open].sum())
    size = float(np.abs(p.lane_cost) @ x + np.abs(p.unserved_cost[finite]) @ z[finite])
    size += float(np.abs(p.fixed_cost[s.open]).sum())
    slack = TOLERANCE * max(size, abs(s.objective))
    expect(abs(cost - s.objective) <= slack, "(1) costs do not sum to the objective")
    expect(s.bound <= s.objective + slack, "the bound is above the objective")
    if faults:
        raise WrongAnswerError("the solver's answer is wrong: " + "; ".join(faults))


def _beyond_options(p: FacilityProblem, x: npt.NDArray[np.float64], opened: npt.NDArray[np.bool_]) -> list[str]:
    """What breaks rules over lanes and coverage."""
    faults = []
    for r in np.flatnonzero(_over_limit(p.over_lanes, x)):
        activity = float((p.over_lanes.coefficients[[r]] @ x)[0])
        faults.append(f"(18) {p.over_lanes.described(r)}, and comes to {activity:g}")
    for each in p.coverage:
        if each.covered(opened) < each.least * (1 - TOLERANCE):
            faults.append(f"(19) {each.name} covers only {each.covered(opened):g}")
    return faults


def _over_limit(rules: Rules, share: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """(n_rules,) mask of the rows that shares of lanes break by more than what counts as rounding here."""
    activity = rules.coefficients @ share
    slack = TOLERANCE * (abs(rules.coefficients) @ share)
    return np.asarray((activity < rules.lower - slack) | (activity > rules.upper + slack))

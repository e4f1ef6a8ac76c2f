"""A problem with coverage (19) as one without: an option stands for each point that is covered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array, hstack

from siting.solver.coverage import covering_rows
from siting.solver.problem import NO_OPTION, FacilityProblem
from siting.solver.rules import Rules
from siting.solver.solution import Solution


def with_points(p: FacilityProblem) -> FacilityProblem:
    """The problem with options at no cost that stand for points covered, and (19) as rows over all options."""
    each = [coverage.simplified() for coverage in p.coverage]
    n, more = p.n_options, sum(coverage.n_points for coverage in each)
    rules = [] if p.rules is None else [p.rules]
    if p.n_open is not None:
        rules.append(Rules(np.ones((1, n)), p.n_open, p.n_open, ["number open"]))
    wider = [
        Rules(hstack([rows.coefficients, csr_array((len(rows), more))]), rows.lower, rows.upper, rows.names)
        for rows in rules
    ]
    before = 0
    for coverage in each:
        wider.append(covering_rows(coverage, before, n, more - before - coverage.n_points))
        before += coverage.n_points
    names = None if p.option_names is None else [*p.option_names, *(f"covered {d}" for d in range(more))]
    return p.with_changes(
        n_options=n + more,
        fixed_cost=np.append(p.fixed_cost, np.zeros(more)),
        capex=np.append(p.capex, np.zeros(more)),
        capacity=np.append(p.capacity, np.full(more, np.inf)),
        min_throughput=np.append(p.min_throughput, np.zeros(more)),
        group=np.append(p.group, np.full(more, NO_OPTION)),
        n_open=None,
        rules=Rules.stacked(wider),
        coverage=(),
        option_names=names,
    )


def without_points(p: FacilityProblem, solution: Solution) -> Solution:
    """The answer to the problem with points, in the problem's own options."""
    opened = solution.open[solution.open < p.n_options]
    return replace(solution, open=opened, flow=solution.flow[:, : p.n_options])

"""A problem with coverage (19) as one with rules over lanes (18): a client without demand stands for each point.

The client of point d costs nothing, unserved or by any of its lanes, one through each option that reaches it. By (2)
and (3) its lanes carry z_d <= min(1, sum of y_j near d) in all, so that sum_d w_d z_d >= W is a row over lanes. At a
price of that row the points are clients like others, to whom an open option near by is worth the price.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, hstack

from siting.solver.coverage import Coverage
from siting.solver.problem import NO_OPTION, FacilityProblem
from siting.solver.rules import Rules
from siting.solver.solution import Solution


def with_points(p: FacilityProblem) -> FacilityProblem:
    """The problem with clients that stand for the points to be covered, and (19) as rows over lanes."""
    each = [coverage.simplified() for coverage in p.coverage]
    points, lanes = p.n_clients, p.n_lanes
    clients: list[npt.NDArray[Any]] = [p.lane_client]
    options: list[npt.NDArray[Any]] = [p.lane_options[:, 0]]
    for coverage in each:
        reach = coverage.reach
        clients.append(points + np.repeat(np.arange(coverage.n_points), np.diff(reach.indptr)))
        options.append(reach.indices)
        points += coverage.n_points
    more, added = points - p.n_clients, sum(coverage.reach.nnz for coverage in each)
    ends = np.full((lanes + added, 2), NO_OPTION, dtype=np.int32)
    ends[:, 0] = np.concatenate(options)
    ends[:lanes, 1] = p.lane_options[:, 1]
    return p.with_changes(
        n_clients=points,
        lane_client=np.concatenate(clients).astype(np.int32),
        lane_options=ends,
        lane_cost=np.append(p.lane_cost, np.zeros(added)),
        unserved_cost=np.append(p.unserved_cost, np.zeros(more)),
        demand=np.append(p.demand, np.zeros(more)),
        lane_rules=_over_lanes(p, each, added),
        coverage=(),
        client_names=None if p.client_names is None else [*p.client_names, *(f"point {d}" for d in range(more))],
    )


def _over_lanes(p: FacilityProblem, each: list[Coverage], added: int) -> Rules:
    """(18) over the problem's lanes and those of the points."""
    known = p.over_lanes
    rows = [Rules(hstack([known.coefficients, csr_array((len(known), added))]), known.lower, known.upper, known.names)]
    before = p.n_lanes
    for coverage in each:
        weight = np.repeat(coverage.weight, np.diff(coverage.reach.indptr))
        after = p.n_lanes + added - before - len(weight)
        row = hstack([csr_array((1, before)), csr_array(weight[None, :]), csr_array((1, after))])
        rows.append(Rules(row, lower=coverage.least, names=[coverage.name]))
        before += len(weight)
    return Rules.stacked(rows)


def start_with_points(start: Solution | None, wider: FacilityProblem) -> Solution | None:
    """A solution where a search with points begins."""
    if start is None or not len(start.multipliers):
        return start
    more = wider.n_clients - len(start.multipliers)
    return replace(start, multipliers=np.append(start.multipliers, np.zeros(max(more, 0))))


def without_points(p: FacilityProblem, solution: Solution) -> Solution:
    """The answer to the problem with points, in the problem's own clients and lanes."""
    return replace(
        solution,
        assignment=solution.assignment[: p.n_clients],
        lane=solution.lane[: p.n_clients],
        lane_share=solution.lane_share[: p.n_lanes],
        unserved_share=solution.unserved_share[: p.n_clients],
        flow=solution.flow[: p.n_clients],
        multipliers=solution.multipliers[: p.n_clients],
    )

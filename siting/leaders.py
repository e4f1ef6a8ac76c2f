"""Cargo that does not count, as the leaders' by default, in what is built: it fills sites and is no reason for them.

In the facility problem its lanes cost nothing, and those that cost it more than today are left out. So it may fill an
option to its minimum (17), takes room that others can spare, and adds nothing to the objective: plans differ from those
without it by the sites that others alone cannot fill. How much of it goes where is then what serves it best in the plan
that is chosen, N the clients that do not count, c_l0 what client i pays today and w_j what the others put through
option j:

    max sum_{i in N} q_i sum_{l of i} (c_i0 - c_l) x_l                                                          (102)
    s.t. sum_{l of i} x_l <= 1,  m_j - w_j <= sum_{i in N} q_i sum_{l of i} x_l [j in J(l)] <= u_j - w_j
"""

from __future__ import annotations

import numpy as np

from siting.model.lanes import NONE
from siting.model.model import Model
from siting.solver import FacilityProblem, Solution, check_solution, solve

LEEWAY = 1e-9
"""Of a minimum or a capacity: what the plan's own shares may be off by rounding."""


def with_leaders(model: Model, solution: Solution) -> Solution:
    """The plan of a solution with cargo that does not count where it is served best, by (102); nothing else changes.

    Raises:
        WrongAnswerError: should what comes of it not stand up to the re-check.
    """
    problem, clients = model.problem, model.clients.iloc[model.active]
    mine = (clients["weight"] == 0).to_numpy()
    opened, owner = solution.open, problem.lane_client
    is_open = np.append(np.isin(np.arange(problem.n_options), opened), True)  # the last answers for "no option"
    lanes = np.flatnonzero(mine[owner] & is_open[problem.lane_options].all(axis=1))
    if not len(lanes):
        return solution
    others = np.where(mine[owner], 0.0, solution.lane_share * problem.demand[owner])
    used = sum(np.bincount(end[end >= 0], others[end >= 0], problem.n_options) for end in problem.lane_options.T)
    room = np.maximum(problem.capacity - used, 0.0)[opened] * (1 + LEEWAY)
    lacking = np.maximum(problem.min_throughput - used, 0.0)[opened] - LEEWAY * problem.min_throughput[opened]
    who, inverse = np.unique(owner[lanes], return_inverse=True)
    client = inverse.ravel().astype(np.int32)
    position = np.full(problem.n_options + 1, NONE)
    position[opened] = np.arange(len(opened))
    tonnes, rows = problem.demand[who], model.active[who]
    today = model.existing.cost_inr_per_t[np.searchsorted(model.existing.client, rows)]
    found = solve(
        FacilityProblem(
            lane_client=client, lane_options=position[problem.lane_options[lanes]].astype(np.int32),
            lane_cost=model.row_cost_inr_per_t[lanes] * tonnes[client], n_clients=len(who),
            n_options=len(opened), unserved_cost=today * tonnes, demand=tonnes, capacity=room,
            min_throughput=np.maximum(lacking, 0.0), forced_open=np.arange(len(opened)),
        ),
        gap=model.study.gap, time_limit=model.study.time_limit_s,
    )  # fmt: skip
    share = np.where(mine[owner], 0.0, solution.lane_share)
    share[lanes] = found.lane_share
    carrying = np.flatnonzero(share)
    told = {name: getattr(solution, name) for name in KEPT}
    settled = Solution.restored(problem, opened, carrying, share[carrying], solution.certificate, **told)
    check_solution(problem, settled)
    return settled


KEPT = ("status", "objective", "bound", "gap", "wall_s", "stages", "solver", "message", "multipliers")
"""What a solution tells that where this cargo goes does not change."""

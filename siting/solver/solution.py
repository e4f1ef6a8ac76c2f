"""Solution: a re-checked answer, in the caller's clients, options and lanes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from siting.solver.certificate import UNPROVEN, Certificate
from siting.solver.core import Core
from siting.solver.problem import NO_OPTION, BoolArray, FacilityProblem, FloatArray, IntArray
from siting.solver.service import Service
from siting.solver.stopwatch import Stopwatch

Status = Literal["optimal", "feasible", "unknown", "infeasible"]

ROUNDING = 1e-8
"""Relative; what floating-point bounds leave open at a gap of 0."""
DIGITS = 1e-12
"""What sums of floats leave open of the size of their terms, which may be far more than what they come to."""


@dataclass(frozen=True, eq=False)
class Solution:
    """A re-checked answer.

    Attributes:
        status: "optimal" = proven within the gap asked for; "feasible" = a plan, gap as stated;
            "unknown" = no plan yet, `message` says so; "infeasible" = proven that there is no plan, `message`
            says why.
        open: sorted open options.
        assignment: (n_clients,) first option of the client's largest lane; -1 = unserved, or by a lane that
            needs no option.
        lane: (n_clients,) the client's largest lane; -1 = unserved.
        lane_share: (n_lanes,) share of its client each lane carries.
        unserved_share: (n_clients,).
        flow: (n_clients, n_options) share of each client through each option; a lane with two options counts
            in both columns.
        objective, bound: cost of the plan, and a proven lower bound on the cost of any plan.
        gap: (objective - bound) / |objective|; 0 where the difference is rounding in their sums.
        certificate: what the bound rests on: it is recomputed, and nothing beyond that is claimed.
        multipliers: (n_clients,) price of leaving each client out, for the next solve to start from.
        wall_s: seconds in all; `stages` says where they went.
        solver: names and versions.
    """

    status: Status
    open: IntArray
    assignment: IntArray
    lane: IntArray
    lane_share: FloatArray
    unserved_share: FloatArray
    objective: float
    bound: float
    gap: float
    wall_s: float
    stages: dict[str, float]
    solver: str
    message: str = ""
    certificate: Certificate = UNPROVEN
    flow: csr_array = field(default_factory=lambda: csr_array((0, 0)))
    multipliers: FloatArray = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def restored(
        cls,
        problem: FacilityProblem,
        opened: IntArray,
        lanes: IntArray,
        shares: FloatArray,
        certificate: Certificate,
        **others: Any,
    ) -> Solution:
        """An answer that was kept apart from its problem.

        Args:
            lanes, shares: (n_used,) the lanes that carry something, and what share of their client.
            others: the remaining attributes, but for those that follow from lanes and shares.
        """
        share = np.zeros(problem.n_lanes)
        share[lanes] = shares
        unserved = np.ones(problem.n_clients)
        np.subtract.at(unserved, problem.lane_client[lanes], shares)
        lane, assignment, flow = _routes(problem, share)
        return cls(
            open=opened, assignment=assignment, lane=lane, lane_share=share, unserved_share=np.maximum(unserved, 0.0),
            flow=flow, certificate=certificate, **others,
        )  # fmt: skip


def relative_gap(objective: float, bound: float) -> float:
    """(objective - bound) / |objective|; 0 where they meet, inf where nothing is proven."""
    if objective <= bound:
        return 0.0
    if not np.isfinite(objective) or not np.isfinite(bound):
        return float("inf")
    return (objective - bound) / max(abs(objective), np.finfo(float).tiny)


def plan_found(
    problem: FacilityProblem,
    core: Core,
    chosen: BoolArray,
    service: Service,
    certificate: Certificate,
    multipliers: FloatArray,
    gap: float,
    watch: Stopwatch,
) -> Solution:
    """Translate a plan of the core to the caller's clients, options and lanes.

    Args:
        chosen: (n_options,) mask of the core's options that are open.
    """
    share = _lane_shares(problem, core, chosen, service.lane_share)
    unserved = np.ones(problem.n_clients)
    unserved[core.client_of] = service.unserved_share
    _use_free_lanes(problem, share, unserved)
    return plan_told(problem, np.sort(core.option_of[chosen]), share, unserved, certificate, multipliers, gap, watch)


def plan_told(
    problem: FacilityProblem,
    opened: IntArray,
    share: FloatArray,
    unserved: FloatArray,
    certificate: Certificate,
    multipliers: FloatArray,
    gap: float,
    watch: Stopwatch,
) -> Solution:
    """A plan in the caller's terms as a `Solution`.

    Args:
        opened: sorted open options.
        share, unserved: (n_lanes,), (n_clients,) of the clients.
    """
    p = problem
    finite = np.isfinite(p.unserved_cost)
    objective = float(p.lane_cost @ share + p.unserved_cost[finite] @ unserved[finite])
    objective += float(p.fixed_cost[opened].sum())
    bound = min(certificate.bound, objective)
    size = float(np.abs(p.lane_cost) @ share + np.abs(p.unserved_cost[finite]) @ unserved[finite])
    size += float(np.abs(p.fixed_cost[opened]).sum())
    reached = 0.0 if objective - bound <= DIGITS * size else relative_gap(objective, bound)
    lane, assignment, flow = _routes(p, share)
    watch.enter("check")
    return Solution(
        status="optimal" if reached <= gap + ROUNDING else "feasible",
        open=opened,
        assignment=assignment,
        lane=lane,
        lane_share=share,
        unserved_share=unserved,
        objective=objective,
        bound=bound,
        gap=reached,
        wall_s=watch.elapsed,
        stages=watch.stages,
        solver=solver_name(),
        certificate=certificate,
        flow=flow,
        multipliers=multipliers,
    )


def _routes(p: FacilityProblem, share: FloatArray) -> tuple[IntArray, IntArray, csr_array]:
    """Of (n_lanes,) shares: `lane`, `assignment` and `flow` of a `Solution`."""
    lane = _largest_lane(p, share)
    options = np.append(p.lane_options[:, 0], -1)
    used = np.flatnonzero(share)
    rows = np.concatenate([p.lane_client[used]] * 2)
    columns = np.concatenate([p.lane_options[used, 0], p.lane_options[used, 1]])
    shares = np.concatenate([share[used]] * 2)
    has = columns >= 0
    flow = coo_array((shares[has], (rows[has], columns[has])), shape=(p.n_clients, p.n_options)).tocsr()
    return lane, options[lane].astype(np.int64), flow


def _lane_shares(p: FacilityProblem, core: Core, opened: BoolArray, core_share: FloatArray) -> FloatArray:
    """(n_lanes,) shares of the caller's lanes: the cheapest between the open options of a core lane's places."""
    place_of = np.full(p.n_options + 1, -2)  # -2: closed
    place_of[core.option_of[opened]] = core.place[opened]
    place_of[-1] = NO_OPTION
    places = place_of[p.lane_options]
    lane = np.flatnonzero((places != -2).all(axis=1))
    n = np.int64(core.n_places + 1)

    def key(client: IntArray, places: npt.NDArray[np.integer]) -> IntArray:
        low, high = np.sort(places.astype(np.int64), axis=1).T
        return np.asarray((client * n + low + 1) * n + high + 1)

    used = np.flatnonzero(core_share)
    wanted = key(core.client_of[core.client[used]], core.places[used])
    have = key(p.lane_client[lane].astype(np.int64), places[lane])
    of_use = np.isin(have, wanted)
    lane, have = lane[of_use], have[of_use]
    order = np.lexsort((p.lane_cost[lane], have))
    lane, have = lane[order], have[order]
    share = np.zeros(p.n_lanes)
    share[lane[np.searchsorted(have, wanted)]] = core_share[used]
    return share


def _use_free_lanes(p: FacilityProblem, share: FloatArray, unserved: FloatArray) -> None:
    """Move what the core left unserved to lanes that need no option, where these are cheaper."""
    free = np.flatnonzero((p.lane_options < 0).all(axis=1))
    free = free[np.lexsort((p.lane_cost[free], p.lane_client[free]))]
    client, first = np.unique(p.lane_client[free], return_index=True)
    best = free[first]
    cheaper = p.lane_cost[best] <= p.unserved_cost[client]
    share[best[cheaper]] = unserved[client[cheaper]]
    unserved[client[cheaper]] = 0.0


def _largest_lane(p: FacilityProblem, share: FloatArray) -> IntArray:
    """(n_clients,) lane with the largest share, the first of equals; -1 = none."""
    used = np.flatnonzero(share)
    order = used[np.lexsort((used, -share[used], p.lane_client[used]))]
    client, first = np.unique(p.lane_client[order], return_index=True)
    lane = np.full(p.n_clients, -1)
    lane[client] = order[first]
    return lane


def no_plan(
    problem: FacilityProblem, watch: Stopwatch, status: Status, certificate: Certificate, message: str
) -> Solution:
    """The answer without a plan: none exists, or none was found yet."""
    watch.enter("check")
    return Solution(
        status=status,
        open=np.zeros(0, dtype=np.int64),
        assignment=np.full(problem.n_clients, -1),
        lane=np.full(problem.n_clients, -1),
        lane_share=np.zeros(problem.n_lanes),
        unserved_share=np.ones(problem.n_clients),
        objective=float("inf"),
        bound=certificate.bound,
        gap=relative_gap(float("inf"), certificate.bound),
        wall_s=watch.elapsed,
        stages=watch.stages,
        solver=solver_name(),
        message=message,
        certificate=certificate,
        flow=csr_array((problem.n_clients, problem.n_options)),
    )


@cache
def solver_name() -> str:
    """Names and versions of what solved it."""
    return f"deh-siting, PuLP {version('pulp')}, HiGHS {version('highspy')}"

"""Solve a FacilityProblem: reduce, bound, model, prove, re-check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from siting.solver.check import check_solution
from siting.solver.mip import CoreAnswer
from siting.solver.problem import NO_OPTION, BoolArray, FacilityProblem, FloatArray, IntArray
from siting.solver.prover import Prover
from siting.solver.reduce import Core, reduce_problem
from siting.solver.service import Service, serve
from siting.solver.stopwatch import Progress, Stopwatch

Status = Literal["optimal", "feasible", "infeasible"]

ROUNDING = 1e-8  # relative; what floating-point bounds leave open at a gap of 0


@dataclass(frozen=True, eq=False)
class Solution:
    """A re-checked answer.

    Attributes:
        status: "optimal" = proven within the gap asked for; "feasible" = a plan, gap as stated;
            "infeasible" = proven that there is no plan, `message` says why.
        open: sorted open options.
        assignment: (n_clients,) first option of the client's largest lane; -1 = unserved, or by a lane that
            needs no option.
        lane: (n_clients,) the client's largest lane; -1 = unserved.
        lane_share: (n_lanes,) share of its client each lane carries.
        unserved_share: (n_clients,).
        flow: (n_clients, n_options) share of each client through each option; a lane with two options counts
            in both columns.
        objective, bound: cost of the plan, and a proven lower bound on the cost of any plan.
        gap: (objective - bound) / |objective|.
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
    flow: csr_array = field(default_factory=lambda: csr_array((0, 0)))
    multipliers: FloatArray = field(default_factory=lambda: np.zeros(0))


def relative_gap(objective: float, bound: float) -> float:
    """(objective - bound) / |objective|; 0 where they meet, inf where nothing is proven."""
    if objective <= bound:
        return 0.0
    if not np.isfinite(objective) or not np.isfinite(bound):
        return float("inf")
    return (objective - bound) / max(abs(objective), np.finfo(float).tiny)


def solve(
    problem: FacilityProblem,
    gap: float = 1e-4,
    time_limit: float | None = None,
    start: Solution | None = None,
    progress: Callable[[Progress], None] | None = None,
    threads: int = 2,
) -> Solution:
    """Best plan for a problem, with a proof of how good it is.

    Args:
        gap: relative gap at which to stop, 0 = prove optimality up to rounding.
        time_limit: seconds after which the best plan so far is returned.
        start: solution of a problem with the same clients and options that differs in limits, costs or lanes:
            its plan and multipliers are where the search begins.
        progress: called at least twice a second.
        threads: threads the MIP solver may use.

    Raises:
        ValueError: gap, time limit or threads out of range.
        WrongAnswerError: should the re-check of the answer fail.
        TimeoutError: when the limit (or Ctrl-C) came before any plan was found.
    """
    if not gap >= 0 or (time_limit is not None and not time_limit > 0) or threads < 1:
        raise ValueError(
            f"gap {gap}, time_limit {time_limit}, threads {threads}: "
            "give gap >= 0, time_limit > 0 or None, threads >= 1"
        )
    watch = Stopwatch(time_limit, progress)
    reasons = impossible(problem)
    if reasons:
        return _infeasible(problem, watch, "; ".join(reasons))
    core = reduce_problem(problem, lambda: watch.tell(-np.inf, np.inf))
    if np.isinf(core.base):
        return _infeasible(problem, watch, "a client that must be served has no lane within the limits")
    first, lam = None, None
    if start is not None and len(start.multipliers) == problem.n_clients:
        first, lam = np.isin(core.option_of, start.open), start.multipliers[core.client_of]
    prover = Prover(core, gap, threads, watch, first, lam)
    answer = prover.prove()
    if answer.open is None:
        if answer.bound < np.inf:
            raise TimeoutError(f"no plan found in {watch.elapsed:.1f} s; allow more time")
        return _infeasible(problem, watch, "no set of options serves everybody within the limits")
    watch.enter("serve")
    service, known = serve(core, answer.open, None, watch.grace), prover.incumbent.service
    if service is None or (known is not None and known.cost < service.cost):
        service = known
    assert service is not None, "the MIP solver's options serve everybody"
    multipliers = np.where(np.isfinite(problem.unserved_cost), problem.unserved_cost, 0.0)
    multipliers[core.client_of] = prover.multipliers
    solution = _solution(problem, core, answer, service, multipliers, gap, watch)
    check_solution(problem, solution)
    return solution


def impossible(problem: FacilityProblem) -> list[str]:
    """Reasons, by arithmetic alone, why a well-formed problem has no plan."""
    p = problem
    must = np.isinf(p.unserved_cost)
    reasons = []
    has_lane = np.zeros(p.n_clients, dtype=bool)
    has_lane[p.lane_client] = True
    for i in np.flatnonzero(must & ~has_lane)[:5]:
        reasons.append(f"{p.client_name(int(i))} must be served and has no lane")
    usable = np.ones(p.n_options, dtype=bool)
    usable[p.forbidden] = False
    uses_options = bool((p.lane_options[:, 0] >= 0).all()) if p.n_lanes else False
    demand, room = float(p.demand[must].sum()), float(p.capacity[usable].sum())
    if uses_options and demand > room * (1 + 1e-9):
        reasons.append(f"demand {demand:g} that must be served exceeds the capacity {room:g} of all options")
    if p.n_open is not None and p.n_open > usable.sum():
        reasons.append(f"n_open is {p.n_open}, but only {usable.sum()} options are not forbidden")
    return reasons


def _solution(
    problem: FacilityProblem,
    core: Core,
    answer: CoreAnswer,
    service: Service,
    multipliers: FloatArray,
    gap: float,
    watch: Stopwatch,
) -> Solution:
    """Translate an answer of the core to the caller's clients, options and lanes."""
    assert answer.open is not None
    p = problem
    opened = np.sort(core.option_of[answer.open])
    share = _lane_shares(p, core, answer.open, service.lane_share)
    unserved = np.ones(p.n_clients)
    unserved[core.client_of] = service.unserved_share
    _use_free_lanes(p, share, unserved)
    finite = np.isfinite(p.unserved_cost)
    objective = float(p.lane_cost @ share + p.unserved_cost[finite] @ unserved[finite])
    objective += float(p.fixed_cost[opened].sum())
    bound = min(answer.bound, objective)
    reached = relative_gap(objective, bound)
    lane = _largest_lane(p, share)
    options = np.append(p.lane_options[:, 0], -1)
    used = np.flatnonzero(share)
    rows = np.concatenate([p.lane_client[used]] * 2)
    columns = np.concatenate([p.lane_options[used, 0], p.lane_options[used, 1]])
    shares = np.concatenate([share[used]] * 2)
    has = columns >= 0
    flow = coo_array((shares[has], (rows[has], columns[has])), shape=(p.n_clients, p.n_options)).tocsr()
    watch.enter("check")
    return Solution(
        status="optimal" if reached <= gap + ROUNDING else "feasible",
        open=opened,
        assignment=options[lane].astype(np.int64),
        lane=lane,
        lane_share=share,
        unserved_share=unserved,
        objective=objective,
        bound=bound,
        gap=reached,
        wall_s=watch.elapsed,
        stages=watch.stages,
        solver=solver_name(),
        flow=flow,
        multipliers=multipliers,
    )


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


def _infeasible(problem: FacilityProblem, watch: Stopwatch, message: str) -> Solution:
    watch.enter("check")
    return Solution(
        status="infeasible",
        open=np.zeros(0, dtype=np.int64),
        assignment=np.full(problem.n_clients, -1),
        lane=np.full(problem.n_clients, -1),
        lane_share=np.zeros(problem.n_lanes),
        unserved_share=np.ones(problem.n_clients),
        objective=float("inf"),
        bound=float("inf"),
        gap=0.0,
        wall_s=watch.elapsed,
        stages=watch.stages,
        solver=solver_name(),
        message=message,
        flow=csr_array((problem.n_clients, problem.n_options)),
    )


def solver_name() -> str:
    """Names and versions of what solved it."""
    return f"deh-siting, PuLP {version('pulp')}, HiGHS {version('highspy')}"

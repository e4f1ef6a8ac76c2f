"""Solve a FacilityProblem: reduce, bound, model, prove, re-check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from siting.solver.certificate import ARITHMETIC, Certificate, certify, cheapest_lanes, never_open
from siting.solver.check import check_solution
from siting.solver.core import Core
from siting.solver.covering import start_with_points, with_points, without_points
from siting.solver.lane_rules import NeverOpen, nothing_settled, solve_under_lane_rules
from siting.solver.problem import FIT, BoolArray, FacilityProblem, FloatArray, IntArray
from siting.solver.prover import prove, prove_again
from siting.solver.reach import out_of_reach
from siting.solver.reduce import reduce_problem
from siting.solver.search import Search
from siting.solver.solution import Solution, no_plan, plan_found, plan_told
from siting.solver.stopwatch import OutOfTime, Progress, Stopwatch

LOOSE_GAP = 5e-4
"""From this gap on stand-ins for lanes that fill others to their minimum are tried first; they seldom prove more."""


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
        time_limit: seconds after which the best plan so far is returned, or status "unknown" where there is none.
        start: solution of a problem with the same clients and options that differs in limits, costs or lanes:
            its plan and multipliers are where the search begins.
        progress: called at least twice a second.
        threads: threads the MIP solver may use.

    Raises:
        ValueError: gap, time limit or threads out of range.
        WrongAnswerError: should the re-check of the answer fail.
        KeyboardInterrupt: on Ctrl-C before any plan was found.
    """
    if not gap >= 0 or (time_limit is not None and not time_limit > 0) or threads < 1:
        raise ValueError(
            f"gap {gap}, time_limit {time_limit}, threads {threads}: "
            "give gap >= 0, time_limit > 0 or None, threads >= 1"
        )
    return _solve(problem, gap, Stopwatch(time_limit, progress), start, threads)


def solve_and_settle(
    problem: FacilityProblem, gap: float, time_limit: float | None, start: Solution | None, threads: int = 2
) -> NeverOpen:
    """What the proof of the best plan settles of options; nothing under rules over lanes and coverage."""
    if impossible(problem) or problem.coverage or len(problem.over_lanes):
        return nothing_settled
    return _solve_reduced(problem, gap, Stopwatch(time_limit, None), start, threads)[1]


def _solve(problem: FacilityProblem, gap: float, watch: Stopwatch, start: Solution | None, threads: int) -> Solution:
    reasons = impossible(problem)
    if reasons:
        return no_plan(problem, watch, "infeasible", ARITHMETIC, "; ".join(reasons))
    if problem.coverage:
        wider = with_points(problem)
        solution = without_points(problem, _solve(wider, gap, watch, start_with_points(start, wider), threads))
    elif len(problem.over_lanes):
        solution = _solve_priced(problem, gap, watch, start, threads)
    else:
        solution = _solve_reduced(problem, gap, watch, start, threads)[0]
    check_solution(problem, solution)
    return solution


def _solve_priced(
    problem: FacilityProblem, gap: float, watch: Stopwatch, start: Solution | None, threads: int
) -> Solution:
    """The answer under rules over lanes, by prices of these."""

    def plain(priced: FacilityProblem, within_gap: float, near: Solution | None) -> tuple[Solution, NeverOpen]:
        within = Stopwatch(watch.left, lambda state: watch.check_in())
        found = _solve_reduced(priced, within_gap, within, near, threads)
        watch.stopped |= within.stopped
        return found

    watch.enter("prices of rules")
    found = solve_under_lane_rules(problem, gap, watch, threads, plain, start)
    if found.plan is not None and found.plan.open is not None:
        opened, plan = np.flatnonzero(found.plan.open), found.plan
        return plan_told(
            problem, opened, plan.lane_share, plan.unserved_share, found.certificate, found.multipliers, gap, watch
        )
    if found.certificate.bound == np.inf:
        message = found.message or "no set of options serves everybody within the limits and the rules over lanes"
        return no_plan(problem, watch, "infeasible", found.certificate, message)
    return _no_plan_yet(problem, watch, found.certificate)


def _solve_reduced(
    problem: FacilityProblem, gap: float, watch: Stopwatch, start: Solution | None, threads: int
) -> tuple[Solution, NeverOpen]:
    """The answer to a problem without rules over lanes, and what its proof settles."""
    try:
        core = reduce_problem(problem, watch.check, lending=gap >= LOOSE_GAP)
    except OutOfTime:
        return _no_plan_yet(problem, watch, Certificate("arithmetic", cheapest_lanes(problem))), nothing_settled
    if np.isinf(core.base):
        message = "a client that must be served has no lane within the limits"
        return no_plan(problem, watch, "infeasible", ARITHMETIC, message), nothing_settled
    first = None
    if start is not None and len(start.multipliers) == problem.n_clients:
        first = _Known(start.open, start.multipliers)
    search, certificate = _searched(problem, core, gap, watch, threads, first)
    if core.relaxed and certificate.bound < search.wanted + core.base and not watch.over:
        search, certificate = _searched_without_stand_ins(problem, gap, watch, threads, search, certificate)
    core, incumbent = search.core, search.incumbent
    if incumbent.open is None:
        if certificate.bound == np.inf:
            message = "no set of options serves everybody within the limits"
            return no_plan(problem, watch, "infeasible", certificate, message), nothing_settled
        return _no_plan_yet(problem, watch, certificate), nothing_settled
    watch.enter("serve")
    service = incumbent.served()
    lam = _multipliers(problem, search)
    found = plan_found(problem, core, incumbent.open, service, certificate, lam, gap, watch)
    return found, lambda enough: never_open(problem, core, search.proof, enough)


@dataclass(frozen=True, eq=False)
class _Known:
    """Where a search begins, in the numbering of the problem: open options, and (n_clients,) multipliers."""

    open: IntArray
    multipliers: FloatArray


def _multipliers(problem: FacilityProblem, search: Search) -> FloatArray:
    """(n_clients,) the best multipliers of a search; of clients outside its core, what they cost without options."""
    found = np.where(np.isfinite(problem.unserved_cost), problem.unserved_cost, 0.0)
    found[search.core.client_of] = search.multipliers
    return found


def _searched(
    problem: FacilityProblem, core: Core, gap: float, watch: Stopwatch, threads: int, known: _Known | None
) -> tuple[Search, Certificate]:
    """A core searched to the end, and what can be recomputed of the proof."""
    search = Search(core, gap, threads, watch)
    if known is None:
        prove(search)
    else:
        prove(search, np.isin(core.option_of, known.open), known.multipliers[core.client_of])
    return search, _certified(problem, search)


def _searched_without_stand_ins(
    problem: FacilityProblem, gap: float, watch: Stopwatch, threads: int, first: Search, so_far: Certificate
) -> tuple[Search, Certificate]:
    """The search once more, without the stand-ins that prove too little; the best plan and the best bound of both."""
    opened = first.core.option_of[first.incumbent.open] if first.incumbent.open is not None else np.zeros(0, np.int64)
    try:
        core = reduce_problem(problem, watch.check, lending=False)
    except OutOfTime:
        return first, so_far
    again, found = _searched(problem, core, gap, watch, threads, _Known(opened, _multipliers(problem, first)))
    worse = again.incumbent.cost + core.base > first.incumbent.cost + first.core.base
    return first if worse else again, max(so_far, found, key=lambda certificate: certificate.bound)


def _certified(problem: FacilityProblem, search: Search) -> Certificate:
    """What can be recomputed of the proof; where that is less than the search took for proven, of another."""
    core, watch = search.core, search.watch
    watch.enter("certificate")
    certificate = certify(problem, core, search.proof, search.proven)
    if certificate.bound < search.wanted + core.base and not core.relaxed:
        prove_again(search, certificate.bound - core.base)
        watch.enter("certificate")
        certificate = certify(problem, core, search.proof, search.proven)
    return certificate


def _no_plan_yet(problem: FacilityProblem, watch: Stopwatch, certificate: Certificate) -> Solution:
    message = f"no plan yet after {watch.elapsed:.1f} s; allow more time"
    return no_plan(problem, watch, "unknown", certificate, message)


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
    forced = np.zeros(p.n_options, dtype=bool)
    forced[p.forced_open] = True
    reasons += [*_never_filled(p), *_never_kept(p, usable), *_never_covered(p, usable)]
    for r in np.flatnonzero(out_of_reach(p.rows, forced, ~usable)):
        reasons.append(f"{p.rows.described(r)}: no choice of the options that are not forbidden comes to that")
    return reasons


def _never_filled(p: FacilityProblem) -> list[str]:
    """Options that must open and cannot come to their minimum (17), alone or together."""
    reasons = []
    for j in p.forced_open[p.too_small[p.forced_open]][:5]:
        needs = f"{p.option_name(int(j))} must open and needs {p.min_throughput[j]:g} through it"
        if p.min_throughput[j] > p.capacity[j]:
            reasons.append(f"{needs}; it holds {p.capacity[j]:g}")
        else:
            reasons.append(f"{needs}; clients with a lane through it have {p.reachable[j]:g}")
    if reasons or not p.filled[p.forced_open].any():
        return reasons
    must_open = np.append(np.zeros(p.n_options, dtype=bool), False)
    must_open[p.forced_open] = True
    ends = must_open[p.lane_options].sum(axis=1)  # a client counts twice where a lane takes it through two of them
    most = np.zeros(p.n_clients)
    np.maximum.at(most, p.lane_client, ends)
    needed, there = float(p.min_throughput[p.forced_open].sum()), float(p.demand @ most)
    if needed > there * (1 + FIT):
        reasons.append(f"options that must open need {needed:g} through them in all; their clients have {there:g}")
    return reasons


def _never_kept(p: FacilityProblem, usable: BoolArray) -> list[str]:
    """Rules over lanes (18) that no choice of lanes keeps, options or none."""
    rules = p.over_lanes
    lanes = np.flatnonzero(np.append(usable, True)[p.lane_options].all(axis=1))
    reasons = []
    for r in range(len(rules)):
        row = rules.coefficients[[r], :].toarray().ravel()[lanes]
        ends = []
        for sign in (1.0, -1.0):
            least = np.where(np.isinf(p.unserved_cost), np.inf, 0.0)
            np.minimum.at(least, p.lane_client[lanes], sign * row)
            ends.append(sign * float(least.sum()))
        slack = 1e-9 * (1 + float(np.abs(row).sum()))
        if ends[0] > rules.upper[r] + slack or ends[1] < rules.lower[r] - slack:
            reasons.append(f"{rules.described(r)}: lanes come to {ends[0]:g} to {ends[1]:g}")
    return reasons


def _never_covered(p: FacilityProblem, usable: BoolArray) -> list[str]:
    """Coverages (19) that all options together do not reach."""
    return [
        f"{each.name}: asks for {each.least:g}; all options that are not forbidden reach {each.covered(usable):g}"
        for each in p.coverage
        if each.covered(usable) < each.least * (1 - FIT)
    ]

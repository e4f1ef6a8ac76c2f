"""The problem as the caller stated it, whole, in HiGHS: for rules over lanes, which no reduction takes account of.

Every lane is a column, or every lane through the options that are open where these are given; what is left of a
client is unserved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from siting.solver.highs import (
    LOOSE,
    TOLERANCE,
    Columns,
    Rows,
    limit_time,
    new_highs,
    pass_model,
    run_highs,
    set_tolerance,
)
from siting.solver.problem import BoolArray, FacilityProblem, FloatArray, IntArray
from siting.solver.rules import Rules

NEGLIGIBLE = 1e-9
"""A share of a client so small is none."""


@dataclass(frozen=True, eq=False)
class WholeAnswer:
    """What HiGHS found.

    Attributes:
        open: (n_options,) mask of open options, or None where it found no plan.
        lane_share, unserved_share: (n_lanes,), (n_clients,) shares of the clients; empty without a plan.
        cost: of the plan; inf without.
        bound: no plan costs less, as far as HiGHS says, with what it may be off taken off; inf: there is none.
    """

    open: BoolArray | None
    lane_share: FloatArray
    unserved_share: FloatArray
    cost: float
    bound: float


def solve_whole(
    p: FacilityProblem,
    gap: float,
    deadline: float,
    threads: int,
    opened: BoolArray | None = None,
    without: list[BoolArray] | None = None,
) -> WholeAnswer:
    """(1) to (9), (16) to (18) by HiGHS.

    Args:
        gap: relative gap of the whole cost at which to stop.
        deadline: as time.perf_counter() tells it.
        opened: (n_options,) mask: serve the clients through exactly these; None = choose.
        without: sets of options that must not be the answer.

    Raises:
        KeyboardInterrupt: on Ctrl-C.
    """
    lanes = open_lanes(p, opened)
    stay = np.where(np.isinf(p.unserved_cost), 0.0, p.unserved_cost)
    saving = p.lane_cost[lanes] - stay[p.lane_client[lanes]]
    largest = max(float(np.abs(costs).max(initial=0.0)) for costs in (saving, p.fixed_cost))
    scale = largest / 1000.0 or 1.0
    low, high = np.zeros(p.n_options), np.ones(p.n_options)
    if opened is not None:
        low, high = opened.astype(float), opened.astype(float)
    low[p.forced_open], high[p.forbidden] = 1.0, 0.0
    k = len(lanes)
    whole = np.concatenate([np.full(k, p.single_source), np.full(p.n_options, opened is None)])
    columns = Columns(
        np.concatenate([saving, p.fixed_cost]) / scale,
        np.concatenate([np.zeros(k), low]),
        np.concatenate([most_of_lanes(p, lanes), high]),
        whole if whole.any() else None,
    )
    highs = new_highs(threads)
    pass_model(highs, columns, whole_rows(p, lanes, without or []))
    highs.changeObjectiveOffset(float(stay.sum()) / scale)
    highs.setOptionValue("mip_rel_gap", gap)
    highs.setOptionValue("mip_abs_gap", 1e-9)
    set_tolerance(highs)
    if np.isfinite(deadline):
        limit_time(highs, deadline)
    if run_highs(highs):
        raise KeyboardInterrupt
    return _answer(p, highs, lanes, bool(whole.any()), scale, largest)


def open_lanes(p: FacilityProblem, opened: BoolArray | None = None) -> IntArray:
    """Lanes through options that are open, or that are not forbidden."""
    if opened is None:
        opened = np.ones(p.n_options, dtype=bool)
        opened[p.forbidden] = False
    return np.flatnonzero(np.append(opened, True)[p.lane_options].all(axis=1))


def most_of_lanes(p: FacilityProblem, lanes: IntArray) -> FloatArray:
    """The most that some lanes may carry of their clients: all, or nothing through an option without capacity."""
    nothing = np.append(p.capacity == 0, False)[p.lane_options[lanes]].any(axis=1)
    return np.where(nothing & (p.demand[p.lane_client[lanes]] > 0), 0.0, 1.0)


def _answer(
    p: FacilityProblem, highs: highspy.Highs, lanes: IntArray, integer: bool, scale: float, largest: float
) -> WholeAnswer:
    info, status = highs.getInfo(), highs.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return WholeAnswer(None, np.zeros(0), np.zeros(0), np.inf, np.inf)
    bound = -np.inf
    if integer:
        bound = float(info.mip_dual_bound) * scale
    elif status == highspy.HighsModelStatus.kOptimal:
        bound = float(info.objective_function_value) * scale
    bound -= TOLERANCE * largest
    if info.primal_solution_status != highspy.kSolutionStatusFeasible:
        return WholeAnswer(None, np.zeros(0), np.zeros(0), np.inf, bound)
    values = np.array(highs.getSolution().col_value)
    share, left = _exact_shares(p, lanes, values[: len(lanes)])
    opened = values[len(lanes) :] > 0.5
    may = np.isfinite(p.unserved_cost)
    cost = float(p.lane_cost @ share + p.unserved_cost[may] @ left[may] + p.fixed_cost[opened].sum())
    return WholeAnswer(opened, share, left, cost, bound)


def _exact_shares(p: FacilityProblem, lanes: IntArray, found: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Shares of all lanes and what is left of each client, which sum to one to the last bit."""
    share = np.zeros(p.n_lanes)
    share[lanes] = np.round(found) if p.single_source else np.where(found < NEGLIGIBLE, 0.0, found)
    served = np.bincount(p.lane_client, weights=share, minlength=p.n_clients)
    over = (served > 1.0) | np.isinf(p.unserved_cost)
    share /= np.where(over & (served > 0), served, 1.0)[p.lane_client]
    left = np.clip(1.0 - np.bincount(p.lane_client, weights=share, minlength=p.n_clients), 0.0, 1.0)
    left[left < 1e-12] = 0.0
    return share, left


def whole_rows(p: FacilityProblem, lanes: IntArray, without: Sequence[BoolArray] = ()) -> Rows:
    """(2) to (7) and (16) to (18) over some lanes, then the options."""
    k, n = len(lanes), p.n_options
    client = p.lane_client[lanes].astype(np.int64)
    lane, end = np.nonzero(p.lane_options[lanes] >= 0)
    option = p.lane_options[lanes][lane, end].astype(np.int64)
    must = np.isinf(p.unserved_cost)
    serve = csr_array((np.ones(k), (client, np.arange(k))), shape=(p.n_clients, k + n))
    pair, row = np.unique(client[lane] * n + option, return_inverse=True)
    opening = (np.arange(len(pair)), k + pair % max(n, 1))
    link = coo_array(
        (
            np.concatenate([np.ones(len(lane)), -np.ones(len(pair))]),
            (np.concatenate([row, opening[0]]), np.concatenate([lane, opening[1]])),
        ),
        shape=(len(pair), k + n),
    )
    load = p.demand[client[lane]]
    room, least = (
        _loads(option, lane, load, limit, k) for limit in (p.capacity * (1 + LOOSE), p.min_throughput * (1 - LOOSE))
    )
    another = Rules(
        np.array([np.where(opened, -1.0, 1.0) for opened in without]).reshape(len(without), n),
        lower=np.array([1.0 - float(opened.sum()) for opened in without]),
    )
    over_options = Rules.stacked([p.rows, another]).scaled().loosened(LOOSE)
    over_lanes = p.over_lanes.of(lanes).scaled()
    shift = csr_array((over_options.coefficients.data, over_options.coefficients.indices + k,
                       over_options.coefficients.indptr), shape=(len(over_options), k + n))  # fmt: skip
    a = over_lanes.coefficients
    flat = csr_array((a.data, a.indices, a.indptr), shape=(len(over_lanes), k + n))
    lower = [np.where(must, 1.0, -np.inf), np.full(len(pair), -np.inf), np.full(room.shape[0], -np.inf),
             np.zeros(least.shape[0]), over_options.lower, over_lanes.lower]  # fmt: skip
    upper = [np.ones(p.n_clients), np.zeros(len(pair)), np.zeros(room.shape[0]), np.full(least.shape[0], np.inf),
             over_options.upper, over_lanes.upper]  # fmt: skip
    matrix = csr_array(vstack([serve, link, room, least, shift, flat]))
    return Rows(matrix, np.concatenate(lower), np.concatenate(upper))


def _loads(option: IntArray, lane: IntArray, load: FloatArray, limit: FloatArray, k: int) -> csr_array:
    """What goes through each option with a finite limit above 0, less that limit where it is open, in units of it."""
    n = len(limit)
    bounded = np.isfinite(limit) & (limit > 0)
    row = np.where(bounded, np.cumsum(bounded) - 1, -1)
    mine = np.flatnonzero(bounded[option])
    which = np.flatnonzero(bounded)
    values = np.concatenate([load[mine] / limit[option[mine]], -np.ones(len(which))])
    index = (np.concatenate([row[option[mine]], row[which]]), np.concatenate([lane[mine], k + which]))
    return coo_array((values, index), shape=(len(which), k + n)).tocsr()

"""Several problems over one choice of options, whole, in HiGHS: where lanes are few, what bounds leave open is closed.

The columns are the lanes of every problem, what of its options it runs, and the options that are chosen for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from siting.solver.covering import with_points
from siting.solver.highs import TOLERANCE, Columns, Rows, limit_time, new_highs, pass_model, run_highs, set_tolerance
from siting.solver.problem import BoolArray, FacilityProblem, FloatArray, IntArray
from siting.solver.whole import most_of_lanes, open_lanes, whole_rows


@dataclass(frozen=True, eq=False)
class Aim:
    """What is made least: sum_k weight_k cost_k + reward y + r, where r is the most by which a ceiling is exceeded.

    Args:
        weight: (n_problems,) of each problem's cost.
        reward: (n_options,) added for each option that is chosen; None: nothing.
        ceiling: (n_problems,) what each problem may cost, or None.
        beyond: whether the ceilings may be exceeded, by r.
    """

    weight: FloatArray
    reward: FloatArray | None = None
    ceiling: FloatArray | None = None
    beyond: bool = False


@dataclass(frozen=True, eq=False)
class Chosen:
    """(n_options,) mask of the options chosen, None where HiGHS found none; and that nothing comes to less."""

    open: BoolArray | None
    bound: float


@dataclass(frozen=True, eq=False)
class _Block:
    """One problem among the columns: its lanes and where they stand, where what it runs stands, its costs."""

    problem: FacilityProblem
    lanes: IntArray
    at: int
    runs_at: int
    saving: FloatArray
    stay: float


def limits_alone(p: FacilityProblem) -> FacilityProblem:
    """What a problem asks of options alone, without clients."""
    return p.with_changes(
        n_clients=0, lane_client=np.zeros(0, dtype=np.int32), lane_options=np.zeros((0, 2), dtype=np.int32),
        lane_cost=np.zeros(0), unserved_cost=np.zeros(0), demand=np.zeros(0), min_throughput=None, lane_rules=None,
        client_names=None,
    )  # fmt: skip


def service_alone(p: FacilityProblem) -> FacilityProblem:
    """What a problem asks of lanes, with nothing asked of which options open."""
    return p.with_changes(budget=None, n_open=None, group=None, rules=None, coverage=(), forced_open=(), forbidden=())


def solve_extensive(
    planning: FacilityProblem,
    problems: Sequence[FacilityProblem],
    aim: Aim,
    *,
    idle: bool,
    deadline: float,
    threads: int,
) -> Chosen:
    """Choose options once for all problems, by HiGHS.

    Args:
        planning: what it asks of options holds for the choice.
        problems: what they ask of lanes holds for each; what they ask of options does not.
        idle: whether a problem may leave an option that is chosen idle, for its fixed cost.
        deadline: as time.perf_counter() tells it.

    Raises:
        KeyboardInterrupt: on Ctrl-C.
    """
    n, chosen = planning.n_options, with_points(limits_alone(planning))
    blocks, width = _blocks(problems)
    points_at, y_at = width, width + chosen.n_lanes
    width = y_at + n + 1
    largest = max(
        float(np.abs(costs).max(initial=0.0)) for block in blocks for costs in (block.saving, block.problem.fixed_cost)
    )
    scale = largest / 1000.0 or 1.0
    parts = [_placed(whole_rows(chosen, np.arange(chosen.n_lanes)), chosen.n_lanes, points_at, y_at, width)]
    for block in blocks:
        rows = whole_rows(service_alone(block.problem), block.lanes)
        parts += [_placed(rows, len(block.lanes), block.at, block.runs_at, width), _runs(block, y_at, width, idle)]
    costs = [_cost(block, y_at, width, scale) for block in blocks]
    if aim.ceiling is not None:
        parts.append(_ceilings(costs, (aim.ceiling - [block.stay for block in blocks]) / scale, aim.beyond))
    objective = np.asarray(sum(weight * cost for weight, cost in zip(aim.weight, costs, strict=True)))
    objective[-1] = 1.0 if aim.beyond else 0.0
    unit = scale
    if aim.reward is not None:
        objective[y_at:-1] += aim.reward
        unit = 1.0
    highs = new_highs(threads)
    pass_model(highs, _columns(planning, blocks, y_at, objective), _stacked(parts))
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("mip_abs_gap", 1e-9)
    set_tolerance(highs)
    if np.isfinite(deadline):
        limit_time(highs, deadline)
    if run_highs(highs):
        raise KeyboardInterrupt
    if highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return Chosen(None, np.inf)
    info = highs.getInfo()
    fixed = float(aim.weight @ [block.stay for block in blocks])
    bound = float(info.mip_dual_bound) * unit + fixed - TOLERANCE * (largest if aim.reward is None else 1.0)
    if info.primal_solution_status != highspy.kSolutionStatusFeasible:
        return Chosen(None, bound)
    return Chosen(np.array(highs.getSolution().col_value)[y_at:-1] > 0.5, bound)


def _blocks(problems: Sequence[FacilityProblem]) -> tuple[list[_Block], int]:
    """The problems among the columns, and how many columns they take."""
    blocks, at = [], 0
    for p in problems:
        lanes = open_lanes(service_alone(p))
        stay = np.where(np.isinf(p.unserved_cost), 0.0, p.unserved_cost)
        saving = p.lane_cost[lanes] - stay[p.lane_client[lanes]]
        blocks.append(_Block(p, lanes, at, at + len(lanes), saving, float(stay.sum())))
        at += len(lanes) + p.n_options
    return blocks, at


def _columns(planning: FacilityProblem, blocks: Sequence[_Block], y_at: int, objective: FloatArray) -> Columns:
    lower, upper = np.zeros(len(objective)), np.ones(len(objective))
    whole = np.zeros(len(objective), dtype=bool)
    for block in blocks:
        p, lanes = block.problem, slice(block.at, block.runs_at)
        upper[lanes] = most_of_lanes(p, block.lanes)
        whole[lanes] = p.single_source
        whole[block.runs_at : block.runs_at + p.n_options] = p.min_throughput > 0
    whole[y_at:-1] = True
    lower[y_at + planning.forced_open] = 1.0
    upper[y_at + planning.forbidden] = 0.0
    lower[-1], upper[-1] = (-np.inf, np.inf) if objective[-1] else (0.0, 0.0)
    return Columns(objective, lower, upper, whole)


def _placed(rows: Rows, lanes: int, lanes_at: int, options_at: int, width: int) -> Rows:
    """Rows over some lanes and the options, among all columns."""
    a = coo_array(rows.matrix)
    column = np.where(a.col < lanes, a.col + lanes_at, a.col - lanes + options_at)
    matrix = coo_array((a.data, (a.row, column)), shape=(a.shape[0], width)).tocsr()
    return Rows(matrix, rows.lower, rows.upper)


def _runs(block: _Block, y_at: int, width: int, idle: bool) -> Rows:
    """What a problem runs is chosen; and all of that runs unless it may be idle."""
    n = block.problem.n_options
    row = np.arange(n)
    matrix = coo_array(
        (np.repeat([1.0, -1.0], n), (np.tile(row, 2), np.concatenate([block.runs_at + row, y_at + row]))),
        shape=(n, width),
    ).tocsr()
    return Rows(matrix, np.full(n, -np.inf if idle else 0.0), np.zeros(n))


def _cost(block: _Block, y_at: int, width: int, scale: float) -> FloatArray:
    """(n_columns,) what each column adds to the cost of a problem, beside what all its clients cost unserved."""
    cost = np.zeros(width)
    cost[block.at : block.runs_at] = block.saving / scale
    cost[y_at : y_at + block.problem.n_options] = block.problem.fixed_cost / scale
    return cost


def _ceilings(costs: Sequence[FloatArray], ceiling: FloatArray, beyond: bool) -> Rows:
    matrix = np.array(costs)
    matrix[:, -1] = -1.0 if beyond else 0.0
    return Rows(csr_array(matrix), np.full(len(ceiling), -np.inf), ceiling)


def _stacked(parts: Sequence[Rows]) -> Rows:
    return Rows(
        csr_array(vstack([part.matrix for part in parts])),
        np.concatenate([part.lower for part in parts]),
        np.concatenate([part.upper for part in parts]),
    )

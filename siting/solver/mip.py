"""The reduced core as a PuLP model, solved by HiGHS in process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import highspy
import numpy as np
import pulp
from scipy.sparse import csr_array

from siting.solver.core import Core
from siting.solver.highs import LOOSE, Columns, Rows, Watch, limit_time, pass_model, run_highs, set_tolerance
from siting.solver.problem import BoolArray, FloatArray, IntArray
from siting.solver.stopwatch import OutOfTime

TICK = 500
"""Rows stated between two looks at the clock."""


@dataclass(frozen=True, eq=False)
class CoreAnswer:
    """What a solver found for a core.

    Attributes:
        open: (n_options,) mask, or None where it found no plan.
        bound: no plan of the core costs less; inf where it proved that there is none.
        lane_share: (n_lanes,) how the plan serves the clients.
        stopped: True when Ctrl-C ended the run.
    """

    open: BoolArray | None
    bound: float
    stopped: bool = False
    lane_share: FloatArray | None = None


@dataclass
class CoreModel:
    """The PuLP problem with its variables, in the order of the core's options and lanes."""

    problem: pulp.LpProblem
    open: list[pulp.LpVariable]
    lanes: list[pulp.LpVariable]
    scale: float


def build_model(core: Core, relaxed: bool = False, tick: Callable[[], None] = lambda: None) -> CoreModel:
    """Equations (1) to (9), (16) and (17) of FacilityProblem for a core.

    Costs are divided by a scale that brings them near 1, the rows (4) by u_j, (17) by m_j and the rules by their
    limits, because solvers' tolerances are absolute. With `relaxed` every variable is continuous. `tick` is called
    now and then.
    """
    magnitude = np.concatenate([np.abs(core.cost), np.abs(core.fixed_cost), [0.0]])
    scale = float(magnitude.max()) / 1000.0 or 1.0
    binary = pulp.LpContinuous if relaxed else pulp.LpInteger
    lane_type = binary if core.single_source else pulp.LpContinuous
    problem = pulp.LpProblem("siting", pulp.LpMinimize)
    y = [problem.add_variable(f"y{j}", int(core.forced[j]), 1, binary) for j in range(core.n_options)]
    x = [problem.add_variable(f"x{lane}", 0, 1, lane_type) for lane in range(core.n_lanes)]
    reference = np.where(np.isfinite(core.unserved), core.unserved, 0.0)
    saving = (core.cost - reference[core.client]) / scale
    problem.setObjective(
        pulp.LpAffineExpression(
            [*zip(x, saving.tolist(), strict=True), *zip(y, (core.fixed_cost / scale).tolist(), strict=True)]
        )
    )

    def add(terms: list[tuple[pulp.LpVariable, float]], sense: int, right: float, name: str) -> None:
        problem.addConstraint(pulp.LpConstraint(pulp.LpAffineExpression(terms), sense, name, right))

    must = np.isinf(core.unserved)
    for i in _ticking(range(core.n_clients), tick):
        lanes = x[core.first_lane[i] : core.first_lane[i + 1]]
        sense = pulp.LpConstraintEQ if must[i] else pulp.LpConstraintLE
        add([(v, 1.0) for v in lanes], sense, 1.0, f"serve{i}")
    options_at: list[list[int]] = [[] for _ in range(core.n_places)]
    for j, place in enumerate(core.place.tolist()):
        options_at[place].append(j)
    lanes_at: list[list[IntArray]] = [[] for _ in range(core.n_places)]
    for k, (place, lanes_of_pair) in enumerate(_ticking(_pairs(core), tick)):
        lanes_at[place].append(lanes_of_pair)
        terms = [(x[lane], 1.0) for lane in lanes_of_pair]
        opened = [(y[j], -1.0) for j in options_at[place]]
        add([*terms, *opened], pulp.LpConstraintLE, 0.0, f"link{k}")
    for place, options in enumerate(options_at):
        for terms, right_of, sense, name in _load_rows(core, options, lanes_at[place]):
            through = [(x[lane], q) for lane, q in terms]
            opened = [(y[j], -limit) for j, limit in zip(options, right_of, strict=True)]
            add([*through, *opened], sense, 0.0, f"{name}{place}")
    rows = core.rows if relaxed else core.rows.loosened(LOOSE)
    for r, (lower, upper) in enumerate(zip(rows.lower.tolist(), rows.upper.tolist(), strict=True)):
        row = rows.coefficients[[r]]
        terms = [(y[j], a) for j, a in zip(row.indices.tolist(), row.data.tolist(), strict=True)]
        if lower == upper:
            add(terms, pulp.LpConstraintEQ, upper, f"rule{r}")
            continue
        if np.isfinite(upper):
            add(terms, pulp.LpConstraintLE, upper, f"rule{r}_most")
        if np.isfinite(lower):
            add(terms, pulp.LpConstraintGE, lower, f"rule{r}_least")
    return CoreModel(problem, y, x, scale)


def _load_rows(
    core: Core, options: list[int], lanes_of_pairs: list[IntArray]
) -> Iterator[tuple[list[tuple[int, float]], list[float], int, str]]:
    """(4) and (17) of a place: what each lane takes through it and the limit of each option, in the same unit."""
    loose = LOOSE if core.single_source else 0.0
    lanes = np.concatenate([*lanes_of_pairs, np.zeros(0, dtype=np.int64)]).astype(np.int64)
    for limit, sense, name in (
        (core.capacity[options] * (1 + loose), pulp.LpConstraintLE, "capacity"),
        (core.minimum[options] * (1 - loose), pulp.LpConstraintGE, "minimum"),
    ):
        unit = float(limit.max(initial=0.0))
        if not np.isfinite(limit).all() or unit == 0 or (name == "capacity" and not len(lanes)):
            continue
        load = core.demand[core.client[lanes]] / unit
        yield (
            [(k, q) for k, q in zip(lanes.tolist(), load.tolist(), strict=True) if q > 0],
            list(limit / unit),
            sense,
            name,
        )


T = TypeVar("T")


def _ticking(items: Iterable[T], tick: Callable[[], None]) -> Iterator[T]:
    for k, item in enumerate(items):
        if k % TICK == 0:
            tick()
        yield item


def _until(deadline: float) -> Callable[[], None]:
    """What raises `OutOfTime` when it is called after a time of `time.perf_counter`."""

    def tick() -> None:
        if time.perf_counter() > deadline:
            raise OutOfTime

    return tick


def _pairs(core: Core) -> list[tuple[int, IntArray]]:
    """(place, lanes) for every client and place that some lane of the client uses, as (3) needs."""
    second = np.flatnonzero(core.places[:, 1] >= 0)
    lane = np.concatenate([np.arange(core.n_lanes), second])
    place = np.concatenate([core.places[:, 0], core.places[second, 1]]).astype(np.int64)
    key = core.client[lane] * np.int64(core.n_places) + place
    order = np.argsort(key, kind="stable")
    lane, place, key = lane[order], place[order], key[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    return [(int(j), lanes) for j, lanes in zip(place[starts], np.split(lane, starts[1:]), strict=False)]


def solve_core(
    core: Core,
    gap: float,
    time_limit: float | None,
    threads: int,
    start: FloatArray | None = None,
    watch: Watch | None = None,
    nodes: int | None = None,
) -> CoreAnswer:
    """Solve a core by PuLP and HiGHS in process.

    Args:
        gap: relative gap to stop at, of the whole objective.
        time_limit: seconds, or None.
        threads: threads HiGHS may use.
        start: (n_options,) open options of a known plan, or (n_options + n_lanes,) with the shares of its lanes.
        watch: called with the bound and the best objective at least twice a second.
        nodes: most branch-and-bound nodes; None = until the gap is reached.

    Raises:
        OutOfTime: when the time was over before the model was stated and handed over.
    """
    if core.n_options == 0:
        return _without_options(core)
    deadline = np.inf if time_limit is None else time.perf_counter() + time_limit
    model = build_model(core, tick=_until(deadline))
    constant = _constant(core)
    bound = -np.inf
    while True:
        solver = _InProcessHighs(model, constant, gap, deadline, threads, start, watch, nodes)
        model.problem.solve(solver)
        if solver.infeasible:
            return CoreAnswer(None, np.inf, solver.stopped)
        bound = max(bound, solver.bound)
        if solver.values is None:
            return CoreAnswer(None, bound, solver.stopped)
        opened = solver.values[: core.n_options] > 0.5
        if core.rules.kept(opened):
            return CoreAnswer(opened, bound, solver.stopped, solver.values[core.n_options :])
        for name, cover in _covers(core, model, opened):
            model.problem += cover, f"{name}_{len(model.problem.constraints())}"
        start = None


def _covers(core: Core, model: CoreModel, opened: BoolArray) -> Iterator[tuple[str, pulp.LpConstraint]]:
    """Rows that cut off a set within the solver's tolerance of a rule and beyond ours.

    With P what is open and adds to the excess and N what is closed and would take off it, every set that opens all
    of P and none of N breaks the rule as much: at least one of them must change.
    """
    down, up = core.rules.room(opened)
    for r in np.flatnonzero((down > 0) | (up < 0)):
        row = core.rules.coefficients[[r]]
        adds = (row.data > 0) == (up[r] < 0)
        is_open = opened[row.indices]
        more, less = row.indices[adds & is_open], row.indices[~adds & ~is_open]
        total = pulp.lpSum([model.open[j] for j in more]) - pulp.lpSum([model.open[j] for j in less])
        yield f"cover{r}", total <= len(more) - 1


def _without_options(core: Core) -> CoreAnswer:
    """The answer where nothing can be opened."""
    possible = bool(np.isfinite(core.unserved).all()) and core.rules.kept(np.zeros(0))
    return CoreAnswer(np.zeros(0, dtype=bool), _constant(core)) if possible else CoreAnswer(None, np.inf)


def _constant(core: Core) -> float:
    """Cost of leaving everyone unserved who may be: the objective of the model is relative to it."""
    return core.base + float(core.unserved[np.isfinite(core.unserved)].sum())


class _InProcessHighs(pulp.HiGHS):  # type: ignore[misc]
    """pulp.HiGHS that takes a start, reports the solver's own bound, and can be watched and stopped.

    PuLP calls a run that hit the time limit optimal; `bound` and `infeasible` come from HiGHS itself.
    """

    def __init__(
        self,
        model: CoreModel,
        constant: float,
        gap: float,
        deadline: float,
        threads: int,
        start: FloatArray | None,
        watch: Watch | None,
        nodes: int | None,
    ) -> None:
        super().__init__(msg=False, threads=threads)
        self._deadline = deadline
        self._model, self._constant, self._gap = model, constant, gap
        self._start, self._watch, self._nodes = start, watch, nodes
        self.bound, self.infeasible, self.stopped = -np.inf, False, False
        self.values: FloatArray | None = None

    def buildSolverModel(self, lp: Any) -> None:  # noqa: N802 (PuLP's name)
        """Hand the model to HiGHS in one call: PuLP does it column by column."""
        variables = [*self._model.open, *self._model.lanes]
        for k, variable in enumerate(variables):
            variable.index = k
        columns = Columns(
            np.array([lp.objective.get(v, 0.0) for v in variables]),
            np.array([v.lowBound for v in variables], dtype=float),
            np.array([v.upBound for v in variables], dtype=float),
            np.array([v.cat == pulp.LpInteger for v in variables]),
        )
        start = [0]
        index: list[int] = []
        value: list[float] = []
        lower: list[float] = []
        upper: list[float] = []
        for row, constraint in enumerate(_ticking(lp.constraints(), _until(self._deadline))):
            constraint.index = row
            index.extend(v.index for v in constraint)
            value.extend(constraint.values())
            start.append(len(index))
            right = -constraint.constant
            lower.append(-np.inf if constraint.sense == pulp.LpConstraintLE else right)
            upper.append(np.inf if constraint.sense == pulp.LpConstraintGE else right)
        matrix = csr_array((np.array(value, dtype=float), index, start), shape=(len(lower), len(variables)))
        pass_model(lp.solverModel, columns, Rows(matrix, np.array(lower), np.array(upper)))

    def callSolver(self, lp: Any) -> None:  # noqa: N802 (PuLP's name)
        highs = lp.solverModel
        # With the constant HiGHS's relative gap is that of the whole objective.
        highs.changeObjectiveOffset(self._constant / self._model.scale)
        highs.setOptionValue("mip_rel_gap", self._gap)
        highs.setOptionValue("mip_abs_gap", 1e-9)
        set_tolerance(highs)
        if np.isfinite(self._deadline):  # from now: handing the model over has taken its part
            limit_time(highs, self._deadline)
        if self._nodes is not None:
            highs.setOptionValue("mip_max_nodes", self._nodes)
        if self._start is not None:
            n = len(self._start)
            highs.setSolution(n, np.arange(n, dtype=np.int32), self._start)
        self.stopped = run_highs(highs, self._watch_scaled if self._watch else None)
        status = highs.getModelStatus()
        self.infeasible = status == highspy.HighsModelStatus.kInfeasible
        info = highs.getInfo()
        is_mip = any(v.cat == pulp.LpInteger for v in lp.variables())
        if is_mip:
            self.bound = float(info.mip_dual_bound) * self._model.scale
        elif status == highspy.HighsModelStatus.kOptimal:
            self.bound = float(info.objective_function_value) * self._model.scale
        if info.primal_solution_status == highspy.kSolutionStatusFeasible:
            self.values = np.array(highs.getSolution().col_value)

    def findSolutionValues(self, lp: Any) -> tuple[int, int]:  # noqa: N802 (PuLP's name)
        """The answer is read above; tell PuLP only whether there is one."""
        if self.values is None:
            return pulp.LpStatusNotSolved, pulp.LpSolutionNoSolutionFound
        return pulp.LpStatusOptimal, pulp.LpSolutionIntegerFeasible

    def _watch_scaled(self, bound: float, objective: float) -> None:
        assert self._watch is not None
        self._watch(bound * self._model.scale, objective * self._model.scale)

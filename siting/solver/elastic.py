"""A bare problem under any choice of its limits, some of which may be loosened: one program, asked again and again.

    min   sum_r s_r / |b_r|     over the limits r that may be loosened                                  (87)
    s.t.  (2), (3), (9), every limit that is kept, and every limit that may be loosened by s_r >= 0

Without limits that may be loosened it asks whether any plan keeps the others. HiGHS answers over y, x and s; a plan
is recomputed in NumPy before it is believed, and what it is loosened by is measured on the plan itself. Costs play
no part.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import highspy
import numpy as np
from scipy.sparse import csr_array

from siting.solver.elastic_rows import ElasticRows, asks_of
from siting.solver.highs import Rows, add_rows, limit_time, new_highs, pass_model, run_highs, set_tolerance
from siting.solver.limits import COUNTED, Limit
from siting.solver.overstep import Overstep
from siting.solver.problem import BoolArray, FacilityProblem, FloatArray, IntArray
from siting.solver.ways import Ways

SETS_OFF = 20
"""Sets of options within HiGHS's tolerance of a limit and beyond ours that are cut off before it is left open."""
PROVEN = 1e-7
"""Of the size of a limit; what the tolerances of HiGHS leave open of the least amount."""
Outcome = Literal["plan", "none", "unknown"]


@dataclass(frozen=True, eq=False)
class Found:
    """What came of a question.

    Attributes:
        outcome: "plan"; "none" = proven that there is none; "unknown" = the time was over.
        opened: (n_options,) mask, of a plan.
        amount: (n_limits,) by how much the plan oversteps each limit, in its unit; 0 where it keeps it.
        let_go: by limit the members that the plan does not heed.
        cost: (87) of the plan, over the limits that might be loosened; inf without a plan.
        bound: no plan has less.
    """

    outcome: Outcome
    opened: BoolArray
    amount: FloatArray
    let_go: dict[int, IntArray]
    cost: float
    bound: float

    @property
    def proven(self) -> bool:
        """Whether no plan oversteps less."""
        return self.outcome == "plan" and self.cost <= self.bound + PROVEN * max(self.cost, 1.0)


class Elastic:
    """The program, built once; see the module.

    Args:
        p: a bare problem.
        limits: all that may be asked of it.
        ways: how options may be filled; limits that are about what it leaves out are not asked.
        threads: for HiGHS.
    """

    def __init__(self, p: FacilityProblem, limits: Sequence[Limit], ways: Ways | None, threads: int) -> None:
        self.p, self.limits, self.ways = p, limits, ways
        self._builder = builder = ElasticRows(p, limits, ways)
        builder.build()
        self._highs = new_highs(threads)
        pass_model(self._highs, builder.columns(), builder.matrix())
        self._highs.setOptionValue("mip_rel_gap", 0.0)
        self._highs.setOptionValue("mip_abs_gap", 1e-10)
        set_tolerance(self._highs)

    def run(
        self,
        kept: dict[int, BoolArray],
        loose: Mapping[int, float],
        deadline: float,
        opened: BoolArray | None = None,
    ) -> Found:
        """A plan that keeps some parts of the limits and oversteps those that may be loosened least.

        Args:
            kept: by limit, (n_parts,) mask of what is to be kept; limits that are not there are not asked for.
            loose: limits that may be loosened, all parts of each by one amount, and by how much at most.
            opened: (n_options,) exactly these options.

        Raises:
            KeyboardInterrupt: on Ctrl-C.
        """
        if time.perf_counter() > deadline:
            return self._nothing("unknown")
        if self._state(kept, loose, opened):
            return self._nothing("none")
        first = int(self._highs.getNumRow())
        try:
            for _ in range(SETS_OFF):
                if np.isfinite(deadline):
                    limit_time(self._highs, deadline)
                if run_highs(self._highs):
                    raise KeyboardInterrupt
                found = self._read(kept, loose)
                if found is not None:
                    return found
            return self._nothing("unknown")
        finally:
            last = int(self._highs.getNumRow()) - 1
            if last >= first:
                self._highs.deleteRows(last - first + 1, np.arange(first, last + 1, dtype=np.int32))

    def _nothing(self, outcome: Outcome, bound: float = -np.inf) -> Found:
        bound = np.inf if outcome == "none" else bound
        nothing = np.zeros(self.p.n_options, dtype=bool)
        return Found(outcome, nothing, np.zeros(len(self.limits)), {}, np.inf, bound)

    def _state(self, kept: dict[int, BoolArray], loose: Mapping[int, float], opened: BoolArray | None) -> bool:
        """State bounds for a question; True where they contradict one another already."""
        b, n = self._builder, self.p.n_options
        row_low, row_high = b.row_lower.copy(), b.row_upper.copy()
        low, high, cost = b.low.copy(), b.high.copy(), np.zeros(len(b.low))
        whole = b.integer.copy()
        for k, limit in enumerate(self.limits):
            parts = kept.get(k, np.zeros(limit.n_parts, dtype=bool))
            if k in loose:
                cost[b.slack[k]] = b.per[k] / limit.unit
                high[b.slack[k]] = min(b.most[k], loose[k] / b.per[k])
                parts = np.full(limit.n_parts, limit.kind not in COUNTED)
            dropped = b.rows_of[k][~parts] if k in b.rows_of else np.zeros(0, dtype=np.int64)
            row_low[dropped], row_high[dropped] = -np.inf, np.inf
            if k in b.family and k not in loose:
                row_low[b.family[k]], row_high[b.family[k]] = -np.inf, np.inf
            members = limit.members[parts] if limit.kind in COUNTED else limit.members[:0]
            if limit.kind == "forced":
                low[b.y + members] = 1.0
            elif limit.kind == "forbidden":
                high[b.y + members] = 0.0
            elif limit.kind == "served" and k in b.excuse:
                high[b.excuse[k][parts]] = 0.0
            elif limit.kind == "whole" and not parts.all():
                whole[: b.y] = False
        if opened is not None:
            low[b.y : b.y + n] = np.maximum(low[b.y : b.y + n], opened)
            high[b.y : b.y + n] = np.minimum(high[b.y : b.y + n], opened)
        if (low > high).any():
            return True
        highs, rows, columns = self._highs, len(row_low), len(low)
        highs.changeRowsBounds(rows, np.arange(rows, dtype=np.int32), row_low, row_high)  # type: ignore[attr-defined]
        every = np.arange(columns, dtype=np.int32)
        highs.changeColsBounds(columns, every, low, high)
        highs.changeColsCost(columns, every, cost)
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        highs.changeColsIntegrality(columns, every, np.array([kinds[each] for each in whole.tolist()]))
        highs.clearSolver()
        return False

    def _read(self, kept: dict[int, BoolArray], loose: Mapping[int, float]) -> Found | None:
        """The answer of a run; None where its plan is none of ours: it is cut off, and the run goes on."""
        status, info = self._highs.getModelStatus(), self._highs.getInfo()
        if status == highspy.HighsModelStatus.kInfeasible:
            return self._nothing("none")
        bound = float(info.mip_dual_bound) if self._builder.integer.any() else -np.inf
        if status == highspy.HighsModelStatus.kOptimal and not np.isfinite(bound):
            bound = float(info.objective_function_value)
        if info.primal_solution_status != highspy.kSolutionStatusFeasible:
            return self._nothing("unknown", bound)
        values, b = np.array(self._highs.getSolution().col_value), self._builder
        opened = values[b.y : b.y + self.p.n_options] > 0.5
        measure = Overstep(self.p, opened, self.ways, values[: b.y])
        amount, let_go = np.zeros(len(self.limits)), {}
        for k, limit in enumerate(self.limits):
            if not asks_of(limit, self.ways):
                continue
            parts = np.ones(limit.n_parts, dtype=bool) if k in loose else kept.get(k, np.zeros(0, dtype=bool))
            amount[k] = measure.over(limit, parts) if parts.any() else 0.0
            if amount[k] > 0 and k not in loose:
                self._cut_off(opened)
                return None
            if k in loose and limit.kind in COUNTED:
                let_go[k] = limit.members[measure.unheeded(limit)]
        cost = sum(amount[k] / self.limits[k].unit for k in loose)
        return Found("plan", opened, amount, let_go, float(cost), min(bound, float(cost)))

    def _cut_off(self, opened: BoolArray) -> None:
        """Leave out one set of options."""
        b, n = self._builder, self.p.n_options
        row = csr_array(
            (np.where(opened, -1.0, 1.0), (np.zeros(n, dtype=int), b.y + np.arange(n))), shape=(1, len(b.low))
        )
        add_rows(self._highs, Rows(row, np.array([1.0 - float(opened.sum())]), np.array([np.inf])))

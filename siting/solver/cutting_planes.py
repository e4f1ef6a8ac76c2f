"""A linear program over options in HiGHS, kept warm while rows are added as solutions violate them.

What the rows are is told by its kinds: Benders cuts (`benders`) or links of lanes to options (`link_cuts`).
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np
from scipy.sparse import csr_array

from siting.solver.branch_and_bound import Node, Relaxed, Tip, branch_and_bound
from siting.solver.core import Core
from siting.solver.highs import Rows, add_rows, limit_time, new_highs, run_highs
from siting.solver.problem import BoolArray, FloatArray
from siting.solver.proof import Prices
from siting.solver.rules import Rules

RAY = 1e7
"""Length, in the program's units, of a ray of row duals that shows that there is no plan: beyond any cost."""
TIP_ITERATIONS = 60
"""Simplex iterations that trying one side of an option may take."""
UNLIMITED = 2**31 - 1


@dataclass(frozen=True, eq=False)
class LinearBound:
    """The linear relaxation: bound (without base), y and the reduced costs of y."""

    bound: float
    y: FloatArray
    reduced_cost: FloatArray

    def decided(self, room: float) -> tuple[BoolArray, BoolArray]:
        """Options that are closed, and that are open, in every plan less than ``room`` above the bound."""
        closed = (self.reduced_cost > room) & (self.y < 1e-6)
        return closed, (-self.reduced_cost > room) & (self.y > 1 - 1e-6)


class Program(ABC):
    """Minimise scale * (linear program) + constant; y are n_options of its columns, from `first_option` on."""

    first_option = 0
    n_columns: int
    constant: float
    scale: float
    first_solver = "choose"
    """HiGHS solver of the first program; those that follow start from its basis by simplex."""
    one_of_row = -1
    """Row of `require_one`; -1: none."""
    number_row = -1
    """Row that holds the number of open options between bounds; -1: none."""

    def __init__(self, core: Core, threads: int, tick: Callable[[], None]) -> None:
        self.core, self._tick = core, tick
        self.highs = new_highs(threads)

    def _over_options(self, rules: Rules) -> csr_array:
        """The coefficients of rules at the columns of the options."""
        a = rules.coefficients
        return csr_array((a.data, a.indices + self.first_option, a.indptr), shape=(len(rules), self.n_columns))

    @abstractmethod
    def prices(self, dual: FloatArray) -> Prices:
        """Row duals as the multipliers that a proof keeps."""

    def last_prices(self) -> Prices:
        """The multipliers of the last linear program."""
        return self.prices(np.array(self.highs.getSolution().row_dual))

    def _why_over(self) -> list[Prices]:
        """What shows that the last program has no plan at all, or none below the cutoff."""
        if self.highs.getModelStatus() != highspy.HighsModelStatus.kInfeasible:
            return [self.last_prices()]
        _, found, ray = self.highs.getDualRay()  # type: ignore[attr-defined]  # not in the stubs of highspy
        largest = float(np.abs(ray).max(initial=0.0)) if found else 0.0
        return [self.prices(side * RAY / largest * np.array(ray)) for side in (1.0, -1.0)] if largest > 0 else []

    def _rule_prices(self, dual: FloatArray, first_row: int) -> FloatArray:
        """(n_rules,) prices of the core's rules by the duals of their scaled rows."""
        ours, theirs = (rules.sums(np.abs(rules.coefficients.data)) for rules in (self.core.rules, self.core.rows))
        unit = np.divide(ours, theirs[: len(ours)], out=np.ones_like(ours), where=ours > 0)
        return np.asarray(dual[first_row : first_row + len(unit)] * self.scale / unit)

    @abstractmethod
    def _tighten(self, values: FloatArray) -> bool:
        """Add rows that a solution violates; False when there are none."""

    def require_one(self, options: BoolArray) -> None:
        """Leave out the plans that use none of some options: they are settled."""
        one = Rules(options[None, :], lower=1.0)
        self.one_of_row = self.highs.getNumRow()
        add_rows(self.highs, Rows(self._over_options(one), one.lower, one.upper))

    def solve_linear(
        self, cutoff: Callable[[], float], deadline: float, visit: Callable[[float, FloatArray], None]
    ) -> LinearBound:
        """Add rows until nothing is violated, the bound reaches the cutoff or the time is over.

        Args:
            visit: called with each bound and its y.
        """
        n = self.core.n_options
        best = LinearBound(-np.inf, np.zeros(n), np.zeros(n))
        self.highs.setOptionValue("solver", self.first_solver)
        while time.perf_counter() < deadline:
            status = self._run(deadline)
            self.highs.setOptionValue("solver", "choose")
            if status == highspy.HighsModelStatus.kInfeasible:
                return LinearBound(np.inf, best.y, best.reduced_cost)
            if status != highspy.HighsModelStatus.kOptimal:
                return best
            values, best = self._solution()
            visit(best.bound, best.y)
            if best.bound >= cutoff() or not self._tighten(values):
                return best
        return best

    def branch(
        self,
        root: Node,
        cutoff: Callable[[], float],
        deadline: float,
        visit: Callable[[float, FloatArray], None],
        nodes: int | None,
    ) -> float:
        """`branch_and_bound` on this program."""
        over = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kObjectiveBound)

        def restrict(node: Node) -> None:
            n = self.core.n_options
            columns = np.arange(self.first_option, self.first_option + n, dtype=np.int32)
            self.highs.changeColsBounds(n, columns, node.low, node.high)
            if self.number_row >= 0:
                self.highs.changeRowBounds(self.number_row, node.fewest, node.most)
            self.highs.setOptionValue("objective_bound", (cutoff() - self.constant) / self.scale)

        def relax(node: Node) -> Relaxed | None:
            restrict(node)
            while True:
                status = self._run(deadline)
                if status in over:
                    if node.record is not None:
                        node.record.add(*self._why_over())
                    return np.inf, node.low, node.low
                if status != highspy.HighsModelStatus.kOptimal:
                    return None
                values, found = self._solution()
                if found.bound >= cutoff() or not self._tighten(values):
                    if node.record is not None:
                        node.record.add(self.last_prices())
                    return max(found.bound, node.bound), found.y, found.reduced_cost

        def tip(node: Node) -> Tip | None:
            restrict(node)
            self.highs.setOptionValue("simplex_iteration_limit", TIP_ITERATIONS)
            status = self._run(deadline)
            self.highs.setOptionValue("simplex_iteration_limit", UNLIMITED)
            if status in over:
                return np.inf, True, self._why_over() if node.record is not None else []
            if status not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kIterationLimit):
                return None
            value, is_bound = self._objective(), status == highspy.HighsModelStatus.kOptimal
            enough = node.record is not None and is_bound and value >= cutoff()
            return value, is_bound, [self.last_prices()] if enough else []

        return branch_and_bound(root, relax, tip, cutoff, deadline, visit, self.number_row >= 0, nodes)

    def _objective(self) -> float:
        return float(self.highs.getInfo().objective_function_value) * self.scale + self.constant

    def _solution(self) -> tuple[FloatArray, LinearBound]:
        """(all columns, bound with y and reduced costs) of the last run."""
        solution = self.highs.getSolution()
        values = np.array(solution.col_value)
        options = slice(self.first_option, self.first_option + self.core.n_options)
        reduced_cost = np.array(solution.col_dual)[options] * self.scale
        return values, LinearBound(self._objective(), np.clip(values[options], 0.0, 1.0), reduced_cost)

    def _run(self, deadline: float) -> highspy.HighsModelStatus:
        """Run HiGHS; Ctrl-C meanwhile goes on to the caller."""
        limit_time(self.highs, deadline)
        if run_highs(self.highs, lambda bound, objective: self._tick()):
            raise KeyboardInterrupt
        return self.highs.getModelStatus()

"""Cores too large for a model with every link (3): the links are added only where a solution violates them.

The linear relaxation with all violated links has the bound of the full model. Options are then fixed by reduced
cost and the rest is branched on: here, on the warm linear program, or by HiGHS where clients may not be split; with
y binary, capacities (4) or single lanes imply what links were left out, and the plan is re-evaluated from its open
options anyway.
"""

from __future__ import annotations

from collections.abc import Callable

import highspy
import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from siting.solver.choice import holding_rules
from siting.solver.core import Core
from siting.solver.cutting_planes import Program
from siting.solver.highs import LOOSE, Columns, Rows, add_rows, limit_time, pass_model, run_highs, set_tolerance
from siting.solver.problem import BoolArray, FloatArray, IntArray
from siting.solver.proof import Prices

VIOLATION = 1e-5
"""How far more than the place is open a client must use it for the link to be added."""

CLOSE = 0.3
"""Before branching, links of lanes up to this part dearer than their client's multiplier are added too."""


class LinkCuts(Program):
    """(1) to (9) of a core in HiGHS, links apart."""

    first_solver = "ipm"  # half the time of simplex where there are many lanes

    def __init__(self, core: Core, threads: int, tick: Callable[[], None]) -> None:
        super().__init__(core, threads, tick)
        n, m, k = core.n_options, core.n_clients, core.n_lanes
        must = np.isinf(core.unserved)
        self.reference = np.where(must, 0.0, core.unserved)
        self.constant = float(self.reference.sum())
        saving = core.cost - self.reference[core.client]
        self.scale = float(np.abs(saving).max(initial=0.0)) / 1000.0 or 1.0
        self._index_pairs()
        self.first_option, self.n_columns = k, k + n
        lane_kind = highspy.HighsVarType.kInteger if core.single_source else highspy.HighsVarType.kContinuous
        self.kinds = np.array([lane_kind] * k + [highspy.HighsVarType.kInteger] * n)
        columns = Columns(
            np.concatenate([saving, core.fixed_cost]) / self.scale,
            np.concatenate([np.zeros(k), core.forced.astype(float)]),
            np.ones(k + n),
        )
        serve = csr_array((np.ones(k), (core.client, np.arange(k))), shape=(m, k + n))
        capacity, minimum, holding = self._capacity_rows(), self._minimum_rows(), holding_rules(core)
        count, filled = capacity.shape[0], minimum.shape[0]
        self.held_row = m + count + filled
        self.rules_row = self.held_row + len(holding)
        if len(holding):
            self.number_row = self.rules_row - 1  # (13), the last of them
        limits = (holding, core.rows)
        lower = [np.where(must, 1.0, -np.inf), np.full(count, -np.inf), np.zeros(filled)]
        upper = [np.ones(m), np.zeros(count), np.full(filled, np.inf)]
        rows = Rows(
            vstack([serve, capacity, minimum, *(self._over_options(rules) for rules in limits)]).tocsr(),
            np.concatenate([*lower, *(rules.lower for rules in limits)]),
            np.concatenate([*upper, *(rules.upper for rules in limits)]),
        )
        pass_model(self.highs, columns, rows)

    def _index_pairs(self) -> None:
        """Pairs of client and place, and the lanes of each: (3) is a row for a pair."""
        core = self.core
        second = np.flatnonzero(core.places[:, 1] >= 0)
        self.lane = np.concatenate([np.arange(core.n_lanes), second])
        self._place = np.concatenate([core.places[:, 0], core.places[second, 1]]).astype(np.int64)
        key = core.client[self.lane].astype(np.int64) * core.n_places + self._place
        _, first, self.pair = np.unique(key, return_index=True, return_inverse=True)
        self.pair_place, self.pair_client = self._place[first], core.client[self.lane][first]
        self.linked = np.zeros(len(first), dtype=bool)
        self.link_row = np.full(len(first), -1)

    @property
    def _loose(self) -> float:
        """Part of its limits by which the load of a place is loosened, where it is a sum of whole clients."""
        return LOOSE if self.core.single_source else 0.0

    def _capacity_rows(self) -> csr_array:
        """(4), each row divided by the largest capacity of its place."""
        limited = np.flatnonzero(np.isfinite(self.core.capacity))
        rows, self.unit, number = self._load_rows(limited, self.core.capacity[limited] * (1 + self._loose))
        self.capacity_row = np.where(number >= 0, self.core.n_clients + number, -1)
        return rows

    def _minimum_rows(self) -> csr_array:
        """(17), each row divided by the largest minimum of its place."""
        filled = np.flatnonzero(self.core.minimum > 0)
        rows, self.minimum_unit, number = self._load_rows(filled, self.core.minimum[filled] * (1 - self._loose))
        first = self.core.n_clients + int((self.capacity_row >= 0).sum())
        self.minimum_row = np.where(number >= 0, first + number, -1)
        return rows

    def _load_rows(self, options: IntArray, limit: FloatArray) -> tuple[csr_array, FloatArray, IntArray]:
        """What goes through the places of some options less their limits; the unit and the row of each place."""
        core, lane, place = self.core, self.lane, self._place
        unit = np.zeros(core.n_places)
        np.maximum.at(unit, core.place[options], limit)
        bounded = np.zeros(core.n_places, dtype=bool)
        bounded[core.place[options]] = True
        unit[unit == 0] = 1.0
        through = np.flatnonzero(bounded[place])
        load = core.demand[core.client[lane[through]]] / unit[place[through]]
        number = np.where(bounded, np.cumsum(bounded) - 1, -1)
        row = number[np.concatenate([place[through], core.place[options]])]
        column = np.concatenate([lane[through], core.n_lanes + options])
        values = np.concatenate([load, -limit / unit[core.place[options]]])
        shape = (int(bounded.sum()), self.n_columns)
        return coo_array((values, (row, column)), shape=shape).tocsr(), unit, number

    def add_links(self, pairs: IntArray) -> None:
        """Add (3) for some pairs of client and place."""
        if not len(pairs):
            return
        core = self.core
        self.linked[pairs] = True
        self.link_row[pairs] = self.highs.getNumRow() + np.arange(len(pairs))
        row = np.full(len(self.linked), -1)
        row[pairs] = np.arange(len(pairs))
        mine = np.flatnonzero(row[self.pair] >= 0)
        lanes, lane_rows = self.lane[mine], row[self.pair[mine]]
        order = np.argsort(core.place, kind="stable")
        start = np.searchsorted(core.place[order], np.arange(core.n_places + 1))
        option, option_row = [], []
        for r, place in enumerate(self.pair_place[pairs].tolist()):
            members = order[start[place] : start[place + 1]]
            option.append(members)
            option_row.append(np.full(len(members), r))
        columns = np.concatenate([lanes, core.n_lanes + np.concatenate(option)])
        rows = np.concatenate([lane_rows, np.concatenate(option_row)])
        values = np.concatenate([np.ones(len(lanes)), -np.ones(len(columns) - len(lanes))])
        matrix = csr_array((values, (rows, columns)), shape=(len(pairs), core.n_lanes + core.n_options))
        add_rows(self.highs, Rows(matrix, np.full(len(pairs), -np.inf), np.zeros(len(pairs))))

    def add_cheap_links(self, lam: FloatArray, part: float = 0.0, places: BoolArray | None = None) -> None:
        """Add the links of lanes that cost less than their client's multiplier.

        Args:
            part: or up to this part more.
            places: (n_places,) mask of the places to look at; None = all.
        """
        best = np.full(len(self.linked), np.inf)
        np.minimum.at(best, self.pair, self.core.cost[self.lane])
        at = lam[self.pair_client]
        wanted = (best < at + part * np.abs(at)) & ~self.linked
        self.add_links(np.flatnonzero(wanted if places is None else wanted & places[self.pair_place]))

    def prices(self, dual: FloatArray) -> Prices:
        """Row duals as multipliers; the first place of two bears its link, its capacity and its minimum."""
        core = self.core
        rules = self._rule_prices(dual, self.rules_row)
        dual = np.append(dual, 0.0) * self.scale  # the last answers for no row
        lam = np.minimum(self.reference + dual[: core.n_clients], core.unserved)
        lanes = np.flatnonzero(core.places[:, 1] >= 0)
        place, client = core.places[lanes, 0], core.client[lanes]
        first = dual[self.link_row[self.pair[lanes]]]
        first += dual[self.capacity_row[place]] * core.demand[client] / self.unit[place]
        first += dual[self.minimum_row[place]] * core.demand[client] / self.minimum_unit[place]
        held = np.zeros(2)
        held[: self.rules_row - self.held_row] = dual[self.held_row : self.rules_row]
        one_of = float(dual[self.one_of_row])
        return Prices(lam, rules, held, one_of, lanes, first)

    def _tighten(self, values: FloatArray) -> bool:
        """Add the links that a solution breaks."""
        used = np.bincount(self.pair, weights=values[self.lane], minlength=len(self.linked))
        opened = np.bincount(self.core.place, weights=values[self.core.n_lanes :], minlength=self.core.n_places)
        broken = np.flatnonzero((used - opened[self.pair_place] > VIOLATION) & ~self.linked)
        self.add_links(broken)
        return len(broken) > 0

    def _loosen_rules(self) -> None:
        """Give the rows over options the room that whole numbers need; a linear program would use it."""
        rules = self.core.rows.loosened(LOOSE)
        for row, (lower, upper) in enumerate(zip(rules.lower, rules.upper, strict=True), self.rules_row):
            self.highs.changeRowBounds(row, lower, upper)

    def solve_integer(
        self,
        lam: FloatArray,
        closed: BoolArray,
        opened: BoolArray,
        start: BoolArray | None,
        slack: float,
        deadline: float,
        watch: Callable[[float, float], None],
    ) -> tuple[float, BoolArray | None]:
        """Branch with some options fixed: (bound, open options of the best plan found or None)."""
        k, n = self.core.n_lanes, self.core.n_options
        columns = np.arange(k, k + n, dtype=np.int32)
        undecided = np.zeros(self.core.n_places, dtype=bool)
        undecided[self.core.place[~closed & ~opened]] = True
        self.add_cheap_links(lam, CLOSE, undecided)
        self.highs.changeColsBounds(n, columns, (opened | self.core.forced).astype(float), (~closed).astype(float))
        self.highs.changeColsIntegrality(k + n, np.arange(k + n, dtype=np.int32), self.kinds)
        self.highs.setOptionValue("mip_rel_gap", 0.0)
        self.highs.setOptionValue("mip_abs_gap", max(slack / self.scale, 1e-9))
        set_tolerance(self.highs)
        self._loosen_rules()
        self.highs.setOptionValue("mip_heuristic_effort", 0.0)  # the start is the best plan there is, or near it
        limit_time(self.highs, deadline)
        if start is not None:
            self.highs.setSolution(n, columns, start.astype(float))
        scale, constant = self.scale, self.constant
        if run_highs(self.highs, lambda low, high: watch(low * scale + constant, high * scale + constant)):
            raise KeyboardInterrupt
        if self.highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
            return np.inf, None
        info = self.highs.getInfo()
        bound = float(info.mip_dual_bound) * scale + constant
        if info.primal_solution_status != highspy.kSolutionStatusFeasible:
            return bound, None
        return bound, np.array(self.highs.getSolution().col_value)[k:] > 0.5

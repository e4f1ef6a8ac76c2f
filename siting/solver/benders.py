"""Benders cuts in closed form, for cores whose lanes need one place and where no capacity binds.

For any y the service of client i costs at least, for every level v up to its cost of staying unserved,

    theta_i >= v - sum_{j: c_ij < v} (v - c_ij) y_j                                                   (14)

and the tightest level is where the open shares of its lanes, cheapest first, add up to one [Duran-Mateluna, Ales
and Elloumi 2023; Fischetti, Ljubic and Sinnl 2017]. One level u_i of each client is no row but part of the objective:
theta_i is its right-hand side and an excess e_i >= 0, so a cut at another level v reads

    e_i >= v - u_i - sum_j ((v - c_ij)+ - (u_i - c_ij)+) y_j                                          (15)

and most clients need none. The master over y and e is solved by HiGHS, warm-started row by row.
"""

from __future__ import annotations

from collections.abc import Callable

import highspy
import numpy as np
from scipy.sparse import csr_array, hstack

from siting.solver.core import Core
from siting.solver.cutting_planes import Program
from siting.solver.highs import Columns, Rows, add_rows, pass_model
from siting.solver.kernels import fill_cheapest
from siting.solver.problem import FloatArray, IntArray
from siting.solver.proof import Prices

VIOLATION = 1e-6
"""Violation, relative to the mean cost per client, at which a cut is worth adding."""
COVER = 1e-7
"""How far the open lanes of a client that must be served may be from one."""


class BendersMaster(Program):
    """The Benders master of a core; cuts only ever add up.

    Args:
        levels: (n_clients,) the level u_i of each client that is part of the objective.
    """

    def __init__(self, core: Core, levels: FloatArray, threads: int, tick: Callable[[], None]) -> None:
        super().__init__(core, threads, tick)
        n, m = core.n_options, core.n_clients
        self.place = np.ascontiguousarray(core.places[:, 0])
        self.order = np.argsort(core.place, kind="stable")  # options by place
        self.place_start = np.searchsorted(core.place[self.order], np.arange(core.n_places + 1))
        has_lane = np.diff(core.first_lane) > 0
        dearest = np.append(core.cost, np.inf)[np.where(has_lane, core.first_lane[1:] - 1, -1)]
        anywhere = core.n_open is not None and core.n_open > 0  # then who has a lane to every place is served
        some_only = np.diff(core.first_lane) < core.n_places if anywhere else has_lane
        self.must = np.flatnonzero(np.isinf(core.unserved) & some_only)
        self.covered: dict[int, int] = {}  # of these, who have a row that says so, and which
        self.top = np.where(np.isinf(core.unserved), dearest, core.unserved)  # the highest level of use
        self.levels = levels
        self.level_of_client = [{v} for v in levels.tolist()]
        self.cuts: list[tuple[int, int, float]] = []  # (row, client, level)
        self.folded = self._drops(np.arange(m), levels)
        self.constant = float(levels.sum())
        self.scale = float(np.abs(levels).mean()) or 1.0
        self.n_columns = n + m
        columns = Columns(
            np.concatenate([(core.fixed_cost - self.folded.sum(axis=0)) / self.scale, np.ones(m)]),
            np.concatenate([core.forced.astype(float), np.zeros(m)]),
            np.concatenate([np.ones(n), np.full(m, np.inf)]),
        )
        pass_model(self.highs, columns, Rows(self._over_options(core.rows), core.rows.lower, core.rows.upper))

    def _drops(self, clients: IntArray, levels: FloatArray) -> csr_array:
        """(len(clients), n_options) what each option takes off a client's level."""
        core = self.core
        length = np.diff(core.first_lane)[clients]
        lane = ranges(core.first_lane[clients], length)
        row = np.repeat(np.arange(len(clients)), length)
        drop = levels[row] - core.cost[lane]
        below = drop > 0
        lane, row, drop = lane[below], row[below], drop[below]
        place = core.places[lane, 0]
        tiers = np.diff(self.place_start)[place]
        option = self.order[ranges(self.place_start[place], tiers)]
        drop, row = np.repeat(drop, tiers), np.repeat(row, tiers)
        return csr_array((drop, (row, option)), shape=(len(clients), core.n_options))

    def add_cuts(self, clients: IntArray, levels: FloatArray) -> int:
        """Add (15) for some clients at some levels; how many were new."""
        core = self.core
        new = [
            k
            for k, (i, v) in enumerate(zip(clients.tolist(), levels.tolist(), strict=True))
            if v not in self.level_of_client[i]
        ]
        if not new:
            return 0
        clients, levels = clients[new], levels[new]
        for i, v in zip(clients.tolist(), levels.tolist(), strict=True):
            self.level_of_client[i].add(v)
        m, count = core.n_clients, len(clients)
        excess = csr_array((np.full(count, self.scale), (np.arange(count), clients)), shape=(count, m))
        matrix = hstack([self._drops(clients, levels) - self.folded[clients], excess], format="csr") / self.scale
        more = (levels - self.levels[clients]) / self.scale
        first = add_rows(self.highs, Rows(matrix, more, np.full(count, np.inf)))
        if first is None:  # the bound is a bound without them
            return 0
        self.cuts += zip(range(first, first + count), clients.tolist(), levels.tolist(), strict=True)
        return count

    def _tighten(self, values: FloatArray) -> bool:
        """Add the tightest cuts of clients whose service costs more at y than the cuts say."""
        n = self.core.n_options
        y = np.clip(values[:n], 0.0, 1.0)
        level, cost = self.service(y)
        theta = self.levels - self.folded @ y + values[n:] * self.scale
        violated = np.flatnonzero(cost - theta > VIOLATION * self.scale)
        added = self._cover(y)
        return self.add_cuts(violated, level[violated]) > 0 or added

    def _cover(self, y: FloatArray) -> bool:
        """Clients that must be served and are, at y, only in part: by (2) and (3) what is open to them reaches one."""
        if not len(self.must):
            return False
        core = self.core
        opened = np.bincount(core.place, weights=y, minlength=core.n_places)
        served = np.bincount(core.client, weights=opened[self.place], minlength=core.n_clients)
        lacking = [i for i in self.must.tolist() if served[i] < 1.0 - COVER and i not in self.covered]
        for i in lacking:
            places = self.place[core.first_lane[i] : core.first_lane[i + 1]]
            self.covered[i] = self.highs.getNumRow()
            self.require_one(np.isin(core.place, places))
        return bool(lacking)

    def service(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(levels, costs): tightest level of each client at y and what service then costs at least."""
        core = self.core
        opened = np.bincount(core.place, weights=y, minlength=core.n_places)
        level, cost = fill_cheapest(core.first_lane, self.place, core.cost, opened, core.unserved, self.top)
        return np.asarray(level), np.asarray(cost)

    def prices(self, dual: FloatArray) -> Prices:
        """Row duals as multipliers: each client's levels in the mixture of its cuts."""
        lam = self.levels.copy()
        if self.cuts:
            row, client, level = (np.array(part) for part in zip(*self.cuts, strict=True))
            np.add.at(lam, client, dual[row] * (level - self.levels[client]))
        for i, cover in self.covered.items():
            lam[i] += dual[cover] * self.scale
        return Prices(lam, self._rule_prices(dual, 0))

    def tight_cuts(self) -> tuple[FloatArray, IntArray, FloatArray]:
        """(n_clients,) a level of each client that holds in the last linear program; clients and levels of the rest."""
        status, values = self.highs.getBasis().row_status, np.array(self.highs.getSolution().col_value)
        tight = [(i, v) for row, i, v in self.cuts if status[row] != highspy.HighsBasisStatus.kBasic]
        levels, rest = self.levels.copy(), []
        exceeded = set(np.flatnonzero(values[self.core.n_options :] > VIOLATION).tolist())
        for i, v in tight:
            if i in exceeded:
                exceeded.remove(i)
                levels[i] = v
            else:
                rest.append((i, v))
        return levels, np.array([i for i, _ in rest], dtype=np.int64), np.array([v for _, v in rest])


def ranges(start: IntArray, length: IntArray) -> IntArray:
    """start[0], ..., start[0] + length[0] - 1, start[1], ... in one array."""
    total = int(length.sum())
    shift = np.repeat(start - np.concatenate([[0], np.cumsum(length)[:-1]]), length)
    return np.asarray(np.arange(total) + shift)

"""The columns and rows of the program of `elastic`, and which rows are those of which limit.

What goes through the options is a column each, so that ways can be shared by options of one place. With r_j all that
can ever reach an option and r_j f_j what goes through it:

    sum of r_j f_j at a place = what its ways carry,  f_j <= y_j,  (4) r_j f_j <= u_j y_j,  (17) r_j f_j >= m_j y_j
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from siting.solver.highs import LOOSE, Columns, Rows
from siting.solver.limits import COUNTED, LOOSENED, OF_LANES, OF_LOADS, Limit
from siting.solver.problem import FacilityProblem, FloatArray, IntArray
from siting.solver.ways import Ways

FEW_LINKS = 50_000
"""Up to so many uses of options by lanes all links (3) are stated: programs are larger by them, and tighter."""
NOTHING = 1e-6
"""Where no more than this part of its minimum can reach an option, nothing does: solvers lose numbers so small."""


def asks_of(limit: Limit, ways: Ways | None) -> bool:
    """Whether a program with such ways can ask a limit."""
    if limit.kind not in OF_LANES:
        return True
    return ways is not None and (ways.by_lane or limit.kind in OF_LOADS)


class ElasticRows:
    """Columns x (ways), f, y (options), z (points), e (clients excused from being served) and s, and all rows.

    Args:
        ways: how options may be filled; None leaves out all that is about it.
    """

    def __init__(self, p: FacilityProblem, limits: Sequence[Limit], ways: Ways | None) -> None:
        self.p, self.limits, self.ways = p, limits, ways
        n, k = p.n_options, len(limits)
        self._f = len(ways.client) if ways is not None else 0
        self.y = self._f + (n if ways is not None else 0)
        self.rows_of: dict[int, IntArray] = {}
        """rows of each part of a limit"""
        self.family: dict[int, int] = {}
        """the one row of a limit by members that counts those that are not heeded"""
        self.excuse: dict[int, IntArray] = {}
        self._triplets: list[tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]] = []
        self._lower: list[FloatArray] = []
        self._upper: list[FloatArray] = []
        self._n_rows = 0
        points = sum(each.n_points for limit in limits for each in limit.coverage)
        by_lane = ways is not None and ways.by_lane
        excused = sum(len(limit.members) for limit in limits if limit.kind == "served") if by_lane else 0
        self._z, self._e = self.y + n, self.y + n + points
        self.slack = self._e + excused + np.arange(k)
        self.per = np.array([1.0 if limit.whole_steps else limit.unit for limit in limits])
        self.most = np.array([
            0.0 if limit.kind not in LOOSENED else len(limit.members) if limit.kind in COUNTED
            else limit.value if limit.kind == "minimum" else np.inf for limit in limits
        ])  # fmt: skip
        size = self._e + excused + k
        self.low, self.high = np.zeros(size), np.ones(size)
        self.high[self.slack] = 0.0
        self.integer = np.zeros(size, dtype=bool)
        self.integer[self.y : self.y + n] = True
        self.integer[self._e : self._e + excused] = True
        self.integer[self.slack] = [limit.whole_steps for limit in limits]
        self.integer[: self._f] = p.single_source and by_lane

    def columns(self) -> Columns:
        return Columns(np.zeros(len(self.low)), self.low, self.high, self.integer)

    def matrix(self) -> Rows:
        """All rows; `row_lower` and `row_upper` are theirs."""
        row, column, value = (np.concatenate(each) for each in zip(*self._triplets, strict=True))
        self.row_lower, self.row_upper = np.concatenate(self._lower), np.concatenate(self._upper)
        matrix = coo_array((value, (row, column)), shape=(self._n_rows, len(self.low))).tocsr()
        return Rows(matrix, self.row_lower, self.row_upper)

    def _add(self, entries: coo_array, first: int, lower: FloatArray, upper: FloatArray, also: csr_array) -> IntArray:
        """Add rows: entries over the columns from ``first`` on, and entries over all columns."""
        rest = also.tocoo()
        self._triplets.append((entries.row + self._n_rows, entries.col + first, entries.data))
        self._triplets.append((rest.row + self._n_rows, rest.col, rest.data))
        self._lower.append(np.asarray(lower, dtype=np.float64))
        self._upper.append(np.asarray(upper, dtype=np.float64))
        n = entries.shape[0]
        self._n_rows += n
        return np.arange(self._n_rows - n, self._n_rows)

    def _at(self, columns: IntArray, values: FloatArray) -> csr_array:
        """One entry a row, at some columns of all."""
        n = len(columns)
        return csr_array((np.broadcast_to(values, n), (np.arange(n), columns)), shape=(n, len(self.low)))

    def build(self) -> None:
        self._add(coo_array((1, 1)), 0, np.array([-np.inf]), np.array([np.inf]), self._at(self.slack[:0], np.zeros(0)))
        if self.ways is not None:
            self._clients(self.ways)
            self._loads(self.ways)
            if self.ways.by_lane:
                self._links(self.ways)
        point, client = self._z, self._e
        for k, limit in enumerate(self.limits):
            if not asks_of(limit, self.ways):
                continue
            if limit.kind in ("options", "lanes"):
                self._by_rows(k, limit)
            elif limit.kind == "coverage":
                point = self._coverage(k, limit, point)
            elif limit.kind in ("minimum", "capacity"):
                self._throughput(k, limit)
            elif limit.kind == "group":
                self._groups(k, limit)
            elif limit.kind in COUNTED:
                client = self._counted(k, limit, client)

    def _clients(self, ways: Ways) -> None:
        """(2); clients that must be served are in a limit."""
        m, n = len(ways.client), len(ways.demand)
        serve = coo_array((np.ones(m), (ways.client, np.arange(m))), shape=(n, m))
        self._add(serve, 0, np.full(n, -np.inf), np.ones(n), csr_array((n, len(self.low))))

    def _loads(self, ways: Ways) -> None:
        """What goes through options; closed ones carry nothing."""
        way, place = ways.uses
        reach = np.bincount(place, ways.demand[ways.client[way]], ways.n_places)
        unit, n = np.where(reach > 0, reach, 1.0), self.p.n_options
        entries = (-ways.demand[ways.client[way]] / unit[place], (place, way))
        carried = coo_array(entries, shape=(ways.n_places, len(ways.client)))
        f = self._f + np.arange(n)
        shared = csr_array((np.ones(n), (ways.place, f)), shape=(ways.n_places, len(self.low)))
        self._add(carried, 0, np.zeros(ways.n_places), np.zeros(ways.n_places), shared)
        own = coo_array((np.ones(n), (np.arange(n), np.arange(n))), shape=(n, n))
        self._add(own, self._f, np.full(n, -np.inf), np.zeros(n), self._at(self.y + np.arange(n), -np.ones(1)))
        self._reach = reach[ways.place]
        self.high[f[self._reach == 0]] = 0.0

    def _links(self, ways: Ways) -> None:
        """(3) for each client, or where there are many for those without demand: the others' are in what is carried."""
        way, option = ways.uses
        client, n = ways.client[way], self.p.n_options
        if len(way) > FEW_LINKS:
            idle = ways.demand[client] == 0
            way, option, client = way[idle], option[idle], client[idle]
        pair, row = np.unique(client * n + option, return_inverse=True)
        size = len(pair)
        through = coo_array((np.ones(len(way)), (row, way)), shape=(size, len(ways.client)))
        self._add(through, 0, np.full(size, -np.inf), np.zeros(size), self._at(self.y + pair % max(n, 1), -np.ones(1)))

    def _by_rows(self, k: int, limit: Limit) -> None:
        """(5), (7), (16), (18), in units of their limits unless they count."""
        assert limit.rows is not None
        a, bound = csr_array(limit.rows).tocoo(), limit.bound
        largest = np.zeros(limit.n_parts)
        np.maximum.at(largest, a.row, np.abs(a.data))  # also of rows over nothing
        counts = np.bincount(a.row, np.abs(a.data) != 1.0, minlength=limit.n_parts) == 0
        size = np.where(np.abs(bound) > 0, np.abs(bound), np.where(largest > 0, largest, 1.0))
        unit = np.where(counts & (limit.kind == "options"), 1.0, size)
        loose = np.where(unit == 1.0, 0.0, LOOSE * np.abs(bound / unit))
        scaled = coo_array((a.data / unit[a.row], (a.row, a.col)), shape=a.shape)
        slack = self._at(np.repeat(self.slack[k], limit.n_parts), self.per[k] * limit.per_amount / unit)
        free, first = np.full(limit.n_parts, np.inf), self.y if limit.kind == "options" else 0
        if limit.at_most:
            self.rows_of[k] = self._add(scaled, first, -free, bound / unit + loose, -slack)
        else:
            self.rows_of[k] = self._add(scaled, first, bound / unit - loose, free, slack)

    def _coverage(self, k: int, limit: Limit, point: int) -> int:
        """(19); returns where the points of the next one begin."""
        rows = []
        for each, per in zip(limit.coverage, limit.per_amount, strict=True):
            d, points = each.n_points, point + np.arange(each.n_points)
            reach = (-each.reach).tocoo()
            self._add(reach, self.y, np.full(d, -np.inf), np.zeros(d), self._at(points, np.ones(1)))
            whole = float(each.weight.sum()) or 1.0
            weights = coo_array((each.weight / whole, (np.zeros(d, dtype=int), np.arange(d))), shape=(1, d))
            slack = self._at(self.slack[[k]], np.array([self.per[k] * per / whole]))
            least = np.array([each.least / whole])
            rows.append(self._add(weights, point, least - LOOSE * np.abs(least), np.array([np.inf]), slack))
            point += d
        self.rows_of[k] = np.concatenate(rows)
        return point

    def _throughput(self, k: int, limit: Limit) -> None:
        """(4) or (17), each in units of its limit."""
        p, j, least = self.p, limit.members, limit.kind == "minimum"
        size, n = p.min_throughput[j] if least else p.capacity[j], len(limit.members)
        some = size > 0
        part_of = self._reach[j] / np.where(some, size, 1.0)
        part_of = np.where(part_of < NOTHING, 0.0, part_of) if least else part_of
        through = coo_array((part_of, (np.arange(n), j)), shape=(n, p.n_options))
        part = np.where(some, 1.0 - LOOSE if least else 1.0 + LOOSE, 0.0)
        slack = self._at(np.repeat(self.slack[k], n), np.where(some, self.per[k] / limit.value, 0.0))
        opening = self._at(self.y + j, -part)
        if least:
            self.rows_of[k] = self._add(through, self._f, np.zeros(n), np.full(n, np.inf), opening + slack)
        else:
            self.rows_of[k] = self._add(through, self._f, np.full(n, -np.inf), np.zeros(n), opening - slack)

    def _groups(self, k: int, limit: Limit) -> None:
        """(6)."""
        label = {int(label): r for r, label in enumerate(limit.members)}
        options = np.array([j for j, group in enumerate(self.p.group.tolist()) if group in label], dtype=np.int64)
        rows = np.array([label[int(self.p.group[j])] for j in options], dtype=np.int64)
        size = len(label)
        one = coo_array((np.ones(len(options)), (rows, options)), shape=(size, self.p.n_options))
        none = csr_array((size, len(self.low)))
        self.rows_of[k] = self._add(one, self.y, np.full(size, -np.inf), np.ones(size), none)

    def _counted(self, k: int, limit: Limit, client: int) -> int:
        """(8) and who must be served: those that are not heeded are counted; returns where excuses go on."""
        p, members, n = self.p, limit.members, len(limit.members)
        slack = self._at(self.slack[[k]], np.array([-1.0]))
        if limit.kind == "served":
            excuse = self.excuse[k] = client + np.arange(n)
            position = np.full(p.n_clients, -1)
            position[members] = np.arange(n)
            lane = np.flatnonzero(position[p.lane_client] >= 0)
            serve = coo_array((np.ones(len(lane)), (position[p.lane_client[lane]], lane)), shape=(n, p.n_lanes))
            self._add(serve, 0, np.ones(n), np.full(n, np.inf), self._at(excuse, np.ones(1)))
            first, sign, most = client, 1.0, 0.0
            columns = np.arange(n)
        else:
            first, columns = self.y, members
            sign, most = (-1.0, -float(n)) if limit.kind == "forced" else (1.0, 0.0)
        row = coo_array((np.full(n, sign), (np.zeros(n, dtype=int), columns)), shape=(1, len(self.low) - first))
        self.family[k] = int(self._add(row, first, np.array([-np.inf]), np.array([most]), slack)[0])
        return client + n if limit.kind == "served" else client

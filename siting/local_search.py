"""Swap, add and drop on sets of open options where neither capacities nor two-place lanes matter.

All moves are priced at once from each client's nearest and second-nearest open place (Whitaker 1983; Resende
and Werneck 2007): opening j gains sum_i (d1_i - c_ij)+, closing k loses sum_{i at k} (d2_i - d1_i), and doing
both costs less than the sum by what clients of k save by moving to j rather than to their second.
"""

from __future__ import annotations

import numpy as np

from siting.problem import BoolArray, FloatArray, IntArray
from siting.reduce import Core


class SwapSearch:
    """Local search on one core; `improve` may be called from many starts."""

    def __init__(self, core: Core) -> None:
        self.core = core
        finite = core.unserved[np.isfinite(core.unserved)]
        largest = max(float(np.abs(core.cost).max(initial=0.0)), float(np.abs(finite).max(initial=0.0)))
        largest = max(largest, float(np.abs(core.fixed_cost).max(initial=0.0)), 1e-300)
        self.far = 4.0 * largest  # stands for "cannot be served", so that moves repair it
        self.cost = np.full((core.n_clients, core.n_places), self.far)
        self.cost[core.client, core.places[:, 0]] = core.cost
        self.rank = np.zeros((core.n_clients, core.n_places), dtype=np.int32)
        self.rank[core.client, core.places[:, 0]] = np.arange(core.n_lanes) - core.first_lane[core.client]
        self.lanes = np.diff(core.first_lane).astype(np.int32)
        self.rank[self.cost == self.far] = -1
        self.stay = np.where(np.isfinite(core.unserved), core.unserved, self.far)

    def improve(self, opened: BoolArray, moves: int, worth: float = np.inf) -> tuple[float, BoolArray]:
        """Best move after best move from a set that keeps the limits; (cost without base, options).

        Args:
            worth: a set that costs more than this is left as it is.
        """
        core = self.core
        opened = opened.copy()
        tolerance = 1e-9 * max(1e-300, float(np.abs(self.stay).sum()))
        first, d1, second, d2 = self._nearest(opened, np.arange(core.n_clients))
        if float(d1.sum() + core.fixed_cost[opened].sum()) > worth:
            moves = 0
        for _ in range(moves):
            enter, leave, change = self._best_move(opened, first, d1, second, d2)
            if change >= -tolerance:
                break
            if leave >= 0:
                opened[leave] = False
            if enter >= 0:
                opened[enter] = True
            moved: BoolArray = np.zeros(core.n_clients, dtype=bool)
            if leave >= 0:
                place = core.place[leave]
                moved |= (first == place) | (second == place)
            if enter >= 0:
                moved |= self.cost[:, core.place[enter]] < d2
            rows = np.flatnonzero(moved)
            first[rows], d1[rows], second[rows], d2[rows] = self._nearest(opened, rows)
        total = float(d1.sum() + core.fixed_cost[opened].sum())
        served = d1 < self.far
        return (total if served.all() else np.inf), opened

    def nearest_two(self, opened: BoolArray) -> tuple[FloatArray, FloatArray]:
        """(n_clients,) cost through the nearest and the second-nearest open place, or of staying unserved."""
        _, d1, _, d2 = self._nearest(opened, np.arange(self.core.n_clients))
        return d1, d2

    def _nearest(self, opened: BoolArray, rows: IntArray) -> tuple[IntArray, FloatArray, IntArray, FloatArray]:
        """Nearest and second-nearest open place of some clients (-1: unserved), with their costs."""
        places = np.unique(self.core.place[opened])
        stay = self.stay[rows]
        table = np.column_stack([stay, stay, self.cost[np.ix_(rows, places)]])
        names = np.concatenate([[-1, -1], places])
        two = np.argpartition(table, 1, axis=1)[:, :2]
        values = np.take_along_axis(table, two, axis=1)
        swap = values[:, 0] > values[:, 1]
        two[swap], values[swap] = two[swap][:, ::-1], values[swap][:, ::-1]
        return names[two[:, 0]], values[:, 0].copy(), names[two[:, 1]], values[:, 1].copy()

    def _best_move(
        self, opened: BoolArray, first: IntArray, d1: FloatArray, second: IntArray, d2: FloatArray
    ) -> tuple[int, int, float]:
        """(option to open or -1, option to close or -1, change of cost) of the best allowed move."""
        core = self.core
        inside, outside = np.flatnonzero(opened), np.flatnonzero(~opened)
        slot = np.full(core.n_places + 1, -1)
        slot[core.place[inside]] = np.arange(len(inside))  # -1, unserved, stays -1
        at = slot[first]
        loss = np.bincount(at[at >= 0], weights=(d2 - d1)[at >= 0], minlength=len(inside))
        # Lanes cheaper than the client's second: a prefix of its sorted lanes.
        reach = np.where(second >= 0, self.rank[np.arange(core.n_clients), second], self.lanes)
        reach = np.where(reach < 0, self.lanes, reach)
        lane = ranges(core.first_lane[:-1], reach)
        client, place, cost = core.client[lane], core.places[lane, 0], core.cost[lane]
        near = d1[client]
        gain = np.bincount(place, weights=np.maximum(near - cost, 0.0), minlength=core.n_places)
        best = (-1, -1, 0.0)
        add = core.fixed_cost[outside] - gain[core.place[outside]]
        drop = np.where(core.forced[inside], np.inf, loss - core.fixed_cost[inside])
        slack = np.inf if core.budget is None else core.budget - float(core.capex[inside].sum())
        taken = np.full(core.group.max(initial=-1) + 2, -1)
        taken[core.group[inside]] = inside
        taken[-1] = -1
        rival = taken[core.group[outside]]
        if core.n_open is None:
            if len(inside) and drop.min() < best[2]:
                k = int(drop.argmin())
                best = (-1, int(inside[k]), float(drop[k]))
            allowed = np.where((core.capex[outside] <= slack) & (rival < 0), add, np.inf)
            if len(outside) and allowed.min() < best[2]:
                k = int(allowed.argmin())
                best = (int(outside[k]), -1, float(allowed[k]))
        if len(inside) and len(outside):
            save = np.maximum(d2[client] - np.maximum(cost, near), 0.0)
            mine = at[client] >= 0
            flat = place[mine].astype(np.int64) * len(inside) + at[client[mine]]
            extra = np.bincount(flat, weights=save[mine], minlength=core.n_places * len(inside))
            saved = extra.reshape(core.n_places, len(inside))[core.place[outside]]
            change: FloatArray = drop[None, :] - saved + add[:, None]
            if np.isfinite(slack):
                change[core.capex[outside][:, None] > slack + core.capex[inside][None, :]] = np.inf
            bound_to = rival >= 0
            if bound_to.any():
                change[bound_to[:, None] & (rival[:, None] != inside[None, :])] = np.inf
            flat_best = int(change.argmin())
            if change.flat[flat_best] < best[2]:
                j, k = divmod(flat_best, len(inside))
                best = (int(outside[j]), int(inside[k]), float(change[j, k]))
        return best


def ranges(start: IntArray, length: IntArray) -> IntArray:
    """start[0], ..., start[0] + length[0] - 1, start[1], ... in one array."""
    total = int(length.sum())
    shift = np.repeat(start - np.concatenate([[0], np.cumsum(length)[:-1]]), length)
    return np.asarray(np.arange(total) + shift)

"""The Lagrangian relaxation of a core: a lower bound from any multipliers, and its subgradient.

With a price lambda_i for leaving client i unserved the clients fall apart from one another (Fisher 1981;
Cornuejols, Fisher and Nemhauser 1977). A lane with two places is halved: the first place bears
(c_l - lambda_i)/2 + t_l of it, the second the rest, and t_l is a multiplier of its own (Guignard and Kim 1987).
What is left is one continuous knapsack for every place,

    v_j = f_j + min { sum_i r_ij x_i : sum_i q_i x_i <= u_j, 0 <= x <= 1 }                            (10)

with r_ij the least reduced cost among the client's lanes through the place, and a choice among options,

    L(lambda, t) = sum_i lambda_i + min { sum_j v_j y_j : (5) to (8), (16) }    with lambda_i <= s_i,   (11)

whose own relaxation prices the rules and the capacity needed in all (module `choice`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from siting.solver import kernels
from siting.solver.choice import Choice, OptionChoice
from siting.solver.kernels import gains, price_places, slopes, use_places
from siting.solver.problem import BoolArray, FloatArray, IntArray
from siting.solver.reduce import Core


@dataclass(frozen=True, eq=False)
class Multipliers:
    """lam: (n_clients,) lambda; split: (n_paired_lanes,) t of the lanes that need two places, in lane order."""

    lam: FloatArray
    split: FloatArray


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The relaxation at some multipliers.

    Attributes:
        bound: L, without the core's base cost; no plan costs less.
        choice: the options chosen, with reduced costs valid for fixing.
        slope: subgradient of L.
    """

    bound: float
    choice: Choice
    slope: Multipliers


class Relaxation:
    """Evaluates (10) and (11) for one core."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.paired = np.flatnonzero(core.places[:, 1] >= 0)
        self.place = np.ascontiguousarray(core.places[:, 0])
        self.choice = OptionChoice(core)
        # Without capacities and two-place lanes the lanes of the core, as they are, say all there is to say.
        self._general = bool(len(self.paired)) or core.capacitated
        if self._general:
            self._index_pairs()

    def _index_pairs(self) -> None:
        """One pair is one client at one place; its lanes, or the ends of them, are neighbouring entries."""
        core = self.core
        lane = np.concatenate([np.arange(core.n_lanes), self.paired])
        place = np.concatenate([self.place, core.places[self.paired, 1]])
        client = core.client[lane]
        key = place.astype(np.int64) * core.n_clients + client
        order = np.argsort(key, kind="stable")
        starts = self.pair_start = np.flatnonzero(np.diff(key[order], prepend=-1))
        lane, place, client = lane[order], place[order], client[order]
        self.one_lane_each = len(starts) == len(lane)
        self.entry_client = client
        number = np.full(core.n_lanes, -1)
        number[self.paired] = np.arange(len(self.paired))
        self.entry_pair_lane = number[lane]  # position in `paired`, -1 for lanes with one place
        self.entry_sign = np.where(order < core.n_lanes, 1.0, -1.0)
        self.entry_weight = np.where(self.entry_pair_lane >= 0, 0.5, 1.0)
        self.halved = np.flatnonzero(self.entry_pair_lane >= 0)
        self.entry_cost = core.cost[lane]
        self.pair_place, self.pair_client = place[starts], client[starts]
        self.pair_demand = core.demand[self.pair_client]
        self.limited = np.zeros(core.n_places, dtype=bool)
        self.limited[core.place[np.isfinite(core.capacity)]] = True
        least = np.full(core.n_places, np.inf)
        np.minimum.at(least, core.place, core.capacity)
        self.least_capacity = least
        places = np.arange(core.n_places + 1)
        self.place_pair = np.searchsorted(self.pair_place, places)
        self.pair_entry = np.append(starts, len(lane))
        self.weighted_cost = self.entry_cost * self.entry_weight
        self.limit = np.where(self.limited, least, np.inf)
        self.option = np.argsort(core.place, kind="stable")
        self.place_option = np.searchsorted(core.place[self.option], places)

    def zero_split(self) -> FloatArray:
        return np.zeros(len(self.paired))

    def evaluate(self, at: Multipliers) -> Evaluation:
        """L and a subgradient at multipliers with lambda_i <= s_i."""
        core = self.core
        if not self._general:
            return self._evaluate_simple(at.lam)
        if kernels.COMPILED:
            return self._evaluate_compiled(at)
        reduced = (self.entry_cost - at.lam[self.entry_client]) * self.entry_weight
        halved = self.halved
        reduced[halved] += self.entry_sign[halved] * at.split[self.entry_pair_lane[halved]]
        best = reduced if self.one_lane_each else np.minimum.reduceat(reduced, self.pair_start)
        gain = np.flatnonzero(best < 0)
        place, value = self.pair_place[gain], best[gain]
        worth = np.bincount(place, weights=value, minlength=core.n_places)
        v = core.fixed_cost + worth[core.place]
        tight = self._overfull(gain, place, value)
        if tight is not None:
            options = np.flatnonzero(tight.places[core.place])
            v[options] = core.fixed_cost[options] + tight.worth(core.place[options], core.capacity[options])
        choice = self.choice.choose(v)

        opened = np.bincount(core.place, weights=choice.y, minlength=core.n_places)
        amount = opened[place]
        if tight is not None:
            options = np.flatnonzero((choice.y > 0) & tight.places[core.place])
            amount[tight.order] = tight.amounts(core.place[options], core.capacity[options], choice.y[options])
        slope = 1.0 - np.bincount(self.pair_client[gain], weights=amount, minlength=core.n_clients)
        split_slope = np.zeros(len(self.paired))
        if len(halved):
            share = np.zeros(len(best))
            share[gain] = amount
            split_slope = self._split_slope(reduced, best, share)
        slopes_found = Multipliers(np.asarray(slope, dtype=np.float64), split_slope)
        return Evaluation(float(at.lam.sum()) + choice.value, choice, slopes_found)

    def _evaluate_compiled(self, at: Multipliers) -> Evaluation:
        """The same by compiled loops."""
        core = self.core
        pairs = len(self.pair_client)
        v = core.fixed_cost.copy()
        chosen, best, order = np.empty(pairs, dtype=np.int64), np.empty(pairs), np.empty(pairs, dtype=np.int64)
        count, full = np.empty(core.n_places, dtype=np.int64), np.empty(core.n_places, dtype=np.bool_)
        price_places(
            self.place_pair, self.pair_entry, self.pair_client, self.weighted_cost, self.entry_weight,
            self.entry_sign, self.entry_pair_lane, at.lam, at.split, core.demand, self.limit, self.place_option,
            self.option, core.capacity, v, chosen, best, np.empty(pairs), order, count, full,
        )  # fmt: skip
        choice = self.choice.choose(v)
        slope, split_slope = np.ones(core.n_clients), np.zeros(len(self.paired))
        use_places(
            self.place_pair, self.pair_client, self.entry_sign, self.entry_pair_lane, core.demand,
            self.place_option, self.option, core.capacity, chosen, order, count, full, choice.y, slope, split_slope,
        )  # fmt: skip
        return Evaluation(float(at.lam.sum()) + choice.value, choice, Multipliers(slope, split_slope))

    def _evaluate_simple(self, lam: FloatArray) -> Evaluation:
        """The same without capacities and two-place lanes, where sums over cheap lanes are all there is."""
        core = self.core
        worth = gains(core.first_lane, core.client, self.place, core.cost, lam, core.n_places)
        choice = self.choice.choose(core.fixed_cost + worth[core.place])
        opened = np.bincount(core.place, weights=choice.y, minlength=core.n_places)
        slope = slopes(core.first_lane, core.client, self.place, core.cost, lam, opened)
        return Evaluation(float(lam.sum()) + choice.value, choice, Multipliers(slope, self.zero_split()))

    def _split_slope(self, reduced: FloatArray, best: FloatArray, share: FloatArray) -> FloatArray:
        """How much more the first place of a lane uses it than the second."""
        length = np.diff(self.pair_start, append=len(reduced))
        owner = np.repeat(np.arange(len(best)), length)
        chosen = np.flatnonzero((reduced == best[owner]) & (share[owner] > 0))
        chosen = chosen[np.diff(owner[chosen], prepend=-1) > 0]  # the first of ties carries it
        chosen = chosen[self.entry_pair_lane[chosen] >= 0]
        difference = self.entry_sign[chosen] * share[owner[chosen]]
        total = np.bincount(self.entry_pair_lane[chosen], weights=difference, minlength=len(self.paired))
        return np.asarray(total, dtype=np.float64)

    def _overfull(self, gain: IntArray, place: IntArray, value: FloatArray) -> _Knapsacks | None:
        """The knapsacks of the places whose gainful clients do not fit their smallest option."""
        if not self.limited.any():
            return None
        wanted = np.bincount(place, weights=self.pair_demand[gain], minlength=self.core.n_places)
        full = self.limited & (wanted > self.least_capacity)
        if not full.any():
            return None
        entries = np.flatnonzero(full[place])
        return _Knapsacks(full, entries, place[entries], value[entries], self.pair_demand[gain[entries]])


class _Knapsacks:
    """Continuous knapsacks of the places where not all gainful clients fit.

    Attributes:
        places: (n_places,) mask of these places.
        order: the entries they were made from, by place and falling gain per unit of demand.
    """

    def __init__(
        self, places: BoolArray, entries: IntArray, place: IntArray, value: FloatArray, demand: FloatArray
    ) -> None:
        per_unit = np.full(len(value), -np.inf)
        np.divide(value, demand, out=per_unit, where=demand > 0)
        order = np.lexsort((per_unit, place))
        self.places, self.order = places, entries[order]
        self._value, self._demand = value[order], demand[order]
        self._load = np.concatenate([[0.0], np.cumsum(self._demand)])
        self._gain = np.concatenate([[0.0], np.cumsum(self._value)])
        bounds = np.searchsorted(place[order], np.arange(len(places) + 1))
        self._start, self._end = bounds[:-1], bounds[1:]

    def worth(self, places: IntArray, room: FloatArray) -> FloatArray:
        """The minimum in (10) for options of these places with these capacities."""
        start, end = self._start[places], self._end[places]
        target = self._load[start] + room
        whole = np.clip(np.searchsorted(self._load, target, side="right") - 1, start, end)
        at = np.minimum(whole, len(self._value) - 1)
        part = np.zeros(len(places))
        np.divide(target - self._load[whole], self._demand[at], out=part, where=self._demand[at] > 0)
        part = np.where(whole < end, np.clip(part, 0.0, 1.0), 0.0)
        return np.asarray(self._gain[whole] - self._gain[start] + part * self._value[at])

    def amounts(self, places: IntArray, room: FloatArray, y: FloatArray) -> FloatArray:
        """(n_entries,) in `order`: what options open to the degree y carry of each entry."""
        amount = np.zeros(len(self._value))
        for place, limit, degree in zip(places.tolist(), room.tolist(), y.tolist(), strict=True):
            part = slice(self._start[place], self._end[place])
            left = limit - (self._load[part] - self._load[part.start])
            share = np.ones(len(left))
            np.divide(left, self._demand[part], out=share, where=self._demand[part] > 0)
            amount[part] += degree * np.clip(share, 0.0, 1.0)
        return amount

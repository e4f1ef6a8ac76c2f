"""The Lagrangian relaxation of a core: a lower bound from any multipliers, and its subgradient.

With a price lambda_i for leaving client i unserved the clients fall apart from one another (Fisher 1981;
Cornuejols, Fisher and Nemhauser 1977). A lane with two places is halved: the first place bears
(c_l - lambda_i)/2 + t_l of it, the second the rest, and t_l is a multiplier of its own (Guignard and Kim 1987).
What is left is one continuous knapsack for every place,

    v_j = f_j + min { sum_i r_ij x_i : m_j <= sum_i q_i x_i <= u_j, 0 <= x <= 1 }                     (10)

with r_ij the least reduced cost among the client's lanes through the place, and a choice among options,

    L(lambda, t) = sum_i lambda_i + min { sum_j v_j y_j : (5) to (8), (16) }    with lambda_i <= s_i,   (11)

whose own relaxation prices the rules and the capacity needed in all (module `choice`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from siting.solver.choice import Choice, OptionChoice
from siting.solver.core import Core
from siting.solver.kernels import fill_minimums, gains, price_places, slopes, use_minimums, use_places
from siting.solver.problem import FloatArray


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
        if not core.simple:  # else the lanes of the core, as they are, say all there is to say
            self._index_pairs()

    def _index_pairs(self) -> None:
        """One pair is one client at one place; its lanes, or the ends of them, are neighbouring entries."""
        core = self.core
        lane = np.concatenate([np.arange(core.n_lanes), self.paired])
        place = np.concatenate([self.place, core.places[self.paired, 1]])
        client = core.client[lane]
        key = place.astype(np.int64) * core.n_clients + client
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.diff(key[order], prepend=-1))
        lane, place, client = lane[order], place[order], client[order]
        number = np.full(core.n_lanes, -1)
        number[self.paired] = np.arange(len(self.paired))
        self.entry_pair_lane = number[lane]  # position in `paired`, -1 for lanes with one place
        self.entry_sign = np.where(order < core.n_lanes, 1.0, -1.0)
        self.entry_weight = np.where(self.entry_pair_lane >= 0, 0.5, 1.0)
        self.pair_place, self.pair_client = place[starts], client[starts]
        limited = np.zeros(core.n_places, dtype=bool)
        limited[core.place[np.isfinite(core.capacity)]] = True
        least = np.full(core.n_places, np.inf)
        np.minimum.at(least, core.place, core.capacity)
        places = np.arange(core.n_places + 1)
        self.place_pair = np.searchsorted(self.pair_place, places)
        self.pair_entry = np.append(starts, len(lane))
        self.weighted_cost = core.cost[lane] * self.entry_weight
        self.limit = np.where(limited, least, np.inf)
        self.option = np.argsort(core.place, kind="stable")
        self.place_option = np.searchsorted(core.place[self.option], places)

    def zero_split(self) -> FloatArray:
        return np.zeros(len(self.paired))

    def evaluate(self, at: Multipliers) -> Evaluation:
        """L and a subgradient at multipliers with lambda_i <= s_i."""
        return self._evaluate_simple(at.lam) if self.core.simple else self._evaluate_general(at)

    def _evaluate_general(self, at: Multipliers) -> Evaluation:
        """With capacities, two-place lanes or minimums: a knapsack for every place."""
        core = self.core
        pairs = len(self.pair_client)
        v = core.fixed_cost.copy()
        chosen, best, order = np.empty(pairs, dtype=np.int64), np.empty(pairs), np.full(pairs, -1)
        count, full = np.empty(core.n_places, dtype=np.int64), np.empty(core.n_places, dtype=np.bool_)
        per_unit, lacking = np.empty(pairs), np.zeros(core.n_options)
        price_places(
            self.place_pair, self.pair_entry, self.pair_client, self.weighted_cost, self.entry_weight,
            self.entry_sign, self.entry_pair_lane, at.lam, at.split, core.demand, self.limit, self.place_option,
            self.option, core.capacity, v, chosen, best, per_unit, order, count, full,
        )  # fmt: skip
        if core.has_minimum:
            fill_minimums(
                self.place_pair, self.pair_client, core.demand, self.place_option, self.option, core.minimum,
                self.choice.offset(), v, best, per_unit, order, count, full, lacking,
            )  # fmt: skip
        choice = self.choice.choose(v)
        slope, split_slope = np.ones(core.n_clients), np.zeros(len(self.paired))
        use_places(
            self.place_pair, self.pair_client, self.entry_sign, self.entry_pair_lane, core.demand,
            self.place_option, self.option, core.capacity, chosen, order, count, full, choice.y, slope, split_slope,
        )  # fmt: skip
        if core.has_minimum:
            use_minimums(
                self.place_pair, self.pair_client, self.entry_sign, self.entry_pair_lane, core.demand,
                self.place_option, self.option, chosen, order, count, lacking, choice.y, slope, split_slope,
            )  # fmt: skip
        return Evaluation(float(at.lam.sum()) + choice.value, choice, Multipliers(slope, split_slope))

    def _evaluate_simple(self, lam: FloatArray) -> Evaluation:
        """The same without capacities and two-place lanes, where sums over cheap lanes are all there is."""
        core = self.core
        worth = gains(core.first_lane, self.place, core.cost, lam, core.n_places)
        choice = self.choice.choose(core.fixed_cost + worth[core.place])
        opened = np.bincount(core.place, weights=choice.y, minlength=core.n_places)
        slope = slopes(core.first_lane, self.place, core.cost, lam, opened)
        return Evaluation(float(lam.sum()) + choice.value, choice, Multipliers(slope, self.zero_split()))

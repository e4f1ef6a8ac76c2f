"""The Core: the reduced problem that every method works on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from siting.solver.problem import NO_OPTION, BoolArray, FloatArray, IntArray, LaneArray
from siting.solver.rules import Rules


@dataclass(frozen=True, eq=False)
class Core:
    """The reduced problem, its lanes sorted by client and then by cost, in an order of its own.

    Options of one group with the same lanes (size tiers of one facility) share a *place*: lanes lead through
    places, and a place is open with the capacity of its open option. This states the problem with fewer
    lanes and a stronger link than one lane per tier would.

    Clients and options are numbered by what they are (their costs, demands, lanes), not by where they stood,
    so the plan does not depend on the order in which the caller listed them.

    Attributes:
        client, cost: (n_lanes,).
        stand_in: (n_lanes,) mask of lanes that bounds may count on and plans may not use, see `paying`.
        places: (n_lanes, 2) places each lane needs; places[:, 0] is never empty, places[:, 1] may be NO_OPTION.
        first_lane: (n_clients + 1,) lanes of client i are first_lane[i]:first_lane[i + 1].
        unserved: (n_clients,) cost without any option: s_i, or a lane that needs none if that is cheaper.
        place: (n_options,) place of each option.
        demand, fixed_cost, capacity, minimum, group, forced: as in FacilityProblem, forced as a mask; capacity
            is inf at every option of a place that no option limits, and finite at every option elsewhere.
        rules: the rows of the problem over these options, all but those of the groups.
        option_of, client_of: where each one stood in the problem.
        base: cost of the clients that have no lane left.
    """

    client: LaneArray
    places: LaneArray
    cost: FloatArray
    stand_in: BoolArray
    first_lane: IntArray
    unserved: FloatArray
    demand: FloatArray
    place: IntArray
    fixed_cost: FloatArray
    capacity: FloatArray
    minimum: FloatArray
    group: IntArray
    forced: BoolArray
    rules: Rules
    single_source: bool
    option_of: IntArray
    client_of: IntArray
    base: float

    @property
    def n_clients(self) -> int:
        return len(self.demand)

    @property
    def n_options(self) -> int:
        return len(self.fixed_cost)

    @property
    def n_lanes(self) -> int:
        return len(self.cost)

    @cached_property
    def n_places(self) -> int:
        return int(self.place.max(initial=-1)) + 1

    @cached_property
    def capacitated(self) -> bool:
        """Whether any capacity can bind."""
        return bool(np.isfinite(self.capacity).any())

    @cached_property
    def paired(self) -> bool:
        """Whether any lane needs two places."""
        return bool((self.places[:, 1] >= 0).any())

    @cached_property
    def relaxed(self) -> bool:
        """Whether there are stand-ins, so that the best plan of the core may not be one of the problem."""
        return bool(self.stand_in.any())

    @cached_property
    def has_minimum(self) -> bool:
        """Whether any option must carry something where it is open."""
        return bool((self.minimum > 0).any())

    @property
    def simple(self) -> bool:
        """Whether everybody takes the cheapest open lane: no capacities, two-place lanes or minimums."""
        return not (self.capacitated or self.paired or self.has_minimum)

    @cached_property
    def n_open(self) -> int | None:
        """The number of open options where a rule asks for exactly one number of them, else None."""
        rules = self.rules
        for r in np.flatnonzero(rules.lower == rules.upper):
            row = rules.coefficients[[r]]
            if row.nnz == self.n_options and (row.data == 1.0).all() and rules.lower[r] == round(rules.lower[r]):
                return int(rules.lower[r])
        return None

    @cached_property
    def rows(self) -> Rules:
        """All rules as a linear program takes them: scaled, and one row for every group of two or more."""
        return Rules.stacked([self.rules, Rules.at_most_one(self.group)]).scaled()

    def place_capacity(self, opened: BoolArray) -> FloatArray:
        """(n_places,) capacity of each place with these options open; NaN where it is closed."""
        room = np.full(self.n_places, np.nan)
        room[self.place[opened]] = self.capacity[opened]
        return room

    def place_minimum(self, opened: BoolArray) -> FloatArray:
        """(n_places,) what each place must carry with these options open (17); 0 where it is closed."""
        least = np.zeros(self.n_places)
        least[self.place[opened]] = self.minimum[opened]
        return least


def core_lanes(core: Core, options: BoolArray) -> IntArray:
    """Where the lanes of a core restricted to some options, and to no fewer lanes, stand in the core."""
    return np.flatnonzero(_possible(core, options)[1])


def _possible(core: Core, options: BoolArray) -> tuple[BoolArray, BoolArray]:
    """(n_places + 1,) places of some options, the last for none; (n_lanes,) lanes that need no others."""
    place_kept = np.zeros(core.n_places + 1, dtype=bool)
    place_kept[core.place[options]] = True
    place_kept[-1] = True
    return place_kept, place_kept[core.places[:, 0]] & place_kept[core.places[:, 1]]


def restrict(core: Core, options: BoolArray, lanes: BoolArray, forced: BoolArray) -> Core:
    """The core with fewer options and lanes, for a search among plans proven to use no others.

    A client's cost beyond the lanes kept is relaxed to that of its cheapest lane dropped, so the result bounds
    the core from below; it is exact for every plan that uses only what is kept. Clients keep their numbers.

    Args:
        options: (n_options,) mask to keep.
        lanes: (n_lanes,) mask to keep; lanes through closed places are dropped at no cost.
        forced: (n_options,) mask that must open.
    """
    place_kept, possible = _possible(core, options)
    keep = np.flatnonzero(possible & lanes)
    gone = np.flatnonzero(possible & ~lanes)
    unserved = core.unserved.copy()
    np.minimum.at(unserved, core.client[gone], core.cost[gone])
    number = np.full(core.n_places + 1, NO_OPTION)
    kept_places = np.flatnonzero(place_kept[:-1])
    number[kept_places] = np.arange(len(kept_places))
    group = np.unique(core.group[options], return_inverse=True)[1]
    return replace(
        core,
        client=core.client[keep],
        places=number[core.places[keep]].astype(np.int32),
        cost=core.cost[keep],
        stand_in=core.stand_in[keep],
        first_lane=np.searchsorted(core.client[keep], np.arange(core.n_clients + 1)),
        unserved=unserved,
        place=number[core.place[options]],
        fixed_cost=core.fixed_cost[options],
        capacity=core.capacity[options],
        minimum=core.minimum[options],
        group=np.where(core.group[options] < 0, NO_OPTION, group - int((core.group[options] < 0).any())),
        forced=forced[options],
        rules=core.rules.of(np.flatnonzero(options)),
        option_of=core.option_of[options],
    )

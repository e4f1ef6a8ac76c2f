"""Whole clients assigned to places with capacities, and places opened and closed for them: tabu search.

Best of all shifts of one client and all exchanges of two, with what lies over the capacities as a penalty whose price
goes up while some place is too full and down while none is (Gendreau, Hertz and Laporte 1994), and tenures drawn at
random (Taillard 1991). Moves pay for the options they open and get back those of the options they leave.
"""

from __future__ import annotations

import numpy as np

from siting.solver.assignment_kernels import assign
from siting.solver.core import Core
from siting.solver.problem import FIT, BoolArray, FloatArray, IntArray

MOST_COSTS = 4_000_000
"""Clients times places above which nothing is searched: the table of costs is dense."""
ITERATIONS = 2000
"""Moves of one search."""
EXCHANGED = 400
"""Clients whose exchanges are looked at in one iteration; of more, a random choice of about so many."""


class Assignment:
    """Searches one core whose lanes each need one place.

    The last column of the table of costs is "unserved". A closed place takes the cheapest of its options, where no
    rule over options and no group could be broken by opening it.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        n, m = core.n_clients, core.n_places
        self.cost = np.full((n, m + 1), np.inf)
        lanes = np.flatnonzero(~core.stand_in)
        np.minimum.at(self.cost, (core.client[lanes], core.places[lanes, 0]), core.cost[lanes])
        self.cost[:, m] = core.unserved
        self.lane = np.full((n, m + 1), -1)
        best = lanes[core.cost[lanes] == self.cost[core.client[lanes], core.places[lanes, 0]]]
        self.lane[core.client[best], core.places[best, 0]] = best
        self.may_open = len(core.rules) == 0 and len(np.unique(core.place)) == core.n_options
        finite = self.cost[np.isfinite(self.cost)]
        load = float(np.median(core.demand[core.demand > 0])) if (core.demand > 0).any() else 1.0
        self.price = max(float(np.median(np.abs(finite))) / load, 1e-12) if len(finite) else 1.0

    @staticmethod
    def suits(core: Core) -> bool:
        """Whether a core has what this search is for, and not too much of it."""
        size = core.n_clients * (core.n_places + 1)
        return core.single_source and core.capacitated and not core.paired and size <= MOST_COSTS

    def search(self, opened: BoolArray, share: FloatArray, seed: int) -> tuple[BoolArray, FloatArray] | None:
        """Assign the clients, from shares of a plan that may split them.

        Args:
            opened: (n_options,) the plan's open options.
            share: (n_lanes,) its shares.

        Returns:
            (n_options,) what is open and (n_lanes,) shares, 0 or 1; None where every assignment met overloads a place.
        """
        core = self.core
        places = core.n_places
        room, fixed = np.zeros(places + 1), np.zeros(places + 1)
        room[-1] = np.inf
        usable = np.ones(core.n_options, dtype=bool) if self.may_open else opened
        room[core.place[usable]] = core.capacity[usable] * (1 + FIT)
        fixed[core.place[usable]] = np.where(core.forced, 0.0, core.fixed_cost)[usable]
        first = self._first(share, room)
        if first is None:
            return None
        slack = 1e-9 * float(core.demand.sum())
        part, rng = min(1.0, EXCHANGED / max(core.n_clients, 1)), np.random.default_rng(seed)
        cost, at = assign(self.cost, core.demand, room, fixed, first, self.price, ITERATIONS, rng, part, slack)
        if not np.isfinite(cost):
            return None
        used = np.zeros(places + 1, dtype=bool)
        used[at] = True
        kept = core.forced | (usable & used[core.place]) | (opened & (core.fixed_cost <= 0))
        lanes = self.lane[np.arange(core.n_clients), at]
        found = np.zeros(core.n_lanes)
        found[lanes[lanes >= 0]] = 1.0
        return (kept if core.rules.kept(kept) else opened), found

    def _first(self, share: FloatArray, room: FloatArray) -> IntArray | None:
        """(n_clients,) the place that carries most of each client, or the cheapest that could hold it."""
        core = self.core
        carried = np.zeros_like(self.cost)
        used = np.flatnonzero(share)
        np.add.at(carried, (core.client[used], core.places[used, 0]), share[used])
        fits = np.isfinite(self.cost) & (core.demand[:, None] <= room[None, :])
        if not fits.any(axis=1).all():
            return None
        most = np.where(fits, carried, -1.0)
        cheapest = np.where(fits, self.cost, np.inf).argmin(axis=1)
        return np.asarray(np.where(most.max(axis=1) > 0, most.argmax(axis=1), cheapest))

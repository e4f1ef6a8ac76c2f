"""The best plan known for a core, and ways to make plans of fractional ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from siting.solver.assignment import Assignment
from siting.solver.core import Core
from siting.solver.local_search import SwapSearch
from siting.solver.problem import BoolArray, FloatArray
from siting.solver.rounding import Rounding
from siting.solver.service import CAPACITY_TOLERANCE, Service, cheapest_service, loads, nearest_lanes, service_of
from siting.solver.stopwatch import Stopwatch

MOVES = 60
"""Moves of local search per start."""
NODES = 1
"""Nodes spent on assigning single-source clients to one set of options."""
ROUNDING = 2e-10
"""Relative difference of costs that counts as none."""
SHORT = 0.2
"""Options that come to so little of their minimum are closed together; above it one at a time."""
WHOLE = 1e-3
"""Rounding allowed before a bound counts as above a whole number."""


class Incumbent:
    """Best plan of one core. Costs leave out the core's base."""

    def __init__(self, core: Core, gap: float, watch: Stopwatch) -> None:
        self.core, self._watch = core, watch
        self.gap = gap
        self.cost = np.inf
        self.open: BoolArray | None = None
        self.service: Service | None = None  # of the best plan, where finding it takes more than a look
        self._seen: set[bytes] = set()
        self.search = SwapSearch(core) if core.simple else None
        self._assignment = Assignment(core) if Assignment.suits(core) else None
        self.found: list[BoolArray] = []  # every plan that was the best for a time
        self.integral = _integral(core)
        self._rounding = Rounding(core)

    @property
    def tolerance(self) -> float:
        """How much better than this plan another must be to matter."""
        if not np.isfinite(self.cost):
            return 0.0
        whole = abs(self.cost + self.core.base)
        return max(self.gap * whole, ROUNDING * whole, 1.0 - WHOLE if self.integral else 0.0)

    @property
    def cutoff(self) -> float:
        """A bound this high ends the search."""
        return self.cost - self.tolerance

    def offer(self, opened: BoolArray, moves: int = MOVES, within: float = np.inf) -> bool:
        """Evaluate a set of options, improve it if cheap, keep it if best; nothing where it breaks a rule.

        Args:
            moves: most moves of local search.
            within: leave out the search where the set costs over this many times the best plan.
        """
        key = np.packbits(opened).tobytes()
        if key in self._seen:
            return False
        self._seen.add(key)
        if not self.core.rules.kept(opened):
            return False
        service = None
        if self.search is not None:
            known = np.isfinite(self.cost) and np.isfinite(within)
            worth = self.cost + (within - 1.0) * abs(self.cost + self.core.base) if known else np.inf
            cost, opened = self.search.improve(opened, moves, worth)
        else:
            opened, cost, service = self._best_trimmed(opened)
        return self._keep(opened, cost, service)

    def take(self, opened: BoolArray, lane_share: FloatArray) -> bool:
        """Keep a plan whose service is known, if it keeps all limits and is the best."""
        service = service_of(self.core, opened, lane_share)
        if service is None or not self.core.rules.kept(opened):
            return False
        opened = self._shrunk(opened, service)
        return self._keep(opened, service.cost + float(self.core.fixed_cost[opened].sum()), service)

    def _keep(self, opened: BoolArray, cost: float, service: Service | None) -> bool:
        if cost < self.cost - 1e-12 * abs(cost):
            self.cost, self.open, self.service = cost, opened, service
            self.found.append(opened)
            return True
        return False

    def polish(self) -> None:
        """Improve the best plan until no move is left, where local search is cheap."""
        if self.search is not None and self.open is not None:
            cost, opened = self.search.improve(self.open, self.core.n_options)
            if cost < self.cost:
                self.cost, self.open = cost, opened

    def served(self) -> Service:
        """How the best plan serves its clients, at least cost as far as time allows."""
        assert self.open is not None
        if self._assignment is not None and self.service is not None:
            return self.service
        service = cheapest_service(self.core, self.open, None, self._watch.grace)
        if service is None or (self.service is not None and self.service.cost < service.cost):
            service = self.service
        assert service is not None, "a plan without capacities needs no search for its service"
        return service

    def round(self, y: FloatArray, least: float = 0.5) -> BoolArray | None:
        """The plan that y rounds to, as `Rounding.plan`."""
        return self._rounding.plan(y, least)

    def _best_trimmed(self, opened: BoolArray) -> tuple[BoolArray, float, Service | None]:
        """The set as it is, or without what its clients do not fill of their own (17), whichever costs less."""
        found = self._trimmed(opened)
        fewer = filled_of_their_own(self.core, opened) if self.core.has_minimum else opened
        if (fewer == opened).all() or not self.core.rules.kept(fewer):
            return found
        return min(found, self._trimmed(fewer), key=lambda plan: plan[1])

    def _trimmed(self, opened: BoolArray) -> tuple[BoolArray, float, Service | None]:
        """Served at least cost, as far as one look goes, and shrunk to what that needs."""
        core, service = self.core, None
        if self._assignment is not None and not self._watch.over:
            opened, service = self._assigned(opened)
        if service is None and not self._watch.over:
            service = cheapest_service(core, opened, NODES, self._watch.left)
        if service is None:
            return opened, np.inf, None
        opened = self._shrunk(opened, service)
        return opened, service.cost + float(core.fixed_cost[opened].sum()), service

    def _assigned(self, opened: BoolArray) -> tuple[BoolArray, Service | None]:
        """Whole clients, from where they are if they may be split; the options this opens or closes with them."""
        assert self._assignment is not None
        split = cheapest_service(replace(self.core, single_source=False), opened, None, self._watch.left)
        if split is None:
            return opened, None
        if ((split.lane_share == 0) | (split.lane_share == 1)).all():
            return opened, split
        found = self._assignment.search(opened, split.lane_share, len(self._seen))
        service = None if found is None else service_of(self.core, *found)
        return (opened, None) if found is None or service is None else (found[0], service)

    def _shrunk(self, opened: BoolArray, service: Service) -> BoolArray:
        """A set without what carries nothing, and with tiers no larger than what they carry asks for."""
        core, opened = self.core, opened.copy()
        load = loads(core, service.lane_share)
        for j in np.flatnonzero(opened & ~core.forced):
            place = core.place[j]
            without = opened.copy()
            without[j] = False
            rivals = np.flatnonzero((core.place == place) & (core.group == core.group[j]) & (core.group >= 0))
            fits = rivals[(core.capacity[rivals] >= load[place]) & (core.fixed_cost[rivals] < core.fixed_cost[j])]
            fits = fits[core.minimum[fits] <= load[place]]
            if load[place] == 0 and core.fixed_cost[j] > 0 and not service.lane_share[self._lanes_at(place)].any():
                fits = fits[:0]
            elif len(fits):
                without[fits[core.fixed_cost[fits].argmin()]] = True
            else:
                continue
            if core.rules.kept(without):
                opened = without
        return opened

    def _lanes_at(self, place: int) -> BoolArray:
        return np.asarray((self.core.places == place).any(axis=1))


def filled_of_their_own(core: Core, opened: BoolArray) -> BoolArray:
    """Less of a set: close what stays furthest below its minimum where everybody takes the cheapest lane, and again."""
    opened = opened.copy()
    may_close = (core.minimum > 0) & ~core.forced
    while True:
        lane, _ = nearest_lanes(core, opened)
        share = np.zeros(core.n_lanes)
        share[lane[lane >= 0]] = 1.0
        part = np.full(core.n_options, np.inf)
        mine = np.flatnonzero(opened & may_close)
        part[mine] = loads(core, share)[core.place[mine]] / core.minimum[mine]
        least = float(part.min(initial=np.inf))
        if least >= 1.0 - CAPACITY_TOLERANCE:
            return opened
        opened &= part > max(least, SHORT)


def _integral(core: Core) -> bool:
    """Whether every plan costs a whole number: costs whole, and no client is ever split."""
    if (core.capacitated or core.has_minimum) and not core.single_source:
        return False
    finite = core.unserved[np.isfinite(core.unserved)]
    return all(
        bool(np.all(values == np.round(values)) and np.all(np.abs(values) < 2.0**40))
        for values in (core.cost, finite, core.fixed_cost, np.array([core.base]))
    )

"""What the proofs of one core share: the best plan, the bound no plan undercuts, and the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from siting.solver.core import Core, core_lanes
from siting.solver.incumbent import ROUNDING, WHOLE, Incumbent
from siting.solver.lagrangian import Dual
from siting.solver.problem import BoolArray, FloatArray, IntArray
from siting.solver.proof import Prices, Record, Region
from siting.solver.relaxation import Evaluation
from siting.solver.stopwatch import Stopwatch

if TYPE_CHECKING:
    from siting.solver.mip import CoreAnswer

FAVOURED = 0.02
"""Options chosen in this part of the iterations of the Lagrangian ascent are looked at first."""


class Search:
    """State of one run over one core. Costs and bounds leave out the core's base."""

    def __init__(self, core: Core, gap: float, threads: int, watch: Stopwatch) -> None:
        self.core, self.threads, self.watch = core, threads, watch
        self.incumbent = Incumbent(core, gap, watch)
        self.bound = -np.inf
        self.dual: Dual | None = None
        self.multipliers = np.where(np.isfinite(core.unserved), core.unserved, 0.0)
        self.proof = Region([Prices(self.multipliers, np.zeros(len(core.rules)))])

    @property
    def done(self) -> bool:
        """Whether the best plan is proven or the time is over."""
        return self.bound >= self.incumbent.cutoff or self.watch.over

    @property
    def proven(self) -> float:
        """The bound with the core's base cost, whole where costs are; inf where there is no plan at all."""
        bound = self.bound
        if self.incumbent.integral and np.isfinite(bound):
            bound = float(np.ceil(bound - WHOLE / 2))
        return min(bound, self.incumbent.cost) + self.core.base

    @property
    def wanted(self) -> float:
        """A bound this high proves the best plan, whatever costs may be whole; inf where there is no plan."""
        cost, whole = self.incumbent.cost, abs(self.incumbent.cost + self.core.base)
        return cost - max(self.incumbent.gap, ROUNDING) * whole if np.isfinite(cost) else np.inf

    def raise_bound(self, bound: float) -> None:
        """Take note of a bound no plan beats."""
        self.bound = max(self.bound, min(bound, self.incumbent.cost))
        self.tell()

    def tell(self) -> None:
        """Report how far the search is."""
        self.watch.tell(self.bound + self.core.base, self.incumbent.cost + self.core.base)

    def tell_model(self, bound: float, objective: float) -> None:
        """Report the progress of a model, both with the core's base cost."""
        known = self.bound + self.core.base
        self.watch.tell(max(known, bound), min(self.incumbent.cost + self.core.base, objective))

    def tell_plan(self, bound: float, objective: float) -> None:
        """Report the progress of a model of some of the options, whose bound is none of the problem."""
        self.tell_model(-np.inf, objective)

    def favoured(self, often: FloatArray) -> BoolArray:
        """Options that the relaxation chose now and then, with those of the best plan and the forced."""
        favoured = (often > FAVOURED) | self.core.forced
        return favoured if self.incumbent.open is None else favoured | self.incumbent.open

    def left(self, at: Evaluation) -> BoolArray:
        """Options that a plan better than the best may use."""
        room = self.incumbent.cutoff - at.bound
        return np.asarray((at.choice.enter <= room) | self.core.forced | (at.choice.y > 0))

    def record(
        self, options: BoolArray | IntArray, region: Region | None = None, lanes: IntArray | None = None
    ) -> Record:
        """Where a search over some options writes down what it shows of a region, or of all plans."""
        return Record(region or self.proof, np.arange(self.core.n_options)[options], self.core.n_options, lanes)

    def within(self, options: BoolArray) -> BoolArray | None:
        """The best plan in the numbering of some options, where it uses no others."""
        opened = self.incumbent.open
        return None if opened is None or (opened & ~options).any() else opened[options]

    def start(self, options: BoolArray) -> FloatArray | None:
        """The same with the shares of the lanes between them, where clients are whole: these are hard to find again."""
        opened, service = self.within(options), self.incumbent.service
        if opened is None or service is None or not self.core.single_source:
            return None if opened is None else opened.astype(float)
        return np.concatenate([opened, service.lane_share[core_lanes(self.core, options)]])

    def offer(self, options: IntArray) -> None:
        """Evaluate the plan that opens these options."""
        opened = np.zeros(self.core.n_options, dtype=bool)
        opened[options] = True
        self.incumbent.offer(opened)

    def round(self, options: BoolArray | IntArray, y: FloatArray, moves: int, least: float = 0.5) -> None:
        """Evaluate the plan that the y of some options rounds to."""
        full = np.zeros(self.core.n_options)
        full[options] = y
        opened = self.incumbent.round(full, least)
        if opened is not None:
            self.incumbent.offer(opened, moves)

    def adopt(self, answer: CoreAnswer, options: BoolArray) -> None:
        """Take over what a model of some options found, and whether Ctrl-C ended it."""
        if answer.open is not None:
            taken = np.flatnonzero(options)[answer.open]
            if self.core.single_source and answer.lane_share is not None:
                opened, share = np.zeros(self.core.n_options, dtype=bool), np.zeros(self.core.n_lanes)
                opened[taken] = True
                share[core_lanes(self.core, options)] = np.round(answer.lane_share)
                self.incumbent.take(opened, share)
            self.offer(taken)
        self.watch.stopped |= answer.stopped


def largest_cost(core: Core) -> float:
    """The largest cost of a lane, of leaving a client unserved, or of an option."""
    finite = core.unserved[np.isfinite(core.unserved)]
    return max(float(np.abs(costs).max(initial=0.0)) for costs in (core.cost, finite, core.fixed_cost))


def unservable(core: Core) -> bool:
    """Whether a client that must be served has no lane left."""
    return bool(np.isinf(core.unserved[np.diff(core.first_lane) == 0]).any())

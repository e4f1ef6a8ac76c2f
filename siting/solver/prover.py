"""From a core to a proven plan: which method next is decided by the bounds reached, not by the kind of problem.

1. Lagrangian ascent (`lagrangian`) with plans made from its choices: often the proof already.
2. Options and lanes that no better plan can use are dropped: reduced costs over the gap.
3. Without capacities and two-place lanes: Benders cuts (`benders`), reduced costs again, and branching: first among
   the options without reduced cost, for a plan near the best, then among all that are left.
   Otherwise the same with links in place of cuts (`links`), first among the options the Lagrangian favours; or, where
   lanes are few, the PuLP model.
"""

from __future__ import annotations

import numpy as np

from siting.solver import lagrangian_tree as tree
from siting.solver.benders import Master
from siting.solver.branch_and_bound import Node
from siting.solver.choice import fewest_open
from siting.solver.incumbent import MOVES, WHOLE, Incumbent
from siting.solver.lagrangian import FIRST_STEP, Dual, ascend
from siting.solver.link_cuts import LinkMaster
from siting.solver.mip import CoreAnswer, solve_core
from siting.solver.problem import BoolArray, FloatArray, IntArray
from siting.solver.reduce import Core, restrict
from siting.solver.relaxation import Evaluation, Multipliers, Relaxation
from siting.solver.stopwatch import Stopwatch

ITERATIONS, ITERATIONS_PAIRED = 1000, 250
"""Most iterations of the Lagrangian ascent; fewer where two-place lanes make each of them dear."""
WARM_STEP = 0.3
"""First step of an ascent that starts from good multipliers."""
WARM_UP, EVERY, EVERY_DEAR = 20, 20, 40
"""Plans are made after so many iterations, and every so many; less often where service is a linear program."""
TRIES, TRIES_DEAR, HOPELESS = 40, 24, 80
"""Most plans made in one ascent; iterations without any plan after which to stop."""
NEAR = 1.02
"""Local search starts from plans that cost less than this many times the best."""
FAVOURED, SHORT = 0.02, 100
"""Options chosen in this part of the iterations make the first, smaller model, of at most so many nodes."""
MANY_LANES = 30_000
"""Above it links are added as needed; below, the whole model is stated in PuLP."""
FEW, FEW_NODES = 150, 2000
"""Options few enough to branch on here, and the nodes this may take where it comes first."""
MOST_LIKELY, LIKELY_NODES = 0.7, 100
"""Options without reduced cost are searched first where they are at most this part of those left; nodes this takes."""


class Prover:
    """One run over one core."""

    def __init__(
        self,
        core: Core,
        gap: float,
        threads: int,
        watch: Stopwatch,
        start: BoolArray | None = None,
        lam: FloatArray | None = None,
    ) -> None:
        self.core, self.threads, self.watch = core, threads, watch
        self.incumbent = Incumbent(core, gap, watch)
        self.start, self.lam = start, lam
        self.bound = -np.inf
        self.multipliers = np.where(np.isfinite(core.unserved), core.unserved, 0.0)

    def prove(self) -> CoreAnswer:
        """The best plan with its bound, both with the core's base cost; on Ctrl-C as far as it has come."""
        try:
            return self._prove()
        except KeyboardInterrupt:
            self.watch.stopped = True
            if self.incumbent.open is None:
                raise
            return self._answer()

    def _prove(self) -> CoreAnswer:
        core = self.core
        short = core.n_open is not None and core.n_open > core.n_options
        if core.n_options == 0 or core.n_lanes == 0 or short:
            return self._by_model(core, np.ones(core.n_options, dtype=bool))
        self.watch.enter("lagrangian")
        relaxation = Relaxation(core)
        first = self._first_plans(relaxation)
        dual = self._ascend(relaxation, first)
        self.multipliers = dual.at.lam
        self._raise(dual.best.bound)
        if self._done():
            return self._answer()
        self.incumbent.polish()
        if self._done():
            return self._answer()
        if self.incumbent.open is None:
            return self._by_model(core, np.ones(core.n_options, dtype=bool))
        if core.capacitated or core.paired:
            return self._prove_by_model(dual)
        return self._prove_by_cuts(dual)

    def _done(self) -> bool:
        return self.bound >= self.incumbent.cutoff or self.watch.over

    def _raise(self, bound: float) -> None:
        """A bound no plan beats; whole where costs are."""
        self.bound = max(self.bound, min(bound, self.incumbent.cost))
        self.watch.tell(self.bound + self.core.base, self.incumbent.cost + self.core.base)

    def _answer(self) -> CoreAnswer:
        bound = self.bound
        if self.incumbent.integral and np.isfinite(bound):
            bound = float(np.ceil(bound - WHOLE / 2))
        return CoreAnswer(self.incumbent.open, min(bound, self.incumbent.cost) + self.core.base)

    def _first_plans(self, relaxation: Relaxation) -> Multipliers:
        """A plan to measure steps by, and multipliers to start from."""
        core, incumbent = self.core, self.incumbent
        if self.start is not None:
            y = self.start.astype(float)
            opened = incumbent.round(y)
            if opened is not None:
                incumbent.offer(opened)
        if incumbent.open is None and not (core.capacitated and core.single_source):
            opened = incumbent.round(np.zeros(core.n_options))  # as many as asked for, in canonical order
            if opened is not None:
                incumbent.offer(opened, moves=0)
        ceiling = core.unserved
        if self.lam is not None:
            lam = self.lam
        elif incumbent.search is not None and incumbent.open is not None:
            near, second = incumbent.search.nearest_two(incumbent.open)
            lam = 0.5 * (near + np.minimum(second, 3 * near))
        else:
            lam = np.where(np.isfinite(ceiling), ceiling, core.cost[core.first_lane[1:] - 1])
        return Multipliers(np.minimum(lam, ceiling), relaxation.zero_split())

    def _ascend(self, relaxation: Relaxation, start: Multipliers) -> Dual:
        incumbent, core = self.incumbent, self.core

        def target() -> float:
            if np.isfinite(incumbent.cost):
                return incumbent.cost
            known = relaxation_bound[0]
            return known + 0.05 * abs(known + core.base)

        relaxation_bound = [float(np.minimum(core.unserved, core.cost[core.first_lane[:-1]]).sum())]
        dearest = np.where(np.isfinite(core.unserved), core.unserved, core.cost[core.first_lane[1:] - 1])
        most = float(np.abs(dearest).sum() + np.abs(core.fixed_cost).sum())  # no plan costs more
        simple = incumbent.search is not None
        tries = [TRIES if simple else 0 if core.single_source else TRIES_DEAR]

        def visit(k: int, best: Evaluation, often: FloatArray) -> bool:
            relaxation_bound[0] = best.bound
            if k >= WARM_UP and k % (EVERY if simple else EVERY_DEAR) == 0:
                for y in (best.choice.y, often):
                    opened = incumbent.round(y)
                    if opened is not None and tries[0] > 0:
                        tries[0] -= 1
                        incumbent.offer(opened, within=NEAR)
            if k % 5 == 0:
                self._raise(best.bound)
            hopeless = incumbent.open is None and (k >= HOPELESS or best.bound > most)
            return best.bound >= incumbent.cutoff or hopeless or self.watch.over

        iterations = ITERATIONS_PAIRED if core.paired else ITERATIONS
        step = FIRST_STEP if self.lam is None else WARM_STEP
        return ascend(relaxation, start, target, iterations, visit, step)

    def _prove_by_model(self, dual: Dual) -> CoreAnswer:
        """Mixed-integer models of what is left: first of the favoured options, then of all."""
        core, incumbent = self.core, self.incumbent
        favoured = (dual.often > FAVOURED) | core.forced
        if incumbent.open is not None:
            favoured |= incumbent.open
        if core.n_lanes > MANY_LANES:
            return self._prove_by_links(dual)
        if core.n_open is None and favoured.sum() < 0.5 * core.n_options:
            self.watch.enter("favoured")
            some = restrict(core, favoured, np.ones(core.n_lanes, dtype=bool), core.forced)
            answer = solve_core(
                some, incumbent.gap / 2, self.watch.left, self.threads, self._within(favoured), self._tell_plan, SHORT
            )
            self._adopt(answer, favoured)
            if self._done():
                return self._answer()
        keep = self._left(dual.best)
        return self._by_model(restrict(core, keep, np.ones(core.n_lanes, dtype=bool), core.forced), keep)

    def _prove_by_links(self, dual: Dual) -> CoreAnswer:
        """Links as needed: first among the options the Lagrangian favours, then among plans with one of the others."""
        core, incumbent = self.core, self.incumbent
        self.watch.enter("links")
        favoured = (dual.often > FAVOURED) | core.forced
        if incumbent.open is not None:
            favoured |= incumbent.open
        lam, settled = dual.at.lam, None
        if core.n_open is None and favoured.sum() < MOST_LIKELY * self._left(dual.best).sum():
            bound, lam = self._search_links(lam, favoured, core.forced, LIKELY_NODES)
            settled = favoured if bound >= incumbent.cutoff else None
            if self._done():
                return self._answer()
        ceiling = incumbent.cutoff
        always = core.forced | (dual.best.choice.leave > ceiling - dual.best.bound)
        bound, _ = self._search_links(lam, self._left(dual.best), always, None, settled)
        self._raise(min(bound, ceiling))
        return self._answer()

    def _left(self, at: Evaluation) -> BoolArray:
        """Options that a plan better than the best may use."""
        room = self.incumbent.cutoff - at.bound
        return np.asarray((at.choice.enter <= room) | self.core.forced | (at.choice.y > 0))

    def _search_links(
        self,
        lam: FloatArray,
        options: BoolArray,
        forced: BoolArray,
        nodes: int | None,
        settled: BoolArray | None = None,
    ) -> tuple[float, FloatArray]:
        """The linear relaxation on some options, reduced costs, and branching on what is left.

        Args:
            lam: (n_clients,) multipliers.
            nodes: give up after so many; None = search to the end.
            settled: options whose plans, of these alone, are known not to be better.

        Returns:
            What no better plan of these options undercuts, and the multipliers of the linear relaxation.
        """
        core, incumbent = self.core, self.incumbent
        sub = restrict(core, options, np.ones(core.n_lanes, dtype=bool), forced)
        if np.isinf(sub.unserved[np.diff(sub.first_lane) == 0]).any():
            return np.inf, lam
        master = LinkMaster(sub, self.threads, lambda: self._raise(self.bound))
        if settled is not None:
            master.require_one(~settled[options])
        master.add_cheap_links(lam)
        ceiling = incumbent.cutoff

        def visit(bound: float, y: FloatArray) -> None:
            for least in (0.5, 0.3):
                self._round(options, y, MOVES, least)
            if nodes is None:
                self._raise(min(bound, ceiling))

        deadline = self.watch.deadline
        linear = master.solve_linear(lambda: incumbent.cutoff, deadline, visit)
        room = incumbent.cutoff - linear.bound
        if room <= 0 or self.watch.over:
            return linear.bound, lam
        lam = master.multipliers()
        closed, opened = linear.decided(room)
        self.watch.enter("branch")
        if not core.single_source and (~closed & ~opened).sum() <= FEW:
            low, high = (opened | sub.forced).astype(float), (~closed).astype(float)
            root = Node(linear.bound, low, high, float(fewest_open(sub)))
            return master.branch(root, lambda: incumbent.cutoff, deadline, visit, nodes), lam
        if nodes is not None:
            return linear.bound, lam
        bound, plan = master.solve_integer(
            lam, closed, opened, self._within(options), incumbent.tolerance, deadline, self._tell_model
        )
        if plan is not None:
            self._offer(np.flatnonzero(options)[plan])
        return bound, lam

    def _within(self, options: BoolArray) -> BoolArray | None:
        """The incumbent in the numbering of some options, where it uses no others."""
        opened = self.incumbent.open
        return None if opened is None or (opened & ~options).any() else opened[options]

    def _adopt(self, answer: CoreAnswer, options: BoolArray) -> None:
        """Take over what a model of some options found, and whether Ctrl-C ended it."""
        if answer.open is not None:
            self._offer(np.flatnonzero(options)[answer.open])
        self.watch.stopped |= answer.stopped

    def _round(self, options: BoolArray | IntArray, y: FloatArray, moves: int, least: float = 0.5) -> None:
        """Offer the plan that the y of some options rounds to."""
        full = np.zeros(self.core.n_options)
        full[options] = y
        opened = self.incumbent.round(full, least)
        if opened is not None:
            self.incumbent.offer(opened, moves)

    def _offer(self, options: IntArray) -> None:
        opened = np.zeros(self.core.n_options, dtype=bool)
        opened[options] = True
        self.incumbent.offer(opened)

    def _by_model(self, core: Core, options: BoolArray) -> CoreAnswer:
        """The PuLP model of a core restricted to some options: the proof of last resort."""
        self.watch.enter("model")
        ceiling = self.incumbent.cutoff  # plans with other options cost at least this
        answer = solve_core(
            core, self.incumbent.gap, self.watch.left, self.threads, self._within(options), self._tell_model
        )
        self._adopt(answer, options)
        if self.incumbent.open is None:
            return CoreAnswer(None, answer.bound, answer.stopped)
        self._raise(min(answer.bound - self.core.base, ceiling if np.isfinite(ceiling) else np.inf))
        return self._answer()

    def _tell_plan(self, bound: float, objective: float) -> None:
        """Progress of a model of some of the options, whose bound is none of the problem."""
        self._tell_model(-np.inf, objective)

    def _tell_model(self, bound: float, objective: float) -> None:
        known = self.bound + self.core.base
        self.watch.tell(max(known, bound), min(self.incumbent.cost + self.core.base, objective))

    def _keep_going(self) -> bool:
        self.watch.tell(self.bound + self.core.base, self.incumbent.cost + self.core.base)
        return not self.watch.over

    def _search_tree(self, sub: Core, options: IntArray, lam: FloatArray, nodes: int) -> bool:
        """Branch on Lagrangian bounds; True when that settles it. `options` are those of `sub`."""
        incumbent = self.incumbent
        if not tree.applies(sub):
            return False
        ceiling = incumbent.cutoff
        complete, plan = tree.search(sub, lam, incumbent.cost, incumbent.tolerance, nodes, self._keep_going)
        if plan is not None:
            self._offer(options[plan])
        if complete:
            self._raise(min(ceiling, incumbent.cutoff))
        return complete

    def _master(self, sub: Core, lam: FloatArray) -> Master:
        """A Benders master with the cuts at the costs on either side of each client's multiplier."""
        below = np.bincount(sub.client, weights=sub.cost < lam[sub.client], minlength=sub.n_clients).astype(np.int64)
        last = np.diff(sub.first_lane) - 1
        dearer, cheaper = (
            np.where(
                last >= 0, np.minimum(np.append(sub.cost, 0.0)[sub.first_lane[:-1] + at], sub.unserved), sub.unserved
            )
            for at in (np.clip(below + shift, 0, np.maximum(last, 0)) for shift in (0, -1))
        )
        master = Master(sub, dearer, self.threads, lambda: self._raise(self.bound))
        master.add_cuts(np.arange(sub.n_clients), cheaper)
        return master

    def _prove_by_cuts(self, dual: Dual) -> CoreAnswer:
        """Benders on the options and lanes a better plan can use."""
        core, incumbent = self.core, self.incumbent
        self.watch.enter("benders")
        room = incumbent.cutoff - self.bound
        choice = dual.best.choice
        keep = (choice.enter <= room) | (choice.y > 0) | core.forced
        forced = core.forced | (choice.leave > room)
        lanes = core.cost - dual.at.lam[core.client] <= room
        ceiling = incumbent.cutoff
        sub = restrict(core, keep, lanes, forced)
        if np.isinf(sub.unserved[np.diff(sub.first_lane) == 0]).any():  # nobody else can serve a client
            self._raise(ceiling)
            return self._answer()
        lam = np.minimum(dual.at.lam, sub.unserved)
        if sub.n_options <= FEW and self._search_tree(sub, np.flatnonzero(keep), lam, FEW_NODES):
            return self._answer()
        master = self._master(sub, lam)
        if incumbent.open is not None:
            master.add_cuts(np.arange(sub.n_clients), master.service(incumbent.open[keep].astype(float))[0])
        candidates = np.flatnonzero(keep)

        def visit_linear(bound: float, y: FloatArray) -> None:
            self._round(candidates, y, moves=3)
            self._raise(min(bound, ceiling))

        deadline = self.watch.deadline
        linear = master.solve_linear(lambda: incumbent.cutoff, deadline, visit_linear)
        self._raise(min(linear.bound, ceiling))
        incumbent.polish()
        self._round(candidates, linear.y, moves=core.n_options)
        if self._done():
            return self._answer()
        self.watch.enter("branch")

        def search(options: BoolArray, opened: BoolArray, nodes: int | None) -> float:
            """Branch on some options of `sub`; no better plan of these costs less than what is returned."""
            left = restrict(sub, options | sub.forced, np.ones(sub.n_lanes, dtype=bool), opened | sub.forced)
            if np.isinf(left.unserved[np.diff(left.first_lane) == 0]).any():
                return np.inf
            smaller = Master(left, levels, self.threads, lambda: self._raise(self.bound))
            smaller.add_cuts(clients, more)

            def visit(bound: float, y: FloatArray) -> None:
                self._round(candidates[options | sub.forced], y, moves=core.n_options)
                if nodes is None:
                    self._raise(min(bound, ceiling))

            root = Node(linear.bound, left.forced.astype(float), np.ones(left.n_options))
            return smaller.branch(root, lambda: incumbent.cutoff, deadline, visit, nodes)

        levels, clients, more = master.tight_cuts()
        likely = (linear.y > 1e-6) | (linear.reduced_cost <= 0)
        if likely.sum() < MOST_LIKELY * (linear.reduced_cost <= incumbent.cutoff - linear.bound).sum():
            search(likely, np.zeros(sub.n_options, dtype=bool), LIKELY_NODES)
        room = incumbent.cutoff - linear.bound
        ceiling = min(ceiling, incumbent.cutoff)
        closed, opened = linear.decided(room)
        self._raise(min(search(~closed, opened, None), ceiling))
        return self._answer()

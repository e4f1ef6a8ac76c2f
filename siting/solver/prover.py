"""From a core to a proven plan: which method next is decided by the bounds reached, not by the kind of problem.

1. Lagrangian ascent with plans made from its choices (`prove_by_multipliers`): often the proof already.
2. Options and lanes that no better plan can use are dropped: reduced costs over the gap.
3. Without capacities, two-place lanes and minimums: Benders cuts, reduced costs again, and branching (`prove_by_cuts`).
   Otherwise the same with links in place of cuts (`prove_by_links`); or, where lanes are few, the PuLP model
   (`prove_by_model`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from siting.solver.assignment import Assignment
from siting.solver.core import core_lanes
from siting.solver.problem import BoolArray, FloatArray
from siting.solver.proof import Region
from siting.solver.prove_by_cuts import prove_by_cuts
from siting.solver.prove_by_links import prove_by_links
from siting.solver.prove_by_model import prove_by_model, solve_model
from siting.solver.prove_by_multipliers import prove_by_multipliers
from siting.solver.search import Search
from siting.solver.stopwatch import OutOfTime, Stopwatch

MANY_LANES, MANY_PAIRED = 30_000, 10_000
"""Above it links are added as needed; below, the whole model is stated in PuLP. The latter where lanes need two places,
each of which is a link."""
SPLIT_GAP, SPLIT_PART = 5e-4, 0.4
"""Gap to which the problem with clients that may be split is solved where they may not, and the part of the time."""
LAST_PLANS = 6
"""So many of the best plans with split clients are where whole clients are assigned."""


def prove(search: Search, start: BoolArray | None = None, lam: FloatArray | None = None) -> None:
    """Find the best plan and prove it, as far as time allows; on Ctrl-C as far as it has come.

    Args:
        start: (n_options,) a plan to begin with.
        lam: (n_clients,) multipliers to begin with.

    Raises:
        KeyboardInterrupt: on Ctrl-C before there is any plan.
    """
    try:
        _prove(search, start, lam)
    except OutOfTime:
        pass
    except KeyboardInterrupt:
        search.watch.stopped = True
    if search.watch.stopped and search.incumbent.open is None:
        raise KeyboardInterrupt


def prove_again(search: Search, bound: float) -> None:
    """The whole model, where lanes are few and a bound recomputed carries less than a proof needs.

    The search may have taken more for proven, or a linear program rows for kept that are broken by a rounding.
    """
    if search.core.n_lanes > MANY_LANES or search.core.n_options == 0 or search.watch.over:
        return
    search.bound, search.proof.parts = bound, None
    try:
        solve_model(search, np.ones(search.core.n_options, dtype=bool))
    except OutOfTime:
        pass
    except KeyboardInterrupt:
        search.watch.stopped = True


def _prove(search: Search, start: BoolArray | None, lam: FloatArray | None) -> None:
    core, everything = search.core, np.ones(search.core.n_options, dtype=bool)
    short = core.n_open is not None and core.n_open > core.n_options
    if core.n_options == 0 or core.n_lanes == 0 or short:
        solve_model(search, everything)
        return
    if Assignment.suits(core):
        _prove_whole_clients(search, start, lam)
        return
    dual = prove_by_multipliers(search, start, lam)
    if search.done:
        return
    search.incumbent.polish()
    if search.done:
        return
    if search.incumbent.open is None:
        solve_model(search, everything)
    elif core.simple:
        prove_by_cuts(search, dual)
    elif core.n_lanes > (MANY_PAIRED if core.paired else MANY_LANES):
        prove_by_links(search, dual)
    else:
        prove_by_model(search, dual)


def _prove_whole_clients(search: Search, start: BoolArray | None, lam: FloatArray | None) -> None:
    """Clients of one source within capacities: first as if they could be split.

    No plan of whole clients is below that bound, and where they end up whole the options are nearly the same.
    """
    core, watch, incumbent = search.core, search.watch, search.incumbent
    watch.enter("split")
    if start is not None and (opened := incumbent.round(start.astype(float))) is not None:
        incumbent.offer(opened)
    within = Stopwatch(None if watch.left is None else watch.left * SPLIT_PART, lambda state: watch.check_in())
    split = Search(replace(core, single_source=False), max(incumbent.gap / 4, SPLIT_GAP), search.threads, within)
    prove(split, start, lam)
    watch.stopped |= within.stopped
    search.multipliers, search.proof = split.multipliers, split.proof
    search.raise_bound(split.bound)
    watch.enter("assign")
    for opened in split.incumbent.found[: -LAST_PLANS - 1 : -1]:
        incumbent.offer(opened)
        search.tell()
        if search.done:
            return
    _close_the_gap(search, split)


def _close_the_gap(search: Search, split: Search) -> None:
    """The model of whole clients; what was shown with split ones stays the proof where it shows more."""
    core, shown, bound = search.core, search.proof, search.bound
    search.proof = Region(list(shown.prices))
    try:
        left = np.ones(core.n_options, dtype=bool) if split.dual is None else search.left(split.dual.best)
        if split.dual is not None and core_lanes(core, left).size > MANY_LANES:
            prove_by_links(search, split.dual)
        else:
            solve_model(search, left)
    finally:
        if search.bound <= bound:
            search.proof = shown

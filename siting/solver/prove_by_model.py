"""The PuLP model of what is left: the proof where lanes are few, and the last resort everywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from siting.solver.core import Core, restrict
from siting.solver.lagrangian import Dual
from siting.solver.problem import BoolArray
from siting.solver.proof import Solved
from siting.solver.rules import Rules
from siting.solver.search import Search, largest_cost

SHORT = 100
"""Nodes of the first, smaller model."""


def prove_by_model(search: Search, dual: Dual) -> None:
    """Mixed-integer models of what is left: first of the favoured options, then of all."""
    from siting.solver.mip import solve_core  # PuLP, which most problems are proven without

    core, incumbent = search.core, search.incumbent
    favoured = search.favoured(dual.often)
    if core.n_open is None and favoured.sum() < 0.5 * core.n_options:
        search.watch.enter("favoured")
        some = restrict(core, favoured, np.ones(core.n_lanes, dtype=bool), core.forced)
        answer = solve_core(
            some, incumbent.gap / 2, search.watch.left, search.threads, search.start(favoured), search.tell_plan, SHORT
        )
        search.adopt(answer, favoured)
        if search.done:
            return
    solve_model(search, search.left(dual.best))


def solve_model(search: Search, options: BoolArray) -> None:
    """The model of some options, with all others known to be of no use to a better plan."""
    from siting.solver.mip import solve_core

    search.watch.enter("model")
    core, incumbent = search.core, search.incumbent
    ceiling = incumbent.cutoff  # plans with other options cost at least this
    sub = restrict(core, options, np.ones(core.n_lanes, dtype=bool), core.forced)
    answer = solve_core(sub, incumbent.gap, search.watch.left, search.threads, search.start(options), search.tell_model)
    search.adopt(answer, options)
    last = core.single_source or core.relaxed
    while answer.open is not None and incumbent.open is None and not (last or search.watch.over):
        # A plan within what HiGHS may be off, and none beyond rounding.
        sub = replace(sub, rules=Rules.stacked([sub.rules, _another(sub, answer.open)]))
        answer = solve_core(sub, incumbent.gap, search.watch.left, search.threads, None, search.tell_model)
        search.adopt(answer, options)
    search.proof.solved = Solved(answer.bound - core.base, options, core.forced, largest_cost(core))
    search.raise_bound(min(answer.bound - core.base, ceiling))


def _another(core: Core, opened: BoolArray) -> Rules:
    """Other plans than one that cannot be served: with one more option, or, where less of them may do (17), any."""
    if not core.has_minimum:
        return Rules(~opened[None, :], lower=1.0, names=["one more"])
    return Rules(np.where(opened, -1.0, 1.0)[None, :], lower=1.0 - float(opened.sum()), names=["another"])

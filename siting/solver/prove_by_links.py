"""Links as needed: the linear relaxation on some options, reduced costs, and branching on what is left."""

from __future__ import annotations

import numpy as np

from siting.solver.branch_and_bound import Node
from siting.solver.choice import fewest_open
from siting.solver.core import core_lanes, restrict
from siting.solver.incumbent import MOVES
from siting.solver.lagrangian import Dual
from siting.solver.link_cuts import LinkCuts
from siting.solver.problem import BoolArray, FloatArray
from siting.solver.proof import Region, Solved
from siting.solver.search import Search, largest_cost, unservable

FEW = 150
"""Options few enough to branch on here instead of in HiGHS."""
MOST_LIKELY, LIKELY_NODES = 0.7, 100
"""Favoured options are searched first where they are at most this part of those left; nodes this takes."""


def prove_by_links(search: Search, dual: Dual) -> None:
    """First among the options the Lagrangian favours, then among plans with one of the others."""
    core, incumbent = search.core, search.incumbent
    search.watch.enter("links")
    favoured = search.favoured(dual.often)
    lam, settled = dual.at.lam, None
    whole = search.proof
    if core.n_open is None and favoured.sum() < MOST_LIKELY * search.left(dual.best).sum():
        tried = Region()
        bound, lam = _search_links(search, tried, lam, favoured, core.forced, LIKELY_NODES)
        if bound >= incumbent.cutoff:
            settled = favoured
            within, whole = search.proof.part(~favoured, 0)
            within.adopt(tried)
        if search.done:
            return
    ceiling = incumbent.cutoff
    always = core.forced | (dual.best.choice.leave > ceiling - dual.best.bound)
    bound, _ = _search_links(search, whole, lam, search.left(dual.best), always, None, settled)
    search.raise_bound(min(bound, ceiling))


def _search_links(
    search: Search,
    region: Region,
    lam: FloatArray,
    options: BoolArray,
    forced: BoolArray,
    nodes: int | None,
    settled: BoolArray | None = None,
) -> tuple[float, FloatArray]:
    """The linear relaxation on some options, then what it leaves undecided.

    Args:
        region: where what is shown of the plans is written down.
        lam: (n_clients,) multipliers.
        nodes: give up after so many; None = search to the end.
        settled: options whose plans, of these alone, are known not to be better.

    Returns:
        What no better plan of these options undercuts, and the multipliers of the linear relaxation.
    """
    core, incumbent = search.core, search.incumbent
    sub = restrict(core, options, np.ones(core.n_lanes, dtype=bool), forced)
    if unservable(sub):
        return np.inf, lam
    links = LinkCuts(sub, search.threads, search.tell)
    if settled is not None:
        links.require_one(~settled[options])
    links.add_cheap_links(lam)
    ceiling = incumbent.cutoff

    def visit(bound: float, y: FloatArray) -> None:
        for least in (0.5, 0.3):
            search.round(options, y, MOVES, least)
        if nodes is None:
            search.raise_bound(min(bound, ceiling))

    linear = links.solve_linear(lambda: incumbent.cutoff, search.watch.deadline, visit)
    record = search.record(options, region, core_lanes(core, options))
    if np.isfinite(linear.bound):
        record.add(links.last_prices())
    room = incumbent.cutoff - linear.bound
    if room <= 0 or search.watch.over:
        return linear.bound, lam
    lam = links.last_prices().lam
    closed, opened = linear.decided(room)
    search.watch.enter("branch")
    if not core.single_source and (~closed & ~opened).sum() <= FEW:
        low, high = (opened | sub.forced).astype(float), (~closed).astype(float)
        root = Node(linear.bound, low, high, float(fewest_open(sub)), record=record)
        return links.branch(root, lambda: incumbent.cutoff, search.watch.deadline, visit, nodes), lam
    if nodes is not None:
        return linear.bound, lam
    bound = _search_integer(search, links, lam, options, closed, opened)
    kept, always = options.copy(), forced.copy()
    kept[options], always[options] = ~closed, opened | sub.forced
    region.solved = Solved(bound, kept, always, largest_cost(sub))
    return bound, lam


def _search_integer(
    search: Search, links: LinkCuts, lam: FloatArray, options: BoolArray, closed: BoolArray, opened: BoolArray
) -> float:
    """Branching by HiGHS; what no better plan of these options undercuts."""
    bound, plan = links.solve_integer(
        lam,
        closed,
        opened,
        search.within(options),
        search.incumbent.tolerance,
        search.watch.deadline,
        search.tell_model,
    )
    if plan is not None:
        search.offer(np.flatnonzero(options)[plan])
    return bound

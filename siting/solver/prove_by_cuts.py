"""Benders on the options and lanes a better plan can use: without capacities and two-place lanes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from siting.solver import lagrangian_tree as tree
from siting.solver.benders import BendersMaster
from siting.solver.branch_and_bound import Node
from siting.solver.core import Core, restrict
from siting.solver.cutting_planes import LinearBound
from siting.solver.lagrangian import Dual
from siting.solver.problem import BoolArray, FloatArray, IntArray
from siting.solver.proof import Region
from siting.solver.search import Search, unservable

MOST_VISITS, MOST_NODES = 1e9, 10_000
"""Lanes times nodes, and nodes, that the Lagrangian tree may take, which comes first."""
MOST_LIKELY, LIKELY_NODES = 0.7, 100
"""Options without reduced cost are searched first where they are at most this part of those left; nodes this takes."""
ROUNDING_MOVES = 3
"""Moves of local search from the y of a linear program that will see more cuts."""


def prove_by_cuts(search: Search, dual: Dual) -> None:
    """Benders cuts, reduced costs, and branching: first on the likely options, then on all that are left."""
    core, incumbent = search.core, search.incumbent
    search.watch.enter("benders")
    ceiling = incumbent.cutoff
    room, choice = ceiling - search.bound, dual.best.choice
    keep = search.left(dual.best)
    lanes = core.cost - dual.at.lam[core.client] <= room
    sub = restrict(core, keep, lanes, core.forced | (choice.leave > room))
    if unservable(sub):
        search.raise_bound(ceiling)
        return
    candidates, lam = np.flatnonzero(keep), np.minimum(dual.at.lam, sub.unserved)
    if _search_tree(search, sub, candidates, lam, min(MOST_NODES, int(MOST_VISITS / max(sub.n_lanes, 1)))):
        return
    master = _master(search, sub, lam, keep)

    def visit_linear(bound: float, y: FloatArray) -> None:
        search.round(candidates, y, ROUNDING_MOVES)
        search.raise_bound(min(bound, ceiling))

    linear = master.solve_linear(lambda: incumbent.cutoff, search.watch.deadline, visit_linear)
    search.raise_bound(min(linear.bound, ceiling))
    if np.isfinite(linear.bound):
        search.proof.prices.append(master.last_prices())
    incumbent.polish()
    search.round(candidates, linear.y, core.n_options)
    if not search.done:
        search.watch.enter("branch")
        _branch(search, _Left(sub, candidates, linear, *master.tight_cuts()), ceiling)


def _search_tree(search: Search, sub: Core, options: IntArray, lam: FloatArray, nodes: int) -> bool:
    """Branch on Lagrangian bounds; True when that settles it. `options` are those of `sub`."""
    incumbent = search.incumbent
    if not tree.applies(sub):
        return False

    def keep_going() -> bool:
        search.tell()
        return not search.watch.over

    ceiling = incumbent.cutoff
    tried = Region()
    complete, plan = tree.search(
        sub, lam, incumbent.cost, incumbent.tolerance, nodes, keep_going, search.record(options, tried)
    )
    if plan is not None:
        search.offer(options[plan])
    if complete:
        search.proof.adopt(tried)
        search.raise_bound(min(ceiling, incumbent.cutoff))
    return complete


def _master(search: Search, sub: Core, lam: FloatArray, keep: BoolArray) -> BendersMaster:
    """A Benders master with the cuts at the costs on either side of each client's multiplier, and at the best plan."""
    below = np.bincount(sub.client, weights=sub.cost < lam[sub.client], minlength=sub.n_clients).astype(np.int64)
    last = np.diff(sub.first_lane) - 1
    dearer, cheaper = (
        np.where(last >= 0, np.minimum(np.append(sub.cost, 0.0)[sub.first_lane[:-1] + at], sub.unserved), sub.unserved)
        for at in (np.clip(below + shift, 0, np.maximum(last, 0)) for shift in (0, -1))
    )
    master = BendersMaster(sub, dearer, search.threads, search.tell)
    clients = np.arange(sub.n_clients)
    master.add_cuts(clients, cheaper)
    if search.incumbent.open is not None:
        master.add_cuts(clients, master.service(search.incumbent.open[keep].astype(float))[0])
    return master


@dataclass(frozen=True, eq=False)
class _Left:
    """What the linear relaxation leaves to branch on.

    Attributes:
        sub: options and lanes a better plan can use; `candidates` are where its options stood.
        levels, clients, more: tight cuts of the linear relaxation, see `BendersMaster.tight_cuts`.
    """

    sub: Core
    candidates: IntArray
    linear: LinearBound
    levels: FloatArray
    clients: IntArray
    more: FloatArray


def _branch(search: Search, left: _Left, ceiling: float) -> None:
    """Branching: first on the likely options for a plan near the best, then on all for the proof."""
    incumbent, linear = search.incumbent, left.linear
    likely = (linear.y > 1e-6) | (linear.reduced_cost <= 0)
    if likely.sum() < MOST_LIKELY * (linear.reduced_cost <= incumbent.cutoff - linear.bound).sum():
        _branch_on(search, left, likely, np.zeros(len(likely), dtype=bool), ceiling, LIKELY_NODES)
    room = incumbent.cutoff - linear.bound
    ceiling = min(ceiling, incumbent.cutoff)
    closed, opened = linear.decided(room)
    search.raise_bound(min(_branch_on(search, left, ~closed, opened, ceiling, None), ceiling))


def _branch_on(
    search: Search, left: _Left, options: BoolArray, opened: BoolArray, ceiling: float, nodes: int | None
) -> float:
    """Branch on some options; no better plan of these costs less than what is returned."""
    sub = left.sub
    options = options | sub.forced
    smaller = restrict(sub, options, np.ones(sub.n_lanes, dtype=bool), opened | sub.forced)
    if unservable(smaller):
        return np.inf
    master = BendersMaster(smaller, left.levels, search.threads, search.tell)
    master.add_cuts(left.clients, left.more)

    def visit(bound: float, y: FloatArray) -> None:
        search.round(left.candidates[options], y, search.core.n_options)
        if nodes is None:
            search.raise_bound(min(bound, ceiling))

    root = Node(left.linear.bound, smaller.forced.astype(float), np.ones(smaller.n_options))
    if nodes is None:
        root = replace(root, record=search.record(left.candidates[options]))
    return master.branch(root, lambda: search.incumbent.cutoff, search.watch.deadline, visit, nodes)

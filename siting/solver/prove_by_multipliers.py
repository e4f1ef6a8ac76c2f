"""Lagrangian ascent, with plans made from its choices: often the proof already, and always where proofs begin."""

from __future__ import annotations

import numpy as np

from siting.solver.lagrangian import FIRST_STEP, Dual, ascend
from siting.solver.problem import BoolArray, FloatArray
from siting.solver.proof import Prices
from siting.solver.relaxation import Evaluation, Multipliers, Relaxation
from siting.solver.search import Search

ITERATIONS, ITERATIONS_PAIRED = 1000, 250
"""Most iterations of the ascent; fewer where two-place lanes make each of them dear."""
WARM_STEP = 0.3
"""First step of an ascent that starts from good multipliers."""
EVERY, EVERY_DEAR = 20, 40
"""Plans are made every so many iterations; less often where service is a linear program."""
TRIES, TRIES_DEAR, HOPELESS = 40, 24, 80
"""Most plans made in one ascent; iterations without any plan after which to stop."""
NEAR = 1.02
"""Local search starts from plans that cost less than this many times the best."""


def prove_by_multipliers(search: Search, start: BoolArray | None, lam: FloatArray | None) -> Dual:
    """First plans and the ascent; its bound becomes the search's.

    Args:
        start: (n_options,) a plan to begin with, as far as it keeps the limits.
        lam: (n_clients,) multipliers to begin with.
    """
    search.watch.enter("lagrangian")
    relaxation = Relaxation(search.core)
    _first_plans(search, start)
    dual = _ascend(search, relaxation, Multipliers(_first_multipliers(search, lam), relaxation.zero_split()), lam)
    search.dual, search.multipliers = dual, dual.at.lam
    search.proof.prices += _written(relaxation, dual)
    search.raise_bound(dual.best.bound)
    return dual


def _written(relaxation: Relaxation, dual: Dual) -> list[Prices]:
    """The best multipliers as the proof keeps them."""
    core, lam, lanes = relaxation.core, dual.at.lam, relaxation.paired
    first = (core.cost[lanes] - lam[core.client[lanes]]) / 2 + dual.at.split
    rows = [relaxation.choice.row_prices(prices) for prices in dual.best.choice.prices]
    return [Prices(lam, row[:-2], row[-2:], 0.0, lanes, first) for row in rows]


def _first_plans(search: Search, start: BoolArray | None) -> None:
    """A plan to measure steps by."""
    core, incumbent = search.core, search.incumbent
    if start is not None:
        opened = incumbent.round(start.astype(float))
        if opened is not None:
            incumbent.offer(opened)
    if incumbent.open is None and not (core.single_source and not core.simple):
        opened = incumbent.round(np.zeros(core.n_options))  # as many as asked for, in canonical order
        if opened is not None:
            incumbent.offer(opened, moves=0)


def _first_multipliers(search: Search, lam: FloatArray | None) -> FloatArray:
    """(n_clients,) multipliers to begin with."""
    core, incumbent = search.core, search.incumbent
    ceiling = core.unserved
    if lam is None:
        if incumbent.search is not None and incumbent.open is not None:
            near, second = incumbent.search.nearest_two(incumbent.open)
            lam = 0.5 * (near + np.minimum(second, 3 * near))
        else:
            lam = np.where(np.isfinite(ceiling), ceiling, core.cost[core.first_lane[1:] - 1])
    return np.minimum(lam, ceiling)


def _ascend(search: Search, relaxation: Relaxation, first: Multipliers, lam: FloatArray | None) -> Dual:
    core, incumbent = search.core, search.incumbent
    known = float(np.minimum(core.unserved, core.cost[core.first_lane[:-1]]).sum())
    dearest = core.cost[core.first_lane[1:] - 1]
    dearest = np.maximum(np.where(np.isfinite(core.unserved), core.unserved, dearest), dearest)
    most = float(np.abs(dearest).sum() + np.abs(core.fixed_cost).sum())  # no plan costs more
    simple = incumbent.search is not None
    tries = TRIES if simple else 0 if core.single_source else TRIES_DEAR

    def target() -> float:
        return incumbent.cost if np.isfinite(incumbent.cost) else known + 0.05 * abs(known + core.base)

    def visit(k: int, best: Evaluation, often: FloatArray) -> bool:
        nonlocal known, tries
        known = best.bound
        if k > 0 and k % (EVERY if simple else EVERY_DEAR) == 0:
            for y in (best.choice.y, often):
                opened = incumbent.round(y)
                if opened is not None and tries > 0:
                    tries -= 1
                    incumbent.offer(opened, within=NEAR)
        if k % 5 == 0:
            search.raise_bound(best.bound)
        hopeless = incumbent.open is None and (k >= HOPELESS or best.bound > most)
        return best.bound >= incumbent.cutoff or hopeless or search.watch.over

    iterations = ITERATIONS_PAIRED if core.paired else ITERATIONS
    return ascend(relaxation, first, target, iterations, visit, FIRST_STEP if lam is None else WARM_STEP)

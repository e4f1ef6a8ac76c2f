"""Ascent on the Lagrangian dual: good multipliers, and what they prove."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from siting.solver.core import Core
from siting.solver.problem import FloatArray
from siting.solver.relaxation import Evaluation, Multipliers, Relaxation

FIRST_STEP = 1.0
SMALLEST_STEP = 2e-4
"""Step of the subgradient method where it starts and where it ends. This and what follows was found on generated
problems; it changes the speed, never the validity."""
PATIENCE, SHRINK = 12, 0.6
"""Iterations without progress after which the step falls, and by how much."""
MEMORY = 0.6
"""How much of the last direction is kept (deflection: Camerini, Fratta and Maffioli 1975)."""
CHECK, WORTHWHILE = 40, 0.02
"""Every so many iterations the ascent ends unless it has closed this part of the gap."""


@dataclass(eq=False)
class Dual:
    """Best multipliers so far and what they prove."""

    best: Evaluation
    at: Multipliers
    often: FloatArray
    """(n_options,) how much of late each option was chosen, 0 to 1."""
    iterations: int


def ascend(
    relaxation: Relaxation,
    start: Multipliers,
    target: Callable[[], float],
    iterations: int,
    visit: Callable[[int, Evaluation, FloatArray], bool],
    first_step: float = FIRST_STEP,
) -> Dual:
    """Deflected subgradient ascent with steps measured against the best plan [Held, Wolfe and Crowder 1974].

    Coordinates are scaled by what each client can gain, since their costs differ by orders of magnitude.

    Args:
        target: cost of the best plan known, without the base cost.
        visit: called after each evaluation with its number, itself and `often`; True ends the ascent.
    """
    core = relaxation.core
    floor, ceiling, scale = _ranges(core)
    split_scale = scale[core.client[relaxation.paired]]
    lam, split = start.lam, start.split
    dual: Dual | None = None
    step, stalled = first_step, 0
    lam_way, split_way = np.zeros_like(lam), np.zeros_like(split)
    often = np.zeros(core.n_options)
    checkpoint = -np.inf
    for k in range(iterations):
        found = relaxation.evaluate(Multipliers(lam, split))
        often = found.choice.y if k == 0 else 0.95 * often + 0.05 * found.choice.y
        size = abs(target())
        if dual is None or found.bound > dual.best.bound + 1e-12 * size:
            gained = np.inf if dual is None else found.bound - dual.best.bound
            stalled = 0 if gained > 1e-4 * size else max(0, stalled - 3)
            dual = Dual(found, Multipliers(lam, split), often, k)
        else:
            stalled += 1
        dual.often, dual.iterations = often, k + 1
        if visit(k, dual.best, often) or step < SMALLEST_STEP:
            break
        if k % CHECK == CHECK - 1:
            if dual.best.bound - checkpoint < WORTHWHILE * (target() - dual.best.bound):
                break
            checkpoint = dual.best.bound
        if stalled > PATIENCE:
            step, stalled = step * SHRINK, 0
            lam, split = dual.at.lam, dual.at.split
            lam_way, split_way = np.zeros_like(lam), np.zeros_like(split)
        lam_way = found.slope.lam + MEMORY * lam_way
        split_way = found.slope.split + MEMORY * split_way
        norm = float(scale @ lam_way**2 + split_scale @ split_way**2)
        if norm == 0:
            break
        length = step * (target() + 0.002 * size - found.bound) / norm
        lam = np.clip(lam + length * scale * lam_way, floor, ceiling)
        split = split + length * split_scale * split_way
    assert dual is not None
    return dual


def _ranges(core: Core) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(n_clients,) each: the multipliers of use are from here to there, and the square of what a client can gain."""
    cheapest = core.cost[core.first_lane[:-1]]
    floor = np.full(len(cheapest), -np.inf) if core.has_minimum else cheapest  # filling an option may be worth a loss
    mean = np.add.reduceat(core.cost, core.first_lane[:-1]) / np.diff(core.first_lane)
    scale = np.where(np.isfinite(core.unserved), core.unserved, mean) - cheapest
    return floor, core.unserved, np.maximum(scale, 0.01 * float(scale.max(initial=0.0))) ** 2

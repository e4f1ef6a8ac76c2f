"""Depth-first branch and bound on Lagrangian bounds, for cores without capacities, groups and rules but a number.

A node keeps the multipliers of its parent, improves them for a few steps, fixes options by reduced cost and
branches on the least decided one [Beasley 1993; Senne, Lorena and Pereira 2005]. Whether it is worth its time shows
early: of a tree in which leaves at depth d count 2^-d, the part that is behind says how many nodes are ahead [weighted
backtrack estimator: Kilby, Slaney, Thiebaux and Walsh 2006].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from siting.solver.core import Core
from siting.solver.kernels import add_gains, compiled
from siting.solver.problem import BoolArray, FloatArray, IntArray
from siting.solver.proof import Prices, Record

CLOSED, FREE, OPEN = -1, 0, 1
NODE_STEPS, ROOT_STEPS = 60, 300
SHRINK = 0.6
BATCH = 50
"""Nodes between two looks at the clock."""
LOOK = 100
"""Nodes after which to ask how many there will be."""
DEPTH = 400
"""Most open nodes; a depth-first search of twice as many options would be hopeless anyway."""


@compiled
def sort_by(value: Any, items: Any, count: int) -> None:
    """Sort the first items by their value: by insertion, for they are few and nearly in order."""
    for s in range(1, count):
        item = items[s]
        k = s
        while k > 0 and value[items[k - 1]] > value[item]:
            items[k] = items[k - 1]
            k -= 1
        items[k] = item


@compiled
def _bound_node(
    first: Any, option: Any, cost: Any, ceiling: Any, fixed: Any, state: Any, lam: Any, n_open: int, target: float,
    cutoff: float, steps: int, way: float, best_lam: Any, best_v: Any, mean: Any,
) -> Any:  # fmt: skip
    """Ascend from lam; (bound, price of entering, price of leaving), best multipliers into the arrays."""
    m, n = len(lam), len(fixed)
    inside, n_free = 0, 0
    free = np.empty(n, np.int64)  # kept in order of v, which changes little from step to step
    for j in range(n):
        if state[j] == OPEN:
            inside += 1
        elif state[j] == FREE:
            free[n_free] = j
            n_free += 1
    missing = n_open - inside
    if n_open >= 0 and (missing < 0 or missing > n_free):
        return np.inf, 0.0, 0.0
    now, v, direction = np.empty(m), np.empty(n), np.empty(m)
    chosen = np.empty(n, np.bool_)
    for i in range(m):
        now[i], direction[i] = lam[i], 0.0
    best, last, following, stalled = -np.inf, 0.0, 0.0, 0
    for _ in range(steps):
        bound = 0.0
        for i in range(m):
            bound += now[i]
        for j in range(n):
            v[j] = fixed[j]
        add_gains(first, option, cost, now, v)
        for j in range(n):
            chosen[j] = state[j] == OPEN
            if chosen[j]:
                bound += v[j]
        price_in, price_out = 0.0, 0.0
        if n_open >= 0:
            sort_by(v, free, n_free)
            for s in range(missing):
                bound += v[free[s]]
                chosen[free[s]] = True
            price_in = v[free[missing - 1]] if missing > 0 else -np.inf
            price_out = v[free[missing]] if missing < n_free else np.inf
        else:
            for s in range(n_free):
                if v[free[s]] < 0.0:
                    bound += v[free[s]]
                    chosen[free[s]] = True
        for j in range(n):
            mean[j] = 0.85 * mean[j] + (0.15 if chosen[j] else 0.0)
        if bound > best:
            stalled = 0 if bound > best + 1e-4 * abs(target) else stalled + 1
            best, last, following = bound, price_in, price_out
            for i in range(m):
                best_lam[i] = now[i]
            for j in range(n):
                best_v[j] = v[j]
        else:
            stalled += 1
        if best >= cutoff or missing == 0:
            break
        if stalled >= 4:
            way, stalled = way * SHRINK, 0
        norm = 0.0
        for i in range(m):
            slope = 1.0
            for k in range(first[i], first[i + 1]):
                if cost[k] >= now[i]:
                    break
                if chosen[option[k]]:
                    slope -= 1.0
            direction[i] = slope + 0.5 * direction[i]
            norm += direction[i] * direction[i]
        if norm < 1e-12 or way < 1e-3:
            break
        length = way * (1.002 * target - bound) / norm
        for i in range(m):
            floor = cost[first[i]] if first[i] < first[i + 1] else ceiling[i]
            now[i] = min(max(now[i] + length * direction[i], floor), ceiling[i])
    return best, last, following


@compiled
def _offer(
    first: Any, option: Any, cost: Any, ceiling: Any, fixed: Any, trial: Any, best_cost: float, plan: Any
) -> float:
    """Cost of a set of options where it beats the best plan, which it then becomes."""
    total = 0.0
    for j in range(len(fixed)):
        if trial[j]:
            total += fixed[j]
    for i in range(len(ceiling)):
        served = ceiling[i]
        for k in range(first[i], first[i + 1]):
            if trial[option[k]]:
                served = min(served, cost[k])
                break
        total += served
    if total >= best_cost:
        return best_cost
    for j in range(len(fixed)):
        plan[j] = trial[j]
    return total


@compiled
def _branch(
    first: Any, option: Any, cost: Any, ceiling: Any, fixed: Any, n_open: int, best_cost: float, slack: float,
    bound: float, price_in: float, price_out: float, state: Any, v: Any, mean: Any, plan: Any,
) -> Any:  # fmt: skip
    """Make a plan of a node and fix options in `state`; (option to branch on or -1, best cost, its plan in `plan`)."""
    n = len(fixed)
    by_value, trial = np.empty(n, np.int64), np.empty(n, np.bool_)
    # A plan: what is open, and the best of the free options.
    count = 0
    for j in range(n):
        by_value[j] = j
        trial[j] = state[j] == OPEN
        if trial[j]:
            count += 1
    sort_by(v, by_value, n)
    for following in by_value:
        if state[following] == FREE and (count < n_open if n_open >= 0 else v[following] < 0.0):
            trial[following] = True
            count += 1
    best_cost = _offer(first, option, cost, ceiling, fixed, trial, best_cost, plan)
    room = best_cost - slack - bound
    pick, score, inside = -1, -1.0, 0
    for j in range(n):
        if state[j] == FREE:
            enter = v[j] - price_in if n_open >= 0 else max(v[j], 0.0)
            leave = price_out - v[j] if n_open >= 0 else max(-v[j], 0.0)
            if enter > room:
                state[j] = CLOSED
            elif leave > room:
                state[j] = OPEN
            else:
                decided = min(mean[j], 1.0 - mean[j]) + 0.3 * mean[j]
                if decided > score:
                    pick, score = j, decided
        if state[j] == OPEN:
            inside += 1
    if pick < 0 or inside == n_open:
        pick = -1
        for j in range(n):
            trial[j] = state[j] == OPEN
        if n_open < 0 or inside == n_open:
            best_cost = _offer(first, option, cost, ceiling, fixed, trial, best_cost, plan)
    return pick, best_cost


def applies(core: Core) -> bool:
    """Whether this tree can search the core."""
    return (
        not core.capacitated
        and not core.paired
        and len(core.rules) == (core.n_open is not None)
        and not (core.group >= 0).any()
        and bool(np.isfinite(core.unserved).all() or core.n_lanes > 0)
    )


def _written(core: Core, lam: FloatArray, price_in: float, price_out: float) -> list[Prices]:
    """The multipliers of a node as a proof keeps them: with the price that values entering, and leaving."""
    prices = [price for price in (price_in, price_out) if np.isfinite(price)] if len(core.rules) else [0.0]
    lam = lam.copy()
    found = [Prices(lam, np.full(len(core.rules), price)) for price in prices]
    return [replace(at, first=found[0].first) for at in found]


def _problem(core: Core, best_cost: float) -> tuple[IntArray, IntArray, FloatArray, FloatArray, FloatArray]:
    """First lanes, option and cost of each lane, what a client costs at most, fixed costs: as the kernels take them."""
    option_at = np.zeros(core.n_places, dtype=np.int64)
    option_at[core.place] = np.arange(core.n_options)
    far = float(core.cost.max(initial=0.0)) * 2 + best_cost + 1.0
    ceiling = np.where(np.isfinite(core.unserved), core.unserved, far)
    return core.first_lane, option_at[core.places[:, 0]], core.cost, ceiling, core.fixed_cost


def search(
    core: Core,
    lam: FloatArray,
    best_cost: float,
    slack: float,
    most_nodes: int,
    keep_going: Callable[[], bool],
    record: Record,
) -> tuple[bool, BoolArray | None]:
    """Search for a plan that costs less than best_cost - slack.

    Args:
        lam: (n_clients,) multipliers to start from.
        most_nodes: give up after so many, and where as many are ahead.
        keep_going: asked now and then; False gives up.
        record: where each node's multipliers are written down.

    Returns:
        (whether the search is complete, the best plan found that costs less than best_cost, or None).
    """
    n, problem = core.n_options, _problem(core, best_cost)
    states = np.zeros((DEPTH, n), dtype=np.int8)
    states[0, core.forced] = OPEN
    lams = np.empty((DEPTH, core.n_clients))
    lams[0] = np.minimum(lam, problem[3])
    bounds = np.full(DEPTH, -np.inf)
    plan = np.zeros(n, dtype=bool)
    best_lam, v, mean = np.empty(core.n_clients), np.empty(n), np.empty(n)
    n_open = -1 if core.n_open is None else core.n_open
    depth = np.zeros(DEPTH, dtype=np.int64)
    records, top, cost, done = [record], 1, best_cost, 0
    while top > 0 and top + 1 < DEPTH and done < most_nodes and (done % BATCH or keep_going()):
        behind = 1.0 - np.exp2(-depth[:top].astype(float)).sum()
        if done >= LOOK and done > most_nodes * behind:
            break
        steps, way = (ROOT_STEPS, 1.0) if done == 0 else (NODE_STEPS, 0.5)
        done += 1
        top -= 1
        here = records.pop()
        if bounds[top] >= cost - slack:
            continue
        state = states[top].copy()
        mean[:] = 0.5
        bound, price_in, price_out = _bound_node(
            *problem, state, lams[top], n_open, cost, cost - slack, steps, way, best_lam, v, mean
        )
        here.add(*_written(core, best_lam, price_in, price_out))
        if bound >= cost - slack:
            continue
        pick, cost = _branch(*problem, n_open, cost, slack, bound, price_in, price_out, state, v, mean, plan)
        if pick < 0:
            continue
        children = slice(top, top + 2)
        states[children], lams[children], bounds[children], depth[children] = state, best_lam, bound, depth[top] + 1
        states[top, pick], states[top + 1, pick] = CLOSED, OPEN  # open is looked at first
        records += here.part(np.array([pick]))
        top += 2
    return top == 0, plan if cost < best_cost else None

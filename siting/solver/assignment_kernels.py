"""The moves of `assignment`, compiled by numba. Columns are places and, the last, what is left unserved."""

from __future__ import annotations

from typing import Any

import numpy as np

from siting.solver.kernels import compiled

TENURE, SPREAD = 7, 10
"""Iterations for which a client does not come back: at least, and at most so many more."""
STREAK, CHANGE = 5, 1.1
"""After so many iterations alike the price of what is too much changes by this factor."""


@compiled
def best_shift(
    cost: Any, demand: Any, room: Any, fixed: Any, at: Any, load: Any, users: Any, until: Any, now: int,
    price: float, over: float, better: float, slack: float,
) -> Any:  # fmt: skip
    """Least costly move of one client: (priced change, change of cost, client, place)."""
    least, change, client, to = np.inf, 0.0, -1, -1
    for i in range(len(demand)):
        here, q = at[i], demand[i]
        freed = max(0.0, load[here] - room[here]) - max(0.0, load[here] - q - room[here])
        leave = cost[i, here] + (fixed[here] if users[here] == 1 else 0.0)
        for j in range(len(room)):
            if j == here or q > room[j]:
                continue
            d = cost[i, j] - leave + (fixed[j] if users[j] == 0 else 0.0)
            o = max(0.0, load[j] + q - room[j]) - max(0.0, load[j] - room[j]) - freed
            if d + price * o < least and (until[i, j] < now or (over + o <= slack and d < better)):
                least, change, client, to = d + price * o, d, i, j
    return least, change, client, to


@compiled
def best_exchange(
    cost: Any, demand: Any, room: Any, at: Any, load: Any, until: Any, now: int, price: float, over: float,
    better: float, rng: Any, part: float, slack: float,
) -> Any:  # fmt: skip
    """Least costly exchange of two clients: (priced change, change of cost, one, the other)."""
    least, change, one, other = np.inf, 0.0, -1, -1
    for i in range(len(demand)):
        if part < 1.0 and rng.random() > part:
            continue
        here = at[i]
        too_much = max(0.0, load[here] - room[here])
        for k in range(i + 1 if part >= 1.0 else 0, len(demand)):
            j = at[k]
            if j == here or demand[i] > room[j] or demand[k] > room[here]:
                continue
            d = cost[i, j] + cost[k, here] - cost[i, here] - cost[k, j]
            w = demand[i] - demand[k]
            o = max(0.0, load[here] - w - room[here]) - too_much
            o += max(0.0, load[j] + w - room[j]) - max(0.0, load[j] - room[j])
            free = until[i, j] < now and until[k, here] < now
            if d + price * o < least and (free or (over + o <= slack and d < better)):
                least, change, one, other = d + price * o, d, i, k
    return least, change, one, other


@compiled
def assign(
    cost: Any, demand: Any, room: Any, fixed: Any, first: Any, price: float, iterations: int, rng: Any, part: float,
    slack: float,
) -> Any:  # fmt: skip
    """Cost and (n_clients,) columns of the cheapest assignment met without overload; cost inf where there is none."""
    n, m = cost.shape
    at, until = first.copy(), np.zeros((n, m), dtype=np.int64)
    load, users, total = np.zeros(m), np.zeros(m, dtype=np.int64), 0.0
    for i in range(n):
        total += cost[i, at[i]]
        load[at[i]] += demand[i]
        users[at[i]] += 1
    over = 0.0
    for j in range(m):
        total += fixed[j] if users[j] > 0 else 0.0
        over += max(0.0, load[j] - room[j])
    least, best, streak = total if over <= slack else np.inf, at.copy(), 0
    for now in range(1, iterations + 1):
        better = least - total - 1e-12 * abs(total)
        shift, change, i, j = best_shift(
            cost, demand, room, fixed, at, load, users, until, now, price, over, better, slack
        )
        swap, d, one, other = best_exchange(
            cost, demand, room, at, load, until, now, price, over, better, rng, part, slack
        )
        if i < 0 and one < 0:
            break
        tabu = now + TENURE + rng.integers(0, SPREAD)
        if swap < shift:
            change, i, j = d, one, at[other]
            until[other, j] = tabu
            load[at[i]] += demand[other]
            load[j] -= demand[other]
            at[other] = at[i]
            users[at[i]] += 1
            users[j] -= 1
        until[i, at[i]] = tabu
        load[at[i]] -= demand[i]
        load[j] += demand[i]
        users[at[i]] -= 1
        users[j] += 1
        at[i] = j
        total += change
        over = 0.0
        for k in range(m):
            over += max(0.0, load[k] - room[k])
        if over <= slack and total < least:
            least = total
            best[:] = at
        streak = max(streak, 0) + 1 if over <= slack else min(streak, 0) - 1
        if streak % STREAK == 0:
            price = price / CHANGE if streak > 0 else price * CHANGE
    return least, best

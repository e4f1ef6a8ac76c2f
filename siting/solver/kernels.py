"""The inner loops of the Lagrangian relaxation, of local search and of Benders cuts, compiled by numba.

Lanes are sorted by cost within a client, so each loop touches only those below the multiplier. The tests hold them
against the same sums over all lanes in plain NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile with numba and keep the result on disk: beside this file, in NUMBA_CACHE_DIR or the user's cache.

    Where none of these can be written, it is compiled anew in every process.
    """
    try:
        loop: Callable[..., Any] = numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # numba: no locator available
        loop = numba.njit(error_model="numpy")(function)
    return loop


@compiled
def add_gains(first: Any, place: Any, cost: Any, lam: Any, worth: Any) -> None:
    """Add min(0, c_l - lambda_i) of every lane to its place's worth."""
    for i in range(len(lam)):
        for k in range(first[i], first[i + 1]):
            gain = cost[k] - lam[i]
            if gain >= 0.0:
                break
            worth[place[k]] += gain


@compiled
def subtract_use(first: Any, place: Any, cost: Any, lam: Any, opened: Any, slope: Any) -> None:
    """Take from every client's slope how far the places of its gainful lanes are open."""
    for i in range(len(lam)):
        for k in range(first[i], first[i + 1]):
            if cost[k] >= lam[i]:
                break
            slope[i] -= opened[place[k]]


@compiled
def sort_part(value: Any, items: Any, start: int, length: int) -> None:
    """Sort items[start:start + length] by their value [Shell 1959]; NumPy's sort takes longer to compile."""
    step = 1
    while step < length:
        step = 3 * step + 1
    while step > 0:
        for s in range(start + step, start + length):
            item = items[s]
            k = s
            while k >= start + step and value[items[k - step]] > value[item]:
                items[k] = items[k - step]
                k -= step
            items[k] = item
        step //= 3


@compiled
def price_places(
    place_pair: Any, pair_entry: Any, pair_client: Any, cost: Any, weight: Any, sign: Any, split_of: Any,
    lam: Any, split: Any, demand: Any, limit: Any, place_option: Any, option: Any, capacity: Any, v: Any,
    chosen: Any, best: Any, worth_per_unit: Any, order: Any, count: Any, full: Any,
) -> None:  # fmt: skip
    """Equation (10) for every option, added to its fixed cost in v.

    Entries (a lane's end) are sorted by pair (a client at a place), pairs by place. Written for every pair are its
    cheapest entry and reduced cost; for every place the pairs worth carrying (order, count) and whether they do not
    fit its smallest option: then they are sorted by worth per unit of demand.
    """
    for place in range(len(count)):
        start, found, wanted, worth = place_pair[place], 0, 0.0, 0.0
        for pair in range(start, place_pair[place + 1]):
            i, low, at = pair_client[pair], np.inf, 0
            for e in range(pair_entry[pair], pair_entry[pair + 1]):
                reduced = cost[e] - lam[i] * weight[e]
                if split_of[e] >= 0:
                    reduced += sign[e] * split[split_of[e]]
                if reduced < low:
                    low, at = reduced, e
            chosen[pair], best[pair] = at, low
            if low < 0.0:
                order[start + found] = pair
                found += 1
                wanted += demand[i]
                worth += low
        count[place] = found
        full[place] = wanted > limit[place]
        if not full[place]:
            for k in range(place_option[place], place_option[place + 1]):
                v[option[k]] += worth
            continue
        for k in range(start, start + found):
            i = pair_client[order[k]]
            worth_per_unit[order[k]] = best[order[k]] / demand[i] if demand[i] > 0.0 else -np.inf
        sort_part(worth_per_unit, order, start, found)
        for k in range(place_option[place], place_option[place + 1]):
            left = capacity[option[k]]
            for at in range(start, start + found):
                pair = order[at]
                q = demand[pair_client[pair]]
                if q > left:
                    v[option[k]] += best[pair] * left / q
                    break
                v[option[k]] += best[pair]
                left -= q


@compiled
def fill_minimums(
    place_pair: Any, pair_client: Any, demand: Any, place_option: Any, option: Any, minimum: Any, offset: Any,
    v: Any, best: Any, loss: Any, order: Any, count: Any, full: Any, lacking: Any,
) -> None:  # fmt: skip
    """Add to v, after `price_places`, what it costs to bring options to their minimum (17).

    Only options that look worth opening, v + offset < 0, are looked at. After the pairs worth carrying come in order
    the others, by what they lose per unit of demand; `lacking` is how much of them each option takes.
    """
    for place in range(len(count)):
        if full[place]:
            continue
        start, wanted, following = place_pair[place], 0.0, -1
        for at in range(start, start + count[place]):
            wanted += demand[pair_client[order[at]]]
        for k in range(place_option[place], place_option[place + 1]):
            j = option[k]
            left = minimum[j] - wanted
            if left <= 0.0 or v[j] + offset[j] >= 0.0:
                continue
            if following < 0:
                following = start + count[place]
                for pair in range(start, place_pair[place + 1]):
                    q = demand[pair_client[pair]]
                    if best[pair] >= 0.0 and q > 0.0:
                        loss[pair] = best[pair] / q
                        order[following] = pair
                        following += 1
                sort_part(loss, order, start + count[place], following - start - count[place])
            lacking[j] = left
            for at in range(start + count[place], following):
                part = min(left, demand[pair_client[order[at]]])
                v[j] += loss[order[at]] * part
                left -= part
                if left <= 0.0:
                    break


@compiled
def use_minimums(
    place_pair: Any, pair_client: Any, sign: Any, split_of: Any, demand: Any, place_option: Any, option: Any,
    chosen: Any, order: Any, count: Any, lacking: Any, y: Any, slope: Any, split_slope: Any,
) -> None:  # fmt: skip
    """Take from the slopes what options open to the degree y carry at a loss, after `fill_minimums`."""
    for place in range(len(count)):
        for k in range(place_option[place], place_option[place + 1]):
            left, degree = lacking[option[k]], y[option[k]]
            at = place_pair[place] + count[place]
            while left > 0.0 and degree > 0.0 and at < place_pair[place + 1] and order[at] >= 0:
                pair = order[at]
                q = demand[pair_client[pair]]
                amount = degree * min(left / q, 1.0)
                slope[pair_client[pair]] -= amount
                e = chosen[pair]
                if split_of[e] >= 0:
                    split_slope[split_of[e]] += sign[e] * amount
                left -= q
                at += 1


@compiled
def use_places(
    place_pair: Any, pair_client: Any, sign: Any, split_of: Any, demand: Any, place_option: Any, option: Any,
    capacity: Any, chosen: Any, order: Any, count: Any, full: Any, y: Any, slope: Any, split_slope: Any,
) -> None:  # fmt: skip
    """Take from the slopes what options open to the degree y carry, after `price_places`."""
    for place in range(len(count)):
        start = place_pair[place]
        for k in range(place_option[place], place_option[place + 1]):
            degree = y[option[k]]
            if degree <= 0.0:
                continue
            left = capacity[option[k]]
            for at in range(start, start + count[place]):
                pair = order[at]
                amount = degree
                if full[place]:
                    q = demand[pair_client[pair]]
                    if q > left:
                        amount = degree * left / q
                    left -= q
                slope[pair_client[pair]] -= amount
                e = chosen[pair]
                if split_of[e] >= 0:
                    split_slope[split_of[e]] += sign[e] * amount
                if full[place] and left < 0.0:
                    break


@compiled
def find_nearest(first: Any, place: Any, cost: Any, is_open: Any, at: Any, d1: Any, d2: Any) -> None:
    """Nearest open place of every client and the costs through it and the second, where below those given."""
    for i in range(len(d1)):
        for k in range(first[i], first[i + 1]):
            if cost[k] >= d2[i]:
                break
            if is_open[place[k]]:
                if at[i] >= 0:
                    d2[i] = cost[k]
                    break
                if cost[k] < d1[i]:
                    at[i], d1[i] = place[k], cost[k]


@compiled
def search_swaps(
    first: Any, place: Any, cost: Any, d1: Any, d2: Any, client: Any, slot_start: Any, drop: Any, closing: Any,
    outside: Any, add: Any, opening: Any, rival: Any, down: Any, up: Any, saved: Any,
) -> Any:  # fmt: skip
    """(position outside or -1, slot, change) of the cheapest allowed swap that lowers the cost.

    Clients are sorted by the slot that serves them; `saved` is room for one number per place.
    """
    best, enter, leave = 0.0, -1, -1
    least = np.inf
    for j in range(len(add)):
        least = min(least, add[j])
    for k in range(len(drop)):
        for j in range(len(saved)):
            saved[j] = 0.0
        most = 0.0
        for c in range(slot_start[k], slot_start[k + 1]):
            i = client[c]
            for at in range(first[i], first[i + 1]):
                if cost[at] >= d2[i]:
                    break
                saved[place[at]] += d2[i] - max(cost[at], d1[i])
                most = max(most, saved[place[at]])
        if drop[k] + least - most >= best:
            continue
        for j in range(len(add)):
            change = drop[k] + add[j] - saved[outside[j]]
            if change < best and (rival[j] < 0 or rival[j] == k):
                kept = True
                for r in range(len(up)):
                    step = opening[j, r] - closing[k, r]
                    if step < down[r] or step > up[r]:
                        kept = False
                        break
                if kept:
                    best, enter, leave = change, j, k
    return enter, leave, best


@compiled
def fill(first: Any, place: Any, cost: Any, opened: Any, unserved: Any, top: Any, level: Any, total: Any) -> None:
    """Serve every client from its lanes, cheapest first, each as far as its place is open; see `fill_cheapest`."""
    for i in range(len(top)):
        left, spent, level[i] = 1.0, 0.0, top[i]
        for k in range(first[i], first[i + 1]):
            if cost[k] >= unserved[i]:
                break
            part = opened[place[k]]
            spent += min(part, left) * cost[k]
            left -= part
            if left <= 1e-9:
                level[i] = min(cost[k], top[i])
                break
        total[i] = spent + (left * top[i] if left > 1e-9 else 0.0)


def gains(first: Any, place: Any, cost: Any, lam: Any, n_places: int) -> Any:
    """(n_places,) sum of min(0, c_l - lambda_i) over the lanes of each place."""
    worth = np.zeros(n_places)
    add_gains(first, place, cost, lam, worth)
    return worth


def slopes(first: Any, place: Any, cost: Any, lam: Any, opened: Any) -> Any:
    """(n_clients,) 1 - sum of opened over the places of each client's gainful lanes."""
    slope = np.ones(len(lam))
    subtract_use(first, place, cost, lam, opened, slope)
    return slope


def two_nearest(first: Any, place: Any, cost: Any, is_open: Any, stay: Any) -> Any:
    """(n_clients,) each: nearest open place (-1 = none), the cost through it, through the second; at most `stay`."""
    at, d1, d2 = np.full(len(stay), -1), stay.copy(), stay.copy()
    find_nearest(first, place, cost, is_open, at, d1, d2)
    return at, d1, d2


def best_swap(
    first: Any, place: Any, cost: Any, d1: Any, d2: Any, at: Any, drop: Any, closing: Any,
    outside: Any, add: Any, opening: Any, rival: Any, down: Any, up: Any, n_places: int,
) -> Any:  # fmt: skip
    """(position outside or -1, slot, change) of the best swap that lowers the cost.

    Args:
        at: (n_clients,) slot that serves each client now, -1 = none.
        drop: (n_slots,) change of cost by closing what is open, before clients move.
        outside, add: (n_outside,) place, change of cost by opening there.
        closing, opening: (n_slots, n_rules), (n_outside, n_rules) coefficients of the options closed and opened.
        rival: (n_outside,) slot that must close for it, -1 = any.
        down, up: (n_rules,) how far each rule lets the sum of coefficients move.
    """
    by_slot = np.argsort(at, kind="stable")
    start = np.searchsorted(at[by_slot], np.arange(len(drop) + 1))
    return search_swaps(
        first, place, cost, d1, d2, by_slot, start, drop, closing,
        outside, add, opening, rival, down, up, np.empty(n_places),
    )  # fmt: skip


def fill_cheapest(first: Any, place: Any, cost: Any, opened: Any, unserved: Any, top: Any) -> Any:
    """(n_clients,) each: cost of the lane at which open places add up to one (else `top`), and cost of service.

    Args:
        opened: (n_places,) how far each place is open.
        top: (n_clients,) cost of what no lane carries.
    """
    level, total = top.copy(), np.empty(len(top))
    fill(first, place, cost, opened, unserved, top, level, total)
    return level, total

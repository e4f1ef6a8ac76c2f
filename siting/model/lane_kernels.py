"""The inner loops of the search for lanes through new sites, compiled by numba.

All take the tables of :mod:`siting.model.legs`. A client's shippers share all costs but taste, so what is priced once
for the client is only completed for each of them, and only where no lower bound says that it beats none of their
lanes. Comparisons with NaN, where there is no way, are false.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.compilation import compiled
from siting.model.costs import Array
from siting.model.lanes import NONE, RAIL, ROAD, Index
from siting.model.leg_kernels import at_train, best_rail, box, client, freight_factor, gather
from siting.model.legs import Ends


class Sites(NamedTuple):
    """Where may be built, and the ways between there and what exists.

    Args:
        hubs: places where part loads may be boxed: warehouses, cold stores, parks.
        stores: positions in ``near.starts`` of those where a warehouse or a cold store may be.
        heads: from hubs to existing terminals.
        sheds: from gateways and depots that fill boxes to trains: parks and cargo terminals.
        near: from stores to trains.
        fills: (n_trains,) whether boxes may be filled there too, by a park or a store.
        terminal: (n_trains,) whether a cargo terminal may be there, which does nothing but put boxes on trains.
        low_head: (n_hubs, 2) least freight and km to an existing terminal.
    """

    hubs: Index
    heads: Ends
    sheds: Ends
    near: Ends
    fills: NDArray[np.bool_]
    terminal: NDArray[np.bool_]
    low_head: Array


class Found(NamedTuple):
    """Room for lanes: (n, 4) shipper, hub, terminal, gateway; cost (n,); how many there are (1,), beyond n too."""

    way: NDArray[np.int32]
    cost: Array
    counted: Index

    @classmethod
    def room(cls, n: int) -> Found:
        return cls(np.empty((n, 4), np.int32), np.empty(n), np.zeros(1, np.int64))


class Shippers(NamedTuple):
    """Shippers in order of client: position, cost of today's lane, taste (n, n_gateways, 2) and its least (n, 2)."""

    number: Index
    quo: Array
    taste: Array
    least: Array


class Work(NamedTuple):
    """Room for the costs of one client.

    Args:
        by_road, by_rail: (n_places,) of a part load brought to a place and stuffed there, to go on by either.
        alone: (n_shippers, n_places) least cost with a new store or park at each place alone that fills boxes only.
        by_train: (n_shippers, n_trains) least cost with whatever puts boxes on trains there alone.
        head_rail, head_gateway: (n_shippers, n_heads) from an existing terminal to the gateway liked best.
        least_head: (n_shippers,) the least of them.
        train_rail, train_gateway: (n_shippers, n_trains) the same from new trains, where it was needed.
        low_train: (n_trains,) what it costs at least, taste apart; inf where none is worth a look.
        through: (n_trains,) least cost of a boxed part load at a train by what is there alone.
    """

    by_road: Array
    by_rail: Array
    alone: Array
    by_train: Array
    head_rail: Array
    head_gateway: Index
    least_head: Array
    train_rail: Array
    train_gateway: Index
    low_train: Array
    through: Array


@compiled
def _add(found: Any, number: int, hub: int, terminal: int, gateway: int, cost: float) -> None:
    """Add a lane to what was found, as far as there is room; it counts all the same."""
    n = found.counted[0]
    found.counted[0] += 1
    if n < len(found.cost):
        found.way[n, 0], found.way[n, 1], found.way[n, 2], found.way[n, 3] = number, hub, terminal, gateway
        found.cost[n] = cost


@compiled
def _best_road(onward: Any, one: Any, place: int, taste: Any) -> tuple[float, int]:
    """The cost of a box by road to the gateway liked best, and its position."""
    best, at, factor = np.inf, 0, freight_factor(one, place)
    for g in range(len(onward.gateways)):
        way = onward.road_inr[place, g] * factor + onward.road_km[place, g] * one.road_km
        cost = way + one.hour * onward.dwell_h[g] + taste[g, ROAD]
        if cost < best:
            best, at = cost, g
    return best, at


@compiled
def _low_rail(onward: Any, one: Any, place: int) -> float:
    """No cost by rail from a place is lower, taste apart."""
    low = onward.low_rail[place]
    cost: float = low[0] * one.reefer + low[1] + one.hour * low[2] + at_train(onward, one, place)
    return cost


@compiled
def _low_road(onward: Any, one: Any, place: int) -> float:
    """No cost by road from a place is lower, taste apart."""
    low = onward.low_road[place]
    cost: float = low[0] * freight_factor(one, place) + low[1] * one.road_km + one.hour * low[2]
    return cost


@compiled
def _from_heads(onward: Any, sites: Any, one: Any, who: Any, work: Any) -> None:
    """Fill in what it costs each shipper from existing terminals on."""
    for k in range(len(who.number)):
        work.least_head[k] = np.inf
        for h in range(len(sites.heads.ends)):
            cost, g = best_rail(onward, one, sites.heads.ends[h], who.taste[k])
            work.head_rail[k, h], work.head_gateway[k, h] = cost, g
            work.least_head[k] = min(work.least_head[k], cost)


@compiled
def _through_one(onward: Any, sites: Any, one: Any, who: Any, work: Any, found: Any) -> None:
    """Lanes boxed at a new site that go on by road or by existing rail."""
    _from_heads(onward, sites, one, who, work)
    n_heads = len(sites.heads.ends)
    drayage = np.empty(n_heads)
    for i in range(len(sites.hubs)):
        p = sites.hubs[i]
        if not work.by_rail[p] < who.quo.max():
            continue
        factor, priced = freight_factor(one, p), False
        low_road = _low_road(onward, one, p)
        low_drayage = sites.low_head[i, 0] * factor + sites.low_head[i, 1] * one.dray_km + one.fill
        for k in range(len(who.number)):
            cost, g, terminal = np.inf, 0, NONE
            if work.by_road[p] + one.fill + (low_road + who.least[k, ROAD]) < who.quo[k]:
                cost, g = _best_road(onward, one, p, who.taste[k])
                cost += work.by_road[p] + one.fill
            if work.by_rail[p] + (low_drayage + work.least_head[k]) < min(cost, who.quo[k]):
                if not priced:
                    for h in range(n_heads):
                        drayage[h] = box(sites.heads, i, h, factor, one.dray_km) + one.fill
                    priced = True
                best, at = np.inf, 0
                for h in range(n_heads):
                    if drayage[h] + work.head_rail[k, h] < best:
                        best, at = drayage[h] + work.head_rail[k, h], h
                if work.by_rail[p] + best < cost:
                    cost, g, terminal = work.by_rail[p] + best, work.head_gateway[k, at], sites.heads.ends[at]
            if cost < who.quo[k]:
                work.alone[k, p] = cost
                _add(found, who.number[k], p, terminal, onward.gateways[g], cost)


@compiled
def _filled_at_the_train(onward: Any, sites: Any, one: Any, who: Any, work: Any, found: Any) -> None:
    """Lanes filled and put on a train at one place; what can be done alone at each place with a train.

    A park does both, and so do a store and a cargo terminal; a cargo terminal alone does not.
    """
    loosest = 0.0
    for k in range(len(who.number)):
        loosest = max(loosest, who.quo[k] - who.least[k, RAIL])
    for j in range(len(sites.near.ends)):
        p = sites.near.ends[j]
        low = _low_rail(onward, one, p)
        own = work.by_rail[p] + one.hour * onward.filling_h[p] if sites.fills[j] else np.inf
        work.through[j] = np.inf if sites.terminal[j] else own
        work.low_train[j] = low if low < loosest else np.inf
        for k in range(len(who.number)):
            work.train_gateway[k, j] = NONE
            work.by_train[k, j] = who.quo[k] if sites.terminal[j] else work.alone[k, p]
            if own + (low + who.least[k, RAIL]) < work.alone[k, p]:
                _to_train(onward, sites, one, who, work, k, j)
                cost = own + work.train_rail[k, j]
                if cost < work.alone[k, p]:
                    _add(found, who.number[k], p, p, onward.gateways[work.train_gateway[k, j]], cost)
                    if not sites.terminal[j]:
                        work.by_train[k, j] = cost


@compiled
def _to_train(onward: Any, sites: Any, one: Any, who: Any, work: Any, k: int, j: int) -> None:
    """Price a shipper's rail from a new train unless that was done."""
    if work.train_gateway[k, j] == NONE:
        cost, g = best_rail(onward, one, sites.near.ends[j], who.taste[k])
        work.train_rail[k, j], work.train_gateway[k, j] = cost, g


@compiled
def _shed_then_train(onward: Any, sites: Any, one: Any, who: Any, work: Any, found: Any) -> None:
    """Lanes boxed at what exists that change to rail at a new train."""
    sheds = sites.sheds
    least = np.inf
    for s in range(len(sheds.starts)):
        least = min(least, work.by_rail[sheds.starts[s]] + one.fill)
    for j in range(len(sheds.ends)):
        low, worth = work.low_train[j], False
        for k in range(len(who.number)):
            worth = worth or least + (low + who.least[k, RAIL]) < work.by_train[k, j]
        if not worth:
            continue
        best, at = np.inf, 0
        for s in range(len(sheds.starts)):
            cost = work.by_rail[sheds.starts[s]] + one.fill + box(sheds, s, j, one.reefer, one.dray_km)
            if cost < best:
                best, at = cost, s
        work.through[j] = min(work.through[j], best)
        for k in range(len(who.number)):
            if best + (low + who.least[k, RAIL]) < work.by_train[k, j]:
                _to_train(onward, sites, one, who, work, k, j)
                cost = best + work.train_rail[k, j]
                if cost < work.by_train[k, j]:
                    work.by_train[k, j] = cost
                    g = onward.gateways[work.train_gateway[k, j]]
                    _add(found, who.number[k], sheds.starts[at], sheds.ends[j], g, cost)


@compiled
def _trains_worth_a_look(sites: Any, one: Any, who: Any, work: Any) -> Any:
    """Positions of the trains that may be reached for less through another store, by what rail costs at least."""
    least = np.inf
    for p in sites.near.starts:
        least = min(least, work.by_rail[p] + one.fill)
    for j in range(len(sites.near.ends)):
        worth = False
        for k in range(len(who.number)):
            worth = worth or least + (work.low_train[j] + who.least[k, RAIL]) < work.by_train[k, j]
        if not (worth and least < work.through[j]):
            work.low_train[j] = np.inf
    order = np.argsort(work.low_train)
    return order[: np.searchsorted(work.low_train[order], np.inf)]


@compiled
def _store_then_train(onward: Any, sites: Any, one: Any, who: Any, work: Any, found: Any) -> None:
    """Lanes boxed at a new store that change to rail at a new train elsewhere.

    A pair is worth a look where the train is reached for less through the store than without, and where it could
    beat a lane with the store alone.
    """
    near, n, trains = sites.near, len(who.number), _trains_worth_a_look(sites, one, who, work)
    low = work.low_train[trains]
    for i in range(len(near.starts)):
        p = near.starts[i]
        boxed, room = work.by_rail[p] + one.fill, 0.0
        for k in range(n):
            room = max(room, work.alone[k, p] - who.least[k, RAIL])
        if not boxed < room:
            continue
        factor = freight_factor(one, p)
        for e in range(len(trains)):
            if not boxed + low[e] < room:
                break
            j = trains[e]
            reached = boxed + box(near, i, j, factor, one.dray_km)
            if near.ends[j] == p or not reached < work.through[j] or not reached + low[e] < room:
                continue
            for k in range(n):
                limit = min(work.alone[k, p], work.by_train[k, j])
                if reached + (low[e] + who.least[k, RAIL]) < limit:
                    _to_train(onward, sites, one, who, work, k, j)
                    cost = reached + work.train_rail[k, j]
                    if cost < limit:
                        g = onward.gateways[work.train_gateway[k, j]]
                        _add(found, who.number[k], p, near.ends[j], g, cost)


@compiled
def _full_load(onward: Any, sites: Any, first: Any, one: Any, who: Any, found: Any) -> None:
    """Lanes of a full load that change to rail at a new train."""
    for j in range(len(sites.near.ends)):
        p = sites.near.ends[j]
        drayage = first.box_inr[one.row, p] * one.reefer * one.weak + first.km[one.row, p] * one.dray_km
        low = _low_rail(onward, one, p)
        for k in range(len(who.number)):
            if drayage + (low + who.least[k, RAIL]) < who.quo[k]:
                onward_inr, g = best_rail(onward, one, p, who.taste[k])
                if drayage + onward_inr < who.quo[k]:
                    _add(found, who.number[k], NONE, p, onward.gateways[g], drayage + onward_inr)


@compiled
def improving(
    onward: Any, rates: Any, sites: Any, first: Any, cargo: Any, shippers: Any, begins: Any, found: Any
) -> None:
    """Add the lanes through new sites that beat what the shippers of some clients have today.

    Args:
        begins: (n + 1,) where the shippers of each client begin.
    """
    k = 0
    for i in range(len(cargo.row)):
        k = max(k, begins[i + 1] - begins[i])
    n_places, n_heads, n_trains = len(onward.stuffing), len(sites.heads.ends), len(sites.near.ends)
    work = Work(
        np.empty(n_places), np.empty(n_places), np.empty((k, n_places)), np.empty((k, n_trains)),
        np.empty((k, n_heads)), np.empty((k, n_heads), np.int64), np.empty(k), np.empty((k, n_trains)),
        np.empty((k, n_trains), np.int64), np.empty(n_trains), np.empty(n_trains),
    )  # fmt: skip
    for i in range(len(cargo.row)):
        own = slice(begins[i], begins[i + 1])
        who = Shippers(shippers.number[own], shippers.quo[own], shippers.taste[own], shippers.least[own])
        one = client(cargo, rates, i)
        if not cargo.part[i]:
            _full_load(onward, sites, first, one, who, found)
            continue
        gather(onward, rates, first, one, work.by_road, work.by_rail)
        for s in range(len(who.number)):
            work.alone[s, :] = who.quo[s]
        _through_one(onward, sites, one, who, work, found)
        _filled_at_the_train(onward, sites, one, who, work, found)
        _shed_then_train(onward, sites, one, who, work, found)
        _store_then_train(onward, sites, one, who, work, found)

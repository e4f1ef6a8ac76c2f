"""Costs of legs for one client, compiled by numba: what searches over lanes share.

Comparisons with NaN, where there is no way, are false.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from geodata.compilation import compiled
from siting.model.lanes import RAIL


class One(NamedTuple):
    """A client: see `Cargo`; what a box km costs it besides freight, by road and before rail; what filling a box and
    the two ends of a train do.
    """

    row: int
    origin: int
    hour: float
    reefer: float
    weak: float
    cold_room: float
    road_km: float
    dray_km: float
    fill: float
    rarity: float
    train: float


@compiled
def client(cargo: Any, rates: Any, i: int) -> Any:
    """The i-th client of a cargo."""
    hour = cargo.hour[i]
    return One(
        cargo.row[i],
        cargo.origin[i],
        hour,
        cargo.reefer[i],
        cargo.weak[i],
        cargo.cold_room[i],
        rates.box_carbon_inr_per_km + rates.road_h_per_km * hour,
        rates.box_carbon_inr_per_km + rates.dray_h_per_km * hour,
        rates.fill_h * hour,
        cargo.rarity[i],
        rates.train_inr + rates.train_h * hour,
    )


@compiled
def gather(onward: Any, rates: Any, first: Any, one: Any, by_road: Any, by_rail: Any) -> None:
    """Fill in what it costs to bring a part load to each place that is asked about, and stuff it there."""
    for p in first.ends:
        km = first.km[one.row, p]
        stuffing = onward.stuffing[p] + (one.cold_room if onward.cold[p] else 0.0)
        cost = first.part_inr[one.row, p] * one.reefer * one.weak + first.part_carbon[one.row, p] + stuffing
        by_road[p] = cost + km * (rates.road_h_per_km * one.hour)
        by_rail[p] = cost + km * (rates.dray_h_per_km * one.hour)


@compiled
def freight_factor(one: Any, place: int) -> float:
    """What the client's box costs from a place, over dry cargo: weak roads are those of its own district."""
    factor: float = one.reefer * (one.weak if place == one.origin else 1.0)
    return factor


@compiled
def box(ends: Any, i: int, j: int, factor: float, per_km: float) -> float:
    """Cost of a box by road from the i-th start to the j-th end."""
    cost: float = ends.inr[i, j] * factor + ends.km[i, j] * per_km
    return cost


@compiled
def at_train(onward: Any, one: Any, place: int) -> float:
    """What a terminal costs, wherever the train goes: both ends of it, and that it leaves rarely."""
    cost: float = one.train + one.rarity * onward.halvings[place]
    return cost


@compiled
def rail(onward: Any, one: Any, place: int, g: int) -> float:
    """Cost of a box from a place by rail to a gateway, with handling, dwell and how rare trains are."""
    ride = onward.rail_inr[place, g] * one.reefer + onward.rail_carbon[place, g]
    cost: float = ride + one.hour * (onward.rail_h[place, g] + onward.dwell_h[g]) + at_train(onward, one, place)
    return cost


@compiled
def best_rail(onward: Any, one: Any, place: int, taste: Any) -> tuple[float, int]:
    """The cost by rail to the gateway liked best, and its position."""
    best, at = np.inf, 0
    for g in range(len(onward.gateways)):
        cost = rail(onward, one, place, g) + taste[g, RAIL]
        if cost < best:
            best, at = cost, g
    return best, at

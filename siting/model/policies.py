"""What a study asks of places by name besides sites: leaders, exports grown, roads upgraded, freight refunded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.cache import cached_matrix, network_checksum
from geodata.corridors import corridor_edges
from geodata.errors import Fault
from geodata.hints import hint
from geodata.matrix import many_to_many
from geodata.pack import Pack
from siting.model.costs import Array
from siting.study import Study


def policy_faults(study: Study, pack: Pack) -> list[Fault]:
    """List names of states, districts and corridors in a study that its pack does not know."""
    if not (study.leaders or study.export_growth or study.upgraded_roads or study.refund_states):
        return []
    states, districts = set(pack.districts["state"]), set(pack.districts["district_id"])
    corridors = set() if pack.corridors is None else set(pack.corridors["corridor_id"])
    known: dict[str, tuple[Iterable[str], set[str]]] = {
        "leaders": (study.leaders, districts),
        "export_growth": (study.export_growth, states | districts),
        "upgraded_roads": (study.upgraded_roads, states | corridors),
        "refund_states": (study.refund_states, states),
    }
    return [
        Fault(f"{key} names unknown '{name}'", hint(name, sorted(names)), study.name, column=key, value=name)
        for key, (asked, names) in known.items()
        for name in asked
        if name not in names
    ]


def growth_of(districts: pd.DataFrame, growth: Mapping[str, float]) -> Array:
    """(n_districts,) what exports are multiplied with where they grow by some fraction:

        Q' = (1 + g) Q                                                                                          (55)

    with g that of the district, else that of its state, else 0. Who is a leader stays as today.

    Args:
        districts: columns ``district_id``, ``state``.
        growth: fraction by ``district_id`` or state.
    """
    of_state = districts["state"].map(growth).fillna(0.0)
    return np.asarray(1.0 + districts["district_id"].map(growth).fillna(of_state), np.float64)


def upgraded_edges(pack: Pack, names: Sequence[str]) -> NDArray[np.bool_]:
    """(n_edges,) whether a road is upgraded: it runs along a corridor that is named, or its middle lies in a state."""
    road = pack.road
    upgraded = np.zeros(road.n_edges, dtype=bool)
    if pack.corridors is not None:
        for name, towns in pack.corridors.groupby("corridor_id"):
            if name in names:
                upgraded[corridor_edges(road, towns["lon"], towns["lat"])] = True
    states = pack.states[pack.states["state"].isin(names)]
    if len(states):
        ends = (road.edge_from, road.edge_to)
        lon, lat = (sum(at[end] for end in ends) / 2 for at in (road.node_lon, road.node_lat))
        within, _ = states.sindex.query(gpd.points_from_xy(lon, lat), predicate="intersects")
        upgraded[within] = True
    return upgraded


def upgraded_km(pack: Pack, names: Sequence[str]) -> float:
    """Length of the roads that are upgraded."""
    return float(pack.road.edge_km[upgraded_edges(pack, names)].sum())


def spared_km(pack: Pack, node: NDArray[np.int64], names: Sequence[str], cut: float) -> Array:
    """(n, n) km of ordinary road that a lorry is spared between nodes, by the way that then costs it least:

        d' = d - (D(km) - D(km (1 - c z)))                                                                      (56)

    with D the shortest ways over the network, c the cut, z 1 on upgraded roads and 0 on others. A km of upgraded road
    counts as 1 - c km of ordinary road, in freight, hours and CO2e alike, and lorries take it where that pays.
    """
    road = pack.road
    weight = road.edge_km * (1.0 - cut * upgraded_edges(pack, names))
    nodes, position = np.unique(node, return_inverse=True)
    ways = [
        cached_matrix(lambda w=w: many_to_many(road, nodes, nodes, w), network_checksum(road), nodes, w)  # type: ignore[misc]
        for w in (road.edge_km, weight)
    ]
    spared: Array = (ways[0] - ways[1])[position][:, position]
    return np.nan_to_num(np.maximum(spared, 0.0))

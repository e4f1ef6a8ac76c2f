"""Which single investment would connect a district adequately, and what it costs; the cheapest first.

Each measure is priced for the reference tonne alone, everything else as it is; what it costs and brings where the
parameter table is silent stands in ``measures.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.districts.connectivity import Connectivity, cost_by_gateway, index_of
from siting.districts.ground import Ground
from siting.model.lanes import NONE, RAIL, ROAD, LanePricer, Lanes
from siting.model.options import build_options
from siting.parameters import Parameters, load_parameters
from siting.study import FACILITY_TYPES

Array = NDArray[np.float64]
Index = NDArray[np.int64]

WITHOUT_RAIL = ("warehouse", "cold_store")
NEAREST_TERMINALS = 3


@dataclass(frozen=True)
class Measure:
    """One investment that a district's connection may gain from.

    Args:
        key: ``warehouse``, ``terminal``, ``port``, ``customs``, ``corridor``.
        inr_crore: (n_districts,) its capital; NaN where it cannot be.
        inr_per_t: (n_districts,) cost of the reference tonne with it; inf where it cannot be.
        shared: whether other districts gain from the same money.
    """

    key: str
    inr_crore: Array
    inr_per_t: Array
    shared: bool


@cache
def measure_rates() -> Parameters:
    """What measures bring and cost, with ranges and sources."""
    return load_parameters(Path(str(files("siting.districts") / "measures.csv")))


def all_measures(ground: Ground, found: Connectivity) -> list[Measure]:
    """Price every measure for every district."""
    pricer, costs = ground.reference_pricer, ground.reference_costs
    today = cost_by_gateway(costs, found.part_share)
    n, rates = ground.n_districts, measure_rates()
    full, part = costs.by_mode()[:n], costs.by_mode()[n:]
    hour, dwell_h = ground.reference.hour_inr_per_t, pricer.conditions.gateway_dwell_h
    capital = _capital(ground)

    # A warehouse packs part loads in the district; a terminal does so too and puts boxes on the train.
    packed = np.stack([_packed_here(pricer), _packed_and_railed(pricer)], axis=2)
    warehouse = _of_loads(full, np.minimum(part, packed), found.part_share)
    railed_full, railed_part = _railed_here(pricer)
    full_rail = np.minimum(full[:, :, RAIL], railed_full)
    part_both = np.stack([packed[:, :, ROAD], railed_part], axis=2)
    terminal = _of_loads(
        np.stack([full[:, :, ROAD], full_rail], axis=2), np.minimum(part, part_both), found.part_share
    )  # fmt: skip
    table, reached = found.table, np.isfinite(today).any(axis=(1, 2))
    faster = 1.0 - 1.0 / (1.0 + rates["corridor_speed_up"])
    corridor = (
        table["road_inr_per_t"]
        - rates["corridor_freight_cut"] * table["road_freight_inr_per_t"]
        - hour * faster * table["road_moving_hours"]
    ).fillna(np.inf)
    port, customs = (
        (today - hour * np.minimum(rates[key], dwell_h)[None, :, None]).min(axis=(1, 2))
        for key in ("port_dwell_saved_h", "customs_saved_h")
    )
    road_km = table["road_km"].to_numpy()
    best = today.min(axis=(1, 2))
    return [
        Measure("warehouse", capital["warehouse"], np.minimum(warehouse, best), False),
        Measure("terminal", capital["terminal"], np.minimum(terminal, best), False),
        Measure("port", np.where(reached, rates["port_dwell_inr_crore"], np.nan), port, True),
        Measure("customs", np.where(reached, rates["customs_inr_crore"], np.nan), customs, True),
        Measure("corridor", road_km * rates["corridor_inr_crore_per_km"],
                np.minimum(corridor.to_numpy(), best), True),
    ]  # fmt: skip


def lifts(found: Connectivity, measures: list[Measure]) -> pd.DataFrame:
    """For each district below the threshold the cheapest measure that lifts it over, or the one that comes nearest.

    Returns:
        Indexed by district_id: ``measure``, ``inr_crore``, ``index`` with it, ``lifts`` (whether over the threshold),
        ``shared``; cheapest first, those that no single measure lifts last. Districts without any way are left out.
    """
    below = ~found.table["adequate"].to_numpy() & np.isfinite(found.table["inr_per_t"].to_numpy())
    index = np.stack([
        np.where(np.isnan(m.inr_crore), 0.0, index_of(m.inr_per_t, found.reference_inr_per_t)) for m in measures
    ])  # fmt: skip
    crore = np.stack([np.where(np.isnan(m.inr_crore), np.inf, m.inr_crore) for m in measures])
    lifted = index >= 100.0
    cheapest = np.where(lifted, crore, np.inf).argmin(axis=0)
    which = np.where(lifted.any(axis=0), cheapest, index.argmax(axis=0))
    column = np.arange(len(which))
    table: pd.DataFrame = pd.DataFrame({
        "measure": np.array([m.key for m in measures], object)[which],
        "inr_crore": crore[which, column],
        "index": index[which, column],
        "lifts": lifted.any(axis=0),
        "shared": np.array([m.shared for m in measures])[which],
    }, index=found.table.index)  # fmt: skip
    shown: pd.DataFrame = table[below]
    return shown.sort_values(["lifts", "inr_crore"], ascending=[False, True], kind="stable")


def _of_loads(full: Array, part: Array, part_share: float) -> Array:
    """(n,) cost of the reference tonne to its best gateway by its best mode, by (63)."""
    both = (1.0 - part_share) * full + part_share * part if part_share > 0 else full
    return np.asarray(both.min(axis=(1, 2)))


def _capital(ground: Ground) -> dict[str, Array]:
    """(n_districts,) all capital of the cheapest warehouse and of the cheapest rail terminal; NaN where none can be."""
    options = build_options(ground.places, ground.parameters, FACILITY_TYPES, ground.pack.planned_sites)
    railed = ~options["facility_type"].isin(WITHOUT_RAIL)
    kinds = {"warehouse": options["facility_type"] == "warehouse", "terminal": railed}
    return {
        key: options[rows].groupby("place")["project_cost_inr_crore"].min().reindex(ground.places.districts).to_numpy()
        for key, rows in kinds.items()
    }


def _cheapest(pricer: LanePricer, client: Index, hub: Index, terminal: Index) -> Array:
    """(n_districts, n_gateways) price of lanes by their rows to every gateway; inf where there is no way."""
    gateways = pricer.places.gateways
    m = len(gateways)
    lanes = Lanes(
        np.repeat(client, m), np.repeat(hub, m), np.repeat(terminal, m), np.tile(gateways, len(client)),
        np.zeros(len(client) * m),
    )  # fmt: skip
    price = pricer.price(lanes)
    return np.where(np.isnan(price), np.inf, price).reshape(-1, m)


def _halves(pricer: LanePricer) -> tuple[Index, Index]:
    """Clients of full and of part loads, in order of district."""
    rows = np.arange(len(pricer.clients))
    return rows[: len(rows) // 2], rows[len(rows) // 2 :]


def _packed_here(pricer: LanePricer) -> Array:
    """(n, n_gateways) part loads packed in the district, on by road."""
    part = _halves(pricer)[1]
    return _cheapest(pricer, part, pricer.origin[part], np.full(len(part), NONE))


def _packed_and_railed(pricer: LanePricer) -> Array:
    """(n, n_gateways) part loads packed in the district, on by rail from one of the nearest terminals."""
    places, part = pricer.places, _halves(pricer)[1]
    terminals = places.depots[np.isfinite(places.rail_km[places.depots]).any(axis=1)]
    best = np.full((len(part), len(places.gateways)), np.inf)
    if len(terminals):
        km = places.road_km[pricer.origin[part]][:, terminals]
        order = np.argsort(np.where(np.isnan(km), np.inf, km), axis=1, kind="stable")[:, :NEAREST_TERMINALS]
        for rank in range(order.shape[1]):
            by_rail = _cheapest(pricer, part, pricer.origin[part], terminals[order[:, rank]])
            best = np.minimum(best, by_rail)
    return best


def _railed_here(pricer: LanePricer) -> tuple[Array, Array]:
    """(n, n_gateways) full boxes, and part loads packed at a terminal in the district, by rail from there."""
    full, part = _halves(pricer)
    origin = pricer.origin[full]
    return _cheapest(pricer, full, np.full(len(full), NONE), origin), _cheapest(pricer, part, origin, origin)

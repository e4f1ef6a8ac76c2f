"""How well each district is connected to the ports, and which single investment would lift it.

The reference tonne, the same from everywhere, costs district d by its best gateway

    c_d = min_g min_m  (1 - q) c_full(d, g, m) + q c_part(d, g, m)                                        (63)

in money, time and carbon by mode m (road or rail), with q the national share of part loads. The index compares it with
a place `ADEQUATE_KM` by road from a port of median dwell, whose part loads are packed at the port:

    I_d = 100 c_ref / c_d;   adequately connected where I_d >= 100                                        (64)

A district that no road links to a gateway has the index 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.districts.ground import Ground
from siting.model.gateway_costs import GatewayCosts
from siting.model.lanes import AT_DEPOT, AT_PORT, BY_RAIL, LOADS, NONE, RAIL, ROAD, LanePricer, Lanes

Array = NDArray[np.float64]
Index = NDArray[np.int64]

ADEQUATE_KM = 500.0
"""A design choice, over a day's drive; `steps` says what others would give."""
STEPS_KM = (200.0, 300.0, 500.0, 800.0, 1000.0)
MODES = {"road": ROAD, "rail": RAIL}
SUMMED = {"inr_per_t": "cost_inr_per_t", "hours": "hours", "km": "km", "co2e_kg_per_t": "co2e_kg_per_t"}
"""What is summed over the parts of a way, and their column."""


@dataclass(frozen=True)
class Connectivity:
    """How districts are connected.

    Args:
        table: in the order of the pack, indexed by district_id: ``state``, ``district``; for ``road`` and ``rail``
            ``<mode>_inr_per_t``, ``<mode>_hours``, ``<mode>_km``, ``<mode>_co2e_kg_per_t``, ``<mode>_gateway`` (its
            name) of the reference tonne to its best gateway (NaN and "" where there is none), and of the way by road
            ``road_freight_inr_per_t`` and ``road_moving_hours``; ``inr_per_t`` and
            ``mode`` of the better one; ``used_inr_per_t``, ``used_hours``, ``used_km``, ``used_co2e_kg_per_t`` over the
            gateways that its state's customs records show, by value, each by its cheaper mode (NaN where none do);
            ``terminal_km``, ``depot_km``, ``customs_km`` by road to the nearest rail terminal, inland depot, and place
            where customs clear; ``index``, ``adequate``.
        reference_inr_per_t: c_ref of (64).
        adequate_km: that of the reference.
        part_share: q of (63).
    """

    table: pd.DataFrame
    reference_inr_per_t: float
    adequate_km: float
    part_share: float

    @property
    def share_below(self) -> float:
        """Share of districts that are not adequately connected."""
        return float((~self.table["adequate"]).mean())


def measure_connectivity(ground: Ground, adequate_km: float = ADEQUATE_KM) -> Connectivity:
    """Price the reference tonne from every district and compare it with the adequate place."""
    pricer, costs = ground.reference_pricer, ground.reference_costs
    places, n = ground.places, ground.n_districts
    by_gateway = cost_by_gateway(costs, ground.reference.part_share)
    table = ground.demand[["district_id", "state", "district"]].copy()
    for name, mode in MODES.items():
        table = table.join(_best(by_gateway[:, :, mode], pricer, costs, name, ground))
    road, rail = (table[f"{name}_inr_per_t"].fillna(np.inf).to_numpy() for name in MODES)
    best = np.minimum(road, rail)
    table["inr_per_t"] = np.where(np.isfinite(best), best, np.nan)
    table["mode"] = np.where(np.isfinite(best), np.where(rail < road, "rail", "road"), "")
    table = table.join(_over_used_gateways(ground, costs, by_gateway))
    with_rail = places.depots[np.isfinite(places.rail_km[places.depots]).any(axis=1)]
    at_customs = np.concatenate([places.depots, places.gateways])
    for name, ends in (("terminal", with_rail), ("depot", places.depots), ("customs", at_customs)):
        table[f"{name}_km"] = _nearest_km(places.road_km[:n], ends)
    land = table["district_id"].isin(ground.pack.land_customs["district_id"])
    table["customs_km"] = table["customs_km"].mask(land, 0.0)
    reference = reference_cost(ground, adequate_km)
    table["index"] = index_of(table["inr_per_t"].to_numpy(), reference)
    table["adequate"] = table["index"] >= 100.0
    return Connectivity(table.set_index("district_id"), reference, adequate_km, ground.reference.part_share)


def cost_by_gateway(costs: GatewayCosts, part_share: float) -> Array:
    """(n_districts, n_gateways, 2) cost of the reference tonne by mode; inf where there is no way."""
    by_mode = costs.by_mode()
    full, part = by_mode[: len(by_mode) // 2], by_mode[len(by_mode) // 2 :]
    return (1.0 - part_share) * full + part_share * part if part_share > 0 else full


def index_of(inr_per_t: Array, reference_inr_per_t: float) -> Array:
    """The index by (64); 0 where there is no way to a gateway."""
    reached = np.isfinite(inr_per_t)
    return np.where(reached, 100.0 * reference_inr_per_t / np.where(reached, inr_per_t, 1.0), 0.0)


def reference_cost(ground: Ground, adequate_km: float) -> float:
    """Cost of the reference tonne by road from a place ``adequate_km`` from a port of median dwell, INR/t."""
    tariff, hour, share = ground.tariff, ground.reference.hour_inr_per_t, ground.reference.part_share
    pricer = ground.reference_pricer
    dwell_h = float(np.median(pricer.conditions.gateway_dwell_h))
    km = np.array([adequate_km])
    way_h = adequate_km * tariff.road_h_per_km * (1.0 + pricer.conditions.road_only_delay)
    full = tariff.full_load_inr_per_t(km) + tariff.full_load_kg_per_t(km) * tariff.carbon_inr_per_kg
    part = tariff.part_load_inr_per_t(km) + tariff.part_load_kg_per_t(km) * tariff.carbon_inr_per_kg
    stuffing = tariff.stuffing_inr_per_t * (1.0 + pricer.conditions.shortage_markup)
    part = part + stuffing + hour * tariff.consolidation_dwell_h
    return float(((1.0 - share) * full + share * part + hour * (way_h + dwell_h))[0])


def steps(found: Connectivity, ground: Ground, distances: tuple[float, ...] = STEPS_KM) -> dict[float, float]:
    """Share of districts below the index of 100 if the adequate place stood at other distances."""
    cost = found.table["inr_per_t"].to_numpy()
    return {km: float((index_of(cost, reference_cost(ground, km)) < 100.0).mean()) for km in distances}


def distance_for_share(found: Connectivity, ground: Ground, share: float) -> float:
    """The distance of the adequate place at which this share of districts is below; the reference is linear in it."""
    cost = np.sort(found.table["inr_per_t"].fillna(np.inf).to_numpy())
    cut = cost[min(int((1.0 - share) * len(cost)), len(cost) - 1)]
    if not np.isfinite(cut):
        return np.inf
    a, b = (reference_cost(ground, km) for km in (1000.0, 2000.0))
    return float(max(1000.0 + 1000.0 * (cut - a) / (b - a), 0.0))


def _best(cost: Array, pricer: LanePricer, costs: GatewayCosts, name: str, ground: Ground) -> pd.DataFrame:
    """Cost, hours, km, CO2e and gateway of the reference tonne by one mode, (n_districts,) each."""
    n, reached = len(cost), np.asarray(np.isfinite(cost).any(axis=1))
    column = cost.argmin(axis=1)
    lanes = Lanes.joined([_lanes_to(costs, pricer, load, column, name, reached) for load in range(len(LOADS))])
    parts = pricer.parts(lanes)
    share = pricer.clients["tonnes_per_year"].to_numpy()[lanes.client][parts["lane"]]
    district = pricer.clients["district"].to_numpy()[lanes.client][parts["lane"]]
    table = pd.DataFrame({
        f"{name}_{key}": np.where(reached, np.bincount(district, parts[values].to_numpy() * share, minlength=n), np.nan)
        for key, values in SUMMED.items()
    })  # fmt: skip
    if name == "road":
        moving = (parts["mode"] == "road").to_numpy() * share
        for key, values in (("freight_inr_per_t", parts["freight_inr_per_t"]), ("moving_hours", parts["hours"])):
            table[f"road_{key}"] = np.bincount(district, values.to_numpy() * moving, minlength=n)
    names = ground.places.table["name"].to_numpy()[ground.places.gateways]
    table[f"{name}_gateway"] = np.where(reached, names[column], "")
    return table


def _lanes_to(
    costs: GatewayCosts, pricer: LanePricer, load: int, column: Index, name: str, reached: NDArray[np.bool_]
) -> Lanes:
    """The cheapest lanes of one load of every district that reaches its gateway ``column`` by this mode."""
    n = len(column)
    row = np.arange(n)[reached] + load * n
    gateway = column[reached]
    by_road = np.where(costs.by_depot()[row, gateway], AT_DEPOT, AT_PORT)
    way = np.full(len(row), BY_RAIL) if name == "rail" else by_road
    terminal = np.where(way == BY_RAIL, costs.terminal[row, gateway], NONE)
    cost = costs.inr_per_t[row, gateway, way]
    return Lanes(row, costs.hub[row, gateway, way], terminal, pricer.places.gateways[gateway], cost)


def _over_used_gateways(ground: Ground, costs: GatewayCosts, by_gateway: Array) -> pd.DataFrame:
    """Mean cost, hours, km and CO2e over gateways by the value that the district's state ships there by sea.

    NaN without records, and where a gateway that is used cannot be reached.
    """
    weight, n = _used_gateways(ground), len(by_gateway)
    reached = np.isfinite(by_gateway).any(axis=2)
    known = (weight.sum(axis=1) > 0) & ~((weight > 0) & ~reached).any(axis=1)
    if not known.any():
        return pd.DataFrame(np.nan, index=range(n), columns=[f"used_{name}" for name in SUMMED])
    weight[~known] = 0.0
    pricer, best = ground.reference_pricer, by_gateway.argmin(axis=2)
    lanes = Lanes.joined([
        _lanes_to(costs, pricer, load, np.full(n, k), name, (weight[:, k] > 0) & (best[:, k] == mode))
        for k in np.flatnonzero(weight.any(axis=0)) for name, mode in MODES.items() for load in range(len(LOADS))
    ])  # fmt: skip
    parts = pricer.parts(lanes)
    client, lane = lanes.client, parts["lane"].to_numpy()
    district = pricer.clients["district"].to_numpy()[client]
    column = np.searchsorted(ground.places.gateways, lanes.gateway)
    share = pricer.clients["tonnes_per_year"].to_numpy()[client] * weight[district, column]
    return pd.DataFrame({
        f"used_{name}": np.where(
            known, np.bincount(district[lane], parts[values].to_numpy() * share[lane], minlength=n), np.nan
        )
        for name, values in SUMMED.items()
    })  # fmt: skip


def _used_gateways(ground: Ground) -> Array:
    """(n_districts, n_gateways) share of each gateway in what the district's state ships by sea; 0 without records."""
    ids = ground.places.table["place_id"].to_numpy()[ground.places.gateways]
    flows = ground.pack.observed_flows
    if flows is None:
        return np.zeros((ground.n_districts, len(ids)))
    by_sea = flows[(flows["leaves_by"] == "sea") & flows["gateway_id"].isin(ids)]
    used = by_sea.pivot_table("usd_million", "state", "gateway_id", aggfunc="sum", fill_value=0.0)
    weight = used.reindex(index=ground.demand["state"], columns=ids).fillna(0.0).to_numpy(np.float64)
    total = weight.sum(axis=1, keepdims=True)
    share: Array = weight / np.where(total > 0, total, 1.0)
    return share


def _nearest_km(road_km: Array, ends: Index) -> Array:
    """(n,) km to the nearest of some places; NaN where none is reached."""
    km = np.where(np.isnan(road_km[:, ends]), np.inf, road_km[:, ends]).min(axis=1, initial=np.inf)
    return np.where(np.isfinite(km), km, np.nan)

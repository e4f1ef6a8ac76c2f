"""Clients: whose cargo moves, how much of it in full and in part loads, and what an hour costs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.errors import Fault
from geodata.exports import HUB_CLASSES, tonnes_by_class, under_utilised
from geodata.facts import district_facts
from geodata.pack import Pack
from siting.model.costs import Array, export_credit_per_day, part_load_share, value_of_time_inr_per_t_h
from siting.model.lanes import LOADS
from siting.model.places import Places
from siting.model.policies import growth_of
from siting.model.potential import FLOOR_USD, benchmark_usd
from siting.study import Study

WORLD_OUTPUT_USD = 1.1e14  # gross product of the world in 2024, World Bank
MOST_ASIDE = 0.95
"""Share of a district's exports that leaves by land, or from its makers' own works, at the most."""


def district_demand(pack: Pack, study: Study, places: Places, parameters: Mapping[str, float]) -> pd.DataFrame:
    """Exports and tonnes of every district.

    What leaves by land (`land_share`) needs no port and is not counted, nor is what makers clear at their own works
    (`own_works_share`): they have customs and sidings of their own, and no depot serves them.

    Returns:
        One row per district in the order of the pack: ``district_id``, ``state``, ``district``, ``lgd_code``,
        ``counted_with`` (the district that its exports are counted with where it is younger than the export table,
        else ""), ``export_usd`` (current, all cargo), ``under_utilised`` (that of the district it is counted with),
        and for each cargo class that hubs serve ``<class>_t`` and ``<class>_usd`` a year, on the study's tonnage
        basis, and the propensity of its sectors to part loads, weighted by tonnes and by value:
        ``<class>_part_of_t`` and ``<class>_part_of_usd``, 0 to 1; and the share of the value that travels frozen, of
        all and of part loads: ``<class>_frozen_of_usd`` and ``<class>_frozen_of_part``.
    """
    districts = pack.districts
    by_class = tonnes_by_class(pack.exports, pack.sectors).reindex(districts["district_id"]).fillna(0.0)
    demand: pd.DataFrame = districts[["district_id", "state", "district", "lgd_code"]].reset_index(drop=True)
    counted_with = pack.exports.set_index("district_id")["counted_with"]
    demand["counted_with"] = counted_with.reindex(demand["district_id"]).fillna("").to_numpy()
    usd_columns = [column for column in map(str, by_class) if column.startswith("value_usd_")]
    demand["export_usd"] = by_class[usd_columns].sum(axis=1).to_numpy()
    station = demand["district_id"].isin(pack.land_customs["district_id"]).to_numpy()
    if pack.observed_flows is None:
        by_land = parameters["land_border_share"] * station
    else:
        by_land = land_share(demand["export_usd"], demand["state"], station, pack.observed_flows)
        by_land = np.minimum(by_land + own_works_share(demand, pack.observed_flows), MOST_ASIDE)
    by_sea = 1.0 - by_land
    stands_for = demand["counted_with"].where(demand["counted_with"] != "", demand["district_id"])
    if study.leaders:
        demand["under_utilised"] = ~stands_for.isin(study.leaders)
    else:
        under = under_utilised(demand["export_usd"], study.leader_share)
        demand["under_utilised"] = under.set_axis(demand["district_id"]).reindex(stands_for).to_numpy()
    if study.tonnage_basis == "potential":
        by_class = _lifted(by_class, demand, pack, places, study.potential_percentile)
    for cargo_class in HUB_CLASSES:
        demand[f"{cargo_class}_t"] = by_class[cargo_class].to_numpy() * by_sea
        demand[f"{cargo_class}_usd"] = by_class[f"value_usd_{cargo_class}"].to_numpy() * by_sea
        for unit, whole in (("t", by_class[cargo_class]), ("usd", by_class[f"value_usd_{cargo_class}"])):
            inclined = by_class[f"part_{unit}_{cargo_class}"]
            mean = inclined.sum() / whole.sum() if whole.sum() > 0 else 0.0
            demand[f"{cargo_class}_part_of_{unit}"] = (inclined / whole).where(whole > 0, mean).to_numpy()
        for of, prefix, all_of in (("usd", "", "value_usd"), ("part", "part_", "part_usd")):
            value = by_class[f"{all_of}_{cargo_class}"]
            frozen = by_class[f"frozen_{prefix}usd_{cargo_class}"] / value.where(value > 0)
            demand[f"{cargo_class}_frozen_of_{of}"] = frozen.fillna(0.0).to_numpy()
    if study.export_growth:
        grown = ["export_usd", *(f"{cargo_class}_{unit}" for cargo_class in HUB_CLASSES for unit in ("t", "usd"))]
        demand[grown] = demand[grown].mul(growth_of(demand, study.export_growth), axis=0)
    return demand


DEMAND_FIELDS = ("leaders", "leader_share", "tonnage_basis", "potential_percentile", "export_growth")
"""Fields of a study that `district_demand` looks at."""


def same_demand(one: Study, other: Study, pack: Pack) -> bool:
    """Whether two studies of a pack have the same demand, as far as can be told without measuring distances."""
    by_land = pack.observed_flows is not None or (
        one.parameter_values()["land_border_share"] == other.parameter_values()["land_border_share"]
    )
    alike = all(getattr(one, field) == getattr(other, field) for field in DEMAND_FIELDS)
    return by_land and alike and one.tonnage_basis != "potential"


def _lifted(
    by_class: pd.DataFrame, demand: pd.DataFrame, pack: Pack, places: Places, percentile: float
) -> pd.DataFrame:
    """Exports by class with those of under-utilised districts raised to the benchmark where they are below it.

    A district keeps what it exports, only more of it; one that exports hardly anything takes the area's mix. A district
    that is counted with another stays without cargo of its own.
    """
    usd = demand.set_index("district_id")["export_usd"]
    benchmark = benchmark_usd(district_facts(pack), places, percentile).reindex(by_class.index)
    below = demand["under_utilised"].to_numpy() & (benchmark > usd).to_numpy()
    per_usd = by_class.div(usd.clip(lower=FLOOR_USD), axis=0)
    per_usd.loc[(usd < FLOOR_USD).to_numpy()] = (by_class.sum() / max(float(usd.sum()), 1.0)).to_numpy()
    lifted = by_class.copy()
    lifted.loc[below] = per_usd.mul(benchmark, axis=0).loc[below]
    return lifted


def cargo_faults(demand: pd.DataFrame, file: Path) -> list[Fault]:
    """What makes the exports of an area impossible as a whole; ``file`` is where they were read from."""
    tonnes = demand[[f"{cargo_class}_t" for cargo_class in HUB_CLASSES]].to_numpy()
    usd = demand["export_usd"].to_numpy().sum()
    if not usd <= WORLD_OUTPUT_USD:
        return [Fault(f"the exports add up to {usd:.3g} USD a year, more than the world makes", "give millions", file)]
    if not (tonnes > 0).any():
        return [Fault("no district exports anything that hubs serve", "fill the columns of the sectors", file)]
    return []


def land_share(
    export_usd: pd.Series, state: pd.Series, station: NDArray[np.bool_], observed: pd.DataFrame
) -> NDArray[np.float64]:
    """(n_districts,) share of each district's exports that leaves by land.

    The observed share of each state, of the larger of its observed and its present exports (records of some states
    lack rows), is laid on its districts with a land customs station, up to `MOST_ASIDE`, and what is left on its
    others alike.

    Args:
        observed: as from ``load_observed_flows``.
    """
    usd = export_usd.to_numpy(np.float64)
    total = (observed.groupby("state")["usd_million"].sum() * 1e6).to_dict()
    land = observed[observed["leaves_by"] == "land"].groupby("state")["usd_million"].sum() * 1e6
    share = np.zeros(len(usd))
    for name, by_land in land.to_dict().items():
        here = (state == name).to_numpy()
        exports = usd[here].sum()
        if exports <= 0:
            continue
        leaving = by_land / max(total[name], exports) * exports
        border, inland = here & station, here & ~station
        share[border] = min(MOST_ASIDE, leaving / usd[border].sum()) if usd[border].sum() > 0 else 0.0
        left = leaving - (share[border] * usd[border]).sum()
        if left > 0 and usd[inland].sum() > 0:
            share[inland] = min(MOST_ASIDE, left / usd[inland].sum())
    return share


def own_works_share(demand: pd.DataFrame, observed: pd.DataFrame) -> NDArray[np.float64]:
    """(n_districts,) share of each district's exports that customs clear at the works of their maker.

    Args:
        observed: as from ``load_observed_flows``.
    """
    usd = observed[observed["district_id"] != ""].groupby("district_id")["usd_million"].sum() * 1e6
    cleared = usd.reindex(demand["district_id"]).fillna(0.0).to_numpy()
    exports = demand["export_usd"].to_numpy(np.float64)
    share: NDArray[np.float64] = np.divide(cleared, exports, out=np.zeros_like(exports), where=exports > 0)
    np.minimum(share, MOST_ASIDE, out=share)
    return share


def build_clients(
    demand: pd.DataFrame, places: Places, parameters: Mapping[str, float], leader_weight: float
) -> pd.DataFrame:
    """Split every district's cargo into clients.

    Returns:
        One row per (district, cargo class, load) with tonnes: ``number`` (of all that there could be, the same
        whatever is exported), ``district`` (row of ``demand``), ``place``,
        ``cargo_class``, ``load``, ``tonnes_per_year``, ``value_inr_per_t``, ``time_inr_per_t_h`` (to the exporter) and
        ``credit_inr_per_t_h`` (what the exchequer pays of an hour), ``first_mile_factor``, ``under_utilised``,
        ``weight`` in the objective.
    """
    n, shape = len(demand), (len(demand), len(HUB_CLASSES), len(LOADS))
    far = places.table["rail_line_km"].to_numpy()[:n] > parameters["weak_access_rail_km"]
    tonnes = demand[[f"{cargo_class}_t" for cargo_class in HUB_CLASSES]].to_numpy(np.float64)
    value_inr = demand[[f"{cargo_class}_usd" for cargo_class in HUB_CLASSES]].to_numpy() * parameters["fx_inr_per_usd"]
    by_volume = part_load_share(tonnes, parameters)
    part_t, part_inr = (
        whole * by_volume * _propensity(demand, unit, parameters["part_loads_by_sector"])
        for unit, whole in (("t", tonnes), ("usd", value_inr))
    )
    load_t = np.stack([tonnes - part_t, part_t], axis=2)  # as LOADS
    load_inr = np.stack([value_inr - part_inr, part_inr], axis=2)
    value_inr_per_t = np.divide(load_inr, load_t, out=np.zeros_like(load_t), where=load_t > 0)
    fraction_per_day = _time_cost_per_day(demand, load_inr, parameters)
    credit_per_day = np.minimum(export_credit_per_day(parameters), fraction_per_day)
    hourly = value_of_time_inr_per_t_h
    district, cargo_class, load = np.indices(shape).reshape(3, -1)
    under_utilised = demand["under_utilised"].to_numpy()[district]
    clients = pd.DataFrame({
        "number": np.arange(district.size),
        "district": district,
        "place": places.districts[district],
        "cargo_class": np.array(HUB_CLASSES, object)[cargo_class],
        "load": np.array(LOADS, object)[load],
        "tonnes_per_year": load_t.ravel(),
        "value_inr_per_t": value_inr_per_t.ravel(),
        "time_inr_per_t_h": hourly(value_inr_per_t, fraction_per_day - credit_per_day).ravel(),
        "credit_inr_per_t_h": hourly(value_inr_per_t, credit_per_day).ravel(),
        "first_mile_factor": 1.0 + parameters["weak_access_markup"] * far[district],
        "under_utilised": under_utilised,
        "weight": np.where(under_utilised, 1.0, leader_weight),
    })  # fmt: skip
    return clients[clients["tonnes_per_year"] > 0].reset_index(drop=True)


def _time_cost_per_day(demand: pd.DataFrame, load_inr: Array, parameters: Mapping[str, float]) -> Array:
    """(n_districts, n_classes, n_loads) what a day costs of a load's value: its class's rate, or what is frozen's.

    Args:
        load_inr: (n_districts, n_classes, n_loads) value.
    """
    of_all, of_part = (
        demand[[f"{cargo_class}_frozen_of_{of}" for cargo_class in HUB_CLASSES]].to_numpy() for of in ("usd", "part")
    )
    frozen_part = load_inr[:, :, 1] * of_part
    frozen_full = np.clip(load_inr.sum(axis=2) * of_all - frozen_part, 0.0, load_inr[:, :, 0])
    frozen_inr = np.stack([frozen_full, frozen_part], axis=2)  # as LOADS
    frozen = np.divide(frozen_inr, load_inr, out=np.zeros_like(load_inr), where=load_inr > 0)
    rate = np.array([parameters[f"time_cost_{cargo_class}_per_day"] for cargo_class in HUB_CLASSES])[None, :, None]
    per_day: Array = rate + (parameters["time_cost_frozen_per_day"] - rate) * frozen
    return per_day


def _propensity(demand: pd.DataFrame, unit: str, by_sector: float) -> Array:
    """(n_districts, n_classes) propensity to part loads by ``unit`` (t or usd); 1 where sectors do not count at all."""
    inclined = demand[[f"{cargo_class}_part_of_{unit}" for cargo_class in HUB_CLASSES]].to_numpy(np.float64)
    propensity: Array = 1.0 - by_sector * (1.0 - inclined)
    return propensity

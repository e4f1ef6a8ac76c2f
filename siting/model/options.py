"""Options: what one yes/no decision opens, with its capital, yearly cost and capacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.model.charges import SHARED, two_part_charges
from siting.model.costs import appraisal_factor
from siting.model.lanes import NONE, Index, Lanes
from siting.model.places import Places
from siting.money import INR_PER_CRORE

COLUMNS = (
    "option_id", "site_id", "place", "facility_type", "tier", "status", "project_cost_inr_crore", "capex_inr_crore",
    "due_capital_inr_crore", "fixed_cost_inr_per_year", "capital_charge_inr_per_year", "use_charge_inr_per_t",
    "use_capital_inr_per_t", "capacity_t_per_year", "min_throughput_t_per_year",
)  # fmt: skip
ANNOUNCED, FIRST_STAGE = "announced", "first_stage"
"""Size of a planned park whose project has been published: its own, in place of the sizes of others; and its beginning,
which a later phase makes whole."""


def facility_tiers(p: Mapping[str, float]) -> pd.DataFrame:
    """Facility types and size tiers.

    Returns:
        One row per tier with ``facility_type``, ``tier``, ``project_cost_inr_crore`` (without siding),
        ``capacity_t_per_year`` and ``running_inr_crore_per_year`` (staff, customs staff, power; without upkeep). The
        staff of parks and cargo terminals is the operator's and in its tariff.
    """
    columns = ["facility_type", "tier", "project_cost_inr_crore", "capacity_t_per_year", "running_inr_crore_per_year"]
    return pd.DataFrame(_tiers(p), columns=columns)


def _tiers(p: Mapping[str, float]) -> list[tuple[str, str, float, float, float]]:
    """Rows of :func:`facility_tiers`."""
    customs = p["customs_staff_inr_crore_per_year"]
    staff = p["site_staff_inr_crore_per_year"] + customs
    built_inr_per_m2 = (
        p["warehouse_capex_inr_per_m2"]
        + p["industrial_land_inr_crore_per_acre"] * INR_PER_CRORE / p["warehouse_built_m2_per_acre"]
    )
    turns = p["stock_turns_per_year"]
    rows = []
    for tier in ("small", "medium", "large"):
        m2 = p[f"warehouse_{tier}_m2"]
        capex = m2 * built_inr_per_m2 / INR_PER_CRORE
        running = staff + m2 * p["warehouse_running_inr_per_m2_year"] / INR_PER_CRORE
        rows.append(("warehouse", tier, capex, m2 * p["warehouse_floor_t_per_m2"] * turns, running))
    store_t = p["cold_store_capacity_t"]
    capex = store_t * p["cold_store_capex_inr_per_t"] / INR_PER_CRORE
    capex += p["cold_store_land_acre"] * p["industrial_land_inr_crore_per_acre"]
    running = staff + store_t * p["cold_store_power_inr_per_t_year"] / INR_PER_CRORE
    rows.append(("cold_store", "standard", capex, store_t * turns, running))
    rows.append(
        ("cargo_terminal", "standard", p["cargo_terminal_capex_inr_crore"], p["cargo_terminal_t_per_year"], customs)
    )
    for tier in ("small", "large"):
        acre = p[f"mmlp_{tier}_acre"]
        capex, capacity = acre * p["mmlp_capex_inr_crore_per_acre"], acre * p["mmlp_throughput_t_per_acre_year"]
        rows.append(("mmlp", tier, capex, capacity, customs))
    return rows


def tiers_at(
    places: Sequence[str], facility_type: str, tiers: pd.DataFrame, planned: pd.DataFrame, staged: bool = False
) -> pd.DataFrame:
    """Which sizes of a facility type may be built at places (ids): those of its tiers, or the one announced.

    Args:
        tiers: as of :func:`facility_tiers`.
        planned: planned sites of the pack.
        staged: whether what is announced may begin with its first stage.

    Returns:
        Columns ``place_id``, ``facility_type``, ``tier``.
    """
    sizes = tiers.loc[tiers["facility_type"] == facility_type, ["facility_type", "tier"]]
    table = pd.DataFrame({"place_id": pd.Series(list(places), dtype="str")})  # texts even where there are none
    own = table["place_id"].isin(_announced(planned).index) & (facility_type == "mmlp")
    usual = table[~own].merge(sizes, how="cross")
    stages = [FIRST_STAGE, ANNOUNCED] if staged else [ANNOUNCED]
    of_own = table[own].assign(facility_type=facility_type).merge(pd.DataFrame({"tier": stages}), how="cross")
    return pd.concat([usual, of_own], ignore_index=True)


def _announced(planned: pd.DataFrame) -> pd.DataFrame:
    """Planned sites whose cost and throughput are published, by id; how much of it is private may be unknown."""
    known = planned[["project_cost_inr_crore", "throughput_million_t_per_year"]]
    return planned[known.notna().all(axis=1)].set_index("site_id")


def build_options(
    places: Places,
    parameters: Mapping[str, float],
    facility_types: Sequence[str],
    planned: pd.DataFrame,
    capital_charge: bool = True,
    staged: bool = False,
) -> pd.DataFrame:
    """List everything that may be opened.

    Warehouses and cold stores may stand in every district that has a road, cargo terminals in those that rail passes
    within ``mmlp_max_rail_km``, logistics parks there and at planned park sites.

    Args:
        planned: planned sites of the pack; a park with a published project is offered as announced.
        capital_charge: whether capital that is due costs anything a year.
        staged: whether such a park may begin with its first stage, which a later phase makes whole.

    Returns:
        One row per option with the columns of ``COLUMNS``.
    """
    table = places.table
    tiers = facility_tiers(parameters)
    blocks = []
    for facility_type in facility_types:
        kinds = ["district", "planned"] if facility_type == "mmlp" else ["district"]
        usable = table["kind"].isin(kinds).to_numpy() & places.on_road
        if facility_type in SHARED:
            usable &= np.isfinite(places.rail_km).any(axis=1)
        blocks.append(tiers_at(table["place_id"][usable].tolist(), facility_type, tiers, planned, staged))
    options = pd.concat(blocks, ignore_index=True)
    place = pd.Series(np.arange(len(table)), index=table["place_id"])[options["place_id"]].to_numpy(np.int64)
    options["place"] = place
    options["status"] = np.where(table["kind"].to_numpy()[place] == "planned", "planned", "candidate")
    options["site_id"] = options["facility_type"] + "@" + options["place_id"]
    options["option_id"] = options["facility_type"] + "-" + options["tier"] + "@" + options["place_id"]
    return priced_options(options, places, parameters, planned, capital_charge)


def priced_options(
    options: pd.DataFrame,
    places: Places,
    parameters: Mapping[str, float],
    planned: pd.DataFrame,
    capital_charge: bool = True,
) -> pd.DataFrame:
    """Options (place, type, tier and names) with what they cost and hold by these parameters: ``COLUMNS``."""
    costs = option_costs(options, places, parameters, planned, capital_charge)
    return options.drop(columns=costs.columns, errors="ignore").join(costs)[list(COLUMNS)]


def option_costs(
    options: pd.DataFrame,
    places: Places,
    parameters: Mapping[str, float],
    planned: pd.DataFrame,
    capital_charge: bool = True,
) -> pd.DataFrame:
    """Price options, by (50) to (52).

    Returns:
        For each row of ``options`` (columns ``place``, ``facility_type``, ``tier``), with its index:
        ``project_cost_inr_crore`` (with the siding of a park or cargo terminal), ``capex_inr_crore`` (the public part),
        ``due_capital_inr_crore``, ``fixed_cost_inr_per_year`` (upkeep and insurance, staff, customs staff, power),
        ``capital_charge_inr_per_year``, ``use_charge_inr_per_t``, ``use_capital_inr_per_t``, ``capacity_t_per_year``
        and ``min_throughput_t_per_year``.
    """
    of_tier = {(kind, tier): figures for kind, tier, *figures in _tiers(parameters)}
    for own_size in (ANNOUNCED, FIRST_STAGE):
        of_tier["mmlp", own_size] = of_tier["mmlp", "large"]  # cost and capacity are its own, see below
    facility_type, tier = (options[name].to_numpy(object) for name in ("facility_type", "tier"))
    figures = [of_tier[key] for key in zip(facility_type, tier, strict=True)]
    cost, capacity, running = np.array(figures, np.float64).reshape(-1, 3).T
    place = options["place"].to_numpy(np.int64)
    siding_km = places.table["rail_access_km"].to_numpy()[place]
    siding = np.where(np.isin(facility_type, list(SHARED)), siding_km * parameters["rail_siding_inr_crore_per_km"], 0.0)
    cost, public, announced = cost + siding, np.full(len(cost), np.nan), np.isin(tier, (ANNOUNCED, FIRST_STAGE))
    if announced.any():
        own = _announced(planned).reindex(places.table["place_id"].iloc[place[announced]])
        part = np.where(tier[announced] == FIRST_STAGE, parameters["mmlp_first_stage_share"], 1.0)
        cost[announced] = part * own["project_cost_inr_crore"].to_numpy(np.float64)  # what is published has a siding
        capacity[announced] = part * own["throughput_million_t_per_year"].to_numpy(np.float64) * 1e6
        public[announced] = cost[announced] - part * own["private_inr_crore"].to_numpy(np.float64)
    charges = two_part_charges(facility_type, cost, public, capacity, parameters)
    charged = INR_PER_CRORE / appraisal_factor(parameters) if capital_charge else 0.0
    upkeep_inr_per_year = charges.pop("upkeep_inr_per_year")
    priced = {
        **charges,
        "project_cost_inr_crore": cost,
        "fixed_cost_inr_per_year": upkeep_inr_per_year + running * INR_PER_CRORE,
        "capital_charge_inr_per_year": charges["due_capital_inr_crore"] * charged,
        "capacity_t_per_year": capacity,
        "min_throughput_t_per_year": min_throughput(facility_type, parameters),
    }
    return pd.DataFrame(priced, index=options.index)


def min_throughput(facility_type: NDArray[np.object_], p: Mapping[str, float]) -> NDArray[np.float64]:
    """(n,) tonnes a year without which customs keep no staff at a site: T w                                (53)

    with T the boxes of 20 feet that its kind of customs station must handle (a store is a container freight station,
    what puts boxes on trains an inland depot) and w what one holds. Exports alone count, as they do in a plan.
    """
    teu = np.where(
        np.isin(facility_type, list(SHARED)), p["inland_depot_min_teu_per_year"], p["freight_station_min_teu_per_year"]
    )
    return np.asarray(teu * p["payload_t_per_teu"])


def building_places(options: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Places where stores (warehouses and cold stores), parks and cargo terminals may be built."""
    kind, place = options["facility_type"].to_numpy(), options["place"].to_numpy(np.int64)
    stores = np.unique(place[~np.isin(kind, list(SHARED))])
    return stores, np.unique(place[kind == "mmlp"]), np.unique(place[kind == "cargo_terminal"])


def options_of_lanes(
    lanes: Lanes, cargo_class: NDArray[np.object_], options: pd.DataFrame, places: Places
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Expand lanes to one row per way of providing the facilities they need.

    A box consolidated at a site needs a store there (a warehouse for general cargo, a cold store for perishable cargo)
    or a park. One that changes to rail at a site needs a park or a cargo terminal there; a cargo terminal puts boxes on
    trains as a park does, but has no hall to fill them in. Both at one place are one park, or a store and a cargo
    terminal.

    Returns:
        ``lane`` (n,) positions in ``lanes`` and ``needs`` (n, 2) options, -1 for none.
    """
    at_site = np.append(places.is_site, False)  # position -1 is "none"
    hub = np.where(at_site[lanes.hub], lanes.hub, NONE)
    rail = np.where(at_site[lanes.terminal], lanes.terminal, NONE)
    store = np.where(cargo_class[lanes.client] == "perishable", "cold_store", "warehouse")
    at_hub, by_rail, together = hub != NONE, rail != NONE, hub == rail
    kind, place = options["facility_type"].to_numpy(object), options["place"].to_numpy(np.int64)

    ways = []
    trains = np.isin(kind, ["mmlp", "cargo_terminal"])
    for which, at, usable in (
        (by_rail & ~at_hub, rail, trains),
        (by_rail & together, rail, kind == "mmlp"),
        (at_hub & ~by_rail, hub, kind == "mmlp"),
    ):
        lane = np.flatnonzero(which)
        row, option = _provided(at[lane], place, usable)
        ways.append((lane[row], option, np.full(len(row), NONE)))
    for kind_of_store in ("warehouse", "cold_store"):
        lane = np.flatnonzero(at_hub & (store == kind_of_store))
        row, option = _provided(hub[lane], place, kind == kind_of_store)
        lane = lane[row]
        alone = ~by_rail[lane]
        ways.append((lane[alone], option[alone], np.full(int(alone.sum()), NONE)))
        for joint, usable in ((together[lane], kind == "cargo_terminal"), (~together[lane], trains)):
            boxed = np.flatnonzero(~alone & joint)
            row, second = _provided(rail[lane[boxed]], place, usable)
            ways.append((lane[boxed][row], option[boxed][row], second))
    lane, first, second = (np.concatenate(columns) for columns in zip(*ways, strict=True))
    order = np.lexsort((second, first, lane))
    return lane[order], np.stack([first, second], axis=1)[order]


def _provided(at: Index, place: Index, usable: NDArray[np.bool_]) -> tuple[Index, Index]:
    """Pairs of a position in ``at``, which are places, and a usable option there; ``place`` is that of each option."""
    option = np.flatnonzero(usable)
    option = option[np.argsort(place[option], kind="stable")]
    first, end = np.searchsorted(place[option], at, "left"), np.searchsorted(place[option], at, "right")
    row = np.repeat(np.arange(len(at)), end - first)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(end - first) - (end - first), end - first)
    return row, option[first[row] + nth]


def select_options(options: pd.DataFrame, names: Sequence[str], key: str) -> NDArray[np.int64]:
    """Positions of the options that the names of a study's ``forced`` or ``forbidden`` list stand for."""
    if not names:
        return np.zeros(0, np.int64)
    columns = ["option_id"] if key == "forced" else ["option_id", "site_id", "place_id"]
    table = options.assign(place_id=options["site_id"].str.split("@").str[1])
    return np.flatnonzero(table[columns].isin(set(names)).any(axis=1))

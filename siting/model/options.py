"""Options: what one yes/no decision opens, with its capital, yearly cost and capacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.model.lanes import NONE, Lanes
from siting.model.places import Places
from siting.money import INR_PER_CRORE

COLUMNS = (
    "option_id", "site_id", "place", "facility_type", "tier", "status", "capex_inr_crore",
    "fixed_cost_inr_per_year", "capacity_t_per_year",
)  # fmt: skip


def facility_tiers(p: Mapping[str, float]) -> pd.DataFrame:
    """Facility types and size tiers.

    Returns:
        One row per tier with ``facility_type``, ``tier``, ``capex_inr_crore`` (without siding),
        ``capacity_t_per_year`` and ``running_inr_crore_per_year`` (staff, customs staff, power; without upkeep).
    """
    customs = p["customs_staff_inr_crore_per_year"]
    staff = p["site_staff_inr_crore_per_year"] + customs
    built_inr_per_m2 = (
        p["warehouse_capex_inr_per_m2"]
        + p["industrial_land_inr_crore_per_acre"] * INR_PER_CRORE / p["warehouse_built_m2_per_acre"]
    )
    rows = []
    for tier in ("small", "medium", "large"):
        m2 = p[f"warehouse_{tier}_m2"]
        capex = m2 * built_inr_per_m2 / INR_PER_CRORE
        running = staff + m2 * p["warehouse_running_inr_per_m2_year"] / INR_PER_CRORE
        rows.append(("warehouse", tier, capex, m2 * p["warehouse_throughput_t_per_m2_year"], running))
    store_t = p["cold_store_capacity_t"]
    capex = store_t * p["cold_store_capex_inr_per_t"] / INR_PER_CRORE
    capex += p["cold_store_land_acre"] * p["industrial_land_inr_crore_per_acre"]
    running = staff + store_t * p["cold_store_power_inr_per_t_year"] / INR_PER_CRORE
    rows.append(("cold_store", "standard", capex, store_t * p["cold_store_turns_per_year"], running))
    for tier in ("small", "large"):
        acre = p[f"mmlp_{tier}_acre"]
        rows.append(
            (
                "mmlp",
                tier,
                acre * p["mmlp_capex_inr_crore_per_acre"],
                acre * p["mmlp_throughput_t_per_acre_year"],
                customs + acre * p["mmlp_staff_inr_crore_per_acre_year"],
            )
        )
    columns = ["facility_type", "tier", "capex_inr_crore", "capacity_t_per_year", "running_inr_crore_per_year"]
    return pd.DataFrame(rows, columns=columns)


def build_options(places: Places, parameters: Mapping[str, float], facility_types: Sequence[str]) -> pd.DataFrame:
    """List everything that may be opened.

    Warehouses and cold stores may stand in every district that has a road, logistics parks in every district and
    planned park site that rail passes within ``mmlp_max_rail_km``; the siding to the line adds to a park's capex.

    Returns:
        One row per option with the columns of ``COLUMNS``.
    """
    table = places.table
    tiers = facility_tiers(parameters)[["facility_type", "tier"]]
    blocks = []
    for facility_type in facility_types:
        kinds = ["district", "planned"] if facility_type == "mmlp" else ["district"]
        usable = table["kind"].isin(kinds).to_numpy() & places.on_road
        if facility_type == "mmlp":
            usable &= np.isfinite(places.rail_km).any(axis=1)
        sites = pd.DataFrame({"place": np.flatnonzero(usable), "facility_type": facility_type})
        blocks.append(sites.merge(tiers, on="facility_type"))
    options = pd.concat(blocks, ignore_index=True)
    at = table.iloc[options["place"]]
    options["status"] = np.where(at["kind"] == "planned", "planned", "candidate")
    options["site_id"] = options["facility_type"] + "@" + at["place_id"].to_numpy()
    options["option_id"] = options["facility_type"] + "-" + options["tier"] + "@" + at["place_id"].to_numpy()
    options = options.join(option_costs(options, places, parameters))
    return options[list(COLUMNS)]


def option_costs(options: pd.DataFrame, places: Places, parameters: Mapping[str, float]) -> pd.DataFrame:
    """Price options.

    Returns:
        ``capex_inr_crore`` (with the siding of a park), ``fixed_cost_inr_per_year`` (upkeep and insurance, staff,
        customs staff, power) and ``capacity_t_per_year`` for each row of ``options`` (columns ``place``,
        ``facility_type``, ``tier``), with its index.
    """
    columns = ["capex_inr_crore", "capacity_t_per_year", "running_inr_crore_per_year"]
    tiers = facility_tiers(parameters)
    row = {key: k for k, key in enumerate(zip(tiers["facility_type"], tiers["tier"], strict=True))}
    which = [row[key] for key in zip(options["facility_type"], options["tier"], strict=True)]
    capex, capacity, running = tiers[columns].to_numpy()[which].T
    siding_km = places.table["rail_access_km"].to_numpy()[options["place"]]
    is_park = options["facility_type"].to_numpy() == "mmlp"
    capex = capex + np.where(is_park, siding_km * parameters["rail_siding_inr_crore_per_km"], 0.0)
    return pd.DataFrame({
        "capex_inr_crore": capex,
        "fixed_cost_inr_per_year": (capex * parameters["om_fraction_per_year"] + running) * INR_PER_CRORE,
        "capacity_t_per_year": capacity,
    }, index=options.index)  # fmt: skip


def options_of_lanes(
    lanes: Lanes, cargo_class: NDArray[np.object_], options: pd.DataFrame, places: Places
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Expand lanes to one row per way of providing the facilities they need.

    A box consolidated at a site needs a warehouse (general cargo), a cold store (perishable cargo) or a park
    there; one that changes to rail at a site needs a park there; both at one place are one park.

    Returns:
        ``lane`` (n,) positions in ``lanes`` and ``needs`` (n, 2) options, -1 for none.
    """
    at_site = np.append(places.is_site, False)  # position -1 is "none"
    hub = np.where(at_site[lanes.hub], lanes.hub, NONE)
    park = np.where(at_site[lanes.terminal], lanes.terminal, NONE)
    index = np.arange(len(options))
    keyed = pd.DataFrame({"place": options["place"], "facility_type": options["facility_type"], "option": index})
    parks = keyed[keyed["facility_type"] == "mmlp"][["place", "option"]]
    store = np.where(cargo_class[lanes.client] == "perishable", "cold_store", "warehouse")
    table = pd.DataFrame({"lane": np.arange(len(lanes)), "hub": hub, "park": park, "store": store})

    one_park = table[(table["park"] != NONE) & ((table["hub"] == NONE) | (table["hub"] == table["park"]))]
    one_park = one_park.merge(parks, left_on="park", right_on="place").assign(second=NONE)
    hub_only = table[(table["hub"] != NONE) & (table["park"] == NONE)]
    hub_store = hub_only.merge(keyed, left_on=["hub", "store"], right_on=["place", "facility_type"])
    hub_park = hub_only.merge(parks, left_on="hub", right_on="place")
    both = table[(table["hub"] != NONE) & (table["park"] != NONE) & (table["hub"] != table["park"])]
    both = both.merge(keyed, left_on=["hub", "store"], right_on=["place", "facility_type"]).merge(
        parks.rename(columns={"option": "second", "place": "park_place"}),
        left_on="park",
        right_on="park_place",
    )
    expanded = pd.concat(
        [
            one_park[["lane", "option", "second"]],
            hub_store[["lane", "option"]].assign(second=NONE),
            hub_park[["lane", "option"]].assign(second=NONE),
            both[["lane", "option", "second"]],
        ]
    ).sort_values(["lane", "option", "second"])
    needs = expanded[["option", "second"]].to_numpy(np.int64)
    return expanded["lane"].to_numpy(np.int64), needs


def select_options(options: pd.DataFrame, names: Sequence[str], key: str) -> NDArray[np.int64]:
    """Positions of the options that the names of a study's ``forced`` or ``forbidden`` list stand for."""
    columns = ["option_id"] if key == "forced" else ["option_id", "site_id", "place_id"]
    table = options.assign(place_id=options["site_id"].str.split("@").str[1])
    return np.flatnonzero(table[columns].isin(set(names)).any(axis=1))

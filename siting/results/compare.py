"""What differs between two results, and the frontier of several: one account for the command line and the map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from siting.money import INR_PER_CRORE
from siting.results.read import PlanTables
from siting.study import FACILITY_TYPES

TOTALS = ("budget_inr_crore", "capex_inr_crore", "fixed_cost_inr_per_year", "saving_inr_per_year",
          "benefit_cost_ratio", "payback_years", "gap")  # fmt: skip
TOTALS_AFTER = ("cost_inr_per_year", "mean_hours", "co2e_t_per_year")
SAME_INR_PER_T = 0.005  # a difference of cost that shows in no figure
SAME_INR = 0.5
_COMPARED = ("hub_1", "hub_1_id", "hub_2", "hub_2_id", "gateway_after", "gateway_after_id", "cost_after_inr_per_t",
             "hours_after", "saving_inr_per_year")  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """What differs between two results, b beside a.

    Args:
        totals: columns ``a`` and ``b``; index = TOTALS and TOTALS_AFTER, keys of ``plan.json``.
        only_a: rows of ``sites.csv`` whose option is open in a alone.
        only_b: those open in b alone.
        both: how many options are open in both.
        districts: one row per district, those of a in their order, then those of b alone: ``district_id``,
            ``state``, ``district``, ``change_inr_per_t``, ``saving_change_inr_per_year`` and ``hours_change`` (all
            b minus a; NaN where either has no value), ``hub_a``, ``hub_b``, ``hub_2_a``, ``hub_2_b``, ``gateway_a``,
            ``gateway_b`` (names) and ``changed``: whether hubs, gateway or cost differ.
    """

    totals: pd.DataFrame
    only_a: pd.DataFrame
    only_b: pd.DataFrame
    both: int
    districts: pd.DataFrame


def compare(a: PlanTables, b: PlanTables) -> Comparison:
    """Compare two results by the ids of options, districts and places.

    Raises:
        InputError: when a file of either is damaged.
    """
    first, second = (
        [*(plan.summary[name] for name in TOTALS), *(plan.summary["after"][name] for name in TOTALS_AFTER)]
        for plan in (a, b)
    )
    totals = pd.DataFrame({"a": first, "b": second}, index=[*TOTALS, *TOTALS_AFTER], dtype=float)
    in_b, in_a = a.sites["option_id"].isin(b.sites["option_id"]), b.sites["option_id"].isin(a.sites["option_id"])
    return Comparison(totals, a.sites[~in_b], b.sites[~in_a], int(in_b.sum()), _districts(a.districts, b.districts))


@dataclass(frozen=True)
class ManyCompared:
    """What differs among several results, which are named by letters: A, B, C and so on.

    Args:
        totals: a column for each; index = TOTALS and TOTALS_AFTER.
        sites: options open in some but not in all, those that save most in any first: ``option_id``, ``name``,
            ``state``, ``facility_type``, ``tier``, ``capex_inr_crore`` and ``open_in``, the letters of those.
        in_all: how many options are open in all.
        districts: those whose saving differs, the widest apart first: ``district_id``, ``state``, ``district`` and for
            each result its saving in INR a year.
    """

    totals: pd.DataFrame
    sites: pd.DataFrame
    in_all: int
    districts: pd.DataFrame


def letter(k: int) -> str:
    """Name of the k-th of several results.

    >>> letter(0), letter(27)
    ('A', 'AB')
    """
    return (letter(k // 26 - 1) if k >= 26 else "") + chr(ord("A") + k % 26)


def compare_many(plans: Sequence[PlanTables]) -> ManyCompared:
    """Compare several results by the ids of options and districts.

    Raises:
        InputError: when a file of one is damaged.
    """
    names = [letter(k) for k in range(len(plans))]
    totals = pd.DataFrame({name: compare(plans[0], plan).totals["b"] for name, plan in zip(names, plans, strict=True)})
    columns = ["option_id", "name", "state", "facility_type", "tier", "capex_inr_crore"]
    rows = pd.concat([plan.sites.assign(letter=name) for name, plan in zip(names, plans, strict=True)])
    rows = rows.sort_values("saving_inr_per_year", ascending=False, kind="stable")
    sites = rows.drop_duplicates("option_id")[columns]
    open_in = {option: tuple(sorted(own, key=names.index)) for option, own in rows.groupby("option_id")["letter"]}
    sites = sites.assign(open_in=sites["option_id"].map(open_in))
    everywhere = sites["open_in"].map(len) == len(plans)
    districts = pd.concat([plan.districts[["district_id", "state", "district"]] for plan in plans])
    districts = districts.drop_duplicates("district_id").reset_index(drop=True)
    for name, plan in zip(names, plans, strict=True):
        saved = plan.districts.set_index("district_id")["saving_inr_per_year"]
        districts[name] = saved.reindex(districts["district_id"]).to_numpy()
    spread = districts[names].max(axis=1) - districts[names].min(axis=1)
    order = spread[spread > SAME_INR].sort_values(ascending=False, kind="stable").index
    differing = districts.loc[order].reset_index(drop=True)
    return ManyCompared(totals, sites[~everywhere].reset_index(drop=True), int(everywhere.sum()), differing)


def _districts(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    names = pd.concat([a, b])[["district_id", "state", "district"]].drop_duplicates("district_id")
    ids = names["district_id"]
    old, new = (table.set_index("district_id").reindex(ids)[list(_COMPARED)].reset_index(drop=True) for table in (a, b))
    change = new["cost_after_inr_per_t"] - old["cost_after_inr_per_t"]
    moved = pd.Series(False, index=old.index)
    for name in ("hub_1_id", "hub_2_id", "gateway_after_id"):
        moved |= old[name].astype(object).fillna("") != new[name].astype(object).fillna("")
    return names.reset_index(drop=True).assign(
        change_inr_per_t=change,
        saving_change_inr_per_year=new["saving_inr_per_year"] - old["saving_inr_per_year"],
        hours_change=new["hours_after"] - old["hours_after"],
        hub_a=old["hub_1"], hub_b=new["hub_1"], hub_2_a=old["hub_2"], hub_2_b=new["hub_2"],
        gateway_a=old["gateway_after"], gateway_b=new["gateway_after"],
        changed=moved | (change.abs() > SAME_INR_PER_T),
    )  # fmt: skip


def frontier(plans: Iterable[tuple[Mapping[str, Any], pd.DataFrame]]) -> pd.DataFrame:
    """One row per plan by budget, with what the last rupee brings; columns as those of ``scenarios.csv``.

    Args:
        plans: ``plan.json`` and ``sites.csv`` of each.
    """
    rows = []
    for summary, sites in plans:
        cost = summary["before"]["cost_inr_per_year"]
        built = sites["facility_type"].value_counts()
        names = ("budget_inr_crore", "status", "gap", "capex_inr_crore", "saving_inr_per_year")
        rows.append({
            **{name: summary[name] for name in names},
            "benefit_inr_per_year": summary["saving_inr_per_year"] - summary.get("capital_charge_inr_per_year", 0.0),
            "saving_fraction": summary["saving_inr_per_year"] / cost if cost else None,
            "benefit_cost_ratio": summary["benefit_cost_ratio"],
            "payback_years": summary["payback_years"],
            **{f"{kind}s": int(built.get(kind, 0)) for kind in FACILITY_TYPES},
        })  # fmt: skip
    table = pd.DataFrame(rows).sort_values("budget_inr_crore", kind="stable", ignore_index=True)
    extra_inr = table["capex_inr_crore"].diff().fillna(table["capex_inr_crore"]) * INR_PER_CRORE
    extra_benefit = table["benefit_inr_per_year"].diff().fillna(table["benefit_inr_per_year"])
    spent_more = extra_inr.to_numpy() > 0
    ratio = np.divide(extra_benefit, extra_inr, out=np.full(len(table), np.nan), where=spent_more)
    return table.assign(marginal_benefit_per_year_per_rupee=ratio)

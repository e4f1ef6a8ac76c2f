"""How exports are spread over districts, states and sectors, and which districts lead."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.exports import concentration, under_utilised
from geodata.facts import DistrictFacts

Array = NDArray[np.float64]
SHARES = (0.5, 0.75, 0.9)
TOPS = (1, 5, 10, 18, 50, 100)


def herfindahl(values: Array) -> float:
    """Herfindahl-Hirschman index, 1/n (even) to 1 (one has all); 0 where nothing is exported.

    H = sum_i s_i^2,   s_i = x_i / X                                                                  (60)
    """
    total = float(values.sum())
    return float(((values / total) ** 2).sum()) if total > 0 else 0.0


def gini(values: Array) -> float:
    """Gini coefficient, 0 (even) to 1 - 1/n; values without exports count.

    G = sum_i (2 i - n - 1) x_(i) / (n X),   x_(1) <= ... <= x_(n)                                    (61)
    """
    n, total = len(values), float(values.sum())
    if n == 0 or total <= 0:
        return 0.0
    order = np.sort(values)
    return float(((2 * np.arange(1, n + 1) - n - 1) * order).sum() / (n * total))


@dataclass(frozen=True)
class Theil:
    """Theil's index and its parts: between groups, and within them."""

    total: float
    between: float
    within: float


def theil(values: Array, groups: NDArray[np.object_]) -> Theil:
    """Theil's index T and its decomposition; a member without exports adds 0 (x ln x -> 0).

        T = sum_i s_i ln(n s_i)
        T = sum_g S_g ln(S_g n / n_g)  +  sum_g S_g T_g                                                   (62)

    with S_g the share of group g in all exports, n_g its members and T_g the index of its members: between and within.
    [Theil 1967; Shorrocks 1980]
    """
    n, total = len(values), float(values.sum())
    if n == 0 or total <= 0:
        return Theil(0.0, 0.0, 0.0)
    share = values / total
    _, member = np.unique(groups.astype(str), return_inverse=True)
    of_group, size = np.bincount(member, share).astype(np.float64), np.bincount(member)
    whole = float(_xlogx(share).sum() + np.log(n))
    between = float((_xlogx(of_group) + of_group * np.log(n / size)).sum())
    return Theil(whole, between, whole - between)


def _xlogx(share: Array) -> Array:
    return np.where(share > 0, share * np.log(np.where(share > 0, share, 1.0)), 0.0)


def spread(values: pd.Series[float]) -> dict[str, float]:
    """Measures of one list of exports: ``exporting``, ``districts_for_50`` and so on, ``hhi``, ``gini``."""
    array = np.asarray(values, np.float64)
    counts = {f"districts_for_{100 * share:.0f}": concentration(values, share) for share in SHARES}
    return {"exporting": int((array > 0).sum()), **counts, "hhi": herfindahl(array), "gini": gini(array)}


def top_share(values: pd.Series[float], n: int) -> float:
    """Share of the n largest in the total; 0 where nothing is exported."""
    total = float(values.sum())
    return float(values.nlargest(n).sum()) / total if total > 0 else 0.0


@dataclass(frozen=True)
class Concentration:
    """How exports are spread.

    Args:
        districts: indexed by district_id, largest first: ``state``, ``district``, ``export_usd``, ``share`` and
            ``cumulative_share`` (of what is told by district), ``leader``.
        measures: of `spread`, over all districts.
        tops: share of the n largest districts, by n.
        theil: between and within states.
        sectors: a row for each sector, largest first: ``export_usd``, ``share``, the measures of `spread`, and its
            largest district with its share.
        states: a row for each state, largest first: ``export_usd``, ``unplaced_usd``, ``share`` (of all, unplaced
            included), ``districts``, ``leaders``, ``gini``.
        placed_usd: told by district.
        unplaced_usd: told of no district.
        leader_share: the rule: leaders are the fewest districts that make this share.
    """

    districts: pd.DataFrame
    measures: dict[str, float]
    tops: dict[int, float]
    theil: Theil
    sectors: pd.DataFrame
    states: pd.DataFrame
    placed_usd: float
    unplaced_usd: float
    leader_share: float


def measure_concentration(
    facts: DistrictFacts, leader_share: float = 0.75, leaders: Collection[str] = ()
) -> Concentration:
    """Measure how exports are spread over the districts of an area.

    Args:
        leaders: district_id of the leaders where they are named, instead of the rule.
    """
    usd, total = facts.usd, float(facts.usd.sum())
    leads = facts.table.index.isin(list(leaders)) if leaders else ~under_utilised(usd, leader_share)
    table = facts.table[["state", "district", "export_usd"]].assign(
        share=usd / total if total > 0 else 0.0, leader=leads
    )
    table = table.sort_values("export_usd", ascending=False, kind="stable")
    table.insert(4, "cumulative_share", table["share"].cumsum())
    return Concentration(
        districts=table,
        measures=spread(usd),
        tops={n: top_share(usd, n) for n in TOPS},
        theil=theil(np.asarray(usd, np.float64), facts.table["state"].to_numpy(object)),
        sectors=_sectors(facts),
        states=_states(facts, table),
        placed_usd=total,
        unplaced_usd=float(facts.unplaced_usd.sum()),
        leader_share=leader_share,
    )


def _sectors(facts: DistrictFacts) -> pd.DataFrame:
    rows = []
    whole = float(facts.sector_usd.to_numpy().sum())
    for sector in facts.sector_usd.columns:
        usd = facts.sector_usd[sector]
        total, first = float(usd.sum()), str(usd.idxmax())
        rows.append({
            "sector": str(sector), "export_usd": total, "share": total / whole if whole > 0 else 0.0, **spread(usd),
            "first_district": facts.table.loc[first, "district"] if total > 0 else "",
            "first_share": float(usd.max()) / total if total > 0 else 0.0,
        })  # fmt: skip
    return pd.DataFrame(rows).sort_values("export_usd", ascending=False, kind="stable").set_index("sector")


def _states(facts: DistrictFacts, districts: pd.DataFrame) -> pd.DataFrame:
    by_state = districts.groupby("state")
    table = pd.DataFrame({
        "export_usd": by_state["export_usd"].sum(),
        "districts": by_state.size(),
        "leaders": by_state["leader"].sum(),
        "gini": by_state["export_usd"].agg(lambda usd: gini(usd.to_numpy(np.float64))),
    })  # fmt: skip
    table = table.join(facts.unplaced_usd.rename("unplaced_usd"), how="outer").fillna(0.0)
    both = table["export_usd"] + table["unplaced_usd"]
    table["share"] = both / both.sum() if both.sum() > 0 else 0.0
    return table.astype({"districts": int, "leaders": int}).sort_values("share", ascending=False, kind="stable")


def compared_with_list(districts: pd.DataFrame, listed: pd.Index) -> dict[str, int | float]:
    """Compare the under-utilised districts of the rule with those of an official list.

    Args:
        districts: table of `Concentration`.
        listed: district_id of the list.

    Returns:
        ``listed``, ``both`` (listed and under-utilised by the rule), ``leaders_listed``, ``not_listed``
        (under-utilised by the rule alone), ``share_of_exports`` of the listed.
    """
    on_list, leader = districts.index.isin(listed), districts["leader"].to_numpy(bool)
    return {
        "listed": int(on_list.sum()),
        "both": int((on_list & ~leader).sum()),
        "leaders_listed": int((on_list & leader).sum()),
        "not_listed": int((~on_list & ~leader).sum()),
        "share_of_exports": float(districts.loc[on_list, "share"].sum()),
    }

"""What an area's districts look like as export hubs: all measures of this room, on a screen or as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geodata.facts import DistrictFacts, district_facts
from siting.districts.concentration import Concentration, compared_with_list, measure_concentration
from siting.districts.connectivity import ADEQUATE_KM, Connectivity, distance_for_share, measure_connectivity, steps
from siting.districts.ground import Ground
from siting.districts.lifts import all_measures, lifts
from siting.districts.paper import of_logistics, paper_tested, paper_text
from siting.districts.potential import COVERED, Potential, measure_potential
from siting.districts.products import Products, measure_products
from siting.money import indian
from siting.report.paper import (
    PAPER_AREA,
    PAPER_DISTRICTS_FOR_HALF,
    PAPER_DISTRICTS_FOR_THREE_QUARTERS,
    PAPER_FAR_FROM_PORT,
)

USD_PER_BILLION = 1e9
MEASURE_WORDS = {
    "warehouse": "a warehouse in the district",
    "terminal": "a rail terminal in the district",
    "port": "a day less at its port",
    "customs": "a day less at customs, everywhere",
    "corridor": "four lanes to its port",
}


@dataclass(frozen=True)
class Profile:
    """Everything that is told of an area's districts.

    Args:
        area: name of the pack.
        connectivity_steps: share of districts below the index of 100 by distance of the adequate place, km.
        paper_km: that distance at which the paper's share of districts is below.
        lifts: result of :func:`siting.districts.lifts.lifts`.
        lists: of each official list, how it compares with the rule.
        paper: result of :func:`siting.districts.paper.paper_tested`; None where the paper is of another area.
    """

    area: str
    facts: DistrictFacts
    concentration: Concentration
    connectivity: Connectivity
    connectivity_steps: dict[float, float]
    paper_km: float
    lifts: pd.DataFrame
    potential: Potential
    products: Products
    lists: dict[str, dict[str, int | float]]
    paper: pd.DataFrame | None


def make_profile(
    ground: Ground,
    lists: Mapping[str, pd.Index] | None = None,
    adequate_km: float = ADEQUATE_KM,
    hub_cost_cut: float | None = None,
) -> Profile:
    """Measure the districts of a study.

    Args:
        lists: district_id of the districts on official lists, by the name of the list.
        adequate_km: see :mod:`siting.districts.connectivity`.
        hub_cost_cut: ``served_cost_cut`` of a plan, for the paper's claim on it.
    """
    pack = ground.pack
    facts = district_facts(pack)
    concentration = measure_concentration(facts, ground.study.leader_share)
    connectivity = measure_connectivity(ground, adequate_km)
    area, paper = str(pack.manifest["name"]), None
    if area == PAPER_AREA:
        leaders = int(concentration.districts["leader"].sum())
        logistics = of_logistics(ground, connectivity, all_measures(ground, connectivity))
        fx = ground.parameters["fx_inr_per_usd"]
        paper = paper_tested(facts, leaders, pack.export_history, fx, logistics, {"hub_cost_cut": hub_cost_cut})
    return Profile(
        area=area,
        facts=facts,
        concentration=concentration,
        connectivity=connectivity,
        connectivity_steps=steps(connectivity, ground),
        paper_km=distance_for_share(connectivity, ground, PAPER_FAR_FROM_PORT),
        lifts=lifts(ground, connectivity),
        potential=measure_potential(facts, ground.places),
        products=measure_products(facts.sector_usd),
        lists={name: compared_with_list(concentration.districts, ids) for name, ids in (lists or {}).items()},
        paper=paper,
    )


def profile_lines(profile: Profile) -> list[str]:
    """The profile in one screen or two."""
    sections = [_concentration_lines(profile), _connectivity_lines(profile), _potential_lines(profile)]
    if profile.paper is not None:
        sections.append(["The paper, tested", *paper_text(profile.paper)])
    return [line for section in sections for line in (*section, "")][:-1]


def _concentration_lines(profile: Profile) -> list[str]:
    found, of_paper = profile.concentration, profile.paper is not None
    m, theil = found.measures, found.theil
    both = found.placed_usd + found.unplaced_usd
    paper = (
        f" (the paper: {PAPER_DISTRICTS_FOR_HALF} and {PAPER_DISTRICTS_FOR_THREE_QUARTERS})" if of_paper else ""
    )  # fmt: skip
    within = theil.within / theil.total if theil.total else 0.0
    leaders, first = int(found.districts["leader"].sum()), found.districts.head(5)
    lines = [
        f"{profile.area}: exports of {_usd(both)}, of which {_usd(found.unplaced_usd)} "
        f"({_percent(_over(found.unplaced_usd, both))}) is told of no district",
        f"Concentration   {m['districts_for_50']} districts make 50 %, {m['districts_for_75']} make 75 %, "
        f"{m['districts_for_90']} make 90 %{paper}",
        f"                top 10 make {_percent(found.tops[10])}, top 100 {_percent(found.tops[100])}; "
        f"{len(found.districts) - m['exporting']} of {len(found.districts)} districts export nothing",
        f"Inequality      Gini {m['gini']:.3f}, Herfindahl {m['hhi']:.4f}, Theil {theil.total:.2f}, "
        f"of which {_percent(within, 0)} within states",
        f"Leaders         {leaders} districts make the first {_percent(found.leader_share, 0)}; "
        f"the other {len(found.districts) - leaders} are under-utilised",
        "First districts " + ", ".join(
            f"{name} {_percent(share)}" for name, share in zip(first["district"], first["share"], strict=True)
        ),
        "Sectors         " + ", ".join(
            f"{str(sector).replace('_', ' ')} {_percent(row['share'], 0)} "
            f"(half from {counted_districts(int(row['districts_for_50']))})"
            for sector, row in found.sectors.head(4).iterrows()
        ),
    ]  # fmt: skip
    for name, row in profile.lists.items():
        lines.append(
            f"List {name}: {row['listed']} districts, {row['both']} of them under-utilised by the rule, "
            f"{row['leaders_listed']} leaders, {_percent(float(row['share_of_exports']))} of exports; "
            f"{row['not_listed']} under-utilised districts are not on it"
        )
    return lines


def _connectivity_lines(profile: Profile) -> list[str]:
    found, of_paper = profile.connectivity, profile.paper is not None
    table = found.table
    paper = f" (the paper: {_percent(PAPER_FAR_FROM_PORT, 0)}, no threshold told)" if of_paper else ""
    at = ", ".join(f"{km:.0f} km {_percent(share, 0)}" for km, share in profile.connectivity_steps.items())
    lifted = profile.lifts[profile.lifts["lifts"]]
    kinds = [f"{n} by {MEASURE_WORDS[str(key)]}" for key, n in lifted["measure"].value_counts().items()]
    return [
        f"Connectivity    {_percent(found.share_below, 0)} of districts ship the reference tonne at more than "
        f"₹{indian(found.reference_inr_per_t)}, as from {found.adequate_km:.0f} km of road{paper}",
        f"                by the distance taken as adequate: {at}"
        + (f"; the paper's share at {profile.paper_km:.0f} km" if of_paper and np.isfinite(profile.paper_km) else ""),
        f"                median ₹{indian(table['inr_per_t'].median())} a tonne, {table['road_hours'].median():.0f} h "
        f"by road; {_percent(float((table['mode'] == 'rail').mean()), 0)} of districts are best served by rail; "
        f"{int(table['inr_per_t'].isna().sum())} have no way",
        f"Lifted by one   {len(lifted)} of {len(profile.lifts)} districts below it: {', '.join(kinds) or 'none'}",
    ]


def _potential_lines(profile: Profile) -> list[str]:
    found = profile.potential
    under = found.table[~profile.concentration.districts["leader"].reindex(found.table.index)]
    far = under.nlargest(5, "unrealised_usd").index
    low, more, high = (under[f"unrealised_{name}"].sum() for name in ("low_usd", "usd", "high_usd"))
    kinds = (profile.products.rca >= 1).sum(axis=1)
    return [
        f"Potential       under-utilised districts export {_usd(under['export_usd'].sum())}; the median "
        f"of districts of their kind would make it {_usd(more)} more,",
        f"                the lower and upper quartile {_usd(low)} and {_usd(high)} more: a benchmark, no forecast",
        "                "
        + (
            f"told by other states: rank correlation {found.rank_correlation:.2f}, "
            f"{_percent(found.coverage, 0)} of districts within the {_percent(COVERED, 0)} interval; "
            f"a stochastic frontier ranks alike ({found.methods_agree:.2f})"
            if np.isfinite(found.rank_correlation)
            else "not tried on other states, as there is one only"
        ),
        f"                farthest below: {', '.join(profile.facts.table['district'].reindex(far))}",
        f"Products        a district has an advantage in {kinds.median():.0f} of "
        f"{profile.products.rca.shape[1]} sectors in the median; {int((kinds == 0).sum())} have none",
    ]


def profile_json(profile: Profile) -> dict[str, Any]:
    """The whole profile as plain data."""
    found = profile.concentration
    return {
        "area": profile.area,
        "concentration": {
            "placed_usd": found.placed_usd,
            "unplaced_usd": found.unplaced_usd,
            "leader_share": found.leader_share,
            **found.measures,
            "top": {str(n): share for n, share in found.tops.items()},
            "theil": vars(found.theil),
            "sectors": records(found.sectors),
            "states": records(found.states),
            "lists": profile.lists,
        },
        "connectivity": {
            "reference_inr_per_t": profile.connectivity.reference_inr_per_t,
            "adequate_km": profile.connectivity.adequate_km,
            "part_share": profile.connectivity.part_share,
            "share_below": profile.connectivity.share_below,
            "by_adequate_km": {f"{km:.0f}": share for km, share in profile.connectivity_steps.items()},
            "lifts": records(profile.lifts),
        },
        "potential": {
            "coefficients": profile.potential.coefficients,
            "rank_correlation": profile.potential.rank_correlation,
            "coverage": profile.potential.coverage,
            "methods_agree": profile.potential.methods_agree,
        },
        "products": {"proximity": records(profile.products.proximity)},
        "districts": records(district_table(profile)),
        "paper": None if profile.paper is None else records(profile.paper.set_index("key")),
    }


def district_table(profile: Profile) -> pd.DataFrame:
    """One row per district of the pack: how it is connected, and its exports where they are told of it.

    Columns of `Connectivity.table` and `Potential.table`, ``share``, ``leader``, ``strengths``, ``nearest``
    (sectors, joined by semicolons); those of exports are empty for a district counted with another.
    """
    own = profile.concentration.districts[["share", "leader"]].join(profile.potential.table)
    products = profile.products
    own["strengths"] = [";".join(map(str, products.strengths(str(key)).index)) for key in own.index]
    own["nearest"] = [";".join(map(str, products.nearest(str(key)).index)) for key in own.index]
    return profile.connectivity.table.join(own)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain data, the index among them; None for NaN."""
    rows = table.reset_index().astype(object).to_dict("records")
    return [{str(key): _plain(value) for key, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _usd(usd: float) -> str:
    return f"US$ {usd / USD_PER_BILLION:,.1f} bn"


def _percent(share: float, decimals: int = 1) -> str:
    return f"{100 * share:.{decimals}f} %"


def _over(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def counted_districts(n: int) -> str:
    """``1 district``, ``3 districts``."""
    return f"{n} district" if n == 1 else f"{n} districts"

"""What an area's districts look like as export hubs: all measures of this room, on a screen or as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geodata.facts import DistrictFacts, district_facts
from siting.districts.actions import MEASURES
from siting.districts.claims import claimed
from siting.districts.concentration import Concentration, compared_with_list
from siting.districts.connectivity import ADEQUATE_KM, Connectivity, distance_for_share, steps
from siting.districts.correlations import Moran, local_moran, moran, rank_correlations
from siting.districts.ground import Ground
from siting.districts.intelligence import Measured
from siting.districts.lifts import Measure
from siting.districts.paper import paper_text, with_plan
from siting.districts.potential import COVERED, Potential, measure_potential
from siting.districts.products import Products
from siting.districts.trends import district_panel, state_panel, trends
from siting.money import indian

USD_PER_BILLION = 1e9
LEAST_PER_HEAD_USD = 0.01
"""What districts count as that export less per inhabitant, where logarithms are taken."""
LIFTS_NAMED = 4
OUTCOMES = ("exports per inhabitant", "growth")


@dataclass(frozen=True)
class Profile:
    """Everything that is told of an area's districts.

    Args:
        area: name of the pack.
        connectivity_steps: share of districts below the index of 100 by distance of the adequate place, km.
        paper_km: that distance at which the paper's share of districts is below.
        measures: single investments, priced for every district.
        lifts: result of :func:`siting.districts.lifts.lifts`.
        correlations: of exports per inhabitant, and of growth where `years` tell it, by
            :func:`siting.districts.correlations.rank_correlations`.
        moran, local: of the logarithm of exports per inhabitant; the latter indexed by district_id.
        states: :func:`siting.districts.trends.trends` of states.
        years: the same of districts; None where there is one year only.
        lists: of each official list, how it compares with the rule.
        paper: result of :func:`siting.districts.paper.paper_tested`; None where the paper is of another area.
    """

    area: str
    facts: DistrictFacts
    concentration: Concentration
    connectivity: Connectivity
    connectivity_steps: dict[float, float]
    paper_km: float
    measures: list[Measure]
    lifts: pd.DataFrame
    potential: Potential
    products: Products
    correlations: pd.DataFrame
    moran: Moran
    local: pd.DataFrame
    states: pd.DataFrame
    years: pd.DataFrame | None
    lists: dict[str, dict[str, int | float]]
    paper: pd.DataFrame | None


def make_profile(
    ground: Ground,
    lists: Mapping[str, pd.Index] | None = None,
    adequate_km: float = ADEQUATE_KM,
    hub_cost_cut: float | None = None,
    yearly: Mapping[int, pd.DataFrame] | None = None,
) -> Profile:
    """Measure the districts of a study.

    Args:
        lists: district_id of the districts on official lists, by the name of the list.
        adequate_km: see :mod:`siting.districts.connectivity`.
        hub_cost_cut: ``served_cost_cut`` of a plan, for the paper's claim on it.
        yearly: export tables of other years, by fiscal year.
    """
    found = Measured.of(ground, adequate_km)
    pack, facts, connectivity = ground.pack, found.facts, found.connectivity
    fiscal_year = pack.manifest.get("exports_fiscal_year")
    years = _district_trends(ground, facts, fiscal_year, yearly or {})
    beside = _beside_exports(ground, facts, connectivity, years)
    per_head = np.log(np.maximum(beside["exports per inhabitant"].to_numpy(np.float64), LEAST_PER_HEAD_USD))
    return Profile(
        area=str(pack.manifest["name"]),
        facts=facts,
        concentration=found.concentration,
        connectivity=connectivity,
        connectivity_steps=steps(connectivity, ground),
        paper_km=distance_for_share(connectivity, ground, claimed("no_port_access")),
        lifts=found.lifts,
        measures=found.measures,
        potential=measure_potential(facts, ground.places),
        products=found.products,
        correlations=rank_correlations(beside, [name for name in OUTCOMES if name in beside]),
        moran=moran(per_head, facts.neighbours),
        local=local_moran(per_head, facts.neighbours).set_axis(facts.table.index),
        states=trends(state_panel(pack.export_history, facts, fiscal_year)),
        years=years,
        lists={name: compared_with_list(found.concentration.districts, ids) for name, ids in (lists or {}).items()},
        paper=None if found.paper is None else with_plan(found.paper, hub_cost_cut),
    )


def _district_trends(
    ground: Ground, facts: DistrictFacts, fiscal_year: int | None, yearly: Mapping[int, pd.DataFrame]
) -> pd.DataFrame | None:
    tables = {year: district_facts(ground.pack, table).usd for year, table in yearly.items()}
    if fiscal_year is not None:
        tables.setdefault(fiscal_year, facts.usd)
    return trends(district_panel(tables)) if len(tables) > 1 else None


def _beside_exports(
    ground: Ground, facts: DistrictFacts, connectivity: Connectivity, years: pd.DataFrame | None
) -> pd.DataFrame:
    """Of each district its exports per inhabitant, growth where it is known, and what may go with them."""
    people = facts.table["people"].to_numpy(np.float64)
    places = ground.places.table.set_index("place_id")
    table = connectivity.table.reindex(facts.table.index)
    beside = pd.DataFrame({
        "exports per inhabitant": np.where(people > 0, facts.usd / np.maximum(people, 1.0), np.nan),
        "cost to port": table["inr_per_t"],
        "hours to port by road": table["road_hours"],
        "km to a railway": places["rail_line_km"].reindex(facts.table.index),
        "km to a rail terminal": table["terminal_km"],
        "km to a depot": table["depot_km"],
        "workers outside farming": facts.table["workers_outside_farming"],
    }, index=facts.table.index)  # fmt: skip
    return beside if years is None else beside.join(years["growth"])


def profile_lines(profile: Profile) -> list[str]:
    """The profile in one screen or two."""
    sections = [
        _concentration_lines(profile),
        _connectivity_lines(profile),
        _potential_lines(profile),
        _pattern_lines(profile),
    ]
    if profile.paper is not None:
        sections.append(["The paper, tested", *paper_text(profile.paper)])
    return [line for section in sections for line in (*section, "")][:-1]


def _concentration_lines(profile: Profile) -> list[str]:
    found, of_paper = profile.concentration, profile.paper is not None
    m, theil = found.measures, found.theil
    both = found.placed_usd + found.unplaced_usd
    paper = (
        f" (the paper: {claimed('districts_for_50'):.0f} and {claimed('districts_for_75'):.0f})" if of_paper else ""
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
    paper = f" (the paper: {_percent(claimed('no_port_access'), 0)}, no threshold told)" if of_paper else ""
    at = ", ".join(f"{km:.0f} km {_percent(share, 0)}" for km, share in profile.connectivity_steps.items())
    lifted = profile.lifts[profile.lifts["lifts"]]
    first = lifted.head(LIFTS_NAMED)
    cheapest = list(zip(table["district"].reindex(first.index), first["measure"], first["inr_crore"], strict=True))
    kinds = [f"{n} by {MEASURES[str(key)]}" for key, n in lifted["measure"].value_counts().items()]
    return [
        f"Connectivity    {_percent(found.share_below, 0)} of districts ship the reference tonne at more than "
        f"₹{indian(found.reference_inr_per_t)}, as from {found.adequate_km:.0f} km of road{paper}",
        f"                by the distance taken as adequate: {at}"
        + (f"; the paper's share at {profile.paper_km:.0f} km" if of_paper and np.isfinite(profile.paper_km) else ""),
        f"                median ₹{indian(table['inr_per_t'].median())} a tonne, {table['road_hours'].median():.0f} h "
        f"by road; {_percent(float((table['mode'] == 'rail').mean()), 0)} of districts are best served by rail; "
        f"{int(table['inr_per_t'].isna().sum())} have no way",
        f"Lifted by one   {len(lifted)} of {len(profile.lifts)} districts below it: {', '.join(kinds) or 'none'}",
        *([f"                cheapest first: {', '.join(_lift(*row) for row in cheapest)}"] if cheapest else []),
    ]


def _lift(district: str, measure: str, inr_crore: float) -> str:
    return f"{district} {measure} ₹{indian(inr_crore)} crore"


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


def _pattern_lines(profile: Profile) -> list[str]:
    lines = []
    for outcome, rows in profile.correlations.groupby("outcome", sort=False):
        told = [
            f"{name} {value:+.2f} ({low:+.2f} to {high:+.2f})"
            for name, value, low, high in rows[["with", "correlation", "low", "high"]].itertuples(index=False)
            if np.isfinite(value)
        ]
        lines += [f"Goes with       {outcome}: {'; '.join(told[:3])};", f"                {'; '.join(told[3:])}"]
    lines.append("                rank correlations with 95 % intervals; none says what causes what")
    clear = profile.local[profile.local["clear"]]["quadrant"].value_counts()
    lines.append(
        f"Neighbours      Moran's I of exports per inhabitant {profile.moran.i:.2f} (p {profile.moran.p:.3f}); "
        f"{clear.get('high among high', 0)} districts stand high among high ones, "
        f"{clear.get('low among low', 0)} low among low"
    )
    states = profile.states.dropna(subset=["growth"])
    if len(states):
        fast, slow = states["growth"].nlargest(3), states["growth"].nsmallest(2)
        span = f"{states['first_year'].min()} to {states['last_year'].max()}"
        named = ", ".join(f"{state} {_signed(rate)}" for state, rate in [*fast.items(), *slow.items()])
        lines.append(f"States          growth a year, within fiscal years {span}: {named}")
    if profile.years is not None:
        years, names = profile.years, profile.facts.table["district"]
        movers = years["climbed"].nlargest(3).index
        growth, entered, left = years["growth"].median(), int(years["entered"].sum()), int(years["left"].sum())
        lines.append(
            f"Districts       median growth {_signed(float(growth))} a year; {entered} have entered, {left} left; "
            f"climbed most: {', '.join(names.reindex(movers))}"
        )
    return lines


def _signed(share: float) -> str:
    return f"{100 * share:+.1f} %"


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
        "correlations": records(profile.correlations),
        "moran": vars(profile.moran),
        "states": records(profile.states),
        "years": None if profile.years is None else records(profile.years),
        "products": {"proximity": records(profile.products.proximity)},
        "districts": records(district_table(profile)),
        "paper": None if profile.paper is None else records(profile.paper.set_index("key")),
    }


def district_table(profile: Profile) -> pd.DataFrame:
    """One row per district of the pack: how it is connected, and its exports where they are told of it.

    Columns of `Connectivity.table` and `Potential.table`, ``share``, ``leader``, ``strengths``, ``nearest``
    (sectors, joined by semicolons), ``local_quadrant``, ``local_p``; those of exports are empty for a
    district counted with another.
    """
    own = profile.concentration.districts[["share", "leader"]].join(profile.potential.table)
    products = profile.products
    own["strengths"] = [";".join(map(str, products.strengths(str(key)).index)) for key in own.index]
    own["nearest"] = [";".join(map(str, products.nearest(str(key)).index)) for key in own.index]
    local = profile.local[["quadrant", "p"]].set_axis(["local_quadrant", "local_p"], axis=1)
    return profile.connectivity.table.join(own).join(local)


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

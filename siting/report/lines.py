"""A plan and scenarios in the few lines that fit a screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from siting.certainty import CORE, word_of
from siting.districts.claims import AREA, claimed
from siting.money import INR_PER_CRORE, counted, crore, indian

if TYPE_CHECKING:
    from siting.scenarios.order import Order

SITE_WORDS = {
    "warehouse": "warehouse", "cold_store": "cold store", "cargo_terminal": "cargo terminal",
    "mmlp": "logistics park (MMLP)",
}  # fmt: skip


def plan_lines(s: Mapping[str, Any], sites: pd.DataFrame) -> list[str]:
    """Say in at most 25 lines what a plan amounts to, from its ``plan.json`` and ``sites.csv``."""
    counts, before, after, losing = s["counts"], s["before"], s["after"], s["not_recovering_capital"]
    ratio = "nothing built" if s["benefit_cost_ratio"] is None else f"{s['benefit_cost_ratio']:.2f}"
    payback = "never" if s["payback_years"] is None else f"{s['payback_years']:.1f} years"
    cut = (
        "none served" if s["served_cost_cut"] is None else f"cost per tonne falls by {100 * s['served_cost_cut']:.1f} %"
    )
    part_cost, saving = s["part_load_cost_before_inr_per_year"], s["saving_inr_per_year"]
    shares = [100 * saving / cost if cost else 0.0 for cost in (before["cost_inr_per_year"], part_cost)]
    first = s["concentration"]
    paper = ("", "")
    if s.get("area") == AREA:
        half, most, cut_by = (claimed(key) for key in ("districts_for_50", "districts_for_75", "hub_cost_cut"))
        paper = (f" (the paper: {half:.0f} and {most:.0f})",
                 f" (the paper: {100 * cut_by:.0f} % where multimodal hubs were built)")  # fmt: skip
    facts = {
        "Districts": f"{indian(counts['districts'])}, under-utilised {indian(counts['under_utilised'])}, served by a "
        f"new site {indian(counts['served_by_hub'])}, unreachable {indian(counts['unreachable'])}",
        "Concentration": f"{counted(first['districts_of_first_half'], 'district')} for 50 % and "
        f"{counted(first['districts_of_first_three_quarters'], 'district')} for 75 % of exports{paper[0]}",
        "Budget": f"₹{indian(s['budget_inr_crore'])} crore, of which ₹{indian(s['capex_inr_crore'])} crore is spent",
        "Sites": _built(sites),
        "Cost before": f"{crore(before['cost_inr_per_year'])} a year, of which part loads {crore(part_cost)}",
        "Cost after": f"{crore(after['cost_inr_per_year'])} a year, and {crore(s['fixed_cost_inr_per_year'])} "
        "to run the sites",
        "Net saving": f"{crore(saving)} a year: {shares[0]:.1f} % of all cost, {shares[1]:.1f} % of part-load cost"
        + _possible(s),
        **_suited(s),
        **_led(s, sites),
        "Benefit/cost": f"{ratio}, payback {payback}; {counted(losing['sites'], 'site')} "
        f"(₹{indian(losing['capex_inr_crore'])} crore) "
        f"{'does not recover its' if losing['sites'] == 1 else 'do not recover their'} own capital",
        **_worth(s),
        **_sure(s, sites),
        **_ruled(s),
        **_phased(s),
        "Served cargo": cut + paper[1],
        "Mean time": f"{before['mean_hours']:.0f} h before, {after['mean_hours']:.0f} h after",
        "CO2e": f"{indian(before['co2e_t_per_year'])} t before, {indian(after['co2e_t_per_year'])} t after, a year",
        "Fingerprint": s["fingerprint"][:16],
    }
    proof = f" by {s['proof']}" if s.get("proof") else ""
    head = f"{s['study']}: {s['status']}, gap {100 * s['gap']:.3f} %{proof}"
    return [head, *(f"{label:<16}{text}" for label, text in facts.items())]


def _possible(s: Mapping[str, Any]) -> str:
    """How much better the best plan may be."""
    share = s.get("gap_of_saving")
    saving = s.get("phases_saving_inr_per_year") or s["saving_inr_per_year"]
    return "" if share is None else f"; no plan is better by over {crore(share * saving, 1)}"


def _suited(s: Mapping[str, Any]) -> dict[str, str]:
    """Line of what the saving consists of, where shippers have tastes."""
    money, taste = (s["before"][part] - s["after"][part] for part in ("cost_inr_per_year", "taste_inr_per_year"))
    if not s["before"]["taste_inr_per_year"]:
        return {}
    return {
        "Of which": f"{crore(money)} freight, handling, time and carbon, {crore(taste)} ports and trains that suit "
        f"shippers better, less {crore(s['fixed_cost_inr_per_year'])} to run the sites"
    }


def _led(s: Mapping[str, Any], sites: pd.DataFrame) -> dict[str, str]:
    """Line of what leaders bring to the sites, where they may use them without counting."""
    study = s["resolved_study"]
    if not study.get("leaders_use_sites") or study["leader_weight"]:
        return {}
    used = sites["leaders_t_per_year"]
    return {
        "Leaders": f"{indian(used.sum())} t a year of their cargo through {counted(int((used > 0).sum()), 'site')}, "
        f"which saves them {crore(s['leaders_saving_inr_per_year'], 1)} a year; in no other figure"
    }


def _worth(s: Mapping[str, Any]) -> dict[str, str]:
    """Lines of what the capital is worth, of a result that says so."""
    lines = {}
    if (value := s.get("net_present_value_inr_crore")) is not None and s["capex_inr_crore"]:
        rate, budget = s.get("internal_rate_of_return"), s.get("economic_budget_inr_crore")
        lines["Worth today"] = f"{rupees_crore(value)} net, internal rate of return " + (
            "none" if rate is None else f"{100 * rate:.1f} %"
        )
        if budget is not None:
            lines["Economic budget"] = f"{rupees_crore(budget)}: more would not pay for itself"
    if subvention := s.get("transfers", {}).get("interest_subvention_inr_per_year"):
        lines["Transfer"] = f"{crore(subvention, 1)} a year of interest from the exchequer, in no other figure"
    return lines


def _sure(s: Mapping[str, Any], sites: pd.DataFrame) -> dict[str, str]:
    """Line of what draws of the uncertain parameters say, of a result that made some."""
    draws = s.get("draws")
    if draws is None:
        return {}
    low, high = (crore(draws["own_saving"][f"{end}_inr_per_year"]) for end in ("low", "high"))
    text = f"in 90 % of {counted(draws['n'], 'draw')} the plan saves {low} to {high} a year"
    if draws["repaying_share"] is not None:
        text += f" and repays in {100 * draws['repaying_share']:.0f} % of all; "
        if draws["saving"] is None:
            always = int((sites["repays_share"] >= CORE).sum())
            text += f"{counted(always, 'site')} of {len(sites)} repay in 90 %; --draws 200 chooses anew in each"
        else:
            words = [word_of(share) for share in sites["chosen_share"]]
            text += f"{counted(words.count('core'), 'site')} core, {words.count('doubtful')} doubtful"
    return {"How sure": text}


def _phased(s: Mapping[str, Any]) -> dict[str, str]:
    """Line of what each phase of a result builds and saves, where it has some."""
    told = [
        f"{phase['name']} {counted(phase['sites_opened'], 'site')}, ₹{indian(phase['capex_inr_crore'])} crore, "
        f"then {crore(phase['saving_inr_per_year'])} a year"
        for phase in s.get("phases") or []
    ]
    if not told:
        return {}
    mean = f"{crore(s['phases_saving_inr_per_year'], 1)} a year over all, later years counting less"
    return {"Phases": "; ".join([*told, mean]) + "; all else told here is of the last phase"}


def _ruled(s: Mapping[str, Any]) -> dict[str, str]:
    """Line of the rules of a result that has some: the dearest by name."""
    rules = s.get("rules") or []
    priced = [rule for rule in rules if rule["price_inr_per_year"] is not None]
    if not priced:
        return {"Rules": counted(len(rules), "rule") + " kept"} if rules else {}
    dearest = max(priced, key=lambda rule: rule["price_inr_per_year"])
    text = f"{counted(len(rules), 'rule')} kept at {crore(s['rules_price_inr_per_year'], 1)} a year"
    if len(rules) > 1:
        text += f", most of all {dearest['name']} ({crore(dearest['price_inr_per_year'], 1)})"
    return {"Rules": text}


def _built(sites: pd.DataFrame) -> str:
    tiers = sites.groupby(["facility_type", "tier"]).size().reset_index(name="n")
    rows = zip(tiers["facility_type"], tiers["tier"], tiers["n"], strict=True)
    return ", ".join(f"{indian(n)} {kind.replace('_', ' ')} {tier}" for kind, tier, n in rows) or "none"


def rupees_crore(value: float) -> str:
    """An amount in crore as crore with Indian grouping."""
    return crore(value * INR_PER_CRORE)


def site_table(sites: pd.DataFrame) -> str:
    """Sites of a plan as columns that fit a screen, money in crore."""
    when = {"opens in": sites["opens_in_phase"]} if "opens_in_phase" in sites else {}
    if "stages" in sites and sites["stages"].fillna("").any():
        when["grows"] = sites["stages"].fillna("")
    return text_table(pd.DataFrame({
        "place": sites["name"],
        "state": sites["state"],
        "type": sites["facility_type"].map(SITE_WORDS),
        "size": sites["tier"],
        "₹ crore": sites["capex_inr_crore"].map(lambda crore: indian(crore, 1)),
        "used": sites["utilisation"].map(lambda share: f"{100 * share:.0f} %"),
        "districts": sites["districts_served"],
        "saves ₹ crore/year": (sites["saving_inr_per_year"] / INR_PER_CRORE).map(lambda crore: indian(crore, 2)),
        **when,
    }))  # fmt: skip


def order_lines(order: Order, sites: pd.DataFrame) -> list[str]:
    """In what order to build the sites of a plan, and what looking no year ahead costs."""
    table = order.table.merge(sites[["option_id", "name", "state", "facility_type"]], on="option_id")
    shown = text_table(pd.DataFrame({
        "year": table["year"],
        "year by year": table["year_by_year"],
        "place": table["name"],
        "state": table["state"],
        "type": table["facility_type"].map(SITE_WORDS),
        "₹ crore": table["capex_inr_crore"].map(lambda crore: indian(crore, 1)),
        "in all": table["capex_inr_crore"].cumsum().map(lambda crore: indian(crore, 1)),
    }))  # fmt: skip
    return [
        shown,
        "",
        f"₹{indian(order.budget_inr_crore, 1)} crore a year, {counted(int(table['year'].max()), 'year')} of building. "
        f"Saves {crore(order.saving_inr_per_year, 1)} in the mean year, later years counting less; no order saves over "
        f"{crore(order.slack_inr_per_year, 2)} more.",
        f"Chosen year by year, without a look ahead, it saves {crore(order.lost_inr_per_year, 2)} a year less.",
    ]


def scenario_lines(table: pd.DataFrame) -> str:
    """Scenarios as columns that fit a screen, money in crore, and why some have no plan."""

    def words(column: pd.Series[Any], decimals: int) -> pd.Series[Any]:
        return column.astype(float).map(lambda value: indian(value, decimals) if pd.notna(value) else "–")

    solved = table[table["fingerprint"].notna()]
    shown = text_table(pd.DataFrame({
        "scenario": solved["scenario"],
        "budget ₹ crore": words(solved["budget_inr_crore"], 0),
        "spent": words(solved["capex_inr_crore"], 0),
        "saving ₹ crore/year": words(solved["saving_inr_per_year"] / INR_PER_CRORE, 1),
        "benefit ₹ crore/year": words(solved["benefit_inr_per_year"] / INR_PER_CRORE, 1),
        "of last rupee": words(solved["marginal_benefit_per_year_per_rupee"], 3),
        "benefit/cost": words(solved["benefit_cost_ratio"], 2),
        "warehouses": solved["warehouses"],
        "cold stores": solved["cold_stores"],
        "cargo terminals": solved["cargo_terminals"],
        "MMLPs": solved["mmlps"],
        "gap %": words(100 * solved["gap"], 3),
    })) if len(solved) else "no scenario has a plan"  # fmt: skip
    failed = table[table["fingerprint"].isna()]
    return "\n".join([
        shown,
        *(f"{row['scenario']}: {row['status']}: {row['message']}" for row in failed.to_dict("records")),
    ])  # fmt: skip


def text_table(table: pd.DataFrame) -> str:
    """A table as columns of text, numbers with four digits."""
    return str(table.to_string(index=False, float_format=lambda x: f"{x:,.4g}"))

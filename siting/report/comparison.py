"""What differs between results, in the few lines that fit a screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from siting.money import INR_PER_CRORE, MINUS, counted, crore, indian
from siting.report.lines import SITE_WORDS, rupees_crore, text_table
from siting.report.overrides import differing
from siting.results.compare import Comparison, ManyCompared, letter

LISTED_SITES = 6  # a comparison has at most 40 lines
LISTED_DISTRICTS = 6
LISTED_CHANGES = 4
LISTED_RESULTS = 9  # of many


def comparison_lines(a: Mapping[str, Any], b: Mapping[str, Any], found: Comparison, whole: bool = False) -> list[str]:
    """Say what differs between two results.

    Args:
        a: ``plan.json`` of the first.
        b: ``plan.json`` of the second.
        found: result of :func:`siting.results.compare.compare`.
        whole: whether every change, site and district is listed; else at most 40 lines.
    """
    lines = [f"A is {a['study']!r}, B is {b['study']!r}", f"{'':<18}{'A':>20}{'B':>20}{'B less A':>20}"]
    for key, (label, words) in _TOTALS.items():
        before, after = found.totals.loc[[key]].to_numpy(float)[0].tolist()
        texts = [words(value) if np.isfinite(value) else "–" for value in (before, after)]
        change = signed(after - before, words) if np.isfinite(after - before) else "–"
        lines.append(f"{label:<18}{texts[0]:>20}{texts[1]:>20}{change:>20}")
    asked = differing(a["resolved_study"], b["resolved_study"])
    lines += _some([f"B asks otherwise: {each}" for each in asked], LISTED_CHANGES, whole, "and", "more change")
    for name, sites in (("A", found.only_a), ("B", found.only_b)):
        lines += _site_lines(f"Only in {name}", sites, whole)
    lines.append(f"In both: {counted(found.both, 'site')}")
    changed = found.districts[found.districts["changed"]]
    order = changed["saving_change_inr_per_year"].abs().sort_values(ascending=False, kind="stable").index
    verb = "changes" if len(changed) == 1 else "change"
    lines.append(f"{counted(len(changed), 'district')} {verb}" + (", most of all:" if len(changed) else ""))
    shown = order if whole else order[:LISTED_DISTRICTS]
    return [*lines, *(f"  {_district_line(row)}" for row in changed.loc[shown].to_dict("records"))]


def _some(lines: Sequence[str], most: int, whole: bool, lead: str, noun: str) -> list[str]:
    """The first of some lines, or all, and how many more there are."""
    left = len(lines) - most
    return [*lines] if whole or left <= 0 else [*lines[:most], f"{lead} {counted(left, noun)}"]


def many_lines(plans: Sequence[Mapping[str, Any]], found: ManyCompared, whole: bool = False) -> list[str]:
    """Say what differs among three results or more.

    Args:
        plans: ``plan.json`` of each.
        found: result of :func:`siting.results.compare.compare_many`.
        whole: whether every result, site and district is listed; else at most 40 lines.
    """
    names = [letter(k) for k in range(len(plans))]
    shown = names if whole else names[:LISTED_RESULTS]
    table = pd.DataFrame({"": shown, "study": [plan["study"][:40] for plan in plans][: len(shown)]})
    for key, (label, words) in _TOTALS.items():
        values = found.totals.loc[[key], shown].to_numpy(float)[0].tolist()
        table[label] = [words(value) if np.isfinite(value) else "–" for value in values]
    lines = text_table(table).splitlines()
    lines += [f"and {counted(len(names) - len(shown), 'more result')}"] if len(shown) < len(names) else []
    for name, plan in list(zip(names, plans, strict=True))[1 : len(shown)]:
        asked = differing(plans[0]["resolved_study"], plan["resolved_study"])
        told = asked if whole else asked[:LISTED_CHANGES]
        more = f"; and {counted(len(asked) - len(told), 'more change')}" if len(told) < len(asked) else ""
        lines.append(f"{name} asks otherwise than A: {'; '.join(told) or 'nothing'}{more}")
    lines.append(f"In all: {counted(found.in_all, 'site')}; in some: {counted(len(found.sites), 'site')}")
    told = [f"  {_site(row)}: in {', '.join(row['open_in'])}" for row in found.sites.to_dict("records")]
    lines += _some(told, LISTED_SITES, whole, "  and", "more site")
    lines.append(
        f"{counted(len(found.districts), 'district')} whose saving differs"
        + ("; in ₹ crore a year:" * bool(len(found.districts)))
    )
    for row in (found.districts if whole else found.districts.head(LISTED_DISTRICTS)).to_dict("records"):
        saved = ", ".join(f"{name} {indian(row[name] / INR_PER_CRORE, 2)}" for name in shown if pd.notna(row[name]))
        lines.append(f"  {row['district']}, {row['state']}: {saved}")
    return lines


_TOTALS: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "budget_inr_crore": ("Budget", rupees_crore),
    "capex_inr_crore": ("Spent", rupees_crore),
    "fixed_cost_inr_per_year": ("To run, a year", lambda inr: crore(inr, 1)),
    "saving_inr_per_year": ("Saving a year", lambda inr: crore(inr, 1)),
    "benefit_cost_ratio": ("Benefit/cost", lambda ratio: indian(ratio, 2)),
    "payback_years": ("Payback", lambda years: f"{indian(years, 1)} years"),
    "mean_hours": ("Mean time", lambda hours: f"{indian(hours, 1)} h"),
    "co2e_t_per_year": ("CO2e a year", lambda tonnes: f"{indian(tonnes)} t"),
    "gap": ("Gap", lambda gap: f"{indian(100 * gap, 3)} %"),
}  # fmt: skip


def signed(value: float, words: Callable[[float], str]) -> str:
    """A change in words, with its sign; "same" where it shows in no digit.

    >>> signed(1.3e8, crore), signed(-1.3e8, crore), signed(2.0, crore)
    ('+₹13 crore', '−₹13 crore', 'same')
    """
    text = words(value)
    if not any(digit in text for digit in "123456789"):
        return "same"
    return text if text.startswith(MINUS) else f"+{text}"


def _site_lines(title: str, sites: pd.DataFrame, whole: bool) -> list[str]:
    if sites.empty:
        return [f"{title}: no site"]
    lines = [f"{title}: {counted(len(sites), 'site')}, {rupees_crore(sites['capex_inr_crore'].sum())}"]
    largest = sites.sort_values("saving_inr_per_year", ascending=False, kind="stable")
    told = [
        f"  {_site(row)}, {crore(INR_PER_CRORE * row['capex_inr_crore'], 1)}, "
        f"saves {crore(row['saving_inr_per_year'], 1)} a year"
        for row in largest.to_dict("records")
    ]
    return lines + _some(told, LISTED_SITES, whole, "  and", "more site")


def _site(row: Mapping[Any, Any]) -> str:
    kind = SITE_WORDS.get(row["facility_type"], row["facility_type"])
    return f"{row['name']}, {row['state']}: {kind}, {row['tier']}"


def _district_line(row: Mapping[Any, Any]) -> str:
    changes: list[tuple[float, Callable[[float], str]]] = [
        (row["saving_change_inr_per_year"], lambda inr: f"{crore(inr, 2)} saved a year"),
        (row["change_inr_per_t"], lambda inr: f"₹{indian(inr)} per t".replace(f"₹{MINUS}", f"{MINUS}₹")),
        (row["hours_change"], lambda hours: f"{indian(hours, 1)} h"),
    ]
    parts = [signed(value, words) for value, words in changes if pd.notna(value)]
    for label, name in (("hub", "hub"), ("port", "gateway")):
        old, new = (row[f"{name}_{side}"] if isinstance(row[f"{name}_{side}"], str) else "none" for side in "ab")
        parts += [f"{label} {old} → {new}"] if old != new else []
    return f"{row['district']}, {row['state']}: " + ", ".join(part for part in parts if part != "same")

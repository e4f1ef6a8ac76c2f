"""Plans that save little less than a plan: how far they differ from it, and what each site is worth beside them.

A site is a facility type at a place, in whatever size: a change of size is no change here. How much less a plan may
save is a part of what the plan saves a year; all that counts in the choice, capital where it is charged, counts too.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.errors import InputError
from geodata.folders import atomic_folder
from siting.certainty import SEPARATOR
from siting.plan import Plan
from siting.results.cells import write_csv
from siting.scenarios.why import Range, Why
from siting.solver import NearBest, Solution, most_different, never_within

ALTERNATIVES_FILES = ("alternatives.csv", "near_plans.csv", "alternatives.json")
OTHERS = 5
"""Sites of other near plans that are looked at one by one."""

Told = Callable[[str], None]


@dataclass(frozen=True)
class SiteWorth:
    """What the best plan without a site of the plan, or with a site that is not in it, costs more a year.

    Args:
        more: None where no plan does without, or with.
        opens, closes: options by which that plan differs from the best.
    """

    site_id: str
    in_plan: bool
    more: Range | None
    opens: tuple[str, ...] = ()
    closes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alternatives:
    """What is known of plans near the best.

    Args:
        margin_inr_per_year: what they may cost more.
        given_up: how many of the plan's sites they can do without. changed: how many sites they can close and open.
        unsettled: sites beside the plan's that a plan within the margin may open; of all others it is proven that none
            does.
    """

    plan: Plan
    best: Solution
    margin_inr_per_year: float
    given_up: NearBest
    changed: NearBest
    sites: list[SiteWorth]
    unsettled: int

    @property
    def proven(self) -> bool:
        """Whether the most that can change, and that can be given up, is proven."""
        return all(found.most == found.at_most for found in (self.given_up, self.changed))

    @cached_property
    def _site_id(self) -> NDArray[np.object_]:
        return self.plan.model.options["site_id"].to_numpy(object)

    def _sites(self, opened: NDArray[np.int64]) -> set[str]:
        return {str(name) for name in self._site_id[opened]}

    def site_table(self) -> pd.DataFrame:
        """``alternatives.csv``"""
        rows = []
        for site in self.sites:
            low, high = (np.nan, np.nan) if site.more is None else (site.more.low, site.more.high)
            near = "no" if site.more is None or low > self.margin_inr_per_year else "open"
            rows.append({
                "site_id": site.site_id, "in_plan": site.in_plan, "more_low_inr_per_year": low,
                "more_high_inr_per_year": high,
                "within": "yes" if high <= self.margin_inr_per_year else near,
                "opens": SEPARATOR.join(site.opens), "closes": SEPARATOR.join(site.closes),
            })  # fmt: skip
        return pd.DataFrame(rows, columns=["site_id", "in_plan", "more_low_inr_per_year", "more_high_inr_per_year",
                                           "within", "opens", "closes"])  # fmt: skip

    def plan_table(self) -> pd.DataFrame:
        """``near_plans.csv``: those that differ most first."""
        mine = self._sites(self.best.open)
        plans = {
            tuple(opened.tolist()): cost for found in (self.given_up, self.changed) for opened, cost in found.plans
        }
        rows = []
        for opened, cost in plans.items():
            sites = self._sites(np.array(opened, dtype=np.int64))
            rows.append({
                "sites": len(sites), "changed": len(sites ^ mine), "given_up": len(mine - sites),
                "more_inr_per_year": max(cost - self.best.objective, 0.0),
                "opens": SEPARATOR.join(sorted(sites - mine)), "closes": SEPARATOR.join(sorted(mine - sites)),
            })  # fmt: skip
        table = pd.DataFrame(rows).sort_values(
            ["changed", "given_up", "more_inr_per_year"], ascending=[False, False, True]
        )
        table.insert(0, "plan", range(1, len(table) + 1))
        return table.reset_index(drop=True)

    def summary(self) -> dict[str, object]:
        """``alternatives.json``"""
        study = self.plan.model.study
        return {
            "study": study.name,
            "fingerprint": study.fingerprint(self.plan.model.pack),
            "saving_inr_per_year": self.plan.net_saving_inr_per_year,
            "margin_inr_per_year": self.margin_inr_per_year,
            "sites": len(self._sites(self.best.open)),
            "given_up": {"found": int(self.given_up.most), "at_most": int(self.given_up.at_most)},
            "changed": {"found": int(self.changed.most), "at_most": int(self.changed.at_most)},
            "unsettled_sites": self.unsettled,
        }


def alternatives(
    plan: Plan, within: float, *, others: int = OTHERS, progress: Told = lambda what: None
) -> Alternatives:
    """Look for plans near the best that differ most from it, and what each site is worth.

    Args:
        plan: a proven plan, of a study without phases.
        within: part of what the plan saves a year that another may save less.
        others: sites of such plans, not in the plan, that are looked at one by one.
        progress: told what is being solved.
    """
    model, limit = plan.model, plan.model.study.time_limit_s
    why = Why(plan, progress)
    best, site_id = why.best, model.options["site_id"].to_numpy(object)
    margin = within * max(plan.net_saving_inr_per_year, 0.0)
    ceiling = best.objective + margin
    mine = np.isin(site_id, site_id[best.open])
    found = {}
    for name, reward in (("given up", np.where(mine, -1.0, 0.0)), ("changed", np.where(mine, -1.0, 1.0))):
        found[name] = most_different(
            model.problem, best, ceiling, reward, gap=why.gap, time_limit=limit,
            progress=_naming(progress, name),
        )  # fmt: skip
    kept = float(len(set(site_id[best.open])))  # rewards count what stays; sites are counted that change
    given_up, changed = (_counted(found[name], kept) for name in ("given up", "changed"))
    progress("sites that no plan so near opens")
    never = never_within(model.problem, best, ceiling, why.gap, limit)
    unsettled = len(set(site_id[~never & ~mine]))
    return Alternatives(plan, best, margin, given_up, changed, _worths(why, given_up, changed, others), unsettled)


def _naming(progress: Told, name: str) -> Told:
    return lambda what: progress(f"most sites {name}, {what}")


def _counted(found: NearBest, kept: float) -> NearBest:
    return NearBest(found.most + kept, found.at_most + kept, found.open, found.plans)


def _worths(why: Why, given_up: NearBest, changed: NearBest, others: int) -> list[SiteWorth]:
    """Each site of the plan, and those that most other near plans open."""
    site_id = why.model.options["site_id"].to_numpy(object)
    mine = {str(name) for name in site_id[why.best.open]}
    count = Counter(
        str(name) for opened, _ in [*given_up.plans, *changed.plans] for name in set(site_id[opened]) - mine
    )
    rows = [_without(why, name) for name in sorted(mine & set(why.plan.opened["site_id"]))]
    rows.sort(key=lambda row: np.inf if row.more is None else row.more.high)
    near = sorted(count, key=lambda name: (-count[name], name))[:others]
    return rows + [_with(why, name) for name in near]


def _without(why: Why, site: str) -> SiteWorth:
    try:
        (reason,) = why.site(site)
    except InputError:  # it is forced, or some rule needs it
        return SiteWorth(site, True, None)
    return SiteWorth(site, True, reason.worth_inr_per_year, tuple(reason.instead), tuple(reason.dropped))


def _with(why: Why, site: str) -> SiteWorth:
    known = [reason for reason in why.place(site) if reason.short_inr_per_year is not None]
    if not known:
        return SiteWorth(site, False, None)
    best = min(known, key=lambda reason: reason.short_inr_per_year.high if reason.short_inr_per_year else np.inf)
    return SiteWorth(site, False, best.short_inr_per_year, (best.option_id,), tuple(best.dropped))


def write_alternatives(found: Alternatives, out: Path) -> None:
    """Write the tables of plans near the best.

    Raises:
        InputError: ``out`` holds anything that was not written here.
        OSError: they cannot be written.
    """
    with atomic_folder(out, ALTERNATIVES_FILES) as folder:
        write_csv(found.site_table(), folder / "alternatives.csv")
        write_csv(found.plan_table(), folder / "near_plans.csv")
        text = json.dumps(found.summary(), indent=1, ensure_ascii=False)
        (folder / "alternatives.json").write_text(text + "\n", encoding="utf-8")

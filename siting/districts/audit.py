"""A plan held against a year that has passed: what its sites were to save, what they saved, and why not more.

What a plan expects and what happened are two worlds. They differ in exports, in rates, in how long the plan's own sites
were at work, and in what else was built. A world's net saving, with the sites S_k at work in part w_k of the year, is

    N = sum_k w_k (cost of today's ways - least cost through S_k) - running cost

by the model of the plan: no invoices are read, and cargo finds its cheapest way in each world. The shortfall is laid on
the causes by their Shapley values, the mean over all orders in which the causes K could have come about:

    A_c = sum_{U in K without c} |U|! (|K| - |U| - 1)! / |K|! (N(U and c) - N(U)),   sum_c A_c = N(K) - N(none)   (75)

[Shapley 1953; Shorrocks 2013], exactly, for every district, site and so for every state too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd

from siting.certainty import site_of
from siting.districts.worlds import Array, Causes, Worlds
from siting.model.model import Model
from siting.model.routing import Routing
from siting.plan import Plan, make_plan
from siting.study import Study

CAUSES = ("tonnage", "cost", "delay", "other_sites")


def shapley(value: Callable[[Causes], Array], causes: Collection[str]) -> dict[str, Array]:
    """What each cause adds, by (75).

    Args:
        value: of the world in which some of the causes have come about.
    """
    causes = list(causes)
    n = len(causes)
    found = {}
    for cause in causes:
        others = [name for name in causes if name != cause]
        terms = []
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for before in map(frozenset, combinations(others, size)):
                terms.append(weight * (value(before | {cause}) - value(before)))
        found[cause] = np.sum(terms, axis=0)
    return found


@dataclass(frozen=True)
class Audit(Worlds):
    """What a plan expected of a year, what happened, and what the difference is due to."""

    @cached_property
    def expected(self) -> Array:
        return self.value(frozenset())

    @cached_property
    def happened(self) -> Array:
        return self.value(frozenset(CAUSES))

    @cached_property
    def causes(self) -> dict[str, Array]:
        """What each cause adds to the saving, by (75), by district and site as `value`."""
        known: dict[Causes, Array] = {}

        def value(causes: Causes) -> Array:
            if causes not in known:
                known[causes] = self.value(causes)
            return known[causes]

        return shapley(value, CAUSES)

    def _savings(self, rows: slice) -> dict[str, Array]:
        told = {"expected_inr_per_year": self.expected[rows], "happened_inr_per_year": self.happened[rows]}
        return told | {f"{cause}_inr_per_year": self.causes[cause][rows] for cause in CAUSES}

    @cached_property
    def districts(self) -> pd.DataFrame:
        """``audit_districts.csv``: exports, tonnes, cost of a tonne and saving, as expected and as they happened."""
        before, now = self.base, self.models[True, True]
        n = len(before.demand)
        table = before.demand[["district_id", "state", "district", "under_utilised"]].copy()
        for name, model in (("expected", before), ("happened", now)):
            table[f"export_{name}_usd"] = model.demand["export_usd"].to_numpy()
            tonnes = model.clients.groupby("district")["tonnes_per_year"].sum()
            table[f"tonnes_{name}"] = tonnes.reindex(range(n), fill_value=0.0).to_numpy()
            table[f"today_{name}_inr_per_t"] = _cost_of_today(model)
        return table.assign(**self._savings(slice(0, n)))

    @cached_property
    def site_table(self) -> pd.DataFrame:
        """``audit_sites.csv``: what was planned and built, when, at what cost."""
        sites, n = self.sites, len(self.base.demand)
        at = self.base.places.table.iloc[sites["place"]]
        table = pd.DataFrame({
            "option_id": sites.index, "name": at["name"].to_numpy(), "state": at["state"].to_numpy(),
            "facility_type": sites["facility_type"].to_numpy(), "tier": sites["tier"].to_numpy(),
            "planned": sites["planned"].to_numpy(), "commissioned": sites["commissioned"].to_numpy(),
            "months": sites["months"].to_numpy(), "planned_inr_crore": sites["capex_inr_crore"].to_numpy(),
            "spent_inr_crore": sites["spent_inr_crore"].to_numpy(),
        })  # fmt: skip
        return table.assign(**{
            f"running_{name}": -values for name, values in self._savings(slice(n, None)).items()
        })  # fmt: skip

    @cached_property
    def states(self) -> pd.DataFrame:
        """``audit_states.csv``: districts and sites of each state together; savings are after running cost."""
        sites = self.site_table
        savings = list(self._savings(slice(0)))
        exports = ["export_expected_usd", "export_happened_usd", "tonnes_expected", "tonnes_happened"]
        table = self.districts.groupby("state")[[*exports, *savings]].sum()
        running = sites.groupby("state")[[f"running_{name}" for name in savings]].sum().set_axis(savings, axis=1)
        table[savings] -= running.reindex(table.index).fillna(0.0)
        planned = sites[sites["planned"]]
        counts = {
            "sites_planned": planned, "sites_at_work": planned[planned["months"] > 0],
            "other_sites_at_work": sites[~sites["planned"] & (sites["months"] > 0)],
        }  # fmt: skip
        for name, rows in counts.items():
            table[name] = rows.groupby("state").size().reindex(table.index).fillna(0).astype(int)
        for name, rows in (("planned_inr_crore", planned), ("spent_inr_crore", sites)):
            table[name] = rows.groupby("state")[name].sum().reindex(table.index).fillna(0.0)
        return table.reset_index()

    @cached_property
    def totals(self) -> dict[str, float]:
        """Expected, happened and causes in all, INR a year."""
        return {name: float(values.sum()) for name, values in self._savings(slice(None)).items()}

    # -- what now -------------------------------------------------------------------------------------------

    @cached_property
    def standing(self) -> list[str]:
        """``option_id`` of all that is commissioned by the end of the year."""
        return self.sites.index[self.sites["stands"]].tolist()

    @cached_property
    def standing_inr_per_year(self) -> float:
        """Net saving of all that stands, in a whole year like the one audited."""
        return self.operate(True, True, tuple(sorted(self.standing))).net_inr_per_year

    @cached_property
    def next_study(self) -> Study:
        """The question from what stands now: what is built stays, and what is left of the budget may be spent."""
        study, sites = self.study, self.sites.loc[self.standing]
        taken = set(sites["site_id"])
        forced = [name for name in study.forced if site_of(name) not in taken]
        capital = self.models[True, True].options.set_index("option_id")["capex_inr_crore"]
        held = float(capital[[*sites.index, *forced]].sum())
        left = max(study.budget_inr_crore - float(self.sites["spent_inr_crore"].sum()), 0.0)
        names = {*sites.index, *taken, *(site.split("@")[1] for site in taken)}
        return study.with_changes(
            name=f"{study.name}, from FY{self.year.fiscal_year}", forced=(*sites.index, *forced),
            forbidden=tuple(name for name in study.forbidden if name not in names),
            budget_inr_crore=max(left + float(capital[sites.index].sum()), held),
        )  # fmt: skip

    @cached_property
    def next_plan(self) -> Plan:
        """The best plan from what stands now, which stays even where too few boxes come for its customs staff."""
        now, model = self.next_study, self.models[True, True]
        stands = model.options["option_id"].isin(self.standing).to_numpy()
        problem = model.problem.with_changes(min_throughput=np.where(stands, 0.0, model.problem.min_throughput))
        return make_plan(
            replace(model, problem=problem), name=now.name, budget_inr_crore=now.budget_inr_crore, forced=now.forced,
            forbidden=now.forbidden,
        )  # fmt: skip

    def next_sites(self) -> dict[str, list[str]]:
        """``option_id`` of what is to be built next, of the plan's sites and of others, and of what is dropped."""
        chosen, standing = set(self.next_plan.opened["option_id"]), set(self.standing)
        to_come = [name for name in self.next_plan.opened["option_id"] if name not in standing]
        return {
            "still": [name for name in to_come if name in self.planned],
            "new": [name for name in to_come if name not in self.planned],
            "dropped": [name for name in self.planned if name not in chosen],
        }


def _cost_of_today(model: Model) -> Array:
    """(n_districts,) mean cost of a tonne by the ways that exist, INR/t; NaN without cargo or road."""
    routing = Routing.today(model)
    n = len(model.demand)
    price = routing.lanes.cost_inr_per_t - model.pricer.taste_of(routing.lanes)
    tonnes = np.bincount(routing.district, routing.tonnes, minlength=n)
    cost = np.bincount(routing.district, price * routing.tonnes, minlength=n)
    mean: Array = np.divide(cost, tonnes, out=np.full(n, np.nan), where=tonnes > 0)
    return mean

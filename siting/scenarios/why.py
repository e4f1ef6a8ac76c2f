"""Why a site is in a plan, why a place is not, and what it would take: each answer is another proven plan.

With Z the least cost of a year [equation (1), capital charge included], S the options of a site, and Z(...) the same
under one more limit:

    worth of a site          = Z(no option of S) - Z                                   (97)
    short of an option j     = Z(j open) - Z, where j is not open                      (98)

(97) is the replacement cost: what is lost when the site goes and all else is chosen anew. The cost of every plan with j
falls by a rupee with each rupee that j costs less a year, that of no other plan does: (98) is exactly the yearly
subsidy from which a plan with j is among the best. All are told as the range that the proofs leave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.errors import Fault, InputError
from siting.model.costs import Array
from siting.model.model import Model
from siting.model.names import suggestion
from siting.plan import Plan
from siting.scenarios.ways import components_through, gainers_through, own_worth, ways_of
from siting.solver import FacilityProblem, Solution, solve
from siting.solver import InputError as ProblemError

FINER = 0.1
"""Of the study's gap: what is told here is a difference of two costs."""
MOST_TIMES = 8.0
"""More than this many times its tonnage no district is thought to ship."""
APART = 1.02
"""Tonnages this much apart are one."""
TRIED = 3
"""Places that are tried for a district: those where its own cargo would save most."""

Told = Callable[[str], None]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Range:
    """What the proofs leave open of a yearly sum, INR."""

    low: float
    high: float


@dataclass(frozen=True)
class SiteReason:
    """Why a site is built.

    Attributes:
        worth_inr_per_year: equation (97).
        instead, dropped: options that open and close where the site may not open.
        parts_inr_per_year: what its cargo saves by component, gains positive, and what the site costs, negative.
        districts: district_id, name, tonnes_per_year, saving_inr_per_year of who uses it, most saving first.
    """

    option_id: str
    worth_inr_per_year: Range
    instead: list[str]
    dropped: list[str]
    parts_inr_per_year: dict[str, float]
    districts: pd.DataFrame


@dataclass(frozen=True)
class OptionReason:
    """What it would take to build an option.

    Attributes:
        short_inr_per_year: equation (98); None where no plan with it keeps the limits, as ``message`` says.
        capex_inr_crore: its capital; ``enough_inr_crore`` is the capital at which it is built, None where not even
            free capital would do. Where the budget is all spent it may be built at more.
        dropped: options that close where it opens.
        districts: names of those that it would serve, most tonnes first.
        tonnage_factor: how many times their tonnage (range), at which it pays at its own price; None: over
            ``MOST_TIMES``, or not looked for.
    """

    option_id: str
    message: str
    short_inr_per_year: Range | None
    capex_inr_crore: float
    enough_inr_crore: float | None
    dropped: list[str]
    districts: list[str]
    tonnage_factor: Range | None = None


@dataclass(frozen=True)
class DistrictReason:
    """How the cargo of a district moves, and what would have to change.

    Attributes:
        ways: one row per cargo class, load and way: ``cargo_class``, ``load``, ``tonnes_per_year``,
            ``before_inr_per_t``, ``after_inr_per_t``, ``via`` (options used), ``next_via`` and ``next_inr_per_t`` (the
            cheapest other way through any option, built or not; none: no other way is cheaper than today's).
        options: what it takes to build the options where the district's own cargo would save most.
    """

    district_id: str
    ways: pd.DataFrame
    options: list[OptionReason]


class Why:
    """Asks about one plan; every question is solved from the plan's own answer.

    Args:
        plan: a proven plan, of a study without phases.
        progress: told what is being solved.
    """

    def __init__(self, plan: Plan, progress: Told = lambda what: None) -> None:
        self.plan, self.model, self._progress = plan, plan.model, progress
        self._options = self.model.options
        self._ids = self._options["option_id"].to_numpy(object)
        self._place_id = self.model.places.table["place_id"].to_numpy(object)[self._options["place"]]
        self.gap = self.model.study.gap * FINER
        self._told: dict[int, OptionReason] = {}
        self._tonnes: dict[int, Array] = {}  # of districts through an option, in the best plan with it
        self._progress("the plan itself, closer")
        self.best = self._solved(self.model.problem)

    # -- what is asked ---------------------------------------------------------------------------------------

    def kinds_of(self, name: str) -> list[str]:
        """What a name stands for: ``site`` (open), ``place`` (open to be built at) and ``district``.

        Raises:
            InputError: the name of nothing, with what it may have meant.
        """
        opened = np.isin(np.arange(len(self._ids)), self.plan.solution.open)
        named = self._named(name)
        kinds = [kind for kind, mask in (("site", named & opened), ("place", named & ~opened)) if mask.any()]
        if "site" in kinds:
            kinds = ["site"]
        if (self.model.demand["district_id"] == name).any():
            kinds.append("district")
        if not kinds:
            known = {*self._ids, *self._options["site_id"], *self._place_id, *self.model.demand["district_id"]}
            near = suggestion(name, sorted(known))
            remedy = f"did you mean '{near}'?" if near else "names are in sites.csv and districts.csv of the result"
            raise InputError(Fault(f"'{name}' is no site, place or district of this study", remedy))
        return kinds

    def site(self, name: str) -> list[SiteReason]:
        """Why each open option of a name is built."""
        opened = np.zeros(len(self._ids), dtype=bool)
        opened[self.plan.solution.open] = True
        return [self._site(int(j)) for j in np.flatnonzero(self._named(name) & opened)]

    def place(self, name: str, tonnage: bool = False) -> list[OptionReason]:
        """What it takes to build at a place: of each facility type the size that takes least.

        Args:
            tonnage: also look for the least tonnage of its districts; takes some 14 solves an option.
        """
        closed = self._named(name)
        closed[self.plan.solution.open] = False
        reasons = []
        for _, rows in self._options[closed].groupby("facility_type", sort=False):
            sizes = [(self._option(int(j)), int(j)) for j in rows.index]
            best, j = min(sizes, key=lambda each: _least(each[0]))
            reasons.append(self._with_tonnage(best, j) if tonnage and best.short_inr_per_year else best)
        return reasons

    def district(self, district_id: str) -> DistrictReason:
        """How a district's cargo moves, its next best way, and what it takes to build where it would save most."""
        (row,) = np.flatnonzero(self.model.demand["district_id"] == district_id)
        worth = own_worth(self.plan, int(row))
        tried = [int(j) for j in np.argsort(-worth, kind="stable")[:TRIED] if worth[j] > 0]
        return DistrictReason(district_id, ways_of(self.plan, int(row)), [self._option(j) for j in tried])

    # -- how it is answered ----------------------------------------------------------------------------------

    def _solved(self, problem: FacilityProblem) -> Solution:
        study = self.model.study
        return solve(problem, gap=self.gap, time_limit=study.time_limit_s, start=self.plan.solution)

    def _named(self, name: str) -> Mask:
        """(n_options,) options that a name of an option, a site or a place stands for."""
        return np.asarray(
            (self._ids == name) | (self._options["site_id"].to_numpy(object) == name) | (self._place_id == name)
        )

    def _without(self, options: Sequence[int], problem: FacilityProblem) -> FacilityProblem:
        barred = np.union1d(problem.forbidden, np.asarray(options, dtype=np.int64))
        kept = np.setdiff1d(problem.forced_open, barred)
        return problem.with_changes(forbidden=barred, forced_open=kept)

    def _with(self, j: int, problem: FacilityProblem) -> FacilityProblem:
        opened = np.union1d(problem.forced_open, [j])
        return problem.with_changes(forced_open=opened, forbidden=np.setdiff1d(problem.forbidden, [j]))

    def _beyond(self, other: Solution) -> Range:
        """How much dearer the best plan under one more limit is."""
        low = max(other.bound - self.best.objective, 0.0)
        return Range(low, max(other.objective - self.best.bound, low))

    def _names(self, options: Index) -> list[str]:
        return [str(name) for name in self._ids[options]]

    def _site(self, j: int) -> SiteReason:
        options = self._options
        same = np.flatnonzero((options["site_id"] == options["site_id"].iat[j]).to_numpy())
        self._progress(f"without {options['site_id'].iat[j]}")
        other = self._solved(self._without(same.tolist(), self.model.problem))
        if other.status in ("infeasible", "unknown"):
            raise InputError(Fault(f"no plan does without {options['site_id'].iat[j]}", "it is forced by the limits"))
        at = self.plan.opened.index.get_loc(j)
        parts = {name: value for name, value in components_through(self.plan, j).items() if value}
        parts["running"] = -float(self.plan.opened["fixed_cost_inr_per_year"].to_numpy()[at])
        parts["capital"] = -float(self.plan.opened["capital_charge_inr_per_year"].to_numpy()[at])
        return SiteReason(
            str(self._ids[j]),
            self._beyond(other),
            self._names(np.setdiff1d(other.open, self.best.open)),
            self._names(np.setdiff1d(np.setdiff1d(self.best.open, other.open), same)),
            parts,
            gainers_through(self.plan, j),
        )

    def _option(self, j: int) -> OptionReason:
        if j not in self._told:
            self._told[j] = self._reason_of(j)
        return self._told[j]

    def _reason_of(self, j: int) -> OptionReason:
        name, capex = str(self._ids[j]), float(self._options["capex_inr_crore"].to_numpy()[j])
        self._progress(f"with {name}")
        try:
            with_it = self._solved(self._with(j, self.model.problem))
        except ProblemError as error:  # with what is forced already it breaks the budget or is a second size
            return OptionReason(name, str(error), None, capex, None, [], [])
        if with_it.status in ("infeasible", "unknown"):
            return OptionReason(name, with_it.message, None, capex, None, [], [])
        short = self._beyond(with_it)
        charge = float(self._options["capital_charge_inr_per_year"].to_numpy()[j])
        enough = capex * (1 - short.high / charge) if 0 < charge >= short.high else None
        dropped = np.setdiff1d(self.best.open, with_it.open)
        tonnes = self._tonnes[j] = self._tonnes_of_districts(j, with_it)
        served = np.argsort(-tonnes, kind="stable")[: int((tonnes > 0).sum())]
        names = [str(name) for name in self.model.demand["district"].iloc[served]]
        return OptionReason(name, "", short, capex, enough, self._names(dropped), names)

    def _tonnes_of_districts(self, j: int, solution: Solution) -> Array:
        problem = self.model.problem
        rows = np.flatnonzero((solution.lane_share > 0) & (problem.lane_options == j).any(axis=1))
        client = self.model.active[problem.lane_client[rows]]
        tonnes = self.model.clients["tonnes_per_year"].to_numpy()[client] * solution.lane_share[rows]
        district = self.model.clients["district"].to_numpy()[client]
        return np.bincount(district, tonnes, minlength=len(self.model.demand)).astype(float)

    def _with_tonnage(self, reason: OptionReason, j: int) -> OptionReason:
        """How many times their tonnage the districts that an option would serve need, for it to be built.

        The factor is looked for by halving: below the range a plan without the option is better, above it one with.
        """
        served = self._tonnes[j] > 0
        low, high = 1.0, MOST_TIMES
        if not self._pays(j, served, high):
            return reason
        while high / low > APART:
            middle = float(np.sqrt(low * high))
            low, high = (low, middle) if self._pays(j, served, middle) else (middle, high)
        return OptionReason(**{**vars(reason), "tonnage_factor": Range(low, high)})

    def _pays(self, j: int, districts: Mask, times: float) -> bool:
        """Whether a plan with the option is at least as good as any without, with so much more cargo."""
        self._progress(f"{self._ids[j]} with {times:.2f} times the cargo")
        more = with_more_cargo(self.model, districts, times)
        return self._solved(self._with(j, more)).objective <= self._solved(self._without([j], more)).objective


def with_more_cargo(model: Model, districts: Mask, times: float) -> FacilityProblem:
    """The problem with so many times the cargo of some districts, shipped as today's is.

    Args:
        districts: (n_districts,) mask.
    """
    problem = model.problem
    more = np.where(districts[model.clients["district"].to_numpy()[model.active]], times, 1.0)
    return problem.with_changes(
        lane_cost=problem.lane_cost * more[problem.lane_client],
        unserved_cost=problem.unserved_cost * more,
        demand=problem.demand * more,
    )


def _least(reason: OptionReason) -> float:
    return np.inf if reason.short_inr_per_year is None else reason.short_inr_per_year.low

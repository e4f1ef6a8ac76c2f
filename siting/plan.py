"""A solved and re-checked answer of a study, as tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.errors import Fault
from siting.appraisal import Appraisal
from siting.certainty import Certainty
from siting.intelligence import Intelligence
from siting.kept_rules import kept_rows
from siting.leaders import with_leaders
from siting.model.costs import appraisal_factor
from siting.model.lanes import NONE, Lanes
from siting.model.model import InfeasibleError, Model, check_names_of, chosen_options, refused_as_input, timed
from siting.model.routing import Routing
from siting.model.rule_limits import impossible_rules
from siting.model.rules import with_rules
from siting.money import INR_PER_CRORE
from siting.phased import Phased, solve_phases
from siting.solver import Progress, Solution, solve
from siting.stages import Announce, Stage
from siting.study import Study

if TYPE_CHECKING:
    from siting.rule_prices import RulePrices

COST_TOLERANCE = 1e-9  # relative difference between the search's price of a lane and the sum of its parts


@dataclass(frozen=True, eq=False)
class Plan:
    """The solved answer of a study, as tables. Column names and meanings: design of ``plan.json`` and the CSVs."""

    model: Model
    solution: Solution
    before: Routing
    """how cargo moves today"""
    after: Routing
    """how it moves with the plan"""
    stages: dict[str, float]
    economic_budget_inr_crore: float | None = None
    """capital that pays for itself, of :func:`with_economic_budget`"""
    certainty: Certainty | None = None
    """what draws of the uncertain parameters say of it, of :func:`siting.scenarios.draws.evaluate_draws`"""
    intelligence: Intelligence | None = None
    """what is told of its districts as export hubs, of :func:`siting.districts.intelligence.district_intelligence`"""

    phased: Phased | None = None
    """what opens when, of a study with phases, and how that is proven: all else that is told is of the last phase"""

    rule_prices: RulePrices | None = None
    """what the rules of its study cost, of :func:`siting.rule_prices.with_rule_prices`"""

    # -- totals ---------------------------------------------------------------------------------------------

    @cached_property
    def opened(self) -> pd.DataFrame:
        """Open options with ``throughput_t_per_year``, ``leaders_t_per_year`` (of it), ``districts_served``,
        ``saving_inr_per_year`` (after the charges of use) and ``use_capital_inr_per_year`` (of these charges, what
        pays for capital).

        A lane's saving is shared equally by the sites it uses, so the column adds up to the gross saving.
        """
        model = self.model
        options = model.options.iloc[self.solution.open]
        clients, rows = model.clients, np.flatnonzero(self.solution.lane_share > 0)
        problem = model.problem
        client = model.active[problem.lane_client[rows]]
        tonnes = clients["tonnes_per_year"].to_numpy()[client] * self.solution.lane_share[rows]
        counted = clients["weight"].to_numpy()[client] * tonnes
        quo = np.full(len(clients), np.nan)
        quo[model.existing.client] = model.existing.cost_inr_per_t
        saving = (quo[client] - model.row_cost_inr_per_t[rows]) * counted
        needs = problem.lane_options[rows]
        n_sites = (needs >= 0).sum(axis=1)
        use = pd.concat([
            pd.DataFrame({
                "option": needs[:, k], "district": clients["district"].to_numpy()[client],
                "tonnes": tonnes, "counted_t": counted, "saving": saving / n_sites,
                "leaders_t": np.where(clients["under_utilised"].to_numpy()[client], 0.0, tonnes),
            })
            for k in (0, 1)
        ])  # fmt: skip
        use = use[use["option"] >= 0].groupby("option").agg(
            throughput_t_per_year=("tonnes", "sum"),
            counted_t_per_year=("counted_t", "sum"),
            leaders_t_per_year=("leaders_t", "sum"),
            districts_served=("district", "nunique"),
            saving_inr_per_year=("saving", "sum"),
        )  # fmt: skip
        opened = options.join(use).fillna(dict.fromkeys(use.columns, 0))
        opened["utilisation"] = opened["throughput_t_per_year"] / opened["capacity_t_per_year"]
        opened["use_capital_inr_per_year"] = opened["use_capital_inr_per_t"] * opened["counted_t_per_year"]
        return opened.astype({"districts_served": int})

    @cached_property
    def capex_inr_crore(self) -> float:
        return float(self.opened["capex_inr_crore"].sum())

    @cached_property
    def fixed_cost_inr_per_year(self) -> float:
        return float(self.opened["fixed_cost_inr_per_year"].sum())

    @cached_property
    def capital_charge_inr_per_year(self) -> float:
        """Capital that is due, spread over the appraisal period, in the objective; 0 where the study charges none."""
        return float(self.opened["capital_charge_inr_per_year"].sum())

    @cached_property
    def use_capital_inr_per_year(self) -> float:
        """What the cargo that counts pays for capital by the tonne, in the cost of its lanes."""
        return float(self.opened["use_capital_inr_per_year"].sum())

    @cached_property
    def borne_capital_inr_crore(self) -> float:
        """Capital that the cargo that counts pays for: what is due, and the present value of its charges of use."""
        by_use_inr = self.use_capital_inr_per_year * appraisal_factor(self.model.parameters)
        return float(self.opened["due_capital_inr_crore"].sum()) + by_use_inr / INR_PER_CRORE

    @cached_property
    def client_table(self) -> pd.DataFrame:
        """Clients with cost, taste, hours and kg CO2e per tonne before and after, hours to the gate after."""
        before, after = (routing.client_means for routing in (self.before, self.after))
        return self.model.clients.join(before.add_suffix("_before")).join(after.add_suffix("_after"))

    def totals(self, when: str) -> dict[str, float]:
        """Cost and taste, ``before`` or ``after``, as they count in the objective, and what is measured elsewhere.

        Money of the leaders counts by ``leader_weight``; mean hours and CO2e are of the under-utilised districts.
        """
        table = self.client_table
        table = table[table[f"cost_inr_per_t_{when}"].notna()]
        counted = table["tonnes_per_year"] * table["weight"]
        cost, taste = ((table[f"{part}_inr_per_t_{when}"] * counted).sum() for part in ("cost", "taste"))
        table = table[table["under_utilised"]]
        tonnes = table["tonnes_per_year"]
        return {
            "cost_inr_per_year": float(cost),
            "taste_inr_per_year": float(taste),
            "mean_hours": float((table[f"hours_{when}"] * tonnes).sum() / tonnes.sum()) if len(table) else 0.0,
            "co2e_t_per_year": float((table[f"co2e_kg_per_t_{when}"] * tonnes).sum() / 1000.0),
        }

    @cached_property
    def net_saving_inr_per_year(self) -> float:
        """Saving, taste included, less the yearly cost of the sites; leaders count by ``leader_weight``."""
        before, after = self.totals("before"), self.totals("after")
        gross = sum(before[part] - after[part] for part in ("cost_inr_per_year", "taste_inr_per_year"))
        return gross - self.fixed_cost_inr_per_year

    @cached_property
    def benefit_inr_per_year(self) -> float:
        """What the choice of sites makes largest: the saving less what is charged of capital.

        With phases that of the mean year of them all.
        """
        if self.phased is not None:
            return self.phased.saving_inr_per_year - self.phased.capital_charge_inr_per_year
        return self.net_saving_inr_per_year - self.capital_charge_inr_per_year

    @cached_property
    def leaders_saving_inr_per_year(self) -> float:
        """What cargo of the leaders saves, taste included, whatever it counts: in no other figure at a weight of 0."""
        table = self.client_table[~self.client_table["under_utilised"]]
        per_t = pd.Series(0.0, table.index)
        for part in ("cost", "taste"):
            per_t += table[f"{part}_inr_per_t_before"] - table[f"{part}_inr_per_t_after"]
        return float((per_t * table["tonnes_per_year"]).sum())

    @cached_property
    def appraisal(self) -> Appraisal:
        """What the capital that the cargo bears is worth; charges of use that pay for it are no running cost."""
        saving = self.net_saving_inr_per_year + self.use_capital_inr_per_year
        return Appraisal.of(self.borne_capital_inr_crore, saving, self.model.parameters)

    @property
    def proof(self) -> Solution:
        """The answer whose objective and bound are proven: that of all phases where the study has some."""
        return self.solution if self.phased is None else self.phased.solution

    @property
    def slack_inr_per_year(self) -> float | None:
        """How much more another plan could save at most; None where no bound is proven."""
        slack = self.proof.objective - self.proof.bound
        return max(slack, 0.0) if np.isfinite(slack) else None

    @property
    def gap_of_saving(self) -> float | None:
        """The slack over what is saved, in the mean year of all phases where there are some."""
        saving = self.net_saving_inr_per_year if self.phased is None else self.phased.saving_inr_per_year
        slack = self.slack_inr_per_year
        return None if slack is None or saving <= 0 else slack / saving

    @cached_property
    def part_load_cost_inr_per_year(self) -> float:
        """What part loads cost before, as they count."""
        table = self.client_table
        part = table[table["load"] == "part"]
        return float((part["cost_inr_per_t_before"] * part["tonnes_per_year"] * part["weight"]).sum())

    @cached_property
    def losing(self) -> pd.DataFrame:
        """Open options whose own net saving does not recover their capital over the appraisal period."""
        own = self.opened["saving_inr_per_year"] - self.opened["fixed_cost_inr_per_year"]
        capital = self.opened["due_capital_inr_crore"] * INR_PER_CRORE
        return self.opened[own * appraisal_factor(self.model.parameters) < capital]

    @cached_property
    def served_cost_cut(self) -> float | None:
        """Fall in cost per tonne of the cargo that goes through new sites, as a fraction; None where none does."""
        table = self.client_table
        served = table.index.isin(np.unique(self.after.lanes.client[self.after.uses_site]))
        table = table[served & table["under_utilised"]]
        before = (table["cost_inr_per_t_before"] * table["tonnes_per_year"]).sum()
        after = (table["cost_inr_per_t_after"] * table["tonnes_per_year"]).sum()
        return float(1 - after / before) if before > 0 else None


def stated(model: Model, **changes: Any) -> Model:
    """A model with other limits, as :func:`make_plan` takes them.

    Raises:
        InputError: unknown sites.
        InfeasibleError: forced sites that cannot all open, or rules that nothing keeps.
    """
    study = model.study.with_changes(**changes)
    check_names_of(study, model.options, model.places)
    model = replace(model, study=study)
    if "rules" in changes:
        model = with_rules(model)
    if faults := impossible_rules(model):
        raise InfeasibleError(faults)
    with refused_as_input():
        problem = model.problem.with_changes(budget=study.budget_inr_crore, **chosen_options(model.options, study))
    return replace(model, problem=problem)


def make_plan(
    model: Model,
    progress: Announce = lambda stage: None,
    start: Solution | None = None,
    solution: Solution | None = None,
    watch: Callable[[Progress], None] | None = None,
    today: Routing | None = None,
    **changes: Any,
) -> Plan:
    """Solve a model and re-check the answer.

    Args:
        start: answer to a similar model, where the search begins.
        solution: answer to this model, where it was found elsewhere; else it is solved here.
        watch: told the bound and the best plan so far at least twice a second.
        today: the status quo, where a plan of the same lanes has worked it out.
        changes: fields of the study that differ from the model's: ``name``, ``budget_inr_crore``, ``forced``,
            ``forbidden``, ``gap``, ``time_limit_s``, ``rules``.

    Raises:
        InfeasibleError: when no plan keeps to the budget and the forced and forbidden sites.
        TimeoutError: when the time limit passed before any plan was found.
        RuntimeError: when the answer does not stand up to the re-check.
    """
    model = stated(model, **changes)
    study, stages = model.study, dict(model.stages)
    with timed(stages, Stage.SOLVE, progress):
        phases = None
        if solution is None and study.phases:
            solution = phases = solve_phases(model, watch)
        elif solution is None:
            solution = solve(model.problem, gap=study.gap, time_limit=study.time_limit_s, start=start, progress=watch)
    if solution.status == "infeasible":
        raise nothing_fits(study, solution.message)
    if solution.status == "unknown":
        raise TimeoutError(f"{study.name}: {solution.message} (time_limit_s)")
    with timed(stages, Stage.TABLES, progress):
        phased = None if phases is None else Phased.of(model, phases)
        if phased is not None:
            solution = phased.last(model)
        if study.leaders_use_sites:
            solution = with_leaders(model, solution)
        plan = Plan(model, solution, today or Routing.today(model), _chosen(model, solution), stages, phased=phased)
        _recheck(plan)
    return plan


def nothing_fits(study: Study, reason: str = "what is asked cannot all be kept") -> InfeasibleError:
    """What is told where it is proven that a study has no plan."""
    remedy = "raise the budget, force fewer sites or lower the minimums of customs"
    if study.rules:
        remedy = "loosen a rule, " + remedy
    return InfeasibleError(Fault(f"no plan fits: {reason}", remedy, study.name))


def with_economic_budget(plan: Plan, watch: Callable[[Progress], None] | None = None) -> Plan:
    """The plan with the capital that would be spent if no budget held it, where capital is charged.

    A plan that could still afford any one site has stopped for another reason than its budget: it spends that much
    itself. Else the study is solved once more without the budget. Phases have no such budget: each has its own.
    """
    model, capex = plan.model, plan.model.problem.capex
    if not model.study.capital_charge or plan.phased is not None:
        return plan
    budget = plan.capex_inr_crore
    if not stops_of_itself(plan):
        free = model.problem.with_changes(budget=float(capex.sum()))
        study = model.study
        found = solve(free, gap=study.gap, time_limit=study.time_limit_s, start=plan.solution, progress=watch)
        if found.objective < plan.solution.objective:
            budget = float(capex[found.open].sum())
    return replace(plan, economic_budget_inr_crore=budget)


def stops_of_itself(plan: Plan) -> bool:
    """Whether a plan could still afford any one site: it is not its budget that ended it."""
    capex = plan.model.problem.capex
    return not len(capex) or plan.model.study.budget_inr_crore - plan.capex_inr_crore >= float(capex.max())


def _chosen(model: Model, solution: Solution) -> Routing:
    """What a solution carries on improving lanes, and what stays on the status quo."""
    rows = np.flatnonzero(solution.lane_share > 0)
    improving = replace(model.improving.take(model.lane_of_row[rows]), cost_inr_per_t=model.row_cost_inr_per_t[rows])
    stays = np.ones(len(model.clients))
    np.subtract.at(stays, improving.client, solution.lane_share[rows])
    keep = stays[model.existing.client] > 1e-9
    existing = model.existing.take(keep)
    lanes = Lanes.joined([improving, existing])
    share = np.concatenate([solution.lane_share[rows], stays[existing.client]])
    options = np.vstack([model.problem.lane_options[rows], np.full((len(existing), 2), NONE)])
    order = np.argsort(lanes.client, kind="stable")
    return Routing(model, lanes.take(order), share[order], options[order])


def _recheck(plan: Plan) -> None:
    """Recompute what the search claimed from the parts of the lanes, by the reporting formula."""
    faults = []
    for name, routing in (("status quo", plan.before), ("plan", plan.after)):
        price = routing.lanes.cost_inr_per_t - plan.model.pricer.taste_of(routing.lanes)
        total = np.bincount(routing.lane_of_part, routing.parts["cost_inr_per_t"], minlength=len(price))
        worst = np.abs(total / np.maximum(price, 1e-9) - 1).max(initial=0.0)
        if not worst <= COST_TOLERANCE:  # nor is NaN right
            faults.append(f"{name}: a lane's parts differ from its price by {worst:.2e}")
    table = plan.client_table.iloc[plan.model.active]
    perceived_inr_per_t = table["cost_inr_per_t_after"] + table["taste_inr_per_t_after"]
    objective = (
        (perceived_inr_per_t * table["tonnes_per_year"] * table["weight"]).sum()
        + plan.fixed_cost_inr_per_year
        + plan.capital_charge_inr_per_year
    )
    if not abs(objective - plan.solution.objective) <= COST_TOLERANCE * max(abs(objective), 1.0):
        faults.append(f"objective {plan.solution.objective:.6g} differs from the lanes' sum {objective:.6g}")
    faults += [
        f"rule {kept.row.name!r} is broken: {kept.row.told(kept.reached)}" for kept in kept_rows(plan) if not kept.kept
    ]
    if faults:
        raise RuntimeError("the answer failed its re-check: " + "; ".join(faults))

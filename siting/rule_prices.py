"""What the rules of a study cost: the saving forgone against the same study without each of them, and without all.

The price of a rule is what the plan under all rules costs a year (cargo, sites and capital, as the objective counts)
less what the best plan costs that keeps all others. It is never below 0: the plan under all rules keeps all others
too. With both plans proven up to their bounds the price is known up to a range. Prices do not add up: each is against
all others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from siting.model.rules import RuleRow, as_arguments
from siting.plan import Plan, make_plan
from siting.solver import Progress, Solution, Status, relative_gap, solve

ROUNDING = 1e-8
"""Relative; what sums of floats leave open at a gap of 0."""


@dataclass(frozen=True)
class RulePrice:
    """The price of a rule, INR a year: of the plans found, and from where to where it is proven to be."""

    inr_per_year: float
    low_inr_per_year: float
    high_inr_per_year: float


@dataclass(frozen=True)
class RulePrices:
    """Prices of the rules of a study: by name, and of all of them together."""

    by_name: dict[str, RulePrice]
    together: RulePrice


def with_rule_prices(plan: Plan, watch: Callable[[Progress], None] | None = None) -> Plan:
    """The plan with the price of each rule of its study: one solve for each on the model that is there.

    A plan found without a rule that keeps it all the same, and is better, takes the place of the plan: the search for
    that had ended before, within its gap or at its time limit. A plan in phases has no prices.
    """
    rows = plan.model.rule_rows
    names = list(dict.fromkeys(row.rule.name for row in rows))
    if not names or plan.phased is not None:
        return plan
    found = {name: _without(plan, [row for row in rows if row.rule.name != name], watch) for name in names}
    together = found[names[0]] if len(names) == 1 else _without(plan, [], watch)
    for other in (*found.values(), together):
        plan = _better(plan, other)
    by_name = {name: _price(plan.solution, other) for name, other in found.items()}
    return replace(plan, rule_prices=RulePrices(by_name, _price(plan.solution, together)))


def _without(plan: Plan, rows: Sequence[RuleRow], watch: Callable[[Progress], None] | None) -> Solution:
    """The best plan that keeps only these rows."""
    model, study = plan.model, plan.model.study
    problem = model.problem.with_changes(**as_arguments(rows, model))
    return solve(problem, gap=study.gap, time_limit=study.time_limit_s, start=plan.solution, progress=watch)


def _better(plan: Plan, other: Solution) -> Plan:
    """The plan, or one found under fewer rules that keeps all of them and costs less."""
    own = plan.solution
    keeps = all(row.kept_by(other.open, other.lane_share) for row in plan.model.rule_rows)
    if not keeps or not other.objective < own.objective:
        return plan
    gap = relative_gap(other.objective, min(own.bound, other.objective))
    status: Status = "optimal" if gap <= plan.model.study.gap + ROUNDING else own.status
    adopted = replace(other, bound=own.bound, gap=gap, status=status, certificate=own.certificate)
    return replace(make_plan(plan.model, solution=adopted), stages=plan.stages)


def _price(own: Solution, without: Solution) -> RulePrice:
    """What a plan costs more than one that keeps fewer rules, which it keeps too."""
    cost = min(without.objective, own.objective)
    return RulePrice(
        own.objective - cost, max(own.bound - cost, 0.0), max(own.objective - min(without.bound, cost), 0.0)
    )

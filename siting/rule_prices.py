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
from siting.plan import Plan
from siting.solver import Progress, solve


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
    """The plan with the price of each rule of its study: one solve for each on the model that is there."""
    rows = plan.model.rule_rows
    names = list(dict.fromkeys(row.rule.name for row in rows))
    if not names:
        return plan
    by_name = {name: _price(plan, [row for row in rows if row.rule.name != name], watch) for name in names}
    together = by_name[names[0]] if len(names) == 1 else _price(plan, [], watch)
    return replace(plan, rule_prices=RulePrices(by_name, together))


def _price(plan: Plan, rows: Sequence[RuleRow], watch: Callable[[Progress], None] | None) -> RulePrice:
    """What the plan costs more than one that keeps only these rows."""
    model, own = plan.model, plan.solution
    problem = model.problem.with_changes(**as_arguments(rows, model))
    study = model.study
    found = solve(problem, gap=study.gap, time_limit=study.time_limit_s, start=own, progress=watch)
    cost = min(found.objective, own.objective)  # the plan keeps fewer rules as well
    return RulePrice(own.objective - cost, max(own.bound - cost, 0.0), max(own.objective - found.bound, 0.0))

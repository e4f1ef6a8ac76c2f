"""Rules that no plan keeps, by arithmetic alone: told before anything is solved, in a planner's units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geodata.errors import Fault
from siting.model.costs import Array
from siting.model.options import select_options
from siting.model.rules import RuleRow, told

if TYPE_CHECKING:
    from siting.model.model import Model

ROUNDING = 1e-9
SHOWN = 6  # states that one message lists


def most_of(row: RuleRow, model: Model) -> float:
    """The most, in its unit, that a row can come to with everything that the study lets be built."""
    usable = np.ones(len(model.options), dtype=bool)
    usable[select_options(model.options, model.study.forbidden, "forbidden")] = False
    return _reachable(row, model, usable, np.zeros_like(usable))[1]


def impossible_rules(model: Model) -> list[Fault]:
    """List the rules of a model's study that no plan keeps, whatever else it does; those of one rule in one line."""
    if not model.rule_rows:
        return []
    study, usable = model.study, np.ones(len(model.options), dtype=bool)
    usable[select_options(model.options, study.forbidden, "forbidden")] = False
    forced = np.zeros(len(model.options), dtype=bool)
    forced[select_options(model.options, study.forced, "forced")] = True
    short: dict[tuple[str, str], list[str]] = {}
    for row in model.rule_rows:
        low, high = _reachable(row, model, usable, forced)
        slack = ROUNDING * (1.0 + abs(low) + abs(high))
        if high < row.at_least - slack:
            what = f"asks for at least {row.told(row.at_least)}; everything that may be built comes to"
            short.setdefault((row.rule.name, what), []).append(_at(row, high))
        if low > row.at_most + slack:
            what = f"allows at most {row.told(row.at_most)}; no plan comes below"
            short.setdefault((row.rule.name, what), []).append(_at(row, low))
    beyond = [f"rule '{name}' {what} {_listed(found)}" for (name, what), found in short.items()]
    if beyond:
        remedy = "loosen the rule, or leave out what cannot keep it"
        return [Fault(text, remedy, study.name, column="rules") for text in beyond]
    remedy = "loosen the rule or raise the budget"
    return [Fault(text, remedy, study.name, column="rules") for text in _over_budget(model, usable)]


def _at(row: RuleRow, value: float) -> str:
    return f"{row.told(value)} in {row.state}" if row.state else row.told(value)


def _listed(found: list[str]) -> str:
    more = len(found) - SHOWN
    return ", ".join(found[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _reachable(row: RuleRow, model: Model, usable: NDArray[np.bool_], forced: NDArray[np.bool_]) -> tuple[float, float]:
    """Limits, in the row's unit, of what it can come to, each client and each site by itself."""
    a = row.coefficients
    if row.reach is not None:
        low, high = (float(a[row.reach @ some.astype(np.float64) > 0].sum()) for some in (forced, usable))
    elif row.by_lane:
        problem = model.problem
        may = np.append(usable, True)[problem.lane_options].all(axis=1)
        best = np.zeros((2, problem.n_clients))
        np.minimum.at(best[0], problem.lane_client[may], a[may])
        np.maximum.at(best[1], problem.lane_client[may], a[may])
        low, high = (float(value) for value in best.sum(axis=1))
    else:
        low = float(a[forced].sum())
        high = float(_by_site(model, np.where(usable, a, 0.0)).sum())
    return (row.offset + low) / row.scale, (row.offset + high) / row.scale


def _by_site(model: Model, value: Array) -> Array:
    """The largest value among the sizes of each site, of which one at most is built."""
    group = model.problem.group
    largest = np.zeros(len(group))
    np.maximum.at(largest, group, value)
    return largest


def _over_budget(model: Model, usable: NDArray[np.bool_]) -> Iterator[str]:
    """Rules that cost more than the budget, by the cheapest sites that keep them."""
    budget = model.study.budget_inr_crore
    room, said = budget * (1 + ROUNDING), f"the budget is {told(budget, 'crore')}"
    floors: dict[str, float] = {}
    for row in model.rule_rows:
        if row.unit == "crore" and row.at_least > room:
            yield f"rule '{row.name}' asks for at least {row.told(row.at_least)}, {said}"
        if row.unit == "crore" and np.isfinite(row.at_least):
            states = [row.state] if row.state else list(row.rule.states)
            if len(states) == 1:
                floors[states[0]] = max(floors.get(states[0], 0.0), row.at_least)
        if row.unit == "sites" and row.at_least > 0:
            least = _cheapest(model, usable & (row.coefficients > 0), int(np.ceil(row.at_least)))
            if least > room:
                yield (
                    f"rule '{row.name}' asks for at least {row.told(row.at_least)}, "
                    f"of which the cheapest cost {told(least, 'crore')}; {said}"
                )
    if len(floors) > 1 and (needed := sum(floors.values())) > room:
        yield f"the floors of the state budgets come to {told(needed, 'crore')}; {said}"


def _cheapest(model: Model, options: NDArray[np.bool_], n: int) -> float:
    """Capital of the n cheapest sites among some options, crore."""
    group, capex = model.problem.group, model.problem.capex
    of_site = np.full(len(group), np.inf)
    np.minimum.at(of_site, group[options], capex[options])
    return float(np.sort(of_site)[:n].sum())

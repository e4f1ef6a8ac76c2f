"""What a plan comes to under the rules of its study, worked out from its tables and not from rows of the problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from siting.model.rules import RuleRow

if TYPE_CHECKING:
    from siting.plan import Plan

TOLERANCE = 1e-6
"""Relative; by how much a rule may seem broken through rounding."""


@dataclass(frozen=True)
class KeptRow:
    """One limit of a rule and what the plan comes to, in the unit of the limit."""

    row: RuleRow
    reached: float

    @property
    def kept(self) -> bool:
        """Whether the plan keeps it, but for rounding."""
        row, size = self.row, abs(self.reached)
        slack = [TOLERANCE * max(abs(limit), size) for limit in (row.at_least, row.at_most)]
        return row.at_least - slack[0] <= self.reached <= row.at_most + slack[1]

    @property
    def nearness(self) -> float:
        """How near it is to a limit, as a part of the limit; 0 where it is there."""
        ends = [
            (self.reached - self.row.at_least, self.row.at_least),
            (self.row.at_most - self.reached, self.row.at_most),
        ]
        return min((gap / max(abs(limit), 1e-12) for gap, limit in ends if np.isfinite(limit)), default=np.inf)


def kept_rows(plan: Plan) -> list[KeptRow]:
    """What the plan comes to in each row of the rules of its study."""
    return [KeptRow(row, _reached(plan, row)) for row in plan.model.rule_rows]


def _reached(plan: Plan, row: RuleRow) -> float:
    rule, model, opened = row.rule, plan.model, plan.opened
    if row.unit == "t":
        return plan.totals("after")["co2e_t_per_year"]
    if rule.kind == "state_saving":
        table = plan.client_table.dropna(subset=["cost_inr_per_t_before", "cost_inr_per_t_after"])
        state = model.demand["state"].to_numpy()[table["district"].to_numpy()]
        table = table[table["under_utilised"].to_numpy() & (state == row.state)]
        tonnes = table["tonnes_per_year"]
        saved = sum(
            ((table[f"{part}_inr_per_t_before"] - table[f"{part}_inr_per_t_after"]) * tonnes).sum()
            for part in ("cost", "taste")
        )
        return float(saved / (table["cost_inr_per_t_before"] * tonnes).sum())
    if row.reach is not None:
        near = row.reach[:, opened.index.to_numpy()].sum(axis=1) > 0
        return (row.offset + float(row.coefficients[near].sum())) / row.scale
    states = [row.state] if row.state else list(rule.states)
    mine = model.places.table["state"].iloc[opened["place"]].isin(states).to_numpy() | (not states)
    if rule.facility_types:
        mine &= opened["facility_type"].isin(rule.facility_types).to_numpy()
    return float(opened.loc[mine, "capex_inr_crore"].sum() if row.unit == "crore" else mine.sum())

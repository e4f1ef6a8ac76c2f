"""What a plan's saving depends on: one parameter at a time, over its range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.costs import Array, Tariff, annuity_factor
from siting.demand import build_clients
from siting.lanes import LanePricer, Lanes
from siting.options import INR_PER_CRORE, option_costs
from siting.parameters import Parameters
from siting.places import build_places
from siting.plan import Plan, conditions

RIVALS = 3  # existing lanes by road and by rail that each client may fall back on
OPTION = ("place", "facility_type", "tier")
MOVES_PLACES = ("intra_district_detour", "rail_speed_main_km_h", "rail_speed_dfc_km_h")


def sensitivity(plan: Plan, progress: Callable[[str], None] = lambda key: None) -> pd.DataFrame:
    """Net saving and benefit-cost ratio of a plan's own sites at the low and the high value of each parameter.

    The sites stay as chosen. Cargo takes its cheapest lane anew, among the ``RIVALS`` cheapest existing lanes by road
    and by rail of the base case and the lanes through the plan's sites; where a site grows too small, its saving
    shrinks with its capacity. This tells how far the promised saving hangs on each number, not which sites another
    number would have chosen.

    Returns:
        One row per parameter: ``key``, ``unit``, ``low``, ``value``, ``high``, ``saving_low``, ``saving_high``
        (INR a year), ``ratio_low``, ``ratio_high`` (benefit-cost ratio), ``swing`` (largest distance from the saving
        at the base values), sorted by swing.
    """
    operation = _Operation.of(plan)
    parameters = plan.model.parameters
    base, _ = operation.evaluate(parameters)
    rows = []
    for key, row in parameters.rows.items():
        progress(key)
        ends = [operation.evaluate(parameters.with_overrides({key: end})) for end in (row.low, row.high)]
        rows.append({
            "key": key, "unit": row.unit, "low": row.low, "value": parameters[key], "high": row.high,
            "saving_low": ends[0][0], "saving_high": ends[1][0],
            "ratio_low": ends[0][1], "ratio_high": ends[1][1],
            "swing": max(abs(saving - base) for saving, _ in ends),
        })  # fmt: skip
    return pd.DataFrame(rows).sort_values("swing", ascending=False, kind="stable", ignore_index=True)


@dataclass(frozen=True)
class _Operation:
    """A plan's sites and the lanes its cargo may choose from."""

    plan: Plan
    rivals: Lanes
    through: Lanes
    sites: NDArray[np.int64]
    """(n_through, 2) rows of ``plan.opened`` each lane through sites uses, -1 for none"""

    @classmethod
    def of(cls, plan: Plan) -> _Operation:
        model, problem = plan.model, plan.model.problem
        position = np.full(problem.n_options + 1, -2)
        position[plan.solution.open] = np.arange(len(plan.solution.open))
        position[-1] = -1
        sites = position[problem.lane_options]
        rows = np.flatnonzero((sites != -2).all(axis=1))
        return cls(plan, model.pricer.existing(RIVALS), model.improving.take(model.lane_of_row[rows]), sites[rows])

    def evaluate(self, parameters: Parameters) -> tuple[float, float]:
        """Net saving (INR a year) and benefit-cost ratio (NaN without sites) under other parameters."""
        model = self.plan.model
        moved = any(parameters[key] != model.parameters[key] for key in MOVES_PLACES)
        places = build_places(model.pack, parameters) if moved else model.places
        clients = build_clients(model.demand, places, parameters, model.study.leader_weight)
        pricer = LanePricer(
            places, Tariff.from_parameters(parameters), conditions(model.pack, places, parameters), clients
        )
        before = _cheapest(self.rivals.client, pricer.price(self.rivals), len(clients))
        saving = np.maximum(before[self.through.client] - pricer.price(self.through), 0.0)
        tonnes = np.where(clients["under_utilised"], clients["tonnes_per_year"], 0.0)
        best = np.lexsort((-saving, self.through.client))
        _, first = np.unique(self.through.client[best], return_index=True)
        lane = best[first]
        opened = option_costs(self.plan.opened[list(OPTION)], model.places, parameters)
        flow = tonnes[self.through.client[lane]]
        room = self._room(opened["capacity_t_per_year"].to_numpy(), lane, flow * (saving[lane] > 0))
        capex_inr = opened["capex_inr_crore"].sum() * INR_PER_CRORE
        net = float((saving[lane] * flow * room).sum() - opened["fixed_cost_inr_per_year"].sum())
        factor = annuity_factor(
            parameters["discount_rate"] - parameters["credit_subsidy"], parameters["appraisal_years"]
        )
        return net, net * factor / capex_inr if capex_inr > 0 else float("nan")

    def _room(self, capacity: Array, lane: NDArray[np.int64], flow: Array) -> Array:
        """Share of each lane's cargo that its sites have room for."""
        sites = self.sites[lane]
        load = np.zeros(len(capacity) + 1)
        for column in sites.T:
            np.add.at(load, column, flow)
        share = np.ones(len(capacity) + 1)
        np.divide(capacity, load[:-1], out=share[:-1], where=load[:-1] > capacity)
        return np.minimum(share[sites[:, 0]], share[sites[:, 1]])


def _cheapest(client: NDArray[np.int64], cost: Array, n_clients: int) -> Array:
    """(n_clients,) lowest cost of each client; NaN where it has no lane."""
    lowest = np.full(n_clients, np.inf)
    np.minimum.at(lowest, client, cost)
    return np.where(np.isinf(lowest), np.nan, lowest)

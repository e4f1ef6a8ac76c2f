"""What a plan's saving depends on: one parameter at a time, over its range."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.model.costs import Array, Tariff, appraisal_factor
from siting.model.demand import build_clients, district_demand
from siting.model.lanes import Conditions, LanePricer
from siting.model.model import conditions
from siting.model.options import option_costs
from siting.model.places import Places, build_places
from siting.money import INR_PER_CRORE
from siting.plan import Plan

RIVALS = 3  # existing lanes by road and by rail that each client may fall back on


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
    operation = _Operation(plan)
    parameters = plan.model.parameters
    base, _ = operation.evaluate()
    rows = []
    for key, row in parameters.rows.items():
        progress(key)
        ends = [operation.evaluate(key, end) for end in (row.low, row.high)]
        rows.append({
            "key": key, "unit": row.unit, "low": row.low, "value": parameters[key], "high": row.high,
            "saving_low": ends[0][0], "saving_high": ends[1][0],
            "ratio_low": ends[0][1], "ratio_high": ends[1][1],
            "swing": max(abs(saving - base) for saving, _ in ends),
        })  # fmt: skip
    return pd.DataFrame(rows).sort_values("swing", ascending=False, kind="stable", ignore_index=True)


class _Recording(Mapping[str, Any]):
    """A mapping that remembers which of its keys were read, in a set of the caller's."""

    def __init__(self, content: Mapping[str, Any], read: set[str]) -> None:
        self.content, self.read = content, read

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return self.content[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.content)

    def __len__(self) -> int:
        return len(self.content)


@dataclass(frozen=True)
class _Inputs:
    """What the evaluation of a plan needs, at some parameters."""

    places: Places
    demand: pd.DataFrame
    clients: pd.DataFrame
    tariff: Tariff
    conditions: Conditions
    options: pd.DataFrame
    annuity: float


class _Operation:
    """A plan's sites and the lanes its cargo may choose from."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        model, problem = plan.model, plan.model.problem
        position = np.full(problem.n_options + 1, -2)
        position[plan.solution.open] = np.arange(len(plan.solution.open))
        position[-1] = -1
        sites = position[problem.lane_options]
        rows = np.flatnonzero((sites != -2).all(axis=1))
        self.rivals = model.pricer.existing(RIVALS)
        self.through = model.improving.take(model.lane_of_row[rows])
        self.sites = sites[rows]  # (n_through, 2) rows of plan.opened each lane uses, -1 for none
        self.reads: dict[str, set[str]] = {}  # parameters and earlier steps that each step depends on
        inputs: dict[str, Any] = {}
        for step, build in self._steps().items():
            read = self.reads[step] = set()
            inputs[step] = build(_Recording(model.parameters, read), _Recording(inputs, read))
        self.base = _Inputs(**inputs)

    def _steps(self) -> dict[str, Callable[[Mapping[str, float], Mapping[str, Any]], Any]]:
        """How each input is made from parameters and the inputs before it."""
        model = self.plan.model
        opened = self.plan.opened[["place", "facility_type", "tier"]]
        weight = model.study.leader_weight
        return {
            "places": lambda p, _: build_places(model.pack, p),
            "demand": lambda p, made: district_demand(model.pack, model.study, made["places"], p),
            "clients": lambda p, made: build_clients(made["demand"], made["places"], p, weight),
            "tariff": lambda p, _: Tariff.from_parameters(p),
            "conditions": lambda p, made: conditions(model.pack, made["places"], p),
            "options": lambda p, _: option_costs(opened, model.places, p),
            "annuity": lambda p, _: appraisal_factor(p),
        }

    def evaluate(self, key: str | None = None, value: float = 0.0) -> tuple[float, float]:
        """Net saving (INR a year) and benefit-cost ratio (NaN without sites), with one parameter changed."""
        model = self.plan.model
        inputs: dict[str, Any] = {f.name: getattr(self.base, f.name) for f in fields(_Inputs)}
        if key is not None:
            parameters = model.parameters.with_overrides({key: value})
            changed = {key}
            for step, build in self._steps().items():
                if self.reads[step] & changed:
                    inputs[step] = build(parameters, inputs)
                    changed.add(step)
        made = _Inputs(**inputs)
        clients, opened = made.clients, made.options
        pricer = LanePricer(made.places, made.tariff, made.conditions, clients)
        before = _cheapest(self.rivals.client, pricer.price(self.rivals), len(clients))
        saving = np.maximum(before[self.through.client] - pricer.price(self.through), 0.0)
        tonnes = np.where(clients["under_utilised"], clients["tonnes_per_year"], 0.0)
        best = np.lexsort((-saving, self.through.client))
        _, first = np.unique(self.through.client[best], return_index=True)
        lane = best[first]
        flow = tonnes[self.through.client[lane]]
        room = self._room(opened["capacity_t_per_year"].to_numpy(), lane, flow * (saving[lane] > 0))
        capex_inr = opened["capex_inr_crore"].sum() * INR_PER_CRORE
        net = float((saving[lane] * flow * room).sum() - opened["fixed_cost_inr_per_year"].sum())
        return net, float(net * made.annuity / capex_inr) if capex_inr > 0 else float("nan")

    def _room(self, capacity: Array, lane: NDArray[np.int64], flow: Array) -> Array:
        """Share of each lane's cargo that its sites have room for."""
        sites = self.sites[lane]
        load = np.zeros(len(capacity) + 1)
        for column in sites.T:
            np.add.at(load, column, flow)
        share = np.ones(len(capacity) + 1)
        np.divide(capacity, load[:-1], out=share[:-1], where=load[:-1] > capacity)
        least: Array = share[sites].min(axis=1)
        return least


def _cheapest(client: NDArray[np.int64], cost: Array, n_clients: int) -> Array:
    """(n_clients,) lowest cost of each client; NaN where it has no lane."""
    lowest = np.full(n_clients, np.inf)
    np.minimum.at(lowest, client, cost)
    return np.where(np.isinf(lowest), np.nan, lowest)

"""What a plan's saving depends on: one parameter at a time, over its range."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.appraisal import Appraisal
from siting.model.charges import charge_of_use
from siting.model.costs import Array, Tariff, appraisal_factor
from siting.model.demand import build_clients, district_demand
from siting.model.lane_search import LaneSearch
from siting.model.lanes import LanePricer
from siting.model.model import conditions
from siting.model.options import option_costs
from siting.model.tastes import divided
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
class _Choice:
    """The lane that each client with a lane through the plan's sites would take of them; (n_choosing,) arrays."""

    lane: NDArray[np.int64]
    saving_inr_per_t: Array
    client: NDArray[np.int64]


class _Operation:
    """A plan's sites and the lanes its cargo may choose from.

    An evaluation is a chain of steps, each made from parameters and earlier steps. What a step reads at the base
    values is recorded; with one parameter changed, only the steps that depend on it are made anew.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        model, problem = plan.model, plan.model.problem
        position = np.full(problem.n_options + 1, -2)
        position[plan.solution.open] = np.arange(len(plan.solution.open))
        position[-1] = -1
        sites = position[problem.lane_options]
        rows = np.flatnonzero((sites != -2).all(axis=1))
        self.through = model.improving.take(model.lane_of_row[rows])
        self.rivals = LaneSearch(model.pricer).existing(RIVALS, np.unique(self.through.client))  # none else may choose
        self.sites = sites[rows]  # (n_through, 2) rows of plan.opened each lane uses, -1 for none
        self.steps = self._steps()
        self.reads: dict[str, set[str]] = {}  # parameters and earlier steps that each step depends on
        self.base: dict[str, Any] = {}
        for step, build in self.steps.items():
            read = self.reads[step] = set()
            self.base[step] = build(_Recording(model.parameters, read), _Recording(self.base, read))

    def _steps(self) -> dict[str, Callable[[Mapping[str, float], Mapping[str, Any]], Any]]:
        """How each step is made from parameters and the steps before it; the last is the result."""
        model = self.plan.model
        opened = self.plan.opened[["place", "facility_type", "tier"]]
        study = model.study
        potential = study.tonnage_basis == "potential"  # only then does demand look at distances
        return {
            "places": lambda p, _: model.survey.places(p),
            "demand": lambda p, made: district_demand(
                model.pack, study, made["places"] if potential else model.places, p
            ),
            "clients": lambda p, made: self._split(
                build_clients(made["demand"], made["places"], p, study.leader_weight)
            ),
            "tariff": lambda p, _: Tariff.from_parameters(p),
            "conditions": lambda p, _: conditions(model.pack, model.places, p),
            "options": lambda p, _: option_costs(
                opened, model.places, p, model.pack.planned_sites, study.capital_charge
            ),
            "prices": lambda _, made: self._prices(
                LanePricer(made["places"], made["tariff"], made["conditions"], made["clients"], model.pricer.taste)
            ),
            "choice": lambda _, made: self._choice(made["prices"], made["options"]),
            "operation": lambda _, made: self._gross_and_use(made["choice"], made["clients"], made["options"]),
            "result": lambda p, made: _net_and_ratio(made["operation"], made["options"], p),
        }

    def _split(self, clients: pd.DataFrame) -> pd.DataFrame:
        """The clients as shippers, where the model's are; their tastes stay as they are."""
        own = self.plan.model.clients
        return divided(clients, own["client"].to_numpy(), own["part"].to_numpy()) if "part" in own else clients

    def evaluate(self, key: str | None = None, value: float = 0.0) -> tuple[float, float]:
        """Net saving (INR a year) and benefit-cost ratio (NaN without sites), with one parameter changed."""
        made, changed = dict(self.base), {key}
        if key is not None and value != self.plan.model.parameters[key]:
            parameters = self.plan.model.parameters.with_overrides({key: value})
            for step, build in self.steps.items():
                if self.reads[step] & changed:
                    made[step] = build(parameters, made)
                    changed.add(step)
        result: tuple[float, float] = made["result"]
        return result

    def _prices(self, pricer: LanePricer) -> tuple[Array, Array]:
        """INR per tonne of each client's best rival, and of the lanes through the plan's sites before their charges."""
        before = _cheapest(self.rivals.client, pricer.price(self.rivals), len(pricer.clients))
        return before, pricer.price(self.through)

    def _choice(self, prices: tuple[Array, Array], opened: pd.DataFrame) -> _Choice:
        before, price = prices
        saving = np.maximum(before[self.through.client] - price - charge_of_use(opened, self.sites), 0.0)
        best = np.lexsort((-saving, self.through.client))
        client, first = np.unique(self.through.client[best], return_index=True)
        lane = best[first]
        return _Choice(lane, saving[lane], client)

    def _gross_and_use(self, choice: _Choice, clients: pd.DataFrame, opened: pd.DataFrame) -> tuple[float, float]:
        """INR a year that the cargo saves as it counts, as far as the sites have room for it, and that it pays for
        capital by the tonne.
        """
        tonnes, weight = (clients[column].to_numpy()[choice.client] for column in ("tonnes_per_year", "weight"))
        moving = (choice.saving_inr_per_t > 0) & (weight > 0)  # however little it counts, it takes its room
        capacity = opened["capacity_t_per_year"].to_numpy()
        room = self._room(capacity, choice.lane, tonnes * moving)
        counted = tonnes * weight * room * moving
        capital = charge_of_use(opened, self.sites[choice.lane], "use_capital_inr_per_t")
        return float((choice.saving_inr_per_t * counted).sum()), float((capital * counted).sum())

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


def _net_and_ratio(
    operation: tuple[float, float], opened: pd.DataFrame, parameters: Mapping[str, float]
) -> tuple[float, float]:
    """Saving less the yearly cost of the sites; benefit-cost ratio as of `Plan.appraisal`, NaN without capital.

    Args:
        operation: saved a year before that cost, and of what is paid that year by the tonne the part for capital.
    """
    gross_inr, use_capital_inr = operation
    net = gross_inr - float(opened["fixed_cost_inr_per_year"].sum())
    borne = float(opened["due_capital_inr_crore"].sum())
    borne += use_capital_inr * appraisal_factor(parameters) / INR_PER_CRORE
    ratio = Appraisal.of(borne, net + use_capital_inr, parameters).benefit_cost_ratio
    return net, float("nan") if ratio is None else ratio

"""Variants of a study: some of its keys and parameters replaced, each solved on what is measured already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from geodata.errors import InputError
from siting.model.costs import appraisal_factor
from siting.model.model import Model, restated
from siting.money import INR_PER_CRORE
from siting.plan import Plan, make_plan
from siting.scenarios.pool import side_by_side
from siting.solver import Solution
from siting.study import FACILITY_TYPES, Study


@dataclass(frozen=True)
class Variant:
    """A study under another name, with some keys and some parameters replaced.

    Args:
        name: what people call it.
        changes: fields of `Study`, without ``parameters``.
        parameters: values that replace those of the study.
        keep_tastes: whether shippers keep their tastes in rupees, as of :func:`siting.model.model.restated`.
    """

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)
    keep_tastes: bool = False

    def of(self, study: Study) -> Study:
        """The study that is asked."""
        parameters = {**study.parameters, **self.parameters}
        return study.with_changes(**{"name": self.name, **self.changes, "parameters": parameters})


@dataclass(frozen=True)
class Beside:
    """Tables that are told beside a plan, where they were asked for.

    Args:
        structure: of :func:`siting.scenarios.structure.structure_table`.
        levers: of :func:`siting.scenarios.levers.lever_table`.
        tornado: of :func:`siting.scenarios.tornado.tornado_table`.
    """

    structure: pd.DataFrame | None = None
    levers: pd.DataFrame | None = None
    tornado: pd.DataFrame | None = None

    def tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Each table that there is, with its name."""
        for name, table in vars(self).items():
            if table is not None:
                yield name, table


@dataclass(frozen=True)
class Answered:
    """What every variant asks, in a form that travels to other processes."""

    model: Model
    solution: Solution

    @classmethod
    def by(cls, plan: Plan) -> Answered:
        return cls(replace(plan.model, stages={}), plan.solution)

    def start_for(self, model: Model) -> Solution | None:
        """The answer, where the search of a model of the same options begins; None for one of others."""
        return self.solution if self.model.options["option_id"].equals(model.options["option_id"]) else None


Tell = Callable[[Plan], dict[str, Any]]
"""What is kept of a plan: one row."""


def answer_variants(
    plan: Plan,
    variants: Sequence[Variant],
    tell: Tell,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> pd.DataFrame:
    """Solve each variant of a plan's study; one that cannot be answered says why and stops nothing.

    Args:
        tell: a function of a module, which other processes can import.
        workers: processes here that share the work.
        scheduler: address of a dask scheduler whose workers do it instead.
        progress: told how many variants are done.

    Returns:
        One row per variant, in their order: ``variant``, ``status`` (that of the solution, or ``failed``), ``message``
        and what ``tell`` says.

    Raises:
        InputError: the scheduler cannot be reached.
        KeyboardInterrupt: a stop was asked for.
    """
    rows: dict[int, dict[str, Any]] = {}
    shared = (Answered.by(plan), tell)
    for k, row in side_by_side(_answer, shared, variants, workers=workers, scheduler=scheduler):
        rows[k] = row
        progress(len(rows))
    return pd.DataFrame([rows[k] for k in range(len(variants))])


def _answer(shared: tuple[Answered, Tell], variant: Variant) -> dict[str, Any]:
    asked, tell = shared
    try:
        model = restated(asked.model, variant.of(asked.model.study), variant.keep_tastes)
        plan = make_plan(model, start=asked.start_for(model))
    except (InputError, TimeoutError) as error:
        return {"variant": variant.name, "status": "failed", "message": " ".join(str(error).split())}
    return {"variant": variant.name, "status": plan.solution.status, "message": "", **tell(plan)}


def outline(plan: Plan) -> dict[str, Any]:
    """What a plan amounts to: columns of ``structure.csv``."""
    built = plan.opened["facility_type"].value_counts()
    capital_inr = float(plan.opened["due_capital_inr_crore"].sum()) * INR_PER_CRORE
    ratio = plan.appraisal.benefit_cost_ratio
    return {
        "today_inr_per_year": plan.totals("before")["cost_inr_per_year"],
        "saving_inr_per_year": plan.net_saving_inr_per_year,
        "capex_inr_crore": plan.capex_inr_crore,
        "capital_inr_per_year": capital_inr / appraisal_factor(plan.model.parameters),
        "running_inr_per_year": plan.fixed_cost_inr_per_year,
        "benefit_cost_ratio": np.nan if ratio is None else ratio,
        "sites": len(plan.opened),
        **{f"{kind}s": int(built.get(kind, 0)) for kind in FACILITY_TYPES},
    }

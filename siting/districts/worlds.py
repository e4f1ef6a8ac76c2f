"""The worlds between a plan and a year that has passed: what each saves, by district and site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.errors import Fault, InputError
from siting.districts.built import MONTHS
from siting.model.model import Model, restated
from siting.scenarios.operation import Operation, operate
from siting.study import Study, open_data

Array = NDArray[np.float64]
Causes = frozenset[str]

TIGHT = 1e-9
"""Gap within which cargo is sent the cheapest way: worlds are told apart by their differences."""


@dataclass(frozen=True)
class Year:
    """What is known of a year that has passed.

    Args:
        fiscal_year: by the year it ends in.
        exports: its export table, in the schema of the plan's pack.
        built: as of :func:`siting.districts.built.load_built`.
        rates: parameters of the year, where they were others than the plan's.
    """

    fiscal_year: int
    exports: Path
    built: pd.DataFrame
    rates: Mapping[str, float]


@dataclass(frozen=True)
class Worlds:
    """A plan and a year, and all the worlds between them.

    Args:
        planned: ``option_id`` of the plan's sites.
        base: the model of the plan.
    """

    base: Model
    planned: tuple[str, ...]
    year: Year

    def __post_init__(self) -> None:
        """Raise InputError for a site of the plan that its study does not offer any more."""
        known = set(self.base.options["option_id"])
        gone = [name for name in self.planned if name not in known]
        if gone:
            remedy = "solve the study again: data or version have changed since"
            raise InputError(Fault(f"the plan's site {gone[0]!r} is no option of its study", remedy))

    @cached_property
    def study(self) -> Study:
        """The plan's study with the exports and the rates of the year; leaders stay those of the plan."""
        study, demand = self.base.study, self.base.demand
        leaders = demand.loc[~demand["under_utilised"] & (demand["counted_with"] == ""), "district_id"]
        return study.with_changes(
            data={**study.data, "exports": self.year.exports}, leaders=tuple(leaders), tonnage_basis="current",
            export_growth={}, parameters={**study.parameters, **self.year.rates},
        )  # fmt: skip

    @cached_property
    def models(self) -> dict[tuple[bool, bool], Model]:
        """Models by whether exports, and rates, are those of the year; what was measured once stays."""
        base, now = self.base, self.study
        shipped = replace(base, pack=open_data(now.data))
        models = {(False, False): base}
        models[True, False] = restated(shipped, now.with_changes(parameters=base.study.parameters))
        changed = any(base.parameters[key] != value for key, value in self.year.rates.items())
        dearer = base.study.with_changes(parameters=now.parameters)
        models[False, True] = restated(base, dearer) if changed else base
        models[True, True] = restated(shipped, now) if changed else models[True, False]
        return models

    @cached_property
    def sites(self) -> pd.DataFrame:
        """Options planned or built, by ``option_id``.

        Columns of the model's options, ``planned``, ``months`` of the year at work, ``commissioned``, ``stands`` (at
        its end), ``spent_inr_crore``, ``running_inr_per_year`` (NaN: as planned).
        """
        built = self.year.built
        ids = list(dict.fromkeys([*self.planned, *built.index]))
        table = self.base.options.set_index("option_id").loc[ids].copy()
        own = built.reindex(ids)
        table["planned"] = table.index.isin(self.planned)
        table["months"] = own["months"].fillna(0).astype(int)
        table["commissioned"] = own["commissioned"].fillna("")
        table["stands"] = own["stands"].eq(True)
        spent = own["capex_inr_crore"].astype(float)
        table["spent_inr_crore"] = spent.fillna(table["capex_inr_crore"].where(table["stands"], 0.0))
        table["running_inr_per_year"] = own["fixed_cost_inr_per_year"].astype(float)
        return table

    def _share_at_work(self, causes: Causes) -> Array:
        """(n_sites,) part of the year in which each site is at work in a world."""
        planned, months = self.sites["planned"].to_numpy(), self.sites["months"].to_numpy() / MONTHS
        own = months if "delay" in causes else np.ones(len(months))
        return np.where(planned, own, months if "other_sites" in causes else 0.0)

    @cached_property
    def _operations(self) -> dict[tuple[bool, bool, tuple[str, ...]], Operation]:
        return {}

    def operate(self, exports: bool, rates: bool, ids: tuple[str, ...]) -> Operation:
        model = self.models[exports, rates]
        key = (exports, rates and model is not self.models[exports, False], ids)
        if key not in self._operations:
            opened = pd.Index(model.options["option_id"]).get_indexer(list(ids))
            if (opened < 0).any():
                what = f"{ids[int(opened.argmin())]} cannot be at the rates of the year"
                raise InputError(Fault(what, "leave out what --set says of where sites may stand", "command line"))
            self._operations[key] = operate(model, np.sort(opened), TIGHT)
        return self._operations[key]

    def value(self, causes: Causes) -> Array:
        """(n_districts + n_sites,) what a world saves by district, before the running cost of its sites, and that cost
        by site as a loss, INR a year.
        """
        exports, rates = "tonnage" in causes, "cost" in causes
        model = self.models[exports, rates]
        work, ids = self._share_at_work(causes), self.sites.index.to_numpy(object)
        saved = np.zeros(len(model.demand))
        steps = np.unique(work[work > 0])
        for low, high in zip([0.0, *steps], steps, strict=False):
            opened = tuple(sorted(ids[work >= high]))
            saved += (high - low) * self.operate(exports, rates, opened).by_district(model)
        running = model.options.set_index("option_id")["fixed_cost_inr_per_year"].reindex(ids).to_numpy()
        if rates:
            running = self.sites["running_inr_per_year"].fillna(pd.Series(running, ids)).to_numpy()
        return np.concatenate([saved, -running * work])

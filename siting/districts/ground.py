"""Where districts stand: a pack's places on the networks, and the tonne that compares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.pack import Pack
from siting.model.costs import Tariff, part_load_share
from siting.model.demand import build_clients, district_demand
from siting.model.gateway_costs import GatewayCosts, gateway_costs
from siting.model.lanes import LOADS, LanePricer
from siting.model.model import Model, conditions
from siting.model.places import Places, Survey, survey_pack
from siting.parameters import Parameters
from siting.study import Study

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ReferenceTonne:
    """A tonne of general cargo as the area exports it in the mean, the same from every district.

    Args:
        hour_inr_per_t: what an hour of its transit costs.
        part_share: share of it that travels as part load.
    """

    hour_inr_per_t: float
    part_share: float


@dataclass(frozen=True)
class Ground:
    """A study's places and rates, without anything to be built or solved."""

    study: Study
    pack: Pack
    parameters: Parameters
    survey: Survey
    places: Places

    @classmethod
    def of_study(cls, study: Study) -> Ground:
        """Measure the places of a study's pack."""
        pack, parameters = study.pack(), study.parameter_values()
        survey = survey_pack(pack)
        return cls(study, pack, parameters, survey, survey.places(parameters))

    @classmethod
    def of_model(cls, model: Model) -> Ground:
        """What a model has measured."""
        return cls(model.study, model.pack, model.parameters, model.survey, model.places)

    def with_parameters(self, overrides: Mapping[str, float]) -> Ground:
        """The same places under other rates."""
        parameters = self.parameters.with_overrides(overrides)
        return replace(self, parameters=parameters, places=self.survey.places(parameters))

    @property
    def n_districts(self) -> int:
        return len(self.places.districts)

    @cached_property
    def demand(self) -> pd.DataFrame:
        return district_demand(self.pack, self.study, self.places, self.parameters)

    @cached_property
    def clients(self) -> pd.DataFrame:
        """Clients of the study, none left out for its weight."""
        return build_clients(self.demand, self.places, self.parameters, self.study.leader_weight)

    @cached_property
    def tariff(self) -> Tariff:
        return Tariff.from_parameters(self.parameters)

    def pricer(self, clients: pd.DataFrame) -> LanePricer:
        """What prices the lanes of these clients."""
        return LanePricer(self.places, self.tariff, conditions(self.pack, self.places, self.parameters), clients)

    @cached_property
    def reference(self) -> ReferenceTonne:
        """Mean of the area's general cargo, leaders included, weighted by tonnes."""
        general = self.clients[self.clients["cargo_class"] == "general"]
        tonnes = general["tonnes_per_year"]
        if not tonnes.sum() > 0:
            return ReferenceTonne(0.0, float(part_load_share(np.zeros(1), self.parameters)[0]))
        part = float(tonnes[general["load"] == "part"].sum() / tonnes.sum())
        return ReferenceTonne(float((general["time_inr_per_t_h"] * tonnes).sum() / tonnes.sum()), part)

    @cached_property
    def reference_pricer(self) -> LanePricer:
        """What prices the reference tonne from every district."""
        return self.pricer(self.reference_clients())

    @cached_property
    def reference_costs(self) -> GatewayCosts:
        """The reference tonne by gateway and way: rows of full loads in order of district, then of part loads."""
        return gateway_costs(self.reference_pricer)

    def reference_clients(self) -> pd.DataFrame:
        """Two clients for each district, one for each load, that ship the reference tonne."""
        n, p = self.n_districts, self.parameters
        far = self.places.table["rail_line_km"].to_numpy()[:n] > p["weak_access_rail_km"]
        factor = 1.0 + p["weak_access_markup"] * far
        share = self.reference.part_share
        return pd.DataFrame({
            "district": np.tile(np.arange(n), 2),
            "place": np.tile(self.places.districts, 2),
            "cargo_class": "general",
            "load": np.repeat(np.array(LOADS, object), n),
            "tonnes_per_year": np.repeat([1.0 - share, share], n),
            "time_inr_per_t_h": self.reference.hour_inr_per_t,
            "first_mile_factor": np.tile(factor, 2),
            "under_utilised": True,
            "weight": 1.0,
        })  # fmt: skip

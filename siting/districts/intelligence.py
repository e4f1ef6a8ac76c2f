"""Districts as export hubs, in short: what every result tells of them beside its plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import pandas as pd

from geodata.facts import DistrictFacts, district_facts
from siting.districts.claims import AREA
from siting.districts.concentration import Concentration, measure_concentration
from siting.districts.connectivity import ADEQUATE_KM, Connectivity, measure_connectivity, steps
from siting.districts.ground import Ground
from siting.districts.lifts import Measure, all_measures, lifts
from siting.districts.paper import of_logistics, paper_tested, with_plan
from siting.districts.potential import benchmarks
from siting.districts.products import Products, measure_products
from siting.intelligence import COLUMNS, Intelligence
from siting.model.lanes import LanePricer
from siting.plan import Plan

QUARTILES = {"benchmark_low_usd": "q25_usd", "benchmark_usd": "q50_usd", "benchmark_high_usd": "q75_usd"}


@dataclass(frozen=True)
class Measured:
    """What can be measured of districts in a second.

    Args:
        lifts: result of :func:`siting.districts.lifts.lifts`.
        benchmarks: of :func:`siting.districts.potential.benchmarks`.
        paper: result of :func:`siting.districts.paper.paper_tested`; None where the paper is of another area.
    """

    ground: Ground
    facts: DistrictFacts
    concentration: Concentration
    connectivity: Connectivity
    measures: list[Measure]
    lifts: pd.DataFrame
    benchmarks: pd.DataFrame
    products: Products
    paper: pd.DataFrame | None

    @classmethod
    def of(cls, ground: Ground, adequate_km: float = ADEQUATE_KM) -> Measured:
        """Measure the districts of a study.

        Args:
            adequate_km: see :mod:`siting.districts.connectivity`.
        """
        pack, study = ground.pack, ground.study
        facts = district_facts(pack)
        concentration = measure_concentration(facts, study.leader_share, study.leaders)
        connectivity = measure_connectivity(ground, adequate_km)
        measures = all_measures(ground, connectivity)
        fiscal_year, paper = pack.manifest.get("exports_fiscal_year"), None
        if pack.manifest.get("name") == AREA and fiscal_year is not None:
            leaders = int(concentration.districts["leader"].sum())
            logistics = of_logistics(ground, connectivity, measures)
            fx = ground.parameters["fx_inr_per_usd"]
            paper = paper_tested(facts, leaders, pack.export_history, fx, int(fiscal_year), logistics)
        return cls(
            ground, facts, concentration, connectivity, measures, lifts(connectivity, measures),
            benchmarks(facts, ground.places), measure_products(facts.sector_usd), paper,
        )  # fmt: skip

    def told(self) -> Intelligence:
        """What a result tells of it."""
        found, spread = self.connectivity, self.concentration
        table = found.table[["state", "district"]].assign(connectivity_index=found.table["index"])
        table["under_utilised"] = ~spread.districts["leader"].reindex(table.index).eq(True)
        lifted = self.lifts[self.lifts["lifts"]].reindex(table.index)
        table["lift_measure"] = lifted["measure"].where(lifted["measure"].notna(), None)
        table["lift_inr_crore"] = lifted["inr_crore"]
        for name, column in QUARTILES.items():
            table[name] = self.benchmarks[column].reindex(table.index)
        nearest = self.products.nearest_of_all().str.join(";")
        table["nearest_sectors"] = nearest.reindex(table.index).replace("", None)
        figures = {
            "gini": spread.measures["gini"], "hhi": spread.measures["hhi"], "theil": spread.theil.total,
            "theil_within": spread.theil.within, "reference_inr_per_t": found.reference_inr_per_t,
            "adequate_km": found.adequate_km, "share_below": found.share_below,
        }  # fmt: skip
        table["export_usd"] = self.facts.usd.reindex(table.index)
        order = ["state", "district", "under_utilised", "export_usd", *COLUMNS]
        return Intelligence(table[order], figures, steps(found, self.ground), self.paper)


_told: WeakKeyDictionary[LanePricer, Intelligence] = WeakKeyDictionary()
"""What is told of districts before any plan, by what prices their lanes: plans of one model share it."""


def district_intelligence(plan: Plan) -> Intelligence:
    """What is told of the districts of a plan, on what its model has measured already."""
    model = plan.model
    told = _told.get(model.pricer)
    if told is None:
        told = _told[model.pricer] = Measured.of(Ground.of_model(model)).told()
    return told if told.paper is None else replace(told, paper=with_plan(told.paper, plan.served_cost_cut))

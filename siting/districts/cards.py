"""What a scorecard tells of a district, in numbers: no words of a language yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from siting.certainty import word_of
from siting.districts.connectivity import index_of
from siting.districts.drawing import COMPONENTS
from siting.districts.ground import Ground
from siting.districts.profile import Profile, make_profile
from siting.model.potential import features, port_distance
from siting.results.read import PlanTables

SECTORS_SHOWN = 5
NEAREST_SHOWN = 3
PEERS = 5
MODES = ("road", "rail", "used")

Row = dict[str, Any]


@dataclass(frozen=True)
class Cards:
    """Everything the scorecards of one result rest on; tables are indexed by district_id."""

    ground: Ground
    plan: PlanTables
    profile: Profile

    @classmethod
    def of_plan(cls, plan: PlanTables, ground: Ground) -> Cards:
        """Profile the districts of a result's pack."""
        return cls(ground, plan, make_profile(ground))

    # -- tables as rows, made once --------------------------------------------------------------------------

    @cached_property
    def names(self) -> dict[str, Row]:
        """Of each district its names: ``district``, ``district_hi``, ``state``, ``state_hi``."""
        pack = self.ground.pack
        hindi = dict(zip(pack.states["state"], pack.states["state_hi"], strict=True))
        table = pd.DataFrame(pack.districts[["district_id", "district", "district_hi", "state"]])
        table["state_hi"] = table["state"].map(hindi)
        return rows_by_id(table.set_index("district_id"))

    @cached_property
    def planned(self) -> dict[str, Row]:
        """Rows of ``districts.csv``."""
        return rows_by_id(self.plan.districts.set_index("district_id"))

    @cached_property
    def connected(self) -> dict[str, Row]:
        """How each district is connected, with its rank."""
        table = self.profile.connectivity.table
        return rows_by_id(table.assign(rank=table["index"].rank(ascending=False, method="min").astype(int)))

    @cached_property
    def exports(self) -> dict[str, Row]:
        """Exports, rank and benchmark of each district that export figures are told of."""
        table = self.profile.concentration.districts
        told = self.profile.potential.table.drop(columns="export_usd")
        return rows_by_id(table.assign(rank=np.arange(1, len(table) + 1)).join(told))

    @cached_property
    def _sector_usd(self) -> dict[str, Row]:
        return rows_by_id(self.profile.facts.sector_usd)

    @cached_property
    def _rca(self) -> dict[str, Row]:
        return rows_by_id(self.profile.products.rca)

    @cached_property
    def _position(self) -> dict[str, int]:
        return {str(key): k for k, key in enumerate(self.profile.connectivity.table.index)}

    @cached_property
    def _sites_at(self) -> dict[str, list[Row]]:
        sites = self.plan.sites
        return {str(place): self.site_rows(rows) for place, rows in sites.groupby("place_id")}

    def site_rows(self, sites: pd.DataFrame) -> list[Row]:
        """Sites with the names of the district they stand at; None for a planned site."""
        return [{**row, "names": self.names.get(row["place_id"])} for row in _records(sites)]

    @cached_property
    def _peers(self) -> dict[str, list[str]]:
        """Districts most like each: in workers, urban share, way to port and neighbours, each in its own spread."""
        facts = self.profile.facts
        z = features(facts, port_distance(facts, self.ground.places)).drop(columns="constant")
        if z.shape[1] == 0 or len(z) < 2:
            return {str(key): [] for key in z.index}
        scaled = ((z - z.mean()) / z.std()).to_numpy(np.float64)
        k = min(PEERS, len(z) - 1)
        _, found = cKDTree(scaled).query(scaled, k + 1)
        ids = list(map(str, z.index))
        return {ids[i]: [ids[j] for j in row if j != i][:k] for i, row in enumerate(np.asarray(found))}

    @cached_property
    def most_inr_per_t(self) -> float:
        """The dearest mean cost of a tonne that counts on bars: nine in ten districts are below."""
        cost = self.plan.districts["cost_before_inr_per_t"].dropna()
        return float(cost.quantile(0.9)) if len(cost) else 0.0

    @property
    def states(self) -> list[str]:
        return sorted(set(self.profile.connectivity.table["state"]))

    # -- a district -----------------------------------------------------------------------------------------

    def district(self, district_id: str) -> Row:
        """All that the card of a district tells."""
        plan = self.planned[district_id]
        parent = plan["counted_with"] or None
        exports = self.exports.get(district_id)
        return {
            "id": district_id,
            "names": self.names[district_id],
            "counted_with": None if parent is None else self.names[parent],
            "leader": not plan["under_utilised"],
            "exports": exports,
            "districts": len(self.exports),
            "sectors": [] if exports is None else self._sectors(district_id),
            "nearest": [] if exports is None else self._nearest(district_id),
            "connected": self.connected[district_id],
            "connected_of": len(self.connected),
            "modes": [self._mode(district_id, mode) for mode in MODES],
            "plan": plan,
            "before": [plan[f"{name}_before_inr_per_t"] for name in COMPONENTS],
            "after": [plan[f"{name}_after_inr_per_t"] for name in COMPONENTS],
            "moves": plan["cost_before_inr_per_t"] is not None,
            "hubs": self._hubs(plan),
            "measures": self._measures(district_id),
            "peers": [self._peer(key) for key in self._peers.get(district_id, [])],
        }

    def _sectors(self, district_id: str) -> list[Row]:
        usd, rca = self._sector_usd[district_id], self._rca[district_id]
        total = sum(usd.values())
        largest = sorted((key for key in usd if usd[key] > 0), key=lambda key: -usd[key])[:SECTORS_SHOWN]
        return [{"key": key, "usd": usd[key], "share": usd[key] / total, "rca": rca[key]} for key in largest]

    def _nearest(self, district_id: str) -> list[Row]:
        found = self.profile.products.nearest(district_id, NEAREST_SHOWN)
        return [{"key": str(key), "density": float(value)} for key, value in found.items()]

    def _mode(self, district_id: str, mode: str) -> Row:
        row = self.connected[district_id]
        columns = ("inr_per_t", "hours", "km", "co2e_kg_per_t", "gateway")
        return {"mode": mode, **{name: row.get(f"{mode}_{name}") for name in columns}}

    def _hubs(self, plan: Mapping[str, Any]) -> list[Row]:
        """Sites of the plan that its cargo goes through, with how sure they are."""
        found = []
        for k in (1, 2):
            for site in self._sites_at.get(str(plan[f"hub_{k}_id"]), []):
                share = site.get("chosen_share")
                found.append({**site, "sure": None if share is None else word_of(share)})
        return found

    def _measures(self, district_id: str) -> list[Row]:
        """Single investments for the reference tonne, cheapest first; those that bring nothing are left out."""
        at, found = self._position[district_id], []
        today = self.connected[district_id]["inr_per_t"]
        if today is None:
            return []
        for measure in self.profile.measures:
            crore, cost = float(measure.inr_crore[at]), float(measure.inr_per_t[at])
            if np.isfinite(crore) and cost < today - 0.5:
                index = float(index_of(np.array([cost]), self.profile.connectivity.reference_inr_per_t)[0])
                found.append({
                    "key": measure.key, "inr_crore": crore, "saves_inr_per_t": today - cost, "index": index,
                    "lifts": index >= 100, "shared": measure.shared,
                })  # fmt: skip
        return sorted(found, key=lambda row: float(row["inr_crore"]))

    def _peer(self, district_id: str) -> Row:
        exports = self.exports[district_id]
        return {
            "id": district_id, "names": self.names[district_id], "usd": exports["export_usd"],
            "index": self.connected[district_id]["index"],
        }  # fmt: skip


def _records(table: pd.DataFrame) -> list[Row]:
    """Rows as plain values; None for what is empty."""
    plain = table.astype(object).where(table.notna(), None)
    return [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]


def rows_by_id(table: pd.DataFrame) -> dict[str, Row]:
    """Rows as plain values by the index; None for what is empty."""
    return dict(zip(map(str, table.index), _records(table.reset_index(drop=True)), strict=True))

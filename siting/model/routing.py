"""How all cargo moves, today or with a plan, and what follows from it for every client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.model.charges import charge_of_use
from siting.model.costs import Array
from siting.model.lanes import NONE, Index, Lanes
from siting.model.model import Model


@dataclass(frozen=True)
class Routing:
    """Lanes that carry the cargo of all clients.

    Args:
        model: the study.
        lanes: one row per client and lane that carries any of its cargo.
        share: (n_lanes,) share of the client's cargo.
        options: (n_lanes, 2) open options that the lane uses, as rows of ``model.options``; -1 for none.
    """

    model: Model
    lanes: Lanes
    share: Array
    options: Index

    @classmethod
    def today(cls, model: Model) -> Routing:
        """The status quo: of each client the cheapest lane over what exists."""
        n = len(model.existing)
        return cls(model, model.existing, np.ones(n), np.full((n, 2), NONE))

    @cached_property
    def uses_site(self) -> NDArray[np.bool_]:
        """(n_lanes,) whether the lane goes through a new site."""
        at_site = np.append(self.model.places.is_site, False)  # position -1 is "none"
        return np.asarray(at_site[self.lanes.hub] | at_site[self.lanes.terminal])

    @cached_property
    def tonnes(self) -> Array:
        """(n_lanes,) tonnes a year."""
        tonnes: Array = self.model.clients["tonnes_per_year"].to_numpy()[self.lanes.client] * self.share
        return tonnes

    @cached_property
    def district(self) -> Index:
        """(n_lanes,) row of ``model.demand``."""
        return np.asarray(self.model.clients["district"].to_numpy()[self.lanes.client])

    @cached_property
    def together(self) -> tuple[Index, Array]:
        """(rows, tonnes) of lanes, those of a client's shippers through the same places as one."""
        lanes = self.lanes
        client = self.model.pricer.client[lanes.client]
        way = np.column_stack([client, lanes.hub, lanes.terminal, lanes.gateway, self.options])
        _, first, which = np.unique(way, axis=0, return_index=True, return_inverse=True)
        tonnes = np.bincount(which.ravel(), self.tonnes)
        order = np.argsort(first)
        return np.asarray(first[order], np.int64), np.asarray(tonnes[order], np.float64)

    # -- parts ----------------------------------------------------------------------------------------------

    @cached_property
    def parts(self) -> pd.DataFrame:
        """Parts of the lanes in order of travel, as :meth:`LanePricer.parts` gives them, with the charges of use.

        What a site charges by the tonne is in the money of its first handling, and apart in ``use_charge_inr_per_t``.
        """
        parts = self.model.pricer.parts(self.lanes)
        option = self._option_of(parts)
        handled = (parts["mode"] == "handling") & (option != NONE)
        first = handled & ~parts.assign(option=option)[handled].duplicated(["lane", "option"]).reindex(
            parts.index, fill_value=False
        )
        charge = charge_of_use(self.model.options, np.where(first, option, NONE)[:, None])
        for column in ("freight_inr_per_t", "cost_inr_per_t"):
            parts[column] += charge
        return parts.assign(use_charge_inr_per_t=charge)

    @cached_property
    def lane_of_part(self) -> Index:
        """(n_parts,) position in ``lanes``."""
        return np.asarray(self.parts["lane"].to_numpy())

    @cached_property
    def option_of_part(self) -> Index:
        """(n_parts,) option, as row of ``model.options``, that handles the cargo or lets it wait; -1 for none."""
        return self._option_of(self.parts)

    def _option_of(self, parts: pd.DataFrame) -> Index:
        """As `option_of_part`; at a place with a store and a cargo terminal, boxes are filled in the store.

        Of two options of a lane the store is first, and the filling comes before the train.
        """
        place = np.append(self.model.options["place"].to_numpy(), NONE)
        used = self.options[parts["lane"].to_numpy()]
        stays = parts["mode"].isin(["handling", "dwell"]).to_numpy()
        here = stays[:, None] & (place[used] == parts["from"].to_numpy()[:, None]) & (used != NONE)
        order = parts.assign(handling=parts["mode"] == "handling").groupby("lane")["handling"].cumsum().to_numpy()
        second = here[:, 1] & (order > 1)
        option: Index = np.where(second, used[:, 1], np.where(here[:, 0], used[:, 0], NONE))
        return option

    @cached_property
    def cost_components(self) -> Mapping[str, Array]:
        """(n_parts,) INR per tonne of freight, handling, time in movement and handling, dwell and carbon.

        They add up to the parts' ``cost_inr_per_t``.
        """
        parts = self.parts
        mode = parts["mode"].to_numpy(object)
        money = parts["freight_inr_per_t"].to_numpy()
        carbon = parts["co2e_kg_per_t"].to_numpy() * self.model.pricer.tariff.carbon_inr_per_kg
        time = parts["cost_inr_per_t"].to_numpy() - money - carbon
        handling, waiting = mode == "handling", mode == "dwell"
        return {
            "freight": np.where(handling, 0.0, money), "handling": np.where(handling, money, 0.0),
            "time": np.where(waiting, 0.0, time), "dwell": np.where(waiting, time, 0.0), "carbon": carbon,
        }  # fmt: skip

    # -- clients --------------------------------------------------------------------------------------------

    @cached_property
    def client_means(self) -> pd.DataFrame:
        """Of each client with a lane, per tonne: ``cost_inr_per_t`` (without taste), ``taste_inr_per_t``, ``hours``,
        ``co2e_kg_per_t``, ``transit_hours`` (without the wait at the gateway); index = row of ``model.clients``.
        """  # fmt: skip
        parts = self.parts
        gate = parts["to"].isin(self.model.places.gateways) & (parts["mode"] == "dwell")
        sums = parts.assign(
            client=self.lanes.client[self.lane_of_part], transit_hours=np.where(gate, 0.0, parts["hours"])
        )
        values = ["cost_inr_per_t", "hours", "co2e_kg_per_t", "transit_hours"]
        sums[values] = sums[values].mul(self.share[self.lane_of_part], axis=0)
        means = sums.groupby("client")[values].sum()
        taste = np.bincount(self.lanes.client, self.model.pricer.taste_of(self.lanes) * self.share)
        return means.assign(taste_inr_per_t=taste[means.index])

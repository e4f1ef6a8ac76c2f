"""A study kept at hand: what-if questions answered from the last answer instead of from nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from geodata.errors import InputError
from siting.lanes import LanePricer, Lanes
from siting.plan import Model, Plan, build_model, make_plan, state_problem
from siting.solve import Solution
from siting.study import Study

LIMITS = frozenset({"budget_inr_crore", "forced", "forbidden", "gap", "time_limit_s"})
"""Fields of a study that change no lane."""


class Session:
    """Answers to one study under changes, each search starting from the answer before.

    The session keeps matrices, lanes and the problem; a change of limits only re-solves, a closed gateway
    re-prices the lanes it carried, any other change of the study re-prices all. Every question is put to the
    study as given: changes do not add up.

    Args:
        study: the study; its model is built at once.
        progress: called with the name of each stage.
    """

    def __init__(self, study: Study, progress: Callable[[str], None] = lambda stage: None) -> None:
        self.progress = progress
        self.model = build_model(study, progress)
        self.last: Solution | None = None
        self._changed: tuple[Study, frozenset[str], Model] = (study, frozenset(), self.model)

    def solve(self, closed_gateways: Iterable[str] = (), **changes: Any) -> Plan:
        """Best plan of the study with some fields changed, for example ``budget_inr_crore=2500``.

        Args:
            closed_gateways: ``gateway_id`` of the gateways that take no cargo.
            changes: fields of `Study` with their new values.

        Raises:
            InputError: unknown gateways or sites, or none of the gateways open.
        """
        limits = {key: value for key, value in changes.items() if key in LIMITS}
        model = self._model(frozenset(closed_gateways), {k: v for k, v in changes.items() if k not in LIMITS})
        plan = make_plan(model, self.progress, start=self.last, **limits)
        self.last = plan.solution
        return plan

    def _model(self, closed: frozenset[str], changes: dict[str, Any]) -> Model:
        """The model with its lanes as these changes make them; the last one is kept."""
        study = self.model.study.with_changes(**changes)
        if (study, closed) != self._changed[:2]:
            base = build_model(study, self.progress) if changes else self.model
            self._changed = (study, closed, close_gateways(base, closed) if closed else base)
        return self._changed[2]


def close_gateways(model: Model, gateway_ids: Iterable[str]) -> Model:
    """The model without some gateways: nothing leaves India there and nothing is consolidated there.

    Exports, clients and options stay as they are. Only clients with a lane through a closed gateway are priced
    again: a lane is always priced to its best gateway, and one that does not use a closed gateway keeps its price.

    Raises:
        InputError: for unknown names, or when no gateway is left.
    """
    names = model.places.table["place_id"]
    gateways = model.places.gateways
    known, wanted = set(names.iloc[gateways]), sorted(set(gateway_ids))
    faults = [
        f"closed gateway {name!r} is unknown; known: {', '.join(sorted(known))}" for name in wanted if name not in known
    ]
    if not faults and len(wanted) == len(known):
        faults = ["all gateways are closed; leave one open"]
    if faults:
        raise InputError(faults)
    closed = gateways[names.iloc[gateways].isin(wanted)]
    table = {name: getattr(model.places, name).copy() for name in ("road_km", "first_mile_km", "rail_km", "rail_h")}
    for name in ("road_km", "first_mile_km"):
        table[name][closed] = table[name][:, closed] = np.nan
    column = np.isin(gateways, closed)
    for name in ("rail_km", "rail_h"):
        table[name][:, column] = np.nan
    places = replace(model.places, **table)
    pricer = LanePricer(places, model.pricer.tariff, model.pricer.conditions, model.clients)

    touched = np.zeros(len(model.clients), dtype=bool)
    for lanes in (model.existing, model.improving):
        touched[lanes.client[np.isin(lanes.gateway, closed) | np.isin(lanes.hub, closed)]] = True
    again = pricer.status_quo(np.flatnonzero(touched))
    weighted = model.clients["weight"].to_numpy() > 0
    mmlp = (model.options["facility_type"] == "mmlp").to_numpy()
    place = model.options["place"].to_numpy()
    better = pricer.improving(again.take(weighted[again.client]), np.unique(place[~mmlp]), np.unique(place[mmlp]))
    existing = _merged(model.existing.take(~touched[model.existing.client]), again)
    improving = _merged(model.improving.take(~touched[model.improving.client]), better)
    active = existing.take(weighted[existing.client])
    problem, lane_of_row = state_problem(model.study, model.clients, model.options, places, active, improving)
    return replace(
        model, places=places, pricer=pricer, existing=existing, improving=improving, problem=problem,
        lane_of_row=lane_of_row,
    )  # fmt: skip


def _merged(first: Lanes, second: Lanes) -> Lanes:
    """Both, in order of client."""
    columns = (np.concatenate([getattr(first, f), getattr(second, f)]) for f in Lanes.__dataclass_fields__)
    lanes = Lanes(*columns)
    return lanes.take(np.argsort(lanes.client, kind="stable"))

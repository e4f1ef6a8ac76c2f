"""The model of a study: distances measured, lanes priced, the facility-location problem stated."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.errors import Fault, InputError
from geodata.pack import Pack
from siting.model.charges import charge_of_use
from siting.model.costs import Array, Tariff
from siting.model.demand import build_clients, cargo_faults, district_demand, same_demand
from siting.model.gateway_costs import gateway_costs
from siting.model.lane_search import LaneSearch
from siting.model.lanes import NONE, Conditions, LanePricer, Lanes
from siting.model.names import contradictions, name_faults, names_of
from siting.model.options import build_options, building_places, options_of_lanes, priced_options, select_options
from siting.model.phased import last_growth
from siting.model.places import Places, Survey, survey_pack
from siting.model.policies import policy_faults
from siting.model.rules import RuleRow, with_rules
from siting.model.tastes import minding_as_before, shippers_as_before, shippers_of
from siting.parameters import Parameters
from siting.solver import FacilityProblem
from siting.solver import InputError as ProblemError
from siting.stages import Announce, Stage
from siting.study import Study


class InfeasibleError(InputError):
    """What a study asks cannot all be kept: no plan does.

    Attributes:
        why: what is in the way of what and the least to loosen, of :mod:`siting.infeasible` as plain values; None where
            nobody asked.
    """

    def __init__(self, faults: Sequence[Fault] | Fault, why: Mapping[str, Any] | None = None) -> None:
        super().__init__(faults)
        self.why = why

    def __reduce__(self) -> tuple[Any, ...]:
        """Between processes the faults go, and why."""
        return type(self), (self.faults, self.why)


@dataclass(frozen=True)
class Model:
    """A study made ready to solve; budgets and forced or forbidden sites change without rebuilding it."""

    study: Study
    pack: Pack
    parameters: Parameters
    survey: Survey
    places: Places
    demand: pd.DataFrame
    clients: pd.DataFrame
    options: pd.DataFrame
    pricer: LanePricer
    existing: Lanes
    improving: Lanes
    lane_of_row: NDArray[np.int64]
    problem: FacilityProblem
    stages: dict[str, float] = field(default_factory=dict)
    rule_rows: tuple[RuleRow, ...] = ()
    """what the study's rules are in the problem"""

    @cached_property
    def active(self) -> NDArray[np.int64]:
        """Clients that take part in the choice: with a status quo lane, and a weight or leave to use what is built."""
        return np.asarray(self.existing.client[_take_part(self.clients, self.study)[self.existing.client]])

    @cached_property
    def row_cost_inr_per_t(self) -> Array:
        """Perceived cost of the lanes of the problem, with the charges of the options they use."""
        charge = charge_of_use(self.options, self.problem.lane_options)
        cost: Array = self.improving.cost_inr_per_t[self.lane_of_row] + charge
        return cost


def build_model(study: Study, progress: Announce = lambda stage: None) -> Model:
    """Load the pack, measure distances, price lanes and state the facility-location problem of a study."""
    stages: dict[str, float] = {}
    with timed(stages, Stage.LOAD, progress):
        pack, parameters = study.pack(), study.parameter_values()
        _ = pack.districts, pack.states, pack.exports, pack.road, pack.rail
        if not pack.gateways["container_service"].any():
            remedy = "set container_service to true for the ports that ship containers"
            raise InputError(Fault("no gateway takes containers", remedy, pack.files["gateways"]))
        if faults := policy_faults(study, pack):
            raise InputError(faults)
    with timed(stages, Stage.MATRICES, progress):
        survey = survey_pack(pack, *_roads(study))
        places = survey.places(parameters)
    return _priced(study, pack, survey, places, stages, progress)


def repriced(model: Model, parameters: Mapping[str, float], opened: NDArray[np.int64] | None = None) -> Model:
    """The model of the same study with some parameters replaced; what was measured stays.

    Args:
        opened: rows of the options that stand: the model has no others, and nothing that chooses among them.
    """
    study = model.study.with_changes(parameters={**model.study.parameters, **parameters})
    if opened is None:
        return restated(model, study)
    return restated(
        model, study.with_changes(rules=(), forced=(), forbidden=()), sites=model.options.iloc[opened]
    )  # fmt: skip


def restated(
    model: Model, study: Study, keep_tastes: bool = False, sites: pd.DataFrame | None = None
) -> Model:  # fmt: skip
    """The model of another study of the same data; what was measured stays, unless other roads are upgraded.

    Args:
        sites: options of the model that the other has; None: all that its study offers.
        keep_tastes: whether tastes stay what they are in rupees, instead of a multiple of what a client pays at least;
            where clients are others than the model's, they are drawn anew.

    Raises:
        InputError: names that the data do not know; forced sites that cannot all open.
    """
    if faults := policy_faults(study, model.pack):
        raise InputError(faults)
    roads = _roads(study)
    survey = model.survey if roads == _roads(model.study) else survey_pack(model.pack, *roads)
    known = _Known(
        model.demand if same_demand(study, model.study, model.pack) else None,
        model.pricer if keep_tastes else None,
        sites,
    )
    return _priced(study, model.pack, survey, survey.places(study.parameter_values()), {}, known=known)


@dataclass(frozen=True)
class _Known:
    """What a model takes over from another.

    Args:
        demand: None where it must be worked out anew.
        pricer: shippers have the tastes of this one, if given.
        sites: options that are priced anew; None: those of the study are listed.
    """

    demand: pd.DataFrame | None = None
    pricer: LanePricer | None = None
    sites: pd.DataFrame | None = None


def _roads(study: Study) -> tuple[tuple[str, ...], float]:
    """Which roads a study upgrades, and what that spares."""
    cut = study.parameter_values()["road_upgrade_cut"]
    return (study.upgraded_roads, cut) if study.upgraded_roads else ((), 0.0)


def _priced(
    study: Study,
    pack: Pack,
    survey: Survey,
    places: Places,
    stages: dict[str, float],
    progress: Announce = lambda stage: None,
    known: _Known | None = None,
) -> Model:
    """Price the lanes between measured places and state the problem."""
    known = known or _Known()
    parameters = study.parameter_values()
    with timed(stages, Stage.LANES, progress):
        demand = known.demand if known.demand is not None else district_demand(pack, study, places, parameters)
        if faults := cargo_faults(demand, pack.files["exports"]):
            raise InputError(faults)
        clients = build_clients(demand, places, parameters, study.leader_weight)
        clients["tonnes_per_year"] *= 1.0 + last_growth(study.phases)
        announced, charged = pack.planned_sites, study.capital_charge
        if known.sites is None:
            staged = len(study.phases) > 1
            options = build_options(places, parameters, study.facility_types, announced, charged, staged)
        else:
            options = priced_options(known.sites, places, parameters, announced, charged)
        check_names_of(study, options, places)
        pricer = LanePricer(places, Tariff.from_parameters(parameters), conditions(pack, places, parameters), clients)
        if known.pricer is not None:
            pricer = minding_as_before(pricer, known.pricer)
        today = gateway_costs(pricer)
        if study.shippers > 0 and pack.gateway_tastes is not None:
            kept = shippers_as_before(pricer, today, known.pricer) if known.pricer is not None else None
            pricer = kept or shippers_of(pricer, today, pack.gateway_tastes, study.shippers, study.seed)
            clients = pricer.clients
        search = LaneSearch(pricer, today)
        existing = search.status_quo()
        taking_part = existing.take(_take_part(clients, study)[existing.client])
        improving = search.improving(taking_part, *building_places(options))
        problem, lane_of_row = state_problem(study, clients, options, places, taking_part, improving)
        model = Model(
            study, pack, parameters, survey, places, demand, clients, options, pricer, existing, improving,
            lane_of_row, problem, stages,
        )  # fmt: skip
        return close_gateways(model, study.closed_gateways) if study.closed_gateways else with_rules(model)


def close_gateways(model: Model, gateway_ids: Iterable[str]) -> Model:
    """The model without some gateways: nothing leaves India there and nothing is consolidated there.

    Exports, clients and options stay as they are. Only clients with a lane through a closed gateway are priced
    again: a lane is always priced to its best gateway, and one that does not use a closed gateway keeps its price.

    Raises:
        InputError: for unknown names, or when no gateway is left.
    """
    wanted = sorted(set(gateway_ids))
    study = model.study.with_changes(closed_gateways=tuple(wanted))
    if not wanted:
        return replace(model, study=study)
    check_names_of(study, model.options, model.places)
    gateways = model.places.gateways
    closed = gateways[model.places.table["place_id"].iloc[gateways].isin(wanted)]
    table = {name: getattr(model.places, name).copy() for name in ("road_km", "first_mile_km", "rail_km", "rail_h")}
    for name in ("road_km", "first_mile_km"):
        table[name][closed] = table[name][:, closed] = np.nan
    column = np.isin(gateways, closed)
    for name in ("rail_km", "rail_h"):
        table[name][:, column] = np.nan
    places = replace(model.places, **table)
    own = model.pricer
    pricer = LanePricer(places, own.tariff, own.conditions, model.clients, own.taste, own.rarity)

    touched = np.zeros(len(model.clients), dtype=bool)
    for lanes in (model.existing, model.improving):
        touched[lanes.client[np.isin(lanes.gateway, closed) | np.isin(lanes.hub, closed)]] = True
    search = LaneSearch(pricer)
    again = search.status_quo(np.flatnonzero(touched))
    part = _take_part(model.clients, study)
    better = search.improving(again.take(part[again.client]), *building_places(model.options))
    existing, improving = (
        Lanes.joined([kept.take(~touched[kept.client]), new]).by_client()
        for kept, new in ((model.existing, again), (model.improving, better))
    )
    active = existing.take(part[existing.client])
    problem, lane_of_row = state_problem(study, model.clients, model.options, places, active, improving)
    closed_off = replace(
        model, study=study, places=places, pricer=pricer, existing=existing, improving=improving, problem=problem,
        lane_of_row=lane_of_row, rule_rows=(),
    )  # fmt: skip
    return with_rules(closed_off)


def _take_part(clients: pd.DataFrame, study: Study) -> NDArray[np.bool_]:
    """(n_clients,) whether a client takes part in the choice of sites, if it has a way today."""
    return np.asarray((clients["weight"] > 0) | study.leaders_use_sites, dtype=bool)


def check_names_of(study: Study, options: pd.DataFrame, places: Places) -> None:
    """Raise InputError for names of a study that its data do not know, and for forced sites that cannot all open."""
    if not (study.forced or study.forbidden or study.closed_gateways):
        return  # the names of thousands of options are listed only where one is asked for
    gateways = places.table["place_id"].iloc[places.gateways]
    faults = name_faults(asdict(study), names_of(options, gateways.tolist()), study.name)
    if faults:
        raise InputError(faults)
    if faults := contradictions(study, options):
        raise InfeasibleError(faults)


def chosen_options(options: pd.DataFrame, study: Study) -> dict[str, Any]:
    """Forced and forbidden options of a study, as arguments of the problem."""
    return {
        "forced_open": select_options(options, study.forced, "forced"),
        "forbidden": select_options(options, study.forbidden, "forbidden"),
    }


def conditions(pack: Pack, places: Places, parameters: Mapping[str, float]) -> Conditions:
    """Dwell and levers of a study."""
    dwell_h = pack.gateways.set_index("gateway_id")["export_dwell_h"]
    dwell = dwell_h.reindex(places.table["place_id"].iloc[places.gateways]).to_numpy(np.float64)
    dwell = dwell * (1 + parameters["port_congestion_delay"]) + parameters["gateway_release_beyond_dwell_h"]
    dwell = dwell - parameters["customs_time_saved_h"]
    return Conditions(np.maximum(dwell, 0.0), parameters["road_only_delay"], parameters["warehouse_shortage_markup"])


def state_problem(
    study: Study,
    clients: pd.DataFrame,
    options: pd.DataFrame,
    places: Places,
    existing: Lanes,
    improving: Lanes,
) -> tuple[FacilityProblem, NDArray[np.int64]]:
    """State the problem over the active clients; the second result maps its lanes to ``improving``.

    Cargo that does not count costs nothing by any lane, and has none that costs it more than today.
    """
    lane, needs = options_of_lanes(improving, clients["cargo_class"].to_numpy(object), options, places)
    position = np.full(len(clients), NONE)
    position[existing.client] = np.arange(len(existing))
    tonnes = clients["tonnes_per_year"].to_numpy()
    weight = clients["weight"].to_numpy() * tonnes
    cost_inr_per_t = improving.cost_inr_per_t[lane] + charge_of_use(options, needs)
    if study.leaders_use_sites:
        owner = improving.client[lane]
        gains = (weight[owner] > 0) | (cost_inr_per_t < existing.cost_inr_per_t[position[owner]])
        lane, needs, cost_inr_per_t = lane[gains], needs[gains], cost_inr_per_t[gains]
    group = pd.factorize(options["site_id"])[0]
    with refused_as_input():
        problem = FacilityProblem(
            lane_client=position[improving.client[lane]],
            lane_options=needs.astype(np.int32),
            lane_cost=cost_inr_per_t * weight[improving.client[lane]],
            n_clients=len(existing),
            n_options=len(options),
            unserved_cost=existing.cost_inr_per_t * weight[existing.client],
            demand=tonnes[existing.client],
            fixed_cost=(options["fixed_cost_inr_per_year"] + options["capital_charge_inr_per_year"]).to_numpy(),
            capex=options["capex_inr_crore"].to_numpy(),
            capacity=options["capacity_t_per_year"].to_numpy(),
            min_throughput=options["min_throughput_t_per_year"].to_numpy(),
            group=group,
            budget=study.budget_inr_crore,
            **chosen_options(options, study),
            option_names=options["option_id"].tolist(),
        )
    return problem, lane


@contextmanager
def refused_as_input() -> Iterator[None]:
    """What the solver refuses in a problem, told as a fault of what the user gave."""
    try:
        yield
    except ProblemError as error:
        raise InfeasibleError([Fault(problem) for problem in error.problems]) from None


@contextmanager
def timed(stages: dict[str, float], stage: Stage, progress: Announce) -> Iterator[None]:
    """Announce a stage and note in ``stages`` how many seconds it took."""
    progress(stage)
    start = time.perf_counter()
    yield
    stages[stage] = round(time.perf_counter() - start, 3)

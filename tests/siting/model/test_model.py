"""The problem of a study by hand from its tables, and which clients take part in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geodata.errors import InputError
from siting.model.lane_search import LaneSearch
from siting.model.lanes import NONE, Lanes
from siting.model.model import Model, build_model, repriced, restated, state_problem, timed
from siting.model.options import building_places, options_of_lanes
from siting.stages import Stage
from siting.study import Study


@pytest.fixture(scope="module")
def weight(tiny_model: Model) -> np.ndarray:
    """Some clients count in full, by half, by next to nothing, and not at all."""
    return np.resize([0.0, 1.0, 0.5, 1e-9, 0.0], len(tiny_model.clients))


@pytest.fixture(scope="module")
def improving(tiny_model: Model) -> Lanes:
    return LaneSearch(tiny_model.pricer).improving(tiny_model.existing, *building_places(tiny_model.options))


@pytest.mark.parametrize("leaders_use_sites", [False, True])
def test_lanes_of_the_problem_cost_what_they_weigh_with_the_charges_of_use(
    tiny_model: Model, improving: Lanes, weight: np.ndarray, leaders_use_sites: bool
) -> None:
    """Cargo that does not count costs nothing; where it may use sites, it has no lane dearer than that of today."""
    study = tiny_model.study.with_changes(leaders_use_sites=leaders_use_sites)
    clients, quo = tiny_model.clients.assign(weight=weight), tiny_model.existing
    charges = tiny_model.options["use_charge_inr_per_t"] + 150.0  # so that some lanes are not worth their charge
    options = tiny_model.options.assign(use_charge_inr_per_t=charges)
    problem, lane_of_row = state_problem(study, clients, options, tiny_model.places, quo, improving)
    own = clients["cargo_class"].to_numpy(object)
    lane, needs = options_of_lanes(improving, own, options, tiny_model.places)
    tonnes, charge = clients["tonnes_per_year"].to_numpy(), options["use_charge_inr_per_t"].to_numpy()
    today = dict(zip(quo.client.tolist(), quo.cost_inr_per_t.tolist(), strict=True))
    position = {client: k for k, client in enumerate(quo.client.tolist())}
    expected, left_out = [], 0
    for row, pair in zip(lane.tolist(), needs.tolist(), strict=True):
        client = int(improving.client[row])
        cost = improving.cost_inr_per_t[row] + sum(charge[j] for j in pair if j != NONE)
        if leaders_use_sites and weight[client] == 0 and cost >= today[client]:
            left_out += 1
            continue
        expected.append((row, position[client], pair, cost * weight[client] * tonnes[client]))
    assert (left_out > 0) == leaders_use_sites
    assert lane_of_row.tolist() == [row for row, *_ in expected]
    assert problem.lane_client.tolist() == [client for _, client, *_ in expected]
    assert problem.lane_options.tolist() == [pair for *_, pair, _ in expected]
    np.testing.assert_allclose(problem.lane_cost, [cost for *_, cost in expected])
    np.testing.assert_allclose(problem.unserved_cost, quo.cost_inr_per_t * (weight * tonnes)[quo.client])
    np.testing.assert_allclose(problem.demand, tonnes[quo.client])
    yearly = [options[f"{of}_inr_per_year"].to_numpy() for of in ("fixed_cost", "capital_charge")]
    np.testing.assert_allclose(problem.fixed_cost, yearly[0] + yearly[1])
    assert (yearly[0] > 0).all() and (yearly[1] > 0).all()
    group = problem.group.tolist()
    for a, site_a in enumerate(options["site_id"]):
        assert [b for b, g in enumerate(group) if g == group[a]] == np.flatnonzero(
            options["site_id"] == site_a
        ).tolist()


def test_what_a_row_of_the_problem_costs_holds_its_charges(tiny_model: Model) -> None:
    counts = tiny_model.clients["weight"].to_numpy() * tiny_model.clients["tonnes_per_year"].to_numpy()
    client = tiny_model.improving.client[tiny_model.lane_of_row]
    np.testing.assert_allclose(tiny_model.row_cost_inr_per_t * counts[client], tiny_model.problem.lane_cost)
    assert (tiny_model.row_cost_inr_per_t > tiny_model.improving.cost_inr_per_t[tiny_model.lane_of_row]).any()


@pytest.mark.parametrize(
    ("changes", "by_weight"), [({}, True), ({"leader_weight": 0.5}, False), ({"leaders_use_sites": True}, False)]
)
def test_who_counts_or_may_use_sites_takes_part(tiny_model: Model, changes: dict[str, float], by_weight: bool) -> None:
    model = restated(tiny_model, tiny_model.study.with_changes(**changes))
    leads = ~model.clients["under_utilised"].to_numpy(bool)
    assert leads[model.existing.client].any()
    taking_part = [k for k in model.existing.client.tolist() if not (by_weight and leads[k])]
    assert model.active.tolist() == taking_part and model.problem.n_clients == len(taking_part)
    assert leads[model.improving.client].any() != by_weight


def test_first_stages_are_offered_where_there_is_a_later_phase(tiny_study: Study, tiny_model: Model) -> None:
    phase = {"years": 5, "budget_inr_crore": 30.0}
    planned = tiny_model.pack.planned_sites.assign(
        project_cost_inr_crore=100.0, private_inr_crore=50.0, throughput_million_t_per_year=2.0
    )
    model = build_model(tiny_study)
    model.pack.__dict__["planned_sites"] = planned
    tiers = [
        set(restated(model, tiny_study.with_changes(phases=(phase,) * n)).options["tier"])
        & {"announced", "first_stage"}
        for n in (0, 1, 2)
    ]
    assert tiers == [{"announced"}, {"announced"}, {"announced", "first_stage"}]


def test_a_model_is_stated_at_the_demand_of_its_last_phase(tiny_model: Model) -> None:
    phases = tuple({"years": 5, "budget_inr_crore": 30.0, "demand_growth": growth} for growth in (0.1, 0.8))
    grown = restated(tiny_model, tiny_model.study.with_changes(phases=phases))
    np.testing.assert_allclose(grown.clients["tonnes_per_year"], 1.8 * tiny_model.clients["tonnes_per_year"])


def test_stores_parks_and_cargo_terminals_are_searched_where_each_may_stand(tiny_model: Model) -> None:
    some = tiny_model.options[
        tiny_model.options["place"].isin([2, 4]) | (tiny_model.options["facility_type"] == "mmlp")
    ]
    some = some[(some["place"] != 4) | (some["facility_type"] != "cargo_terminal")]
    stores, parks, terminals = building_places(some)
    for found, kinds in ((stores, ("warehouse", "cold_store")), (parks, ("mmlp",)), (terminals, ("cargo_terminal",))):
        assert found.tolist() == sorted(set(some["place"][some["facility_type"].isin(kinds)]))
    assert stores.tolist() == [2, 4] and terminals.tolist() == [2] and len(parks) > 2


def test_a_model_of_sites_that_stand_offers_these_alone(tiny_model: Model) -> None:
    opened = np.array([2, 5])
    model = repriced(tiny_model, {"stuffing_inr_per_t": 300.0}, opened)
    assert model.options["option_id"].tolist() == tiny_model.options["option_id"].iloc[opened].tolist()
    assert len(repriced(tiny_model, {"stuffing_inr_per_t": 300.0}).options) == len(tiny_model.options)


PORTS = (
    "gateway_id,name,state,lon,lat,container_service,rail_served,export_dwell_h,source\n"
    "INPRT,Port,Madhya Pradesh,75.5,19.5,{},true,100,test\nINBLK,Bulk,Madhya Pradesh,75.6,19.5,false,true,60,test\n"
)


def test_ports_that_take_no_containers_are_no_places_and_one_that_does_is_needed(
    tiny_study: Study, tmp_path: Path
) -> None:
    file = tmp_path / "gateways.csv"
    study = tiny_study.with_changes(data={**tiny_study.data, "gateways": file})
    file.write_text(PORTS.format("true"))
    places = build_model(study).places
    assert places.table["place_id"].iloc[places.gateways].tolist() == ["INPRT"]
    file.write_text(PORTS.format("false"))
    with pytest.raises(InputError, match="no gateway takes containers"):
        build_model(study)


def test_a_stage_is_announced_and_takes_as_long_as_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 12.34567])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    took: dict[str, float] = {}
    said: list[Stage] = []
    with timed(took, Stage.LANES, said.append):
        assert said == [Stage.LANES] and not took
    assert took == {Stage.LANES: 2.346}

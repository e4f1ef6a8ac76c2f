"""What-if questions: an answer that starts from the last one is the answer from nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from geodata.errors import InputError
from siting.model.lane_search import LaneSearch
from siting.model.lanes import LanePricer
from siting.model.model import Model, build_model
from siting.plan import make_plan
from siting.session import Session, close_gateways
from siting.study import Study


@pytest.fixture(scope="module")
def exact(tiny_study: Study) -> Study:
    return tiny_study.with_changes(gap=1e-7)


@pytest.fixture(scope="module")
def session(exact: Study) -> Session:
    return Session(exact)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"budget_inr_crore": 25.0},
        {"budget_inr_crore": 0.0},
        {"budget_inr_crore": 200.0},
        {"forced": ("warehouse-small@madhya-pradesh/d3",)},
        {"forbidden": ("madhya-pradesh/d5",)},
        {"parameters": {"discount_rate": 0.05}},
        {"capital_charge": False},
    ],
)
def test_a_warm_answer_equals_the_cold_one(session: Session, exact: Study, changes: dict[str, Any]) -> None:
    warm = session.solve(**changes)
    cold = make_plan(build_model(exact.with_changes(**changes)))
    assert warm.solution.status == cold.solution.status == "optimal"
    assert warm.solution.objective == pytest.approx(cold.solution.objective, rel=1e-6)
    assert warm.capex_inr_crore <= warm.model.study.budget_inr_crore


def test_a_question_does_not_change_the_next(session: Session) -> None:
    plain = session.solve().solution.objective
    session.solve(budget_inr_crore=10.0, forbidden=("madhya-pradesh/d5",))
    assert session.solve().solution.objective == pytest.approx(plain, rel=1e-6)


def with_second_port(tiny_model: Model, dwell_h: float) -> Model:
    """The tiny model with the depot as a second, nearer gateway, where a box waits for some hours."""
    table = tiny_model.places.table.copy()
    depot = int(tiny_model.places.depots[0])
    table.loc[depot, "kind"] = "gateway"
    places = replace(tiny_model.places, table=table)
    old = tiny_model.places.rail_km
    gateways = places.gateways
    rail_km, rail_h = np.full((len(table), len(gateways)), np.nan), np.full((len(table), len(gateways)), np.nan)
    rail_km[:, gateways != depot], rail_h[:, gateways != depot] = old, tiny_model.places.rail_h
    places = replace(places, rail_km=rail_km, rail_h=rail_h)
    dwell = replace(tiny_model.pricer.conditions, gateway_dwell_h=np.array([dwell_h, 100.0]))
    pricer = LanePricer(places, tiny_model.pricer.tariff, dwell, tiny_model.clients)
    model = replace(tiny_model, places=places, pricer=pricer, existing=LaneSearch(pricer).status_quo())
    mmlp = (model.options["facility_type"] == "mmlp").to_numpy()
    place = model.options["place"].to_numpy()
    weighted = model.clients["weight"].to_numpy()[model.existing.client] > 0
    improving = LaneSearch(pricer).improving(
        model.existing.take(weighted), np.unique(place[~mmlp]), np.unique(place[mmlp])
    )
    return replace(model, improving=improving)


@pytest.mark.parametrize(("name", "dwell_h"), [("INPRT", 100.0), ("mid", 100.0), ("mid", 10_000.0)])
def test_closing_a_gateway_prices_lanes_as_if_it_had_never_been(tiny_model: Model, name: str, dwell_h: float) -> None:
    """Also where boxes are only filled there: with 10,000 h of waiting nothing leaves by the second port."""
    two_ports = with_second_port(tiny_model, dwell_h)
    changed = close_gateways(two_ports, [name])
    closed = int(np.flatnonzero(two_ports.places.table["place_id"] == name)[0])
    whole = LaneSearch(changed.pricer).status_quo()
    assert np.isin(closed, two_ports.existing.hub if dwell_h > 100 else two_ports.existing.gateway)
    assert dwell_h == 100 or not np.isin(closed, two_ports.existing.gateway)
    assert not np.isin(closed, [*whole.gateway, *changed.improving.gateway, *changed.improving.hub])
    assert np.array_equal(changed.existing.client, whole.client)
    np.testing.assert_allclose(changed.existing.cost_inr_per_t, whole.cost_inr_per_t)
    mmlp = (changed.options["facility_type"] == "mmlp").to_numpy()
    place = changed.options["place"].to_numpy()
    weighted = changed.clients["weight"].to_numpy()[whole.client] > 0
    improving = LaneSearch(changed.pricer).improving(
        whole.take(weighted), np.unique(place[~mmlp]), np.unique(place[mmlp])
    )
    np.testing.assert_array_equal(changed.improving.client, improving.client)
    np.testing.assert_allclose(changed.improving.cost_inr_per_t, improving.cost_inr_per_t)
    assert changed.problem.option_names == two_ports.problem.option_names
    assert make_plan(changed).solution.status == "optimal"


def test_closed_gateways_are_checked(session: Session) -> None:
    with pytest.raises(InputError, match="closed_gateways names unknown 'INXYZ'; known: INPRT"):
        session.solve(closed_gateways=["INXYZ"])
    with pytest.raises(InputError, match="leave one open"):
        session.solve(closed_gateways=["INPRT"])

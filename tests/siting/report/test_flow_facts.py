"""Flows in the report: shares beside the records, and ports that get more than they can take."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from siting.model.model import Model
from siting.plan import Plan
from siting.report.flows import _depots_off, busier_than_on_record, flow_facts, over_capacity


@pytest.fixture
def observed(tiny_plan: Plan) -> Plan:
    """The tiny plan with records: 60 at its port, 40 at depots, 100 by air."""
    records = pd.DataFrame({
        "state": "Madhya Pradesh", "leaves_by": ["sea", "icd", "air"], "gateway_id": ["INPRT", "", ""],
        "usd_million": [60.0, 40.0, 100.0], "land_neighbours_usd_million": 0.0,
    })  # fmt: skip
    pack = replace(tiny_plan.model.pack)
    pack.__dict__.update(tiny_plan.model.pack.__dict__ | {"observed_flows": records})
    return replace(tiny_plan, model=_with(tiny_plan.model, pack=pack))


def _with(model: Model, **changes: object) -> Model:
    return replace(model, **changes)  # type: ignore[arg-type]


def test_shares_stand_beside_the_records(observed: Plan) -> None:
    """One port: the shares agree. 40 of 100 by sea and depot were cleared inland, 100 of 200 flew."""
    facts = flow_facts(observed)
    (state,) = facts["states"]
    assert facts["distance"] == 0.0 and facts["top_right"] == 1.0
    assert state["depot_observed"] == pytest.approx(0.4) and state["air_observed"] == pytest.approx(0.5)
    assert 0.0 < state["depot_modelled"] < 1.0 and state["air_assumed"] == 0.0
    assert "100.0 %" in facts["chart"]


def test_without_records_nothing_is_compared(tiny_plan: Plan) -> None:
    assert flow_facts(tiny_plan)["states"] == []


def test_a_port_that_gets_more_than_half_its_capacity_is_named(tiny_plan: Plan) -> None:
    tonnes = tiny_plan.before.tonnes.sum()
    teu = tonnes / tiny_plan.model.parameters["payload_t_per_teu"]
    gateways = tiny_plan.model.pack.gateways
    for capacity, named in ((2.02 * teu / 1e6, []), (1.98 * teu / 1e6, [teu]), (np.nan, [])):
        pack = replace(tiny_plan.model.pack)
        pack.__dict__.update(
            tiny_plan.model.pack.__dict__ | {"gateways": gateways.assign(container_capacity_million_teu=capacity)}
        )
        plan = replace(tiny_plan, model=_with(tiny_plan.model, pack=pack))
        assert [row["teu"] for row in over_capacity(plan)] == pytest.approx(named)


@pytest.fixture
def through_the_depot(tiny_plan: Plan) -> tuple[Plan, float]:
    """The tiny plan with all cargo by its depot and train, and its TEU a year."""
    model, lanes = tiny_plan.model, tiny_plan.before.lanes
    (depot,) = model.places.depots
    hub, at = np.full(len(lanes), -1), np.full(len(lanes), depot)
    before = replace(tiny_plan.before, lanes=replace(lanes, hub=hub, terminal=at))
    return replace(tiny_plan, before=before), before.tonnes.sum() / model.parameters["payload_t_per_teu"]


def _depots_with(plan: Plan, **columns: float) -> Plan:
    pack = replace(plan.model.pack)
    pack.__dict__.update(plan.model.pack.__dict__ | {"depots": plan.model.pack.depots.assign(**columns)})
    return replace(plan, model=_with(plan.model, pack=pack))


@pytest.mark.parametrize(("of_teu", "named"), [(2.02, False), (1.98, True), (np.nan, False)])
def test_a_depot_that_gets_more_than_half_its_capacity_is_named(
    through_the_depot: tuple[Plan, float], of_teu: float, named: bool
) -> None:
    plan, teu = through_the_depot
    found = over_capacity(_depots_with(plan, container_capacity_million_teu=of_teu * teu / 1e6))
    assert [row["teu"] for row in found] == pytest.approx([teu] * named)


@pytest.mark.parametrize(
    ("trains", "of_trains", "named"),
    [(20, 0.49, True), (20, 0.51, False), (13, 0.47, False), (20, 0.0, False), (20, np.nan, False)],
)
def test_a_depot_with_more_than_twice_its_trains_on_record_and_a_train_a_day_is_named(
    through_the_depot: tuple[Plan, float], trains: float, of_trains: float, named: bool
) -> None:
    """90 TEU a train, 365 / 7 weeks a year; where none are on record nothing is said."""
    plan, teu = through_the_depot
    share = plan.before.share * trains / (teu / 90 / (365 / 7))
    plan = replace(plan, before=replace(plan.before, share=share))
    found = busier_than_on_record(_depots_with(plan, trains_per_week=of_trains * trains))
    assert [row["trains"] for row in found] == pytest.approx([trains] * named)


@pytest.mark.parametrize(
    ("at_port", "modelled", "named"), [(1.2e9, 0.66, True), (1.2e9, 0.54, False), (1.1e9, 0.66, False)]
)
def test_large_states_whose_depots_are_told_badly_are_named(at_port: float, modelled: float, named: bool) -> None:
    """40 % on record: 1.2 bn at ports are 2 bn in all; 15 points are the limit."""
    states = pd.DataFrame(
        {"state": ["A"], "observed_usd": [at_port + 1.0], "depot_observed": [0.4], "depot_modelled": [modelled]}
    )
    assert [row["state"] for row in _depots_off(states)] == ["A"] * named

"""What follows for clients and sites from how cargo moves, where clients are divided over lanes."""

import numpy as np

from siting.model.lanes import NONE, Lanes
from siting.model.model import Model
from siting.model.routing import Routing
from siting.plan import Plan


def divided(model: Model) -> Routing:
    """Each client with three quarters of its cargo by its lane of today, and a quarter by it as well."""
    n = len(model.existing)
    return Routing(model, Lanes.joined([model.existing] * 2), np.repeat([0.75, 0.25], n), np.full((2 * n, 2), NONE))


def test_parts_of_a_client_carry_its_cargo_and_cost_what_the_whole_does(tiny_model: Model) -> None:
    today, parts = Routing.today(tiny_model), divided(tiny_model)
    n = len(tiny_model.existing)
    tonnes = tiny_model.clients["tonnes_per_year"].to_numpy()[tiny_model.existing.client]
    np.testing.assert_allclose(today.tonnes, tonnes)
    np.testing.assert_allclose(parts.tonnes, np.concatenate([0.75 * tonnes, 0.25 * tonnes]))
    rows, together = parts.together
    assert rows.tolist() == list(range(n)), "the first of those that go the same way"
    np.testing.assert_allclose(together, tonnes)
    for name, values in today.client_means.items():
        np.testing.assert_allclose(parts.client_means[name], values, err_msg=str(name))
    assert not today.uses_site.any()
    assert today.district.tolist() == tiny_model.clients["district"].to_numpy()[tiny_model.existing.client].tolist()


def test_money_time_and_carbon_add_up_to_the_cost_of_each_part(free_plan: Plan) -> None:
    routing = free_plan.after
    parts, cost = routing.parts, routing.cost_components
    np.testing.assert_allclose(sum(cost.values()), parts["cost_inr_per_t"])
    mode = parts["mode"].to_numpy()
    moves, handled, waits = (np.isin(mode, kinds) for kinds in (("road", "rail"), ("handling",), ("dwell",)))
    assert (cost["freight"][moves] > 0).any() and not cost["freight"][~moves].any()
    assert (cost["handling"][handled] > 0).all() and not cost["handling"][~handled].any()
    assert (cost["dwell"][waits] > 0).any() and not cost["dwell"][~waits].any() and not cost["time"][waits].any()
    assert routing.uses_site.any() and not routing.uses_site.all()
    assert (routing.options[routing.uses_site] != NONE).any(axis=1).all()
    assert (routing.options[~routing.uses_site] == NONE).all()


def test_the_wait_at_the_gateway_is_no_transit(tiny_model: Model) -> None:
    """Nor is filling a box there."""
    today, conditions = Routing.today(tiny_model), tiny_model.pricer.conditions
    fills = np.isin(today.lanes.hub, tiny_model.places.gateways)
    means = today.client_means.loc[today.lanes.client]
    wait_h = conditions.gateway_dwell_h[0] + fills * tiny_model.pricer.tariff.consolidation_dwell_h
    assert fills.any() and not fills.all()
    np.testing.assert_allclose(means["hours"] - means["transit_hours"], wait_h)
    assert (means["transit_hours"] > 0).all()

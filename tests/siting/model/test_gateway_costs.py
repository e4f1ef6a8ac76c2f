"""Costs by gateway and mode: the least of them is the status quo."""

import numpy as np

from siting.model.gateway_costs import ROAD, gateway_costs
from siting.model.model import Model


def test_the_cheapest_gateway_and_mode_is_the_status_quo(tiny_model: Model) -> None:
    costs = gateway_costs(tiny_model.pricer)
    least = costs.inr_per_t.min(axis=(1, 2))
    existing = tiny_model.existing
    np.testing.assert_allclose(least[existing.client], existing.cost_inr_per_t, rtol=1e-12)
    assert np.isinf(np.delete(least, existing.client)).all(), "a client without a lane today has no way to any gateway"


def test_a_box_of_a_full_load_that_goes_by_road_is_not_cleared_inland(tiny_model: Model) -> None:
    costs = gateway_costs(tiny_model.pricer)
    full = (tiny_model.clients["load"] == "full").to_numpy()
    by_depot = costs.by_depot()
    assert not by_depot[full].any() and by_depot[~full].any()
    assert np.isfinite(costs.inr_per_t[:, :, ROAD]).any()

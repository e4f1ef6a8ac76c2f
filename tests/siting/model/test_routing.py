"""What follows for clients and sites from how cargo moves, where clients are divided over lanes."""

from dataclasses import replace

import numpy as np
import pytest

from siting.model.lanes import NONE, LanePricer, Lanes
from siting.model.model import Model, repriced
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


def test_what_a_client_minds_is_the_mean_over_its_lanes(tiny_model: Model) -> None:
    """By the shares that go each way: three quarters and a quarter by one way, and so what it minds of that."""
    pricer = tiny_model.pricer
    taste = 7.0 + np.arange(2.0 * len(pricer.clients)).reshape(-1, 1, 2)
    liked = replace(
        tiny_model, pricer=LanePricer(pricer.places, pricer.tariff, pricer.conditions, pricer.clients, taste)
    )
    minded = liked.pricer.taste_of(liked.existing)
    assert (minded > 0).all()
    for routing in (Routing.today(liked), divided(liked)):
        means = routing.client_means["taste_inr_per_t"]
        np.testing.assert_allclose(means.loc[liked.existing.client], minded)


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


def test_carbon_is_a_component_of_its_own_where_it_has_a_price(tiny_model: Model) -> None:
    """At 2,000 INR/t two rupees a kilogram; time is what is left of the cost, the hours of the parts."""
    routing = Routing.today(repriced(tiny_model, {"carbon_price_inr_per_t_co2e": 2000.0}))
    parts, cost = routing.parts, routing.cost_components
    np.testing.assert_allclose(cost["carbon"], 2 * parts["co2e_kg_per_t"])
    per_h = routing.model.clients["time_inr_per_t_h"].to_numpy()[routing.lanes.client[routing.lane_of_part]]
    np.testing.assert_allclose(cost["time"] + cost["dwell"], per_h * parts["hours"], atol=1e-9)
    np.testing.assert_allclose(sum(cost.values()), parts["cost_inr_per_t"])
    assert (cost["carbon"] > 0).any()


def test_the_wait_at_the_gateway_is_no_transit(tiny_model: Model) -> None:
    """Nor is filling a box there."""
    today, conditions = Routing.today(tiny_model), tiny_model.pricer.conditions
    fills = np.isin(today.lanes.hub, tiny_model.places.gateways)
    means = today.client_means.loc[today.lanes.client]
    wait_h = conditions.gateway_dwell_h[0] + fills * tiny_model.pricer.tariff.consolidation_dwell_h
    assert fills.any() and not fills.all()
    np.testing.assert_allclose(means["hours"] - means["transit_hours"], wait_h)
    assert (means["transit_hours"] > 0).all()


STAYS = [("road", None), ("handling", "hub")]
WAYS = {
    # facility types at the hub and at the terminal, whether they are one place; modes and who handles or lets wait
    "a store": (("warehouse", None), [*STAYS, ("dwell", "hub"), ("road", None), ("dwell", None)]),
    "a park": (
        ("mmlp", "mmlp"),
        [*STAYS, ("handling", "hub"), ("dwell", "hub"), ("rail", None), ("dwell", None)],
    ),
    "a store and a cargo terminal at one place": (
        ("warehouse", "cargo_terminal"),
        [*STAYS, ("handling", "terminal"), ("dwell", "terminal"), ("rail", None), ("dwell", None)],
    ),
    "a store, then a park elsewhere": (
        ("warehouse", "mmlp"),
        [*STAYS, ("dwell", "hub"), ("road", None), ("handling", "terminal"), ("dwell", "terminal"), ("rail", None),
         ("dwell", None)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kinds", "expected"), WAYS.values(), ids=WAYS)
def test_sites_handle_the_parts_at_their_place_and_charge_once_for_a_tonne(
    tiny_model: Model, kinds: tuple[str, str | None], expected: list[tuple[str, str | None]]
) -> None:
    """At a place with a store and a cargo terminal boxes are filled in the store; the charge is in a first handling."""
    options, gateway = tiny_model.options, tiny_model.places.gateways[0]
    here, there = (f"madhya-pradesh/d{k}" for k in (2, 3 if kinds[1] == "mmlp" != kinds[0] else 2))
    hub, terminal = (
        -1 if kind is None else int(np.flatnonzero((options["facility_type"] == kind)
                                                   & options["option_id"].str.endswith(place))[0])
        for kind, place in zip(kinds, (here, there), strict=True)
    )  # fmt: skip
    place = np.append(options["place"].to_numpy(), NONE)
    client = np.flatnonzero((tiny_model.clients["load"] == "part") & (tiny_model.clients["cargo_class"] == "general"))
    lane = Lanes(client[:1], place[[hub]], place[[terminal]], np.array([gateway]), np.zeros(1))
    used = [hub, NONE if terminal == hub else terminal]
    charged = tiny_model.options["use_charge_inr_per_t"].to_numpy()
    bare = tiny_model.pricer.parts(lane)
    routing = Routing(tiny_model, lane, np.ones(1), np.array([used]))
    who = {None: NONE, "hub": hub, "terminal": terminal}
    assert routing.parts["mode"].tolist() == [mode for mode, _ in expected]
    assert routing.option_of_part.tolist() == [who[name] for _, name in expected]
    by_hand, paid = [], set()
    for mode, name in expected:
        first = mode == "handling" and name is not None and who[name] not in paid
        by_hand.append(charged[who[name]] if first else 0.0)
        paid |= {who[name]} if first else set()
    assert sum(by_hand) == pytest.approx(sum(charged[j] for j in set(used) if j != NONE))
    for column in ("freight_inr_per_t", "cost_inr_per_t"):
        np.testing.assert_allclose(routing.parts[column] - bare[column], by_hand, atol=1e-9)
    np.testing.assert_allclose(routing.parts["use_charge_inr_per_t"], by_hand)

"""Tastes are recovered from flows that were made with them; nonsense is refused."""

import numpy as np
import pandas as pd
import pytest

from geodata.errors import InputError
from siting.model import calibration
from siting.model.calibration import Choices, Terms, calibrate, choices_of
from siting.model.gateway_costs import gateway_costs
from siting.model.model import Model

STATES, GROUPS, CLIENTS_OF_A_STATE = 8, 3, 12


@pytest.fixture(scope="module")
def truth() -> Terms:
    return Terms(3.0, -0.4, np.array([0.8, 0.1, -0.9]))


@pytest.fixture(scope="module")
def choices(truth: Terms) -> Choices:
    """Clients whose shares of gateways and depots are those of `truth`, to the last digit."""
    random = np.random.default_rng(7)
    n = STATES * CLIENTS_OF_A_STATE
    relative = 1.0 + random.exponential(0.5, (n, GROUPS, 2))
    relative /= relative.min(axis=(1, 2), keepdims=True)
    relative[::7, 1, 1] = np.inf  # no railway
    made = Choices(
        [f"S{k}" for k in range(STATES)], ["A", "A2", "B", "C"], ["A", "B", "C"], np.array([0, 0, 1, 2]), relative,
        random.random((n, GROUPS)) < 0.3, random.uniform(1, 50, n), np.repeat(np.arange(STATES), CLIENTS_OF_A_STATE),
        np.ones((STATES, GROUPS)), np.ones(STATES),
    )  # fmt: skip
    shares, depot = calibration._shares(made, truth)[:2]
    at_sea = np.linspace(100, 900, STATES)
    return Choices(
        made.states, made.gateways, made.groups, made.group_of, relative, made.by_depot, made.usd, made.state,
        shares * at_sea[:, None], at_sea * depot / (1 - depot),
    )  # fmt: skip


def test_terms_are_recovered_from_the_flows_they_make(
    choices: Choices, truth: Terms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the penalty of (21), which pulls constants towards zero."""
    monkeypatch.setattr(calibration, "PENALTY", 0.0)
    found = calibrate(choices)
    assert found.terms.sensitivity == pytest.approx(truth.sensitivity, rel=0.01)
    assert found.terms.rail == pytest.approx(truth.rail, abs=0.01)
    np.testing.assert_allclose(found.terms.gateway, truth.gateway, atol=0.01)
    assert found.distance < 1e-3 and found.distance_left_out < 1e-3
    assert (found.by_state["top_observed"] == found.by_state["top_modelled"]).all()


def test_the_same_flows_give_the_same_terms(choices: Choices) -> None:
    pd.testing.assert_frame_equal(calibrate(choices).table(), calibrate(choices).table())


def test_gateways_of_one_harbour_share_their_row(choices: Choices) -> None:
    table = calibrate(choices).table().set_index("gateway_id")
    assert table["value"]["A"] == table["value"]["A2"] and table["group"]["A2"] == "A"


def test_the_gradient_of_equation_21_is_that_of_its_differences(choices: Choices) -> None:
    x = np.random.default_rng(3).normal(0, 0.5, 2 + GROUPS)
    which = np.arange(STATES)
    slope = calibration._loss(x, choices, which)[1]
    step = 1e-6
    by_difference = [
        (calibration._loss(x + step * e, choices, which)[0] - calibration._loss(x - step * e, choices, which)[0])
        / (2 * step)
        for e in np.eye(len(x))
    ]
    np.testing.assert_allclose(slope, by_difference, atol=1e-7)


def test_shares_of_two_equal_gateways_by_hand() -> None:
    """Equation (20): e^1 / (e^1 + 1) = 0.731 for a gateway liked by one unit more, at the same cost, without rail."""
    relative = np.full((1, 2, 2), np.inf)
    relative[0, :, 0] = 1.0
    one = Choices(
        ["S"], ["A", "B"], ["A", "B"], np.array([0, 1]), relative, np.zeros((1, 2), bool), np.ones(1),
        np.zeros(1, np.int64), np.ones((1, 2)), np.zeros(1),
    )  # fmt: skip
    shares, depot = calibration._shares(one, Terms(2.0, 0.0, np.array([0.5, -0.5])))[:2]
    np.testing.assert_allclose(shares, [[0.7310585786, 0.2689414214]])
    assert depot[0] == 0.0


def test_flows_differ_by_the_part_that_would_have_to_move() -> None:
    """Total variation: 0.2 and 0.1 too much, 0.3 too little."""
    modelled, observed = np.array([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]]), np.array([[0.3, 0.2, 0.5], [0.0, 1.0, 0.0]])
    np.testing.assert_allclose(calibration._distance(modelled, observed), [0.3, 1.0])


def test_too_few_states_are_refused_with_the_remedy(tiny_model: Model) -> None:
    observed = pd.DataFrame({
        "state": ["Madhya Pradesh"], "leaves_by": ["sea"], "gateway_id": ["INMUN"], "usd_million": [1e3],
        "land_neighbours_usd_million": [0.0],
    })  # fmt: skip
    with pytest.raises(InputError, match="calibration needs 4, or take the bundled constants"):
        choices_of(tiny_model, observed)


def test_what_shippers_choose_from_and_were_seen_to_choose(tiny_model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The port of the pack and the depots of the one state it has; other ports and states are none of its."""
    monkeypatch.setattr(calibration, "LEAST_STATES", 1)
    observed = pd.DataFrame(
        [
            ("Madhya Pradesh", "sea", "INPRT", 12.0),
            ("Madhya Pradesh", "sea", "INPRT", 8.0),
            ("Madhya Pradesh", "sea", "INMUN", 70.0),
            ("Madhya Pradesh", "icd", "", 100.0),
            ("Madhya Pradesh", "land", "", 3.0),
            ("Kerala", "sea", "INPRT", 500.0),
        ],
        columns=["state", "leaves_by", "gateway_id", "usd_million"],
    )
    found = choices_of(tiny_model, observed)
    assert (found.states, found.gateways, found.observed_usd.tolist()) == (["Madhya Pradesh"], ["INPRT"], [[20.0]])
    assert found.depot_usd.tolist() == [100.0] and set(found.state.tolist()) == {0}
    costs = gateway_costs(tiny_model.pricer)
    usable = np.isfinite(costs.by_mode()).any(axis=(1, 2))
    cheapest = costs.by_mode()[usable].min(axis=(1, 2), keepdims=True)
    assert not usable.all()
    np.testing.assert_allclose(found.relative, costs.by_mode()[usable] / cheapest)
    assert found.by_depot.tolist() == costs.by_depot()[usable].tolist()
    np.testing.assert_allclose(found.usd, calibration.cargo_usd(tiny_model)[usable])
    observed.loc[0, "usd_million"] = 11.9
    with pytest.raises(InputError, match="0 states with at least"):
        choices_of(tiny_model, observed)


def test_the_slopes_of_the_loss_are_its_differences(choices: Choices) -> None:
    """(21) at terms that fit nothing, a thousandth of a thousandth to either side of each."""
    x, which = np.array([0.3, 0.2, 0.5, -0.1, 0.4]), np.arange(0, STATES, 2)
    _, slope = calibration._loss(x, choices, which)
    steps = 1e-6 * np.eye(len(x))
    differences = [
        (calibration._loss(x + step, choices, which)[0] - calibration._loss(x - step, choices, which)[0]) / 2e-6
        for step in steps
    ]
    np.testing.assert_allclose(slope, differences, rtol=1e-6, atol=1e-8)


def test_the_cargo_of_a_district_is_worth_its_exports(tiny_model: Model) -> None:
    demand, clients = tiny_model.demand, tiny_model.clients
    by_district = np.bincount(clients["district"], calibration.cargo_usd(tiny_model), len(demand))
    np.testing.assert_allclose(by_district, demand["general_usd"] + demand["perishable_usd"])

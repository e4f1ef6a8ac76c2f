"""Tastes are recovered from flows that were made with them; nonsense is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import OptimizeResult

from geodata.errors import InputError
from siting.model import calibration
from siting.model.calibration import Calibration, Choices, Terms, calibrate, choices_of
from siting.model.gateway_costs import gateway_costs
from siting.model.model import Model, build_model
from siting.study import Study

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


@pytest.fixture(scope="module")
def fitted(choices: Choices) -> Calibration:
    return calibrate(choices)


def test_the_same_flows_give_the_same_terms(choices: Choices, fitted: Calibration) -> None:
    pd.testing.assert_frame_equal(calibrate(choices).table(), fitted.table())


def test_gateways_of_one_harbour_share_their_row(fitted: Calibration) -> None:
    table = fitted.table().set_index("gateway_id")
    assert table["value"]["A"] == table["value"]["A2"] and table["group"]["A2"] == "A"


def two_gateways_by_road(relative_cost: float) -> Choices:
    """One client, two gateways that cost it the same, without rail."""
    relative = np.full((1, 2, 2), np.inf)
    relative[0, :, 0] = relative_cost
    return Choices(
        ["S"], ["A", "B"], ["A", "B"], np.array([0, 1]), relative, np.zeros((1, 2), bool), np.ones(1),
        np.zeros(1, np.int64), np.ones((1, 2)), np.zeros(1),
    )  # fmt: skip


def test_shares_of_two_equal_gateways_by_hand() -> None:
    """Equation (20): e^1 / (e^1 + 1) = 0.731 for a gateway liked by one unit more, at the same cost, without rail."""
    one = two_gateways_by_road(1.0)
    shares, depot = calibration._shares(one, Terms(2.0, 0.0, np.array([0.5, -0.5])))[:2]
    np.testing.assert_allclose(shares, [[0.7310585786, 0.2689414214]])
    assert depot[0] == 0.0


@pytest.mark.parametrize("sensitivity", [1.0, 1e4])
def test_shares_hang_on_differences_however_large_what_is_compared(sensitivity: float) -> None:
    """Equation (20) where exp of either alone is nothing: of two at one cost each has half, by the slopes too."""
    one = two_gateways_by_road(3.0)
    shares, depot, d_shares, d_depot = calibration._shares(one, Terms(sensitivity, 0.0, np.zeros(2)))
    np.testing.assert_allclose(shares, [[0.5, 0.5]])
    assert depot.tolist() == [0.0] and not d_depot.any()
    np.testing.assert_allclose(d_shares[0], [[0, 0, 0.25, -0.25], [0, 0, -0.25, 0.25]], atol=1e-12)


def test_shares_of_road_and_rail_by_hand() -> None:
    """Equation (20) at one cost, b = -1: 1 / (1 + e^-1) = 0.731 by road, at a gateway where no box is filled inland.

    What goes by rail is cleared inland, and by road where the box is filled at a depot.
    """
    one = Choices(
        ["S"], ["A"], ["A"], np.array([0]), np.ones((2, 1, 2)), np.array([[False], [True]]), np.array([3.0, 1.0]),
        np.zeros(2, np.int64), np.ones((1, 1)), np.zeros(1),
    )  # fmt: skip
    shares, depot = calibration._shares(one, Terms(2.0, -1.0, np.zeros(1)))[:2]
    assert shares.tolist() == [[pytest.approx(1.0)]]
    assert depot[0] == pytest.approx((3 * 0.2689414214 + 1) / 4)


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
            ("Madhya Pradesh", "icd", "", 91.0),
            ("Madhya Pradesh", "icd", "INPRT", 9.0),
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


PORTS = (
    "gateway_id,name,state,lon,lat,container_service,rail_served,export_dwell_h,harbour,source\n"
    "INEAS,East,Madhya Pradesh,81.8,20.5,true,false,100,,test\n"
    "INPRT,Port,Madhya Pradesh,75.5,19.5,true,true,100,Bay,test\n"
    "INQUA,Quay,Madhya Pradesh,75.6,19.5,true,false,60,Bay,test\n"
)


def test_gateways_of_one_harbour_are_one_choice_at_the_cheaper_of_them(
    tiny_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By road that is the quay, where boxes wait less, by rail the port; what records say of both is added up."""
    (tmp_path / "gateways.csv").write_text(PORTS)
    model = build_model(tiny_study.with_changes(data={**tiny_study.data, "gateways": tmp_path / "gateways.csv"}))
    monkeypatch.setattr(calibration, "LEAST_STATES", 1)
    observed = pd.DataFrame(
        [("Madhya Pradesh", "sea", "INPRT", 12.0), ("Madhya Pradesh", "sea", "INQUA", 8.0),
         ("Madhya Pradesh", "sea", "INEAS", 5.0)],
        columns=["state", "leaves_by", "gateway_id", "usd_million"],
    )  # fmt: skip
    found = choices_of(model, observed)
    assert (found.groups, found.observed_usd.tolist()) == (["Bay", "INEAS"], [[20.0, 5.0]])
    assert [found.groups[k] for k in found.group_of] == ["Bay" if name != "INEAS" else name for name in found.gateways]
    costs = gateway_costs(model.pricer)
    at = {name: k for k, name in enumerate(found.gateways)}
    usable = np.isfinite(costs.by_mode()).any(axis=(1, 2))
    by_mode, by_depot = costs.by_mode()[usable], costs.by_depot()[usable]
    quay_first = by_mode[:, at["INQUA"], 0] < by_mode[:, at["INPRT"], 0]
    assert quay_first.any() and by_depot[:, at["INQUA"]].any()
    for i, (relative, inland) in enumerate(zip(found.relative, found.by_depot, strict=True)):
        least = by_mode[i].min()
        bay = np.minimum(by_mode[i, at["INQUA"]], by_mode[i, at["INPRT"]]) / least
        np.testing.assert_allclose(relative, [bay, by_mode[i, at["INEAS"]] / least])
        cheaper = at["INQUA"] if quay_first[i] else at["INPRT"]
        assert inland.tolist() == [by_depot[i, cheaper], by_depot[i, at["INEAS"]]]
    assert found.depot_usd.tolist() == [0.0], "no records of depots"


def test_bulk_of_a_ports_own_district_is_taken_off_what_it_was_seen_to_ship(
    tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 30 million 8 are bulk; of a state with more bulk than records nothing is left, not less."""
    monkeypatch.setattr(calibration, "LEAST_STATES", 1)
    observed = pd.DataFrame(
        [("Madhya Pradesh", "sea", "INPRT", 30.0)], columns=["state", "leaves_by", "gateway_id", "usd_million"]
    )

    def seen(bulk_usd: float) -> Choices:
        table = pd.DataFrame({"state": ["Madhya Pradesh"], "gateway_id": ["INPRT"], "tonnes": [1.0],
                              "usd": [bulk_usd]})  # fmt: skip
        monkeypatch.setattr(calibration, "port_bulk", lambda pack, places: table)
        return choices_of(tiny_model, observed)

    assert seen(8e6).observed_usd.tolist() == [[22.0]]
    with pytest.raises(InputError, match="0 states"):
        seen(40e6)


def test_the_loss_of_equation_21_by_hand(choices: Choices) -> None:
    """Written out over states, with L = 0.5 and R = 0.005."""
    x = np.array([0.3, 0.2, 0.5, -0.1, 0.4])
    terms = Terms.from_vector(x)
    assert terms.sensitivity == pytest.approx(np.exp(0.3)) and terms.gateway.sum() == pytest.approx(0.0)
    shares, depot = calibration._shares(choices, terms)[:2]
    which = [1, 4, 6]
    at_sea = choices.observed_usd.sum(axis=1)
    both = at_sea + choices.depot_usd
    w, v = (np.sqrt(some[which]) / np.sqrt(some[which]).sum() for some in (at_sea, both))
    by_hand = 0.005 * (terms.gateway**2).mean()
    for k, s in enumerate(which):
        for g in range(GROUPS):
            by_hand -= w[k] * choices.observed_usd[s, g] / at_sea[s] * np.log(shares[s, g])
        q = choices.depot_usd[s] / both[s]
        by_hand -= 0.5 * v[k] * (q * np.log(depot[s]) + (1 - q) * np.log(1 - depot[s]))
    assert calibration._loss(x, choices, np.array(which))[0] == pytest.approx(by_hand, abs=1e-4)


def test_a_fit_that_does_not_converge_is_none(choices: Choices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "ITERATIONS", 1)
    with pytest.raises(RuntimeError, match="did not converge"):
        calibrate(choices)
    for success, x in ((True, np.array([np.nan])), (False, np.array([1.0]))):
        monkeypatch.setattr(calibration, "minimize", lambda *a, s=success, x=x, **k: OptimizeResult(
            success=s, x=x, message="made up"))  # fmt: skip
        with pytest.raises(RuntimeError, match="made up"):
            calibrate(choices)


def test_errors_are_those_of_the_jackknife_and_distances_of_states_weigh_by_value(
    choices: Choices, fitted: Calibration
) -> None:
    """sqrt((n - 1) / n sum (t - mean)^2) of three: 1, 2 and 6 have a mean of 3 and sum to 14: sqrt(28 / 3)."""
    left_out = [Terms(t, 10 - t, np.array([t, 0.0])) for t in (1.0, 2.0, 6.0)]
    error = calibration._jackknife(left_out)
    assert (error.sensitivity, error.rail) == (pytest.approx(np.sqrt(28 / 3)), pytest.approx(np.sqrt(28 / 3)))
    assert error.gateway.tolist() == [pytest.approx(np.sqrt(28 / 3)), 0.0]
    found, table = fitted, fitted.by_state
    weighed = (table["distance"] * table["usd_million"]).sum() / table["usd_million"].sum()
    assert found.distance == pytest.approx(weighed)
    left = (table["distance_left_out"] * table["usd_million"]).sum() / table["usd_million"].sum()
    assert found.distance_left_out == pytest.approx(left)
    at_sea = choices.observed_usd.sum(axis=1)
    np.testing.assert_allclose(table["depot_share_observed"], choices.depot_usd / (choices.depot_usd + at_sea))
    np.testing.assert_allclose(table["usd_million"], at_sea)
    rows = found.table()
    assert rows["term"].tolist() == ["sensitivity", "rail", *["gateway"] * 4]
    assert rows["value"].tolist()[:2] == [found.terms.sensitivity, found.terms.rail]
    assert rows["standard_error"].tolist()[2:] == found.standard_error.gateway[[0, 0, 1, 2]].tolist()

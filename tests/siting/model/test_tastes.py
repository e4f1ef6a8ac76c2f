"""Shippers: parts of a client with tastes of their own, that choose as the calibrated shares say."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from siting.model import tastes as tastes_module
from siting.model.gateway_costs import GatewayCosts, gateway_costs
from siting.model.lane_search import LaneSearch
from siting.model.lanes import AT_DEPOT, AT_PORT, BY_RAIL, NONE, LanePricer
from siting.model.model import Model, build_model, restated
from siting.model.tastes import Liking, divided, latin_hypercubes, shippers_each, shippers_of
from siting.plan import make_plan
from siting.study import Study

TASTES = pd.DataFrame({
    "term": ["sensitivity", "rail", "gateway", "gateway"], "gateway_id": ["", "", "A", "B"],
    "group": ["", "", "A", "B"], "value": [3.0, -0.5, 0.4, -0.4], "standard_error": 0.0,
})  # fmt: skip


def costs(road_a: float, road_b: float, n: int = 1) -> GatewayCosts:
    inr_per_t = np.full((n, 2, 3), np.inf)
    inr_per_t[:, :, AT_PORT] = [road_a, road_b]
    return GatewayCosts(inr_per_t, np.full((n, 2, 3), -1), np.full((n, 2), -1))


def drawn(of: GatewayCosts, client: np.ndarray, tastes: pd.DataFrame = TASTES, seed: int = 1) -> np.ndarray:
    return Liking.of(of, tastes, ["A", "B"]).drawn(client, client, seed)


def test_shippers_choose_in_the_shares_of_equation_20() -> None:
    """Costs of 1,000 and 1,200: u = 0.4 - 3 and -0.4 - 3.6, so A gets 1 / (1 + e^-1.4) = 0.802."""
    shippers = np.zeros(20_000, np.int64)
    taste = drawn(costs(1000.0, 1200.0), shippers, seed=3)
    perceived = np.array([1000.0, 1200.0]) + taste[:, :, 0]
    assert (perceived[:, 0] < perceived[:, 1]).mean() == pytest.approx(1 / (1 + np.exp(-1.4)), abs=0.01)


def test_shippers_choose_among_three_ways_in_the_shares_of_equation_20() -> None:
    """Of two, draws turned upside down would choose alike; of three they would not."""
    three = costs(1000.0, 1200.0)
    three.inr_per_t[:, 0, BY_RAIL] = 1050.0
    taste = drawn(three, np.zeros(20_000, np.int64), seed=4)
    perceived = (three.by_mode() + taste).reshape(len(taste), -1)
    chosen = np.bincount(perceived.argmin(axis=1), minlength=4) / len(taste)
    np.testing.assert_allclose(chosen, Liking.of(three, TASTES, ["A", "B"]).shares().ravel(), atol=0.01)


def test_what_is_liked_best_adds_nothing_and_nothing_is_negative() -> None:
    taste = drawn(costs(1000.0, 1200.0), np.zeros(500, np.int64), seed=3)
    reached = taste[:, :, 0]
    assert (taste >= 0).all()
    np.testing.assert_allclose(reached.min(axis=1), 0.0, atol=1e-9)


def test_rail_is_minded_as_its_constant_says() -> None:
    """With rail of the same cost and b = -0.5 it gets 1 / (1 + e^0.5) = 0.378."""
    both = costs(1000.0, np.inf)
    both.inr_per_t[:, 0, BY_RAIL] = 1000.0
    taste = drawn(both, np.zeros(20_000, np.int64), seed=5)
    assert (taste[:, 0, 1] < taste[:, 0, 0]).mean() == pytest.approx(1 / (1 + np.exp(0.5)), abs=0.01)


def test_a_taste_is_in_units_of_the_cheapest_way() -> None:
    dear = drawn(costs(2000.0, 2400.0), np.zeros(50, np.int64))
    cheap = drawn(costs(1000.0, 1200.0), np.zeros(50, np.int64))
    np.testing.assert_allclose(dear, 2 * cheap)


def test_gateways_of_one_harbour_are_liked_alike() -> None:
    tastes = TASTES.assign(group=["", "", "A", "A"], value=[3.0, -0.5, 0.4, 0.4])
    taste = drawn(costs(1000.0, 1200.0), np.zeros(50, np.int64), tastes)
    np.testing.assert_allclose(taste[:, 0], taste[:, 1])


def test_draws_fill_every_part_of_each_dimension_once() -> None:
    client = np.repeat([0, 1, 2], [4, 4, 8])
    points = latin_hypercubes(client, 5, seed=2)
    for number, n in ((0, 4), (1, 4), (2, 8)):
        part = np.sort((points[client == number] * n).astype(int), axis=0)
        assert (part == np.arange(n)[:, None]).all()


@pytest.mark.parametrize(("first", "others"), [(0.0, 0.0), (0.25, np.nextafter(1.0, 0.0))])
def test_no_draw_is_at_an_end_where_tastes_are_without_end(
    monkeypatch: pytest.MonkeyPatch, first: float, others: float
) -> None:
    """Whatever numbers of [0, 1) are drawn: -log(-log(u)) of 0 and of 1 is infinite, and sums are rounded to 1."""
    numbers = itertools.chain([first], itertools.repeat(others))

    class Ends:
        def random(self, shape: tuple[int, int]) -> np.ndarray:
            return np.full(shape, next(numbers))

        def permuted(self, values: np.ndarray, axis: int) -> np.ndarray:
            return values

    monkeypatch.setattr(np.random, "default_rng", lambda seed: Ends())
    points = latin_hypercubes(np.zeros(4, np.int64), 2, seed=1)
    assert ((points > 0) & (points < 1)).all()


def test_a_taste_of_22_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """r / beta (T - a - b - e) with e of A 1 by road and 2 by rail, of B 3 and 0; no rail to B, r = 1,000, beta = 3.

    Liked: A 0.4 + 1 by road and 0.4 - 0.5 + 2 by rail, B -0.4 + 3 and, out of reach, -0.4 - 0.5 + 0: T = 2.6.
    """
    monkeypatch.setattr(tastes_module, "latin_hypercubes", lambda client, n, *rest: np.array([[1.0, 2.0, 3.0, 0.0]]))
    both = costs(1000.0, 1200.0)
    both.inr_per_t[:, 0, BY_RAIL] = 900.0
    taste = drawn(both, np.zeros(1, np.int64))
    np.testing.assert_allclose(taste[0], 1000 / 3 * np.array([[1.2, 0.7], [0.0, 3.5]]))
    both.inr_per_t[:, 1, BY_RAIL] = 9000.0
    monkeypatch.setattr(tastes_module, "latin_hypercubes", lambda client, n, *rest: np.array([[1.0, 2.0, 3.0, 9.0]]))
    np.testing.assert_allclose(drawn(both, np.zeros(1, np.int64))[0], 1000 / 3 * np.array([[6.7, 6.2], [5.5, 0.0]]))
    both.inr_per_t[:, 1, BY_RAIL] = np.inf  # what is out of reach and liked better is minded no less than the best
    np.testing.assert_allclose(drawn(both, np.zeros(1, np.int64))[0], 1000 / 3 * np.array([[1.2, 0.7], [0.0, 0.0]]))


def test_a_client_that_counts_has_shippers_by_what_it_pays_today(shippers: Model, tiny_model: Model) -> None:
    """(23) with r_i q_i from the costs of today; each has an equal part, and what does not count has none drawn."""
    whole = tiny_model.clients
    pays = gateway_costs(tiny_model.pricer).unit() * whole["tonnes_per_year"] * (whole["weight"] > 0)
    each = shippers_each(pays.to_numpy(), shippers.study.shippers)
    split = shippers.clients
    count = np.bincount(split["client"], minlength=len(whole))
    counts = (each > 0) & (whole["weight"] > 0).to_numpy()
    assert count[counts].tolist() == each[counts].tolist() and len(set(each[counts])) > 2
    own = counts[split["client"]]
    np.testing.assert_allclose(split["part"][own], 1 / each[split["client"][own]])
    np.testing.assert_allclose(split.groupby("client")["part"].sum(), 1.0)


def test_a_client_with_more_shippers_keeps_those_it_had() -> None:
    eight, four = (latin_hypercubes(np.full(n, 7), 5, seed=2) for n in (8, 4))
    np.testing.assert_array_equal(eight[:4], four)


def test_who_pays_more_has_more_shippers() -> None:
    """(23): of 100 in all, four each, 88 are for the client that pays 88 %: rounded to 64, which is also the most."""
    pays = np.array([88.0, *[0.5] * 24, 0.0])
    assert shippers_each(pays, 4).tolist() == [64, *[1] * 24, 0]
    assert shippers_each(np.array([1.0, 2.0, 1.0, 4.0]), 4).tolist() == [2, 4, 2, 8]


def test_the_shippers_of_large_clients_leave_less_to_chance() -> None:
    """The share of A among all cargo, by seeds: a quarter of the scatter where half of it is one client's of forty."""
    pays = np.array([40.0, *[1.0] * 39])

    def scatter(each: np.ndarray) -> float:
        client = np.repeat(np.arange(len(pays)), each)
        liked = costs(1000.0, 1200.0, n=len(pays))
        shares = []
        for seed in range(40):
            taste = drawn(liked, client, seed=seed)[:, :, 0]
            takes_a = 1000.0 + taste[:, 0] < 1200.0 + taste[:, 1]
            shares.append((takes_a * (pays / each)[client]).sum() / pays.sum())
        return float(np.std(shares))

    assert scatter(shippers_each(pays, 4)) < 0.5 * scatter(np.full(len(pays), 4))


def test_a_client_keeps_its_draws_whoever_else_is_there() -> None:
    both, alone = latin_hypercubes(np.repeat([3, 7], 4), 5, seed=2), latin_hypercubes(np.repeat(7, 4), 5, seed=2)
    np.testing.assert_array_equal(both[4:], alone)
    assert not np.isclose(both[:4], alone).any()


def test_shares_of_equation_20_by_hand() -> None:
    """u = 0.4 - 3 and -0.4 - 3.6 by road; by rail, of the cost of A by road, 0.4 - 0.5 - 3."""
    three = costs(1000.0, 1200.0)
    three.inr_per_t[:, 0, BY_RAIL] = 1000.0
    weight = np.exp([-2.6, -4.0, -3.1])
    share = Liking.of(three, TASTES, ["A", "B"]).shares()[0]
    np.testing.assert_allclose([share[0, 0], share[1, 0], share[0, 1]], weight / weight.sum())
    assert share[1, 1] == 0.0


def test_a_harbour_counts_once_at_its_cheapest_gateway() -> None:
    tastes = TASTES.assign(group=["", "", "A", "A"], value=[3.0, -0.5, 0.4, 0.4])
    np.testing.assert_allclose(Liking.of(costs(1000.0, 1200.0), tastes, ["A", "B"]).shares()[0, :, 0], [1.0, 0.0])


def test_a_client_without_a_way_has_no_shares() -> None:
    assert not Liking.of(costs(np.inf, np.inf), TASTES, ["A", "B"]).shares().any()


@pytest.mark.parametrize("sensitivity", [3.0, 1e4])
def test_shares_hang_on_differences_however_large_what_is_compared(sensitivity: float) -> None:
    """At one cost A gets 1 / (1 + e^-0.8), also where exp of either utility alone is nothing."""
    liking = replace(Liking.of(costs(1000.0, 1000.0), TASTES, ["A", "B"]), sensitivity=sensitivity)
    share = 1 / (1 + np.exp(-0.8))
    np.testing.assert_allclose(liking.shares()[0, :, 0], [share, 1 - share])


def test_a_gateway_that_is_not_calibrated_has_the_mean_and_a_harbour_of_its_own() -> None:
    liking = Liking.of(costs(1000.0, 1200.0), TASTES, ["B", "C"])
    assert liking.gateway.tolist() == [-0.4, 0.0] and len(set(liking.harbour.tolist())) == 2
    assert liking.constants.tolist() == [[-0.4, -0.9], [0.0, -0.5]]


def test_one_that_pays_little_has_a_shipper_and_one_that_pays_nothing_none() -> None:
    assert shippers_each(np.array([0.5, 0.0]), 4).tolist() == [4, 0]
    assert shippers_each(np.zeros(2), 4).tolist() == [0, 0]
    assert shippers_each(np.array([1e9, 1.0, 1.0]), 4).tolist() == [16, 1, 1]


def pricer_of(model: Model, weight: np.ndarray) -> LanePricer:
    own = model.pricer
    return LanePricer(own.places, own.tariff, own.conditions, own.clients.assign(weight=weight))


def test_a_client_without_weight_is_divided_by_the_shares_of_what_it_has(
    tiny_model: Model, tastes_of_tiny: pd.DataFrame
) -> None:
    """Each part minds all but its own way by a thousand times the cheapest; below a thousandth there is none.

    One without a way today is whole and minds nothing.
    """
    pricer = pricer_of(tiny_model, np.zeros(len(tiny_model.clients)))
    today = gateway_costs(pricer)
    liking = Liking.of(today, tastes_of_tiny, ["INPRT"])
    found = shippers_of(pricer, today, tastes_of_tiny, 4, seed=1)
    np.testing.assert_array_equal(found.rarity, pricer.rarity[found.client])
    for client, share in enumerate(liking.shares()):
        mine = np.flatnonzero(found.client == client)
        ways = np.argwhere(share >= 1e-3)
        if not share.any():
            assert found.clients["part"].iloc[mine].tolist() == [1.0] and not found.taste[mine].any()
            continue
        assert len(mine) == len(ways)
        kept = share[share >= 1e-3]
        np.testing.assert_allclose(found.clients["part"].iloc[mine], kept / kept.sum())
        for row, (gateway, mode) in zip(mine, ways, strict=True):
            minded = np.full((1, 2), 1000 * liking.cheapest[client])
            minded[gateway, mode] = 0.0
            np.testing.assert_allclose(found.taste[row], minded)
    assert len(found.clients) > len(pricer.clients)
    assert not np.isfinite(today.inr_per_t).all()


def test_what_counts_by_half_has_shippers_of_equal_parts(tiny_model: Model, tastes_of_tiny: pd.DataFrame) -> None:
    """And so has what counts in full beside others that do not, which are no part of the mean."""
    weight = np.where(np.arange(len(tiny_model.clients)) % 3, 0.5, 0.0)
    pricer = pricer_of(tiny_model, weight)
    today = gateway_costs(pricer)
    found = shippers_of(pricer, today, tastes_of_tiny, 4, seed=1)
    pays = today.unit() * pricer.clients["tonnes_per_year"].to_numpy() * (weight > 0)
    for client, n in enumerate(shippers_each(pays, 4)):
        if n:
            assert found.clients["part"][found.client == client].tolist() == [pytest.approx(1 / n)] * n
    assert found.client.tolist() == sorted(found.client.tolist())
    np.testing.assert_allclose(found.clients.groupby("client")["part"].sum(), 1.0)


def test_parts_of_a_client_add_up() -> None:
    clients = pd.DataFrame({"tonnes_per_year": [100.0, 80.0]})
    split = divided(clients, np.array([0, 0, 1]), np.array([0.3, 0.7, 1.0]))
    assert split["tonnes_per_year"].tolist() == pytest.approx([30.0, 70.0, 80.0])


@pytest.fixture(scope="module")
def tastes_of_tiny() -> pd.DataFrame:
    return pd.DataFrame({
        "term": ["sensitivity", "rail", "gateway"], "gateway_id": ["", "", "INPRT"], "group": ["", "", "INPRT"],
        "value": [3.0, -0.5, 0.0], "standard_error": 0.0,
    })  # fmt: skip


@pytest.fixture(scope="module")
def shippers(tiny_study: Study, tastes_of_tiny: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The tiny study with tastes for its one port and for rail."""
    file = tmp_path_factory.mktemp("tastes") / "gateway_tastes.csv"
    tastes_of_tiny.to_csv(file, index=False)
    return build_model(tiny_study.with_changes(data={**tiny_study.data, "gateway_tastes": file}))


def test_no_cargo_is_lost_and_leaders_are_divided_by_the_shares(shippers: Model, tiny_model: Model) -> None:
    whole, parts = tiny_model.clients, shippers.clients
    np.testing.assert_allclose(parts.groupby("client")["tonnes_per_year"].sum(), whole["tonnes_per_year"])
    leaders = (whole["weight"] == 0).to_numpy()
    pricer = tiny_model.pricer
    tastes = shippers.pack.gateway_tastes
    assert tastes is not None
    share = Liking.of(gateway_costs(pricer), tastes, ["INPRT"]).shares()[leaders]
    by_rail = shippers.existing.terminal != NONE
    client = shippers.clients["client"].to_numpy()[shippers.existing.client]
    tonnes = shippers.clients["tonnes_per_year"].to_numpy()[shippers.existing.client]
    carried = np.bincount(client, tonnes * by_rail, minlength=len(whole))[leaders]
    np.testing.assert_allclose(carried / whole["tonnes_per_year"].to_numpy()[leaders], share[:, 0, 1], atol=2e-3)


def test_the_parts_of_the_objective_add_up_with_tastes(shippers: Model) -> None:
    plan = make_plan(shippers)
    after = plan.totals("after")
    assert after["taste_inr_per_year"] > 0
    total = after["cost_inr_per_year"] + after["taste_inr_per_year"] + plan.fixed_cost_inr_per_year
    assert plan.solution.objective == pytest.approx(total + plan.capital_charge_inr_per_year)


def test_savings_are_differences_with_the_same_tastes(shippers: Model) -> None:
    """A plan that builds nothing saves nothing, though its shippers mind what they use."""
    plan = make_plan(shippers, budget_inr_crore=0.0)
    assert plan.totals("before")["taste_inr_per_year"] == plan.totals("after")["taste_inr_per_year"] > 0
    assert plan.net_saving_inr_per_year == pytest.approx(0.0, abs=1e-6)


def test_the_status_quo_of_a_shipper_is_what_it_likes_best(shippers: Model) -> None:
    search = LaneSearch(shippers.pricer)
    every = search.existing(k=1)
    least = np.full(len(shippers.clients), np.inf)
    np.minimum.at(least, every.client, every.cost_inr_per_t)
    quo = search.status_quo()
    np.testing.assert_allclose(quo.cost_inr_per_t, least[quo.client])
    np.testing.assert_allclose(quo.cost_inr_per_t, shippers.pricer.price(quo))


def test_depots_by_road_are_a_way_of_their_own() -> None:
    one = costs(1000.0, 1200.0)
    one.inr_per_t[:, 0, AT_DEPOT] = 900.0
    assert one.by_depot().tolist() == [[True, False]]
    np.testing.assert_allclose(one.by_mode()[0, :, 0], [900.0, 1200.0])
    assert replace(one).by_mode().shape == (1, 2, 2)


def test_tastes_may_stay_what_they_are_in_rupees(shippers: Model) -> None:
    """A day less at port makes every way cheaper; what a shipper minds of a port is not worth less for it."""
    quicker = shippers.study.with_changes(parameters={"customs_time_saved_h": 24.0})
    kept, scaled = restated(shippers, quicker, keep_tastes=True), restated(shippers, quicker)
    assert kept.pricer.taste.tolist() == shippers.pricer.taste.tolist() != scaled.pricer.taste.tolist()
    assert (kept.existing.cost_inr_per_t < shippers.existing.cost_inr_per_t).all()


def test_a_client_that_counts_and_has_no_way_keeps_nobody_from_their_tastes(shippers: Model) -> None:
    """The last district has no road: as a leader that counts it has no shippers at all."""
    model = restated(shippers, shippers.study.with_changes(leader_weight=1.0))
    whole = restated(shippers, model.study.with_changes(shippers=0))
    assert model.clients["client"].nunique() < len(whole.clients)
    quicker = model.study.with_changes(parameters={"customs_time_saved_h": 24.0})
    assert restated(model, quicker, keep_tastes=True).pricer.taste.tolist() == model.pricer.taste.tolist()


def test_tastes_of_other_clients_are_drawn_anew(shippers: Model) -> None:
    gone = shippers.study.with_changes(export_growth={"madhya-pradesh/d3": -1.0})
    kept, drawn_anew = restated(shippers, gone, keep_tastes=True), restated(shippers, gone)
    assert len(kept.clients) < len(shippers.clients)
    assert kept.pricer.taste.tolist() == drawn_anew.pricer.taste.tolist()


def test_what_is_minded_of_rare_trains_stays_with_the_tastes_where_freight_becomes_dearer(shippers: Model) -> None:
    """In rupees, as the tastes; drawn anew it is in proportion to the freight by road."""
    dearer = shippers.study.with_changes(parameters={"heavy_trailer_inr_per_t_km": 1.8, "rail_trains_per_week": 1.0})
    kept, anew = restated(shippers, dearer, keep_tastes=True), restated(shippers, dearer)
    np.testing.assert_array_equal(kept.pricer.rarity, shippers.pricer.rarity)
    assert anew.pricer.rarity.max() == pytest.approx(shippers.pricer.rarity.max() * 1.8 / 1.51)
    for model in (kept, anew):
        np.testing.assert_allclose(model.pricer.price(model.existing), model.existing.cost_inr_per_t)

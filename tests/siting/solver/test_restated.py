"""The bound of a certificate, (10) and (11) over the caller's problem, against the same sums written out one by one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tiny_problems import random_problem, with_minimums, with_random_rules

from siting.solver import FacilityProblem
from siting.solver.core import Core
from siting.solver.link_cuts import LinkCuts
from siting.solver.option_limits import FIT, Limits
from siting.solver.proof import Prices
from siting.solver.reduce import reduce_problem
from siting.solver.restated import Restated, _fills, _first_parts, _free_parts, _idle, _knapsacks

CLOSE = {"rel": 1e-8, "abs": 1e-8}


def one_place(seed: int) -> FacilityProblem:
    """A random problem without lanes over two options, some with minimums, some with rules of any sign."""
    problem = random_problem(seed)
    ends = problem.lane_options.copy()
    ends[(ends >= 0).all(axis=1), 1] = -1
    problem = problem.with_changes(lane_options=ends, single_source=False)
    problem = with_minimums(problem, seed) if seed % 3 == 0 else problem
    return with_random_rules(problem, seed) if seed % 2 == 0 else problem


def restated(problem: FacilityProblem) -> tuple[Core, Restated]:
    core = reduce_problem(problem)
    return core, Restated(problem, core, np.full(problem.n_clients, np.inf))


def some_limits(problem: FacilityProblem, rng: np.random.Generator) -> Limits:
    """Some options open, some closed, between a few and a few more of them, and one of some."""
    state, n = rng.choice(3, problem.n_options, p=[0.6, 0.2, 0.2]), problem.n_options
    limits = Limits(state == 1, state != 2, float(rng.integers(0, 3)), float(rng.integers(2, 6)), None, problem.group)
    limits.close_rivals()
    if rng.random() < 0.5:
        limits.one_of = rng.random(n) < 0.5
    return limits


def some_prices(core: Core, rng: np.random.Generator) -> Prices:
    top = float(core.cost.max(initial=1.0))
    lanes = np.flatnonzero(core.places[:, 1] >= 0)
    size = float(abs(core.rules.coefficients.data).max(initial=1.0))
    return Prices(
        rng.random(core.n_clients) * top * rng.choice([0.5, 1.0, 2.0]),
        rng.normal(0, top / 5 / size, len(core.rules)),
        rng.normal(0, top / 5, 2),
        top * rng.random(),
        lanes,
        -rng.random(len(lanes)) * top / 2,
    )


def reached(p: FacilityProblem, stay: np.ndarray, j: int) -> float:
    """Demand of the clients with a lane through an option that is of use and finds room."""
    clients = {
        int(i)
        for i, ends, cost in zip(p.lane_client, p.lane_options, p.lane_cost, strict=True)
        if j in ends and (cost < stay[i] or (p.min_throughput[ends[ends >= 0]] > 0).any()) and fits(p, int(i), ends)
    }
    return float(sum(p.demand[i] for i in clients))


def fits(p: FacilityProblem, i: int, ends: np.ndarray) -> bool:
    room = min(p.capacity[j] for j in ends if j >= 0)
    return bool(p.demand[i] == 0 or room > 0)


def knapsack(gains: dict[int, float], demand: np.ndarray, least: float, most: float) -> float:
    """The cheapest of what clients bring to an option that comes to its minimum and no further than its capacity."""
    total, load = 0.0, 0.0
    weightless = [gain for i, gain in gains.items() if demand[i] == 0]
    items = sorted((gain / demand[i], demand[i]) for i, gain in gains.items() if demand[i] > 0)
    if min(sum(size for _, size in items), most) < least * (1 - FIT):
        return np.inf
    for each, size in items:
        limit = most if each < 0 else least * (1 - FIT)
        part = min(size, max(limit - load, 0.0))
        total, load = total + each * part, load + part
    return total + sum(min(gain, 0.0) for gain in weightless)


def written_out(
    p: FacilityProblem, core: Core, at: Restated, prices: Prices, limits: Limits
) -> tuple[float, np.ndarray, np.ndarray]:
    """The bound and what it rises by where an option opens or stays closed, for problems without two-option lanes."""
    stay = p.unserved_cost.copy()
    for i, ends, cost in zip(p.lane_client, p.lane_options, p.lane_cost, strict=True):
        if (ends < 0).all():
            stay[i] = min(stay[i], cost)
    lam = stay.copy()
    lam[core.client_of] = np.minimum(prices.lam, stay[core.client_of])
    held = [
        j for j in np.flatnonzero(limits.low) if p.capacity[j] > 0 and p.capacity[j] >= reached(p, stay, int(j))
    ] if np.isfinite(p.capacity).any() or p.min_throughput.any() else np.flatnonzero(limits.low).tolist()  # fmt: skip
    lanes = [
        (int(i), int(max(ends)), float(cost))
        for i, ends, cost in zip(p.lane_client, p.lane_options, p.lane_cost, strict=True)
        if max(ends) >= 0 and limits.high[max(ends)] and fits(p, int(i), ends)
    ]
    filling = p.min_throughput > 0
    counted = at.rows.limits().high & ~at.idle  # closed in all plans; those that bear their lanes, see `idle`
    lanes = [(i, j, cost) for i, j, cost in lanes if (cost < stay[i] or filling[j]) and counted[j]]
    ceiling = lam.copy()
    for i, j, cost in lanes:
        if j in held:
            ceiling[i] = min(ceiling[i], cost)
    if not filling[np.unique(at.options[at.options >= 0])].any():
        lam = ceiling
    lam = np.where(np.isfinite(lam), lam, 0.0)
    gains: list[dict[int, float]] = [{} for _ in range(p.n_options)]
    for i, j, cost in lanes:
        if filling[j] or (cost < lam[i] and cost <= ceiling[i]):
            gains[j][i] = min(gains[j].get(i, np.inf), cost - lam[i])
    rows = at.rows.rows.toarray()
    price = np.concatenate([prices.rules, prices.held])
    limit = np.where(price > 0, [*at.rows.lower[:-1], limits.fewest], [*at.rows.upper[:-1], limits.most])
    price, limit = np.where(np.isfinite(limit), price, 0.0), np.where(np.isfinite(limit), limit, 0.0)
    one_of = np.zeros(p.n_options) if limits.one_of is None else prices.one_of * limits.one_of
    worth = [knapsack(gains[j], p.demand, p.min_throughput[j], p.capacity[j]) for j in range(p.n_options)]
    w = np.where(at.idle, at.idle_worth, p.fixed_cost + np.array(worth)) - price @ rows - one_of
    free = limits.high & ~limits.low
    constant = lam.sum() + price @ limit + (0.0 if limits.one_of is None else prices.one_of) + w[limits.low].sum()
    labels = [p.group[j] if p.group[j] >= 0 else -1 - j for j in range(p.n_options)]
    best = {g: min([0.0, *(w[j] for j in np.flatnonzero(free) if labels[j] == g)]) for g in set(labels)}
    enter, leave = np.where(limits.high, 0.0, np.inf), np.where(limits.low, np.inf, 0.0)
    for j in np.flatnonzero(free):
        others = min([0.0, *(w[k] for k in np.flatnonzero(free) if labels[k] == labels[j] and k != j)])
        enter[j], leave[j] = w[j] - best[labels[j]], max(others - w[j], 0.0)
    return constant + sum(best.values()), enter, leave


@pytest.mark.parametrize("block", range(3))
def test_the_bound_is_that_of_the_sums_written_out(block: int) -> None:
    full, short = 0, 0
    for seed in range(340_000 + 60 * block, 340_060 + 60 * block):
        problem, rng = one_place(seed), np.random.default_rng(seed)
        core, bounds = restated(problem)
        for _ in range(3):
            prices, limits = some_prices(core, rng), some_limits(problem, rng)
            found, (value, enter, leave) = (
                bounds.bound(prices, limits),
                written_out(problem, core, bounds, prices, limits),
            )
            if np.isinf(value):
                assert np.isinf(found.value), f"seed {seed}"
                continue
            assert found.value == pytest.approx(value, **CLOSE), f"seed {seed}"
            assert found.enter == pytest.approx(enter, **CLOSE), f"seed {seed}"
            assert found.leave == pytest.approx(leave, **CLOSE), f"seed {seed}"
            assert found.value <= value, "rounding is taken off"
            full, short = full + bool(problem.capacity.min() < 9), short + bool(problem.min_throughput.any())
    assert full > 20 and short > 20


def test_the_prices_of_a_linear_program_bound_as_well_as_it_does() -> None:
    """Strong duality: groups, rules, capacities, minimums and lanes over two options, each with its share."""
    seen = np.zeros(4, dtype=int)
    for seed in range(341_000, 341_160):
        problem = random_problem(seed).with_changes(single_source=False)
        problem = with_minimums(problem, seed) if seed % 3 == 0 else problem
        core, bounds = restated(problem)
        if not core.n_options or not core.n_lanes or np.isinf(core.base):
            continue
        links = LinkCuts(core, 1, lambda: None)
        linear = links.solve_linear(lambda: np.inf, np.inf, lambda bound, y: None)
        if not np.isfinite(linear.bound):
            continue
        limits = bounds.rows.limits()
        found, least = bounds.bound(links.last_prices(), limits), linear.bound + core.base
        assert found.value >= least - 1e-6 * (1 + abs(least)), f"seed {seed}"
        seen += core.paired, core.capacitated, core.has_minimum, (core.group >= 0).any()
    assert (seen > 8).all()


def test_lanes_over_two_options_are_known_in_the_core_by_client_and_places() -> None:
    matched = 0
    for seed in range(342_000, 342_060):
        problem = random_problem(seed)
        core, bounds = restated(problem)
        place = np.full(problem.n_options, -1)
        place[core.option_of] = core.place
        for lane, turned, at in zip(bounds.core_lane, bounds.turned, bounds.paired, strict=True):
            if lane < core.n_lanes:
                ends = place[bounds.options[at]].tolist()
                assert core.client_of[core.client[lane]] == bounds.client[at]
                assert core.places[lane].tolist() == (ends[::-1] if turned else ends), f"seed {seed}"
                matched += 1
        there = set(bounds.core_lane.tolist())
        assert set(np.flatnonzero(core.places[:, 1] >= 0).tolist()) <= there, (
            f"seed {seed}: all have one of the caller's"
        )
    assert matched > 15


def test_bounds_stay_where_lanes_through_closed_options_are_left_out() -> None:
    for seed in range(343_000, 343_040):
        problem, rng = random_problem(seed), np.random.default_rng(seed)
        core, bounds = restated(problem)
        limits, prices = some_limits(problem, rng), some_prices(core, rng)
        before = bounds.bound(prices, limits)
        bounds.narrow(limits)
        after = bounds.bound(prices, limits)
        assert after.value == pytest.approx(before.value, **CLOSE), f"seed {seed}"
        assert after.enter == pytest.approx(before.enter, **CLOSE) and after.leave == pytest.approx(
            before.leave, **CLOSE
        )


def test_a_lane_bounds_alike_whichever_of_its_two_options_comes_first() -> None:
    """Where the search said what each of them bears, and at most one of them opens in any case."""
    turned = 0
    for seed in range(344_000, 344_120):
        problem, rng = random_problem(seed).with_changes(single_source=False), np.random.default_rng(seed)
        problem = with_minimums(problem, seed) if seed % 3 == 0 else problem
        core, bounds = restated(problem)
        other_way = problem.with_changes(lane_options=problem.lane_options[:, ::-1])
        flipped = Restated(other_way, core, np.full(problem.n_clients, np.inf))
        limits = bounds.rows.limits()
        if not (bounds.core_lane < core.n_lanes).all() or limits.low[bounds.options[bounds.paired]].all(axis=1).any():
            continue
        pairs = np.flatnonzero(core.places[:, 1] >= 0)
        prices = Prices(
            core.cost.max(initial=1.0) * (0.5 + rng.random(core.n_clients)), np.zeros(len(core.rules)), np.zeros(2),
            0.0, pairs, -core.cost.max(initial=1.0) * rng.random(len(pairs)),
        )  # fmt: skip
        mine, theirs = (some.bound(prices, limits) for some in (bounds, flipped))
        assert theirs.value == pytest.approx(mine.value, **CLOSE), f"seed {seed}"
        assert theirs.enter == pytest.approx(mine.enter, **CLOSE), f"seed {seed}"
        turned += bool(flipped.turned.any())
    assert turned > 8


@pytest.mark.parametrize(
    ("ends", "least", "fixed", "idle"),
    [
        ([0, -1], 0.0, 5.0, [True, False]),  # gains 2 at the highest multiplier, 3
        ([0, -1], 0.0, 1.5, [False, False]),
        ([0, -1], 0.5, 5.0, [False, False]),  # may fill an option: up to what its client costs without any, 10
        ([0, -1], 0.5, 9.5, [True, False]),
        ([0, 1], 0.5, 5.0, [False, False]),  # whole at both, if one of them has a minimum
        ([0, 1], 0.5, 9.5, [True, True]),
        ([0, 1], 0.0, 5.0, [True, True]),
    ],
)
def test_options_left_out_bear_their_lanes_whole_where_they_cost_no_less_than_nothing(
    ends: list[int], least: float, fixed: float, idle: list[bool]
) -> None:
    """One lane that costs 1; the first option may have a minimum; the second, where no lane leads to it, is gainful."""
    second = fixed if ends[1] == 1 else -1.0
    problem = FacilityProblem(
        lane_client=np.array([0]), lane_options=np.array([ends]), lane_cost=np.array([1.0]), n_clients=1, n_options=2,
        unserved_cost=np.array([10.0]), fixed_cost=np.array([fixed, second]), demand=np.array([2.0]),
        min_throughput=np.array([least, 0.0]),
    )  # fmt: skip
    nothing = SimpleNamespace(option_of=np.zeros(0, np.int64))
    found, worth = _idle(problem, nothing, np.array([True]), np.array([3.0]), problem.unserved_cost)  # type: ignore[arg-type]
    assert found.tolist() == idle
    gain = 9.0 if least else 2.0
    assert worth.tolist() == pytest.approx([fixed - gain if alone else 0.0 for alone in idle])
    inside = SimpleNamespace(option_of=np.array([0, 1]))
    assert not _idle(problem, inside, np.array([True]), np.array([3.0]), problem.unserved_cost)[0].any()  # type: ignore[arg-type]


def test_what_does_not_fit_brings_nothing_and_what_is_missing_is_made_up_by_the_cheapest() -> None:
    """5 t of room: 5 for one t, 6 for 3, half of 3 for 2, nothing of 1 for one; who needs no room always fits.

    4 t missing: 1 for one t and 6 for 3; of 5 t one of 2 for 8. The second option has a client of its own.
    """
    p = SimpleNamespace(
        demand=np.array([3.0, 1.0, 2.0, 0.0, 1.0, 4.0]), capacity=np.array([5.0, 1.0]), n_options=2
    )  # fmt: skip
    option, client = np.array([0, 0, 0, 0, 0, 1]), np.arange(6)
    room = _knapsacks(p, option, client, np.array([-6.0, -5.0, -3.0, -1.0, -1.0, -8.0]))  # type: ignore[arg-type]
    assert room.tolist() == pytest.approx([-13.5, -2.0])
    dear = np.array([6.0, 1.0, 8.0, 9.0, 7.0, 8.0])
    for missing, cost in (([4.0, 2.0], [7.0, 4.0]), ([5.0, 0.0], [11.0, 0.0])):
        made_up = _fills(p, option, client, dear, np.array(missing))  # type: ignore[arg-type]
        assert made_up.tolist() == pytest.approx(cost)


SAID = -3.0
PARTS: list[tuple[str, float, tuple[bool, bool], tuple[float, float], float | None, float]] = [
    # where it is in the core, its whole reduced cost, whose options have minimums, relief, what was said, first part
    ("as it is", -8.0, (False, False), (0.0, 0.0), SAID, -3.0),
    ("turned", -8.0, (False, False), (0.0, 0.0), SAID, -5.0),
    ("as it is", -8.0, (False, False), (1.0, 0.0), SAID, -2.0),
    ("as it is", -8.0, (False, False), (0.0, 1.0), SAID, -3.0),
    ("turned", -8.0, (False, False), (0.0, 1.0), SAID, -6.0),
    ("turned", -8.0, (False, False), (1.0, 0.0), SAID, -5.0),
    ("as it is", -8.0, (False, False), (0.0, 0.0), None, -4.0),  # nothing was said: half
    ("as it is", -8.0, (False, False), (0.0, 0.0), 2.0, 0.0),
    ("as it is", -8.0, (False, False), (0.0, 0.0), -9.0, -8.0),
    ("as it is", -8.0, (True, False), (0.0, 0.0), 2.0, 2.0),
    ("as it is", -8.0, (False, True), (0.0, 0.0), 2.0, 0.0),
    ("as it is", -8.0, (True, False), (0.0, 0.0), -9.0, -8.0),
    ("as it is", -8.0, (False, True), (0.0, 0.0), -9.0, -9.0),
    ("dropped", -8.0, (True, True), (0.0, 0.0), None, -4.0),
    ("dropped", -8.0, (True, False), (0.0, 0.0), None, -8.0),
    ("dropped", -8.0, (False, True), (0.0, 0.0), None, 0.0),
    ("dropped", 6.0, (True, False), (0.0, 0.0), None, 6.0),
    ("dropped", -8.0, (False, False), (0.0, 0.0), None, 0.0),  # the client gains nothing elsewhere: all to the second
]


@pytest.mark.parametrize(("core", "whole", "fills", "relief", "said", "first"), PARTS)
def test_what_the_first_of_two_options_bears_of_a_lane(
    core: str, whole: float, fills: tuple[bool, bool], relief: tuple[float, float], said: float | None, first: float
) -> None:
    """What the search said of it; none more than the whole or less than nothing, unless that helps to a minimum.

    A lane over one option comes before; of three lanes of the core it is the second.
    """
    at = SimpleNamespace(
        core=SimpleNamespace(n_lanes=3), paired=np.array([1]), core_lane=np.array([3 if core == "dropped" else 1]),
        turned=np.array([core == "turned"]), fills=np.array([[False, False], fills]), client=np.zeros(2, np.int64),
        options=np.array([[5, -1], [6, 7]]), problem=SimpleNamespace(n_options=8, n_clients=1),
    )  # fmt: skip
    lanes = np.array([0, 1, 2] if said is not None else [0, 2])
    parts = np.array([-70.0, said, -90.0] if said is not None else [-70.0, -90.0])
    prices = Prices(np.zeros(1), np.zeros(0), np.zeros(2), 0.0, lanes, parts)
    found = _first_parts(
        at, prices, np.array([0, 1]), np.array([1]), np.array([-1.0, whole]), np.array([[0.0, 0.0], relief])
    )  # type: ignore[arg-type]
    assert found.tolist() == [pytest.approx(first)]


@pytest.mark.parametrize(
    ("whole", "first"), [(-2.0, -2.0), (-4.0, 0.0), (-5.0, 0.0), (-10.0, -3.0)], ids=["a", "b", "b at all", "both"]
)
def test_a_lane_that_the_search_dropped_is_borne_where_its_client_gains_as_much_anyway(
    whole: float, first: float
) -> None:
    """Other lanes of the client gain 3 at the first option, 5 at the second; at a third and fourth none does."""
    at, second = [10, 11], [-3.0, -5.0]
    key_of = np.array([[at[0], 99], [at[1], 99], [10, 11], [12, 13]])
    reduced = np.array([*second, whole, whole])
    found = _free_parts(key_of, reduced, np.array([2, 3]), np.array([np.nan, np.nan]), np.array([0, 1]))
    assert found.tolist() == [first, 0.0]
    known = _free_parts(
        np.array([[10, 11], [10, 11]]), np.array([-8.0, whole]), np.array([0, 1]), np.array([-3.0, np.nan]),
        np.array([1]),
    )  # fmt: skip
    assert known.tolist() == [first], "those of two options whose parts are known count as well"


def costs(**changes: Any) -> Restated:
    """Two clients that must be served and one that may stay for 4; whole costs."""
    cost = [[1.0, 3.0], [2.0, 1.0], [3.0, 2.0]]
    settings: dict[str, Any] = {
        "fixed_cost": [3.0, 4.0],
        "unserved_cost": [np.inf, np.inf, 4.0],
        "demand": [2.0, 3.0, 4.0],
    }
    return restated(FacilityProblem.from_costs(**{"cost": cost, **settings, **changes}))[1]


@pytest.mark.parametrize(
    ("changes", "whole"),
    [
        ({}, True),
        ({"cost": [[1.5, 3.0], [2.0, 1.0], [3.0, 2.0]]}, False),
        ({"cost": [[-(2.0**41), 3.0], [2.0, 1.0], [3.0, 2.0]]}, False),
        ({"unserved_cost": [np.inf, np.inf, 4.5]}, False),
        ({"fixed_cost": [3.0, 4.5]}, False),
        ({"capacity": [5.0, 6.0]}, False),  # a client may be split
        ({"capacity": [5.0, 6.0], "single_source": True}, True),
        ({"capacity": [9.0, 9.0]}, True),  # room for all
        ({"capacity": [9.0, 0.0]}, True),  # room for all or nothing
        ({"min_throughput": [1.0, 0.0]}, False),
        ({"min_throughput": [0.0, 9.5]}, True),  # never filled, never open
        ({"min_throughput": [1.0, 0.0], "single_source": True}, True),
    ],
)
def test_plans_cost_whole_numbers_where_costs_are_whole_and_no_client_is_split(changes: Any, whole: bool) -> None:
    assert costs(**changes).costs_whole() is whole


def test_clients_that_must_be_served_need_a_lane_among_the_options_left() -> None:
    bounds = costs(cost=[[1.0, np.nan], [2.0, 1.0], [np.nan, 2.0]])

    def served(*high: bool) -> bool:
        return bounds.served(Limits(np.zeros(2, bool), np.array(high), 0.0, np.inf, None, np.full(2, -1)))

    assert served(True, True) and served(True, False)
    assert not served(False, True), "the first has no other"

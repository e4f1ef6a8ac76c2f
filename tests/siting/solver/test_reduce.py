"""A reduction keeps what an optimal plan can use, and nothing else: against its definition, lane by lane."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from tiny_problems import random_problem, with_minimums, with_random_rules

from siting.solver import FacilityProblem, Rules
from siting.solver.core import Core
from siting.solver.problem import FIT, NO_OPTION
from siting.solver.reach import out_of_reach, shut_out, wanted
from siting.solver.reduce import reduce_problem
from siting.solver.service import cheapest_service

Lane = tuple[int, frozenset[int], float]
"""Client, options and cost."""


def masks(problem: FacilityProblem) -> tuple[np.ndarray, np.ndarray]:
    """Options that are forced open, and those that are forbidden, never filled or shut out by a rule."""
    forced, closed = (np.zeros(problem.n_options, dtype=bool) for _ in range(2))
    forced[problem.forced_open], closed[problem.forbidden] = True, True
    for j, least in enumerate(problem.min_throughput.tolist()):
        reached = np.unique(problem.lane_client[(problem.lane_options == j).any(axis=1)])
        closed[j] |= least > (1 + 1e-9) * min(problem.capacity[j], problem.demand[reached].sum())
    return forced, closed | shut_out(problem.rows, forced, closed)


def without_any(problem: FacilityProblem) -> list[float]:
    """What each client costs when no option serves it."""
    stay = problem.unserved_cost.tolist()
    for i, ends, cost in zip(problem.lane_client, problem.lane_options, problem.lane_cost, strict=True):
        if (ends == NO_OPTION).all():
            stay[i] = min(stay[i], float(cost))
    return stay


def useful_lanes(problem: FacilityProblem, lending: bool = True) -> tuple[set[Lane], set[Lane]]:
    """The lanes of an optimal plan and the stand-ins, by the definition and one by one."""
    p, stay = problem, without_any(problem)
    forced, closed = masks(p)
    lanes: list[Lane] = []
    reach: list[dict[int, float]] = [{} for _ in range(p.n_options)]
    for i, ends, cost in zip(p.lane_client.tolist(), p.lane_options.tolist(), p.lane_cost.tolist(), strict=True):
        needs = frozenset(ends) - {NO_OPTION}
        for j in needs:
            reach[j][i] = float(p.demand[i])
        lanes.append((i, needs, cost))
    filled = {j for j in range(p.n_options) if p.min_throughput[j] > 0 and not closed[j]}
    lanes = [lane for lane in lanes if lane[1] and not any(closed[j] for j in lane[1])]
    lanes = [lane for lane in lanes if lane[2] < stay[lane[0]] or lane[1] & filled]
    certain = {
        j for j in range(p.n_options) if forced[j] and p.capacity[j] > 0 and p.capacity[j] >= sum(reach[j].values())
    }
    ceiling = [min([stay[i], *(c for k, needs, c in lanes if k == i and needs <= certain)]) for i in range(p.n_clients)]

    def fits(i: int, needs: frozenset[int]) -> bool:
        room = min(p.capacity[j] for j in needs)
        return bool(p.demand[i] <= room if p.single_source else p.demand[i] == 0 or room > 0)

    lanes = [lane for lane in lanes if fits(lane[0], lane[1])]
    spared = {j for j in range(p.n_options) if forced[j] or wanted(p.limits, forced, closed)[j]}
    idle = never_paying(p, lanes, stay, spared) if lending or not filled else set()
    lost = {(i, needs - idle) for i, needs, _ in lanes if needs & idle}
    lanes = [lane for lane in lanes if not lane[1] & idle]
    own = {(i, needs) for i, needs, cost in lanes if cost <= stay[i]}
    lent = {(i, needs, stay[i]) for i, needs in lost - own if needs & filled}
    lanes = [lane for lane in lanes if lane[2] <= ceiling[lane[0]] or lane[1] & filled]
    best = {
        (i, needs, cost)
        for i, needs, cost in lanes
        if not any(
            i == k and ((other < needs and c <= cost and not (needs - other) & filled) or (other == needs and c < cost))
            for k, other, c in lanes
        )
    }
    return best, lent


def never_paying(p: FacilityProblem, lanes: list[Lane], stay: list[float], spared: set[int]) -> set[int]:
    """Options that cost more than all clients gain by lanes through them and none of those found before (31)."""
    found: set[int] = set()
    while True:
        gain = np.zeros((p.n_clients, p.n_options))
        for i, needs, cost in lanes:
            for j in needs if not needs & found else ():
                gain[i, j] = max(gain[i, j], stay[i] - cost)
        more = {j for j in range(p.n_options) if p.fixed_cost[j] > gain[:, j].sum()} - spared - found
        if not more:
            return found
        found |= more


def lanes_of(core: Core) -> list[Lane]:
    """The lanes of a core without tiers, in the numbering of the problem."""
    option = np.full(core.n_places, -1)
    option[core.place] = core.option_of
    return [
        (int(core.client_of[i]), frozenset(int(option[place]) for place in places if place >= 0), float(cost))
        for i, places, cost in zip(core.client, core.places, core.cost, strict=True)
    ]


def without_groups(seed: int) -> FacilityProblem:
    problem = random_problem(seed)
    problem = problem.with_changes(group=np.full(problem.n_options, NO_OPTION))
    problem = with_minimums(problem, seed) if seed % 4 == 0 else problem
    if seed % 5 == 0:
        problem = problem.with_changes(demand=problem.demand / 16, capacity=problem.capacity / 16)
    return with_random_rules(problem, seed) if seed % 3 == 0 else problem


@pytest.mark.parametrize("block", range(3))
def test_the_lanes_kept_are_those_of_the_definition_in_order_of_client_and_cost(block: int) -> None:
    for seed in range(320_000 + 100 * block, 320_100 + 100 * block):
        problem = without_groups(seed)
        core = reduce_problem(problem, lending=seed % 8 != 0)
        lanes, (best, lent) = lanes_of(core), useful_lanes(problem, lending=seed % 8 != 0)
        assert len(set(lanes)) == len(lanes) and set(lanes) == best | lent, f"seed {seed}"
        assert {lanes[k] for k in np.flatnonzero(core.stand_in)} == lent, f"seed {seed}"
        assert (np.diff(core.client) >= 0).all() and (np.diff(core.cost)[np.diff(core.client) == 0] >= 0).all()
        assert core.first_lane.tolist() == np.searchsorted(core.client, np.arange(core.n_clients + 1)).tolist()


def test_the_options_and_clients_kept_and_what_is_said_of_them() -> None:
    for seed in range(321_000, 321_150):
        problem = without_groups(seed)
        core, stay = reduce_problem(problem), without_any(problem)
        forced, closed = masks(problem)
        lanes = set().union(*useful_lanes(problem))
        used = {j for _, needs, _ in lanes for j in needs} | set(np.flatnonzero(forced).tolist())
        used |= set(np.flatnonzero((problem.fixed_cost < 0) | wanted(problem.limits, forced, closed)).tolist())
        assert set(core.option_of.tolist()) == used - set(np.flatnonzero(closed).tolist()), f"seed {seed}"
        served = {i for i, _, _ in lanes}
        assert set(core.client_of.tolist()) == served
        assert core.base == pytest.approx(sum(stay[i] for i in range(problem.n_clients) if i not in served))
        assert core.unserved.tolist() == [stay[i] for i in core.client_of]
        assert core.demand.tolist() == problem.demand[core.client_of].tolist()
        assert core.fixed_cost.tolist() == problem.fixed_cost[core.option_of].tolist()
        assert core.forced.tolist() == forced[core.option_of].tolist()
        assert (core.rules.coefficients != problem.limits.coefficients[:, core.option_of]).nnz == 0


def test_a_capacity_is_kept_where_the_clients_in_reach_need_more() -> None:
    limited = 0
    for seed in range(322_000, 322_100):
        problem = without_groups(seed)
        core = reduce_problem(problem)
        for j, capacity in zip(core.option_of.tolist(), core.capacity.tolist(), strict=True):
            reached = np.unique(problem.lane_client[(problem.lane_options == j).any(axis=1)])
            binds = 0 < problem.capacity[j] < problem.demand[reached].sum()
            limited += binds
            room = problem.capacity[j] * (1 + FIT) if problem.single_source else problem.capacity[j]
            assert capacity == (min(room, problem.demand[reached].sum()) if binds else np.inf), f"seed {seed}"
    assert limited > 30


def dear(**changes: object) -> set[int]:
    """Options kept of `dear_problem`."""
    return set(reduce_problem(dear_problem(**changes)).option_of.tolist())


def dear_problem(**changes: object) -> FacilityProblem:
    """Four options: 1 gains less than it costs, 2 gains enough only through 1, 3 only through 2."""
    problem = FacilityProblem(
        lane_client=np.array([0, 0, 1, 1, 2, 2, 0]),
        lane_options=np.array([[0, -1], [1, -1], [1, 2], [0, -1], [2, 3], [3, 0], [1, -1]]),
        lane_cost=np.array([4.0, 3.0, 1.0, 7.0, 1.0, 8.0, 2.0]),
        n_clients=3,
        n_options=4,
        unserved_cost=np.array([10.0, 10.0, 10.0]),
        fixed_cost=np.array([6.0, 17.1, 10.0, 3.0]),
    )
    return problem.with_changes(**changes)


def test_options_dearer_than_all_their_clients_gain_are_dropped_and_those_that_need_them() -> None:
    assert dear() == {0}
    assert dear(fixed_cost=np.array([6.0, 16.9, 10.0, 3.0])) == {0, 1, 2, 3}, (
        "a client's best lane gains 8, another's 9"
    )
    assert dear(fixed_cost=np.array([6.0, 17.1, 8.9, 3.0])) == {0, 2, 3}, "9 by the lane with option 3"
    assert dear(fixed_cost=np.array([6.0, 17.1, 10.0, 1.9])) == {0, 3}, "2 by the lane with option 0"
    assert dear(fixed_cost=np.array([9.1, 17.1, 10.0, 3.0])) == set(), "6 + 3"


def test_options_that_do_not_pay_stay_where_they_must_open_or_may_be_of_use_otherwise() -> None:
    assert dear(forced_open=[1]) == {0, 1, 2, 3}
    assert dear(n_open=1) == {0, 1, 2, 3}
    assert dear(rules=Rules([[0.0, 0.0, 0.0, 1.0]], lower=1.0)) >= {3}
    assert dear(unserved_cost=np.array([10.0, np.inf, 10.0])) == {0, 1, 2, 3}, "a client that must be served"


def test_where_an_option_that_does_not_pay_may_fill_another_the_other_has_a_stand_in_that_no_plan_uses() -> None:
    filled = dear_problem(fixed_cost=np.array([6.0, 17.1, 8.9, 3.0]), min_throughput=np.array([0.0, 0.0, 1.0, 0.0]))
    core = reduce_problem(filled)
    assert core.relaxed and set(core.option_of.tolist()) == {0, 2, 3}
    lent = [lane for lane, stand_in in zip(lanes_of(core), core.stand_in.tolist(), strict=True) if stand_in]
    assert lent == [(1, frozenset({2}), 10.0)], "client 1 by way of 1 and 2 saves no more than 1 costs"
    opened = core.option_of == 2
    assert cheapest_service(core, opened) is None, "nothing but the stand-in fills 2 alone"
    assert cheapest_service(core, core.forced) is not None
    whole = reduce_problem(filled, lending=False)
    assert not whole.relaxed and set(whole.option_of.tolist()) == {0, 1, 2, 3}


def tiers(**changes: object) -> Core:
    """Two clients, a small and a large tier of one site and a rival of another kind."""
    problem = FacilityProblem(
        lane_client=np.array([0, 0, 0, 1, 1, 1]),
        lane_options=np.array([[0, 2], [2, 1], [2, -1], [0, -1], [1, -1], [2, -1]]),
        lane_cost=np.array([3.0, 3.0, 5.0, 4.0, 4.0, 6.0]),
        n_clients=2,
        n_options=3,
        demand=np.array([4.0, 3.0]),
        fixed_cost=np.array([1.0, 2.0, 3.0]),
        capacity=np.array([5.0, 9.0, np.inf]),
        group=np.array([7, 7, -1]),
    )
    return reduce_problem(problem.with_changes(**changes))


def test_tiers_with_the_same_lanes_share_a_place_and_its_lanes() -> None:
    core = tiers()
    place = dict(zip(core.option_of.tolist(), core.place.tolist(), strict=True))
    assert place[0] == place[1] != place[2]
    assert sorted(core.cost.tolist()) == [3.0, 4.0, 5.0, 6.0]
    capacity = dict(zip(core.option_of.tolist(), core.capacity.tolist(), strict=True))
    assert capacity == {0: 5.0, 1: 7.0, 2: np.inf}, "of the large tier what there is to hold, beside a small one"
    assert tiers(group=np.array([0, 0, -1])).n_places == tiers(group=np.array([1, 1, 0])).n_places == 2
    assert len(set(core.group[core.place == place[0]].tolist())) == 1 and core.group[core.place == place[2]] == [-1]


@pytest.mark.parametrize(
    "changes",
    [
        {"group": np.array([-1, -1, -1])},
        {"group": np.array([7, 8, -1])},
        {"lane_cost": np.array([3.0, 3.0, 5.0, 4.0, 4.1, 6.0])},
        {"lane_cost": np.array([3.0, 3.1, 5.0, 4.0, 4.0, 6.0])},
        {"lane_client": np.array([0, 0, 0, 1, 0, 1])},
        {"lane_options": np.array([[0, 2], [1, -1], [2, -1], [0, -1], [1, -1], [2, -1]])},
        {
            "lane_options": np.array([[2, 0], [2, -1], [2, -1], [0, -1], [1, -1], [2, -1]]),
            "lane_cost": np.array([3.0, 9.0, 5.0, 4.0, 4.0, 6.0]),
        },
    ],
)
def test_options_that_differ_in_group_or_lanes_have_a_place_each(changes: dict[str, object]) -> None:
    core = tiers(**changes)
    assert len(set(core.place.tolist())) == core.n_options == core.n_places == 3


def test_a_core_says_whether_a_rule_asks_for_exactly_one_number() -> None:
    cost = [[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]]

    def number(**limits: object) -> int | None:
        return reduce_problem(FacilityProblem.from_costs(cost, **limits)).n_open  # type: ignore[arg-type]

    assert number(n_open=2) == 2
    assert number() is None
    assert number(rules=Rules(np.ones((1, 3)), 1.0, 2.0)) is None
    assert number(rules=Rules([[1.0, 1.0, 0.0]], 1.0, 1.0)) is None
    assert number(rules=Rules([[1.0, 1.0, 2.0]], 2.0, 2.0)) is None
    assert number(rules=Rules(np.ones((1, 3)), 1.5, 1.5)) is None
    assert number(rules=Rules([[1.0, 2.0, 0.0], [1.0, 1.0, 1.0]], 2.0, 2.0)) == 2


def test_places_have_the_room_of_their_open_option() -> None:
    core = tiers()
    large = core.option_of == 1
    room = core.place_capacity(large)
    assert room[core.place[large]] == [7.0]
    assert np.isnan(np.delete(room, core.place[large])).all()
    assert core.capacitated and core.paired
    plain = reduce_problem(FacilityProblem.from_costs([[1.0, 2.0]]))
    assert not plain.capacitated and not plain.paired
    assert reduce_problem(FacilityProblem.from_costs([[1.0]])).n_places == 1
    assert replace(plain, places=np.array([[1, 0]] * plain.n_lanes, np.int32)).paired, (
        "the second place may be the first"
    )


EVERY = np.array(list(itertools.product([0.0, 1.0], repeat=5)))
"""All ways to open five options."""


def test_a_core_is_simple_without_capacities_lanes_over_two_places_and_minimums() -> None:
    def core(**changes: object) -> Core:
        return reduce_problem(FacilityProblem.from_costs([[1.0, 2.0], [2.0, 1.0]], **changes))  # type: ignore[arg-type]

    assert core().simple and not core().has_minimum
    assert core(min_throughput=[0.5, 0.0]).has_minimum and not core(min_throughput=[0.5, 0.0]).simple
    assert not core(demand=[3.0, 3.0], capacity=[5.0, np.inf]).simple
    assert not tiers(capacity=None).simple and tiers(capacity=None).paired


def choices(forced: np.ndarray, closed: np.ndarray) -> np.ndarray:
    """(32,) mask of those that open the forced and none of the closed."""
    return (EVERY[:, forced] == 1).all(axis=1) & (EVERY[:, closed] == 0).all(axis=1)


def random_rules(seed: int, hair: float = 0.0) -> tuple[Rules, np.ndarray, np.ndarray]:
    """Three rows over five options, of which some are forced, some closed; sums come to a limit, or nearly."""
    rng = np.random.default_rng(seed)
    coefficients = rng.integers(-4, 5, (3, 5)).astype(float)
    lower = rng.integers(-6, 4, 3).astype(float)
    upper = lower + rng.integers(0, 6, 3)
    lower[rng.random(3) < 0.3], upper[rng.random(3) < 0.3] = -np.inf, np.inf
    state = rng.choice(3, 5, p=[0.6, 0.2, 0.2])
    off = rng.uniform(-hair, hair, (2, 3))
    return Rules(coefficients, lower - np.abs(off[0]), upper + off[1].clip(-np.abs(off[0]))), state == 1, state == 2


def broken(rules: Rules) -> tuple[np.ndarray, np.ndarray]:
    """(32, n_rules) masks: whether each choice breaks each row from below, and from above, beyond rounding."""
    room = [rules.room(opened) for opened in EVERY]
    return np.array([down > 0 for down, _ in room]), np.array([up < 0 for _, up in room])


@pytest.mark.parametrize("hair", [0.0, 8e-9])
def test_rows_are_out_of_reach_where_every_choice_of_the_free_options_breaks_them(hair: float) -> None:
    seen = np.zeros(2, dtype=int)
    for seed in range(200):
        rules, forced, closed = random_rules(seed, hair)
        below, above = (side[choices(forced, closed)] for side in broken(rules))
        beyond = below.all(axis=0) | above.all(axis=0)
        assert out_of_reach(rules, forced, closed).tolist() == beyond.tolist(), f"seed {seed}"
        seen += beyond.sum(), (~beyond).sum()
    assert (seen > 50).all()


@pytest.mark.parametrize("hair", [0.0, 8e-9])
def test_options_are_shut_out_one_row_at_a_time_until_nothing_changes(hair: float) -> None:
    found = 0
    for seed in range(200):
        rules, forced, closed = random_rules(seed, hair)
        if out_of_reach(rules, forced, closed).any():
            continue
        below, above = broken(rules)
        a, shut = rules.coefficients.toarray(), closed.copy()
        while True:
            new = shut.copy()
            for j in np.flatnonzero(~forced & ~shut):
                with_it = choices(forced | (np.arange(5) == j), shut)
                new[j] = (
                    np.where(a[:, j] > 0, above[with_it].all(axis=0), below[with_it].all(axis=0)) & (a[:, j] != 0)
                ).any()
            if (new == shut).all():
                break
            shut = new
        assert shut_out(rules, forced, closed).tolist() == (shut & ~closed).tolist(), f"seed {seed}"
        found += int((shut & ~closed).sum())
    assert found > 30


def test_options_are_wanted_that_lift_a_row_which_may_end_below_or_lower_one_which_may_end_above() -> None:
    for seed in range(200):
        rules, forced, closed = random_rules(seed)
        rules = Rules(rules.coefficients / 8, rules.lower / 8, rules.upper / 8)
        a = rules.coefficients.toarray()
        sums = EVERY[choices(forced, closed)] @ a.T
        low, high = sums.min(axis=0) < rules.lower, sums.max(axis=0) > rules.upper
        helps = ((a > 0) & low[:, None] | (a < 0) & high[:, None]).any(axis=0)
        assert wanted(rules, forced, closed).tolist() == helps.tolist(), f"seed {seed}"


def test_options_tied_by_a_row_close_together_where_neither_pays():
    """(31): the second would help to keep y_0 <= y_1, which nothing breaks once the first is closed."""
    tied = Rules([[1.0, -1.0]], upper=0.0)
    dear = FacilityProblem.from_costs([[5.0, 6.0]], fixed_cost=50.0, unserved_cost=[20.0], rules=tied)
    assert reduce_problem(dear).n_options == 0
    one_pays = FacilityProblem.from_costs([[5.0, 6.0]], fixed_cost=[2.0, 50.0], unserved_cost=[20.0], rules=tied)
    assert reduce_problem(one_pays).n_options == 2

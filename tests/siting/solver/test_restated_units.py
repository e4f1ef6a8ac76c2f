"""The bound of a certificate in other units, with what rounding may have added, and over lanes and options closed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from test_restated import CLOSE, restated, some_limits, some_prices
from tiny_problems import random_problem, with_minimums, with_random_rules

from siting.solver import FacilityProblem, Rules
from siting.solver.certificate import _highest
from siting.solver.option_limits import Limits
from siting.solver.proof import Prices, Region
from siting.solver.reduce import reduce_problem
from siting.solver.restated import EPSILON, ROUNDED, Restated

COST, DEMAND = 2.0**-9, 2.0**-5


@pytest.mark.parametrize("block", range(3))
def test_a_bound_is_the_same_to_the_last_bit_in_any_units(block: int) -> None:
    """Costs and demands in units of powers of two, which no rounding tells apart."""
    for seed in range(370_000 + 30 * block, 370_030 + 30 * block):
        problem = random_problem(seed)
        problem = with_minimums(problem, seed) if seed % 3 == 0 else problem
        problem = with_random_rules(problem, seed) if seed % 4 == 0 else problem
        rng = np.random.default_rng(seed)
        core, mine = restated(problem)
        other = problem.with_changes(
            lane_cost=problem.lane_cost * COST, unserved_cost=problem.unserved_cost * COST,
            fixed_cost=problem.fixed_cost * COST, demand=problem.demand * DEMAND,
            capacity=problem.capacity * DEMAND, min_throughput=problem.min_throughput * DEMAND,
        )  # fmt: skip
        theirs = Restated(other, core, np.full(problem.n_clients, np.inf))
        for _ in range(3):
            at, limits = some_prices(core, rng), some_limits(problem, rng)
            there = Prices(
                at.lam * COST, at.rules * COST, at.held * COST, at.one_of * COST, at.lane, at.first * COST
            )  # fmt: skip
            here, found = mine.bound(at, limits), theirs.bound(there, limits)
            assert found.value == here.value * COST, f"seed {seed}"
            assert (found.enter == here.enter * COST).all() and (found.leave == here.leave * COST).all()
        assert mine.idle.tolist() == theirs.idle.tolist() and (theirs.idle_worth == mine.idle_worth * COST).all()


def test_a_lane_over_a_closed_option_relieves_no_other() -> None:
    """The bound is that of the problem without the lanes through options closed in the region."""
    compared = 0
    for seed in range(371_000, 371_060):
        problem = random_problem(seed).with_changes(capacity=None, single_source=False)
        core, whole = restated(problem)
        rng = np.random.default_rng(seed)
        limits, prices = some_limits(problem, rng), some_prices(core, rng)
        left = np.append(limits.high, True)[problem.lane_options].all(axis=1)
        if left.all() or not left.any():
            continue
        fewer = Restated(
            problem.with_changes(
                lane_client=problem.lane_client[left], lane_options=problem.lane_options[left],
                lane_cost=problem.lane_cost[left],
            ), core, np.full(problem.n_clients, np.inf),
        )  # fmt: skip
        if (whole.idle != fewer.idle).any():
            continue
        here, found = whole.bound(prices, limits), fewer.bound(prices, limits)
        assert here.value == pytest.approx(found.value, **CLOSE), f"seed {seed}"
        compared += bool((problem.lane_options >= 0).all(axis=1).any())
    assert compared > 8


def one_row(sizes: dict[str, float]) -> tuple[Restated, Prices, Limits, list[Fraction]]:
    """Three clients, four options and one that is open in any case, under one row; and (10) exactly.

    All numbers are whole or halves, of which no sum rounds.
    """
    cost = np.array([[1.0, 3.0, 6.0, 2.5], [2.0, 5.0, 1.0, 4.0], [7.0, 2.0, 3.0, 1.5]]) * sizes["cost"]
    fixed = np.array([3.0, 20.0, 2.0, 30.0, 5.0]) * sizes["fixed"]
    use = np.array([1.0, 2.0, 4.0, 0.5, 1.0])
    problem = FacilityProblem.from_costs(
        np.column_stack([cost, np.full(3, np.nan)]), fixed_cost=fixed, unserved_cost=16.0 * sizes["cost"],
        rules=Rules([use], [-np.inf], [6.0]),
    )  # fmt: skip
    core = reduce_problem(problem.with_changes(fixed_cost=-np.ones(5)))  # all of them are of use
    at = Restated(problem, core, np.full(3, np.inf))
    lam = np.array([4.0, 6.0, 2.5])[core.client_of] * sizes["cost"]
    one_of = np.array([True, False, True, False, False])
    prices = Prices(lam, np.array([-0.5 * sizes["price"]]), np.array([0.0, 0.25 * sizes["price"]]), sizes["one of"])
    limits = Limits(np.arange(5) == 4, np.ones(5, dtype=bool), 1.0, np.inf, one_of, np.full(5, -1))
    by_client = np.empty(3)
    by_client[core.client_of] = lam
    exact, size = [], []
    for j in range(5):
        terms = [
            Fraction(fixed[j]),
            Fraction(0.5 * sizes["price"]) * Fraction(use[j]),
            -Fraction(0.25 * sizes["price"]),
        ]
        terms += [-Fraction(sizes["one of"])] if one_of[j] else []
        gained = [(c, lam) for c, lam in zip(cost[:, j], by_client, strict=True) if c < lam] if j < 4 else []
        exact.append(sum(terms) + sum(Fraction(c) - Fraction(lam) for c, lam in gained))
        size.append(sum(map(abs, terms)) + sum(Fraction(c) + Fraction(lam) for c, lam in gained))
    constant = [
        *map(Fraction, lam),
        -Fraction(0.5 * sizes["price"]) * Fraction(at.rows.upper[0]),
        Fraction(0.25 * sizes["price"]),
    ]
    constant += [Fraction(sizes["one of"])]
    return at, prices, limits, [*exact, *size, sum(constant), sum(map(abs, constant))]


@pytest.mark.parametrize("large", ["cost", "fixed", "price", "one of"])
def test_what_is_taken_off_for_rounding_is_what_a_sum_of_such_numbers_may_be_off_and_little_more(large: str) -> None:
    """Between 64 roundings of the sum of absolute values and 4 times as much, whichever of its terms is large."""
    sizes = {name: 2.0**20 if name == large else 1.0 for name in ("cost", "fixed", "price", "one of")}
    at, prices, limits, terms = one_row(sizes)
    exact, size, constant, total = terms[:5], terms[5:10], terms[10], terms[11]
    found = at.bound(prices, limits)
    unit = Fraction(EPSILON) * ROUNDED
    for j in range(4):
        off = exact[j] - (Fraction(found.enter[j]) - Fraction(found.leave[j]))
        assert unit * size[j] <= off <= 4 * unit * size[j], f"option {j}"
    assert (found.enter[4], found.leave[4]) == (0.0, np.inf)
    chosen = [(w, s) for j, (w, s) in enumerate(zip(exact, size, strict=True)) if w < 0 or j == 4]
    off = constant + sum(w for w, _ in chosen) - Fraction(found.value)
    least = unit * (total + sum(abs(w) + s for w, s in chosen))
    assert least * 99 / 100 <= off <= 4 * least


@pytest.mark.parametrize(
    ("least", "ends", "cost"),
    [
        ([0.0, 0.0], [[1, -1]], [5.0]),  # the lane over both is borne by option 0
        ([0.0, 1.0], [[1, -1], [1, -1]], [10.0, 5.0]),  # it may fill option 1, at what its client costs without any
        ([1.0, 0.0], [[1, -1]], [5.0]),
    ],
)
def test_a_lane_borne_by_an_option_left_out_still_fills_the_other(
    least: list[float], ends: list[list[int]], cost: list[float]
) -> None:
    """A lane of 1 over options 0 and 1, and one of 5 over option 1; the search had nothing but the latter."""
    problem = FacilityProblem(
        lane_client=np.array([0, 0]), lane_options=np.array([[0, 1], [1, -1]]), lane_cost=np.array([1.0, 5.0]),
        n_clients=1, n_options=2, unserved_cost=np.array([10.0]), fixed_cost=np.array([20.0, 2.0]),
        demand=np.array([2.0]), min_throughput=np.array(least),
    )  # fmt: skip
    alone = problem.with_changes(
        lane_client=np.array([0]), lane_options=np.array([[1, -1]]), lane_cost=np.array([5.0]), min_throughput=None
    )
    at = Restated(problem, reduce_problem(alone), np.full(1, np.inf))
    assert at.idle.tolist() == [True, False]
    assert (at.options.tolist(), at.cost.tolist()) == (ends, cost)


def test_the_highest_multipliers_are_those_of_all_regions() -> None:
    problem = FacilityProblem.from_costs([[1.0, 4.0], [4.0, 1.0], [np.nan, np.nan]], unserved_cost=9.0)
    core = reduce_problem(problem)
    proof = Region([Prices(np.array([2.0, 3.0]), np.zeros(0)), Prices(np.array([1.0, 5.0]), np.zeros(0))])
    below, above = proof.part(np.array([True, False]), 0)
    above.prices.append(Prices(np.array([4.0, 1.0]), np.zeros(0)))
    below.part(np.array([False, True]), 0)[1].prices.append(Prices(np.array([3.0, -1.0]), np.zeros(0)))
    found = _highest(problem, core, proof)
    assert found[core.client_of].tolist() == [4.0, 5.0] and found[2] == np.inf
    assert _highest(problem, core, Region())[core.client_of].tolist() == [-np.inf, -np.inf]


@pytest.mark.parametrize("turned", [False, True])
def test_what_an_option_open_in_any_case_makes_needless_is_taken_off_what_it_bears(turned: bool) -> None:
    """Option 0 serves for 4 in any case. Of a lane of 1 over both, 6 of 9 were said to be its part: 3 are left to gain.

    Option 1 costs more than these 3.
    """
    problem = FacilityProblem(
        lane_client=np.array([0, 0]), lane_options=np.array([[0, -1], [1, 0] if turned else [0, 1]]),
        lane_cost=np.array([4.0, 1.0]), n_clients=1, n_options=2, unserved_cost=np.array([10.0]),
        fixed_cost=np.array([2.0, 5.0]), forced_open=np.array([0]),
    )  # fmt: skip
    core = reduce_problem(problem.with_changes(fixed_cost=np.array([2.0, 1.0])))
    (pair,) = np.flatnonzero(core.places[:, 1] >= 0)
    first = -6.0 if core.option_of[core.places[pair, 0]] == 0 else -3.0
    prices = Prices(np.array([10.0]), np.zeros(0), lane=np.array([pair]), first=np.array([first]))
    at = Restated(problem, core, np.full(1, np.inf))
    found = at.bound(prices, at.rows.limits())
    assert found.value == pytest.approx(4.0 + 2.0) and found.enter[1] == pytest.approx(5.0 - 3.0)


def test_what_is_kept_from_one_bound_to_the_next_is_only_for_the_same_prices_and_limits() -> None:
    """Multipliers, the division of lanes over two options, and the options closed and open each change it."""
    differed = np.zeros(3, dtype=int)
    for seed in range(372_000, 372_060):
        problem, rng = random_problem(seed), np.random.default_rng(seed)
        core, bounds = restated(problem)
        one = some_prices(core, rng)
        if not len(one.lane):
            continue
        changes = ({"first": one.first * 0.3}, {"lam": one.lam * 0.7}, {"rules": one.rules + 1.0})
        limits, others = bounds.rows.limits(), some_limits(problem, rng)
        for k, change in enumerate(changes):
            before = bounds.bound(one, limits).value
            other = replace(one, **change)  # type: ignore[arg-type]
            again, fresh = bounds.bound(other, limits).value, restated(problem)[1].bound(other, limits).value
            assert again == fresh, f"seed {seed}"
            differed[k] += again != before
        assert bounds.bound(one, others).value == restated(problem)[1].bound(one, others).value
    assert (differed > 3).all()

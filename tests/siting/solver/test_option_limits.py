"""Limits on the options of a region: which leave no plan, and which halves they are parted into."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tiny_problems import random_problem, with_minimums, with_random_rules

from siting.solver import FacilityProblem
from siting.solver.option_limits import Bound, Limits, OptionRows

PROBLEM = FacilityProblem.from_costs(
    [[1.0, 2.0, 3.0, 4.0]],
    demand=[6.0],
    capacity=[4.0] * 4,
    capex=[1.0, 1.0, 2.0, 5.0],
    budget=6.0,
    group=[0, 0, -1, -1],
)
"""Two options hold the demand; the first two are rivals; the budget takes the last with one of them."""


def rows() -> OptionRows:
    return OptionRows(PROBLEM, np.array([True]), np.full(4, 6.0))


def mask(*options: int) -> np.ndarray:
    return np.isin(np.arange(4), options)


def limits(**changes: Any) -> Limits:
    return replace(Limits(mask(), mask(0, 1, 2, 3), 2.0, np.inf, None, PROBLEM.group), **changes)


@pytest.mark.parametrize(
    ("changes", "possible"),
    [
        ({}, True),
        ({"low": mask(0), "high": mask(1, 2, 3)}, False),  # open and closed
        ({"most": 2.0}, True),
        ({"most": 1.0}, False),  # fewer than hold the demand
        ({"low": mask(0, 1)}, False),  # rivals
        ({"low": mask(0, 2)}, True),
        ({"low": mask(0, 2), "fewest": 1.0, "most": 1.0}, False),  # more than so many
        ({"high": mask(0, 2), "fewest": 3.0}, False),  # less than so many
        ({"high": mask(0, 2), "one_of": mask(0, 3)}, True),
        ({"high": mask(0, 2), "one_of": mask(1, 3)}, False),  # none of those one of which must open
        ({"low": mask(0, 3)}, True),  # the budget to the last bit
        ({"low": mask(2, 3)}, False),  # over the budget
        ({"high": mask(0)}, False),  # room for 4 of 6
    ],
)
def test_limits_that_leave_no_plan_are_seen(changes: dict[str, Any], possible: bool) -> None:
    assert rows().possible(limits(**changes)) is possible


def test_single_options_are_closed_by_orders_rivals_and_rows() -> None:
    assert rows().limits().high.tolist() == [True] * 4
    for changes, low, high in (
        ({"forced_open": [0]}, [0], [0, 2, 3]),
        ({"forbidden": [2]}, [], [0, 1, 3]),
        ({"forced_open": [2]}, [2], [0, 1, 2]),  # the last is over the budget beside it
        ({"budget": 4.0}, [], [0, 1, 2]),
    ):
        found = OptionRows(PROBLEM.with_changes(**changes), np.array([True]), np.full(4, 6.0)).limits()
        assert (found.low.tolist(), found.high.tolist()) == (mask(*low).tolist(), mask(*high).tolist()), changes
        assert (found.fewest, found.most) == (2.0, np.inf)


@pytest.mark.parametrize(("over", "open_in_any"), [(0.9e-9, True), (1.1e-9, False)])
def test_an_option_is_closed_that_cannot_come_to_its_minimum_but_for_rounding(over: float, open_in_any: bool) -> None:
    problem = FacilityProblem.from_costs([[1.0, 2.0]], demand=[200.0], min_throughput=[200.0 * (1 + over), 0.0])
    limits = OptionRows(problem, np.array([True]), np.full(2, 200.0)).limits()
    assert limits.high.tolist() == [open_in_any, True]


def test_options_that_cost_enough_are_settled_and_their_rivals_with_them() -> None:
    here = limits()
    here.settle(Bound(10.0, np.array([0.0, 1.0, 4.0, 3.9]), np.array([4.0, 0.0, 0.0, 3.9])), 14.0)
    assert (here.low.tolist(), here.high.tolist()) == (mask(0).tolist(), mask(0, 3).tolist())


def test_a_region_is_parted_by_how_many_of_some_options_open() -> None:
    everything = mask(0, 1, 2, 3)
    below, above = limits().parted(mask(0), 0, everything)
    assert (below.high.tolist(), above.low.tolist()) == (mask(1, 2, 3).tolist(), mask(0).tolist())
    assert above.high.tolist() == mask(0, 2, 3).tolist(), "its rival closes"
    below, above = limits().parted(mask(2, 3), 0, everything)
    assert below.high.tolist() == mask(0, 1).tolist() and above.one_of is not None
    assert above.one_of.tolist() == mask(2, 3).tolist() and not above.low.any()
    below, above = limits().parted(everything, 2, everything)
    assert (below.fewest, below.most, above.fewest, above.most) == (2.0, 2.0, 3.0, np.inf)
    below, above = limits().parted(mask(0, 1), 1, everything)
    assert (below.most, above.fewest) == (np.inf, 2.0), "others may open too: nothing is said of the number at most"
    assert limits(high=mask(0, 1), fewest=1.0).parted(mask(0, 1), 1, everything)[0].most == 1


def random_rows(seed: int) -> tuple[FacilityProblem, OptionRows, np.ndarray]:
    """A random problem, its rows where everybody must be served by what has room, and all ways to open options."""
    problem = random_problem(seed)
    problem = with_random_rules(problem, seed) if seed % 2 == 0 else problem
    problem = with_minimums(problem, seed) if seed % 5 == 0 else problem
    rng = np.random.default_rng(seed)
    must, reach = rng.random(problem.n_clients) < 0.7, rng.integers(0, 8, problem.n_options).astype(float)
    reach[rng.random(problem.n_options) < (0.2 if seed % 3 == 0 else 0.0)] = np.inf
    every = np.array(list(itertools.product([False, True], repeat=problem.n_options)))
    return problem, OptionRows(problem, must, reach), every


def random_limits(problem: FacilityProblem, rng: np.random.Generator) -> Limits:
    n = problem.n_options
    state = rng.choice(4, n, p=[0.57, 0.2, 0.2, 0.03])  # the last: open and closed
    fewest, most = float(rng.integers(0, 3)), float(rng.integers(1, 5))
    one_of = rng.random(n) < 0.4 if rng.random() < 0.5 else None
    return Limits((state == 1) | (state == 3), state <= 1, fewest, most, one_of, problem.group)


def inside(limits: Limits, every: np.ndarray) -> np.ndarray:
    """Of all ways to open options, those between the open and the closed ones."""
    return every[(every >= limits.low).all(axis=1) & (every <= limits.high).all(axis=1)]


def test_limits_are_possible_where_each_of_them_can_be_kept() -> None:
    seen = np.zeros(2, dtype=int)
    for seed in range(350_000, 350_150):
        problem, rows, every = random_rows(seed)
        limits = random_limits(problem, np.random.default_rng(seed))
        within = inside(limits, every)
        counted, sums = within[:, rows.counted].sum(axis=1), within @ rows.rows.toarray().T
        grouped = problem.group[limits.low & (problem.group >= 0)]
        possible = (
            len(within) > 0
            and limits.fewest <= limits.most
            and len(set(grouped)) == len(grouped)
            and counted.max() >= limits.fewest
            and counted.min() <= limits.most
            and (limits.one_of is None or bool(within[:, limits.one_of].any()))
            and bool((sums.min(axis=0) <= rows.upper + 1e-9).all() and (sums.max(axis=0) >= rows.lower - 1e-9).all())
        )
        assert rows.possible(limits) == bool(possible), f"seed {seed}"
        seen[int(possible)] += 1
    assert (seen > 20).all()


def test_rows_hold_the_demand_by_room_and_by_number() -> None:
    """(12) and (13): options that hold all demand have room for it, and there are no fewer than so many of them."""
    applied = 0
    for seed in range(351_000, 351_100):
        problem, rows, every = random_rows(seed)
        rng = np.random.default_rng(seed)
        total = problem.demand[rng.random(problem.n_clients) < 0.7].sum()
        room = np.minimum(problem.capacity, rows.room)
        if total == 0 or np.isinf(room).any():
            assert rows.fewest == 0 and rows.counted.all() and np.isneginf(rows.lower[-2]), f"seed {seed}"
            continue
        applied += 1
        enough = (every * room).sum(axis=1) >= total
        held = every @ rows.rows.toarray()[-2] >= rows.lower[-2]
        assert held.tolist() == enough.tolist(), f"seed {seed}"
        fewest = every[enough].sum(axis=1).min() if enough.any() else problem.n_options + 1
        assert rows.fewest == fewest, f"seed {seed}"
        assert rows.counted.tolist() == (room > 0).tolist()
        assert rows.rows.toarray()[-1].tolist() == rows.counted.astype(float).tolist()
    assert applied > 20


def test_options_are_closed_that_break_one_row_whatever_else_opens_until_nothing_changes() -> None:
    closed = 0
    for seed in range(352_000, 352_120):
        problem, rows, every = random_rows(seed)
        limits, a = rows.limits(), rows.rows.toarray()
        low, high = np.isin(np.arange(problem.n_options), problem.forced_open), np.ones(problem.n_options, dtype=bool)
        high[problem.forbidden] = False
        high &= problem.min_throughput <= rows.room * (1 + 1e-9)
        for j in np.flatnonzero(low & (problem.group >= 0)):
            high &= (problem.group != problem.group[j]) | low
        while True:
            within = every[(every >= low).all(axis=1) & (every <= high | low).all(axis=1)]
            shut = high.copy()
            for j in np.flatnonzero(high & ~low):
                sums = within[within[:, j]] @ a.T
                over = (a[:, j] > 0) & (sums.min(axis=0) > rows.upper + 1e-9)
                shut[j] = not (over | (a[:, j] < 0) & (sums.max(axis=0) < rows.lower - 1e-9)).any()
            if (shut == high).all():
                break
            high = shut
        assert limits.low.tolist() == low.tolist()
        assert limits.high.tolist() == high.tolist(), f"seed {seed}"
        assert (limits.fewest, limits.most, limits.one_of) == (rows.fewest, np.inf, None)
        closed += int((~high).sum())
    assert closed > 50


def test_each_plan_of_a_region_is_in_one_of_its_parts() -> None:
    """At most so many of some options are open in the first part, more in the second, and neither loses a plan."""
    for seed in range(353_000, 353_200):
        problem, rows, every = random_rows(seed)
        rng = np.random.default_rng(seed)
        limits = replace(random_limits(problem, rng), one_of=None)
        options, most = rng.random(problem.n_options) < 0.5, int(rng.integers(0, 3))

        def plans(limits: Limits, every: np.ndarray = every, rows: OptionRows = rows) -> set[bytes]:
            groups = [limits.group == g for g in np.unique(limits.group[limits.group >= 0])]
            found = inside(limits, every)
            found = found[[all(plan[g].sum() <= 1 for g in groups) for plan in found]] if len(found) else found
            counted = found[:, rows.counted].sum(axis=1)
            kept = (counted >= limits.fewest) & (counted <= limits.most)
            if limits.one_of is not None:
                kept &= found[:, limits.one_of].any(axis=1)
            return {plan.tobytes() for plan in found[kept]}

        below, above = limits.parted(options, most, rows.counted)
        few = {plan for plan in plans(limits) if np.frombuffer(plan, dtype=bool)[options].sum() <= most}
        assert few <= plans(below) <= plans(limits), f"seed {seed}"
        assert plans(limits) - few <= plans(above) <= plans(limits), f"seed {seed}"
        if most == 0 or not (limits.high & (options ^ rows.counted)).any():
            assert plans(below) == few and plans(above) == plans(limits) - few

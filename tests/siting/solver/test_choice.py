"""The choice of options at given values against linear programming, and its reduced costs against their definition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from siting.solver import FacilityProblem, Rules, choice
from siting.solver.choice import Choice, OptionChoice, fewest_open, holding_rules
from siting.solver.core import Core
from siting.solver.reduce import reduce_problem

N = 6


def core_of(seed: int, rules: int, grouped: bool) -> Core:
    """Six options under some rows, of which a plan is known; some in groups of a few, some forced."""
    rng = np.random.default_rng(seed)
    coefficients = rng.integers(-3, 7, (rules, N)).astype(float)
    group = rng.integers(-1, 2, N) if grouped else np.full(N, -1)
    plan = np.zeros(N)
    for j in np.flatnonzero(rng.random(N) < 0.6):
        plan[j] = group[j] < 0 or not plan[group == group[j]].any()
    at = coefficients @ plan
    equal = rng.random(rules) < 0.3
    problem = FacilityProblem.from_costs(
        rng.integers(1, 50, (3, N)).astype(float) + rng.random((3, N)),
        rules=Rules(coefficients, np.where(equal, at, -np.inf), at),
        group=group,
        forced_open=np.flatnonzero(plan)[: int(rng.integers(0, 2))].tolist(),
        unserved_cost=99.0,
    )
    return reduce_problem(problem)


def linear_optimum(core: Core, v: np.ndarray) -> float:
    """min v y under rows, (12), (13), groups and 0 <= y <= 1."""
    rows = Rules.stacked([core.rules, holding_rules(core), Rules.at_most_one(core.group)])
    a = rows.coefficients.toarray()
    above, below = np.isfinite(rows.upper), np.isfinite(rows.lower)
    limits = np.concatenate([rows.upper[above], -rows.lower[below]])
    found = linprog(v, np.vstack([a[above], -a[below]]), limits, bounds=[(float(f), 1.0) for f in core.forced])
    assert found.status == 0
    return float(found.fun)


def value_at(core: Core, w: np.ndarray, fixed: dict[int, float]) -> float:
    """Least sum of w over a choice of at most one option of each group, the forced open, some options fixed."""
    total = 0.0
    for label in {int(g) if g >= 0 else -1 - j for j, g in enumerate(core.group)}:
        members = [-1 - label] if label < 0 else np.flatnonzero(core.group == label).tolist()
        must = [j for j in members if fixed.get(j) == 1.0 or (core.forced[j] and j not in fixed)]
        free = [w[j] for j in members if fixed.get(j) != 0.0]
        total += w[must].sum() if must else min([0.0, *free])
    return total


def chosen(core: Core, seed: int) -> tuple[np.ndarray, Choice, np.ndarray]:
    """Values, the choice for them, and the values less what the prices make of the rows."""
    v = np.random.default_rng([seed, 1]).normal(0, 10, core.n_options)
    master = OptionChoice(core)
    choice = master.choose(v)
    prices = master.row_prices(choice.prices[0])[: len(core.rules)]
    return v, choice, v - core.rules.coefficients.T @ prices


@pytest.mark.parametrize("grouped", [False, True])
def test_with_one_row_the_bound_is_the_linear_optimum_and_the_choice_reaches_it(grouped: bool) -> None:
    for seed in range(60):
        core = core_of(seed, 1, grouped)
        if core.n_options < 2:
            continue
        v, choice, _ = chosen(core, seed)
        best = linear_optimum(core, v)
        assert choice.value == pytest.approx(best, rel=1e-7, abs=1e-7), f"seed {seed}"
        assert v @ choice.y == pytest.approx(best, rel=1e-6, abs=1e-6), f"seed {seed}"
        activity = core.rules.coefficients @ choice.y
        assert (activity <= core.rules.upper + 1e-6).all() and (activity >= core.rules.lower - 1e-6).all()


@pytest.mark.parametrize("grouped", [False, True])
def test_with_several_rows_the_bound_is_no_higher(grouped: bool) -> None:
    near = 0
    for seed in range(100, 140):
        core = core_of(seed, 3, grouped)
        v, choice, _ = chosen(core, seed)
        best = linear_optimum(core, v)
        assert choice.value <= best + 1e-7 * (1 + abs(best)), f"seed {seed}"
        near += choice.value > best - 0.05 * np.abs(v).sum()
    assert near > 20


@pytest.mark.parametrize("rules", [1, 3])
@pytest.mark.parametrize("grouped", [False, True])
def test_options_cost_to_enter_or_leave_what_the_bound_rises_by_at_the_same_prices(grouped: bool, rules: int) -> None:
    for seed in range(200, 240):
        core = core_of(seed, rules, grouped)
        _, choice, w = chosen(core, seed)
        plain = value_at(core, w, {})
        for j in np.flatnonzero(~core.forced & ~np.isin(core.group, core.group[core.forced & (core.group >= 0)])):
            assert choice.enter[j] == pytest.approx(value_at(core, w, {j: 1.0}) - plain, abs=1e-7), f"seed {seed}"
            assert choice.leave[j] == pytest.approx(value_at(core, w, {j: 0.0}) - plain, abs=1e-7), f"seed {seed}"
        assert not choice.leave[core.forced].any()


def test_the_prices_of_the_last_call_are_what_they_add_to_each_value() -> None:
    for seed in range(200, 230):
        core = core_of(seed, 2, True)
        v, master = np.random.default_rng(seed).normal(0, 10, core.n_options), OptionChoice(core)
        assert master.offset()[~core.forced].tolist() == [0.0] * int((~core.forced).sum())
        prices = master.row_prices(master.choose(v).prices[0])
        added = -core.rules.coefficients.T @ prices[: len(core.rules)]
        assert master.offset() == pytest.approx(np.where(core.forced, -np.inf, added), abs=1e-9)


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("budget", [None, 9.0])
def test_room_for_all_and_the_fewest_that_hold_all_are_priced(alike: bool, budget: float | None) -> None:
    """(12), (13): where capacities are alike the latter says it all."""
    near = 0
    for seed in range(300, 340):
        rng = np.random.default_rng(seed)
        capacity = np.full(N, 5.0) if alike else rng.integers(3, 9, N).astype(float)
        capex = {} if budget is None else {"capex": rng.integers(1, 5, N), "budget": budget}
        core = reduce_problem(
            FacilityProblem.from_costs(rng.random((3, N)), demand=[3.0, 4.0, 5.0], capacity=capacity, **capex)  # type: ignore[arg-type]
        )
        v, master = rng.normal(3, 5, N), OptionChoice(core)
        choice, rows = master.choose(v), Rules.stacked([core.rules, holding_rules(core)])
        prices = master.row_prices(choice.prices[0])
        limits = np.where(prices > 0, rows.lower[: len(prices)], rows.upper[: len(prices)])
        at_limits = float(sum(price * limit for price, limit in zip(prices, limits, strict=True) if price))
        plain = value_at(core, v - rows.coefficients.T @ prices, {})
        assert choice.value == pytest.approx(at_limits + plain, rel=1e-9, abs=1e-9), f"seed {seed}"
        best = linear_optimum(core, v)
        assert choice.value <= best + 1e-7 * (1 + abs(best)), f"seed {seed}"
        near += choice.value > best - 1e-6 * (1 + abs(best))
    assert near == 40 if alike and budget is None else near > 20


def test_the_least_so_many_are_chosen_where_nothing_else_is_asked() -> None:
    core = reduce_problem(FacilityProblem.from_costs([[1.0, 2.0, 3.0, 4.0]], n_open=2))
    choice = OptionChoice(core).choose(np.array([4.0, -1.0, 7.0, 2.0]))
    assert (choice.value, choice.y.tolist()) == (1.0, [0.0, 1.0, 0.0, 1.0])
    assert choice.enter.tolist() == [2.0, 0.0, 5.0, 0.0]
    assert choice.leave.tolist() == [0.0, 5.0, 0.0, 2.0]
    assert choice.prices.tolist() == [[-2.0], [-4.0]]


@pytest.mark.parametrize(
    ("changes", "fewest"),
    [
        ({}, 2),
        ({"demand": [0.3, 0.3], "capacity": [0.5, 0.4, 0.3]}, 2),
        ({"demand": [0.0, 0.0]}, 0),
        ({"capacity": [4.0, np.inf, 3.0]}, 0),
        ({"unserved_cost": [np.inf, 9.0]}, 0),
    ],
)
def test_the_fewest_that_hold_all_are_counted_where_everybody_must_be_served(
    changes: dict[str, object], fewest: int
) -> None:
    problem = FacilityProblem.from_costs(
        np.ones((2, 3)) + np.arange(3), **{"demand": [3.0, 3.0], "capacity": [4.0, 4.0, 0.5], **changes}
    )  # fmt: skip
    assert fewest_open(reduce_problem(problem)) == fewest


def test_prices_of_several_rows_are_improved_one_after_the_other_while_the_bound_rises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three times at the most; a second time lifts the bound where the rows meet, and never lowers it."""
    better = 0
    for seed in range(60):
        core = core_of(seed, 3, seed % 2 == 0)
        v = np.random.default_rng(seed).normal(0.0, 20.0, core.n_options)
        whole = OptionChoice(core).choose(v).value
        with monkeypatch.context() as patch:
            patch.setattr(choice, "ROUNDS", 1)
            once = OptionChoice(core).choose(v).value
        assert whole >= once - 1e-9 * abs(once), f"seed {seed}"
        better += whole > once + 1e-6 * abs(once)
    assert better > 8


def test_what_must_be_held_is_a_share_of_all_demand_and_a_number_of_options():
    """(12), (13): clients of 0.25 and 0.5 want two of three options, however their capacities add up."""
    problem = FacilityProblem.from_costs(
        np.ones((2, 3)), demand=[0.25, 0.5], capacity=[0.5, 0.375, 0.25], fixed_cost=[1.0, 2.0, 3.0]
    )
    core = reduce_problem(problem)
    rows = holding_rules(core)
    assert rows.coefficients.toarray()[0] == pytest.approx(core.capacity / 0.75)
    assert rows.lower.tolist() == [1.0, 2.0]


def test_of_two_equals_in_a_group_one_is_chosen_though_another_group_is_worth_nothing():
    problem = FacilityProblem.from_costs(
        np.ones((1, 3)) + np.arange(3), group=[0, 0, 1], fixed_cost=1.0, unserved_cost=9.0
    )
    core = reduce_problem(problem)
    v = np.where(core.group == core.group[core.option_of == 0], -1.0, 0.5)
    found = OptionChoice(core).choose(v)
    assert found.value == -1.0
    assert found.y.sum() == 1.0


def looks(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Values at which the dual is looked at from here on."""
    seen: list[np.ndarray] = []
    whole = OptionChoice._at
    monkeypatch.setattr(OptionChoice, "_at", lambda master, v: seen.append(v) or whole(master, v))
    return seen


@pytest.mark.parametrize(("cost", "use"), [(2.0**-30, 1.0), (2.0**30, 1.0), (1.0, 2.0**-20), (1.0, 2.0**20)])
def test_a_choice_is_made_in_the_same_steps_in_any_units(
    cost: float, use: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values in other units, and rows: bounds, choices and prices are the same to the last bit."""
    seen = looks(monkeypatch)
    for seed in range(400, 440):
        core = core_of(seed, 1 + seed % 3, seed % 2 == 0)
        rows = core.rules
        other = replace(core, rules=Rules(rows.coefficients * use, rows.lower * use, rows.upper * use))
        v = np.random.default_rng(seed).normal(0, 10, core.n_options)
        here, there = OptionChoice(core), OptionChoice(other)
        for each in (v, v[::-1].copy()):
            seen.clear()
            found, before = here.choose(each), len(seen)
            again = there.choose(each * cost)
            assert len(seen) == 2 * before, f"seed {seed}"
            assert again.value == found.value * cost, f"seed {seed}"
            assert (again.y == found.y).all() and (again.enter == found.enter * cost).all()
            assert (again.prices * use == found.prices * cost).all()


def test_rows_kept_anyway_are_not_priced_and_others_in_a_few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 rows two bind; a row whose price is above 0 is improved though it is kept."""
    rng = np.random.default_rng(1)
    use = rng.integers(1, 9, (200, 12)).astype(float)
    upper = use.sum(axis=1) - 0.5
    upper[[50, 120]] = 20.0
    core = reduce_problem(
        FacilityProblem.from_costs(
            rng.random((3, 12)) + 1.0, unserved_cost=99.0, rules=Rules(use, np.full(200, -np.inf), upper)
        )
    )
    master, priced = OptionChoice(core), []
    assert len(master.rows) == 200
    improve = OptionChoice._improve
    monkeypatch.setattr(OptionChoice, "_improve", lambda here, v, k: priced.append(k) or improve(here, v, k))
    seen = looks(monkeypatch)
    v = -1.0 - rng.random(12)
    v[9:] = 1.0
    found = master.choose(v)
    binding = {int(k) for k in np.flatnonzero(master.right == 20.0)}
    assert set(np.flatnonzero(found.prices[0]).tolist()) <= binding <= set(priced)
    assert len(priced) <= 12 and len(seen) <= 80
    priced.clear()
    master.choose(np.full(12, 1.0))
    assert set(np.flatnonzero(found.prices[0]).tolist()) <= set(priced)
    assert not master.prices.any(), "nothing is chosen: no row needs a price"


@pytest.mark.parametrize(
    ("changes", "held"),
    [({}, [0, 1]), ({"capacity": 0.5}, [1]), ({"n_open": 2}, [0]), ({"capacity": 0.5, "n_open": 2}, [])],
)
def test_where_capacities_are_alike_the_number_says_all_and_where_it_is_given_nothing(
    changes: dict[str, object], held: list[int]
) -> None:
    """(12) and (13) among the rows that are priced, after the rules of the problem."""
    settings: dict[str, object] = {"demand": [0.25, 0.5], "capacity": [0.5, 0.375, 0.25], **changes}
    core = reduce_problem(
        FacilityProblem.from_costs(np.ones((2, 3)) + np.arange(3), fixed_cost=[1.0, 2.0, 3.0], **settings)  # type: ignore[arg-type]
    )
    master = OptionChoice(core)
    assert [row.rule - len(core.rules) for row in master.rows if row.rule >= len(core.rules)] == held

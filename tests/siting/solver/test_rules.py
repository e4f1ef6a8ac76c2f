"""Rules over options: what they accept, what they ask of plans, and that every way of solving keeps them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from exact import exact_optimum
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array
from tiny_problems import clustered, random_problem, with_random_rules

from siting.solver import FacilityProblem, InputError, Rules, WrongAnswerError, solve
from siting.solver.check import check_solution
from siting.solver.choice import OptionChoice
from siting.solver.mip import solve_core
from siting.solver.reach import out_of_reach, shut_out
from siting.solver.reduce import reduce_problem
from siting.solver.rounding import Rounding

NORTH_AND_SOUTH = [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]


def four_sites(**settings: object) -> FacilityProblem:
    """Two sites in the north, two in the south, cheapest in the north; everybody must be served."""
    cost = [[1.0, 2.0, 8.0, 9.0], [1.0, 2.0, 7.0, 9.0], [2.0, 1.5, 6.0, 9.0]]
    return FacilityProblem.from_costs(cost, fixed_cost=[1.0, 1.0, 1.0, 2.5], **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rules", "opened"),
    [
        (Rules(NORTH_AND_SOUTH, upper=[0.0, 2.0]), [2]),  # nothing in the north
        (Rules(NORTH_AND_SOUTH, lower=[-np.inf, 1.0]), [0, 2]),  # at least one in the south
        (Rules(NORTH_AND_SOUTH, lower=[1.0, 1.0], upper=[1.0, 1.0]), [0, 2]),  # one of each
        (Rules([1.0, 0.0, 0.0, -1.0], upper=0.0), [1]),  # the first only with the last
        (Rules([1.0, -1.0, 0.0, 0.0], 0.0, 0.0), [0, 1]),  # both or none, and both cost less than the south
        (Rules([0.0, 0.0, 3.0, 4.0], lower=7.0), [0, 2, 3]),
    ],
)
def test_a_plan_keeps_limits_shares_and_bundles(rules: Rules, opened: list[int]) -> None:
    plan = solve(four_sites(rules=rules), gap=0.0)
    assert (plan.status, plan.open.tolist()) == ("optimal", opened)


def test_budget_number_and_groups_are_rows_like_any_other() -> None:
    problem = four_sites(capex=[3.0, 1.0, 2.0, 5.0], budget=4.0, n_open=2, group=["a", "a", None, "b"])
    assert problem.rows.names == ("budget", "number open", "group 0")
    assert problem.rows.coefficients.toarray().tolist() == [[3, 1, 2, 5], [1, 1, 1, 1], [1, 1, 0, 0]]
    assert problem.rows.upper.tolist() == [4.0, 2.0, 1.0]
    assert problem.rows.lower.tolist() == [-np.inf, 2.0, -np.inf]
    as_rules = four_sites(rules=problem.rows)
    assert solve(problem, gap=0.0).open.tolist() == solve(as_rules, gap=0.0).open.tolist() == [1, 2]


def test_rules_no_plan_can_keep_are_infeasible_and_named() -> None:
    one = solve(four_sites(rules=Rules(NORTH_AND_SOUTH, lower=[0.0, 3.0], names=["north", "south"])))
    assert one.status == "infeasible"
    assert "south: at least 3" in one.message
    together = Rules([np.ones(4), *NORTH_AND_SOUTH], [-np.inf, 2.0, 2.0], [3.0, 9.0, 9.0])
    assert solve(four_sites(rules=together)).status == "infeasible"
    nothing = Rules(np.zeros((1, 4)), lower=1.0)
    assert solve(four_sites(rules=nothing)).status == "infeasible"


def test_the_check_names_the_row_that_is_broken() -> None:
    problem = four_sites(rules=Rules(NORTH_AND_SOUTH, lower=[0.0, 1.0], names=["north", "south"]))
    plan = solve(problem, gap=0.0)
    check_solution(problem, plan)
    with pytest.raises(WrongAnswerError, match=r"south: at least 2, and comes to 1"):
        check_solution(problem.with_changes(rules=Rules(NORTH_AND_SOUTH[1], lower=2.0, names=["south"])), plan)
    with pytest.raises(WrongAnswerError, match=r"number open: exactly 4, and comes to 2"):
        check_solution(problem.with_changes(n_open=4), plan)
    with pytest.raises(WrongAnswerError, match=r"group 0: at most 1, and comes to 2"):
        check_solution(problem.with_changes(group=[0, 1, 0, 1]), plan)
    with pytest.raises(WrongAnswerError, match=r"budget: at most 1, and comes to 2"):
        check_solution(problem.with_changes(capex=[1.0] * 4, budget=1.0), replace(plan))


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (([[1.0, np.nan]],), "not finite"),
        (([[1.0, 2.0]], 3.0, 2.0), "rule 0 asks for 3 to 2"),
        (([[1.0, 2.0]], np.nan), "rule 0 asks for nan"),
        (([[1.0, 2.0]], np.inf), "rule 0 asks for inf"),
        (([[1.0, 2.0]], [1.0, 2.0]), r"lower has shape \(2,\); expected \(1,\)"),
        (([[1.0, 2.0]], 0.0, 1.0, ["a", "b"]), "2 names for 1 rules"),
    ],
)
def test_what_is_wrong_with_a_rule_is_named(arguments: tuple[object, ...], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        Rules(*arguments)  # type: ignore[arg-type]


def test_rules_are_over_the_options_of_the_problem() -> None:
    with pytest.raises(InputError, match="rules are over 2 options; there are 4"):
        four_sites(rules=Rules([[1.0, 1.0]]))


def test_the_arrays_of_the_caller_stay_his() -> None:
    matrix = csr_array(np.array([[1.0, 0.0, 2.0]]))
    rules = Rules(matrix, upper=2.0)
    matrix.data[:] = 9.0
    assert rules.coefficients.toarray().tolist() == [[1.0, 0.0, 2.0]]


def test_sums_that_differ_by_rounding_keep_a_limit() -> None:
    rules = Rules([0.1, 0.2, 0.0, 0.0], upper=0.3)
    assert rules.kept(np.array([True, True, False, False]))
    assert not Rules([0.1, 0.2, 0.0, 0.0], upper=0.3 - 1e-8).kept(np.array([True, True, False, False]))


def test_options_that_would_break_a_row_are_shut_out_one_after_the_other() -> None:
    # The first is forced; with it there is no room for the second, and without the second none for the third.
    rules = Rules([[2.0, 2.0, 0.0], [0.0, -1.0, 1.0]], upper=[3.0, 0.0])
    forced, closed = np.array([True, False, False]), np.zeros(3, dtype=bool)
    assert shut_out(rules, forced, closed).tolist() == [False, True, True]
    assert out_of_reach(rules, np.array([True, True, False]), closed).tolist() == [True, False]


def test_an_option_without_lanes_stays_where_a_rule_may_want_it() -> None:
    rules = Rules([[0.0, 1.0, 1.0], [0.0, 0.0, -1.0]], [1.0, 0.0])
    problem = FacilityProblem.from_costs([[1.0, np.nan, np.nan]], fixed_cost=[1.0, 5.0, 4.0], rules=rules)
    plan = solve(problem, gap=0.0)
    assert (plan.open.tolist(), plan.objective) == ([0, 1], 7.0)


@pytest.mark.parametrize("seed", range(6))
def test_the_plan_does_not_depend_on_the_order_of_options_and_rules(seed: int) -> None:
    problem = with_random_rules(clustered(seed, clients=12, sites=6), seed)
    rng = np.random.default_rng(seed)
    order, back = rng.permutation(problem.n_options), np.zeros(problem.n_options + 1, dtype=np.int64)
    back[order], back[-1] = np.arange(problem.n_options), -1
    assert problem.rules is not None
    rows = rng.permutation(len(problem.rules))
    shuffled = problem.with_changes(
        lane_options=back[problem.lane_options],
        fixed_cost=problem.fixed_cost[order],
        capex=problem.capex[order],
        capacity=problem.capacity[order],
        group=problem.group[order],
        rules=problem.rules.of(order).rows(rows),
    )
    plan, same = solve(problem, gap=0.0), solve(shuffled, gap=0.0)
    assert np.sort(order[same.open]).tolist() == plan.open.tolist()
    assert same.objective == pytest.approx(plan.objective, rel=1e-12)


def test_rounding_keeps_every_rule_or_gives_no_plan() -> None:
    rng = np.random.default_rng(5)
    plans = 0
    for seed in range(150):
        core = reduce_problem(with_random_rules(random_problem(seed), seed))
        opened = Rounding(core).plan(rng.random(core.n_options))
        if opened is not None:
            plans += 1
            assert core.rules.kept(opened)
            assert opened[core.forced].all()
            assert np.bincount(core.group[opened & (core.group >= 0)], minlength=1).max() <= 1
    assert plans > 50


def test_rounding_gives_a_whole_y_back() -> None:
    for seed in range(150):
        core = reduce_problem(with_random_rules(random_problem(seed), seed))
        plan = solve_core(core, 0.0, None, 1).open
        if plan is not None:
            assert Rounding(core).plan(plan.astype(float)).tolist() == plan.tolist()


@pytest.mark.parametrize(
    "rules", [Rules([1.0 + 1e-7, -1e-3], upper=1.0), Rules([-1.0 - 1e-7, 1e-3], lower=-1.0)], ids=["upper", "lower"]
)
def test_a_set_within_the_tolerance_of_the_solver_and_over_ours_is_cut_off(rules: Rules) -> None:
    # The first option alone is over by a ten-millionth; with the second, which nothing else wants, it is not.
    problem = FacilityProblem.from_costs([[0.0, 5.0]], fixed_cost=[0.0, 1.0], rules=rules)
    answer = solve_core(reduce_problem(problem), 0.0, None, 1)
    assert answer.open is not None
    assert answer.open.all()
    assert exact_optimum(problem) == 1


@pytest.mark.parametrize("seed", range(16))
def test_the_choice_among_options_is_bounded_from_below(seed: int) -> None:
    """(12): no choice that keeps one rule and the groups is worth less, and no relaxation of it says more."""
    core = reduce_problem(with_random_rules(clustered(seed, clients=8, sites=6), seed))
    core = replace(core, rules=core.rules.rows(np.arange(len(core.rules)) == seed % len(core.rules)))
    v = np.random.default_rng(seed).normal(0.0, 10.0, core.n_options)
    values = []
    for bits in itertools.product([False, True], repeat=core.n_options):
        opened = np.array(bits)
        groups = core.group[opened & (core.group >= 0)]
        if core.rules.kept(opened) and len(np.unique(groups)) == len(groups) and opened[core.forced].all():
            values.append(float(v[opened].sum()))
    assert values
    found = OptionChoice(core).choose(v)
    rows = core.rows
    relaxed = milp(
        v,
        constraints=LinearConstraint(rows.coefficients, rows.lower, rows.upper),
        bounds=Bounds(core.forced.astype(float), 1.0),
    )
    assert found.value <= min(values) + 1e-9 * abs(min(values))
    assert found.value == pytest.approx(relaxed.fun, rel=1e-6, abs=1e-6)

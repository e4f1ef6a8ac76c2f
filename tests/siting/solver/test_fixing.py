"""What a search rules out is no part of any plan it still looks for: options fixed, lanes dropped, bounds relaxed."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from exact import exact_optimum
from tiny_problems import clustered, random_problem

from siting.solver.benders import BendersMaster
from siting.solver.branch_and_bound import Node, fixed_by_reduced_cost
from siting.solver.choice import Choice
from siting.solver.core import Core, restrict
from siting.solver.cutting_planes import LinearBound, Program
from siting.solver.lagrangian import ascend
from siting.solver.link_cuts import LinkCuts
from siting.solver.problem import FacilityProblem
from siting.solver.reduce import reduce_problem
from siting.solver.relaxation import Evaluation, Multipliers, Relaxation
from siting.solver.search import Search
from siting.solver.service import cheapest_service
from siting.solver.stopwatch import Stopwatch

ROOM = 1e-9


def plans(core: Core) -> list[tuple[float, np.ndarray]]:
    """Cost and open options of every plan of a small core, cheapest service each."""
    found = []
    for bits in itertools.product([False, True], repeat=core.n_options):
        opened = np.array(bits, dtype=bool)
        grouped = core.group[opened & (core.group >= 0)]
        if (core.forced & ~opened).any() or not core.rules.kept(opened) or len(set(grouped)) < len(grouped):
            continue
        service = cheapest_service(core, opened)
        if service is not None:
            found.append((service.cost + float(core.fixed_cost[opened].sum()), opened))
    return sorted(found, key=lambda plan: plan[0])


def best_multipliers(core: Core) -> Evaluation:
    relaxation = Relaxation(core)
    lam = np.minimum(core.unserved, np.where(np.isfinite(core.unserved), core.unserved, core.cost.max()))
    target = plans(core)[0][0]
    dual = ascend(
        relaxation, Multipliers(lam, relaxation.zero_split()), lambda: target, 60, lambda k, best, often: False
    )
    return dual.best


def small_cores() -> list[Core]:
    """Cores of random problems of every kind that have plans, and of ones like studies."""
    cores = []
    for seed in range(303_000, 303_060):
        problem = random_problem(seed)
        if exact_optimum(problem) is not None and not problem.single_source:
            core = reduce_problem(problem)
            if core.n_options and core.n_lanes and (np.diff(core.first_lane) > 0).all():
                cores.append(core)
    budget = 6.0
    cores += [reduce_problem(clustered(seed, clients=10, sites=6).with_changes(budget=budget)) for seed in range(2)]
    return cores


@pytest.fixture(scope="module")
def cores() -> list[Core]:
    return small_cores()


def test_no_plan_under_the_cutoff_uses_an_option_fixed_out_by_multipliers(cores: list[Core]) -> None:
    fixed = 0
    for core in cores:
        found, known = best_multipliers(core), plans(core)
        for cost, opened in known:
            slack = ROOM * (1 + abs(cost))
            assert found.bound <= cost + slack
            assert (found.bound + found.choice.enter[opened & ~core.forced] <= cost + slack).all()
            assert (found.bound + found.choice.leave[~opened & ~core.forced] <= cost + slack).all()
        fixed += int((found.choice.enter > known[0][0] - found.bound).sum())
    assert fixed > 20


def test_no_plan_under_the_cutoff_uses_an_option_fixed_out_by_a_linear_program(cores: list[Core]) -> None:
    decided = np.zeros(2, dtype=int)
    for core in cores:
        known = plans(core)
        program: Program = LinkCuts(core, 1, lambda: None)
        if not (core.capacitated or core.paired):
            levels = np.where(np.isfinite(core.unserved), core.unserved, core.cost.max())
            program = BendersMaster(core, levels, 1, lambda: None)
        linear = program.solve_linear(lambda: np.inf, np.inf, lambda bound, y: None)
        for cutoff in {known[0][0], known[len(known) // 2][0], known[-1][0]}:
            room = cutoff - linear.bound
            closed, open_ = linear.decided(room)
            decided += closed.sum(), open_.sum()
            for cost, opened in known:
                if cost < cutoff - 1e-6 * (1 + abs(cutoff)):
                    assert not (opened & closed).any()
                    assert not (open_ & ~opened).any()
    assert (decided > 5).all()


def test_an_option_is_decided_where_its_reduced_cost_exceeds_the_room() -> None:
    linear = LinearBound(10.0, np.array([0.0, 0.0, 1.0, 1.0, 0.4, 0.4]), np.array([3.0, 1.0, -3.0, -1.0, 5.0, -5.0]))
    closed, opened = linear.decided(2.0)
    assert closed.tolist() == [True, False, False, False, False, False], "of a fraction nothing is decided"
    assert opened.tolist() == [False, False, True, False, False, False]


def test_a_restricted_core_is_no_dearer_whatever_lanes_it_dropped(cores: list[Core]) -> None:
    for number, core in enumerate(cores):
        rng = np.random.default_rng(number)
        sub = restrict(core, np.ones(core.n_options, dtype=bool), rng.random(core.n_lanes) < 0.6, core.forced)
        for cost, opened in plans(core):
            service = cheapest_service(sub, opened)
            assert service is not None
            assert service.cost + float(core.fixed_cost[opened].sum()) <= cost + ROOM * (1 + abs(cost))


def test_a_restricted_core_keeps_the_plans_of_its_options(cores: list[Core]) -> None:
    for number, core in enumerate(cores):
        rng = np.random.default_rng(number)
        options = (rng.random(core.n_options) < 0.7) | core.forced
        sub = restrict(core, options, np.ones(core.n_lanes, dtype=bool), core.forced)
        assert sub.first_lane.tolist() == np.searchsorted(sub.client, np.arange(core.n_clients + 1)).tolist()
        within = [cost for cost, opened in plans(core) if not (opened & ~options).any()]
        assert [cost for cost, _ in plans(sub)] == pytest.approx(within, rel=1e-9, abs=1e-9)


def test_lanes_beyond_the_room_are_in_no_better_plan() -> None:
    problem = FacilityProblem.from_costs([[1.0, 9.0], [9.0, 1.0], [4.0, 5.0]], fixed_cost=[2.0, 2.0])
    core = reduce_problem(problem)
    assert exact_optimum(problem) == 10
    kept = restrict(core, np.ones(2, dtype=bool), core.cost < 9.0, core.forced)
    assert kept.n_lanes == 4
    assert kept.unserved.tolist().count(9.0) == 2  # what the lanes dropped cost


def test_a_node_fixes_what_its_reduced_costs_decide_and_no_more() -> None:
    node = Node(0.0, np.zeros(5), np.ones(5))
    y = np.array([0.0, 0.0, 1.0, 1.0, 0.4])
    found = fixed_by_reduced_cost(node, 10.0, y, np.array([3.0, 1.5, -3.0, -1.5, 5.0]), 2.0)
    assert found.high.tolist() == [0.0, 1.0, 1.0, 1.0, 1.0]
    assert found.low.tolist() == [0.0, 0.0, 1.0, 0.0, 0.0]


def test_a_search_keeps_every_option_that_a_better_plan_may_use(cores: list[Core]) -> None:
    dropped = 0
    for core in cores:
        search, found, known = Search(core, 0.0, 1, Stopwatch(None, None)), best_multipliers(core), plans(core)
        for cutoff in {known[0][0], known[len(known) // 2][0], known[-1][0]}:
            search.incumbent.cost = cutoff
            left = search.left(found)
            dropped += int((~left).sum())
            for cost, opened in known:
                if cost < cutoff - 1e-6 * (1 + abs(cutoff)):
                    assert not (opened & ~left).any()
    assert dropped > 20


def test_a_search_drops_an_option_only_beyond_the_room() -> None:
    core = reduce_problem(FacilityProblem.from_costs([[1.0, 2.0, 3.0]], fixed_cost=[1.0, 1.0, 1.0]))
    search = Search(core, 0.0, 1, Stopwatch(None, None))
    search.incumbent.cost = 12.0
    room = search.incumbent.cutoff - 10.0
    nothing = np.zeros(3)
    enter = np.array([0.9 * room, 0.6 * room, 1.1 * room])
    choice = Choice(0.0, nothing, enter, nothing, np.zeros((1, 0)))
    assert search.left(Evaluation(10.0, choice, Multipliers(nothing, nothing))).tolist() == [True, True, False]


@pytest.mark.parametrize(("group", "kept", "then"), [
    ([-1, 4, 4, -1, 7], [True, True, True, False, True], [-1, 0, 0, 1]),
    ([4, 4, 7, 7, -1], [True, False, True, True, False], [0, 1, 1]),
    ([-1, -1, 3, -1, -1], [True, True, False, True, True], [-1, -1, -1, -1]),
])  # fmt: skip
def test_groups_of_the_options_kept_are_numbered_anew(group: list[int], kept: list[bool], then: list[int]) -> None:
    core = reduce_problem(FacilityProblem.from_costs(np.arange(15.0).reshape(3, 5), n_open=2))
    core = replace(core, group=np.array(group))
    smaller = restrict(core, np.array(kept), np.ones(core.n_lanes, dtype=bool), core.forced)
    assert smaller.group.tolist() == then

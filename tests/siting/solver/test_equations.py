"""Every numbered equation of the solver on a case small enough to work by hand; docs/solver.md lists them."""

from itertools import product

import numpy as np
import pytest

from siting.solver import Coverage, FacilityProblem, Rules, solve
from siting.solver.benders import BendersMaster
from siting.solver.choice import fewest_open
from siting.solver.reduce import reduce_problem
from siting.solver.relaxation import Multipliers, Relaxation

COST = np.array([[1.0, 8.0, 5.0], [8.0, 1.0, 5.0]])
"""Two clients, three options: each client has one of its own, and the third serves both fairly."""


def least(**changes) -> float:
    beyond = {key: changes.pop(key) for key in ("lane_rules", "coverage") if key in changes}
    solution = solve(FacilityProblem.from_costs(COST, **changes).with_changes(**beyond), gap=0.0)
    assert solution.status == "optimal"
    return solution.objective


@pytest.mark.parametrize(
    ("changes", "by_hand"),
    [
        pytest.param({}, 2, id="(1) each client takes its cheapest lane"),
        pytest.param({"fixed_cost": [3, 3, 3]}, 8, id="(1) options cost: 1 + 1 + 3 + 3 beats 5 + 5 + 3 = 13"),
        pytest.param({"fixed_cost": [9, 9, 3]}, 13, id="(1) or does not: 1 + 1 + 9 + 9 is 20"),
        pytest.param({"fixed_cost": [9, 9, 9], "unserved_cost": [2, 2]}, 4, id="(2) a client may stay unserved"),
        pytest.param({"n_open": 1}, 9, id="(3), (7) one open: 1 + 8"),
        pytest.param({"capacity": [1, 1, 0.5], "forbidden": [1]}, 1 + 0.5 * 5 + 0.5 * 7, id="(4) half at a limit"),
        pytest.param({"capex": [2, 2, 1], "budget": 3}, 6, id="(5) 3 buys one of the dear and the cheap: 1 + 5"),
        pytest.param({"group": [0, 0, -1]}, 6, id="(6) of the first two only one: 1 + 5"),
        pytest.param({"n_open": 3, "fixed_cost": [1, 1, 1]}, 5, id="(7) exactly three"),
        pytest.param({"rules": Rules([[1, 0, 1], [0, 1, 1]], upper=1, lower=[1, 1])}, 2, id="(16) one of each pair"),
        pytest.param({"rules": Rules([[1, 1, -1]], upper=0)}, 6, id="(16) one of two, and with the third: 1 + 5"),
        pytest.param({"min_throughput": [1.5, 1.5, 0]}, 7.5, id="(17) half of the other's too: 1 + 4 + 2.5"),
        pytest.param({"min_throughput": 2}, 9, id="(17) nothing opens for one alone: 1 + 8"),
        pytest.param({"min_throughput": [0, 0, 1.5], "forced_open": [2]}, 8, id="(17) at a loss: 7.5 + 0.5"),
        pytest.param({"min_throughput": [9, 0, 0]}, 6, id="(17) never filled, never opened: 5 + 1"),
        pytest.param({"lane_rules": Rules([[1, 0, 0, 0, 1, 0]], upper=1)}, 6, id="(18) one cheap lane: 1 + 5"),
        pytest.param({"lane_rules": Rules([[0, 0, 1, 0, 0, 1]], lower=0.5)}, 4, id="(18) half a client at 5: 3 + 1"),
        pytest.param(
            {"coverage": (Coverage([[0, 0, 1]], [1], 1),), "fixed_cost": [1, 1, 3]},
            7,
            id="(19) the third too",
        ),
        pytest.param(
            {"coverage": (Coverage(np.eye(3), [1, 2, 2], 3),), "fixed_cost": [2, 2, 2]},
            6,
            id="(19) two of three",
        ),
        pytest.param({"forced_open": [2], "fixed_cost": [0, 0, 4]}, 6, id="(8) forced, though of no use"),
        pytest.param({"forbidden": [0, 1]}, 10, id="(8) forbidden"),
    ],
)
def test_rows_of_the_problem(changes, by_hand):
    if "capacity" in changes:  # what the third cannot take goes unserved at 7
        changes = {**changes, "unserved_cost": [7, 7]}
    assert least(**changes) == pytest.approx(by_hand)


def test_single_source_forbids_what_a_split_would_save():
    """(9) Room for one and a half: split, the half is used; whole, it stays empty."""
    room = {"capacity": [1, 0, 0.5], "unserved_cost": [7, 7]}
    assert least(**room) == pytest.approx(1 + 0.5 * 5 + 0.5 * 7)
    assert least(**room, single_source=True) == pytest.approx(1 + 7)


@pytest.mark.parametrize("limits", [{}, {"capacity": [2, 2, 3]}, {"n_open": 2}, {"capex": [1, 1, 1], "budget": 2}])
def test_any_multipliers_give_a_bound(limits):
    """(10), (11) No plan costs less than L, at multipliers good or bad."""
    rng = np.random.default_rng(1)
    cost = rng.integers(1, 20, (5, 3)).astype(float)
    problem = FacilityProblem.from_costs(
        cost, demand=np.ones(5), fixed_cost=[4, 5, 6], unserved_cost=np.full(5, 15.0), **limits
    )
    core = reduce_problem(problem)
    relaxation = Relaxation(core)
    best = solve(problem, gap=0.0).objective
    bounds = []
    for _ in range(50):
        lam = np.minimum(rng.uniform(0, 20, core.n_clients), core.unserved)
        bounds.append(relaxation.evaluate(Multipliers(lam, relaxation.zero_split())).bound + core.base)
    assert max(bounds) <= best + 1e-9
    assert max(bounds) > min(bounds)


def test_the_relaxation_by_hand():
    """(10), (11) One option of cost 4, two clients at 1 and 2, prices 3 and 6: 9 + min(0, 4 - 2 - 4) = 7."""
    problem = FacilityProblem.from_costs([[1.0], [2.0]], fixed_cost=[4], unserved_cost=[10, 10])
    core = reduce_problem(problem)
    lam = np.where(core.cost == 1.0, 3.0, 6.0)
    assert Relaxation(core).evaluate(Multipliers(lam, np.zeros(0))).bound == pytest.approx(7)


@pytest.mark.parametrize(("demand", "fewest"), [(5, 2), (8, 2), (9, 3)])
def test_fewest_options_that_hold_all(demand, fewest):
    """(12), (13) Room for 4, 4 and 3."""
    problem = FacilityProblem.from_costs([[1.0, 2.0, 3.0]], demand=[demand], capacity=[4, 4, 3])
    assert fewest_open(reduce_problem(problem)) == fewest


@pytest.fixture
def uncapacitated():
    rng = np.random.default_rng(2)
    cost = rng.integers(1, 30, (6, 4)).astype(float)
    return cost, reduce_problem(FacilityProblem.from_costs(cost, fixed_cost=[5, 6, 7, 8], unserved_cost=np.full(6, 25)))


def lanes_of(core) -> np.ndarray:
    """(n_clients, n_options) cost in the core's own order, infinite where there is no lane."""
    cost = np.full((core.n_clients, core.n_options), np.inf)
    for j, place in enumerate(core.place):
        there = core.places[:, 0] == place
        cost[core.client[there], j] = core.cost[there]
    return cost


def test_the_tightest_cut_is_the_cost_of_service(uncapacitated):
    """(14) Over all levels v it gives the least cost of serving each client from the open options, and never more."""
    _, core = uncapacitated
    master = BendersMaster(core, core.unserved.copy(), 1, lambda: None)
    cost = lanes_of(core)
    for y in product([0.0, 0.5, 1.0], repeat=core.n_options):
        _, service = master.service(np.array(y))
        levels = [*np.unique(core.cost), *np.unique(core.unserved)]
        for i in range(core.n_clients):
            cuts = [v - (np.maximum(v - cost[i], 0) @ np.array(y)) for v in levels if v <= core.unserved[i]]
            assert service[i] == pytest.approx(max(cuts))


def test_one_level_of_each_client_is_part_of_the_objective(uncapacitated):
    """(15) Level u in the objective and the excess over it add up to (14)."""
    _, core = uncapacitated
    cost = lanes_of(core)
    u = core.unserved * 0.6
    master = BendersMaster(core, u, 1, lambda: None)
    for y in product([0.0, 1.0], repeat=core.n_options):
        opened = np.array(y)
        levels, service = master.service(opened)
        in_objective = master.constant - (master.folded @ opened).sum()
        drop = np.maximum(levels[:, None] - cost, 0) - np.maximum(u[:, None] - cost, 0)
        excess = np.maximum(levels - u - drop @ opened, 0)
        assert in_objective + excess.sum() == pytest.approx(service.sum())

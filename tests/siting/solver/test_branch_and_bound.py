"""Branch and bound leaves nothing behind that its record does not show; a tree knows that it is too large."""

from __future__ import annotations

import numpy as np

from siting.solver import FacilityProblem, lagrangian_tree
from siting.solver.branch_and_bound import Node, Relaxed, Tip, branch_and_bound
from siting.solver.proof import Prices, Record, Region
from siting.solver.prove_by_multipliers import prove_by_multipliers
from siting.solver.reduce import reduce_problem
from siting.solver.search import Search
from siting.solver.stopwatch import Stopwatch

N = 100
PRICES = Prices(np.zeros(1), np.zeros(0))


def leaves(region: Region) -> list[Region]:
    """The regions of a proof that are not parted."""
    return [region] if region.parts is None else [leaf for part in region.parts for leaf in leaves(part)]


def test_a_node_dropped_for_a_bound_that_was_only_tried_is_solved_first() -> None:
    """Both sides of an option are tried at 5; then one of them turns out to be a plan of 5.5, and 5 is enough."""
    cutoff, proof = [10.0], Region()
    solved: list[float] = []

    def relax(node: Node) -> Relaxed:
        assert node.record is not None
        node.record.add(PRICES)
        root = node.low[0] < node.high[0]
        solved.append(np.nan if root else float(node.low[0]))
        return (0.0 if root else 5.0), np.array([0.5]) if root else node.low, np.zeros(1)

    def tip(node: Node) -> Tip:
        return 5.0, True, []

    def visit(bound: float, y: np.ndarray) -> None:
        if y[0] in (0.0, 1.0):
            cutoff[0] = 4.5

    root = Node(0.0, np.zeros(1), np.ones(1), record=Record(proof, np.array([0]), 1))
    branch_and_bound(root, relax, tip, lambda: cutoff[0], np.inf, visit)

    assert sorted(solved[1:]) == [0.0, 1.0]
    assert len(leaves(proof)) == 2
    assert all(leaf.prices for leaf in leaves(proof))


def regions_of_tree(seed: int, most_nodes: int) -> tuple[bool, int]:
    """Search a problem in which nearly every plan is as good as the best; (whether to the end, regions on record)."""
    random = np.random.default_rng(seed)
    cost = np.triu(random.integers(1000, 2001, (N, N))).astype(float)
    cost += np.triu(cost, 1).T
    problem = FacilityProblem.from_costs(cost, fixed_cost=random.integers(1000, 2001, N).astype(float))
    core = reduce_problem(problem)
    search, proof = Search(core, 0.0, 1, Stopwatch(None, None)), Region()
    dual = prove_by_multipliers(search, None, None)
    search.incumbent.polish()
    record = Record(proof, np.arange(core.n_options), core.n_options)
    complete, _ = lagrangian_tree.search(
        core, dual.at.lam, search.incumbent.cost, 1.0, most_nodes, lambda: True, record
    )
    return complete, 2 * len(leaves(proof)) - 1


def test_a_tree_that_will_be_too_large_is_given_up_long_before() -> None:
    complete, nodes = regions_of_tree(1, 10**6)
    assert complete
    assert nodes > 5 * lagrangian_tree.LOOK
    complete, tried = regions_of_tree(1, nodes // 2)
    assert not complete
    assert tried < nodes / 3

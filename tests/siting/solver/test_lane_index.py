"""Lanes of a core are found by what they are: the client and the places of their options, in any order."""

from __future__ import annotations

import numpy as np
from tiny_problems import random_problem

from siting.solver import FacilityProblem
from siting.solver.lane_index import LaneIndex
from siting.solver.reduce import reduce_problem


def test_each_lane_is_found_by_its_client_and_places_in_any_order_and_no_other_is() -> None:
    """Against looking through all lanes of the core, for every client and every two options, or one, or none."""
    found_some, sought = 0, 0
    for seed in range(360_000, 360_040):
        problem = random_problem(seed)
        core = reduce_problem(problem)
        index = LaneIndex(problem, core, np.arange(core.n_lanes))
        place = dict(zip(core.option_of.tolist(), core.place.tolist(), strict=True)) | {-1: -1}
        client = {int(at): i for i, at in enumerate(core.client_of)}
        ends = np.arange(-1, problem.n_options)
        every = [(i, a, b) for i in range(problem.n_clients) for a in ends.tolist() for b in ends.tolist()]
        wanted = np.array(every)
        for (i, a, b), lane in zip(every, index.find(wanted[:, 0], wanted[:, 1:]).tolist(), strict=True):
            there = [
                k
                for k in range(core.n_lanes)
                if client.get(i) == core.client[k] and sorted(core.places[k]) == sorted([place.get(a), place.get(b)])
            ] if a in place and b in place else []  # fmt: skip
            assert lane == min(there, key=lambda k: core.cost[k], default=core.n_lanes), f"seed {seed}: {i}, {a}, {b}"
            found_some, sought = found_some + bool(there), sought + 1
    assert 100 < found_some < sought / 2


def test_lanes_are_looked_for_among_those_given() -> None:
    problem = FacilityProblem.from_costs([[1.0, 8.0], [8.0, 1.0]], fixed_cost=[3.0, 3.0])
    core = reduce_problem(problem)
    options = np.array([[0, -1], [0, -1]])
    lanes = LaneIndex(problem, core, np.arange(core.n_lanes)).find(np.array([0, 1]), options)
    assert core.cost[lanes].tolist() == [1.0, 8.0]
    assert LaneIndex(problem, core, lanes[:1]).find(np.array([0, 1]), options).tolist() == [lanes[0], core.n_lanes]

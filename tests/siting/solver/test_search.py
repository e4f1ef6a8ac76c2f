"""What the proofs of a core share, and what they begin with: the best plan, bounds, options favoured, first cuts."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from siting.solver import FacilityProblem, mip, prove_by_cuts, prove_by_model, prover
from siting.solver.core import Core
from siting.solver.mip import CoreAnswer
from siting.solver.reduce import reduce_problem
from siting.solver.search import Search, largest_cost, unservable
from siting.solver.stopwatch import OutOfTime, Stopwatch


@pytest.fixture
def small() -> Search:
    """A search over two clients and three options, of which one costs half a unit; clients may stay for 9.5 and 9."""
    cost = [[1.0, 8.0, 5.0], [8.0, 1.0, 5.0]]
    problem = FacilityProblem.from_costs(cost, fixed_cost=[3.0, 3.0, 6.5], unserved_cost=[9.5, 9.0])
    return Search(reduce_problem(problem), 0.0, 1, Stopwatch(None, None))


def among(search: Search, *options: int) -> np.ndarray:
    """(n_options,) mask of options of the problem in the order of the core."""
    return np.isin(search.core.option_of, options)


def test_a_search_is_done_where_its_bound_meets_its_plan_or_time_is_over(small: Search) -> None:
    small.offer(np.flatnonzero(among(small, 0, 1)))
    assert small.incumbent.cost == 8.0
    small.raise_bound(7.99)
    assert not small.done
    small.raise_bound(7.5)
    assert small.bound == 7.99, "a bound stays"
    small.raise_bound(9.0)
    assert small.bound == 8.0 and small.done, "no bound is above the plan"
    assert Search(small.core, 0.0, 1, Stopwatch(0.0, None)).done


def test_a_bound_is_high_enough_within_the_gap_of_the_whole_cost(small: Search) -> None:
    """Of 8 and the 5 that clients cost who are no part of the core, a hundredth."""
    search = Search(replace(small.core, base=5.0), 0.01, 1, Stopwatch(None, None))
    assert search.wanted == np.inf, "there is no plan"
    search.offer(np.flatnonzero(among(search, 0, 1)))
    assert search.wanted == pytest.approx(8.0 - 0.13)
    exact = Search(small.core, 0.0, 1, Stopwatch(None, None))
    exact.offer(np.flatnonzero(among(exact, 0, 1)))
    assert 8.0 - 1e-8 < exact.wanted < 8.0, "but for rounding"


@pytest.mark.parametrize(
    ("half", "bound", "proven"), [(0.5, 7.2, 7.2), (0.0, 7.2, 8.0), (0.0, 7.0004, 7.0), (0.0, 9.0, 8.0)]
)
def test_what_is_proven_is_whole_where_all_costs_are(half: float, bound: float, proven: float) -> None:
    """One client more stays unserved for 5, which is no part of the core."""
    cost = [[1.0, 8.0, 5.0], [8.0, 1.0, 5.0], [np.nan] * 3]
    problem = FacilityProblem.from_costs(cost, fixed_cost=[3.0, 3.0, 6.0 + half], unserved_cost=[9.0, 9.0, 5.0])
    search = Search(reduce_problem(problem), 0.0, 1, Stopwatch(None, None))
    assert search.proven == -np.inf
    search.offer(np.flatnonzero(among(search, 0, 1)))
    search.raise_bound(bound)
    assert search.proven == proven + 5.0


def test_the_best_plan_is_given_to_searches_that_have_all_its_options(small: Search) -> None:
    assert small.within(among(small, 0, 1)) is None, "there is none"
    small.offer(np.flatnonzero(among(small, 0, 1)))
    assert small.within(among(small, 0, 2)) is None
    found = small.within(among(small, 0, 1))
    assert found is not None and found.tolist() == [True, True]


def test_options_are_favoured_that_were_chosen_now_and_then_with_those_of_the_plan_and_the_forced() -> None:
    problem = FacilityProblem.from_costs(np.eye(5) * -9.0 + 10.0, fixed_cost=[1.0, 5.0, 5.0, 5.0, 5.0], forced_open=[4])
    search = Search(reduce_problem(problem), 0.0, 1, Stopwatch(None, None))
    often = np.where(among(search, 2), 0.021, np.where(among(search, 3), 0.019, 0.0))
    assert search.favoured(often).tolist() == among(search, 2, 4).tolist()
    search.incumbent.cost, search.incumbent.open = 50.0, among(search, 0, 4)
    assert search.favoured(often).tolist() == among(search, 0, 2, 4).tolist()


def test_the_largest_cost_is_of_a_lane_of_staying_or_of_an_option(small: Search) -> None:
    core = small.core
    assert largest_cost(core) == 9.5
    hundredth = replace(core, cost=core.cost / 100, unserved=core.unserved / 100, fixed_cost=core.fixed_cost / 100)
    assert largest_cost(hundredth) == 0.095
    assert largest_cost(replace(small.core, fixed_cost=np.array([3.0, -11.0, 6.0]))) == 11.0
    assert largest_cost(replace(small.core, cost=small.core.cost * 2, unserved=np.full(2, np.inf))) == 16.0


def test_a_client_without_lanes_is_unservable_where_it_must_be_served(small: Search) -> None:
    core = small.core
    nothing = replace(core, cost=core.cost[:0], first_lane=np.zeros(3, dtype=np.int64), client=core.client[:0])
    assert not unservable(core) and not unservable(nothing)
    assert not unservable(replace(core, unserved=np.full(2, np.inf)))
    assert unservable(replace(nothing, unserved=np.array([9.5, np.inf])))
    one = replace(core, first_lane=np.array([0, 3, 3]), unserved=np.array([9.5, np.inf]))
    assert unservable(one)


@pytest.mark.parametrize(
    ("lam", "dearer", "cheaper"),
    [([6.0, 6.0], [8.0, 8.0], [5.0, 5.0]), ([0.5, 5.0], [1.0, 5.0], [1.0, 1.0]), ([9.4, 8.5], [8.0, 8.0], [8.0, 8.0])],
)
def test_benders_begins_with_cuts_on_either_side_of_each_multiplier_and_at_the_best_plan(
    small: Search, lam: list[float], dearer: list[float], cheaper: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Costs of 1, 5 and 8; a client that has no lanes has what it costs unserved. Options 0 and 1 serve both for 1."""
    seen: list[list[float]] = []

    class Master:
        def __init__(self, core: Core, levels: np.ndarray, threads: int, tick: object) -> None:
            seen.append(levels.tolist())

        def add_cuts(self, clients: np.ndarray, levels: np.ndarray) -> None:
            assert clients.tolist() == list(range(len(levels)))
            seen.append(levels.tolist())

        def service(self, y: np.ndarray) -> tuple[np.ndarray]:
            return (10.0 * y,)

    monkeypatch.setattr(prove_by_cuts, "BendersMaster", Master)
    core, everything = small.core, np.ones(3, dtype=bool)
    assert core.cost.tolist() == [1.0, 5.0, 8.0] * 2
    prove_by_cuts._master(small, core, np.array(lam), everything)
    assert seen == [dearer, cheaper]
    seen.clear()
    small.offer(np.flatnonzero(among(small, 0, 1)))
    kept = among(small, 0, 2)
    prove_by_cuts._master(small, core, np.array(lam), kept)
    assert seen[2] == (10.0 * among(small, 0)[kept]).tolist()
    seen.clear()
    alone = replace(core, client=core.client[:3], cost=core.cost[:3], first_lane=np.array([0, 3, 3]))
    prove_by_cuts._master(Search(alone, 0.0, 1, Stopwatch(None, None)), alone, np.array([6.0, 9.0]), everything)
    assert seen == [[8.0, 9.5], [5.0, 9.5]]
    seen.clear()
    single = replace(core, client=core.client[:4], cost=np.array([1.0, 5.0, 8.0, 2.0]), first_lane=np.array([0, 3, 4]))
    prove_by_cuts._master(Search(single, 0.0, 1, Stopwatch(None, None)), single, np.array([6.0, 9.0]), everything)
    assert seen == [[8.0, 2.0], [5.0, 2.0]], "of one lane there is no other side"


@pytest.mark.parametrize(
    ("changes", "asked"),
    [({}, 3), ({"minimum": np.array([1.0, 0.0, 0.0])}, 3), ({"single_source": True}, 1),
     ({"stand_in": np.ones(6, dtype=bool)}, 1)],
    ids=["anew", "with minimums", "single source", "stand-ins"],
)  # fmt: skip
def test_a_plan_that_cannot_be_served_after_all_is_not_given_twice(
    small: Search, changes: dict[str, Any], asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor one with fewer options, unless minimums may let less of them do. A model of whole clients serves what it
    opens, and one of stand-ins tells of no plan: they are asked once.
    """
    search = Search(replace(small.core, base=2.0, **changes), 0.0, 1, Stopwatch(None, None))
    monkeypatch.setattr(search.incumbent, "offer", lambda *a, **named: False)
    plans, cores = [among(search, 0, 1), among(search, 2), None], []

    def answered(core: Core, *arguments: Any) -> CoreAnswer:
        cores.append(core)
        return CoreAnswer(plans[len(cores) - 1], float(len(cores)))

    monkeypatch.setattr(mip, "solve_core", answered)
    prove_by_model.solve_model(search, np.ones(3, dtype=bool))
    assert len(cores) == asked
    for k, core in enumerate(cores):
        for bits in itertools.product([False, True], repeat=3):
            plan = np.array(bits)
            fewer_do = core.has_minimum and not any((plan == given).all() for given in plans[:k])
            more = all((plan & ~given).any() for given in plans[:k])
            assert core.rules.kept(plan) == (more or fewer_do), f"{bits} of model {k}"
    assert search.proof.solved is not None and search.proof.solved.bound == asked - search.core.base
    assert search.bound == asked - search.core.base


def test_ctrl_c_while_all_is_proven_again_stops_and_out_of_time_does_not(
    small: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(error: type[BaseException]) -> bool:
        def model(search: Search, options: np.ndarray) -> None:
            assert options.all() and search.bound == 3.0
            raise error

        monkeypatch.setattr(prover, "solve_model", model)
        search = Search(small.core, 0.0, 1, Stopwatch(None, None))
        prover.prove_again(search, 3.0)
        return search.watch.stopped

    assert ended(KeyboardInterrupt) and not ended(OutOfTime)


@pytest.fixture
def whole() -> Search:
    """A search for plans of whole clients: two of 2 units, and two options that hold one of them each."""
    problem = FacilityProblem.from_costs(
        [[1.0, 5.0], [2.0, 9.0]], demand=2.0, capacity=3.0, fixed_cost=1.0, single_source=True
    )
    return Search(reduce_problem(problem), 0.0, 1, Stopwatch(None, None))


def test_whole_clients_stay_where_a_model_has_put_them(whole: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other way round they cost 1 + 9 + 2; what the model says needs no second look."""
    core = whole.core
    monkeypatch.setattr(whole, "offer", lambda options: None)
    first, cheap = core.client_of[core.client] == 0, core.option_of[core.places[:, 0]] == 0
    share = np.where(first != cheap, 1.0, 0.0)
    whole.adopt(CoreAnswer(np.ones(2, dtype=bool), 9.0, lane_share=share), np.ones(2, dtype=bool))
    assert whole.incumbent.cost == 5.0 + 2.0 + 2.0


def test_a_model_of_whole_clients_begins_with_where_they_are(whole: Search, small: Search) -> None:
    for search, lanes in ((whole, 2.0), (small, 0.0)):
        everything = np.ones(search.core.n_options, dtype=bool)
        assert search.start(everything) is None
        search.offer(np.flatnonzero(everything))
        start = search.start(everything)
        assert start is not None
        assert start[: search.core.n_options].tolist() == search.within(everything).astype(float).tolist()  # type: ignore[union-attr]
        assert start[search.core.n_options :].sum() == lanes

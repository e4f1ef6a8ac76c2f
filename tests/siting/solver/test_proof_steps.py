"""What each step of a proof hands to the next: what is left out, what opens in any case, how an ascent begins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from test_proofs import CUTS, KINDS, LINKS, MODEL

from siting.solver import (
    FacilityProblem,
    mip,
    prove_by_cuts,
    prove_by_links,
    prove_by_model,
    prove_by_multipliers,
    prover,
)
from siting.solver.core import Core, restrict
from siting.solver.cutting_planes import LinearBound
from siting.solver.lagrangian import FIRST_STEP, Dual, ascend
from siting.solver.link_cuts import LinkCuts
from siting.solver.mip import CoreAnswer
from siting.solver.prove_by_multipliers import _first_multipliers
from siting.solver.reduce import reduce_problem
from siting.solver.relaxation import Multipliers, Relaxation
from siting.solver.search import Search
from siting.solver.stopwatch import OutOfTime, Progress, Stopwatch


def search_of(problem: FacilityProblem, gap: float = 0.0) -> Search:
    return Search(reduce_problem(problem), gap, 1, Stopwatch(None, None))


def begun(kind: str, seed: int = 1) -> tuple[Search, Dual]:
    """A search after its multipliers, which were not enough."""
    for other in range(seed, seed + 5):
        search = search_of(KINDS[kind](other))
        dual = prove_by_multipliers.prove_by_multipliers(search, None, None)
        if not search.done:
            return search, dual
    raise AssertionError("no such problem")


@pytest.mark.parametrize("kind", ["fixed cost", "budget", "number"])
def test_cuts_are_made_of_what_a_better_plan_may_use(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options whose reduced cost is in the room, lanes likewise; those open whose closing is beyond it, or forced."""
    search, dual = begun(kind)
    search.bound -= 0.1  # what is known of all plans counts, not what the multipliers came to
    room = search.incumbent.cutoff - search.bound
    wanted = search.left(dual.best)
    seen: list[tuple[Any, ...]] = []

    def noted(*arguments: Any) -> Core:
        seen.append(arguments)
        return restrict(*arguments)

    monkeypatch.setattr(prove_by_cuts, "restrict", noted)
    CUTS(search, dual)
    core, kept, lanes, opened = seen[0]
    assert kept.tolist() == wanted.tolist()
    assert lanes.tolist() == (core.cost <= room + dual.at.lam[core.client]).tolist()
    assert opened.tolist() == (core.forced | (dual.best.choice.leave > room)).tolist()
    assert kind != "fixed cost" or core.forced.any()


@pytest.mark.parametrize(
    ("kind", "proof", "module"), [("budget", CUTS, prove_by_cuts), ("two places", LINKS, prove_by_links)]
)
def test_a_linear_program_decides_by_the_room_between_its_bound_and_the_best_plan(
    kind: str, proof: Any, module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prove_by_cuts, "MOST_VISITS", 0)
    search, dual = begun(kind)
    decided, whole = [], LinearBound.decided

    def noted(linear: LinearBound, room: float) -> Any:
        decided.append(room)
        assert room == search.incumbent.cutoff - linear.bound
        return whole(linear, room)

    monkeypatch.setattr(LinearBound, "decided", noted)
    proof(search, dual)
    assert decided and search.done


def test_once_the_favoured_options_are_settled_one_of_the_others_must_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options open in any case stay so, and what the relaxation comes to is rounded at a half and at less."""
    monkeypatch.setattr(prove_by_links, "MOST_LIKELY", 9.0)
    monkeypatch.setattr(prove_by_links, "LIKELY_NODES", 2000)
    search, dual = begun("two places")
    favoured, core = search.favoured(dual.often), search.core
    asked, rounded, opened = [], [], []
    require, rounding, inner = LinkCuts.require_one, search.round, prove_by_links._search_links
    monkeypatch.setattr(LinkCuts, "require_one", lambda links, mask: asked.append(mask) or require(links, mask))
    monkeypatch.setattr(search, "round", lambda *a: rounded.append(a[2:]) or rounding(*a))

    def noted(*arguments: Any) -> Any:
        room = search.incumbent.cutoff - dual.best.bound
        opened.append((arguments[4], core.forced | (dual.best.choice.leave > room)))
        return inner(*arguments)

    monkeypatch.setattr(prove_by_links, "_search_links", noted)
    LINKS(search, dual)
    (mask,) = asked
    assert mask.tolist() == (~favoured[search.left(dual.best)]).tolist() or mask.sum() == (~favoured).sum()
    assert {least for _, least in rounded} == {0.5, 0.3}
    (first, _), (then, wanted) = opened
    assert first.tolist() == core.forced.tolist() and then.tolist() == wanted.tolist()


@pytest.fixture
def near() -> Search:
    """Two clients: 2 and 7 by options 0 and 1 (the second 3 and 8); the first may stay for 5, the second for 100."""
    return search_of(
        FacilityProblem.from_costs(
            [[2.0, 7.0, 4.0], [8.0, 3.0, 50.0]], fixed_cost=[1.0, 1.5, 1.0], unserved_cost=[5.0, 100.0]
        )
    )


def by_client(search: Search, first: float, second: float) -> list[float]:
    """Values of the two clients in the order of the core."""
    return np.array([first, second])[search.core.client_of].tolist()


def test_an_ascent_begins_between_the_nearest_and_the_second_nearest_of_the_plan(near: Search) -> None:
    """Half of both, the second at three times the nearest at most; never above what a client costs unserved."""
    assert _first_multipliers(near, None).tolist() == by_client(near, 5.0, 100.0), "without a plan: unserved"
    given = np.array(by_client(near, 4.0, 101.0))
    assert _first_multipliers(near, given).tolist() == by_client(near, 4.0, 100.0)
    near.offer(np.flatnonzero(np.isin(near.core.option_of, [0, 1])))
    assert near.incumbent.open is not None and near.incumbent.open.sum() == 2
    assert _first_multipliers(near, None).tolist() == by_client(near, (2.0 + 5.0) / 2, (3.0 + 8.0) / 2)
    assert _first_multipliers(near, given).tolist() == by_client(near, 4.0, 100.0), "what is given counts"


def test_a_second_much_dearer_than_the_nearest_counts_as_three_times_as_far(near: Search) -> None:
    search = search_of(
        FacilityProblem.from_costs([[2.0, 90.0], [80.0, 3.0]], fixed_cost=[1.0, 1.5], unserved_cost=[95.0, 100.0])
    )
    search.offer(np.arange(2))
    assert _first_multipliers(search, None).tolist() == by_client(search, 4.0, 6.0)


def test_clients_that_must_be_served_begin_at_their_dearest_lane() -> None:
    search = search_of(
        FacilityProblem.from_costs(
            [[2.0, 7.0], [8.0, 3.0]], demand=[1.0, 2.0], capacity=[2.0, 2.0], unserved_cost=[np.inf, 9.0]
        )
    )
    assert _first_multipliers(search, None).tolist() == by_client(search, 7.0, 9.0)


Visit = Any


def ascent(search: Search, lam: np.ndarray | None, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    """What the ascent is called with."""
    seen: list[tuple[Any, ...]] = []

    def noted(*arguments: Any) -> Dual:
        seen.append(arguments)
        return ascend(*arguments[:3], 1, lambda k, best, often: True)

    with monkeypatch.context() as patch:
        patch.setattr(prove_by_multipliers, "ascend", noted)
        relaxation = Relaxation(search.core)
        first = Multipliers(_first_multipliers(search, lam), relaxation.zero_split())
        prove_by_multipliers._ascend(search, relaxation, first, lam)
    return seen[0]


def test_an_ascent_from_good_multipliers_takes_shorter_steps_and_one_over_pairs_fewer(
    near: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ascent(near, None, monkeypatch)[5] == FIRST_STEP
    assert 0.0 < ascent(near, np.ones(2), monkeypatch)[5] < FIRST_STEP
    assert ascent(near, None, monkeypatch)[3] == prove_by_multipliers.ITERATIONS
    paired = search_of(KINDS["two places"](1))
    assert ascent(paired, None, monkeypatch)[3] == prove_by_multipliers.ITERATIONS_PAIRED


def test_an_ascent_aims_at_the_best_plan_or_a_little_above_what_is_known(
    near: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients cost 2 + 3 at the least, of which a twentieth, and of what those cost who are no part of the core."""
    search = Search(replace(near.core, base=15.0), 0.0, 1, Stopwatch(None, None))
    _, _, target, _, visit, _ = ascent(search, None, monkeypatch)
    assert target() == pytest.approx(5.0 + 0.05 * 20.0)
    best = Relaxation(search.core).evaluate(Multipliers(np.full(2, 4.0), np.zeros(0)))
    visit(1, best, best.choice.y)
    assert target() == pytest.approx(best.bound + 0.05 * abs(best.bound + 15.0))
    search.offer(np.arange(2))
    assert target() == search.incumbent.cost


def test_an_ascent_without_a_plan_ends_after_so_many_steps_or_above_what_any_plan_costs(
    near: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No plan costs more than staying or the dearest lane, 4 (of 1) + 100 (of 3 and 50), and all options, 3.5."""
    core = near.core
    near.core = replace(core, unserved=np.where(core.unserved == 5.0, 1.0, core.unserved))
    monkeypatch.setattr(near.incumbent, "round", lambda y: None)
    visit = ascent(near, None, monkeypatch)[4]
    at = Relaxation(core).evaluate(Multipliers(np.full(2, 4.0), np.zeros(0)))
    most = 4.0 + 100.0 + 3.5
    assert core.cost[core.cost < 5.0].max() == 4.0 and core.fixed_cost.sum() == 3.5

    def ends(k: int, bound: float) -> bool:
        return bool(visit(k, replace(at, bound=bound), at.choice.y))

    ends(7, 50.0)
    assert near.bound == -np.inf, "a bound is told every fifth time"
    ends(10, 50.0)
    assert near.bound == 50.0
    assert not ends(79, 50.0) and ends(80, 50.0)
    assert not ends(7, most - 1e-6) and ends(7, most + 1e-6)
    near.incumbent.cost, near.incumbent.open = 60.0, np.ones(core.n_options, dtype=bool)
    assert not ends(90, 50.0) and ends(91, near.incumbent.cutoff), "with one: where it is proven"


def test_no_time_is_spent_on_plans_where_whole_clients_take_a_program_each(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = KINDS["number and room"](0).with_changes(single_source=True)
    search = search_of(problem)
    made: list[object] = []
    monkeypatch.setattr(search.incumbent, "offer", lambda *a, **named: made.append(a))
    prove_by_multipliers.prove_by_multipliers(search, None, None)
    assert made == []


def test_a_first_model_is_of_favoured_options_within_half_the_gap_and_the_rest_of_those_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[tuple[Core, tuple[Any, ...]]] = []

    def answered(core: Core, *arguments: Any) -> CoreAnswer:
        calls.append((core, arguments))
        return CoreAnswer(None, -np.inf)

    for seed in range(4):
        problem = KINDS["budget"](seed)
        search = search_of(problem, gap=1e-6)
        dual = prove_by_multipliers.prove_by_multipliers(search, None, None)
        search.bound = -np.inf
        favoured, left = search.favoured(dual.often), search.left(dual.best)
        if favoured.sum() >= 0.5 * search.core.n_options:
            continue
        calls.clear()
        with monkeypatch.context() as patch:
            patch.setattr(mip, "solve_core", answered)
            MODEL(search, dual)
        (first, (gap, *_, nodes)), (then, (gap_then, *_)) = calls
        assert (first.n_options, then.n_options) == (favoured.sum(), left.sum())
        assert first.n_lanes > 0 and (gap, nodes, gap_then) == (5e-7, prove_by_model.SHORT, 1e-6)
        return
    raise AssertionError("no such problem")


@pytest.mark.parametrize("error", [KeyboardInterrupt, OutOfTime])
def test_a_search_that_is_ended_keeps_its_plan_and_without_one_ctrl_c_goes_on(
    near: Search, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(search: Search, *_: object) -> None:
        raise error

    monkeypatch.setattr(prover, "_prove", ended)
    if error is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            prover.prove(near)
    else:
        prover.prove(near)
    near.offer(np.arange(2))
    near.watch.stopped = False
    prover.prove(near)
    assert near.watch.stopped == (error is KeyboardInterrupt) and near.incumbent.open is not None


@pytest.mark.parametrize(
    ("lanes_fit", "options", "over", "again"),
    [(True, True, False, True), (False, True, False, False), (True, False, False, False), (True, True, True, False)],
)
def test_all_is_proven_again_where_lanes_are_few_and_there_is_time(
    near: Search, lanes_fit: bool, options: bool, over: bool, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[np.ndarray] = []
    monkeypatch.setattr(prover, "solve_model", lambda search, options: asked.append(options))
    monkeypatch.setattr(prover, "MANY_LANES", near.core.n_lanes - (0 if lanes_fit else 1))
    core = near.core
    if not options:
        core = reduce_problem(FacilityProblem.from_costs([[9.0]], unserved_cost=[4.0]))
    search = Search(core, 0.0, 1, Stopwatch(0.0 if over else None, None))
    search.bound = 9.0
    prover.prove_again(search, 2.0)
    assert bool(asked) == again and search.bound == (2.0 if again else 9.0)


@pytest.mark.parametrize(("kind", "every", "most"), [("number", 20, 40), ("budget", 20, 40), ("clustered", 40, 24)])
def test_two_plans_are_made_every_so_many_iterations(
    kind: str, every: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After as many for a start; half as often, and fewer of them, where service is a linear program."""
    problem, made = KINDS[kind](0), []
    search = Search(reduce_problem(problem), 0.0, 1, Stopwatch(None, None))
    offer = search.incumbent.offer
    monkeypatch.setattr(search.incumbent, "offer", lambda *a, **named: made.append(named) or offer(*a, **named))
    dual = prove_by_multipliers.prove_by_multipliers(search, None, None)
    assert made[0] == {"moves": 0}, "a plan to measure steps by"
    assert len(made) - 1 == min(most, 2 * ((dual.iterations - 1) // every))
    assert all(named == {"within": 1.02} for named in made[1:])


def test_no_more_plans_are_made_in_an_ascent_than_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove_by_multipliers, "TRIES", 3)
    search, made = search_of(KINDS["number"](0)), []
    offer = search.incumbent.offer
    monkeypatch.setattr(search.incumbent, "offer", lambda *a, **named: made.append(named) or offer(*a, **named))
    dual = prove_by_multipliers.prove_by_multipliers(search, None, None)
    assert len(made) == 1 + 3 and dual.iterations > 3 * 20


def test_what_is_told_counts_the_clients_that_only_stay() -> None:
    seen: list[Progress] = []
    search = Search(reduce_problem(KINDS["budget"](1)), 0.0, 1, Stopwatch(None, seen.append))
    assert search.core.base == 90.0
    prove_by_multipliers.prove_by_multipliers(search, None, None)
    search.tell()
    bound, cost = search.bound + 90.0, search.incumbent.cost + 90.0
    assert bound < cost and (seen[-1].bound, seen[-1].objective) == (bound, cost)
    search.tell_plan(cost - 1.0, cost)
    assert seen[-1].bound == bound, "of some options it is no bound"
    search.tell_model(bound - 1.0, cost + 1.0)
    assert (seen[-1].bound, seen[-1].objective) == (bound, cost)
    search.tell_model(bound + 1.0, cost - 1.0)
    assert (seen[-1].bound, seen[-1].objective) == (bound + 1.0, cost - 1.0)

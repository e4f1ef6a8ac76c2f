"""Each proof on its own: it ends with the best plan, its bound is true, and what it wrote down shows as much."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, hstack
from tiny_problems import clustered

from siting.solver import FacilityProblem, prove_by_cuts, prove_by_links, prove_by_model, prover, solve
from siting.solver.certificate import certify
from siting.solver.cutting_planes import LinearBound
from siting.solver.lagrangian import Dual
from siting.solver.prove_by_multipliers import prove_by_multipliers
from siting.solver.reduce import reduce_problem
from siting.solver.restated import Restated
from siting.solver.search import Search
from siting.solver.stopwatch import Stopwatch

Proof = Callable[[Search, Dual], None]
SMALL = 1e-8


def optimum(p: FacilityProblem) -> float:
    """Equations (1) to (8) and (16) as they are written, by SciPy's mixed-integer solver."""
    lanes, clients, options = np.arange(p.n_lanes), np.arange(p.n_clients), np.arange(p.n_options)
    serve = hstack(
        [
            csr_array((np.ones(len(lanes)), (p.lane_client, lanes)), shape=(len(clients), len(lanes))),
            csr_array(np.eye(len(clients))),
        ]
    )
    blocks = [(hstack([serve, csr_array((len(clients), len(options)))]), 1.0, 1.0)]
    for end in p.lane_options.T:
        used = np.flatnonzero(end >= 0)
        x = csr_array((np.ones(len(used)), (np.arange(len(used)), used)), shape=(len(used), len(lanes)))
        y = csr_array((-np.ones(len(used)), (np.arange(len(used)), end[used])), shape=(len(used), len(options)))
        blocks.append((hstack([x, csr_array((len(used), len(clients))), y]), -np.inf, 0.0))
    load = np.zeros((len(options), len(lanes)))
    for end in p.lane_options.T:
        load[end[end >= 0], lanes[end >= 0]] += p.demand[p.lane_client[end >= 0]]
    held = np.isfinite(p.capacity)
    full = np.hstack([load[held], np.zeros((held.sum(), len(clients))), -np.diag(p.capacity)[held]])
    blocks.append((csr_array(np.nan_to_num(full)), -np.inf, 0.0))
    rows = p.rows
    over = hstack([csr_array((len(rows), len(lanes) + len(clients))), rows.coefficients])
    must = np.isinf(p.unserved_cost)
    cost = np.concatenate([p.lane_cost, np.where(must, 0.0, p.unserved_cost), p.fixed_cost])
    most = np.concatenate([np.ones(len(lanes)), np.where(must, 0.0, 1.0), np.ones(len(options))])
    found = milp(
        cost,
        integrality=np.repeat([0, 1], [len(lanes) + len(clients), len(options)]),
        bounds=Bounds(np.concatenate([np.zeros(len(lanes) + len(clients)), np.isin(options, p.forced_open)]), most),
        constraints=[LinearConstraint(a, low, high) for a, low, high in blocks if a.shape[0]]
        + [LinearConstraint(over, rows.lower, rows.upper)] * bool(len(rows)),
        options={"mip_rel_gap": 0.0},
    )
    assert found.status == 0
    return float(found.fun)


def scattered(seed: int, **limits: object) -> FacilityProblem:
    """Costs without any geography, whose optimum multipliers alone rarely prove; a client more has to stay for 90."""
    cost = np.random.default_rng(seed).integers(1, 100, (16, 14)).astype(float)
    stay = np.full(17, 1000.0)
    stay[16] = 90.0
    settings: dict[str, object] = {"unserved_cost": stay, **limits}
    return FacilityProblem.from_costs(np.vstack([cost, np.full(14, np.nan)]), **settings)  # type: ignore[arg-type]


KINDS: dict[str, Callable[[int], FacilityProblem]] = {
    "number": lambda seed: scattered(seed, n_open=3),
    "fixed cost": lambda seed: scattered(2 * seed + 1, fixed_cost=np.full(14, 60.0), forced_open=[13]),
    "budget": lambda seed: scattered(seed, capex=np.arange(3.0, 17.0), budget=24.0, unserved_cost=np.full(17, 90.0)),
    "clustered": lambda seed: clustered(seed, clients=9, sites=6).with_changes(budget=9.0),
    "two places": lambda seed: clustered(seed, clients=9, sites=6).with_changes(
        budget=11.0, capacity=None, forced_open=[1]
    ),
    "number and room": lambda seed: scattered(seed, n_open=5, demand=np.arange(1.0, 18.0), capacity=np.full(14, 30.0)),
}


def proven(problem: FacilityProblem, proof: Proof) -> tuple[Search, bool]:
    """The search after multipliers and then a proof, and whether multipliers were enough."""
    core = reduce_problem(problem)
    search = Search(core, 0.0, 1, Stopwatch(None, None))
    dual = prove_by_multipliers(search, None, None)
    enough = search.done
    if not enough:
        assert search.incumbent.open is not None
        proof(search, dual)
    return search, enough


def model_of_all(search: Search, dual: Dual) -> None:
    prove_by_model.solve_model(search, np.ones(search.core.n_options, dtype=bool))


CUTS, LINKS, MODEL = prove_by_cuts.prove_by_cuts, prove_by_links.prove_by_links, prove_by_model.prove_by_model
WAYS: list[tuple[str, Proof, str, dict[str, object]]] = [
    # what is tried; the proof; what it rests on; what of its settings is changed
    ("number", CUTS, "tree", {}),
    ("fixed cost", CUTS, "tree", {}),
    ("budget", CUTS, "tree", {}),
    ("number", CUTS, "tree", {"MOST_VISITS": 0}),  # Benders cuts and branching instead of the Lagrangian tree
    ("fixed cost", CUTS, "tree", {"MOST_VISITS": 0, "MOST_LIKELY": 9.0}),  # always the likely options first
    ("budget", CUTS, "tree", {"MOST_VISITS": 0, "MOST_LIKELY": 0.0}),
    ("number", CUTS, "tree", {"MOST_VISITS": 1e3}),  # a tree that gives up
    ("two places", LINKS, "tree", {}),
    ("two places", LINKS, "tree", {"MOST_LIKELY": 9.0, "LIKELY_NODES": 2000}),
    ("clustered", LINKS, "solver", {"FEW": 0}),  # HiGHS branches
    ("clustered", LINKS, "solver", {"FEW": 0, "MOST_LIKELY": 9.0}),
    ("number and room", LINKS, "tree", {}),
    ("clustered", MODEL, "solver", {}),
    ("number and room", MODEL, "solver", {}),
    ("budget", model_of_all, "solver", {}),
]


@pytest.mark.parametrize(("kind", "proof", "rests_on", "settings"), WAYS)
def test_a_proof_ends_with_the_best_plan_and_can_be_recomputed(
    kind: str, proof: Proof, rests_on: str, settings: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = {CUTS: prove_by_cuts, LINKS: prove_by_links}.get(proof)
    for name, value in settings.items():
        monkeypatch.setattr(module, name, value)
    needed = 0
    for seed in range(3):
        problem = KINDS[kind](seed)
        best, (search, enough) = optimum(problem), proven(problem, proof)
        assert search.done, f"seed {seed}"
        assert search.incumbent.cost + search.core.base == pytest.approx(best, rel=SMALL)
        assert search.proven == pytest.approx(best, rel=SMALL)
        found = certify(problem, search.core, search.proof, search.proven)
        assert found.bound == pytest.approx(best, rel=SMALL), f"seed {seed}"
        assert found.bound <= best * (1 + SMALL / 10)
        solved = search.proof.solved
        assert solved is None or solved.bound + search.core.base <= best * (1 + SMALL), f"seed {seed}"
        assert enough or found.kind in (rests_on, "dual"), f"seed {seed}"
        needed += found.kind == rests_on
    assert needed > 0


@pytest.mark.parametrize(("kind", "proof", "rests_on", "settings"), WAYS)
def test_a_proof_that_begins_with_a_poor_plan_finds_the_best(
    kind: str, proof: Proof, rests_on: str, settings: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = {CUTS: prove_by_cuts, LINKS: prove_by_links}.get(proof)
    for name, value in settings.items():
        monkeypatch.setattr(module, name, value)
    core = reduce_problem(KINDS[kind](1))
    before, search = (Search(core, 0.0, 1, Stopwatch(None, None)) for _ in range(2))
    dual = prove_by_multipliers(before, None, None)
    opened = search.incumbent.round(np.zeros(core.n_options))
    assert opened is not None
    search.incumbent.offer(opened, moves=0)
    search.proof.prices += before.proof.prices
    poor, best = search.incumbent.cost + core.base, optimum(KINDS[kind](1))
    told: list[float] = []
    monkeypatch.setattr(search, "tell", lambda: told.append(search.bound + core.base))
    proof(search, dual)
    assert max(told) <= best * (1 + SMALL), "no bound on the way is above the best plan"
    assert search.done
    assert search.incumbent.cost + core.base == pytest.approx(best, rel=SMALL)
    assert poor > best * 1.01
    assert certify(KINDS[kind](1), core, search.proof, search.proven).bound == pytest.approx(best, rel=SMALL)


def searches_of(
    module: ModuleType, name: str, kind: str, proof: Proof, monkeypatch: pytest.MonkeyPatch, seed: int = 1
) -> list[tuple[Any, ...]]:
    """With what a function of a proof is called."""
    calls: list[tuple[Any, ...]] = []
    whole = getattr(module, name)

    def noted(*arguments: Any) -> Any:
        calls.append(arguments)
        return whole(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, noted)
        proven(KINDS[kind](seed), proof)
    return calls


def test_likely_options_are_searched_first_where_they_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through cuts: those in the linear relaxation, for some nodes; then all that reduced costs leave, to the end."""
    monkeypatch.setattr(prove_by_cuts, "MOST_VISITS", 0)
    monkeypatch.setattr(prove_by_cuts, "MOST_LIKELY", 9.0)
    first, then = searches_of(prove_by_cuts, "_branch_on", "budget", CUTS, monkeypatch)
    _, left, options, opened, _, nodes = first
    idle = (left.linear.y <= 1e-6) & (left.linear.reduced_cost > 0)
    assert idle.any() and options.tolist() == (~idle).tolist()
    assert nodes == prove_by_cuts.LIKELY_NODES and then[5] is None and not opened.any()
    assert (then[2] | ~options).all() or then[2].sum() < len(options)
    monkeypatch.setattr(prove_by_cuts, "MOST_LIKELY", 0.0)
    assert len(searches_of(prove_by_cuts, "_branch_on", "budget", CUTS, monkeypatch)) == 1


def test_a_tree_begins_with_multipliers_no_higher_than_what_the_lanes_left_out_cost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ((search, sub, _, lam, _),) = searches_of(prove_by_cuts, "_search_tree", "budget", CUTS, monkeypatch)
    assert lam.tolist() == np.minimum(search.multipliers, sub.unserved).tolist()
    assert (search.multipliers < sub.unserved).any()


@pytest.mark.parametrize("kind", ["two places", "clustered", "number and room", "budget"])
def test_what_multipliers_show_is_written_down_whole(kind: str) -> None:
    """The certificate comes to the bound of the ascent by its prices alone."""
    for seed in range(3):
        problem = KINDS[kind](seed)
        search = Search(reduce_problem(problem), 0.0, 1, Stopwatch(None, None))
        dual = prove_by_multipliers(search, None, None)
        restated = Restated(problem, search.core, np.full(problem.n_clients, np.inf))
        limits, least = restated.rows.limits(), dual.best.bound + search.core.base
        found = max(restated.bound(prices, limits).value for prices in search.proof.prices)
        assert found >= least - SMALL * abs(least), f"seed {seed}"


def test_favoured_options_are_searched_first_where_they_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through links: those of the multipliers, for some nodes; then the rest, to the end."""
    monkeypatch.setattr(prove_by_links, "MOST_LIKELY", 9.0)
    first, then = searches_of(prove_by_links, "_search_links", "two places", LINKS, monkeypatch)
    assert first[5] == prove_by_links.LIKELY_NODES and then[5] is None
    assert first[0].core.forced[first[4]].all() and then[4][first[0].core.forced].all()
    assert len(searches_of(prove_by_links, "_search_links", "number and room", LINKS, monkeypatch)) == 1, "number given"
    monkeypatch.setattr(prove_by_links, "MOST_LIKELY", 0.0)
    assert len(searches_of(prove_by_links, "_search_links", "two places", LINKS, monkeypatch)) == 1


def test_what_highs_was_given_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove_by_links, "FEW", 0)
    monkeypatch.setattr(prove_by_links, "MOST_LIKELY", 0.0)

    def some(linear: LinearBound, room: float) -> tuple[np.ndarray, np.ndarray]:
        """The first option closed and the second open, whatever the bound."""
        number = np.arange(len(linear.y))
        return number == 0, number == 1

    monkeypatch.setattr(LinearBound, "decided", some)
    calls = searches_of(prove_by_links, "_search_integer", "clustered", LINKS, monkeypatch)
    for search, _, _, options, closed, opened in calls:
        solved = search.proof.solved
        assert solved.options[options].tolist() == (~closed).tolist() and not solved.options[~options].any()
        assert solved.opened[options].tolist() == (opened | search.core.forced[options]).tolist()
    assert calls


@pytest.mark.parametrize("kind", ["number", "budget", "clustered"])
def test_a_first_smaller_model_is_of_the_favoured_options_where_they_are_under_a_half(kind: str) -> None:
    few = 0
    for seed in range(4):
        core = reduce_problem(KINDS[kind](seed))
        search = Search(core, 0.0, 1, Stopwatch(None, None))
        dual = prove_by_multipliers(search, None, None)
        search.bound, favoured = -np.inf, search.favoured(dual.often).sum()
        MODEL(search, dual)
        first = core.n_open is None and favoured < core.n_options / 2
        assert ("favoured" in search.watch.stages) == first, f"seed {seed}"
        few += first
    assert few > 0 or kind != "budget"


def test_which_proof_comes_next_is_told_by_the_kind_of_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def stages(kind: str) -> set[str]:
        search = Search(reduce_problem(KINDS[kind](1)), 0.0, 1, Stopwatch(None, None))
        prover.prove(search)
        search.watch.enter("end")
        assert search.done
        return set(search.watch.stages) - {"reduce", "lagrangian", "branch", "favoured"}

    assert stages("budget") == {"benders"}
    assert stages("clustered") == stages("number and room") == {"model"}
    monkeypatch.setattr(prover, "MANY_LANES", 0)
    monkeypatch.setattr(prover, "MANY_PAIRED", 0)
    assert stages("budget") == {"benders"}
    assert stages("clustered") == stages("number and room") == {"links"}


def test_what_needs_no_search_is_left_to_the_model() -> None:
    """Nothing to choose, no way, more to open than there are."""
    nothing = solve(FacilityProblem.from_costs([[9.0]], unserved_cost=[4.0]))
    assert (nothing.status, nothing.objective, nothing.open.tolist()) == ("optimal", 4.0, [])
    unused = solve(FacilityProblem.from_costs([[np.nan]], unserved_cost=[4.0], forced_open=[0], fixed_cost=[2.0]))
    assert (unused.status, unused.objective, unused.open.tolist()) == ("optimal", 6.0, [0])
    fewer = solve(FacilityProblem.from_costs([[1.0, 2.0]], n_open=2, forbidden=[1]))
    assert fewer.status == "infeasible"


def test_a_model_of_all_proves_again_what_other_proofs_do_not_show() -> None:
    problem = KINDS["clustered"](0)
    search, _ = proven(problem, LINKS)
    assert search.proof.parts is not None
    search.proof.prices.clear()
    search.proof.parts[0].prices.clear()
    search.proof.parts[0].parts = None
    least = certify(problem, search.core, search.proof, search.proven).bound
    assert least < search.proven
    prover.prove_again(search, least - search.core.base)
    found = certify(problem, search.core, search.proof, search.proven)
    assert (found.kind, found.bound) == ("solver", pytest.approx(optimum(problem), rel=SMALL))

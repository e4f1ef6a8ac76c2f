"""Public multi-period instances as facility problems: the reader, and the model against every plan there is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from benchmarks.multi_period import MultiPeriod
from siting.solver import lane_rules, solve

HAND_MADE = """2 3 2
1 1
1 3
50 20
5 9
7 8
6 4
40 30
9 9
3 2
8 7
"""


def by_enumeration(given: MultiPeriod) -> float:
    """Every way to open sites, and every way of clients to begin."""
    sites, clients, periods = given.cost.shape
    best = np.inf
    for opens in itertools.product(range(periods + 1), repeat=sites):
        if any(opens.count(t) != given.opens[t] for t in range(periods)):
            continue
        stands = [[i for i, s in enumerate(opens) if s <= t] for t in range(periods)]
        opening = sum(given.opening_cost[i, s] for i, s in enumerate(opens) if s < periods)
        least = np.array([given.cost[sites_open, :, t].min(axis=0) for t, sites_open in enumerate(stands)])
        for begins in itertools.product(range(periods + 1), repeat=clients):
            served = np.array(begins)[None, :] <= np.arange(periods)[:, None]
            if (served.sum(axis=1) >= given.served).all():
                best = min(best, opening + float(least[served].sum()))
    return best


def test_a_file_is_read_and_solved_as_by_hand():
    """Site 1 first (50 + 5), or site 2 (40 + 3), then the other; in the second period all three by the cheaper."""
    given = MultiPeriod.read(HAND_MADE, "hand made")
    assert given.opens.tolist() == [1, 1]
    assert given.served.tolist() == [1, 3]
    assert given.opening_cost.tolist() == [[50, 20], [40, 30]]
    assert given.cost[1, 2].tolist() == [8, 7]
    found = solve(given.problem, gap=0.0)
    assert found.objective == pytest.approx(40 + 3 + 20 + 9 + 2 + 4) == pytest.approx(by_enumeration(given))


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(s, marks=pytest.mark.slow) for s in range(6, 60))])
def test_drawn_instances_are_solved_as_by_enumeration(seed):
    given = MultiPeriod.generated(4, 4, 3, seed)
    found = solve(given.problem, gap=0.0)
    assert found.objective == pytest.approx(by_enumeration(given))
    assert found.status == "optimal"


def no_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where the prices of rules over lanes are looked for."""

    def asked(self: object, prices: object) -> None:
        raise AssertionError("a price was tried")

    monkeypatch.setattr(lane_rules._Dual, "at", asked)


@pytest.mark.parametrize("seed", range(6))
def test_many_rules_over_lanes_are_stated_whole_before_any_has_a_price(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_rules, "MANY_RULES", 1)
    no_prices(monkeypatch)
    given = MultiPeriod.generated(4, 4, 3, seed)
    found = solve(given.problem, gap=1e-9)
    assert (found.status, found.certificate.kind) == ("optimal", "solver")
    assert found.objective == pytest.approx(by_enumeration(given))
    asks_too_much = MultiPeriod("", given.opens, given.served + 1, given.opening_cost, given.cost)
    assert solve(asks_too_much.problem, gap=0.0).status == "infeasible"


def test_an_instance_of_a_hundred_rules_needs_no_price(monkeypatch: pytest.MonkeyPatch) -> None:
    no_prices(monkeypatch)
    given = MultiPeriod.generated(4, 30, 4, 1)
    assert len(given.problem.over_lanes) < lane_rules.MANY_RULES
    with pytest.raises(AssertionError, match="a price was tried"):
        solve(given.problem, gap=0.0)
    given = MultiPeriod.generated(4, 40, 4, 1)
    assert len(given.problem.over_lanes) >= lane_rules.MANY_RULES
    assert solve(given.problem, gap=0.0).status == "optimal"


def test_a_file_that_is_cut_short_is_refused():
    with pytest.raises(ValueError, match="reshape"):
        MultiPeriod.read(HAND_MADE.rsplit("\n", 2)[0])

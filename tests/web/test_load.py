"""Many viewers at once: everyone gets every answer whole, also while a study is solved beside the server."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from loopback import serving

from benchmarks.viewers import map_addresses, visit
from siting.model.model import build_model
from siting.plan import make_plan


@pytest.fixture
def port(app) -> Iterator[int]:
    with serving(app) as port:
        yield port


def test_the_addresses_that_viewers_fetch_are_all_of_the_map(port):
    addresses = map_addresses(port)
    for part in ("shapes", "map/districts", "districts", "sites", "places", "lanes", "roads", "rail"):
        assert any(part in address for address in addresses) or part == "shapes"
    assert len(addresses) == len(set(addresses))


@pytest.mark.slow
def test_a_hundred_viewers_meet_no_error_while_a_study_is_solved(port, tiny_study):
    solved = []

    def solve() -> None:
        model = build_model(tiny_study)
        solved.extend(make_plan(model, budget_inr_crore=budget) for budget in (20, 40, 60, 80))

    sweep = threading.Thread(target=solve)
    sweep.start()
    seen = visit(port, map_addresses(port), viewers=100, seconds=5.0)
    sweep.join()
    assert seen.errors == []
    assert len(seen.seconds) > 100
    assert len(solved) == 4

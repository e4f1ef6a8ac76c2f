"""The process that tries mutants: what a fork found out comes back whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def in_fork(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], Any]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "mutants"))
    from trials import in_fork

    return in_fork


@pytest.mark.parametrize("size", [1, 9_000, 100_000])  # around what a file buffers and what a pickle writes at once
def test_what_a_fork_returns_comes_back_whole(in_fork: Callable[[Callable[[], Any]], Any], size: int) -> None:
    words = {str(number) for number in range(size)}
    assert in_fork(lambda: words) == words


def test_a_fork_that_fails_is_told(in_fork: Callable[[Callable[[], Any]], Any]) -> None:
    with pytest.raises(SystemExit, match="a fork ends with 1"):
        in_fork(lambda: 1 // 0)

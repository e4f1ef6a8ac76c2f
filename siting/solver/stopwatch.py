"""Where the time of a solve goes, and what the caller hears of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

GRACE_S, GRACE = 1.0, 0.1
"""Most seconds, and most of the time limit, that improving the service of the last plan may take beyond the limit."""


class OutOfTime(Exception):  # noqa: N818 (no error: the search goes on with what it has)
    """The time limit has passed while something was prepared that is of no use in part."""


@dataclass(frozen=True)
class Progress:
    """State of a running solve: costs as in the problem, inf where nothing is known yet."""

    stage: str
    bound: float
    objective: float
    elapsed_s: float


class Stopwatch:
    """Seconds by stage, the deadline, and progress."""

    def __init__(self, time_limit: float | None, progress: Callable[[Progress], None] | None) -> None:
        self.began = time.perf_counter()
        self.stages: dict[str, float] = {}
        self.stopped = False
        self._progress = progress
        self._time_limit = time_limit
        self._mark, self._stage = self.began, "reduce"
        self._bound, self._objective = -float("inf"), float("inf")

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self.began

    @property
    def left(self) -> float | None:
        """Seconds until the time limit, or None."""
        return None if self._time_limit is None else max(0.0, self._time_limit - self.elapsed)

    @property
    def grace(self) -> float | None:
        """Seconds for the last look at how the best plan serves its clients; None without a limit."""
        if self._time_limit is None:
            return GRACE_S if self.stopped else None
        return max(min(GRACE_S, GRACE * self._time_limit), 0.0 if self.stopped else self._time_limit - self.elapsed)

    @property
    def deadline(self) -> float:
        """When time is over, as time.perf_counter() tells it; inf without a limit."""
        return float("inf") if self._time_limit is None else self.began + self._time_limit

    @property
    def over(self) -> bool:
        """Whether the time limit has passed or the user has asked to stop."""
        return self.stopped or self.left == 0.0

    def check(self) -> None:
        """Report that the solve is alive; raise `OutOfTime` where the limit has passed."""
        if self.over:
            raise OutOfTime
        self.check_in()

    def check_in(self) -> None:
        """Report that the solve is alive, with what was told last."""
        self.tell(self._bound, self._objective)

    def enter(self, stage: str) -> None:
        """Close the running stage and start another."""
        now = time.perf_counter()
        self.stages[self._stage] = self.stages.get(self._stage, 0.0) + now - self._mark
        self._mark, self._stage = now, stage

    def tell(self, bound: float, objective: float) -> None:
        """Report the best bound and plan so far; solvers tell theirs anew, not always to the same last digit."""
        self._bound, self._objective = max(self._bound, bound), min(self._objective, objective)
        if self._progress is not None:
            self._progress(Progress(self._stage, self._bound, self._objective, self.elapsed))

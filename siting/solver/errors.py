"""What the solver refuses and what it never passes on."""

from __future__ import annotations

from collections.abc import Sequence


class InputError(ValueError):
    """A problem is not well formed; `problems` names every fault found, one line each with its remedy."""

    def __init__(self, problems: Sequence[str] | str) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class WrongAnswerError(RuntimeError):
    """A solver's answer violates the problem; it is never reported as an answer."""

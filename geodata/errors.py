"""Errors a user can act on."""

from __future__ import annotations

from collections.abc import Sequence


class InputError(ValueError):
    """Something the user gave is wrong; every fault found is named at once.

    Each problem is one line that names the file, the row, the value and the remedy.
    """

    def __init__(self, problems: Sequence[str] | str) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))

"""Errors a user can act on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with what the user gave; as text it is one line.

    Args:
        message: what is wrong; "" where ``column`` and ``value`` say it: "lon is 'east'".
        remedy: what to do about it.
        file: the user's own file, or what else the value came from ("command line").
        row: row of the file, counted as the user's editor or spreadsheet shows it: the first is 1.
        column: column of a table, or key of a study.
        value: what stands there.

    >>> print(Fault(remedy="write a number", file="ports.csv", row=3, column="lon", value="east"))
    ports.csv: row 3: lon is 'east'; write a number
    """

    message: str = ""
    remedy: str = ""
    file: str | PathLike[str] = ""
    row: int | None = None
    column: str = ""
    value: object = None

    def __str__(self) -> str:
        where = [fspath(self.file)] if self.file else []
        where += [f"row {self.row}"] if self.row is not None else []
        line = ": ".join([*where, self.message or f"{self.column} is {self.value!r}"])
        line = f"{line}; {self.remedy}" if self.remedy else line
        return " ".join(line.splitlines())


class InputError(ValueError):
    """Something the user gave is wrong; every fault found is named at once.

    Attributes:
        faults: what is wrong, where and what to do.
        problems: the same as lines, which name the file, the row, the value and the remedy.
    """

    def __init__(self, faults: Sequence[Fault] | Fault) -> None:
        self.faults = [faults] if isinstance(faults, Fault) else list(faults)
        self.problems = [str(fault) for fault in self.faults]
        super().__init__("\n".join(self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        """Between processes the faults go, not their lines in one."""
        return type(self), (self.faults,)

    def with_faults(self, faults: Sequence[Fault]) -> InputError:
        """The same error, told by other faults."""
        kind, (_, *rest) = self.__reduce__()
        again: InputError = kind(list(faults), *rest)
        return again

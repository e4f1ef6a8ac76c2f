"""Every cost and rate, each with its unit, range and source."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from geodata.errors import InputError
from geodata.tables import Column, read_table

BUNDLED = Path(str(files("siting") / "parameters.csv"))


@dataclass(frozen=True)
class Parameter:
    """One number of the cost model. ``low`` and ``high`` bound what is defensible."""

    key: str
    value: float
    unit: str
    low: float
    high: float
    year: str
    source: str
    note: str


class Parameters(Mapping[str, float]):
    """Values by key; ``rows`` keeps unit, range and source of each."""

    def __init__(self, rows: Mapping[str, Parameter], overrides: Mapping[str, float] | None = None) -> None:
        """Raise InputError for an override that names no parameter."""
        self.rows = dict(rows)
        self.overrides = dict(overrides or {})
        problems = []
        for key in self.overrides:
            if key not in self.rows:
                near = difflib.get_close_matches(key, self.rows, n=1)
                hint = f"did you mean '{near[0]}'?" if near else "see siting/parameters.csv for the names"
                problems.append(f"parameters: unknown parameter '{key}'; {hint}")
        if problems:
            raise InputError(problems)

    def __getitem__(self, key: str) -> float:
        return self.overrides[key] if key in self.overrides else self.rows[key].value

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def with_overrides(self, overrides: Mapping[str, float]) -> Parameters:
        """Return the same parameters with some values replaced."""
        return Parameters(self.rows, {**self.overrides, **overrides})


def load_parameters(path: Path = BUNDLED) -> Parameters:
    """Read a parameter table; every row needs a value, a unit, a low and a high value and a source.

    Raises:
        InputError: naming each row that lacks one of them or whose value is outside its range.
    """
    table = read_table(
        path,
        [
            Column("key", unique=True),
            Column("value", "number"),
            Column("unit"),
            Column("low", "number"),
            Column("high", "number"),
            Column("year"),
            Column("source"),
            Column("note", required=False),
        ],
    )
    rows = {str(row["key"]): Parameter(**{str(k): v for k, v in row.items()}) for row in table.to_dict("records")}
    problems = [
        f"{path.name}: row {n} ({p.key}): value {p.value:g} is outside its range {p.low:g} to {p.high:g}; "
        "correct the value or the range"
        for n, p in enumerate(rows.values(), start=2)
        if not p.low <= p.value <= p.high
    ]
    if problems:
        raise InputError(problems)
    return Parameters(rows)

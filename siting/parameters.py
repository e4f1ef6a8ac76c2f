"""Every cost and rate, each with its unit, range and source."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from geodata.errors import Fault, InputError
from geodata.tables import Column, read_table

BUNDLED = Path(str(files("siting") / "parameters.csv"))

LIMITS_OF_UNIT = {
    **dict.fromkeys(("fraction", "fraction/year", "fraction of value/day", "fraction of capex/year"), (0.0, 1.0)),
    "ratio": (0.5, 10.0),
    "h": (0.0, 8760.0),
    "km": (0.0, 20_000.0),
    "km/day": (1.0, 10_000.0),
    "km/h": (1.0, 500.0),
    "day/year": (1.0, 366.0),
    "year": (1.0, 200.0),
    "INR/USD": (1e-3, 1e6),
    "TEU/year": (0.0, 1e7),
}
"""Least and most that a number of some unit can be at all; other units: `Parameter.limits`."""
FAR = 100.0  # times beyond the range of a parameter no reading of its source leads
FAR_MONEY = 1000.0  # packs of other countries may count in other currencies


@dataclass(frozen=True)
class Parameter:
    """One number of the cost model. ``low`` and ``high`` bound what is defensible, `limits` what is possible."""

    key: str
    value: float
    unit: str
    low: float
    high: float
    year: str
    source: str
    note: str

    @property
    def limits(self) -> tuple[float, float]:
        """Least and most that the number can be at all: beyond them it is refused.

        By the unit where that says it. Else money and grams may be nothing, and at most ``FAR_MONEY`` or ``FAR`` times
        the high value; tonnes, floors, acres and rates of use, which the model divides by, are within ``FAR`` times
        the range.
        """
        if self.unit in LIMITS_OF_UNIT:
            return LIMITS_OF_UNIT[self.unit]
        if self.unit.startswith("INR"):
            return 0.0, FAR_MONEY * self.high
        return 0.0 if self.unit.startswith("g/") else self.low / FAR, FAR * self.high

    def fault(self, value: object) -> tuple[str, str] | None:
        """What makes a value for this parameter impossible, and the remedy; None where it is possible."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return "is not a number", "give one without quotes"
        least, most = self.limits
        if least <= value <= most:
            return None
        return "is not possible", f"give {least:g} to {most:g} {self.unit}; {self.low:g} to {self.high:g} is defensible"


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
                problems.append(Fault(f"unknown parameter '{key}'", hint, "parameters", column=key))
        if problems:
            raise InputError(problems)

    def __getitem__(self, key: str) -> float:
        return self.overrides[key] if key in self.overrides else self.rows[key].value

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def warnings(self) -> list[str]:
        """One line for each value outside the range that its source supports."""
        return [
            f"parameter {key} = {value:g} {row.unit} is outside the range {row.low:g} to {row.high:g} that its source "
            "supports (siting/parameters.csv)"
            for key, value in self.overrides.items()
            if not (row := self.rows[key]).low <= value <= row.high
        ]

    def with_overrides(self, overrides: Mapping[str, float]) -> Parameters:
        """Return the same parameters with some values replaced."""
        return Parameters(self.rows, {**self.overrides, **overrides})


@cache
def load_parameters(path: Path = BUNDLED) -> Parameters:
    """Read a parameter table, once; every row needs a value, a unit, a low and a high value and a source.

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
        numbered=True,
    )
    rows = {str(row["key"]): Parameter(**{str(k): v for k, v in row.items()}) for row in table.to_dict("records")}
    problems = [
        Fault(
            f"{p.key}: value {p.value:g} is outside its range {p.low:g} to {p.high:g}",
            "correct the value or the range",
            path.name,
            int(row),
            "value",
            p.value,
        )
        for row, p in zip(table.index, rows.values(), strict=True)
        if not p.low <= p.value <= p.high
    ]
    if problems:
        raise InputError(problems)
    return Parameters(rows)

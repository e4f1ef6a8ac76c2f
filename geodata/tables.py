"""Read the CSV tables of a pack, or a user's own, and name every fault at once."""

from __future__ import annotations

import csv
import difflib
import io
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from geodata.errors import Fault, InputError

Bounds = tuple[float, float, float, float]  # west, south, east, north in degrees

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
_WIDE = str.maketrans("．，－＋", ".,-+")
_UNKNOWN_CELLS = ("", "nan", "null", "none", "na", "n/a")


@dataclass(frozen=True)
class Column:
    """What one column of a table holds.

    ``required`` means that the column must be there and every cell filled. An optional column that is
    missing reads as NaN (number) or "" (text); a boolean is always required.
    """

    name: str
    dtype: Literal["text", "number", "boolean"] = "text"
    required: bool = True
    minimum: float = -math.inf
    maximum: float = math.inf
    unique: bool = False
    choices: tuple[str, ...] = ()  # of a text; any, where there are none


def read_table(
    path: Path | str,
    columns: Sequence[Column],
    bounds: Bounds | None = None,
    *,
    may_be_empty: bool = False,
    numbered: bool = False,
) -> pd.DataFrame:
    """Read a UTF-8 CSV file into a frame with exactly ``columns``, in that order.

    With ``bounds`` the columns ``lon`` and ``lat`` (degrees) must lie inside them. Row numbers in messages
    are the lines that an editor shows: the header is in row 1. ``may_be_empty``: a header alone will do.
    ``numbered``: the index holds these numbers, for faults that a further check finds.

    Raises
    ------
    InputError
        With one line per fault: unreadable file, missing, repeated or unknown column, wrong number of
        cells, empty or unreadable cell, value out of range, repeated identifier, point out of bounds.
    """
    path = Path(path)
    header, rows = _read_cells(path)
    problems = _header_problems(path, header, columns)
    if problems:
        raise InputError(problems)
    problems = [
        Fault(
            f"{len(cells)} cells, the header has {len(header)}",
            "put text that contains commas in double quotes",
            path,
            number,
        )
        for number, cells in rows
        if len(cells) != len(header)
    ]
    if problems:
        raise InputError(problems)
    if not rows and not may_be_empty:
        raise InputError(Fault("the table has no rows", "add at least one below the header", path))

    numbers = [number for number, _ in rows]
    text = pd.DataFrame([cells for _, cells in rows], columns=header, index=numbers, dtype=str)
    table, problems = parse_cells(path, text, columns, bounds)
    if problems:
        raise InputError(problems)
    return table if numbered else table.reset_index(drop=True)


def parse_cells(
    path: Path, text: pd.DataFrame, columns: Sequence[Column], bounds: Bounds | None = None
) -> tuple[pd.DataFrame, list[Fault]]:
    """Values of a table of texts, whose index holds the row numbers for messages, and every fault found in it."""
    table = pd.DataFrame(index=text.index)
    problems: list[Fault] = []
    for column in columns:
        if column.name in text:
            table[column.name], found = _parse(path, text[column.name].str.strip(), column)
            problems += found
        else:
            table[column.name] = math.nan if column.dtype == "number" else ""
    if bounds is not None:
        problems += _bounds_problems(path, table, bounds)
    return table, problems


def csv_rows(path: Path, text: str, delimiter: str = ",") -> list[tuple[int, list[str]]]:
    """Rows of a CSV file: the line that each begins on, as an editor counts (the first is 1), and its cells, stripped.

    Blank lines are counted and left out. A cell may reach over several lines when it stands in quotes.

    Raises:
        InputError: a quote that does not end where its cell ends, or that has swallowed rows.
    """
    remedy = 'close it, and write a quote inside a text twice: "6"" pipe"'
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, line = [], 1
    try:
        for cells in lines:
            if any(cell.strip() for cell in cells):
                rows.append((line, [cell.strip() for cell in cells]))
            line = lines.line_num + 1
    except csv.Error as error:
        what = "a double quote is not closed where its cell ends"
        if "limit" in str(error):
            what = f"a cell of more than {csv.field_size_limit():,} characters: a double quote is not closed"
        raise InputError(Fault(what, remedy, path, line)) from None
    width = max((len(cells) for _, cells in rows), default=0)
    problems = [
        Fault(
            f"a double quote takes in {cell.count(chr(10))} more lines that look like rows ({cell[:40]!r}...)",
            remedy,
            path,
            number,
            value=cell,
        )
        for number, cells in rows
        for cell in cells
        if _holds_rows(cell, delimiter, width, whole=len(cells) in (1, width))
    ]
    if problems:
        raise InputError(problems)
    return rows


def _holds_rows(cell: str, delimiter: str, width: int, whole: bool) -> bool:
    """Whether a cell of several lines has swallowed rows of ``width`` cells.

    If so it holds all delimiters of as many rows as it has line breaks, or its own row is no longer ``whole``.
    """
    breaks, delimiters = cell.count("\n"), cell.count(delimiter)
    return breaks > 0 and width > 2 and delimiters > 0 and (not whole or delimiters >= breaks * (width - 1))


def plain_digits(text: str) -> str:
    """A text with the digits of any script (``१२३``, full-width) and full-width points and commas in ASCII."""
    if text.isascii():
        return text
    digits = "".join(str(unicodedata.decimal(c)) if unicodedata.category(c) == "Nd" else c for c in text)
    return digits.translate(_WIDE)


def _read_cells(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header cells and (line, cells) of every row that is not blank."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            text = file.read()
    except FileNotFoundError:
        raise InputError(Fault("no such file", "check the path", path)) from None
    except OSError as error:
        raise InputError(
            Fault(f"cannot be read ({error.strerror})", "check the path and its permissions", path)
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(Fault(f"not a UTF-8 CSV file ({error})", "save the sheet as 'CSV UTF-8'", path)) from None
    if "\x00" in text:
        raise InputError(Fault("not a UTF-8 CSV file (it holds zero bytes)", "save the sheet as 'CSV UTF-8'", path))
    rows = csv_rows(path, text)
    if not rows or rows[0][0] != 1:
        raise InputError(Fault("it is empty", "it must hold the column names", path, 1))
    return rows[0][1], rows[1:]


def _header_problems(path: Path, header: list[str], columns: Sequence[Column]) -> list[Fault]:
    known = [column.name for column in columns]
    unknown = sorted({name for name in header if name not in known})
    problems = []
    for column in columns:
        if column.name not in header and (column.required or column.dtype == "boolean"):
            near = difflib.get_close_matches(column.name, unknown, n=1)
            remedy = f"rename {near[0]!r} to it" if near else f"add it; the file has {', '.join(header)}"
            problems.append(Fault(f"no column {column.name!r}", remedy, path, 1, column.name))
        if header.count(column.name) > 1:
            problems.append(Fault(f"column {column.name!r} is there more than once", "keep one", path, 1, column.name))
    # An unknown column is a fault because it is most often a misspelt optional one, which would be lost.
    for name in unknown:
        remedy = f"remove it (known: {', '.join(known)})"
        problems.append(Fault(f"unknown column {name!r}", remedy, path, 1, name))
    return problems


def _parse(path: Path, cells: pd.Series[str], column: Column) -> tuple[pd.Series[Any], list[Fault]]:
    """Values of one column (an unreadable number is NaN) and its faults."""
    lower = cells.str.lower()
    empty = lower.isin(_UNKNOWN_CELLS)

    def faults(mask: pd.Series[bool], remedy: str) -> list[Fault]:
        return [Fault("", remedy, path, row, column.name, cells[row]) for row in cells.index[mask]]

    problems: list[Fault] = []
    values: pd.Series[Any]
    if column.dtype == "boolean":
        values = lower.isin(_TRUE)
        problems += faults(~lower.isin(_TRUE + _FALSE), "write true or false")
    elif column.dtype == "number":
        parsed = pd.to_numeric(cells.mask(empty).map(plain_digits, na_action="ignore"), errors="coerce").astype(float)
        values = parsed
        if column.required:
            problems += faults(empty, "fill in a number")
        readable = parsed.notna() & (parsed.abs() != math.inf)
        problems += faults(~empty & ~readable, "write a number, with a point and without separators or units")
        problems += faults(readable & (parsed < column.minimum), f"it must be at least {column.minimum:g}")
        problems += faults(readable & (parsed > column.maximum), f"it must be at most {column.maximum:g}")
    else:
        values = cells
        if column.required:
            problems += faults(cells == "", "fill it in")
        if column.choices:
            remedy = f"write {' or '.join(column.choices)}"
            problems += faults((cells != "") & ~cells.isin(column.choices), remedy)
    if column.unique:
        first = {value: row for row, value in reversed(list(cells.items()))}
        repeated = cells.duplicated() & (cells != "")
        problems += [
            Fault(
                f"{column.name} {cells[row]!r} is already in row {first[cells[row]]}",
                "give each row its own, or remove one",
                path,
                row,
                column.name,
                cells[row],
            )
            for row in cells.index[repeated]
        ]
    return values, problems


def _bounds_problems(path: Path, table: pd.DataFrame, bounds: Bounds) -> list[Fault]:
    west, south, east, north = bounds
    lon, lat = table["lon"], table["lat"]
    given = lon.notna() & lat.notna() & (lon.abs() != math.inf) & (lat.abs() != math.inf)
    outside = given & ~(lon.between(west, east) & lat.between(south, north))
    swapped = outside & lat.between(west, east) & lon.between(south, north)
    problems = []
    for row in table.index[outside]:
        point, where = (float(lon[row]), float(lat[row])), f"lon {lon[row]:g}, lat {lat[row]:g}"
        if swapped[row]:
            what, remedy = f"{where} look swapped", "put longitude in lon and latitude in lat"
        else:
            what = f"{where} lies outside the study area (lon {west:g} to {east:g}, lat {south:g} to {north:g})"
            remedy = "correct the coordinates, in decimal degrees"
        problems.append(Fault(what, remedy, path, row, "lon", point))
    return problems

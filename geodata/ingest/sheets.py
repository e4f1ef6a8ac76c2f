"""Tables as offices keep them: CSV, Excel or Parquet, with titles above, notes below and numbers as text."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException
from rapidfuzz import process

from geodata.errors import InputError
from geodata.ingest.archives import check_zip

HEADER_ROWS = 40  # the header is looked for in the first so many rows
DELIMITERS = (",", ";", "\t", "|")
SHOWN = 10  # faults of one kind that are named

_MISSING = ("", "-", "--", "–", "—", ".", "..", "nil", "na", "n/a", "n.a.", "nan", "null", "none")
_CURRENCY = r"(?:₹|rs\.?|inr|us\$|usd|\$)"
# Western grouping by thousands, Indian by lakh and crore, or none.
_NUMBER = r"-?(?:\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})*,\d{3}|\d+|(?=\.\d))(?:\.\d*)?(?:e[+-]?\d+)?"
_TOTAL = re.compile(r"(?:(?:grand|sub|all.india|state)[\s-]*)?total\b.*|.*\btotal|all[\s-]india", re.IGNORECASE)
_GRAND_TOTAL = re.compile(r"(?:grand[\s-]*)?total|all[\s-]india(?:[\s-]*total)?|india", re.IGNORECASE)

Rows = list[list[str]]


@dataclass
class Sheet:
    """One table as text.

    Args:
        path: the file, for messages.
        cells: texts; columns are the header's, the index holds the row numbers that a spreadsheet shows.
        notes: what was done on the way, for the quality report.
    """

    path: Path
    cells: pd.DataFrame
    notes: list[str]

    def column(self, name: str) -> pd.Series[str]:
        """The one column of a name, compared without case and extra blanks; InputError if it is there twice."""
        found = [i for i, own in enumerate(self.cells.columns) if tidy(own) == tidy(name)]
        if len(found) != 1:
            times = "is not there" if not found else f"is there {len(found)} times; rename all but one"
            raise InputError(f"{self.path}: column {name!r} {times}")
        return self.cells.iloc[:, found[0]]

    def has(self, name: str) -> bool:
        """Whether there is such a column."""
        return tidy(name) in {tidy(own) for own in self.cells.columns}


def tidy(text: str) -> str:
    """A name for comparison: lower case, single blanks."""
    return " ".join(str(text).split()).casefold()


def read_sheet(path: Path, wanted: Sequence[str], *, sheet: str | None = None, header_row: int | None = None) -> Sheet:
    """Read the table of a CSV, XLSX or Parquet file.

    The header is the row that holds all ``wanted`` names; rows above it are titles. Merged cells count in each of
    their places; a header in two rows is read as one. Rows without a number or with one text only are notes.

    Raises:
        InputError: an unreadable file, several sheets without a choice, no row with the wanted names, no rows below.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; check the path")
    suffix = path.suffix.lower()
    notes: list[str] = []
    if suffix == ".xls":
        raise InputError(f"{path}: is in the old Excel format; open it and save it as .xlsx")
    if suffix == ".parquet":
        rows = _parquet_rows(path)
    elif suffix in (".xlsx", ".xlsm"):
        rows = _excel_rows(path, sheet)
    else:
        rows = _csv_rows(path, wanted, notes)
    if not any(any(row) for row in rows):
        raise InputError(f"{path}: the table is empty; export it again")
    width = max(len(row) for row in rows)
    rows = [row + [""] * (width - len(row)) for row in rows]
    header, first = _header(path, rows, wanted, header_row)
    numbered = [(i + 1, row) for i, row in enumerate(rows) if i >= first and any(row)]
    cells = pd.DataFrame([row for _, row in numbered], columns=header, index=[n for n, _ in numbered], dtype=str)
    if cells.empty:
        raise InputError(f"{path}: no rows below the header in row {first}; export it again")
    if suffix not in (".xlsx", ".xlsm"):  # in a workbook, remarks stand beside a table
        named = max(i + 1 for i, name in enumerate(header) if name)
        long = cells.index[(cells.iloc[:, named:] != "").any(axis=1)]
        if len(long):
            raise InputError([
                f"{path}: row {row} has more cells than the header's {named}; put numbers and names that contain "
                "commas in double quotes" for row in long[:SHOWN]
            ])  # fmt: skip
    return Sheet(path, _without_notes(cells, notes), notes)


def parse_numbers(text: pd.Series[str]) -> tuple[pd.Series[float], pd.Series[bool]]:
    """Numbers of texts such as ``₹ 1,23,456.7``, ``(12)`` or ``12*``; NaN where there is none.

    Returns:
        The values, and whether the text is neither a number nor a sign for "no figure".
    """
    plain = text.astype(str).str.replace("\u00a0", " ").str.strip().str.casefold()
    plain = plain.str.replace("\u2212", "-").str.replace(rf"^{_CURRENCY}\s*|\s*{_CURRENCY}$", "", regex=True)
    plain = plain.str.replace(r"\s*[*†‡#^]+$", "", regex=True).str.replace(r"^\((.+)\)$", r"-\1", regex=True)
    plain = plain.str.replace(r"(?<=\d)\s+(?=\d{2,3}\b)", "", regex=True)
    missing = plain.isin(_MISSING)
    right = plain.str.fullmatch(_NUMBER)
    values = pd.to_numeric(plain.where(right).str.replace(",", ""), errors="coerce").astype(float)
    return values, ~right & ~missing


def total_rows(names: pd.DataFrame) -> tuple[pd.Series[bool], pd.Series[bool]]:
    """Which rows are totals by their names (any of the columns), and which of these are of the whole table."""
    text = names.apply(lambda column: column.str.strip())
    total = text.apply(lambda column: column.map(lambda cell: bool(_TOTAL.fullmatch(cell)))).any(axis=1)
    blank_or_grand = text.apply(
        lambda column: column.map(lambda cell: cell == "" or bool(_GRAND_TOTAL.fullmatch(cell)))
    )
    grand = blank_or_grand.all(axis=1) & text.ne("").any(axis=1)
    return total | grand, grand


def without_marks(names: pd.Series[str]) -> pd.Series[str]:
    """Names without the marks of footnotes behind them: ``Pune*``, ``Pune (1)``, ``Pune¹``."""
    return names.str.replace(r"\s*(?:[*†‡#@^¹²³]+|\(\d{1,2}\)|\[\d{1,2}\])$", "", regex=True).str.strip()


# -- reading ----------------------------------------------------------------------------------------------------


def _csv_rows(path: Path, wanted: Sequence[str], notes: list[str]) -> Rows:
    content = path.read_bytes()
    encodings = ["utf-16"] if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "cp1252"]
    text = None
    for encoding in encodings:
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    if text is None or "\x00" in text:
        raise InputError(f"{path}: not a CSV file; save the sheet as 'CSV UTF-8' or .xlsx")
    if encoding == "cp1252":
        notes.append("read as Windows-1252, not UTF-8; check names with accents")
    best: Rows = []
    for delimiter in DELIMITERS:
        try:
            rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
        except csv.Error as error:
            raise InputError(f"{path}: not a readable CSV file ({error}); save it again as 'CSV UTF-8'") from None
        if not best or _most_found(rows, wanted) > _most_found(best, wanted):
            best = rows
    return best


def _most_found(rows: Rows, wanted: Sequence[str]) -> int:
    """Most wanted names in one of the first rows."""
    names = {tidy(name) for name in wanted}
    return max((len(names & {tidy(cell) for cell in row}) for row in rows[:HEADER_ROWS]), default=0)


def _excel_rows(path: Path, sheet: str | None) -> Rows:
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: not a readable Excel file; open it and save it as .xlsx again")
    check_zip(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and validations that openpyxl leaves out
            book = openpyxl.load_workbook(path, data_only=True)
    except (InvalidFileException, KeyError, ValueError, OSError, TypeError) as error:
        raise InputError(f"{path}: not a readable Excel file ({error}); open it and save it as .xlsx again") from None
    filled = [s for s in book.worksheets if s.sheet_state == "visible" and s.max_row > 1]
    if sheet is not None:
        if sheet not in book.sheetnames:
            raise InputError(f"{path}: has no sheet {sheet!r}, only {', '.join(book.sheetnames)}; correct the name")
        page = book[sheet]
    elif len(filled) == 1:
        page = filled[0]
    else:
        raise InputError(f"{path}: has the sheets {', '.join(book.sheetnames)}; say which with sheet = '...'")
    rows = [[_cell_text(value) for value in row] for row in page.iter_rows(values_only=True)]
    for area in page.merged_cells.ranges:
        corner = rows[area.min_row - 1][area.min_col - 1]
        for i in range(area.min_row - 1, min(area.max_row, len(rows))):
            rows[i][area.min_col - 1 : area.max_col] = [corner] * (area.max_col - area.min_col + 1)
    return rows


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()


def _parquet_rows(path: Path) -> Rows:
    try:
        table = pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: not a readable Parquet file ({error}); export it again") from None
    body = [[_cell_text(None if pd.isna(v) else v) for v in row] for row in table.itertuples(index=False)]
    return [[str(name) for name in table.columns], *body]


# -- header and notes ----------------------------------------------------------------------------------------------


def _header(path: Path, rows: Rows, wanted: Sequence[str], header_row: int | None) -> tuple[list[str], int]:
    """Column names, and the position of the first row below them."""
    names = {tidy(name) for name in wanted}

    def holds(row: Iterable[str]) -> bool:
        return names <= {tidy(cell) for cell in row}

    if header_row is not None:
        if header_row > len(rows):
            raise InputError(f"{path}: header_row = {header_row}, but it has {len(rows)} rows; correct it")
        at = int(header_row) - 1
    else:
        top = range(min(HEADER_ROWS, len(rows)))
        at = next((i for i in top if holds(rows[i]) and sum(map(bool, rows[i])) > 1), -1)
        while 0 <= at < len(rows) - 1 and names and holds(rows[at + 1]):
            at += 1  # the header's merged cells reach down
    if at < 0 or not holds(rows[at]):
        raise InputError(_missing_columns(path, rows, wanted, at))
    header = rows[at]
    if at + 1 < len(rows):
        below = rows[at + 1]
        at_wanted = [cell for own, cell in zip(header, below, strict=True) if tidy(own) in names]
        others = [cell for own, cell in zip(header, below, strict=True) if tidy(own) not in names and cell]
        if names and not any(at_wanted) and others and not parse_numbers(pd.Series(others))[0].notna().any():
            return [lower or upper for upper, lower in zip(header, below, strict=True)], at + 2
    return header, at + 1


def _missing_columns(path: Path, rows: Rows, wanted: Sequence[str], at: int) -> list[str]:
    """One problem per column that the likeliest header lacks."""
    names = {tidy(name) for name in wanted}
    top = rows[:HEADER_ROWS]
    best = at if at >= 0 else max(range(len(top)), key=lambda i: len(names & {tidy(c) for c in top[i]}))
    if at < 0 and not names & {tidy(cell) for cell in rows[best]}:
        best = max(range(len(top)), key=lambda i: sum(map(bool, top[i])))
    have = [cell for cell in dict.fromkeys(rows[best]) if cell]
    problems = []
    for name in wanted:
        if tidy(name) not in {tidy(cell) for cell in have}:
            near = process.extractOne(name, have, score_cutoff=60)
            guess = f"; perhaps {near[0]!r}" if near else ""
            problems.append(
                f"{path}: no column {name!r}{guess}; row {best + 1} has {', '.join(have[:30])}; "
                "name it in columns = { ours = 'theirs' }"
            )
    return problems


def _without_notes(cells: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Drop rows that hold one text and nothing else, as notes below a table do."""
    distinct = pd.Series([{cell for cell in row if cell} for row in cells.itertuples(index=False)], cells.index)
    number = distinct.map(lambda texts: parse_numbers(pd.Series(sorted(texts)))[0].notna().any())
    note = (distinct.map(len) == 1) & ~number & (len(cells.columns) > 1)
    for row in cells.index[note]:
        notes.append(f"row {row} is a note, not data: {next(iter(distinct[row]))[:120]!r}")
    return cells[~note]


def blank_above(column: pd.Series[str], others_filled: pd.Series[bool]) -> tuple[pd.Series[str], int]:
    """Fill blanks from the row above where the rest of the row is filled; the second result counts them."""
    blank = (column == "") & others_filled
    filled = column.where(column != "").ffill().fillna("")
    return column.mask(blank, filled), int((blank & (filled != "")).sum())


def runs(header: Sequence[str]) -> list[str]:
    """Names that a header holds more than once."""
    order = sorted(tidy(name) for name in header if name)
    return sorted({a for a, b in pairwise(order) if a == b})

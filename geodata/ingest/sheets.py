"""Tables as offices keep them: CSV, Excel or Parquet, with titles above, notes below and numbers as text."""

from __future__ import annotations

import csv
import io
import math
import re
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice, pairwise, zip_longest
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException
from rapidfuzz import process

from geodata.errors import Fault, InputError
from geodata.ingest.archives import check_zip
from geodata.tables import csv_rows, plain_digits

HEADER_ROWS = 40  # the header is looked for in the first so many rows
DELIMITERS = (",", ";", "\t", "|")
SHOWN = 10  # faults of one kind that are named

_MISSING = ("", "-", "--", "–", "—", ".", "..", "nil", "na", "n/a", "n.a.", "nan", "null", "none")
_CURRENCY = r"(?:₹|rs\.?|inr|us\$|usd|\$)"
# Western grouping by thousands, Indian by lakh and crore, or none. No group begins with 0: 0,123 is a decimal comma.
_NUMBER = r"[+-]?(?:[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d{2})*,\d{3}|\d+|(?=\.\d))(?:\.\d*)?(?:e[+-]?\d+)?"
_ONE_COMMA = r"[+-]?\d+,\d+"  # a decimal comma, or a number of thousands
_THOUSANDS = r"[+-]?[1-9]\d{0,2},\d{3}"
_TOTAL = re.compile(
    r"(?:(?:grand|sub|all.india|state)[\s-]*)?total\b.*|.*\btotal\s*:?|all[\s-]india|(?:कुल|योग)(?:\s.*)?", re.IGNORECASE
)
_GRAND_TOTAL = re.compile(r"(?:grand[\s-]*)?total|all[\s-]india(?:[\s-]*total)?|india|(?:कुल|सर्व)\s*योग", re.IGNORECASE)

Rows = list[tuple[int, list[str]]]  # the row that the user's editor or spreadsheet shows, and the cells


@dataclass
class Sheet:
    """One table as text.

    Args:
        path: the file, for messages.
        cells: texts; columns are the header's. The index holds the rows as the user's program shows them: the line in
            an editor for a CSV file, the row of an Excel sheet, the row of a Parquet table, whose first is 1.
        notes: what was done on the way, for the quality report.
        decimal: "." or ",", the mark before the fraction of numbers; "" where nobody said: "." is taken.
        semicolons: cells of the CSV file are divided by ";", as programs do where commas are decimal.
    """

    path: Path
    cells: pd.DataFrame
    notes: list[str]
    decimal: str = ""
    semicolons: bool = False

    def column(self, name: str) -> pd.Series[str]:
        """The one column of a name, compared without case and extra blanks; InputError if it is there twice."""
        found = [i for i, own in enumerate(self.cells.columns) if tidy(own) == tidy(name)]
        if len(found) != 1:
            times, remedy = (f"{len(found)} times", "rename all but one") if found else ("nowhere", "correct the name")
            raise InputError(Fault(f"column {name!r} is there {times}", remedy, self.path, column=name))
        return self.cells.iloc[:, found[0]]

    def numbers(self, text: pd.Series[str]) -> tuple[pd.Series[float], pd.Series[bool]]:
        """As `parse_numbers`, for one column; thousands that may as well be fractions are no numbers.

        They may be where another number of the column can only have a decimal comma, or where cells are divided by
        semicolons and no number shows that commas group.
        """
        values, wrong = parse_numbers(text, self.decimal or ".")
        if not self.decimal:
            plain = _plain(text)
            thousands = plain.str.fullmatch(_THOUSANDS)
            grouped = ~wrong & plain.str.contains(",", regex=False) & ~thousands
            fractions = wrong & plain.str.fullmatch(_ONE_COMMA)
            if fractions.any() or (self.semicolons and not grouped.any()):
                wrong = wrong | thousands
        return values.mask(wrong), wrong

    def decimal_hint(self, name: str, text: pd.Series[str], wrong: pd.Series[bool]) -> list[Fault]:
        """The remedy where wrong numbers of a column look like fractions behind a comma."""
        commas = wrong & _plain(text).str.fullmatch(_ONE_COMMA)
        if self.decimal or not commas.any():
            return []
        row = int(commas.index[commas][0])
        value, point = text[row], text[row].replace(",", ".")
        grouped = f" or {text[row].replace(',', '')}" if re.fullmatch(_THOUSANDS, _plain(text)[row]) else ""
        remedy = "add decimal = ',' if commas stand before fractions in this table, decimal = '.' if they only group"
        what = f"{name} is {value!r}, which may mean {point}{grouped}"
        return [Fault(what, remedy, self.path, row, name, value)]

    def has(self, name: str) -> bool:
        """Whether there is such a column."""
        return tidy(name) in {tidy(own) for own in self.cells.columns}


def tidy(text: str) -> str:
    """A name for comparison: lower case, single blanks."""
    return " ".join(str(text).split()).casefold()


def read_sheet(
    path: Path, wanted: Sequence[str], *, sheet: str | None = None, header_row: int | None = None, decimal: str = ""
) -> Sheet:
    """Read the table of a CSV, XLSX or Parquet file.

    The header is the row that holds all ``wanted`` names; rows above it are titles. Merged cells count in each of
    their places; a header in two rows is read as one. Rows without a number or with one text only are notes.

    Args:
        wanted: columns that must be there.
        sheet: which one of a workbook with several.
        header_row: row of the header, as the user's program shows it.
        decimal: "." or ",", where the user said which mark stands before fractions.

    Raises:
        InputError: an unreadable file, several sheets without a choice, no row with the wanted names, no rows below.
    """
    if not path.is_file():
        raise InputError(Fault("no such file", "check the path", path))
    suffix = path.suffix.lower()
    notes: list[str] = []
    delimiter = ""
    if suffix == ".xls":
        raise InputError(Fault("is in the old Excel format", "open it and save it as .xlsx", path))
    if suffix == ".parquet":
        rows = _parquet_rows(path, decimal)
    elif suffix in (".xlsx", ".xlsm"):
        rows = _excel_rows(path, sheet, decimal)
    else:
        rows, delimiter = _csv_rows(path, wanted, notes)
    rows = [(number, row) for number, row in rows if any(row)]
    if not rows:
        raise InputError(Fault("the table is empty", "export it again", path))
    header, first = _header(path, rows, wanted, header_row)
    below, width = rows[first:], len(header)
    if not below:
        raise InputError(Fault(f"no rows below the header in row {rows[first - 1][0]}", "export it again", path))
    if delimiter:  # in a workbook, remarks stand beside a table
        named = max(i + 1 for i, name in enumerate(header) if name)
        long = [number for number, row in below if any(row[named:])]
        if long:
            raise InputError([
                Fault(
                    f"more cells than the header's {named}",
                    "put numbers and names that contain commas in double quotes", path, number,
                )
                for number in long[:SHOWN]
            ])  # fmt: skip
    cells = [(row + [""] * width)[:width] for _, row in below]
    table = pd.DataFrame(cells, columns=header, index=[number for number, _ in below], dtype=str)
    table = table[(table != "").any(axis=1)]
    return Sheet(path, _without_notes(table, notes, decimal or "."), notes, decimal, delimiter == ";")


def parse_numbers(text: pd.Series[str], decimal: str = ".") -> tuple[pd.Series[float], pd.Series[bool]]:
    """Numbers of texts such as ``₹ 1,23,456.7``, ``१२३``, ``(12)`` or ``12*``; NaN where there is none.

    Args:
        decimal: the mark before fractions; where it is ",", points group.

    Returns:
        The values, and whether the text is neither a number nor a sign for "no figure".
    """
    plain = _plain(text)
    missing = plain.isin(_MISSING)
    if decimal == ",":
        plain = plain.str.translate(str.maketrans(",.", ".,"))
    right = plain.str.fullmatch(_NUMBER)
    values = pd.to_numeric(plain.where(right).str.replace(",", ""), errors="coerce").astype(float)
    right &= values.abs() != math.inf
    return values.where(right), ~right & ~missing


def _plain(text: pd.Series[str]) -> pd.Series[str]:
    """Texts of numbers without currency, marks of footnotes and blanks, in ASCII digits."""
    plain = text.astype(str).map(plain_digits).str.replace("[\u00a0\u202f\u2009]", " ", regex=True)
    plain = plain.str.strip().str.casefold()
    plain = plain.str.replace("\u2212", "-").str.replace(rf"^{_CURRENCY}\s*|\s*{_CURRENCY}$", "", regex=True)
    plain = plain.str.replace(r"\s*[*†‡#^]+$", "", regex=True).str.replace(r"^\((.+)\)$", r"-\1", regex=True)
    return plain.str.replace(r"(?<=\d)\s+(?=\d{2,3}\b)", "", regex=True)


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


def _csv_rows(path: Path, wanted: Sequence[str], notes: list[str]) -> tuple[Rows, str]:
    """Rows and the delimiter that shows most of the wanted names."""
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
        raise InputError(Fault("not a CSV file", "save the sheet as 'CSV UTF-8' or .xlsx", path))
    if encoding == "cp1252":
        notes.append("read as Windows-1252, not UTF-8; check names with accents")
    names = {tidy(name) for name in wanted}

    def found(delimiter: str) -> int:
        """Most wanted names in one of the first rows; a quote that is wrong is told when the whole file is read."""
        top = islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), HEADER_ROWS)
        try:
            return max((len(names & {tidy(cell) for cell in row}) for row in top), default=0)
        except csv.Error:
            return 0

    delimiter = max(DELIMITERS, key=found)
    return csv_rows(path, text, delimiter), delimiter


def _excel_rows(path: Path, sheet: str | None, decimal: str) -> Rows:
    if not zipfile.is_zipfile(path):
        raise InputError(Fault("not a readable Excel file", "open it and save it as .xlsx again", path))
    check_zip(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and validations that openpyxl leaves out
            book = openpyxl.load_workbook(path, data_only=True)
    except (InvalidFileException, KeyError, ValueError, OSError, TypeError) as error:
        raise InputError(
            Fault(f"not a readable Excel file ({error})", "open it and save it as .xlsx again", path)
        ) from None
    filled = [s for s in book.worksheets if s.sheet_state == "visible" and s.max_row > 1]
    if sheet is not None:
        if sheet not in book.sheetnames:
            raise InputError(
                Fault(f"has no sheet {sheet!r}, only {', '.join(book.sheetnames)}", "correct the name", path)
            )
        page = book[sheet]
    elif len(filled) == 1:
        page = filled[0]
    else:
        raise InputError(Fault(f"has the sheets {', '.join(book.sheetnames)}", "say which with sheet = '...'", path))
    # iter_rows would make a cell at every place up to the farthest, 17 milliard where one stands in the last corner.
    filled_cells: dict[int, dict[int, str]] = {}
    for (row, column), cell in sorted(page._cells.items()):
        if text := _cell_text(cell.value, decimal):
            filled_cells.setdefault(row, {})[column] = text
    for area in page.merged_cells.ranges:
        corner = filled_cells.get(area.min_row, {}).get(area.min_col, "")
        for row in range(area.min_row, min(area.max_row, page.max_row) + 1) if corner else ():
            across = range(area.min_col, area.max_col + 1)
            filled_cells.setdefault(row, {}).update(dict.fromkeys(across, corner))
    return [
        (row, [cells.get(column, "") for column in range(1, max(cells) + 1)])
        for row, cells in sorted(filled_cells.items())
    ]


def _cell_text(value: Any, decimal: str) -> str:
    """A cell as the user would write it, with the decimal mark that the table has."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}".replace(".", decimal or ".")
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()


def _parquet_rows(path: Path, decimal: str) -> Rows:
    try:
        table = pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise InputError(Fault(f"not a readable Parquet file ({error})", "export it again", path)) from None
    body = [[_cell_text(None if pd.isna(v) else v, decimal) for v in row] for row in table.itertuples(index=False)]
    return list(enumerate([[str(name) for name in table.columns], *body]))  # the names stand above row 1


# -- header and notes ----------------------------------------------------------------------------------------------


def _header(path: Path, rows: Rows, wanted: Sequence[str], header_row: int | None) -> tuple[list[str], int]:
    """Column names, and the position among ``rows`` of the first below them."""
    names = {tidy(name) for name in wanted}

    def holds(at: int) -> bool:
        return names <= {tidy(cell) for cell in rows[at][1]}

    if header_row is not None:
        at = next((i for i, (number, _) in enumerate(rows) if number == header_row), -1)
        if at < 0:
            raise InputError(
                Fault(
                    f"header_row = {header_row}, but that row is empty", f"the table reaches to row {rows[-1][0]}", path
                )
            )
    else:
        top = range(min(HEADER_ROWS, len(rows)))
        at = next((i for i in top if holds(i) and sum(map(bool, rows[i][1])) > 1), -1)
        while 0 <= at < len(rows) - 1 and names and holds(at + 1):
            at += 1  # the header's merged cells reach down
    if at < 0 or not holds(at):
        raise InputError(_missing_columns(path, rows, wanted, at))
    header = rows[at][1]
    if at + 1 < len(rows):
        pairs = list(zip_longest(header, rows[at + 1][1], fillvalue=""))
        at_wanted = [below for own, below in pairs if tidy(own) in names]
        others = [below for own, below in pairs if tidy(own) not in names and below]
        if names and not any(at_wanted) and others and not parse_numbers(pd.Series(others))[0].notna().any():
            return [below or own for own, below in pairs], at + 2
    return header, at + 1


def _missing_columns(path: Path, rows: Rows, wanted: Sequence[str], at: int) -> list[Fault]:
    """One fault per column that the likeliest header lacks."""
    names = {tidy(name) for name in wanted}
    top = rows[:HEADER_ROWS]

    def found(i: int) -> int:
        return len(names & {tidy(cell) for cell in top[i][1]})

    best = at if at >= 0 else max(range(len(top)), key=found)
    if at < 0 and not found(best):
        best = max(range(len(top)), key=lambda i: sum(map(bool, top[i][1])))
    number, row = rows[best]
    have = [cell for cell in dict.fromkeys(row) if cell]
    where = f"row {number}" if number else "it"
    problems = []
    for name in wanted:
        if tidy(name) not in {tidy(cell) for cell in have}:
            near = process.extractOne(name, have, score_cutoff=60)
            guess = f"; perhaps {near[0]!r}" if near else ""
            what = f"no column {name!r}{guess}; {where} has {', '.join(have[:30])}"
            problems.append(Fault(what, "name it in columns = { ours = 'theirs' }", path, column=name))
    return problems


def _without_notes(cells: pd.DataFrame, notes: list[str], decimal: str) -> pd.DataFrame:
    """Drop rows that hold one text and nothing else, as notes below a table do."""
    distinct = pd.Series([{cell for cell in row if cell} for row in cells.itertuples(index=False)], cells.index)
    number = distinct.map(lambda texts: parse_numbers(pd.Series(sorted(texts), dtype=str), decimal)[0].notna().any())
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

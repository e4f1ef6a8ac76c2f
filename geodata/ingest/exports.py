"""A user's own export table -> the pack's: district by sector in US$ million, nothing guessed, totals compared."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from geodata.districts import canonical_state
from geodata.errors import Fault, InputError
from geodata.exports import KEY_COLUMNS, VALUE_SUFFIX
from geodata.ingest.names import DistrictNames, suggestions
from geodata.ingest.placing import OwnExports, place_rows
from geodata.ingest.sheets import (
    SHOWN,
    Sheet,
    blank_above,
    parse_numbers,
    read_sheet,
    runs,
    tidy,
    total_rows,
    without_marks,
)

USD_MILLION_PER_UNIT = {"usd": 1e-6, "usd_thousand": 1e-3, "usd_million": 1.0, "usd_billion": 1e3}
INR_PER_UNIT = {"inr": 1.0, "inr_lakh": 1e5, "inr_million": 1e6, "inr_crore": 1e7}
TOTAL_TOLERANCE = 0.01  # published tables are rounded; a unit mistaken is off by 10 or more
IMPLAUSIBLE_RATIO = 50.0  # own total to the fallback pack's, for the same districts
LARGEST_DISTRICT_USD_MILLION = 200_000.0  # no district of the world is known to export more
SMALLEST_TOTAL_USD_MILLION = 0.01

_ASIDE = re.compile(r"(s(?:l|r|erial)?\.?\s*no\.?|no\.?|#|rank|year|remarks?|note|.*\bcodes?)", re.IGNORECASE)
_SUM_COLUMN = re.compile(r"(grand\s+)?total.*|all sectors", re.IGNORECASE)


def read_exports(
    path: Path,
    names: DistrictNames,
    sectors: Sequence[str],
    *,
    unit: str,
    columns: Mapping[str, str] | None = None,
    layout: str = "across",
    sector_names: Mapping[str, str] | None = None,
    inr_per_usd: float | None = None,
    total: float | None = None,
    state: str | None = None,
    reference: pd.DataFrame | None = None,
    sheet: str | None = None,
    header_row: int | None = None,
    decimal: str = "",
) -> OwnExports:
    """Exports of a table with one column per sector (``across``) or one row per district and sector (``down``).

    Args:
        path: CSV, XLSX or Parquet.
        names: of the area's districts.
        sectors: the sectors of the pack.
        unit: of the values, a key of ``USD_MILLION_PER_UNIT`` or ``INR_PER_UNIT``.
        columns: our name -> theirs: state, district, lgd_code (only if named) and, if ``down``, sector and value.
        layout: ``across`` or ``down``.
        sector_names: their name of a sector -> ours; "" leaves it out.
        inr_per_usd: mean exchange rate of the year, for rupees.
        total: what the table adds up to by its source, in ``unit``.
        state: the state of all rows, where there is no column for it.
        reference: an export table of the same districts (``KEY_COLUMNS``, US$ million) to compare the size with.
        sheet, header_row, decimal: as in `geodata.ingest.sheets.read_sheet`.

    Raises:
        InputError: naming every column, sector, row and total that does not fit.
    """
    wanted = _wanted(path, columns or {}, layout, state)
    own = read_sheet(path, list(wanted.values()), sheet=sheet, header_row=header_row, decimal=decimal)
    _check_doubled_columns(own, wanted, layout)
    places = _names(own, wanted, state)
    is_total, is_grand = total_rows(places[["state", "district"]])
    if layout == "down":
        is_total |= total_rows(own.column(wanted["sector"]).to_frame())[0]
    values, problems = (_across if layout == "across" else _down)(own, wanted, sectors, sector_names or {}, is_total)
    problems += _value_problems(path, values[~is_total], places[~is_total], layout, own)
    if problems:
        raise InputError(problems)
    problems += _total_problems(path, values, is_total, is_grand, total, unit)
    problems += _state_total_problems(path, values, places, is_total & ~is_grand)
    own.notes += [f"{int(is_total.sum())} rows of totals were left out of the sum"] if is_total.any() else []
    raw = pd.concat([places, values * _usd_million_per_unit(unit, inr_per_usd)], axis=1)[~is_total]
    if layout == "across":
        problems += _doubled_rows(path, raw)
    if problems:
        raise InputError(problems)
    placed = place_rows(raw, names, list(sectors), source=str(path))
    placed.notes += own.notes
    if total is None:
        _check_plausible(path, placed.table, unit, reference)
    return placed


def _wanted(path: Path, columns: Mapping[str, str], layout: str, state: str | None) -> dict[str, str]:
    """Our name -> theirs of the columns that the table must have; InputError for a name that is none of ours."""
    roles = ["district", *([] if state else ["state"]), *(["sector", "value"] if layout == "down" else [])]
    roles += ["lgd_code"] if "lgd_code" in columns else []
    known = ", ".join(dict.fromkeys([*roles, "lgd_code"]))
    problems = [
        Fault(f"columns: {name!r} is unknown", f"known: {known}", path, column=name)
        for name in columns
        if name not in (*roles, "state")
    ]
    if problems:
        raise InputError(problems)
    return {role: columns.get(role, role) for role in roles}


def _check_doubled_columns(own: Sheet, wanted: Mapping[str, str], layout: str) -> None:
    taken = {tidy(name) for name in wanted.values()}
    problems = [
        Fault(f"column {name!r} is there more than once", "rename all but one", own.path, column=name)
        for name in sorted(set(runs(list(own.cells.columns))))
        if layout == "across" or name in taken
    ]
    if problems:
        raise InputError(problems)


def _usd_million_per_unit(unit: str, inr_per_usd: float | None) -> float:
    if unit in USD_MILLION_PER_UNIT:
        return USD_MILLION_PER_UNIT[unit]
    if inr_per_usd is None:
        raise InputError(Fault(f"unit = {unit!r}", "give inr_per_usd, the mean rate of the year", column="inr_per_usd"))
    return INR_PER_UNIT[unit] / inr_per_usd / 1e6


# -- rows and columns ---------------------------------------------------------------------------------------------


def _names(own: Sheet, wanted: Mapping[str, str], state: str | None) -> pd.DataFrame:
    """State and district of each row, blanks below a state filled, marks of footnotes off."""
    district = without_marks(own.column(wanted["district"]))
    codes = {}
    if "lgd_code" in wanted:
        codes["lgd_code"], _ = parse_numbers(own.column(wanted["lgd_code"]))
    if state is not None:
        return pd.DataFrame({"state": state, "district": district, **codes}, index=own.cells.index)
    home = without_marks(own.column(wanted["state"]))
    home, filled = blank_above(home, district.ne("") & ~total_rows(district.to_frame())[0])
    if filled:
        own.notes.append(f"the state of {filled} rows was blank and taken from the row above")
    return pd.DataFrame({"state": home, "district": district, **codes}, index=own.cells.index)


def _sector_of(names: Sequence[str], sectors: Sequence[str], sector_names: Mapping[str, str]) -> dict[str, str | None]:
    """Our sector for each of their names; "" = left out, None = unknown."""
    chosen = {tidy(theirs): ours for theirs, ours in sector_names.items()}
    slugs = {sector: sector for sector in sectors}
    found: dict[str, str | None] = {}
    for name in names:
        slug = re.sub(r"[^a-z0-9]+", "_", tidy(name)).strip("_").removesuffix(VALUE_SUFFIX)
        found[name] = chosen.get(tidy(name), slugs.get(slug))
    return found


def _sector_problems(
    path: Path, found: Mapping[str, str | None], sectors: Sequence[str], sector_names: Mapping[str, str]
) -> list[Fault]:
    problems = [
        Fault(f"sector_names: {ours!r} is no sector", f"known: {', '.join(sectors)}", path, value=ours)
        for ours in sorted(set(sector_names.values()) - set(sectors) - {""})
    ]
    known = {sector: sector for sector in sectors}
    for name, ours in found.items():
        if ours is None:
            near = suggestions(name, known)
            guess = f" (perhaps {' or '.join(near)})" if near else ""
            remedy = f"add sector_names = {{ {name!r} = '...' }}, '' to leave it out"
            problems.append(Fault(f"sector {name!r} is unknown{guess}", remedy, path, value=name))
    return problems


def _across(
    own: Sheet, wanted: Mapping[str, str], sectors: Sequence[str], sector_names: Mapping[str, str],
    is_total: pd.Series[bool],
) -> tuple[pd.DataFrame, list[Fault]]:  # fmt: skip
    """Values by sector of a table with a column per sector, NaN for blanks, and problems."""
    taken = [tidy(name) for name in wanted.values()]
    values, faulty, sums = {}, {}, None
    for name in own.cells.columns:
        if not name or tidy(name) in taken:
            continue
        numbers, wrong = own.numbers(own.column(name))
        named = _sector_of([name], sectors, sector_names)[name] is not None
        if not named and _SUM_COLUMN.fullmatch(name.strip()):
            sums = numbers
        elif not named and (_ASIDE.fullmatch(name.strip()) or numbers.notna().sum() == 0):
            own.notes.append(f"column {name!r} was not read")
        else:
            values[name], faulty[name] = numbers, wrong
    found = _sector_of(list(values), sectors, sector_names)
    problems = _sector_problems(own.path, found, sectors, sector_names)
    if not values:
        problems.append(Fault("no column holds values", "if sectors are in rows write sectors = 'down'", own.path))
    for name, wrong in faulty.items():
        if found[name]:
            problems += _unreadable(own, name, wrong & ~is_total)
    table = pd.DataFrame(values, index=own.cells.index)
    if sums is not None and not problems:
        problems += _row_sum_problems(own, table, sums)
    table = table[[name for name in values if found[name]]]
    return table.T.groupby([found[str(name)] for name in table]).sum(min_count=1).T, problems


def _down(
    own: Sheet, wanted: Mapping[str, str], sectors: Sequence[str], sector_names: Mapping[str, str],
    is_total: pd.Series[bool],
) -> tuple[pd.DataFrame, list[Fault]]:  # fmt: skip
    """Values by sector of a table with a row per district and sector: one of them filled in each row."""
    name = own.column(wanted["sector"])
    numbers, wrong = own.numbers(own.column(wanted["value"]))
    found = _sector_of(sorted(set(name[~is_total])), sectors, sector_names)
    problems = _sector_problems(own.path, found, sectors, sector_names)
    problems += _unreadable(own, wanted["value"], wrong & ~is_total)
    sector = name.map(found).where(~is_total)
    table = pd.DataFrame({ours: numbers.where(sector == ours) for ours in sorted({s for s in found.values() if s})})
    return table.reindex(own.cells.index), problems


def _unreadable(own: Sheet, name: str, wrong: pd.Series[bool]) -> list[Fault]:
    cells = own.column(name)
    hints = own.decimal_hint(name, cells, wrong)
    return hints or [
        Fault("", "write a number with a decimal point", own.path, row, name, cells[row])
        for row in cells.index[wrong][:SHOWN]
    ]


# -- checks ---------------------------------------------------------------------------------------------------------


def _value_problems(path: Path, values: pd.DataFrame, names: pd.DataFrame, layout: str, own: Sheet) -> list[Fault]:
    problems: list[Fault] = []
    for sector in values:
        for row in values.index[values[sector] < 0][:SHOWN]:
            value = float(values[sector][row])
            problems.append(Fault(
                f"{names['district'][row]}: {sector} is {value:g}",
                "exports cannot be negative, correct it or leave it blank", path, row, str(sector), value,
            ))  # fmt: skip
    for row in names.index[(names[["state", "district"]] == "").any(axis=1) & values.notna().any(axis=1)][:SHOWN]:
        what = "state" if names["state"][row] == "" else "district"
        remedy = "fill it in, or write TOTAL if it is a sum"
        problems.append(Fault(f"values but no {what}", remedy, path, row, what, ""))
    blank = int(values.isna().to_numpy().sum()) if layout == "across" else int(values.isna().all(axis=1).sum())
    if blank:
        own.notes.append(f"{blank} blank values count as 0")
    return problems


def _row_sum_problems(own: Sheet, table: pd.DataFrame, sums: pd.Series[float]) -> list[Fault]:
    added = table.sum(axis=1)
    off = (added - sums).abs() > TOTAL_TOLERANCE * np.maximum(sums.abs(), 1.0)
    return [
        Fault(
            f"the sectors add up to {added[row]:,.6g}, the column of totals says {sums[row]:,.6g}",
            "correct the row, or remove that column",
            own.path,
            row,
            value=float(sums[row]),
        )
        for row in sums.index[off & sums.notna()][:SHOWN]
    ]


def _total_problems(
    path: Path,
    values: pd.DataFrame,
    is_total: pd.Series[bool],
    is_grand: pd.Series[bool],
    stated: float | None,
    unit: str,
) -> list[Fault]:
    """Compare the sum of the rows with the table's own row of totals and with the total that the user states."""
    added = float(values[~is_total].sum().sum())
    problems = []
    for row in values.index[is_grand]:
        in_row = float(values.loc[row].sum())
        if in_row > 0 and abs(added - in_row) > TOTAL_TOLERANCE * in_row:
            problems.append(Fault(
                f"the rows add up to {added:,.6g}, the total says {in_row:,.6g}{_factor(added, in_row)}",
                "correct the table, or remove that row", path, row, value=in_row,
            ))  # fmt: skip
    if stated is not None and abs(added - stated) > TOTAL_TOLERANCE * stated:
        what = f"the rows add up to {added:,.6g} {unit}, but total = {stated:,.6g}{_factor(added, stated)}"
        problems.append(Fault(what, "correct unit, total or table", path, column="total", value=stated))
    return problems


def _state_total_problems(
    path: Path, values: pd.DataFrame, names: pd.DataFrame, is_total: pd.Series[bool]
) -> list[Fault]:
    """Compare a row of totals beside the name of a state with the rows of that state, else with all rows."""
    rows = values.sum(axis=1)
    home = names["state"].map(canonical_state)
    own_total = names["district"].str.fullmatch(r"(?:state\s+|grand\s+)?total\s*:?", case=False)
    problems = []
    for row in names.index[is_total & own_total & home.ne("") & rows.gt(0)]:
        of_state, of_all = float(rows[~is_total & (home == home[row])].sum()), float(rows[~is_total].sum())
        if all(abs(added - rows[row]) > TOTAL_TOLERANCE * rows[row] for added in (of_state, of_all)):
            factor = _factor(of_state, float(rows[row]))
            problems.append(Fault(
                f"the total of {home[row]} is {rows[row]:,.6g}, its rows add up to {of_state:,.6g}{factor}",
                "correct the table, or remove that row", path, row, value=float(rows[row]),
            ))  # fmt: skip
    return problems


def _factor(own: float, expected: float) -> str:
    """Name a ratio that looks like a mistaken unit."""
    if own <= 0 or expected <= 0:
        return ""
    power = round(math.log10(own / expected))
    near = abs(math.log10(own / expected) - power) < 0.05
    if power == 0 or not near:
        return ""
    return f", {10 ** abs(power):,} times {'too much' if power > 0 else 'too little'}: is the unit right?"


def _check_plausible(path: Path, placed: pd.DataFrame, unit: str, reference: pd.DataFrame | None) -> None:
    """A table without a stated total is held against what the same districts export by the fallback pack."""
    own = placed.drop(columns=list(KEY_COLUMNS)).sum(axis=1).set_axis(placed["district_id"])
    remedy = f"if unit = '{unit}' is right, state the sum with total = ... in the table's unit"
    if reference is not None:
        known = reference.filter(like=VALUE_SUFFIX).sum(axis=1).set_axis(reference["district_id"])
        both = own.index.intersection(known.index[known > 0])
        expected = float(known[both].sum())
        ratio = float(own[both].sum()) / expected if expected > 0 else 1.0
        if not 1 / IMPLAUSIBLE_RATIO <= ratio <= IMPLAUSIBLE_RATIO:
            what = (
                f"{len(both)} districts export US$ {own[both].sum():,.4g} million by this table and "
                f"US$ {expected:,.4g} million by the pack{_factor(own[both].sum(), expected)}"
            )
            raise InputError(Fault(what, remedy, path))
    if own.max() > LARGEST_DISTRICT_USD_MILLION or own.sum() < SMALLEST_TOTAL_USD_MILLION:
        what = f"the districts export US$ {own.sum():,.4g} million in all, {own.idxmax()} alone {own.max():,.4g}"
        raise InputError(Fault(f"{what}; that is hard to believe", remedy, path))


def _doubled_rows(path: Path, raw: pd.DataFrame) -> list[Fault]:
    key = pd.Series(
        [(canonical_state(s), tidy(d)) for s, d in zip(raw["state"], raw["district"], strict=True)], index=raw.index
    )
    problems = []
    for row in raw.index[key.duplicated()][:SHOWN]:
        first = raw.index[(key == key[row]).to_numpy()][0]
        name = raw["district"][row]
        what = f"rows {first} and {row} are both {name!r} of {raw['state'][row]}"
        problems.append(Fault(what, "merge them, or correct one name", path, row, "district", name))
    return problems

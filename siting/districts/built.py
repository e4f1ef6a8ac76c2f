"""What has been built of a plan, or beside it: the table that an audit reads."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from geodata.errors import Fault, InputError
from geodata.hints import hint
from geodata.tables import Column, read_table

COLUMNS = (
    Column("option_id", unique=True),
    Column("commissioned", required=False),  # year-month-day; blank: not yet
    Column("capex_inr_crore", "number", required=False, minimum=0),  # what it has cost; blank: as planned
    Column("fixed_cost_inr_per_year", "number", required=False, minimum=0),  # what it costs to run; blank: as planned
    Column("note", required=False),
)
FIRST_MONTH = 4  # fiscal years begin in April, and go by the year they end in
MONTHS = 12
_YEAR = re.compile(r"(?<!\d)(?:19|20|21)\d\d(?!\d)")


def load_built(path: Path, options: pd.DataFrame, fiscal_year: int) -> pd.DataFrame:
    """Read what has been built.

    Args:
        options: of the plan's model (columns ``option_id``, ``site_id``).
        fiscal_year: the year that is audited.

    Returns:
        Indexed by ``option_id``: the columns of ``COLUMNS``, and ``months``, 0 to 12, of the year in which the option
        was at work (those that began when it was commissioned already), and ``stands``, whether it was by its end.

    Raises:
        InputError: naming every unknown option, date that is none and site with two sizes.
    """
    table = read_table(path, COLUMNS, may_be_empty=True, numbered=True)
    site = dict(zip(options["option_id"], options["site_id"], strict=True))
    faults, days, seen = [], [], dict[str, str]()
    for row, option, text in zip(table.index, table["option_id"], table["commissioned"], strict=True):
        if option not in site:
            faults.append(Fault(f"no option {option!r}", hint(option, site), path, int(row), "option_id", option))
        elif (other := seen.setdefault(site[option], option)) != option:
            what = f"{option!r} and {other!r} are two sizes of one site"
            faults.append(Fault(what, "keep the one that stands", path, int(row), "option_id", option))
        try:
            days.append(date.fromisoformat(text) if text else None)
        except ValueError:
            remedy = "write the day as 2025-07-31, or leave it blank where the site is not at work yet"
            faults.append(Fault("", remedy, path, int(row), "commissioned", text))
    if faults:
        raise InputError(faults)
    end = date(fiscal_year, FIRST_MONTH, 1)
    return table.assign(
        months=np.array([months_at_work(day, fiscal_year) for day in days], np.int64),
        stands=np.array([day is not None and day < end for day in days], bool),
    ).set_index("option_id")


def months_at_work(commissioned: date | None, fiscal_year: int) -> int:
    """Months of a fiscal year that began on or after the day a site was commissioned.

    >>> months_at_work(date(2025, 4, 1), 2026), months_at_work(date(2025, 7, 15), 2026), months_at_work(None, 2026)
    (12, 8, 0)
    """
    if commissioned is None:
        return 0
    begun = (commissioned.year - (fiscal_year - 1)) * MONTHS + commissioned.month - FIRST_MONTH
    first = begun + (commissioned.day > 1)
    return min(max(MONTHS - first, 0), MONTHS)


def year_of_file(path: Path, given: int | None) -> int:
    """The fiscal year of an export table, as given or as its name tells it (``FY2026.csv``).

    Raises:
        InputError: neither tells it.
    """
    if given is not None:
        return given
    found = _YEAR.findall(re.sub(r"[A-Za-z_-]", " ", path.stem))
    if len(found) != 1:
        raise InputError(Fault("its name tells no fiscal year", "give --year, for example --year 2026", path))
    return int(found[0])

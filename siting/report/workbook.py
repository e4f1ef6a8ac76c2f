"""A result as a workbook for committees: summary, sites, districts, assumptions, rules and levers, or scenarios.

Numbers are numbers, in crore with Indian grouping; a text is a text to a spreadsheet whatever it begins with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from siting.money import INR_PER_CRORE
from siting.parameters import load_parameters
from siting.report.lines import SITE_WORDS
from siting.report.parameters import plain_name
from siting.results.cells import FORMULA_SIGNS
from siting.results.read import PlanTables, read_table

TEXTS_STAY = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
MADE = datetime(2000, 1, 1)  # noqa: DTZ001 - one for all: the same result is the same workbook


def _indian(decimals: int) -> str:
    """Number format of a spreadsheet that groups as people in India do."""
    end = f".{'0' * decimals}" if decimals else ""
    return f"[>=10000000]##\\,##\\,##\\,##0{end};[>=100000]##\\,##\\,##0{end};##,##0{end}"


FORMATS = {"whole": _indian(0), "crore": _indian(2), "decimal": _indian(1), "ratio": "0.00", "percent": "0.0%",
           "exact": "General"}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """A column of a sheet.

    Args:
        heading: what stands over it.
        name: column of the table.
        kind: of `FORMATS`, or ``text`` or ``yes``.
        width: in characters.
        unit: what values are divided by.
    """

    heading: str
    name: str
    kind: str = "text"
    width: int = 14
    unit: float = 1.0


SITES = (
    Field("Site", "name", width=24), Field("State", "state", width=18), Field("Type", "kind", width=20),
    Field("Size", "tier", width=10), Field("Status", "status", width=10),
    Field("Capital, ₹ crore", "capex_inr_crore", "crore"),
    Field("Running cost, ₹ crore a year", "fixed_cost_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("Capacity, t a year", "capacity_t_per_year", "whole"),
    Field("Throughput, t a year", "throughput_t_per_year", "whole"), Field("Used", "utilisation", "percent", 9),
    Field("Districts served", "districts_served", "whole", 10),
    Field("Saving, ₹ crore a year", "saving_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("Recovers its capital", "recovers_capital", "yes", 10),
    Field("Repays in draws", "repays_share", "percent", 10), Field("Chosen in draws", "chosen_share", "percent", 10),
    Field("Option", "option_id", width=44),
)  # fmt: skip
DISTRICTS = (
    Field("District", "district", width=24), Field("State", "state", width=18),
    Field("Under-utilised", "under_utilised", "yes", 15),
    Field("Exports, US$ million a year", "export_usd", "decimal", unit=1e6),
    Field("Cargo, t a year", "tonnes_per_year", "whole"),
    Field("Cost before, ₹ a tonne", "cost_before_inr_per_t", "whole"),
    Field("Cost after, ₹ a tonne", "cost_after_inr_per_t", "whole"),
    Field("Saving, ₹ crore a year", "saving_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("Hours before", "hours_before", "decimal", 10), Field("Hours after", "hours_after", "decimal", 10),
    Field("Most used site", "hub_1", width=24), Field("Next site", "hub_2", width=24),
    Field("Port before", "gateway_before", width=28), Field("Port after", "gateway_after", width=28),
    Field("District id", "district_id", width=32),
)  # fmt: skip
ASSUMPTIONS = (
    Field("Parameter", "words", width=40), Field("Value", "value", "exact", 12), Field("Unit", "unit", width=22),
    Field("Low", "low", "exact", 10), Field("High", "high", "exact", 10),
    Field("Replaced by the study", "changed", "yes", 12), Field("Year", "year", width=10),
    Field("Source", "source", width=60), Field("Note", "note", width=60), Field("Key", "key", width=40),
)  # fmt: skip
RULES = (
    Field("Rule", "name", width=40), Field("State, where nearest to its limit", "state", width=20),
    Field("Unit", "unit", width=8), Field("At least", "at_least", "exact"), Field("At most", "at_most", "exact"),
    Field("The plan comes to", "reached", "exact"),
    Field("Price, ₹ crore a year", "price_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("Price, proven at least", "price_low_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("Price, proven at most", "price_high_inr_per_year", "crore", unit=INR_PER_CRORE),
)  # fmt: skip
LEVERS = (
    Field("Lever", "name", width=40), Field("Kind", "kind", width=10), Field("Setting", "setting", width=40),
    Field("Status", "status", width=12),
    Field("Saving of today's cost, ₹ crore a year", "today_saving_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("Public cost, ₹ crore a year", "public_cost_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("Transfer, ₹ crore a year", "transfer_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("Saving of the plan with it, ₹ crore a year", "plan_saving_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("Change of that, ₹ crore a year", "plan_change_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("The paper's claim", "paper", width=40), Field("To mind", "note", width=60),
)  # fmt: skip
SCENARIOS = (
    Field("Scenario", "scenario", width=36), Field("Status", "status", width=12), Field("Why", "message", width=40),
    Field("What differs from the study", "changes", width=60),
    Field("Budget, ₹ crore", "budget_inr_crore", "crore"), Field("Capital, ₹ crore", "capex_inr_crore", "crore"),
    Field("Saving, ₹ crore a year", "saving_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("Low", "saving_low_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("High", "saving_high_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("Benefit: saving less charged capital", "benefit_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("No plan has more benefit than", "benefit_at_most_inr_per_year", "crore", unit=INR_PER_CRORE),
    Field("Benefit of the last rupee a year", "marginal_benefit_per_year_per_rupee", "ratio"),
    Field("Benefit-cost ratio", "benefit_cost_ratio", "ratio"), Field("Payback, years", "payback_years", "decimal"),
    Field("Warehouses", "warehouses", "whole"), Field("Cold stores", "cold_stores", "whole"),
    Field("Cargo terminals", "cargo_terminals", "whole"), Field("Logistics parks", "mmlps", "whole"),
    Field("Districts served", "districts_served", "whole"), Field("Gap, of the cost", "gap", "percent"),
)  # fmt: skip


def write_workbook(plan: PlanTables, path: Path) -> None:
    """Write the workbook of a result.

    Raises:
        InputError: a file of the result is damaged.
    """
    summary = plan.summary
    sites = plan.sites.assign(kind=plan.sites["facility_type"].replace(SITE_WORDS))
    order = plan.districts["saving_inr_per_year"].sort_values(ascending=False, kind="stable").index
    with _book(path, f"{summary['study']}, {summary['fingerprint'][:16]}") as book:
        book.table("Summary", SUMMARY, _summary_rows(summary))
        book.table("Sites", SITES, sites.to_dict("records"))
        book.table("Districts", DISTRICTS, plan.districts.loc[order].to_dict("records"))
        book.table("Assumptions", ASSUMPTIONS, assumption_rows(summary["resolved_study"]))
        if summary["rules"]:
            book.table("Rules", RULES, summary["rules"])
        levers = plan.path / "levers.csv"
        if levers.is_file():
            book.table("Levers", LEVERS, read_table(levers).to_dict("records"))


def write_scenario_workbook(table: pd.DataFrame, changes: Sequence[str], study: Mapping[str, Any], path: Path) -> None:
    """Write the workbook of a batch.

    Args:
        table: ``scenarios.csv``.
        changes: of each scenario what differs from the study, in words.
        study: the batch's own, as ``resolved_study`` of ``plan.json``.
    """
    with _book(path, str(study["name"])) as book:
        book.table("Scenarios", SCENARIOS, table.assign(changes=list(changes)).to_dict("records"))
        book.table("Assumptions", ASSUMPTIONS, assumption_rows(study))


def assumption_rows(study: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Parameters of a study with ranges and sources; ``study``: ``resolved_study`` of ``plan.json``."""
    rows, values = load_parameters().rows, study["parameters"]
    return [
        {**vars(row), "key": key, "words": plain_name(key), "value": values[key], "changed": values[key] != row.value}
        for key, row in rows.items()
        if key in values
    ]


SUMMARY = (Field("What", "what", width=52), Field("Value", "value", width=26), Field("Unit", "unit", width=24))


def _summary_rows(s: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows of the summary; ``kind`` is of the value."""
    crore_a_year, draws = "₹ crore a year", s["draws"]
    spread = None if draws is None else draws["own_saving"]
    rows: list[tuple[str, Any, str, str]] = [
        ("Study", s["study"], "", "text"),
        ("Status", s["status"], "", "text"),
        ("Budget", s["budget_inr_crore"], "₹ crore", "crore"),
        ("Capital spent", s["capex_inr_crore"], "₹ crore", "crore"),
        ("Running the sites", s["fixed_cost_inr_per_year"] / INR_PER_CRORE, crore_a_year, "crore"),
        ("Export logistics cost today", s["before"]["cost_inr_per_year"] / INR_PER_CRORE, crore_a_year, "crore"),
        ("Export logistics cost with the plan", s["after"]["cost_inr_per_year"] / INR_PER_CRORE, crore_a_year, "crore"),
        ("Net saving", s["saving_inr_per_year"] / INR_PER_CRORE, crore_a_year, "crore"),
    ]
    if spread is not None:
        rows += [
            (f"Net saving, {words} of the draws are below", spread[key] / INR_PER_CRORE, crore_a_year, "crore")
            for words, key in (("5 %", "low_inr_per_year"), ("95 %", "high_inr_per_year"))
        ]
    losing = s["not_recovering_capital"]
    rows += [
        ("Benefit-cost ratio", s["benefit_cost_ratio"], "", "ratio"),
        ("Net present value", s["net_present_value_inr_crore"], "₹ crore", "crore"),
        ("Internal rate of return, real", s["internal_rate_of_return"], "a year", "percent"),
        ("Payback", s["payback_years"], "years", "decimal"),
        ("Economic budget: more would not pay for itself", s["economic_budget_inr_crore"], "₹ crore", "crore"),
        ("Sites that do not recover their own capital", losing["sites"], "sites", "whole"),
        ("Their capital", losing["capex_inr_crore"], "₹ crore", "crore"),
        ("Gap to the best plan, of the whole cost", s["gap"], "", "percent"),
        ("Districts", s["counts"]["districts"], "", "whole"),
        ("Under-utilised districts", s["counts"]["under_utilised"], "", "whole"),
        ("Districts served by a new site", s["counts"]["served_by_hub"], "", "whole"),
        *(
            (f"{words} {when}", s[side][key], unit, kind)
            for words, key, unit, kind in (("Mean time from district to ship", "mean_hours", "hours", "decimal"),
                                           ("CO2e", "co2e_t_per_year", "t a year", "whole"))
            for side, when in (("before", "today"), ("after", "with the plan"))
        ),
        ("Fingerprint", s["fingerprint"], "", "text"),
        ("Solver", s["solver"], "", "text"),
        ("Version", s["version"], "", "text"),
    ]  # fmt: skip
    for what, value, unit, kind in rows:
        yield {"what": what, "value": value, "unit": unit, "kinds": {"value": kind}}


class _Book:
    """A workbook and the formats of its cells."""

    def __init__(self, book: Any, footer: str) -> None:
        self.book, self.footer = book, footer
        self.head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        self.formats = {kind: book.add_format({"num_format": code}) for kind, code in FORMATS.items()}
        self.text = book.add_format({"text_wrap": True, "valign": "top"})
        self.quoted = book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True})

    def table(self, name: str, fields: Sequence[Field], rows: Iterable[Mapping[Any, Any]]) -> None:
        """Add a sheet: headings that stay in sight, then a row for each; ``kinds`` of a row replace those of fields."""
        sheet, count = self.book.add_worksheet(name), 0
        for k, field in enumerate(fields):
            sheet.set_column(k, k, field.width)
            sheet.write_string(0, k, field.heading, self.head)
        for count, row in enumerate(rows, start=1):
            for k, field in enumerate(fields):
                self._write(sheet, count, k, row.get(field.name), field, row.get("kinds", {}))
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, count, len(fields) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.set_footer("&L" + self.footer.replace("&", "&&") + "&R&A, &P/&N")

    def _write(self, sheet: Any, row: int, k: int, value: Any, field: Field, kinds: Mapping[str, str]) -> None:
        kind = kinds.get(field.name, field.kind)
        if value is None or value is pd.NA or value != value:
            return
        if kind == "yes":
            sheet.write_string(row, k, "yes" if value else "no", self.text)
        elif kind == "text":
            text = str(value)
            sheet.write_string(row, k, text, self.quoted if text.startswith(FORMULA_SIGNS) else self.text)
        else:
            sheet.write_number(row, k, float(value) / field.unit, self.formats[kind])


@contextmanager
def _book(path: Path, footer: str) -> Iterator[_Book]:
    with xlsxwriter.Workbook(path, TEXTS_STAY) as book:
        book.set_properties({"title": footer, "created": MADE})
        yield _Book(book, footer)

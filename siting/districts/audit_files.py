"""An audit on a screen, and its files: a folder for all years of a plan, whose history gains a row each year."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geodata.errors import Fault, InputError
from geodata.folders import MANIFEST, atomic_folder
from siting.districts.audit import CAUSES, Audit
from siting.districts.built import MONTHS
from siting.money import counted, crore, indian
from siting.results.cells import write_csv
from siting.results.read import read_table
from siting.stages import Announce
from siting.study import study_text

HISTORY = "history.csv"
CAUSE_WORDS = {
    "tonnage": "exports other than planned", "cost": "rates and running costs other than planned",
    "delay": "sites late or not built", "other_sites": "sites beside the plan",
}  # fmt: skip
NAMED = 5
USD_PER_BILLION = 1e9
WORTH_TELLING = 0.005  # of the saving


def audit_row(audit: Audit, fingerprint: str) -> dict[str, Any]:
    """A row of ``history.csv``."""
    sites = audit.site_table
    planned, plan = sites[sites["planned"]], audit.next_plan
    return {
        "fiscal_year": audit.year.fiscal_year,
        "fingerprint": fingerprint,
        **audit.totals,
        "export_expected_usd": float(audit.districts["export_expected_usd"].sum()),
        "export_happened_usd": float(audit.districts["export_happened_usd"].sum()),
        "sites_planned": len(planned),
        "sites_at_work": int((planned["months"] > 0).sum()),
        "other_sites_at_work": int((~sites["planned"] & (sites["months"] > 0)).sum()),
        "planned_inr_crore": float(planned["planned_inr_crore"].sum()),
        "spent_inr_crore": float(sites["spent_inr_crore"].sum()),
        "standing_inr_per_year": audit.standing_inr_per_year,
        "next_inr_per_year": plan.net_saving_inr_per_year,
        "next_inr_crore": plan.capex_inr_crore - float(_capital(audit, audit.standing)),
    }


def _capital(audit: Audit, ids: list[str]) -> float:
    """Capital of options as the year prices them, ₹ crore."""
    options = audit.next_plan.model.options
    return float(options.loc[options["option_id"].isin(ids), "capex_inr_crore"].sum())


def audit_json(audit: Audit, fingerprint: str) -> dict[str, Any]:
    """The whole audit as plain data."""
    tables = {"districts": audit.districts, "states": audit.states, "sites": audit.site_table}
    return {**audit_row(audit, fingerprint), "next_sites": audit.next_sites(),
            **{name: table.astype(object).where(table.notna(), None).to_dict("records")
               for name, table in tables.items()}}  # fmt: skip


def audit_lines(audit: Audit, fingerprint: str, promised_inr: float) -> list[str]:
    """The audit in one screen.

    Args:
        promised_inr: net saving a year that the plan's own files tell.
    """
    row, sites, next_sites = audit_row(audit, fingerprint), audit.site_table, audit.next_sites()
    expected, happened = row["expected_inr_per_year"], row["happened_inr_per_year"]
    share = f", {100 * happened / expected:.0f} % of it" if expected > 0 else ""
    planned = sites[sites["planned"]]
    late = planned[(planned["months"] > 0) & (planned["months"] < MONTHS)]
    missing = planned[planned["months"] == 0]
    capital = [indian(row[f"{name}_inr_crore"]) for name in ("planned", "spent")]
    usd = [row[f"export_{name}_usd"] / USD_PER_BILLION for name in ("expected", "happened")]
    tonnes = [audit.districts[f"tonnes_{name}"].sum() / 1e6 for name in ("expected", "happened")]
    lines = [
        f"{audit.base.study.name}, audited for FY{row['fiscal_year']}",
        f"Saving          {crore(expected, 1)} a year expected, {crore(happened, 1)} happened{share}",
        *(f"  due to        {CAUSE_WORDS[cause]:<44}{_signed(row[f'{cause}_inr_per_year']):>16}" for cause in CAUSES),
        f"Exports         US$ {usd[0]:,.1f} bn expected, US$ {usd[1]:,.1f} bn happened; "
        f"{tonnes[0]:,.1f} and {tonnes[1]:,.1f} million t that hubs could serve",
        f"Sites           {len(planned)} planned, {row['sites_at_work']} at work ({len(late)} for part of the year) "
        f"and {row['other_sites_at_work']} beside the plan; ₹{capital[0]} crore planned, ₹{capital[1]} crore spent",
        f"Not at work     {_named(missing['name'].tolist())}",
        *_most("Districts", audit.districts, "district"),
        *_most("States", audit.states, "state"),
        f"From now        what stands saves {crore(row['standing_inr_per_year'], 1)} in a whole such year; with "
        f"{counted(len(next_sites['still']) + len(next_sites['new']), 'site')} more "
        f"(₹{indian(row['next_inr_crore'])} crore) it is {crore(row['next_inr_per_year'], 1)}",
        f"  of the plan   {_named(next_sites['still'])}",
        f"  new           {_named(next_sites['new'])}",
        f"  dropped       {_named(next_sites['dropped'])}",
        "                What happened is reckoned from the year's exports, rates and sites, not read from invoices.",
    ]  # fmt: skip
    if abs(promised_inr - expected) > WORTH_TELLING * max(abs(promised_inr), 1.0):
        lines.append(
            f"                The plan's files tell {crore(promised_inr, 1)} a year: data or version have changed."
        )
    return lines


def _signed(inr: float) -> str:
    return ("+" if inr >= 0 else "") + crore(inr, 1)


def _named(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more if names else "none"


def _most(label: str, table: pd.DataFrame, name: str) -> list[str]:
    """Who falls shortest, each with the cause that took most."""
    short = (table["expected_inr_per_year"] - table["happened_inr_per_year"]).to_numpy()
    order = [int(k) for k in np.argsort(-short, kind="stable")[:NAMED] if short[k] > 0]
    causes = table[[f"{cause}_inr_per_year" for cause in CAUSES]].to_numpy()
    told = [
        f"{table[name].iloc[k]} {crore(short[k], 1)} ({CAUSES[int(causes[k].argmin())].replace('_', ' ')})"
        for k in order
    ]
    return [f"{label:<16}fall shortest: {', '.join(told)}"] if told else []


def check_history(out: Path) -> None:
    """Raise InputError where a folder holds something else than audits."""
    if out.is_dir() and any(out.iterdir()) and not (out / HISTORY).is_file():
        remedy = "name the folder of earlier audits, or a new one"
        raise InputError(Fault(f"--out {out}: holds no {HISTORY}", remedy, column="--out", value=str(out)))


def write_audit(audit: Audit, fingerprint: str, out: Path, log: Announce) -> None:
    """Add a year to the folder of a plan's audits: ``history.csv``, and a folder of the year with its tables, the study
    from what stands now and its plan. All of it or nothing; a year that is there already is replaced.

    Raises:
        InputError: ``out`` holds something else, or files that were changed.
    """  # fmt: skip
    from siting.run import write_result

    check_history(out)
    year = f"FY{audit.year.fiscal_year}"
    row = pd.DataFrame([audit_row(audit, fingerprint)])
    with atomic_folder(out) as folder:
        if (out / HISTORY).is_file():
            shutil.copytree(out, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST))
            earlier = read_table(folder / HISTORY)
            row = pd.concat([earlier[earlier["fiscal_year"] != audit.year.fiscal_year], row])
            shutil.rmtree(folder / year, ignore_errors=True)
        write_csv(row.sort_values("fiscal_year"), folder / HISTORY)
        own = folder / year
        (own / "plan").mkdir(parents=True)
        for name, table in (
            ("audit_districts", audit.districts), ("audit_states", audit.states), ("audit_sites", audit.site_table),
        ):  # fmt: skip
            write_csv(table, own / f"{name}.csv")
        shutil.copyfile(audit.year.exports, own / audit.year.exports.name)
        study = audit.next_study
        data = {**study.data, "exports": out / year / audit.year.exports.name}
        (own / "next.toml").write_text(study_text(study.with_changes(data=data), out / year), encoding="utf-8")
        write_result(audit.next_plan, own / "plan", log)

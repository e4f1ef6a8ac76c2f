"""What the files of a result hold: every table, column, unit and meaning, as ``schema.csv`` lists them.

``python -m siting.results.schema`` prints ``docs/results.md``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

DType = Literal["text", "number", "whole", "yes/no", "list", "object"]

FILES = {
    "plan.json": "`plan.json`: totals, and the study as it was asked",
    "sites": "`sites.csv`: one row per open option, by saving; also layer `sites` of `study.gpkg`",
    "districts": "`districts.csv`: one row per district; also layer `districts` of `study.gpkg`, with polygons",
    "lanes": "`lanes.csv`: how every district's cargo moves with the plan, one row per part of a lane",
    "flows": "`flows.csv`: cargo by state and gateway, today and with the plan, beside customs records",
    "enabled": "`enabled.csv`: exports that the plan could enable, by district and sector",
    "movements": "Layer `lanes` of `study.gpkg`: movements of lanes through new sites, drawn on the networks",
    "gateways": "Layer `gateways` of `study.gpkg`: gateways of the study",
    "depots": "Layer `depots` of `study.gpkg`: inland depots of the study",
    "rules": "`rules.csv` of a study with rules: one row per limit",
    "phases": "`phases.csv` of a study with phases: one row per phase",
    "draws": "`draws.csv` of a run with draws: one row per draw; a column for every drawn parameter follows",
    "structure": "`structure.csv` of a run with `--structure`: the study with each choice of structure switched back",
    "levers": "`levers.csv` of a run with `--levers`: the plan beside what else could be done, or may happen",
    "tornado": "`tornado.csv` of a run with `--tornado`: sites chosen anew at both ends of what moves the saving most",
    "scenarios": "`scenarios.csv` of a batch of scenarios or a sweep, also `scenarios.parquet`: one row per scenario",
    "robust.json": "`robust.json` of `siting robust`: what is proven of plans held against several futures",
    "regret": "`regret.csv` of `siting robust`: one row per plan and future, plans by their greatest regret",
    "robust_plans": "`robust_plans.csv` of `siting robust`: one row per plan",
    "robust_sites": "`robust_sites.csv` of `siting robust`: one row per site that a plan of note builds",
    "alternatives.json": "`alternatives.json` of `siting alternatives --out`: how far near plans differ from the best",
    "near_plans": "`near_plans.csv` of `siting alternatives --out`: plans near the best, one row each",
    "alternatives": "`alternatives.csv` of `siting alternatives --out`: the best plan without, or with, each site",
    "history": "`history.csv` of a plan's audits: one row per year",
    "audit_districts": "`audit_districts.csv` of an audited year: one row per district",
    "audit_states": "`audit_states.csv` of an audited year: one row per state",
    "audit_sites": "`audit_sites.csv` of an audited year: one row per option planned or built",
}
LAYERS = {"districts": "districts", "sites": "sites", "lanes": "movements", "gateways": "gateways", "depots": "depots"}
"""table of each layer of ``study.gpkg``"""


@dataclass(frozen=True)
class Column:
    """A column of a table, or a key of ``plan.json`` (``before.mean_hours``, ``unreachable[].state``)."""

    table: str
    name: str
    dtype: DType
    unit: str
    may_be_empty: bool
    needed: bool
    """whether a result without it cannot be read; what was added later is not needed"""
    meaning: str


@cache
def columns(table: str) -> Mapping[str, Column]:
    """Return the columns of a table in their order."""
    return {column.name: column for column in _all() if column.table == table}


@cache
def _all() -> tuple[Column, ...]:
    text = files("siting.results").joinpath("schema.csv").read_text(encoding="utf-8")
    return tuple(
        Column(row["table"], row["column"], cast(DType, row["dtype"]), row["unit"], row["may_be_empty"] == "yes",
               row["needed"] == "yes", row["meaning"])
        for row in csv.DictReader(text.splitlines())
    )  # fmt: skip


def keys_of(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the keys of ``plan.json`` as the schema names them, with their values.

    >>> list(keys_of({"gap": 0.1, "before": {"mean_hours": 7.0}}))
    [('gap', 0.1), ('before.mean_hours', 7.0)]
    """
    known = columns("plan.json")
    for name, value in content.items():
        key = prefix + name
        if isinstance(value, Mapping) and key not in known:
            yield from keys_of(value, f"{key}.")
            continue
        yield key, value
        if isinstance(value, list) and key in known:
            for item in (item for item in value if isinstance(item, Mapping)):
                yield from keys_of(item, f"{key}[].")


def page() -> str:
    """Return ``docs/results.md``."""
    lines = [
        "# Files of a result",
        "",
        "Made by `python -m siting.results.schema` from `siting/results/schema.csv`; change it there.",
        "",
        "`siting run` writes a folder with `plan.json`, `sites.csv`, `districts.csv`, `lanes.csv`, `study.gpkg`, "
        "`report.html`, `brief.html` and `brief.hi.html` (two A4 pages) and `log.txt`, of a study with rules "
        "also `rules.csv`, with phases `phases.csv`, with `--draws` also `draws.csv`, with `--structure` also "
        "`structure.csv`, with `--levers` also `levers.csv`, with `--tornado` also `tornado.csv`, "
        "with `--xlsx` also `report.xlsx`; `siting scenarios` and "
        "`siting sweep` write a folder for each plan (without report and briefs unless asked), `scenarios.csv`, "
        "`scenarios.parquet`, `scenarios.svg`, `scenarios.html` and `log.txt`, with `--xlsx` also `scenarios.xlsx`; "
        "`siting robust` writes `regret.csv`, `robust_plans.csv`, `robust_sites.csv` and `robust.json`; "
        "`siting alternatives --out` `alternatives.csv`, `near_plans.csv` and `alternatives.json`; "
        "`siting audit --out` a folder for each year, and `history.csv`.",
        "CSV files are UTF-8 with a comma and a point; an empty cell is a missing value. A text that a spreadsheet "
        "would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a carriage return) has an apostrophe "
        "before it. `study.gpkg` is in WGS 84 (EPSG:4326).",
        "Ids link the tables: `district_id`, `depot_id` and `gateway_id` are those of the pack, `place_id` is any of "
        "them or the `site_id` of a planned site, `option_id` is what a study forces or forbids.",
    ]
    for table, title in FILES.items():
        lines += ["", f"## {table}", "", f"{title}.", "", "| Column | Type | Unit | Meaning |", "|---|---|---|---|"]
        for column in columns(table).values():
            kind = f"{column.dtype}, may be empty" if column.may_be_empty else column.dtype
            lines.append(f"| `{column.name}` | {kind} | {column.unit} | {column.meaning} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")

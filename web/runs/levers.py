"""Levers as switches of a question: what the study is with some of them pulled.

A worker that builds the model of a study tells its levers as plain values; the plan of a run with ``--levers`` tells
what each does to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from geodata.errors import InputError
from siting.model.model import Model
from siting.results.read import PlanTables, read_table
from siting.scenarios.lever_list import levers_of

ADDED = ("rules", "closed_gateways")  # to those of the study; of other lists a lever has its own
TOLD = ("key", "kind", "name", "setting", "note")
EFFECTS = ("plan_change_inr_per_year", "worth_inr_per_year")


def plain_levers(model: Model) -> list[dict[str, Any]]:
    """The levers of a study as values that JSON can hold."""
    told = [
        {"key": lever.key, "kind": lever.kind, "name": lever.variant.name, "setting": lever.setting, "note": lever.note,
         "changes": lever.variant.changes, "parameters": lever.variant.parameters}
        for lever in levers_of(model)
    ]  # fmt: skip
    return json.loads(json.dumps(told))  # type: ignore[no-any-return]


def with_levers(
    own: Mapping[str, Any], asked: Mapping[str, Any], levers: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a study's plain values as asked, with levers pulled.

    Of several levers lists are united, parameters and growth are those of the last that sets them, limits the largest.
    What is asked and is not the study's own stands beside what a lever sets.

    Args:
        own: values of the study.
        asked: the same with what the question changes.
    """
    values = dict(asked)
    for lever in levers:
        values["parameters"] = {**values["parameters"], **lever["parameters"]}
        for key, value in lever["changes"].items():
            untouched = key not in ADDED and values[key] == own[key]
            if untouched:
                values[key] = value
            elif isinstance(value, list):
                values[key] = values[key] + [one for one in value if one not in values[key]]
            elif isinstance(value, dict):
                values[key] = {**values[key], **value}
            elif values[key] == asked[key]:
                continue  # another budget than the study's is asked
            else:
                values[key] = max(values[key], value)
    return values


def told_levers(levers: Iterable[Mapping[str, Any]], plan: PlanTables | None) -> list[dict[str, Any]]:
    """Levers for a page, each with what it does to a plan where its result says so."""
    effects = {} if plan is None else _effects(plan)
    return [{**{name: lever[name] for name in TOLD}, **effects.get(lever["key"], dict.fromkeys(EFFECTS))}
            for lever in levers]  # fmt: skip


def _effects(plan: PlanTables) -> dict[str, dict[str, float | None]]:
    """What ``levers.csv`` of a result says, by lever; nothing where there is none, or it is damaged."""
    file = plan.path / "levers.csv"
    if not file.is_file():
        return {}
    try:
        table = read_table(file)
    except InputError:
        return {}
    if not {"lever", *EFFECTS} <= set(table):
        return {}
    return {
        str(row["lever"]): {name: float(row[name]) if np.isfinite(row[name]) else None for name in EFFECTS}
        for row in table.to_dict("records")
    }

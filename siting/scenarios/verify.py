"""Whether a result can be had again: its inputs, its files, and the same question asked anew."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from geodata.errors import InputError
from geodata.folders import changed_files
from geodata.pack import Pack, combined
from siting.model.model import build_model
from siting.money import crore
from siting.plan import make_plan
from siting.report.overrides import differing
from siting.results.read import PlanFolder, open_result
from siting.results.schema import keys_of
from siting.run import Log, appraised, write_result
from siting.scenarios.batch import kept_batch
from siting.scenarios.draws import evaluate_draws
from siting.scenarios.runner import Wanted, run_scenarios
from siting.solver import solver_name
from siting.study import DataSource, Study, fingerprint_of

ANEW = ("plan.json", "sites.csv", "districts.csv", "lanes.csv", "flows.csv", "rules.csv", "draws.csv")
"""Files that are the same byte for byte where question, data and version are."""
NAMED = 5  # sites and keys that a line names


def verify_plan(folder: Path, study: Study, given: Study | None = None, workers: int = 1) -> list[str]:
    """What is not as it was when a plan was written; nothing where the plan is the same.

    Args:
        folder: as ``siting run`` wrote it.
        study: what it answers.
        given: what a study file asks now.
        workers: processes that share draws.

    Raises:
        InputError: the folder holds no whole result, or the study no longer fits its data.
    """
    old = open_result(folder)
    lines = _asked_otherwise(old.summary, study.pack())
    if given is not None:
        told = differing(old.summary["resolved_study"], given.resolved())
        lines += [f"the study file asks otherwise: {line}" for line in told]
    lines += _changed(folder)
    plan = appraised(make_plan(build_model(study if given is None else given)))
    if (draws := old.summary["draws"]) is not None:
        anew = draws.get("saving") is not None
        plan = replace(plan, certainty=evaluate_draws(plan, draws["n"], anew=anew, workers=workers))
    with tempfile.TemporaryDirectory() as place:
        write_result(plan, Path(place), lambda stage: None, report=False)
        return lines + _differences(old, Path(place))


def verify_batch(folder: Path, data: Mapping[str, DataSource], workers: int = 1) -> list[str]:
    """The same of a folder that ``siting scenarios`` or ``siting sweep`` wrote.

    Args:
        data: files of the user's own, as a study names them.
    """
    batch, wanted = kept_batch(folder / "batch.json", data)
    old = {file.parent.name: open_result(file.parent) for file in sorted(folder.glob("*/plan.json"))}
    lines = _asked_otherwise(next(iter(old.values())).summary, batch.base.pack()) if old else []
    lines += _changed(folder)
    with tempfile.TemporaryDirectory() as place:
        again = Path(place) / "again"
        run_scenarios(batch, again, Log(True, 1), Wanted(**wanted, workers=workers))
        new = {file.parent.name for file in again.glob("*/plan.json")}
        lines += [f"{name}: has a plan {'no longer' if name in old else 'now'}" for name in sorted(old.keys() ^ new)]
        for name in sorted(old.keys() & new):
            lines += [f"{name}: {line}" for line in _differences(old[name], again / name)]
    return lines


def _asked_otherwise(summary: Mapping[str, Any], pack: Pack) -> list[str]:
    """Data and versions that are others than a plan was made with, and a plan.json that contradicts itself."""
    made_by, inputs = summary.get("version", "an older version"), summary.get("inputs", {})
    lines = [
        f"data: {layer} ({pack.files[layer].name if layer in pack.files else 'no longer there'}) is not what the plan "
        "was made from"
        for layer in dict.fromkeys([*inputs, *pack.checksums])
        if inputs.get(layer) != pack.checksums.get(layer)
    ]
    for what, then, now in (("siting", made_by, version("deh-siting")), ("solver", summary["solver"], solver_name())):
        lines += [f"version: {what} was {then} and is {now}"] if then != now else []
    if inputs and summary["fingerprint"] != fingerprint_of(summary["resolved_study"], combined(inputs), made_by):
        lines.append("plan.json: its fingerprint is not that of its study, data and version; it was edited")
    return lines


def _changed(folder: Path) -> list[str]:
    return [f"{name}: is not as siting wrote it" for name in changed_files(folder)]


def _differences(old: PlanFolder, again: Path) -> list[str]:
    """How a plan found anew differs from the one that is there."""
    files = [name for name in ANEW if _content(old.path / name) != _content(again / name)]
    if not files:
        return []
    new = open_result(again)
    lines = [f"found anew, {', '.join(files)} {'is' if len(files) == 1 else 'are'} not the same"]
    then, now = (dict(keys_of(plan.summary)) for plan in (old, new))
    keys = [key for key in dict.fromkeys([*then, *now]) if then.get(key) != now.get(key) and "[]" not in key]
    lines += [f"other values: {', '.join(keys[:NAMED])}{_more(len(keys))}"] if keys else []
    if then["saving_inr_per_year"] != now["saving_inr_per_year"]:
        saved = [crore(values["saving_inr_per_year"], 2) for values in (then, now)]
        lines.append(f"the plan saved {saved[0]} a year and now saves {saved[1]}")
    try:
        sites = [set(plan.sites["option_id"]) for plan in (old, new)]
    except InputError:  # edited until it is no table of ours
        return lines
    for words, names in (("no longer opens", sites[0] - sites[1]), ("now opens", sites[1] - sites[0])):
        lines += [f"{words} {', '.join(sorted(names)[:NAMED])}{_more(len(names))}"] if names else []
    return lines


def _more(count: int) -> str:
    return f" and {count - NAMED} more" if count > NAMED else ""


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None

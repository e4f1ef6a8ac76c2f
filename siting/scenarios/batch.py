"""Files of scenarios: a base study, named overrides, and a grid whose combinations are scenarios too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from geodata.errors import Fault, InputError
from geodata.toml_tables import read_tables
from siting.scenarios.variants import Variant
from siting.study import DataSource, Study, make_study, read_study, resolved_study, study_faults

MOST = 10_000  # scenarios of one file
PARAMETERS = "parameters."
SHORT = {"budget_inr_crore": "budget"}
"""Keys that names of folders shorten."""
NAME_CHARACTERS = 60  # of a scenario's folder: file systems limit names


@dataclass(frozen=True)
class Scenario:
    """A study under a name of its own, and the folder that its plan is written to."""

    name: str
    study: Study
    folder: str


@dataclass(frozen=True)
class Batch:
    """A base study and the scenarios made of it, in the order of their file."""

    base: Study
    scenarios: tuple[Scenario, ...]


def read_batch(path: Path) -> Batch:
    """Read a file of scenarios and the study it names.

    Raises:
        InputError: every fault of both files at once.
    """
    content = read_tables(path, ("scenario", "grid"), "scenario", "studies/scenarios/", texts=("study",))
    if "study" not in content:
        remedy = 'write study = "national.toml" above all tables, its path seen from this file'
        raise InputError(Fault("names no study", remedy, path.name, column="study"))
    values, faults = read_study(path.parent / content["study"])
    if not content.get("scenario") and not content.get("grid"):
        faults.append(Fault("holds no scenario", 'write [scenario."a name"] or [grid]', path.name))
    variants = []
    for name, keys in content.get("scenario", {}).items():
        variant, found = _variant(name, keys, path.name)
        variants.append(variant)
        faults += found
    of_grid, found = grid_of(content.get("grid", {}), path.name)
    faults += found
    if faults:
        raise InputError(faults)
    return batch_of(make_study(values), [*variants, *of_grid], path.name)


def keep_batch(batch: Batch, wanted: Mapping[str, Any], file: Path) -> None:
    """Write down what a batch asks, so that it can be asked again.

    Args:
        wanted: what else is wanted of each plan.
    """
    content = {
        "base": batch.base.resolved(),
        "scenarios": [
            {"scenario": each.name, "folder": each.folder, "study": each.study.resolved()} for each in batch.scenarios
        ],
        "wanted": dict(wanted),
    }
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def kept_batch(file: Path, data: Mapping[str, DataSource]) -> tuple[Batch, dict[str, Any]]:
    """The batch that was written down, and what else was wanted.

    Args:
        data: files of the user's own, which are kept by name only.

    Raises:
        InputError: the file is damaged, or the batch had other files.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        asked = [(each["scenario"], each["folder"], each["study"]) for each in content["scenarios"]]
        base, wanted = content["base"], dict(content["wanted"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "name a folder that siting scenarios wrote"
        raise InputError(Fault(f"cannot be read ({type(error).__name__})", remedy, file)) from None
    studies = [resolved_study(each, data, str(file)) for each in (base, *(study for _, _, study in asked))]
    scenarios = zip(asked, studies[1:], strict=True)
    return Batch(studies[0], tuple(Scenario(name, study, folder) for (name, folder, _), study in scenarios)), wanted


def batch_of(base: Study, variants: Sequence[Variant], source: str) -> Batch:
    """The scenarios that variants make of a study.

    Raises:
        InputError: two have one name.
    """
    names = [variant.name for variant in variants]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise InputError([Fault(f"scenario {name!r} is there twice", "name one otherwise", source) for name in twice])
    folders = _folders(names)
    made = zip(variants, folders, strict=True)
    return Batch(base, tuple(Scenario(variant.name, variant.of(base), folder) for variant, folder in made))


def grid_of(axes: Mapping[str, Any], source: str) -> tuple[list[Variant], list[Fault]]:
    """Every combination of the values of some keys of a study, and what is wrong with them.

    Args:
        axes: values by key; a key that begins with ``parameters.`` is a parameter.
    """
    faults, combinations = [], 1
    for key, values in axes.items():
        if not isinstance(values, list) or not values:
            what = f"[grid] {key} = {str(values)[:50]!r} is no list of values"
            faults.append(Fault(what, f'write "{key}" = [1, 2]', source, column=key))
            continue
        combinations *= len(values)
        for value in values:
            faults += _variant("grid", _keys({key: value}), source)[1]
    if combinations > MOST:
        faults.append(Fault(f"[grid] makes {combinations:,} scenarios", f"leave at most {MOST:,}", source))
    if faults or not axes:
        return [], faults
    found = []
    for values in product(*map(_different, axes.values())):
        chosen = dict(zip(axes, values, strict=True))
        name = ", ".join(f"{key.removeprefix(PARAMETERS)} = {_told(value)}" for key, value in chosen.items())
        variant, _ = _variant(name, _keys(chosen), source)
        found.append(variant)
    return found, faults


def _keys(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of a study from those of a grid."""
    keys = {key: value for key, value in chosen.items() if not key.startswith(PARAMETERS)}
    parameters = {key.removeprefix(PARAMETERS): value for key, value in chosen.items() if key.startswith(PARAMETERS)}
    return {**keys, "parameters": parameters} if parameters else keys


def _different(values: Sequence[Any]) -> list[Any]:
    """Values without repetitions; one number written in two ways is one."""
    return [value for k, value in enumerate(values) if value not in values[:k]]


def _told(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return " and ".join(value) or "none"
    return f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False).strip('"')


def _variant(name: str, keys: Any, source: str) -> tuple[Variant, list[Fault]]:
    """What a scenario replaces in its study, and what is wrong with it."""
    where = f"scenario {name!r}" if name != "grid" else "[grid]"
    if not isinstance(keys, Mapping):
        return Variant(name), [Fault(f"{where} is no table", f'write [scenario."{name}"]', source)]
    faults = [] if name.strip() else [Fault("a scenario has no name", 'write [scenario."a name"]', source)]
    for key in ("name", "data"):
        if key in keys:
            remedy = "its table is its name" if key == "name" else "write a study of these data and name it above"
            faults.append(Fault(f"{where} replaces {key}", remedy, source, column=key))
    found = study_faults({key: value for key, value in keys.items() if key not in ("name", "data")}, source)
    faults += [replace(fault, message=f"{where}: {fault.message}") for fault in found]
    if faults:
        return Variant(name), faults
    changes = vars(make_study({key: value for key, value in keys.items() if key != "parameters"}))
    changes = {key: value for key, value in changes.items() if key in keys and key != "parameters"}
    return Variant(name, changes, dict(keys.get("parameters", {}))), []


def _folders(names: Sequence[str]) -> Iterator[str]:
    """A folder for each scenario, the same for the same names: letters, figures, hyphens and points."""
    taken: set[str] = set()
    for name in names:
        short = name
        for key, word in SHORT.items():
            short = short.replace(key, word)
        plain = re.sub(r"[^\w.]+", "-", short.replace("_", "-").lower()).strip("-.")[:NAME_CHARACTERS] or "scenario"
        folder = next(
            tried for k in range(1, len(names) + 2) if (tried := plain if k == 1 else f"{plain}-{k}") not in taken
        )
        taken.add(folder)
        yield folder

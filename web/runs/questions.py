"""What-if questions: which study is asked, what is changed, and whether that can be a study at all."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from geodata.errors import Fault, InputError
from siting.model.names import Names, name_faults
from siting.parameters import Parameters, load_parameters
from siting.results.read import PlanTables
from siting.rules import rules_of
from siting.session import LIMITS
from siting.study import DataSource, Study, file_of, load_study, make_study, named, read_study, study_faults, with_paths
from web.results import is_text
from web.runs.levers import with_levers

RULES_OFF = "rules_off"  # names of rules of the study that are not asked to be kept
LEVERS = "levers"  # keys of levers that are pulled
CHANGES = ("budget_inr_crore", "forced", "forbidden", "closed_gateways", RULES_OFF, LEVERS)
MAX_TOLD = 20  # names that an error lists
MAX_NAMES = 1000  # in one list of a question
MAX_NAME_CHARACTERS = 80
JOINERS = {0x200C: None, 0x200D: None}  # between letters of Indian scripts; they have no shape of their own
LEADING = "national"  # the study whose plans are shown first
USUAL_GAP = 5e-4  # of the whole cost: half the seconds of 2e-4, nearly the same plans


@dataclass(frozen=True)
class Question:
    """A study to solve; ``base`` says where it comes from, ``changes`` how it differs from that."""

    base: Mapping[str, str]
    changes: Mapping[str, Any]
    values: Mapping[str, Any]
    """the changed study as plain values, paths of its own data included"""

    @cached_property
    def study(self) -> Study:
        return study_from(self.values)

    @property
    def model_key(self) -> str:
        """The same for questions that one model answers."""
        return model_key(self.values)


def model_key(values: Mapping[str, Any]) -> str:
    """Return what tells the models of studies apart: everything but limits and closed gateways, and files' times.

    A plan tells all parameters, a study file only those it changes; both are asked of one model.
    """
    kept = {key: value for key, value in values.items() if key not in LIMITS and key != "closed_gateways"}
    usual = _usual_parameters()
    kept["parameters"] = {key: float(value) for key, value in values["parameters"].items() if value != usual.get(key)}
    kept["data"] = stamped(values["data"])
    return sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def stamped(data: Mapping[str, Any]) -> list[tuple[str, Any, int]]:
    """Return layer, source and its time of writing (ns) of a study's own data: a file that is mended is another one."""
    files = {layer: file_of(source) for layer, source in data_from(data).items()}
    if "pack" in files:
        files["pack"] /= "manifest.json"
    return [
        (layer, data[layer], path.stat().st_mtime_ns if path.is_file() else 0) for layer, path in sorted(files.items())
    ]


@cache
def _usual_parameters() -> Parameters:
    return load_parameters()


def plain_values(study: Study) -> dict[str, Any]:
    """Return a study as values that JSON can hold; ``study_from`` takes them back."""
    values = {key: value for key, value in asdict(study).items() if key not in ("parameters", "data")}
    values["parameters"] = dict(study.parameters)
    values["data"] = {
        layer: with_paths(source, lambda path: str(path.absolute())) for layer, source in study.data.items()
    }
    return json.loads(json.dumps(values))  # type: ignore[no-any-return]


def study_from(values: Mapping[str, Any]) -> Study:
    """Return the study of plain values."""
    return make_study({**values, "data": data_from(values["data"])})


def data_from(plain: Mapping[str, Any]) -> dict[str, DataSource]:
    """Return the data of a study from plain values."""
    return {
        layer: {k: Path(v) if k in ("file", "aliases") else v for k, v in source.items()}
        if isinstance(source, dict)
        else Path(source)
        for layer, source in plain.items()
    }


class Studies:
    """The study files in a folder, by the stem of their names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._known: dict[tuple[str, int], bool] = {}

    def knows(self, plan: PlanTables) -> bool:
        """Whether the study of a plan can be had; a plan found to have one is not asked again."""
        if not self._known.get(plan.identity):
            self._known[plan.identity] = self.of_plan(plan) is not None
        return self._known[plan.identity]

    def listed(self) -> list[dict[str, Any]]:
        """Id, name and budget of each; a broken one with its faults."""
        told: list[dict[str, Any]] = []
        for key in self.keys():
            try:
                study = self.study(key)
            except InputError as error:
                told.append({"id": key, "name": key, "budget_inr_crore": None, "problems": error.problems})
            else:
                told.append({"id": key, "name": study.name, "budget_inr_crore": study.budget_inr_crore})
        return told

    def title(self, key: str) -> str | None:
        """Name of the study of a file; None where there is none, or a broken one."""
        return next((str(told["name"]) for told in self.listed() if told["id"] == key and "problems" not in told), None)

    def keys(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.toml") if path.is_file() and is_text(path.stem))

    def study(self, key: str) -> Study:
        """The study of a name that ``keys`` lists.

        Raises:
            KeyError: when there is no such file.
            InputError: when the file is at fault.
        """
        if key not in self.keys():
            raise KeyError(key)
        return load_study(self.folder / f"{key}.toml")

    def of_plan(self, plan: PlanTables) -> Study | None:
        """The study that a result was made of; None where it cannot be had again.

        A result names the files it replaced layers with, but not their folder: only a study file here tells it.
        """
        resolved = dict(plan.summary.get("resolved_study") or {})
        names = resolved.pop("data", {})
        if not resolved or study_faults(resolved, plan.key):
            return None
        data = self._data(names)
        return None if data is None else make_study({**resolved, "data": data})

    def _data(self, names: Mapping[str, Any]) -> Mapping[str, DataSource] | None:
        if not names:
            return {}
        for key in self.keys():
            try:
                data = read_study(self.folder / f"{key}.toml")[0].get("data", {})
            except InputError:
                continue
            if {layer: named(source) for layer, source in data.items()} == names:
                return dict(data)
        return None


def ask(
    base: Mapping[str, str],
    study: Study,
    changes: Any,
    gap: Any,
    names: Names,
    levers: Sequence[Mapping[str, Any]] = (),
) -> Question:
    """Return the question of a study with changes.

    Args:
        names: which names of sites and gateways there are.
        levers: of the study, as far as its model is known.

    Raises:
        InputError: everything wrong with changes and gap.
    """
    if not isinstance(changes, dict):
        raise InputError(Fault(f"changes = {changes!r} is not an object", f"give {{}} or any of {', '.join(CHANGES)}"))
    faults = [
        Fault(f"unknown key {key!r}", f"known: {', '.join(CHANGES)}", "changes", column=key)
        for key in changes
        if key not in CHANGES
    ]
    known = {key: value for key, value in changes.items() if key in CHANGES}
    faults += _faults_of_rules(study, known) + _faults_of_levers(levers, known)
    limits = {key: value for key, value in known.items() if key not in (RULES_OFF, LEVERS)}
    faults += study_faults({**limits, "gap": gap}, "changes")
    for key, value in known.items():
        if isinstance(value, list) and len(value) > MAX_NAMES:
            faults.append(Fault(f"{key} has {len(value)} names", f"give at most {MAX_NAMES}", "changes", column=key))
    faults = faults or name_faults(known, names, "changes")
    if faults:
        raise InputError(faults)
    known = {key: sorted(set(value)) if isinstance(value, list) else value for key, value in known.items()}
    limits = {key: value for key, value in known.items() if key not in (RULES_OFF, LEVERS)}
    own = plain_values(study)
    if off := known.get(RULES_OFF):
        named_rules = zip(own["rules"], rules_of(study.rules), strict=True)
        limits["rules"] = [plain for plain, rule in named_rules if rule.name not in off]
    pulled = [lever for lever in levers if lever["key"] in known.get(LEVERS, [])]
    return Question(base, known, with_levers(own, {**own, **limits, "gap": gap}, pulled))


def _faults_of_rules(study: Study, changes: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with the names of the rules that a question leaves out."""
    names = [rule.name for rule in rules_of(study.rules)]
    remedy = f"the study's are {', '.join(names[:MAX_TOLD])}" if names else "the study has no rules"
    return _unknown(RULES_OFF, changes.get(RULES_OFF, []), names, remedy)


def _faults_of_levers(levers: Sequence[Mapping[str, Any]], changes: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with the levers that a question pulls."""
    keys = [lever["key"] for lever in levers]
    remedy = f"the study's are {', '.join(keys)}" if keys else "its model is being built; try again in a few seconds"
    return _unknown(LEVERS, changes.get(LEVERS, []), keys, remedy)


def _unknown(column: str, asked: Any, names: Sequence[str], remedy: str) -> list[Fault]:
    """Faults of a list of names of which only some are known."""
    if not isinstance(asked, list) or not all(isinstance(name, str) for name in asked):
        return [Fault(f"{column} = {str(asked)[:50]!r} is no list of names", "give a list", "changes", column=column)]
    return [
        Fault(f"{column} names unknown {name[:50]!r}", remedy, "changes", column=column)
        for name in asked
        if name not in names
    ]


def file_stem(name: str) -> str:
    """Return the name of a study as a file's: ASCII lower case words joined by hyphens.

    Raises:
        InputError: when it is no name for a study.
    """
    shown = name.translate(JOINERS) if isinstance(name, str) else ""
    if not shown.strip() or len(name) > MAX_NAME_CHARACTERS or not shown.isprintable():
        remedy = f"give a text of 1 to {MAX_NAME_CHARACTERS} characters"
        raise InputError(Fault(f"name = {str(name)[:100]!r}", remedy, column="name", value=name))
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = "-".join(re.findall(r"[a-z0-9]+", text))
    # A name without Latin letters, or of signs that are many letters each, needs a file too, the same one each time.
    mark = sha256(name.encode()).hexdigest()[:8]
    return stem if 0 < len(stem) <= MAX_NAME_CHARACTERS else f"{stem[:MAX_NAME_CHARACTERS] or 'study'}-{mark}"

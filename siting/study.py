"""A study: what is asked, read from a TOML file and checked as a whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from geodata.errors import Fault, InputError
from geodata.hints import hint
from geodata.pack import INDIA, REPLACEABLE, Pack, open_pack
from geodata.toml_tables import read_tables
from siting.parameters import Parameters, load_parameters
from siting.phases import Phase, phase_faults, phases_of, total_inr_crore
from siting.rules import rule_faults
from siting.value_checks import Check, fractions, number, one_of, text, texts, whole, yes_or_no

OFFICE_TABLES = (".xlsx", ".xlsm")  # endings that no layer of a pack has
FACILITY_TYPES = ("warehouse", "cold_store", "cargo_terminal", "mmlp")
TONNAGE_BASES = ("current", "potential")
LISTS = ("facility_types", "leaders", "forced", "forbidden", "closed_gateways", "upgraded_roads", "refund_states")
"""Keys that hold a list of texts."""


DataSource = Path | Mapping[str, Any]
"""A file in the schema of a pack, or what an area file would say of a table: ``file`` and how to read it."""


@dataclass(frozen=True)
class Study:
    """One question to the model. Field names are the keys of a study file's ``[study]`` table.

    Args:
        name: title of the report.
        budget_inr_crore: capital that may be spent on sites; with phases, that of all of them, which are scaled to it.
        facility_types: what may be built.
        tonnage_basis: ``current`` exports, or ``potential``: what an under-utilised district would export at the
            ``potential_percentile`` of districts of its kind (:mod:`siting.model.potential`), never a forecast.
        leader_share: districts that make this first share of exports are leaders, all others under-utilised.
        leaders: ``district_id`` of the leaders, where they are named and not found by ``leader_share``: those of an
            earlier year, or all that an official list leaves out.
        leader_weight: what a rupee of the leaders counts, in the choice of sites and in every sum of money of the
            answer alike; 0 leaves them out of both.
        leaders_use_sites: whether cargo of the leaders that does not count may go through what is built, where that
            costs it less than today by the port and mode that it takes anyway (:mod:`siting.leaders`).
        capital_charge: whether the choice pays a year for the capital it spends, spread over the appraisal period at
            the discount rate, so that it opens a site only where that adds more than it costs in all; without, every
            site that saves more a year than it costs to run, as far as the budget goes.
        forced: options that must open, ``type-tier@place``.
        forbidden: sites that must stay closed, ``type@place`` or a place for all types.
        closed_gateways: ``gateway_id`` of gateways that take no cargo.
        upgraded_roads: ``corridor_id`` of road corridors, and states, whose roads are upgraded
            (``road_upgrade_cut``).
        refund_states: states whose small firms get part of their freight refunded (``freight_refund``).
        export_growth: by what fraction the exports of a district (``district_id``) or of all districts of a state grow,
            before anything is built; leaders stay those of today (table ``[study.export_growth]``).
        shippers: parts of a client on the mean, each with its own taste for gateways and for rail, as calibrated on
            observed flows; clients that pay more have more; 0 sends all cargo of a client the way that costs least.
        seed: of the quasi-random draws.
        draws: joint draws of the uncertain parameters in which a run holds the plan's own sites; 0 leaves that out.
        gap: relative gap at which an answer counts as proven; of the whole cost, of which sites save a few percent.
        time_limit_s: solver time; the best plan found so far is kept.
        rules: what every plan must keep besides the budget (tables ``[[rules]]``, :mod:`siting.rules`).
        phases: periods with a budget and a demand of their own (tables ``[[phases]]``, :mod:`siting.phases`); then the
            budget, where none is given, is theirs together. All that is told of a plan's cargo is of the last one.
        parameters: values that replace those of ``siting/parameters.csv`` (table ``[parameters]``).
        data: files that replace layers of the bundled pack, and under ``pack`` a folder that replaces all of it
            (table ``[data]``, paths relative to the study). A file in the schema of the pack is a path, any other table
            of the user's own what an area file would say of it (``[data.exports]``).
    """

    name: str = "Study"
    budget_inr_crore: float = 10_000.0
    facility_types: tuple[str, ...] = FACILITY_TYPES
    tonnage_basis: str = "current"
    potential_percentile: float = 50.0
    leader_share: float = 0.75
    leaders: tuple[str, ...] = ()
    leader_weight: float = 0.0
    leaders_use_sites: bool = False
    capital_charge: bool = True
    forced: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    closed_gateways: tuple[str, ...] = ()
    upgraded_roads: tuple[str, ...] = ()
    refund_states: tuple[str, ...] = ()
    export_growth: Mapping[str, float] = field(default_factory=dict)
    shippers: int = 4
    seed: int = 1
    draws: int = 20
    gap: float = 1e-4
    time_limit_s: float = 60.0
    rules: tuple[Mapping[str, Any], ...] = ()
    phases: tuple[Mapping[str, Any], ...] = ()
    parameters: Mapping[str, float] = field(default_factory=dict)
    data: Mapping[str, DataSource] = field(default_factory=dict)

    def pack(self) -> Pack:
        """Open the study's pack, or the bundled one, with the study's own files in place of its layers."""
        return open_data(self.data)

    def periods(self) -> tuple[Phase, ...]:
        """The phases, their budgets scaled to that of the study."""
        return phases_of(self.phases, self.budget_inr_crore)

    def refuse_phases(self, asked: str, of_result: bool = False) -> None:
        """Raise InputError where the study has phases, which what is asked of it or its result does not know."""
        if self.phases:
            without = f"leave [[phases]] out and give budget_inr_crore = {self.budget_inr_crore:g}"
            remedy = f"{without}, run that and ask its result" if of_result else without
            raise InputError(Fault(f"{asked} asks a study without phases", remedy, self.name, column="phases"))

    def parameter_values(self) -> Parameters:
        """Return all parameters with this study's overrides."""
        return load_parameters().with_overrides(self.parameters)

    def with_changes(self, **changes: Any) -> Study:
        """Return the same study with some fields replaced."""
        return replace(self, **changes)

    def resolved(self) -> dict[str, Any]:
        """Return everything the answer depends on besides the pack, as plain data."""
        plain = {k: v for k, v in asdict(self).items() if k not in ("data", "parameters")}
        plain["parameters"] = dict(sorted(self.parameter_values().items()))
        plain["data"] = {layer: named(source) for layer, source in sorted(self.data.items())}
        return json.loads(json.dumps(plain))  # type: ignore[no-any-return]

    def fingerprint(self, pack: Pack) -> str:
        """SHA-256 of the resolved study, the pack's contents and the package version."""
        return fingerprint_of(self.resolved(), pack.checksum, version("deh-siting"))


def fingerprint_of(resolved: Mapping[str, Any], pack_checksum: str, made_by: str) -> str:
    """SHA-256 of a resolved study, the checksum of its pack and a version of this package."""
    text = json.dumps({"study": resolved, "pack": pack_checksum, "version": made_by}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def open_data(data: Mapping[str, DataSource]) -> Pack:
    """Open what the ``[data]`` table of a study names; raises InputError for missing layers."""
    tables = {layer: source for layer, source in data.items() if not isinstance(source, Path)}
    readers = {}
    if tables:
        from geodata.ingest.layers import layer_reader  # reading other people's tables takes half a second to load

        readers = {layer: layer_reader(layer, values) for layer, values in tables.items()}
    files = {layer: file_of(source) for layer, source in data.items()}
    return open_pack(files.pop("pack", INDIA), files, readers)


def file_of(source: DataSource) -> Path:
    """The file that a layer is read from."""
    return source if isinstance(source, Path) else Path(source["file"])


def with_paths(source: DataSource, change: Callable[[Path], Any]) -> Any:
    """A source with each of its paths changed; its other values are as they were."""
    if isinstance(source, Path):
        return change(source)
    return {key: change(value) if isinstance(value, Path) else value for key, value in source.items()}


def named(source: DataSource) -> Any:
    """A source by the names of its files; a table of aliases, which is no layer, by its content too."""
    names = with_paths(source, lambda path: path.name)
    if not isinstance(source, Path) and "aliases" in source:
        names["aliases_sha256"] = hashlib.sha256(source["aliases"].read_bytes()).hexdigest()
    return names


_CHECKS: dict[str, Check] = {
    "name": text,
    "budget_inr_crore": number(0, 1e7),
    "facility_types": texts(FACILITY_TYPES),
    "tonnage_basis": one_of(*TONNAGE_BASES),
    "potential_percentile": number(0, 100),
    "leader_share": number(0, 1),
    "leaders": texts(),
    "leader_weight": number(0, 1),
    "leaders_use_sites": yes_or_no,
    "capital_charge": yes_or_no,
    "forced": texts(),
    "forbidden": texts(),
    "closed_gateways": texts(),
    "upgraded_roads": texts(),
    "refund_states": texts(),
    "export_growth": fractions(-1.0, 10.0),
    "shippers": whole(0, 32),
    "seed": whole(0, 2**31 - 1),
    "draws": whole(0, 10_000),
    "gap": number(0, 0.5),
    "time_limit_s": number(0.1, 86_400),
}


def load_study(path: Path) -> Study:
    """Read and check a study file.

    Raises:
        InputError: every fault of the file at once.

    Examples:
        >>> study = load_study(Path("studies/national.toml"))
        >>> study.with_changes(budget_inr_crore=1000).budget_inr_crore
        1000
    """
    values, faults = read_study(path)
    if faults:
        raise InputError(faults)
    return make_study(values)


def read_study(path: Path) -> tuple[dict[str, Any], list[Fault]]:
    """Read a study file.

    Returns:
        The values for ``make_study``, as far as they can be read, and every fault of the file.

    Raises:
        InputError: when the file cannot be read as a study at all.
    """
    content = read_tables(path, ("study", "parameters", "data"), "study", "studies/", lists=("rules", "phases"))
    if not content.get("study"):
        raise InputError(Fault("empty study", "give a [study] table, see studies/national.toml", path.name))
    values = {**content["study"], "parameters": content.get("parameters", {})}
    values |= {key: content[key] for key in ("rules", "phases") if key in content}
    faults = study_faults(values, path.name)
    values["data"] = {}
    for layer, source in content.get("data", {}).items():
        values["data"][layer], found = _data_source(path, layer, source)
        faults += found
        if found:
            del values["data"][layer]
    return values, faults


def _data_source(path: Path, layer: str, source: Any) -> tuple[DataSource, list[Fault]]:
    """What a study says of a layer, with paths seen from its file, and what is wrong with it."""
    what, remedy = "", ""
    if layer not in ("pack", *REPLACEABLE):
        what, remedy = f"[data] {layer}: unknown layer", hint(layer, ("pack", *REPLACEABLE))
    elif isinstance(source, dict) or (isinstance(source, str) and Path(source).suffix.lower() in OFFICE_TABLES):
        from geodata.ingest.area import layer_table
        from geodata.ingest.layers import TABLES

        if layer in TABLES:
            table = source if isinstance(source, dict) else {"file": source}
            return layer_table(path, layer, table, f"data.{layer}")
        what = f"[data] {layer} = {source!r}: is read from a file of the pack's own schema only"
        remedy = "build a pack with `siting pack build` and name it with pack = '...'"
    elif isinstance(source, str) and (path.parent / source / ("manifest.json" if layer == "pack" else "")).is_file():
        return path.parent / source, []
    elif layer == "pack":
        what = f"[data] pack = {source!r}: no pack there"
        remedy = "name a folder written by `siting pack build`, relative to the study"
    else:
        what, remedy = f"[data] {layer} = {source!r}: no such file", "paths are relative to the study"
    return Path(), [Fault(what, remedy, path.name, column=layer, value=source)]


@contextmanager
def told_by_file(study: Study, path: Path) -> Iterator[None]:
    """Faults of a study that come up while it is worked on name its file, not its title."""
    try:
        yield
    except InputError as error:
        faults = [replace(fault, file=path.name) if fault.file == study.name else fault for fault in error.faults]
        raise error.with_faults(faults) from None


def study_faults(values: Mapping[str, Any], source: str) -> list[Fault]:
    """List what is wrong with values for ``make_study``; each fault names ``source``, the key and the remedy."""

    def fault(message: str, remedy: str) -> Fault:
        return Fault(message, remedy, source, column=key, value=value)

    faults = []
    for key, value in values.items():
        if key in ("parameters", "data"):
            continue
        if key == "rules":
            faults += rule_faults(value, source, FACILITY_TYPES)
        elif key == "phases":
            faults += phase_faults(value, source)
        elif key not in _CHECKS:
            faults.append(fault(f"unknown key '{key}'", hint(key, [*_CHECKS, "rules", "phases"])))
        elif (wrong := _CHECKS[key](value)) is not None:
            faults.append(fault(f"{key} = {value!r} {wrong[0]}", wrong[1]))
    known, parameters = load_parameters(), values.get("parameters", {})
    if not isinstance(parameters, Mapping):
        key, value, parameters = "parameters", parameters, {}
        faults.append(fault(f"parameters = {str(value)[:50]!r} are no table", "write [parameters] and a line for each"))
    for key, value in parameters.items():
        if key not in known:
            faults.append(fault(f"unknown parameter '{key}'", hint(key, known)))
        elif (wrong := known.rows[key].fault(value)) is not None:
            faults.append(fault(f"parameter {key} = {value!r} {wrong[0]}", wrong[1]))
    return faults


def make_study(values: Mapping[str, Any]) -> Study:
    """Build a study from checked plain values."""
    lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
    whole = {key: int(values[key]) for key in ("shippers", "seed", "draws") if key in values}
    budget = {}
    if values.get("phases") and "budget_inr_crore" not in values:
        budget = {"budget_inr_crore": total_inr_crore(values["phases"])}
    return Study(**{**values, **lists, **whole, **budget})


def resolved_study(resolved: Mapping[str, Any], data: Mapping[str, DataSource], source: str) -> Study:
    """The study that a result was made of, from ``resolved_study`` of its ``plan.json``.

    Args:
        data: the user's own files, of which a result knows the names only.
        source: what faults are told of.

    Raises:
        InputError: the result was made from other files, or its study is none of this version.
    """
    names = resolved.get("data", {})
    if {layer: named(origin) for layer, origin in data.items()} != names:
        told = ", ".join(f"{layer} = {origin!r}" for layer, origin in names.items()) or "the bundled pack alone"
        remedy = "name the study file that it was made from with --study"
        raise InputError(Fault(f"this result was made from {told}", remedy, source))
    values = {key: value for key, value in resolved.items() if key != "data"}
    if faults := study_faults(values, source):
        raise InputError(faults)
    usual = load_parameters()
    values["parameters"] = {key: value for key, value in values["parameters"].items() if value != usual[key]}
    return make_study({**values, "data": dict(data)})


def study_text(study: Study, folder: Path) -> str:
    """Return a study as the text of a study file that stands in ``folder``; only what differs from the defaults.

    Reading it gives a study of the same fingerprint.
    """
    plain, usual = Study(), load_parameters()
    keys = [key for key in _CHECKS if key != "name" and getattr(study, key) != getattr(plain, key)]
    if study.phases and "budget_inr_crore" not in keys:
        keys.append("budget_inr_crore")  # else it is theirs together
    lines = ["[study]", *(f"{key} = {_toml(getattr(study, key))}" for key in ("name", *keys))]
    changed = {key: value for key, value in sorted(study.parameters.items()) if value != usual[key]}
    if changed:
        lines += ["", "[parameters]", *(f"{key} = {_toml(value)}" for key, value in changed.items())]
    data = {
        layer: with_paths(source, lambda path: Path(os.path.relpath(path, folder)).as_posix())
        for layer, source in sorted(study.data.items())
    }
    for name, tables in (("rules", study.rules), ("phases", study.phases)):
        for table in tables:
            lines += ["", f"[[{name}]]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    if data:
        lines += ["", "[data]", *(f"{layer} = {_toml(source)}" for layer, source in data.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """A value in TOML, which writes texts, numbers and lists as JSON does but for the DEL character."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

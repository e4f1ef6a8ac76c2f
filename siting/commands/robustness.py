"""``robust`` and ``alternatives``: plans beside a study's own, held against several futures and against its cost."""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geodata.errors import Fault, InputError
from siting.commands.arguments import (
    NO_PROOF,
    add_command,
    count_of,
    read_study_of,
    study_arguments,
    study_of_result,
    tell,
    value_of,
)

if TYPE_CHECKING:
    from siting.scenarios.robust import Futures
    from siting.study import Study

DRAWS = 10
WITHIN = 0.01


def add(commands: Any) -> None:
    """Add the commands to the parser's collection."""
    robust = add_command(
        commands, "robust", _robust, "hold plans of a study against several futures: regret, and the best on average"
    )
    study_arguments(robust, "study, whose draws are the futures, or file of scenarios, which are (TOML)")
    robust.add_argument("--draws", type=count_of, help=f"joint draws of a study's parameters (default: {DRAWS})")
    robust.add_argument("--out", type=Path, help="folder for the tables (default: results/FILE-robust)")

    near = add_command(
        commands, "alternatives", _alternatives, "tell how far plans that save little less differ from that of a result"
    )
    near.add_argument("folder", type=Path, help="result of siting run")
    near.add_argument(
        "--within", type=share_of, default=WITHIN, help="part of its saving that they may save less (default: 1%%)"
    )
    near.add_argument("--others", type=count_of, default=5, help="sites beside its own that are looked at (default: 5)")
    near.add_argument("--time-limit", help="seconds for each search (default: the study's)")
    near.add_argument("--out", type=Path, help="folder for the tables (default: they are not written)")
    near.add_argument("--study", type=Path, help="study file of a result that was made from own data")


def share_of(text: str) -> float:
    """A share, as 1% or 0.01."""
    try:
        share = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no share; write 1% or 0.01")
    return share


def progress_of(arguments: argparse.Namespace) -> Callable[[str], None]:
    """Tells on standard error what is worked on, unless only the result is wanted."""
    silent = arguments.json or getattr(arguments, "quiet", False)
    return lambda what: None if silent else print(f"... {what}", file=sys.stderr)


def _robust(arguments: argparse.Namespace) -> int:
    from geodata.folders import check_replaceable
    from siting.report.robust import robust_lines
    from siting.scenarios.robust import ROBUST_FILES, robust_plans, write_robust
    from siting.study import told_by_file

    out = arguments.out or Path("results") / f"{arguments.study.stem}-robust"
    progress = progress_of(arguments)
    study, make = _futures_of(arguments, progress)
    check_replaceable(out, ROBUST_FILES)
    tell(study.parameter_values().warnings())
    with told_by_file(study, arguments.study):
        plans = robust_plans(make(), progress)
    write_robust(plans, out)
    summary = plans.summary()
    if arguments.json:
        print(json.dumps(summary, ensure_ascii=False))
    else:
        print("\n".join(robust_lines(summary, plans.plan_table(), plans.site_table())))
        print(f"Tables: {out / 'regret.csv'}, {out / 'robust_plans.csv'}, {out / 'robust_sites.csv'}")
    return 0 if plans.proven else NO_PROOF


def _alternatives(arguments: argparse.Namespace) -> int:
    from geodata.folders import check_replaceable
    from siting.model.model import build_model
    from siting.plan import make_plan
    from siting.report.alternatives import alternatives_lines
    from siting.results.read import open_result
    from siting.scenarios.alternatives import ALTERNATIVES_FILES, alternatives, write_alternatives
    from siting.study import study_faults

    given = {} if arguments.time_limit is None else {"time_limit_s": value_of(arguments.time_limit)}
    if faults := study_faults(given, "command line"):
        raise InputError(faults)
    study = study_of_result(open_result(arguments.folder), arguments.study).with_changes(**given)
    study.refuse_phases("siting alternatives", of_result=True)
    if arguments.out is not None:
        check_replaceable(arguments.out, ALTERNATIVES_FILES)
    progress = progress_of(arguments)
    found = alternatives(make_plan(build_model(study)), arguments.within, others=arguments.others, progress=progress)
    if arguments.out is not None:
        write_alternatives(found, arguments.out)
    if arguments.json:
        print(json.dumps(found.summary(), ensure_ascii=False))
    else:
        print("\n".join(alternatives_lines(found.summary(), found.plan_table(), found.site_table())))
    return 0 if found.proven else NO_PROOF


def _futures_of(arguments: argparse.Namespace, progress: Callable[[str], None]) -> tuple[Study, Callable[[], Futures]]:
    """The study whose plans are held against futures, and what makes these."""
    from siting.scenarios.batch import read_batch
    from siting.scenarios.robust import drawn_futures, named_futures
    from siting.study import study_faults

    if not _holds_scenarios(arguments.study):
        study = read_study_of(arguments)
        draws = DRAWS if arguments.draws is None else arguments.draws
        if not draws:
            raise InputError(Fault("no draws are no futures", "ask for one or more", "command line", None, "--draws"))
        return study, lambda: drawn_futures(study, draws, progress)
    faults = [
        Fault(f"--{name} is of a study; the futures of a file are its scenarios", "leave it out", "command line",
              column=f"--{name}")
        for name in ("draws", "set") if getattr(arguments, name)
    ]  # fmt: skip
    given = {"gap": arguments.gap, "time_limit_s": arguments.time_limit}
    changes = {key: value_of(text) for key, text in given.items() if text is not None}
    if faults := [*faults, *study_faults(changes, "command line")]:
        raise InputError(faults)
    batch = read_batch(arguments.study)
    batch = replace(batch, base=batch.base.with_changes(**changes))
    return batch.base, lambda: named_futures(batch, progress)


def _holds_scenarios(path: Path) -> bool:
    """Whether a file names a study and is none; what cannot be read is told by who reads it."""
    try:
        return isinstance(tomllib.loads(path.read_text(encoding="utf-8-sig")).get("study"), str)
    except (OSError, ValueError, RecursionError):
        return False

"""``run``, ``sweep`` and ``check``: what is asked of a study file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from geodata.errors import Fault, InputError
from siting.commands.arguments import (
    NO_PROOF,
    add_command,
    count_of,
    read_study_of,
    study_arguments,
    tell,
    value_of,
)


def add(commands: Any) -> None:
    """Add the commands to the parser's collection."""
    run = add_command(commands, "run", _run, "solve a study and write its plan")
    study_arguments(run)
    run.add_argument("--budget", help="₹ crore, replaces the study's")
    run.add_argument("--out", type=Path, help="folder for the result (default: results/STUDY)")
    run.add_argument(
        "--keep-best", action="store_true", help="on Ctrl-C or SIGTERM, write the best plan found so far, unproven"
    )
    run.add_argument("--draws", type=count_of, default=0, help="joint draws of the uncertain parameters (default: 0)")
    run.add_argument(
        "--structure", action="store_true", help="also solve it with each choice of structure switched back"
    )
    run.add_argument("--levers", action="store_true", help="also solve it with each lever in place, in levers.csv")
    run.add_argument("--workers", type=count_of, help="processes that share what is asked (default: 1)")
    run.add_argument("--scheduler", help="dask scheduler whose workers do what is asked, as tcp://host:8786")

    budgets = add_command(commands, "sweep", _sweep, "solve a study for several budgets")
    study_arguments(budgets)
    budgets.add_argument("budgets", nargs="+", metavar="BUDGET", help="₹ crore")
    budgets.add_argument("--out", type=Path, help="folder for the results (default: results/STUDY-sweep)")
    budgets.add_argument("--scheduler", help="dask scheduler whose workers solve the budgets, as tcp://host:8786")

    check = add_command(commands, "check", _check, "check a study and its data, and list all faults")
    check.add_argument("study", type=Path)


def _run(arguments: argparse.Namespace) -> int:
    from siting.report.brief import plan_lines
    from siting.results.tables import sites_table, summary
    from siting.run import Asked, Log, run_study
    from siting.stages import BUILD_STAGES, PLAN_STAGES
    from siting.study import told_by_file

    _check_who_works(arguments)
    study = read_study_of(arguments)
    out = arguments.out or Path("results") / arguments.study.stem
    log = Log(arguments.quiet or arguments.json, len(BUILD_STAGES + PLAN_STAGES))
    with told_by_file(study, arguments.study):
        workers = max(arguments.workers or 1, 1)
        asked = Asked(
            arguments.draws, arguments.structure, arguments.levers, workers=workers, scheduler=arguments.scheduler
        )
        plan = run_study(study, out, log, keep_best=arguments.keep_best, asked=asked)
    tell(log.notes)
    if arguments.json:
        print(json.dumps(summary(plan), ensure_ascii=False))
    else:
        print("\n".join(plan_lines(summary(plan), sites_table(plan))))
        print(f"Report: {out / 'report.html'}")
    return 0 if plan.solution.status == "optimal" else NO_PROOF


def _check_who_works(arguments: argparse.Namespace) -> None:
    """Raise InputError where workers or a scheduler are named who would have nothing to do."""
    named = [name for name in ("workers", "scheduler") if getattr(arguments, name) is not None]
    faults = []
    if named and not (arguments.draws or arguments.structure or arguments.levers):
        faults = [
            Fault(
                f"--{name} shares out draws, choices of structure and levers, and none are asked for",
                "add --draws, --structure or --levers, or leave it out", "command line", None, f"--{name}",
                getattr(arguments, name),
            )
            for name in named
        ]  # fmt: skip
    elif len(named) > 1:
        what = "--workers and --scheduler both say who does the work"
        faults = [Fault(what, "leave one of them out", "command line", column="--workers", value=arguments.workers)]
    if faults:
        raise InputError(faults)


def _sweep(arguments: argparse.Namespace) -> int:
    from siting.report.brief import sweep_table
    from siting.run import Log, run_sweep
    from siting.stages import BUILD_STAGES, PLAN_STAGES
    from siting.study import study_faults, told_by_file

    study = read_study_of(arguments)
    budgets = [value_of(text) for item in arguments.budgets for text in item.split()]
    faults = [fault for budget in budgets for fault in study_faults({"budget_inr_crore": budget}, "budgets")]
    if faults:
        raise InputError(faults)
    out = arguments.out or Path("results") / f"{arguments.study.stem}-sweep"
    log = Log(arguments.quiet or arguments.json, len(BUILD_STAGES) + len(set(budgets)) * len(PLAN_STAGES))
    with told_by_file(study, arguments.study):
        plans, table = run_sweep(study, budgets, out, log, arguments.scheduler)
    tell(log.notes)
    if arguments.json:
        print(table.to_json(orient="records"))
    else:
        print(sweep_table(table))
        print(f"Table and chart: {out / 'sweep.csv'}, {out / 'sweep.svg'}")
    return 0 if all(plan.solution.status == "optimal" for plan in plans) else NO_PROOF


def _check(arguments: argparse.Namespace) -> int:
    from siting.check import check_study
    from siting.study import load_study

    faults = check_study(arguments.study)
    if faults:
        raise InputError(faults)
    tell(load_study(arguments.study).parameter_values().warnings())
    print(json.dumps({"ok": True}) if arguments.json else f"{arguments.study}: no faults found")
    return 0

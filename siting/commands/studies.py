"""``run``, ``scenarios``, ``sweep``, ``fairest`` and ``check``: what is asked of a study file."""

from __future__ import annotations

import argparse
import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from siting.scenarios.batch import Batch


def add(commands: Any) -> None:
    """Add the commands to the parser's collection."""
    run = add_command(commands, "run", _run, "solve a study and write its plan")
    study_arguments(run)
    run.add_argument("--budget", help="₹ crore, replaces the study's")
    run.add_argument("--out", type=Path, help="folder for the result (default: results/STUDY)")
    run.add_argument(
        "--keep-best", action="store_true", help="on Ctrl-C or SIGTERM, write the best plan found so far, unproven"
    )
    run.add_argument(
        "--draws", type=count_of, default=0, help="joint draws in which sites are chosen anew (default: 0)"
    )
    run.add_argument(
        "--structure", action="store_true", help="also solve it with each choice of structure switched back"
    )
    run.add_argument("--levers", action="store_true", help="also solve it with each lever in place, in levers.csv")
    run.add_argument(
        "--tornado", action="store_true", help="also solve it at both ends of what moves it most, in tornado.csv"
    )
    run.add_argument("--xlsx", action="store_true", help="also write report.xlsx, a workbook for committees")
    run.add_argument("--workers", type=count_of, help="processes that share what is asked (default: 1)")
    run.add_argument("--scheduler", help="dask scheduler whose workers do what is asked, as tcp://host:8786")

    batch = add_command(commands, "scenarios", _scenarios, "solve the scenarios of a file and compare them")
    batch.add_argument("file", type=Path, help="file of scenarios (TOML)")
    batch_arguments(batch, "default: results/FILE")
    batch.add_argument("--draws", type=count_of, default=0, help="joint draws of each plan (default: 0)")
    batch.add_argument("--quiet", action="store_true", help="print only the result")

    budgets = add_command(commands, "sweep", _sweep, "solve a study for several budgets")
    study_arguments(budgets)
    budgets.add_argument("budgets", nargs="+", metavar="BUDGET", help="₹ crore")
    batch_arguments(budgets, "default: results/STUDY-sweep")

    fairest = add_command(
        commands, "fairest", _fairest, "find the largest share of its cost that every state can save, and its price"
    )
    study_arguments(fairest)
    fairest.add_argument("--budget", help="₹ crore, replaces the study's")
    fairest.add_argument("--out", type=Path, help="folder for the result (default: results/STUDY-fairest)")

    check = add_command(commands, "check", _check, "check a study and its data, and list all faults")
    check.add_argument("study", type=Path)


def batch_arguments(parser: argparse.ArgumentParser, default: str) -> None:
    """Add what commands that solve many scenarios share."""
    parser.set_defaults(goes_on=True)
    parser.add_argument("--out", type=Path, help=f"folder for the results ({default})")
    parser.add_argument("--reports", action="store_true", help="also draw a report of each plan")
    parser.add_argument("--xlsx", action="store_true", help="also write scenarios.xlsx, a workbook for committees")
    parser.add_argument("--workers", type=count_of, help="processes that share the scenarios (default: 1)")
    parser.add_argument("--scheduler", help="dask scheduler whose workers solve them, as tcp://host:8786")


@contextmanager
def _without_search_for_cycles() -> Iterator[None]:
    """One study leaves some thousand objects in cycles, and looking for them takes a sixteenth of its run."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_without_search_for_cycles()
def _run(arguments: argparse.Namespace) -> int:
    from siting.model.model import InfeasibleError
    from siting.report.lines import plan_lines
    from siting.results.tables import sites_table, summary
    from siting.run import Asked, Log, run_study
    from siting.stages import BUILD_STAGES, PLAN_STAGES
    from siting.study import told_by_file

    study = read_study_of(arguments)
    _check_who_works(arguments, study.draws)
    out = arguments.out or Path("results") / arguments.study.stem
    log = Log(arguments.quiet or arguments.json, len(BUILD_STAGES + PLAN_STAGES))
    with told_by_file(study, arguments.study):
        workers = max(arguments.workers or 1, 1)
        asked = Asked(
            arguments.draws, arguments.structure, arguments.levers, arguments.tornado, workers=workers,
            scheduler=arguments.scheduler, xlsx=arguments.xlsx,
        )  # fmt: skip
        try:
            plan = run_study(study, out, log, keep_best=arguments.keep_best, asked=asked)
        except InfeasibleError as error:
            if arguments.json:
                print(json.dumps(error.why, ensure_ascii=False))
            raise
    tell(log.notes)
    if arguments.json:
        print(json.dumps(summary(plan), ensure_ascii=False))
    else:
        print("\n".join(plan_lines(summary(plan), sites_table(plan))))
        print(f"Report: {out / 'report.html'}, after {log.seconds:.0f} s")
    return 0 if plan.solution.status == "optimal" else NO_PROOF


def _check_who_works(arguments: argparse.Namespace, draws: int) -> None:
    """Raise InputError where workers or a scheduler are named who would have nothing to do."""
    named = [name for name in ("workers", "scheduler") if getattr(arguments, name) is not None]
    faults = []
    work = (draws, arguments.draws, arguments.structure, arguments.levers, arguments.tornado)
    if named and not any(work):
        faults = [
            Fault(
                f"--{name} shares out draws, choices of structure, levers and ranges, and none are asked for",
                "add --draws, --structure, --levers or --tornado, or leave it out", "command line", None, f"--{name}",
                getattr(arguments, name),
            )
            for name in named
        ]  # fmt: skip
    elif len(named) > 1:
        what = "--workers and --scheduler both say who does the work"
        faults = [Fault(what, "leave one of them out", "command line", column="--workers", value=arguments.workers)]
    if faults:
        raise InputError(faults)


def _fairest(arguments: argparse.Namespace) -> int:
    from siting.model.model import build_model
    from siting.report.lines import plan_lines
    from siting.results.tables import sites_table, summary
    from siting.run import Log, appraised, result_folder, write_result
    from siting.scenarios.fairest import fairest_plan
    from siting.stages import BUILD_STAGES
    from siting.study import told_by_file

    study = read_study_of(arguments)
    out = arguments.out or Path("results") / f"{arguments.study.stem}-fairest"
    log = Log(arguments.quiet or arguments.json, len(BUILD_STAGES) + 1)
    with told_by_file(study, arguments.study), log.bar, result_folder(out) as folder:
        log.notes_on(study)
        found = fairest_plan(build_model(study, log), log.tell)
        plan = appraised(found.plan)
        for lost in write_result(plan, folder, log):
            log.note(lost)
        log.write(folder)
    tell(log.notes)
    share, most = (100 * value for value in (found.share, found.share_at_most))
    if arguments.json:
        told = {"share": found.share, "share_at_most": found.share_at_most, "left_out": found.left_out}
        print(json.dumps({**told, "plan": summary(plan)}, ensure_ascii=False))
    else:
        print(f"Every state saves at least {share:.3f} % of what its cargo costs today; no plan gives all {most:.3f} %")
        if found.left_out:
            print(f"Left out, where nothing can be saved: {', '.join(found.left_out)}")
        print("\n".join(plan_lines(summary(plan), sites_table(plan))))
    return 0 if plan.solution.status == "optimal" else NO_PROOF


def _scenarios(arguments: argparse.Namespace) -> int:
    from siting.scenarios.batch import read_batch

    batch = read_batch(arguments.file)
    return _solve_batch(arguments, batch, Path("results") / arguments.file.stem, arguments.file)


def _sweep(arguments: argparse.Namespace) -> int:
    from siting.scenarios.batch import batch_of, grid_of

    study = read_study_of(arguments)
    budgets = [value_of(text) for item in arguments.budgets for text in item.split()]
    variants, faults = grid_of({"budget_inr_crore": budgets}, "budgets")
    if faults:
        raise InputError(faults)
    batch = batch_of(study, variants, "budgets")
    return _solve_batch(arguments, batch, Path("results") / f"{arguments.study.stem}-sweep", arguments.study)


def _solve_batch(arguments: argparse.Namespace, batch: Batch, out: Path, file: Path) -> int:
    """Solve the scenarios of a batch and print what became of them."""
    from siting.report.lines import scenario_lines
    from siting.run import Log
    from siting.scenarios.runner import Wanted, run_scenarios
    from siting.stages import BUILD_STAGES
    from siting.study import told_by_file

    if arguments.workers is not None and arguments.scheduler is not None:
        what = "--workers and --scheduler both say who does the work"
        raise InputError(Fault(what, "leave one of them out", "command line", None, "--workers", arguments.workers))
    out = arguments.out or out
    log = Log(arguments.quiet or arguments.json, len(BUILD_STAGES) + len(batch.scenarios))
    log.notes_on(batch.base)
    workers = max(arguments.workers or 1, 1)
    wanted = Wanted(getattr(arguments, "draws", 0), arguments.reports, workers, arguments.scheduler, arguments.xlsx)
    with told_by_file(batch.base, file):
        table = run_scenarios(batch, out, log, wanted)
    tell(log.notes)
    if arguments.json:
        print(table.to_json(orient="records", force_ascii=False))
    else:
        print(scenario_lines(table))
        print(f"Page, table and figure: {out / 'scenarios.html'}, {out / 'scenarios.csv'}, {out / 'scenarios.svg'}")
    return 0 if (table["status"] == "optimal").all() else NO_PROOF


def _check(arguments: argparse.Namespace) -> int:
    from siting.check import check_study
    from siting.study import load_study

    faults = check_study(arguments.study)
    if faults:
        raise InputError(faults)
    tell(load_study(arguments.study).parameter_values().warnings())
    print(json.dumps({"ok": True}) if arguments.json else f"{arguments.study}: no faults found")
    return 0

"""The ``siting`` command, but for ``serve``, which the web layer adds to it.

Each command imports what it needs when it runs: the numerical libraries take a second to load.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from geodata import interruption
from geodata.errors import Fault, InputError
from siting.money import indian

if TYPE_CHECKING:
    from siting.study import Study

NO_PROOF = 1
BAD_INPUT = 2
FAILED = 3
MOST = 10_000  # draws or processes
TRACEBACK = "SITING_TRACEBACK"  # environment variable that asks for the traceback of an error of our own

DESCRIPTION = """\
Decide where to build export logistics: which warehouses, cold stores and
multimodal logistics parks cut the export logistics cost of under-utilised
districts most within a budget, proven and re-checked.

  siting check my-study.toml                what is wrong with a study and its data
  siting run my-study.toml                  solve it; the report is results/my-study/report.html
  siting sweep my-study.toml 1000 5000      the same for several budgets
  siting serve                              open the results on a map
"""
EPILOG = """\
exit codes:
  0    done; a plan is proven within its gap
  1    the time limit came before the proof; the plan is written with its gap, if there is one
  2    something given is wrong, or a file cannot be read or written; each fault is one line
  3    siting itself failed
  130  stopped by Ctrl-C, 143 by SIGTERM: an earlier result stands as it was
"""

Command = Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Tell a wrong argument in one line, as all other faults."""
        self.exit(BAD_INPUT, f"error: {message}; see `{self.prog} --help`\n")


def run_command(parser: argparse.ArgumentParser, argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, whose meanings ``siting --help`` tells."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller, as `>&-` does
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
    arguments = parser.parse_args(argv)
    code, lines = _outcome(arguments)
    stop = interruption.received()
    if stop:
        interruption.ignore()
    if stop and code not in (0, NO_PROOF):  # whatever else a stopped run fell over
        code, lines = 128 + stop, ["interrupted"]
    if code > BAD_INPUT and hasattr(arguments, "out"):
        lines[-1] += "; no result was written"
    for line in lines:
        print(line, file=sys.stderr)
    return code


def _outcome(arguments: argparse.Namespace) -> tuple[int, list[str]]:
    """Exit code of a command, and what is to be said of its failure."""
    try:
        code: int = arguments.command(arguments)
        sys.stdout.flush()
        return code, []
    except InputError as error:
        return BAD_INPUT, [f"error: {problem}" for problem in error.problems]
    except KeyboardInterrupt:
        return 128 + signal.SIGINT, ["interrupted"]
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        _drop_output()
        return 0, []
    except TimeoutError as error:
        return NO_PROOF, [f"error: {error}; no result was written"]
    except OSError as error:
        _drop_output()
        where = f"{error.filename}: " if error.filename else ""
        return BAD_INPUT, [f"error: {where}{error.strerror or error}; free space or mend the path and its permissions"]
    except MemoryError:
        return FAILED, ["error: not enough memory; free some, or ask a smaller study"]
    except Exception as error:  # noqa: BLE001 - whatever it is, the user gets a line and a code
        if os.environ.get(TRACEBACK):
            traceback.print_exc()
        told = " ".join(str(error).split())
        return FAILED, [f"error: siting failed ({type(error).__name__}: {told}); {TRACEBACK}=1 shows where"]


def _drop_output() -> None:
    """Leave nothing to be written at exit to an output that cannot take it."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build_parser() -> tuple[argparse.ArgumentParser, Any]:
    """Return the parser and the collection that further commands are added to."""
    parser = _Parser(
        prog="siting", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"siting {version('deh-siting')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = add_command(commands, "run", _run, "solve a study and write its plan")
    _study_arguments(run)
    run.add_argument("--budget", help="₹ crore, replaces the study's")
    run.add_argument("--out", type=Path, help="folder for the result (default: results/STUDY)")
    run.add_argument(
        "--keep-best", action="store_true", help="on Ctrl-C or SIGTERM, write the best plan found so far, unproven"
    )

    run.add_argument("--draws", type=_count, default=0, help="joint draws of the uncertain parameters (default: 0)")
    run.add_argument("--workers", type=_count, default=1, help="processes that share the draws (default: 1)")
    run.add_argument("--scheduler", help="dask scheduler whose workers make the draws, as tcp://host:8786")

    budgets = add_command(commands, "sweep", _sweep, "solve a study for several budgets")
    _study_arguments(budgets)
    budgets.add_argument("budgets", nargs="+", metavar="BUDGET", help="₹ crore")
    budgets.add_argument("--out", type=Path, help="folder for the results (default: results/STUDY-sweep)")
    budgets.add_argument("--scheduler", help="dask scheduler whose workers solve the budgets, as tcp://host:8786")

    check = add_command(commands, "check", _check, "check a study and its data, and list all faults")
    check.add_argument("study", type=Path)

    both = add_command(commands, "compare", _compare, "tell which sites and districts differ between two results")
    both.add_argument("a", type=Path)
    both.add_argument("b", type=Path)

    show = add_command(commands, "show", _show, "print a result")
    show.add_argument("folder", type=Path)

    tastes = add_command(
        commands, "calibrate", _calibrate, "fit tastes for gateways and rail to the observed flows of a study's pack"
    )
    tastes.add_argument("study", type=Path, help="study file (TOML); its rates price the lanes")
    tastes.add_argument("--out", type=Path, help="table to write, for the layer gateway_tastes of a pack or study")

    packs = commands.add_parser("pack", help="make the data of a study area").add_subparsers(
        required=True, metavar="COMMAND"
    )
    build = add_command(packs, "build", _pack_build, "build a pack from the sources that an area file names")
    build.add_argument("area", type=Path, help="area file (TOML)")
    build.add_argument("--out", type=Path, required=True, help="folder for the pack")
    build.add_argument("--quiet", action="store_true", help="print only the result")
    return parser, commands


def add_command(commands: Any, name: str, run: Command, text: str) -> argparse.ArgumentParser:
    """Add a command to the parser's collection; ``run`` takes the parsed arguments and returns the exit code."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=run)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    return parser


def _study_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=Path, help="study file (TOML)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="replace a key or parameter")
    parser.add_argument("--gap", help="relative gap that counts as proven")
    parser.add_argument("--time-limit", help="solver seconds")
    parser.add_argument("--quiet", action="store_true", help="print only the result")


def _read_study(arguments: argparse.Namespace) -> Study:
    """Read the study file and apply the command line on top of it, collecting the faults of both."""
    from siting.study import LISTS, Study, make_study, read_study, study_faults

    values, faults = read_study(arguments.study)
    given = {"budget_inr_crore": getattr(arguments, "budget", None), "gap": arguments.gap,
             "time_limit_s": arguments.time_limit}  # fmt: skip
    changes: dict[str, Any] = {key: _value(text) for key, text in given.items() if text is not None}
    changes["parameters"] = {}
    for item in arguments.set:
        key, sign, text = (part.strip() for part in item.partition("="))
        if not sign:
            faults.append(Fault(f"--set {item}", "write KEY=VALUE", "command line", column="--set", value=item))
        elif key in Study.__dataclass_fields__:
            changes[key] = text.split(",") if key in LISTS else _value(text)
        else:
            changes["parameters"][key] = _value(text)
    faults += study_faults(changes, "command line")
    if faults:
        raise InputError(faults)
    parameters = {**values.get("parameters", {}), **changes["parameters"]}
    return make_study({**values, **changes, "parameters": parameters})


def _value(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number up to {MOST}")
    return int(text)


def _run(arguments: argparse.Namespace) -> int:
    from siting.report.brief import plan_lines
    from siting.results.tables import sites_table, summary
    from siting.run import Draws, Log, run_study
    from siting.stages import BUILD_STAGES, PLAN_STAGES
    from siting.study import told_by_file

    study = _read_study(arguments)
    out = arguments.out or Path("results") / arguments.study.stem
    log = Log(arguments.quiet or arguments.json, len(BUILD_STAGES + PLAN_STAGES))
    with told_by_file(study, arguments.study):
        draws = Draws(arguments.draws, max(arguments.workers, 1), arguments.scheduler)
        plan = run_study(study, out, log, keep_best=arguments.keep_best, draws=draws)
    _tell(log.notes)
    if arguments.json:
        print(json.dumps(summary(plan), ensure_ascii=False))
    else:
        print("\n".join(plan_lines(summary(plan), sites_table(plan))))
        print(f"Report: {out / 'report.html'}")
    return 0 if plan.solution.status == "optimal" else NO_PROOF


def _tell(notes: Sequence[str]) -> None:
    for note in notes:
        print(f"warning: {note}", file=sys.stderr)


def _sweep(arguments: argparse.Namespace) -> int:
    from siting.report.brief import sweep_table
    from siting.run import Log, run_sweep
    from siting.stages import BUILD_STAGES, PLAN_STAGES
    from siting.study import study_faults, told_by_file

    study = _read_study(arguments)
    budgets = [_value(text) for item in arguments.budgets for text in item.split()]
    faults = [fault for budget in budgets for fault in study_faults({"budget_inr_crore": budget}, "budgets")]
    if faults:
        raise InputError(faults)
    out = arguments.out or Path("results") / f"{arguments.study.stem}-sweep"
    log = Log(arguments.quiet or arguments.json, len(BUILD_STAGES) + len(set(budgets)) * len(PLAN_STAGES))
    with told_by_file(study, arguments.study):
        plans, table = run_sweep(study, budgets, out, log, arguments.scheduler)
    _tell(log.notes)
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
    _tell(load_study(arguments.study).parameter_values().warnings())
    print(json.dumps({"ok": True}) if arguments.json else f"{arguments.study}: no faults found")
    return 0


def _calibrate(arguments: argparse.Namespace) -> int:
    """Fit tastes, print how well they tell the flows, and write them where asked."""
    from geodata.flows import load_gateway_tastes
    from siting.model.calibration import calibrate, choices_of
    from siting.model.model import build_model
    from siting.report.brief import text_table
    from siting.study import load_study

    if arguments.out is not None and arguments.out.exists():
        load_gateway_tastes(arguments.out)  # only such a table is replaced
    model = build_model(load_study(arguments.study).with_changes(shippers=0))
    if model.pack.observed_flows is None:
        raise InputError(
            f"{arguments.study}: its pack has no observed_flows.csv; add one, or leave the bundled tastes as they are"
        )
    found = calibrate(choices_of(model, model.pack.observed_flows))
    table = found.table()
    if arguments.out is not None:
        scratch = arguments.out.with_name(f".{arguments.out.name}.part")
        table.round(4).to_csv(scratch, index=False)
        scratch.replace(arguments.out)
    if arguments.json:
        told = {"distance": found.distance, "distance_left_out": found.distance_left_out}
        print(json.dumps({**told, "states": found.by_state.to_dict("records")}, ensure_ascii=False))
        return 0
    print(text_table(table.drop_duplicates(["term", "group"]).drop(columns="gateway_id")))
    print("\n" + text_table(found.by_state.round(3)))
    print(f"\nDistance between modelled and observed shares of gateways, by value: {found.distance:.3f}; "
          f"leaving one state out: {found.distance_left_out:.3f}")  # fmt: skip
    return 0


def _pack_build(arguments: argparse.Namespace) -> int:
    """Build a pack and name what its quality report wants mended."""
    from geodata.ingest.area import load_area
    from geodata.ingest.build import build_pack
    from siting.run import progress_bar

    area = load_area(arguments.area)
    with progress_bar(arguments.quiet or arguments.json) as bar:
        task = bar.add_task("starting", total=1.0)

        def tell(text: str, share: float) -> None:
            bar.update(task, description=text, completed=share)

        report = build_pack(area, arguments.out, tell)
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
        return 0
    for finding in report["findings"]:
        if finding["weight"] == "fault":
            cases = f": {indian(finding['cases'])}" if finding["cases"] else ""
            print(f"To be mended, {finding['layer'].replace('_', ' ')}: {finding['title']}{cases}")
            for line in finding["lines"]:
                print(f"  {line}")
    counts = report["counts"]
    print(f"{area.name}: {counts['fault']} findings to be mended, {counts['look']} to be looked at, "
          f"{counts['mended']} mended on the way")  # fmt: skip
    print(f"Pack: {arguments.out}, quality report: {arguments.out / 'quality.html'}")
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from siting.report.brief import comparison_lines
    from siting.results.compare import compare
    from siting.results.read import open_result

    a, b = open_result(arguments.a), open_result(arguments.b)
    found = compare(a, b)
    if arguments.json:
        tables = {name: json.loads(getattr(found, name).to_json(orient="records"))
                  for name in ("only_a", "only_b", "districts")}  # fmt: skip
        print(json.dumps({"totals": json.loads(found.totals.to_json(orient="index")), **tables}, ensure_ascii=False))
    else:
        print("\n".join(comparison_lines(a.summary, b.summary, found)))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from siting.report.brief import plan_lines, site_table
    from siting.results.read import open_result

    plan = open_result(arguments.folder)
    if arguments.json:
        print(json.dumps(plan.summary, ensure_ascii=False, indent=2))
        return 0
    print("\n".join(plan_lines(plan.summary, plan.sites)))
    if len(plan.sites):
        print("\n" + site_table(plan.sites))
    return 0

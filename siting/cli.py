"""The ``siting`` command, but for ``serve``, which the web layer adds to it.

Each command imports what it needs when it runs: the numerical libraries take a second to load.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, NoReturn

from geodata import interruption
from geodata.errors import InputError
from siting.commands import data, districts, results, robustness, studies
from siting.commands.arguments import BAD_INPUT, FAILED, NO_PROOF

TRACEBACK = "SITING_TRACEBACK"  # environment variable that asks for the traceback of an error of our own

DESCRIPTION = """\
Decide where to build export logistics: which warehouses, cold stores and
multimodal logistics parks cut the export logistics cost of under-utilised
districts most within a budget, proven and re-checked.

  siting check my-study.toml                what is wrong with a study and its data
  siting run my-study.toml                  solve it; report and two-page brief are in results/my-study
  siting sweep my-study.toml 1000 5000      the same for several budgets
  siting scenarios my-scenarios.toml        the same for many named changes
  siting robust my-study.toml               which plan is never far from the best, whatever comes
  siting alternatives results/my-study      how far plans that save a little less differ from it
  siting order results/my-study             which of its sites to build first
  siting fairest my-study.toml              how much every state can save at once, and what that costs
  siting why results/my-study bihar/patna   why a site is there, or what it would take
  siting compare results/a results/b        what differs between results, as many as you like
  siting brief results/my-study             two A4 pages for who decides; in Hindi with --language hi
  siting scorecard results/my-study --state Bihar --out cards    a page for each state or district
  siting audit results/my-study --exports FY2026.csv --built built.csv    what came of a plan
  siting verify results/my-study            the same plan again, or what changed
  siting serve                              open the results on a map

`siting COMMAND --help` tells what each takes.
"""
EPILOG = """\
exit codes:
  0    done; a plan is proven within its gap
  1    the time limit came before the proof; the plan is written with its gap, if there is one;
       of scenarios: not all have a proven plan; of verify: the result is not the same
  2    something given is wrong, or a file cannot be read or written; each fault is one line
  3    siting itself failed
  130  stopped by Ctrl-C, 143 by SIGTERM: an earlier result stands as it was
"""


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
        kept = "; what is done is kept, and the same command goes on from there"
        lines[-1] += "; no result was written" + (kept if hasattr(arguments, "goes_on") else "")
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
        prog="siting", description=DESCRIPTION, epilog=EPILOG, usage="siting COMMAND ...",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"siting {version('deh-siting')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", prog="siting")
    for group in (studies, results, robustness, districts, data):
        group.add(commands)
    return parser, commands

"""What commands share: their arguments, how these become a study, and the exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geodata.errors import Fault, InputError

if TYPE_CHECKING:
    from siting.results.read import PlanTables
    from siting.study import Study

NO_PROOF = 1
BAD_INPUT = 2
FAILED = 3
MOST = 10_000  # draws or processes

Command = Callable[[argparse.Namespace], int]


def add_command(commands: Any, name: str, run: Command, text: str) -> argparse.ArgumentParser:
    """Add a command to the parser's collection; ``run`` takes the parsed arguments and returns the exit code."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=run)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    return parser


def study_arguments(parser: argparse.ArgumentParser, file: str = "study file (TOML)") -> None:
    """Add what commands that solve a study share."""
    parser.add_argument("study", type=Path, help=file)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="replace a key or parameter")
    parser.add_argument("--gap", help="relative gap that counts as proven")
    parser.add_argument("--time-limit", help="solver seconds")
    parser.add_argument("--quiet", action="store_true", help="print only the result")


def read_study_of(arguments: argparse.Namespace) -> Study:
    """Read the study file and apply the command line on top of it, collecting the faults of both."""
    from siting.study import LISTS, Study, make_study, read_study, study_faults

    values, faults = read_study(arguments.study)
    given = {"budget_inr_crore": getattr(arguments, "budget", None), "gap": arguments.gap,
             "time_limit_s": arguments.time_limit}  # fmt: skip
    changes: dict[str, Any] = {key: value_of(text) for key, text in given.items() if text is not None}
    changes["parameters"] = {}
    for item in arguments.set:
        key, sign, text = (part.strip() for part in item.partition("="))
        if not sign:
            faults.append(Fault(f"--set {item}", "write KEY=VALUE", "command line", column="--set", value=item))
        elif key in Study.__dataclass_fields__:
            changes[key] = text.split(",") if key in LISTS else value_of(text)
        else:
            changes["parameters"][key] = value_of(text)
    faults += study_faults(changes, "command line")
    if faults:
        raise InputError(faults)
    parameters = {**values.get("parameters", {}), **changes["parameters"]}
    return make_study({**values, **changes, "parameters": parameters})


def study_of_result(plan: PlanTables, file: Path | None) -> Study:
    """The study that a result was made of, with the data of a study file where these were the user's own.

    Raises:
        InputError: the result was made from own data and no file says where they are, or one of another result.
    """
    from siting.study import load_study, resolved_study

    data = {} if file is None else dict(load_study(file).data)
    return resolved_study(plan.summary["resolved_study"], data, str(plan.path / "plan.json"))


def parameters_of(items: Sequence[str]) -> dict[str, float]:
    """Parameters given as KEY=VALUE.

    Raises:
        InputError: naming every one that is unknown or out of range.
    """
    from siting.study import study_faults

    pairs = {item: item.partition("=") for item in items}
    faults = [
        Fault(f"--set {item}", "write KEY=VALUE", "command line", column="--set", value=item)
        for item, (_, sign, _) in pairs.items()
        if not sign
    ]
    values = {key.strip(): value_of(text.strip()) for key, sign, text in pairs.values() if sign}
    faults += study_faults({"parameters": values}, "command line")
    if faults:
        raise InputError(faults)
    return values


def value_of(text: str) -> Any:
    """Text of the command line as a number where it is one."""
    try:
        return float(text)
    except ValueError:
        return text


def positive_of(text: str, name: str) -> float:
    """A number above 0 of the command line.

    Raises:
        InputError: it is none.
    """
    value = value_of(text)
    if not isinstance(value, float) or not 0 < value < float("inf"):
        raise InputError(Fault(f"{name} {text} is no number above 0", "give ₹ crore", "command line", None, name, text))
    return value


def count_of(text: str) -> int:
    """Whole number of an argument."""
    if not text.isdecimal() or int(text) > MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number up to {MOST}")
    return int(text)


def tell(notes: Sequence[str]) -> None:
    """Print warnings."""
    for note in notes:
        print(f"warning: {note}", file=sys.stderr)

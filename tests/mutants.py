"""Mutation testing: does a test go red when a line of the core is changed?

``python -m tests.mutants [--all] [--seed N] [GROUP ...]`` changes one place of a module at a time, runs the related
fast tests until one fails, and writes ``docs/mutants.md``. Without ``--all`` it takes a sample that stays the same
while code and seed do: the mutants whose names come first by a hash, so that a changed function changes only its own
part. Tests may be written for what survives of one seed; what they are worth is measured with another.

Each mutant runs in a fork of one process that has loaded the numerical libraries, so that it costs its tests and not
the seconds of loading. The module is compiled from its changed syntax tree when a test imports it; no file is touched.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import math
import os
import resource
import signal
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parent.parent
REASONS = ROOT / "tests" / "mutants.toml"
REPORT = ROOT / "docs" / "mutants.md"
SEED = 3
PATIENCE = 4
"""A mutant that takes as many times the processor time of the tests alone hangs, which is noticed."""
LEAST = 0.9
"""Share of a group that must be killed."""
LOADED_FIRST = ("geopandas", "highspy", "numba", "pulp", "pytest", "scipy.sparse.csgraph")


@dataclass(frozen=True)
class Group:
    """Code whose mutants the same tests must kill.

    Attributes:
        places: paths, with a function or class after a colon where the rest of the module is another's.
        tests: files, the quick ones first.
        sample: how many mutants are tried by default.
    """

    places: tuple[str, ...]
    tests: tuple[str, ...]
    sample: int = 60

    def mutants(self) -> list[Mutant]:
        """All changes of the group's code."""
        found = []
        for place in self.places:
            pattern, _, inside = place.partition(":")
            found += [m for path in sorted(ROOT.glob(pattern)) for m in mutants(path) if m.where.startswith(inside)]
        return found


def _tests(folder: str, names: str) -> tuple[str, ...]:
    return tuple(f"tests/siting/{folder}test_{name}.py" for name in names.split())


GROUPS = {
    "model": Group(
        ("siting/model/*.py",),
        (
            *_tests("model/", "prices facilities lanes demand gateway_costs places land_share names calibration"),
            *_tests("", "parameters plan session"),
            *_tests("scenarios/", "sensitivity"),
            *_tests("model/", "tastes young_districts"),
        ),
    ),
    "check": Group(("siting/solver/check.py",), _tests("solver/", "answer_check solve_exact")),
    "reduction": Group(
        ("siting/solver/reduce.py", "siting/solver/reach.py", "siting/solver/core.py"),
        _tests("solver/", "reduce fixing solve_exact rules certificate"),
    ),
    "fixing": Group(
        tuple(
            f"siting/solver/{where}"
            for where in (
                "choice.py",
                "option_limits.py",
                "search.py",
                "prove*.py",
                "cutting_planes.py:LinearBound",
                "branch_and_bound.py:fixed_by_reduced_cost",
            )
        ),
        _tests("solver/", "choice option_limits fixing equations certificate solve_exact rules"),
    ),
    "certificate": Group(
        tuple(f"siting/solver/{name}.py" for name in ("certificate", "reduction_check", "restated")),
        _tests("solver/", "option_limits certificate solve_exact rules"),
    ),
}

SWAPS: dict[type, type] = {
    ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Div, ast.Div: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or,
    ast.Or: ast.And,
}  # fmt: skip
PAIRS = (("min", "max"), ("minimum", "maximum"), ("fmin", "fmax"), ("any", "all"), ("argmin", "argmax"))
OPPOSITE = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    Attributes:
        number: among the places of the module that can be changed.
        where: the function or class it is in, as Python names it.
        ordinal: among the same changes there, from 1.
    """

    path: str
    number: int
    where: str
    change: str
    ordinal: int
    source: str

    @property
    def name(self) -> str:
        return f"{self.where}: {self.change} ({self.ordinal})"

    def rank(self, seed: int) -> str:
        """Orders mutants by nothing but their name and the seed."""
        return hashlib.sha256(f"{seed} {self.path} {self.name}".encode()).hexdigest()


class _Change(ast.NodeTransformer):
    """Visits the places that can be changed and changes the one asked for; annotations and texts are none."""

    def __init__(self, wanted: int | None) -> None:
        self.wanted = wanted
        self.places: list[tuple[int, str, str]] = []  # line, function, change
        self._inside: list[str] = []

    def _place(self, node: ast.expr | ast.stmt, change: str, apply: Callable[[], ast.AST]) -> ast.AST:
        self.places.append((node.lineno, ".".join(self._inside) or "module", change))
        return apply() if len(self.places) - 1 == self.wanted else node

    def _swapped(self, node: ast.expr | ast.stmt, operator: ast.AST, make: Callable[[Any], ast.AST]) -> ast.AST:
        self.generic_visit(node)
        if type(operator) not in SWAPS:
            return node
        new = SWAPS[type(operator)]()
        change = f"{type(operator).__name__} to {type(new).__name__}"
        return self._place(node, change, lambda: make(new))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        node.defaults = [self.visit(default) for default in node.defaults]
        node.kw_defaults = [default and self.visit(default) for default in node.kw_defaults]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self._inside.append(node.name)
        self.visit(node.args)
        node.body = [self.visit(statement) for statement in node.body]
        self._inside.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._inside.append(node.name)
        node.body = [self.visit(statement) for statement in node.body]
        self._inside.pop()
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return node  # what an error says is prose

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        return self._swapped(
            node, node.ops[0], lambda new: ast.Compare(node.left, [new, *node.ops[1:]], node.comparators)
        )

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        return self._swapped(node, node.op, lambda new: ast.BinOp(node.left, new, node.right))

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        return self._swapped(node, node.op, lambda new: ast.AugAssign(node.target, new, node.value))

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        return self._swapped(node, node.op, lambda new: ast.BoolOp(new, node.values))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return self._place(node, f"{type(node.op).__name__} left out", lambda: node.operand)

    def visit_If(self, node: ast.If) -> ast.AST:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node
        return self._negated(node, lambda test: ast.If(test, node.body, node.orelse))

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        return self._negated(node, lambda test: ast.IfExp(test, node.body, node.orelse))

    def _negated(self, node: ast.If | ast.IfExp, make: Callable[[ast.expr], ast.AST]) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.test, ast.Compare | ast.UnaryOp):
            return node  # changed in itself
        return self._place(node, "condition negated", lambda: make(ast.UnaryOp(ast.Not(), node.test)))

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        if isinstance(value, bool):
            return self._place(node, f"{value} to {not value}", lambda: ast.Constant(not value))
        if isinstance(value, int | float):
            return self._place(node, f"{value} to {value + 1}", lambda: ast.Constant(value + 1))
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._renamed(node, node.id, lambda new: ast.Name(new, node.ctx))

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return self._renamed(node, node.attr, lambda new: ast.Attribute(node.value, new, node.ctx))

    def _renamed(self, node: ast.expr, name: str, make: Callable[[str], ast.AST]) -> ast.AST:
        if name not in OPPOSITE:
            return node
        return self._place(node, f"{name} to {OPPOSITE[name]}", lambda: make(OPPOSITE[name]))


def mutants(path: Path) -> list[Mutant]:
    """List all changes of a module."""
    text = path.read_text(encoding="utf-8")
    lines, change = text.splitlines(), _Change(None)
    change.visit(ast.parse(text))
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for number, (line, where, what) in enumerate(change.places):
        seen[where, what] += 1
        source = lines[line - 1].strip()
        found.append(Mutant(path.relative_to(ROOT).as_posix(), number, where, what, seen[where, what], source))
    return found


def mutated(path: Path, number: int) -> ast.Module:
    """Return the syntax tree of a module with one change."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    changed: ast.Module = _Change(number).visit(tree)
    return ast.fix_missing_locations(changed)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module from a syntax tree instead of from its file."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name, self.path, self.tree = name, path, tree

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.tree, str(self.path), "exec"), module.__dict__)


def _start(mutant: Mutant | None, tests: Sequence[str], limit_s: int | None) -> int:
    """Start the tests in a fork, with a change or without; return its number. It ends with the tests' outcome."""
    if child := os.fork():
        return child
    import pytest

    if mutant is not None:
        path = ROOT / mutant.path
        name = mutant.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        sys.meta_path.insert(0, _Finder(name, path, mutated(path, mutant.number)))
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    if limit_s is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
        signal.alarm(10 * limit_s)  # one that waits for ever takes no processor time
    os._exit(int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "--no-header", *tests])))


def outcomes(chosen: Sequence[Mutant], tests: Sequence[str], limit_s: int, jobs: int) -> Iterator[tuple[Mutant, str]]:
    """Yield each mutant with what became of it ("killed", "hangs", "survives"), ``jobs`` side by side."""
    waiting = list(chosen)
    running: dict[int, Mutant] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop(0)
            running[_start(mutant, tests, limit_s)] = mutant
        child, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        yield running.pop(child), "survives" if code == 0 else "hangs" if code < 0 else "killed"


def try_group(group: Group, chosen: Sequence[Mutant], jobs: int) -> list[tuple[Mutant, str]]:
    """Try some of the mutants of a group and tell of survivors as they come."""
    _, status, used = os.wait4(_start(None, group.tests, None), 0)
    if status != 0:
        sys.exit(f"{group.tests}: the tests fail before anything is changed")
    limit_s = math.ceil(PATIENCE * (used.ru_utime + used.ru_stime)) + 10
    tried = []
    for mutant, outcome in outcomes(chosen, group.tests, limit_s, jobs):
        tried.append((mutant, outcome))
        if outcome == "survives":
            print(f"{len(tried)}: {mutant.path} {mutant.name}: {mutant.source}", flush=True)
    return sorted(tried, key=lambda item: (item[0].path, item[0].number))


def report(results: dict[str, list[tuple[Mutant, str]]], totals: dict[str, int]) -> str:
    """Return the page that tells what was tried and what survived."""
    reasons = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    lines = [
        "# Mutants", "",
        "Does a test go red when a line of the core is changed? `make mutants` changes one place at a time",
        "(comparisons and conditions negated, operators turned round, numbers one more, `min` for `max`) and runs the",
        "related fast tests until one fails. Below is what a sample gives; `python -m tests.mutants --all` tries all.",
        "The page is written by it, with the reasons of `tests/mutants.toml`.",
        "", "| group | places | tried | killed | of these hang | share |", "|---|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    for name, tried in results.items():
        ends = Counter(outcome for _, outcome in tried)
        cells = (name, totals[name], len(tried), len(tried) - ends["survives"], ends["hangs"])
        lines.append(f"| {' | '.join(map(str, cells))} | {100 * share_killed(tried):.0f} % |")
    lines += ["", "## What survived, and why", ""]
    for tried in results.values():
        for mutant in (mutant for mutant, outcome in tried if outcome == "survives"):
            why = reasons.get(mutant.path, {}).get(mutant.name, "not looked at yet")
            lines.append(f"- `{mutant.path}`, {mutant.name}: `{mutant.source}`. {why}")
    return "\n".join(lines) + "\n"


def share_killed(tried: Sequence[tuple[Mutant, str]]) -> float:
    return sum(outcome != "survives" for _, outcome in tried) / max(len(tried), 1)


def main() -> int:
    """Try mutants and write the report; 1 where too few of a group are killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)} (default: all)")
    parser.add_argument("--all", action="store_true", help="all mutants instead of a sample")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the sample (default: {SEED})")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    os.chdir(ROOT)
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # plugins take long to load
    for name in LOADED_FIRST:
        __import__(name)
    results: dict[str, list[tuple[Mutant, str]]] = {}
    totals: dict[str, int] = {}
    began = time.perf_counter()
    for name in arguments.groups or GROUPS:
        group = GROUPS[name]
        every = group.mutants()
        totals[name] = len(every)
        chosen = every if arguments.all else sorted(every, key=lambda m: m.rank(arguments.seed))[: group.sample]
        results[name] = try_group(group, chosen, arguments.jobs)
    text = report(results, totals)
    if not arguments.groups:
        REPORT.write_text(text, encoding="utf-8")
    print(f"{text}\n{time.perf_counter() - began:.0f} s")
    return 0 if all(share_killed(tried) >= LEAST for tried in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

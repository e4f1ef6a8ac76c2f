"""Nothing is too long to be read at once: limits for modules, functions and classes, and why some are over them."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("geodata", "siting", "web", "benchmarks", "tests", "docs")
MODULE_LINES, FUNCTION_LINES, CLASS_LINES = 450, 60, 200

OVER = {
    "siting/solver/lagrangian_tree.py::_bound_node": "compiled by numba: one pass over the arrays of a node",
    "siting/solver/problem.py::FacilityProblem": "half of it is the formulation and what each argument means",
    "siting/solver/problem.py::FacilityProblem::from_costs": "three quarters are arguments and what they mean",
    "web/api/plans.py::create_api": "a blueprint: its routes, each short, share what it serves",
    "web/api/runs.py::create_run_api": "a blueprint: its routes, each short, share what it serves",
    "web/runs/queue.py::Pool": "one lock over one state: who waits, who solves, who has died",
}
"""What is over its limit for good, and why."""


def lengths() -> Iterator[tuple[str, int, int]]:
    """Name, lines and limit of every module, function and class."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            text = path.read_text(encoding="utf-8")
            yield name, text.count("\n"), MODULE_LINES
            yield from _within(ast.parse(text), name)
        for path in sorted((ROOT / room).rglob("static/*.js")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8").count("\n"), MODULE_LINES


def _within(tree: ast.AST, name: str) -> Iterator[tuple[str, int, int]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{name}::{node.name}"
            limit = CLASS_LINES if isinstance(node, ast.ClassDef) else FUNCTION_LINES
            yield inner, (node.end_lineno or node.lineno) - node.lineno + 1, limit
            yield from _within(node, inner)
        else:
            yield from _within(node, name)


def test_nothing_is_over_its_limit_without_a_stated_reason():
    found = {name: f"{lines} lines, at most {limit}" for name, lines, limit in lengths() if lines > limit}
    assert {name: found[name] for name in found.keys() - OVER.keys()} == {}


def test_a_reason_goes_with_what_it_excused():
    assert OVER.keys() - {name for name, lines, limit in lengths() if lines > limit} == set()


def test_no_two_test_modules_share_a_name():
    """Pytest imports them by their bare names, for which two of a kind are one."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name not in ("conftest.py", "__init__.py")]
    assert sorted(names) == sorted(set(names))

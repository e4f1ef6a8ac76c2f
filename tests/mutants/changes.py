"""The places of a module that can be changed, and the module with one of them changed."""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

ROOT = Path(__file__).parents[2]

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


def _codes(code: CodeType, inside: str = "") -> Iterator[tuple[str, CodeType]]:
    """Functions and methods of a module's code by name, those within functions aside."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            name = inside + inner.co_name
            yield name, inner
            if not inner.co_flags & inspect.CO_NEWLOCALS:  # the body of a class
                yield from _codes(inner, name + ".")


def changed_function(mutant: Mutant) -> tuple[str, CodeType] | None:
    """The function that a mutant changes, by name, and its code; None where the change is outside of all."""
    path = ROOT / mutant.path
    plain, other = (
        dict(_codes(compile(tree, str(path), "exec")))
        for tree in (ast.parse(path.read_text(encoding="utf-8")), mutated(path, mutant.number))
    )
    outermost = [n for n in plain if plain[n].co_flags & inspect.CO_NEWLOCALS and plain[n] != other[n]]
    return (outermost[0], other[outermost[0]]) if outermost else None

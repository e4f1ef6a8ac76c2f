"""Who may import whom: contracts that the rooms of the house keep, read from the source text of every module.

A name that ends in ``.*`` stands for all modules below a package, without the package's own face.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("geodata", "siting", "web")


@dataclass(frozen=True)
class Contract:
    """Modules of ``who``, save ``unless``, import nothing of ``what``, save ``but``."""

    sentence: str
    who: tuple[str, ...]
    what: tuple[str, ...]
    unless: tuple[str, ...] = ()
    but: tuple[str, ...] = ()


CONTRACTS = [
    Contract("geodata is below siting and web", who=("geodata",), what=("siting", "web")),
    Contract("siting is below web", who=("siting",), what=("web",)),
    Contract("the solver imports nothing of ours", who=("siting.solver",), what=LAYERS, but=("siting.solver",)),
    Contract(
        "the solver is reached through its face", who=LAYERS, what=("siting.solver.*",), unless=("siting.solver",)
    ),
    Contract(
        "results know none of their readers",
        who=("siting.results",),
        what=("siting.report", "siting.districts", "siting.scenarios", "web"),
    ),
    Contract(
        "scenarios ask a model from outside: what answers one question knows none of them",
        who=LAYERS,
        what=("siting.scenarios",),
        unless=("siting.scenarios", "siting.run", "siting.report", "siting.districts", "siting.commands", "web"),
    ),
    Contract(
        "the run-time library of geodata needs neither ingest nor the builder of the bundled pack",
        who=("geodata",),
        what=("geodata.ingest", "geodata.make_india"),
        unless=("geodata.ingest", "geodata.make_india"),
    ),
    Contract(
        "own data are read at the command line and by a study that names them",
        who=LAYERS,
        what=("geodata.ingest",),
        unless=("geodata.ingest", "siting.commands", "siting.study"),
    ),
    Contract(
        "nothing imports the builder of the bundled pack",
        who=LAYERS,
        what=("geodata.make_india",),
        unless=("geodata.make_india",),
    ),
    Contract(
        "in web only runs start solves",
        who=("web",),
        what=("siting.session", "siting.plan", "siting.solver", "siting.scenarios"),
        unless=("web.runs",),
    ),
]


@cache
def modules() -> dict[str, Path]:
    """Every module of the layers by name; a package has the name of its folder."""
    found = {}
    for layer in LAYERS:
        for path in sorted((ROOT / layer).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text(encoding="utf-8"))


@cache
def face(package: str) -> frozenset[str]:
    """Names that the ``__init__`` of a package brings in; they are not submodules even where one has the same name."""
    if modules()[package].name != "__init__.py":
        return frozenset()
    nodes = [node for node in ast.walk(tree(package)) if isinstance(node, ast.ImportFrom)]
    return frozenset(alias.asname or alias.name for node in nodes for alias in node.names)


def imports(name: str, at_load_only: bool = False) -> set[str]:
    """Modules of ours that a module imports; ``at_load_only``: without those imported in functions or for types."""
    within: list[ast.AST] = [tree(name)]
    found: set[str] = set()
    while within:
        node = within.pop()
        if at_load_only and (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _is_for_types(node)):
            continue
        within.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are written in full, not relative"
            parent = node.module or ""
            for alias in node.names:
                child = f"{parent}.{alias.name}"
                is_module = child in modules() and alias.name not in face(parent)
                found.add(child if is_module else parent)
    return found & modules().keys()


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def belongs(name: str, pattern: str) -> bool:
    """Whether a module is a package or below it (``a.b``), or strictly below it (``a.b.*``)."""
    package = pattern.removesuffix(".*")
    return name.startswith(f"{package}.") or (name == package == pattern)


def any_of(name: str, patterns: tuple[str, ...]) -> bool:
    return any(belongs(name, pattern) for pattern in patterns)


def breaches(contract: Contract) -> set[tuple[str, str]]:
    return {
        (name, other)
        for name in modules()
        if any_of(name, contract.who) and not any_of(name, contract.unless)
        for other in imports(name)
        if any_of(other, contract.what) and not any_of(other, contract.but)
    }


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.sentence)
def test_contract(contract):
    assert not breaches(contract), contract.sentence


def test_contracts_are_about_modules_that_exist():
    """A room that is renamed takes its contracts along."""
    for contract in CONTRACTS:
        for side in (contract.who, contract.what):
            assert any(any_of(name, side) for name in modules()), contract.sentence


def test_no_modules_import_each_other_in_a_circle():
    """At load time, with the packages whose ``__init__`` runs first left out of account."""
    graph = {name: imports(name, at_load_only=True) for name in modules()}
    while True:
        leaves = {name for name, others in graph.items() if not others & graph.keys() - {name}}
        if not leaves:
            break
        graph = {name: others - leaves for name, others in graph.items() if name not in leaves}
    assert not graph, f"circles among {sorted(graph)}"

"""Imports go one way: web -> siting -> geodata; the solver imports nothing of ours and has one face."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {"geodata": {"geodata"}, "siting": {"geodata", "siting"}, "web": {"geodata", "siting", "web"}}


def imported(path: Path) -> set[str]:
    """Top-level packages a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_a_layer_imports_only_itself_and_the_layers_below(layer):
    modules = list((ROOT / layer).rglob("*.py"))
    assert modules
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules
        for name in imported(path) & MAY_IMPORT.keys() - MAY_IMPORT[layer]
    }
    assert not wrong


def modules_imported(path: Path) -> set[str]:
    """Dotted names of the modules a module imports; those of `from package import module` too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    return found


SOLVER = ROOT / "siting" / "solver"


def test_the_solver_imports_nothing_of_ours_but_itself():
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in SOLVER.rglob("*.py")
        for name in modules_imported(path)
        if name.split(".")[0] in MAY_IMPORT and not name.startswith("siting.solver")
    }
    assert not wrong


def test_the_solver_is_reached_through_its_face_only():
    inner = {f"siting.solver.{path.stem}" for path in SOLVER.glob("*.py")} - {"siting.solver.solve"}
    outside = [
        path
        for folder in ("geodata", "siting", "web", "benchmarks", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if SOLVER not in path.parents and ROOT / "tests" / "siting" / "solver" not in path.parents
    ]
    wrong = {f"{path.relative_to(ROOT)} imports {name}" for path in outside for name in modules_imported(path) & inner}
    assert not wrong

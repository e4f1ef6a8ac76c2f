"""Imports go one way: web -> siting -> geodata."""

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

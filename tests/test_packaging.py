"""The wheel holds what a run needs and nothing else; ``.ci/wheel`` installs one outside the checkout and runs it."""

import os
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from setuptools import find_packages

from siting.cli import build_parser

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUP = PROJECT["tool"]["setuptools"]


def packages() -> set[str]:
    return set(find_packages(str(ROOT), **SETUP["packages"]["find"]))


def test_packages_are_the_three_layers_without_the_builder_of_the_bundled_pack():
    found = packages()
    assert {name.split(".")[0] for name in found} == {"geodata", "siting", "web"}
    assert "siting.solver" in found
    assert not {name for name in found if "make_india" in name}


def test_every_folder_of_modules_is_a_package():
    folders = {path.parent for layer in ("geodata", "siting", "web") for path in (ROOT / layer).rglob("*.py")}
    names = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert names - packages() == {"geodata.make_india"}


@pytest.mark.parametrize("layer", ["geodata", "siting", "web"])
def test_every_file_beside_the_modules_is_package_data(layer):
    """Templates, tables, translations, the bundled pack: what is tracked is shipped."""
    run = subprocess.run(["git", "ls-files", layer], cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode:
        pytest.skip("not a checkout")
    tracked = {ROOT / name for name in run.stdout.splitlines() if not name.endswith(".py") and "make_india" not in name}
    shipped = {path for pattern in SETUP["package-data"][layer] for path in (ROOT / layer).glob(pattern)}
    assert tracked - shipped == set()
    assert ROOT / layer / "py.typed" in shipped


def test_the_command_tells_its_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        build_parser()[0].parse_args(["--version"])
    assert capsys.readouterr().out == f"siting {version('deh-siting')}\n"


def test_an_installation_that_nobody_may_write_compiles_in_memory(tmp_path):
    """Numba finds no place for its cache beside the modules, in the user's folders or where a variable says."""
    for layer in ("geodata", "siting"):
        shutil.copytree(ROOT / layer, tmp_path / layer, ignore=shutil.ignore_patterns("__pycache__", "india"))
    for folder in {path.parent for path in tmp_path.rglob("*.py")}:
        (folder / "__pycache__").touch()  # a file where the folder would be: true for root, too
    script = (
        "import numpy as np; from geodata.ingest import contraction; from siting.solver import kernels;"
        "print(contraction._chains(np.array([-1, -1]), np.ones(1), 5.0)[0]);"
        "value = np.array([2.0, 1.0]); items = np.arange(2);"
        "kernels.sort_part(value, items, 0, 2); print(items)"
    )
    nowhere = str(tmp_path / "siting" / "__init__.py" / "cache")
    env = {**os.environ, "HOME": nowhere, "XDG_CACHE_HOME": nowhere, "PYTHONPATH": str(tmp_path)}
    env.pop("NUMBA_CACHE_DIR", None)
    run = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert (run.stdout, run.returncode) == ("[0]\n[1 0]\n", 0), run.stderr

"""Exceptions from the style go with what they excused."""

import json
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_file_that_is_excused_from_a_rule_breaks_it() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", "lint.per-file-ignores = {}"]
    run = subprocess.run([*ruff, "--output-format", "json", "."], cwd=ROOT, capture_output=True, text=True, check=False)
    broken = {(Path(found["filename"]).relative_to(ROOT).as_posix(), found["code"]) for found in json.loads(run.stdout)}
    needless = {
        (pattern, code)
        for pattern, codes in settings["per-file-ignores"].items()
        for code in codes
        if not any(fnmatch(path, pattern) and rule.startswith(code) for path, rule in broken)
    }
    assert needless == set()

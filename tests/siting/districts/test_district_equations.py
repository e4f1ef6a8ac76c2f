"""Every equation of docs/districts.md stands in its code and in a test."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
EQUATION = re.compile(r"\((6\d|7\d)\)")


def told(*paths: Path) -> set[str]:
    return {number for path in paths for number in EQUATION.findall(path.read_text(encoding="utf-8"))}


def test_equations_of_districts_stand_in_code_and_tests():
    page = told(ROOT / "docs/districts.md")
    assert page
    assert page - told(*ROOT.glob("siting/**/*.py")) == set()
    assert page - told(*(ROOT / "tests/siting").rglob("test_*.py")) == set()

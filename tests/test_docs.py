"""Documentation says what is so: links lead somewhere, examples run, equations stand in code and tests."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])
LAYERS = ("geodata", "siting", "web")
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for layer in LAYERS
    for path in sorted((ROOT / layer).rglob("*.py"))
}
EQUATION = re.compile(r"\((\d{1,2})\)")


def text_of(*paths: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    wrong = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not wrong


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_files_and_modules_that_are_named_exist(page):
    named = re.findall(r"`([\w./-]+)`", (ROOT / page).read_text(encoding="utf-8"))
    paths = {name for name in named if "/" in name and name.split("/")[0] in {*LAYERS, "tests", "docs", ".ci"}}
    modules = {name for name in named if "." in name and "/" not in name and name.split(".")[0] in LAYERS}
    assert paths or modules
    assert {name for name in paths if not (ROOT / name).exists()} == set()
    assert {name for name in modules if name not in MODULES} == set()


def test_modules_of_the_solver_that_are_named_exist():
    table = [line.split("|")[2] for line in text_of(ROOT / "docs/solver.md").splitlines() if line.count("|") == 6]
    named = {name for cell in table for name in re.findall(r"`(\w+)`", cell)}
    assert named
    assert {name for name in named if f"siting.solver.{name}" not in MODULES} == set()


def test_equations_of_the_solver_stand_in_its_code_and_tests():
    told = set(EQUATION.findall(text_of(ROOT / "docs/solver.md")))
    assert told >= {str(n) for n in range(1, 17)}
    stated = [ROOT / "siting/model" / name for name in ("rules.py", "phased.py")]  # what they are to the solver
    tested = [ROOT / "tests/siting" / name for name in ("test_study_rules.py", "test_phases.py")]
    code = set(EQUATION.findall(text_of(*(ROOT / "siting/solver").glob("*.py"), *stated)))
    tests = set(EQUATION.findall(text_of(*(ROOT / "tests/siting/solver").glob("test_*.py"), *tested)))
    assert told - code == set()
    assert told - tests == set()


def test_the_snippet_of_the_solver_runs():
    (snippet,) = re.findall(r"```python\n(.*?)```", text_of(ROOT / "docs/solver.md"), re.DOTALL)
    body, _, last = snippet.strip().rpartition("\n")
    expression, _, told = last.partition("  # ")
    names: dict[str, object] = {}
    exec(body, names)
    assert eval(expression, names) == eval(told)


def test_every_word_of_the_glossary_is_told_once():
    rows = [line for line in text_of(ROOT / "docs/glossary.md").splitlines() if line.startswith("| ")][1:]
    words = [row.split("|")[1].strip() for row in rows]
    assert len(words) == len(set(words)) > 30


@pytest.mark.parametrize("name", [name for name, path in MODULES.items() if ">>> " in text_of(path)])
def test_examples_in_docstrings_run(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    module = importlib.import_module(name)
    failed, tried = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert tried
    assert not failed


@pytest.mark.parametrize("name", MODULES)
def test_what_docstrings_refer_to_exists(name):
    """Names such as `geodata.matrix.many_to_many` are those of a module, or of what it holds."""
    wrong = []
    for dotted in re.findall(r"[`~]((?:geodata|siting|web)(?:\.\w+)+)`", text_of(MODULES[name])):
        module, rest = dotted, []
        while module and module not in MODULES:
            module, _, last = module.rpartition(".")
            rest.append(last)
        if (
            not module
            or module in LAYERS
            or len(rest) > 2
            or any(part not in text_of(MODULES[module]) for part in rest)
        ):
            wrong.append(dotted)
    assert not wrong

"""What becomes of mutants: each is tried in a fork of a process that has loaded the tests."""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import itertools
import math
import os
import pickle
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any, BinaryIO, TypeVar

import numba
import pytest
from changes import ROOT, Mutant, changed_function, mutated

ENOUGH_S = 12.0
"""Processor time that the related tests of one mutant may take; what is beyond does not run."""
PATIENCE = 3
"""A mutant that takes as many times the processor time of the tests alone hangs, which is noticed."""
QUIET = ("-q", "-p", "no:cacheprovider", "--no-header")
CODE = str(ROOT / "siting")
T = TypeVar("T")
Place = tuple[str, str]
"""File and name of a function."""


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


def _function(module: str, name: str) -> FunctionType:
    """A function or method of a loaded module, freed of what decorators put around it."""
    *classes, last = name.split(".")
    found: Any = sys.modules[module]
    for each in classes:
        found = getattr(found, each)
    found = vars(found)[last]
    for wrapping in ("fget", "func", "__func__", "__wrapped__"):  # property, cached_property, classmethod, decorator
        found = getattr(found, wrapping, found)
    assert isinstance(found, FunctionType), f"{module}.{name}: {found}"
    return found


@dataclass
class Known:
    """What the tests do while nothing is changed.

    Attributes:
        calls: functions of the project, as (file, name), that each test calls itself, its fixtures aside.
        needs: those and what its fixtures call.
        seconds: processor time.
    """

    calls: dict[str, set[Place]] = field(default_factory=dict)
    needs: dict[str, set[Place]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def related(self, mutant: Mutant) -> list[str]:
        """Tests that may tell a mutant: first those that call its function themselves, of these the short ones."""
        wanted = {(mutant.path, mutant.where)}
        if not any(wanted & needs for needs in self.needs.values()):
            wanted = {place for needs in self.needs.values() for place in needs if place[0] == mutant.path}
        tests = [test for test, needs in self.needs.items() if wanted & needs] or list(self.needs)
        of_file: Counter[str] = Counter()
        for test in tests:
            of_file[test.split("::")[0]] += self.seconds[test]  # type: ignore[assignment]  # seconds are no whole numbers

        def order(test: str) -> tuple[bool, float, str, float]:
            file = test.split("::")[0]
            return not wanted & self.calls[test], of_file[file], file, self.seconds[test]

        tests = sorted(tests, key=order)
        seconds = list(itertools.accumulate(self.seconds[test] for test in tests))
        return [test for test, until in zip(tests, seconds, strict=True) if until <= max(ENOUGH_S, seconds[0])]

    def limit_s(self, tests: Sequence[str]) -> int:
        return math.ceil(PATIENCE * sum(self.seconds[test] for test in tests)) + 5


class _Watching:
    """Pytest plugin: notes what each test calls and, where it runs again unwatched, how long it takes."""

    def __init__(self) -> None:
        self.known = Known()
        self.failed: list[str] = []
        self._fixtures: dict[int, set[Place]] = {}
        self._called: list[set[Place]] = [set()]

    def _note(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if code.co_filename.startswith(CODE):
            path = code.co_filename.removeprefix(f"{ROOT}/")
            self._called[-1].add((path, code.co_qualname.replace(".<locals>", "")))

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        self._called.append(set())
        result = yield
        self._fixtures[id(fixturedef)] = self._called.pop()
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        test, known = item.nodeid, self.known
        if test in known.calls:  # a second time
            began = time.process_time()
            result = yield
            known.seconds[test] = time.process_time() - began
            return result
        self._called, began = [set()], time.process_time()
        sys.settrace(self._note)
        result = yield
        sys.settrace(None)
        known.seconds[test] = time.process_time() - began
        known.calls[test] = self._called[0]
        definitions = [d for ds in item._fixtureinfo.name2fixturedefs.values() for d in ds]  # type: ignore[attr-defined]
        known.needs[test] = self._called[0].union(*(self._fixtures.get(id(d), set()) for d in definitions))
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)


class _Selected:
    """Pytest plugin: runs some tests in the order given, until one fails."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.rank, self.failed = {test: k for k, test in enumerate(tests)}, False

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((i for i in items if i.nodeid in self.rank), key=lambda i: self.rank[i.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed |= report.failed

    def run(self, items: list[pytest.Item]) -> bool:
        """Run these of the items; whether one failed."""
        self.pytest_collection_modifyitems(items)
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                break
        return self.failed


class _Trying:
    """Pytest plugin: instead of running the tests, tries mutants of functions, each in a fork of the loaded tests."""

    def __init__(self, chosen: Sequence[Mutant], jobs: int, answer: BinaryIO) -> None:
        self.chosen, self.jobs, self.answer = chosen, jobs, answer

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        known = self._known(session)
        inside = {m: found for m in self.chosen if (found := changed_function(m)) is not None}

        def start(mutant: Mutant) -> int:
            tests, (name, code) = known.related(mutant), inside[mutant]
            function = _function(_module(mutant), name)

            def run() -> int:
                selected = _Selected(tests)
                session.config.pluginmanager.register(selected)
                function.__code__ = code
                return int(selected.run(session.items))

            return _fork(run, known.limit_s(tests))

        pickle.dump(known, self.answer)
        for outcome in outcomes(list(inside), start, self.jobs):
            pickle.dump(outcome, self.answer)
        self.answer.flush()
        return True

    def _known(self, session: pytest.Session) -> Known:
        """Run all tests in a fork, so that no fixture is set up here; twice where the first compiles."""
        runs = 1 if numba.core.config.DISABLE_JIT else 2

        def run() -> tuple[Known, list[str]]:
            watching = _Watching()
            session.config.pluginmanager.register(watching)
            for item, following in [*zip(session.items, [*session.items[1:], None], strict=True)] * runs:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            return watching.known, watching.failed

        known, failed = in_fork(run)
        if failed:
            sys.exit(f"tests fail before anything is changed: {failed}")
        return known


def _module(mutant: Mutant) -> str:
    return mutant.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _fork(run: Callable[[], int], limit_s: int | None) -> int:
    """Run something in a fork, which ends with what that returns, 1 where it fails; return the number of the fork."""
    if child := os.fork():
        return child
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    if limit_s is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
        signal.alarm(10 * limit_s)  # one that waits for ever takes no processor time
    code = 1
    try:
        code = run()
    finally:
        os._exit(code)


def in_fork(run: Callable[[], T]) -> T:
    """Return what something returns that runs in a fork."""
    with tempfile.TemporaryFile() as file:

        def tell() -> int:
            pickle.dump(run(), file)
            file.flush()  # the end of a fork flushes nothing
            return 0

        if code := os.waitstatus_to_exitcode(os.waitpid(_fork(tell, None), 0)[1]):
            sys.exit(f"a fork ends with {code}")
        file.seek(0)
        return pickle.load(file)  # type: ignore[no-any-return]


def _anew(mutant: Mutant, tests: Sequence[str], limit_s: int, uncompiled: bool) -> int:
    """Start tests in a fork that loads the changed module anew; compiled loops would keep constants that they knew."""
    path = ROOT / mutant.path
    tree, files = mutated(path, mutant.number), list(dict.fromkeys(test.split("::")[0] for test in tests))

    def run() -> int:
        numba.core.config.DISABLE_JIT = uncompiled
        sys.meta_path.insert(0, _Finder(_module(mutant), path, tree))
        return int(pytest.main(["-x", *QUIET, *files], [_Selected(tests)]))

    return _fork(run, limit_s)


Outcome = tuple[Mutant, str]
"""A mutant with what became of it: "killed", "hangs" or "survives"."""


def outcomes(chosen: Sequence[Mutant], start: Callable[[Mutant], int], jobs: int) -> Iterator[Outcome]:
    """Yield what becomes of mutants, ``jobs`` side by side, and tell of survivors as they come."""
    waiting = list(chosen)
    running: dict[int, Mutant] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop(0)
            running[start(mutant)] = mutant
        child, status = os.wait()
        mutant, code = running.pop(child), os.waitstatus_to_exitcode(status)
        if code > pytest.ExitCode.INTERRUPTED:
            sys.exit(f"{mutant}: pytest ends with {code}")
        hangs = -code in (signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM)
        outcome = "hangs" if hangs else "killed" if code else "survives"
        if outcome == "survives":
            left = len(waiting) + len(running)
            print(f"{mutant.path} {mutant.name}: {mutant.source} ({left} left)", flush=True)
        yield mutant, outcome


def _has_loops(path: str) -> bool:
    """Whether a module has compiled loops."""
    return "@compiled" in (ROOT / path).read_text(encoding="utf-8")


def _try(chosen: Sequence[Mutant], tests: Sequence[str], jobs: int, uncompiled: bool) -> tuple[Known, list[Outcome]]:
    """What the tests do, in a process of their own, and what becomes of mutants of functions."""
    with tempfile.TemporaryFile() as file:

        def load_and_try() -> bool:
            numba.core.config.DISABLE_JIT = uncompiled
            return pytest.main(["-s", *QUIET, *tests], [_Trying(chosen, jobs, file)]) != 0

        child = os.fork()
        if not child:
            os._exit(int(load_and_try()))
        if os.waitpid(child, 0)[1] != 0:
            sys.exit(1)
        file.seek(0)
        known: Known = pickle.load(file)
        tried: list[Outcome] = []
        while True:
            try:
                tried.append(pickle.load(file))
            except EOFError:
                return known, tried


def try_all(every: Sequence[Mutant], tests: Sequence[str], chosen: Sequence[Mutant], jobs: int) -> list[Outcome]:
    """Try some of the mutants of a group: those of compiled loops, and of constants, with all loops uncompiled."""
    loops = any(_has_loops(path) for path in {mutant.path for mutant in every})
    tried: list[Outcome] = []
    for uncompiled in (False, True):
        of_kind = [m for m in chosen if _has_loops(m.path) is uncompiled]
        if of_kind:
            known, found = _try(of_kind, tests, jobs, uncompiled)
            tried += found
    outside = [m for m in chosen if m not in {mutant for mutant, _ in tried}]

    def start(mutant: Mutant) -> int:
        tests = known.related(mutant)
        return _anew(mutant, tests, (1 + 4 * loops) * (known.limit_s(tests) + 10), loops)

    tried += outcomes(outside, start, jobs)
    return sorted(tried, key=lambda item: (item[0].path, item[0].number))

"""Mutation testing: does a test go red when a line of the core is changed?

``python tests/mutants [--all] [--seed N] [GROUP ...]`` changes one place of a module at a time, runs the related
fast tests until one fails, and writes ``docs/mutants.md``. Without ``--all`` it takes a sample that stays the same
while code and seed do: the mutants whose names come first by a hash, so that a changed function changes only its own
part. Tests may be written for what survives of one seed; what they are worth is measured with another.

First all tests of a group run once, to see which functions each of them calls. Each mutant is then tried in a fork of
a process that has loaded the tests: the changed function takes the place of the old, and the tests that call it run,
those that call it themselves first. What is changed outside of functions is loaded anew. No file is touched. Where
what is changed is in a compiled loop, or a constant that one may use, all loops run uncompiled.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from changes import ROOT, Mutant, mutants
from trials import Outcome, try_all

REASONS = ROOT / "tests" / "mutants.toml"
REPORT = ROOT / "docs" / "mutants.md"
SEED = 3
LEAST = 0.9
"""Share of a group that must be killed."""
LOADED_FIRST = ("geopandas", "highspy", "pulp", "scipy.sparse.csgraph")


@dataclass(frozen=True)
class Group:
    """Code whose mutants the same tests must kill.

    Attributes:
        places: paths, with a function or class after a colon where the rest of the module is another's.
        tests: files, the quick ones first.
        sample: how many mutants are tried by default.
    """

    places: tuple[str, ...]
    tests: tuple[str, ...]
    sample: int = 60

    def mutants(self) -> list[Mutant]:
        """All changes of the group's code."""
        found = []
        for place in self.places:
            pattern, _, inside = place.partition(":")
            found += [m for path in sorted(ROOT.glob(pattern)) for m in mutants(path) if m.where.startswith(inside)]
        return found


def _tests(folder: str, names: str) -> tuple[str, ...]:
    return tuple(f"tests/siting/{folder}test_{name}.py" for name in names.split())


GROUPS = {
    "model": Group(
        ("siting/model/*.py",),
        (
            *_tests(
                "model/",
                "small_maps model prices facilities lanes demand gateway_costs places land_share names calibration",
            ),
            *_tests("model/", "tariffs rule_rows rule_limits limits policies tastes young_districts port_bulk routing"),
            *_tests("", "charges parameters session study_rules rule_faults infeasible phases plan"),
            *_tests("districts/", "potential"),
        ),
        sample=90,
    ),
    "check": Group(("siting/solver/check.py",), _tests("solver/", "answer_check rules")),
    "reduction": Group(
        tuple(f"siting/solver/{name}.py" for name in ("reduce", "paying", "reach", "core")),
        _tests("solver/", "reduce fixing rules certificate"),
    ),
    "fixing": Group(
        tuple(
            f"siting/solver/{where}"
            for where in (
                "choice.py",
                "option_limits.py",
                "search.py",
                "prove*.py",
                "cutting_planes.py:LinearBound",
                "branch_and_bound.py:fixed_by_reduced_cost",
            )
        ),
        _tests(
            "solver/", "search choice option_limits fixing proof_steps proofs equations assignment rules certificate"
        ),
    ),
    "certificate": Group(
        tuple(f"siting/solver/{name}.py" for name in ("certificate", "reduction_check", "restated", "lane_index")),
        _tests("solver/", "lane_index reduction_check restated restated_units option_limits certificate proofs rules"),
    ),
}


def reasons() -> dict[str, dict[tuple[str, str], str]]:
    """Why mutants survive, by "same" (no test can tell them) and "gap", then by file and name."""
    said = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    found = {kind: {(f, m): why for f, of_file in said[kind].items() for m, why in of_file.items()} for kind in said}
    known = {(m.path, m.name) for group in GROUPS.values() for m in group.mutants()}
    if unknown := [place for kind in found.values() for place in kind if place not in known]:
        sys.exit(f"{REASONS.name} tells of mutants that there are none of: {unknown}")
    return found


@dataclass(frozen=True)
class Count:
    """What became of the mutants of a group, of ``places`` in all; ``same`` are survivors that no test can tell."""

    places: int
    tried: int
    same: int
    killed: int
    hang: int

    @classmethod
    def of(cls, tried: Sequence[Outcome], places: int, same: Collection[tuple[str, str]]) -> Count:
        ends = Counter(outcome for _, outcome in tried)
        alike = sum(outcome == "survives" and (mutant.path, mutant.name) in same for mutant, outcome in tried)
        return cls(places, len(tried), alike, len(tried) - ends["survives"], ends["hangs"])

    @property
    def share(self) -> float:
        """Of those that a test can tell, the killed."""
        return self.killed / max(self.tried - self.same, 1)

    def row(self, name: str) -> str:
        cells = (name, self.places, self.tried, self.same, self.killed, self.hang, f"{100 * self.share:.0f} %")
        return f"| {' | '.join(map(str, cells))} |"


def report(results: dict[str, list[Outcome]], counts: dict[str, Count], sampled: str) -> str:
    """Return the page that tells what was tried and what survived."""
    said = reasons()
    lines = [
        "# Mutants", "",
        "Does a test go red when a line of the core is changed? `make mutants` changes one place at a time",
        "(comparisons and conditions negated, operators turned round, numbers one more, `min` for `max`) and runs the",
        "related fast tests until one fails. The page is written by it, with the reasons of `tests/mutants.toml`;",
        "`python tests/mutants --all` tries all.", "",
        f"Tried: {sampled}. Of what survives, \"alike\" is what no answer depends on, so that no test could tell;",
        "the share is that of the killed among the others.", "",
        "| group | places | tried | alike | killed | of these hang | share |", "|---|---:|---:|---:|---:|---:|---:|",
        *(count.row(name) for name, count in counts.items()),
    ]  # fmt: skip
    for kind, title in (("gap", "What survived, and why"), ("same", "What is alike, and why")):
        lines += ["", f"## {title}", ""]
        for mutant in (m for tried in results.values() for m, outcome in tried if outcome == "survives"):
            place = mutant.path, mutant.name
            if (place in said["same"]) == (kind == "same"):
                why = said[kind].get(place, "No reason known.")
                lines.append(f"- `{mutant.path}`, {mutant.name}: `{mutant.source}`. {why}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Try mutants and write the report; 1 where too few of a group are killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)} (default: all)")
    parser.add_argument("--all", action="store_true", help="all mutants instead of a sample")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the sample (default: {SEED})")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    os.chdir(ROOT)
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # plugins take long to load
    same = reasons()["same"]
    for name in LOADED_FIRST:
        __import__(name)
    results: dict[str, list[Outcome]] = {}
    counts: dict[str, Count] = {}
    began = time.perf_counter()
    for name in arguments.groups or GROUPS:
        every = GROUPS[name].mutants()
        chosen = every if arguments.all else sorted(every, key=lambda m: m.rank(arguments.seed))[: GROUPS[name].sample]
        results[name] = try_all(every, GROUPS[name].tests, chosen, arguments.jobs)
        counts[name] = Count.of(results[name], len(every), same)
    sampled = "all" if arguments.all else f"a sample, drawn by `--seed {arguments.seed}`"
    text = report(results, counts, sampled)
    if not arguments.groups:
        REPORT.write_text(text, encoding="utf-8")
    print(f"{text}\n{time.perf_counter() - began:.0f} s")
    return 0 if all(count.share >= LEAST for count in counts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

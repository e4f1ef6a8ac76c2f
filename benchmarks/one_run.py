"""One solver on one instance in a process of its own: prints what came out as JSON, {} where not offered.

python -m benchmarks.one_run "spopt + HiGHS" pmed pmed10 60
"""

from __future__ import annotations

import json
import resource
import sys

from benchmarks.instances import READERS, instances_folder
from benchmarks.peers import PEERS, NotOffered

GAP = 1e-6
"""Relative gap every solver is asked for."""


def main() -> None:
    """Run what the arguments name."""
    solver, family, name, limit = sys.argv[1:]
    folder = instances_folder()
    assert folder is not None
    instance = next(i for i in READERS[family](folder) if i.name == name)
    try:
        build_s, solve_s, objective, bound = PEERS[solver](instance, float(limit), GAP)
    except NotOffered:
        print("{}")
        return
    print(
        json.dumps({
            "build_s": build_s,
            "solve_s": solve_s,
            "objective": objective,
            "bound": bound,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        })
    )  # fmt: skip


if __name__ == "__main__":
    main()

"""This project beside its peers on public instances and on the national study, in one run: `make bench`.

    python -m benchmarks [--families pmed cap national routing] [--instances pmed40] [--repeat 5]
                         [--limit 60] [--own] [--all]

Writes results/solver.csv, .md and .png, and results/routing.csv and .md, beside this file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks.instances import READERS, Instance, download_pmed, instances_folder
from benchmarks.peers import PEERS
from benchmarks.routing import measure_routing, write_routing
from benchmarks.solver import OURS, draw, measure, measure_national, write_tables

NATIONAL = "national"
ROUTING = "routing"
SHOWN = {
    "fl1400": {f"fl1400 p={p}" for p in (5, 10, 20, 50, 100, 200)},
    "pcb3038": {f"pcb3038 p={p}" for p in (50, 100, 150, 200, 300, 400, 500)},
}
"""Instances of a family that make the default run; all where a family is not named here."""
PEERS_SHOWN = {"pmed10", "pmed20", "pmed30", "pmed40", "cap41", "cap101", "cap131", "capb-5000", "p10", "p20"}
"""Instances that make the peers' part of it: the larger ones take them minutes and gigabytes each."""


def _downloaded() -> Path:
    """Folder of the instances of OR-Library, fetched once; raises OSError where it is out of reach."""
    folder = Path(__file__).parent / "instances"
    if not folder.is_dir():
        download_pmed(folder)
    return folder


def main() -> int:
    """Run the comparison or a part of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    families = [*READERS, NATIONAL, ROUTING]
    parser.add_argument("--families", nargs="*", default=families, choices=families)
    parser.add_argument("--instances", nargs="*", default=[], help="only these")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds per run")
    parser.add_argument("--own", action="store_true", help="this project only")
    parser.add_argument("--all", action="store_true", help="every instance of the families")
    asked = parser.parse_args()
    routes = _routing(asked.repeat) if ROUTING in asked.families else []
    solved = [family for family in asked.families if family != ROUTING]
    if not solved:
        return 0 if routes else 1
    try:
        folder = instances_folder() or _downloaded()
    except OSError as error:
        print(
            f"no instances, and OR-Library is out of reach ({error}): set SITING_INSTANCES to a folder of them "
            "(see benchmarks/README.md)",
            file=sys.stderr,
        )
        return 1
    rows: list[dict[str, Any]] = []

    def keep(new: list[dict[str, Any]]) -> None:
        for row in new:
            rows.append(row)
            write_tables(rows)  # a run cut short leaves what it has measured
            print(
                f"{row['instance']:>36}  {row['solver']:14} {row['total_s']:9.2f} s  gap {row['gap']:.2g}", flush=True
            )

    def wanted(instance: Instance) -> bool:
        if asked.instances:
            return instance.name in asked.instances
        return asked.all or instance.name in SHOWN.get(instance.family, {instance.name})

    for family in solved:
        if family == NATIONAL:
            for part in ("national", "generated"):
                keep(measure_national(part, asked.repeat))
            continue
        for instance in filter(wanted, READERS[family](folder)):
            peers = PEERS_SHOWN | set(asked.instances)
            for solver in PEERS if instance.name in peers and not asked.own else [OURS]:
                row = measure(solver, instance, asked.limit, asked.repeat)
                keep([row] if row else [])
    if rows:
        draw(rows)
    return 0 if rows else 1


def _routing(repeat: int) -> list[dict[str, Any]]:
    """Many-to-many distances; needs no instances."""
    rows: list[dict[str, Any]] = []

    def keep(row: dict[str, Any]) -> None:
        rows.append(row)
        print(f"{row['case']:>48}  {row['tool']:34} {row['total_s']:9.2f} s  {row['peak_mb']:6.0f} MB", flush=True)

    measure_routing(repeat, keep)
    write_routing(rows)
    return rows


if __name__ == "__main__":
    sys.exit(main())

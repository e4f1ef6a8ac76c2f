"""This project beside its peers on public instances, in one run: `make bench`.

    python -m benchmarks.solver [--families pmed cap holmberg rl1304] [--repeat 5] [--limit 60] [--own]

Every run is a process of its own, so that memory is its own and nothing is warm but compiled code (one small solve
comes first, untimed). Writes results/solver.csv, .md and .png beside this file.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.instances import (
    Instance,
    instances_folder,
    read_cap,
    read_holmberg,
    read_pmed,
    read_tsplib,
)
from benchmarks.peers import PEERS, NotOffered
from siting.problem import FacilityProblem
from siting.solve import relative_gap, solve

RESULTS = Path(__file__).parent / "results"
READERS: dict[str, Callable[[Path], list[Instance]]] = {
    "pmed": read_pmed,
    "cap": read_cap,
    "holmberg": read_holmberg,
    "rl1304": lambda folder: read_tsplib(folder, ("rl1304",)),
    "fl1400": lambda folder: read_tsplib(folder, ("fl1400",)),
    "pcb3038": lambda folder: read_tsplib(folder, ("pcb3038",)),
}
GAP = 1e-6
"""Relative gap every solver is asked for."""
PEER_ENTRIES = 250_000
"""Peers that build the whole matrix are run up to so many pairs (pmed30 has 360,000); `--all` lifts it."""


def run_one(solver: str, family: str, name: str, limit: float) -> dict[str, Any]:
    """One solver on one instance, in this process."""
    folder = instances_folder()
    assert folder is not None
    instance = next(i for i in READERS[family](folder) if i.name == name)
    points = np.random.default_rng(0).random((40, 2))
    small = np.rint(1000 * np.linalg.norm(points[:, None] - points[None], axis=2))
    solve(FacilityProblem.from_costs(small, n_open=3), gap=0.0)
    try:
        build, run, objective, bound = PEERS[solver](instance, limit, GAP)
    except NotOffered:
        return {}
    return {
        "build_s": build,
        "solve_s": run,
        "objective": objective,
        "bound": bound,
        "gap": relative_gap(objective, bound),
        "error": abs(objective - instance.optimum) / max(abs(instance.optimum), 1.0),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure(solver: str, instance: Instance, limit: float, repeat: int) -> dict[str, Any] | None:
    """Median of some runs with their range; one run where a run takes over a fifth of the limit."""
    runs: list[dict[str, Any]] = []
    for _ in range(repeat):
        command = [sys.executable, "-m", "benchmarks.solver", "--one", solver, instance.family, instance.name]
        began = time.perf_counter()
        done = subprocess.run(
            [*command, "--limit", str(limit)], capture_output=True, text=True, timeout=10 * limit + 600, check=False
        )
        if done.returncode != 0:
            print(done.stderr.strip().splitlines()[-1:], file=sys.stderr)
            return None
        answer = json.loads(done.stdout.splitlines()[-1])
        if not answer:
            return None
        runs.append(answer)
        if time.perf_counter() - began > limit / 5:
            break
    seconds = sorted(run["build_s"] + run["solve_s"] for run in runs)
    return {
        "family": instance.family,
        "instance": instance.name,
        "solver": solver,
        "build_s": median(run["build_s"] for run in runs),
        "solve_s": median(run["solve_s"] for run in runs),
        "total_s": median(seconds),
        "fastest_s": seconds[0],
        "slowest_s": seconds[-1],
        "runs": len(runs),
        "objective": runs[-1]["objective"],
        "gap": runs[-1]["gap"],
        "error": runs[-1]["error"],
        "peak_mb": max(run["peak_mb"] for run in runs),
        "note": instance.note,
    }


def write_tables(rows: list[dict[str, Any]]) -> None:
    """CSV of everything; Markdown with the ratio to this project."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "solver.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    ours = {row["instance"]: row["total_s"] for row in rows if row["solver"] == "deh-siting"}
    lines = [
        f"Measured on {platform.processor() or platform.machine()}, Python {platform.python_version()}; seconds to "
        f"build and solve to a gap of {GAP:g}, median of the runs; `times` is the ratio to this project.",
        "",
        "| instance | solver | build s | solve s | total s (range) | runs | gap | error | peak MB | times | paper s |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        ratio = row["total_s"] / ours[row["instance"]] if row["instance"] in ours else float("nan")
        lines.append(
            f"| {row['instance']} | {row['solver']} | {row['build_s']:.2f} | {row['solve_s']:.2f} | "
            f"{row['total_s']:.2f} ({row['fastest_s']:.2f} to {row['slowest_s']:.2f}) | {row['runs']} | "
            f"{row['gap']:.2g} | {row['error']:.2g} | {row['peak_mb']:.0f} | {ratio:.1f} | {row['note']} |"
        )
    (RESULTS / "solver.md").write_text("\n".join(lines) + "\n")


def draw(rows: list[dict[str, Any]]) -> None:
    """Seconds by instance on a logarithmic scale, one mark per solver; hollow where nothing was proven."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(row["instance"] for row in rows))
    figure, axes = plt.subplots(figsize=(9, 0.28 * len(names) + 1.6), layout="constrained")
    for k, solver in enumerate(PEERS):
        mine = [row for row in rows if row["solver"] == solver]
        proven = [row["gap"] <= 10 * GAP for row in mine]
        axes.scatter(
            [row["total_s"] for row in mine],
            [names.index(row["instance"]) for row in mine],
            marker="osD^vP"[k],
            facecolors=[f"C{k}" if done else "none" for done in proven],
            edgecolors=f"C{k}",
            label=solver,
        )
    axes.set(xscale="log", xlabel="seconds to build and solve (hollow: not proven at the time limit)")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="lower right", fontsize=8)
    figure.savefig(RESULTS / "solver.png", dpi=150)
    plt.close(figure)


def main() -> int:
    """Run the comparison, or one part of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="*", default=["pmed", "cap", "holmberg"], choices=READERS)
    parser.add_argument("--instances", nargs="*", default=[], help="only these")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds per run")
    parser.add_argument("--own", action="store_true", help="this project only")
    parser.add_argument("--all", action="store_true", help="peers on the large instances too")
    parser.add_argument("--one", nargs=3, metavar=("SOLVER", "FAMILY", "INSTANCE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(run_one(*asked.one, asked.limit)))
        return 0
    folder = instances_folder()
    if folder is None:
        print("no instances: set SITING_INSTANCES to a folder of them (see benchmarks/README.md)", file=sys.stderr)
        return 1
    rows = []
    for family in asked.families:
        for instance in READERS[family](folder):
            if asked.instances and instance.name not in asked.instances:
                continue
            for solver in ["deh-siting"] if asked.own else PEERS:
                if solver != "deh-siting" and instance.cost.size > PEER_ENTRIES and not asked.all:
                    continue
                row = measure(solver, instance, asked.limit, asked.repeat)
                if row is not None:
                    rows.append(row)
                    print(f"{instance.name:>14}  {solver:14} {row['total_s']:9.2f} s  gap {row['gap']:.2g}", flush=True)
    if rows:
        write_tables(rows)
        draw(rows)
    return 0 if rows else 1


if __name__ == "__main__":
    sys.exit(main())

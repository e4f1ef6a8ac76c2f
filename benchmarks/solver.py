"""This project beside its peers on public instances: every run a process of its own, so that memory is its own."""

from __future__ import annotations

import csv
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.instances import Instance
from benchmarks.one_run import GAP
from benchmarks.peers import PEERS

OURS = "deh-siting"
RESULTS = Path(__file__).parent / "results"
Row = dict[str, Any]


def _run(command: list[str], timeout_s: float) -> subprocess.CompletedProcess[str]:
    """Run a command; out of time, it is stopped with all it has started (CBC runs in a process of its own)."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout_s)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def measure(solver: str, instance: Instance, limit: float, repeat: int) -> Row | None:
    """Median of some runs with their range; one run where a run takes over a fifth of the limit."""
    runs: list[Row] = []
    for _ in range(repeat):
        command = [sys.executable, "-m", "benchmarks.one_run", solver, instance.family, instance.name, str(limit)]
        began = time.perf_counter()
        try:
            done = _run(command, 3 * limit + 120)
        except subprocess.TimeoutExpired:
            print(f"{solver} on {instance.name}: stopped, far over its limit of {limit:g} s", file=sys.stderr)
            return None
        if done.returncode != 0:
            print(f"{solver} on {instance.name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            return None
        answer = json.loads(done.stdout.splitlines()[-1])
        if not answer:
            return None
        runs.append(answer)
        if time.perf_counter() - began > limit / 5:
            break
    objective, bound = runs[-1]["objective"], runs[-1]["bound"]
    row = summary(instance.family, instance.name, solver, [run["build_s"] + run["solve_s"] for run in runs])
    return {
        **row,
        "build_s": median(run["build_s"] for run in runs),
        "objective": objective,
        "gap": max(objective - bound, 0.0) / max(abs(objective), 1e-300) if abs(bound) < float("inf") else float("inf"),
        "error": abs(objective - instance.optimum) / max(abs(instance.optimum), 1.0),
        "peak_mb": max(run["peak_mb"] for run in runs),
        "note": instance.note,
    }


def measure_national(part: str, repeat: int) -> list[Row]:
    """Rows of `benchmarks.national`: "national" or "generated"."""
    command = [sys.executable, "-m", "benchmarks.national", part, str(repeat)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"{part}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return []
    rows = []
    for found in json.loads(done.stdout.splitlines()[-1]):
        row = summary("national", found["instance"], OURS, found["seconds"])
        rows.append({**row, "gap": found["gap"], "peak_mb": found["peak_mb"]})
    return rows


def summary(family: str, name: str, solver: str, seconds: Sequence[float]) -> Row:
    """A row of the table with its times; the rest as if nothing else were known."""
    return {
        "family": family,
        "instance": name,
        "solver": solver,
        "build_s": 0.0,
        "total_s": median(seconds),
        "fastest_s": min(seconds),
        "slowest_s": max(seconds),
        "runs": len(seconds),
        "objective": float("nan"),
        "gap": float("inf"),
        "error": float("nan"),
        "peak_mb": float("nan"),
        "note": "",
    }


def write_tables(rows: list[Row]) -> None:
    """CSV of everything; Markdown with the ratio to this project."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "solver.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    ours = {row["instance"]: row["total_s"] for row in rows if row["solver"] == OURS}
    lines = [
        f"Measured on {platform.processor() or platform.machine()}, Python {platform.python_version()}, load average "
        f"{os.getloadavg()[2]:.1f} (of which this is 1 to 2). Seconds to "
        f"build and solve to a gap of {GAP:g} (national: as named), median of the runs; `error`: above the published "
        "optimum; `times`: ratio to this project; `paper s`: CPLEX on one 3.7 GHz core, in the paper cited in "
        "[README](../README.md).",
        "",
        "| instance | solver | build s | total s (range) | runs | gap | error | peak MB | times | paper s |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        ratio = f"{row['total_s'] / ours[row['instance']]:.1f}" if row["instance"] in ours else ""
        error = "" if row["error"] != row["error"] else f"{row['error']:.1g}"
        lines.append(
            f"| {row['instance']} | {row['solver']} | {row['build_s']:.2f} | "
            f"{row['total_s']:.2f} ({row['fastest_s']:.2f} to {row['slowest_s']:.2f}) | {row['runs']} | "
            f"{row['gap']:.1g} | {error} | {row['peak_mb']:.0f} | {ratio} | {row['note']} |"
        )
    (RESULTS / "solver.md").write_text("\n".join(lines) + "\n")


def draw(rows: list[Row]) -> None:
    """Seconds by instance on a logarithmic scale, one mark per solver; hollow where nothing was proven."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    rows = [row for row in rows if row["family"] != "national"]
    names = list(dict.fromkeys(row["instance"] for row in rows))
    figure, axes = plt.subplots(figsize=(9, 0.24 * len(names) + 1.8), layout="constrained")
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
            zorder=3 if solver == OURS else 2,
        )
    axes.set(xscale="log", xlabel="seconds to build and solve (hollow: not proven at the time limit)")
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=len(PEERS), fontsize=8)
    figure.savefig(RESULTS / "solver.png", dpi=130)
    plt.close(figure)

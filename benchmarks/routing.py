"""Many-to-many distances: this project beside its peers, every run a process of its own, and how it grows."""

from __future__ import annotations

import csv
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.road_networks import bundled, road_like, write_network
from benchmarks.solver import RESULTS

OURS = "deh-siting"
TO_FILE = "deh-siting, to a file"
FIRST, LATER = "first run", "later run"
"""Without and with the contraction order on disk."""
LONG_S = 30.0
"""A run of this length is not repeated."""
TOLERANCE_KM = 1e-6
Row = dict[str, Any]
Keep = Callable[[Row], None]

# Origins that each peer is asked for, of the 760; its time to answer is scaled up to all.
PEERS_ON_BUNDLED = {"SciPy": 760, "igraph": 760, "rustworkx": 190, "NetworkX": 40}
PEERS_ON_MILLION = {"SciPy": 40, "igraph": 20, "rustworkx": 20, "NetworkX": 3}
ORIGINS, DESTINATIONS = 760, 800
GROWTH_ORIGINS = (1000, 2000, 4000, 6000, 8000, 16000)
GROWTH_DESTINATIONS = 6000


def measure_routing(repeat: int, keep: Keep) -> None:
    """Tell a row of each measurement: both networks with all tools, then the growth with the number of origins."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "bundled.npz"
        write_network(file, bundled(), ORIGINS, DESTINATIONS)
        _compare("bundled roads", file, PEERS_ON_BUNDLED, repeat, keep)
        write_network(file, bundled(), max(GROWTH_ORIGINS), GROWTH_DESTINATIONS)
        for tool in (OURS, TO_FILE):
            for n_origins in GROWTH_ORIGINS:
                case = f"bundled roads, {n_origins:,} x {GROWTH_DESTINATIONS:,}"
                keep(_row(case, tool, LATER, _runs(tool, file, n_origins, repeat), n_origins, n_origins))
        file = folder / "million.npz"
        write_network(file, road_like(), ORIGINS, DESTINATIONS)
        _compare("generated, 1M nodes, 2.5M edges", file, PEERS_ON_MILLION, repeat, keep)


def _compare(network: str, file: Path, peers: dict[str, int], repeat: int, keep: Keep) -> None:
    case = f"{network}, {ORIGINS} x {DESTINATIONS}"
    first = _runs(OURS, file, ORIGINS, repeat, cached=False)
    later = _runs(OURS, file, ORIGINS, repeat)
    ours = np.load(_matrix(file))
    keep(_row(case, OURS, FIRST, first, ORIGINS, ORIGINS))
    keep(_row(case, OURS, LATER, later, ORIGINS, ORIGINS))
    for tool, n_origins in peers.items():
        runs = _runs(tool, file, n_origins, repeat)
        if not runs:
            continue
        row = _row(case, tool, "", runs, n_origins, ORIGINS)
        theirs = np.load(_matrix(file))
        row["difference_km"] = float(np.abs(theirs - ours[: len(theirs)]).max())
        if not row["difference_km"] <= TOLERANCE_KM:
            print(f"{case}: {tool} differs by {row['difference_km']:g} km", file=sys.stderr)
        keep(row)


def _matrix(file: Path) -> Path:
    """Where a run leaves the first rows of its matrix."""
    return file.with_suffix(".npy")


def _runs(tool: str, file: Path, n_origins: int, repeat: int, cached: bool = True) -> list[Row]:
    """What some runs of a tool say; none where it is not installed."""
    cache = file.parent / "cache"
    command = [sys.executable, "-m", "benchmarks.routers", tool, str(file), str(n_origins), str(_matrix(file))]
    runs: list[Row] = []
    while len(runs) < repeat:
        if not cached:
            shutil.rmtree(cache, ignore_errors=True)
        environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode != 0:
            print(f"{tool}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            return []
        answer = json.loads(done.stdout.splitlines()[-1])
        if not answer:
            return []
        runs.append(answer)
        if answer["build_s"] + answer["answer_s"] > LONG_S:
            break
    return runs


def _row(case: str, tool: str, state: str, runs: list[Row], asked: int, of: int) -> Row:
    seconds = sorted(run["build_s"] + run["answer_s"] * of / asked for run in runs)
    return {
        "case": case,
        "tool": ", ".join(filter(None, [tool, state])),
        "origins_run": asked,
        "build_s": median(run["build_s"] for run in runs),
        "total_s": median(seconds),
        "fastest_s": seconds[0],
        "slowest_s": seconds[-1],
        "runs": len(runs),
        "scaled": of != asked,
        "peak_mb": median(run["peak_mb"] for run in runs),
        "difference_km": float("nan"),
    }


def write_routing(rows: list[Row]) -> None:
    """Write results/routing.csv and results/routing.md."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "routing.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    ours = {row["case"]: row["total_s"] for row in rows if row["tool"] == f"{OURS}, {LATER}"}
    lines = [
        f"Measured on {platform.processor() or platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python "
        f"{platform.python_version()}, load average {os.getloadavg()[2]:.1f}. Seconds to build and to answer, median "
        "of the runs; * scaled up from the origins run, building not scaled. `later run`: a fresh process with the "
        "contraction order on disk. `times`: ratio to this project's later run. `difference`: largest from this "
        "project's matrix. Peak memory of the process, network included.",
        "",
        "| case | tool | origins run | build s | total s (range) | runs | times | peak MB | difference km |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        star = "*" if row["scaled"] else ""
        difference = "" if row["difference_km"] != row["difference_km"] else f"{row['difference_km']:.0e}"
        lines.append(
            f"| {row['case']} | {row['tool']} | {row['origins_run']:,} | {row['build_s']:.2f} | "
            f"{row['total_s']:.2f}{star} ({row['fastest_s']:.2f} to {row['slowest_s']:.2f}) | {row['runs']} | "
            f"{row['total_s'] / ours[row['case']]:.1f} | {row['peak_mb']:.0f} | {difference} |"
        )
    (RESULTS / "routing.md").write_text("\n".join(lines) + "\n")

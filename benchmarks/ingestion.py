"""From an OSM extract to a road network: this project beside pyrosm and OSMnx, each run in a process of its own.

    python -m benchmarks.ingestion [--ways 1000000]

Writes results/ingestion.csv and results/ingestion.md; takes about a quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from scipy.optimize import nnls

from benchmarks.extracts import CLASSES, STREETS_SHARE, make_extract
from benchmarks.routers import peak_mb
from benchmarks.solver import RESULTS, _run

Row = dict[str, Any]
FREIGHT = tuple(name for name in CLASSES if name != "residential")
OURS, FEW = "deh-siting", "deh-siting, trunk roads only"
SIZES = {OURS: (1.0, 0.25, 0.05), FEW: (1.0,), "pyrosm": (0.25, 0.05), "OSMnx": (0.05,)}
"""Shares of the ways that a tool is given. All three read the smallest file; the peers would take long on the whole."""
REPEAT, LONG_S, ROW_S, LIMIT_S = 5, 120.0, 240.0, 600.0
"""A run longer than LONG_S is not repeated, no row gets more than about ROW_S, and a run is stopped at LIMIT_S."""
INDIA_NODES, INDIA_FREIGHT_WAYS = 190e6, 1.5e6
"""Assumed contents of the extract of India of 1.5 GB: a node per 8 bytes, as in other extracts; ways from motorway to
tertiary. Not counted from the file."""


def deh_siting(path: Path, classes: tuple[str, ...] = FREIGHT) -> Row:
    """This project: ways, then the contracted, directed network with its arcs."""
    from geodata.ingest.freight import FreightRules, freight_network
    from geodata.ingest.osm import read_pbf

    began = time.perf_counter()
    ways = read_pbf(path, "road", classes=classes)
    read, read_mb = time.perf_counter(), peak_mb()
    made = freight_network(ways, "road", FreightRules(classes=classes))
    return {"read_s": read - began, "read_mb": read_mb, "network_s": time.perf_counter() - read,
            "kept_ways": made.figures["ways_kept"], "edges": made.network.n_edges}  # fmt: skip


def pyrosm(path: Path) -> Row:
    """pyrosm: nodes and edges of the streets for cars as tables, those of residential streets dropped, and a graph."""
    import pyrosm

    began = time.perf_counter()
    osm = pyrosm.OSM(str(path))
    nodes, edges = osm.get_network(network_type="driving", nodes=True)
    edges = edges[edges["highway"].isin(FREIGHT)]
    read = time.perf_counter()
    graph = osm.to_graph(nodes, edges, graph_type="igraph", network_type="driving")
    return {"read_s": read - began, "network_s": time.perf_counter() - read, "kept_ways": int(edges["id"].nunique()),
            "edges": graph.ecount()}  # fmt: skip


def osmnx(path: Path) -> Row:
    """OSMnx reads XML only: pyosmium writes the streets to a file, and OSMnx makes a graph and simplifies it."""
    import osmium
    import osmnx

    began = time.perf_counter()
    streets = path.with_suffix(".streets.osm")
    wanted = osmium.filter.TagFilter(*(("highway", name) for name in FREIGHT))
    with osmium.BackReferenceWriter(str(streets), ref_src=str(path), overwrite=True) as writer:
        for way in osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(wanted):
            writer.add(way)
    converted = time.perf_counter()
    raw = osmnx.graph_from_xml(streets, simplify=False, retain_all=True)
    read = time.perf_counter()
    kept = len({way for *_, way in raw.edges(data="osmid")})
    graph = osmnx.simplify_graph(raw)
    return {"convert_s": converted - began, "read_s": read - began, "network_s": time.perf_counter() - read,
            "kept_ways": kept, "edges": graph.number_of_edges()}  # fmt: skip


TOOLS: dict[str, Callable[[Path], Row]] = {
    OURS: deh_siting, FEW: lambda path: deh_siting(path, ("trunk",)), "pyrosm": pyrosm, "OSMnx": osmnx,
}  # fmt: skip


def measure_ingestion(n_ways: int) -> list[Row]:
    """A row per tool and size: median seconds, wall and processor, and the largest peak of memory."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for share in sorted({share for shares in SIZES.values() for share in shares}):
            path = Path(folder) / f"{share:g}.osm.pbf"
            counts = make_extract(path, round(n_ways * share))
            size = {**counts, "file_mb": path.stat().st_size / 1e6}
            for tool in [name for name, shares in SIZES.items() if share in shares]:
                row = {"tool": tool, **size, **_median(_runs(tool, path))}
                rows.append(row)
                print(row, flush=True)
            path.unlink()
    return rows


def _runs(tool: str, path: Path) -> list[Row]:
    runs: list[Row] = []
    spent = 0.0
    while len(runs) < REPEAT and spent < ROW_S:
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.ingestion", "--one", tool, str(path)]
        try:
            done = _run(command, LIMIT_S)
        except subprocess.TimeoutExpired:
            return [{"fault": f"stopped at {LIMIT_S:g} s"}]
        if done.returncode:
            return [{"fault": " ".join(done.stderr.strip().splitlines()[-1:])}]
        runs.append(json.loads(done.stdout.splitlines()[-1]))
        took = runs[-1]["read_s"] + runs[-1]["network_s"]
        spent += took
        if took > LONG_S:
            break
    return runs


def _median(runs: list[Row]) -> Row:
    if "fault" in runs[0]:
        return runs[0]
    total = [run["read_s"] + run["network_s"] for run in runs]
    memory = {name: max(run[name] for run in runs) for name in ("idle_mb", "read_mb", "peak_mb") if name in runs[0]}
    times = {name: median(run[name] for run in runs) for name in ("convert_s", "read_s", "network_s", "cpu_s")
             if name in runs[0]}  # fmt: skip
    return {**times, "total_s": median(total), "fastest_s": min(total), "slowest_s": max(total), "runs": len(runs),
            **memory, "kept_ways": runs[0]["kept_ways"], "edges": runs[0]["edges"]}  # fmt: skip


def india(rows: list[Row]) -> dict[str, float] | None:
    """This project's seconds and MB on the extract of India, from two sizes and two sets of classes.

    Seconds, and memory while reading, are taken to grow with the nodes of the file, which are all looked at, and with
    the ways that are kept (least squares, no coefficient below 0); memory while the network is made with the ways.
    """
    ours = [row for row in rows if row["tool"] in (OURS, FEW) and "fault" not in row]
    if len({row["nodes"] for row in ours}) < 2 or len({row["tool"] for row in ours}) < 2:
        return None
    drivers = np.array([[1.0, row["nodes"] / 1e6, row["kept_ways"] / 1e6] for row in ours])
    there = np.array([1.0, INDIA_NODES / 1e6, INDIA_FREIGHT_WAYS / 1e6])

    def there_is(name: str) -> float:
        return float(nnls(drivers, np.array([row[name] for row in ours]))[0] @ there)

    largest = max(ours, key=lambda row: row["kept_ways"])
    per_way = (largest["peak_mb"] - largest["idle_mb"]) / largest["kept_ways"]
    return {"total_s": there_is("total_s"), "cpu_s": there_is("cpu_s"), "read_mb": there_is("read_mb"),
            "network_mb": largest["idle_mb"] + per_way * INDIA_FREIGHT_WAYS}  # fmt: skip


def write_ingestion(rows: list[Row]) -> None:
    """Write results/ingestion.csv and results/ingestion.md."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "ingestion.csv").open("w", newline="") as file:
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    cores = len(os.sched_getaffinity(0))
    lines = [
        f"Measured on {platform.machine()}, {cores} core{'s' if cores > 1 else ''}, "
        f"Python {platform.python_version()}, pyrosm {version('pyrosm')}, OSMnx {version('osmnx')}, load average "
        f"{os.getloadavg()[2]:.1f} (this run is 1 of it; seconds of processor hardly depend on it).",
        "",
        f"Generated extracts: {STREETS_SHARE:.0%} of the ways are streets of 13 points, 43 % of these trunk to "
        "tertiary, and the others are houses; roads from trunk to tertiary are kept. Every tool reads the smallest "
        "file. Seconds from the PBF file to a graph or network, median of the runs. pyrosm stops at a graph of all "
        "points; OSMnx and this project join pieces between junctions. OSMnx reads XML only: the seconds in which "
        "pyosmium picks the roads and writes them as XML are part of its reading. Memory per million ways: above that "
        "of the process before it reads.",
        "",
        "| tool | ways | file MB | read s | network s | total s (range) | processor s | runs | peak MB "
        "| s per million ways | MB per million ways | edges |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        head = f"| {row['tool']} | {row['ways']:,} | {row['file_mb']:.0f} | "
        if "fault" in row:
            lines.append(head + f"{row['fault']} | | | | | | | | |")
            continue
        million = row["ways"] / 1e6
        converted = f" ({row['convert_s']:.1f} to convert)" if "convert_s" in row else ""
        lines.append(
            head + f"{row['read_s']:.1f}{converted} | {row['network_s']:.1f} | {row['total_s']:.1f} "
            f"({row['fastest_s']:.1f} to {row['slowest_s']:.1f}) | {row['cpu_s']:.1f} | {row['runs']} | "
            f"{row['peak_mb']:.0f} | {row['total_s'] / million:.0f} | "
            f"{(row['peak_mb'] - row['idle_mb']) / million:.0f} | {row['edges']:,} |"
        )
    answer = india(rows)
    if answer is not None:
        lines += [
            "",
            f"The extract of India (1.5 GB), extrapolated for this project: {answer['total_s'] / 60:.0f} minutes "
            f"({answer['cpu_s'] / 60:.0f} of processor), {answer['read_mb'] / 1024:.1f} GiB while reading and at most "
            f"{answer['network_mb'] / 1024:.1f} GiB while the network is made. Assumed, not counted: "
            f"{INDIA_NODES / 1e6:.0f} million nodes and {INDIA_FREIGHT_WAYS / 1e6:.1f} million ways from motorway to "
            "tertiary. What a node and a kept way cost is fitted to all rows of this project.",
        ]
    (RESULTS / "ingestion.md").write_text("\n".join(lines) + "\n")


def _one(tool: str, path: Path) -> Row:
    """One run in this process: figures of the tool, seconds of processor and memory."""
    if tool in (OURS, FEW):  # compiled code is loaded before the clock starts
        with tempfile.TemporaryDirectory() as folder:
            small = Path(folder) / "small.osm.pbf"
            make_extract(small, 200)
            TOOLS[tool](small)
    else:
        __import__(tool.lower())
    before, idle_mb = resource.getrusage(resource.RUSAGE_SELF), peak_mb()
    answer = TOOLS[tool](path)
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**answer, "cpu_s": used, "idle_mb": idle_mb, "peak_mb": peak_mb()}


def main() -> None:
    """Measure all tools, or one of them on a file, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ways", type=int, default=1_000_000)
    parser.add_argument("--one", nargs=2, metavar=("TOOL", "FILE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(_one(asked.one[0], Path(asked.one[1]))))
    else:
        write_ingestion(measure_ingestion(asked.ways))


if __name__ == "__main__":
    main()

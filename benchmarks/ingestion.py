"""From an OSM extract of a million ways to a road network: this project beside its peers, each in its own process.

    python -m benchmarks.ingestion [--ways 1000000]

writes results/ingestion.csv and results/ingestion.md; takes about six minutes.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.routers import peak_mb
from benchmarks.solver import RESULTS

Row = dict[str, Any]
OURS = "deh-siting"
FRACTIONS = {OURS: 1.0, "pyrosm": 0.2, "OSMnx": 0.01}
"""Share of the ways that each tool is given; the seconds and the growth of memory are scaled up to all."""
LIMIT_S = 150
BLOCKS_PER_WAY, POINTS_PER_BLOCK = 4, 3
CLASSES = {"trunk": 0.03, "primary": 0.07, "secondary": 0.13, "tertiary": 0.20, "residential": 0.57}
INDIA_BYTES, INDIA_NODES, INDIA_WAYS = 1.5e9, 1.5e9 / 8, 1.5e6
"""Assumptions: an extract of 1.5 GB holds one node per 8 bytes, and 1.5 million ways from motorway to tertiary."""
BYTES_PER_POSITION = 16
"""What the reader keeps of every node of a file."""


def write_extract(path: Path, n_ways: int, seed: int = 0) -> int:
    """Write a grid of streets as OSM data (the suffix tells the form) and return how many nodes it has.

    Every street of BLOCKS_PER_WAY blocks is a way of its own; a block has POINTS_PER_BLOCK - 1 points between its
    crossings, 0.002 degrees apart. Classes are drawn at random by CLASSES, every eighth street is one-way.
    """
    import osmium
    from osmium.osm.mutable import Node, Way

    rng = np.random.default_rng(seed)
    along = BLOCKS_PER_WAY * POINTS_PER_BLOCK  # steps of a way
    per_row = max(round(np.sqrt(n_ways / 2 / BLOCKS_PER_WAY)), 1)  # ways per street of the grid
    rows = per_row * BLOCKS_PER_WAY
    crossings = np.arange((rows + 1) ** 2).reshape(rows + 1, rows + 1)
    step = 0.002 / POINTS_PER_BLOCK
    fine = np.arange(rows * POINTS_PER_BLOCK + 1)
    between = np.flatnonzero(fine % POINTS_PER_BLOCK)
    first_inner = crossings.size
    n_ways_written = 0
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:

        def add_nodes(first: int, across: Any, up: Any) -> None:
            lon = 70 + step * across + rng.uniform(-0.1, 0.1, across.shape) * step
            lat = 10 + step * up + rng.uniform(-0.1, 0.1, up.shape) * step
            for number, place in enumerate(zip(lon.tolist(), lat.tolist(), strict=True), first + 1):
                writer.add_node(Node(id=number, version=1, location=place))

        at = POINTS_PER_BLOCK * np.arange(rows + 1)
        add_nodes(0, np.tile(at, rows + 1), np.repeat(at, rows + 1))
        n_nodes = first_inner
        streets = []
        for turned in (False, True):
            for row in range(rows):
                across, up = between, np.full(len(between), at[row])
                add_nodes(n_nodes, *((up, across) if turned else (across, up)))
                street = np.empty(len(fine), dtype=np.int64)
                street[::POINTS_PER_BLOCK] = crossings[:, row] if turned else crossings[row]
                street[between] = n_nodes + np.arange(len(between))
                n_nodes += len(between)
                streets.append(street + 1)
        names = rng.choice(list(CLASSES), len(streets) * per_row, p=list(CLASSES.values())).tolist()
        for street in streets:
            for k in range(per_row):
                nodes = street[k * along : (k + 1) * along + 1].tolist()
                tags = {"highway": names[n_ways_written], "name": f"street {n_ways_written}"}
                if n_ways_written % 8 == 0:
                    tags["oneway"] = "yes"
                n_ways_written += 1
                writer.add_way(Way(id=n_ways_written, version=1, nodes=nodes, tags=tags))
    return n_nodes


def _ours(path: Path) -> Row:
    from geodata.freight import freight_network
    from geodata.osm import read_pbf

    began = time.perf_counter()
    ways = read_pbf(path, "road")
    read = time.perf_counter()
    made = freight_network(ways, "road")
    done = time.perf_counter()
    return {"read_s": read - began, "network_s": done - read, "kept_ways": len(ways.lines),
            "edges": made.network.n_edges}  # fmt: skip


def _pyrosm(path: Path) -> Row:
    import pyrosm

    began = time.perf_counter()
    roads = "|".join(CLASSES).split("|")[:-1]
    osm = pyrosm.OSM(str(path))
    nodes, edges = osm.get_network(network_type="driving", nodes=True)
    edges = edges[edges["highway"].isin(roads)]
    read = time.perf_counter()
    graph = osm.to_graph(nodes, edges, graph_type="igraph", network_type="driving")
    return {"read_s": read - began, "network_s": time.perf_counter() - read, "kept_ways": int(edges["id"].nunique()),
            "edges": graph.ecount()}  # fmt: skip


def _osmnx(path: Path) -> Row:
    import osmnx

    began = time.perf_counter()
    raw = osmnx.graph_from_xml(path, simplify=False, retain_all=True)
    read = time.perf_counter()
    barred = [(u, v, k) for u, v, k, name in raw.edges(keys=True, data="highway") if name == "residential"]
    raw.remove_edges_from(barred)
    kept = len({way for *_, way in raw.edges(data="osmid")})
    graph = osmnx.simplify_graph(raw)
    return {"read_s": read - began, "network_s": time.perf_counter() - read, "kept_ways": kept,
            "edges": graph.number_of_edges()}  # fmt: skip


TOOLS: dict[str, Callable[[Path], Row]] = {OURS: _ours, "pyrosm": _pyrosm, "OSMnx": _osmnx}


def measure_ingestion(n_ways: int) -> list[Row]:
    """A row per tool; a tool that fails or takes longer than LIMIT_S has a row without figures."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for tool, share in FRACTIONS.items():
            # OSMnx reads XML only; what that costs is part of it.
            path = Path(folder) / f"{round(n_ways * share)}.{'osm' if tool == 'OSMnx' else 'osm.pbf'}"
            began = time.perf_counter()
            n_nodes = write_extract(path, round(n_ways * share))
            print(f"wrote {path.name}, {n_nodes:,} nodes, in {time.perf_counter() - began:.0f} s", flush=True)
            row: Row = {"tool": tool, "share": share, "nodes": n_nodes, "file_mb": path.stat().st_size / 1e6}
            row |= _run(tool, path)
            rows.append(row)
            print(row, flush=True)
            path.unlink()
    return rows


def _run(tool: str, path: Path) -> Row:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.ingestion", "--tool", tool, "--file", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    except subprocess.TimeoutExpired:
        return {"fault": f"more than {LIMIT_S} s"}
    except subprocess.CalledProcessError as error:
        return {"fault": f"{error.stderr.strip().splitlines()[-1:]} (exit {error.returncode})"}
    answer: Row = json.loads(done.stdout.splitlines()[-1])
    return answer


def write_ingestion(rows: list[Row], n_ways: int) -> None:
    """Write results/ingestion.csv and results/ingestion.md."""
    RESULTS.mkdir(exist_ok=True)
    names = ["tool", "share", "nodes", "file_mb", "kept_ways", "edges", "read_s", "network_s", "idle_mb", "peak_mb",
             "fault"]  # fmt: skip
    with (RESULTS / "ingestion.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    lines = [
        f"Measured on {platform.processor() or platform.machine()}, {len(os.sched_getaffinity(0))} core, Python "
        f"{platform.python_version()}, load average {os.getloadavg()[2]:.1f}, one run each. A generated extract of "
        f"{n_ways:,} ways; roads from trunk to tertiary are kept. Tools that would take too long are given a share of "
        "it, and `per million ways` is scaled up in proportion: seconds, and memory above that of the process before "
        "it reads. OSMnx is given XML, the one form it reads.",
        "",
        "| tool | share run | read s | network s | peak MB | s per million ways | MB per million ways |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        if "fault" in row:
            lines.append(f"| {row['tool']} | {row['share']:.0%} | {row['fault']} | | | | |")
            continue
        scale = 1e6 / (n_ways * row["share"])
        star = "" if row["share"] == 1 else "*"
        lines.append(
            f"| {row['tool']} | {row['share']:.0%} | {row['read_s']:.1f} | {row['network_s']:.1f} | "
            f"{row['peak_mb']:.0f} | {(row['read_s'] + row['network_s']) * scale:.0f}{star} | "
            f"{row['idle_mb'] + (row['peak_mb'] - row['idle_mb']) * scale:.0f}{star} |"
        )
    lines += ["", "\\* scaled up."]
    ours = rows[0]
    if "fault" not in ours:
        of_ways = INDIA_WAYS / ours["kept_ways"]
        seconds = ours["read_s"] * INDIA_BYTES / 1e6 / ours["file_mb"] + ours["network_s"] * of_ways
        positions_mb = BYTES_PER_POSITION * ours["nodes"] / 1e6
        ways_mb = (ours["peak_mb"] - ours["idle_mb"] - positions_mb) * of_ways
        memory_gb = (ours["idle_mb"] + BYTES_PER_POSITION * INDIA_NODES / 1e6 + ways_mb) / 1e3
        lines += [
            "",
            f"The extract of India, extrapolated: {seconds / 60:.0f} minutes and {memory_gb:.1f} GB. Assumed: 1.5 GB "
            f"with a node per 8 bytes ({INDIA_NODES / 1e6:.0f} million; {BYTES_PER_POSITION} bytes of memory each) and "
            f"{INDIA_WAYS / 1e6:g} million ways from motorway to tertiary; reading grows with the bytes of the file, "
            "all else with the ways kept.",
        ]
    (RESULTS / "ingestion.md").write_text("\n".join(lines) + "\n")


def main() -> None:
    """Measure all tools, or, with --tool, one of them on a file, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ways", type=int, default=1_000_000)
    parser.add_argument("--tool", choices=TOOLS)
    parser.add_argument("--file", type=Path)
    asked = parser.parse_args()
    if asked.tool is None:
        write_ingestion(measure_ingestion(asked.ways), asked.ways)
        return
    if asked.tool == OURS:  # idle memory includes its libraries
        import geodata.freight
        import geodata.osm  # noqa: F401
    else:
        __import__(asked.tool.lower())
    idle_mb = peak_mb()
    print(json.dumps({**TOOLS[asked.tool](asked.file), "idle_mb": idle_mb, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()

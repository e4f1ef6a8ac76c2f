"""How long viewers wait for map data while a sweep keeps the processors busy.

    python -m benchmarks.viewers [--viewers 100] [--seconds 30] [--study studies/national.toml]

Makes one result of the study, serves it with ``siting serve`` on this machine, starts ``siting sweep`` beside it and
lets viewers fetch what the map fetches, each over a connection of its own, compressed as a browser would, nothing
kept. Once they look for a second between two requests, once not at all. Writes results/viewers.md beside this file.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import random
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.served import HOST, SITING, TIMEOUT_S, fetch, running, served

RESULT = Path(__file__).with_name("results") / "viewers.md"
BUDGETS = ("1000", "2000", "3000", "4000", "5000", "6000", "7000", "8000", "9000", "10000")
DISTRICT_CARDS = 5  # addresses of single districts among those that are fetched


@dataclass
class Visits:
    """What the viewers saw."""

    seconds: list[float] = field(default_factory=list)
    """how long each answer took, to its last byte"""
    bytes_received: int = 0
    errors: list[str] = field(default_factory=list)


def map_addresses(port: int) -> list[str]:
    """Addresses of the map data of the first plan: all layers, the networks, and the lanes of some districts."""
    plan = json.loads(fetch(port, "/api/v1/plans"))["plans"][0]["id"]
    links = json.loads(fetch(port, f"/api/v1/plans/{plan}"))["links"]
    layers = ("self", "shapes", "districts", "sites", "places")
    districts = json.loads(fetch(port, links["districts"]))["district_id"]
    cards = [f"{links['lanes']}?district={name}" for name in districts[:: max(1, len(districts) // DISTRICT_CARDS)]]
    return [
        "/api/v1/plans", *(links[name] for name in layers), "/api/v1/map/roads", "/api/v1/map/rail",
        *cards[:DISTRICT_CARDS],
    ]  # fmt: skip


def visit(port: int, addresses: Sequence[str], viewers: int, seconds: float, pause_s: float = 0.0) -> Visits:
    """Let viewers fetch addresses over and over, each in an order of its own, pausing between two."""
    visits, lock = Visits(), threading.Lock()
    end = time.perf_counter() + seconds

    def look(number: int) -> None:
        order, mine = random.Random(number), Visits()
        time.sleep(pause_s * order.random())
        connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_S)
        while time.perf_counter() < end:
            address, start = order.choice(addresses), time.perf_counter()
            try:
                connection.request("GET", address, headers={"Accept-Encoding": "gzip"})
                response = connection.getresponse()
                body = response.read()
            except (OSError, http.client.HTTPException) as error:
                mine.errors.append(f"{address}: {type(error).__name__}: {error}")
                connection.close()
                continue
            mine.seconds.append(time.perf_counter() - start)
            mine.bytes_received += len(body)
            if response.status != http.client.OK or not body:
                mine.errors.append(f"{address}: {response.status}, {len(body)} bytes")
            time.sleep(pause_s)
        connection.close()
        with lock:
            visits.seconds += mine.seconds
            visits.bytes_received += mine.bytes_received
            visits.errors += mine.errors

    threads = [threading.Thread(target=look, args=(number,)) for number in range(viewers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return visits


def _row(name: str, visits: Visits, seconds: float) -> str:
    p50, p95, worst = 1000 * np.quantile(visits.seconds, (0.5, 0.95, 1.0))
    rate, mb = len(visits.seconds) / seconds, visits.bytes_received / seconds / 1e6
    measured = f"{len(visits.seconds)} | {rate:.0f} | {mb:.1f} | {p50:.0f} | {p95:.0f} | {worst:.0f}"
    return f"| {name} | {measured} | {len(visits.errors)} |"


def main() -> int:
    """Measure and write the table; 1 where a viewer met an error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--study", type=Path, default=Path("studies/national.toml"))
    asked = parser.parse_args()
    busy = os.getloadavg()[0]
    rows, errors = [], []
    with served(asked.study) as (folder, port):
        addresses = map_addresses(port)
        for address in addresses:  # a server that has been up for a while
            fetch(port, address)
        cases = (
            ("a second between requests, a sweep runs", 1.0, True),
            ("no pause, a sweep runs", 0.0, True),
            ("no pause, nothing else runs", 0.0, False),
        )
        for label, pause_s, sweeping in cases:
            sweep = [*SITING, "sweep", str(asked.study), *BUDGETS, "--out", str(folder / "sweep"), "--quiet"]
            idle = [sys.executable, "-c", "import time; time.sleep(86400)"]
            with running(sweep if sweeping else idle, folder / "sweep.log") as other:
                seen = visit(port, addresses, asked.viewers, asked.seconds, pause_s)
                if other.poll() is not None:
                    print(f"{label}: the sweep ended before the viewers did", file=sys.stderr)
            rows.append(_row(label, seen, asked.seconds))
            errors += seen.errors
            print(rows[-1], flush=True)
    text = "\n".join([
        "# Viewers",
        "",
        f"{asked.viewers} viewers on one machine with the server ({os.cpu_count()} processors, Python "
        f"{platform.python_version()}) fetch the map data of `{asked.study}` for {asked.seconds:g} s, each over a "
        "connection of its own, nothing kept between requests. Viewers, server and sweep share the processors; "
        f"{busy:.1f} other processes wanted them when the measurement began.",
        "",
        "| viewers look for | answers | answers/s | MB/s | p50 ms | p95 ms | slowest ms | errors |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *rows,
        "",
    ])  # fmt: skip
    RESULT.write_text(text, encoding="utf-8")
    for error in errors[:20]:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

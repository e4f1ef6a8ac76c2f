"""How long a planner waits for the proven answer to a what-if question, from the page's request to the page's data.

    python -m benchmarks.what_if [--questions 20] [--study studies/national.toml]

Makes one result of the study, serves it with ``siting serve``, waits until a solver process knows the study, then asks
as the page does: start a run, wait for its end, fetch the districts and sites of the answer. The questions change the
budget, forbid a site of the plan and force another one, in turns; closing a port is timed apart, for it prices lanes
anew. Writes results/what_if.md beside this file.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.served import HOST, TIMEOUT_S, served

RESULT = Path(__file__).with_name("results") / "what_if.md"
WAIT_S = 20
PORTS = 3  # gateways that are closed one after the other


class Page:
    """One page's connection to the server."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_S)

    def ask(self, method: str, address: str, body: dict[str, Any] | None = None) -> Any:
        """Return the JSON answer of an address, compressed on its way as a browser takes it."""
        headers = {"Content-Type": "application/json"} if method == "POST" else {}
        self.connection.request(method, address, json.dumps(body) if body is not None else None, headers)
        response = self.connection.getresponse()
        text = response.read()
        if response.status not in (http.client.OK, http.client.ACCEPTED):
            raise RuntimeError(f"{method} {address}: {response.status} {text[:500]!r}")
        return json.loads(text)

    def warm(self, plan: str) -> float:
        """Seconds until a solver process knows the study of a plan."""
        start = time.perf_counter()
        while self.ask("POST", "/api/v1/sessions", {"plan": plan})["state"] != "warm":
            time.sleep(0.1)
        return time.perf_counter() - start

    def answer(self, plan: str, changes: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        """Seconds from asking to having the answer's tables, and the run."""
        start = time.perf_counter()
        run = self.ask("POST", "/api/v1/runs", {"plan": plan, "changes": changes})
        address = run["links"]["self"]
        while run["state"] in ("queued", "running"):
            run = self.ask("GET", f"{address}?after={run['version']}&wait_s={WAIT_S}")
        if run["state"] != "finished":
            raise RuntimeError(f"{changes}: {run['state']}: {run['message']}")
        for layer in ("districts", "sites"):
            self.ask("GET", run["links"][layer])
        return time.perf_counter() - start, run


def questions(page: Page, plan: str, count: int) -> list[dict[str, Any]]:
    """Changes to ask, of three kinds in turn."""
    opened = page.ask("GET", f"/api/v1/plans/{plan}/sites")["site_id"]
    options = page.ask("GET", f"/api/v1/plans/{plan}/options")
    small = [name for name, tier in zip(options["option_id"], options["tier"], strict=True) if tier == "small"]
    asked: list[dict[str, Any]] = []
    for k in range(count):
        kinds = (
            {"budget_inr_crore": 500.0 + 450.0 * k},
            {"forbidden": [opened[7 * k % len(opened)]]},
            {"forced": [small[97 * k % len(small)]]},
        )
        asked.append(kinds[k % len(kinds)])
    return asked


def _row(name: str, seconds: list[float], runs: list[dict[str, Any]]) -> str:
    median, p95, worst = np.quantile(seconds, (0.5, 0.95, 1.0))
    gap, proven = max(run["gap"] for run in runs), all(run["proven"] for run in runs)
    return (
        f"| {name} | {len(seconds)} | {median:.2f} | {p95:.2f} | {worst:.2f} | {100 * gap:.3f} | "
        f"{'yes' if proven else 'no'} |"
    )


def main() -> int:
    """Measure and write the table; 1 where an answer was not proven."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--study", type=Path, default=Path("studies/national.toml"))
    asked = parser.parse_args()
    busy = os.getloadavg()[0]
    with served(asked.study) as (_, port):
        page = Page(port)
        plan = page.ask("GET", "/api/v1/plans")["plans"][0]["id"]
        warm_s = page.warm(plan)
        answers = [page.answer(plan, changes) for changes in questions(page, plan, asked.questions)]
        gateways = page.ask("GET", f"/api/v1/plans/{plan}/places")["gateways"]
        ports = [key for key, boxes in zip(gateways["gateway_id"], gateways["container_service"], strict=True) if boxes]
        closings = [page.answer(plan, {"closed_gateways": [key]}) for key in ports[:PORTS]]
    every = [run for _, run in answers + closings]
    rows = [
        _row("a budget, a site forbidden, a site forced", [s for s, _ in answers], [run for _, run in answers]),
        _row("a port closed", [s for s, _ in closings], [run for _, run in closings]),
    ]
    text = "\n".join([
        "# What if",
        "",
        f"From the page's request to the answer's districts and sites, `{asked.study}`, {os.cpu_count()} processors, "
        f"Python {platform.python_version()}; {busy:.1f} other processes wanted them when the measurement began. "
        f"A solver process knew the study {warm_s:.1f} s after it was asked to.",
        "",
        "| question | asked | median s | p95 s | slowest s | largest gap % | all proven |",
        "|---|---:|---:|---:|---:|---:|---|",
        *rows,
        "",
    ])  # fmt: skip
    RESULT.write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(run["proven"] for run in every) else 1


if __name__ == "__main__":
    sys.exit(main())

"""The national study from the command line, beside another checkout of this project: processor and wall seconds.

``python -m benchmarks.cold_run OLD [--runs N]`` runs this checkout and the one in the folder ``OLD`` in turn, so that
both meet the same machine, and writes ``benchmarks/results/cold_run.md``. The first run of each, which fills the caches
of distances and of compiled kernels, is left out.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMMAND = "import sys; from web.command import main; sys.exit(main())"


def seconds(checkout: Path, *argv: str) -> tuple[float, float]:
    """Processor and wall seconds of the ``siting`` command of a checkout."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    subprocess.run(
        [sys.executable, "-c", COMMAND, *argv], cwd=checkout, env=environment, check=True, capture_output=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.perf_counter() - began


def commit(checkout: Path) -> str:
    """Short name of the commit that is checked out."""
    asked = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, help="checkout to compare with")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    checkouts = {"before": arguments.old.resolve(), "now": ROOT}
    measured: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for run in range(arguments.runs + 1):
            for name, checkout in checkouts.items():
                for command in ("--help", "run"):
                    out = f"{scratch}/{name}"
                    argv = ["run", "studies/national.toml", "--out", out, "--quiet"] if command == "run" else [command]
                    taken = seconds(checkout, *argv)
                    if run:
                        measured.setdefault((command, name), []).append(taken)
    lines = [
        "# One run from the command line", "",
        f"`siting run studies/national.toml` and `siting --help`, medians of {arguments.runs} runs of each checkout in",
        f"turn, after one that fills the caches: before = {commit(arguments.old)}, now = {commit(ROOT)}.",
        "`python -m benchmarks.cold_run OLD`.", "",
        "| command | before, processor s | now, processor s | ratio | before, wall s | now, wall s | ratio |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    for command in ("run", "--help"):
        cells = []
        for kind in (0, 1):
            old, new = (statistics.median(row[kind] for row in measured[command, name]) for name in checkouts)
            cells += [f"{old:.2f}", f"{new:.2f}", f"{new / old:.2f}"]
        lines.append(f"| `{command}` | {' | '.join(cells)} |")
    text = "\n".join(lines) + "\n"
    (ROOT / "benchmarks" / "results" / "cold_run.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

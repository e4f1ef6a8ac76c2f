"""A result of a study, made and served on this machine for as long as something is measured."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SITING = [sys.executable, "-c", "from web.command import main; main()"]
HOST = "127.0.0.1"
START_LIMIT_S = 60.0
TIMEOUT_S = 60.0  # who has waited this long is not served


@contextmanager
def served(study: Path) -> Iterator[tuple[Path, int]]:
    """Run a study and serve its result; gives a scratch folder and the port."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = [*SITING, "run", str(study), "--out", str(folder / "results" / "plan"), "--quiet"]
        subprocess.run(run, stdout=subprocess.DEVNULL, check=True)
        port = _free_port()
        with running([*SITING, "serve", str(folder / "results"), "--port", str(port)], folder / "serve.log") as server:
            _wait_for(port, server, folder / "serve.log")
            yield folder, port


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command beside this one; it ends with the block."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def fetch(port: int, address: str) -> bytes:
    """Return what an address of the server holds; RuntimeError where that is not to be had."""
    connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_S)
    connection.request("GET", address)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    if response.status != http.client.OK:
        raise RuntimeError(f"{address}: {response.status} {body[:200]!r}")
    return body


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when a server that was just started answers; RuntimeError with its log where it does not."""
    end = time.perf_counter() + START_LIMIT_S
    while time.perf_counter() < end:
        if server.poll() is not None:
            break
        try:
            fetch(port, "/health")
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"the server did not start: {log.read_text(encoding='utf-8')[-2000:]}")


def _free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])

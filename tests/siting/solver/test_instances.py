"""Public instances are read as published, from a folder or from where they are published."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.instances import READERS, download_pmed
from siting.solver.solve import solve


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


def test_p_median_instances_come_from_their_source(tmp_path: Path) -> None:
    published = tmp_path / "published"
    published.mkdir()
    # A path of four points, two of them open: 1 + 0 + 0 + 2, the edge 1-2 once as 9 and then as 1.
    (published / "pmed1.txt").write_text(" 4 4 2\n 1 2 9\n 1 2 1\n 2 3 5\n 3 4 2\n")
    (published / "pmedopt.txt").write_text(" Data file  Optimal solution value\n pmed1  3\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(published)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        download_pmed(tmp_path / "mine", f"http://127.0.0.1:{server.server_port}/")
    finally:
        server.shutdown()
        server.server_close()
    (instance,) = READERS["pmed"](tmp_path / "mine")
    assert solve(instance.problem, gap=0).objective == instance.optimum == 3


def test_offline_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="refused"):
        download_pmed(tmp_path / "mine", "http://127.0.0.1:9/")
    assert not (tmp_path / "mine").exists()


def test_a_family_that_is_not_there_has_no_instances(tmp_path: Path) -> None:
    assert [list(read(tmp_path)) for read in READERS.values()] == [[]] * len(READERS)

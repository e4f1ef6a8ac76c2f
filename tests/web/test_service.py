"""The server as a service: stopped, started twice, asked too much at once, and failing in one of its own threads."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree

import pytest
from tiny_result import tiny_pack, write_result

import web.api.plans
import web.runs.queue
from web.app import create_app
from web.runs.questions import file_stem
from web.runs.store import ACTIVE

ROOT = Path(__file__).parents[2]
PATIENCE_S = 90.0


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextmanager
def server(folder: Path, *options: str):
    """``siting serve`` as a process of its own."""
    code = "import sys; from web.command import main; sys.argv[0] = 'siting'; main()"
    folders = (str(folder / "results"), "--studies", str(folder / "studies"))
    process = subprocess.Popen(
        [sys.executable, "-c", code, "serve", *folders, *options], cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(true, what: str):
    end = time.monotonic() + PATIENCE_S
    while not (found := true()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


def test_a_second_server_on_the_same_folder_refuses(solved, tmp_path):
    copytree(solved, tmp_path, dirs_exist_ok=True)
    with server(tmp_path, "--port", str(free_port())) as first:
        assert "Map of" in first.stdout.readline()
        with server(tmp_path, "--port", str(free_port())) as second:
            _, told = second.communicate(timeout=PATIENCE_S)
        assert second.returncode == 2
        assert told.strip().splitlines() == [told.strip()]
        assert "another server" in told
        assert first.poll() is None
    with server(tmp_path, "--port", str(free_port())) as third:  # a killed server leaves no lock
        assert "Map of" in third.stdout.readline()


def test_sigterm_during_a_save_ends_at_once_and_marks_the_run_interrupted(solved, tmp_path):
    import urllib.request

    copytree(solved, tmp_path, dirs_exist_ok=True)
    port = free_port()

    def call(path, content=None):
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"} if data else {}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    with server(tmp_path, "--port", str(port)) as process:
        assert "Map of" in process.stdout.readline()
        run = call("/api/v1/runs", {"plan": "tiny", "changes": {"budget_inr_crore": 30}})
        until(lambda: call(run["links"]["self"])["state"] not in ACTIVE, "no answer")
        saving = call(run["links"]["save"], {"name": "Stopped by a signal"})
        file = tmp_path / "results" / ".runs" / saving["id"] / "run.json"
        until(lambda: json.loads(file.read_text())["state"] == "running", "never began")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert json.loads(file.read_text())["state"] == "interrupted"
        assert not (tmp_path / "studies" / "stopped-by-a-signal.toml").exists()
        assert list((tmp_path / "results").glob(".stopped-by*")) == []


@pytest.fixture
def pool(solved, tmp_path):
    copytree(solved, tmp_path, dirs_exist_ok=True)
    app = create_app(tmp_path / "results", studies=tmp_path / "studies")
    pool = app.extensions["pool"]
    pool.client = app.test_client()
    yield pool
    pool.close()


def ask(pool, **content):
    answer = pool.client.post("/api/v1/runs", json={"plan": "tiny", **content})
    assert answer.status_code == 202, answer.get_data(as_text=True)
    return answer.get_json()["id"]


def ended(pool, run_id):
    return until(lambda: not pool.runs[run_id].active and pool.runs[run_id], "the run does not end")


def test_an_error_in_a_thread_of_the_pool_fails_that_run_and_the_next_starts(pool, monkeypatch):
    def broken(self, job, hear):
        raise ZeroDivisionError("of nobody's making")

    with monkeypatch.context() as patch:
        patch.setattr(web.runs.queue._Process, "ask", broken)
        run = ended(pool, ask(pool, changes={"budget_inr_crore": 30}))
    assert run.state == "failed"
    assert "of nobody's making" in run.message
    assert ended(pool, ask(pool, changes={"budget_inr_crore": 30})).state == "finished"


def test_a_model_that_failed_once_is_tried_again(pool, monkeypatch):
    monkeypatch.setattr(web.runs.queue, "FAULT_S", 0.3)
    real = web.runs.queue._Process.ask

    def short_of_memory(self, job, hear):
        return ("failed", "no memory") if job[0] == "warm" else real(self, job, hear)

    def options():
        return pool.client.get("/api/v1/plans/tiny/options").status_code

    with monkeypatch.context() as patch:
        patch.setattr(web.runs.queue._Process, "ask", short_of_memory)
        until(lambda: options() == 409, "the fault is not told")
    until(lambda: options() == 200, "the model is not tried again")


def test_a_poll_whose_client_has_gone_gives_its_place_back(pool):
    run = ended(pool, ask(pool, changes={"budget_inr_crore": 30}))
    pool.wait(run, run.version, 1e6, gone=lambda: True)  # would wait for ever


def test_many_exports_at_once_leave_the_server_answering(tmp_path, monkeypatch):
    write_result(tmp_path / "results" / "tiny")
    app = create_app(tmp_path / "results", tiny_pack(), tmp_path / "studies")
    go, begun, together = threading.Event(), threading.Semaphore(0), []
    real = web.api.plans.encode

    def slow(data, layer, suffix):
        together.append(1)
        begun.release()
        assert go.wait(PATIENCE_S)
        together.pop()
        return real(data, layer, suffix)

    monkeypatch.setattr(web.api.plans, "encode", slow)
    codes = []

    def export():
        codes.append(app.test_client().get("/api/v1/plans/tiny/tables/sites.xlsx").status_code)

    threads = [threading.Thread(target=export) for _ in range(16)]
    for thread in threads:
        thread.start()
    assert begun.acquire(timeout=PATIENCE_S)
    until(lambda: len(codes) == 16 - web.api.plans.EXPORTS, "too many wait")
    assert set(codes) == {503}
    assert len(together) == 1
    assert app.test_client().get("/health").status_code == 200
    go.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sorted(codes) == [200] * web.api.plans.EXPORTS + [503] * (16 - web.api.plans.EXPORTS)


@pytest.mark.parametrize("origin", ["http://[::1", "http://::1:", "http://[", "null", "http://localhost:1", "://", ""])
def test_an_origin_that_is_none_of_ours_is_refused_however_it_is_written(app, origin):
    assert app.test_client().post("/api/v1/runs", json={}, headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize(("name", "stem"), [
    ("₹ 10,000 crore", "10-000-crore"), ("क्‍ष" * 10, None), ("ﷺ" * 80, None), ("㏂" * 80, None), ("㎉" * 80, None),
])  # fmt: skip
def test_names_of_any_script_become_names_of_files(name, stem):
    found = file_stem(name)
    assert found == file_stem(name)
    assert stem is None or found == stem
    assert 0 < len(found) <= 100
    assert found.isascii()


@pytest.mark.parametrize("name", ["", " ", "\u200d", "a\nb", "a\u202eb", "x" * 81, None, 7])
def test_names_that_show_nothing_or_deceive_are_refused(name):
    from geodata.errors import InputError

    with pytest.raises(InputError):
        file_stem(name)


def test_a_cookie_is_for_tls_alone_where_the_page_came_by_it(solved):
    app = create_app(solved / "results", studies=solved / "studies")
    for headers, secure in (({}, False), ({"X-Forwarded-Proto": "https"}, True)):
        answer = app.test_client().post("/api/v1/sessions", json={"plan": "tiny"}, headers=headers)
        assert ("Secure" in answer.headers["Set-Cookie"]) is secure
    app.extensions["pool"].close()

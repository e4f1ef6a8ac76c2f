"""Ctrl-C and SIGTERM at every moment of a run: an earlier result stands, nothing is left, the exit code tells."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from geodata import interruption
from siting import run
from siting.cli import build_parser, run_command
from siting.solver import solve

ROOT = Path(__file__).parents[2]
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture(autouse=True)
def listening():
    """Signals are heard as in the command, and by nobody afterwards."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    interruption.listen()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    interruption._State.received = None


@pytest.fixture
def study(tmp_path, tiny_layers, monkeypatch):
    """A study on the tiny pack with an earlier result in ``out``; reports are left out."""
    monkeypatch.setattr(run, "write_report", lambda *_: None)
    for path in tiny_layers.values():
        shutil.copy(path, tmp_path / path.name)
    data = "\n".join(f'{name} = "{path.name}"' for name, path in tiny_layers.items())
    (tmp_path / "tiny.toml").write_text(f"[study]\nbudget_inr_crore = 60\n[data]\n{data}\n")
    assert siting("run", tmp_path / "tiny.toml", "--out", tmp_path / "out", "--budget", "15") == 0
    return tmp_path


def siting(*argv):
    return run_command(build_parser()[0], [str(a) for a in argv])


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stop_in_search(monkeypatch, number):
    """Let the signal come when the search has a plan: it catches the stop and returns that plan, unproven."""
    asked = []

    def search(*args, **kwargs):
        asked.append(args)
        answer = solve(*args, **kwargs)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        return replace(answer, status="feasible", gap=0.03)

    monkeypatch.setattr("siting.plan.solve", search)
    monkeypatch.setattr("siting.scenarios.runner.solve", search)
    return asked


@pytest.mark.parametrize("stage", ["load", "matrices", "lanes", "solve", "tables", "write", "report", "done"])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_stop_at_any_stage_leaves_the_earlier_result(study, monkeypatch, capsys, stage, number):
    tell = run.Log.__call__

    def stop(self, name):
        tell(self, name)
        if name == stage:
            signal.raise_signal(number)

    monkeypatch.setattr(run.Log, "__call__", stop)
    before = contents(study)
    capsys.readouterr()
    assert siting("run", study / "tiny.toml", "--out", study / "out") == SIGNALS[number]
    assert contents(study) == before
    assert capsys.readouterr().err == "interrupted; no result was written\n"


@pytest.mark.parametrize("number", SIGNALS)
def test_a_stop_in_the_search_writes_nothing_though_there_is_a_plan(study, monkeypatch, number):
    before = contents(study)
    stop_in_search(monkeypatch, number)
    assert siting("run", study / "tiny.toml", "--out", study / "out") == SIGNALS[number]
    assert contents(study) == before


def test_keep_best_writes_the_plan_so_far_with_its_gap(study, monkeypatch, capsys):
    stop_in_search(monkeypatch, signal.SIGINT)
    assert siting("run", study / "tiny.toml", "--out", study / "out", "--keep-best") == 1
    out, err = capsys.readouterr()
    assert "the best plan so far was written, gap 3 %" in err
    assert "feasible" in out
    assert '"status": "feasible"' in (study / "out" / "plan.json").read_text()


def test_a_sweep_stops(study, monkeypatch):
    before = contents(study)
    asked = stop_in_search(monkeypatch, signal.SIGTERM)
    assert siting("sweep", study / "tiny.toml", "15", "60", "--out", study / "swept") == 143
    assert len(asked) == 1
    assert contents(study) == before


def test_a_stop_that_comes_when_the_result_is_put_in_place_waits(study, monkeypatch):
    move = os.replace

    def stop(source, target):
        signal.raise_signal(signal.SIGTERM)
        move(source, target)

    monkeypatch.setattr("geodata.folders.os.replace", stop)
    assert siting("run", study / "tiny.toml", "--out", study / "out") == 0
    assert '"budget_inr_crore": 60' in (study / "out" / "plan.json").read_text()
    assert [path.name for path in study.iterdir() if path.name.startswith(".")] == []


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.05, 1.0, 2.0, 3.5, 5.0])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_national_run_stops_at_any_moment(tmp_path, seconds, number):
    run = "from web.command import main; print('up', flush=True); main()"
    command = [sys.executable, "-c", run, "run", "studies/national.toml", "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "up\n"
        time.sleep(seconds)
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (SIGNALS[number], "", "interrupted; no result was written\n")
    assert list(tmp_path.iterdir()) == []

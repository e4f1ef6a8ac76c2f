"""Blocks of a matrix and scenarios on a cluster of two real worker processes, one of which is killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

from geodata import distributed as cluster_module
from geodata import matrix
from geodata.blocks import write_matrix
from geodata.distributed import run_on_cluster
from geodata.errors import InputError
from geodata.matrix import many_to_many
from geodata.network import components, load_network
from siting.cli import build_parser, run_command
from siting.run import Log
from siting.scenarios import pool
from siting.scenarios.batch import batch_of
from siting.scenarios.draws import evaluate_draws
from siting.scenarios.runner import Wanted, run_scenarios
from siting.scenarios.variants import Variant
from siting.study import Study

ROOT = Path(__file__).parents[2]
NOWHERE = "tcp://127.0.0.1:9"

# Sockets of a killed worker are left to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    """Two worker processes on the loopback; a dead one is given up after a second, not after the usual 30."""
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}), local_cluster(2) as running:
        yield running


def local_cluster(n_workers: int) -> LocalCluster:
    return LocalCluster(
        n_workers=n_workers, threads_per_worker=1, processes=True, host="127.0.0.1",
        dashboard_address="127.0.0.1:0", silence_logs=50,
    )  # fmt: skip


def kill_a_worker(cluster: LocalCluster) -> int:
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        pid = next(iter(client.run(os.getpid).values()))
    os.kill(pid, signal.SIGKILL)
    return int(pid)


def slow_square(folder: str, item: int) -> int:
    """The square of a number; says in a file which process has begun it."""
    Path(folder, f"{item}-{os.getpid()}").touch()
    time.sleep(0.1)
    return item * item


@pytest.mark.slow
def test_what_a_killed_worker_had_begun_is_done_by_another(tmp_path: Path, cluster: LocalCluster) -> None:
    answers: dict[int, int] = {}
    for k, answer in run_on_cluster(cluster.scheduler_address, slow_square, str(tmp_path), range(20)):
        answers[k] = answer
        if len(answers) == 5:
            killed = kill_a_worker(cluster)
    assert answers == {k: k * k for k in range(20)}
    began = [file.name.split("-") for file in tmp_path.iterdir()]
    assert any(pid == str(killed) for _, pid in began)
    assert len(began) > 20


def test_a_matrix_from_a_cluster_that_loses_a_worker_is_the_same(
    tmp_path: Path, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrix, "BLOCK_ORIGINS", 4)
    road = load_network(ROOT / "geodata" / "india" / "road.parquet")
    main = np.flatnonzero(components(road) == 0)
    origins, destinations = np.random.default_rng(1).choice(main, (2, 200))
    told: list[str] = []

    def progress(stage: str) -> None:
        told.append(stage)
        if stage == "20 of 200 origins":
            kill_a_worker(cluster)

    file = tmp_path / "km.npy"
    written = write_matrix(file, road, origins, destinations, scheduler=cluster.scheduler_address, progress=progress)
    assert "20 of 200 origins" in told
    assert np.array_equal(written, many_to_many(road, origins, destinations))


@pytest.mark.slow
def test_scenarios_on_a_cluster_that_loses_a_worker_are_the_same(
    tiny_study: Study, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def losing_one(*arguments: Any) -> Iterator[tuple[int, Any]]:
        for count, result in enumerate(run_on_cluster(*arguments)):
            if count == 0:
                kill_a_worker(cluster)
            yield result

    rates = [Variant(f"rate {rate}", parameters={"discount_rate": rate}) for rate in (0.04, 0.08, 0.12)]
    batch = batch_of(tiny_study, rates, "test")
    here = run_scenarios(batch, tmp_path / "here", Log(True, 5))
    monkeypatch.setattr(pool, "run_on_cluster", losing_one)
    there = run_scenarios(batch, tmp_path / "there", Log(True, 5), Wanted(scheduler=cluster.scheduler_address))
    pd.testing.assert_frame_equal(there, here)
    assert (tmp_path / "there" / "rate-0.08" / "lanes.csv").is_file()


def test_a_failure_on_a_worker_is_the_failure_here(cluster: LocalCluster) -> None:
    with pytest.raises(ZeroDivisionError):
        list(run_on_cluster(cluster.scheduler_address, divmod, 1, [1, 0]))


def test_a_scheduler_without_workers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_S", 1)
    with (
        local_cluster(0) as empty,
        pytest.raises(InputError, match="has no workers; start some: dask worker tcp"),
    ):
        list(run_on_cluster(empty.scheduler_address, divmod, 1, [1]))


@pytest.mark.parametrize("address", [NOWHERE, "no address"])
def test_a_scheduler_that_cannot_be_reached_is_one_error(
    address: str,
    tmp_path: Path,
    tiny_layers: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_S", 1)
    for path in tiny_layers.values():
        shutil.copy(path, tmp_path / path.name)
    data = "\n".join(f'{name} = "{path.name}"' for name, path in tiny_layers.items())
    study, out = tmp_path / "tiny.toml", tmp_path / "out"
    study.write_text(f'[study]\nname = "Tiny"\nbudget_inr_crore = 60\n[data]\n{data}\n')
    parser, _ = build_parser()
    asked = ["sweep", str(study), "10", "20", "--out", str(out), "--quiet", "--scheduler", address]
    assert run_command(parser, asked) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(f"error: scheduler {address}: cannot be reached")
    assert not out.exists()


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'deh-siting\[cluster\]'"):
        list(run_on_cluster(NOWHERE, divmod, 1, [1]))


def test_nothing_of_dask_is_loaded_where_no_scheduler_is_named(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from geodata.blocks import write_matrix
from geodata.network import load_network
import siting.cli
write_matrix(Path(sys.argv[1]), load_network(sys.argv[2]), [0, 1], [2, 3])
assert not {"dask", "distributed"} & set(sys.modules)
"""
    road = ROOT / "geodata" / "india" / "road.parquet"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "km.npy"), str(road)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_draws_on_a_cluster_are_those_made_here(cluster, tiny_plan):
    there = evaluate_draws(tiny_plan, 2, scheduler=cluster.scheduler_address)
    pd.testing.assert_frame_equal(there.table, evaluate_draws(tiny_plan, 2).table)

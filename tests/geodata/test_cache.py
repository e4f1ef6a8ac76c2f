"""What is kept on disk between runs: the same answer, or computed again."""

import os
from pathlib import Path

import numpy as np
import pytest
from tiny_networks import network

from geodata.cache import cached_matrix, network_checksum


class Counted:
    """A computation that counts how often it ran."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self) -> np.ndarray:
        self.runs += 1
        return np.array([[1.0, np.nan]])


def test_the_cache_answers_only_the_same_question(tmp_path: Path) -> None:
    compute, net = Counted(), network(2, [(0, 1, 2.0)])
    inputs = network_checksum(net), np.array([0]), "km"
    first = cached_matrix(compute, *inputs, cache_dir=tmp_path)
    again = cached_matrix(compute, *inputs, cache_dir=tmp_path)
    assert np.array_equal(first, again, equal_nan=True)
    assert compute.runs == 1
    cached_matrix(compute, inputs[0], np.array([1]), "km", cache_dir=tmp_path)
    cached_matrix(compute, network_checksum(network(2, [(0, 1, 3.0)])), np.array([0]), "km", cache_dir=tmp_path)
    assert compute.runs == 3


@pytest.mark.parametrize("damage", [b"", b"short", None])
def test_a_damaged_cache_file_is_computed_again(tmp_path: Path, damage: bytes | None) -> None:
    compute = Counted()
    cached_matrix(compute, "question", cache_dir=tmp_path)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if damage is None else damage)
    assert cached_matrix(compute, "question", cache_dir=tmp_path)[0, 0] == 1.0
    assert compute.runs == 2
    cached_matrix(compute, "question", cache_dir=tmp_path)
    assert compute.runs == 2


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    compute = Counted()
    assert cached_matrix(compute, "question").shape == (1, 2)
    assert cached_matrix(compute, "question").shape == (1, 2)
    assert compute.runs == 2
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cached_matrix(compute, "question")
    assert os.listdir(tmp_path / "deh-siting")

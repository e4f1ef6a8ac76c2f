"""Large matrices: the contraction order kept on disk, and rows streamed to a file."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from tiny_networks import network

from geodata import matrix, routing
from geodata.blocks import write_matrix
from geodata.errors import InputError
from geodata.matrix import many_to_many
from geodata.network import Network

SIDE = 60


def grid(seed: int = 0) -> Network:
    """Roads of random length between the corners of 60 x 60 blocks, and an islet of two nodes."""
    node = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    pairs = np.concatenate([np.stack([node[:, :-1], node[:, 1:]], -1).reshape(-1, 2),
                            np.stack([node[:-1], node[1:]], -1).reshape(-1, 2)])  # fmt: skip
    km = np.random.default_rng(seed).integers(1000, 3000, len(pairs)) / 1000
    edges = [(int(a), int(b), float(length)) for (a, b), length in zip(pairs, km, strict=True)]
    return network(SIDE * SIDE + 2, [*edges, (SIDE * SIDE, SIDE * SIDE + 1, 1.0)])


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[Network]:
    """The networks that were contracted."""
    contracted: list[Network] = []
    build = routing._build
    monkeypatch.setattr(routing, "_build", lambda net: (contracted.append(net), build(net))[1])
    return contracted


def nodes(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, SIDE * SIDE + 2, n)


def test_the_contraction_order_is_computed_once_for_a_network(builds: list[Network]) -> None:
    origins, destinations = nodes(30, 1), nodes(40, 2)
    first = many_to_many(grid(), origins, destinations, engine="routingkit")
    again = many_to_many(grid(), origins, destinations, engine="routingkit")
    assert len(builds) == 1
    assert np.array_equal(first, again, equal_nan=True)
    assert again == pytest.approx(many_to_many(grid(), origins, destinations, engine="scipy"), abs=1e-6, nan_ok=True)


def test_the_same_roads_with_other_lengths_keep_their_order(builds: list[Network]) -> None:
    for seed in (0, 1):
        km = many_to_many(grid(seed), nodes(9, 1), nodes(9, 2), engine="routingkit")
        assert km == pytest.approx(many_to_many(grid(seed), nodes(9, 1), nodes(9, 2), engine="scipy"), nan_ok=True)
    assert len(builds) == 1


@pytest.mark.parametrize("damage", ["cut short", "a bit flipped", "no cache"])
def test_a_damaged_order_costs_time_only(
    tmp_path: Path, builds: list[Network], damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if damage == "no cache":
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    first = many_to_many(grid(), nodes(9, 1), nodes(9, 2), engine="routingkit")
    for file in tmp_path.rglob("*.order"):
        content = file.read_bytes()
        file.write_bytes(content[:-9] if damage == "cut short" else content[:-9] + b"x" + content[-8:])
    again = many_to_many(grid(), nodes(9, 1), nodes(9, 2), engine="routingkit")
    assert np.array_equal(first, again, equal_nan=True)
    assert len(builds) == 2


def test_without_room_for_temporary_files_routingkit_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = many_to_many(grid(), nodes(9, 1), nodes(9, 2), engine="routingkit")

    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(routing.tempfile, "TemporaryDirectory", full)
    for seed in (0, 1):  # with the order in the cache, and without
        net = grid() if seed == 0 else network(3000, [(i, i + 1, 1.0) for i in range(2999)])
        km = many_to_many(net, nodes(9, 1) % net.n_nodes, nodes(9, 2) % net.n_nodes, engine="routingkit")
        assert seed or np.array_equal(km, expected, equal_nan=True)


def test_a_pickled_router_answers_alike() -> None:
    net = grid()
    router = routing.make_router(net, net.edge_km, "routingkit")
    sent = pickle.loads(pickle.dumps(router))
    assert np.array_equal(
        router.weights(nodes(9, 1), nodes(9, 2)), sent.weights(nodes(9, 1), nodes(9, 2)), equal_nan=True
    )


@pytest.mark.parametrize("engine", ["routingkit", "scipy"])
@pytest.mark.parametrize("cores", [1, 3])
def test_a_streamed_matrix_is_the_matrix(
    tmp_path: Path, engine: routing.Engine, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrix, "_cores", lambda: cores)
    monkeypatch.setattr(matrix, "BLOCK_ORIGINS", 7)
    net, origins, destinations, told = grid(), nodes(50, 1), nodes(20, 2), []
    written = write_matrix(tmp_path / "km.npy", net, origins, destinations, engine=engine, progress=told.append)
    expected = many_to_many(net, origins, destinations, engine="scipy")
    assert written == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert np.array_equal(np.load(tmp_path / "km.npy"), written, equal_nan=True)
    assert told[-1] == "50 of 50 origins"
    assert not list(tmp_path.glob("*.part"))


def test_a_streamed_matrix_of_nothing(tmp_path: Path) -> None:
    assert write_matrix(tmp_path / "km.npy", grid(), [], [1, 2]).shape == (0, 2)
    assert write_matrix(tmp_path / "km.npy", grid(), [1], []).shape == (1, 0)


def test_a_computation_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "km.npy"
    write_matrix(file, grid(), [0], [1])
    before = file.read_bytes()
    compute, calls = matrix.MatrixBlocks.compute, []

    def fails_later(self: matrix.MatrixBlocks, rows: np.ndarray) -> np.ndarray:
        calls.append(rows)
        if len(calls) > 2:
            raise MemoryError
        return compute(self, rows)

    monkeypatch.setattr(matrix, "BLOCK_ORIGINS", 2)
    monkeypatch.setattr(matrix.MatrixBlocks, "compute", fails_later)
    with pytest.raises(MemoryError):
        write_matrix(file, grid(), nodes(20, 1), [1, 2])
    assert file.read_bytes() == before
    assert not list(tmp_path.glob("*.part"))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.km\.npy: cannot be written"):
        write_matrix(tmp_path / "none" / "km.npy", grid(), [0], [1])

"""Arrays kept on disk between runs, by the checksum of what they were computed from."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata.network import FloatArray, Network

CACHE_VERSION = "1"  # part of every key; raise it when results change for the same input


def cache_folder() -> Path:
    """The folder of what is kept between runs: deh-siting in $XDG_CACHE_HOME or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deh-siting"


def cached_matrix(compute: Callable[[], FloatArray], *inputs: ArrayLike, cache_dir: Path | None = None) -> FloatArray:
    """The matrix from the cache, or computed and kept there.

    The key is the SHA-256 of the inputs (arrays, text, numbers), which must be everything that the result depends
    on. Default folder: `cache_folder`. A cache that cannot be read or written, or a
    damaged file in it, costs time only.
    """
    return cached_array(compute, *inputs, cache_dir=cache_dir)


def cached_array(
    compute: Callable[[], NDArray[Any]], *inputs: ArrayLike, suffix: str = "matrix", cache_dir: Path | None = None
) -> NDArray[Any]:
    """As `cached_matrix`, for arrays of any kind; an empty array is not kept."""
    file = (cache_dir or cache_folder()) / f"{_checksum(CACHE_VERSION, *inputs)}.{suffix}"
    try:
        stored = memoryview(file.read_bytes())
    except OSError:
        stored = memoryview(b"")
    digest, content = stored[:32], stored[32:]
    if content and hashlib.sha256(content).digest() == digest:
        array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
        return array
    array = compute()
    if array.size:
        _store(file, array)
    return array


@lru_cache(maxsize=8)
def network_checksum(network: Network) -> str:
    """Checksum of all that decides the distances of a network, as an input for `cached_matrix`."""
    return _checksum(
        network.node_lon,
        network.node_lat,
        network.edge_from,
        network.edge_to,
        network.edge_km,
        network.edge_class.astype(str),
        network.directed,
    )


def _checksum(*inputs: ArrayLike) -> str:
    """SHA-256 of values with their types and shapes, in hexadecimal."""
    total = hashlib.sha256()
    for value in inputs:
        array = np.ascontiguousarray(value)
        total.update(f"{array.dtype.str}{array.shape};".encode())
        total.update(array.data if array.size and array.dtype.kind != "U" else array.tobytes())
    return total.hexdigest()


def _store(file: Path, array: NDArray[Any]) -> None:
    """Write checksum and array in one step, so that no reader sees half a file."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    temporary = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
            temporary.write(hashlib.sha256(content.getbuffer()).digest())
            temporary.write(content.getbuffer())
        os.replace(temporary.name, file)
    except OSError:  # a cache is a convenience: full or read-only disks must not stop a study
        if temporary is not None:
            Path(temporary.name).unlink(missing_ok=True)

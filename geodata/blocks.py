"""Matrices larger than memory: computed in blocks of origins, here or on a cluster, and streamed to a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from geodata.distributed import run_on_cluster
from geodata.errors import Fault, InputError
from geodata.matrix import MatrixBlocks, Weight, in_threads, matrix_blocks
from geodata.network import FloatArray, IntArray, Network
from geodata.routing import Engine


def write_matrix(
    file: Path,
    network: Network,
    origins: ArrayLike,
    destinations: ArrayLike,
    weight: Weight = "km",
    engine: Engine = "auto",
    *,
    scheduler: str | None = None,
    progress: Callable[[str], None] = lambda stage: None,
) -> FloatArray:
    """The matrix of `many_to_many`, written to a .npy file a few rows at a time; returned as a read-only memory map.

    Memory holds one block of BLOCK_ORIGINS origins per thread, whatever the size of the matrix. The file appears under
    its name when it is whole.

    Args:
        scheduler: address of a dask scheduler ("tcp://host:8786") whose workers compute the blocks; None: this process.
        progress: told what runs, and how many origins are done.

    Raises:
        InputError: as `many_to_many`; the file cannot be written; the scheduler cannot be reached.
    """
    progress("contract the network")
    blocks = matrix_blocks(network, origins, destinations, weight, engine)
    rows = blocks.rows()
    done = 0

    def tell(finished: IntArray) -> None:
        nonlocal done
        done += len(finished)
        progress(f"{done:,} of {blocks.shape[0]:,} origins")

    try:
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f"{file.name}.", suffix=".part", delete=False) as part:
            temporary = Path(part.name)
    except OSError as error:
        raise InputError(_unwritable(file, error)) from error
    try:
        # Written, not mapped: a full disk is then an error to be told of and not the end of the process.
        np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float64, shape=blocks.shape)
        if scheduler is None:
            for k in in_threads(lambda block: _write_rows(temporary, block, blocks.compute(block)), rows):
                tell(rows[k - 1])
        else:
            for k, values in run_on_cluster(scheduler, MatrixBlocks.compute, blocks, rows):
                _write_rows(temporary, rows[k], values)
                tell(rows[k])
        os.replace(temporary, file)
    except OSError as error:
        raise InputError(_unwritable(file, error)) from error
    finally:
        temporary.unlink(missing_ok=True)
    matrix: FloatArray = np.load(file, mmap_mode="r")
    return matrix


def _unwritable(file: Path, error: OSError) -> Fault:
    return Fault(f"cannot be written ({error.strerror})", "give another place or make room there", file)


def _write_rows(file: Path, rows: IntArray, values: FloatArray) -> None:
    """Put rows into their place in a .npy file of 64-bit numbers, which is as large as it will be."""
    with file.open("r+b") as stream:
        version = np.lib.format.read_magic(stream)
        assert version == (1, 0)
        shape, _, _ = np.lib.format.read_array_header_1_0(stream)
        start = stream.tell()
        for row, value in zip(rows.tolist(), values, strict=True):
            stream.seek(start + row * shape[1] * values.itemsize)
            stream.write(value.tobytes())

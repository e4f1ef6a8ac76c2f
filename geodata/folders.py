"""Result folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geodata.errors import InputError


@contextmanager
def atomic_folder(out: Path) -> Iterator[Path]:
    """Give a scratch folder that becomes ``out`` when the block ends well, and vanishes when it does not.

    Raises:
        InputError: when ``out`` exists and holds anything but an earlier result.
    """
    out = out.absolute()
    check_replaceable(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    scratch.chmod(0o755)
    try:
        yield scratch
        if out.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
            os.replace(out, old / "old")
            os.replace(scratch, out)
            shutil.rmtree(old)
        else:
            os.replace(scratch, out)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def check_replaceable(out: Path) -> None:
    """Raise InputError when writing to ``out`` would destroy something that is not an earlier result."""
    marks = ("plan.json", "sweep.csv", "manifest.json", "log.txt")
    if out.is_file():
        raise InputError(f"--out {out}: is a file; name a folder")
    if out.is_dir() and any(out.iterdir()) and not any((out / mark).is_file() for mark in marks):
        raise InputError(f"--out {out}: holds other files; name a new folder or one with an earlier result")

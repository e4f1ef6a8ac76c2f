"""Unpack a zip file from anywhere without harm: no path out of the folder, no flood of bytes."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from geodata.errors import Fault, InputError

MAX_UNPACKED_BYTES = 4 * 2**30  # the largest real input, a country's boundaries as text, is well below it
MAX_EXPANSION = 200  # unpacked to packed; text and shapes reach about 30
SMALL_BYTES = 50 * 2**20  # below it expansion does not matter
BLOCK_BYTES = 2**20


def check_zip(path: Path) -> None:
    """Raise InputError when a zip file is damaged, holds a path out of its folder, or would unpack to a flood."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise InputError(Fault(f"not a readable zip file ({error})", "fetch or pack it again", path)) from None
    problems = []
    for entry in entries:
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in entry.filename:
            problems.append(Fault(f"holds the path {entry.filename!r}, which leaves the folder", "pack it again", path))
        elif stat.S_ISLNK(entry.external_attr >> 16):
            problems.append(Fault(f"{entry.filename!r} is a link", "pack the file itself", path))
        elif entry.flag_bits & 1:
            problems.append(Fault(f"{entry.filename!r} has a password", "pack it without", path))
    size, packed = sum(e.file_size for e in entries), max(path.stat().st_size, 1)
    if size > MAX_UNPACKED_BYTES or (size > SMALL_BYTES and size > MAX_EXPANSION * packed):
        problems.append(
            Fault(
                f"would unpack from {packed / 1e6:,.1f} MB to {size / 1e6:,.0f} MB, which no map or table does",
                "unpack it yourself if you trust it, and name the file inside",
                path,
            )
        )
    if problems:
        raise InputError(problems)


def unpack(path: Path, folder: Path) -> None:
    """Unpack a zip file into a folder.

    Raises:
        InputError: as `check_zip`, and when an entry holds more bytes than it declares or fails its checksum.
    """
    check_zip(path)
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            target = folder / entry.filename.replace("\\", "/")
            target.parent.mkdir(parents=True, exist_ok=True)
            left = entry.file_size
            try:
                with archive.open(entry) as source, target.open("wb") as copy:
                    while block := source.read(BLOCK_BYTES):
                        left -= len(block)
                        if left < 0:
                            raise zipfile.BadZipFile("an entry is longer than it declares")
                        copy.write(block)
            except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, ValueError) as error:
                raise InputError(
                    Fault(f"{entry.filename!r} cannot be unpacked ({error})", "fetch it again", path)
                ) from None

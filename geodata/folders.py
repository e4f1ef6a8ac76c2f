"""Folders that appear whole or not at all, and that replace nothing but what was written here before.

Each holds a manifest of its files. A folder whose files are not all in its manifest, unchanged, is never replaced.
While one is written, it stands in a hidden folder beside its place, with a lock that ends with the process.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import Any

from geodata.errors import Fault, InputError
from geodata.interruption import shielded

try:
    import fcntl
except ImportError:  # no file locks here: what killed runs left stays
    fcntl = None  # type: ignore[assignment]

MANIFEST = ".siting.json"
LOCK = ".siting.lock"
SYSTEM_FILES = (".DS_Store", "Thumbs.db", "desktop.ini")  # which file managers leave in every folder
NAME_CHARACTERS = 40  # of the folder's name in that of its scratch folder: file systems limit names
NAMED = 3  # files that a message names


@contextmanager
def atomic_folder(out: Path, earlier: Sequence[str] = ()) -> Iterator[Path]:
    """Give a scratch folder that becomes ``out`` when the block ends well, and vanishes when it does not.

    Args:
        earlier: names (patterns) of the files of a folder that was written before there were manifests; the first
            must be there.

    Raises:
        InputError: when ``out`` holds anything that was not written here, or cannot be written.
    """
    out = check_replaceable(out, earlier)
    made = [folder for folder in out.parents if not folder.exists()]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(out)
        holder = out.parent / f"{_scratch_prefix(out)}{secrets.token_hex(4)}"
        holder.mkdir()
        try:
            with _lock_of_scratch(holder, out):
                scratch = holder / "new"
                scratch.mkdir()
                yield scratch
                _write_manifest(scratch)
                check_replaceable(out, earlier)  # a file may have come while this was written
                with shielded():
                    _exchange(scratch, out, holder / "old")
        finally:
            with shielded():
                shutil.rmtree(holder, ignore_errors=True)
    finally:
        for folder in made:
            with suppress(OSError):  # holds the result
                folder.rmdir()


@contextmanager
def kept_folder(out: Path) -> Iterator[Path]:
    """Give a hidden folder beside ``out`` that outlives a block that is broken off, and goes when it ends well.

    It is where work that takes long keeps what is done, so that the next try goes on from there. One that holds no
    file is not kept.

    Raises:
        InputError: another process is at it.
    """
    real = Path(os.path.realpath(out))
    folder = real.parent / f"{_scratch_prefix(real)}unfinished"
    made = [above for above in real.parents if not above.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder.with_name(f"{folder.name}.lock")
    try:
        with lock.open("a", encoding="utf-8") as held:
            if fcntl is not None:
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    remedy = "wait for it, or name another folder"
                    what = f"--out {out}: another siting is writing it"
                    raise InputError(Fault(what, remedy, column="--out", value=str(out))) from None
            try:
                yield folder
            except BaseException:
                if not _files(folder):
                    shutil.rmtree(folder, ignore_errors=True)
                raise
            finally:
                lock.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        for above in made:
            with suppress(OSError):  # holds the result, or what is kept
                above.rmdir()


@contextmanager
def atomic_file(out: Path) -> Iterator[Path]:
    """Give a scratch file that takes the place of ``out`` when the block ends well, and vanishes when it does not.

    Whether what stands there may go is for the caller to know.
    """
    real = Path(os.path.realpath(out))
    scratch = real.with_name(f".{real.name[:NAME_CHARACTERS]}-{secrets.token_hex(4)}")
    try:
        yield scratch
        with shielded():
            os.replace(scratch, real)
    finally:
        scratch.unlink(missing_ok=True)


def check_writable_file(out: Path) -> None:
    """Raise InputError where no file can be written at a path: its folder is not there, or nobody may write in it."""
    real = Path(os.path.realpath(out))
    wrong, remedy = "", "name a file elsewhere, or make the folder"
    if real.is_dir():
        wrong, remedy = "is a folder", "name a file in it"
    elif not real.parent.is_dir():
        wrong = f"there is no folder {real.parent}"
    elif not os.access(real.parent, os.W_OK | os.X_OK):
        wrong, remedy = f"{real.parent} cannot be written", "name a file elsewhere, or mend its permissions"
    if wrong:
        raise InputError(Fault(f"--out {out}: {wrong}", remedy, column="--out", value=str(out)))


def check_replaceable(out: Path, earlier: Sequence[str] = ()) -> Path:
    """Return the folder that ``out`` stands for, links followed.

    Raises:
        InputError: when it is no folder, the current one or a mounted disk, holds anything that was not written here,
            or cannot be written.
    """
    try:
        real = Path(os.path.realpath(out))
        wrong = _misplaced(real) or _foreign(real, earlier)
    except OSError as error:
        wrong = f"cannot be used ({error.strerror})", "name another folder"
    except UnicodeEncodeError:
        wrong = "has a name that is not UTF-8", "name another folder"
    if wrong:
        raise InputError(Fault(f"--out {out}: {wrong[0]}", wrong[1], column="--out", value=str(out)))
    return real


def _misplaced(real: Path) -> tuple[str, str] | None:
    """What is wrong with a place for a folder, and the remedy."""
    str(real).encode()
    with suppress(FileNotFoundError):
        os.lstat(real)  # a name that is too long, or a file on the way, raises
        if not real.is_dir():
            return "is a file", "name a folder"
        if Path.cwd().is_relative_to(real):
            return "is the current folder or holds it", "name a new folder in it"
        if real.is_mount():
            return "is a disk of its own, which cannot be replaced", "name a new folder in it"
    above = next(folder for folder in real.parents if folder.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        return f"{above} cannot be written", "name a folder elsewhere, or mend its permissions"
    return None


def changed_files(folder: Path) -> list[str]:
    """Files of a folder that are not as they were written here: changed, missing, or not in its manifest.

    Raises:
        InputError: the folder holds no manifest.
    """
    known = _known_files(folder)
    if known is None:
        raise InputError(Fault(f"holds no whole {MANIFEST}", "name a folder that siting wrote", folder))
    there = {name for name in _files(folder) if name != MANIFEST}
    changed = {name for name in there & known.keys() if known[name] != _identity(folder / name)}
    return sorted(changed | (there ^ known.keys()))


def _foreign(real: Path, earlier: Sequence[str]) -> tuple[str, str] | None:
    """What in a folder was not written here, or was changed since, and the remedy."""
    names = _files(real)
    known = _known_files(real)
    if known is not None:
        foreign = [name for name in names if name not in known and name != MANIFEST]
        changed = [name for name in names if name in known and known[name] != _identity(real / name)]
    else:
        ours = bool(earlier) and earlier[0] in names
        foreign = [name for name in names if not ours or not any(fnmatchcase(name, known) for known in earlier)]
        changed = []
    kept = "move it elsewhere, or name a new folder"
    for found, what, remedy in (
        (foreign, "which siting did not write", kept),
        (changed, "changed since siting wrote it", f"delete it if the change may go, {kept}"),  # QGIS writes on reading
    ):
        if found:
            more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
            told = ", ".join(repr(name) for name in found[:NAMED])
            return f"holds {told}{more}, {what}", remedy
    return None


def _files(folder: Path) -> list[str]:
    """Everything in a folder but folders: paths relative to it, in order."""
    found = []
    for root, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]
        found += [
            Path(root, name).relative_to(folder).as_posix() for name in [*files, *links] if name not in SYSTEM_FILES
        ]
    return sorted(found)


def _known_files(folder: Path) -> dict[str, Any] | None:
    """The files that the manifest of a folder tells; None without a manifest, or with one that is damaged."""
    try:
        return dict(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _identity(path: Path) -> dict[str, Any] | None:
    if path.is_symlink():
        return None
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _write_manifest(folder: Path) -> None:
    content = {
        "written_by": f"deh-siting {version('deh-siting')}",
        "files": {name: _identity(folder / name) for name in _files(folder)},
    }
    (folder / MANIFEST).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _exchange(new: Path, out: Path, old: Path) -> None:
    """Put ``new`` in the place of ``out``, which goes to ``old``."""
    if not out.exists():
        os.replace(new, out)
        return
    os.replace(out, old)
    try:
        os.replace(new, out)
    except BaseException:
        os.replace(old, out)
        raise


# -- scratch folders ---------------------------------------------------------------------------------------------


def _scratch_prefix(out: Path) -> str:
    return f".{out.name[:NAME_CHARACTERS]}-"


@contextmanager
def _lock_of_scratch(holder: Path, out: Path) -> Iterator[None]:
    """Mark a scratch folder as one of ours that is in use, until this process ends."""
    with (holder / LOCK).open("x", encoding="utf-8") as lock:
        if fcntl is not None:
            with suppress(OSError):  # file systems without locks: the folder then stays if the run is killed
                fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(out.name)
        lock.flush()
        yield


def _clear_leftovers(out: Path) -> None:
    """Remove the scratch folders of runs to ``out`` that were killed; an earlier result that was put aside returns."""
    for holder in out.parent.iterdir():
        if fcntl is None or not holder.name.startswith(_scratch_prefix(out)) or not (holder / LOCK).is_file():
            continue
        with suppress(OSError), (holder / LOCK).open("r", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its run lives
            if lock.read() != out.name:
                continue
            if (holder / "old").is_dir() and not out.exists():
                os.replace(holder / "old", out)
            shutil.rmtree(holder)

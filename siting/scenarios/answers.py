"""Answers kept on disk: what a search found, as arrays, in one file that is there whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from geodata.folders import atomic_file
from siting.solver import Certificate, FacilityProblem, Solution

_NUMBERS = ("objective", "bound", "gap", "wall_s")
_TEXTS = ("status", "solver", "message")


def keep_answer(solution: Solution, file: Path) -> None:
    """Write an answer to a file.

    Raises:
        OSError: it cannot be written.
    """
    with atomic_file(file) as scratch:
        scratch.write_bytes(packed(solution))


def packed(solution: Solution) -> bytes:
    """An answer as bytes: a checksum, then arrays without objects."""
    used = np.flatnonzero(solution.lane_share)
    about = {name: getattr(solution, name) for name in (*_NUMBERS, *_TEXTS, "stages")}
    about["certificate"] = vars(solution.certificate)
    content = io.BytesIO()
    np.savez(
        content,
        open=solution.open,
        lane=used,
        share=solution.lane_share[used],
        multipliers=solution.multipliers,
        about=np.frombuffer(json.dumps(about).encode(), dtype=np.uint8),
    )
    return hashlib.sha256(content.getvalue()).digest() + content.getvalue()


def kept_answer(file: Path, problem: FacilityProblem) -> Solution | None:
    """The answer to a problem that a file holds; None where there is none, or a damaged one."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    return unpacked(content, problem)


def unpacked(content: bytes, problem: FacilityProblem) -> Solution | None:
    """The answer to a problem that bytes hold; None where they are damaged."""
    if hashlib.sha256(content[32:]).digest() != content[:32]:
        return None
    with np.load(io.BytesIO(content[32:]), allow_pickle=False) as held:
        about: dict[str, Any] = json.loads(held["about"].tobytes())
        certificate = Certificate(**about.pop("certificate"))
        return Solution.restored(
            problem, held["open"], held["lane"], held["share"], certificate, multipliers=held["multipliers"], **about
        )

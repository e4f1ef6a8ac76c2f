"""The library of results: which there are on disk."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path

from geodata.errors import Fault, InputError
from siting.results.read import TABLES, PlanFolder, result_fault

DOWNLOADS = (*TABLES, "report.html", "brief.html", "brief.hi.html", "report.xlsx")
log = logging.getLogger("web.results")

SEPARATOR = "~"  # between the folders of a plan's key: unreserved in URLs, so a key is one part of a path


class Results:
    """The finished results in a folder: the folder itself, its folders and those of sweeps in it.

    A plan is only ever found by looking its key up in this list; a key is never turned into a path.

    Args:
        root: the folder, which need not be there yet.
        leading: title of the study whose plans come first.

    Raises:
        InputError: when ``root`` is no folder.
    """

    def __init__(self, root: Path, leading: str | None = None) -> None:
        self.root = root.absolute()
        self.leading = leading
        self.broken: Mapping[str, str] = {}
        """what is wrong with the results that are not shown, by key, as of the last look"""
        self._open: dict[str, PlanFolder] = {}
        self._seen: dict[Path, tuple[tuple[int, ...], str | None]] = {}
        if self.root.exists() and not self.root.is_dir():
            raise InputError(Fault("is no folder", "name the folder that holds results", root))

    def plans(self) -> Mapping[str, PlanFolder]:
        """Return all whole results by key; new, changed and removed ones are noticed.

        First those of the leading study, then others, the newest first; last those of sweeps by budget.
        """
        found, broken = {}, {}
        for pattern in ("plan.json", "*/plan.json", "*/*/plan.json"):
            for file in self.root.glob(pattern):
                folder = file.parent
                if any(part.startswith(".") for part in folder.relative_to(self.root).parts):
                    continue  # being written
                key = SEPARATOR.join(folder.relative_to(self.root).parts) or self.root.name
                if not is_text(key):
                    broken[told(key)] = f"{told(key)}: the name of the folder is no UTF-8; rename it"
                    continue
                stamps, fault = self._look(folder)
                if fault is None:
                    found[key] = PlanFolder(key, folder, stamps[0])
                else:
                    broken[key] = fault
        # Keep what is already read unless it was written again.
        kept = {key: self._open[key] if self._open.get(key) == plan else plan for key, plan in found.items()}
        self._open = {key: kept[key] for key in sorted(kept, key=lambda key: self._place_in_list(kept[key]))}
        self.broken = broken
        return self._open

    def _look(self, folder: Path) -> tuple[tuple[int, ...], str | None]:
        """Times of writing of a result's files and what is wrong with it, looked at anew where one has changed."""
        stamps = tuple(_stamp(folder / name) for name in TABLES)
        known = self._seen.get(folder)
        if known is None or known[0] != stamps:
            known = self._seen[folder] = stamps, without(self.root, result_fault(folder))
            if known[1] is not None:
                log.warning(json.dumps({"broken_result": known[1]}, ensure_ascii=False))
        return known

    def _place_in_list(self, plan: PlanFolder) -> tuple[bool, bool, int, list[str | int]]:
        """Sort key; a sweep's budgets by number, 2500 before 10000."""
        pieces: list[str | int] = [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", plan.key)]
        if SEPARATOR in plan.key:
            return True, False, 0, pieces
        return False, plan.summary["study"] != self.leading, -plan.stamp, pieces


def is_text(name: str) -> bool:
    """Whether a name of a file is UTF-8, in which all answers are."""
    return not any("\ud800" <= sign <= "\udfff" for sign in name)


def told(name: str) -> str:
    """A name of a file in letters that can be shown."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def without(folder: Path, text: str | None) -> str | None:
    """A message that does not say where on this machine a folder is."""
    return text and text.replace(f"{folder}{os.sep}", "")


def _stamp(path: Path) -> int:
    """Time of writing (ns); 0 where there is no such file."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0

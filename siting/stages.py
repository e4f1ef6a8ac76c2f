"""Stages of a run: the names that programs know them by, and the words that people read in the bar and the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum


class Stage(StrEnum):
    """What runs now; the values travel between processes and stand in the report."""

    LOAD = "load"
    MATRICES = "matrices"
    LANES = "lanes"
    SOLVE = "solve"
    TABLES = "tables"
    WRITE = "write"
    REPORT = "report"
    DONE = "done"


BUILD_STAGES = (Stage.LOAD, Stage.MATRICES, Stage.LANES)
PLAN_STAGES = (Stage.SOLVE, Stage.TABLES, Stage.WRITE, Stage.REPORT, Stage.DONE)
WORDS: Mapping[Stage, str] = {
    Stage.LOAD: "load the data",
    Stage.MATRICES: "measure roads and rail",
    Stage.LANES: "price the lanes",
    Stage.SOLVE: "solve",
    Stage.TABLES: "check the answer and tabulate it",
    Stage.WRITE: "write the tables",
    Stage.REPORT: "draw the map, what it depends on, and the report",
    Stage.DONE: "done",
}

Announce = Callable[[Stage], None]
"""Told each stage as it begins."""

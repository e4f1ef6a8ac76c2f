"""Runs: questions on their way to an answer, kept in files so that they outlive the server."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from geodata.errors import Fault, InputError
from web.runs.questions import model_key

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = "lock"
ACTIVE = ("queued", "running")
INTERRUPTED = "The server stopped during this run. Start it again."


@dataclass
class Run:
    """One question and how far its answer is. ``state``: queued, running, finished, failed, cancelled, interrupted."""

    id: str
    kind: str
    """``what-if``, or ``save``: a study file and its result"""
    base: dict[str, str]
    name: str
    changes: dict[str, Any]
    values: dict[str, Any]
    """the study as asked, as ``web.runs.questions.plain_values``"""
    client: str
    """who asks: one client's long runs do not hold up another's"""
    state: str = "queued"
    version: int = 1
    created: str = field(default_factory=lambda: now())
    started: str | None = None
    ended: str | None = None
    stage: str = "queued"
    bound_inr: float | None = None
    objective_inr: float | None = None
    gap: float | None = None
    saving_inr_per_year: float | None = None
    proven: bool = False
    figures: dict[str, Any] | None = None
    """of its answer: ``sites``, ``capex_inr_crore``, ``benefit_cost_ratio``, ``mean_hours``"""
    message: str | None = None
    code: str | None = None
    """kind of failure: ``refused``, ``timeout``, ``disk`` or ``error`` in the solver; the message tells others"""
    plan: str | None = None
    study_file: str | None = None

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def has_tables(self) -> bool:
        """Whether its answer is kept; a message on a finished run says why it is not."""
        return self.state == "finished" and self.kind == "what-if" and self.message is None

    @property
    def model_key(self) -> str:
        return model_key(self.values)

    @property
    def elapsed_s(self) -> float:
        if self.started is None:
            return 0.0
        end = datetime.fromisoformat(self.ended) if self.ended else datetime.now(UTC)
        return round((end - datetime.fromisoformat(self.started)).total_seconds(), 2)

    def told(self, position: int) -> dict[str, Any]:
        """Return what the API tells of it; ``position`` is its place in the queue."""
        left_out = ("values", "client")
        base = f"/api/v1/runs/{self.id}"
        names = ("plan", "districts", "sites", "places", "shapes", "lanes", "options", "tables", "restart", "save")
        links = {"self": base, **{name: f"{base}/{name}" for name in names}}
        links |= {"map": f"{base}/map.svg", "print": f"/print/runs/{self.id}"}
        fields = {key: value for key, value in asdict(self).items() if key not in left_out}
        return {**fields, "gap_asked": self.values["gap"], "elapsed_s": self.elapsed_s, "position": position,
                "links": links}  # fmt: skip


def now() -> str:
    """This moment in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class RunStore:
    """Runs on disk, a folder each with ``run.json`` and, once answered, the tables.

    The one place that knows how runs are kept; a database takes its place behind the same methods.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder.absolute()

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other servers off the runs until this one ends: two would end each other's.

        Raises:
            InputError: when another server has them.
        """
        if fcntl is None:
            yield
            return
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = (self.root / LOCK).open("a", encoding="utf-8")
        except OSError:  # where nothing can be written no run is kept, and results can still be shown
            yield
            return
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                what = "another server shows this folder and keeps its runs in it"
                raise InputError(Fault(what, "stop that one, or serve another folder", self.root.parent)) from None
            except OSError:  # a file system without locks
                pass
            yield

    def folder(self, run: Run) -> Path:
        """Where the tables of a run are."""
        return self.root / run.id

    def all(self) -> list[Run]:
        """Return all runs, oldest first; what cannot be read is left aside."""
        runs = []
        for file in self.root.glob("*/run.json"):
            try:
                run = Run(**json.loads(file.read_text(encoding="utf-8")))
                run.told(0), run.model_key
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                continue  # of another version
            if run.id == file.parent.name:
                runs.append(run)
        return sorted(runs, key=lambda run: (run.created, run.id))

    def put(self, run: Run) -> None:
        """Keep the present state of a run."""
        folder = self.folder(run)
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / "run.json.new"
        scratch.write_text(json.dumps(asdict(run), ensure_ascii=False), encoding="utf-8")
        os.replace(scratch, folder / "run.json")

    def drop_tables(self, run: Run) -> None:
        """Remove the tables of a run; its question stays."""
        folder = self.folder(run)
        (folder / "plan.json").unlink(missing_ok=True)  # without it nobody looks for the others
        for file in folder.glob("*.parquet"):
            file.unlink(missing_ok=True)

    def drop(self, run: Run) -> None:
        """Forget a run and its tables."""
        shutil.rmtree(self.folder(run), ignore_errors=True)

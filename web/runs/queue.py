"""The solver processes: who answers which run, what becomes of it, and what when a process dies."""

from __future__ import annotations

import contextlib
import json
import logging
import multiprocessing
import re
import secrets
import shutil
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Condition, RLock, Thread
from typing import Any

import numpy as np

from web.runs.store import INTERRUPTED, Run, RunStore, now
from web.runs.worker import WARM_MODELS, work

SIZE = 2
MAX_QUEUE = 16
MAX_ANSWERS = 50  # what-if answers whose tables are kept
MAX_REMEMBERED = 1000  # runs whose question is
GRACE_S = 3.0  # what a search may take to heed a cancellation before its process is ended
WAKE_S = 0.5
KEPT_OFFERED = 16
FAULT_S = 10.0  # for which a model that could not be built is not tried again
LOST = "The solver process ended unexpectedly, and this run with it. Start it again."
CANCELLED = "Cancelled."
SCRATCH = "[a-z0-9_]{8}"  # the end of the name of the folder in which a result is written
MADE_ROOM = "The tables of this answer have made room for newer ones. Start it again to see it."

log = logging.getLogger("web.runs")

Message = tuple[str, Any]  # kind and what is told, as of web.runs.worker


class QueueFullError(Exception):
    """More runs wait than will be served soon."""


class _Process:
    """One solver process with the thread that talks to it."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self.warming: str | None = None
        self.warm: deque[str] = deque(maxlen=WARM_MODELS)
        context = multiprocessing.get_context("spawn")
        self.cancelled = context.Event()
        self.cancelled_at: float | None = None
        self._context = context
        self._connection: Connection | None = None
        self._process: Any = None
        self._ended = False
        self._changing = RLock()

    @property
    def alive(self) -> bool:
        process = self._process
        return process is not None and bool(process.is_alive())

    @property
    def pid(self) -> int | None:
        process = self._process
        return None if process is None else process.pid

    def start(self) -> None:
        """Start the process where it does not run; it knows no model yet."""
        with self._changing:
            if self.alive:
                return
            self._stop()
            if self._ended:
                raise BrokenPipeError("the server stops")
            self.warm.clear()
            self._connection, other = self._context.Pipe()
            process = self._context.Process(target=work, args=(other, self.cancelled), daemon=True)
            process.start()
            self._process = process
            other.close()

    def ask(self, job: tuple[Any, ...], hear: Callable[[Message], None]) -> Message:
        """Send a job and return its last message; ``("lost", ...)`` where the process dies over it."""
        try:
            self.start()
            connection = self._connection
            assert connection is not None
            connection.send(job)
            while True:
                if connection.poll(WAKE_S):
                    message: Message = connection.recv()
                    if message[0] in ("done", "failed"):
                        return message
                    hear(message)
                if self.cancelled_at is not None and time.monotonic() - self.cancelled_at > GRACE_S:
                    self._stop()
                    return "failed", "cancelled"
        except (EOFError, OSError):
            self._stop()
            return "lost", None

    def cancel(self) -> None:
        self.cancelled_at = time.monotonic()
        self.cancelled.set()

    def restart(self) -> None:
        """Have a new process answer the next job."""
        self._stop()

    def close(self) -> None:
        """End the process for good."""
        self._ended = True
        self._stop()

    def _stop(self) -> None:
        with self._changing:  # the thread of this process and the one that closes the pool may both come here
            process, self._process = self._process, None
            connection, self._connection = self._connection, None
        if process is not None:
            process.kill()
            process.join(5)
        if connection is not None:
            connection.close()
        self.warm.clear()


class Pool:
    """Runs in order of asking, over a few processes that are started when first needed.

    Args:
        store: where runs are kept; those found running there were interrupted.
        results: folder that saved plans are written to.
        studies: folder that saved studies are in.
        size: number of processes, at least two: a long run leaves one for others.
    """

    def __init__(self, store: RunStore, results: Path, studies: Path, size: int = SIZE) -> None:
        self.store, self.results, self.studies = store, results, studies
        self.runs: OrderedDict[str, Run] = OrderedDict()
        self.offered: OrderedDict[str, dict[str, Any]] = OrderedDict()  # options and levers, by model key
        self._faults: dict[str, tuple[float, str]] = {}
        self._queue: deque[str] = deque()
        self._wanted: OrderedDict[str, Mapping[str, Any]] = OrderedDict()
        self._change = Condition()
        self._closed = False
        self._threads: list[Thread] = []
        self._processes = [_Process() for _ in range(size)]
        self._interrupted: list[Run] = []
        for run in store.all():
            if run.active:
                run.state, run.message, run.ended = "interrupted", INTERRUPTED, now()
                run.version += 1
                self._interrupted.append(run)
            self.runs[run.id] = run

    # -- asking ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the threads, each of which starts its process, and put in order what an earlier server left.

        Not before: a server that finds its port taken must not touch the runs of the one that has it.
        """
        with self._change:
            while self._interrupted:
                run = self._interrupted.pop()
                self._undo(run)
                with contextlib.suppress(OSError):
                    self.store.put(run)
            if not self._threads and not self._closed:
                self._threads = [Thread(target=self._serve, args=(p,), daemon=True) for p in self._processes]
                for thread in self._threads:
                    thread.start()

    def submit(self, run: Run) -> Run:
        """Put a run in the queue.

        Raises:
            QueueFullError: when too many wait.
        """
        self.start()
        with self._change:
            if len(self._queue) >= MAX_QUEUE:
                raise QueueFullError
            self.store.put(run)  # first: what cannot be kept is not begun
            self.runs[run.id] = run
            self._queue.append(run.id)
            self._make_room()
            self._change.notify_all()
        return run

    def warm(self, values: Mapping[str, Any], key: str) -> str:
        """Have the model of a study built on every process; returns ``warm`` once one has it, else ``warming``."""
        self.start()
        with self._change:
            if key in self.offered and any(key in p.warm for p in self._processes):
                return "warm"
            if self.fault(key) is None:
                self._wanted[key] = values
                self._wanted.move_to_end(key)
                while len(self._wanted) > WARM_MODELS:
                    self._wanted.popitem(last=False)
            self._change.notify_all()
        return "warming"

    def fault(self, key: str) -> str | None:
        """Why a model could not be built a moment ago; after that it is tried again: memory and files come back."""
        when, told = self._faults.get(key, (-np.inf, ""))
        return told if time.monotonic() - when < FAULT_S else None

    def cancel(self, run: Run) -> bool:
        """Stop a run; False where it has ended already."""
        with self._change:
            if run.id in self._queue:
                self._queue.remove(run.id)
                self._end(run, "cancelled", CANCELLED)
                return True
            for process in self._processes:
                if process.run is run:
                    process.cancel()
                    return True
        return False

    def wait(self, run: Run, after: int, seconds: float, gone: Callable[[], bool] = lambda: False) -> None:
        """Return when the version of a run is above ``after``, the time is over, or who asked has ``gone``."""
        until = time.monotonic() + seconds
        with self._change:
            while run.version <= after and not self._closed and (left := until - time.monotonic()) > 0 and not gone():
                self._change.wait(min(left, WAKE_S))

    def newest(self, count: int) -> list[Run]:
        """Return the latest runs, newest first."""
        with self._change:
            return sorted(self.runs.values(), key=lambda run: run.created, reverse=True)[:count]

    def position(self, run: Run) -> int:
        """Place in the queue, from 1; 0 for a run that does not wait."""
        with self._change:
            return self._queue.index(run.id) + 1 if run.id in self._queue else 0

    def again(self, run: Run, **changes: Any) -> Run:
        """Return a new run with the question of another one, not yet submitted."""
        fresh = {"id": new_id(), "state": "queued", "version": 1, "created": now(), "started": None, "ended": None,
                 "stage": "queued", "bound_inr": None, "objective_inr": None, "gap": None, "proven": False,
                 "saving_inr_per_year": None, "figures": None, "message": None, "code": None,
                 "plan": None}  # fmt: skip
        return replace(run, **{**fresh, **changes})

    def health(self) -> dict[str, int]:
        """Processes alive and busy, and runs that wait."""
        return {"alive": sum(p.alive for p in self._processes), "busy": sum(p.run is not None for p in self._processes),
                "queue": len(self._queue)}  # fmt: skip

    def pids(self) -> list[int]:
        """Ids of the processes that run."""
        return [p.pid for p in self._processes if p.alive and p.pid is not None]

    def process_of(self, run_id: str) -> int | None:
        """Id of the process that answers a run."""
        return next((p.pid for p in self._processes if p.run is not None and p.run.id == run_id), None)

    def close(self) -> None:
        """End all processes; what runs is interrupted."""
        with self._change:
            if self._closed:
                return
            self._closed = True
            for process in self._processes:
                process.close()
            for run in [run for run in self.runs.values() if run.active]:
                self._end(run, "interrupted", INTERRUPTED)
            self._change.notify_all()

    # -- answering -------------------------------------------------------------------------------------------

    def _serve(self, process: _Process) -> None:
        """Body of a process's thread."""
        with contextlib.suppress(OSError):  # the server stops already
            process.start()
        while True:
            with self._change:
                while (job := self._next(process)) is None:
                    if self._closed:
                        return
                    self._change.wait(WAKE_S)
                    if not self._closed:
                        with contextlib.suppress(OSError):  # a run will say so
                            process.start()  # a process killed while idle is replaced before it is needed
                process.cancelled.clear()
                process.cancelled_at = None
                if isinstance(job, Run):
                    process.run = job
                    job.state, job.started = "running", now()
                    self._changed(job)
                else:
                    process.warming = job
            try:
                if isinstance(job, Run):
                    self._answer(process, job)
                else:
                    self._warm(process, job)
            except Exception as error:
                log.exception(json.dumps({"failed": job if isinstance(job, str) else job.id}))
                self._give_up(process, job, error)

    def _next(self, process: _Process) -> Run | str | None:
        """A run that this process should answer now, else a model it should build, else None."""
        if self._closed:
            return None
        busy = [p.run for p in self._processes if p.run is not None]
        idle = [p for p in self._processes if p.run is None and p.warming is None and p is not process]
        for run_id in self._queue:
            run = self.runs[run_id]
            # The last free process is for what-if questions, and for clients that have none running.
            held = [r for r in busy if r.kind == "save" or r.client == run.client]
            if not idle and held and (run.kind == "save" or any(r.client == run.client for r in held)):
                continue
            key = run.model_key
            if run.kind == "what-if" and key not in process.warm and any(key in p.warm for p in idle):
                continue  # another one knows the model
            self._queue.remove(run_id)
            return run
        if any(p.warming for p in self._processes):
            return None  # one at a time: the other stays free for questions
        return next((key for key in reversed(self._wanted) if key not in process.warm), None)

    def _answer(self, process: _Process, run: Run) -> None:
        folder = self.store.folder(run)
        if run.kind == "save":
            assert run.study_file is not None
            target = self.results / Path(run.study_file).stem
            job: tuple[Any, ...] = ("save", str(self.studies / Path(run.study_file).name), str(target))
        else:
            job = ("solve", run.values, str(folder))
        kind, told = process.ask(job, lambda message: self._hear(run, message))
        with self._change:
            process.run = None
            if self._closed:
                return
            if kind == "done":
                offered = {name: told.pop(name) for name in ("options", "levers") if name in told}
                self._keep_model(process, run.model_key if run.kind == "what-if" else None, offered)
                for name, value in told.items():
                    setattr(run, name, value)
                run.plan = target.name if run.kind == "save" else None
                self._end(run, "finished", None)
            elif process.cancelled_at is not None:
                self._end(run, "cancelled", CANCELLED)
            else:
                self._end(run, "failed", LOST if kind == "lost" else told)

    def _warm(self, process: _Process, key: str) -> None:
        values = self._wanted.get(key)
        if values is None:  # others have asked for so many models since that this one is no longer wanted
            process.warming = None
            return
        kind, told = process.ask(("warm", values), lambda message: None)
        with self._change:
            process.warming = None
            if kind == "done":
                self._keep_model(process, key, told)
            elif kind == "failed":  # a lost process is tried again
                self._wanted.pop(key, None)
                self._faults[key] = time.monotonic(), told
            self._change.notify_all()

    def _give_up(self, process: _Process, job: Run | str, error: Exception) -> None:
        """End a job that the thread of its process fell over; the next one finds both in order."""
        process.restart()
        told = f"the server stopped on an error of its own ({type(error).__name__}: {error})"
        with self._change:
            process.run = process.warming = None
            if isinstance(job, str):
                self._wanted.pop(job, None)
                self._faults[job] = time.monotonic(), told
                self._change.notify_all()
            elif job.active:
                self._end(job, "failed", told)

    def _keep_model(self, process: _Process, key: str | None, offered: dict[str, Any]) -> None:
        if key is None:
            return
        if key in process.warm:
            process.warm.remove(key)
        process.warm.append(key)
        if offered:
            self.offered[key] = offered
            while len(self.offered) > KEPT_OFFERED:
                self.offered.popitem(last=False)

    def _hear(self, run: Run, message: Message) -> None:
        kind, told = message
        with self._change:
            if kind == "stage":
                run.stage = told
            else:
                for name, value in told.items():
                    setattr(run, name, value)
            self._changed(run, keep=False)

    def _end(self, run: Run, state: str, message: str | None) -> None:
        run.state, run.message, run.ended = state, message, now()
        run.stage = "done" if state == "finished" else run.stage
        if state != "finished":
            self._undo(run)
        self._changed(run)

    def _undo(self, run: Run) -> None:
        """Take back what a run that did not come about has written: its tables, or its study file and scratch."""
        with contextlib.suppress(OSError):
            if run.kind == "what-if":
                self.store.drop_tables(run)
            elif run.study_file is not None:
                file = self.studies / Path(run.study_file).name
                file.unlink(missing_ok=True)  # the name is free again
                for folder in self.results.glob(f".{file.stem}-*"):
                    if re.fullmatch(SCRATCH, folder.name.removeprefix(f".{file.stem}-")):
                        shutil.rmtree(folder, ignore_errors=True)

    def _changed(self, run: Run, keep: bool = True) -> None:
        run.version += 1
        if keep:
            with contextlib.suppress(OSError):  # a full disk stops no answer
                self.store.put(run)
        self._change.notify_all()

    def _make_room(self) -> None:
        """Take the tables of the oldest answers, but not their questions; saved plans are results, not runs."""
        answers = [run for run in self.runs.values() if run.has_tables]
        for run in answers[:-MAX_ANSWERS]:
            with contextlib.suppress(OSError):
                self.store.drop_tables(run)
            run.message = MADE_ROOM
            self._changed(run)
            log.info(json.dumps({"run": run.id, "told": MADE_ROOM}))
        ended = [run for run in self.runs.values() if not run.active]
        for run in ended[: max(0, len(self.runs) - MAX_REMEMBERED)]:
            del self.runs[run.id]
            self.store.drop(run)


def new_id() -> str:
    """An id that nobody can guess: who knows it may read and stop the run."""
    return secrets.token_hex(8)

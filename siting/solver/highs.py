"""HiGHS in this process: several solvers at once, progress, and Ctrl-C."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import highspy
import numpy as np

POLL_S = 0.1
"""How often a running solver is looked at for progress and Ctrl-C."""

Watch = Callable[[float, float], None]
"""Called with (bound, objective) while a solver runs."""

_lock = threading.Lock()
_running = 0
_pool_threads: int | None = None


def new_highs(threads: int) -> highspy.Highs:
    """A silent solver."""
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", threads)
    return highs


def limit_time(highs: highspy.Highs, deadline: float) -> None:
    """Let the next run end at a time of `time.perf_counter`; the clock of HiGHS goes on from run to run."""
    highs.setOptionValue("time_limit", highs.getRunTime() + max(deadline - time.perf_counter(), 0.01))


def run_highs(highs: highspy.Highs, watch: Watch | None = None) -> bool:
    """Run HiGHS beside this thread, so that Ctrl-C and progress work; True if Ctrl-C stopped it.

    All HiGHS solvers of a process share one pool of threads, which can only be resized while none runs.
    """
    global _running, _pool_threads
    threads = int(highs.getOptionValue("threads")[1])
    with _lock:
        if _pool_threads not in (None, threads):
            if _running == 0:
                highspy.Highs.resetGlobalScheduler(True)
                _pool_threads = threads
            else:
                highs.setOptionValue("threads", _pool_threads)
        else:
            _pool_threads = threads
        _running += 1
    latest = [-np.inf, np.inf]
    stop = threading.Event()

    def on_event(kind: Any, message: str, out: Any, into: Any, user: Any) -> None:
        if kind == highspy.cb.HighsCallbackType.kCallbackMipInterrupt:
            latest[0], latest[1] = out.mip_dual_bound, out.mip_primal_bound
        if stop.is_set():
            into.user_interrupt = True

    highs.setCallback(on_event, None)
    for kind in (
        highspy.cb.HighsCallbackType.kCallbackMipInterrupt,
        highspy.cb.HighsCallbackType.kCallbackSimplexInterrupt,
        highspy.cb.HighsCallbackType.kCallbackIpmInterrupt,
    ):
        highs.startCallback(kind)
    worker = threading.Thread(target=highs.run, daemon=True)
    worker.start()
    try:
        while worker.is_alive():
            try:
                worker.join(POLL_S)
                if watch is not None and not stop.is_set():
                    watch(latest[0], latest[1])
            except KeyboardInterrupt:
                stop.set()
    finally:
        with _lock:
            _running -= 1
    return stop.is_set()

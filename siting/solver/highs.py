"""HiGHS in this process: linear programs handed over whole, several solvers at once, progress, and Ctrl-C."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from scipy.sparse import csc_array, csr_array

from siting.solver.problem import BoolArray, FloatArray

POLL_S = 0.1
"""How often a running solver is looked at for progress and Ctrl-C."""

TOLERANCE = 1e-9
"""What a row or a whole number may be off where a proof rests on HiGHS; by default it takes 1e-6."""

LOOSE = 5e-9
"""Part of its limit by which a row over whole numbers is loosened for HiGHS, half of what the check lets pass: in a
strip about as narrow as its own tolerance HiGHS loses plans, and calls what is left optimal or infeasible."""

Watch = Callable[[float, float], None]
"""Called with (bound, objective) while a solver runs."""

_lock = threading.Lock()
_running = 0
_pool_threads: int | None = None


@dataclass(frozen=True, eq=False)
class Columns:
    """Costs and bounds of a program's columns, and which of them must be whole (None: none); (n_columns,) each."""

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: BoolArray | None = None


@dataclass(frozen=True, eq=False)
class Rows:
    """lower <= matrix @ columns <= upper; the matrix (n_rows, n_columns) by rows or by columns."""

    matrix: csr_array | csc_array
    lower: FloatArray
    upper: FloatArray


def pass_model(highs: highspy.Highs, columns: Columns, rows: Rows) -> None:
    """Hand a minimisation over whole."""
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = rows.matrix.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = columns.cost, columns.lower, columns.upper
    lp.row_lower_, lp.row_upper_ = rows.lower, rows.upper
    by_column = rows.matrix.format == "csc"
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise if by_column else highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = rows.matrix.indptr, rows.matrix.indices
    lp.a_matrix_.value_ = rows.matrix.data
    if columns.integer is not None:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[whole] for whole in columns.integer.tolist()]
    highs.passModel(lp)


def add_rows(highs: highspy.Highs, rows: Rows) -> int | None:
    """Add rows, by rows, to the model that is there; columns beyond those of the matrix have no part in them.

    Returns:
        Where the first of them stands; None where they hold numbers beyond what HiGHS takes, and are left out.
    """
    first = int(highs.getNumRow())
    a = rows.matrix
    status = highs.addRows(
        a.shape[0], rows.lower, rows.upper, a.nnz, a.indptr[:-1].astype(np.int32), a.indices.astype(np.int32), a.data
    )
    return None if status == highspy.HighsStatus.kError else first


def new_highs(threads: int | None = None) -> highspy.Highs:
    """A silent solver; None leaves the number of threads to HiGHS."""
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    if threads is not None:
        highs.setOptionValue("threads", threads)
    return highs


def set_tolerance(highs: highspy.Highs) -> None:
    """Ask for TOLERANCE in every row, whole number and reduced cost, before a search for whole numbers."""
    for option in ("mip_feasibility_tolerance", "primal_feasibility_tolerance", "dual_feasibility_tolerance"):
        highs.setOptionValue(option, TOLERANCE)


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

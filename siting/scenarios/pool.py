"""Many questions to one thing, worked out side by side: in this process, in others here, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

from geodata import interruption
from geodata.distributed import run_on_cluster

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Shared, Item], Result],
    shared: Shared,
    items: Sequence[Item],
    *,
    workers: int = 1,
    scheduler: str | None = None,
    lost: Callable[[Item], Result] | None = None,
) -> Iterator[tuple[int, Result]]:
    """Position and result of ``work(shared, item)`` for every item, as each is done.

    Args:
        work: a function of a module, which other processes can import.
        shared: goes to every process once.
        workers: processes here that share the work; with 1 it is done in this one.
        scheduler: address of a dask scheduler whose workers do it instead.
        lost: result of an item whose process died twice, once beside others and once alone.

    Raises:
        InputError: the scheduler cannot be reached, or as ``work``.
        BrokenProcessPool: a process died, and nothing says what that comes to.
        KeyboardInterrupt: a stop was asked for.
    """
    for k, result in _results(work, shared, items, workers, scheduler, lost):
        interruption.check()  # a search that was stopped returns the best it has
        yield k, result


def _results(
    work: Callable[[Shared, Item], Result],
    shared: Shared,
    items: Sequence[Item],
    workers: int,
    scheduler: str | None,
    lost: Callable[[Item], Result] | None,
) -> Iterator[tuple[int, Result]]:
    if scheduler is not None:
        yield from run_on_cluster(scheduler, work, shared, items)
    elif workers == 1 or len(items) < 2:
        for k, item in enumerate(items):
            yield k, work(shared, item)
    else:
        left = dict(enumerate(items))
        try:
            for k, result in _in_processes(work, shared, left, workers):
                del left[k]
                yield k, result
        except BrokenProcessPool:
            if lost is None:
                raise
            for k, item in left.items():  # the one that kills its process is among them
                try:
                    yield from _in_processes(work, shared, {k: item}, 1)
                except BrokenProcessPool:
                    yield k, lost(item)


def _in_processes(
    work: Callable[[Shared, Item], Result], shared: Shared, items: Mapping[int, Item], workers: int
) -> Iterator[tuple[int, Result]]:
    # Processes are started afresh: a copy of one with threads may find their locks held for ever.
    pool = ProcessPoolExecutor(min(workers, len(items)), get_context("spawn"), _begin_work, (work, shared))
    try:
        numbers = {pool.submit(_work, item): k for k, item in list(items.items())}
        for done in as_completed(list(numbers)):
            yield numbers.pop(done), done.result()
    finally:
        pool.shutdown(cancel_futures=True)


_asked: list[tuple[Callable[[Any, Any], Any], Any]] = []
"""In a process of the pool, what it was started for."""


def _begin_work(work: Callable[[Any, Any], Any], shared: Any) -> None:
    interruption.ignore()  # the process that started this one hears the signals and ends it
    _asked.append((work, shared))


def _work(item: Any) -> Any:
    work, shared = _asked[0]
    return work(shared, item)

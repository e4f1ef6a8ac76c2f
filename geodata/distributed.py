"""The same work on many machines, by dask.distributed, which is loaded only where a scheduler is named.

Start one with `dask scheduler`, and workers with `dask worker tcp://host:8786`, in the same Python environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from itertools import islice
from typing import Any, TypeVar

from geodata.errors import Fault, InputError

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")

CONNECT_S = 10
TASKS_PER_THREAD = 2
"""Tasks under way per thread of the cluster: none waits for work, and few results wait for us."""


def run_on_cluster(
    scheduler: str, function: Callable[[Shared, Item], Result], shared: Shared, items: Sequence[Item]
) -> Iterator[tuple[int, Result]]:
    """Position and result of ``function(shared, item)`` for every item, as each is done.

    ``shared`` goes to every worker once. Work of a worker that dies is done again by another.

    Raises:
        InputError: dask.distributed is not installed, or no scheduler with a worker is at the address.
        RuntimeError: the cluster lost the shared data, or an item stopped several workers.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError as error:
        raise InputError(
            Fault(f"scheduler {scheduler}: dask.distributed is not installed", "pip install 'deh-siting[cluster]'")
        ) from error
    try:
        client = Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            Fault(
                f"scheduler {scheduler}: cannot be reached ({_first_line(error)})",
                "give the address that `dask scheduler` printed, as tcp://host:8786, or leave the scheduler out to "
                "compute here",
            )
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_S)
        except TimeoutError as error:
            raise InputError(
                Fault(f"scheduler {scheduler}: has no workers", f"start some: dask worker {scheduler}")
            ) from error
        held = client.scatter(shared, broadcast=True)
        threads = sum(client.nthreads().values())
        waiting = iter(enumerate(items))
        position: dict[str, int] = {}

        def submit(count: int) -> list[Any]:
            futures = []
            for k, item in islice(waiting, count):
                future = client.submit(function, held, item, pure=False)
                position[future.key] = k
                futures.append(future)
            return futures

        running = as_completed(submit(TASKS_PER_THREAD * threads), loop=client.loop)
        for future in running:
            try:
                result = future.result()
            except KilledWorker as error:
                raise RuntimeError(f"scheduler {scheduler}: several workers died of one task") from error
            except CancelledError as error:
                raise RuntimeError(f"scheduler {scheduler}: the workers with the data died; run it again") from error
            running.update(submit(1))
            yield position.pop(future.key), result


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]

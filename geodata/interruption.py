"""Ctrl-C and SIGTERM: what runs is stopped, the stop is remembered, and the last step of writing is not cut in two."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class _State:
    """What the handler and the program tell each other; signals are the process's, so there is one."""

    received: int | None = None
    shields = 0


def listen() -> None:
    """From now on SIGINT and SIGTERM raise KeyboardInterrupt in the main thread and are remembered."""
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)


def ignore() -> None:
    """From now on both signals are ignored: the stop has been dealt with, and asking again must not break its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _stop(number: int, frame: FrameType | None) -> None:
    _State.received = number
    if not _State.shields:
        raise KeyboardInterrupt


def received() -> int | None:
    """Return the signal that asked for a stop, if any: a search catches the KeyboardInterrupt and ends early."""
    return _State.received


def check() -> None:
    """Raise KeyboardInterrupt where a stop has been asked for."""
    if _State.received is not None:
        raise KeyboardInterrupt


@contextmanager
def shielded() -> Iterator[None]:
    """A step of a few milliseconds that is done as a whole even when a signal comes."""
    _State.shields += 1
    try:
        yield
    finally:
        _State.shields -= 1

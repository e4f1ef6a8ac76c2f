"""Loops compiled by numba, kept on disk where that can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile with numba and keep the result on disk: beside its file, in NUMBA_CACHE_DIR or the user's cache.

    Where none of these can be written, it is compiled anew in every process. Other threads run meanwhile.
    """
    try:
        loop: Callable[..., Any] = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # numba: no locator available
        loop = numba.njit(nogil=True, error_model="numpy")(function)
    return loop

"""Rings of a map's shapes as a browser puts them together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from web.map.topology import GRID


def decode_ring(refs: list[int], arcs: list[list[int]]) -> NDArray[np.float64]:
    """Return the (n, 2) degrees of a ring of arcs."""
    pieces = []
    for ref in refs:
        points = np.cumsum(np.reshape(arcs[ref if ref >= 0 else -1 - ref], (-1, 2)), axis=0)
        pieces.append(points if ref >= 0 else points[::-1])
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])]) / GRID

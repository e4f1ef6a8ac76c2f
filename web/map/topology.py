"""Polygons that share borders, each border sent once.

Rings are cut where borders meet into arcs: lists of whole numbers ``[x0, y0, dx, dy, ...]`` in units of 1 / GRID
degree. A ring is a list of arcs by number, end to end; ``-1 - k`` is arc ``k`` from its end to its beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

GRID = 1000  # steps per degree: about 110 m
MIN_RING_POINTS = 4  # a triangle, closed

Steps = NDArray[np.int64]  # (n, 2) points on the grid


def encode_topology(groups: Mapping[str, NDArray[np.object_]]) -> dict[str, Any]:
    """Return ``grid``, ``arcs`` and, for each group of (Multi)Polygons, its shapes: polygons of rings of arcs.

    What has no area on the grid is left out.
    """
    shapes = np.concatenate([np.asarray(group, dtype=object) for group in groups.values()])
    parts, shape_of_part = shapely.get_parts(shapes, return_index=True)
    lines, part_of_ring = shapely.get_rings(parts, return_index=True)
    rings = [
        (ring, part) for ring, part in zip(_on_grid(lines), part_of_ring, strict=True) if len(ring) >= MIN_RING_POINTS
    ]
    keys = [ring[:, 0] * (1 << 32) + ring[:, 1] for ring, _part in rings]
    arcs = _Arcs()
    polygons: list[list[list[int]]] = [[] for _ in parts]
    for (ring, part), key, cuts in zip(rings, keys, _junctions(keys), strict=True):
        polygons[part].append([arcs.number(piece) for piece in _pieces(ring, key, cuts)])
    told: list[list[list[list[int]]]] = [[] for _ in shapes]
    for polygon, shape in zip(polygons, shape_of_part, strict=True):
        if polygon:
            told[shape].append(polygon)
    ends = np.cumsum([len(group) for group in groups.values()])
    split = {name: told[end - len(group) : end] for (name, group), end in zip(groups.items(), ends, strict=True)}
    return {"grid": GRID, "arcs": arcs.steps, **split}


class _Arcs:
    """Arcs by number, one whichever way it is gone."""

    def __init__(self) -> None:
        self.steps: list[list[int]] = []
        self._numbers: dict[bytes, int] = {}

    def number(self, points: Steps) -> int:
        forth, back = points.tobytes(), points[::-1].tobytes()
        if forth not in self._numbers and back in self._numbers:
            return -1 - self._numbers[back]
        if forth not in self._numbers:
            self._numbers[forth] = len(self.steps)
            self.steps.append(np.concatenate([points[:1], np.diff(points, axis=0)]).ravel().tolist())
        return self._numbers[forth]


def _on_grid(lines: NDArray[np.object_]) -> list[Steps]:
    """Points of each ring on the grid, without steps of nothing."""
    if len(lines) == 0:
        return []
    points, ring = shapely.get_coordinates(lines, return_index=True)
    steps: Steps = np.rint(points * GRID).astype(np.int64)
    same = (steps[1:] == steps[:-1]).all(axis=1) & (ring[1:] == ring[:-1])
    kept = np.append(True, ~same)[: len(steps)]
    return np.split(steps[kept], np.searchsorted(ring[kept], np.arange(1, len(lines))))


def _junctions(keys: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Where in each ring, its last point left out, other than two borders end."""
    if not keys:
        return []
    begins, ends = (np.concatenate([ring[side] for ring in keys]) for side in (slice(None, -1), slice(1, None)))
    segments = np.unique(np.sort(np.column_stack([begins, ends]), axis=1), axis=0)
    points, count = np.unique(segments, return_counts=True)
    meets = count[np.searchsorted(points, begins)] != 2
    lengths = np.cumsum([len(ring) - 1 for ring in keys])
    return [np.flatnonzero(piece) for piece in np.split(meets, lengths[:-1])]


def _pieces(ring: Steps, keys: NDArray[np.int64], cuts: NDArray[np.int64]) -> list[Steps]:
    """A ring from one junction to the next; one that meets none begins at its least point."""
    begin = int(cuts[0]) if len(cuts) else int(np.argmin(keys[:-1]))
    turned = np.concatenate([ring[begin:-1], ring[: begin + 1]])
    ends = [*(cuts - begin), len(turned) - 1] if len(cuts) else [0, len(turned) - 1]
    return [turned[first : last + 1] for first, last in zip(ends[:-1], ends[1:], strict=True)]

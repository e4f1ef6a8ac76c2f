"""A generated OSM extract: a town without end, in the proportions of a country."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import osmium

BLOCKS_PER_WAY, POINTS_PER_BLOCK = 4, 3
STREETS_SHARE = 0.7  # the other ways are houses
CLASSES = {"trunk": 0.03, "primary": 0.07, "secondary": 0.13, "tertiary": 0.2, "residential": 0.57}
"""Share of the streets by class; so 30 % of all ways are roads for freight."""


def make_extract(path: Path, n_ways: int, houses: bool = True, seed: int = 0) -> dict[str, int]:
    """Write about `n_ways` ways (.osm.pbf or .osm by its name); returns how many ways and nodes.

    Streets of a jittered grid, each way 4 blocks long with 13 points, and houses of 4 nodes. Written as text in
    osmium's OPL format and turned over by osmium, which takes a fraction of the time of objects made in Python.
    """
    text = path.with_suffix(".opl")
    side = BLOCKS_PER_WAY * round(np.sqrt(STREETS_SHARE * n_ways / (2 * BLOCKS_PER_WAY)))  # blocks along each edge
    counts = {"ways": 0, "nodes": 0}
    with text.open("w") as file:
        for kind, lines in _lines(side, round((1 - STREETS_SHARE) * n_ways) if houses else 0, seed):
            file.writelines(lines)
            counts[kind] += len(lines)
    writer = osmium.SimpleWriter(str(path), overwrite=True)
    osmium.apply(str(text), writer)
    writer.close()
    text.unlink()
    return counts


def _lines(side: int, n_houses: int, seed: int) -> Iterator[tuple[str, list[str]]]:
    """Lines of an OPL file with what they are, nodes before ways."""
    rng = np.random.default_rng(seed)
    n = side * POINTS_PER_BLOCK + 1  # points along a street
    step = 0.0007
    grid = np.zeros((2, n, n), dtype=np.int64)  # node of every point of the streets that run east, and north
    number = 1
    crossing = np.arange(n) % POINTS_PER_BLOCK == 0
    for row in range(n):  # points off the streets do not exist
        on = np.ones(n, dtype=bool) if crossing[row] else crossing
        column = np.flatnonzero(on)
        nodes = number + np.arange(len(column))
        number += len(column)
        grid[0, row, column] = nodes
        grid[1, column, row] = nodes
        lon = 70 + step * column + rng.uniform(-2e-4, 2e-4, len(column))
        lat = 10 + step * row + rng.uniform(-2e-4, 2e-4, len(column))
        yield "nodes", _nodes(nodes, lon, lat)
    corner = rng.uniform(0, n * step, (n_houses, 2)) + np.array([70, 10])
    house = number + np.arange(4 * n_houses)
    for start in range(0, 4 * n_houses, 400_000):
        some = np.arange(start, min(start + 400_000, 4 * n_houses))
        dx, dy = np.array([0, 1, 1, 0]) * 1e-4, np.array([0, 0, 1, 1]) * 1e-4
        at = corner[some // 4]
        yield "nodes", _nodes(house[some], at[:, 0] + dx[some % 4], at[:, 1] + dy[some % 4])

    way = 1
    length = BLOCKS_PER_WAY * POINTS_PER_BLOCK
    names, shares = list(CLASSES), list(CLASSES.values())
    for axis in (0, 1):
        for row in np.flatnonzero(crossing):
            chosen = rng.choice(names, n // length, p=shares).tolist()
            street = grid[axis, row]
            pieces = [street[start : start + length + 1].tolist() for start in range(0, n - 1, length)]
            yield (
                "ways",
                [
                    f"w{way + k} v1 Thighway={name},name=Street_{row} N{','.join(f'n{node}' for node in piece)}\n"
                    for k, (name, piece) in enumerate(zip(chosen, pieces, strict=True))
                ],
            )
            way += len(pieces)
    for start in range(0, n_houses, 100_000):
        first = house[4 * np.arange(start, min(start + 100_000, n_houses))].tolist()
        yield (
            "ways",
            [f"w{way + k} v1 Tbuilding=yes Nn{a},n{a + 1},n{a + 2},n{a + 3},n{a}\n" for k, a in enumerate(first)],
        )
        way += len(first)


def _nodes(number: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> list[str]:
    triples = zip(number.tolist(), lon.tolist(), lat.tolist(), strict=True)
    return [f"n{i} v1 x{x:.7f} y{y:.7f}\n" for i, x, y in triples]

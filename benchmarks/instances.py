"""Readers of public benchmark instances: OR-Library, Holmberg et al., TSPLIB.

Formats and optima come with the instances; a reader is trusted only because known optima come out (tests).
"""

from __future__ import annotations

import csv
import os
import re
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from siting.solver import FacilityProblem

FloatArray = npt.NDArray[np.float64]


OR_LIBRARY = "https://people.brunel.ac.uk/~mastjjb/jeb/orlib/files/"


@dataclass(frozen=True, eq=False)
class Instance:
    """A problem with its known optimum: the cost matrix and the rest, as arguments of `from_costs`."""

    family: str
    name: str
    optimum: float
    cost: FloatArray
    settings: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    @cached_property
    def problem(self) -> FacilityProblem:
        return FacilityProblem.from_costs(self.cost, **self.settings)


def instances_folder() -> Path | None:
    """Where the instances are: `SITING_INSTANCES`, or ../shared/benchmarks beside this project; None if nowhere."""
    named = os.environ.get("SITING_INSTANCES")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "benchmarks"
    return folder if folder.is_dir() else None


def download_pmed(folder: Path, source: str = OR_LIBRARY) -> None:
    """Fetch the 40 p-median instances of OR-Library and their optima into `folder`/pmed; OSError when offline."""
    optima = re.findall(r"(pmed\d+)\s+(\d+)", _fetch(source + "pmedopt.txt"))
    texts = {name: _fetch(f"{source}{name}.txt") for name, _ in optima}
    (folder / "pmed").mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / "pmed" / f"{name}.txt").write_text(text)
    lines = ["instance,optimum", *(f"{name},{value}" for name, value in optima)]
    (folder / "pmed" / "optima.csv").write_text("\n".join(lines) + "\n")


def _fetch(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return str(answer.read().decode("ascii"))


def read_pmed(folder: Path) -> Iterator[Instance]:
    """OR-Library p-median [Beasley 1985]: `n edges p`, edges `i j cost`; a repeated edge takes its last cost."""
    for row in _table(folder / "pmed" / "optima.csv"):
        numbers = (folder / "pmed" / f"{row['instance']}.txt").read_text().split()
        n, edges, p = map(int, numbers[:3])
        edge = np.array(numbers[3 : 3 + 3 * edges], dtype=float).reshape(-1, 3)
        length = np.zeros((n, n))
        for a, b, c in edge:
            length[int(a) - 1, int(b) - 1] = length[int(b) - 1, int(a) - 1] = c
        cost = shortest_path(csr_array(length), method="D", directed=False)
        yield Instance("pmed", row["instance"], float(row["optimum"]), cost, {"n_open": p})


def read_cap(folder: Path) -> Iterator[Instance]:
    """OR-Library capacitated [Beasley 1988]: `m n`; capacity and fixed cost per site; demand and costs per client."""
    for row in _table(folder / "cap" / "optima.csv"):
        name, _, capacity = row["instance"].partition("-")
        text = (folder / "cap" / f"{name}.txt").read_text().replace("capacity", capacity or "nan")
        numbers = np.array(text.split(), dtype=float)
        sites, clients = int(numbers[0]), int(numbers[1])
        site = numbers[2 : 2 + 2 * sites].reshape(sites, 2)
        client = numbers[2 + 2 * sites :][: clients * (sites + 1)].reshape(clients, sites + 1)
        cost = client[:, 1:]
        settings = {"demand": client[:, 0], "fixed_cost": site[:, 1], "capacity": site[:, 0]}
        yield Instance("cap", row["instance"], float(row["optimum"]), cost, settings)


def read_holmberg(folder: Path) -> Iterator[Instance]:
    """Single-source capacitated [Holmberg, Ronnqvist and Yuan 1999]: as cap, costs site by site."""
    for row in _table(folder / "holmberg" / "optima.csv"):
        numbers = np.array((folder / "holmberg" / row["instance"]).read_text().split(), dtype=float)
        sites, clients = int(numbers[0]), int(numbers[1])
        site = numbers[2 : 2 + 2 * sites].reshape(sites, 2)
        demand = numbers[2 + 2 * sites :][:clients]
        cost = numbers[2 + 2 * sites + clients :][: sites * clients].reshape(sites, clients).T.copy()
        settings = {"demand": demand, "fixed_cost": site[:, 1], "capacity": site[:, 0], "single_source": True}
        yield Instance("holmberg", row["instance"], float(row["optimum_single_source"]), cost, settings)


def read_tsplib(folder: Path, names: tuple[str, ...] = ("rl1304", "fl1400", "pcb3038")) -> Iterator[Instance]:
    """TSPLIB points as p-median, Euclidean distance rounded down [Duran-Mateluna, Ales and Elloumi 2023]."""
    matrices: dict[str, FloatArray] = {}
    for row in _table(folder / "tsplib" / "optima.csv"):
        name = row["instance"]
        if name not in names:
            continue
        if name not in matrices:
            lines = (folder / "tsplib" / f"{name}.tsp").read_text().splitlines()
            start = next(k for k, line in enumerate(lines) if line.startswith("NODE_COORD"))
            points = np.array([line.split()[1:3] for line in lines[start + 1 :] if len(line.split()) == 3], float)
            matrices[name] = np.floor(np.linalg.norm(points[:, None] - points[None], axis=2))
        cost = matrices[name]
        settings, title = {"n_open": int(row["p"])}, f"{name} p={row['p']}"
        yield Instance(name, title, float(row["optimum"]), cost, settings, row["paper_time_s"].replace(",", "."))


def _table(path: Path) -> list[dict[str, str]]:
    """Rows of a table of optima; none where the family is not there."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


READERS: dict[str, Callable[[Path], Iterator[Instance]]] = {
    "pmed": read_pmed,
    "cap": read_cap,
    "holmberg": read_holmberg,
    "rl1304": lambda folder: read_tsplib(folder, ("rl1304",)),
    "fl1400": lambda folder: read_tsplib(folder, ("fl1400",)),
    "pcb3038": lambda folder: read_tsplib(folder, ("pcb3038",)),
}

"""Readers of public benchmark instances: OR-Library, Holmberg et al., TSPLIB.

Formats and optima come with the instances; a reader is trusted only because known optima come out (tests).
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from siting.problem import FacilityProblem

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Instance:
    """A problem with its known optimum; `cost` and the rest are what peers are given."""

    family: str
    name: str
    problem: FacilityProblem
    optimum: float
    cost: FloatArray
    note: str = ""


def instances_folder() -> Path | None:
    """Where the instances are: `SITING_INSTANCES`, or ../shared/benchmarks beside this project; None if nowhere."""
    named = os.environ.get("SITING_INSTANCES")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "benchmarks"
    return folder if folder.is_dir() else None


def read_pmed(folder: Path) -> list[Instance]:
    """OR-Library p-median [Beasley 1985]: `n edges p`, edges `i j cost`; a repeated edge takes its last cost."""
    found = []
    for row in _table(folder / "pmed" / "optima.csv"):
        numbers = (folder / "pmed" / f"{row['instance']}.txt").read_text().split()
        n, edges, p = map(int, numbers[:3])
        edge = np.array(numbers[3 : 3 + 3 * edges], dtype=float).reshape(-1, 3)
        length = np.zeros((n, n))
        for a, b, c in edge:
            length[int(a) - 1, int(b) - 1] = length[int(b) - 1, int(a) - 1] = c
        cost = shortest_path(csr_array(length), method="D", directed=False)
        problem = FacilityProblem.from_costs(cost, n_open=p)
        found.append(Instance("pmed", row["instance"], problem, float(row["optimum"]), cost))
    return found


def read_cap(folder: Path) -> list[Instance]:
    """OR-Library capacitated [Beasley 1988]: `m n`; capacity and fixed cost per site; demand and costs per client."""
    found = []
    for row in _table(folder / "cap" / "optima.csv"):
        name, _, capacity = row["instance"].partition("-")
        text = (folder / "cap" / f"{name}.txt").read_text().replace("capacity", capacity or "nan")
        numbers = np.array(text.split(), dtype=float)
        sites, clients = int(numbers[0]), int(numbers[1])
        site = numbers[2 : 2 + 2 * sites].reshape(sites, 2)
        client = numbers[2 + 2 * sites :][: clients * (sites + 1)].reshape(clients, sites + 1)
        cost = client[:, 1:]
        problem = FacilityProblem.from_costs(cost, demand=client[:, 0], fixed_cost=site[:, 1], capacity=site[:, 0])
        found.append(Instance("cap", row["instance"], problem, float(row["optimum"]), cost))
    return found


def read_holmberg(folder: Path) -> list[Instance]:
    """Single-source capacitated [Holmberg, Ronnqvist and Yuan 1999]: as cap, costs site by site."""
    found = []
    for row in _table(folder / "holmberg" / "optima.csv"):
        numbers = np.array((folder / "holmberg" / row["instance"]).read_text().split(), dtype=float)
        sites, clients = int(numbers[0]), int(numbers[1])
        site = numbers[2 : 2 + 2 * sites].reshape(sites, 2)
        demand = numbers[2 + 2 * sites :][:clients]
        cost = numbers[2 + 2 * sites + clients :][: sites * clients].reshape(sites, clients).T.copy()
        problem = FacilityProblem.from_costs(
            cost, demand=demand, fixed_cost=site[:, 1], capacity=site[:, 0], single_source=True
        )
        found.append(Instance("holmberg", row["instance"], problem, float(row["optimum_single_source"]), cost))
    return found


def read_tsplib(folder: Path, names: tuple[str, ...] = ("rl1304", "fl1400", "pcb3038")) -> list[Instance]:
    """TSPLIB points as p-median, Euclidean distance rounded down [Duran-Mateluna, Ales and Elloumi 2023]."""
    found = []
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
        problem = FacilityProblem.from_costs(cost, n_open=int(row["p"]))
        found.append(Instance(name, f"{name} p={row['p']}", problem, float(row["optimum"]), cost, row["paper_time_s"]))
    return found


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))

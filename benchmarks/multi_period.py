"""Public multi-period location instances (Deboute, github.com/mdeboute/multi-period-flp): reader, model, measurement.

    python -m benchmarks.multi_period [FILE ...] [--limit 300] [--generated I J T]

So many sites open in each period and stay open; at least so many clients are served in each period, by any open site,
and whoever is served stays served. As a facility problem: an option says that a site stands in a period, a client is a
client in a period, and rows tie the periods together. Nothing of theirs is copied here: instances are read from files,
fetched from their source where it can be reached.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, eye_array, hstack, kron

from siting.solver import FacilityProblem, Rules, solve

FloatArray = npt.NDArray[np.float64]
SOURCE = "https://raw.githubusercontent.com/mdeboute/multi-period-flp/main/data/"


@dataclass(frozen=True, eq=False)
class MultiPeriod:
    """An instance.

    Attributes:
        opens: (n_periods,) sites that open in each period.
        served: (n_periods,) least number of clients served in each.
        opening_cost: (n_sites, n_periods).
        cost: (n_sites, n_clients, n_periods) of serving a client from a site in a period.
    """

    name: str
    opens: npt.NDArray[np.int64]
    served: npt.NDArray[np.int64]
    opening_cost: FloatArray
    cost: FloatArray

    @classmethod
    def read(cls, text: str, name: str = "") -> MultiPeriod:
        """Read an instance: sites, clients and periods; openings; least served; by site its opening cost, then costs.

        Raises:
            ValueError: numbers are missing or left over.
        """
        numbers = np.array(text.split(), dtype=float)
        sites, clients, periods = numbers[:3].astype(int)
        opens, served = numbers[3 : 3 + 2 * periods].reshape(2, periods).astype(np.int64)
        by_site = numbers[3 + 2 * periods :].reshape(sites, clients + 1, periods)
        return cls(name, opens, served, by_site[:, 0], by_site[:, 1:])

    @classmethod
    def generated(cls, sites: int, clients: int, periods: int, seed: int = 0) -> MultiPeriod:
        """An instance of the form of the public ones: one site a period, costs of 10 to 100, openings ever cheaper."""
        random = np.random.default_rng(seed)
        served = np.sort(random.integers(clients // (2 * periods), clients + 1, periods))
        served[-1] = clients
        slope = np.linspace(100.0, 24.0, periods) * clients
        opening = np.round(slope * random.uniform(0.94, 1.06, (sites, periods)))
        cost = random.integers(10, 101, (sites, clients, periods)).astype(float)
        name = f"generated I{sites} J{clients} T{periods} {seed}"
        return cls(name, np.ones(periods, dtype=np.int64), served, opening, cost)

    @property
    def problem(self) -> FacilityProblem:
        """Option t n_sites + i: site i stands in period t; client t n_clients + j: client j in period t.

        An option costs what opening in its period costs more than in the next, so that a site that stands from t on
        pays its opening in t.
        """
        sites, clients, periods = self.cost.shape
        t, j, i = (grid.ravel() for grid in np.indices((periods, clients, sites)))
        options = np.full((len(t), 2), -1, dtype=np.int32)
        options[:, 0] = t * sites + i
        following = np.hstack([self.opening_cost[:, 1:], np.zeros((sites, 1))])
        number = np.cumsum(self.opens).astype(float)
        count = kron(eye_array(periods), np.ones((1, sites)), format="csr")
        stays = _differences(periods, sites)
        by_client = csr_array(
            (np.ones(len(t)), (t * clients + j, np.arange(len(t)))), shape=(periods * clients, len(t))
        )
        in_all = csr_array(kron(eye_array(periods), np.ones((1, clients))) @ by_client)
        stays_served = csr_array(_differences(periods, clients) @ by_client)
        return FacilityProblem(
            lane_client=(t * clients + j).astype(np.int32),
            lane_options=options,
            lane_cost=self.cost[i, j, t],
            n_clients=periods * clients,
            n_options=periods * sites,
            unserved_cost=np.zeros(periods * clients),
            fixed_cost=(self.opening_cost - following).T.ravel(),
            rules=Rules.stacked([Rules(csr_array(count), number, number), Rules(stays, upper=0.0)]),
            lane_rules=Rules.stacked([Rules(in_all, lower=self.served), Rules(stays_served, upper=0.0)]),
        )


def _differences(periods: int, width: int) -> csr_array:
    """Rows of each thing and period but the last: now less in the next period."""
    now = hstack([eye_array(periods - 1), csr_array((periods - 1, 1))])
    later = hstack([csr_array((periods - 1, 1)), eye_array(periods - 1)])
    return csr_array(kron(now - later, eye_array(width)))


def fetched(name: str) -> MultiPeriod:
    """A public instance from its source; raises OSError when offline."""
    with urllib.request.urlopen(f"{SOURCE}{name}.txt", timeout=30) as answer:
        return MultiPeriod.read(answer.read().decode("ascii"), name)


def measure(instances: Iterable[MultiPeriod], limit_s: float) -> None:
    """Print for each what was found, proven and used."""
    proven = of = 0
    for each in instances:
        start, cpu = time.perf_counter(), time.process_time()
        found = solve(each.problem, gap=1e-4, time_limit=limit_s)
        wall, used = time.perf_counter() - start, time.process_time() - cpu
        proven, of = proven + (found.status == "optimal"), of + 1
        print(f"{each.name:>32}  {found.status:9} {found.objective:12.0f}  gap {found.gap:8.2%}  "
              f"{wall:7.1f} s, processor {used:7.1f} s", flush=True)  # fmt: skip
    print(f"{proven} of {of} proven")


def main() -> int:
    """Measure files, instances fetched by name, or generated ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("instances", nargs="*", help="files, or names to fetch such as instMulti_I10_J50_T3_0")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds per instance")
    parser.add_argument("--generated", nargs=3, type=int, metavar=("I", "J", "T"))
    asked = parser.parse_args()
    try:
        found = [
            fetched(name) if re.fullmatch(r"inst\w+", name) else MultiPeriod.read(Path(name).read_text(), name)
            for name in asked.instances
        ]
    except OSError as error:
        print(f"an instance is out of reach: {error}", file=sys.stderr)
        return 1
    if asked.generated:
        found += [MultiPeriod.generated(*asked.generated, seed) for seed in (0, 1)]
    measure(found, asked.limit)
    return 0


if __name__ == "__main__":
    sys.exit(main())

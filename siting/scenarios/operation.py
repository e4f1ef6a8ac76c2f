"""What exactly these sites come to, whatever they cost or move: nothing is chosen, cargo finds its cheapest way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siting.model.costs import Array
from siting.model.lanes import NONE
from siting.model.model import Model
from siting.solver import solve


@dataclass(frozen=True)
class Operation:
    """Cargo served by given sites.

    Args:
        saving_inr_per_year: (n_active,) of each client that takes part in the choice, taste included, as it counts; the
            running cost of the sites is not taken off.
        running_inr_per_year: of the sites.
        of_option_inr_per_year: (n_options,) the same saving by option; a lane through two is shared equally.
    """

    saving_inr_per_year: Array
    running_inr_per_year: float
    of_option_inr_per_year: Array

    @property
    def net_inr_per_year(self) -> float:
        return float(self.saving_inr_per_year.sum()) - self.running_inr_per_year

    def by_district(self, model: Model) -> Array:
        """(n_districts,) saving by row of ``model.demand``."""
        district = model.clients["district"].to_numpy()[model.active]
        return np.bincount(district, self.saving_inr_per_year, minlength=len(model.demand)).astype(np.float64)


def operate(model: Model, opened: NDArray[np.int64], gap: float | None = None) -> Operation:
    """Send the cargo of a model through exactly these options.

    Neither budget, rules, minimum throughput nor one size a site holds: what stands, stands. Lanes through other
    options are left out before the search, as none could be used.

    Args:
        opened: rows of ``model.options``.
        gap: of the whole cost, within which the service is the cheapest; None: that of the study.
    """
    problem, study = model.problem, model.study
    if not len(opened):
        return Operation(np.zeros(problem.n_clients), 0.0, np.zeros(problem.n_options))
    kept = np.isin(problem.lane_options, np.append(opened, NONE)).all(axis=1)
    own = problem.with_changes(
        lane_client=problem.lane_client[kept], lane_options=problem.lane_options[kept],
        lane_cost=problem.lane_cost[kept], budget=float(problem.capex.sum()), min_throughput=None,
        rules=None, lane_rules=None, coverage=(),
        group=np.full(problem.n_options, NONE), forced_open=opened,
        forbidden=np.setdiff1d(np.arange(problem.n_options), opened),
    )  # fmt: skip
    found = solve(own, gap=study.gap if gap is None else gap, time_limit=study.time_limit_s)
    saved = (problem.unserved_cost[own.lane_client] - own.lane_cost) * found.lane_share
    running = float(model.options["fixed_cost_inr_per_year"].to_numpy()[opened].sum())
    of_client = np.bincount(own.lane_client, saved, minlength=problem.n_clients).astype(np.float64)
    used = own.lane_options >= 0
    shared = np.where(used, (saved / np.maximum(used.sum(axis=1), 1))[:, None], 0.0)
    of_option = np.bincount(own.lane_options[used], shared[used], minlength=problem.n_options).astype(np.float64)
    return Operation(of_client, running, of_option)

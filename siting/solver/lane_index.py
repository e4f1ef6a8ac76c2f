"""The lanes of a core by client and places, to find those of its problem among them."""

from __future__ import annotations

import numpy as np

from siting.solver.core import Core
from siting.solver.problem import NO_OPTION, FacilityProblem, IntArray


class LaneIndex:
    """Finds lanes of a core.

    Attributes:
        client_of: (problem.n_clients,) clients of the problem in the core; `core.n_clients` if they are not there.
        place_of: (problem.n_options + 1,) places of its options; `core.n_places` if they are not in the core, and last
            that of NO_OPTION.

    Args:
        lanes: those of the core that are looked among.
    """

    def __init__(self, problem: FacilityProblem, core: Core, lanes: IntArray) -> None:
        self.core = core
        self.client_of = np.full(problem.n_clients, core.n_clients)
        self.client_of[core.client_of] = np.arange(core.n_clients)
        self.place_of = np.append(np.full(problem.n_options, core.n_places), NO_OPTION)
        self.place_of[core.option_of] = core.place
        number = self._number(core.client[lanes].astype(np.int64), core.places[lanes].astype(np.int64))
        order = np.lexsort((core.cost[lanes], number))
        self._lanes, self._numbers = lanes[order], number[order]

    def find(self, client: IntArray, options: IntArray) -> IntArray:
        """(n,) the cheapest lane that serves a client of the problem through the places of two options, in any order.

        Args:
            client: (n,); options: (n, 2) of the problem.

        Returns:
            Lanes of the core; `core.n_lanes` where there is none.
        """
        wanted = self._number(self.client_of[client], self.place_of[options])
        first, after = (np.searchsorted(self._numbers, wanted, side) for side in ("left", "right"))
        return np.where(first < after, np.append(self._lanes, self.core.n_lanes)[first], self.core.n_lanes)

    def _number(self, client: IntArray, places: IntArray) -> IntArray:
        """(n,) one number for a client and the places of a lane, in any order."""
        low, high = np.sort(places).T
        sizes = np.add((self.core.n_clients, self.core.n_places, self.core.n_places), 2)  # with no place and no such
        return np.asarray(np.ravel_multi_index((client, low, high), tuple(sizes), mode="wrap"))

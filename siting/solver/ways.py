"""How clients may fill options: lane by lane, or condensed where only what goes through an option matters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array

from siting.solver.problem import NO_OPTION, FacilityProblem, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Ways:
    """Ways of clients through places; the options of a place share what goes through it.

    Attributes:
        client: (n_ways,).
        ends: (n_ways, 2) places, `NO_OPTION` for none.
        demand: (n_clients,).
        place: (n_options,) place of each option.
        by_lane: whether they are the lanes of the problem, and its clients.
    """

    client: IntArray
    ends: IntArray
    demand: FloatArray
    place: IntArray
    by_lane: bool

    @property
    def n_places(self) -> int:
        return int(self.place.max(initial=-1)) + 1

    @property
    def uses(self) -> tuple[IntArray, IntArray]:
        """Way and place of every use of a place."""
        way, end = np.nonzero(self.ends >= 0)
        return way, self.ends[way, end]

    def through(self, share: FloatArray) -> FloatArray:
        """(n_places,) what goes through each place, of (n_ways,) shares of the clients."""
        way, place = self.uses
        carried = np.bincount(place, share[way] * self.demand[self.client[way]], self.n_places)
        return carried.astype(np.float64, copy=False)


def lane_ways(p: FacilityProblem) -> Ways:
    """Every lane; each option is its own place."""
    client, ends = p.lane_client.astype(np.int64), p.lane_options.astype(np.int64)
    return Ways(client, ends, p.demand, np.arange(p.n_options), True)


def condensed_ways(p: FacilityProblem) -> Ways:
    """Options of a group with the same lanes as one place, and clients with the same ways as one client.

    What options can be filled with is the same by these as by the lanes, split as one likes.
    """
    place = _places(p)
    ends = np.sort(np.append(place, NO_OPTION)[p.lane_options], axis=1)[:, ::-1]
    asked = (p.demand[p.lane_client] > 0) & (ends[:, 0] >= 0)
    client, first, second = np.unique(np.column_stack([p.lane_client, ends])[asked], axis=0).T.astype(np.int64)
    way, kind = np.unique(np.column_stack([first, second]), axis=0, return_inverse=True)
    size = (p.n_clients, len(way))
    signature = coo_array((_noise(len(way))[kind.ravel()], (client, kind.ravel())), shape=size).sum(axis=1)
    count = np.bincount(client, minlength=p.n_clients)
    _, leader, same = np.unique(np.column_stack([count, signature]), axis=0, return_index=True, return_inverse=True)
    same = same.ravel()
    kept = leader[same[client]] == client
    demand = np.bincount(same, p.demand, len(leader)).astype(np.float64, copy=False)
    return Ways(same[client[kept]], np.column_stack([first, second])[kept], demand, place, False)


def _places(p: FacilityProblem) -> IntArray:
    """(n_options,) the same for options of a group with the same lanes, whatever stands at the other ends."""
    alone = np.where(p.group >= 0, p.group, p.group.max(initial=-1) + 1 + np.arange(p.n_options))
    _, site = np.unique(alone, return_inverse=True)
    site = site.ravel()
    sizes = np.append(np.bincount(site), 1)  # the last answers for no option
    ends = np.sort(np.append(site, NO_OPTION)[p.lane_options], axis=1)
    lanes, own = np.unique(np.column_stack([p.lane_client, np.sort(p.lane_options, axis=1)]), axis=0), ends
    merged = np.unique(np.column_stack([p.lane_client, own]), axis=0)
    every = int((sizes[merged[:, 1]] * sizes[merged[:, 2]]).sum())
    return site if every == len(lanes) else np.arange(p.n_options)


def _noise(n: int) -> FloatArray:
    """Numbers that sum to the same only where the same are summed, for all practical purposes."""
    return np.asarray(np.random.default_rng(1).integers(1, 2**40, n), dtype=np.float64)

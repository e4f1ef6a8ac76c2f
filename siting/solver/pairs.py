"""The lanes of a problem grouped by client and option."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every client at every option it has a lane through, by client and then by option.

    Attributes:
        client, option: (n_pairs,).
        start: (n_pairs,) where the ends of each pair begin in `lane`.
        lane: (n_ends,) the lane of each end: a lane of two options has two.
    """

    client: npt.NDArray[np.int64]
    option: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    lane: npt.NDArray[np.int64]

    @classmethod
    def of(cls, client: npt.NDArray[np.int32], options: npt.NDArray[np.int32], n_options: int) -> Pairs:
        """Group lanes with these clients, (n_lanes,), and options, (n_lanes, 2), below 0 where there is none."""
        ends = [np.flatnonzero(end >= 0) for end in options.T]
        key = np.concatenate([client[at].astype(np.int64) * n_options + options[at, k] for k, at in enumerate(ends)])
        order = np.argsort(key, kind="stable")
        key = key[order]
        start = np.flatnonzero(np.diff(key, prepend=-1))
        owner, option = np.divmod(key[start], max(n_options, 1))
        return cls(owner, option, start, np.concatenate(ends)[order])

    def any(self, lanes: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """(n_pairs,) mask of the pairs with one of some lanes."""
        return (
            np.asarray(np.logical_or.reduceat(lanes[self.lane], self.start)) if len(self.start) else np.zeros(0, bool)
        )

    def most(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(n_pairs,) the largest of some (n_lanes,) values at each pair."""
        return np.asarray(np.maximum.reduceat(values[self.lane], self.start)) if len(self.start) else np.zeros(0)

    def kept(self, lanes: npt.NDArray[np.bool_]) -> Pairs:
        """The same of some lanes, which keep their numbers."""
        ends = lanes[self.lane]
        count = np.add.reduceat(ends, self.start, dtype=np.int64) if len(self.start) else self.start
        pair = count > 0
        start = np.cumsum(count[pair]) - count[pair]
        return Pairs(self.client[pair], self.option[pair], start, self.lane[ends])

"""What a search writes down so that its bound can be recomputed: multipliers, and how it parted the plans."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from siting.solver.problem import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Prices:
    """Multipliers of a core. Any numbers bound the plans from below, (10) and (11); good ones do so tightly.

    Attributes:
        lam: (n_clients,) price of leaving each client out.
        rules: (n_rules,) price of each row of the core's rules, above 0 at its lower and below 0 at its upper limit.
        held: (2,) the same for (12) and (13), the latter also where the number open is within bounds.
        one_of: the same for "one of these options opens", see `Region`.
        lane: two-place lanes of the core for which `first` says more than an even split.
        first: what the first place of each of these bears of the lane's cost less lambda.
    """

    lam: FloatArray
    rules: FloatArray
    held: FloatArray = field(default_factory=lambda: np.zeros(2))
    one_of: float = 0.0
    lane: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    first: FloatArray = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, eq=False)
class Solved:
    """What HiGHS proved by a tree of its own: no plan of a region costs less than bound, without the core's base.

    Attributes:
        options: (n_options,) of the core, those the model had; all others were taken to be closed.
        opened: (n_options,) those it had open from the start.
        largest: largest cost in the model: so much of it as HiGHS may be off is not proven.
    """

    bound: float
    options: BoolArray
    opened: BoolArray
    largest: float


@dataclass(eq=False)
class Region:
    """Plans of a core within bounds on its options: what bounds their cost, or how they are parted.

    Attributes:
        prices: each bounds the plans of the region, and settles options for those that follow.
        options: (n_options,) the plans are parted by how many of these are open:
        most: at most so many in the first part, more in the second. With 0, the first part closes them all and the
            second opens one of them.
        parts: the two parts, or nothing.
        solved: what HiGHS says of the region.
    """

    prices: list[Prices] = field(default_factory=list)
    options: BoolArray | None = None
    most: int = 0
    parts: tuple[Region, Region] | None = None
    solved: Solved | None = None

    def adopt(self, other: Region) -> None:
        """Take over what was shown of the same plans elsewhere."""
        self.prices += other.prices
        self.options, self.most, self.parts, self.solved = other.options, other.most, other.parts, other.solved

    def part(self, options: BoolArray, most: int) -> tuple[Region, Region]:
        """Part the plans by how many of some options are open."""
        self.options, self.most = options, most
        self.parts = (Region(), Region())
        return self.parts


@dataclass(frozen=True, eq=False)
class Record:
    """A region as a search over some of the options writes it down.

    Attributes:
        options: where the options of the search stand in the core.
        n_options: of the core.
        lanes: where its lanes stand in the core, or None where none needs two places.
    """

    region: Region
    options: IntArray
    n_options: int
    lanes: IntArray | None = None

    def add(self, *prices: Prices) -> None:
        """Take note of prices that bound the plans."""
        lanes = self.lanes
        self.region.prices += prices if lanes is None else [replace(at, lane=lanes[at.lane]) for at in prices]

    def part(self, options: IntArray, most: int = 0) -> tuple[Record, Record]:
        """Part the plans by how many of some options of the search are open: at most so many, or more."""
        mask = np.zeros(self.n_options, dtype=bool)
        mask[self.options[options]] = True
        below, above = self.region.part(mask, most)
        return replace(self, region=below), replace(self, region=above)

"""What an answer rests on: its bound recomputed in plain NumPy over the problem as the caller stated it.

Multipliers come from the search, but nothing that it concluded from them does. For any lambda, any division of a
two-option lane's reduced cost between its options and any prices pi of the rows over options, equations (10) and (11)
of `relaxation` give a bound, here stated over the caller's lanes and options, with a margin for rounding. An option
that would lift the bound of a region over the cost of the best plan is settled there; a region is proven by its own
bound, by that of both its parts, or by HiGHS over a reduction that is itself re-checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from siting.solver.core import Core
from siting.solver.highs import TOLERANCE
from siting.solver.option_limits import Limits
from siting.solver.problem import BoolArray, FacilityProblem, FloatArray
from siting.solver.proof import Region, Solved
from siting.solver.reduction_check import is_relaxed
from siting.solver.restated import EPSILON, ROUNDED, Restated

Kind = Literal["arithmetic", "dual", "tree", "solver", "none"]

PHRASES: dict[Kind, str] = {
    "arithmetic": "arithmetic alone",
    "dual": "a dual bound, recomputed",
    "tree": "a search tree, every bound of it recomputed",
    "solver": "the tree of HiGHS over a reduction re-checked",
    "none": "nothing",
}
SLACK = 1e-9
"""Relative; how far under the search's bound the recomputed one may end, since it sums in another order."""
WHOLE = 5e-4
"""How far above a whole number a bound must be to count as above, where every plan costs a whole number."""


@dataclass(frozen=True)
class Certificate:
    """What the bound of an answer rests on.

    Attributes:
        kind: "dual": multipliers; "tree": a tree of regions, each bounded by multipliers; "solver": in part a tree
            of HiGHS; "arithmetic": no multipliers were needed; "none": no bound could be confirmed.
        bound: no plan costs less; recomputed.
        regions: how many regions were bounded for it.
    """

    kind: Kind
    bound: float
    regions: int = 0

    @property
    def phrase(self) -> str:
        """What the proof rests on, for a sentence."""
        return PHRASES[self.kind]


UNPROVEN = Certificate("none", -np.inf)
ARITHMETIC = Certificate("arithmetic", np.inf)
"""No plan can keep the limits, for a reason that a message states."""


def cheapest_lanes(problem: FacilityProblem) -> float:
    """A bound without any search: every client by its cheapest lane, and every option that is gainful to open."""
    least = problem.unserved_cost.copy()
    np.minimum.at(least, problem.lane_client, problem.lane_cost)
    terms = np.concatenate([least, np.minimum(problem.fixed_cost, 0.0)])
    if not np.isfinite(terms).all():  # somebody must be served and has no lane
        return float(terms.sum())
    return float(terms.sum()) - EPSILON * ROUNDED * float(np.abs(terms).sum())


def certify(problem: FacilityProblem, core: Core, proof: Region, claimed: float) -> Certificate:
    """Recompute what the search claims.

    Args:
        proof: what the search wrote down.
        claimed: the bound it came to, in the caller's costs; more than this is not looked for.
    """
    return _Check(problem, core, proof, claimed).run()


def never_open(problem: FacilityProblem, core: Core, proof: Region, enough: float) -> BoolArray:
    """(n_options,) options that no plan which costs less than so much opens, by the first prices of a proof."""
    restated = Restated(problem, core, _highest(problem, core, proof))
    limits = restated.rows.limits()
    for prices in proof.prices:
        limits.settle(restated.bound(prices, limits), enough)
    return ~limits.high


def _highest(problem: FacilityProblem, core: Core, proof: Region) -> FloatArray:
    """(n_clients,) the highest multiplier of a proof; inf where it has none: what a client costs without options."""
    most = np.full(core.n_clients, -np.inf)
    stack = [proof]
    while stack:
        region = stack.pop()
        stack += region.parts or ()
        for prices in region.prices:
            np.maximum(most, prices.lam, out=most)
    highest = np.full(problem.n_clients, np.inf)
    highest[core.client_of] = most
    return highest


class _Check:
    """One pass over the regions of a proof."""

    def __init__(self, problem: FacilityProblem, core: Core, proof: Region, claimed: float) -> None:
        self.core, self.proof = core, proof
        self.restated = Restated(problem, core, _highest(problem, core, proof))
        self.whole = self.restated.costs_whole()
        below = 1.0 - WHOLE if self.whole else SLACK * abs(claimed)
        self.enough = claimed - below if np.isfinite(claimed) else claimed
        self.most = self.enough if self.whole else claimed  # options that cost so much are settled: no more is shown
        self.used: set[Kind] = set()
        self.regions = 0
        self._relaxed: bool | None = None

    def run(self) -> Certificate:
        """Walk the regions; the least bound of those that are not parted is that of all plans."""
        least = np.inf
        stack = [(self.proof, self.restated.rows.limits(), -np.inf)]
        while stack:
            region, limits, known = stack.pop()
            self.regions += 1
            bound, settled = self._bound(region, limits, known)
            if settled:
                least = min(least, max(bound, self.enough))
            elif region.parts is not None:
                self.used.add("tree")
                if region is self.proof:
                    self.restated.narrow(limits)
                below, above = self._sides(region, limits)
                stack += [(region.parts[0], below, bound), (region.parts[1], above, bound)]
            else:
                least = min(least, self._by_solver(region.solved, limits, bound))
            if least == -np.inf:
                break
        kinds: tuple[Kind, ...] = ("solver", "tree", "dual", "arithmetic")
        kind = next(kind for kind in kinds if kind in self.used or kind == "arithmetic")
        least = min(least, self.most)
        if self.whole and np.isfinite(least):
            least = np.ceil(least - WHOLE / 2)
        floor = cheapest_lanes(self.restated.problem)
        if floor > least:  # a plan that costs nothing is proven by the signs of costs, or not at all
            return Certificate("arithmetic", floor, self.regions)
        return Certificate(kind, float(least), self.regions)

    def _bound(self, region: Region, limits: Limits, known: float) -> tuple[float, bool]:
        """The bound of a region by its own prices, and whether that is enough; options they settle go to `limits`."""
        bound = known
        if not self.restated.rows.possible(limits):
            self.used.add("dual")
            return np.inf, True
        for prices in region.prices:
            self.used.add("dual")
            found = self.restated.bound(prices, limits)
            bound = max(bound, found.value)
            if bound >= self.enough:
                return bound, True
            limits.settle(found, self.enough)
            if not self.restated.rows.possible(limits):
                return self.enough, True
        if region.parts is None and region.solved is None and not self.restated.served(limits):
            return np.inf, True
        return bound, False

    def _sides(self, region: Region, limits: Limits) -> tuple[Limits, Limits]:
        assert region.options is not None
        options = np.zeros(len(limits.low), dtype=bool)
        options[self.core.option_of[region.options]] = True
        return limits.parted(options, region.most, self.restated.rows.counted)

    def _by_solver(self, solved: Solved | None, limits: Limits, bound: float) -> float:
        """What HiGHS proved of a region, where its model held all that the region may use."""
        if solved is None:
            return bound
        if self._relaxed is None:
            everything = np.full(self.restated.problem.n_clients, np.inf)
            self._relaxed = is_relaxed(Restated(self.restated.problem, self.core, everything), self.core)
        kept, opened = (np.zeros(len(limits.low), dtype=bool) for _ in range(2))
        kept[self.core.option_of[solved.options]] = True
        opened[self.core.option_of[solved.opened]] = True
        inside = np.zeros(len(kept), dtype=bool)
        inside[self.core.option_of] = True
        if not self._relaxed or (limits.high & inside & ~kept).any() or (opened & ~limits.low).any():
            return bound
        self.used.add("solver")
        return max(bound, solved.bound + self.core.base - TOLERANCE * solved.largest)

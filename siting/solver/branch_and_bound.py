"""Branch and bound on options, over linear programs that are kept warm from node to node.

Options are branched on by pseudo-costs, found by trying both sides of an option the first times it is a candidate
(reliability branching: Achterberg, Koch and Martin 2005).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from siting.solver.problem import FloatArray, IntArray
from siting.solver.proof import Prices, Record

WHOLE, BRANCH_ON_NUMBER = 1e-6, 0.02
"""Distance from a whole number that counts as none, for an option and for the number open."""
CANDIDATES, RELIABLE = 12, 2
"""Least decided options looked at in a node; times both sides of one are tried before its pseudo-costs are trusted."""


@dataclass(frozen=True, eq=False)
class Node:
    """Options (low, high) and their number (fewest, most) within bounds, and what no plan there undercuts.

    With a record, what shows it is written down; `shown` is what was found of it before it had one. Where `unshown`,
    nothing on record shows the bound: the node must be solved even when its bound is enough.
    """

    bound: float
    low: FloatArray
    high: FloatArray
    fewest: float = 0.0
    most: float = np.inf
    record: Record | None = None
    shown: tuple[Prices, ...] = ()
    unshown: bool = False


Relaxed = tuple[float, FloatArray, FloatArray]
"""Bound of a node's linear program (inf: no plan, or none below the cutoff), its y, and the reduced costs of y."""
Tip = tuple[float, bool, list[Prices]]
"""What one side of an option comes to, whether this is a bound, and what shows it where it is enough."""


def branch_and_bound(
    root: Node,
    relax: Callable[[Node], Relaxed | None],
    tip: Callable[[Node], Tip | None],
    cutoff: Callable[[], float],
    deadline: float,
    visit: Callable[[float, FloatArray], None],
    by_number: bool = False,
    nodes: int | None = None,
) -> float:
    """Search below a node, whole clients aside: no plan there costs less than what is returned.

    Goes down from the node of least bound until a node is settled, then starts from the least bound again.
    A node is settled by its bound, or when its y is whole (`visit` evaluates plans, and a whole y is one).

    Args:
        relax: solves a node's linear program; None = out of time.
        tip: what that program comes to, or as far as a few iterations take it, and whether this is a bound.
        visit: called with what is proven so far and the y of a node.
        by_number: branch on the number of open options first, where that is fractional.
        nodes: most nodes to look into.
    """
    stack, pseudo_costs = [root], _PseudoCosts(len(root.low), tip, cutoff)
    unsettled = np.inf  # bound of whole y that were no plan so cheap: rounding in a linear program

    def proven(*more: float) -> float:
        return min([cutoff(), unsettled, *more, *(node.bound for node in stack)])

    down, looked_into, most = True, 0, np.inf if nodes is None else nodes
    while stack:
        if not down:
            _put_least_last(stack)
        down = False
        node = stack[-1]
        if node.bound >= cutoff() and not node.unshown:
            stack.pop()
            continue
        looked_into += 1
        found = None if time.perf_counter() > deadline or looked_into > most else relax(node)
        if found is None:
            break
        stack.pop()
        bound, y, reduced = found
        if bound < cutoff():
            visit(proven(bound), y)
        if bound >= cutoff():
            continue
        here = fixed_by_reduced_cost(node, bound, y, reduced, cutoff() - bound)
        undecided = np.where(here.low < here.high, np.minimum(y, 1.0 - y), 0.0)
        children = _sides_of_number(here, y) if by_number else None
        if children is None and undecided.max(initial=0.0) <= WHOLE:
            unsettled = min(unsettled, bound)
            continue
        children = children or pseudo_costs.branch(here, y, undecided)
        if children is None:  # out of time
            stack.append(here)
            break
        stack += children
        down = True
    return proven()


def _put_least_last(stack: list[Node]) -> None:
    least = min(range(len(stack)), key=lambda k: stack[k].bound)
    stack[least], stack[-1] = stack[-1], stack[least]


def fixed_by_reduced_cost(node: Node, bound: float, y: FloatArray, reduced: FloatArray, room: float) -> Node:
    """The node with its bound, and with what reduced costs over the room decide."""
    low = np.where((-reduced > room) & (y > 1.0 - WHOLE), 1.0, node.low)
    high = np.where((reduced > room) & (y < WHOLE), 0.0, node.high)
    return replace(node, bound=bound, low=low, high=high, unshown=False)


def _sides_of_number(node: Node, y: FloatArray) -> list[Node] | None:
    """A node with fewer and with more open options than a fractional number, the likelier last; None = it is whole."""
    part = float(y.sum()) % 1.0
    if min(part, 1.0 - part) <= BRANCH_ON_NUMBER:
        return None
    fewer = int(np.floor(y.sum()))
    sides = [replace(node, most=float(fewer)), replace(node, fewest=float(fewer + 1))]
    below, above = _recorded(node, np.arange(len(y)), fewer, sides)
    return [below, above] if part > 0.5 else [above, below]


def _recorded(node: Node, options: IntArray, most: int, sides: list[Node]) -> list[Node]:
    """The two parts of a node, at most so many of some options open or more, with what was shown of them on record."""
    if node.record is None:
        return sides
    parts = node.record.part(options, most)
    for side, part in zip(sides, parts, strict=True):
        part.add(*side.shown)
    return [replace(side, record=part, shown=()) for side, part in zip(sides, parts, strict=True)]


def _sides(node: Node, j: int) -> list[Node]:
    """A node with option j closed and with it open."""
    shut, lift = node.high.copy(), node.low.copy()
    shut[j], lift[j] = 0.0, 1.0
    return [replace(node, high=shut), replace(node, low=lift)]


class _PseudoCosts:
    """How much the bound rises for a whole step of each option: by closing it (row 0) and by opening it (row 1)."""

    def __init__(self, n_options: int, tip: Callable[[Node], Tip | None], cutoff: Callable[[], float]) -> None:
        self._rise, self._tried = np.zeros((2, n_options)), np.zeros((2, n_options))
        self._tip, self._cutoff = tip, cutoff

    def branch(self, node: Node, y: FloatArray, undecided: FloatArray) -> list[Node] | None:
        """The two sides of the option that raises the bound most on both, the likelier last; None = out of time."""
        room = self._cutoff() - node.bound
        candidates = np.flatnonzero(undecided > WHOLE)
        candidates = candidates[np.argsort(-undecided[candidates], kind="stable")][:CANDIDATES]
        pick, best, children = -1, -1.0, list[Node]()
        for j in candidates.tolist():
            tried = self._try(node, j, float(y[j]))
            if tried is None:
                return None
            sides, gains = tried
            score = max(gains[0], 1e-9 * room) * max(gains[1], 1e-9 * room)
            if score > best or max(gains) >= room:
                pick, best, children = j, score, sides
            if max(gains) >= room:
                break
        children = _recorded(node, np.array([pick]), 0, children)
        return children if y[pick] > 0.5 else children[::-1]

    def _try(self, node: Node, j: int, y: float) -> tuple[list[Node], list[float]] | None:
        """Both sides of an option with what each raises the bound by: known, or found by trying; None = out of time."""
        sides, gains = _sides(node, j), [0.0, 0.0]
        for k, distance in enumerate((y, 1.0 - y)):
            if self._tried[k, j] >= RELIABLE:
                gains[k] = float(self._rise[k, j] / self._tried[k, j] * distance)
                continue
            tried_side = self._tip(sides[k])
            if tried_side is None:
                return None
            value, is_bound, shown = tried_side
            gains[k] = max(0.0, min(value, self._cutoff()) - node.bound)
            if is_bound:
                unshown = node.record is not None and value > node.bound and not shown
                sides[k] = replace(sides[k], bound=max(node.bound, value), shown=tuple(shown), unshown=unshown)
            self._rise[k, j] += gains[k] / distance
            self._tried[k, j] += 1
        return sides, gains

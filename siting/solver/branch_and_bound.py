"""Branch and bound on options, over linear programs that are kept warm from node to node.

Options are branched on by pseudo-costs, found by trying both sides of an option the first times it is a candidate
(reliability branching: Achterberg, Koch and Martin 2005).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from siting.solver.problem import FloatArray

WHOLE, BRANCH_ON_NUMBER = 1e-6, 0.02
"""Distance from a whole number that counts as none, for an option and for the number open."""
CANDIDATES, RELIABLE = 12, 2
"""Least decided options looked at in a node; times both sides of one are tried before its pseudo-costs are trusted."""


@dataclass(frozen=True, eq=False)
class Node:
    """Options (low, high) and their number (fewest, most) within bounds, and what no plan there undercuts."""

    bound: float
    low: FloatArray
    high: FloatArray
    fewest: float = 0.0
    most: float = np.inf


Relaxed = tuple[float, FloatArray, FloatArray]
"""Bound of a node's linear program (inf: no plan, or none below the cutoff), its y, and the reduced costs of y."""


def branch_and_bound(
    root: Node,
    relax: Callable[[Node], Relaxed | None],
    tip: Callable[[Node], tuple[float, bool] | None],
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
    n = len(root.low)
    rise, tried = np.zeros((2, n)), np.zeros((2, n))  # of closing, of opening
    stack = [root]
    unsettled = np.inf  # bound of whole y that were no plan so cheap: rounding in a linear program

    def proven(*more: float) -> float:
        return min([cutoff(), unsettled, *more, *(node.bound for node in stack)])

    down, looked_into = True, 0
    while stack:
        if not down:
            least = min(range(len(stack)), key=lambda k: stack[k].bound)
            stack[least], stack[-1] = stack[-1], stack[least]
        down = False
        node = stack[-1]
        if node.bound >= cutoff():
            stack.pop()
            continue
        looked_into += 1
        over = time.perf_counter() > deadline or (nodes is not None and looked_into > nodes)
        found = None if over else relax(node)
        if found is None:
            break
        bound, y, reduced = found
        stack.pop()
        if bound >= cutoff():
            continue
        visit(proven(bound), y)
        room = cutoff() - bound
        if room <= 0:
            continue
        low = np.where((-reduced > room) & (y > 1.0 - WHOLE), 1.0, node.low)
        high = np.where((reduced > room) & (y < WHOLE), 0.0, node.high)
        here = Node(bound, low, high, node.fewest, node.most)
        part = float(y.sum()) % 1.0
        if by_number and min(part, 1.0 - part) > BRANCH_ON_NUMBER:
            below, above = replace(here, most=float(np.floor(y.sum()))), replace(here, fewest=float(np.ceil(y.sum())))
            stack += [below, above] if part > 0.5 else [above, below]
            down = True
            continue
        undecided = np.where(low < high, np.minimum(y, 1.0 - y), 0.0)
        candidates = np.flatnonzero(undecided > WHOLE)
        if not len(candidates):
            unsettled = min(unsettled, bound)
            continue
        candidates = candidates[np.argsort(-undecided[candidates], kind="stable")][:CANDIDATES]
        pick, best, children = -1, -1.0, []
        for j in candidates.tolist():
            sides, gains = _sides(here, j), [0.0, 0.0]
            for k, distance in enumerate((y[j], 1.0 - y[j])):
                if tried[k, j] >= RELIABLE:
                    gains[k] = rise[k, j] / tried[k, j] * distance
                    continue
                tried_side = tip(sides[k])
                if tried_side is None:
                    stack.append(here)
                    return proven()
                value, is_bound = tried_side
                gains[k] = max(0.0, min(value, cutoff()) - bound)
                if is_bound:
                    sides[k] = replace(sides[k], bound=max(bound, value))
                rise[k, j] += gains[k] / distance
                tried[k, j] += 1
            score = max(gains[0], 1e-9 * room) * max(gains[1], 1e-9 * room)
            if score > best or max(gains) >= room:
                pick, best, children = j, score, sides
            if max(gains) >= room:
                break
        stack += children if y[pick] > 0.5 else children[::-1]
        down = True
    return proven()


def _sides(node: Node, j: int) -> list[Node]:
    """A node with option j closed and with it open."""
    shut, lift = node.high.copy(), node.low.copy()
    shut[j], lift[j] = 0.0, 1.0
    return [replace(node, high=shut), replace(node, low=lift)]

"""The optimum of a tiny problem in rational arithmetic: every set of options, and the best service through each.

Nothing here is shared with the solver, and nothing is rounded: floats are taken as the fractions they are.
"""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np

from siting.solver.coverage import Coverage
from siting.solver.problem import FacilityProblem

ROUNDING = Fraction(1, 10**9)
"""Relative excess of a rule, capacity or minimum that counts as rounding, as in the solver: 0.1 + 0.2 keeps 0.3."""

Row = list[Fraction]


def exact_optimum(p: FacilityProblem) -> Fraction | None:
    """Least cost over every plan, by (1) to (9) and (16) to (19) of FacilityProblem; None where there is no plan."""
    fixed, capex = _fractions(p.fixed_cost), _fractions(p.capex)
    sets = []
    for bits in itertools.product([False, True], repeat=p.n_options):
        chosen = [j for j, is_open in enumerate(bits) if is_open]
        if _keeps_the_limits(p, chosen, capex):
            cheapest = _cheapest_apart(p, bits)
            if cheapest is not None:
                sets.append((sum((fixed[j] for j in chosen), Fraction(0)), cheapest, bits))
    sets.sort(key=lambda entry: entry[0] + entry[1])
    best: Fraction | None = None
    for opening, cheapest, bits in sets:
        if best is not None and opening + cheapest >= best:  # service within capacity costs no less
            break
        service = _single_service(p, bits) if p.single_source else _split_service(p, bits)
        if service is not None and (best is None or opening + service < best):
            best = opening + service
    return best


def _fractions(values: np.ndarray) -> list[Fraction]:
    return [Fraction(value) if np.isfinite(value) else Fraction(10**40) for value in values.tolist()]


def _room(p: FacilityProblem) -> list[Fraction]:
    return [room * (1 + ROUNDING) for room in _fractions(p.capacity)]


def _least(p: FacilityProblem) -> list[Fraction]:
    return [least * (1 - ROUNDING) for least in _fractions(p.min_throughput)]


def _keeps_the_limits(p: FacilityProblem, chosen: list[int], capex: list[Fraction]) -> bool:
    """Equations (5) to (8), (16) and (19)."""
    groups = [int(p.group[j]) for j in chosen if p.group[j] >= 0]
    return (
        (p.budget is None or sum(capex[j] for j in chosen) <= Fraction(p.budget) * (1 + ROUNDING))
        and (p.n_open is None or len(chosen) == p.n_open)
        and len(set(groups)) == len(groups)
        and set(p.forced_open.tolist()) <= set(chosen)
        and not set(p.forbidden.tolist()) & set(chosen)
        and _keeps_the_rules(p, chosen)
        and all(_covers(coverage, chosen) for coverage in p.coverage)
    )


def _covers(coverage: Coverage, chosen: list[int]) -> bool:
    covered = coverage.reach.toarray()[:, chosen].any(axis=1)
    weight = sum((Fraction(w) for w in coverage.weight[covered].tolist()), Fraction(0))
    return weight >= Fraction(coverage.least) * (1 - ROUNDING)


def _keeps_the_rules(p: FacilityProblem, chosen: list[int]) -> bool:
    if p.rules is None:
        return True
    for row, lower, upper in zip(p.rules.coefficients.toarray(), p.rules.lower, p.rules.upper, strict=True):
        terms = [Fraction(row[j]) for j in chosen]
        size = sum(abs(term) for term in terms)
        if np.isfinite(lower) and sum(terms) < Fraction(lower) - ROUNDING * max(abs(Fraction(lower)), size):
            return False
        if np.isfinite(upper) and sum(terms) > Fraction(upper) + ROUNDING * max(abs(Fraction(upper)), size):
            return False
    return True


Way = tuple[Fraction, list[int], int]
"""Cost, options with a limit, and lane (-1: none) of one way to serve a client."""


def _ways(p: FacilityProblem, bits: tuple[bool, ...]) -> list[list[Way]]:
    """Every way to serve each client through open options, or not at all."""
    ways: list[list[Way]] = [[] for _ in range(p.n_clients)]
    lanes = zip(p.lane_client.tolist(), p.lane_options.tolist(), p.lane_cost.tolist(), strict=True)
    for lane, (client, ends, cost) in enumerate(lanes):
        needed = [j for j in ends if j >= 0]
        if all(bits[j] for j in needed):
            limited = [j for j in needed if np.isfinite(p.capacity[j]) or p.min_throughput[j] > 0]
            ways[client].append((Fraction(cost), limited, lane))
    for client, cost in enumerate(p.unserved_cost.tolist()):
        if np.isfinite(cost):
            ways[client].append((Fraction(cost), [], -1))
    return ways


def _cheapest_apart(p: FacilityProblem, bits: tuple[bool, ...]) -> Fraction | None:
    """Cost of service were there no capacities, minimums and rules over lanes."""
    ways = _ways(p, bits)
    return sum((min(way[0] for way in of) for of in ways), Fraction(0)) if all(ways) else None


def _lane_limits(p: FacilityProblem) -> list[tuple[list[Fraction], Fraction, int]]:
    """(coefficient of each lane and of none, limit, 1 where it is the upper one) of every side of the rules (18)."""
    sides = []
    rules = p.over_lanes
    for row, lower, upper in zip(rules.coefficients.toarray(), rules.lower.tolist(), rules.upper.tolist(), strict=True):
        terms = [Fraction(a) for a in row.tolist()] + [Fraction(0)]
        for limit, sign in ((lower, -1), (upper, 1)):
            if np.isfinite(limit):
                size = sum(map(abs, terms), abs(Fraction(limit)))
                sides.append((terms, Fraction(limit) + sign * ROUNDING * size, sign))
    return sides


def _single_service(p: FacilityProblem, bits: tuple[bool, ...]) -> Fraction | None:
    """Every client whole: all assignments, cheapest ways first."""
    ways = [sorted(of) for of in _ways(p, bits)]
    demand, room, least = _fractions(p.demand), _room(p), _least(p)
    fullest = [own - needed if is_open else own for own, needed, is_open in zip(room, least, bits, strict=True)]
    at_least = [min(way[0] for way in of) for of in ways]
    limits, taken = _lane_limits(p), list[int]()
    best: Fraction | None = None

    def assign(client: int, spent: Fraction) -> None:
        nonlocal best
        if best is not None and spent + sum(at_least[client:]) >= best:
            return
        if client == len(ways):
            filled = all(left <= most for left, most in zip(room, fullest, strict=True))
            if filled and all(
                sign * sum(terms[lane] for lane in taken) <= sign * limit for terms, limit, sign in limits
            ):
                best = spent
            return
        for cost, needed, lane in ways[client]:
            if all(room[j] >= demand[client] for j in needed):
                for j in needed:
                    room[j] -= demand[client]
                taken.append(lane)
                assign(client + 1, spent + cost)
                taken.pop()
                for j in needed:
                    room[j] += demand[client]

    assign(0, Fraction(0))
    return best


def _split_service(p: FacilityProblem, bits: tuple[bool, ...]) -> Fraction | None:
    """Equations (2), (4), (17) and (18) for fixed y as a linear program: shares, then what each row leaves."""
    columns = [(client, *way) for client, of in enumerate(_ways(p, bits)) for way in of]
    demand, room, least = _fractions(p.demand), _room(p), _least(p)

    def load(j: int) -> Row:
        return [demand[owner] if j in needed else Fraction(0) for owner, _, needed, _ in columns]

    below = [(load(j), room[j], 1) for j in sorted({j for _, _, needed, _ in columns for j in needed})]
    above = [(load(j), least[j], -1) for j, is_open in enumerate(bits) if is_open and least[j] > 0]
    ruled = [([terms[lane] for *_, lane in columns], limit, sign) for terms, limit, sign in _lane_limits(p)]
    sides = [*below, *above, *ruled]
    n = len(columns) + len(sides)
    rows: list[Row] = []
    for client in range(p.n_clients):
        rows.append([Fraction(int(owner == client)) for owner, *_ in columns] + [Fraction(0)] * len(sides))
    right = [Fraction(1)] * p.n_clients
    for s, (terms, limit, sign) in enumerate(sides):
        turn = 1 if limit >= 0 else -1
        rows.append([turn * a for a in terms] + [Fraction(turn * sign * int(s == k)) for k in range(len(sides))])
        right.append(turn * limit)
    return minimise([cost for _, cost, *_ in columns] + [Fraction(0)] * len(sides), rows, right, n)


def minimise(cost: Row, rows: list[Row], right: Row, n: int) -> Fraction | None:
    """min cost x with rows x = right >= 0, x >= 0: two-phase simplex by the rule of Bland (1977), no cycles."""
    m = len(rows)
    table = [
        [*row, *(Fraction(int(k == r)) for k in range(m)), b]
        for r, (row, b) in enumerate(zip(rows, right, strict=True))
    ]
    basis = list(range(n, n + m))
    artificial = _price_out([Fraction(0)] * n + [Fraction(1)] * m + [Fraction(0)], table, basis)
    _pivot_to_the_end(table, artificial, basis, n + m)
    if artificial[-1] != 0:
        return None
    for r in range(m):  # artificial variables at zero leave the basis, or their row says nothing
        if basis[r] >= n:
            enter = next((k for k in range(n) if table[r][k] != 0), None)
            if enter is not None:
                _pivot(table, artificial, basis, r, enter)
    objective = _price_out([*cost, *[Fraction(0)] * (m + 1)], table, basis)
    _pivot_to_the_end(table, objective, basis, n)
    return -objective[-1]


def _price_out(objective: Row, table: list[Row], basis: list[int]) -> Row:
    for row, k in zip(table, basis, strict=True):
        if objective[k] != 0:
            factor = objective[k]
            objective = [a - factor * b for a, b in zip(objective, row, strict=True)]
    return objective


def _pivot_to_the_end(table: list[Row], objective: Row, basis: list[int], columns: int) -> None:
    while True:
        enter = next((k for k in range(columns) if objective[k] < 0), None)
        if enter is None:
            return
        ratios = [(row[-1] / row[enter], basis[r], r) for r, row in enumerate(table) if row[enter] > 0]
        _pivot(table, objective, basis, min(ratios)[2], enter)


def _pivot(table: list[Row], objective: Row, basis: list[int], leave: int, enter: int) -> None:
    pivot = table[leave][enter]
    table[leave] = [value / pivot for value in table[leave]]
    for row in [*(row for r, row in enumerate(table) if r != leave), objective]:
        if row[enter] != 0:
            factor = row[enter]
            row[:] = [a - factor * b if b else a for a, b in zip(row, table[leave], strict=True)]
    basis[leave] = enter

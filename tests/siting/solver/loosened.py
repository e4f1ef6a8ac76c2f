"""A bare problem under limits as a problem of its own, so that the solver and rational arithmetic can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from siting.solver import Change, FacilityProblem, Limit, Rules
from siting.solver.conflict import Parts


def some_parts(limit: Limit, mask: np.ndarray) -> Limit:
    """A limit with some of its rows or members."""
    return replace(
        limit,
        rows=None if limit.rows is None else limit.rows[np.flatnonzero(mask)],
        coverage=tuple(each for each, kept in zip(limit.coverage, mask, strict=False) if kept),
        bound=limit.bound[mask] if len(limit.bound) else limit.bound,
        scale=limit.scale[mask] if len(limit.scale) else limit.scale,
        members=limit.members[mask] if len(limit.members) else limit.members,
    )


def stated(p: FacilityProblem, limits: list[Limit], kept: Parts, changes: Mapping[int, Change] | None = None):
    """The problem that asks for some parts of limits, some of them loosened; None where (8) contradicts itself."""
    amounts = {k: (change.amount, change.let_go) for k, change in (changes or {}).items()}
    nobody = np.zeros(0, dtype=np.int64)
    over = {"options": [Rules.none(p.n_options)], "lanes": [Rules.none(p.n_lanes)]}
    coverage, forced, forbidden = [], set(), set()
    stay = np.where(np.isinf(p.unserved_cost), 1e6, p.unserved_cost)
    capacity, least = np.full(p.n_options, np.inf), np.zeros(p.n_options)
    group, whole = np.full(p.n_options, -1), False
    for k, parts in kept.items():
        limit = some_parts(limits[k], parts)
        s, let_go = amounts.get(k, (0.0, nobody))
        members = np.setdiff1d(limit.members, let_go)
        if limit.kind in over:
            bound = limit.bound + (s if limit.at_most else -s) * limit.per_amount
            sides = (-np.inf, bound) if limit.at_most else (bound, np.inf)
            over[limit.kind].append(Rules(limit.rows, *sides))
        elif limit.kind == "coverage":
            coverage += [
                replace(each, least=each.least - s * c)
                for each, c in zip(limit.coverage, limit.per_amount, strict=True)
            ]
        elif limit.kind == "forced":
            forced |= set(members.tolist())
        elif limit.kind == "forbidden":
            forbidden |= set(members.tolist())
        elif limit.kind == "served":
            stay[members] = np.inf
        elif limit.kind == "minimum":
            least[members] = p.min_throughput[members] * (1 - s / limit.value)
        elif limit.kind == "capacity":
            capacity[members] = p.capacity[members] * (1 + s / limit.value)
        elif limit.kind == "group":
            group = np.where(np.isin(p.group, limit.members), p.group, -1)
        else:
            whole |= bool(parts.all())
    taken = [int(group[j]) for j in forced if group[j] >= 0]
    if forced & forbidden or len(set(taken)) < len(taken):
        return None
    return p.with_changes(
        rules=Rules.stacked(over["options"]), lane_rules=Rules.stacked(over["lanes"]), coverage=tuple(coverage),
        forced_open=sorted(forced), forbidden=sorted(forbidden), unserved_cost=stay, min_throughput=least,
        capacity=capacity, group=group, single_source=whole,
    )  # fmt: skip

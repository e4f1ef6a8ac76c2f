"""Whether a core may stand for its problem: every plan worth a look is in it, at no more than it costs."""

from __future__ import annotations

import numpy as np

from siting.solver.core import Core
from siting.solver.lane_index import LaneIndex
from siting.solver.option_limits import FIT, Limits
from siting.solver.problem import NO_OPTION, BoolArray, FloatArray, IntArray
from siting.solver.restated import Restated


def is_relaxed(restated: Restated, core: Core) -> bool:
    """Whether a bound on the plans of the core bounds those of the problem.

    Each lane that could be of use is in the core no dearer, or gives way to a lane of its client that is no dearer,
    needs no other option and leaves none short of its minimum; each option left out has no lane, costs no less than
    nothing and is no help to a rule.
    """
    limits = restated.rows.limits()
    return (
        _data_agree(restated, core)
        and _rules_agree(restated, core)
        and _lanes_covered(restated, core, limits)
        and not _missed(restated, core, limits).any()
    )


def _data_agree(restated: Restated, core: Core) -> bool:
    """Clients and options of the core cost no more, hold no less and are no more bound than those they stand for."""
    p, option, client = restated.problem, core.option_of, core.client_of
    forced = np.zeros(p.n_options, dtype=bool)
    forced[p.forced_open] = True
    others = np.setdiff1d(np.arange(p.n_clients), client)
    needed = np.minimum(p.capacity, restated.reach)[option]
    groups_apart = all(
        len(np.unique(p.group[option[core.group == g]])) == 1 and p.group[option[core.group == g][0]] >= 0
        for g in np.unique(core.group[core.group >= 0])
    )
    return bool(
        len(np.unique(option)) == len(option)
        and len(np.unique(client)) == len(client)
        and (core.fixed_cost <= p.fixed_cost[option]).all()
        and (core.capacity >= needed * (1 - FIT)).all()
        and (core.demand == p.demand[client]).all()
        and (core.minimum <= p.min_throughput[option]).all()
        and (core.unserved <= restated.stay[client]).all()
        and not (core.forced & ~forced[option]).any()
        and groups_apart
        and core.base <= restated.stay[others].sum() * (1 + FIT * np.sign(restated.stay[others].sum()))
        and (p.single_source or not core.single_source)
    )


def _rules_agree(restated: Restated, core: Core) -> bool:
    """The rows of the core are those of the problem over its options."""
    ours = restated.problem.limits
    difference = ours.coefficients[:, core.option_of] - core.rules.coefficients
    return bool(
        abs(difference).sum() == 0 and (core.rules.lower <= ours.lower).all() and (core.rules.upper >= ours.upper).all()
    )


def _lanes_covered(restated: Restated, core: Core, limits: Limits) -> bool:
    """Every useful lane is in the core no dearer, or another lane makes it needless."""
    usable = restated.usable(limits)
    client, cost, options = restated.client[usable], restated.cost[usable], restated.options[usable]
    index = LaneIndex(restated.problem, core, np.arange(core.n_lanes))

    def covered(options: IntArray) -> BoolArray:
        return np.asarray(np.append(core.cost, np.inf)[index.find(client, options)] <= cost)

    alone = np.full(len(cost), NO_OPTION)
    first_fills, second_fills = restated.fills[usable].T
    ok = covered(options)
    ok |= covered(np.column_stack([options[:, 0], alone])) & ~second_fills
    ok |= covered(np.column_stack([options[:, 1], alone])) & ~first_fills
    needless = (cost >= _certain(restated, limits, np.flatnonzero(usable)[ok])[client]) & ~first_fills & ~second_fills
    return bool((ok | needless).all())


def _certain(restated: Restated, limits: Limits, lanes: IntArray) -> FloatArray:
    """(n_clients,) cost of the cheapest of some lanes whose options are all open in every plan and can hold all demand.

    Args:
        lanes: those that the core has: what it left out makes nothing needless.
    """
    p = restated.problem
    always = np.append(limits.low & (p.capacity >= restated.reach) & (p.capacity > 0), True)
    lane = lanes[always[restated.options[lanes]].all(axis=1)]
    ceiling = restated.stay.copy()
    np.minimum.at(ceiling, restated.client[lane], restated.cost[lane])
    return ceiling


def _missed(restated: Restated, core: Core, limits: Limits) -> BoolArray:
    """(n_options,) mask of options that are not in the core and might be of use: by their cost, or to keep a rule.

    A rule that no choice among the others breaks needs none of them.
    """
    p = restated.problem
    outside = limits.high.copy()
    outside[core.option_of] = False
    rows = p.limits.coefficients
    row, option = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)), rows.indices
    low, free = limits.low.astype(float), (limits.high & ~limits.low & ~outside).astype(float)
    negative, positive = rows.minimum(0), rows.maximum(0)
    least, most = rows @ low + negative @ free, rows @ low + positive @ free
    helps = ((rows.data > 0) & (least < p.limits.lower)[row]) | ((rows.data < 0) & (most > p.limits.upper)[row])
    helpful = np.zeros(p.n_options, dtype=bool)
    helpful[option[helps]] = True
    return np.asarray(outside & (limits.low | helpful | (p.fixed_cost < 0)))

"""Whether a core may stand for its problem: every plan worth a look is in it, at no more than it costs."""

from __future__ import annotations

import numpy as np

from siting.solver.core import Core
from siting.solver.option_limits import FIT, Limits
from siting.solver.problem import BoolArray, FloatArray, IntArray
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
    p = restated.problem
    usable = restated.usable(limits)
    client, cost, options = restated.client[usable], restated.cost[usable], restated.options[usable]
    place_of = np.full(p.n_options + 1, -2)  # -2: not in the core
    place_of[core.option_of], place_of[-1] = core.place, -1
    client_of = np.full(p.n_clients, -1)
    client_of[core.client_of] = np.arange(core.n_clients)
    owner, places = client_of[client], place_of[options]
    have = _keys(core.client.astype(np.int64), core.places.astype(np.int64), core.n_places)
    order = np.lexsort((core.cost, have))
    have, have_cost = have[order], core.cost[order]

    def covered(wanted_places: IntArray) -> BoolArray:
        inside = (owner >= 0) & (wanted_places > -2).all(axis=1) & (wanted_places[:, 0] >= 0)
        wanted = np.where(inside, _keys(owner, np.maximum(wanted_places, -1), core.n_places), -1)
        at = np.searchsorted(have, wanted)
        there = np.append(have, -2)[at] == wanted
        return np.asarray(there & (np.append(have_cost, np.inf)[at] <= cost))

    alone = np.full(len(cost), -1)
    ok = covered(places)
    first_fills, second_fills = restated.fills[usable].T
    ok |= covered(np.column_stack([places[:, 0], alone])) & ~second_fills
    ok |= covered(np.column_stack([places[:, 1], alone])) & ~first_fills
    needless = (cost >= _certain(restated, limits)[client]) & ~first_fills & ~second_fills
    return bool((ok | needless).all())


def _keys(client: IntArray, places: IntArray, n_places: int) -> IntArray:
    """One number for a client and the places of a lane, in any order."""
    low, high = np.sort(places, axis=1).T
    return np.asarray((client * (n_places + 1) + low + 1) * (n_places + 1) + high + 1)


def _certain(restated: Restated, limits: Limits) -> FloatArray:
    """(n_clients,) cost of the cheapest lane whose options are all open in every plan and can hold all demand."""
    p = restated.problem
    always = np.append(limits.low & (p.capacity >= restated.reach) & (p.capacity > 0), True)
    lane = np.flatnonzero(always[restated.options[:, 0]] & always[restated.options[:, 1]])
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

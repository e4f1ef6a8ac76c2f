r"""One choice of options for several futures: which is best on average, which is never far from the best, proven.

Options y are chosen before it is known which future k comes; lanes are chosen when it has come, and an option that
cannot come to its minimum (17) there may stand idle, for its fixed cost:

.. code-block:: text

    c_k(y) = sum_j f_kj y_j + min { sum_l c_l x_l + sum_i s_i z_i : (2) to (4), (17), (18), o } over o <= y      (80)
    min_y  sum_k w_k c_k(y)                                          the plan of best expected cost              (81)
    min_y  max_k (c_k(y) - min_y' c_k(y'))                           the plan of least regret                    (82)
    c_k(y) >= min_y' c_k(y')  =>  EVPI = min_y sum_k w_k c_k(y) - sum_k w_k min_y c_k(y) >= 0                    (83)

y keeps (5) to (8), (16) and (19) of one planning problem in all of them. (81) without capacities and minimums is one
facility problem over all futures' clients, each at its weight; with them that problem, in which an option holds in all
what it holds in each future together, is a relaxation, and its proven bound is one of (81). For any weights p_k that
sum to one the same problem bounds (82) from below, less what the optima come to; the weights are found by cutting
planes [Kelley 1960; Aissi, Bazgan and Vanderpooten 2009]. Every plan met on the way is priced by (80) in every future.
Where all lanes together are few, HiGHS closes what is left open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import block_diag, csr_array

from siting.solver.extensive import service_alone
from siting.solver.problem import NO_OPTION, BoolArray, FacilityProblem, FloatArray, IntArray
from siting.solver.rules import Rules
from siting.solver.solve import solve

EXACT = 1e-9
"""Relative gap of what a plan costs in a future."""


def cost_in(problem: FacilityProblem, opened: IntArray, time_limit: float | None = None, threads: int = 2) -> float:
    """(80): what a future costs with some options; inf where they cannot serve who must be served."""
    kept = np.isin(problem.lane_options, np.append(opened, NO_OPTION)).all(axis=1)
    own = service_alone(problem).with_changes(
        lane_client=problem.lane_client[kept], lane_options=problem.lane_options[kept],
        lane_cost=problem.lane_cost[kept], lane_rules=None, fixed_cost=None,
        forbidden=np.setdiff1d(np.arange(problem.n_options), opened),
    )  # fmt: skip
    if problem.lane_rules is not None:
        own = own.with_changes(lane_rules=problem.lane_rules.of(np.flatnonzero(kept)))
    found = solve(own, gap=EXACT, time_limit=time_limit, threads=threads)
    return found.objective + float(problem.fixed_cost[opened].sum())


def in_future(planning: FacilityProblem, future: FacilityProblem) -> FacilityProblem:
    """The problem of one future under the limits of the plan: no plan costs less than its bound.

    An option that may be chosen for another reason than its cargo has no minimum here, as it may stand idle.
    """
    return future.with_changes(
        min_throughput=np.where(_wanted_anyway(planning) | (future.fixed_cost < 0), 0.0, future.min_throughput),
        **_limits_of(planning),
    )


def joined(planning: FacilityProblem, futures: Sequence[FacilityProblem], weight: FloatArray) -> FacilityProblem:
    """The relaxation of (81): all futures' clients at their weights, options that hold what they hold in all."""
    start = np.cumsum([0, *(p.n_clients for p in futures)])
    rules = [p.over_lanes for p in futures]
    lane_rules = None
    if any(len(each) for each in rules):
        lane_rules = Rules(
            csr_array(block_diag([each.coefficients for each in rules])),
            np.concatenate([each.lower for each in rules]), np.concatenate([each.upper for each in rules]),
            [f"{name}, future {k + 1}" for k, each in enumerate(rules) for name in each.names],
        )  # fmt: skip
    fixed = np.asarray(sum(w * p.fixed_cost for w, p in zip(weight, futures, strict=True)))
    least = np.min([p.min_throughput for p in futures], axis=0)
    return FacilityProblem(
        lane_client=np.concatenate([p.lane_client + at for p, at in zip(futures, start, strict=False)]),
        lane_options=np.concatenate([p.lane_options for p in futures]),
        lane_cost=np.concatenate([w * p.lane_cost for w, p in zip(weight, futures, strict=True)]),
        n_clients=int(start[-1]),
        n_options=planning.n_options,
        unserved_cost=np.concatenate([w * p.unserved_cost for w, p in zip(weight, futures, strict=True)]),
        demand=np.concatenate([p.demand for p in futures]),
        fixed_cost=fixed,
        capacity=np.sum([p.capacity for p in futures], axis=0),
        min_throughput=np.where(_wanted_anyway(planning) | (fixed < 0), 0.0, least),
        lane_rules=lane_rules,
        single_source=all(p.single_source for p in futures),
        option_names=planning.option_names,
        **_limits_of(planning),
    )


def _limits_of(planning: FacilityProblem) -> dict[str, Any]:
    names = ("capex", "budget", "n_open", "group", "rules", "coverage", "forced_open", "forbidden")
    return {name: getattr(planning, name) for name in names}


def _wanted_anyway(p: FacilityProblem) -> BoolArray:
    """(n_options,) options that must open, or that help to keep a row that asks for something."""
    wanted = np.zeros(p.n_options, dtype=bool)
    wanted[p.forced_open] = True
    asks = p.rows.rows(np.flatnonzero(np.isfinite(p.rows.lower))).coefficients.indices
    gives = p.rows.coefficients.indices[p.rows.coefficients.data < 0]
    wanted[asks] = True
    wanted[gives] = True
    for each in p.coverage:
        wanted[each.reach.indices] = True
    return wanted

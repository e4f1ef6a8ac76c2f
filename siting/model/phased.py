"""The facility problem of a study with phases: what opens when, under budgets that carry over.

Every phase t is the one-period problem of its demand, its options y_jt saying what stands then; what ties phases
together are rows over options. With n_t years of phase t, b_t years before it, r the discount rate, g_t the growth of
its demand, k_j capital and B_t the budget of phase t:

    min sum_t w_t (cost of a year of phase t),  w_t = D_t / sum D,                                         (77)
        D_t = sum (1 + r)^-n over n = b_t + 1 to b_t + n_t
    sum_j k_j y_jt <= sum_{s <= t} B_s                    every phase t                                    (78)
    sum_{i in G(j)} y_i,t-1 <= sum_{i in G(j)} y_it       every option j and phase t > 1                   (79)

G(j) are the sizes of j's site that take no less capital than j, of which one is open at a time: a site opens once and
stays, and may grow to a larger size of its own for what that takes more in (78). A park may so be built in stages.

A year of phase t costs its cargo, (1 + g_t) times that of today's exports, and of every site that stands its running
and the annuity of its capital: capital is paid for over the appraisal period from the phase on that opens the site, and
years after the last phase are not looked at, neither what a site still costs then nor what it still saves. So (77)
is a cost a year, the mean over all years with later ones counting less, and with one phase it is that of the study
without phases. In (78) money is real and bears no interest while it waits. Capacities, minimums and size tiers hold in
every phase; rules and forced sites are asked of the last one, which has all sites.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack, vstack

from siting.model.costs import Array, annuity_factor
from siting.phases import Phase, starts_in_year
from siting.solver import Coverage, FacilityProblem, Rules

if TYPE_CHECKING:
    from siting.model.model import Model


def discount_weights(phases: Sequence[Phase], rate: float) -> Array:
    """(n_phases,) w_t of (77): what a rupee a year in each phase counts; they add up to 1.

    >>> discount_weights([Phase("a", 5, 1.0), Phase("b", 5, 1.0)], 0.0).tolist()
    [0.5, 0.5]
    """
    worth = present_values(phases, rate)
    weights: Array = worth / worth.sum()
    return weights


def present_values(phases: Sequence[Phase], rate: float) -> Array:
    """(n_phases,) D_t of (77): present value of a rupee at the end of each year of a phase."""
    starts = starts_in_year(phases)
    ends = [*starts[1:], starts[-1] + phases[-1].years]
    worth = [annuity_factor(rate, end) - annuity_factor(rate, start) for start, end in zip(starts, ends, strict=True)]
    return np.array(worth)


def last_growth(study_phases: Sequence[Mapping[str, Any]]) -> float:
    """Growth of demand in the last phase of a study; 0 without phases."""
    return float(study_phases[-1].get("demand_growth", 0.0)) if study_phases else 0.0


def of_last(phases: Sequence[Phase]) -> Array:
    """(n_phases,) demand of each phase as a part of that of the last one, which a model is stated at."""
    demand = np.array([1.0 + phase.demand_growth for phase in phases])
    parts: Array = demand / demand[-1]
    return parts


def phased_problem(model: Model, phases: Sequence[Phase]) -> FacilityProblem:
    """The problem of all phases, from that of the last one.

    Clients, options and lanes of phase t follow those of phase t - 1, each in the order of the model's problem.
    """
    p, n_phases = model.problem, len(phases)
    w, part = discount_weights(phases, model.parameters["discount_rate"]), of_last(phases)
    at = np.arange(n_phases)

    def each(values: NDArray[Any], factor: Array | None = None) -> NDArray[Any]:
        return np.concatenate([values if factor is None else factor[t] * values for t in at])

    def shifted(numbers: NDArray[Any], by: int) -> NDArray[Any]:
        return np.concatenate([np.where(numbers >= 0, numbers + t * by, numbers) for t in at])

    first_of_last = (n_phases - 1) * p.n_options
    return FacilityProblem(
        lane_client=shifted(p.lane_client, p.n_clients),
        lane_options=shifted(p.lane_options, p.n_options).astype(np.int32),
        lane_cost=each(p.lane_cost, w * part),
        n_clients=n_phases * p.n_clients,
        n_options=n_phases * p.n_options,
        unserved_cost=each(p.unserved_cost, w * part),
        demand=each(p.demand, part),
        fixed_cost=each(p.fixed_cost, w),
        capex=each(p.capex),
        capacity=each(p.capacity),
        min_throughput=each(p.min_throughput),
        group=shifted(p.group, int(p.group.max(initial=-1)) + 1),
        rules=Rules.stacked([_budgets(p, phases), _staying(p, n_phases), *_at_last(p.rules, n_phases)]),
        lane_rules=next(_at_last(p.lane_rules, n_phases), None),
        coverage=tuple(Coverage(_padded(one.reach, n_phases), one.weight, one.least, one.name) for one in p.coverage),
        forced_open=first_of_last + p.forced_open,
        forbidden=each(p.forbidden) + np.repeat(at * p.n_options, len(p.forbidden)),
        option_names=[f"{p.option_name(j)} in {phase.name}" for phase in phases for j in range(p.n_options)],
    )


def _budgets(p: FacilityProblem, phases: Sequence[Phase]) -> Rules:
    """(78)."""
    n = len(phases)
    rows = csr_array(np.kron(np.eye(n), p.capex[None, :]))
    budgets = np.cumsum([phase.budget_inr_crore for phase in phases])
    return Rules(rows, upper=budgets, names=[f"budget up to {phase.name}" for phase in phases])


def _staying(p: FacilityProblem, n_phases: int) -> Rules:
    """(79)."""
    no_less, nothing = _no_less(p), csr_array((p.n_options, p.n_options))
    rows = [
        hstack([no_less if s == t else -1.0 * no_less if s == t + 1 else nothing for s in range(n_phases)])
        for t in range(n_phases - 1)
    ]
    if not rows:
        return Rules.none(p.n_options)
    names = [f"{p.option_name(j)} stays" for _ in rows for j in range(p.n_options)]
    return Rules(csr_array(vstack(rows)), upper=0.0, names=names)


def _no_less(p: FacilityProblem) -> csr_array:
    """(n_options, n_options) whether each column is in G of the row's option; options without group are alone."""
    options = np.arange(p.n_options)
    site = np.where(p.group >= 0, p.group, p.group.max(initial=-1) + 1 + options)
    of_site = csr_array((np.ones(p.n_options), (options, site)))
    same = (of_site @ of_site.T).tocoo()
    row, column = same.coords
    kept = p.capex[column] >= p.capex[row]
    return csr_array((same.data[kept], (row[kept], column[kept])), shape=same.shape)


def _padded(matrix: csr_array, n_phases: int) -> csr_array:
    """Columns of the last phase, with nothing before them."""
    rows, width = matrix.shape
    return csr_array(hstack([csr_array((rows, (n_phases - 1) * width)), matrix]))


def _at_last(rules: Rules | None, n_phases: int) -> Iterator[Rules]:
    """Rules as asked of the last phase; nothing where there are none."""
    if rules is not None and len(rules):
        yield Rules(_padded(rules.coefficients, n_phases), rules.lower, rules.upper, rules.names)

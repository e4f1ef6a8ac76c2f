"""The rules of a study as rows of the facility problem: state budgets, numbers of sites, access, saving, carbon.

With S_r the options of rule r (its states and facility types), k_j capital and D_s the clients of the under-utilised
districts of state s, whose cargo costs C_s a year today:

    a <= sum_{j in S_r} k_j y_j <= b                  capital spent, crore                                (25)
    a <= sum_{j in S_r} y_j <= b                      sites open                                          (26)
    sum_d w_d z_d >= a sum_d w_d                      access, w_d = 1 or the exports of d                 (27)
    sum_{i in D_s, l of i} (s_i - c_l) x_l >= a C_s   saving of state s, for every state                  (28)
    E + sum_l (e_l - e_i) q_i x_l <= b                carbon: E that of today, e_i of the client's lane   (29)

(25) and (26) are rows over options (16). (27) is a coverage (19): z_d says that district d has an open option within
the rule's hours by road; districts that have an export facility so near today, an inland depot, a gateway or a land
customs station, are covered anyway. (28) and (29) are rows over lanes (18). The lanes are those of the problem, of
each set of sites the one that the shipper likes best: a planner may send a shipper through other sites than it would
choose, never at a loss against today, so that a rule is kept by what is built and who uses it, not by what is
dictated beyond.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from geodata.errors import Fault, InputError
from geodata.hints import hint
from siting.model.costs import Array
from siting.money import indian
from siting.rules import Rule, rule_faults, rules_of
from siting.solver import Coverage
from siting.solver import Rules as Rows
from siting.study import FACILITY_TYPES, Study

if TYPE_CHECKING:
    from siting.model.model import Model

KG_PER_T = 1000.0
ROUNDING = 1e-9
"""Relative; by how much a row may be missed through rounding."""


@dataclass(frozen=True, eq=False)
class RuleRow:
    """One row that a rule comes to: over options, over lanes, or a coverage.

    What it comes to, in its unit, is (offset + coefficients x) / scale, or with ``reach`` (offset + what is covered) /
    scale.

    Args:
        rule: whose row it is.
        state: where it holds; "" where it is of no single state.
        unit: of the limits: ``crore``, ``sites``, ``share``, ``t``.
        at_least, at_most: limits in that unit, -inf and inf for none.
        coefficients: (n_options,) or, with ``by_lane``, (n_lanes,); with ``reach`` (n_points,) weights of the points.
        by_lane: whether it is over lanes.
        reach: (n_points, n_options) where an option covers a point; None: no coverage.
        offset: what there is in any case.
        scale: of a share: the whole.
    """

    rule: Rule
    state: str
    unit: str
    at_least: float
    at_most: float
    coefficients: Array
    by_lane: bool = False
    reach: csr_array | None = None
    offset: float = 0.0
    scale: float = 1.0

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.rule.name}, {self.state}" if self.state else self.rule.name

    @property
    def limits(self) -> tuple[float, float]:
        """Lower and upper limit of the row itself."""
        return self.at_least * self.scale - self.offset, self.at_most * self.scale - self.offset

    def kept_by(self, opened: NDArray[np.int64], lane_share: Array) -> bool:
        """Whether the row is kept by some open options and shares of lanes, but for rounding."""
        a = self.coefficients
        if self.reach is not None:
            value = float(a[self.reach[:, opened].sum(axis=1) > 0].sum())
        else:
            value = float(a @ lane_share) if self.by_lane else float(a[opened].sum())
        low, high = self.limits
        slack = ROUNDING * (abs(value) + abs(self.offset))
        return low - slack <= value <= high + slack

    def told(self, value: float) -> str:
        """A value of the row in people's units."""
        return told(value, self.unit)


def told(value: float, unit: str) -> str:
    """A value of a rule in people's units.

    >>> told(0.8, "share"), told(312.44, "crore"), told(3, "sites"), told(1234567.0, "t")
    ('80.00 %', '₹312.4 crore', '3 sites', '12,34,567 t CO2e a year')
    """
    if unit == "crore":
        return f"₹{indian(value, 1)} crore"
    if unit == "share":
        return f"{indian(100 * value, 2)} %"
    return f"{indian(value)} t CO2e a year" if unit == "t" else f"{indian(value)} site{'s' * (value != 1)}"


def with_rules(model: Model) -> Model:
    """The model with the rules of its study in its problem; rows that are there already stay.

    Raises:
        InputError: rules that say what no rule may, or name states that the data do not know.
    """
    study = model.study
    if not study.rules and not model.rule_rows:
        return model
    if faults := rule_faults(study.rules, study.name, FACILITY_TYPES) or _name_faults(study, model):
        raise InputError(faults)
    known: dict[Rule, list[RuleRow]] = {}
    for row in model.rule_rows:
        known.setdefault(row.rule, []).append(row)
    rows = [row for rule in rules_of(study.rules) for row in known.get(rule) or _rows_of(rule, model)]
    return replace(model, rule_rows=tuple(rows), problem=model.problem.with_changes(**as_arguments(rows, model)))


def as_arguments(rows: Sequence[RuleRow], model: Model) -> dict[str, Any]:
    """Rows as arguments of the facility problem of a model."""
    problem = model.problem
    widths = {False: problem.n_options, True: problem.n_lanes}
    stacked = {
        by_lane: Rows.stacked(
            [
                Rows.none(width),
                *(
                    Rows(csr_array(row.coefficients[None, :]), *row.limits, [row.name])
                    for row in rows
                    if row.by_lane is by_lane and row.reach is None
                ),
            ]
        )
        for by_lane, width in widths.items()
    }
    coverage = tuple(
        Coverage(row.reach, row.coefficients, row.limits[0], row.name)
        for row in rows
        if row.reach is not None and row.limits[0] > 0
    )
    return {"rules": stacked[False], "lane_rules": stacked[True], "coverage": coverage}


def _name_faults(study: Study, model: Model) -> list[Fault]:
    """Names of states and facility types in rules that the study does not know."""
    states, faults = sorted(set(model.pack.districts["state"])), []
    for k, rule in enumerate(rules_of(study.rules), 1):
        for name in (*rule.states, *rule.except_states):
            if name not in states:
                what = f"rule {k} ({rule.kind}) names unknown state '{name[:100]}'"
                faults.append(Fault(what, hint(name[:100], states), study.name, column="rules", value=name))
        for kind in rule.facility_types:
            if kind not in study.facility_types:
                what = f"rule {k} ({rule.kind}) names facility type '{kind}', which the study does not build"
                remedy = "add it to facility_types or leave it out of the rule"
                faults.append(Fault(what, remedy, study.name, column="rules", value=kind))
    return faults


def _rows_of(rule: Rule, model: Model) -> Iterator[RuleRow]:
    if rule.kind == "carbon":
        return _carbon(rule, model)
    if rule.kind == "state_saving":
        return _saving(rule, model)
    return _access(rule, model) if rule.kind == "access" else _over_options(rule, model)


def _limits(rule: Rule) -> tuple[float, float]:
    return (
        -np.inf if rule.at_least is None else rule.at_least,
        np.inf if rule.at_most is None else rule.at_most,
    )


def _areas(rule: Rule, model: Model) -> list[tuple[str, list[str]]]:
    """Name and states of each area in which a rule holds; "" is all of them together."""
    known = sorted(set(model.pack.districts["state"]))
    states = list(rule.states) or [state for state in known if state not in rule.except_states]
    states = list(dict.fromkeys(states))
    if rule.each_state:
        return [(state, [state]) for state in states]
    return [("", states)]


def _within(rule: Rule, model: Model) -> NDArray[np.bool_]:
    """(n_options,) options of the rule's facility types."""
    kinds = rule.facility_types or model.study.facility_types
    return np.asarray(model.options["facility_type"].isin(kinds), dtype=bool)


def _over_options(rule: Rule, model: Model) -> Iterator[RuleRow]:
    """(25) and (26)."""
    state = model.places.table["state"].iloc[model.options["place"]]
    capital = rule.kind == "state_budget"
    value = model.problem.capex if capital else np.ones(len(model.options))
    for name, states in _areas(rule, model):
        chosen = _within(rule, model) & np.asarray(state.isin(states), dtype=bool)
        yield RuleRow(rule, name, "crore" if capital else "sites", *_limits(rule), np.where(chosen, value, 0.0))


def _access(rule: Rule, model: Model) -> Iterator[RuleRow]:
    """(27): hours by road from a district's exporters, stops included, as lanes that stay on the road take."""
    places, demand = model.places, model.demand
    h_per_km = model.pricer.tariff.road_h_per_km * (1.0 + model.pricer.conditions.road_only_delay)
    near = places.first_mile_km[: len(demand)] * h_per_km <= rule.hours  # no road: NaN, never near
    exists = near[:, np.concatenate([places.gateways, places.depots])].any(axis=1)
    exists |= demand["district_id"].isin(model.pack.land_customs["district_id"]).to_numpy()
    weight = np.ones(len(demand)) if rule.of == "districts" else demand["export_usd"].to_numpy(np.float64)
    opens = near[:, model.options["place"]] & _within(rule, model)
    for name, states in _areas(rule, model):
        mine = demand["under_utilised"].to_numpy(bool) & demand["state"].isin(states).to_numpy(bool)
        rest = np.flatnonzero(mine & ~exists & opens.any(axis=1))
        whole = float(weight[mine].sum())
        if whole > 0:
            reach = csr_array(opens[rest].astype(np.float64))
            covered = float(weight[mine & exists].sum())
            yield RuleRow(rule, name, "share", *_limits(rule), weight[rest], reach=reach, offset=covered, scale=whole)


def _saving(rule: Rule, model: Model) -> Iterator[RuleRow]:
    """(28)."""
    problem, clients = model.problem, model.clients.iloc[model.active]
    state = model.demand["state"].to_numpy(object)[clients["district"].to_numpy()]
    under = clients["under_utilised"].to_numpy(bool)
    quo = model.existing.take(np.isin(model.existing.client, model.active))
    money = (quo.cost_inr_per_t - model.pricer.taste_of(quo)) * clients["tonnes_per_year"].to_numpy()
    saved = problem.unserved_cost[problem.lane_client] - problem.lane_cost
    for name, states in _areas(rule, model):
        mine = under & np.isin(state, states)
        today = float(money[mine].sum())
        if today > 0:
            own = np.where(mine[problem.lane_client], saved, 0.0)
            yield RuleRow(rule, name, "share", *_limits(rule), own, by_lane=True, scale=today)


def _carbon(rule: Rule, model: Model) -> Iterator[RuleRow]:
    """(29)."""
    clients = model.clients.iloc[model.active]
    tonnes = np.where(clients["under_utilised"], clients["tonnes_per_year"], 0.0)
    quo = model.existing.take(np.isin(model.existing.client, model.active))
    today = model.pricer.co2e_kg_per_t(quo)
    client = model.problem.lane_client
    changed = model.pricer.co2e_kg_per_t(model.improving)[model.lane_of_row] - today[client]
    emitted = float(today @ tonnes) / KG_PER_T
    low, high = _limits(rule)
    if rule.of_today:
        high *= emitted
    yield RuleRow(rule, "", "t", low, high, changed * tonnes[client] / KG_PER_T, by_lane=True, offset=emitted)

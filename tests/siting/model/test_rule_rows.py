"""Rows that rules of a study come to, (25) to (29), priced one by one from the tables of a model of two states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from geodata.errors import InputError
from siting.model.lanes import LanePricer
from siting.model.model import Model, repriced
from siting.model.rules import RuleRow, told, with_rules
from siting.rules import Rule

STATES = ("Madhya Pradesh", "Maharashtra")
HOME = "madhya-pradesh/d"


@pytest.fixture(scope="module")
def model(two_states: Model) -> Model:
    return two_states


def asked(model: Model, *rules: dict[str, Any], **changes: Any) -> Model:
    return with_rules(replace(model, study=model.study.with_changes(rules=rules, **changes)))


def rows_of(model: Model, rule: dict[str, Any]) -> tuple[RuleRow, ...]:
    return asked(model, rule).rule_rows


# -- rows over options: (25), (26) ----------------------------------------------------------------------------


def of_options(model: Model, states: tuple[str, ...], kinds: tuple[str, ...], value: np.ndarray) -> list[float]:
    place_state = model.places.table["state"]
    return [
        float(value[j]) if place_state[place] in states and kind in kinds else 0.0
        for j, (place, kind) in enumerate(zip(model.options["place"], model.options["facility_type"], strict=True))
    ]


def test_capital_of_a_state_counts_what_stands_there(model: Model) -> None:
    """Planned parks too, whose state is their own."""
    (row,) = rows_of(model, {"rule": "state_budget", "states": [STATES[0]], "at_most_inr_crore": 30.0})
    capex = model.options["capex_inr_crore"].to_numpy()
    assert row.coefficients.tolist() == of_options(model, STATES[:1], model.study.facility_types, capex)
    assert row.coefficients[model.options["option_id"] == "mmlp-small@mmlp-east"] > 0
    assert (row.unit, row.state, row.at_least, row.at_most) == ("crore", "", -np.inf, 30.0)
    assert row.limits == (-np.inf, 30.0) and not row.by_lane and row.reach is None


def test_each_state_has_a_row_of_its_own(model: Model) -> None:
    rows = rows_of(model, {"rule": "sites", "facility_types": ["cold_store", "mmlp"], "each_state": True,
                           "at_least": 1, "at_most": 4})  # fmt: skip
    assert [row.state for row in rows] == list(STATES)
    for row, state in zip(rows, STATES, strict=True):
        ones = np.ones(len(model.options))
        assert row.coefficients.tolist() == of_options(model, (state,), ("cold_store", "mmlp"), ones)
        assert (row.unit, row.at_least, row.at_most) == ("sites", 1.0, 4.0)
        assert row.name == f"{row.rule.name}, {state}"
    (whole,) = rows_of(model, {"rule": "sites", "at_most": 4})
    assert whole.coefficients.tolist() == [1.0] * len(model.options) and whole.name == whole.rule.name
    assert [row.state for row in rows_of(model, {"rule": "sites", "states": [STATES[1]] * 2, "each_state": True,
                                                 "at_most": 1})] == [STATES[1]]  # fmt: skip


# -- access: (27) ---------------------------------------------------------------------------------------------


ACCESS = {
    "of all": {},
    "of exports, by stores alone": {"of": "exports", "facility_types": ["cold_store"]},
    "of each state": {"each_state": True},
    "of one state": {"states": [STATES[1]]},
}


@pytest.mark.parametrize("hours", [7.0, 8.0])
@pytest.mark.parametrize("more", ACCESS.values(), ids=ACCESS)
def test_access_counts_districts_by_their_hours_to_what_there_is_and_may_be(
    model: Model, more: dict[str, Any], hours: float
) -> None:
    """An hour of road is 425 / 24 km less the delay of a tenth; d9 has a customs station at the land border.

    The next district is 114.6 km away: more than 7 hours, 112.7 km, but less without the delay.
    """
    rule = {"rule": "access", "hours": hours, "at_least_share": 0.5, **more}
    kinds = more.get("facility_types", model.study.facility_types)
    areas = [(state,) for state in STATES] if more.get("each_state") else [tuple(more.get("states", STATES))]
    rows = rows_of(model, rule)
    assert len(rows) == len(areas)
    for row, states in zip(rows, areas, strict=True):
        near = dict(_near(model, hours))
        under = [d for d, is_under in enumerate(model.demand["under_utilised"]) if is_under]
        mine = [d for d in under if model.demand["state"][d] in states]
        weight = {d: model.demand["export_usd"][d] if "of" in more else 1.0 for d in mine}
        ends = {*model.places.gateways.tolist(), *model.places.depots.tolist()}
        there = [d for d in mine if near[d] & ends or model.demand["district_id"][d] == f"{HOME}9"]
        sites = list(zip(model.options["place"], model.options["facility_type"], strict=True))
        reach = {d: [float(place in near[d] and kind in kinds) for place, kind in sites] for d in mine}
        may = [d for d in mine if d not in there and any(reach[d])]
        assert row.reach is not None and row.reach.toarray().tolist() == [reach[d] for d in may]
        assert row.coefficients.tolist() == [weight[d] for d in may]
        assert row.offset == pytest.approx(sum(weight[d] for d in there))
        assert row.scale == pytest.approx(sum(weight.values()))
        assert (row.unit, row.at_least, row.by_lane) == ("share", 0.5, False)
        assert row.limits[0] == pytest.approx(0.5 * row.scale - row.offset)
    if not more and hours == 8.0:
        assert 0 < rows[0].offset < rows[0].scale and 0 < len(rows[0].coefficients) < 10, "there is one of each kind"


def _near(model: Model, hours: float) -> Iterator[tuple[int, set[int]]]:
    """Places within some hours by road of each district."""
    for d in range(len(model.demand)):
        h = model.places.first_mile_km[d] * 24 / 425 * 1.1
        yield d, {place for place, some in enumerate(h) if some <= hours}


def test_a_state_without_districts_that_count_has_no_share(model: Model) -> None:
    """Nor a saving."""
    alone = replace(
        model,
        demand=model.demand.assign(under_utilised=model.demand["state"] == STATES[1]),
        clients=model.clients.assign(under_utilised=model.demand["state"].to_numpy()[model.clients["district"]]
                                     == STATES[1]),
    )  # fmt: skip
    for rule in ({"rule": "access", "hours": 8, "each_state": True}, {"rule": "state_saving"}):
        assert [row.state for row in rows_of(alone, {**rule, "at_least_share": 0.01})] == [STATES[1]]


# -- rows over lanes: (28), (29) ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "of"), [({}, STATES), ({"except_states": [STATES[0]]}, STATES[1:]), ({"states": [STATES[0]]}, STATES[:1])]
)
def test_a_state_saves_what_its_lanes_do_of_what_its_cargo_costs_today(
    model: Model, more: dict[str, Any], of: tuple[str, ...]
) -> None:
    """Money alone: of what is perceived today, taste is taken off. Leaders do not count."""
    taste = np.random.default_rng(1).uniform(0, 50, model.pricer.taste.shape)
    p = model.pricer
    model = replace(model, pricer=LanePricer(p.places, p.tariff, p.conditions, p.clients, taste))
    rows = rows_of(model, {"rule": "state_saving", "at_least_share": 0.02, **more})
    assert [row.state for row in rows] == list(of)
    quo = {client: k for k, client in enumerate(model.existing.client.tolist())}
    minded = model.pricer.taste_of(model.existing)
    for row in rows:
        today, client_of_row = 0.0, []
        for client in model.active.tolist():
            one = model.clients.iloc[client]
            counts = bool(one["under_utilised"]) and model.demand["state"][one["district"]] == row.state
            client_of_row.append(counts)
            if counts:
                money = model.existing.cost_inr_per_t[quo[client]] - minded[quo[client]]
                today += money * one["tonnes_per_year"]
        problem = model.problem
        saved = [
            problem.unserved_cost[i] - cost if client_of_row[i] else 0.0
            for i, cost in zip(problem.lane_client.tolist(), problem.lane_cost, strict=True)
        ]
        assert row.coefficients == pytest.approx(saved) and max(saved) > 0
        assert row.scale == pytest.approx(today) and row.offset == 0.0
        assert row.limits == (pytest.approx(0.02 * today), np.inf)
        assert (row.unit, row.by_lane) == ("share", True)


def test_carbon_is_that_of_today_and_what_lanes_add_to_it(model: Model) -> None:
    """In tonnes. A ceiling by share is one of today's."""
    (row,) = rows_of(model, {"rule": "carbon", "at_most_share": 0.9})
    before, after = (
        np.bincount(parts["lane"], parts["co2e_kg_per_t"])
        for parts in (model.pricer.parts(model.existing), model.pricer.parts(model.improving))
    )
    under = np.where(model.clients["under_utilised"], model.clients["tonnes_per_year"], 0.0)
    kg_of = dict(zip(model.existing.client.tolist(), before, strict=True))
    today_t = sum(kg * under[client] for client, kg in kg_of.items()) / 1000
    client = model.active[model.problem.lane_client]
    added = [
        (after[lane] - kg_of[who]) * under[who] / 1000
        for who, lane in zip(client.tolist(), model.lane_of_row.tolist(), strict=True)
    ]
    assert row.coefficients == pytest.approx(added) and min(added) < 0
    assert row.offset == pytest.approx(today_t)
    assert row.limits == (-np.inf, pytest.approx(-0.1 * today_t))
    assert (row.unit, row.by_lane, row.at_most) == ("t", True, pytest.approx(0.9 * today_t))
    (fixed,) = rows_of(model, {"rule": "carbon", "at_most_t_per_year": 500.0})
    assert fixed.at_most == 500.0


# -- rows -----------------------------------------------------------------------------------------------------


A = np.array([10.0, 20.0, 30.0])
RULE = Rule("sites", "Some")


@pytest.mark.parametrize(
    ("low", "high", "kept"),
    [
        (30, 30, True), (-np.inf, np.inf, True), (31, np.inf, False), (-np.inf, 29, False),
        (30 * (1 + 1e-10), np.inf, True), (-np.inf, 30 * (1 - 1e-10), True),
        (30 * (1 + 1e-6), np.inf, False), (-np.inf, 30 * (1 - 1e-6), False),
    ],
)  # fmt: skip
def test_a_row_is_kept_within_its_limits_but_for_rounding(low: float, high: float, kept: bool) -> None:
    """Over options, over lanes and as a coverage alike: 10 and 20 make 30."""
    nothing, opened = np.zeros(3), np.array([0, 1])
    assert RuleRow(RULE, "", "crore", low, high, A).kept_by(opened, nothing) is kept
    half = RuleRow(RULE, "", "t", low, high, 2 * A, by_lane=True)
    assert half.kept_by(np.array([2]), np.array([0.5, 0.5, 0.0])) is kept
    reach = csr_array(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]))  # the second option covers two
    assert RuleRow(RULE, "", "share", low, high, A, reach=reach).kept_by(np.array([0, 1]), nothing) is kept


def test_what_there_is_anyway_counts_and_a_share_is_of_the_whole() -> None:
    """20 there and 30 by the row are half of 100; rounding is that of the larger numbers, 1,030 here."""
    half = RuleRow(RULE, "", "share", 0.5, 0.6, A, offset=20.0, scale=100.0)
    assert half.limits == (30.0, 40.0)
    assert half.kept_by(np.array([0, 1]), A) and not half.kept_by(np.array([0]), A)
    for missed, kept in ((5e-7, True), (2e-6, False)):
        row = RuleRow(RULE, "", "t", -np.inf, -970.0 - missed, A, offset=-1000.0)
        assert row.kept_by(np.array([0, 1]), A) is kept


def test_values_are_told_in_peoples_units() -> None:
    assert (told(1, "sites"), told(2, "sites"), told(0.125, "share")) == ("1 site", "2 sites", "12.50 %")
    assert (told(3.25, "t"), told(12.345, "crore")) == ("3 t CO2e a year", "₹12.3 crore")
    assert RuleRow(RULE, "", "share", 0, 1, A).told(0.5) == "50.00 %"


# -- rows in the problem --------------------------------------------------------------------------------------


CARBON = {"rule": "carbon", "at_most_share": 0.9}
PARKS = {"rule": "sites", "facility_types": ["mmlp"], "at_most": 2, "name": "Parks"}
NEAR = {"rule": "access", "hours": 8, "at_least_share": 0.8}


def test_rows_stand_in_the_problem_each_by_its_kind(model: Model) -> None:
    ruled = asked(model, CARBON, PARKS, NEAR)
    carbon, parks, near = ruled.rule_rows
    problem = ruled.problem
    assert (problem.rules.names, problem.over_lanes.names) == (("Parks",), (carbon.name,))
    assert problem.rules.coefficients.toarray()[0].tolist() == parks.coefficients.tolist()
    assert (problem.rules.lower[0], problem.rules.upper[0]) == (-np.inf, 2.0)
    assert problem.over_lanes.coefficients.toarray()[0].tolist() == carbon.coefficients.tolist()
    (coverage,) = problem.coverage
    assert (coverage.name, coverage.least) == (near.name, near.limits[0])
    assert coverage.weight.tolist() == near.coefficients.tolist()


def test_what_is_covered_anyway_asks_nothing_of_the_problem(model: Model) -> None:
    """The share of today itself, and less than it; but it is told with the plan."""
    (row,) = rows_of(model, NEAR)
    for share in (row.offset / row.scale, 0.0):
        easy = asked(model, {**NEAR, "at_least_share": share})
        assert len(easy.rule_rows) == 1 and not easy.problem.coverage


def test_a_model_without_rules_stays_and_one_whose_rules_are_gone_has_no_rows(model: Model) -> None:
    assert with_rules(model) is model
    ruled = asked(model, CARBON, PARKS)
    freed = asked(ruled)
    assert freed.rule_rows == () and len(freed.problem.rules) == 0 and len(freed.problem.over_lanes) == 0


def test_rows_that_are_there_stay(model: Model) -> None:
    """They may cost seconds; a rule that is new beside them is worked out."""
    before = asked(model, CARBON)
    after = asked(before, PARKS, CARBON)
    assert after.rule_rows[1] is before.rule_rows[0]
    assert [row.rule.kind for row in after.rule_rows] == ["sites", "carbon"]


def test_every_unknown_name_of_a_rule_is_told_with_the_rule(model: Model) -> None:
    rules = (
        CARBON,
        {"rule": "sites", "states": ["Maharastra"], "facility_types": ["mmlp", "warehouse"], "at_most": 2},
        {"rule": "state_saving", "at_least_share": 0.01, "except_states": ["Madhya"]},
    )
    with pytest.raises(InputError) as refused:
        asked(model, *rules, facility_types=("warehouse",))
    assert [(fault.message, fault.value) for fault in refused.value.faults] == [
        ("rule 2 (sites) names unknown state 'Maharastra'", "Maharastra"),
        ("rule 2 (sites) names facility type 'mmlp', which the study does not build", "mmlp"),
        ("rule 3 (state_saving) names unknown state 'Madhya'", "Madhya"),
    ]
    assert "did you mean 'Maharashtra'?" in refused.value.faults[0].remedy
    with pytest.raises(InputError, match="has no limit"):
        asked(model, {"rule": "sites"})


def test_rules_go_along_with_other_parameters_but_not_where_the_sites_are_given(model: Model) -> None:
    ruled = asked(model, PARKS, CARBON)
    dearer = {"carbon_price_inr_per_t_co2e": 1000.0}
    assert [row.name for row in repriced(ruled, dearer).rule_rows] == [row.name for row in ruled.rule_rows]
    given = repriced(ruled, dearer, opened=np.array([0]))
    assert given.rule_rows == () and given.study.rules == () and given.problem.rules is None

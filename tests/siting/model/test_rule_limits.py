"""Rules that no plan keeps: told with what everything that may be built comes to, or costs at least."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from siting.model.model import Model
from siting.model.rule_limits import impossible_rules
from siting.model.rules import RuleRow, told, with_rules

STATES = ("Madhya Pradesh", "Maharashtra")
HOME = "madhya-pradesh/d"
NEAR = {"rule": "access", "hours": 8, "at_least_share": 0.8}


@pytest.fixture(scope="module")
def model(two_states: Model) -> Model:
    return two_states


def asked(model: Model, *rules: dict[str, Any], **changes: Any) -> Model:
    return with_rules(replace(model, study=model.study.with_changes(rules=rules, **changes)))


def rows_of(model: Model, rule: dict[str, Any]) -> tuple[RuleRow, ...]:
    return asked(model, rule).rule_rows


# -- rules that no plan keeps ---------------------------------------------------------------------------------


def told_of(model: Model, *rules: dict[str, Any], **changes: Any) -> list[str]:
    return [fault.message for fault in impossible_rules(asked(model, *rules, **changes))]


RICH = {"budget_inr_crore": 1e6}


def test_of_each_site_one_size_counts_and_none_that_is_forbidden(model: Model) -> None:
    """Warehouses come in three sizes at each of 11 districts that have a road."""
    sheds = {"rule": "sites", "facility_types": ["warehouse"], "name": "Sheds"}
    assert told_of(model, {**sheds, "at_least": 11}, **RICH) == []
    (text,) = told_of(model, {**sheds, "at_least": 12}, **RICH)
    assert text.endswith("rule 'Sheds' asks for at least 12 sites; everything that may be built comes to 11 sites")
    (text,) = told_of(model, {**sheds, "at_least": 11}, forbidden=(f"{HOME}3", f"warehouse@{HOME}5"), **RICH)
    assert text.endswith("comes to 9 sites")
    largest = model.options[model.options["tier"] == "large"].query("facility_type == 'warehouse'")
    most = {"rule": "state_budget", "each_state": True, "at_least_inr_crore": 1e5, "name": "Capital"}
    (text,) = told_of(model, most, forbidden=tuple(model.options.query("facility_type != 'warehouse'")["site_id"]),
                      **RICH)  # fmt: skip
    by_state = dict.fromkeys(STATES, 0.0)
    for place, capex in zip(largest["place"], largest["capex_inr_crore"], strict=True):
        by_state[model.places.table["state"][place]] += capex
    told_sums = ", ".join(f"{told(by_state[state], 'crore')} in {state}" for state in STATES)
    assert text == (f"rule 'Capital' asks for at least {told(1e5, 'crore')}; everything that may be built comes to "
                    f"{told_sums}")  # fmt: skip


def test_forced_sites_are_over_a_ceiling_only_beyond_it(model: Model) -> None:
    forced = (f"warehouse-small@{HOME}2", f"cold_store-standard@{HOME}4")
    cap = {"rule": "sites", "states": [STATES[0]], "name": "Cap"}
    assert told_of(model, {**cap, "at_most": 2}, forced=forced, **RICH) == []
    assert told_of(model, {**cap, "at_most": 1}, forced=forced, **RICH) == [
        "rule 'Cap' allows at most 1 site; no plan comes below 2 sites"
    ]
    (near,) = rows_of(model, {**NEAR, "at_least_share": 1.0})
    low = (near.offset + near.coefficients[near.reach[:, _of(model, forced)].sum(axis=1) > 0].sum()) / near.scale
    capped = replace(near, at_least=-np.inf, at_most=low - 0.01)
    (text,) = [fault.message for fault in impossible_rules(_with(model, capped, forced=forced))]
    assert text.endswith(f"no plan comes below {told(low, 'share')}")


def _of(model: Model, options: tuple[str, ...]) -> np.ndarray:
    return np.flatnonzero(model.options["option_id"].isin(options))


def _with(model: Model, *rows: RuleRow, **changes: Any) -> Model:
    return replace(model, rule_rows=rows, study=model.study.with_changes(**{**RICH, **changes}))


def test_everything_in_reach_is_what_is_near_and_what_may_come_near(model: Model) -> None:
    forbidden = (f"{HOME}4", f"{HOME}10")
    (row,) = rows_of(model, {**NEAR, "at_least_share": 1.0})
    usable = np.array([
        not any(place.endswith(name.split("/")[1]) for name in forbidden)
        for place in model.options["option_id"]
    ])  # fmt: skip
    covered = row.reach.toarray()[:, usable].sum(axis=1) > 0
    assert 0 < covered.sum() < len(covered)
    most = (row.offset + row.coefficients[covered].sum()) / row.scale
    (text,) = told_of(model, {**NEAR, "at_least_share": 1.0, "name": "Near"}, forbidden=forbidden, **RICH)
    assert text.endswith(f"asks for at least 100.00 %; everything that may be built comes to {told(most, 'share')}")
    assert told_of(model, {**NEAR, "at_least_share": most}, forbidden=forbidden, **RICH) == []


@pytest.mark.parametrize("forbidden", [(), (f"{HOME}2", "mmlp-east", f"cold_store@{HOME}5")])
def test_each_client_at_its_best_is_the_most_that_lanes_come_to(model: Model, forbidden: tuple[str, ...]) -> None:
    """Every client takes the lane that saves, or spares carbon, most, of those whose sites may be built, or stays."""
    saving, carbon = (rows_of(model, rule)[0] for rule in
                      ({"rule": "state_saving", "states": [STATES[1]], "at_least_share": 0.9},
                       {"rule": "carbon", "at_most_share": 0.001}))  # fmt: skip
    problem, table = model.problem, model.options
    banned = {
        j for j, (name, site) in enumerate(zip(table["option_id"], table["site_id"], strict=True))
        if {name, site, site.split("@")[1]} & set(forbidden)
    }  # fmt: skip
    usable = [not banned & set(pair) for pair in problem.lane_options.tolist()]
    assert all(usable) is not bool(forbidden)

    def at_best(row: RuleRow, better: Any) -> float:
        best = dict.fromkeys(range(problem.n_clients), 0.0)
        for k, client in enumerate(problem.lane_client.tolist()):
            if usable[k]:
                best[client] = better(best[client], float(row.coefficients[k]))
        return (row.offset + sum(best.values())) / row.scale

    (text,) = told_of(model, {"rule": "state_saving", "states": [STATES[1]], "at_least_share": 0.9, "name": "Save"},
                      forbidden=forbidden, **RICH)  # fmt: skip
    assert text.endswith(f"comes to {told(at_best(saving, max), 'share')} in {STATES[1]}")
    (text,) = told_of(model, {"rule": "carbon", "at_most_share": 0.001}, forbidden=forbidden, **RICH)
    assert text.endswith(f"no plan comes below {told(at_best(carbon, min), 't')}")


def test_one_line_lists_six_states_and_counts_the_others(model: Model) -> None:
    (row,) = rows_of(model, {"rule": "state_budget", "states": [STATES[0]], "at_least_inr_crore": 1e6})
    for n, ending in ((6, "in S5"), (7, "in S5 and 1 more"), (9, "in S5 and 3 more")):
        rows = [replace(row, state=f"S{k}") for k in range(n)]
        (fault,) = impossible_rules(_with(model, *rows))
        assert fault.message.endswith(ending) and fault.message.count(" in S") == 6


# -- rules that cost more than the budget ---------------------------------------------------------------------


def test_the_cheapest_sites_that_keep_a_rule_may_cost_the_budget_but_not_more(model: Model) -> None:
    """Three stores in one state at the size that costs least; one district of it is forbidden, so five are left."""
    rule = {"rule": "sites", "facility_types": ["warehouse", "mmlp"], "states": [STATES[0]], "at_least": 6,
            "name": "Six"}  # fmt: skip
    forbidden = (f"{HOME}2",)
    table = model.options.assign(state=model.places.table["state"].to_numpy()[model.options["place"]])
    mine = table[table["facility_type"].isin(["warehouse", "mmlp"]) & (table["state"] == STATES[0])]
    mine = mine[~mine["site_id"].str.endswith(f"{HOME}2")]
    least = mine.groupby("site_id")["capex_inr_crore"].min().sort_values().head(6).sum()
    assert told_of(model, rule, budget_inr_crore=least, forbidden=forbidden) == []
    (text,) = told_of(model, rule, budget_inr_crore=least - 0.5, forbidden=forbidden)
    assert text == (f"rule 'Six' asks for at least 6 sites, of which the cheapest cost {told(least, 'crore')}; "
                    f"the budget is {told(least - 0.5, 'crore')}")  # fmt: skip
    assert told_of(model, {**rule, "at_least": 0}, budget_inr_crore=1.0) == []


def test_floors_of_states_add_up_to_no_more_than_the_budget(model: Model) -> None:
    """Of one state the highest counts; of several together, and ceilings, nothing is known."""
    floors = [
        {"rule": "state_budget", "states": [STATES[0]], "at_least_inr_crore": 20.0, "name": "A"},
        {"rule": "state_budget", "states": [STATES[0]], "at_least_inr_crore": 30.0, "name": "B"},
        {"rule": "state_budget", "states": [STATES[1]], "at_least_inr_crore": 25.0, "name": "C"},
        {"rule": "state_budget", "states": list(STATES), "at_least_inr_crore": 40.0, "name": "D"},
        {"rule": "state_budget", "each_state": True, "at_most_inr_crore": 45.0, "name": "E"},
    ]
    assert told_of(model, *floors, budget_inr_crore=55.0) == []
    assert told_of(model, *floors, budget_inr_crore=54.0) == [
        "the floors of the state budgets come to ₹55.0 crore; the budget is ₹54.0 crore"
    ]
    assert told_of(model, *floors[:2], budget_inr_crore=30.0) == []
    assert told_of(model, floors[1], budget_inr_crore=29.0) == [
        "rule 'B' asks for at least ₹30.0 crore, the budget is ₹29.0 crore"
    ]
    small = {"rule": "state_budget", "each_state": True, "at_least_inr_crore": 0.4}
    assert told_of(model, small, budget_inr_crore=0.9) == []
    each = {"rule": "state_budget", "each_state": True, "at_least_inr_crore": 20.0}
    assert told_of(model, each, budget_inr_crore=40.0) == []
    assert len(told_of(model, each, budget_inr_crore=39.0)) == 1


def test_a_number_of_sites_is_no_sum_of_money(model: Model) -> None:
    """32 crore in one state and five sites, 35 crore at least, in the other, under a budget of 36."""
    rules = (
        {"rule": "state_budget", "states": [STATES[0]], "at_least_inr_crore": 32.0},
        {"rule": "sites", "states": [STATES[1]], "at_least": 5},
    )
    assert told_of(model, *rules, budget_inr_crore=36.0) == []


def test_no_rules_are_never_impossible(model: Model) -> None:
    assert impossible_rules(model) == []

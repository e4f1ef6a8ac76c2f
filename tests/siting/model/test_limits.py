"""What a study asks as limits that may stand in one another's way, and the study once some of them are loosened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from siting.model import limits as limits_module
from siting.model.limits import StudyLimit, limits_of_study, loosened, loosened_value
from siting.model.model import Model
from siting.model.rules import with_rules
from siting.solver import Change
from siting.study import Study

STATES = ("Madhya Pradesh", "Maharashtra")
SMALL = "warehouse-small@madhya-pradesh/d"
RULES: tuple[dict[str, Any], ...] = (
    {"rule": "sites", "each_state": True, "at_least": 1, "at_most": 4},
    {"rule": "state_budget", "states": [STATES[0]], "at_least_inr_crore": 5.0, "at_most_inr_crore": 30.0},
    {"rule": "access", "hours": 8, "at_least_share": 0.9},
    {"rule": "state_saving", "at_least_share": 0.01},
    {"rule": "carbon", "at_most_share": 0.9},
    {"rule": "carbon", "at_most_t_per_year": 5e4},
)


def limits_of(model: Model, **changes: Any) -> list[StudyLimit]:
    return limits_of_study(model.study.with_changes(**changes), model)[1]


def of_key(limits: list[StudyLimit], key: str) -> StudyLimit:
    (one,) = [limit for limit in limits if limit.key == key]
    return one


@pytest.fixture(scope="module")
def ruled(two_states: Model) -> list[StudyLimit]:
    return [limit for limit in limits_of(two_states, rules=RULES) if limit.key == "rules"]


def test_every_side_of_a_rule_is_a_limit_in_a_planners_steps(ruled: list[StudyLimit]) -> None:
    """A tenth of a crore, a whole site, a hundredth of a percent, a tonne; the key that holds it in the study."""
    told = [(one.rule, one.rule_key, one.unit, one.limit.value, one.limit.at_most, one.limit.step) for one in ruled]
    assert told == [
        (0, "at_least", "sites", 1, False, 1.0),
        (0, "at_most", "sites", 4, True, 1.0),
        (1, "at_least_inr_crore", "crore", 5.0, False, 0.1),
        (1, "at_most_inr_crore", "crore", 30.0, True, 0.1),
        (2, "at_least_share", "share", 0.9, False, 1e-4),
        (3, "at_least_share", "share", 0.01, False, 1e-4),
        (4, "at_most_share", "share", 0.9, True, 1e-4),
        (5, "at_most_t_per_year", "t", 5e4, True, 1.0),
    ]
    assert [one.limit.kind for one in ruled] == ["options"] * 4 + ["coverage"] + ["lanes"] * 3


def test_a_limit_has_the_rows_of_its_rule_and_moves_each_by_what_a_unit_of_it_is(
    ruled: list[StudyLimit], two_states: Model
) -> None:
    """A share of what there is today moves a row by that of it, a site or a crore by one."""
    model = with_rules(replace(two_states, study=two_states.study.with_changes(rules=RULES)))
    for one in ruled:
        rows = [row for row in model.rule_rows if row.rule.name == one.limit.name]
        assert one.states == tuple(row.state for row in rows) and len(rows) == (2 if one.rule in (0, 3) else 1)
        of_today = one.rule == 4
        assert one.limit.scale.tolist() == [row.offset if of_today else row.scale for row in rows]
        if one.limit.kind == "coverage":
            assert one.limit.rows is None and not len(one.limit.bound)
            (row,), (covered,) = rows, one.limit.coverage
            assert covered.least == row.limits[0] == pytest.approx(0.9 * row.scale - row.offset)
            assert covered.weight.tolist() == row.coefficients.tolist()
        else:
            assert one.limit.rows is not None and not one.limit.coverage
            assert one.limit.rows.toarray().tolist() == [row.coefficients.tolist() for row in rows]
            assert one.limit.bound.tolist() == [row.limits[one.limit.at_most] for row in rows]


def test_what_is_in_reach_anyway_is_no_limit(two_states: Model) -> None:
    rule = {"rule": "access", "hours": 8, "at_least_share": 0.0}
    assert [one.key for one in limits_of(two_states, rules=(rule,)) if one.key == "rules"] == []


def test_half_a_district_more_in_reach_is_a_limit(two_states: Model) -> None:
    (row,) = with_rules(replace(two_states, study=two_states.study.with_changes(rules=RULES[2:3]))).rule_rows
    rule = {**RULES[2], "at_least_share": (row.offset + 0.5) / row.scale}
    (one,) = [one for one in limits_of(two_states, rules=(rule,)) if one.key == "rules"]
    assert one.limit.coverage[0].least == pytest.approx(0.5)


def test_the_budget_comes_first_and_what_is_given_last(two_states: Model) -> None:
    asked = limits_of(two_states, forced=(f"{SMALL}1",), forbidden=(f"{SMALL}2", f"{SMALL}3"), rules=RULES[:1])
    keys = [one.key for one in asked]
    assert keys == ["budget_inr_crore", "rules", "rules", "forced", "forbidden", "capacity", "sizes"]
    budget, room, sizes = (of_key(asked, key).limit for key in ("budget_inr_crore", "capacity", "sizes"))
    assert (budget.value, budget.bound.tolist(), budget.at_most, budget.step) == (60.0, [60.0], True, 0.1)
    assert budget.rows is not None and budget.loosens
    assert budget.rows.toarray().tolist() == [two_states.options["capex_inr_crore"].tolist()]
    assert not room.may_loosen and not room.divides and not sizes.may_loosen and not sizes.divides
    assert room.members.tolist() == np.flatnonzero(np.isfinite(two_states.problem.capacity)).tolist()
    group = two_states.problem.group
    assert sizes.members.tolist() == [g for g in range(group.max() + 1) if (group == g).sum() > 1]


def test_sites_named_are_members_and_few_forbidden_ones_are_told_apart(
    two_states: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as `DIVIDED`, here two; forced ones always."""
    monkeypatch.setattr(limits_module, "DIVIDED", 2)
    names = [f"{SMALL}{k}" for k in range(3)]
    at = [two_states.options["option_id"].tolist().index(name) for name in names]
    for key, n, divides in (("forced", 3, True), ("forbidden", 2, True), ("forbidden", 3, False)):
        named = of_key(limits_of(two_states, **{key: tuple(names[:n])}), key)
        assert (named.limit.value, named.limit.divides, named.unit) == (n, divides, "sites")
        assert sorted(named.limit.members.tolist()) == sorted(at[:n])
    assert limits_module.DIVIDED == 2


def test_fifty_forbidden_sites_are_told_apart() -> None:
    assert limits_module.DIVIDED == 50


@pytest.mark.parametrize("key", limits_module.MINIMUMS)
def test_the_minimum_of_customs_is_one_limit_of_all_that_it_holds_for(two_states: Model, key: str) -> None:
    """Stores for the one parameter, parks and cargo terminals for the other; in boxes, told whole."""
    shared = two_states.options["facility_type"].isin(["mmlp", "cargo_terminal"]).to_numpy()
    mine = shared if key.startswith("inland") else ~shared
    parameters = two_states.parameters.with_overrides({key: 300.0})
    problem = two_states.problem.with_changes(min_throughput=np.where(mine, 4200.0, 0.0))
    with_minimum = replace(two_states, parameters=parameters, problem=problem)
    asked = limits_of_study(two_states.study, with_minimum)[1]
    one = of_key(asked, key)
    assert [other.key for other in asked if other.key in limits_module.MINIMUMS] == [key]
    assert (one.limit.kind, one.limit.value, one.limit.step, one.unit) == ("minimum", 300.0, 1.0, "TEU")
    assert not one.limit.divides and one.limit.may_loosen
    assert one.limit.members.tolist() == np.flatnonzero(mine).tolist()


def test_a_lower_limit_falls_and_an_upper_one_rises_and_none_below_nothing(ruled: list[StudyLimit]) -> None:
    least, most, crore, most_crore, share = ruled[:5]

    def moved(of: StudyLimit, amount: float) -> float:
        return loosened_value(of, Change(0, amount, np.zeros(0, np.int64)))

    assert (moved(least, 1.0), moved(most, 2.0)) == (0, 6)
    assert isinstance(moved(most, 2.0), int), "of sites there are whole ones"
    assert (moved(crore, 0.3), moved(most_crore, 0.1 + 0.2)) == (4.7, 30.3), "to a millionth"
    assert moved(share, 0.1234567) == 0.776543
    assert moved(crore, 7.0) == 0.0


def test_the_study_with_each_of_its_limits_loosened(two_states: Model) -> None:
    """All at once: two sides of one rule, one of three forced sites let go, one of two sizes of a place allowed."""
    place = "warehouse@madhya-pradesh/d4"
    study: Study = two_states.study.with_changes(
        forced=(f"{SMALL}1", f"{SMALL}2", f"{SMALL}3"), forbidden=(place, f"{SMALL}5"), rules=RULES[:2]
    )
    asked = limits_of_study(study, two_states)[1]
    ids = two_states.options["option_id"].tolist()
    let_go = {"forced": [f"{SMALL}2"], "forbidden": [f"{SMALL}4"]}
    moves = {"budget_inr_crore": 7.0, "at_least": 1.0, "at_most": 2.0, "at_most_inr_crore": 4.0}
    changes = []
    for k, one in enumerate(asked):
        free = np.array([ids.index(name) for name in let_go.get(one.key, ())], np.int64)
        amount = moves.get(one.rule_key or one.key, 0.0)
        if len(free) or amount:
            changes.append((one, Change(k, amount, free)))
    minimum = replace(asked[0], key="inland_depot_min_teu_per_year", unit="TEU",
                      limit=replace(asked[0].limit, value=300.0, at_most=False))  # fmt: skip
    other = replace(minimum, key="freight_station_min_teu_per_year")
    none = np.zeros(0, np.int64)
    changed = loosened(study, two_states, [*changes, (minimum, Change(0, 20.0, none)), (other, Change(0, 50.0, none))])
    assert changed["budget_inr_crore"] == 67.0
    assert changed["rules"] == (
        {"rule": "sites", "each_state": True, "at_least": 0, "at_most": 6},
        {"rule": "state_budget", "states": [STATES[0]], "at_least_inr_crore": 5.0, "at_most_inr_crore": 34.0},
    )
    assert changed["forced"] == (f"{SMALL}1", f"{SMALL}3")
    assert changed["forbidden"] == (
        "warehouse-medium@madhya-pradesh/d4", "warehouse-large@madhya-pradesh/d4", f"{SMALL}5",
    )  # fmt: skip
    spared = {"inland_depot_min_teu_per_year": 280.0, "freight_station_min_teu_per_year": 250.0}
    assert changed["parameters"] == {**study.parameters, **spared}
    assert len(changed) == 5 and RULES[0]["at_least"] == 1, "what was asked stays as it was"
    assert study.with_changes(**changed).budget_inr_crore == 67.0

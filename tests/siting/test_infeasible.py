"""Forty studies that nothing fits, of different kinds: what is told is in the way is, and what is told is enough is.

Every explanation is held against the solver and against a program of the tests' own, with nothing of what made it:
what cannot all be kept really cannot, and can without any one part; a change that is told is enough, a step less of
it, or leaving out any part of it, is not.
"""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from geodata.errors import Fault
from siting import infeasible
from siting.cli import build_parser, run_command
from siting.infeasible import explained, why_nothing_fits
from siting.model.limits import STEPS
from siting.model.model import InfeasibleError, build_model
from siting.model.options import select_options
from siting.model.rules import with_rules
from siting.report.why import nothing_fits_lines
from siting.rules import rules_of
from siting.rules_alone import Alone
from siting.solver import Explanation, solve
from siting.solver import InputError as ProblemError
from siting.study import study_text, told_by_file

WEST, EAST = "Madhya Pradesh", "Chhattisgarh"
D = "madhya-pradesh/d"
SMALL, MEDIUM = f"warehouse-small@{D}", f"warehouse-medium@{D}"


def sites(**rule):
    return {"rule": "sites", **rule}


def capital(state, **rule):
    return {"rule": "state_budget", "states": [state], **rule}


def access(hours, share, **rule):
    return {"rule": "access", "hours": hours, "at_least_share": share, **rule}


def saving(share, **rule):
    return {"rule": "state_saving", "at_least_share": share, **rule}


def carbon(share):
    return {"rule": "carbon", "at_most_share": share}


FORCED_SIZES = (f"{SMALL}3", f"{MEDIUM}3")
CONFLICTS = {
    "more sites than places": {"rules": (sites(facility_types=["cold_store"], at_least=40),)},
    "more parks than money": {"rules": (sites(facility_types=["mmlp"], at_least=2),)},
    "more capital than the budget": {"rules": (capital(WEST, at_least_inr_crore=90.0),)},
    "floors of two states over the budget": {
        "rules": (capital(WEST, at_least_inr_crore=35.0), capital(EAST, at_least_inr_crore=35.0))
    },
    "districts out of reach": {"rules": (access(1, 0.9),)},
    "exports out of reach": {"rules": (access(1, 0.95, of="exports"),)},
    "no such saving": {"rules": (saving(0.9),)},
    "no such carbon": {"rules": (carbon(0.1),)},
    "a site both forced and forbidden": {"forced": (f"{SMALL}3",), "forbidden": (f"{D}3",)},
    "two sizes of a site": {"forced": FORCED_SIZES},
    "two sizes that are forbidden": {"forced": FORCED_SIZES, "forbidden": (f"warehouse@{D}3",)},
    "forced over the budget": {"budget_inr_crore": 30.0, "forced": tuple(f"{MEDIUM}{d}" for d in (1, 2, 5))},
    "forced over a ceiling of sites": {
        "forced": (f"{SMALL}1", f"{SMALL}2", f"{SMALL}5"), "rules": (sites(states=[WEST], at_most=1),)
    },
    "forced over a ceiling of capital": {
        "forced": (f"{SMALL}1", f"{MEDIUM}2", f"{SMALL}5"), "rules": (capital(WEST, at_most_inr_crore=21.0),)
    },
    "a floor over a ceiling": {
        "rules": (sites(facility_types=["cold_store"], at_least=3), sites(at_most=2, name="Few"))
    },
    "a floor of sites under a ceiling of capital": {
        "rules": (sites(states=[EAST], at_least=4), capital(EAST, at_most_inr_crore=20.0))
    },
    "a floor of capital under a ceiling of sites": {
        "rules": (capital(EAST, at_least_inr_crore=40.0), sites(states=[EAST], facility_types=["warehouse"], at_most=0),
                  sites(at_most=2, name="Few"))
    },
    "one in each state without money": {
        "budget_inr_crore": 20.0, "rules": (sites(facility_types=["cold_store"], each_state=True, at_least=1),)
    },
    "one in each state where one is forbidden": {
        "forbidden": tuple(f"cold_store@{D}{d}" for d in (3, 4, 5, 9, 10, 11)),
        "rules": (sites(facility_types=["cold_store"], each_state=True, at_least=1),),
    },
    "all of a kind forbidden": {
        "forbidden": tuple(f"cold_store@{D}{d}" for d in range(11)),
        "rules": (sites(facility_types=["cold_store"], at_least=1),),
    },
    "reach without money": {"budget_inr_crore": 7.0, "rules": (access(5, 0.9),)},
    "reach by one kind alone": {
        "forbidden": tuple(f"cold_store@{D}{d}" for d in (1, 2)),
        "rules": (access(5, 1.0, facility_types=["cold_store"]),),
    },
    "reach where little may be spent": {
        "rules": (access(5, 1.0, states=[WEST]), capital(WEST, at_most_inr_crore=5.0))
    },
    "saving with no sites": {"rules": (saving(0.02), sites(at_most=0))},
    "saving without money": {"budget_inr_crore": 10.0, "rules": (saving(0.05),)},
    "saving of a state that may have no sites": {
        "forbidden": tuple(f"{D}{d}" for d in (3, 4, 5, 10, 11)), "rules": (saving(0.09, states=[EAST]),)
    },
    "carbon without money": {"budget_inr_crore": 10.0, "rules": (carbon(0.8),)},
    "carbon and few sites": {"rules": (carbon(0.8), sites(at_most=1))},
    "customs at a forced site": {"parameters": {}, "forced": (f"{SMALL}1",)},
    "customs at many forced sites": {
        "parameters": {"freight_station_min_teu_per_year": 600, "inland_depot_min_teu_per_year": 0},
        "forced": tuple(f"{SMALL}{d}" for d in (1, 2, 4, 5)),
    },
    "customs and a floor of sites": {
        "parameters": {}, "rules": (sites(facility_types=["warehouse"], at_least=2),), "budget_inr_crore": 200.0,
    },
    "customs, reach and money": {
        "parameters": {"freight_station_min_teu_per_year": 900, "inland_depot_min_teu_per_year": 7200},
        "budget_inr_crore": 100.0, "rules": (access(5, 1.0),),
    },
    "three things at once": {
        "budget_inr_crore": 25.0, "forced": (f"{SMALL}5",),
        "rules": (sites(facility_types=["cold_store"], at_least=1), capital(WEST, at_least_inr_crore=14.0)),
    },
    "nothing may be built and all must be reached": {
        "budget_inr_crore": 0.0, "forbidden": (f"{D}1",), "rules": (access(5, 1.0), sites(at_least=1)),
    },
}  # fmt: skip
WHOLE = {
    "no sum of capital between": {"rules": (capital(WEST, at_least_inr_crore=8.0, at_most_inr_crore=12.0),)},
    "no sum of warehouses between": {
        "facility_types": ("warehouse",), "rules": (capital(WEST, at_least_inr_crore=22.0, at_most_inr_crore=27.0),)
    },
    "no two sites of so much": {
        "rules": (sites(at_least=2, at_most=2), capital(EAST, at_least_inr_crore=15.0, at_most_inr_crore=19.0),
                  sites(states=[WEST], at_most=0))
    },
    "a budget that is never quite spent": {"rules": (capital(EAST, at_least_inr_crore=59.9),)},
    "budget and capital in two states": {
        "budget_inr_crore": 30.0,
        "rules": (capital(WEST, at_least_inr_crore=8.0), capital(EAST, at_least_inr_crore=15.0)),
    },
    "one site too few for carbon": {"rules": (carbon(0.8472), sites(at_most=2))},
    "half a warehouse of money for carbon": {"budget_inr_crore": 20.0, "rules": (carbon(0.86),)},
    "half a site for saving": {"rules": (saving(0.027, states=[EAST]), sites(at_most=1))},
    "half a site's money for saving": {"budget_inr_crore": 25.0, "rules": (saving(0.027),)},
    "reach by halves": {"budget_inr_crore": 10.0, "rules": (access(8, 0.82),)},
    "reach by parts of the money": {"budget_inr_crore": 13.0, "rules": (access(5, 0.5, of="exports"),)},
    "a forced site and the rest of the budget": {
        "budget_inr_crore": 25.0, "forced": (f"{SMALL}5",), "rules": (capital(WEST, at_least_inr_crore=15.0),)
    },
}  # fmt: skip
STUDIES = CONFLICTS | WHOLE


@pytest.fixture(scope="module")
def base(tiny_study, tiny_layers, tmp_path_factory):
    """The tiny pack in two states, where capital costs nothing within the budget."""
    folder = tmp_path_factory.mktemp("two")
    layers = dict(tiny_layers)
    districts = gpd.read_parquet(layers["districts"])
    districts.loc[districts["lon"] > 79, "state"] = EAST
    exports = pd.read_csv(layers["exports"])
    exports["state"] = exports["district_id"].map(districts.set_index("district_id")["state"])
    states = districts.dissolve("state").reset_index()[["state", "geometry"]].assign(state_hi=None)
    for name, table in (("districts", districts), ("states", states)):
        layers[name] = folder / f"{name}.parquet"
        table.to_parquet(layers[name])
    layers["exports"] = folder / "exports.csv"
    exports.to_csv(layers["exports"], index=False)
    return tiny_study.with_changes(data=layers, capital_charge=False, gap=0.5)


@pytest.fixture(scope="module")
def model_of(base):
    """The model of a study; those that differ in their limits share it."""
    known = {}

    def model(study):
        free = study.with_changes(budget_inr_crore=60.0, forced=(), forbidden=(), rules=())
        key = (tuple(sorted(free.parameters.items())), free.facility_types)
        if key not in known:
            known[key] = build_model(free)
        return known[key]

    return model


def problem_of(study, model, capacity=True, sizes=True):
    """The problem of a study; None where what it forces contradicts itself."""
    rules = with_rules(replace(model, study=study.with_changes(forced=(), forbidden=()))).problem
    try:
        return rules.with_changes(
            budget=study.budget_inr_crore,
            forced_open=select_options(model.options, study.forced, "forced"),
            forbidden=select_options(model.options, study.forbidden, "forbidden"),
            capacity=rules.capacity if capacity else None,
            group=rules.group if sizes else None,
        )
    except ProblemError:
        return None


def fits(study, model, **given):
    problem = problem_of(study, model, **given)
    if problem is None:
        return False
    status = solve(problem, gap=0.5).status
    assert status != "unknown"
    return status != "infeasible"


def relaxation_has_a_plan(p):
    """Whether shares of sites would do, (9) aside: (2) to (8) and (16) to (19) by a linear program over x, y and z."""
    m, n = p.n_lanes, p.n_options
    uses = np.array([[j in ends for j in range(n)] for ends in p.lane_options.tolist()], dtype=float).reshape(m, n)
    owner = np.eye(p.n_clients)[p.lane_client]
    points = sum(each.n_points for each in p.coverage)
    x, y, z = np.split(np.eye(m + n + points), [m, m + n])
    load = (uses * p.demand[p.lane_client][:, None]).T @ x
    above = [*(owner.T @ x)]
    limits = [1.0] * p.n_clients
    for i in range(p.n_clients):
        for j in np.flatnonzero(uses[p.lane_client == i].any(axis=0)):
            above.append((owner[:, i] * uses[:, j]) @ x - y[j])
            limits.append(0.0)
    room = np.where(np.isfinite(p.capacity), p.capacity, p.demand.sum() * 2)
    above += [*(load - room[:, None] * y), *(p.min_throughput[:, None] * y - load)]
    limits += [0.0] * (2 * n)
    for rules, columns in ((p.rows, y), (p.over_lanes, x)):
        for a, low, high in zip(rules.coefficients.toarray(), rules.lower, rules.upper, strict=True):
            above += [a @ columns] * int(np.isfinite(high)) + [-a @ columns] * int(np.isfinite(low))
            limits += [high] * int(np.isfinite(high)) + [-low] * int(np.isfinite(low))
    first = 0
    for each in p.coverage:
        own = z[first : first + each.n_points]
        first += each.n_points
        above += [*(own - each.reach.toarray() @ y), -each.weight @ own]
        limits += [0.0] * each.n_points + [-each.least]
    low, high = np.zeros(m + n + points), np.ones(m + n + points)
    low[m + p.forced_open], high[m + p.forbidden] = 1.0, 0.0
    found = linprog(np.zeros(len(low)), A_ub=np.array(above), b_ub=limits, bounds=np.column_stack([low, high]))
    assert found.status in (0, 2)
    return found.status == 0


def called(model, names):
    """Ids of options by what people call them."""
    table, places = model.options, model.places.table.iloc[model.options["place"]]
    words = table["tier"] + " " + table["facility_type"].str.replace("_", " ")
    at = places["name"].to_numpy() + ", " + places["state"].to_numpy()
    known = dict(zip(words + " at " + at, table["option_id"], strict=True))
    return [known[name] for name in names]


ENDLESS = 1e6


def ask_only(study, model, causes):
    """The study that asks for some causes and nothing else, and what is given there."""
    asked = {"budget_inr_crore": ENDLESS, "forced": (), "forbidden": (), "rules": ()}
    minimums = {key: 0.0 for key in model.parameters if key.endswith("_min_teu_per_year")}
    given = {"capacity": False, "sizes": False}
    for cause in causes:
        if cause.key in given:
            given[cause.key] = True
        elif cause.key == "rules":
            rule = next(dict(r) for r, named in zip(study.rules, rules_of(study.rules), strict=True)
                        if named.name == cause.rule)  # fmt: skip
            side = "at_least" if cause.text.split(": ")[1].startswith("at least") else "at_most"
            kept = {k: v for k, v in rule.items() if not k.startswith("at_") or k.startswith(side)}
            if cause.names:
                kept.pop("except_states", None)
                kept["states"] = list(cause.names)
            asked["rules"] += ({**kept, "name": f"{cause.rule} {side}"},)
        elif cause.key in ("forced", "forbidden"):
            asked[cause.key] += tuple(called(model, cause.names)) or getattr(study, cause.key)
        elif cause.key in minimums:
            minimums[cause.key] = model.parameters[cause.key]
        else:
            asked[cause.key] = getattr(study, cause.key)
    return study.with_changes(**asked, parameters={**study.parameters, **minimums}), given


def fewer(causes):
    """The causes without one, or without one of the sites or states of one."""
    for k, cause in enumerate(causes):
        rest = causes[:k] + causes[k + 1 :]
        if len(cause.names) < 2:
            yield rest
        else:
            for name in cause.names:
                yield [*rest, replace(cause, names=tuple(other for other in cause.names if other != name))]


def tighter(study, model, way):
    """The study after a way out, but for one step less of one of its changes, or without that change."""
    for step in way.steps:
        for name in called(model, step.names):
            changed = dict(way.changes)
            changed[step.key] = (*way.changes[step.key], name)
            yield study.with_changes(**changed)
        if step.names:
            continue
        least = STEPS[step.unit]
        toward = min(least, abs(step.then - step.now)) * (1 if step.now > step.then else -1)
        for value in dict.fromkeys((step.now, round(step.then + toward, 6))):
            yield study.with_changes(**{**way.changes, **_with_value(study, way, step, value)})


def _with_value(study, way, step, value):
    if step.key == "budget_inr_crore":
        return {step.key: value}
    if step.key != "rules":
        return {"parameters": {**way.changes["parameters"], step.key: value}}
    rules = [dict(rule) for rule in way.changes["rules"]]
    (k,) = [k for k, rule in enumerate(rules_of(study.rules)) if rule.name == step.rule]
    (key,) = [key for key in rules[k] if key.startswith("at_") and rules[k][key] != study.rules[k][key]]
    rules[k][key] = int(value) if step.unit == "sites" else value
    return {"rules": tuple(rules)}


@pytest.mark.parametrize("name", STUDIES)
def test_what_cannot_all_be_kept_cannot_and_can_without_any_one_part(name, base, model_of):
    study = base.with_changes(**STUDIES[name])
    why = why_nothing_fits(study, model_of(study))
    assert why.fits is False and why.minimal and why.causes
    alone, given = ask_only(study, model_of(study), list(why.causes))
    assert not fits(alone, model_of(alone), **given), why.as_fault()
    for rest in fewer(list(why.causes)):
        asked, given = ask_only(study, model_of(study), rest)
        assert fits(asked, model_of(asked), **given), [cause.text for cause in rest]


@pytest.mark.parametrize("name", STUDIES)
def test_each_change_is_enough_and_a_step_less_of_any_part_of_it_is_not(name, base, model_of):
    study = base.with_changes(**STUDIES[name])
    why = why_nothing_fits(study, model_of(study))
    assert why.ways and not why.undecided
    assert len({way.text for way in why.ways}) == len(why.ways)
    for way in why.ways:
        assert way.least
        mended = study.with_changes(**way.changes)
        assert fits(mended, model_of(mended)), way.text
        for short in tighter(study, model_of(study), way):
            assert not fits(short, model_of(short)), way.text


OF_CARGO = [
    name for name, asked in STUDIES.items()
    if {"carbon", "state_saving"} & {rule["rule"] for rule in asked.get("rules", ())}
]  # fmt: skip


@pytest.mark.parametrize("name", OF_CARGO)
def test_where_lanes_are_many_rules_over_them_are_looked_at_alone_first(name, base, model_of, monkeypatch):
    """What is told so is true too, what is enough is, and nothing less than the least is told to be."""
    study = base.with_changes(**STUDIES[name])
    usual = why_nothing_fits(study, model_of(study))
    monkeypatch.setattr(infeasible, "MANY_LANES", 0)
    why = why_nothing_fits(study, model_of(study))
    assert why.fits is False and why.causes
    if why == usual:
        return  # no rule is short alone
    assert all("no plan that keeps all else comes" in cause.text for cause in why.causes)
    short = {cause.rule for cause in why.causes}
    kept = [k for k, rule in enumerate(rules_of(study.rules)) if rule.name not in short]
    without = study.with_changes(rules=tuple(study.rules[k] for k in kept))
    assert fits(without, model_of(without)) or not why.minimal
    of_rule = {way.steps[0].rule: way.steps[0] for way in usual.ways if len(way.steps) == 1}
    for way in why.ways:
        mended = study.with_changes(**way.changes)
        assert fits(mended, model_of(mended)), way.text
        (step,) = way.steps
        far, least = abs(step.then - step.now), abs(of_rule[step.rule].then - step.now)
        assert far == pytest.approx(least) if way.least else far >= least


def test_some_rule_is_short_alone_and_what_plans_come_to_is_told_where_none_is(base, model_of, monkeypatch):
    monkeypatch.setattr(infeasible, "MANY_LANES", 0)
    study = base.with_changes(**CONFLICTS["no such carbon"])
    (cause,) = why_nothing_fits(study, model_of(study)).causes
    assert "at most 10.00 % of today's; no plan that keeps all else comes below" in cause.text
    one = base.with_changes(rules=(carbon(0.95),))
    assert why_nothing_fits(one, model_of(one)).fits is True
    slow = Explanation("unknown", {}, False, (), (), (), None)
    monkeypatch.setattr(infeasible, "explain", lambda *asked: slow)
    near = Alone(1, -1e-4, np.zeros(1, dtype=bool), 0.01)
    monkeypatch.setattr(infeasible, "rules_alone", lambda *asked: [near])
    why = why_nothing_fits(one, model_of(one))
    told = "rule 'CO2e': a plan that keeps all else has 96.00 % of today's, and it is not proven that none has 95.00 %"
    told += " of today's"
    assert why.fits is None and why.known == (told,)
    assert nothing_fits_lines(why)[1] == f"  {why.known[0]}" and why.known[0] in str(why.as_fault())


@pytest.mark.parametrize("name", WHOLE)
def test_some_fit_in_shares_of_sites_and_no_solver_of_linear_programs_would_tell(name, base, model_of):
    study = base.with_changes(**WHOLE[name])
    assert relaxation_has_a_plan(problem_of(study, model_of(study)))
    assert not fits(study, model_of(study))


def test_there_are_forty_and_ten_of_them_fit_but_for_whole_sites():
    assert len(STUDIES) >= 40 and len(WHOLE) >= 10


def test_why_tells_it_line_by_line_and_as_data(base, tmp_path, capsys):
    rules = (sites(facility_types=["cold_store"], at_least=3, name="Cold"), sites(at_most=2, name="Few"))
    path = tmp_path / "few.toml"
    path.write_text(study_text(base.with_changes(rules=rules), tmp_path))
    assert run_command(build_parser()[0], ["why", str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Tiny: these cannot all be kept",
        "  rule 'Cold': at least 3 sites",
        "  rule 'Few': at most 2 sites",
        "enough would be any one of these, the cheapest first",
        "  rule 'Cold': at least 2 sites instead of 3",
        "  rule 'Few': at most 3 sites instead of 2",
    ]
    assert run_command(build_parser()[0], ["run", str(path), "--json", "--out", str(tmp_path / "out")]) == 2
    told = json.loads(capsys.readouterr().out)
    assert [cause["rule"] for cause in told["causes"]] == ["Cold", "Few"]
    assert [way["changes"]["rules"][0]["at_least"] for way in told["ways"]] == [2, 3]
    path.write_text(study_text(base, tmp_path))
    assert run_command(build_parser()[0], ["why", str(path)]) == 0
    assert capsys.readouterr().out == "Tiny: something fits\n"


def test_the_reasons_travel_between_processes_and_name_the_file(base, model_of):
    study = base.with_changes(**CONFLICTS["forced over the budget"])
    error = explained(InfeasibleError(Fault("too dear", file=study.name)), study, model_of(study))
    again = pickle.loads(pickle.dumps(error))
    assert again.why == error.why and [str(fault) for fault in again.faults] == [str(fault) for fault in error.faults]
    with pytest.raises(InfeasibleError) as named, told_by_file(study, Path("my.toml")):
        raise error
    assert named.value.why == error.why and all(line.startswith("my.toml: ") for line in named.value.problems)

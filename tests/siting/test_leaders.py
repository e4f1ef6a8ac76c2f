"""Cargo of the leaders in what is built: it fills sites, is served as well as room allows, and counts in no figure."""

import numpy as np
import pytest
from scipy.optimize import linprog

from siting.model.model import InfeasibleError, build_model
from siting.money import indian
from siting.plan import make_plan
from siting.report.lines import plan_lines
from siting.report.page import render_report
from siting.results.geometry import flow_lines
from siting.results.tables import sites_table, summary


@pytest.fixture(scope="module")
def filled(tiny_study):
    """Few sites, all forced, so that the leaders have something to use."""
    return make_plan(build_model(tiny_study.with_changes(leaders_use_sites=True, capital_charge=False)))


def test_leaders_change_no_figure_where_no_site_needs_them(filled, free_plan):
    own, others = summary(filled), summary(free_plan)
    for key in ("objective_inr", "saving_inr_per_year", "capex_inr_crore", "before", "after", "benefit_cost_ratio"):
        assert own[key] == pytest.approx(others[key], rel=1e-9), key
    assert others["leaders_saving_inr_per_year"] == 0.0 and (sites_table(free_plan)["leaders_t_per_year"] == 0).all()


@pytest.fixture(scope="module")
def crowded(tiny_study):
    """Sites so small that leaders find others in them."""
    parameters = {**tiny_study.parameters, "stock_turns_per_year": 6}
    asked = tiny_study.with_changes(leaders_use_sites=True, capital_charge=False, parameters=parameters)
    return make_plan(build_model(asked))


@pytest.mark.parametrize("made", ["filled", "crowded"])
def test_leaders_go_where_it_is_best_for_them_within_the_room_that_is_left(made, request):
    """(102) as a linear program over the lanes of the open options, written out once more."""
    filled = request.getfixturevalue(made)
    model, problem, open_ = filled.model, filled.model.problem, filled.solution.open
    clients = model.clients.iloc[model.active].reset_index(drop=True)
    lane = problem.lane_client
    mine = (~clients["under_utilised"]).to_numpy()[lane]
    usable = mine & np.isin(problem.lane_options, [*open_, -1]).all(axis=1)
    t = problem.demand[lane]
    gain = (_today(model)[lane] - model.row_cost_inr_per_t) * t
    through = np.array([(problem.lane_options == j).any(axis=1) * t for j in open_])
    others = through[:, ~mine] @ filled.solution.lane_share[~mine]
    one = np.array([(lane == i) * 1.0 for i in range(problem.n_clients)])
    best = linprog(
        -gain[usable], A_ub=np.vstack([one, through])[:, usable],
        b_ub=np.concatenate([np.ones(problem.n_clients), problem.capacity[open_] - others]),
    )  # fmt: skip
    assert best.fun <= 0
    assert filled.leaders_saving_inr_per_year == pytest.approx(-best.fun, rel=1e-6)
    full = others >= problem.capacity[open_] * (1 - 1e-6)
    assert full.any() == (made == "crowded")
    leaders = sites_table(filled)["leaders_t_per_year"]
    assert (leaders.sum() > 0) == (best.fun < 0)
    assert made == "crowded" or leaders.sum() > 0
    assert (leaders <= sites_table(filled)["throughput_t_per_year"] + 1e-6).all()


def test_no_leader_pays_more_than_today(filled):
    table = filled.client_table[~filled.client_table["under_utilised"]].dropna(subset="cost_inr_per_t_before")
    assert len(table)
    assert (table["cost_inr_per_t_after"] <= table["cost_inr_per_t_before"] * (1 + 1e-12)).all()


def test_leaders_have_no_lane_that_costs_them_more_than_today(tiny_study):
    """Not even to fill a terminal: what it charges by the tonne is in what they pay."""
    dear = {
        **tiny_study.parameters,
        "cargo_terminal_public_share": 0.5,
        "take_or_pay_share": 0.25,
        "terminal_utilisation": 0.3,
        "cargo_terminal_capex_inr_crore": 110,
        "cargo_terminal_t_per_year": 630_000,
    }
    counting = build_model(tiny_study.with_changes(parameters=dear))
    lost = counting.row_cost_inr_per_t >= _today(counting)[counting.problem.lane_client]
    of_lost = counting.clients["district"].to_numpy()[counting.active][counting.problem.lane_client[lost]]
    named = tuple(counting.demand["district_id"].iloc[np.unique(of_lost)])
    assert 0 < len(named) < len(counting.demand)
    model = build_model(tiny_study.with_changes(leaders_use_sites=True, leaders=named, parameters=dear))
    mine = ~model.clients["under_utilised"].to_numpy()[model.active][model.problem.lane_client]
    assert mine.any()
    assert (model.row_cost_inr_per_t < _today(model)[model.problem.lane_client])[mine].all()


def _today(model):
    """(n_active,) what each client that takes part pays a tonne without any site."""
    return model.existing.cost_inr_per_t[np.searchsorted(model.existing.client, model.active)]


def test_a_site_that_others_cannot_fill_opens_with_the_leaders_cargo(tiny_study, filled):
    """Forced where others bring too few boxes it is refused; where leaders may use it, it comes to its minimum."""
    sites = sites_table(filled).query("facility_type == 'warehouse'").sort_values("leaders_t_per_year")
    site = sites.iloc[-1]
    others = site["throughput_t_per_year"] - site["leaders_t_per_year"]
    reach = _reachable_t(filled, site["option_id"], leaders=False)
    assert others <= reach < _reachable_t(filled, site["option_id"], leaders=True)
    teu = (reach + 0.5 * (_reachable_t(filled, site["option_id"], leaders=True) - reach)) / 14
    asked = tiny_study.with_changes(
        forced=(site["option_id"],), parameters={**tiny_study.parameters, "freight_station_min_teu_per_year": teu}
    )
    with pytest.raises(InfeasibleError, match="clients with a lane through it have"):
        make_plan(build_model(asked))
    plan = make_plan(build_model(asked.with_changes(leaders_use_sites=True)))
    row = sites_table(plan).set_index("option_id").loc[site["option_id"]]
    assert row["throughput_t_per_year"] >= teu * 14 * (1 - 1e-6)
    assert row["leaders_t_per_year"] > 0


def _reachable_t(plan, option_id, *, leaders):
    """Tonnes a year of clients with a lane through an option: of all, or of those that count."""
    model, problem = plan.model, plan.model.problem
    at = model.options["option_id"].tolist().index(option_id)
    who = np.unique(problem.lane_client[(problem.lane_options == at).any(axis=1)])
    counts = (model.clients["weight"].to_numpy()[model.active] > 0)[who]
    return problem.demand[who][counts | leaders].sum()


def test_report_and_summary_tell_what_leaders_bring_beside_all_other_figures(filled, free_plan):
    sites = sites_table(filled)
    told = {line.split("  ")[0]: line for line in plan_lines(summary(filled), sites)}
    tonnes = indian(sites["leaders_t_per_year"].sum())
    assert f"{tonnes} t a year of their cargo" in told["Leaders"]
    assert not any(line.startswith("Leaders") for line in plan_lines(summary(free_plan), sites_table(free_plan)))
    assert f"{tonnes} t a year\ndo" in render_report(filled, flow_lines(filled), None)
    assert "may go through what is built" not in render_report(free_plan, flow_lines(free_plan), None)

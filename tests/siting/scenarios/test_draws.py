"""How sure a plan is: joint draws of the uncertain parameters, and what a plan and its rivals come to in them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from geodata import interruption
from siting.certainty import Certainty, word_of
from siting.cli import build_parser, run_command
from siting.model.model import build_model
from siting.parameters import Parameters, load_parameters
from siting.plan import make_plan
from siting.report.lines import plan_lines
from siting.results.tables import sites_table, summary
from siting.run import Asked, Log, run_study
from siting.scenarios import draws as scenario
from siting.scenarios.draws import draw_parameters, evaluate_draws, uncertain
from siting.solver import solve

N = 20


@pytest.fixture(scope="module")
def table():
    return draw_parameters(load_parameters(), N, seed=7)


@pytest.fixture(scope="module")
def drawn(tiny_plan):
    return evaluate_draws(tiny_plan, 4)


def with_ranges(plan, collapse):
    """The plan of a study whose parameters have no range at all where ``collapse`` says so."""
    rows = {
        key: replace(row, low=row.value, high=row.value) if collapse(key) else row
        for key, row in plan.model.parameters.rows.items()
    }
    return replace(plan, model=replace(plan.model, parameters=Parameters(rows)))


def probability(row, value):
    """(30) the other way round."""
    if value < row.value:
        return 0.5 * (value - row.low) / (row.value - row.low)
    return 0.5 + 0.5 * (value - row.value) / (row.high - row.value)


def test_each_equal_part_of_a_parameters_probability_holds_one_draw(table):
    rows = load_parameters().rows
    two_sided = [key for key in table if rows[key].low < rows[key].value < rows[key].high]
    assert len(two_sided) > 30
    for key in two_sided:
        parts = [int(N * probability(rows[key], value)) for value in table[key]]
        assert sorted(parts) == list(range(N)), key


def test_half_of_the_draws_lie_on_either_side_of_the_value(table):
    row = load_parameters().rows["time_cost_general_per_day"]  # from 0.0002 over 0.00029 to 0.006
    assert (table["time_cost_general_per_day"] < row.value).sum() == N / 2


def test_parameters_move_independently(table):
    rank = table.rank()
    assert rank["rail_inr_per_t_km"].corr(rank["om_fraction_per_year"]) < 0.9
    assert not (rank["rail_inr_per_t_km"] == rank["om_fraction_per_year"]).all()


def test_equal_seeds_give_equal_draws_and_others_do_not(table):
    pd.testing.assert_frame_equal(draw_parameters(load_parameters(), N, seed=7), table)
    assert (draw_parameters(load_parameters(), N, seed=8) != table).to_numpy().any(axis=0).all()


def test_what_somebody_decides_is_held():
    keys = uncertain(load_parameters())
    assert {"credit_subsidy", "carbon_price_inr_per_t_co2e", "warehouse_small_m2", "mmlp_max_rail_km"}.isdisjoint(keys)
    assert {"discount_rate", "part_load_half_t_per_day", "warehouse_capex_inr_per_m2"} <= set(keys)


def test_what_the_study_sets_is_held():
    assert "discount_rate" not in uncertain(load_parameters().with_overrides({"discount_rate": 0.1}))


def test_a_parameter_without_a_range_never_moves():
    rows = load_parameters().rows
    still = {"discount_rate": replace(rows["discount_rate"], low=0.08, high=0.08)}
    assert (draw_parameters(Parameters({**rows, **still}), N, seed=1)["discount_rate"] == 0.08).all()


def test_without_ranges_every_draw_is_the_plan(tiny_plan):
    certainty = evaluate_draws(with_ranges(tiny_plan, lambda key: True), 2)
    assert certainty.table["saving_inr_per_year"].tolist() == pytest.approx([tiny_plan.net_saving_inr_per_year] * 2)
    assert certainty.table["own_saving_inr_per_year"].tolist() == pytest.approx([tiny_plan.net_saving_inr_per_year] * 2)
    assert certainty.table["own_benefit_cost_ratio"].tolist() == pytest.approx(
        [tiny_plan.appraisal.benefit_cost_ratio] * 2
    )
    assert len(tiny_plan.opened)
    assert (certainty.chosen_share(tiny_plan.opened["site_id"]) == 1.0).all()


def test_a_draw_is_the_study_with_its_values(tiny_plan, drawn):
    row = drawn.table.iloc[2]
    values = {key: float(row[key]) for key in uncertain(tiny_plan.model.parameters)}
    plan = make_plan(build_model(tiny_plan.model.study.with_changes(parameters=values)))
    assert row["saving_inr_per_year"] == pytest.approx(plan.net_saving_inr_per_year, rel=0.02)  # both within the gap
    assert len(set(drawn.table["own_saving_inr_per_year"])) == 4


def test_the_plans_own_sites_are_what_is_built_in_own_saving(tiny_plan, drawn):
    row = drawn.table.iloc[0]
    values = {key: float(row[key]) for key in uncertain(tiny_plan.model.parameters)}
    model = build_model(tiny_plan.model.study.with_changes(parameters=values, budget_inr_crore=1e6))
    opened = tiny_plan.solution.open
    closed = np.setdiff1d(np.arange(model.problem.n_options), opened)
    own = make_plan(model, solution=solve(model.problem.with_changes(forced_open=opened, forbidden=closed)))
    assert set(own.opened["option_id"]) == set(tiny_plan.opened["option_id"])
    assert row["own_saving_inr_per_year"] == pytest.approx(own.net_saving_inr_per_year)
    assert row["own_benefit_cost_ratio"] == pytest.approx(own.appraisal.benefit_cost_ratio)


def test_the_plans_own_sites_come_to_the_same_where_no_others_are_chosen(tiny_plan, drawn):
    """Lanes through other sites are not even searched for: what is not asked takes no time, and changes nothing."""
    alone = evaluate_draws(tiny_plan, 4, anew=False)
    own = ["own_saving_inr_per_year", "own_benefit_cost_ratio", "repaying", *uncertain(tiny_plan.model.parameters)]
    pd.testing.assert_frame_equal(alone.table[own], drawn.table[own])
    assert alone.table[["saving_inr_per_year", "capex_inr_crore", "sites"]].isna().all(axis=None)
    assert alone.chosen_share(tiny_plan.opened["site_id"]).isna().all()
    assert alone.summary()["saving"] is None and alone.summary()["own_saving"] == drawn.summary()["own_saving"]


def test_a_site_repays_in_the_draws_in_which_it_recovers_its_own_capital(tiny_plan):
    """Without ranges every draw is the plan, all of whose sites do; at a rate of 60 % a year none does."""
    still = with_ranges(tiny_plan, lambda key: True)
    ids = tiny_plan.opened["option_id"]
    assert len(ids) and (evaluate_draws(still, 2, anew=False).repays_share(ids) == 1.0).all()
    dear = {"discount_rate": replace(still.model.parameters.rows["discount_rate"], value=0.6, low=0.6, high=0.6)}
    parameters = Parameters({**still.model.parameters.rows, **dear}, still.model.parameters.overrides)
    lost = replace(still, model=replace(still.model, parameters=parameters))
    assert (evaluate_draws(lost, 2, anew=False).repays_share(ids) == 0.0).all()


def test_a_run_holds_its_sites_against_as_many_draws_as_the_study_says(tiny_study, tmp_path):
    plan = run_study(tiny_study.with_changes(draws=2), tmp_path / "out", Log(True, 8), asked=Asked())
    assert len(pd.read_csv(tmp_path / "out" / "draws.csv")) == 2
    sites = pd.read_csv(tmp_path / "out" / "sites.csv")
    assert sites["repays_share"].between(0, 1).all() and sites["chosen_share"].isna().all()
    (line,) = [line for line in plan_lines(summary(plan), sites_table(plan)) if line.startswith("How sure")]
    assert "--draws 200 chooses anew" in line
    assert "which are core" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_the_search_in_a_draw_begins_where_the_plan_ended(tiny_plan):
    """Multipliers are what clients are worth: where all cost twice as much today, twice as much."""
    question = scenario._Question(tiny_plan.model, tiny_plan.solution)
    problem = tiny_plan.model.problem
    doubled = replace(tiny_plan.model, problem=problem.with_changes(unserved_cost=2 * problem.unserved_cost))
    moved = scenario._carried_over(question, doubled)
    np.testing.assert_allclose(moved.multipliers, 2 * tiny_plan.solution.multipliers)
    assert moved.open.tolist() == tiny_plan.solution.open.tolist()


def test_a_client_that_gets_another_shipper_in_a_draw_gives_it_the_mean_of_its_others(tiny_plan):
    model, solution = tiny_plan.model, tiny_plan.solution
    row = model.active[0]
    grown = SimpleNamespace(
        clients=pd.concat([model.clients, model.clients.iloc[[row]]], ignore_index=True),
        active=np.append(model.active, len(model.clients)),
        problem=SimpleNamespace(unserved_cost=np.append(model.problem.unserved_cost, 7.0)),
    )
    moved = scenario._carried_over(scenario._Question(model, solution), grown)
    np.testing.assert_allclose(moved.multipliers[:-1], solution.multipliers)
    assert moved.multipliers[-1] == pytest.approx(7.0 * solution.multipliers[0] / model.problem.unserved_cost[0])


def test_a_forced_site_is_core(tiny_model):
    plan = make_plan(tiny_model, budget_inr_crore=1e4, forced=("mmlp-small@mmlp-east",))
    share = evaluate_draws(plan, 3).chosen_share(plan.opened["site_id"])
    site = plan.opened["site_id"] == "mmlp@mmlp-east"
    assert [word_of(value) for value in share[site]] == ["core"]


def test_shares_count_a_site_in_whatever_size():
    table = pd.DataFrame({"sites": ["warehouse-small@a;mmlp-large@b", "warehouse-large@a", "", "warehouse-small@a"]})
    sites = pd.Series(["warehouse@a", "mmlp@b", "cold_store@a"])
    assert Certainty(table).chosen_share(sites).tolist() == [0.75, 0.25, 0.0]


@pytest.mark.parametrize(("share", "word"), [(1.0, "core"), (0.9, "core"), (0.89, ""), (0.1, ""), (0.09, "doubtful")])
def test_a_share_of_draws_makes_a_site_core_or_doubtful(share, word):
    assert word_of(share) == word


def test_the_summary_has_the_spread_and_how_often_the_plan_repays():
    saving = np.arange(1.0, 102.0)
    table = pd.DataFrame({
        "saving_inr_per_year": saving + 1, "own_saving_inr_per_year": saving,
        "own_benefit_cost_ratio": np.where(saving > 25, 1.5, 0.5), "sites": "",
    })  # fmt: skip
    told = Certainty(table).summary()
    assert told["n"] == 101
    assert list(told["own_saving"].values()) == pytest.approx([6.0, 51.0, 96.0])
    assert list(told["saving"].values()) == pytest.approx([7.0, 52.0, 97.0])
    assert told["repaying_share"] == pytest.approx(76 / 101)


def test_without_sites_no_share_repays(tiny_model):
    certainty = evaluate_draws(make_plan(tiny_model, budget_inr_crore=0.0), 2)
    assert certainty.summary()["repaying_share"] is None
    assert (certainty.table["own_saving_inr_per_year"] == 0).all()


@pytest.mark.slow
def test_processes_find_what_one_finds(tiny_plan, drawn):
    pd.testing.assert_frame_equal(evaluate_draws(tiny_plan, 4, workers=2).table, drawn.table)


def test_a_result_with_draws_tells_them(tiny_study, tmp_path):
    plan = run_study(tiny_study, tmp_path / "out", Log(True, 8), asked=Asked(2))
    table = pd.read_csv(tmp_path / "out" / "draws.csv")
    assert table["draw"].tolist() == [1, 2]
    assert set(uncertain(plan.model.parameters)) <= set(table)
    assert pd.read_csv(tmp_path / "out" / "sites.csv")["chosen_share"].between(0, 1).all()
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "joint draws all uncertain parameters move at once" in " ".join(text.split()).replace("\u00a0", " ")


def test_a_stop_during_the_draws_writes_nothing(tiny_study, tmp_path, monkeypatch):
    monkeypatch.setattr(interruption._State, "received", None)
    log = Log(True, 8)

    def stop(done):
        interruption._State.received = 15

    monkeypatch.setattr(log, "counted", lambda what, of: stop)
    with pytest.raises(KeyboardInterrupt):
        run_study(tiny_study, tmp_path / "out", log, asked=Asked(3))
    assert not list(tmp_path.iterdir())

    interruption._State.received = None
    plan = run_study(tiny_study, tmp_path / "out", log, keep_best=True, asked=Asked(3))
    assert plan.certainty is None
    assert (tmp_path / "out" / "plan.json").is_file()
    assert not (tmp_path / "out" / "draws.csv").exists()
    assert log.notes == ["stopped before all that was asked beside the plan was done; it was written alone"]


def test_a_plan_with_draws_says_so_in_one_line(tiny_plan, drawn):
    plan = replace(tiny_plan, certainty=drawn)
    (line,) = [line for line in plan_lines(summary(plan), sites_table(plan)) if line.startswith("How sure")]
    repaying = f"{100 * drawn.repaying_share:.0f} %"
    assert "in 90 % of 4 draws the plan saves" in line
    assert f"repays in {repaying} of all" in line
    assert not any(line.startswith("How sure") for line in plan_lines(summary(tiny_plan), sites_table(tiny_plan)))


@pytest.mark.parametrize("given", ["-1", "many", "1.5", "99999999"])
def test_a_number_of_draws_that_is_none_is_refused(given, capsys):
    with pytest.raises(SystemExit) as stop:
        run_command(build_parser()[0], ["run", "study.toml", f"--draws={given}"])
    assert stop.value.code == 2
    assert given in capsys.readouterr().err

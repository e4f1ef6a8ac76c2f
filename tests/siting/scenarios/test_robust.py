"""Plans of a study held against draws and named futures: regrets, the best on average, and what is core."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geodata.errors import InputError
from siting.cli import build_parser, run_command
from siting.model.model import repriced
from siting.plan import make_plan
from siting.results.read import read_table
from siting.results.schema import columns
from siting.scenarios.batch import batch_of
from siting.scenarios.draws import draw_parameters
from siting.scenarios.robust import drawn_futures, named_futures, robust_plans, verdict_of, write_robust
from siting.scenarios.variants import Variant

DRAWS = 4
CLOSE_INR = 1.0


@pytest.fixture(scope="module")
def plans(tiny_study):
    return robust_plans(drawn_futures(tiny_study.with_changes(gap=1e-9), DRAWS))


def test_the_plan_of_least_regret_has_the_least_of_its_table_and_no_bound_is_beyond_what_is_found(plans):
    """(82)"""
    table = plans.regret_table()
    worst = table.groupby("plan")["regret_inr_per_year"].max()
    told = plans.summary()["least_regret"]
    assert worst[told["plan"]] == worst.min() == pytest.approx(told["regret_inr_per_year"])
    assert 0 <= told["regret_at_least_inr_per_year"] <= told["regret_inr_per_year"]
    assert (table["regret_inr_per_year"] >= 0).all()
    assert (table["regret_at_most_inr_per_year"] >= table["regret_inr_per_year"] - CLOSE_INR).all()


def test_knowing_the_future_is_worth_what_the_optima_have_beyond_the_best_on_average(plans):
    """(83)"""
    table, told = plans.regret_table(), plans.summary()
    optima = table.groupby("future")["benefit_inr_per_year"].max().mean()
    best = table.groupby("plan")["benefit_inr_per_year"].mean().max()
    assert told["best_on_average"]["benefit_inr_per_year"] == pytest.approx(best, abs=CLOSE_INR)
    assert told["perfect_information"]["low_inr_per_year"] >= 0
    assert told["perfect_information"]["high_inr_per_year"] >= optima - best - CLOSE_INR


def test_a_plan_has_in_a_draw_the_benefit_that_a_solve_of_that_draw_says(plans, tiny_model):
    """(80), by the model of the draw with the plan's options forced open and all others closed."""
    draws = draw_parameters(tiny_model.parameters, DRAWS, tiny_model.study.seed).to_dict("records")
    table = plans.regret_table().set_index(["plan", "future"])["benefit_inr_per_year"]
    ids = tiny_model.options["option_id"]
    assert len(plans.plan_table()) > 1
    for row in plans.plan_table().head(3).to_dict("records"):
        opened = tuple(name for name in row["option_ids"].split(";") if name)
        for k, draw in enumerate(draws):
            model = repriced(tiny_model, draw)
            free = replace(model, problem=model.problem.with_changes(capex=tiny_model.problem.capex))
            closed = tuple(sorted(set(ids) - set(opened)))
            plan = make_plan(free, forced=opened, forbidden=closed, gap=1e-9)
            benefit = model.problem.unserved_cost.sum() - plan.solution.objective
            assert table[row["plan"], f"draw {k + 1}"] == pytest.approx(benefit, abs=CLOSE_INR)


def test_a_site_is_core_where_the_best_plan_of_every_future_builds_it(plans):
    table = plans.site_table()
    best = [set(np.array(plans.futures.model.options["site_id"])[each.open]) for each in plans.found.optimum]
    shares = {site: sum(site in sites for sites in best) / DRAWS for site in table["site_id"]}
    assert dict(zip(table["site_id"], table["share_of_futures"], strict=True)) == shares
    assert set().union(*best) <= set(shares)
    assert (table["verdict"] == [verdict_of(share) for share in table["share_of_futures"]]).all()


def test_plans_keep_the_budget_at_the_prices_of_the_study_in_every_draw(plans):
    assert (plans.plan_table()["capex_inr_crore"] <= plans.futures.model.study.budget_inr_crore + 1e-6).all()


def test_the_scenarios_of_a_file_are_futures_unless_they_decide_something(tiny_study):
    slow = Variant("slow ports", parameters={"port_congestion_delay": 0.18})
    batch = batch_of(tiny_study, [Variant("as it is"), slow], "file")
    plans = robust_plans(named_futures(batch))
    assert plans.futures.names == ("as it is", "slow ports")
    alone = make_plan(plans.futures.model)
    assert plans.found.optimum[0].value == pytest.approx(alone.solution.objective)
    with pytest.raises(InputError, match="'rich' decides budget_inr_crore otherwise"):
        named_futures(batch_of(tiny_study, [Variant("rich", {"budget_inr_crore": 900.0})], "file"))


def test_the_tables_have_the_columns_of_the_schema(plans, tmp_path):
    write_robust(plans, tmp_path / "out")
    for table in ("regret", "robust_plans", "robust_sites"):
        assert list(pd.read_csv(tmp_path / "out" / f"{table}.csv")) == list(columns(table))
        read_table(tmp_path / "out" / f"{table}.csv")
    written = json.loads((tmp_path / "out" / "robust.json").read_text())
    keys = [(name, *(f"{name}.{key}" for key in value)) if isinstance(value, dict) else (name,)
            for name, value in written.items()]  # fmt: skip
    assert [key for group in keys for key in group] == list(columns("robust.json"))


def siting(*argv: object) -> int:
    parser, _ = build_parser()
    return run_command(parser, [str(a) for a in argv])


@pytest.fixture
def study_file(tmp_path, tiny_layers):
    data = "\n".join(f'{name} = "{path}"' for name, path in tiny_layers.items())
    minimums = "freight_station_min_teu_per_year = 0\ninland_depot_min_teu_per_year = 0"
    file = tmp_path / "tiny.toml"
    file.write_text(f'[study]\nname = "Tiny"\nbudget_inr_crore = 60\n[parameters]\n{minimums}\n[data]\n{data}\n')
    return file


def test_the_command_tells_and_writes_what_is_proven(study_file, capsys):
    out = study_file.parent / "robust"
    assert siting("robust", study_file, "--draws", 2, "--quiet", "--out", out) == 0
    text = capsys.readouterr().out
    assert "Least regret: plan 1" in text
    assert "To know which future comes is worth" in text
    assert len(text.splitlines()) <= 40
    assert {"regret.csv", "robust_plans.csv", "robust_sites.csv", "robust.json"} <= {p.name for p in out.iterdir()}
    batch = study_file.parent / "futures.toml"
    batch.write_text('study = "tiny.toml"\n[scenario.now]\n[scenario.congested]\n'
                     "parameters = { port_congestion_delay = 0.18 }\n")  # fmt: skip
    assert siting("robust", batch, "--json", "--out", out) == 0
    assert json.loads(capsys.readouterr().out)["futures"] == ["now", "congested"]


@pytest.mark.parametrize(
    ("argv", "said"),
    [(("--draws", "0"), "no draws are no futures"), (("--gap", "-1"), "gap"), (("--set", "nothing=1"), "nothing")],
)
def test_a_wrong_argument_is_told_in_one_line_and_nothing_is_written(study_file, capsys, argv, said):
    out = study_file.parent / "robust"
    assert siting("robust", study_file, *argv, "--out", out) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()

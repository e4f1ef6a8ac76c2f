"""Plans near the best of a study: each within its margin, no more different than is proven, and told on a screen."""

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from siting.cli import build_parser, run_command
from siting.plan import make_plan
from siting.report.alternatives import alternatives_lines
from siting.results.read import read_table
from siting.results.schema import columns
from siting.scenarios.alternatives import alternatives, write_alternatives
from siting.solver import solve

CLOSE_INR = 1.0
WITHIN = 0.4  # of a small study's saving, so that some sites may change


@pytest.fixture(scope="module")
def plan(tiny_model):
    """The tiny study with few enough options left to try every set of them."""
    places = {"warehouse@madhya-pradesh/d7", "cold_store@madhya-pradesh/d0"}
    kept = set(make_plan(tiny_model).opened["site_id"]) | places
    others = tuple(sorted(set(tiny_model.options["site_id"]) - kept))
    return make_plan(replace(tiny_model, study=tiny_model.study.with_changes(gap=1e-9, forbidden=others)))


@pytest.fixture(scope="module")
def found(plan):
    return alternatives(plan, WITHIN)


@pytest.fixture(scope="module")
def near(plan, found):
    """Sites of every set of options that keeps the limits within the margin, with what it costs more."""
    problem, site_id = plan.model.problem, plan.model.options["site_id"].to_numpy(object)
    free = np.setdiff1d(np.arange(problem.n_options), problem.forbidden)
    assert len(free) <= 12
    sets = []
    for size in range(len(free) + 1):
        for chosen in combinations(free.tolist(), size):
            if len(set(problem.group[list(chosen)])) < size or problem.capex[list(chosen)].sum() > problem.budget:
                continue
            closed = np.setdiff1d(np.arange(problem.n_options), chosen)
            cost = solve(problem.with_changes(forced_open=np.array(chosen, int), forbidden=closed), gap=0.0).objective
            if cost <= found.best.objective + found.margin_inr_per_year:
                sets.append((frozenset(site_id[list(chosen)]), cost - found.best.objective))
    return sets


def test_as_many_sites_change_as_in_some_set_within_the_margin_and_no_more(plan, found, near):
    """(84), by enumeration."""
    mine = set(plan.opened["site_id"])
    given_up, changed = max(len(mine - sites) for sites, _ in near), max(len(mine ^ sites) for sites, _ in near)
    assert changed > 0
    told = found.summary()
    assert told["given_up"] == {"found": given_up, "at_most": given_up}
    assert told["changed"] == {"found": changed, "at_most": changed}
    assert found.proven


def test_the_best_plan_without_or_with_a_site_is_within_the_margin_where_some_set_is(plan, found, near):
    assert found.site_table()["in_plan"].sum() == plan.opened["site_id"].nunique()
    for row in found.site_table().to_dict("records"):
        more = [cost for sites, cost in near if (row["site_id"] in sites) != row["in_plan"]]
        assert row["within"] == ("yes" if more else "no")
        if more:
            assert row["more_high_inr_per_year"] == pytest.approx(min(more), abs=CLOSE_INR)


def test_no_set_within_the_margin_has_a_site_that_is_said_to_be_in_none(plan, found, near):
    others = set().union(*(sites for sites, _ in near)) - set(plan.opened["site_id"])
    assert found.unsettled >= len(others)


def test_near_plans_cost_what_is_told_and_come_in_order(found, near):
    table = found.plan_table()
    assert table["changed"].is_monotonic_decreasing
    assert (table["more_inr_per_year"] <= found.margin_inr_per_year + CLOSE_INR).all()
    assert table["changed"].iat[0] == found.changed.most


def test_the_tables_have_the_columns_of_the_schema(found, tmp_path):
    write_alternatives(found, tmp_path / "out")
    for table in ("alternatives", "near_plans"):
        assert list(pd.read_csv(tmp_path / "out" / f"{table}.csv")) == list(columns(table))
        read_table(tmp_path / "out" / f"{table}.csv")
    written = json.loads((tmp_path / "out" / "alternatives.json").read_text())
    keys = [(name, *(f"{name}.{key}" for key in value)) if isinstance(value, dict) else (name,)
            for name, value in written.items()]  # fmt: skip
    assert [key for group in keys for key in group] == list(columns("alternatives.json"))


def test_what_is_told_fits_a_screen_and_says_what_is_proven(found):
    lines = alternatives_lines(found.summary(), found.plan_table(), found.site_table())
    text = "\n".join(lines)
    assert len(text.splitlines()) <= 40
    assert "(proven) of its sites" in text
    open_ = {**found.summary(), "changed": {"found": 2, "at_most": 5}}
    assert "2, provably at most 5, sites" in "\n".join(
        alternatives_lines(open_, found.plan_table(), found.site_table())
    )


def siting(*argv: object) -> int:
    parser, _ = build_parser()
    return run_command(parser, [str(a) for a in argv])


def test_the_command_asks_a_result(tmp_path, tiny_layers, capsys, monkeypatch):
    monkeypatch.setattr("siting.run.write_report", lambda *_: None)
    data = "\n".join(f'{name} = "{path}"' for name, path in tiny_layers.items())
    minimums = "freight_station_min_teu_per_year = 0\ninland_depot_min_teu_per_year = 0"
    file = tmp_path / "tiny.toml"
    file.write_text(f'[study]\nname = "Tiny"\ndraws = 0\n[parameters]\n{minimums}\n[data]\n{data}\n')
    assert siting("run", file, "--quiet", "--out", tmp_path / "plan") == 0
    capsys.readouterr()
    asked = ("alternatives", tmp_path / "plan", "--study", file, "--within", "5%", "--others", 1)
    assert siting(*asked, "--out", tmp_path / "near") in (0, 1)
    assert "Plans that cost at most" in capsys.readouterr().out
    assert (tmp_path / "near" / "near_plans.csv").is_file()
    with pytest.raises(SystemExit, match="2"):
        siting("alternatives", tmp_path / "plan", "--within", "more")
    assert "is no share" in capsys.readouterr().err

"""What moves the saving most, with sites chosen anew at both ends of its range."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from siting.model.model import build_model
from siting.plan import Plan, make_plan
from siting.report.parameters import depends_on
from siting.results.read import read_table
from siting.run import Asked, Log, run_study
from siting.scenarios import tornado
from siting.scenarios.sensitivity import sensitivity
from siting.scenarios.tornado import movers_of, tornado_table
from siting.study import Study


@pytest.fixture(scope="module", autouse=True)
def few() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tornado, "MOVERS", 2)
        yield


@pytest.fixture(scope="module")
def table(tiny_plan: Plan) -> pd.DataFrame:
    return tornado_table(tiny_plan, movers_of(tiny_plan))


def test_those_that_move_the_saving_most_are_solved_at_both_ends(tiny_plan: Plan, table: pd.DataFrame) -> None:
    top = sensitivity(tiny_plan).head(2)
    assert table["key"].tolist() == [key for key in top["key"] for _ in range(2)]
    assert table["end"].tolist() == ["low", "high"] * 2
    assert table["value"].tolist() == top[["low", "high"]].to_numpy().ravel().tolist()
    assert (table["status"] == "optimal").all()


def test_sites_are_chosen_anew(tiny_study: Study, table: pd.DataFrame) -> None:
    row = table.iloc[0]
    alone = make_plan(
        build_model(tiny_study.with_changes(parameters={**tiny_study.parameters, row["key"]: row["value"]}))
    )
    assert row["saving_inr_per_year"] == pytest.approx(alone.net_saving_inr_per_year, rel=1e-6)
    assert row["sites"] == len(alone.opened)


def test_the_report_shows_them_beside_the_plans_own_sites(tiny_plan: Plan, table: pd.DataFrame) -> None:
    depends = sensitivity(tiny_plan)
    own, anew = depends_on(depends, 1e7), depends_on(depends, 1e7, table)
    assert own is not None and anew is not None
    assert own["chart"].count("<circle") == 0 and not own["anew"]
    assert anew["chart"].count("<circle") == 4 and anew["anew"]
    assert anew["rows"][0]["anew_high"] == table["saving_inr_per_year"].iloc[1]


def test_a_run_writes_them_where_they_are_asked_for(tiny_study: Study, tmp_path: Path) -> None:
    plan = run_study(tiny_study, tmp_path / "out", Log(True, 8), asked=Asked(tornado=True))
    written = read_table(tmp_path / "out" / "tornado.csv")
    assert written["key"].tolist() == [key for mover in movers_of(plan) for key in mover.parameters]
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "a circle where sites are chosen anew" in report


def test_a_plan_that_builds_nothing_depends_on_nothing(tiny_study: Study, tmp_path: Path) -> None:
    run_study(tiny_study.with_changes(budget_inr_crore=0.0), tmp_path / "out", Log(True, 8), asked=Asked(tornado=True))
    assert not (tmp_path / "out" / "tornado.csv").exists()

"""Batches of scenarios: one table, plans, failures that stop nothing, and broken batches that go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from geodata.errors import InputError
from geodata.folders import MANIFEST
from siting.plan import make_plan
from siting.results.scenarios import scenario_table
from siting.run import Log
from siting.scenarios import runner
from siting.scenarios.batch import Batch, batch_of, grid_of
from siting.scenarios.runner import Wanted, model_of, run_scenarios
from siting.scenarios.variants import Variant
from siting.study import Study, study_text

BUDGETS = [0, 5, 10, 15, 20, 25, 30, 35, 40, 60, 80]
ROOT = Path(__file__).parents[3]


def by_budget(study: Study, budgets: list[int] | None = None) -> Batch:
    return batch_of(study, grid_of({"budget_inr_crore": budgets or BUDGETS}, "test")[0], "test")


def solve_all(batch: Batch, out: Path, **wanted: Any) -> pd.DataFrame:
    return run_scenarios(batch, out, Log(True, 5), Wanted(**wanted))


def plans(folder: Path) -> dict[str, str]:
    """What every plan says, without how long it took."""
    found = {}
    for file in sorted(folder.glob("*/plan.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        found[file.parent.name] = {key: value for key, value in content.items() if key != "wall_s"}
    return found


@pytest.fixture(scope="module")
def swept(free_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frontier of two pieces, whose capital costs nothing within the budget."""
    out = tmp_path_factory.mktemp("batches") / "swept"
    solve_all(by_budget(free_study), out)
    return out


def test_a_batch_is_a_folder_with_one_table_one_figure_one_page_and_the_plans(swept: Path) -> None:
    files = {path.name for path in swept.iterdir() if path.is_file()}
    assert files == {"scenarios.csv", "scenarios.parquet", "scenarios.svg", "scenarios.html", "batch.json",
                     "log.txt", MANIFEST}  # fmt: skip
    assert {path.name for path in swept.iterdir() if path.is_dir()} == {f"budget-{budget}" for budget in BUDGETS}
    assert {path.name for path in (swept / "budget-20").iterdir()} == {
        "plan.json", "sites.csv", "districts.csv", "lanes.csv", "flows.csv", "enabled.csv", "study.gpkg"
    }  # fmt: skip
    assert [path.name for path in swept.parent.iterdir()] == ["swept"], "nothing is left beside it"
    table = pd.read_csv(swept / "scenarios.csv")
    columns = ["scenario", "saving_inr_per_year", "warehouses", "gap"]
    kept = pd.read_parquet(swept / "scenarios.parquet")
    assert list(kept) == list(table)
    pd.testing.assert_frame_equal(kept[columns], table[columns], check_dtype=False, rtol=1e-9)


def test_along_a_frontier_no_budget_saves_less_and_bounds_agree(swept: Path) -> None:
    table = pd.read_csv(swept / "scenarios.csv")
    assert table["budget_inr_crore"].tolist() == BUDGETS
    assert (table["status"] == "optimal").all() and (table["gap"] <= 1e-4).all()
    assert table["saving_inr_per_year"].is_monotonic_increasing
    assert table["benefit_inr_per_year"].equals(table["saving_inr_per_year"]), "capital that costs nothing is charged"
    assert_a_frontier(table)
    assert (table["capex_inr_crore"] <= table["budget_inr_crore"]).all()


def assert_a_frontier(table: pd.DataFrame) -> None:
    """No more money has less benefit, and none has less proven of it."""
    assert table["benefit_inr_per_year"].is_monotonic_increasing
    assert table["benefit_at_most_inr_per_year"].is_monotonic_increasing
    assert (table["benefit_at_most_inr_per_year"] >= table["benefit_inr_per_year"]).all()
    assert (table["marginal_benefit_per_year_per_rupee"].dropna() >= 0).all()


@pytest.mark.parametrize("gap", [1e-6, 1e-3])
def test_along_a_frontier_that_charges_capital_no_budget_has_less_benefit(
    gap: float, tiny_study: Study, tmp_path: Path
) -> None:
    table = solve_all(by_budget(tiny_study.with_changes(gap=gap), [0, 8, 12, 16, 24, 32, 48, 60, 90]), tmp_path / "out")
    assert_a_frontier(table)
    assert (table["benefit_inr_per_year"] < table["saving_inr_per_year"]).sum() > 2, "no capital was charged"


def test_what_more_money_brings_is_told_by_what_plans_make_largest() -> None:
    """A larger budget may save less, where it is charged less capital still; its last rupee is no loss."""
    rows = [
        {"capex_inr_crore": capex, "saving_inr_per_year": saving, "benefit_inr_per_year": benefit}
        for capex, saving, benefit in ((200.0, 7e9, 5e9), (210.0, 6.9e9, 5.1e9))
    ]
    table = scenario_table(rows, [[0, 1]])
    assert table["marginal_benefit_per_year_per_rupee"].tolist() == pytest.approx([2.5, 1.0])


def test_a_plan_of_a_batch_is_what_its_study_alone_gives(swept: Path, free_study: Study, free_model: Any) -> None:
    for budget in (10, 40):
        alone = make_plan(free_model, budget_inr_crore=float(budget))
        told = json.loads((swept / f"budget-{budget}" / "plan.json").read_text(encoding="utf-8"))
        assert told["objective_inr"] == pytest.approx(alone.solution.objective, rel=1e-4)
        assert told["resolved_study"]["budget_inr_crore"] == budget


def test_plans_are_the_same_whoever_works(free_study: Study, swept: Path, tmp_path: Path) -> None:
    solve_all(by_budget(free_study), tmp_path / "again", workers=2)
    assert plans(tmp_path / "again") == plans(swept)
    assert (tmp_path / "again" / "scenarios.csv").read_bytes() == (swept / "scenarios.csv").read_bytes()


def test_a_frontier_is_not_solved_point_by_point(
    free_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = count_searches(monkeypatch)
    table = solve_all(by_budget(free_study, [5, 1000, 2000, 3000, 4000]), tmp_path / "out")
    assert len(asked) == 2 and table["saving_inr_per_year"].iloc[1:].nunique() == 1


def count_searches(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Budgets of the searches that are made from now on."""
    asked: list[float] = []
    search = runner.solve

    def counted(problem: Any, **how: Any) -> Any:
        asked.append(problem.budget)
        return search(problem, **how)

    monkeypatch.setattr(runner, "solve", counted)
    return asked


MIXED = [
    Variant("as it is"),
    Variant("dear capital", parameters={"discount_rate": 0.2}),
    Variant("more forced than paid for", {"forced": ("mmlp-large@mmlp-east",)}),
    Variant("no such site", {"forced": ("castle@nowhere",)}),
    Variant("no port", {"closed_gateways": ("INPRT",)}),
    Variant("breaks", {"seed": 13}),
    Variant("small", {"budget_inr_crore": 15.0}),
]


def breaking(study: Study) -> None:
    if study.seed == 13:
        raise ZeroDivisionError("a fault of ours")


def test_what_fails_is_told_and_stops_nothing(
    tiny_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = model_of

    def failing(model: Any, study: Study) -> Any:
        breaking(study)
        return made(model, study)

    monkeypatch.setattr(runner, "model_of", failing)
    table = solve_all(batch_of(tiny_study, MIXED, "test"), tmp_path / "out").set_index("scenario")
    assert table["status"].to_dict() == {
        "as it is": "optimal", "dear capital": "optimal", "more forced than paid for": "infeasible",
        "no such site": "refused", "no port": "refused", "breaks": "crashed", "small": "optimal",
    }  # fmt: skip
    assert "need ₹550.0 crore, budget_inr_crore is 60" in table.loc["more forced than paid for", "message"]
    assert "; or ₹490.0 crore more, a budget of ₹550.0 crore" in table.loc["more forced than paid for", "message"]
    assert "castle@nowhere" in table.loc["no such site", "message"]
    assert table.loc["breaks", "message"] == "siting failed (ZeroDivisionError: a fault of ours)"
    assert set(plans(tmp_path / "out")) == {"as-it-is", "dear-capital", "small"}
    page = (tmp_path / "out" / "scenarios.html").read_text(encoding="utf-8")
    assert "ZeroDivisionError" in page and "Discount rate 8 % a year → 20 % a year" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "") and "https://" not in page


def test_a_scenario_that_kills_its_process_is_told_and_stops_nothing(tiny_study: Study, tmp_path: Path) -> None:
    asked = [Variant("one"), Variant("dies", {"seed": 99}), Variant("two", {"leader_share": 0.5})]
    found = list(
        runner.side_by_side(_die_of_99, None, runner.pieces_of(batch_of(tiny_study, asked, "t").scenarios), workers=2,
                            lost=runner._lost)
    )  # fmt: skip
    told = {piece[0].row["scenario"]: piece[0].row["status"] for _, piece in found}
    assert told == {"one": "optimal", "dies": "crashed", "two": "optimal"}


def _die_of_99(_: None, piece: runner.Piece) -> list[runner._Told]:
    (scenario,) = piece.scenarios
    if scenario.study.seed == 99:
        os.kill(os.getpid(), signal.SIGKILL)
    return [runner._Told(runner._row(scenario, "optimal"), {})]


def test_a_model_is_made_anew_only_as_far_as_it_changes(tiny_study: Study, tiny_model: Any) -> None:
    budget = tiny_study.with_changes(budget_inr_crore=1.0, name="x", forced=("warehouse-small@madhya-pradesh/d2",))
    assert model_of(tiny_model, budget).improving is tiny_model.improving
    rate = model_of(tiny_model, tiny_study.with_changes(parameters={"discount_rate": 0.2}))
    assert rate.survey is tiny_model.survey and rate.improving is not tiny_model.improving


# -- broken off --------------------------------------------------------------------------------------------------


def test_a_batch_that_breaks_off_goes_on_and_solves_nothing_twice(
    free_study: Study, swept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, asked = tmp_path / "out", count_searches(monkeypatch)
    keep = runner.keep_answer

    def stop_at_fifth(solution: Any, file: Path) -> None:
        keep(solution, file)
        if len(asked) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(runner, "keep_answer", stop_at_fifth)
    with pytest.raises(KeyboardInterrupt):
        solve_all(by_budget(free_study), out)
    assert not out.exists()
    first = list(asked)
    solve_all(by_budget(free_study), out)
    assert len(asked) == len(set(asked)) > len(first) == 5
    assert plans(out) == plans(swept)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_pieces_that_are_done_are_not_looked_at_again(
    free_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise OSError(28, "No space left")

    with monkeypatch.context() as patch:
        patch.setattr(runner, "write_scenario_page", broken)
        with pytest.raises(OSError, match="No space"):
            solve_all(by_budget(free_study, [10, 20]), tmp_path / "out")
    monkeypatch.setattr(runner, "work_through", broken)
    assert len(solve_all(by_budget(free_study, [10, 20]), tmp_path / "out")) == 2


def test_a_damaged_answer_is_made_anew(tiny_model: Any, tmp_path: Path) -> None:
    solution = runner.solve(tiny_model.problem)
    file = tmp_path / "answer"
    runner.keep_answer(solution, file)
    again = runner.kept_answer(file, tiny_model.problem)
    assert again is not None
    for name in ("open", "lane_share", "lane", "assignment"):
        assert getattr(again, name).tolist() == getattr(solution, name).tolist(), name
    for name in ("objective", "bound", "gap", "status", "certificate", "solver"):
        assert getattr(again, name) == getattr(solution, name), name
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert runner.kept_answer(file, tiny_model.problem) is None
    assert runner.kept_answer(tmp_path / "none", tiny_model.problem) is None


def test_two_batches_do_not_write_one_folder(free_study: Study, tmp_path: Path) -> None:
    with (
        runner.kept_folder(tmp_path / "out"),
        pytest.raises(InputError, match="another siting is writing it"),
    ):
        solve_all(by_budget(free_study, [10]), tmp_path / "out")


def test_what_siting_did_not_write_is_not_replaced(free_study: Study, swept: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    solve_all(by_budget(free_study, [10]), out)
    solve_all(by_budget(free_study, [20]), out)
    assert not (out / "budget-10").exists()
    (out / "budget-20" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"'budget-20/notes.txt', which siting did not write"):
        solve_all(by_budget(free_study, [20]), out)


@pytest.mark.slow
def test_a_batch_that_is_killed_goes_on(free_study: Study, swept: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle, at work in other processes."""
    (tmp_path / "study.toml").write_text(study_text(free_study, tmp_path), encoding="utf-8")
    command = [sys.executable, "-c", "from web.command import main; main()", "sweep", str(tmp_path / "study.toml"),
               *map(str, BUDGETS), "--out", str(tmp_path / "out"), "--workers", "2"]  # fmt: skip
    solved = tmp_path / ".out-unfinished" / "solved"
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        while process.poll() is None and len(list(solved.glob("*.npz"))) < 4:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    before = {path.name: path.stat().st_mtime_ns for path in solved.glob("*.npz")}
    assert not (tmp_path / "out").exists() and before
    subprocess.run(command, cwd=ROOT, check=True)
    facts = [{**plan, "fingerprint": "", "resolved_study": ""} for plan in plans(tmp_path / "out").values()]
    assert facts == [{**plan, "fingerprint": "", "resolved_study": ""} for plan in plans(swept).values()]

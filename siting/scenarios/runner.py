"""From a batch of scenarios to a folder with their plans, one table, one figure and one page.

What is done is kept in a hidden folder beside the result until all is: a batch that is broken off goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from geodata import interruption
from geodata.errors import InputError
from geodata.folders import atomic_file, atomic_folder, check_replaceable, kept_folder
from siting.infeasible import explained, why_nothing_fits
from siting.model.model import InfeasibleError, Model, build_model, close_gateways, restated
from siting.model.routing import Routing
from siting.plan import make_plan, stated, stops_of_itself
from siting.report.scenarios import changes_of, write_scenario_chart, write_scenario_page
from siting.results.cells import write_csv
from siting.results.scenarios import plan_row, scenario_table
from siting.results.tables import sites_table
from siting.rule_prices import with_rule_prices
from siting.run import RESULT_FILES, Log, write_result
from siting.scenarios.answers import keep_answer, kept_answer, packed, unpacked
from siting.scenarios.batch import Batch, Scenario, keep_batch
from siting.scenarios.draws import evaluate_draws
from siting.scenarios.frontiers import Piece, Point, consistent, frontiers, pieces_of, solve_frontier
from siting.scenarios.pool import side_by_side
from siting.session import LIMITS
from siting.solver import Solution, solve
from siting.study import Study

SCENARIO_FILES = (
    "scenarios.csv", "scenarios.parquet", "scenarios.svg", "scenarios.html", "scenarios.xlsx", "batch.json", "log.txt",
    *(f"*/{name}" for name in RESULT_FILES),
)  # fmt: skip
REFUSED, CRASHED = "refused", "crashed"


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a batch, and who works it out.

    Args:
        draws: how many joint draws of the uncertain parameters to make of each plan.
        reports: whether to draw a report of each plan.
        workers: processes here that share the work.
        scheduler: address of a dask scheduler whose workers do it instead.
        xlsx: whether the table is written as a workbook too.
    """

    draws: int = 0
    reports: bool = False
    workers: int = 1
    scheduler: str | None = None
    xlsx: bool = False


@dataclass(frozen=True)
class _Question:
    """What every piece asks, in a form that travels to other processes.

    Args:
        model: of the base study, with all gateways open.
        solved: where answers are kept as they come; None where those who work have no part in our disk.
    """

    model: Model
    solved: Path | None
    wanted: Wanted


@dataclass(frozen=True)
class _Told:
    """What became of a scenario: its row, and where it has a plan its files and its answer."""

    row: dict[str, Any]
    files: dict[str, bytes]
    answer: bytes = b""


# -- at work, here or elsewhere -----------------------------------------------------------------------------------


def model_of(model: Model, study: Study) -> Model:
    """The model of a study of the same data as that of ``model``, whose gateways are all open.

    Only what changes is made anew: nothing for another budget, lanes through a gateway that closes, all lanes for
    another rate.
    """
    limits = {key: getattr(model.study, key) for key in LIMITS}
    if study.with_changes(**limits, closed_gateways=()) != model.study:
        return restated(model, study.with_changes(**limits))
    return close_gateways(model, study.closed_gateways)


def _with_limits(model: Model, study: Study) -> Model:
    return stated(model, **{key: getattr(study, key) for key in LIMITS})


def work_through(question: _Question, piece: Piece) -> list[_Told]:
    """Solve the scenarios of a piece; one that fails is told and stops nothing."""
    told: dict[int, _Told] = {}
    try:
        model = model_of(question.model, piece.scenarios[0].study)
    except Exception as error:  # noqa: BLE001 - the other pieces go on
        return [_failed(scenario, error) for scenario in piece.scenarios]
    models: dict[int, Model] = {}
    for k, scenario in enumerate(piece.scenarios):
        try:
            models[k] = _with_limits(model, scenario.study)
        except InfeasibleError as error:
            told[k] = _failed(scenario, explained(error, scenario.study, model))
        except Exception as error:  # noqa: BLE001 - as above
            told[k] = _failed(scenario, error)
    order = list(models)

    def ask(position: int) -> Solution | None:
        k = order[position]
        try:
            return _solved(question, models[k])
        except Exception as error:  # noqa: BLE001 - as above
            told[k] = _failed(piece.scenarios[k], error)
            return None

    today = Routing.today(model)
    points = [Point(models[k].study.budget_inr_crore, models[k].study.gap) for k in order]
    found = solve_frontier(points, ask, lambda answer: float(model.problem.capex[answer.open].sum()))
    for k, answer in zip(order, found, strict=True):
        if answer is not None:
            told[k] = _written(piece.scenarios[k], models[k], answer, question.wanted, today)
    return [told[k] for k in range(len(piece.scenarios))]


def _solved(question: _Question, model: Model) -> Solution:
    file = None if question.solved is None else question.solved / f"{_key_of(model.study, model)}.npz"
    known = None if file is None else kept_answer(file, model.problem)
    if known is not None:
        return known
    answer = solve(model.problem, gap=model.study.gap, time_limit=model.study.time_limit_s)
    interruption.check()  # a search that was stopped returns the best it has
    if file is not None:
        keep_answer(answer, file)
    return answer


def _key_of(study: Study, model: Model) -> str:
    """What an answer is kept by: names change no plan."""
    return study.with_changes(name="-").fingerprint(model.pack)


def _written(scenario: Scenario, model: Model, answer: Solution, wanted: Wanted, today: Routing) -> _Told:
    """A scenario's row and the files of its plan; ``today`` is the status quo of the model's lanes."""
    if answer.status in ("infeasible", "unknown"):
        why = why_nothing_fits(model.study, model) if answer.status == "infeasible" else None
        told = [answer.message, *([str(replace(why.as_fault(), file=""))] if why is not None and why.causes else [])]
        return _Told({**_row(scenario, answer.status), "message": "; ".join(told)}, {}, packed(answer))
    try:
        plan = make_plan(model, solution=answer, today=today)
        if plan.model.study.capital_charge and stops_of_itself(plan):
            plan = replace(plan, economic_budget_inr_crore=plan.capex_inr_crore)
        plan = with_rule_prices(plan)
        if wanted.draws:
            plan = replace(plan, certainty=evaluate_draws(plan, wanted.draws))
        with tempfile.TemporaryDirectory() as folder:
            lost = write_result(plan, Path(folder), lambda stage: None, report=wanted.reports)
            files = {file.name: file.read_bytes() for file in Path(folder).iterdir()}
    except Exception as error:  # noqa: BLE001 - the other scenarios go on
        return _failed(scenario, error)
    facts = _facts(json.loads(files["plan.json"]), sites_table(plan))
    row = {**_row(scenario, answer.status), "message": "; ".join(lost) or None, **facts}
    return _Told(row, files, packed(answer))


def _facts(told: dict[str, Any], sites: pd.DataFrame) -> dict[str, Any]:
    """Of a plan, by its ``plan.json`` and ``sites.csv``, what stands in the table, as plain values."""
    return {key: value.item() if hasattr(value, "item") else value for key, value in plan_row(told, sites).items()}


def _row(scenario: Scenario, status: str) -> dict[str, Any]:
    budget = scenario.study.budget_inr_crore
    return {"scenario": scenario.name, "folder": scenario.folder, "status": status, "budget_inr_crore": budget}


def _failed(scenario: Scenario, error: Exception) -> _Told:
    """A scenario that has no plan: its study asks what its data do not hold, or we failed."""
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        status = "infeasible" if isinstance(error, InfeasibleError) else REFUSED
        own = [replace(fault, file="") if fault.file == scenario.name else fault for fault in error.faults]
        return _Told({**_row(scenario, status), "message": "; ".join(map(str, own))}, {})
    return _Told({**_row(scenario, CRASHED), "message": f"siting failed ({type(error).__name__}: {text})"}, {})


def _lost(piece: Piece) -> list[_Told]:
    """The scenarios of a piece whose process died."""
    error = RuntimeError("its process died, as where memory runs out")
    return [_failed(scenario, error) for scenario in piece.scenarios]


# -- the batch ----------------------------------------------------------------------------------------------------


class _Kept:
    """What is done of a batch, on disk: answers, plans, and a file for each piece that is whole."""

    def __init__(self, folder: Path) -> None:
        self.solved, self.settled, self.plans, self.pieces = (
            folder / name for name in ("solved", "settled", "plans", "pieces")
        )
        for place in (self.solved, self.settled, self.plans, self.pieces):
            place.mkdir(exist_ok=True)

    def told(self, key: str) -> list[dict[str, Any]] | None:
        """Rows of a piece; None where it is not done."""
        try:
            rows: list[dict[str, Any]] = json.loads((self.pieces / key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return rows if all((self.plans / row["folder"]).is_dir() for row in rows if "fingerprint" in row) else None

    def keep(self, key: str, told: Sequence[_Told]) -> None:
        """Write down a piece, its file last."""
        for each in told:
            self.put(each)
        with atomic_file(self.pieces / key) as scratch:
            scratch.write_text(json.dumps([each.row for each in told]), encoding="utf-8")

    def put(self, told: _Told) -> None:
        """Write down the plan of a scenario, in place of an earlier one."""
        settled = self.settled / told.row["folder"]
        settled.unlink(missing_ok=True)
        if told.answer:
            with atomic_file(settled) as scratch:
                scratch.write_bytes(told.answer)
        place = self.plans / told.row["folder"]
        unfinished = self.plans / f".{told.row['folder']}"
        for folder in (place, unfinished):
            shutil.rmtree(folder, ignore_errors=True)
        if told.files:
            unfinished.mkdir()
            for name, content in told.files.items():
                (unfinished / name).write_bytes(content)
            os.replace(unfinished, place)


def run_scenarios(batch: Batch, out: Path, log: Log, wanted: Wanted | None = None) -> pd.DataFrame:
    """Solve all scenarios of a batch and write their plans, the table, the figure and the page.

    Returns:
        ``scenarios.csv``.

    Raises:
        InputError: a fault of the base study or its data; ``out`` is not the folder of an earlier batch.
        KeyboardInterrupt: a stop was asked for; what is done is kept for the next try.
        OSError: the result cannot be written.
    """
    wanted = wanted or Wanted()
    check_replaceable(out, SCENARIO_FILES)
    with log.bar, kept_folder(out) as folder:
        base = batch.base.with_changes(name="base", forced=(), forbidden=(), rules=(), closed_gateways=())
        model = replace(build_model(base, log), stages={})
        kept = _Kept(folder)
        rows = _rows_of(batch, model, kept, wanted, log.counted("scenario", len(batch.scenarios)))
        table = scenario_table(rows, frontiers(batch.scenarios))
        with atomic_folder(out, SCENARIO_FILES) as result:
            write_csv(table, result / "scenarios.csv")
            table.to_parquet(result / "scenarios.parquet")
            write_scenario_chart(table, batch, result / "scenarios.svg")
            write_scenario_page(table, batch, result / "scenarios.html")
            if wanted.xlsx:
                from siting.report.workbook import write_scenario_workbook

                write_scenario_workbook(table, changes_of(batch), batch.base.resolved(), result / "scenarios.xlsx")
            keep_batch(batch, {"draws": wanted.draws}, result / "batch.json")
            log.write(result)
            for row in rows:
                if "fingerprint" in row:
                    os.replace(kept.plans / row["folder"], result / row["folder"])
    return table


def _rows_of(
    batch: Batch, model: Model, kept: _Kept, wanted: Wanted, progress: Callable[[int], None]
) -> list[dict[str, Any]]:
    """The row of every scenario; what is kept of an earlier try is not done again."""
    pieces = pieces_of(batch.scenarios)
    keys = [_key_of_piece(piece, model, wanted) for piece in pieces]
    rows: dict[int, dict[str, Any]] = {}

    def take(k: int, found: Sequence[dict[str, Any]]) -> None:
        rows.update(zip(pieces[k].numbers, found, strict=True))
        progress(len(rows))

    left = []
    for k, key in enumerate(keys):
        known = kept.told(key)
        if known is None:
            left.append(k)
        else:
            take(k, known)
    question = _Question(model, None if wanted.scheduler else kept.solved, wanted)
    todo = [pieces[k] for k in left]
    found = side_by_side(
        work_through, question, todo, workers=wanted.workers, scheduler=wanted.scheduler, lost=_lost
    )  # fmt: skip
    for position, piece in found:
        k = left[position]
        kept.keep(keys[k], piece)
        take(k, [told.row for told in piece])
    for numbers in frontiers(batch.scenarios):
        for k, told in _settled(batch, numbers, model, kept, wanted, rows).items():
            kept.put(told)
            rows[k] = told.row
    return [rows[k] for k in range(len(batch.scenarios))]


def _key_of_piece(piece: Piece, model: Model, wanted: Wanted) -> str:
    parts = [f"{each.folder}:{each.study.fingerprint(model.pack)}" for each in piece.scenarios]
    return hashlib.sha256("\n".join([*parts, f"{wanted.draws} {wanted.reports}"]).encode()).hexdigest()


def _settled(
    batch: Batch, numbers: Sequence[int], model: Model, kept: _Kept, wanted: Wanted, rows: dict[int, dict[str, Any]]
) -> dict[int, _Told]:
    """Across the pieces of a frontier: the scenarios that another's plan or bound serves better, with it."""
    if len(pieces_of([batch.scenarios[k] for k in numbers])) < 2:
        return {}
    of_study = model_of(model, batch.scenarios[numbers[0]].study)
    known = [k for k in numbers if (kept.settled / rows[k]["folder"]).is_file()]
    models = {k: _with_limits(of_study, batch.scenarios[k].study) for k in known}
    answers = {k: unpacked((kept.settled / rows[k]["folder"]).read_bytes(), models[k].problem) for k in known}
    assert all(answer is not None for answer in answers.values()), "an answer that was just kept is damaged"
    today = Routing.today(model)
    points = [Point(models[k].study.budget_inr_crore, models[k].study.gap) for k in known]
    settled, today = consistent(points, list(answers.values())), Routing.today(of_study)
    return {
        k: _written(batch.scenarios[k], models[k], answer, wanted, today)
        for k, answer in zip(known, settled, strict=True)
        if answer is not answers[k]
    }

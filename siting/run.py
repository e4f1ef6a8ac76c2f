"""From a study to a folder with its result: what ``siting run`` does, and the server on saving."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from geodata import interruption
from geodata.folders import atomic_folder
from siting.districts.intelligence import district_intelligence
from siting.districts.words import Words
from siting.infeasible import explained
from siting.model.model import InfeasibleError, build_model
from siting.plan import Plan, make_plan, with_economic_budget
from siting.report.brief import Brief, today
from siting.report.page import write_report
from siting.results.cells import write_csv
from siting.results.geometry import flow_lines
from siting.results.geopackage import write_geopackage
from siting.results.read import PlanFolder, open_result
from siting.results.tables import write_summary, write_tables
from siting.rule_prices import with_rule_prices
from siting.scenarios.draws import evaluate_draws
from siting.scenarios.lever_list import levers_of
from siting.scenarios.levers import lever_table
from siting.scenarios.structure import choices_of, structure_table
from siting.scenarios.tornado import movers_of, tornado_table
from siting.scenarios.variants import Beside
from siting.stages import WORDS, Announce, Stage
from siting.study import Study

WHEN_ASKED = (
    "rules.csv", "phases.csv", "draws.csv", "structure.csv", "levers.csv", "tornado.csv", "report.xlsx",
)  # fmt: skip
RESULT_FILES = (
    "plan.json", "sites.csv", "districts.csv", "lanes.csv", "flows.csv", "enabled.csv", "study.gpkg", "report.html",
    "brief.html", "brief.hi.html", "log.txt", *WHEN_ASKED,
)  # fmt: skip
BRIEFS = {"brief.html": "en", "brief.hi.html": "hi"}
_BAR = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())


def progress_bar(quiet: bool) -> Progress:
    """A bar on standard error that leaves no trace; silent where that is no terminal."""
    console = Console(stderr=True)
    console.quiet = quiet or not console.is_terminal
    return Progress(*_BAR, console=console, transient=True)


class Log:
    """Says what runs: a bar on a terminal, lines for ``log.txt``; ``notes`` are what the user must hear at the end.

    Args:
        stages: how many stages there will be.
    """

    def __init__(self, quiet: bool, stages: int) -> None:
        self.bar = progress_bar(quiet)
        self.task = self.bar.add_task("starting", total=stages)
        self.start = time.perf_counter()
        self.lines: list[str] = []
        self.notes: list[str] = []

    def __call__(self, stage: Stage) -> None:
        self.bar.update(self.task, description=WORDS[stage], advance=1 if self.lines else 0)
        self.lines.append(f"{self.seconds:8.2f} s  {WORDS[stage]}")

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self.start

    def note(self, text: str) -> None:
        """Keep a line for the user, and in the log."""
        self.notes.append(text)
        self.lines.append(f"{self.seconds:8.2f} s  note: {text}")

    def tell(self, what: str) -> None:
        """Say what is being looked for, and log it."""
        self.bar.update(self.task, description=what)
        self.lines.append(f"{self.seconds:8.2f} s  {what}")

    def counted(self, what: str, of: int) -> Callable[[int], None]:
        """Return what tells how many of something are done."""

        def tell(done: int) -> None:
            self.bar.update(self.task, description=f"{what} {done} of {of}")
            if done == of:
                self.lines.append(f"{self.seconds:8.2f} s  {of} times {what}: done")

        return tell

    def notes_on(self, study: Study) -> None:
        """Note every value of the study that its source does not support."""
        for text in study.parameter_values().warnings():
            self.note(text)

    def write(self, folder: Path) -> None:
        """Write ``log.txt``."""
        (folder / "log.txt").write_text("\n".join(self.lines) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Asked:
    """What is worked out beside a plan, and who works it out.

    Args:
        draws: in how many joint draws of the uncertain parameters sites are chosen anew; with 0 the plan's own sites
            are held against as many draws as the study says.
        structure: whether the study is solved with each choice of structure switched back.
        levers: whether it is solved with each lever in place.
        tornado: whether it is solved at the low and the high value of each parameter that moves it most.
        workers: processes that share the work.
        scheduler: address of a dask scheduler whose workers do it instead.
        xlsx: whether the result is written as a workbook too.
    """

    draws: int = 0
    structure: bool = False
    levers: bool = False
    tornado: bool = False
    workers: int = 1
    scheduler: str | None = None
    xlsx: bool = False

    def of(self, plan: Plan, log: Log) -> tuple[Plan, Beside]:
        """The plan with what its draws say, and what is told beside it."""
        workers, scheduler, structure, levers, tornado = self.workers, self.scheduler, None, None, None
        if n := self.draws or plan.model.study.draws:
            done, anew = log.counted("draw", n), self.draws > 0
            certainty = evaluate_draws(plan, n, anew=anew, workers=workers, scheduler=scheduler, progress=done)
            plan = replace(plan, certainty=certainty)
        if self.structure:
            done = log.counted("choice of structure", len(choices_of(plan.model.study)))
            structure = structure_table(plan, workers=workers, scheduler=scheduler, progress=done)
        if self.levers:
            asked = levers_of(plan.model)
            done = log.counted("lever", len(asked))
            levers = lever_table(plan, asked, workers=workers, scheduler=scheduler, progress=done)
        if self.tornado and (movers := movers_of(plan)):
            done = log.counted("end of a range", len(movers))
            tornado = tornado_table(plan, movers, workers=workers, scheduler=scheduler, progress=done)
        return plan, Beside(structure, levers, tornado)


def run_study(study: Study, out: Path, log: Log, *, keep_best: bool = False, asked: Asked | None = None) -> Plan:
    """Solve a study and write its result.

    Args:
        asked: what is worked out beside the plan, once it is there.
        keep_best: on Ctrl-C or SIGTERM, write the best plan found so far, with nothing beside it, instead of nothing.

    Raises:
        InputError: a fault of study or data; ``out`` is not the folder of an earlier result.
        KeyboardInterrupt: the run was asked to stop; nothing was written.
        OSError: the result cannot be written.
    """
    with log.bar, result_folder(out) as folder:
        log.notes_on(study)
        plan = _planned(study, log)
        if not keep_best:
            interruption.check()  # the search ends early on a signal and has a plan to show
        elif interruption.received():
            log.note(f"stopped before the proof; the best plan so far was written, gap {100 * plan.proof.gap:.2g} %")
        plan, beside = appraised(plan), Beside()
        if asked is not None and not interruption.received():
            try:
                plan, beside = asked.of(plan, log)
            except KeyboardInterrupt:
                if not keep_best:
                    raise
                log.note("stopped before all that was asked beside the plan was done; it was written alone")
        for lost in write_result(plan, folder, log, beside, xlsx=asked is not None and asked.xlsx):
            log.note(lost)
        log.write(folder)
    return plan


def _planned(study: Study, log: Log) -> Plan:
    """The plan of a study; where nothing fits, why."""
    model = None
    try:
        model = build_model(study, log)
        return make_plan(model, log)
    except InfeasibleError as error:
        raise explained(error, study, model) from None


def appraised(plan: Plan) -> Plan:
    """The plan with all that every run says of it: its economic budget, and what its rules cost."""
    return with_economic_budget(with_rule_prices(plan))


@contextmanager
def result_folder(out: Path) -> Iterator[Path]:
    """Give a scratch folder that becomes the result ``out``; it replaces an earlier result and nothing else."""
    with atomic_folder(out, RESULT_FILES) as folder:
        yield folder


def write_result(
    plan: Plan, folder: Path, log: Announce, beside: Beside | None = None, *, report: bool = True, xlsx: bool = False
) -> list[str]:
    """Write all files of a result: tables and ``plan.json`` first, then the drawings, any of which may fail alone.

    Args:
        log: hears the stages.
        beside: what is told beside the plan.
        report: whether to draw ``report.html``, which takes longer than all the rest, and the briefs.
        xlsx: whether to write ``report.xlsx``.

    Returns:
        What could not be drawn, each as a line for the user.

    Raises:
        OSError: a table cannot be written.
    """
    start = time.perf_counter()
    beside = beside or Beside()
    log(Stage.WRITE)
    plan, lost = _with_districts_told(plan)
    write_tables(plan, folder)
    for name, table in beside.tables():
        write_csv(table, folder / f"{name}.csv")
    plan.stages[Stage.WRITE] = round(time.perf_counter() - start, 3)
    write_summary(plan, folder)
    log(Stage.REPORT)
    flows = cache(lambda: flow_lines(plan))
    lost += _drawn(folder / "study.gpkg", lambda: write_geopackage(plan, folder, flows()))
    if report:
        lost += _drawn(folder / "report.html", lambda: write_report(plan, folder, flows(), beside))
        written = cache(lambda: open_result(folder))
        for name, language in BRIEFS.items():
            lost += _drawn(folder / name, partial(_write_brief, plan, written, folder / name, language))
    if xlsx:
        from siting.report.workbook import write_workbook

        lost += _drawn(folder / "report.xlsx", lambda: write_workbook(open_result(folder), folder / "report.xlsx"))
    log(Stage.DONE)
    return lost


def _write_brief(plan: Plan, written: Callable[[], PlanFolder], file: Path, language: str) -> None:
    brief = Brief(written(), plan.model.pack, Words(language), today())
    file.write_text(brief.html(), encoding="utf-8")


def _drawn(file: Path, draw: Callable[[], None]) -> list[str]:
    """Draw a file. One that fails costs that file, not the result: the line that tells it is returned."""
    try:
        draw()
    except Exception as error:  # noqa: BLE001 - whatever a drawing fell over, the tables are worth keeping
        with suppress(OSError):
            file.unlink(missing_ok=True)
        return [f"{file.name} was not drawn ({_in_one_line(error)}); the tables are whole"]
    return []


def _with_districts_told(plan: Plan) -> tuple[Plan, list[str]]:
    """The plan with what is told of its districts as hubs, or the line that says why not."""
    try:
        return replace(plan, intelligence=district_intelligence(plan)), []
    except Exception as error:  # noqa: BLE001 - as above
        return plan, [f"districts were not told as hubs ({_in_one_line(error)}); the plan is whole"]


def _in_one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())

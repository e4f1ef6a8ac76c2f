"""The process that solves: it keeps models warm, answers one job at a time and tells how it goes.

Jobs come through a pipe and are plain tuples, so are the messages that go back:

* ``("warm", values)`` builds the model of a study;
* ``("solve", values, folder)`` answers a what-if question and leaves its tables in the folder;
* ``("save", study file, folder)`` makes what ``siting run`` makes of the file, from nothing.

Messages are ``("stage", stage.value)``, ``("progress", fields)`` and last ``("done", fields)`` or ``("failed", text)``.
"""

from __future__ import annotations

import signal
import time
from collections import OrderedDict
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np

from geodata.errors import InputError
from siting.infeasible import explained
from siting.model.model import InfeasibleError, build_model
from siting.plan import Plan, make_plan, with_economic_budget
from siting.results.tables import write_answer
from siting.rule_prices import with_rule_prices
from siting.run import result_folder, write_result
from siting.session import LIMITS, Session
from siting.solver import Progress, relative_gap
from siting.stages import Stage
from siting.study import load_study
from web.map.plan import columns
from web.runs.levers import plain_levers
from web.runs.questions import model_key, study_from

WARM_MODELS = 2  # of each process; one of the national pack takes about half a gigabyte
TELL_EVERY_S = 0.1


class Worker:
    """State of one process.

    Args:
        connection: jobs in, messages out.
        cancelled: set by the other side when the running job is no longer wanted.
    """

    def __init__(self, connection: Connection, cancelled: Event) -> None:
        self.connection = connection
        self.cancelled = cancelled
        self.sessions: OrderedDict[str, Session] = OrderedDict()
        self.asked: Session | None = None
        self._told = 0.0

    def run(self) -> None:
        """Answer jobs until the other side hangs up."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process
        while True:
            try:
                job, *arguments = self.connection.recv()
                self.connection.send(self._answer(job, arguments))
            except (EOFError, BrokenPipeError, ConnectionResetError):
                return

    def _answer(self, job: str, arguments: list[Any]) -> tuple[str, Any]:
        try:
            return "done", getattr(self, job)(*arguments)
        except KeyboardInterrupt:
            return "failed", "cancelled"
        except InputError as error:
            return self._failed("refused", "; ".join(error.problems))
        except TimeoutError as error:
            return self._failed("timeout", str(error))
        except ValueError as error:
            return self._failed("refused", str(error))
        except (BrokenPipeError, ConnectionResetError):
            raise
        except OSError as error:
            text = f"a file cannot be written or read: {error.strerror}; free space or mend its folder"
            return self._failed("disk", text)
        except Exception as error:  # noqa: BLE001 - one question that fails must not end the worker
            return self._failed("error", f"the solver stopped on an error of its own ({type(error).__name__}: {error})")

    def _failed(self, code: str, text: str) -> tuple[str, str]:
        """The last message of a job that came to nothing; what kind of failure it was goes before."""
        self.connection.send(("progress", {"code": code}))
        return "failed", text

    def warm(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Build a model; returns what may be chosen in questions."""
        return _offered(self._session(values))

    def solve(self, values: Mapping[str, Any], folder: str) -> dict[str, Any]:
        """Answer a question."""
        cold = model_key(values) not in self.sessions
        session = self.asked = self._session(values)
        study = study_from(values)
        limits = {key: getattr(study, key) for key in LIMITS}
        try:
            plan = session.solve(closed_gateways=study.closed_gateways, **limits)
        except InfeasibleError as error:
            raise explained(error, study, session.current) from None
        self._check()
        write_answer(plan, Path(folder))
        return {**_told(plan), **(_offered(session) if cold else {})}

    def save(self, study_file: str, folder: str) -> dict[str, Any]:
        """Make the result of a study file."""
        self.asked = None
        study = load_study(Path(study_file))
        model = build_model(study, self._stage)
        try:
            plan = make_plan(model, self._stage, watch=self._watch)
        except InfeasibleError as error:
            raise explained(error, study, model) from None
        self._check()
        plan = with_economic_budget(with_rule_prices(plan, self._watch), self._watch)
        with result_folder(Path(folder)) as scratch:
            write_result(plan, scratch, self._stage)
            self._check()
        return _told(plan)

    def _session(self, values: Mapping[str, Any]) -> Session:
        key = model_key(values)
        if key not in self.sessions:
            study = study_from({**values, "forced": [], "forbidden": [], "closed_gateways": [], "rules": []})
            self.sessions[key] = Session(study, self._stage, self._watch)
            while len(self.sessions) > WARM_MODELS:
                self.sessions.popitem(last=False)
        self.sessions.move_to_end(key)
        return self.sessions[key]

    def _stage(self, stage: Stage) -> None:
        self._check()
        self.connection.send(("stage", stage.value))

    def _watch(self, progress: Progress) -> None:
        self._check()
        now = time.monotonic()
        if now - self._told < TELL_EVERY_S:
            return
        self._told = now
        bound, objective = (value if np.isfinite(value) else None for value in (progress.bound, progress.objective))
        told: dict[str, Any] = {"bound_inr": bound, "objective_inr": objective, "gap": None}
        if bound is not None and objective is not None:
            told["gap"] = relative_gap(objective, bound)
        if objective is not None and self.asked is not None:
            told["saving_inr_per_year"] = _saving_so_far(self.asked, objective)
        self.connection.send(("progress", told))

    def _check(self) -> None:
        """Stop the search where the job is no longer wanted; it ends as on Ctrl-C."""
        if self.cancelled.is_set():
            raise KeyboardInterrupt


def _offered(session: Session) -> dict[str, Any]:
    """What a question about a study may choose from: options to force or forbid, levers to pull."""
    options, places = session.model.options, session.model.places.table
    at = places.iloc[options["place"]]
    table = options[["option_id", "site_id"]].assign(
        place_id=at["place_id"].to_numpy(),
        **{name: at[name].to_numpy() for name in ("name", "state", "lon", "lat")},
        **{name: options[name] for name in ("facility_type", "tier", "capex_inr_crore", "capacity_t_per_year")},
    )
    return {"options": columns(table), "levers": plain_levers(session.model)}


def _saving_so_far(session: Session, objective_inr: float) -> float | None:
    """Cost without sites less the cost of a plan, where the objective is the cost and nothing else."""
    model = session.current
    if model.study.capital_charge:
        return None
    cost = model.problem.unserved_cost
    return float(cost[np.isfinite(cost)].sum() - objective_inr)


def _told(plan: Plan) -> dict[str, Any]:
    solution = plan.solution
    return {
        "bound_inr": solution.bound, "objective_inr": solution.objective, "gap": solution.gap,
        "proven": solution.status == "optimal", "saving_inr_per_year": plan.net_saving_inr_per_year,
        "figures": {
            "sites": len(plan.opened), "capex_inr_crore": plan.capex_inr_crore,
            "benefit_cost_ratio": plan.appraisal.benefit_cost_ratio, "mean_hours": plan.totals("after")["mean_hours"],
        },
    }  # fmt: skip


def work(connection: Connection, cancelled: Event) -> None:
    """Entry of the process."""
    Worker(connection, cancelled).run()

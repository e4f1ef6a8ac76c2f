"""JSON API of what-if questions under ``/api/v1``: studies, sessions, runs."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from threading import BoundedSemaphore
from typing import Any

import pandas as pd
from flask import Blueprint, Response, request

from geodata.errors import InputError
from geodata.pack import Pack
from siting.model.names import Names, gateways_of, names_of, possible_names
from siting.results.read import AnswerFolder, PlanTables
from siting.study import Study, open_data, study_text
from web.queries import body, number, only
from web.results import Results
from web.runs.levers import told_levers
from web.runs.questions import (
    USUAL_GAP,
    Question,
    Studies,
    ask,
    data_from,
    file_stem,
    model_key,
    plain_values,
    stamped,
    study_from,
)
from web.runs.queue import LOST, MADE_ROOM, Pool, QueueFullError, new_id
from web.runs.store import INTERRUPTED, Run
from web.security import refuse, without_folders
from web.transfer import json_body

API = "/api/v1"
LISTED = 50
MAX_WAIT_S = 25.0
WAITING_CLIENTS = 8  # long polls at one time; the server's other threads stay free
RETRY_S = 5
KEPT_PACKS = 8  # of studies with data of their own
CLIENT_COOKIE = "client"
CODES = {LOST: "lost", INTERRUPTED: "interrupted", MADE_ROOM: "gone"}


class RunBook:
    """Runs by name, and the tables of those that are answered."""

    def __init__(self, pool: Pool, pack: Pack) -> None:
        self.pool, self.pack = pool, pack
        self._packs: dict[str, Pack] = {}

    def run(self, run_id: str) -> Run:
        run = self.pool.runs.get(run_id)
        if run is None:
            refuse(
                404,
                f"no run '{run_id}'; GET {API}/runs lists the latest {LISTED}; saved plans are among GET {API}/plans",
            )
        return run

    def tables(self, run_id: str) -> AnswerFolder:
        """Tables of a finished what-if run; ends the request with 404, 409 or 410 where there are none."""
        run = self.run(run_id)
        if run.state != "finished" or run.kind != "what-if":
            refuse(409, f"run '{run_id}' has no answer here: it is {run.state} ({run.kind})")
        folder = self.pool.store.folder(run)
        if not (folder / "plan.json").is_file():
            refuse(410, run.message or f"the tables of run '{run_id}' are gone; start it again")
        answer = AnswerFolder(run_id, folder, (folder / "plan.json").stat().st_mtime_ns, self._pack(run.values["data"]))
        try:
            _ = answer.summary
        except InputError as error:
            refuse(410, f"the tables of run '{run_id}' cannot be read; start it again", error.problems)
        return answer

    def names(self, study: Study) -> Names:
        """Names that a question about a study may use: those of its model, once that is built."""
        values = plain_values(study)
        pack, options = self._pack(values["data"]), self._offered(values, "options")
        if not options:
            return possible_names(pack, study.facility_types, study.parameter_values())
        return names_of(pd.DataFrame({name: options[name] for name in ("option_id", "site_id")}), gateways_of(pack))

    def levers(self, study: Study) -> list[dict[str, Any]]:
        """Levers of a study; none until its model is built."""
        levers: list[dict[str, Any]] = self._offered(plain_values(study), "levers")
        return levers

    def _offered(self, values: dict[str, Any], name: str) -> Any:
        """Options or levers of a study whose model was built, which are kept while they are asked for."""
        key, kept = model_key(values), self.pool.offered
        offered = kept.get(key, {"options": [], "levers": []})
        if key in kept:
            kept.move_to_end(key)
        return offered[name]

    def _pack(self, data: dict[str, Any]) -> Pack:
        if not data:
            return self.pack
        key = str(stamped(data))
        if key not in self._packs:
            self._packs[key] = open_data(data_from(data))
            for old in list(self._packs)[:-KEPT_PACKS]:
                del self._packs[old]
        return self._packs[key]


def create_run_api(book: RunBook, results: Results, studies: Studies) -> Blueprint:
    """Return the blueprint of studies, sessions and runs."""
    api = Blueprint("runs", __name__)
    pool = book.pool
    polls = BoundedSemaphore(WAITING_CLIENTS)

    def base_of(content: dict[str, Any]) -> tuple[dict[str, str], Study]:
        """The study that a body names by plan or by study."""
        named: dict[str, str] = {kind: content[kind] for kind in ("plan", "study") if kind in content}
        if len(named) != 1 or not isinstance(next(iter(named.values())), str):
            refuse(400, 'name the base: {"plan": ID} or {"study": ID}')
        ((kind, key),) = named.items()
        return named, study_of(kind, key)

    def study_of(kind: str, key: str) -> Study:
        if kind == "study":
            try:
                return studies.study(key)
            except KeyError:
                refuse(404, f"no study '{key}'; GET {API}/studies lists them")
            except InputError as error:
                refuse(409, f"the study '{key}' is at fault; mend its file", error.problems)
        plan = results.plans().get(key)
        if plan is None:
            refuse(404, f"no plan '{key}'; GET {API}/plans lists them")
        study = studies.of_plan(plan)
        if study is None:
            refuse(409, f"the plan '{key}' does not tell the files it was made of; ask its study instead")
        return study

    def client() -> str:
        return request.cookies.get(CLIENT_COOKIE) or str(request.remote_addr)

    def submitted(run: Run) -> Response:
        try:
            pool.submit(run)
        except QueueFullError:
            refuse(429, "too many runs wait; try again in a few seconds", retry_after_s=RETRY_S)
        return told(run, 202, Location=f"{API}/runs/{run.id}")

    def told(run: Run, status: int = 200, **headers: str) -> Response:
        response = answer(told_of(run), status)
        response.headers.update(headers)
        return response

    def told_of(run: Run) -> dict[str, Any]:
        content = run.told(pool.position(run))
        return content | {
            "message": run.message and without_folders(run.message),
            "mine": run.client == client(),
            "code": run.code or CODES.get(run.message or ""),
        }

    def answer(content: Any, status: int) -> Response:
        response = json_body(content).response()
        if response.status_code == 200:  # not 304, which has no body
            response.status_code = status
        return response

    def refuse_faulty(key: str) -> None:
        fault = pool.fault(key)
        if fault is not None:
            refuse(409, "the model of this study cannot be built", [fault])

    def offered(values: dict[str, Any], told: Callable[[dict[str, Any]], Any] = lambda of: of["options"]) -> Response:
        key = model_key(values)
        refuse_faulty(key)
        if key not in pool.offered:
            return answer({"state": pool.warm(values, key)}, 202)
        return json_body(told(pool.offered[key])).response()

    def levers(values: dict[str, Any], plan: PlanTables | None = None) -> Response:
        return offered(values, lambda of: {"levers": told_levers(of["levers"], plan)})

    @api.get(f"{API}/studies")
    def listed_studies() -> Response:
        only()
        listed = studies.listed()
        for study in listed:
            study |= {"problems": [without_folders(text) for text in study["problems"]]} if "problems" in study else {}
        return json_body({"studies": listed}).response()

    @api.post(f"{API}/sessions")
    def session() -> Response:
        only()
        _base, study = base_of(body("plan", "study"))
        values = plain_values(study)
        key = model_key(values)
        refuse_faulty(key)
        response = answer({"state": pool.warm(values, key)}, 202)
        if CLIENT_COOKIE not in request.cookies:
            response.set_cookie(
                CLIENT_COOKIE, secrets.token_hex(8), httponly=True, samesite="Strict", secure=over_tls()
            )
        return response

    @api.get(f"{API}/plans/<key>/options")
    def plan_options(key: str) -> Response:
        only()
        return offered(plain_values(study_of("plan", key)))

    @api.get(f"{API}/plans/<key>/levers")
    def plan_levers(key: str) -> Response:
        only()
        return levers(plain_values(study_of("plan", key)), results.plans().get(key))

    @api.get(f"{API}/runs/<key>/levers")
    def run_levers(key: str) -> Response:
        only()
        return levers(book.run(key).values)

    @api.get(f"{API}/studies/<key>/options")
    def study_options(key: str) -> Response:
        only()
        return offered(plain_values(study_of("study", key)))

    @api.get(f"{API}/runs/<key>/options")
    def run_options(key: str) -> Response:
        only()
        return offered(book.run(key).values)

    @api.get(f"{API}/runs")
    def listed_runs() -> Response:
        only()
        return json_body({"runs": [told_of(run) for run in pool.newest(LISTED)]}).response()

    @api.post(f"{API}/runs")
    def new_run() -> Response:
        only()
        content = body("plan", "study", "changes", "gap", "replaces")
        base, study = base_of(content)
        try:
            question = ask(
                base,
                study,
                content.get("changes", {}),
                content.get("gap", USUAL_GAP),
                book.names(study),
                book.levers(study),
            )
        except InputError as error:
            refuse(400, "; ".join(error.problems), error.problems)
        if "replaces" in content:
            pool.cancel(book.run(str(content["replaces"])))
        return submitted(_run_of(question, client()))

    @api.get(f"{API}/runs/<key>")
    def run(key: str) -> Response:
        only("after", "wait_s")
        found = book.run(key)
        after, wait_s = int(number("after", 0, 1e9, 0)), number("wait_s", 0, MAX_WAIT_S, MAX_WAIT_S)
        if "after" in request.args and polls.acquire(blocking=False):
            try:
                pool.wait(found, after, wait_s, request.environ.get("waitress.client_disconnected", lambda: False))
            finally:
                polls.release()
        return told(found)

    @api.delete(f"{API}/runs/<key>")
    def cancelled(key: str) -> Response:
        only()
        found = book.run(key)
        if not pool.cancel(found):
            refuse(409, f"run '{key}' is {found.state} already")
        return told(found, 202)

    @api.post(f"{API}/runs/<key>/restart")
    def restarted(key: str) -> Response:
        only()
        body()
        found = book.run(key)
        if found.active:
            refuse(409, f"run '{key}' is {found.state}; cancel it first")
        if found.kind == "save":
            return submit_save(found.values, found, found.name)
        return submitted(pool.again(found, client=client()))

    @api.post(f"{API}/runs/<key>/save")
    def saved(key: str) -> Response:
        only()
        content = body("name")
        found = book.run(key)
        if found.kind != "what-if":
            refuse(409, f"run '{key}' is saved already")
        return submit_save({**found.values, "gap": _own_gap(found, study_of)}, found, content.get("name"))

    def submit_save(values: dict[str, Any], origin: Run, name: Any) -> Response:
        """Write the study file and have its plan made."""
        try:
            stem = file_stem(name)
            study = study_from({**values, "name": name.strip()})
        except InputError as error:
            refuse(400, "; ".join(error.problems), error.problems)
        file = studies.folder / f"{stem}.toml"
        if (results.root / stem).exists() or stem in results.plans():
            refuse(409, f"there is a result named '{stem}' already; choose another name")
        try:
            studies.folder.mkdir(parents=True, exist_ok=True)
            file.open("x").close()
        except FileExistsError:
            refuse(409, f"there is a study named '{stem}' already; choose another name")
        run = pool.again(origin, kind="save", name=study.name, values=plain_values(study), client=client(),
                         study_file=f"{studies.folder.name}/{file.name}")  # fmt: skip
        try:
            file.write_text(study_text(study, studies.folder), encoding="utf-8")
            return submitted(run)
        except BaseException:
            if run.id not in pool.runs:
                file.unlink()
            raise

    return api


def over_tls() -> bool:
    """Whether the browser came by TLS, to this server or to one before it that says so."""
    return request.is_secure or request.headers.get("X-Forwarded-Proto") == "https"


def _own_gap(run: Run, study_of: Callable[[str, str], Study]) -> float:
    """Gap of the base study: a saved plan is proven as well as any other of it."""
    ((kind, key),) = run.base.items()
    return study_of(kind, key).gap


def _run_of(question: Question, client: str) -> Run:
    return Run(new_id(), "what-if", dict(question.base), question.study.name, dict(question.changes),
               dict(question.values), client)  # fmt: skip

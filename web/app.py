"""The map as a Flask application."""

from __future__ import annotations

import atexit
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from typing import Any

from flask import Flask, Response, send_file
from waitress import create_server

from geodata.errors import Fault, InputError
from geodata.pack import Pack, open_pack
from web import about
from web.api.plans import Library, create_api
from web.api.runs import RunBook, create_run_api
from web.assets import load_assets
from web.glossary import glossary
from web.i18n import init_i18n
from web.map.measures import measures_told
from web.outlook import add_outlook_routes
from web.pages import create_pages
from web.queries import only
from web.results import DOWNLOADS, Results
from web.runs.questions import LEADING, Studies
from web.runs.queue import Pool
from web.runs.store import RunStore
from web.security import LOCAL_HOSTS, MAX_BODY_BYTES, init_security, refuse
from web.transfer import json_body

RUNS_FOLDER = ".runs"
STUDIES = Path("studies")
PAGES = Path("pages")
THREADS = 16
FIRST_PLAN = "Run `make study`, or open {page}, ask a study and save the answer."
CONNECTIONS = 2000  # a browser keeps up to six open
IDLE_S = 30  # after which one is closed

# A report is one file with its own styles and drawings; it runs no script here.
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def create_app(
    results: Path,
    pack: Pack | None = None,
    studies: Path = STUDIES,
    hosts: Sequence[str] = LOCAL_HOSTS,
    pages: Path = PAGES,
    embed_in: Sequence[str] = (),
) -> Flask:
    """Return the application that shows the results in a folder and answers what-if questions.

    Solver processes start with the first question; ``app.extensions["pool"]`` holds them.

    Args:
        results: a result of ``siting run``, or a folder that holds results or sweeps, or will; runs are kept in it.
        pack: networks and district points to draw with (default: the bundled pack).
        studies: folder of the study files that may be asked, and that saved ones are written to.
        hosts: names under which the server may be addressed.
        pages: folder of an office's own texts for contact, privacy, ...; it need not be there.
        embed_in: origins whose pages may show a map of this server in a frame.

    Raises:
        InputError: when ``results`` is no folder, or ``embed_in`` names what is no origin.
    """
    asked = Studies(studies)
    found = Results(results, asked.title(LEADING))
    pack = pack or open_pack()
    app = Flask(__name__, static_folder=None)
    init_security(app, hosts, (found.root, asked.folder), embed_in)
    init_i18n(app, page_words)
    pool = Pool(RunStore(found.root / RUNS_FOLDER), found.root, asked.folder)
    app.extensions["pool"], app.extensions["results"] = pool, found
    atexit.register(pool.close)
    book = RunBook(pool, pack)
    library = Library(found, pack, book)
    api = create_api(library, asked.knows)
    add_outlook_routes(api, library.plan, asked.of_plan, REPORT_POLICY)
    app.register_blueprint(api)
    app.register_blueprint(create_run_api(book, found, asked))
    assets = load_assets()
    app.jinja_env.globals["asset"] = assets.address
    app.register_blueprint(create_pages(pack, assets, bool(embed_in)))
    app.register_blueprint(about.create_about(pages, found, {"boundaries": "", "credit": None}))
    app.jinja_env.globals.update(about_pages=about.PAGES, glossary=glossary)

    @app.get("/health")
    def health() -> Response:
        only()
        workers = pool.health()
        queue = workers.pop("queue")
        return json_body({
            "status": "ok", "plans": len(found.plans()), "broken_results": dict(found.broken), "workers": workers,
            "queue": queue, "version": version("deh-siting"),
        }).response()  # fmt: skip

    add_files(app, found)
    return app


def add_files(app: Flask, found: Results) -> None:
    """Add the files of results."""

    @app.get("/results/<key>/<name>")
    def result_file(key: str, name: str) -> Response:
        plan = found.plans().get(key)
        if plan is None or name not in DOWNLOADS or not (plan.path / name).is_file():
            refuse(404, f"no file '{name}' of a plan '{key}'")
        is_page = name.endswith(".html")
        response = send_file(
            plan.path / name, as_attachment=not is_page, download_name=f"{key}-{name}", conditional=True
        )
        if is_page:
            response.headers["Content-Security-Policy"] = REPORT_POLICY
        return response


def page_words(language: str, translate: Callable[[str], str]) -> dict[str, Any]:
    """What scripts are told in a language besides the texts of the pages."""
    return {"map": measures_told(translate), "glossary": glossary(language)}


def serve(
    results: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    studies: Path = STUDIES,
    names: Sequence[str] = (),
    pack: Path | None = None,
    pages: Path = PAGES,
    embed_in: Sequence[str] = (),
) -> None:
    """Serve the map until interrupted; one line of JSON per request goes to standard error.

    Args:
        names: further host names under which browsers may address the server.
        pack: folder of the pack that the results were made on; None = the bundled one.
        pages: folder of an office's own texts.
        embed_in: origins whose pages may show a map of this server in a frame.

    Raises:
        InputError: when ``results`` is no folder or has a server already, there is no pack, or the port is taken.
    """
    _check_address(host, port)
    known = (*LOCAL_HOSTS, host, *names)
    made = {"studies": studies, "hosts": known, "pages": pages, "embed_in": embed_in}
    app = create_app(results, open_pack(pack) if pack else None, **made)  # type: ignore[arg-type]
    log = logging.getLogger("web")
    log.setLevel(logging.INFO)
    log.addHandler(logging.StreamHandler(sys.stderr))
    pool: Pool = app.extensions["pool"]
    with pool.store.claimed():
        server = _server(app, host, port)
        pool.start()
        Thread(target=_prepare, args=(app,), daemon=True).start()
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        print(f"Map of {results}: {address}/  (stop with Ctrl-C)", flush=True)
        if not app.extensions["results"].plans():
            lacks = "holds no plan yet" if results.is_dir() else "is not there yet, is its path right?"
            print(f"{results} {lacks}. {FIRST_PLAN.format(page=f'{address}/what-if')}", flush=True)
        try:
            server.run()
        finally:
            pool.close()
            server.close()


def _server(app: Flask, host: str, port: int) -> Any:
    try:
        return create_server(
            app,
            host=host,
            port=port,
            threads=THREADS,
            ident=None,
            max_request_body_size=2 * MAX_BODY_BYTES,
            connection_limit=CONNECTIONS,
            channel_timeout=IDLE_S,
            asyncore_use_poll=True,
            channel_request_lookahead=1,  # without it nobody notices that a client has gone
        )
    except OSError as error:
        raise InputError(Fault(f"--host {host} --port {port}: {error.strerror}", "choose another port")) from error


def _check_address(host: str, port: int) -> None:
    """Raise InputError where nothing can be served; the server would find out after its data are loaded, or not."""
    if not 0 < port < 65_536:
        raise InputError(Fault(f"--port {port} is no port", "give 1 to 65535", column="--port", value=port))
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        remedy = "give one of this machine, or 127.0.0.1 for this machine alone"
        raise InputError(Fault(f"--host {host!r} is no address", remedy, column="--host", value=host)) from None


def _prepare(app: Flask) -> None:
    """Make what the first view needs, so that the first visitor need not wait for it."""
    client = app.test_client()
    for plan in client.get("/api/v1/plans").get_json()["plans"][:1]:
        links = client.get(f"/api/v1/plans/{plan['id']}").get_json()["links"]
        for layer in ("shapes", "districts", "sites", "places"):
            client.get(links[layer])
    for name in ("roads", "rail"):
        client.get(f"/api/v1/map/{name}")

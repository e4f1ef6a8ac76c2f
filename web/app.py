"""The map as a Flask application."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from threading import Thread

from flask import Flask, Response, abort, jsonify, render_template, send_file
from waitress import create_server
from werkzeug.exceptions import HTTPException

from geodata.errors import InputError
from geodata.pack import Pack, open_pack
from web.api import create_api
from web.results import DOWNLOADS, Results
from web.transfer import Body

STATIC = Path(__file__).with_name("static")
MAPLIBRE_FILES = ("maplibre-gl.js", "maplibre-gl.css")
MIMETYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

# MapLibre runs its workers from a blob and draws its button signs from data URLs; all else is this server's.
PAGE_POLICY = (
    "default-src 'self'; worker-src blob:; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
# A report is one file with its own styles and drawings; it runs no script here.
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def create_app(results: Path, pack: Pack | None = None) -> Flask:
    """Return the application that shows the results in a folder.

    Args:
        results: a result of ``siting run``, or a folder that holds results or sweeps.
        pack: networks and district points to draw with (default: the bundled pack).

    Raises:
        InputError: when there is no finished result.
    """
    found = Results(results)
    found.check()
    pack = pack or open_pack()
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.register_blueprint(create_api(found, pack))
    assets = _assets()

    @app.get("/")
    def index() -> Response:
        page = render_template("index.html", manifest=pack.manifest, sources=_sources(pack), recovered=_recovered(pack))
        return Body(page.encode(), "text/html").response()

    @app.get("/assets/<name>")
    def asset(name: str) -> Response:
        if name not in assets:
            abort(404, f"no asset '{name}'")
        return assets[name].response()

    @app.get("/results/<key>/<name>")
    def result_file(key: str, name: str) -> Response:
        plan = found.plans().get(key)
        if plan is None or name not in DOWNLOADS or not (plan.path / name).is_file():
            abort(404, f"no file '{name}' of a plan '{key}'")
        is_report = name == "report.html"
        response = send_file(
            plan.path / name, as_attachment=not is_report, download_name=f"{key}-{name}", conditional=True
        )
        if is_report:
            response.headers["Content-Security-Policy"] = REPORT_POLICY
        return response

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.description), error.code or 500

    @app.errorhandler(InputError)
    def unreadable(error: InputError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 500

    @app.after_request
    def secure(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "geolocation=(), camera=(), microphone=()"
        return response

    return app


def _sources(pack: Pack) -> list[tuple[str, str]]:
    """Sources of the pack with their licences, each once."""
    files = pack.manifest.get("files", {}).values()
    return sorted({(file["source"], file["licence"]) for file in files})


def _recovered(pack: Pack) -> str | None:
    """Share of post offices left out of a trial rebuilding that fall in their own district, if measured."""
    share = pack.manifest.get("figures", {}).get("districts", {}).get("holdout_accuracy")
    return None if share is None else f"{100 * share:.1f}\u00a0%"


def _assets() -> dict[str, Body]:
    """Scripts and styles by name, in memory: a name from a request is only ever looked up here."""
    # Found, not imported: the import is slow and warns of packages that are not needed here.
    spec = importlib.util.find_spec("maplibre")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package 'maplibre' is not installed; run `pip install -e .`")
    maplibre = Path(spec.submodule_search_locations[0]) / "srcjs"
    files = [*sorted(STATIC.iterdir()), *(maplibre / name for name in MAPLIBRE_FILES)]
    assets = {}
    for file in files:
        content = file.read_bytes()
        if file.name == "maplibre-gl.js":
            content = content.partition(b"//# sourceMappingURL=")[0]  # the package does not bring that file
        assets[file.name] = Body(content, MIMETYPES[file.suffix])
    return assets


def serve(results: Path, host: str = "127.0.0.1", port: int = 8000, pack: Path | None = None) -> None:
    """Serve the map until interrupted; ``pack`` is the folder of the pack that the results were made on.

    Raises:
        InputError: when there is no finished result or no pack, or the port is taken.
    """
    app = create_app(results, open_pack(pack) if pack else None)
    try:
        server = create_server(app, host=host, port=port, threads=8, ident=None)
    except OSError as error:
        raise InputError(f"--host {host} --port {port}: {error.strerror}; choose another port") from error
    Thread(target=_prepare, args=(app,), daemon=True).start()
    print(f"Map of {results}: http://{host}:{port}/  (stop with Ctrl-C)", flush=True)
    try:
        server.run()
    finally:
        server.close()


def _prepare(app: Flask) -> None:
    """Make what the first view needs, so that the first visitor need not wait for it."""
    client = app.test_client()
    plan = client.get("/api/v1/plans").get_json()["plans"][0]["key"]
    for layer in ("shapes", "districts", "sites", "places"):
        client.get(f"/api/v1/plans/{plan}/{layer}")

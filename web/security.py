"""What every request must be and every answer carries: hosts, origins, limits, headers, errors, the log."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Collection, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn

from flask import Flask, Response, abort, current_app, g, request
from werkzeug.exceptions import HTTPException

from geodata.errors import Fault, InputError

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
MAX_BODY_BYTES = 64 * 1024
MAX_QUERY_BYTES = 2048
WRITING = ("POST", "DELETE", "PUT", "PATCH")

# MapLibre runs its workers from a blob and draws its button signs from data URLs; all else is this server's.
PAGE_POLICY = (
    "default-src 'self'; worker-src 'self' blob:; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}

log = logging.getLogger("web.requests")


ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?")


def init_security(
    app: Flask, hosts: Collection[str], folders: Sequence[Path] = (), embed_in: Sequence[str] = ()
) -> None:
    """Check every request, and finish and log every answer, of an application.

    Args:
        hosts: names under which the server may be addressed, without port; another name in a browser is a page
            elsewhere that had its own name lead here (DNS rebinding).
        folders: what no error may tell: where files of the server are.
        embed_in: origins whose pages may show the view ``?embed=1`` in a frame.

    Raises:
        InputError: for what is no origin.
    """
    _check_origins(embed_in)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["JSON_SORT_KEYS"] = False
    app.config["FOLDERS"] = folders

    @app.before_request
    def check() -> None:
        g.began = time.perf_counter()
        if _host_name(request.host) not in hosts:
            refuse(421, f"this server does not answer for the host {request.host!r}; open it as {', '.join(hosts)}")
        if len(request.query_string) > MAX_QUERY_BYTES:
            refuse(414, f"the query has {len(request.query_string)} bytes; at most {MAX_QUERY_BYTES} are read")
        if (request.content_length or 0) > MAX_BODY_BYTES:
            refuse(413, f"the body has {request.content_length} bytes; at most {MAX_BODY_BYTES} are read")
        if request.method in WRITING or (request.path.startswith("/api/") and not _is_link()):
            _same_origin()
        if request.method == "POST" and request.mimetype != "application/json":
            refuse(415, f"the body is {request.mimetype or 'of no type'}; send Content-Type: application/json")

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        response.headers.update(HEADERS)
        _let_frame(response, embed_in)
        ms = 1000 * (time.perf_counter() - g.began) if "began" in g else 0.0
        log.info(json.dumps({
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "method": request.method, "path": request.path,
            "status": response.status_code, "ms": round(ms, 1), "bytes": response.content_length,
            "from": request.remote_addr,
        }))  # fmt: skip
        return response

    _tell_errors(app)


def _tell_errors(app: Flask) -> None:
    """Tell every error as a problem, none with the inside of the server."""

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Response:
        if error.response is not None:  # already told, by refuse()
            return error.response  # type: ignore[return-value]
        answer = problem(error.code or 500, error.description or "")
        if getattr(error, "valid_methods", None):
            answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
        return answer

    @app.errorhandler(InputError)
    def unreadable(error: InputError) -> Response:
        return problem(500, str(error), error.problems)

    @app.errorhandler(FileNotFoundError)
    def gone(error: FileNotFoundError) -> Response:
        return problem(410, "what was asked for has been removed in this moment; look at the list again")

    @app.errorhandler(OSError)
    def no_disk(error: OSError) -> Response:
        log.error(json.dumps({"path": request.path, "error": str(error)}))
        return problem(503, f"the server cannot use its files: {error.strerror}; free space or mend their folder")


def _check_origins(embed_in: Sequence[str]) -> None:
    strange = [origin for origin in embed_in if not ORIGIN.fullmatch(origin)]
    if strange:
        remedy = "give scheme and host alone, https://portal.example.in"
        raise InputError([Fault(f"--embed-in {origin!r} is no origin", remedy) for origin in strange])


def _let_frame(response: Response, embed_in: Sequence[str]) -> None:
    """Let pages of other origins frame the view that is made for them."""
    if embed_in and request.endpoint == "pages.index" and request.args.get("embed") == "1":
        del response.headers["X-Frame-Options"]  # knows no list of origins
        allowed = f"frame-ancestors 'self' {' '.join(embed_in)}"
        response.headers["Content-Security-Policy"] = PAGE_POLICY.replace("frame-ancestors 'none'", allowed)


def without_folders(text: str) -> str:
    """Return a message without where on this machine the server's folders are."""
    for folder in current_app.config.get("FOLDERS", ()):
        text = text.replace(f"{folder}{os.sep}", "").replace(str(folder), "the server's folder")
    return text


def problem(status: int, detail: str, problems: Sequence[str] = ()) -> Response:
    """Return an error as ``application/problem+json`` (RFC 9457)."""
    detail, problems = without_folders(detail), [without_folders(text) for text in problems]
    content: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    content |= {"detail": detail, "problems": problems}
    # In ASCII, which holds even what a request brings and UTF-8 cannot, half a surrogate pair say.
    return Response(json.dumps(content), status, mimetype="application/problem+json")


def refuse(status: int, detail: str, problems: Sequence[str] = (), retry_after_s: int | None = None) -> NoReturn:
    """End the request with an error that says what was sent, what was expected and how to mend it."""
    answer = problem(status, detail, problems)
    if retry_after_s is not None:
        answer.headers["Retry-After"] = str(retry_after_s)
    abort(answer)


def _host_name(host: str) -> str:
    return host if host.endswith("]") else host.rpartition(":")[0] or host


def _is_link() -> bool:
    """Whether somebody followed a link, from a letter say, which shows the answer to them alone."""
    return request.headers.get("Sec-Fetch-Mode") == "navigate"


def _same_origin() -> None:
    """Refuse what a page of another origin sends; a program that is no browser names no origin."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    if site not in ("same-origin", "none"):
        refuse(403, "another site asked for this; open the map itself and ask from there")
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        refuse(403, f"the origin {origin!r} is not this server; open the map itself and ask from there")

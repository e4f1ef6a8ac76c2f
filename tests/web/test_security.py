"""What the server refuses, and what every answer carries."""

from __future__ import annotations

import errno
import json
import logging
from urllib.parse import quote

import pytest
from tiny_result import tiny_pack, write_result

from web.app import create_app
from web.transfer import Shelf

PLAN = "/api/v1/plans/tiny"
WRITING = [
    ("POST", "/api/v1/runs"), ("POST", "/api/v1/sessions"), ("DELETE", "/api/v1/runs/x"),
    ("POST", "/api/v1/runs/x/restart"), ("POST", "/api/v1/runs/x/save"),
]  # fmt: skip


def told(response, status):
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.mimetype == "application/problem+json"
    content = response.get_json()
    assert content["status"] == status
    assert content["detail"]
    return content["detail"]


@pytest.mark.parametrize(("method", "address"), WRITING)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_another_site_starts_and_stops_nothing(client, method, address, headers):
    assert "site" in told(client.open(address, method=method, json={}, headers=headers), 403) or headers.get("Origin")


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}])
def test_the_page_itself_and_programs_may_ask(client, headers):
    told(client.post("/api/v1/runs", json={"plan": "unknown"}, headers=headers), 404)


def test_a_form_of_another_page_cannot_be_json(client):
    for mimetype in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        told(client.post("/api/v1/runs", data='{"plan": "tiny"}', content_type=mimetype), 415)
    told(client.post("/api/v1/runs"), 415)


def test_another_site_reads_no_data_but_a_link_may_be_followed(client):
    told(client.get(PLAN, headers={"Sec-Fetch-Site": "cross-site"}), 403)
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get(f"{PLAN}/tables/sites.csv", headers=link).status_code == 200
    assert "Access-Control-Allow-Origin" not in client.get(PLAN).headers


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"7", b"{", b"\xff\xfe", b"[" * 60_000, b'{"a":' * 9_000,
        b'{"plan": ' + b"9" * 5_000 + b"}", b'{"plan": "\\ud800"}', b'{"\\ud800": 1}',
        b'{"plan": null}', b'{"plan": ["tiny"]}', b'{"plan": "tiny\\u0000"}',
        b'{"study": "../studies/x"}', b'{"plan": "tiny", "plan": {}}',
    ],
)  # fmt: skip
def test_a_body_that_is_no_question_is_told_so(client, body):
    response = client.post("/api/v1/runs", data=body, content_type="application/json; charset=utf-8")
    assert response.status_code in (400, 404)
    assert response.mimetype == "application/problem+json"
    assert response.get_json()["detail"]


@pytest.mark.parametrize(
    ("address", "status"), [(PLAN, 200), (f"{PLAN}/districts", 200), ("/", 200), ("/api/v1/x", 404)]
)
def test_head_is_get_without_the_body(client, address, status):
    got, head = client.get(address), client.head(address)
    assert (got.status_code, head.status_code, head.data) == (status, status, b"")
    for name in ("ETag", "Content-Type", "Content-Length", "Content-Security-Policy"):
        assert head.headers.get(name) == got.headers.get(name)


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"), ("br, gzip;q=0.5", "gzip"), ("*", "gzip"), ("br", None), ("gzip;q=0", None),
        ("identity", None), ("", None), ("nonsense;;q=x", None),
    ],
)  # fmt: skip
def test_an_answer_is_compressed_only_as_asked(client, accepted, encoding):
    response = client.get(f"{PLAN}/districts", headers={"Accept-Encoding": accepted})
    assert response.headers.get("Content-Encoding") == encoding
    assert response.headers["Vary"].count("Accept-Encoding") == 1


@pytest.mark.parametrize("tags", ["*", '"other", {tag}', "{strong}"])
def test_a_tag_is_known_again_however_it_is_sent(client, tags):
    tag = client.get(f"{PLAN}/districts").headers["ETag"]
    sent = tags.format(tag=tag, strong=tag.removeprefix("W/"))
    again = client.get(f"{PLAN}/districts", headers={"If-None-Match": sent, "Accept-Encoding": "gzip"})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get(f"{PLAN}/districts", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_disk_that_takes_nothing_is_told_and_nothing_is_begun(solved, monkeypatch):
    app = create_app(solved / "results", studies=solved / "studies")
    client, pool = app.test_client(), app.extensions["pool"]
    monkeypatch.setattr(pool, "start", lambda: None)

    def full(run):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pool.store, "put", full)
    before = dict(pool.runs)
    assert "No space left" in told(client.post("/api/v1/runs", json={"plan": "tiny"}), 503)
    assert pool.runs == before and pool.health()["queue"] == 0


def test_names_that_are_not_there_leave_nothing_in_memory(app, client):
    shelves = [cell.cell_contents for cell in app.view_functions["api.plans_lanes"].__closure__]
    shelf = next(content for content in shelves if isinstance(content, Shelf))
    before = len(shelf._locks)
    for k in range(20):
        told(client.get(f"{PLAN}/lanes?district=no/{k}"), 404)
    assert len(shelf._locks) == before


def test_a_plan_whose_folder_has_a_hindi_name_can_be_opened_and_taken_away(tmp_path):
    write_result(tmp_path / "राष्ट्रीय योजना")
    client = create_app(tmp_path, tiny_pack()).test_client()
    (plan,) = client.get("/api/v1/plans").get_json()["plans"]
    base = f"/api/v1/plans/{quote(plan['id'])}"
    assert client.get(f"{base}/districts").status_code == 200
    table = client.get(f"{base}/tables/sites.csv")
    assert table.status_code == 200
    assert quote("राष्ट्रीय योजना-sites.csv") in table.headers["Content-Disposition"]
    with client.get(f"/results/{quote(plan['id'])}/sites.csv") as file:
        assert file.status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", "10.0.0.1:8000"])
def test_a_foreign_name_that_leads_here_is_refused(client, host):
    told(client.get("/", headers={"Host": host}), 421)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000"])
def test_the_local_names_are_answered(client, host):
    assert client.get("/health", headers={"Host": host}).status_code == 200


def test_bodies_and_queries_are_bounded(client):
    told(client.post("/api/v1/runs", data=b"x" * 70_000, content_type="application/json"), 413)
    told(client.get(f"{PLAN}/lanes?district={'x' * 3000}"), 414)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"null", b'"x"', b"\xff"])
def test_bodies_that_are_no_object_are_refused(client, body):
    told(client.post("/api/v1/runs", data=body, content_type="application/json"), 400)


@pytest.mark.parametrize("address", ["/", "/assets/style.css", PLAN, "/nothing", "/health", f"{PLAN}/map.svg",
                                     "/print/plans/tiny"])  # fmt: skip
def test_every_answer_carries_the_secure_headers(client, address):
    headers = client.get(address).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_error_of_our_own_is_told_without_its_inside(app, method, monkeypatch):
    def broken():
        raise RuntimeError("the secret inside")

    monkeypatch.setitem(app.view_functions, "health", broken)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr(app.logger, "disabled", True)
    response = app.test_client().get("/health")
    assert "secret" not in told(response, 500)


def test_every_request_is_one_line_of_json_in_the_log(client, caplog):
    with caplog.at_level(logging.INFO, "web.requests"):
        client.get("/api/v1/plans/a%0Ab")
    (record,) = caplog.records
    line = json.loads(record.getMessage())
    assert "\n" not in record.getMessage()
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/plans/a\nb", 404)
    assert line["ms"] >= 0


def test_a_server_without_a_plan_says_how_to_make_one(monkeypatch, tmp_path, capsys):
    import web.app

    class Server:
        def run(self):
            pass

        close = run

    monkeypatch.setattr(web.app, "create_server", lambda app, **options: Server())
    monkeypatch.setattr(web.app, "_prepare", lambda app: None)
    web.app.serve(tmp_path / "results")
    told = capsys.readouterr().out
    assert "make study" in told
    assert "http://127.0.0.1:8000/what-if" in told


def test_the_server_answers_this_machine_only_unless_told(monkeypatch, results):
    import web.app

    asked = {}

    def listen(app, **options):
        asked.update(options)
        raise OSError(98, "in use")

    monkeypatch.setattr(web.app, "create_server", listen)
    with pytest.raises(ValueError, match="choose another port"):
        web.app.serve(results)
    assert asked["host"] == "127.0.0.1"

"""What the server refuses, and what every answer carries."""

from __future__ import annotations

import json
import logging

import pytest

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

"""A view in a frame of another site: without the rest of the page, and only where the office allows it."""

from __future__ import annotations

import re

import pytest
from browser import needs_chromium
from loopback import serving
from tiny_result import tiny_pack

from geodata.errors import InputError
from web.app import create_app

PORTAL = "https://portal.example.in"


def headers(app, path):
    return app.test_client().get(path).headers


def test_only_the_embedded_view_is_framed_and_only_by_those_named(results):
    app = create_app(results, tiny_pack(), results.parent / "studies", embed_in=[PORTAL])
    told = headers(app, "/?embed=1")
    assert f"frame-ancestors 'self' {PORTAL}" in told["Content-Security-Policy"]
    assert "default-src 'self'" in told["Content-Security-Policy"]
    assert "X-Frame-Options" not in told
    for path in ("/", "/what-if?embed=1", "/print/plans/tiny", "/api/v1/plans?embed=1"):
        told = headers(app, path)
        assert "frame-ancestors 'none'" in told["Content-Security-Policy"]
        assert told["X-Frame-Options"] == "DENY"


def test_nobody_frames_it_unless_that_is_set(app):
    told = headers(app, "/?embed=1")
    assert "frame-ancestors 'none'" in told["Content-Security-Policy"]
    assert told["X-Frame-Options"] == "DENY"
    assert b'id="embed"' not in app.test_client().get("/").data


@pytest.mark.parametrize("origin", ["*", "portal.example.in", "https://a.in; script-src *", "https://a.in/path"])
def test_what_is_no_origin_is_refused(results, origin):
    with pytest.raises(InputError, match="is no origin"):
        create_app(results, tiny_pack(), results.parent / "studies", embed_in=[origin])


@needs_chromium
@pytest.mark.parametrize(("lang", "told"), [("en", "Open the whole map"), ("hi", "पूरा मानचित्र खोलें")])
def test_the_snippet_shows_the_view_in_a_page_of_another_site(chromium, results, tmp_path, lang, told):
    from flask import Flask

    portal, pages = Flask("portal"), {}
    portal.add_url_rule("/", "page", lambda: f'<link rel="icon" href="data:,">{pages["snippet"]}')
    with serving(portal) as port:
        app = create_app(results, tiny_pack(), tmp_path, embed_in=[f"http://127.0.0.1:{port}"])
        with chromium.visiting(app, webgl=False) as visit:
            page = visit.open(f"/?lang={lang}#measure=exports")
            page.click("#embed")
            pages["snippet"] = page.input_value("#embed-code")
            assert re.match(r'<iframe src="[^"]+embed=1#[^"]+" title="Tiny study', pages["snippet"])
            page.goto(f"http://127.0.0.1:{port}/")
            frame = page.frame_locator("iframe")
            frame.locator("#legend li").first.wait_for()
            assert frame.locator("#whole").inner_text() == told
            assert not frame.locator("header.top").is_visible() and not frame.locator("#tour").is_visible()
            assert frame.locator("#brief .sentence").is_visible()
            assert "measure=exports" in frame.locator("#whole a").get_attribute("href")
            assert visit.complaints == []

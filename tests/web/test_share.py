"""A view is taken away as a picture that says what it is, and a link that says when its plan has changed."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from browser import needs_chromium

pytestmark = needs_chromium


@pytest.mark.parametrize(("lang", "told"), [("en", "fingerprint"), ("hi", "फ़िंगरप्रिंट")])
def test_the_view_is_saved_as_svg_and_png_with_title_legend_source_and_fingerprint(chromium, app, lang, told):
    with chromium.visiting(app, webgl=False) as visit:
        page = visit.open(f"/?lang={lang}#measure=exports")
        with page.expect_download() as loading:
            page.click("#svg")
        drawing = Path(loading.value.path()).read_text(encoding="utf-8")
        assert loading.value.suggested_filename == "tiny.svg"
        for text in ("Tiny study", "© OpenStreetMap contributors", told, "0" * 16, "US$"):
            assert text in drawing, text
        with page.expect_download() as loading:
            page.click("#png")
        assert loading.value.suggested_filename == "tiny.png"
        content = Path(loading.value.path()).read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = struct.unpack(">II", content[16:24])
        assert width == 2216 and height == 1200
        visit.assert_quiet()


@pytest.mark.parametrize(("lang", "told"), [("en", "has changed"), ("hi", "बदल गई")])
def test_a_link_to_a_plan_that_has_changed_says_so(chromium, app, lang, told):
    with chromium.visiting(app, webgl=False) as visit:
        page = visit.open(f"/?lang={lang}#plan=tiny")
        assert "fp=000000000000" in page.url
        assert not page.is_visible("#notice")
        page = visit.open(f"/?lang={lang}#plan=tiny&fp=abcdefabcdef")
        assert told in page.inner_text("#notice")


@pytest.mark.parametrize(("lang", "first"), [("en", "limit="), ("hi", "यह प्रश्न इस अध्ययन")])
def test_errors_of_the_server_are_told_in_the_language_of_the_page(chromium, app, lang, first):
    with chromium.visiting(app, webgl=False) as visit:
        page = visit.open(f"/?lang={lang}")
        told = page.evaluate(
            """async () => {
              const m = await import('/assets/data.js');
              return m.get('/api/v1/plans/tiny/tables/districts.json?limit=-1').catch((error) => error.message);
            }"""
        )
        assert told.startswith(first)
        visit.complaints.clear()  # Chromium logs the refusal

"""The tour of four steps, and the table beside the map, whose rows show where they are."""

from __future__ import annotations

import pytest
from browser import needs_chromium

pytestmark = needs_chromium


@pytest.mark.parametrize(("lang", "done"), [("en", "Done"), ("hi", "पूरा")])
def test_the_tour_is_taken_by_keyboard_once(chromium, app, lang, done):
    with chromium.visiting(app, webgl=False) as visit:
        page = visit.open(f"/?lang={lang}")
        seen = [page.inner_text("#tour p")]
        assert page.evaluate("document.activeElement === document.body")  # it takes no focus that it was not given
        page.locator("#tour button").first.focus()
        for _step in range(3):
            page.keyboard.press("Enter")
            seen.append(page.inner_text("#tour p"))
        assert [text[:3] for text in seen] == ["1/4", "2/4", "3/4", "4/4"]
        assert page.get_attribute("#print", "class") == "button toured"
        assert page.evaluate("document.activeElement.textContent") == done
        page.keyboard.press("Enter")
        assert not page.is_visible("#tour") and page.locator(".toured").count() == 0
        page = visit.open(f"/?lang={lang}")
        assert not page.is_visible("#tour")  # remembered
        page.click("#show-tour")
        page.wait_for_selector("#tour p")
        page.keyboard.press("Escape")
        assert not page.is_visible("#tour")
        assert page.evaluate("document.activeElement.id") == "show-tour"
        visit.assert_quiet()


@pytest.mark.parametrize("webgl", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_row_that_one_points_at_stands_out_on_the_map_beside_it(chromium, app, webgl):
    with chromium.visiting(app, webgl=webgl) as visit:
        page = visit.open("/?lang=en#tab=both")
        page.wait_for_selector("#table tbody tr")
        table, drawn = page.locator("#tab-table").bounding_box(), page.locator("#tab-map").bounding_box()
        assert table["x"] + table["width"] <= drawn["x"] + 1 and drawn["width"] > 300
        page.hover("#table tbody tr:has(th:has-text('Beeland'))")
        if not webgl:
            lit = "[...document.querySelectorAll('.svg-districts path')].map(path => path.classList.contains('lit'))"
            assert page.evaluate(lit) == [False, True, False]
            page.focus("#table tbody tr:has(th:has-text('Aaland')) button")
            page.mouse.move(0, 0)
            page.focus("#table tbody tr:has(th:has-text('Beeland')) button")  # by keyboard too
            assert page.evaluate(lit) == [False, True, False]
        page.click("#table tbody tr:has(th:has-text('Aaland')) button")
        page.wait_for_selector("#card h2:has-text('Aaland')")
        assert "tab=both" in page.url
        visit.assert_quiet()


@pytest.mark.parametrize("width", [820, 1024, 1366])
@pytest.mark.parametrize("page_of", ["/", "/what-if"])
def test_layers_never_cover_the_country(chromium, swept, width, page_of):
    with chromium.visiting(swept, webgl=False, width=width) as visit:
        page = visit.open(page_of)
        drawn, box = page.locator("#map").bounding_box(), page.locator("#layers").bounding_box()
        assert drawn["width"] >= 760 or box["height"] < 60

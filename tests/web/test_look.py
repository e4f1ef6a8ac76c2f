"""Look: what a plan does, on a map and in tables, with and without WebGL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from babel.messages.pofile import read_po
from browser import Visit, needs_chromium, visiting
from tiny_result import HOSTILE

pytestmark = needs_chromium
WEB = Path(__file__).parents[2] / "web"


@pytest.fixture(scope="module", params=["webgl", "svg"])
def visit(request, app) -> Iterator[Visit]:
    with visiting(app, webgl=request.param == "webgl") as visit:
        yield visit
        visit.assert_quiet()


def test_the_national_view_tells_saving_proof_sources_and_boundaries(visit):
    page = visit.open("/")
    assert "Tiny study" in page.title()
    assert "₹1.05 lakh" in page.inner_text("#saving")
    assert "Proven" in page.inner_text("#proof")
    assert "Survey of India" in page.inner_text("#map")
    assert "© OpenStreetMap contributors" in page.inner_text("#map")
    assert page.locator("#legend li").count() >= 2


def test_a_measure_is_classed_in_equal_numbers_or_steps_and_in_two_palettes(visit):
    page = visit.open("/#measure=exports")
    colours = "els => els.map(e => getComputedStyle(e).backgroundColor)"
    shown = [page.inner_text("#legend"), page.eval_on_selector_all("#legend .swatch", colours)]
    page.select_option("#classes", "equal")
    assert page.inner_text("#legend") != shown[0]
    page.select_option("#palette", "viridis")
    assert page.eval_on_selector_all("#legend .swatch", colours) != shown[1]
    assert "classes=equal" in page.url and "palette=viridis" in page.url


@pytest.mark.parametrize("typed", ["aal", "Alaand", "आलैंड"])
def test_a_district_is_found_by_keyboard_despite_slips_and_in_hindi(visit, typed):
    page = visit.open("/")
    page.focus("#search")
    page.keyboard.insert_text(typed)
    page.keyboard.press("Enter")
    page.wait_for_selector("#card h2:has-text('Aaland')")
    assert page.evaluate("document.activeElement.textContent") == "Aaland"
    card = page.inner_text("#card")
    for told in ("₹2,000", "₹1,000", "−50.0 %", "Beeland", "Port Sea"):
        assert told in card
    page.keyboard.press("Escape")
    page.wait_for_selector("#card", state="hidden")
    assert page.evaluate("document.activeElement.id") == "search"


def test_a_hostile_name_is_text_everywhere(visit):
    page = visit.open("/#measure=exports")
    scripts = page.locator("script").count()
    page.fill("#search", "script")
    page.keyboard.press("Enter")
    page.wait_for_selector("#card h2")
    assert page.inner_text("#card h2") == HOSTILE
    page.click("[data-tab=table]")
    assert HOSTILE in page.inner_text("#table")
    assert page.locator("script").count() == scripts


def test_a_view_can_be_passed_on_by_its_address(visit):
    page = visit.open(
        "/#measure=co2e_saved&classes=equal&palette=viridis&layers=sites,rail&site=warehouse%40alpha%2Fbeeland"
    )
    page.wait_for_selector("#card h2")
    assert [page.input_value(f"#{name}") for name in ("measure", "classes", "palette")] == [
        "co2e_saved", "equal", "viridis",
    ]  # fmt: skip
    assert page.is_checked("[data-layer=rail]") and not page.is_checked("[data-layer=ports]")
    assert "Warehouse" in page.inner_text("#card")
    page.click("#card button:has-text('Aaland, Alpha')")
    page.wait_for_selector("#card h2:has-text('Aaland')")
    address = page.url
    assert "district=alpha%2Faaland" in address
    page.go_back()
    page.wait_for_selector("#card h2:has-text('Beeland')")
    visit.open(address.removeprefix(visit.url))
    page.wait_for_selector("#card h2:has-text('Aaland')")


def test_the_filter_is_the_same_for_legend_table_and_download(visit):
    page = visit.open("/#tab=table")
    first = page.locator("#table tbody tr:first-child th")
    assert first.inner_text() == "Aaland"  # most saved first
    page.click("#table thead button:has-text('Exports')")
    assert first.inner_text() == HOSTILE
    assert page.get_attribute("#table th:has-text('Exports')", "aria-sort") == "descending"
    page.click("#filter summary")
    page.select_option("#filter-group", "under")
    page.fill("#filter-q", "AALAND")
    assert page.locator("#table tbody tr").count() == 1
    assert page.inner_text("#filter-count") == "1 of 3 districts"
    with page.expect_download() as loading:
        page.click("[data-download=csv]")
    rows = Path(loading.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 2 and "Aaland" in rows[1]
    first.locator("button").click()
    page.wait_for_selector("#card h2:has-text('Aaland')")
    assert page.is_visible("#tab-map")


@pytest.mark.parametrize("layer", ["districts", "sites", "lanes", "gateways", "depots"])
def test_every_layer_has_a_table_twin_in_four_formats(visit, layer):
    page = visit.open(f"/#tab=table&layer={layer}")
    page.wait_for_selector("#table tbody tr")
    for kind in ("csv", "geojson", "gpkg", "xlsx"):
        answer = page.request.get(visit.url + page.get_attribute(f"[data-download={kind}]", "href"))
        assert answer.ok, answer.text()
        assert "attachment" in answer.headers["content-disposition"]


def test_every_layer_of_the_map_can_be_switched(visit):
    page = visit.open("/")
    for box in page.locator("[data-layer]").all():
        before = box.is_checked()
        box.click()
        assert box.is_checked() is not before
    page.wait_for_load_state("networkidle")
    assert any(urlsplit(request).path.endswith("/map/rail") for request in visit.requests)


def test_modes_of_lanes_differ_by_line_style_and_not_by_colour_alone(visit):
    page = visit.open("/#district=alpha%2Fscript-alert-x-script")
    page.wait_for_selector("#card h2")
    assert page.eval_on_selector("#card .stroke.rail", "e => getComputedStyle(e).borderTopStyle") == "dashed"
    assert page.eval_on_selector("#card .stroke.road", "e => getComputedStyle(e).borderTopStyle") == "solid"
    if page.is_visible("#no-webgl"):
        dash = "path => getComputedStyle(path).strokeDasharray"
        assert page.eval_on_selector(".svg-lanes path.road", dash) == "none"
        assert page.eval_on_selector(".svg-lanes path.rail", dash) != "none"


def test_the_print_view_is_a_vector_map_with_legend_sources_note_and_fingerprint(visit):
    page = visit.open("/")
    page.goto(visit.url + page.get_attribute("#print", "href"))
    text = page.inner_text("body")
    for told in ("Tiny study", "approximate", "Survey of India", "© OpenStreetMap contributors", "0" * 64):
        assert told in text
    assert page.locator("figure svg path").count() >= 3


def test_hindi_speaks_through_and_through(visit):
    page = visit.open("/?lang=hi#district=alpha%2Faaland")
    page.wait_for_selector("#card h2")
    assert page.evaluate("document.documentElement.lang") == "hi"
    assert page.inner_text("#card h2") == "आलैंड"
    assert "₹1.05 लाख" in page.inner_text("#saving")
    page.click("[data-tab=table]")
    assert "ज़िला" in page.inner_text("#table thead")
    page.click(".languages a[hreflang=en]")
    page.wait_for_selector("html[lang=en][data-ready=yes]")
    assert "district=alpha%2Faaland" in page.url


def test_the_page_is_readable_on_a_phone(visit):
    page = visit.open("/")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1280, "height": 720})


def test_no_word_of_the_pages_lacks_its_hindi():
    texts = {}
    for file in [*WEB.glob("static/*.js"), *WEB.glob("templates/*.html")]:
        code = "\n".join(line.partition("// `")[0] for line in file.read_text(encoding="utf-8").splitlines())
        for found in re.finditer(r"""(?<!\w)(?:_|ngettext)\(\s*(?:"([^"]+)"|'([^']+)')""", code):
            texts[found[1] or found[2]] = file.name
    with (WEB / "translations/hi/LC_MESSAGES/messages.po").open("rb") as file:
        known = {m.id if isinstance(m.id, str) else m.id[0] for m in read_po(file) if m.string}
    assert len(texts) > 250
    assert {text: name for text, name in texts.items() if text not in known} == {}

"""Look: what a plan does, on a map and in tables, with and without WebGL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from babel.messages.pofile import read_po
from browser import Visit, needs_chromium
from tiny_result import HOSTILE, tiny_pack

from web.app import create_app

pytestmark = needs_chromium
WEB = Path(__file__).parents[2] / "web"
COLOURS = "els => els.map(e => getComputedStyle(e).backgroundColor)"


# What the page does is the same with either map; the drawing is the quicker one on a machine without a graphics card.
@pytest.fixture(scope="module", params=["svg", pytest.param("webgl", marks=pytest.mark.slow)])
def visit(request, chromium, app) -> Iterator[Visit]:
    with chromium.visiting(app, webgl=request.param == "webgl") as visit:
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


def test_a_measure_is_classed_in_equal_numbers_or_steps_of_one_hue(visit):
    page = visit.open("/#measure=exports")
    shown = [page.inner_text("#legend"), page.eval_on_selector_all("#legend .swatch", COLOURS)]
    page.select_option("#classes", "equal")
    assert page.inner_text("#legend") != shown[0]
    assert "classes=equal" in page.url
    page.select_option("#measure", "hours_after")
    assert page.eval_on_selector_all("#legend .swatch", COLOURS) != shown[1]


def test_a_district_is_found_by_keyboard_despite_slips_and_in_hindi(visit):
    page = visit.open("/")
    for typed in ("aala", "Alaand", "आलैंड"):
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
    page.wait_for_selector("#table tbody tr")
    assert HOSTILE in page.inner_text("#table")
    assert page.locator("script").count() == scripts


def test_a_view_can_be_passed_on_by_its_address(visit):
    page = visit.open("/#measure=co2e_saved&classes=equal&layers=sites,rail&site=warehouse%40alpha%2Fbeeland")
    page.wait_for_selector("#card h2")
    assert [page.input_value(f"#{name}") for name in ("measure", "classes")] == ["co2e_saved", "equal"]
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


def test_every_layer_has_a_table_twin_in_four_formats(visit):
    page = visit.open("/#tab=table")
    layers = page.eval_on_selector_all("[data-layer]", "boxes => boxes.map(box => box.dataset.layer)")
    twins = page.eval_on_selector_all("#layer option", "options => options.map(option => option.value)")
    assert {"gateways" if layer == "ports" else layer for layer in layers} | {"districts", "lanes"} == set(twins)
    for layer in twins:
        page.select_option("#layer", layer)
        page.wait_for_selector(f"#table table[data-layer={layer}] tbody tr")
        for kind in ("csv", "geojson", "gpkg", "xlsx"):
            answer = page.request.get(visit.url + page.get_attribute(f"[data-download={kind}]", "href"))
            assert answer.ok, answer.text()
            assert "attachment" in answer.headers["content-disposition"]


def test_roads_and_railways_are_filtered_by_state_and_sorted_over_all_rows(visit):
    page = visit.open("/#tab=table&layer=roads&state=Alpha")
    page.wait_for_selector("#table table[data-layer=roads] tbody tr")
    assert page.inner_text("#row-count") == "3 rows"
    assert set(page.locator("#table tbody td:nth-child(2)").all_inner_texts()) == {"Alpha"}
    assert "state=Alpha" in page.get_attribute("[data-download=csv]", "href")
    page.click("#table thead button:has-text('Kind')")
    assert page.evaluate("document.activeElement.textContent") == "Kind"
    assert page.get_attribute("#table th:has-text('Kind')", "aria-sort") == "ascending"


def test_before_and_after_are_classed_together(visit):
    """A colour says the same on either map: the limits between the classes are the same."""
    page = visit.open("/#measure=hours_before")
    options = page.eval_on_selector_all("#measure option", "options => options.map(option => option.value)")
    for pair in ("cost", "hours", "co2e"):
        limits = []
        for when in ("before", "after"):
            assert f"{pair}_{when}" in options
            page.select_option("#measure", f"{pair}_{when}")
            colours = page.eval_on_selector_all("#legend .swatch", COLOURS)
            texts = page.locator("#legend .label").all_inner_texts()
            limits.append(dict(zip(colours, texts, strict=True)))
        shared = limits[0].keys() & limits[1].keys()
        assert shared and all(limits[0][colour] == limits[1][colour] for colour in shared)


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
    for told in ("Tiny study", "Survey of India", "© OpenStreetMap contributors", "0" * 64):
        assert told in text
    assert page.locator("figure svg path").count() >= 3


def test_hindi_speaks_through_and_through(visit):
    page = visit.open("/?lang=hi#district=alpha%2Faaland")
    page.wait_for_selector("#card h2")
    assert page.evaluate("document.documentElement.lang") == "hi"
    assert page.inner_text("#card h2") == "आलैंड"
    assert "₹1.05 लाख" in page.inner_text("#saving")
    page.click("[data-tab=table]")
    page.wait_for_selector("#table tbody tr")
    assert "ज़िला" in page.inner_text("#table thead")
    page.click(".languages a[hreflang=en]")
    page.wait_for_selector("html[lang=en][data-ready=yes]")
    assert "district=alpha%2Faaland" in page.url


def test_the_pages_are_readable_on_a_phone_below_a_low_header(visit):
    visit.page.set_viewport_size({"width": 390, "height": 844})
    for address in ("/?lang=en", "/?lang=hi#tab=table", "/what-if", "/compare?lang=en"):
        page = visit.open(address)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        assert page.locator(".top").bounding_box()["height"] <= 110, address
    page.set_viewport_size({"width": 1280, "height": 720})


def test_with_webgl_the_map_is_drawn_by_it_and_answers_clicks(chromium, app):
    with chromium.visiting(app) as visit:
        page = visit.open("/")
        assert not page.is_visible("#no-webgl")
        page.wait_for_selector("#map [data-drawn], #map[data-drawn]")
        box = page.locator("#map canvas").bounding_box()
        page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"])
        page.wait_for_selector("#card h2:has-text('Aaland')")
        for name in ("rail", "roads", "depots", "sites"):
            page.click(f"[data-layer={name}]")
        assert "at=" in page.url  # where the map looks is in the address
        visit.assert_quiet()


def test_without_webgl_a_drawing_appears_and_says_why(chromium, app):
    with chromium.visiting(app, webgl=False) as visit:
        page = visit.open("/")
        assert "WebGL" in page.inner_text("#no-webgl")
        assert page.locator(".svg-districts path").count() == 3
        assert "Survey of India" in page.inner_text("#map")
        box, layers, drawn = (page.locator(at).bounding_box() for at in (".svgmap", "#layers", ".svg-districts"))
        free = box["x"] + box["width"] - layers["x"] - layers["width"]  # beside the box of layers
        assert drawn["width"] > 0.9 * free or drawn["height"] > 0.7 * box["height"]  # whatever the area
        page.locator(".svg-sites > *").first.click()
        page.wait_for_selector("#card h2:has-text('Beeland')")
        visit.assert_quiet()


def test_a_pack_of_another_area_tells_its_own_boundaries(chromium, results, tmp_path):
    pack = tiny_pack()
    pack.manifest["figures"] = {}
    app = create_app(results, pack, tmp_path)
    with chromium.visiting(app, webgl=False) as visit:
        page = visit.open("/")
        assert "Survey of India" not in page.content()
        assert "those of the pack Tiny" in page.inner_text("#map")
        page.goto(visit.url + page.get_attribute("#print", "href"))
        assert "Survey of India" not in page.content()
        assert page.content().count("those of the pack Tiny") == 2  # on the drawing and below it
        visit.assert_quiet()


def test_no_word_of_the_pages_lacks_its_hindi():
    texts = {}
    for file in [*WEB.glob("static/*.js"), *WEB.glob("templates/*.html"), *WEB.rglob("*.py")]:
        code = "\n".join(line.partition("// `")[0] for line in file.read_text(encoding="utf-8").splitlines())
        for found in re.finditer(r"""(?<!\w)(?:_|ngettext|marked)\(\s*(?:"([^"]+)"|'([^']+)')""", code):
            texts[found[1] or found[2]] = file.name
    with (WEB / "translations/hi/LC_MESSAGES/messages.po").open("rb") as file:
        known = {m.id if isinstance(m.id, str) else m.id[0] for m in read_po(file) if m.string}
    assert len(texts) > 250
    assert {text: name for text, name in texts.items() if text not in known} == {}

"""The legend is an instrument: it shows where a class is, leaves nothing else, and explains its words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import Visit, needs_chromium
from tiny_result import HOSTILE, tiny_pack, write_result

from web.app import create_app

pytestmark = needs_chromium
FILLS = "paths => paths.map(path => path.getAttribute('fill'))"
LEADERS = {"en": "leaders, not counted", "hi": "अग्रणी ज़िले, गिने नहीं गए"}


@pytest.fixture(scope="module")
def visit(chromium, app) -> Iterator[Visit]:
    with chromium.visiting(app, webgl=False) as visit:
        yield visit
        visit.assert_quiet()


@pytest.mark.parametrize("lang", LEADERS)
def test_a_class_lights_its_districts_while_one_points_at_it(visit, lang):
    page = visit.open(f"/?lang={lang}")
    row = page.locator(f"#legend li:has-text('{LEADERS[lang]}')")
    row.hover()
    assert page.locator(".svg-districts .lit").count() == 1
    page.mouse.move(0, 0)
    assert page.locator(".svg-districts .lit").count() == 0
    row.locator("button").focus()  # by keyboard too
    assert page.locator(".svg-districts .lit").count() == 1


@pytest.mark.parametrize("lang", LEADERS)
def test_a_click_on_a_class_leaves_its_districts_on_map_table_and_download(visit, lang):
    page = visit.open(f"/?lang={lang}")
    before = page.eval_on_selector_all(".svg-districts path", FILLS)
    chosen = page.locator(f"#legend li:has-text('{LEADERS[lang]}') button")
    chosen.click()
    after = page.eval_on_selector_all(".svg-districts path", FILLS)
    assert after[:2] != before[:2] and after[2] == before[2]
    assert "class=leader" in page.url
    assert page.locator("#legend [aria-pressed=true]").count() == 1
    page.click("[data-tab=table]")
    page.wait_for_selector("#table tbody")
    assert page.locator("#table tbody th").all_inner_texts() == [HOSTILE]
    rows = page.request.get(visit.url + page.get_attribute("[data-download=csv]", "href")).text().splitlines()
    assert len(rows) == 2 and "script" in rows[1]
    page.click("[data-tab=map]")
    page.reload()  # the address tells it
    page.wait_for_selector("html[data-ready=yes]")
    assert page.eval_on_selector_all(".svg-districts path", FILLS) == after
    page.click("#legend [aria-pressed=true]")
    assert page.eval_on_selector_all(".svg-districts path", FILLS) == before


def test_another_measure_forgets_the_class(visit):
    page = visit.open("/#class=leader")
    page.select_option("#measure", "exports")
    assert "class=" not in page.url.replace("classes=", "")
    assert page.locator("#legend [aria-pressed=true]").count() == 0


def test_each_class_stands_in_one_line_with_room_for_its_name(visit):
    page = visit.open("/")
    for row in page.locator("#legend li").all():
        assert row.bounding_box()["height"] < 40
        assert row.locator(".label").bounding_box()["width"] > 40
    for button in page.locator(".help:visible").all():
        assert button.bounding_box()["height"] < 24


def test_bars_behind_the_classes_show_how_many_districts_each_has(visit):
    page = visit.open("/#measure=exports")
    bars = page.eval_on_selector_all("#legend .bar", "bars => bars.map(bar => parseFloat(bar.style.width))")
    counts = [int(text.split()[0]) for text in page.locator("#legend .amount").all_inner_texts()]
    assert bars == pytest.approx([100 * count / max(counts) for count in counts], abs=0.1)


@pytest.mark.parametrize(("bars", "told"), [("exports", "100.0"), ("tonnes", "87.0")])
def test_bars_are_of_what_the_classes_export_where_one_asks(visit, bars, told):
    page = visit.open("/?lang=en")
    page.select_option("#bars", bars)
    leaders = page.locator("#legend li:has-text('leaders')")
    assert leaders.locator(".amount").inner_text().startswith(told)  # one district of three, and nearly all of it
    assert leaders.locator(".bar").get_attribute("style") == "width: 100%;"
    assert f"bars={bars}" in page.url


def test_districts_without_a_value_are_hatched_on_the_map_in_the_legend_and_in_print(chromium, tmp_path):
    folder = write_result(tmp_path / "plan")
    text = (folder / "districts.csv").read_text(encoding="utf-8")
    (folder / "districts.csv").write_text(text.replace(",2000.0,", ",,"), encoding="utf-8")  # no road from Aaland
    with chromium.visiting(create_app(tmp_path, tiny_pack(), tmp_path / "studies"), webgl=False) as visit:
        page = visit.open("/")
        fills = page.eval_on_selector_all(".svg-districts path", FILLS)
        assert fills[0].startswith("url(#hatch") and not fills[1].startswith("url")
        assert page.locator("#legend .swatch.hatch").count() == 1
        page.goto(visit.url + page.get_attribute("#print", "href"))
        assert page.locator("figure path[fill^='url(#hatch']").count() == 1
        visit.assert_quiet()


def test_a_site_that_does_not_recover_its_capital_is_hollow(chromium, tmp_path):
    folder = write_result(tmp_path / "plan")
    lines = (folder / "sites.csv").read_text(encoding="utf-8").splitlines()
    text = "\n".join([f"{lines[0]},recovers_capital", f"{lines[1]},False"])
    (folder / "sites.csv").write_text(text, encoding="utf-8")
    with chromium.visiting(create_app(tmp_path, tiny_pack(), tmp_path / "studies"), webgl=False) as visit:
        page = visit.open("/")
        assert page.locator(".svg-sites .hollow").count() == 1
        page.goto(visit.url + page.get_attribute("#print", "href"))
        assert "Hollow: does not recover its capital" in page.inner_text("figure")
        visit.assert_quiet()

"""Compare: two plans side by side, what differs, and the frontier of a sweep."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import Visit, needs_chromium

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def visit(chromium, swept) -> Iterator[Visit]:
    with chromium.visiting(swept) as visit:
        yield visit
        visit.assert_quiet()


def test_two_plans_stand_side_by_side_with_linked_views(visit):
    page = visit.open("/compare#a=tiny&b=sweep~budget-10")
    assert page.locator("#view-pair canvas").count() == 2
    assert "₹60.0 crore" in page.inner_text("#totals") and "₹10.0 crore" in page.inner_text("#totals")
    scale = "#map-{} .maplibregl-ctrl-scale"
    before = page.inner_text(scale.format("b"))
    page.click("#map-a .maplibregl-ctrl-zoom-in")
    page.click("#map-a .maplibregl-ctrl-zoom-in")
    page.wait_for_function(
        "([b, before]) => document.querySelector(b).textContent !== before", arg=[scale.format("b"), before]
    )
    assert page.inner_text(scale.format("a")) == page.inner_text(scale.format("b"))


def test_each_plan_has_its_own_colours_and_counts_by_the_same_classes(chromium, swept):
    fills = "paths => paths.map(path => path.getAttribute('fill').replace(/hatch-\\d+/, 'hatch'))"
    with chromium.visiting(swept, webgl=False) as visit:
        page = visit.open("/compare#a=tiny&b=sweep~budget-10")
        assert page.inner_text("#legend li .amounts").split()[0] == "A"
        painted = []
        for measure in ("cost_before", "saving"):
            page.select_option("#measure", measure)
            painted.append([page.eval_on_selector_all(f"#map-{side} .svg-districts path", fills) for side in "ab"])
        assert painted[0][0] == painted[0][1]  # today is the same in either
        assert painted[1][0] != painted[1][1]  # the smaller budget saves less
        page.select_option("#b", "sweep~budget-30")
        page.wait_for_selector("#name-b:has-text('30')")
        page.wait_for_selector("html[data-ready=yes]")
        assert page.eval_on_selector_all("#map-b .svg-districts path", fills) != painted[1][1]
        visit.assert_quiet()


def test_one_plan_alone_asks_for_another(visit):
    page = visit.open("/compare#a=tiny&b=tiny")
    assert "Choose two plans" in page.inner_text("#view-none")
    assert "same plan" in page.inner_text("#only-one")
    assert not page.is_visible("#view-pair") and not page.is_visible("#totals")
    page.select_option("#b", "sweep~budget-10")
    page.wait_for_selector("html[data-ready=yes] #view-pair canvas")
    assert not page.is_visible("#view-none")


def test_the_difference_map_tells_better_from_worse(visit):
    page = visit.open("/compare#a=tiny&b=sweep~budget-10&view=difference")
    legend = page.inner_text("#legend")
    assert "no change" in legend and "−₹" in legend  # the smaller budget saves less somewhere
    assert page.is_visible("#site-key")


@pytest.mark.parametrize(("lang", "saving"), [("en", "Saving a year"), ("hi", "प्रति वर्ष बचत")])
def test_a_click_on_either_map_tells_a_district_in_both_plans(chromium, swept, lang, saving):
    with chromium.visiting(swept, webgl=False) as visit:
        page = visit.open(f"/compare?lang={lang}#a=tiny&b=sweep~budget-10")
        for side in "ab":
            page.locator(f"#map-{side} .svg-districts path").nth(4).click(force=True)
            page.wait_for_selector("#card h2")
            assert page.locator("#card thead th").all_inner_texts() == ["A", "B"]
            assert saving in page.inner_text("#card tbody")
            assert page.locator(".svg-districts .chosen").count() == 2
            page.click("#card .close")
            assert page.locator(".svg-districts .chosen").count() == 0
        visit.assert_quiet()


def test_lists_name_the_sites_and_districts_that_changed(visit):
    page = visit.open("/compare#a=tiny&b=sweep~budget-10&view=lists")
    text = page.inner_text("#view-lists")
    assert "Sites only in A (" in text and "Sites only in A (0)" not in text
    assert page.locator("#view-lists tbody tr").count() >= 1
    page.click("#swap")
    page.wait_for_selector("#view-lists:has-text('Sites only in A (0)')")


def test_a_point_of_the_frontier_shows_its_plan(visit):
    page = visit.open("/compare#a=tiny&b=sweep~budget-10")
    assert page.locator("#frontier .point").count() == 2
    page.click("#frontier [data-plan='sweep~budget-30'] .reach")
    page.wait_for_selector("#name-b:has-text('30')")
    assert "b=sweep%7Ebudget-30" in page.url or "b=sweep~budget-30" in page.url
    page.wait_for_selector("html[data-ready=yes]")
    page.focus("#frontier [data-plan='sweep~budget-10']")
    page.keyboard.press("Enter")
    page.wait_for_selector("#name-b:has-text('10')")

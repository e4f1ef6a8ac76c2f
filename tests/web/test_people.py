"""The three people whom the map is for, from the front page to what they came for, with their clicks counted."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import needs_chromium

pytestmark = needs_chromium
MANY_MS = 60_000  # the first question waits for the model


class Person:
    """Somebody at a page: every click, every key that confirms and every choice in a list is one."""

    def __init__(self, visit, lang: str) -> None:
        self.page, self.clicks = visit.open(f"/?lang={lang}"), 0

    def click(self, selector: str) -> None:
        self.page.click(selector)
        self.clicks += 1

    def type(self, selector: str, text: str) -> None:
        """Go to a field, write, and confirm."""
        self.click(selector)
        self.page.fill(selector, text)
        self.confirm()

    def confirm(self) -> None:
        self.page.keyboard.press("Enter")
        self.clicks += 1

    def sees(self, selector: str) -> str:
        self.page.wait_for_selector(selector, timeout=MANY_MS)
        return self.page.inner_text(selector)


@pytest.fixture(params=["en", "hi"])
def lang(request) -> str:
    return request.param


def test_the_secretary_learns_where_how_much_why_and_how_sure(chromium, swept, lang):
    with chromium.visiting(swept, webgl=False) as visit:
        person = Person(visit, lang)
        assert "₹" in person.sees("#brief .sentence")  # how much: sites, capital and saving, before any click
        best = person.page.locator("#brief .leads .links").last.locator("button").first.inner_text()
        person.click("#brief .sure summary")
        assert len(person.page.locator("#brief .sure dd").all_inner_texts()) >= 2  # how sure: the search and the inputs
        person.click(f"#brief .leads button:has-text('{best}')")
        assert best in person.sees("#card h2")  # where
        assert person.page.locator("#card .plain button").count()  # why: who gains, and how much
        assert person.clicks <= 3
        visit.assert_quiet()


def test_the_planner_compares_ten_budgets_and_takes_them_away(chromium, swept, lang):
    with chromium.visiting(swept, webgl=False) as visit:
        person = Person(visit, lang)
        person.click("nav.pages a[href^='/what-if']")
        person.page.wait_for_selector("html[data-ready=yes] #budget-exact")
        person.click("[data-tab=bench]")
        person.click("#budget-exact")
        budgets = [10.0 * k for k in range(1, 11)]
        for k, budget in enumerate(budgets):
            person.page.fill("#budget-exact", f"{budget:.0f}")
            person.confirm()
            rows = f"#scenarios tbody tr:nth-child({k + 2 - (budget >= 60)})"  # 60 is the base, which has its row
            person.page.wait_for_selector(f"html:has({rows}) #age[hidden]", state="attached", timeout=MANY_MS)
        assert person.page.locator("#frontier .point").count() >= len(budgets)
        with person.page.expect_download() as loading:
            person.click("#export")
        rows = list(csv.DictReader(io.StringIO(Path(loading.value.path()).read_text(encoding="utf-8-sig"))))
        assert {float(row["budget_inr_crore"]) for row in rows} >= set(budgets)
        person.click("#scenarios tbody a >> nth=0")
        person.page.wait_for_selector("html[data-ready=yes] #name-b strong")
        assert person.clicks < 25
        visit.assert_quiet()


@pytest.mark.parametrize("way", ["map", "search"])
def test_the_state_officer_sees_her_state_prints_it_and_takes_its_table(chromium, swept, lang, way):
    with chromium.visiting(swept, webgl=False) as visit:
        person = Person(visit, lang)
        name = {"en": "Madhya Pradesh", "hi": "मध्य प्रदेश"}[lang]
        if way == "map":
            person.click(".svg-labels text")
        else:
            person.type("#search", "madhya")
        assert name in person.sees("#brief .sentence")
        with person.page.expect_popup() as opening:
            person.click("#print")
        opening.value.wait_for_load_state()
        assert name in opening.value.inner_text("h1")
        if way == "map":
            person.click("[data-tab=table]")
        person.page.wait_for_selector("#table tbody tr")  # beside the map, where she searched
        assert set(person.page.locator("#table tbody td:nth-child(2)").all_inner_texts()) == {name}
        assert person.clicks <= 3
        visit.assert_quiet()


def test_the_name_of_a_state_on_the_map_opens_it(chromium, swept):
    with chromium.visiting(swept, width=1050) as visit:  # too small for names of districts
        page = visit.open("/?lang=en")
        page.wait_for_selector("#map[data-drawn]")
        lon, lat, zoom = map(float, parse_qs(urlsplit(page.url).fragment)["at"][0].split(","))
        box, world = page.locator("#map canvas").bounding_box(), 512 * 2**zoom  # pixels
        north = [math.asinh(math.tan(math.radians(degrees))) / (2 * math.pi) for degrees in (lat, 21.5)]
        x = box["x"] + box["width"] / 2 + (79.0 - lon) / 360 * world
        page.mouse.move(x, box["y"] + box["height"] / 2 + (north[0] - north[1]) * world)
        page.wait_for_selector("#tip:has-text('the state alone')")
        page.mouse.down()
        page.mouse.up()
        page.wait_for_selector("#brief .sentence:has-text('Madhya Pradesh:')")
        assert "state=Madhya" in page.url
        visit.assert_quiet()

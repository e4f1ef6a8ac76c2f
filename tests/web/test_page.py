"""The page in a real browser: it draws, it stays on its host, and names are never code."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import waitress
from tiny_result import HOSTILE

playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)")

WEBGL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
NO_WEBGL = ["--disable-gpu", "--disable-3d-apis"]
MAX_FIRST_VIEW_BYTES = 1_500_000


@dataclass
class Visit:
    """A page with all it said and asked for."""

    page: Any
    url: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    received_bytes: int = 0

    def open(self, address: str = "") -> None:
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}/{address}")
        self.page.wait_for_selector("html[data-ready=yes]", timeout=60_000)


@pytest.fixture(scope="module")
def url(app) -> Iterator[str]:
    server = waitress.create_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(timeout=10)


@pytest.fixture(scope="module", params=["webgl", "svg"])
def visit(request, url) -> Iterator[Visit]:
    arguments = ["--no-sandbox", *(WEBGL if request.param == "webgl" else NO_WEBGL)]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        visit = Visit(page, url)
        page.on("console", lambda m: visit.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.on("dialog", lambda dialog: visit.complaints.append(f"dialog {dialog.message}"))
        page.on("request", lambda r: visit.requests.append(r.url))
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.on("Network.loadingFinished", lambda event: _add_bytes(visit, event))
        yield visit
        browser.close()


def _add_bytes(visit: Visit, event: dict[str, Any]) -> None:
    visit.received_bytes += int(event["encodedDataLength"])


def test_the_first_view_draws_without_complaint_from_this_host_alone(visit, url):
    visit.open()
    page = visit.page
    page.wait_for_selector("#map canvas, #map svg.svgmap")
    assert "Tiny study" in page.title()
    assert "₹1.05 lakh" in page.inner_text("#saving")
    assert "Proven" in page.inner_text("#proof")
    assert page.locator("#legend li").count() >= 2
    assert "Survey of India" in page.inner_text("#map")
    assert "© OpenStreetMap contributors" in page.inner_text("#map")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert visit.received_bytes < MAX_FIRST_VIEW_BYTES
    _assert_quiet(visit, url)


def test_a_searched_district_shows_its_card_by_keyboard_alone(visit, url):
    visit.open()
    page = visit.page
    page.focus("#search")
    page.keyboard.type("aal")
    page.keyboard.press("Enter")
    page.wait_for_selector("#card h2")
    card = page.inner_text("#card")
    assert "Aaland" in card
    assert "₹2,000" in card
    assert "₹1,000" in card
    assert "−50.0 %" in card
    assert page.evaluate("document.activeElement.textContent") == "Aaland"
    page.keyboard.press("Escape")
    page.wait_for_selector("#card", state="hidden")
    _assert_quiet(visit, url)


def test_a_hostile_name_is_text_everywhere(visit, url):
    visit.open("#measure=exports")
    page = visit.page
    page.fill("#search", "script")
    page.keyboard.press("Enter")
    page.wait_for_selector("#card h2")
    assert page.inner_text("#card h2") == HOSTILE
    page.click("[data-tab=districts]")
    assert HOSTILE in page.inner_text("#district-table")
    assert page.locator("script").count() == 2
    _assert_quiet(visit, url)


def test_a_view_can_be_passed_on_by_its_address(visit, url):
    visit.open("#measure=co2e&site=warehouse@alpha/beeland")
    page = visit.page
    page.wait_for_selector("#card h2")
    assert page.input_value("#measure") == "co2e"
    assert "Warehouse" in page.inner_text("#card")
    assert "more than today" in page.inner_text("#legend")
    page.click("#card button:has-text('Aaland, Alpha')")
    page.wait_for_selector("#card h2:has-text('Aaland')")
    assert "district=alpha%2Faaland" in page.url
    _assert_quiet(visit, url)


def test_tables_sort_filter_and_lead_back_to_the_map(visit, url):
    visit.open()
    page = visit.page
    page.click("[data-tab=districts]")
    first = page.locator("#district-table tbody tr:first-child th")
    assert first.inner_text() == "Aaland"  # most saved first
    page.click("#district-table thead button:has-text('Exports')")
    assert first.inner_text() == HOSTILE
    assert page.get_attribute("#district-table th:has-text('Exports')", "aria-sort") == "descending"
    page.fill("#district-table input", "aaland")
    assert page.locator("#district-table tbody tr").count() == 1
    first.locator("button").click()
    page.wait_for_selector("#card h2:has-text('Aaland')")
    assert page.is_visible("#tab-map")
    _assert_quiet(visit, url)


def test_every_layer_can_be_switched(visit, url):
    visit.open()
    for box in visit.page.locator("[data-layer]").all():
        before = box.is_checked()
        box.click()
        assert box.is_checked() is not before
    visit.page.wait_for_load_state("networkidle")
    assert any(request.endswith("/networks/rail") for request in visit.requests)
    _assert_quiet(visit, url)


def test_without_webgl_the_lanes_are_drawn_with_a_style_for_each_mode(visit, url):
    visit.open("#district=alpha/script-alert-x-script")
    page = visit.page
    page.wait_for_selector("#card h2")
    if page.is_hidden("#no-webgl"):
        pytest.skip("this browser has WebGL; its lanes are pixels")
    dashes = {
        mode: page.eval_on_selector(f".svg-lanes path.{mode}", "path => getComputedStyle(path).strokeDasharray")
        for mode in ("road", "rail")
    }
    assert dashes["road"] == "none"
    assert dashes["rail"] != "none"


def _assert_quiet(visit: Visit, url: str) -> None:
    assert visit.complaints == []
    elsewhere = [r for r in visit.requests if not r.startswith((f"{url}/", f"blob:{url}/", "data:", "about:"))]
    assert elsewhere == []

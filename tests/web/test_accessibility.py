"""axe finds nothing serious or critical on any page, in either language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import Visit, needs_chromium

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
pytestmark = needs_chromium

PAGES = {
    "look": "/?lang={}#plan=tiny",
    "card": "/?lang={}#plan=tiny&district=madhya-pradesh%2Fd2",
    "table": "/?lang={}#plan=tiny&tab=table",
    "lanes": "/?lang={}#plan=tiny&tab=table&layer=lanes",
    "pair": "/compare?lang={}#a=tiny&b=sweep~budget-10",
    "difference": "/compare?lang={}#a=tiny&b=sweep~budget-10&view=difference",
    "lists": "/compare?lang={}#a=tiny&b=sweep~budget-10&view=lists",
    "one-plan": "/compare?lang={}#a=tiny&b=tiny",
    "what-if": "/what-if?lang={}#plan=tiny",
    "bench": "/what-if?lang={}#plan=tiny&tab=bench",
    "print": "/print/plans/tiny?lang={}",
    "about": "/about/sitemap?lang={}",
}


@pytest.fixture(scope="module")
def visit(chromium, swept) -> Iterator[Visit]:
    with chromium.visiting(swept) as visit:
        yield visit
        visit.assert_quiet()


@pytest.mark.parametrize("language", ["en", pytest.param("hi", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(visit, name, language):
    address = PAGES[name].format(language)
    if name in ("print", "about"):  # without scripts that make them
        visit.page.goto(visit.url + address)
    else:
        visit.turn_to(address)
    if name == "card":
        visit.page.wait_for_selector("#card h2")
    assert visit.page.evaluate("document.documentElement.lang") == language
    found = axe.Axe().run(visit.page).response["violations"]
    serious = [
        f"{rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for rule in found if rule["impact"] in ("serious", "critical") for node in rule["nodes"]
    ]  # fmt: skip
    assert serious == []

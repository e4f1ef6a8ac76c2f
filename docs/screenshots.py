"""Draw the screens of the README and those to be looked at, ``make screenshots``; needs Chromium.

They are of the national study and a sweep of it in the folder of results. The README's are written beside this file,
those of every size and language into ``screenshots`` in the folder of results.
"""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import waitress
from playwright.sync_api import Browser, Page, sync_playwright

from web.app import create_app

HERE = Path(__file__).parent
ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
]
SIZE = (1440, 900)
SIZES = ((1366, 768), (1920, 1080), (820, 1180), (390, 844))
LANGUAGES = ("en", "hi")
READY_MS = 300_000
DRAWN = "() => [...document.querySelectorAll('.maplibregl-map')].every(map => !map.offsetParent || map.dataset.drawn)"


def _ask(page: Page) -> None:
    for budget in (150, 120):  # the first question waits for the model, the second shows the usual time
        page.fill("#budget-exact", str(budget))
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#figures:has-text('₹{budget} ')", timeout=READY_MS)


def _bench(page: Page) -> None:
    """Budgets asked one after the other, in the workbench."""
    for budget in (100, 200, 300):
        page.fill("#budget-exact", str(budget))
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#scenarios tr:has-text('₹{budget} ')", timeout=READY_MS)


def _outlook(page: Page) -> None:
    page.wait_for_selector("#outlook a", timeout=READY_MS)


def _sure(page: Page) -> None:
    page.click("#brief .sure summary")


Screens = dict[str, tuple[str, Callable[[Page], None] | None]]
README: Screens = {
    "look": ("/?lang=en#plan=national&district=maharashtra%2Fsangli", _outlook),
    "hindi": ("/?lang=hi#plan=national&measure=hours_after", None),
    "table": ("/?lang=en#plan=national&tab=table", None),
    "compare": ("/compare?lang=en#a=national-sweep~budget-200&b=national-sweep~budget-50", None),
    "what-if": ("/what-if?lang=en#plan=national", _ask),
    "workbench": ("/what-if?lang=en#plan=national&tab=bench", _bench),
}
LOOKED_AT: Screens = {
    "look": ("/?lang={}#plan=national", None),
    "sure": ("/?lang={}#plan=national", _sure),
    "district": ("/?lang={}#plan=national&district=maharashtra%2Fsangli", _outlook),
    "site": ("/?lang={}#plan=national&site=cargo_terminal%40andhra-pradesh%2Fguntur", None),
    "state": ("/?lang={}#plan=national&state=Bihar", None),
    "table": ("/?lang={}#plan=national&tab=table", None),
    "compare": ("/compare?lang={}#a=national-sweep~budget-200&b=national-sweep~budget-50", None),
    "difference": ("/compare?lang={}#a=national-sweep~budget-50&b=national-sweep~budget-200&view=difference", None),
    "lists": ("/compare?lang={}#a=national-sweep~budget-50&b=national-sweep~budget-200&view=lists", None),
    "what-if": ("/what-if?lang={}#plan=national", _ask),
    "workbench": ("/what-if?lang={}#plan=national&tab=bench", _bench),
    "print": ("/print/plans/national?lang={}", None),
    "about": ("/about/accessibility?lang={}", None),
}


def _draw(browser: Browser, host: str, folder: Path, screens: Screens, size: tuple[int, int], lang: str = "") -> None:
    """Take a picture of each screen in a window of a size (pixels)."""
    window = {"width": size[0], "height": size[1]}
    page = browser.new_page(viewport=window, locale="en-IN", reduced_motion="reduce")  # type: ignore[arg-type]
    page.add_init_script("localStorage.setItem('tour', 'seen')")  # as for who has been here before
    for name, (address, act) in screens.items():
        page.goto("about:blank")
        page.goto(host + address.format(lang))
        if page.locator("html[data-messages]").count() and not page.locator(".about-page").count():
            page.wait_for_selector("html[data-ready=yes]", timeout=READY_MS)
        if act:
            act(page)
        page.wait_for_function(DRAWN, timeout=READY_MS)
        page.wait_for_timeout(1500)  # labels settle
        page.screenshot(path=folder / f"{name}.png")
        print(folder / f"{name}.png", flush=True)
    page.close()


def main(results: Path) -> None:
    """Write the README's and those of every size and language; a first argument is the folder of results."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("no Chromium on this machine (apt-get install chromium)")
    app = create_app(results)
    server = waitress.create_server(app, host="127.0.0.1", port=0)
    threading.Thread(target=server.run, daemon=True).start()
    host = f"http://127.0.0.1:{server.effective_port}"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        _draw(browser, host, HERE, README, SIZE)
        for lang in LANGUAGES:
            for size in SIZES:
                folder = results / "screenshots" / f"{size[0]}x{size[1]}-{lang}"
                folder.mkdir(parents=True, exist_ok=True)
                _draw(browser, host, folder, LOOKED_AT, size, lang)
        browser.close()
    app.extensions["pool"].close()
    server.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results"))

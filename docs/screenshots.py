"""Draw the screens of the README, ``make screenshots``; needs Chromium and a sweep of the national study."""

from __future__ import annotations

import shutil
import sys
import threading
from pathlib import Path

import waitress
from playwright.sync_api import Page, sync_playwright

from web.app import create_app

HERE = Path(__file__).parent
ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
]
SIZE = {"width": 1440, "height": 900}
READY_MS = 300_000
DRAWN = "() => [...document.querySelectorAll('.maplibregl-map')].every(map => !map.offsetParent || map.dataset.drawn)"


def _ask(page: Page) -> None:
    for budget in (150, 120):  # the first question waits for the model, the second shows the usual time
        page.fill("#budget-exact", str(budget))
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#figures:has-text('₹{budget} crore')", timeout=READY_MS)


def _bench(page: Page) -> None:
    """Budgets asked one after the other, in the workbench."""
    for budget in (100, 200, 300):
        page.fill("#budget-exact", str(budget))
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#scenarios tr:has-text('₹{budget} crore')", timeout=READY_MS)


def _outlook(page: Page) -> None:
    page.wait_for_selector("#outlook a", timeout=READY_MS)


SCREENS = {
    "look": ("/?lang=en#plan=national&district=maharashtra%2Fsangli", _outlook),
    "hindi": ("/?lang=hi#plan=national&measure=hours_after", None),
    "table": ("/?lang=en#plan=national&tab=table", None),
    "compare": ("/compare?lang=en#a=national-sweep~budget-200&b=national-sweep~budget-50", None),
    "difference": ("/compare?lang=en#a=national-sweep~budget-50&b=national-sweep~budget-200&view=difference", None),
    "what-if": ("/what-if?lang=en#plan=national", _ask),
    "workbench": ("/what-if?lang=en#plan=national&tab=bench", _bench),
}


def main(results: Path) -> None:
    """Write ``docs/NAME.png`` for each screen; a first argument of the command is the folder of results."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("no Chromium on this machine (apt-get install chromium)")
    app = create_app(results)
    server = waitress.create_server(app, host="127.0.0.1", port=0)
    threading.Thread(target=server.run, daemon=True).start()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport=SIZE, locale="en-IN", reduced_motion="reduce")  # type: ignore[arg-type]
        for name, (address, act) in SCREENS.items():
            page.goto("about:blank")
            page.goto(f"http://127.0.0.1:{server.effective_port}{address}")
            page.wait_for_selector("html[data-ready=yes]", timeout=READY_MS)
            if act:
                act(page)
            page.wait_for_function(DRAWN, timeout=READY_MS)
            page.wait_for_timeout(1500)  # labels settle
            page.screenshot(path=HERE / f"{name}.png")
            print(HERE / f"{name}.png")
        browser.close()
    app.extensions["pool"].close()
    server.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results"))

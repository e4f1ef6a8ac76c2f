"""A real browser on an application served to loopback, with all that its page said and asked for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from loopback import serving

playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)")

QUIET = ["--no-sandbox", "--disable-background-networking"]
WEBGL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
NO_WEBGL = ["--disable-gpu", "--disable-3d-apis"]


@dataclass
class Visit:
    """A page, what its console said, what it asked for and how many bytes came."""

    page: Any
    url: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    received_bytes: int = 0

    def open(self, address: str = "/") -> Any:
        """Open an address from nothing and wait until it is ready."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}{address}")
        self.page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
        return self.page

    def turn_to(self, address: str) -> Any:
        """Show another view of the page that is open, as a link within it does; else open it."""
        base, _, view = address.partition("#")
        if view and self.page.url.partition("#")[0] == self.url + base:
            self.page.evaluate("view => { document.documentElement.dataset.ready = 'no'; location.hash = view; }", view)
            self.page.wait_for_selector("html[data-ready=yes]")
            return self.page
        return self.open(address)

    def assert_quiet(self) -> None:
        """Nothing in the console, no alert, no request to another host."""
        assert self.complaints == [], self.complaints
        own = (f"{self.url}/", f"blob:{self.url}/", "data:", "about:")
        assert [request for request in self.requests if not request.startswith(own)] == []


class Chromium:
    """The system's Chromium, with WebGL and without; each is started once, when first asked for."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._browsers: dict[bool, Any] = {}

    def browser(self, *, webgl: bool) -> Any:
        if webgl not in self._browsers:
            self._browsers[webgl] = self._driver.chromium.launch(
                executable_path=CHROMIUM, args=[*QUIET, *(WEBGL if webgl else NO_WEBGL)]
            )
        return self._browsers[webgl]

    def close(self) -> None:
        for browser in self._browsers.values():
            browser.close()

    @contextmanager
    def visiting(self, app: Flask, *, webgl: bool = True, width: int = 1280, height: int = 720) -> Iterator[Visit]:
        """Serve an application and open a page with an empty cache on it."""
        with serving(app) as port:
            context = self.browser(webgl=webgl).new_context(
                viewport={"width": width, "height": height}, locale="en-IN", reduced_motion="reduce"
            )
            try:
                page = context.new_page()
                page.set_default_timeout(20_000)
                visit = Visit(page, f"http://127.0.0.1:{port}")
                page.on(
                    "console", lambda m: visit.complaints.append(m.text) if m.type in ("error", "warning") else None
                )
                page.on("pageerror", lambda error: visit.complaints.append(str(error)))
                page.on("dialog", lambda dialog: visit.complaints.append(f"dialog {dialog.message}"))
                page.on("request", lambda r: visit.requests.append(r.url))
                wire = context.new_cdp_session(page)
                wire.send("Network.enable")
                wire.on("Network.loadingFinished", lambda event: _add_bytes(visit, event))
                yield visit
            finally:
                context.close()


def _add_bytes(visit: Visit, event: dict[str, Any]) -> None:
    visit.received_bytes += int(event["encodedDataLength"])

"""Pages that an Indian government site must have (GIGW 3.0), with texts that the office which runs it can replace.

A text is paragraphs between empty lines; a line that begins with ``#`` is a heading. ``PAGE.LANGUAGE.txt`` in the
folder of pages, ``contact.hi.txt`` say, takes the place of the one that comes with the program.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, render_template

from web.i18n import language, marked
from web.results import Results
from web.transfer import Body

PAGES = {
    "accessibility": marked("Accessibility"),
    "contact": marked("Contact"),
    "privacy": marked("Privacy"),
    "terms": marked("Terms of use"),
    "sitemap": marked("Site map"),
}
TEXTS = Path(__file__).with_name("texts")
OWNER = "owner"
LARGEST_BYTES = 100_000


def create_about(folder: Path, results: Results, context: dict[str, Any]) -> Blueprint:
    """Return the blueprint of these pages.

    Args:
        folder: where an office keeps its own texts; it need not be there.
        context: what all pages are told.
    """
    pages = Blueprint("about", __name__)

    @pages.get("/about/<name>")
    def page(name: str) -> Response:
        if name not in PAGES:
            abort(404, f"no page '{name}'; there are {', '.join(PAGES)}")
        plans = results.plans()
        newest = max((plan.stamp for plan in plans.values()), default=None)
        updated = None if newest is None else datetime.fromtimestamp(newest / 1e9, UTC).strftime("%d.%m.%Y")
        text = render_template(
            "about.html", name=name, title=PAGES[name], blocks=[] if name == "sitemap" else blocks(folder, name),
            plans={key: plan.summary["study"] for key, plan in plans.items()}, updated=updated,
            owner=read(folder, OWNER).strip(), **context,
        )  # fmt: skip
        return Body(text.encode(), "text/html").response()

    return pages


def read(folder: Path, name: str) -> str:
    """The text of a page in the language of the request: the office's own where there is one that can be read."""
    own = folder / f"{name}.{language()}.txt"
    try:
        if own.is_file() and own.stat().st_size <= LARGEST_BYTES:
            return own.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        pass
    return (TEXTS / language() / f"{name}.txt").read_text(encoding="utf-8")


def blocks(folder: Path, name: str) -> list[tuple[str, str]]:
    """Kind, ``h2`` or ``p``, and text of each part of a page."""
    found: list[tuple[str, str]] = []
    for part in read(folder, name).replace("\r\n", "\n").split("\n\n"):
        lines = [line.strip() for line in part.splitlines() if line.strip()]
        if lines and lines[0].startswith("#"):
            found.append(("h2", lines.pop(0).lstrip("# ")))
        if lines:
            found.append(("p", " ".join(lines)))
    return found

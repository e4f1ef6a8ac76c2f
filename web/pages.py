"""Pages and their assets."""

from __future__ import annotations

from flask import Blueprint, Response, render_template
from flask_babel import gettext as _

from geodata.pack import Pack
from web.assets import Assets
from web.transfer import Body

PAGES = {"/": "index.html", "/compare": "compare.html", "/what-if": "whatif.html"}


def create_pages(pack: Pack, assets: Assets, embeddable: bool = False) -> Blueprint:
    """Return the blueprint of the pages and of all they load that is no data.

    Args:
        embeddable: whether pages elsewhere may show a map of this server.
    """
    pages = Blueprint("pages", __name__)
    assets.add_to(pages)
    context = {"manifest": pack.manifest, "sources": sources(pack), "official": is_official(pack),
               "credit": osm_credit(pack), "embeddable": embeddable}  # fmt: skip

    def add(path: str, template: str) -> None:
        def view() -> Response:
            text = render_template(template, boundaries=boundary_note(pack), **context)
            return Body(text.encode(), "text/html").response()

        pages.add_url_rule(path, template.removesuffix(".html"), view)

    for path, template in PAGES.items():
        add(path, template)

    return pages


def sources(pack: Pack) -> list[tuple[str, str]]:
    """Return the sources of the pack with their licences, each once."""
    files = pack.manifest.get("files", {}).values()
    return sorted({(file["source"], file["licence"]) for file in files})


def boundary_note(pack: Pack, own: str | None = None) -> str:
    """What a map must say of its district boundaries, in the language of the request.

    Args:
        own: file or pack that a study's own districts are from.
    """
    if own is not None:
        return str(_("District boundaries are those of %(file)s.", file=own))
    if not is_official(pack):
        return str(_("District boundaries are those of the pack %(name)s.", name=pack.manifest["name"]))
    return str(_("External boundary as the Survey of India depicts it."))


def osm_credit(pack: Pack) -> str | None:
    """The credit that OpenStreetMap asks for, where the pack holds data of it."""
    credit = "© OpenStreetMap contributors"
    return credit if any(credit in licence for _source, licence in sources(pack)) else None


def is_official(pack: Pack) -> bool:
    """Whether the pack is the bundled one, whose external boundary is that of the Survey of India."""
    return "polygons_with_code" in pack.manifest.get("figures", {}).get("districts", {})

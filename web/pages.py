"""Pages and their assets."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from flask import Blueprint, Response, abort, render_template
from flask_babel import gettext as _

from geodata.pack import Pack
from web.transfer import Body

STATIC = Path(__file__).with_name("static")
MAPLIBRE_FILES = ("maplibre-gl.js", "maplibre-gl.css")
MIMETYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
PAGES = {"/": "index.html", "/compare": "compare.html", "/what-if": "whatif.html"}


def create_pages(pack: Pack) -> Blueprint:
    """Return the blueprint of the pages and of all they load that is no data."""
    pages = Blueprint("pages", __name__)
    assets = _assets()
    context = {"manifest": pack.manifest, "sources": sources(pack), "official": is_official(pack),
               "credit": osm_credit(pack)}  # fmt: skip

    def add(path: str, template: str) -> None:
        def view() -> Response:
            text = render_template(template, boundaries=boundary_note(pack), **context)
            return Body(text.encode(), "text/html").response()

        pages.add_url_rule(path, template.removesuffix(".html"), view)

    for path, template in PAGES.items():
        add(path, template)

    @pages.get("/assets/<name>")
    def asset(name: str) -> Response:
        if name not in assets:
            abort(404, f"no asset '{name}'")
        return assets[name].response()

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


def _assets() -> dict[str, Body]:
    """Scripts and styles by name, in memory: a name from a request is only ever looked up here."""
    # Found, not imported: the import is slow and warns of packages that are not needed here.
    spec = importlib.util.find_spec("maplibre")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package 'maplibre' is not installed; run `pip install -e .`")
    maplibre = Path(spec.submodule_search_locations[0]) / "srcjs"
    files = [*sorted(STATIC.iterdir()), *(maplibre / name for name in MAPLIBRE_FILES)]
    assets = {}
    for file in files:
        content = file.read_bytes()
        if file.name == "maplibre-gl.js":
            content = content.partition(b"//# sourceMappingURL=")[0]  # the package does not bring that file
        assets[file.name] = Body(content, MIMETYPES[file.suffix])
    return assets

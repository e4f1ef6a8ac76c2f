"""Scripts, styles and signs of the pages: their addresses carry a hash of their content, so that browsers keep them."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, abort

from web.transfer import Body

STATIC = Path(__file__).with_name("static")
MAPLIBRE_FILES = ("maplibre-gl.js", "maplibre-gl.css")
MIMETYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
IMPORTED = re.compile(r'(?<=["\'])\./([\w-]+\.js)(?=["\'])')
HASH_CHARACTERS = 12


@dataclass(frozen=True)
class Assets:
    """Bodies by name, and the address of each.

    Args:
        bodies: content by plain name; modules import each other by addresses with hashes.
        hashed: name with a hash of the content, by plain name.
    """

    bodies: dict[str, Body]
    hashed: dict[str, str]

    def address(self, name: str) -> str:
        """Return the address under which a browser may keep an asset for good."""
        return f"/assets/{self.hashed[name]}"

    def add_to(self, pages: Blueprint) -> None:
        """Add the route; a name without hash is served too, and asked for again each time."""
        plain = {hashed: name for name, hashed in self.hashed.items()}

        @pages.get("/assets/<name>")
        def asset(name: str) -> Response:
            body = self.bodies.get(plain.get(name, name))
            if body is None:
                abort(404, f"no asset '{name}'")
            return body.response(immutable=name in plain)


def load_assets() -> Assets:
    """Read all assets into memory: a name from a request is only ever looked up here.

    Raises:
        RuntimeError: modules that import each other in a circle, or MapLibre is not installed.
    """
    contents = {file.name: file.read_bytes() for file in [*sorted(STATIC.iterdir()), *_maplibre()]}
    # The package does not bring the file that its last line names.
    contents["maplibre-gl.js"] = contents["maplibre-gl.js"].partition(b"//# sourceMappingURL=")[0]
    hashed: dict[str, str] = {}
    bodies: dict[str, Body] = {}

    def add(name: str, through: tuple[str, ...] = ()) -> str:
        if name in through:
            raise RuntimeError(f"modules import each other in a circle: {' -> '.join((*through, name))}")
        if name not in hashed:
            content, suffix = contents[name], Path(name).suffix
            if suffix == ".js" and name not in MAPLIBRE_FILES:
                content = _with_hashes(content, lambda other: add(other, (*through, name)))
            mark = hashlib.sha256(content).hexdigest()[:HASH_CHARACTERS]
            hashed[name] = f"{name.removesuffix(suffix)}.{mark}{suffix}"
            bodies[name] = Body(content, MIMETYPES[suffix])
        return hashed[name]

    for name in contents:
        add(name)
    return Assets(bodies, hashed)


def _with_hashes(content: bytes, address: Callable[[str], str]) -> bytes:
    """A module that imports others by the names that ``address`` tells."""
    return IMPORTED.sub(lambda found: f"./{address(found[1])}", content.decode()).encode()


def _maplibre() -> list[Path]:
    # Found, not imported: the import is slow and warns of packages that are not needed here.
    spec = importlib.util.find_spec("maplibre")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package 'maplibre' is not installed; run `pip install -e .`")
    return [Path(spec.submodule_search_locations[0]) / "srcjs" / name for name in MAPLIBRE_FILES]

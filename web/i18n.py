"""Languages of the pages: English is in the source, the others in ``translations/*/LC_MESSAGES/messages.po``.

The catalogues are compiled when the application starts, so that no compiled copy can fall behind its source.
Templates translate through Flask-Babel; scripts fetch the same catalogue as JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations
from flask import Flask, Response, abort, request
from flask_babel import Babel, Domain

from web.transfer import Body, json_body

LANGUAGES = {"en": "English", "hi": "हिन्दी"}
COOKIE = "lang"
COOKIE_AGE_S = 365 * 24 * 3600
TRANSLATIONS = Path(__file__).with_name("translations")


class SourceDomain(Domain):  # type: ignore[misc]
    """Catalogues compiled in memory from their .po files."""

    def __init__(self, catalogues: dict[str, Translations]) -> None:
        super().__init__()
        self.catalogues = catalogues

    def get_translations(self) -> Translations:
        return self.catalogues.get(language(), self.catalogues["en"])


def marked(text: str) -> str:
    """Return a text as it is: it is translated where it is told."""
    return text


def init_i18n(app: Flask, told: Callable[[str, Callable[[str], str]], dict[str, Any]]) -> None:
    """Let the application speak the languages of LANGUAGES: ``?lang=``, then cookie, then what the browser prefers.

    Templates get ``language`` (for the ``lang`` attribute) and ``languages``; ``/messages/<language>.json`` holds
    what scripts need: ``texts``, source text -> translation (a list of plural forms where the source has a plural).

    Args:
        told: what else scripts are told in a language, with the function that translates into it.
    """
    babel = Babel(app, locale_selector=language)
    catalogues, messages = _catalogues(told)
    babel.domain_instance = SourceDomain(catalogues)
    app.jinja_env.globals["languages"] = LANGUAGES
    app.jinja_env.globals["crore"] = crore
    app.context_processor(lambda: {"language": language(), "messages_address": address(language())})

    def address(name: str) -> str:
        return f"/messages/{name}.json?v={messages[name].tag}"

    @app.get("/messages/<name>.json")
    def catalogue(name: str) -> Response:
        if name not in messages:
            abort(404, f"no language '{name}'; there are {', '.join(LANGUAGES)}")
        return messages[name].response(immutable=request.args.get("v") == messages[name].tag)

    @app.after_request
    def remember(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.vary.update(("Accept-Language", "Cookie"))
            response.content_language = [language()]
            if request.args.get("lang") in LANGUAGES:
                response.set_cookie(COOKIE, language(), max_age=COOKIE_AGE_S, httponly=True, samesite="Lax")
        return response


def language() -> str:
    """Return the language of the current request, a key of LANGUAGES."""
    for asked in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if asked in LANGUAGES:
            return str(asked)
    return request.accept_languages.best_match(LANGUAGES) or "en"


def crore(inr: float) -> str:
    """Return an amount in crore rupees with Indian digit grouping."""
    return str(format_decimal(inr / 1e7, "#,##,##0", locale="en_IN"))


def _catalogues(
    told: Callable[[str, Callable[[str], str]], dict[str, Any]],
) -> tuple[dict[str, Translations], dict[str, Body]]:
    """Compiled catalogues by language, and the same as JSON."""
    compiled: dict[str, Translations] = {"en": Translations()}
    messages = {"en": json_body({"texts": {}, **told("en", str)})}
    for name in LANGUAGES.keys() - {"en"}:
        with (TRANSLATIONS / name / "LC_MESSAGES" / "messages.po").open("rb") as file:
            catalogue = read_po(file, locale=name)
        binary = BytesIO()
        write_mo(binary, catalogue)
        binary.seek(0)
        compiled[name] = Translations(binary)
        texts = {
            message.id if isinstance(message.id, str) else message.id[0]: message.string
            for message in catalogue if message.id and message.string
        }  # fmt: skip
        messages[name] = json_body({"texts": texts, **told(name, compiled[name].gettext)})
    return compiled, messages

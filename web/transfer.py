"""Answers as bytes: compressed once, with an entity tag."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any
from urllib.parse import quote

from flask import Response, request

MIN_COMPRESSED = 512  # bytes; below this the header costs more than it saves
IMMUTABLE_AGE_S = 365 * 24 * 3600
PACKED = ("application/geopackage+sqlite3", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


@dataclass(frozen=True)
class Body:
    """Content of an answer and its forms on the wire."""

    content: bytes
    mimetype: str

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.content, 6, mtime=0)

    @cached_property
    def tag(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:32]

    def response(self, immutable: bool = False, download: str | None = None) -> Response:
        """Answer the current request: 304 where the client has it, gzip where it takes that.

        Args:
            immutable: the address carries a hash of the content, so that nobody need ask again.
            download: name under which a browser keeps it as a file.
        """
        zipped = (
            len(self.content) >= MIN_COMPRESSED
            and self.mimetype not in PACKED
            and request.accept_encodings["gzip"] > 0
        )  # fmt: skip
        response = Response(self.compressed if zipped else self.content, mimetype=self.mimetype)
        if zipped:
            response.content_encoding = "gzip"
        response.vary.add("Accept-Encoding")
        if immutable:
            response.cache_control.max_age = IMMUTABLE_AGE_S
            response.cache_control.immutable = True
        else:
            response.cache_control.no_cache = True  # keep, but ask whether it is still right
        if download is not None:
            plain = download.isascii()
            names = {"filename": download} if plain else {"filename*": f"UTF-8''{quote(download)}"}
            response.headers.set("Content-Disposition", "attachment", **names)
        response.set_etag(self.tag, weak=True)
        response.make_conditional(request)
        return response


def json_body(content: Any) -> Body:
    """Return content as JSON."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Body(text.encode(), "application/json")


class Shelf:
    """Bodies by key, made when first asked for; the oldest goes when the shelf is full."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._bodies: dict[Any, Body] = {}
        self._locks: dict[Any, Lock] = {}

    def get(self, key: Any, make: Callable[[], Body]) -> Body:
        """Return the body of ``make()``, from the shelf where it is there."""
        with self._locks.setdefault(key, Lock()):  # who asks for what is being made waits for it
            body = self._bodies.get(key)
            if body is None:
                try:
                    body = self._bodies[key] = make()
                except BaseException:
                    self._locks.pop(key, None)  # what cannot be made leaves nothing behind
                    raise
        for old in list(self._bodies)[: -self.size]:
            self._bodies.pop(old, None)
            self._locks.pop(old, None)
        return body

    def json(self, key: Any, make: Callable[[], Any]) -> Body:
        """Return ``make()`` as JSON, from the shelf where it is there."""
        return self.get(key, lambda: json_body(make()))

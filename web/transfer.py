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

from flask import Response, request

MIN_COMPRESSED = 512  # bytes; below this the header costs more than it saves


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

    def response(self) -> Response:
        """Answer the current request: 304 where the client has it, gzip where it takes that."""
        zipped = len(self.content) >= MIN_COMPRESSED and request.accept_encodings["gzip"] > 0
        response = Response(self.compressed if zipped else self.content, mimetype=self.mimetype)
        if zipped:
            response.content_encoding = "gzip"
        response.vary.add("Accept-Encoding")
        response.cache_control.no_cache = True  # keep, but ask whether it is still right
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

    def get(self, key: Any, make: Callable[[], Any]) -> Body:
        """Return the body of ``make()`` as JSON, from the shelf where it is there."""
        with self._locks.setdefault(key, Lock()):  # who asks for what is being made waits for it
            body = self._bodies.get(key)
            if body is None:
                body = self._bodies[key] = json_body(make())
        for old in list(self._bodies)[: -self.size]:
            self._bodies.pop(old, None)
            self._locks.pop(old, None)
        return body

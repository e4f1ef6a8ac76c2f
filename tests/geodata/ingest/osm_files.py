"""OSM data made for tests: files written with pyosmium, and a server that answers as Overpass does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from pathlib import Path
from threading import Thread
from typing import Any

import osmium
from osmium.osm.mutable import Node, Way

Place = tuple[float, float]
Line = tuple[Sequence[int], Mapping[str, str]]


def write_osm(path: Path, nodes: Mapping[int, Place], lines: Sequence[Line]) -> Path:
    """A file of nodes (id -> lon, lat) and ways (node ids, tags), numbered from 1."""
    writer = osmium.SimpleWriter(str(path), overwrite=True)
    for number, place in sorted(nodes.items()):
        writer.add_node(Node(id=number, version=1, visible=True, location=place))
    for number, (refs, tags) in enumerate(lines, 1):
        writer.add_way(Way(id=number, version=1, visible=True, nodes=list(refs), tags=dict(tags)))
    writer.close()
    return path


def overpass_answer(path: Path) -> dict[str, Any]:
    """All nodes and ways of a file in the form of an Overpass response.

    Overpass knows all nodes of a way; of a way that the file cuts, each part inside becomes a way.
    """
    nodes: dict[int, dict[str, Any]] = {}
    ways: list[dict[str, Any]] = []
    for item in osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY):
        tags = {tag.k: tag.v for tag in item.tags}
        if item.is_node():
            nodes[item.id] = {"type": "node", "id": item.id, "lon": item.lon, "lat": item.lat, "tags": tags}
            continue
        runs = groupby((node.ref for node in item.nodes), nodes.__contains__)
        parts = [list(refs) for inside, refs in runs if inside]
        for k, refs in enumerate(parts):
            ways.append({"type": "way", "id": item.id + k * 10**11, "nodes": refs, "tags": tags})
    return {"version": 0.6, "generator": "test", "osm3s": {}, "elements": [*nodes.values(), *ways]}


@contextmanager
def overpass_server(answer: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """URL of a server that gives one answer to every query, and the list of queries it has got."""
    queries: list[str] = []
    content = json.dumps(answer).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            queries.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Nothing is written to the test's output."""

    with served(Handler) as url:
        yield f"{url}/api", queries


@contextmanager
def served(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """URL of a local server with a handler."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()

"""Maps of a few nodes and ways, and the freight networks made of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from geodata.ingest.freight import FreightNetwork, FreightRules, freight_network
from geodata.ingest.osm import ROAD_CLASSES, read_pbf
from geodata.matrix import many_to_many
from geodata.network import great_circle_km
from tests.geodata.ingest.osm_files import Line, Place, write_osm

STEP = 0.01  # degrees between the nodes 1, 2, 3 ... on the equator, 1.11 km
STEP_KM = float(great_circle_km(0, 0, STEP, 0))
RULES = FreightRules(classes=(*ROAD_CLASSES, "residential"))


def place(node: int) -> Place:
    """Nodes 1 to 99 stand on the equator, 101 to 199 one step north of them, and so on."""
    return STEP * (node % 100), STEP * (node // 100)


def made(
    tmp_path: Path,
    *lines: Line,
    kind: str = "road",
    rules: FreightRules = RULES,
    places: Mapping[int, Place] | None = None,
) -> FreightNetwork:
    nodes = {node: place(node) for refs, _ in lines for node in refs} | dict(places or {})
    path = write_osm(tmp_path / f"{kind}.osm.pbf", nodes, lines)
    ways = read_pbf(path, kind, classes=rules.classes)  # type: ignore[arg-type]
    return freight_network(ways, kind, rules)  # type: ignore[arg-type]


def km_between(made: FreightNetwork, a: Place, b: Place, weight: str = "km") -> float:
    """Weight of the shortest way between the nodes at two places."""
    network = made.network
    ends = [int(np.hypot(network.node_lon - lon, network.node_lat - lat).argmin()) for lon, lat in (a, b)]
    weights = "km" if weight == "km" else network.edge_hours
    return float(many_to_many(network, ends[:1], ends[1:], weights, engine="scipy")[0, 0])

"""The quality report of a pack: what a planner should know before believing it, and how to mend it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import jinja2
import numpy as np
import pandas as pd
import shapely
from scipy.sparse.csgraph import dijkstra

from geodata.exports import VALUE_SUFFIX
from geodata.ingest.contraction import BoolArray
from geodata.matrix import point_matrix
from geodata.network import (
    LONG_STRAIGHT_EDGE_KM,
    Network,
    components,
    great_circle_km,
    network_report,
    snap,
    strong_components,
)
from geodata.pack import Pack
from geodata.routing import lightest_arcs

Weight = Literal["fault", "look", "mended", "note"]

TOWN_LIMIT_KM = 10.0  # a district's main town farther than this from a road is a fault of one of the two
TERMINAL_LIMIT_KM = 5.0  # a port, depot or park beside its road
RAIL_LIMIT_KM = 5.0  # a terminal that is served by rail
LOW_DETOUR, HIGH_DETOUR = 1.0, 3.0  # no way is shorter than the straight one; roads of a plain run at 1.2 to 1.5
DETOUR_POINTS = 300  # so many districts, evenly chosen, are enough for a distribution
DETOUR_FROM_KM = 20.0  # below it the snap of the ends decides; in a small area, the median distance
CUT_OFF_KM = 50.0  # beyond it siting takes a place to have no road
SHOWN = 25  # rows of a finding on the page; quality.json has all
WORDS: dict[Weight, str] = {
    "fault": "To be mended", "look": "To be looked at", "mended": "Mended on the way", "note": "For information",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing about a pack.

    Args:
        layer: which part of the pack.
        weight: ``fault`` (answers suffer), ``look`` (may be right), ``mended``, ``note``.
        title: what it is.
        meaning: what it does to an answer.
        remedy: what to do about it.
        rows: the cases, one each; may be empty.
        lines: the cases as lines for the console, where each must be seen at once.
    """

    layer: str
    weight: Weight
    title: str
    meaning: str
    remedy: str
    rows: pd.DataFrame
    lines: tuple[str, ...] = ()


def pack_findings(pack: Pack) -> list[Finding]:
    """Everything that can be seen in a finished pack: networks, points, detours and missing values."""
    districts = pack.districts
    findings: list[Finding] = []
    for layer, network in (("roads", pack.road), ("rail", pack.rail)):
        findings += _network_findings(layer, network, _used_edges(pack, network))
    findings += _snap_findings(pack)
    findings += _detours(pack)
    missing = [
        {"table": name, "column": column, "missing": int(blank), "of": len(table)}
        for name, table in (
            ("districts", pd.DataFrame(districts.drop(columns="geometry"))), ("exports", pack.exports),
            ("gateways", pack.gateways), ("depots", pack.depots), ("planned_sites", pack.planned_sites),
        )
        for column, blank in (table.isna() | (table.astype("string").fillna("") == "")).sum().items()
        if blank
    ]  # fmt: skip
    if missing:
        findings.append(Finding(
            "tables", "note", "Missing values",
            "Optional values that are not there. A missing capacity sets no limit; a missing name is not shown.",
            "Fill in what you know.", pd.DataFrame(missing),
        ))  # fmt: skip
    nobody = districts[districts["population_weight"] == 0]
    if len(nobody):
        findings.append(Finding(
            "districts", "look", "Districts without inhabitants",
            "They can have no potential exports; today's exports are not touched.",
            "Map a column to population.", nobody[["state", "district"]],
        ))  # fmt: skip
    value = pack.exports.filter(like=VALUE_SUFFIX).sum(axis=1)
    if len(value) and value.max() > 0.5 * value.sum() and len(value) > 10:
        findings.append(Finding(
            "exports", "look", "One district exports more than half",
            "It may be where exporters are registered rather than where goods are made.",
            "Check the row against its source.", pack.exports.loc[[value.idxmax()], ["state", "district"]],
        ))  # fmt: skip
    return findings


def _used_edges(pack: Pack, network: Network) -> BoolArray:
    """Edges (n_edges,) that an answer can use: among the districts, or on a shortest way from one to a gateway.

    A pack of one state may come with the network of the country, whose other flaws do not touch it.
    """
    districts = pack.districts
    hull = shapely.convex_hull(shapely.geometrycollections(np.asarray(districts.geometry.array, dtype=object)))
    shapely.prepare(hull)
    inside = shapely.contains_xy(hull, network.node_lon, network.node_lat)
    origins = np.unique(snap(network, districts["lon"], districts["lat"])[0])
    gateways = np.unique(snap(network, pack.gateways["lon"], pack.gateways["lat"])[0])
    graph, _ = lightest_arcs(network, network.edge_km)
    backwards = graph.T.tocsr()
    on_way = np.zeros(network.n_nodes, dtype=bool)
    for gateway in gateways.tolist():
        _, following = dijkstra(backwards, indices=gateway, return_predecessors=True)
        at = origins
        while len(at):
            on_way[at] = True
            at = np.unique(following[at])
            at = at[at >= 0]
    start, end = network.edge_from, network.edge_to
    used: BoolArray = inside[start] | inside[end] | (on_way[start] & on_way[end])
    return used


def _only(network: Network, chosen: BoolArray) -> Network:
    """The network with the chosen edges; all nodes stay."""
    columns = ("edge_from", "edge_to", "edge_km", "edge_class", "edge_repair", "geometry")
    hours = network.edge_hours
    rest = {name: getattr(network, name)[chosen] for name in columns}
    return replace(network, **rest, edge_hours=None if hours is None else hours[chosen])


def _parts(network: Network, used: BoolArray) -> pd.DataFrame:
    """The main part and those with edges that are used: part, nodes, and lon and lat of one of its nodes."""
    part = components(network)
    told = np.union1d(part[network.edge_from[used]], [0])
    _, first = np.unique(part, return_index=True)
    table = {
        "nodes": np.bincount(part)[told],
        "lon": network.node_lon[first[told]],
        "lat": network.node_lat[first[told]],
    }
    return pd.DataFrame({"part": told + 1, **table})


def _network_findings(layer: str, whole: Network, used: BoolArray) -> list[Finding]:
    network = _only(whole, used)
    report = network_report(network)
    findings = []
    parts = _parts(whole, used)
    if len(parts) > 1:
        split = parts["nodes"].iloc[1:].sum() >= 0.1 * parts["nodes"].sum()
        strong = strong_components(whole)
        outside = (strong[network.edge_from] != 0) | (strong[network.edge_to] != 0)
        findings.append(Finding(
            layer, "fault" if split else "look", "Parts that do not hang together",
            f"The network falls into {len(parts):,} parts. Places use the largest only; "
            f"{network.edge_km[outside].sum():,.0f} of {network.edge_km.sum():,.0f} km lie outside it. Islands are "
            "right; a split mainland is not.",
            "Look at the place given for each. Add the missing link to the source, take a larger extract, or, for a "
            "source of your own, raise gap_limit_m.", parts,
        ))  # fmt: skip
    straight = report.long_straight_edges.drop(columns="edge")
    if len(straight):
        findings.append(Finding(
            layer, "look", f"Straight edges of more than {LONG_STRAIGHT_EDGE_KM:g} km",
            "No road or railway runs dead straight so far: a ferry, a gap that was bridged, or a coarse source.",
            "Look at each on a map; where there is no way take it out of the source.", straight,
        ))  # fmt: skip
    repaired = np.flatnonzero(pd.notna(network.edge_repair))
    if len(repaired):
        start, end = network.edge_from[repaired], network.edge_to[repaired]
        table = pd.DataFrame({
            "from_lon": network.node_lon[start], "from_lat": network.node_lat[start], "to_lon": network.node_lon[end],
            "to_lat": network.node_lat[end], "km": network.edge_km[repaired], "reason": network.edge_repair[repaired],
        })  # fmt: skip
        findings.append(Finding(
            layer, "mended", "Gaps that were closed",
            "Edges that the source lacks and that were added, longest first.",
            "Look at the longest on a map. Where there is no way name a source of your own with a lower gap_limit_m.",
            table.sort_values("km", ascending=False, ignore_index=True),
        ))  # fmt: skip
    if network.edge_hours is not None:
        known = pd.DataFrame({"class": network.edge_class, "km": network.edge_km, "hours": network.edge_hours})
        speeds = known.groupby("class").sum().assign(speed_km_h=lambda t: t["km"] / t["hours"]).reset_index()
        findings.append(Finding(
            layer, "note", "Speeds assumed", "Length by class and the mean running speed.",
            "Change the table of speeds if they are not those of trucks or trains here.",
            speeds.drop(columns="hours"),
        ))  # fmt: skip
    else:
        classes = pd.DataFrame(
            {"class": list(report.length_km_by_class), "km": list(report.length_km_by_class.values())}
        )
        findings.append(Finding(
            layer, "note", "No speeds in the network",
            "The network has lengths only; the study's parameters say how fast its classes are.",
            "Name a source with classes of road to have speeds by class." if layer == "roads" else
            "Set the speeds of trains among the parameters of a study.", classes,
        ))  # fmt: skip
    return findings


def _snap_findings(pack: Pack) -> list[Finding]:
    """Places far from the network that they are to use."""
    findings = []

    def far(layer: str, network: Network, names: Any, table: pd.DataFrame, limit: float, title: str, text: str) -> None:
        report = network_report(network, list(names), table["lon"], table["lat"], limit)
        rows = report.far_snaps
        if len(rows):
            worst = float(rows["snap_km"].max())
            findings.append(Finding(
                layer, "fault" if worst > CUT_OFF_KM else "look", title,
                f"{text} The straight way to the nearest node counts as travel; beyond {CUT_OFF_KM:g} km a place has "
                "no road at all.",
                "Check the coordinates first; then add the road or railway to the source.", rows,
            ))  # fmt: skip

    districts = pack.districts
    far(
        "districts", pack.road, districts["district_id"], districts, TOWN_LIMIT_KM,
        f"Districts whose main town is more than {TOWN_LIMIT_KM:g} km from a road",
        "Their cargo starts far from any road of the network.",
    )  # fmt: skip
    terminals = pd.concat([
        pack.gateways.rename(columns={"gateway_id": "terminal_id"}),
        pack.depots.rename(columns={"depot_id": "terminal_id"}),
        pack.planned_sites.rename(columns={"site_id": "terminal_id"}),
    ], ignore_index=True)  # fmt: skip
    far(
        "terminals", pack.road, terminals["name"], terminals, TERMINAL_LIMIT_KM,
        f"Ports, depots and parks more than {TERMINAL_LIMIT_KM:g} km from a road",
        "Trucks reach them over a straight line.",
    )  # fmt: skip
    by_rail = terminals[terminals["rail_served"].fillna(False).astype(bool)]
    by_rail = by_rail[~by_rail["terminal_id"].isin(pack.rail_connectors["terminal_id"])]
    far(
        "terminals", pack.rail, by_rail["name"], by_rail, RAIL_LIMIT_KM,
        f"Terminals served by rail more than {RAIL_LIMIT_KM:g} km from a railway",
        "The table says that they are served by rail, the network does not reach them.",
    )  # fmt: skip
    return findings


def _detours(pack: Pack) -> list[Finding]:
    """Network km over great circle between districts, and the pairs where that is hard to believe."""
    every = max(1, -(-len(pack.districts) // DETOUR_POINTS))
    some = pack.districts.iloc[::every]
    lon, lat = some["lon"].to_numpy(float), some["lat"].to_numpy(float)
    km = point_matrix(pack.road, lon, lat, lon, lat, max_snap_km=CUT_OFF_KM).km
    straight = great_circle_km(lon[:, None], lat[:, None], lon[None, :], lat[None, :])
    apart = straight[straight > 0]
    from_km = min(DETOUR_FROM_KM, float(np.median(apart)) if len(apart) else DETOUR_FROM_KM)
    a, b = np.nonzero(straight >= from_km)
    if len(a) == 0:
        return []
    factor = km[a, b] / straight[a, b]
    cut_off = np.isnan(km).sum(axis=1) >= len(some) - 1
    findings = []
    if cut_off.any() and len(some) > 1:
        findings.append(Finding(
            "roads", "fault", "Districts that no road joins to another",
            "They take no part in a study: their exports count as unreachable.",
            "Islands are right. Else check the coordinates, or add the road that is missing.",
            some.loc[cut_off, ["state", "district", "lon", "lat"]],
        ))  # fmt: skip
    known = np.isfinite(factor)
    if not known.any():
        return findings
    shares = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
    table = pd.DataFrame({"share_of_pairs_below": shares, "detour_factor": np.quantile(factor[known], shares)})
    findings.append(Finding(
        "roads", "note", "Detour factors",
        f"Road km over great circle among {len(some)} districts at least {from_km:.3g} km apart. A median of 1.2 "
        "to 1.5 is usual; much more means missing roads or bridges, less means lines drawn too straight.",
        "Hold a few distances you know against the matrix.", table,
    ))  # fmt: skip
    odd = known & ((factor < LOW_DETOUR - 1e-9) | (factor > HIGH_DETOUR))
    if odd.any():
        names = some["district_id"].to_numpy()
        pairs = pd.DataFrame({
            "from": names[a[odd]], "to": names[b[odd]], "road_km": km[a, b][odd], "straight_km": straight[a, b][odd],
            "detour_factor": factor[odd],
        })  # fmt: skip
        findings.append(Finding(
            "roads", "look", f"Pairs with a detour factor under {LOW_DETOUR:g} or over {HIGH_DETOUR:g}",
            "Under 1 is impossible; over 3 there is a strait, a mountain range or a road that is missing.",
            "Look at the first pairs on a map; a bridge or ferry that is missing shows in many of them.",
            pairs.sort_values("detour_factor", ascending=False, ignore_index=True),
        ))  # fmt: skip
    return findings


def write_quality(folder: Path, name: str, manifest: dict[str, Any], findings: list[Finding]) -> dict[str, Any]:
    """Write ``quality.json`` and ``quality.html``; returns the content of the former.

    Args:
        folder: of the pack.
        name: of the area.
        manifest: of the pack.
        findings: in any order; the report puts the weightiest first.
    """
    order = list(WORDS)
    findings = sorted(findings, key=lambda finding: order.index(finding.weight))
    result = {
        "area": name,
        "built": manifest["built"],
        "crs_found": manifest.get("figures", {}).get("districts", {}).get("crs_found"),
        "counts": {weight: sum(finding.weight == weight for finding in findings) for weight in WORDS},
        "findings": [
            {
                "layer": finding.layer, "weight": finding.weight, "title": finding.title, "meaning": finding.meaning,
                "remedy": finding.remedy, "cases": len(finding.rows), "lines": list(finding.lines),
                "rows": json.loads(pd.DataFrame(finding.rows).to_json(orient="records", double_precision=6)),
            }
            for finding in findings
        ],
    }  # fmt: skip
    text = json.dumps(result, indent=1, ensure_ascii=False)
    (folder / "quality.json").write_text(text + "\n", encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader("geodata.ingest"), jinja2.PackageLoader("geodata")]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["cell"] = _cell
    page = environment.get_template("quality.html").render(result=result, manifest=manifest, words=WORDS, shown=SHOWN)
    (folder / "quality.html").write_text(page, encoding="utf-8")
    return result


def _cell(value: Any, column: str) -> str:
    """A value for the page; degrees to about 10 m, so that the place is found on a map."""
    if value is None:
        return "–"
    if column.endswith(("lon", "lat")):
        return f"{value:.4f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) >= 100):
        return f"{value:,.0f}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"
    return str(value)

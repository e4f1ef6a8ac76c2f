"""From the lines of OSM to a network for freight: which lines count, which way, how fast, joined and mended.

Roads (directed, one arc per direction):
- Classes are values of `highway`; what is under construction or proposed is left out, and ferries count only where a
  tag says that they take vehicles.
- Access is decided by the most particular of hgv, goods, motor_vehicle, vehicle and access; NO_ACCESS bars. Ways for
  destination or delivery only stay: a truck may end its trip there, and barring through traffic alone cannot be said
  with a length. Conditional tags (by hour, by axle) are not read.
- Motorways and roundabouts are one-way unless tagged otherwise; reversible lanes count both ways.
- Trucks run at the speed of `truck_speeds.csv` for class and surface (no surface: paved); `maxspeed` only lowers it.

Railways (both ways): running lines of one gauge are "main"; parallel tracks become one line (`geodata.ingest.tracks`);
yards, sidings and spurs become "access", usable to reach a line but not to run through. Branch lines are not told
apart: tariffs go by km, and no source gives a speed of their own. How fast trains are is not said here but by a study.

Then dead ends beside a line are joined to it (`geodata.ingest.gaps`) and pieces are joined up to a few km, so that a
point finds a node near it (`geodata.ingest.contraction`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.errors import Fault, InputError
from geodata.ingest.contraction import BoolArray, Pieces, contract, cut_lines, to_network, without_spare_nodes
from geodata.ingest.gaps import close_gaps, gap_reason
from geodata.ingest.osm import ROAD_CLASSES, TAGS, UNBUILT, Kind, Ways
from geodata.ingest.tracks import access_forest, merge_parallel
from geodata.network import FloatArray, IntArray, Network, great_circle_km

TRUCK_SPEEDS = Path(__file__).parent / "truck_speeds.csv"

ACCESS_KEYS = ("access", "vehicle", "motor_vehicle", "goods", "hgv")  # from general to particular
NO_ACCESS = frozenset(
    {"no", "private", "agricultural", "forestry", "emergency", "military", "psv", "bus", "unsuitable"}
)
UNPAVED = frozenset({
    "unpaved", "gravel", "fine_gravel", "compacted", "dirt", "earth", "ground", "sand", "mud", "clay", "grass", "rock",
    "pebblestone", "stone", "soil", "laterite", "murram",
})  # fmt: skip
IMPLICIT_MAXSPEED = {"urban": 50.0, "living_street": 10.0, "walk": 5.0}  # as in "IN:urban"; others set no cap
KM_PER_MILE = 1.609344
SERVICE_TRACKS = frozenset({"yard", "siding", "spur", "crossover"})
NO_FREIGHT_USAGE = frozenset({"tourism", "military", "test", "leisure", "scientific"})
COORDINATE_DECIMALS = 7  # OSM's own; about 1 cm


@dataclass(frozen=True)
class FreightRules:
    """What may be chosen about a freight network; the defaults are for India."""

    classes: tuple[str, ...] = ROAD_CLASSES
    truck_gross_t: float = 16.2
    """Roads of a lower `maxweight` are left out. Assumption: a two-axle truck."""
    truck_speeds: Path = TRUCK_SPEEDS
    """CSV with the columns highway, surface (paved, unpaved), speed_km_h and source."""
    gauge_mm: int | None = 1676
    """Tracks of another gauge are left out; tracks without a tag count; None = any gauge."""
    parallel_km: float = 0.015
    """Tracks nearer than this and parallel become one line; tracks of a double line are 4 to 6 m apart."""
    road_gap_km: float = 0.03
    rail_gap_km: float = 0.2
    road_longest_km: float = 8.0
    rail_longest_km: float = 5.0


@dataclass(frozen=True, eq=False)
class FreightNetwork:
    """A network with what was done to get it.

    ``repairs``: from_lon, from_lat, to_lon, to_lat, km, reason. ``figures``: source, ways_read, ways_kept, left_out
    (reason -> ways, km), speeds of roads (class -> km, mean_speed_km_h, unpaved_km, capped_km; lengths of ways, once),
    components, nodes and parallel tracks before and after.
    """

    network: Network
    repairs: pd.DataFrame
    figures: dict[str, Any]


def freight_network(ways: Ways, kind: Kind, rules: FreightRules | None = None) -> FreightNetwork:
    """The network that trucks or goods trains can use. Raises InputError if nothing is left, saying why."""
    rules = rules or FreightRules()
    tags = ways.tags
    judged = _judge_roads(tags, rules) if kind == "road" else _judge_rails(tags, rules)
    coordinates, line = shapely.get_coordinates(ways.lines, return_index=True)
    inner = line[:-1] == line[1:]
    step = np.where(inner, great_circle_km(*coordinates[:-1].T, *coordinates[1:].T), 0.0)
    way_km: FloatArray = np.bincount(line[:-1], weights=step, minlength=len(ways.lines)).astype(np.float64)
    figures: dict[str, Any] = {
        "source": ways.source,
        "ways_read": _count(ways.way_id),
        "left_out": {
            str(reason): {"ways": _count(ways.way_id[rows]), "km": float(way_km[rows].sum())}
            for reason, rows in judged.groupby("left_out").indices.items()
        },
    }
    if kind == "rail":
        _check_gauge(ways, way_km, rules.gauge_mm)
    kept = judged["left_out"].isna().to_numpy()
    figures["ways_kept"] = _count(ways.way_id[kept])
    if not kept.any():
        reasons = ", ".join(f"{name} ({left['ways']} ways)" for name, left in figures["left_out"].items())
        names = tags[TAGS[kind][0]].dropna().value_counts().index[:10]
        remedy = (
            f"its classes are {', '.join(map(str, names))}: translate them with class_names, ask for them with "
            "classes, or take another source"
        )
        raise InputError(Fault(f"no {kind} is left; left out: {reasons}", remedy, ways.source))
    if kind == "road":
        figures["speeds"] = _speeds_assumed(judged[kept], way_km[kept])

    longest_km = rules.road_longest_km if kind == "road" else rules.rail_longest_km
    gap_km = rules.road_gap_km if kind == "road" else rules.rail_gap_km
    pieces, figures["nodes_before"] = _pieces(ways, coordinates, line, judged, kept, longest_km)
    figures["components_before"] = _n_components(pieces)
    if kind == "rail":
        running = pieces.class_code == pieces.class_names.index("main")
        pieces, figures["parallel_km_merged"] = merge_parallel(pieces, running, rules.parallel_km)
    pieces, repairs = close_gaps(contract(pieces, longest_km), gap_km, run_on=kind == "rail")
    if kind == "rail":
        access = (pieces.class_code == pieces.class_names.index("access")) & ~pieces.repaired
        pieces = pieces.take(access_forest(pieces, access))
        pieces = replace(
            pieces, class_names=tuple("access" if name == "crossover" else name for name in pieces.class_names)
        )
    pieces = without_spare_nodes(contract(pieces, longest_km))
    if pieces.n == 0:
        what = f"no {kind} leads anywhere: only loops, or yards without a line beside them"
        raise InputError(Fault(what, "take another source", ways.source))
    figures["nodes_after"] = len(pieces.node_lon)
    figures["edges_after"] = pieces.n
    figures["components_after"] = _n_components(pieces)
    if kind == "road":
        figures["strong_components_after"] = _n_components(pieces, strong=True)
    network = to_network(pieces, directed=kind == "road", repair_reason=gap_reason(gap_km))
    if kind == "rail":
        network = replace(network, edge_hours=None)
    return FreightNetwork(network, repairs, figures)


def _count(way_id: IntArray) -> int:
    return len(np.unique(way_id))


def _pieces(
    ways: Ways, coordinates: FloatArray, line: IntArray, judged: pd.DataFrame, kept: BoolArray, longest_km: float
) -> tuple[Pieces, int]:
    """The ways that are kept, cut at nodes where ways meet, and how many nodes they have."""
    order = np.flatnonzero(kept[line])
    line = line[order]
    _, opening, of_line, size = np.unique(line, return_index=True, return_inverse=True, return_counts=True)
    against = (judged["oneway"].to_numpy() == -1)[line]
    last = opening + size - 1
    order = order[np.where(against, (opening + last)[of_line] - np.arange(len(order)), np.arange(len(order)))]
    points = coordinates[order]
    if ways.point_node is not None:
        told_apart_by = ways.point_node[order]
    else:
        units = np.rint((points + 180) * 10**COORDINATE_DECIMALS).astype(np.int64)
        told_apart_by = units[:, 0] * (360 * 10**COORDINATE_DECIMALS) + units[:, 1]
    _, seen, node = np.unique(told_apart_by, return_index=True, return_inverse=True)
    first, last, km = cut_lines(points, line, node, longest_km)
    row = line[first]
    classes = judged["class"].cat
    pieces = Pieces(
        node_lon=points[seen, 0],
        node_lat=points[seen, 1],
        points=points,
        first=first,
        last=last,
        start=node[first],
        end=node[last],
        km=km,
        hours=km / judged["speed_km_h"].to_numpy()[row],
        class_code=np.asarray(classes.codes, dtype=np.int64)[row],
        oneway=(judged["oneway"] != 0).to_numpy()[row],
        repaired=np.zeros(len(km), dtype=bool),
        class_names=tuple(map(str, classes.categories)),
    )
    return without_spare_nodes(pieces), len(seen)


def _n_components(pieces: Pieces, strong: bool = False) -> int:
    """Components among the nodes that pieces use."""
    used, number = np.unique(np.concatenate([pieces.start, pieces.end]), return_inverse=True)
    start, end = number[: pieces.n], number[pieces.n :]
    both = ~pieces.oneway
    row, column = np.concatenate([start, end[both]]), np.concatenate([end, start[both]])
    graph = coo_array((np.ones(len(row)), (row, column)), shape=(len(used), len(used)))
    n_components, _ = connected_components(graph, connection="strong" if strong else "weak")
    return int(n_components)


def _speeds_assumed(judged: pd.DataFrame, km: FloatArray) -> dict[str, dict[str, float]]:
    """Per class: km, its mean speed by length, km taken as unpaved and km with a lower `maxspeed`."""
    table = pd.DataFrame(
        {
            "class": judged["class"].to_numpy(),
            "km": km,
            "hours": km / judged["speed_km_h"].to_numpy(),
            "unpaved_km": km * judged["unpaved"].to_numpy(),
            "capped_km": km * judged["capped"].to_numpy(),
        }
    )
    sums = table.groupby("class", observed=True).sum()
    sums.insert(1, "mean_speed_km_h", sums["km"] / sums.pop("hours").where(lambda h: h > 0))
    return {str(name): {str(k): float(v) for k, v in row.items()} for name, row in sums.to_dict(orient="index").items()}


def _judge_roads(tags: pd.DataFrame, rules: FreightRules) -> pd.DataFrame:
    """Per way: left_out (reason or None), class, speed_km_h, oneway (1, -1, 0), unpaved, capped."""
    speeds = load_truck_speeds(rules.truck_speeds)
    missing = [name for name in (*rules.classes, "ferry") if name not in speeds.index]
    if missing:
        raise InputError(
            Fault(f"no speed for {', '.join(missing)}", "add rows, or correct classes", rules.truck_speeds)
        )
    highway = tags["highway"].astype("category")
    ferry = highway.isna().to_numpy() & _mapped(tags["route"], lambda value: value == "ferry")
    barred = np.full(len(tags), -1)  # 1 barred, 0 allowed, -1 not said
    vehicles_said = np.zeros(len(tags), dtype=bool)
    for key in ACCESS_KEYS:
        says = _mapped(tags[key], _barred)
        barred = np.where(says >= 0, says, barred)
        vehicles_said |= (key != "access") & (says == 0)
    weight_t = _mapped(tags["maxweight"], maxweight_t)
    left_out = np.select(
        [
            _mapped(highway, lambda value: value in UNBUILT),
            ~_mapped(highway, lambda value: value in rules.classes) & ~ferry,
            barred == 1,
            ferry & ~vehicles_said,
            weight_t < rules.truck_gross_t,
        ],
        ["not built", "class", "access", "ferry without vehicles", "maxweight"],
        default="",
    )
    unpaved = _mapped(tags["surface"], lambda value: str(value).split(":")[0] in UNPAVED)
    name: pd.Series[Any] = highway.cat.set_categories([*highway.cat.categories.drop("ferry", errors="ignore"), "ferry"])
    name = name.mask(ferry, "ferry")
    speed_of = {surface: name.map(speeds[surface]).to_numpy(dtype=np.float64) for surface in ("paved", "unpaved")}
    speed = np.where(unpaved, speed_of["unpaved"], speed_of["paved"])
    cap = _mapped(tags["maxspeed"], maxspeed_km_h)
    oneway = _mapped(tags["oneway"], _oneway)  # 2 = not said
    implied = _mapped(tags["junction"], lambda value: value in ("roundabout", "circular")) | _mapped(
        highway, lambda value: value == "motorway"
    )
    return pd.DataFrame(
        {
            "left_out": pd.Series(left_out, dtype=object).where(left_out != "", None),
            "class": name,
            "speed_km_h": np.minimum(speed, cap),
            "oneway": np.where(oneway == 2, implied.astype(int), oneway),
            "unpaved": unpaved,
            "capped": cap < speed,
        }
    )


def _judge_rails(tags: pd.DataFrame, rules: FreightRules) -> pd.DataFrame:
    """The first four for railways; crossovers, which join running lines, are "crossover"."""
    usage, service = tags["usage"], tags["service"]
    left_out = np.select(
        [
            _mapped(tags["railway"], lambda value: value != "rail"),
            _mapped(usage, lambda value: value in NO_FREIGHT_USAGE),
            ~_mapped(tags["gauge"], lambda value: _gauge_fits(value, rules.gauge_mm)),
        ],
        ["not built", "usage", "gauge"],
        default="",
    )
    of_service = _mapped(service, lambda value: value in SERVICE_TRACKS)
    name = np.select(
        [
            _mapped(service, lambda value: value == "crossover"),
            of_service | _mapped(usage, lambda value: value == "industrial"),
        ],
        ["crossover", "access"],
        default="main",
    )
    return pd.DataFrame(
        {
            "left_out": pd.Series(left_out, dtype=object).where(left_out != "", None),
            "class": pd.Categorical(name, categories=["main", "access", "crossover"]),
            "speed_km_h": np.inf,  # not known
            "oneway": 0,
        }
    )


def load_truck_speeds(path: Path = TRUCK_SPEEDS) -> pd.DataFrame:
    """Truck speeds in km/h by class of road (index) and surface (columns paved, unpaved).

    Raises InputError for a file without the columns highway, surface, speed_km_h or with a speed that is not above 0.
    """
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(Fault(f"cannot be read as a CSV table ({error})", "save it as 'CSV UTF-8'", path)) from error
    missing = [name for name in ("highway", "surface", "speed_km_h") if name not in table.columns]
    if missing:
        raise InputError(Fault(f"column {', '.join(missing)} missing", "add it", path, 1))
    speed = pd.to_numeric(table["speed_km_h"], errors="coerce")
    problems = [
        Fault("", "give a number above 0", path, int(row) + 2, "speed_km_h", table["speed_km_h"][row])
        for row in np.flatnonzero(~(speed > 0))
    ]
    problems += [
        Fault(
            f"{table['highway'][row]}, {table['surface'][row]} is there twice",
            "remove one",
            path,
            int(row) + 2,
            "highway",
            table["highway"][row],
        )
        for row in np.flatnonzero(table.duplicated(["highway", "surface"]))
    ]
    if problems:
        raise InputError(problems)
    wide = table.assign(speed_km_h=speed).pivot(index="highway", columns="surface", values="speed_km_h")
    wide = wide.reindex(columns=["paved", "unpaved"])
    return wide.assign(unpaved=wide["unpaved"].fillna(wide["paved"]))


def _mapped(values: pd.Series, function: Callable[[Any], Any]) -> NDArray[Any]:
    """The function of each value (n,), computed once per distinct value; None stands for a missing one."""
    category = values.astype("category").cat
    of_each = np.array([function(value) for value in [*category.categories, None]])
    result: NDArray[Any] = of_each[category.codes.to_numpy()]  # a missing value has code -1, the last
    return result


def _barred(value: str | None) -> int:
    if value is None:
        return -1
    return int(all(part.strip() in NO_ACCESS for part in value.split(";")))


def _oneway(value: str | None) -> int:
    if value in ("yes", "true", "1"):
        return 1
    if value in ("-1", "reverse"):
        return -1
    return 2 if value is None else 0


def _gauges(value: str | None) -> list[int]:
    return [int(part) for part in (value or "").split(";") if part.strip().isdigit()]


def _gauge_fits(value: str | None, gauge_mm: int | None) -> bool:
    gauges = _gauges(value)
    return gauge_mm is None or not gauges or gauge_mm in gauges


def _check_gauge(ways: Ways, way_km: FloatArray, gauge_mm: int | None) -> None:
    """Raise InputError if tracks have gauges, but none the one asked for: what is left would be those without a tag."""
    km: dict[int, float] = {}
    for value, row_km in zip(ways.tags["gauge"].astype(object), way_km.tolist(), strict=True):
        for gauge in _gauges(value if isinstance(value, str) else None):
            km[gauge] = km.get(gauge, 0.0) + row_km
    if gauge_mm is None or not km or gauge_mm in km:
        return
    by_km = sorted(km, key=lambda gauge: -km[gauge])
    found = ", ".join(f"{gauge} mm ({km[gauge]:,.0f} km)" for gauge in by_km)
    raise InputError(
        Fault(
            f"no track of gauge {gauge_mm} mm, but of {found}",
            f"write gauge_mm = {by_km[0]} in [rail] for the one that freight runs on",
            ways.source,
        )
    )


def maxweight_t(value: str | None) -> float:
    """Tonnes that a tag `maxweight` allows: tonnes unless it says kg, lbs or st (short tons); infinite if no number."""
    found = re.fullmatch(r"(\d+(?:[.,]\d+)?)\s*(t|kg|lbs?|st)?", (value or "").strip().lower())
    if not found:
        return np.inf
    tonnes = {"kg": 0.001, "lb": 0.00045359237, "lbs": 0.00045359237, "st": 0.90718474}
    return float(found[1].replace(",", ".")) * tonnes.get(found[2] or "t", 1.0)


def maxspeed_km_h(value: str | None) -> float:
    """Speed that a tag `maxspeed` allows, the least of several; infinite where it sets none."""
    return min((_one_maxspeed(part.strip().lower()) for part in (value or "").split(";")), default=np.inf)


def _one_maxspeed(text: str) -> float:
    zone = text.rpartition(":")[2]  # "in:urban", "de:30", "zone:50"
    if zone in IMPLICIT_MAXSPEED:
        return IMPLICIT_MAXSPEED[zone]
    found = re.fullmatch(r"(?:zone)?(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?", zone)
    if not found or float(found[1]) == 0:
        return np.inf
    return float(found[1]) * {"mph": KM_PER_MILE, "knots": 1.852}.get(found[2] or "", 1.0)

"""Places: every point where cargo starts, stops or leaves, and the distances among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.cache import cached_matrix, network_checksum
from geodata.errors import Fault, InputError
from geodata.matrix import many_to_many, point_matrix
from geodata.network import Network, great_circle_km, hours, snap
from geodata.pack import Pack
from siting.model.costs import Array
from siting.model.policies import spared_km

Index = NDArray[np.int64]

MAX_ROAD_SNAP_KM = 50.0  # beyond it a place has no road; wider than any mainland gap, narrower than the straits
MAX_RAIL_SNAP_KM = 25.0  # an existing terminal without a connector row


@dataclass(frozen=True)
class Places:
    """Districts, planned sites, depots and gateways in one numbering.

    Args:
        table: one row per place: ``place_id``, ``kind`` (district, planned, depot, cargo_terminal (one that exists),
            gateway), ``name``, ``state``,
            ``lon``, ``lat``, ``rail_access_km`` (to the nearest rail node; NaN where there is no rail terminal
            and none can be built), ``rail_line_km`` (to the nearest rail node, however far), ``rail_node``, and
            ``trains_per_week`` (that carry exports; NaN where it is not known).
        road_km: (n, n) by road; NaN where there is no way.
        first_mile_km: (n, n) as road_km, from the exporters of a district: never less than the mean distance
            inside it.
        rail_km: (n, n_gateways) by rail, access at both ends included; NaN where either end has no rail.
        rail_h: (n, n_gateways) running hours of the same.
        road_run_h: (n, n_gateways) running hours of the fastest way by road, without stops and without the way to
            the road; None where the roads carry no truck speeds. Told beside the priced hours, which are distance
            over km a day on every network, so that packs compare.
    """

    table: pd.DataFrame
    road_km: Array
    first_mile_km: Array
    rail_km: Array
    rail_h: Array
    road_run_h: Array | None = None

    def __len__(self) -> int:
        return len(self.table)

    def _of(self, *kinds: str) -> Index:
        return np.flatnonzero(self.table["kind"].isin(kinds))

    @cached_property
    def districts(self) -> Index:
        return self._of("district")

    @cached_property
    def depots(self) -> Index:
        """Inland depots and cargo terminals that exist."""
        return self._of("depot", "cargo_terminal")

    @cached_property
    def filling_depots(self) -> Index:
        """Depots where part loads are filled into boxes; a cargo terminal takes full boxes only."""
        return self._of("depot")

    @cached_property
    def gateways(self) -> Index:
        return self._of("gateway")

    @cached_property
    def on_road(self) -> NDArray[np.bool_]:
        """(n,) whether a road leads from the place to a gateway."""
        return np.asarray(np.isfinite(self.road_km[:, self.gateways]).any(axis=1))

    @cached_property
    def trains_per_week(self) -> Array:
        """(n,) trains with exports from an existing terminal; NaN where it is not known, as at new ones."""
        known = self.table.reindex(columns=["trains_per_week"])["trains_per_week"]
        return known.to_numpy(np.float64)

    @cached_property
    def is_site(self) -> NDArray[np.bool_]:
        return np.asarray(self.table["kind"].isin(["district", "planned"]), dtype=bool)


@dataclass(frozen=True)
class Survey:
    """What a pack's networks say of its places, whatever the parameters: measured once, then placed as often as asked.

    Args:
        table: one row per place as of `Places`, but for ``rail_access_km``, and ``rail_served``.
        rail: the rail network.
        road_km: as of `Places`.
        area_km2: (n_districts,) of the districts, which come first in the table.
        access_km: (n,) from each place to its rail node, however far.
        rail_km: (n, n_gateways) along the rail network from node to node.
        straight_km: (n, n_gateways) great circle.
        road_run_h: as of `Places`.
        rail_hours: rail running hours already measured, by the speeds they were measured at.
    """

    table: pd.DataFrame
    rail: Network
    road_km: Array
    area_km2: Array
    access_km: Array
    rail_km: Array
    straight_km: Array
    road_run_h: Array | None
    rail_hours: dict[tuple[float, float], Array] = field(default_factory=dict)

    def places(self, parameters: Mapping[str, float]) -> Places:
        """Put the places on the networks: who has rail, how fast trains run, how far exporters are from the centre."""
        inside_km = np.zeros(len(self.table))
        inside_km[: len(self.area_km2)] = mean_distance_inside_km(self.area_km2, parameters["intra_district_detour"])
        first_mile_km = np.maximum(self.road_km, inside_km[:, None])

        can_have_rail = self.table["rail_served"].to_numpy(bool)
        new = self.table["kind"].isin(["district", "planned"])
        limit = np.where(new, parameters["mmlp_max_rail_km"], np.inf)
        access_km = np.where(can_have_rail & (self.access_km <= limit), self.access_km, np.nan)
        both_ends_km = access_km[:, None] + access_km[self._ends][None, :]
        main, dfc = parameters["rail_speed_main_km_h"], parameters["rail_speed_dfc_km_h"]
        return Places(
            self.table.drop(columns="rail_served").assign(rail_access_km=access_km),
            self.road_km,
            first_mile_km,
            # A connector may end beside its terminal rather than at its gate: no way is shorter than the straight one.
            np.maximum(self.rail_km + both_ends_km, self.straight_km),
            self._rail_h(main, dfc) + both_ends_km / main,
            self.road_run_h,
        )

    @cached_property
    def _ends(self) -> Index:
        return np.flatnonzero(self.table["kind"] == "gateway")

    def _rail_h(self, main_km_h: float, dfc_km_h: float) -> Array:
        """(n, n_gateways) running hours from node to node at these speeds."""
        known = self.rail_hours.get((main_km_h, dfc_km_h))
        if known is None:
            speed = {name: dfc_km_h if name == "dfc" else main_km_h for name in self.rail.classes[1]}
            known = _rail_matrix(self.rail, self.table, hours(self.rail, speed))
            self.rail_hours[main_km_h, dfc_km_h] = known
        return known


def build_places(pack: Pack, parameters: Mapping[str, float]) -> Places:
    """Put all points of a pack on its networks; see `survey_pack`."""
    return survey_pack(pack).places(parameters)


def survey_pack(pack: Pack, upgraded: Sequence[str] = (), cut: float = 0.0) -> Survey:
    """Measure all points of a pack on its networks.

    Distances are cached on disk by the checksum of network and points. Only gateways with a container service
    take part; a depot without rail, or without trains, is a place to consolidate part loads, no terminal.

    Args:
        upgraded: corridors and states whose roads are upgraded.
        cut: what a km of them costs less, as of :func:`siting.model.policies.spared_km`.

    Raises:
        InputError: where two places have one id.
    """
    gateways = pack.gateways[pack.gateways["container_service"]]
    table = pd.concat(
        [
            pack.districts[["district_id", "district", "state", "lon", "lat"]]
            .set_axis(["place_id", "name", "state", "lon", "lat"], axis=1)
            .assign(kind="district", rail_served=True),
            pack.planned_sites[["site_id", "name", "state", "lon", "lat"]]
            .rename(columns={"site_id": "place_id"})
            .assign(kind="planned", rail_served=True),
            pack.depots[["depot_id", "name", "state", "lon", "lat", "rail_served", "kind", "trains_per_week"]]
            .rename(columns={"depot_id": "place_id"})
            .replace({"kind": {"": "depot"}})
            .assign(
                rail_served=lambda depots: depots["rail_served"] & (depots["trains_per_week"] != 0),
                trains_per_week=lambda depots: depots["trains_per_week"].where(depots["trains_per_week"] > 0),
            ),
            gateways[["gateway_id", "name", "state", "lon", "lat", "rail_served"]]
            .rename(columns={"gateway_id": "place_id"})
            .assign(kind="gateway"),
        ],
        ignore_index=True,
    )
    _check_ids(table)
    lon, lat = table["lon"].to_numpy(np.float64), table["lat"].to_numpy(np.float64)
    road_km = cached_matrix(
        lambda: point_matrix(pack.road, lon, lat, lon, lat, max_snap_km=MAX_ROAD_SNAP_KM).km,
        network_checksum(pack.road), lon, lat, MAX_ROAD_SNAP_KM,
    )  # fmt: skip
    np.fill_diagonal(road_km, 0.0)
    if upgraded:
        road_km = np.maximum(road_km - spared_km(pack, snap(pack.road, lon, lat)[0], upgraded, cut), 0.0)
    node, line_km, access_km = _rail_access(pack, table)
    table["rail_node"], table["rail_line_km"] = node, line_km
    ends = np.flatnonzero(table["kind"] == "gateway")
    return Survey(
        table,
        pack.rail,
        road_km,
        pack.districts.to_crs("ESRI:54034").area.to_numpy() / 1e6,
        access_km,
        _rail_matrix(pack.rail, table, "km"),
        great_circle_km(lon[:, None], lat[:, None], lon[ends], lat[ends]),
        _road_run_h(pack.road, lon, lat, ends),
    )


def _check_ids(table: pd.DataFrame) -> None:
    """Raise InputError where places of different layers have one id: results and studies name a place by it alone."""
    shared = table[table["place_id"].duplicated(keep=False)].groupby("place_id")["kind"].agg(" and a ".join)
    remedy = "give every district, planned site, depot and gateway an id of its own"
    if len(shared):
        raise InputError([Fault(f"{key!r} is the id of a {kinds}", remedy) for key, kinds in shared.items()])


def _rail_matrix(rail: Network, table: pd.DataFrame, weight: Array | Literal["km"]) -> Array:
    """(n, n_gateways) least weight along the rail network from each place's node to the gateways'."""
    node = table["rail_node"].to_numpy(np.int64)
    ends = node[table["kind"] == "gateway"]
    nodes, position = np.unique(node, return_inverse=True)
    matrix: Array = cached_matrix(
        lambda: many_to_many(rail, nodes, ends, weight), network_checksum(rail), nodes, ends, weight
    )[position]
    return matrix


def _road_run_h(road: Network, lon: Array, lat: Array, ends: Index) -> Array | None:
    if road.edge_hours is None:
        return None
    edge_h = road.edge_hours
    node, _ = snap(road, lon, lat)
    nodes, position = np.unique(node, return_inverse=True)
    run_h: Array = cached_matrix(
        lambda: many_to_many(road, nodes, node[ends], weight=edge_h), network_checksum(road), nodes, node[ends], edge_h
    )[position]
    return run_h


def mean_distance_inside_km(area_km2: Array, detour: float) -> Array:
    """Mean road distance from the exporters of a district to its centre.

    Two thirds of the radius of a disc of the same area (the mean distance of a disc's points from its centre)
    times the detour factor of roads.
    """
    return 2.0 / 3.0 * np.sqrt(area_km2 / np.pi) * detour


def _rail_access(pack: Pack, table: pd.DataFrame) -> tuple[Index, Array, Array]:
    """Rail node of each place, by its connector row or else the nearest, km to it, and those km where in reach."""
    connectors = pack.rail_connectors.set_index("terminal_id").reindex(table["place_id"])
    has_connector = connectors["km"].notna().to_numpy()
    lon = np.where(has_connector, connectors["lon"], table["lon"]).astype(np.float64)
    lat = np.where(has_connector, connectors["lat"], table["lat"]).astype(np.float64)
    node, snap_km = snap(pack.rail, lon, lat)
    line_km = np.where(has_connector, connectors["km"].to_numpy(np.float64), 0.0) + snap_km
    return node, line_km, np.where(snap_km > MAX_RAIL_SNAP_KM, np.nan, line_km)

"""What moving one tonne costs: freight by vehicle class, handling, time, dwell, carbon.

Every rate comes from :mod:`siting.parameters`. Distances are km on the network, results INR per tonne.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

G_PER_KG = 1000.0
KG_PER_T = 1000.0
H_PER_DAY = 24.0
DAYS_PER_WEEK = 7.0
DAYS_PER_YEAR = 365.0
FARTHEST_KM = 4000.0  # no haul within India is longer


@dataclass(frozen=True)
class Haul:
    """Freight of one class of vehicle as a function of distance: a fixed part, and a rate per km that tapers.

        f(km) = r (s L + (1 - s) (min(km, L) + (1 - t) max(km - L, 0))) where km > 0,  f(0) = 0                 (45)

    Published rates per t-km are means over trips of all lengths. Rate r holds at the mean haul L: f(L) = r L. A share s
    of that is spent whatever the distance (loading, waiting, papers), and km beyond L cost t less. So f is concave, and
    a tonne-km costs more than r on short trips and less on long ones.

    Args:
        inr_per_t_km: r.
        mean_haul_km: L.
        fixed_share: s, 0 to 1.
        taper: t, 0 to 1.
    """

    inr_per_t_km: float
    mean_haul_km: float
    fixed_share: float
    taper: float

    def inr_per_t(self, km: Array) -> Array:
        """Freight over distances of any shape; NaN where the distance is."""
        near = np.minimum(km, self.mean_haul_km)
        moving = (1 - self.fixed_share) * (near + (1 - self.taper) * (km - near))  # (45)
        charged = np.where(km == 0, 0.0, self.fixed_share * self.mean_haul_km + moving)
        return np.asarray(self.inr_per_t_km * charged)


@dataclass(frozen=True)
class Tariff:
    """Rates of one study, derived from its parameters. Freight is a function of km: no rate times km outside it.

    Args:
        trailer: per tonne in a box. The published cost of a 55-t trailer, full, is carried by the tonnes an export box
            really holds: ``heavy_trailer_inr_per_t_km x heavy_trailer_payload_t / container_payload_t``.
        light_truck: of part loads, to a hub or to where the line haul begins.
        line_haul: of part loads beyond ``collection_km``: a truck's rate over the share of it that part loads fill.
        rail: of a box; its fixed part is the passage through the terminal.
        daily_train_dwell_h: D of (48).
        trains_per_week: n of (48) where a terminal's own is not known.
        rare_trains_of_freight: of (100).
        empty_return: freight of bringing the box empty, over that of the loaded box.
    """

    trailer: Haul
    light_truck: Haul
    line_haul: Haul
    rail: Haul
    empty_return: float
    collection_km: float
    terminal_inr_per_t: float
    stuffing_inr_per_t: float
    depot_cold_room_inr_per_t: float
    reefer_factor: float
    road_h_per_km: float
    daily_train_dwell_h: float
    trains_per_week: float
    rare_trains_of_freight: float
    consolidation_dwell_h: float
    rake_handling_h: float
    rake_wait_h: float
    carbon_inr_per_kg: float
    trailer_kg_per_t_km: float
    light_truck_kg_per_t_km: float
    line_haul_kg_per_t_km: float
    rail_kg_per_t_km: float

    @classmethod
    def from_parameters(cls, p: Mapping[str, float]) -> Tariff:
        """Derive the rates of a study."""
        access = p["rail_terminal_access_inr_per_train"] / (p["teu_per_train"] * p["payload_t_per_teu"])
        box_rate = p["heavy_trailer_inr_per_t_km"] * p["heavy_trailer_payload_t"] / p["container_payload_t"]
        road_km, taper, collection_km = p["road_mean_haul_km"], p["road_taper"], p["part_load_collection_km"]
        truck_rate = p["truck_inr_per_t_km"] / p["part_load_fill"]
        return cls(
            trailer=Haul(box_rate, road_km, p["trailer_fixed_share"], taper),
            light_truck=Haul(p["light_truck_inr_per_t_km"], collection_km, p["light_truck_fixed_share"], 0.0),
            line_haul=Haul(truck_rate, road_km, p["truck_fixed_share"], taper),
            rail=Haul(p["rail_inr_per_t_km"], p["rail_mean_haul_km"], 0.0, p["rail_taper"]),
            empty_return=p["empty_box_share"] * p["empty_box_freight_ratio"],  # (46)
            collection_km=collection_km,
            terminal_inr_per_t=p["rail_terminal_handling_inr_per_t"] + access,
            stuffing_inr_per_t=p["stuffing_inr_per_t"],
            depot_cold_room_inr_per_t=p["depot_cold_room_inr_per_t"],
            reefer_factor=p["reefer_freight_factor"],
            road_h_per_km=H_PER_DAY / p["road_km_per_day"],
            daily_train_dwell_h=p["rail_terminal_dwell_h"],
            trains_per_week=p["rail_trains_per_week"],
            rare_trains_of_freight=p["rare_trains_of_freight"],
            consolidation_dwell_h=p["consolidation_dwell_h"],
            rake_handling_h=p["rake_handling_h"],
            rake_wait_h=p["rake_wait_h"],
            carbon_inr_per_kg=p["carbon_price_inr_per_t_co2e"] / KG_PER_T,
            trailer_kg_per_t_km=p["emission_trailer_g_per_t_km"] / G_PER_KG,
            light_truck_kg_per_t_km=p["emission_light_truck_g_per_t_km"] / G_PER_KG,
            line_haul_kg_per_t_km=p["emission_part_load_g_per_t_km"] / G_PER_KG,
            rail_kg_per_t_km=p["emission_rail_g_per_t_km"] / G_PER_KG,
        )

    def full_load_inr_per_t(self, km: Array) -> Array:
        """Freight of a full box on a trailer and of bringing it empty: f_trailer(km) (1 + e).           (46)

        e = share of the boxes that come empty over the whole way x freight of an empty box over that of a full one.
        """
        return self.trailer.inr_per_t(km) * (1 + self.empty_return)

    def rail_inr_per_t(self, km: Array) -> Array:
        """Freight of a full box by rail and of bringing it empty: f_rail(km) (1 + e), as (46)."""
        return self.rail.inr_per_t(km) * (1 + self.empty_return)

    def full_load_kg_per_t(self, km: Array) -> Array:
        """CO2e of a full box on a trailer; published factors hold what vehicles run empty."""
        return self.trailer_kg_per_t_km * km

    def part_load_inr_per_t(self, km: Array) -> Array:
        """Freight of a part load: all the way by light truck, or collected by one for a line haul, which is cheaper.

        min( f_light(km),  f_light(c) + f_line(km - c) )  with c the collection distance                 (47)
        """
        return self.part_load_per_t(km)[0]

    def part_load_kg_per_t(self, km: Array) -> Array:
        """CO2e of a part load, carried as its freight is cheaper."""
        return self.part_load_per_t(km)[1]

    def part_load_per_t(self, km: Array) -> tuple[Array, Array]:
        """Freight (INR) and CO2e (kg) of a part load."""
        direct, by_line = self._part_load_ways(km)
        light_km = np.where(by_line < direct, self.collection_km, km)
        kg = self.light_truck_kg_per_t_km * light_km + self.line_haul_kg_per_t_km * (km - light_km)
        return np.minimum(direct, by_line), np.asarray(kg)

    def _part_load_ways(self, km: Array) -> tuple[Array, Array]:
        """Freight all the way by light truck, and with a line haul beyond the collection distance; both of (47)."""
        near = np.minimum(km, self.collection_km)
        return self.light_truck.inr_per_t(km), self.light_truck.inr_per_t(near) + self.line_haul.inr_per_t(km - near)

    def terminal_dwell_h(self, trains_per_week: Array) -> Array:
        """Hours that a box waits at an inland terminal for a train to its port:

            D + 168 / 2 (1/n - 1/7)                                                                             (48)

        with D the wait where a train leaves every day and n trains a week: a box comes at any time, and waits for half
        of the time between two trains.
        """
        longer_h = DAYS_PER_WEEK * H_PER_DAY / 2 * (1.0 / trains_per_week - 1.0 / DAYS_PER_WEEK)
        return np.maximum(self.daily_train_dwell_h + longer_h, 0.0)

    def rail_break_even_km(self, drayage_km: float = 50.0) -> float:
        """Door-to-door distance from which road-rail-road costs less than road alone, in freight and handling.

        Rail over ``D - 2 x drayage_km`` with drayage by trailer at both ends and one inland terminal passage,
        against a trailer over D. The published figure is about 600 km (500 km of rail and 2 x 50 km of road,
        DPIIT/NCAER 2025). To a tenth of a km; infinite where rail does not pay within ``FARTHEST_KM``.
        """
        km = np.arange(2 * drayage_km, FARTHEST_KM, 0.1)
        ends = 2 * self.full_load_inr_per_t(np.array(drayage_km)) + self.terminal_inr_per_t
        pays = self.full_load_inr_per_t(km) >= ends + self.rail_inr_per_t(km - 2 * drayage_km)
        return float(km[pays][0]) if pays.any() else float("inf")


def value_of_time_inr_per_t_h(value_inr_per_t: Array, fraction_per_day: Array | float) -> Array:
    """Cost of one hour of transit for cargo of the given value (inventory carrying cost, spoilage)."""
    return value_inr_per_t * fraction_per_day / H_PER_DAY


def export_credit_per_day(p: Mapping[str, float]) -> float:
    """Fraction of the value of cargo that a subvention on export credit takes off a day in transit:

        s m / 365                                                                                               (57)

    with s ``export_credit_subvention`` a year and m ``small_firm_share``, spread over all cargo. Time in transit costs
    exporters that much less, and the exchequer pays it: the capital tied up is the same.
    """
    return p["export_credit_subvention"] * p["small_firm_share"] / DAYS_PER_YEAR


def part_load_share(tonnes_per_year: Array, p: Mapping[str, float]) -> Array:
    """Share of a district's cargo of a class that moves in part loads for its volume, before its sectors count:

        s = (1 + Q / h) ** -g;   part loads = q s Q                                                              (24)

    with Q the daily tonnage, h ``part_load_half_t_per_day``, g ``part_load_volume_exponent`` and q the sectors'
    propensity to part loads. Few tonnes a day mean small exporters who cannot fill a box. More exports come from more
    exporters and from larger ones: the mean size of a shipper grows with Q ** g. With g = 1 all growth is of size, and
    part loads of a district never exceed h a day; with g = 0 all is of number. At g = 1/2 both grow alike.
    """
    daily_t = tonnes_per_year / p["working_days_per_year"]
    share: Array = (1.0 + daily_t / p["part_load_half_t_per_day"]) ** -p["part_load_volume_exponent"]
    return share


def annuity_factor(rate: float, years: float) -> float:
    """Present value of one rupee at the end of each of ``years`` years: ``(1 - (1 + rate) ** -years) / rate``.

    A capital spread over the years at the rate costs its amount over this factor a year.
    """
    return years if rate == 0 else (1 - (1 + rate) ** -years) / rate


def appraisal_factor(p: Mapping[str, float]) -> float:
    """Present value of one rupee a year over the appraisal period, at the real discount rate of society.

    Who pays interest does not change it: a subvention is a transfer.
    """
    return annuity_factor(p["discount_rate"], p["appraisal_years"])

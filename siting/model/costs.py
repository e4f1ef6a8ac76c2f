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


@dataclass(frozen=True)
class Tariff:
    """Rates of one study, derived from its parameters.

    The full-load road rate is the published cost of a 55-t trailer per trailer-km, carried by the tonnes an
    export box really holds: ``heavy_trailer_inr_per_t_km x heavy_trailer_payload_t / container_payload_t``.
    """

    trailer_inr_per_t_km: float
    light_truck_inr_per_t_km: float
    line_haul_inr_per_t_km: float
    collection_km: float
    rail_inr_per_t_km: float
    terminal_inr_per_t: float
    stuffing_inr_per_t: float
    depot_cold_room_inr_per_t: float
    reefer_factor: float
    road_h_per_km: float
    terminal_dwell_h: float
    consolidation_dwell_h: float
    rake_handling_h: float
    carbon_inr_per_kg: float
    trailer_kg_per_t_km: float
    light_truck_kg_per_t_km: float
    line_haul_kg_per_t_km: float
    rail_kg_per_t_km: float

    @classmethod
    def from_parameters(cls, p: Mapping[str, float]) -> Tariff:
        """Derive the rates of a study."""
        access = p["rail_terminal_access_inr_per_train"] / (p["teu_per_train"] * p["payload_t_per_teu"])
        return cls(
            trailer_inr_per_t_km=(
                p["heavy_trailer_inr_per_t_km"] * p["heavy_trailer_payload_t"] / p["container_payload_t"]
            ),
            light_truck_inr_per_t_km=p["light_truck_inr_per_t_km"],
            line_haul_inr_per_t_km=p["part_load_line_haul_inr_per_t_km"],
            collection_km=p["part_load_collection_km"],
            rail_inr_per_t_km=p["rail_inr_per_t_km"],
            terminal_inr_per_t=p["rail_terminal_handling_inr_per_t"] + access,
            stuffing_inr_per_t=p["stuffing_inr_per_t"],
            depot_cold_room_inr_per_t=p["depot_cold_room_inr_per_t"],
            reefer_factor=p["reefer_freight_factor"],
            road_h_per_km=H_PER_DAY / p["road_km_per_day"],
            terminal_dwell_h=p["rail_terminal_dwell_h"],
            consolidation_dwell_h=p["consolidation_dwell_h"],
            rake_handling_h=p["rake_handling_h"],
            carbon_inr_per_kg=p["carbon_price_inr_per_t_co2e"] / KG_PER_T,
            trailer_kg_per_t_km=p["emission_trailer_g_per_t_km"] / G_PER_KG,
            light_truck_kg_per_t_km=p["emission_light_truck_g_per_t_km"] / G_PER_KG,
            line_haul_kg_per_t_km=p["emission_part_load_g_per_t_km"] / G_PER_KG,
            rail_kg_per_t_km=p["emission_rail_g_per_t_km"] / G_PER_KG,
        )

    def full_load_inr_per_t(self, km: Array) -> Array:
        """Freight of a full box on a trailer."""
        return self.trailer_inr_per_t_km * km

    def full_load_kg_per_t(self, km: Array) -> Array:
        """CO2e of a full box on a trailer."""
        return self.trailer_kg_per_t_km * km

    def part_load_inr_per_t(self, km: Array) -> Array:
        """Freight of a part load: light truck up to the collection distance, line haul beyond it."""
        near = np.minimum(km, self.collection_km)
        return self.light_truck_inr_per_t_km * near + self.line_haul_inr_per_t_km * (km - near)

    def part_load_kg_per_t(self, km: Array) -> Array:
        """CO2e of a part load, by the same split as its freight."""
        near = np.minimum(km, self.collection_km)
        return self.light_truck_kg_per_t_km * near + self.line_haul_kg_per_t_km * (km - near)

    def rail_break_even_km(self, drayage_km: float = 50.0) -> float:
        """Door-to-door distance from which road-rail-road costs less than road alone, in freight and handling.

        Rail over ``D - 2 x drayage_km`` with drayage by trailer at both ends and one inland terminal passage,
        against a trailer over D. The published figure is about 600 km (500 km of rail and 2 x 50 km of road,
        DPIIT/NCAER 2025). Infinite where rail never pays.
        """
        difference = self.trailer_inr_per_t_km - self.rail_inr_per_t_km
        return 2 * drayage_km + self.terminal_inr_per_t / difference if difference > 0 else float("inf")


def value_of_time_inr_per_t_h(value_inr_per_t: Array, fraction_per_day: Array | float) -> Array:
    """Cost of one hour of transit for cargo of the given value (inventory carrying cost, spoilage)."""
    return value_inr_per_t * fraction_per_day / H_PER_DAY


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

"""What a district would export if it did as districts of its kind do: a benchmark by quantile regression.

Never a forecast: it compares districts as they are today, and says nothing of how one becomes like another.

With x the exports of a district and z what is known of it, the benchmark at the quantile tau is exp(z'b), where b
minimises

    sum_i rho_tau(ln max(x_i, x0) - z_i'b),   rho_tau(u) = u (tau - [u < 0])                              (65)

[Koenker and Bassett 1978], solved as a linear program. Districts that export less than x0 = `FLOOR_USD` count as
exporting that: quantiles above the share of such districts do not depend on it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog

from geodata.facts import DistrictFacts
from siting.model.places import Places

Array = NDArray[np.float64]

FLOOR_USD = 1e4
NEAR_PORT_KM = 50.0
"""Added to the distance to a port, so that the first km from the quay do not count more than the next hundred."""


def quantile_regression(design: Array, outcome: Array, tau: float) -> Array:
    """Coefficients by (65): the dual of its linear program.

    Args:
        design: (n, p), of full column rank.
        outcome: (n,).
        tau: 0 < tau < 1.
    """
    found = linprog(-outcome, A_eq=design.T, b_eq=(1.0 - tau) * design.sum(axis=0), bounds=(0.0, 1.0), method="highs")
    return np.asarray(-found.eqlin.marginals, np.float64)


def log_exports(facts: DistrictFacts) -> Array:
    """(n,) outcome of (65)."""
    return np.asarray(np.log(np.maximum(facts.usd.to_numpy(np.float64), FLOOR_USD)))


def features(facts: DistrictFacts, port_km: Array) -> pd.DataFrame:
    """What the benchmark knows of each district, z of (65).

    Args:
        port_km: (n,) km by road from each district of ``facts`` to its nearest gateway; NaN: no road, taken as the
            farthest.

    Returns:
        ``constant``, ``workers`` (logarithm of those outside farming, of inhabitants where no census tells them),
        ``urban`` (share of households), ``port_km`` (logarithm), ``neighbours`` (logarithm of the exports per
        inhabitant of its neighbours). A column that would be the same for all, or is not known, is left out.
    """
    table = facts.table
    people = np.maximum(table["people"].to_numpy(np.float64), 1.0)
    workers = table["workers_outside_farming"].to_numpy(np.float64)
    reached = np.isfinite(port_km)
    km = np.where(reached, port_km, port_km[reached].max() if reached.any() else 0.0)
    columns = {
        "workers": np.log(np.maximum(workers if np.isfinite(workers).all() else people, 1.0)),
        "urban": table["urban_share"].to_numpy(np.float64),
        "port_km": np.log(km + NEAR_PORT_KM),
    }
    beside = facts.neighbours
    if beside.shape[1]:
        per_head = np.maximum(facts.usd.to_numpy(np.float64), FLOOR_USD) / people
        columns["neighbours"] = np.log(per_head[beside].mean(axis=1))
    design = pd.DataFrame({"constant": np.ones(len(table))}, index=table.index)
    for name, values in columns.items():
        known = np.isfinite(values)
        if known.any():
            filled = np.where(known, values, np.median(values[known]))
            if np.ptp(filled) > 0:
                design[name] = filled
    return design


def port_distance(facts: DistrictFacts, places: Places) -> Array:
    """(n,) km by road from the districts of ``facts`` to their nearest gateway; NaN where none is reached."""
    km = places.road_km[np.ix_(places.districts, places.gateways)]
    nearest = np.where(np.isnan(km), np.inf, km).min(axis=1, initial=np.inf)
    ids = places.table["place_id"].to_numpy()[places.districts]
    of_facts = pd.Series(nearest, ids).reindex(facts.table.index).to_numpy(np.float64)
    return np.where(np.isfinite(of_facts), of_facts, np.nan)


def benchmark_usd(facts: DistrictFacts, places: Places, percentile: float) -> pd.Series:
    """US$ a year at a quantile of (65), by district_id.

    Args:
        percentile: 1 to 99; beyond, the nearest of them.
    """
    design = features(facts, port_distance(facts, places)).to_numpy(np.float64)
    tau = min(max(percentile / 100.0, 0.01), 0.99)
    found = np.exp(design @ quantile_regression(design, log_exports(facts), tau))
    return pd.Series(found, facts.table.index)

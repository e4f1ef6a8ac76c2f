"""What a pack knows of each district before anything is reckoned from it: exports by sector, people, work, place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geodata.exports import VALUE_SUFFIX
from geodata.pack import Pack

Array = NDArray[np.float64]
N_NEIGHBOURS = 6
"""Neighbours of a district: as many as districts of India border on in the mean."""
EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True)
class DistrictFacts:
    """Districts that export figures are told of, with those counted with them: the units of all statistics here.

    Args:
        table: indexed by district_id: ``state``, ``district``, ``district_hi``, ``lon``, ``lat``, ``export_usd`` (US$ a
            year), ``people``, and where the pack tells them ``workers``, ``workers_outside_farming`` (NaN elsewhere)
            and ``urban_share`` (of households, 0 to 1).
        sector_usd: (districts x sectors) US$ a year.
        unplaced_usd: US$ a year that the source puts in no district, by state.
    """

    table: pd.DataFrame
    sector_usd: pd.DataFrame
    unplaced_usd: pd.Series[float]

    @property
    def usd(self) -> pd.Series[float]:
        return self.table["export_usd"]

    @property
    def neighbours(self) -> NDArray[np.int64]:
        """(n, k) positions of the nearest other districts, nearest first."""
        return nearest(self.table["lon"].to_numpy(np.float64), self.table["lat"].to_numpy(np.float64), N_NEIGHBOURS)


def district_facts(pack: Pack, exports: pd.DataFrame | None = None) -> DistrictFacts:
    """Put together what a pack knows of its districts.

    A district younger than the export table has no figures of its own: its people count with the district it is
    counted with. A district without a row exports nothing.

    Args:
        exports: another export table of the same districts; None: the pack's.
    """
    exports = pack.exports if exports is None else exports
    districts = pd.DataFrame(pack.districts.drop(columns="geometry")).set_index("district_id")
    counted_with = exports.set_index("district_id")["counted_with"].reindex(districts.index).fillna("")
    stands_for = counted_with.where(counted_with != "", districts.index.to_series())
    own = (counted_with == "").to_numpy()
    columns = ["state", "district", "district_hi", "lon", "lat"]
    table = districts.loc[own, columns].copy()

    sector_usd = exports.set_index("district_id")[[f"{sector}{VALUE_SUFFIX}" for sector in pack.sectors.index]] * 1e6
    sector_usd = sector_usd.set_axis(pack.sectors.index, axis=1).reindex(table.index).fillna(0.0)
    table["export_usd"] = sector_usd.sum(axis=1)
    people = districts[["population_weight"]].rename(columns={"population_weight": "people"})
    if pack.population is not None:
        people = pack.population.reindex(districts.index).rename(columns={"population": "people"})
    summed = people.groupby(stands_for.to_numpy()).sum(min_count=1).reindex(table.index)
    table["people"] = summed["people"].fillna(0.0)
    for name in ("workers", "workers_outside_farming"):
        table[name] = summed.get(name, np.nan)
    urban = summed["urban_households"] / summed["households"] if "households" in summed else np.nan
    table["urban_share"] = urban
    unplaced = pack.exports_unplaced if exports is pack.exports else pack.exports_unplaced.iloc[:0]
    return DistrictFacts(table, sector_usd, unplaced.groupby("state")["export_usd_million"].sum() * 1e6)


def nearest(lon: Array, lat: Array, k: int) -> NDArray[np.int64]:
    """(n, min(k, n - 1)) positions of the points nearest to each, itself left out, by great circle."""
    n = len(lon)
    if n < 2:
        return np.zeros((n, 0), np.int64)
    x, y = np.radians(lon), np.radians(lat)
    points = np.column_stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])
    k = min(k, n - 1)
    _, found = cKDTree(points).query(points, k + 1)
    others = [row[row != i][:k] for i, row in enumerate(np.asarray(found, np.int64))]
    return np.array(others, np.int64)

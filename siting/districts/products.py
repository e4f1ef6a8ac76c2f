"""What a district exports more of than others, and which sectors lie close to what it does already.

With x_ds exports of district d in sector s: revealed comparative advantage [Balassa 1965], proximity of sectors and
density of a district around a sector [Hidalgo, Klinger, Barabasi and Hausmann 2007]:

    RCA_ds = (x_ds / x_d) / (x_s / x),   M_ds = [RCA_ds >= 1]                                             (69)
    phi_st = sum_d M_ds M_dt / max(k_s, k_t),   k_s = sum_d M_ds                                          (70)
    density_ds = sum_{t != s} M_dt phi_st / sum_{t != s} phi_st                                           (71)

Density is a share, never over 1. Proximity comes from the districts that export `TELLING_USD` or more: one container of
a district that ships little says nothing of what goes together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

TELLING_USD = 1e6


@dataclass(frozen=True)
class Products:
    """Sectors of districts.

    Args:
        rca: (districts x sectors) by (69); 0 where a district or a sector exports nothing.
        proximity: (sectors x sectors) by (70), 1 on the diagonal where anyone has an advantage.
        density: (districts x sectors) by (71), 0 to 1.
    """

    rca: pd.DataFrame
    proximity: pd.DataFrame
    density: pd.DataFrame

    @staticmethod
    def _row(table: pd.DataFrame, district_id: str) -> pd.Series:
        return pd.Series(table.to_numpy()[table.index.get_loc(district_id)], table.columns)

    def strengths(self, district_id: str) -> pd.Series:
        """Sectors of a district with an advantage, the greatest first."""
        own = self._row(self.rca, district_id)
        strong: pd.Series = own[own >= 1]
        return strong.sort_values(ascending=False, kind="stable")

    def nearest(self, district_id: str, n: int = 3) -> pd.Series:
        """Density of the n sectors closest to a district in which it has no advantage yet; empty where it has none."""
        own = self._row(self.rca, district_id)
        density = self._row(self.density, district_id)
        open_to: pd.Series = density[(own < 1) & (density > 0)]
        return open_to.sort_values(ascending=False, kind="stable").head(n)

    def nearest_of_all(self, n: int = 3) -> pd.Series:
        """Names of the sectors of `nearest` of every district, the closest first: a list for each."""
        own, density = self.rca.to_numpy(), self.density.to_numpy()
        open_to = (own < 1) & (density > 0)
        order = np.argsort(np.where(open_to, -density, np.inf), axis=1, kind="stable")[:, :n]
        names, count = self.density.columns.to_numpy(object)[order], open_to.sum(axis=1)
        return pd.Series([row[:k].tolist() for row, k in zip(names, count, strict=True)], self.density.index, object)


def measure_products(sector_usd: pd.DataFrame) -> Products:
    """Measure what each district is good at, and what lies near.

    Args:
        sector_usd: (districts x sectors) exports.
    """
    usd = sector_usd.to_numpy(np.float64)
    rca = advantage(usd)
    telling = usd.sum(axis=1) >= TELLING_USD
    near = proximity(rca[telling] >= 1)
    columns, index = sector_usd.columns, sector_usd.index
    return Products(
        rca=pd.DataFrame(rca, index, columns),
        proximity=pd.DataFrame(near, columns, columns),
        density=pd.DataFrame(density(rca >= 1, near), index, columns),
    )


def advantage(usd: Array) -> Array:
    """(n_districts, n_sectors) by (69); 0 for a district or a sector without exports."""
    of_district, of_sector, whole = usd.sum(axis=1, keepdims=True), usd.sum(axis=0, keepdims=True), usd.sum()
    expected = of_district * of_sector
    found: Array = np.divide(usd * whole, expected, out=np.zeros_like(usd), where=expected > 0)
    return found


def proximity(has: NDArray[np.bool_]) -> Array:
    """(n_sectors, n_sectors) by (70); 0 for a sector in which nobody has an advantage."""
    both = has.T.astype(np.float64) @ has.astype(np.float64)
    count = np.diag(both)
    most = np.maximum(count[:, None], count[None, :])
    found: Array = np.divide(both, most, out=np.zeros_like(both), where=most > 0)
    return found


def density(has: NDArray[np.bool_], near: Array) -> Array:
    """(n_districts, n_sectors) by (71); 0 for a sector that is near to none."""
    others = near - np.diag(np.diag(near))
    around = others.sum(axis=0)
    found: Array = np.divide(has @ others, around, out=np.zeros(has.shape), where=around > 0)
    return found

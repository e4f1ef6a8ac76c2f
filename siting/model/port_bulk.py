"""What a port's own district ships there in bulk: customs records hold it beside boxes, and no shipper chooses it.

Of US$ 6.0 billion that Karnataka is seen to send through New Mangalore some 5.2 are oil products of the refinery behind
the port. Taken for boxes they would make the port dear to all of the south.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.exports import tonnes_by_class
from geodata.pack import Pack
from siting.model.places import Places

OWN_KM = 50.0
"""By road from a district to a port of its own; bulk of districts farther from any leaves by other jetties."""


def port_bulk(pack: Pack, places: Places) -> pd.DataFrame:
    """Exports in bulk by state and gateway, of districts whose own port takes boxes too.

    Returns:
        Columns ``state``, ``gateway_id``, ``tonnes`` and ``usd``, a year.
    """
    districts, gateways = pack.districts, places.gateways
    by_class = tonnes_by_class(pack.exports, pack.sectors).reindex(districts["district_id"]).fillna(0.0)
    km = np.nan_to_num(places.road_km[places.districts][:, gateways], nan=np.inf)
    nearest = km.argmin(axis=1)
    table = pd.DataFrame({
        "state": districts["state"].to_numpy(object),
        "gateway_id": places.table["place_id"].to_numpy(object)[gateways[nearest]],
        "tonnes": by_class["port_bulk"].to_numpy(),
        "usd": by_class["value_usd_port_bulk"].to_numpy(),
    })[km.min(axis=1) <= OWN_KM]  # fmt: skip
    table = table[table["usd"] > 0]
    sums: pd.DataFrame = table.groupby(["state", "gateway_id"], as_index=False)[["tonnes", "usd"]].sum()
    return sums

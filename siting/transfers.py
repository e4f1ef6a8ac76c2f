"""What the exchequer pays and gets: money that changes hands and is in no figure of worth."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from siting.model.costs import Array
from siting.model.model import Model
from siting.model.routing import Routing


@dataclass(frozen=True)
class Transfers:
    """Rupees a year between exchequer and exporters on cargo as it moves, leaders by ``leader_weight``.

    Args:
        export_credit_inr_per_year: paid on the capital tied up in transit (57); the cost of time is without it.
        freight_refund_inr_per_year: paid back of freight (58); the cost of freight is with it.
        carbon_revenue_inr_per_year: got where carbon has a price; the cost is with it.
    """

    export_credit_inr_per_year: float
    freight_refund_inr_per_year: float
    carbon_revenue_inr_per_year: float

    @classmethod
    def of(cls, routing: Routing) -> Transfers:
        """What changes hands on cargo that moves so."""
        model = routing.model
        counted = model.clients["weight"].to_numpy()[routing.lanes.client] * routing.tonnes
        parts, lane = routing.parts, routing.lane_of_part
        hours = np.bincount(lane, parts["hours"], minlength=len(counted))
        carbon = np.bincount(lane, routing.cost_components["carbon"], minlength=len(counted))
        credit = model.clients["credit_inr_per_t_h"].to_numpy()[routing.lanes.client] * hours
        refund = refunds_inr_per_t(model, routing)
        return cls(*(float((inr_per_t * counted).sum()) for inr_per_t in (credit, refund, carbon)))

    def as_dict(self) -> dict[str, float]:
        """Keys of ``transfers`` in ``plan.json``."""
        return asdict(self)


def refunds_inr_per_t(model: Model, routing: Routing) -> Array:
    """(n_lanes,) freight refunded per tonne, a mean over all cargo of a lane:

        r m min(F, p V)   in the states that refund, else 0                                                     (58)

    with r ``freight_refund``, m ``small_firm_share``, F freight, V value of a tonne and p ``freight_refund_of_value``.
    Shippers choose their lanes as if there were none.
    """
    p, client = model.parameters, routing.lanes.client
    freight = np.bincount(routing.lane_of_part, routing.cost_components["freight"], minlength=len(client))
    value = model.clients["value_inr_per_t"].to_numpy()[client]
    notified = model.demand["state"].isin(model.study.refund_states).to_numpy()[routing.district]
    rate = p["freight_refund"] * p["small_firm_share"]
    refund: Array = np.where(notified, rate * np.minimum(freight, p["freight_refund_of_value"] * value), 0.0)
    return refund


def refunds_by_state(routing: Routing) -> pd.DataFrame:
    """Freight refunded by state: ``state``, ``districts`` that get any, ``refund_inr_per_year``, largest first."""
    model = routing.model
    inr = refunds_inr_per_t(model, routing) * routing.tonnes
    table = pd.DataFrame({"district": routing.district, "refund_inr_per_year": inr})
    table = table[table["refund_inr_per_year"] > 0].groupby("district", as_index=False).sum()
    table["state"] = model.demand["state"].to_numpy()[table["district"]]
    sums = table.groupby("state", as_index=False).agg(
        districts=("district", "size"), refund_inr_per_year=("refund_inr_per_year", "sum")
    )
    return sums.sort_values("refund_inr_per_year", ascending=False, kind="stable", ignore_index=True)

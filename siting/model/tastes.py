"""Shippers: the parts of a client, each with its own taste for gateways and for rail.

Shipper k of client i perceives a lane that costs c and leaves through gateway g by mode m as

    c + r_i (T_ik - a_g - b [m = rail] - e_ikgm) / beta,   T_ik = max over what is within reach of a + b + e   (22)

with the calibrated terms of (20), r_i the client's cheapest cost today and e Gumbel, a Latin hypercube for each client
[McKay, Beckman and Conover 1979], so that shippers choose among today's lanes in the shares of (20) [Haase and Mueller
2014; Pacheco Paneque et al. 2021]. Gateways of one harbour share their e. What is liked best adds nothing, all else
more: a taste is never negative, and an unchanged choice keeps its taste, so that savings are differences of like with
like.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.model.costs import Array
from siting.model.gateway_costs import GatewayCosts, gateway_costs
from siting.model.lanes import RAIL, LanePricer

LEADER_SHIPPERS = 8
"""Shippers of a client without weight for one of a client with: nothing is chosen for it, but it makes the flows."""


def split_into_shippers(clients: pd.DataFrame, shippers: int) -> pd.DataFrame:
    """Clients in equal parts, ``shippers`` of each, with a column ``shipper`` (0, 1, ...).

    Args:
        clients: as from ``build_clients``.
        shippers: parts of a client that has a weight in the objective.
    """
    parts = np.where(clients["weight"] > 0, shippers, LEADER_SHIPPERS * shippers)
    row = np.repeat(np.arange(len(clients)), parts)
    first = np.concatenate([[0], np.cumsum(parts)[:-1]])
    split = clients.iloc[row].reset_index(drop=True)
    split["shipper"] = np.arange(len(row)) - first[row]
    split["tonnes_per_year"] = split["tonnes_per_year"] / parts[row]
    return split.assign(client=row)


def shippers_of(pricer: LanePricer, tastes: pd.DataFrame, shippers: int, seed: int) -> LanePricer:
    """The pricer of the shippers of a pricer's clients."""
    split = split_into_shippers(pricer.clients, shippers)
    gateways = pricer.places.table["place_id"].iloc[pricer.places.gateways].tolist()
    taste = shipper_tastes(gateway_costs(pricer), split["client"].to_numpy(), tastes, gateways, seed)
    return LanePricer(pricer.places, pricer.tariff, pricer.conditions, split, taste)


def shipper_tastes(
    costs: GatewayCosts, client: NDArray[np.int64], tastes: pd.DataFrame, gateways: list[str], seed: int
) -> Array:
    """(n_shippers, n_gateways, 2) the taste of (22) in INR/t; 0 where a client has no lane today.

    Args:
        costs: of the clients.
        client: (n_shippers,) row of each shipper's client.
        tastes: as from ``Pack.gateway_tastes``; a gateway it does not name has the mean constant, 0.
        gateways: ids of the gateways in the order of ``costs``.
        seed: of the quasi-random numbers.
    """
    terms = tastes.set_index("term")["value"]
    rows = tastes[tastes["term"] == "gateway"].set_index("gateway_id").reindex(gateways)
    harbour = pd.factorize(rows["group"].where(rows["group"].notna(), pd.Series(gateways, rows.index)))[0]
    beta, n_harbours = float(terms["sensitivity"]), harbour.max() + 1
    gumbel = -np.log(-np.log(latin_hypercubes(client, 2 * n_harbours, seed)))
    gumbel = gumbel.reshape(len(client), n_harbours, 2)[:, harbour]
    liking = rows["value"].fillna(0.0).to_numpy()[:, None] + gumbel
    liking[:, :, RAIL] += float(terms["rail"])
    within_reach = np.isfinite(costs.by_mode())[client]
    best = np.where(within_reach, liking, -np.inf).max(axis=(1, 2), keepdims=True)
    cheapest = costs.inr_per_t.min(axis=(1, 2))
    scale = np.where(np.isfinite(cheapest), cheapest, 0.0)[client, None, None] / beta
    taste: Array = scale * np.maximum(np.where(np.isfinite(best), best, 0.0) - liking, 0.0)
    return taste


def latin_hypercubes(client: NDArray[np.int64], n_dimensions: int, seed: int) -> Array:
    """(n_shippers, n_dimensions) points in (0, 1): along each dimension one in each equal part for every client.

    Args:
        client: (n_shippers,) client of each shipper; those of one client follow each other.
    """
    random = np.random.default_rng(seed)
    _, first, count = np.unique(client, return_index=True, return_counts=True)
    points = np.empty((len(client), n_dimensions))
    for n in np.unique(count):
        rows = first[count == n][:, None] + np.arange(n)
        part = random.permuted(np.broadcast_to(np.arange(n)[:, None], (len(rows), n, n_dimensions)), axis=1)
        points[rows] = (part + random.random(part.shape)) / n
    return np.clip(points, 1e-12, 1.0 - 1e-12)

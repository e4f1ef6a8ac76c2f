"""Shippers: the parts of a client, each with its own taste for gateways and for rail.

Shipper k of client i perceives a lane that costs c and leaves through gateway g by mode m as

    c + r_i (T_ik - a_g - b [m = rail] - e_ikgm) / beta,   T_ik = max over what is within reach of a + b + e   (22)

with the calibrated terms of (20), r_i the client's cheapest cost by road today and e Gumbel, a Latin hypercube for each
client [McKay, Beckman and Conover 1979; doubled as it grows: Sallaberry, Helton and Hora 2008], so that shippers choose
among today's lanes in the shares of (20) [Haase and Mueller 2014; Pacheco Paneque et al. 2021]. How rare trains are
(100) is in c. Gateways of one harbour share their e. What is liked best adds nothing, all else more, and an unchanged
choice keeps its taste, so that savings are differences of like with like. A client without weight, for which nothing is
chosen, is divided by the shares themselves.

Clients differ by orders of magnitude in what they pay today, and so does what their draws leave to chance. Of a given
number of shippers most is known where client i has them in proportion to what it pays [Neyman 1934],

    K_i = K r_i q_i / mean_h (r_h q_h),   rounded to a power of two between 1 and 16 K                     (23)

with q_i its tonnes and K the mean. In the national study that leaves a quarter of the scatter that K each would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.model.costs import Array
from siting.model.gateway_costs import GatewayCosts
from siting.model.lanes import RAIL, ROAD, Index, LanePricer

LEAST_SHARE = 1e-3
"""Of a client without weight, alternatives that get less are left out."""
MOST = 16
"""Times the mean number of shippers that a client has at the most."""
AVERSION = 1e3
"""What a shipper that stands for one alternative minds the others, in units of the client's cheapest cost."""


@dataclass(frozen=True)
class Liking:
    """Calibrated terms of (20) for the gateways of a model, and today's costs of its clients.

    Args:
        sensitivity, rail: beta and b.
        gateway: (n_gateways,) a_g; a gateway that is not calibrated has the mean, 0.
        harbour: (n_gateways,) number of its harbour.
        inr_per_t: (n_clients, n_gateways, 2) cheapest cost today by gateway and mode; inf where there is no way.
        cheapest: (n_clients,) r_i; 0 where a client has no lane today.
    """

    sensitivity: float
    rail: float
    gateway: Array
    harbour: Index
    inr_per_t: Array
    cheapest: Array

    @classmethod
    def of(cls, costs: GatewayCosts, tastes: pd.DataFrame, gateways: list[str]) -> Liking:
        """Read the terms of ``gateways`` from a table as from ``Pack.gateway_tastes``."""
        terms = tastes.set_index("term")["value"]
        rows = tastes[tastes["term"] == "gateway"].set_index("gateway_id").reindex(gateways)
        harbour = pd.factorize(rows["group"].where(rows["group"].notna(), pd.Series(gateways, rows.index)))[0]
        constant = rows["value"].fillna(0.0).to_numpy(np.float64)
        return cls(float(terms["sensitivity"]), float(terms["rail"]), constant, harbour, costs.by_mode(), costs.unit())

    @property
    def constants(self) -> Array:
        """(n_gateways, 2) a_g and, by rail, b."""
        both = np.repeat(self.gateway[:, None], 2, axis=1)
        both[:, RAIL] += self.rail
        return both

    def shares(self) -> Array:
        """(n_clients, n_gateways, 2) shares of (20), all of a harbour's at its cheapest gateway."""
        first = np.zeros(self.inr_per_t.shape, dtype=bool)
        for harbour in np.unique(self.harbour):
            member = np.flatnonzero(self.harbour == harbour)
            best = self.inr_per_t[:, member].argmin(axis=1)
            np.put_along_axis(first, member[best][:, None, :], True, axis=1)
        relative = self.inr_per_t / np.maximum(self.cheapest, 1e-9)[:, None, None]
        utility = np.where(first & np.isfinite(relative), self.constants - self.sensitivity * relative, -np.inf)
        top = utility.max(axis=(1, 2), keepdims=True)
        weight = np.exp(utility - np.where(np.isfinite(top), top, 0.0))
        share: Array = weight / np.maximum(weight.sum(axis=(1, 2), keepdims=True), 1.0)  # the top weighs one
        return share

    def drawn(self, client: Index, number: Index, seed: int) -> Array:
        """(n_shippers, n_gateways, 2) taste of (22) in INR/t for shippers of these clients.

        Args:
            number: of the client of each shipper, from which its draws follow whoever else is there.
        """
        n_harbours = int(self.harbour.max()) + 1
        gumbel = latin_hypercubes(number, 2 * n_harbours, seed, _gumbels)
        ways = (2 * self.harbour[:, None] + np.array([ROAD, RAIL])).ravel()
        liking = np.take(gumbel, ways, axis=1)
        liking += self.constants.ravel()
        within_reach = np.isfinite(self.inr_per_t).reshape(len(self.cheapest), -1)[client]
        best = np.where(within_reach, liking, -np.inf).max(axis=1, keepdims=True)
        taste: Array = np.subtract(np.where(np.isfinite(best), best, 0.0), liking, out=liking)
        np.maximum(taste, 0.0, out=taste)
        taste *= (self.cheapest[client] / self.sensitivity)[:, None]
        return taste.reshape(-1, *self.constants.shape)


def shippers_of(pricer: LanePricer, today: GatewayCosts, tastes: pd.DataFrame, shippers: int, seed: int) -> LanePricer:
    """The pricer of the shippers of a pricer's clients.

    Args:
        today: costs of the clients.
        tastes: as from ``Pack.gateway_tastes``.
        shippers: equal parts, on the mean, of a client that has a weight in the objective.
        seed: of the draws.
    """
    places = pricer.places
    liking = Liking.of(today, tastes, places.table["place_id"].iloc[places.gateways].tolist())
    counts = (pricer.clients["weight"] > 0).to_numpy()
    each = shippers_each(liking.cheapest * pricer.clients["tonnes_per_year"].to_numpy() * counts, shippers)
    drawn = np.repeat(np.arange(len(counts)), each)
    without = np.flatnonzero(~counts)
    share = replace(liking, inr_per_t=liking.inr_per_t[without], cheapest=liking.cheapest[without]).shares()
    share[share < LEAST_SHARE] = 0.0
    row, gateway, mode = np.nonzero(share)
    certain = without[row]
    stranded = without[~share.any(axis=(1, 2))]  # without a way today: whole
    client = np.concatenate([drawn, certain, stranded])
    part = np.concatenate([
        1.0 / each[drawn],
        share[row, gateway, mode] / share.sum(axis=(1, 2))[row],
        np.ones(len(stranded)),
    ])  # fmt: skip
    aversion = np.repeat(AVERSION * liking.cheapest[certain, None, None], len(places.gateways), axis=1).repeat(
        2, axis=2
    )
    aversion[np.arange(len(certain)), gateway, mode] = 0.0
    own = liking.drawn(drawn, pricer.clients["number"].to_numpy()[drawn], seed)
    taste = np.concatenate([own, aversion, np.zeros((len(stranded), *aversion.shape[1:]))])
    order = np.argsort(client, kind="stable")
    split = divided(pricer.clients, client[order], part[order])
    rarity = pricer.rarity[client[order]]
    return LanePricer(places, pricer.tariff, pricer.conditions, split, taste[order], rarity)


def minding_as_before(pricer: LanePricer, before: LanePricer) -> LanePricer:
    """The pricer with clients that mind rare trains, in rupees, as they do in another, where they are in it."""
    known = pd.Series(before.rarity, before.clients["number"]).groupby(level=0).first()
    kept = known.reindex(pricer.clients["number"]).to_numpy(np.float64)
    rarity = np.where(np.isnan(kept), pricer.rarity, kept)
    return LanePricer(pricer.places, pricer.tariff, pricer.conditions, pricer.clients, pricer.taste, rarity)


def shippers_as_before(pricer: LanePricer, today: GatewayCosts, before: LanePricer) -> LanePricer | None:
    """The pricer of the shippers of a pricer's clients, each with the taste, in rupees, that it has in another pricer.

    What a shipper likes about a port is worth what it is worth to it today, whatever else becomes dearer or cheaper.

    Args:
        today: costs of the clients.
        before: of shippers; None is returned where they are not those of the same clients.
    """
    own = before.clients
    if "part" not in own:
        return None
    named = ["district", "cargo_class", "load"]
    client = own["client"].to_numpy().clip(max=len(pricer.clients) - 1)
    split = divided(pricer.clients, client, own["part"].to_numpy())
    without = np.setdiff1d(np.arange(len(pricer.clients)), client)  # shippers have all who have a way
    if np.isfinite(today.inr_per_t[without]).any() or not split[named].equals(own[named]):
        return None
    return LanePricer(pricer.places, pricer.tariff, pricer.conditions, split, before.taste, pricer.rarity[client])


def shippers_each(inr_per_year: Array, mean: int) -> Index:
    """(n_clients,) shippers of (23) for clients by what they pay today; none for one that pays nothing.

    Args:
        mean: K.
    """
    pays = inr_per_year > 0
    wanted = mean * inr_per_year / inr_per_year[pays].mean() if pays.any() else inr_per_year
    power = np.round(np.log2(np.clip(wanted, 1.0, MOST * mean)))
    return np.where(pays, 2.0**power, 0).astype(np.int64)


def divided(clients: pd.DataFrame, client: Index, part: Array) -> pd.DataFrame:
    """Clients in parts: columns ``client`` (row of ``clients``) and ``part`` (of its tonnes), one row each."""
    split = clients.iloc[client].reset_index(drop=True)
    return split.assign(tonnes_per_year=split["tonnes_per_year"] * part, client=client, part=part)


def latin_hypercubes(
    client: NDArray[np.int64],
    n_dimensions: int,
    seed: int,
    of_client: Callable[[int, int, int, int], Array] | None = None,
) -> Array:
    """(n_shippers, n_dimensions) points in (0, 1): along each dimension one in each equal part for every client.

    The points of a client hang on its number alone: it keeps them whoever else begins or ends to export, and keeps the
    first of them when it has more shippers. Parts are equal where it has a power of two.

    Args:
        client: (n_shippers,) number of the client of each shipper; those of one client follow each other.
        of_client: what is made of the points of one client, of seed, number, how many and dimensions; None: nothing.
    """
    number, first, count = np.unique(client, return_index=True, return_counts=True)
    points = np.empty((len(client), n_dimensions))
    for key, start, n in zip(number.tolist(), first.tolist(), count.tolist(), strict=True):
        points[start : start + n] = (of_client or _latin_hypercube)(seed, key, n, n_dimensions)
    return points


@lru_cache(maxsize=1 << 14)  # draws of the parameters ask for the same again and again
def _gumbels(seed: int, key: int, n: int, n_dimensions: int) -> Array:
    """Points of a Latin hypercube as draws of a Gumbel distribution."""
    drawn: Array = -np.log(-np.log(_latin_hypercube(seed, key, n, n_dimensions)))
    return drawn


def _latin_hypercube(seed: int, key: int, n: int, n_dimensions: int) -> Array:
    """The first n points of a Latin hypercube that begins with one and is doubled until it has as many."""
    random = np.random.default_rng([seed, key])
    points = random.random((1, n_dimensions))
    while (m := len(points)) < n:
        empty = (2 * m * points).astype(np.int64) ^ 1  # beside the half of each part that holds a point
        more = (random.permuted(empty, axis=0) + random.random((m, n_dimensions))) / (2 * m)
        points = np.concatenate([points, more])
    return np.clip(points[:n], 1e-12, 1.0 - 1e-12)

"""Tastes of shippers for gateways and for rail, fitted to the flows that customs records show.

A client's cargo chooses gateway group g and mode m with probability (multinomial logit [McFadden 1974])

    P_igm = exp(u_igm) / sum_hn exp(u_ihn),   u_igm = a_g + b [m = rail] - beta c_igm / r_i            (20)

c_igm its cheapest lane of today through that group by that mode, how rare trains are (100) in it, r_i the cheapest by
road. Shares of a state are its
clients' probabilities weighted by the value of their cargo. The terms beta, a_g (which add up to zero) and b minimise

    - sum_s w_s sum_g o_sg log S_sg - L sum_s v_s (q_s log Q_s + (1 - q_s) log(1 - Q_s)) + R mean_g a_g^2   (21)

o_sg observed and S_sg modelled shares of the gateways, q_s observed and Q_s modelled share cleared at inland depots;
states weigh by the square root of their value, so that the largest does not decide alone. Records of depots do not
tell the port behind them: gateway shares are compared with what is cleared at the ports themselves. Records do not tell
goods either: what a port's own district ships there in bulk (:mod:`siting.model.port_bulk`) is taken off them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize

from geodata.errors import Fault, InputError
from siting.model.costs import Array
from siting.model.gateway_costs import gateway_costs
from siting.model.lanes import ROAD
from siting.model.model import Model
from siting.model.port_bulk import port_bulk

DEPOT_WEIGHT, PENALTY = 0.5, 0.005
"""L and R of (21). Left out, states are told alike by any R from 0.002 to 0.01."""
LEAST_USD_MILLION = 20.0
"""Observed value by sea below which a state says too little to be fitted."""
LEAST_STATES = 4
FLOOR = 1e-6
"""Added to shares under a logarithm."""
ITERATIONS = 500


@dataclass(frozen=True)
class Choices:
    """Alternatives of the clients of the states observed.

    Attributes:
        states: names, in the order of the tables.
        gateways: ids of the gateways; `group_of` gives the group of each, named in `groups`.
        relative: (n_clients, n_groups, 2) c_igm / r_i, inf where there is no way.
        by_depot: (n_clients, n_groups) as in GatewayCosts, of the cheapest gateway of the group.
        usd: (n_clients,) value of the cargo a year.
        state: (n_clients,) position in `states`.
        observed_usd: (n_states, n_groups) cleared at the ports, US$ million.
        depot_usd: (n_states,) cleared at inland depots, US$ million.
    """

    states: list[str]
    gateways: list[str]
    groups: list[str]
    group_of: NDArray[np.int64]
    relative: Array
    by_depot: NDArray[np.bool_]
    usd: Array
    state: NDArray[np.int64]
    observed_usd: Array
    depot_usd: Array


@dataclass(frozen=True)
class Terms:
    """beta, b and a_g of (20)."""

    sensitivity: float
    rail: float
    gateway: Array

    @classmethod
    def from_vector(cls, x: Array) -> Terms:
        """Terms from log beta, b and a_g up to a constant."""
        return cls(float(np.exp(x[0])), float(x[1]), x[2:] - x[2:].mean())

    def utility(self, relative: Array) -> Array:
        """(n_clients, n_groups, 2) u_igm of (20); -inf where there is no way."""
        way = np.array([0.0, self.rail])
        return np.asarray(self.gateway[:, None] + way - self.sensitivity * relative)


@dataclass(frozen=True)
class Calibration:
    """Fitted terms and how well they tell the flows.

    Attributes:
        terms: fitted on all states.
        standard_error: the same terms: jackknife over states [Efron and Tibshirani 1993, (11.5)].
        by_state: one row per state: ``usd_million`` by sea, ``distance`` (total variation between modelled and observed
            shares), ``distance_left_out`` (fitted without that state), ``depot_share_observed``,
            ``depot_share_modelled``, ``top_observed``, ``top_modelled``.
    """

    choices: Choices
    terms: Terms
    standard_error: Terms
    by_state: pd.DataFrame

    @property
    def distance(self) -> float:
        """Mean distance over states, weighted by value."""
        return float(np.average(self.by_state["distance"], weights=self.by_state["usd_million"]))

    @property
    def distance_left_out(self) -> float:
        return float(np.average(self.by_state["distance_left_out"], weights=self.by_state["usd_million"]))

    def table(self) -> pd.DataFrame:
        """The rows of ``gateway_tastes.csv``, one for each gateway."""
        group = [self.choices.groups[k] for k in self.choices.group_of]
        ids = self.choices.gateways
        return pd.DataFrame({
            "term": ["sensitivity", "rail", *["gateway"] * len(ids)],
            "gateway_id": ["", "", *ids],
            "group": ["", "", *group],
            "value": [self.terms.sensitivity, self.terms.rail, *self.terms.gateway[self.choices.group_of]],
            "standard_error": [
                self.standard_error.sensitivity, self.standard_error.rail,
                *self.standard_error.gateway[self.choices.group_of],
            ],
        })  # fmt: skip


def choices_of(model: Model, observed: pd.DataFrame) -> Choices:
    """What shippers choose from, and what they were seen to choose.

    Args:
        observed: as from ``load_observed_flows``.

    Raises:
        InputError: where too little is observed to fit anything.
    """
    costs = gateway_costs(model.pricer)
    gateways = model.places.table["place_id"].iloc[model.places.gateways].tolist()
    named = dict(zip(model.pack.gateways["gateway_id"], model.pack.gateways["harbour"], strict=True))
    harbour = [named[gateway] or gateway for gateway in gateways]
    groups = sorted(set(harbour))
    group_of = np.array([groups.index(name) for name in harbour])
    n = len(model.clients)
    by_mode, at_depot_today = costs.by_mode(), costs.by_depot()
    cost = np.full((n, len(groups), 2), np.inf)
    by_depot = np.zeros((n, len(groups)), dtype=bool)
    for gateway, group in enumerate(group_of):
        nearer = by_mode[:, gateway, ROAD] < cost[:, group, ROAD]
        by_depot[nearer, group] = at_depot_today[nearer, gateway]
        cost[:, group] = np.minimum(cost[:, group], by_mode[:, gateway])
    state_of = model.demand["state"].to_numpy()[model.clients["district"]]
    usable = np.isfinite(cost).any(axis=(1, 2))
    of_gateway = dict(zip(gateways, harbour, strict=True))
    bulk = port_bulk(model.pack, model.places).assign(leaves_by="sea")
    bulk["usd_million"] = bulk["usd"] / 1e6
    shipped = _by_port(bulk, of_gateway, groups)
    at_port = _by_port(observed, of_gateway, groups)
    at_port = (at_port - shipped.reindex(at_port.index, fill_value=0.0)).clip(lower=0.0)
    at_depot = observed[observed["leaves_by"] == "icd"].groupby("state")["usd_million"].sum()
    told = at_port.index[(at_port.sum(axis=1) >= LEAST_USD_MILLION).to_numpy()]
    states = [state for state in told if (state_of[usable] == state).any()]
    if len(states) < LEAST_STATES:
        raise InputError(
            Fault(
                f"{len(states)} states with at least US$ {LEAST_USD_MILLION:g} million at gateways of this pack",
                f"calibration needs {LEAST_STATES}, or take the bundled constants",
                "observed flows",
            )
        )
    position = {state: k for k, state in enumerate(states)}
    keep = usable & np.isin(state_of, states)
    return Choices(
        states,
        gateways,
        groups,
        group_of,
        cost[keep] / costs.unit()[keep, None, None],
        by_depot[keep],
        cargo_usd(model)[keep],
        np.array([position[state] for state in state_of[keep]]),
        at_port.loc[states].to_numpy(np.float64),
        at_depot.reindex(states).fillna(0.0).to_numpy(np.float64),
    )


def cargo_usd(model: Model) -> Array:
    """(n_clients,) value of each client's cargo a year."""
    clients, demand = model.clients, model.demand
    per_t = np.zeros(len(clients))
    for cargo_class in clients["cargo_class"].unique():
        tonnes = demand[f"{cargo_class}_t"].to_numpy(np.float64)
        value = np.zeros(len(demand))
        np.divide(demand[f"{cargo_class}_usd"].to_numpy(np.float64), tonnes, out=value, where=tonnes > 0)
        rows = (clients["cargo_class"] == cargo_class).to_numpy()
        per_t[rows] = value[clients["district"].to_numpy()[rows]]
    usd: Array = per_t * clients["tonnes_per_year"].to_numpy(np.float64)
    return usd


def calibrate(choices: Choices) -> Calibration:
    """Fit the terms on all states and, for their error, leaving out one at a time. Deterministic.

    Raises:
        RuntimeError: should the fit not converge.
    """
    everything = np.arange(len(choices.states))
    x = _fit(choices, everything)
    left_out = [_fit(choices, np.delete(everything, k)) for k in everything]
    shares, depot = _shares(choices, Terms.from_vector(x))[:2]
    without = np.array([_shares(choices, Terms.from_vector(y))[0][k] for k, y in enumerate(left_out)])
    observed = _normalised(choices.observed_usd)
    at_sea = choices.observed_usd.sum(axis=1)
    by_state = pd.DataFrame({
        "state": choices.states,
        "usd_million": at_sea,
        "distance": _distance(shares, observed),
        "distance_left_out": _distance(without, observed),
        "depot_share_observed": choices.depot_usd / (choices.depot_usd + at_sea),
        "depot_share_modelled": depot,
        "top_observed": [choices.groups[k] for k in observed.argmax(axis=1)],
        "top_modelled": [choices.groups[k] for k in shares.argmax(axis=1)],
    })  # fmt: skip
    return Calibration(choices, Terms.from_vector(x), _jackknife([Terms.from_vector(y) for y in left_out]), by_state)


def _by_port(observed: pd.DataFrame, harbour: dict[str, str], groups: list[str]) -> pd.DataFrame:
    """US$ million by state and group of gateways, cleared at the gateway itself."""
    at = observed[(observed["leaves_by"] == "sea") & observed["gateway_id"].isin(list(harbour))]
    at = at.assign(group=at["gateway_id"].map(harbour))
    table = at.pivot_table(index="state", columns="group", values="usd_million", aggfunc="sum")
    return table.reindex(columns=groups).fillna(0.0)


def _fit(choices: Choices, which: NDArray[np.int64]) -> Array:
    """Vector of terms that minimises (21) over some of the states."""
    start = np.concatenate([[np.log(4.0), 0.0], np.zeros(len(choices.groups))])
    found = minimize(_loss, start, args=(choices, which), jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    if not found.success or not np.isfinite(found.x).all():
        raise RuntimeError(f"calibration did not converge: {found.message}")
    return np.asarray(found.x)


def _loss(x: Array, choices: Choices, which: NDArray[np.int64]) -> tuple[float, Array]:
    """(21) and its gradient."""
    terms = Terms.from_vector(x)
    shares, depot, d_shares, d_depot = _shares(choices, terms)
    observed = _normalised(choices.observed_usd)
    at_sea = choices.observed_usd.sum(axis=1)
    both = at_sea + choices.depot_usd
    w, v = (np.sqrt(value[which]) / np.sqrt(value[which]).sum() for value in (at_sea, both))
    o, s, q, p = observed[which], shares[which] + FLOOR, (choices.depot_usd / both)[which], depot[which]
    inland, seaside = p + FLOOR, 1.0 - p + FLOOR
    loss = -(w[:, None] * o * np.log(s)).sum()
    loss -= DEPOT_WEIGHT * (v * (q * np.log(inland) + (1 - q) * np.log(seaside))).sum()
    loss += PENALTY * float(np.mean(terms.gateway**2))
    slope = -np.einsum("sg,sgt->t", w[:, None] * o / s, d_shares[which])
    slope -= DEPOT_WEIGHT * (v * (q / inland - (1 - q) / seaside)) @ d_depot[which]
    slope[2:] += PENALTY * 2.0 * terms.gateway / len(terms.gateway)
    slope[2:] -= slope[2:].mean()  # a_g is x less its mean
    return float(loss), slope


def _shares(choices: Choices, terms: Terms) -> tuple[Array, Array, Array, Array]:
    """Modelled shares (n_states, n_groups) and depot shares (n_states,), and their derivatives by each term of x."""
    relative = np.where(np.isfinite(choices.relative), choices.relative, 1e3)
    utility = terms.utility(relative)
    utility -= utility.max(axis=(1, 2), keepdims=True)
    p = np.exp(utility)
    p /= p.sum(axis=(1, 2), keepdims=True)
    n_states, n_groups = len(choices.states), len(choices.groups)
    total = np.bincount(choices.state, choices.usd, n_states)
    weighted = p * (choices.usd / total[choices.state])[:, None, None]
    inland = np.stack([choices.by_depot, np.ones_like(choices.by_depot)], axis=2)

    def by_state(values: Array) -> Array:
        """(n_states, ...) sums over the clients of each state."""
        out = np.zeros((n_states, *values.shape[1:]))
        np.add.at(out, choices.state, values)
        return out

    # d P_igm / dx = P_igm (z_igm - E z): z = -beta c/r for log beta, [m = rail] for b, [g = h] for a_h.
    z_cost = -terms.sensitivity * relative
    z_rail = np.broadcast_to(np.array([0.0, 1.0]), p.shape)
    d_shares, d_depot = np.empty((n_states, n_groups, 2 + n_groups)), np.empty((n_states, 2 + n_groups))
    for t, z in enumerate((z_cost, z_rail)):
        d = weighted * (z - (p * z).sum(axis=(1, 2), keepdims=True))
        d_shares[:, :, t] = by_state(d.sum(axis=2))
        d_depot[:, t] = by_state((d * inland).sum(axis=(1, 2)))
    by_group, cleared = p.sum(axis=2), (p * inland).sum(axis=2)
    unit = choices.usd / total[choices.state]
    cross = by_state(unit[:, None, None] * by_group[:, :, None] * by_group[:, None, :])
    shares = by_state(unit[:, None] * by_group)
    d_shares[:, :, 2:] = shares[:, :, None] * np.eye(n_groups) - cross
    depot = by_state(unit * cleared.sum(axis=1))
    d_depot[:, 2:] = by_state(unit[:, None] * (cleared - cleared.sum(axis=1, keepdims=True) * by_group))
    return shares, depot, d_shares, d_depot


def _normalised(usd: Array) -> Array:
    return np.asarray(usd / usd.sum(axis=1, keepdims=True))


def _distance(a: Array, b: Array) -> Array:
    """(n_states,) total variation between rows of shares."""
    return np.asarray(0.5 * np.abs(a - b).sum(axis=1))


def _jackknife(left_out: list[Terms]) -> Terms:
    """Standard errors sqrt((n - 1) / n sum (t_k - mean)^2) of each term."""
    n = len(left_out)

    def error(values: Array) -> Array:
        return np.asarray(np.sqrt((n - 1) * np.var(values, axis=0)))

    return Terms(
        float(error(np.array([terms.sensitivity for terms in left_out]))),
        float(error(np.array([terms.rail for terms in left_out]))),
        error(np.array([terms.gateway for terms in left_out])),
    )

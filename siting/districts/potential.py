"""Unrealised exports: districts beside districts of their kind, by two methods, and how far these can be believed.

The benchmark is the quantile regression (65). A stochastic frontier is the second opinion: for districts that export

    ln x_i = z_i'b + v_i - u_i,   v ~ N(0, s_v^2),   u ~ |N(0, s_u^2)|                                    (67)

with the likelihood of Aigner, Lovell and Schmidt (1977), and u a district's distance below the frontier. Neither is a
forecast: they compare districts as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_ndtr

from geodata.facts import DistrictFacts
from siting.districts.correlations import spearman
from siting.model.places import Places
from siting.model.potential import FLOOR_USD, features, log_exports, port_distance, quantile_regression

Array = NDArray[np.float64]

TAUS = (0.1, 0.25, 0.5, 0.75, 0.9)
COVERED = 0.8
"""What the interval between the first and the last of `TAUS` should hold."""
FOLDS = 10


@dataclass(frozen=True)
class Potential:
    """Benchmarks of exports, and how far they can be believed.

    Args:
        table: indexed by district_id: ``export_usd``; ``q10_usd`` to ``q90_usd``, the quantiles of (65);
            ``unrealised_usd`` by (66) at the median, ``unrealised_low_usd``, ``unrealised_high_usd`` at the quartiles;
            ``efficiency`` by (68) of districts that export (NaN elsewhere).
        coefficients: of the median, by feature.
        rank_correlation: of benchmark and exports, each district told by a model that has not seen its state; NaN
            where there is one state only.
        coverage: share of districts, told likewise, whose exports lie within q10 and q90; `COVERED` is meant.
        methods_agree: rank correlation of ``efficiency`` with exports over the median benchmark.
    """

    table: pd.DataFrame
    coefficients: dict[str, float]
    rank_correlation: float
    coverage: float
    methods_agree: float


def benchmarks(facts: DistrictFacts, places: Places) -> pd.DataFrame:
    """Quantiles of (65) and unrealised exports by (66): ``table`` of `Potential`, without ``efficiency``."""
    design = features(facts, port_distance(facts, places)).to_numpy(np.float64)
    benchmark = np.exp(_quantiles(design, log_exports(facts), design))
    usd = np.asarray(facts.usd, np.float64)
    table = pd.DataFrame({"export_usd": usd}, index=facts.table.index)
    for k, tau in enumerate(TAUS):
        table[f"q{100 * tau:.0f}_usd"] = benchmark[:, k]
    for name, k in (("unrealised_usd", 2), ("unrealised_low_usd", 1), ("unrealised_high_usd", 3)):
        table[name] = unrealised(usd, benchmark[:, k])
    return table


def measure_potential(facts: DistrictFacts, places: Places) -> Potential:
    """Try the benchmarks on states they have not seen, and set a frontier beside them."""
    z = features(facts, port_distance(facts, places))
    design, outcome = z.to_numpy(np.float64), log_exports(facts)
    median = quantile_regression(design, outcome, 0.5)
    table = benchmarks(facts, places)
    exports = table["export_usd"].to_numpy(np.float64) > FLOOR_USD
    table["efficiency"] = np.nan
    table.loc[exports, "efficiency"] = frontier(design[exports], outcome[exports]).efficiency
    told = _told_by_others(design, outcome, facts.table["state"])
    within = (outcome >= told[:, 0]) & (outcome <= told[:, -1])
    ratio = (table["export_usd"] / table["q50_usd"])[exports]
    return Potential(
        table=table,
        coefficients=dict(zip(z.columns, median.tolist(), strict=True)),
        rank_correlation=spearman(told[:, len(TAUS) // 2], outcome),
        coverage=float(within.mean()),
        methods_agree=spearman(np.asarray(table["efficiency"][exports]), np.asarray(ratio)),
    )


def unrealised(usd: Array, benchmark_usd: Array) -> Array:
    """What a district exports less than its benchmark, US$ a year.

    G_i = max(0, exp(z_i'b_tau) - x_i)                                                                    (66)
    """
    return np.maximum(benchmark_usd - usd, 0.0)


def _quantiles(design: Array, outcome: Array, at: Array) -> Array:
    """(n, len(TAUS)) quantiles by (65) at some features, in rising order [Chernozhukov et al. 2010]."""
    found = np.column_stack([at @ quantile_regression(design, outcome, tau) for tau in TAUS])
    return np.sort(found, axis=1)


def _told_by_others(design: Array, outcome: Array, state: pd.Series) -> Array:
    """(n, len(TAUS)) quantiles of each district by a model fitted to other states only."""
    fold = folds_by_state(state, FOLDS)
    told = np.tile(np.median(outcome), (len(outcome), len(TAUS)))
    for k in np.unique(fold):
        held = fold == k
        if (~held).sum() > design.shape[1]:
            told[held] = _quantiles(design[~held], outcome[~held], design[held])
    return told


def folds_by_state(state: pd.Series, n: int) -> NDArray[np.int64]:
    """Fold of each district: whole states, the largest first, each to the fold with fewest districts so far."""
    size, fold = np.zeros(n, np.int64), {}
    for name, count in state.value_counts(sort=True).sort_index().sort_values(ascending=False, kind="stable").items():
        fold[name] = int(size.argmin())
        size[fold[name]] += count
    return np.asarray(state.map(fold), np.int64)


@dataclass(frozen=True)
class Frontier:
    """A fitted stochastic frontier.

    Args:
        coefficients: b of (67).
        sigma_v, sigma_u: of noise and of distance below the frontier.
        efficiency: (n,) by (68), 0 to 1.
    """

    coefficients: Array
    sigma_v: float
    sigma_u: float
    efficiency: Array


def frontier(design: Array, outcome: Array) -> Frontier:
    """Fit (67) by maximum likelihood and tell each district's efficiency.

        ln L = sum_i [ln 2 - ln s + ln phi(e_i/s) + ln Phi(-e_i l/s)],   s^2 = s_v^2 + s_u^2,  l = s_u/s_v
        TE_i = E[exp(-u_i) | e_i] = Phi(m_i/s* - s*) / Phi(m_i/s*) exp(-m_i + s*^2/2),
        m_i = -e_i s_u^2/s^2,   s* = s_u s_v/s                                                            (68)

    with e the residual [Aigner, Lovell and Schmidt 1977; Battese and Coelli 1988]. Starts from least squares.
    """
    p = design.shape[1]
    start, *_ = np.linalg.lstsq(design, outcome, rcond=None)
    spread = max(float((outcome - design @ start).std()), 1e-6)
    first = np.concatenate([start, [np.log(spread), np.log(spread)]])
    first[0] += spread * np.sqrt(2.0 / np.pi)  # the mean distance below the frontier

    def negative(theta: Array) -> tuple[float, Array]:
        sigma_v, sigma_u = np.exp(theta[p:])
        s, ratio = np.hypot(sigma_v, sigma_u), sigma_u / sigma_v
        e = outcome - design @ theta[:p]
        a = -e * ratio / s
        log_phi = log_ndtr(a)
        mills = np.exp(-0.5 * a * a - 0.5 * np.log(2 * np.pi) - log_phi)
        value = -(np.log(2.0) - np.log(s) - 0.5 * np.log(2 * np.pi) - 0.5 * (e / s) ** 2 + log_phi).sum()
        by_e = -e / s**2 - mills * ratio / s  # of the log-likelihood
        by_s = -1.0 / s + e**2 / s**3 + mills * e * ratio / s**2
        by_ratio = -mills * e / s
        by_v = by_s * sigma_v**2 / s - by_ratio * ratio  # by the logarithms of the deviations
        by_u = by_s * sigma_u**2 / s + by_ratio * ratio
        return float(value), -np.concatenate([-design.T @ by_e, [by_v.sum(), by_u.sum()]])

    found = minimize(negative, first, jac=True, method="BFGS")
    b, (sigma_v, sigma_u) = found.x[:p], np.exp(found.x[p:])
    s2 = sigma_v**2 + sigma_u**2
    e = outcome - design @ b
    mean, deviation = -e * sigma_u**2 / s2, sigma_u * sigma_v / np.sqrt(s2)
    log_efficiency = (
        log_ndtr(mean / deviation - deviation) - log_ndtr(mean / deviation) - mean + 0.5 * deviation**2
    )  # fmt: skip
    return Frontier(b, float(sigma_v), float(sigma_u), np.exp(np.minimum(log_efficiency, 0.0)))

"""Benchmarks of exports: against a library, against the truth of made-up districts, and on the bundled pack."""

import numpy as np
import pandas as pd
import pytest

from geodata.facts import DistrictFacts, district_facts
from siting.districts.ground import Ground
from siting.districts.potential import (
    COVERED,
    folds_by_state,
    frontier,
    measure_potential,
    unrealised,
)
from siting.model.potential import (
    FLOOR_USD,
    benchmark_usd,
    features,
    log_exports,
    port_distance,
    quantile_regression,
)
from siting.study import Study

X = np.column_stack([np.ones(12), np.arange(1.0, 13.0)])
Y = np.array([2.1, 3.9, 6.2, 7.7, 10.4, 11.5, 14.9, 15.2, 18.8, 19.1, 23.0, 30.0])


@pytest.mark.parametrize(
    ("tau", "intercept", "slope"), [(0.25, 0.1, 1.9), (0.5, -0.1, 2.1), (0.9, -0.436364, 2.536364)]
)
def test_quantile_regression_as_a_library_has_it(tau, intercept, slope):
    """(65): statsmodels 0.15.0, QuantReg."""
    assert quantile_regression(X, Y, tau) == pytest.approx([intercept, slope], abs=1e-5)


def test_without_features_it_is_the_quantile_itself():
    assert quantile_regression(np.ones((5, 1)), np.array([1.0, 9.0, 3.0, 7.0, 5.0]), 0.5) == pytest.approx([5.0])


def test_a_fit_leaves_the_right_share_below():
    rng = np.random.default_rng(3)
    x = np.column_stack([np.ones(400), rng.normal(size=400)])
    y = x @ [1.0, 2.0] + rng.standard_t(3, size=400)
    for tau in (0.1, 0.5, 0.9):
        assert (y < x @ quantile_regression(x, y, tau)).mean() == pytest.approx(tau, abs=0.01)


def test_upper_quantiles_do_not_depend_on_what_districts_without_exports_count_as():
    rng = np.random.default_rng(4)
    x = np.column_stack([np.ones(200), rng.normal(size=200)])
    y = np.maximum(x @ [10.0, 0.2] + rng.normal(size=200), 9.0)
    lower = np.where(y == 9.0, 2.0, y)
    assert quantile_regression(x, y, 0.9) == pytest.approx(quantile_regression(x, lower, 0.9))


def test_unrealised_exports_by_hand():
    """(66)"""
    assert unrealised(np.array([3.0, 9.0, 0.0]), np.array([5.0, 5.0, 2.0])).tolist() == [2.0, 0.0, 2.0]


def test_the_frontier_finds_what_it_was_made_from():
    """(67) with s_v = 0.3, s_u = 0.8."""
    rng = np.random.default_rng(5)
    n = 4000
    x = np.column_stack([np.ones(n), rng.normal(size=n)])
    u = np.abs(rng.normal(0, 0.8, n))
    found = frontier(x, x @ [2.0, 1.5] + rng.normal(0, 0.3, n) - u)
    assert found.coefficients == pytest.approx([2.0, 1.5], abs=0.05)
    assert (found.sigma_v, found.sigma_u) == (pytest.approx(0.3, abs=0.03), pytest.approx(0.8, abs=0.05))
    assert found.efficiency.mean() == pytest.approx(np.exp(-u).mean(), abs=0.01)
    assert np.corrcoef(found.efficiency, np.exp(-u))[0, 1] > 0.8
    assert ((found.efficiency > 0) & (found.efficiency <= 1)).all()


def test_efficiency_by_numerical_integration():
    """(68) for one residual: E[exp(-u) | e] over the density of u given e, in small steps."""
    rng = np.random.default_rng(6)
    n = 500
    x = np.ones((n, 1))
    y = 1.0 + rng.normal(0, 0.5, n) - np.abs(rng.normal(0, 0.7, n))
    found = frontier(x, y)
    u = np.linspace(0, 12, 200_001)
    e = y[0] - found.coefficients[0]
    density = np.exp(-0.5 * ((e + u) / found.sigma_v) ** 2 - 0.5 * (u / found.sigma_u) ** 2)
    assert found.efficiency[0] == pytest.approx((np.exp(-u) * density).sum() / density.sum(), rel=1e-4)


def test_folds_are_of_whole_states():
    state = pd.Series(["a"] * 5 + ["b"] * 3 + ["c"] * 2 + ["d"])
    fold = folds_by_state(state, 2)
    assert all(len(set(fold[(state == name).to_numpy()])) == 1 for name in "abcd")
    assert np.bincount(fold).tolist() == [6, 5] or np.bincount(fold).tolist() == [5, 6]


def test_districts_without_people_census_or_neighbours_have_features_all_the_same():
    table = pd.DataFrame({
        "state": "A", "district": ["X"], "lon": [77.0], "lat": [20.0], "export_usd": [0.0], "people": [0.0],
        "workers_outside_farming": [np.nan], "urban_share": [np.nan],
    }, index=["a/x"])  # fmt: skip
    facts = DistrictFacts(table, pd.DataFrame({"all": [0.0]}, index=["a/x"]), pd.Series(dtype=float))
    assert features(facts, np.array([np.nan])).columns.tolist() == ["constant"]
    assert log_exports(facts) == pytest.approx([np.log(FLOOR_USD)])


def facts_of(**columns):
    n = len(columns["people"])
    table = pd.DataFrame({"lon": 77.0 + np.arange(n), "lat": 20.0, **columns}, index=[f"a/{k}" for k in range(n)])
    return DistrictFacts(table, pd.DataFrame(index=table.index), pd.Series(dtype=float))


def test_what_the_benchmark_knows_of_districts_by_hand():
    """People where the census is silent of one; the farthest port where no road leads to any; a middling town share."""
    usd, people = np.array([2e6, 0.0, 8e6]), np.array([100.0, 0.4, 400.0])
    facts = facts_of(export_usd=usd, people=people, workers_outside_farming=[30.0, np.nan, 90.0],
                     urban_share=[0.2, np.nan, 0.6])  # fmt: skip
    z = features(facts, np.array([150.0, np.nan, 950.0]))
    assert z["constant"].tolist() == [1.0] * 3
    assert z["workers"].tolist() == pytest.approx(np.log([100.0, 1.0, 400.0]))
    assert z["urban"].tolist() == pytest.approx([0.2, 0.4, 0.6])
    assert z["port_km"].tolist() == pytest.approx(np.log([200.0, 1000.0, 1000.0]))
    per_head = [2e4, 1e4, 2e4]  # the second exports nothing: it counts as 10,000, of one person
    mean = [np.mean([per_head[j] for j in range(3) if j != k]) for k in range(3)]
    assert z["neighbours"].tolist() == pytest.approx(np.log(mean))
    known = features(
        facts_of(export_usd=usd, people=people, workers_outside_farming=[30.0, 0.5, 90.0], urban_share=[0.3] * 3),
        np.full(3, np.nan),
    )
    assert known.columns.tolist() == ["constant", "workers", "neighbours"], "what is the same for all tells nothing"
    assert known["workers"].tolist() == pytest.approx(np.log([30.0, 1.0, 90.0]))


def test_a_benchmark_is_the_quantile_of_districts_alike_and_none_beyond_the_last_percent(tiny_model):
    facts, places = district_facts(tiny_model.pack), tiny_model.places
    z = features(facts, port_distance(facts, places)).to_numpy()
    for percentile, tau in ((0.0, 0.01), (0.5, 0.01), (25.0, 0.25), (50.0, 0.5), (99.5, 0.99), (100.0, 0.99)):
        by_hand = np.exp(z @ quantile_regression(z, log_exports(facts), tau))
        found = benchmark_usd(facts, places, percentile)
        assert found.to_numpy() == pytest.approx(by_hand)
        assert found.index.equals(facts.table.index)


@pytest.fixture(scope="module")
def ground():
    return Ground.of_study(Study())


def test_the_benchmark_of_india_is_tried_on_states_it_has_not_seen(ground):
    found = measure_potential(district_facts(ground.pack), ground.places)
    assert found.rank_correlation > 0.7
    assert abs(found.coverage - COVERED) < 0.06
    table = found.table
    assert np.isfinite(table.drop(columns="efficiency").to_numpy()).all()
    quantiles = table[[name for name in table if str(name).startswith("q")]].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert table["efficiency"].notna().sum() == (table["export_usd"] > FLOOR_USD).sum()
    idle = table[table["export_usd"] == 0]
    assert len(idle) and (idle["unrealised_usd"] == idle["q50_usd"]).all()


def test_a_study_of_potential_ships_the_benchmark(ground):
    """Under-utilised districts below it, at its value; all others as they are."""
    study = ground.study.with_changes(tonnage_basis="potential", potential_percentile=50.0)
    lifted = Ground(study, ground.pack, ground.parameters, ground.survey, ground.places).demand.set_index("district_id")
    today = ground.demand.set_index("district_id")
    usd = today["export_usd"]
    benchmark = benchmark_usd(district_facts(ground.pack), ground.places, 50.0).reindex(usd.index)
    below = today["under_utilised"] & (benchmark > usd)
    ratio = (lifted["general_t"] / today["general_t"])[below & (today["general_t"] > 0) & (usd > FLOOR_USD)]
    assert ratio.to_numpy() == pytest.approx((benchmark / usd)[ratio.index].to_numpy())
    assert lifted.loc[~below, "general_t"].equals(today.loc[~below, "general_t"])
    idle = below & (usd == 0)
    assert (lifted.loc[idle, "general_t"] > 0).all()

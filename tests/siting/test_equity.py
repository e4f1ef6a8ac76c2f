"""Gini coefficient and Lorenz curve of the cost of a tonne, by (76)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from siting.equity import equity_of, gini_of, lorenz


def test_the_coefficient_is_half_the_relative_mean_difference_of_two_tonnes():
    rng = np.random.default_rng(5)
    cost, tonnes = rng.uniform(100, 900, 12), rng.integers(1, 9, 12).astype(float)
    each = np.repeat(cost, tonnes.astype(int))  # (76) weighs a district as its tonnes
    apart = np.abs(each[:, None] - each[None, :]).mean()
    assert gini_of(cost, tonnes) == pytest.approx(apart / (2 * each.mean()))


def test_all_alike_is_even_and_one_that_pays_all_is_not():
    assert gini_of(np.full(5, 70.0), np.arange(1.0, 6.0)) == pytest.approx(0.0)
    assert gini_of(np.array([0.0, 0.0, 0.0, 8.0]), np.ones(4)) == pytest.approx(0.75)
    assert gini_of(np.zeros(0), np.zeros(0)) == 0.0


def test_the_curve_runs_below_the_diagonal_from_nothing_to_all():
    of_tonnes, of_cost = lorenz(np.array([4.0, 1.0, 2.0]), np.array([1.0, 2.0, 1.0]))
    assert of_tonnes.tolist() == pytest.approx([0, 0.5, 0.75, 1])
    assert of_cost.tolist() == pytest.approx([0, 0.25, 0.5, 1])


def test_leaders_and_districts_without_a_way_do_not_count():
    table = pd.DataFrame({
        "under_utilised": [True, True, False, True], "tonnes_per_year": [1.0, 1.0, 50.0, 9.0],
        "cost_before_inr_per_t": [10.0, 30.0, 900.0, np.nan], "cost_after_inr_per_t": [20.0, 20.0, 900.0, np.nan],
    })  # fmt: skip
    told = equity_of(table)
    assert told["gini_before"] == pytest.approx(0.25)
    assert told["gini_after"] == pytest.approx(0.0)
    assert told["cost_share_before"][10] == pytest.approx(0.25)
    assert told["cost_share_after"] == pytest.approx(told["tonnes_share"])

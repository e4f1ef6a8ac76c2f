"""Rank correlations and spatial patterns: against a library, by hand, and where there is nothing to be told."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from siting.districts.correlations import QUADRANTS, local_moran, moran, rank_correlations, spearman

VALUES = np.array([1.0, 2, 2, 5, 1, 3, 4, 7, 2, 4, 6, 9])
NEIGHBOURS = np.array([
    [1, 4, 5], [0, 2, 5], [1, 3, 6], [2, 6, 7], [0, 1, 5], [1, 4, 9], [2, 5, 7], [3, 6, 11], [4, 5, 9], [5, 8, 10],
    [6, 9, 11], [6, 7, 10],
])  # fmt: skip


def test_moran_as_a_library_has_it():
    """(72): esda 2.9.0 with libpysal's three nearest neighbours of twelve points, row-standardised."""
    found = moran(VALUES, NEIGHBOURS)
    assert found.i == pytest.approx(0.5502392344497606)
    assert found.expected == pytest.approx(-1 / 11)
    assert found.p < 0.05


def test_local_moran_as_a_library_has_it():
    """(73): esda 2.9.0, Moran_Local."""
    found = local_moran(VALUES, NEIGHBOURS)
    assert found["i"].tolist() == pytest.approx([
        0.82017544, 0.53070175, 0.04824561, 0.09210526, 0.82017544, 0.19736842, 0.00438596, 1.08333333, 0.3377193,
        -0.00438596, 0.62719298, 1.49561404,
    ], abs=1e-7)  # fmt: skip
    library = [3, 3, 3, 1, 3, 3, 1, 1, 3, 4, 1, 1]  # its numbers of the quadrants
    assert found["quadrant"].tolist() == [QUADRANTS[k - 1] for k in library]


def test_the_local_ones_add_up_to_the_whole():
    n = len(VALUES)
    assert local_moran(VALUES, NEIGHBOURS)["i"].sum() / (n - 1) == pytest.approx(moran(VALUES, NEIGHBOURS).i)


def test_a_pattern_is_found_and_noise_is_not():
    line = np.arange(60)
    beside = np.column_stack([np.clip(line - 1, 0, 57) + (line == 0), np.clip(line + 1, 2, 59) - (line == 59)])
    smooth = moran(np.sin(line / 8), beside)
    assert smooth.i > 0.8 and smooth.p == pytest.approx(0.001)
    assert moran(np.random.default_rng(7).normal(size=60), beside).p > 0.05
    clear = local_moran(np.sin(line / 8), beside)
    assert clear["clear"].sum() > 10


def test_values_that_are_all_the_same_have_no_pattern():
    same = np.full(12, 3.0)
    assert moran(same, NEIGHBOURS).i == 0.0 and moran(same, NEIGHBOURS).p == 1.0
    assert not local_moran(same, NEIGHBOURS)["clear"].any()
    assert local_moran(np.array([1.0]), np.zeros((1, 0), np.int64))["p"].tolist() == [1.0]


def test_rank_correlation_with_ties_as_a_library_has_it():
    rng = np.random.default_rng(8)
    x, y = rng.integers(0, 6, 50).astype(float), rng.integers(0, 6, 50).astype(float)
    assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic)
    assert np.isnan(spearman(np.ones(5), np.arange(5.0)))


def test_intervals_hold_what_is_estimated_and_shrink_with_districts():
    rng = np.random.default_rng(9)
    x = rng.normal(size=800)
    table = pd.DataFrame({"exports": x + rng.normal(size=800), "cost": -x, "same": 1.0})
    found = rank_correlations(table, ["exports"]).set_index("with")
    few = rank_correlations(table.head(40), ["exports"]).set_index("with")
    row = found.loc["cost"]
    assert row["low"] < row["correlation"] < row["high"] < 0
    assert few.loc["cost", "high"] - few.loc["cost", "low"] > 2 * (row["high"] - row["low"])
    assert np.isnan(found.loc["same", "correlation"])


def test_districts_with_something_unknown_are_left_out_of_that_pair_only():
    table = pd.DataFrame({"exports": [1.0, 2, 3, 4], "cost": [4.0, 3, np.nan, 1], "hours": [1.0, 2, 3, 4]})
    found = rank_correlations(table, ["exports"]).set_index("with")
    assert found["n"].to_dict() == {"cost": 3, "hours": 4}
    assert found["correlation"].to_dict() == {"cost": pytest.approx(-1), "hours": pytest.approx(1)}

"""Comparative advantage, proximity and density, worked by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from siting.districts.products import TELLING_USD, advantage, density, measure_products, proximity

USD = np.array([[8.0, 2.0, 0.0], [2.0, 8.0, 0.0], [0.0, 0.0, 0.0]])


def test_advantage_by_hand():
    """(69): D0 makes .8 of its exports in the first sector, all together .5: 1.6."""
    assert advantage(USD) == pytest.approx(np.array([[1.6, 0.4, 0.0], [0.4, 1.6, 0.0], [0.0, 0.0, 0.0]]))


def test_proximity_by_hand():
    """(70): three have A, two have B, two have both: 2 / 3. Nobody has C."""
    has = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0]], bool)
    assert proximity(has) == pytest.approx(np.array([[1, 2 / 3, 0], [2 / 3, 1, 0], [0, 0, 0]]))


def test_density_by_hand():
    """(71): a district with A alone, around B: phi_AB / (phi_AB + phi_CB)."""
    near = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.3], [0.2, 0.3, 1.0]])
    found = density(np.array([[True, False, False]]), near)
    assert found[0, 1] == pytest.approx(0.5 / 0.8)
    assert found[0, 2] == pytest.approx(0.2 / 0.5)
    assert found[0, 0] == 0.0  # itself is not counted


@given(arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(1, 6)), elements=st.floats(0, 1e9)))
def test_density_is_a_share_whatever_is_exported(usd):
    rca = advantage(usd)
    found = density(rca >= 1, proximity(rca >= 1))
    assert np.isfinite(rca).all() and np.isfinite(found).all()
    assert (found >= 0).all() and (found <= 1 + 1e-12).all()


def test_what_lies_near_a_district_is_what_its_like_export_too():
    """Six districts make cloth and shoes, six make steel and ships; one makes cloth only: shoes are next."""
    rows = [[10.0, 10.0, 0.0, 0.0]] * 6 + [[0.0, 0.0, 10.0, 10.0]] * 6 + [[10.0, 0.0, 0.0, 0.0], [0.0] * 4]
    table = pd.DataFrame(
        np.array(rows) * TELLING_USD, [f"d{k}" for k in range(14)], ["cloth", "shoes", "steel", "ships"]
    )
    found = measure_products(table)
    assert found.strengths("d12").index.tolist() == ["cloth"]
    assert found.nearest("d12").index.tolist() == ["shoes"]
    assert found.nearest("d13").empty and found.strengths("d13").empty
    assert found.nearest_of_all().tolist() == [found.nearest(key).index.tolist() for key in table.index]


def test_proximity_rests_on_districts_that_export_enough():
    small = pd.DataFrame([[1.0, 1.0], [0.0, 0.0]], ["a", "b"], ["cloth", "shoes"])
    assert measure_products(small).proximity.to_numpy().sum() == 0.0

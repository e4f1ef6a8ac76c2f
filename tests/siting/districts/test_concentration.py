"""Concentration of exports, worked by hand."""

import numpy as np
import pandas as pd
import pytest

from geodata.facts import DistrictFacts, nearest
from siting.districts.concentration import (
    compared_with_list,
    gini,
    herfindahl,
    measure_concentration,
    spread,
    theil,
    top_share,
)

EVEN = np.array([5.0, 5.0, 5.0, 5.0])
ONE_HAS_ALL = np.array([0.0, 0.0, 0.0, 8.0])


def facts_of(usd: list[float], states: list[str], sectors: dict[str, list[float]] | None = None) -> DistrictFacts:
    ids = [f"d{k}" for k in range(len(usd))]
    table = pd.DataFrame({"state": states, "district": [name.upper() for name in ids], "export_usd": usd}, index=ids)
    sector_usd = pd.DataFrame(sectors or {"all": usd}, index=ids)
    return DistrictFacts(table, sector_usd, pd.Series({states[0]: 3.0}, dtype=float))


def test_even_exports_are_not_concentrated():
    """(60) is 1/n, (61) and (62) are 0."""
    assert herfindahl(EVEN) == pytest.approx(0.25)
    assert gini(EVEN) == pytest.approx(0.0)
    assert theil(EVEN, np.array(["a", "a", "b", "b"], object)).total == pytest.approx(0.0)


def test_one_that_has_all_is_as_concentrated_as_can_be():
    assert herfindahl(ONE_HAS_ALL) == 1.0
    assert gini(ONE_HAS_ALL) == pytest.approx(0.75)  # 1 - 1/n
    assert theil(ONE_HAS_ALL, np.array(["a"] * 4, object)).total == pytest.approx(np.log(4))


def test_three_districts_by_hand():
    """Shares 1/10, 3/10, 6/10: H = .46; G = (-2*1 + 0*3 + 2*6) / (3*10) = 1/3."""
    values = np.array([3.0, 6.0, 1.0])
    assert herfindahl(values) == pytest.approx(0.46)
    assert gini(values) == pytest.approx(1 / 3)
    assert theil(values, np.array(["a", "b", "c"], object)).total == pytest.approx(
        0.1 * np.log(0.3) + 0.3 * np.log(0.9) + 0.6 * np.log(1.8)
    )


def test_gini_is_half_the_mean_difference_over_the_mean():
    values = np.random.default_rng(1).lognormal(0, 2, 50)
    difference = np.abs(values[:, None] - values[None, :]).mean()
    assert gini(values) == pytest.approx(difference / (2 * values.mean()))


def test_theil_decomposes_into_between_and_within():
    """Of two states with equal exports inside, all is between them; of two equal states, all is within."""
    between = theil(np.array([1.0, 1.0, 3.0, 3.0]), np.array(["a", "a", "b", "b"], object))
    assert between.within == pytest.approx(0.0)
    assert between.between == pytest.approx(0.25 * np.log(0.5) + 0.75 * np.log(1.5))
    within = theil(np.array([1.0, 3.0, 3.0, 1.0]), np.array(["a", "a", "b", "b"], object))
    assert within.between == pytest.approx(0.0)
    assert within.within == pytest.approx(within.total)


def test_theil_within_is_the_weighted_sum_of_the_groups_own():
    rng = np.random.default_rng(2)
    values, group = rng.lognormal(0, 1, 30), np.repeat(np.array(["a", "b", "c"], object), 10)
    whole = theil(values, group)
    own = [theil(values[group == name], group[group == name]).total for name in "abc"]
    weights = [values[group == name].sum() / values.sum() for name in "abc"]
    assert whole.within == pytest.approx(np.dot(own, weights))


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros(0)])
def test_nothing_exported_is_no_division_by_zero(values):
    groups = np.array(["a"] * len(values), object)
    assert herfindahl(values) == gini(values) == theil(values, groups).total == 0.0
    assert top_share(pd.Series(values), 5) == 0.0


def test_counts_of_districts_and_shares_of_the_first():
    values = pd.Series([50.0, 25.0, 15.0, 10.0, 0.0])
    found = spread(values)
    assert (found["districts_for_50"], found["districts_for_75"], found["districts_for_90"]) == (1, 2, 3)
    assert found["exporting"] == 4
    assert top_share(values, 2) == pytest.approx(0.75)


def test_leaders_states_and_what_no_district_is_told_of():
    found = measure_concentration(facts_of([50.0, 25.0, 15.0, 10.0, 0.0], ["A", "A", "B", "B", "C"]))
    assert found.districts["leader"].tolist() == [True, True, False, False, False]
    assert found.districts["cumulative_share"].tolist() == pytest.approx([0.5, 0.75, 0.9, 1.0, 1.0])
    assert (found.placed_usd, found.unplaced_usd) == (100.0, 3.0)
    assert found.states.loc["A", "share"] == pytest.approx(78 / 103)
    assert found.states.loc["C"].to_dict() | {"share": 0.0} == {
        "export_usd": 0.0, "districts": 1, "leaders": 0, "gini": 0.0, "unplaced_usd": 0.0, "share": 0.0,
    }  # fmt: skip


def test_a_sector_that_nobody_exports_has_no_first_district():
    found = measure_concentration(facts_of([4.0, 1.0], ["A", "B"], {"cloth": [4.0, 1.0], "ships": [0.0, 0.0]}))
    assert found.sectors.loc["cloth", "first_district"] == "D0"
    assert found.sectors.loc["cloth", "first_share"] == pytest.approx(0.8)
    assert (found.sectors.loc["ships", "first_district"], found.sectors.loc["ships", "hhi"]) == ("", 0.0)


def test_a_list_is_compared_with_the_rule():
    found = measure_concentration(facts_of([50.0, 25.0, 15.0, 10.0], ["A"] * 4))
    assert compared_with_list(found.districts, pd.Index(["d0", "d3", "elsewhere"])) == {
        "listed": 2, "both": 1, "leaders_listed": 1, "not_listed": 1, "share_of_exports": pytest.approx(0.6),
    }  # fmt: skip


def test_nearest_points_leave_out_the_point_itself_and_its_twins_do_not_hide():
    lon, lat = np.array([77.0, 77.0, 78.0, 90.0]), np.array([20.0, 20.0, 20.0, 20.0])
    found = nearest(lon, lat, 2)
    assert all(i not in row for i, row in enumerate(found))
    assert found[3, 0] == 2
    assert nearest(lon[:1], lat[:1], 6).shape == (1, 0)


def test_leaders_that_are_named_replace_the_rule():
    facts = facts_of([9.0, 1.0, 5.0], ["a", "a", "b"])
    table = measure_concentration(facts, 0.5, leaders=("d1", "elsewhere")).districts
    assert table.index[table["leader"]].tolist() == ["d1"]

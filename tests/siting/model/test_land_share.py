"""What needs no port or no depot: by land, border districts first, the others of the state alike; own works."""

import numpy as np
import pandas as pd
import pytest

from siting.model.demand import land_share, own_works_share


def observed(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["state", "leaves_by", "usd_million"])


STATE = pd.Series(["A", "A", "A", "B"])
USD = pd.Series([100e6, 300e6, 100e6, 50e6])
STATION = np.array([True, False, False, True])


def test_border_districts_take_what_they_can_and_the_others_the_rest_alike() -> None:
    """A sent 60 % by land, 300 of 500: 95 at the border, 205 of the 400 inland."""
    share = land_share(USD, STATE, STATION, observed(("A", "land", 300), ("A", "sea", 200)))
    np.testing.assert_allclose(share, [0.95, 205 / 400, 205 / 400, 0.0])


def test_a_small_share_stays_at_the_border() -> None:
    """10 % of 500 are 50, half of what the border district exports."""
    share = land_share(USD, STATE, STATION, observed(("A", "land", 50), ("A", "sea", 450)))
    np.testing.assert_allclose(share, [0.5, 0.0, 0.0, 0.0])


def test_where_records_lack_rows_the_present_exports_are_the_whole() -> None:
    """Of B only 5 by land is known; it exports 50: a tenth, not all."""
    assert land_share(USD, STATE, STATION, observed(("B", "land", 5)))[3] == pytest.approx(0.1)


def test_a_state_that_exports_nothing_divides_nothing() -> None:
    assert not land_share(USD * 0, STATE, STATION, observed(("A", "land", 300))).any()


def test_a_station_in_a_district_without_exports_takes_nothing() -> None:
    """60 by land of 400, all from inland."""
    share = land_share(pd.Series([0.0, 300e6, 100e6, 50e6]), STATE, STATION, observed(("A", "land", 60)))
    np.testing.assert_allclose(share, [0.0, 0.15, 0.15, 0.0])


def test_no_more_than_19_of_20_leaves_by_land_from_inland_either() -> None:
    share = land_share(USD, STATE, STATION, observed(("A", "land", 500)))
    np.testing.assert_allclose(share, [0.95, 0.95, 0.95, 0.0])
    only_border = land_share(pd.Series([100e6, 0.0, 0.0, 0.0]), STATE, STATION, observed(("A", "land", 500)))
    np.testing.assert_allclose(only_border, [0.95, 0.0, 0.0, 0.0])


def test_of_a_state_that_exported_more_when_it_was_recorded_the_share_is_that_of_then() -> None:
    """300 of 1,000 by land; of 500 now 150: 95 at the border, 55 of the 400 inland."""
    share = land_share(USD, STATE, STATION, observed(("A", "land", 300), ("A", "sea", 700)))
    np.testing.assert_allclose(share, [0.95, 55 / 400, 55 / 400, 0.0])


def test_what_makers_clear_at_their_own_works_is_the_districts_that_is_named() -> None:
    """30 of 100; of 50 the records hold 60, so 95 % at the most; a district that exports nothing has no share."""
    records = pd.DataFrame({"district_id": ["a", "a", "b", "c", ""], "usd_million": [20.0, 10.0, 60.0, 5.0, 900.0]})
    exports = pd.DataFrame({"district_id": ["a", "b", "c", "d"], "export_usd": [100e6, 50e6, 0.0, 10e6]})
    np.testing.assert_allclose(own_works_share(exports, records), [0.3, 0.95, 0.0, 0.0])
    little = pd.DataFrame({"district_id": ["a"], "usd_million": [0.25e-6]})
    assert own_works_share(exports.assign(export_usd=0.5), little)[0] == pytest.approx(0.5), "of half a dollar too"

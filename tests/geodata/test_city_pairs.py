"""Road and rail distances against published ones.

Pairs were chosen over the whole country before they were routed. Afterwards six were replaced: four because
their published way is not the shortest (NH 47 Salem-Kanyakumari, NH 12 Jabalpur-Jaipur; by rail Guwahati-Dibrugarh,
now over the Bogibeel bridge, and Mumbai-Pune, now over Panvel), two because the published figure is in doubt
(Nagpur-Obaidullaganj by road, Delhi-Kalka by rail). The pair marked "outlier" is one that the road network gets
wrong; it stays here to be seen.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.matrix import point_matrix
from geodata.network import load_network

PACK = Path(__file__).parents[2] / "geodata" / "india"
PAIRS = pd.read_csv(Path(__file__).with_name("city_distances.csv"))


@pytest.fixture(scope="module", params=["road", "rail"])
def pairs(request: pytest.FixtureRequest) -> pd.DataFrame:
    network = load_network(PACK / f"{request.param}.parquet")
    rows = PAIRS[PAIRS["network"] == request.param]
    matrix = point_matrix(network, rows["from_lon"], rows["from_lat"], rows["to_lon"], rows["to_lat"], max_snap_km=50)
    return rows.assign(error=np.diag(matrix.km) / rows["published_km"] - 1)


def regular(pairs: pd.DataFrame) -> pd.DataFrame:
    return pairs[pairs["half"] != "outlier"]


def test_every_pair_has_a_source_and_there_are_enough_of_them(pairs: pd.DataFrame) -> None:
    assert len(regular(pairs)) >= 35
    assert pairs["source"].notna().all()
    assert not pairs.duplicated(["from", "to"]).any()


def test_median_error_is_within_5_percent_and_none_is_over_15(pairs: pd.DataFrame) -> None:
    error = regular(pairs).set_index(["from", "to"])["error"]
    assert error.abs().median() <= 0.05
    assert error[error.abs() > 0.15].to_dict() == {}


def test_lengths_are_not_biased_on_the_half_that_no_factor_was_fitted_on(pairs: pd.DataFrame) -> None:
    check = pairs.loc[pairs["half"] == "check", "error"]
    assert abs(check.median()) <= 0.03


def test_the_known_outlier_is_still_one(pairs: pd.DataFrame) -> None:
    """Remove the mark from the table once the network is right there."""
    assert (pairs.loc[pairs["half"] == "outlier", "error"].abs() > 0.15).all()
    assert (pairs["half"] == "outlier").sum() <= 1

"""Observed flows and calibrated tastes: tables that say what is wrong with them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.errors import InputError
from geodata.exports import HUB_CLASSES, tonnes_by_class
from geodata.flows import load_gateway_tastes, load_observed_flows
from geodata.pack import INDIA, open_pack

FACTS = Path(__file__).parents[3] / "shared" / "facts" / "state_customs_locations_fy2024.csv"
HEAD = "state,leaves_by,gateway_id,usd_million,land_neighbours_usd_million\n"
TEU_T, TRAIN_TEU, WEEKS = 14, 90, 52


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("Goa,ship,INMRM,1,0\n", "row 2: leaves_by is 'ship'; choose from sea, icd"),
        ("Goa,sea,INMRM,-1,0\n", "row 2: usd_million"),
        ("Goa,sea,INMRM,1,2\n", "row 2: land_neighbours_usd_million is 2.0; a part is no more than the whole, 1"),
        ("Goa,sea,INMRM,1,0\nGoa,sea,INMRM,2,0\n", "row 3: this state, way and gateway stand there before"),
    ],
)
def test_faults_of_observed_flows_are_named(tmp_path: Path, rows: str, told: str) -> None:
    path = tmp_path / "flows.csv"
    path.write_text(HEAD + rows, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        load_observed_flows(path)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("sensitivity,,,-1,0\nrail,,,0,0\n", "the sensitivity is not above zero"),
        ("sensitivity,,,3,0\n", "has not one row with the term 'rail'"),
        ("sensitivity,,,3,0\nrail,INMUN,,0,0\n", "row 3: gateway_id is 'INMUN'; it goes with the term 'gateway'"),
        ("sensitivity,,,3,0\nrail,,,0,0\nport,INMUN,,0,0\n", "row 4: term is 'port'; choose from"),
    ],
)
def test_faults_of_tastes_are_named(tmp_path: Path, rows: str, told: str) -> None:
    path = tmp_path / "tastes.csv"
    path.write_text("term,gateway_id,group,value,standard_error\n" + rows, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        load_gateway_tastes(path)


def test_a_pack_of_other_gateways_has_no_tastes(tiny_pack: Path) -> None:
    """The port of the tiny pack is none of India's."""
    assert open_pack(tiny_pack).gateway_tastes is None
    assert open_pack(tiny_pack).observed_flows is None


def test_the_bundled_tastes_name_each_gateway_with_a_container_service() -> None:
    pack = open_pack()
    tastes = pack.gateway_tastes
    assert tastes is not None
    served = pack.gateways.loc[pack.gateways["container_service"], "gateway_id"]
    assert set(tastes.loc[tastes["term"] == "gateway", "gateway_id"]) == set(served)


def test_observed_states_and_gateways_are_those_of_the_pack() -> None:
    pack = open_pack()
    observed = pack.observed_flows
    assert observed is not None
    assert set(observed["state"]) <= {*pack.states["state"], "UNSPECIFIED"}
    assert set(observed["gateway_id"]) <= {*pack.gateways["gateway_id"], ""}


@pytest.mark.skipif(not FACTS.is_file(), reason="the customs records are not beside the project")
def test_observed_flows_add_up_to_the_customs_records_location_by_location() -> None:
    records = pd.read_csv(FACTS)
    observed = pd.read_csv(INDIA / "observed_flows.csv")
    assert observed["usd_million"].sum() == pytest.approx(records["usd_thousand"].sum() / 1e3, abs=1.0)
    places = pd.read_csv(INDIA / "customs_locations.csv").dropna(subset="gateway_id")
    by_gateway = records.merge(places, on="customs_location").groupby("gateway_id")["usd_thousand"].sum() / 1e3
    kept = observed.groupby("gateway_id")["usd_million"].sum()
    pd.testing.assert_series_equal(by_gateway, kept, check_names=False, atol=0.01)


@pytest.mark.skipif(not FACTS.is_file(), reason="the customs records are not beside the project")
def test_trains_of_depots_are_what_their_exports_on_record_fill() -> None:
    """At the value of a tonne of the depot's state; where records of its state are kept back, the median at least."""
    pack = open_pack()
    by_class = tonnes_by_class(pack.exports, pack.sectors).groupby(pack.exports.set_index("district_id")["state"]).sum()
    usd = by_class[[f"value_usd_{name}" for name in HUB_CLASSES]].sum(axis=1)
    usd_per_t = usd / by_class[[*HUB_CLASSES]].sum(axis=1)
    located = pd.read_csv(INDIA / "customs_locations.csv").dropna(subset="depot_id")
    records = pd.read_csv(FACTS).merge(located, on="customs_location")
    usd = records[records["kind"] == "icd"].groupby("depot_id")["usd_thousand"].sum() * 1e3
    depots = pack.depots.set_index("depot_id")
    told = depots[depots["trains_per_week"].notna()]
    trains = usd.reindex(told.index).fillna(0.0) / told["state"].map(usd_per_t) / (TEU_T * TRAIN_TEU * WEEKS)
    estimated = told["note"].str.contains("trains: ")
    median = trains[~estimated & (told["trains_per_week"] > 0)].median()
    expected = trains.where(~estimated, np.maximum(trains, median))
    np.testing.assert_allclose(told["trains_per_week"], expected, atol=0.006)
    assert (median, told["rail_served"].all(), estimated.sum()) == (pytest.approx(1.43, abs=0.01), True, 25)

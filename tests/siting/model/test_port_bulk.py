"""Bulk that a port's own district ships there stands on both sides of the comparison with customs records."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from geodata.pack import Pack, open_pack
from siting.model.places import Places, build_places
from siting.model.port_bulk import OWN_KM, port_bulk
from siting.parameters import load_parameters


@pytest.fixture(scope="module")
def pack() -> Pack:
    return open_pack()


@pytest.fixture(scope="module")
def places(pack: Pack) -> Places:
    return build_places(pack, load_parameters())


def test_the_refinery_behind_new_mangalore_is_most_of_what_karnataka_sends_there(pack: Pack, places: Places) -> None:
    bulk = port_bulk(pack, places).set_index(["state", "gateway_id"])["usd"]
    exports = pack.exports.set_index("district_id")["mineral_products_usd_million"] * 1e6
    assert bulk["Karnataka", "INNML"] == pytest.approx(exports["karnataka/dakshina-kannada"])
    assert pack.observed_flows is not None
    seen = pack.observed_flows.set_index(["state", "leaves_by", "gateway_id"])["usd_million"] * 1e6
    assert 0.5 < bulk["Karnataka", "INNML"] / seen["Karnataka", "sea", "INNML"] < 1.0


def test_what_has_jetties_of_its_own_is_no_ports(pack: Pack, places: Places) -> None:
    """The refineries of Jamnagar and Dwarka export US$ 38 billion, and the nearest port of the pack is far."""
    bulk = port_bulk(pack, places)
    assert bulk.loc[bulk["state"] == "Gujarat", "usd"].sum() < 0.1e9
    at = places.table["place_id"].tolist().index("gujarat/jamnagar")
    assert places.road_km[at, places.gateways].min() > OWN_KM


def test_a_pack_without_bulk_has_none(tiny_model) -> None:
    assert port_bulk(tiny_model.pack, tiny_model.places).empty


def test_bulk_of_five_districts_by_hand() -> None:
    """In US$ million by sectors of bulk and of boxes, at 500 and 4,000 US$/t, a tenth of the bulk by air.

    Two of state A, 10 and 50 km from port Q, send 18 and 9 in bulk there; one of B at port P sends none, and one that
    exports nothing at all is in no table; one 51 km from any port, and one without a road, ship elsewhere.
    """
    ids = ["a1", "a2", "b1", "b2", "far", "off"]
    districts = pd.DataFrame({"district_id": ids, "state": ["A", "A", "B", "B", "B", "B"]})
    sectors = pd.DataFrame(
        {"cargo_class": ["port_bulk", "general"], "value_usd_per_t": [500.0, 4000.0], "air_share_of_value": [0.1, 0.0],
         "part_load_propensity": 0.5, "frozen_share": 0.0},
        index=["ore", "textiles"],
    )  # fmt: skip
    exports = pd.DataFrame({
        "district_id": ["off", "far", "b1", "a2", "a1"], "ore_usd_million": [30.0, 40.0, 0.0, 10.0, 20.0],
        "textiles_usd_million": 7.0,
    })  # fmt: skip
    table = pd.DataFrame({"place_id": [*ids, "P", "Q"], "kind": ["district"] * 6 + ["gateway"] * 2})
    km = np.full((8, 8), 5.0)
    km[:6, 6:] = [[200, 10], [np.nan, 50], [3, 90], [2, 80], [51, 70], [np.nan, np.nan]]
    here = Places(table, km, km, km[:, 6:], km[:, 6:])
    bulk = port_bulk(SimpleNamespace(districts=districts, exports=exports, sectors=sectors), here)  # type: ignore[arg-type]
    assert bulk[["state", "gateway_id"]].to_numpy().tolist() == [["A", "Q"]]
    assert bulk["usd"].tolist() == [pytest.approx(27e6)] and bulk["tonnes"].tolist() == [pytest.approx(54_000)]


def test_bulk_is_taken_off_what_is_seen(tiny_model, monkeypatch: pytest.MonkeyPatch) -> None:
    from siting.model import calibration

    monkeypatch.setattr(calibration, "LEAST_STATES", 1)
    row = {"state": ["Madhya Pradesh"], "gateway_id": ["INPRT"], "tonnes": [1.0], "usd": [30e6]}
    monkeypatch.setattr(calibration, "port_bulk", lambda pack, places: pd.DataFrame(row))
    seen = [("Madhya Pradesh", "sea", "INPRT", 90.0, 0.0), ("Madhya Pradesh", "icd", "", 40.0, 0.0)]
    columns = ["state", "leaves_by", "gateway_id", "usd_million", "land_neighbours_usd_million"]
    choices = calibration.choices_of(tiny_model, pd.DataFrame(seen, columns=columns))
    assert choices.observed_usd.tolist() == [[60.0]] and choices.depot_usd.tolist() == [40.0]

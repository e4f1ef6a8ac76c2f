"""Port access of districts on the tiny pack: the reference tonne priced by hand, and what would lift whom."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from siting.districts.connectivity import (
    SUMMED,
    distance_for_share,
    index_of,
    measure_connectivity,
    reference_cost,
    steps,
)
from siting.districts.ground import Ground
from siting.districts.lifts import all_measures, lifts, measure_rates


@pytest.fixture(scope="module")
def ground(tiny_study):
    return Ground.of_study(tiny_study)


@pytest.fixture(scope="module")
def found(ground):
    return measure_connectivity(ground)


def test_the_reference_tonne_by_hand(ground, found):
    """(63) for a district next to the port: a box by trailer, and part loads packed at the port."""
    t, hour, q = ground.tariff, ground.reference.hour_inr_per_t, ground.reference.part_share
    km = ground.places.first_mile_km[0, ground.places.gateways[0]]
    full = t.full_load_inr_per_t(km) + hour * (km * t.road_h_per_km + 140)
    part = (
        t.part_load_inr_per_t(km) + t.stuffing_inr_per_t + hour * (km * t.road_h_per_km + 140 + t.consolidation_dwell_h)
    )
    row = found.table.iloc[0]
    assert row["road_inr_per_t"] == pytest.approx((1 - q) * full + q * part)
    assert row["road_km"] == pytest.approx(km)
    assert row["road_gateway"] == "Port"
    assert row["index"] == pytest.approx(
        100 * found.reference_inr_per_t / min(row["road_inr_per_t"], row["rail_inr_per_t"])
    )


def test_the_reference_place_has_the_index_100(ground, found):
    """(64): the cost of a place that far away is the cost it is compared with."""
    assert index_of(np.array([reference_cost(ground, 500.0)]), found.reference_inr_per_t) == pytest.approx([100.0])
    assert reference_cost(ground, 300.0) < reference_cost(ground, 500.0)


def test_a_district_without_a_road_is_below_and_has_no_number_made_up(found):
    row = found.table.iloc[-1]
    assert row["index"] == 0.0 and not row["adequate"]
    assert np.isnan(row[["inr_per_t", "road_hours", "rail_km", "depot_km"]].to_numpy(float)).all()
    assert (row["mode"], row["road_gateway"]) == ("", "")


def test_part_loads_are_packed_at_the_depot_where_that_costs_less(found):
    """D3 is farther from the port than D2, and next to the depot."""
    assert found.table["depot_km"].iloc[3] < found.table["depot_km"].iloc[2]
    assert found.table["road_inr_per_t"].iloc[3] < found.table["road_inr_per_t"].iloc[2]


def test_a_land_customs_station_clears_in_the_district(found):
    assert found.table.loc["madhya-pradesh/d9", "customs_km"] == 0.0
    assert found.table.loc["madhya-pradesh/d8", "customs_km"] > 0.0


def test_no_records_no_cost_over_used_gateways(found):
    assert found.table[[f"used_{name}" for name in SUMMED]].isna().all(axis=None)


def test_over_the_gateways_that_a_state_uses_each_counts_by_its_value(ground):
    """With all of its value through the only port, the way there by the cheaper mode."""
    flows = pd.DataFrame(
        {
            "state": ["Madhya Pradesh"],
            "leaves_by": ["sea"],
            "gateway_id": ["INPRT"],
            "district_id": [""],
            "usd_million": [7.0],
        }
    )
    pack = replace(ground.pack)
    pack.__dict__["observed_flows"] = flows
    used = measure_connectivity(replace(ground, pack=pack)).table
    for name in SUMMED:
        better = np.where(used["mode"] == "rail", used[f"rail_{name}"], used[f"road_{name}"])
        assert used[f"used_{name}"].to_numpy() == pytest.approx(better, nan_ok=True)


def test_a_nearer_adequate_place_puts_more_districts_below(ground, found):
    shares = list(steps(found, ground).values())
    assert shares == sorted(shares, reverse=True)
    km = distance_for_share(found, ground, 0.5)
    below = measure_connectivity(ground, km - 1e-6).share_below
    assert below == pytest.approx(0.5)


def test_no_measure_makes_a_district_worse(ground, found):
    for measure in all_measures(ground, found):
        today = found.table["inr_per_t"].to_numpy()
        reached = np.isfinite(today)
        assert (measure.inr_per_t[reached] <= today[reached] + 1e-9).all(), measure.key


def test_a_day_at_the_port_saves_what_a_day_costs(ground, found):
    port = next(m for m in all_measures(ground, found) if m.key == "port")
    saved = found.table["inr_per_t"].iloc[0] - port.inr_per_t[0]
    assert saved == pytest.approx(ground.reference.hour_inr_per_t * measure_rates()["port_dwell_saved_h"])


def test_a_warehouse_packs_part_loads_at_home(ground, found):
    """By hand for a district that ships by road: first mile inside the district, packing, and a trailer to the port."""
    t, hour, q = ground.tariff, ground.reference.hour_inr_per_t, ground.reference.part_share
    inside = ground.places.first_mile_km[1, 1]
    km = ground.places.road_km[1, ground.places.gateways[0]]
    full = t.full_load_inr_per_t(km) + hour * (km * t.road_h_per_km + 140)
    wait = hour * ((inside + km) * t.road_h_per_km + t.consolidation_dwell_h + 140)
    part = t.part_load_inr_per_t(inside) + t.stuffing_inr_per_t + t.full_load_inr_per_t(km) + wait
    warehouse = next(m for m in all_measures(ground, found) if m.key == "warehouse")
    assert found.table["mode"].iloc[1] == "road"
    assert warehouse.inr_per_t[1] == pytest.approx((1 - q) * full + q * part)


def test_the_cheapest_measure_that_lifts_is_named_and_the_rest_come_last(ground):
    near = measure_connectivity(ground, 330.0)
    table = lifts(near, all_measures(ground, near))
    below = near.table[~near.table["adequate"] & near.table["inr_per_t"].notna()]
    assert set(table.index) == set(below.index)
    assert table["lifts"].tolist() == sorted(table["lifts"], reverse=True)
    assert (table.loc[table["lifts"], "index"] >= 100).all() and (table.loc[~table["lifts"], "index"] < 100).all()
    measures = all_measures(ground, near)
    for row in table[table["lifts"]].itertuples():
        at = near.table.index.get_loc(row.Index)
        cheaper = [m for m in measures if m.inr_crore[at] < row.inr_crore]
        assert all(index_of(m.inr_per_t[[at]], near.reference_inr_per_t)[0] < 100 for m in cheaper)

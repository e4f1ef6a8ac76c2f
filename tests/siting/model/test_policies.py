"""What a study asks of places by name: exports grown (55), roads upgraded (56), credit (57) and freight (58) paid by
the exchequer."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.corridors import load_corridors
from geodata.errors import InputError
from siting.model.model import build_model, restated
from siting.model.policies import growth_of, upgraded_edges, upgraded_km
from siting.model.routing import Routing
from siting.plan import make_plan
from siting.study import load_study, study_text
from siting.transfers import Transfers, refunds_by_state

CORRIDOR = (
    "corridor_id,name,stop,place,lon,lat,source\n"
    "south,South road,2,D2,78.5,20.5,test\nsouth,South road,1,Port,75.5,19.5,test\n"
)


@pytest.fixture(scope="module")
def study(tiny_study, tmp_path_factory):
    """The tiny study with a corridor from the port along the southern row to its third district."""
    file = tmp_path_factory.mktemp("corridors") / "corridors.csv"
    file.write_text(CORRIDOR)
    return tiny_study.with_changes(data={**tiny_study.data, "corridors": file})


@pytest.fixture(scope="module")
def model(study):
    return build_model(study)


def test_exports_grow_by_the_rate_of_the_district_else_of_its_state():
    districts = pd.DataFrame({"district_id": ["a/1", "a/2", "b/1"], "state": ["A", "A", "B"]})
    assert growth_of(districts, {"A": 0.5, "a/2": -0.25}).tolist() == [1.5, 0.75, 1.0]


def test_growth_moves_tonnes_and_value_alike_and_makes_no_leaders(model, study):
    grown = restated(model, study.with_changes(export_growth={"Madhya Pradesh": 1.0, "madhya-pradesh/d3": 4.0}))
    factor = np.where(model.demand["district_id"] == "madhya-pradesh/d3", 5.0, 2.0)
    for column in ("export_usd", "general_t", "general_usd", "perishable_t", "perishable_usd"):
        assert grown.demand[column].to_numpy() == pytest.approx(factor * model.demand[column].to_numpy())
    assert grown.demand["under_utilised"].equals(model.demand["under_utilised"])


def test_a_km_of_an_upgraded_corridor_counts_less(model, study):
    cut = study.with_changes(upgraded_roads=("south",), parameters={"road_upgrade_cut": 0.2})
    places = restated(model, cut).places
    port, d2, d5 = places.gateways[0], 2, 5
    before = model.places.road_km
    along = before[d2, port]
    assert places.road_km[d2, port] == pytest.approx(0.8 * along)
    assert places.road_km[d5, port] == pytest.approx(before[d5, port] - 0.2 * along)  # the rest is as it was
    assert places.road_km[d5, 4] == before[d5, 4]
    assert np.isnan(places.road_km).tolist() == np.isnan(before).tolist()
    assert upgraded_km(model.pack, ("south",)) == pytest.approx(along)


def test_all_roads_of_a_state_are_upgraded_where_it_is_named(model):
    assert upgraded_edges(model.pack, ("Madhya Pradesh",)).all()
    assert not upgraded_edges(model.pack, ()).any()


def test_upgraded_roads_lower_the_cost_of_today_and_only_them(model, study):
    cheaper = make_plan(restated(model, study.with_changes(upgraded_roads=("south",))))
    plain = make_plan(model)
    assert cheaper.totals("before")["cost_inr_per_year"] < plain.totals("before")["cost_inr_per_year"]
    none = restated(model, study.with_changes(parameters={"road_upgrade_cut": 0.25}))
    assert none.existing.cost_inr_per_t.tolist() == model.existing.cost_inr_per_t.tolist()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"upgraded_roads": ("sout",)}, "upgraded_roads names unknown 'sout'; did you mean 'south'"),
        ({"leaders": ("madhya-pradesh/d99",)}, "leaders names unknown 'madhya-pradesh/d99'"),
        ({"refund_states": ("Bihar",)}, "refund_states names unknown 'Bihar'"),
        ({"export_growth": {"Madya Pradesh": 1.0}}, "did you mean 'Madhya Pradesh'"),
    ],
)
def test_an_unknown_name_is_told_with_what_it_may_have_meant(model, study, changes, told):
    with pytest.raises(InputError, match=told):
        restated(model, study.with_changes(**changes))


def test_export_credit_lowers_what_time_costs_exporters_by_what_the_exchequer_pays(model, study):
    credit = {"export_credit_subvention": 0.02, "small_firm_share": 0.5}
    cheap = restated(model, study.with_changes(parameters=credit, shippers=0))
    plain = restated(model, study.with_changes(shippers=0))
    general = (plain.clients["cargo_class"] == "general").to_numpy()
    per_h = plain.clients["value_inr_per_t"].to_numpy() * 0.02 * 0.5 / 365 / 24  # (57)
    paid = cheap.clients["credit_inr_per_t_h"].to_numpy()
    assert paid[general] == pytest.approx(per_h[general])
    lower = (plain.clients["time_inr_per_t_h"] - cheap.clients["time_inr_per_t_h"]).to_numpy()
    assert lower == pytest.approx(paid)
    routing = Routing.today(cheap)
    tonnes_h = routing.tonnes * np.bincount(routing.lane_of_part, routing.parts["hours"])
    counted = cheap.clients["weight"].to_numpy()[routing.lanes.client]
    by_hand = (tonnes_h * counted * paid[routing.lanes.client]).sum()
    assert Transfers.of(routing).export_credit_inr_per_year == pytest.approx(by_hand)
    assert by_hand > 0


def test_credit_pays_no_more_than_time_costs(model, study):
    generous = {"export_credit_subvention": 1.0, "small_firm_share": 1.0}
    clients = restated(model, study.with_changes(parameters=generous)).clients
    assert (clients.loc[clients["cargo_class"] == "general", "time_inr_per_t_h"] == 0).all()
    assert (clients["time_inr_per_t_h"] >= 0).all()


def test_freight_is_refunded_up_to_a_share_of_the_value_in_the_states_named(model, study):
    asked = {"freight_refund": 0.3, "small_firm_share": 0.5, "freight_refund_of_value": 0.2}
    where = study.with_changes(refund_states=("Madhya Pradesh",), parameters=asked)
    routing = Routing.today(restated(model, where))
    parts = routing.parts
    moves = parts["mode"].isin(["road", "rail"])
    freight = np.bincount(routing.lane_of_part, parts["freight_inr_per_t"] * moves)
    value = routing.model.clients["value_inr_per_t"].to_numpy()[routing.lanes.client]
    refund = 0.3 * 0.5 * np.minimum(freight, 0.2 * value) * routing.tonnes  # (58)
    counted = routing.model.clients["weight"].to_numpy()[routing.lanes.client]
    assert Transfers.of(routing).freight_refund_inr_per_year == pytest.approx((refund * counted).sum())
    by_state = refunds_by_state(routing)
    assert by_state["state"].tolist() == ["Madhya Pradesh"]
    assert by_state["refund_inr_per_year"].sum() == pytest.approx(refund.sum())
    assert Transfers.of(Routing.today(model)).freight_refund_inr_per_year == 0.0


def test_a_refund_changes_no_site_and_no_saving(model, study):
    asked = {"freight_refund": 0.3}
    refunded = make_plan(restated(model, study.with_changes(refund_states=("Madhya Pradesh",), parameters=asked)))
    plain = make_plan(model)
    assert refunded.opened["option_id"].tolist() == plain.opened["option_id"].tolist()
    assert refunded.net_saving_inr_per_year == plain.net_saving_inr_per_year


def test_a_carbon_price_brings_the_exchequer_what_it_costs_exporters(model, study):
    priced = restated(model, study.with_changes(parameters={"carbon_price_inr_per_t_co2e": 2000.0}))
    plan = make_plan(priced)
    t_co2e = plan.totals("before")["co2e_t_per_year"]
    assert Transfers.of(plan.before).carbon_revenue_inr_per_year == pytest.approx(2000.0 * t_co2e)


def test_a_study_that_asks_this_is_written_and_read_alike(study, tmp_path):
    asked = study.with_changes(
        upgraded_roads=("south",), refund_states=("Madhya Pradesh",), export_growth={"Madhya Pradesh": 0.5}
    )
    file = tmp_path / "asked.toml"
    file.write_text(study_text(asked, tmp_path), encoding="utf-8")
    again = load_study(file)
    assert again.fingerprint(again.pack()) == asked.fingerprint(asked.pack())


@pytest.mark.parametrize(
    ("text", "told"), [('"fast"', "is no table"), ('{ "Bihar" = "much" }', "holds Bihar"), ("{ Bihar = 99 }", "Bihar")]
)
def test_growth_that_is_no_fraction_is_refused(tmp_path, text, told):
    file = tmp_path / "grown.toml"
    file.write_text(f"[study]\nexport_growth = {text}\n")
    with pytest.raises(InputError, match=told):
        load_study(file)


def test_a_corridor_has_two_towns_at_least(tmp_path: Path):
    file = tmp_path / "corridors.csv"
    file.write_text("\n".join(CORRIDOR.splitlines()[:2]) + "\n")
    with pytest.raises(InputError, match="corridor 'south' has one town"):
        load_corridors(file, (70, 15, 90, 25))


def test_leaders_are_those_that_are_named_with_all_counted_with_them(model, study):
    named = restated(model, study.with_changes(leaders=("madhya-pradesh/d5",))).demand.set_index("district_id")
    assert named.index[~named["under_utilised"]].tolist() == ["madhya-pradesh/d5"]
    assert not model.demand.set_index("district_id").loc["madhya-pradesh/d0", "under_utilised"]

"""Names that a study may use: those of the model, and what an unknown one may have meant."""

from __future__ import annotations

import pandas as pd
import pytest

from geodata.pack import open_pack
from siting.model.names import contradictions, gateways_of, name_faults, names_of, possible_names, suggestion
from siting.parameters import load_parameters
from siting.study import FACILITY_TYPES, Study


@pytest.fixture(scope="module")
def national():
    return possible_names(open_pack(), FACILITY_TYPES, load_parameters())


def test_what_the_model_knows_is_possible(tiny_model):
    known = names_of(tiny_model.options, gateways_of(tiny_model.pack))
    possible = possible_names(tiny_model.pack, tiny_model.study.facility_types, tiny_model.parameters)
    assert all(set(names) <= set(possible[key]) for key, names in known.items())


def test_a_type_that_the_study_does_not_build_is_unknown(tiny_model):
    possible = possible_names(tiny_model.pack, ("mmlp",), tiny_model.parameters)
    assert name_faults({"forced": ["warehouse-small@madhya-pradesh/d3"]}, possible, "x")


@pytest.mark.parametrize(
    ("key", "name", "meant"),
    [
        ("forced", "warehouse-small@uttar-pradesh/agre", "warehouse-small@uttar-pradesh/agra"),
        ("forced", "mmlp-small@agra", "mmlp-small@uttar-pradesh/agra"),
        ("forced", "warehouse-smal@uttar-pradesh/agra", "warehouse-small@uttar-pradesh/agra"),
        ("forbidden", "uttar-pradesh/Agra", "uttar-pradesh/agra"),
        ("forbidden", "mmlp@mmlp-jaipr", "mmlp@mmlp-jaipur"),
        ("closed_gateways", "inmum", "INMUN"),
    ],
)
def test_an_unknown_name_comes_with_what_it_may_have_meant(national, key, name, meant):
    assert suggestion(name, national[key]) == meant
    assert name_faults({key: [meant]}, national, "x") == []
    (fault,) = name_faults({key: [name]}, national, "x")
    assert str(fault) == f"x: {key} names unknown '{name}'; did you mean '{meant}'?"


def test_a_name_like_no_other_is_told_where_names_are(national):
    (fault,) = name_faults({"forced": ["warehouse-small@zzz"]}, national, "x")
    assert "sites.csv" in fault.remedy
    (fault,) = name_faults({"closed_gateways": ["???"]}, national, "x")
    assert "known: IN" in fault.remedy


def test_every_name_is_told_and_the_last_gateway_stays_open(national):
    ports = list(national["closed_gateways"])
    faults = name_faults({"forced": ["a", "b"], "closed_gateways": ports}, national, "x")
    assert len(faults) == 3
    assert faults[-1].remedy == "leave one open"


def test_twenty_unknown_names_of_a_list_are_looked_for_and_long_ones_are_cut(national):
    names = [f"warehouse-smal@uttar-pradesh/agra{k}" for k in range(22)]
    faults = name_faults({"forced": names}, national, "x")
    assert ["did you mean" in fault.remedy for fault in faults] == [True] * 20 + [False] * 2
    (fault,) = name_faults({"forced": ["a" * 150]}, national, "x")
    assert fault.message == f"forced names unknown '{'a' * 100}'" and fault.value == "a" * 100


def test_one_gateway_of_several_may_close_and_an_unknown_one_is_no_closed_one():
    known = {"closed_gateways": ["INAAA", "INBBB"]}
    assert name_faults({"closed_gateways": ["INAAA", "INAAA"]}, known, "x") == []
    assert [fault.message for fault in name_faults({"closed_gateways": ["INAAA", "IN"]}, known, "x")] == [
        "closed_gateways names unknown 'IN'"
    ]
    assert name_faults({}, {"closed_gateways": []}, "x") == [], "an area without gateways has closed none"


OPTIONS = pd.DataFrame({
    "option_id": ["warehouse-small@a", "warehouse-large@a", "mmlp-small@b", "mmlp-small@c"],
    "site_id": ["warehouse@a", "warehouse@a", "mmlp@b", "mmlp@c"], "capex_inr_crore": [7.0, 20.0, 200.0, 300.0],
})  # fmt: skip


@pytest.mark.parametrize("name", ["mmlp-small@b", "mmlp@b", "b"])
def test_what_is_forced_and_forbidden_by_any_of_its_names_is_a_contradiction(name):
    study = Study(name="S", forced=("mmlp-small@b", "mmlp-small@c"), forbidden=(name, "warehouse@c"))
    (fault,) = contradictions(study, OPTIONS)
    assert fault.message == "forced and forbidden both name 'mmlp-small@b'"


def test_a_site_has_one_size_and_what_is_forced_costs_no_more_than_the_budget():
    both = Study(name="S", forced=("warehouse-small@a", "warehouse-large@a"))
    assert [fault.message for fault in contradictions(both, OPTIONS)] == [
        "forced names 'warehouse-small@a', 'warehouse-large@a'"
    ]
    parks = Study(name="S", forced=("mmlp-small@b", "mmlp-small@c"))
    for budget, told in ((500.0, []), (500.0 * (1 - 1e-13), []), (499.9, ["the forced sites need ₹500.0 crore, "
                                                                           "budget_inr_crore is 499.9"])):  # fmt: skip
        assert [f.message for f in contradictions(parks.with_changes(budget_inr_crore=budget), OPTIONS)] == told

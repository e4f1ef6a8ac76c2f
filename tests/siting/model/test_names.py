"""Names that a study may use: those of the model, and what an unknown one may have meant."""

from __future__ import annotations

import pytest

from geodata.pack import open_pack
from siting.model.names import gateways_of, name_faults, names_of, possible_names, suggestion
from siting.parameters import load_parameters
from siting.study import FACILITY_TYPES


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

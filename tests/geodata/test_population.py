"""People of today's districts: the census is kept to the last person, and shared where districts were cut."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.districts import METRIC_CRS
from geodata.errors import InputError
from geodata.make_india.population import (
    COUNTS,
    census_district_of,
    census_origins,
    people_per_office,
    population_table,
    read_census,
    read_parents,
    whole_shares,
)
from geodata.pack import INDIA, open_pack

INDIA_2011 = 1_210_854_977  # Census of India 2011, final total
# Persons in 2011 by today's limits, as the states published them when they formed the districts.
PUBLISHED = {
    "telangana/siddipet": 1_012_065,
    "telangana/sangareddy": 1_527_628,
    "gujarat/morbi": 960_329,
    "gujarat/gir-somnath": 946_790,
    "tripura/west-tripura": 918_200,
    "punjab/pathankot": 676_598,
    "uttar-pradesh/shamli": 1_313_647,
    "tamil-nadu/chengalpattu": 2_556_244,
    "west-bengal/paschim-bardhaman": 2_882_031,
}


@pytest.fixture(scope="module")
def population():
    return pd.read_csv(INDIA / "population.csv")


@pytest.fixture(scope="module")
def census():
    return read_census()


def test_the_whole_country_is_counted_to_the_last_person(population, census):
    assert population["population"].sum() == INDIA_2011
    for count in COUNTS:
        assert population[count].sum() == census[count].sum(), count
    assert (population["population"] > 0).all()


def test_the_district_table_holds_the_same_people(population):
    districts = open_pack().districts
    assert districts["district_id"].tolist() == population["district_id"].tolist()
    assert districts["lgd_code"].tolist() == population["lgd_code"].tolist()
    assert districts["population_weight"].tolist() == population["population"].tolist()


def test_districts_whose_limits_stand_are_as_counted(population):
    counted = population.set_index("district_id")
    assert counted.at["bihar/patna", "population"] == 5_838_465
    assert counted.at["gujarat/surat", "population"] == 6_081_322
    assert counted.at["ladakh/leh", "population"] == 133_487
    assert counted.at["puducherry/puducherry", "population"] == 950_289 + 41_816 + 55_626  # with Mahe and Yanam
    assert (counted["source"] == "Census of India 2011").sum() == 516


def test_districts_cut_since_come_close_to_what_was_published(population):
    ours = population.set_index("district_id")["population"]
    off = (ours[list(PUBLISHED)] / pd.Series(PUBLISHED) - 1).abs()
    assert off.max() < 0.12


def test_parts_never_exceed_the_whole(population):
    assert (population["workers"] <= population["population"]).all()
    assert (population["workers_outside_farming"] <= population["workers"]).all()
    assert (population["urban_households"] <= population["households"]).all()


# How it is done


def test_every_district_formed_since_2011_has_parents_that_lead_to_the_census():
    districts = open_pack().districts
    parents = read_parents(districts)
    assert len(parents) == 139
    names = districts.set_index("lgd_code")["district_id"]
    code = {name: int(number) for number, name in names.items()}
    # Sarangarh-Bilaigarh was cut from Raigarh and from Balodabazar-Bhatapara, which was cut from Raipur.
    origins = census_origins(code["chhattisgarh/sarangarh-bilaigarh"], parents)
    assert [names[origin] for origin in origins] == ["chhattisgarh/raigarh", "chhattisgarh/raipur"]
    assert census_origins(code["gujarat/surat"], parents) == [code["gujarat/surat"]]


def test_a_district_without_parents_is_named(tmp_path):
    districts = pd.DataFrame({"state": "A", "district": ["Old", "Young"], "lgd_code": [1, 700]})
    path = tmp_path / "parents.csv"
    path.write_text("state,district,formed,parents\nA,Other,2014,Old\n")
    with pytest.raises(InputError, match="no district 'Other' of A"):
        read_parents(districts, path)
    path.write_text("state,district,formed,parents\nA,Old,2014,Old\n")
    with pytest.raises(InputError, match="Young of A was formed since the census and has no row"):
        read_parents(districts, path)


def three_districts():
    """Two census districts, west and east, and one cut from both between them; 30 km each."""
    districts = gpd.GeoDataFrame(
        {"district_id": ["a/west", "a/east", "a/new"], "lgd_code": [1, 2, 700]},
        geometry=[shapely.box(x, 3_900_000, x + 30_000, 3_930_000) for x in (3_900_000, 3_960_000, 3_930_000)],
        crs=METRIC_CRS,
    ).to_crs(4326)
    parents = pd.DataFrame({"formed": [2016], "parents": [[1, 2]]}, index=[700])
    x = 3_900_000 + np.array([5_000.0, 10_000.0, 40_000.0, 50_000.0, 85_000.0, np.nan])
    offices = pd.DataFrame({
        "lgd_code": [1, 1, 700, 700, 2, 700], "x": x, "y": 3_915_000.0, "branch": True,
        "placed": [True, True, True, True, True, False],
    })  # fmt: skip
    census = pd.DataFrame({count: [300, 101] for count in COUNTS} | {"district": ["West", "East"]}, index=[1, 2])
    return districts, parents, offices, census


def test_an_office_counts_for_the_nearest_district_that_its_own_was_cut_from():
    districts, parents, offices, _ = three_districts()
    # The last has no position and counts for the parent named first.
    assert census_district_of(offices, districts, parents).tolist() == [1, 1, 1, 2, 2, 1]


def test_people_are_shared_by_offices_and_kept_whole():
    districts, parents, offices, census = three_districts()
    offices["census_code"] = census_district_of(offices, districts, parents)
    no_towns = pd.DataFrame({"population": [], "x": [], "y": []}, dtype=float)
    with_town = pd.DataFrame({"population": [100.0], "x": [3_905_000.0], "y": [3_915_000.0]})
    offices["people"] = people_per_office(offices, census, no_towns)
    table = population_table(districts, offices, census).set_index("district_id")
    assert table.loc[["a/west", "a/east", "a/new"], "population"].tolist() == [150, 51, 200]
    assert table.at["a/new", "census_2011_districts"] == "West; East"
    assert table["source"].str.contains("shared out").all()
    # A town of 100 stands at the first office; the other 200 of West are spread over its four offices.
    assert people_per_office(offices, census, with_town)[[0, 1]] == pytest.approx([150, 50])


def test_whole_shares_add_up():
    assert whole_shares(10, np.array([1 / 3, 1 / 3, 1 / 3])).sum() == 10
    assert whole_shares(7, np.array([0.5, 0.5])).tolist() == [4, 3]
    assert whole_shares(0, np.array([0.4, 0.6])).tolist() == [0, 0]

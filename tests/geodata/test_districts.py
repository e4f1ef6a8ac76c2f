"""District map of the India pack: codes, names, coverage; the loader's complaints."""

import unicodedata
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.districts import (
    EQUAL_AREA_CRS,
    canonical_state,
    district_id,
    load_aliases,
    load_districts,
    load_states,
    resolve_names,
    title_case,
)
from geodata.errors import InputError
from geodata.make_india.districts import own_names
from geodata.pack import open_pack

PACK = Path(__file__).parents[2] / "geodata" / "india"

# km2, Census of India 2011 (Ladakh and Jammu and Kashmir differ between sources and are left out).
PUBLISHED_AREA_KM2 = {
    "Rajasthan": 342_239,
    "Madhya Pradesh": 308_252,
    "Maharashtra": 307_713,
    "Uttar Pradesh": 240_928,
    "Karnataka": 191_791,
    "Odisha": 155_707,
    "Chhattisgarh": 135_192,
    "Tamil Nadu": 130_060,
    "Telangana": 112_077,
    "Bihar": 94_163,
    "Kerala": 38_852,
    "Goa": 3_702,
    "Sikkim": 7_096,
    "Delhi": 1_483,
}
# Well-known places, degrees, from general maps.
TOWNS = {
    "gujarat/surat": (72.83, 21.19),
    "gujarat/jamnagar": (70.06, 22.47),
    "maharashtra/pune": (73.86, 18.52),
    "maharashtra/nagpur": (79.09, 21.15),
    "maharashtra/chhatrapati-sambhajinagar": (75.33, 19.88),
    "bihar/aurangabad": (84.37, 24.75),
    "uttar-pradesh/prayagraj": (81.85, 25.44),
    "uttar-pradesh/moradabad": (78.77, 28.84),
    "uttar-pradesh/pratapgarh": (81.94, 25.90),
    "rajasthan/pratapgarh": (74.78, 24.03),
    "uttar-pradesh/hamirpur": (80.15, 25.95),
    "himachal-pradesh/hamirpur": (76.52, 31.69),
    "himachal-pradesh/bilaspur": (76.76, 31.33),
    "chhattisgarh/bilaspur": (82.15, 22.08),
    "chhattisgarh/balrampur": (83.61, 23.61),
    "uttar-pradesh/balrampur": (82.18, 27.43),
    "tamil-nadu/tiruppur": (77.34, 11.11),
    "karnataka/bengaluru-urban": (77.59, 12.97),
    "telangana/hyderabad": (78.48, 17.38),
    "west-bengal/kolkata": (88.36, 22.56),
    "assam/kamrup-metropolitan": (91.75, 26.15),
    "puducherry/karaikal": (79.83, 10.93),
    "ladakh/leh": (79.5, 35.0),
    "ladakh/kargil": (76.13, 34.56),
    "nagaland/chumoukedima": (93.78, 25.79),
    "rajasthan/beawar": (74.32, 26.10),
    "madhya-pradesh/maihar": (80.76, 24.27),
    "andaman-and-nicobar-islands/south-andaman": (92.73, 11.65),
    "lakshadweep/lakshadweep": (72.64, 10.56),
}


@pytest.fixture(scope="module")
def districts() -> gpd.GeoDataFrame:
    return load_districts(PACK / "districts.parquet")


@pytest.fixture(scope="module")
def land() -> gpd.GeoDataFrame:
    return open_pack().land


@pytest.fixture(scope="module")
def states() -> gpd.GeoDataFrame:
    return load_states(PACK / "states.parquet")


def test_every_official_district_is_there_once_by_its_code(districts, states):
    # 777 polygons of the source have a code; Mirpur and Muzaffarabad have none.
    assert len(districts) == 777
    assert districts["lgd_code"].is_unique
    assert districts["lgd_code"].between(1, 793).all()
    assert len(states) == 36
    assert set(districts["state"]) == set(states["state"])
    code = districts.set_index("district_id")["lgd_code"]
    assert code["jammu-and-kashmir/kupwara"] == 1
    assert code["gujarat/surat"] == 492
    assert code["rajasthan/balotra"] == 785


def test_outline_follows_the_survey_of_india(states):
    country = states.union_all()
    for lon, lat in [(79.5, 35.0), (73.47, 34.37), (91.87, 27.59)]:
        assert country.contains(shapely.Point(lon, lat)), (lon, lat)


def test_the_indian_states_reach_to_mirpur_and_muzaffarabad(land, districts):
    assert land["state"].tolist() == ["Jammu and Kashmir"]
    for lon, lat in [(73.75, 33.15), (73.47, 34.37)]:
        assert land.union_all().contains(shapely.Point(lon, lat)), (lon, lat)
        assert not districts.contains(shapely.Point(lon, lat)).any()


def test_districts_and_land_neither_overlap_nor_leave_gaps(districts, land, states):
    everything = pd.concat([districts[["state", "geometry"]], land], ignore_index=True)
    assert shapely.coverage_is_valid(everything.geometry.to_numpy())
    flat = everything.to_crs(EQUAL_AREA_CRS)
    country = flat.union_all()
    assert flat.area.sum() == pytest.approx(country.area, rel=1e-7)
    outline = states.to_crs(EQUAL_AREA_CRS).set_index("state").geometry
    for state, parts in flat.groupby("state"):
        difference = parts.union_all().symmetric_difference(outline[state]).area
        assert difference < 1e-6 * outline[state].area, state


def test_the_only_hole_in_the_country_is_dahagram_angarpota_of_bangladesh(districts, land):
    everything = pd.concat([districts.geometry, land.geometry])
    country = shapely.coverage_union_all(everything.to_numpy())
    holes = [shapely.Polygon(ring) for part in country.geoms for ring in part.interiors]
    assert len(holes) == 1
    assert holes[0].contains(shapely.Point(88.94, 26.30))


def test_state_outlines_do_not_overlap_and_have_the_published_size(states):
    flat = states.to_crs(EQUAL_AREA_CRS).set_index("state")
    assert flat.area.sum() == pytest.approx(flat.union_all().area, rel=1e-7)
    for state, area_km2 in PUBLISHED_AREA_KM2.items():
        assert flat.area[state] / 1e6 == pytest.approx(area_km2, rel=0.005), state
    # 3,287,263 km2 is the area the Government of India gives for the country.
    assert flat.area.sum() / 1e6 == pytest.approx(3_287_263, rel=0.01)


def test_well_known_places_lie_in_their_districts(districts):
    shapes = districts.set_index("district_id").geometry
    wrong = [key for key, point in TOWNS.items() if not shapes[key].contains(shapely.Point(point))]
    assert wrong == []


def test_representative_points_lie_in_their_districts(districts):
    inside = shapely.contains_xy(districts.geometry.to_numpy(), districts["lon"], districts["lat"])
    assert districts.loc[~inside, "district_id"].tolist() == []


def test_keys_are_slugs_of_state_and_name(districts):
    assert districts["district_id"].str.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+").all()
    assert districts["district_id"].is_unique
    expected = [district_id(*pair) for pair in zip(districts["state"], districts["district"], strict=True)]
    assert districts["district_id"].tolist() == expected


def test_names_that_repeat_are_in_the_right_states(districts):
    home = districts.groupby("district")["state"].apply(set)
    assert home["Bilaspur"] == {"Himachal Pradesh", "Chhattisgarh"}
    assert home["Balrampur"] == {"Uttar Pradesh", "Chhattisgarh"}
    assert home["Hamirpur"] == {"Uttar Pradesh", "Himachal Pradesh"}
    assert home["Pratapgarh"] == {"Uttar Pradesh", "Rajasthan"}
    assert home["Aurangabad"] == {"Bihar"}  # that of Maharashtra is now Chhatrapati Sambhajinagar


def test_every_state_and_district_has_a_hindi_name_of_its_own(districts, states):
    for names in (districts["district_hi"], states["state_hi"]):
        assert names.str.fullmatch(r"[\u0900-\u097f]+(?:[ .-]+[\u0900-\u097f]+)*").all()
        assert (names == names.map(lambda name: unicodedata.normalize("NFC", name))).all()
    assert not districts.duplicated(["state", "district_hi"]).any()
    assert not states.duplicated("state_hi").any()
    hindi = districts.set_index("district_id")["district_hi"]
    assert hindi["gujarat/surat"] == "सूरत"
    assert hindi["nagaland/mon"] == "मोन"


def test_names_typed_by_hand_are_in_the_pack_and_say_where_they_come_from(districts, states):
    own = pd.read_csv(PACK / "names_hi.csv", dtype=str, keep_default_na=False)
    built = pd.concat([
        districts[["state", "district", "district_hi"]].rename(columns={"district_hi": "name"}),
        states[["state", "state_hi"]].rename(columns={"state_hi": "name"}).assign(district=""),
    ])  # fmt: skip
    both = own.merge(built, on=["state", "district"], how="left", validate="one_to_one")
    assert both["name_hi"].tolist() == both["name"].tolist()
    assert own["source"].str.contains("not checked").all()


def test_a_hand_typed_name_of_no_district_is_refused():
    places = pd.DataFrame({"state": ["A", "A"], "district": ["x", "y"]})
    found = pd.Series(["क", None])
    own = pd.DataFrame({"state": ["A", "A"], "district": ["y", ""], "name_hi": ["ख", "ग"], "source": "test"})
    assert own_names(places, found, own).tolist() == ["क", "ख"]
    with pytest.raises(InputError, match="'z' of A"):
        own_names(places, found, own.assign(district=["z", ""]))


def test_files_are_small():
    assert (PACK / "districts.parquet").stat().st_size < 3.5e6
    assert (PACK / "states.parquet").stat().st_size < 1e6


def test_every_alias_leads_to_a_district(districts):
    aliases = load_aliases(PACK / "district_aliases.csv")
    known = set(zip(districts["state"], districts["district"], strict=True))
    assert [pair for pair in zip(aliases["state"], aliases["district"], strict=True) if pair not in known] == []


# Names


def test_state_spellings_of_all_sources_meet():
    assert canonical_state("JAMMU AND KASHMIR") == "Jammu and Kashmir"
    assert canonical_state("Andaman & Nicobar") == "Andaman and Nicobar Islands"
    assert canonical_state("Jammu & Kashmir") == "Jammu and Kashmir"
    assert canonical_state("DADRA & NAGAR HAVELI & DAMAN & DIU") == canonical_state("DADRA,NH,DAMAN,DIU")
    assert canonical_state("THE DADRA AND NAGAR HAVELI AND DAMAN AND DIU") == canonical_state("DADRA,NH,DAMAN,DIU")
    assert title_case("JANJGIR-CHAMPA") == "Janjgir-Champa"


def test_aliases_are_looked_up_within_the_state_and_source():
    aliases = pd.DataFrame(
        {
            "state": ["Maharashtra"],
            "name_in_source": ["AURANGABAD"],
            "district": ["Chhatrapati Sambhajinagar"],
            "source_table": ["exports"],
            "note": [""],
        }
    )
    states = pd.Series(["Maharashtra", "Bihar"])
    names = pd.Series(["Aurangabad", "AURANGABAD"])
    here = resolve_names(states, names, aliases, "exports")
    assert here.tolist() == ["Chhatrapati Sambhajinagar", "Aurangabad"]
    assert resolve_names(states, names, aliases, "post_offices").tolist() == ["Aurangabad", "Aurangabad"]


# The loader


def write(districts: gpd.GeoDataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "districts.parquet"
    districts.to_parquet(path)
    return path


def test_a_good_table_comes_back_as_it_was(districts, tmp_path):
    few = districts.head(5)
    again = load_districts(write(few, tmp_path))
    assert again["district_id"].tolist() == few["district_id"].tolist()
    assert shapely.equals(again.geometry.to_numpy(), few.geometry.to_numpy()).all()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("lon", np.nan, "not a position"),
        ("lat", 60.0, "outside"),
        ("population_weight", -1.0, "population_weight is -1.0"),
        ("population_weight", np.nan, "population_weight is nan"),
        ("district", "", "district is blank"),
        ("geometry", shapely.Polygon(), "geometry is empty"),
        ("geometry", shapely.Point(77, 20), "geometry is a Point"),
        ("geometry", shapely.Polygon([(77, 20), (78, 21), (78, 20), (77, 21)]), "polygon is not valid"),
    ],
)
def test_a_bad_cell_is_named_with_file_and_row(districts, tmp_path, column, value, message):
    bad = districts.head(4).copy()
    bad.loc[2, column] = value
    path = write(bad, tmp_path)
    with pytest.raises(InputError) as error:
        load_districts(path)
    assert len(error.value.problems) == 1
    assert message in error.value.problems[0]
    assert f"{path}: row 3: " in error.value.problems[0]
    assert (error.value.faults[0].row, error.value.faults[0].column) == (3, column if column != "lat" else "lon")


def test_all_faults_are_named_at_once(districts, tmp_path):
    bad = districts.head(6).copy()
    bad.loc[0, ["lon", "lat"]] = bad.loc[0, ["lat", "lon"]].to_numpy()
    bad.loc[2, ["state", "district", "district_id"]] = bad.loc[1, ["state", "district", "district_id"]].to_numpy()
    bad.loc[4, "lat"] = np.nan
    with pytest.raises(InputError) as error:
        load_districts(write(bad, tmp_path))
    text = str(error.value)
    assert "swapped" in text
    assert "appears twice" in text
    assert "not a position" in text


def test_a_missing_column_or_file_is_named(districts, tmp_path):
    with pytest.raises(InputError, match="column 'population_weight' is missing"):
        load_districts(write(districts.head(2).drop(columns="population_weight"), tmp_path))
    with pytest.raises(InputError, match="no such file"):
        load_districts(tmp_path / "nothing.parquet")
    (tmp_path / "text.parquet").write_text("not a map")
    with pytest.raises(InputError, match="cannot be read"):
        load_districts(tmp_path / "text.parquet")

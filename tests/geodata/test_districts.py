"""District map of the India pack: names, coverage, figures; the loader's complaints; map drawing."""

import json
import unicodedata
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.stats import spearmanr

from geodata.build_district_map import clean, draw_districts, holdout_accuracy, locate
from geodata.districts import (
    EQUAL_AREA_CRS,
    METRIC_CRS,
    canonical_state,
    district_id,
    load_aliases,
    load_districts,
    load_states,
    resolve_names,
    title_case,
)
from geodata.errors import InputError
from geodata.make_india.districts import CENSUS_2011, own_names

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
# Persons, Census of India 2011, districts whose limits have not changed since.
CENSUS_DISTRICTS = {
    "bihar/patna": 5_838_465,
    "bihar/araria": 2_811_569,
    "bihar/sheohar": 656_246,
    "gujarat/surat": 6_081_322,
    "gujarat/dang": 228_291,
    "gujarat/kachchh": 2_092_371,
    "goa/south-goa": 640_537,
    "himachal-pradesh/kinnaur": 84_121,
    "himachal-pradesh/kangra": 1_510_075,
    "jharkhand/lohardaga": 461_790,
    "karnataka/bengaluru-urban": 9_621_551,
    "karnataka/kodagu": 554_519,
    "kerala/malappuram": 4_112_920,
    "kerala/wayanad": 817_420,
    "ladakh/leh": 133_487,
    "maharashtra/pune": 9_429_408,
    "maharashtra/mumbai-suburban": 9_356_962,
    "maharashtra/sindhudurg": 849_651,
    "odisha/ganjam": 3_529_031,
    "rajasthan/jaisalmer": 669_919,
    "tamil-nadu/nilgiris": 735_394,
    "uttar-pradesh/lucknow": 4_589_838,
    "uttar-pradesh/mahoba": 875_958,
    "uttarakhand/dehradun": 1_696_694,
    "west-bengal/murshidabad": 7_103_807,
    "west-bengal/north-24-parganas": 10_009_781,
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
    "puducherry/mahe": (75.54, 11.70),
    "puducherry/yanam": (82.21, 16.73),
    "puducherry/karaikal": (79.83, 10.93),
    "ladakh/leh": (79.5, 35.0),
    "ladakh/kargil": (76.13, 34.56),
    "andaman-and-nicobar-islands/south-andaman": (92.73, 11.65),
    "lakshadweep/lakshadweep": (72.64, 10.56),
}


@pytest.fixture(scope="module")
def districts() -> gpd.GeoDataFrame:
    return load_districts(PACK / "districts.parquet")


@pytest.fixture(scope="module")
def states() -> gpd.GeoDataFrame:
    return load_states(PACK / "states.parquet")


def test_the_pack_has_every_state_and_union_territory(districts, states):
    assert set(states["state"]) == set(CENSUS_2011)
    assert set(districts["state"]) == set(CENSUS_2011)


def test_outline_follows_the_survey_of_india(states):
    country = states.union_all()
    for lon, lat in [(79.5, 35.0), (73.47, 34.37), (91.87, 27.59)]:
        assert country.contains(shapely.Point(lon, lat)), (lon, lat)


def test_districts_neither_overlap_nor_leave_gaps(districts, states):
    assert shapely.coverage_is_valid(districts.geometry.to_numpy())
    flat = districts.to_crs(EQUAL_AREA_CRS)
    country = flat.union_all()
    assert flat.area.sum() == pytest.approx(country.area, rel=1e-7)
    assert sum(len(part.interiors) for part in country.geoms) == 0
    outline = states.to_crs(EQUAL_AREA_CRS).set_index("state").geometry
    for state, parts in flat.groupby("state"):
        difference = parts.union_all().symmetric_difference(outline[state]).area
        assert difference < 1e-6 * outline[state].area, state


def test_state_outlines_do_not_overlap_and_have_the_published_size(states):
    flat = states.to_crs(EQUAL_AREA_CRS).set_index("state")
    assert flat.area.sum() == pytest.approx(flat.union_all().area, rel=1e-7)
    for state, area_km2 in PUBLISHED_AREA_KM2.items():
        assert flat.area[state] / 1e6 == pytest.approx(area_km2, rel=0.02), state
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


def test_population_adds_up_to_the_census_and_ranks_districts_as_it_does(districts):
    assert sum(CENSUS_2011.values()) == 1_210_854_977  # Census of India 2011, final total
    by_state = districts.groupby("state")["population_weight"].sum()
    for state, persons in CENSUS_2011.items():
        assert by_state[state] == pytest.approx(persons, rel=1e-3), state
    ours = districts.set_index("district_id")["population_weight"].loc[list(CENSUS_DISTRICTS)]
    census = pd.Series(CENSUS_DISTRICTS)
    assert spearmanr(ours, census).statistic > 0.9
    assert (ours / census).median() == pytest.approx(1, abs=0.2)


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


def test_the_map_is_right_for_at_least_88_percent_of_held_out_post_offices():
    figures = json.loads((PACK / "manifest.json").read_text(encoding="utf-8"))["figures"]["districts"]
    assert figures["holdout_accuracy"] >= 0.88
    assert figures["holdout_accuracy_new_positions"] >= 0.88
    assert figures["holdout_offices"] > 25_000


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
    assert f"{path}, row 3" in error.value.problems[0]


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


# Drawing a map: two square states of 200 km, each cut into a west and an east district along a meridian


@pytest.fixture(scope="module")
def outlines() -> gpd.GeoDataFrame:
    west, east = (
        shapely.box(3_900_000, 3_900_000, 4_100_000, 4_100_000),
        shapely.box(4_100_000, 3_900_000, 4_300_000, 4_100_000),
    )
    return gpd.GeoDataFrame({"state": ["Left", "Right"]}, geometry=[west, east], crs=METRIC_CRS)


def make_offices(outlines: gpd.GeoDataFrame, mislabelled: float) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    x, y = rng.uniform(3_900_000, 4_300_000, 4000), rng.uniform(3_900_000, 4_100_000, 4000)
    points = gpd.GeoSeries.from_xy(x, y, crs=METRIC_CRS).to_crs(4326)
    east = (x - 3_900_000) % 200_000 > 100_000
    east = east ^ (rng.random(4000) < mislabelled)
    return pd.DataFrame(
        {
            "state": np.where(x < 4_100_000, "Left", "Right"),
            "district": np.where(east, "East", "West"),
            "branch": True,
            "lon": points.x,
            "lat": points.y,
        }
    )


def test_regions_fill_the_outlines_and_find_the_border(outlines):
    districts = draw_districts(clean(locate(make_offices(outlines, 0.05), outlines)), outlines).to_crs(METRIC_CRS)
    assert len(districts) == 4
    assert districts.area.sum() == pytest.approx(outlines.area.sum(), rel=1e-3)
    truth = shapely.box(3_900_000, 3_900_000, 4_000_000, 4_100_000)
    drawn = districts.set_index(["state", "district"]).geometry["Left", "West"]
    assert drawn.intersection(truth).area / drawn.union(truth).area > 0.95


def test_overlapping_and_gaping_outlines_become_a_partition():
    outlines = gpd.GeoDataFrame(
        {"state": ["Left", "Right"]},
        geometry=[
            shapely.box(3_900_000, 3_900_000, 4_101_000, 4_100_000),
            shapely.box(4_100_000, 3_900_000, 4_300_000, 4_100_000).difference(
                shapely.box(4_200_000, 4_000_000, 4_203_000, 4_003_000)
            ),
        ],
        crs=METRIC_CRS,
    )
    districts = draw_districts(clean(locate(make_offices(outlines, 0.0), outlines)), outlines)
    assert shapely.coverage_is_valid(districts.geometry.to_numpy())
    whole = districts.to_crs(METRIC_CRS).union_all()
    assert whole.area == pytest.approx(400_000 * 200_000, rel=1e-3)
    assert sum(len(part.interiors) for part in shapely.get_parts(whole)) == 0


def test_holdout_counts_every_office_inside_its_state_whatever_its_label(outlines):
    clear = holdout_accuracy(locate(make_offices(outlines, 0.0), outlines), outlines)
    assert clear["holdout_offices"] == pytest.approx(800, abs=5)
    assert clear["holdout_accuracy"] > 0.97
    # One label in ten is wrong and cannot be right on any clean map: cleaning must not hide it.
    noisy = holdout_accuracy(locate(make_offices(outlines, 0.1), outlines), outlines)
    assert noisy["holdout_offices"] == clear["holdout_offices"]
    assert 0.85 < noisy["holdout_accuracy"] < 0.92


def test_offices_outside_their_own_state_are_neither_used_nor_tested(outlines):
    offices = make_offices(outlines, 0.0)
    offices.loc[offices["state"] == "Left", "state"] = np.where(
        np.arange((offices["state"] == "Left").sum()) < 500, "Right", "Left"
    )
    located = locate(offices, outlines)
    assert (~located["in_own_state"]).sum() == pytest.approx(500, abs=2)
    assert clean(located)["near_own_state"].all()

"""A name in a table means a district by code, by alias or as it stands; what it may mean is said, never taken."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geodata.errors import InputError
from geodata.ingest.names import DistrictNames, district_names, name_key, same_codes
from geodata.ingest.placing import place_rows


def districts(*rows: tuple[str, str, int | None, shapely.Geometry]) -> gpd.GeoDataFrame:
    table = pd.DataFrame(rows, columns=["state", "district", "lgd_code", "geometry"])
    keys = [name_key(*pair) for pair in zip(table["state"], table["district"], strict=True)]
    return gpd.GeoDataFrame(table.assign(district_id=keys).astype({"lgd_code": "Int64"}), crs=4326)


WEST, MIDDLE, EAST = shapely.box(74, 15, 75, 16), shapely.box(75, 15, 76, 16), shapely.box(76, 15, 77, 16)
PACK = districts(("Goa", "Ahmednagar", 466, WEST), ("Goa", "Pune", 490, MIDDLE), ("Goa", "Kadapa", 504, EAST))


def found(names: DistrictNames, *keys: str) -> list[str | None]:
    return [None if pd.isna(key) else key for key in names.find(pd.Series(keys))]


@pytest.mark.parametrize(
    ("a", "b"),
    [("Dadra & Nagar Haveli", "DADRA AND  NAGAR HAVELI"), ("Udalguri_x000D_\n", "udalguri"), ("Pérnem ", "Pernem")],
)
def test_names_that_differ_in_spelling_only_are_one(a, b):
    assert name_key("Goa", a) == name_key("GOA", b)


def test_names_without_latin_letters_are_told_apart_and_found_in_hindi():
    assert name_key("Goa", "पुणे") != name_key("Goa", "नागपुर")
    names = DistrictNames(PACK.assign(district_hi=["अहमदनगर", "पुणे", None]))
    assert found(names, name_key("Goa", "पु\u200dणे")) == ["goa/pune"]


def test_a_district_of_another_name_is_found_by_its_code():
    ours = districts(("Goa", "Ahilyanagar", 466, WEST), ("Goa", "Pune", 490, MIDDLE), ("Goa", "Kadapa", 504, EAST))
    names = district_names(ours, fallback=PACK)
    assert found(names, "goa/ahmednagar", "goa/pune") == ["goa/ahilyanagar", "goa/pune"]
    assert names.lies_on == {}


def test_an_alias_of_the_user_comes_before_a_name_that_there_is():
    """The table's Pune is what is Ahmednagar here, and its Kadapa is to be left out."""
    aliases = pd.DataFrame({"state": "Goa", "name_in_source": ["PUNE", "Kadapa"], "district": ["Ahmednagar", ""]})
    assert found(district_names(PACK, aliases), "goa/pune", "goa/kadapa") == ["goa/ahmednagar", None]


def test_codes_of_another_list_are_not_believed():
    """In the census list 466 means another district; names that agree show that the lists differ."""
    ours = districts(("Goa", "Yawatmal", 466, WEST), ("Goa", "Pune", 521, MIDDLE), ("Goa", "Kadapa", 548, EAST))
    assert same_codes(ours, PACK) == {}
    assert found(district_names(ours, fallback=PACK), "goa/ahmednagar") == [None]


def test_polygons_that_overlap_are_suggested_never_taken():
    ours = districts(("Goa", "North", None, WEST), ("Goa", "Pune", 490, MIDDLE), ("Goa", "Kadapa", 504, EAST))
    names = district_names(ours, fallback=PACK)
    assert found(names, "goa/ahmednagar") == [None]
    assert names.lies_on == {"goa/ahmednagar": [("goa/north", "Goa/North (covers 100% of it)")]}
    assert names.near("Goa", "Ahmednagar")[1][0] == "Goa/North (covers 100% of it)"


def test_a_district_that_went_to_another_state_is_suggested_with_its_state():
    """Tables from before 2014 have Hyderabad in Andhra Pradesh."""
    ours = districts(("Andhra Pradesh", "Guntur", 1, WEST), ("Telangana", "Hyderabad", 2, EAST))
    assert district_names(ours).near("Andhra Pradesh", "HYDERABAD")[1][0] == "Telangana/Hyderabad"


def test_a_code_in_an_export_table_comes_first_and_must_not_disagree_with_the_name():
    raw = pd.DataFrame(
        {"state": "Goa", "district": ["Ahilyanagar", "Pune"], "lgd_code": [466.0, 490.0], "x": [1.0, 2.0]}
    )
    names = DistrictNames(PACK)
    placed = place_rows(raw, names, ["x"], source="t.csv")
    assert placed.table["district_id"].tolist() == ["goa/ahmednagar", "goa/pune"] and placed.unplaced.empty
    with pytest.raises(InputError, match=r"t.csv: row 1: code 504 is goa/kadapa, but 'Pune' is goa/pune; correct one"):
        place_rows(raw.assign(lgd_code=[466.0, 504.0]), names, ["x"], source="t.csv")

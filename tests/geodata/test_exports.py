"""Exports: every dollar placed or listed, tonnes by class, concentration, potential, bad tables."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.districts import load_aliases, load_districts
from geodata.errors import InputError
from geodata.exports import (
    CARGO_CLASSES,
    check_sectors,
    concentration,
    load_exports,
    load_sectors,
    place_exports,
    tonnes_by_class,
    under_utilised,
)
from geodata.make_india.agriculture import load_agriculture, split_agriculture
from geodata.make_india.districts import write_counted_with

ROOT = Path(__file__).parents[2]
PACK = ROOT / "geodata" / "india"
FACTS = ROOT.parent / "shared" / "facts" / "district_exports_fy2025.csv"
needs_facts = pytest.mark.skipif(not FACTS.is_file(), reason="the source table of the exports is not here")


@pytest.fixture(scope="module")
def districts():
    return load_districts(PACK / "districts.parquet")


@pytest.fixture(scope="module")
def sectors():
    return load_sectors(PACK / "sectors.csv")


@pytest.fixture(scope="module")
def exports(districts, sectors):
    return load_exports(PACK / "exports.csv", districts, sectors)


@pytest.fixture(scope="module")
def unplaced():
    return pd.read_csv(PACK / "exports_unplaced.csv")


@pytest.fixture
def published():
    """The export table as published, in US$ million."""
    raw = pd.read_csv(FACTS)
    values = raw.drop(columns=["state", "district", "export_usd_thousand"]) / 1000
    values.columns = [column.replace("_thousand", "_million") for column in values.columns]
    return raw[["state", "district"]].join(values)


def value_usd_million(exports):
    return exports.filter(like="_usd_million").sum(axis=1)


# The pack


def test_every_dollar_is_placed_or_listed(exports, unplaced):
    total = value_usd_million(exports).sum() + unplaced["export_usd_million"].sum()
    # US$ 437.66 bn: India's merchandise exports, April 2024 to March 2025 (DGCI&S).
    assert total == pytest.approx(437_660, abs=10)
    assert unplaced["reason"].str.len().min() > 10
    figures = json.loads((PACK / "manifest.json").read_text(encoding="utf-8"))["figures"]["districts"]
    assert figures["exports_placed_usd_million"] == pytest.approx(value_usd_million(exports).sum(), abs=0.01)
    assert figures["exports_unplaced_usd_million"] == pytest.approx(unplaced["export_usd_million"].sum(), abs=0.01)


@needs_facts
def test_placing_the_published_table_gives_the_pack_to_the_dollar_rounding(published, districts, exports, unplaced):
    aliases = load_aliases(PACK / "district_aliases.csv")
    whole, listed = place_exports(published, districts, aliases, "exports_fy2025")
    placed = split_agriculture(whole, load_agriculture())
    own = exports[exports["counted_with"] == ""].drop(columns="counted_with").reset_index(drop=True)
    pd.testing.assert_frame_equal(placed[own.columns], own, atol=1e-3, rtol=0)
    assert listed[["state", "district"]].values.tolist() == unplaced[["state", "district"]].values.tolist()
    total = value_usd_million(published).sum()
    assert value_usd_million(exports).sum() + unplaced["export_usd_million"].sum() == pytest.approx(total, abs=0.01)


@needs_facts
def test_only_unspecified_rows_and_one_ambiguous_name_are_not_placed(published, unplaced):
    named = unplaced[unplaced["district"] != "UNSPECIFIED"]
    assert named[["state", "district"]].values.tolist() == [["Haryana", "SOUTH"]]
    assert (published["district"] == "UNSPECIFIED").sum() == len(unplaced) - 1


@needs_facts
def test_nearly_all_value_of_named_districts_is_on_a_district_with_a_code(published, districts, exports):
    coded = exports.merge(districts[["district_id", "lgd_code"]], on="district_id").dropna(subset="lgd_code")
    named = value_usd_million(published[published["district"] != "UNSPECIFIED"]).sum()
    assert value_usd_million(coded).sum() / named > 0.9999


def test_districts_younger_than_the_table_are_counted_with_the_one_they_were_cut_from(exports):
    counted_with = exports.set_index("district_id")["counted_with"]
    assert counted_with["andhra-pradesh/ntr"] == "andhra-pradesh/krishna"
    assert counted_with["tamil-nadu/ranipet"] == "tamil-nadu/vellore"
    assert counted_with["rajasthan/balotra"] == "rajasthan/barmer"
    assert counted_with["tamil-nadu/chengalpattu"] == ""  # the table names it, though it was formed in 2019
    assert "chhattisgarh/sukma" not in counted_with  # formed in 2012, and the table names others of that year: 0
    assert (counted_with != "").sum() == 42
    young = exports[exports["counted_with"] != ""]
    assert value_usd_million(young).sum() == 0
    value = value_usd_million(exports.set_index("district_id"))
    assert (value[young["counted_with"]] > 0).all()


@needs_facts
def test_state_totals_survive_the_placing(published, exports, unplaced):
    raw = value_usd_million(published).groupby(published["state"].str.casefold()).sum()
    ours = value_usd_million(exports).groupby(exports["state"].str.casefold()).sum()
    rest = unplaced.groupby(unplaced["state"].str.casefold())["export_usd_million"].sum()
    both = ours.add(rest, fill_value=0)
    for state in ("gujarat", "maharashtra", "tamil nadu", "uttar pradesh", "andhra pradesh", "sikkim"):
        assert both[state] == pytest.approx(raw[state], abs=0.01), state


def test_repeated_names_carry_their_own_exports(exports):
    value = value_usd_million(exports.set_index("district_id"))
    # Aurangabad of Maharashtra is an industrial city, that of Bihar a farming district.
    assert value["maharashtra/chhatrapati-sambhajinagar"] > 100 * value["bihar/aurangabad"]
    for name in ("balrampur", "bilaspur"):
        assert (value.index.str.endswith("/" + name)).sum() == 2


def test_jamnagar_leads_because_of_its_refineries(exports):
    leader = exports.loc[value_usd_million(exports).idxmax()]
    assert leader["district_id"] == "gujarat/jamnagar"
    assert leader["mineral_products_usd_million"] / value_usd_million(exports).max() > 0.8


def test_concentration_agrees_with_a_plain_count(exports):
    ranked = sorted(value_usd_million(exports), reverse=True)
    for share in (0.5, 0.75):
        total, count = 0.0, 0
        while total < share * sum(ranked):
            total += ranked[count]
            count += 1
        assert concentration(value_usd_million(exports), share) == count
    # The study behind this project counts 18 and 50 on other figures; the order of magnitude must agree.
    assert 15 <= concentration(value_usd_million(exports), 0.5) <= 25
    assert 45 <= concentration(value_usd_million(exports), 0.75) <= 60


def test_surface_cargo_is_about_105_million_tonnes_without_refinery_products(exports, sectors):
    """Some 7.5 million TEU at 14 t if all of it were boxed."""
    tonnes = tonnes_by_class(exports, sectors)
    assert tonnes[["general", "perishable", "air_only"]].sum().sum() / 1e6 == pytest.approx(105, abs=10)
    values = tonnes[[f"value_usd_{name}" for name in CARGO_CLASSES]].sum(axis=1)
    assert values.sum() == pytest.approx(value_usd_million(exports).sum() * 1e6)


# Tonnes


def small_tables():
    sectors = pd.DataFrame(
        {
            "value_usd_per_t": [1000.0, 50_000.0, 500.0, 700.0],
            "cargo_class": ["general", "general", "perishable", "port_bulk"],
            "air_share_of_value": [0.0, 0.5, 0.1, 0.0],
            "part_load_propensity": [0.1, 0.6, 0.4, 0.0],
            "frozen_share": 0.0,
        },
        index=pd.Index(["metals", "phones", "fruit", "oil"], name="sector"),
    )
    exports = pd.DataFrame(
        {
            "district_id": ["a/one", "a/two"],
            "state": "A",
            "district": ["One", "Two"],
            "metals_usd_million": [1.0, 0.0],
            "phones_usd_million": [10.0, 0.0],
            "fruit_usd_million": [0.0, 5.0],
            "oil_usd_million": [0.0, 7.0],
        }
    )
    return exports, sectors


def test_the_air_part_of_a_sector_flies_and_the_rest_keeps_its_class():
    exports, sectors = small_tables()
    tonnes = tonnes_by_class(exports, sectors)
    assert tonnes.loc["a/one", list(CARGO_CLASSES)].tolist() == pytest.approx([1000 + 100, 0, 100, 0])
    assert tonnes.loc["a/two", list(CARGO_CLASSES)].tolist() == pytest.approx([0, 9000, 1000, 10_000])
    assert tonnes.loc["a/one", "value_usd_air_only"] == pytest.approx(5e6)
    assert tonnes.loc["a/two", "value_usd_perishable"] == pytest.approx(4.5e6)


def test_sectors_are_inclined_to_part_loads_by_tonnes_and_by_value():
    """1,000 t of metals a tenth, 100 t of phones on the surface (US$ 5 million) 0.6."""
    tonnes = tonnes_by_class(*small_tables())
    assert tonnes.loc["a/one", "part_t_general"] == pytest.approx(0.1 * 1000 + 0.6 * 100)
    assert tonnes.loc["a/one", "part_usd_general"] == pytest.approx(0.1 * 1e6 + 0.6 * 5e6)
    assert tonnes.loc["a/two", "part_t_perishable"] == pytest.approx(0.4 * 9000)


def test_what_travels_frozen_is_told_of_the_value_and_of_part_loads():
    """A third of the fruit, of which US$ 4.5 million stay on the surface, and 0.4 of that in part loads."""
    exports, sectors = small_tables()
    sectors.loc["fruit", "frozen_share"] = 1 / 3
    tonnes = tonnes_by_class(exports, sectors)
    assert tonnes.loc["a/two", "frozen_usd_perishable"] == pytest.approx(1.5e6)
    assert tonnes.loc["a/two", "frozen_part_usd_perishable"] == pytest.approx(0.4 * 1.5e6)
    assert (tonnes["frozen_usd_general"] == 0).all()


@pytest.mark.parametrize(("column", "low"), [("part_load_propensity", 0.5), ("value_usd_per_t", 2000.0)])
def test_a_value_outside_its_range_is_refused(column, low):
    _, sectors = small_tables()
    ranges = {f"{key}_{end}": np.nan for key in ("part_load_propensity", "value_usd_per_t") for end in ("low", "high")}
    table = sectors.reset_index().assign(**ranges | {column: 0.1 if low < 1 else 1000.0, f"{column}_low": low})
    with pytest.raises(InputError, match=f"a {column} outside its low and high"):
        check_sectors(table, "sectors.csv")


def test_grain_and_metals_ship_full_and_crafts_and_leather_in_part_loads(sectors):
    propensity = sectors["part_load_propensity"]
    assert propensity[["food_grains", "metals", "chemicals", "mineral_products"]].max() <= 0.15
    assert propensity[["other_manufactures", "leather", "textiles_garments"]].min() >= 0.6
    assert (sectors["part_load_propensity_source"] != "").all()


# Leaders


def test_leaders_make_the_first_share_and_all_others_are_under_utilised():
    values = pd.Series([10.0, 50.0, 0.0, 25.0, 15.0], index=list("abcde"))
    assert under_utilised(values, 0.75).tolist() == [True, False, True, False, True]
    assert concentration(values, 0.75) == 2
    assert concentration(values, 0.76) == 3
    assert concentration(values, 0.0) == 0
    assert concentration(values, 1.0) == 4


def test_districts_without_exports_never_lead():
    assert under_utilised(pd.Series([0.0, 0.0]), 0.75).all()
    assert concentration(pd.Series([], dtype=float), 0.5) == 0


def test_a_share_beyond_one_is_refused():
    with pytest.raises(InputError, match=r"share is 1\.5"):
        concentration(pd.Series([1.0]), 1.5)


# Placing


def test_nothing_is_guessed():
    districts = pd.DataFrame(
        {
            "district_id": ["bihar/aurangabad", "uttar-pradesh/prayagraj"],
            "state": ["Bihar", "Uttar Pradesh"],
            "district": ["Aurangabad", "Prayagraj"],
        }
    )
    aliases = pd.DataFrame(
        {
            "state": ["Uttar Pradesh"],
            "name_in_source": ["ALLAHABAD"],
            "district": ["Prayagraj"],
            "source_table": ["old"],
            "note": ["renamed"],
        }
    )
    raw = pd.DataFrame(
        {
            "state": ["BIHAR", "MAHARASHTRA", "UTTAR PRADESH", "UTTAR PRADESH", "UTTAR PRADESH", "BIHAR"],
            "district": ["AURANGABAD", "AURANGABAD", "ALLAHABAD", "PRAYAGRAJ", "PRAYAGRAJJ", "UNSPECIFIED"],
            "metals_usd_million": [1.0, 2.0, 4.0, 8.0, 16.0, 32.0],
        }
    )
    placed, unplaced = place_exports(raw, districts, aliases, "old")
    assert placed.set_index("district_id")["metals_usd_million"].to_dict() == {
        "bihar/aurangabad": 1.0,
        "uttar-pradesh/prayagraj": 12.0,
    }
    assert unplaced["district"].tolist() == ["UNSPECIFIED", "AURANGABAD", "PRAYAGRAJJ"]
    assert unplaced["export_usd_million"].sum() == 50.0
    assert unplaced["reason"][0] == "the source names no district"


# The loaders


def write_exports(exports, tmp_path):
    path = tmp_path / "exports.csv"
    exports.to_csv(path, index=False)
    return path


def test_all_faults_of_an_export_table_are_named_at_once(exports, districts, sectors, tmp_path):
    bad = exports.head(5).copy()
    bad.loc[0, "auto_usd_million"] = -3.5
    bad.loc[1, "toys_usd_million"] = np.nan
    bad.loc[3, "district_id"] = bad.loc[2, "district_id"]
    path = write_exports(bad, tmp_path)
    with pytest.raises(InputError) as error:
        load_exports(path, districts, sectors)
    problems = error.value.problems
    assert len(problems) == 3
    assert all(str(path) in problem for problem in problems)
    assert any("auto_usd_million" in problem and "-3.5" in problem for problem in problems)
    assert any("toys_usd_million" in problem for problem in problems)
    assert any(bad.loc[2, "district_id"] in problem for problem in problems)


def test_a_row_counted_with_another_has_no_figures_and_the_other_has_some(exports, districts, sectors, tmp_path):
    bad = exports.head(4).copy()
    bad["counted_with"] = ["", bad.loc[0, "district_id"], "bihar/patna", ""]
    bad.loc[1, "auto_usd_million"] = 3.0
    bad.loc[2, [column for column in bad if column.endswith("_usd_million")]] = 0.0
    with pytest.raises(InputError) as error:
        load_exports(write_exports(bad, tmp_path), districts, sectors)
    first, second = sorted(map(str, error.value.problems), key=len)
    assert "is counted with 'bihar/patna', which has no row of its own" in first + second
    assert f"{bad.loc[1, 'district_id']} is counted with another district but has figures of its own" in first + second


def test_the_build_writes_who_is_counted_with_whom(tmp_path):
    districts = pd.DataFrame({
        "district_id": ["a/old", "a/new", "a/early", "a/poor"], "state": "A",
        "district": ["Old", "New", "Early", "Poor"], "lgd_code": [1, 700, 650, 701],
    })  # fmt: skip
    # Early was formed when the table knew its time; Poor was cut from a district that the table does not name.
    parents = pd.DataFrame({"formed": [2022, 2012, 2023], "parents": [[1], [1], [650]]}, index=[700, 650, 701])
    path = tmp_path / "exports.csv"
    path.write_text("district_id,state,district,metals_usd_million\na/old,A,Old,5.25\n")
    for _again in range(2):
        write_counted_with(path, districts, parents)
        table = pd.read_csv(path, keep_default_na=False)
        assert table["district_id"].tolist() == ["a/new", "a/old"]
        assert table["counted_with"].tolist() == ["a/old", ""]
        assert table["metals_usd_million"].tolist() == [0.0, 5.25]


def test_an_unknown_district_is_named(exports, districts, sectors, tmp_path):
    bad = exports.head(2).copy()
    bad.loc[1, "district_id"] = "bihar/atlantis"
    with pytest.raises(InputError, match="bihar/atlantis"):
        load_exports(write_exports(bad, tmp_path), districts, sectors)


def test_missing_and_unknown_columns_are_named(exports, districts, sectors, tmp_path):
    bad = exports.head(2).rename(columns={"auto_usd_million": "cars_usd_million"})
    with pytest.raises(InputError) as error:
        load_exports(write_exports(bad, tmp_path), districts, sectors)
    assert "auto_usd_million" in str(error.value)
    assert "cars_usd_million" in str(error.value)


def test_a_bad_sector_table_is_refused(tmp_path):
    path = tmp_path / "sectors.csv"
    path.write_text(
        "sector,value_usd_per_t,cargo_class,air_share_of_value,source\n"
        "metals,0,general,0,x\nmetals,5,general,0,x\nfruit,900,perishable,1.5,x\n"
    )
    with pytest.raises(InputError) as error:
        load_sectors(path)
    assert len(error.value.problems) == 3
    path.write_text("sector,value_usd_per_t,cargo_class,air_share_of_value,source\nmetals,5,gold,0,x\n")
    with pytest.raises(InputError, match="unknown cargo_class 'gold'"):
        load_sectors(path)


def test_a_sector_table_may_leave_part_loads_to_volume_but_its_range_must_hold_its_value(tmp_path):
    path = tmp_path / "sectors.csv"
    header = "sector,value_usd_per_t,cargo_class,air_share_of_value,source"
    path.write_text(f"{header}\nmetals,5,general,0,x\n")
    assert load_sectors(path)["part_load_propensity"].tolist() == [1.0]
    path.write_text(f"{header},part_load_propensity,part_load_propensity_low\nmetals,5,general,0,x,0.1,0.2\n")
    with pytest.raises(InputError, match="'metals' has a part_load_propensity outside its low and high"):
        load_sectors(path)

"""A government's file of districts, given raw: slivers without a name, missing codes, overlaps, leftovers in names."""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geodata.ingest.area import load_area
from geodata.ingest.build import build_pack
from geodata.pack import open_pack

COLUMNS = 'columns = { state = "STATE_UT", district = "DISTRICT", lgd_code = "DIST_LGD" }'


def titles(quality: dict) -> dict[str, dict]:
    return {finding["title"]: finding for finding in quality["findings"]}


@pytest.fixture
def raw_file(tmp_path, tiny_pack) -> Path:
    """The tiny pack's districts with the faults of the real file.

    D1 is called "D 1 NEW" and D2 "D2_x000D_"; D3 overlaps D2 by a tenth of a degree; D9, which has a customs station,
    is called NINE; D10 has no code; a sliver east of D11 has no name.
    """
    pack = open_pack(tiny_pack).districts
    names = [name.upper() for name in pack["district"]]
    names[1], names[2], names[9] = "D 1 NEW", "D2_x000D_\n", "NINE"
    shapes = list(pack.geometry)
    shapes[3] = shapely.union(shapes[3], shapely.box(78.9, 20, 79, 21))
    codes = [str(100 + k) for k in range(len(pack))]
    codes[10] = "NOT AVAILABLE"
    table = gpd.GeoDataFrame({
        "STATE_UT": ["MADHYA PRADESH"] * len(pack) + [None], "DISTRICT": [*names, None], "DIST_LGD": [*codes, None],
        "REMARKS": [None] * len(pack) + ["DISPUTED (HERE & THERE)"],
    }, geometry=[*shapes, shapely.box(82, 21, 82.01, 22)], crs=4326)  # fmt: skip
    path = tmp_path / "raw.fgb"
    table.to_file(path)
    return path


def build(raw_file: Path, tiny_pack: Path, text: str = "") -> tuple[Path, dict]:
    folder = raw_file.parent
    head = f'[area]\nname = "Raw"\nbounds = [70, 15, 90, 25]\npack = "{tiny_pack}"\n'
    boundaries = f'[boundaries]\nsource = "file"\nfile = "raw.fgb"\n{COLUMNS}\n'
    (folder / "area.toml").write_text(head + boundaries + text)
    return folder / "out", build_pack(load_area(folder / "area.toml"), folder / "out")


def test_a_raw_file_builds_and_every_fault_is_listed(raw_file, tiny_pack):
    out, quality = build(raw_file, tiny_pack)
    pack, told = open_pack(out), titles(quality)
    assert len(pack.districts) == 12 and shapely.coverage_is_valid(pack.districts.geometry.to_numpy())
    assert "D2" in set(pack.districts["district"])
    strip_km2 = gpd.GeoSeries([shapely.box(78.9, 20, 79, 21)], crs=4326).to_crs("ESRI:54034").area.iloc[0] / 1e6
    assert told["Districts that overlapped"]["rows"][0]["km2"] == pytest.approx(strip_km2, rel=1e-3)
    assert "km2" in told["Districts whose borders were made to meet"]["rows"][0]
    (sliver,) = told["Rows without a name that were left out"]["rows"]
    assert sliver["remarks"] == "DISPUTED (HERE & THERE)" and 100 < sliver["km2"] < 125
    assert [row["district"] for row in told["Districts without a code"]["rows"]] == ["D10"]


def test_names_that_no_district_takes_are_told_with_their_value_and_what_lies_there(raw_file, tiny_pack):
    _, quality = build(raw_file, tiny_pack)
    told = titles(quality)
    d1 = open_pack(tiny_pack).exports.set_index("district").filter(like="usd_million").sum(axis=1)["D1"]
    lines = told["Names that are no district of the area"]["lines"]
    assert sorted(line[:2] for line in lines) == ["D1", "D9"]
    suggestion = "Madhya Pradesh/D 1 New (covers 100% of it)"
    assert min(lines) == f"D1, Madhya Pradesh (row 3): US$ {d1:,.1f} million; perhaps {suggestion}"
    stations = told["Customs stations in districts that the area does not have"]
    assert stations["lines"] == ["Pass, in D9, Madhya Pradesh; perhaps Madhya Pradesh/Nine (covers 100% of it)"]


def test_suggestions_that_the_user_takes_count_for_every_layer(raw_file, tiny_pack):
    """Exports and customs stations alike; nothing of it before the user names the table."""
    out, quality = build(raw_file, tiny_pack)
    assert open_pack(out).land_customs.empty and "d-1-new" not in "".join(open_pack(out).exports["district_id"])
    suggested = pd.read_csv(out / "aliases_suggested.csv")
    assert suggested[["name_in_source", "district"]].to_numpy().tolist() == [
        ["D1", "Madhya Pradesh/D 1 New"], ["D9", "Madhya Pradesh/Nine"],
    ]  # fmt: skip
    suggested.to_csv(raw_file.parent / "aliases.csv", index=False)
    out, quality = build(raw_file, tiny_pack, '[exports]\nsource = "pack"\naliases = "aliases.csv"\n')
    pack = open_pack(out)
    assert pack.land_customs["district_id"].tolist() == ["madhya-pradesh/nine"]
    theirs = open_pack(tiny_pack).exports.select_dtypes("number").to_numpy().sum()
    assert pack.exports.select_dtypes("number").to_numpy().sum() == pytest.approx(theirs)
    assert "Names that are no district of the area" not in titles(quality)

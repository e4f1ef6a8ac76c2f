"""A study on the official file of districts, given raw; it runs where the package that ships it is installed."""

from importlib.util import find_spec
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.ingest.area import load_area
from geodata.ingest.build import build_pack
from geodata.pack import open_pack
from siting.model.model import build_model
from siting.plan import make_plan
from siting.study import Study

COLUMNS = 'columns = { state = "STATE_UT", district = "DISTRICT", lgd_code = "DIST_LGD" }'


@pytest.mark.slow
def test_the_official_file_builds_a_national_pack_and_a_study_runs_on_it(tmp_path):
    """As it stands in the package: slivers between states without a name, missing codes, overlaps, odd names."""
    spec = find_spec("adarvmaps")
    if spec is None or spec.origin is None:
        pytest.skip("needs the package adarvmaps")
    file = Path(spec.origin).parent / "data" / "district_boundary_lite.fgb"
    raw = gpd.read_file(file)
    nameless = int(raw["DISTRICT"].isna().sum())
    (tmp_path / "area.toml").write_text(
        f'[area]\nname = "India"\n[boundaries]\nsource = "file"\nfile = "{file}"\n{COLUMNS}\n'
    )
    quality = build_pack(load_area(tmp_path / "area.toml"), tmp_path / "pack")
    pack, told = open_pack(tmp_path / "pack"), {finding["title"]: finding for finding in quality["findings"]}
    assert len(pack.districts) == len(raw) - nameless and pack.districts["state"].nunique() == 36
    assert told["Rows without a name that were left out"]["cases"] == nameless
    assert shapely.coverage_is_valid(np.asarray(pack.districts.geometry.array, dtype=object))
    assert {"Mirpur", "Muzaffarabad"} <= {row["district"] for row in told["Districts without a code"]["rows"]}
    assert not pack.districts["district"].str.contains("_x").any()
    outline = pack.states.union_all()
    for lon, lat in ((79.5, 35.0), (73.47, 34.37), (91.87, 27.59)):
        assert outline.contains(shapely.Point(lon, lat))
    plan = make_plan(build_model(Study(data={"pack": tmp_path / "pack"})))
    assert plan.net_saving_inr_per_year > 0

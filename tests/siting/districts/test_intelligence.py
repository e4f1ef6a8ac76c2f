"""What every result tells of its districts as hubs, and that no result hangs on it."""

import pandas as pd
import pytest

from siting.districts.intelligence import district_intelligence
from siting.intelligence import COLUMNS
from siting.results.read import read_table
from siting.run import write_result


@pytest.fixture(scope="module")
def written(tiny_plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("told")
    assert write_result(tiny_plan, folder, lambda stage: None) == []
    return folder


def test_districts_csv_holds_what_is_told(tiny_plan, written):
    told = district_intelligence(tiny_plan).table
    table = read_table(written / "districts.csv").set_index("district_id")
    assert table.index.tolist() == told.index.tolist()
    for name in COLUMNS:
        for here, there in zip(table[name], told[name], strict=True):
            if pd.isna(there):
                assert pd.isna(here)
            else:
                assert here == (there if isinstance(there, str) else pytest.approx(there, rel=1e-6))


def test_a_lift_is_told_of_districts_below_the_threshold_alone(tiny_plan):
    table = district_intelligence(tiny_plan).table
    assert table["lift_measure"].notna().equals(table["lift_inr_crore"].notna())
    assert (table.loc[table["lift_measure"].notna(), "connectivity_index"] < 100).all()


def test_districts_that_cannot_be_told_cost_no_result(tiny_plan, tmp_path, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("no districts")

    monkeypatch.setattr("siting.run.district_intelligence", broken)
    lost = write_result(tiny_plan, tmp_path, lambda stage: None)
    assert lost == ["districts were not told as hubs (ZeroDivisionError: no districts); the plan is whole"]
    assert "Districts as export hubs" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert read_table(tmp_path / "districts.csv")["connectivity_index"].isna().all()

"""Districts younger than the export table: no cargo of their own, the standing of the district that has it."""

import pandas as pd
import pytest

from geodata.facts import district_facts
from geodata.pack import open_pack
from siting.model.model import build_model
from siting.study import Study


@pytest.fixture
def young(tiny_layers, tmp_path):
    """The tiny study's layers, where D1 is counted with D0 (a leader) and D2 with D3 (which is none)."""
    exports = pd.read_csv(tiny_layers["exports"])
    exports["counted_with"] = ""
    figures = [column for column in exports if column.endswith("_usd_million")]
    for child, parent in ((1, 0), (2, 3)):
        exports.loc[child, figures] = 0.0
        exports.loc[child, "counted_with"] = f"madhya-pradesh/d{parent}"
    path = tmp_path / "exports.csv"
    exports.to_csv(path, index=False)
    return tiny_layers | {"exports": path}


def test_a_young_district_has_the_standing_of_the_one_it_is_counted_with(young):
    demand = build_model(Study(name="Young", budget_inr_crore=60.0, data=young, leader_share=0.3)).demand
    assert demand["counted_with"].tolist()[:4] == ["", "madhya-pradesh/d0", "madhya-pradesh/d3", ""]
    assert demand["under_utilised"].tolist()[:4] == [False, False, True, True]
    assert demand["export_usd"].tolist()[1:3] == [0.0, 0.0]


def test_its_people_count_where_its_exports_do(young):
    potential = {"tonnage_basis": "potential", "potential_percentile": 100}
    demand = build_model(Study(name="Young", budget_inr_crore=60.0, data=young, leader_share=0.3, **potential)).demand
    assert demand["general_t"].tolist()[1:3] == [0.0, 0.0]  # not lifted to a benchmark of its own
    people = district_facts(open_pack(replaced=young)).table["people"]
    assert people["madhya-pradesh/d3"] == 300_000 + 400_000  # D2's and its own

"""`siting profile`: the bundled pack and the tiny one, as text and as JSON; lists; the paper."""

import json

import numpy as np
import pandas as pd
import pytest

from geodata.errors import InputError
from geodata.facts import district_facts
from geodata.pack import open_pack
from siting.cli import build_parser, run_command
from siting.districts.claims import paper_claims
from siting.districts.lists import load_district_list
from siting.districts.paper import paper_tested, paper_text, with_plan


@pytest.fixture(scope="module")
def india():
    return open_pack()


def siting(*argv: object) -> int:
    parser, _ = build_parser()
    return run_command(parser, [str(a) for a in argv])


def test_profile_of_the_bundled_pack_fits_two_screens_and_stands_beside_the_paper(capsys):
    assert siting("profile") == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 75
    assert "nan" not in text and "inf" not in text.split()
    assert "the paper: 18 and 50" in text and "the paper: 49 %" in text


def test_profile_as_json_holds_every_district_and_no_nan(capsys):
    assert siting("profile", "--json") == 0
    told = json.loads(capsys.readouterr().out, parse_constant=lambda text: pytest.fail(text))
    assert len(told["districts"]) == 777
    assert {row["key"] for row in told["paper"]} == set(paper_claims()["key"])


def test_another_area_says_nothing_of_the_paper(capsys, tiny_pack):
    assert siting("profile", "--pack", tiny_pack) == 0
    text = capsys.readouterr().out
    assert text.startswith("Tiny: ")
    assert "paper" not in text


def test_a_list_is_read_by_state_and_name_and_wrong_names_are_told(india, tmp_path):
    file = tmp_path / "scheme.csv"
    file.write_text("state,district\nBIHAR,Araria\nUttar Pradesh,Moradabad\nBihar,Araria\n")
    assert load_district_list(file, india).tolist() == ["bihar/araria", "uttar-pradesh/moradabad"]
    file.write_text("state,district\nBihar,Arariya\n")
    with pytest.raises(
        InputError, match=r"scheme.csv: row 2: no district 'Arariya' in Bihar; did you mean 'bihar/araria'"
    ):
        load_district_list(file, india)


def test_people_of_a_younger_district_count_where_its_exports_do(india):
    facts = district_facts(india)
    young = india.exports[india.exports["counted_with"] != ""]
    assert not facts.table.index.isin(young["district_id"]).any()
    parent = young["counted_with"].iloc[0]
    members = [parent, *young.loc[young["counted_with"] == parent, "district_id"]]
    assert facts.table.loc[parent, "people"] == pytest.approx(india.population.loc[members, "population"].sum())
    assert facts.table["people"].sum() == pytest.approx(india.population["population"].sum())
    assert facts.usd.sum() / 1e6 == pytest.approx(india.exports.filter(like="_usd_million").to_numpy().sum())


def test_a_pack_without_people_at_work_has_their_weights(tiny_pack):
    facts = district_facts(open_pack(tiny_pack))
    assert facts.table["people"].iloc[0] == pytest.approx(1e5)
    assert facts.table["workers_outside_farming"].isna().all()


def test_figures_of_the_paper_are_compared_not_written(india):
    """Shares, ranks and growth of a made-up table; what nothing tests stays empty."""
    facts = district_facts(india)
    facts.table["export_usd"] = np.where(facts.table.index == "gujarat/surat", 85.0, 915.0 / (len(facts.table) - 1))
    history = pd.DataFrame({
        "district_id": ["gujarat/surat"], "fiscal_year": [2023], "months": [6], "value": [2e-5],
        "unit": ["usd_million"],
    })  # fmt: skip
    table = paper_tested(facts, 700, history, 80.0, 2025, {"no_port_access": 0.5}).set_index("key")
    assert table.loc["share_surat", "here"] == pytest.approx(0.085)
    assert table.loc["share_surat", "verdict"] == "agrees"
    assert table.loc["under_utilised", "here"] == len(facts.table) - 700
    assert table.loc["growth_surat", "here"] == pytest.approx((85.0 / 40.0) ** 0.5 - 1)  # twice half a year, two years
    assert table.loc["no_port_access", "verdict"] == "agrees"
    assert table.loc[["growth_rajkot", "hub_cost_cut", "ecommerce_use"], "verdict"].eq("not testable").all()
    told = with_plan(table.reset_index(), 0.11).set_index("key").loc["hub_cost_cut"]
    assert told["here"] == 0.11 and told["verdict"] == "agrees"
    (line,) = [line for line in paper_text(table.reset_index()) if line.startswith("Share of Surat")]
    assert line.split()[-5:] == ["8.5", "%", "8.5", "%", "agrees"]

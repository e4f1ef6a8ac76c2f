"""Files of scenarios: named overrides and a grid, every fault at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.errors import InputError
from siting.scenarios.batch import Batch, batch_of, grid_of, read_batch
from siting.scenarios.variants import Variant
from siting.study import Study


def batch(folder: Path, text: str) -> Batch:
    (folder / "base.toml").write_text('[study]\nname = "Base"\nforced = ["a"]\n[parameters]\ndiscount_rate = 0.08\n')
    (folder / "batch.toml").write_text(text)
    return read_batch(folder / "batch.toml")


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as refused:
        batch(folder, text)
    return refused.value.problems


def test_a_named_scenario_is_the_study_with_its_keys_and_parameters_replaced(tmp_path: Path) -> None:
    found = batch(tmp_path, """
study = "base.toml"
[scenario."cheap credit"]
parameters = { fx_inr_per_usd = 80.0 }
[scenario."without Nhava Sheva"]
closed_gateways = ["INNSA"]
forced = []
""")  # fmt: skip
    first, second = found.scenarios
    assert (first.name, first.study.name, first.folder) == ("cheap credit", "cheap credit", "cheap-credit")
    assert dict(first.study.parameters) == {"discount_rate": 0.08, "fx_inr_per_usd": 80.0}
    assert (first.study.forced, first.study.closed_gateways) == (("a",), ())
    assert (second.study.forced, second.study.closed_gateways) == ((), ("INNSA",))
    assert dict(second.study.parameters) == {"discount_rate": 0.08}
    assert found.base.name == "Base"


def test_every_combination_of_a_grid_is_a_scenario(tmp_path: Path) -> None:
    found = batch(tmp_path, """
study = "base.toml"
[grid]
budget_inr_crore = [500, 1000.0, 1000]
"parameters.discount_rate" = [0.06, 0.1]
""")  # fmt: skip
    asked = [(s.study.budget_inr_crore, s.study.parameters["discount_rate"]) for s in found.scenarios]
    assert asked == [(500, 0.06), (500, 0.1), (1000, 0.06), (1000, 0.1)]
    assert found.scenarios[0].name == "budget_inr_crore = 500, discount_rate = 0.06"
    assert found.scenarios[3].folder == "budget-1000-discount-rate-0.1"


def test_a_grid_takes_lists_and_switches() -> None:
    found, wrong = grid_of({"closed_gateways": [[], ["INNSA"]], "capital_charge": [True, False]}, "test")
    assert not wrong
    assert [variant.changes for variant in found] == [
        {"closed_gateways": gates, "capital_charge": charge} for gates in ((), ("INNSA",)) for charge in (True, False)
    ]
    assert found[1].name == "closed_gateways = none, capital_charge = false"


def test_a_grid_takes_rules(tmp_path: Path) -> None:
    found = batch(tmp_path, """
study = "base.toml"
[grid]
rules = [[], [{ rule = "sites", at_most = 3 }]]
""")  # fmt: skip
    assert [scenario.study.rules for scenario in found.scenarios] == [(), ({"rule": "sites", "at_most": 3},)]


def test_folders_of_like_names_differ() -> None:
    names = ["A b", "a_b", "a  b", "…", "x" * 300]
    made = batch_of(Study(), [Variant(name) for name in names], "test")
    assert [scenario.folder for scenario in made.scenarios] == ["a-b", "a-b-2", "a-b-3", "scenario", "x" * 60]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    told = faults(tmp_path, """
study = "base.toml"
[scenario.one]
bugdet_inr_crore = 5
name = "other"
data = { exports = "x.csv" }
[scenario.two]
parameters = { discount_rat = 0.06 }
[scenario.three]
budget_inr_crore = "much"
[grid]
budget_inr_crore = 5
"parameters.discount_rate" = [0.06, "x"]
""")  # fmt: skip
    expected = [
        "scenario 'one' replaces name", "scenario 'one' replaces data",
        "scenario 'one': unknown key 'bugdet_inr_crore'",
        "scenario 'two': unknown parameter 'discount_rat'; did you mean 'discount_rate'?",
        "scenario 'three': budget_inr_crore = 'much' is not a number", "[grid] budget_inr_crore = '5' is no list",
        "[grid]: parameter discount_rate = 'x' is not a number",
    ]  # fmt: skip
    assert len(told) == len(expected)
    assert all(line.startswith(f"batch.toml: {words}") for line, words in zip(told, expected, strict=True))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[grid]\nseed = [1]", "names no study"),
        ("study = 5\n[grid]\nseed = [1]", "study is not a text; put it in quotes"),
        ('study = "base.toml"', "holds no scenario"),
        ('study = "base.toml"\nscenario = 5', "scenario is not a table"),
        ('study = "base.toml"\n[scenario]\na = 5', "scenario 'a' is no table"),
        ('study = "base.toml"\n[scenario." "]', "a scenario has no name"),
        ('study = "base.toml"\n[scenarios.a]', "unknown table [scenarios]; did you mean 'scenario'?"),
        ('study = "other.toml"\n[grid]\nseed = [1]', "no such study file"),
        ('study = "base.toml"\n[grid]\nseed = [1]\n[scenario."seed = 1"]', "scenario 'seed = 1' is there twice"),
        (f'study = "base.toml"\n[grid]\nseed = {list(range(101))}\ngap = {[k / 1e4 for k in range(100)]}',
         "[grid] makes 10,100 scenarios; leave at most 10,000"),
    ],
)  # fmt: skip
def test_what_a_file_of_scenarios_may_not_be(tmp_path: Path, text: str, said: str) -> None:
    (line,) = faults(tmp_path, text)
    assert said in line


def test_the_scenarios_that_ship_have_no_faults() -> None:
    files = list((Path(__file__).parents[3] / "studies" / "scenarios").glob("*.toml"))
    assert files
    for file in files:
        assert read_batch(file).scenarios

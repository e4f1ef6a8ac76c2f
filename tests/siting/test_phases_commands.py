"""What the commands do with a study in phases: run, show, verify, order; and what they refuse."""

from __future__ import annotations

import json
import shutil

import pytest

from siting.cli import build_parser, run_command

PHASES = """
[[phases]]
name = "soon"
years = 5
budget_inr_crore = 20

[[phases]]
name = "later"
years = 10
budget_inr_crore = 55
demand_growth = 0.8
"""


def siting(*argv: object) -> int:
    return run_command(build_parser()[0], [str(item) for item in argv])


@pytest.fixture(scope="module")
def result(tiny_layers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("phases")
    for path in tiny_layers.values():
        shutil.copy(path, folder / path.name)
    data = "\n".join(f'{name} = "{path.name}"' for name, path in tiny_layers.items())
    parameters = "freight_station_min_teu_per_year = 0\ninland_depot_min_teu_per_year = 0"
    head = '[study]\nname = "Tiny"\ndraws = 0\ncapital_charge = false\n'
    (folder / "p.toml").write_text(f"{head}[parameters]\n{parameters}\n[data]\n{data}\n{PHASES}")
    assert siting("run", folder / "p.toml", "--out", folder / "out") == 0
    return folder


def test_show_and_the_report_tell_the_phases(result, capsys):
    assert siting("show", result / "out") == 0
    printed = capsys.readouterr().out
    assert "Phases          soon" in printed
    assert "opens in" in printed
    report = (result / "out" / "report.html").read_text()
    assert '<h2 id="phases">What opens when</h2>' in report
    assert '<th scope="row">later</th>' in report


def test_the_same_plan_comes_again(result, capsys):
    assert siting("verify", result / "out", "--study", result / "p.toml") == 0
    assert "the same plan" in capsys.readouterr().out


def test_its_sites_are_ordered_under_a_yearly_budget(result, capsys):
    argv = ("order", result / "out", "--study", result / "p.toml", "--per-year", "20")
    assert siting(*argv, "--json") == 0
    order = json.loads(capsys.readouterr().out)
    plan = json.loads((result / "out" / "plan.json").read_text())
    assert sum(row["capex_inr_crore"] for row in order["table"]) == pytest.approx(plan["capex_inr_crore"])
    assert siting(*argv) == 0
    assert "₹20 crore a year" in capsys.readouterr().out.replace("₹20.0", "₹20")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ("why", "out", "mmlp-east"),
            "siting why asks a study without phases; leave [[phases]] out and give budget_inr_crore = 75, run that",
        ),
        (("alternatives", "out"), "siting alternatives asks a study without phases"),
        (("order", "out", "--per-year", "soon"), "--per-year soon is no number above 0"),
        (("order", "out", "--per-year", "0.1"), "take more than 30 years"),
    ],
)
def test_what_makes_no_sense_is_told(result, capsys, argv, message):
    command, folder, *others = argv
    assert siting(command, result / folder, *others, "--study", result / "p.toml") == 2
    assert message in capsys.readouterr().err

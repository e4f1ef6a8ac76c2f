"""A result can be had again, or verify says what changed: a byte of an input, a parameter, a file, a version."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from siting.cli import build_parser, run_command
from siting.scenarios import verify as module


def siting(*argv: object) -> int:
    return run_command(build_parser()[0], [str(each) for each in argv])


@pytest.fixture(autouse=True)
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("siting.run.write_report", lambda *_: None)


@pytest.fixture
def made(tmp_path: Path, tiny_layers: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with a study of its own data and its result ``out``."""
    for path in tiny_layers.values():
        shutil.copy(path, tmp_path / path.name)
    data = "\n".join(f'{name} = "{path.name}"' for name, path in tiny_layers.items())
    study = f'[study]\nname = "Tiny"\nbudget_inr_crore = 60\ncapital_charge = false\n[data]\n{data}\n'
    (tmp_path / "tiny.toml").write_text(study, encoding="utf-8")
    assert siting("run", tmp_path / "tiny.toml", "--out", tmp_path / "out") == 0
    capsys.readouterr()
    return tmp_path


def verified(made: Path, capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, list[str]]:
    code = siting("verify", made / "out", "--study", made / "tiny.toml", *argv)
    return code, capsys.readouterr().out.splitlines()


def test_the_same_plan_is_the_same_byte_for_byte(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = verified(made, capsys)
    assert (code, lines) == (0, [f"{made / 'out'}: the same plan, byte for byte"])
    code, lines = verified(made, capsys, "--json")
    assert json.loads(lines[0]) == {"same": True, "changes": []}


def test_a_run_on_another_day_writes_the_same_plan_file(made: Path) -> None:
    before = (made / "out" / "plan.json").read_bytes()
    assert siting("run", made / "tiny.toml", "--out", made / "out") == 0
    assert (made / "out" / "plan.json").read_bytes() == before
    inputs = json.loads(before)["inputs"]
    assert set(inputs) >= {"exports", "road", "gateways"} and all(len(each) == 64 for each in inputs.values())


def test_a_changed_byte_of_an_input_is_caught(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = made / "exports.csv"
    file.write_bytes(file.read_bytes().replace(b"60.0", b"61.0", 1))
    code, lines = verified(made, capsys)
    assert code == 1
    assert lines[0] == "data: exports (exports.csv) is not what the plan was made from"
    assert any(line.startswith("found anew, plan.json, ") for line in lines)
    assert any(line.startswith("other values: fingerprint, ") for line in lines)


def test_a_byte_that_moves_no_figure_is_caught_too(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (made / "depots.csv").write_bytes((made / "depots.csv").read_bytes() + b"\n")
    code, lines = verified(made, capsys)
    assert code == 1 and lines[0].startswith("data: depots (depots.csv)")
    assert "other values: fingerprint, inputs" in lines


def test_another_parameter_is_caught(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (made / "tiny.toml").open("a", encoding="utf-8") as study:
        study.write("[parameters]\ndiscount_rate = 0.06\n")
    code, lines = verified(made, capsys)
    assert code == 1
    assert lines[0] == "the study file asks otherwise: Discount rate 8 % a year → 6 % a year"


def test_another_plan_is_told_by_its_saving_and_its_sites(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = made / "tiny.toml"
    study.write_text(study.read_text(encoding="utf-8").replace("= 60", "= 15"), encoding="utf-8")
    code, lines = verified(made, capsys)
    assert code == 1
    assert lines[0] == "the study file asks otherwise: Budget ₹60 crore → ₹15 crore"
    assert any(line.startswith("the plan saved ₹") for line in lines)
    assert any(line.startswith("no longer opens ") for line in lines)


def test_an_edited_table_is_caught(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sites = made / "out" / "sites.csv"
    sites.write_text(sites.read_text(encoding="utf-8").replace("warehouse", "Warehouse", 1), encoding="utf-8")
    code, lines = verified(made, capsys)
    assert code == 1 and lines[0] == "sites.csv: is not as siting wrote it"


def test_an_edited_plan_file_is_caught(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = made / "out" / "plan.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["resolved_study"]["budget_inr_crore"] = 40
    file.write_text(json.dumps(content), encoding="utf-8")
    code, lines = verified(made, capsys)
    assert code == 1
    assert "plan.json: its fingerprint is not that of its study, data and version; it was edited" in lines
    assert "plan.json: is not as siting wrote it" in lines


def test_another_version_is_caught(
    made: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (module, "siting.study", "siting.results.tables"):
        monkeypatch.setattr(*((place, "version") if place is module else (f"{place}.version",)), lambda _: "9.9")
    monkeypatch.setattr(module, "solver_name", lambda: "deh-siting, HiGHS 9.9")
    code, lines = verified(made, capsys)
    assert code == 1
    assert any(line.startswith("version: siting was 0.") and line.endswith("and is 9.9") for line in lines)
    assert any(line.startswith("version: solver was deh-siting, PuLP") for line in lines)
    assert "other values: fingerprint, version" in lines


def test_a_result_of_own_data_needs_its_study_file(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert siting("verify", made / "out") == 2
    assert "name the study file that it was made from with --study" in capsys.readouterr().err


def test_draws_are_made_again(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert siting("run", made / "tiny.toml", "--out", made / "out", "--draws", "2") == 0
    capsys.readouterr()
    assert verified(made, capsys)[0] == 0
    assert verified(made, capsys, "--workers", "2")[0] == 0


def test_a_batch_is_verified_plan_by_plan(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = made / "swept"
    assert siting("sweep", made / "tiny.toml", "10", "20", "60", "--out", out) == 0
    capsys.readouterr()
    asked: tuple[Any, ...] = ("verify", out, "--study", made / "tiny.toml")
    assert siting(*asked) == 0
    assert capsys.readouterr().out == f"{out}: the same plan, byte for byte\n"
    sites = out / "budget-60" / "sites.csv"
    sites.write_text(sites.read_text(encoding="utf-8")[:-5], encoding="utf-8")
    assert siting(*asked) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "budget-60/sites.csv: is not as siting wrote it"
    assert lines[1].startswith("budget-60: found anew, sites.csv is not the same")

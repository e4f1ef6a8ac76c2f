"""The command line: one clear error for bad input, nothing half-written; results that read back."""

import json
import os
import resource
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from siting.cli import build_parser, run_command
from siting.run import RESULT_FILES, WHEN_ASKED
from siting.study import read_study

ROOT = Path(__file__).parents[2]


def siting(*argv: object) -> int:
    parser, _ = build_parser()
    return run_command(parser, [str(a) for a in argv])


@pytest.fixture
def study(tmp_path, tiny_layers):
    """A study file on the tiny pack, and a function that writes variants of it."""
    for path in tiny_layers.values():
        shutil.copy(path, tmp_path / path.name)
    data = "\n".join(f'{name} = "{path.name}"' for name, path in tiny_layers.items())

    def write(lines: str = 'name = "Tiny"\nbudget_inr_crore = 60\ncapital_charge = false', more: str = "") -> object:
        file = tmp_path / "tiny.toml"
        file.write_text(f"[study]\n{'draws = 0' * bool(lines)}\n{lines}\n[data]\n{data}\n{more}")
        return file

    write.folder = tmp_path
    write.file = write()
    return write


@pytest.fixture
def no_report(monkeypatch):
    """Leave the report out: for tests of what a run prints and of its tables."""
    monkeypatch.setattr("siting.run.write_report", lambda *_: None)


def refused(capsys, tmp_path, *argv: object) -> str:
    """Run, expect exit code 2 and no result; return the message."""
    before = sorted(p for p in tmp_path.rglob("*"))
    assert siting(*argv) == 2
    assert sorted(p for p in tmp_path.rglob("*")) == before, "something was written"
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert all(line.startswith("error: ") for line in err.strip().splitlines())
    return err


def test_run_writes_all_files_and_says_so_briefly(study, capsys):
    out = study.folder / "out"
    assert siting("run", study(), "--out", out) == 0
    text = capsys.readouterr().out
    assert len(text.strip().splitlines()) <= 25
    assert str(out / "report.html") in text
    names = {p.name for p in out.iterdir()}
    assert names == {
        "plan.json", "sites.csv", "districts.csv", "lanes.csv", "flows.csv", "enabled.csv", "study.gpkg",
        "report.html", "brief.html", "brief.hi.html", "log.txt", ".siting.json",
    }  # fmt: skip


@pytest.mark.usefixtures("no_report")
def test_json_output_is_the_plan_file(study, capsys):
    out = study.folder / "out"
    assert siting("run", study(), "--out", out, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    written = json.loads((out / "plan.json").read_text())
    assert printed == written
    assert siting("show", out, "--json") == 0
    assert json.loads(capsys.readouterr().out) == written


@pytest.mark.usefixtures("no_report")
def test_set_and_budget_replace_the_study(study, capsys):
    out = study.folder / "out"
    siting("run", study(), "--budget", "0", "--set", "discount_rate=0.08", "--out", out, "--json")
    s = json.loads(capsys.readouterr().out)
    assert s["budget_inr_crore"] == 0
    assert s["resolved_study"]["parameters"]["discount_rate"] == 0.08


@pytest.mark.usefixtures("no_report")
def test_set_takes_lists(study, capsys):
    out = study.folder / "out"
    argv = [
        "run",
        study(),
        "--set",
        "facility_types=cold_store",
        "--set",
        "forbidden=madhya-pradesh/d1,madhya-pradesh/d2",
    ]
    assert siting(*argv, "--out", out, "--json") == 0
    resolved = json.loads(capsys.readouterr().out)["resolved_study"]
    assert resolved["facility_types"] == ["cold_store"]
    assert resolved["forbidden"] == ["madhya-pradesh/d1", "madhya-pradesh/d2"]
    assert set(pd.read_csv(out / "sites.csv")["facility_type"]) == {"cold_store"}


@pytest.mark.usefixtures("no_report")
def test_sweep_never_saves_less_with_more_money(study, capsys):
    out = study.folder / "sweep"
    assert siting("sweep", study(), "0", "15 60", "120", "--out", out) == 0
    table = pd.read_csv(out / "scenarios.csv")
    assert table["budget_inr_crore"].tolist() == [0, 15, 60, 120]
    assert table["saving_inr_per_year"].is_monotonic_increasing
    assert table["saving_inr_per_year"].iloc[0] == 0 < table["saving_inr_per_year"].iloc[-1]
    assert (table["capex_inr_crore"] <= table["budget_inr_crore"]).all()
    assert (out / "scenarios.svg").is_file()
    assert (out / "budget-60" / "plan.json").is_file()


@pytest.mark.usefixtures("no_report")
def test_compare_names_what_differs(study, capsys):
    a, b, no_minimum = study.folder / "a", study.folder / "b", ("--set", "freight_station_min_teu_per_year=0")
    siting("run", study(), *no_minimum, "--out", a)
    siting("run", study(), *no_minimum, "--set", "forced=warehouse-small@madhya-pradesh/d2", "--out", b)
    capsys.readouterr()
    assert siting("compare", a, b) == 0
    text = capsys.readouterr().out
    only_b = set(pd.read_csv(b / "sites.csv")["name"]) - set(pd.read_csv(a / "sites.csv")["name"])
    assert only_b and all(name in text for name in only_b)
    assert siting("compare", a, a) == 0
    same = capsys.readouterr().out
    assert "Only in A: no site" in same and "0 districts change" in same


def test_check_finds_no_fault_in_a_good_study(study, capsys):
    assert siting("check", study()) == 0
    assert "no faults" in capsys.readouterr().out


@pytest.mark.usefixtures("no_report")
def test_a_result_is_replaced_by_the_next_but_nothing_else_is(study, capsys):
    out = study.folder / "out"
    assert siting("run", study(), "--out", out) == 0
    assert siting("run", study(), "--out", out) == 0
    (out / "notes.txt").write_text("mine")
    capsys.readouterr()
    assert "holds 'notes.txt', which siting did not write" in refused(
        capsys, study.folder, "run", study(), "--out", out
    )
    assert "'notes.txt'" in refused(capsys, study.folder, "sweep", study(), "5", "--out", out)


@pytest.mark.usefixtures("no_report")
def test_results_and_sweeps_from_before_manifests_are_replaced(study):
    run, swept = study.folder / "run", study.folder / "swept"
    for argv in (["run", study(), "--out", run], ["sweep", study(), "15", "60", "--out", swept]):
        assert siting(*argv) == 0
        (argv[-1] / ".siting.json").unlink()
        assert siting(*argv) == 0


def test_an_existing_folder_with_other_files_is_not_overwritten(study, capsys):
    precious = study.folder / "mine"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")
    err = refused(capsys, study.folder, "run", study(), "--out", precious)
    assert "holds 'thesis.txt'" in err


def test_the_current_folder_is_not_overwritten(study, capsys, monkeypatch):
    monkeypatch.chdir(study.folder)
    assert "is the current folder" in refused(capsys, study.folder, "run", study(), "--out", ".")
    assert "is the current folder" in refused(capsys, study.folder, "run", study(), "--out", "")


def test_a_stop_leaves_nothing(study, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("siting.run.write_report", interrupt)
    before = sorted(study.folder.iterdir())
    assert siting("run", study.file, "--out", study.folder / "new" / "out") == 130
    assert capsys.readouterr().err == "interrupted; no result was written\n"
    assert sorted(study.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("step", "costs"),
    [
        ("write_report", ["report.html"]),
        ("write_geopackage", ["study.gpkg"]),
        ("flow_lines", ["study.gpkg", "report.html"]),
    ],
)
@pytest.mark.parametrize("error", [ZeroDivisionError("no\nwidth"), OSError(28, "No space left"), MemoryError()])
def test_a_drawing_that_fails_costs_the_drawing(study, capsys, monkeypatch, step, costs, error):
    def broken(*_):
        raise error

    monkeypatch.setattr(f"siting.run.{step}", broken)
    out = study.folder / "out"
    assert siting("run", study(), "--out", out) == 0
    told = " ".join(f"{type(error).__name__}: {error}".split())
    notes = [f"{name} was not drawn ({told}); the tables are whole" for name in costs]
    assert capsys.readouterr().err == "".join(f"warning: {note}\n" for note in notes)
    assert all(note in (out / "log.txt").read_text() for note in notes)
    assert {path.name for path in out.iterdir()} == {*RESULT_FILES, ".siting.json"} - {*WHEN_ASKED, *costs}
    assert siting("show", out) == 0


# -- failures that are not the user's: one line, nothing written ----------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        (RuntimeError("the answer failed\nits re-check"), 3, "siting failed (RuntimeError: the answer failed its"),
        (KeyError("x"), 3, "siting failed (KeyError: 'x')"),
        (MemoryError(), 3, "not enough memory"),
        (TimeoutError("no plan found in 5 s; allow more time"), 1, "allow more time"),
        (OSError(28, "No space left on device", "/x/lanes.csv"), 2, "/x/lanes.csv: No space left on device; free"),
    ],
)
def test_a_failure_is_one_line_and_leaves_nothing(study, capsys, monkeypatch, error, code, expected):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("siting.run.make_plan", fail)
    before = sorted(study.folder.iterdir())
    assert siting("run", study.file, "--out", study.folder / "out") == code
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and expected in err
    assert sorted(study.folder.iterdir()) == before


def test_the_traceback_of_a_failure_can_be_had(study, capsys, monkeypatch):
    monkeypatch.setattr("siting.run.make_plan", lambda *_, **__: 1 / 0)
    monkeypatch.setenv("SITING_TRACEBACK", "1")
    assert siting("run", study(), "--out", study.folder / "out") == 3
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["run"], ["fly"], ["run", "a.toml", "--port", "1"]])
def test_a_wrong_argument_is_one_line(capsys, argv):
    with pytest.raises(SystemExit) as exit_:
        siting(*argv)
    assert exit_.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and "--help`" in line


def test_the_version_and_the_exit_codes_are_told(capsys):
    for argument, expected in (("--version", f"siting {version('deh-siting')}"), ("--help", "exit codes:")):
        with pytest.raises(SystemExit) as exit_:
            siting(argument)
        assert exit_.value.code == 0
        assert expected in capsys.readouterr().out


def test_outputs_that_the_caller_closed_are_no_failure(study, monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    assert siting("check", study()) == 0
    assert siting("show", study.folder / "nowhere") == 2
    sys.stdout.close()  # what was put in their place
    sys.stderr.close()


# -- bad input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\0\1\xff", "not a TOML file"),
        ('[study]\nname = "caf\u00e9"'.encode("latin-1"), "not a TOML file"),
        (b"a = " + b"[" * 100_000 + b"]" * 100_000, "not a TOML file"),
        (b"[study]\n" + b"# x\n" * 1_200_000, "larger than"),
        (b"study = 3", "study is not a table"),
        (b"[[study]]\na = 1", "study is not a table"),
    ],
)
def test_a_file_that_is_no_study(tmp_path, capsys, content, expected):
    (tmp_path / "odd.toml").write_bytes(content)
    for command in (["check"], ["run", "--out", tmp_path / "out"]):
        assert expected in refused(capsys, tmp_path, *command, tmp_path / "odd.toml")


def test_a_folder_or_a_pipe_is_no_study(tmp_path, capsys):
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    for name in ("folder.toml", "pipe.toml"):
        assert f"{name}: is no file" in refused(capsys, tmp_path, "check", tmp_path / name)


@pytest.mark.usefixtures("no_report")
def test_a_full_disk_is_one_line_and_leaves_nothing(study, capsys):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, hard))
    try:
        err = refused(capsys, study.folder, "run", study.file, "--out", study.folder / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(err.splitlines()) == 1 and "free space or mend the path" in err


def test_missing_study_file(study, capsys):
    err = refused(capsys, study.folder, "run", study.folder / "none.toml", "--out", study.folder / "out")
    assert "none.toml: no such study file" in err


@pytest.mark.parametrize(
    ("lines", "more", "expected"),
    [
        ("", "", ["empty study"]),
        ('budget_inr_crore = "lots"', "", ["budget_inr_crore = 'lots' is not a number"]),
        ("budget_inr_crore = -5", "", ["budget_inr_crore = -5 is out of range"]),
        ("budget_inr_crore = nan", "", ["budget_inr_crore = nan is not a number"]),
        ('facility_types = ["warehouse", "airport"]', "", ["unknown 'airport'", "cold_store"]),
        ("budgt_inr_crore = 5", "", ["unknown key 'budgt_inr_crore'", "did you mean 'budget_inr_crore'"]),
        ('name = "x"', "[parameters]\nrail_cost = 2", ["unknown parameter 'rail_cost'"]),
        ('name = "x"', "[parameters]\nrail_inr_per_t_km = 'x'", ["rail_inr_per_t_km = 'x' is not a number"]),
        ('name = "x"', "[params]\na = 1", ["unknown table [params]", "did you mean 'parameters'"]),
        ("budget_inr_crore = = 5", "", ["not a TOML file"]),
        ('tonnage_basis = "wishful"', "", ["tonnage_basis", "current, potential"]),
        ('forced = ["warehouse-huge@madhya-pradesh/d3"]', "", ["forced names unknown", "did you mean"]),
        (
            'budget_inr_crore = "x"\nfacility_types = ["y"]',
            "[parameters]\nz = 1",
            ["budget_inr_crore = 'x'", "unknown 'y'", "unknown parameter 'z'"],
        ),
    ],
)
def test_faulty_study(study, capsys, lines, more, expected):
    err = refused(capsys, study.folder, "run", study(lines, more), "--out", study.folder / "out")
    for text in expected:
        assert text in err


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (["--budget", "many"], "budget_inr_crore = 'many' is not a number"),
        (["--set", "rail_inr_per_tkm=2"], "unknown parameter 'rail_inr_per_tkm'"),
        (["--set", "oops"], "--set oops; write KEY=VALUE"),
        (["--set", "container_payload_t=0"], "container_payload_t = 0.0 is not possible; give 0.16 to 2600 t"),
        (["--set", "discount_rate=8"], "discount_rate = 8.0 is not possible; give 0 to 1 fraction/year"),
        (["--gap", "2"], "gap = 2.0 is out of range"),
        (["--time-limit", "soon"], "time_limit_s = 'soon' is not a number"),
    ],
)
def test_faulty_argument(study, capsys, argument, expected):
    err = refused(capsys, study.folder, "run", study(), "--out", study.folder / "out", *argument)
    assert expected in err


def edit_csv(folder, name, change):
    path = folder / f"{name}.csv"
    table = pd.read_csv(path, dtype=object)
    table = change(table)
    table.to_csv(path, index=False)


def put(column, value, row=2):
    def change(table):
        table.loc[row, column] = value
        return table

    return change


@pytest.mark.parametrize(
    ("layer", "change", "expected"),
    [
        (
            "exports",
            lambda t: t.rename(columns={"textiles_usd_million": "textile"}),
            ["textiles_usd_million"],
        ),
        ("exports", put("textiles_usd_million", "-3"), ["exports.csv", "row 4", "-3", "at least 0"]),
        ("exports", put("textiles_usd_million", ""), ["exports.csv", "row 4", "textiles_usd_million"]),
        ("exports", lambda t: pd.concat([t, t.iloc[[1]]]), ["exports.csv", "madhya-pradesh/d1"]),
        ("exports", put("district_id", "madhya-pradesh/nowhere"), ["nowhere"]),
        ("sectors", put("value_usd_per_t", "-900", 1), ["sectors.csv", "row 3", "-900"]),
        ("gateways", put("lon", "nan", 0), ["gateways.csv", "row 2", "lon"]),
        ("gateways", lambda t: t.assign(lon="19.5", lat="75.5"), ["gateways.csv", "swapped"]),
        ("depots", lambda t: pd.concat([t, t]), ["depots.csv", "row 3", "'mid'"]),
        ("depots", put("rail_served", "perhaps", 0), ["depots.csv", "row 2", "perhaps"]),
    ],
)
@pytest.mark.parametrize("command", ["run", "check"])
def test_faulty_table(study, capsys, layer, change, expected, command):
    edit_csv(study.folder, layer, change)
    argv = ["run", study(), "--out", study.folder / "out"] if command == "run" else ["check", study()]
    err = refused(capsys, study.folder, *argv)
    for text in expected:
        assert text in err


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: pd.concat([d, d.iloc[[3]]]), ["districts.parquet", "D3"]),
        (lambda d: d.assign(lon=d["lat"], lat=d["lon"]), ["districts.parquet", "swapped"]),
        (lambda d: d.assign(lon=float("nan")), ["districts.parquet", "lon"]),
        (lambda d: d.drop(columns="district"), ["districts.parquet", "'district'"]),
    ],
)
def test_faulty_districts(study, capsys, change, expected):
    path = study.folder / "districts.parquet"
    change(gpd.read_parquet(path)).to_parquet(path)
    err = refused(capsys, study.folder, "check", study())
    for text in expected:
        assert text in err


def test_check_lists_the_faults_of_study_and_data_at_once(study, capsys):
    edit_csv(study.folder, "depots", put("rail_served", "perhaps", 0))
    edit_csv(study.folder, "gateways", put("lon", "nan", 0))
    err = refused(capsys, study.folder, "check", study('budget_inr_crore = "x"'))
    assert "budget_inr_crore" in err and "perhaps" in err and "gateways.csv" in err


def test_a_result_folder_that_is_none(study, capsys):
    assert "no plan.json" in refused(capsys, study.folder, "show", study.folder)
    assert "no plan.json" in refused(capsys, study.folder, "compare", study.folder, study.folder)


def test_the_studies_that_ship_have_no_faults(capsys):
    for path in set((ROOT / "studies").glob("*.toml")) - {ROOT / "studies" / "levers.toml"}:  # that one is of scenarios
        assert read_study(path)[1] == []
    assert siting("check", ROOT / "studies" / "national.toml") == 0


@pytest.mark.usefixtures("no_report")
def test_a_value_its_source_does_not_support_is_warned_of_and_logged(study, capsys):
    """By `check` and by `run`, on standard error and in the log; the study is solved all the same."""
    line = "parameter rail_inr_per_t_km = 3 INR/t-km is outside the range 1.6 to 2.3 that its source supports"
    path = study('name = "Odd"\nbudget_inr_crore = 20', "[parameters]\nrail_inr_per_t_km = 3.0")
    assert siting("check", path) == 0
    assert f"warning: {line}" in capsys.readouterr().err
    assert siting("run", path, "--out", study.folder / "odd", "--quiet") == 0
    assert f"warning: {line}" in capsys.readouterr().err
    assert line in (study.folder / "odd" / "log.txt").read_text()

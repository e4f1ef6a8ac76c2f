"""A damaged result is told in one line that names the file, with exit code 2."""

from __future__ import annotations

import json
import shutil

import geopandas as gpd
import pandas as pd
import pytest

from geodata.errors import InputError
from siting.cli import build_parser, run_command
from siting.results.cells import write_csv
from siting.results.geometry import flow_lines
from siting.results.geopackage import write_geopackage
from siting.results.read import open_result, read_table, result_fault
from siting.results.tables import write_summary, write_tables


@pytest.fixture(scope="module")
def whole(free_plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "result"
    folder.mkdir()
    write_tables(free_plan, folder)
    write_geopackage(free_plan, folder, flow_lines(free_plan))
    write_summary(free_plan, folder)
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "result")


def told(capsys, *arguments):
    """Exit code and lines of complaint of a command."""
    code = run_command(build_parser()[0], [str(argument) for argument in arguments])
    return code, capsys.readouterr().err.splitlines()


def test_a_whole_result_is_read(whole, free_plan):
    assert result_fault(whole) is None
    plan = open_result(whole)
    assert plan.summary["capex_inr_crore"] == free_plan.capex_inr_crore
    assert plan.districts["lgd_code"].isna().all()
    assert plan.sites["districts_served"].dtype == "int64"
    assert plan.districts["under_utilised"].dtype == bool


def replaced(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def without_column(path, name):
    pd.read_csv(path).drop(columns=name).to_csv(path, index=False)


def with_key(path, key, value):
    content = json.loads(path.read_text())
    content[key] = value
    path.write_text(json.dumps(content))


def twice(path):
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[1]]) + "\n")


def longer(path):
    path.write_text(path.read_text() + "x," * 40 + "\n")


DAMAGES = {
    "no plan.json": ("", lambda f: (f / "plan.json").unlink(), "no plan.json"),
    "truncated": ("plan.json", lambda f: (f / "plan.json").write_text('{"study": "x", '), "cannot be read"),
    "a list": ("plan.json", lambda f: (f / "plan.json").write_text("[]"), "is not an object"),
    "deep": ("plan.json", lambda f: (f / "plan.json").write_text("[" * 100_000), "cannot be read"),
    "a wrong type": ("plan.json", lambda f: with_key(f / "plan.json", "gap", "small"), "gap = 'small'"),
    "a truth value": ("plan.json", lambda f: with_key(f / "plan.json", "gap", True), "gap = 'True'"),
    "a nested wrong type": ("plan.json", lambda f: with_key(f / "plan.json", "before", 3), "has no before."),
    "NaN": ("plan.json", lambda f: with_key(f / "plan.json", "gap", float("nan")), "NaN is no number"),
    "endless": ("plan.json", lambda f: replaced(f / "plan.json", '"gap": ', '"gap": 1e999, "was": '), "1e999"),
    "not UTF-8": ("plan.json", lambda f: (f / "plan.json").write_bytes(b'{"study": "\xff"}'), "utf-8"),
    "a folder": ("sites.csv", lambda f: ((f / "sites.csv").unlink(), (f / "sites.csv").mkdir()), "cannot be read"),
    "no sites": ("sites.csv", lambda f: (f / "sites.csv").unlink(), "is missing"),
    "no header": ("sites.csv", lambda f: (f / "sites.csv").write_text(""), "is empty"),
    "an older version": ("sites.csv", lambda f: without_column(f / "sites.csv", "option_id"), "an older version"),
    "a text for a number": ("sites.csv", lambda f: replaced(f / "sites.csv", ",small,candidate,", ",small,candidate,x"),
                            "row 3: capex_inr_crore is 'x"),
    "an endless number": ("sites.csv", lambda f: replaced(f / "sites.csv", ",candidate,", ",candidate,1e999"),
                          "capex_inr_crore is '1e999"),
    "a row twice": ("sites.csv", lambda f: twice(f / "sites.csv"), "option_id 'cold_store-standard@madhya-pradesh/d1'"),
    "bytes": ("sites.csv", lambda f: (f / "sites.csv").write_bytes((f / "sites.csv").read_bytes() + b"\xff"), "utf-8"),
    "more cells than columns": ("sites.csv", lambda f: longer(f / "sites.csv"), "Error tokenizing"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("command", ["show", "compare"])
def test_show_and_compare_name_the_damaged_file(whole, folder, capsys, damage, command):
    file, spoil, words = DAMAGES[damage]
    spoil(folder)
    arguments = ("show", folder) if command == "show" else ("compare", whole, folder)
    code, lines = told(capsys, *arguments)
    assert code == 2
    assert len(lines) == 1, lines
    assert str(folder / file) in lines[0] and words in lines[0]
    assert "siting run" in lines[0]


def test_names_that_look_like_formulas_are_read_as_they_were(whole, tmp_path):
    sites = read_table(whole / "sites.csv").assign(name="=1+1", state="'@x")
    write_csv(sites, tmp_path / "sites.csv")
    assert "'=1+1,''@x" in (tmp_path / "sites.csv").read_text(encoding="utf-8")
    pd.testing.assert_frame_equal(read_table(tmp_path / "sites.csv"), sites, check_dtype=False)


def test_the_map_of_an_older_result_tells_the_remedy(folder):
    layer = gpd.read_file(folder / "study.gpkg", layer="districts").drop(columns="district_id")
    layer.to_file(folder / "study.gpkg", layer="districts", driver="GPKG", engine="pyogrio")
    with pytest.raises(InputError, match="layer districts has no column district_id; written by an older version"):
        _ = open_result(folder).shapes

"""What `siting run` refuses, `siting check` tells, in the same words and without solving."""

import shutil

import geopandas as gpd
import pandas as pd
import pytest

from siting.cli import build_parser, run_command

GOOD = 'name = "Tiny"\nbudget_inr_crore = 60'
SMALL, MEDIUM = "warehouse-small@madhya-pradesh/d3", "warehouse-medium@madhya-pradesh/d3"


def put(layer, column, value, row=None):
    """Set one cell of a table, or all of a column."""

    def change(folder):
        table = pd.read_csv(folder / f"{layer}.csv", dtype=object)
        table.loc[slice(None) if row is None else row, column] = value
        table.to_csv(folder / f"{layer}.csv", index=False)

    return change


def replace(file, content):
    return lambda folder: (folder / file).write_bytes(content)


def edit(layer, change):
    def apply(folder):
        path = folder / f"{layer}.csv"
        path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")

    return apply


def districts(change):
    def apply(folder):
        path = folder / "districts.parquet"
        change(gpd.read_parquet(path)).to_parquet(path)

    return apply


STUDIES = {
    "an empty study": ("", "", "empty study"),
    "a budget that is text": ('budget_inr_crore = "lots"', "", "budget_inr_crore = 'lots' is not a number"),
    "a budget that is a date": ("budget_inr_crore = 2026-01-01", "", "is not a number"),
    "an endless budget": ("budget_inr_crore = inf", "", "is not a number"),
    "a negative budget": ("budget_inr_crore = -1", "", "out of range"),
    "a title that is a number": ("name = 3", "", "name = 3 is not a text"),
    "a key that is not known": (GOOD + "\nbudgt = 3", "", "unknown key 'budgt'"),
    "no facility types": (GOOD + "\nfacility_types = []", "", "name at least one"),
    "a facility type that is not known": (GOOD + '\nfacility_types = ["airport"]', "", "names unknown 'airport'"),
    "forced numbers": (GOOD + "\nforced = [1]", "", "not a list of texts"),
    "a forced text": (GOOD + f'\nforced = "{SMALL}"', "", "not a list of texts"),
    "a basis in a table": (GOOD + "\ntonnage_basis = { a = 1 }", "", "choose from current, potential"),
    "a gap of two": (GOOD + "\ngap = 2", "", "out of range"),
    "no time": (GOOD + "\ntime_limit_s = 0", "", "out of range"),
    "a parameter that is not known": (GOOD, "[parameters]\nrail_cost = 2", "unknown parameter 'rail_cost'"),
    "a parameter that is a list": (GOOD, "[parameters]\ndiscount_rate = [1]", "is not a number"),
    "a table that is not known": (GOOD, "[params]\na = 1", "unknown table [params]"),
    "a forced site that is not there": (GOOD + '\nforced = ["warehouse-small@x"]', "", "forced names unknown"),
    "a forbidden site that is not there": (GOOD + '\nforbidden = ["x"]', "", "forbidden names unknown"),
    "a port that is not there": (GOOD + '\nclosed_gateways = ["INPRX"]', "", "did you mean 'INPRT'?"),
    "all ports closed": (GOOD + '\nclosed_gateways = ["INPRT"]', "", "leave one open"),
    "a site both forced and forbidden": (
        GOOD + f'\nforced = ["{SMALL}"]\nforbidden = ["madhya-pradesh/d3"]', "", "keep one of the two",
    ),
    "two sizes of a site": (GOOD + f'\nforced = ["{SMALL}", "{MEDIUM}"]', "", "a site has one size"),
    "rules that stand against one another": (
        'name = "Tiny"\nbudget_inr_crore = 8',
        '[[rules]]\nrule = "sites"\nfacility_types = ["cold_store"]\nat_least = 1\nname = "Cold"\n'
        '[[rules]]\nrule = "state_saving"\nat_least_share = 0.01\n[[rules]]\nrule = "sites"\nat_most = 0',
        "cannot all be kept: ",
    ),
    "forced sites over the budget": (
        f'name = "Tiny"\nbudget_inr_crore = 1\nforced = ["{SMALL}"]', "", "budget_inr_crore is 1; raise the budget",
    ),
}  # fmt: skip
DATA = {
    "no ports": (edit("gateways", lambda lines: lines[:1]), "gateways.csv: the table has no rows"),
    "no port with containers": (put("gateways", "container_service", "false"), "gateways.csv: no gateway takes"),
    "a port without a place": (put("gateways", "lon", "nan", 0), "gateways.csv: row 2: lon"),
    "a port in the ocean": (put("gateways", "lat", "-40", 0), "outside the study area"),
    "two depots of one name": (edit("depots", lambda lines: lines + lines[-1:]), "row 3: depot_id 'mid' is already"),
    "a depot that is served perhaps": (put("depots", "rail_served", "perhaps", 0), "write true or false"),
    "no sectors": (edit("sectors", lambda lines: lines[:1]), "sectors.csv: the table has no rows"),
    "a sector of a class not known": (put("sectors", "cargo_class", "magic", 0), "unknown cargo_class 'magic'"),
    "a sector of no worth": (put("sectors", "value_usd_per_t", "-1", 0), "sectors.csv: row 2"),
    "exports of nowhere": (put("exports", "district_id", "x/y", 3), "exports.csv"),
    "exports that are text": (put("exports", "fruit_usd_million", "many", 3), "row 5: fruit_usd_million is 'many'"),
    "exports of a sector not known": (
        edit("exports", lambda lines: [lines[0].replace("fruit", "fruits"), *lines[1:]]), "fruit_usd_million",
    ),
    "exports that are no text": (replace("exports.csv", b"\0\xff"), "not a UTF-8 CSV file"),
    "exports that are empty": (replace("exports.csv", b""), "row 1: it is empty"),
    "roads that are no map": (replace("road.parquet", b"garbage"), "road.parquet: not a GeoParquet file"),
    "rail that is no map": (replace("rail.parquet", b"garbage"), "rail.parquet: not a GeoParquet file"),
    "states that are no map": (replace("states.parquet", b"garbage"), "states.parquet: cannot be read"),
    "districts that are no map": (replace("districts.parquet", b"garbage"), "districts.parquet: cannot be read"),
    "districts twice": (districts(lambda d: pd.concat([d, d.iloc[[3]]])), "districts.parquet"),
    "districts with axes swapped": (districts(lambda d: d.assign(lon=d["lat"], lat=d["lon"])), "swapped"),
    "districts without names": (districts(lambda d: d.drop(columns="district")), "'district'"),
    "a layer that is not there": (lambda folder: (folder / "depots.csv").unlink(), "[data] depots = 'depots.csv'"),
}  # fmt: skip


@pytest.fixture
def outcome(tmp_path, tiny_layers, capsys):
    """A function that checks and runs a study on the tiny pack: exit codes and lines of both."""
    for path in tiny_layers.values():
        shutil.copy(path, tmp_path / path.name)
    data = "\n".join(f'{name} = "{path.name}"' for name, path in tiny_layers.items())

    def told(*argv):
        code = run_command(build_parser()[0], [str(a) for a in argv])
        return code, capsys.readouterr().err.splitlines()

    def both(lines=GOOD, more="", change=lambda folder: None):
        change(tmp_path)
        study = tmp_path / "my.toml"
        study.write_text(f"[study]\n{lines}\n[data]\n{data}\n{more}")
        return told("check", study), told("run", study, "--out", tmp_path / "out")

    return both


def same(check, run, expected):
    assert check == run
    code, lines = check
    assert code == 2
    assert any(expected in line for line in lines)
    assert all(line.startswith("error: ") and "Tiny" not in line for line in lines), "faults name files"


@pytest.mark.parametrize("case", STUDIES)
def test_check_finds_what_run_refuses_in_a_study(outcome, case):
    lines, more, expected = STUDIES[case]
    check, run = outcome(lines, more)
    same(check, run, expected)
    assert all("my.toml: " in line for line in check[1])


@pytest.mark.parametrize("case", DATA)
def test_check_finds_what_run_refuses_in_the_data(outcome, case):
    change, expected = DATA[case]
    (code, lines), (run_code, run_lines) = outcome(change=change)
    same((code, [line for line in lines if line in run_lines]), (run_code, run_lines), expected)


def test_check_solves_nothing(outcome, monkeypatch):
    def solve(*_, **__):
        raise AssertionError("solved")

    monkeypatch.setattr("siting.plan.solve", solve)
    check, run = outcome()
    assert check == (0, [])
    assert run[0] == 3 and "solved" in run[1][0]

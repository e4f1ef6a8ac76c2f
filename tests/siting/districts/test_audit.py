"""An audit recovers the causes that a year was made from, exactly and by district, and plans on from what stands."""

import json
from dataclasses import replace
from datetime import date
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from geodata.errors import InputError
from siting.cli import build_parser, run_command
from siting.districts.audit import CAUSES, Audit, shapley
from siting.districts.audit_files import audit_row
from siting.districts.built import load_built, months_at_work, year_of_file
from siting.districts.worlds import Year
from siting.plan import make_plan
from siting.results.read import read_table
from siting.results.schema import columns
from siting.results.tables import write_summary, write_tables
from siting.scenarios.operation import operate

BEFORE = "2024-12-31"
DEARER = {"truck_inr_per_t_km": 4.5}


@pytest.fixture(scope="module")
def free_sites(free_plan):
    """At least two, or the tests would say little."""
    ids = free_plan.opened["option_id"].tolist()
    assert len(ids) >= 2
    return ids


@pytest.fixture(scope="module")
def exports(tiny_layers):
    return tiny_layers["exports"]


@pytest.fixture(scope="module")
def half(exports, tmp_path_factory):
    """A year in which every district exports half as much."""
    table = pd.read_csv(exports)
    table[[name for name in table if name.endswith("_usd_million")]] *= 0.5
    file = tmp_path_factory.mktemp("year") / "FY2026.csv"
    table.to_csv(file, index=False)
    return file


def built(folder, options, rows, year=2026):
    """What ``built.csv`` with these rows (option, day, further cells) says."""
    file = folder / "built.csv"
    lines = [",".join([*map(str, row), *[""] * (4 - len(row))]) for row in rows]
    file.write_text("\n".join(["option_id,commissioned,capex_inr_crore,fixed_cost_inr_per_year", *lines]) + "\n")
    return load_built(file, options, year)


@pytest.fixture
def audit_of(free_model, free_sites, exports, tmp_path):
    def audit(rows, file=exports, rates=None):
        table = built(tmp_path, free_model.options, rows)
        return Audit(free_model, tuple(free_sites), Year(2026, file, table, rates or {}))

    return audit


def as_planned(sites):
    return [(site, BEFORE) for site in sites]


def causes_of(audit):
    return {cause: audit.totals[f"{cause}_inr_per_year"] for cause in CAUSES}


# -- the decomposition -----------------------------------------------------------------------------------------------


def test_shapley_values_are_means_over_all_orders():
    """(75), worked through all 24 orders of the causes."""
    random = np.random.default_rng(1)
    worlds = {frozenset(c for k, c in enumerate(CAUSES) if n >> k & 1): random.random(3) for n in range(16)}
    by_hand = {cause: np.zeros(3) for cause in CAUSES}
    for order in permutations(CAUSES):
        for k, cause in enumerate(order):
            by_hand[cause] += (worlds[frozenset(order[: k + 1])] - worlds[frozenset(order[:k])]) / 24
    found = shapley(worlds.__getitem__, CAUSES)
    for cause in CAUSES:
        np.testing.assert_allclose(found[cause], by_hand[cause])
    np.testing.assert_allclose(sum(found.values()), worlds[frozenset(CAUSES)] - worlds[frozenset()])


def test_a_year_as_planned_has_no_shortfall(audit_of, free_sites, free_plan):
    audit = audit_of(as_planned(free_sites))
    assert audit.totals["expected_inr_per_year"] == pytest.approx(free_plan.net_saving_inr_per_year)
    assert audit.totals["happened_inr_per_year"] == pytest.approx(free_plan.net_saving_inr_per_year)
    assert causes_of(audit) == pytest.approx(dict.fromkeys(CAUSES, 0.0), abs=1.0)


def test_half_the_exports_are_tonnage_alone(audit_of, free_sites, half):
    audit = audit_of(as_planned(free_sites), half)
    found = causes_of(audit)
    assert found["tonnage"] < -1e6
    assert found["tonnage"] == pytest.approx(
        audit.totals["happened_inr_per_year"] - audit.totals["expected_inr_per_year"]
    )
    assert [found[cause] for cause in ("cost", "delay", "other_sites")] == pytest.approx([0.0] * 3, abs=1.0)
    districts = audit.districts
    assert districts["tonnes_happened"].to_numpy() == pytest.approx(districts["tonnes_expected"].to_numpy() / 2)


def test_dearer_trucks_are_cost_alone(audit_of, free_sites):
    found = causes_of(audit_of(as_planned(free_sites), rates=DEARER))
    assert abs(found["cost"]) > 1e6
    assert [found[cause] for cause in ("tonnage", "delay", "other_sites")] == pytest.approx([0.0] * 3, abs=1.0)


def test_a_site_dearer_to_run_is_cost_by_as_much(audit_of, free_sites, free_plan):
    running = float(free_plan.opened["fixed_cost_inr_per_year"].iloc[0])
    audit = audit_of([(free_sites[0], BEFORE, "", running + 2e6), *as_planned(free_sites[1:])])
    assert causes_of(audit) == pytest.approx({"cost": -2e6, "tonnage": 0.0, "delay": 0.0, "other_sites": 0.0}, abs=1.0)


def test_a_site_that_is_not_built_is_delay_by_what_it_adds_to_the_others(audit_of, free_model, free_plan, free_sites):
    audit = audit_of(as_planned(free_sites[1:]))
    kept = free_plan.solution.open[1:]
    lost = operate(free_model, kept).net_inr_per_year - free_plan.net_saving_inr_per_year
    assert causes_of(audit) == pytest.approx({"delay": lost, "tonnage": 0.0, "cost": 0.0, "other_sites": 0.0}, abs=1.0)
    assert lost < 0


def test_a_site_at_work_for_half_the_year_is_half_the_delay(audit_of, free_sites):
    never = causes_of(audit_of(as_planned(free_sites[1:])))["delay"]
    late = audit_of([(free_sites[0], "2025-10-01"), *as_planned(free_sites[1:])])
    assert causes_of(late)["delay"] == pytest.approx(never / 2)
    assert late.site_table.set_index("option_id").loc[free_sites[0], "months"] == 6


def test_a_site_beside_the_plan_is_told_apart(audit_of, free_model, free_sites):
    other = next(option for option in free_model.options["option_id"] if option not in free_sites)
    audit = audit_of([*as_planned(free_sites), (other, BEFORE)])
    found = causes_of(audit)
    difference = audit.totals["happened_inr_per_year"] - audit.totals["expected_inr_per_year"]
    assert found == pytest.approx({"other_sites": difference, "tonnage": 0.0, "cost": 0.0, "delay": 0.0}, abs=1.0)
    assert abs(difference) > 1.0
    assert not audit.site_table.set_index("option_id").loc[other, "planned"]


@pytest.fixture
def everything(audit_of, free_sites, half):
    """All causes at once."""
    return audit_of([(free_sites[0], "2025-08-20"), *as_planned(free_sites[1:-1])], half, DEARER)


def test_causes_add_up_in_all_for_every_district_and_every_state(everything):
    for table in (everything.districts, everything.states, pd.DataFrame([everything.totals])):
        shortfall = table["happened_inr_per_year"] - table["expected_inr_per_year"]
        told = table[[f"{cause}_inr_per_year" for cause in CAUSES]].sum(axis=1)
        assert told.to_numpy() == pytest.approx(shortfall.to_numpy(), abs=0.01)
    found = causes_of(everything)
    assert found["tonnage"] < -1e5 and found["delay"] < -1e5 and abs(found["cost"]) > 1e5
    assert everything.states["happened_inr_per_year"].sum() == pytest.approx(everything.totals["happened_inr_per_year"])


def test_what_happened_is_what_the_year_solved_alone_says(everything, free_sites):
    """A model of the year by itself, of its two parts: seven months with the late site, five without it."""
    from siting.model.model import build_model

    model = build_model(everything.study)
    rows = pd.Index(model.options["option_id"]).get_indexer(free_sites[:-1])
    with_it, without = (operate(model, np.sort(of)).net_inr_per_year for of in (rows, rows[1:]))
    assert everything.totals["happened_inr_per_year"] == pytest.approx(7 / 12 * with_it + 5 / 12 * without)


def test_leaders_stay_those_of_the_plan(everything, free_model):
    assert everything.districts["under_utilised"].tolist() == free_model.demand["under_utilised"].tolist()
    assert (
        everything.models[True, True].demand["under_utilised"].tolist() == free_model.demand["under_utilised"].tolist()
    )


# -- what now --------------------------------------------------------------------------------------------------------


def test_the_plan_from_what_stands_now_keeps_it_and_spends_what_is_left(everything, free_sites):
    study, plan = everything.next_study, everything.next_plan
    assert set(study.forced) == set(free_sites[:-1])
    assert set(free_sites[:-1]) <= set(plan.opened["option_id"])
    assert plan.capex_inr_crore <= study.budget_inr_crore + 1e-9
    assert plan.net_saving_inr_per_year >= everything.standing_inr_per_year - 1.0
    alone = make_plan(everything.models[True, True], forced=study.forced, budget_inr_crore=study.budget_inr_crore)
    assert plan.net_saving_inr_per_year == pytest.approx(alone.net_saving_inr_per_year)


def test_what_stands_stays_though_too_few_boxes_come_for_its_customs_staff(audit_of, free_sites):
    audit = audit_of(as_planned(free_sites), rates={"freight_station_min_teu_per_year": 1e6})
    assert set(free_sites) <= set(audit.next_plan.opened["option_id"])


def test_capital_overspent_is_missing_from_what_may_still_be_spent(audit_of, free_sites, free_plan):
    planned = audit_of(as_planned(free_sites)).next_study.budget_inr_crore
    dear = float(free_plan.opened["capex_inr_crore"].iloc[0]) + 3.0
    overspent = audit_of([(free_sites[0], BEFORE, dear), *as_planned(free_sites[1:])]).next_study.budget_inr_crore
    assert planned == pytest.approx(60.0)
    assert overspent == pytest.approx(max(57.0, free_plan.capex_inr_crore))


def test_what_stands_is_no_longer_forbidden_or_forced_in_another_size(audit_of, free_model, free_sites):
    place = free_sites[0].split("@")[1]
    audit = audit_of(as_planned(free_sites))
    audit = replace(audit, base=replace(free_model, study=free_model.study.with_changes(forbidden=(place,))))
    assert audit.next_study.forbidden == ()


# -- what has been built -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "months"),
    [
        ("2024-01-01", 12),
        ("2025-04-01", 12),
        ("2025-04-02", 11),
        ("2026-03-01", 1),
        ("2026-03-02", 0),
        ("2030-01-01", 0),
    ],
)
def test_months_that_began_after_the_day_count(day, months):
    assert months_at_work(date.fromisoformat(day), 2026) == months


def test_a_site_of_the_last_month_stands_without_having_been_at_work(audit_of, free_sites):
    audit = audit_of([(free_sites[0], "2026-03-15"), (free_sites[1], "2026-04-01")])
    assert audit.sites["months"].sum() == 0
    assert audit.standing == [free_sites[0]]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([("warehouse-small@nowhere", BEFORE)], "row 2: no option 'warehouse-small@nowhere'"),
        (
            [("warehouse-small@madhya-pradesh/d1", "31.7.2025")],
            "commissioned is '31.7.2025'; write the day as 2025-07-31",
        ),
        (
            [("warehouse-small@madhya-pradesh/d1", BEFORE), ("warehouse-large@madhya-pradesh/d1", "")],
            "row 3: 'warehouse-large@madhya-pradesh/d1' and 'warehouse-small@madhya-pradesh/d1' are two sizes",
        ),
        ([("warehouse-small@madhya-pradesh/d1", BEFORE, -1)], "row 2: capex_inr_crore is '-1'; it must be at least 0"),
    ],
)
def test_what_is_wrong_with_the_table_is_one_line(rows, told, free_model, tmp_path):
    with pytest.raises(InputError) as error:
        built(tmp_path, free_model.options, rows)
    assert told in str(error.value) and "\n" not in str(error.value)


def test_the_year_is_that_of_the_files_name_or_given(tmp_path):
    assert year_of_file(tmp_path / "FY2026.csv", None) == 2026
    assert year_of_file(tmp_path / "exports.csv", 2027) == 2027
    for name in ("exports.csv", "2025-2026.csv"):
        with pytest.raises(InputError, match="give --year"):
            year_of_file(tmp_path / name, None)


# -- the command -------------------------------------------------------------------------------------------------------


def siting(*argv: object) -> int:
    parser, _ = build_parser()
    return run_command(parser, [str(a) for a in argv])


@pytest.fixture(scope="module")
def result(free_plan, tmp_path_factory):
    """The plan as files, and the study file that its own data are named in."""
    folder = tmp_path_factory.mktemp("audited")
    out = folder / "result"
    out.mkdir()
    write_tables(free_plan, out)
    write_summary(free_plan, out)
    data = "\n".join(f'{name} = "{path}"' for name, path in free_plan.model.study.data.items())
    (folder / "tiny.toml").write_text(f"[study]\nbudget_inr_crore = 60\ncapital_charge = false\n[data]\n{data}\n")
    return out, folder / "tiny.toml"


def test_the_history_gains_a_row_each_year_and_the_plan_from_now_is_a_result(
    result, half, free_sites, tmp_path, capsys
):
    plan, study = result
    table, out = tmp_path / "built.csv", tmp_path / "audits"
    table.write_text(f"option_id,commissioned\n{free_sites[0]},2024-12-31\n{free_sites[1]},\n")
    given = ["audit", plan, "--study", study, "--exports", half, "--built", table, "--out", out]
    assert siting(*given) == 0
    text = capsys.readouterr().out
    assert "audited for FY2026" in text and len(text.splitlines()) <= 25 and "nan" not in text
    assert siting(*given, "--year", 2027, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert siting(*given, "--year", 2027) == 0  # a year that is there is replaced
    history = read_table(out / "history.csv")
    assert history["fiscal_year"].tolist() == [2026, 2027]
    last = history.iloc[-1]
    causes = sum(last[f"{cause}_inr_per_year"] for cause in CAUSES)
    assert causes == pytest.approx(last["happened_inr_per_year"] - last["expected_inr_per_year"], abs=1.0)
    assert told["happened_inr_per_year"] == pytest.approx(last["happened_inr_per_year"])
    for name in ("audit_districts", "audit_states", "audit_sites"):
        read_table(out / "FY2026" / f"{name}.csv")
    assert (out / "FY2027" / "plan" / "report.html").is_file()
    from siting.study import load_study

    again = load_study(out / "FY2027" / "next.toml")
    assert again.forced == (free_sites[0],)
    assert again.data["exports"].read_bytes() == half.read_bytes()


def test_an_audit_that_cannot_be_written_leaves_the_history_as_it_was(
    result, half, free_sites, tmp_path, capsys, monkeypatch
):
    plan, study = result
    table, out = tmp_path / "built.csv", tmp_path / "audits"
    table.write_text(f"option_id,commissioned\n{free_sites[0]},2024-12-31\n")
    given = ["audit", plan, "--study", study, "--exports", half, "--built", table, "--out", out]
    assert siting(*given) == 0
    before = (out / "history.csv").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("siting.run.write_tables", full)
    assert siting(*given, "--year", 2027) == 2
    assert (out / "history.csv").read_bytes() == before
    assert sorted(path.name for path in out.iterdir()) == [".siting.json", "FY2026", "history.csv"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"--exports": "exports.csv"}, "exports.csv: its name tells no fiscal year; give --year"),
        ({"--exports": "FY2030.csv"}, "FY2030.csv"),
        ({"--set": "truck_inr_per_tkm=3"}, "unknown parameter 'truck_inr_per_tkm'; did you mean 'truck_inr_per_t_km'?"),
        ({"--set": "truck_inr_per_t_km"}, "--set truck_inr_per_t_km; write KEY=VALUE"),
        ({"--out": "."}, "holds no history.csv; name the folder of earlier audits, or a new one"),
        ({"--study": None}, "name the study file that it was made from with --study"),
    ],
)
def test_bad_input_is_one_clear_line(result, half, free_sites, tmp_path, capsys, changed, told, monkeypatch):
    plan, study = result
    monkeypatch.chdir(tmp_path)
    (tmp_path / "built.csv").write_text(f"option_id,commissioned\n{free_sites[0]},\n")
    given = {"--study": study, "--exports": half, "--built": "built.csv", **changed}
    words = [word for key, value in given.items() if value is not None for word in (key, value)]
    assert siting("audit", plan, *words) == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1


def test_the_tables_have_the_columns_of_the_schema(everything):
    tables = {"audit_districts": everything.districts, "audit_states": everything.states,
              "audit_sites": everything.site_table, "history": pd.DataFrame([audit_row(everything, "x")])}  # fmt: skip
    for name, table in tables.items():
        assert list(table) == list(columns(name))


def test_a_site_that_the_plan_s_study_does_not_offer_is_one_line(free_model, exports, tmp_path):
    year = Year(2026, exports, built(tmp_path, free_model.options, []), {})
    with pytest.raises(InputError, match="the plan's site 'mmlp-large@mars' is no option of its study; solve"):
        Audit(free_model, ("mmlp-large@mars",), year)

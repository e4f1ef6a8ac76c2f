"""What differs between two results is found by ids, and told in few lines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from siting.money import crore
from siting.plan import make_plan
from siting.report.comparison import comparison_lines, many_lines, signed
from siting.results.compare import Comparison, compare, compare_many, frontier, letter
from siting.results.read import AnswerFolder
from siting.results.tables import summary, write_answer


@pytest.fixture(scope="module")
def plans(free_model, tmp_path_factory):
    root = tmp_path_factory.mktemp("two")
    found = []
    for budget in (15.0, 60.0):
        folder = root / str(budget)
        write_answer(make_plan(free_model, budget_inr_crore=budget), folder)
        found.append(AnswerFolder(str(budget), folder, 0, free_model.pack))
    return found


def test_sites_and_districts_that_differ(plans):
    a, b = plans
    found = compare(a, b)
    assert set(found.only_b["option_id"]) == set(b.sites["option_id"]) - set(a.sites["option_id"])
    assert len(found.only_a) + found.both == len(a.sites)
    assert found.totals.loc["budget_inr_crore"].tolist() == [15.0, 60.0]
    assert found.totals.loc["mean_hours", "b"] == b.summary["after"]["mean_hours"]
    change = b.districts["saving_inr_per_year"] - a.districts["saving_inr_per_year"]
    assert found.districts["district_id"].tolist() == a.districts["district_id"].tolist()
    assert found.districts["saving_change_inr_per_year"].tolist() == pytest.approx(change.tolist())
    moved = a.districts["hub_1_id"].fillna("") != b.districts["hub_1_id"].fillna("")
    assert found.districts.loc[moved, "changed"].all()
    assert not found.districts["changed"].all()


def test_a_plan_does_not_differ_from_itself(plans):
    found = compare(plans[0], plans[0])
    assert not found.districts["changed"].any() and found.only_a.empty and found.only_b.empty


def test_districts_of_one_plan_alone_are_kept(plans):
    a, b = plans

    class Fewer(AnswerFolder):
        districts = a.districts.iloc[1:]

    fewer = Fewer("fewer", a.path, 0, a.pack)
    assert len(compare(fewer, b).districts) == len(compare(b, fewer).districts) == 12
    last = compare(fewer, b).districts.iloc[-1]
    assert last["district_id"] == a.districts["district_id"].iloc[0] and np.isnan(last["change_inr_per_t"])


def many(n):
    sites = pd.DataFrame({
        "option_id": range(n), "name": "Place", "state": "State", "facility_type": "cold_store", "tier": "standard",
        "capex_inr_crore": 7.0, "saving_inr_per_year": np.arange(n) * 1e7,
    })  # fmt: skip
    districts = pd.DataFrame({
        "district": [f"D{k}" for k in range(n)], "state": "State", "saving_change_inr_per_year": np.arange(n) * -1e7,
        "change_inr_per_t": 1.0, "hours_change": -2.0, "hub_a": None, "hub_b": "Hub", "gateway_a": "P",
        "gateway_b": "P", "changed": True,
    })  # fmt: skip
    return sites, districts


def test_a_comparison_fits_forty_lines_with_sites_named_and_money_in_crore(plans):
    sites, districts = many(500)
    totals = compare(*plans).totals
    lines = comparison_lines(plans[0].summary, plans[1].summary, Comparison(totals, sites, sites, 7, districts))
    assert len(lines) <= 40
    assert max(map(len, lines)) < 120
    text = "\n".join(lines)
    assert "Only in A: 500 sites, ₹3,500 crore" in text
    assert "Place, State: cold store, standard, ₹7.0 crore, saves ₹499.0 crore a year" in text
    assert "B asks otherwise: Budget ₹15 crore → ₹60 crore" in text
    assert "500 districts change" in text
    assert "D499, State: −₹499.00 crore saved a year, +₹1 per t, −2.0 h, hub none → Hub" in text
    assert "₹-" not in text and "-₹" not in text


def test_one_is_not_many(plans):
    sites, districts = many(1)
    totals = compare(*plans).totals
    text = "\n".join(
        comparison_lines(plans[0].summary, plans[1].summary, Comparison(totals, sites, sites, 1, districts))
    )
    assert "1 site," in text and "In both: 1 site\n" in text and "1 district changes" in text
    assert "1 sites" not in text


@pytest.mark.parametrize(
    ("inr", "text"), [(1.3e8, "+₹13 crore"), (-1.3e8, "−₹13 crore"), (4e6, "same"), (-4e6, "same")]
)
def test_changes_carry_their_sign(inr, text):
    assert signed(inr, crore) == text


def test_the_frontier_tells_what_the_last_rupee_brings(plans):
    table = frontier((plan.summary, plan.sites) for plan in reversed(plans))
    assert table["budget_inr_crore"].tolist() == [15.0, 60.0]
    capex, benefit = table["capex_inr_crore"] * 1e7, table["benefit_inr_per_year"]
    charge = [plan.summary["capital_charge_inr_per_year"] for plan in plans]
    assert benefit.to_numpy() == pytest.approx(table["saving_inr_per_year"].to_numpy() - charge)
    assert table["marginal_benefit_per_year_per_rupee"].tolist() == pytest.approx(
        [benefit[0] / capex[0], (benefit[1] - benefit[0]) / (capex[1] - capex[0])]
    )


def test_the_frontier_of_nothing_spent_has_no_ratio(tiny_model):
    nothing = make_plan(tiny_model, budget_inr_crore=0.0)
    row = frontier([(summary(nothing), nothing.opened)]).iloc[0]
    assert np.isnan(row["marginal_benefit_per_year_per_rupee"]) and row["warehouses"] == 0


@pytest.fixture(scope="module")
def three(plans, free_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("third")
    write_answer(make_plan(free_model, budget_inr_crore=30.0), folder)
    return [*plans, AnswerFolder("third", folder, 0, free_model.pack)]


def test_many_results_tell_what_is_open_where_and_what_each_saves(three):
    found = compare_many(three)
    opened = [set(plan.sites["option_id"]) for plan in three]
    assert found.in_all == len(set.intersection(*opened))
    assert dict(zip(found.sites["option_id"], found.sites["open_in"], strict=True)) == {
        option: tuple(name for name, some in zip("ABC", opened, strict=True) if option in some)
        for option in set.union(*opened) - set.intersection(*opened)
    }
    assert found.totals.loc["budget_inr_crore"].tolist() == [15.0, 60.0, 30.0]
    saved = pd.DataFrame(
        {
            name: plan.districts.set_index("district_id")["saving_inr_per_year"]
            for name, plan in zip("ABC", three, strict=True)
        }
    )
    spread = (saved.max(axis=1) - saved.min(axis=1)).sort_values(ascending=False)
    assert found.districts["district_id"].tolist()[0] == spread.index[0]
    told = found.districts.set_index("district_id")[["A", "B", "C"]]
    pd.testing.assert_frame_equal(told, saved.loc[told.index])
    assert set(told.index) == set(spread.index[spread > 0.5])


def test_results_that_are_alike_differ_in_nothing(plans):
    found = compare_many([plans[0]] * 3)
    assert found.sites.empty and found.districts.empty and found.in_all == len(plans[0].sites)
    assert "0 districts whose saving differs" in many_lines([plans[0].summary] * 3, found)


def test_many_results_fit_forty_lines_unless_all_are_asked_for(three):
    found, summaries = compare_many(three * 10), [plan.summary for plan in three * 10]
    lines = many_lines(summaries, found)
    assert len(lines) <= 40
    text = "\n".join(lines)
    assert "and 21 more results" in text
    assert "B asks otherwise than A: Budget ₹15 crore → ₹60 crore" in text
    assert "D asks otherwise than A: nothing" in text
    assert "AD asks otherwise" in "\n".join(many_lines(summaries, found, whole=True))


def test_everything_is_listed_where_it_is_asked_for(plans):
    sites, districts = many(500)
    found = Comparison(compare(*plans).totals, sites, sites, 7, districts)
    lines = comparison_lines(plans[0].summary, plans[1].summary, found, whole=True)
    assert sum(line.startswith("  Place, State") for line in lines) == 1000
    assert sum(line.startswith("  D") for line in lines) == 500


def test_results_have_letters_as_columns_of_a_spreadsheet():
    assert [letter(k) for k in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]

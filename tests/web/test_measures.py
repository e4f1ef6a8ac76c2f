"""Measures of the map and their classes: round, in one unit, the same for drawings, pages and tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tiny_result import HOSTILE

from siting.results.classes import METHODS
from web.map.measures import HATCH, classes_of, classify

PLAN = "/api/v1/plans/tiny"


def get(client, url):
    response = client.get(url)
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.get_json()


@pytest.mark.parametrize(
    "measure",
    ["saving", "saving_per_t", "cost_before", "cost_after", "hours_before", "hours_after", "hours_to_port", "exports",
     "tonnes", "co2e_before", "co2e_after", "co2e_saved"],
)  # fmt: skip
@pytest.mark.parametrize("classes", ["quantile", "equal"])
def test_every_measure_can_be_drawn(client, measure, classes):
    assert client.get(f"{PLAN}/map.svg?measure={measure}&classes={classes}").status_code == 200


def districts_with(savings):
    n = len(savings)
    return pd.DataFrame({"saving_inr_per_year": savings, "under_utilised": True, "saving_inr_per_t": np.arange(n)})


def test_classes_have_round_limits_in_one_unit_and_no_limit_is_empty():
    values = np.geomspace(3e4, 9e8, 50)
    classes = classes_of("saving", [districts_with(values)], "quantile", str)
    assert classes.limits == [2e5, 2e6, 2e7, 1e8]
    assert classes.labels == ["under ₹2 lakh", "₹2–20 lakh", "₹20–200 lakh", "₹200–1,000 lakh", "₹1,000 lakh and more"]
    steps = classes_of("saving", [districts_with(np.linspace(1e7, 9.4e7, 50))], "equal", str)
    assert steps.limits == [2e7, 4e7, 6e7, 8e7]
    assert steps.labels[0] == "under ₹2 crore"


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [1.0, 2.0, 3.0], [100.0, 100.1, 100.2], [1e-3, 1.0]])
@pytest.mark.parametrize("method", METHODS)
def test_few_or_close_values_have_classes_too(values, method):
    found = classify("saving", districts_with(values), method)
    assert sum(count for _colour, _text, count in found.legend) == len(values)
    if len(set(values)) > 1:
        assert found.keys[0] != found.keys[-1]


def test_what_has_no_value_or_none_above_zero_stands_apart():
    table = districts_with([-1.0, 0.0, np.nan, *range(1, 13)])
    table.loc[3, "under_utilised"] = False
    found = classify("saving", table, "quantile")
    assert found.keys[:4] == ["below", "zero", "missing", "leader"]
    assert found.colours[2] == HATCH
    assert len(set(found.colours[:4])) == 4


def test_classes_of_two_plans_are_those_of_all_their_districts(client):
    both = get(client, "/api/v1/classes?plan=tiny&plan=sweep~budget-10&lang=en")
    assert both == get(client, "/api/v1/classes?plan=tiny&lang=en")  # the same plan twice
    for of_measure in both.values():
        for classes in of_measure.values():
            assert len(classes["labels"]) == len(classes["limits"]) + 1
    assert client.get("/api/v1/classes").status_code == 400
    hindi = get(client, "/api/v1/classes?plan=tiny&lang=hi")
    assert hindi["saving"]["quantile"]["labels"] != both["saving"]["quantile"]["labels"]


def test_a_table_holds_the_districts_of_one_class_as_the_map_colours_them(client):
    shown = {}
    for key in ("0", "1", "2", "leader", "zero", "missing"):
        query = f"measure=saving&classes=quantile&class={key}"
        shown[key] = get(client, f"{PLAN}/tables/districts.json?{query}")["columns"]["district"]
    assert shown["leader"] == [HOSTILE]
    assert sorted(name for names in shown.values() for name in names) == sorted(["Aaland", "Beeland", HOSTILE])

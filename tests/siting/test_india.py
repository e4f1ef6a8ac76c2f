"""The national study on the bundled pack."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from geodata.network import great_circle_km
from geodata.pack import open_pack
from siting.model.demand import district_demand
from siting.model.model import build_model
from siting.model.places import build_places
from siting.model.routing import Routing
from siting.parameters import load_parameters
from siting.plan import make_plan
from siting.results.tables import lanes_table, summary
from siting.scenarios.lever_list import levers_of
from siting.study import Study

ISLANDS = {"Andaman and Nicobar Islands", "Lakshadweep"}


@pytest.fixture(scope="module")
def places():
    return build_places(open_pack(), load_parameters())


@pytest.fixture(scope="module")
def model():
    return build_model(Study(name="National"))


def test_no_distance_is_below_the_great_circle(places):
    lon, lat = places.table["lon"].to_numpy(), places.table["lat"].to_numpy()
    straight = great_circle_km(lon[:, None], lat[:, None], lon[None, :], lat[None, :])
    off_diagonal = ~np.eye(len(lon), dtype=bool)
    reachable = np.isfinite(places.road_km) & off_diagonal
    assert (places.road_km[reachable] >= straight[reachable] - 1e-9).all()
    by_rail = straight[:, places.gateways]
    reachable = np.isfinite(places.rail_km)
    assert (places.rail_km[reachable] >= by_rail[reachable]).all()


def test_only_the_islands_are_cut_off(places):
    cut_off = ~np.isfinite(places.road_km[:, places.gateways]).any(axis=1)
    assert set(places.table.loc[cut_off, "state"]) == ISLANDS
    all_islands = places.table["state"].isin(ISLANDS)
    assert cut_off[all_islands].all()


def test_the_national_plan_is_proven_and_adds_up(model):
    plan = make_plan(model)
    s = summary(plan)
    assert s["status"] == "optimal" and s["gap"] <= 1e-3
    assert {d["state"] for d in s["unreachable"]} == ISLANDS
    assert s["counts"]["unreachable"] == len(s["unreachable"]) == 4
    lanes = lanes_table(plan)
    lanes = lanes[lanes["under_utilised"]]
    assert (lanes["cost_inr_per_t"] * lanes["tonnes_per_year"]).sum() == pytest.approx(
        s["after"]["cost_inr_per_year"], rel=1e-9
    )
    assert not set(lanes["state"]) & ISLANDS
    assert 0 < s["saving_inr_per_year"] < 0.2 * s["before"]["cost_inr_per_year"]


def test_part_loads_are_about_as_large_a_share_as_independent_figures_say(model):
    """Part loads make about 10 % of India's road freight; small firms, whose cargo they are, 45.7 % of exports."""
    clients = model.clients.assign(inr=lambda c: c["tonnes_per_year"] * c["time_inr_per_t_h"] * 24)
    clients = clients[clients["cargo_class"] == "general"]
    part = clients["load"] == "part"
    assert 0.05 < clients.loc[part, "tonnes_per_year"].sum() / clients["tonnes_per_year"].sum() < 0.15
    assert 0.05 < clients.loc[part, "inr"].sum() / clients["inr"].sum() < 0.457


def test_boxes_of_punjab_take_the_train_at_its_own_depots(model):
    """Records: 88 % of what Punjab clears at depots, 3.9 of 4.4 billion US$, at those of Ludhiana and Jalandhar."""
    today = Routing.today(model)
    punjab = (model.demand["state"].to_numpy()[today.district] == "Punjab") & (today.lanes.terminal >= 0)
    at = model.places.table["state"].to_numpy()[today.lanes.terminal]
    assert today.tonnes[punjab & (at == "Punjab")].sum() > 0.8 * today.tonnes[punjab].sum()


def test_potential_tonnage_is_never_below_current(model):
    study = Study(name="Potential", tonnage_basis="potential", potential_percentile=75.0)
    potential = district_demand(model.pack, study, model.places, model.parameters)
    current = model.demand
    under = current["under_utilised"]
    for column in ("general_t", "perishable_t"):
        assert (potential[column] >= current[column] - 1e-9).all()
        assert potential.loc[under, column].sum() > current.loc[under, column].sum()
        assert (potential.loc[~under, column] == current.loc[~under, column]).all()


def test_the_levers_of_the_national_study_stand_in_a_scenario_file(model):
    """What it names (the busiest port, who exports most) is reckoned; a change of the data may need another file."""
    file = Path(__file__).parents[2] / "studies" / "levers.toml"
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    assert content["study"] == "national.toml"
    scenarios = content["scenario"]
    levers = {lever.key: lever.variant for lever in levers_of(model)}
    assert list(scenarios) == list(levers)
    for key, variant in levers.items():
        changes = {name: list(value) if isinstance(value, tuple) else value for name, value in variant.changes.items()}
        assert scenarios[key] == changes | ({"parameters": variant.parameters} if variant.parameters else {}), key

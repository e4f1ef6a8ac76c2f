"""The largest share that every state can save at once, against every set of sites."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from geodata.errors import InputError
from siting.cli import build_parser, run_command
from siting.model.model import Model, build_model
from siting.plan import make_plan
from siting.scenarios.fairest import NAME, PRECISION, fairest_plan
from siting.study import Study, study_text

EAST = "Chhattisgarh"
OPEN = ("warehouse@madhya-pradesh/d1", "warehouse@madhya-pradesh/d2", "warehouse@madhya-pradesh/d4",
        "cold_store@madhya-pradesh/d1", "cold_store@madhya-pradesh/d3")  # fmt: skip
"""Sites that brute force looks at."""


@pytest.fixture(scope="module")
def study(free_study: Study, tiny_layers: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The tiny study in two states, the eastern half of the districts in the second; few options, little budget."""
    folder = tmp_path_factory.mktemp("two-states")
    layers = {name: Path(shutil.copy(path, folder / path.name)) for name, path in tiny_layers.items()}
    districts = gpd.read_parquet(layers["districts"])
    districts.loc[districts["lon"] > 79.0, "state"] = EAST
    districts.to_parquet(layers["districts"])
    exports = pd.read_csv(layers["exports"])
    exports["state"] = districts["state"].to_numpy()
    exports.to_csv(layers["exports"], index=False)
    states = districts.dissolve("state").reset_index()[["state", "geometry"]].assign(state_hi=None)
    states.to_parquet(layers["states"])
    return free_study.with_changes(data=layers, budget_inr_crore=25.0, gap=1e-6)


@pytest.fixture(scope="module")
def model(study: Study) -> Model:
    options = build_model(study).options
    kept = options["site_id"].isin(OPEN) & ~options["tier"].isin(["medium", "large"])
    return build_model(study.with_changes(forbidden=tuple(options["option_id"][~kept])))


def shares_of(model: Model, plan: object) -> dict[str, float]:
    """What each state saves of its cost, from the tables of a plan."""
    table = plan.client_table  # type: ignore[attr-defined]
    table = table[table["under_utilised"].to_numpy() & table["cost_inr_per_t_before"].notna().to_numpy()]
    state = model.demand["state"].to_numpy()[table["district"].to_numpy()]
    before = table["cost_inr_per_t_before"] * table["tonnes_per_year"]
    saved = sum(
        (table[f"{part}_inr_per_t_before"] - table[f"{part}_inr_per_t_after"]) * table["tonnes_per_year"]
        for part in ("cost", "taste")
    )
    return (pd.Series(saved).groupby(state).sum() / before.groupby(state).sum()).to_dict()


def by_every_set(model: Model) -> float:
    """The largest smallest share, by a linear program for every set of sites that the budget pays for."""
    problem = model.problem
    clients = model.clients.iloc[model.active]
    state = model.demand["state"].to_numpy(object)[clients["district"].to_numpy()]
    under = clients["under_utilised"].to_numpy(bool)
    quo = model.existing.take(np.isin(model.existing.client, model.active))
    money = (quo.cost_inr_per_t - model.pricer.taste_of(quo)) * clients["tonnes_per_year"].to_numpy()
    saved = problem.unserved_cost[problem.lane_client] - problem.lane_cost
    usable, best = np.setdiff1d(np.arange(problem.n_options), problem.forbidden), 0.0
    for size in range(len(usable) + 1):
        for chosen in itertools.combinations(usable.tolist(), size):
            if problem.capex[list(chosen)].sum() > problem.budget:
                continue
            lanes = np.flatnonzero(np.isin(problem.lane_options, [-1, *chosen]).all(axis=1))
            n = len(lanes)
            rows, limits = [], []
            for name in sorted(set(state)):  # a <= saving / cost
                mine = under & (state == name)
                gain = np.where(mine[problem.lane_client[lanes]], saved[lanes], 0.0) / money[mine].sum()
                rows.append([*(-gain), 1.0])
                limits.append(0.0)
            for client in np.unique(problem.lane_client[lanes]):
                rows.append([*(problem.lane_client[lanes] == client).astype(float), 0.0])
                limits.append(1.0)
            for j in chosen:
                uses = (problem.lane_options[lanes] == j).any(axis=1)
                rows.append([*(uses * problem.demand[problem.lane_client[lanes]] / problem.capacity[j]), 0.0])
                limits.append(1.0)
            found = linprog([*np.zeros(n), -1.0], rows, limits, bounds=[(0, 1)] * n + [(None, None)])
            best = max(best, -found.fun)
    return best


def test_the_share_is_the_largest_that_every_state_can_save(model: Model) -> None:
    """(101), by enumeration."""
    found, truth = fairest_plan(model), by_every_set(model)
    assert truth > 0.001
    assert found.share <= truth * (1 + 1e-6) <= found.share_at_most * (1 + 2e-6)
    assert found.share_at_most - found.share <= 1.01 * PRECISION * found.share_at_most + 1e-6
    shares = shares_of(model, found.plan)
    assert set(shares) == {EAST, "Madhya Pradesh"} and min(shares.values()) >= found.share - 1e-9


def test_the_cheapest_plan_gives_some_state_less_and_costs_no_more(model: Model) -> None:
    found, cheapest = fairest_plan(model), make_plan(model)
    assert min(shares_of(model, cheapest).values()) <= found.share_at_most
    assert cheapest.solution.objective <= found.plan.solution.objective * (1 + 1e-6)
    assert found.plan.model.study.rules[-1]["at_least_share"] == found.share


def test_where_nothing_can_be_saved_nothing_is_shared(model: Model) -> None:
    every = tuple(model.options["option_id"])
    with pytest.raises(InputError, match="no state can save anything"):
        fairest_plan(build_model(model.study.with_changes(forbidden=every)))


def test_the_command_tells_share_and_price_and_writes_a_result_that_stands_by_itself(
    model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "study.toml").write_text(study_text(model.study, tmp_path), encoding="utf-8")
    parser, _ = build_parser()
    assert run_command(parser, ["fairest", str(tmp_path / "study.toml"), "--out", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Every state saves at least ")
    told = json.loads((tmp_path / "out" / "plan.json").read_text(encoding="utf-8"))
    (rule,) = told["resolved_study"]["rules"]
    assert rule["name"] == NAME and rule["at_least_share"] > 0
    assert told["rules"][0]["price_inr_per_year"] >= 0

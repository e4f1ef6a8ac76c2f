"""Ways of a plan's cargo: through one site, and of one district with its next best way and where it would save most."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.model.costs import Array
from siting.model.lanes import NONE
from siting.model.model import Model
from siting.plan import Plan

Index = NDArray[np.int64]


def _through(plan: Plan, j: int) -> tuple[Index, Array, Index]:
    """Of the plan's lanes through an option: row, counted tonnes, and client."""
    after, weight = plan.after, plan.model.clients["weight"].to_numpy()
    rows = np.flatnonzero((after.options == j).any(axis=1))
    client = after.lanes.client[rows]
    return rows, after.tonnes[rows] * weight[client], client


def components_through(plan: Plan, j: int) -> dict[str, float]:
    """What the cargo through an option pays before less after, by component; of a lane with two all of it."""
    rows, tonnes, client = _through(plan, j)
    before, after = plan.before, plan.after
    of_lane = np.zeros(len(after.lanes))
    of_lane[rows] = tonnes
    of_client = np.bincount(client, tonnes, minlength=len(plan.model.clients))
    taste = plan.model.pricer.taste_of
    parts = {}
    for name in before.cost_components:
        then = before.cost_components[name] @ of_client[before.lanes.client[before.lane_of_part]]
        now = after.cost_components[name] @ of_lane[after.lane_of_part]
        parts[name] = float(then - now)
    parts["taste"] = float(taste(before.lanes) @ of_client[before.lanes.client] - taste(after.lanes) @ of_lane)
    return parts


def gainers_through(plan: Plan, j: int) -> pd.DataFrame:
    """Districts with cargo through an option: ``SiteReason.districts``."""
    rows, tonnes, client = _through(plan, j)
    today = np.full(len(plan.model.clients), np.nan)
    today[plan.model.existing.client] = plan.model.existing.cost_inr_per_t
    use = pd.DataFrame({
        "row": plan.model.clients["district"].to_numpy()[client],
        "tonnes_per_year": plan.after.tonnes[rows],
        "saving_inr_per_year": (today[client] - plan.after.lanes.cost_inr_per_t[rows]) * tonnes,
    }).groupby("row", as_index=False).sum()  # fmt: skip
    names = plan.model.demand[["district_id", "district"]].iloc[use.pop("row")].reset_index(drop=True)
    return names.join(use).sort_values("saving_inr_per_year", ascending=False, ignore_index=True)


def own_worth(plan: Plan, row: int) -> Array:
    """(n_options,) what a district's own cargo would save a year through each closed option, beside the plan."""
    problem = plan.model.problem
    rows = _rows_of(plan.model, row)
    now = _cost_now(plan)[problem.lane_client[rows]]
    gain = np.clip(now - problem.lane_cost[rows], 0.0, None)
    worth = np.zeros(len(plan.model.options))
    reachable = np.isin(problem.lane_options[rows], [NONE, *plan.solution.open]).sum(axis=1) >= 1
    table = pd.DataFrame({
        "client": np.repeat(problem.lane_client[rows], 2), "option": problem.lane_options[rows].ravel(),
        "gain": np.repeat(np.where(reachable, gain, 0.0), 2),
    })  # fmt: skip
    table = table[~table["option"].isin([NONE, *plan.solution.open])]
    best = table.groupby(["option", "client"])["gain"].max().groupby("option").sum()
    worth[best.index] = best
    return worth


def _rows_of(model: Model, row: int) -> Index:
    """Lanes of the problem that belong to a district."""
    of_client = model.clients["district"].to_numpy()[model.active] == row
    return np.flatnonzero(of_client[model.problem.lane_client])


def _cost_now(plan: Plan) -> NDArray[np.float64]:
    """(n problem clients,) cost of a year with the plan."""
    problem, solution = plan.model.problem, plan.solution
    cost = np.bincount(
        problem.lane_client, problem.lane_cost * solution.lane_share, minlength=problem.n_clients
    ).astype(float)
    left = np.flatnonzero(solution.unserved_share > 0)
    cost[left] += problem.unserved_cost[left] * solution.unserved_share[left]
    return cost


def ways_of(plan: Plan, row: int) -> pd.DataFrame:
    """See `DistrictReason.ways`; shippers of a client with the same way are one row."""
    model, after = plan.model, plan.after
    today = np.full(len(model.clients), np.nan)
    today[model.existing.client] = model.existing.cost_inr_per_t
    lanes = np.flatnonzero(after.district == row)
    client = after.lanes.client[lanes]
    others = _next_best(plan, row)
    table = pd.DataFrame({
        "cargo_class": model.clients["cargo_class"].to_numpy()[client],
        "load": model.clients["load"].to_numpy()[client],
        "via": [_named(model, pair) for pair in after.options[lanes]],
        "next_via": [others.get(c, ("", np.nan))[0] for c in client.tolist()],
        "tonnes_per_year": after.tonnes[lanes],
        "before_inr_per_t": today[client], "after_inr_per_t": after.lanes.cost_inr_per_t[lanes],
        "next_inr_per_t": [others.get(c, ("", np.nan))[1] for c in client.tolist()],
    })  # fmt: skip
    money = [f"{name}_inr_per_t" for name in ("before", "after", "next")]
    table[money] = table[money].mul(table["tonnes_per_year"], axis=0)
    table = table.groupby(["cargo_class", "load", "via", "next_via"], as_index=False)[["tonnes_per_year", *money]].sum(
        min_count=1
    )
    table[money] = table[money].div(table["tonnes_per_year"], axis=0)
    return table


def _next_best(plan: Plan, row: int) -> dict[int, tuple[str, float]]:
    """Of each client: the cheapest way through other options than it uses, with its cost per tonne."""
    model, problem, solution = plan.model, plan.model.problem, plan.solution
    best: dict[int, tuple[str, float]] = {}
    rows = _rows_of(plan.model, row)
    used = {(int(problem.lane_client[r]), tuple(problem.lane_options[r])) for r in rows if solution.lane_share[r] > 0}
    for r in rows[np.argsort(problem.lane_cost[rows], kind="stable")]:
        at, pair = int(problem.lane_client[r]), tuple(problem.lane_options[r])
        client = int(model.active[at])
        if client not in best and (at, pair) not in used:
            cost = float(model.row_cost_inr_per_t[r])
            best[client] = (_named(model, pair), cost)
    return best


def _named(model: Model, pair: Iterable[int]) -> str:
    """The options of a lane."""
    return " + ".join(str(model.options["option_id"].iat[j]) for j in pair if j != NONE)

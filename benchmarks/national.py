"""The national study and a generated sub-district problem: seconds from lanes, and of what-if questions."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from siting.session import Session
from siting.solver import FacilityProblem, solve
from siting.study import load_study

STUDY = Path(__file__).parents[1] / "studies" / "national.toml"
CHANGES = 50
GAPS = (1e-3, 1e-4)


def measure_national(repeat: int) -> list[dict[str, Any]]:
    """Cold solves from lanes and what-if questions of the national study, at each of `GAPS`."""
    session = Session(load_study(STUDY))
    rows = []
    for gap in GAPS:
        cold = [solve(session.model.problem, gap=gap) for _ in range(repeat + 1)][1:]
        rows.append(_row(f"national, gap {gap:g}, from lanes", [a.wall_s for a in cold], max(a.gap for a in cold)))
        seconds, gaps = [], []
        plan = session.solve(gap=gap)
        for changes in random_changes(session, plan.capex_inr_crore, plan.solution.open):
            began = time.perf_counter()
            answer = session.solve(gap=gap, **changes)
            seconds.append(time.perf_counter() - began)
            gaps.append(answer.solution.gap)
        rows.append(_row(f"national, gap {gap:g}, what-if", seconds, max(gaps)))
    return rows


def random_changes(session: Session, spent_inr_crore: float, opened: Any) -> list[dict[str, Any]]:
    """One change each, in turn: another budget, a forced site, a site of the plan forbidden, a gateway closed."""
    rng = np.random.default_rng(0)
    names = np.array(session.model.problem.option_names)
    table, gateways = session.model.places.table, session.model.places.gateways
    gateway_ids = table["place_id"].iloc[gateways].tolist()
    changes: list[dict[str, Any]] = []
    for k in range(CHANGES):
        changes.append(
            [
                {"budget_inr_crore": round(float(spent_inr_crore * rng.uniform(0.3, 1.2)))},
                {"forced": (str(rng.choice(names)),)},
                {"forbidden": (str(rng.choice(names[opened])).split("@")[1],)},
                {"closed_gateways": (str(rng.choice(gateway_ids)),)},
            ][k % 4]
        )
    return changes


def generated(clients: int = 6000, options: int = 3000) -> FacilityProblem:
    """Sub-districts about towns, a cost by distance, a status quo worth three fifths of the way to the coast."""
    rng = np.random.default_rng(0)
    towns = rng.random((60, 2)) * 2000
    people = towns[rng.integers(0, 60, clients)] + rng.normal(0, 80, (clients, 2))
    sites = people[rng.choice(clients, options, replace=False)] + rng.normal(0, 5, (options, 2))
    tonnes = rng.lognormal(0, 1, clients)
    distance = np.linalg.norm(people[:, None] - sites[None], axis=2)
    capex = rng.uniform(5, 25, options)
    return FacilityProblem.from_costs(
        (distance + 20) * tonnes[:, None],
        fixed_cost=20 * capex,
        capex=capex,
        budget=2000.0,
        unserved_cost=tonnes * np.minimum(0.6 * people[:, 0].clip(50), 600),
    )


def measure_generated() -> list[dict[str, Any]]:
    """One solve to half a percent."""
    answer = solve(generated(), gap=5e-3, time_limit=60)
    return [_row("generated 6000 x 3000, gap 0.005", [answer.wall_s], answer.gap)]


def _row(name: str, seconds: list[float], gap: float) -> dict[str, Any]:
    return {
        "instance": name,
        "seconds": sorted(seconds),
        "gap": gap,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(measure_generated() if sys.argv[1] == "generated" else measure_national(int(sys.argv[2]))))

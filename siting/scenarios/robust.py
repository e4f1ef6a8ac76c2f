"""Plans held against several futures: joint draws of the uncertain parameters, or the scenarios of a file.

What is decided now, every plan keeps in every future as the study asks it: budget, at the study's own prices of sites,
forced and forbidden options, rules over options. What a future changes is what cargo costs, how much there is, what
sites hold and what they cost a year. A site that cannot come to its minimum throughput in some future stands idle there
and costs what it costs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from geodata.errors import Fault, InputError
from geodata.folders import atomic_folder
from siting.certainty import CORE, SEPARATOR, site_of
from siting.model.costs import Array
from siting.model.model import InfeasibleError, Model, build_model, close_gateways, repriced, restated
from siting.plan import stated
from siting.results.cells import write_csv
from siting.scenarios.batch import Batch
from siting.scenarios.draws import draw_parameters
from siting.session import LIMITS
from siting.solver import Best, FacilityProblem, Robust, solve, solve_futures
from siting.study import Study

Told = Callable[[str], None]
ROBUST_FILES = ("regret.csv", "robust_plans.csv", "robust_sites.csv", "robust.json")
ASKED = ("name", "gap", "time_limit_s")
"""Keys that a future may give otherwise, to no effect."""


@dataclass(frozen=True)
class Futures:
    """The model of a study and what it becomes in each future.

    Args:
        names: one of each future.
        problems: its problem, over the same options.
    """

    model: Model
    names: tuple[str, ...]
    problems: tuple[FacilityProblem, ...]

    @cached_property
    def today(self) -> Array:
        """(n_futures,) what all cargo costs a year in each future with nothing built."""
        return np.array([float(p.unserved_cost.sum()) for p in self.problems])


def drawn_futures(study: Study, n: int, progress: Told = lambda what: None) -> Futures:
    """n joint draws of the uncertain parameters of a study, as of :mod:`siting.scenarios.draws`.

    Raises:
        InputError: a fault of the study or its data.
    """
    progress("the model")
    study.refuse_phases("siting robust")
    model = build_model(study)
    table = draw_parameters(model.parameters, n, study.seed)
    problems = []
    for k, row in enumerate(table.to_dict("records")):
        progress(f"prices of draw {k + 1} of {n}")
        problems.append(repriced(model, {str(key): float(value) for key, value in row.items()}).problem)
    return Futures(model, tuple(f"draw {k + 1}" for k in range(n)), tuple(problems))


def named_futures(batch: Batch, progress: Told = lambda what: None) -> Futures:
    """The scenarios of a file as futures of its base study.

    Raises:
        InputError: a scenario that decides otherwise (its budget, forced or forbidden sites, rules, what may be
            built), or a fault of its study or data.
    """
    base = batch.base
    base.refuse_phases("siting robust")
    faults = [
        Fault(
            f"scenario {each.name!r} decides {key} otherwise; a future only happens",
            "leave the key out, or write it into the study", column=key,
        )
        for each in batch.scenarios
        for key in sorted((LIMITS - set(ASKED)) | {"facility_types", "capital_charge"})
        if getattr(each.study, key) != getattr(base, key)
    ]  # fmt: skip
    if faults:
        raise InputError(faults)
    progress("the model")
    all_open = build_model(base.with_changes(closed_gateways=()))
    model = close_gateways(all_open, base.closed_gateways)
    problems = []
    for each in batch.scenarios:
        progress(f"prices of {each.name}")
        future = restated(all_open, each.study)
        if not future.options["option_id"].equals(model.options["option_id"]):
            what = f"scenario {each.name!r} has other options than the study"
            raise InputError(Fault(what, "change what happens, not what may be built"))
        problems.append(future.problem)
    return Futures(model, tuple(each.name for each in batch.scenarios), tuple(problems))


@dataclass(frozen=True)
class RobustPlans:
    """Plans of a study, each held against every future.

    Args:
        found: what is proven, costs in INR a year.
        base: the study's own plan, as sorted rows of the options.
    """

    futures: Futures
    found: Robust
    base: tuple[int, ...]

    @cached_property
    def _names(self) -> list[str]:
        return [str(name) for name in self.futures.model.options["option_id"]]

    def _number(self, best: Best) -> int | None:
        """Row of a plan."""
        if best.open is None:
            return None
        wanted = tuple(best.open.tolist())
        return next(k for k, opened in enumerate(self.found.plans) if tuple(opened.tolist()) == wanted)

    @cached_property
    def roles(self) -> list[str]:
        """What each plan is: the study's own, the best of a future, the best on average, of least regret, or found."""
        roles: list[list[str]] = [[] for _ in self.found.plans]
        for best, role in ((self.found.regret, "least regret"), (self.found.expected, "best on average")):
            if (k := self._number(best)) is not None:
                roles[k].append(role)
        for k, opened in enumerate(self.found.plans):
            if tuple(opened.tolist()) == self.base:
                roles[k].append("the study's own")
        for name, best in zip(self.futures.names, self.found.optimum, strict=True):
            if (k := self._number(best)) is not None:
                roles[k].append(f"best of {name}")
        return ["; ".join(role) or "found on the way" for role in roles]

    @property
    def proven(self) -> bool:
        """Whether the best on average is proven within the study's gap."""
        best, gap = self.found.expected, self.futures.model.study.gap
        return best.open is not None and best.value - best.bound <= gap * abs(best.value)

    @cached_property
    def order(self) -> list[int]:
        """Plans by their greatest regret."""
        worst = self.found.regrets.max(axis=1)
        return [int(k) for k in np.argsort(worst, kind="stable")]

    def regret_table(self) -> pd.DataFrame:
        """``regret.csv``"""
        rows, low = [], [best.bound for best in self.found.optimum]
        for number, k in enumerate(self.order):
            for future, name in enumerate(self.futures.names):
                cost = self.found.cost[k, future]
                known = np.isfinite(cost)
                rows.append({
                    "plan": number + 1,
                    "future": name,
                    "benefit_inr_per_year": self.futures.today[future] - cost if known else np.nan,
                    "regret_inr_per_year": self.found.regrets[k, future] if known else np.nan,
                    "regret_at_most_inr_per_year": max(cost - low[future], 0.0) if known else np.nan,
                })  # fmt: skip
        return pd.DataFrame(rows)

    def plan_table(self) -> pd.DataFrame:
        """``robust_plans.csv``"""
        capex = self.futures.model.problem.capex
        rows = []
        for number, k in enumerate(self.order):
            opened, regret = self.found.plans[k], self.found.regrets[k]
            kept = bool(np.isfinite(regret).all())
            mean = float(self.found.weight @ (self.futures.today - self.found.cost[k])) if kept else np.nan
            rows.append({
                "plan": number + 1,
                "role": self.roles[k],
                "sites": len(opened),
                "capex_inr_crore": float(capex[opened].sum()),
                "mean_benefit_inr_per_year": mean,
                "most_regret_inr_per_year": float(regret.max()) if kept else np.nan,
                "worst_future": self.futures.names[int(np.argmax(regret))],
                "option_ids": SEPARATOR.join(self._names[j] for j in opened),
            })  # fmt: skip
        return pd.DataFrame(rows)

    def site_table(self) -> pd.DataFrame:
        """``robust_sites.csv``"""
        optima = [self._sites(best) for best in self.found.optimum]
        own = {site_of(self._names[j]) for j in self.base}
        named = {"best_on_average": self._sites(self.found.expected), "least_regret": self._sites(self.found.regret)}
        rows = []
        for site in sorted(set().union(own, *optima, *named.values())):
            share = sum(site in sites for sites in optima) / len(optima)
            rows.append({
                "site_id": site,
                "share_of_futures": share,
                "verdict": verdict_of(share),
                "in_study_plan": site in own,
                **{f"in_{name}": site in sites for name, sites in named.items()},
            })  # fmt: skip
        table = pd.DataFrame(rows, columns=["site_id", "share_of_futures", "verdict", "in_study_plan",
                                            "in_best_on_average", "in_least_regret"])  # fmt: skip
        return table.sort_values(["share_of_futures", "site_id"], ascending=[False, True], ignore_index=True)

    def _sites(self, best: Best) -> set[str]:
        return set() if best.open is None else {site_of(self._names[j]) for j in best.open}

    def summary(self) -> dict[str, object]:
        """``robust.json``"""
        found, study = self.found, self.futures.model.study
        today = float(found.weight @ self.futures.today)
        low, high = found.perfect_information
        return {
            "study": study.name,
            "fingerprint": study.fingerprint(self.futures.model.pack),
            "futures": list(self.futures.names),
            "plans": len(found.plans),
            "best_on_average": {
                "plan": self._rank(found.expected),
                "benefit_inr_per_year": _known(today - found.expected.value),
                "benefit_at_most_inr_per_year": _known(today - found.expected.bound),
            },
            "least_regret": {
                "plan": self._rank(found.regret),
                "regret_inr_per_year": _known(found.regret.value),
                "regret_at_least_inr_per_year": _known(found.regret.bound),
            },
            "perfect_information": {"low_inr_per_year": _known(low), "high_inr_per_year": _known(high)},
        }

    def _rank(self, best: Best) -> int | None:
        """Number of a plan in the tables."""
        k = self._number(best)
        return None if k is None else self.order.index(k) + 1


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def verdict_of(share: float) -> str:
    """What the share of futures whose best plan has a site makes it.

    >>> [verdict_of(share) for share in (1.0, 0.9, 0.5, 0.0)]
    ['core, in all', 'core', 'conditional', 'never']
    """
    if share == 1.0:
        return "core, in all"
    return "core" if share >= CORE else "conditional" if share > 0 else "never"


def robust_plans(futures: Futures, progress: Told = lambda what: None) -> RobustPlans:
    """Hold the study's own plan, the best of each future and those found on the way against every future.

    Args:
        progress: told what is looked for.

    Raises:
        InfeasibleError: no plan keeps the study's limits, or none does in some future.
        TimeoutError: the study's plan was not found within its time limit.
    """
    model = stated(futures.model)
    study = model.study
    progress("the study's own plan")
    own = solve(model.problem, gap=study.gap, time_limit=study.time_limit_s)
    if own.status == "infeasible":
        raise InfeasibleError(Fault(f"no plan fits: {own.message}", "loosen what the study asks", study.name))
    if own.status == "unknown":
        raise TimeoutError(f"{study.name}: {own.message} (time_limit_s)")
    found = solve_futures(
        model.problem, futures.problems, plans=[own.open], gap=study.gap, time_limit=study.time_limit_s,
        progress=progress,
    )  # fmt: skip
    without = [name for name, best in zip(futures.names, found.optimum, strict=True) if best.open is None]
    if without:
        what = f"no plan serves all cargo in {', '.join(without[:3])}"
        raise InfeasibleError(Fault(what, "leave this future out, or loosen a rule", study.name))
    return RobustPlans(replace(futures, model=model), found, tuple(own.open.tolist()))


def write_robust(plans: RobustPlans, out: Path) -> None:
    """Write the tables of plans and futures.

    Raises:
        InputError: ``out`` holds anything that was not written here.
        OSError: they cannot be written.
    """
    with atomic_folder(out, ROBUST_FILES) as folder:
        write_csv(plans.regret_table(), folder / "regret.csv")
        write_csv(plans.plan_table(), folder / "robust_plans.csv")
        write_csv(plans.site_table(), folder / "robust_sites.csv")
        text = json.dumps(plans.summary(), indent=1, ensure_ascii=False)
        (folder / "robust.json").write_text(text + "\n", encoding="utf-8")

"""Building beside everything else that could be done: levers, what each changes, what it costs and whom.

A lever is a study with something changed: few facility types, hours of customs saved, freight refunded. Of lever v

    S_v = C_0 - C_v + R_v - R_0                   what exporters save of today's cost, no site built          (90)
    T_v = E_v - E_0                               what the exchequer pays them more than it gets              (91)
    W_v = S_v - T_v - K_v                         what it is worth to all together                            (92)

with C what all cargo that counts pays today, taste included, R the freight refunded of it, E all transfers (credit and
refund less the revenue of a carbon price), and K the lever's own cost a year, in resources. Of what is built, S is what
the sites save before their own cost, and K their running cost and the capital that the cargo bears, spread over the
appraisal years. A rule of the plan changes nothing today: its hours and CO2e are those of the plan. Shippers keep their
tastes in rupees. The plan is chosen anew with every lever in place. What other cargo saves by a lever, the leaders' by
default, stands beside and is in no figure of worth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from siting.model.costs import appraisal_factor
from siting.money import INR_PER_CRORE
from siting.plan import Plan
from siting.scenarios.lever_list import BUILD, GROWTH, RULE, Lever
from siting.scenarios.variants import answer_variants
from siting.transfers import Transfers

THE_PLAN = "The plan of this study"


def lever_table(
    plan: Plan,
    levers: Sequence[Lever],
    *,
    workers: int = 1,
    scheduler: str | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> pd.DataFrame:
    """What each lever does to the plan's study, the plan itself in the first row.

    Returns:
        ``levers.csv``: columns as in ``schema.csv``; a lever that cannot be answered says why.
    """
    variants = [lever.variant for lever in levers]
    found = answer_variants(plan, variants, effects, workers=workers, scheduler=scheduler, progress=progress)
    now = effects(plan)
    rows = [{"lever": "plan", "kind": BUILD, "name": THE_PLAN, "setting": "", "status": plan.solution.status,
             "message": "", "paper": "", "note": "", **compared(now, now, BUILD, np.nan)}]  # fmt: skip
    for lever, answer in zip(levers, found.to_dict("records"), strict=True):
        told = {"lever": lever.key, "kind": lever.kind, "name": lever.variant.name, "setting": lever.setting,
                "status": answer["status"], "message": answer["message"], "paper": lever.paper,
                "note": lever.note}  # fmt: skip
        if answer["status"] != "failed":
            told |= compared(now, answer, lever.kind, lever.public_inr_per_year)
        rows.append(told)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"sites": "Int64"})


COLUMNS = (
    "lever", "kind", "name", "setting", "status", "message", "today_saving_inr_per_year", "today_taste_inr_per_year",
    "money_saving_share", "others_saving_inr_per_year", "hours_change", "co2e_change_t_per_year",
    "transfer_inr_per_year", "public_cost_inr_per_year", "cost_per_rupee", "worth_inr_per_year",
    "plan_saving_inr_per_year", "plan_change_inr_per_year", "plan_cost_inr_per_year", "sites", "paper", "note",
)  # fmt: skip
"""Of ``levers.csv``; ``schema.csv`` gives their meaning."""


def effects(plan: Plan) -> dict[str, Any]:
    """What levers are compared by: today's cargo, transfers on it, and the plan."""
    before, after = plan.totals("before"), plan.totals("after")
    transfers = Transfers.of(plan.before)
    annual_inr = plan.borne_capital_inr_crore * INR_PER_CRORE / appraisal_factor(plan.model.parameters)
    running_inr = plan.fixed_cost_inr_per_year
    table = plan.client_table
    others_t = table["tonnes_per_year"] * (1.0 - table["weight"])
    return {
        "cost_inr": before["cost_inr_per_year"],
        "taste_inr": before["taste_inr_per_year"],
        "others_inr": float((table["cost_inr_per_t_before"] * others_t).sum()),
        "hours": before["mean_hours"],
        "co2e_t": before["co2e_t_per_year"],
        "refund_inr": transfers.freight_refund_inr_per_year,
        "transfer_inr": transfers.export_credit_inr_per_year
        + transfers.freight_refund_inr_per_year
        - transfers.carbon_revenue_inr_per_year,
        "saving_inr": plan.net_saving_inr_per_year,
        "gross_inr": plan.net_saving_inr_per_year + plan.use_capital_inr_per_year + running_inr,
        "taste_by_sites": before["taste_inr_per_year"] - after["taste_inr_per_year"],
        "own_inr": annual_inr + running_inr,
        "hours_by_sites": after["mean_hours"] - before["mean_hours"],
        "co2e_by_sites": after["co2e_t_per_year"] - before["co2e_t_per_year"],
        "sites": len(plan.opened),
    }


def compared(now: Mapping[Any, Any], found: Mapping[Any, Any], kind: str, public_inr: float) -> dict[str, Any]:
    """Columns of a row: a lever's `effects` against those of the study as it is."""
    taste = now["taste_inr"] - found["taste_inr"]
    saved = now["cost_inr"] - found["cost_inr"] + taste + found["refund_inr"] - now["refund_inr"]  # (90)
    hours, co2e = found["hours"] - now["hours"], found["co2e_t"] - now["co2e_t"]
    if kind == BUILD:
        saved, taste, public_inr = saved + found["gross_inr"], taste + found["taste_by_sites"], found["own_inr"]
        hours, co2e = hours + found["hours_by_sites"], co2e + found["co2e_by_sites"]
    if kind == RULE:
        hours, co2e = (found[key] - now[key] for key in ("hours_by_sites", "co2e_by_sites"))
    transfer = found["transfer_inr"] - now["transfer_inr"]  # (91)
    paid = public_inr + max(transfer, 0.0)
    return {
        "today_saving_inr_per_year": saved,
        "today_taste_inr_per_year": taste,
        "money_saving_share": (saved - taste) / now["cost_inr"] if now["cost_inr"] > 0 else np.nan,
        "others_saving_inr_per_year": now["others_inr"] - found["others_inr"],
        "hours_change": hours,
        "co2e_change_t_per_year": co2e,
        "transfer_inr_per_year": transfer,
        "public_cost_inr_per_year": public_inr,
        "cost_per_rupee": paid / saved if saved > 0 and paid > 0 else np.nan,
        "worth_inr_per_year": np.nan if kind in (RULE, GROWTH) else saved - transfer - public_inr,  # (92)
        "plan_saving_inr_per_year": found["saving_inr"],
        "plan_change_inr_per_year": found["saving_inr"] - now["saving_inr"],
        "plan_cost_inr_per_year": found["own_inr"],
        "sites": found["sites"],
    }

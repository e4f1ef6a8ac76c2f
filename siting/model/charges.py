"""What a site's capital costs its users: a part that is due whether it is used or not, and a part per tonne.

A park or a cargo terminal serves all cargo, of which the exports of a study are a part, and is built by two purses. The
operator's capital, upkeep and staff are in its tariff, which every lane through it pays; charged again they would count
twice. The public share is charged in two parts. Of a site j that costs K_j and holds U_j tonnes a year

    k_j = g K_j                                   public capital, which counts in the budget              (50)
    f_j = phi k_j (1/A + m) + s_j                 due a year, whether used or not                         (51)
    p_j = (1 - phi) k_j (1/A + m) / (u U_j)       per tonne, of all cargo that uses it                    (52)

with g the public share, phi the take-or-pay share, u the utilisation by all cargo, A the present value of one rupee a
year over the appraisal period, m upkeep a year and s_j staff that a site needs, used or not. A warehouse or cold store
is the study's own: g = 1 and phi = 1, so that all of it is due and nothing is charged per tonne.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.model.costs import Array, appraisal_factor
from siting.money import INR_PER_CRORE

SHARED = {"mmlp": "mmlp_public_share", "cargo_terminal": "cargo_terminal_public_share"}
"""Facility types that serve all cargo, and the parameter that says what share of their capital is public."""


def two_part_charges(
    facility_type: NDArray[np.object_],
    project_cost_inr_crore: Array,
    public_inr_crore: Array,
    capacity_t_per_year: Array,
    p: Mapping[str, float],
) -> dict[str, Array]:
    """Divide the capital of options by (50) to (52).

    Args:
        public_inr_crore: the public part where it has been announced, else NaN.

    Returns:
        ``capex_inr_crore`` (public), ``due_capital_inr_crore`` (of it, due whether used or not),
        ``upkeep_inr_per_year`` (of what is due), ``use_charge_inr_per_t`` and ``use_capital_inr_per_t`` (of it, what
        pays for capital).
    """
    shared = np.isin(facility_type, list(SHARED))
    g = np.ones(len(facility_type))
    for kind, key in SHARED.items():
        g[facility_type == kind] = p[key]
    public = np.where(np.isnan(public_inr_crore), g * project_cost_inr_crore, public_inr_crore)  # (50)
    due = np.where(shared, p["take_or_pay_share"], 1.0)
    used_t = p["terminal_utilisation"] * capacity_t_per_year  # of what is due whole nothing is paid by use
    upkeep = p["om_fraction_per_year"]
    per_use_inr = (1.0 - due) * public * INR_PER_CRORE / used_t
    return {
        "capex_inr_crore": public,
        "due_capital_inr_crore": due * public,
        "upkeep_inr_per_year": due * public * upkeep * INR_PER_CRORE,  # (51)
        "use_charge_inr_per_t": per_use_inr * (1.0 / appraisal_factor(p) + upkeep),  # (52)
        "use_capital_inr_per_t": per_use_inr / appraisal_factor(p),
    }


def charge_of_use(
    options: pd.DataFrame, needs: NDArray[np.integer[Any]], column: str = "use_charge_inr_per_t"
) -> Array:
    """(n,) what lanes pay per tonne for the options they use, (n, 2) rows of ``options`` or -1 for none."""
    charge = np.append(options[column].to_numpy(np.float64), 0.0)  # position -1 is "none"
    paid: Array = charge[needs].sum(axis=1)
    return paid

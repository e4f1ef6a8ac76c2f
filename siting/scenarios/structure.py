"""What the answer rests on besides numbers: each choice of structure switched back, one at a time.

A choice of structure is how the model sees the world: that capital costs something, that grain ships full. Each was
made for a reason and moves the answer by more than most parameters do, so a reader is owed the answer without it.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from siting.plan import Plan
from siting.scenarios.variants import Variant, answer_variants, outline
from siting.study import Study

AS_IT_IS = "This study as it is"

CHOICES = (
    Variant("Capital costs nothing within the budget", {"capital_charge": False}),
    Variant(
        "Part loads by volume alone, whatever the goods",
        parameters={"part_loads_by_sector": 0.0, "part_load_volume_exponent": 1.0},
    ),
    Variant("No box is brought empty", parameters={"empty_box_share": 0.0}),
    Variant("New sites need no customs staff", parameters={"customs_staff_inr_crore_per_year": 0.0}),
    Variant(
        "Customs serve a site however few its boxes",
        parameters={"freight_station_min_teu_per_year": 0.0, "inland_depot_min_teu_per_year": 0.0},
    ),
    Variant(
        "Parks and cargo terminals bear all their capital, used or not",
        parameters={"take_or_pay_share": 1.0, "mmlp_public_share": 1.0, "cargo_terminal_public_share": 1.0},
    ),
    Variant("New terminals have one train a week", parameters={"rail_trains_per_week": 1.0}),
    Variant("New terminals have four trains a week", parameters={"rail_trains_per_week": 4.0}),
    Variant("Rare trains cost shippers the wait alone", parameters={"rare_trains_of_freight": 0.0}),
    Variant("Exporters take the cheapest port, whatever records show", {"shippers": 0}),
)
"""Each as the study with the choice switched back."""


def choices_of(study: Study) -> list[Variant]:
    """The choices that a study has not switched back already."""
    parameters = study.parameter_values()
    return [
        choice
        for choice in CHOICES
        if any(getattr(study, key) != value for key, value in choice.changes.items())
        or any(parameters[key] != value for key, value in choice.parameters.items())
    ]


def structure_table(
    plan: Plan,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> pd.DataFrame:
    """The plan's study with each choice of structure switched back; what it has switched back already is left out.

    Returns:
        ``structure.csv``: a row for the plan itself, then one per choice, with columns as
        :func:`siting.scenarios.variants.answer_variants` and :func:`~siting.scenarios.variants.outline` give them.
    """
    asked = choices_of(plan.model.study)
    rows = answer_variants(plan, asked, outline, workers=workers, scheduler=scheduler, progress=progress)
    itself = {"variant": AS_IT_IS, "status": plan.solution.status, "message": "", **outline(plan)}
    return pd.concat([pd.DataFrame([itself]), rows], ignore_index=True)

"""A study kept at hand: what-if questions answered from the last answer instead of from nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from siting.model.model import Model, build_model, close_gateways
from siting.plan import Plan, make_plan
from siting.solver import Progress, Solution
from siting.stages import Announce
from siting.study import Study

LIMITS = frozenset({"name", "budget_inr_crore", "forced", "forbidden", "gap", "time_limit_s", "rules"})
"""Fields of a study that change no lane."""


class Session:
    """Answers to one study under changes, each search starting from the answer before.

    The session keeps matrices, lanes and the problem; a change of limits only re-solves, a closed gateway
    re-prices the lanes it carried, any other change of the study re-prices all. Every question is put to the
    study as given: changes do not add up.

    Args:
        study: the study; its model is built at once.
        progress: called with the name of each stage.
        watch: told the bound and the best plan so far at least twice a second while a search runs.
    """

    def __init__(
        self,
        study: Study,
        progress: Announce = lambda stage: None,
        watch: Callable[[Progress], None] | None = None,
    ) -> None:
        self.study = study
        self.progress = progress
        self.watch = watch
        self.model = build_model(study.with_changes(closed_gateways=()), progress)
        self.last: Solution | None = None
        self._changed: tuple[Study, Model] = (self.model.study, self.model)

    def solve(self, closed_gateways: Iterable[str] | None = None, **changes: Any) -> Plan:
        """Best plan of the study with some fields changed, for example ``budget_inr_crore=2500``.

        Args:
            closed_gateways: ``gateway_id`` of the gateways that take no cargo; None: those of the study.
            changes: fields of `Study` with their new values.

        Raises:
            InputError: unknown gateways or sites, or none of the gateways open.
        """
        closed = self.study.closed_gateways if closed_gateways is None else tuple(sorted(set(closed_gateways)))
        limits = {key: value for key, value in changes.items() if key in LIMITS}
        model = self._model(closed, {k: v for k, v in changes.items() if k not in LIMITS})
        plan = make_plan(model, self.progress, start=self.last, watch=self.watch, **limits)
        self.last = plan.solution
        return plan

    @property
    def current(self) -> Model:
        """The model of the question asked last, with its lanes."""
        return self._changed[1]

    def _model(self, closed: tuple[str, ...], changes: dict[str, Any]) -> Model:
        """The model with its lanes as these changes make them; the last one is kept."""
        study = self.model.study.with_changes(**changes, closed_gateways=closed)
        if study != self._changed[0]:
            base = build_model(study.with_changes(closed_gateways=()), self.progress) if changes else self.model
            self._changed = (study, close_gateways(base, closed))
        return self._changed[1]

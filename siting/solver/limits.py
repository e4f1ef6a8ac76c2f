"""Limits of a problem that may stand in one another's way, and what it is to loosen each of them.

A bare problem has clients, lanes and options, and what these can hold; everything that is asked of a plan beyond that
is a list of limits. Loosened by an amount s >= 0, in the unit of its value, a limit asks

    ``options``, ``lanes``, ``coverage``    a x >= b - s c, or a x <= b + s c, in each of its rows
    ``forced``, ``forbidden``, ``served``   all but s of its options must open, or stay closed; of its clients be served
    ``minimum``, ``capacity``               (17) with (1 - s / b) m_j, (4) with (1 + s / b) u_j
    ``group``, ``whole``                    no loosening: (6) and whole clients (9) hold or they do not
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.sparse import csr_array

from siting.solver.coverage import Coverage
from siting.solver.problem import FacilityProblem, FloatArray, IntArray
from siting.solver.rules import Rules

Kind = Literal[
    "options", "lanes", "coverage", "forced", "forbidden", "served", "minimum", "capacity", "group", "whole"
]  # fmt: skip
BY_ROWS: tuple[Kind, ...] = ("options", "lanes", "coverage")
COUNTED: tuple[Kind, ...] = ("forced", "forbidden", "served")
"""Kinds that are loosened by letting go of some of their members."""
OF_LANES: tuple[Kind, ...] = ("lanes", "served", "minimum", "capacity", "whole")
"""Kinds that say something of how clients are served; the others only of what is open."""
OF_LOADS: tuple[Kind, ...] = ("minimum", "capacity")
"""Those of them that say something of what goes through options alone."""
LOOSENED: tuple[Kind, ...] = (*BY_ROWS, *COUNTED, "minimum", "capacity")
SHARES = 1e-8
"""Relative; what shares of lanes, as HiGHS gives them, leave open of an amount."""
NEAR = 1e-9
"""Relative; numbers so near a multiple of a step are one."""
_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Limit:
    """One limit as its author thinks of it: a number that all its rows or members share.

    Args:
        name: what messages call it.
        kind: what it is about, see above.
        value: the number that is loosened, in the unit of its author; of members it is how many there are, of
            ``minimum`` and ``capacity`` any b > 0 that stands for what the options have.
        rows: (n_parts, n_options or n_lanes) coefficients of ``options`` and ``lanes``.
        coverage: of ``coverage``, one for each part.
        bound: (n_parts,) b of ``options`` and ``lanes``.
        scale: (n_parts,) c: by how much the bound of each row moves where the value moves by 1.
        at_most: whether rows may not exceed their bound, else they may not stay below.
        members: options, clients of ``served``, or labels of ``group``; each is a part.
        step: new values are multiples of it; 0 = any number.
        may_loosen: whether a repair may loosen it.
        divides: whether a conflict tells which of its parts it needs.
    """

    name: str
    kind: Kind
    value: float = 1.0
    rows: csr_array | None = None
    coverage: tuple[Coverage, ...] = ()
    bound: FloatArray = field(default_factory=lambda: np.zeros(0))
    scale: FloatArray = field(default_factory=lambda: np.zeros(0))
    at_most: bool = False
    members: IntArray = field(default_factory=lambda: _NONE)
    step: float = 0.0
    may_loosen: bool = True
    divides: bool = True

    @property
    def n_parts(self) -> int:
        """Rows or members, of which a conflict may need some only."""
        if self.kind == "whole":
            return 1
        return len(self.members) if self.kind not in BY_ROWS else len(self.bound) or len(self.coverage)

    @property
    def loosens(self) -> bool:
        """Whether a repair may loosen it."""
        return self.may_loosen and self.kind in LOOSENED

    @property
    def whole_steps(self) -> bool:
        """Whether amounts are whole numbers whatever else holds."""
        return self.kind in COUNTED or (self.kind == "options" and self.step == 1.0)

    @property
    def unit(self) -> float:
        """The size that an amount is measured by where changes of several limits are weighed (87)."""
        return max(abs(self.value), self.step) or 1.0

    @property
    def per_amount(self) -> FloatArray:
        """(n_parts,) c."""
        n = self.n_parts
        return self.scale if len(self.scale) else np.ones(n)

    def rounded(self, amount: float) -> float:
        """The least amount from one on that makes the new value a multiple of the step."""
        if amount <= 0 or self.kind in COUNTED:
            return max(amount, 0.0)
        if not self.step:
            more = amount + (SHARES * self.unit if self.kind in OF_LANES else 0.0)
            return min(more, self.value) if self.kind == "minimum" else more
        steps = (self.value + amount if self.at_most else self.value - amount) / self.step
        near = round(steps)
        if abs(steps - near) > NEAR * max(abs(steps), 1.0):
            near = int(np.ceil(steps)) if self.at_most else int(np.floor(steps))
        return abs(near * self.step - self.value)


def limits_of(p: FacilityProblem) -> tuple[FacilityProblem, list[Limit]]:
    """The bare problem, and everything that is asked beyond it as limits; both sides of a row are two limits."""
    limits: list[Limit] = []
    if p.budget is not None:
        row = csr_array(p.capex[None, :])
        limits.append(Limit("budget", "options", p.budget, row, bound=np.array([p.budget]), at_most=True))
    if p.n_open is not None:
        every, asked = csr_array(np.ones((1, p.n_options))), np.array([float(p.n_open)])
        for at_most in (False, True):
            limits.append(
                Limit("number open", "options", float(p.n_open), every, bound=asked, at_most=at_most, step=1.0)
            )
    for kind, rules in (("options", p.rules), ("lanes", p.lane_rules)):
        limits += [] if rules is None else _of_rows(rules, "options" if kind == "options" else "lanes")
    limits += [Limit(each.name, "coverage", each.least, coverage=(each,)) for each in p.coverage]
    members: tuple[tuple[str, Kind, IntArray], ...] = (
        ("forced open", "forced", p.forced_open),
        ("forbidden", "forbidden", p.forbidden),
        ("served", "served", np.flatnonzero(np.isinf(p.unserved_cost))),
        ("minimum", "minimum", np.flatnonzero(p.min_throughput > 0)),
        ("capacity", "capacity", np.flatnonzero(np.isfinite(p.capacity))),
        ("group", "group", _several(p.group)),
    )
    for name, kind, which in members:
        value = float(len(which)) if kind in COUNTED else 1.0
        limits += [Limit(name, kind, value, members=which)] if len(which) else []
    if p.single_source:
        limits.append(Limit("whole clients", "whole"))
    return bare(p), limits


def bare(p: FacilityProblem) -> FacilityProblem:
    """The problem without all that is asked of plans but what its clients and options are."""
    return p.with_changes(
        budget=None, n_open=None, rules=None, lane_rules=None, coverage=(), forced_open=(), forbidden=()
    )


def _of_rows(rules: Rules, kind: Literal["options", "lanes"]) -> list[Limit]:
    """A limit for each finite side of each row."""
    return [
        Limit(rules.names[r], kind, float(side[r]), rules.coefficients[[r]], bound=side[[r]], at_most=at_most)
        for r in range(len(rules))
        for side, at_most in ((rules.lower, False), (rules.upper, True))
        if np.isfinite(side[r])
    ]


def _several(group: IntArray) -> IntArray:
    """Labels of the groups of two or more."""
    labels, size = np.unique(group[group >= 0], return_counts=True)
    return np.asarray(labels[size > 1], dtype=np.int64)

"""Choosing options and lanes at least cost, proven: pure mathematics, free of geography and of money's meaning.

A `FacilityProblem` states the question, `solve` answers it with a `Solution`: a plan, a bound no plan undercuts,
and what was re-checked. Everything else here is how; nothing outside this package needs it.
"""

from siting.solver.errors import InputError, WrongAnswerError
from siting.solver.problem import FacilityProblem
from siting.solver.solution import Solution, relative_gap
from siting.solver.solve import solve
from siting.solver.stopwatch import Progress

__all__ = [
    "FacilityProblem",
    "InputError",
    "Progress",
    "Solution",
    "WrongAnswerError",
    "relative_gap",
    "solve",
]

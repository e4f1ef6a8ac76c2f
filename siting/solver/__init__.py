"""Choosing options and lanes at least cost, proven: pure mathematics, free of geography and of money's meaning.

A `FacilityProblem` states the question, `solve` answers it with a `Solution`: a plan, a bound no plan undercuts,
and what was re-checked. Everything else here is how; nothing outside this package needs it.

Three villages and three sites, of which one may open:

>>> problem = FacilityProblem.from_costs([[0, 4, 9], [4, 0, 6], [9, 6, 0]], n_open=1)
>>> solution = solve(problem)
>>> solution.status, solution.objective, solution.open.tolist()
('optimal', 10.0, [1])
"""

from siting.solver.certificate import Certificate
from siting.solver.check import check_solution
from siting.solver.conflict import Change, Explanation, Repair, explain, has_plan
from siting.solver.coverage import Coverage
from siting.solver.errors import InputError, WrongAnswerError
from siting.solver.limits import Limit, bare, limits_of
from siting.solver.near_best import NearBest, most_different, never_within
from siting.solver.priced_plans import Best
from siting.solver.problem import FacilityProblem
from siting.solver.robust import Robust, solve_futures
from siting.solver.rules import Rules
from siting.solver.solution import Solution, Status, relative_gap, solver_name
from siting.solver.solve import solve
from siting.solver.stopwatch import Progress

__all__ = [
    "Best",
    "Certificate",
    "Change",
    "Coverage",
    "Explanation",
    "FacilityProblem",
    "InputError",
    "Limit",
    "NearBest",
    "Progress",
    "Repair",
    "Robust",
    "Rules",
    "Solution",
    "Status",
    "WrongAnswerError",
    "bare",
    "check_solution",
    "explain",
    "has_plan",
    "limits_of",
    "most_different",
    "never_within",
    "relative_gap",
    "solve",
    "solve_futures",
    "solver_name",
]

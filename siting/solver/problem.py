"""FacilityProblem: the mathematical problem, free of geography and of money's meaning."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from siting.solver.coverage import Coverage
from siting.solver.errors import InputError
from siting.solver.pairs import Pairs
from siting.solver.rules import Rules

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
LaneArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]

NO_OPTION = -1
"""In `lane_options` and `group`: nothing here."""

FIT = 1e-9
"""Relative; what is this much larger than its room still fits."""

MAX_NAMED = 5
"""How many offending positions one error line names."""


@dataclass(frozen=True, eq=False)
class FacilityProblem:
    r"""Choose options to open and a lane for every client, at least cost.

    Clients i have a demand q_i; options j have a yearly fixed cost f_j, a capex k_j and a capacity u_j.
    A lane l belongs to one client, costs c_l if it carries *all* of that client, and needs every option of
    its set J(l) (none, one or two options) to be open. A client may stay unserved at cost s_i.

    .. code-block:: text

        min   sum_l c_l x_l + sum_i s_i z_i + sum_j f_j y_j                                        (1)
        s.t.  sum_{l of i} x_l + z_i = 1                        every client i                     (2)
              sum_{l of i, j in J(l)} x_l <= y_j                every client i and option j        (3)
              sum_l q_i(l) x_l [j in J(l)] <= u_j y_j           every option j with a capacity     (4)
              sum_j k_j y_j <= B                                when there is a budget             (5)
              sum_{j in g} y_j <= 1                             every group g                      (6)
              sum_j y_j = p                                     when n_open is given               (7)
              y_j = 1 forced, y_j = 0 forbidden                                                    (8)
              y binary; x, z >= 0, or binary when single_source                                    (9)
              lower <= sum_j a_rj y_j <= upper                  every further rule r              (16)
              sum_l q_i(l) x_l [j in J(l)] >= m_j y_j           every option j with a minimum     (17)
              lower <= sum_l g_rl x_l <= upper                  every rule r over lanes           (18)
              sum_d w_d z_d >= W, z_d <= sum_{j near d} y_j     every coverage, z_d in [0, 1]     (19)

    Special cases: p-median (7) [Hakimi 1964; ReVelle and Swain 1970], uncapacitated location [Balinski 1965],
    capacitated location with (4) split or single-source [Holmberg, Ronnqvist and Yuan 1999], two-echelon
    location with two-option lanes [Kaufman, Vanden Eede and Hansen 1977]. (3) is the strong form of the link.
    (5) to (7) and (16) are one thing to the solver, `rows`: a budget, groups and a number are short for them.

    Args:
        lane_client: (n_lanes,) client of each lane.
        lane_options: (n_lanes, 2) options each lane needs, `NO_OPTION` where it needs fewer.
        lane_cost: (n_lanes,) c_l, finite; any unit, the same as fixed_cost and unserved_cost.
        n_clients: number of clients.
        n_options: number of options.
        unserved_cost: (n_clients,) s_i; inf, or None for all, where a client must be served.
        demand: (n_clients,) q_i >= 0, in the unit of capacity; default 1.
        fixed_cost: (n_options,) f_j; default 0.
        capex: (n_options,) k_j >= 0, in the unit of budget; default 0.
        capacity: (n_options,) u_j >= 0, inf = no limit; default inf.
        min_throughput: (n_options,) m_j >= 0, what an open option must carry at least; default 0. Lanes are the
            planner's to choose: a client may be sent through an open option at a loss so that it comes to its minimum.
        group: (n_options,) whole numbers; options of one group exclude one another; `NO_OPTION` = free.
        budget: B >= 0, or None.
        n_open: p, or None.
        rules: further rows over options, any signs and limits: shares of regions, a least number of some kind.
        lane_rules: rows over lanes, of which x says what part of its client each carries: a cap on carbon, say, counted
            from what an unserved client gives off, which is 0 here.
        coverage: shares of points that must be in reach of an open option.
        forced_open: options that must open: a whole number is a position, anything else a name.
        forbidden: options that must stay closed, likewise.
        single_source: every client is served whole by one lane or stays wholly unserved.
        client_names, option_names: what messages and callers call them.

    Raises:
        InputError: naming every fault found. A well-formed problem that merely has no solution is not an
            error here: `solve` says "infeasible" and why.
    """

    lane_client: LaneArray
    lane_options: LaneArray
    lane_cost: FloatArray
    n_clients: int
    n_options: int
    unserved_cost: FloatArray = None  # type: ignore[assignment]
    demand: FloatArray = None  # type: ignore[assignment]
    fixed_cost: FloatArray = None  # type: ignore[assignment]
    capex: FloatArray = None  # type: ignore[assignment]
    capacity: FloatArray = None  # type: ignore[assignment]
    min_throughput: FloatArray = None  # type: ignore[assignment]
    group: IntArray = None  # type: ignore[assignment]
    budget: float | None = None
    n_open: int | None = None
    rules: Rules | None = None
    lane_rules: Rules | None = None
    coverage: tuple[Coverage, ...] = ()
    forced_open: IntArray = ()  # type: ignore[assignment]
    forbidden: IntArray = ()  # type: ignore[assignment]
    single_source: bool = False
    client_names: Sequence[Hashable] | None = None
    option_names: Sequence[Hashable] | None = None

    def __post_init__(self) -> None:
        faults: list[str] = []
        client = _vector(faults, "lane_client", self.lane_client, None, 0, np.int32)
        lanes = len(client)
        options = _lane_options(faults, self.lane_options, lanes)
        clients, n_options = self.n_clients, self.n_options
        arrays = {
            "lane_client": client,
            "lane_options": options,
            "lane_cost": _vector(faults, "lane_cost", self.lane_cost, lanes, 0.0),
            "unserved_cost": _vector(faults, "unserved_cost", self.unserved_cost, clients, np.inf),
            "demand": _vector(faults, "demand", self.demand, clients, 1.0),
            "fixed_cost": _vector(faults, "fixed_cost", self.fixed_cost, n_options, 0.0),
            "capex": _vector(faults, "capex", self.capex, n_options, 0.0),
            "capacity": _vector(faults, "capacity", self.capacity, n_options, np.inf),
            "min_throughput": _vector(faults, "min_throughput", self.min_throughput, n_options, 0.0),
            "group": _vector(faults, "group", self.group, n_options, NO_OPTION, np.int64),
            "forced_open": _positions(faults, "forced_open", self.forced_open, n_options, self.option_names),
            "forbidden": _positions(faults, "forbidden", self.forbidden, n_options, self.option_names),
        }
        for name, array in arrays.items():
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        for label, names, n in (
            ("client_names", self.client_names, clients),
            ("option_names", self.option_names, n_options),
        ):
            if names is not None and len(names) != n:
                faults.append(f"{label} has {len(names)} names for {n}; give one each")
        if self.rules is not None and self.rules.n_options != n_options:
            faults.append(f"rules are over {self.rules.n_options} options; there are {n_options}")
        if self.lane_rules is not None and self.lane_rules.n_options != lanes:
            faults.append(f"lane_rules are over {self.lane_rules.n_options} lanes; there are {lanes}")
        for each in self.coverage:
            if each.reach.shape[1] != n_options:
                faults.append(f"{each.name} is over {each.reach.shape[1]} options; there are {n_options}")
        if not faults:
            faults = self._range_faults() or self._contradictions()
        if faults:
            raise InputError(faults)

    @classmethod
    def from_costs(
        cls,
        cost: Any,
        demand: npt.ArrayLike | None = None,
        fixed_cost: npt.ArrayLike | None = None,
        capex: npt.ArrayLike | None = None,
        capacity: npt.ArrayLike | None = None,
        min_throughput: npt.ArrayLike | None = None,
        n_open: int | None = None,
        budget: float | None = None,
        rules: Rules | None = None,
        unserved_cost: npt.ArrayLike | None = None,
        group: Sequence[Hashable] | npt.NDArray[Any] | None = None,
        forced_open: Iterable[Hashable] = (),
        forbidden: Iterable[Hashable] = (),
        single_source: bool = False,
        client_names: Sequence[Hashable] | None = None,
        option_names: Sequence[Hashable] | None = None,
    ) -> Self:
        """Problem from a full matrix: one lane with one option for every usable pair.

        Args:
            cost: (n_clients, n_options) cost of serving all of client i through option j; NaN or inf means
                not allowed. A DataFrame names clients (index) and options (columns).
            demand: as in the class; a single number stands for all, here and in the next five.
            group: (n_options,) labels of any kind; None, NaN or -1 = free.

        The rest are as in the class. Raises `InputError`.

        Examples:
            Three villages and three sites; one site may open.

            >>> problem = FacilityProblem.from_costs([[0, 4, 9], [4, 0, 6], [9, 6, 0]], n_open=1)
            >>> problem.n_clients, problem.n_options, problem.n_lanes
            (3, 3, 9)
        """
        if hasattr(cost, "columns"):
            client_names = list(cost.index) if client_names is None else client_names
            option_names = list(cost.columns) if option_names is None else option_names
        matrix = np.asarray(cost, dtype=float)
        if matrix.ndim != 2:
            raise InputError(f"cost has shape {matrix.shape}; give one row per client, one column per option")
        if np.isneginf(matrix).any():
            raise InputError("cost holds -inf; use NaN or inf for a pair that is not allowed")
        clients, options = matrix.shape
        usable = np.isfinite(matrix)
        i, j = np.nonzero(usable)
        lane_options = np.full((len(i), 2), NO_OPTION, dtype=np.int32)
        lane_options[:, 0] = j

        def spread(values: Any, n: int) -> Any:
            return np.full(n, values, dtype=float) if values is not None and np.ndim(values) == 0 else values

        return cls(
            lane_client=i.astype(np.int32),
            lane_options=lane_options,
            lane_cost=matrix[usable],
            n_clients=clients,
            n_options=options,
            unserved_cost=spread(unserved_cost, clients),
            demand=spread(demand, clients),
            fixed_cost=spread(fixed_cost, options),
            capex=spread(capex, options),
            capacity=spread(capacity, options),
            min_throughput=spread(min_throughput, options),
            group=_group_numbers(group),  # type: ignore[arg-type]
            budget=budget,
            n_open=n_open,
            rules=rules,
            forced_open=forced_open,  # type: ignore[arg-type]
            forbidden=forbidden,  # type: ignore[arg-type]
            single_source=single_source,
            client_names=client_names,
            option_names=option_names,
        )

    @property
    def n_lanes(self) -> int:
        return len(self.lane_client)

    @cached_property
    def over_lanes(self) -> Rules:
        """(18) as rows over lanes."""
        return self.lane_rules if self.lane_rules is not None else Rules.none(self.n_lanes)

    @cached_property
    def filled(self) -> BoolArray:
        """(n_options,) options with a minimum (17), and the others of their groups: dear lanes may fill them."""
        own = (self.min_throughput > 0) & ~self.too_small
        return np.asarray(own | ((self.group >= 0) & np.isin(self.group, self.group[own])))

    @cached_property
    def filling(self) -> BoolArray:
        """(n_lanes,) lanes through such options: none is needless only because another is cheaper."""
        if not self.filled.any():
            return np.zeros(self.n_lanes, dtype=bool)
        through = np.append(self.filled, False)  # the last answers for NO_OPTION
        return np.asarray(through[self.lane_options].any(axis=1))

    @cached_property
    def pairs(self) -> Pairs:
        """The lanes grouped by client and option."""
        return Pairs.of(self.lane_client, self.lane_options, self.n_options)

    @cached_property
    def reachable(self) -> FloatArray:
        """(n_options,) demand of all clients with a lane through each option: all it can ever carry."""
        pairs = self.pairs
        return np.bincount(pairs.option, self.demand[pairs.client], self.n_options).astype(np.float64, copy=False)

    @cached_property
    def too_small(self) -> BoolArray:
        """(n_options,) options that nothing fills to their minimum (17): no plan opens them."""
        if not self.min_throughput.any():
            return np.zeros(self.n_options, dtype=bool)
        return np.asarray(self.min_throughput > np.minimum(self.capacity, self.reachable) * (1 + FIT))

    @cached_property
    def limits(self) -> Rules:
        """(5), (7) and (16) as rows over options: budget, number open, and the rules in their order."""
        n = self.n_options
        parts = []
        if self.budget is not None:
            parts.append(Rules(self.capex[None, :], upper=self.budget, names=["budget"]))
        if self.n_open is not None:
            parts.append(Rules(np.ones((1, n)), self.n_open, self.n_open, ["number open"]))
        return Rules.stacked([*parts, self.rules if self.rules is not None else Rules.none(n)])

    @cached_property
    def rows(self) -> Rules:
        """All rows over options: (5), (7), (16) and (6), one row for every group of two or more."""
        return Rules.stacked([self.limits, Rules.at_most_one(self.group)])

    def with_changes(self, **changes: Any) -> Self:
        """The same problem with some fields replaced, for example `budget=2500` or `forbidden=["Pune/L"]`."""
        return replace(self, **changes)

    def option_name(self, option: int) -> str:
        """What to call an option in a message."""
        return str(self.option_names[option]) if self.option_names is not None else f"option {option}"

    def client_name(self, client: int) -> str:
        """What to call a client in a message."""
        return str(self.client_names[client]) if self.client_names is not None else f"client {client}"

    def _range_faults(self) -> list[str]:
        """Values no problem may hold."""

        def at(bad: Any, what: str, remedy: str) -> list[str]:
            if not bad.any():
                return []
            where = np.flatnonzero(bad)
            more = f" and {len(where) - MAX_NAMED} more" if len(where) > MAX_NAMED else ""
            return [f"{what} at {', '.join(map(str, where[:MAX_NAMED]))}{more}; {remedy}"]

        first, second = self.lane_options.T
        faults = [
            *at(
                (self.lane_client < 0) | (self.lane_client >= self.n_clients),
                "lane_client out of range",
                f"clients are 0 to {self.n_clients - 1}",
            ),
            *at(
                ((self.lane_options < NO_OPTION) | (self.lane_options >= self.n_options)).any(axis=1),
                "lane_options out of range",
                f"options are 0 to {self.n_options - 1}, {NO_OPTION} = none",
            ),
            *at(
                (first == second) & (first >= 0),
                "lane_options names one option twice",
                f"use {NO_OPTION} for the second",
            ),
            *at(~np.isfinite(self.lane_cost), "lane_cost is not finite", "leave the lane out instead"),
            *at(
                np.isnan(self.unserved_cost) | np.isneginf(self.unserved_cost),
                "unserved_cost is not a cost",
                "use inf where the client must be served",
            ),
            *at(
                ~(np.isfinite(self.demand) & (self.demand >= 0)),
                "demand is negative or not finite",
                "give a finite demand of at least 0",
            ),
            *at(~np.isfinite(self.fixed_cost), "fixed_cost is not finite", "forbid the option instead"),
            *at(
                ~(np.isfinite(self.capex) & (self.capex >= 0)),
                "capex is negative or not finite",
                "give a finite capex of at least 0",
            ),
            *at(~(self.capacity >= 0), "capacity is negative or not a number", "use inf for no limit"),
            *at(
                ~(np.isfinite(self.min_throughput) & (self.min_throughput >= 0)),
                "min_throughput is negative or not finite",
                "give a finite minimum of at least 0",
            ),
            *at(self.group < NO_OPTION, "group is out of range", f"use {NO_OPTION} for no group"),
        ]
        if self.budget is not None and not self.budget >= 0:
            faults.append(f"budget is {self.budget}; give a budget of at least 0, or None for no limit")
        if self.n_open is not None and not 0 <= self.n_open <= self.n_options:
            faults.append(f"n_open is {self.n_open}; there are {self.n_options} options")
        return faults

    def _contradictions(self) -> list[str]:
        """Orders about options that cannot all be obeyed."""
        forced, faults = self.forced_open, []
        both = np.intersect1d(forced, self.forbidden)
        if len(both):
            names = ", ".join(self.option_name(int(j)) for j in both[:MAX_NAMED])
            faults.append(f"forced_open and forbidden both name {names}; keep one of the two")
        labels, count = np.unique(self.group[forced][self.group[forced] >= 0], return_counts=True)
        for label in labels[count > 1]:
            names = ", ".join(self.option_name(int(j)) for j in forced[self.group[forced] == label])
            faults.append(f"forced_open names {names} of one group; at most one of them can open")
        capex = float(self.capex[forced].sum())
        if self.budget is not None and capex > self.budget * (1 + 1e-12):
            faults.append(
                f"forced_open needs capex {capex:g}, over the budget {self.budget:g}; raise the budget or force fewer"
            )
        if self.n_open is not None and len(forced) > self.n_open:
            faults.append(f"forced_open names {len(forced)} options, n_open is {self.n_open}")
        return faults


def _vector(
    faults: list[str], name: str, values: Any, n: int | None, default: float, dtype: Any = np.float64
) -> npt.NDArray[Any]:
    """A private read-only-to-be copy of a vector, or its default; what is wrong goes to `faults`."""
    if values is None and n is not None:
        return np.full(n, default, dtype=dtype)
    empty = np.full(n or 0, default, dtype=dtype)
    try:
        raw = np.asarray(values)
        array = raw.astype(dtype, copy=raw.flags.writeable)
    except (TypeError, ValueError):
        faults.append(f"{name} is not numeric; give one number each")
        return empty
    if array.ndim != 1 or (n is not None and len(array) != n):
        faults.append(f"{name} has shape {array.shape}; expected ({'n' if n is None else n},)")
        return empty
    if np.issubdtype(np.dtype(dtype), np.integer) and raw.size and not np.array_equal(array, raw):
        faults.append(f"{name} holds values that are not whole numbers")
        return empty
    return array


def _lane_options(faults: list[str], values: Any, lanes: int) -> LaneArray:
    raw = np.asarray(values)
    array = raw.astype(np.int32, copy=raw.flags.writeable)
    if array.size == 0:
        array = array.reshape(0, 2)
    if array.shape != (lanes, 2):
        faults.append(f"lane_options has shape {array.shape}; expected ({lanes}, 2)")
        return np.full((lanes, 2), NO_OPTION, dtype=np.int32)
    return array


def _positions(
    faults: list[str], name: str, values: Iterable[Hashable], n: int, names: Sequence[Hashable] | None
) -> IntArray:
    """Sorted unique positions of options given by position or by name."""
    where = {label: k for k, label in enumerate(names)} if names is not None else {}
    found: set[int] = set()
    for value in values:
        if isinstance(value, int | np.integer) and 0 <= int(value) < n:
            found.add(int(value))
        elif value in where:
            found.add(where[value])
        else:
            faults.append(f"{name} names {value!r}, which is no option")
    return np.array(sorted(found), dtype=np.int64)


def _group_numbers(group: Sequence[Hashable] | npt.NDArray[Any] | None) -> IntArray | None:
    """Labels of any kind to numbers from 0; None, NaN and -1 to `NO_OPTION`."""
    if group is None:
        return None
    numbers: dict[Hashable, int] = {}
    out = np.full(len(group), NO_OPTION, dtype=np.int64)
    for j, label in enumerate(np.asarray(group, dtype=object)):
        if label is None or label == NO_OPTION or label != label:
            continue
        out[j] = numbers.setdefault(label, len(numbers))
    return out

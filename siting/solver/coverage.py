"""Coverage: a share of weighted clients, or of whatever else, within reach of an open option (19).

A set cover has no costs of its own, so it is stated with clients and lanes there are already: see `covering`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, issparse

from siting.solver.errors import InputError
from siting.solver.rules import FloatArray


@dataclass(frozen=True, eq=False)
class Coverage:
    """At least so much of the weight of some points is in reach of an open option.

    .. code-block:: text

        z_d <= sum_{j in reach of d} y_j,  0 <= z_d <= 1,   sum_d w_d z_d >= W                            (19)

    Args:
        reach: (n_points, n_options) dense or sparse; not zero where an open option covers the point.
        weight: (n_points,) w_d >= 0.
        least: W; what is covered in any case is best taken off it.
        name: what messages call it.

    Raises:
        InputError: naming every fault found.
    """

    reach: csr_array
    weight: FloatArray
    least: float
    name: str = "coverage"

    def __post_init__(self) -> None:
        reach = self.reach if issparse(self.reach) else np.atleast_2d(np.asarray(self.reach, dtype=np.float64))
        covers = csr_array(reach).astype(np.float64)
        covers.eliminate_zeros()
        covers.data = np.ones_like(covers.data)
        weight = np.asarray(self.weight, dtype=np.float64)
        object.__setattr__(self, "reach", covers)
        object.__setattr__(self, "weight", weight)
        faults = []
        if weight.shape != (covers.shape[0],):
            faults.append(f"{self.name}: weight has shape {weight.shape}; expected ({covers.shape[0]},)")
        elif not (np.isfinite(weight) & (weight >= 0)).all():
            faults.append(f"{self.name}: a weight is negative or not finite; give 0 or more")
        if not np.isfinite(self.least):
            faults.append(f"{self.name}: asks for {self.least}; give a number")
        if faults:
            raise InputError(faults)

    @property
    def n_points(self) -> int:
        return len(self.weight)

    def covered(self, opened: npt.NDArray[np.bool_]) -> float:
        """Weight in reach of some open options."""
        return float(self.weight[self.reach @ opened.astype(np.float64) > 0].sum())

    def simplified(self) -> Coverage:
        """The same without points that nothing reaches, and with one point for all that the same options reach."""
        member: dict[bytes, list[int]] = {}
        for d in range(self.n_points):
            options = np.sort(self.reach.indices[self.reach.indptr[d] : self.reach.indptr[d + 1]])
            if len(options) and self.weight[d] > 0:
                member.setdefault(options.tobytes(), []).append(d)
        first = np.array([points[0] for points in member.values()], dtype=np.int64)
        weight = np.array([self.weight[points].sum() for points in member.values()])
        return replace(self, reach=self.reach[first], weight=weight)

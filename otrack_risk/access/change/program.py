"""A mixed-integer program as its rows and columns are found, solved by HiGHS through SciPy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Program:
    """Rows and columns as they are found."""

    costs: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)  # binary
    names: dict[tuple[Any, ...], int] = field(default_factory=dict)
    entries: list[tuple[int, int, float]] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    told: set[tuple[Any, ...]] = field(default_factory=set)

    def column(self, name: tuple[Any, ...], cost: float, *, whole: bool) -> int:
        """The number of that name, from 0 to 1; its cost is added to what it cost before."""
        if name not in self.names:
            self.names[name] = len(self.costs)
            self.costs.append(0.0)
            self.whole.append(whole)
        self.costs[self.names[name]] += cost
        return self.names[name]

    def at_most(self, terms: Iterable[tuple[int, float]], upper: float) -> None:
        """A row, once: the sum of number x factor is at most this."""
        row = (tuple(sorted(terms)), upper)
        if row not in self.told:
            self.told.add(row)
            self.entries += [(len(self.upper), column, value) for column, value in row[0]]
            self.upper.append(upper)


def solved(program: Program, seconds: float) -> tuple[np.ndarray[Any, Any] | None, float, bool]:
    """The numbers of least cost (None: none were found in time), a bound that no others beat, and whether it is met."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    answer = milp(
        np.asarray(program.costs),
        integrality=np.asarray(program.whole, dtype=int),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(_matrix(program), ub=np.asarray(program.upper)),
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    if answer.x is None:
        return None, 0.0, False
    return answer.x, float(answer.mip_dual_bound or 0.0), answer.status == 0


def relaxed(program: Program) -> float:
    """The least cost where no number need be whole: a bound; 0 where none was found."""
    from scipy.optimize import linprog

    answer = linprog(program.costs, A_ub=_matrix(program), b_ub=program.upper, bounds=(0, 1), method="highs")
    return float(answer.fun) if answer.status == 0 else 0.0


def _matrix(program: Program) -> Any:
    from scipy.sparse import csr_array

    rows, columns, values = zip(*program.entries, strict=True)
    return csr_array((values, (rows, columns)), shape=(len(program.upper), len(program.costs)))

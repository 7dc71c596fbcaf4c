"""What leaves the grouping: small arrays of whole numbers that every metric reads.

Nothing here knows on which engine the rows lived, and no metric sees a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Classes:
    """The classes of a table by their size, and what the missing-value rule left out."""

    sizes: pl.DataFrame  # size, classes, data_subjects; ascending by size
    left_out: int  # rows with a missing quasi-identifier, under "drop"; else 0


@dataclass(frozen=True)
class Combinations:
    """The distinct combinations of values of a table, each with how many records hold it.

    ``codes[j, i]`` numbers the value of quasi-identifier i in combination j: 0 is the missing value, any
    other number a value (only equality of two numbers in one column means something).
    """

    quasi_identifiers: tuple[str, ...]
    codes: Ints  # shape (combinations, quasi-identifiers); 0 is missing
    size: Ints  # shape (combinations,): records
    weight: Floats | None = None  # shape (combinations,): sum of sampling weights, where there are any

    @property
    def records(self) -> int:
        """Records in all combinations."""
        return int(self.size.sum())


@dataclass(frozen=True)
class ClassValues:
    """How often each sensitive value occurs in each equivalence class: one run a (class, value).

    Runs are sorted by class, and inside a class by value; a value that is absent from a class has no run.
    """

    starts: Ints  # shape (classes,): number of the first run of each class; the first is 0
    value: Ints  # shape (runs,): place of the run's value in ``values``
    count: Ints  # shape (runs,): data subjects
    values: pl.Series  # the m distinct values of the kept rows in ascending order, the missing value first

    @property
    def totals(self) -> Ints:
        """Data subjects by value, over the whole table; shape (values,)."""
        counted = np.zeros(len(self.values), dtype=np.int64)
        np.add.at(counted, self.value, self.count)
        return counted

    @property
    def class_size(self) -> Ints:
        """Data subjects by class; shape (classes,)."""
        return np.add.reduceat(self.count, self.starts)

    @property
    def n(self) -> int:
        """Data subjects in all."""
        return int(self.count.sum())


@dataclass(frozen=True)
class SubsetCounts:
    """What the classes over each subset of the quasi-identifiers are like; one row a subset, smaller subsets first."""

    quasi_identifiers: tuple[str, ...]
    records: int  # measured, the same for every subset
    members: npt.NDArray[np.bool_]  # shape (subsets, quasi-identifiers)
    classes: Ints  # shape (subsets,)
    uniques: Ints  # records alone in their class
    k: Ints  # size of the smallest class
    pairs: Floats  # pairs of records that agree: sum over classes of size (size - 1) / 2

    def up_to(self, size: int) -> SubsetCounts:
        """The subsets of up to so many quasi-identifiers."""
        kept = self.members.sum(axis=1) <= size
        counted = (self.classes[kept], self.uniques[kept], self.k[kept], self.pairs[kept])
        return SubsetCounts(self.quasi_identifiers, self.records, self.members[kept], *counted)

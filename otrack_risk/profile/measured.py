"""The counts of one column, and a sample of its values."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

# Values looked at, the most that a column has of: a step and not the number filled, so that no reason gives it away.
SAMPLES = (2000, 1000, 500, 200, 100, 50, 20)
PASSING = 0.8  # share of sampled values of one form, or of one code set, that makes the column that (own default)
SINGLING = 0.95  # share of values that no other row has, from which a column is unique (own default)
MANY = 20  # values, from which uniqueness says something
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Measured:
    """Counts of one column, and a sample of it; the sample never leaves this package."""

    name: str
    table: str
    rows: int
    filled: int  # rows with a value: not missing, not NaN, not blank
    mean_length: float  # characters of a sampled value
    mean_spaces: float  # blanks inside a sampled value
    sample: pl.Series  # filled values, one in each of equal steps; as text, but for dates
    values: pl.Series = field(repr=False)  # all of them, as they are compared

    @property
    def distinct(self) -> int:
        """Different values."""
        return self._counted[0]

    @property
    def unique(self) -> int:
        """Rows whose value (or whose lack of one) no other row has."""
        return self._counted[1]

    @cached_property
    def _counted(self) -> tuple[int, int]:
        # counted when first asked for: of a column that its header and form tell, nobody asks to classify it
        rows = self.values.alias("value").value_counts(sort=False, name="rows")
        return rows.height - (self.filled < self.rows), int((rows["rows"] == 1).sum())


def measure(series: pl.Series, table: str) -> Measured:
    """Count a column's values, and take its sample, the same in every run."""
    values = _comparable(series)
    filled = values.drop_nulls()
    size = next((step for step in SAMPLES if step <= len(filled)), len(filled))
    sample = filled.gather(places(len(filled), size))
    if series.dtype.is_nested() or isinstance(series.dtype, pl.Binary | pl.Object):
        sample = sample.clear()
    if not sample.dtype.is_temporal():
        sample = sample.cast(pl.String)
    text = sample if isinstance(sample.dtype, pl.String) else sample.clear().cast(pl.String)
    return Measured(
        name=series.name,
        table=table,
        rows=len(series),
        filled=len(filled),
        mean_length=mean(text.str.len_chars()),
        mean_spaces=mean(text.str.strip_chars().str.count_matches(r"\s")),
        sample=sample,
        values=values,
    )


def of_sample(share: float, measured: Measured) -> str:
    """Both numbers of the ratio where the sample is a round step; words where it is every value of a few."""
    size = len(measured.sample)
    if size >= MANY:
        return f"{round(share * size):,} of {size:,} sampled values"
    for least, said in ((1.0, "all values"), (0.5, "most values"), (1e-9, "few values")):
        if share >= least:
            return said
    return "none of the values"


def places(n: int, size: int) -> npt.NDArray[np.int64]:
    """One place in each of ``size`` equal steps through ``n``, at a varying distance from the step's start.

    At a constant distance a column of morning and afternoon marks in turn would show only its mornings.
    """
    steps = np.arange(size)
    start, end = steps * n // max(size, 1), (steps + 1) * n // max(size, 1)
    within = steps * _GOLDEN % 1  # evenly spread, and never in step with anything periodic
    return start + (within * (end - start)).astype(np.int64)


def _comparable(series: pl.Series) -> pl.Series:
    """The values as they are compared: blank text and NaN are missing, nested values stand for themselves."""
    if series.dtype.is_nested():
        return series.to_frame().select(pl.when(pl.col(series.name).is_not_null()).then(pl.col(series.name).hash()))[
            series.name
        ]
    if isinstance(series.dtype, pl.Object):
        return pl.Series(series.name, [None if value is None else str(value) for value in series], dtype=pl.String)
    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        return _comparable(series.cast(pl.String))
    if isinstance(series.dtype, pl.String):
        blank = ~series.str.contains(r"\S")
        return series.set(blank.fill_null(False), None) if blank.any() else series
    return series.fill_nan(None) if series.dtype.is_float() else series


def mean(counts: pl.Series) -> float:
    """Mean of numbers or of yes and no; 0 of none."""
    return float(counts.mean() or 0.0)  # type: ignore[arg-type]

"""What each rule for missing values would say of one table: four rules give four different k."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl
from narwhals.typing import IntoFrame

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.risk.classes import combinations
from otrack_risk.risk.sizes import at_risk, named
from otrack_risk.risk.wildcard import matching

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class UnderRule:
    """One table under one rule; the numbers are None where the rule leaves nobody."""

    rule: str  # own-category, wildcard, weighted wildcard, drop
    alpha: float | None  # what a match through a missing value counts
    records: int  # measured
    left_out: int
    k: float | None  # records alike, or matched, at least
    uniques: int | None  # records
    mean_record_risk: float | None  # probability, 0 to 1, mean over records
    at_risk: int | None  # records whose chance is above the threshold


def missing_compared(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], *, alpha: float = 0.5, threshold: float = 0.2
) -> MissingCompared:
    """The same table under every rule for missing values.

    Parameters
    ----------
    subjects : frame of n_subjects rows, on any engine
    quasi_identifiers : names of columns
    alpha : 0 to 1, what a match through a missing value counts under the weighted rule
    threshold : probability, 0 to 1

    Raises
    ------
    FieldError, TableError, ParameterError
        As :func:`otrack_risk.risk.k_anonymity`.

    Notes
    -----
    Own category: a missing value is a value like any other (ARX). Wildcard: it matches everything (sdcMicro with
    alpha 1); weighted, such a match counts alpha. Drop: the row leaves the table (pandas, so pycanon).

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 8, None]})
    >>> [(of.rule, of.records, of.k, of.uniques) for of in missing_compared(pupils, ["year"]).rules]
    [('own-category', 4, 1, 2), ('wildcard', 4, 2, 0), ('weighted wildcard', 4, 1.5, 0), ('drop', 3, 1, 1)]
    """
    found = combinations(subjects, quasi_identifiers)
    complete = (found.codes > 0).all(axis=1)
    every, some = matching(found).size, matching(found, alpha=alpha).size
    rules = []
    for rule, of, size, people in (
        ("own-category", None, found.size, found.size),
        ("wildcard", 1.0, every, found.size),
        ("weighted wildcard", alpha, some, found.size),
        ("drop", None, found.size[complete], found.size[complete]),
    ):
        n = int(people.sum())
        if not n:
            rules.append(UnderRule(rule, of, 0, found.records, None, None, None, None))
            continue
        sizes = pl.DataFrame({"size": size, "data_subjects": people})
        k = float(size.min())
        rules.append(
            UnderRule(
                rule=rule,
                alpha=of,
                records=n,
                left_out=found.records - n,
                k=int(k) if k.is_integer() else k,
                uniques=int(people[size == 1].sum()),
                mean_record_risk=float((people / size).sum() / n),
                at_risk=at_risk(sizes, threshold).records,
            )
        )
    with_gap = found.records - int(found.size[complete].sum())
    return MissingCompared(tuple(quasi_identifiers), found.records, with_gap, threshold, tuple(rules))


@dataclass(frozen=True)
class MissingCompared(Shown):
    """How much of an answer is the rule for missing values."""

    key: ClassVar[str] = "missing_compared"
    quasi_identifiers: tuple[str, ...]
    records: int
    with_gap: int  # records that lack a quasi-identifier
    threshold: float  # probability, 0 to 1
    rules: tuple[UnderRule, ...]

    def sentence(self) -> str:
        n = self.records
        told = [f"{of.uniques:,} of {of.records:,} by {of.rule}" for of in self.rules if of.uniques is not None]
        return (
            f"{self.with_gap:,} of {n:,} records ({tables.percent(self.with_gap / n)}) lack one of "
            f"{named(self.quasi_identifiers, at_most=6)}. Alone with their combination are {named(told)}, depending on "
            "what is made of the gap."
        )

    def table(self) -> pl.DataFrame:
        rules = self.rules
        return tables.table(
            {
                "rule": [of.rule for of in rules],
                "records": [of.records for of in rules],
                "left out": [of.left_out for of in rules],
                "k": [of.k for of in rules],
                "alone": [of.uniques for of in rules],
                "mean record risk": [of.mean_record_risk for of in rules],
                f"chance above {tables.percent(self.threshold)}": [of.at_risk for of in rules],
            }
        )

    def figure(self) -> Figure:
        from otrack_risk.display.figures import bars

        title = f"{self.with_gap:,} of {self.records:,} records have a gap; who is alone depends on the rule"
        return bars([of.rule for of in self.rules], [of.uniques for of in self.rules], title, "records that are alone")

    def record(self) -> dict[str, Any]:
        reason = "every record lacks a quasi-identifier, so none is left"
        return {
            "quasi_identifiers": list(self.quasi_identifiers),
            "records": self.records,
            "with_gap": self.with_gap,
            "threshold": self.threshold,
            "rules": [
                {name: value for name, value in asdict(of).items() if name != "alpha" or value is not None}
                | ({} if of.records else {"reason": reason})
                for of in self.rules
            ],
        }

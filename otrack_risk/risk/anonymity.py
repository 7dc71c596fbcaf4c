"""k-anonymity, l-diversity, t-closeness and their kin: how alike are the data subjects of a table?

l and t speak of one sensitive column at a time; what the class sizes alone say is in
:mod:`otrack_risk.risk.sizes`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
from narwhals.typing import IntoFrame

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.risk.classes import Missing, class_values, classes
from otrack_risk.risk.sizes import (
    BINS,
    alone_said,
    class_size_figure,
    missing_said,
    n_classes,
    n_records,
    named,
    people_by_bin,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class SensitiveRisk:
    """What membership in a class gives away of one sensitive column."""

    distinct_l: int  # values in the class that has fewest
    entropy_l: float  # exp of the smallest entropy of a class; 1 where some class has one value only
    entropy_nats: float  # entropy of the column over the whole table
    t_equal: float  # largest distance of a class from the whole table, 0 to 1
    homogeneous_classes: int  # classes with one value only
    homogeneous_records: int  # records in them: their value is known without finding the record


def k_anonymity(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], *, missing: Missing = "own-category"
) -> KAnonymity:
    """The size of the smallest equivalence class: everybody is among at least k alike.

    Parameters
    ----------
    subjects : frame of n_subjects rows, on any engine
        One row per data subject.
    quasi_identifiers : names of columns
        What the attacker knows.
    missing : "own-category" or "drop"
        Whether a missing value counts as a value of its own, or its row leaves the table.

    Raises
    ------
    FieldError, TableError, ParameterError
        An unknown column; no row at all (k is then unknown, not zero); an unknown rule.

    Notes
    -----
    k says how many share a combination, not what they share: see :func:`l_diversity`. Where names are
    in the table it says nothing.

    References
    ----------
    .. [1] Sweeney (2002), Int. J. Uncertain. Fuzz. Knowl.-Based Syst. 10(5), 557-570.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year_group": [7, 7, 7, 8, 8], "sex": ["F", "F", "F", "M", "M"]})
    >>> k_anonymity(pupils, ["year_group", "sex"]).k
    2
    """
    found = classes(subjects, quasi_identifiers, missing=missing)
    return KAnonymity(
        quasi_identifiers=tuple(quasi_identifiers),
        missing_rule=missing,
        left_out=found.left_out,
        data_subjects=n_records(found.sizes),
        classes=n_classes(found.sizes),
        k=int(found.sizes["size"][0]),
        largest_class=int(found.sizes["size"][-1]),
        uniques=int(found.sizes.filter(pl.col("size") == 1)["data_subjects"].sum()),
        people_by_bin=tuple(people_by_bin(found.sizes).values()),
    )


def l_diversity(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], *, sensitive: str, missing: Missing = "own-category"
) -> LDiversity:
    """How many sensitive values a class leaves open: distinct l and entropy l.

    Parameters
    ----------
    subjects, quasi_identifiers, missing : as in :func:`k_anonymity`
    sensitive : name of a column
        What would be learnt. A missing value counts as a value of its own ("nothing is recorded" is
        also learnt), under either rule.

    Raises
    ------
    FieldError, TableError, ParameterError
        As :func:`k_anonymity`; a sensitive column that is itself a quasi-identifier.

    Notes
    -----
    distinct l = the fewest values in a class; entropy l = exp of the smallest entropy of a class, a
    float (rounding it down, as pycanon does, loses one for classes whose values are equally frequent).

    References
    ----------
    .. [1] Machanavajjhala, Kifer, Gehrke and Venkitasubramaniam (2007), ACM Trans. Knowl. Discov. Data 1(1), 3.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 8, 8], "need": ["ASD", "SLCN", "SEMH", "SEMH"]})
    >>> found = l_diversity(pupils, ["year"], sensitive="need")
    >>> found.distinct, found.entropy, found.homogeneous_records
    (1, 1.0, 2)
    """
    counts = class_values(subjects, quasi_identifiers, sensitive, missing=missing)
    found = sensitive_risk(counts)
    return LDiversity(
        quasi_identifiers=tuple(quasi_identifiers),
        sensitive=sensitive,
        missing_rule=missing,
        data_subjects=n_records(counts),
        classes=counts["class"].n_unique(),
        distinct=found.distinct_l,
        entropy=found.entropy_l,
        homogeneous_classes=found.homogeneous_classes,
        homogeneous_records=found.homogeneous_records,
    )


def t_closeness(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], *, sensitive: str, missing: Missing = "own-category"
) -> TCloseness:
    """How far the sensitive values of a class lie from those of the whole table, at most.

    Parameters
    ----------
    subjects, quasi_identifiers, sensitive, missing : as in :func:`l_diversity`

    Raises
    ------
    FieldError, TableError, ParameterError
        As :func:`l_diversity`.

    Notes
    -----
    Equal distance: any two values are one apart, so that the distance of a class is half the sum of
    the absolute differences of shares. The whole table is the rows that the rule keeps.

    References
    ----------
    .. [1] Li, Li and Venkatasubramanian (2007), IEEE 23rd Int. Conf. on Data Engineering, 106-115.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 8, 8], "need": ["ASD", "SLCN", "SEMH", "SEMH"]})
    >>> t_closeness(pupils, ["year"], sensitive="need").t
    0.5
    """
    counts = class_values(subjects, quasi_identifiers, sensitive, missing=missing)
    return TCloseness(
        quasi_identifiers=tuple(quasi_identifiers),
        sensitive=sensitive,
        missing_rule=missing,
        data_subjects=n_records(counts),
        classes=counts["class"].n_unique(),
        t=sensitive_risk(counts).t_equal,
    )


def sensitive_risk(counts: pl.DataFrame) -> SensitiveRisk:
    """l and t of one sensitive column, from the counts of :func:`~otrack_risk.risk.classes.class_values`.

    Sums are taken in whole numbers, or over counts in ascending order, so that the order of the rows
    moves no digit.
    """
    totals = counts.group_by("value").agg(total=pl.col("data_subjects").sum())
    rows = counts.join(totals, on="value", nulls_equal=True, maintain_order="left")
    count, total = rows["data_subjects"].to_numpy(), rows["total"].to_numpy()
    starts = np.flatnonzero(np.diff(rows["class"].to_numpy(), prepend=-1))
    distinct = np.diff(starts, append=len(count))
    size = np.add.reduceat(count, starts)
    n = int(count.sum())

    of_class = np.repeat(size, distinct)
    share = count / of_class
    entropy = np.abs(np.add.reduceat(share * np.log(share), starts))
    # n_j N sum |q - p| in whole numbers; values that the class lacks add their total share
    apart = np.add.reduceat(np.abs(count * n - of_class * total), starts)
    apart += size * (n - np.add.reduceat(total, starts))
    shares = [value / n for value in totals["total"]]
    return SensitiveRisk(
        distinct_l=int(distinct.min()),
        entropy_l=math.exp(float(entropy.min())),
        entropy_nats=abs(math.fsum(p * math.log(p) for p in shares)),
        t_equal=float((apart / (2 * size * n)).max()),
        homogeneous_classes=int((distinct == 1).sum()),
        homogeneous_records=int(size[distinct == 1].sum()),
    )


@dataclass(frozen=True)
class KAnonymity(Shown):
    """How many data subjects share each combination, at least."""

    key: ClassVar[str] = "k_anonymity"
    quasi_identifiers: tuple[str, ...]  # what the attacker is taken to know
    missing_rule: str
    left_out: int  # rows
    data_subjects: int  # rows measured: the denominator
    classes: int
    k: int  # data subjects in the smallest class
    largest_class: int
    uniques: int  # data subjects in a class of one
    people_by_bin: tuple[int, ...]  # data subjects by class size, in the bins of people_by_bin()

    def sentence(self) -> str:
        return (
            f"k is {self.k:,} over {named(self.quasi_identifiers)}: the smallest of {self.classes:,} classes holds "
            f"{self.k:,} of {self.data_subjects:,} records. "
            f"{alone_said(self.uniques, self.data_subjects, 'records')}. "
            f"{missing_said(self.missing_rule, self.left_out)}"
        )

    def table(self) -> pl.DataFrame:
        shares = [people / self.data_subjects for people in self.people_by_bin]
        return tables.table(
            {"size of class": [label for label, _, _ in BINS], "records": self.people_by_bin, "share": shares}
        )

    def figure(self) -> Figure:
        title = alone_said(self.uniques, self.data_subjects, "records")
        return class_size_figure(self.people_by_bin, title, "records")

    def record(self) -> dict[str, Any]:
        return asdict(self) | {"unique_share": self.uniques / self.data_subjects}


@dataclass(frozen=True)
class LDiversity(Shown):
    """How many sensitive values a class leaves open, at least."""

    key: ClassVar[str] = "l_diversity"
    quasi_identifiers: tuple[str, ...]
    sensitive: str  # name of the column
    missing_rule: str
    data_subjects: int
    classes: int
    distinct: int  # values in the class that has fewest
    entropy: float  # effective number of values in the class of least entropy
    homogeneous_classes: int  # classes with one value
    homogeneous_records: int  # records in them

    def sentence(self) -> str:
        share = tables.percent(self.homogeneous_records / self.data_subjects)
        return (
            f"Whoever knows {named(self.quasi_identifiers)} is left with at least {self.distinct:,} "
            f"value{'s' if self.distinct > 1 else ''} of {self.sensitive} ({self.entropy:.4g} by entropy). In "
            f"{self.homogeneous_classes:,} of {self.classes:,} classes everybody has the same value: for "
            f"{self.homogeneous_records:,} of {self.data_subjects:,} records ({share}) it is known without telling "
            f"them apart. {missing_said(self.missing_rule, None)}"
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "counted": ["classes", "records"],
                "in all": [self.classes, self.data_subjects],
                "with one value only": [self.homogeneous_classes, self.homogeneous_records],
                "share": [
                    self.homogeneous_classes / self.classes,
                    self.homogeneous_records / self.data_subjects,
                ],
            }
        )

    def record(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class TCloseness(Shown):
    """How much a class says of the sensitive values beyond the whole table, at most."""

    key: ClassVar[str] = "t_closeness"
    quasi_identifiers: tuple[str, ...]
    sensitive: str
    missing_rule: str
    data_subjects: int
    classes: int
    t: float  # 0 (every class is like the table) to 1; equal distance

    def sentence(self) -> str:
        return (
            f"In the class that differs most, {tables.percent(self.t)} of the {self.sensitive} values would have to "
            f"change to look like the whole table (t = {self.t:.4g}; {self.classes:,} classes over "
            f"{named(self.quasi_identifiers)}, {self.data_subjects:,} records). "
            f"{missing_said(self.missing_rule, None)}"
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {"sensitive": [self.sensitive], "t": [self.t], "classes": [self.classes], "records": [self.data_subjects]}
        )

    def record(self) -> dict[str, Any]:
        return asdict(self) | {"distance": "equal"}

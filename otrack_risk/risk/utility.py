"""What a table is still good for once its values are made coarser: utility measures that rest on classes.

They tell two anonymised versions of one table apart; by itself no value of them is good or bad.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.errors import ParameterError
from otrack_risk.risk.counts import Classes, ClassValues
from otrack_risk.risk.sizes import n_classes, n_records


def utility(found: Classes, k: int, suppressed: int = 0) -> Utility:
    """How coarse the classes of a table are.

    Parameters
    ----------
    found : what :func:`~otrack_risk.risk.classes.classes` returns
    k : records that every class was meant to have
    suppressed : records that were taken out of the table, and are in no class of ``found``

    Raises
    ------
    ParameterError
        k below 1, or suppressed below 0.

    Notes
    -----
    With f the sizes of J classes, n their records and s the suppressed: the discernibility metric is
    sum f^2 + s (n + s), every record being charged with those that it cannot be told from [1]_; C_AVG is
    n / (J k), 1 where the classes are as small as k allows [2]_. The entropy of the classes, -sum (f/n)
    log2(f/n), is what the quasi-identifiers still say of who is who; log2 n would be all of it.

    References
    ----------
    .. [1] Bayardo and Agrawal (2005), IEEE 21st Int. Conf. on Data Engineering, 217-228.
    .. [2] LeFevre, DeWitt and Ramakrishnan (2006), IEEE 22nd Int. Conf. on Data Engineering, 25.

    Examples
    --------
    >>> from otrack_risk.risk.classes import classes
    >>> found = utility(classes(pl.DataFrame({"year": [7, 7, 8, 8, 8, 8]}), ["year"]), k=2)
    >>> found.dm, found.c_avg
    (20, 1.5)
    """
    if k < 1 or suppressed < 0:
        raise ParameterError("k, suppressed: k is 1 or more, suppressed 0 or more.", "give counts of records.")
    n, j = n_records(found.sizes), n_classes(found.sizes)
    sizes = [(size, classes) for size, classes, _ in found.sizes.iter_rows()]
    bits = abs(math.fsum(classes * (size / n) * math.log2(size / n) for size, classes in sizes))
    return Utility(
        records=n,
        classes=j,
        k=k,
        suppressed=suppressed,
        dm=sum(size * size * classes for size, classes in sizes) + suppressed * (n + suppressed),
        c_avg=n / (j * k),
        mean_class_size=n / j,
        entropy_bits=bits,
        entropy_share=bits / math.log2(n) if n > 1 else None,
    )


def classification_metric(counts: ClassValues, suppressed: int = 0) -> float:
    """Share of the records that a classifier on the quasi-identifiers gets wrong: suppressed, or not the majority.

    Parameters
    ----------
    counts : what :func:`~otrack_risk.risk.classes.value_counts` returns; the sensitive column is the class label
    suppressed : records that were taken out of the table, and are in no class of ``counts``

    Raises
    ------
    ParameterError
        Suppressed below 0.

    Notes
    -----
    One value is the majority of a class, even where several are as common (pycanon counts the records of
    each of these as right) [1]_.

    References
    ----------
    .. [1] Iyengar (2002), ACM SIGKDD, 279-288.

    Examples
    --------
    >>> from otrack_risk.risk.classes import value_counts
    >>> pupils = pl.DataFrame({"year": [7, 7, 8, 8], "need": ["ASD", "SLCN", "SEMH", "SEMH"]})
    >>> classification_metric(value_counts(pupils, ["year"], "need"))
    0.25
    """
    if suppressed < 0:
        raise ParameterError("suppressed: it is 0 or more.", "give a count of records.")
    right = int(np.maximum.reduceat(counts.count, counts.starts).sum())
    return (suppressed + counts.n - right) / (suppressed + counts.n)


@dataclass(frozen=True)
class Utility(Shown):
    """How coarse the classes of a table are; every number is a measure of the whole table."""

    key: ClassVar[str] = "utility"
    records: int  # in classes
    classes: int
    k: int  # that every class was meant to have, records
    suppressed: int  # records in no class
    dm: int  # discernibility metric: pairs of records, each with itself and in both directions
    c_avg: float  # mean class size over k
    mean_class_size: float  # records
    entropy_bits: float  # of the classes
    entropy_share: float | None  # of log2(records), 0 to 1; None for a single record

    def sentence(self) -> str:
        out = f" {self.suppressed:,} more were suppressed." if self.suppressed else ""
        kept = (
            "is not defined for a single record"
            if self.entropy_share is None
            else f"is {tables.percent(self.entropy_share)} of what would tell all of them apart"
        )
        return (
            f"{self.records:,} records stand in {self.classes:,} classes of {self.mean_class_size:,.4g} on average, "
            f"{self.c_avg:,.4g} times the {self.k:,} that each was meant to have.{out} The discernibility metric is "
            f"{self.dm:,}. What the quasi-identifiers still say of who is who ({self.entropy_bits:.4g} bits) {kept}."
        )

    def table(self) -> pl.DataFrame:
        share = "not defined" if self.entropy_share is None else tables.percent(self.entropy_share)
        rows = [
            ("discernibility metric", f"{self.dm:,}", "pairs of records that are not told apart"),
            ("C_AVG", f"{self.c_avg:,.4g}", f"mean class size over k = {self.k:,}"),
            ("mean class size", f"{self.mean_class_size:,.4g}", f"{self.records:,} records, {self.classes:,} classes"),
            ("entropy of the classes", f"{self.entropy_bits:,.4g}", "bits"),
            ("share of all that tells apart", share, "of log2(records)"),
            ("records suppressed", f"{self.suppressed:,}", f"of {self.records + self.suppressed:,}"),
        ]
        measures, values, meanings = zip(*rows, strict=True)
        return tables.table({"measure": measures, "value": values, "of what": meanings})

    def record(self) -> dict[str, Any]:
        """The contract's ``result.utility``."""
        undefined = {"reason": "log2 of a single record is 0"} if self.entropy_share is None else {}
        return asdict(self) | undefined

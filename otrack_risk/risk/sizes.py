"""What the sizes of the classes alone say: record risk, records at risk, distinction, separation.

Every function reads the counts of :func:`otrack_risk.risk.classes.class_sizes`; none sees a row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from otrack_risk.display.tables import percent
from otrack_risk.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS = (
    ("1 (alone)", 1, 1),
    ("2", 2, 2),
    ("3 to 4", 3, 4),
    ("5 to 9", 5, 9),
    ("10 to 19", 10, 19),
    ("20 or more", 20, 0),
)


@dataclass(frozen=True)
class RecordRisk:
    """The chance 1 / (size of the class) over the records of a table; probabilities, 0 to 1."""

    highest: float
    lowest: float
    mean_per_record: float  # classes / records
    mean_per_class: float | None  # mean of 1 / size over classes, small ones weighing as much; None without classes
    share_at_highest: float  # share of the records whose chance is the highest


@dataclass(frozen=True)
class AtRisk:
    """Records whose chance lies strictly above a threshold."""

    threshold: float  # probability, 0 to 1
    records: int
    share: float  # of the records


def record_risk(sizes: pl.DataFrame) -> RecordRisk:
    """Chance of picking the right record of a class, over the table.

    Parameters
    ----------
    sizes : what :func:`~otrack_risk.risk.classes.class_sizes` returns

    Notes
    -----
    Peers print two averages under one name: over records it is classes / records (ARX, privattacks),
    over classes it is the mean of 1 / size (pycanon). Both are here, each under its own name.

    Examples
    --------
    >>> from otrack_risk.risk.classes import class_sizes
    >>> risk = record_risk(class_sizes(pl.DataFrame({"year": [7, 7, 7, 8]}), ["year"]))
    >>> risk.mean_per_record, round(risk.mean_per_class, 4), risk.share_at_highest
    (0.5, 0.6667, 0.25)
    """
    n = n_records(sizes)
    smallest, largest = sizes["size"][0], sizes["size"][-1]
    mean_per_class = None
    if sizes["classes"].null_count() == 0:
        mean_per_class = math.fsum(classes / size for size, classes, _ in sizes.iter_rows()) / n_classes(sizes)
    return RecordRisk(
        highest=1 / smallest,
        lowest=1 / largest,
        mean_per_record=math.fsum(people / size for size, _, people in sizes.iter_rows()) / n,
        mean_per_class=mean_per_class,
        share_at_highest=int(sizes["data_subjects"][0]) / n,
    )


def at_risk(sizes: pl.DataFrame, threshold: float) -> AtRisk:
    """Records whose chance 1 / (size of the class) lies strictly above ``threshold`` (a probability).

    A class of five is not at risk at 0.2; ARX compares in the same way.

    Examples
    --------
    >>> from otrack_risk.risk.classes import class_sizes
    >>> at_risk(class_sizes(pl.DataFrame({"year": [7, 7, 7, 8]}), ["year"]), 1 / 3).records
    1
    """
    check_threshold(threshold)
    records = int(sizes.filter(1 / pl.col("size") > threshold)["data_subjects"].sum())
    return AtRisk(threshold=threshold, records=records, share=records / n_records(sizes))


def distinction(sizes: pl.DataFrame) -> float:
    """Distinct combinations over records, 0 to 1 (Motwani and Xu 2007)."""
    return n_classes(sizes) / n_records(sizes)


def separation(sizes: pl.DataFrame) -> float | None:
    """Share of the pairs of records that differ in a quasi-identifier, 0 to 1 (Motwani and Xu 2007).

    None for a single record, of which there is no pair.

    Examples
    --------
    >>> from otrack_risk.risk.classes import class_sizes
    >>> separation(class_sizes(pl.DataFrame({"year": [7, 7, 7, 8]}), ["year"]))
    0.5
    """
    n = n_records(sizes)
    alike = sum(size * (size - 1) * classes for size, classes, _ in sizes.iter_rows())
    return (n * (n - 1) - alike) / (n * (n - 1)) if n > 1 else None


def median_class_size(sizes: pl.DataFrame) -> float:
    """The middle class by size; halfway between the middle two where their number is even."""
    j, ends, values = n_classes(sizes), sizes["classes"].cum_sum(), sizes["size"]
    low, high = (int(values.filter(ends > place)[0]) for place in ((j - 1) // 2, j // 2))
    return (low + high) / 2


def people_by_bin(sizes: pl.DataFrame) -> dict[str, int]:
    """Data subjects by the size of their class, in bins that every table shares.

    Examples
    --------
    >>> from otrack_risk.risk.classes import class_sizes
    >>> people_by_bin(class_sizes(pl.DataFrame({"year": [7, 7, 7, 8]}), ["year"]))["3 to 4"]
    3
    """
    return {
        label: int(
            sizes.filter((pl.col("size") >= low) & (pl.col("size") < high + 1 if high else pl.lit(True)))[
                "data_subjects"
            ].sum()
        )
        for label, low, high in BINS
    }


def class_size_figure(people: Sequence[int], title: str, unit: str) -> Figure:
    """The bars of :func:`people_by_bin`; ``unit`` is what is counted, in the plural."""
    from otrack_risk.display.figures import bars

    labels = [label for label, _, _ in BINS]
    return bars(labels, people, title, f"{unit}, by how many {unit} share their combination")


def check_threshold(threshold: float) -> None:
    """Refuses a threshold that is no probability."""
    if not 0 <= threshold <= 1:
        raise ParameterError("threshold: it is a probability, from 0 to 1.", "give 0.2 for a chance of one in five.")


def named(fields: Sequence[str], at_most: int | None = None) -> str:
    """The names of fields as a person lists them; beyond ``at_most`` only how many more there are.

    Examples
    --------
    >>> named(["year_group", "sex", "postcode"])
    'year_group, sex and postcode'
    >>> named(["year_group", "sex", "postcode", "ethnicity"], at_most=2)
    'year_group, sex and 2 fields more'
    """
    if at_most is not None and len(fields) > at_most:
        fields = [*fields[:at_most], f"{len(fields) - at_most} field{'s' * (len(fields) - at_most > 1)} more"]
    return " and ".join(part for part in (", ".join(fields[:-1]), fields[-1]) if part)


def alone_said(uniques: int, n: int, unit: str) -> str:
    """How many are the only one with their combination, as the main clause of a sentence.

    Examples
    --------
    >>> alone_said(1, 8, "records")
    '1 of 8 records (12.5 %) is alone with its combination'
    """
    verb = "is alone with its" if uniques == 1 else "are alone with their"
    return f"{uniques:,} of {n:,} {unit} ({percent(uniques / n)}) {verb} combination"


def missing_said(rule: str, left_out: int | None, unit: str = "records") -> str:
    """What was done with missing values, as a sentence."""
    if rule == "own-category":
        return "A missing value counts as a value of its own."
    if rule == "wildcard":
        return "A missing value matches every value, so that a record is counted with all that it could be."
    if left_out is None:
        return f"{unit.capitalize()} with a missing value were left out."
    was = "was" if left_out == 1 else "were"
    return f"{left_out:,} of the {unit} {was} left out because a value is missing."


def n_records(counts: pl.DataFrame) -> int:
    """The sum of ``data_subjects``."""
    return int(counts["data_subjects"].sum())


def n_classes(sizes: pl.DataFrame) -> int:
    """The sum of ``classes``."""
    return int(sizes["classes"].sum())

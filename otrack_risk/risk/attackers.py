"""Prosecutor, journalist and marketer risk: how findable is one data subject, to whom?

The prosecutor knows that the person is in the table; the journalist does not, and wants one hit to
show; the marketer wants as many hits as can be had. The last two depend on everybody who could
have been in the table: the population.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import polars as pl
from narwhals.typing import IntoFrame

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.errors import ParameterError
from otrack_risk.risk.classes import Missing, classes, n_rows, population_sizes
from otrack_risk.risk.counts import Classes
from otrack_risk.risk.sizes import check_threshold, missing_said, n_records, named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Attacker = Literal["prosecutor", "journalist", "marketer"]

_KNOWS = {
    "prosecutor": "somebody who knows that a person is in the table",
    "journalist": "somebody who does not know whether a person is in the table",
    "marketer": "somebody who matches the whole table against the population",
}


@dataclass(frozen=True)
class Population:
    """Everybody who could have been in the table: exactly one of the three is given.

    Parameters
    ----------
    size : data subjects in the population, those of the table included
    fraction : data subjects of the table over those of the population, above 0 and up to 1
    table : a frame with one row for everybody in the population, those of the table included

    Notes
    -----
    With a table, a class's size in the population is counted. With a size or a fraction it is not
    known, and **every class is taken to be as much larger in the population as the whole is**
    (size / fraction). That is this project's assumption: rare combinations, which are what an attacker
    looks for, may well be unique in the population too, and then the risk is higher than shown. ARX
    estimates nothing here: without a population table it repeats the prosecutor's numbers.

    Examples
    --------
    >>> Population(fraction=0.25)
    Population(size=None, fraction=0.25, table=None)
    """

    size: int | None = None
    fraction: float | None = None
    table: IntoFrame | None = None

    def __post_init__(self) -> None:
        if sum(part is not None for part in (self.size, self.fraction, self.table)) != 1:
            raise ParameterError(
                "population: give exactly one of its size, the sampling fraction and a table of it.",
                "leave the others out.",
            )
        if self.fraction is not None and not 0 < self.fraction <= 1:
            raise ParameterError(
                "population: the sampling fraction lies above 0 and up to 1.",
                "give 0.1 where the table holds a tenth of the population.",
            )

    @classmethod
    def given(
        cls, *, size: int | None = None, fraction: float | None = None, table: IntoFrame | None = None
    ) -> Population | None:
        """The population where one of the three is given, None where none is."""
        nothing = size is None and fraction is None and table is None
        return None if nothing else cls(size=size, fraction=fraction, table=table)

    def share_of(self, rows: int) -> float:
        """The sampling fraction of a table of so many rows, those left out included.

        Raises
        ------
        ParameterError
            A population smaller than the table.
        """
        if self.fraction is not None:
            return self.fraction
        size = n_rows(self.table) if self.table is not None else self.size or 0
        if size < rows:
            raise ParameterError(
                f"population: its size, {size:,}, is below the {rows:,} data subjects of the table.",
                "count everybody who could have been in the table, those in it included.",
            )
        return rows / size

    def basis(self) -> str:
        """What the class sizes in the population rest on: ``"table"``, ``"size"`` or ``"fraction"``."""
        return "table" if self.table is not None else "size" if self.size is not None else "fraction"


def prosecutor_risk(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], *, threshold: float = 0.2, missing: Missing = "own-category"
) -> ReidentificationRisk:
    """Chance of finding a data subject who is known to be in the table.

    For one data subject it is 1 / (size of its equivalence class); the average is taken over data
    subjects, not over classes [1]_.

    Parameters
    ----------
    subjects : frame of n_subjects rows, on any engine
        One row per data subject. Several records of one pupil are one row.
    quasi_identifiers : names of columns
        What the attacker knows.
    threshold : probability, 0 to 1
        Data subjects with a strictly higher chance are counted as at risk.
    missing : "own-category" or "drop"
        Whether a missing value counts as a value of its own, or its row leaves the table.

    Raises
    ------
    FieldError, TableError, ParameterError
        An unknown column; no row at all (the risk is then unknown, not zero); an unknown rule, or a
        threshold that is no probability.

    Notes
    -----
    Says nothing of tables that also hold names, nor of what is learnt of those who stay hidden.

    References
    ----------
    .. [1] El Emam and Dankar (2008), J. Am. Med. Inform. Assoc. 15(5), 627-637.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year_group": [7, 7, 7, 8], "sex": ["F", "F", None, "M"]})
    >>> risk = prosecutor_risk(pupils, ["year_group", "sex"], threshold=0.5)
    >>> risk.highest, risk.average, risk.above_threshold
    (1.0, 0.75, 2)
    """
    found = classes(subjects, quasi_identifiers, missing=missing)
    return prosecutor(found, quasi_identifiers, threshold=threshold, missing=missing)


def journalist_risk(
    subjects: IntoFrame,
    quasi_identifiers: Sequence[str],
    population: Population,
    *,
    threshold: float = 0.2,
    missing: Missing = "own-category",
) -> ReidentificationRisk:
    """Chance of finding a data subject who may or may not be in the table.

    For one data subject it is 1 / (size of its class in the population) [1]_. The average is the larger
    of two: classes of the table over people of those classes in the population, and the mean over the
    table of (size in the table / size in the population).

    Parameters
    ----------
    subjects, quasi_identifiers, threshold, missing : as in :func:`prosecutor_risk`
    population : whom the table is drawn from

    Raises
    ------
    FieldError, TableError, ParameterError
        As :func:`prosecutor_risk`; a population that does not hold the table's data subjects.

    Notes
    -----
    With a population size or fraction, see the assumption in :class:`Population`.

    References
    ----------
    .. [1] El Emam (2013), Guide to the De-Identification of Personal Health Information, CRC Press.

    Examples
    --------
    >>> pupils = pl.DataFrame({"sex": ["F", "F", "M"]})
    >>> everybody = pl.DataFrame({"sex": ["F", "F", "F", "F", "M", "M"]})
    >>> risk = journalist_risk(pupils, ["sex"], Population(table=everybody), threshold=0.3)
    >>> risk.highest, risk.above_threshold, round(risk.average, 4)
    (0.5, 1, 0.3333)
    """
    found = classes(subjects, quasi_identifiers, missing=missing)
    joint = with_population(subjects, quasi_identifiers, population, found, missing)
    return journalist(joint, quasi_identifiers, population, found.left_out, threshold=threshold, missing=missing)


def marketer_risk(
    subjects: IntoFrame,
    quasi_identifiers: Sequence[str],
    population: Population,
    *,
    missing: Missing = "own-category",
) -> ReidentificationRisk:
    """Share of the table that is matched rightly, on average, when all of it is matched against the population.

    It is the mean over data subjects of 1 / (size of the class in the population) [1]_.

    Parameters
    ----------
    subjects, quasi_identifiers, population, missing : as in :func:`journalist_risk`

    Raises
    ------
    FieldError, TableError, ParameterError
        As :func:`journalist_risk`.

    References
    ----------
    .. [1] Dankar and El Emam (2010), Proc. EDBT/ICDT Workshops, 28.

    Examples
    --------
    >>> pupils = pl.DataFrame({"sex": ["F", "F", "M"]})
    >>> round(marketer_risk(pupils, ["sex"], Population(size=12)).average, 4)
    0.1667
    """
    found = classes(subjects, quasi_identifiers, missing=missing)
    joint = with_population(subjects, quasi_identifiers, population, found, missing)
    return marketer(joint, quasi_identifiers, population, found.left_out, missing=missing)


def with_population(
    subjects: IntoFrame,
    quasi_identifiers: Sequence[str],
    population: Population,
    found: Classes,
    missing: Missing = "own-category",
) -> pl.DataFrame:
    """``size``, ``population_size``, ``classes`` and ``data_subjects``: counted, or inflated uniformly from ``found``.

    Raises
    ------
    TableError, FieldError, ParameterError
        A population smaller than the table, or one whose classes do not hold the table's.
    """
    if population.table is not None:
        joint = population_sizes(subjects, population.table, quasi_identifiers, missing=missing)
        return joint.with_columns(data_subjects=pl.col("size") * pl.col("classes"))
    fraction = population.share_of(n_records(found.sizes) + found.left_out)
    return found.sizes.select("size", "classes", "data_subjects", population_size=pl.col("size") / fraction)


def prosecutor(
    found: Classes, quasi_identifiers: Sequence[str], *, threshold: float, missing: str
) -> ReidentificationRisk:
    """:func:`prosecutor_risk`, from classes that are counted already."""
    itself = found.sizes.select("size", "classes", "data_subjects", population_size="size")
    return _risk("prosecutor", itself, quasi_identifiers, None, found.left_out, threshold, missing)


def journalist(
    joint: pl.DataFrame,
    quasi_identifiers: Sequence[str],
    population: Population,
    left_out: int,
    *,
    threshold: float,
    missing: str,
) -> ReidentificationRisk:
    """:func:`journalist_risk`, from the counts of :func:`with_population`."""
    return _risk("journalist", joint, quasi_identifiers, population.basis(), left_out, threshold, missing)


def marketer(
    joint: pl.DataFrame, quasi_identifiers: Sequence[str], population: Population, left_out: int, *, missing: str
) -> ReidentificationRisk:
    """:func:`marketer_risk`, from the counts of :func:`with_population`."""
    return _risk("marketer", joint, quasi_identifiers, population.basis(), left_out, None, missing)


@dataclass(frozen=True)
class ReidentificationRisk(Shown):
    """How findable the data subjects of one table are, to one attacker."""

    key: ClassVar[str] = "reidentification_risk"
    attacker: Attacker
    quasi_identifiers: tuple[str, ...]  # what the attacker is taken to know
    population: str | None  # what the population rests on: table, size, fraction; None for the prosecutor
    missing_rule: str
    left_out: int  # rows that the rule left out
    data_subjects: int  # people measured: the denominator of all below
    average: float  # probability, 0 to 1: the success rate
    highest: float | None  # probability, 0 to 1; None for the marketer, who is after no single person
    above_threshold: int | None  # data subjects; None for the marketer
    threshold: float | None  # probability, 0 to 1

    def sentence(self) -> str:
        n = self.data_subjects
        who = f"Whoever knows {named(self.quasi_identifiers)} ({_KNOWS[self.attacker]})"
        expected = f"{self.average * n:,.1f} of {n:,} records ({tables.percent(self.average)})"
        if self.highest is None or self.above_threshold is None or self.threshold is None:
            first = f"{who} matches {expected} rightly on average."
        else:
            share = tables.percent(self.above_threshold / n)
            first = (
                f"{who} picks the right record with a chance of {tables.percent(self.average)} on average and "
                f"{tables.percent(self.highest)} at most. For {self.above_threshold:,} of {n:,} records ({share}) the "
                f"chance is above {tables.percent(self.threshold)}."
            )
        guessed = (
            " Every class is taken to be as much larger in the population as the whole table is."
            if self.population in ("size", "fraction")
            else ""
        )
        return f"{first}{guessed} {missing_said(self.missing_rule, self.left_out)}"

    def table(self) -> pl.DataFrame:
        above = None if self.above_threshold is None else self.above_threshold / self.data_subjects
        return tables.table(
            {
                "attacker": [self.attacker],
                "records": [self.data_subjects],
                "average chance": [self.average],
                "highest chance": [self.highest],
                "chance taken as high": [self.threshold],
                "records above it": [self.above_threshold],
                "share above it": [above],
            }
            if self.highest is not None
            else {"attacker": [self.attacker], "records": [self.data_subjects], "average chance": [self.average]}
        )

    def figure(self) -> Figure | None:
        if self.highest is None:
            return None
        from otrack_risk.display.figures import bars

        title = (
            f"Found with a chance of {tables.percent(self.average)} on average, {tables.percent(self.highest)} at most"
        )
        return bars(
            ["on average", "at most"], [self.average, self.highest], title, "chance of picking the right record"
        )

    def record(self) -> dict[str, Any]:
        """The contract's numbers of one attacker, with what they are of."""
        about = {
            "attacker": self.attacker,
            "quasi_identifiers": list(self.quasi_identifiers),
            "records": self.data_subjects,
            "missing_rule": self.missing_rule,
            "left_out": self.left_out,
        }
        return about | self.numbers()

    def numbers(self) -> dict[str, Any]:
        """The contract's numbers alone, and what the population rests on."""
        basis: dict[str, Any] = {} if self.population is None else {"population": self.population}
        if self.above_threshold is None:
            return {"success_rate": self.average} | basis
        return {
            "records_at_risk_share": self.above_threshold / self.data_subjects,
            "highest": self.highest,
            "success_rate": self.average,
            "threshold": self.threshold,
        } | basis


def _risk(
    attacker: Attacker,
    joint: pl.DataFrame,
    quasi_identifiers: Sequence[str],
    basis: str | None,
    left_out: int,
    threshold: float | None,
    missing: str,
) -> ReidentificationRisk:
    """The measures of El Emam; ``joint`` has one row a pair (f, F): size f, population_size F, classes, data_subjects.

    Where a missing value matches everything there are no classes, and the journalist's average is the
    mean over data subjects alone.
    """
    if threshold is not None:
        check_threshold(threshold)
    people, big = joint["data_subjects"].to_list(), joint["population_size"].to_list()
    n = sum(people)
    average = math.fsum(p / f for p, f in zip(people, big, strict=True)) / n
    if attacker == "journalist" and joint["classes"].null_count() == 0:
        classes_of = joint["classes"].to_list()
        spread = sum(classes_of) / math.fsum(f * j for f, j in zip(big, classes_of, strict=True))
        average = max(average, spread)
    return ReidentificationRisk(
        attacker=attacker,
        quasi_identifiers=tuple(quasi_identifiers),
        population=basis,
        missing_rule=missing,
        left_out=left_out,
        data_subjects=n,
        average=average,
        highest=None if attacker == "marketer" else 1 / min(big),
        above_threshold=None
        if threshold is None
        else sum(p for p, f in zip(people, big, strict=True) if 1 / f > threshold),
        threshold=threshold,
    )

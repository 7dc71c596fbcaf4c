"""How the classes of a table lie in the population: k-map, and whether it gives away who is in the table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import polars as pl

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.errors import ParameterError, TableError
from otrack_risk.risk.counts import Ints
from otrack_risk.risk.sizes import missing_said, named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COUNTED = "a population table is given, so k is counted and not estimated"
_ESTIMATED = "no population table is given, so the classes of the population are not counted"


def k_map(joint: pl.DataFrame) -> int:
    """The size in the population of the class that is smallest there, of those with a record in the table.

    Parameters
    ----------
    joint : ``size``, ``population_size`` and ``classes``
        As :func:`otrack_risk.risk.classes.population_sizes` counts them from a population table.

    Raises
    ------
    ParameterError
        Sizes in the population that were not counted (no whole numbers): see :func:`estimated_k_map`.

    References
    ----------
    Sweeney (2001), Computational Disclosure Control, PhD thesis, MIT.

    Examples
    --------
    >>> k_map(pl.DataFrame({"size": [1, 2], "population_size": [7, 4], "classes": [3, 1]}))
    4
    """
    sizes = joint["population_size"]
    if not sizes.dtype.is_integer():
        raise ParameterError(
            "k_map: the classes of the population are not counted here, only assumed.",
            "give a table of the population, or estimate k from the sampling fraction.",
        )
    return int(sizes.to_numpy().min())


def derived_k(k: int, fraction: float, *, truncated: bool, significance: float = 0.05) -> int:
    """The size that every class of a sample must have for k-map with this k to be taken as given.

    Parameters
    ----------
    k : people that every class must have in the population, at least 1
    fraction : data subjects of the table over those of the population, above 0 and up to 1
    truncated : whether the number sampled from a class is taken not to be 0
    significance : above 0 and up to 0.5
        Chance that is accepted for a class of k people to be sampled more often than the threshold allows for.

    Raises
    ------
    ParameterError
        A number outside its range.

    Notes
    -----
    The number X sampled from a class of k people is taken to be Poisson with mean lambda = fraction * k [1]_
    [2]_. With c the smallest whole number with P(X <= c) >= 1 - significance, ARX asks for min(k, c + 2); with
    X truncated at zero, c the smallest from 1 on with P(X <= c | X > 0) >= 1 - significance, for
    min(k, c + 1). The c + 2 is ARX's own: a class of c + 1 would do for the test. It never falls as k
    grows, because a Poisson distribution, truncated or not, moves up with its mean. ARX also
    stops at the number of records, which is left out here: with one class alone it would accept every k.

    References
    ----------
    .. [1] El Emam and Dankar (2008), J. Am. Med. Inform. Assoc. 15(5), 627-637, estimators D3 and D4.
    .. [2] Pannekoek (1999), Stat. Neerl. 53(1), 55-67.

    Examples
    --------
    >>> derived_k(5, 0.1, truncated=False), derived_k(5, 0.1, truncated=True)
    (4, 3)
    """
    _check(fraction, significance)
    if k < 1:
        raise ParameterError("derived_k: k is a number of people, at least 1.", "give 2 or more.")
    mean, (least, more) = fraction * k, (1, 1) if truncated else (0, 2)
    c, high = least, max(k, least)  # from k - more on the smaller of the two is k
    while c < high:
        middle = (c + high) // 2
        if _covers(middle, mean, truncated, significance):
            high = middle
        else:
            c = middle + 1
    return min(k, c + more)


def estimated_k_map(smallest_class: int, fraction: float, *, truncated: bool, significance: float = 0.05) -> int:
    """The largest k for which the smallest class of a sample is as large as :func:`derived_k` asks.

    Parameters
    ----------
    smallest_class : data subjects of the smallest class of the table, at least 1
    fraction, truncated, significance : as in :func:`derived_k`

    Raises
    ------
    ParameterError
        A number outside its range.

    Notes
    -----
    There always is such a k: the smallest class itself is one, since no threshold lies above its k, and
    thresholds grow without end. A smallest class of 1 always gives 1, as every k above asks for 2 at
    least. At a fraction of 1 the result is the smallest class: with a significance of up to one half, c is
    at least the median of the distribution, which is not below k.

    Examples
    --------
    >>> estimated_k_map(4, 0.1, truncated=False), estimated_k_map(4, 1.0, truncated=False)
    (8, 4)
    """
    _check(fraction, significance)
    if smallest_class < 1:
        raise ParameterError("estimated_k_map: a class holds at least 1 record.", "give the size of the smallest.")

    def asks_too_much(k: int) -> bool:
        return derived_k(k, fraction, truncated=truncated, significance=significance) > smallest_class

    low = smallest_class
    while not asks_too_much(2 * low):
        low *= 2
    high = 2 * low
    while high - low > 1:
        middle = (low + high) // 2
        if asks_too_much(middle):
            high = middle
        else:
            low = middle
    return low


def delta_presence(sample: Ints, population: Ints) -> tuple[float, float]:
    """Smallest and largest share of a class of the population that is in the table.

    Parameters
    ----------
    sample, population : data subjects by class, in the same order
        Of **all** classes of the population; those with nobody in the table have 0 in ``sample``.

    Returns
    -------
    min, max : probability, 0 to 1, that somebody of a class is in the table

    Raises
    ------
    TableError
        No class; two lists of unlike length; a class that nobody of the population is in, or fewer than of the table.

    Notes
    -----
    delta-presence holds for (min, max) [1]_: over all classes of the public table, so that the minimum is 0 as
    soon as one of them has nobody in the table. The other reading in use, the minimum over
    classes that have somebody in the table, is :attr:`DeltaPresence.lowest_present`.

    References
    ----------
    .. [1] Nergiz, Atzori and Clifton (2007), SIGMOD, 665-676.

    Examples
    --------
    >>> import numpy as np
    >>> delta_presence(np.array([2, 0, 1]), np.array([4, 3, 1]))
    (0.0, 1.0)
    """
    if len(sample) != len(population) or not len(population):
        raise TableError(
            f"delta_presence: {len(sample):,} classes of the table and {len(population):,} of the population.",
            "give both sizes for every class of the population.",
        )
    if few := int(((population < sample) | (population < 1) | (sample < 0)).sum()):
        raise TableError(
            f"population: {few:,} of {len(population):,} classes have fewer rows in it than in the table, or none.",
            "hand over the table that this one is a part of.",
        )
    shares = sample / population
    return float(shares.min()), float(shares.max())


def k_map_of_table(
    joint: pl.DataFrame, quasi_identifiers: Sequence[str], *, missing: str = "own-category", left_out: int | None = None
) -> KMap:
    """:func:`k_map`, counted against a population table."""
    return KMap(
        quasi_identifiers=tuple(quasi_identifiers),
        missing_rule=missing,
        left_out=left_out,
        classes=int(joint["classes"].to_numpy().sum()),
        smallest_class=int(joint["size"].to_numpy().min()),
        population="table",
        fraction=None,
        k=k_map(joint),
        poisson=None,
        zero_truncated=None,
        significance=None,
    )


def k_map_of_fraction(
    sizes: pl.DataFrame,
    quasi_identifiers: Sequence[str],
    fraction: float,
    *,
    basis: Literal["size", "fraction"] = "fraction",
    significance: float = 0.05,
    missing: str = "own-category",
    left_out: int | None = None,
) -> KMap:
    """:func:`estimated_k_map` both ways; ``sizes`` is ``size`` and ``classes``, as the classes were counted."""
    smallest = int(sizes["size"].to_numpy().min())
    plain, truncated = (
        estimated_k_map(smallest, fraction, truncated=truncated, significance=significance)
        for truncated in (False, True)
    )
    return KMap(
        quasi_identifiers=tuple(quasi_identifiers),
        missing_rule=missing,
        left_out=left_out,
        classes=int(sizes["classes"].to_numpy().sum()),
        smallest_class=smallest,
        population=basis,
        fraction=fraction,
        k=None,
        poisson=plain,
        zero_truncated=truncated,
        significance=significance,
    )


def presence(
    sample: Ints,
    population: Ints,
    quasi_identifiers: Sequence[str],
    *,
    classes: Ints | None = None,
    missing: str = "own-category",
    left_out: int | None = None,
) -> DeltaPresence:
    """:func:`delta_presence` under both readings, from the sizes of all classes of the population.

    ``classes`` says how many classes each pair of sizes stands for; one each where it is not given.
    """
    low, high = delta_presence(sample, population)
    present, many = sample > 0, np.ones(len(sample), dtype=np.int64) if classes is None else classes
    return DeltaPresence(
        quasi_identifiers=tuple(quasi_identifiers),
        missing_rule=missing,
        left_out=left_out,
        records=int((sample * many).sum()),
        population=int((population * many).sum()),
        classes=int(many.sum()),
        classes_present=int(many[present].sum()),
        lowest=low,
        highest=high,
        lowest_present=float((sample[present] / population[present]).min()) if present.any() else None,
    )


@dataclass(frozen=True)
class KMap(Shown):
    """How many people of the population share the rarest combination that occurs in the table."""

    key: ClassVar[str] = "k_map"
    quasi_identifiers: tuple[str, ...]
    missing_rule: str
    left_out: int | None  # rows that the rule left out; None where that was not counted
    classes: int  # of the table
    smallest_class: int  # data subjects of the table
    population: Literal["table", "size", "fraction"]  # what the population rests on
    fraction: float | None  # sampling fraction; None with a population table
    k: int | None  # people, counted; None without a population table
    poisson: int | None  # people, estimated; None with a population table
    zero_truncated: int | None  # people, estimated; None with a population table
    significance: float | None  # of the estimates

    def sentence(self) -> str:
        known, rule = named(self.quasi_identifiers), missing_said(self.missing_rule, self.left_out)
        if self.fraction is None:
            return (
                f"Every one of the {self.classes:,} combinations of {known} in the table is shared by at least "
                f"{self.k:,} of the population; in the table itself the rarest is held by {self.smallest_class:,}. "
                f"{rule}"
            )
        return (
            f"The rarest of {self.classes:,} combinations of {known} is held by {self.smallest_class:,} of the table, "
            f"which holds {tables.percent(self.fraction)} of the population. From that, every combination is estimated "
            f"to be shared by at least {self.poisson:,} of the population (Poisson), or {self.zero_truncated:,} "
            f"(zero-truncated Poisson), at a significance of {self.significance:g}. {rule}"
        )

    def table(self) -> pl.DataFrame:
        shared = {"combinations": [self.classes], "smallest class in the table": [self.smallest_class]}
        if self.fraction is None:
            return tables.table(shared | {"smallest in the population (k)": [self.k]})
        estimates: dict[str, list[Any]] = {
            "sampling share": [self.fraction],
            "k estimated (Poisson)": [self.poisson],
            "k estimated (zero-truncated)": [self.zero_truncated],
            "significance": [self.significance],
        }
        return tables.table(shared | estimates)

    def record(self) -> dict[str, Any]:
        return {
            "quasi_identifiers": list(self.quasi_identifiers),
            "missing_rule": self.missing_rule,
            "left_out": self.left_out,
            "classes": self.classes,
        } | self.numbers()

    def numbers(self) -> dict[str, Any]:
        """The contract's numbers, and why some of them are None."""
        return {
            "k": self.k,
            "poisson": self.poisson,
            "zero_truncated": self.zero_truncated,
            "smallest_class": self.smallest_class,
            "significance": self.significance,
            "population": self.population,
            "reason": _COUNTED if self.fraction is None else _ESTIMATED,
        }


@dataclass(frozen=True)
class DeltaPresence(Shown):
    """How surely somebody of the population is known to be in the table, or not to be."""

    key: ClassVar[str] = "delta_presence"
    quasi_identifiers: tuple[str, ...]
    missing_rule: str
    left_out: int | None  # rows that the rule left out; None where that was not counted
    records: int  # data subjects of the table
    population: int  # data subjects of the population
    classes: int  # of the population
    classes_present: int  # of them with somebody in the table
    lowest: float  # probability, 0 to 1, over all classes of the population
    highest: float  # probability, 0 to 1
    lowest_present: float | None  # probability, 0 to 1, over classes with somebody in the table

    def sentence(self) -> str:
        other = (
            "nobody of the population is in the table"
            if self.lowest_present is None
            else f"over the {self.classes_present:,} that have somebody in it, "
            f"the chance is {tables.percent(self.lowest_present)} at least"
        )
        return (
            f"The table holds {self.records:,} of {self.population:,} people of the population. Whoever knows "
            f"{named(self.quasi_identifiers)} of one of them knows with a chance of {tables.percent(self.lowest)} to "
            f"{tables.percent(self.highest)} that this person is in the table, over all {self.classes:,} combinations "
            f"of the population; {other}. {missing_said(self.missing_rule, self.left_out)}"
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "records": [self.records],
                "population": [self.population],
                "combinations of the population": [self.classes],
                "of them in the table": [self.classes_present],
                "lowest chance": [self.lowest],
                "highest chance": [self.highest],
                "lowest chance where somebody is": [self.lowest_present],
            }
        )

    def figure(self) -> Figure:
        from otrack_risk.display.figures import bars

        title = f"Known to be in the table with a chance of {tables.percent(self.highest)} at most"
        return bars(["at least", "at most"], [self.lowest, self.highest], title, "chance of being in the table")

    def record(self) -> dict[str, Any]:
        return {
            "quasi_identifiers": list(self.quasi_identifiers),
            "missing_rule": self.missing_rule,
            "left_out": self.left_out,
            "records": self.records,
            "population": self.population,
            "classes": self.classes,
            "classes_present": self.classes_present,
        } | self.numbers()

    def numbers(self) -> dict[str, Any]:
        """The contract's numbers, the other reading, and which is which."""
        numbers: dict[str, Any] = {
            "min": self.lowest,
            "max": self.highest,
            "reading": "all classes of the population",
            "min_over_classes_present": self.lowest_present,
        }
        if self.lowest_present is None:
            numbers["reason"] = "no class has a record of the table, so min_over_classes_present is not defined"
        return numbers


def _check(fraction: float, significance: float) -> None:
    if not 0 < fraction <= 1:
        raise ParameterError(
            "k-map: the sampling fraction lies above 0 and up to 1.",
            "give 0.1 where the table holds a tenth of the population.",
        )
    if not 0 < significance <= 0.5:
        raise ParameterError("k-map: the significance lies above 0 and up to 0.5.", "give 0.05, as is usual.")


def _covers(c: int, mean: float, truncated: bool, significance: float) -> bool:
    """Whether P(X <= c) >= 1 - significance; by the upper tail, which loses no digit where it is small."""
    from scipy.special import pdtrc

    above = float(pdtrc(c, mean))
    return above <= significance * (-math.expm1(-mean) if truncated else 1.0)

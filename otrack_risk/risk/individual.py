"""The chance of each record to be found, estimated from how many people it stands for.

A sample says how many records share a combination (f); sampling weights or a population say about
how many people do (F). From the two comes a chance for every record, and from the chances a number
of re-identifications to expect: over the file, over households, and over the sample uniques alone.
"""

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
from otrack_risk.risk.counts import Combinations, Floats, Ints
from otrack_risk.risk.sizes import missing_said, named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Method = Literal["exact", "approx"]
Basis = Literal["weights", "size", "fraction", "table"]

_BASES = {
    "weights": "the sum of the sampling weights of those alike",
    "size": "the share of the population that the table holds",
    "fraction": "the sampling fraction",
    "table": "the population table",
}


def individual_risk(size: Ints | Floats, population: Ints | Floats, *, method: Method = "exact") -> Floats:
    """Chance that a record is linked to the right person, from its frequency in the sample and the population.

    Parameters
    ----------
    size : f, at least 1
        Records with the same combination; no whole number where a match through a gap counts in part.
    population : F, estimated or counted people with the same combination
        Below f (weights under 1) it is taken to be f.
    method : "exact" or "approx"
        "approx" takes p / (f - (1 - p)) for f above 2, which is a little higher than "exact".

    Returns
    -------
    probability, 0 to 1, for each pair

    Raises
    ------
    ParameterError
        An unknown method; a frequency that is below 1, a population that is not a positive number.

    Notes
    -----
    With p = f / F, the number of people F given f follows a negative binomial distribution, and the
    risk is the mean of 1 / F: p^f / f 2F1(f, f; f + 1; 1 - p) [1]_ [2]_. By Euler's transformation that
    is p / f 2F1(1, 1; f + 1; 1 - p), which does not leave the range of numbers for large f. For f = 1 it
    is p / (1 - p) ln(1 / p), for f = 2 p / (1 - p) - (p / (1 - p))^2 ln(1 / p), and 1 / f where F = f.

    References
    ----------
    .. [1] Benedetti and Franconi (1998), Statistical and technological solutions for controlled data dissemination.
    .. [2] Franconi and Polettini (2004), Privacy in Statistical Databases, LNCS 3050, 262-272.

    Examples
    --------
    >>> individual_risk(np.array([1, 2, 3]), np.array([45.5, 100, 3])).round(6).tolist()
    [0.085791, 0.018779, 0.333333]
    """
    if method not in ("exact", "approx"):
        raise ParameterError("individual_risk: the method is one of exact, approx.", "name one of them.")
    f, people = np.broadcast_arrays(np.asarray(size, dtype=np.float64), np.asarray(population, dtype=np.float64))
    if not ((f >= 1).all() and (people > 0).all() and np.isfinite(f).all() and np.isfinite(people).all()):
        raise ParameterError(
            "individual_risk: a frequency lies below 1, or the people it stands for are not a positive number.",
            "see that every sampling weight is a number above 0.",
        )
    p = np.minimum(f / people, 1.0)
    approximate = (f > 2) & (method == "approx")
    risk = np.empty(f.shape)
    risk[approximate] = p[approximate] / (f[approximate] - (1 - p[approximate]))
    # 2F1 as a power series in 1 - p, or, where p is small and that is slow, in p / (1 - p)
    small, large = ~approximate & (p < 0.25), ~approximate & (p >= 0.25)
    risk[small] = _of_small_shares(f[small], p[small])
    risk[large] = _of_large_shares(f[large], p[large])
    return risk


def household_risk(risk: Floats, household: Ints) -> Floats:
    """Chance that at least one record of a record's household is linked to the right person.

    Parameters
    ----------
    risk : probability, 0 to 1, by record
    household : number of the household, by record; 0 where there is none

    Notes
    -----
    1 - prod(1 - r) over the household, taking its members to be found independently of each other.
    A record without a household stands alone and keeps its own risk.

    Examples
    --------
    >>> household_risk(np.array([0.5, 0.5, 0.1]), np.array([7, 7, 0])).round(6).tolist()
    [0.75, 0.75, 0.1]
    """
    if len(risk) != len(household):
        raise TableError(
            f"household: {len(household):,} numbers for {len(risk):,} records.", "give one for each record, 0 for none."
        )
    order = np.lexsort((risk, household))  # so that no digit depends on the order of the rows
    _, place, members = np.unique(household[order], return_inverse=True, return_counts=True)
    with np.errstate(divide="ignore"):  # a risk of 1 is a certainty: log 0
        nobody = np.bincount(place, weights=np.log1p(-risk[order]))
    together = np.array(risk, dtype=np.float64)
    several = (household[order] != 0) & (members[place] > 1)
    together[order[several]] = -np.expm1(nobody[place[several]])
    return together


def tau(found: Combinations, fraction: float) -> tuple[float, float]:
    """How many sample uniques are unique in the population too, and how many are matched rightly, to be expected.

    Parameters
    ----------
    found : the distinct combinations of the sample; a missing value counts as a value of its own
    fraction : data subjects of the sample over those of the population, above 0 and up to 1

    Returns
    -------
    tau1, tau2 : records
        Expected sample uniques that are population uniques; expected right matches when each sample unique
        is matched to somebody with its combination in the population.

    Raises
    ------
    ParameterError
        A fraction outside its range.

    Notes
    -----
    Over sample uniques, with x = lambda (1 - pi): tau1 = sum exp(-x), tau2 = sum (1 - exp(-x)) / x
    [1]_ [2]_; lambda = mu / pi is the fitted mean of the population cell, and mu = n times the product of
    the shares that the values have in the sample: the log-linear model of main effects (independence),
    in closed form. sdcMicro puts the sample mean mu in place of lambda, and divides by the number of non-empty cells.

    References
    ----------
    .. [1] Rinott and Shlomo (2006), Privacy in Statistical Databases, LNCS 4302, 82-93.
    .. [2] Skinner and Shlomo (2008), J. Am. Stat. Assoc. 103(483), 989-1001.

    Examples
    --------
    >>> codes = np.array([[1, 1], [1, 2], [2, 1]])
    >>> pupils = Combinations(("year", "sex"), codes, size=np.array([2, 1, 1]))
    >>> [round(value, 4) for value in tau(pupils, 0.5)]
    [0.9447, 1.407]
    """
    _check_fraction("tau", fraction)
    alone = found.size == 1
    fitted = np.full(int(alone.sum()), float(found.records))
    for column in found.codes.T:
        values, place = np.unique(column, return_inverse=True)
        holding = np.zeros(len(values), dtype=np.int64)
        np.add.at(holding, place, found.size)
        fitted *= holding[place[alone]] / found.records
    x = fitted / fraction * (1 - fraction)
    shared = np.divide(-np.expm1(-x), x, out=np.ones_like(x), where=x > 0)
    return math.fsum(np.exp(-x)), math.fsum(shared)


def dis(uniques: int, pairs: int, fraction: float) -> float | None:
    """Chance that a match against a sample unique is right, whoever it is (data intrusion simulation).

    Parameters
    ----------
    uniques : combinations that one record of the sample holds
    pairs : combinations that two records of the sample hold
    fraction : data subjects of the sample over those of the population, above 0 and up to 1

    Returns
    -------
    pi u1 / (pi u1 + 2 (1 - pi) u2) [1]_, or None where that is 0 over 0

    References
    ----------
    .. [1] Skinner and Elliot (2002), J. R. Stat. Soc. B 64(4), 855-867.

    Examples
    --------
    >>> dis(40, 10, 0.1)  # 4 / (4 + 18)
    0.18181818181818182
    """
    _check_fraction("dis", fraction)
    right, wrong = fraction * uniques, 2 * (1 - fraction) * pairs
    return right / (right + wrong) if right + wrong > 0 else None


def risk_of_records(
    found: Combinations,
    risk: Floats,
    *,
    method: Method,
    basis: Basis,
    missing: str = "own-category",
    left_out: int | None = None,
) -> IndividualRisk:
    """The risk of all records from that of each combination, as :func:`individual_risk` gives it."""
    return IndividualRisk(
        quasi_identifiers=found.quasi_identifiers,
        missing_rule=missing,
        left_out=left_out,
        records=found.records,
        expected_reidentifications=math.fsum(risk * found.size),
        highest=float(risk.max()),
        method=method,
        basis=basis,
    )


def risk_of_households(risk: Floats, household: Ints) -> HouseholdRisk:
    """:func:`household_risk` over all records: those to expect are the sum over records, not over households."""
    together = household_risk(risk, household)
    return HouseholdRisk(
        records=len(together),
        households=len(np.unique(household[household != 0])),
        without_household=int((household == 0).sum()),
        expected_reidentifications=math.fsum(together),
        highest=float(together.max()),
    )


def risk_of_file(
    found: Combinations, fraction: float, *, missing: str = "own-category", left_out: int | None = None
) -> FileRisk:
    """:func:`tau` and :func:`dis` of one sample."""
    uniques, pairs = (int((found.size == size).sum()) for size in (1, 2))
    tau1, tau2 = tau(found, fraction)
    return FileRisk(
        quasi_identifiers=found.quasi_identifiers,
        missing_rule=missing,
        left_out=left_out,
        records=found.records,
        uniques=uniques,
        pairs=pairs,
        fraction=fraction,
        tau1=tau1,
        tau2=tau2,
        dis=dis(uniques, pairs, fraction),
    )


@dataclass(frozen=True)
class IndividualRisk(Shown):
    """How many records of a file are linked to the right person, to be expected, and the highest chance."""

    key: ClassVar[str] = "individual_risk"
    quasi_identifiers: tuple[str, ...]
    missing_rule: str
    left_out: int | None  # rows that the rule left out; None where that was not counted
    records: int  # the denominator
    expected_reidentifications: float  # records
    highest: float  # probability, 0 to 1
    method: Method
    basis: Basis  # what the number of people behind a combination rests on

    @property
    def share(self) -> float:
        """Expected re-identifications over records."""
        return self.expected_reidentifications / self.records

    def sentence(self) -> str:
        return (
            f"Of {self.records:,} records {self.expected_reidentifications:,.1f} ({tables.percent(self.share)}) are "
            f"linked to the right person, to be expected, by somebody who knows {named(self.quasi_identifiers)} of "
            f"everybody in the population; for one record the chance is {tables.percent(self.highest)} at most. How "
            f"many people share a combination is estimated from {_BASES[self.basis]}. "
            f"{missing_said(self.missing_rule, self.left_out)}"
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "records": [self.records],
                "expected re-identifications": [self.expected_reidentifications],
                "share of records": [self.share],
                "highest chance": [self.highest],
                "method": [self.method],
                "people estimated from": [self.basis],
            }
        )

    def figure(self) -> Figure:
        title = (
            f"Linked with a chance of {tables.percent(self.share)} on average, {tables.percent(self.highest)} at most"
        )
        return _chances(self.share, self.highest, title)

    def record(self) -> dict[str, Any]:
        return {
            "quasi_identifiers": list(self.quasi_identifiers),
            "missing_rule": self.missing_rule,
            "left_out": self.left_out,
            "records": self.records,
        } | self.numbers()

    def numbers(self) -> dict[str, Any]:
        """The contract's numbers, and what they rest on."""
        return {
            "expected_reidentifications": self.expected_reidentifications,
            "share": self.share,
            "highest": self.highest,
            "method": self.method,
            "basis": self.basis,
        }


@dataclass(frozen=True)
class HouseholdRisk(Shown):
    """The same where finding one of a household gives away the others."""

    key: ClassVar[str] = "household_risk"
    records: int  # the denominator
    households: int
    without_household: int  # records that stand alone
    expected_reidentifications: float  # records
    highest: float  # probability, 0 to 1

    @property
    def share(self) -> float:
        """Expected re-identifications over records."""
        return self.expected_reidentifications / self.records

    def sentence(self) -> str:
        alone = (
            f" Records without a household, which stand alone: {self.without_household:,}."
            if self.without_household
            else ""
        )
        return (
            f"Of {self.records:,} records in {self.households:,} household{'s' * (self.households != 1)} "
            f"{self.expected_reidentifications:,.1f} ({tables.percent(self.share)}) are found, to be expected, where "
            f"finding one of a household gives away all of it; the chance of one household is "
            f"{tables.percent(self.highest)} at most.{alone}"
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "records": [self.records],
                "households": [self.households],
                "records without a household": [self.without_household],
                "expected re-identifications": [self.expected_reidentifications],
                "share of records": [self.share],
                "highest chance": [self.highest],
            }
        )

    def figure(self) -> Figure:
        title = (
            f"Found through the household with a chance of {tables.percent(self.share)} on average, "
            f"{tables.percent(self.highest)} at most"
        )
        return _chances(self.share, self.highest, title)

    def record(self) -> dict[str, Any]:
        return {
            "records": self.records,
            "households": self.households,
            "without_household": self.without_household,
            "expected_reidentifications": self.expected_reidentifications,
            "share": self.share,
            "highest": self.highest,
        }


@dataclass(frozen=True)
class FileRisk(Shown):
    """What the sample uniques of a file are worth to an attacker, by a model of the population."""

    key: ClassVar[str] = "tau"
    quasi_identifiers: tuple[str, ...]
    missing_rule: str
    left_out: int | None  # rows that the rule left out; None where that was not counted
    records: int
    uniques: int  # records alone with their combination in the sample
    pairs: int  # combinations that two records of the sample hold
    fraction: float  # sampling fraction, above 0 and up to 1
    tau1: float  # expected records that are unique in the population too
    tau2: float  # expected records that are matched rightly
    dis: float | None  # probability, 0 to 1, that a match against a sample unique is right

    def sentence(self) -> str:
        chance = (
            "No combination is held by one record or by two, so the chance of a right match is not defined. "
            if self.dis is None
            else f"A match against one of them is right with a chance of {tables.percent(self.dis)}. "
        )
        return (
            f"{self.uniques:,} of {self.records:,} records ({tables.percent(self.uniques / self.records)}) are alone "
            f"with their {named(self.quasi_identifiers)} in the table, which holds {tables.percent(self.fraction)} of "
            f"the population. To be expected, {self.tau1:,.1f} of the {self.uniques:,} are unique in the population "
            f"too, and {self.tau2:,.1f} are matched rightly. {chance}"
            f"{missing_said(self.missing_rule, self.left_out)}"
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "records": [self.records],
                "unique in the table": [self.uniques],
                "combinations of two records": [self.pairs],
                "sampling share": [self.fraction],
                "unique in the population too (tau1)": [self.tau1],
                "matched rightly (tau2)": [self.tau2],
                "chance that a match is right (DIS)": [self.dis],
            }
        )

    def figure(self) -> Figure | None:
        if not self.uniques:
            return None
        from otrack_risk.display.figures import bars

        title = f"{self.tau1:,.1f} of {self.uniques:,} sample uniques are expected to be unique in the population too"
        labels: Sequence[str] = ["unique in the table", "of them matched rightly", "of them unique in the population"]
        return bars(labels, [self.uniques, round(self.tau2, 1), round(self.tau1, 1)], title, "records")

    def record(self) -> dict[str, Any]:
        return {
            "quasi_identifiers": list(self.quasi_identifiers),
            "missing_rule": self.missing_rule,
            "left_out": self.left_out,
            "records": self.records,
            "uniques": self.uniques,
            "pairs": self.pairs,
            "fraction": self.fraction,
        } | self.numbers()

    def numbers(self) -> dict[str, Any]:
        """The contract's numbers, and the chance of a right match."""
        numbers: dict[str, Any] = {"tau1": self.tau1, "tau2": self.tau2, "dis": self.dis}
        if self.dis is None:
            numbers["reason"] = "no combination is held by exactly one or two records, so dis is 0 over 0"
        return numbers


def _check_fraction(name: str, fraction: float) -> None:
    if not 0 < fraction <= 1:
        raise ParameterError(
            f"{name}: the sampling fraction lies above 0 and up to 1.",
            "give 0.1 where the table holds a tenth of the population.",
        )


def _chances(share: float, highest: float, title: str) -> Figure:
    from otrack_risk.display.figures import bars

    return bars(["on average", "at most"], [share, highest], title, "chance of being linked to the right person")


def _of_large_shares(f: Floats, p: Floats) -> Floats:
    """p / f 2F1(1, 1; f + 1; z) as the sum over k of k! / ((f + 1) ... (f + k)) z^k, z = 1 - p up to 0.75."""
    z, term, total, k = 1 - p, np.ones_like(p), np.ones_like(p), 0
    while (term > 1e-17 * total).any():
        k += 1
        term = term * (k * z / (f + k))
        total = total + term
    return p / f * total


def _of_small_shares(f: Floats, p: Floats) -> Floats:
    """The same as p / (1 - p) times the integral of s^a / (s + x) from 0 to 1, with a = f - 1, x = p / (1 - p) < 1/3.

    It is the sum over k of (-x)^k / (a - k), less pi x^a / sin(pi a). Of the terms the one with k = m, the
    whole number next to a, and the last grow together as a nears m; with e = a - m and
    g = pi e / sin(pi e) the two come to (-x)^m ((1 - g) / e - g (x^e - 1) / e), and to -(-x)^m ln x at e = 0.
    """
    a, x = f - 1, p / (1 - p)
    m = np.rint(a)
    e = a - m
    total, power, k = np.zeros_like(x), np.ones_like(x), 0
    while (np.abs(power) > 1e-18).any():
        total += np.divide(power, a - k, out=np.zeros_like(x), where=m != k)
        power, k = power * -x, k + 1
    angle = math.pi * e
    near = np.abs(angle) < 1e-2  # there 1 - g by its own series
    g_less_1 = angle**2 / 6 + 7 * angle**4 / 360 + 31 * angle**6 / 15120
    g_less_1 = np.where(near, g_less_1, np.divide(angle, np.sin(angle), out=np.ones_like(x), where=~near) - 1)
    nonzero = e != 0
    slope = np.divide(g_less_1, e, out=np.zeros_like(x), where=nonzero)
    log_x = np.log(x)
    grown = np.divide(np.expm1(e * log_x), e, out=log_x.copy(), where=nonzero)
    sign = np.where(m % 2 == 0, 1.0, -1.0)
    return x * (total - sign * x**m * (slope + (1 + g_less_1) * grown))

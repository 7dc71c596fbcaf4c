"""Which combinations of facts single somebody out, and how much each fact has to do with it.

Everything here reads :class:`otrack_risk.risk.counts.SubsetCounts`, one row a combination; none sees a record of
the table. A combination *singles out* the records that are alone with their values in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import compress
from math import comb
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
from narwhals.typing import IntoFrame

from otrack_risk.display import tables
from otrack_risk.display.results import NotLookedFor, Shown
from otrack_risk.errors import ParameterError
from otrack_risk.risk.classes import combinations
from otrack_risk.risk.counts import Floats, Ints, SubsetCounts
from otrack_risk.risk.cube import subset_counts
from otrack_risk.risk.sizes import check_threshold, missing_said, named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SINGLING_OUT = 0.95  # share of records from which a combination is a key (own default)
LARGEST = 3  # facts in a key at most: what one person commonly knows of another (own default)
FEW = 5  # combinations named where none is a key
MOST_KEYS = 12  # keys named at most
MOST = 20  # ranked combinations: what one figure holds
_PER_SIZE = 5  # ranked combinations of one size at most
_MOST_COLUMNS = 15  # of dots, beyond which a figure leaves out facts that are in no combination shown
MOST_FACTS = 62  # facts that one whole number holds


@dataclass(frozen=True)
class Combination:
    """Some of the facts, and how many records they single out."""

    attributes: tuple[str, ...]
    uniques: int  # records alone with their values in these facts


@dataclass(frozen=True)
class FactsKnown:
    """All combinations of one number of facts."""

    facts: int  # facts known
    subsets: int  # combinations of that many
    fewest: Combination
    median_uniques: float  # over the combinations, records; halfway between the middle two of an even number
    most: Combination
    guessed: Mapping[str, float]  # by sensitive column: the highest posterior, probability 0 to 1


def subset_risk(
    counts: SubsetCounts,
    *,
    inference: Mapping[str, Floats | Sequence[float]] | None = None,
    unit: str = "records",
    missing: str = "own-category",
) -> SubsetRisk:
    """The measures of every combination of facts, and how uniqueness grows with the number of facts known.

    Parameters
    ----------
    counts : the classes over each combination
    inference : sensitive column to the chance of guessing it rightly, one a combination in the order of ``counts``
    unit : what is counted, "records" or "data_subjects"
    missing : the missing-value rule that ``counts`` was made by, for the sentence

    Raises
    ------
    ParameterError
        An ``inference`` that has not one number a combination.

    Examples
    --------
    Four records; ``sex`` singles out one, ``year`` nobody, both together two.

    >>> counts = SubsetCounts(
    ...     quasi_identifiers=("sex", "year"), records=4, members=np.array([[1, 0], [0, 1], [1, 1]], dtype=bool),
    ...     classes=np.array([2, 2, 3]), uniques=np.array([1, 0, 2]), k=np.array([1, 2, 1]),
    ...     pairs=np.array([3.0, 2.0, 1.0]),
    ... )
    >>> [(facts.facts, facts.median_uniques, facts.most.attributes) for facts in subset_risk(counts).by_facts]
    [(1, 0.5, ('sex',)), (2, 2.0, ('sex', 'year'))]
    """
    given = {name: np.asarray(posterior, dtype=np.float64) for name, posterior in (inference or {}).items()}
    if odd := [name for name, posterior in given.items() if posterior.shape != counts.uniques.shape]:
        raise ParameterError(
            f"inference: '{odd[0]}' has not one number for each of {len(counts.uniques):,} combinations.",
            "hand over the posterior of every combination, in their order.",
        )
    return SubsetRisk(counts, given, unit, missing)


@dataclass(frozen=True)
class SubsetRisk(Shown):
    """Every combination of facts, measured as a table of its own."""

    key: ClassVar[str] = "subset_risk"
    counts: SubsetCounts
    inference: Mapping[str, Floats]  # by sensitive column, one posterior a combination; probability, 0 to 1
    unit: str  # what is counted: records, or data_subjects
    missing_rule: str

    @property
    def by_facts(self) -> tuple[FactsKnown, ...]:
        """The combinations gathered by their number of facts, fewest first."""
        counts, sizes = self.counts, _sizes(self.counts)
        gathered = []
        for facts in np.unique(sizes):
            rows = np.flatnonzero(sizes == facts)
            ranked = rows[_ranking(counts, rows)]
            least = ranked[counts.uniques[ranked] == counts.uniques[ranked[-1]]][0]  # the first named of equals
            gathered.append(
                FactsKnown(
                    facts=int(facts),
                    subsets=len(rows),
                    fewest=_combination(counts, least),
                    median_uniques=float(np.median(counts.uniques[rows])),
                    most=_combination(counts, ranked[0]),
                    guessed={name: float(posterior[rows].max()) for name, posterior in self.inference.items()},
                )
            )
        return tuple(gathered)

    def sentence(self) -> str:
        by_facts, n, unit = self.by_facts, self.counts.records, _words(self.unit)
        at = by_facts[min(3, len(by_facts)) - 1]
        every = len(self.counts.quasi_identifiers)
        if at.subsets == 1:
            said = (
                f"With {at.facts} of {every} facts known ({named(at.most.attributes)}), {at.most.uniques:,} of {n:,} "
                f"{unit} ({tables.percent(at.most.uniques / n)}) are singled out."
            )
        else:
            said = (
                f"With {at.facts} of {every} facts known, the middle combination singles out "
                f"{_half(at.median_uniques)} of {n:,} {unit} ({tables.percent(at.median_uniques / n)}), "
                f"the least telling {at.fewest.uniques:,} ({tables.percent(at.fewest.uniques / n)}; "
                f"{named(at.fewest.attributes)}), the most telling {at.most.uniques:,} "
                f"({tables.percent(at.most.uniques / n)}; {named(at.most.attributes)}), "
                f"over {at.subsets:,} combinations."
            )
        last = by_facts[-1]
        if last.facts > at.facts:
            known = "all" if last.facts == every else f"{last.facts} of"
            most = last.most.uniques
            said += f" With {known} {every} facts known it is {'' if last.subsets == 1 else 'up to '}{most:,} of {n:,} "
            said += f"({tables.percent(most / n)})."
        return f"{said} {missing_said(self.missing_rule, None, unit)}"

    def table(self) -> pl.DataFrame:
        by_facts, n = self.by_facts, self.counts.records
        return tables.table(
            {
                "facts known": [facts.facts for facts in by_facts],
                "combinations": [facts.subsets for facts in by_facts],
                f"{_words(self.unit)} measured": [n] * len(by_facts),
                "lowest unique share": [facts.fewest.uniques / n for facts in by_facts],
                "median unique share": [facts.median_uniques / n for facts in by_facts],
                "highest unique share": [facts.most.uniques / n for facts in by_facts],
                **{
                    f"highest chance of guessing {name}": [facts.guessed[name] for facts in by_facts]
                    for name in self.inference
                },
                "most telling": [named(facts.most.attributes) if facts.most.uniques else "none" for facts in by_facts],
            }
        )

    def figure(self) -> Figure:
        from otrack_risk.display.figures import lines

        by_facts, n, unit = self.by_facts, self.counts.records, _words(self.unit)
        at = by_facts[min(3, len(by_facts)) - 1]
        return lines(
            [facts.facts for facts in by_facts],
            {
                f"{n:,} {unit}": [
                    (facts.fewest.uniques / n, facts.median_uniques / n, facts.most.uniques / n) for facts in by_facts
                ]
            },
            f"With {at.facts} facts known the middle combination singles out "
            f"{tables.percent(at.median_uniques / n)} of {n:,} {unit}",
            "facts known (line: middle combination; band: from the least to the most telling)",
            f"share of {unit} singled out",
        )

    def record(self) -> dict[str, Any]:
        """The contract's ``subsets``, with what they hold for."""
        counts, n = self.counts, self.counts.records
        separation = (np.full(len(counts.pairs), np.nan) if n < 2 else 1 - counts.pairs / (n * (n - 1) / 2)).tolist()
        numbers = zip(counts.classes.tolist(), counts.k.tolist(), counts.uniques.tolist(), separation, strict=True)
        posteriors = {name: posterior.tolist() for name, posterior in self.inference.items()}
        record: dict[str, Any] = {
            "quasi_identifiers": list(counts.quasi_identifiers),
            "missing_rule": self.missing_rule,
            "unit": self.unit,
            "records": n,
            "subsets": [
                {
                    "attributes": list(compress(counts.quasi_identifiers, counts.members[row].tolist())),
                    "classes": classes,
                    "k": k,
                    "uniques": uniques,
                    "unique_share": uniques / n,
                    "distinction": classes / n,
                    "separation": apart if n > 1 else None,
                    "mean_record_risk": classes / n,
                    "inference": {name: posterior[row] for name, posterior in posteriors.items()},
                }
                | ({} if n > 1 else {"reason": "separation compares pairs of records, and there is only one record"})
                for row, (classes, k, uniques, apart) in enumerate(numbers)
            ],
        }
        if n < 2:
            record["reason"] = "separation compares pairs of records, and there is only one record"
        return record


def ranked_combinations(
    counts: SubsetCounts, *, most: int = MOST, unit: str = "records", missing: str = "own-category"
) -> RankedCombinations:
    """The combinations that single out most for each number of facts, ranked by records for each fact known.

    Parameters
    ----------
    counts : the classes over each combination
    most : combinations named at most
    unit, missing : as in :func:`subset_risk`

    Raises
    ------
    ParameterError
        ``most`` is below 1; more than 62 quasi-identifiers.

    Notes
    -----
    One more fact never hides anybody, so a ranking by uniques alone would name the largest combinations only. Of each
    size those are taken that single out most (as many of each as fit, five at most). Not taken are a combination in
    which some fact adds nothing to the others, and a size at which no combination singles out more than one of fewer
    facts does. They are ranked by uniques / facts: how many records a fact that has to be known is worth. Ties go to
    fewer facts, then to the order of the columns.

    Examples
    --------
    >>> counts = SubsetCounts(
    ...     quasi_identifiers=("sex", "year"), records=4, members=np.array([[1, 0], [0, 1], [1, 1]], dtype=bool),
    ...     classes=np.array([2, 2, 3]), uniques=np.array([1, 0, 2]), k=np.array([1, 2, 1]),
    ...     pairs=np.array([3.0, 2.0, 1.0]),
    ... )
    >>> [(found.attributes, found.uniques) for found in ranked_combinations(counts).ranked]
    [(('sex',), 1), (('sex', 'year'), 2)]
    """
    if most < 1:
        raise ParameterError("most: at least one combination is named.", "give 1 or more.")
    sizes, adding = _sizes(counts), _least_added(counts) > 0
    telling = _telling(counts.uniques, sizes)
    each = max(1, min(_PER_SIZE, most // max(len(telling), 1)))  # of one size
    taken: list[int] = []
    for size in telling:
        rows = np.flatnonzero(adding & (sizes == size))
        taken += rows[_ranking(counts, rows)[:each]].tolist()
    chosen = np.array(taken, dtype=np.int64)
    order = np.lexsort((-_masks(counts)[chosen], sizes[chosen], -(counts.uniques[chosen] / sizes[chosen])))
    ranked = chosen[order[:most]]
    return RankedCombinations(
        quasi_identifiers=counts.quasi_identifiers,
        records=counts.records,
        tried=len(sizes),
        largest=int(sizes.max()),
        redundant=int(np.count_nonzero(~adding & (counts.uniques > 0))),
        ranked=tuple(_combination(counts, row) for row in ranked),
        unit=unit,
        missing_rule=missing,
    )


def telling_combinations(
    subjects: IntoFrame, fields: Sequence[str], *, max_size: int = 3
) -> RankedCombinations | NotLookedFor:
    """:func:`ranked_combinations` of up to ``max_size`` of some columns, or why they are too many to try.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 8], "sex": ["F", "M", "F"]})
    >>> telling_combinations(pupils, ["year", "sex"]).sentence().split(":")[0]
    '3 of 3 records (100 %) are singled out by year and sex'
    """
    if len(fields) > MOST_FACTS:
        return NotLookedFor(
            "which combinations of facts single most people out",
            f"{len(fields)} columns are taken to be known, and {MOST_FACTS} can be tried.",
            "Name the columns that an attacker knows in the scenario.",
            instead_of=RankedCombinations.key,
        )
    return ranked_combinations(subset_counts(combinations(subjects, fields), min(max_size, len(fields))))


@dataclass(frozen=True)
class RankedCombinations(Shown):
    """The most telling combinations of each size, ranked by what a known fact is worth."""

    key: ClassVar[str] = "ranked_combinations"
    quasi_identifiers: tuple[str, ...]
    records: int  # measured: the denominator
    tried: int  # combinations
    largest: int  # facts in a combination at most
    redundant: int  # combinations that single somebody out, of which a fact adds nothing
    ranked: tuple[Combination, ...]  # by uniques for each fact, highest first
    unit: str
    missing_rule: str

    def sentence(self) -> str:
        n, unit, every = self.records, _words(self.unit), len(self.quasi_identifiers)
        if not self.ranked:
            said = f"No combination of up to {self.largest} of {every} facts singles out any of {n:,} {unit}."
            return f"{said} {missing_said(self.missing_rule, None, unit)}"
        best = self.ranked[0]
        facts = len(best.attributes)
        worth = f": {_worth(best):,.4g} for each of these {facts} facts" if facts > 1 else ""
        most = ", the most for each fact that has to be known" if len(self.ranked) > 1 else ""
        said = f"{_singled_out(best, n, unit)}{worth}{most}."
        one = [each for each in self.ranked if len(each.attributes) == 1]
        if one and one[0] is not best:
            said += f" Of single facts {one[0].attributes[0]} tells most: {one[0].uniques:,} of {n:,}."
        said += f" {self.tried:,} combinations of up to {self.largest} of {every} facts were tried"
        if self.redundant:
            hold = (
                "holds a fact that adds nothing to the others and is"
                if self.redundant == 1
                else ("hold a fact that adds nothing to the others and are")
            )
            said += f"; {self.redundant:,} of them {hold} passed over"
        said += "."
        return f"{said} {missing_said(self.missing_rule, None, unit)}"

    def table(self) -> pl.DataFrame:
        n, sizes = self.records, [len(each.attributes) for each in self.ranked]
        return tables.table(
            {
                "rank": list(range(1, len(sizes) + 1)),
                "facts known": sizes,
                "combination": [named(each.attributes) for each in self.ranked],
                f"{_words(self.unit)} singled out": [each.uniques for each in self.ranked],
                f"of {_words(self.unit)}": [n] * len(sizes),
                "unique share": [each.uniques / n for each in self.ranked],
                "singled out for each fact": [_worth(each) for each in self.ranked],
            }
        )

    def figure(self) -> Figure | None:
        if not self.ranked:
            return None
        best, n, unit = self.ranked[0], self.records, _words(self.unit)
        title = _singled_out(best, n, unit, at_most=4)
        by_size = sorted(self.ranked, key=lambda each: (len(each.attributes), -each.uniques))
        return _upset(
            self.quasi_identifiers,
            by_size,
            title,
            f"{unit} singled out, of {n:,}; fewest facts first; a dark dot: the fact is known",
        )

    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "quasi_identifiers": list(self.quasi_identifiers),
            "missing_rule": self.missing_rule,
            "unit": self.unit,
            "records": self.records,
            "tried": self.tried,
            "redundant": self.redundant,
            "ranked": [
                _plain(each, self.records) | {"rank": rank, "uniques_per_fact": _worth(each)}
                for rank, each in enumerate(self.ranked, 1)
            ],
        }
        return record if self.ranked else record | {"reason": "no combination singles out any record"}


def minimal_keys(
    counts: SubsetCounts,
    *,
    threshold: float = SINGLING_OUT,
    largest: int | None = LARGEST,
    unit: str = "records",
    missing: str = "own-category",
) -> MinimalKeys:
    """The smallest combinations that single out nearly all records, or the best few that single out any.

    Parameters
    ----------
    counts : the classes over each combination
    threshold : share of the records, 0 to 1, from which a combination is a key
    largest : facts in a combination at most; None for as many as ``counts`` has
    unit, missing : as in :func:`subset_risk`

    Raises
    ------
    ParameterError
        A threshold that is no share; a ``largest`` below 1; more than 62 quasi-identifiers.

    Notes
    -----
    A key is minimal where no part of it is a key. Where there is no key, the five combinations that single out most
    are named, without any in which a fact adds nothing to the others. A profile names keys by the same rule.

    References
    ----------
    Motwani and Xu (2007), Efficient algorithms for masking and finding quasi-identifiers.

    Examples
    --------
    >>> counts = SubsetCounts(
    ...     quasi_identifiers=("sex", "year"), records=4, members=np.array([[1, 0], [0, 1], [1, 1]], dtype=bool),
    ...     classes=np.array([2, 2, 4]), uniques=np.array([0, 0, 4]), k=np.array([2, 2, 1]),
    ...     pairs=np.array([2.0, 2.0, 0.0]),
    ... )
    >>> minimal_keys(counts).keys
    (Combination(attributes=('sex', 'year'), uniques=4),)
    """
    check_threshold(threshold)
    if largest is not None and largest < 1:
        raise ParameterError("largest: a key has at least one fact.", "give 1 or more, or leave it out.")
    sizes, uniques = _sizes(counts), counts.uniques
    cap = int(sizes.max()) if largest is None else min(largest, int(sizes.max()))
    within = sizes <= cap
    key = within & (uniques >= threshold * counts.records)
    # One more fact never hides anybody, so a combination with a key inside has one that lacks a single fact.
    holds_key = ((_uniques_without(counts) >= threshold * counts.records) & counts.members).any(axis=1) & (sizes > 1)
    minimal = np.flatnonzero(key & ~holds_key)
    if len(minimal):
        found = minimal
    else:
        telling = np.flatnonzero(within & (_least_added(counts) > 0))
        found = telling[_ranking(counts, telling)[:FEW]]
    order = np.lexsort((-_masks(counts)[found], -uniques[found], sizes[found]))
    return MinimalKeys(
        quasi_identifiers=counts.quasi_identifiers,
        records=counts.records,
        threshold=threshold,
        largest=cap,
        minimal=len(minimal),
        keys=tuple(_combination(counts, row) for row in found[order[:MOST_KEYS]]),
        unit=unit,
        missing_rule=missing,
    )


@dataclass(frozen=True)
class MinimalKeys(Shown):
    """The smallest combinations that single out nearly everybody, or the most telling ones where there are none."""

    key: ClassVar[str] = "minimal_keys"
    quasi_identifiers: tuple[str, ...]
    records: int  # measured: the denominator
    threshold: float  # share of the records from which a combination is a key
    largest: int  # facts in a combination at most
    minimal: int  # keys found; 0 where ``keys`` are only the most telling combinations
    keys: tuple[Combination, ...]  # fewest facts first, then by what they single out
    unit: str
    missing_rule: str

    def sentence(self) -> str:
        n, unit, every = self.records, _words(self.unit), len(self.quasi_identifiers)
        mark, rule = tables.percent(self.threshold), missing_said(self.missing_rule, None, unit)
        if not self.keys:
            return f"No combination of up to {self.largest} of {every} facts singles out any of {n:,} {unit}. {rule}"
        if not self.minimal:
            most = max(self.keys, key=lambda each: each.uniques)
            return (
                f"No combination of up to {self.largest} of {every} facts singles out {mark} of {n:,} {unit}. Most are "
                f"singled out by {named(most.attributes)}: {most.uniques:,} of {n:,} "
                f"({tables.percent(most.uniques / n)}). {rule}"
            )
        keys = "minimal key singles" if self.minimal == 1 else "minimal keys each single"
        more = f", of which {len(self.keys)} are named" if self.minimal > len(self.keys) else ""
        return (
            f"{self.minimal:,} {keys} out at least {mark} of {n:,} {unit}{more}, of up to {self.largest} of {every} "
            f"facts. {_singled_out(self.keys[0], n, unit)}. {rule}"
        )

    def table(self) -> pl.DataFrame:
        n = self.records
        return tables.table(
            {
                "combination": [named(each.attributes) for each in self.keys],
                "facts known": [len(each.attributes) for each in self.keys],
                f"{_words(self.unit)} singled out": [each.uniques for each in self.keys],
                f"of {_words(self.unit)}": [n] * len(self.keys),
                "unique share": [each.uniques / n for each in self.keys],
                "minimal key": ["yes" if self.minimal else "no"] * len(self.keys),
            }
        )

    def figure(self) -> Figure | None:
        if not self.keys:
            return None
        n, unit = self.records, _words(self.unit)
        best = self.keys[0] if self.minimal else max(self.keys, key=lambda each: each.uniques)
        none = "" if self.minimal else f"No key of up to {self.largest} facts: at most "
        return _upset(
            self.quasi_identifiers,
            self.keys,
            none + _singled_out(best, n, unit, at_most=4),
            f"{unit} singled out, of {n:,}; fewest facts first; a dark dot: the fact is known",
        )

    def record(self) -> dict[str, Any]:
        """The contract's ``minimal_keys``, with what they hold for."""
        record: dict[str, Any] = {
            "quasi_identifiers": list(self.quasi_identifiers),
            "missing_rule": self.missing_rule,
            "unit": self.unit,
            "records": self.records,
            "threshold": self.threshold,
            "largest": self.largest,
            "minimal": self.minimal,
            "minimal_keys": [
                {"attributes": list(each.attributes), "unique_share": each.uniques / self.records} for each in self.keys
            ],
        }
        return record if self.keys else record | {"reason": "no combination singles out any record"}


def quasi_identifier_shares(
    counts: SubsetCounts, *, unit: str = "records", missing: str = "own-category"
) -> QuasiIdentifierShares:
    """How much of the uniqueness over all facts each of them accounts for, by its Shapley value.

    Parameters
    ----------
    counts : the classes over each combination, of every size
    unit, missing : as in :func:`subset_risk`

    Raises
    ------
    ParameterError
        More than 62 quasi-identifiers.

    Notes
    -----
    The value of a set of facts is the number of records that it singles out; with no fact known everybody is alike,
    and nobody is singled out. A fact's Shapley value [1]_ is what it adds when the facts become known one after the
    other, averaged over all orders. It is computed exactly, in whole numbers and fractions: for each number of facts
    known before, the mean of what the fact adds. The values sum to the records singled out by all facts together; two
    facts that add the same have the same value, and one that never adds anything has 0.

    Unknown, not zero, where combinations of some size were not counted, where nobody is unique, and for a
    single record, which is alone whatever is known of it.

    References
    ----------
    .. [1] Shapley (1953), A value for n-person games. Contributions to the Theory of Games II, 307-317.

    Examples
    --------
    ``sex`` adds 1 of 2 when it comes first and 2 when it comes second; ``year`` adds 0 and 1.

    >>> counts = SubsetCounts(
    ...     quasi_identifiers=("sex", "year"), records=4, members=np.array([[1, 0], [0, 1], [1, 1]], dtype=bool),
    ...     classes=np.array([2, 2, 3]), uniques=np.array([1, 0, 2]), k=np.array([1, 2, 1]),
    ...     pairs=np.array([3.0, 2.0, 1.0]),
    ... )
    >>> found = quasi_identifier_shares(counts)
    >>> found.singled_out, found.shares
    ((1.5, 0.5), (0.75, 0.25))
    """
    every, sizes = len(counts.quasi_identifiers), _sizes(counts)
    whole = np.flatnonzero(sizes == every)
    uniques = int(counts.uniques[whole[0]]) if len(whole) else None
    reason = None
    if uniques is None:
        reason = f"combinations of more than {sizes.max()} of {every} facts were not counted"
    elif counts.records == 1:
        reason = "a single record is alone whatever is known of it"
    elif uniques == 0:
        reason = "nobody is unique on all facts together"
    exact: list[Fraction] = []
    if reason is None:
        added = np.where(counts.members, counts.uniques[:, None] - _uniques_without(counts), 0)
        # By how many facts are known before it, what each fact adds in all: whole numbers.
        totals = [added[sizes == size].sum(axis=0).tolist() for size in range(1, every + 1)]
        exact = [
            sum((Fraction(each[fact], every * comb(every - 1, known)) for known, each in enumerate(totals)), Fraction())
            for fact in range(every)
        ]
    return QuasiIdentifierShares(
        quasi_identifiers=counts.quasi_identifiers,
        records=counts.records,
        uniques=uniques,
        singled_out=None if reason else tuple(float(value) for value in exact),
        shares=None if reason else tuple(float(value / uniques) for value in exact if uniques),
        reason=reason,
        unit=unit,
        missing_rule=missing,
    )


@dataclass(frozen=True)
class QuasiIdentifierShares(Shown):
    """Which facts account for how much of the uniqueness."""

    key: ClassVar[str] = "shapley"
    quasi_identifiers: tuple[str, ...]
    records: int  # measured: the denominator of uniques
    uniques: int | None  # records singled out by all facts together; None where that was not counted
    singled_out: tuple[float, ...] | None  # records, one number a fact; their sum is ``uniques``
    shares: tuple[float, ...] | None  # the same over ``uniques``: 0 to 1, their sum is 1
    reason: str | None  # why there are no shares
    unit: str
    missing_rule: str

    def sentence(self) -> str:
        unit, n, every = _words(self.unit), self.records, len(self.quasi_identifiers)
        if self.shares is None or self.singled_out is None or self.uniques is None:
            return f"How much each of {every} facts adds to uniqueness is not known: {self.reason}."
        (share, first, most), *others = self._ordered()
        said = (
            f"{self.uniques:,} of {n:,} {unit} ({tables.percent(self.uniques / n)}) are alone when all {every} facts "
            f"are known; {first} accounts for {most:,.4g} of these {self.uniques:,} "
            f"({tables.percent(share)})"
        )
        if others:
            share, last, least = others[-1]
            said += f", the most of all, and {last} for {least:,.4g} ({tables.percent(share)}), the fewest"
        return f"{said}. {missing_said(self.missing_rule, None, unit)}"

    def table(self) -> pl.DataFrame:
        rows = self._ordered()
        return tables.table(
            {
                "fact": [name for _, name, _ in rows],
                "share of uniqueness": [share for share, _, _ in rows],
                f"{_words(self.unit)} singled out": [records for _, _, records in rows],
                f"of {_words(self.unit)} alone": [self.uniques] * len(rows),
            }
        )

    def figure(self) -> Figure | None:
        from otrack_risk.display.figures import bars

        rows = self._ordered()
        if not rows:
            return None
        share, name, _ = rows[0]
        return bars(
            [name for _, name, _ in rows],
            [share for share, _, _ in rows],
            f"{name} accounts for {tables.percent(share)} of the uniqueness",
            f"share of the {self.uniques:,} {_words(self.unit)} alone (Shapley value)",
        )

    def record(self) -> dict[str, Any]:
        """The contract's ``shapley``: a share by name of the fact, None with a ``reason`` where it is unknown."""
        if self.shares is None:
            return dict.fromkeys(self.quasi_identifiers) | {"reason": self.reason}
        return dict(zip(self.quasi_identifiers, self.shares, strict=True))

    def _ordered(self) -> list[tuple[float, str, float]]:
        """Share, fact and records, the highest share first."""
        rows = zip(self.shares or (), self.quasi_identifiers, self.singled_out or (), strict=False)
        return sorted(rows, key=lambda row: -row[0])


def _words(unit: str) -> str:
    return unit.replace("_", " ")


def _half(count: float) -> str:
    """A count that may lie halfway between two."""
    return f"{count:,.1f}".removesuffix(".0")


def _worth(each: Combination) -> float:
    return each.uniques / len(each.attributes)


def _singled_out(each: Combination, n: int, unit: str, at_most: int | None = None) -> str:
    are = "is" if each.uniques == 1 else "are"
    alone = " alone" if len(each.attributes) == 1 else ""
    return (
        f"{each.uniques:,} of {n:,} {unit} ({tables.percent(each.uniques / n)}) {are} singled out by "
        f"{named(each.attributes, at_most)}{alone}"
    )


def _plain(each: Combination, n: int) -> dict[str, Any]:
    return {"attributes": list(each.attributes), "uniques": each.uniques, "unique_share": each.uniques / n}


def _upset(facts: Sequence[str], combinations: Sequence[Combination], title: str, unit: str) -> Figure:
    from otrack_risk.display.figures import upset

    used = {name for each in combinations for name in each.attributes}
    labels = [name for name in facts if name in used or len(facts) <= _MOST_COLUMNS]
    left_out = len(facts) - len(labels)
    if left_out:
        unit += f"; {left_out} facts in none of them are not drawn"
    members = [[name in each.attributes for name in labels] for each in combinations]
    return upset(members, labels, [each.uniques for each in combinations], title, unit)


def _sizes(counts: SubsetCounts) -> Ints:
    """Facts in each combination."""
    sizes: Ints = counts.members.sum(axis=1, dtype=np.int64)
    return sizes


def _combination(counts: SubsetCounts, row: int | np.integer[Any]) -> Combination:
    return Combination(
        tuple(compress(counts.quasi_identifiers, counts.members[row].tolist())), int(counts.uniques[row])
    )


def _masks(counts: SubsetCounts) -> Ints:
    """Each combination as one whole number, its first fact in the highest bit.

    Among combinations of one size the higher number is the one that names earlier columns.
    """
    every = len(counts.quasi_identifiers)
    if every > MOST_FACTS:
        raise ParameterError(
            f"quasi_identifiers: {every} are too many to rank their combinations.", f"name {MOST_FACTS} at most."
        )
    masks: Ints = counts.members @ (np.int64(1) << np.arange(every - 1, -1, -1, dtype=np.int64))
    return masks


def _ranking(counts: SubsetCounts, rows: Ints) -> Ints:
    """Places in ``rows`` by uniques, most first; ties by fewer facts, then by the order of the columns."""
    return np.lexsort((-_masks(counts)[rows], _sizes(counts)[rows], -counts.uniques[rows]))


def _uniques_without(counts: SubsetCounts) -> Ints:
    """Records singled out by a combination without one of its facts; shape (combinations, facts).

    With no fact left nobody is singled out; where the fact is not in the combination the number means nothing.
    """
    masks = _masks(counts)
    order = np.argsort(masks)
    ordered, uniques = np.concatenate(([0], masks[order])), np.concatenate(([0], counts.uniques[order]))
    bits = np.int64(1) << np.arange(counts.members.shape[1] - 1, -1, -1, dtype=np.int64)
    return uniques[np.searchsorted(ordered, masks[:, None] & ~bits)]


def _telling(uniques: Ints, sizes: Ints) -> list[int]:
    """Sizes at which some combination singles out more than every one of fewer facts."""
    best = [int(uniques[sizes <= size].max()) for size in range(1, int(sizes.max()) + 1)]
    return [size for size, (before, now) in enumerate(zip([0, *best], best, strict=False), 1) if now > before]


def _least_added(counts: SubsetCounts) -> Ints:
    """Records that a combination singles out beyond its best part: what every fact in it adds at the least."""
    best_part: Ints = np.where(counts.members, _uniques_without(counts), 0).max(axis=1)
    return counts.uniques - best_part

"""k-anonymity, l-diversity, t-closeness and their kin: how alike are the data subjects of a table?

All but k speak of one sensitive column at a time, and come from one pass over how often each value
occurs in each class (:func:`sensitive_risk`); what the class sizes alone say is in
:mod:`otrack_risk.risk.sizes`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, get_args

import numpy as np
import polars as pl
from narwhals.typing import IntoFrame

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.errors import ParameterError
from otrack_risk.risk.classes import Missing, classes, value_counts
from otrack_risk.risk.counts import ClassValues, Floats, Ints
from otrack_risk.risk.orders import Order, Tree, order_of, tree_of
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

Numbers: TypeAlias = Ints | Floats
Distance = Literal["equal", "ordered", "hierarchical"]
_EXACT = 2**62  # products of counts below it are taken in whole numbers, above it as floats


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
    counts = value_counts(subjects, quasi_identifiers, sensitive, missing=missing)
    found = sensitive_risk(counts, column=sensitive)
    return LDiversity(
        quasi_identifiers=tuple(quasi_identifiers),
        sensitive=sensitive,
        missing_rule=missing,
        data_subjects=found.data_subjects,
        classes=found.classes,
        distinct=found.distinct_l,
        entropy=found.entropy_l,
        homogeneous_classes=found.homogeneous_classes,
        homogeneous_records=found.homogeneous_records,
    )


def t_closeness(
    subjects: IntoFrame,
    quasi_identifiers: Sequence[str],
    *,
    sensitive: str,
    missing: Missing = "own-category",
    distance: Distance = "equal",
    order: Sequence[str] | None = None,
    hierarchy: Sequence[Sequence[str]] | None = None,
) -> TCloseness:
    """How far the sensitive values of a class lie from those of the whole table, at most.

    Parameters
    ----------
    subjects, quasi_identifiers, sensitive, missing : as in :func:`l_diversity`
    distance : how far two values are apart
        "equal": any two are one apart. "ordered": by how many places of the order, the lowest and the
        highest being one apart. "hierarchical": by how high their first common label stands.
    order, hierarchy : as in :func:`sensitive_risk`

    Raises
    ------
    FieldError, TableError, ParameterError
        As :func:`l_diversity` and :func:`sensitive_risk`; an unknown distance.

    Notes
    -----
    The whole table is the rows that the rule keeps; t is the earth mover's distance. See
    :func:`sensitive_risk` for each distance.

    References
    ----------
    .. [1] Li, Li and Venkatasubramanian (2007), IEEE 23rd Int. Conf. on Data Engineering, 106-115.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 8, 8], "need": ["ASD", "SLCN", "SEMH", "SEMH"]})
    >>> t_closeness(pupils, ["year"], sensitive="need").t
    0.5
    """
    if distance not in get_args(Distance):
        raise ParameterError(f"distance: it is none of {', '.join(get_args(Distance))}.", "choose one of them.")
    counts = value_counts(subjects, quasi_identifiers, sensitive, missing=missing)
    found = sensitive_risk(counts, order=order, hierarchy=hierarchy, column=sensitive)
    by_distance = {"equal": found.t_equal, "ordered": found.t_ordered, "hierarchical": found.t_hierarchical}
    return TCloseness(
        quasi_identifiers=tuple(quasi_identifiers),
        sensitive=sensitive,
        missing_rule=missing,
        data_subjects=found.data_subjects,
        classes=found.classes,
        t=by_distance[distance],
        distance=distance,
        reason=found.reasons.get(f"t_{distance}"),
    )


def recursive_diversity(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], *, sensitive: str, missing: Missing = "own-category"
) -> dict[int, float | None]:
    """The smallest c of recursive (c, l)-diversity for each l, None where a class has fewer than l values.

    Parameters and errors are those of :func:`l_diversity`, the definition that of :func:`sensitive_risk`.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 7, 7], "need": ["ASD", "ASD", "SLCN", "SEMH"]})
    >>> recursive_diversity(pupils, ["year"], sensitive="need")
    {2: 1.0, 3: 2.0}
    """
    counts = value_counts(subjects, quasi_identifiers, sensitive, missing=missing)
    return dict(sensitive_risk(counts, column=sensitive).recursive_c)


def alpha_k(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], *, sensitive: str, missing: Missing = "own-category"
) -> tuple[float, int]:
    """The smallest alpha and the largest k of (alpha, k)-anonymity: no value has a larger share of any class.

    Parameters and errors are those of :func:`l_diversity`, the definition that of :func:`sensitive_risk`.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 7, 7], "need": ["ASD", "ASD", "SLCN", "SEMH"]})
    >>> alpha_k(pupils, ["year"], sensitive="need")
    (0.5, 4)
    """
    counts = value_counts(subjects, quasi_identifiers, sensitive, missing=missing)
    return sensitive_risk(counts, column=sensitive).alpha, int(counts.class_size.min())


def beta_likeness(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], *, sensitive: str, missing: Missing = "own-category"
) -> tuple[float, float | None]:
    """The smallest beta of basic and of enhanced beta-likeness; None where no beta gives the enhanced one.

    Parameters and errors are those of :func:`l_diversity`, the definition that of :func:`sensitive_risk`.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 8, 8], "need": ["ASD", "SLCN", "SEMH", "SEMH"]})
    >>> beta_likeness(pupils, ["year"], sensitive="need")
    (1.0, None)
    """
    counts = value_counts(subjects, quasi_identifiers, sensitive, missing=missing)
    found = sensitive_risk(counts, column=sensitive)
    return found.basic_beta, found.enhanced_beta


def delta_disclosure(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], *, sensitive: str, missing: Missing = "own-category"
) -> float:
    """The smallest delta of delta-disclosure privacy, by the natural logarithm; absent values are passed over.

    Parameters and errors are those of :func:`l_diversity`, the definition that of :func:`sensitive_risk`.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 8, 8], "need": ["ASD", "SLCN", "SEMH", "SEMH"]})
    >>> delta_disclosure(pupils, ["year"], sensitive="need") == math.log(2)
    True
    """
    counts = value_counts(subjects, quasi_identifiers, sensitive, missing=missing)
    return sensitive_risk(counts, column=sensitive).delta_ln


def sensitive_risk(
    counts: ClassValues,
    *,
    order: Sequence[str] | None = None,
    hierarchy: Sequence[Sequence[str]] | None = None,
    column: str = "sensitive",
) -> SensitiveRisk:
    """Every measure of one sensitive column, from how often each value occurs in each class.

    Parameters
    ----------
    counts : what :func:`~otrack_risk.risk.classes.value_counts` returns
    order : values as text from low to high; see :func:`~otrack_risk.risk.orders.read_order`
        Needed where the values are not numbers, dates or truth values; every value of the table is in it.
    hierarchy : rows of (value, level 1, level 2, ...); see :func:`~otrack_risk.risk.orders.read_hierarchy`
    column : name of the column, for messages and sentences

    Raises
    ------
    FieldError, ParameterError
        A value of the table that is not in the order or the hierarchy; an order or a hierarchy that
        contradicts itself.

    Notes
    -----
    Shares: q of a value in its class, p in the whole table. A missing value is a value of its own.

    - distinct l: the fewest values in a class; entropy l: exp of the smallest -sum q ln q of a class, a float.
    - recursive (c, l): largest r_1 / (r_l + ... + r_m) over classes, counts in descending order. The table is
      (c, l)-diverse for every c strictly above it, and for no other [1]_.
    - t: the largest earth mover's distance of a class from the table [2]_. Equal: half the sum of |q - p|.
      Ordered: the sum of |cumulative q - cumulative p| over places, over (values of the table - 1); 0 for a
      single value. Hierarchical: two values are as far apart as their first common label is high, the root
      being 1; this is the mean of the equal distances at the levels below the root.
    - alpha: the largest q [3]_.
    - beta: the largest (q - p) / p. Enhanced: the same, provided that no gain is above -ln p of its value;
      where one is, no beta will do [4]_.
    - delta: the largest |log(q / p)| over the values that a class has; the paper's delta is infinite as soon
      as a class lacks a value [5]_.
    - inference: the largest count of the table over n, and the sum of the largest counts of the classes over n.

    Sums are taken in whole numbers where they fit into 64 bits, and always in the order of class and
    value, so that the order of the rows moves no digit.

    References
    ----------
    .. [1] Machanavajjhala, Kifer, Gehrke and Venkitasubramaniam (2007), ACM Trans. Knowl. Discov. Data 1(1), 3.
    .. [2] Li, Li and Venkatasubramanian (2007), IEEE 23rd Int. Conf. on Data Engineering, 106-115.
    .. [3] Wong, Li, Fu and Wang (2006), ACM SIGKDD, 754-759.
    .. [4] Cao and Karras (2012), Proc. VLDB Endow. 5(11), 1388-1399.
    .. [5] Brickell and Shmatikov (2008), ACM SIGKDD, 70-78.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 8, 8], "level": [1, 2, 3, 3]})
    >>> found = sensitive_risk(value_counts(pupils, ["year"], "level"))
    >>> found.distinct_l, found.t_equal, found.t_ordered, found.t_hierarchical, found.reasons["t_hierarchical"]
    (1, 0.5, 0.375, None, 'no hierarchy was given')
    """
    order_found, tree = order_of(counts.values, order, column), tree_of(counts.values, hierarchy, column)
    starts, count, n = counts.starts, counts.count, counts.n
    totals, size = counts.totals, counts.class_size
    distinct = np.diff(starts, append=len(count))
    largest = np.maximum.reduceat(count, starts)
    of_class = _spread(size, starts, len(count))

    share, whole = count / of_class, totals / n
    entropy = np.abs(np.add.reduceat(share * np.log(share), starts))
    total = totals[counts.value]
    here, expected = _over_f_n(count, total, of_class, n)
    gain = (here - expected) / expected
    most, fewest = int(gain.argmax()), int(gain.argmin())
    extremes = float(here[most] / expected[most]), float(here[fewest] / expected[fewest])
    enhanced = bool((gain <= np.maximum(-np.log(whole), 0.0)[counts.value]).all())  # a gain of 0 or below always is
    least = int(distinct.min())

    reasons = {} if least >= 3 else {"recursive_c": f"a class has fewer than {least + 1} values"}
    if isinstance(order_found, str):
        reasons["t_ordered"] = order_found
    if isinstance(tree, str):
        reasons["t_hierarchical"] = tree
    if not enhanced:
        reasons["enhanced_beta"] = "a value gains more in a class than -ln of its share in the table, whatever beta is"
    return SensitiveRisk(
        column=column,
        data_subjects=n,
        classes=len(starts),
        distinct_l=least,
        entropy_l=math.exp(float(entropy.min())),
        entropy_nats=abs(float((whole * np.log(whole)).sum())),
        recursive_c=_recursive(count, starts, size, largest, least),
        t_equal=float(_equal_distances(here, expected, total, starts, size, n).max()),
        t_ordered=None if isinstance(order_found, str) else _t_ordered(counts, order_found, totals, size, n),
        t_hierarchical=None if isinstance(tree, str) else _t_hierarchical(counts, tree, totals, size, n),
        alpha=float((largest / size).max()),
        basic_beta=max(0.0, float(gain[most])),
        enhanced_beta=max(0.0, float(gain[most])) if enhanced else None,
        delta_ln=max(abs(math.log(ratio)) for ratio in extremes),
        delta_log2=max(abs(math.log2(ratio)) for ratio in extremes),
        homogeneous_classes=int((distinct == 1).sum()),
        homogeneous_records=int(size[distinct == 1].sum()),
        prior_right=int(totals.max()),
        posterior_right=int(largest.sum()),
        order_given=None if isinstance(order_found, str) else order_found.given,
        root_added=None if isinstance(tree, str) else tree.root_added,
        reasons=reasons,
    )


def _recursive(count: Ints, starts: Ints, size: Ints, largest: Ints, least: int) -> dict[int, float | None]:
    """The largest r_1 / (r_l + ... + r_m) of a class for each l that every class has, and None up to 3."""
    found: dict[int, float | None] = dict.fromkeys(range(2, max(3, least) + 1))
    if least < 2:
        return found
    if least == 2:
        return found | {2: float((largest / (size - largest)).max())}
    of_class = _spread(np.arange(len(starts)), starts, len(count))
    top = int(largest.max())
    bits = top.bit_length()
    if len(starts) << bits < _EXACT:  # class and count in one number, which sorts several times faster
        falling = top - (np.sort(of_class << bits | (top - count)) & ((1 << bits) - 1))
    else:
        falling = count[np.lexsort((-count, of_class))]
    rank = np.arange(len(count)) - _spread(starts, starts, len(count))
    before = np.cumsum(falling) - falling
    needed = np.flatnonzero((rank > 0) & (rank < least))
    of_class = of_class[needed]
    rest = size[of_class] - (before[needed] - before[starts][of_class])
    worst = np.zeros(least)
    np.maximum.at(worst, rank[needed], largest[of_class] / rest)
    return found | {rank + 1: c for rank, c in enumerate(worst.tolist()) if rank}


def _spread(of_classes: Ints, starts: Ints, runs: int) -> Ints:
    """What is known of each class, for each of its runs."""
    return np.repeat(of_classes, np.diff(starts, append=runs))


def _over_f_n(count: Ints, total: Ints, of_class: Ints, n: int) -> tuple[Numbers, Numbers]:
    """The shares q and p of each run, times f n, so that they are whole numbers where these fit."""
    if n * n < _EXACT:
        return count * n, of_class * total
    return count.astype(np.float64) * n, of_class.astype(np.float64) * total


def _equal_distances(here: Numbers, expected: Numbers, total: Ints, starts: Ints, size: Ints, n: int) -> Floats:
    """Half the sum over values of |q - p| by class; values that a class lacks add their total share."""
    f = size.astype(here.dtype)
    apart = np.add.reduceat(np.abs(here - expected), starts) + f * (n - np.add.reduceat(total, starts))
    return np.asarray(apart / (f * n) / 2, dtype=np.float64)


def _in_order(counts: ClassValues, place: Ints) -> tuple[Ints, Ints]:
    """The place of each run's value, and the run's count, sorted by place inside each class."""
    where = place[counts.value]
    if (place[1:] > place[:-1]).all():  # as the runs stand already
        return where, counts.count
    of_class = _spread(np.arange(len(counts.starts)), counts.starts, len(where))
    order = np.argsort(of_class * (int(place.max()) + 1) + where, kind="stable")
    return where[order], counts.count[order]


def _t_ordered(counts: ClassValues, order: Order, totals: Ints, size: Ints, n: int) -> float:
    """The largest ordered distance of a class.

    From one value of a class up to its next the cumulative q stands still while the cumulative p only
    grows, so that they cross at most once: the place is searched for, and on either side the sum over
    all values between, most of which the class lacks, is a difference of two prefix sums.
    """
    m, starts = len(totals), counts.starts
    if m == 1:
        return 0.0
    where, count = _in_order(counts, order.place)
    until = np.append(where[1:], m)
    until[starts[1:] - 1] = m
    reached = np.cumsum(count)
    reached -= _spread(reached[starts] - count[starts], starts, len(count))  # of the class, up to and with this value
    exact = n * n * m < _EXACT
    in_table = np.zeros(m, dtype=np.int64)
    in_table[order.place] = totals
    in_table = np.cumsum(in_table)
    below = np.append(0, np.cumsum(in_table if exact else in_table.astype(np.float64)))
    of_class = _spread(size, starts, len(count))
    # cumulative q and p times f n in whole numbers, or as they are
    q, p, unit = (reached * n, of_class, size * (n * (m - 1))) if exact else (reached / of_class, 1 / n, m - 1)
    level = reached * n // of_class if exact else reached * (n / of_class)
    cross = np.clip(np.searchsorted(in_table, level, side="right"), where, until)
    crossed = below[cross]
    gaps = (cross - where - until + cross) * q - p * (2 * crossed - below[where] - below[until])
    first = below[where[starts]] * (size if exact else 1 / n)  # up to the first value of the class q is 0
    return float(((np.add.reduceat(gaps, starts) + first) / unit).max())


def _t_hierarchical(counts: ClassValues, tree: Tree, totals: Ints, size: Ints, n: int) -> float:
    """The largest hierarchical distance of a class: the mean of its equal distances at the levels below the root.

    On a tree the earth mover's distance is the sum of what has to cross each edge times its length, and
    here every edge is 1 / (2 height) long. Runs under one node stand together; untouched nodes only add
    their share of the table.
    """
    where, count = _in_order(counts, tree.place)
    apart = np.zeros(len(size))
    for node in tree.nodes:
        above = node[where]
        opens = np.append(True, above[1:] != above[:-1])
        opens[counts.starts] = True
        runs = np.flatnonzero(opens)
        in_table = np.zeros(int(node[-1]) + 1, dtype=np.int64)
        np.add.at(in_table, node[tree.place], totals)
        total, starts = in_table[above[runs]], np.searchsorted(runs, counts.starts)
        here, expected = _over_f_n(np.add.reduceat(count, runs), total, _spread(size, starts, len(runs)), n)
        apart += _equal_distances(here, expected, total, starts, size, n)
    return float((apart / len(tree.nodes)).max())


@dataclass(frozen=True)
class SensitiveRisk(Shown):
    """What membership in a class gives away of one sensitive column; every number is a measure of the whole table."""

    key: ClassVar[str] = "sensitive_risk"
    column: str  # its name
    data_subjects: int  # measured: the denominator
    classes: int
    distinct_l: int  # values in the class that has fewest
    entropy_l: float  # exp of the smallest entropy of a class; 1 where some class has one value only
    entropy_nats: float  # entropy of the column over the whole table
    recursive_c: Mapping[int, float | None]  # by l; the table is (c, l)-diverse for every c above
    t_equal: float  # largest distance of a class from the whole table, 0 to 1
    t_ordered: float | None
    t_hierarchical: float | None
    alpha: float  # largest share of one value in a class, 0 to 1
    basic_beta: float  # largest relative gain of a share, 0 and more
    enhanced_beta: float | None
    delta_ln: float  # nats
    delta_log2: float  # bits
    homogeneous_classes: int  # classes with one value only
    homogeneous_records: int  # records in them: their value is known without finding the record
    prior_right: int  # data subjects guessed rightly with nothing known: the commonest value for all
    posterior_right: int  # with the facts known: the commonest value of each class
    order_given: bool | None  # whether t_ordered is by the user's order, or the values' own
    root_added: bool | None  # whether a root was set above the highest level of the hierarchy
    reasons: Mapping[str, str] = field(default_factory=dict)  # why a number is not defined, by its name

    def sentence(self) -> str:
        n, value = self.data_subjects, "value" if self.distinct_l == 1 else "values"
        order = {None: "", True: " (the order given)", False: " (their own order)"}[self.order_given]
        root = " (under a root that was added)" if self.root_added else ""
        far = [f"{self.t_equal:.4g} by equal distance"]
        far += [] if self.t_ordered is None else [f"{self.t_ordered:.4g} by order{order}"]
        far += [] if self.t_hierarchical is None else [f"{self.t_hierarchical:.4g} by the hierarchy{root}"]
        return (
            f"Those alike are left with at least {self.distinct_l:,} {value} of {self.column} ({self.entropy_l:.4g} by "
            f"entropy), in {self.classes:,} classes of {n:,} records. The best guess of it is right for "
            f"{self.posterior_right:,} of {n:,} ({tables.percent(self.posterior_right / n)}), against "
            f"{self.prior_right:,} ({tables.percent(self.prior_right / n)}) with nothing known; for "
            f"{self.homogeneous_records:,} it is no guess, as everybody alike has the same. The farthest that a "
            f"class lies from the whole table is {named(far)}, of 1 at most."
        )

    def table(self) -> pl.DataFrame:
        n = self.data_subjects
        rows: list[tuple[str, object, str]] = [
            ("distinct l", self.distinct_l, "values in the class that has fewest"),
            ("entropy l", self.entropy_l, "equally frequent values that leave as much open"),
            ("entropy", self.entropy_nats, "nats, the whole table"),
            *(
                (f"c for l = {number}", self.recursive_c[number], "smallest c of recursive (c, l)-diversity")
                for number in (2, 3)
            ),
            ("t, equal distance", self.t_equal, "0 to 1"),
            ("t, ordered", self.t_ordered, "0 to 1"),
            ("t, hierarchical", self.t_hierarchical, "0 to 1"),
            ("alpha", self.alpha, "largest share of a value in a class"),
            ("beta, basic", self.basic_beta, "largest gain over the share in the table"),
            ("beta, enhanced", self.enhanced_beta, "the same, where no gain is above -ln of that share"),
            ("delta, natural logarithm", self.delta_ln, "nats; values absent from a class passed over"),
            ("delta, base 2", self.delta_log2, "bits; values absent from a class passed over"),
            ("classes with one value", self.homogeneous_classes, f"of {self.classes:,}"),
            ("records in them", self.homogeneous_records, f"of {n:,}"),
            ("guessed rightly with nothing known", self.prior_right, f"of {n:,}"),
            ("guessed rightly with the facts", self.posterior_right, f"of {n:,}"),
        ]
        measures, values, meanings = zip(*rows, strict=True)
        said = [
            "not defined" if value is None else f"{value:,.4g}" if isinstance(value, float) else tables.written(value)
            for value in values
        ]
        return tables.table({"measure": measures, "value": said, "of what": meanings})

    def figure(self) -> Figure:
        from otrack_risk.display.figures import bars

        labels = ["guessed rightly with nothing known", "guessed rightly with the facts", "known for certain"]
        people = [self.prior_right, self.posterior_right, self.homogeneous_records]
        title = f"{self.column} is guessed rightly for {self.posterior_right:,} of {self.data_subjects:,} records"
        return bars(labels, people, title, "records")

    def record(self) -> dict[str, Any]:
        """The contract's ``result.sensitive.<COL>``."""
        record = asdict(self)
        reasons = record.pop("reasons")
        right = {"prior": record.pop("prior_right"), "posterior": record.pop("posterior_right")}
        record["inference"] = {name: people / self.data_subjects for name, people in right.items()}
        record["recursive_c"] = {str(number): c for number, c in self.recursive_c.items()}
        if "recursive_c" in reasons:
            record["recursive_c"]["reason"] = reasons["recursive_c"]
        return record | ({"reason": "; ".join(f"{name}: {text}" for name, text in reasons.items())} if reasons else {})


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
    t: float | None  # 0 (every class is like the table) to 1; None where the distance is not defined
    distance: str = "equal"  # or "ordered", "hierarchical"
    reason: str | None = None  # why there is no t

    def sentence(self) -> str:
        of = f"{self.classes:,} classes over {named(self.quasi_identifiers)}, {self.data_subjects:,} records"
        if self.t is None:
            said = (
                f"How far a class lies from the whole table is not defined for {self.sensitive}: {self.reason} ({of})."
            )
        elif self.distance == "equal":
            said = (
                f"In the class that differs most, {tables.percent(self.t)} of the {self.sensitive} values would have "
                f"to change to look like the whole table (t = {self.t:.4g}; {of})."
            )
        else:
            ends = {"ordered": "the two ends of the order", "hierarchical": "two values with no label in common"}
            said = (
                f"In the class that differs most, the {self.sensitive} values would have to move by "
                f"{tables.percent(self.t)} of the way between {ends[self.distance]}, on average, to look like the "
                f"whole table (t = {self.t:.4g}; {of})."
            )
        return f"{said} {missing_said(self.missing_rule, None)}"

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "sensitive": [self.sensitive],
                "distance": [self.distance],
                "t": [self.t],
                "classes": [self.classes],
                "records": [self.data_subjects],
            }
        )

    def record(self) -> dict[str, Any]:
        record = asdict(self)
        return record if self.reason else {name: value for name, value in record.items() if name != "reason"}

"""Any few of a person's rows: would they tell that person from everybody else?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
from narwhals.typing import IntoFrame

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.errors import FieldError, ParameterError
from otrack_risk.risk.classes import columns, refuse_nothing
from otrack_risk.risk.counts import Ints
from otrack_risk.risk.sizes import missing_said, named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Bools: TypeAlias = npt.NDArray[np.bool_]

_Z = 1.959963984540054  # standard normal deviate of a two-sided 95 % interval
_FIRST, _GROWS, _AT_ONCE = (
    64,
    8,
    4_000_000,
)  # people looked at for each draw, then that many times more; pairs in memory


@dataclass(frozen=True)
class PointsKnown:
    """What knowing one number of a person's points does."""

    known: int  # points known
    unique: int  # people drawn who are the only one with those points
    share: float  # of the people drawn
    low: float  # 95 % interval of the share (Wilson)
    high: float


def unicity(
    subjects: IntoFrame,
    facts: Sequence[str],
    person: str,
    *,
    known: int = 4,
    draws: int = 10_000,
    rng: np.random.Generator,
) -> Unicity:
    """Share of people whom any few of their own rows tell from everybody else.

    A *point* is what ``facts`` say in one row, such as a place and an hour. People are drawn, and of each some points
    are drawn that somebody is taken to know; the person is unique where nobody else's rows hold all of them [1]_.

    Parameters
    ----------
    subjects : frame, on any engine but Spark (the rows come to this process)
        Any number of rows a person.
    facts : names of columns
        What is known of a row. A missing value counts as a value of its own.
    person : name of the column that tells people apart
        A row without it counts as a person of its own.
    known : points known of a person at most; the answer is given for 1, 2, ... up to it
    draws : people drawn, each at most once: everybody where there are fewer
    rng : where chance comes from; the order of the rows does not matter

    Raises
    ------
    FieldError, TableError, ParameterError
        A column that is unknown, or named twice; ``person`` among the facts; no row; ``known`` or ``draws`` below 1.

    Notes
    -----
    Points are drawn among the different points of a person, each as likely as any other, without replacement; those
    for a smaller number are the first of those for a larger one. Of a person with fewer points all are taken. The
    interval is Wilson's [2]_ over the people drawn, as if they came from a far larger number; where everybody is
    drawn only the choice of their points is left to chance, and the interval is wider than it would have to be.

    References
    ----------
    .. [1] de Montjoye, Hidalgo, Verleysen and Blondel (2013), Unique in the Crowd, Sci. Rep. 3, 1376.
    .. [2] Wilson (1927), J. Am. Stat. Assoc. 22(158), 209-212.

    Examples
    --------
    Ben takes all that Ana takes, and law; so he is told from her by both of his points, and she by nothing.

    >>> entries = pl.DataFrame({"pupil": ["ana", "ben", "ben"], "subject": ["art", "art", "law"]})
    >>> found = unicity(entries, ["subject"], "pupil", known=2, rng=np.random.default_rng(1))
    >>> found.people, found.points, found.by_known[1].unique
    (2, 2, 1)
    """
    for name, value in {"known": known, "draws": draws}.items():
        if value < 1:
            raise ParameterError(f"{name}: at least one is drawn.", "give 1 or more.")
    table = columns(subjects, {"facts": facts, "person": [person]})
    if person in facts:
        raise FieldError(
            f"person: '{person}' is among the facts too, so every point would tell whose it is.",
            "name it under one of the two.",
        )
    refuse_nothing(table.height, 0)
    whose, points = _traces(table, facts, person)
    starts = np.flatnonzero(np.diff(whose, prepend=-1))
    people = len(starts)
    chosen = np.sort(rng.choice(people, size=min(draws, people), replace=False))
    drawn = _drawn(starts, points, chosen, known, rng)
    return Unicity(
        facts=tuple(facts),
        person=person,
        rows=table.height,
        rows_without_person=table[person].null_count(),
        people=people,
        points=int(points.max()) + 1,
        drawn=len(chosen),
        fewer=int(np.count_nonzero(drawn[:, -1] < 0)),
        by_known=tuple(
            _known(number, int(unique.sum()), len(chosen))
            for number, unique in enumerate(_unique(whose, points, chosen, drawn), 1)
        ),
    )


@dataclass(frozen=True)
class Unicity(Shown):
    """How many people any few of their own rows single out; every number is a measure of the whole table."""

    key: ClassVar[str] = "unicity"
    facts: tuple[str, ...]  # columns that make a point
    person: str  # the column that tells people apart
    rows: int
    rows_without_person: int  # each counts as a person of its own
    people: int
    points: int  # different points in the table
    drawn: int  # people drawn: the denominator
    fewer: int  # people drawn who have fewer points than are taken to be known
    by_known: tuple[PointsKnown, ...]  # 1 point, 2 points, ...

    def sentence(self) -> str:
        one, most, n = self.by_known[0], self.by_known[-1], self.drawn
        rows = "any row" if most.known == 1 else f"any {most.known} rows"
        said = (
            f"Whoever knows {rows} of a person ({named(self.facts)}) picks out {most.unique:,} of {n:,} people drawn "
            f"({tables.percent(most.share)}; 95 % interval {tables.percent(most.low)} to {tables.percent(most.high)})"
        )
        if most is not one:
            said += f"; with one row it is {one.unique:,} of {n:,} ({tables.percent(one.share)})"
        said += (
            f". Drawn from {self.people:,} people with {self.rows:,} rows, in which {self.points:,} different "
            f"combinations occur."
        )
        if self.fewer:
            have = "has" if self.fewer == 1 else "have"
            said += f" {self.fewer:,} of the {n:,} {have} fewer than {most.known} different ones; all were taken."
        if self.rows_without_person:
            count = "row without a person counts" if self.rows_without_person == 1 else "rows without a person count"
            said += f" {self.rows_without_person:,} {count} as one person each."
        return f"{said} {missing_said('own-category', None)}"

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "rows known": [at.known for at in self.by_known],
                "people singled out": [at.unique for at in self.by_known],
                "of people drawn": [self.drawn] * len(self.by_known),
                "unique share": [at.share for at in self.by_known],
                "lowest share, 95 %": [at.low for at in self.by_known],
                "highest share, 95 %": [at.high for at in self.by_known],
            }
        )

    def figure(self) -> Figure:
        from otrack_risk.display.figures import lines

        most, rows = self.by_known[-1], "row" if len(self.by_known) == 1 else "rows"
        return lines(
            [at.known for at in self.by_known],
            {f"{self.people:,} people, {self.drawn:,} drawn": [(at.low, at.share, at.high) for at in self.by_known]},
            f"Any {most.known} known {rows} single out {tables.percent(most.share)} of {self.drawn:,} people drawn",
            "rows of a person that are known (line: share; band: 95 % interval)",
            "share of people singled out",
        )

    def record(self) -> dict[str, Any]:
        most = self.by_known[-1]
        return {
            "facts": list(self.facts),
            "person": self.person,
            "missing_rule": "own-category",
            "rows": self.rows,
            "rows_without_person": self.rows_without_person,
            "people": self.people,
            "points": self.points,
            "drawn": self.drawn,
            "with_fewer_points": self.fewer,
            "known": most.known,
            "unique_share": most.share,
            "by_known": [
                {"known": at.known, "unique": at.unique, "unique_share": at.share, "interval": [at.low, at.high]}
                for at in self.by_known
            ],
        }


def _known(known: int, unique: int, drawn: int) -> PointsKnown:
    low, high = _wilson(unique, drawn)
    return PointsKnown(known, unique, unique / drawn, low, high)


def _wilson(successes: int, n: int) -> tuple[float, float]:
    """95 % interval of a share; it reaches 0 or 1 exactly where none, or all, are successes."""
    middle = (successes + _Z * _Z / 2) / (n + _Z * _Z)
    half = _Z / (n + _Z * _Z) * sqrt(successes * (n - successes) / n + _Z * _Z / 4)
    return (0.0 if successes == 0 else middle - half), (1.0 if successes == n else middle + half)


def _traces(table: pl.DataFrame, facts: Sequence[str], person: str) -> tuple[Ints, Ints]:
    """Person and point of each distinct pair, sorted; both numbered from 0, whatever the order of the rows."""
    points = np.zeros(table.height, dtype=np.int64)
    for name in facts:
        value = table[name].rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
        # At most one number a row so far, times one a row: far below 2^63.
        _, points = np.unique(points * (int(value.max()) + 1) + value, return_inverse=True)
    numbered = table[person].rank("dense").cast(pl.Int64)
    nameless = numbered.is_null().to_numpy()
    whose = numbered.fill_null(0).to_numpy().copy()
    # Nameless rows are numbered by their points: two with the same point are interchangeable.
    which = np.flatnonzero(nameless)
    whose[which[np.argsort(points[which], kind="stable")]] = int(whose.max()) + 1 + np.arange(len(which))
    _, whose = np.unique(whose, return_inverse=True)
    room = int(points.max()) + 1
    pairs = np.unique(whose * room + points)
    return pairs // room, pairs % room


def _drawn(starts: Ints, points: Ints, chosen: Ints, known: int, rng: np.random.Generator) -> Ints:
    """Up to ``known`` points of each chosen person in random order; shape (chosen, known), -1 beyond the last."""
    counts = np.diff(starts, append=len(points))[chosen]
    which = np.repeat(np.arange(len(chosen)), counts)
    first = np.cumsum(counts) - counts
    place = np.arange(counts.sum()) - first[which]  # of a point, among those of its person
    order = np.lexsort((rng.random(len(which)), which))  # persons stay in order, the points of each are shuffled
    kept = place < known
    drawn = np.full((len(chosen), known), -1, dtype=np.int64)
    drawn[which[kept], place[kept]] = points[(starts[chosen][which] + place)[order][kept]]
    return drawn


def _unique(whose: Ints, points: Ints, chosen: Ints, drawn: Ints) -> list[Bools]:
    """For 1, 2, ... points known: of which of the chosen people nobody else has all those points."""
    room = int(points.max()) + 1
    pairs = whose * room + points  # ascending
    holders = whose[np.argsort(points, kind="stable")]  # people by point, ascending for each
    held = np.bincount(points, minlength=room)
    begins = np.cumsum(held) - held
    unique = np.zeros(len(chosen), dtype=np.bool_)
    found = []
    for number in range(1, drawn.shape[1] + 1):
        # Whom fewer points single out, more do too; whose last point is known already, nothing changes for.
        rows = np.flatnonzero(~unique & (drawn[:, number - 1] >= 0))
        asked = drawn[rows, :number]
        rarest = asked[np.arange(len(rows)), np.argmin(held[asked], axis=1)]
        shared = _shared(asked, chosen[rows], begins[rarest], held[rarest], holders, pairs, room)
        unique[rows[~shared]] = True
        found.append(unique.copy())
    return found


def _shared(asked: Ints, own: Ints, begin: Ints, count: Ints, holders: Ints, pairs: Ints, room: int) -> Bools:
    """Whether anybody but the owner has all points asked for.

    Only holders of the rarest point can. They are looked at a few at a time, since of a common point the next best
    holder has often all the others, too.
    """
    shared = np.zeros(len(asked), dtype=np.bool_)
    offset, step = 0, _FIRST
    while True:
        left = np.flatnonzero(~shared & (offset < count))
        if not len(left):
            return shared
        for block in np.array_split(left, -(-len(left) * step // _AT_ONCE)):
            many = np.minimum(count[block] - offset, step)
            which = np.repeat(block, many)
            place = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
            other = holders[begin[which] + offset + place]
            alive = other != own[which]
            which, other = which[alive], other[alive]
            for column in asked.T:
                wanted = other * room + column[which]
                has = pairs[np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)] == wanted
                which, other = which[has], other[has]
            shared[which] = True
        offset, step = offset + step, step * _GROWS

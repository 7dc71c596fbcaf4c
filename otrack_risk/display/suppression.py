"""Complementary suppression: which further cells must be hidden, and the attacker who checks it.

Hiding the small cells of a table is not enough where the page also prints their sum: one subtraction
gives them back. :func:`protect` hides as few people more as keep every hidden cell from being worked
out; :func:`recovered` is the attacker, who knows every printed number, how the cells add up, and what
each mark of a hidden cell says ("fewer than 5"). A table is fit for paper when he recovers nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from otrack_risk.display.tables import Count, Hidden

_ROUNDS = 60  # of narrowing bounds, before the rest is left to the solver
_UNBOUNDED = 1e9  # people; more than any table counts


@dataclass(frozen=True)
class Relation:
    """What a reader knows of how cells add up.

    ``sum``: ``whole`` is the sum of its ``parts``. ``within``: the parts do not overlap and lie within
    ``whole``. ``cover``: everybody of ``whole`` is in at least one of the parts, which may overlap. Names
    that stand in no cell are of numbers that are not printed.
    """

    whole: str
    parts: tuple[str, ...]
    kind: Literal["sum", "within", "cover"] = "sum"

    @property
    def rest(self) -> str:
        """The name of what is left over: those of the whole in no part, or those whom a cover counts twice."""
        parts = " and ".join(self.parts)
        return f"both {parts}" if self.kind == "cover" else f"{self.whole} without {parts}"


@dataclass(frozen=True)
class Known:
    """What the attacker works out of one number that is not printed."""

    cell: str
    low: int  # people
    high: int | None  # people; None: without limit

    @property
    def width(self) -> float:
        """Numbers between which he cannot choose, less one: 0 is an exact recovery."""
        return math.inf if self.high is None else self.high - self.low

    def few(self, below: int) -> bool:
        """Whether he knows that it counts somebody, and fewer people than the threshold."""
        return self.low >= 1 and self.high is not None and self.low <= self.high < below


def two_way(
    rows: Mapping[str, Mapping[str, Count]], row_totals: Mapping[str, Count], column_totals: Mapping[str, Count],
    total: Count = None,
) -> tuple[dict[str, Count], tuple[Relation, ...]]:  # fmt: skip
    """The cells and relations of a two-way table with its margins, named ``row|column``, ``row|`` and ``|column``.

    Parameters
    ----------
    rows : row -> column -> people
    row_totals, column_totals : the margins
    total : the sum of either margin, where it is printed

    Examples
    --------
    >>> cells, relations = two_way({"7": {"F": 3, "M": 9}, "8": {"F": 8, "M": 6}}, {"7": 12, "8": 14}, {})
    >>> cells["7|F"], len(relations)
    (3, 2)
    """
    cells = {f"{row}|{column}": count for row, line in rows.items() for column, count in line.items()}
    columns = dict.fromkeys(column for line in rows.values() for column in line)
    relations = [Relation(f"{row}|", tuple(f"{row}|{column}" for column in rows[row])) for row in row_totals]
    relations += [
        Relation(f"|{column}", tuple(f"{row}|{column}" for row in rows if column in rows[row]))
        for column in columns
        if column in column_totals
    ]
    cells |= {f"{row}|": count for row, count in row_totals.items()}
    cells |= {f"|{column}": count for column, count in column_totals.items()}
    if total is not None:
        cells["|"] = total
        relations += [
            Relation("|", tuple(names))
            for names in ([f"{row}|" for row in row_totals], [f"|{column}" for column in column_totals])
            if names
        ]
    return cells, tuple(relations)


def bounds(cells: Mapping[str, Count], relations: Sequence[Relation], *, marks: bool = True) -> dict[str, Known]:
    """Between which numbers each cell that is not printed must lie.

    Parameters
    ----------
    cells : the table as published; None is a number that is not printed
    relations : how they add up
    marks : whether the attacker takes the marks at their word: "few" is 1 to ``below`` - 1, "rest" leaves so many
        of its whole, and "other" is no small cell, where a small one that it shields says so. Without, he takes a
        hidden cell to count somebody, since zero is published

    Notes
    -----
    Bounds are narrowed equation by equation, which is exact where the unknown cells of each stand in no other;
    elsewhere each end is an integer program (HiGHS through SciPy). Names of rests (:attr:`Relation.rest`) are among
    the answers.
    """
    system = _System(cells, relations, marks=marks)
    return {name: Known(name, low, high) for name, (low, high) in system.solved().items()}


def recovered(cells: Mapping[str, Count], relations: Sequence[Relation], below: int | None = None) -> list[Known]:
    """What an attacker gets out of a published table: hidden cells to the unit, and small numbers that stand nowhere.

    Parameters
    ----------
    below : the threshold; that of the hidden cells if not given

    Returns
    -------
    Hidden cells whose number is certain, whether or not the marks are taken at their word; cells and rests that are
    certain to count somebody but fewer than ``below``, though no mark says so.
    """
    if below is None:
        below = max((count.below for count in cells.values() if isinstance(count, Hidden)), default=0)
    hidden = {name for name, count in cells.items() if isinstance(count, Hidden)}
    rests = {relation.rest for relation in relations if _told(relation)}
    told, untold = bounds(cells, relations), bounds(cells, relations, marks=False)
    found = [known for name, known in told.items() if name in hidden and known.width == 0]
    small = [
        known
        for name, known in untold.items()
        if known.few(below) and (name in rests or name in hidden) and name not in {each.cell for each in found}
    ]
    return [*found, *small]


def protect(
    cells: Mapping[str, Count], relations: Sequence[Relation], below: int, *, keep: Collection[str] = ()
) -> dict[str, Count]:
    """The table as paper may have it: small cells hidden, and others with them until nothing can be worked out.

    Parameters
    ----------
    cells : exact counts; None is a number that is not printed, :class:`Hidden` stays
    relations : how they add up; a cell may stand in several, as in a two-way table with margins
    below : threshold, people
    keep : cells that the page prints elsewhere, so that hiding them here would not help

    Notes
    -----
    A cell of 1 to ``below`` - 1 people is hidden, as is a part whose rest counts so many. Then, while the attacker of
    :func:`bounds` could tell a hidden cell to the unit, or narrow a small one further than its mark, one more cell is
    hidden: parts before wholes, one that stands where others are hidden before one that would need a further cell,
    and of these the one that counts the fewest people. At last whatever need not be hidden is shown again, largest
    first. Ties fall to the order of the cells: the answer is the same every time. Zeros are never hidden.

    Where every part of a printed whole that counts anybody is hidden, and the whole narrows what a mark says, all
    marks there say "other": two cells of "fewer than 5" with the sum 8 would both be 4.

    The attacker is not taken to know this rule of choice; who does may narrow a cell further. Where ``keep`` leaves
    nothing to hide, the table is returned as protected as it can be: :func:`recovered` says what remains.

    Examples
    --------
    >>> kinds = {"people": 553, "children": 210, "staff": 3, "guardians": 340}
    >>> protect(kinds, [Relation("people", ("children", "staff", "guardians"))], 5)["children"]
    Hidden(below=5, why='other')
    """
    exact = {name: count for name, count in cells.items() if isinstance(count, int)}
    shown: dict[str, Count] = {
        name: Hidden(below) if isinstance(count, int) and 0 < count < below and name not in keep else count
        for name, count in cells.items()
    }
    for relation in relations:
        rest = _rest(relation, exact)
        if _told(relation) and rest is not None and 0 < rest < below:
            part = min(relation.parts, key=lambda name: exact[name])
            if not isinstance(shown.get(part), Hidden) and part not in keep:
                shown[part] = Hidden(below, "rest" if relation.kind == "within" else "other")
    first = {name: count for name, count in shown.items() if isinstance(count, Hidden)}

    def next_to_hide() -> str | None:
        weak = _weak(shown, exact, relations, below)
        return next((name for each in weak if (name := _further(each, shown, relations, keep)) is not None), None)

    while (further := next_to_hide()) is not None:
        shown[further] = Hidden(below, "other")
    for name in sorted((n for n in exact if n not in first), key=lambda n: -exact[n]):
        if isinstance(shown[name], Hidden):
            without = {**shown, **first, name: exact[name]}
            if next(_weak(without, exact, relations, below), None) is None:
                shown = without
    return shown


def _told(relation: Relation) -> bool:
    """Whether what is left over is a count of people that a small number gives away."""
    return relation.kind != "sum" and len(relation.parts) == (2 if relation.kind == "cover" else 1)


def _rest(relation: Relation, exact: Mapping[str, int]) -> int | None:
    """What is left over of a whole, or counted twice by a cover."""
    if any(name not in exact for name in (relation.whole, *relation.parts)):
        return None
    rest = exact[relation.whole] - sum(exact[part] for part in relation.parts)
    return -rest if relation.kind == "cover" else rest


def _weak(
    shown: dict[str, Count], exact: Mapping[str, int], relations: Sequence[Relation], below: int
) -> Iterator[str]:
    """The numbers that can be worked out too well; marks that say too much are taken back on the way."""
    _unmark(shown, relations)
    rests = {r.rest: rest for r in relations if _told(r) and (rest := _rest(r, exact)) is not None}
    for solve in (False, True):  # what needs no solver first
        for marks in (True, False):
            system = _System(shown, relations, marks=marks)
            if solve and not system.entangled():
                continue
            for name, (low, high) in (system.solved() if solve else system.narrowed()).items():
                known, count = Known(name, low, high), shown.get(name)
                if isinstance(count, Hidden):
                    small = 0 < exact.get(name, 0) < below
                    told_more = count.why == "few" and marks and _narrower((low, high), count.below)
                    if known.width == 0 or told_more or (small and not marks and known.few(below)):
                        yield name
                elif name in rests and 0 < rests[name] < below and not marks and known.few(below):
                    yield name


def _unmark(shown: dict[str, Count], relations: Sequence[Relation]) -> None:
    """Where nothing of a printed sum is left to see and it narrows a mark, all that hang together say "other"."""
    for relation in relations:
        hidden = [part for part in relation.parts if isinstance(shown.get(part), Hidden)]
        seen = any(isinstance(count := shown.get(part), int) and count for part in relation.parts)
        if relation.kind != "sum" or not isinstance(shown.get(relation.whole), int) or not hidden or seen:
            continue
        near = _component(hidden[0], shown, relations)
        marked = {n: c for r in near for n in (r.whole, *r.parts) if isinstance(c := shown.get(n), Hidden)}
        found = _System(shown, relations, marks=True).narrowed()
        if any(count.why == "few" and _narrower(found[name], count.below) for name, count in marked.items()):
            shown.update({name: Hidden(count.below, "other") for name, count in marked.items()})


def _narrower(known: tuple[int, int | None], below: int) -> bool:
    """Whether the attacker knows more of a small cell than its mark says."""
    low, high = known
    return low > 1 or (high is not None and high < below - 1)


def _further(weak: str, shown: Mapping[str, Count], relations: Sequence[Relation], keep: Collection[str]) -> str | None:
    """The cell to hide next for the sake of one that can be worked out."""
    near = _component(weak, shown, relations)
    order = {name: place for place, name in enumerate(shown)}

    def open_cells(names: Iterable[str]) -> list[str]:
        found = dict.fromkeys(names)
        return [n for n in found if isinstance(count := shown.get(n), int) and count > 0 and n not in keep]

    def price(name: str) -> tuple[int, int, int]:
        others = [r for r in relations if r.kind == "sum" and name in (r.whole, *r.parts)]
        alone = sum(
            not any(isinstance(shown.get(each), Hidden) for each in (r.whole, *r.parts) if each != name) for r in others
        )
        count = shown[name]
        assert isinstance(count, int)
        return alone, count, order[name]

    own = [relation for relation in near if weak in (relation.whole, *relation.parts, relation.rest)]
    for some in (own, near):
        for names in ((p for r in some for p in r.parts), (r.whole for r in some)):
            if candidates := open_cells(names):
                return min(candidates, key=price)
    return None


def _component(weak: str, shown: Mapping[str, Count], relations: Sequence[Relation]) -> list[Relation]:
    """The relations that hang together with one number through others that are not printed."""
    reached, found = {weak}, list[Relation]()
    while True:
        more = [r for r in relations if r not in found and reached & {r.whole, *r.parts, r.rest}]
        if not more:
            return found
        found += more
        reached |= {n for r in more for n in (r.whole, *r.parts) if not isinstance(shown.get(n), int)}


class _System:
    """The numbers that are not printed, between bounds, and the equations that they must meet."""

    def __init__(self, cells: Mapping[str, Count], relations: Sequence[Relation], *, marks: bool) -> None:
        self.within: dict[str, tuple[float, float]] = {}
        self.equations: list[tuple[dict[str, int], int]] = []  # coefficients, right-hand side
        hidden = {name: count for name, count in cells.items() if isinstance(count, Hidden)}
        for name, count in hidden.items():
            self.within[name] = (1, math.inf)
            if marks and count.why == "few":
                self.within[name] = (1, max(count.below - 1, 1))
            elif marks and count.why == "other" and self._shields(name, cells, relations):
                self.within[name] = (count.below, math.inf)
        wholes = Counter(relation.parts for relation in relations if relation.kind == "within")
        for relation in relations:  # of several wholes a mark does not say which of them has few others
            self._add(relation, cells, hidden, marks and wholes[relation.parts] < 2)

    def _shields(self, name: str, cells: Mapping[str, Count], relations: Sequence[Relation]) -> bool:
        """Whether a mark beside it tells a small cell, so that this one is none."""
        beside = {n for r in _component(name, cells, relations) for n in (r.whole, *r.parts)}
        return any(isinstance(c := cells.get(n), Hidden) and c.why == "few" for n in beside)

    def _add(self, relation: Relation, cells: Mapping[str, Count], hidden: Mapping[str, Hidden], marks: bool) -> None:
        sides: dict[str, int] = {}
        constant = 0
        for name, sign in ((relation.whole, 1), *((part, -1) for part in relation.parts)):
            count = cells.get(name)
            if isinstance(count, int):
                constant -= sign * count
            else:
                sides[name] = sides.get(name, 0) + sign
                self.within.setdefault(name, (0, math.inf))
        if relation.kind != "sum":
            sides[relation.rest] = 1 if relation.kind == "cover" else -1
            low, high = 0.0, math.inf
            mark = hidden.get(relation.parts[0]) if len(relation.parts) == 1 else None
            if marks and relation.kind == "within" and mark is not None and mark.why == "rest":
                low, high = 1, max(mark.below - 1, 1)
            self.within[relation.rest] = (low, high)
        if sides:
            self.equations.append((sides, constant))

    def entangled(self) -> bool:
        """Whether some unknown stands in two equations, so that bounds alone may be too wide."""
        seen: set[str] = set()
        for sides, _ in self.equations:
            if seen & sides.keys():
                return True
            seen |= sides.keys()
        return False

    def narrowed(self) -> dict[str, tuple[int, int | None]]:
        """Bounds narrowed one equation at a time, until none moves."""
        for _ in range(_ROUNDS):
            before = dict(self.within)
            for sides, constant in self.equations:
                ends = {n: sorted((s * self.within[n][0], s * self.within[n][1])) for n, s in sides.items()}
                for name, sign in sides.items():
                    least = constant - sum(high for n, (_, high) in ends.items() if n != name)
                    most = constant - sum(low for n, (low, _) in ends.items() if n != name)
                    low, high = sorted((sign * least, sign * most))
                    self.within[name] = (max(self.within[name][0], low), min(self.within[name][1], high))
            if before == self.within:
                break
        return {n: (int(low), None if high == math.inf else int(high)) for n, (low, high) in self.within.items()}

    def solved(self) -> dict[str, tuple[int, int | None]]:
        """The tightest bounds of each unknown in whole numbers."""
        found = self.narrowed()
        if not self.entangled():
            return found
        import numpy as np
        from scipy.optimize import Bounds, LinearConstraint, milp

        names = list(self.within)
        place = {name: number for number, name in enumerate(names)}
        matrix = np.zeros((len(self.equations), len(names)))
        for row, (sides, _) in enumerate(self.equations):
            for name, sign in sides.items():
                matrix[row, place[name]] = sign
        right = np.array([constant for _, constant in self.equations], dtype=float)
        floor = np.array([self.within[name][0] for name in names], dtype=float)
        ceiling = np.array([min(self.within[name][1], _UNBOUNDED) for name in names], dtype=float)
        least, most = np.full(len(names), math.inf), np.full(len(names), -math.inf)
        for name, number in place.items():
            for sign in (1, -1):
                end = floor[number] if sign > 0 else ceiling[number]
                if (least if sign > 0 else most)[number] == end:
                    continue  # an earlier answer reached the bound
                aim = np.zeros(len(names))
                aim[number] = sign
                answer = milp(
                    aim,
                    integrality=np.ones(len(names)),
                    bounds=Bounds(floor, ceiling),
                    constraints=LinearConstraint(matrix, right, right),
                )
                if answer.x is None:
                    continue  # no table has these numbers, or no end was found: the bounds stand
                values = np.round(answer.x)
                least, most = np.minimum(least, values), np.maximum(most, values)
                if sign > 0:
                    least[number] = values[number]
                else:
                    most[number] = values[number]
            lowest: int = found[name][0] if math.isinf(least[number]) else int(least[number])
            highest = found[name][1] if math.isinf(most[number]) else int(most[number])
            found[name] = (lowest, None if highest is None or highest >= _UNBOUNDED / 2 else highest)
        return found

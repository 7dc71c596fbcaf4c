"""A missing value matches everything: how many records a record then has around it.

Two records match where, on every quasi-identifier, their values are equal or one of the two is
missing. That relation is not transitive (7 matches a gap, the gap matches 8), so there are no
equivalence classes, only a count for each record.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from otrack_risk.errors import ParameterError
from otrack_risk.risk.counts import Combinations, Floats, Ints

Codes: TypeAlias = npt.NDArray[np.int32]

_FEW = 20_000  # pairs of combinations up to which compiling takes longer than counting
_COMPARED = 64  # pairs that are compared one by one rather than split further


@dataclass(frozen=True)
class Matched:
    """What a record with each combination of a table matches, in the order of the combinations."""

    size: Ints | Floats  # records, itself included; whole numbers where every match counts 1
    weight: Floats | None  # sum of their sampling weights; None without weights


def matching(found: Combinations, *, alpha: float = 1.0) -> Matched:
    """How many records a record with each combination matches, where a missing value matches everything.

    Parameters
    ----------
    found : the distinct combinations of a table
    alpha : 0 to 1
        What a match counts that is owed to a gap in the other record.

    Raises
    ------
    ParameterError
        An ``alpha`` outside 0 to 1.

    Notes
    -----
    For a record without a gap: the records equal to it, plus alpha times the records with gaps that it
    matches. For a record with gaps: the records equal to it, plus alpha times the other records with gaps that
    it matches, plus every record without a gap that it matches. For a record of nothing but gaps: the
    whole table, whatever alpha is. At alpha = 1 this is the plain symmetric rule. alpha = 0 is not "a
    missing value is a value of its own": a record with gaps still counts the complete records that it matches.

    Sampling weights are added as whole multiples of a power of 2, so that a sum does not depend on the
    order of the combinations. The time taken grows with the pairs that still match after each column (those that
    rule out most come first), and not with all pairs.

    Examples
    --------
    >>> codes = np.array([[1, 1], [1, 0], [1, 2]])  # year 7: two girls, one who is not said to be either, one boy
    >>> pupils = Combinations(("year", "sex"), codes, size=np.array([2, 1, 1]))
    >>> matching(pupils).size.tolist(), matching(pupils, alpha=0.5).size.tolist()
    ([3, 4, 2], [2.5, 4.0, 1.5])
    """
    if not 0 <= alpha <= 1:
        raise ParameterError("alpha: a match through a gap counts from 0 to 1.", "give 1 to count it in full.")
    gaps = (found.codes == 0).sum(axis=1)
    incomplete, complete = np.flatnonzero(gaps), np.flatnonzero(gaps == 0)
    codes, (mass, units) = _by_column(found.codes), _mass(found)
    with_complete = _join(codes, mass, incomplete, complete)
    with_incomplete = _join(codes, mass, incomplete, incomplete) // 2  # each pair is met from either side
    in_full, through_gaps = mass.copy(), with_complete.copy()  # two combinations without a gap match where they are one
    in_full[incomplete] += with_complete[incomplete]
    through_gaps[incomplete] = with_incomplete[incomplete] - mass[incomplete]
    nothing_else = gaps == len(codes)
    in_full[nothing_else] += through_gaps[nothing_else]
    through_gaps[nothing_else] = 0
    weight = None if found.weight is None else _weight(in_full, units) + alpha * _weight(through_gaps, units)
    size: Ints | Floats = in_full[:, 0].copy()
    size = size + through_gaps[:, 0] if alpha == 1 else size + float(alpha) * through_gaps[:, 0]
    return Matched(size=size, weight=weight)


def between(sample: Combinations, population: Combinations) -> Ints:
    """How many records of a population each combination of a table matches; a gap on either side matches.

    The codes of both number the same values alike. A combination that matches nobody gets 0.

    Examples
    --------
    >>> pupils = Combinations(("year", "sex"), np.array([[1, 1], [2, 0]]), size=np.array([1, 1]))
    >>> codes = np.array([[1, 1], [2, 1], [2, 2], [0, 1]])
    >>> everybody = Combinations(("year", "sex"), codes, size=np.array([4, 3, 2, 1]))
    >>> between(pupils, everybody).tolist()
    [5, 6]
    """
    inside, both = len(sample.size), len(sample.size) + len(population.size)
    codes = _by_column(np.concatenate([sample.codes, population.codes]))
    mass = np.concatenate([sample.size, population.size]).astype(np.int64).reshape(-1, 1)
    return _join(codes, mass, np.arange(inside), np.arange(inside, both))[:inside, 0]


def _mass(found: Combinations) -> tuple[Ints, Floats]:
    """Records by combination, and the weight in whole multiples of a coarse and of a fine unit; the two units."""
    size = found.size.astype(np.int64)
    if found.weight is None:
        return size.reshape(-1, 1), np.zeros(0)
    _, above = math.frexp(math.fsum(found.weight.tolist()))  # total < 2**above
    coarse, fine = 61 - above, 61 - len(size).bit_length()  # no sum leaves 63 bits, even of both sides of a pair
    scaled = np.ldexp(found.weight, coarse)
    rest = np.ldexp(scaled - np.rint(scaled), fine)
    mass = np.stack([size, np.rint(scaled).astype(np.int64), np.rint(rest).astype(np.int64)], axis=1)
    return mass, np.ldexp(1.0, np.array([-coarse, -coarse - fine]))


def _weight(mass: Ints, units: Floats) -> Floats:
    weight: Floats = mass[:, 1] * units[0] + mass[:, 2] * units[1]
    return weight


def _by_column(codes: Ints) -> Codes:
    """The codes with a row a column, as small numbers; columns that rule out most pairs come first."""
    columns, chances = [], []
    for column in codes.T:
        filled, numbered = column != 0, column
        if column.min(initial=0) < 0 or column.max(initial=0) > 2 * len(column):
            numbered = np.zeros_like(column)
            numbered[filled] = np.unique(column[filled], return_inverse=True)[1] + 1
        share = np.bincount(numbered, minlength=1) / max(len(column), 1)
        columns.append(numbered.astype(np.int32))
        chances.append(float(share @ share + 2 * share[0] * (1 - share[0])))  # that two combinations agree on it
    order = np.argsort(chances, kind="stable")
    return np.ascontiguousarray(np.stack([columns[place] for place in order]))


def _join(codes: Codes, mass: Ints, some: Ints, others: Ints) -> Ints:
    """For each of ``some`` the mass of those of ``others`` that it matches, and the other way round."""
    gain = np.zeros_like(mass)
    if len(some) and len(others):
        walk = _walk if len(some) * len(others) <= _FEW else _compiled()
        walk(codes, np.concatenate([some, others]), len(some), mass, gain)
    return gain


@cache
def _compiled() -> Callable[..., None]:
    import numba

    compiled: Callable[..., None]
    try:
        compiled = numba.njit(cache=True)(_walk)
    except RuntimeError:  # no folder in which to keep it
        compiled = numba.njit(_walk)
    return compiled


def _walk(codes: Codes, rows: Ints, middle: int, mass: Ints, gain: Ints) -> None:
    """Column by column: the rows before and from ``middle`` on part where their values differ; those left match.

    A task is two stretches of ``rows`` and a column, and every pair of the two matches on the columns
    before it. A stretch is sorted in place and cut up. The parts are done before any other task on the
    whole, which does not care about the order inside; so nothing is copied.
    """
    kinds, scratch, ends = mass.shape[1], np.empty_like(rows), np.zeros(257, dtype=np.int64)
    tasks = [(0, middle, middle, len(rows), 0)]
    while len(tasks) > 0:
        a_from, a_to, b_from, b_to, column = tasks.pop()
        few = (a_to - a_from) * (b_to - b_from) <= _COMPARED
        while column < len(codes) and not few:  # past the columns in which one side has nothing but gaps
            a, b = a_from, b_from
            while a < a_to and codes[column, rows[a]] == 0:
                a += 1
            while b < b_to and codes[column, rows[b]] == 0:
                b += 1
            if a < a_to and b < b_to:
                break
            column += 1
        if column == len(codes):
            for kind in range(kinds):
                total_a, total_b = 0, 0
                for a in rows[a_from:a_to]:
                    total_a += mass[a, kind]
                for b in rows[b_from:b_to]:
                    total_b += mass[b, kind]
                    gain[b, kind] += total_a
                for a in rows[a_from:a_to]:
                    gain[a, kind] += total_b
            continue
        if few:
            for a in rows[a_from:a_to]:
                for b in rows[b_from:b_to]:
                    place = column
                    while place < len(codes):
                        one, other = codes[place, a], codes[place, b]
                        if one != other and one != 0 and other != 0:
                            break
                        place += 1
                    if place == len(codes):
                        for kind in range(kinds):
                            gain[a, kind] += mass[b, kind]
                            gain[b, kind] += mass[a, kind]
            continue
        for first, last in ((a_from, a_to), (b_from, b_to)):
            if last - first <= 32:  # sort by insertion
                for place in range(first + 1, last):
                    row, free = rows[place], place
                    while free > first and codes[column, rows[free - 1]] > codes[column, row]:
                        rows[free] = rows[free - 1]
                        free -= 1
                    rows[free] = row
            else:  # sort by counting, eight bits at a time
                top = 0
                for row in rows[first:last]:
                    top = max(top, codes[column, row])
                shift = 0
                while top >> shift > 0:
                    ends[:] = 0
                    for row in rows[first:last]:
                        ends[((codes[column, row] >> shift) & 255) + 1] += 1
                    for digit in range(256):
                        ends[digit + 1] += ends[digit]
                    for row in rows[first:last]:
                        digit = (codes[column, row] >> shift) & 255
                        scratch[first + ends[digit]] = row
                        ends[digit] += 1
                    rows[first:last] = scratch[first:last]
                    shift += 8
        a, b = a_from, b_from
        while a < a_to and codes[column, rows[a]] == 0:
            a += 1
        while b < b_to and codes[column, rows[b]] == 0:
            b += 1
        if a > a_from:  # last in, first out: the parts below come first
            tasks.append((a_from, a, b_from, b_to, column + 1))
        if b > b_from:
            tasks.append((a, a_to, b_from, b, column + 1))
        while a < a_to and b < b_to:
            one, other = codes[column, rows[a]], codes[column, rows[b]]
            if one < other:
                a += 1
            elif one > other:
                b += 1
            else:
                a_first, b_first = a, b
                while a < a_to and codes[column, rows[a]] == one:
                    a += 1
                while b < b_to and codes[column, rows[b]] == one:
                    b += 1
                tasks.append((a_first, a, b_first, b, column + 1))

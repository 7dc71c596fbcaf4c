"""Every subset of the quasi-identifiers at once: what its classes are like, and who is unique on it alone.

The distinct combinations are split by a set-enumeration tree of subsets, part by part (the values of the
attribute with most values), so that what is split stays in the cache. After each leading attribute the
combinations are merged on those that remain; when few cells remain, an array over all of them is summed
along its axes.

References
----------
Beyer and Ramakrishnan (1999), Bottom-up computation of sparse and iceberg CUBE, ACM SIGMOD: the partition-wise
refinement. Manning, Haglin and Keane (2008), Data Min. Knowl. Disc. 16, 165-196: minimal sample uniques.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations as choose
from math import comb, prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from otrack_risk.errors import ParameterError
from otrack_risk.risk import keys
from otrack_risk.risk.counts import Combinations, Floats, Ints, SubsetCounts

Codes: TypeAlias = npt.NDArray[Any]
Tell: TypeAlias = Callable[[str, float], None]

MOST_SUBSETS = 1 << 16
_DENSE = 1 << 21  # cells of an array that is summed along its axes
_PATTERNS = 12  # attributes up to which something is kept for every pattern of them
_MOST_SCORED = 150  # the factorial of more is no floating-point number
_CELLS = 128  # of the tail, at most; their numbers fit a byte
_MOST_TAIL = 5  # attributes
_ROUND = 1 << 29  # combinations times subsets that are counted before anybody is told
_NONE = np.iinfo(np.int64).max  # smallest class where there is none


def subset_counts(found: Combinations, max_size: int | None = None, tell: Tell | None = None) -> SubsetCounts:
    """What the classes over every non-empty subset of the quasi-identifiers are like.

    Parameters
    ----------
    found : the distinct combinations of a table
    max_size : quasi-identifiers of a subset at most; None for all
    tell : called with what is being done, and the share of it that is done

    Raises
    ------
    ParameterError
        More than 65,536 subsets; a ``max_size`` below 1.

    Examples
    --------
    >>> pupils = Combinations(("year", "sex"), np.array([[1, 1], [1, 2], [2, 1]]), np.array([2, 1, 1]))
    >>> counts = subset_counts(pupils)
    >>> counts.members.tolist()
    [[True, False], [False, True], [True, True]]
    >>> counts.classes.tolist(), counts.uniques.tolist(), counts.k.tolist(), counts.pairs.tolist()
    ([2, 2, 3], [1, 1, 2], [1, 1, 1], [3.0, 3.0, 1.0])
    """
    return _cube(found, max_size, tell, want_bits=False)[0]


@dataclass(frozen=True)
class MinimalUniques:
    """Minimal sample uniques of each combination, and the score of each.

    A minimal sample unique is a set of attributes on which a record is unique while it is unique on no
    proper part of it.
    """

    quasi_identifiers: tuple[str, ...]
    max_size: int
    by_size: Ints  # shape (combinations, max_size + 1): minimal uniques of each size; those of size 0 are none
    score: Floats  # shape (combinations,): sum over them of (A - i) for i from the size to A - 1, multiplied
    contribution: Floats  # shape (quasi-identifiers,): sum of the scores from minimal uniques that hold it


def minimal_uniques(found: Combinations, max_size: int | None = None, tell: Tell | None = None) -> MinimalUniques:
    """The minimal sample uniques of every combination, up to a size.

    Parameters
    ----------
    found : the distinct combinations of a table; only those of one record can be unique
    max_size : attributes of a minimal unique at most; None for all A of them
    tell : called with what is being done, and the share of it that is done

    Raises
    ------
    ParameterError
        As :func:`subset_counts`.

    Notes
    -----
    A minimal unique of size k scores the product of (A - i) for i from k to A - 1, that of all A scores 1.

    References
    ----------
    Elliot, Manning and Ford (2002), Int. J. Uncertain. Fuzz. Knowl.-Based Syst. 10(5), 493-509; Manning, Haglin
    and Keane (2008), Data Min. Knowl. Disc. 16, 165-196.

    Examples
    --------
    >>> pupils = Combinations(("year", "sex"), np.array([[1, 1], [1, 2], [2, 1]]), np.array([2, 1, 1]))
    >>> found = minimal_uniques(pupils)
    >>> found.by_size.tolist(), found.score.tolist(), found.contribution.tolist()
    ([[0, 0, 0], [0, 1, 0], [0, 1, 0]], [0.0, 1.0, 1.0], [1.0, 1.0])
    """
    attributes = len(found.quasi_identifiers)
    if attributes > _MOST_SCORED:
        raise ParameterError(
            f"{attributes} quasi-identifiers: a score multiplies as many numbers, at most {_MOST_SCORED}.",
            "name fewer quasi-identifiers.",
        )
    counts, bits = _cube(found, max_size, tell, want_bits=True)
    largest = int(counts.members.sum(axis=1).max())
    number = {tuple(np.flatnonzero(row)): place for place, row in enumerate(counts.members)}
    parents: list[int] = []
    first_parent = [0]
    for row in counts.members:
        held = tuple(np.flatnonzero(row))
        parents += [number[part] for part in choose(held, len(held) - 1) if part]
        first_parent.append(len(parents))
    weight_of = [prod(attributes - i for i in range(int(size), attributes)) for size in counts.members.sum(axis=1)]
    score = np.zeros(len(found.size))
    by_size = np.zeros((len(found.size), largest + 1), dtype=np.int64)
    from otrack_risk.risk import kernels

    shares = keys.shares(len(found.size))
    contributed = np.zeros((len(shares), attributes))
    sizes = counts.members.sum(axis=1)
    tables = np.array(parents, np.int64), np.array(first_parent, np.int64), sizes, np.array(weight_of, float)

    def of_share(i: int) -> None:
        part = slice(*shares[i])
        kernels.minimal(bits[part], *tables, counts.members, score[part], by_size[part], contributed[i])

    keys.each(of_share, range(len(shares)))
    return MinimalUniques(found.quasi_identifiers, largest, by_size, score, contributed.sum(axis=0))


def posteriors(found: Combinations, members: npt.NDArray[np.bool_]) -> Floats:
    """Share of the records whose last value is guessed rightly by whoever knows each subset of the others.

    Parameters
    ----------
    found : the distinct combinations of the quasi-identifiers and, as the last column, a sensitive value
    members : shape (subsets, quasi-identifiers)

    References
    ----------
    Alvim, Fernandes, McIver, Morgan and Nunes (2022), Proc. Priv. Enhancing Technol. 2022(4).

    Examples
    --------
    >>> pupils = Combinations(("year", "need"), np.array([[1, 1], [1, 2], [2, 2]]), np.array([2, 1, 1]))
    >>> posteriors(pupils, np.array([[True]])).tolist()
    [0.75]
    """
    columns = [keys.Column((codes,), 0, int(codes.max()).bit_length(), False) for codes in found.codes.T]
    guessed = np.zeros(len(members))
    for number, row in enumerate(members):
        chosen = [columns[a] for a in (*np.flatnonzero(row), len(columns) - 1)]
        key = keys.packed(chosen, len(found.size)).keys
        order = np.argsort(key)
        starts, _ = keys.run_lengths(key[order])
        counts, known = np.add.reduceat(found.size[order], starts), key[order][starts] >> np.uint64(chosen[-1].bits)
        guessed[number] = np.maximum.reduceat(counts, keys.run_lengths(known)[0]).sum() / found.records
    return guessed


def subsets_of(attributes: int, max_size: int) -> Iterator[tuple[int, ...]]:
    """All non-empty subsets of numbers below ``attributes``, smaller ones first, then by position.

    Examples
    --------
    >>> list(subsets_of(3, 2))
    [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)]
    """
    for size in range(1, max_size + 1):
        yield from choose(range(attributes), size)


def checked_size(attributes: int, max_size: int | None) -> int:
    """The size that is meant, or a refusal of more subsets than can be counted."""
    if max_size is not None and max_size < 1:
        raise ParameterError("max_size: a subset holds at least one quasi-identifier.", "give 1 or more.")
    largest = min(max_size or attributes, attributes)
    if (subsets := sum(comb(attributes, size) for size in range(1, largest + 1))) > MOST_SUBSETS:
        raise ParameterError(
            f"{attributes} quasi-identifiers have {subsets:,} subsets of up to {largest}, more than {MOST_SUBSETS:,}.",
            "set the largest size to 2, 3 or 4, or name fewer quasi-identifiers.",
        )
    return largest


@dataclass(frozen=True)
class _Tally:
    """Per subset, as bits over the attributes by falling number of values: what its classes are like."""

    counts: dict[int, tuple[int, int, int]]  # classes, uniques, smallest class
    pairs: dict[int, float]


@dataclass(frozen=True)
class _Merged:
    """Distinct combinations of some attributes, ascending by the first."""

    columns: list[Codes]  # one array an attribute
    weights: Ints  # records
    origin: Ints  # number of a combination of the whole table that is part of it; the only one where weight is 1


@dataclass(frozen=True)
class _Tree:
    """Subsets of the attributes below a leading one, each once, in preorder."""

    attribute: Ints  # the last attribute of each node; -1 for the leading attribute alone
    depth: Ints
    parent: Ints
    mask: list[int]  # bits over the attributes below the leading one
    is_leaf: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, attributes: int, deepest: int) -> _Tree:
        nodes = [(-1, 0, 0, 0)]

        def grow(last: int, depth: int, mask: int, parent: int) -> None:
            for a in range(last + 1, attributes):
                nodes.append((a, depth, mask | 1 << a, parent))
                if depth < deepest:
                    grow(a, depth + 1, mask | 1 << a, len(nodes) - 1)

        if deepest:
            grow(-1, 1, 0, 0)
        attribute, depth, mask, parent = (list(part) for part in zip(*nodes, strict=True))
        leaf = (np.array(attribute) == attributes - 1) | (np.array(depth) == deepest)
        return cls(np.array(attribute), np.array(depth), np.array(parent), mask, leaf)


def _cube(
    found: Combinations, max_size: int | None, tell: Tell | None, *, want_bits: bool
) -> tuple[SubsetCounts, npt.NDArray[np.uint64]]:
    names, d = found.quasi_identifiers, len(found.quasi_identifiers)
    largest = checked_size(d, max_size)
    subsets = list(subsets_of(d, largest))
    order = np.argsort(-np.ptp(found.codes, axis=0), kind="stable")  # the attribute with most values leads
    place = {int(a): i for i, a in enumerate(order)}
    masks = [sum(1 << place[a] for a in subset) for subset in subsets]
    number = {mask: i for i, mask in enumerate(masks)}
    bits = np.zeros((len(found.size) if want_bits else 0, (len(subsets) + 63) // 64), dtype=np.uint64)
    tally = _Tally({}, {})
    lowest = found.codes.min(axis=0)
    columns: list[Codes] = [(found.codes[:, a] - lowest[a]).astype(np.uint32) for a in order]
    rest = _Merged(columns, found.size, np.arange(len(found.size)))
    for leading in range(d):
        spans = [int(column.max()) + 1 for column in rest.columns]
        if prod(spans) <= _DENSE and len(spans) <= _PATTERNS and not want_bits:
            _sum_along(rest, spans, leading, tally)
            break
        rest, done = _merged(rest), 1 - 0.5**leading

        def advance(share: float, done: float = done, here: float = 0.5 ** (leading + 1)) -> None:
            if tell is not None:
                tell("counting every combination", done + share * here)

        bits_here = _split(
            rest, spans[1:], largest, leading, tally, number, advance, words=bits.shape[1] if want_bits else 0
        )
        if want_bits:
            alone = np.flatnonzero(rest.weights == 1)
            bits[rest.origin[alone]] |= bits_here[alone]
        rest = _Merged(rest.columns[1:], rest.weights, rest.origin)
    counts = np.array([tally.counts[mask] for mask in masks], dtype=np.int64)
    members = np.array([[a in subset for a in range(d)] for subset in subsets])
    pairs = np.array([tally.pairs[mask] for mask in masks])
    return SubsetCounts(names, found.records, members, counts[:, 0], counts[:, 1], counts[:, 2], pairs), bits


def _merged(rest: _Merged) -> _Merged:
    """Equal combinations as one, ascending by the first attribute."""
    n, columns = len(rest.weights), rest.columns
    widths = [int(column.max()).bit_length() for column in columns]
    row_bits = max(n - 1, 0).bit_length()
    if sum(widths) + row_bits <= 64:  # the row's number ends the key, and so is sorted along
        parts = [keys.Column((c,), 0, width, False) for c, width in zip(columns, widths, strict=True)]
        parts.append(keys.Column((np.arange(n, dtype=np.uint32),), 0, row_bits, False))
        tagged = keys.sort(keys.packed(parts, n))
        key, row = tagged >> np.uint64(row_bits), (tagged & np.uint64((1 << row_bits) - 1)).astype(np.int64)
        starts, _ = keys.run_lengths(key)
        shifts, first = np.cumsum([0, *widths[:0:-1]])[::-1], key[starts]
        columns = [
            ((first >> np.uint64(shift)) & np.uint64((1 << width) - 1)).astype(np.uint32)
            for shift, width in zip(shifts, widths, strict=True)
        ]
    else:
        parts = [keys.Column((c,), 0, width, False) for c, width in zip(columns, widths, strict=True)]
        same, _ = keys.number(keys.packed(parts, n).keys.reshape(-1, 1))
        key = columns[0].astype(np.uint64) << np.uint64(32) | same.astype(np.uint64)
        row = np.argsort(key)
        starts, _ = keys.run_lengths(key[row])
        columns = [column[row[starts]] for column in columns]
    if len(starts) == n:
        return _Merged(columns, rest.weights[row], rest.origin[row])
    return _Merged(columns, np.add.reduceat(rest.weights[row], starts), rest.origin[row[starts]])


@dataclass(frozen=True)
class _Tail:
    """The attributes with fewest values, of which every subset is added up from one tally."""

    spans: list[int]
    subsets: Ints  # as bits, smaller ones first; 0 is not among them
    group: Codes  # shape (2**attributes, cells): cell over a subset that a cell falls into
    differing: Ints  # shape (cells, cells): attributes in which two cells differ, as bits

    @classmethod
    def of(cls, spans: list[int]) -> _Tail:
        cells = np.indices(spans or [1]).reshape(max(len(spans), 1), -1)
        group = np.zeros((1 << len(spans), cells.shape[1]), dtype=np.int64)
        for subset in range(1, 1 << len(spans)):
            for a, span in enumerate(spans):
                if subset >> a & 1:
                    group[subset] = group[subset] * span + cells[a]
        apart = (cells[:, :, None] != cells[:, None, :]) if spans else np.zeros((1, 1, 1), dtype=bool)
        differing = (apart.astype(np.int64) << np.arange(len(apart))[:, None, None]).sum(axis=0)
        subsets = sorted(range(1, 1 << len(spans)), key=lambda subset: (subset.bit_count(), subset))
        return cls(spans, np.array(subsets, dtype=np.int64), group.astype(np.uint8), differing)

    def cells_of(self, columns: list[Codes], n: int) -> Codes:
        """The cell of each combination."""
        found = np.zeros(n, dtype=np.int64)
        for column, span in zip(columns, self.spans, strict=True):
            found = found * span + column
        return found.astype(np.uint8)


def _tail_length(spans: list[int]) -> int:
    """How many of the last attributes make the tail."""
    length = 0
    while length < min(_MOST_TAIL, len(spans)) and prod(spans[len(spans) - length - 1 :]) <= _CELLS:
        length += 1
    return length


def _split(
    rest: _Merged,
    spans: list[int],
    largest: int,
    leading: int,
    tally: _Tally,
    number: dict[int, int],
    advance: Callable[[float], None],
    words: int,
) -> npt.NDArray[np.uint64]:
    """Counts every subset that holds the leading attribute and none before it."""
    from otrack_risk.risk import kernels

    n, tail_length = len(rest.weights), _tail_length(spans)
    head = len(spans) - tail_length
    tail, tree = _Tail.of(spans[head:]), _Tree.of(head, largest - 1)
    nodes, tails = len(tree.mask), 1 << tail_length

    def name(node: int, subset: int) -> int:
        return (1 << leading) | (tree.mask[node] | subset << head) << (leading + 1)

    starts = np.append(keys.run_lengths(rest.columns[0].astype(np.uint64))[0], n)
    by_size = np.argsort(-np.diff(starts), kind="stable")
    table = np.array(rest.columns[1 : 1 + head], dtype=np.uint32).reshape(head, n)
    n_tails = np.array(
        [sum(int(t).bit_count() <= largest - 1 - d for t in tail.subsets) for d in range(int(tree.depth.max()) + 1)]
    )
    pattern_at, n_patterns = np.zeros(nodes, dtype=np.int64), 0
    if not words and len(spans) <= _PATTERNS:
        room = 1 << (len(spans) - 1 - tree.attribute)
        pattern_at, n_patterns = np.cumsum(room) - room, int(room.sum())
    own = np.full((nodes, tails) if words else (0, tails), -1, dtype=np.int64)
    descendants = np.zeros((nodes if words else 0, max(words, 1)), dtype=np.uint64)
    for node in range(nodes - 1, -1, -1) if words else ():
        for subset in range(tails):
            place = own[node, subset] = number.get(name(node, subset), -1)
            if place >= 0:
                descendants[node, place >> 6] |= np.uint64(1 << (place & 63))
        if node:
            descendants[tree.parent[node]] |= descendants[node]
    bits = np.zeros((n if words else 0, max(words, 1)), dtype=np.uint64)
    threads = len(keys.shares(n))
    counts, closed = (np.zeros((threads, nodes, size, 3), dtype=np.int64) for size in (tails, 1))
    counts[..., 2] = closed[..., 2] = _NONE
    pairs, closed_pairs = (np.zeros((threads, nodes, size)) for size in (tails, 1))
    patterns = np.zeros((threads, n_patterns), dtype=np.int64)
    shape = np.array(spans[:head], dtype=np.int64), tail.cells_of(rest.columns[1 + head :], n), rest.weights, starts
    order = tree.attribute, tree.depth, tree.is_leaf, tail.subsets, n_tails, tail.group, tail.differing, pattern_at

    def of_thread(i: int, parts: Ints) -> None:
        of_it = patterns[i], counts[i], pairs[i], closed[i], closed_pairs[i]
        kernels.cube(table, *shape, parts, *order, *of_it, bits, descendants, own)

    rounds = 1 + n * nodes * tails // _ROUND
    for turn in range(rounds):  # large parts are spread over the rounds as over the threads
        todo = [by_size[turn * threads + i :: threads * rounds] for i in range(threads)]
        keys.each(lambda i, todo=todo: of_thread(i, todo[i]), [i for i in range(threads) if len(todo[i])])  # type: ignore[misc]
        advance((turn + 1) / rounds)
    within = _Found(_added(counts), pairs.sum(axis=0))
    _hand_down(tree, tail_length, within, _Found(_added(closed), closed_pairs.sum(axis=0)))
    if n_patterns:
        _hand_down_pairs(tree, head, tail_length, within, pattern_at, patterns.sum(axis=0))
    for node in range(nodes):
        for subset in range(tails):
            classes, uniques, smallest = within.counts[node, subset].tolist()
            tally.counts[name(node, subset)] = (classes, uniques, smallest)
            tally.pairs[name(node, subset)] = float(within.pairs[node, subset])
    return bits


@dataclass(frozen=True)
class _Found:
    """Per node and subset of the tail: classes, uniques and smallest class, and pairs of records that agree."""

    counts: Ints
    pairs: Floats


def _added(counts: Ints) -> Ints:
    """What the threads found together."""
    added: Ints = counts.sum(axis=0)
    added[..., 2] = counts[..., 2].min(axis=0)
    return added


def _hand_down(tree: _Tree, tail_length: int, within: _Found, closed: _Found) -> None:
    """Adds what was closed at a node to its tail, and to every node below with its tail."""
    for node in range(len(tree.mask)):  # parents come before their children
        above = closed.counts[tree.parent[node], 0] if node else np.array([0, 0, _NONE])
        above_pairs = closed.pairs[tree.parent[node], 0] if node else 0.0
        within.counts[node, 0, :2] += above[:2]
        within.counts[node, 0, 2] = min(within.counts[node, 0, 2], above[2])
        within.pairs[node, 0] += above_pairs
        closed.counts[node, 0, :2] += above[:2]
        closed.counts[node, 0, 2] = min(closed.counts[node, 0, 2], above[2])
        closed.pairs[node, 0] += above_pairs
        within.counts[node, 1:, :2] += closed.counts[node, 0, :2]
        within.counts[node, 1:, 2] = np.minimum(within.counts[node, 1:, 2], closed.counts[node, 0, 2])
        within.pairs[node, 1:] += closed.pairs[node, 0]


def _hand_down_pairs(
    tree: _Tree, head: int, tail_length: int, within: _Found, pattern_at: Ints, patterns: Ints
) -> None:
    """Adds the closed pairs of every node to what lies below: together where they differ in no attribute added."""
    node_of = np.full(1 << head, -1, dtype=np.int64)
    node_of[tree.mask] = np.arange(len(tree.mask))
    for node in range(len(tree.mask)):
        first = int(tree.attribute[node]) + 1  # attributes of the tree from this one on, then those of the tail
        below = head - first + tail_length
        together = patterns[pattern_at[node] : pattern_at[node] + (1 << below)].copy()
        if not (total := int(together.sum())):
            continue
        for b in range(below):  # sums over all patterns within a pattern
            halves = together.reshape(-1, 2, 1 << b)
            halves[:, 1] += halves[:, 0]
        added = np.arange(1, 1 << below)
        at = node_of[tree.mask[node] | (added & ((1 << (head - first)) - 1)) << first]
        subset = added >> (head - first)
        added, at, subset = added[at >= 0], at[at >= 0], subset[at >= 0]
        stay = together[~added & ((1 << below) - 1)]
        within.counts[at, subset, 0] += 2 * total - stay
        within.counts[at, subset, 1] += 2 * (total - stay)
        smallest = np.where(stay < total, 1, 2)
        within.counts[at, subset, 2] = np.minimum(within.counts[at, subset, 2], smallest)
        within.pairs[at, subset] += stay


def _sum_along(rest: _Merged, spans: list[int], leading: int, tally: _Tally) -> None:
    """Counts every subset of the attributes left from an array over all their cells, summed along its axes."""
    d, cells = len(spans), np.zeros(prod(spans), dtype=np.int64)
    np.add.at(cells, np.ravel_multi_index(tuple(rest.columns), tuple(spans)), rest.weights)
    full = (1 << d) - 1
    arrays = {full: cells.reshape(spans)}
    for size in range(d, 0, -1):
        for held in choose(range(d), size):
            mask = sum(1 << a for a in held)
            if mask != full:
                wider = min((mask | 1 << a for a in range(d) if not mask >> a & 1), key=lambda m: arrays[m].size)
                gone = (wider ^ mask).bit_length() - 1
                axes = [a for a in range(d) if wider >> a & 1]
                arrays[mask] = arrays[wider].sum(axis=axes.index(gone))
            there = arrays[mask].ravel()
            there = there[there > 0].astype(np.float64)
            smallest = int(there.min())
            tally.counts[mask << leading] = (len(there), int((there == 1).sum()), smallest)
            tally.pairs[mask << leading] = float((there * (there - 1) / 2).sum())

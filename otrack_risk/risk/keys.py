"""The polars engine's own grouping: every row as one whole number, so that equal rows are equal numbers.

A column becomes small numbers (its codes), codes side by side become a key of up to 64 bits, and sorted
keys put each equivalence class together. Where 64 bits do not hold the columns, the leading ones are
numbered anew by the combinations that occur.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from threading import Thread
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from otrack_risk.risk.counts import Ints

Keys: TypeAlias = npt.NDArray[np.uint64]
Codes: TypeAlias = npt.NDArray[Any]

SMALL = 100_000  # rows up to which plain numpy is as fast as loading what is compiled
_WIDTH = 64  # bits of a key
_HALF = 32  # bits
_PART = 1500  # rows of a part that is sorted or counted at once, about
_MOST_PARTS = 11  # bits
_MOST_TOGETHER = 1 << 22  # rows of a part for which a table of the keys met is made
_COUNTED = 4096  # class sizes that are counted in place; larger ones are listed
_INLINE = 12  # bytes of text that lie in its view


@dataclass(frozen=True)
class Column:
    """One column as small whole numbers: ``chunk - lowest`` is from 0 to ``2**bits - 1`` in every chunk."""

    chunks: tuple[Codes, ...]
    lowest: int
    bits: int
    has_missing: bool  # then the lowest number is the missing value, and no other


@dataclass(frozen=True)
class Rows:
    """One key a row; ``key >> shift`` ends with the code of the column that has this shift."""

    keys: Keys
    shifts: tuple[int, ...] | None  # None where the leading columns are numbered together
    bits: int
    parts: Ints | None  # keys by their highest bits, in each thread's share of the rows; None of few rows


def columns_of(frame: pl.DataFrame, names: Sequence[str]) -> list[Column]:
    """Columns of a frame as codes, cut at the same rows.

    Examples
    --------
    >>> columns_of(pl.DataFrame({"year": [7, 9, None]}), ["year"])
    [Column(chunks=(array([1, 3, 0]),), lowest=0, bits=2, has_missing=True)]
    """
    lengths = {tuple(len(chunk) for chunk in frame[name].get_chunks()) for name in names}
    if len(lengths) > 1:
        frame, lengths = frame.select(names).rechunk(), {(frame.height,)}
    edges = np.cumsum(lengths.pop())[:-1]
    text = [name for name in names if frame.schema[name] == pl.String]
    if frame.height <= SMALL or not text or len(text) == len(names):
        return [_column(frame[name], edges) for name in names]
    rest = [name for name in names if name not in text]
    both = each(lambda i: [_column(frame[name], edges) for name in (rest, text)[i]], range(2))
    coded = dict(zip([*rest, *text], [*both[0], *both[1]], strict=True))
    return [coded[name] for name in names]


def valued(series: pl.Series) -> tuple[Column, pl.Series]:
    """A column as codes that are places in its distinct values, ascending, the missing value first.

    Examples
    --------
    >>> coded, values = valued(pl.Series(["b", None, "a"]))
    >>> coded.chunks[0].tolist(), values.to_list()
    ([2, 0, 1], [None, 'a', 'b'])
    """
    coded = _column(series.rechunk(), np.zeros(0, np.int64))
    codes = coded.chunks[0]
    if coded.bits > 16:
        numbered, rows = number(codes.astype(np.int64).view(np.uint64).reshape(-1, 1))
        places = numbered.astype(np.int64)
    else:
        places = codes.astype(np.int64) - coded.lowest
        anywhere = np.zeros(1 << coded.bits, dtype=np.int64)
        anywhere[places] = np.arange(len(places))  # some row of each value; which one does not matter
        rows = anywhere
    there = np.flatnonzero(np.bincount(places, minlength=len(rows)))
    values = series.gather(rows[there])
    if isinstance(values.dtype, pl.Enum | pl.Categorical):
        values = values.cast(pl.String)
    order = values.arg_sort(nulls_last=False).to_numpy()
    rank = np.zeros(len(rows), dtype=np.uint32)
    rank[there[order]] = np.arange(len(there), dtype=np.uint32)
    missing_first = bool(values.null_count())
    return Column((rank[places],), 0, max(len(there) - 1, 0).bit_length(), missing_first), values.gather(order)


def numbers(series: pl.Series) -> tuple[npt.NDArray[np.uint32], Ints]:
    """Equal values as equal numbers 0, 1, ..., and the first row of each; a missing value has some number."""
    kind, rows = series.dtype, len(series)
    if kind == pl.String and rows > SMALL and (found := _short_texts(series)) is not None:
        return found
    if kind == pl.String:
        coded = series.cast(pl.Categorical(pl.Categories.random())).to_physical().fill_null(0)
        return number(coded.to_numpy().astype(np.uint64).reshape(-1, 1))
    if kind.is_float():
        plain = series.cast(pl.Float64).fill_null(0).to_numpy() + 0.0  # -0.0 is 0.0
        return number(plain.view(np.uint64).reshape(-1, 1))
    wide = kind.is_decimal() or kind in (pl.Int128, pl.UInt128)
    if (kind.is_numeric() and not wide) or kind in (pl.Boolean, pl.Null) or kind.is_temporal():
        coded = series.to_physical().cast(pl.Int64) if kind != pl.Null else pl.zeros(rows, pl.Int64, eager=True)
        return number(coded.fill_null(0).to_numpy().view(np.uint64).reshape(-1, 1))
    first = series.to_frame("x").with_row_index("row").select(pl.col("row").first().over("x")).to_series()
    return number(first.to_numpy().astype(np.uint64).reshape(-1, 1))


def number(words: Keys) -> tuple[npt.NDArray[np.uint32], Ints]:
    """Rows of equal words as equal numbers, in the order in which they first occur, and the first row of each.

    Examples
    --------
    >>> [part.tolist() for part in number(np.array([[5], [9], [5]], dtype=np.uint64))]
    [[0, 1, 0], [0, 1]]
    """
    if len(words) <= SMALL and words.shape[1] == 1:
        _, first, inverse = np.unique(words[:, 0], return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty(len(first), dtype=np.uint32)
        place[order] = np.arange(len(first), dtype=np.uint32)
        return place[inverse.reshape(-1)], first[order].astype(np.int64)
    from otrack_risk.risk import kernels

    found: tuple[npt.NDArray[np.uint32], Ints] = kernels.number(np.ascontiguousarray(words), 0)
    return found


def packed(columns: Sequence[Column], rows: int) -> Rows:
    """The key of every row: the columns side by side, the first in the highest bits."""
    widths = [part.bits for part in columns]
    if sum(widths) <= _WIDTH:
        shifts = _shifts(columns)
        keys, parts = _side_by_side(columns, shifts, rows)
        return Rows(keys, shifts, sum(widths), parts)
    fits = 1  # as many leading columns as one key holds, numbered by the combinations that occur
    while sum(widths[: fits + 1]) <= _WIDTH:
        fits += 1
    together, first = number(packed(columns[:fits], rows).keys.reshape(-1, 1))
    leading = Column((together,), 0, (len(first) - 1).bit_length(), has_missing=False)
    folded = packed([leading, *columns[fits:]], rows)
    return Rows(folded.keys, None, folded.bits, folded.parts)


def sort(rows: Rows) -> Keys:
    """The keys in ascending order."""
    n = len(rows.keys)
    if rows.parts is None:
        return np.sort(rows.keys)
    from otrack_risk.risk import kernels

    shift, halves = rows.bits - _part_bits(n, rows.bits), shares(n)
    starts, places = _places(rows.parts, n)
    keys = np.empty_like(rows.keys)
    each(lambda i: kernels.scatter(rows.keys[slice(*halves[i])], shift, places[i], keys), range(len(halves)))
    edges = _edges(starts, halves)
    each(lambda i: kernels.sort_parts(keys, starts, edges[i], edges[i + 1], shift), range(len(halves)))
    return keys


def runs(columns: Sequence[Column], rows: int) -> dict[int, int]:
    """How many combinations of the columns occur in how many rows.

    Nobody asks in which order: the keys are parted by their highest bits and counted part by part.

    Examples
    --------
    >>> runs(columns_of(pl.DataFrame({"year": [7, 9, 7]}), ["year"]), 3)
    {1: 1, 2: 1}
    """
    wide = [part for part in columns if part.bits]
    bits = sum(part.bits for part in wide)
    if rows <= SMALL or not 0 < bits <= _WIDTH:
        return _runs_sorted(columns, rows)
    from otrack_risk.risk import kernels

    halves, pieces = shares(rows), _pieces(wide, _shifts(wide))
    shift = bits - max(
        _part_bits(rows, bits), min(bits - _HALF, _MOST_PARTS)
    )  # what is left of a key takes half of the memory
    parts = np.zeros((len(halves), 1 << (bits - shift)), dtype=np.int64)
    leading = sum(place + part.bits > shift for place, part in zip(_shifts(wide), wide, strict=True))

    def count(i: int) -> None:
        for piece, low, high in _within(pieces, *halves[i]):
            kernels.count_by_part(*piece.leading(leading), piece.rows, low, high, shift, parts[i])

    each(count, range(len(halves)))
    starts, places = _places(parts, rows)
    if int(np.diff(starts).max()) > _MOST_TOGETHER:
        return _runs_sorted(columns, rows)
    keys = np.empty(rows, dtype=np.uint32 if shift <= _HALF else np.uint64)

    def write(i: int) -> None:
        for piece, low, high in _within(pieces, *halves[i]):
            kernels.pack_by_part(*piece.leading(len(wide)), piece.rows, low, high, shift, places[i], keys)

    each(write, range(len(halves)))
    edges, sizes = _edges(starts, halves), np.zeros((len(halves), _COUNTED + 1), dtype=np.int64)
    below = np.uint64((1 << shift) - 1)

    def tally(i: int) -> Ints:
        larger = np.empty(int(starts[edges[i + 1]] - starts[edges[i]]) // _COUNTED + 1, dtype=np.int64)
        listed = kernels.count_parts(keys, starts, edges[i], edges[i + 1], below, sizes[i], larger)
        return larger[:listed]

    larger = np.concatenate(each(tally, range(len(halves))))
    by_size = sizes.sum(axis=0)
    return {int(size): int(by_size[size]) for size in np.flatnonzero(by_size)} | _tallied(larger)


def run_lengths(keys: Keys) -> tuple[Ints, Ints]:
    """Where each run of equal keys starts, and its length.

    Examples
    --------
    >>> [part.tolist() for part in run_lengths(np.array([3, 3, 8], dtype=np.uint64))]
    [[0, 2], [2, 1]]
    """
    if not len(keys):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    starts = np.concatenate(([0], np.flatnonzero(keys[1:] != keys[:-1]) + 1))
    return starts, np.diff(starts, append=len(keys))


def _column(series: pl.Series, edges: Ints) -> Column:
    """A column as codes; a date is its day (NaN is cleared by the caller)."""
    kind = series.dtype
    narrow = kind.is_integer() and kind not in (pl.Int128, pl.UInt128)
    if narrow or kind.is_temporal() or isinstance(kind, pl.Enum | pl.Categorical):
        whole = series.to_physical()
    elif kind == pl.Boolean:
        whole = series.cast(pl.UInt8)
    else:
        codes, first = numbers(series)
        if not series.null_count():
            return Column(tuple(np.split(codes, edges)), 0, max(len(first) - 1, 0).bit_length(), has_missing=False)
        whole = pl.Series(codes)
    if series.null_count():
        return _with_missing(whole, series.is_null(), edges)
    if not len(series):
        return Column((whole.to_numpy(),), 0, 0, has_missing=False)
    low, high = int(whole.min()), int(whole.max())  # type: ignore[arg-type]
    if whole.n_chunks() == len(edges) + 1:
        chunks = tuple(chunk.to_numpy() for chunk in whole.get_chunks())
    else:
        chunks = tuple(np.split(whole.to_numpy(), edges))
    return Column(chunks, low, (high - low).bit_length(), has_missing=False)


def _with_missing(whole: pl.Series, absent: pl.Series, edges: Ints) -> Column:
    """Codes from 1, and 0 where a value is absent."""
    present = whole.filter(~absent)
    if not len(present):
        return Column(tuple(np.split(np.zeros(len(whole), np.uint8), edges)), 0, 0, has_missing=True)
    low, high = int(present.min()), int(present.max())  # type: ignore[arg-type]
    if high - low >= 2**62:  # as wide as the numbers themselves: number what occurs
        words = whole.fill_null(low).to_numpy().astype(np.int64).view(np.uint64)
        codes = number(words.reshape(-1, 1))[0].astype(np.int64)
        low, high = 0, int(codes.max())
    else:
        least = np.array([low % 2**64], dtype=np.uint64).view(np.int64)  # wraps as unsigned numbers do
        codes = whole.fill_null(low).to_numpy().astype(np.int64) - least
    shifted = np.where(absent.to_numpy(), 0, codes + 1)
    return Column(tuple(np.split(shifted, edges)), 0, (high - low + 1).bit_length(), has_missing=True)


def _part_bits(rows: int, bits: int) -> int:
    """The highest bits of a key by which rows are parted before each part is sorted."""
    return min(max(1, round(math.log2(rows / _PART))), _MOST_PARTS, bits)


def _side_by_side(columns: Sequence[Column], shifts: Sequence[int], rows: int) -> tuple[Keys, Ints | None]:
    keys = np.zeros(rows, dtype=np.uint64)
    wide = [(part, shift) for part, shift in zip(columns, shifts, strict=True) if part.bits]
    if rows <= SMALL:
        for part, shift in wide:
            codes = np.concatenate(part.chunks).astype(np.int64).view(np.uint64)  # wraps where a column is unsigned
            keys |= (codes - np.uint64(part.lowest % 2**64)) << np.uint64(shift)
        return keys, None
    from otrack_risk.risk import kernels

    bits = sum(part.bits for part in columns)
    part_bits, edges = _part_bits(rows, bits), shares(rows)
    parts = np.zeros((len(edges), 1 << part_bits), dtype=np.int64)
    if not wide:
        parts[:, 0] = [high - low for low, high in edges]
        return keys, parts
    pieces = _pieces([part for part, _ in wide], [shift for _, shift in wide])

    def add(share: int) -> None:
        for piece, low, high in _within(pieces, *edges[share]):
            here = keys[piece.first : piece.first + piece.rows]
            kernels.pack(*piece.leading(len(wide)), here, low, high, bits - part_bits, parts[share])

    each(add, range(len(edges)))
    return keys, parts


@dataclass(frozen=True)
class _Piece:
    """Rows of which every column lies in one piece of memory."""

    first: int
    rows: int
    addresses: Ints
    kinds: Ints  # bytes of a number, negative where it is signed
    lowest: Ints
    shifts: Ints
    held: tuple[Codes, ...]  # keeps the memory

    def leading(self, columns: int) -> tuple[Ints, Ints, Ints, Ints]:
        """What a kernel is told of the first columns."""
        return self.addresses[:columns], self.kinds[:columns], self.lowest[:columns], self.shifts[:columns]


def _pieces(columns: Sequence[Column], shifts: Sequence[int]) -> list[_Piece]:
    lowest = np.array([part.lowest % 2**64 for part in columns], dtype=np.uint64).view(np.int64)
    places = np.array(shifts, dtype=np.int64)
    first, pieces = 0, []
    cut = [tuple(part.chunks) for part in columns]
    if len({tuple(map(len, chunks)) for chunks in cut}) > 1:  # columns of one table may be cut at different rows
        cut = [(np.concatenate(chunks),) for chunks in cut]
    for chunks in zip(*cut, strict=True):
        held = tuple(np.ascontiguousarray(chunk) for chunk in chunks)
        kinds = np.array([chunk.itemsize * (-1 if chunk.dtype.kind == "i" else 1) for chunk in held], dtype=np.int64)
        addresses = np.array([chunk.ctypes.data for chunk in held], dtype=np.int64)
        pieces.append(_Piece(first, len(held[0]), addresses, kinds, lowest, places, held))
        first += len(held[0])
    return pieces


def _within(pieces: Sequence[_Piece], start: int, stop: int) -> Iterator[tuple[_Piece, int, int]]:
    """The pieces that hold some of these rows, and which of their own rows these are."""
    for piece in pieces:
        low, high = (min(max(edge - piece.first, 0), piece.rows) for edge in (start, stop))
        if low < high:
            yield piece, low, high


def _shifts(columns: Sequence[Column]) -> tuple[int, ...]:
    """Bits below each column in a key that has the first in its highest bits."""
    widths = [part.bits for part in columns]
    return tuple(int(shift) for shift in np.cumsum(widths[::-1])[::-1] - widths)


def _places(parts: Ints, rows: int) -> tuple[Ints, Ints]:
    """Where each part starts, with the end; and where each thread's share of it does."""
    places = np.concatenate(([0], np.cumsum(parts.T.reshape(-1))[:-1])).reshape(-1, len(parts)).T.copy()
    return np.append(places[0], rows), places


def _edges(starts: Ints, halves: Sequence[tuple[int, int]]) -> list[int]:
    """Parts, shared out by their rows."""
    return [int(np.searchsorted(starts, low)) for low, _ in halves] + [len(starts) - 1]


def _runs_sorted(columns: Sequence[Column], rows: int) -> dict[int, int]:
    return _tallied(run_lengths(sort(packed(columns, rows)))[1])


def _tallied(lengths: Ints) -> dict[int, int]:
    sizes, counts = np.unique(lengths, return_counts=True)
    return dict(zip(sizes.tolist(), counts.tolist(), strict=True))


def _short_texts(series: pl.Series) -> tuple[npt.NDArray[np.uint32], Ints] | None:
    """Texts of up to twelve bytes, numbered by the sixteen bytes in which Arrow keeps each; None where one is longer.

    The memory is shared through the Arrow C stream interface, not copied. The bytes of a missing value
    are taken for those of an empty text.

    References
    ----------
    Apache Arrow columnar format: variable-size binary view layout; Arrow C data and C stream interfaces.
    """
    held = series.rechunk()  # keeps the memory while it is read
    capsule = held.__arrow_c_stream__(None)
    pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    stream = _Stream.from_address(pointer_of(capsule, b"arrow_array_stream"))
    schema, array = _Schema(), _Array()
    try:
        if stream.get_schema(ctypes.byref(stream), ctypes.byref(schema)) or schema.format != b"vu":
            return None
        if stream.get_next(ctypes.byref(stream), ctypes.byref(array)) or array.length != len(held):
            return None
        start = array.buffers[1] + 16 * array.offset
        words = np.ctypeslib.as_array((ctypes.c_uint64 * (2 * len(held))).from_address(start)).reshape(-1, 2)
        if held.null_count():
            words = np.where(held.is_null().to_numpy()[:, None], np.uint64(0), words)
        from otrack_risk.risk import kernels

        found: tuple[npt.NDArray[np.uint32], Ints] = kernels.number(words, _INLINE)
        return found if len(found[1]) else None
    finally:
        for part in (schema, array):
            if part.release:
                part.release(ctypes.byref(part))


class _Schema(ctypes.Structure):
    """struct ArrowSchema."""


class _Array(ctypes.Structure):
    """struct ArrowArray."""


class _Stream(ctypes.Structure):
    """struct ArrowArrayStream."""


_any = ctypes.c_void_p
_Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", _any),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", _any),
    ("dictionary", _any),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))),
    ("private_data", _any),
]
_Array._fields_ = [
    *((name, ctypes.c_int64) for name in ("length", "null_count", "offset", "n_buffers", "n_children")),
    ("buffers", ctypes.POINTER(_any)),
    ("children", _any),
    ("dictionary", _any),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))),
    ("private_data", _any),
]
_Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema))),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))),
    ("get_last_error", _any),
    ("release", _any),
    ("private_data", _any),
]


def each(do: Callable[[int], Any], parts: Iterable[int]) -> list[Any]:
    """One thread a part, the first of them this one; the compiled loops run side by side."""
    todo = list(parts)
    found: list[Any] = [None] * len(todo)
    raised: list[BaseException] = []

    def run(i: int) -> None:
        try:
            found[i] = do(todo[i])
        except BaseException as error:  # handed on to whoever asked, from whichever thread
            raised.append(error)

    threads = [Thread(target=run, args=(i,)) for i in range(1, len(todo))]
    for thread in threads:
        thread.start()
    if todo:
        run(0)
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]
    return found


def shares(n: int) -> list[tuple[int, int]]:
    """Equal parts of n rows, one a thread; as many threads as polars takes (POLARS_MAX_THREADS)."""
    threads = max(1, min(pl.thread_pool_size(), n // SMALL))
    edges = [n * i // threads for i in range(threads + 1)]
    return list(pairwise(edges))

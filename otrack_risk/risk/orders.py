"""Orders and hierarchies of the values of one column: read from a file, and found again in a table.

Values are compared as text: 7 is ``7``, true is ``true``, a date is ``2026-01-31``. No message holds one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from otrack_risk.errors import FieldError, FileError, ParameterError
from otrack_risk.risk.counts import Ints

DELIMITERS = (";", "\t", "|", ",")  # a comma stands inside labels more often than the others do
NO_ORDER = "no order was given"
NO_HIERARCHY = "no hierarchy was given"


@dataclass(frozen=True)
class Order:
    """Where each value of a column stands in an order, from low to high."""

    place: Ints  # shape (values,): 0 to values - 1, each once
    given: bool  # by the user; else it is the order of numbers, dates, or false before true


@dataclass(frozen=True)
class Tree:
    """A hierarchy over the values of a column, its leaves numbered so that those of one node stand together."""

    place: Ints  # shape (values,): the leaf of each value of the column
    nodes: tuple[Ints, ...]  # by height, from the leaves to just below the root; shape (leaves,): the node above each
    root_added: bool  # the highest level of the hierarchy had several labels


def read_order(text: str) -> list[str]:
    """The values of an order from low to high, out of ``a<b<c``, or ``@FILE`` with one value a line.

    Blanks around a value and empty lines of a file are no part of it. A value that holds ``<`` has to
    come from a file.

    Raises
    ------
    FileError
        The file is not there, or is no text.
    ParameterError
        No value, an empty one, or one that is named twice.

    Examples
    --------
    >>> read_order("low < middle < high")
    ['low', 'middle', 'high']
    """
    if text.startswith("@"):
        path = Path(text[1:])
        lines = [(number, line.strip()) for number, line in enumerate(_text(path).splitlines(), start=1)]
        entries, where = [(number, line) for number, line in lines if line], f"{path.name}: line"
    else:
        entries, where = list(enumerate((part.strip() for part in text.split("<")), start=1)), "order: value"
    mend = "write each value once, from low to high: a<b<c, or @FILE with one value a line."
    seen: dict[str, int] = {}
    for number, value in entries:
        if not value:
            raise ParameterError(f"{where} {number:,} is empty.", mend)
        if value in seen:
            raise ParameterError(f"{where} {number:,} is the same as {seen[value]:,}.", mend)
        seen[value] = number
    if not seen:
        raise ParameterError(f"{where.split(':')[0]}: there is no value in it.", mend)
    return list(seen)


def read_hierarchy(path: str | Path) -> list[tuple[str, ...]]:
    """The rows of a hierarchy: a value, then what it is at level 1, level 2, and so on to the most general.

    The file has no header; its delimiter (semicolon, tab, bar or comma) is detected. An empty first
    field stands for the missing value.

    Raises
    ------
    FileError
        The file is not there, is no text, has no row, one field a row only, rows of unlike length, or a
        value that stands under two labels.
    """
    path = Path(path)
    content = _text(path)
    tried = [_rows(content, mark, path.name) for mark in DELIMITERS]
    even = [rows for rows in tried if rows and len({len(row) for _, row in rows}) == 1 and len(rows[0][1]) > 1]
    rows = even[0] if even else max(tried, key=_fit)
    mend = "write one value a row, without a header: value;level 1;level 2, every row equally long."
    if not rows:
        raise FileError(f"{path.name}: there is no row in it.", mend)
    width = len(rows[0][1])
    if width == 1 and all(len(row) == 1 for _, row in rows):
        raise FileError(f"{path.name}: its rows have one field only, so no value has a level above it.", mend)
    seen: dict[str, tuple[int, tuple[str, ...]]] = {}
    for number, row in rows:
        if len(row) != width:
            raise FileError(
                f"{path.name}: row {number:,} has {len(row):,} field{'s' * (len(row) != 1)}, the first row {width:,}.",
                mend,
            )
        first, known = seen.setdefault(row[0], (number, row))
        if known != row:
            raise FileError(f"{path.name}: row {number:,} has the value of row {first:,} under other labels.", mend)
    return [row for _, row in seen.values()]


def order_of(values: pl.Series, order: Sequence[str] | None, column: str) -> Order | str:
    """The places of a column's values in the order given, or else in their own; or why there is none.

    Parameters
    ----------
    values : the distinct values of the column, ascending, the missing value first
    order : values as text from low to high; it may name more than the table holds
    column : its name, for messages

    Raises
    ------
    FieldError, ParameterError
        A value of the table that the order does not name; an order that names one twice.

    Notes
    -----
    Numbers, dates and truth values have an order of their own, and so have texts that are all numbers
    (two texts of one number, as 7 and 07, in the order of the texts). A missing value has no place in
    any order, so that with one there is none.
    """
    if order is None:
        place = _own_order(values)
    else:
        texts, named = _as_text(values), _entries(values, order)
        if twice := len(named) - named.n_unique():
            raise ParameterError(f"order of '{column}': {twice:,} values are named again in it.", "name each once.")
        place = _found(texts, named, column, "order").argsort(kind="stable").argsort(kind="stable")
    if place is None:
        return NO_ORDER
    if values.null_count():
        return "some records have no value, and a missing value has no place in an order"
    return Order(place=place.astype(np.int64), given=order is not None)


def tree_of(values: pl.Series, hierarchy: Sequence[Sequence[str]] | None, column: str) -> Tree | str:
    """A column's values in a hierarchy, or why they cannot be found in one.

    Parameters
    ----------
    values : the distinct values of the column, ascending, the missing value first
    hierarchy : rows of (value, level 1, ...), as :func:`read_hierarchy` gives them
    column : its name, for messages

    Raises
    ------
    FieldError, ParameterError
        A value of the table that the hierarchy does not have; rows of unlike length, or a value under
        two labels.

    Notes
    -----
    A node is a label together with all labels above it. Where the highest level has several labels, a
    root above them is added, and the tree is one higher. A missing value is the entry whose value is
    the empty text.
    """
    if hierarchy is None:
        return NO_HIERARCHY
    try:
        levels = list(zip(*hierarchy, strict=True))
    except ValueError:
        levels = []
    if not levels:
        raise ParameterError(
            f"hierarchy of '{column}': its rows are not equally long, or there is none.",
            "give every value a label at every level.",
        )
    names = [f"level{height}" for height in range(len(levels))]
    columns = [_entries(values, levels[0]), *(pl.Series(labels, dtype=pl.String) for labels in levels[1:])]
    rows = pl.DataFrame(dict(zip(names, columns, strict=True))).unique().sort(names[::-1])
    if twice := rows.height - rows["level0"].n_unique():
        raise ParameterError(
            f"hierarchy of '{column}': {twice:,} values stand in it again under other labels.", "give each one row."
        )
    texts = _as_text(values)
    if values.null_count() and not (rows["level0"] == "").any():
        _found(texts, rows["level0"], column, "hierarchy")
        return "some records have no value, and the hierarchy has no row for the missing value"
    place = _found(texts.fill_null(""), rows["level0"], column, "hierarchy")
    differs, nodes = np.zeros(rows.height, dtype=bool), []
    for name in names[::-1]:
        differs = differs | rows[name].ne_missing(rows[name].shift(1)).fill_null(True).to_numpy()
        differs[0] = False
        nodes.append(np.cumsum(differs))
    root_added = bool(nodes[0][-1] > 0) or len(names) == 1
    return Tree(place=place, nodes=tuple(nodes[::-1] if root_added else nodes[:0:-1]), root_added=root_added)


def _own_order(values: pl.Series) -> Ints | None:
    kind = values.dtype
    if kind.is_numeric() or kind.is_temporal() or kind == pl.Boolean:
        return np.arange(len(values))
    if kind != pl.String:
        return None
    numbers = values.drop_nulls().cast(pl.Float64, strict=False)
    if not numbers.len() or numbers.null_count() or not numbers.is_finite().all():
        return None
    return values.cast(pl.Float64).to_numpy().argsort(kind="stable").argsort(kind="stable")


def _as_text(values: pl.Series) -> pl.Series:
    if values.dtype.is_nested() or values.dtype in (pl.Object, pl.Binary):
        return pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)
    texts = values.cast(pl.String)
    return texts.str.strip_suffix(".0") if values.dtype.is_float() else texts


def _entries(values: pl.Series, entries: Sequence[str]) -> pl.Series:
    """What the user wrote, as the values of such a column are written here: 7.0 is 7, and True is true."""
    texts = pl.Series(list(entries), dtype=pl.String)
    if values.dtype.is_float():
        return texts.str.strip_suffix(".0")
    return texts.str.to_lowercase() if values.dtype == pl.Boolean else texts


def _found(texts: pl.Series, named: pl.Series, column: str, role: str) -> Ints:
    """The row of ``named`` in which each text stands; 0 for a missing value."""
    rows = named.to_frame("text").with_row_index("row")
    row = texts.to_frame("text").join(rows, on="text", how="left", maintain_order="left")["row"]
    if absent := row.null_count() - texts.null_count():
        raise FieldError(
            f"{role} of '{column}': {absent:,} of the {len(texts) - texts.null_count():,} values in the table "
            f"{'is' if absent == 1 else 'are'} not in it.",
            f"add them to the {role}, written as in the table (a date as 2026-01-31).",
        )
    return row.fill_null(0).to_numpy().astype(np.int64)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path.name} cannot be opened.", "correct the path, or ask who may read it.") from error
    if b"\0" in content:
        raise FileError(f"{path.name} is no text.", "save it as text, in UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _rows(content: str, delimiter: str, file: str) -> list[tuple[int, tuple[str, ...]]]:
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)
    rows: list[tuple[int, tuple[str, ...]]] = []
    try:
        for number, row in enumerate(reader, start=1):
            if any(field.strip() for field in row):
                rows.append((number, tuple(field.strip() for field in row)))
    except csv.Error as error:
        raise FileError(
            f"{file}: the row after {reader.line_num - 1:,} lines cannot be parted.", "look for a stray quotation mark."
        ) from error
    return rows


def _fit(rows: list[tuple[int, tuple[str, ...]]]) -> tuple[float, int]:
    """How many rows are as long as the first, and how long that is; a delimiter that parts nothing fits nothing."""
    width = len(rows[0][1]) if rows else 0
    return (sum(len(row) == width for _, row in rows) / len(rows) if width > 1 else 0.0, width)

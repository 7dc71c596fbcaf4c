"""Delimited text: CSV and TSV as schools have them.

polars reads the cells. What it does not tell (rows too short, stray quotation marks) is looked for
first, and only a file that has such rows is gone through row by row with :mod:`csv`, which
leaves a regular file for polars.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl

from otrack_risk.errors import FileError, ParameterError
from otrack_risk.frames import Skipped, Table, cells, text

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_CHUNK = 1 << 18  # bytes looked at at a time, so that they stay in the cache
_ONE_COLUMN = "\x1f"  # ASCII's own unit separator: a file of one column has no other
_BROKEN = ["\0"]  # stands for a row that cannot be parted; no text has a NUL
_SPAN_LIMIT = 1000  # lines in one cell; a longer one is a quotation mark that nobody closed


@dataclass(frozen=True)
class _Layout:
    """How the first rows of a file are parted into columns, under one delimiter."""

    delimiter: str
    width: int  # fields of most rows
    header: tuple[str, ...]
    lines: int  # of the file, up to the end of the header
    titles: int  # rows that stand above the header
    share: float  # of the rows below the header that have ``width`` fields, 0 to 1

    @property
    def fits(self) -> bool:
        return len(self.header) == self.width

    @property
    def is_prose(self) -> bool:
        """Whether this is one column of text with commas in it: a first line of one word, and uneven lines below."""
        return (self.titles > 0 or len(self.header) == 1) and self.share < (0.5 if self.fits else 0.9)


def read_delimited(
    path: Path,
    *,
    name: str,
    delimiter: str | None = None,
    encoding: str | None = None,
    null_values: Sequence[str] = (),
) -> Table:
    """The table of one ``.csv``, ``.csv.gz`` or ``.tsv``; every cell text, or a date.

    Raises
    ------
    FileError
        No table can be made of it: empty, ragged in most rows, no header, bytes that are no text.
    ParameterError
        A delimiter or encoding that does not exist.

    Notes
    -----
    A row that is too long or too short is skipped, not padded: a shifted cell would put one
    fact under another's name. Its line number is reported, and so is a header that is repeated.
    """
    content, notes = text.utf8(text.load(path, encoding), path.name, encoding)
    if content.endswith((b"\n\n", b"\n\r\n")):
        content = content.rstrip(b"\r\n")  # blank lines at the end, which are no rows
    layout = _layout(content, path.name, delimiter, tab_first=path.suffix.lower() == ".tsv")
    names = cells.header_names(layout.header, path.name)
    quoted = b'"' in content
    skipped: tuple[Skipped, ...] = ()
    seen = _regular_rows(content, layout, path.name, quoted=quoted)
    frame = None if seen is None else _parsed(content, layout, quoted=quoted)
    if frame is None or frame.height != seen or _header_again(frame, layout.header):
        content, seen, skipped = _gone_through(content, layout, name, path.name)
        frame = _parsed(content, _Layout(",", layout.width, layout.header, 0, 0, 1.0), quoted=True)
    del content
    if frame is None or seen is None or frame.height + sum(each.rows for each in skipped) != seen:
        raise FileError(f"{path.name} cannot be read as delimited text.", "export it again as CSV (UTF-8).")
    cells.check_sizes(frame, path.name)
    frame, unnamed = cells.named(frame, names, path.name)
    frame, changed = cells.tidy(frame, null_values, path.name)
    notes += [f"{cells.plural(layout.titles, 'title row')} above the header left out"] if layout.titles else []
    if layout.delimiter != "," and layout.width > 1:
        notes.append(f"columns parted by {DELIMITERS.get(layout.delimiter, 'the delimiter given')}")
    return Table(name, frame, path.name, text.sha256(path), seen, skipped, tuple(notes + unnamed + changed))


def _layout(content: bytes, file: str, delimiter: str | None, *, tab_first: bool) -> _Layout:
    """The delimiter and header that fit best, or the ones that were asked for."""
    if delimiter is not None:
        delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise ParameterError("delimiter: give one character.", "for example --delimiter ';'.")
    sample = content[: 1 << 20]
    sample = sample if len(sample) == len(content) else sample[: sample.rfind(b"\n") + 1] or sample
    lines = sample.decode("utf-8-sig", errors="replace")
    known = sorted(DELIMITERS, key=lambda each: each != "\t") if tab_first else list(DELIMITERS)
    found = [each for mark in known if (each := _under(lines, mark, sure=mark == delimiter))]
    best = max(
        found, key=lambda each: (each.fits, each.share >= 0.5, not each.titles, each.share, each.width), default=None
    )
    if delimiter is not None:
        asked = _under(lines, delimiter, sure=True)
        if asked is None and best and best.fits and not best.titles and best.share >= 0.9:
            raise FileError(
                f"{file}: the delimiter given makes one column, the {DELIMITERS[best.delimiter]} makes {best.width}.",
                "leave --delimiter out, or give the right one.",
            )
        best = asked if asked and not asked.is_prose else _one_column(lines, delimiter, file)
    elif best is None or best.is_prose:
        best = _one_column(lines, _ONE_COLUMN, file)
    if not best.fits:
        raise FileError(
            f"{file}: the header (line {best.lines:,}) names {cells.plural(len(best.header), 'column')}, "
            f"most rows below have {cells.plural(best.width, 'field')}.",
            "name every column, and delete title rows above the header; or say how columns are parted (--delimiter).",
        )
    return best


def _plausibility(layout: _Layout) -> tuple[bool, bool, bool, float, int]:
    return layout.fits, layout.share >= 0.5, not layout.titles, layout.share, layout.width


def _under(lines: str, delimiter: str, *, sure: bool) -> _Layout | None:
    """The layout under one delimiter, or None where it parts nothing."""
    rows, ends = _rows(lines, delimiter)
    widths = Counter(len(row) for row in rows if len(row) > 1)
    first = next((row for row in rows if _filled(row)), [])
    a_space_follows = all(cell.startswith(" ") for row in rows for cell in row[1:])
    if not widths or (len(first) == 1 and a_space_follows and not sure):  # "Smith, Ann" under "name" is one column
        return None
    width = max(widths, key=lambda each: (widths[each], each))
    header = cells.header_row(rows, width, sure=sure)
    if header is None:
        return None
    below = [len(row) == width for row in rows[header + 1 :] if _filled(row)]
    titles = sum(1 for row in rows[:header] if _filled(row))
    share = sum(below) / len(below) if below else float(width > 2 or not titles)
    return _Layout(delimiter, width, tuple(rows[header]), ends[header], titles, share)


def _one_column(lines: str, delimiter: str, file: str) -> _Layout:
    rows, ends = _rows(lines, delimiter)
    first = next((index for index, row in enumerate(rows) if _filled(row)), None)
    if first is None:
        raise FileError(f"{file} has no header.", "export it again with the names of its columns.")
    return _Layout(delimiter, 1, (rows[first][0],), ends[first], 0, 1.0)


def _rows(lines: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """The first rows, and the line on which each ends."""
    with _field_limit():
        reader = csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter)
        rows: list[list[str]] = []
        ends = []
        with contextlib.suppress(csv.Error):  # a field over the limit, met again and refused below
            for row in islice(reader, 2000):
                rows.append(row)
                ends.append(reader.line_num)
    return rows, ends


def _filled(row: Sequence[str]) -> bool:
    return any(cell.strip() for cell in row)


@contextlib.contextmanager
def _field_limit() -> Iterator[None]:
    before = csv.field_size_limit(cells.FIELD_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _regular_rows(content: bytes, layout: _Layout, file: str, *, quoted: bool) -> int | None:
    """Rows below the header where each has its fields and quotation marks pair up; None where any does not."""
    if content.count(b"\r") != content.count(b"\r\n") or not layout.delimiter.isascii():
        return None
    start = 0
    for _ in range(layout.lines):
        start = content.find(b"\n", start) + 1 or len(content)
    if layout.width == 1 and (b"\n\n" in content[start:] or b"\n\r\n" in content):
        return None
    data = np.frombuffer(content, np.uint8)
    mark, inside, fields, rows, last = ord(layout.delimiter), 0, 0, 0, start
    for at in range(start, len(data), _CHUNK):
        part = data[at : at + _CHUNK]
        ends, marks = np.flatnonzero(part == 10), np.flatnonzero(part == mark)
        if quoted:
            quotes = np.flatnonzero(part == 34)
            if not _pair_up(data, quotes + at, inside, mark, start):
                return None
            ends = ends[(np.searchsorted(quotes, ends) + inside) % 2 == 0]
            marks = marks[(np.searchsorted(quotes, marks) + inside) % 2 == 0]
            inside = (inside + len(quotes)) % 2
        if at - last > text.LINE_LIMIT:
            raise cells.too_large(file, f"row {rows + 1:,}")
        last = at + int(ends[-1]) if len(ends) else last
        before = np.searchsorted(marks, ends)
        in_row = np.diff(before, prepend=0)
        if len(ends):
            in_row[0] += fields
            fields = len(marks) - int(before[-1])
        else:
            fields += len(marks)
        if (in_row != layout.width - 1).any():
            return None
        rows += len(ends)
    if inside:
        return None
    if len(data) > start and data[-1] != 10:
        return rows + 1 if fields == layout.width - 1 else None
    return rows


def _pair_up(data: np.ndarray, quotes: np.ndarray, inside: int, mark: int, start: int) -> bool:
    """Whether each quotation mark opens at the start of a field, closes at its end, or is doubled."""
    opening = quotes[inside::2]
    closing = quotes[1 - inside :: 2]
    before = np.where(opening > start, data[np.maximum(opening - 1, 0)], 10)
    after = np.where(closing + 1 < len(data), data[np.minimum(closing + 1, len(data) - 1)], 10)
    return bool(np.isin(before, (mark, 10, 34)).all() and np.isin(after, (mark, 10, 13, 34)).all())


def _parsed(content: bytes, layout: _Layout, *, quoted: bool) -> pl.DataFrame | None:
    """The rows by polars' own reader, every cell text; columns are numbered."""
    columns = {f"{place}": pl.String for place in range(layout.width)}
    try:
        return pl.read_csv(
            content,
            has_header=False,
            skip_lines=layout.lines,
            separator=layout.delimiter,
            quote_char='"' if quoted else None,
            schema=columns,
            infer_schema=False,
        )
    except pl.exceptions.NoDataError:
        return pl.DataFrame(schema=columns)
    except pl.exceptions.PolarsError:
        return None


def _header_again(frame: pl.DataFrame, header: Sequence[str]) -> bool:
    """Whether any row repeats the header."""
    same = pl.Series([True]).new_from_index(0, frame.height)
    for series, name in zip(frame.get_columns(), header, strict=True):
        same &= series.eq_missing(name) if name else series.is_null() | (series == "")
        if not same.any():
            return False
    return True


def _gone_through(content: bytes, layout: _Layout, name: str, file: str) -> tuple[bytes, int, tuple[Skipped, ...]]:
    """The regular rows as plain CSV without a header, how many rows were seen, and which were skipped."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")  # so that a cell with either of the two is quoted
    seen, left_out = 0, dict[str, list[int]]()
    ragged = (
        f"fewer fields than the header's {layout.width}",
        f"more fields than the header's {layout.width}",
        "a quotation mark that opens or ends no cell",
    )
    lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    for _ in islice(lines, layout.lines):
        pass
    for line, row in _records(lines, layout, file):
        if not row or (layout.width > 1 and len(row) == 1 and not row[0].strip()):
            continue  # a blank line is not a row
        seen += 1
        if len(row) == layout.width and tuple(row) != layout.header:
            writer.writerow(row)
            continue
        why = ragged[2] if row == _BROKEN else ragged[0] if len(row) < layout.width else ragged[1]
        left_out.setdefault("the header again" if tuple(row) == layout.header else why, []).append(line)
    uneven = sum(len(left_out.get(why, ())) for why in ragged)
    if uneven * 2 > seen:
        raise FileError(
            f"{file}: {uneven:,} of {seen:,} rows do not have the {layout.width} fields of the header.",
            "say how columns are parted (--delimiter), or export it again.",
        )
    skipped = [Skipped(f"{name}: {cells.places(at, len(at))}", len(at), why) for why, at in left_out.items()]
    return out.getvalue().encode("utf-8"), seen, tuple(skipped)


def _records(lines: Iterator[str], layout: _Layout, file: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each record; where quotation marks do not pair up, that one line alone is given up."""
    pending: deque[str] = deque()
    taken: list[str] = []

    def feed() -> Iterator[str]:
        while (line := pending.popleft() if pending else next(lines, None)) is not None:
            if len(taken) == _SPAN_LIMIT:
                pending.appendleft(line)
                raise csv.Error
            taken.append(line)
            yield line

    number = layout.lines + 1
    reader = csv.reader(feed(), delimiter=layout.delimiter, strict=True)
    with _field_limit():
        while True:
            taken.clear()
            try:
                row = next(reader, None)
            except csv.Error as error:
                if "field larger" in str(error):
                    raise cells.too_large(file, f"line {number:,}") from None
                pending.extendleft(reversed(taken[1:]))
                reader = csv.reader(feed(), delimiter=layout.delimiter, strict=True)
                row = _BROKEN
                del taken[1:]
            if row is None:
                return
            yield number, row
            number += len(taken)

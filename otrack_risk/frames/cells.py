"""What a table's header and cells mean, alike for every kind of file."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from otrack_risk.errors import FileError

FIELD_LIMIT = 16 << 20  # bytes; no cell of a school is larger, a broken quotation mark or an attack is
_DATES = (("%Y-%m-%d", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), ("%d/%m/%Y", r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}$"))
_NUMBER = r"[+-]?[0-9]+(\.[0-9]+)?"


def header_row(rows: Sequence[Sequence[str | None]], width: int, *, sure: bool = False) -> int | None:
    """Index of the header, or None where no row can be one.

    A title row fills less than half of the table's width. On a table of two columns a row with one
    filled cell is a title only if an empty row parts it from the header, or if ``sure``: it could
    as well be a header that lacks a name, and the first pupil would then be read as the header.

    Parameters
    ----------
    rows : first rows of the table, empty ones included
    width : columns of the table's body
    sure : whether the reader was told how the columns are parted

    Examples
    --------
    >>> header_row([["Year 7 list"], [], ["upn", "surname", "forename"], ["X1", "Y", "Z"]], 3)
    2
    >>> header_row([["a list"], ["upn", "sex"]], 2), header_row([["a list"], [], ["upn", "sex"]], 2)
    (0, 2)
    """
    title = parted = False
    for index, cells in enumerate(rows):
        filled = sum(1 for cell in cells if cell and cell.strip())
        if not filled:
            parted = title
            continue
        if filled * 2 < width or (width == filled * 2 == 2 and _stands_apart(rows[index + 1 :], sure)):
            title, parted = True, False
            continue
        first = (cells[0] or "").strip()
        return None if title and not parted and re.fullmatch(r"[+-]?[0-9][0-9.,/:-]*", first) else index
    return None


def header_names(cells: Sequence[str | None], where: str) -> list[str]:
    """The column names without surrounding space; an unnamed column is ``""``.

    Raises
    ------
    FileError
        A name that stands twice.
    """
    names = [(cell or "").strip() for cell in cells]
    for name in dict.fromkeys(names):
        if name and names.count(name) > 1:
            places = " and ".join(str(place) for place, other in enumerate(names, start=1) if other == name)
            raise FileError(
                f"{where}: the header '{_short(name)}' stands over columns {places}.", "give each column its own name."
            )
    return names


def named(frame: pl.DataFrame, names: Sequence[str], where: str) -> tuple[pl.DataFrame, list[str]]:
    """The frame under these names; unnamed columns that hold nothing are left out, and a note says so.

    Raises
    ------
    FileError
        A column that has values and no name.
    """
    columns = [
        series.alias(name)
        for series, name in zip(frame.get_columns(), names, strict=True)
        if name or not holds_nothing(series)
    ]
    if unnamed := [place for place, series in enumerate(columns, start=1) if not series.name]:
        raise FileError(
            f"{where}: the header of column {unnamed[0]} is empty, and the column holds values.",
            "name the column; if this is a title row, delete it and what else stands above the header.",
        )
    left_out = frame.width - len(columns)
    notes = [f"{plural(left_out, 'column')} without a name and without a value left out"] if left_out else []
    return pl.DataFrame(columns), notes


def tidy(frame: pl.DataFrame, null_values: Sequence[str], where: str) -> tuple[pl.DataFrame, list[str]]:
    """The frame as the rest of the package takes it, and notes on what was changed.

    Text that is empty, all space, or one of ``null_values`` becomes null, and so does NaN. A text
    column whose every value is an ISO date or dd/mm/yyyy becomes a date (mm/dd is never guessed),
    and so does a column of times that are all midnight. Categories become text.

    Raises
    ------
    FileError
        Every column holds lists, records or bytes. Beside others such a column is left out, and said so.

    Examples
    --------
    >>> frame, notes = tidy(pl.DataFrame({"upn": ["007", " "], "dob": ["31/08/2014", "2015-09-01"]}), [], "pupils")
    >>> frame.rows()
    [('007', datetime.date(2014, 8, 31)), (None, datetime.date(2015, 9, 1))]
    >>> notes
    ['1 cell of spaces only read as missing', 'read as dates, day first (dd/mm/yyyy): dob']
    """
    columns, spaces, nan, day_first, left, gone = [], 0, 0, [], [], []
    for named_series in frame.get_columns():
        name, series = _short(named_series.name), named_series.alias("cell")  # polars takes "^a.*$" for a pattern
        if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
            gone.append(name)
            continue
        if series.dtype in (pl.Categorical, pl.Enum, pl.Null):
            series = series.cast(pl.String)
        if series.dtype.is_float():
            nan += int(series.is_nan().sum())
        if series.dtype == pl.String:
            bare = series.str.strip_chars() == ""
            spaces += int((bare & (series != "")).sum())
            series, form = _dates(_blank(_blank(series, bare), series.is_in(list(null_values))))
            day_first += [name] if form == "day first" else []
            left += [name] if form == "not all" else []
        else:
            series = _midnights(_blank(series, _is_null_value(series, null_values)))
        columns.append(series.alias(named_series.name))
    if gone and not columns:
        raise nested(gone[0], where)
    notes = [f"{plural(spaces, 'cell')} of spaces only read as missing"] if spaces else []
    notes += [f"left out and not looked at, since it holds lists, records or bytes: {_list(gone)}"] if gone else []
    notes += [f"{plural(nan, 'cell')} that held NaN read as missing"] if nan else []
    notes += [f"read as dates, day first (dd/mm/yyyy): {_list(day_first)}"] if day_first else []
    notes += [f"left as text, since not every value is an ISO date or dd/mm/yyyy: {_list(left)}"] if left else []
    return pl.DataFrame(columns), notes


def check_sizes(frame: pl.DataFrame, where: str) -> None:
    """Refuse a cell of more than 16 MB.

    Raises
    ------
    FileError
        There is one; the column is named by its place.
    """
    for place, series in enumerate(frame.get_columns(), start=1):
        longest = series.alias("cell").str.len_bytes().max() if series.dtype == pl.String else None
        if isinstance(longest, int) and longest > FIELD_LIMIT:
            raise too_large(where, f"column {place}")


def too_large(where: str, cell: str) -> FileError:
    """The error for a cell of more than 16 MB."""
    return FileError(
        f"{where}: {cell} has a cell of more than {FIELD_LIMIT >> 20} MB.",
        "no table has such a cell; look for a quotation mark that is not closed.",
    )


def nested(name: str, where: str) -> FileError:
    """The error for a column whose cells are not single values."""
    return FileError(
        f"{where}: column '{_short(name)}' holds lists, records or bytes, not single values.",
        "leave the column out, or give each of its parts a column.",
    )


def holds_nothing(series: pl.Series) -> bool:
    """Whether no cell of the column holds anything but space."""
    if series.dtype == pl.String:
        return series.str.strip_chars().eq("").all()
    return series.null_count() == len(series)


def plural(number: int, thing: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def places(numbers: Sequence[int], rows: int, thing: str = "line") -> str:
    """``lines 3, 7, ...``: where rows were skipped, at most the first ten of them.

    Examples
    --------
    >>> places([3, 7], 2), places([3], 1), places(list(range(2, 12)), 400)
    ('lines 3, 7', 'line 3', 'lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...')
    """
    shown = ", ".join(str(number) for number in numbers[:10])
    return f"{thing}{'' if rows == 1 else 's'} {shown}{', ...' if rows > 10 else ''}"


def _stands_apart(rest: Sequence[Sequence[str | None]], sure: bool) -> bool:
    for cells in rest:
        filled = sum(1 for cell in cells if cell and cell.strip())
        if filled != 1:
            return not filled or sure
    return False


def _blank(series: pl.Series, where: pl.Series) -> pl.Series:
    """The series with null wherever ``where`` holds."""
    where = where.fill_null(value=False)
    return series.zip_with(~where, pl.Series([None], dtype=series.dtype)) if where.any() else series


def _is_null_value(series: pl.Series, null_values: Sequence[str]) -> pl.Series:
    """Where a typed value is NaN, or one that the user's markers mean: ``-9`` also means -9.0."""
    missing = series.is_nan() if series.dtype.is_float() else pl.repeat(value=False, n=len(series), eager=True)
    if null_values and series.dtype.is_numeric():
        markers = [float(value) for value in null_values if re.fullmatch(_NUMBER, value.strip())]
        return missing | series.cast(pl.Float64).is_in(markers)
    return missing | series.cast(pl.String).is_in(list(null_values)) if null_values else missing


def _dates(series: pl.Series) -> tuple[pl.Series, str]:
    """The text as dates where every value is one; else as it is. How: "", "ISO", "day first" or "not all"."""
    first = series.is_not_null().arg_max() if series.null_count() < len(series) else None
    if first is None or not any(re.fullmatch(shape, series[first]) for _, shape in _DATES):
        return series, ""
    read = [series.set(~series.str.contains(shape), None).str.to_date(form, strict=False) for form, shape in _DATES]
    dates = read[0].zip_with(read[0].is_not_null(), read[1])
    if dates.null_count() > series.null_count():
        return series, "not all"
    return dates, "day first" if read[1].null_count() < len(series) else "ISO"


def _midnights(series: pl.Series) -> pl.Series:
    """Dates that a spreadsheet or another tool stored as midnights become dates."""
    if not isinstance(series.dtype, pl.Datetime) or series.dtype.time_zone or series.null_count() == len(series):
        return series
    dates = series.cast(pl.Date)
    return dates if (dates.cast(series.dtype) == series).all() else series


def _short(name: str) -> str:
    return name if len(name) <= 60 else name[:57] + "..."


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")

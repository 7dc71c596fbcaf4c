"""Workbooks: every sheet, and what a person who opens them does not see.

calamine (by fastexcel) reads the cells, openpyxl says which rows and columns are hidden. What is hidden
is read like the rest and reported: it left the school with the file.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl

from otrack_risk.errors import FileError
from otrack_risk.frames import Skipped, Table, cells, text

HIDDEN_LIMIT = 50_000_000  # bytes unpacked; openpyxl takes about a third of a second for each million
CELL_LIMIT = 100_000_000  # cells from the first to the last one; calamine makes room for each
_FIRST_ROWS = 200  # in which the header is looked for
_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest date that a ZIP can bear


@dataclass(frozen=True)
class Sheet:
    """One worksheet, as the workbook lists it."""

    name: str
    place: int  # from 1, hidden ones counted
    of: int  # worksheets in the workbook
    hidden: bool  # hidden, or "very hidden": to be shown by a program only
    part: str  # its file in the package


@dataclass(frozen=True)
class _Seen:
    """What a sheet's file says before any cell is read."""

    width: int  # columns, to the last cell
    height: int  # rows, to the last cell
    marked: bool  # whether anything in it is marked hidden
    errors: int  # cells that hold #N/A, #REF! and the like
    unsaved: int  # formulas whose value was not saved


def sheets(path: Path) -> list[Sheet]:
    """The worksheets of a workbook that can be opened without harm; charts and macros are none.

    Raises
    ------
    FileError
        Password-protected, not a workbook, damaged, or a zip bomb.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise FileError(f"{path.name} is empty.", "export it again.")
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileError(
            f"{path.name} is password-protected, or an old .xls under a new name.",
            "open it in a spreadsheet program, take the password off, and save it as .xlsx.",
        )
    try:
        with zipfile.ZipFile(path) as package:
            text.refuse_bomb(_unpacked(package), path.stat().st_size, path.name)
            if package.testzip() is None:  # which unpacks no more than the directory says
                return _listed(package)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, LookupError, ValueError, RuntimeError, SyntaxError):
        pass  # RuntimeError: an encrypted entry, or a packing that is not known; SyntaxError: broken XML
    raise FileError(
        f"{path.name} is no .xlsx workbook, or is damaged.",
        "open it in a spreadsheet program and save it again as .xlsx.",
    )


def read_sheets(path: Path, names: Mapping[Sheet, str], null_values: Sequence[str] = ()) -> list[Table]:
    """These sheets under these names: numbers and dates as the sheet has them, all else text.

    A blank row is not a row. A sheet without any cell is a table without columns.

    Raises
    ------
    FileError
        No header, a cell far from all others, or a sheet that cannot be read.
    """
    with zipfile.ZipFile(path) as package:
        book = _Book(path, package)
        return [_read_sheet(book, sheet, name, null_values) for sheet, name in names.items()]


def write_sheet(rows: pl.DataFrame, path: Path, title: str) -> None:
    """A workbook of one sheet; the same rows make the same bytes.

    Raises
    ------
    FileError
        More rows, columns or characters than a sheet holds, or values that it cannot.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    mend = "write Parquet or CSV."
    if rows.height >= 1 << 20 or rows.width > 1 << 14:
        raise FileError("a sheet holds 1,048,575 rows and 16,384 columns.", mend)
    for series in (pl.Series("cell", rows.columns), *(each.alias("cell") for each in rows)):
        zoned = isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone
        if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object) or zoned:
            raise FileError("a sheet holds no lists, records, bytes or times with a zone.", mend)
        if series.dtype == pl.String and (series.str.len_chars() > 32_767).any():
            raise FileError("a cell of a sheet holds 32,767 characters.", mend)
        if series.dtype == pl.String and series.str.contains(r"[\x00-\x08\x0b\x0c\x0e-\x1f]").any():
            raise FileError("a sheet holds no control characters.", mend)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\\/*?:\[\]]", "_", title)[:31] or "table")

    def cell(value: object) -> object:
        if not isinstance(value, str):
            return None if value != value else value  # NaN has no place in a sheet
        made = WriteOnlyCell(sheet, value)
        made.data_type = "s"  # text that begins with = is text, never a formula
        return made

    sheet.append([cell(name) for name in rows.columns])
    for row in rows.iter_rows():
        sheet.append([cell(value) for value in row])
    saved = io.BytesIO()
    book.save(saved)
    with zipfile.ZipFile(saved) as package, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as dated:
        for entry in package.namelist():
            content = package.read(entry)
            if entry == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"1980-01-01T00:00:00Z", content)
            dated.writestr(zipfile.ZipInfo(entry, _DAY), content, zipfile.ZIP_DEFLATED)


class _Book:
    """A workbook that is opened once, and by openpyxl only if something in it is hidden."""

    def __init__(self, path: Path, package: zipfile.ZipFile) -> None:
        import fastexcel

        self.path, self.package = path, package
        self.file = path.name
        self.sha256 = text.sha256(path)
        try:
            self.reader = fastexcel.read_excel(path)
        except fastexcel.FastExcelError:
            raise _damaged(path.name) from None

    @cached_property
    def by_openpyxl(self) -> Any:
        from openpyxl import load_workbook

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # openpyxl names every part of the file that it leaves out
                return load_workbook(self.path, data_only=True, keep_links=False)
        except Exception:  # whatever openpyxl meets in styles or charts: the cells are read all the same
            return None

    def load(self, sheet: Sheet, where: str, **options: Any) -> pl.DataFrame:
        """The cells from the first row on, columns numbered."""
        import fastexcel

        try:
            frame: pl.DataFrame = self.reader.load_sheet(sheet.name, header_row=None, **options).to_polars()
        except fastexcel.FastExcelError:
            raise _damaged(where) from None
        frame.columns = [f"{place}" for place in range(frame.width)]
        return frame


def _read_sheet(book: _Book, sheet: Sheet, name: str, null_values: Sequence[str]) -> Table:
    where = f"{book.file}, sheet '{sheet.name}'" if sheet.of > 1 else book.file
    notes = [f"sheet {sheet.place} of {sheet.of} is hidden; it was read"] if sheet.hidden else []
    notes += _unseen(book, sheet, where)
    written = book.load(sheet, where, skip_rows=0, dtypes="string")
    filled = [series for series in written if not cells.holds_nothing(series)]
    if not filled:
        return Table(name, pl.DataFrame(), book.file, book.sha256, 0, (), (*notes, "the sheet is empty"))
    first = written.head(_FIRST_ROWS).rows()
    header = cells.header_row(first, len(filled))
    if header is None:
        raise FileError(
            f"{where}: no row can be the header.", "name every column in one row, and delete the titles above it."
        )
    names = cells.header_names(first[header], where)
    titles = sum(1 for row in first[:header] if any((cell or "").strip() for cell in row))
    below = written.slice(header + 1)
    blank, again = _same(below, [None] * below.width), _same(below, first[header])
    rows = pl.Series(range(header + 2, header + 2 + below.height), dtype=pl.Int64).filter(again).to_list()
    skipped = Skipped(f"{name}: {cells.places(rows, len(rows), 'row')}", len(rows), "the header again")
    frame = _typed(book, sheet, where, below, header + 1).filter(~(blank | again))
    frame, unnamed = cells.named(frame, names, where)
    frame, changed = cells.tidy(frame, null_values, where)
    notes += [f"{cells.plural(titles, 'title row')} above the header left out"] if titles else []
    notes += unnamed + changed
    seen = below.height - int(blank.sum())
    return Table(name, frame, book.file, book.sha256, seen, (skipped,) if rows else (), tuple(notes))


def _listed(package: zipfile.ZipFile) -> list[Sheet]:
    """The sheets by the workbook's own list, which names their files by way of its relations."""
    relations = ElementTree.fromstring(package.read("xl/_rels/workbook.xml.rels"))
    targets = {
        each.get("Id", ""): each.get("Target", "") for each in relations if each.get("Type", "").endswith("/worksheet")
    }
    found = []
    for each in ElementTree.fromstring(package.read("xl/workbook.xml")).iter():
        link = next((value for key, value in each.attrib.items() if key.endswith("}id")), "")
        if each.tag.endswith("}sheet") and link in targets:
            part = targets[link]
            part = part.lstrip("/") if part.startswith("/") else f"xl/{part}"
            package.getinfo(part)
            found.append((each.get("name", ""), each.get("state", "visible") != "visible", part))
    return [Sheet(name, place, len(found), hidden, part) for place, (name, hidden, part) in enumerate(found, start=1)]


def _unpacked(package: zipfile.ZipFile) -> int:
    return sum(entry.file_size for entry in package.infolist())


def _unseen(book: _Book, sheet: Sheet, where: str) -> list[str]:
    """Notes on what is hidden or was not saved; refuses a cell so far from the rest that no memory would hold it."""
    seen = _looked_through(book.package, sheet.part)
    if seen.width * seen.height > CELL_LIMIT:
        raise FileError(
            f"{where}: its cells reach to row {seen.height:,} and column {seen.width:,}.",
            "delete the stray cells far from the table, or export the table alone.",
        )
    notes = [f"{cells.plural(seen.errors, 'cell')} with a spreadsheet error read as missing"] if seen.errors else []
    notes += [f"{cells.plural(seen.unsaved, 'formula')} without a saved value read as missing"] if seen.unsaved else []
    if _unpacked(book.package) > HIDDEN_LIMIT:
        notes.append(f"hidden rows and columns not looked for: above {HIDDEN_LIMIT // 1_000_000} MB unpacked")
    elif seen.marked:
        notes += _hidden(book, sheet)
    return notes


def _looked_through(package: zipfile.ZipFile, part: str) -> _Seen:
    """Search the sheet's file, which is XML, for a few marks; whoever reads cells comes later."""
    columns: set[bytes] = set()
    height, marked, errors, unsaved, xml = 0, False, 0, 0, b""
    with package.open(part) as file:
        while True:
            piece = file.read(1 << 22)
            xml += piece
            cut = xml.rfind(b"<c ") if piece else len(xml)  # a cell is never cut in two
            now, xml = (xml[:cut], xml[cut:]) if cut > 0 else (xml, b"")
            columns.update(re.findall(rb"\sr=[\"']([A-Z]{1,3})[0-9]", now))
            height = max([height, *map(int, re.findall(rb"\sr=[\"'][A-Z]{1,3}([0-9]{1,7})[\"']", now[-(1 << 16) :]))])
            marked = marked or re.search(rb"\shidden=[\"'](?:1|true)[\"']", now) is not None
            errors += now.count(b' t="e"')
            unsaved += len(
                re.findall(rb"<c\b(?![^>]*\bt=\"str\")[^>]*><f\b[^>]*>[^<]*(?:</f>)?(?:<v ?/>|<v></v>)?</c>", now)
            )
            if not piece:
                break
    width = max((_column_number(letters) for letters in columns), default=0)
    return _Seen(width, height, marked, errors, unsaved)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _hidden(book: _Book, sheet: Sheet) -> list[str]:
    """How many hidden rows and columns hold anything."""
    if book.by_openpyxl is None or sheet.name not in book.by_openpyxl.sheetnames:
        return ["hidden rows and columns not looked for: the workbook's styles cannot be read"]
    opened = book.by_openpyxl[sheet.name]
    rows = {number for number, row in opened.row_dimensions.items() if row.hidden}
    columns = {
        number
        for column in opened.column_dimensions.values()
        if column.hidden
        for number in range(column.min, min(column.max, opened.max_column) + 1)
    }
    filled_rows, filled_columns = set(), set()
    for row in opened.iter_rows():
        for each in row:
            if each.value is not None:
                filled_rows.add(each.row)
                filled_columns.add(each.column)
    found = [cells.plural(len(rows & filled_rows), "hidden row")] if rows & filled_rows else []
    found += [cells.plural(len(columns & filled_columns), "hidden column")] if columns & filled_columns else []
    one = len(rows & filled_rows) + len(columns & filled_columns) == 1
    return [f"{' and '.join(found)} {'was' if one else 'were'} read"] if found else []


def _same(frame: pl.DataFrame, values: Sequence[str | None]) -> pl.Series:
    """Where a row holds exactly these texts; None stands for nothing but space."""
    same = pl.Series([True], dtype=pl.Boolean).new_from_index(0, frame.height)
    for series, value in zip(frame, values, strict=True):
        same &= series.eq_missing(value) if value else series.fill_null("").str.strip_chars() == ""
    return same


def _typed(book: _Book, sheet: Sheet, where: str, below: pl.DataFrame, skip: int) -> pl.DataFrame:
    """The rows as numbers, truth values and times where a whole column is; a column of two kinds stays text.

    fastexcel's own guess drops the "n/a" from a column of dates; what it guesses is taken only where no cell is lost.
    """
    moment = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+$"
    plain = [
        series.str.replace(r"^(.{10}) 00:00:00$", "$1").str.replace(r"^1899-12-3[01] (.{8})$", "$1")
        if series.str.contains(moment).any()
        else series
        for series in below
    ]
    maybe = [
        series.null_count() < len(series)
        and (
            series.cast(pl.Float64, strict=False).null_count() == series.null_count()
            or bool(series.is_in(["true", "false"]).all())
            or bool(series.str.contains(moment).all())
        )
        for series in below
    ]
    if not any(maybe):
        return pl.DataFrame(plain)
    kinds = {place: "string" for place, some in enumerate(maybe) if not some}
    guessed = book.load(sheet, where, skip_rows=skip, schema_sample_rows=None, dtypes=kinds or None)
    if guessed.shape != below.shape:
        return pl.DataFrame(plain)
    return pl.DataFrame([_without_loss(*each) for each in zip(plain, guessed, strict=True)])


def _without_loss(plain: pl.Series, guessed: pl.Series) -> pl.Series:
    if guessed.null_count() != plain.null_count() or plain.str.contains(r"^[0-9:]{8}$").any():
        return plain
    if guessed.dtype == pl.Duration:
        seconds = guessed.dt.total_seconds()
        parts = [seconds // 3600, seconds // 60 % 60, seconds % 60]
        hours, minutes, rest = (part.cast(pl.String).str.zfill(2) for part in parts)
        return (hours + ":" + minutes + ":" + rest).alias(plain.name)
    if guessed.dtype.is_float() and ((guessed % 1 == 0) & (guessed.abs() < 2**53)).all():
        return guessed.cast(pl.Int64)
    return guessed if guessed.dtype.is_numeric() or guessed.dtype in (pl.Boolean, pl.Datetime) else plain


def _damaged(where: str) -> FileError:
    return FileError(
        f"{where}: the cells cannot be read.", "open it in a spreadsheet program and save it again as .xlsx."
    )

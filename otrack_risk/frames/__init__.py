"""Read any table a school has; say what was kept and what was skipped.

The stages of a reader are the modules: :mod:`~otrack_risk.frames.text` (bytes),
:mod:`~otrack_risk.frames.delimited`, :mod:`~otrack_risk.frames.workbook` and
:mod:`~otrack_risk.frames.stored` (rows), :mod:`~otrack_risk.frames.cells` (header and cells).
Several tables in one place are :mod:`~otrack_risk.frames.sets`: :mod:`~otrack_risk.frames.oneroster`,
:mod:`~otrack_risk.frames.ctf`, :mod:`~otrack_risk.frames.database` and :mod:`~otrack_risk.frames.postgres`.
:mod:`~otrack_risk.frames.letter` reads what has no rows at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from otrack_risk.errors import FileError, TableError

if TYPE_CHECKING:
    from otrack_risk.frames.database import Url
    from otrack_risk.frames.workbook import Sheet

_ABOUT_A_WORLD = ("truth", "training", "photos", "manifest.json", "certificate.json")
SUFFIXES = (".csv", ".csv.gz", ".tsv", ".parquet", ".feather", ".xlsx", ".jsonl")


@dataclass(frozen=True)
class Skipped:
    """Rows that were seen and not kept: kept + skipped = seen."""

    where: str  # table, and line or row numbers; never a cell's value
    rows: int
    why: str


@dataclass(frozen=True)
class Table:
    """One table in hand."""

    name: str  # file stem, or sheet name
    rows: pl.DataFrame  # text as text, dates as dates, an empty cell as null
    file: str  # the file's name, never its directory
    sha256: str  # of the file's bytes
    seen: int  # rows below the header
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()  # what a reader should know: title rows, a hidden sheet, an encoding

    @property
    def kept(self) -> int:
        """Rows in hand."""
        return self.rows.height


@dataclass(frozen=True)
class Dataset:
    """The tables of one file or folder."""

    name: str  # file or folder name, never its directory
    tables: Mapping[str, Table] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()  # what a reader should know of the folder: files that were not read

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """The rows of each table, by its name."""
        return {name: table.rows for name, table in self.tables.items()}

    def table(self, name: str | None = None) -> Table:
        """The named table, or the only one.

        Raises
        ------
        TableError
            No such table; or several, and none was named.
        """
        if name is None and len(self.tables) == 1:
            return next(iter(self.tables.values()))
        if name is None or name not in self.tables:
            asked = "holds several tables" if name is None else f"has no table '{name}'"
            raise TableError(f"{self.name} {asked} (its tables: {', '.join(self.tables)}).", "name one of them.")
        return self.tables[name]

    @property
    def columns(self) -> dict[str, list[str]]:
        """The names of each table's columns, by its name."""
        return {name: table.rows.columns for name, table in self.tables.items()}

    def only(self, columns: Mapping[str, Sequence[str]]) -> Dataset:
        """The data set with these tables, and these columns of them, alone.

        Raises
        ------
        TableError
            No such table.
        """
        held = {name: self.table(name) for name in columns}
        return replace(
            self, tables={name: replace(held[name], rows=held[name].rows[list(kept)]) for name, kept in columns.items()}
        )

    def notes(self) -> list[str]:
        """Everything a reader should know, as sentences: remarks, notes of each table, rows skipped and why."""
        said = [f"{remark}." for remark in self.remarks]
        for table in self.tables.values():
            said += [f"{table.name}: {note}." for note in table.notes]
            said += [f"{each.where}: {each.rows:,} skipped ({each.why})." for each in table.skipped]
        return said

    def inputs(self) -> list[dict[str, object]]:
        """The ``input`` list of the contract: name, sha256, rows, columns of each table."""
        return [
            {
                "name": table.name,
                "file": table.file,
                "sha256": table.sha256,
                "rows": table.kept,
                "columns": table.rows.width,
                "seen": table.seen,
                "skipped": table.seen - table.kept,
            }
            for table in self.tables.values()
        ]


def read(
    path: str | Path,
    *,
    table: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    null_values: Sequence[str] = (),
) -> Dataset:
    """Read a file, or every table of a folder.

    Text stays text (leading zeros kept); in delimited text numbers do too. An empty cell is
    null, and so is one of spaces only. A column whose every value is an ISO date or dd/mm/yyyy
    is a date. Title rows above the header are left out and reported; rows that are too long or
    too short are skipped and reported, so that for each table kept + skipped = seen.

    Parameters
    ----------
    path : .csv .csv.gz .tsv .parquet .feather .xlsx .jsonl, or a folder of these
        In a folder each file is a table, and each sheet of a workbook that has several. TOML,
        Markdown, README and hidden files are no tables; folders within are not entered, and counted, unless no
        table lies outside of them.
        Or a set of tables: a OneRoster .zip, a CTF .xml or a folder of them, a .sqlite or .duckdb file, or a
        database's address (postgresql://..., duckdb:///file, sqlite:///file).
    table : the one table to read, by its name: the file's stem, the sheet's name, or the database's
    delimiter, encoding : of delimited text; found out where not given
    null_values : texts that mean "missing"

    Raises
    ------
    FileError
        It cannot be read, or holds no rows. A table without rows in a folder is left out and remarked on.
    TableError
        No table of that name.
    ParameterError
        A delimiter or an encoding that does not exist; a database that takes something that is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "pupils.csv")
    ...     _ = file.write_text("Year 7\\n\\nupn;dob;sex\\n007;31/08/2014;F\\n008;01/09/2014\\n")
    ...     data = read(file)
    >>> data.table().rows.rows()
    [('007', datetime.date(2014, 8, 31), 'F')]
    >>> data.notes()[-1]
    "pupils: line 5: 1 skipped (fewer fields than the header's 3)."
    """
    from otrack_risk.frames import database, sets

    path = database.located(path)
    try:
        found = sets.read_set(path, table=table, delimiter=delimiter, encoding=encoding, null_values=null_values)
        if found is None:
            files, remarks = _files(Path(path))
            sources = _named(files, Path(path))
            if table is not None:
                if table not in sources:
                    raise TableError(f"{_name(path)} has no table '{table}'.", f"name one of: {', '.join(sources)}.")
                sources, remarks = {table: sources[table]}, []
            found = _read(sources, delimiter, encoding, null_values), remarks
        read_in, remarks = [_with_plain_names(each) for each in found[0]], found[1]
    except OSError:
        raise FileError(f"{_name(path)} cannot be opened.", "check that you may read it.") from None
    empty = [each for each in read_in if not each.kept]
    if len(empty) == len(read_in):
        raise _no_rows(path, empty)
    remarks += [f"{each.name} ({each.file}) has no rows and was left out" for each in empty]
    return Dataset(_name(path), {each.name: each for each in read_in if each.kept}, tuple(remarks))


def write(rows: pl.DataFrame, path: str | Path) -> None:
    """Write rows by suffix (any that :func:`read` takes); the same rows make the same bytes.

    Data files are data: a text cell that begins with = + - or @ is written as it is. The file
    appears whole or not at all.

    Raises
    ------
    FileError
        An unknown suffix, no such folder, or values that the kind of file cannot hold.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(pl.DataFrame({"upn": ["007", None]}), Path(folder, "pupils.csv.gz"))
    ...     read(Path(folder, "pupils.csv.gz")).table().rows["upn"].to_list()
    ['007', None]
    """
    from otrack_risk.frames import stored, workbook

    path = Path(path)
    suffix = _suffix(path)
    part = path.with_name(f".{path.name}.part")
    try:
        if suffix == ".xlsx":
            workbook.write_sheet(rows, part, path.stem)
        else:
            stored.write_file(rows, part, suffix)
        part.replace(path)
    except OSError:
        raise FileError(f"{path.name} cannot be written.", "check that its folder exists and has room.") from None
    finally:
        part.unlink(missing_ok=True)


def _name(path: Path | Url) -> str:
    return path.name or (path.resolve().name if isinstance(path, Path) else "") or "data"


def _suffix(path: Path) -> str:
    """The suffix, if it is one that can be read."""
    from otrack_risk.frames import sets

    name = path.name.lower()
    for suffix in SUFFIXES:
        if name.endswith(suffix):
            return suffix
    if name.endswith(".toml"):
        raise FileError(
            f"{path.name} is no table.",
            "a supplier's letter is read by exposure; a catalogue or scenario by its option.",
        )
    raise FileError(
        f"{path.name}: this kind of file is not read.",
        f"give one of: {' '.join(SUFFIXES + sets.SUFFIXES)}, or a folder.",
    )


def _files(path: Path) -> tuple[list[Path], list[str]]:
    """The files to read, and remarks on those that are passed over."""
    if not path.exists():
        raise FileError(f"there is no file or folder '{_name(path)}'.", "check the path.")
    if not path.is_dir():
        _suffix(path)
        return [path], []
    inside = sorted(each for each in path.iterdir() if not each.name.startswith((".", "~$")))
    if (path / "world.toml").is_file():  # a synthetic world: what it says of itself is no data of a school
        inside = [each for each in inside if each.name not in _ABOUT_A_WORLD]
    folders = [each for each in inside if each.is_dir()]
    if folders and not any(each.name.lower().endswith(SUFFIXES) for each in inside if each not in folders):
        deep = (each for folder in folders for each in folder.rglob("*") if each.is_file())  # as a store is laid out
        inside = sorted([*(each for each in inside if each not in folders), *deep])
        folders = []
    about = [
        each for each in inside if each.name.lower().startswith("readme") or each.suffix.lower() in (".toml", ".md")
    ]
    files = [each for each in inside if each not in folders and each not in about]
    tables = [each for each in files if each.name.lower().endswith(SUFFIXES)]
    others = Counter(each.suffix.lower() or "no suffix" for each in files if each not in tables)
    remarks = []
    if folders:
        remarks.append(f"{len(folders)} folder{'s' * (len(folders) > 1)} within {_name(path)} not entered")
    if others:
        kinds = ", ".join(f"{number} {suffix}" for suffix, number in sorted(others.items()))
        remarks.append(f"files of other kinds in {_name(path)} not read ({kinds})")
    if not tables:
        raise FileError(
            f"the folder {_name(path)} holds no table{''.join(f'; {remark}' for remark in remarks)}.",
            f"put files in it that end in {' '.join(SUFFIXES)}.",
        )
    return tables, remarks


def _named(files: Sequence[Path], root: Path) -> dict[str, tuple[Path, Sheet | None]]:
    """Every table's name and where it lies: below folders with their names; names that clash say their kind."""
    from otrack_risk.frames import workbook

    found: list[tuple[str, str, Path, Sheet | None]] = []
    for path in files:
        where = path.relative_to(root).parent.as_posix() if path.parent != root and root.is_dir() else "."
        stem, kind = path.name[: -len(_suffix(path))], path.name[-len(_suffix(path)) + 1 :]
        stem = stem if where == "." else f"{where}/{stem}"
        if kind.lower() != "xlsx":
            found.append((stem, kind, path, None))
            continue
        sheets = workbook.sheets(path)
        for each in sheets:
            found.append((stem, kind, path, each) if len(sheets) == 1 else (each.name, path.name, path, each))
    often = Counter(name for name, *_ in found)
    named: dict[str, tuple[Path, Sheet | None]] = {}
    for name, kind, path, sheet in found:
        full = name if often[name] == 1 else f"{name} ({kind})"
        while full in named:
            full += "'"
        named[full] = path, sheet
    if not named:
        raise FileError(f"{files[0].name} has no worksheet.", "give a workbook with a table in it.")
    return named


def _read(
    sources: Mapping[str, tuple[Path, Sheet | None]],
    delimiter: str | None,
    encoding: str | None,
    null_values: Sequence[str],
) -> list[Table]:
    from otrack_risk.frames import delimited, stored, workbook

    tables: list[Table] = []
    books: dict[Path, dict[Sheet, str]] = {}
    for name, (path, sheet) in sources.items():
        if sheet is not None:
            books.setdefault(path, {})[sheet] = name
            continue
        suffix = _suffix(path)
        if suffix in (".parquet", ".feather"):
            tables.append(stored.read_columns(path, name=name, null_values=null_values))
        elif suffix == ".jsonl":
            tables.append(stored.read_json_lines(path, name=name, encoding=encoding, null_values=null_values))
        else:
            tables.append(
                delimited.read_delimited(
                    path, name=name, delimiter=delimiter, encoding=encoding, null_values=null_values
                )
            )
    for path, sheets in books.items():
        tables += workbook.read_sheets(path, sheets, null_values)
    order = list(sources)
    return sorted(tables, key=lambda each: order.index(each.name))


def _with_plain_names(table: Table) -> Table:
    """The table with no column name that polars would take for a pattern (``*``, ``^...$``)."""
    names = list(table.rows.columns)
    for place, name in enumerate(names):
        if name == "*" or (name.startswith("^") and name.endswith("$")):
            names[place] = f"column {name}"
            while names.count(names[place]) > 1:
                names[place] += "'"
    if names == table.rows.columns:
        return table
    changed = sum(new != old for new, old in zip(names, table.rows.columns, strict=True))
    rows = table.rows.clone()
    rows.columns = names
    note = f"{changed} column name{'s' * (changed > 1)} that would be read as a pattern now begin with 'column '"
    return replace(table, rows=rows, notes=(*table.notes, note))


def _no_rows(path: Path | Url, empty: Sequence[Table]) -> FileError:
    if len(empty) > 1:
        return FileError(f"none of the {len(empty)} tables of {_name(path)} has rows.", "export them again.")
    only = empty[0]
    where = only.file if only.file.startswith(only.name) else f"{only.file}, sheet '{only.name}'"
    what = "has a header and no rows" if only.rows.width else "holds nothing"
    skipped = f" ({only.seen:,} seen, all skipped)" if only.seen else ""
    return FileError(f"{where} {what}{skipped}.", "export it again, with its rows.")

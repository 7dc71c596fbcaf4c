"""Databases: SQLite and DuckDB files, and PostgreSQL, each opened to be read and never written.

No message holds an address beyond the database's own name: an address may hold a password.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import polars as pl

from otrack_risk.errors import FileError, ParameterError, TableError
from otrack_risk.frames import Table, cells, text

SUFFIXES = {".sqlite": "sqlite", ".duckdb": "duckdb"}
BATCH = 50_000  # rows
_INTEGERS = {"TINYINT": pl.Int8, "SMALLINT": pl.Int16, "INT": pl.Int32}


class Url(str):
    """A database's address. ``name`` is what a page may show of it: the file's name, or the database's."""

    @property
    def kind(self) -> str:
        """sqlite, duckdb or postgresql."""
        return "postgresql" if self.startswith("postgres") else self.partition(":")[0]

    @property
    def name(self) -> str:
        """The file's name without its directory, or the database's without server, user and password."""
        if self.kind != "postgresql":
            return self.file.name
        try:
            return unquote(urlsplit(self).path.strip("/")) or "postgresql"
        except ValueError:
            return "postgresql"

    @property
    def suffix(self) -> str:
        """None: an address is no file of any kind."""
        return ""

    @property
    def file(self) -> Path:
        """``sqlite:///a.db`` is beside you, ``sqlite:////a.db`` at the root; where only one is there, that one."""
        slashes, rest = re.fullmatch(r"[a-z]+:(/*)(.*)", self, re.DOTALL).groups()  # type: ignore[union-attr]
        at_root = len(slashes) > 3 or (not Path(rest).exists() and Path("/" + rest).exists())
        return Path("/" + rest if at_root else rest)


@dataclass(frozen=True)
class Store:
    """An open database: its tables, and how to read one."""

    url: Url
    tables: tuple[str, ...]  # ``schema.table`` where two schemas have one of that name
    views: int
    batches: Callable[[str], Iterator[pl.DataFrame]]  # at least one frame, empty where the table is


def located(path: str | Path) -> Url | Path:
    """The address of a database, or a path.

    A path that holds an address by mistake lost its double slash; it is put back.

    Examples
    --------
    >>> located("postgresql://reader:secret@db.example.org/school").name
    'school'
    >>> located(Path("postgresql://db.example.org/school"))
    'postgresql://db.example.org/school'
    >>> located("pupils.csv").name
    'pupils.csv'
    """
    given = str(path)
    if re.match(r"(duckdb|sqlite):/", given):
        return Url(given)
    if found := re.match(r"postgres(?:ql)?:(/+)", given):
        rest = given[found.end() :]
        server = "" if len(found[1]) > 2 or "/" not in rest.partition("?")[0] else rest.partition("/")[0]
        lost = len(found[1]) == 1
        return Url(f"postgresql://{'' if server or not lost else '/'}{rest}" if lost else given)
    path = Path(path)
    kind = SUFFIXES.get(path.suffix.lower())
    return Url(f"{kind}:///{'/' * path.is_absolute()}{str(path).lstrip('/')}") if kind and path.is_file() else path


def read_tables(
    url: Url, *, table: str | None = None, null_values: Sequence[str] = ()
) -> tuple[list[Table], list[str]]:
    """The tables of a database, or the one that is named, and remarks on what is not read.

    Raises
    ------
    FileError
        No such file or server, not a database, a column of bytes or lists, or no table at all.
    TableError
        No table of that name.
    ParameterError
        What it takes to open such a database is not installed.
    """
    with opened(url) as store:
        if not store.tables:
            raise FileError(
                f"{url.name} holds no table.", "check that it is the right database, and that you may read it."
            )
        if table is not None and table not in store.tables:
            raise TableError(f"{url.name} has no table '{table}'.", f"name one of: {', '.join(store.tables)}.")
        digest = text.sha256(url.file) if url.kind != "postgresql" else ""
        read = [_table(store, name, digest, null_values) for name in ([table] if table else store.tables)]
    views = [f"{cells.plural(store.views, 'view')} of {url.name} not read"] if store.views and not table else []
    return read, views


@contextmanager
def opened(path: str | Path) -> Iterator[Store]:
    """The database, to be read only; closed at the end.

    Raises
    ------
    FileError, ParameterError
        As :func:`read_tables`.
    """
    url = located(path)
    if not isinstance(url, Url):
        raise FileError(f"{url.name} is no database.", "give sqlite:///FILE, duckdb:///FILE or postgresql://... .")
    if url.kind == "postgresql":
        from otrack_risk.frames import postgres

        with postgres.opened(url) as store:
            yield store
        return
    if not url.file.is_file():
        raise FileError(f"there is no database '{url.name}'.", "check the path; a fourth slash begins it at the root.")
    with _sqlite(url) if url.kind == "sqlite" else _duckdb(url) as store:
        yield store


def named(listed: Sequence[tuple[str, str]], usual: str) -> dict[str, str]:
    """Each table's name and how the database calls it; two of one name say their schema."""
    often = [name for _, name in listed]
    order = sorted(listed, key=lambda each: (each[0] != usual, each))
    return {
        name if often.count(name) == 1 else f"{schema}.{name}": f"{quoted(schema)}.{quoted(name)}"
        for schema, name in order
    }


def quoted(name: str) -> str:
    """The name as SQL writes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def _table(store: Store, name: str, digest: str, null_values: Sequence[str]) -> Table:
    where = f"{store.url.name}, table '{name}'"
    frame = _together(list(store.batches(name)))
    names = cells.header_names(frame.columns, where)
    frame.columns = [f"{place}" for place in range(frame.width)]
    frame, notes = cells.named(frame, names, where)
    frame, changed = cells.tidy(frame, null_values, where)
    cells.check_sizes(frame, where)
    digest = digest or hashlib.sha256(frame.write_csv().encode()).hexdigest()  # a server has no file: of its rows
    return Table(name, frame, store.url.name, digest, frame.height, (), tuple(notes + changed))


def _together(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The batches as one; a column that is of two kinds becomes text."""
    if any(frame.schema != frames[0].schema for frame in frames):
        kinds = [
            {frame[place].dtype for frame in frames}
            for place in map(frames[0].columns.__getitem__, range(frames[0].width))
        ]
        frames = [
            pl.DataFrame(
                [each.cast(pl.String) if len(kind) > 1 else each for each, kind in zip(frame, kinds, strict=True)]
            )
            for frame in frames
        ]
    return pl.concat(frames)


@contextmanager
def _sqlite(url: Url) -> Iterator[Store]:
    damaged = FileError(
        f"{url.name} is no SQLite database, is damaged, or holds text that is not UTF-8.", "copy or export it again."
    )
    connection = sqlite3.connect(f"{url.file.absolute().as_uri()}?mode=ro", uri=True)
    try:
        listed = connection.execute(
            "select type, name, sql from sqlite_master where name not like 'sqlite\\_%' escape '\\'"
        )
        kinds = listed.fetchall()
        tables = [
            name for kind, name, made in kinds if kind == "table" and not made.lower().startswith("create virtual")
        ]
        yield Store(
            url,
            tuple(tables),
            sum(kind == "view" for kind, *_ in kinds),
            lambda name: _sqlite_rows(connection, name, f"{url.name}, table '{name}'"),
        )
    except sqlite3.Error:
        raise damaged from None
    finally:
        connection.close()


def _sqlite_rows(connection: sqlite3.Connection, table: str, where: str) -> Iterator[pl.DataFrame]:
    declared = [
        (name, re.sub(r"\(.*", "", kind or "").strip().upper())
        for _, name, kind, *_ in connection.execute(f"pragma table_xinfo({quoted(table)})")
    ]
    columns = ", ".join(quoted(name) for name, _ in declared)
    cursor = connection.execute(f"select {columns} from {quoted(table)}")
    rows = cursor.fetchmany(BATCH)
    while True:
        held = zip(*rows, strict=True) if rows else [()] * len(declared)
        yield pl.DataFrame(
            [_sqlite_column(name, kind, values, where) for (name, kind), values in zip(declared, held, strict=True)]
        )
        rows = cursor.fetchmany(BATCH)
        if not rows:
            return


def _sqlite_column(name: str, declared: str, values: Sequence[Any], where: str) -> pl.Series:
    """The values as the kind that was declared; SQLite itself holds anything in any column, and then it is text."""
    kinds = {type(value) for value in values if value is not None}
    if bytes in kinds:
        raise cells.nested(name, where)
    if declared.startswith("BOOL") and kinds <= {int} and set(values) <= {0, 1, None}:
        return pl.Series(name, values, dtype=pl.Int8).cast(pl.Boolean)
    if declared in ("DATE", "DATETIME", "TIMESTAMP") and kinds <= {str}:
        series = pl.Series(name, values, dtype=pl.String)
        moments = (
            series.str.to_date("%Y-%m-%d", strict=False)
            if declared == "DATE"
            else series.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
        )
        return moments if moments.null_count() == series.null_count() else series
    if kinds == {int} or (not kinds and "INT" in declared):
        series = pl.Series(name, values, dtype=pl.Int64)
        narrow = series.cast(_INTEGERS.get(declared, pl.Int64), strict=False)
        return narrow if narrow.null_count() == series.null_count() else series
    if (kinds and kinds <= {int, float}) or (not kinds and re.search("REAL|FLOA|DOUB|NUMERIC|DECIMAL", declared)):
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)


@contextmanager
def _duckdb(url: Url) -> Iterator[Store]:
    if find_spec("duckdb") is None or find_spec("pyarrow") is None:  # in whose form duckdb hands its columns over
        raise ParameterError("duckdb://: duckdb or pyarrow is not installed.", "pip install 'otrack-risk[duckdb]'.")
    import duckdb

    try:
        connection = duckdb.connect(str(url.file), read_only=True, config={"enable_external_access": "false"})
        try:
            listed = connection.execute("select schema_name, table_name from duckdb_tables() where not internal")
            places = named(listed.fetchall(), "main")
            views = connection.execute("select count(*) from duckdb_views() where not internal").fetchall()[0][0]

            def rows(name: str) -> Iterator[pl.DataFrame]:
                relation = connection.sql(f"select * from {places[name]}")
                reader = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
                frame, any_row = None, False
                for batch in (handed := reader(BATCH)):
                    frame, any_row = pl.DataFrame(pl.from_arrow(batch)), True
                    yield frame.with_columns(pl.col(pl.Decimal).cast(pl.Float64))
                if not any_row:
                    frame = pl.DataFrame(pl.from_arrow(handed.schema.empty_table()))
                    yield frame.with_columns(pl.col(pl.Decimal).cast(pl.Float64))

            yield Store(url, tuple(places), views, rows)
        finally:
            connection.close()
    except duckdb.Error:
        raise FileError(
            f"{url.name} is no DuckDB database that this version reads, is damaged, or is open elsewhere.",
            "close what else has it open, or export its tables to Parquet.",
        ) from None

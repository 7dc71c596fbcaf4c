"""Databases: every table with its kinds, keys and indices, as a service that was left open would have it.

A database's file is not the same bytes twice; :func:`content_hash` is the same for the same rows in any of them, and
for the tables themselves. Dirt may repeat a key, so a key is made when all rows are in: unique where they are, else an
index.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from otrack_risk.errors import FileError, ParameterError
from otrack_risk.synth.presets import Preset

ADDRESS = "OTRACK_RISK_POSTGRES"  # the variable that holds a PostgreSQL URL
SCHEMA = "synthetic"  # of a PostgreSQL database; nothing outside it is touched
_MARK = "SYNTHETIC: an invented school, written by otrack-risk synth; nobody in it exists"
KEYS: Mapping[str, tuple[str, ...]] = {
    "schools": ("school_id",),
    "classes": ("class_id",),
    "households": ("household_id",),
    "pupils": ("pupil_id",),
    "guardians": ("guardian_id",),
    "pupil_guardians": ("pupil_id", "guardian_id"),
    "staff": ("staff_id",),
    "staff_classes": ("staff_id", "class_id"),
    "contracts": ("contract_id",),
    "accounts": ("account",),
    "access_log": ("log_id",),
    "behaviour": ("event_id",),
    "notes": ("note_id",),
    "images": ("image_id",),
    "documents": ("document_id",),
}
_SQLITE = {
    pl.Int8: "TINYINT",
    pl.Int16: "SMALLINT",
    pl.Int32: "INT",
    pl.Boolean: "BOOLEAN",
    pl.Date: "DATE",
    pl.Float32: "REAL",
    pl.Float64: "REAL",
}
_POSTGRES = {
    pl.Int8: "smallint",
    pl.Int16: "smallint",
    pl.Int32: "integer",
    pl.UInt8: "smallint",
    pl.UInt16: "integer",
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Float32: "real",
    pl.Float64: "double precision",
}


def content_hash(data: str | Path | Mapping[str, pl.DataFrame]) -> str:
    """SHA-256 of what the tables hold: names, columns and rows, in whatever order the rows are kept.

    Parameters
    ----------
    data : a database's URL or file, or the tables themselves

    Notes
    -----
    Rows are hashed one by one as text and the numbers added up, so that neither the engine nor its order matters.
    A missing cell and an empty text are the same here, as they are to :func:`otrack_risk.frames.read`.

    Examples
    --------
    >>> one = pl.DataFrame({"upn": ["a", "b"], "fsm": [True, None]})
    >>> content_hash({"pupils": one}) == content_hash({"pupils": one.reverse()})
    True
    >>> content_hash({"pupils": one}) == content_hash({"pupils": one.head(1)})
    False
    """
    if isinstance(data, Mapping):
        return _digest((name, [frame]) for name, frame in data.items())
    from otrack_risk.frames import database

    with database.opened(data) as store:
        return _digest((name, store.batches(name)) for name in store.tables)


class _Store:
    """Tables that are made when their first rows come, and whose keys are made at the end."""

    def __init__(self) -> None:
        self.schemas: dict[str, pl.Schema] = {}

    def add(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """One town's tables."""
        for name, frame in tables.items():
            frame = frame.with_columns(pl.col(pl.Null).cast(pl.String))
            if name not in self.schemas:
                self.schemas[name] = frame.schema
                self._create(name, frame.schema)
            if frame.height:
                self._insert(name, frame.select(pl.col(name).cast(kind) for name, kind in self.schemas[name].items()))

    def _create(self, table: str, schema: pl.Schema) -> None:
        raise NotImplementedError

    def _insert(self, table: str, frame: pl.DataFrame) -> None:
        raise NotImplementedError

    def _keys(self) -> Iterator[tuple[str, tuple[str, ...], bool]]:
        """Table, columns, and whether they ought to tell rows apart."""
        for table, schema in self.schemas.items():
            key = KEYS.get(table, ())
            if key and set(key) <= set(schema):
                yield table, key, True
            for column in schema:
                if column.endswith("_id") and column != next(iter(key), None):
                    yield table, (column,), False


class Sqlite(_Store):
    """``world.sqlite`` in the folder."""

    def __init__(self, folder: Path, plan: Preset, seed: int) -> None:
        super().__init__()
        self.path, self.part = folder / "world.sqlite", folder / ".world.sqlite.part"
        self.part.unlink(missing_ok=True)
        self.connection = sqlite3.connect(self.part, isolation_level=None)
        for pragma in ("journal_mode = off", "synchronous = off", "page_size = 4096"):
            self.connection.execute(f"pragma {pragma}")
        self.connection.execute("begin")

    def close(self) -> None:
        """Make the keys, and give the file its name."""
        for table, key, unique in self._keys():
            columns = ", ".join(map(_quoted, key))
            once = unique and not self.connection.execute(_twice(_quoted(table), columns)).fetchone()
            index = f"index {_quoted(_index(table, key))} on {_quoted(table)} ({columns})"
            self.connection.execute(f"create {'unique ' * once}{index}")
        self.connection.execute("commit")
        self.connection.close()
        self.part.replace(self.path)

    def _create(self, table: str, schema: pl.Schema) -> None:
        kinds = ", ".join(
            f"{_quoted(name)} {_kind(kind, _SQLITE, 'DATETIME', 'BIGINT')}" for name, kind in schema.items()
        )
        self.connection.execute(f"create table {_quoted(table)} ({kinds})")

    def _insert(self, table: str, frame: pl.DataFrame) -> None:
        marks = ", ".join("?" * frame.width)
        rows = frame.with_columns(
            pl.col(pl.Date).cast(pl.String),
            pl.col(pl.Datetime).dt.strftime("%Y-%m-%d %H:%M:%S%.f"),
            pl.col(pl.Boolean).cast(pl.Int8),
        ).iter_rows()
        self.connection.executemany(f"insert into {_quoted(table)} values ({marks})", rows)


class DuckDB(_Store):
    """``world.duckdb`` in the folder."""

    def __init__(self, folder: Path, plan: Preset, seed: int) -> None:
        super().__init__()
        if find_spec("duckdb") is None or find_spec("pyarrow") is None:  # in whose form duckdb takes columns
            raise ParameterError(
                "--format duckdb: duckdb or pyarrow is not installed.", "pip install 'otrack-risk[duckdb]'."
            )
        import duckdb

        self.path, self.part = folder / "world.duckdb", folder / ".world.duckdb.part"
        for left in (self.part, self.part.with_name(self.part.name + ".wal")):
            left.unlink(missing_ok=True)
        self.engine = duckdb
        self.connection = duckdb.connect(str(self.part), config={"threads": "2", "memory_limit": "512MB"})

    def add(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """One town's tables."""
        self.connection.begin()
        super().add(tables)
        self.connection.commit()

    def close(self) -> None:
        """Make the keys, and give the file its name."""
        for table, key, unique in self._keys():
            if unique:  # an engine of columns has no use for an index that does not refuse anything
                columns = ", ".join(map(_quoted, key))
                try:
                    self.connection.execute(
                        f"create unique index {_quoted(_index(table, key))} on {_quoted(table)} ({columns})"
                    )
                except self.engine.ConstraintException:
                    continue
        self.connection.close()
        self.part.replace(self.path)

    def _create(self, table: str, schema: pl.Schema) -> None:
        self.connection.register("rows_of_a_town", pl.DataFrame(schema=schema).to_arrow())
        self.connection.execute(f"create table {_quoted(table)} as select * from rows_of_a_town")
        self.connection.unregister("rows_of_a_town")

    def _insert(self, table: str, frame: pl.DataFrame) -> None:
        self.connection.register("rows_of_a_town", frame.to_arrow())
        self.connection.execute(f"insert into {_quoted(table)} select * from rows_of_a_town")
        self.connection.unregister("rows_of_a_town")


class PostgreSQL(_Store):
    """The schema ``synthetic`` of a PostgreSQL database, in one transaction: whole, or not there.

    The database is the one that ``OTRACK_RISK_POSTGRES`` names, or ``folder`` where that is a URL. A schema
    ``synthetic`` that otrack-risk wrote is replaced; one that somebody else made is refused.
    """

    def __init__(self, folder: Path, plan: Preset, seed: int) -> None:
        super().__init__()
        from otrack_risk.frames import database, postgres

        url = database.located(folder)
        address = str(url) if isinstance(url, database.Url) else os.environ.get(ADDRESS, "")
        if not address:
            raise ParameterError(
                "--format postgresql: no database is named.",
                f"set {ADDRESS} to its URL, or give postgresql://... as the place to write to.",
            )
        self.connection, _ = postgres.connect(address)
        remark = self._one(
            "select coalesce(obj_description(oid, 'pg_namespace'), '') from pg_namespace where nspname = %s", SCHEMA
        )
        if remark is not None and not remark.startswith(_MARK):
            self.connection.close()
            raise FileError(
                f"the database has a schema '{SCHEMA}' that otrack-risk did not write.", "name another database."
            )
        self._do(f"drop schema if exists {SCHEMA} cascade")
        self._do(f"create schema {SCHEMA}")
        self._do(f"comment on schema {SCHEMA} is '{_MARK} (preset {plan.name}, seed {int(seed)})'")

    def close(self) -> None:
        """Make the keys, and let others see the tables."""
        for table, key, unique in self._keys():
            columns, on = ", ".join(map(_quoted, key)), f"{SCHEMA}.{_quoted(table)}"
            if unique and not self._one(_twice(on, columns)):
                filled = " and ".join(f"{_quoted(column)} is not null" for column in key)
                whole = not self._one(f"select 1 from {on} where not ({filled}) limit 1")
                self._do(
                    f"alter table {on} add primary key ({columns})"
                    if whole
                    else f"create unique index on {on} ({columns})"
                )
            else:
                self._do(f"create index on {on} ({columns})")
        self.connection.commit()
        self.connection.close()

    def _create(self, table: str, schema: pl.Schema) -> None:
        kinds = ", ".join(
            f"{_quoted(name)} {_kind(kind, _POSTGRES, 'timestamp', 'bigint', 'text')}" for name, kind in schema.items()
        )
        self._do(f"create table {SCHEMA}.{_quoted(table)} ({kinds})")

    def _insert(self, table: str, frame: pl.DataFrame) -> None:
        # A NUL is the one character that PostgreSQL's text cannot hold.
        lines = frame.with_columns(pl.col(pl.String).str.replace_all("\0", "", literal=True))
        with (
            self.connection.cursor() as cursor,
            cursor.copy(f"copy {SCHEMA}.{_quoted(table)} from stdin (format csv)") as copy,
        ):
            for piece in lines.iter_slices(50_000):
                copy.write(piece.write_csv(include_header=False).encode())

    def _do(self, statement: str) -> None:
        self.connection.execute(statement)

    def _one(self, query: str, *values: object) -> Any:
        found = self.connection.execute(query, values or None).fetchone()
        return found[0] if found else None


def _kind(kind: pl.DataType, names: Mapping[Any, str], moment: str, number: str, other: str = "TEXT") -> str:
    if isinstance(kind, pl.Datetime):
        return moment
    return names.get(kind.base_type(), number if kind.is_integer() else other)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _twice(table: str, columns: str) -> str:
    return f"select 1 from {table} group by {columns} having count(*) > 1 limit 1"


def _index(table: str, key: Sequence[str]) -> str:
    return f"{table}_{'_'.join(key)}"


def _digest(tables: Iterable[tuple[str, Iterable[pl.DataFrame]]]) -> str:
    """The hash of each table's name, columns and rows added up, in the order of names."""
    parts = []
    for name, frames in tables:
        total, rows, columns = 0, 0, ""
        for frame in frames:
            columns = "\x1f".join(frame.columns)
            for line in _lines(frame):
                total += int.from_bytes(hashlib.sha256(line.encode()).digest()[:16], "big")
            rows += frame.height
        parts.append(f"{name}\x1e{columns}\x1e{rows}\x1e{total % (1 << 128):x}")
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()


def _lines(frame: pl.DataFrame) -> Iterator[str]:
    """Each row as one text: the same for a flag, a day or a number in any engine."""
    written = frame.select(
        _as_text(pl.col(name), kind).fill_null("").alias(f"{place}")
        for place, (name, kind) in enumerate(frame.schema.items())
    )
    joined = written.select(pl.concat_str(pl.all(), separator="\x1f").alias("line")) if written.width else written
    yield from joined.to_series() if joined.width else ()


def _as_text(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Datetime):
        return column.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d %H:%M:%S%.6f")
    if kind.is_float():
        return column.cast(pl.Float64).cast(pl.String)
    return column.cast(pl.String)
